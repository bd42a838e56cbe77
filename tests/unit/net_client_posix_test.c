/* core/net as a client against itself as a server, and against what is none: coming back, and clear words. */
#define _GNU_SOURCE
#include "support/test.h"

#include "support/test_alloc.h"
#include "support/test_certs_posix.h"
#include "support/test_client_posix.h"
#include "support/test_echo_posix.h"
#include "support/test_socket_posix.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct world {
    test_server *server;
    test_client client;
    test_certs certs;
    char url[128], ca[TEST_PATH_MAX], certificate[TEST_PATH_MAX], key[TEST_PATH_MAX];
} world;

static int setup(void **state) {
    world *made = calloc(1, sizeof *made);
    void *server = NULL;
    if (made == NULL || test_server_setup(&server) != 0) return -1;
    made->server = server;
    test_client_init(&made->client);
    test_certs_init(&made->certs, made->server->folder);
    test_folder_path(made->server->folder, "ca.pem", made->ca);
    *state = made;
    return 0;
}

static int teardown(void **state) {
    world *made = *state;
    void *server = made->server;
    test_client_free(&made->client);
    test_certs_free(&made->certs);
    free(made);
    return test_server_teardown(&server);
}

#define with_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const char *url_of(world *w, const char *scheme, const char *host, const char *path) {
    snprintf(w->url, sizeof w->url, "%s://%s:%u%s", scheme, host, w->server->port, path);
    return w->url;
}

static void start_client(world *w, const char *url) {
    goat_status status = test_client_start(&w->client, url, w->ca);
    if (status != GOAT_OK) print_error("%s\n", w->client.diag.message);
    assert_int_equal(status, GOAT_OK);
}

static void serve_tls(world *w, const char *name) {
    char file[64];
    snprintf(file, sizeof file, "%s.pem", name);
    test_folder_path(w->server->folder, file, w->certificate);
    snprintf(file, sizeof file, "%s.key", name);
    test_folder_path(w->server->folder, file, w->key);
    w->server->config.certificate = w->certificate;
    w->server->config.key = w->key;
    test_server_start(w->server);
}

/* The connection does not come about, for this reason. */
static void assert_offline(world *w, goat_status status, const char *words) {
    test_client_wait_offline(&w->client, 1);
    if (strstr(w->client.why.message, words) == NULL) print_error("%s\n", w->client.why.message);
    assert_non_null(strstr(w->client.why.message, words));
    assert_int_equal(w->client.why.status, status);
    assert_int_equal(test_client_count(&w->client, &w->client.online), 0);
}

static void *bytes_of(size_t len) {
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) bytes[i] = (uint8_t)(i * 31 + i / 4093);
    return bytes;
}

/* ---- being connected ---- */

static void packets_of_all_sizes_go_both_ways(void **state) {
    static const size_t sizes[] = {1, 125, 126, 4096, 65535, 65536, 131072, 131073, 400000, 5000000};
    world *w = *state;
    test_server_start(w->server);
    start_client(w, url_of(w, "ws", "127.0.0.1", "/"));
    test_client_wait_online(&w->client, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        void *bytes = bytes_of(sizes[i]);
        test_client_echo(&w->client, bytes, sizes[i]);
        free(bytes);
    }
}

static void they_do_so_with_tls(void **state) {
    static const size_t sizes[] = {1, 4096, 65536, 400000, 5000000};
    world *w = *state;
    test_certs_make(&w->certs, "good", "DNS:localhost,IP:127.0.0.1", -3600, 3600);
    serve_tls(w, "good");
    start_client(w, url_of(w, "wss", "127.0.0.1", "/"));
    test_client_wait_online(&w->client, 1);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        void *bytes = bytes_of(sizes[i]);
        test_client_echo(&w->client, bytes, sizes[i]);
        free(bytes);
    }
}

static void a_name_is_looked_up(void **state) {
    world *w = *state;
    test_certs_make(&w->certs, "good", "DNS:localhost", -3600, 3600);
    serve_tls(w, "good");
    start_client(w, url_of(w, "wss", "localhost", "/some/path?and=query"));
    test_client_wait_online(&w->client, 1);
    test_client_echo(&w->client, "hello", 5);
}

static void a_client_ends_cleanly(void **state) {
    world *w = *state;
    test_server_start(w->server);
    start_client(w, url_of(w, "ws", "127.0.0.1", ""));
    test_client_wait_online(&w->client, 1);
    uint64_t begin = test_now_ms();
    test_client_stop(&w->client);
    assert_true(test_now_ms() - begin < 2000);
    test_server_wait_connections(w->server, 0);
    assert_int_equal(test_client_count(&w->client, &w->client.offline), 0); /* it was what the caller wanted */
}

