/* A ring: dropping from the front moves nothing. */
#include "sync/queue.h"

#include "base/assert.h"

#include <string.h>

enum { CAPACITY_MIN = 8 };

void gt_queue_init(gt_queue *queue, const gt_alloc *alloc, size_t item_size) {
    *queue = (gt_queue){.alloc = alloc, .item_size = item_size};
}

static void recount(gt_queue *queue, size_t count) {
    if (queue->total != NULL) *queue->total += count - queue->count;
    queue->count = count;
}

void gt_queue_free(gt_queue *queue) {
    size_t *total = queue->total;
    recount(queue, 0);
    gt_free(queue->alloc, queue->items);
    gt_queue_init(queue, queue->alloc, queue->item_size);
    queue->total = total;
}

void *gt_queue_at(const gt_queue *queue, size_t index) {
    GOAT_ASSERT(index < queue->count);
    return queue->items + ((queue->first + index) & (queue->capacity - 1)) * queue->item_size;
}

void *gt_queue_last(const gt_queue *queue) { return queue->count == 0 ? NULL : gt_queue_at(queue, queue->count - 1); }

static bool grow(gt_queue *queue) {
    size_t capacity = queue->capacity == 0 ? CAPACITY_MIN : 2 * queue->capacity;
    uint8_t *items = gt_resize(queue->alloc, NULL, capacity, queue->item_size);
    if (items == NULL) return false;
    for (size_t i = 0; i < queue->count; i++) {
        memcpy(items + i * queue->item_size, gt_queue_at(queue, i), queue->item_size);
    }
    gt_free(queue->alloc, queue->items);
    queue->items = items;
    queue->capacity = capacity;
    queue->first = 0;
    return true;
}

bool gt_queue_push(gt_queue *queue, const void *item) {
    if (queue->count == queue->capacity && !grow(queue)) return false;
    recount(queue, queue->count + 1);
    memcpy(gt_queue_at(queue, queue->count - 1), item, queue->item_size);
    return true;
}

void gt_queue_drop(gt_queue *queue, size_t count) {
    GOAT_ASSERT(count <= queue->count);
    recount(queue, queue->count - count);
    if (queue->count == 0) {
        gt_queue_free(queue);
    } else {
        queue->first = (queue->first + count) & (queue->capacity - 1);
    }
}

void gt_queue_cut(gt_queue *queue, size_t count) {
    GOAT_ASSERT(count <= queue->count);
    recount(queue, count);
    if (count == 0) gt_queue_free(queue);
}

void gt_queue_remove(gt_queue *queue, size_t index) {
    for (; index > 0; index--) memcpy(gt_queue_at(queue, index), gt_queue_at(queue, index - 1), queue->item_size);
    gt_queue_drop(queue, 1);
}
