/* core/base: memory, bytes, tables, text, checksums. */
#include "support/test.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/crc32c.h"
#include "base/index.h"
#include "base/rows.h"
#include "base/status.h"
#include "base/utf8.h"

#include "support/test_alloc.h"
#include "support/test_random.h"

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

/* ---- Index --------------------------------------------------------------------------------- */

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

/* ---- Text ---------------------------------------------------------------------------------- */

/* The definition of RFC 3629, written the slow way. */
static bool slowly_valid(const uint8_t *text, size_t len) {
    size_t at = 0;
    while (at < len) {
        uint8_t first = text[at];
        size_t more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
        uint32_t least[] = {0, 0x80, 0x800, 0x10000};
        if ((first >= 0x80 && first < 0xc0) || first >= 0xf8 || at + more >= len + (more == 0)) {
            return false;
        }
        uint32_t code = more == 0 ? first : first & (0x3fu >> more);
        for (size_t i = 1; i <= more; i++) {
            if ((text[at + i] & 0xc0) != 0x80) {
                return false;
            }
            code = code << 6 | (text[at + i] & 0x3f);
        }
        if (code < least[more] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
            return false;
        }
        at += more + 1;
    }
    return true;
}

static void utf8_agrees_with_the_definition(void **state) {
    (void)state;
    /* Every sequence of up to three bytes that begins beyond ASCII, with ASCII around it. */
    for (uint32_t word = 0x800000; word < 0x1000000; word++) {
        uint8_t text[5] = {(uint8_t)(word >> 16), (uint8_t)(word >> 8), (uint8_t)word, 'a', 'b'};
        if (gt_utf8_valid(text, 3, NULL) != slowly_valid(text, 3)) {
            fail_msg("%06x", word);
        }
        if ((word & 0xff) == 0 && gt_utf8_valid(text, 2, NULL) != slowly_valid(text, 2)) {
            fail_msg("%04x", word >> 8);
        }
    }
    test_random random;
    test_random_init(&random, __func__);
    static const uint8_t interesting[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1,
                                          0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff};
    for (int i = 0; i < 300000; i++) {
        uint8_t text[24];
        size_t len = test_random_below(&random, sizeof text);
        for (size_t j = 0; j < len; j++) {
            text[j] =
                test_random_below(&random, 4) != 0 ? 'a' : interesting[test_random_below(&random, sizeof interesting)];
        }
        assert_true(gt_utf8_valid(text, len, NULL) == slowly_valid(text, len));
    }
}

static void utf8_says_where_it_is_wrong(void **state) {
    (void)state;
    size_t position = 99;
    assert_true(gt_utf8_valid("", 0, &position));
    assert_true(gt_utf8_valid("twelve bytes", 12, &position));
    assert_int_equal(position, 99);
    assert_false(gt_utf8_valid("twelve bytes\xff", 13, &position));
    assert_int_equal(position, 12);
    assert_false(gt_utf8_valid("Zicklein \xf0\x9f\x90", 12, &position));
    assert_int_equal(position, 9);
    assert_false(gt_utf8_valid("\xc3\xa9\xed\xa0\x80", 5, &position));
    assert_int_equal(position, 2);
}

static void cutting_never_splits_a_code_point(void **state) {
    (void)state;
    const char *text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x90\x90z"; /* 1, 2, 3, 4 and 1 bytes */
    static const size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11};
    for (size_t len = 0; len <= 11; len++) {
        assert_int_equal(gt_utf8_cut(text, len), expected[len]);
    }
    assert_int_equal(gt_utf8_count(text, 11), 5);
    assert_int_equal(gt_utf8_cut("\x80\x80\x80\x80\x80", 5), 5);
}

