/* abi/: jobs in both forms, rounds, the wake-up, advance, and what a database says of itself. */
#include "support/test.h"

#include "support/test_db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define with_db(test) cmocka_unit_test_setup_teardown(test, test_db_setup, test_db_teardown)

static uint32_t flags_of(goat_item *item) {
    uint32_t flags = 0;
    assert_ok(goat_item_state(item, &flags, &error));
    return flags;
}

/* Runs the database until the job is done; what it came to. */
static goat_status finish(goat_db *db, goat_job *job) {
    for (int rounds = 0; rounds < 10000; rounds++) {
        goat_status status = goat_job_wait(job, 0, NULL);
        if (status != GOAT_TIMEOUT) return status;
        assert_ok(goat_db_run(db, -1, 0, NULL, &error));
    }
    return GOAT_TIMEOUT;
}

static void finish_well(goat_db *db, goat_job *job) {
    assert_int_equal(finish(db, job), GOAT_OK);
    goat_job_free(job);
}

/* ---- Both forms -------------------------------------------------------------------------------- */

static goat_config config_for(goat_host *host) {
    goat_config config = GOAT_CONFIG_INIT;
    config.flags |= GOAT_OPEN_NO_THREAD;
    config.host = host;
    return config;
}

static void a_database_is_usable_while_it_opens(void **state) {
    test_db *f = *state;
    goat_buf info = {0};
    goat_repo *repo = NULL;
    goat_job *job = NULL;
    goat_repo_free(f->repo);
    goat_db_free(f->db);
    f->repo = NULL;
    goat_host host = test_db_host(f);
    goat_config config = config_for(&host);
    gt_sim_options_of(f->disk)->delay_polls_max = 3;
    assert_ok(goat_db_open(TEXT("d"), &config, &f->db, &job, &error));
    assert_fails(GOAT_LOADING, goat_db_info(f->db, &info, &error));
    assert_fails(GOAT_LOADING, goat_repo_open(f->db, TEXT("/data/tasks"), 0, &repo, NULL, &error));
    assert_fails(GOAT_LOADING, goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &error));
    assert_fails(GOAT_LOADING, goat_job_result(job, &info, &error));
    assert_ok(goat_db_advance(f->db, &info, &error));
    assert_fails(GOAT_TIMEOUT, goat_job_wait(job, 0, &error));
    finish_well(f->db, job);
    assert_ok(goat_repo_open(f->db, TEXT("/data/tasks"), 0, &f->repo, &job, &error));
    goat_item *item = NULL;
    assert_fails(GOAT_LOADING, goat_item_open(f->db, NULL, TEXT("/data/tasks/1"), &item, &error));
    finish_well(f->db, job);
    assert_fails(GOAT_NOT_FOUND, goat_item_open(f->db, NULL, TEXT("/data/tasks/1"), &item, &error));
    gt_sim_options_of(f->disk)->delay_polls_max = 0;
    goat_buf_free(&info);
}

static void opening_what_is_not_there_fails_in_either_form(void **state) {
    test_db *f = *state;
    test_db other = {.disk = gt_sim_disk_new(&gt_alloc_system, 9)};
    goat_db *db = NULL;
    goat_job *job = NULL;
    test_alloc_init(&other.memory, TEST_ALLOC_NEVER);
    gt_sim_clock_init(&other.clock);
    goat_host host = test_db_host(&other);
    goat_config config = config_for(&host);
    config.flags = GOAT_OPEN_NO_THREAD;
    assert_fails(GOAT_NOT_FOUND, goat_db_open(TEXT("d"), &config, &db, NULL, &error));
    assert_null(db);
    host = test_db_host(&other);
    assert_ok(goat_db_open(TEXT("d"), &config, &db, &job, &error));
    assert_int_equal(finish(db, job), GOAT_NOT_FOUND);
    assert_fails(GOAT_NOT_FOUND, goat_job_result(job, &(goat_buf){0}, &error));
    assert_fails(GOAT_NOT_FOUND, goat_db_info(db, &(goat_buf){0}, &error));
    goat_db_free(db);
    assert_fails(GOAT_NOT_FOUND, goat_job_wait(job, 0, &error)); /* it says so still */
    goat_job_free(job);
    test_alloc_assert_empty(&other.memory);
    gt_sim_disk_free(other.disk);
    host = test_db_host(f);
    assert_fails(GOAT_BUSY, goat_db_open(TEXT("d"), &config, &db, NULL, &error)); /* the fixture owns it */
    config.flags |= GOAT_OPEN_CREATE | GOAT_OPEN_EXCLUSIVE;
    goat_repo_free(f->repo);
    goat_db_free(f->db);
    f->repo = NULL;
    f->db = NULL;
    host = test_db_host(f);
    assert_fails(GOAT_EXISTS, goat_db_open(TEXT("d"), &config, &db, NULL, &error));
}

