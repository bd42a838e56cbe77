/* core/net over HTTP, with real sockets: health, metrics, static files, and what is refused. */
#define _GNU_SOURCE
#include "support/test.h"

#include "support/test_echo_posix.h"
#include "support/test_socket_posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define with_server(test) cmocka_unit_test_setup_teardown(test, test_server_setup, test_server_teardown)

enum { TEXT_MAX = 1 << 20 };
static char text[TEXT_MAX];

static int get(test_server *server, const char *path) {
    http_get(server->port, path, text, sizeof text);
    return http_status(text);
}

static int ask(test_server *server, const char *request) {
    http_exchange(server->port, request, text, sizeof text);
    return http_status(text);
}

static bool has_header(const char *line) {
    char wanted[256];
    snprintf(wanted, sizeof wanted, "\r\n%s\r\n", line);
    const char *found = strcasestr(text, wanted);
    return found != NULL && found < http_body(text);
}

/* ---- health and metrics ---- */

static void a_server_that_is_well_says_ok(void **state) {
    test_server *server = *state;
    test_server_start(server);
    assert_int_equal(get(server, "/healthz"), 200);
    assert_string_equal(http_body(text), "ok\n");
    assert_true(has_header("cache-control: no-store"));
}

static void a_server_that_is_not_says_why(void **state) {
    test_server *server = *state;
    server->echo.unhealthy = true;
    test_server_start(server);
    assert_int_equal(get(server, "/healthz"), 503);
    assert_string_equal(http_body(text), "/data/goats: the disk is gone\n");
}

static void metrics_are_prometheus_text(void **state) {
    test_server *server = *state;
    test_server_start(server);
    test_socket peer = ws_open(server->port);
    ws_send(&peer, WS_BINARY, true, "greet", 5);
    ws_expect(&peer, "greet", 5);
    assert_int_equal(get(server, "/metrics"), 200);
    assert_true(has_header("content-type: text/plain; version=0.0.4; charset=utf-8"));
    const char *body = http_body(text);
    assert_non_null(strstr(body, "\n# TYPE goat_connections_total counter\ngoat_connections_total 2\n"));
    assert_non_null(strstr(body, "\ngoat_peers 1\n"));
    assert_non_null(strstr(body, "\ngoat_errors_total{kind=\"stalled\"} 0\n"));
    assert_non_null(strstr(body, "\ngoat_packet_seconds_bucket{le=\"+Inf\"} 1\n"));
    assert_non_null(strstr(body, "\ngoat_packet_seconds_count 1\n"));
    /* Every line is a comment or a name, maybe labels, and a number. */
    for (const char *line = body; *line != 0; line = strchr(line, '\n') + 1) {
        const char *end = strchr(line, '\n'), *blank = memrchr(line, ' ', (size_t)(end - line));
        char *after = NULL;
        assert_non_null(end);
        if (*line == '#') continue;
        assert_true(strncmp(line, "goat_", 5) == 0 && blank != NULL);
        strtod(blank + 1, &after);
        assert_ptr_equal(after, end);
    }
    socket_close(&peer);
}

/* ---- static files ---- */

static void make_files(test_server *server, char folder[TEST_PATH_MAX]) {
    char path[TEST_PATH_MAX], big[200000];
    test_folder_path(server->folder, "www", folder);
    assert_int_equal(mkdir(folder, 0755), 0);
    test_folder_path(server->folder, "www/sub", path);
    assert_int_equal(mkdir(path, 0755), 0);
    memset(big, 'b', sizeof big - 1);
    big[sizeof big - 1] = 0;
    test_folder_write(server->folder, "secret.txt", "not for strangers");
    test_folder_write(server->folder, "www/index.html", "<h1>goats</h1>");
    test_folder_write(server->folder, "www/app.js", "feed()");
    test_folder_write(server->folder, "www/app.wasm", "asm");
    test_folder_write(server->folder, "www/empty", "");
    test_folder_write(server->folder, "www/big.txt", big);
    test_folder_write(server->folder, "www/with space & more.txt", "odd name");
    test_folder_write(server->folder, "www/.hidden", "not for strangers");
    test_folder_write(server->folder, "www/sub/index.html", "below");
    server->config.static_dir = folder;
}

