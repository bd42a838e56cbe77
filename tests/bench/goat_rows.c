/* libgoat, through its public ABI. */
#define _GNU_SOURCE
#include "bench.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READS = 200000, SETS = 100000, UPDATES = 50, BATCHES = 20, THREADS = 16, CHANGES = 200, HANDLES = 1000 };

static const char repository[] = "/data/packages";

typedef struct opened {
    goat_db *db;
    goat_repo *repo;
} opened;

static opened open_db(const char *folder, uint32_t flags) {
    goat_error *error = NULL;
    opened o = {NULL, NULL};
    goat_config config = GOAT_CONFIG_INIT;
    config.flags = GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD | flags;
    check(goat_db_open(folder, strlen(folder), &config, &o.db, NULL, &error), error, "open");
    check(goat_repo_open(o.db, repository, strlen(repository), 0, &o.repo, NULL, &error), error, "open repository");
    return o;
}

static void close_db(opened *o) {
    goat_error *error = NULL;
    goat_repo_free(o->repo);
    check(goat_db_close(o->db, NULL, &error), error, "close");
    goat_db_free(o->db);
}

static goat_item *open_item(const opened *o, const char *name) {
    char path[700];
    goat_error *error = NULL;
    goat_item *item = NULL;
    int len = snprintf(path, sizeof(path), "%s/%s", repository, name);
    check(goat_item_open(o->db, NULL, path, (size_t)len, &item, &error), error, "open item");
    return item;
}

static void flush(const opened *o) {
    goat_error *error = NULL;
    check(goat_db_flush(o->db, GOAT_DURABLE_DISK, NULL, &error), error, "flush");
}

static void import(const documents *docs, const char *folder, bool json) {
    goat_error *error = NULL;
    opened o = open_db(folder, 0);
    check(goat_db_add_schema(o.db, package_schema, strlen(package_schema), &error), error, "schema");
    double begin = now_s();
    for (size_t b = 0; b < docs->batch_count; b++) {
        goat_status status =
            json ? goat_repo_apply_json(o.repo, docs->edits_json[b], strlen(docs->edits_json[b]), 0, NULL, &error)
                 : goat_repo_apply(o.repo, docs->edits[b].data, docs->edits[b].size, 0, NULL, &error);
        check(status, error, "import");
    }
    flush(&o);
    double seconds = now_s() - begin;
    row_begin(json ? "import from JSON, batches of 100, one flush" : import_work, "", 0, true);
    row_add(GOAT, (double)docs->count / seconds);
    close_db(&o);
}

static void sizes(const char *folder) {
    char path[600];
    struct stat status;
    snprintf(path, sizeof(path), "%s/repos%s.log", folder, repository);
    if (stat(path, &status) != 0) exit(3);
    row_begin("stored bytes after import", "", 0, false);
    row_add(GOAT, (double)status.st_size / 1e6);
}

static void opens(const documents *docs, const char *folder) {
    double begin = now_s();
    opened o = open_db(folder, 0);
    row_begin("open with checkpoint", "", 0, false);
    row_add(GOAT, (now_s() - begin) * 1e3);
    close_db(&o);

    goat_buf buf = {0};
    goat_error *error = NULL;
    begin = now_s();
    o = open_db(folder, 0);
    goat_item *item = open_item(&o, docs->names[docs->count / 2]);
    check(goat_item_read(item, &buf, NULL, &error), error, "read");
    row_begin(open_read_work, "", 0, false);
    row_add(GOAT, (now_s() - begin) * 1e3);
    goat_item_free(item);
    close_db(&o);
    goat_buf_free(&buf);

    begin = now_s();
    o = open_db(folder, GOAT_OPEN_NO_CHECKPOINT);
    row_begin("open from the log alone, all verified", "", 0, false);
    row_add(GOAT, (now_s() - begin) * 1e3);
    close_db(&o);
}

