/* core/log on a real file: mappings, cuts, many threads that flush, a process that is killed, a file that may not
 * grow. */
#define _GNU_SOURCE
#include "support/test.h"

#include "support/test_folder_posix.h"
#include "support/test_log.h"
#include "support/test_random.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void begin(const test_folder *folder, test_log_machine *machine) {
    goat_storage storage = test_folder_storage(folder);
    assert_int_equal(test_log_begin(machine, &gt_alloc_system, &storage), GOAT_OK);
}

static uint64_t file_size(const test_folder *folder, const char *name) {
    char path[TEST_PATH_MAX];
    struct stat info;
    test_folder_path(folder, name, path);
    assert_int_equal(stat(path, &info), 0);
    return (uint64_t)info.st_size;
}

static void cut_file(const test_folder *folder, uint64_t length) {
    char path[TEST_PATH_MAX];
    test_folder_path(folder, TEST_LOG_NAME, path);
    assert_int_equal(truncate(path, (off_t)length), 0);
}

/* ---- One process --------------------------------------------------------------------------- */

static void a_log_is_mapped_and_grows_behind_its_mapping(void **state) {
    test_folder *folder = *state;
    test_log_machine machine;
    static test_log_model model;
    model.count = 0;
    begin(folder, &machine);
    gt_log *log = test_log_open_ready(&machine, TEST_LOG_CREATE);
    for (uint64_t i = 0; i < 300; i++) {
        assert_int_equal(test_log_append(log, &model, i, i * 41), GOAT_OK);
    }
    test_log_settle(&machine);
    test_log_close(&machine, log);

    log = test_log_open_ready(&machine, 0);
    gt_bytes first = gt_log_at(log, model.records[5].offset, model.records[5].len);
    for (uint64_t i = 300; i < 600; i++) {
        assert_int_equal(test_log_append(log, &model, i, 5000), GOAT_OK);
        if (i % 50 == 0) {
            assert_int_equal(gt_log_sync(log, NULL), GOAT_OK);
            test_log_settle(&machine);
            assert_int_equal(gt_log_length_durable(log), gt_log_length(log));
        }
    }
    test_log_settle(&machine);
    assert_int_equal(file_size(folder, TEST_LOG_NAME), gt_log_length(log));
    assert_ptr_equal(gt_log_at(log, model.records[5].offset, model.records[5].len).data, first.data);
    test_log_walk_all(log, &model);
    test_log_close(&machine, log);
    log = test_log_open(&machine, TEST_LOG_READ_ONLY);
    assert_int_equal(machine.submitted[GOAT_IO_LOAD], 3); /* once per opening */
    test_log_walk_all(log, &model);
    test_log_close(&machine, log);
    test_log_end(&machine);
}

static void a_file_cut_at_any_byte_of_its_last_record_opens(void **state) {
    test_folder *folder = *state;
    test_log_machine machine;
    static test_log_model model;
    model.count = 0;
    begin(folder, &machine);
    gt_log *log = test_log_open_ready(&machine, TEST_LOG_CREATE);
    for (uint64_t i = 0; i < 5; i++) {
        assert_int_equal(test_log_append(log, &model, i, 4000), GOAT_OK); /* across a page */
    }
    test_log_settle(&machine);
    uint64_t start = model.records[4].offset - 20, end = gt_log_length(log);
    test_log_close(&machine, log);
    char torn[64];
    snprintf(torn, sizeof torn, "repos/data/goats.torn-%llu", (unsigned long long)start);
    model.count = 4;
    for (uint64_t cut = end - 1; cut > start; cut -= cut % 64 == 1 || cut < start + 60 || cut > end - 60 ? 1 : 7) {
        if (file_size(folder, TEST_LOG_NAME) < cut) { /* the one before was cut off: the same again */
            log = test_log_open_ready(&machine, 0);
            assert_int_equal(test_log_append(log, &model, 4, 4000), GOAT_OK);
            test_log_settle(&machine);
            test_log_close(&machine, log);
            model.count = 4;
        }
        cut_file(folder, cut);
        log = test_log_open_ready(&machine, 0);
        size_t count;
        const gt_damage *damage = gt_log_damage(log, &count);
        assert_int_equal(count, 1);
        assert_int_equal(damage->kind, GT_DAMAGE_TORN);
        assert_int_equal(damage->offset, start);
        assert_int_equal(damage->length, cut - start);
        assert_int_equal(file_size(folder, torn), cut - start);
        assert_int_equal(file_size(folder, TEST_LOG_NAME), start);
        test_log_walk(log, &model, true, NULL);
        test_log_close(&machine, log);
    }
    test_log_end(&machine);
}

