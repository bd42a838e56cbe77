/* Reverts: what undoing commits would do to an item, and which commits undo and redo are about (README.md, "Reverts"). */
#ifndef GT_REPO_REVERT_H
#define GT_REPO_REVERT_H

#include "repo/repo.h"

/* A revert of one item, as it would be made on some of its heads. */
typedef struct gt_revert {
    gt_buf heads;                    /* ids, ascending: what its author saw */
    gt_buf names;                    /* ids, ascending: what it undoes; none: there is nothing to do */
    uint32_t unseen;                 /* commits asked for that are no ancestors of the heads */
    uint32_t hidden;                 /* those of them that are of a version that is not read here, or on one that is */
    const gt_schema *schema;         /* that it is written with */
    gt_buf view, delta;              /* what is seen, and the edit of it */
    struct gt_revert_making *making; /* NULL: it is not begun, or done */
} gt_revert;

void gt_revert_init(gt_revert *revert, const gt_alloc *alloc);
void gt_revert_free(gt_revert *revert);

/* Makes it for commits (rows) of an item, in pieces: `names`, `unseen` and `hidden` are known at once. A step replays at most
 * `*budget` commits and takes off it what that cost; `view` and `delta` are there when all are done. Between two steps the repository
 * may go on. GOAT_OK; GOAT_NO_SCHEMA; GOAT_TOO_LARGE: they are more than one commit can name; GOAT_CORRUPT, GOAT_NO_MEMORY. */
goat_status gt_revert_begin(gt_repo *repo, uint32_t item, const gt_id *heads, uint32_t head_count, const uint32_t *rows,
                            uint32_t row_count, gt_revert *revert, gt_diag *diag);
goat_status gt_revert_step(gt_repo *repo, gt_revert *revert, uint32_t *budget, bool *done, gt_diag *diag);
/* All of it at once. */
goat_status gt_revert_make(gt_repo *repo, uint32_t item, const gt_id *heads, uint32_t head_count, const uint32_t *rows,
                           uint32_t row_count, gt_revert *revert, gt_diag *diag);

/* Appends the state that a revert leads to. */
goat_status gt_revert_outcome(gt_repo *repo, const gt_revert *revert, gt_buf *state, gt_diag *diag);

/* Looks for the commits (rows) that the next undo of a session reverts, or the next redo; of `item`, or GT_NONE: of the
 * repository, and then all of one transaction. None where there is nothing to be done.
 *
 * Undo is about the latest commit of the session that is shown and not undone, and itself neither an undo nor a redo. An undo
 * is a revert that names nothing but commits of the session's own; a redo one that names nothing but its undos. Redo is about the
 * latest undo that is not undone, if the session has edited nothing since. */
typedef struct gt_undo_search gt_undo_search;
goat_status gt_undo_begin(gt_repo *repo, const gt_id *session, uint32_t item, bool redo, gt_undo_search **search,
                          gt_diag *diag);
/* Looks at about `budget` commits. Between two steps the repository may go on: what the session does meanwhile counts. */
goat_status gt_undo_step(gt_undo_search *search, uint32_t budget, bool *done, gt_diag *diag);
const gt_buf *gt_undo_rows(const gt_undo_search *search); /* uint32_t, once it is done */
void gt_undo_free(gt_undo_search *search);                /* NULL is accepted */
/* The same in one step. */
goat_status gt_undo_find(gt_repo *repo, const gt_id *session, uint32_t item, bool redo, gt_buf *rows, gt_diag *diag);

#endif