static void each_allocation_may_fail(void **state) {
    world *w = *state;
    test_server_start(w->server);
    start_client(w, url_of(w, "ws", "127.0.0.1", ""));
    gt_client_config config = w->client.config;
    test_client_stop(&w->client);
    test_alloc memory;
    for (uint64_t k = 0;; k++) {
        gt_client *made = NULL;
        test_alloc_init(&memory, k);
        config.alloc = &memory.alloc;
        goat_status status = gt_client_new(&config, &made, &w->client.diag);
        assert_true(status == GOAT_OK || status == GOAT_NO_MEMORY);
        gt_client_free(made);
        bool failed = memory.failed;
        test_alloc_assert_empty(&memory);
        if (!failed) break;
    }
}

/* ---- coming back ---- */

static void it_comes_back_when_the_server_does(void **state) {
    world *w = *state;
    test_server_start(w->server);
    w->server->config.port = w->server->port;
    start_client(w, url_of(w, "ws", "127.0.0.1", "/"));
    for (uint32_t i = 1; i <= 3; i++) {
        test_client_wait_online(&w->client, i);
        test_client_echo(&w->client, "hello", 5);
        test_server_stop(w->server);
        test_client_wait_offline(&w->client, 2 * i - 1);
        assert_int_equal(w->client.why.status, GOAT_OFFLINE);
        test_sleep_ms(200);
        test_server_start(w->server);
    }
}

static void pauses_grow_and_end_on_request(void **state) {
    world *w = *state;
    test_server_start(w->server);
    url_of(w, "ws", "127.0.0.1", "/");
    w->server->config.port = w->server->port;
    test_server_stop(w->server);
    w->client.times.retry_min_us = 60ULL * 1000 * 1000;
    w->client.times.retry_max_us = 600ULL * 1000 * 1000;
    start_client(w, w->url);
    test_client_wait_offline(&w->client, 1);
    test_server_start(w->server);
    for (uint32_t tries = 0; tries < 100 && test_client_count(&w->client, &w->client.online) == 0; tries++) {
        gt_client_retry(w->client.client);
        test_sleep_ms(50);
    }
    test_client_wait_online(&w->client, 1);
}

static void who_may_not_be_trusted_is_not_asked_again_soon(void **state) {
    world *w = *state;
    test_certs_make(&w->certs, "other", "DNS:other.example", -3600, 3600);
    serve_tls(w, "other");
    start_client(w, url_of(w, "wss", "127.0.0.1", "/"));
    assert_offline(w, GOAT_UNTRUSTED, "for other hosts than 127.0.0.1");
    test_sleep_ms(500);
    assert_int_equal(test_client_count(&w->client, &w->client.offline), 1);
}

/* ---- clear words ---- */

static void nobody_listens(void **state) {
    world *w = *state;
    test_server_start(w->server);
    url_of(w, "ws", "127.0.0.1", "/");
    test_server_stop(w->server);
    start_client(w, w->url);
    assert_offline(w, GOAT_OFFLINE, "Connection refused");
}

static void there_is_no_such_host(void **state) {
    world *w = *state;
    start_client(w, "ws://no-such-host.invalid/");
    assert_offline(w, GOAT_OFFLINE, "no-such-host.invalid");
}

static void the_certificate_has_expired(void **state) {
    world *w = *state;
    test_certs_make(&w->certs, "old", "IP:127.0.0.1", -7200, -3600);
    serve_tls(w, "old");
    start_client(w, url_of(w, "wss", "127.0.0.1", "/"));
    assert_offline(w, GOAT_UNTRUSTED, "expired at ");
}

static void the_certificate_is_not_valid_yet(void **state) {
    world *w = *state;
    test_certs_make(&w->certs, "early", "IP:127.0.0.1", 3600, 7200);
    serve_tls(w, "early");
    start_client(w, url_of(w, "wss", "127.0.0.1", "/"));
    assert_offline(w, GOAT_UNTRUSTED, "not valid yet");
}

static void the_certificate_is_for_another_host(void **state) {
    world *w = *state;
    test_certs_make(&w->certs, "other", "DNS:goats.example,IP:127.0.0.1", -3600, 3600);
    serve_tls(w, "other");
    start_client(w, url_of(w, "wss", "localhost", "/"));
    assert_offline(w, GOAT_UNTRUSTED, "for other hosts than localhost");
}

