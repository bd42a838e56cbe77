/* The edit between two rich texts: that between their texts, and the attributes of what stays. */
#ifndef GT_MERGE_RICH_DIFF_H
#define GT_MERGE_RICH_DIFF_H

#include "base/buf.h"

/* Appends the edit that makes `after` of `before`, nothing if they are the same. */
void gt_rich_diff(gt_bytes before, gt_bytes after, gt_buf *edit);

/* The same, where it is known which elements of the one document are which of the other: `text_edit` says so in runs, of which
 * only the counts are looked at. */
void gt_rich_diff_along(gt_bytes before, gt_bytes after, gt_bytes text_edit, gt_buf *edit);

#endif
