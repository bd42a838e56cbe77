/* core/port/posix: whole small files, and files that grow. */
#define _GNU_SOURCE
#include "support/test.h"

#include "port/port.h"

#include "support/test_alloc.h"
#include "support/test_folder_posix.h"
#include "support/test_io.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static int locked_setup(void **state) {
    if (test_folder_setup(state) != 0) {
        return -1;
    }
    test_folder *folder = *state;
    return test_io_lock(&folder->storage, GOAT_IO_CREATE);
}

static goat_io_result read_file(test_folder *folder, const char *name, uint32_t flags, uint64_t limit) {
    return test_io(&folder->storage,
                   (goat_io_request){.kind = GOAT_IO_READ, .name = name, .flags = flags, .length = limit});
}

static goat_io_result load(test_folder *folder, uint32_t file, uint64_t offset, uint64_t length, uint32_t flags) {
    return test_io(
        &folder->storage,
        (goat_io_request){.kind = GOAT_IO_LOAD, .file = file, .offset = offset, .length = length, .flags = flags});
}

/* ---- Small files ----------------------------------------------------------------------------- */

static void replacing_makes_folders_and_leaves_nothing_beside(void **state) {
    test_folder *folder = *state;
    assert_int_equal(test_io_replace(&folder->storage, "repos/data/a", "one", 0), GOAT_OK);
    test_io_assert_file(&folder->storage, "repos/data/a", "one");
    assert_int_equal(test_io_replace(&folder->storage, "repos/data/a", "", 0), GOAT_OK);
    test_io_assert_file(&folder->storage, "repos/data/a", "");
    assert_int_equal(test_io_replace(&folder->storage, "repos/data/a", "three", 0), GOAT_OK);
    test_io_assert_file(&folder->storage, "repos/data/a", "three");
    test_io_assert_list(&folder->storage, "", "repos/data/a ");
}

static void creating_refuses_what_is_there(void **state) {
    test_folder *folder = *state;
    assert_int_equal(test_io_replace(&folder->storage, "a", "first", GOAT_IO_CREATE), GOAT_OK);
    assert_int_equal(test_io_replace(&folder->storage, "a", "second", GOAT_IO_CREATE), GOAT_EXISTS);
    test_io_assert_file(&folder->storage, "a", "first");
}

static bool has_temporary(const test_folder *folder) {
    DIR *directory = opendir(folder->path);
    assert_non_null(directory);
    bool found = false;
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        found = found || entry->d_name[0] == '~';
    }
    closedir(directory);
    return found;
}

static void a_replacement_that_fails_leaves_the_old_file(void **state) {
    test_folder *folder = *state;
    assert_int_equal(test_io_replace(&folder->storage, "a/b", "text", 0), GOAT_OK);
    goat_io_request request = {.kind = GOAT_IO_REPLACE, .name = "a", .data = (const uint8_t *)"x", .data_len = 1};
    goat_io_result result = test_io(&folder->storage, request);
    assert_int_equal(result.status, GOAT_IO);
    assert_string_equal(result.message, "cannot write a: Is a directory");
    assert_false(has_temporary(folder));
    assert_int_equal(test_io_replace(&folder->storage, "a/b/c", "text", 0), GOAT_IO);
    test_io_assert_file(&folder->storage, "a/b", "text");
}

static void secrets_are_for_their_owner_only(void **state) {
    test_folder *folder = *state;
    mode_t before = umask(0022);
    assert_int_equal(test_io_replace(&folder->storage, "root.key", "seed", GOAT_IO_SECRET | GOAT_IO_CREATE), GOAT_OK);
    assert_int_equal(test_io_replace(&folder->storage, "plain", "text", 0), GOAT_OK);
    umask(0077);
    assert_int_equal(test_io_replace(&folder->storage, "careful", "text", 0), GOAT_OK);
    umask(before);
    assert_int_equal(test_folder_mode(folder, "root.key"), 0600);
    assert_int_equal(test_folder_mode(folder, "plain"), 0644);
    assert_int_equal(test_folder_mode(folder, "careful"), 0600);
    assert_int_equal(read_file(folder, "root.key", GOAT_IO_SECRET, 0).status, GOAT_OK);
    static const mode_t open_to_others[] = {0640, 0604, 0601, 0620};
    char path[TEST_PATH_MAX];
    test_folder_path(folder, "root.key", path);
    for (size_t i = 0; i < sizeof open_to_others / sizeof *open_to_others; i++) {
        assert_int_equal(chmod(path, open_to_others[i]), 0);
        goat_io_result result = read_file(folder, "root.key", GOAT_IO_SECRET, 0);
        assert_int_equal(result.status, GOAT_BAD_KEY);
        assert_non_null(strstr(result.message, "root.key is open to others"));
        assert_null(result.data);
    }
}

