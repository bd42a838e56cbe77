/* What the files of the live queries share. */
#ifndef GT_QUERY_LIVE_H
#define GT_QUERY_LIVE_H

#include "base/index.h"
#include "base/pool.h"
#include "base/rows.h"
#include "query/order.h"
#include "query/spec.h"

typedef struct gt_row_list {
    uint32_t *rows;
    size_t count, capacity;
} gt_row_list;

static inline bool gt_row_list_add(gt_row_list *list, const gt_alloc *alloc, uint32_t row) {
    if (!gt_reserve(alloc, (void **)(void *)&list->rows, list->count, &list->capacity, sizeof(*list->rows))) {
        return false;
    }
    list->rows[list->count++] = row;
    return true;
}

struct gt_query_set {
    const gt_alloc *alloc;
    gt_query_source source;
    gt_query *first, *last; /* parents before their children */
    gt_buf key;             /* the sort key that is being made */
};

struct gt_query {
    gt_query_set *set;
    gt_query *next;
    gt_query *parent, *children, *next_child;
    uint32_t id;
    bool freed; /* by its caller; a child still looks through it */
    uint32_t depth;
    gt_spec spec;

    gt_pool pool;    /* of entries */
    gt_order order;  /* the whole result; the window is a part of it */
    gt_rows entries; /* gt_entry *, in no order */
    gt_index by_row; /* row → entries */
    bool ready;
    uint32_t scanned; /* rows that the first scan has come to */

    gt_query_change *changes;
    size_t change_count, change_capacity;
    uint32_t changes_max;
    bool reset;     /* more happened than was kept */
    bool was_ready; /* there has been a result */
    bool moving, lost_track;
    gt_row_list crossed; /* rows that came into or left the window by the touch at hand */
};

/* Forgets the result, and those of its children. */
void gt_query_begin_anew(gt_query *query);

#endif
