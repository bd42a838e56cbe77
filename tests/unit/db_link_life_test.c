/* core/db: links that are cut and freed at any moment, fed with garbage, and short of memory; and what waits for the
 * server. Whatever happens, both databases are well and meet the next time. */
#include "support/test.h"

#include "db/internal.h"
#include "db/links.h"
#include "support/test_link.h"
#include "support/test_random.h"
#include "support/test_repo.h"
#include "support/test_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void edit(test_handle *handle, const char *name, int from, int count) {
    for (int i = from; i < from + count; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s%d", name, i);
        assert_int_equal(test_handle_create(handle, key, "{text: 'a'}"), GOAT_OK);
        assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
    }
}

/* Both sides have something that the other lacks. */
static void begin(test_trio *f) {
    test_trio_begin(f);
    test_trio_open(f, &f->one);
    edit(&f->server, "s", 0, 4);
    edit(&f->one, "one", 0, 4);
}

static void meet(test_trio *f) {
    test_trio_join(f, &f->one);
    test_world_meet(&f->world);
    test_assert_equal(&f->one, &f->server);
}

/* ---- cut, freed, closed ---- */

static void a_pipe_may_break_after_any_packet(void **state) {
    (void)state;
    for (uint64_t packets = 1; packets < 40; packets++) {
        test_trio f;
        begin(&f);
        test_trio_join(&f, &f.one);
        f.first.packets_max = packets;
        test_world_pass(&f.world, 300);
        bool broken = f.first.broken;
        test_trio_part(&f, &f.one);
        edit(&f.one, "one", 4, 2);
        meet(&f);
        assert_int_equal(test_handle_entries(&f.server), 10);
        test_trio_end(&f);
        if (!broken) return; /* it had said all that it had to say */
    }
    fail_msg("they never come to rest");
}

static void a_database_may_be_closed_while_it_is_joined(void **state) {
    (void)state;
    for (uint64_t steps = 0; steps < 30; steps++) {
        for (int side = 0; side < 2; side++) {
            test_trio f;
            begin(&f);
            test_trio_join(&f, &f.one);
            test_handle *handle = side == 0 ? &f.one : &f.server;
            test_end *at = side == 0 ? &f.first.client : &f.first.server;
            for (uint64_t i = 0; i < steps; i++) test_world_step(&f.world);
            f.first.broken = true; /* nobody carries any more */
            gt_buf packet;
            gt_buf_init(&packet, &gt_alloc_system);
            gt_db_unlock(handle->db);
            do { /* what it is ready for is asked for, and lost */
                at->ready = false;
            } while (gt_link_send(at->link, &packet) || at->ready);
            gt_db_lock(handle->db);
            goat_job *job = NULL;
            assert_int_equal(gt_db_close(handle->db, &job, NULL), GOAT_OK); /* the link is still there */
            gt_db_retain(handle->db);
            assert_int_equal(test_handle_wait(handle, job, NULL), GOAT_OK);
            gt_db_unlock(handle->db);
            assert_true(at->ready); /* so that its transport looks, and sees that it has ended */
            assert_true(gt_link_has_ended(at->link));
            assert_false(gt_link_send(at->link, &packet));
            gt_buf_free(&packet);
            assert_int_equal(gt_link_receive(at->link, gt_bytes_text("x"), at->hasher, NULL), GOAT_CLOSED);
            assert_int_equal(gt_link_outcome(at->link, NULL), GOAT_CLOSED);
            gt_db_release(handle->db);
            gt_db_lock(handle->db);
            test_trio_part(&f, &f.one);
            test_world_remove(&f.world, handle);
            (void)test_handle_end(handle);
            test_trio_open(&f, handle);
            meet(&f);
            test_trio_end(&f);
        }
    }
}

static void one_handle_may_go_while_another_stays(void **state) {
    (void)state;
    test_trio f;
    test_handle beside;
    begin(&f);
    test_handle_join(&beside, &f.one);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    test_trio_close(&f, &f.one); /* which the pipe was of */
    test_world_add(&f.world, &beside);
    edit(&beside, "beside", 0, 1);
    test_pipe_open(&f.world, &f.first, &beside, &f.server, 0);
    test_world_meet(&f.world);
    assert_int_equal(test_handle_entries(&f.server), 9);
    test_pipe_close(&f.world, &f.first);
    test_world_remove(&f.world, &beside);
    assert_int_equal(test_handle_end(&beside), GOAT_OK);
    test_trio_end(&f);
}

static void a_clean_end_is_said_behind_what_is_ready(void **state) {
    (void)state;
    test_trio f;
    begin(&f);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    gt_db_unlock(f.one.db);
    gt_link_end(f.first.client.link);
    gt_db_lock(f.one.db);
    test_world_rest(&f.world);
    gt_db_unlock(f.server.db);
    assert_true(gt_link_has_ended(f.first.server.link));
    assert_int_equal(gt_link_outcome(f.first.server.link, NULL), GOAT_CLOSED);
    gt_db_lock(f.server.db);
    test_trio_end(&f);
}