static void the_certificate_is_signed_by_itself(void **state) {
    world *w = *state;
    test_certs_make_alone(&w->certs, "alone", "IP:127.0.0.1");
    serve_tls(w, "alone");
    start_client(w, url_of(w, "wss", "127.0.0.1", "/"));
    assert_offline(w, GOAT_UNTRUSTED, "signed by itself");
}

static void the_certificate_is_of_an_unknown_ca(void **state) {
    world *w = *state;
    test_certs others;
    test_certs_make(&w->certs, "good", "IP:127.0.0.1", -3600, 3600);
    serve_tls(w, "good");
    test_certs_init(&others, w->server->folder); /* another ca.pem */
    start_client(w, url_of(w, "wss", "127.0.0.1", "/"));
    test_client_wait_offline(&w->client, 1);
    assert_int_equal(w->client.why.status, GOAT_UNTRUSTED);
    assert_int_equal(test_client_count(&w->client, &w->client.online), 0);
    test_certs_free(&others);
    test_client_stop(&w->client);
    test_client_init(&w->client);
    assert_int_equal(test_client_start(&w->client, w->url, NULL), GOAT_OK); /* of a CA that nobody has here */
    assert_offline(w, GOAT_UNTRUSTED, "give a file with its certificate");
}

static void the_server_speaks_no_tls(void **state) {
    world *w = *state;
    test_server_start(w->server);
    start_client(w, url_of(w, "wss", "127.0.0.1", "/"));
    assert_offline(w, GOAT_OFFLINE, "does not speak TLS");
}

static void the_server_speaks_only_tls(void **state) {
    world *w = *state;
    test_certs_make(&w->certs, "good", "IP:127.0.0.1", -3600, 3600);
    serve_tls(w, "good");
    start_client(w, url_of(w, "ws", "127.0.0.1", "/"));
    assert_offline(w, GOAT_OFFLINE, "does it want wss://?");
}

/* A server that answers everybody the same, once. */
typedef struct stranger {
    int door;
    uint16_t port;
    const char *answer;
    pthread_t thread;
} stranger;

static void *answer_once(void *argument) {
    stranger *self = argument;
    for (;;) {
        char bytes[4096];
        int guest = accept(self->door, NULL, NULL);
        if (guest < 0) return NULL;
        if (recv(guest, bytes, sizeof bytes, 0) > 0 && self->answer != NULL) {
            send(guest, self->answer, strlen(self->answer), MSG_NOSIGNAL);
            shutdown(guest, SHUT_WR);
        }
        while (recv(guest, bytes, sizeof bytes, 0) > 0) {
        }
        close(guest);
    }
}

static void stranger_start(stranger *self, const char *answer) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    self->answer = answer;
    self->door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(self->door, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(self->door, 5), 0);
    assert_int_equal(getsockname(self->door, (struct sockaddr *)&address, &len), 0);
    self->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&self->thread, NULL, answer_once, self), 0);
}

static void stranger_stop(stranger *self) {
    shutdown(self->door, SHUT_RDWR);
    pthread_join(self->thread, NULL);
    close(self->door);
}

static void it_is_no_goat_server(void **state) {
    static const struct {
        const char *answer;
        goat_status status;
        const char *words;
    } answers[] = {
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", GOAT_NOT_FOUND, "plain HTTP"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", GOAT_NOT_FOUND, "plain HTTP"},
        {"HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\n\r\n", GOAT_NOT_FOUND, "plain HTTP"},
        {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", GOAT_OFFLINE, "cannot serve now"},
        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "
         "no\r\n\r\n",
         GOAT_NOT_FOUND, "no libgoat server"},
        {"SSH-2.0-OpenSSH_9.2\r\n", GOAT_OFFLINE, "closed the connection"},
        {"", GOAT_OFFLINE, "closed the connection"},
    };
    world *w = *state;
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        stranger other;
        char url[64];
        stranger_start(&other, answers[i].answer);
        snprintf(url, sizeof url, "ws://127.0.0.1:%u/", other.port);
        test_client_init(&w->client);
        start_client(w, url);
        assert_offline(w, answers[i].status, answers[i].words);
        test_client_free(&w->client);
        stranger_stop(&other);
    }
    test_client_init(&w->client);
}

static void it_does_not_answer(void **state) {
    world *w = *state;
    stranger other;
    char url[64];
    stranger_start(&other, NULL);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/", other.port);
    w->client.times.connect_us = 300000;
    start_client(w, url);
    assert_offline(w, GOAT_OFFLINE, "does not answer");
    test_client_stop(&w->client);
    stranger_stop(&other);
}

