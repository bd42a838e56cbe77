/* Incoming packets in every state of a connection. The first byte says which end it is and how far it has come, by an
 * honest exchange with a real peer; then follow packets, each behind its length (two bytes, little-endian). Whatever
 * comes: memory stays bounded, nothing of a stranger's is admitted, and the repository is as sound as before. */
#include "base/assert.h"
#include "support/test_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STATES = 12, SENDS_MAX = 64, PACKETS_MAX = 32, MEMORY_MAX = 16 * 1024 * 1024 };

typedef struct world {
    test_network network;
    test_peer client, server;
    test_wire wire;
} world;

static void set_up(world *w) {
    memset(w, 0, sizeof *w);
    test_peers_network(&w->network);
    test_peer_init(&w->client, &w->network, 1, 1, 0);
    test_peer_init(&w->server, &w->network, 0, 2, 0);
    test_peer_edit(&w->client, "one", "{text: 'a'}");
    test_peer_edit(&w->server, "two", "{text: 'b'}");
    test_peer_flush(&w->client);
    test_peer_flush(&w->server);
}

/* Up to `state` packets have gone each way: from nothing said, over the handshake and each step of a comparison, to even. The
 * last one is over. */
static void come_so_far(world *w, uint32_t state) {
    test_wire_join(&w->wire, &w->client, &w->server);
    for (uint32_t i = 0; i < state && i < STATES - 2; i++) test_wire_step(&w->wire);
    if (state < STATES - 2) return;
    test_wire_settle(&w->wire);
    if (state == STATES - 1) {
        gt_sync_end(w->wire.c);
        test_wire_settle(&w->wire);
    }
}

static void answer(world *w, gt_sync *target) {
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    for (int i = 0; i < SENDS_MAX && gt_sync_is_ready(target, w->wire.now_us); i++) {
        gt_buf_clear(&packet);
        (void)gt_sync_send(target, w->wire.now_us, &packet);
        GOAT_ASSERT(!gt_buf_failed(&packet));
    }
    gt_buf_free(&packet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    static world w;
    set_up(&w);
    come_so_far(&w, (data[0] >> 1) % STATES);
    bool to_server = (data[0] & 1) != 0;
    gt_sync *target = to_server ? w.wire.s : w.wire.c;
    test_peer *peer = to_server ? &w.server : &w.client;
    uint64_t entries = gt_repo_entry_count(peer->site.repo);
    size_t at = 1;
    for (int packets = 0; at + 2 <= size && packets < PACKETS_MAX; packets++) {
        size_t len = gt_get_u16(data + at);
        at += 2;
        if (len > size - at) len = size - at;
        (void)test_wire_give(&w.wire, target, gt_bytes_of(data + at, len));
        at += len;
        test_site_settle(&peer->site);
        answer(&w, target);
        GOAT_ASSERT(peer->site.memory.live_bytes < MEMORY_MAX);
    }
    /* There are two batches in the whole world, and none can be made here. */
    GOAT_ASSERT(gt_repo_entry_count(peer->site.repo) >= entries && gt_repo_entry_count(peer->site.repo) <= 2);
    test_wire_cut(&w.wire);
    GOAT_ASSERT(peer->opened == 0);
    test_peer_free(&w.client);
    test_peer_free(&w.server);
    test_network_free(&w.network);
    return 0;
}
