/* core/db: what is lost on one side comes back from the other, and nobody skips an entry: wiped and restored folders,
 * crashes between push and flush, flipped bits, and files that remember wrongly. */
#include "support/test.h"

#include "db/internal.h"
#include "db/links.h"
#include "support/test_link.h"
#include "support/test_repo.h"

#include <stdio.h>
#include <string.h>

static void edit(test_handle *handle, const char *name, int from, int count) {
    for (int i = from; i < from + count; i++) {
        char key[32];
        snprintf(key, sizeof key, "%s%d", name, i);
        assert_int_equal(test_handle_create(handle, key, "{text: 'a'}"), GOAT_OK);
        assert_int_equal(test_handle_flush(handle, GOAT_DURABLE_MEMORY), GOAT_OK);
    }
}

/* Both replicas have what the server has. */
static void fill(test_trio *f) {
    test_trio_begin(f);
    edit(&f->server, "s", 0, 5);
    test_trio_join(f, &f->one);
    test_trio_join(f, &f->two);
    test_world_meet(&f->world);
    edit(&f->one, "one", 0, 5);
    edit(&f->two, "two", 0, 5);
    test_world_meet(&f->world);
    test_world_pass(&f->world, 2500); /* what is remembered is on the disk */
    assert_int_equal(test_handle_entries(&f->server), 15);
}

static void assert_all_have(test_trio *f, uint32_t entries) {
    assert_int_equal(test_handle_entries(&f->server), entries);
    test_assert_equal(&f->one, &f->server);
    test_assert_equal(&f->two, &f->server);
}

static const gt_sync_counters *counters_of(const test_pipe *pipe) {
    return gt_sync_get_counters(gt_link_sync(pipe->client.link));
}

static void remove_but(test_machine *machine, const char *kept) {
    for (size_t at = 0; gt_sim_name_at(machine->disk, at) != NULL;) {
        char name[128];
        snprintf(name, sizeof name, "%s", gt_sim_name_at(machine->disk, at));
        if (kept != NULL && strcmp(name, kept) == 0) {
            at++;
        } else {
            assert_true(gt_sim_remove_file(machine->disk, name));
        }
    }
}

static void a_server_of_which_only_the_key_is_left_is_filled_again(void **state) {
    (void)state;
    test_trio f;
    fill(&f);
    test_trio_close(&f, &f.server);
    remove_but(&f.server_machine, "root.key");
    test_trio_open(&f, &f.server);
    assert_int_equal(test_handle_entries(&f.server), 0);
    edit(&f.one, "one", 5, 2);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    test_trio_join(&f, &f.two);
    test_world_meet(&f.world);
    assert_all_have(&f, 17);
    assert_int_equal(test_handle_verify(&f.server), 0);
    /* the certificates came back, too, so that who was known before is known again */
    const gt_keyring *keyring = gt_db_database(f.server.db)->keyring;
    assert_int_equal(gt_keyring_role(keyring, &gt_db_database(f.two.db)->own.session), GT_ROLE_ANONYMOUS);
    test_trio_end(&f);
}

static void a_server_that_was_restored_from_a_backup_makes_nobody_skip_an_entry(void **state) {
    (void)state;
    test_trio f;
    gt_sim_disk *backup = gt_sim_disk_new(&gt_alloc_system, 77);
    fill(&f);
    test_trio_close(&f, &f.server);
    assert_true(gt_sim_copy_files(backup, f.server_machine.disk));
    test_trio_open(&f, &f.server);
    test_trio_join(&f, &f.one);
    test_trio_join(&f, &f.two);
    edit(&f.one, "one", 5, 4);
    edit(&f.server, "s", 5, 4);
    test_world_meet(&f.world);
    test_world_pass(&f.world, 2500);
    assert_all_have(&f, 23);
    test_trio_close(&f, &f.two); /* it has all of this, and a point that the backup does not */
    test_trio_close(&f, &f.one);
    test_trio_close(&f, &f.server);
    assert_true(gt_sim_copy_files(f.server_machine.disk, backup));
    test_trio_open(&f, &f.server);
    assert_int_equal(test_handle_entries(&f.server), 15);
    edit(&f.server, "again", 0, 3); /* its log goes on elsewhere, up to about the length that it had */
    edit(&f.server, "again", 3, 3);
    test_trio_join(&f, &f.two);
    test_world_meet(&f.world);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    assert_all_have(&f, 29);
    assert_int_equal(test_handle_verify(&f.server), 0);
    gt_sim_disk_free(backup);
    test_trio_end(&f);
}

