/* The sync connection, both ends of it, over real repositories on simulated machines. */
#include "sync/internal.h"

#include "support/test.h"
#include "support/test_trio.h"

#include <stdio.h>

typedef test_trio fixture;

static void join(fixture *f) { test_wire_join_anew(&f->wire, &f->client, &f->server); }

/* ---- one thing: clone, catch up, live ---- */

static void a_clone_is_equal(void **state) {
    fixture *f = *state;
    test_peer_edit_many(&f->server, "a", 300);
    join(f);
    assert_int_equal(test_peer_entries(&f->client), 300);
    test_peers_are_equal(&f->client, &f->server);
    assert_int_equal(f->client.evens, 1);
    assert_true(f->client.last_equal);
}

static void edits_flow_both_ways_as_they_are_made(void **state) {
    fixture *f = *state;
    join(f);
    for (int i = 0; i < 20; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        test_peer_edit(i % 2 == 0 ? &f->client : &f->server, key, "{text: 'x'}");
        test_wire_settle(&f->wire);
        test_peers_are_equal(&f->client, &f->server);
    }
    assert_int_equal(gt_sync_get_counters(f->wire.c)->batches_in, 10);
    assert_int_equal(gt_sync_get_counters(f->wire.s)->batches_in, 10); /* nothing is sent back */
}

static void a_third_peer_gets_what_the_first_wrote(void **state) {
    fixture *f = *state;
    join(f);
    test_wire_join(&f->second, &f->other, &f->server);
    test_wire_settle(&f->second);
    test_peer_edit(&f->client, "k", "{text: 'from one'}");
    test_wire_settle(&f->wire);
    test_wire_settle(&f->second);
    test_site_shows(&f->other.site, "k", "{text: 'from one'}");
}

static void an_edit_is_acknowledged_when_it_is_on_the_disk(void **state) {
    fixture *f = *state;
    join(f);
    f->wire.flushes = false;
    test_peer_edit(&f->client, "k", "{text: 'x'}");
    test_wire_settle(&f->wire);
    uint64_t length = gt_log_length(gt_repo_log(f->client.site.repo));
    assert_true(gt_sync_safe_length(f->wire.c, &f->client.shared) < length);
    assert_int_equal(test_peer_entries(&f->server), 1);
    test_peer_flush(&f->server);
    test_wire_settle(&f->wire);
    assert_int_equal(gt_sync_safe_length(f->wire.c, &f->client.shared), length);
}

/* ---- resuming ---- */

static void nothing_new_costs_one_trip_and_few_bytes(void **state) {
    fixture *f = *state;
    test_peer_edit_many(&f->server, "a", 500);
    test_peer_edit_many(&f->client, "b", 3);
    join(f);
    test_wire_settle(&f->wire);
    assert_true(f->client.has_kept);
    for (int round = 0; round < 3; round++) {
        join(f);
        test_wire_cut(&f->wire);
        test_peer_reopen(&f->client);
        test_wire_join(&f->wire, &f->client, &f->server);
        test_wire_step(&f->wire); /* the greeting */
        test_wire_count(&f->wire);
        test_wire_settle(&f->wire);
        uint64_t proof = 68; /* the client's, in the same packet */
        assert_in_range(f->wire.bytes[0] + f->wire.bytes[1] - proof, 1, 255);
        assert_int_equal(f->wire.trips, 1);
        assert_int_equal(gt_sync_get_counters(f->wire.c)->runs, 0);
    }
}

static void what_both_wrote_apart_meets_in_one_trip(void **state) {
    fixture *f = *state;
    test_peer_edit_many(&f->server, "a", 100);
    join(f);
    test_wire_settle(&f->wire);
    test_peer_edit_many(&f->client, "mine", 0);
    test_wire_cut(&f->wire);
    test_peer_edit_many(&f->client, "mine", 40);
    test_peer_edit_many(&f->server, "theirs", 50);
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    test_peers_are_equal(&f->client, &f->server);
    assert_int_equal(test_peer_entries(&f->client), 190);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->runs, 0);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->batches_in, 50);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->batches_out, 40);
}

/* The server's crash takes what it had not flushed, which a third peer has seen: the point fails for nobody, and the
 * entry comes back. */
static void what_a_server_lost_comes_back_from_who_saw_it(void **state) {
    fixture *f = *state;
    test_peer_edit_many(&f->server, "a", 10);
    join(f);
    test_wire_join(&f->second, &f->other, &f->server);
    test_wire_settle(&f->second);
    f->wire.flushes = f->second.flushes = false;
    test_peer_edit(&f->client, "lost", "{text: 'seen by other'}");
    test_wire_settle(&f->wire);
    test_wire_settle(&f->second);
    test_site_shows(&f->other.site, "lost", "{text: 'seen by other'}");
    test_wire_cut(&f->wire);
    test_wire_cut(&f->second);
    gt_sim_cut_file(f->server.site.disk, TEST_REPO_LOG, gt_sim_durable_length(f->server.site.disk, TEST_REPO_LOG));
    test_site_crash(&f->server.site);
    test_site_open(&f->server.site, 0);
    f->server.shared.repo = f->server.site.repo;
    assert_int_equal(test_peer_entries(&f->server), 10);
    test_wire_join(&f->second, &f->other, &f->server); /* the author stays away */
    test_wire_settle(&f->second);
    test_site_shows(&f->server.site, "lost", "{text: 'seen by other'}");
    assert_int_equal(gt_sync_get_counters(f->second.c)->runs, 0);
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    test_peers_are_equal(&f->client, &f->server);
}

/* ---- compare ---- */

