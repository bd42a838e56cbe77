/* core/port/posix: who owns a folder, and what is not ours in it. */
#define _GNU_SOURCE
#include "support/test.h"

#include "support/test_folder_posix.h"
#include "support/test_io.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static goat_io_result lock_result(goat_storage *storage, uint32_t flags) {
    return test_io(storage, (goat_io_request){.kind = GOAT_IO_LOCK, .flags = flags});
}

static goat_status unlock(goat_storage *storage) {
    return test_io(storage, (goat_io_request){.kind = GOAT_IO_UNLOCK}).status;
}

/* Takes the lock in another process, which tells that through a pipe and holds it until it is killed. */
static pid_t hold_in_child(const test_folder *folder, uint32_t flags) {
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        goat_storage storage = test_folder_storage(folder);
        char held = test_io_lock(&storage, flags) == GOAT_OK;
        (void)!write(ready[1], &held, 1);
        pause();
        _exit(0);
    }
    char held = 0;
    assert_int_equal(read(ready[0], &held, 1), 1);
    assert_int_equal(held, 1);
    close(ready[0]);
    close(ready[1]);
    return child;
}

static void kill_child(pid_t child) {
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void a_second_process_is_told_who_owns_the_folder(void **state) {
    test_folder *folder = *state;
    pid_t owner = hold_in_child(folder, GOAT_IO_CREATE);
    goat_io_result result = lock_result(&folder->storage, 0);
    assert_int_equal(result.status, GOAT_BUSY);
    char expected[128];
    snprintf(expected, sizeof expected, "owned by process %ld (%.40s)", (long)owner, program_invocation_short_name);
    assert_string_equal(result.message, expected);
    assert_int_equal(lock_result(&folder->storage, GOAT_IO_READ_ONLY).status, GOAT_BUSY);

    kill_child(owner);
    assert_int_equal(test_io_lock(&folder->storage, 0), GOAT_OK);
}

static void the_same_process_is_kept_out_as_well(void **state) {
    test_folder *folder = *state;
    goat_storage other = test_folder_storage(folder);
    assert_int_equal(test_io_lock(&folder->storage, GOAT_IO_CREATE), GOAT_OK);
    assert_int_equal(lock_result(&folder->storage, 0).status, GOAT_MISUSE);
    assert_int_equal(test_io_lock(&other, 0), GOAT_BUSY);
    assert_int_equal(unlock(&folder->storage), GOAT_OK);
    assert_int_equal(test_io_lock(&other, 0), GOAT_OK);
    other.close(other.context);
}

static void nonsense_in_the_lock_file_is_not_repeated(void **state) {
    test_folder *folder = *state;
    goat_storage other = test_folder_storage(folder);
    assert_int_equal(test_io_lock(&folder->storage, GOAT_IO_CREATE), GOAT_OK);
    test_folder_write(folder, "lock", "\x1b[2Jnobody\n");
    assert_string_equal(lock_result(&other, 0).message, "owned by another process");
    test_folder_write(folder, "lock", "");
    assert_string_equal(lock_result(&other, 0).message, "owned by another process");
    other.close(other.context);
}

static void readers_share_and_keep_a_writer_out(void **state) {
    test_folder *folder = *state;
    assert_int_equal(test_io_lock(&folder->storage, GOAT_IO_CREATE), GOAT_OK);
    assert_int_equal(test_io_replace(&folder->storage, "a", "text", 0), GOAT_OK);
    assert_int_equal(unlock(&folder->storage), GOAT_OK);

    pid_t reader = hold_in_child(folder, GOAT_IO_READ_ONLY);
    goat_storage second = test_folder_storage(folder);
    assert_int_equal(test_io_lock(&second, GOAT_IO_READ_ONLY), GOAT_OK);
    test_io_assert_file(&second, "a", "text");
    goat_io_result result = lock_result(&folder->storage, 0);
    assert_int_equal(result.status, GOAT_BUSY);
    assert_string_equal(result.message, "another process is reading it");
    kill_child(reader);
    assert_int_equal(lock_result(&folder->storage, 0).status, GOAT_BUSY);
    second.close(second.context);
    assert_int_equal(test_io_lock(&folder->storage, 0), GOAT_OK);
}

static void a_reader_changes_nothing(void **state) {
    test_folder *folder = *state;
    assert_int_equal(test_io_lock(&folder->storage, GOAT_IO_CREATE), GOAT_OK);
    assert_int_equal(test_io_replace(&folder->storage, "a", "text", 0), GOAT_OK);
    assert_int_equal(unlock(&folder->storage), GOAT_OK);
    assert_int_equal(test_io_lock(&folder->storage, GOAT_IO_READ_ONLY), GOAT_OK);
    assert_int_equal(test_io_replace(&folder->storage, "a", "other", 0), GOAT_FORBIDDEN);
    assert_int_equal(test_io(&folder->storage, (goat_io_request){.kind = GOAT_IO_REMOVE, .name = "a"}).status,
                     GOAT_FORBIDDEN);
    assert_int_equal(test_io_open(&folder->storage, "new", GOAT_IO_CREATE).status, GOAT_NOT_FOUND);
    goat_io_result file = test_io_open(&folder->storage, "a", GOAT_IO_CREATE);
    assert_int_equal(file.status, GOAT_OK);
    assert_int_equal(test_io_append(&folder->storage, file.file, "more"), GOAT_FORBIDDEN);
    assert_int_equal(test_io(&folder->storage, (goat_io_request){.kind = GOAT_IO_TRUNCATE, .file = file.file}).status,
                     GOAT_FORBIDDEN);
    test_io_assert_file(&folder->storage, "a", "text");
}

static void missing_folders_are_made_only_when_asked(void **state) {
    test_folder *folder = *state;
    test_folder inner = *folder;
    test_folder_path(folder, "not/there///", inner.path);
    inner.storage = test_folder_storage(&inner);
    goat_io_result result = lock_result(&inner.storage, 0);
    assert_int_equal(result.status, GOAT_NOT_FOUND);
    assert_non_null(strstr(result.message, "not/there"));
    assert_int_equal(lock_result(&inner.storage, GOAT_IO_READ_ONLY | GOAT_IO_CREATE).status, GOAT_NOT_FOUND);
    assert_false(test_folder_has(folder, "not"));
    assert_int_equal(test_io(&inner.storage, (goat_io_request){.kind = GOAT_IO_READ, .name = "a"}).status, GOAT_CLOSED);
    assert_int_equal(test_io_lock(&inner.storage, GOAT_IO_CREATE), GOAT_OK);
    assert_true(test_folder_has(folder, "not/there/lock"));
    inner.storage.close(inner.storage.context);
}

static void looking_into_a_strange_folder_leaves_no_trace(void **state) {
    test_folder *folder = *state;
    static const uint32_t flags[] = {0, GOAT_IO_READ_ONLY};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(test_io_lock(&folder->storage, flags[i]), GOAT_OK);
        assert_int_equal(unlock(&folder->storage), GOAT_OK);
        assert_false(test_folder_has(folder, "lock"));
    }
    assert_int_equal(test_io_lock(&folder->storage, GOAT_IO_CREATE), GOAT_OK);
    assert_int_equal(unlock(&folder->storage), GOAT_OK);
    assert_true(test_folder_has(folder, "lock"));
    assert_int_equal(test_io_lock(&folder->storage, 0), GOAT_OK);
    assert_int_equal(unlock(&folder->storage), GOAT_OK);
    assert_true(test_folder_has(folder, "lock"));
}

