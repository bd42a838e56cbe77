/* What a peer may cost that wants to cost something: memory stays bounded, and so does the work under the lock. */
#include "sync/compare.h"

#include "support/test.h"
#include "support/test_trio.h"
#include "value/build.h"

#include <stdio.h>

enum { MIB = 1024 * 1024, CHANNEL = 2 /* the first that a client's side opens */ };

typedef struct fixture {
    test_trio trio;
    gt_buf packet; /* that the client's side is made to send */
} fixture;

static int setup(void **state) {
    fixture *f = test_malloc(sizeof *f);
    test_trio_init(&f->trio);
    gt_buf_init(&f->packet, &gt_alloc_system);
    test_wire_join_anew(&f->trio.wire, &f->trio.client, &f->trio.server);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    test_trio_free(&f->trio);
    gt_buf_free(&f->packet);
    test_free(f);
    return 0;
}

/* Gives the packet to the server; how much memory that took at its most. */
static size_t give(fixture *f, goat_status expected) {
    test_alloc *memory = &f->trio.server.site.memory;
    size_t before = memory->live_bytes;
    memory->most_bytes = before;
    assert_int_equal(test_wire_give(&f->trio.wire, f->trio.wire.s, gt_buf_bytes(&f->packet)), expected);
    gt_buf_clear(&f->packet);
    return memory->most_bytes - before;
}

static void add(fixture *f, const gt_message *message) { gt_message_write(&f->packet, message); }

/* ---- packets ---- */

static void a_packet_has_a_limited_number_of_messages(void **state) {
    fixture *f = *state;
    gt_message credit = {.kind = GT_MESSAGE_CREDIT, .as.credit.bytes = 1};
    for (int i = 0; i < GT_SYNC_MESSAGES_MAX; i++) add(f, &credit);
    assert_true(give(f, GOAT_OK) < 10 * MIB);
    for (int i = 0; i < 4 * GT_SYNC_MESSAGES_MAX; i++) add(f, &credit);
    assert_true(give(f, GOAT_TOO_LARGE) < 10 * MIB);
}

static void messages_of_a_later_version_count_too(void **state) {
    fixture *f = *state;
    for (int i = 0; i <= GT_SYNC_MESSAGES_MAX; i++) {
        if (i == GT_SYNC_MESSAGES_MAX) assert_true(give(f, GOAT_OK) < MIB);
        gt_write_array_head(&f->packet, 1);
        gt_write_int(&f->packet, GT_MESSAGE_SKIP_FROM);
    }
    for (int i = 0; i < GT_SYNC_MESSAGES_MAX; i++) {
        gt_write_array_head(&f->packet, 1);
        gt_write_int(&f->packet, GT_MESSAGE_SKIP_FROM);
    }
    assert_true(give(f, GOAT_TOO_LARGE) < MIB);
}

/* Records of one byte, of which each would take a batch's structure and words. */
static void what_cannot_be_decoded_ends_the_packet(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 64; i++) {
        gt_message_data_head(&f->packet, CHANNEL, 0, GT_SYNC_RECORDS_MAX);
        for (int n = 0; n < GT_SYNC_RECORDS_MAX; n++) gt_write_bytes(&f->packet, gt_bytes_of("", 0));
    }
    assert_true(f->packet.len < MIB);
    assert_true(give(f, GOAT_UNTRUSTED) < MIB);
    assert_int_equal(gt_sync_get_failure(f->trio.wire.s)->status, GOAT_UNTRUSTED);
    assert_non_null(strstr(gt_sync_get_failure(f->trio.wire.s)->message, "not a batch"));
}

static void add_garbage(fixture *f) {
    gt_message_data_head(&f->packet, CHANNEL, 0, 1);
    gt_write_bytes(&f->packet, gt_bytes_of("x", 1));
}

/* What is not read is not verified either, which is what costs. */
static void data_beyond_the_credit_is_not_read(void **state) {
    fixture *f = *state;
    f->trio.wire.s->granted = 1;
    gt_message_data_head(&f->packet, CHANNEL, 0, 0); /* overdraws it */
    add_garbage(f);
    give(f, GOAT_INVALID);
    assert_non_null(strstr(gt_sync_get_failure(f->trio.wire.s)->message, "beyond the credit"));
}

