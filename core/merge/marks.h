/* Attributes that were given to ranges of a rich text by several authors: which of them an element has in the end.
 *
 * A mark is one attribute with one value, given by one step to elements that stood next to each other in what its author saw.
 * It is also about what others put between these, unless they had seen it: an author who saw a mark has said himself which
 * attributes what he typed into it has. Of the marks about an element the latest counts, and all of them before what the element
 * was inserted with. README.md gives the reasons. */
#ifndef GT_MERGE_MARKS_H
#define GT_MERGE_MARKS_H

#include "merge/spans.h"
#include "merge/type.h"

typedef struct gt_marks gt_marks;

/* NULL when there is no memory. It lives in the arena of the spans. */
gt_marks *gt_marks_new(gt_replay *replay, const gt_spans *spans);

/* A step gives attributes to the elements [position, position + count) of those that can be seen. `goes_on`: they follow directly
 * on those that it gave attributes to before, with nothing inserted between. False when there is no memory. */
bool gt_marks_add(gt_marks *marks, gt_spans *spans, uint32_t step, uint64_t position, uint64_t count,
                  gt_bytes attributes, bool goes_on);

/* ---- when all steps have been gone through, from the first span to the last ---- */

/* What it finds lives in the replay's arena. False when there is no memory. */
bool gt_marks_begin(gt_marks *marks);
void gt_marks_go_to(gt_marks *marks, const gt_span *span);

/* Appends the attributes of elements of the span at hand that step `inserter` (or GT_OF_BASE) inserted with `own`, or nothing.
 * False when there is no memory. */
bool gt_marks_attributes(gt_marks *marks, uint32_t inserter, gt_bytes own, gt_buf *out);

#endif
