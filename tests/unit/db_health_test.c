/* What a database says to whoever asks whether it is well. */
#include "support/test.h"

#include "db/internal.h"
#include "db/link.h"
#include "support/test_handle.h"

enum { CREATE = GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD, TWO_MINUTES_MS = 120 * 1000 };

typedef struct fixture {
    test_machine machine;
    test_handle handle;
} fixture;

static int setup(void **state) {
    fixture *f = test_malloc(sizeof *f);
    test_machine_init(&f->machine, 1);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    if (f->handle.db != NULL) (void)test_handle_end(&f->handle);
    test_machine_free(&f->machine);
    test_free(f);
    return 0;
}

static goat_status health(fixture *f, gt_diag *why) {
    gt_diag_init(why);
    goat_status status = gt_db_health(f->handle.db, why);
    assert_int_equal(status, why->status);
    assert_int_equal(gt_db_health(f->handle.db, NULL), status);
    return status;
}

static void make(fixture *f) {
    test_handle_open(&f->handle, &f->machine, CREATE);
    assert_int_equal(test_handle_create(&f->handle, "x", "{text: 'a'}"), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->handle, GOAT_DURABLE_DISK), GOAT_OK);
}

static void close_repository(fixture *f) {
    goat_job *job = NULL;
    assert_int_equal(gt_space_close(f->handle.space, &job, NULL), GOAT_OK);
    (void)test_handle_wait(&f->handle, job, NULL);
    test_handle_settle(&f->handle);
    assert_null(gt_mount_find(gt_db_database(f->handle.db), gt_bytes_text(TEST_REPO)));
}

/* An edit for which there is no room. */
static void fill_the_disk(fixture *f) {
    gt_sim_options_of(f->machine.disk)->capacity = 1;
    assert_int_equal(test_handle_set(&f->handle, "x", "text", "'b'"), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->handle, GOAT_DURABLE_DISK), GOAT_FULL);
}

static void one_that_is_being_opened_is_not_well_yet(void **state) {
    fixture *f = *state;
    gt_diag why;
    goat_job *job = NULL;
    assert_int_equal(test_handle_begin(&f->handle, &f->machine, CREATE), GOAT_OK);
    assert_int_equal(gt_db_open_job(f->handle.db, &job, NULL), GOAT_OK);
    assert_int_equal(health(f, &why), GOAT_LOADING);
    assert_string_equal(why.message, "the database is still opening");
    assert_int_equal(test_handle_wait(&f->handle, job, NULL), GOAT_OK);
    assert_int_equal(health(f, &why), GOAT_OK);
}

static void a_disk_that_refuses_is_named_with_what_it_refuses(void **state) {
    fixture *f = *state;
    gt_diag why;
    make(f);
    assert_int_equal(health(f, &why), GOAT_OK);
    fill_the_disk(f);
    assert_int_equal(health(f, &why), GOAT_FULL);
    assert_string_equal(why.path, TEST_REPO);
    assert_true(why.message[0] != 0);
}

/* Who brings entries of it opens it again and again: between two attempts nothing is better. */
static void it_is_not_well_again_because_nobody_looks(void **state) {
    fixture *f = *state;
    gt_diag why;
    make(f);
    fill_the_disk(f);
    close_repository(f);
    assert_int_equal(health(f, &why), GOAT_FULL);
    assert_string_equal(why.path, TEST_REPO);
    gt_sim_options_of(f->machine.disk)->capacity = 0;
    assert_int_equal(test_handle_open_repo(&f->handle), GOAT_OK);
    assert_int_equal(health(f, &why), GOAT_FULL); /* nothing was written yet */
    assert_int_equal(test_handle_create(&f->handle, "y", "{text: 'c'}"), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->handle, GOAT_DURABLE_DISK), GOAT_OK);
    assert_int_equal(health(f, &why), GOAT_OK);
    close_repository(f);
    assert_int_equal(health(f, &why), GOAT_OK);
}

static void trouble_that_does_not_come_again_is_over_after_a_while(void **state) {
    fixture *f = *state;
    gt_diag why;
    make(f);
    fill_the_disk(f);
    close_repository(f);
    gt_sim_options_of(f->machine.disk)->capacity = 0;
    gt_sim_advance_ms(&f->machine.clock, TWO_MINUTES_MS - 1000);
    assert_int_equal(health(f, &why), GOAT_FULL);
    gt_sim_advance_ms(&f->machine.clock, 1000);
    assert_int_equal(health(f, &why), GOAT_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(one_that_is_being_opened_is_not_well_yet),
        TEST(a_disk_that_refuses_is_named_with_what_it_refuses),
        TEST(it_is_not_well_again_because_nobody_looks),
        TEST(trouble_that_does_not_come_again_is_over_after_a_while),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
