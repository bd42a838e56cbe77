/* Pages are allocated one at a time and never move; only the list of pages does. A page is not zeroed
 * when it is made, each row is when it is pushed: a popped row may be pushed again. */
#include "base/rows.h"

#include "base/assert.h"

#include <string.h>

/* A gt_index keeps row + 1 in 32 bits and says UINT32_MAX for "none". */
static const uint32_t rows_max = UINT32_MAX - 1;

void gt_rows_init(gt_rows *rows, const gt_alloc *alloc, uint32_t row_size) {
    GOAT_ASSERT(row_size != 0);
    *rows = (gt_rows){.alloc = alloc, .row_size = row_size};
}

static size_t page_count(uint32_t count) { return count / GT_ROWS_PAGE + (count % GT_ROWS_PAGE != 0); }

void gt_rows_free(gt_rows *rows) {
    for (size_t i = rows->adopted_pages; i < rows->page_capacity; i++) {
        gt_free(rows->alloc, rows->pages[i]);
    }
    gt_free(rows->alloc, rows->pages);
    gt_rows_init(rows, rows->alloc, rows->row_size);
}

/* Room in the list for page number `page`; pages that are not there yet are NULL. */
static bool reserve_page(gt_rows *rows, size_t page) {
    size_t before = rows->page_capacity;
    if (!gt_reserve(rows->alloc, (void **)&rows->pages, page, &rows->page_capacity, sizeof *rows->pages)) {
        return false;
    }
    for (size_t i = before; i < rows->page_capacity; i++) {
        rows->pages[i] = NULL;
    }
    return true;
}

static bool have_page(gt_rows *rows, size_t page) {
    if (!reserve_page(rows, page)) {
        return false;
    }
    if (rows->pages[page] == NULL) {
        rows->pages[page] = gt_resize(rows->alloc, NULL, GT_ROWS_PAGE, rows->row_size);
    }
    return rows->pages[page] != NULL;
}

bool gt_rows_adopt(gt_rows *rows, void *base, uint32_t count) {
    GOAT_ASSERT(rows->count == 0);
    GOAT_ASSERT(rows->pages == NULL);
    size_t whole_pages = count / GT_ROWS_PAGE;
    size_t page_size = (size_t)GT_ROWS_PAGE * rows->row_size;
    if (count == 0) {
        return true;
    }
    rows->pages = gt_new(rows->alloc, page_count(count), sizeof *rows->pages);
    if (rows->pages == NULL) {
        return false;
    }
    rows->page_capacity = page_count(count);
    rows->adopted_pages = whole_pages;
    for (size_t i = 0; i < whole_pages; i++) {
        rows->pages[i] = (uint8_t *)base + i * page_size;
    }
    /* Rows are pushed behind the last one, where the mapping has no room: its page is copied. */
    uint32_t rest = count % GT_ROWS_PAGE;
    if (rest != 0) {
        if (!have_page(rows, whole_pages)) {
            gt_rows_free(rows);
            return false;
        }
        memcpy(rows->pages[whole_pages], (uint8_t *)base + whole_pages * page_size, (size_t)rest * rows->row_size);
    }
    rows->count = count;
    return true;
}

void *gt_rows_push(gt_rows *rows) {
    if (rows->count == rows_max || !have_page(rows, rows->count / GT_ROWS_PAGE)) {
        return NULL;
    }
    void *row = gt_rows_at(rows, rows->count);
    memset(row, 0, rows->row_size);
    rows->count++;
    return row;
}

void gt_rows_pop(gt_rows *rows) {
    GOAT_ASSERT(rows->count != 0);
    rows->count--;
}
