/* A database through the public interface, on a simulated disk, clock and randomness: one thread, nothing happens
 * by itself. Its repository /data/tasks is open and knows the schema "task". */
#ifndef TEST_DB_H
#define TEST_DB_H

#include "goat_port.h"

#include "port/sim/sim.h"
#include "support/test_alloc.h"

/* A string literal with its length, as two arguments. */
#define TEXT(literal) literal, (sizeof(literal) - 1)

extern const char test_db_schema[]; /* "task": one field of each type, named after its type */

typedef struct test_db {
    test_alloc memory; /* of the database */
    gt_sim_disk *disk;
    gt_sim_clock clock;
    gt_sim_random random;
    goat_db *db;
    goat_repo *repo;
} test_db;

/* For cmocka: *state is a test_db. Teardown asserts that no handle and no memory is left. */
int test_db_setup(void **state);
int test_db_teardown(void **state);

/* Another storage on the disk and everything else; its storage is ended by the database. */
goat_host test_db_host(test_db *f);

/* Closes the database, and opens it and the repository again. */
void test_db_reopen(test_db *f);

/* A call that is to succeed; the error's words are printed when it does not. */
#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        goat_error *error = NULL;                                                                                      \
        goat_status came_to = (call);                                                                                  \
        test_db_assert_status(came_to, GOAT_OK, error, #call, __FILE__, __LINE__);                                     \
    } while (0)

/* A call that is to fail so, with an error that says the same. */
#define assert_fails(status, call)                                                                                     \
    do {                                                                                                               \
        goat_error *error = NULL;                                                                                      \
        goat_status came_to = (call);                                                                                  \
        test_db_assert_status(came_to, status, error, #call, __FILE__, __LINE__);                                      \
    } while (0)

/* Frees the error. */
void test_db_assert_status(goat_status came_to, goat_status wanted, goat_error *error, const char *call,
                           const char *file, int line);

/* A new item with a title, opened; its edits are not captured yet. */
goat_item *test_db_create(test_db *f, const char *path, const char *title);
goat_item *test_db_item(goat_db *db, const char *path);

/* Asserts what an item or a field reads as, in JSON; `json` NULL: the field is not set. */
void test_db_assert_item(goat_item *item, const char *json);
void test_db_assert_field(goat_item *item, const char *field, const char *json);

/* Everything is on the disk. */
void test_db_flush(test_db *f);

uint32_t test_db_flags(goat_item *item); /* GOAT_ITEM_… */

/* Sets a field from JSON. */
void test_db_set(goat_item *item, const char *field, const char *json);

/* Puts an item into a list that is sorted by its field "place", between two others; NULL: at the beginning, at the end. */
void test_db_place(goat_db *db, goat_item *item, goat_item *before, goat_item *after);

/* A buffer of CBOR as JSON text, in place; frees nothing. */
const char *test_db_json(goat_buf *value);

/* A JSON text as CBOR: end with goat_buf_free(). */
goat_buf test_db_value(const char *json);

#endif
