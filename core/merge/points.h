/* The sequence of a text or a rich text: what its steps inserted is compared by code points and embeds where the strategy is
 * `merged`. */
#ifndef GT_MERGE_POINTS_H
#define GT_MERGE_POINTS_H

#include "merge/sequence.h"

/* gt_sequence_replay of one. */
gt_sequence *gt_text_sequence(gt_replay *replay, const gt_field_history *history);

#endif
