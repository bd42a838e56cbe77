/* A client (core/net) that carries a list of packets to be sent and keeps what comes back, and what was said of its
 * connection. */
#ifndef TEST_CLIENT_POSIX_H
#define TEST_CLIENT_POSIX_H

#include "net/net.h"

typedef struct test_client {
    gt_mutex mutex; /* of what follows */
    gt_condition condition;
    gt_connection *connection; /* NULL: none is open */
    gt_buf out;                /* the next packet; empty: none */
    gt_buf in;                 /* the last packet */
    uint32_t received, opened, online, offline;
    gt_diag last_why;

    gt_diag why; /* the test's own copy, made by test_client_wait_offline() */
    gt_net_times times;
    gt_client_config config;
    gt_client *client;
    gt_diag diag;
    char url[256];
} test_client;

/* Greets as soon as it is open, so that `online` counts connections. */
void test_client_init(test_client *client);
void test_client_free(test_client *client);
goat_status test_client_start(test_client *client, const char *url, const char *ca_file);
void test_client_stop(test_client *client);
/* Sends a packet and waits for its echo. */
void test_client_echo(test_client *client, const void *bytes, size_t len);
/* Each waits up to ten seconds until it has happened `count` times. */
void test_client_wait_online(test_client *client, uint32_t count);
void test_client_wait_offline(test_client *client, uint32_t count);
uint32_t test_client_count(test_client *client, const uint32_t *what);

#endif
