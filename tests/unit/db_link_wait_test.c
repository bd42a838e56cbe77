/* core/db: what waits for the server, and what is known of it: flushes, the job that meets, receipts, changes, the status. */
#include "support/test.h"

#include "db/internal.h"
#include "db/links.h"
#include "support/test_link.h"
#include "support/test_repo.h"
#include "support/test_value.h"

#include <stdio.h>
#include <string.h>

static void edit(test_handle *handle, const char *name, int from, int count) {
    for (int i = from; i < from + count; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s%d", name, i);
        assert_int_equal(test_handle_create(handle, key, "{text: 'a'}"), GOAT_OK);
        assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
    }
}

static void begin(test_trio *f) {
    test_trio_begin(f);
    test_trio_join(f, &f->one);
    test_world_meet(&f->world);
}

static const char log_name[] = "repos/data/goats.log";

/* ---- flushes ---- */

static void a_flush_to_the_server_ends_when_the_server_has_it_on_its_disk(void **state) {
    (void)state;
    test_trio f;
    goat_job *job = NULL;
    gt_job_info info;
    begin(&f);
    uint64_t before = gt_log_length(gt_repo_log(f.server.space->mount->repo));
    gt_sim_options_of(f.server_machine.disk)->delay_polls_max = 500;
    assert_int_equal(test_handle_create(&f.one, "x", "{text: 'a'}"), GOAT_OK);
    assert_int_equal(gt_db_flush(f.one.db, GOAT_DURABLE_SERVER, &job, NULL), GOAT_OK);
    int unsafe = 0;
    for (int i = 0; gt_sim_durable_length(f.server_machine.disk, log_name) <= before; i++) {
        gt_job_info_of(job, &info);
        assert_false(info.done);
        unsafe += test_handle_entries(&f.server) == 1; /* it is there, but nobody knows for how long */
        test_world_step(&f.world);
        assert_true(i < 100000);
    }
    assert_true(unsafe > 10);
    gt_sim_options_of(f.server_machine.disk)->delay_polls_max = 0;
    assert_int_equal(test_world_wait(&f.world, &f.one, job), GOAT_OK);
    assert_true(gt_sim_durable_length(f.one_machine.disk, log_name) > GT_LOG_HEADER_SIZE); /* and here */
    test_trio_crash(&f, &f.server);
    test_trio_open(&f, &f.server);
    assert_int_equal(test_handle_entries(&f.server), 1);
    test_trio_end(&f);
}

static void without_a_server_there_is_none_to_flush_to(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    test_trio_open(&f, &f.one);
    edit(&f.one, "one", 0, 1);
    assert_int_equal(test_world_flush(&f.world, &f.one, GOAT_DURABLE_SERVER), GOAT_OFFLINE);
    assert_int_equal(test_world_flush(&f.world, &f.server, GOAT_DURABLE_SERVER), GOAT_OK); /* it is one */
    test_trio_join(&f, &f.one);
    assert_int_equal(test_world_flush(&f.world, &f.one, GOAT_DURABLE_SERVER), GOAT_OFFLINE); /* not met yet */
    test_world_meet(&f.world);
    assert_int_equal(test_world_flush(&f.world, &f.one, GOAT_DURABLE_SERVER), GOAT_OK);
    test_trio_end(&f);
}

static void a_flush_says_when_the_server_goes_away(void **state) {
    (void)state;
    test_trio f;
    goat_job *job = NULL;
    begin(&f);
    f.first.broken = true;
    edit(&f.one, "one", 0, 1);
    assert_int_equal(gt_db_flush(f.one.db, GOAT_DURABLE_SERVER, &job, NULL), GOAT_OK);
    test_world_pass(&f.world, 10);
    test_trio_part(&f, &f.one);
    assert_int_equal(test_world_wait(&f.world, &f.one, job), GOAT_OFFLINE);
    test_trio_end(&f);
}

