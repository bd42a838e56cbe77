/* The text of what steps inserted, and of the base, read from where it lies. */
#ifndef GT_MERGE_TEXT_SOURCE_H
#define GT_MERGE_TEXT_SOURCE_H

#include "merge/sequence.h"

/* Where the text of a step's insertions is read next: what a step inserted stands in the order of its indexes. */
typedef struct gt_text_source {
    gt_run_iter iter;
    gt_bytes rest; /* of the insertion at hand */
    uint32_t next; /* index of the element that `rest` begins with */
} gt_text_source;

/* By step; that of the base behind the last one. NULL when there is no memory. */
gt_text_source *gt_text_sources_open(gt_replay *replay, const gt_field_history *history);

/* The text of so many elements from `first` on; passes over what is left out before them. */
gt_bytes gt_text_source_read(gt_text_source *sources, const gt_replay *replay, gt_element first, uint32_t count);

#endif
