/* One request to a storage at a time, as if it were a call. */
#ifndef TEST_IO_H
#define TEST_IO_H

#include "goat_port.h"

/* Submits and polls until the answer is there; asserts that no other comes. */
goat_io_result test_io(goat_storage *storage, goat_io_request request);

/* The common ones; `name` and `text` are C strings. */
goat_status test_io_lock(goat_storage *storage, uint32_t flags);
goat_status test_io_replace(goat_storage *storage, const char *name, const char *text, uint32_t flags);
goat_io_result test_io_open(goat_storage *storage, const char *name, uint32_t flags);
goat_status test_io_append(goat_storage *storage, uint32_t file, const char *text);
goat_status test_io_sync(goat_storage *storage, uint32_t file);
goat_status test_io_close(goat_storage *storage, uint32_t file);

/* Asserts that a file holds `text`, or with NULL that there is none. */
void test_io_assert_file(goat_storage *storage, const char *name, const char *text);

/* Asserts that LIST gives these names, each followed by one space. */
void test_io_assert_list(goat_storage *storage, const char *folder, const char *names);

#endif