static void a_flush_says_when_the_server_does_not_take_it(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    test_trio_close(&f, &f.server);
    assert_true(gt_sim_remove_file(f.server_machine.disk, "root.key"));
    test_trio_open(&f, &f.server); /* which can certify nobody */
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    edit(&f.one, "one", 0, 1);
    assert_int_equal(test_world_flush(&f.world, &f.one, GOAT_DURABLE_SERVER), GOAT_FORBIDDEN);
    assert_int_equal(test_world_sync(&f.world, &f.one, NULL), GOAT_FORBIDDEN);
    assert_non_null(strstr(f.one.diag.message, "root key"));
    test_trio_end(&f);
}

static void the_edits_of_others_are_waited_for_too_when_they_came_before(void **state) {
    (void)state;
    test_trio f;
    test_handle beside;
    begin(&f);
    test_handle_join(&beside, &f.one);
    edit(&beside, "beside", 0, 3);
    assert_int_equal(test_world_flush(&f.world, &f.one, GOAT_DURABLE_SERVER), GOAT_OK);
    assert_int_equal(test_handle_entries(&f.server), 3);
    assert_int_equal(test_handle_end(&beside), GOAT_OK);
    test_trio_end(&f);
}

/* ---- the job that meets ---- */

static void join_all(test_trio *f) {
    test_trio_open(f, &f->one);
    test_world_pass(&f->world, 10);
    test_pipe_open(&f->world, &f->first, &f->one, &f->server, TEST_ALL);
}

/* An empty list would look like a server without repositories, and a clone of nothing would be well. */
static void a_list_that_is_not_to_be_had_fails_the_job(void **state) {
    (void)state;
    test_trio f;
    gt_diag why;
    gt_diag_init(&why);
    test_trio_begin(&f);
    join_all(&f);
    test_world_meet(&f.world);
    gt_fail(&why, GOAT_IO, "there is no list");
    gt_link_note_unlisted(f.first.client.link, &why);
    f.first.client.link->config.all = false; /* so that it is not asked for again */
    assert_int_equal(test_world_sync(&f.world, &f.one, NULL), GOAT_IO);
    f.first.client.link->config.all = true;
    assert_int_equal(test_world_sync(&f.world, &f.one, NULL), GOAT_OK);
    test_trio_end(&f);
}

/* The rest would stay behind without a word. */
static void more_repositories_than_channels_fail_the_job(void **state) {
    (void)state;
    test_trio f;
    char path[32];
    test_trio_begin(&f);
    join_all(&f);
    test_world_meet(&f.world);
    assert_int_equal(test_world_sync(&f.world, &f.one, NULL), GOAT_OK);
    gt_link *link = f.first.client.link;
    for (int i = 0; i < GT_SYNC_CHANNELS_MAX; i++) {
        int len = snprintf(path, sizeof path, "/data/many-%d", i);
        gt_buf_append(&link->listed, path, (size_t)len + 1);
    }
    gt_link_open_listed(link);
    assert_int_equal(link->unlisted.status, GOAT_TOO_LARGE);
    assert_non_null(strstr(link->unlisted.message, "at most 1024 channels"));
    test_trio_end(&f);
}

static void a_point_may_be_the_last_thing_that_is_waited_for(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    edit(&f.server, "there", 0, 3);
    gt_sim_options_of(f.server_machine.disk)->delay_polls_max = 500; /* points come long after what they cover */
    test_trio_join(&f, &f.one);
    assert_int_equal(test_world_sync(&f.world, &f.one, NULL), GOAT_OK);
    assert_int_equal(test_world_sync(&f.world, &f.one, NULL), GOAT_OK);
    gt_sim_options_of(f.server_machine.disk)->delay_polls_max = 0;
    test_trio_end(&f);
}

