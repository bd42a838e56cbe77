/* Where an insertion hangs in Fugue's tree, by the position at which its author put it in what he sees. */
#ifndef GT_MERGE_GAPS_H
#define GT_MERGE_GAPS_H

#include "merge/spans.h"

typedef struct gt_gap {
    gt_element before; /* what stands directly before it, of what its author knows */
    gt_element parent; /* it hangs on this one, */
    bool left;         /* … on its left side */
} gt_gap;

/* Directly behind what its author sees before it. */
gt_gap gt_gap_behind(const gt_spans *spans, uint64_t position);

/* Directly before what its author sees behind it. */
gt_gap gt_gap_before(const gt_spans *spans, uint64_t position);

#endif
