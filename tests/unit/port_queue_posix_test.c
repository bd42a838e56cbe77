/* core/port/posix: the two sides of a storage, submitting and polling. */
#include "support/test.h"

#include "port/port.h"

#include "support/test_folder_posix.h"
#include "support/test_io.h"

#include <stdio.h>
#include <stdlib.h>

enum { RESULTS_MAX = 16 };

static int locked_setup(void **state) {
    if (test_folder_setup(state) != 0) {
        return -1;
    }
    test_folder *folder = *state;
    return test_io_lock(&folder->storage, GOAT_IO_CREATE);
}

static void submit(goat_storage *storage, goat_io_kind kind, uint32_t file, uint32_t token) {
    goat_io_request request = {.kind = kind, .file = file, .token = token};
    if (kind == GOAT_IO_APPEND) {
        request.data = (const uint8_t *)"goat";
        request.data_len = 4;
    }
    assert_int_equal(storage->submit(storage->context, &request), GOAT_OK);
}

static size_t poll_once(goat_storage *storage, goat_io_result *results) {
    return storage->poll(storage->context, results, RESULTS_MAX, false);
}

static void syncs_that_wait_together_share_one_call(void **state) {
    test_folder *folder = *state;
    goat_storage *storage = &folder->storage;
    uint32_t a = test_io_open(storage, "a", GOAT_IO_CREATE).file;
    uint32_t b = test_io_open(storage, "b", GOAT_IO_CREATE).file;
    goat_io_result results[RESULTS_MAX];
    submit(storage, GOAT_IO_SYNC, a, 1);
    submit(storage, GOAT_IO_SYNC, b, 2);
    submit(storage, GOAT_IO_SYNC, a, 3);
    submit(storage, GOAT_IO_SYNC, b, 4);
    submit(storage, GOAT_IO_SYNC, a, 5);
    assert_int_equal(poll_once(storage, results), 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(results[i].token, 2 * i + 1);
        assert_int_equal(results[i].status, GOAT_OK);
    }
    assert_int_equal(poll_once(storage, results), 2);
    assert_int_equal(results[1].token, 4);
    assert_int_equal(poll_once(storage, results), 0);
}

static void appends_are_told_at_once_but_do_not_starve_a_sync(void **state) {
    test_folder *folder = *state;
    goat_storage *storage = &folder->storage;
    uint32_t file = test_io_open(storage, "a", GOAT_IO_CREATE).file;
    goat_io_result results[RESULTS_MAX];
    submit(storage, GOAT_IO_SYNC, file, 1);
    submit(storage, GOAT_IO_APPEND, file, 2);
    assert_int_equal(poll_once(storage, results), 1);
    assert_int_equal(results[0].token, 2);
    submit(storage, GOAT_IO_APPEND, file, 3);
    assert_int_equal(poll_once(storage, results), 2);
    assert_int_equal(results[0].token + results[1].token, 1 + 3);
}

static void results_that_do_not_fit_come_with_the_next_poll(void **state) {
    test_folder *folder = *state;
    goat_storage *storage = &folder->storage;
    uint32_t file = test_io_open(storage, "a", GOAT_IO_CREATE).file;
    goat_io_result result;
    for (uint32_t token = 1; token <= 5; token++) {
        submit(storage, GOAT_IO_APPEND, file, token);
    }
    for (uint32_t token = 1; token <= 5; token++) {
        assert_int_equal(storage->poll(storage->context, &result, 1, false), 1);
        assert_int_equal(result.token, token);
        assert_int_equal(result.length, 4 * token);
    }
    assert_int_equal(storage->poll(storage->context, &result, 1, false), 0);
}

static void a_close_waits_for_what_was_submitted_before_it(void **state) {
    test_folder *folder = *state;
    goat_storage *storage = &folder->storage;
    uint32_t file = test_io_open(storage, "a", GOAT_IO_CREATE).file;
    goat_io_result results[RESULTS_MAX];
    submit(storage, GOAT_IO_APPEND, file, 1);
    submit(storage, GOAT_IO_SYNC, file, 2);
    submit(storage, GOAT_IO_CLOSE, file, 3);
    goat_io_request late = {.kind = GOAT_IO_SYNC, .file = file, .token = 4};
    assert_int_equal(storage->submit(storage->context, &late), GOAT_MISUSE);
    for (uint32_t token = 1; token <= 3; token++) {
        assert_int_equal(poll_once(storage, results), 1);
        assert_int_equal(results[0].token, token);
        assert_int_equal(results[0].status, GOAT_OK);
    }
}

