/* What reading and writing a batch have in common: the fixed parts of the signed bytes and of the frame.
 * Only for the files of this module. */
#ifndef GT_COMMIT_FRAME_H
#define GT_COMMIT_FRAME_H

#include "commit/batch.h"

enum {
    GT_REPOSITORY_MAX = 2 + 2 * GOAT_NAME_MAX, /* bytes of "/type/repo" */
    GT_SIGNED_FRONT_MAX = 1024,                /* signed bytes before the groups, at most */
    GT_SIGNED_BACK_MAX = 64,                   /* behind them */
    GT_FRAME_FRONT_MAX = 2048,                 /* bytes of a frame that are neither groups nor nodes, at most */
};

/* Sets batch->id. All that is signed has been set. */
void gt_batch_set_id(gt_hasher *hasher, const gt_place *place, gt_batch *batch);

/* Appends the frame up to the nodes, `node_count` of which the caller appends. `root` NULL: nothing is elided. */
void gt_frame_write_front(gt_buf *out, const gt_batch *batch, const gt_id *root, uint32_t node_count);

#endif
