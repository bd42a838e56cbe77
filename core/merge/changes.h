/* What splices come to, one after the other: which elements of the base are left, and how many stand between them.
 *
 * A list of changes in the order of the text. Each has elements of the base that are kept, then so many that were inserted and
 * so many of the base that were removed, which is the order in which an edit has them (runs.h). No change is empty but
 * the last, which holds what is kept at the end; none but the first keeps nothing. */
#ifndef GT_MERGE_CHANGES_H
#define GT_MERGE_CHANGES_H

#include "base/alloc.h"

typedef struct gt_change {
    uint64_t kept, inserted, removed;
} gt_change;

typedef struct gt_changes {
    const gt_alloc *alloc;
    gt_change *list;
    size_t count, capacity;
    size_t near;         /* where the last splice was, for the next is often near */
    uint64_t near_begin; /* elements before it */
} gt_changes;

/* False when there is no memory. */
bool gt_changes_init(gt_changes *changes, const gt_alloc *alloc, uint64_t base_count);
void gt_changes_free(gt_changes *changes);

/* Makes room, so that the next splice cannot fail. False when there is no memory. */
bool gt_changes_reserve(gt_changes *changes);

/* At `position` of what there is now, which has so many elements: `removed` go, and `inserted` come. */
void gt_changes_splice(gt_changes *changes, uint64_t position, uint64_t removed, uint64_t inserted);

static inline bool gt_changes_are_none(const gt_changes *changes) { return changes->count == 1; }

#endif
