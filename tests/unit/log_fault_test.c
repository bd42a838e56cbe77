/* core/log on a machine in trouble: power lost at any moment, a request that fails, a disk that is full, memory that
 * runs out. Whatever was reported durable is there afterwards, and the log goes on. */
#include "support/test.h"

#include "port/sim/sim.h"

#include "support/test_alloc.h"
#include "support/test_log.h"
#include "support/test_random.h"

#include <stdlib.h>
#include <string.h>

/* A disk and what is known of the log on it. */
typedef struct history {
    gt_sim_disk *disk;
    test_random random;
    uint64_t seed; /* of the next record */
    test_log_model model;
    uint64_t promised; /* up to here the log must be there */
    bool found[TEST_LOG_RECORDS_MAX];
} history;

static history *history_new(uint64_t seed) {
    history *h = calloc(1, sizeof *h);
    h->disk = gt_sim_disk_new(&gt_alloc_system, seed);
    h->random.state = seed;
    h->seed = 1;
    return h;
}

static void history_free(history *h) {
    gt_sim_disk_free(h->disk);
    free(h);
}

static goat_status begin(history *h, test_log_machine *machine, const gt_alloc *alloc) {
    goat_storage storage;
    assert_int_equal(gt_sim_storage(h->disk, &storage, NULL), GOAT_OK);
    return test_log_begin(machine, alloc, &storage);
}

static uint64_t end_of(const test_log_record *record) { return record->offset + record->len + 20; }

/* The model becomes what a walk found. Asserts that nothing promised is missing. */
static void keep_found(history *h) {
    size_t kept = 0;
    for (size_t i = 0; i < h->model.count; i++) {
        assert_true(h->found[i] || end_of(&h->model.records[i]) > h->promised);
        if (h->found[i]) {
            h->model.records[kept++] = h->model.records[i];
        }
    }
    h->model.count = kept;
}

/* Whatever happened to the log, its memory has all that was appended, and it says the same of each attempt. */
static void assert_failed_well(history *h, gt_log *log) {
    const gt_diag *failure = gt_log_failure(log);
    gt_diag diag;
    assert_int_not_equal(failure->status, GOAT_OK);
    assert_true(failure->message[0] != 0);
    size_t count = h->model.count;
    assert_int_equal(gt_log_append(log, GT_RECORD_BATCH, gt_bytes_text("goat"), NULL, &diag), failure->status);
    assert_int_equal(diag.status, failure->status);
    assert_string_equal(diag.message, failure->message);
    assert_int_equal(gt_log_sync(log, NULL), failure->status);
    test_log_walk(log, &h->model, false, h->found);
    for (size_t i = 0; i < count && gt_log_length(log) != 0; i++) {
        assert_true(h->found[i]);
    }
}

/* Opens the log to the point where it takes records, or fails; NULL when memory ran out before. */
static gt_log *open_log(history *h, test_log_machine *machine) {
    gt_log *log = test_log_open(machine, TEST_LOG_CREATE);
    if (log == NULL || gt_log_get_state(log) == GT_LOG_FAILED) {
        return log;
    }
    gt_record record;
    goat_status status;
    uint64_t offset = GT_LOG_HEADER_SIZE;
    while ((status = gt_log_next(log, &offset, true, &record)) == GOAT_OK) {
    }
    if (status != GOAT_NOT_FOUND) {
        assert_int_equal(status, GOAT_NO_MEMORY);
        return log;
    }
    uint64_t end = test_log_walk(log, &h->model, true, h->found);
    assert_int_equal(end, offset);
    keep_found(h);
    if (gt_log_ready(log, end, NULL) == GOAT_OK) {
        test_log_settle(machine);
        assert_true(gt_log_get_state(log) == GT_LOG_READY || gt_log_get_state(log) == GT_LOG_FAILED);
    }
    return log;
}

