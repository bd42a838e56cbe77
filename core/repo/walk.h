/* The way back from some heads to where a replay can start; see walk.c. */
#ifndef GT_REPO_WALK_H
#define GT_REPO_WALK_H

#include "base/arena.h"
#include "merge/merge.h"
#include "repo/row_queue.h"
#include "repo/replays.h"

typedef struct gt_walk {
    gt_repo *repo;
    const gt_schema *reader;
    uint32_t *commits; /* those after the base, latest first */
    uint32_t count;
    size_t capacity;
    gt_row_queue queue;
    gt_buf awaited;             /* uint32_t rows that the base must lie below */
    uint32_t awaited_count;     /* those that were not visited yet */
    bool follows_reverts;       /* what a visited revert names is awaited */
    bool has_root;              /* a first commit was visited: only the empty item is below everything */
    bool forks;                 /* there was more than one way back */
    const gt_item_replay *kept; /* NULL: none */
    bool meets_kept;  /* all ways back lead to it: the commits are those that have come since, and there is no base */
    bool leaves_kept; /* some lead past it */
    gt_buf upgraded;
    gt_bytes base; /* as the reader has it; data NULL: the empty item */
} gt_walk;

/* End it with gt_walk_free, also after a failure. */
goat_status gt_walk_back(gt_walk *walk, gt_repo *repo, uint32_t item, const gt_schema *reader, const uint32_t *heads,
                         uint32_t head_count, gt_diag *diag);
/* The same, from all heads that are seen, at most to the commits of what is kept of the item (NULL: nothing), if all that has
 * come since is on these. */
goat_status gt_walk_to_kept(gt_walk *walk, gt_repo *repo, uint32_t item, const gt_schema *reader, const uint32_t *heads,
                            uint32_t head_count, const gt_item_replay *kept, gt_diag *diag);
/* The same, with a base below `rows` (of this item; those that are no ancestors of the heads have no effect), and below all
 * that the reverts above it name. */
goat_status gt_walk_below(gt_walk *walk, gt_repo *repo, uint32_t item, const gt_schema *reader, const uint32_t *heads,
                          uint32_t head_count, const uint32_t *rows, uint32_t row_count, gt_diag *diag);
void gt_walk_free(gt_walk *walk);

/* The same one step at a time: after gt_walk_init commits are put into the queue (false: no memory), the latest of them is
 * visited, which puts its parents there, and in the end all marks are taken away again. */
void gt_walk_init(gt_walk *walk, gt_repo *repo, const gt_schema *reader);
bool gt_walk_push(gt_walk *walk, uint32_t commit);
bool gt_walk_visit(gt_walk *walk);
void gt_walk_unmark(gt_walk *walk);

/* Once nothing is in the queue: the base is the empty item, and of one that was made at an older version what upgrades give
 * to all such. */
goat_status gt_walk_take_empty(gt_walk *walk, uint32_t item, gt_diag *diag);

/* ---- view.c ---- */

/* The commits of a walk as steps, earliest first, in the arena. */
goat_status gt_walk_steps(const gt_walk *walk, gt_arena *arena, gt_step **steps, gt_diag *diag);
/* The place of a commit among the steps; GT_NONE when it is none of them: it lies at or below the base. */
uint32_t gt_walk_find(const gt_walk *walk, uint32_t number);

#endif
