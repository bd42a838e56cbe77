/* core/net under floods: of connections that say nothing, and of files that nobody reads. Whoever comes with something to
 * say is served all the same. */
#define _GNU_SOURCE
#include "support/test.h"

#include "support/test_echo_posix.h"
#include "support/test_socket_posix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define with_server(test) cmocka_unit_test_setup_teardown(test, test_server_setup, test_server_teardown)

enum { SILENT = GT_NET_PENDING_MAX + 300, VISITS = 30, SOON_MS = 2000 };

static char text[1 << 20];

/* From another address of the loopback interface. */
static int connect_from(const char *from, uint16_t port, int flags) {
    struct sockaddr_in own = {.sin_family = AF_INET}, server = {.sin_family = AF_INET, .sin_port = htons(port)};
    int made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);
    inet_pton(AF_INET, from, &own.sin_addr);
    inet_pton(AF_INET, "127.0.0.1", &server.sin_addr);
    if (made >= 0 && bind(made, (struct sockaddr *)&own, sizeof own) == 0 &&
        (connect(made, (struct sockaddr *)&server, sizeof server) == 0 || errno == EINPROGRESS)) {
        return made;
    }
    if (made >= 0) close(made);
    return -1;
}

typedef struct flood {
    uint16_t port;
    int addresses; /* how many it comes from */
    int sockets[SILENT];
    atomic_bool stop;
    atomic_int opened;
    pthread_t thread;
} flood;

static void open_one(flood *self, int i) {
    char from[32];
    snprintf(from, sizeof from, "127.0.1.%d", 1 + i % self->addresses);
    self->sockets[i] = connect_from(from, self->port, SOCK_NONBLOCK);
    atomic_fetch_add(&self->opened, 1);
}

/* Each connection is made anew as soon as it is cut. */
static void *keep_flooding(void *argument) {
    flood *self = argument;
    for (int i = 0; i < SILENT; i++) open_one(self, i);
    while (!atomic_load(&self->stop)) {
        for (int i = 0; i < SILENT; i++) {
            char byte;
            ssize_t got = self->sockets[i] < 0 ? 0 : recv(self->sockets[i], &byte, 1, 0);
            if (got < 0 && (errno == EAGAIN || errno == ENOTCONN)) continue;
            if (self->sockets[i] >= 0) close(self->sockets[i]);
            open_one(self, i);
        }
        test_sleep_ms(1);
    }
    for (int i = 0; i < SILENT; i++) {
        if (self->sockets[i] >= 0) close(self->sockets[i]);
    }
    return NULL;
}

static flood *flood_start(test_server *server, int addresses) {
    flood *made = calloc(1, sizeof *made);
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    assert_non_null(made);
    made->port = server->port;
    made->addresses = addresses;
    assert_int_equal(pthread_create(&made->thread, NULL, keep_flooding, made), 0);
    while (atomic_load(&made->opened) < SILENT) test_sleep_ms(1);
    return made;
}

static void flood_stop(flood *self) {
    atomic_store(&self->stop, true);
    pthread_join(self->thread, NULL);
    free(self);
}

static bool is_served(test_server *server, const char *from) {
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[1024];
    test_socket visitor = {.descriptor = connect_from(from, server->port, 0)};
    assert_true(visitor.descriptor >= 0);
    bool served = socket_send(&visitor, request, sizeof request - 1) &&
                  socket_receive(&visitor, answer, sizeof answer) > 12 && memcmp(answer, "HTTP/1.1 200", 12) == 0;
    socket_close(&visitor);
    return served;
}

static void visit(test_server *server, const char *from) {
    for (int i = 0; i < VISITS; i++) {
        uint64_t begin = test_now_ms();
        assert_true(is_served(server, from));
        assert_true(test_now_ms() - begin < SOON_MS);
        test_sleep_ms(10);
    }
}

static void silence_from_one_address_keeps_nobody_out(void **state) {
    test_server *server = *state;
    server->config.connections_max = 2000;
    test_server_start(server);
    flood *silent = flood_start(server, 1);
    visit(server, "127.0.0.2");
    flood_stop(silent);
    test_server_wait_connections(server, 0);
}

static void nor_does_it_fill_a_small_server(void **state) {
    test_server *server = *state;
    server->config.connections_max = 20;
    test_server_start(server);
    flood *silent = flood_start(server, 8);
    visit(server, "127.0.0.2");
    flood_stop(silent);
    test_server_wait_connections(server, 0);
}

/* Behind one address there may be many who mean well. */
static void those_at_the_same_address_get_in_too(void **state) {
    test_server *server = *state;
    int served = 0;
    server->config.connections_max = 2000;
    test_server_start(server);
    flood *silent = flood_start(server, 1);
    for (int i = 0; i < VISITS; i++) {
        served += is_served(server, "127.0.1.1");
        test_sleep_ms(10);
    }
    flood_stop(silent);
    assert_in_range(served, VISITS / 2, VISITS);
}

/* ---- files ---- */

static test_socket ask_for(test_server *server, const char *path) {
    char request[128];
    test_socket reader = socket_open(server->port);
    int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    assert_true(socket_send(&reader, request, (size_t)len));
    return reader;
}

static void slow_readers_leave_files_for_others(void **state) {
    enum { PLACES = 20, READERS = PLACES / GT_NET_FILES_PART };
    static char folder[TEST_PATH_MAX];
    test_server *server = *state;
    test_socket readers[READERS];
    char path[TEST_PATH_MAX];
    test_folder_path(server->folder, "www", folder);
    assert_int_equal(mkdir(folder, 0755), 0);
    test_folder_write(server->folder, "www/small", "small");
    test_folder_write(server->folder, "www/huge", "");
    test_folder_path(server->folder, "www/huge", path);
    assert_int_equal(truncate(path, 64 << 20), 0);
    server->config.static_dir = folder;
    server->config.connections_max = PLACES;
    test_server_start(server);
    for (int i = 0; i < READERS; i++) {
        readers[i] = ask_for(server, "/huge");
        assert_int_equal(socket_receive(&readers[i], text, 12), 12);
        assert_memory_equal(text, "HTTP/1.1 200", 12);
    }
    test_socket late = ask_for(server, "/huge");
    assert_int_equal(socket_receive(&late, text, 12), 12);
    assert_memory_equal(text, "HTTP/1.1 503", 12);
    socket_close(&late);
    http_get(server->port, "/small", text, sizeof text);
    assert_string_equal(http_body(text), "small");
    for (int i = 0; i < READERS; i++) socket_close(&readers[i]);
    test_server_wait_connections(server, 0);
    late = ask_for(server, "/huge");
    assert_int_equal(socket_receive(&late, text, 12), 12);
    assert_memory_equal(text, "HTTP/1.1 200", 12);
    socket_close(&late);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_server(silence_from_one_address_keeps_nobody_out),
        with_server(nor_does_it_fill_a_small_server),
        with_server(those_at_the_same_address_get_in_too),
        with_server(slow_readers_leave_files_for_others),
    };
    cmocka_set_test_filter(getenv("FILTER"));
    return cmocka_run_group_tests_name("net_flood", tests, NULL, NULL);
}
