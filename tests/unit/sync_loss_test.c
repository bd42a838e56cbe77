/* The sync connection where something was lost: a packet on its way, a record of a log, a certificate. */
#include "sync/compare.h"

#include "support/test.h"
#include "support/test_trio.h"
#include "value/build.h"

#include <stdio.h>

typedef test_trio fixture;

static uint64_t unacknowledged(const test_wire *wire) {
    gt_channel_info info;
    assert_true(gt_sync_channel_info(wire->c, gt_sync_next_channel(wire->c, NULL), &info));
    return info.unacknowledged;
}

/* One bit of the first record's payload flips while nobody looks. */
static void damage_first_record(test_peer *peer) {
    test_site_sync(&peer->site);
    test_site_close(&peer->site);
    gt_sim_flip_bit(peer->site.disk, TEST_REPO_LOG, (GT_LOG_HEADER_SIZE + 60) * 8);
    test_site_open(&peer->site, 0);
    peer->shared.repo = peer->site.repo;
}

static void lose_everything(fixture *f, test_peer *peer, uint32_t author) {
    test_peer_free(peer);
    test_peer_init(peer, &f->network, author, 99, 0);
}

/* Without encryption somebody may keep a packet back and let the point pass that covers it. */
static void a_packet_that_was_kept_back_is_found_missing(void **state) {
    fixture *f = *state;
    gt_buf packet;
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_peer_edit(&f->server, "k", "{text: 'x'}");
    gt_buf_init(&packet, &gt_alloc_system);
    assert_true(gt_sync_send(f->wire.s, f->wire.now_us, &packet)); /* and that is the end of it */
    gt_buf_free(&packet);
    test_peer_flush(&f->server);
    test_wire_settle(&f->wire);
    assert_int_equal(test_peer_entries(&f->client), 0);
    assert_true(f->client.has_kept);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_int_equal(test_peer_entries(&f->client), 1);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->runs, 1);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->runs, 0);
}

/* Its log was flushed and what it remembers was not: it sends back what it got, and the point that says where it is now
 * was given before that came. */
static void a_client_that_remembers_an_older_point_soon_has_the_newest(void **state) {
    fixture *f = *state;
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    test_peer_flush(&f->server);
    test_wire_settle(&f->wire);
    assert_true(f->client.has_kept);
    f->client.forgets = true;
    test_peer_edit(&f->server, "b", "{text: 'y'}");
    test_peer_flush(&f->server);
    test_wire_settle(&f->wire);
    f->client.forgets = false;
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->batches_out, 1);
    assert_int_equal(f->client.kept.ours, gt_log_length(gt_repo_log(f->client.site.repo)));
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->batches_out, 0);
}

static uint64_t log_length(const test_peer *peer) { return gt_log_length(gt_repo_log(peer->site.repo)); }

/* Written while a long walk is under way, and acknowledged far behind it: a server that is restored to somewhere between
 * would never get it, for the point would hold and the client would go on behind it. */
static void a_point_on_the_way_covers_what_was_acknowledged(void **state) {
    enum { MANY = 400, LONG = 10000 };
    fixture *f = *state;
    char *delta = test_malloc(LONG + 16);
    snprintf(delta, LONG + 16, "{text: '%0*d'}", LONG, 7);
    for (int i = 0; i < MANY; i++) {
        char key[16];
        snprintf(key, sizeof key, "k-%d", i);
        test_peer_edit(&f->server, key, delta);
    }
    test_free(delta);
    test_peer_flush(&f->server);
    test_wire_join(&f->wire, &f->client, &f->server);
    for (int i = 0; test_peer_entries(&f->client) < MANY / 8; i++) {
        assert_true(i < MANY);
        test_wire_step(&f->wire);
    }
    uint64_t begin = log_length(&f->client);
    test_peer_edit(&f->client, "x", "{text: 'x'}");
    while (test_peer_entries(&f->server) == MANY) test_wire_step(&f->wire);
    uint64_t end = log_length(&f->server);
    for (int i = 0; test_peer_entries(&f->client) < MANY + 1; i++) {
        assert_true(i < MANY);
        f->wire.now_us += GT_SYNC_POINT_PAUSE_US;
        f->client.has_kept = false;
        test_wire_step(&f->wire);
        if (!f->client.has_kept) continue;
        assert_true(f->client.kept.ours <= begin || gt_get_u64(f->client.kept.point) >= end);
    }
    test_wire_settle(&f->wire);
    assert_int_equal(f->client.kept.ours, log_length(&f->client));
}

