/* The Merkle tree of RFC 6962 section 2.1, word for word. */
#ifndef NAIVE_TREE_H
#define NAIVE_TREE_H

#include "commit/commit.h"

gt_id naive_tree(gt_hasher *hasher, const gt_id *leaves, uint32_t n);

#endif
