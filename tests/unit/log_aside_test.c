/* core/log: damage that is set aside, and damage that comes upon damage. */
#include "support/test.h"

#include "log/log_file.h"
#include "port/sim/sim.h"
#include "support/test_alloc.h"
#include "support/test_log.h"
#include "value/build.h"

#include <stdio.h>
#include <stdlib.h>

enum { RECORDS = 8 };

typedef struct fixture {
    gt_sim_disk *disk;
    test_log_machine machine;
    test_log_model model;
    gt_log *log;
} fixture;

static uint64_t start_of(const fixture *f, size_t record) { return f->model.records[record].offset - 20; }
static uint64_t length_of(const fixture *f, size_t record) { return f->model.records[record].len + 40u; }

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    goat_storage storage;
    f->disk = gt_sim_disk_new(&gt_alloc_system, 1);
    assert_int_equal(gt_sim_storage(f->disk, &storage, NULL), GOAT_OK);
    assert_int_equal(test_log_begin(&f->machine, &gt_alloc_system, &storage), GOAT_OK);
    f->log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    for (size_t i = 0; i < RECORDS; i++) {
        assert_int_equal(test_log_append(f->log, &f->model, i, 10 + i * 7), GOAT_OK);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    test_log_settle(&f->machine);
    test_log_close(&f->machine, f->log);
    test_log_end(&f->machine);
    gt_sim_disk_free(f->disk);
    free(f);
    return 0;
}

static void reopen(fixture *f) {
    test_log_settle(&f->machine);
    test_log_close(&f->machine, f->log);
    f->log = test_log_open_ready(&f->machine, 0);
}

/* Flips a bit in each of these records. */
static void damage(fixture *f, size_t first, size_t count) {
    test_log_settle(&f->machine);
    test_log_close(&f->machine, f->log);
    for (size_t i = first; i < first + count; i++) {
        gt_sim_flip_bit(f->disk, TEST_LOG_NAME, f->model.records[i].offset * 8);
    }
    f->log = test_log_open_ready(&f->machine, 0);
}

/* Stretches in the list, those set aside in brackets: "2 [3,4]" is record 2, and 3 with 4 as one. */
static void damage_is(fixture *f, const char *expected) {
    char text[256] = "";
    size_t count, at = 0;
    const gt_damage *list = gt_log_damage(f->log, &count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(list[i].kind, GT_DAMAGE_MIDDLE);
        size_t first = 0, last;
        while (start_of(f, first) != list[i].offset) first++;
        for (last = first; start_of(f, last) + length_of(f, last) < list[i].offset + list[i].length; last++) {
        }
        at +=
            (size_t)snprintf(text + at, sizeof text - at, i > 0 ? " %s%zu" : "%s%zu", list[i].aside ? "[" : "", first);
        for (size_t r = first + 1; r <= last; r++) at += (size_t)snprintf(text + at, sizeof text - at, ",%zu", r);
        at += (size_t)snprintf(text + at, sizeof text - at, "%s", list[i].aside ? "]" : "");
    }
    assert_string_equal(text, expected);
}

static goat_status set_aside(fixture *f, size_t record) {
    return gt_log_set_aside(f->log, start_of(f, record), length_of(f, record), NULL);
}

static void what_is_set_aside_stays_so(void **state) {
    fixture *f = *state;
    damage(f, 2, 1);
    damage_is(f, "2");
    assert_true(gt_log_has_holes(f->log));
    assert_int_equal(set_aside(f, 2), GOAT_OK);
    damage_is(f, "[2]");
    assert_true(gt_log_has_holes(f->log)); /* records are not where they were */
    uint64_t length = gt_log_length(f->log);
    assert_int_equal(set_aside(f, 2), GOAT_OK); /* once is enough */
    assert_int_equal(gt_log_length(f->log), length);
    reopen(f);
    damage_is(f, "[2]");
    assert_true(gt_log_is_aside(f->log, start_of(f, 2), length_of(f, 2)));
    assert_true(gt_log_is_aside(f->log, start_of(f, 2) + 1, length_of(f, 2) - 2));
    assert_false(gt_log_is_aside(f->log, start_of(f, 2), length_of(f, 2) + 1));
    assert_false(gt_log_is_aside(f->log, start_of(f, 2) - 1, length_of(f, 2)));
    assert_false(gt_log_is_aside(f->log, start_of(f, 5), length_of(f, 5)));
    assert_false(gt_log_is_aside(f->log, UINT64_MAX - 1, UINT64_MAX));
}

/* Of what held before that, nobody knows whether it was lost. */
static void where_something_was_set_aside_last_is_known(void **state) {
    fixture *f = *state;
    damage(f, 2, 2);
    assert_int_equal(gt_log_aside_end(f->log), 0);
    assert_int_equal(set_aside(f, 2), GOAT_OK);
    uint64_t first = gt_log_length(f->log);
    assert_int_equal(gt_log_aside_end(f->log), first);
    assert_int_equal(test_log_append(f->log, &f->model, RECORDS, 10), GOAT_OK);
    assert_int_equal(gt_log_aside_end(f->log), first);
    assert_int_equal(set_aside(f, 3), GOAT_OK);
    uint64_t second = gt_log_length(f->log);
    assert_int_equal(set_aside(f, 2), GOAT_OK); /* it was */
    assert_int_equal(gt_log_aside_end(f->log), second);
    assert_int_equal(test_log_append(f->log, &f->model, RECORDS + 1, 10), GOAT_OK);
    reopen(f);
    assert_int_equal(gt_log_aside_end(f->log), second);
    gt_log_note_aside_end(f->log, first);
    assert_int_equal(gt_log_aside_end(f->log), second);
    gt_log_note_aside_end(f->log, second + 1);
    assert_int_equal(gt_log_aside_end(f->log), second + 1);
}