static void results_are_the_same_in_either_form(void **state) {
    test_db *f = *state;
    goat_buf blocking = {0}, result = {0};
    goat_job *job = NULL;
    goat_item_free(test_db_create(f, "/data/tasks/1", "one"));
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &error));
    assert_ok(goat_repo_digest(f->repo, &blocking, NULL, &error));
    assert_ok(goat_repo_digest(f->repo, NULL, &job, &error));
    assert_int_equal(finish(f->db, job), GOAT_OK);
    assert_ok(goat_job_result(job, &result, &error));
    assert_int_equal(result.size, blocking.size);
    assert_memory_equal(result.data, blocking.data, result.size);
    assert_non_null(strstr(test_db_json(&result), "\"entries\":1"));
    goat_job_free(job);
    assert_ok(goat_db_repos(f->db, &blocking, NULL, &error));
    assert_string_equal(test_db_json(&blocking), "[\"/data/tasks\",\"/sys/schemas\",\"/sys/sessions\"]");
    assert_ok(goat_db_repos(f->db, NULL, &job, &error));
    assert_int_equal(finish(f->db, job), GOAT_OK);
    assert_ok(goat_job_result(job, &result, &error));
    assert_string_equal(test_db_json(&result), (char *)blocking.data);
    goat_job_free(job);
    assert_ok(goat_db_verify(f->db, NULL, 0, &blocking, NULL, &error));
    assert_non_null(strstr(test_db_json(&blocking), "\"faults\":[]"));
    assert_ok(goat_db_verify(f->db, TEXT("/data/tasks"), NULL, &job, &error));
    assert_int_equal(finish(f->db, job), GOAT_OK);
    assert_ok(goat_job_result(job, &result, &error));
    assert_non_null(strstr(test_db_json(&result), "\"commits\":1"));
    goat_job_free(job);
    assert_ok(goat_db_verify(f->db, NULL, 0, NULL, NULL, &error)); /* the report may be skipped */
    assert_fails(GOAT_NOT_FOUND, goat_db_verify(f->db, TEXT("/data/none"), &result, NULL, &error));
    assert_fails(GOAT_INVALID, goat_db_verify(f->db, TEXT("none"), &result, NULL, &error));
    goat_buf_free(&blocking);
    goat_buf_free(&result);
}

static void flushing_and_closing_are_jobs_too(void **state) {
    test_db *f = *state;
    goat_job *job = NULL;
    goat_buf result = {0};
    gt_sim_options_of(f->disk)->delay_polls_max = 3;
    goat_item_free(test_db_create(f, "/data/tasks/1", "one"));
    for (goat_durability level = GOAT_DURABLE_MEMORY; level <= GOAT_DURABLE_DISK; level++) {
        assert_ok(goat_db_flush(f->db, level, &job, &error));
        assert_int_equal(finish(f->db, job), GOAT_OK);
        assert_ok(goat_job_result(job, &result, &error));
        assert_int_equal(result.size, 0);
        goat_job_free(job);
    }
    gt_bytes log = gt_sim_file(f->disk, "repos/data/tasks.log");
    assert_true(gt_sim_durable_length(f->disk, "repos/data/tasks.log") == log.len);
    assert_ok(goat_repo_close(f->repo, &job, &error));
    finish_well(f->db, job);
    assert_ok(goat_db_close(f->db, &job, &error));
    assert_fails(GOAT_CLOSED, goat_db_info(f->db, &result, &error)); /* at once */
    finish_well(f->db, job);
    assert_fails(GOAT_CLOSED, goat_db_run(f->db, -1, 0, NULL, &error));
    gt_sim_options_of(f->disk)->delay_polls_max = 0;
    goat_buf_free(&result);
}