static void closing_drops_what_is_under_way(void **state) {
    test_folder *folder = *state;
    goat_storage *storage = &folder->storage;
    uint32_t file = test_io_open(storage, "a", GOAT_IO_CREATE).file;
    submit(storage, GOAT_IO_APPEND, file, 1);
    submit(storage, GOAT_IO_SYNC, file, 2);
    goat_io_request read = {.kind = GOAT_IO_READ, .name = "a", .token = 3};
    assert_int_equal(storage->submit(storage->context, &read), GOAT_OK);
    /* The teardown closes; the leak check of the sanitizer sees what is forgotten. */
}

/* ---- Two threads ----------------------------------------------------------------------------- */

enum { APPENDS = 3000, SYNC_EVERY = 50, TOKENS = APPENDS + APPENDS / SYNC_EVERY };

typedef struct poller {
    goat_storage *storage;
    size_t wanted;
    uint8_t seen[TOKENS + 1];
    goat_status worst;
} poller;

static void poll_until_all_are_seen(void *argument) {
    poller *p = argument;
    goat_io_result results[RESULTS_MAX];
    while (p->wanted != 0) {
        size_t count = p->storage->poll(p->storage->context, results, RESULTS_MAX, true);
        for (size_t i = 0; i < count; i++) {
            p->seen[results[i].token]++;
            p->worst = results[i].status > p->worst ? results[i].status : p->worst;
        }
        p->wanted -= count;
    }
}

static void a_waiting_poll_is_woken_by_a_submit(void **state) {
    test_folder *folder = *state;
    uint32_t file = test_io_open(&folder->storage, "a", GOAT_IO_CREATE).file;
    poller *p = calloc(1, sizeof *p);
    p->storage = &folder->storage;
    p->wanted = 1;
    gt_thread thread;
    assert_int_equal(gt_thread_start(&thread, poll_until_all_are_seen, p, NULL), GOAT_OK);
    submit(&folder->storage, GOAT_IO_SYNC, file, 1);
    gt_thread_join(&thread);
    assert_int_equal(p->seen[1], 1);
    free(p);
}

static void one_thread_submits_while_another_polls(void **state) {
    test_folder *folder = *state;
    uint32_t file = test_io_open(&folder->storage, "a", GOAT_IO_CREATE).file;
    poller *p = calloc(1, sizeof *p);
    p->storage = &folder->storage;
    p->wanted = TOKENS;
    gt_thread thread;
    assert_int_equal(gt_thread_start(&thread, poll_until_all_are_seen, p, NULL), GOAT_OK);
    uint32_t token = 0;
    for (uint32_t i = 1; i <= APPENDS; i++) {
        char text[9];
        snprintf(text, sizeof text, "%08u", i);
        goat_io_request append = {.kind = GOAT_IO_APPEND, .file = file, .token = ++token};
        append.data = (const uint8_t *)text;
        append.data_len = 8;
        assert_int_equal(folder->storage.submit(folder->storage.context, &append), GOAT_OK);
        if (i % SYNC_EVERY == 0) {
            submit(&folder->storage, GOAT_IO_SYNC, file, ++token);
        }
    }
    gt_thread_join(&thread);
    assert_int_equal(token, TOKENS);
    assert_int_equal(p->worst, GOAT_OK);
    for (uint32_t i = 1; i <= TOKENS; i++) {
        assert_int_equal(p->seen[i], 1);
    }
    free(p);
    goat_io_request load = {.kind = GOAT_IO_LOAD, .file = file, .length = UINT64_MAX};
    goat_io_result all = test_io(&folder->storage, load);
    assert_int_equal(all.data_len, 8 * APPENDS);
    for (uint32_t i = 1; i <= APPENDS; i++) {
        char text[9];
        snprintf(text, sizeof text, "%08u", i);
        assert_memory_equal(all.data + 8 * (i - 1), text, 8);
    }
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, locked_setup, test_folder_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(syncs_that_wait_together_share_one_call),
        WITH_FOLDER(appends_are_told_at_once_but_do_not_starve_a_sync),
        WITH_FOLDER(results_that_do_not_fit_come_with_the_next_poll),
        WITH_FOLDER(a_close_waits_for_what_was_submitted_before_it),
        WITH_FOLDER(closing_drops_what_is_under_way),
        WITH_FOLDER(a_waiting_poll_is_woken_by_a_submit),
        WITH_FOLDER(one_thread_submits_while_another_polls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
