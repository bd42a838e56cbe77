#define _GNU_SOURCE
#include "pair.h"

#include "pipe.h"
#include "small.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char repository[] = "/data/notes";

/* ---- keeping and setting back ----
 *
 * Logs only grow, and every other file is replaced by a new one: so a name for each file as it was, and the length
 * of the logs, are enough to set a folder back, however large it is. */

static const char *walk_from, *walk_to; /* nftw takes no context */

static bool is_log(const char *path) {
    size_t len = strlen(path);
    return len > 4 && strcmp(path + len - 4, ".log") == 0;
}

static int keep_entry(const char *path, const struct stat *status, int type, struct FTW *at) {
    char to[600];
    (void)status;
    (void)at;
    snprintf(to, sizeof(to), "%s%s", walk_to, path + strlen(walk_from));
    if (type == FTW_D ? mkdir(to, 0755) != 0 : link(path, to) != 0) lab_fail("%s: %s", to, strerror(errno));
    if (type != FTW_F || !is_log(path)) return 0;
    char length[640];
    snprintf(length, sizeof(length), "%s.length", to);
    FILE *file = fopen(length, "w");
    if (file == NULL || fprintf(file, "%lld", (long long)status->st_size) < 0 || fclose(file) != 0) {
        lab_fail("%s: %s", length, strerror(errno));
    }
    return 0;
}

static int restore_entry(const char *path, const struct stat *status, int type, struct FTW *at) {
    char to[600], length[640];
    long long bytes;
    (void)status;
    (void)at;
    snprintf(to, sizeof(to), "%s%s", walk_to, path + strlen(walk_from));
    if (strlen(path) > 7 && strcmp(path + strlen(path) - 7, ".length") == 0) return 0;
    if (type == FTW_D ? mkdir(to, 0755) != 0 : link(path, to) != 0) lab_fail("%s: %s", to, strerror(errno));
    if (type != FTW_F || !is_log(path)) return 0;
    snprintf(length, sizeof(length), "%s.length", path);
    FILE *file = fopen(length, "r");
    if (file == NULL || fscanf(file, "%lld", &bytes) != 1 || fclose(file) != 0 || truncate(to, bytes) != 0) {
        lab_fail("%s cannot be set back", to);
    }
    return 0;
}

static void walk(const char *from, const char *to, int (*entry)(const char *, const struct stat *, int, struct FTW *)) {
    walk_from = from;
    walk_to = to;
    if (nftw(from, entry, 16, FTW_PHYS) != 0) lab_fail("%s: %s", from, strerror(errno));
}

static int forget_entry(const char *path, const struct stat *status, int type) {
    size_t len = strlen(path);
    (void)status;
    if (type == FTW_F && len > 5 && strcmp(path + len - 5, ".peer") == 0) unlink(path);
    return 0;
}

static void keep(const pair *p, const char *folder, const char *name, bool back) {
    char kept[300];
    snprintf(kept, sizeof(kept), "%s/%s", p->kept, name);
    if (back) {
        remove_folder(folder);
        walk(kept, folder, restore_entry);
    } else {
        walk(folder, kept, keep_entry);
    }
}

/* ---- opening ---- */

static void open_one(const char *folder, const uint8_t *root_key, goat_db **db, goat_repo **repo) {
    goat_error *error = NULL;
    goat_config config = GOAT_CONFIG_INIT;
    config.flags = GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD;
    config.root_key = root_key;
    check(goat_db_open(folder, strlen(folder), &config, db, NULL, &error), error, "open");
    check(goat_db_add_schema(*db, small_schema, strlen(small_schema), &error), error, "schema");
    check(goat_repo_open(*db, repository, strlen(repository), 0, repo, NULL, &error), error, "open repository");
}

static void close_one(goat_db **db, goat_repo **repo) {
    goat_error *error = NULL;
    goat_repo_free(*repo);
    check(goat_db_close(*db, NULL, &error), error, "close");
    goat_db_free(*db);
    *db = NULL;
    *repo = NULL;
}

void pair_make(const lab_plan *lab, pair *p, const char *name, uint32_t commits, uint32_t batch) {
    uint8_t root_key[32];
    memset(p, 0, sizeof(*p));
    snprintf(p->server, sizeof(p->server), "%s/%s-server", lab->folder, name);
    snprintf(p->client, sizeof(p->client), "%s/%s-client", lab->folder, name);
    snprintf(p->kept, sizeof(p->kept), "%s/%s-kept", lab->folder, name);
    open_one(p->server, NULL, &p->server_db, &p->server_repo);
    small_apply(p->server_repo, 'a', 0, commits, batch);
    lab_root_key(p->server_db, root_key);
    open_one(p->client, root_key, &p->client_db, &p->client_repo);
    pipe_sync(p->client_db, p->server_db);
    pair_assert_equal(p);
    pair_close(p);
    if (mkdir(p->kept, 0755) != 0) lab_fail("%s: %s", p->kept, strerror(errno));
    keep(p, p->server, "server", false);
    keep(p, p->client, "client", false);
}

void pair_open(pair *p, bool forget) {
    keep(p, p->server, "server", true);
    keep(p, p->client, "client", true);
    if (forget) ftw(p->client, forget_entry, 16);
    open_one(p->server, NULL, &p->server_db, &p->server_repo);
    open_one(p->client, NULL, &p->client_db, &p->client_repo);
}

void pair_close(pair *p) {
    close_one(&p->client_db, &p->client_repo);
    close_one(&p->server_db, &p->server_repo);
}

void pair_assert_equal(pair *p) {
    goat_buf a = {0}, b = {0};
    goat_error *error = NULL;
    check(goat_repo_digest(p->server_repo, &a, NULL, &error), error, "digest");
    check(goat_repo_digest(p->client_repo, &b, NULL, &error), error, "digest");
    if (a.size != b.size || memcmp(a.data, b.data, a.size) != 0) lab_fail("two databases differ after a sync");
    goat_buf_free(&a);
    goat_buf_free(&b);
}

void pair_remove(pair *p) {
    remove_folder(p->server);
    remove_folder(p->client);
    remove_folder(p->kept);
}
