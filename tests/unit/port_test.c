/* core/port: the machine's threads, clocks and randomness, and what every storage refuses. */
#include "support/test.h"

#include "port/port.h"

#include "support/test_alloc.h"

#include <string.h>

/* ---- Names ----------------------------------------------------------------------------------- */

static void names_that_lead_out_of_the_folder_are_refused(void **state) {
    (void)state;
    static const char *good[] = {"a", "root.key", "repos/data/tasks.log", "repos/lock", "lock.log", "...", ".a", "a~"};
    static const char *bad[] = {"",     "/",    "/etc/passwd", "..",  "../a", "a/..", "a/../b",
                                "a//b", "a/",   ".",           "./a", "a/.",  "~",    "~goat-0123456789abcdef",
                                "a/~b", "lock", "a/./b",       "//a"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(gt_port_name_valid(good[i]));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(gt_port_name_valid(bad[i]));
    }
    assert_true(gt_port_folder_valid(""));
    assert_true(gt_port_folder_valid("repos/data"));
    assert_false(gt_port_folder_valid("repos/.."));
}

static void names_have_a_greatest_length_and_depth(void **state) {
    (void)state;
    char name[GT_PORT_NAME_MAX + 2];
    memset(name, 'a', sizeof name);
    name[GT_PORT_NAME_MAX] = 0;
    assert_true(gt_port_name_valid(name));
    name[GT_PORT_NAME_MAX] = 'a';
    name[GT_PORT_NAME_MAX + 1] = 0;
    assert_false(gt_port_name_valid(name));
    assert_true(gt_port_name_valid("1/2/3/4/5/6/7/8"));
    assert_false(gt_port_name_valid("1/2/3/4/5/6/7/8/9"));
}

static void requests_must_be_complete(void **state) {
    (void)state;
    goat_io_request request = {.kind = GOAT_IO_LOCK};
    assert_true(gt_port_request_valid(&request));
    for (goat_io_kind kind = GOAT_IO_LIST; kind <= GOAT_IO_CLOSE; kind++) {
        request.kind = kind;
        assert_false(gt_port_request_valid(&request));
        request.name = "a";
        request.file = 1;
        assert_true(gt_port_request_valid(&request));
        request.data_len = 1;
        assert_false(gt_port_request_valid(&request));
        request.name = NULL;
        request.file = 0;
        request.data_len = 0;
    }
    request.kind = 0;
    assert_false(gt_port_request_valid(&request));
    request.kind = GOAT_IO_UNLOCK + 1;
    assert_false(gt_port_request_valid(&request));
}

static void words_of_a_failure_are_cut_at_a_code_point(void **state) {
    (void)state;
    goat_io_result result;
    char text[400];
    for (size_t i = 0; i < sizeof text - 1; i += 2) {
        memcpy(text + i, "\xc3\xa9", 2);
    }
    text[sizeof text - 2] = 0;
    assert_int_equal(gt_port_result_fail(&result, GOAT_IO, "%s", text), GOAT_IO);
    assert_int_equal(strlen(result.message), sizeof result.message - 2);
    gt_port_result_fail(&result, GOAT_FULL, "a%d", 5);
    assert_int_equal(result.status, GOAT_FULL);
    assert_string_equal(result.message, "a5");
}

/* ---- Threads --------------------------------------------------------------------------------- */

typedef struct shared {
    gt_mutex mutex;
    gt_condition changed;
    int turn; /* whose it is: this thread's 0, the other's 1 */
    int rounds;
} shared;

enum { ROUNDS = 200 };

static void take_turns(shared *s, int mine) {
    for (int i = 0; i < ROUNDS; i++) {
        gt_mutex_lock(&s->mutex);
        while (s->turn != mine) {
            gt_condition_wait(&s->changed, &s->mutex, GT_WAIT_US_MAX);
        }
        s->turn = 1 - mine;
        s->rounds++;
        gt_condition_wake_all(&s->changed);
        gt_mutex_unlock(&s->mutex);
    }
}

static void play_other_side(void *argument) { take_turns(argument, 1); }

