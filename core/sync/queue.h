/* First in, first out: items of one size in a ring that grows. Several may be counted together, to be bounded together. */
#ifndef GT_SYNC_QUEUE_H
#define GT_SYNC_QUEUE_H

#include "base/alloc.h"

typedef struct gt_queue {
    const gt_alloc *alloc;
    uint8_t *items;
    size_t item_size, first, count, capacity; /* capacity is 0 or a power of two */
    size_t *total;                            /* of all that are counted together; NULL: it is on its own */
} gt_queue;

void gt_queue_init(gt_queue *queue, const gt_alloc *alloc, size_t item_size);
void gt_queue_free(gt_queue *queue); /* and ready for use again, counted as before */

/* Adds a copy of `item` at the end. False when there is no memory; nothing is changed then. */
bool gt_queue_push(gt_queue *queue, const void *item);

/* The item at `index`, 0 being the first; good until the next push. */
void *gt_queue_at(const gt_queue *queue, size_t index);

/* The last item, or NULL. */
void *gt_queue_last(const gt_queue *queue);

/* Takes the first `count` items away. Memory is given back when the queue is empty. */
void gt_queue_drop(gt_queue *queue, size_t count);

/* Keeps the first `count` items only. */
void gt_queue_cut(gt_queue *queue, size_t count);

/* Takes out the item at `index`; those before it move up by one. */
void gt_queue_remove(gt_queue *queue, size_t index);

#endif