static void files_are_served_with_their_types(void **state) {
    test_server *server = *state;
    char folder[TEST_PATH_MAX];
    make_files(server, folder);
    test_server_start(server);
    assert_int_equal(get(server, "/"), 200);
    assert_string_equal(http_body(text), "<h1>goats</h1>");
    assert_true(has_header("content-type: text/html; charset=utf-8"));
    assert_true(has_header("x-content-type-options: nosniff"));
    assert_true(has_header("content-length: 14"));
    assert_int_equal(get(server, "/app.js?version=3"), 200);
    assert_true(has_header("content-type: text/javascript; charset=utf-8"));
    assert_int_equal(get(server, "/app.wasm"), 200);
    assert_true(has_header("content-type: application/wasm"));
    assert_int_equal(get(server, "/empty"), 200);
    assert_true(has_header("content-length: 0"));
    assert_int_equal(get(server, "/sub/"), 200);
    assert_string_equal(http_body(text), "below");
    assert_int_equal(get(server, "/with%20space%20%26%20more.txt"), 200);
    assert_string_equal(http_body(text), "odd name");
    assert_int_equal(get(server, "/big.txt"), 200);
    assert_int_equal(strlen(http_body(text)), 199999);
}

static void a_folder_without_its_slash_is_named_with_it(void **state) {
    test_server *server = *state;
    char folder[TEST_PATH_MAX];
    make_files(server, folder);
    test_server_start(server);
    assert_int_equal(get(server, "/sub"), 301);
    assert_true(has_header("location: /sub/"));
}

static void what_is_not_there_is_404(void **state) {
    test_server *server = *state;
    char folder[TEST_PATH_MAX];
    make_files(server, folder);
    test_server_start(server);
    assert_int_equal(get(server, "/nothing"), 404);
    assert_int_equal(get(server, "/sub/nothing/"), 404);
    assert_int_equal(get(server, "/app.js/"), 404);
}

static void without_a_folder_there_are_no_files(void **state) {
    test_server *server = *state;
    test_server_start(server);
    assert_int_equal(get(server, "/"), 404);
    assert_int_equal(get(server, "/etc/passwd"), 404);
}

static void nothing_outside_of_the_folder_is_served(void **state) {
    static const char *const paths[] = {
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/sub/../../secret.txt",
        "/sub/%2e%2e/%2e%2e/secret.txt",
        "//../secret.txt",
        "/./../secret.txt",
        "/.hidden",
        "/%2ehidden",
        "/sub/../.hidden",
        "/sub/..%2f.hidden",
        "/..\\secret.txt",
        "/..%5csecret.txt",
        "/leads-out",
        "/folder-out/secret.txt",
        "/%00/index.html",
        "/index.html%00.txt",
        "/pipe",
        "/sub/.%2e/.%2e/secret.txt",
    };
    test_server *server = *state;
    char folder[TEST_PATH_MAX], path[TEST_PATH_MAX], request[512];
    make_files(server, folder);
    test_folder_path(server->folder, "www/leads-out", path);
    assert_int_equal(symlink("../secret.txt", path), 0);
    test_folder_path(server->folder, "www/folder-out", path);
    assert_int_equal(symlink("..", path), 0);
    test_folder_path(server->folder, "www/pipe", path);
    assert_int_equal(mkfifo(path, 0644), 0);
    test_server_start(server);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", paths[i]);
        int status = ask(server, request);
        if (strstr(text, "not for strangers") != NULL) print_error("served: %s\n", paths[i]);
        assert_null(strstr(text, "not for strangers"));
        assert_int_not_equal(status, 200);
    }
    assert_int_equal(get(server, "/healthz"), 200);
}

