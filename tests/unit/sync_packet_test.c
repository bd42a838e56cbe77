/* How long packets get: what is large goes alone, for the longest batch and anything besides are more than a packet holds. */
#include "sync/internal.h"

#include "support/test.h"
#include "support/test_trio.h"
#include "value/build.h"

#include <stdio.h>

enum { SMALL_PACKET = 512, LARGE = GT_SYNC_PACKET_LARGE_TIMES * SMALL_PACKET, MIB = 1024 * 1024, LEAVES = 16 };

typedef struct fixture {
    test_trio trio;
    size_t longest; /* packet */
    uint32_t large; /* packets */
} fixture;

static int setup(void **state) {
    fixture *f = test_malloc(sizeof *f);
    memset(f, 0, sizeof *f);
    test_trio_init(&f->trio);
    *state = f;
    return 0;
}

static int teardown(void **state) {
    fixture *f = *state;
    test_trio_free(&f->trio);
    test_free(f);
    return 0;
}

static void seen(void *context, bool to_server, gt_bytes packet) {
    fixture *f = context;
    (void)to_server;
    if (packet.len > f->longest) f->longest = packet.len;
    f->large += packet.len > LARGE;
}

static void join(fixture *f) {
    test_wire_cut(&f->trio.wire);
    test_wire_join(&f->trio.wire, &f->trio.client, &f->trio.server);
    f->trio.wire.seen = seen;
    f->trio.wire.context = f;
    f->longest = f->large = 0;
}

/* Adds a leaf whose text has `size` bytes. */
static void add_leaf(test_writer *writer, const char *key, size_t size) {
    static const char head[] = "{text: '", tail[] = "'}";
    char *delta = test_malloc(size + sizeof head + sizeof tail);
    memcpy(delta, head, sizeof head - 1);
    memset(delta + sizeof head - 1, 'x', size);
    memcpy(delta + sizeof head - 1 + size, tail, sizeof tail);
    test_writer_leaf(writer, key, 5000, NULL, 0, delta, NULL);
    test_free(delta);
}

static gt_bytes write_batch(test_writer *writer, fixture *f, uint32_t author, size_t leaf, size_t last) {
    test_writer_init(writer, &f->trio.network, author, test_goat_1);
    for (int i = 0; i < LEAVES; i++) {
        char key[16];
        snprintf(key, sizeof key, "large-%d", i);
        add_leaf(writer, key, i == LEAVES - 1 ? last : leaf);
    }
    return test_writer_finish(writer);
}

static void admit(test_peer *peer, gt_bytes frame) {
    gt_admission outcome;
    assert_int_equal(test_site_admit(&peer->site, frame, &outcome, NULL), GOAT_OK);
    assert_int_equal(outcome, GT_ADMITTED);
    test_peer_flush(peer);
}

/* ---- at the limit ---- */

/* Small edits stand before it in the log and would go into the same packet. */
static void a_batch_of_the_greatest_length_can_be_cloned(void **state) {
    fixture *f = *state;
    test_writer writer;
    size_t leaf = 4 * MIB - 1024;
    gt_bytes frame = write_batch(&writer, f, 2, leaf, leaf);
    size_t room = GT_FRAME_MAX - 4096 - frame.len; /* but for what a writer keeps for its frame's heads */
    test_writer_free(&writer);
    frame = write_batch(&writer, f, 2, leaf, leaf + room);
    assert_in_range(frame.len, GT_FRAME_MAX - 8192, GT_FRAME_MAX);
    test_peer_edit_many(&f->trio.server, "before", 40);
    admit(&f->trio.server, frame);
    test_peer_edit_many(&f->trio.server, "behind", 40);
    join(f);
    test_wire_settle(&f->trio.wire);
    assert_false(gt_sync_has_ended(f->trio.wire.c));
    assert_in_range(f->longest, frame.len, frame.len + 64);
    assert_int_equal(gt_repo_entry_count(f->trio.client.site.repo), 80 + LEAVES);
    test_writer_free(&writer);
}

/* ---- and everywhere that batches are sent ---- */

static void use_small_packets(fixture *f) {
    f->trio.server.host.sizes = f->trio.client.host.sizes =
        (gt_sync_sizes){.packet = SMALL_PACKET, .data = SMALL_PACKET};
}