static void a_wrong_url_is_said_at_once(void **state) {
    world *w = *state;
    assert_int_equal(test_client_start(&w->client, "http://127.0.0.1/", NULL), GOAT_INVALID);
    assert_int_equal(test_client_start(&w->client, "wss://127.0.0.1/", "/no/such/file"), GOAT_NOT_FOUND);
}

/* ---- TLS on the server ---- */

static void a_certificate_is_reloaded_and_nobody_notices(void **state) {
    world *w = *state;
    test_client second;
    test_certs_make(&w->certs, "first", "DNS:other.example,IP:127.0.0.1", -3600, 3600);
    serve_tls(w, "first");
    start_client(w, url_of(w, "wss", "127.0.0.1", "/"));
    test_client_wait_online(&w->client, 1);
    test_certs_make(&w->certs, "first", "DNS:localhost", -3600, 3600);
    assert_int_equal(gt_server_reload(w->server->server, &w->server->diag), GOAT_OK);
    test_client_echo(&w->client, "still here", 10);
    test_client_init(&second);
    assert_int_equal(test_client_start(&second, url_of(w, "wss", "localhost", "/"), w->ca), GOAT_OK);
    test_client_wait_online(&second, 1);
    test_client_free(&second);
    /* What cannot be used changes nothing. */
    test_folder_write(w->server->folder, "first.pem", "nonsense");
    assert_int_equal(gt_server_reload(w->server->server, &w->server->diag), GOAT_INVALID);
    test_client_init(&second);
    assert_int_equal(test_client_start(&second, url_of(w, "wss", "localhost", "/"), w->ca), GOAT_OK);
    test_client_wait_online(&second, 1);
    test_client_free(&second);
    test_client_echo(&w->client, "still here", 10);
    assert_int_equal(test_client_count(&w->client, &w->client.offline), 0);
}

/* The one that a server shows, in a version of TLS. */
static int key_shown(world *w, int version) {
    test_socket peer = socket_open_tls(w->server->port, version);
    assert_non_null(peer.ssl);
    X509 *shown = SSL_get1_peer_certificate(peer.ssl);
    assert_non_null(shown);
    int kind = EVP_PKEY_get_base_id(X509_get0_pubkey(shown));
    X509_free(shown);
    socket_close(&peer);
    return kind;
}

static void a_certificate_with_another_kind_of_key_replaces_the_first(void **state) {
    static const int kinds[] = {EVP_PKEY_EC, EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_RSA};
    world *w = *state;
    test_certs_make(&w->certs, "first", "IP:127.0.0.1", -3600, 3600);
    serve_tls(w, "first");
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        w->certs.is_rsa = kinds[i] == EVP_PKEY_RSA;
        test_certs_make(&w->certs, "first", "IP:127.0.0.1", -3600, 3600);
        assert_int_equal(gt_server_reload(w->server->server, &w->server->diag), GOAT_OK);
        assert_int_equal(key_shown(w, TLS1_2_VERSION), kinds[i]);
        assert_int_equal(key_shown(w, TLS1_3_VERSION), kinds[i]);
    }
    start_client(w, url_of(w, "wss", "127.0.0.1", "/"));
    test_client_wait_online(&w->client, 1);
}

static void names_of_the_certificate_are_the_servers_own(void **state) {
    world *w = *state;
    test_certs_make(&w->certs, "good", "DNS:goats.example,DNS:*.goats.example,IP:127.0.0.1", -3600, 3600);
    serve_tls(w, "good");
    static const struct {
        const char *host;
        int status;
    } names[] = {{"goats.example", 101}, {"a.goats.example", 101}, {"goats.example.evil", 403}, {"evil.example", 403}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char headers[128];
        test_socket page = socket_open_tls(w->server->port, TLS1_3_VERSION);
        assert_non_null(page.ssl);
        snprintf(headers, sizeof headers, "Origin: https://%s\r\n", names[i].host);
        assert_int_equal(ws_upgrade_at(&page, names[i].host, "goat.sync.1", headers), names[i].status);
        socket_close(&page);
    }
}

static void a_key_that_others_can_read_is_refused(void **state) {
    static const struct {
        mode_t mode;
        goat_status status;
    } modes[] = {{0644, GOAT_BAD_KEY}, {0604, GOAT_BAD_KEY}, {0602, GOAT_BAD_KEY}, {0601, GOAT_BAD_KEY},
                 {0660, GOAT_BAD_KEY}, {0640, GOAT_OK},      {0600, GOAT_OK},      {0400, GOAT_OK}};
    world *w = *state;
    test_certs_make(&w->certs, "good", "IP:127.0.0.1", -3600, 3600);
    serve_tls(w, "good");
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        assert_int_equal(chmod(w->key, modes[i].mode), 0);
        assert_int_equal(gt_server_reload(w->server->server, &w->server->diag), modes[i].status);
    }
    assert_non_null(strstr(w->server->diag.message, "chmod 600"));
}

