/* core/db: databases joined by pipes: clone, live edits, meeting again after being apart; what a link opens and who may
 * be at its other end. */
#include "support/test.h"

#include "db/internal.h"
#include "db/links.h"
#include "support/test_link.h"
#include "support/test_repo.h"

#include <stdio.h>
#include <string.h>

/* Edits `from`, `from + 1`, …, each a batch of its own. */
static void edit(test_handle *handle, const char *name, int from, int count) {
    for (int i = from; i < from + count; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s%d", name, i);
        assert_int_equal(test_handle_create(handle, key, "{text: 'a'}"), GOAT_OK);
        assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
    }
}

/* ---- what is the same on both sides ---- */

static void a_replica_clones_what_its_server_has(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    edit(&f.server, "k", 0, 20);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    assert_int_equal(test_handle_entries(&f.one), 20);
    test_handle_advance(&f.one);
    test_handle_shows(&f.one, "k7", "{text: 'a'}");
    test_assert_equal(&f.one, &f.server);
    assert_int_equal(test_handle_verify(&f.one), 0);
    assert_int_equal(test_handle_verify(&f.server), 0);
    test_trio_end(&f);
}

static void edits_go_both_ways_while_they_are_joined(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    test_trio_join(&f, &f.one);
    test_trio_join(&f, &f.two);
    test_world_meet(&f.world);
    test_handle_advance(&f.two);
    assert_int_equal(test_handle_create(&f.one, "x", "{text: 'a', votes: 1}"), GOAT_OK);
    test_world_rest(&f.world); /* no time passes */
    test_handle_advances(&f.two, "[[1, '/data/goats/x', 1, ['text', 'votes']]]");
    test_handle_shows(&f.two, "x", "{text: 'a', votes: 1}");
    test_world_pass(&f.world, 400);
    assert_int_equal(test_handle_set(&f.two, "x", "text", "'b'"), GOAT_OK);
    test_world_rest(&f.world);
    test_handle_advance(&f.one);
    test_handle_shows(&f.one, "x", "{text: 'b', votes: 1}");
    test_world_meet(&f.world);
    test_assert_equal(&f.one, &f.two);
    test_assert_equal(&f.one, &f.server);
    test_trio_end(&f);
}

static void concurrent_edits_come_to_the_same_everywhere(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    assert_int_equal(test_handle_create(&f.server, "x", "{text: 'a', votes: 1}"), GOAT_OK);
    test_trio_join(&f, &f.one);
    test_trio_join(&f, &f.two);
    test_world_meet(&f.world);
    test_handle_advance(&f.one);
    test_handle_advance(&f.two);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(test_handle_set(&f.one, "x", "text", "'one'"), GOAT_OK);
        assert_int_equal(test_handle_set(&f.two, "x", "votes", i % 2 == 0 ? "7" : "8"), GOAT_OK);
        assert_int_equal(test_handle_set(&f.server, "x", "text", i % 2 == 0 ? "'server'" : "'b'"), GOAT_OK);
        test_world_pass(&f.world, 150);
        if (i % 3 == 0) test_handle_advance(&f.one);
        if (i % 4 == 0) test_handle_advance(&f.two);
    }
    test_world_meet(&f.world);
    test_handle_advance(&f.one);
    test_handle_advance(&f.two);
    test_assert_equal(&f.one, &f.two);
    test_assert_equal(&f.one, &f.server);
    test_trio_end(&f);
}

static void what_was_edited_apart_meets(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    edit(&f.server, "s", 0, 5);
    test_trio_join(&f, &f.one);
    test_trio_join(&f, &f.two);
    test_world_meet(&f.world);
    test_trio_part(&f, &f.one);
    test_trio_part(&f, &f.two);
    edit(&f.one, "one", 0, 7);
    edit(&f.two, "two", 0, 9);
    edit(&f.server, "s", 5, 3);
    test_trio_close(&f, &f.one);
    test_trio_join(&f, &f.one);
    test_trio_join(&f, &f.two);
    test_world_meet(&f.world);
    assert_int_equal(test_handle_entries(&f.server), 24);
    test_assert_equal(&f.one, &f.server);
    test_assert_equal(&f.two, &f.server);
    assert_int_equal(test_handle_verify(&f.server), 0);
    assert_int_equal(test_handle_verify(&f.one), 0);
    test_trio_end(&f);
}

