/* abi/ and core/net with real databases: clones and edits over real sockets, what ends a connection, and who comes back. */
#define _GNU_SOURCE
#include "support/test.h"

#include "support/test_certs_posix.h"
#include "support/test_net_posix.h"
#include "support/test_socket_posix.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define with_net(test) cmocka_unit_test_setup_teardown(test, test_net_setup, test_net_teardown)

/* ---- clones and edits ---- */

static void fill(test_party *party, int count) {
    char key[16];
    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "k%d", i);
        test_party_create(party, key, "from the beginning");
    }
}

static void edits_go_round(test_net *net, const char *ca_file) {
    test_party one, two;
    fill(&net->home, 50);
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_party_open(&two, net, "two", net->root);
    test_party_join(&one, net->url, ca_file);
    test_party_join(&two, net->url, ca_file);
    test_party_wait(&one, "k49", "from the beginning");
    test_party_wait(&two, "k0", "from the beginning");
    test_party_create(&one, "one", "by the first");
    test_party_wait(&two, "one", "by the first");
    test_party_create(&two, "two", "by the second");
    test_party_wait(&one, "two", "by the second");
    test_party_create(&net->home, "home", "by the server");
    test_party_wait(&one, "home", "by the server");
    test_party_wait(&two, "home", "by the server");
    test_party_wait(&net->home, "one", "by the first");
    assert_int_equal(test_net_fact(net, "connections"), 2);
    test_party_close(&one);
    test_party_close(&two);
}

static void edits_go_round_over_plain_sockets(void **state) { edits_go_round(*state, NULL); }

typedef struct test_tls {
    test_certs certs;
    char ca[TEST_PATH_MAX], certificate[TEST_PATH_MAX], key[TEST_PATH_MAX];
} test_tls;

static void tls_begin(test_tls *tls, test_net *net) {
    test_certs_init(&tls->certs, net->folder);
    test_certs_make(&tls->certs, "good", "IP:127.0.0.1", -3600, 3600);
    test_folder_path(net->folder, "ca.pem", tls->ca);
    test_folder_path(net->folder, "good.pem", tls->certificate);
    test_folder_path(net->folder, "good.key", tls->key);
    net->config.tls_certificate = tls->certificate;
    net->config.tls_key = tls->key;
}

static void edits_go_round_over_tls(void **state) {
    test_net *net = *state;
    test_tls tls;
    tls_begin(&tls, net);
    edits_go_round(net, tls.ca);
    assert_int_equal(strncmp(net->url, "wss:", 4), 0);
    test_certs_free(&tls.certs);
}

static void a_certificate_is_reloaded(void **state) {
    test_net *net = *state;
    test_tls tls;
    test_party one;
    tls_begin(&tls, net);
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_party_join(&one, net->url, tls.ca);
    test_party_wait_change(&one, "\"online\"");
    test_certs_make(&tls.certs, "good", "IP:127.0.0.1", -7200, -3600); /* over the files that are in use */
    assert_ok(goat_server_reload(net->server, &error));
    test_party_create(&one, "a", "on the old connection");
    test_party_wait(&net->home, "a", "on the old connection");
    assert_ok(goat_db_disconnect(one.db, NULL, &error));
    test_party_join(&one, net->url, tls.ca);
    test_party_wait_change(&one, "expired");
    test_folder_write(net->folder, "good.pem", "no certificate");
    assert_fails(GOAT_INVALID, goat_server_reload(net->server, &error));
    test_party_close(&one);
    test_certs_free(&tls.certs);
}

static void all_that_the_server_has_comes_on_request(void **state) {
    test_net *net = *state;
    test_party one;
    goat_repo *more = NULL, *later = NULL;
    goat_item *item = NULL;
    goat_net_config config = GOAT_NET_CONFIG_INIT;
    char path[TEST_PATH_MAX];
    config.flags = GOAT_SYNC_ALL;
    assert_ok(goat_repo_open(net->home.db, TEXT("/data/more"), 0, &more, NULL, &error));
    goat_buf fields = test_db_value("{\"title\": \"more\"}");
    assert_ok(goat_item_create(net->home.db, NULL, TEXT("/data/more/1"), TEXT("task"), fields.data, fields.size, &item,
                               &error));
    assert_ok(goat_db_flush(net->home.db, GOAT_DURABLE_DISK, NULL, &error));
    goat_buf_free(&fields);
    goat_item_free(item);
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    assert_ok(goat_db_connect(one.db, net->url, strlen(net->url), &config, &error));
    test_party_wait_change(&one, "\"even\",\"/data/more\"");
    assert_ok(goat_repo_open(net->home.db, TEXT("/data/later"), 0, &later, NULL, &error));
    test_party_wait_change(&one, "\"even\",\"/data/later\""); /* made while it is connected */
    test_party_close(&one);
    goat_repo_free(later);
    goat_repo_free(more);
    test_folder_path(net->folder, "one/repos/data/more.log", path);
}