static void the_last_of_several_readers_removes_their_lock_file(void **state) {
    test_folder *folder = *state;
    goat_storage second = test_folder_storage(folder);
    assert_int_equal(test_io_lock(&folder->storage, GOAT_IO_READ_ONLY), GOAT_OK);
    assert_int_equal(test_io_lock(&second, GOAT_IO_READ_ONLY), GOAT_OK);
    assert_int_equal(unlock(&folder->storage), GOAT_OK);
    assert_true(test_folder_has(folder, "lock"));
    assert_int_equal(test_io_lock(&folder->storage, 0), GOAT_BUSY);
    second.close(second.context);
    assert_int_equal(test_io_lock(&folder->storage, 0), GOAT_OK);
}

static void temporary_files_of_a_crash_are_removed_and_no_others(void **state) {
    test_folder *folder = *state;
    char path[TEST_PATH_MAX];
    test_folder_path(folder, "repos", path);
    assert_int_equal(mkdir(path, 0755), 0);
    test_folder_write(folder, "~goat-0123456789abcdef", "half");
    test_folder_write(folder, "repos/~goat-ffffffffffffffff", "half");
    test_folder_write(folder, "repos/~goat-notes", "mine");
    test_folder_write(folder, "~letter.txt", "mine");
    assert_int_equal(test_io_lock(&folder->storage, GOAT_IO_READ_ONLY), GOAT_OK);
    assert_true(test_folder_has(folder, "repos/~goat-ffffffffffffffff"));
    assert_int_equal(unlock(&folder->storage), GOAT_OK);
    assert_int_equal(test_io_lock(&folder->storage, GOAT_IO_CREATE), GOAT_OK);
    assert_false(test_folder_has(folder, "~goat-0123456789abcdef"));
    assert_false(test_folder_has(folder, "repos/~goat-ffffffffffffffff"));
    assert_true(test_folder_has(folder, "repos/~goat-notes"));
    assert_true(test_folder_has(folder, "~letter.txt"));
    test_io_assert_list(&folder->storage, "", "");
}

