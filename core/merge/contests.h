/* What is left out of a view where concurrent insertions meet at one place, by the strategy of the field.
 *
 * They meet where their nodes are siblings in Fugue's tree; what was moved there is in no contest. With `latest` and `either` only one sibling is left, with all
 * that hangs on it; with `merged` what a sibling has in common with an earlier one stands once. What is left out is so in one
 * version: that of a view. README.md has the rules. */
#ifndef GT_MERGE_CONTESTS_H
#define GT_MERGE_CONTESTS_H

#include "merge/nodes.h"
#include "merge/overlap.h"

typedef struct gt_contests gt_contests;

/* With `merged`, of siblings in a version each is compared with so many directly before it: what it has in common with one
 * further off stands twice. So that thousands at one place do not cost their square. */
enum { GT_CONTEST_COMPARED_MAX = 64 };

/* NULL when there is no memory. */
gt_contests *gt_contests_new(const gt_field *field, const gt_nodes *nodes, gt_spans *spans);

/* With what elements are compared from now on; for `merged`. */
void gt_contests_compare(gt_contests *contests, const gt_contents *contents);

/* A node was hung into a family. False when there is no memory. */
bool gt_contests_add(gt_contests *contests, gt_family *family, gt_node *node);

/* Another version may be looked at: marks the spans that are left out of it (spans.h). False when there is no memory. */
bool gt_contests_judge(gt_contests *contests);

/* Tells of each step of which something is left out which step won over it, or has the same; several times, maybe. */
typedef void gt_contest_lost(void *context, uint32_t loser, uint32_t winner);
void gt_contests_losses(const gt_contests *contests, gt_contest_lost *lost, void *context);

#endif
