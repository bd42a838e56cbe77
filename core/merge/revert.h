/* The edit that undoes steps, or does them again, in an item whose history goes on (design section 8, `revert`).
 *
 * A revert is an ordinary step whose edit was made here. What the author sees is the replay of everything, reverts as they
 * were written. What he wants is the replay in which everything that is undone is void, and so is every revert, because what
 * those did is what voidness does already. README.md, "Reverting", says how one becomes the other. */
#ifndef GT_MERGE_REVERT_H
#define GT_MERGE_REVERT_H

#include "merge/merge.h"

/* What is known of a step. */
enum {
    GT_MARK_REVERT = 1 << 0,  /* it undoes other steps, having seen some of those that the new revert is about */
    GT_MARK_NAMED = 1 << 1,   /* the new revert undoes it */
    GT_MARK_UNDONE = 1 << 2,  /* it is undone without the new revert */
    GT_MARK_AFTER = 1 << 3,   /* it is undone with the new revert */
    GT_MARK_SETTLED = 1 << 4, /* a revert undoes it that is taken as it was written */
};

/* The steps that a step undoes, all of them earlier; none: it is no revert. */
typedef struct gt_undoes {
    const uint32_t *steps;
    uint32_t count;
} gt_undoes;

/* Sets the marks of all steps. A step is undone if a revert that is not undone itself names it. The new revert names those
 * of `wanted` (by step: not 0) that would not be undone without it; gives how many. */
uint32_t gt_merge_mark(const gt_step *steps, const gt_undoes *undoes, uint32_t step_count, const uint8_t *wanted,
                       uint8_t *marks);

typedef struct gt_reverting {
    const gt_schema *schema;
    gt_bytes base; /* as of gt_merge_replay: below all steps that are marked, and below those that a revert names */
    const gt_step *steps;
    const uint8_t *marks; /* of each step */
    uint32_t step_count;
    bool is_new; /* the base is the empty item, as some version has it: first commits are among the steps */
} gt_reverting;

/* The making of a revert, in pieces. What is pointed to by `what` stays until it is freed; NULL is accepted then. */
typedef struct gt_undoing gt_undoing;
goat_status gt_undoing_begin(const gt_alloc *alloc, const gt_reverting *what, gt_undoing **out, gt_diag *diag);
void gt_undoing_free(gt_undoing *undoing);

/* Replays at most `*budget` steps more and takes off it what that cost, in steps. To write what a replay comes to is not cut
 * into pieces. Statuses as gt_merge_replay. */
goat_status gt_undoing_step(gt_undoing *undoing, uint32_t *budget, bool *done, gt_diag *diag);

/* Once that is done: appends the delta of the new revert, an empty map where it changes nothing; `view` gets the state that
 * its author sees. As gt_merge_replay; GOAT_TOO_LARGE (README.md, "What is too large"). */
goat_status gt_undoing_write(gt_undoing *undoing, uint32_t *budget, gt_buf *view, gt_buf *delta, uint64_t *work,
                             gt_diag *diag);

/* All of it at once. */
goat_status gt_merge_revert(const gt_alloc *alloc, const gt_reverting *what, gt_buf *view, gt_buf *delta,
                            uint64_t *work, gt_diag *diag);

#endif
