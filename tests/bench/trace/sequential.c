/* One author's session: every edit a splice of its own, captured now and then; and every edit a commit of its own. */
#include "trace.h"

#include "abi.h"
#include "db/internal.h"
#include "value/build.h"

#include <stdlib.h>
#include <string.h>

enum { EDITS_A_CAPTURE = 100, COMMITS_A_BATCH = 1000 };

static bool is_paper(const trace *t) { return strcmp(t->name, "automerge-paper") == 0; }

static double target(const trace *t, double of_paper) { return is_paper(t) ? of_paper : 0; }

static void flush(const trace_db *o, goat_durability level) {
    goat_error *error = NULL;
    check(goat_db_flush(o->db, level, NULL, &error), error, "flush");
}

static goat_item *create(const trace *t, const trace_db *o) {
    goat_error *error = NULL;
    goat_item *item = NULL;
    gt_buf fields;
    gt_buf_init(&fields, &gt_alloc_system);
    gt_write_map_head(&fields, 1);
    gt_write_text(&fields, gt_bytes_text("text"));
    gt_write_text(&fields, gt_bytes_of(t->start, t->start_len));
    check(goat_item_create(o->db, NULL, trace_path, strlen(trace_path), "text", 4, fields.data, fields.len, &item,
                           &error),
          error, "create");
    gt_buf_free(&fields);
    return item;
}

/* ---- captured now and then ---- */

void measure_captured(const trace *t, const char *folder, trace_report *report) {
    goat_error *error = NULL;
    uint32_t commits = 1;
    trace_db o = trace_open(folder, 0, NULL);
    figure_memory_begin(report);
    double begin = now_s();
    goat_item *item = create(t, &o);
    flush(&o, GOAT_DURABLE_MEMORY);
    for (uint32_t i = 0; i < t->patch_count; i++) {
        const trace_patch *patch = &t->patches[i];
        check(goat_item_splice(item, "text", 4, GOAT_UNIT_CODE_POINT, patch->position, patch->removed, patch->text,
                               patch->text_len, &error),
              error, "splice");
        if ((i + 1) % EDITS_A_CAPTURE != 0 && i + 1 != t->patch_count) continue;
        flush(&o, GOAT_DURABLE_MEMORY);
        commits++;
    }
    flush(&o, GOAT_DURABLE_DISK);
    double seconds = now_s() - begin;
    figure(report, "captured every 100 edits", "s", target(t, 0.7), seconds);
    figure_memory(report, "peak memory");
    bool equal = trace_compare(t, &o, "captured every 100 edits", report);
    goat_item_free(item);
    trace_close(&o);
    figure(report, "log", "MB", target(t, 1.2), trace_log_mb(folder));
    trace_measure_open(t, folder, "", target(t, 5), report);
    remark(report, "captured every 100 edits: %u commits, %s, %.2f s, %.2f us an edit", commits,
           equal ? "ends in exactly endContent" : "ENDS OTHERWISE", seconds, seconds / t->patch_count * 1e6);
}

/* ---- each its own commit ---- */

typedef struct session {
    gt_space *space;
    gt_signer signer;
    const gt_schema *schema;
    gt_id head;
    gt_buf delta;
} session;

static void fail_with(const gt_diag *diag) { trace_fail("%s", diag->message); }

static session begin_session(const trace_db *o) {
    session s = {.space = o->repo->space};
    gt_mount *mount = s.space->mount;
    gt_buf heads;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_init(&heads, &gt_alloc_system);
    gt_buf_init(&s.delta, &gt_alloc_system);
    uint32_t item = gt_repo_find(mount->repo, gt_bytes_text("trace"));
    s.signer = gt_signer_of(mount->database, mount);
    s.schema = gt_repo_schema(mount->repo, item);
    if (gt_repo_heads(mount->repo, item, &heads, &diag) != GOAT_OK) fail_with(&diag);
    memcpy(s.head.bytes, heads.data, GT_ID_SIZE);
    gt_buf_free(&heads);
    return s;
}

/* One batch, each commit on the one before. */
static void commit_some(session *s, const trace_patch *patches, uint32_t count) {
    static const uint8_t empty_text[] = {0x60};
    gt_database *database = s->space->mount->database;
    gt_capture *capture = NULL;
    gt_diag diag;
    gt_diag_init(&diag);
    if (gt_capture_begin(s->space->mount->repo, &capture, &diag) != GOAT_OK) fail_with(&diag);
    for (uint32_t i = 0; i < count; i++) {
        trace_txn txn = {.patches = &patches[i], .patch_count = 1};
        trace_delta(s->schema, &txn, gt_bytes_of(empty_text, sizeof(empty_text)), &s->delta);
        gt_leaf leaf = {.key = gt_bytes_text("trace"),
                        .parents = &s->head,
                        .parent_count = 1,
                        .schema = s->schema,
                        .delta = gt_buf_bytes(&s->delta)};
        gt_id id;
        if (gt_capture_add(capture, &s->signer, &leaf, &id, &diag) != GOAT_OK) fail_with(&diag);
        s->head = id;
    }
    database->acting = s->space;
    if (gt_capture_finish(capture, &s->signer, GT_FROM_SELF, &diag) != GOAT_OK) fail_with(&diag);
    database->acting = NULL;
}

void measure_commits(const trace *t, const char *folder, trace_report *report) {
    trace_db o = trace_open(folder, 0, NULL);
    figure_memory_begin(report);
    double begin = now_s();
    goat_item_free(create(t, &o));
    flush(&o, GOAT_DURABLE_MEMORY);
    gt_db_lock(o.db);
    session s = begin_session(&o);
    for (uint32_t done = 0; done < t->patch_count; done += COMMITS_A_BATCH) {
        uint32_t left = t->patch_count - done;
        commit_some(&s, t->patches + done, left < COMMITS_A_BATCH ? left : COMMITS_A_BATCH);
    }
    gt_db_unlock(o.db);
    flush(&o, GOAT_DURABLE_DISK);
    double seconds = now_s() - begin;
    figure(report, "each edit a commit, 1,000 a batch", "s", target(t, 3), seconds);
    figure_memory(report, "each a commit: peak memory");
    bool equal = trace_compare(t, &o, "each edit a commit", report);
    gt_buf_free(&s.delta);
    trace_close(&o);
    figure(report, "each a commit: log", "MB", target(t, 45), trace_log_mb(folder));
    trace_measure_open(t, folder, "each a commit: ", target(t, 10), report);
    remark(report, "each edit a commit: %u commits, %s, %.2f s, %.2f us an edit", t->patch_count + 1,
           equal ? "ends in exactly endContent" : "ENDS OTHERWISE", seconds, seconds / t->patch_count * 1e6);
}
