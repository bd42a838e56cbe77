/* Memory for many small things that go at once: what a decoder or one merge needs. */
#ifndef GT_BASE_ARENA_H
#define GT_BASE_ARENA_H

#include "base/alloc.h"

typedef struct gt_arena_block gt_arena_block;

typedef struct gt_arena {
    const gt_alloc *alloc;
    gt_arena_block *blocks; /* newest first */
    uint8_t *next;
    size_t left;
    size_t size; /* of all blocks */
} gt_arena;

void gt_arena_init(gt_arena *arena, const gt_alloc *alloc);
void gt_arena_free(gt_arena *arena);  /* and ready for use again */
void gt_arena_reset(gt_arena *arena); /* as free, but keeps one block */

/* Zeroed, aligned for any type; NULL when there is no memory or `count * size` overflows. */
void *gt_arena_new(gt_arena *arena, size_t count, size_t size);

/* A copy of `len` bytes. Not aligned. NULL when there is no memory. */
void *gt_arena_copy(gt_arena *arena, const void *bytes, size_t len);

#endif
