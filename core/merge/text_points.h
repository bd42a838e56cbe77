/* The sequence of a text: what its steps inserted is compared by code points where the strategy is `merged`. */
#ifndef GT_MERGE_TEXT_POINTS_H
#define GT_MERGE_TEXT_POINTS_H

#include "merge/sequence.h"

/* gt_sequence_replay of a text. */
gt_sequence *gt_text_sequence(gt_replay *replay, const gt_field_history *history);

#endif