static void reads(const documents *docs, const opened *o) {
    goat_buf buf = {0};
    goat_error *error = NULL;
    double begin = now_s();
    for (size_t i = 0; i < READS / 10; i++) {
        goat_item *item = open_item(o, docs->names[i * 7919 % docs->count]);
        check(goat_item_read(item, &buf, NULL, &error), error, "read");
        goat_item_free(item);
    }
    row_begin(point_read_work, "", 0, false);
    row_add(GOAT, (now_s() - begin) / (READS / 10) * 1e9);
    goat_buf_free(&buf);

    goat_item *items[HANDLES];
    for (size_t i = 0; i < HANDLES; i++) items[i] = open_item(o, docs->names[i * 63 % docs->count]);
    double size = 0, total = 0;
    for (size_t i = 0; i < HANDLES; i++) check(goat_item_get_number(items[i], "size", 4, &size, &error), error, "get");
    begin = now_s();
    for (size_t i = 0; i < READS; i++) {
        check(goat_item_get_number(items[i % HANDLES], "size", 4, &size, &error), error, "get");
        total += size;
    }
    row_begin("read one field of an open item", "", 0, false);
    row_add(GOAT, (now_s() - begin) / READS * 1e9);
    if (total < 0) exit(3);

    begin = now_s();
    for (size_t i = 0; i < SETS; i++) {
        check(goat_item_set_number(items[i % HANDLES], "size", 4, (double)i, &error), error, "set");
    }
    row_begin("set one field", "", 0, false);
    row_add(GOAT, (now_s() - begin) / SETS * 1e9);
    flush(o);
    for (size_t i = 0; i < HANDLES; i++) goat_item_free(items[i]);
}

static void batches(const opened *o) {
    goat_error *error = NULL;
    row_begin("100 new items as one signed batch", "", 0, false);
    for (int b = 0; b < BATCHES; b++) {
        json_t *list = json_array();
        for (int i = 0; i < 100; i++) {
            char key[40];
            snprintf(key, sizeof(key), "new-%d-%d-%d", (int)getpid(), b, i);
            json_array_append_new(list, json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:i, s:i}}", "key", key, "schema",
                                                  "package", "set", "name", key, "version", "1.0", "section", "none",
                                                  "size", i, "installed_kib", b));
        }
        char *text = json_dumps(list, JSON_COMPACT);
        goat_buf edits = {0};
        check(goat_value_from_json(text, strlen(text), &edits, &error), error, "value");
        double begin = now_s();
        check(goat_repo_apply(o->repo, edits.data, edits.size, 0, NULL, &error), error, "apply");
        row_add(GOAT, (now_s() - begin) * 1e6);
        goat_buf_free(&edits);
        free(text);
        json_decref(list);
    }
    flush(o);
}

static void change(const documents *docs, const opened *o, int number, double value, goat_durability level) {
    goat_error *error = NULL;
    goat_item *item = open_item(o, docs->names[(size_t)number * 7919 % docs->count]);
    double begin = now_s();
    check(goat_item_set_number(item, "size", 4, value, &error), error, "set");
    check(goat_db_flush(o->db, level, NULL, &error), error, "flush");
    row_add(GOAT, (now_s() - begin) * 1e6);
    goat_item_free(item);
}

/* What a change costs besides the disk is what it costs up to the system: signed, hashed, and written. The difference of
 * two waits for a disk would drown it. */
static void updates(const documents *docs, const opened *o) {
    row_begin(update_work, "", 0, false);
    for (int i = 0; i < UPDATES; i++) change(docs, o, i, i + 0.5, GOAT_DURABLE_DISK);
    row_begin("the same, beyond one fdatasync", "", 0, false);
    for (int i = 0; i < UPDATES; i++) change(docs, o, i, i + 0.75, GOAT_DURABLE_SYSTEM);
    flush(o);
}

typedef struct flusher {
    const opened *o;
    const documents *docs;
    int number;
} flusher;

static void *flush_changes(void *argument) {
    const flusher *f = argument;
    goat_error *error = NULL;
    for (int i = 0; i < UPDATES; i++) {
        goat_item *item = open_item(f->o, f->docs->names[(size_t)(f->number * UPDATES + i) * 31 % f->docs->count]);
        check(goat_item_set_number(item, "size", 4, i + 0.25, &error), error, "set");
        flush(f->o);
        goat_item_free(item);
    }
    return NULL;
}

