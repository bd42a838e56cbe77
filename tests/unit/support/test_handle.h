/* Databases (core/db) on simulated machines, driven to rest after each call, without a thread.
 *
 * The lock is held by these helpers all the while a handle is open; a test that calls core/db itself just
 * calls it. */
#ifndef TEST_HANDLE_H
#define TEST_HANDLE_H

#include "db/db.h"
#include "port/sim/sim.h"
#include "support/test_alloc.h"

#define TEST_REPO "/data/goats"

typedef struct test_machine {
    test_alloc memory; /* of the databases; the disk has the system's */
    gt_sim_disk *disk;
    gt_sim_clock clock;
    gt_sim_random random;
    goat_db *open[4];        /* handles; several are of one database */
    const uint8_t *root_key; /* NULL, or that of the network which its databases are to be of */
} test_machine;

void test_machine_init(test_machine *machine, uint64_t seed);
void test_machine_free(test_machine *machine);  /* all is closed; asserts that nothing is left */
void test_machine_crash(test_machine *machine); /* before its handles are ended */

typedef struct test_handle {
    test_machine *machine;
    goat_db *db;
    gt_space *space; /* TEST_REPO, where it was opened */
    gt_diag diag;    /* of the last call below that failed */
} test_handle;

/* A handle on a new database object; nothing has happened yet. GOAT_NO_MEMORY: there is none. */
goat_status test_handle_begin(test_handle *handle, test_machine *machine, uint32_t flags);
/* … and opens it: what the job says. After a failure it is ended. */
goat_status test_handle_try_open(test_handle *handle, test_machine *machine, uint32_t flags);
void test_handle_open(test_handle *handle, test_machine *machine, uint32_t flags); /* and TEST_REPO, with test_goat_1 */
void test_handle_join(test_handle *handle, const test_handle *beside);             /* and TEST_REPO */
goat_status test_handle_open_repo(test_handle *handle);
/* Closes and ends it; what the job of closing says. */
goat_status test_handle_end(test_handle *handle);

/* One machine and a handle on its database, with TEST_REPO; `b` only in tests that join it. Ends whatever is open. */
typedef struct test_handles {
    test_machine machine;
    test_handle a, b;
} test_handles;

int test_handles_set_up(void **state);
int test_handles_tear_down(void **state);

/* Runs rounds until nothing is to be done at this time. */
void test_handle_settle(test_handle *handle);
/* Lets time pass, with a round each millisecond. */
void test_handle_pass(test_handle *handle, uint32_t ms);
/* Runs rounds until the job is done, and lets go of it; its result is appended to `result` (may be NULL). */
goat_status test_handle_wait(test_handle *handle, goat_job *job, gt_buf *result);
goat_status test_handle_flush(test_handle *handle, goat_durability level);
goat_status test_handle_schema(test_handle *handle, const char *json);

/* ---- items of TEST_REPO; values in notation ---- */

goat_status test_handle_create(test_handle *handle, const char *key, const char *fields);
goat_status test_handle_item(test_handle *handle, goat_tx *tx, const char *key, goat_item **item);
void test_handle_drop(goat_item *item);
goat_status test_handle_set(test_handle *handle, const char *key, const char *field, const char *value);
goat_status test_item_set(test_handle *handle, goat_item *item, const char *field, const char *value);
goat_status test_handle_apply(test_handle *handle, const char *edits, uint32_t flags, gt_apply_result *result);
/* What the handle sees, unsaved edits included; NULL: GOAT_NOT_FOUND. */
void test_handle_shows(test_handle *handle, const char *key, const char *notation);
void test_item_shows(goat_item *item, const char *notation);
/* Advances; the changes are these, in notation (jobs and repositories left out). */
void test_handle_advances(test_handle *handle, const char *changes);
void test_handle_advance(test_handle *handle);
/* Items with unsaved edits, commits in TEST_REPO, faults that verify names. */
uint32_t test_handle_unsaved(test_handle *handle);
uint32_t test_handle_entries(const test_handle *handle);
uint32_t test_handle_verify(test_handle *handle);
void test_handle_digest(test_handle *handle, gt_buf *digest);

#endif
