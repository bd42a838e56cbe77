/* The sync connection, both ends of it, over real repositories on simulated machines. */
#include "sync/internal.h"

#include "support/test.h"
#include "support/test_trio.h"
#include "value/build.h"

#include <stdio.h>

typedef test_trio fixture;

static void join(fixture *f) { test_wire_join_anew(&f->wire, &f->client, &f->server); }

static void edit_many(test_peer *peer, const char *prefix, int count) {
    for (int i = 0; i < count; i++) {
        char key[32], delta[48];
        snprintf(key, sizeof key, "%s-%d", prefix, i);
        snprintf(delta, sizeof delta, "{text: '%s %d'}", prefix, i);
        test_peer_edit(peer, key, delta);
    }
    test_peer_flush(peer);
}

static uint64_t entries(const test_peer *peer) { return gt_repo_entry_count(peer->site.repo); }

/* ---- handshake ---- */

static void both_sides_prove_their_keys(void **state) {
    fixture *f = *state;
    join(f);
    const gt_sync_peer *server = gt_sync_get_peer(f->wire.c), *client = gt_sync_get_peer(f->wire.s);
    assert_true(server->greeted && client->greeted);
    assert_int_equal(f->client.greeted, 1);
    assert_memory_equal(server->session.bytes, f->network.authors[0].session.bytes, GT_ID_SIZE);
    assert_memory_equal(client->session.bytes, f->network.authors[1].session.bytes, GT_ID_SIZE);
    assert_memory_equal(server->root_key, f->network.authors[0].public_key, GT_PUBLIC_KEY_SIZE);
}

static void a_server_of_another_network_is_refused(void **state) {
    fixture *f = *state;
    f->client.host.network = &f->network.authors[3].session;
    join(f);
    assert_true(gt_sync_has_ended(f->wire.c));
    assert_int_equal(gt_sync_get_failure(f->wire.c)->status, GOAT_UNTRUSTED);
    assert_int_equal(f->server.greeted, 0);
}

static void a_client_without_a_network_takes_the_servers(void **state) {
    fixture *f = *state;
    f->client.host.network = NULL;
    join(f);
    assert_int_equal(f->client.greeted, 1);
    assert_memory_equal(gt_sync_get_peer(f->wire.c)->network.bytes, f->network.authors[0].session.bytes, GT_ID_SIZE);
}

/* A client that shows somebody else's key cannot sign for it. */
static void a_key_that_is_not_held_is_no_proof(void **state) {
    fixture *f = *state;
    gt_identity liar = f->network.authors[1];
    memcpy(liar.public_key, f->network.authors[2].public_key, GT_PUBLIC_KEY_SIZE);
    f->client.host.identity = &liar;
    join(f);
    assert_true(gt_sync_has_ended(f->wire.s));
    assert_int_equal(gt_sync_get_failure(f->wire.s)->status, GOAT_UNTRUSTED);
    assert_int_equal(f->server.greeted, 0);
}

static void a_server_without_a_certificate_is_refused(void **state) {
    fixture *f = *state;
    f->server.host.identity = &f->network.authors[3]; /* not the root, and nothing to show */
    join(f);
    assert_int_equal(gt_sync_get_failure(f->wire.c)->status, GOAT_UNTRUSTED);
    assert_int_equal(f->client.greeted, 0);
}

/* ---- servers that are not the root ---- */

static gt_buf shown; /* the certificate that the server shows */

static gt_bytes show(void *context) {
    (void)context;
    return gt_buf_bytes(&shown);
}

/* The state of a certificate, which may end. */
static void write_certificate(const gt_identity *of, const char *role, int64_t end_ms, gt_buf *state) {
    gt_write_map_head(state, end_ms == 0 ? 2 : 3);
    gt_write_text(state, gt_bytes_text("role"));
    gt_write_text(state, gt_bytes_text(role));
    if (end_ms != 0) {
        gt_write_text(state, gt_bytes_text("expires"));
        gt_write_date_ms(state, end_ms);
    }
    gt_write_text(state, gt_bytes_text("public_key"));
    gt_write_bytes(state, gt_bytes_of(of->public_key, GT_PUBLIC_KEY_SIZE));
}

