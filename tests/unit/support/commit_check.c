#include "support/commit_check.h"

#include "support/test.h"

#include <stdlib.h>
#include <string.h>

void assert_same_bytes(gt_bytes a, gt_bytes b) {
    assert_int_equal(a.data == NULL, b.data == NULL);
    assert_true(gt_bytes_equal(a, b));
}

/* The draft that a decoded commit was made from; ids go to memory that the caller frees. */
static gt_commit_draft draft_of(const gt_commit *commit, gt_id **ids) {
    uint32_t count = commit->parents.count + commit->reverts.count;
    *ids = calloc(count + 1u, sizeof **ids);
    assert_non_null(*ids);
    for (uint32_t i = 0; i < count; i++) {
        bool is_parent = i < commit->parents.count;
        (*ids)[i] = is_parent ? *gt_ids_at(commit->parents, i) : *gt_ids_at(commit->reverts, i - commit->parents.count);
    }
    return (gt_commit_draft){
        .key = commit->key,
        .parents = *ids,
        .parent_count = commit->parents.count,
        .time = commit->time,
        .ns = commit->ns,
        .version = commit->version,
        .schema_hash = commit->schema_hash.data,
        .delta = commit->delta,
        .full = commit->full,
        .reverts = *ids + commit->parents.count,
        .revert_count = commit->reverts.count,
        .message = commit->message,
        .sealed = commit->sealed,
    };
}

static void assert_same_commit(const gt_commit *a, const gt_commit *b) {
    assert_same_bytes(a->header, b->header);
    assert_same_bytes(a->payload, b->payload);
    assert_same_bytes(a->key, b->key);
    assert_int_equal(a->parents.count, b->parents.count);
    assert_true(a->parents.data == b->parents.data);
    assert_true(a->time == b->time);
    assert_same_bytes(a->ns, b->ns);
    assert_int_equal(a->version, b->version);
    assert_same_bytes(a->schema_hash, b->schema_hash);
    assert_same_bytes(a->delta, b->delta);
    assert_int_equal(a->delta_is_state, b->delta_is_state);
    assert_same_bytes(a->full, b->full);
    assert_int_equal(a->reverts.count, b->reverts.count);
    assert_true(a->reverts.data == b->reverts.data);
    assert_same_bytes(a->message, b->message);
    assert_same_bytes(a->sealed, b->sealed);
}

gt_bytes exact_bytes(gt_bytes bytes) {
    uint8_t *copy = malloc(bytes.len > 0 ? bytes.len : 1);
    assert_non_null(copy);
    if (bytes.len > 0) {
        memcpy(copy, bytes.data, bytes.len);
    }
    return gt_bytes_of(copy, bytes.len);
}

void assert_canonical(gt_bytes bytes, const gt_commit *commit) {
    gt_commit view;
    gt_id *ids;
    gt_buf again;
    gt_commit_draft draft = draft_of(commit, &ids);
    gt_buf_init(&again, &gt_alloc_system);
    gt_commit_encode(&again, &draft);
    assert_true(gt_bytes_equal(gt_buf_bytes(&again), bytes));
    assert_true(gt_commit_view(bytes, &view));
    assert_same_commit(&view, commit);
    gt_buf_free(&again);
    free(ids);
}
