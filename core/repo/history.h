/* The commits of an item in the order of (time, id), the latest first, a few at a time; see history.c. */
#ifndef GT_REPO_HISTORY_H
#define GT_REPO_HISTORY_H

#include "repo/row_queue.h"

/* Where somebody is in an item's history. It may be kept while the repository is open, whatever comes meanwhile. */
typedef struct gt_history {
    gt_row_queue queue;  /* everything that is left is in it, or reached from it; a row may be in it twice */
    uint32_t item, last; /* what is left comes before the commit `last` (GT_NONE: all of it) */
    uint32_t end;        /* commits of the item in rows before this one were counted in */
    bool is_begun;
} gt_history;

/* Which commits are meant: all in rows before `end`, and `heads` with what these come from. */
typedef struct gt_history_part {
    uint32_t item, end;
    const gt_id *heads;
    uint32_t head_count;
} gt_history_part;

/* Goes to the commits before `before` (a row of the item; GT_NONE: to the latest). Costs nothing but what has come
 * meanwhile where that was the last one that was given; otherwise a walk over everything later. GOAT_NO_MEMORY. */
goat_status gt_history_seek(gt_repo *repo, gt_history *history, const gt_history_part *part, uint32_t before,
                            gt_diag *diag);
/* The next one; GT_NONE behind the first commit. GOAT_NO_MEMORY: then it can be asked again. */
goat_status gt_history_next(gt_repo *repo, gt_history *history, uint32_t *row, gt_diag *diag);
/* The commit of an item whose id begins with so many hexadecimal digits of `id`. GOAT_NOT_FOUND; GOAT_INVALID: there are
 * several. */
goat_status gt_history_find(const gt_repo *repo, uint32_t item, const gt_id *id, uint32_t digits, uint32_t *row,
                            gt_diag *diag);
void gt_history_free(const gt_alloc *alloc, gt_history *history);

#endif
