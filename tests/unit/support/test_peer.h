/* Two ends of sync connections over single repositories, without a database: a peer is a test_site, a keyring, and
 * what core/sync asks of its host. Packets go through a test_wire, which can be looked at, held up and cut.
 *
 * Author 0 is the root and the only server. */
#ifndef TEST_PEER_H
#define TEST_PEER_H

#include "support/test_repo.h"
#include "sync/sync.h"

typedef struct test_peer {
    test_site site;
    gt_shared shared;
    gt_keyring *keyring;
    gt_sync_host host;
    gt_remembered kept; /* what the host was given to remember */
    bool has_kept, forgets;
    bool absent;      /* the repository is not there */
    bool makes_none;  /* and is not made */
    gt_log *sessions; /* where certificates are logged; NULL */
    bool alias;       /* whatever path is asked for, it is there, and is the one repository */
    goat_status open_fails, list_fails;
    uint32_t opened; /* how often it is held */
    int64_t shift_ms;
    uint32_t evens, closed, refused, greeted, ended, certified, lists;
    bool last_equal;
    char listed[4096];       /* what LISTED named, each with a blank behind it */
    goat_status last_status; /* of CLOSED, REFUSED, ENDED, LISTED */
} test_peer;

/* `network` becomes that of author 0. */
void test_peers_network(test_network *network);
/* A peer of the author's with its repository open; it knows the certificates of all authors but those in `strangers` (bits). */
void test_peer_init(test_peer *peer, test_network *network, uint32_t author, uint64_t seed, uint32_t strangers);
void test_peer_free(test_peer *peer);
void test_peer_certify(test_peer *peer, uint32_t author);
/* The state of a certificate of such a role that ends at that time (0: never); and a peer that is told of it. */
void test_certificate_write(const gt_identity *of, const char *role, int64_t end_ms, gt_buf *state);
void test_peer_learn(test_peer *peer, const gt_identity *of, const char *role, int64_t end_ms);
/* The repository is closed and opened again, as a restart does. */
void test_peer_reopen(test_peer *peer);
/* Everything is on its disk, and whoever is connected is told. */
void test_peer_flush(test_peer *peer);
gt_id test_peer_edit(test_peer *peer, const char *key, const char *delta);
/* So many items `prefix`-0, -1, … of one batch each, on its disk. */
void test_peer_edit_many(test_peer *peer, const char *prefix, int count);
uint64_t test_peer_entries(const test_peer *peer);

typedef struct test_wire {
    test_peer *client, *server;
    gt_sync *c, *s;
    gt_hasher *hasher;
    uint64_t now_us;
    bool flushes;                  /* the server flushes what it took, after each packet */
    uint64_t packets[2], bytes[2]; /* to the server, to the client */
    uint32_t trips;                /* how often the direction turned from server to client */
    void (*seen)(void *context, bool to_server, gt_bytes packet); /* NULL */
    void *context;
} test_wire;

/* Connects; nothing is sent yet. The client wants TEST_REPO_PATH. */
void test_wire_join(test_wire *wire, test_peer *client, test_peer *server);
/* Carries one packet from each side that has one; false: nobody had. */
bool test_wire_step(test_wire *wire);
/* Until nobody says anything more now, and no timer of the next second is due. */
void test_wire_settle(test_wire *wire);
/* The connection breaks; nothing happens where there is none. */
void test_wire_cut(test_wire *wire);
/* Hands a packet to one of them. */
goat_status test_wire_give(test_wire *wire, gt_sync *to, gt_bytes packet);
/* The counts begin anew. */
void test_wire_count(test_wire *wire);

/* Both hold the same entries and show the same. */
void test_peers_are_equal(test_peer *a, test_peer *b);

#endif