/* ---- ends and returns ---- */

static void a_replica_comes_back_when_the_server_does(void **state) {
    test_net *net = *state;
    test_party one;
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_party_join(&one, net->url, NULL);
    test_party_wait_change(&one, "\"online\"");
    test_net_stop(net);
    test_party_wait_change(&one, "\"offline\"");
    test_party_create(&one, "a", "made alone");
    test_net_serve(net);
    test_party_wait(&net->home, "a", "made alone");
    test_party_wait_change(&one, "\"online\"");
    test_party_close(&one);
}

static void another_url_replaces_the_first(void **state) {
    test_net *net = *state;
    test_party one;
    char second[sizeof net->url + 8];
    test_net_serve(net);
    snprintf(second, sizeof second, "%s/second", net->url);
    test_party_open(&one, net, "one", net->root);
    test_party_join(&one, "ws://127.0.0.1:1/", NULL);
    test_party_wait_change(&one, "refused");
    test_party_join(&one, net->url, NULL);
    test_party_wait_change(&one, "\"online\"");
    test_party_join(&one, second, NULL);
    test_party_create(&one, "a", "over the second");
    test_party_wait(&net->home, "a", "over the second");
    while (test_net_fact(net, "connections") > 1) test_sleep_ms(10);
    test_party_join(&one, second, NULL); /* the same again changes nothing */
    test_sleep_ms(50);
    assert_int_equal(test_net_fact(net, "accepted"), 2);
    test_party_close(&one);
}

static void a_replica_leaves_and_joins_again(void **state) {
    test_net *net = *state;
    test_party one;
    goat_job *job = NULL;
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    assert_ok(goat_db_disconnect(one.db, NULL, &error)); /* from nobody */
    test_party_join(&one, net->url, NULL);
    test_party_wait_change(&one, "\"online\"");
    assert_ok(goat_db_disconnect(one.db, &job, &error));
    assert_ok(goat_job_wait(job, 10000, &error));
    goat_job_free(job);
    while (test_net_fact(net, "connections") > 0) test_sleep_ms(10);
    test_party_create(&one, "b", "between");
    test_sleep_ms(50);
    assert_false(test_party_has(&net->home, "b"));
    test_party_join(&one, net->url, NULL);
    test_party_wait(&net->home, "b", "between");
    test_party_close(&one);
}

static void a_server_ends_with_its_handle(void **state) {
    test_net *net = *state;
    test_party one;
    goat_buf info = {0};
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_party_join(&one, net->url, NULL);
    test_party_wait_change(&one, "\"online\"");
    assert_ok(goat_db_close(net->home.db, NULL, &error));
    test_party_wait_change(&one, "\"offline\"");
    assert_fails(GOAT_CLOSED, goat_server_info(net->server, &info, &error));
    assert_fails(GOAT_CLOSED, goat_server_reload(net->server, &error));
    test_party_close(&one);
    goat_buf_free(&info);
}

static void handles_may_be_freed_in_any_order(void **state) {
    test_net *net = *state;
    test_party one;
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_party_join(&one, net->url, NULL);
    test_party_wait_change(&one, "\"online\"");
    test_party_close(&net->home);
    test_party_close(&one);
    test_net_stop(net);
    assert_int_equal(goat_debug_live_handles(), 0);
}

static void closing_does_not_wait_with_a_job(void **state) {
    test_net *net = *state;
    test_party one;
    goat_job *job = NULL;
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_party_join(&one, net->url, NULL);
    test_party_wait_change(&one, "\"online\"");
    assert_ok(goat_db_close(one.db, &job, &error));
    assert_ok(goat_job_wait(job, 10000, &error));
    goat_job_free(job);
    assert_fails(GOAT_CLOSED, goat_db_connect(one.db, net->url, strlen(net->url), NULL, &error));
    test_party_close(&one);
}

