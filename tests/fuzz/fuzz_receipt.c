/* The receipt decoder. What it takes is the one encoding of what it says: written anew from what was read it is the same
 * bytes, and with the leaves that can be left out left out it is the same receipt. */
#include "base/assert.h"
#include "commit/receipt.h"
#include "value/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static gt_hasher *make_hasher(void) {
    gt_hasher *hasher = NULL;
    GOAT_ASSERT(gt_crypto_init(NULL) == GOAT_OK);
    GOAT_ASSERT(gt_hasher_new(&gt_alloc_system, &hasher, NULL) == GOAT_OK);
    return hasher;
}

static const gt_place place = {.repository = {(const uint8_t *)"/data/goats", 11}};

static void write_id(gt_buf *out, const gt_id *id) {
    if (id == NULL) {
        gt_write_null(out);
    } else {
        gt_write_bytes(out, gt_bytes_of(id->bytes, GT_ID_SIZE));
    }
}

static void write_front(gt_buf *out, const gt_receipt *receipt, uint32_t nodes) {
    gt_write_array_head(out, 8);
    gt_write_int(out, 1);
    write_id(out, &receipt->session);
    gt_write_bytes(out, gt_bytes_of(receipt->log_id, GT_LOG_ID_SIZE));
    write_id(out, receipt->previous);
    gt_write_int(out, (int64_t)receipt->time_ms);
    gt_write_int(out, (int64_t)receipt->first);
    gt_write_bytes(out, gt_bytes_of(receipt->signature, GT_SIGNATURE_SIZE));
    gt_write_array_head(out, nodes);
}

static void write_subtree(gt_buf *out, uint32_t count, const gt_id *hash) {
    gt_write_array_head(out, 2);
    gt_write_int(out, count);
    write_id(out, hash);
}

static void write_leaf(gt_buf *out, const gt_receipt_node *leaf) {
    gt_run run;
    uint32_t runs = 0, entries = 0, end = 0;
    for (size_t at = 0; gt_receipt_run(leaf, &at, &run); runs++) {
        GOAT_ASSERT(run.count > 0 && (runs == 0 || run.first > end) && run.first + run.count <= GOAT_BATCH_MAX);
        end = run.first + run.count;
        entries += run.count;
    }
    GOAT_ASSERT(entries == leaf->entries && (runs == 0 || !leaf->admits_all));
    gt_write_array_head(out, 3);
    write_id(out, leaf->batch);
    if (leaf->admits_all) {
        gt_write_bool(out, true);
    } else {
        gt_write_array_head(out, 2 * (size_t)runs);
    }
    for (size_t at = 0; gt_receipt_run(leaf, &at, &run);) {
        gt_write_int(out, run.first);
        gt_write_int(out, run.count);
    }
    gt_buf_append(out, leaf->refused.data, leaf->refused.len);
}

static void try_identity(const gt_receipt *receipt) {
    gt_buf same;
    gt_buf_init(&same, &gt_alloc_system);
    write_front(&same, receipt, receipt->node_count);
    for (uint32_t i = 0; i < receipt->node_count; i++) {
        const gt_receipt_node *node = &receipt->nodes[i];
        if (node->bytes.data == NULL) {
            write_subtree(&same, node->count, &node->hash);
        } else {
            write_leaf(&same, node);
        }
    }
    GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(&same), receipt->bytes));
    gt_buf_free(&same);
}

/* The whole tree as one node that is left out. */
static void try_root(gt_hasher *hasher, const gt_receipt *receipt, gt_arena *arena) {
    gt_buf smaller;
    gt_receipt decoded;
    gt_buf_init(&smaller, &gt_alloc_system);
    write_front(&smaller, receipt, 1);
    write_subtree(&smaller, receipt->size, &receipt->root);
    GOAT_ASSERT(gt_receipt_decode(gt_buf_bytes(&smaller), arena, &decoded, NULL) == GOAT_OK);
    gt_receipt_hash(hasher, &place, &decoded);
    GOAT_ASSERT(gt_id_compare(&decoded.id, &receipt->id) == 0);
    gt_buf_free(&smaller);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static gt_hasher *hasher; /* made once: that takes longer than an input */
    static const uint8_t key[GT_PUBLIC_KEY_SIZE];
    gt_arena arena;
    gt_receipt receipt;
    gt_diag diag;
    if (hasher == NULL) hasher = make_hasher();
    gt_diag_init(&diag);
    gt_arena_init(&arena, &gt_alloc_system);
    if (gt_receipt_decode(gt_bytes_of(data, size), &arena, &receipt, &diag) == GOAT_OK) {
        gt_receipt_hash(hasher, &place, &receipt);
        GOAT_ASSERT(gt_receipt_verify(&place, &receipt, key, &gt_alloc_system, NULL) == GOAT_UNTRUSTED);
        try_identity(&receipt);
        try_root(hasher, &receipt, &arena);
    } else {
        GOAT_ASSERT(diag.position == GT_NO_POSITION || diag.position <= size);
    }
    gt_arena_free(&arena);
    return 0;
}