/* On a disk that answers at once nothing is left over, for which nobody would come back. */
static void one_run_with_time_enough_finishes_every_job(void **state) {
    test_db *f = *state;
    goat_job *jobs[7] = {NULL};
    goat_query *query = NULL;
    goat_repo *repo = NULL;
    double deadline = 0;
    goat_item_free(test_db_create(f, "/data/tasks/1", "one"));
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, &jobs[0], &error));
    assert_ok(goat_db_verify(f->db, NULL, 0, NULL, &jobs[1], &error));
    assert_ok(goat_db_repos(f->db, NULL, &jobs[2], &error));
    assert_ok(goat_repo_digest(f->repo, NULL, &jobs[3], &error));
    assert_ok(goat_query_open(f->repo, NULL, TEXT("{}"), &query, &jobs[4], &error));
    assert_ok(goat_repo_open(f->db, TEXT("/data/other"), 0, &repo, &jobs[5], &error));
    for (int i = 0; i < 6; i++) {
        assert_ok(goat_db_run(f->db, -1, 1000000, &deadline, &error)); /* the clock stands still */
        assert_true(deadline == -1);
        assert_ok(goat_job_wait(jobs[i], 0, &error));
        goat_job_free(jobs[i]);
    }
    assert_ok(goat_repo_close(repo, &jobs[5], &error));
    assert_ok(goat_db_run(f->db, -1, 1000000, &deadline, &error));
    assert_ok(goat_job_wait(jobs[5], 0, &error));
    assert_ok(goat_db_close(f->db, &jobs[6], &error));
    assert_ok(goat_db_run(f->db, -1, 1000000, &deadline, &error));
    assert_ok(goat_job_wait(jobs[6], 0, &error));
    goat_job_free(jobs[5]);
    goat_job_free(jobs[6]);
    goat_query_free(query);
    goat_repo_free(repo);
}

static void a_job_goes_on_when_its_handle_is_freed(void **state) {
    test_db *f = *state;
    goat_job *job = NULL;
    gt_sim_options_of(f->disk)->delay_polls_max = 3;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, &job, &error));
    goat_job_free(job);
    double deadline = 0;
    for (int i = 0; i < 100; i++) assert_ok(goat_db_run(f->db, -1, 0, &deadline, &error));
    assert_true(deadline == -1);
    gt_bytes log = gt_sim_file(f->disk, "repos/data/tasks.log");
    assert_true(gt_sim_durable_length(f->disk, "repos/data/tasks.log") == log.len);
    gt_sim_options_of(f->disk)->delay_polls_max = 0;
    goat_item_free(item);
}

static void a_cancelled_job_says_so_unless_it_was_done(void **state) {
    test_db *f = *state;
    goat_job *verify = NULL, *listing = NULL, *digest = NULL, *close = NULL;
    gt_sim_options_of(f->disk)->delay_polls_max = 5;
    assert_ok(goat_db_verify(f->db, NULL, 0, NULL, &verify, &error));
    assert_ok(goat_db_repos(f->db, NULL, &listing, &error));
    for (int i = 0; i < 2; i++) assert_ok(goat_db_run(f->db, -1, 0, NULL, &error)); /* requests are under way */
    goat_job_cancel(verify);
    goat_job_cancel(listing);
    goat_job_free(listing); /* nobody asks any more */
    assert_int_equal(finish(f->db, verify), GOAT_CANCELLED);
    assert_ok(goat_repo_digest(f->repo, NULL, &digest, &error));
    assert_int_equal(finish(f->db, digest), GOAT_OK);
    goat_job_cancel(digest);
    assert_int_equal(finish(f->db, digest), GOAT_OK);
    assert_ok(goat_db_close(f->db, &close, &error));
    goat_job_cancel(close); /* it goes on: half closed is worse */
    finish_well(f->db, close);
    gt_sim_options_of(f->disk)->delay_polls_max = 0;
    goat_job_free(verify);
    goat_job_free(digest);
}