static void edits_from_before_the_first_meeting_are_taken(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    test_trio_open(&f, &f.one);
    edit(&f.one, "one", 0, 4);
    test_trio_close(&f, &f.one);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    assert_int_equal(test_handle_entries(&f.server), 4);
    test_assert_equal(&f.one, &f.server);
    const gt_database *server = gt_db_database(f.server.db);
    const gt_id *session = &gt_db_database(f.one.db)->own.session;
    assert_int_equal(gt_keyring_role(server->keyring, session), GT_ROLE_ANONYMOUS);
    assert_int_equal(gt_keyring_role(gt_db_database(f.one.db)->keyring, session), GT_ROLE_ANONYMOUS);
    test_trio_end(&f);
}

/* ---- resuming ---- */

static void with_nothing_new_one_round_trip_of_a_few_bytes_will_do(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    edit(&f.server, "k", 0, 50);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    edit(&f.one, "one", 0, 3);
    test_world_meet(&f.world);
    test_trio_close(&f, &f.one);
    test_trio_join(&f, &f.one);
    for (int i = 0; !f.first.client.link->greeted; i++) { /* HELLO; HELLO and PROOF */
        assert_true(i < 2);
        assert_true(test_pipe_step(&f.first));
    }
    uint64_t bytes = f.first.client.bytes + f.first.server.bytes;
    uint64_t packets = f.first.client.packets + f.first.server.packets;
    test_world_meet(&f.world);
    bytes = f.first.client.bytes + f.first.server.bytes - bytes;
    packets = f.first.client.packets + f.first.server.packets - packets;
    const gt_sync_counters *counters = gt_sync_get_counters(gt_link_sync(f.first.client.link));
    assert_int_equal(counters->batches_in, 0);
    assert_int_equal(counters->batches_out, 0);
    assert_int_equal(counters->runs, 0);
    assert_int_equal(packets, 2);      /* PROOF and three OPEN, three OPENED */
    assert_true(bytes < 256 + 3 * 40); /* of three repositories, with the proof */
    test_trio_end(&f);
}

/* ---- what is opened ---- */

static bool stores(const test_machine *machine, const char *name) {
    return gt_sim_file(machine->disk, name).data != NULL;
}

static goat_status open_repo(test_handle *handle, const char *path, gt_space **space) {
    goat_job *job = NULL;
    goat_status status = gt_space_open(handle->db, gt_bytes_text(path), space, &job, &handle->diag);
    return status != GOAT_OK ? status : test_handle_wait(handle, job, NULL);
}

static goat_status close_repo(test_handle *handle, gt_space *space) {
    goat_job *job = NULL;
    goat_status status = gt_space_close(space, &job, &handle->diag);
    return status != GOAT_OK ? status : test_handle_wait(handle, job, NULL);
}

static void put(test_handle *handle, gt_space *space, const char *edits) {
    gt_bytes value = gt_bytes_text(edits);
    assert_int_equal(gt_space_apply_json(space, value, 0, NULL, &handle->diag), GOAT_OK);
}

static void what_a_handle_opens_later_is_synced_too(void **state) {
    (void)state;
    test_trio f;
    gt_space *at_server = NULL, *at_one = NULL;
    test_trio_begin(&f);
    assert_int_equal(open_repo(&f.server, "/data/other", &at_server), GOAT_OK);
    put(&f.server, at_server, "[{\"key\": \"x\", \"schema\": \"goat\"}]");
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    assert_false(stores(&f.one_machine, "repos/data/other.log")); /* nobody there asked for it */
    assert_int_equal(open_repo(&f.one, "/data/other", &at_one), GOAT_OK);
    test_world_meet(&f.world);
    assert_int_equal(gt_repo_entry_count(at_one->mount->repo), 1);
    test_trio_end(&f);
}

static void a_server_makes_a_repository_only_for_who_has_something_to_bring(void **state) {
    (void)state;
    test_trio f;
    gt_space *space = NULL;
    test_trio_begin(&f);
    test_trio_join(&f, &f.one);
    assert_int_equal(open_repo(&f.one, "/data/new", &space), GOAT_OK);
    test_world_meet(&f.world);
    assert_false(stores(&f.server_machine, "repos/data/new.log"));
    put(&f.one, space, "[{\"key\": \"x\", \"schema\": \"goat\"}]");
    test_world_meet(&f.world);
    assert_true(stores(&f.server_machine, "repos/data/new.log"));
    test_trio_end(&f);
}

