/* Replays that are kept for items whose authors do not pause; see replays.c. */
#ifndef GT_REPO_REPLAYS_H
#define GT_REPO_REPLAYS_H

#include "repo/tables.h"

enum {
    GT_REPLAYS_MAX = 32,             /* items */
    GT_REPLAYS_BYTES_MAX = 32 << 20, /* beyond, those that were not used for the longest time are dropped */
    GT_REPLAY_STEPS_MIN = 16         /* fewer are replayed as fast as a replay is made to be kept */
};

/* What is kept of an item. */
typedef struct gt_item_replay gt_item_replay;

/* The number of a commit's step; GT_NONE when it is none. */
uint32_t gt_item_replay_find(const gt_item_replay *kept, uint32_t commit);

/* Commits, and the first of them in the order of time. */
uint32_t gt_item_replay_count(const gt_item_replay *kept);
uint32_t gt_item_replay_first(const gt_item_replay *kept);

void gt_replays_free(gt_repo *repo);
/* Of how many items something is kept, and bytes of memory. */
uint32_t gt_replays_count(const gt_repo *repo, size_t *bytes);
/* Commits of the item are seen that were not, or are seen no more. */
void gt_replays_forget(gt_repo *repo, uint32_t item);

/* The view at the heads that are seen, all of them, as the item is read; what is kept of it goes along. As gt_view_compute. */
goat_status gt_view_present(gt_repo *repo, uint32_t item, const uint32_t *heads, uint32_t head_count, gt_buf *state,
                            gt_diag *diag);

#endif