static void a_server_wants_a_key_for_its_certificate(void **state) {
    world *w = *state;
    gt_server *made = NULL;
    char other[TEST_PATH_MAX];
    test_certs_make(&w->certs, "a", "IP:127.0.0.1", -3600, 3600);
    test_certs_make(&w->certs, "b", "IP:127.0.0.1", -3600, 3600);
    test_folder_path(w->server->folder, "a.pem", w->certificate);
    test_folder_path(w->server->folder, "b.key", w->key);
    test_folder_path(w->server->folder, "none.key", other);
    w->server->config.certificate = w->certificate;
    w->server->config.key = w->key;
    assert_int_equal(gt_server_new(&w->server->config, &made, &w->server->diag), GOAT_BAD_KEY);
    w->server->config.key = w->certificate;
    assert_int_equal(chmod(w->certificate, 0600), 0);
    assert_int_equal(gt_server_new(&w->server->config, &made, &w->server->diag), GOAT_BAD_KEY);
    w->server->config.key = other;
    assert_int_equal(gt_server_new(&w->server->config, &made, &w->server->diag), GOAT_NOT_FOUND);
    assert_null(made);
}

static void old_tls_is_refused(void **state) {
    world *w = *state;
    test_certs_make(&w->certs, "good", "IP:127.0.0.1", -3600, 3600);
    serve_tls(w, "good");
    test_socket old = socket_open_tls(w->server->port, TLS1_1_VERSION);
    assert_null(old.ssl);
    socket_close(&old);
    test_socket fair = socket_open_tls(w->server->port, TLS1_2_VERSION);
    assert_non_null(fair.ssl);
    assert_int_equal(ws_upgrade(&fair, "goat.sync.1", NULL), 101);
    ws_send(&fair, WS_BINARY, true, "hello", 5);
    ws_expect(&fair, "hello", 5);
    socket_close(&fair);
}

static void garbage_on_a_tls_port_is_closed(void **state) {
    world *w = *state;
    test_certs_make(&w->certs, "good", "IP:127.0.0.1", -3600, 3600);
    w->server->times.tick_us = 100000;
    w->server->times.handshake_us = 1000000;
    serve_tls(w, "good");
    test_socket plain = socket_open(w->server->port), silent = socket_open(w->server->port);
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_true(socket_send(&plain, request, sizeof request - 1));
    socket_wait_closed(&plain);
    socket_wait_closed(&silent);
    socket_close(&plain);
    socket_close(&silent);
    start_client(w, url_of(w, "wss", "127.0.0.1", "/"));
    test_client_wait_online(&w->client, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_world(packets_of_all_sizes_go_both_ways),
        with_world(they_do_so_with_tls),
        with_world(a_name_is_looked_up),
        with_world(a_client_ends_cleanly),
        with_world(each_allocation_may_fail),
        with_world(it_comes_back_when_the_server_does),
        with_world(pauses_grow_and_end_on_request),
        with_world(who_may_not_be_trusted_is_not_asked_again_soon),
        with_world(nobody_listens),
        with_world(there_is_no_such_host),
        with_world(the_certificate_has_expired),
        with_world(the_certificate_is_not_valid_yet),
        with_world(the_certificate_is_for_another_host),
        with_world(the_certificate_is_signed_by_itself),
        with_world(the_certificate_is_of_an_unknown_ca),
        with_world(the_server_speaks_no_tls),
        with_world(the_server_speaks_only_tls),
        with_world(it_is_no_goat_server),
        with_world(it_does_not_answer),
        with_world(a_wrong_url_is_said_at_once),
        with_world(a_certificate_is_reloaded_and_nobody_notices),
        with_world(a_certificate_with_another_kind_of_key_replaces_the_first),
        with_world(names_of_the_certificate_are_the_servers_own),
        with_world(a_key_that_others_can_read_is_refused),
        with_world(a_server_wants_a_key_for_its_certificate),
        with_world(old_tls_is_refused),
        with_world(garbage_on_a_tls_port_is_closed),
    };
    cmocka_set_test_filter(getenv("FILTER"));
    return cmocka_run_group_tests_name("net_client", tests, NULL, NULL);
}