/* ---- Many threads -------------------------------------------------------------------------- */

enum { THREADS = 16, EDITS = 60 };

typedef struct service {
    gt_mutex lock; /* as the database's */
    gt_condition delivered;
    gt_log *log;
    test_log_machine machine;
    test_log_model model;
    bool stop;
} service;

static void serve(void *argument) {
    service *s = argument;
    for (;;) {
        gt_io_poll(s->machine.io, true);
        gt_mutex_lock(&s->lock);
        gt_io_deliver(s->machine.io);
        bool stop = s->stop && gt_io_pending(s->machine.io) == 0;
        gt_condition_wake_all(&s->delivered);
        gt_mutex_unlock(&s->lock);
        if (stop) {
            return;
        }
    }
}

static void flush_edits(void *argument) {
    service *s = argument;
    gt_mutex_lock(&s->lock);
    for (int i = 0; i < EDITS; i++) {
        test_log_append(s->log, &s->model, s->model.count, 300);
        uint64_t wanted = gt_log_length(s->log);
        gt_log_sync(s->log, NULL);
        while (gt_log_length_durable(s->log) < wanted && gt_log_get_state(s->log) == GT_LOG_READY) {
            gt_condition_wait(&s->delivered, &s->lock, 10000000);
        }
    }
    gt_mutex_unlock(&s->lock);
}

static void threads_that_flush_share_syncs(void **state) {
    test_folder *folder = *state;
    service *s = calloc(1, sizeof *s);
    begin(folder, &s->machine);
    s->log = test_log_open_ready(&s->machine, TEST_LOG_CREATE);
    assert_int_equal(gt_mutex_init(&s->lock, NULL), GOAT_OK);
    assert_int_equal(gt_condition_init(&s->delivered, NULL), GOAT_OK);
    gt_thread poller, threads[THREADS];
    assert_int_equal(gt_thread_start(&poller, serve, s, NULL), GOAT_OK);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(gt_thread_start(&threads[i], flush_edits, s, NULL), GOAT_OK);
    }
    for (int i = 0; i < THREADS; i++) {
        gt_thread_join(&threads[i]);
    }
    gt_mutex_lock(&s->lock);
    assert_int_equal(gt_log_get_state(s->log), GT_LOG_READY);
    assert_int_equal(gt_log_length_durable(s->log), gt_log_length(s->log));
    uint32_t syncs = s->machine.submitted[GOAT_IO_SYNC];
    test_log_walk_all(s->log, &s->model);
    s->stop = true;
    gt_log_close(s->log); /* its request wakes the poller */
    gt_mutex_unlock(&s->lock);
    gt_thread_join(&poller);
    print_message("%d flushes by %d threads: %u syncs\n", THREADS * EDITS, THREADS, syncs);
    assert_int_equal(s->model.count, THREADS * EDITS);
    assert_true(syncs < THREADS * EDITS / 4);
    gt_condition_destroy(&s->delivered);
    gt_mutex_destroy(&s->lock);
    test_log_end(&s->machine);
    free(s);
}

/* ---- Other processes ----------------------------------------------------------------------- */

/* Appends for ever and says on `pipe` how far it is safe. No assertions: this is not the test's process. */
static _Noreturn void append_for_ever(const test_folder *folder, int pipe) {
    test_log_machine machine;
    static test_log_model model;
    goat_storage storage = test_folder_storage(folder);
    if (test_log_begin(&machine, &gt_alloc_system, &storage) != GOAT_OK) {
        _exit(1);
    }
    gt_log *log = test_log_open_ready(&machine, TEST_LOG_CREATE);
    for (uint64_t i = 0; i < TEST_LOG_RECORDS_MAX; i++) {
        uint64_t seed = gt_log_length(log); /* so that the parent knows what belongs there */
        test_log_append(log, &model, seed, (size_t)(seed % 5000));
        if (i % 3 == 0) {
            gt_log_sync(log, NULL);
            test_log_settle(&machine);
            uint64_t durable = gt_log_length_durable(log);
            if (write(pipe, &durable, sizeof durable) != (ssize_t)sizeof durable) {
                _exit(1);
            }
        }
    }
    pause();
    _exit(1);
}

