/* A folder for one test, below $TMPDIR or /tmp, with the machine's own storage on it. */
#ifndef TEST_FOLDER_POSIX_H
#define TEST_FOLDER_POSIX_H

#include "goat_port.h"

#include <stdbool.h>

enum { TEST_PATH_MAX = 1024 };

typedef struct test_folder {
    char path[TEST_PATH_MAX];
    goat_storage storage; /* not locked yet */
} test_folder;

/* For cmocka: makes the folder and puts it into *state, removes it with everything in it. */
int test_folder_setup(void **state);
int test_folder_teardown(void **state);

/* Another storage on the folder, ended by its close(). */
goat_storage test_folder_storage(const test_folder *folder);

/* What lies there, seen from outside. */
void test_folder_write(const test_folder *folder, const char *name, const char *text);
bool test_folder_has(const test_folder *folder, const char *name);
unsigned test_folder_mode(const test_folder *folder, const char *name);
void test_folder_path(const test_folder *folder, const char *name, char path[TEST_PATH_MAX]);

/* Runs `body` in a child process and asserts that it returned true there. The child's copy of the folder's
 * storage must not be used. */
void test_folder_in_child(test_folder *folder, bool (*body)(test_folder *folder));

#endif