static void two_sets_become_their_union(void **state) {
    fixture *f = *state;
    test_peer_edit_many(&f->server, "shared", 200);
    join(f);
    test_wire_cut(&f->wire);
    f->client.has_kept = false; /* the hint is lost */
    f->client.forgets = true;
    test_peer_edit_many(&f->client, "mine", 30);
    test_peer_edit_many(&f->server, "theirs", 20);
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    test_peers_are_equal(&f->client, &f->server);
    assert_int_equal(test_peer_entries(&f->client), 250);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->runs, 1);
    assert_true(f->client.last_equal);
    assert_in_range(gt_sync_get_counters(f->wire.c)->batches_in, 20, 22);
    assert_in_range(gt_sync_get_counters(f->wire.s)->batches_in, 30, 32);
}

static void equal_sets_are_found_equal_at_once(void **state) {
    fixture *f = *state;
    test_peer_edit_many(&f->server, "shared", 200);
    join(f);
    f->client.has_kept = false;
    join(f);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->runs, 1);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->rounds, 0);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->filter_bytes_in, 0);
    assert_true(f->client.has_kept); /* and from now on there is a point again */
}

static void a_server_that_lost_everything_is_filled(void **state) {
    fixture *f = *state;
    test_peer_edit_many(&f->server, "a", 120);
    join(f);
    test_peer_edit_many(&f->client, "b", 5);
    test_wire_settle(&f->wire);
    test_wire_cut(&f->wire);
    test_peer_free(&f->server);
    test_peer_init(&f->server, &f->network, 0, 99, 0);
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    assert_int_equal(test_peer_entries(&f->server), 125);
    test_peers_are_equal(&f->client, &f->server);
}

/* ---- channels ---- */

static void a_repository_that_is_not_there_is_made_by_who_brings_something(void **state) {
    fixture *f = *state;
    f->server.absent = true;
    join(f);
    assert_int_equal(f->client.closed, 1);
    assert_int_equal(f->client.last_status, GOAT_NOT_FOUND);
    test_peer_edit(&f->client, "k", "{text: 'x'}");
    test_wire_settle(&f->wire);
    assert_int_equal(test_peer_entries(&f->server), 1);
}

/* Whoever is not certified leaves no file behind. */
static void a_stranger_makes_no_repository(void **state) {
    fixture *f = *state;
    test_peer_free(&f->server);
    test_peer_init(&f->server, &f->network, 0, 11, 1 << 1);
    f->server.absent = true;
    test_peer_edit(&f->other, "k", "{text: 'x'}"); /* by somebody else: it does not ask to be certified for that */
    f->other.site.frame_offset = GT_LOG_HEADER_SIZE;
    test_site_send_new(&f->other.site, &f->client.site);
    join(f);
    assert_int_equal(f->server.opened, 0);
    assert_int_equal(f->client.last_status, GOAT_UNTRUSTED);
    test_peer_certify(&f->server, 1);
    for (int i = 0; i < 3; i++) {
        f->wire.now_us += GT_SYNC_REOPEN_MIN_US;
        test_wire_settle(&f->wire);
    }
    assert_int_equal(test_peer_entries(&f->server), 1);
}

/* It has edits of its own to bring: it is certified first, and loses no time. */
static void whoever_brings_his_own_is_certified_before(void **state) {
    fixture *f = *state;
    test_peer_free(&f->server);
    test_peer_free(&f->client);
    test_peer_init(&f->server, &f->network, 0, 11, 1 << 1);
    test_peer_init(&f->client, &f->network, 1, 22, 1 << 1);
    f->server.absent = true;
    test_peer_edit(&f->client, "k", "{text: 'x'}");
    join(f);
    assert_int_equal(f->server.certified, 1);
    assert_int_equal(f->client.closed, 0);
    assert_int_equal(test_peer_entries(&f->server), 1);
}

static void trouble_closes_the_channel_and_it_is_tried_again(void **state) {
    fixture *f = *state;
    f->server.open_fails = GOAT_IO;
    join(f);
    assert_int_equal(f->client.last_status, GOAT_IO);
    assert_false(gt_sync_has_ended(f->wire.c));
    f->server.open_fails = GOAT_OK;
    test_peer_edit(&f->server, "k", "{text: 'x'}");
    for (int i = 0; i < 4; i++) test_wire_settle(&f->wire);
    assert_int_equal(test_peer_entries(&f->client), 1);
}

static void a_clean_end_says_so(void **state) {
    fixture *f = *state;
    join(f);
    gt_sync_end(f->wire.c);
    test_wire_settle(&f->wire);
    assert_true(gt_sync_has_ended(f->wire.c) && gt_sync_has_ended(f->wire.s));
    assert_int_equal(gt_sync_get_failure(f->wire.s)->status, GOAT_OK);
    assert_int_equal(f->server.opened, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_trio_setup, test_trio_teardown)
        TEST(a_clone_is_equal),
        TEST(edits_flow_both_ways_as_they_are_made),
        TEST(a_third_peer_gets_what_the_first_wrote),
        TEST(an_edit_is_acknowledged_when_it_is_on_the_disk),
        TEST(nothing_new_costs_one_trip_and_few_bytes),
        TEST(what_both_wrote_apart_meets_in_one_trip),
        TEST(what_a_server_lost_comes_back_from_who_saw_it),
        TEST(two_sets_become_their_union),
        TEST(equal_sets_are_found_equal_at_once),
        TEST(a_server_that_lost_everything_is_filled),
        TEST(a_repository_that_is_not_there_is_made_by_who_brings_something),
        TEST(a_stranger_makes_no_repository),
        TEST(whoever_brings_his_own_is_certified_before),
        TEST(trouble_closes_the_channel_and_it_is_tried_again),
        TEST(a_clean_end_says_so),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
