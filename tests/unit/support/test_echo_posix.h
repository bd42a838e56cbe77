/* A carrier that sends back what it gets, in order, and a server that carries it: core/net without a database. Some
 * packets are commands:
 *
 *     "greet"   from here on the peer counts as greeted
 *     "flood N" sends N bytes of 'x'
 *     "fail"    breaks the protocol: "sorry" is sent, then the end
 *     "bye"     a clean end */
#ifndef TEST_ECHO_POSIX_H
#define TEST_ECHO_POSIX_H

#include "net/net.h"
#include "support/test_folder_posix.h"

typedef struct test_echo {
    gt_mutex mutex; /* of what follows */
    int live, begun, failures;
    goat_status refuse; /* what begin answers; GOAT_OK */
    bool unhealthy;
} test_echo;

extern const gt_carrier test_echo_carrier;

typedef struct test_server {
    test_folder *folder;
    test_echo echo;
    gt_net_times times; /* short ones */
    gt_server_config config;
    gt_server *server;
    uint16_t port;
    gt_diag diag;
} test_server;

/* For cmocka, with a folder beneath: `*state` is a test_server that is not started. */
int test_server_setup(void **state);
int test_server_teardown(void **state);
void test_server_start(test_server *server);
void test_server_stop(test_server *server);
int test_echo_live(test_echo *echo);

/* Waits up to ten seconds until that many connections are there. */
void test_server_wait_connections(test_server *server, uint32_t count);

#endif
