#include "wanted.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "output.h"

enum { NAME_ROOM = 4096 };

/* A file of a repository as it lies in the folder (goat(1), FILES). False: its name is too long. */
static bool file_of(const follow *f, const char *path, const char *ending, char *file) {
    char name[NAME_ROOM];
    int len = snprintf(name, sizeof name, "repos%s%s", path, ending);
    return len > 0 && len < NAME_ROOM && files_path(f->db, name, file);
}

/* The bytes of its log; -1: there is none. */
static int64_t log_size(const follow *f, const char *path) {
    char file[FILES_PATH_ROOM];
    struct stat about;
    return file_of(f, path, ".log", file) && stat(file, &about) == 0 ? (int64_t)about.st_size : -1;
}

static int make_repo(const follow *f, const char *path) {
    goat_repo *repo = NULL;
    goat_error *error = NULL;
    goat_status status = goat_repo_open(f->run->db, path, strlen(path), 0, &repo, NULL, &error);
    if (status == GOAT_OK) {
        status = goat_repo_close(repo, NULL, &error);
    }
    goat_repo_free(repo);
    return status == GOAT_OK ? CLI_DONE : cli_fail(f->run, path, error);
}

int wanted_begin(wanted *w, follow *f, char **paths, int count) {
    int code = CLI_DONE;
    bool has_all = f->remote.even_ms != 0 && f->remote.repo_count == 0;
    *w = (wanted){.paths = paths, .all = count == 0 || has_all, .made = calloc((size_t)count + 1, sizeof *w->made)};
    if (w->made == NULL) {
        cli_error(f->run, "out of memory");
        return CLI_TROUBLE;
    }
    while (code == CLI_DONE && w->count < count) {
        const char *path = paths[w->count];
        bool is_new = path[0] == '/' && log_size(f, path) < 0;
        code = make_repo(f, path);
        w->made[w->count++] = code == CLI_DONE && is_new ? log_size(f, path) : -1;
    }
    return code;
}

void wanted_end(wanted *w) { free(w->made); }

/* The facts about one repository; empty: there are none. */
static cbor find_repo(cbor status, const char *path) {
    uint64_t count;
    cbor all = cbor_array(cbor_member(status, "repositories"), &count);
    for (uint64_t i = 0; i < count && all.len > 0; i++) {
        cbor one = cbor_take(&all);
        if (cbor_is_text(cbor_member(one, "path"), path)) {
            return one;
        }
    }
    return (cbor){0};
}

int wanted_check(const wanted *w, follow *f) {
    goat_buf status = {0};
    goat_error *error = NULL;
    int code = CLI_DONE;
    if (goat_db_status(f->run->db, &status, &error) != GOAT_OK) {
        goat_buf_free(&status);
        return cli_fail(f->run, f->db, error);
    }
    for (int i = 0; code == CLI_DONE && i < w->count; i++) {
        cbor one = find_repo(cbor_of(&status), w->paths[i]);
        if (cbor_bool(cbor_member(one, "open")) || cbor_uint(cbor_member(one, "entries")) > 0) {
            continue;
        }
        if (!cbor_bool(cbor_member(cbor_of(&status), "online"))) {
            cli_error(f->run, "%s: the connection ended; run it again", f->remote.url);
            code = CLI_TROUBLE;
        } else {
            cli_error(f->run, "%s: the server has no such repository", w->paths[i]);
            code = CLI_NO;
        }
    }
    goat_buf_free(&status);
    return code;
}

void wanted_remember(const wanted *w, remote *r) {
    while (w->all && r->repo_count > 0) {
        remote_set(&r->repos[--r->repo_count], NULL);
    }
    for (int i = 0; !w->all && i < w->count; i++) {
        size_t known = 0;
        while (known < r->repo_count && strcmp(r->repos[known], w->paths[i]) != 0) {
            known++;
        }
        if (known == r->repo_count) {
            remote_add_repo(r, w->paths[i]);
        }
    }
}

void wanted_take_back(const wanted *w, const follow *f) {
    char file[FILES_PATH_ROOM];
    for (int i = 0; i < w->count; i++) {
        if (w->made[i] < 0 || log_size(f, w->paths[i]) != w->made[i]) {
            continue;
        }
        static const char *const endings[] = {".log", ".peer"};
        for (size_t at = 0; at < sizeof endings / sizeof endings[0]; at++) {
            if (file_of(f, w->paths[i], endings[at], file)) {
                unlink(file);
            }
        }
        if (file_of(f, w->paths[i], "", file)) {
            *strrchr(file, '/') = '\0';
            rmdir(file); /* unless there are others */
        }
    }
}