static void learn(test_peer *peer, const gt_identity *of, const char *role, int64_t end_ms) {
    char key[2 * GT_ID_SIZE + 1];
    gt_buf state;
    gt_buf_init(&state, &gt_alloc_system);
    gt_certificate_key(&of->session, key);
    write_certificate(of, role, end_ms, &state);
    gt_bytes bytes = gt_buf_bytes(&state);
    assert_int_equal(gt_keyring_learn(peer->keyring, peer->site.hasher, gt_bytes_text(key), bytes, NULL), GOAT_OK);
    gt_buf_free(&state);
}

/* The server is author 3 now, and shows that the root says so. */
static void serve_as_three(fixture *f, int64_t end_ms) {
    const gt_identity *root = &f->network.authors[0], *three = &f->network.authors[3];
    gt_place place = {f->network.place.network, gt_bytes_text(GT_SESSIONS_PATH)};
    gt_chain_place first = {.seq = 1};
    gt_batch_draft draft;
    gt_buf state;
    gt_id id;
    char key[2 * GT_ID_SIZE + 1];
    static const uint8_t salt[GT_SALT_SIZE], schema_hash[GT_SCHEMA_HASH_SIZE];
    gt_buf_init(&state, &gt_alloc_system);
    gt_buf_init(&shown, &gt_alloc_system);
    gt_batch_draft_init(&draft, &gt_alloc_system);
    gt_certificate_key(&three->session, key);
    write_certificate(three, "server", end_ms, &state);
    gt_commit_draft commit = {.key = gt_bytes_text(key),
                              .time = 1,
                              .ns = gt_bytes_text(GT_SESSION_NS),
                              .version = 1,
                              .schema_hash = schema_hash,
                              .delta = gt_buf_bytes(&state)};
    gt_hasher *hasher = f->network.hasher;
    assert_int_equal(gt_batch_draft_add(&draft, hasher, &root->session, salt, &commit, NULL, NULL), GOAT_OK);
    assert_int_equal(
        gt_batch_draft_finish(&draft, hasher, &place, &root->session, &first, &root->secret, &shown, &id, NULL),
        GOAT_OK);
    gt_batch_draft_free(&draft);
    gt_buf_free(&state);
    f->server.host.identity = three;
    f->server.host.certificate = show;
}

/* Whether the client, to whom author 3 is in that role (NULL: nobody), believes it. */
static bool is_believed(fixture *f, const char *role, int64_t known_end_ms, int64_t shown_end_ms) {
    test_peer_free(&f->client);
    test_peer_init(&f->client, &f->network, 1, 22, 1 << 3);
    gt_sim_set_wall_ms(&f->client.site.clock, INT64_C(1700000000000));
    if (role != NULL) learn(&f->client, &f->network.authors[3], role, known_end_ms);
    serve_as_three(f, shown_end_ms);
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    bool believed = f->client.greeted == 1;
    if (!believed) assert_int_equal(gt_sync_get_failure(f->wire.c)->status, GOAT_UNTRUSTED);
    test_wire_cut(&f->wire);
    gt_buf_free(&shown);
    return believed;
}

static void what_is_known_of_a_servers_key_is_in_force(void **state) {
    fixture *f = *state;
    const int64_t now = INT64_C(1700000000000);
    assert_true(is_believed(f, NULL, 0, 0));
    assert_true(is_believed(f, "server", 0, 0));
    assert_false(is_believed(f, "anonymous", 0, 0)); /* it was a server's */
    assert_true(is_believed(f, NULL, 0, now));
    assert_false(is_believed(f, NULL, 0, now - 1));
    assert_true(is_believed(f, "server", now, 0));
    assert_false(is_believed(f, "server", now - 1, 0));
}

static void a_peer_that_says_nothing_is_cut_off(void **state) {
    fixture *f = *state;
    test_wire_join(&f->wire, &f->client, &f->server);
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    assert_false(gt_sync_send(f->wire.s, f->wire.now_us, &packet));
    assert_int_equal(gt_sync_deadline(f->wire.s), f->wire.now_us + GT_SYNC_HANDSHAKE_US);
    gt_sync_send(f->wire.s, f->wire.now_us + GT_SYNC_HANDSHAKE_US, &packet);
    gt_buf_free(&packet);
    assert_true(gt_sync_has_ended(f->wire.s));
    assert_int_equal(gt_sync_get_failure(f->wire.s)->status, GOAT_TIMEOUT);
}

