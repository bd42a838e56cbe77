/* core/net as a server, with real sockets and a carrier that echoes: messages, limits, and who is cut. */
#define _GNU_SOURCE
#include "support/test.h"

#include "support/test_alloc.h"
#include "support/test_echo_posix.h"
#include "support/test_socket_posix.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define with_server(test) cmocka_unit_test_setup_teardown(test, test_server_setup, test_server_teardown)

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { CROWD = 200, RUSH = 300, SOON_MS = 3000 };
#else
enum { CROWD = 2000, RUSH = 3000, SOON_MS = 1000 };
#endif

static char text[1 << 20];

static bool metric_is(test_server *server, const char *line) {
    char wanted[256];
    snprintf(wanted, sizeof wanted, "\n%s\n", line);
    http_get(server->port, "/metrics", text, sizeof text);
    bool is = strstr(text, wanted) != NULL;
    if (!is) print_error("not: %s\n", line);
    return is;
}

static void greet(test_socket *peer) {
    ws_send(peer, WS_BINARY, true, "greet", 5);
    ws_expect(peer, "greet", 5);
}

/* ---- life ---- */

static void a_server_starts_and_stops(void **state) {
    test_server *server = *state;
    for (int i = 0; i < 3; i++) {
        test_server_start(server);
        test_server_stop(server);
    }
}

static void a_port_that_is_taken_is_named(void **state) {
    test_server *server = *state;
    gt_server *second = NULL;
    char address[64];
    test_server_start(server);
    server->config.port = server->port;
    assert_int_equal(gt_server_new(&server->config, &second, &server->diag), GOAT_BUSY);
    snprintf(address, sizeof address, "127.0.0.1:%u", server->port);
    assert_non_null(strstr(server->diag.message, address));
    assert_null(second);
}

static void an_address_of_others_is_named(void **state) {
    test_server *server = *state;
    server->config.host = "192.0.2.1";
    assert_int_equal(gt_server_new(&server->config, &server->server, &server->diag), GOAT_NOT_FOUND);
    assert_non_null(strstr(server->diag.message, "192.0.2.1"));
    server->config.host = "no such host";
    assert_int_equal(gt_server_new(&server->config, &server->server, &server->diag), GOAT_NOT_FOUND);
}

static void a_port_can_be_had_again_at_once(void **state) {
    test_server *server = *state;
    test_server_start(server);
    test_socket peer = ws_open(server->port);
    greet(&peer);
    server->config.port = server->port;
    test_server_stop(server);
    test_server_start(server);
    assert_int_equal(server->port, server->config.port);
    socket_close(&peer);
}

static void each_allocation_may_fail(void **state) {
    test_server *server = *state;
    gt_server_config config = server->config;
    (void)text;
    test_alloc memory;
    for (uint64_t k = 0;; k++) {
        gt_server *made = NULL;
        test_alloc_init(&memory, k);
        config.alloc = &memory.alloc;
        goat_status status = gt_server_new(&config, &made, &server->diag);
        assert_true(status == GOAT_OK || status == GOAT_NO_MEMORY);
        gt_server_free(made);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) break;
    }
}

/* ---- messages ---- */

static void messages_come_back_in_order(void **state) {
    test_server *server = *state;
    test_server_start(server);
    test_socket peer = ws_open(server->port);
    char message[32];
    for (int i = 0; i < 100; i++) {
        int len = snprintf(message, sizeof message, "message %d", i);
        ws_send(&peer, WS_BINARY, true, message, (size_t)len);
    }
    for (int i = 0; i < 100; i++) {
        int len = snprintf(message, sizeof message, "message %d", i);
        ws_expect(&peer, message, (size_t)len);
    }
    socket_close(&peer);
}

static void fragments_are_joined(void **state) {
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 16384, 65535, 65536};
    test_server *server = *state;
    test_server_start(server);
    test_socket peer = ws_open(server->port);
    uint8_t bytes[65536];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)(i * 7 + i / 251);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ws_send(&peer, WS_BINARY, true, bytes, sizes[i]);
        ws_expect(&peer, bytes, sizes[i]);
        ws_send(&peer, WS_BINARY, false, bytes, sizes[i] / 3);
        ws_send(&peer, WS_PING, true, "between", 7); /* control frames may stand between fragments */
        ws_send(&peer, WS_CONTINUATION, false, bytes + sizes[i] / 3, sizes[i] / 3);
        ws_send(&peer, WS_CONTINUATION, true, bytes + 2 * (sizes[i] / 3), sizes[i] - 2 * (sizes[i] / 3));
        gt_buf pong;
        gt_buf_init(&pong, &gt_alloc_system);
        assert_int_equal(ws_message(&peer, &pong), WS_PONG);
        gt_buf_free(&pong);
        ws_expect(&peer, bytes, sizes[i]);
    }
    for (size_t i = 0; i < 200; i++) ws_send(&peer, i == 0 ? WS_BINARY : WS_CONTINUATION, i == 199, bytes + i, 1);
    ws_expect(&peer, bytes, 200);
    socket_close(&peer);
}

