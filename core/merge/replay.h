/* The parts of a replay. Only for merge.c and what it is made of. */
#ifndef GT_MERGE_REPLAY_H
#define GT_MERGE_REPLAY_H

#include "merge/type.h"

/* What a step does to the item itself, besides its fields. */
enum {
    GT_STEP_EDITS = 1, /* says that the item is there: clears every deletion that has not seen it */
    GT_STEP_DELETES = 2,
};

/* Whether the item is deleted after the steps. `acts` has GT_STEP_… for each step, 0 for void ones.
 * GOAT_OK, GOAT_NO_MEMORY. */
goat_status gt_tombstone_replay(gt_replay *replay, bool base_deleted, const uint8_t *acts, bool *deleted);

#endif
