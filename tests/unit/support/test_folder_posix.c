/* Removing walks with nftw, which does not follow symbolic links. */
#define _GNU_SOURCE
#include "support/test_folder_posix.h"

#include "support/test.h"

#include "port/port.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

goat_storage test_folder_storage(const test_folder *folder) {
    goat_host host;
    memset(&host, 0, sizeof host);
    assert_int_equal(gt_port_default_host(folder->path, strlen(folder->path), 0, &host, NULL), GOAT_OK);
    return host.storage;
}

int test_folder_setup(void **state) {
    test_folder *folder = calloc(1, sizeof *folder);
    const char *above = getenv("TMPDIR");
    snprintf(folder->path, sizeof folder->path, "%s/goat-test-XXXXXX", above != NULL ? above : "/tmp");
    if (mkdtemp(folder->path) == NULL || chmod(folder->path, 0755) != 0) {
        perror(folder->path);
        free(folder);
        return -1;
    }
    folder->storage = test_folder_storage(folder);
    *state = folder;
    return 0;
}

static int remove_entry(const char *path, const struct stat *info, int type, struct FTW *walk) {
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

int test_folder_teardown(void **state) {
    test_folder *folder = *state;
    folder->storage.close(folder->storage.context);
    nftw(folder->path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(folder);
    return 0;
}

void test_folder_path(const test_folder *folder, const char *name, char path[TEST_PATH_MAX]) {
    int len = snprintf(path, TEST_PATH_MAX, "%s/%s", folder->path, name);
    assert_in_range(len, 1, TEST_PATH_MAX - 1);
}

void test_folder_write(const test_folder *folder, const char *name, const char *text) {
    char path[TEST_PATH_MAX];
    test_folder_path(folder, name, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

bool test_folder_has(const test_folder *folder, const char *name) {
    char path[TEST_PATH_MAX];
    test_folder_path(folder, name, path);
    return access(path, F_OK) == 0;
}

unsigned test_folder_mode(const test_folder *folder, const char *name) {
    char path[TEST_PATH_MAX];
    struct stat info;
    test_folder_path(folder, name, path);
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777u;
}

void test_folder_in_child(test_folder *folder, bool (*body)(test_folder *folder)) {
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int code = body(folder) ? 0 : 1;
        fflush(NULL);
        _exit(code); /* no exit handlers: they are the parent's */
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}