static void large_packets_go_both_ways(void **state) {
    enum { LARGE = 9 * 1024 * 1024 + 17 };
    test_server *server = *state;
    test_server_start(server);
    test_socket peer = ws_open(server->port);
    greet(&peer);
    uint8_t *bytes = malloc(LARGE);
    assert_non_null(bytes);
    for (size_t i = 0; i < LARGE; i++) bytes[i] = (uint8_t)(i * 13 + i / 65521);
    ws_send(&peer, WS_BINARY, true, bytes, LARGE);
    ws_expect(&peer, bytes, LARGE);
    free(bytes);
    assert_true(metric_is(server, "goat_half_received_bytes 0"));
    socket_close(&peer);
}

static void strangers_may_not_send_much(void **state) {
    test_server *server = *state;
    uint8_t bytes[GT_SYNC_PACKET_MAX_BEFORE_PROOF + 1] = {0};
    test_server_start(server);
    test_socket peer = ws_open(server->port);
    ws_send(&peer, WS_BINARY, true, bytes, sizeof bytes - 1);
    ws_expect(&peer, bytes, sizeof bytes - 1);
    ws_try_send(&peer, WS_BINARY, true, bytes, sizeof bytes);
    assert_int_equal(ws_wait_closed(&peer), 1009);
    socket_close(&peer);
    /* In fragments, too. */
    peer = ws_open(server->port);
    ws_send(&peer, WS_BINARY, false, bytes, sizeof bytes - 1);
    ws_try_send(&peer, WS_CONTINUATION, true, bytes, 1);
    assert_int_equal(ws_wait_closed(&peer), 1009);
    socket_close(&peer);
    /* And it is enough to announce it. */
    peer = socket_open(server->port);
    assert_int_equal(ws_upgrade(&peer, "goat.sync.1", NULL), 101);
    static const uint8_t head[] = {0x82, 0xff, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5};
    socket_send(&peer, head, sizeof head);
    assert_int_equal(ws_wait_closed(&peer), 1009);
    socket_close(&peer);
    assert_true(metric_is(server, "goat_errors_total{kind=\"too_large\"} 3"));
}

static void text_is_not_taken(void **state) {
    test_server *server = *state;
    test_server_start(server);
    test_socket peer = ws_open(server->port);
    ws_send(&peer, WS_TEXT, true, "hello", 5);
    assert_int_equal(ws_wait_closed(&peer), 1003);
    socket_close(&peer);
    assert_true(metric_is(server, "goat_errors_total{kind=\"text\"} 1"));
}

static void who_breaks_the_protocol_hears_why_and_is_closed(void **state) {
    test_server *server = *state;
    test_server_start(server);
    test_socket peer = ws_open(server->port), other = ws_open(server->port);
    ws_send(&peer, WS_BINARY, true, "fail", 4);
    ws_send(&peer, WS_BINARY, true, "ignored", 7);
    ws_expect(&peer, "sorry", 5);
    assert_int_equal(ws_wait_closed(&peer), 1000);
    greet(&other);
    socket_close(&peer);
    socket_close(&other);
    assert_true(metric_is(server, "goat_errors_total{kind=\"untrusted\"} 1"));
}

static void a_database_that_is_not_ready_closes(void **state) {
    test_server *server = *state;
    server->echo.refuse = GOAT_LOADING;
    test_server_start(server);
    test_socket peer = ws_open(server->port);
    assert_int_equal(ws_wait_closed(&peer), 1011);
    socket_close(&peer);
}

/* ---- upgrades ---- */

static int upgrade(test_server *server, const char *protocol, const char *headers) {
    test_socket peer = socket_open(server->port);
    int status = ws_upgrade(&peer, protocol, headers);
    socket_close(&peer);
    return status;
}