static void after_the_job_both_sides_have_what_each_had(void **state) {
    (void)state;
    test_trio f;
    begin(&f);
    test_trio_join(&f, &f.two);
    test_world_meet(&f.world);
    for (int i = 0; i < 10; i++) {
        edit(&f.server, "s", i, 1);
        edit(&f.two, "two", i, 1);
        assert_int_equal(test_world_flush(&f.world, &f.two, GOAT_DURABLE_SERVER), GOAT_OK);
        assert_int_equal(test_handle_create(&f.one, i % 2 == 0 ? "a" : "b", "{text: 'a'}"),
                         i < 2 ? GOAT_OK : GOAT_EXISTS);
        assert_int_equal(test_world_sync(&f.world, &f.one, i % 3 == 0 ? TEST_REPO : NULL), GOAT_OK);
        test_assert_equal(&f.one, &f.server);
    }
    test_trio_end(&f);
}

/* The server's last word has not arrived when the job begins, and the pipe is slow: what is asked anew brings it. */
static void the_job_does_not_believe_that_nothing_new_is_under_way(void **state) {
    (void)state;
    test_trio f;
    begin(&f);
    edit(&f.server, "s", 0, 3);
    assert_true(gt_link_is_even(f.first.client.link)); /* as far as it knows */
    assert_int_equal(test_world_sync(&f.world, &f.one, NULL), GOAT_OK);
    assert_int_equal(test_handle_entries(&f.one), 3);
    test_trio_end(&f);
}

static void a_job_may_begin_before_they_have_met(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    edit(&f.server, "s", 0, 30);
    assert_int_equal(test_world_sync(&f.world, &f.server, NULL), GOAT_OFFLINE);
    test_trio_open(&f, &f.one);
    assert_int_equal(test_world_sync(&f.world, &f.one, NULL), GOAT_OFFLINE);
    edit(&f.one, "one", 0, 3);
    test_trio_join(&f, &f.one);
    assert_int_equal(test_world_sync(&f.world, &f.one, NULL), GOAT_OK);
    test_assert_equal(&f.one, &f.server);
    assert_int_equal(test_world_sync(&f.world, &f.one, "/data/other"), GOAT_NOT_FOUND);
    assert_int_equal(test_world_sync(&f.world, &f.one, "other"), GOAT_INVALID);
    test_trio_end(&f);
}

static void a_job_ends_with_its_connection(void **state) {
    (void)state;
    test_trio f;
    goat_job *job = NULL;
    begin(&f);
    f.first.broken = true;
    assert_int_equal(gt_db_sync(f.one.db, (gt_bytes){0}, &job, NULL), GOAT_OK);
    test_world_pass(&f.world, 10);
    test_trio_part(&f, &f.one);
    assert_int_equal(test_world_wait(&f.world, &f.one, job), GOAT_OFFLINE);
    test_trio_end(&f);
}

static void a_repository_that_neither_side_has_is_nothing_to_wait_for(void **state) {
    (void)state;
    test_trio f;
    goat_job *job = NULL;
    gt_space *space = NULL;
    begin(&f);
    assert_int_equal(gt_space_open(f.one.db, gt_bytes_text("/data/none"), &space, &job, NULL), GOAT_OK);
    assert_int_equal(test_world_wait(&f.world, &f.one, job), GOAT_OK);
    assert_int_equal(test_world_sync(&f.world, &f.one, NULL), GOAT_OK);
    assert_int_equal(test_world_sync(&f.world, &f.one, "/data/none"), GOAT_NOT_FOUND);
    test_trio_end(&f);
}

/* ---- receipts ---- */

static void a_server_ends_what_it_takes_with_receipts_that_everybody_gets(void **state) {
    (void)state;
    test_trio f;
    begin(&f);
    for (int i = 0; i < 5; i++) {
        edit(&f.one, "one", 4 * i, 4);
        test_world_pass(&f.world, 50);
    }
    gt_repo *at_server = f.server.space->mount->repo, *at_one = f.one.space->mount->repo;
    assert_false(gt_repo_wants_receipt(at_server));
    assert_in_range(gt_repo_receipt_count(at_server), 5, 10); /* several batches share one */
    assert_int_equal(gt_repo_receipt_count(at_one), gt_repo_receipt_count(at_server));
    for (uint32_t i = 0; i < gt_repo_receipt_count(at_server); i++) {
        gt_id id;
        gt_bytes bytes;
        gt_repo_receipt_at(at_server, i, &id, &bytes);
        assert_int_not_equal(gt_repo_find_receipt(at_one, &id), GT_NONE);
    }
    assert_int_equal(test_handle_verify(&f.server), 0);
    assert_int_equal(test_handle_verify(&f.one), 0);
    test_trio_end(&f);
}

