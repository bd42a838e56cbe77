/* The batch decoder. What it takes must be the one encoding of what it says: hashed, it is the same batch in
 * a view and after any elision. What begins as a map is tried as a commit instead. */
#include "base/assert.h"
#include "commit/batch.h"
#include "value/value.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gt_hasher *make_hasher(void) {
    gt_hasher *hasher = NULL;
    GOAT_ASSERT(gt_crypto_init(NULL) == GOAT_OK);
    GOAT_ASSERT(gt_hasher_new(&gt_alloc_system, &hasher, NULL) == GOAT_OK);
    return hasher;
}

static const gt_place place = {.repository = {(const uint8_t *)"/data/goats", 11}};

/* Every head of a value, by the functions that check nothing. */
static size_t touch(gt_bytes value) {
    gt_iter elements = gt_array_iter(value), pairs = gt_map_iter(value);
    gt_bytes key, inner;
    size_t sum = (size_t)gt_value_kind(value) + gt_value_count(value);
    while (gt_array_next(&elements, &inner)) {
        sum += touch(inner);
    }
    while (gt_map_next_pair(&pairs, &key, &inner)) {
        sum += touch(key) + touch(inner);
    }
    return sum;
}

static void try_commit(gt_bytes bytes) {
    gt_commit commit, view;
    gt_diag diag;
    gt_diag_init(&diag);
    bool viewed = gt_commit_view(bytes, &view);
    if (viewed && view.delta.data != NULL) {
        (void)touch(view.delta);
    }
    if (gt_commit_decode(bytes, &commit, &diag) == GOAT_OK) {
        GOAT_ASSERT(viewed);
        GOAT_ASSERT(view.delta_is_state == commit.delta_is_state);
        GOAT_ASSERT(gt_bytes_equal(view.delta, commit.delta));
        GOAT_ASSERT(commit.header.len + commit.payload.len == bytes.len);
    } else {
        GOAT_ASSERT(diag.position == GT_NO_POSITION || diag.position <= bytes.len);
    }
}

/* Leaves out what the batch's own bytes say, and reads what is left. */
static void try_elision(gt_hasher *hasher, const gt_batch *batch, gt_arena *arena) {
    gt_buf smaller, again;
    gt_batch decoded;
    uint8_t *reasons = malloc(batch->size);
    GOAT_ASSERT(reasons != NULL);
    for (uint32_t i = 0; i < batch->size; i++) {
        reasons[i] = batch->root.bytes[i % GT_ID_SIZE] % (GT_NODE_LEAF + 1);
    }
    gt_buf_init(&smaller, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    if (gt_batch_elide(hasher, batch, reasons, &smaller, NULL) == GOAT_OK) {
        GOAT_ASSERT(gt_batch_decode(gt_buf_bytes(&smaller), arena, &decoded, NULL) == GOAT_OK);
        GOAT_ASSERT(gt_batch_hash(hasher, &place, &decoded, NULL) == GOAT_OK);
        GOAT_ASSERT(gt_id_compare(&decoded.id, &batch->id) == 0);
        GOAT_ASSERT(gt_batch_elide(hasher, &decoded, reasons, &again, NULL) == GOAT_OK);
        GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(&again), gt_buf_bytes(&smaller)));
    }
    gt_buf_free(&again);
    gt_buf_free(&smaller);
    free(reasons);
}

/* Keeping everything writes the same bytes. */
static void try_identity(gt_hasher *hasher, const gt_batch *batch) {
    gt_buf same;
    uint8_t *reasons = malloc(batch->size);
    GOAT_ASSERT(reasons != NULL);
    memset(reasons, GT_NODE_LEAF, batch->size);
    gt_buf_init(&same, &gt_alloc_system);
    GOAT_ASSERT(gt_batch_elide(hasher, batch, reasons, &same, NULL) == GOAT_OK);
    GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(&same), batch->frame));
    gt_buf_free(&same);
    free(reasons);
}

static void try_batch(gt_hasher *hasher, gt_bytes frame) {
    gt_arena arena;
    gt_batch batch, view;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_arena_init(&arena, &gt_alloc_system);
    bool viewed = gt_batch_view(frame, &arena, &view, NULL) == GOAT_OK;
    for (uint32_t i = 0; viewed && i < view.node_count; i++) {
        if (view.nodes[i].commit.delta.data != NULL) {
            (void)touch(view.nodes[i].commit.delta);
        }
    }
    goat_status status = gt_batch_decode(frame, &arena, &batch, &diag);
    GOAT_ASSERT(status != GOAT_OK || viewed);
    GOAT_ASSERT(status == GOAT_OK || diag.position <= frame.len);
    if (status == GOAT_OK) {
        status = gt_batch_hash(hasher, &place, &batch, NULL);
        GOAT_ASSERT(gt_batch_hash(hasher, &place, &view, NULL) == (status == GOAT_INVALID ? GOAT_OK : status));
    }
    if (status == GOAT_OK) {
        GOAT_ASSERT(gt_id_compare(&batch.id, &view.id) == 0);
        try_identity(hasher, &batch);
        try_elision(hasher, &batch, &arena);
    }
    gt_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static gt_hasher *hasher; /* made once: that takes longer than an input */
    if (hasher == NULL) {
        hasher = make_hasher();
    }
    if (size > 0 && data[0] >> 5 == 5) {
        try_commit(gt_bytes_of(data, size));
    } else {
        try_batch(hasher, gt_bytes_of(data, size));
    }
    return 0;
}
