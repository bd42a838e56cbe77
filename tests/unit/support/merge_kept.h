/* Replays, and replays that are kept, side by side. */
#ifndef MERGE_KEPT_H
#define MERGE_KEPT_H

#include "merge/merge.h"

/* gt_merge_replay. Now and then a replay is kept besides, to which the steps come in pieces and which is asked between them: it
 * must always say the same (or it is GOAT_CORRUPT). */
goat_status merge_replay_and_keep(const gt_schema *schema, gt_bytes base, const gt_step *steps, uint32_t count,
                                  gt_buf *out, uint64_t *work, gt_diag *diag);

#endif