static void a_link_inside_of_the_folder_is_followed(void **state) {
    test_server *server = *state;
    char folder[TEST_PATH_MAX], path[TEST_PATH_MAX];
    make_files(server, folder);
    test_folder_path(server->folder, "www/current", path);
    assert_int_equal(symlink("sub", path), 0);
    test_server_start(server);
    assert_int_equal(get(server, "/current/"), 200);
    assert_string_equal(http_body(text), "below");
}

static void links_in_a_circle_lead_nowhere(void **state) {
    test_server *server = *state;
    char folder[TEST_PATH_MAX], path[TEST_PATH_MAX];
    make_files(server, folder);
    test_folder_path(server->folder, "www/one", path);
    assert_int_equal(symlink("sub/two", path), 0);
    test_folder_path(server->folder, "www/sub/two", path);
    assert_int_equal(symlink("../one", path), 0);
    test_folder_path(server->folder, "www/round", path);
    assert_int_equal(symlink("sub/.././sub//../app.js", path), 0);
    test_folder_path(server->folder, "www/here", path);
    assert_int_equal(symlink("./sub/./.././sub/.", path), 0);
    test_folder_path(server->folder, "www/longer", path);
    assert_int_equal(symlink("longer/longer/longer", path), 0);
    test_server_start(server);
    assert_int_equal(get(server, "/one"), 404);
    assert_int_equal(get(server, "/longer"), 404);
    assert_int_equal(get(server, "/round"), 200);
    assert_string_equal(http_body(text), "feed()");
    assert_int_equal(get(server, "/here"), 301);
    assert_int_equal(get(server, "/here/"), 200);
    assert_string_equal(http_body(text), "below");
}

/* What belongs to the database is served under no name, not even if the folder lies beneath one that is served. */
static void the_database_is_not_served(void **state) {
    static const char *const paths[] = {
        "/pets/notes.txt", "/pets/sub/notes.txt",      "/to-pets/notes.txt", "/to-notes", "/sub/to-notes",
        "/pets",           "/elsewhere/pets/notes.txt"};
    static const char *const keys[] = {"/root.key", "/ROOT.KEY", "/to-key", "/keys.key/index.html"};
    test_server *server = *state;
    static char pets[TEST_PATH_MAX];
    char folder[TEST_PATH_MAX], path[TEST_PATH_MAX];
    make_files(server, folder);
    test_folder_path(server->folder, "www/pets", pets);
    assert_int_equal(mkdir(pets, 0755), 0);
    test_folder_path(server->folder, "www/pets/sub", path);
    assert_int_equal(mkdir(path, 0755), 0);
    test_folder_path(server->folder, "www/keys.key", path);
    assert_int_equal(mkdir(path, 0755), 0);
    test_folder_write(server->folder, "www/pets/notes.txt", "not for strangers");
    test_folder_write(server->folder, "www/pets/sub/notes.txt", "not for strangers");
    test_folder_write(server->folder, "www/keys.key/index.html", "not for strangers");
    test_folder_write(server->folder, "www/root.key", "not for strangers");
    test_folder_write(server->folder, "www/ROOT.KEY", "not for strangers");
    test_folder_path(server->folder, "www/to-pets", path);
    assert_int_equal(symlink("./pets", path), 0);
    test_folder_path(server->folder, "www/to-notes", path);
    assert_int_equal(symlink("pets/notes.txt", path), 0);
    test_folder_path(server->folder, "www/to-key", path);
    assert_int_equal(symlink("root.key", path), 0);
    test_folder_path(server->folder, "www/sub/to-notes", path);
    assert_int_equal(symlink("../sub/../to-pets/notes.txt", path), 0);
    test_folder_path(server->folder, "www/elsewhere", path);
    assert_int_equal(symlink(".", path), 0);
    server->config.private_dir = pets;
    test_server_start(server);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) assert_int_equal(get(server, paths[i]), 404);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) assert_int_equal(get(server, keys[i]), 404);
    assert_int_equal(get(server, "/elsewhere/sub/"), 200);
    assert_string_equal(http_body(text), "below");
    test_server_stop(server);
    server->config.private_dir = NULL; /* it was that which kept it */
    test_server_start(server);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) assert_int_not_equal(get(server, paths[i]), 404);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) assert_int_equal(get(server, keys[i]), 404);
}

