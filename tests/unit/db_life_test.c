/* core/db: opening, keys, closing in the middle of everything, and crashes. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_random.h"
#include "support/test_repo.h"
#include "support/test_value.h"

#include <stdio.h>
#include <stdlib.h>

enum { CREATE = GOAT_OPEN_CREATE | GOAT_OPEN_NO_THREAD, THERE = GOAT_OPEN_NO_THREAD };

static void begin(test_machine *machine, uint64_t seed) { test_machine_init(machine, seed); }

static void make(test_machine *machine, test_handle *handle) {
    test_handle_open(handle, machine, CREATE);
    assert_int_equal(test_handle_create(handle, "x", "{text: 'a'}"), GOAT_OK);
    assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_DISK), GOAT_OK);
}

/* ---- flags and keys ---- */

static void a_database_is_made_once_and_found_again(void **state) {
    (void)state;
    test_machine machine;
    test_handle handle;
    begin(&machine, 1);
    assert_int_equal(test_handle_try_open(&handle, &machine, THERE), GOAT_NOT_FOUND);
    make(&machine, &handle);
    gt_id network = gt_db_database(handle.db)->network, session = gt_db_database(handle.db)->own.session;
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    assert_int_equal(test_handle_try_open(&handle, &machine, CREATE | GOAT_OPEN_EXCLUSIVE), GOAT_EXISTS);
    for (int i = 0; i < 3; i++) {
        test_handle_open(&handle, &machine, i == 0 ? CREATE : THERE);
        assert_memory_equal(network.bytes, gt_db_database(handle.db)->network.bytes, GT_ID_SIZE);
        assert_memory_equal(session.bytes, gt_db_database(handle.db)->own.session.bytes, GT_ID_SIZE);
        test_handle_shows(&handle, "x", "{text: 'a'}");
        assert_int_equal(test_handle_verify(&handle), 0);
        assert_int_equal(test_handle_end(&handle), GOAT_OK);
    }
    test_machine_free(&machine);
}

static void a_second_owner_is_told_so(void **state) {
    (void)state;
    test_machine machine;
    test_handle first, second;
    begin(&machine, 1);
    make(&machine, &first);
    gt_db_unlock(first.db); /* another process, with a lock of its own */
    assert_int_equal(test_handle_try_open(&second, &machine, THERE), GOAT_BUSY);
    assert_int_equal(test_handle_end(&first), GOAT_OK);
    test_machine_free(&machine);
}

static void reading_only_changes_nothing(void **state) {
    (void)state;
    test_machine machine;
    test_handle handle;
    goat_item *item = NULL;
    goat_tx *tx = NULL;
    begin(&machine, 1);
    make(&machine, &handle);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    uint64_t length = gt_sim_file(machine.disk, "repos/data/goats.log").len;
    gt_sim_options_of(machine.disk)->read_only = true;
    test_handle_open(&handle, &machine, THERE | GOAT_OPEN_READ_ONLY);
    test_handle_shows(&handle, "x", "{text: 'a'}");
    assert_int_equal(test_handle_create(&handle, "y", "{}"), GOAT_FORBIDDEN);
    assert_int_equal(test_handle_set(&handle, "x", "text", "'b'"), GOAT_FORBIDDEN);
    assert_int_equal(test_handle_apply(&handle, "[{key: 'x', set: {text: 'b'}}]", 0, NULL), GOAT_FORBIDDEN);
    assert_int_equal(gt_tx_begin(handle.space, &tx, NULL), GOAT_FORBIDDEN);
    assert_int_equal(test_handle_item(&handle, NULL, "x", &item), GOAT_OK);
    assert_int_equal(gt_item_delete(item, true, NULL), GOAT_FORBIDDEN);
    test_handle_drop(item);
    assert_int_equal(test_handle_flush(&handle, GOAT_DURABLE_DISK), GOAT_OK);
    assert_int_equal(test_handle_verify(&handle), 0);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    assert_int_equal(gt_sim_file(machine.disk, "repos/data/goats.log").len, length);
    test_machine_free(&machine);
}

static void remove_file(test_machine *machine, const char *name) {
    goat_storage storage;
    goat_io_result result;
    assert_int_equal(gt_sim_storage(machine->disk, &storage, NULL), GOAT_OK);
    const goat_io_request requests[] = {
        {.kind = GOAT_IO_LOCK}, {.kind = GOAT_IO_REMOVE, .name = name}, {.kind = GOAT_IO_UNLOCK}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(storage.submit(storage.context, &requests[i]), GOAT_OK);
        while (storage.poll(storage.context, &result, 1, false) == 0) {
        }
        assert_int_equal(result.status, GOAT_OK);
    }
    storage.close(storage.context);
}