static void the_difference_of_clocks_is_taken(void **state) {
    fixture *f = *state;
    gt_sim_set_wall_ms(&f->server.site.clock, f->client.site.clock.wall_ms + 3600000);
    join(f);
    assert_in_range(f->client.shift_ms, 3599000, 3601000);
    gt_sim_set_wall_ms(&f->server.site.clock, f->client.site.clock.wall_ms + 500);
    join(f);
    assert_int_equal(f->client.shift_ms, 0);
    gt_sim_set_wall_ms(&f->server.site.clock, INT64_C(1) << 62);
    join(f);
    assert_true(f->client.shift_ms == GT_SYNC_CLOCK_SHIFT_MAX_MS);
    gt_sim_set_wall_ms(&f->server.site.clock, 0);
    gt_sim_set_wall_ms(&f->client.site.clock, INT64_MAX / 2);
    join(f);
    assert_true(f->client.shift_ms == -GT_SYNC_CLOCK_SHIFT_MAX_MS);
}

/* ---- one thing: clone, catch up, live ---- */

static void a_clone_is_equal(void **state) {
    fixture *f = *state;
    edit_many(&f->server, "a", 300);
    join(f);
    assert_int_equal(entries(&f->client), 300);
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
    assert_int_equal(entries(&f->server), 1);
    test_peer_flush(&f->server);
    test_wire_settle(&f->wire);
    assert_int_equal(gt_sync_safe_length(f->wire.c, &f->client.shared), length);
}

/* ---- resuming ---- */

static void nothing_new_costs_one_trip_and_few_bytes(void **state) {
    fixture *f = *state;
    edit_many(&f->server, "a", 500);
    edit_many(&f->client, "b", 3);
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
    edit_many(&f->server, "a", 100);
    join(f);
    test_wire_settle(&f->wire);
    edit_many(&f->client, "mine", 0);
    test_wire_cut(&f->wire);
    edit_many(&f->client, "mine", 40);
    edit_many(&f->server, "theirs", 50);
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    test_peers_are_equal(&f->client, &f->server);
    assert_int_equal(entries(&f->client), 190);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->runs, 0);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->batches_in, 50);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->batches_out, 40);
}

/* The server's crash takes what it had not flushed, which a third peer has seen: the point fails for nobody, and the
 * entry comes back. */
static void what_a_server_lost_comes_back_from_who_saw_it(void **state) {
    fixture *f = *state;
    edit_many(&f->server, "a", 10);
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
    assert_int_equal(entries(&f->server), 10);
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
    edit_many(&f->server, "shared", 200);
    join(f);
    test_wire_cut(&f->wire);
    f->client.has_kept = false; /* the hint is lost */
    f->client.forgets = true;
    edit_many(&f->client, "mine", 30);
    edit_many(&f->server, "theirs", 20);
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    test_peers_are_equal(&f->client, &f->server);
    assert_int_equal(entries(&f->client), 250);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->runs, 1);
    assert_true(f->client.last_equal);
    assert_in_range(gt_sync_get_counters(f->wire.c)->batches_in, 20, 22);
    assert_in_range(gt_sync_get_counters(f->wire.s)->batches_in, 30, 32);
}

static void equal_sets_are_found_equal_at_once(void **state) {
    fixture *f = *state;
    edit_many(&f->server, "shared", 200);
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
    edit_many(&f->server, "a", 120);
    join(f);
    edit_many(&f->client, "b", 5);
    test_wire_settle(&f->wire);
    test_wire_cut(&f->wire);
    test_peer_free(&f->server);
    test_peer_init(&f->server, &f->network, 0, 99, 0);
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_settle(&f->wire);
    assert_int_equal(entries(&f->server), 125);
    test_peers_are_equal(&f->client, &f->server);
}

/* ---- what is not taken ---- */