/* Opens, appends and syncs some, and closes. GOAT_OK if all of that was done. */
static goat_status session(history *h, const gt_alloc *alloc, uint32_t refuse_at, uint32_t *requests) {
    test_log_machine machine;
    goat_status status = begin(h, &machine, alloc);
    if (status != GOAT_OK) {
        return status;
    }
    machine.refuse_at = refuse_at;
    machine.shuffle = true;
    machine.random = h->random.state;
    gt_log *log = open_log(h, &machine);
    for (int i = 0; i < 8 && status == GOAT_OK && log != NULL && gt_log_get_state(log) == GT_LOG_READY; i++) {
        status = test_log_append(log, &h->model, h->seed++, 10 + test_random_below(&h->random, 3000));
        if (status == GOAT_OK && i % 3 == 2) {
            gt_log_sync(log, NULL);
        }
        if (i % 4 != 0) {
            test_log_settle(&machine);
        }
    }
    if (log == NULL) {
        status = GOAT_NO_MEMORY;
    } else {
        test_log_settle(&machine);
        assert_true(gt_log_length_durable(log) <= gt_log_length_written(log) || gt_log_length(log) == 0);
        status = gt_log_get_state(log) == GT_LOG_READY ? status : GOAT_NO_MEMORY;
        if (gt_log_get_state(log) == GT_LOG_FAILED) {
            status = gt_log_failure(log)->status;
            assert_failed_well(h, log);
        }
        bool walked = gt_log_get_state(log) != GT_LOG_LOADED;
        if (walked && gt_log_length_written(log) > h->promised) { /* the machine stays up: what it has taken is there */
            h->promised = gt_log_length_written(log);
        }
        test_log_close(&machine, log);
    }
    if (requests != NULL) {
        *requests = machine.requests;
    }
    test_log_end(&machine);
    return status;
}

/* A healthy machine finds what was promised, and can go on. */
static void assert_goes_on(history *h) {
    *gt_sim_options_of(h->disk) = (gt_sim_options){.delay_polls_max = 2};
    assert_int_equal(session(h, &gt_alloc_system, 0, NULL), GOAT_OK);
    size_t count = h->model.count;
    assert_true(count >= 8);
    assert_int_equal(session(h, &gt_alloc_system, 0, NULL), GOAT_OK);
    assert_int_equal(h->model.count, count + 8);
}

/* ---- Power --------------------------------------------------------------------------------- */

static bool step(test_log_machine *machine) {
    gt_io_poll(machine->io, false);
    gt_io_deliver(machine->io);
    return gt_io_pending(machine->io) != 0;
}

/* Opens the log step by step; false when the plug is to be pulled before it is done. */
static bool open_until_crash(history *h, test_log_machine *machine, gt_log **log) {
    uint32_t left = test_random_below(&h->random, 60);
    gt_log_config config = test_log_config(machine, TEST_LOG_CREATE);
    assert_int_equal(gt_log_open(&config, log, NULL), GOAT_OK);
    while (gt_log_get_state(*log) == GT_LOG_OPENING) {
        if (left-- == 0) {
            return false;
        }
        step(machine);
    }
    assert_int_equal(gt_log_get_state(*log), GT_LOG_LOADED);
    uint64_t end = test_log_walk(*log, &h->model, true, h->found);
    keep_found(h);
    assert_int_equal(gt_log_ready(*log, end, NULL), GOAT_OK);
    while (gt_log_get_state(*log) == GT_LOG_OPENING) {
        if (left-- == 0) {
            return false;
        }
        step(machine);
    }
    assert_int_equal(gt_log_get_state(*log), GT_LOG_READY);
    assert_int_equal(gt_log_length(*log), end);
    return true;
}

static void life_until_crash(history *h) {
    test_log_machine machine;
    assert_int_equal(begin(h, &machine, &gt_alloc_system), GOAT_OK);
    machine.shuffle = true;
    machine.random = h->random.state;
    gt_log *log;
    if (open_until_crash(h, &machine, &log)) {
        for (uint32_t left = test_random_below(&h->random, 100); left != 0; left--) {
            switch (test_random_below(&h->random, 4)) {
            case 0:
                assert_int_equal(test_log_append(log, &h->model, h->seed++, test_random_below(&h->random, 3000)),
                                 GOAT_OK);
                break;
            case 1: assert_int_equal(gt_log_sync(log, NULL), GOAT_OK); break;
            default: step(&machine);
            }
        }
        h->promised = gt_log_length_durable(log) > h->promised ? gt_log_length_durable(log) : h->promised;
    }
    gt_sim_crash(h->disk);
    test_log_settle(&machine);
    test_log_close(&machine, log);
    test_log_end(&machine);
}

