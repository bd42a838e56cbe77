/* The edit between two lists. */
#ifndef GT_MERGE_LIST_DIFF_H
#define GT_MERGE_LIST_DIFF_H

#include "base/buf.h"

/* Appends the edit that makes `after` of `before`, both lists, nothing if they are the same. Elements of equal bytes are the
 * same. One that went from one place and came to another was moved: so who sorts a list moves its elements, and others that
 * edit them meanwhile edit what is left of them and not what is gone. */
void gt_list_diff(gt_bytes before, gt_bytes after, gt_buf *edit);

#endif