/* As if many had come before. */
static void strangers_make_what_stays_slowly(void **state) {
    (void)state;
    test_trio f;
    gt_space *space = NULL;
    test_trio_begin(&f);
    gt_database *server = gt_db_database(f.server.db);
    uint64_t now_us = gt_database_now_us(server);
    server->certifying = (gt_allowance){now_us + 1000000, GT_CERTIFIED_AT_ONCE_MAX};
    server->making = (gt_allowance){now_us + 3000000, GT_MADE_AT_ONCE_MAX};
    test_trio_join(&f, &f.one);
    const gt_id session = gt_db_database(f.one.db)->own.session;
    assert_int_equal(open_repo(&f.one, "/data/new", &space), GOAT_OK);
    put(&f.one, space, "[{\"key\": \"x\", \"schema\": \"goat\"}]");
    test_world_pass(&f.world, 900);
    assert_int_equal(gt_keyring_role(server->keyring, &session), GT_ROLE_NONE);
    test_world_pass(&f.world, 1500);
    assert_int_equal(gt_keyring_role(server->keyring, &session), GT_ROLE_ANONYMOUS);
    assert_false(stores(&f.server_machine, "repos/data/new.log"));
    test_world_pass(&f.world, 8000);
    assert_true(stores(&f.server_machine, "repos/data/new.log"));
    test_world_meet(&f.world);
    test_trio_end(&f);
}

static void an_allowance_comes_back_with_time(void **state) {
    (void)state;
    gt_allowance allowance = {0};
    for (int i = 0; i < 3; i++) assert_true(gt_allowance_take(&allowance, 3, 10, 5));
    assert_false(gt_allowance_take(&allowance, 3, 10, 5));
    assert_false(gt_allowance_take(&allowance, 3, 10, 14));
    assert_true(gt_allowance_take(&allowance, 3, 10, 19));
    assert_false(gt_allowance_take(&allowance, 3, 10, 24)); /* the rest of a period is not lost, and not given twice */
    assert_true(gt_allowance_take(&allowance, 3, 10, 25));
    for (int i = 0; i < 3; i++) assert_true(gt_allowance_take(&allowance, 3, 10, UINT64_MAX));
    assert_false(gt_allowance_take(&allowance, 3, 10, UINT64_MAX));
}

static void what_no_handle_has_open_any_more_goes_when_it_is_safe(void **state) {
    (void)state;
    test_trio f;
    gt_space *space = NULL;
    test_trio_begin(&f);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    assert_int_equal(open_repo(&f.one, "/data/new", &space), GOAT_OK);
    put(&f.one, space, "[{\"key\": \"x\", \"schema\": \"goat\"}]");
    assert_int_equal(close_repo(&f.one, space), GOAT_OK);
    assert_non_null(gt_link_find_want(f.first.client.link, gt_bytes_text("/data/new")));
    test_world_meet(&f.world);
    assert_null(gt_link_find_want(f.first.client.link, gt_bytes_text("/data/new")));
    assert_null(gt_mount_find(gt_db_database(f.one.db), gt_bytes_text("/data/new"))); /* its memory went, too */
    assert_null(gt_mount_find(gt_db_database(f.server.db), gt_bytes_text("/data/new")));
    assert_true(gt_sim_file(f.server_machine.disk, "repos/data/new.log").len > GT_LOG_HEADER_SIZE);
    test_trio_end(&f);
}

static void a_link_can_be_told_to_sync_all_of_the_servers(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    for (int i = 0; i < 5; i++) {
        char path[32];
        gt_space *space = NULL;
        snprintf(path, sizeof path, "/data/r%d", i);
        assert_int_equal(open_repo(&f.server, path, &space), GOAT_OK);
        put(&f.server, space, "[{\"key\": \"x\", \"schema\": \"goat\"}]");
        assert_int_equal(close_repo(&f.server, space), GOAT_OK);
    }
    test_trio_open(&f, &f.one);
    test_pipe_open(&f.world, &f.first, &f.one, &f.server, TEST_ALL);
    test_world_meet(&f.world);
    assert_true(stores(&f.one_machine, "repos/data/r0.log"));
    assert_int_equal(gt_sim_file(f.one_machine.disk, "repos/data/r4.log").len,
                     gt_sim_file(f.server_machine.disk, "repos/data/r4.log").len);
    test_trio_end(&f);
}

static void a_link_can_be_told_to_sync_all_that_is_stored(void **state) {
    (void)state;
    test_trio f;
    gt_space *space = NULL;
    test_trio_begin(&f);
    test_trio_open(&f, &f.one);
    assert_int_equal(open_repo(&f.one, "/data/mine", &space), GOAT_OK);
    put(&f.one, space, "[{\"key\": \"x\", \"schema\": \"goat\"}]");
    assert_int_equal(close_repo(&f.one, space), GOAT_OK);
    test_pipe_open(&f.world, &f.first, &f.one, &f.server, TEST_STORED);
    test_world_meet(&f.world);
    assert_true(stores(&f.server_machine, "repos/data/mine.log"));
    test_trio_end(&f);
}

