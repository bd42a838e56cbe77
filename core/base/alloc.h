/* The allocator that a database was opened with. Every allocation of the engine goes through one, so
 * that a host can count or bound it and a test can let each one fail in turn. */
#ifndef GT_BASE_ALLOC_H
#define GT_BASE_ALLOC_H

#include "goat_port.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef goat_allocator gt_alloc;

/* realloc() and free() of the C library. */
extern const gt_alloc gt_alloc_system;

/* `count * size` bytes, zeroed. NULL when there is no memory or the product overflows. */
void *gt_new(const gt_alloc *alloc, size_t count, size_t size);

/* `pointer` resized to `count * size` bytes; new bytes are not set. NULL (and `pointer` still good)
 * when there is no memory or the product overflows. `count * size` must not be 0. */
void *gt_resize(const gt_alloc *alloc, void *pointer, size_t count, size_t size);

/* NULL is accepted. */
void gt_free(const gt_alloc *alloc, void *pointer);

/* A copy of `len` bytes with a NUL behind them (not counted). */
void *gt_copy(const gt_alloc *alloc, const void *bytes, size_t len);

/* Makes room for one more element in a growable array: doubles `*capacity` when `count` has reached
 * it. False when there is no memory; the array is then unchanged. */
bool gt_reserve(const gt_alloc *alloc, void **array, size_t count, size_t *capacity, size_t size);

#endif
