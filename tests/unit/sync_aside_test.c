/* Damage of a server's log that a run with one client could not heal, and what another one still has. */
#include "support/test.h"
#include "support/test_trio.h"
#include "sync/internal.h"

typedef test_trio fixture;

static uint64_t runs(const test_wire *wire) { return gt_sync_get_counters(wire->c)->runs; }

static void reopen(test_peer *peer) {
    test_site_close(&peer->site);
    test_site_open(&peer->site, 0);
    peer->shared.repo = peer->site.repo;
}

/* ---- given ---- */

/* The other's batch is the first record of the server's log, and the other remembers a point behind it. The client has
 * nothing of the server's. */
static void other_was_there(fixture *f) {
    test_wire_join_anew(&f->second, &f->other, &f->server);
    test_peer_edit(&f->other, "a", "{text: 'x'}");
    test_wire_settle(&f->second);
    test_peer_edit(&f->server, "b", "{text: 'y'}"); /* or it were a torn tail */
    test_peer_flush(&f->server);
    test_wire_settle(&f->second);
    assert_true(f->other.has_kept);
    assert_int_equal(test_peer_entries(&f->server), 2);
    test_wire_cut(&f->second);
}

/* One bit of the first record's payload flips while nobody looks, and a client that never had it comes first. */
static void server_forgets_it(fixture *f) {
    test_site_sync(&f->server.site);
    test_site_close(&f->server.site);
    gt_sim_flip_bit(f->server.site.disk, TEST_REPO_LOG, (GT_LOG_HEADER_SIZE + 60) * 8);
    test_site_open(&f->server.site, 0);
    f->server.shared.repo = f->server.site.repo;
    assert_true(gt_repo_has_gaps(f->server.site.repo));
    test_peer_edit(&f->client, "c", "{text: 'z'}");
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_true(f->client.last_equal);
    assert_false(gt_repo_has_gaps(f->server.site.repo));
    assert_int_equal(test_peer_entries(&f->server), 2);
}

/* ---- then ---- */

static void other_brings_it(fixture *f) {
    test_wire_join_anew(&f->second, &f->other, &f->server);
    assert_int_equal(runs(&f->second), 1);
    assert_int_equal(test_peer_entries(&f->server), 3);
    test_peers_are_equal(&f->other, &f->server);
}

static void both_resume(fixture *f) {
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_peers_are_equal(&f->client, &f->server);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_wire_join_anew(&f->second, &f->other, &f->server);
    assert_int_equal(runs(&f->wire) + runs(&f->second), 0);
}

static void what_a_run_could_not_heal_the_next_client_brings(void **state) {
    fixture *f = *state;
    other_was_there(f);
    server_forgets_it(f);
    other_brings_it(f);
    both_resume(f);
}

static void so_it_is_after_the_server_was_started_again(void **state) {
    for (int with_checkpoint = 0; with_checkpoint < 2; with_checkpoint++) {
        fixture *f = *state;
        other_was_there(f);
        server_forgets_it(f);
        test_wire_cut(&f->wire);
        test_site_sync(&f->server.site);
        if (with_checkpoint > 0) test_site_checkpoint(&f->server.site);
        reopen(&f->server);
        assert_int_equal(gt_repo_uncovered(f->server.site.repo) > 0, with_checkpoint == 0);
        other_brings_it(f); /* he comes first: nobody has walked over what was set aside */
        both_resume(f);
        if (with_checkpoint > 0) break;
        test_trio_free(f);
        test_trio_init(f);
    }
}

/* ---- certificates that are lost ---- */

static void client_reopens(fixture *f, uint32_t strangers) {
    test_site_sync(&f->client.site);
    f->client.site.strangers = strangers;
    reopen(&f->client);
}

