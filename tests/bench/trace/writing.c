/* Databases with one text each. */
#define _GNU_SOURCE
#include "trace.h"

#include "merge/runs.h"
#include "value/build.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

const char trace_schema[] = "{\"ns\":\"text\",\"version\":1,\"fields\":{\"text\":{\"type\":\"text\"}}}";
const char trace_repository[] = "/data/texts";
const char trace_path[] = "/data/texts/trace";

trace_db trace_open(const char *folder, uint32_t flags, const uint8_t *root_key) {
    goat_error *error = NULL;
    trace_db o = {NULL, NULL};
    goat_config config = GOAT_CONFIG_INIT;
    config.flags = GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD | flags;
    config.root_key = root_key;
    check(goat_db_open(folder, strlen(folder), &config, &o.db, NULL, &error), error, "open");
    check(goat_db_add_schema(o.db, trace_schema, strlen(trace_schema), &error), error, "schema");
    check(goat_repo_open(o.db, trace_repository, strlen(trace_repository), 0, &o.repo, NULL, &error), error,
          "open repository");
    return o;
}

void trace_close(trace_db *o) {
    goat_error *error = NULL;
    goat_repo_free(o->repo);
    check(goat_db_close(o->db, NULL, &error), error, "close");
    goat_db_free(o->db);
}

goat_item *trace_item(const trace_db *o) {
    goat_error *error = NULL;
    goat_item *item = NULL;
    check(goat_item_open(o->db, NULL, trace_path, strlen(trace_path), &item, &error), error, "open item");
    return item;
}

enum { SHOWN = 20 }; /* bytes */

static const char *show(const char *bytes, size_t len, char *shown) {
    size_t count = len < SHOWN ? len : SHOWN;
    for (size_t i = 0; i < count; i++) shown[i] = bytes[i] < 0x20 || bytes[i] > 0x7e ? '?' : bytes[i];
    shown[count] = '\0';
    return shown;
}

/* Where it is not the same; the text there is told, what is not printable ASCII as ?, for half a character is no JSON. */
static void describe(const trace *t, const goat_buf *text, const char *who, trace_report *report) {
    size_t at = 0, shorter = text->size < t->end_len ? text->size : t->end_len;
    while (at < shorter && text->data[at] == (uint8_t)t->end[at]) at++;
    char here[SHOWN + 1], there[SHOWN + 1];
    remark(report, "%s ENDS OTHERWISE: %zu bytes for %zu; at byte %zu \"%s\" for \"%s\"", who, text->size, t->end_len,
           at, show((const char *)text->data + at, text->size - at, here), show(t->end + at, t->end_len - at, there));
}

bool trace_compare(const trace *t, const trace_db *o, const char *who, trace_report *report) {
    goat_error *error = NULL;
    goat_buf text = {0};
    goat_item *item = trace_item(o);
    check(goat_item_get_text(item, "text", 4, &text, &error), error, "text");
    bool equal = text.size == t->end_len && memcmp(text.data, t->end, t->end_len) == 0;
    if (!equal) {
        describe(t, &text, who, report);
        mark_wrong(report);
    }
    goat_buf_free(&text);
    goat_item_free(item);
    return equal;
}

double trace_log_mb(const char *folder) {
    char path[600];
    struct stat status;
    snprintf(path, sizeof(path), "%s/repos%s.log", folder, trace_repository);
    if (stat(path, &status) != 0) trace_fail("there is no %s", path);
    return (double)status.st_size / 1e6;
}

static double open_ms(const trace *t, const char *folder, uint32_t flags, double *read_ms, trace_report *report) {
    double begin = now_s();
    trace_db o = trace_open(folder, flags, NULL);
    double opened = now_s();
    trace_compare(t, &o, "what was opened again", report);
    *read_ms = (now_s() - begin) * 1e3;
    trace_close(&o);
    return (opened - begin) * 1e3;
}

void trace_measure_open(const trace *t, const char *folder, const char *of, double target_ms, trace_report *report) {
    enum { TIMES = 5 };
    double read_ms;
    char work[80];
    for (int i = 0; i < TIMES; i++) {
        double ms = open_ms(t, folder, 0, &read_ms, report);
        snprintf(work, sizeof(work), "%sopen with checkpoint", of);
        figure(report, work, "ms", target_ms, ms);
        snprintf(work, sizeof(work), "%sopen with it, and read", of);
        figure(report, work, "ms", 0, read_ms);
    }
    open_ms(t, folder, GOAT_OPEN_NO_CHECKPOINT, &read_ms, report);
    snprintf(work, sizeof(work), "%sopen by the log alone, and read", of);
    figure(report, work, "ms", 0, read_ms);
}

/* ---- edits ---- */

static void write_patch(const trace_patch *patch, bool has_text, gt_buf *edit) {
    gt_run_writer writer;
    gt_bytes text = gt_bytes_of(patch->text, patch->text_len);
    if (!has_text) {
        gt_write_text(edit, text);
        return;
    }
    gt_run_writer_init(&writer, edit->alloc);
    gt_run_keep(&writer, patch->position);
    gt_run_insert(&writer, text);
    gt_run_remove(&writer, patch->removed);
    gt_run_writer_end(&writer, edit);
}

static void compose(const gt_field *field, gt_bytes before, gt_buf *edit, const gt_buf *one) {
    gt_buf both;
    gt_buf_init(&both, edit->alloc);
    if (gt_edit_compose(field, before, gt_buf_bytes(edit), gt_buf_bytes(one), &both, NULL) != GOAT_OK) {
        trace_fail("no memory for an edit");
    }
    gt_buf_free(edit);
    *edit = both;
}

void trace_delta(const gt_schema *schema, const trace_txn *txn, gt_bytes before, gt_buf *delta) {
    const gt_field *field = gt_schema_field(schema, gt_bytes_text("text"));
    gt_buf edit, one;
    gt_buf_init(&edit, &gt_alloc_system);
    gt_buf_init(&one, &gt_alloc_system);
    for (uint32_t i = 0; i < txn->patch_count; i++) {
        gt_buf *to = edit.len == 0 ? &edit : &one;
        gt_buf_clear(&one);
        write_patch(&txn->patches[i], before.data != NULL || edit.len > 0, to);
        if (to == &one && one.len > 0) compose(field, before, &edit, &one);
    }
    gt_buf_clear(delta);
    gt_write_map_head(delta, edit.len > 0);
    if (edit.len > 0) gt_write_text(delta, gt_bytes_text("text"));
    gt_buf_append(delta, edit.data, edit.len);
    if (gt_buf_failed(delta)) trace_fail("no memory for an edit");
    gt_buf_free(&edit);
    gt_buf_free(&one);
}