static void code_points_are_counted_eight_bytes_at_a_time(void **state) {
    (void)state;
    static const char *const letters[] = {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x90\x90"};
    char text[128];
    for (uint32_t seed = 0; seed < 2000; seed++) {
        size_t len = 0, ends[32] = {0}, pairs[32] = {0};
        uint32_t random = seed * 2654435761u;
        for (uint32_t count = 0; count < 31; count++) {
            const char *letter = letters[(random >> (count % 16 * 2) & 3) * (seed % 3 != 0)];
            memcpy(text + len, letter, strlen(letter));
            len += strlen(letter);
            ends[count + 1] = len;
            pairs[count + 1] = pairs[count] + (strlen(letter) == 4);
        }
        for (uint32_t count = 0; count < 32; count++) {
            assert_int_equal(gt_utf8_count(text, ends[count]), count);
            gt_utf8_lengths lengths = gt_utf8_lengths_of(text, ends[count]);
            assert_int_equal(lengths.bytes, ends[count]);
            assert_int_equal(lengths.points, count);
            assert_int_equal(lengths.pairs, pairs[count]);
            assert_int_equal(gt_utf8_bytes(gt_bytes_of(text, len), count), ends[count]);
            assert_int_equal(gt_utf8_bytes(gt_bytes_of(text, ends[count]), 40), ends[count]);
        }
    }
}

/* More than the counts of one byte hold. */
static void a_long_text_is_as_long_as_its_parts(void **state) {
    (void)state;
    static char text[40000];
    for (size_t at = 0; at + 10 <= sizeof(text); at += 10) {
        memcpy(text + at, "\xf0\x9f\x90\x90\xf0\x9f\x90\x90\xc3\xa9", 10);
    }
    gt_utf8_lengths lengths = gt_utf8_lengths_of(text, sizeof(text));
    assert_int_equal(lengths.points, 3 * sizeof(text) / 10);
    assert_int_equal(lengths.pairs, 2 * sizeof(text) / 10);
    memset(text, 'a', sizeof(text));
    assert_int_equal(gt_utf8_lengths_of(text, sizeof(text)).points, sizeof(text));
    text[sizeof(text) - 64] = '\xc3';
    text[sizeof(text) - 63] = '\xa9';
    assert_int_equal(gt_utf8_lengths_of(text, sizeof(text)).points, sizeof(text) - 1);
}

static void hexadecimal_goes_both_ways(void **state) {
    (void)state;
    const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    char text[9];
    gt_hex(text, bytes, sizeof bytes);
    assert_string_equal(text, "000fa5ff");
    uint8_t back[4];
    assert_true(gt_unhex(back, 4, "000FA5ff", 8));
    assert_memory_equal(back, bytes, 4);
    assert_false(gt_unhex(back, 4, "000fa5f", 7));
    assert_false(gt_unhex(back, 4, "000fa5fff", 9));
    assert_false(gt_unhex(back, 4, "000fa5fg", 8));
    assert_false(gt_unhex(back, 4, "000fa5 f", 8));
}

/* ---- Checksum ------------------------------------------------------------------------------ */

static void crc32c_gives_the_values_of_rfc_3720(void **state) {
    (void)state;
    uint8_t bytes[32];
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(gt_crc32c(0, bytes, 32), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(gt_crc32c(0, bytes, 32), 0x62a8ab43);
    for (int i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)i;
    }
    assert_int_equal(gt_crc32c(0, bytes, 32), 0x46dd794e);
    for (int i = 0; i < 32; i++) {
        bytes[i] = (uint8_t)(31 - i);
    }
    assert_int_equal(gt_crc32c(0, bytes, 32), 0x113fdb5c);
    assert_int_equal(gt_crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(gt_crc32c(0, "", 0), 0);
}

static void crc32c_is_the_same_by_table_and_in_pieces(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, __func__);
    uint8_t bytes[300];
    test_random_fill(&random, bytes, sizeof bytes);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        uint32_t whole = gt_crc32c(0, bytes, len);
        assert_int_equal(whole, gt_crc32c_portable(0, bytes, len));
        size_t cut = test_random_below(&random, (uint32_t)len + 1);
        assert_int_equal(whole, gt_crc32c(gt_crc32c(0, bytes, cut), bytes + cut, len - cut));
        assert_int_equal(whole, gt_crc32c_portable(gt_crc32c(0, bytes, cut), bytes + cut, len - cut));
    }
}

/* What is long goes in lanes of 4,096 bytes. */
static void crc32c_of_what_is_long_is_the_same_by_table(void **state) {
    (void)state;
    enum { LANES = 3 * 4096 };
    static uint8_t bytes[2 * LANES + 100];
    test_random random;
    test_random_init(&random, __func__);
    test_random_fill(&random, bytes, sizeof bytes);
    for (size_t i = 0; i < 100; i++) {
        size_t begin = test_random_below(&random, 9), len = (1 + i % 2) * LANES - 10 + test_random_below(&random, 21);
        uint32_t crc = (uint32_t)test_random_u64(&random);
        assert_int_equal(gt_crc32c(crc, bytes + begin, len), gt_crc32c_portable(crc, bytes + begin, len));
    }
}

/* ---- Bytes and diagnostics ----------------------------------------------------------------- */

static void fields_are_little_endian_and_bytes_compare_by_prefix(void **state) {
    (void)state;
    uint8_t bytes[8];
    gt_put_u64(bytes, UINT64_C(0x0102030405060708));
    assert_int_equal(bytes[0], 8);
    assert_true(gt_get_u64(bytes) == UINT64_C(0x0102030405060708));
    assert_int_equal(gt_get_u32(bytes), 0x05060708);
    assert_int_equal(gt_get_u16(bytes + 6), 0x0102);
    assert_true(gt_bytes_compare(gt_bytes_text("ab"), gt_bytes_text("abc")) < 0);
    assert_true(gt_bytes_compare(gt_bytes_text("b"), gt_bytes_text("abc")) > 0);
    assert_int_equal(gt_bytes_compare(gt_bytes_of(NULL, 0), gt_bytes_text("")), 0);
    assert_true(gt_bytes_equal(gt_bytes_of(NULL, 0), gt_bytes_text("")));
    assert_false(gt_bytes_equal(gt_bytes_text("ab"), gt_bytes_text("aB")));
}

