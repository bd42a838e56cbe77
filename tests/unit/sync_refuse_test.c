/* What a peer does not take, or not yet, and what becomes of the connection then. */
#include "sync/internal.h"

#include "support/test.h"
#include "support/test_trio.h"
#include "value/build.h"

#include <stdio.h>

typedef test_trio fixture;

static void join(fixture *f) { test_wire_join_anew(&f->wire, &f->client, &f->server); }

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
    assert_int_equal(test_peer_entries(&f->client), 0);
    assert_int_equal(gt_sync_get_counters(f->wire.c)->batches_dropped, 1);
    test_peer_certify(&f->client, 2);
    gt_sync_sessions_grew(f->wire.c);
    test_wire_settle(&f->wire);
    assert_int_equal(test_peer_entries(&f->client), 1);
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
    assert_int_equal(test_peer_entries(&f->server), 1);
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
    assert_int_equal(test_peer_entries(&f->server), 0);
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
    assert_int_equal(test_peer_entries(&f->server), 0);
    test_peer_edit(&f->server, "later", "{text: 'x'}");
    test_wire_settle(&f->wire);
    assert_int_equal(test_peer_entries(&f->client), 2);
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
        assert_int_equal(test_peer_entries(peers[i]), 5);
        assert_int_equal(gt_repo_parked_count(peers[i]->site.repo), 0);
        assert_int_equal(test_site_audit(&peers[i]->site, NULL), 0);
    }
    test_peers_are_equal(&f->server, &f->other);
    test_writer_free(&writer);
}

static void what_was_made_after_the_certificate_ended_is_refused(void **state) {
    fixture *f = *state;
    test_writer writer;
    test_peer_learn(&f->server, &f->network.authors[2], "user", INT64_C(1700000001000));
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
        assert_int_equal(test_peer_entries(&f->server), 1);
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
    assert_int_equal(test_peer_entries(&f->server), 2);
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
    assert_int_equal(test_peer_entries(&f->server), 2);
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
    assert_int_equal(test_peer_entries(&f->server), 3);
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
    assert_int_equal(test_peer_entries(&f->server), 0);
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
    assert_int_equal(test_peer_entries(&f->client), 200);
    assert_in_range(f->wire.c->granted, GT_SYNC_WINDOW / 2, GT_SYNC_WINDOW);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, test_trio_setup, test_trio_teardown)
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
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
