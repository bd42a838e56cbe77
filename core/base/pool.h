/* Memory for many small things of different sizes that come and go one by one, and may go all at once: what a query keeps
 * for each row of its result. What was given back is used again for things of the same size, rounded up. */
#ifndef GT_BASE_POOL_H
#define GT_BASE_POOL_H

#include "base/arena.h"

enum {
    GT_POOL_STEP = 16,      /* sizes are rounded up to it */
    GT_POOL_SMALL_MAX = 512 /* larger ones are allocations of their own */
};

typedef struct gt_pool_large gt_pool_large;

typedef struct gt_pool {
    gt_arena arena;
    void *free[GT_POOL_SMALL_MAX / GT_POOL_STEP]; /* by size; each begins with a pointer to the next */
    gt_pool_large *large;
} gt_pool;

void gt_pool_init(gt_pool *pool, const gt_alloc *alloc);
void gt_pool_free(gt_pool *pool); /* everything goes, at the cost of the blocks; ready for use again */

/* `size` bytes, at least one; not zeroed, aligned for any type. NULL when there is no memory. */
void *gt_pool_take(gt_pool *pool, size_t size);

/* Gives back what gt_pool_take gave for that size. */
void gt_pool_give(gt_pool *pool, void *bytes, size_t size);

#endif