static void only_the_subprotocol_is_spoken(void **state) {
    test_server *server = *state;
    test_server_start(server);
    assert_int_equal(upgrade(server, NULL, NULL), 400);
    assert_int_equal(upgrade(server, "chat", NULL), 400);
    assert_int_equal(upgrade(server, "goat.sync.2", NULL), 400);
    assert_int_equal(upgrade(server, "(http)", NULL), 400);
    assert_int_equal(upgrade(server, "(door), goat.sync.11", NULL), 400);
    assert_int_equal(upgrade(server, "chat, goat.sync.1", NULL), 101);
    assert_int_equal(upgrade(server, "goat.sync.1", "Sec-WebSocket-Extensions: permessage-deflate\r\n"), 101);
}

static void pages_of_others_may_not_connect(void **state) {
    test_server *server = *state;
    test_server_start(server);
    assert_int_equal(upgrade(server, "goat.sync.1", "Origin: http://localhost\r\n"), 101);
    assert_int_equal(upgrade(server, "goat.sync.1", "Origin: https://evil.example\r\n"), 403);
    assert_int_equal(upgrade(server, "goat.sync.1", "Origin: null\r\n"), 403);
    assert_true(metric_is(server, "goat_errors_total{kind=\"origin\"} 2"));
    test_server_stop(server);
    server->config.origins = "https://app.example  https://b.example:8443";
    test_server_start(server);
    assert_int_equal(upgrade(server, "goat.sync.1", "Origin: https://app.example\r\n"), 101);
    assert_int_equal(upgrade(server, "goat.sync.1", "Origin: https://b.example:8443\r\n"), 101);
    assert_int_equal(upgrade(server, "goat.sync.1", "Origin: http://localhost\r\n"), 403);
    assert_int_equal(upgrade(server, "goat.sync.1", NULL), 101);
}

/* A stranger's name may point here: then his page is one of this host as far as the browser knows. */
static void names_that_only_point_here_do_not_count(void **state) {
    test_server *server = *state;
    char host[300], headers[400], machine[256] = "";
    const char *const own[] = {"localhost", "LOCALHOST", "127.0.0.1", "[::1]", "my.goats.example", machine};
    const char *const others[] = {"evil.example", "goats.example", "localhost.evil.example", "127.0.0.1.evil.example"};
    server->config.host = "127.0.0.1";
    test_server_start(server);
    assert_int_equal(gethostname(machine, sizeof machine - 1), 0);
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        test_socket peer = socket_open(server->port);
        snprintf(host, sizeof host, "%s:%u", own[i], server->port);
        snprintf(headers, sizeof headers, "Origin: http://%s\r\n", host);
        bool is_configured = strcmp(own[i], "my.goats.example") != 0;
        assert_int_equal(ws_upgrade_at(&peer, host, "goat.sync.1", headers), is_configured ? 101 : 403);
        socket_close(&peer);
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        test_socket peer = socket_open(server->port);
        snprintf(host, sizeof host, "%s:%u", others[i], server->port);
        snprintf(headers, sizeof headers, "Origin: http://%s\r\n", host);
        assert_int_equal(ws_upgrade_at(&peer, host, "goat.sync.1", headers), 403);
        socket_close(&peer);
    }
    assert_true(metric_is(server, "goat_errors_total{kind=\"origin\"} 5"));
}

/* ---- who is cut ---- */

static void who_does_not_read_is_cut_and_others_do_not_notice(void **state) {
    test_server *server = *state;
    server->times.tick_us = 100000;
    server->times.stall_us = 1500000;
    test_server_start(server);
    test_socket slow = ws_open(server->port), other = ws_open(server->port);
    greet(&slow);
    ws_send(&slow, WS_BINARY, true, "flood 60000000", 14);
    uint64_t begin = test_now_ms(), longest = 0;
    while (test_echo_live(&server->echo) == 2 && test_now_ms() - begin < 10000) {
        uint64_t before = test_now_ms();
        greet(&other);
        uint64_t took = test_now_ms() - before;
        if (took > longest) longest = took;
        test_sleep_ms(5);
    }
    assert_int_equal(test_echo_live(&server->echo), 1);
    assert_true(test_now_ms() - begin >= 1400);
    assert_true(longest < SOON_MS);
    assert_true(metric_is(server, "goat_errors_total{kind=\"stalled\"} 1"));
    socket_close(&slow);
    socket_close(&other);
}

