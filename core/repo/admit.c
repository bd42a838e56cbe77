/* Admission: from a frame of somebody else's, or of the log, to rows of the graph.
 *
 * A leaf is taken when its parents are known, and with it the leaves of its transaction; what is left
 * of the frame is parked in memory (never in the log) until the parents come. So the log holds
 * parents before children, unless it was damaged. */
#include "base/arena.h"
#include "base/assert.h"
#include "repo/tables.h"

enum { TAKE_KNOWN, TAKE_NOW, TAKE_LATER }; /* what becomes of a leaf */

typedef struct admission {
    gt_repo *repo;
    gt_batch *batch;
    gt_index leaves; /* commit id → node, of the leaves in the batch */
    uint8_t *take;   /* by leaf */
    uint8_t *group_waits;
    uint32_t now, later;
} admission;

static uint32_t find_leaf(const admission *a, const gt_id *id) {
    gt_index_cursor cursor;
    uint32_t node = gt_index_first(&a->leaves, gt_id_hash(a->repo, id), &cursor);
    while (node != GT_INDEX_NONE && gt_id_compare(&a->batch->nodes[node].hash, id) != 0) {
        node = gt_index_next(&a->leaves, &cursor);
    }
    return node;
}

/* Whether a parent is there: known, or an earlier leaf of this batch that is taken now. */
static goat_status look_for_parent(const admission *a, const gt_node *node, const gt_id *id, bool *there,
                                   gt_diag *diag) {
    gt_bytes key;
    gt_time time;
    uint32_t row = gt_find_commit(a->repo, id);
    uint32_t leaf = row != GT_NONE ? GT_INDEX_NONE : find_leaf(a, id);
    *there = row != GT_NONE;
    if (row != GT_NONE) {
        key = gt_repo_key(a->repo, gt_commit_at(a->repo, row)->item);
        time = gt_commit_at(a->repo, row)->time;
    } else if (leaf != GT_INDEX_NONE && a->batch->nodes[leaf].first < node->first) {
        const gt_node *other = &a->batch->nodes[leaf];
        key = other->commit.key;
        time = other->commit.time;
        *there = a->take[other->first] != TAKE_LATER;
    } else {
        return GOAT_OK;
    }
    if (!gt_bytes_equal(key, node->commit.key)) return gt_fail(diag, GOAT_INVALID, "a commit's parent is of another item");
    if (time >= node->commit.time) return gt_fail(diag, GOAT_INVALID, "a commit is not later than its parent");
    return GOAT_OK;
}

static goat_status look_at_leaf(admission *a, const gt_node *node, gt_diag *diag) {
    uint32_t known = gt_find_commit(a->repo, &node->hash);
    if (known != GT_NONE) {
        const gt_commit_row *row = gt_commit_at(a->repo, known);
        if (row->leaf != node->first || gt_id_compare(&gt_batch_at(a->repo, row->batch)->id, &a->batch->id) != 0) {
            return gt_fail(diag, GOAT_INVALID, "a commit stands in two places");
        }
        a->take[node->first] = TAKE_KNOWN;
        return GOAT_OK;
    }
    uint32_t group = gt_batch_group_of(a->batch, node->first);
    uint8_t take = group != UINT32_MAX && a->group_waits[group] ? TAKE_LATER : TAKE_NOW;
    for (uint32_t i = 0; i < node->commit.parents.count; i++) {
        bool there;
        goat_status status = look_for_parent(a, node, gt_ids_at(node->commit.parents, i), &there, diag);
        if (status != GOAT_OK) return status;
        if (!there) take = TAKE_LATER;
    }
    if (take == TAKE_LATER && group != UINT32_MAX) a->group_waits[group] = 1;
    a->take[node->first] = take;
    return GOAT_OK;
}

/* Leaves that follow one that waits do too, and a transaction waits as a whole: the rounds end when none
 * makes another leaf wait. */
static goat_status decide(admission *a, gt_diag *diag) {
    for (uint32_t before = UINT32_MAX; before != a->later;) {
        before = a->later;
        a->now = a->later = 0;
        for (uint32_t i = 0; i < a->batch->node_count; i++) {
            const gt_node *node = &a->batch->nodes[i];
            if (node->kind != GT_NODE_LEAF) continue;
            goat_status status = look_at_leaf(a, node, diag);
            if (status != GOAT_OK) return status;
            a->later += a->take[node->first] == TAKE_LATER;
            a->now += a->take[node->first] == TAKE_NOW;
        }
    }
    return GOAT_OK;
}