static void jobs_end_when_their_database_is_closed(void **state) {
    test_db *f = *state;
    goat_job *verify = NULL, *digest = NULL, *opening = NULL, *close = NULL;
    goat_repo *repo = NULL;
    gt_sim_options_of(f->disk)->delay_polls_max = 5;
    assert_ok(goat_db_verify(f->db, NULL, 0, NULL, &verify, &error));
    assert_ok(goat_repo_digest(f->repo, NULL, &digest, &error));
    assert_ok(goat_repo_open(f->db, TEXT("/data/other"), 0, &repo, &opening, &error));
    for (int i = 0; i < 7; i++) assert_ok(goat_db_run(f->db, -1, 0, NULL, &error));
    assert_ok(goat_db_close(f->db, &close, &error));
    assert_int_equal(finish(f->db, close), GOAT_OK);
    goat_status status = goat_job_wait(verify, 0, NULL);
    assert_true(status == GOAT_CLOSED || status == GOAT_OK);
    status = goat_job_wait(digest, 0, NULL);
    assert_true(status == GOAT_CLOSED || status == GOAT_OK);
    status = goat_job_wait(opening, 0, NULL);
    assert_true(status == GOAT_CLOSED || status == GOAT_OK);
    goat_job_free(verify);
    goat_job_free(digest);
    goat_job_free(opening);
    goat_job_free(close);
    goat_repo_free(repo);
    gt_sim_options_of(f->disk)->delay_polls_max = 0;
}

static void a_finished_job_is_a_change(void **state) {
    test_db *f = *state;
    goat_buf changes = {0};
    goat_job *job = NULL;
    char wanted[64];
    assert_ok(goat_db_advance(f->db, NULL, &error));
    assert_ok(goat_repo_digest(f->repo, NULL, &job, &error));
    assert_int_not_equal(goat_job_id(job), 0);
    snprintf(wanted, sizeof wanted, "[[4,%u,0]]", goat_job_id(job));
    finish_well(f->db, job);
    assert_ok(goat_db_advance(f->db, &changes, &error));
    assert_string_equal(test_db_json(&changes), wanted);
    assert_ok(goat_db_advance(f->db, &changes, &error));
    assert_string_equal(test_db_json(&changes), "[]");
    goat_buf_free(&changes);
}

static void opening_tells_how_far_it_is(void **state) {
    test_db *f = *state;
    double done = -1, total = -1;
    goat_job *job = NULL;
    for (int i = 0; i < 50; i++) {
        char edits[200];
        snprintf(edits, sizeof edits, "[{\"key\": \"%d\", \"schema\": \"task\", \"set\": {\"title\": \"a\"}}]", i);
        assert_ok(goat_repo_apply_json(f->repo, edits, strlen(edits), 0, NULL, &error));
    }
    assert_ok(goat_repo_close(f->repo, NULL, &error));
    goat_repo_free(f->repo);
    assert_ok(goat_repo_open(f->db, TEXT("/data/tasks"), 0, &f->repo, &job, &error));
    assert_int_equal(finish(f->db, job), GOAT_OK);
    goat_job_progress(job, &done, &total);
    assert_true(total > 1000);
    assert_true(done == total);
    goat_job_free(job);
}

#if !GT_PORT_HAS_THREADS
static void without_threads_what_would_block_says_so_and_goes_on(void **state) {
    test_db *f = *state;
    goat_buf result = {0};
    goat_item_free(test_db_create(f, "/data/tasks/1", "one"));
    gt_sim_options_of(f->disk)->delay_polls_max = 20;
    assert_fails(GOAT_WOULD_BLOCK, goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &error));
    assert_fails(GOAT_WOULD_BLOCK, goat_db_repos(f->db, &result, NULL, &error));
    goat_repo_free(f->repo);
    goat_db_free(f->db); /* goes on behind, in the rounds of whoever comes next */
    gt_sim_options_of(f->disk)->delay_polls_max = 0;
    goat_host host;
    goat_config config = config_for(&host);
    goat_status status = GOAT_BUSY;
    for (int i = 0; i < 100 && status == GOAT_BUSY; i++) {
        host = test_db_host(f);
        status = goat_db_open(TEXT("d"), &config, &f->db, NULL, NULL);
    }
    assert_int_equal(status, GOAT_OK);
    assert_ok(goat_repo_open(f->db, TEXT("/data/tasks"), 0, &f->repo, NULL, &error));
    goat_item_free(test_db_item(f->db, "/data/tasks/1"));
}
#endif

/* ---- Rounds and the wake-up -------------------------------------------------------------------- */

