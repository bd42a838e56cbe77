/* Time stands still on a wire but for test_wire_settle, which lets due timers come. */
#include "support/test_peer.h"

#include "support/test.h"
#include "value/build.h"
#include "value/value.h"

#include <stdio.h>

enum { STEPS_MAX = 100000, SECOND_US = 1000000 };

void test_peers_network(test_network *network) {
    test_network_init(network);
    network->place.network = network->authors[0].session;
}

/* ---- the host ---- */

static goat_status host_open(void *context, gt_bytes path, bool create, gt_shared **shared, gt_diag *diag) {
    test_peer *peer = context;
    if (peer->open_fails != GOAT_OK) return gt_fail(diag, peer->open_fails, "it cannot be opened");
    bool is_named = peer->alias || gt_bytes_equal(path, gt_bytes_text(TEST_REPO_PATH));
    if (!is_named || (peer->absent && (!create || peer->makes_none))) {
        return gt_fail(diag, GOAT_NOT_FOUND, "there is no such repository");
    }
    peer->opened++;
    *shared = &peer->shared;
    return GOAT_OK;
}

static void host_close(void *context, gt_shared *shared) {
    test_peer *peer = context;
    assert_ptr_equal(shared, &peer->shared);
    assert_true(peer->opened-- > 0);
}

static gt_log *host_sessions(void *context) { return ((test_peer *)context)->sessions; }

static goat_status host_list(void *context, gt_buf *paths, gt_diag *diag) {
    const test_peer *peer = context;
    if (peer->list_fails != GOAT_OK) return gt_fail(diag, peer->list_fails, "there is no list");
    gt_buf_append(paths, TEST_REPO_PATH, sizeof TEST_REPO_PATH);
    return GOAT_OK;
}