static void before_the_greeting_nothing_large_and_no_data_is_read(void **state) {
    fixture *f = *state;
    for (int large = 0; large <= 1; large++) {
        test_wire_cut(&f->trio.wire);
        test_wire_join(&f->trio.wire, &f->trio.client, &f->trio.server);
        add_garbage(f);
        while (large != 0 && f->packet.len <= GT_SYNC_PACKET_MAX_BEFORE_PROOF) gt_buf_append_byte(&f->packet, 0);
        assert_true(give(f, large != 0 ? GOAT_TOO_LARGE : GOAT_INVALID) < 16 * 1024);
    }
}

/* ---- filters ---- */

static void add_compare(fixture *f, uint32_t channel, const uint8_t *bits, size_t size) {
    static const uint8_t digest[GT_HASH_SIZE] = {1};
    gt_message message = {.kind = GT_MESSAGE_COMPARE, .channel = channel};
    message.as.compare.run = 1;
    message.as.compare.count = 5;
    message.as.compare.digest = digest;
    message.as.compare.filter = (gt_bloom_part){digest, 8 * (uint64_t)size, 7, gt_bytes_of(bits, size)};
    add(f, &message);
}

/* Of repositories that are all the same one, which a client does not know. */
static void open_channels(fixture *f, uint32_t first, uint32_t count) {
    f->trio.server.alias = true;
    for (uint32_t i = 0; i < count; i++) {
        char path[32];
        int len = snprintf(path, sizeof path, "/alias/%u", first + i);
        gt_message open = {.kind = GT_MESSAGE_OPEN, .channel = first + i};
        open.as.open.path = gt_bytes_of(path, (size_t)len);
        open.as.open.count = 1;
        add(f, &open);
    }
}

/* The largest filter on many channels at once, by one who gives no credit. */
static void kept_filters_are_bounded(void **state) {
    enum { CHANNELS = 12, FIRST = 10 };
    fixture *f = *state;
    uint8_t *bits = test_calloc(GT_SYNC_FILTER_MAX, 1);
    test_alloc *memory = &f->trio.server.site.memory;
    test_peer_edit(&f->trio.server, "k", "{text: 'x'}"); /* something to compare with */
    test_wire_settle(&f->trio.wire);
    open_channels(f, FIRST, CHANNELS);
    give(f, GOAT_OK);
    gt_buf answers;
    gt_buf_init(&answers, &gt_alloc_system);
    while (gt_sync_is_ready(f->trio.wire.s, f->trio.wire.now_us)) {
        gt_buf_clear(&answers);
        gt_sync_send(f->trio.wire.s, f->trio.wire.now_us, &answers);
    }
    size_t before = memory->live_bytes;
    for (uint32_t i = 0; i < CHANNELS; i++) {
        add_compare(f, FIRST + i, bits, GT_SYNC_FILTER_MAX);
        give(f, GOAT_OK);
        assert_true(memory->live_bytes < before + GT_SYNC_FILTERS_MAX + 12 * MIB);
    }
    uint32_t closed = 0, open = 0;
    for (uint32_t i = 0; i < CHANNELS; i++) {
        bool found = gt_sync_find_channel(f->trio.wire.s, FIRST + i) != NULL;
        open += found;
        closed += !found;
    }
    assert_true(open >= 1 && closed >= 1);
    while (
        gt_sync_is_ready(f->trio.wire.s, f->trio.wire.now_us)) { /* once they are answered, nothing of them is left */
        gt_buf_clear(&answers);
        gt_sync_send(f->trio.wire.s, f->trio.wire.now_us, &answers);
    }
    assert_true(memory->live_bytes < before + MIB);
    assert_int_equal(f->trio.wire.s->filter_bytes, 0);
    gt_buf_free(&answers);
    test_free(bits);
}

/* Many peers, each within what one may have: here all but a little is taken by others. */
static void filters_of_all_peers_are_bounded_together(void **state) {
    enum { SIZE = 64 * 1024, FIRST = 10 };
    fixture *f = *state;
    uint8_t *bits = test_calloc(SIZE, 1);
    static size_t taken; /* the connection outlives this function */
    taken = GT_SYNC_FILTERS_ALL_MAX - SIZE;
    f->trio.wire.s->host.filter_bytes = &taken;
    test_peer_edit(&f->trio.server, "k", "{text: 'x'}");
    test_wire_settle(&f->trio.wire);
    open_channels(f, FIRST, 2);
    give(f, GOAT_OK);
    test_wire_settle(&f->trio.wire);
    add_compare(f, FIRST, bits, SIZE);
    give(f, GOAT_OK);
    assert_int_equal(taken, GT_SYNC_FILTERS_ALL_MAX);
    add_compare(f, FIRST + 1, bits, 8);
    give(f, GOAT_OK);
    assert_non_null(gt_sync_find_channel(f->trio.wire.s, FIRST));
    assert_null(gt_sync_find_channel(f->trio.wire.s, FIRST + 1));
    assert_int_equal(f->trio.server.last_status, GOAT_BUSY);
    test_wire_settle(&f->trio.wire); /* the one that is kept is answered, and given back */
    assert_int_equal(taken, GT_SYNC_FILTERS_ALL_MAX - SIZE);
    test_free(bits);
}

