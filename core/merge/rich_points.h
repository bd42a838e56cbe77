/* The sequence of a rich text: what its steps inserted is compared by code points and embeds where the strategy is
 * `merged`. */
#ifndef GT_MERGE_RICH_POINTS_H
#define GT_MERGE_RICH_POINTS_H

#include "merge/sequence.h"

/* gt_sequence_replay of a rich text. */
gt_sequence *gt_rich_sequence(gt_replay *replay, const gt_field_history *history);

#endif