static void who_answers_no_pings_is_cut(void **state) {
    test_server *server = *state;
    server->times.tick_us = 10000; /* so that everybody is pinged every 270 ms */
    test_server_start(server);
    test_socket deaf = ws_open(server->port), other = ws_open(server->port);
    gt_buf frame;
    gt_buf_init(&frame, &gt_alloc_system);
    uint64_t begin = test_now_ms();
    for (int pings = 0; pings < 8; pings++) {
        gt_buf_clear(&frame);
        assert_int_equal(ws_receive(&other, &frame, NULL), WS_PING);
        assert_true(frame.len > 0);
        ws_send(&other, WS_PONG, true, frame.data, frame.len);
    }
    assert_true(test_now_ms() - begin >= 1000);
    gt_buf_free(&frame);
    assert_int_equal(test_echo_live(&server->echo), 1);
    assert_true(metric_is(server, "goat_errors_total{kind=\"silent\"} 1"));
    socket_close(&deaf);
    socket_close(&other);
}

static void half_a_message_keeps_its_memory_and_gives_it_back(void **state) {
    test_server *server = *state;
    char half[100000] = {0};
    test_server_start(server);
    test_socket peer = ws_open(server->port);
    greet(&peer);
    ws_send(&peer, WS_BINARY, false, half, sizeof half);
    for (int i = 0; i < 1000; i++) {
        http_get(server->port, "/metrics", text, sizeof text);
        if (strstr(text, "\ngoat_half_received_bytes 131072\n") != NULL) break;
        test_sleep_ms(10);
    }
    assert_true(metric_is(server, "goat_half_received_bytes 131072"));
    socket_close(&peer);
    test_server_wait_connections(server, 0);
    assert_true(metric_is(server, "goat_half_received_bytes 0"));
}

/* ---- many ---- */

static void there_are_no_more_than_allowed(void **state) {
    test_server *server = *state;
    server->config.connections_max = 5;
    test_server_start(server);
    test_socket peers[5];
    for (int i = 0; i < 5; i++) {
        peers[i] = ws_open(server->port);
        greet(&peers[i]);
    }
    test_socket late = socket_open(server->port);
    socket_wait_closed(&late);
    socket_close(&late);
    socket_close(&peers[0]);
    test_server_wait_connections(server, 4);
    peers[0] = ws_open(server->port);
    greet(&peers[0]);
    for (int i = 0; i < 5; i++) socket_close(&peers[i]);
    test_server_wait_connections(server, 0);
    assert_true(metric_is(server, "goat_refused_total{reason=\"full\"} 1"));
}

static void one_address_may_not_take_all(void **state) {
    test_server *server = *state;
    server->config.per_address_max = 3;
    test_server_start(server);
    test_socket peers[3];
    for (int i = 0; i < 3; i++) peers[i] = ws_open(server->port);
    test_socket fourth = socket_open(server->port);
    socket_wait_closed(&fourth);
    socket_close(&fourth);
    for (int i = 0; i < 3; i++) socket_close(&peers[i]);
    test_server_wait_connections(server, 0);
    assert_true(metric_is(server, "goat_refused_total{reason=\"address\"} 1"));
}

/* What the rest of the process opens may leave a newcomer a number for which there is no place any more. */
static void a_descriptor_that_is_too_high_is_refused(void **state) {
    enum { OTHERS = 4000 };
    test_server *server = *state;
    struct rlimit limit;
    static int others[OTHERS];
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < 2 * OTHERS) skip();
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    server->config.connections_max = 10;
    test_server_start(server);
    test_socket friend = ws_open(server->port);
    for (int i = 0; i < OTHERS; i++) others[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    test_socket late = socket_open(server->port);
    socket_wait_closed(&late);
    socket_close(&late);
    greet(&friend);
    for (int i = 0; i < OTHERS; i++) close(others[i]);
    assert_true(metric_is(server, "goat_refused_total{reason=\"descriptors\"} 1"));
    socket_close(&friend);
}

static uint32_t room_for(uint32_t wanted) {
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_max < 3 * (rlim_t)wanted ? (uint32_t)limit.rlim_max / 3 : wanted;
}

static void a_crowd_can_be_idle(void **state) {
    test_server *server = *state;
    uint32_t crowd = room_for(CROWD);
    server->config.connections_max = crowd + 10;
    test_server_start(server);
    test_socket *peers = calloc(crowd, sizeof *peers);
    assert_non_null(peers);
    for (uint32_t i = 0; i < crowd; i++) peers[i] = ws_open(server->port);
    test_server_wait_connections(server, crowd);
    for (uint32_t i = 0; i < crowd; i += 97) greet(&peers[i]);
    for (uint32_t i = 0; i < crowd; i++) socket_close(&peers[i]);
    test_server_wait_connections(server, 0);
    free(peers);
}

