/* The hashes of a receipt and its signature, and making one (FORMAT.md section 9). */
#include "base/assert.h"
#include "commit/frame.h"
#include "commit/read.h"
#include "commit/receipt.h"
#include "commit/tree.h"

#define CONTEXT "goat.receipt.1"

enum {
    ID_LEN_MAX = 2 + GT_ID_SIZE,
    SIGNED_MAX =
        1 + 1 + sizeof(CONTEXT) + 3 * ID_LEN_MAX + 3 + GT_REPOSITORY_MAX + 1 + GT_LOG_ID_SIZE + 3 * GT_CBOR_HEAD_MAX,
    FRONT_MAX = 1 + 1 + 2 * ID_LEN_MAX + 1 + GT_LOG_ID_SIZE + 3 * GT_CBOR_HEAD_MAX + 2 + GT_SIGNATURE_SIZE,
};

static uint8_t *put_string(uint8_t *p, unsigned major, const void *bytes, size_t len) {
    p += gt_put_head(p, major, len);
    memcpy(p, bytes, len);
    return p + len;
}

static uint8_t *put_id(uint8_t *p, const gt_id *id) {
    if (id != NULL) return put_string(p, GT_CBOR_BYTES, id->bytes, GT_ID_SIZE);
    *p = GT_CBOR_NULL;
    return p + 1;
}

/* What the signed bytes and the record have in common. */
static uint8_t *put_place(uint8_t *p, const gt_receipt *receipt) {
    p = put_string(p, GT_CBOR_BYTES, receipt->log_id, GT_LOG_ID_SIZE);
    p = put_id(p, receipt->previous);
    p += gt_put_head(p, GT_CBOR_UINT, receipt->time_ms);
    return p + gt_put_head(p, GT_CBOR_UINT, receipt->first);
}

static size_t make_signed_bytes(const gt_place *place, const gt_receipt *receipt, uint8_t out[SIGNED_MAX]) {
    GOAT_ASSERT(place->repository.len <= GT_REPOSITORY_MAX);
    uint8_t *p = out;
    p += gt_put_head(p, GT_CBOR_ARRAY, 9);
    p = put_string(p, GT_CBOR_TEXT, CONTEXT, sizeof(CONTEXT) - 1);
    p = put_id(p, &place->network);
    p = put_string(p, GT_CBOR_TEXT, place->repository.data, place->repository.len);
    p = put_place(p, receipt);
    p += gt_put_head(p, GT_CBOR_UINT, receipt->size);
    p = put_id(p, &receipt->root);
    GOAT_ASSERT((size_t)(p - out) <= SIGNED_MAX);
    return (size_t)(p - out);
}

void gt_receipt_signed_bytes(const gt_place *place, const gt_receipt *receipt, gt_buf *out) {
    uint8_t bytes[SIGNED_MAX];
    gt_buf_append(out, bytes, make_signed_bytes(place, receipt, bytes));
}

static void set_id(gt_hasher *hasher, const gt_place *place, gt_receipt *receipt) {
    uint8_t bytes[SIGNED_MAX];
    gt_hash(hasher, bytes, make_signed_bytes(place, receipt, bytes), receipt->id.bytes);
}

static void hash_leaf(gt_hasher *hasher, gt_bytes leaf, gt_id *hash) {
    static const uint8_t prefix[] = {0x00};
    const gt_bytes pieces[] = {gt_bytes_of(prefix, sizeof(prefix)), leaf};
    gt_hash_pieces(hasher, pieces, 2, hash->bytes);
}

void gt_receipt_hash(gt_hasher *hasher, const gt_place *place, gt_receipt *receipt) {
    gt_tree tree;
    gt_tree_init(&tree, hasher, receipt->size);
    for (uint32_t i = 0; i < receipt->node_count; i++) {
        gt_receipt_node *node = &receipt->nodes[i];
        if (node->bytes.data != NULL) hash_leaf(hasher, node->bytes, &node->hash);
        gt_tree_add(&tree, node->count, &node->hash);
    }
    receipt->root = *gt_tree_root(&tree);
    set_id(hasher, place, receipt);
}

goat_status gt_receipt_verify(const gt_place *place, const gt_receipt *receipt, const uint8_t *public_key,
                              const gt_alloc *alloc, gt_diag *diag) {
    uint8_t bytes[SIGNED_MAX];
    (void)alloc;
    if (gt_verify(public_key, bytes, make_signed_bytes(place, receipt, bytes), receipt->signature)) return GOAT_OK;
    return gt_fail(diag, GOAT_UNTRUSTED, "the signature of a receipt does not hold");
}

/* ---- making one ---- */

