/* A binary heap. */
#include "queue.h"

#include "memory.h"

void sim_queue_free(sim_queue *queue) {
    sim_free(queue->heap);
    *queue = (sim_queue){0};
}

static bool is_before(const sim_event *a, const sim_event *b) {
    return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

void sim_queue_put(sim_queue *queue, sim_event event) {
    event.order = queue->order++;
    queue->heap = sim_reserve(queue->heap, queue->count, &queue->capacity, sizeof(sim_event));
    size_t at = queue->count++;
    while (at > 0 && is_before(&event, &queue->heap[(at - 1) / 2])) {
        queue->heap[at] = queue->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->heap[at] = event;
}

uint64_t sim_queue_next(const sim_queue *queue) { return queue->count == 0 ? UINT64_MAX : queue->heap[0].at_us; }

sim_event sim_queue_take(sim_queue *queue) {
    sim_event first = queue->heap[0], last = queue->heap[--queue->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= queue->count) break;
        if (child + 1 < queue->count && is_before(&queue->heap[child + 1], &queue->heap[child])) child++;
        if (!is_before(&queue->heap[child], &last)) break;
        queue->heap[at] = queue->heap[child];
        at = child;
    }
    queue->heap[at] = last;
    return first;
}