static void a_batch_of_a_stranger_waits_for_his_certificate(void **state) {
    fixture *f = *state;
    test_peer_free(&f->client);
    test_peer_init(&f->client, &f->network, 1, 22, 1 << 2); /* does not know author 2 */
    join(f);
    test_wire_join(&f->second, &f->other, &f->server);
    test_wire_settle(&f->second);
    test_peer_edit(&f->other, "k", "{text: 'x'}");
    test_wire_settle(&f->second);
    test_wire_settle(&f->wire);
    assert_int_equal(entries(&f->client), 0);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->batches_dropped, 1);
    test_peer_certify(&f->client, 2);
    gt_sync_sessions_grew(f->wire.c);
    test_wire_settle(&f->wire);
    assert_int_equal(entries(&f->client), 1);
    test_peers_are_equal(&f->client, &f->server);
}

static void an_uncertified_client_asks_to_be_certified(void **state) {
    fixture *f = *state;
    test_peer_free(&f->server);
    test_peer_free(&f->client);
    test_peer_init(&f->server, &f->network, 0, 11, 1 << 1);
    test_peer_init(&f->client, &f->network, 1, 22, 1 << 1);
    join(f);
    assert_int_equal(f->server.certified, 0); /* whoever only reads leaves no trace */
    test_peer_edit(&f->client, "k", "{text: 'x'}");
    test_wire_settle(&f->wire);
    assert_int_equal(f->server.certified, 1);
    assert_int_equal(entries(&f->server), 1);
}

static void a_forged_batch_ends_the_connection(void **state) {
    fixture *f = *state;
    join(f);
    test_writer writer;
    gt_id id;
    test_writer_init(&writer, &f->network, 2, test_goat_1);
    gt_bytes frame = test_writer_commit(&writer, "k", 5000, NULL, "{text: 'x'}", &id);
    uint8_t *copy = test_malloc(frame.len);
    memcpy(copy, frame.data, frame.len);
    copy[frame.len - 3] ^= 1; /* in the text */
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    gt_message_data_head(&packet, f->wire.c->channels->number, GT_DATA_ACK, 1);
    gt_write_bytes(&packet, gt_bytes_of(copy, frame.len));
    assert_int_equal(test_wire_give(&f->wire, f->wire.s, gt_buf_bytes(&packet)), GOAT_UNTRUSTED);
    assert_int_equal(entries(&f->server), 0);
    assert_int_equal(f->server.ended, 1);
    test_wire_settle(&f->wire);
    assert_int_equal(f->client.last_status, GOAT_UNTRUSTED); /* BYE says why */
    gt_buf_free(&packet);
    test_free(copy);
    test_writer_free(&writer);
}

/* The client does not know the schema, and cannot see that it is wrong. */
static void a_wrong_batch_is_refused_and_the_connection_goes_on(void **state) {
    fixture *f = *state;
    test_writer writer;
    gt_admission outcome;
    test_site_learn(&f->server.site, test_sheep_1);
    join(f);
    test_writer_init(&writer, &f->network, 1, test_sheep_1);
    gt_bytes frame = test_writer_commit(&writer, "k", 5000, NULL, "{wool: 5}", NULL);
    assert_int_equal(test_site_admit(&f->client.site, frame, &outcome, NULL), GOAT_OK);
    test_peer_flush(&f->client);
    test_wire_settle(&f->wire);
    assert_int_equal(f->client.refused, 1);
    assert_int_equal(f->client.last_status, GOAT_INVALID);
    assert_int_equal(entries(&f->server), 0);
    test_peer_edit(&f->server, "later", "{text: 'x'}");
    test_wire_settle(&f->wire);
    assert_int_equal(entries(&f->client), 2);
    test_writer_free(&writer);
}

static void give_frame(fixture *f, gt_bytes frame) {
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    gt_message_data_head(&packet, f->wire.c->channels->number, GT_DATA_ACK, 1);
    gt_write_bytes(&packet, frame);
    assert_int_equal(test_wire_give(&f->wire, f->wire.s, gt_buf_bytes(&packet)), GOAT_OK);
    test_site_settle(&f->server.site);
    gt_shared_changed(&f->server.shared);
    gt_buf_free(&packet);
    test_wire_settle(&f->wire);
    test_wire_settle(&f->second);
}