/* A filter that is being made for an answer counts as well. */
static void filters_that_are_made_count_too(void **state) {
    enum { SIZE = 8, FIRST = 10 };
    fixture *f = *state;
    uint8_t bits[SIZE] = {0};
    static size_t taken;
    taken = GT_SYNC_FILTERS_ALL_MAX - SIZE;
    test_peer_edit(&f->trio.server, "k", "{text: 'x'}");
    test_peer_edit(&f->trio.server, "l", "{text: 'x'}");
    test_peer_edit(&f->trio.server, "m", "{text: 'x'}");
    test_wire_settle(&f->trio.wire);
    f->trio.wire.s->host.filter_bytes = &taken;
    open_channels(f, FIRST, 1);
    give(f, GOAT_OK);
    test_wire_settle(&f->trio.wire);
    taken = GT_SYNC_FILTERS_ALL_MAX - SIZE;
    add_compare(f, FIRST, bits, SIZE);
    give(f, GOAT_OK);
    taken += SIZE; /* somebody else's meanwhile; the answer's filter finds no room */
    test_wire_settle(&f->trio.wire);
    assert_null(gt_sync_find_channel(f->trio.wire.s, FIRST));
    assert_int_equal(f->trio.server.last_status, GOAT_BUSY);
    assert_int_equal(taken, GT_SYNC_FILTERS_ALL_MAX);
    assert_int_equal(f->trio.wire.s->own_filter_bytes, 0);
}

/* ---- channels ---- */

static void a_repository_is_open_on_one_channel(void **state) {
    fixture *f = *state;
    gt_message open = {.kind = GT_MESSAGE_OPEN, .channel = 9};
    open.as.open.path = gt_bytes_text(TEST_REPO_PATH);
    add(f, &open);
    give(f, GOAT_INVALID);
    assert_non_null(strstr(gt_sync_get_failure(f->trio.wire.s)->message, "open already on channel 2"));
}

static void a_channel_that_was_closed_may_be_opened_again_at_once(void **state) {
    fixture *f = *state;
    gt_message close = {.kind = GT_MESSAGE_CLOSE, .channel = CHANNEL}, open = {.kind = GT_MESSAGE_OPEN, .channel = 9};
    close.as.close.text = gt_bytes_text("");
    open.as.open.path = gt_bytes_text(TEST_REPO_PATH);
    add(f, &close);
    add(f, &open);
    give(f, GOAT_OK);
    test_wire_settle(&f->trio.wire);
    assert_non_null(gt_sync_find_channel(f->trio.wire.s, 9));
    assert_null(gt_sync_find_channel(f->trio.wire.s, CHANNEL));
}

/* ---- what a peer waits for ---- */

static void add_want(fixture *f, uint32_t channel) {
    uint8_t id[GT_ID_SIZE] = {1};
    gt_message_want_head(&f->packet, channel, GT_SYNC_WANT_MAX);
    for (int i = 0; i < GT_SYNC_WANT_MAX; i++) {
        id[1] = (uint8_t)i;
        gt_write_bytes(&f->packet, gt_bytes_of(id, sizeof id));
    }
}

/* By one who gives no credit, so that nothing of it is looked at. */
static void wanted_ids_are_bounded_on_all_channels_together(void **state) {
    enum { CHANNELS = 40, FIRST = 10, EACH = 4 };
    fixture *f = *state;
    open_channels(f, FIRST, CHANNELS);
    give(f, GOAT_OK);
    test_wire_settle(&f->trio.wire);
    f->trio.wire.s->credit = 0;
    for (uint32_t i = 0; i < CHANNELS * EACH; i++) add_want(f, FIRST + i / EACH);
    assert_true(CHANNELS * EACH * GT_SYNC_WANT_MAX > 2 * GT_SYNC_WANTED_MAX);
    give(f, GOAT_OK);
    assert_true(f->trio.wire.s->wanted >= GT_SYNC_WANTED_MAX);
    assert_true(f->trio.wire.s->wanted < GT_SYNC_WANTED_MAX + GT_SYNC_WANT_MAX);
    f->trio.wire.s->credit = GT_SYNC_WINDOW_MIN; /* then it is answered: with nothing, as nothing of it is here */
    gt_sync_due(f->trio.wire.s);
    test_wire_settle(&f->trio.wire);
    assert_int_equal(f->trio.wire.s->wanted, 0);
}