static void a_lost_session_key_is_replaced_and_what_it_signed_stays(void **state) {
    (void)state;
    test_machine machine;
    test_handle handle;
    begin(&machine, 1);
    make(&machine, &handle);
    gt_id session = gt_db_database(handle.db)->own.session;
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    remove_file(&machine, "session.key");
    test_handle_open(&handle, &machine, THERE);
    assert_memory_not_equal(session.bytes, gt_db_database(handle.db)->own.session.bytes, GT_ID_SIZE);
    assert_int_equal(test_handle_set(&handle, "x", "text", "'b'"), GOAT_OK);
    assert_int_equal(test_handle_flush(&handle, GOAT_DURABLE_DISK), GOAT_OK);
    assert_int_equal(test_handle_verify(&handle), 0);
    session = gt_db_database(handle.db)->own.session;
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    test_handle_open(&handle, &machine, THERE | GOAT_OPEN_NO_CHECKPOINT);
    assert_memory_equal(session.bytes, gt_db_database(handle.db)->own.session.bytes, GT_ID_SIZE);
    test_handle_shows(&handle, "x", "{text: 'b'}");
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    test_machine_free(&machine);
}

static void without_the_root_key_it_is_no_authority_and_works(void **state) {
    (void)state;
    test_machine machine;
    test_handle handle;
    begin(&machine, 1);
    make(&machine, &handle);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    remove_file(&machine, "root.key");
    test_handle_open(&handle, &machine, THERE);
    assert_false(gt_db_database(handle.db)->has_root);
    assert_int_equal(test_handle_schema(&handle, test_sheep_1), GOAT_OK);
    assert_int_equal(test_handle_set(&handle, "x", "text", "'b'"), GOAT_OK);
    assert_int_equal(test_handle_flush(&handle, GOAT_DURABLE_DISK), GOAT_OK);
    assert_int_equal(test_handle_verify(&handle), 0);
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    remove_file(&machine, "session.key"); /* and nobody can certify a new one */
    test_handle_open(&handle, &machine, THERE);
    assert_int_equal(test_handle_set(&handle, "x", "text", "'c'"), GOAT_OK);
    assert_int_equal(test_handle_flush(&handle, GOAT_DURABLE_DISK), GOAT_OK);
    test_handle_shows(&handle, "x", "{text: 'c'}");
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    test_handle_open(&handle, &machine, THERE | GOAT_OPEN_NO_CHECKPOINT);
    test_handle_shows(&handle, "x", "{text: 'c'}");
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    test_machine_free(&machine);
}

static void wrong_keys_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"session.key", "root.key", "network"};
    for (int i = 0; i < 3; i++) {
        test_machine machine;
        test_handle handle;
        begin(&machine, 1);
        make(&machine, &handle);
        assert_int_equal(test_handle_end(&handle), GOAT_OK);
        /* readable by everybody, as put_file makes it; or not what it should be */
        gt_bytes old = gt_sim_file(machine.disk, names[i]);
        uint8_t copy[200];
        memcpy(copy, old.data, old.len);
        if (i == 2) copy[20] = 'z';
        assert_true(gt_sim_put_file(machine.disk, names[i], gt_bytes_of(copy, old.len)));
        assert_int_equal(test_handle_try_open(&handle, &machine, THERE), i == 2 ? GOAT_CORRUPT : GOAT_BAD_KEY);
        test_machine_free(&machine);
    }
}

static void the_system_repositories_are_not_edited_by_hand(void **state) {
    (void)state;
    static const char *const paths[] = {"/sys/sessions", "/sys/schemas"};
    test_machine machine;
    test_handle handle;
    begin(&machine, 1);
    make(&machine, &handle);
    for (int i = 0; i < 2; i++) {
        goat_job *job = NULL;
        goat_tx *tx = NULL;
        goat_item *item = NULL;
        gt_space *space = NULL;
        char path[40];
        assert_int_equal(gt_space_open(handle.db, gt_bytes_text(paths[i]), &space, &job, NULL), GOAT_OK);
        assert_int_equal(test_handle_wait(&handle, job, NULL), GOAT_OK);
        snprintf(path, sizeof path, "%s/mine", paths[i]);
        assert_int_equal(gt_item_create(handle.db, NULL, gt_bytes_text(path), gt_bytes_text("goat"),
                                        gt_bytes_of(NULL, 0), &item, NULL),
                         GOAT_FORBIDDEN);
        assert_int_equal(gt_tx_begin(space, &tx, NULL), GOAT_FORBIDDEN);
        gt_bytes edits = test_value("[{key: 'mine', schema: 'goat'}]");
        assert_int_equal(gt_space_apply(space, edits, 0, NULL, NULL), GOAT_FORBIDDEN);
        test_value_free(edits);
    }
    assert_int_equal(test_handle_end(&handle), GOAT_OK);
    test_machine_free(&machine);
}