static void a_link_syncs_what_was_added_to_it(void **state) {
    (void)state;
    test_trio f;
    gt_space *space = NULL;
    test_trio_begin(&f);
    assert_int_equal(open_repo(&f.server, "/data/r", &space), GOAT_OK);
    put(&f.server, space, "[{\"key\": \"x\", \"schema\": \"goat\"}]");
    test_trio_join(&f, &f.one);
    assert_int_equal(gt_link_add(f.first.client.link, gt_bytes_text("data/r"), NULL), GOAT_INVALID);
    assert_int_equal(gt_link_add(f.first.client.link, gt_bytes_text("/data/r"), NULL), GOAT_OK);
    assert_int_equal(gt_link_add(f.first.client.link, gt_bytes_text("/data/r"), NULL), GOAT_OK);
    test_world_meet(&f.world);
    assert_true(stores(&f.one_machine, "repos/data/r.log"));
    test_trio_end(&f);
}

static void peers_make_no_system_repositories(void **state) {
    (void)state;
    test_trio f;
    gt_space *space = NULL;
    test_trio_begin(&f);
    test_trio_join(&f, &f.one);
    assert_int_equal(open_repo(&f.one, "/sys/mine", &space), GOAT_OK);
    test_world_meet(&f.world);
    test_world_pass(&f.world, 3000);
    assert_false(stores(&f.server_machine, "repos/sys/mine.log"));
    test_trio_end(&f);
}

/* ---- who is at the other end ---- */

static void a_server_of_another_network_is_refused(void **state) {
    (void)state;
    test_trio f;
    test_machine other_machine;
    test_handle other;
    test_trio_begin(&f);
    test_machine_init(&other_machine, 9);
    test_handle_open(&other, &other_machine, TEST_CREATE);
    test_world_add(&f.world, &other);
    test_trio_open(&f, &f.one);
    test_pipe_open(&f.world, &f.first, &f.one, &other, 0);
    test_world_pass(&f.world, 50);
    assert_int_equal(f.first.server.received, GOAT_UNTRUSTED);
    gt_db_unlock(f.one.db);
    assert_true(gt_link_has_ended(f.first.client.link));
    gt_db_lock(f.one.db);
    test_trio_part(&f, &f.one);
    test_world_remove(&f.world, &other);
    assert_int_equal(test_handle_end(&other), GOAT_OK);
    test_machine_free(&other_machine);
    test_trio_end(&f);
}

static void who_is_not_certified_as_a_server_is_none(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    test_trio_open(&f, &f.two);
    assert_int_equal(test_pipe_try(&f.world, &f.second, &f.two, &f.one, 0), GOAT_FORBIDDEN);
    assert_int_equal(gt_db_may_serve(f.one.db, NULL), GOAT_FORBIDDEN);
    assert_int_equal(gt_db_may_serve(f.server.db, NULL), GOAT_OK);
    test_trio_end(&f);
}

static void a_server_without_the_root_key_certifies_nobody_new(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    test_trio_join(&f, &f.one);
    edit(&f.one, "one", 0, 1);
    test_world_meet(&f.world); /* this one is known from now on */
    test_trio_part(&f, &f.one);
    test_trio_close(&f, &f.server);
    assert_true(gt_sim_remove_file(f.server_machine.disk, "root.key"));
    test_trio_open(&f, &f.server);
    test_trio_join(&f, &f.one);
    test_trio_join(&f, &f.two);
    edit(&f.one, "one", 1, 1);
    edit(&f.two, "two", 0, 1);
    test_handle_advance(&f.two);
    test_world_pass(&f.world, 2000);
    assert_int_equal(test_handle_entries(&f.server), 2);
    assert_int_equal(test_handle_entries(&f.two), 3); /* it reads, and keeps its own */
    test_trio_end(&f);
}

static void a_database_that_is_read_only_is_no_client(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    test_trio_close(&f, &f.one);
    gt_sim_options_of(f.one_machine.disk)->read_only = true;
    test_handle_open(&f.one, &f.one_machine, TEST_THERE | GOAT_OPEN_READ_ONLY);
    test_world_add(&f.world, &f.one);
    assert_int_equal(test_pipe_try(&f.world, &f.first, &f.one, &f.server, 0), GOAT_FORBIDDEN);
    test_trio_end(&f);
}