/* The header of what is refused stays, everywhere. */
static void a_session_goes_on_behind_a_refused_batch(void **state) {
    fixture *f = *state;
    test_writer writer;
    join(f);
    test_wire_join(&f->second, &f->other, &f->server);
    test_writer_init(&writer, &f->network, 3, test_goat_1);
    give_frame(f, test_writer_commit(&writer, "k", 5000, NULL, "{text: 'x'}", NULL));
    for (uint32_t i = 0; i < 2; i++) { /* it comes again, and is no better */
        if (i == 1) writer.seq--;
        test_writer_leaf(&writer, "k", 5001, NULL, 0, "{size: 'no number'}", NULL);
        test_writer_leaf(&writer, "l", 5001, NULL, 0, "{text: 'good'}", NULL);
        give_frame(f, test_writer_finish(&writer));
        assert_int_equal(gt_sync_get_counters(f->wire.s)->batches_refused, i + 1);
    }
    for (uint32_t i = 0; i < 4; i++) {
        give_frame(f, test_writer_commit(&writer, "m", 5002 + i, NULL, "{text: 'y'}", NULL));
    }
    test_peer *peers[] = {&f->server, &f->other};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(entries(peers[i]), 5);
        assert_int_equal(gt_repo_parked_count(peers[i]->site.repo), 0);
        assert_int_equal(test_site_audit(&peers[i]->site, NULL), 0);
    }
    test_peers_are_equal(&f->server, &f->other);
    test_writer_free(&writer);
}

static void what_was_made_after_the_certificate_ended_is_refused(void **state) {
    fixture *f = *state;
    test_writer writer;
    learn(&f->server, &f->network.authors[2], "user", INT64_C(1700000001000));
    join(f);
    test_writer_init(&writer, &f->network, 2, test_goat_1);
    for (uint32_t i = 0; i < 2; i++) {
        gt_buf packet;
        gt_buf_init(&packet, &gt_alloc_system);
        gt_message_data_head(&packet, f->wire.c->channels->number, GT_DATA_ACK, 1);
        gt_write_bytes(&packet, test_writer_commit(&writer, "k", 1000 + i, NULL, "{text: 'x'}", NULL));
        assert_int_equal(test_wire_give(&f->wire, f->wire.s, gt_buf_bytes(&packet)), GOAT_OK);
        test_wire_settle(&f->wire);
        assert_int_equal(gt_sync_get_counters(f->wire.s)->batches_refused, i);
        assert_int_equal(entries(&f->server), 1);
        gt_buf_free(&packet);
    }
    test_writer_free(&writer);
}

static void a_missing_parent_is_asked_for(void **state) {
    fixture *f = *state;
    test_peer_edit(&f->client, "k", "{text: 'first'}");
    test_peer_edit(&f->client, "k", "{text: 'second'}");
    test_peer_flush(&f->client);
    f->server.absent = false;
    join(f); /* all of it comes */
    assert_int_equal(entries(&f->server), 2);
    test_wire_cut(&f->wire);
    test_peer_free(&f->server);
    test_peer_init(&f->server, &f->network, 0, 99, 0);
    test_wire_join(&f->wire, &f->client, &f->server);
    test_wire_step(&f->wire);
    test_wire_step(&f->wire);
    /* Before the walk begins the second batch alone arrives. */
    gt_bytes first, second;
    f->client.site.frame_offset = GT_LOG_HEADER_SIZE;
    first = test_site_next_frame(&f->client.site);
    second = test_site_next_frame(&f->client.site);
    assert_non_null(first.data);
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    gt_message_data_head(&packet, f->wire.c->channels->number, GT_DATA_ACK, 1);
    gt_write_bytes(&packet, second);
    f->wire.c->channels->cursor = gt_log_length(gt_repo_log(f->client.site.repo)); /* it sends nothing by itself */
    assert_int_equal(test_wire_give(&f->wire, f->wire.s, gt_buf_bytes(&packet)), GOAT_OK);
    gt_buf_free(&packet);
    test_wire_settle(&f->wire);
    assert_int_equal(entries(&f->server), 2);
    assert_int_equal(gt_sync_get_counters(f->wire.s)->batches_parked, 1);
}