/* Root may write everywhere, so as root the child becomes nobody first. */
static bool try_a_read_only_folder(test_folder *folder) {
    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
        printf("skipped: root cannot become another user here\n");
        return true;
    }
    goat_storage storage = test_folder_storage(folder);
    bool good = test_io_lock(&storage, GOAT_IO_CREATE) == GOAT_FORBIDDEN;
    good = good && test_io_lock(&storage, GOAT_IO_READ_ONLY) == GOAT_OK;
    good = good && test_io(&storage, (goat_io_request){.kind = GOAT_IO_READ, .name = "a"}).status == GOAT_OK;
    good = good && test_io(&storage, (goat_io_request){.kind = GOAT_IO_READ, .name = "key"}).status == GOAT_FORBIDDEN;
    good = good && test_io_replace(&storage, "b", "text", 0) == GOAT_FORBIDDEN;
    storage.close(storage.context);
    return good;
}

static void a_read_only_folder_can_be_read_with_and_without_a_lock_file(void **state) {
    test_folder *folder = *state;
    test_folder_write(folder, "a", "text");
    assert_int_equal(test_io_lock(&folder->storage, GOAT_IO_CREATE), GOAT_OK);
    assert_int_equal(test_io_replace(&folder->storage, "key", "seed", GOAT_IO_SECRET), GOAT_OK);
    char path[TEST_PATH_MAX];
    assert_int_equal(unlock(&folder->storage), GOAT_OK);
    /* Without root the child owns the files, so their modes have to say it. */
    test_folder_path(folder, "key", path);
    assert_int_equal(chmod(path, getuid() == 0 ? 0600 : 0), 0);
    test_folder_path(folder, "lock", path);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(folder->path, 0555), 0);
    test_folder_in_child(folder, try_a_read_only_folder);
    assert_int_equal(chmod(folder->path, 0755), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(chmod(folder->path, 0555), 0);
    test_folder_in_child(folder, try_a_read_only_folder);
    assert_int_equal(chmod(folder->path, 0755), 0);
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, test_folder_setup, test_folder_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(a_second_process_is_told_who_owns_the_folder),
        WITH_FOLDER(the_same_process_is_kept_out_as_well),
        WITH_FOLDER(nonsense_in_the_lock_file_is_not_repeated),
        WITH_FOLDER(readers_share_and_keep_a_writer_out),
        WITH_FOLDER(a_reader_changes_nothing),
        WITH_FOLDER(missing_folders_are_made_only_when_asked),
        WITH_FOLDER(looking_into_a_strange_folder_leaves_no_trace),
        WITH_FOLDER(the_last_of_several_readers_removes_their_lock_file),
        WITH_FOLDER(temporary_files_of_a_crash_are_removed_and_no_others),
        WITH_FOLDER(a_read_only_folder_can_be_read_with_and_without_a_lock_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
