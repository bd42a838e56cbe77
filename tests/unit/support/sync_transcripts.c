/* Whole exchanges, packet by packet. C is author 1 of the test network, S is author 0, who is the root. */
#include "support/sync_vectors.h"

#include "support/commit_vectors.h"
#include "support/test.h"
#include "support/test_peer.h"
#include "value/build.h"

typedef struct exchange {
    test_network network;
    test_peer client, server;
    test_wire wire;
    json_t *packets;
} exchange;

static void note(void *context, bool to_server, gt_bytes packet) {
    exchange *x = context;
    json_t *line = json_object();
    set_text(line, "from", to_server ? "C" : "S");
    set_hex(line, "bytes", packet);
    assert_int_equal(json_array_append_new(x->packets, line), 0);
}

static void begin(exchange *x) {
    memset(x, 0, sizeof *x);
    test_peers_network(&x->network);
    test_peer_init(&x->client, &x->network, 1, 101, 0);
    test_peer_init(&x->server, &x->network, 0, 202, 0);
}

/* From here on it is written down. */
static void record(exchange *x, json_t *cases, const char *name) {
    json_t *object = new_case(cases, name);
    x->packets = json_array();
    assert_int_equal(json_object_set_new(object, "packets", x->packets), 0);
    x->wire.seen = note;
    x->wire.context = x;
}

static void connect_recorded(exchange *x, json_t *cases, const char *name) {
    if (x->wire.hasher != NULL) test_wire_cut(&x->wire);
    test_wire_join(&x->wire, &x->client, &x->server);
    record(x, cases, name);
    test_wire_settle(&x->wire);
}

static void end(exchange *x) {
    test_wire_cut(&x->wire);
    test_peer_free(&x->client);
    test_peer_free(&x->server);
    test_network_free(&x->network);
}

static void three_items(exchange *x) {
    test_peer_edit(&x->server, "ann", "{text: 'a', size: 1}");
    test_peer_edit(&x->server, "ben", "{text: 'b', tags: set['x', 'y']}");
    test_peer_edit(&x->server, "cid", "{votes: 3}");
    gt_repo_receipts_begin(x->server.site.repo);
    test_peer_flush(&x->server);
}

static void cloning_and_after(json_t *cases) {
    exchange x;
    begin(&x);
    three_items(&x);
    connect_recorded(&x, cases, "a clone of three items");
    connect_recorded(&x, cases, "resumed with nothing new, then an edit each way");
    test_peer_edit(&x.client, "ann", "{text: 'edited'}");
    test_wire_settle(&x.wire);
    test_peer_edit(&x.server, "ben", "{text: 'edited there'}");
    test_peer_flush(&x.server);
    test_wire_settle(&x.wire);
    test_wire_cut(&x.wire);
    test_peer_edit(&x.client, "ann", "{text: 'apart'}");
    test_peer_edit(&x.server, "cid", "{votes: 1}");
    test_peer_flush(&x.server);
    test_wire_join(&x.wire, &x.client, &x.server);
    record(&x, cases, "resumed after both sides wrote");
    test_wire_settle(&x.wire);
    test_wire_cut(&x.wire);
    x.client.has_kept = false;
    test_peer_edit(&x.client, "dan", "{text: 'apart'}");
    test_peer_edit(&x.server, "eve", "{text: 'apart too'}");
    gt_signer root = {x.network.authors[0].session, &x.network.authors[0].secret};
    assert_int_equal(gt_repo_write_receipt(x.server.site.repo, &root, NULL), GOAT_OK);
    test_peer_flush(&x.client);
    test_peer_flush(&x.server);
    test_wire_join(&x.wire, &x.client, &x.server);
    record(&x, cases, "a comparison of sets that differ on both sides, with a receipt");
    test_wire_settle(&x.wire);
    test_peers_are_equal(&x.client, &x.server);
    x.client.has_kept = false;
    connect_recorded(&x, cases, "a comparison of equal sets");
    end(&x);
}

static void refusing(json_t *cases) {
    exchange x;
    test_writer writer;
    gt_id id;
    gt_buf packet;
    begin(&x);
    connect_recorded(&x, cases, "a batch that is refused");
    test_writer_init(&writer, &x.network, 1, test_goat_1);
    gt_buf_init(&packet, &gt_alloc_system);
    gt_message_data_head(&packet, 2, GT_DATA_ACK, 1);
    gt_write_bytes(&packet, test_writer_commit(&writer, "k", 5000, NULL, "{size: 'no number'}", &id));
    note(&x, true, gt_buf_bytes(&packet));
    assert_int_equal(test_wire_give(&x.wire, x.wire.s, gt_buf_bytes(&packet)), GOAT_OK);
    test_wire_settle(&x.wire);
    assert_int_equal(gt_sync_get_counters(x.wire.s)->batches_refused, 1);
    gt_buf_free(&packet);
    test_writer_free(&writer);
    end(&x);
}

static void of_another_network(json_t *cases) {
    exchange x;
    begin(&x);
    x.client.host.network = &x.network.authors[3].session;
    connect_recorded(&x, cases, "a client of another network");
    end(&x);
    begin(&x);
    x.client.host.network = NULL;
    connect_recorded(&x, cases, "a client on first use");
    end(&x);
}

json_t *make_transcripts(void) {
    json_t *file = json_object(), *cases = json_array(), *keys = json_array();
    test_network network;
    test_peers_network(&network);
    set_text(file, "about", "Exchanges of a client and a server, packet by packet, core/sync/PROTOCOL.md");
    set_id(file, "network", &network.place.network);
    for (uint32_t i = 0; i < TEST_AUTHORS; i++) {
        json_t *key = json_object();
        set_hex(key, "public_key", gt_bytes_of(network.authors[i].public_key, GT_PUBLIC_KEY_SIZE));
        assert_int_equal(json_array_append_new(keys, key), 0);
    }
    assert_int_equal(json_object_set_new(file, "keys", keys), 0);
    assert_int_equal(json_object_set_new(file, "cases", cases), 0);
    test_network_free(&network);
    cloning_and_after(cases);
    refusing(cases);
    of_another_network(cases);
    return file;
}