static void the_first_edit_is_captured_at_once_the_next_after_the_interval(void **state) {
    test_db *f = *state;
    double deadline = 0;
    double now = (double)f->clock.monotonic_us / 1000;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_int_equal(flags_of(item), GOAT_ITEM_UNSAVED);
    assert_ok(goat_db_run(f->db, now, 1000000, &deadline, &error));
    assert_int_equal(flags_of(item), 0);
    assert_true(deadline == -1);
    gt_sim_advance_ms(&f->clock, 100);
    test_db_set(item, "size", "1");
    assert_ok(goat_db_run(f->db, -1, 0, &deadline, &error));
    assert_int_equal(flags_of(item), GOAT_ITEM_UNSAVED);
    assert_true(deadline == now + 333);
    assert_ok(goat_db_run(f->db, now + 332.9, 0, &deadline, &error));
    assert_int_equal(flags_of(item), GOAT_ITEM_UNSAVED);
    assert_ok(goat_db_run(f->db, now + 333, 0, NULL, &error));
    assert_int_equal(flags_of(item), 0);
    goat_item_free(item);
}

static void count_up(void *userdata) { (*(int *)userdata)++; }

static void waking_asks_for_a_round_once_until_it_comes(void **state) {
    test_db *f = *state;
    int wakes = 0;
    assert_ok(goat_db_run(f->db, -1, 1000000, NULL, &error));
    assert_ok(goat_db_advance(f->db, NULL, &error));
    assert_ok(goat_db_on_wake(f->db, count_up, &wakes, NULL, &error));
    assert_int_equal(wakes, 0);
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_int_equal(wakes, 1); /* a capture is due */
    test_db_set(item, "size", "1");
    assert_int_equal(wakes, 1);
    assert_ok(goat_db_run(f->db, -1, 0, NULL, &error));
    assert_int_equal(wakes, 2); /* now there are changes for an advance */
    test_db_set(item, "size", "2");
    assert_int_equal(wakes, 3); /* and something to run again, though nobody has advanced */
    assert_ok(goat_db_run(f->db, -1, 0, NULL, &error));
    assert_int_equal(wakes, 3);
    assert_ok(goat_db_advance(f->db, NULL, &error));
    assert_int_equal(wakes, 3);
    goat_job *job = NULL;
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, &job, &error));
    assert_true(wakes > 3); /* a job wants rounds */
    finish_well(f->db, job);
    goat_item_free(item);
}

static void whoever_comes_late_is_told_what_waits(void **state) {
    test_db *f = *state;
    int wakes = 0;
    assert_ok(goat_db_advance(f->db, NULL, &error));
    goat_item_free(test_db_create(f, "/data/tasks/1", "one"));
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_MEMORY, NULL, &error));
    assert_ok(goat_db_on_wake(f->db, count_up, &wakes, NULL, &error));
    assert_int_equal(wakes, 1);
}

static void userdata_is_freed_exactly_once(void **state) {
    test_db *f = *state;
    int freed[4] = {0};
    assert_ok(goat_db_on_wake(f->db, count_up, &(int){0}, NULL, &error));
    assert_ok(goat_db_on_wake(f->db, NULL, &freed[0], count_up, &error));
    assert_int_equal(freed[0], 0);
    assert_ok(goat_db_on_wake(f->db, NULL, &freed[1], count_up, &error));
    assert_int_equal(freed[0], 1);
    assert_fails(GOAT_MISUSE, goat_db_on_wake(NULL, NULL, &freed[2], count_up, &error));
    assert_int_equal(freed[2], 1); /* also when it fails */
    f->memory.left = 0;
    assert_fails(GOAT_NO_MEMORY, goat_db_on_wake(f->db, NULL, &freed[3], count_up, &error));
    f->memory.left = TEST_ALLOC_NEVER;
    assert_int_equal(freed[3], 1);
    assert_int_equal(freed[1], 0);
    goat_repo_free(f->repo);
    goat_db_free(f->db);
    f->repo = NULL;
    f->db = NULL;
    assert_int_equal(freed[1], 1);
    assert_int_equal(freed[0], 1);
}