/* ---- garbage ---- */

static void garbage_ends_the_connection_and_nothing_else(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, "garbage");
    for (int round = 0; round < 200; round++) {
        test_trio f;
        uint8_t bytes[200];
        begin(&f);
        test_trio_join(&f, &f.one);
        int steps = (int)test_random_below(&random, 12);
        for (int i = 0; i < steps; i++) test_world_step(&f.world);
        test_end *at = test_random_below(&random, 2) == 0 ? &f.first.client : &f.first.server;
        size_t len = 1 + test_random_below(&random, sizeof bytes);
        for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)test_random_below(&random, 256);
        bytes[0] |= 0x80; /* looks like an array, sometimes */
        gt_db_unlock(at->handle->db);
        goat_status status = gt_link_receive(at->link, gt_bytes_of(bytes, len), at->hasher, &at->diag);
        gt_db_lock(at->handle->db);
        assert_int_not_equal(status, GOAT_OK);
        assert_true(gt_diag_is_set(&at->diag));
        test_world_pass(&f.world, 50);
        gt_db_unlock(at->handle->db);
        assert_true(gt_link_has_ended(at->link));
        gt_db_lock(at->handle->db);
        test_trio_part(&f, &f.one);
        meet(&f);
        test_trio_end(&f);
    }
}

/* ---- no memory ---- */

/* A meeting, edits, a job, and the end, in which the allocations of `machine` fail from one on, or one alone. True if it
 * was reached. */
static bool live_short_of_memory(test_machine *machine, test_trio *f, uint64_t at, bool once) {
    machine->memory.left = at;
    machine->memory.once = once;
    machine->memory.failed = false;
    if (test_pipe_try(&f->world, &f->first, &f->one, &f->server, TEST_ALL | TEST_STORED) == GOAT_OK) {
        goat_job *job = NULL;
        test_world_pass(&f->world, 20);
        (void)test_handle_create(&f->one, "live", "{text: 'b'}");
        (void)test_handle_create(&f->server, "live too", "{text: 'b'}");
        test_world_pass(&f->world, 20);
        if (gt_db_sync(f->one.db, (gt_bytes){0}, &job, NULL) == GOAT_OK) {
            test_world_pass(&f->world, 20);
            gt_job_cancel(job);
            test_world_rest(&f->world);
            gt_job_release(job);
        }
        gt_buf status;
        gt_buf_init(&status, &machine->memory.alloc);
        gt_db_status(f->one.db, &status);
        gt_buf_free(&status);
        test_pipe_close(&f->world, &f->first);
    }
    machine->memory.left = TEST_ALLOC_NEVER;
    return machine->memory.failed;
}

static void fail_each(int side, bool once) {
    uint64_t failures = 0;
    bool reached = true;
    for (uint64_t at = 0; reached; at += at < 300 ? 1 : 5) {
        test_trio f;
        begin(&f);
        reached = live_short_of_memory(side == 0 ? &f.one_machine : &f.server_machine, &f, at, once);
        failures += reached;
        test_handle *handle = side == 0 ? &f.one : &f.server;
        if (gt_db_check(handle->db, NULL) != GOAT_OK || gt_space_check(handle->space, NULL) != GOAT_OK) {
            test_world_remove(&f.world, handle); /* it stopped rather than read otherwise than its peers */
            (void)test_handle_end(handle);
            test_trio_open(&f, handle);
        }
        meet(&f);
        assert_int_equal(test_handle_verify(&f.server), 0);
        assert_int_equal(test_handle_verify(&f.one), 0);
        test_trio_end(&f);
    }
    printf("%llu allocations failed\n", (unsigned long long)failures);
    assert_true(failures > 100);
}

static void each_allocation_of_the_client_may_fail(void **state) {
    (void)state;
    fail_each(0, false);
}

static void each_allocation_of_the_server_may_fail(void **state) {
    (void)state;
    fail_each(1, false);
}

static void a_single_allocation_may_fail(void **state) {
    (void)state;
    fail_each(0, true);
    fail_each(1, true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pipe_may_break_after_any_packet),
        cmocka_unit_test(a_database_may_be_closed_while_it_is_joined),
        cmocka_unit_test(one_handle_may_go_while_another_stays),
        cmocka_unit_test(a_clean_end_is_said_behind_what_is_ready),
        cmocka_unit_test(garbage_ends_the_connection_and_nothing_else),
        cmocka_unit_test(each_allocation_of_the_client_may_fail),
        cmocka_unit_test(each_allocation_of_the_server_may_fail),
        cmocka_unit_test(a_single_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
