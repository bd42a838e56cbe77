/* core/db: a short life of a database in which each allocation, and each request to the storage, fails in turn. Whatever
 * fails: a clean answer, nothing left over, and a database that opens again and has all that was acknowledged. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_repo.h"
#include "support/test_value.h"

#include <stdio.h>
#include <stdlib.h>

enum { FLAGS = GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD };

/* What the life came to, as far as it was told. */
typedef struct outcome {
    goat_status status; /* of the first step that failed */
    const char *step;
    bool opened, flushed; /* the first flush, after the first apply */
} outcome;

static bool passes(outcome *o, const char *step, goat_status status) {
    if (o->status == GOAT_OK && status != GOAT_OK) {
        o->status = status;
        o->step = step;
    }
    return o->status == GOAT_OK;
}

static goat_status do_transaction(test_handle *handle) {
    goat_tx *tx = NULL;
    goat_item *item = NULL;
    goat_status status = gt_tx_begin(handle->space, &tx, NULL);
    if (status != GOAT_OK) return status;
    status = test_handle_item(handle, tx, "x", &item);
    if (status == GOAT_OK) status = test_item_set(handle, item, "size", "7");
    if (status == GOAT_OK) status = gt_tx_commit(tx, gt_bytes_of(NULL, 0), NULL, NULL);
    if (item != NULL) test_handle_drop(item);
    gt_tx_rollback(tx);
    goat_db *db = handle->db;
    if (gt_tx_release(tx)) {
        gt_db_unlock(db);
        gt_db_release(db);
        gt_db_lock(db);
    }
    return status;
}

static goat_status do_digest(test_handle *handle) {
    goat_job *job = NULL;
    goat_status status = gt_space_digest(handle->space, &job, NULL);
    return status != GOAT_OK ? status : test_handle_wait(handle, job, NULL);
}

static goat_status do_verify(test_handle *handle) {
    goat_job *job = NULL;
    goat_status status = gt_db_verify(handle->db, gt_bytes_of(NULL, 0), &job, NULL);
    return status != GOAT_OK ? status : test_handle_wait(handle, job, NULL);
}

static goat_status do_query(test_handle *handle) {
    goat_job *job = NULL;
    goat_query *query = NULL;
    goat_status status = gt_live_open(
        handle->space, NULL, gt_bytes_text("{\"schema\": \"goat\", \"sort\": [\"votes\"]}"), &query, &job, NULL);
    if (status != GOAT_OK) return status;
    status = test_handle_wait(handle, job, NULL);
    if (status == GOAT_OK) status = gt_live_check(query, NULL);
    gt_live_free(query);
    gt_db_unlock(handle->db);
    gt_db_release(handle->db);
    gt_db_lock(handle->db);
    return status;
}

static goat_status do_advance(test_handle *handle) {
    gt_buf changes;
    gt_buf_init(&changes, &gt_alloc_system);
    goat_status status = gt_db_advance(handle->db, &changes, NULL);
    if (status == GOAT_OK) assert_int_equal(gt_value_check(gt_buf_bytes(&changes), 0, NULL), GOAT_OK);
    gt_buf_free(&changes);
    return status;
}

static outcome live(test_machine *machine) {
    outcome o = {.status = GOAT_OK};
    test_handle handle;
    if (!passes(&o, "open", test_handle_try_open(&handle, machine, FLAGS))) return o;
    o.opened = true;
    bool goes_on = passes(&o, "schema", test_handle_schema(&handle, test_goat_1)) &&
                   passes(&o, "repository", test_handle_open_repo(&handle)) &&
                   passes(&o, "apply",
                          test_handle_apply(&handle, "[{key: 'x', schema: 'goat', set: {text: 'safe', tags: set[1]}}]",
                                            0, NULL)) &&
                   passes(&o, "flush", test_handle_flush(&handle, GOAT_DURABLE_DISK));
    o.flushed = goes_on;
    goes_on = goes_on && passes(&o, "create", test_handle_create(&handle, "y", "{votes: 1, map: {a: 1}}")) &&
              passes(&o, "query", do_query(&handle)) &&
              passes(&o, "edit", test_handle_set(&handle, "y", "votes", "3")) &&
              passes(&o, "capture", test_handle_flush(&handle, GOAT_DURABLE_MEMORY)) &&
              passes(&o, "advance", do_advance(&handle)) && passes(&o, "transaction", do_transaction(&handle)) &&
              passes(&o, "apply again",
                     test_handle_apply(&handle, "[{key: 'y', unset: ['map']}, {key: 'z', schema: 'goat'}]",
                                       GOAT_APPLY_TRANSACTION, NULL)) &&
              passes(&o, "digest", do_digest(&handle)) && passes(&o, "verify", do_verify(&handle)) &&
              passes(&o, "flush again", test_handle_flush(&handle, GOAT_DURABLE_DISK));
    goat_status closed = test_handle_end(&handle);
    if (goes_on) passes(&o, "close", closed);
    return o;
}

