/* core/log on files that are not what was written: each bit flipped, each cut, and damage at random. Found, named,
 * and everything else still read. */
#include "support/test.h"

#include "base/crc32c.h"
#include "log/log_file.h"
#include "port/sim/sim.h"

#include "support/test_log.h"
#include "support/test_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECORDS = 10 };

typedef struct fixture {
    gt_sim_disk *disk;
    test_log_machine machine;
    test_log_model model; /* of the log as it was written */
    uint8_t *good;
    size_t len;
} fixture;

static uint64_t start_of(const fixture *f, size_t record) { return f->model.records[record].offset - 20; }
static uint64_t end_of(const fixture *f, size_t record) {
    return f->model.records[record].offset + f->model.records[record].len + 20;
}

static int setup(void **state) {
    fixture *f = calloc(1, sizeof *f);
    goat_storage storage;
    f->disk = gt_sim_disk_new(&gt_alloc_system, 1);
    assert_int_equal(gt_sim_storage(f->disk, &storage, NULL), GOAT_OK);
    assert_int_equal(test_log_begin(&f->machine, &gt_alloc_system, &storage), GOAT_OK);
    gt_log *log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    for (size_t i = 0; i < RECORDS; i++) {
        assert_int_equal(test_log_append(log, &f->model, i, i * 5), GOAT_OK);
    }
    test_log_settle(&f->machine);
    test_log_close(&f->machine, log);
    gt_bytes file = gt_sim_file(f->disk, TEST_LOG_NAME);
    f->good = gt_copy(&gt_alloc_system, file.data, file.len);
    f->len = file.len;
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    test_log_end(&f->machine);
    gt_sim_disk_free(f->disk);
    free(f->good);
    free(f);
    return 0;
}

static void put(fixture *f, const uint8_t *bytes, size_t len) {
    assert_true(gt_sim_put_file(f->disk, TEST_LOG_NAME, gt_bytes_of(bytes, len)));
}

static gt_bytes torn_file(const fixture *f, uint64_t offset) {
    char name[64];
    snprintf(name, sizeof name, "repos/data/goats.torn-%llu", (unsigned long long)offset);
    return gt_sim_file(f->disk, name);
}

static void remove_torn_file(fixture *f, uint64_t offset) {
    char name[64];
    snprintf(name, sizeof name, "repos/data/goats.torn-%llu", (unsigned long long)offset);
    goat_io_request request = {.kind = GOAT_IO_REMOVE, .name = name};
    assert_int_equal(gt_io_submit(f->machine.io, &request, NULL, NULL), GOAT_OK);
    test_log_settle(&f->machine);
}

static void assert_one_damage(const gt_log *log, gt_damage_kind kind, uint64_t offset, uint64_t end) {
    size_t count;
    const gt_damage *damage = gt_log_damage(log, &count);
    assert_int_equal(count, 1);
    assert_int_equal(damage->kind, kind);
    assert_int_equal(damage->offset, offset);
    assert_int_equal(damage->length, end - offset);
}

/* All but record `lost` (RECORDS: none) are there. */
static void assert_found_but(const bool *found, size_t count, size_t lost) {
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(found[i], i != lost);
    }
}

static gt_log *open_loaded(fixture *f, int flags) {
    gt_log *log = test_log_open(&f->machine, flags);
    assert_int_equal(gt_log_get_state(log), GT_LOG_LOADED);
    return log;
}

static void become_ready(fixture *f, gt_log *log, uint64_t end) {
    assert_int_equal(gt_log_ready(log, end, NULL), GOAT_OK);
    test_log_settle(&f->machine);
    assert_int_equal(gt_log_get_state(log), GT_LOG_READY);
}

/* ---- Bits ---------------------------------------------------------------------------------- */