/* Its disk is slow: what comes is taken and sent on before it is safe, and then the power goes. */
static void a_server_that_crashes_between_push_and_flush_gets_it_again(void **state) {
    (void)state;
    for (uint32_t delay = 0; delay < 12; delay++) {
        test_trio f;
        fill(&f);
        gt_sim_options_of(f.server_machine.disk)->delay_polls_max = 1000000;
        edit(&f.one, "one", 5, 3);
        for (uint32_t i = 0; i < delay; i++) test_world_step(&f.world);
        test_trio_crash(&f, &f.server);
        gt_sim_options_of(f.server_machine.disk)->delay_polls_max = 0;
        test_trio_open(&f, &f.server);
        test_trio_join(&f, &f.two); /* which may have more than the server */
        test_trio_join(&f, &f.one);
        test_world_meet(&f.world);
        assert_all_have(&f, 18);
        assert_int_equal(test_handle_verify(&f.two), 0);
        test_trio_end(&f);
    }
}

static void a_client_that_was_wiped_begins_anew(void **state) {
    (void)state;
    test_trio f;
    fill(&f);
    test_trio_close(&f, &f.one);
    remove_but(&f.one_machine, NULL);
    test_trio_join(&f, &f.one);
    edit(&f.one, "anew", 0, 2);
    test_world_meet(&f.world);
    assert_all_have(&f, 17);
    test_trio_end(&f);
}

/* What came was never synced; the disk forgets it, and what it remembered does not say that it has it. */
static void a_client_that_loses_what_it_had_not_synced_gets_it_again(void **state) {
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        test_trio f;
        fill(&f);
        gt_sim_options_of(f.one_machine.disk)->damage_unsynced = seed % 2 == 1;
        for (int i = 0; i < (int)(seed + 1); i++) {
            edit(&f.server, "s", 5 + 2 * i, 2);
            edit(&f.one, "one", 5 + i, 1);
            test_world_pass(&f.world, 150); /* a point comes, and is not yet written down */
        }
        uint32_t entries = 15 + 3 * (uint32_t)(seed + 1);
        test_trio_crash(&f, &f.one);
        test_trio_join(&f, &f.one);
        test_world_meet(&f.world);
        assert_all_have(&f, entries);
        test_trio_end(&f);
    }
}

static void what_a_flipped_bit_has_spoiled_comes_back(void **state) {
    (void)state;
    for (int side = 0; side < 2; side++) {
        test_trio f;
        fill(&f);
        test_handle *hurt = side == 0 ? &f.one : &f.server;
        test_machine *machine = side == 0 ? &f.one_machine : &f.server_machine;
        test_trio_close(&f, &f.one);
        if (side == 1) test_trio_close(&f, &f.server);
        (void)gt_sim_remove_file(machine->disk, "repos/data/goats.checkpoint");
        gt_sim_flip_bit(machine->disk, "repos/data/goats.log", 8 * (GT_LOG_HEADER_SIZE + 400));
        test_trio_open(&f, hurt);
        if (side == 1) {
            test_trio_join(&f, &f.one);
        } else {
            test_pipe_open(&f.world, &f.first, &f.one, &f.server, 0);
        }
        if (side == 1) test_trio_join(&f, &f.two);
        test_world_meet(&f.world);
        assert_all_have(&f, 15);
        test_trio_end(&f);
    }
}

/* ---- the file that remembers ---- */

static const char peer_name[] = "repos/data/goats.peer";

/* One replica, closed, with what it remembers in its file; `spoil` changes it, and all is well after the next meeting. */
static void check_spoiled(void (*spoil)(test_trio *f), bool resumes) {
    test_trio f;
    fill(&f);
    test_trio_close(&f, &f.one);
    assert_true(gt_sim_file(f.one_machine.disk, peer_name).data != NULL);
    edit(&f.server, "s", 5, 3);
    spoil(&f);
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    assert_all_have(&f, 18);
    /* certificates and schemas were remembered in files of their own */
    assert_int_equal(counters_of(&f.first)->runs, resumes ? 0 : 1);
    test_trio_end(&f);
}

