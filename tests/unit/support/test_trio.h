/* A server and two clients with a wire from each to the server: the stage of most tests of core/sync. */
#ifndef TEST_TRIO_H
#define TEST_TRIO_H

#include "support/test_peer.h"

typedef struct test_trio {
    test_network network;
    test_peer server, client, other;
    test_wire wire, second; /* from `client`, from `other` */
} test_trio;

/* Nobody is connected. */
void test_trio_init(test_trio *trio);
void test_trio_free(test_trio *trio);

/* For cmocka: `*state` is a test_trio. */
int test_trio_setup(void **state);
int test_trio_teardown(void **state);

/* Cuts the wire if it is there, connects anew, and lets both say what they have to say. */
void test_wire_join_anew(test_wire *wire, test_peer *client, test_peer *server);

#endif