/* Nothing fails any more: it opens, has what was acknowledged, and works. */
static void assert_good(test_machine *machine, const outcome *o) {
    test_handle handle;
    test_handle_open(&handle, machine, FLAGS);
    if (o->flushed) {
        goat_item *item = NULL;
        const gt_field *field;
        gt_bytes value;
        assert_int_equal(test_handle_item(&handle, NULL, "x", &item), GOAT_OK);
        assert_int_equal(gt_item_field(item, gt_bytes_text("text"), &field, &value, NULL), GOAT_OK);
        assert_value(value, "'safe'");
        test_handle_drop(item);
    }
    if (o->status == GOAT_OK) {
        test_handle_shows(&handle, "x", "{text: 'safe', tags: set[1], size: 7}");
        test_handle_shows(&handle, "y", "{votes: 3}");
        test_handle_shows(&handle, "z", "{}");
    }
    assert_int_equal(test_handle_create(&handle, "after", "{votes: 1}"), GOAT_OK);
    assert_int_equal(test_handle_flush(&handle, GOAT_DURABLE_DISK), GOAT_OK);
    (void)test_handle_verify(&handle); /* a tail that was cut is told once */
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    test_handle_open(&handle, machine, FLAGS);
    test_handle_shows(&handle, "after", "{votes: 1}");
    assert_int_equal(test_handle_verify(&handle), 0);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
}

static void it_lives_when_nothing_fails(void **state) {
    (void)state;
    test_machine machine;
    test_machine_init(&machine, 1);
    outcome o = live(&machine);
    if (o.status != GOAT_OK) fail_msg("%s: %s", o.step, gt_status_name(o.status));
    assert_good(&machine, &o);
    test_machine_free(&machine);
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    uint64_t failures = 0, survived = 0;
    for (uint64_t k = 0;; k++) {
        test_machine machine;
        test_machine_init(&machine, 7);
        machine.memory.left = k;
        outcome o = live(&machine);
        bool failed = machine.memory.failed;
        if (o.status != GOAT_OK && o.status != GOAT_NO_MEMORY) {
            fail_msg("allocation %llu: %s says %s", (unsigned long long)k, o.step, gt_status_name(o.status));
        }
        assert_null(machine.open[0]);
        test_alloc_assert_empty(&machine.memory);
        machine.memory.left = TEST_ALLOC_NEVER;
        if (k % 7 == 0 || !failed) assert_good(&machine, &o);
        test_machine_free(&machine);
        if (!failed) break;
        failures++;
        survived += o.status == GOAT_OK;
    }
    printf("%llu allocations failed, %llu without harm\n", (unsigned long long)failures, (unsigned long long)survived);
    assert_true(failures > 200);
}

/* One alone fails, as when another process gives memory back. */
static void a_single_allocation_may_fail(void **state) {
    (void)state;
    test_machine counted;
    test_machine_init(&counted, 7);
    (void)live(&counted);
    uint64_t calls = counted.memory.calls;
    test_machine_free(&counted);
    for (uint64_t k = 0; k < calls; k++) {
        test_machine machine;
        test_machine_init(&machine, 7);
        machine.memory.left = k;
        machine.memory.once = true;
        outcome o = live(&machine);
        if (o.status != GOAT_OK && o.status != GOAT_NO_MEMORY) {
            fail_msg("allocation %llu: %s says %s", (unsigned long long)k, o.step, gt_status_name(o.status));
        }
        test_alloc_assert_empty(&machine.memory);
        machine.memory.left = TEST_ALLOC_NEVER;
        if (k % 5 == 0) assert_good(&machine, &o);
        test_machine_free(&machine);
    }
}

