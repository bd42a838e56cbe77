/* The order of a query's rows: a tree in which each node is an entry, balanced by weight (Adams 1993, with
 * the parameters of Hirai and Yamamoto 2011), so that the n-th entry and the number of an entry are found
 * in O(log n). Entries belong to the caller. */
#ifndef GT_QUERY_ORDER_H
#define GT_QUERY_ORDER_H

#include "base/bytes.h"

typedef struct gt_entry {
    struct gt_entry *left, *right;
    uint64_t prefix; /* of the sort key: where two differ, so does their order */
    uint32_t weight; /* entries in this subtree */
    uint32_t row;
    uint32_t len; /* of the sort key */
    uint8_t key[];
} gt_entry;

/* Below zero when `a` stands before `b`; never zero for two entries. */
typedef int (*gt_entry_compare)(const void *context, const gt_entry *a, const gt_entry *b);

typedef struct gt_order {
    gt_entry *root;
    gt_entry_compare compare;
    const void *context;
} gt_order;

uint32_t gt_order_count(const gt_order *order);
void gt_order_insert(gt_order *order, gt_entry *entry);                   /* not in it yet */
void gt_order_remove(gt_order *order, gt_entry *entry);                   /* in it */
gt_entry *gt_order_at(const gt_order *order, uint32_t position);          /* position < count */
uint32_t gt_order_position(const gt_order *order, const gt_entry *entry); /* in it */

/* How many entries `is_before` says yes to; it does so for a beginning of the order. */
uint32_t gt_order_lower_bound(const gt_order *order, bool (*is_before)(const void *context, const gt_entry *entry),
                              const void *context);

#endif
