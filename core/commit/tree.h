/* The Merkle tree of RFC 6962 section 2.1 over the leaves of one batch, fed from left to right with the
 * hashes of leaves or of whole subtrees. It keeps one hash per level and allocates nothing. */
#ifndef GT_COMMIT_TREE_H
#define GT_COMMIT_TREE_H

#include "commit/commit.h"

enum { GT_TREE_DEPTH_MAX = 17 }; /* hashes that wait for their right sibling, for GOAT_BATCH_MAX = 2^16 leaves */

typedef struct gt_subtree {
    uint32_t first, count; /* of its leaves */
    gt_id hash;
} gt_subtree;

typedef struct gt_tree {
    gt_hasher *hasher;
    uint32_t size; /* leaves in all */
    uint32_t next; /* leaves so far */
    uint32_t depth;
    gt_subtree waiting[GT_TREE_DEPTH_MAX + 1];
} gt_tree;

/* Whether the `count` leaves from `first` are exactly those below one node of the tree of `size` leaves. */
bool gt_tree_has(uint32_t size, uint32_t first, uint32_t count);

/* Whether the node at `first`, of `count` leaves, is the left child whose right sibling has `right_count`. */
bool gt_tree_siblings(uint32_t size, uint32_t first, uint32_t count, uint32_t right_count);

void gt_tree_join(gt_hasher *hasher, const gt_id *left, const gt_id *right, gt_id *hash);

void gt_tree_init(gt_tree *tree, gt_hasher *hasher, uint32_t size);

/* The next node; gt_tree_has() is true for it. */
void gt_tree_add(gt_tree *tree, uint32_t count, const gt_id *hash);

/* All leaves have been added. */
const gt_id *gt_tree_root(const gt_tree *tree);

#endif