static void a_large_batch_goes_alone_in_a_comparison(void **state) {
    fixture *f = *state;
    test_writer ours, theirs;
    gt_bytes frame = write_batch(&theirs, f, 2, LARGE / LEAVES, LARGE / LEAVES);
    use_small_packets(f);
    test_peer_edit_many(&f->trio.server, "before", 20);
    admit(&f->trio.server, frame);
    test_peer_edit_many(&f->trio.server, "behind", 20);
    test_peer_edit_many(&f->trio.client, "mine", 20);
    admit(&f->trio.client, write_batch(&ours, f, 3, LARGE / LEAVES, LARGE / LEAVES));
    test_peer_edit_many(&f->trio.client, "later", 20);
    join(f);
    test_wire_settle(&f->trio.wire);
    assert_int_equal(gt_sync_get_counters(f->trio.wire.c)->runs, 1);
    test_peers_are_equal(&f->trio.client, &f->trio.server);
    assert_int_equal(f->large, 2);
    assert_true(f->longest < frame.len + 128); /* with the COMPARE behind it */
    test_writer_free(&ours);
    test_writer_free(&theirs);
}

static void give_want(fixture *f, const gt_id *id) {
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    gt_message_want_head(&packet, f->trio.wire.c->channels->number, 1);
    gt_write_bytes(&packet, gt_bytes_of(id->bytes, GT_ID_SIZE));
    assert_int_equal(test_wire_give(&f->trio.wire, f->trio.wire.c, gt_buf_bytes(&packet)), GOAT_OK);
    gt_buf_free(&packet);
}

/* The client has the two halves of a batch in two records, each of them large. */
static void parts_of_a_wanted_batch_go_one_by_one(void **state) {
    fixture *f = *state;
    test_writer writer;
    gt_buf first, second;
    use_small_packets(f);
    gt_bytes frame = write_batch(&writer, f, 2, 2 * LARGE / LEAVES, 2 * LARGE / LEAVES);
    test_writer_elide(&writer, frame, "1111111100000000", GT_NODE_HAD, &first);
    test_writer_elide(&writer, frame, "0000000011111111", GT_NODE_HAD, &second);
    admit(&f->trio.client, gt_buf_bytes(&first));
    admit(&f->trio.client, gt_buf_bytes(&second));
    join(f);
    test_wire_settle(&f->trio.wire);
    f->longest = f->large = 0;
    uint64_t before = gt_sync_get_counters(f->trio.wire.c)->batches_out;
    give_want(f, &writer.batches[1]);
    test_wire_settle(&f->trio.wire);
    assert_int_equal(gt_sync_get_counters(f->trio.wire.c)->batches_out, before + 2);
    assert_int_equal(f->large, 2);
    assert_true(f->longest < first.len + 128);
    gt_buf_free(&first);
    gt_buf_free(&second);
    test_writer_free(&writer);
}

/* ---- what the peer does not take ---- */

/* The client does not know the schema and takes it for good; what its author wrote then waits for it at the server. */
static void a_refused_batch_is_called_lost(void **state) {
    fixture *f = *state;
    test_writer writer;
    test_site_learn(&f->trio.server.site, test_sheep_1);
    test_writer_init(&writer, &f->trio.network, 2, test_sheep_1);
    admit(&f->trio.client, test_writer_commit(&writer, "a", 5000, NULL, "{wool: 5}", NULL));
    admit(&f->trio.client, test_writer_commit(&writer, "b", 5001, NULL, "{wool: 'white'}", NULL));
    join(f);
    test_wire_settle(&f->trio.wire);
    assert_int_equal(f->trio.client.refused, 1);
    assert_int_equal(gt_repo_entry_count(f->trio.server.site.repo), 1);
    for (int i = 0; i < 30; i++) test_wire_settle(&f->trio.wire); /* it stays missed, and is asked for */
    assert_int_equal(gt_sync_get_counters(f->trio.wire.s)->batches_refused, 1);
    test_writer_free(&writer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_batch_of_the_greatest_length_can_be_cloned),
        TEST(a_large_batch_goes_alone_in_a_comparison),
        TEST(parts_of_a_wanted_batch_go_one_by_one),
        TEST(a_refused_batch_is_called_lost),
#undef TEST
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