static void what_was_dropped_and_came_by_another_way_is_acknowledged(void **state) {
    fixture *f = *state;
    gt_admission outcome;
    test_peer_free(&f->server);
    test_peer_init(&f->server, &f->network, 0, 11, 1 << 2);
    test_peer_edit(&f->other, "k", "{text: 'x'}");
    gt_bytes frame = test_site_next_frame(&f->other.site);
    assert_int_equal(test_site_admit(&f->client.site, frame, &outcome, NULL), GOAT_OK);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_int_equal(test_peer_entries(&f->server), 0);
    assert_int_equal(unacknowledged(&f->wire), 1);
    test_peer_certify(&f->server, 2);
    assert_int_equal(test_site_admit(&f->server.site, frame, &outcome, NULL), GOAT_OK);
    test_peer_flush(&f->server);
    test_wire_settle(&f->wire);
    assert_int_equal(unacknowledged(&f->wire), 0);
}

/* One leaf of a batch is logged, the other waits in memory for its parent: a crash would take it. */
static void what_is_held_in_part_is_not_acknowledged(void **state) {
    fixture *f = *state;
    test_writer author, other;
    gt_admission outcome;
    gt_id parent;
    test_writer_init(&author, &f->network, 1, test_goat_1);
    test_writer_init(&other, &f->network, 2, test_goat_1);
    gt_bytes missing = test_writer_commit(&other, "a", 5000, NULL, "{text: 'first'}", &parent);
    test_writer_leaf(&author, "a", 6000, &parent, 1, "{text: 'second'}", NULL);
    test_writer_leaf(&author, "b", 6000, NULL, 0, "{text: 'x'}", NULL);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    gt_message_data_head(&packet, f->wire.c->channels->number, GT_DATA_ACK, 1);
    gt_write_bytes(&packet, test_writer_finish(&author));
    assert_int_equal(test_wire_give(&f->wire, f->wire.s, gt_buf_bytes(&packet)), GOAT_OK);
    test_peer_flush(&f->server);
    const gt_channel *channel = f->wire.s->channels;
    gt_buf_clear(&packet);
    gt_sync_send(f->wire.s, f->wire.now_us, &packet);
    assert_int_equal(test_peer_entries(&f->server), 1);
    assert_int_equal(channel->waiting.count, 1);
    assert_int_equal(test_site_admit(&f->server.site, missing, &outcome, NULL), GOAT_OK);
    gt_sync_send(f->wire.s, f->wire.now_us, &packet);
    assert_int_equal(test_peer_entries(&f->server), 3);
    assert_int_equal(channel->waiting.count, 0);
    assert_int_equal(channel->taken.count, 1); /* until it is on the disk */
    gt_buf_free(&packet);
    test_writer_free(&author);
    test_writer_free(&other);
}

/* The server sends its part first, as it lacks in the client's filter or not; that is no reason to keep the rest. */
static void who_has_a_part_of_a_batch_is_given_the_rest(void **state) {
    fixture *f = *state;
    test_writer writer;
    gt_buf part;
    test_writer_init(&writer, &f->network, 3, test_goat_1);
    test_writer_leaf(&writer, "a", 1, NULL, 0, "{text: 'x'}", NULL);
    test_writer_leaf(&writer, "b", 2, NULL, 0, "{text: 'y'}", NULL);
    gt_bytes frame = test_writer_finish(&writer);
    gt_buf_init(&part, &gt_alloc_system);
    test_writer_elide(&writer, frame, "10", GT_NODE_HAD, &part);
    test_site_admits(&f->server.site, gt_buf_bytes(&part), GT_ADMITTED);
    test_site_admits(&f->client.site, frame, GT_ADMITTED);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    assert_int_equal(test_peer_entries(&f->server), 2);
    assert_true(f->client.last_equal);
    gt_buf_free(&part);
    test_writer_free(&writer);
}

