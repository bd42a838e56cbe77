#include "remote.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "output.h"
#include "text.h"

static const char first_line[] = "goat remote 1";
/* ---- memory ---- */

static void *checked(void *memory) {
    if (memory == NULL) {
        fputs("goat: out of memory\n", stderr);
        exit(CLI_TROUBLE);
    }
    return memory;
}

void remote_set(char **where, const char *value) {
    char *copy = value != NULL ? checked(strdup(value)) : NULL;
    free(*where);
    *where = copy;
}

void remote_add_repo(remote *r, const char *path) {
    r->repos = checked(reallocarray(r->repos, r->repo_count + 1, sizeof *r->repos));
    r->repos[r->repo_count++] = checked(strdup(path));
}

void remote_free(remote *r) {
    for (size_t i = 0; i < r->repo_count; i++) {
        free(r->repos[i]);
    }
    free(r->repos);
    free(r->url);
    free(r->ca);
    free(r->trouble);
    *r = (remote){0};
}

static int fail(const cli *run, const char *path, const char *what) {
    cli_error(run, "%s: %s", path, what);
    return CLI_TROUBLE;
}

/* ---- remote ---- */

static void take_line(remote *r, const char *line) {
    const char *space = strchr(line, ' ');
    size_t len = space != NULL ? (size_t)(space - line) : 0;
    const char *value = space != NULL ? space + 1 : line;
    if (len == 3 && memcmp(line, "url", len) == 0) {
        remote_set(&r->url, value);
    } else if (len == 2 && memcmp(line, "ca", len) == 0) {
        remote_set(&r->ca, value);
    } else if (len == 10 && memcmp(line, "repository", len) == 0) {
        remote_add_repo(r, value);
    } else if (len == 4 && memcmp(line, "even", len) == 0) {
        r->even_ms = strtoll(value, NULL, 10);
    } else if (len == 7 && memcmp(line, "trouble", len) == 0) {
        remote_set(&r->trouble, value);
    } /* what a newer version may add is skipped */
}

int remote_read(cli *run, const char *db, remote *r) {
    char path[FILES_PATH_ROOM];
    *r = (remote){0};
    if (!files_path(db, "remote", path)) {
        return CLI_DONE; /* the database's own name is too long, and that is said by whoever opens it */
    }
    char *content = files_read(path);
    if (content == NULL) {
        return errno == ENOENT || errno == ENOTDIR ? CLI_DONE : fail(run, path, strerrordesc_np(errno));
    }
    char *line = content, *end;
    bool known = false;
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (line == content) {
            known = strcmp(line, first_line) == 0;
        } else {
            take_line(r, line);
        }
    }
    free(content);
    return known ? CLI_DONE : fail(run, path, "this is not what goat clone writes; remove it and give --url");
}

static void add_line(text *content, const char *name, const char *value) {
    if (value != NULL) {
        text_add_c(content, name);
        text_add_c(content, " ");
        text_add(content, value, strcspn(value, "\n"));
        text_add_c(content, "\n");
    }
}

int remote_write(cli *run, const char *db, const remote *r) {
    char path[FILES_PATH_ROOM], even[24];
    text content = {0};
    text_add_c(&content, first_line);
    text_add_c(&content, "\n");
    add_line(&content, "url", r->url);
    add_line(&content, "ca", r->ca);
    for (size_t i = 0; i < r->repo_count; i++) {
        add_line(&content, "repository", r->repos[i]);
    }
    snprintf(even, sizeof even, "%" PRId64, r->even_ms);
    add_line(&content, "even", r->even_ms != 0 ? even : NULL);
    add_line(&content, "trouble", r->trouble);
    int code = CLI_DONE;
    if (!files_path(db, "remote", path) || !files_replace(path, content.data, content.len, true)) {
        code = fail(run, path, strerrordesc_np(errno));
    }
    text_free(&content);
    return code;
}