static void a_folder_in_the_database_is_refused(void **state) {
    static const char *const folders[] = {"www", "www/sub", "www/sub/../sub/.", "link"};
    static char folder[TEST_PATH_MAX], pets[TEST_PATH_MAX];
    test_server *server = *state;
    gt_server *made = NULL;
    make_files(server, pets);
    test_folder_path(server->folder, "link", folder);
    assert_int_equal(symlink("www/sub", folder), 0);
    server->config.private_dir = pets;
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        test_folder_path(server->folder, folders[i], folder);
        server->config.static_dir = folder;
        assert_int_equal(gt_server_new(&server->config, &made, &server->diag), GOAT_FORBIDDEN);
        assert_null(made);
    }
}

static void what_a_browser_has_is_not_sent_again(void **state) {
    test_server *server = *state;
    char folder[TEST_PATH_MAX], tag[128], request[512];
    make_files(server, folder);
    test_server_start(server);
    assert_int_equal(get(server, "/app.js"), 200);
    const char *at = strcasestr(text, "\r\netag: ");
    assert_non_null(at);
    snprintf(tag, sizeof tag, "%.*s", (int)strcspn(at + 8, "\r"), at + 8);
    snprintf(request, sizeof request, "GET /app.js HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: \"x\", W/%s\r\n\r\n",
             tag);
    assert_int_equal(ask(server, request), 304);
    assert_string_equal(http_body(text), "");
    test_folder_write(server->folder, "www/app.js", "feed(2)");
    assert_int_equal(ask(server, request), 200);
    assert_string_equal(http_body(text), "feed(2)");
}

static void head_gives_the_head_alone(void **state) {
    test_server *server = *state;
    char folder[TEST_PATH_MAX];
    make_files(server, folder);
    test_server_start(server);
    assert_int_equal(ask(server, "HEAD /app.js HTTP/1.1\r\nHost: localhost\r\n\r\n"), 200);
    assert_true(has_header("content-length: 6"));
    assert_string_equal(http_body(text), "");
    assert_int_equal(ask(server, "HEAD /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n"), 404);
    assert_string_equal(http_body(text), "");
}

/* ---- requests ---- */

static void only_reading_is_allowed(void **state) {
    static const char *const methods[] = {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"};
    test_server *server = *state;
    char request[256];
    test_server_start(server);
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        snprintf(request, sizeof request, "%s /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody",
                 methods[i]);
        assert_int_equal(ask(server, request), 405);
        assert_true(has_header("allow: GET, HEAD"));
    }
    assert_int_equal(ask(server, "CONNECT localhost:80 HTTP/1.1\r\nHost: localhost\r\n\r\n"), 0);
    assert_int_equal(get(server, "/healthz"), 200);
}

static void a_connection_serves_one_request_after_the_other(void **state) {
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    test_server *server = *state;
    char answer[2048];
    test_server_start(server);
    test_socket socket = socket_open(server->port);
    for (int i = 0; i < 5; i++) {
        size_t len = 0, got;
        assert_true(socket_send(&socket, request, sizeof request - 1));
        do {
            got = socket_receive(&socket, answer + len, sizeof answer - 1 - len);
            assert_true(got > 0);
            answer[len += got] = 0;
        } while (strcmp(http_body(answer), "ok\n") != 0);
        assert_int_equal(http_status(answer), 200);
    }
    socket_close(&socket);
}

static void a_body_is_not_taken_for_a_request(void **state) {
    test_server *server = *state;
    test_server_start(server);
    test_socket socket = socket_open(server->port);
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 44\r\n\r\n"
                                  "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_true(socket_send(&socket, request, sizeof request - 1));
    size_t len = 0, got;
    while (len + 1 < sizeof text && (got = socket_receive(&socket, text + len, sizeof text - 1 - len)) > 0) len += got;
    text[len] = 0;
    assert_null(strstr(text, "goat_connections"));
    socket_close(&socket);
}