/* Without its certificate a batch cannot be read again. */
static void an_acknowledgement_waits_for_certificates_that_nobody_syncs(void **state) {
    fixture *f = *state;
    test_peer_edit(&f->other, "k", "{text: 'stands for a certificate'}");
    f->server.sessions = gt_repo_log(f->other.site.repo);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_peer_edit(&f->client, "k", "{text: 'x'}");
    test_wire_settle(&f->wire);
    assert_int_equal(unacknowledged(&f->wire), 1);
    test_peer_flush(&f->server);
    test_wire_settle(&f->wire);
    assert_int_equal(unacknowledged(&f->wire), 1);
    assert_false(f->client.has_kept); /* nor is there a point */
    test_peer_flush(&f->other);
    gt_shared_changed(&f->server.shared);
    test_wire_settle(&f->wire);
    assert_int_equal(unacknowledged(&f->wire), 0);
    assert_true(f->client.has_kept);
    f->server.sessions = NULL;
}

/* The server goes back to before it had the client's batch, and its walk had not come further than that. */
static void a_point_names_no_place_before_what_was_acknowledged(void **state) {
    fixture *f = *state;
    f->server.host.sizes = (gt_sync_sizes){.packet = 4096, .data = 1024, .point_every = 2048};
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    test_peer_flush(&f->server);
    test_wire_settle(&f->wire);
    test_wire_cut(&f->wire);
    for (int i = 0; i < 300; i++) test_peer_edit(&f->server, "a", "{text: 'x'}");
    test_peer_flush(&f->server);
    uint64_t backup = gt_log_length(gt_repo_log(f->server.site.repo));
    test_peer_edit(&f->client, "mine", "{text: 'offline'}");
    test_peer_flush(&f->client);
    uint64_t written = gt_log_length(gt_repo_log(f->client.site.repo));
    test_wire_join(&f->wire, &f->client, &f->server);
    while (f->client.kept.ours < written) {
        assert_true(test_wire_step(&f->wire) || gt_sync_is_ready(f->wire.s, f->wire.now_us));
        f->wire.now_us += GT_SYNC_POINT_PAUSE_US;
    }
    assert_int_equal(unacknowledged(&f->wire), 0);
    test_wire_cut(&f->wire);
    gt_sim_cut_file(f->server.site.disk, TEST_REPO_LOG, backup);
    test_site_crash(&f->server.site);
    test_site_open(&f->server.site, 0);
    f->server.shared.repo = f->server.site.repo;
    assert_int_equal(test_peer_entries(&f->server), 301);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_peers_are_equal(&f->client, &f->server);
    assert_int_equal(test_peer_entries(&f->server), 302);
}

/* The point holds, for the log is as long as it was; what is in it cannot be read. */
static void a_server_with_a_damaged_record_gets_it_again(void **state) {
    fixture *f = *state;
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_peer_edit(&f->client, "a", "{text: 'x'}");
    test_wire_settle(&f->wire);
    test_peer_edit(&f->server, "b", "{text: 'y'}");
    test_peer_flush(&f->server);
    test_wire_settle(&f->wire);
    assert_true(f->client.has_kept);
    test_wire_cut(&f->wire);
    damage_first_record(&f->server);
    assert_int_equal(test_peer_entries(&f->server), 1);
    assert_true(test_site_audit(&f->server.site, NULL) > 0);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_int_equal(test_peer_entries(&f->server), 2);
    test_peers_are_equal(&f->client, &f->server);
    assert_int_equal(test_site_audit(&f->server.site, NULL), 0); /* and nobody speaks of it any more */
}