static void a_child_leaves_its_parents_network_alone(void **state) {
    test_net *net = *state;
    test_party one;
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_party_join(&one, net->url, NULL);
    test_party_wait_change(&one, "\"online\"");
    pid_t child = fork();
    if (child == 0) {
        goat_server_free(net->server);
        goat_db_free(one.db);
        _exit(0);
    }
    int how = -1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    test_party_create(&one, "a", "after the child");
    test_party_wait(&net->home, "a", "after the child");
    test_party_close(&one);
}

/* ---- who is not let in ---- */

static double metric(const char *text, const char *name) {
    char line[128];
    snprintf(line, sizeof line, "\n%s ", name);
    const char *found = strstr(text, line);
    if (found == NULL) fail_msg("no %s in %s", name, text);
    return strtod(found + strlen(line), NULL);
}

static void another_network_is_told_once_and_left_alone(void **state) {
    test_net *net = *state;
    test_party stranger;
    test_net_serve(net);
    test_party_open(&stranger, net, "stranger", NULL);
    test_party_join(&stranger, net->url, NULL);
    test_party_wait_change(&stranger, "of another network");
    test_sleep_ms(1500); /* six attempts and more, were it as usual */
    assert_int_equal(test_net_fact(net, "accepted"), 1);
    assert_int_equal(test_net_fact(net, "connections"), 0);
    test_party_close(&stranger);
}

static void garbage_is_no_packet(void **state) {
    test_net *net = *state;
    test_party one;
    char text[32768];
    test_net_serve(net);
    test_socket socket = ws_open(net->port);
    ws_send(&socket, WS_BINARY, true, "what is this", 12);
    ws_wait_closed(&socket);
    socket_close(&socket);
    socket = ws_open(net->port);
    char *large = calloc(1, 65537);
    assert_non_null(large);
    ws_try_send(&socket, WS_BINARY, true, large, 65537); /* before it has proved itself */
    ws_wait_closed(&socket);
    socket_close(&socket);
    free(large);
    test_party_open(&one, net, "one", net->root);
    test_party_join(&one, net->url, NULL);
    test_party_create(&one, "a", "not disturbed");
    test_party_wait(&net->home, "a", "not disturbed");
    http_get(net->port, "/metrics", text, sizeof text);
    assert_true(metric(text, "goat_errors_total{kind=\"protocol\"}") >= 1);
    assert_true(metric(text, "goat_errors_total{kind=\"too_large\"}") == 1);
    test_party_close(&one);
}

static void who_never_proves_himself_is_cut(void **state) {
    test_net *net = *state;
    test_net_serve(net);
    uint64_t begin = test_now_ms();
    test_socket silent = ws_open(net->port);
    while (test_net_fact(net, "connections") > 0 && test_now_ms() < begin + 20000) test_sleep_ms(50);
    assert_in_range(test_now_ms() - begin, 8000, 13000);
    socket_close(&silent);
}

static void a_replica_is_no_server(void **state) {
    test_net *net = *state;
    test_party one;
    goat_server *server = (goat_server *)1;
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    assert_fails(GOAT_FORBIDDEN, goat_server_new(one.db, NULL, &server, &error));
    assert_null(server);
    test_party_close(&one);
}

static void a_taken_port_is_said(void **state) {
    test_net *net = *state;
    goat_server *server = NULL;
    goat_error *why = NULL;
    test_net_serve(net);
    net->config.port = net->port;
    assert_int_equal(goat_server_new(net->home.db, &net->config, &server, &why), GOAT_BUSY);
    char address[32];
    snprintf(address, sizeof address, "127.0.0.1:%u", net->port);
    assert_non_null(strstr(goat_error_message(why), address));
    goat_error_free(why);
    net->config.port = 0;
    assert_ok(goat_server_new(net->home.db, &net->config, &server, &error)); /* two of one database */
    goat_server_free(server);
}

/* ---- asking who is there ---- */

static goat_status probe(const char *url, uint32_t timeout_ms, goat_buf *info, goat_error **error) {
    return goat_probe(url, strlen(url), NULL, timeout_ms, info, error);
}

