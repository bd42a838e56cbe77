/* Transactions of a batch: runs of leaf indexes (FORMAT.md 6.1). Only for the files of this module. */
#ifndef GT_COMMIT_GROUPS_H
#define GT_COMMIT_GROUPS_H

#include "commit/batch.h"
#include "commit/read.h"

/* Checks batch->groups, which is an array of at most one more layer, against batch->size and sets
 * batch->leaf_groups. `reader` serves for positions and refusal only and stays where it is. False: see its
 * status. */
bool gt_groups_number(gt_reader *reader, gt_arena *arena, gt_batch *batch);

/* Whether some group has both a leaf for which `kinds[leaf]` is LEAF and one for which it is UNASKED.
 * `kinds` has a gt_node_kind for each leaf. */
bool gt_groups_torn(const gt_batch *batch, const uint8_t *kinds);

#endif