static void each_flipped_bit_of_the_header_is_named_and_costs_nothing(void **state) {
    fixture *f = *state;
    bool found[RECORDS];
    for (uint64_t bit = 0; bit < GT_LOG_HEADER_SIZE * 8; bit++) {
        gt_sim_flip_bit(f->disk, TEST_LOG_NAME, bit);
        gt_log *log = open_loaded(f, 0);
        uint64_t end = test_log_walk(log, &f->model, true, found);
        assert_found_but(found, RECORDS, RECORDS);
        uint64_t block = bit / 8 / 512 * 512;
        assert_one_damage(log, GT_DAMAGE_HEADER, block, block + 512);
        become_ready(f, log, end);
        test_log_close(&f->machine, log);
        gt_sim_flip_bit(f->disk, TEST_LOG_NAME, bit);
    }
}

static void a_flip_in_both_copies_of_the_header_is_too_much(void **state) {
    fixture *f = *state;
    test_random random;
    test_random_init(&random, "a_flip_in_both_copies_of_the_header_is_too_much");
    for (int i = 0; i < 500; i++) {
        uint64_t first = test_random_below(&random, 512 * 8), second = 512 * 8 + test_random_below(&random, 512 * 8);
        gt_sim_flip_bit(f->disk, TEST_LOG_NAME, first);
        gt_sim_flip_bit(f->disk, TEST_LOG_NAME, second);
        gt_log *log = test_log_open(&f->machine, 0);
        assert_int_equal(gt_log_get_state(log), GT_LOG_FAILED);
        assert_int_equal(gt_log_failure(log)->status, GOAT_CORRUPT);
        test_log_close(&f->machine, log);
        put(f, f->good, f->len);
    }
}

/* Walks a log in which record `lost` is damaged, appends one, and walks again. */
static void damage_is_survived(fixture *f, size_t lost, bool verify_chain, bool found[RECORDS + 1]) {
    gt_log *log = open_loaded(f, 0);
    uint64_t end = test_log_walk(log, &f->model, verify_chain, found);
    assert_found_but(found, RECORDS, lost);
    bool is_last = lost == RECORDS - 1;
    assert_one_damage(log, is_last ? GT_DAMAGE_TORN : GT_DAMAGE_MIDDLE, start_of(f, lost), end_of(f, lost));
    become_ready(f, log, end);
    if (is_last) {
        assert_int_equal(torn_file(f, end).len, end_of(f, lost) - start_of(f, lost));
        f->model.count--; /* its place is free */
    }
    assert_int_equal(test_log_append(log, &f->model, 1234, 33), GOAT_OK);
    test_log_settle(&f->machine);
    end = test_log_walk(log, &f->model, verify_chain, found);
    assert_found_but(found, f->model.count, is_last ? RECORDS : lost);
    test_log_close(&f->machine, log);

    log = open_loaded(f, 0);
    assert_int_equal(test_log_walk(log, &f->model, verify_chain, found), end);
    assert_found_but(found, f->model.count, is_last ? RECORDS : lost);
    test_log_close(&f->machine, log);
}

static void each_flipped_bit_of_a_record_is_found_and_named(void **state) {
    fixture *f = *state;
    test_log_model *model = malloc(sizeof *model);
    *model = f->model;
    bool found[RECORDS + 1];
    for (size_t record = 0; record < RECORDS; record++) {
        uint64_t last = 8 * end_of(f, record);
        for (uint64_t bit = 8 * start_of(f, record); bit < last; bit++) {
            gt_sim_flip_bit(f->disk, TEST_LOG_NAME, bit);
            damage_is_survived(f, record, bit % 2 == 0, found);
            f->model = *model;
            put(f, f->good, f->len);
        }
    }
    free(model);
}