static void a_diagnostic_says_what_and_where(void **state) {
    (void)state;
    gt_diag diag;
    memset(&diag, 0x55, sizeof diag);
    gt_diag_init(&diag);
    assert_false(gt_diag_is_set(&diag));
    assert_false(gt_diag_is_set(NULL));
    assert_int_equal(gt_fail_at(&diag, GOAT_INVALID, 17, "expected %s", "a goat"), GOAT_INVALID);
    gt_diag_path(&diag, "/data/tasks/1", 13);
    gt_diag_field(&diag, "title", 5);
    gt_diag_rule(&diag, "required");
    assert_true(gt_diag_is_set(&diag));
    assert_int_equal(diag.position, 17);
    assert_string_equal(diag.message, "expected a goat");
    assert_string_equal(diag.path, "/data/tasks/1");
    assert_string_equal(diag.field, "title");
    assert_string_equal(diag.rule, "required");
    assert_int_equal(gt_no_memory(&diag), GOAT_NO_MEMORY);
    assert_string_equal(diag.path, "");
    assert_string_equal(diag.rule, "");
    assert_true(diag.position == GT_NO_POSITION);

    assert_int_equal(gt_fail(NULL, GOAT_IO, "nobody listens"), GOAT_IO);
    gt_diag_path(NULL, "x", 1);
    gt_diag_field(NULL, "x", 1);
    gt_diag_rule(NULL, "x");
}

static void a_diagnostic_is_one_printable_line_within_its_bounds(void **state) {
    (void)state;
    gt_diag diag;
    gt_fail(&diag, GOAT_INVALID, "%s",
            "a\nb\x1b[31m\xff\xc2\x9b"
            "c");
    assert_string_equal(diag.message, "a?b?[31m???c");
    char text[3000];
    for (size_t i = 0; i < sizeof text - 1; i += 2) {
        memcpy(text + i, "\xc3\xa9", 2);
    }
    text[sizeof text - 2] = 0;
    gt_fail(&diag, GOAT_INVALID, "%s", text);
    gt_diag_path(&diag, text, strlen(text));
    gt_diag_field(&diag, text, strlen(text));
    assert_int_equal(strlen(diag.message), GT_DIAG_MESSAGE_MAX - 2);
    assert_int_equal(strlen(diag.path), GT_DIAG_PATH_MAX - 2);
    assert_int_equal(strlen(diag.field), GT_DIAG_NAME_MAX - 2);
    assert_true(gt_utf8_valid(diag.message, strlen(diag.message), NULL));
    gt_diag_path(&diag, "a\0b", 3);
    assert_string_equal(diag.path, "a?b");
}

static void every_status_has_its_own_name(void **state) {
    (void)state;
    assert_string_equal(gt_status_name(GOAT_OK), "GOAT_OK");
    assert_string_equal(gt_status_name(GOAT_NEWER_FORMAT), "GOAT_NEWER_FORMAT");
    assert_string_equal(gt_status_name(-1), "GOAT_UNKNOWN");
    int named = 0;
    for (goat_status a = 0; a < 200; a++) {
        const char *name = gt_status_name(a);
        named += strcmp(name, "GOAT_UNKNOWN") != 0;
        for (goat_status b = 0; b < a; b++) {
            assert_true(strcmp(name, "GOAT_UNKNOWN") == 0 || strcmp(name, gt_status_name(b)) != 0);
        }
    }
    assert_int_equal(named, 25);
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
        cmocka_unit_test(an_empty_index_has_nothing),
        cmocka_unit_test(an_index_agrees_with_a_plain_table),
        cmocka_unit_test(an_adopted_index_works_in_place_until_it_must_grow),
        cmocka_unit_test(an_index_without_memory_keeps_its_entries),
        cmocka_unit_test(damaged_slots_end_every_loop),
        cmocka_unit_test(utf8_agrees_with_the_definition),
        cmocka_unit_test(utf8_says_where_it_is_wrong),
        cmocka_unit_test(cutting_never_splits_a_code_point),
        cmocka_unit_test(code_points_are_counted_eight_bytes_at_a_time),
        cmocka_unit_test(a_long_text_is_as_long_as_its_parts),
        cmocka_unit_test(hexadecimal_goes_both_ways),
        cmocka_unit_test(crc32c_gives_the_values_of_rfc_3720),
        cmocka_unit_test(crc32c_is_the_same_by_table_and_in_pieces),
        cmocka_unit_test(crc32c_of_what_is_long_is_the_same_by_table),
        cmocka_unit_test(fields_are_little_endian_and_bytes_compare_by_prefix),
        cmocka_unit_test(a_diagnostic_says_what_and_where),
        cmocka_unit_test(a_diagnostic_is_one_printable_line_within_its_bounds),
        cmocka_unit_test(every_status_has_its_own_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