/* It has no entry left, so the server sends all; whether that was all is still to be found out. */
static void a_client_whose_only_record_is_damaged_is_healed_too(void **state) {
    fixture *f = *state;
    gt_signer signer = {f->network.authors[0].session, &f->network.authors[0].secret};
    gt_repo_receipts_begin(f->server.site.repo);
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    assert_int_equal(gt_repo_write_receipt(f->server.site.repo, &signer, NULL), GOAT_OK);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_wire_cut(&f->wire);
    damage_first_record(&f->client);
    assert_int_equal(test_peer_entries(&f->client), 0);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_int_equal(test_peer_entries(&f->client), 1);
    test_site_sync(&f->client.site);
    assert_int_equal(test_site_audit(&f->client.site, NULL), 0);
}

static void a_server_whose_only_record_is_damaged_is_healed_too(void **state) {
    fixture *f = *state;
    gt_signer signer = {f->network.authors[0].session, &f->network.authors[0].secret};
    gt_repo_receipts_begin(f->server.site.repo);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_peer_edit(&f->client, "a", "{text: 'x'}");
    test_wire_settle(&f->wire);
    assert_int_equal(gt_repo_write_receipt(f->server.site.repo, &signer, NULL), GOAT_OK); /* or it were a torn tail */
    test_wire_cut(&f->wire);
    damage_first_record(&f->server);
    assert_int_equal(test_peer_entries(&f->server), 0);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_int_equal(test_peer_entries(&f->server), 1);
    assert_int_equal(test_site_audit(&f->server.site, NULL), 0);
}

/* Neither the server nor the first client has a batch; the second client brings it after their comparison was given up. */
static void a_comparison_that_ended_unequal_is_tried_again(void **state) {
    fixture *f = *state;
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    test_peer_edit(&f->server, "b", "{text: 'y'}");
    test_peer_flush(&f->server);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_wire_join_anew(&f->second, &f->other, &f->server);
    test_wire_cut(&f->wire);
    test_wire_cut(&f->second);
    lose_everything(f, &f->server, 0);
    damage_first_record(&f->client);
    test_peer_edit(&f->server, "c", "{text: 'z'}"); /* so that the two compare */
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_wire_join_anew(&f->second, &f->other, &f->server);
    f->wire.now_us += GT_SYNC_REOPEN_MAX_US;
    test_wire_settle(&f->wire);
    assert_true(f->client.last_equal);
    assert_int_equal(test_peer_entries(&f->client), 3);
    test_peers_are_equal(&f->client, &f->server);
}

/* The client alone had its first batch, and has lost it; the second follows it in the chain of its session. */
static void what_is_lost_for_good_keeps_nothing_else_back(void **state) {
    fixture *f = *state;
    test_peer_edit(&f->client, "a", "{text: 'x'}");
    test_peer_edit(&f->client, "b", "{text: 'y'}");
    damage_first_record(&f->client);
    test_peer_edit(&f->client, "c", "{text: 'z'}");
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_wire_join_anew(&f->second, &f->other, &f->server);
    assert_int_equal(test_peer_entries(&f->client), 2);
    assert_int_equal(test_peer_entries(&f->server), 2);
    assert_int_equal(test_peer_entries(&f->other), 2);
    assert_int_equal(unacknowledged(&f->wire), 0);
    assert_int_equal(gt_repo_parked_count(f->server.site.repo), 0);
    test_peers_are_equal(&f->client, &f->other);
    assert_true(gt_repo_has_gaps(f->client.site.repo));
    test_wire_cut(&f->second);
    test_peer_reopen(&f->other); /* the gap is there again, and no barrier */
    assert_int_equal(test_peer_entries(&f->other), 2);
}