static void what_was_reported_durable_survives_any_loss_of_power(void **state) {
    (void)state;
    test_random seeds;
    test_random_init(&seeds, "what_was_reported_durable_survives_any_loss_of_power");
    size_t records = 0, lives = 0;
    for (int round = 0; round < 400; round++) {
        history *h = history_new(test_random_u64(&seeds));
        for (int life = 0; life < 8; life++, lives++) {
            *gt_sim_options_of(h->disk) = (gt_sim_options){.delay_polls_max = test_random_below(&h->random, 6),
                                                           .chunk_max = test_random_below(&h->random, 3) * 1000,
                                                           .damage_unsynced = life % 2 == 1};
            life_until_crash(h);
        }
        assert_goes_on(h);
        records += h->model.count;
        history_free(h);
    }
    print_message("%zu lives, %zu records there at the end\n", lives, records);
    assert_true(records > 4000);
}

/* ---- Requests ------------------------------------------------------------------------------ */

/* Two sessions; request k of them fails. */
static bool fails_at(uint64_t k, bool from_there_on) {
    history *h = history_new(7);
    *gt_sim_options_of(h->disk) = (gt_sim_options){.fail_operation = k, .fail_from_there_on = from_there_on};
    goat_status first = session(h, &gt_alloc_system, 0, NULL);
    if (first == GOAT_OK) { /* a tail for the second to cut */
        gt_sim_cut_file(h->disk, TEST_LOG_NAME, gt_sim_file(h->disk, TEST_LOG_NAME).len - 1);
        h->promised = 0;
    }
    goat_status second = session(h, &gt_alloc_system, 0, NULL);
    bool all = gt_sim_operations(h->disk) < k;
    assert_true(!all || (first == GOAT_OK && second == GOAT_OK));
    assert_goes_on(h);
    history_free(h);
    return !all;
}

static void any_request_may_fail(void **state) {
    (void)state;
    uint64_t k = 1;
    while (fails_at(k, false)) {
        fails_at(k, true);
        k++;
    }
    print_message("%llu requests failed in turn\n", (unsigned long long)k - 1);
    assert_true(k > 20);
}

static void any_request_may_be_refused(void **state) {
    (void)state;
    for (uint32_t k = 2;; k++) { /* the first locks the folder */
        history *h = history_new(11);
        uint32_t requests = 0;
        goat_status status = session(h, &gt_alloc_system, k, &requests);
        assert_goes_on(h);
        history_free(h);
        /* The last request closes the file, and nobody asks how that went. */
        assert_true(status == GOAT_NO_MEMORY || (status == GOAT_OK && k >= requests));
        if (k > requests) {
            assert_true(k > 10);
            break;
        }
    }
}

static void a_full_disk_stops_the_log_and_costs_nothing_that_was_written(void **state) {
    (void)state;
    for (uint64_t capacity = 500; capacity < 26000; capacity += 97) {
        history *h = history_new(capacity);
        gt_sim_options_of(h->disk)->capacity = capacity;
        goat_status status = session(h, &gt_alloc_system, 0, NULL);
        if (status != GOAT_OK) {
            assert_int_equal(status, GOAT_FULL);
            status = session(h, &gt_alloc_system, 0, NULL); /* still full: what is there is read */
            assert_true(status == GOAT_FULL || status == GOAT_OK);
        }
        assert_goes_on(h);
        history_free(h);
    }
}

/* ---- Memory -------------------------------------------------------------------------------- */

