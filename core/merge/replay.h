/* The parts of a replay. Only for merge.c, kept.c and what they are made of. */
#ifndef GT_MERGE_REPLAY_H
#define GT_MERGE_REPLAY_H

#include "merge/fields.h"

/* What a step does to the item itself, besides its fields. */
enum {
    GT_STEP_EDITS = 1, /* says that the item is there: clears every deletion that has not seen it */
    GT_STEP_DELETES = 2,
};

/* What steps say. */
typedef struct gt_gathered {
    gt_field_edits fields;
    uint8_t *acts; /* by step, from the first that was read on: GT_STEP_…, 0 for void ones */
} gt_gathered;

/* Reads the steps from `first` on; what they say lives in the replay's arena. `is_new_item`: a step without parents is a
 * first commit. GOAT_OK, GOAT_INVALID with the number of the step as position, GOAT_NO_MEMORY. */
goat_status gt_replay_gather(gt_replay *replay, const gt_schema *schema, bool is_new_item, uint32_t first,
                             gt_gathered *all);

/* Appends the state that all steps come to on `base`. As gt_merge_replay. */
goat_status gt_replay_write(gt_replay *replay, gt_bytes base, const uint8_t *acts, const gt_histories *histories,
                            gt_buf *out);

/* Whether the item is deleted after the steps. `acts` has GT_STEP_… for each step, 0 for void ones.
 * GOAT_OK, GOAT_NO_MEMORY. */
goat_status gt_tombstone_replay(gt_replay *replay, bool base_deleted, const uint8_t *acts, bool *deleted);

#endif
