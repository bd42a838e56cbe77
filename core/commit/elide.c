/* A smaller frame of the same batch. Leaves that go are joined as they come, like digits of a number that is
 * counted up: two siblings that go for the same reason become their parent at once. What has not found its
 * sibling when something else comes will not find it any more, because the right sibling would have to begin
 * there. So the frame is written in one pass, and counted in another beforehand, without hashing. */
#include "commit/batch.h"

#include "base/assert.h"
#include "commit/frame.h"
#include "commit/groups.h"
#include "commit/read.h"
#include "commit/tree.h"

typedef struct elision {
    gt_hasher *hasher; /* NULL: count only */
    gt_buf *out;       /* NULL: count only */
    uint32_t size;
    uint32_t node_count;
    gt_node_kind reason; /* of what waits */
    uint32_t depth;
    gt_subtree waiting[GT_TREE_DEPTH_MAX * 2]; /* left siblings of what comes, and behind them what is unpaired */
} elision;

static void write_elided(gt_buf *out, gt_node_kind reason, const gt_subtree *subtree) {
    uint8_t bytes[3 * GT_CBOR_HEAD_MAX + 2 + GT_ID_SIZE];
    size_t len = gt_put_head(bytes, GT_CBOR_ARRAY, 3);
    len += gt_put_head(bytes + len, GT_CBOR_UINT, (uint64_t)reason);
    len += gt_put_head(bytes + len, GT_CBOR_UINT, subtree->count);
    len += gt_put_head(bytes + len, GT_CBOR_BYTES, GT_ID_SIZE);
    memcpy(bytes + len, subtree->hash.bytes, GT_ID_SIZE);
    gt_buf_append(out, bytes, len + GT_ID_SIZE);
}

static void flush(elision *e) {
    e->node_count += e->depth;
    for (uint32_t i = 0; i < e->depth && e->out != NULL; i++) {
        write_elided(e->out, e->reason, &e->waiting[i]);
    }
    e->depth = 0;
}

static void leave_out(elision *e, gt_node_kind reason, const gt_subtree *subtree) {
    if (e->depth > 0 && e->reason != reason) {
        flush(e);
    }
    GOAT_ASSERT(e->depth < sizeof e->waiting / sizeof e->waiting[0]);
    e->reason = reason;
    e->waiting[e->depth++] = *subtree;
    while (e->depth > 1) {
        gt_subtree *right = &e->waiting[e->depth - 1], *left = right - 1;
        if (!gt_tree_siblings(e->size, left->first, left->count, right->count)) {
            break;
        }
        if (e->hasher != NULL) {
            gt_tree_join(e->hasher, &left->hash, &right->hash, &left->hash);
        }
        left->count += right->count;
        e->depth--;
    }
}

static void write_string(gt_buf *out, const void *bytes, size_t len) {
    uint8_t head[GT_CBOR_HEAD_MAX];
    gt_buf_append(out, head, gt_put_head(head, GT_CBOR_BYTES, len));
    gt_buf_append(out, bytes, len);
}

/* A leaf that stays; its salt is in front of its bytes. */
static void keep(elision *e, const gt_node *node) {
    flush(e);
    e->node_count++;
    if (e->out != NULL) {
        write_string(e->out, node->salt, GT_SALT_SIZE + node->bytes.len);
    }
}

static void prune(elision *e, const gt_node *node) {
    gt_id inner;
    flush(e);
    e->node_count++;
    if (e->out == NULL) {
        return;
    }
    if (node->kind == GT_NODE_PRUNED) {
        inner = *node->inner;
    } else {
        gt_commit_inner(e->hasher, node->salt, node->commit.payload, &inner);
    }
    uint8_t front[2];
    size_t len = gt_put_head(front, GT_CBOR_ARRAY, 3);
    len += gt_put_head(front + len, GT_CBOR_UINT, GT_NODE_PRUNED);
    gt_buf_append(e->out, front, len);
    write_string(e->out, inner.bytes, GT_ID_SIZE);
    write_string(e->out, node->commit.header.data, node->commit.header.len);
}

/* What becomes of a node; `reason` is that of its first leaf. */
static gt_node_kind outcome(const gt_node *node, uint8_t reason) {
    GOAT_ASSERT(reason <= GT_NODE_LEAF);
    switch (node->kind) {
    case GT_NODE_LEAF: return (gt_node_kind)reason;
    case GT_NODE_PRUNED: return reason == GT_NODE_HIDDEN || reason == GT_NODE_REFUSED ? (gt_node_kind)reason : node->kind;
    default: return node->kind;
    }
}

/* Fills in what becomes of each leaf. */
static void decide(const gt_batch *batch, const uint8_t *reasons, uint8_t *kinds) {
    for (uint32_t i = 0; i < batch->node_count; i++) {
        const gt_node *node = &batch->nodes[i];
        memset(kinds + node->first, (int)outcome(node, reasons[node->first]), node->count);
    }
}

static void run(elision *e, const gt_batch *batch, const uint8_t *kinds) {
    e->size = batch->size;
    for (uint32_t i = 0; i < batch->node_count; i++) {
        const gt_node *node = &batch->nodes[i];
        gt_node_kind kind = (gt_node_kind)kinds[node->first];
        if (kind == GT_NODE_LEAF) {
            keep(e, node);
        } else if (kind == GT_NODE_PRUNED) {
            prune(e, node);
        } else {
            leave_out(e, kind, &(gt_subtree){node->first, node->count, node->hash});
        }
    }
    flush(e);
}

static bool all_kept(const uint8_t *kinds, uint32_t size) {
    uint32_t leaf = 0;
    while (leaf < size && kinds[leaf] == GT_NODE_LEAF) {
        leaf++;
    }
    return leaf == size;
}

goat_status gt_batch_elide(gt_hasher *hasher, const gt_batch *batch, const uint8_t *reasons, gt_buf *frame,
                           gt_diag *diag) {
    const gt_alloc *alloc = frame->alloc;
    size_t begin = frame->len;
    goat_status status = GOAT_OK;
    uint8_t *kinds = gt_new(alloc, batch->size, 1);
    if (kinds == NULL) {
        return gt_no_memory(diag);
    }
    decide(batch, reasons, kinds);
    if (batch->leaf_groups != NULL && gt_groups_torn(batch, kinds)) {
        status = gt_fail(diag, GOAT_INVALID, "a leaf of a group is there and another was not asked for");
        goto done;
    }
    elision count = {.hasher = NULL}, write = {.hasher = hasher, .out = frame};
    run(&count, batch, kinds);
    gt_frame_write_front(frame, batch, all_kept(kinds, batch->size) ? NULL : &batch->root, count.node_count);
    run(&write, batch, kinds);
    if (gt_buf_failed(frame)) {
        frame->len = begin;
        status = gt_no_memory(diag);
    } else if (frame->len - begin > GT_FRAME_MAX) { /* a pruned leaf may be longer than it was */
        frame->len = begin;
        status = gt_fail(diag, GOAT_TOO_LARGE, "a batch of more than 64 MiB");
    }
done:
    gt_free(alloc, kinds);
    return status;
}