static void a_record_that_is_checked_on_first_touch_is_found_damaged(void **state) {
    fixture *f = *state;
    for (size_t record = 0; record < RECORDS; record++) {
        for (uint64_t at = start_of(f, record); at < end_of(f, record); at++) {
            gt_sim_flip_bit(f->disk, TEST_LOG_NAME, 8 * at + at % 8);
            gt_log *log = open_loaded(f, 0);
            become_ready(f, log, f->len); /* as a checkpoint that covers all would have it */
            for (size_t i = 0; i < RECORDS; i++) {
                gt_diag diag;
                gt_diag_init(&diag);
                goat_status status = gt_log_check(log, f->model.records[i].offset, &diag);
                assert_int_equal(status, i == record ? GOAT_CORRUPT : GOAT_OK);
                assert_int_equal(diag.status, status);
                assert_true(i != record || diag.position == f->model.records[i].offset);
            }
            for (uint64_t wrong = 0; wrong < f->len + 50; wrong += 7) { /* no record begins there */
                bool is_one = false;
                for (size_t i = 0; i < RECORDS; i++) {
                    is_one = is_one || wrong == f->model.records[i].offset;
                }
                assert_true(is_one || gt_log_check(log, wrong, NULL) == GOAT_CORRUPT);
            }
            test_log_close(&f->machine, log);
            put(f, f->good, f->len);
        }
    }
}

/* ---- Cuts ---------------------------------------------------------------------------------- */

static void a_log_cut_anywhere_opens_and_the_cut_is_saved_and_reported(void **state) {
    fixture *f = *state;
    for (size_t cut = GT_LOG_HEADER_SIZE; cut < f->len; cut++) {
        size_t whole = 0;
        while (end_of(f, whole) <= cut) {
            whole++;
        }
        uint64_t start = start_of(f, whole);
        put(f, f->good, cut);
        test_log_model model = {.count = whole};
        memcpy(model.records, f->model.records, whole * sizeof *model.records);

        gt_log *log = open_loaded(f, TEST_LOG_READ_ONLY); /* without the right to write: reported, and that is all */
        assert_int_equal(test_log_walk(log, &model, true, NULL), start);
        become_ready(f, log, start);
        assert_int_equal(gt_log_length(log), start);
        assert_null(torn_file(f, start).data);
        assert_int_equal(gt_sim_file(f->disk, TEST_LOG_NAME).len, cut);
        test_log_close(&f->machine, log);

        log = open_loaded(f, 0);
        assert_int_equal(test_log_walk(log, &model, true, NULL), start);
        become_ready(f, log, start);
        if (cut == start) {
            size_t count;
            gt_log_damage(log, &count);
            assert_int_equal(count, 0);
            assert_null(torn_file(f, start).data);
        } else {
            assert_one_damage(log, GT_DAMAGE_TORN, start, cut);
            assert_true(gt_bytes_equal(torn_file(f, start), gt_bytes_of(f->good + start, (size_t)(cut - start))));
            assert_int_equal(gt_log_length_durable(log), start);
            remove_torn_file(f, start);
        }
        assert_int_equal(gt_sim_file(f->disk, TEST_LOG_NAME).len, start);
        assert_int_equal(test_log_append(log, &model, 555, 40), GOAT_OK);
        test_log_settle(&f->machine);
        test_log_close(&f->machine, log);
        log = open_loaded(f, 0);
        test_log_walk_all(log, &model);
        test_log_close(&f->machine, log);
    }
}

static void a_tail_that_cannot_be_saved_is_not_cut(void **state) {
    fixture *f = *state;
    size_t cut = f->len - 1;
    uint64_t start = start_of(f, RECORDS - 1);
    put(f, f->good, cut);
    gt_sim_options_of(f->disk)->capacity = cut + 10;
    gt_log *log = open_loaded(f, 0);
    test_log_walk(log, &f->model, true, NULL);
    assert_int_equal(gt_log_ready(log, start, NULL), GOAT_OK);
    test_log_settle(&f->machine);
    assert_int_equal(gt_log_get_state(log), GT_LOG_FAILED);
    assert_int_equal(gt_log_failure(log)->status, GOAT_FULL);
    assert_int_equal(gt_sim_file(f->disk, TEST_LOG_NAME).len, cut);
    bool found[RECORDS]; /* what was walked can be read all the same */
    test_log_walk(log, &f->model, true, found);
    assert_found_but(found, RECORDS, RECORDS - 1);
    gt_diag diag;
    assert_int_equal(gt_log_append(log, GT_RECORD_BATCH, gt_bytes_text("goat"), NULL, &diag), GOAT_FULL);
    assert_int_equal(diag.status, GOAT_FULL);
    test_log_close(&f->machine, log);

    gt_sim_options_of(f->disk)->capacity = 0;
    log = open_loaded(f, 0);
    become_ready(f, log, test_log_walk(log, &f->model, true, NULL));
    assert_int_equal(torn_file(f, start).len, cut - start);
    test_log_close(&f->machine, log);
}