static void threads_take_turns_through_a_condition(void **state) {
    (void)state;
    shared s = {.turn = 0};
    gt_thread thread;
    assert_int_equal(gt_mutex_init(&s.mutex, NULL), GOAT_OK);
    assert_int_equal(gt_condition_init(&s.changed, NULL), GOAT_OK);
    assert_int_equal(gt_thread_start(&thread, play_other_side, &s, NULL), GOAT_OK);
    take_turns(&s, 0);
    gt_thread_join(&thread);
    assert_int_equal(s.rounds, 2 * ROUNDS);
    gt_condition_destroy(&s.changed);
    gt_mutex_destroy(&s.mutex);
}

static void waiting_ends_after_the_time_given(void **state) {
    (void)state;
    goat_host host;
    memset(&host, 0, sizeof host);
    assert_int_equal(gt_port_default_host("nowhere", 7, 0, &host, NULL), GOAT_OK);
    gt_mutex mutex;
    gt_condition never;
    assert_int_equal(gt_mutex_init(&mutex, NULL), GOAT_OK);
    assert_int_equal(gt_condition_init(&never, NULL), GOAT_OK);
    gt_mutex_lock(&mutex);
    uint64_t before = host.clock.monotonic_us(host.clock.context);
    while (gt_condition_wait(&never, &mutex, 20000)) { /* woken without reason */
    }
    uint64_t after = host.clock.monotonic_us(host.clock.context);
    gt_mutex_unlock(&mutex);
    assert_true(after - before >= 20000);
    assert_true(after - before < 10000000);
    gt_condition_destroy(&never);
    gt_mutex_destroy(&mutex);
    host.storage.close(host.storage.context);
}

/* ---- The machine's own ----------------------------------------------------------------------- */

static void a_host_gets_what_it_lacks_and_keeps_what_it_has(void **state) {
    (void)state;
    test_alloc memory;
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    goat_host host;
    memset(&host, 0, sizeof host);
    host.allocator = memory.alloc;
    assert_int_equal(gt_port_default_host("nowhere", 7, 0, &host, NULL), GOAT_OK);
    assert_ptr_equal(host.allocator.context, &memory);
    assert_true(memory.live_blocks > 0);
    assert_int_equal(host.storage.struct_size, sizeof host.storage);
    assert_int_equal(host.clock.struct_size, sizeof host.clock);

    uint8_t a[32] = {0}, b[32] = {0};
    assert_true(host.random.fill(host.random.context, a, sizeof a));
    assert_true(host.random.fill(host.random.context, b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(host.clock.wall_ms(host.clock.context) > INT64_C(1700000000000));

    goat_host other = host;
    other.random.fill = NULL;
    assert_int_equal(gt_port_default_host("nowhere", 7, 0, &other, NULL), GOAT_OK);
    assert_ptr_equal(other.storage.context, host.storage.context);
    assert_non_null(other.random.fill);
    host.storage.close(host.storage.context);
    test_alloc_assert_empty(&memory);
}

static void a_host_that_cannot_be_made_leaves_nothing(void **state) {
    (void)state;
    goat_host host;
    memset(&host, 0, sizeof host);
    gt_diag diag;
    assert_int_equal(gt_port_default_host("a\0b", 3, 0, &host, &diag), GOAT_MISUSE);
    assert_int_equal(gt_port_default_host("", 0, 0, &host, &diag), GOAT_MISUSE);
    assert_int_equal(gt_port_default_host("a", 1, 1, &host, &diag), GOAT_MISUSE);
    assert_null(host.storage.submit);
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        test_alloc_init(&memory, k);
        memset(&host, 0, sizeof host);
        host.allocator = memory.alloc;
        goat_status status = gt_port_default_host("nowhere", 7, 0, &host, &diag);
        if (status == GOAT_OK) {
            host.storage.close(host.storage.context);
        }
        assert_int_equal(status, memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            return;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_lead_out_of_the_folder_are_refused),
        cmocka_unit_test(names_have_a_greatest_length_and_depth),
        cmocka_unit_test(requests_must_be_complete),
        cmocka_unit_test(words_of_a_failure_are_cut_at_a_code_point),
        cmocka_unit_test(threads_take_turns_through_a_condition),
        cmocka_unit_test(waiting_ends_after_the_time_given),
        cmocka_unit_test(a_host_gets_what_it_lacks_and_keeps_what_it_has),
        cmocka_unit_test(a_host_that_cannot_be_made_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
