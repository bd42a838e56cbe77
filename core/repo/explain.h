/* What explain.c finds and explain_write.c writes. Only for these two. */
#ifndef GT_REPO_EXPLAIN_H
#define GT_REPO_EXPLAIN_H

#include "merge/explain.h"
#include "repo/descent.h"

typedef struct gt_explaining {
    gt_repo *repo;
    uint32_t item;
    const gt_explain_request *request;
    const gt_schema *reader;
    const gt_field *path[GT_PATH_FIELDS_MAX]; /* to the field that is asked for */
    size_t path_len;                          /* 0: all fields of the item */
    gt_arena arena;
    gt_descent descent;
    gt_buf raw;            /* gt_bytes: the deltas of descent.walk.commits, as they were written */
    gt_buf base, from;     /* rows: the base of the view, and where looking back has ended (none: the empty item) */
    uint32_t settled_from; /* commits of the walk from this one on are in the base */
    uint8_t *unsettled;    /* by field: what it comes from is still being looked for */
    size_t unsettled_count;
    gt_buf state;   /* at `from`; descent.walk.base, where it is not the empty item */
    gt_step *steps; /* of the walk: its last commit is step 0 */
    gt_buf unread;  /* rows of commits that are not shown, latest first */
} gt_explaining;

static inline uint32_t gt_explaining_row(const gt_explaining *x, uint32_t step) {
    return x->descent.walk.commits[x->descent.walk.count - 1 - step];
}

/* What the author of a step wrote for a field that the reader does not get; data NULL: nothing. */
gt_bytes gt_explaining_unread(const gt_explaining *x, uint32_t step, gt_bytes name);

/* Appends the whole explanation. */
goat_status gt_explaining_write(gt_explaining *x, gt_buf *out, gt_diag *diag);

#endif