/* The second client had it all along: it comes in behind those that followed it, and then nothing is missed. */
static void what_was_called_lost_is_taken_when_somebody_has_it(void **state) {
    fixture *f = *state;
    gt_admission outcome;
    test_peer_edit(&f->client, "a", "{text: 'x'}");
    gt_bytes first = test_site_next_frame(&f->client.site);
    assert_int_equal(test_site_admit(&f->other.site, first, &outcome, NULL), GOAT_OK);
    test_peer_edit(&f->client, "b", "{text: 'y'}");
    damage_first_record(&f->client);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_int_equal(test_peer_entries(&f->server), 1);
    test_wire_join_anew(&f->second, &f->other, &f->server);
    test_wire_settle(&f->wire);
    assert_int_equal(test_peer_entries(&f->server), 2);
    test_peers_are_equal(&f->client, &f->server);
    test_peers_are_equal(&f->other, &f->server);
    assert_false(gt_repo_misses_any(f->server.site.repo));
    assert_false(gt_repo_has_gaps(f->client.site.repo));
    assert_int_equal(test_site_audit(&f->server.site, NULL), 0);
    assert_int_equal(test_site_audit(&f->client.site, NULL), 0);
}

/* Only what is waited for is believed to be lost, and a false word of it costs nothing. */
static void nobody_can_make_up_a_loss(void **state) {
    fixture *f = *state;
    gt_id id = {{1, 2, 3}};
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_false(gt_repo_note_gone(f->client.site.repo, &id));
    gt_id known;
    uint32_t leaf;
    gt_repo_entry(f->client.site.repo, 0, &known, &leaf);
    assert_false(gt_repo_note_gone(f->client.site.repo, &known));
}

/* A step, where there is something to do at this time. */
static void go_on(test_wire *wire) {
    assert_true(test_wire_step(wire) || gt_sync_is_ready(wire->c, wire->now_us) ||
                gt_sync_is_ready(wire->s, wire->now_us));
}

/* Whatever allocation fails: what was not sent is not taken for sent. */
static void a_walk_goes_on_where_memory_had_run_out(void **state) {
    fixture *f = *state;
    test_alloc *memory = &f->client.site.memory;
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    for (uint64_t k = 0; k < 40; k++) {
        test_peer_edit(&f->client, "k", "{text: 'x'}");
        uint64_t length = gt_log_length(gt_repo_log(f->client.site.repo));
        memory->left = k;
        memory->once = true;
        gt_buf_clear(&packet);
        bool said = gt_sync_send(f->wire.c, f->wire.now_us, &packet);
        memory->left = TEST_ALLOC_NEVER;
        assert_true(gt_sync_safe_length(f->wire.c, &f->client.shared) < length);
        if (said) assert_int_equal(test_wire_give(&f->wire, f->wire.s, gt_buf_bytes(&packet)), GOAT_OK);
        if (gt_sync_has_ended(f->wire.c)) test_wire_join_anew(&f->wire, &f->client, &f->server);
        test_peer_flush(&f->server);
        test_wire_settle(&f->wire);
        assert_int_equal(test_peer_entries(&f->server), k + 1);
        assert_int_equal(gt_sync_safe_length(f->wire.c, &f->client.shared), length);
    }
    gt_buf_free(&packet);
}

/* The second edit waits for the first, which damage took: it is no part of what the client can send. */
static void what_was_passed_over_is_not_called_safe(void **state) {
    fixture *f = *state;
    test_peer_edit(&f->client, "a", "{text: 'x'}");
    uint64_t first = gt_log_length(gt_repo_log(f->client.site.repo));
    test_peer_edit(&f->client, "a", "{text: 'y'}");
    damage_first_record(&f->client);
    test_wire_join(&f->wire, &f->client, &f->server);
    uint64_t length = gt_log_length(gt_repo_log(f->client.site.repo));
    while (!f->wire.c->channels->skipped) go_on(&f->wire);
    assert_int_equal(f->wire.c->channels->cursor, length);
    assert_true(gt_sync_safe_length(f->wire.c, &f->client.shared) <= first);
    test_wire_settle(&f->wire); /* nobody has the first: it holds nothing up */
    assert_int_equal(gt_sync_safe_length(f->wire.c, &f->client.shared), length);
}

