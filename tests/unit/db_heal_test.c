/* core/db: damage below a checkpoint: found by a look or by verify, healed by a peer at once or at the next opening. */
#include "support/test.h"

#include "db/internal.h"
#include "db/links.h"
#include "support/test_link.h"
#include "support/test_repo.h"

#include <stdio.h>
#include <string.h>

#define LOG "repos/data/goats.log"
#define SESSIONS "repos/sys/sessions.log"
#define CHECKPOINT "repos/data/goats.checkpoint"

static void edit(test_handle *handle, const char *name, int count, const char *fields) {
    for (int i = 0; i < count; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s%d", name, i);
        assert_int_equal(test_handle_create(handle, key, fields), GOAT_OK);
        assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
    }
}

/* A server and a replica, both with a checkpoint; then `hurt` is damaged where "abcdefghij" stands, and open again. */
static void spoil(test_trio *f, bool server, uint32_t flags) {
    static char fields[1200];
    memset(fields, 'x', sizeof fields);
    memcpy(fields, "{text: '", 8);
    memcpy(fields + sizeof fields - 3, "'}", 3);
    test_trio_begin(f);
    edit(&f->server, "s", 40, fields);
    edit(&f->server, "it", 1, "{text: 'abcdefghij'}");
    edit(&f->server, "z", 40, fields);
    test_trio_join(f, &f->one);
    test_world_meet(&f->world);
    test_trio_close(f, &f->one);
    test_trio_close(f, &f->server);
    test_machine *machine = server ? &f->server_machine : &f->one_machine;
    assert_non_null(gt_sim_file(machine->disk, CHECKPOINT).data);
    gt_bytes log = gt_sim_file(machine->disk, LOG);
    size_t at = 0;
    while (memcmp(log.data + at, "abcdefghij", 10) != 0) at++;
    gt_sim_flip_bit(machine->disk, LOG, 8 * at);
    test_trio_open(f, &f->server);
    if (flags == 0) test_trio_open(f, &f->one);
}

static gt_repo *repo_of(const test_handle *handle) { return handle->space->mount->repo; }

static void both_are_whole(test_trio *f) {
    test_world_meet(&f->world);
    test_handle_shows(&f->one, "it0", "{text: 'abcdefghij'}");
    test_handle_shows(&f->server, "it0", "{text: 'abcdefghij'}");
    test_assert_equal(&f->one, &f->server);
    test_handle *handles[] = {&f->one, &f->server};
    for (int i = 0; i < 2; i++) {
        assert_false(gt_repo_has_gaps(repo_of(handles[i])));
        assert_int_equal(test_handle_verify(handles[i]), 0);
    }
}

static void what_a_look_finds_is_asked_for_at_once(void **state) {
    (void)state;
    for (int server = 0; server < 2; server++) {
        test_trio f;
        goat_item *item = NULL;
        spoil(&f, server == 1, 0);
        test_trio_join(&f, &f.one);
        test_world_meet(&f.world);
        test_handle *hurt = server == 1 ? &f.server : &f.one;
        goat_status status = test_handle_item(hurt, NULL, "it0", &item);
        if (status == GOAT_OK) { /* an item is opened, and looked at when it is read */
            gt_seen seen;
            assert_int_equal(gt_space_see(hurt->space, gt_repo_find(repo_of(hurt), gt_bytes_text("it0")), &seen, NULL),
                             GOAT_CORRUPT);
            test_handle_drop(item);
        } else {
            assert_int_equal(status, GOAT_CORRUPT);
        }
        assert_true(gt_repo_has_gaps(repo_of(hurt)));
        test_world_pass(&f.world, 10);
        assert_false(gt_repo_has_gaps(repo_of(hurt)));
        test_handle_advance(hurt);
        both_are_whole(&f);
        test_trio_end(&f);
    }
}

static void what_verify_finds_is_asked_for_at_once(void **state) {
    (void)state;
    for (int server = 0; server < 2; server++) {
        test_trio f;
        spoil(&f, server == 1, 0);
        test_trio_join(&f, &f.one);
        test_world_meet(&f.world);
        test_handle *hurt = server == 1 ? &f.server : &f.one;
        assert_int_equal(test_handle_verify(hurt), 1);
        assert_null(gt_sim_file((server == 1 ? &f.server_machine : &f.one_machine)->disk, CHECKPOINT).data);
        test_world_pass(&f.world, 10);
        test_handle_advance(hurt);
        both_are_whole(&f);
        test_trio_end(&f);
    }
}

