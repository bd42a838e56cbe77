/* When somebody wants to be woken: a heap of moments. Setting one costs O(log n); libwebsockets' own timers lie in one
 * sorted list, so setting one costs O(n). */
#ifndef GT_NET_TIMERS_H
#define GT_NET_TIMERS_H

#include "base/alloc.h"

typedef struct gt_timer gt_timer;
struct gt_timer {
    uint64_t due_us;
    void (*fire)(gt_timer *timer, uint64_t now_us); /* set by its owner, before it is set */
    uint32_t place;                                 /* in the heap, from 1; 0: not set */
};

typedef struct gt_timers {
    const gt_alloc *alloc;
    gt_timer **heap;
    size_t count, capacity;
} gt_timers;

void gt_timers_init(gt_timers *timers, const gt_alloc *alloc);
void gt_timers_free(gt_timers *timers);

/* Makes room for `count` timers at once; false when there is no memory. Setting within that cannot fail. */
bool gt_timers_reserve(gt_timers *timers, size_t count);

/* UINT64_MAX: not any more. */
void gt_timers_set(gt_timers *timers, gt_timer *timer, uint64_t due_us);
uint64_t gt_timers_next_us(const gt_timers *timers);          /* UINT64_MAX: none */
gt_timer *gt_timers_take(gt_timers *timers, uint64_t now_us); /* the first that is due, no longer set; NULL */

#endif
