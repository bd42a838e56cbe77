/* Several sorted lists walked together: the elements of sets, or the keys of maps. An element and a key
 * are compared as they are encoded, which is the order in which they lie. Only for this module. */
#ifndef GT_MERGE_WALK_H
#define GT_MERGE_WALK_H

#include "base/buf.h"
#include "value/value.h"

enum { GT_WALK_MAX = 5 };

typedef struct gt_walk {
    unsigned count;
    bool is_map;
    struct {
        gt_iter iter;
        gt_bytes key, value; /* the next one; key.data NULL at the end. The value of an element is its own. */
    } lists[GT_WALK_MAX];
} gt_walk;

/* One place of the walk. */
typedef struct gt_walk_item {
    unsigned in;  /* the lists that have it, as bits */
    gt_bytes key; /* encoded */
    gt_bytes values[GT_WALK_MAX];
} gt_walk_item;

/* Begins at the front of sets, or of maps; data NULL is an empty one, and so is any other kind of value. */
gt_walk gt_walk_begin(bool is_map, const gt_bytes *lists, unsigned count);

/* False at the end. */
bool gt_walk_next(gt_walk *walk, gt_walk_item *item);

#endif
