#define _GNU_SOURCE
#include "replicas.h"

#include "../sync/pipe.h"
#include "db/links.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

static const char key[] = "trace";

static void *many(size_t count, size_t size) {
    void *made = calloc(count + 1, size);
    if (made == NULL) trace_fail("no memory for replicas");
    return made;
}

static gt_repo *repo_of(const replica *one) { return one->o.repo->space->mount->repo; }

static void ended(goat_status status, const gt_diag *diag, const char *what) {
    if (status != GOAT_OK) trace_fail("%s: %s", what, diag->message);
}

/* ---- life ---- */

static void read_root_key(goat_db *db, uint8_t root_key[32]) {
    goat_error *error = NULL;
    goat_buf info = {0};
    gt_bytes root;
    check(goat_db_info(db, &info, &error), error, "info");
    gt_bytes value = gt_map_find(gt_bytes_of(info.data, info.size), gt_bytes_text("root"));
    if (!gt_value_as_bytes(value, &root) || root.len != 32) trace_fail("a database does not name its root");
    memcpy(root_key, root.data, 32);
    goat_buf_free(&info);
}

static void open_replica(const replicas *r, replica *one, const char *folder, const uint8_t *root_key) {
    memset(one, 0, sizeof(*one));
    snprintf(one->folder, sizeof(one->folder), "%s", folder);
    one->o = trace_open(folder, 0, root_key);
    one->log_offset = GT_LOG_HEADER_SIZE;
    one->knows = many(r->trace->agents, sizeof(*one->knows));
    one->pending = many(REPLICA_BATCH, sizeof(*one->pending));
}

/* The first has the root key of them all. */
static void certify(const replica *first, const replica *other) {
    gt_diag diag;
    gt_diag_init(&diag);
    const gt_identity *own = &other->o.repo->space->mount->database->own;
    gt_db_lock(first->o.db);
    ended(gt_certify_anonymous(first->o.repo->space->mount->database, own->public_key, &diag), &diag, "certify");
    gt_db_unlock(first->o.db);
}

void replica_join(const replicas *r, replica *one, const char *folder) {
    open_replica(r, one, folder, r->root_key);
    pipe_sync(one->o.db, r->list[0].o.db);
}

void replicas_open(replicas *r, const trace *t, const char *folder) {
    char own[256];
    *r = (replicas){.trace = t};
    r->list = many(t->agents, sizeof(*r->list));
    r->frames = many(t->txn_count, sizeof(*r->frames));
    r->ids = many(t->txn_count, sizeof(*r->ids));
    r->frame_of = many(t->txn_count, sizeof(*r->frame_of));
    for (uint32_t i = 0; i < t->agents; i++) {
        snprintf(own, sizeof(own), "%s/agent-%u", folder, i);
        open_replica(r, &r->list[i], own, i == 0 ? NULL : r->root_key);
        if (i == 0) read_root_key(r->list[0].o.db, r->root_key);
    }
    for (uint32_t i = 1; i < t->agents; i++) certify(&r->list[0], &r->list[i]);
    for (uint32_t i = 1; i < t->agents; i++) pipe_sync(r->list[i].o.db, r->list[0].o.db);
}

void replica_leave(replica *one) {
    trace_close(&one->o);
    free(one->knows);
    free(one->pending);
}

void replicas_close(replicas *r) {
    for (uint32_t i = 0; i < r->trace->agents; i++) {
        replica_leave(&r->list[i]);
    }
    for (uint32_t i = 0; i < r->frame_count; i++) {
        free(r->frames[i].bytes);
        free(r->frames[i].after);
    }
    free(r->list);
    free(r->frames);
    free(r->ids);
    free(r->frame_of);
}

/* ---- writing ---- */

static gt_signer signer_of(const replica *one) {
    gt_mount *mount = one->o.repo->space->mount;
    return gt_signer_of(mount->database, mount);
}

/* What this replica has written since is a batch, and so a frame for the others. */
static void keep_frame(replicas *r, uint32_t agent) {
    replica *one = &r->list[agent];
    gt_signer signer = signer_of(one);
    gt_record record;
    while (gt_log_next(gt_repo_log(repo_of(one)), &one->log_offset, false, &record) == GOAT_OK) {
        gt_arena arena;
        gt_batch batch;
        gt_diag diag;
        if (record.type != GT_RECORD_BATCH) continue;
        gt_arena_init(&arena, &gt_alloc_system);
        ended(gt_batch_view(record.payload, &arena, &batch, &diag), &diag, "a frame");
        bool own = gt_id_compare(&batch.session, &signer.session) == 0;
        gt_arena_free(&arena);
        if (!own) continue;
        frame *kept = &r->frames[r->frame_count];
        *kept = (frame){.agent = agent,
                        .after = many(r->trace->agents, sizeof(*kept->after)),
                        .bytes = many(record.payload.len, 1),
                        .len = record.payload.len};
        memcpy(kept->after, one->knows, r->trace->agents * sizeof(*kept->after));
        memcpy(kept->bytes, record.payload.data, kept->len);
        one->knows[agent] = ++r->frame_count;
    }
}

static void capture(replicas *r, uint32_t agent) {
    replica *one = &r->list[agent];
    if (one->capture == NULL) return;
    gt_database *database = one->o.repo->space->mount->database;
    gt_signer signer = signer_of(one);
    gt_diag diag;
    gt_diag_init(&diag);
    uint32_t number = r->frame_count, count = gt_capture_count(one->capture);
    gt_db_lock(one->o.db);
    database->acting = one->o.repo->space;
    ended(gt_capture_finish(one->capture, &signer, GT_FROM_SELF, &diag), &diag, "capture");
    database->acting = NULL;
    keep_frame(r, agent);
    gt_db_unlock(one->o.db);
    one->capture = NULL;
    for (uint32_t i = 0; i < count; i++) r->frame_of[one->pending[i]] = number;
}

