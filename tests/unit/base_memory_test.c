/* core/base: memory, buffers, arenas and rows. */
#include "support/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/rows.h"
#include "support/test_alloc.h"

#include <stdlib.h>
#include <string.h>

/* ---- Memory -------------------------------------------------------------------------------- */

static void new_memory_is_zero_and_sizes_are_checked(void **state) {
    (void)state;
    test_alloc memory;
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    uint8_t *bytes = gt_new(&memory.alloc, 7, 3);
    for (int i = 0; i < 21; i++) {
        assert_int_equal(bytes[i], 0);
    }
    gt_free(&memory.alloc, bytes);
    void *empty = gt_new(&memory.alloc, 0, 8);
    assert_non_null(empty);
    gt_free(&memory.alloc, empty);
    assert_null(gt_new(&memory.alloc, SIZE_MAX / 2, 3));
    assert_null(gt_resize(&memory.alloc, NULL, SIZE_MAX / 2, 3));
    assert_null(gt_copy(&memory.alloc, "", SIZE_MAX));
    gt_free(&memory.alloc, NULL);
    test_alloc_assert_empty(&memory);
}

static void a_copy_ends_with_a_nul_that_is_not_counted(void **state) {
    (void)state;
    char *copy = gt_copy(&gt_alloc_system, "goat", 3);
    assert_string_equal(copy, "goa");
    gt_free(&gt_alloc_system, copy);
    copy = gt_copy(&gt_alloc_system, NULL, 0);
    assert_string_equal(copy, "");
    gt_free(&gt_alloc_system, copy);
}

static void reserving_keeps_the_array_when_memory_runs_out(void **state) {
    (void)state;
    test_alloc memory;
    test_alloc_init(&memory, 2);
    uint32_t *array = NULL;
    size_t count = 0, capacity = 0;
    while (gt_reserve(&memory.alloc, (void **)&array, count, &capacity, sizeof *array)) {
        array[count] = (uint32_t)count;
        count++;
    }
    assert_true(memory.failed);
    assert_int_equal(count, capacity);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(array[i], i);
    }
    gt_free(&memory.alloc, array);
    test_alloc_assert_empty(&memory);
}

static void a_buffer_grows_and_remembers_failure(void **state) {
    (void)state;
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        test_alloc_init(&memory, k);
        gt_buf buf;
        gt_buf_init(&buf, &memory.alloc);
        for (int i = 0; i < 1000; i++) {
            gt_buf_append(&buf, "goat", 4);
            gt_buf_append_byte(&buf, 's');
        }
        assert_true(gt_buf_failed(&buf) == memory.failed);
        if (!memory.failed) {
            assert_int_equal(buf.len, 5000);
            assert_memory_equal(buf.data + 4995, "goats", 5);
            gt_buf_free(&buf);
            test_alloc_assert_empty(&memory);
            return;
        }
        size_t len = buf.len;
        gt_buf_append(&buf, "more", 4);
        assert_null(gt_buf_reserve(&buf, 0));
        assert_int_equal(buf.len, len);
        gt_buf_clear(&buf);
        assert_false(gt_buf_failed(&buf));
        gt_buf_free(&buf);
        test_alloc_assert_empty(&memory);
    }
}

static void reserving_in_a_buffer_gives_room_and_refuses_overflow(void **state) {
    (void)state;
    gt_buf buf;
    gt_buf_init(&buf, &gt_alloc_system);
    assert_non_null(gt_buf_reserve(&buf, 0));
    memset(gt_buf_reserve(&buf, 1000), 7, 1000);
    buf.len += 1000;
    gt_buf_append(&buf, NULL, 0);
    assert_int_equal(gt_buf_bytes(&buf).len, 1000);
    assert_null(gt_buf_reserve(&buf, SIZE_MAX - 10));
    assert_true(gt_buf_failed(&buf));
    gt_buf_free(&buf);
    assert_false(gt_buf_failed(&buf));
}

static void arena_memory_is_aligned_zeroed_and_apart(void **state) {
    (void)state;
    test_alloc memory;
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    gt_arena arena;
    gt_arena_init(&arena, &memory.alloc);
    enum { COUNT = 600 };
    uint8_t *made[COUNT];
    size_t sizes[COUNT];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT; i++) {
            sizes[i] = i % 50 == 49 ? i * 100 : i % 97;
            if (i % 3 == 0) {
                made[i] = gt_arena_copy(&arena, "0123456789", 10);
                sizes[i] = 10;
                assert_memory_equal(made[i], "0123456789", 10);
            } else {
                made[i] = gt_arena_new(&arena, sizes[i], 1);
                assert_int_equal((uintptr_t)made[i] % _Alignof(max_align_t), 0);
            }
            for (size_t j = 0; i % 3 != 0 && j < sizes[i]; j++) {
                assert_int_equal(made[i][j], 0);
            }
            memset(made[i], (int)(i % 251), sizes[i]);
        }
        for (size_t i = 0; i < COUNT; i++) {
            for (size_t j = 0; j < sizes[i]; j++) {
                assert_int_equal(made[i][j], i % 251);
            }
        }
        gt_arena_reset(&arena);
        assert_int_equal(memory.live_blocks, 1);
    }
    assert_null(gt_arena_new(&arena, SIZE_MAX, 2));
    assert_null(gt_arena_new(&arena, SIZE_MAX - 4, 1));
    gt_arena_free(&arena);
    gt_arena_reset(&arena);
    test_alloc_assert_empty(&memory);
}