static void a_server_that_is_read_only_is_cloned_and_takes_nothing(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    edit(&f.server, "k", 0, 3);
    test_trio_close(&f, &f.server);
    gt_sim_options_of(f.server_machine.disk)->read_only = true;
    test_handle_open(&f.server, &f.server_machine, TEST_THERE | GOAT_OPEN_READ_ONLY);
    test_world_add(&f.world, &f.server);
    test_trio_join(&f, &f.one);
    test_world_pass(&f.world, 500);
    assert_int_equal(test_handle_entries(&f.one), 3);
    edit(&f.one, "one", 0, 1);
    test_world_pass(&f.world, 2000);
    assert_int_equal(test_handle_entries(&f.server), 3);
    test_trio_end(&f);
}

/* ---- clocks ---- */

static void commits_are_timed_with_the_servers_clock(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    gt_sim_set_wall_ms(&f.server_machine.clock, INT64_C(1800000000000));
    gt_sim_set_wall_ms(&f.one_machine.clock, INT64_C(1800000000000) - 86400000);
    gt_sim_set_wall_ms(&f.two_machine.clock, INT64_C(1800000000000) + 400);
    test_trio_join(&f, &f.one);
    test_trio_join(&f, &f.two);
    test_world_rest(&f.world);
    assert_int_equal(gt_db_database(f.one.db)->clock_shift_ms, 86400000);
    assert_int_equal(gt_db_database(f.two.db)->clock_shift_ms, 0); /* less than a second is let be */
    goat_clock clock = gt_database_clock(gt_db_database(f.one.db));
    assert_true(clock.wall_ms(clock.context) == INT64_C(1800000000000));
    edit(&f.one, "one", 0, 1);
    gt_commit_info info;
    assert_int_equal(gt_repo_commit_info(f.one.space->mount->repo, 0, &info, NULL), GOAT_OK);
    assert_true(info.commit.time >> 16 == UINT64_C(1800000000000));
    test_trio_end(&f);
}

/* An hour ahead, and not known to be so before the first meeting. */
static void a_server_refuses_what_is_ahead_of_its_clock(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    gt_sim_set_wall_ms(&f.server_machine.clock, INT64_C(1800000000000));
    gt_sim_set_wall_ms(&f.one_machine.clock, INT64_C(1800000000000) + 3600000);
    gt_sim_set_wall_ms(&f.two_machine.clock, INT64_C(1800000000000) + 240000);
    test_trio_open(&f, &f.one);
    test_trio_open(&f, &f.two);
    edit(&f.one, "one", 0, 1);
    edit(&f.two, "two", 0, 1);
    test_trio_join(&f, &f.two);
    test_world_meet(&f.world);
    assert_int_equal(test_handle_entries(&f.server), 1);
    test_trio_join(&f, &f.one);
    test_world_pass(&f.world, 2000);
    assert_int_equal(test_handle_entries(&f.server), 1);
    assert_int_equal(test_world_flush(&f.world, &f.one, GOAT_DURABLE_SERVER), GOAT_FORBIDDEN);
    assert_non_null(strstr(f.one.diag.message, "ahead of the server's clock"));
    test_trio_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replica_clones_what_its_server_has),
        cmocka_unit_test(edits_go_both_ways_while_they_are_joined),
        cmocka_unit_test(concurrent_edits_come_to_the_same_everywhere),
        cmocka_unit_test(what_was_edited_apart_meets),
        cmocka_unit_test(edits_from_before_the_first_meeting_are_taken),
        cmocka_unit_test(with_nothing_new_one_round_trip_of_a_few_bytes_will_do),
        cmocka_unit_test(what_a_handle_opens_later_is_synced_too),
        cmocka_unit_test(a_server_makes_a_repository_only_for_who_has_something_to_bring),
        cmocka_unit_test(strangers_make_what_stays_slowly),
        cmocka_unit_test(an_allowance_comes_back_with_time),
        cmocka_unit_test(what_no_handle_has_open_any_more_goes_when_it_is_safe),
        cmocka_unit_test(a_link_can_be_told_to_sync_all_of_the_servers),
        cmocka_unit_test(a_link_can_be_told_to_sync_all_that_is_stored),
        cmocka_unit_test(a_link_syncs_what_was_added_to_it),
        cmocka_unit_test(peers_make_no_system_repositories),
        cmocka_unit_test(a_server_of_another_network_is_refused),
        cmocka_unit_test(who_is_not_certified_as_a_server_is_none),
        cmocka_unit_test(a_server_without_the_root_key_certifies_nobody_new),
        cmocka_unit_test(a_database_that_is_read_only_is_no_client),
        cmocka_unit_test(a_server_that_is_read_only_is_cloned_and_takes_nothing),
        cmocka_unit_test(a_server_refuses_what_is_ahead_of_its_clock),
        cmocka_unit_test(commits_are_timed_with_the_servers_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