static void records_set_aside_one_by_one_cover_damage_that_is_one(void **state) {
    fixture *f = *state;
    damage(f, 2, 3);
    damage_is(f, "2,3,4");
    assert_int_equal(set_aside(f, 4), GOAT_OK);
    assert_int_equal(set_aside(f, 2), GOAT_OK);
    damage_is(f, "2,3,4");
    assert_int_equal(set_aside(f, 6), GOAT_OK); /* a sound one may be, too */
    assert_int_equal(set_aside(f, 3), GOAT_OK);
    damage_is(f, "[2,3,4]");
    reopen(f);
    damage_is(f, "[2,3,4]");
}

static void damage_found_in_pieces_becomes_one(void **state) {
    fixture *f = *state;
    assert_int_equal(gt_log_note_hole(f->log, start_of(f, 3), length_of(f, 3)), GOAT_OK);
    assert_int_equal(gt_log_note_hole(f->log, start_of(f, 2), length_of(f, 2)), GOAT_OK);
    assert_int_equal(gt_log_note_hole(f->log, start_of(f, 6), length_of(f, 6)), GOAT_OK);
    assert_int_equal(gt_log_note_hole(f->log, start_of(f, 3), length_of(f, 3)), GOAT_OK);
    damage_is(f, "2 3 6");
    uint64_t both = length_of(f, 2) + length_of(f, 3);
    assert_int_equal(gt_log_note_hole(f->log, start_of(f, 2), both), GOAT_OK);
    damage_is(f, "2,3 6");
    assert_int_equal(gt_log_note_hole(f->log, start_of(f, 3), length_of(f, 3)), GOAT_OK); /* is in it */
    damage_is(f, "2,3 6");
    assert_int_equal(gt_log_note_hole(f->log, start_of(f, 1), length_of(f, 1) + both), GOAT_OK);
    damage_is(f, "1,2,3 6");
    assert_int_equal(set_aside(f, 6), GOAT_OK);
    damage_is(f, "1,2,3 [6]");
}

/* Only what stands before such a record can be named by it, and only so. */
static void other_words_of_such_a_record_are_passed_over(void **state) {
    fixture *f = *state;
    damage(f, 2, 1);
    int64_t start = (int64_t)start_of(f, 2), length = (int64_t)length_of(f, 2);
    const int64_t wrong[][2] = {
        {start, 0},        {start, -1},        {-start, length}, {0, length},
        {1023, INT64_MAX}, {start, INT64_MAX}, {INT64_MAX, 1},   {start, 1 << 20},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        gt_buf bytes;
        gt_buf_init(&bytes, &gt_alloc_system);
        gt_write_array_head(&bytes, 2);
        gt_write_int(&bytes, wrong[i][0]);
        gt_write_int(&bytes, wrong[i][1]);
        assert_int_equal(gt_log_append(f->log, GT_RECORD_SET_ASIDE, gt_buf_bytes(&bytes), NULL, NULL), GOAT_OK);
        gt_buf_free(&bytes);
    }
    static const char *const noise[] = {"",    "\x82", "\x82\x19\x04", "\x81\x01", "\x83\x01\x01\x01", "\x82\x61z\x01",
                                        "\xff"};
    for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++) {
        assert_int_equal(gt_log_append(f->log, GT_RECORD_SET_ASIDE, gt_bytes_text(noise[i]), NULL, NULL), GOAT_OK);
    }
    reopen(f);
    damage_is(f, "2");
    assert_int_equal(set_aside(f, 2), GOAT_OK);
    damage_is(f, "[2]");
}

static void without_memory_nothing_is_set_aside(void **state) {
    fixture *f = *state;
    damage(f, 2, 1);
    test_log_settle(&f->machine);
    test_log_close(&f->machine, f->log);
    bool failed = true;
    for (uint64_t k = 0; failed; k++) {
        test_alloc memory;
        test_alloc_init(&memory, TEST_ALLOC_NEVER);
        f->machine.alloc = &memory.alloc;
        f->log = test_log_open_ready(&f->machine, 0);
        memory.left = k;
        uint64_t length = gt_log_length(f->log);
        goat_status status = set_aside(f, 2);
        failed = memory.failed;
        assert_int_equal(status, failed ? GOAT_NO_MEMORY : GOAT_OK);
        assert_int_equal(gt_log_length(f->log) == length, failed);
        damage_is(f, failed ? "2" : "[2]");
        memory.left = TEST_ALLOC_NEVER;
        test_log_settle(&f->machine);
        test_log_close(&f->machine, f->log);
        test_alloc_assert_empty(&memory);
    }
    f->machine.alloc = &gt_alloc_system;
    f->log = test_log_open_ready(&f->machine, 0);
    damage_is(f, "[2]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_set_aside_stays_so),          TEST(records_set_aside_one_by_one_cover_damage_that_is_one),
        TEST(damage_found_in_pieces_becomes_one),  TEST(other_words_of_such_a_record_are_passed_over),
        TEST(without_memory_nothing_is_set_aside), TEST(where_something_was_set_aside_last_is_known),
    };
    return cmocka_run_group_tests_name("log aside", tests, NULL, NULL);
}