/* ---- More than a bit ----------------------------------------------------------------------- */

static void spoil(test_random *random, uint8_t *bytes, size_t len) {
    switch (test_random_below(random, 3)) {
    case 0: memset(bytes, 0, len); break;
    case 1: memset(bytes, 0xff, len); break;
    default: test_random_fill(random, bytes, len);
    }
}

static void whatever_a_stretch_of_damage_spares_is_read(void **state) {
    fixture *f = *state;
    test_random random;
    test_random_init(&random, "whatever_a_stretch_of_damage_spares_is_read");
    uint8_t *bytes = malloc(f->len);
    for (int round = 0; round < 3000; round++) {
        bool found[RECORDS], hit[RECORDS] = {false};
        memcpy(bytes, f->good, f->len);
        for (uint32_t i = 0; i <= test_random_below(&random, 3); i++) {
            size_t from = GT_LOG_HEADER_SIZE + test_random_below(&random, (uint32_t)f->len - GT_LOG_HEADER_SIZE);
            size_t len = 1 + test_random_below(&random, 200);
            len = len < f->len - from ? len : f->len - from;
            spoil(&random, bytes + from, len);
        }
        for (size_t i = 0; i < RECORDS; i++) {
            size_t start = (size_t)start_of(f, i);
            hit[i] = memcmp(bytes + start, f->good + start, (size_t)end_of(f, i) - start) != 0;
        }
        put(f, bytes, f->len);
        gt_log *log = open_loaded(f, TEST_LOG_READ_ONLY);
        test_log_walk(log, &f->model, test_random_below(&random, 2) == 0, found);
        for (size_t i = 0; i < RECORDS; i++) {
            assert_int_equal(found[i], !hit[i]);
        }
        test_log_close(&f->machine, log);
    }
    free(bytes);
}

static void bytes_too_many_or_too_few_hide_nothing_behind_them(void **state) {
    fixture *f = *state;
    uint8_t *bytes = malloc(f->len + 100);
    test_log_model *model = malloc(sizeof *model);
    *model = f->model;
    for (int change = -60; change <= 60; change++) {
        size_t at = (size_t)start_of(f, 6), from = change < 0 ? at + (size_t)-change : at;
        size_t more = change < 0 ? 0 : (size_t)change;
        memcpy(bytes, f->good, at);
        memset(bytes + at, 'x', more);
        memcpy(bytes + at + more, f->good + from, f->len - from);
        put(f, bytes, at + more + f->len - from);
        for (size_t i = 6; i < RECORDS; i++) {
            f->model.records[i].offset += (uint64_t)(int64_t)change;
        }
        bool found[RECORDS];
        gt_log *log = open_loaded(f, 0);
        test_log_walk(log, &f->model, true, found);
        assert_found_but(found, RECORDS, change < 0 ? 6 : RECORDS);
        test_log_close(&f->machine, log);
        f->model = *model;
    }
    free(model);
    free(bytes);
}

