/* An allocator that counts what is alive and fails when told to: the way to let each allocation of a
 * piece of work fail in turn.
 *
 *     test_alloc memory;
 *     for (uint64_t k = 0;; k++) {
 *         test_alloc_init(&memory, k);
 *         goat_status status = work(&memory.alloc);
 *         test_alloc_assert_empty(&memory);
 *         if (!memory.failed) break;      // it needed no more than k allocations
 *         assert_int_equal(status, GOAT_NO_MEMORY);
 *     }
 */
#ifndef TEST_ALLOC_H
#define TEST_ALLOC_H

#include "base/alloc.h"

#define TEST_ALLOC_NEVER UINT64_MAX

typedef struct test_alloc {
    gt_alloc alloc; /* its context is this structure: do not move it */
    uint64_t left;  /* allocations that still succeed; then one fails, and all after it */
    bool once;      /* … or after that one none */
    bool failed;
    size_t live_blocks;
    size_t live_bytes;
    size_t most_bytes;
    uint64_t calls; /* that asked for memory */
    uint64_t bytes; /* … and how much they asked for */
} test_alloc;

void test_alloc_init(test_alloc *memory, uint64_t allocations_before_failure);
void test_alloc_assert_empty(const test_alloc *memory);

#endif
