/* core/base: the index. */
#include "support/test.h"

#include "base/index.h"
#include "support/test_alloc.h"
#include "support/test_random.h"

#include <string.h>

static bool index_has(const gt_index *index, uint64_t hash, uint32_t wanted) {
    gt_index_cursor cursor;
    for (uint32_t r = gt_index_first(index, hash, &cursor); r != GT_INDEX_NONE; r = gt_index_next(index, &cursor)) {
        if (r == wanted) {
            return true;
        }
    }
    return false;
}

static void an_empty_index_has_nothing(void **state) {
    (void)state;
    gt_index index;
    gt_index_init(&index, &gt_alloc_system);
    gt_index_cursor cursor;
    assert_int_equal(gt_index_first(&index, 1234, &cursor), GT_INDEX_NONE);
    assert_int_equal(gt_index_next(&index, &cursor), GT_INDEX_NONE);
    gt_index_adopt(&index, NULL, 0, 0);
    assert_int_equal(gt_index_first(&index, 1234, &cursor), GT_INDEX_NONE);
    gt_index_free(&index);
}

/* Few distinct tags make long runs, the hard case of removal by shifting. */
static void an_index_agrees_with_a_plain_table(void **state) {
    (void)state;
    enum { ROWS = 300, STEPS = 30000 };
    test_random random;
    test_random_init(&random, __func__);
    for (uint32_t tags = 3; tags < 100000; tags *= 13) {
        test_alloc memory;
        test_alloc_init(&memory, TEST_ALLOC_NEVER);
        gt_index index;
        gt_index_init(&index, &memory.alloc);
        uint64_t hashes[ROWS];
        bool present[ROWS] = {false};
        uint32_t count = 0;
        for (int step = 0; step < STEPS; step++) {
            uint32_t r = test_random_below(&random, ROWS);
            if (present[r]) {
                gt_index_remove(&index, hashes[r], r);
                count--;
            } else {
                hashes[r] = (uint64_t)test_random_below(&random, tags) * 0x9e3779b9u << 32 | r;
                assert_true(gt_index_insert(&index, hashes[r], r));
                count++;
            }
            present[r] = !present[r];
            assert_int_equal(index.count, count);
            uint32_t other = test_random_below(&random, ROWS);
            if (present[other]) {
                assert_true(index_has(&index, hashes[other], other));
            }
            assert_true(index_has(&index, hashes[r], r) == present[r]);
        }
        assert_true((uint64_t)index.count * 4 <= (uint64_t)index.capacity * 3);
        for (uint32_t r = 0; r < ROWS; r++) {
            if (present[r]) {
                assert_true(index_has(&index, hashes[r], r));
                gt_index_remove(&index, hashes[r], r);
            }
        }
        assert_int_equal(index.count, 0);
        for (uint32_t i = 0; i < index.capacity; i++) {
            assert_int_equal(index.slots[i].row, 0);
        }
        gt_index_free(&index);
        test_alloc_assert_empty(&memory);
    }
}

static uint64_t spread(uint32_t number) { return number * UINT64_C(0x9e3779b97f4a7c15); }

static void an_adopted_index_works_in_place_until_it_must_grow(void **state) {
    (void)state;
    gt_index made;
    gt_index_init(&made, &gt_alloc_system);
    for (uint32_t r = 0; r < 90; r++) {
        assert_true(gt_index_insert(&made, spread(r), r));
    }
    assert_int_equal(made.capacity, 128);
    gt_index_slot mapped[128];
    memcpy(mapped, made.slots, sizeof mapped);
    gt_index_free(&made);

    test_alloc memory;
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    gt_index index;
    gt_index_init(&index, &memory.alloc);
    gt_index_adopt(&index, mapped, 128, 90);
    gt_index_remove(&index, spread(5), 5);
    assert_true(gt_index_insert(&index, spread(5), 5));
    for (uint32_t r = 90; r < 96; r++) {
        assert_true(gt_index_insert(&index, spread(r), r));
    }
    assert_int_equal(memory.calls, 0);
    assert_ptr_equal(index.slots, mapped);
    assert_true(gt_index_insert(&index, spread(96), 96));
    assert_ptr_not_equal(index.slots, mapped);
    assert_int_equal(index.capacity, 256);
    for (uint32_t r = 0; r < 97; r++) {
        assert_true(index_has(&index, spread(r), r));
    }
    gt_index_free(&index);
    test_alloc_assert_empty(&memory);
}

static void an_index_without_memory_keeps_its_entries(void **state) {
    (void)state;
    test_alloc memory;
    test_alloc_init(&memory, 2);
    gt_index index;
    gt_index_init(&index, &memory.alloc);
    uint32_t count = 0;
    while (gt_index_insert(&index, spread(count), count)) {
        count++;
    }
    assert_int_equal(count, 24);
    assert_int_equal(index.count, 24);
    for (uint32_t r = 0; r < count; r++) {
        assert_true(index_has(&index, spread(r), r));
    }
    gt_index_free(&index);
    test_alloc_assert_empty(&memory);
}

/* A checkpoint that was damaged after its check: all slots in use although a count says otherwise. */
static void damaged_slots_end_every_loop(void **state) {
    (void)state;
    gt_index_slot slots[16];
    for (uint32_t i = 0; i < 16; i++) {
        slots[i] = (gt_index_slot){i + 1, 7};
    }
    gt_index index;
    gt_index_init(&index, &gt_alloc_system);
    gt_index_adopt(&index, slots, 16, 0);
    uint32_t candidates = 0;
    gt_index_cursor cursor;
    for (uint32_t r = gt_index_first(&index, UINT64_C(7) << 32, &cursor); r != GT_INDEX_NONE;
         r = gt_index_next(&index, &cursor)) {
        candidates++;
    }
    assert_int_equal(candidates, 16);
    assert_int_equal(gt_index_first(&index, UINT64_C(8) << 32, &cursor), GT_INDEX_NONE);
    gt_index_remove(&index, UINT64_C(7) << 32, 3);
    assert_true(gt_index_insert(&index, UINT64_C(9) << 32, 100));
    assert_true(gt_index_insert(&index, UINT64_C(9) << 32, 101));
    assert_true(index_has(&index, UINT64_C(9) << 32, 100));
    assert_true(index_has(&index, UINT64_C(9) << 32, 101));
    assert_true(index.count > 16);
    gt_index_free(&index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_index_has_nothing),
        cmocka_unit_test(an_index_agrees_with_a_plain_table),
        cmocka_unit_test(an_adopted_index_works_in_place_until_it_must_grow),
        cmocka_unit_test(an_index_without_memory_keeps_its_entries),
        cmocka_unit_test(damaged_slots_end_every_loop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