static void let_be(test_trio *f) { (void)f; }

static void remove_file(test_trio *f) { assert_true(gt_sim_remove_file(f->one_machine.disk, peer_name)); }

static void put_file(test_trio *f, gt_bytes bytes) {
    assert_true(gt_sim_put_file(f->one_machine.disk, peer_name, bytes));
}

static void make_garbage(test_trio *f) { put_file(f, gt_bytes_text("GOATPEER????garbage")); }
static void make_empty(test_trio *f) { put_file(f, gt_bytes_of("", 0)); }
static void make_short(test_trio *f) { gt_sim_cut_file(f->one_machine.disk, peer_name, 60); }
static void flip_a_bit(test_trio *f) { gt_sim_flip_bit(f->one_machine.disk, peer_name, 8 * 40 + 3); }

static void make_it_anothers(test_trio *f) {
    gt_bytes file = gt_sim_file(f->two_machine.disk, peer_name);
    uint8_t copy[512];
    assert_true(file.data != NULL && file.len <= sizeof copy);
    memcpy(copy, file.data, file.len);
    put_file(f, gt_bytes_of(copy, file.len));
}

/* The log lost its end, and the file does not know. */
static void cut_the_log(test_trio *f) {
    gt_bytes log = gt_sim_file(f->one_machine.disk, "repos/data/goats.log");
    (void)gt_sim_remove_file(f->one_machine.disk, "repos/data/goats.checkpoint");
    gt_sim_cut_file(f->one_machine.disk, "repos/data/goats.log", log.len - 500);
}

static void what_is_remembered_saves_a_comparison(void **state) {
    (void)state;
    check_spoiled(let_be, true);
}

static void what_is_remembered_wrongly_only_costs_one(void **state) {
    (void)state;
    check_spoiled(remove_file, false);
    check_spoiled(make_garbage, false);
    check_spoiled(make_empty, false);
    check_spoiled(make_short, false);
    check_spoiled(flip_a_bit, false);
    check_spoiled(make_it_anothers, false);
    check_spoiled(cut_the_log, false);
}

/* How often the log of TEST_REPO was synced is seen by its durable length. */
static void a_client_syncs_for_it_every_two_seconds_at_most(void **state) {
    (void)state;
    test_trio f;
    fill(&f);
    test_world_pass(&f.world, 5000);
    uint32_t syncs = 0;
    uint64_t durable = gt_sim_durable_length(f.one_machine.disk, "repos/data/goats.log");
    for (int ms = 0; ms < 10000; ms += 50) {
        edit(&f.server, "x", ms, 1);
        test_world_pass(&f.world, 50);
        uint64_t now = gt_sim_durable_length(f.one_machine.disk, "repos/data/goats.log");
        syncs += now != durable;
        durable = now;
    }
    assert_in_range(syncs, 4, 6);
    test_trio_end(&f);
}

static void closing_writes_down_what_is_known(void **state) {
    (void)state;
    test_trio f;
    fill(&f);
    edit(&f.server, "s", 5, 3);
    test_world_meet(&f.world);
    test_trio_close(&f, &f.one); /* less than two seconds after the last time */
    test_trio_join(&f, &f.one);
    test_world_meet(&f.world);
    assert_int_equal(counters_of(&f.first)->runs, 0);
    assert_int_equal(counters_of(&f.first)->batches_in, 0);
    test_trio_end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_of_which_only_the_key_is_left_is_filled_again),
        cmocka_unit_test(a_server_that_was_restored_from_a_backup_makes_nobody_skip_an_entry),
        cmocka_unit_test(a_server_that_crashes_between_push_and_flush_gets_it_again),
        cmocka_unit_test(a_client_that_was_wiped_begins_anew),
        cmocka_unit_test(a_client_that_loses_what_it_had_not_synced_gets_it_again),
        cmocka_unit_test(what_a_flipped_bit_has_spoiled_comes_back),
        cmocka_unit_test(what_is_remembered_saves_a_comparison),
        cmocka_unit_test(what_is_remembered_wrongly_only_costs_one),
        cmocka_unit_test(a_client_syncs_for_it_every_two_seconds_at_most),
        cmocka_unit_test(closing_writes_down_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