/* Alone, with nobody to ask; the next opening knows what is missing, and heals when it meets somebody. */
static void verify_takes_the_checkpoint_away(void **state) {
    (void)state;
    test_trio f;
    spoil(&f, false, 1);
    gt_sim_options_of(f.one_machine.disk)->read_only = true;
    assert_int_equal(test_handle_try_open(&f.one, &f.one_machine, TEST_THERE | GOAT_OPEN_READ_ONLY), GOAT_OK);
    assert_int_equal(test_handle_verify(&f.one), 1);
    assert_int_equal(test_handle_end(&f.one), GOAT_OK);
    gt_sim_options_of(f.one_machine.disk)->read_only = false;
    assert_non_null(gt_sim_file(f.one_machine.disk, CHECKPOINT).data); /* a reader changes nothing */
    test_handle_open(&f.one, &f.one_machine, TEST_THERE);
    assert_false(gt_repo_has_gaps(repo_of(&f.one)));
    assert_int_equal(test_handle_verify(&f.one), 1);
    assert_int_equal(test_handle_end(&f.one), GOAT_OK);
    assert_null(gt_sim_file(f.one_machine.disk, CHECKPOINT).data);
    f.one.db = NULL;
    test_trio_open(&f, &f.one);
    assert_true(gt_repo_has_gaps(repo_of(&f.one)));
    assert_int_equal(test_handle_entries(&f.one), 80);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    test_handle_advance(&f.one);
    both_are_whole(&f);
    test_trio_close(&f, &f.one);
    test_trio_open(&f, &f.one);
    assert_int_equal(test_handle_verify(&f.one), 0);
    test_trio_end(&f);
}

/* The log of certificates has lost the replica's, and batches of it are in another log. Once it is certified again they
 * are taken in, without a run or an opening. */
static void what_was_not_vouched_for_is_taken_in_with_the_certificate(void **state) {
    (void)state;
    test_trio f;
    test_trio_begin(&f);
    edit(&f.server, "s", 1, "{text: 'of the server'}");
    assert_int_equal(test_handle_flush(&f.server, GOAT_DURABLE_DISK), GOAT_OK);
    uint64_t before = gt_sim_file(f.server_machine.disk, SESSIONS).len;
    test_trio_join(&f, &f.one);
    edit(&f.one, "it", 1, "{text: 'of the replica'}");
    test_world_meet(&f.world);
    uint8_t key[GT_PUBLIC_KEY_SIZE];
    memcpy(key, gt_db_database(f.one.db)->own.public_key, sizeof key);
    test_trio_close(&f, &f.one);
    test_trio_close(&f, &f.server);
    gt_sim_remove_file(f.server_machine.disk, CHECKPOINT);
    gt_sim_remove_file(f.server_machine.disk, "repos/sys/sessions.checkpoint");
    gt_sim_cut_file(f.server_machine.disk, SESSIONS, before);
    test_trio_open(&f, &f.server);
    assert_true(gt_repo_has_gaps(repo_of(&f.server)));
    test_handle_shows(&f.server, "it0", NULL);
    assert_int_equal(gt_certify_anonymous((gt_database *)(uintptr_t)gt_db_database(f.server.db), key, NULL), GOAT_OK);
    test_handle_settle(&f.server);
    test_handle_advance(&f.server);
    assert_false(gt_repo_has_gaps(repo_of(&f.server)));
    test_handle_shows(&f.server, "it0", "{text: 'of the replica'}");
    assert_int_equal(test_handle_verify(&f.server), 0);
    test_trio_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_vouched_for_is_taken_in_with_the_certificate),
        cmocka_unit_test(what_a_look_finds_is_asked_for_at_once),
        cmocka_unit_test(what_verify_finds_is_asked_for_at_once),
        cmocka_unit_test(verify_takes_the_checkpoint_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