void test_certificate_write(const gt_identity *of, const char *role, int64_t end_ms, gt_buf *state) {
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

void test_peer_learn(test_peer *peer, const gt_identity *of, const char *role, int64_t end_ms) {
    char key[2 * GT_ID_SIZE + 1];
    gt_buf state;
    gt_buf_init(&state, &gt_alloc_system);
    gt_certificate_key(&of->session, key);
    test_certificate_write(of, role, end_ms, &state);
    gt_bytes bytes = gt_buf_bytes(&state);
    assert_int_equal(gt_keyring_learn(peer->keyring, peer->site.hasher, gt_bytes_text(key), bytes, NULL), GOAT_OK);
    gt_buf_free(&state);
}

void test_peer_certify(test_peer *peer, uint32_t author) {
    test_peer_learn(peer, &peer->site.network->authors[author], author == 0 ? "root" : "anonymous", 0);
}

static goat_status host_certify(void *context, const uint8_t public_key[GT_PUBLIC_KEY_SIZE], gt_diag *diag) {
    test_peer *peer = context;
    (void)diag;
    for (uint32_t i = 0; i < TEST_AUTHORS; i++) {
        if (memcmp(peer->site.network->authors[i].public_key, public_key, GT_PUBLIC_KEY_SIZE) == 0) {
            test_peer_certify(peer, i);
        }
    }
    peer->certified++;
    return GOAT_OK;
}

static gt_bytes host_certificate(void *context) {
    (void)context;
    return (gt_bytes){0}; /* the root itself */
}

static bool host_recall(void *context, gt_shared *shared, const gt_id *network, gt_remembered *remembered) {
    test_peer *peer = context;
    if (!peer->has_kept || gt_id_compare(network, &peer->kept.peer) != 0) return false;
    if (!gt_log_has_chain(gt_repo_log(shared->repo), peer->kept.held, peer->kept.chain)) return false;
    *remembered = peer->kept;
    return true;
}

static void host_remember(void *context, gt_shared *shared, const gt_remembered *remembered) {
    test_peer *peer = context;
    (void)shared;
    if (peer->forgets) return;
    peer->kept = *remembered;
    peer->has_kept = true;
}

static void host_shift(void *context, int64_t shift_ms) { ((test_peer *)context)->shift_ms = shift_ms; }

static int64_t host_wall(void *context) { return ((test_peer *)context)->site.clock.wall_ms; }

static void note_listed(test_peer *peer, gt_bytes paths) {
    size_t at = strlen(peer->listed);
    assert_true(at + paths.len < sizeof peer->listed);
    for (size_t i = 0; i < paths.len; i++) peer->listed[at++] = paths.data[i] == 0 ? ' ' : (char)paths.data[i];
    peer->listed[at] = 0;
}

static void host_event(void *context, const gt_sync_event *event) {
    test_peer *peer = context;
    if (event->diag != NULL) peer->last_status = event->diag->status;
    switch (event->kind) {
    case GT_SYNC_GREETED: peer->greeted++; break;
    case GT_SYNC_EVEN:
        peer->evens++;
        peer->last_equal = event->equal;
        break;
    case GT_SYNC_LISTED:
        peer->lists++;
        note_listed(peer, event->paths);
        break;
    case GT_SYNC_CLOSED: peer->closed++; break;
    case GT_SYNC_REFUSED: peer->refused++; break;
    case GT_SYNC_ENDED: peer->ended++; break;
    default: break;
    }
}

/* ---- peers ---- */

void test_peer_init(test_peer *peer, test_network *network, uint32_t author, uint64_t seed, uint32_t strangers) {
    memset(peer, 0, sizeof *peer);
    test_site_init(&peer->site, network, author, seed, 0);
    test_site_learn(&peer->site, test_goat_1);
    test_site_open(&peer->site, 0);
    gt_sim_advance_ms(&peer->site.clock, 1000);
    peer->shared.repo = peer->site.repo;
    peer->keyring = gt_keyring_new(peer->site.alloc);
    for (uint32_t i = 0; i < TEST_AUTHORS; i++) {
        if ((strangers & (UINT32_C(1) << i)) == 0) test_peer_certify(peer, i);
    }
    peer->host = (gt_sync_host){
        .context = peer,
        .alloc = peer->site.alloc,
        .hasher = peer->site.hasher,
        .random = gt_sim_random_source(&peer->site.random),
        .network = &network->place.network,
        .root_key = network->authors[0].public_key,
        .identity = &network->authors[author],
        .keyring = peer->keyring,
        .wall_ms = host_wall,
        .open = host_open,
        .close = host_close,
        .sessions = host_sessions,
        .list = host_list,
        .certify = host_certify,
        .certificate = host_certificate,
        .recall = host_recall,
        .remember = host_remember,
        .shift_clock = host_shift,
        .event = host_event,
    };
}

void test_peer_free(test_peer *peer) {
    assert_int_equal(peer->opened, 0);
    gt_keyring_free(peer->keyring);
    test_site_free(&peer->site);
}

void test_peer_reopen(test_peer *peer) {
    assert_null(peer->shared.channels);
    test_site_sync(&peer->site);
    test_site_close(&peer->site);
    test_site_open(&peer->site, 0);
    peer->shared.repo = peer->site.repo;
}

void test_peer_flush(test_peer *peer) {
    test_site_sync(&peer->site);
    gt_shared_changed(&peer->shared);
}

gt_id test_peer_edit(test_peer *peer, const char *key, const char *delta) {
    gt_id id = test_site_edit(&peer->site, key, "goat", 1, delta);
    gt_shared_changed(&peer->shared);
    return id;
}

void test_peer_edit_many(test_peer *peer, const char *prefix, int count) {
    for (int i = 0; i < count; i++) {
        char key[32], delta[48];
        snprintf(key, sizeof key, "%s-%d", prefix, i);
        snprintf(delta, sizeof delta, "{text: '%s %d'}", prefix, i);
        test_peer_edit(peer, key, delta);
    }
    test_peer_flush(peer);
}

uint64_t test_peer_entries(const test_peer *peer) { return gt_repo_entry_count(peer->site.repo); }

void test_peers_are_equal(test_peer *a, test_peer *b) {
    uint8_t x[GT_HASH_SIZE], y[GT_HASH_SIZE];
    test_site_digest(&a->site, x);
    test_site_digest(&b->site, y);
    assert_memory_equal(x, y, GT_HASH_SIZE);
}

/* ---- wires ---- */

void test_wire_join(test_wire *wire, test_peer *client, test_peer *server) {
    *wire = (test_wire){.client = client, .server = server, .now_us = SECOND_US, .flushes = true};
    assert_int_equal(gt_hasher_new(&gt_alloc_system, &wire->hasher, NULL), GOAT_OK);
    assert_int_equal(gt_sync_new(&client->host, GT_SYNC_CLIENT, wire->now_us, &wire->c, NULL), GOAT_OK);
    assert_int_equal(gt_sync_new(&server->host, GT_SYNC_SERVER, wire->now_us, &wire->s, NULL), GOAT_OK);
    assert_int_equal(gt_sync_open_channel(wire->c, gt_bytes_text(TEST_REPO_PATH), NULL, NULL), GOAT_OK);
}

void test_wire_cut(test_wire *wire) {
    if (wire->hasher == NULL) return;
    gt_sync_free(wire->c);
    gt_sync_free(wire->s);
    gt_hasher_free(wire->hasher);
    wire->c = wire->s = NULL;
    wire->hasher = NULL;
}

goat_status test_wire_give(test_wire *wire, gt_sync *to, gt_bytes packet) {
    gt_arrival *arrival = NULL;
    const gt_alloc *alloc = to == wire->c ? wire->client->site.alloc : wire->server->site.alloc;
    const gt_arrival_limits limits = gt_sync_limits(to);
    assert_int_equal(gt_arrival_new(alloc, packet, &limits, &arrival, NULL), GOAT_OK);
    gt_sync_resolve(to, arrival);
    gt_arrival_check(arrival, wire->hasher);
    goat_status status = gt_sync_receive(to, arrival, wire->now_us, NULL);
    gt_arrival_free(arrival);
    return status;
}

static bool carry(test_wire *wire, gt_sync *from, gt_sync *to) {
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    bool said = gt_sync_is_ready(from, wire->now_us) && gt_sync_send(from, wire->now_us, &packet);
    if (said) {
        int direction = to == wire->s ? 0 : 1;
        wire->packets[direction]++;
        wire->bytes[direction] += packet.len;
        if (wire->seen != NULL) wire->seen(wire->context, direction == 0, gt_buf_bytes(&packet));
        test_wire_give(wire, to, gt_buf_bytes(&packet));
        test_peer *taker = direction == 0 ? wire->server : wire->client;
        if (direction == 1) wire->trips++;
        if (direction == 0 && wire->flushes) {
            test_site_sync(&taker->site);
        } else {
            test_site_settle(&taker->site);
        }
        while (gt_repo_step(taker->site.repo)) {
        }
        gt_shared_changed(&taker->shared);
    }
    gt_buf_free(&packet);
    return said;
}

bool test_wire_step(test_wire *wire) {
    bool any = carry(wire, wire->c, wire->s);
    return carry(wire, wire->s, wire->c) || any;
}

/* Work that says nothing yet (a fingerprint) goes on; so do timers, up to a second from now. */
void test_wire_settle(test_wire *wire) {
    uint64_t until = wire->now_us + SECOND_US;
    for (int steps = 0; wire->now_us < until; steps++) {
        assert_true(steps < STEPS_MAX);
        if (test_wire_step(wire) || gt_sync_is_ready(wire->c, wire->now_us) ||
            gt_sync_is_ready(wire->s, wire->now_us)) {
            continue;
        }
        uint64_t c = gt_sync_deadline(wire->c), s = gt_sync_deadline(wire->s), next = c < s ? c : s;
        wire->now_us = next < until ? next : until;
    }
}

void test_wire_count(test_wire *wire) {
    memset(wire->packets, 0, sizeof wire->packets);
    memset(wire->bytes, 0, sizeof wire->bytes);
    wire->trips = 0;
}