static void garbage_is_closed_and_others_are_served(void **state) {
    static const char *const garbage[] = {
        "\x16\x03\x01\x02\x01\x01\x00\x01\xfc\x03\x03",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "\r\n\r\n\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nUpgrade: nonsense\r\nConnection: Upgrade\r\nHost: a\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: A\r\n\r\n",
        "GET /healthz HTTP/1.1\r\nUpgrade: websocket\r\n\r\n",
    };
    test_server *server = *state;
    server->times.handshake_us = 1000000;
    test_server_start(server);
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        test_socket socket = socket_open(server->port);
        socket_send(&socket, garbage[i], strlen(garbage[i]));
        socket_wait_closed(&socket);
        socket_close(&socket);
    }
    char *long_one = malloc(100000);
    memset(long_one, 'a', 99999);
    memcpy(long_one, "GET /", 5);
    long_one[99999] = 0;
    test_socket socket = socket_open(server->port);
    socket_send(&socket, long_one, 99999);
    socket_wait_closed(&socket);
    socket_close(&socket);
    free(long_one);
    assert_int_equal(get(server, "/healthz"), 200);
}

static void who_says_nothing_is_cut(void **state) {
    test_server *server = *state;
    server->times.tick_us = 100000;
    server->times.handshake_us = 1000000;
    test_server_start(server);
    test_socket silent = socket_open(server->port), slow = socket_open(server->port);
    socket_send(&slow, "GET /healthz HT", 15);
    socket_wait_closed(&silent);
    socket_wait_closed(&slow);
    socket_close(&silent);
    socket_close(&slow);
    assert_int_equal(get(server, "/metrics"), 200);
    assert_non_null(strstr(text, "goat_errors_total{kind=\"handshake\"} 2\n"));
}

static void who_does_not_read_his_file_is_cut(void **state) {
    test_server *server = *state;
    char folder[TEST_PATH_MAX], path[TEST_PATH_MAX];
    make_files(server, folder);
    test_folder_path(server->folder, "www/huge", path);
    test_folder_write(server->folder, "www/huge", "");
    assert_int_equal(truncate(path, 64 << 20), 0);
    server->times.tick_us = 100000;
    server->times.stall_us = 1000000;
    test_server_start(server);
    test_socket slow = socket_open(server->port);
    static const char request[] = "GET /huge HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_true(socket_send(&slow, request, sizeof request - 1));
    test_server_wait_connections(server, 1);
    test_server_wait_connections(server, 0);
    socket_close(&slow);
    assert_int_equal(get(server, "/metrics"), 200);
    assert_non_null(strstr(text, "goat_errors_total{kind=\"stalled\"} 1\n"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_server(a_server_that_is_well_says_ok),
        with_server(a_server_that_is_not_says_why),
        with_server(metrics_are_prometheus_text),
        with_server(files_are_served_with_their_types),
        with_server(a_folder_without_its_slash_is_named_with_it),
        with_server(what_is_not_there_is_404),
        with_server(without_a_folder_there_are_no_files),
        with_server(nothing_outside_of_the_folder_is_served),
        with_server(a_link_inside_of_the_folder_is_followed),
        with_server(links_in_a_circle_lead_nowhere),
        with_server(the_database_is_not_served),
        with_server(a_folder_in_the_database_is_refused),
        with_server(what_a_browser_has_is_not_sent_again),
        with_server(head_gives_the_head_alone),
        with_server(only_reading_is_allowed),
        with_server(a_connection_serves_one_request_after_the_other),
        with_server(a_body_is_not_taken_for_a_request),
        with_server(garbage_is_closed_and_others_are_served),
        with_server(who_says_nothing_is_cut),
        with_server(who_does_not_read_his_file_is_cut),
    };
    cmocka_set_test_filter(getenv("FILTER"));
    return cmocka_run_group_tests_name("net_http", tests, NULL, NULL);
}