static void a_process_that_is_killed_loses_nothing_that_it_reported(void **state) {
    test_folder *folder = *state;
    test_random random;
    test_random_init(&random, "a_process_that_is_killed_loses_nothing_that_it_reported");
    uint64_t promised = 0;
    static test_log_model model;
    for (int round = 0; round < 20; round++) {
        int ends[2];
        assert_int_equal(pipe(ends), 0);
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(ends[0]);
            append_for_ever(folder, ends[1]);
        }
        close(ends[1]);
        struct timespec nap = {0, 1000 * (1000 + (long)test_random_below(&random, 30000))};
        nanosleep(&nap, NULL);
        kill(child, SIGKILL);
        uint64_t durable;
        while (read(ends[0], &durable, sizeof durable) == (ssize_t)sizeof durable) {
            promised = durable;
        }
        close(ends[0]);
        assert_int_equal(waitpid(child, NULL, 0), child);

        test_log_machine machine;
        begin(folder, &machine);
        gt_log *log = test_log_open_ready(&machine, TEST_LOG_CREATE);
        assert_true(gt_log_length(log) >= promised);
        model.count = 0;
        for (uint64_t at = GT_LOG_HEADER_SIZE; at < gt_log_length(log) && model.count < TEST_LOG_RECORDS_MAX;) {
            uint32_t len = (uint32_t)(at % 5000);
            model.records[model.count++] = (test_log_record){at + 20, at, len};
            at += len + 40;
        }
        if (model.count < TEST_LOG_RECORDS_MAX) {
            test_log_walk(log, &model, true, NULL);
        }
        promised = gt_log_length(log);
        test_log_close(&machine, log);
        test_log_end(&machine);
    }
    print_message("%llu bytes in the end\n", (unsigned long long)promised);
    assert_true(promised > GT_LOG_HEADER_SIZE);
}

static bool append_to_the_limit(test_folder *folder) {
    struct rlimit limit = {100000, 100000};
    signal(SIGXFSZ, SIG_IGN);
    test_log_machine machine;
    static test_log_model model;
    goat_storage storage = test_folder_storage(folder);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || test_log_begin(&machine, &gt_alloc_system, &storage) != GOAT_OK) {
        return false;
    }
    gt_log *log = test_log_open_ready(&machine, TEST_LOG_CREATE);
    for (uint64_t i = 0; i < 100 && gt_log_get_state(log) == GT_LOG_READY; i++) {
        test_log_append(log, &model, i, 3000);
        test_log_settle(&machine);
    }
    bool right = gt_log_get_state(log) == GT_LOG_FAILED && gt_log_length_written(log) < gt_log_length(log) &&
                 gt_log_failure(log)->message[0] != 0;
    test_log_walk(log, &model, true, NULL); /* what was not written can still be read */
    test_log_close(&machine, log);
    test_log_end(&machine);
    return right;
}

static void a_file_that_may_not_grow_stops_the_log(void **state) {
    test_folder *folder = *state;
    test_folder_in_child(folder, append_to_the_limit);
    test_log_machine machine;
    static test_log_model model;
    begin(folder, &machine);
    gt_log *log = test_log_open_ready(&machine, 0);
    uint64_t length = gt_log_length(log);
    assert_true(length > 90000 && length <= 100000);
    model.count = 0;
    for (uint64_t at = GT_LOG_HEADER_SIZE; at < length; at += 3040) {
        model.records[model.count] = (test_log_record){at + 20, model.count, 3000};
        model.count++;
    }
    test_log_walk(log, &model, true, NULL);
    assert_int_equal(test_log_append(log, &model, 7777, 3000), GOAT_OK);
    test_log_settle(&machine);
    assert_int_equal(gt_log_length_written(log), length + 3040);
    test_log_close(&machine, log);
    test_log_end(&machine);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_folder_setup, test_folder_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_log_is_mapped_and_grows_behind_its_mapping),
        TEST(a_file_cut_at_any_byte_of_its_last_record_opens),
        TEST(threads_that_flush_share_syncs),
        TEST(a_process_that_is_killed_loses_nothing_that_it_reported),
        TEST(a_file_that_may_not_grow_stops_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
