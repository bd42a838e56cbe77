/* A list that was edited by several: its elements in order, and the values that they were inserted with, read from where
 * they lie. */
#ifndef GT_MERGE_LIST_SOURCE_H
#define GT_MERGE_LIST_SOURCE_H

#include "merge/sequence.h"

typedef struct gt_list_source gt_list_source;

/* Replays the edits of a history. NULL when there is no memory. It lives in the replay's arena. */
gt_list_source *gt_list_open(gt_replay *replay, const gt_field_history *history);

gt_sequence *gt_list_sequence(const gt_list_source *list);

/* So many elements from `first` on, which were inserted side by side. Data NULL when there is no memory. */
gt_bytes gt_list_read(gt_list_source *list, gt_element first, uint32_t count);

#endif