static void a_rush_does_no_harm(void **state) {
    test_server *server = *state;
    uint32_t rush = room_for(RUSH);
    server->config.connections_max = 500;
    server->times.tick_us = 100000;
    server->times.handshake_us = 2000000;
    test_server_start(server);
    test_socket friend = ws_open(server->port);
    int *strangers = malloc(rush * sizeof *strangers);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(server->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_non_null(strangers);
    for (uint32_t i = 0; i < rush; i++) {
        strangers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        assert_true(strangers[i] >= 0);
        (void)!connect(strangers[i], (struct sockaddr *)&address, sizeof address);
        if (i % 100 == 0) greet(&friend);
    }
    for (int i = 0; i < 20; i++) {
        uint64_t before = test_now_ms();
        greet(&friend);
        assert_true(test_now_ms() - before < SOON_MS);
        test_sleep_ms(10);
    }
    for (uint32_t i = 0; i < rush; i++) close(strangers[i]);
    free(strangers);
    test_server_wait_connections(server, 1);
    assert_int_equal(upgrade(server, "goat.sync.1", NULL), 101);
    socket_close(&friend);
}

/* ---- the end ---- */

static void everybody_hears_good_bye(void **state) {
    test_server *server = *state;
    test_server_start(server);
    test_socket one = ws_open(server->port), two = ws_open(server->port);
    greet(&one);
    greet(&two);
    gt_server_end(server->server);
    ws_expect(&one, "good-bye", 8);
    assert_int_equal(ws_wait_closed(&one), 1000);
    ws_expect(&two, "good-bye", 8);
    assert_int_equal(ws_wait_closed(&two), 1000);
    socket_close(&one);
    socket_close(&two);
    test_server_stop(server);
}

static void the_end_does_not_wait_for_who_does_not_read(void **state) {
    test_server *server = *state;
    server->times.end_us = 500000;
    test_server_start(server);
    test_socket slow = ws_open(server->port);
    greet(&slow);
    ws_send(&slow, WS_BINARY, true, "flood 60000000", 14);
    test_sleep_ms(100);
    uint64_t begin = test_now_ms();
    test_server_stop(server);
    assert_true(test_now_ms() - begin < 5000);
    socket_close(&slow);
}

static void *talk(void *argument) {
    test_server *server = argument;
    for (;;) {
        gt_buf message;
        test_socket peer = socket_open(server->port);
        bool open = ws_upgrade(&peer, "goat.sync.1", NULL) == 101;
        gt_buf_init(&message, &gt_alloc_system);
        while (open && ws_try_send(&peer, WS_BINARY, true, "hello", 5) && ws_message(&peer, &message) == WS_BINARY) {
        }
        gt_buf_free(&message);
        socket_close(&peer);
        return NULL;
    }
}

static void it_can_end_in_the_middle_of_traffic(void **state) {
    test_server *server = *state;
    pthread_t threads[4];
    test_server_start(server);
    for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, talk, server), 0);
    test_sleep_ms(300);
    test_server_stop(server);
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_server(a_server_starts_and_stops),
        with_server(a_port_that_is_taken_is_named),
        with_server(an_address_of_others_is_named),
        with_server(a_port_can_be_had_again_at_once),
        with_server(each_allocation_may_fail),
        with_server(messages_come_back_in_order),
        with_server(fragments_are_joined),
        with_server(large_packets_go_both_ways),
        with_server(strangers_may_not_send_much),
        with_server(text_is_not_taken),
        with_server(who_breaks_the_protocol_hears_why_and_is_closed),
        with_server(a_database_that_is_not_ready_closes),
        with_server(only_the_subprotocol_is_spoken),
        with_server(pages_of_others_may_not_connect),
        with_server(names_that_only_point_here_do_not_count),
        with_server(who_does_not_read_is_cut_and_others_do_not_notice),
        with_server(who_answers_no_pings_is_cut),
        with_server(half_a_message_keeps_its_memory_and_gives_it_back),
        with_server(there_are_no_more_than_allowed),
        with_server(one_address_may_not_take_all),
        with_server(a_descriptor_that_is_too_high_is_refused),
        with_server(a_crowd_can_be_idle),
        with_server(a_rush_does_no_harm),
        with_server(everybody_hears_good_bye),
        with_server(the_end_does_not_wait_for_who_does_not_read),
        with_server(it_can_end_in_the_middle_of_traffic),
    };
    cmocka_set_test_filter(getenv("FILTER"));
    return cmocka_run_group_tests_name("net_server", tests, NULL, NULL);
}
