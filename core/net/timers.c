#include "net/timers.h"

#include "base/assert.h"

void gt_timers_init(gt_timers *timers, const gt_alloc *alloc) { *timers = (gt_timers){.alloc = alloc}; }

void gt_timers_free(gt_timers *timers) {
    gt_free(timers->alloc, timers->heap);
    gt_timers_init(timers, timers->alloc);
}

bool gt_timers_reserve(gt_timers *timers, size_t count) {
    if (count <= timers->capacity) return true;
    size_t capacity = timers->capacity * 2 > count ? timers->capacity * 2 : count;
    void *heap = gt_resize(timers->alloc, timers->heap, capacity, sizeof(timers->heap[0]));
    if (heap == NULL) return false;
    timers->heap = heap;
    timers->capacity = capacity;
    return true;
}

static void put(gt_timers *timers, size_t place, gt_timer *timer) {
    timers->heap[place - 1] = timer;
    timer->place = (uint32_t)place;
}

static void rise(gt_timers *timers, gt_timer *timer) {
    size_t place = timer->place;
    for (; place > 1 && timers->heap[place / 2 - 1]->due_us > timer->due_us; place /= 2) {
        put(timers, place, timers->heap[place / 2 - 1]);
    }
    put(timers, place, timer);
}

static void sink(gt_timers *timers, gt_timer *timer) {
    size_t place = timer->place;
    for (size_t child = 2 * place; child <= timers->count; child = 2 * place) {
        if (child < timers->count && timers->heap[child]->due_us < timers->heap[child - 1]->due_us) child++;
        if (timers->heap[child - 1]->due_us >= timer->due_us) break;
        put(timers, place, timers->heap[child - 1]);
        place = child;
    }
    put(timers, place, timer);
}

static void unset(gt_timers *timers, gt_timer *timer) {
    if (timer->place == 0) return;
    gt_timer *last = timers->heap[--timers->count];
    if (last != timer) {
        put(timers, timer->place, last);
        rise(timers, last);
        sink(timers, last);
    }
    timer->place = 0;
}

void gt_timers_set(gt_timers *timers, gt_timer *timer, uint64_t due_us) {
    if (due_us == UINT64_MAX) {
        unset(timers, timer);
        return;
    }
    timer->due_us = due_us;
    if (timer->place == 0) {
        GOAT_ASSERT(timers->count < timers->capacity);
        put(timers, ++timers->count, timer);
    }
    rise(timers, timer);
    sink(timers, timer);
}

uint64_t gt_timers_next_us(const gt_timers *timers) {
    return timers->count == 0 ? UINT64_MAX : timers->heap[0]->due_us;
}

gt_timer *gt_timers_take(gt_timers *timers, uint64_t now_us) {
    if (timers->count == 0 || timers->heap[0]->due_us > now_us) return NULL;
    gt_timer *timer = timers->heap[0];
    unset(timers, timer);
    return timer;
}