/* The client alone has a batch of somebody whose certificate it has lost, and syncs. */
static void client_cannot_read_one(fixture *f) {
    test_writer writer;
    test_writer_init(&writer, &f->network, 3, test_goat_1);
    test_peer_edit(&f->server, "b", "{text: 'y'}");
    test_peer_flush(&f->server);
    test_site_admits(&f->client.site, test_writer_commit(&writer, "a", 1, NULL, "{text: 'x'}", NULL), GT_ADMITTED);
    client_reopens(f, 1u << 3);
    assert_int_equal(gt_repo_faults(f->client.site.repo), 1);
    test_peer_edit(&f->client, "c", "{text: 'z'}");
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_true(f->client.last_equal);
    assert_int_equal(test_peer_entries(&f->server), 2);
    test_writer_free(&writer);
}

static void server_has_got_it(fixture *f) {
    test_wire_settle(&f->wire);
    assert_int_equal(test_peer_entries(&f->server), 3);
    test_peers_are_equal(&f->client, &f->server);
    test_site_sync(&f->client.site);
    assert_int_equal(test_site_audit(&f->client.site, NULL), 0);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_int_equal(runs(&f->wire), 0);
}

static void what_could_not_be_read_is_sent_when_it_can(void **state) {
    fixture *f = *state;
    client_cannot_read_one(f);
    f->client.site.strangers = 0;
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    server_has_got_it(f);
}

static void what_can_be_read_the_next_time_is_sent_then(void **state) {
    fixture *f = *state;
    client_cannot_read_one(f);
    client_reopens(f, 0);
    assert_int_equal(test_peer_entries(&f->client), 3);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    server_has_got_it(f);
}

/* A server that reads more of its log one day has sent it to nobody, whatever points it would have given. */
static void a_server_gives_no_points_beyond_what_it_cannot_read(void **state) {
    fixture *f = *state;
    test_writer writer;
    test_writer_init(&writer, &f->network, 3, test_goat_1);
    test_site_admits(&f->server.site, test_writer_commit(&writer, "a", 1, NULL, "{text: 'x'}", NULL), GT_ADMITTED);
    test_peer_edit(&f->server, "b", "{text: 'y'}");
    test_peer_edit(&f->client, "c", "{text: 'z'}"); /* so that the two compare */
    for (int again = 0; again < 2; again++) {
        test_site_sync(&f->server.site);
        f->server.site.strangers = again == 0 ? 1u << 3 : 0;
        reopen(&f->server);
        test_wire_join_anew(&f->wire, &f->client, &f->server);
        test_wire_cut(&f->wire);
        assert_int_equal(test_peer_entries(&f->client), again == 0 ? 2 : 3);
        assert_int_equal(f->client.has_kept, again == 1);
    }
    test_writer_free(&writer);
}

/* A batch is damaged that another one in the log follows, and nobody else has it: the gap stays. What a client brings is on
 * the disk all the same, and it can tell. */
static void what_a_server_with_a_gap_has_got_is_safe_there(void **state) {
    fixture *f = *state;
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    test_peer_edit(&f->server, "b", "{text: 'y'}");
    test_site_sync(&f->server.site);
    test_site_close(&f->server.site);
    gt_sim_flip_bit(f->server.site.disk, TEST_REPO_LOG, (GT_LOG_HEADER_SIZE + 60) * 8);
    test_site_open(&f->server.site, 0);
    f->server.shared.repo = f->server.site.repo;
    for (int again = 0; again < 2; again++) {
        test_peer_edit(&f->client, again == 0 ? "c" : "d", "{text: 'z'}");
        test_peer_flush(&f->client);
        test_wire_join_anew(&f->wire, &f->client, &f->server);
        test_peer_flush(&f->server);
        test_wire_settle(&f->wire);
        assert_true(gt_repo_has_gaps(f->server.site.repo));
        assert_int_equal(runs(&f->wire), 1);
        assert_true(f->client.last_equal);
        assert_false(f->client.has_kept);
        assert_int_equal(gt_sync_safe_length(f->wire.c, &f->client.shared),
                         gt_log_length(gt_repo_log(f->client.site.repo)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_a_run_could_not_heal_the_next_client_brings, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(so_it_is_after_the_server_was_started_again, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(what_could_not_be_read_is_sent_when_it_can, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(what_can_be_read_the_next_time_is_sent_then, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(what_a_server_with_a_gap_has_got_is_safe_there, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_server_gives_no_points_beyond_what_it_cannot_read, test_trio_setup,
                                        test_trio_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
