/* core/log: the chain at a length, which may be any number that a stranger sends. */
#include "support/test.h"

#include "log/log_file.h"
#include "port/sim/sim.h"
#include "support/test_log.h"

#include <stdlib.h>

enum { RECORDS = 8 };

typedef struct fixture {
    gt_sim_disk *disk;
    test_log_machine machine;
    test_log_model model;
    gt_log *log;
    uint8_t chains[RECORDS + 1][GT_CHAIN_SIZE]; /* after so many records */
    uint64_t lengths[RECORDS + 1];
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    goat_storage storage;
    f->disk = gt_sim_disk_new(&gt_alloc_system, 1);
    assert_int_equal(gt_sim_storage(f->disk, &storage, NULL), GOAT_OK);
    assert_int_equal(test_log_begin(&f->machine, &gt_alloc_system, &storage), GOAT_OK);
    f->log = test_log_open_ready(&f->machine, TEST_LOG_CREATE);
    for (size_t i = 0; i <= RECORDS; i++) {
        memcpy(f->chains[i], gt_log_chain(f->log), GT_CHAIN_SIZE);
        f->lengths[i] = gt_log_length(f->log);
        if (i < RECORDS) assert_int_equal(test_log_append(f->log, &f->model, i, i * 7), GOAT_OK);
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

/* Every length there is: true exactly where a record ends. */
static void it_is_known_where_records_end(const fixture *f, size_t lost) {
    size_t found = 0;
    for (uint64_t length = 0; length < f->lengths[RECORDS] + 50; length++) {
        uint8_t chain[GT_CHAIN_SIZE];
        bool expected = false;
        size_t at = 0;
        for (size_t i = 0; i <= RECORDS; i++) {
            if (f->lengths[i] != length || i == lost || i == lost + 1) continue;
            expected = true;
            at = i;
        }
        assert_int_equal(gt_log_chain_at(f->log, length, chain), expected);
        if (expected) assert_memory_equal(chain, f->chains[at], GT_CHAIN_SIZE);
        found += expected;
    }
    assert_int_equal(found, lost <= RECORDS ? RECORDS - 1 : RECORDS + 1);
    uint8_t chain[GT_CHAIN_SIZE];
    assert_false(gt_log_chain_at(f->log, UINT64_MAX, chain));
    assert_false(gt_log_chain_at(f->log, UINT64_MAX - 20, chain));
}

static void of_appended_records(void **state) { it_is_known_where_records_end(*state, SIZE_MAX - 1); }

static void of_a_file_that_was_opened(void **state) {
    fixture *f = *state;
    test_log_settle(&f->machine);
    test_log_close(&f->machine, f->log);
    f->log = test_log_open(&f->machine, 0);
    uint8_t chain[GT_CHAIN_SIZE];
    assert_false(gt_log_chain_at(f->log, f->lengths[1], chain)); /* not before it was walked */
    test_log_close(&f->machine, f->log);
    f->log = test_log_open_ready(&f->machine, 0);
    it_is_known_where_records_end(f, SIZE_MAX - 1);
    assert_int_equal(test_log_append(f->log, &f->model, RECORDS, 9), GOAT_OK);
    assert_true(gt_log_chain_at(f->log, f->lengths[RECORDS], chain)); /* where the file ended and memory begins */
    assert_memory_equal(chain, f->chains[RECORDS], GT_CHAIN_SIZE);
}

static void not_behind_damage(void **state) {
    fixture *f = *state;
    test_log_settle(&f->machine);
    test_log_close(&f->machine, f->log);
    gt_bytes file = gt_sim_file(f->disk, TEST_LOG_NAME);
    uint8_t *copy = gt_copy(&gt_alloc_system, file.data, file.len);
    copy[f->lengths[3] + 22] ^= 1; /* the fourth record */
    assert_true(gt_sim_put_file(f->disk, TEST_LOG_NAME, gt_bytes_of(copy, file.len)));
    f->log = test_log_open_ready(&f->machine, 0);
    uint8_t chain[GT_CHAIN_SIZE];
    assert_false(gt_log_chain_at(f->log, f->lengths[4], chain));
    assert_true(gt_log_chain_at(f->log, f->lengths[5], chain));
    assert_memory_equal(chain, f->chains[5], GT_CHAIN_SIZE);
    copy[f->lengths[3] + 2] ^= 1; /* now nothing begins there either */
    test_log_close(&f->machine, f->log);
    assert_true(gt_sim_put_file(f->disk, TEST_LOG_NAME, gt_bytes_of(copy, file.len)));
    f->log = test_log_open_ready(&f->machine, 0);
    it_is_known_where_records_end(f, 3);
    free(copy);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(of_appended_records),
        TEST(of_a_file_that_was_opened),
        TEST(not_behind_damage),
    };
    return cmocka_run_group_tests_name("log chain", tests, NULL, NULL);
}