static void a_closed_database_wakes_nobody(void **state) {
    test_db *f = *state;
    int wakes = 0;
    goat_job *job = NULL;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_db_run(f->db, -1, 1000000, NULL, &error));
    assert_ok(goat_db_advance(f->db, NULL, &error));
    assert_ok(goat_db_on_wake(f->db, count_up, &wakes, NULL, &error));
    assert_ok(goat_db_close(f->db, &job, &error));
    int before = wakes;
    finish_well(f->db, job);
    assert_int_equal(wakes, before);
    goat_item_free(item);
}

/* ---- Advance, facts, trouble ------------------------------------------------------------------- */

static void own_edits_are_among_the_changes(void **state) {
    test_db *f = *state;
    goat_buf changes = {0};
    assert_ok(goat_db_advance(f->db, NULL, &error));
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_MEMORY, NULL, &error));
    assert_ok(goat_db_advance(f->db, &changes, &error));
    const char *json = test_db_json(&changes);
    assert_non_null(strstr(json, "[1,\"/data/tasks/1\",0,"));
    assert_non_null(strstr(json, ",[\"title\"]]"));
    goat_buf_free(&changes);
    goat_item_free(item);
}

static void more_changes_than_are_kept_are_a_reset(void **state) {
    test_db *f = *state;
    goat_buf changes = {0};
    goat_repo_free(f->repo);
    goat_db_free(f->db);
    goat_host host = test_db_host(f);
    goat_config config = config_for(&host);
    config.changes_max = 2;
    assert_ok(goat_db_open(TEXT("d"), &config, &f->db, NULL, &error));
    assert_ok(goat_db_add_schema(f->db, test_db_schema, strlen(test_db_schema), &error));
    assert_ok(goat_repo_open(f->db, TEXT("/data/tasks"), 0, &f->repo, NULL, &error));
    assert_ok(goat_db_advance(f->db, NULL, &error));
    static const char edits[] = "[{\"key\": \"a\", \"schema\": \"task\", \"set\": {\"title\": \"A\"}},"
                                " {\"key\": \"b\", \"schema\": \"task\", \"set\": {\"title\": \"B\"}},"
                                " {\"key\": \"c\", \"schema\": \"task\", \"set\": {\"title\": \"C\"}}]";
    assert_ok(goat_repo_apply_json(f->repo, TEXT(edits), 0, NULL, &error));
    assert_ok(goat_db_advance(f->db, &changes, &error));
    assert_string_equal(test_db_json(&changes), "[[0]]");
    assert_ok(goat_db_advance(f->db, &changes, &error));
    assert_string_equal(test_db_json(&changes), "[]");
    goat_buf_free(&changes);
}

static void a_database_tells_facts(void **state) {
    test_db *f = *state;
    goat_buf info = {0};
    goat_item_free(test_db_create(f, "/data/tasks/1", "one"));
    assert_ok(goat_db_info(f->db, &info, &error));
    const char *json = test_db_json(&info);
    assert_non_null(strstr(json, "\"path\":\"simulated\""));
    assert_non_null(strstr(json, "\"unsaved\":1"));
    assert_non_null(strstr(json, "\"authority\":true"));
    assert_non_null(strstr(json, "\"read_only\":false"));
    assert_non_null(strstr(json, "\"repositories\":[\"/data/tasks\"]"));
    goat_buf_free(&info);
}

static void schemas_are_immutable_per_version(void **state) {
    test_db *f = *state;
    goat_buf schemas = {0};
    goat_error *why = NULL;
    assert_ok(goat_db_add_schema(f->db, test_db_schema, strlen(test_db_schema), &error));
    static const char other[] = "{\"ns\": \"task\", \"version\": 1, \"fields\": {\"x\": {\"type\": \"string\"}}}";
    assert_fails(GOAT_CONFLICT, goat_db_add_schema(f->db, TEXT(other), &error));
    assert_fails(GOAT_INVALID, goat_db_add_schema(f->db, TEXT("{\"ns\": \"a\""), &error));
    static const char wrong[] = "{\"ns\": \"a\", \"version\": 1, \"fields\": {\"x\": {\"type\": \"strong\"}}}";
    assert_int_equal(goat_db_add_schema(f->db, wrong, sizeof wrong - 1, &why), GOAT_INVALID);
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_FIELD), "x");
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_RULE), "type");
    goat_error_free(why);
    assert_ok(goat_db_schemas(f->db, &schemas, &error));
    const char *json = test_db_json(&schemas);
    assert_int_equal(strncmp(json, "[{\"ns\":\"task\",", 14), 0);
    assert_null(strstr(json, "\"ns\":\"sys"));
    goat_buf_free(&schemas);
}