static int by_id(const void *a, const void *b) { return gt_id_compare(a, b); }

/* The text that the author of a transaction sees: only needed where there are several patches. */
static gt_bytes text_before(replicas *r, const trace_txn *txn, const gt_id *parents, gt_buf *state) {
    static const uint8_t empty_text[] = {0x60};
    gt_diag diag;
    if (txn->parent_count == 0) return (gt_bytes){0};
    if (txn->patch_count < 2) return gt_bytes_of(empty_text, sizeof(empty_text));
    capture(r, txn->agent);
    gt_repo *repo = repo_of(&r->list[txn->agent]);
    uint32_t item = gt_repo_find(repo, gt_bytes_text(key));
    ended(gt_repo_view_at(repo, item, parents, txn->parent_count, state, &diag), &diag, "a view");
    return gt_map_find(gt_buf_bytes(state), gt_bytes_text("text"));
}

static void commit(replicas *r, uint32_t number) {
    const trace_txn *txn = &r->trace->txns[number];
    replica *one = &r->list[txn->agent];
    const gt_schema *schema = gt_registry_find(one->o.repo->space->mount->database->schemas, gt_bytes_text("text"), 1);
    gt_signer signer = signer_of(one);
    gt_id parents[GT_PARENTS_MAX];
    gt_buf delta, state;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_init(&delta, &gt_alloc_system);
    gt_buf_init(&state, &gt_alloc_system);
    if (txn->parent_count > GT_PARENTS_MAX) trace_fail("txn %u has too many parents", number);
    for (uint32_t i = 0; i < txn->parent_count; i++) parents[i] = r->ids[txn->parents[i]];
    qsort(parents, txn->parent_count, sizeof(*parents), by_id);
    trace_delta(schema, txn, text_before(r, txn, parents, &state), &delta);
    gt_leaf leaf = {.key = gt_bytes_text(key),
                    .parents = parents,
                    .parent_count = txn->parent_count,
                    .schema = schema,
                    .delta = gt_buf_bytes(&delta)};
    if (one->capture == NULL) ended(gt_capture_begin(repo_of(one), &one->capture, &diag), &diag, "capture");
    ended(gt_capture_add(one->capture, &signer, &leaf, &r->ids[number], &diag), &diag, "a commit");
    r->frame_of[number] = UINT32_MAX;
    one->pending[gt_capture_count(one->capture) - 1] = number;
    if (gt_capture_count(one->capture) == REPLICA_BATCH) capture(r, txn->agent);
    gt_buf_free(&delta);
    gt_buf_free(&state);
}

/* ---- receiving ---- */

gt_admission replica_admit(replica *one, const frame *f) {
    gt_admission outcome;
    gt_id batch;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_db_lock(one->o.db);
    ended(gt_repo_admit(repo_of(one), gt_bytes_of(f->bytes, f->len), &outcome, &batch, &diag), &diag, "a frame");
    gt_db_unlock(one->o.db);
    return outcome;
}

void replica_look(replica *one) {
    goat_error *error = NULL;
    goat_buf changes = {0}, text = {0};
    check(goat_db_advance(one->o.db, &changes, &error), error, "advance");
    goat_item *item = trace_item(&one->o);
    check(goat_item_get_text(item, "text", 4, &text, &error), error, "text");
    goat_item_free(item);
    goat_buf_free(&changes);
    goat_buf_free(&text);
}

/* A frame, and before it what its author knew. */
static void receive(replicas *r, replica *one, uint32_t number) {
    const frame *wanted = &r->frames[number];
    uint32_t first = number;
    for (uint32_t i = 0; i < r->trace->agents; i++) first = one->knows[i] < first ? one->knows[i] : first;
    for (uint32_t i = first; i <= number; i++) {
        const frame *f = &r->frames[i];
        if (i < one->knows[f->agent] || (f->agent != wanted->agent && i >= wanted->after[f->agent])) continue;
        if (replica_admit(one, f) == GT_PARKED) trace_fail("frame %u comes before what it follows", i);
        one->knows[f->agent] = i + 1;
    }
}

static void receive_parents(replicas *r, uint32_t number) {
    const trace_txn *txn = &r->trace->txns[number];
    replica *one = &r->list[txn->agent];
    for (uint32_t i = 0; i < txn->parent_count; i++) {
        uint32_t parent = txn->parents[i], author = r->trace->txns[parent].agent;
        if (author == txn->agent) continue;
        if (r->frame_of[parent] == UINT32_MAX) capture(r, author);
        if (r->frame_of[parent] < one->knows[author]) continue;
        capture(r, txn->agent);
        double begin = now_s();
        receive(r, one, r->frame_of[parent]);
        replica_look(one);
        one->merge_s += now_s() - begin;
        one->merges++;
    }
}

void replicas_replay(replicas *r) {
    const trace *t = r->trace;
    for (uint32_t i = 0; i < t->txn_count; i++) {
        if (t->txns[i].agent >= t->agents) trace_fail("txn %u has an agent too many", i);
        receive_parents(r, i);
        commit(r, i);
    }
    for (uint32_t i = 0; i < t->agents; i++) capture(r, i);
    for (uint32_t i = 0; i < t->agents; i++) {
        for (uint32_t j = 0; j < r->frame_count; j++) {
            if (j >= r->list[i].knows[r->frames[j].agent]) receive(r, &r->list[i], j);
        }
        replica_look(&r->list[i]);
    }
}
