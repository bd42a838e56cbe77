/* A hash index over rows that lie elsewhere: hash → row number, open addressing, linear probing.
 * It stores no keys; the caller compares. Its slots are plain numbers, so a checkpoint holds them as
 * they are and gt_index_adopt uses them in place. */
#ifndef GT_BASE_INDEX_H
#define GT_BASE_INDEX_H

#include "base/alloc.h"

typedef struct gt_index_slot {
    uint32_t row; /* number + 1, 0 is free */
    uint32_t tag; /* upper half of the hash: growing needs no rows, most misses need no compare */
} gt_index_slot;

typedef struct gt_index {
    const gt_alloc *alloc;
    gt_index_slot *slots;
    uint32_t capacity; /* a power of two, or 0 */
    uint32_t count;
    bool adopted; /* slots belong to somebody else */
} gt_index;

typedef struct gt_index_cursor {
    uint32_t slot, tag, left;
} gt_index_cursor;

#define GT_INDEX_NONE UINT32_MAX

void gt_index_init(gt_index *index, const gt_alloc *alloc);
void gt_index_free(gt_index *index);

/* Uses `capacity` slots in place; they stay good and writable until gt_index_free. The caller has
 * checked that capacity is a power of two or 0, that `count` slots are used and at least one is
 * free. */
void gt_index_adopt(gt_index *index, gt_index_slot *slots, uint32_t capacity, uint32_t count);

/* Candidates for `hash`, one after the other, until GT_INDEX_NONE:
 *     for (row = gt_index_first(index, hash, &cursor); row != GT_INDEX_NONE;
 *          row = gt_index_next(index, &cursor)) if (equal(row)) … */
uint32_t gt_index_first(const gt_index *index, uint64_t hash, gt_index_cursor *cursor);
uint32_t gt_index_next(const gt_index *index, gt_index_cursor *cursor);

/* False when there is no memory; nothing is changed then. */
bool gt_index_insert(gt_index *index, uint64_t hash, uint32_t row);

/* Removes the entry (hash, row), which must be there. */
void gt_index_remove(gt_index *index, uint64_t hash, uint32_t row);

#endif