static void threads(const documents *docs, const opened *o) {
    pthread_t ids[THREADS];
    flusher flushers[THREADS];
    double begin = now_s();
    for (int i = 0; i < THREADS; i++) {
        flushers[i] = (flusher){o, docs, i};
        if (pthread_create(&ids[i], NULL, flush_changes, &flushers[i]) != 0) exit(3);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(ids[i], NULL);
    row_begin("16 threads, one change each, on the disk", "", 0, false);
    row_add(GOAT, (now_s() - begin) / (THREADS * UPDATES) * 1e6);
}

static void queries(const opened *o) {
    static const char spec[] = "{\"schema\":\"package\",\"where\":{\"section\":\"shells\"},\"sort\":[\"name\"]}";
    goat_error *error = NULL;
    goat_query *query = NULL;
    goat_buf rows = {0};
    uint32_t count = 0;
    double begin = now_s();
    check(goat_query_open(o->repo, NULL, spec, strlen(spec), &query, NULL, &error), error, "query");
    check(goat_query_count(query, &count, &error), error, "count");
    row_begin(filter_work, "", 0, false);
    row_add(GOAT, (now_s() - begin) * 1e3);

    check(goat_query_rows_json(query, 0, 1, &rows, &error), error, "rows");
    json_t *first = json_loads((const char *)rows.data, 0, NULL);
    goat_item *item = count > 0 ? open_item(o, json_string_value(json_object_get(first, "name"))) : NULL;
    row_begin("the same query after one change", "", 0, false);
    begin = now_s();
    for (int i = 0; i < CHANGES && item != NULL; i++) {
        const char *section = i % 2 == 0 ? "libs" : "shells"; /* in and out of the result */
        check(goat_item_set_text(item, "section", 7, section, strlen(section), &error), error, "set");
        check(goat_query_count(query, &count, &error), error, "count");
    }
    if (item != NULL) row_add(GOAT, (now_s() - begin) / CHANGES * 1e6);
    goat_item_free(item);
    json_decref(first);
    goat_buf_free(&rows);
    goat_query_free(query);
}

/* ---- memory, in a process that does nothing else ---- */

static long resident(void) {
    long pages = 0, total = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &total, &pages) != 2) exit(3);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

int bench_goat_memory(const char *folder) {
    goat_error *error = NULL;
    goat_buf paths = {0}, item_buf = {0};
    goat_free(goat_alloc(1)); /* the library itself is there */
    long before = resident();
    opened o = open_db(folder, 0);
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    while ((len = getline(&line, &capacity, stdin)) > 1) { /* the names, so that no list of them is counted */
        line[len - 1] = '\0';
        goat_item *item = open_item(&o, line);
        check(goat_item_read(item, &item_buf, NULL, &error), error, "read");
        goat_item_free(item);
    }
    printf("%ld\n", resident() - before);
    free(line);
    goat_buf_free(&paths);
    goat_buf_free(&item_buf);
    close_db(&o);
    return 0;
}

static void memory(const documents *docs, const char *folder, const char *program) {
    char command[700], names[300];
    join(names, sizeof(names), folder, "../names");
    FILE *file = fopen(names, "w");
    for (size_t i = 0; file != NULL && i < docs->count; i++) fprintf(file, "%s\n", docs->names[i]);
    if (file == NULL || fclose(file) != 0) exit(3);
    snprintf(command, sizeof(command), "'%s' --memory '%s' < '%s'", program, folder, names);
    FILE *pipe = popen(command, "r");
    long bytes = 0;
    if (pipe == NULL || fscanf(pipe, "%ld", &bytes) != 1) exit(3);
    pclose(pipe);
    remove(names);
    row_begin("memory, all fields read once", "", 0, false);
    row_add(GOAT, (double)bytes / 1e6);
}

void bench_goat(const documents *docs, const bench_options *options) {
    char folder[256];
    join(folder, sizeof(folder), options->folder, "goat-json");
    import(docs, folder, true);
    remove_folder(folder);
    join(folder, sizeof(folder), options->folder, "goat");
    import(docs, folder, false);
    sizes(folder);
    opens(docs, folder);
    memory(docs, folder, options->program);
    opened o = open_db(folder, 0);
    queries(&o);
    reads(docs, &o);
    batches(&o);
    updates(docs, &o);
    threads(docs, &o);
    close_db(&o);
    remove_folder(folder);
}
