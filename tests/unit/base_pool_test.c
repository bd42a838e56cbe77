/* core/base: memory that comes and goes piece by piece, or all at once. */
#include "support/test.h"

#include "base/pool.h"
#include "support/test_alloc.h"
#include "support/test_random.h"

#include <string.h>

enum { PIECES = 400 };

static void what_is_taken_is_aligned_and_apart(void **state) {
    (void)state;
    test_alloc memory;
    test_random random;
    gt_pool pool;
    uint8_t *pieces[PIECES] = {NULL};
    size_t sizes[PIECES] = {0};
    test_random_init(&random, __func__);
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    gt_pool_init(&pool, &memory.alloc);
    for (int round = 0; round < 20000; round++) {
        size_t i = test_random_below(&random, PIECES);
        if (pieces[i] != NULL) {
            for (size_t j = 0; j < sizes[i]; j++) assert_int_equal(pieces[i][j], i % 251);
            gt_pool_give(&pool, pieces[i], sizes[i]);
        }
        sizes[i] = 1 + test_random_below(&random, round % 10 == 0 ? 3 * GT_POOL_SMALL_MAX : 100);
        pieces[i] = gt_pool_take(&pool, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        memset(pieces[i], (int)(i % 251), sizes[i]);
    }
    gt_pool_free(&pool);
    test_alloc_assert_empty(&memory);
}

static void what_was_given_back_is_used_again(void **state) {
    (void)state;
    test_alloc memory;
    gt_pool pool;
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    gt_pool_init(&pool, &memory.alloc);
    for (int round = 0; round < 100000; round++) {
        void *small = gt_pool_take(&pool, 1 + (size_t)(round % 64));
        void *large = gt_pool_take(&pool, GT_POOL_SMALL_MAX + 1);
        gt_pool_give(&pool, small, 1 + (size_t)(round % 64));
        gt_pool_give(&pool, large, GT_POOL_SMALL_MAX + 1);
    }
    assert_true(memory.most_bytes < 8192);
    gt_pool_free(&pool);
    test_alloc_assert_empty(&memory);
}

/* The reason for it: what a hundred thousand things cost when they go is the cost of some blocks. */
static void many_small_things_are_few_allocations(void **state) {
    (void)state;
    test_alloc memory;
    gt_pool pool;
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    gt_pool_init(&pool, &memory.alloc);
    for (int i = 0; i < 100000; i++) assert_non_null(gt_pool_take(&pool, 64));
    assert_true(memory.live_blocks < 120);
    gt_pool_free(&pool);
    test_alloc_assert_empty(&memory);
}

static void without_memory_there_is_nothing_and_no_harm(void **state) {
    (void)state;
    for (uint64_t k = 0; k < 6; k++) {
        test_alloc memory;
        gt_pool pool;
        test_alloc_init(&memory, k);
        gt_pool_init(&pool, &memory.alloc);
        for (int i = 0; i < 1000; i++) {
            void *small = gt_pool_take(&pool, 40), *large = gt_pool_take(&pool, 4000);
            if (i % 2 == 0 && small != NULL) gt_pool_give(&pool, small, 40);
            if (i % 2 == 0 && large != NULL) gt_pool_give(&pool, large, 4000);
        }
        assert_true(memory.failed);
        assert_null(gt_pool_take(&pool, SIZE_MAX));
        gt_pool_free(&pool);
        test_alloc_assert_empty(&memory);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_is_aligned_and_apart),
        cmocka_unit_test(what_was_given_back_is_used_again),
        cmocka_unit_test(many_small_things_are_few_allocations),
        cmocka_unit_test(without_memory_there_is_nothing_and_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
