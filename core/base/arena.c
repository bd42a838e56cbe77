/* Memory is cut from blocks that double from 4 KiB to 64 KiB. A request above a quarter of a block
 * gets one of its own, put behind the current one, so that the rest of the current one is not lost. */
#include "base/arena.h"

#include <stdalign.h>
#include <string.h>

enum {
    ALIGNMENT = alignof(max_align_t),
    BLOCK_SIZE_MIN = 4096,
    BLOCK_SIZE_MAX = 65536,
};

struct gt_arena_block {
    gt_arena_block *older;
    size_t size; /* of the bytes behind this header */
};

enum { HEADER_SIZE = (sizeof(gt_arena_block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT };

_Static_assert((ALIGNMENT & (ALIGNMENT - 1)) == 0, "alignments are powers of two");

static uint8_t *block_bytes(gt_arena_block *block) { return (uint8_t *)block + HEADER_SIZE; }

void gt_arena_init(gt_arena *arena, const gt_alloc *alloc) { *arena = (gt_arena){.alloc = alloc}; }

static void free_blocks(gt_arena *arena, gt_arena_block *block) {
    while (block != NULL) {
        gt_arena_block *older = block->older;
        gt_free(arena->alloc, block);
        block = older;
    }
}

void gt_arena_free(gt_arena *arena) {
    free_blocks(arena, arena->blocks);
    gt_arena_init(arena, arena->alloc);
}

void gt_arena_reset(gt_arena *arena) {
    gt_arena_block *newest = arena->blocks;
    if (newest == NULL) {
        return;
    }
    free_blocks(arena, newest->older);
    newest->older = NULL;
    arena->next = block_bytes(newest);
    arena->left = arena->size = newest->size;
}

static gt_arena_block *new_block(gt_arena *arena, size_t size) {
    if (size > SIZE_MAX - HEADER_SIZE) {
        return NULL;
    }
    gt_arena_block *block = gt_resize(arena->alloc, NULL, HEADER_SIZE + size, 1);
    if (block != NULL) {
        block->older = NULL;
        block->size = size;
    }
    return block;
}

static void *take_from_new_block(gt_arena *arena, size_t size) {
    gt_arena_block *newest = arena->blocks;
    size_t block_size = newest == NULL ? BLOCK_SIZE_MIN : newest->size * 2;
    if (block_size > BLOCK_SIZE_MAX) {
        block_size = BLOCK_SIZE_MAX;
    }
    bool alone = newest != NULL && size > block_size / 4;
    if (alone || size > block_size) {
        block_size = size;
    }
    gt_arena_block *block = new_block(arena, block_size);
    if (block == NULL) {
        return NULL;
    }
    arena->size += block_size;
    if (alone) {
        block->older = newest->older;
        newest->older = block;
        return block_bytes(block);
    }
    block->older = newest;
    arena->blocks = block;
    arena->next = block_bytes(block) + size;
    arena->left = block_size - size;
    return block_bytes(block);
}

static void *take(gt_arena *arena, size_t size, size_t alignment) {
    size_t padding = (size_t)(-(uintptr_t)arena->next & (alignment - 1));
    if (arena->blocks == NULL || padding > arena->left || size > arena->left - padding) {
        return take_from_new_block(arena, size);
    }
    uint8_t *bytes = arena->next + padding;
    arena->next = bytes + size;
    arena->left -= padding + size;
    return bytes;
}

void *gt_arena_new(gt_arena *arena, size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    void *bytes = take(arena, count * size, ALIGNMENT);
    if (bytes != NULL) {
        memset(bytes, 0, count * size);
    }
    return bytes;
}

void *gt_arena_copy(gt_arena *arena, const void *bytes, size_t len) {
    void *copy = take(arena, len, 1);
    if (copy != NULL && len != 0) {
        memcpy(copy, bytes, len);
    }
    return copy;
}