void gt_receipt_draft_init(gt_receipt_draft *draft, const gt_alloc *alloc) {
    *draft = (gt_receipt_draft){.alloc = alloc};
    gt_buf_init(&draft->leaves, alloc);
    gt_buf_init(&draft->hashes, alloc);
}

void gt_receipt_draft_free(gt_receipt_draft *draft) {
    gt_buf_free(&draft->leaves);
    gt_buf_free(&draft->hashes);
    draft->count = 0;
}

static void append_head(gt_buf *out, unsigned major, uint64_t argument) {
    uint8_t head[GT_CBOR_HEAD_MAX];
    gt_buf_append(out, head, gt_put_head(head, major, argument));
}

static void write_leaf(gt_buf *out, const gt_id *batch, const gt_run *runs, size_t run_count) {
    append_head(out, GT_CBOR_ARRAY, 3);
    append_head(out, GT_CBOR_BYTES, GT_ID_SIZE);
    gt_buf_append(out, batch->bytes, GT_ID_SIZE);
    if (runs == NULL) {
        gt_buf_append_byte(out, GT_CBOR_TRUE);
    } else {
        append_head(out, GT_CBOR_ARRAY, 2 * (uint64_t)run_count);
    }
    for (size_t i = 0; runs != NULL && i < run_count; i++) {
        GOAT_ASSERT(runs[i].count > 0 && (i == 0 || runs[i].first > runs[i - 1].first + runs[i - 1].count));
        append_head(out, GT_CBOR_UINT, runs[i].first);
        append_head(out, GT_CBOR_UINT, runs[i].count);
    }
    append_head(out, GT_CBOR_ARRAY, 0); /* nothing is refused yet */
}

goat_status gt_receipt_draft_add(gt_receipt_draft *draft, gt_hasher *hasher, const gt_id *batch, const gt_run *runs,
                                 size_t run_count, gt_diag *diag) {
    size_t before = draft->leaves.len;
    gt_id hash;
    if (draft->count == GT_RECEIPT_LEAVES_MAX) return gt_fail(diag, GOAT_TOO_LARGE, "more than 4096 leaves");
    write_leaf(&draft->leaves, batch, runs, run_count);
    bool failed = gt_buf_failed(&draft->leaves);
    if (!failed && draft->leaves.len + FRONT_MAX > GT_RECEIPT_MAX) {
        draft->leaves.len = before;
        return gt_fail(diag, GOAT_TOO_LARGE, "a receipt of more than 16 MiB");
    }
    if (!failed) {
        hash_leaf(hasher, gt_bytes_behind(gt_buf_bytes(&draft->leaves), before), &hash);
        gt_buf_append(&draft->hashes, hash.bytes, GT_ID_SIZE);
        failed = gt_buf_failed(&draft->hashes);
    }
    if (failed) {
        draft->leaves.failed = draft->hashes.failed = false;
        draft->leaves.len = before;
        draft->hashes.len = (size_t)draft->count * GT_ID_SIZE;
        return gt_no_memory(diag);
    }
    draft->count++;
    return GOAT_OK;
}

goat_status gt_receipt_draft_finish(gt_receipt_draft *draft, gt_hasher *hasher, const gt_place *place,
                                    const gt_secret_key *key, gt_receipt *receipt, gt_buf *out, gt_diag *diag) {
    uint8_t bytes[SIGNED_MAX], front[FRONT_MAX], signature[GT_SIGNATURE_SIZE];
    size_t begin = out->len;
    gt_tree tree;
    GOAT_ASSERT(draft->count > 0);
    gt_tree_init(&tree, hasher, draft->count);
    for (uint32_t i = 0; i < draft->count; i++) {
        gt_tree_add(&tree, 1, (const gt_id *)(const void *)(draft->hashes.data + (size_t)i * GT_ID_SIZE));
    }
    receipt->root = *gt_tree_root(&tree);
    receipt->size = draft->count;
    set_id(hasher, place, receipt);
    gt_sign(key, bytes, make_signed_bytes(place, receipt, bytes), signature);

    uint8_t *p = front;
    p += gt_put_head(p, GT_CBOR_ARRAY, 8);
    p += gt_put_head(p, GT_CBOR_UINT, 1);
    p = put_id(p, &receipt->session);
    p = put_place(p, receipt);
    p = put_string(p, GT_CBOR_BYTES, signature, GT_SIGNATURE_SIZE);
    p += gt_put_head(p, GT_CBOR_ARRAY, draft->count);
    GOAT_ASSERT((size_t)(p - front) <= FRONT_MAX);
    gt_buf_append(out, front, (size_t)(p - front));
    gt_buf_append(out, draft->leaves.data, draft->leaves.len);
    if (!gt_buf_failed(out)) return GOAT_OK;
    out->len = begin;
    return gt_no_memory(diag);
}
