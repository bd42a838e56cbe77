/* What one author makes of a list: the elements that stand in it afterwards, in order, each one of the base or a new one.
 *
 * Elements that stand side by side before and after are one piece, so the cost is that of the edits, not of the list. An
 * edit says how an arrangement comes about; there may be several that say the same, and gt_arrangement_write() always
 * writes the one that moves the fewest, of those that its author did not move none. */
#ifndef GT_MERGE_ARRANGEMENT_H
#define GT_MERGE_ARRANGEMENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "merge/runs.h"

#define GT_PIECE_NEW UINT64_MAX

typedef struct gt_piece {
    uint64_t first; /* its index in the base; GT_PIECE_NEW: not of the base */
    uint64_t count;
    gt_bytes values; /* of new ones: one behind the other; else another value of the only one, or data NULL */
    bool moved;      /* its author moved it */
} gt_piece;

typedef struct gt_arrangement {
    const gt_alloc *alloc;
    gt_piece *pieces;
    size_t count, capacity;
    uint64_t base_count;
    bool failed; /* memory ran out */
} gt_arrangement;

void gt_arrangement_init(gt_arrangement *a, uint64_t base_count, const gt_alloc *alloc);
void gt_arrangement_free(gt_arrangement *a);

/* Puts a piece behind the others. */
void gt_arrangement_add(gt_arrangement *a, const gt_piece *piece);

/* What an edit makes of a list of `a->base_count` elements. Total: an element that is moved twice stands at the last place,
 * one that is moved and removed is removed, and of several values the last one stands. */
void gt_arrangement_of_edit(gt_arrangement *a, gt_bytes edit);

/* What comes of doing `second` to what `first` leaves; `a` has the base of `first`. */
void gt_arrangement_through(gt_arrangement *a, const gt_arrangement *first, const gt_arrangement *second);

/* Elements in all. */
uint64_t gt_arrangement_size(const gt_arrangement *a);

/* Gives up values that are those of the base, a list or data NULL, already. */
void gt_arrangement_simplify(gt_arrangement *a, gt_bytes base);

/* Appends the edit that makes it, or nothing if that changes nothing. */
void gt_arrangement_write(gt_arrangement *a, gt_buf *edit);

/* Appends the list that it makes of `base`. */
void gt_arrangement_apply(gt_arrangement *a, gt_bytes base, gt_buf *value);

#endif