static void bytes_that_must_be_zero_are(void **state) {
    fixture *f = *state;
    for (size_t at = 9; at < 12; at++) { /* with the checksum of the head put right */
        uint8_t *bytes = gt_copy(&gt_alloc_system, f->good, f->len), *head = bytes + start_of(f, 3);
        head[at] = 1;
        gt_put_u32(head + 16, gt_crc32c(0, head, 16));
        put(f, bytes, f->len);
        free(bytes);
        bool found[RECORDS];
        gt_log *log = open_loaded(f, 0);
        test_log_walk(log, &f->model, false, found);
        assert_found_but(found, RECORDS, 3);
        test_log_close(&f->machine, log);
    }
}

static void a_missing_record_breaks_the_chain(void **state) {
    fixture *f = *state;
    uint8_t *bytes = malloc(f->len);
    size_t start = (size_t)start_of(f, 4), end = (size_t)end_of(f, 4);
    memcpy(bytes, f->good, start);
    memcpy(bytes + start, f->good + end, f->len - end); /* every checksum is right */
    put(f, bytes, f->len - (end - start));
    gt_log *log = open_loaded(f, 0);
    for (int verify_chain = 0; verify_chain < 2; verify_chain++) {
        uint64_t offset = GT_LOG_HEADER_SIZE;
        gt_record record;
        size_t count = 0, damage_count;
        while (gt_log_next(log, &offset, verify_chain != 0, &record) == GOAT_OK) {
            count++;
        }
        assert_int_equal(count, RECORDS - 1);
        gt_log_damage(log, &damage_count);
        assert_int_equal(damage_count, verify_chain);
    }
    assert_one_damage(log, GT_DAMAGE_CHAIN, start, start + (size_t)(end_of(f, 5) - start_of(f, 5)));
    test_log_close(&f->machine, log);
    free(bytes);
}

static void markers_without_records_cost_little_and_hide_nothing(void **state) {
    fixture *f = *state;
    enum { HEADS = 100000, HEAD = 20 };
    size_t len = f->len + (size_t)HEADS * HEAD, middle = (size_t)start_of(f, 5);
    uint8_t *bytes = malloc(len), *at = bytes + middle;
    memset(bytes, 0, len);
    memcpy(bytes, f->good, middle);
    for (size_t i = 0; i < HEADS; i++, at += HEAD) { /* sound heads, each with a payload that is not its own */
        if (i + 4 > HEADS) {
            continue; /* none that claims a byte of a true record */
        }
        memcpy(at, f->good + start_of(f, 5), HEAD);
        gt_put_u32(at + 12, (uint32_t)(HEADS - i) * HEAD / 2);
        gt_put_u32(at + 16, gt_crc32c(0, at, 16));
    }
    memcpy(at, f->good + middle, f->len - middle);
    put(f, bytes, len);
    for (size_t i = 5; i < RECORDS; i++) {
        f->model.records[i].offset += (uint64_t)HEADS * HEAD;
    }
    bool found[RECORDS];
    gt_log *log = open_loaded(f, 0);
    test_log_walk(log, &f->model, true, found); /* the checksum of each would be 50 GB */
    assert_in_range(log->search_cost, 1, 400 << 20);
    assert_found_but(found, RECORDS, RECORDS);
    assert_one_damage(log, GT_DAMAGE_MIDDLE, middle, middle + (size_t)HEADS * HEAD);
    test_log_close(&f->machine, log);
    free(bytes);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_flipped_bit_of_the_header_is_named_and_costs_nothing),
        TEST(a_flip_in_both_copies_of_the_header_is_too_much),
        TEST(each_flipped_bit_of_a_record_is_found_and_named),
        TEST(a_record_that_is_checked_on_first_touch_is_found_damaged),
        TEST(a_log_cut_anywhere_opens_and_the_cut_is_saved_and_reported),
        TEST(a_tail_that_cannot_be_saved_is_not_cut),
        TEST(whatever_a_stretch_of_damage_spares_is_read),
        TEST(bytes_too_many_or_too_few_hide_nothing_behind_them),
        TEST(bytes_that_must_be_zero_are),
        TEST(a_missing_record_breaks_the_chain),
        TEST(markers_without_records_cost_little_and_hide_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
