/* A growable table of fixed-size rows that never move: pages of GT_ROWS_PAGE rows.
 *
 * Rows may begin life in a mapped checkpoint (gt_rows_adopt): its whole pages are used in place, so
 * opening costs nothing per row. The mapping is private and writable, so a row is changed in place
 * wherever it lies. */
#ifndef GT_BASE_ROWS_H
#define GT_BASE_ROWS_H

#include "base/alloc.h"

enum { GT_ROWS_PAGE = 1024 };

typedef struct gt_rows {
    const gt_alloc *alloc;
    uint8_t **pages;
    size_t page_capacity;
    size_t adopted_pages; /* lie in memory of somebody else's and are not freed here */
    uint32_t count;
    uint32_t row_size;
} gt_rows;

void gt_rows_init(gt_rows *rows, const gt_alloc *alloc, uint32_t row_size);
void gt_rows_free(gt_rows *rows);

/* Takes `count` rows at `base` as the first ones; the table must be empty. `base` stays good and
 * writable until gt_rows_free. False when there is no memory. */
bool gt_rows_adopt(gt_rows *rows, void *base, uint32_t count);

/* A new zeroed row at index rows->count - 1, or NULL when there is no memory. */
void *gt_rows_push(gt_rows *rows);

/* Takes back the last row. */
void gt_rows_pop(gt_rows *rows);

static inline void *gt_rows_at(const gt_rows *rows, uint32_t index) {
    return rows->pages[index / GT_ROWS_PAGE] + (size_t)(index % GT_ROWS_PAGE) * rows->row_size;
}

#endif