/* Both sides begin rounds in turn. */
static void a_run_has_so_many_rounds_and_no_more(void **state) {
    fixture *f = *state;
    test_peer_edit(&f->client, "a", "{text: 'x'}");
    test_peer_edit(&f->server, "b", "{text: 'y'}");
    test_wire_join(&f->wire, &f->client, &f->server);
    while (f->wire.c->channels->run == NULL || !f->wire.c->channels->run->ready) test_wire_step(&f->wire);
    f->wire.c->channels->run->frozen.count++; /* so that they never become equal */
    while (f->wire.c->channels->run != NULL) go_on(&f->wire);
    assert_false(f->client.last_equal);
    uint64_t rounds = gt_sync_get_counters(f->wire.c)->rounds + gt_sync_get_counters(f->wire.s)->rounds;
    assert_int_equal(rounds, GT_SYNC_ROUNDS_MAX);
}

static void damage_receipt(test_peer *peer) {
    gt_log *log = gt_repo_log(peer->site.repo);
    gt_record record = {.type = GT_RECORD_BATCH};
    uint64_t at = GT_LOG_HEADER_SIZE;
    while (record.type != GT_RECORD_RECEIPT) assert_int_equal(gt_log_next(log, &at, false, &record), GOAT_OK);
    test_site_sync(&peer->site);
    test_site_checkpoint(&peer->site); /* it knows of the receipt */
    test_site_close(&peer->site);
    gt_sim_flip_bit(peer->site.disk, TEST_REPO_LOG, (record.offset + 20) * 8);
    test_site_open(&peer->site, 0);
    peer->shared.repo = peer->site.repo;
}

/* It takes the place of the damaged one, among those that the set was made of. */
static void a_receipt_that_was_damaged_counts_when_it_has_come(void **state) {
    fixture *f = *state;
    gt_signer signer = {f->network.authors[0].session, &f->network.authors[0].secret};
    gt_repo_receipts_begin(f->server.site.repo);
    test_peer_edit(&f->server, "a", "{text: 'x'}");
    assert_int_equal(gt_repo_write_receipt(f->server.site.repo, &signer, NULL), GOAT_OK);
    test_peer_edit(&f->server, "b", "{text: 'y'}");
    test_peer_flush(&f->server);
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    test_wire_cut(&f->wire);
    damage_receipt(&f->client);
    f->client.has_kept = false;
    test_wire_join_anew(&f->wire, &f->client, &f->server);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->receipts_in, 1);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->runs, 1);
    assert_true(f->client.last_equal);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_packet_that_was_kept_back_is_found_missing, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_client_that_remembers_an_older_point_soon_has_the_newest, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_point_on_the_way_covers_what_was_acknowledged, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(what_was_dropped_and_came_by_another_way_is_acknowledged, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(what_is_held_in_part_is_not_acknowledged, test_trio_setup, test_trio_teardown),
        cmocka_unit_test_setup_teardown(who_has_a_part_of_a_batch_is_given_the_rest, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(an_acknowledgement_waits_for_certificates_that_nobody_syncs, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_point_names_no_place_before_what_was_acknowledged, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_server_with_a_damaged_record_gets_it_again, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_client_whose_only_record_is_damaged_is_healed_too, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_server_whose_only_record_is_damaged_is_healed_too, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_comparison_that_ended_unequal_is_tried_again, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(what_is_lost_for_good_keeps_nothing_else_back, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(what_was_called_lost_is_taken_when_somebody_has_it, test_trio_setup,
                                        test_trio_teardown),
        cmocka_unit_test_setup_teardown(nobody_can_make_up_a_loss, test_trio_setup, test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_walk_goes_on_where_memory_had_run_out, test_trio_setup, test_trio_teardown),
        cmocka_unit_test_setup_teardown(what_was_passed_over_is_not_called_safe, test_trio_setup, test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_run_has_so_many_rounds_and_no_more, test_trio_setup, test_trio_teardown),
        cmocka_unit_test_setup_teardown(a_receipt_that_was_damaged_counts_when_it_has_come, test_trio_setup,
                                        test_trio_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
