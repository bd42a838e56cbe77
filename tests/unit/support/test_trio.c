#include "support/test_trio.h"

#include "support/test.h"

void test_trio_init(test_trio *trio) {
    memset(trio, 0, sizeof *trio);
    test_peers_network(&trio->network);
    test_peer_init(&trio->server, &trio->network, 0, 11, 0);
    test_peer_init(&trio->client, &trio->network, 1, 22, 0);
    test_peer_init(&trio->other, &trio->network, 2, 33, 0);
}

void test_trio_free(test_trio *trio) {
    test_wire_cut(&trio->wire);
    test_wire_cut(&trio->second);
    test_peer_free(&trio->server);
    test_peer_free(&trio->client);
    test_peer_free(&trio->other);
    test_network_free(&trio->network);
}

int test_trio_setup(void **state) {
    test_trio *trio = test_malloc(sizeof *trio);
    test_trio_init(trio);
    *state = trio;
    return 0;
}

int test_trio_teardown(void **state) {
    test_trio_free(*state);
    test_free(*state);
    return 0;
}

void test_wire_join_anew(test_wire *wire, test_peer *client, test_peer *server) {
    test_wire_cut(wire);
    test_wire_join(wire, client, server);
    test_wire_settle(wire);
}