static void any_allocation_may_fail(void **state) {
    (void)state;
    for (int torn = 0; torn < 2; torn++) {
        for (uint64_t k = 0;; k++) {
            history *h = history_new(13);
            if (torn) { /* damage to note, a tail to save, a file in pieces */
                assert_int_equal(session(h, &gt_alloc_system, 0, NULL), GOAT_OK);
                gt_sim_flip_bit(h->disk, TEST_LOG_NAME, 8 * (1024 + 30));
                gt_sim_cut_file(h->disk, TEST_LOG_NAME, gt_sim_file(h->disk, TEST_LOG_NAME).len - 1);
                gt_sim_options_of(h->disk)->chunk_max = 3000;
                h->promised = 0;
            }
            test_alloc memory;
            test_alloc_init(&memory, k);
            goat_status status = session(h, &memory.alloc, 0, NULL);
            test_alloc_assert_empty(&memory);
            assert_int_equal(status, memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
            assert_goes_on(h);
            history_free(h);
            if (!memory.failed) {
                print_message("%llu allocations failed in turn\n", (unsigned long long)k);
                assert_true(k > 6);
                break;
            }
        }
    }
}

/* ---- gt_io by itself ------------------------------------------------------------------------- */

typedef struct asked {
    int calls;
    goat_status status;
} asked;

static void answered(void *owner, const goat_io_result *result) {
    asked *a = owner;
    a->calls++;
    a->status = result->status;
}

static void each_request_is_answered_once_and_never_inside_its_call(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, "each_request_is_answered_once_and_never_inside_its_call");
    enum { REQUESTS = 2000 };
    history *h = history_new(3);
    test_log_machine machine;
    gt_sim_options_of(h->disk)->delay_polls_max = 5;
    assert_int_equal(begin(h, &machine, &gt_alloc_system), GOAT_OK);
    machine.shuffle = true;
    asked *all = calloc(REQUESTS, sizeof *all);
    for (int i = 0; i < REQUESTS; i++) {
        char name[2] = {(char)('a' + i % 20), 0};
        goat_io_request request = {.kind = i % 3 == 0 ? GOAT_IO_REPLACE : GOAT_IO_READ, .name = name};
        machine.refuse_at = i % 7 == 6 ? machine.requests + 1 : 0;
        assert_int_equal(gt_io_submit(machine.io, &request, answered, &all[i]), GOAT_OK);
        assert_int_equal(all[i].calls, 0);
        if (test_random_below(&random, 10) == 0) {
            size_t waiting = gt_io_poll(machine.io, false);
            assert_int_equal(gt_io_poll(machine.io, false), waiting == 0 ? gt_io_poll(machine.io, false) : waiting);
            gt_io_deliver(machine.io);
        }
    }
    machine.refuse_at = 0;
    test_log_settle(&machine);
    for (int i = 0; i < REQUESTS; i++) {
        assert_int_equal(all[i].calls, 1);
        assert_true(i % 7 != 6 || all[i].status == GOAT_NO_MEMORY);
    }
    free(all);
    test_log_end(&machine);
    history_free(h);
}

static void places_that_were_given_back_are_used_again(void **state) {
    (void)state;
    test_alloc memory;
    test_alloc_init(&memory, 2); /* one for the io, one for its table */
    history *h = history_new(3);
    goat_storage storage;
    assert_int_equal(gt_sim_storage(h->disk, &storage, NULL), GOAT_OK);
    gt_io *io = gt_io_new(&memory.alloc, &storage);
    assert_non_null(io);
    for (int i = 0; i < 1000; i++) {
        assert_true(gt_io_reserve(io, 10));
        gt_io_release(io, 10);
    }
    assert_false(gt_io_reserve(io, 1000));
    assert_false(gt_io_reserve(io, UINT32_MAX));
    assert_true(gt_io_reserve(io, 10)); /* what failed took nothing */
    gt_io_free(io);
    test_alloc_assert_empty(&memory);
    history_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_reported_durable_survives_any_loss_of_power),
        cmocka_unit_test(any_request_may_fail),
        cmocka_unit_test(any_request_may_be_refused),
        cmocka_unit_test(a_full_disk_stops_the_log_and_costs_nothing_that_was_written),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(each_request_is_answered_once_and_never_inside_its_call),
        cmocka_unit_test(places_that_were_given_back_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