/* ---- closing ---- */

/* The job goes on by itself. */
static void let_go(goat_job *job) { gt_job_release(job); }

/* Begins whatever can be begun by now. */
static void go_on(test_handle *handle, int *stage) {
    goat_job *job = NULL;
    gt_db_pump(handle->db, gt_db_now_us(handle->db), NULL);
    if (*stage == 0 && gt_space_open(handle->db, gt_bytes_text(TEST_REPO), &handle->space, &job, NULL) == GOAT_OK) {
        let_go(job);
        assert_int_equal(test_handle_schema(handle, test_goat_1), GOAT_OK);
        assert_int_equal(gt_db_verify(handle->db, gt_bytes_of(NULL, 0), &job, NULL), GOAT_OK);
        let_go(job);
        assert_int_equal(gt_db_repos(handle->db, &job, NULL), GOAT_OK);
        let_go(job);
        *stage = 1;
    } else if (*stage == 1 && gt_space_check(handle->space, NULL) == GOAT_OK) {
        (void)test_handle_create(handle, "new", "{votes: 1}");
        assert_int_equal(gt_db_flush(handle->db, GOAT_DURABLE_DISK, &job, NULL), GOAT_OK);
        let_go(job);
        assert_int_equal(gt_space_digest(handle->space, &job, NULL), GOAT_OK);
        let_go(job);
        *stage = 2;
    }
}

/* Closed after each number of rounds, while it opens, opens repositories, flushes, digests, lists, verifies. */
static void it_may_be_closed_in_the_middle_of_everything(void **state) {
    (void)state;
    for (uint32_t rounds = 0; rounds < 400; rounds++) {
        test_machine machine;
        test_handle handle;
        goat_job *job = NULL;
        int stage = 0;
        begin(&machine, rounds);
        if (rounds % 2 == 0) {
            make(&machine, &handle);
            assert_int_equal(test_handle_end(&handle), GOAT_OK);
        }
        gt_sim_options_of(machine.disk)->delay_polls_max = rounds % 3;
        assert_int_equal(test_handle_begin(&handle, &machine, CREATE), GOAT_OK);
        assert_int_equal(gt_db_open_job(handle.db, &job, NULL), GOAT_OK);
        let_go(job);
        for (uint32_t i = 0; i < rounds / 4; i++) go_on(&handle, &stage);
        assert_int_equal(test_handle_end(&handle), GOAT_OK);
        test_machine_free(&machine);
    }
}

/* ---- crashes ---- */

static void a_crash_while_it_is_made_leaves_nothing_half_made(void **state) {
    (void)state;
    bool done = false;
    for (uint64_t at = 1; !done; at++) {
        test_machine machine;
        test_handle handle;
        goat_job *job = NULL;
        gt_job_info info;
        begin(&machine, at);
        gt_sim_options_of(machine.disk)->delay_polls_max = (uint32_t)(at % 3);
        gt_sim_options_of(machine.disk)->damage_unsynced = at % 2 == 0;
        assert_int_equal(test_handle_begin(&handle, &machine, CREATE), GOAT_OK);
        assert_int_equal(gt_db_open_job(handle.db, &job, NULL), GOAT_OK);
        uint64_t rounds = 0;
        for (gt_job_info_of(job, &info); !info.done && rounds < at; rounds++) {
            gt_db_pump(handle.db, gt_db_now_us(handle.db), NULL);
            gt_job_info_of(job, &info);
        }
        done = info.done && rounds < at;
        gt_job_release(job);
        test_machine_crash(&machine);
        (void)test_handle_end(&handle);
        gt_sim_options_of(machine.disk)->delay_polls_max = 0;
        if (done) assert_int_equal(test_handle_try_open(&handle, &machine, THERE), GOAT_OK);
        if (!done) assert_int_equal(test_handle_try_open(&handle, &machine, CREATE), GOAT_OK);
        assert_int_equal(test_handle_schema(&handle, test_goat_1), GOAT_OK);
        assert_int_equal(test_handle_open_repo(&handle), GOAT_OK);
        assert_int_equal(test_handle_create(&handle, "x", "{text: 'a'}"), GOAT_OK);
        assert_int_equal(test_handle_flush(&handle, GOAT_DURABLE_DISK), GOAT_OK);
        assert_int_equal(test_handle_verify(&handle), 0);
        assert_int_equal(test_handle_end(&handle), GOAT_OK);
        test_machine_free(&machine);
        assert_true(at < 2000);
    }
}

/* A counter in one item: what was acknowledged as being on the disk, and what was written at all. */
typedef struct survival {
    test_machine machine;
    test_random random;
    uint32_t acknowledged, written;
    bool spoils; /* a crash may also damage what was not synced, in the middle too */
} survival;

