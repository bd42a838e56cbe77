/* LMDB: compact JSON by name. Imports commit every 100 documents without a sync and end with one; single
 * changes sync each. It has no queries: the filter parses every document with jansson. */
#include "bench.h"

#include <lmdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { READS = 20000, UPDATES = 50 };

static void must(int result) {
    if (result == 0) return;
    fprintf(stderr, "bench: lmdb: %s\n", mdb_strerror(result));
    exit(3);
}

static MDB_env *open_env(const char *path, unsigned flags) {
    MDB_env *env;
    must(mdb_env_create(&env));
    must(mdb_env_set_mapsize(env, (size_t)1 << 30));
    must(mdb_env_open(env, path, MDB_NOSUBDIR | flags, 0644));
    return env;
}

static MDB_val value_of(const void *data, size_t len) { return (MDB_val){len, (void *)(uintptr_t)data}; }

static void import(const documents *docs, const char *path) {
    double begin = now_s();
    MDB_env *env = open_env(path, MDB_NOSYNC);
    MDB_txn *txn = NULL;
    MDB_dbi dbi = 0;
    for (size_t i = 0; i < docs->count; i++) {
        if (i % docs->batch == 0) {
            must(mdb_txn_begin(env, NULL, 0, &txn));
            must(mdb_dbi_open(txn, NULL, 0, &dbi));
        }
        MDB_val key = value_of(docs->names[i], strlen(docs->names[i]));
        MDB_val value = value_of(docs->lines[i], docs->line_lens[i]);
        must(mdb_put(txn, dbi, &key, &value, 0));
        if (i % docs->batch == docs->batch - 1 || i == docs->count - 1) must(mdb_txn_commit(txn));
    }
    must(mdb_env_sync(env, 1));
    row_begin(import_work, "", 0, true);
    row_add(LMDB, (double)docs->count / (now_s() - begin));
    mdb_env_close(env);
    struct stat status;
    stat(path, &status);
    row_begin("stored bytes after import", "", 0, false);
    row_add(LMDB, (double)status.st_size / 1e6);
}

static size_t read_one(MDB_txn *txn, MDB_dbi dbi, const char *name) {
    MDB_val key = value_of(name, strlen(name)), value;
    must(mdb_get(txn, dbi, &key, &value));
    return value.mv_size;
}

/* Keys come in order, so the result is sorted by name already. */
static void filter(MDB_txn *txn, MDB_dbi dbi) {
    MDB_cursor *cursor;
    MDB_val key, value;
    must(mdb_cursor_open(txn, dbi, &cursor));
    volatile size_t found = 0;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        json_t *object = json_loadb(value.mv_data, value.mv_size, 0, NULL);
        const char *section = json_string_value(json_object_get(object, "section"));
        if (section != NULL && strcmp(section, "shells") == 0) found = found + 1;
        json_decref(object);
    }
    mdb_cursor_close(cursor);
}

void bench_lmdb(const documents *docs, const bench_options *options) {
    char path[256], lock[300];
    join(path, sizeof(path), options->folder, "lmdb.db");
    snprintf(lock, sizeof(lock), "%s-lock", path);
    import(docs, path);

    double begin = now_s();
    MDB_env *env = open_env(path, 0);
    MDB_txn *txn;
    MDB_dbi dbi;
    must(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));
    must(mdb_dbi_open(txn, NULL, 0, &dbi));
    volatile size_t total = read_one(txn, dbi, docs->names[docs->count / 2]);
    row_begin(open_read_work, "", 0, false);
    row_add(LMDB, (now_s() - begin) * 1e3);

    begin = now_s();
    for (size_t i = 0; i < READS; i++) total = total + read_one(txn, dbi, docs->names[i * 7919 % docs->count]);
    row_begin(point_read_work, "", 0, false);
    row_add(LMDB, (now_s() - begin) / READS * 1e9);

    begin = now_s();
    filter(txn, dbi);
    row_begin(filter_work, "", 0, false);
    row_add(LMDB, (now_s() - begin) * 1e3);
    mdb_txn_abort(txn);

    row_begin(update_work, "", 0, false);
    for (int i = 0; i < UPDATES; i++) {
        size_t at = (size_t)i * 7919 % docs->count;
        begin = now_s();
        must(mdb_txn_begin(env, NULL, 0, &txn));
        MDB_val key = value_of(docs->names[at], strlen(docs->names[at]));
        MDB_val value = value_of(docs->lines[at], docs->line_lens[at]);
        must(mdb_put(txn, dbi, &key, &value, 0));
        must(mdb_txn_commit(txn));
        row_add(LMDB, (now_s() - begin) * 1e6);
    }
    mdb_env_close(env);
    remove(path);
    remove(lock);
}
