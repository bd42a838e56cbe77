/* Commits on the way back through an item's history, the latest on top. */
#include "repo/row_queue.h"

#include "repo/tables.h"

static bool is_later(const gt_repo *repo, uint32_t a, uint32_t b) {
    return gt_commit_order(gt_commit_at(repo, a), gt_commit_at(repo, b)) > 0;
}

bool gt_row_queue_push(const gt_repo *repo, gt_row_queue *queue, uint32_t row) {
    if (!gt_reserve(repo->alloc, (void **)(void *)&queue->rows, queue->count, &queue->capacity, sizeof(*queue->rows))) {
        return false;
    }
    uint32_t at = queue->count++;
    while (at > 0) { /* sift up */
        uint32_t above = (at - 1) / 2;
        if (!is_later(repo, row, queue->rows[above])) break;
        queue->rows[at] = queue->rows[above];
        at = above;
    }
    queue->rows[at] = row;
    return true;
}

uint32_t gt_row_queue_pop(const gt_repo *repo, gt_row_queue *queue) {
    uint32_t top = queue->rows[0], last = queue->rows[--queue->count], at = 0;
    for (;;) { /* sift down */
        uint32_t child = 2 * at + 1;
        if (child >= queue->count) break;
        if (child + 1 < queue->count && is_later(repo, queue->rows[child + 1], queue->rows[child])) child++;
        if (!is_later(repo, queue->rows[child], last)) break;
        queue->rows[at] = queue->rows[child];
        at = child;
    }
    if (queue->count > 0) queue->rows[at] = last;
    return top;
}

void gt_row_queue_free(const gt_alloc *alloc, gt_row_queue *queue) {
    gt_free(alloc, queue->rows);
    *queue = (gt_row_queue){0};
}
