/* Incoming packets in every state of a connection. The first byte says which end it is and how far it has come, by an
 * honest exchange with a real peer; then follow steps, each of which begins with two bytes, little-endian:
 *
 *     below 0xf000    a packet of that length, which follows
 *     0xf0nn          what the real peer would say now, with n changes, each three bytes: place (2), what is added there
 *     0xf1nn          the same, of which only the first part arrives (n in 256)
 *     0xf2nn          what the real peer said last, again, with n changes
 *     0xf3nn          2^(n mod 32) microseconds pass
 *     0xf4            everything is on the disk
 *     0xf5nn          somebody edits item n mod 4 here
 *     0xf6            from now on (or no longer) nothing is read that is said here
 *
 * Whatever comes: memory stays bounded, nothing of a stranger's is admitted, and the repository is as sound as before. */
#include "base/assert.h"
#include "support/test_peer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    STATES = 12,
    SENDS_MAX = 64,
    STEPS_MAX = 48,
    EDITS_MAX = 4,
    SPECIAL = 0xf000,
    MEMORY_MAX = 16 * 1024 * 1024,
    PEAK_MAX = 32 * 1024 * 1024,
};

typedef struct world {
    test_network network;
    test_peer client, server;
    test_wire wire;
    gt_sync *target, *other; /* who is tried, and the real peer */
    test_peer *peer, *other_peer;
    gt_buf last; /* what the real peer said last */
    uint32_t edits;
    bool unread;
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
    gt_buf_init(&w->last, &gt_alloc_system);
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

static void give(world *w, gt_bytes packet) {
    (void)test_wire_give(&w->wire, w->target, packet);
    test_site_settle(&w->peer->site);
    gt_shared_changed(&w->peer->shared);
}

/* Its answers reach the real peer, who goes on by them. */
static void answer(world *w) {
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    for (int i = 0; !w->unread && i < SENDS_MAX && gt_sync_is_ready(w->target, w->wire.now_us); i++) {
        gt_buf_clear(&packet);
        bool said = gt_sync_send(w->target, w->wire.now_us, &packet);
        GOAT_ASSERT(!gt_buf_failed(&packet));
        if (!said) continue;
        (void)test_wire_give(&w->wire, w->other, gt_buf_bytes(&packet));
        test_site_settle(&w->other_peer->site);
        gt_shared_changed(&w->other_peer->shared);
    }
    gt_buf_free(&packet);
}

static void hear_peer(world *w) {
    for (int i = 0; i < SENDS_MAX && gt_sync_is_ready(w->other, w->wire.now_us); i++) {
        gt_buf packet;
        gt_buf_init(&packet, &gt_alloc_system);
        bool said = gt_sync_send(w->other, w->wire.now_us, &packet);
        if (said) {
            gt_buf_free(&w->last);
            w->last = packet;
            return;
        }
        gt_buf_free(&packet);
    }
}

/* Says what the real peer said last; `changes` of three bytes each lie at `*data`. */
static void say_last(world *w, uint32_t changes, uint32_t part, const uint8_t **data, const uint8_t *end) {
    gt_buf copy;
    gt_buf_init(&copy, &gt_alloc_system);
    gt_buf_append(&copy, w->last.data, w->last.len);
    for (; changes > 0 && end - *data >= 3 && copy.len > 0; changes--, *data += 3) {
        copy.data[gt_get_u16(*data) % copy.len] += (*data)[2];
    }
    size_t len = part == 0 ? copy.len : copy.len * part / 256;
    uint8_t *exact = gt_new(&gt_alloc_system, len + 1, 1); /* in memory of its size, for the address sanitizer */
    GOAT_ASSERT(exact != NULL);
    if (len > 0) memcpy(exact + 1, copy.data, len);
    give(w, gt_bytes_of(exact + 1, len));
    gt_free(&gt_alloc_system, exact);
    gt_buf_free(&copy);
}

static void edit(world *w, uint32_t which) {
    static const char *const keys[] = {"one", "two", "three", "four"};
    if (w->edits == EDITS_MAX) return;
    test_peer_edit(w->peer, keys[which % 4], "{text: 'here'}");
    w->edits++;
}

static void step(world *w, uint32_t what, const uint8_t **data, const uint8_t *end) {
    uint32_t n = what & 0xff;
    switch (what >> 8 & 0xf) {
    case 0:
    case 1:
        hear_peer(w);
        say_last(w, (what & 0x100) != 0 ? 0 : n % 16, (what & 0x100) != 0 ? n : 0, data, end);
        break;
    case 2: say_last(w, n % 16, 0, data, end); break;
    case 3: w->wire.now_us += UINT64_C(1) << n % 32; break;
    case 4: test_peer_flush(w->peer); break;
    case 5: edit(w, n); break;
    case 6: w->unread = !w->unread; break;
    default: break;
    }
}

static void run(world *w, const uint8_t *data, const uint8_t *end) {
    uint64_t entries = gt_repo_entry_count(w->peer->site.repo);
    for (int steps = 0; end - data >= 2 && steps < STEPS_MAX; steps++) {
        size_t what = gt_get_u16(data);
        data += 2;
        if (what >= SPECIAL) {
            step(w, (uint32_t)what, &data, end);
        } else {
            size_t len = what < (size_t)(end - data) ? what : (size_t)(end - data);
            give(w, gt_bytes_of(data, len));
            data += len;
        }
        answer(w);
        GOAT_ASSERT(w->peer->site.memory.live_bytes < MEMORY_MAX);
        GOAT_ASSERT(w->peer->site.memory.most_bytes < PEAK_MAX);
    }
    /* There are two batches in the whole world and those that were made here; nobody can make another. */
    uint64_t now = gt_repo_entry_count(w->peer->site.repo);
    GOAT_ASSERT(now >= entries + w->edits && now <= 2 + w->edits);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 1) return 0;
    static world w;
    set_up(&w);
    come_so_far(&w, (data[0] >> 1) % STATES);
    bool to_server = (data[0] & 1) != 0;
    w.target = to_server ? w.wire.s : w.wire.c;
    w.other = to_server ? w.wire.c : w.wire.s;
    w.peer = to_server ? &w.server : &w.client;
    w.other_peer = to_server ? &w.client : &w.server;
    run(&w, data + 1, data + size);
    test_wire_cut(&w.wire);
    GOAT_ASSERT(w.peer->opened == 0);
    test_site_sync(&w.peer->site);
    GOAT_ASSERT(test_site_audit(&w.peer->site, NULL) == 0);
    gt_buf_free(&w.last);
    test_peer_free(&w.client);
    test_peer_free(&w.server);
    test_network_free(&w.network);
    return 0;
}