static void a_stranger_learns_whose_server_it_is(void **state) {
    test_net *net = *state;
    goat_buf info = {0}, about = {0};
    test_net_serve(net);
    assert_ok(probe(net->url, 5000, &info, &error));
    assert_ok(goat_db_info(net->home.db, &about, &error));
    const char *told = test_db_json(&info);
    char *root = strstr(test_db_json(&about), "\"root\":");
    assert_non_null(root);
    *(strchr(root, '}') + 1) = 0;
    assert_non_null(strstr(told, root)); /* {"$bytes": …} and all */
    assert_non_null(strstr(told, "\"network\":"));
    assert_non_null(strstr(told, "\"session\":"));
    assert_non_null(strstr(told, "\"clock_ms\":"));
    goat_buf_free(&info);
    goat_buf_free(&about);
}

static void a_question_to_nobody_is_answered(void **state) {
    test_net *net = *state;
    goat_buf info = {0};
    test_net_serve(net);
    uint16_t port = net->port;
    char url[64];
    test_net_stop(net);
    snprintf(url, sizeof url, "ws://127.0.0.1:%u", port);
    assert_fails(GOAT_OFFLINE, probe(url, 5000, &info, &error));
    assert_fails(GOAT_INVALID, probe("http://127.0.0.1", 5000, &info, &error));
    assert_fails(GOAT_MISUSE, goat_probe(NULL, 0, NULL, 1, &info, &error));
    assert_fails(GOAT_MISUSE, goat_probe(url, strlen(url), NULL, 1, NULL, &error));
    goat_buf_free(&info);
}

/* ---- watching ---- */

static void what_is_measured_is_what_happened(void **state) {
    test_net *net = *state;
    test_party one;
    static char text[65536];
    fill(&net->home, 20);
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_party_join(&one, net->url, NULL);
    test_party_wait(&one, "k19", "from the beginning");
    test_party_create(&one, "a", "one more");
    test_party_wait(&net->home, "a", "one more");
    http_get(net->port, "/healthz", text, sizeof text);
    assert_int_equal(http_status(text), 200);
    assert_string_equal(http_body(text), "ok\n");
    http_get(net->port, "/metrics", text, sizeof text);
    assert_int_equal(http_status(text), 200);
    assert_true(metric(text, "goat_connections") >= 1);
    assert_true(metric(text, "goat_peers") == 1);
    assert_true(metric(text, "goat_repositories") >= 2);
    assert_true(metric(text, "goat_commits") >= 21);
    assert_true(metric(text, "goat_commits_in_total") >= 1);
    assert_true(metric(text, "goat_batches_out_total") >= 1);
    assert_true(metric(text, "goat_batches_in_total") >= 1);
    assert_true(metric(text, "goat_bytes_in_total") > 100);
    assert_true(metric(text, "goat_bytes_out_total") > 1000);
    assert_true(metric(text, "goat_packet_seconds_count") >= 2);
    test_party_close(&one);
}

/* ---- much at once ---- */

enum { WRITERS = 4 };

typedef struct test_writer {
    test_party party;
    pthread_t thread;
    atomic_bool *stop;
    int made, number;
} test_writer;

static void *write_on(void *argument) {
    test_writer *self = argument;
    char key[32];
    while (!atomic_load(self->stop)) {
        snprintf(key, sizeof key, "w%d.%d", self->number, self->made++);
        test_party_create(&self->party, key, "in a hurry");
        assert_ok(goat_db_advance(self->party.db, NULL, &error));
    }
    return NULL;
}

static void a_server_may_be_ended_in_the_middle_of_traffic(void **state) {
    test_net *net = *state;
    test_writer writers[WRITERS];
    atomic_bool stop = false;
    char name[16], key[32];
    test_net_serve(net);
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (test_writer){.stop = &stop, .number = i};
        snprintf(name, sizeof name, "party%d", i);
        test_party_open(&writers[i].party, net, name, net->root);
        test_party_join(&writers[i].party, net->url, NULL);
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
    }
    for (int round = 0; round < 3; round++) {
        test_sleep_ms(150);
        uint64_t begin = test_now_ms();
        test_net_stop(net);
        assert_true(test_now_ms() - begin < 6000);
        test_net_serve(net);
    }
    test_sleep_ms(100);
    atomic_store(&stop, true);
    for (int i = 0; i < WRITERS; i++) assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
    for (int i = 0; i < WRITERS; i++) {
        assert_true(writers[i].made > 0);
        for (int k = 0; k < writers[i].made; k++) {
            snprintf(key, sizeof key, "w%d.%d", i, k);
            test_party_wait(&net->home, key, "in a hurry");
            test_party_wait(&writers[(i + 1) % WRITERS].party, key, "in a hurry");
        }
    }
    for (int i = 0; i < WRITERS; i++) test_party_close(&writers[i].party);
}

