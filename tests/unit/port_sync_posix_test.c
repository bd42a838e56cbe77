/* core/port/posix: disks that fail to sync, which no ordinary machine does on demand. The file that calls
 * fdatasync() is compiled into this program, with ours in its place. */
#define _GNU_SOURCE
#include <unistd.h>

static int sync_or_fail(int descriptor);
#define fdatasync sync_or_fail
#include "port/posix/file.c"

#include "support/test.h"

#include "support/test_folder_posix.h"
#include "support/test_io.h"

static int next_errors[4]; /* what the next calls fail with; 0: they succeed */
static int calls;

static int sync_or_fail(int descriptor) {
    (void)descriptor;
    int error = calls < 4 ? next_errors[calls] : 0;
    calls++;
    errno = error;
    return error == 0 ? 0 : -1;
}

static int locked_setup(void **state) {
    memset(next_errors, 0, sizeof next_errors);
    calls = 0;
    if (test_folder_setup(state) != 0) {
        return -1;
    }
    test_folder *folder = *state;
    return test_io_lock(&folder->storage, GOAT_IO_CREATE);
}

static void after_a_failed_sync_nothing_is_believed(void **state) {
    test_folder *folder = *state;
    goat_storage *storage = &folder->storage;
    uint32_t file = test_io_open(storage, "log", GOAT_IO_CREATE).file;
    assert_int_equal(test_io_append(storage, file, "abc"), GOAT_OK);
    next_errors[0] = EIO;
    goat_io_result failed = test_io(storage, (goat_io_request){.kind = GOAT_IO_SYNC, .file = file});
    assert_int_equal(failed.status, GOAT_IO);
    assert_string_equal(failed.message, "cannot sync log: Input/output error");
    assert_int_equal(test_io_sync(storage, file), GOAT_IO); /* although the system would say yes */
    assert_int_equal(calls, 1);
    assert_int_equal(test_io_append(storage, file, "d"), GOAT_IO);
    goat_io_request cut = {.kind = GOAT_IO_TRUNCATE, .file = file};
    assert_int_equal(test_io(storage, cut).status, GOAT_IO);
    assert_int_equal(test_io_close(storage, file), GOAT_OK);
    goat_io_result again = test_io_open(storage, "log", 0);
    assert_int_equal(again.length, 3);
    assert_int_equal(test_io_append(storage, again.file, "d"), GOAT_OK);
    assert_int_equal(test_io_sync(storage, again.file), GOAT_OK);
}

static void a_sync_that_finds_no_space_says_full(void **state) {
    test_folder *folder = *state;
    uint32_t file = test_io_open(&folder->storage, "log", GOAT_IO_CREATE).file;
    next_errors[0] = ENOSPC;
    assert_int_equal(test_io_sync(&folder->storage, file), GOAT_FULL);
}

static void an_interrupted_sync_is_done_again(void **state) {
    test_folder *folder = *state;
    uint32_t file = test_io_open(&folder->storage, "log", GOAT_IO_CREATE).file;
    next_errors[0] = next_errors[1] = EINTR;
    assert_int_equal(test_io_sync(&folder->storage, file), GOAT_OK);
    assert_int_equal(calls, 3);
}

static void all_who_shared_a_failed_sync_hear_of_it(void **state) {
    test_folder *folder = *state;
    goat_storage *storage = &folder->storage;
    uint32_t file = test_io_open(storage, "log", GOAT_IO_CREATE).file;
    next_errors[0] = EIO;
    for (uint32_t token = 1; token <= 3; token++) {
        goat_io_request sync = {.kind = GOAT_IO_SYNC, .file = file, .token = token};
        assert_int_equal(storage->submit(storage->context, &sync), GOAT_OK);
    }
    goat_io_result results[4];
    assert_int_equal(storage->poll(storage->context, results, 4, false), 3);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(results[i].token, i + 1);
        assert_int_equal(results[i].status, GOAT_IO);
        assert_string_equal(results[i].message, results[0].message);
    }
    assert_int_equal(calls, 1);
}

static void truncating_is_durable_or_fails(void **state) {
    test_folder *folder = *state;
    goat_storage *storage = &folder->storage;
    uint32_t file = test_io_open(storage, "log", GOAT_IO_CREATE).file;
    assert_int_equal(test_io_append(storage, file, "abc"), GOAT_OK);
    goat_io_request cut = {.kind = GOAT_IO_TRUNCATE, .file = file, .offset = 2};
    assert_int_equal(test_io(storage, cut).length, 2);
    assert_int_equal(calls, 1);
    next_errors[1] = EIO;
    cut.offset = 1;
    assert_int_equal(test_io(storage, cut).status, GOAT_IO);
    assert_int_equal(test_io_append(storage, file, "d"), GOAT_IO);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, locked_setup, test_folder_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(after_a_failed_sync_nothing_is_believed), WITH_FOLDER(a_sync_that_finds_no_space_says_full),
        WITH_FOLDER(an_interrupted_sync_is_done_again),       WITH_FOLDER(all_who_shared_a_failed_sync_hear_of_it),
        WITH_FOLDER(truncating_is_durable_or_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