static uint32_t count_in(test_handle *handle) {
    goat_item *item = NULL;
    const gt_field *field;
    gt_bytes value;
    int64_t number = 0;
    if (test_handle_item(handle, NULL, "count", &item) != GOAT_OK) return 0;
    assert_int_equal(gt_item_field(item, gt_bytes_text("votes"), &field, &value, NULL), GOAT_OK);
    assert_true(gt_value_as_int64(value, &number));
    test_handle_drop(item);
    return (uint32_t)number;
}

static void begin_life(survival *s, test_handle *handle, bool first) {
    gt_sim_options *options = gt_sim_options_of(s->machine.disk);
    options->delay_polls_max = test_random_below(&s->random, 4);
    options->chunk_max = test_random_below(&s->random, 3) == 0 ? 700 : 0;
    options->damage_unsynced = s->spoils && test_random_below(&s->random, 2) == 0;
    test_handle_open(handle, &s->machine, first ? CREATE : THERE);
    if (!s->spoils && test_handle_verify(handle) > 0) { /* an end that was cut is told once */
        assert_int_equal(test_handle_end(handle), GOAT_OK);
        test_handle_open(handle, &s->machine, THERE);
        assert_int_equal(test_handle_verify(handle), 0);
    }
    uint32_t count = count_in(handle);
    assert_true(count >= s->acknowledged && count <= s->written);
    s->acknowledged = s->written = count;
}

static void write_some(survival *s, test_handle *handle) {
    goat_job *job = NULL;
    gt_job_info info;
    uint32_t waits_for = 0;
    for (uint32_t edits = test_random_below(&s->random, 30); edits > 0; edits--) {
        char edit[100];
        snprintf(edit, sizeof edit, "[{key: 'count', schema: 'goat', set: {votes: %u, text: 'some more bytes'}}]",
                 (unsigned)++s->written);
        assert_int_equal(test_handle_apply(handle, edit, 0, NULL), GOAT_OK);
        if (job == NULL && test_random_below(&s->random, 3) == 0) {
            waits_for = s->written;
            assert_int_equal(gt_db_flush(handle->db, GOAT_DURABLE_DISK, &job, NULL), GOAT_OK);
        }
        for (uint32_t k = test_random_below(&s->random, 6); k > 0; k--) {
            gt_db_pump(handle->db, gt_db_now_us(handle->db), NULL);
        }
        if (job != NULL) gt_job_info_of(job, &info);
        if (job == NULL || !info.done) continue;
        assert_int_equal(info.status, GOAT_OK);
        s->acknowledged = waits_for;
        gt_job_release(job);
        job = NULL;
    }
    if (job != NULL) gt_job_release(job);
}

/* A log of its own for every hundred lives: each of them reads and verifies all that the ones before it wrote. */
static void live_and_crash(survival *s) {
    s->acknowledged = s->written = 0;
    test_machine_init(&s->machine, test_random_u64(&s->random));
    for (int life = 0; life < 100; life++) {
        test_handle handle;
        begin_life(s, &handle, life == 0);
        write_some(s, &handle);
        if (test_random_below(&s->random, 6) > 0) {
            test_machine_crash(&s->machine);
            (void)test_handle_end(&handle);
        } else {
            assert_int_equal(test_handle_end(&handle), GOAT_OK);
            s->acknowledged = s->written; /* the power stayed on */
        }
    }
    printf("%u edits\n", (unsigned)s->written);
    assert_true(s->written > 100);
    test_machine_free(&s->machine);
}

static void what_a_flush_has_acknowledged_survives_crashes(void **state) {
    (void)state;
    survival s = {.spoils = false};
    test_random_init(&s.random, __func__);
    for (int left = getenv("GOAT_SOAK") != NULL ? 10 : 1; left > 0; left--) {
        s.spoils = false;
        live_and_crash(&s);
        s.spoils = true;
        live_and_crash(&s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_database_is_made_once_and_found_again),
        cmocka_unit_test(a_second_owner_is_told_so),
        cmocka_unit_test(reading_only_changes_nothing),
        cmocka_unit_test(a_lost_session_key_is_replaced_and_what_it_signed_stays),
        cmocka_unit_test(without_the_root_key_it_is_no_authority_and_works),
        cmocka_unit_test(wrong_keys_are_refused),
        cmocka_unit_test(the_system_repositories_are_not_edited_by_hand),
        cmocka_unit_test(it_may_be_closed_in_the_middle_of_everything),
        cmocka_unit_test(a_crash_while_it_is_made_leaves_nothing_half_made),
        cmocka_unit_test(what_a_flush_has_acknowledged_survives_crashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
