/* Random lives of a server and three clients: edits, cut connections, crashes on both sides, lost hints. Once everybody is
 * connected and left alone, all of them hold the same entries. */
#include "support/test.h"
#include "support/test_peer.h"
#include "support/test_random.h"

#include <stdio.h>
#include <stdlib.h>

enum { CLIENTS = 3, STEPS = 120, LIVES = 150, KEYS = 12 };

typedef struct life {
    gt_sim_random random;
    test_network network;
    test_peer server, clients[CLIENTS];
    test_wire wires[CLIENTS];
    bool joined[CLIENTS];
    uint32_t number;
} life;

static void cut(life *l, uint32_t i) {
    if (l->joined[i]) test_wire_cut(&l->wires[i]);
    l->joined[i] = false;
}

static void join(life *l, uint32_t i) {
    if (l->joined[i]) return;
    test_wire_join(&l->wires[i], &l->clients[i], &l->server);
    l->wires[i].flushes = gt_sim_random_below(&l->random, 2) == 0;
    l->joined[i] = true;
}

static void edit(life *l, test_peer *peer) {
    char key[16], delta[64];
    snprintf(key, sizeof key, "k%u", (unsigned)gt_sim_random_below(&l->random, KEYS));
    snprintf(delta, sizeof delta, "{text: 'edit %u'}", (unsigned)++l->number);
    gt_sim_advance_ms(&peer->site.clock, gt_sim_random_below(&l->random, 50));
    test_peer_edit(peer, key, delta);
}

/* The power goes: what was not synced may be lost. */
static void crash(test_peer *peer) {
    test_site_crash(&peer->site);
    test_site_open(&peer->site, 0);
    peer->shared.repo = peer->site.repo;
}

static void step(life *l) {
    uint32_t i = (uint32_t)gt_sim_random_below(&l->random, CLIENTS);
    test_peer *client = &l->clients[i];
    switch (gt_sim_random_below(&l->random, 20)) {
    case 0: join(l, i); break;
    case 1: cut(l, i); break;
    case 2:
    case 3:
    case 4:
    case 5: edit(l, client); break;
    case 6: edit(l, &l->server); break;
    case 7: test_peer_flush(client); break;
    case 8: test_peer_flush(&l->server); break;
    case 9: client->has_kept = client->has_kept && gt_sim_random_below(&l->random, 4) != 0; break;
    case 10:
        if (gt_sim_random_below(&l->random, 4) != 0) break;
        cut(l, i);
        crash(client);
        break;
    case 11:
        if (gt_sim_random_below(&l->random, 4) != 0) break;
        for (uint32_t c = 0; c < CLIENTS; c++) cut(l, c);
        crash(&l->server);
        break;
    case 12:
        if (l->joined[i]) test_wire_settle(&l->wires[i]);
        break;
    default:
        for (uint64_t packets = gt_sim_random_below(&l->random, 4); packets > 0 && l->joined[i]; packets--) {
            test_wire_step(&l->wires[i]);
        }
    }
}

/* Opened anew, so that what a crash has torn off is no longer named. */
static void audit(test_peer *peer) {
    test_peer_reopen(peer);
    assert_int_equal(test_site_audit(&peer->site, NULL), 0);
}

/* A few rounds over all connections are enough, whatever went before. */
static void everybody_meets(life *l) {
    for (uint32_t i = 0; i < CLIENTS; i++) join(l, i);
    for (int round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < CLIENTS; i++) {
            l->wires[i].flushes = true;
            test_peer_flush(&l->server);
            test_wire_settle(&l->wires[i]);
            assert_false(gt_sync_has_ended(l->wires[i].c));
        }
    }
    for (uint32_t i = 0; i < CLIENTS; i++) {
        test_peers_are_equal(&l->clients[i], &l->server);
        cut(l, i);
    }
    for (uint32_t i = 0; i < CLIENTS; i++) audit(&l->clients[i]);
    audit(&l->server);
}

static void whoever_meets_in_the_end_is_equal(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, __func__);
    uint64_t seed = test_random_u64(&random);
    uint32_t lives = getenv("GOAT_SOAK") != NULL ? 40 * LIVES : LIVES;
    for (uint32_t n = 0; n < lives; n++) {
        life l = {.number = 0};
        gt_sim_random_init(&l.random, seed + n);
        test_peers_network(&l.network);
        test_peer_init(&l.server, &l.network, 0, seed + 1000 * n, 0);
        for (uint32_t i = 0; i < CLIENTS; i++) {
            test_peer_init(&l.clients[i], &l.network, i + 1, seed + 1000 * n + i + 1, 0);
        }
        for (int i = 0; i < STEPS; i++) step(&l);
        everybody_meets(&l);
        for (uint32_t i = 0; i < CLIENTS; i++) test_peer_free(&l.clients[i]);
        test_peer_free(&l.server);
        test_network_free(&l.network);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(whoever_meets_in_the_end_is_equal)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