static void reading_has_a_limit_and_takes_only_files(void **state) {
    test_folder *folder = *state;
    assert_int_equal(test_io_replace(&folder->storage, "sub/a", "12345", 0), GOAT_OK);
    assert_int_equal(read_file(folder, "sub/a", 0, 5).data_len, 5);
    assert_int_equal(read_file(folder, "sub/a", 0, 4).status, GOAT_TOO_LARGE);
    assert_int_equal(read_file(folder, "sub/b", 0, 0).status, GOAT_NOT_FOUND);
    assert_int_equal(read_file(folder, "sub", 0, 0).status, GOAT_IO);
    char path[TEST_PATH_MAX];
    test_folder_path(folder, "pipe", path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(read_file(folder, "pipe", 0, 0).status, GOAT_IO);
    assert_int_equal(test_io_open(&folder->storage, "pipe", 0).status, GOAT_IO);
    assert_int_equal(test_io_open(&folder->storage, "sub", GOAT_IO_READ_ONLY).status, GOAT_IO);
}

static void removing_says_whether_there_was_a_file(void **state) {
    test_folder *folder = *state;
    goat_io_request request = {.kind = GOAT_IO_REMOVE, .name = "sub/a"};
    assert_int_equal(test_io(&folder->storage, request).status, GOAT_NOT_FOUND);
    assert_int_equal(test_io_replace(&folder->storage, "sub/a", "text", 0), GOAT_OK);
    assert_int_equal(test_io(&folder->storage, request).status, GOAT_OK);
    assert_int_equal(test_io(&folder->storage, request).status, GOAT_NOT_FOUND);
    test_io_assert_file(&folder->storage, "sub/a", NULL);
}

static void listing_is_recursive_and_in_order(void **state) {
    test_folder *folder = *state;
    static const char *names[] = {"b", "a/c", "a.b", "a/b/d", "a-b", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(test_io_replace(&folder->storage, names[i], "x", 0), GOAT_OK);
    }
    test_folder_write(folder, "a/~goat-0123456789abcdef", "half");
    char path[TEST_PATH_MAX];
    test_folder_path(folder, "a/link", path);
    assert_int_equal(symlink("/", path), 0);
    test_io_assert_list(&folder->storage, "", "a-b a.b a/b/d a/c b \xc3\xa9 ");
    test_io_assert_list(&folder->storage, "a", "a/b/d a/c ");
    test_io_assert_list(&folder->storage, "a/b", "a/b/d ");
    test_io_assert_list(&folder->storage, "nothing", "");
}

static void names_that_lead_outside_are_not_taken(void **state) {
    test_folder *folder = *state;
    assert_int_equal(test_io_replace(&folder->storage, "../escaped", "x", 0), GOAT_MISUSE);
    assert_int_equal(test_io_replace(&folder->storage, "/escaped", "x", 0), GOAT_MISUSE);
    assert_int_equal(test_io_replace(&folder->storage, "lock", "x", 0), GOAT_MISUSE);
    assert_int_equal(test_io(&folder->storage, (goat_io_request){.kind = GOAT_IO_SYNC, .file = 77}).status,
                     GOAT_MISUSE);
}

/* ---- Files that grow ------------------------------------------------------------------------- */

static void what_is_appended_can_be_loaded_in_parts(void **state) {
    test_folder *folder = *state;
    assert_int_equal(test_io_open(&folder->storage, "repos/log", 0).status, GOAT_NOT_FOUND);
    goat_io_result file = test_io_open(&folder->storage, "repos/log", GOAT_IO_CREATE);
    assert_int_equal(file.status, GOAT_OK);
    assert_int_equal(file.length, 0);
    static uint8_t bytes[20000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    }
    goat_io_request append = {.kind = GOAT_IO_APPEND, .file = file.file, .data = bytes, .data_len = 15000};
    assert_int_equal(test_io(&folder->storage, append).length, 15000);
    goat_io_result first = load(folder, file.file, 5001, 100000, 0);
    assert_int_equal(first.data_len, 9999);
    append.data = bytes + 15000;
    append.data_len = 5000;
    assert_int_equal(test_io(&folder->storage, append).length, 20000);
    assert_int_equal(test_io_sync(&folder->storage, file.file), GOAT_OK);
    goat_io_result second = load(folder, file.file, 14998, 4, 0);
    assert_int_equal(second.data_len, 4);
    assert_memory_equal(second.data, bytes + 14998, 4);
    assert_memory_equal(first.data, bytes + 5001, 9999); /* still good */
    assert_int_equal(load(folder, file.file, 20000, 10, 0).length, 0);
    assert_int_equal(load(folder, file.file, 30000, 10, 0).length, 0);
    assert_int_equal(load(folder, file.file, 0, 0, 0).length, 0);
    assert_int_equal(test_io_close(&folder->storage, file.file), GOAT_OK);
    assert_int_equal(test_io_sync(&folder->storage, file.file), GOAT_MISUSE);
    assert_int_equal(test_io_open(&folder->storage, "repos/log", 0).length, 20000);
}

static void writing_to_private_memory_does_not_reach_the_file(void **state) {
    test_folder *folder = *state;
    assert_int_equal(test_io_replace(&folder->storage, "a", "text", 0), GOAT_OK);
    goat_io_result file = test_io_open(&folder->storage, "a", GOAT_IO_READ_ONLY);
    goat_io_result mine = load(folder, file.file, 0, 4, GOAT_IO_PRIVATE);
    mine.data[0] = 'n';
    assert_memory_equal(load(folder, file.file, 0, 4, 0).data, "text", 4);
    test_io_assert_file(&folder->storage, "a", "text");
}

static void truncating_cuts_and_appending_goes_on_there(void **state) {
    test_folder *folder = *state;
    goat_io_result file = test_io_open(&folder->storage, "log", GOAT_IO_CREATE);
    assert_int_equal(test_io_append(&folder->storage, file.file, "goats and sheep"), GOAT_OK);
    goat_io_request cut = {.kind = GOAT_IO_TRUNCATE, .file = file.file, .offset = 5};
    assert_int_equal(test_io(&folder->storage, cut).length, 5);
    assert_int_equal(test_io_append(&folder->storage, file.file, "!"), GOAT_OK);
    test_io_assert_file(&folder->storage, "log", "goats!");
    cut.offset = 7;
    assert_int_equal(test_io(&folder->storage, cut).status, GOAT_MISUSE);
    test_io_assert_file(&folder->storage, "log", "goats!");
}

/* The process may write files of 10,000 bytes: the system then takes a part of a write and refuses the rest. */
static bool append_beyond_the_limit(test_folder *folder) {
    goat_storage storage = test_folder_storage(folder);
    struct rlimit limit = {10000, 10000};
    signal(SIGXFSZ, SIG_IGN);
    bool good = setrlimit(RLIMIT_FSIZE, &limit) == 0 && test_io_lock(&storage, 0) == GOAT_OK;
    uint32_t file = test_io_open(&storage, "log", GOAT_IO_CREATE).file;
    static const uint8_t bytes[9000] = {1};
    goat_io_request append = {.kind = GOAT_IO_APPEND, .file = file, .data = bytes, .data_len = sizeof bytes};
    good = good && test_io(&storage, append).status == GOAT_OK;
    goat_io_result failed = test_io(&storage, append);
    good = good && failed.status == GOAT_IO && strstr(failed.message, "cannot append to log") != NULL;
    append.data_len = 1;
    good = good && test_io(&storage, append).status == GOAT_IO; /* although there is room */
    good = good && test_io_sync(&storage, file) == GOAT_OK;     /* what went before is kept */
    good = good && test_io_close(&storage, file) == GOAT_OK;
    goat_io_result again = test_io_open(&storage, "log", 0);
    good = good && again.length == 9000;
    append.file = again.file;
    good = good && test_io(&storage, append).length == 9001;
    storage.close(storage.context);
    return good;
}

static void a_failed_append_leaves_no_half_record(void **state) {
    test_folder *folder = *state;
    assert_int_equal(test_io(&folder->storage, (goat_io_request){.kind = GOAT_IO_UNLOCK}).status, GOAT_OK);
    test_folder_in_child(folder, append_beyond_the_limit);
}

static bool write_text(const char *path, const char *text) {
    FILE *file = fopen(path, "w");
    return file != NULL && fputs(text, file) >= 0 && fclose(file) == 0;
}

static bool become_root_of(const char *map, unsigned id) {
    char text[32];
    snprintf(text, sizeof text, "0 %u 1", id);
    return write_text(map, text);
}

/* In a mount namespace of its own; who is not root needs a user namespace for that, and to be root in it. */
static bool mount_a_small_disk(const char *path) {
    uid_t user = getuid();
    gid_t group = getgid();
    if (user == 0 ? unshare(CLONE_NEWNS) != 0
                  : unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !write_text("/proc/self/setgroups", "deny") ||
                        !become_root_of("/proc/self/uid_map", user) || !become_root_of("/proc/self/gid_map", group)) {
        return false;
    }
    return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mount("goat", path, "tmpfs", 0, "size=64k") == 0;
}

static bool fill_a_small_disk(test_folder *folder) {
    if (!mount_a_small_disk(folder->path)) {
        printf("skipped: no small disk can be mounted here\n");
        return true;
    }
    goat_storage storage = test_folder_storage(folder);
    static const uint8_t bytes[70000] = {1};
    bool good = test_io_lock(&storage, GOAT_IO_CREATE) == GOAT_OK;
    uint32_t file = test_io_open(&storage, "log", GOAT_IO_CREATE).file;
    goat_io_request append = {.kind = GOAT_IO_APPEND, .file = file, .data = bytes, .data_len = 20000};
    good = good && test_io(&storage, append).status == GOAT_OK;
    append.data_len = sizeof bytes;
    goat_io_result failed = test_io(&storage, append);
    good = good && failed.status == GOAT_FULL && strstr(failed.message, "No space left") != NULL;
    goat_io_request replace = {.kind = GOAT_IO_REPLACE, .name = "a", .data = bytes, .data_len = sizeof bytes};
    good = good && test_io(&storage, replace).status == GOAT_FULL;
    replace.data_len = 20000; /* fits only if the half-written one is gone */
    good = good && test_io(&storage, replace).status == GOAT_OK;
    good = good && test_io_close(&storage, file) == GOAT_OK && test_io_open(&storage, "log", 0).length == 20000;
    storage.close(storage.context);
    return good;
}

static void a_full_disk_is_named_and_nothing_half_written_stays(void **state) {
    test_folder_in_child(*state, fill_a_small_disk);
}

/* ---- Memory ---------------------------------------------------------------------------------- */

static goat_status do_a_bit_of_everything(goat_storage *storage) {
    goat_status status = test_io_lock(storage, GOAT_IO_CREATE);
    if (status == GOAT_OK) {
        status = test_io_replace(storage, "repos/a", "text", 0);
    }
    if (status == GOAT_OK) {
        status = test_io(storage, (goat_io_request){.kind = GOAT_IO_READ, .name = "repos/a"}).status;
    }
    if (status == GOAT_OK) {
        status = test_io(storage, (goat_io_request){.kind = GOAT_IO_LIST, .name = ""}).status;
    }
    if (status == GOAT_OK) {
        goat_io_result file = test_io_open(storage, "repos/a", GOAT_IO_CREATE);
        status = file.status;
        if (status == GOAT_OK) {
            status = test_io_append(storage, file.file, "more");
        }
        if (status == GOAT_OK) {
            status = test_io(storage, (goat_io_request){.kind = GOAT_IO_LOAD, .file = file.file, .length = 4}).status;
        }
    }
    return status;
}

static void each_allocation_may_fail(void **state) {
    test_folder *folder = *state;
    assert_int_equal(test_io(&folder->storage, (goat_io_request){.kind = GOAT_IO_UNLOCK}).status, GOAT_OK);
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        test_alloc_init(&memory, k);
        goat_host host;
        memset(&host, 0, sizeof host);
        host.allocator = memory.alloc;
        goat_status status = gt_port_default_host(folder->path, strlen(folder->path), 0, &host, NULL);
        if (status == GOAT_OK) {
            status = do_a_bit_of_everything(&host.storage);
            host.storage.close(host.storage.context);
        }
        assert_int_equal(status, memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            return;
        }
    }
}

#define WITH_FOLDER(test) cmocka_unit_test_setup_teardown(test, locked_setup, test_folder_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_FOLDER(replacing_makes_folders_and_leaves_nothing_beside),
        WITH_FOLDER(creating_refuses_what_is_there),
        WITH_FOLDER(a_replacement_that_fails_leaves_the_old_file),
        WITH_FOLDER(secrets_are_for_their_owner_only),
        WITH_FOLDER(reading_has_a_limit_and_takes_only_files),
        WITH_FOLDER(removing_says_whether_there_was_a_file),
        WITH_FOLDER(listing_is_recursive_and_in_order),
        WITH_FOLDER(names_that_lead_outside_are_not_taken),
        WITH_FOLDER(what_is_appended_can_be_loaded_in_parts),
        WITH_FOLDER(writing_to_private_memory_does_not_reach_the_file),
        WITH_FOLDER(truncating_cuts_and_appending_goes_on_there),
        WITH_FOLDER(a_failed_append_leaves_no_half_record),
        WITH_FOLDER(a_full_disk_is_named_and_nothing_half_written_stays),
        WITH_FOLDER(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
