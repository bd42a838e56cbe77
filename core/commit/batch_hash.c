/* The hashes of a batch and its signature (FORMAT.md sections 5 and 6). Nothing is allocated for hashes. */
#include "commit/batch.h"

#include "base/assert.h"
#include "commit/frame.h"
#include "commit/read.h"
#include "commit/tree.h"

#define CONTEXT "goat.batch.1"

/* The signed bytes are `front`, the groups as they lie in the frame, `back`. */
typedef struct signed_bytes {
    uint8_t front[GT_SIGNED_FRONT_MAX], back[GT_SIGNED_BACK_MAX];
    size_t front_len, back_len;
} signed_bytes;

enum { ID_LEN_MAX = 2 + GT_ID_SIZE };
_Static_assert(1 + 1 + sizeof(CONTEXT) + (3 + GT_PREV_MAX) * ID_LEN_MAX + 2 + GT_REPOSITORY_MAX + GT_CBOR_HEAD_MAX + 1 <=
                   GT_SIGNED_FRONT_MAX,
               "everything before the groups fits");
_Static_assert(2 * GT_CBOR_HEAD_MAX + ID_LEN_MAX <= GT_SIGNED_BACK_MAX, "everything behind the groups fits");

static uint8_t *put_string(uint8_t *p, unsigned major, const void *bytes, size_t len) {
    p += gt_put_head(p, major, len);
    memcpy(p, bytes, len);
    return p + len;
}

static uint8_t *put_id(uint8_t *p, const gt_id *id) { return put_string(p, GT_CBOR_BYTES, id->bytes, GT_ID_SIZE); }

static uint8_t *put_chain(uint8_t *p, const gt_batch *batch) {
    size_t prev_len = (size_t)batch->prev.count * (2 + GT_ID_SIZE);
    GOAT_ASSERT(batch->prev.count <= GT_PREV_MAX);
    p += gt_put_head(p, GT_CBOR_UINT, batch->seq);
    p += gt_put_head(p, GT_CBOR_ARRAY, batch->prev.count);
    if (prev_len > 0) {
        memcpy(p, batch->prev.data, prev_len);
        p += prev_len;
    }
    if (batch->skip != NULL) {
        return put_id(p, batch->skip);
    }
    *p = GT_CBOR_NULL;
    return p + 1;
}

static void make_signed_bytes(const gt_place *place, const gt_batch *batch, signed_bytes *out) {
    GOAT_ASSERT(place->repository.len <= GT_REPOSITORY_MAX);
    uint8_t *p = out->front;
    p += gt_put_head(p, GT_CBOR_ARRAY, 11);
    p = put_string(p, GT_CBOR_TEXT, CONTEXT, sizeof CONTEXT - 1);
    p = put_id(p, &place->network);
    p = put_string(p, GT_CBOR_TEXT, place->repository.data, place->repository.len);
    p = put_id(p, &batch->session);
    p = put_chain(p, batch);
    out->front_len = (size_t)(p - out->front);

    p = out->back;
    p += gt_put_head(p, GT_CBOR_UINT, batch->flags);
    p += gt_put_head(p, GT_CBOR_UINT, batch->size);
    p = put_id(p, &batch->root);
    out->back_len = (size_t)(p - out->back);
}

void gt_batch_signed_bytes(const gt_place *place, const gt_batch *batch, gt_buf *out) {
    signed_bytes parts;
    make_signed_bytes(place, batch, &parts);
    gt_buf_append(out, parts.front, parts.front_len);
    gt_buf_append(out, batch->groups.data, batch->groups.len);
    gt_buf_append(out, parts.back, parts.back_len);
}

void gt_batch_set_id(gt_hasher *hasher, const gt_place *place, gt_batch *batch) {
    signed_bytes parts;
    make_signed_bytes(place, batch, &parts);
    const gt_bytes pieces[] = {gt_bytes_of(parts.front, parts.front_len), batch->groups,
                               gt_bytes_of(parts.back, parts.back_len)};
    gt_hash_pieces(hasher, pieces, 3, batch->id.bytes);
}

void gt_frame_write_front(gt_buf *out, const gt_batch *batch, const gt_id *root, uint32_t node_count) {
    uint8_t front[GT_SIGNED_FRONT_MAX], back[GT_SIGNED_BACK_MAX + GT_SIGNATURE_SIZE + ID_LEN_MAX];
    uint8_t *p = front;
    p += gt_put_head(p, GT_CBOR_ARRAY, 11);
    p += gt_put_head(p, GT_CBOR_UINT, 1);
    p = put_id(p, &batch->session);
    p = put_chain(p, batch);
    gt_buf_append(out, front, (size_t)(p - front));
    gt_buf_append(out, batch->groups.data, batch->groups.len);

    p = back;
    p += gt_put_head(p, GT_CBOR_UINT, batch->flags);
    p += gt_put_head(p, GT_CBOR_UINT, batch->size);
    if (root != NULL) {
        p = put_id(p, root);
    } else {
        *p++ = GT_CBOR_NULL;
    }
    p = put_string(p, GT_CBOR_BYTES, batch->signature, GT_SIGNATURE_SIZE);
    p += gt_put_head(p, GT_CBOR_ARRAY, node_count);
    gt_buf_append(out, back, (size_t)(p - back));
}

