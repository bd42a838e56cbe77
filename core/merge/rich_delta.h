/* Deltas of Quill's, operation by operation, for those who go along a document with them. */
#ifndef GT_MERGE_RICH_DELTA_H
#define GT_MERGE_RICH_DELTA_H

#include "base/status.h"
#include "value/rich.h"

typedef struct gt_delta_operation {
    gt_bytes insert, attributes; /* data NULL: none */
    uint64_t keep, remove;       /* UTF-16 units */
} gt_delta_operation;

/* The operations of a Delta. GOAT_OK, GOAT_INVALID. */
goat_status gt_delta_operations(gt_bytes delta, gt_iter *operations, gt_diag *diag);

/* `map` is operation number `at`. GOAT_OK, GOAT_INVALID. */
goat_status gt_delta_read(gt_bytes map, uint64_t at, gt_delta_operation *operation, gt_diag *diag);

/* GOAT_INVALID, for operation number `at`. */
goat_status gt_delta_refuse_end(uint64_t at, gt_diag *diag);    /* it goes beyond the document's end */
goat_status gt_delta_refuse_inside(uint64_t at, gt_diag *diag); /* it ends inside of a code point */

/* Takes the elements in the first `*units` UTF-16 units off a piece, or all of it. False where that is inside of one. */
bool gt_delta_take(gt_rich_piece *piece, uint64_t *units, gt_rich_piece *taken);

/* Whether attributes, given to a piece, change something about it. `scratch` is any buffer. */
bool gt_delta_changes(const gt_rich_piece *piece, gt_bytes attributes, gt_buf *scratch);

#endif