static void wrong_use_is_refused(void **state) {
    test_net *net = *state;
    goat_server *server = NULL;
    goat_server_config config = GOAT_SERVER_CONFIG_INIT;
    goat_net_config how = GOAT_NET_CONFIG_INIT;
    goat_buf info = {0};
    assert_fails(GOAT_MISUSE, goat_server_new(NULL, NULL, &server, &error));
    assert_fails(GOAT_MISUSE, goat_server_new(net->home.db, NULL, NULL, &error));
    config.port = 65536;
    assert_fails(GOAT_MISUSE, goat_server_new(net->home.db, &config, &server, &error));
    config.port = 0;
    config.flags = 1;
    assert_fails(GOAT_MISUSE, goat_server_new(net->home.db, &config, &server, &error));
    config.flags = 0;
    config.tls_key = "key.pem";
    assert_fails(GOAT_MISUSE, goat_server_new(net->home.db, &config, &server, &error));
    config.tls_certificate = "nothing.pem";
    assert_fails(GOAT_NOT_FOUND, goat_server_new(net->home.db, &config, &server, &error));
    config.struct_size = 3;
    assert_fails(GOAT_MISUSE, goat_server_new(net->home.db, &config, &server, &error));
    assert_fails(GOAT_MISUSE, goat_server_info(NULL, &info, &error));
    assert_fails(GOAT_MISUSE, goat_server_reload(NULL, &error));
    goat_server_free(NULL);
    assert_fails(GOAT_MISUSE, goat_db_connect(NULL, TEXT("ws://127.0.0.1"), NULL, &error));
    assert_fails(GOAT_MISUSE, goat_db_connect(net->home.db, NULL, 0, NULL, &error));
    assert_fails(GOAT_INVALID, goat_db_connect(net->home.db, TEXT("gopher://127.0.0.1"), NULL, &error));
    how.flags = 1;
    assert_fails(GOAT_MISUSE, goat_db_connect(net->home.db, TEXT("ws://127.0.0.1"), &how, &error));
    how.flags = 0;
    how.ca_file = "nothing.pem";
    assert_fails(GOAT_NOT_FOUND, goat_db_connect(net->home.db, TEXT("wss://127.0.0.1"), &how, &error));
    assert_fails(GOAT_MISUSE, goat_db_disconnect(NULL, NULL, &error));
    goat_net_config_init(&how, sizeof how);
    goat_server_config_init(&config, sizeof config);
    assert_int_equal(how.struct_size, sizeof how);
    assert_int_equal(config.struct_size, sizeof config);
    assert_null(config.tls_key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_net(edits_go_round_over_plain_sockets),
        with_net(edits_go_round_over_tls),
        with_net(a_certificate_is_reloaded),
        with_net(all_that_the_server_has_comes_on_request),
        with_net(a_replica_comes_back_when_the_server_does),
        with_net(another_url_replaces_the_first),
        with_net(a_replica_leaves_and_joins_again),
        with_net(a_server_ends_with_its_handle),
        with_net(handles_may_be_freed_in_any_order),
        with_net(closing_does_not_wait_with_a_job),
        with_net(a_child_leaves_its_parents_network_alone),
        with_net(another_network_is_told_once_and_left_alone),
        with_net(garbage_is_no_packet),
        with_net(who_never_proves_himself_is_cut),
        with_net(a_replica_is_no_server),
        with_net(a_taken_port_is_said),
        with_net(a_stranger_learns_whose_server_it_is),
        with_net(a_question_to_nobody_is_answered),
        with_net(what_is_measured_is_what_happened),
        with_net(a_server_may_be_ended_in_the_middle_of_traffic),
        with_net(wrong_use_is_refused),
    };
    cmocka_set_test_filter(getenv("FILTER"));
    return cmocka_run_group_tests_name("net_sync", tests, NULL, NULL);
}