static void an_arena_without_memory_gives_null_and_stays_usable(void **state) {
    (void)state;
    test_alloc memory;
    test_alloc_init(&memory, 1);
    gt_arena arena;
    gt_arena_init(&arena, &memory.alloc);
    uint8_t *first = gt_arena_copy(&arena, "kept", 4);
    assert_non_null(first);
    assert_null(gt_arena_new(&arena, 100000, 1));
    assert_memory_equal(first, "kept", 4);
    assert_non_null(gt_arena_new(&arena, 8, 1));
    gt_arena_free(&arena);
    test_alloc_assert_empty(&memory);
}

/* ---- Rows ---------------------------------------------------------------------------------- */

typedef struct row {
    uint32_t value;
    uint8_t padding[9];
} row;

static void rows_never_move_and_begin_as_zero(void **state) {
    (void)state;
    gt_rows rows;
    gt_rows_init(&rows, &gt_alloc_system, sizeof(row));
    row *first = gt_rows_push(&rows);
    first->value = 77;
    for (uint32_t i = 1; i < 5 * GT_ROWS_PAGE + 1; i++) {
        row *r = gt_rows_push(&rows);
        assert_int_equal(r->value, 0);
        r->value = i;
    }
    assert_ptr_equal(first, gt_rows_at(&rows, 0));
    for (uint32_t i = 1; i < rows.count; i++) {
        assert_int_equal(((row *)gt_rows_at(&rows, i))->value, i);
    }
    gt_rows_pop(&rows);
    gt_rows_pop(&rows);
    assert_int_equal(rows.count, 5 * GT_ROWS_PAGE - 1);
    assert_int_equal(((row *)gt_rows_push(&rows))->value, 0);
    gt_rows_free(&rows);
    assert_int_equal(rows.count, 0);
}

static void adopted_rows_are_used_in_place_and_can_be_added_to(void **state) {
    (void)state;
    static const uint32_t counts[] = {0, 1, GT_ROWS_PAGE - 1, GT_ROWS_PAGE, GT_ROWS_PAGE + 1, 3 * GT_ROWS_PAGE + 5};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        uint32_t count = counts[c];
        /* Exactly as many rows as are adopted, so that a sanitizer sees any step beyond. */
        row *base = calloc(count == 0 ? 1 : count, sizeof *base);
        for (uint32_t i = 0; i < count; i++) {
            base[i].value = i + 1;
        }
        test_alloc memory;
        test_alloc_init(&memory, TEST_ALLOC_NEVER);
        gt_rows rows;
        gt_rows_init(&rows, &memory.alloc, sizeof(row));
        assert_true(gt_rows_adopt(&rows, base, count));
        assert_int_equal(rows.count, count);
        for (uint32_t i = 0; i < 2 * GT_ROWS_PAGE; i++) {
            ((row *)gt_rows_push(&rows))->value = count + i + 1;
        }
        for (uint32_t i = 0; i < rows.count; i++) {
            assert_int_equal(((row *)gt_rows_at(&rows, i))->value, i + 1);
        }
        if (count >= GT_ROWS_PAGE) {
            assert_ptr_equal(gt_rows_at(&rows, 5), base + 5);
        }
        while (rows.count > count / 2) {
            gt_rows_pop(&rows);
        }
        assert_int_equal(((row *)gt_rows_push(&rows))->value, 0);
        gt_rows_free(&rows);
        test_alloc_assert_empty(&memory);
        free(base);
    }
}

static void rows_without_memory_stay_as_they_were(void **state) {
    (void)state;
    row base[GT_ROWS_PAGE + 3];
    memset(base, 0, sizeof base);
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        test_alloc_init(&memory, k);
        gt_rows rows;
        gt_rows_init(&rows, &memory.alloc, sizeof(row));
        bool adopted = gt_rows_adopt(&rows, base, GT_ROWS_PAGE + 3);
        assert_int_equal(rows.count, adopted ? GT_ROWS_PAGE + 3 : 0);
        uint32_t pushed = rows.count;
        while (pushed < 20 * GT_ROWS_PAGE && gt_rows_push(&rows) != NULL) {
            pushed++;
        }
        assert_int_equal(rows.count, pushed);
        gt_rows_free(&rows);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            return;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_memory_is_zero_and_sizes_are_checked),
        cmocka_unit_test(a_copy_ends_with_a_nul_that_is_not_counted),
        cmocka_unit_test(reserving_keeps_the_array_when_memory_runs_out),
        cmocka_unit_test(a_buffer_grows_and_remembers_failure),
        cmocka_unit_test(reserving_in_a_buffer_gives_room_and_refuses_overflow),
        cmocka_unit_test(arena_memory_is_aligned_zeroed_and_apart),
        cmocka_unit_test(an_arena_without_memory_gives_null_and_stays_usable),
        cmocka_unit_test(rows_never_move_and_begin_as_zero),
        cmocka_unit_test(adopted_rows_are_used_in_place_and_can_be_added_to),
        cmocka_unit_test(rows_without_memory_stay_as_they_were),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