static goat_status begin_admission(admission *a, gt_repo *repo, gt_batch *batch, gt_diag *diag) {
    *a = (admission){.repo = repo, .batch = batch, .take = gt_new(repo->alloc, batch->size, 1)};
    a->group_waits = gt_new(repo->alloc, batch->size, 1);
    gt_index_init(&a->leaves, repo->alloc);
    bool failed = a->take == NULL || a->group_waits == NULL;
    for (uint32_t i = 0; !failed && i < batch->node_count; i++) {
        const gt_node *node = &batch->nodes[i];
        if (node->kind != GT_NODE_LEAF) continue;
        if (find_leaf(a, &node->hash) != GT_INDEX_NONE) return gt_fail(diag, GOAT_INVALID, "a commit stands twice");
        failed = !gt_index_insert(&a->leaves, gt_id_hash(repo, &node->hash), i);
    }
    return failed ? gt_no_memory(diag) : GOAT_OK;
}

static void end_admission(admission *a) {
    gt_index_free(&a->leaves);
    gt_free(a->repo->alloc, a->take);
    gt_free(a->repo->alloc, a->group_waits);
}

goat_status gt_park(gt_repo *repo, gt_bytes frame, uint64_t offset, gt_origin origin, gt_diag *diag) {
    if (frame.len > GT_PARKED_BYTES_MAX) return gt_fail(diag, GOAT_TOO_LARGE, "a batch that must wait is too large");
    gt_parked *parked = gt_new(repo->alloc, 1, sizeof(*parked) + frame.len);
    if (parked == NULL) return gt_no_memory(diag);
    parked->offset = offset;
    parked->origin = origin;
    parked->len = frame.len;
    memcpy(parked->frame, frame.data, frame.len);
    gt_parked **end = &repo->parked;
    while (*end != NULL) end = &(*end)->next;
    *end = parked;
    repo->parked_bytes += frame.len;
    repo->parked_count++;
    while (repo->parked_bytes > GT_PARKED_BYTES_MAX) gt_parked_drop(repo, &repo->parked);
    return GOAT_OK;
}

void gt_parked_drop(gt_repo *repo, gt_parked **at) {
    gt_parked *parked = *at;
    *at = parked->next;
    repo->parked_bytes -= parked->len;
    repo->parked_count--;
    gt_free(repo->alloc, parked);
}

uint32_t gt_repo_parked_count(const gt_repo *repo) { return repo->parked_count; }

/* Logs the leaves that are taken now: the frame as it is, or with the others elided. */
static goat_status log_frame(admission *a, gt_record *record, gt_diag *diag) {
    gt_repo *repo = a->repo;
    bool whole = true;
    for (uint32_t i = 0; i < a->batch->node_count; i++) {
        const gt_node *node = &a->batch->nodes[i];
        if (node->kind == GT_NODE_LEAF && a->take[node->first] != TAKE_NOW) whole = false;
    }
    if (whole) return gt_log_append(repo->log, GT_RECORD_BATCH, a->batch->frame, record, diag);
    gt_buf frame;
    gt_buf_init(&frame, repo->alloc);
    for (uint32_t leaf = 0; leaf < a->batch->size; leaf++) {
        a->take[leaf] = a->take[leaf] == TAKE_NOW ? GT_NODE_LEAF : GT_NODE_HAD;
    }
    goat_status status = gt_batch_elide(repo->config.hasher, a->batch, a->take, &frame, diag);
    for (uint32_t leaf = 0; leaf < a->batch->size; leaf++) {
        a->take[leaf] = a->take[leaf] == GT_NODE_LEAF ? TAKE_NOW : TAKE_LATER;
    }
    if (status == GOAT_OK) status = gt_log_append(repo->log, GT_RECORD_BATCH, gt_buf_bytes(&frame), record, diag);
    gt_buf_free(&frame);
    return status;
}

/* The rows of the leaves taken now, whose bytes lie in `record`. */
goat_status gt_admit_leaves(gt_repo *repo, const gt_batch *batch, const gt_record *record, const uint8_t *take,
                            uint8_t taken, gt_origin origin, gt_diag *diag) {
    gt_arena arena;
    gt_arena_init(&arena, repo->alloc);
    gt_batch logged;
    goat_status status = gt_batch_view(record->payload, &arena, &logged, diag);
    uint32_t row = status == GOAT_OK ? gt_chain_add(repo, batch, record->offset) : GT_NONE;
    if (status == GOAT_OK && row == GT_NONE) status = gt_no_memory(diag);
    uint32_t from = 0; /* both lists of nodes are ordered by leaf */
    for (uint32_t i = 0; status == GOAT_OK && i < logged.node_count; i++) {
        const gt_node *node = &logged.nodes[i];
        if (node->kind != GT_NODE_LEAF || (take != NULL && take[node->first] != taken)) continue;
        while (batch->nodes[from].first != node->first) from++;
        uint64_t offset = record->offset + (uint64_t)(node->bytes.data - record->payload.data);
        status = gt_graph_add(repo, row, node->first, &batch->nodes[from].hash, &node->commit, offset,
                              (uint32_t)node->bytes.len, origin, diag);
    }
    gt_arena_free(&arena);
    return status;
}

