/* Commits on the way back through an item's history, in the order of (time, id): a heap, the latest on top. */
#ifndef GT_REPO_ROW_QUEUE_H
#define GT_REPO_ROW_QUEUE_H

#include "repo/repo.h"

typedef struct gt_row_queue {
    uint32_t *rows; /* of commits; the first is the latest */
    uint32_t count;
    size_t capacity;
} gt_row_queue;

/* False without memory: then the queue is as it was. Whether a row is in it already is for the caller to know. */
bool gt_row_queue_push(const gt_repo *repo, gt_row_queue *queue, uint32_t row);
/* Takes the latest out; there is one. */
uint32_t gt_row_queue_pop(const gt_repo *repo, gt_row_queue *queue);
void gt_row_queue_free(const gt_alloc *alloc, gt_row_queue *queue);

#endif