static void without_anybody_to_serve_there_are_no_receipts(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    edit(&f.server, "s", 0, 3);
    test_world_pass(&f.world, 50);
    assert_int_equal(gt_repo_receipt_count(f.server.space->mount->repo), 0);
    gt_db_serve_begin(f.server.db); /* a listener is enough */
    edit(&f.server, "s", 3, 3);
    test_world_pass(&f.world, 50);
    assert_in_range(gt_repo_receipt_count(f.server.space->mount->repo), 1, 3);
    assert_true(gt_sim_durable_length(f.server_machine.disk, log_name) ==
                gt_log_length(gt_repo_log(f.server.space->mount->repo)));
    gt_db_serve_end(f.server.db);
    test_trio_end(&f);
}

/* ---- changes and the status ---- */

static void changes_tell_of_the_connection(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    test_handle_advances(&f.one,
                         "[[5, 'online', '', ''], [5, 'even', '/data/goats', ''], [5, 'even', '/sys/sessions', ''],"
                         " [5, 'even', '/sys/schemas', '']]");
    test_handle_advances(&f.server, "[]");
    gt_db_set_upstream(f.one.db, 1, gt_bytes_text("wss://example.org"), true, NULL); /* says what is known */
    test_handle_advances(&f.one, "[]");
    test_trio_part(&f, &f.one);
    test_handle_advances(&f.one, "[]"); /* the transport has not said so */
    gt_diag why;
    gt_diag_init(&why);
    gt_fail(&why, GOAT_IO, "the cable is cut");
    gt_db_set_upstream(f.one.db, 1, gt_bytes_text("wss://example.org"), false, &why);
    test_handle_advances(&f.one, "[[5, 'offline', '', 'the cable is cut']]");
    test_trio_end(&f);
}

static void who_was_replaced_or_has_ended_is_not_heard(void **state) {
    const gt_bytes url = gt_bytes_text("wss://example.org");
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    test_trio_open(&f, &f.one);
    test_handle_advances(&f.one, "[]");
    gt_db_set_upstream(f.one.db, 3, url, true, NULL); /* faster than who began it */
    gt_db_begin_upstream(f.one.db, 3, url);
    test_handle_advances(&f.one, "[[5, 'online', '', '']]");
    gt_db_set_upstream(f.one.db, 2, url, false, NULL);
    gt_db_end_upstream(f.one.db, 2);
    test_handle_advances(&f.one, "[]");
    gt_db_end_upstream(f.one.db, 3);
    test_handle_advances(&f.one, "[[5, 'offline', '', '']]");
    gt_db_set_upstream(f.one.db, 3, url, true, NULL);
    test_handle_advances(&f.one, "[]");
    gt_db_begin_upstream(f.one.db, 4, url);
    gt_db_set_upstream(f.one.db, 4, url, true, NULL);
    test_handle_advances(&f.one, "[[5, 'online', '', '']]");
    test_trio_end(&f);
}

static void assert_status(test_handle *handle, const char *name, const char *notation) {
    gt_buf status;
    gt_buf_init(&status, &gt_alloc_system);
    gt_db_status(handle->db, &status);
    assert_int_equal(gt_value_check(gt_buf_bytes(&status), 0, NULL), GOAT_OK);
    assert_value(gt_map_find(gt_buf_bytes(&status), gt_bytes_text(name)), notation);
    gt_buf_free(&status);
}

