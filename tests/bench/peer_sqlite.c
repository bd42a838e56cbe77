/* SQLite: a table of JSON documents, WAL. Imports commit every 100 documents without a sync and end with a
 * checkpoint that syncs; single changes sync each (synchronous = FULL). */
#include "bench.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { READS = 20000, UPDATES = 50 };

static void run(sqlite3 *db, const char *sql) {
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) == SQLITE_OK) return;
    fprintf(stderr, "bench: sqlite: %s\n", message);
    exit(3);
}

static sqlite3 *open_db(const char *path) {
    sqlite3 *db;
    if (sqlite3_open(path, &db) != SQLITE_OK) exit(3);
    run(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0;");
    return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) exit(3);
    return statement;
}

static void import(const documents *docs, const char *path) {
    double begin = now_s();
    sqlite3 *db = open_db(path);
    run(db, "CREATE TABLE docs (name TEXT PRIMARY KEY, doc TEXT) WITHOUT ROWID");
    sqlite3_stmt *insert = prepare(db, "INSERT INTO docs VALUES (?1, ?2)");
    for (size_t i = 0; i < docs->count; i++) {
        if (i % docs->batch == 0) run(db, "BEGIN");
        sqlite3_bind_text(insert, 1, docs->names[i], -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, docs->lines[i], (int)docs->line_lens[i], SQLITE_STATIC);
        if (sqlite3_step(insert) != SQLITE_DONE) exit(3);
        sqlite3_reset(insert);
        if (i % docs->batch == docs->batch - 1 || i == docs->count - 1) run(db, "COMMIT");
    }
    sqlite3_finalize(insert);
    run(db, "PRAGMA synchronous=FULL; PRAGMA wal_checkpoint(TRUNCATE);");
    row_begin(import_work, "", 0, true);
    row_add(SQLITE, (double)docs->count / (now_s() - begin));
    sqlite3_close(db);
    struct stat status;
    stat(path, &status);
    row_begin("stored bytes after import", "", 0, false);
    row_add(SQLITE, (double)status.st_size / 1e6);
}

static void read_one(sqlite3_stmt *select, const char *name) {
    sqlite3_bind_text(select, 1, name, -1, SQLITE_STATIC);
    if (sqlite3_step(select) != SQLITE_ROW || sqlite3_column_text(select, 0) == NULL) exit(3);
    sqlite3_reset(select);
}

void bench_sqlite(const documents *docs, const bench_options *options) {
    char path[256], extra[300];
    join(path, sizeof(path), options->folder, "sqlite.db");
    import(docs, path);

    double begin = now_s();
    sqlite3 *db = open_db(path);
    sqlite3_stmt *select = prepare(db, "SELECT doc FROM docs WHERE name = ?1");
    read_one(select, docs->names[docs->count / 2]);
    row_begin(open_read_work, "", 0, false);
    row_add(SQLITE, (now_s() - begin) * 1e3);

    begin = now_s();
    for (size_t i = 0; i < READS; i++) read_one(select, docs->names[i * 7919 % docs->count]);
    row_begin(point_read_work, "", 0, false);
    row_add(SQLITE, (now_s() - begin) / READS * 1e9);
    sqlite3_finalize(select);

    sqlite3_stmt *filter =
        prepare(db, "SELECT doc FROM docs WHERE json_extract(doc, '$.section') = 'shells' ORDER BY name");
    begin = now_s();
    while (sqlite3_step(filter) == SQLITE_ROW) sqlite3_column_text(filter, 0);
    row_begin(filter_work, "", 0, false);
    row_add(SQLITE, (now_s() - begin) * 1e3);
    sqlite3_finalize(filter);

    run(db, "PRAGMA synchronous=FULL");
    sqlite3_stmt *update = prepare(db, "UPDATE docs SET doc = json_set(doc, '$.size', ?2) WHERE name = ?1");
    row_begin(update_work, "", 0, false);
    for (int i = 0; i < UPDATES; i++) {
        begin = now_s();
        sqlite3_bind_text(update, 1, docs->names[(size_t)i * 7919 % docs->count], -1, SQLITE_STATIC);
        sqlite3_bind_int(update, 2, i);
        if (sqlite3_step(update) != SQLITE_DONE) exit(3);
        sqlite3_reset(update);
        row_add(SQLITE, (now_s() - begin) * 1e6);
    }
    sqlite3_finalize(update);
    sqlite3_close(db);
    remove(path);
    snprintf(extra, sizeof(extra), "%s-wal", path);
    remove(extra);
    snprintf(extra, sizeof(extra), "%s-shm", path);
    remove(extra);
}
