/* A weight-balanced tree: each subtree holds at most three times as many entries as its sibling, which
 * single and double rotations restore after one insertion or removal. Its height stays below 2.5 log2 n,
 * so the recursion here is at most 80 deep. */
#include "query/order.h"

#include "base/assert.h"

enum { DELTA = 3, GAMMA = 2 };

static uint32_t weight(const gt_entry *entry) { return entry == NULL ? 0 : entry->weight; }

static gt_entry *join(gt_entry *left, gt_entry *entry, gt_entry *right) {
    entry->left = left;
    entry->right = right;
    entry->weight = weight(left) + weight(right) + 1;
    return entry;
}

/* The parameters are for weights that count empty subtrees as one. */
static bool is_heavy(const gt_entry *a, const gt_entry *b, uint32_t factor) {
    return (uint64_t)weight(a) + 1 > (uint64_t)factor * ((uint64_t)weight(b) + 1);
}

/* Joins two subtrees of which one may have become too heavy by one entry. */
static gt_entry *balance(gt_entry *left, gt_entry *entry, gt_entry *right) {
    if (is_heavy(right, left, DELTA)) {
        gt_entry *inner = right->left, *outer = right->right;
        if (weight(inner) + 1 < GAMMA * (weight(outer) + 1)) {
            return join(join(left, entry, inner), right, outer);
        }
        gt_entry *a = inner->left, *b = inner->right;
        return join(join(left, entry, a), inner, join(b, right, outer));
    }
    if (is_heavy(left, right, DELTA)) {
        gt_entry *inner = left->right, *outer = left->left;
        if (weight(inner) + 1 < GAMMA * (weight(outer) + 1)) {
            return join(outer, left, join(inner, entry, right));
        }
        gt_entry *a = inner->left, *b = inner->right;
        return join(join(outer, left, a), inner, join(b, entry, right));
    }
    return join(left, entry, right);
}

static gt_entry *insert(const gt_order *order, gt_entry *at, gt_entry *entry) {
    if (at == NULL) return join(NULL, entry, NULL);
    int side = order->compare(order->context, entry, at);
    GOAT_ASSERT(side != 0);
    gt_entry *left = at->left, *right = at->right;
    return side < 0 ? balance(insert(order, left, entry), at, right) : balance(left, at, insert(order, right, entry));
}

static gt_entry *take_first(gt_entry *at, gt_entry **first) {
    if (at->left == NULL) {
        *first = at;
        return at->right;
    }
    gt_entry *right = at->right;
    return balance(take_first(at->left, first), at, right);
}

/* Two neighbouring subtrees as one. */
static gt_entry *glue(gt_entry *left, gt_entry *right) {
    if (right == NULL) return left;
    gt_entry *first;
    gt_entry *rest = take_first(right, &first);
    return balance(left, first, rest);
}

static gt_entry *take_out(const gt_order *order, gt_entry *at, const gt_entry *entry) {
    GOAT_ASSERT(at != NULL);
    if (at == entry) return glue(at->left, at->right);
    gt_entry *left = at->left, *right = at->right;
    return order->compare(order->context, entry, at) < 0 ? balance(take_out(order, left, entry), at, right)
                                                         : balance(left, at, take_out(order, right, entry));
}

uint32_t gt_order_count(const gt_order *order) { return weight(order->root); }

void gt_order_insert(gt_order *order, gt_entry *entry) { order->root = insert(order, order->root, entry); }

void gt_order_remove(gt_order *order, gt_entry *entry) { order->root = take_out(order, order->root, entry); }

gt_entry *gt_order_at(const gt_order *order, uint32_t position) {
    gt_entry *at = order->root;
    GOAT_ASSERT(position < weight(at));
    while (position != weight(at->left)) {
        if (position < weight(at->left)) {
            at = at->left;
        } else {
            position -= weight(at->left) + 1;
            at = at->right;
        }
    }
    return at;
}

uint32_t gt_order_position(const gt_order *order, const gt_entry *entry) {
    uint32_t position = 0;
    const gt_entry *at = order->root;
    while (at != entry) {
        GOAT_ASSERT(at != NULL);
        if (order->compare(order->context, entry, at) < 0) {
            at = at->left;
        } else {
            position += weight(at->left) + 1;
            at = at->right;
        }
    }
    return position + weight(at->left);
}

uint32_t gt_order_lower_bound(const gt_order *order, bool (*is_before)(const void *context, const gt_entry *entry),
                              const void *context) {
    uint32_t position = 0;
    for (const gt_entry *at = order->root; at != NULL;) {
        if (is_before(context, at)) {
            position += weight(at->left) + 1;
            at = at->right;
        } else {
            at = at->left;
        }
    }
    return position;
}
