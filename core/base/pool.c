/* Small things are cut from an arena, which never gets smaller; large ones stand alone in a list. */
#include "base/pool.h"

#include "base/assert.h"

#include <stdalign.h>
#include <string.h>

struct gt_pool_large {
    alignas(max_align_t) gt_pool_large *next;
    gt_pool_large *before;
};

_Static_assert(GT_POOL_STEP >= alignof(max_align_t) && GT_POOL_STEP % alignof(max_align_t) == 0,
               "aligned for any type");

void gt_pool_init(gt_pool *pool, const gt_alloc *alloc) {
    *pool = (gt_pool){0};
    gt_arena_init(&pool->arena, alloc);
}

void gt_pool_free(gt_pool *pool) {
    while (pool->large != NULL) {
        gt_pool_large *large = pool->large;
        pool->large = large->next;
        gt_free(pool->arena.alloc, large);
    }
    gt_arena_free(&pool->arena);
    gt_pool_init(pool, pool->arena.alloc);
}

static size_t class_of(size_t size) { return (size - 1) / GT_POOL_STEP; }

static void *take_large(gt_pool *pool, size_t size) {
    gt_pool_large *large =
        size > SIZE_MAX - sizeof(*large) ? NULL : gt_resize(pool->arena.alloc, NULL, sizeof(*large) + size, 1);
    if (large == NULL) return NULL;
    large->before = NULL;
    large->next = pool->large;
    if (large->next != NULL) large->next->before = large;
    pool->large = large;
    return large + 1;
}

void *gt_pool_take(gt_pool *pool, size_t size) {
    GOAT_ASSERT(size > 0);
    if (size > GT_POOL_SMALL_MAX) return take_large(pool, size);
    size_t class = class_of(size);
    void *bytes = pool->free[class];
    if (bytes == NULL) return gt_arena_new(&pool->arena, 1, (class + 1) * GT_POOL_STEP);
    memcpy(&pool->free[class], bytes, sizeof(void *));
    return bytes;
}

void gt_pool_give(gt_pool *pool, void *bytes, size_t size) {
    if (size > GT_POOL_SMALL_MAX) {
        gt_pool_large *large = (gt_pool_large *)bytes - 1;
        if (large->before != NULL) {
            large->before->next = large->next;
        } else {
            pool->large = large->next;
        }
        if (large->next != NULL) large->next->before = large->before;
        gt_free(pool->arena.alloc, large);
        return;
    }
    size_t class = class_of(size);
    memcpy(bytes, &pool->free[class], sizeof(void *));
    pool->free[class] = bytes;
}