/* A member of the entry of TEST_REPO. */
static int64_t number_of(test_handle *handle, const char *name) {
    gt_buf status;
    gt_bytes element, path, value = {0};
    int64_t number = -1;
    gt_buf_init(&status, &gt_alloc_system);
    gt_db_status(handle->db, &status);
    gt_iter iter = gt_array_iter(gt_map_find(gt_buf_bytes(&status), gt_bytes_text("repositories")));
    while (gt_array_next(&iter, &element)) {
        bool named = gt_value_as_text(gt_map_find(element, gt_bytes_text("path")), &path);
        if (named && gt_bytes_equal(path, gt_bytes_text(TEST_REPO))) value = gt_map_find(element, gt_bytes_text(name));
    }
    bool truth;
    if (value.data != NULL && gt_value_as_bool(value, &truth)) number = truth;
    if (value.data != NULL) gt_value_as_int64(value, &number);
    gt_buf_free(&status);
    return number;
}

static void the_status_says_what_is_unsent(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    test_trio_open(&f, &f.one);
    assert_status(&f.one, "online", "false");
    assert_status(&f.one, "server", "''");
    assert_status(&f.one, "peers", "[]");
    edit(&f.one, "one", 0, 3);
    assert_int_equal(number_of(&f.one, "unsent"), 3);
    assert_true(number_of(&f.one, "to_send") > 300);
    assert_int_equal(number_of(&f.one, "open"), 0);
    assert_int_equal(number_of(&f.one, "entries"), 3);
    assert_int_equal(number_of(&f.one, "noted"), 0);
    edit(&f.server, "s", 0, 2);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    assert_status(&f.one, "online", "true");
    assert_status(&f.one, "error", "''");
    assert_int_equal(number_of(&f.one, "unsent"), 0);
    assert_int_equal(number_of(&f.one, "to_send"), 0);
    assert_int_equal(number_of(&f.one, "open"), 1);
    assert_int_equal(number_of(&f.one, "even"), 1);
    assert_true(number_of(&f.one, "came") >= number_of(&f.one, "coming"));
    for (int i = 0; number_of(&f.one, "noted") == 0; i++) {
        assert_true(i < 500);
        test_world_pass(&f.world, 1);
    }
    assert_int_equal(number_of(&f.one, "entries"), 5);
    test_trio_close(&f, &f.one); /* and it is known when it was opened again, alone */
    test_trio_open(&f, &f.one);
    test_world_rest(&f.world);
    assert_int_equal(number_of(&f.one, "unsent"), 0);
    assert_int_equal(test_handle_create(&f.one, "two", "{text: 'a'}"), GOAT_OK); /* a batch of two */
    edit(&f.one, "one", 3, 1);
    assert_int_equal(number_of(&f.one, "unsent"), 2);
    assert_int_equal(number_of(&f.one, "even"), 0);
    test_trio_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flush_to_the_server_ends_when_the_server_has_it_on_its_disk),
        cmocka_unit_test(without_a_server_there_is_none_to_flush_to),
        cmocka_unit_test(a_flush_says_when_the_server_goes_away),
        cmocka_unit_test(a_flush_says_when_the_server_does_not_take_it),
        cmocka_unit_test(the_edits_of_others_are_waited_for_too_when_they_came_before),
        cmocka_unit_test(a_list_that_is_not_to_be_had_fails_the_job),
        cmocka_unit_test(more_repositories_than_channels_fail_the_job),
        cmocka_unit_test(a_point_may_be_the_last_thing_that_is_waited_for),
        cmocka_unit_test(after_the_job_both_sides_have_what_each_had),
        cmocka_unit_test(the_job_does_not_believe_that_nothing_new_is_under_way),
        cmocka_unit_test(a_job_may_begin_before_they_have_met),
        cmocka_unit_test(a_job_ends_with_its_connection),
        cmocka_unit_test(a_repository_that_neither_side_has_is_nothing_to_wait_for),
        cmocka_unit_test(a_server_ends_what_it_takes_with_receipts_that_everybody_gets),
        cmocka_unit_test(without_anybody_to_serve_there_are_no_receipts),
        cmocka_unit_test(changes_tell_of_the_connection),
        cmocka_unit_test(who_was_replaced_or_has_ended_is_not_heard),
        cmocka_unit_test(the_status_says_what_is_unsent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