/* A database with a checkpoint, opened again, read, and edited. */
static goat_status live_again(test_machine *machine) {
    test_handle handle;
    goat_status status = test_handle_try_open(&handle, machine, FLAGS);
    if (status != GOAT_OK) return status;
    status = test_handle_schema(&handle, test_goat_1);
    if (status == GOAT_OK) status = test_handle_open_repo(&handle);
    if (status == GOAT_OK) status = test_handle_schema(&handle, test_goat_2);
    if (status == GOAT_OK) status = do_digest(&handle);
    if (status == GOAT_OK) status = test_handle_set(&handle, "x", "text", "'again'");
    if (status == GOAT_OK) status = do_query(&handle);
    if (status == GOAT_OK) status = test_handle_flush(&handle, GOAT_DURABLE_DISK);
    goat_status closed = test_handle_end(&handle);
    return status == GOAT_OK ? closed : status;
}

static void make_with_checkpoint(test_machine *machine) {
    test_handle handle;
    static char edit[90000];
    test_machine_init(machine, 7);
    test_handle_open(&handle, machine, FLAGS);
    int len = snprintf(edit, sizeof edit,
                       "[{key: 'x', schema: 'goat', set: {text: 'safe'}}, {key: 'big', schema: 'goat', set: {text: '");
    memset(edit + len, 'x', 80000);
    snprintf(edit + len + 80000, sizeof edit - (size_t)len - 80000, "'}}]");
    assert_int_equal(test_handle_apply(&handle, edit, 0, NULL), GOAT_OK);
    for (int i = 0; i < 20; i++)
        assert_int_equal(
            test_handle_apply(&handle, i % 2 == 0 ? "[{key: 'x', set: {votes: 1}}]" : "[{key: 'x', unset: ['votes']}]",
                              0, NULL),
            GOAT_OK);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    assert_true(gt_sim_file(machine->disk, "repos/data/goats.checkpoint").data != NULL);
}

static void each_allocation_of_a_later_life_may_fail(void **state) {
    (void)state;
    for (int once = 0; once < 2; once++) {
        uint64_t failures = 0;
        for (uint64_t k = 0;; k++) {
            test_machine machine;
            make_with_checkpoint(&machine);
            machine.memory.left = k;
            machine.memory.once = once == 1;
            goat_status status = live_again(&machine);
            bool failed = machine.memory.failed;
            if (status != GOAT_OK && status != GOAT_NO_MEMORY)
                fail_msg("allocation %llu: %s", (unsigned long long)k, gt_status_name(status));
            test_alloc_assert_empty(&machine.memory);
            machine.memory.left = TEST_ALLOC_NEVER;
            assert_int_equal(live_again(&machine), GOAT_OK);
            test_machine_free(&machine);
            if (!failed) break;
            failures++;
        }
        printf("%llu allocations\n", (unsigned long long)failures);
        assert_true(failures > 100);
    }
}

static void each_request_to_the_storage_may_fail(void **state) {
    (void)state;
    for (int from_there_on = 0; from_there_on < 2; from_there_on++) {
        uint64_t at = 1;
        for (bool reached = true; reached; at++) {
            test_machine machine;
            test_machine_init(&machine, at);
            gt_sim_options *options = gt_sim_options_of(machine.disk);
            options->fail_operation = at;
            options->fail_from_there_on = from_there_on == 1;
            outcome o = live(&machine);
            reached = gt_sim_operations(machine.disk) >= at;
            if (o.status != GOAT_OK && o.status != GOAT_IO) {
                fail_msg("request %llu: %s says %s", (unsigned long long)at, o.step, gt_status_name(o.status));
            }
            options->fail_operation = 0;
            options->fail_from_there_on = false;
            assert_good(&machine, &o);
            test_machine_free(&machine);
        }
        printf("%llu requests\n", (unsigned long long)at);
        assert_true(at > 20);
    }
}

static void the_disk_may_be_full_at_any_length(void **state) {
    (void)state;
    uint64_t full = 0;
    for (uint64_t capacity = 40;; capacity += capacity < 8000 ? 41 : 203) {
        test_machine machine;
        test_machine_init(&machine, capacity);
        gt_sim_options_of(machine.disk)->capacity = capacity;
        outcome o = live(&machine);
        if (o.status != GOAT_OK && o.status != GOAT_FULL) {
            fail_msg("%llu bytes: %s says %s", (unsigned long long)capacity, o.step, gt_status_name(o.status));
        }
        gt_sim_options_of(machine.disk)->capacity = 0;
        assert_good(&machine, &o);
        test_machine_free(&machine);
        if (o.status == GOAT_OK) break;
        full++;
    }
    assert_true(full > 20);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lives_when_nothing_fails),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(a_single_allocation_may_fail),
        cmocka_unit_test(each_allocation_of_a_later_life_may_fail),
        cmocka_unit_test(each_request_to_the_storage_may_fail),
        cmocka_unit_test(the_disk_may_be_full_at_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