static void after_trouble_with_the_disk_nothing_is_pretended(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &error));
    gt_sim_options_of(f->disk)->fail_operation = gt_sim_operations(f->disk) + 1;
    gt_sim_options_of(f->disk)->fail_from_there_on = true;
    test_db_set(item, "size", "1");
    assert_fails(GOAT_IO, goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &error));
    assert_fails(GOAT_IO, goat_item_set_number(item, TEXT("size"), 2, &error));
    gt_sim_options_of(f->disk)->fail_operation = 0;
    gt_sim_options_of(f->disk)->fail_from_there_on = false;
    assert_fails(GOAT_IO, goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &error));
    goat_item_free(item);
    test_db_reopen(f);
    item = test_db_item(f->db, "/data/tasks/1");
    assert_ok(goat_item_set_number(item, TEXT("size"), 3, &error));
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &error));
    goat_item_free(item);
}

static void a_database_that_is_read_only_refuses_edits(void **state) {
    test_db *f = *state;
    goat_item_free(test_db_create(f, "/data/tasks/1", "one"));
    goat_repo_free(f->repo);
    goat_db_free(f->db);
    goat_host host = test_db_host(f);
    goat_config config = config_for(&host);
    goat_item *item = NULL, *made = NULL;
    goat_tx *tx = NULL;
    goat_repo *repo = NULL;
    config.flags = GOAT_OPEN_READ_ONLY | GOAT_OPEN_NO_THREAD;
    assert_ok(goat_db_open(TEXT("d"), &config, &f->db, NULL, &error));
    assert_ok(goat_repo_open(f->db, TEXT("/data/tasks"), 0, &f->repo, NULL, &error));
    item = test_db_item(f->db, "/data/tasks/1");
    test_db_assert_field(item, "title", "\"one\"");
    assert_fails(GOAT_FORBIDDEN, goat_item_set_bool(item, TEXT("done"), true, &error));
    assert_fails(GOAT_FORBIDDEN, goat_item_delete(item, true, &error));
    assert_fails(GOAT_FORBIDDEN, goat_tx_begin(f->repo, &tx, &error));
    assert_fails(GOAT_FORBIDDEN, goat_repo_apply_json(f->repo, TEXT("[]"), 0, NULL, &error));
    assert_fails(GOAT_FORBIDDEN,
                 goat_item_create(f->db, NULL, TEXT("/data/tasks/2"), TEXT("task"), NULL, 0, &made, &error));
    assert_fails(GOAT_NOT_FOUND, goat_repo_open(f->db, TEXT("/data/none"), 0, &repo, NULL, &error));
    goat_item_free(item);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_db(a_database_is_usable_while_it_opens),
        with_db(opening_what_is_not_there_fails_in_either_form),
        with_db(results_are_the_same_in_either_form),
        with_db(flushing_and_closing_are_jobs_too),
        with_db(one_run_with_time_enough_finishes_every_job),
        with_db(a_job_goes_on_when_its_handle_is_freed),
        with_db(a_cancelled_job_says_so_unless_it_was_done),
        with_db(jobs_end_when_their_database_is_closed),
        with_db(a_finished_job_is_a_change),
        with_db(opening_tells_how_far_it_is),
#if !GT_PORT_HAS_THREADS
        with_db(without_threads_what_would_block_says_so_and_goes_on),
#endif
        with_db(the_first_edit_is_captured_at_once_the_next_after_the_interval),
        with_db(waking_asks_for_a_round_once_until_it_comes),
        with_db(whoever_comes_late_is_told_what_waits),
        with_db(userdata_is_freed_exactly_once),
        with_db(a_closed_database_wakes_nobody),
        with_db(own_edits_are_among_the_changes),
        with_db(more_changes_than_are_kept_are_a_reset),
        with_db(a_database_tells_facts),
        with_db(schemas_are_immutable_per_version),
        with_db(after_trouble_with_the_disk_nothing_is_pretended),
        with_db(a_database_that_is_read_only_refuses_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