/* ---- the order of leaves ---- */

/* Where the search for an id begins. The root depends on all ids, so nobody can choose ids that meet. */
static uint32_t slot_of(const gt_batch *batch, const gt_id *id) {
    uint64_t hash = gt_get_u64(id->bytes) * (gt_get_u64(batch->root.bytes) | 1);
    return batch->lookup_bits == 0 ? 0 : (uint32_t)(hash >> (64 - batch->lookup_bits));
}

/* The slot that holds the node of that id, or the free one where it belongs. */
static uint32_t *find_slot(const gt_batch *batch, const gt_id *id) {
    uint32_t mask = ((uint32_t)1 << batch->lookup_bits) - 1;
    uint32_t slot = slot_of(batch, id);
    while (batch->lookup[slot] != 0 && gt_id_compare(&batch->nodes[batch->lookup[slot] - 1].hash, id) != 0) {
        slot = (slot + 1) & mask;
    }
    return &batch->lookup[slot];
}

static bool has_header(const gt_node *node) { return node->kind == GT_NODE_LEAF || node->kind == GT_NODE_PRUNED; }

static goat_status fill_lookup(const gt_batch *batch, gt_diag *diag) {
    memset(batch->lookup, 0, sizeof *batch->lookup << batch->lookup_bits);
    for (uint32_t i = 0; i < batch->node_count; i++) {
        if (!has_header(&batch->nodes[i])) {
            continue;
        }
        uint32_t *slot = find_slot(batch, &batch->nodes[i].hash);
        if (*slot != 0) {
            return gt_fail(diag, GOAT_INVALID, "leaves %u and %u of a batch are one commit",
                           (unsigned)batch->nodes[*slot - 1].first, (unsigned)batch->nodes[i].first);
        }
        *slot = i + 1;
    }
    return GOAT_OK;
}

static goat_status check_parents(const gt_batch *batch, uint32_t index, gt_diag *diag) {
    const gt_node *node = &batch->nodes[index];
    for (uint32_t i = 0; i < node->commit.parents.count; i++) {
        uint32_t found = *find_slot(batch, gt_ids_at(node->commit.parents, i));
        if (found == 0) {
            continue;
        }
        const gt_node *parent = &batch->nodes[found - 1];
        if (parent->first > node->first) {
            return gt_fail(diag, GOAT_INVALID, "leaf %u of a batch stands before its parent, leaf %u",
                           (unsigned)node->first, (unsigned)parent->first);
        }
        if (parent->commit.time >= node->commit.time) {
            return gt_fail(diag, GOAT_INVALID, "leaf %u of a batch is not later than its parent, leaf %u",
                           (unsigned)node->first, (unsigned)parent->first);
        }
    }
    return GOAT_OK;
}

static goat_status check_order(const gt_batch *batch, gt_diag *diag) {
    goat_status status = fill_lookup(batch, diag);
    for (uint32_t i = 0; i < batch->node_count && status == GOAT_OK; i++) {
        if (has_header(&batch->nodes[i])) {
            status = check_parents(batch, i, diag);
        }
    }
    return status;
}

goat_status gt_batch_hash(gt_hasher *hasher, const gt_place *place, gt_batch *batch, gt_diag *diag) {
    gt_tree tree;
    gt_tree_init(&tree, hasher, batch->size);
    for (uint32_t i = 0; i < batch->node_count; i++) {
        gt_node *node = &batch->nodes[i];
        gt_id inner;
        if (node->kind == GT_NODE_LEAF) {
            gt_commit_inner(hasher, node->salt, node->commit.payload, &inner);
            gt_commit_id(hasher, &batch->session, &inner, node->commit.header, &node->hash);
        } else if (node->kind == GT_NODE_PRUNED) {
            gt_commit_id(hasher, &batch->session, node->inner, node->commit.header, &node->hash);
        }
        gt_tree_add(&tree, node->count, &node->hash);
    }
    batch->root = *gt_tree_root(&tree);
    if (batch->given_root != NULL && gt_id_compare(&batch->root, batch->given_root) != 0) {
        return gt_fail(diag, GOAT_CORRUPT, "the root of a batch is not the hash of its leaves");
    }
    gt_batch_set_id(hasher, place, batch);
    return batch->lookup == NULL ? GOAT_OK : check_order(batch, diag);
}

goat_status gt_batch_verify(const gt_place *place, const gt_batch *batch, const uint8_t *public_key,
                            const gt_alloc *alloc, gt_diag *diag) {
    gt_buf message;
    goat_status status = GOAT_OK;
    gt_buf_init(&message, alloc);
    gt_batch_signed_bytes(place, batch, &message);
    if (gt_buf_failed(&message)) {
        status = gt_no_memory(diag);
    } else if (!gt_verify(public_key, message.data, message.len, batch->signature)) {
        status = gt_fail(diag, GOAT_UNTRUSTED, "the signature of a batch does not hold");
    }
    gt_buf_free(&message);
    return status;
}