/* ---- refusals ---- */

/* To leave a batch out of a run, each of its leaves is hashed; saying it again must not do that again. */
static void the_same_refusal_counts_once(void **state) {
    fixture *f = *state;
    gt_id id;
    test_peer_edit(&f->trio.server, "k", "{text: 'x'}");
    test_peer_flush(&f->trio.server);
    test_wire_settle(&f->trio.wire);
    uint32_t leaf;
    gt_repo_entry(f->trio.server.site.repo, 0, &id, &leaf);
    gt_message refuse = {.kind = GT_MESSAGE_REFUSE, .channel = CHANNEL};
    refuse.as.refuse.batch = &id;
    refuse.as.refuse.status = GOAT_INVALID;
    refuse.as.refuse.text = gt_bytes_text("");
    for (int i = 0; i < 100; i++) add(f, &refuse);
    give(f, GOAT_OK);
    assert_int_equal(f->trio.server.refused, 1);
    const gt_channel *channel = gt_sync_find_channel(f->trio.wire.s, CHANNEL);
    assert_non_null(channel);
    assert_int_equal(channel->refused.count, 1);
}

static void add_refuse(fixture *f, const gt_id *id) {
    gt_message refuse = {.kind = GT_MESSAGE_REFUSE, .channel = CHANNEL};
    refuse.as.refuse.batch = id;
    refuse.as.refuse.status = GOAT_INVALID;
    refuse.as.refuse.text = gt_bytes_text("");
    add(f, &refuse);
}

static void a_refusal_of_what_is_not_held_says_nothing(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 100; i++) add_refuse(f, &(gt_id){{(uint8_t)i, 1}});
    give(f, GOAT_OK);
    assert_int_equal(f->trio.server.refused, 0);
    assert_int_equal(gt_sync_find_channel(f->trio.wire.s, CHANNEL)->refused.count, 0);
}

static void what_is_refused_is_left_out_in_pieces(void **state) {
    enum { MANY = 600 };
    fixture *f = *state;
    const uint8_t bits[8] = {0};
    for (int i = 0; i < MANY; i++) test_peer_edit(&f->trio.server, "k", "{text: 'x'}");
    test_wire_settle(&f->trio.wire);
    gt_channel *channel = gt_sync_find_channel(f->trio.wire.s, CHANNEL);
    for (uint32_t i = 0; i < MANY; i++) {
        gt_id id;
        uint32_t leaf;
        gt_repo_entry(f->trio.server.site.repo, i, &id, &leaf);
        add_refuse(f, &id);
    }
    add_compare(f, CHANNEL, bits, sizeof bits);
    give(f, GOAT_OK);
    assert_int_equal(channel->refused.count, MANY);
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    for (size_t before = 0; before < MANY; before = channel->run->left_out) {
        gt_sync_send(f->trio.wire.s, f->trio.wire.now_us, &packet);
        assert_non_null(channel->run);
        assert_true(channel->run->left_out - before <= GT_FINGERPRINT_SLICE);
    }
    assert_int_equal(channel->run->frozen.count, 0);
    gt_buf_free(&packet);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_packet_has_a_limited_number_of_messages),
        TEST(messages_of_a_later_version_count_too),
        TEST(what_cannot_be_decoded_ends_the_packet),
        TEST(data_beyond_the_credit_is_not_read),
        TEST(before_the_greeting_nothing_large_and_no_data_is_read),
        TEST(kept_filters_are_bounded),
        TEST(filters_of_all_peers_are_bounded_together),
        TEST(filters_that_are_made_count_too),
        TEST(a_repository_is_open_on_one_channel),
        TEST(a_channel_that_was_closed_may_be_opened_again_at_once),
        TEST(wanted_ids_are_bounded_on_all_channels_together),
        TEST(the_same_refusal_counts_once),
        TEST(a_refusal_of_what_is_not_held_says_nothing),
        TEST(what_is_refused_is_left_out_in_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