goat_status gt_admit_batch(gt_repo *repo, gt_batch *batch, const gt_record *where, gt_origin origin,
                           gt_admission *outcome, gt_diag *diag) {
    admission a;
    goat_status status = begin_admission(&a, repo, batch, diag);
    if (status == GOAT_OK) status = decide(&a, diag);
    goat_status chain = status == GOAT_OK ? gt_chain_check(repo, batch, diag) : GOAT_OK;
    if (chain == GOAT_NOT_FOUND) { /* a gap in our own log is no barrier; a peer's batch waits */
        if (diag != NULL) gt_diag_init(diag);
        if (where == NULL) {
            a.later += a.now;
            a.now = 0;
        }
    } else if (status == GOAT_OK) {
        status = chain;
    }
    gt_record record;
    if (status == GOAT_OK && a.now > 0) {
        if (where != NULL) record = *where;
        if (where == NULL) status = log_frame(&a, &record, diag);
        if (status == GOAT_OK) status = gt_admit_leaves(repo, batch, &record, a.take, TAKE_NOW, origin, diag);
        if (status == GOAT_NO_MEMORY) gt_repo_fail(repo, status, "memory ran out while a batch was taken in");
    }
    if (status == GOAT_OK && a.later > 0) {
        status = gt_park(repo, batch->frame, where != NULL ? where->offset : GT_NO_POSITION, origin, diag);
    }
    if (status == GOAT_OK) *outcome = a.later > 0 ? GT_PARKED : a.now > 0 ? GT_ADMITTED : GT_KNOWN;
    end_admission(&a);
    return status;
}

/* Tries what is parked again, until a whole round brings nothing new. */
void gt_admit_retry(gt_repo *repo) {
    bool progress = true;
    while (progress && repo->parked != NULL) {
        progress = false;
        gt_parked *waiting = repo->parked;
        repo->parked = NULL;
        repo->parked_bytes = 0;
        repo->parked_count = 0;
        while (waiting != NULL) {
            gt_parked *parked = waiting;
            waiting = parked->next;
            gt_admission outcome = GT_KNOWN;
            uint32_t before = repo->commits.count;
            gt_admit_frame(repo, gt_bytes_of(parked->frame, parked->len), parked->offset, parked->origin, &outcome,
                           NULL, NULL);
            progress = progress || repo->commits.count > before;
            gt_free(repo->alloc, parked);
        }
    }
}

goat_status gt_admit_frame(gt_repo *repo, gt_bytes frame, uint64_t offset, gt_origin origin, gt_admission *outcome,
                           gt_id *id, gt_diag *diag) {
    gt_arena arena;
    gt_batch batch;
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    gt_arena_init(&arena, repo->alloc);
    goat_status status = gt_batch_decode(frame, &arena, &batch, diag);
    if (status == GOAT_OK) status = gt_batch_hash(repo->config.hasher, &repo->place, &batch, diag);
    if (status == GOAT_OK) {
        status = repo->config.hooks.find_key(repo->config.hooks.context, &batch, public_key, diag);
    }
    if (status == GOAT_OK) status = gt_batch_verify(&repo->place, &batch, public_key, repo->alloc, diag);
    if (status == GOAT_OK && id != NULL) *id = batch.id;
    gt_record where = {.type = GT_RECORD_BATCH, .offset = offset};
    if (offset != GT_NO_POSITION) where.payload = gt_log_at(repo->log, offset, frame.len);
    if (status == GOAT_OK) {
        status = gt_admit_batch(repo, &batch, offset != GT_NO_POSITION ? &where : NULL, origin, outcome, diag);
    }
    gt_arena_free(&arena);
    return status;
}

goat_status gt_repo_admit(gt_repo *repo, gt_bytes frame, gt_admission *outcome, gt_id *batch, gt_diag *diag) {
    if (repo->phase != GT_REPO_OPEN) return gt_fail(diag, GOAT_LOADING, "the repository is still opening");
    if (repo->config.read_only) return gt_fail(diag, GOAT_FORBIDDEN, "the database is open for reading only");
    goat_status status = gt_admit_frame(repo, frame, GT_NO_POSITION, GT_FROM_PEER, outcome, batch, diag);
    if (status == GOAT_OK && *outcome != GT_KNOWN) gt_admit_retry(repo);
    if (status != GOAT_OK) gt_diag_path(diag, repo->path, strlen(repo->path));
    return status;
}