/* Beyond what is kept while it waits; its author is not told that it is refused. */
static void what_is_too_large_to_wait_comes_again(void **state) {
    fixture *f = *state;
    enum { BIG = 9 << 20 };
    gt_id parent;
    test_writer writer;
    gt_buf packet;
    char *text = test_malloc(BIG + 16);
    memset(text, 'x', BIG + 16);
    memcpy(text, "{text: '", 8);
    memcpy(text + BIG, "'}", 3);
    join(f);
    test_writer_init(&writer, &f->network, 2, test_goat_1);
    gt_buf_init(&packet, &gt_alloc_system);
    test_frames frames = {0};
    test_frames_add(&frames, test_writer_commit(&writer, "k", 1, NULL, "{text: 'x'}", &parent));
    test_writer_leaf(&writer, "k", 2, &parent, 1, text, NULL);
    test_writer_leaf(&writer, "l", 2, NULL, 0, text, NULL);
    test_frames_add(&frames, test_writer_finish(&writer));
    gt_message_data_head(&packet, f->wire.c->channels->number, GT_DATA_ACK, 1);
    gt_write_bytes(&packet, test_frames_at(&frames, 1));
    assert_int_equal(test_wire_give(&f->wire, f->wire.s, gt_buf_bytes(&packet)), GOAT_OK);
    test_site_admits(&f->client.site, test_frames_at(&frames, 0), GT_ADMITTED);
    test_site_admits(&f->client.site, test_frames_at(&frames, 1), GT_ADMITTED);
    for (int i = 0; i < 8; i++) test_wire_settle(&f->wire);
    assert_int_equal(f->client.refused, 0);
    assert_int_equal(f->client.closed, 0);
    assert_int_equal(entries(&f->server), 3);
    test_frames_free(&frames);
    gt_buf_free(&packet);
    test_writer_free(&writer);
    test_free(text);
}

static void data_beyond_the_credit_ends_the_connection(void **state) {
    fixture *f = *state;
    join(f);
    f->wire.s->granted = 0;
    test_peer_edit(&f->client, "k", "{text: 'x'}");
    test_wire_settle(&f->wire);
    assert_true(gt_sync_has_ended(f->wire.s));
    assert_int_equal(entries(&f->server), 0);
}

static void credit_comes_back_as_data_is_taken(void **state) {
    fixture *f = *state;
    static char delta[60000];
    memset(delta, 'x', sizeof delta - 1);
    memcpy(delta, "{text: '", 8);
    memcpy(delta + sizeof delta - 3, "'}", 3);
    for (int i = 0; i < 200; i++) { /* 12 MB: three windows */
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        test_peer_edit(&f->server, key, delta);
    }
    test_peer_flush(&f->server);
    join(f);
    assert_int_equal(entries(&f->client), 200);
    assert_in_range(f->wire.c->granted, GT_SYNC_WINDOW / 2, GT_SYNC_WINDOW);
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
    assert_int_equal(entries(&f->server), 1);
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
    assert_int_equal(entries(&f->server), 1);
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
    assert_int_equal(entries(&f->server), 1);
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
    assert_int_equal(entries(&f->client), 1);
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
        TEST(both_sides_prove_their_keys),
        TEST(a_server_of_another_network_is_refused),
        TEST(a_client_without_a_network_takes_the_servers),
        TEST(a_key_that_is_not_held_is_no_proof),
        TEST(a_server_without_a_certificate_is_refused),
        TEST(what_is_known_of_a_servers_key_is_in_force),
        TEST(a_peer_that_says_nothing_is_cut_off),
        TEST(the_difference_of_clocks_is_taken),
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
        TEST(a_batch_of_a_stranger_waits_for_his_certificate),
        TEST(an_uncertified_client_asks_to_be_certified),
        TEST(a_forged_batch_ends_the_connection),
        TEST(a_wrong_batch_is_refused_and_the_connection_goes_on),
        TEST(a_session_goes_on_behind_a_refused_batch),
        TEST(what_was_made_after_the_certificate_ended_is_refused),
        TEST(a_missing_parent_is_asked_for),
        TEST(what_is_too_large_to_wait_comes_again),
        TEST(data_beyond_the_credit_ends_the_connection),
        TEST(credit_comes_back_as_data_is_taken),
        TEST(a_repository_that_is_not_there_is_made_by_who_brings_something),
        TEST(a_stranger_makes_no_repository),
        TEST(whoever_brings_his_own_is_certified_before),
        TEST(trouble_closes_the_channel_and_it_is_tried_again),
        TEST(a_clean_end_says_so),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
