/* The shape of the tree needs no memory of its own. With k the largest power of two below n, the left
 * child of n leaves is full, so a node is either full (2^j leaves, beginning at a multiple of 2^j) or it
 * reaches the right edge. The nodes that reach the edge begin where the binary digits of the size are cut
 * off, which is to say at a multiple of the smallest power of two that is not below their count. */
#include "commit/tree.h"

#include "base/assert.h"

static bool is_power_of_two(uint32_t n) { return n != 0 && (n & (n - 1)) == 0; }

/* The smallest power of two that is not below n, which is 1 to 2^31. */
static uint32_t power_above(uint32_t n) {
    uint32_t power = 1;
    while (power < n) {
        power *= 2;
    }
    return power;
}

bool gt_tree_has(uint32_t size, uint32_t first, uint32_t count) {
    if (count == 0 || first > size || count > size - first || size > GOAT_BATCH_MAX) {
        return false;
    }
    bool in_place = first % power_above(count) == 0;
    return in_place && (is_power_of_two(count) || first + count == size);
}

bool gt_tree_siblings(uint32_t size, uint32_t first, uint32_t count, uint32_t right_count) {
    uint32_t left = size - first - count;
    return is_power_of_two(count) && first % (2 * count) == 0 && right_count == (left < count ? left : count);
}

void gt_tree_join(gt_hasher *hasher, const gt_id *left, const gt_id *right, gt_id *hash) {
    uint8_t bytes[1 + 2 * GT_ID_SIZE] = {0x01};
    memcpy(bytes + 1, left->bytes, GT_ID_SIZE);
    memcpy(bytes + 1 + GT_ID_SIZE, right->bytes, GT_ID_SIZE);
    gt_hash(hasher, bytes, sizeof bytes, hash->bytes);
}

void gt_tree_init(gt_tree *tree, gt_hasher *hasher, uint32_t size) {
    tree->hasher = hasher;
    tree->size = size;
    tree->next = 0;
    tree->depth = 0;
}

void gt_tree_add(gt_tree *tree, uint32_t count, const gt_id *hash) {
    GOAT_ASSERT(gt_tree_has(tree->size, tree->next, count));
    GOAT_ASSERT(tree->depth <= GT_TREE_DEPTH_MAX);
    gt_subtree *top = &tree->waiting[tree->depth++];
    *top = (gt_subtree){tree->next, count, *hash};
    tree->next += count;
    for (; tree->depth > 1; tree->depth--, top--) {
        gt_subtree *left = top - 1;
        if (!gt_tree_siblings(tree->size, left->first, left->count, top->count)) {
            break;
        }
        gt_tree_join(tree->hasher, &left->hash, &top->hash, &left->hash);
        left->count += top->count;
    }
}

const gt_id *gt_tree_root(const gt_tree *tree) {
    GOAT_ASSERT(tree->next == tree->size);
    GOAT_ASSERT(tree->depth == 1);
    return &tree->waiting[0].hash;
}
