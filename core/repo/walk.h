/* The way back from some heads to where a replay can start; see walk.c. */
#ifndef GT_REPO_WALK_H
#define GT_REPO_WALK_H

#include "repo/tables.h"

typedef struct gt_walk {
    gt_repo *repo;
    const gt_schema *reader;
    uint32_t *commits; /* those after the base, latest first */
    uint32_t count;
    size_t capacity;
    uint32_t *queue; /* a heap, the latest on top */
    uint32_t queue_count;
    size_t queue_capacity;
    bool has_root; /* a first commit was visited: only the empty item is below everything */
    gt_buf upgraded;
    gt_bytes base; /* as the reader has it; data NULL: the empty item */
} gt_walk;

/* End it with gt_walk_free, also after a failure. */
goat_status gt_walk_back(gt_walk *walk, gt_repo *repo, uint32_t item, const gt_schema *reader, const uint32_t *heads,
                         uint32_t head_count, gt_diag *diag);
void gt_walk_free(gt_walk *walk);

#endif
