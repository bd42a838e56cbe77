/* abi/: what handles of one database share, what a child that was forked has of its own, and what a server keeps for
 * itself. */
#define _GNU_SOURCE
#include "support/test.h"

#include "net/listen.h"
#include "support/test_net_posix.h"
#include "support/test_socket_posix.h"

#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define with_net(test) cmocka_unit_test_setup_teardown(test, test_net_setup, test_net_teardown)

/* ---- handles ---- */

static bool says(test_party *party, const char *words) {
    goat_buf status = {0};
    assert_ok(goat_db_status(party->db, &status, &error));
    bool found = strstr(test_db_json(&status), words) != NULL;
    goat_buf_free(&status);
    return found;
}

static void wait_says(test_party *party, const char *words) {
    uint64_t end = test_now_ms() + 10000;
    while (!says(party, words)) {
        if (test_now_ms() > end) fail_msg("the status does not say %s", words);
        test_sleep_ms(5);
    }
}

static void handles_share_a_connection(void **state) {
    test_net *net = *state;
    test_party one, two;
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_party_open(&two, net, "one", net->root);
    test_party_join(&one, net->url, NULL);
    test_party_wait_change(&one, "\"online\"");
    test_party_join(&two, net->url, NULL);
    test_party_close(&one); /* who made it leaves: it stays */
    assert_true(says(&two, "\"online\":true"));
    test_party_create(&two, "a", "by the other");
    test_party_wait(&net->home, "a", "by the other");
    assert_int_equal(test_net_fact(net, "accepted"), 1);
    test_net_stop(net); /* and it is made anew */
    wait_says(&two, "\"online\":false");
    test_net_serve(net);
    wait_says(&two, "\"online\":true");
    test_party_create(&two, "b", "later");
    test_party_wait(&net->home, "b", "later");
    test_party_open(&one, net, "one", net->root);
    test_party_close(&two); /* the last one who asked leaves: it ends */
    assert_true(says(&one, "\"online\":false"));
    assert_true(says(&one, "\"server\":\"\""));
    while (test_net_fact(net, "connections") > 0) test_sleep_ms(5);
    test_party_close(&one);
}

static void who_leaves_a_shared_connection_leaves_it_to_others(void **state) {
    test_net *net = *state;
    test_party one, two;
    goat_job *job = NULL;
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_party_open(&two, net, "one", net->root);
    test_party_join(&one, net->url, NULL);
    test_party_join(&two, net->url, NULL);
    wait_says(&two, "\"online\":true");
    assert_ok(goat_db_disconnect(one.db, NULL, &error));
    assert_ok(goat_db_disconnect(one.db, NULL, &error));
    assert_true(says(&one, "\"online\":true"));
    assert_ok(goat_db_disconnect(two.db, &job, &error));
    assert_ok(goat_job_wait(job, 10000, &error));
    goat_job_free(job);
    assert_true(says(&one, "\"online\":false"));
    test_party_close(&one);
    test_party_close(&two);
}

static void handles_agree_on_the_server(void **state) {
    test_net *net = *state;
    test_party one, two;
    goat_net_config config = GOAT_NET_CONFIG_INIT;
    static const char other[] = "ws://127.0.0.1:1/";
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_party_open(&two, net, "one", net->root);
    test_party_join(&one, net->url, NULL);
    wait_says(&one, "\"online\":true");
    assert_fails(GOAT_CONFLICT, goat_db_connect(two.db, TEXT(other), NULL, &error));
    config.ca_file = "other.pem";
    assert_fails(GOAT_CONFLICT, goat_db_connect(two.db, net->url, strlen(net->url), &config, &error));
    assert_true(says(&two, "\"online\":true"));
    config.ca_file = NULL;
    config.flags = GOAT_SYNC_ALL; /* what all want is asked for */
    assert_ok(goat_db_connect(two.db, net->url, strlen(net->url), &config, &error));
    while (test_net_fact(net, "accepted") < 2 || test_net_fact(net, "connections") > 1) test_sleep_ms(5);
    assert_fails(GOAT_CONFLICT, goat_db_connect(one.db, TEXT(other), NULL, &error));
    test_party_close(&two);
    wait_says(&one, "\"online\":true");
    assert_ok(goat_db_connect(one.db, TEXT(other), NULL, &error)); /* alone it may go elsewhere */
    wait_says(&one, "refused");
    assert_true(says(&one, "127.0.0.1:1/"));
    while (test_net_fact(net, "connections") > 0) test_sleep_ms(5);
    test_party_close(&one);
}

static void connecting_does_not_wait_for_the_cas(void **state) {
    test_net *net = *state;
    test_party one;
    test_party_open(&one, net, "one", NULL);
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < 10; i++) {
        char url[64];
        snprintf(url, sizeof url, "wss://127.0.0.1:1/%d", i);
        uint64_t begin = test_now_ms();
        assert_ok(goat_db_connect(one.db, url, strlen(url), NULL, &error));
        uint64_t took = test_now_ms() - begin;
        if (took < shortest) shortest = took;
    }
    assert_true(shortest < 20);
    wait_says(&one, "refused");
    test_party_close(&one);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HAS_CHILDREN 1 /* a sanitizer's own locks may be held when it forks, and stay so in the child */

/* ---- children ---- */

/* Asks all the time, so that a lock of the process's is held when it forks. */
typedef struct test_asker {
    test_net *net;
    test_party *party;
    atomic_bool stop;
} test_asker;

static void *keep_asking(void *argument) {
    test_asker *self = argument;
    goat_buf info = {0};
    while (!atomic_load(&self->stop)) {
        goat_server_info(self->net->server, &info, NULL);
        goat_db_connect(self->party->db, self->net->url, strlen(self->net->url), NULL, NULL);
    }
    goat_buf_free(&info);
    return NULL;
}

static bool works_alone(const test_net *net, int number) {
    char path[TEST_PATH_MAX], name[16];
    goat_db *db = NULL;
    goat_server *server = NULL;
    goat_buf info = {0};
    snprintf(name, sizeof name, "child%d", number);
    test_folder_path(net->folder, name, path);
    alarm(20);
    bool works = goat_db_open(path, strlen(path), NULL, &db, NULL, NULL) == GOAT_OK &&
                 goat_server_new(db, NULL, &server, NULL) == GOAT_OK &&
                 goat_server_info(server, &info, NULL) == GOAT_OK &&
                 goat_server_info(net->server, &info, NULL) == GOAT_CLOSED &&
                 goat_db_connect(db, TEXT("ws://127.0.0.1:1/"), NULL, NULL) == GOAT_OK;
    goat_server_free(server);
    goat_db_free(db);
    goat_buf_free(&info);
    return works;
}

static void a_child_has_a_network_of_its_own(void **state) {
    test_net *net = *state;
    test_party one;
    pthread_t thread;
    test_net_serve(net);
    test_party_open(&one, net, "one", net->root);
    test_asker asker = {.net = net, .party = &one};
    assert_int_equal(pthread_create(&thread, NULL, keep_asking, &asker), 0);
    for (int i = 0; i < 8; i++) {
        test_sleep_ms(20);
        pid_t child = fork();
        if (child == 0) _exit(works_alone(net, i) ? 0 : 1);
        int how = -1;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_int_equal(how, 0);
    }
    atomic_store(&asker.stop, true);
    pthread_join(thread, NULL);
    test_party_close(&one);
}

/* ---- all of the machine's addresses ---- */

/* A network of this process's own, with nothing in it but the loopback interface, so that nobody else is served. */
static bool enter_empty_network(void) {
    struct ifreq request = {.ifr_flags = IFF_UP};
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
    int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(request.ifr_name, "lo", 3);
    bool is_up = any >= 0 && ioctl(any, SIOCSIFFLAGS, &request) == 0;
    close(any);
    return is_up;
}

static bool answers(int family, const void *address, socklen_t len) {
    int made = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool does = made >= 0 && connect(made, address, len) == 0;
    close(made);
    return does;
}

static bool serves_everywhere(const char *host) {
    gt_listener listener;
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    if (gt_listen(host, 0, &listener, NULL) != GOAT_OK) return false;
    four.sin_port = six.sin6_port = htons(listener.port);
    bool has_six = access("/proc/net/if_inet6", R_OK) == 0;
    bool does = answers(AF_INET, &four, sizeof four) && (!has_six || answers(AF_INET6, &six, sizeof six));
    gt_listener_close(&listener);
    return does;
}

static bool url_is_for_others(test_net *net, const char *host) {
    char path[TEST_PATH_MAX], machine[256] = "", wanted[300];
    goat_db *db = NULL;
    goat_server *server = NULL;
    goat_buf info = {0};
    goat_server_config config = GOAT_SERVER_CONFIG_INIT;
    config.host = host;
    test_folder_path(net->folder, "everywhere", path);
    if (gethostname(machine, sizeof machine - 1) != 0) return false;
    snprintf(wanted, sizeof wanted, "ws://%s:", machine);
    bool is = goat_db_open(path, strlen(path), NULL, &db, NULL, NULL) == GOAT_OK &&
              goat_server_new(db, &config, &server, NULL) == GOAT_OK &&
              goat_server_info(server, &info, NULL) == GOAT_OK && strstr(test_db_json(&info), wanted) != NULL;
    goat_server_free(server);
    goat_db_free(db);
    goat_buf_free(&info);
    return is;
}

enum { NO_NETWORK = 77 };

static int try_everywhere(test_net *net) {
    if (!enter_empty_network()) return NO_NETWORK;
    if (!serves_everywhere("")) return 1;
    if (!url_is_for_others(net, "")) return 2;
    if (!url_is_for_others(net, "0.0.0.0")) return 3;
    return access("/proc/net/if_inet6", R_OK) != 0 || url_is_for_others(net, "::") ? 0 : 4;
}

static void all_addresses_are_all_and_have_a_name(void **state) {
    test_net *net = *state;
    int how = -1;
    pid_t child = fork();
    if (child == 0) _exit(try_everywhere(net));
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == NO_NETWORK) skip();
    assert_int_equal(WEXITSTATUS(how), 0);
}

#endif

/* ---- static files ---- */

static void keys_and_logs_are_no_static_files(void **state) {
    static const char *const paths[] = {"/home/root.key", "/home/session.key", "/home/repos/data/tasks.log",
                                        "/home/repos/sys/sessions.log"};
    test_net *net = *state;
    char path[TEST_PATH_MAX], text[4096];
    test_folder_write(net->folder, "page.txt", "hello");
    net->config.static_dir = net->folder->path;
    test_net_serve(net);
    http_get(net->port, "/page.txt", text, sizeof text);
    assert_int_equal(http_status(text), 200);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_true(test_folder_has(net->folder, paths[i] + 1));
        http_get(net->port, paths[i], text, sizeof text);
        assert_int_equal(http_status(text), 404);
    }
    test_net_stop(net);
    net->config.static_dir = net->home.path;
    assert_fails(GOAT_FORBIDDEN, goat_server_new(net->home.db, &net->config, &net->server, &error));
    test_folder_path(net->folder, "home/repos", path);
    net->config.static_dir = path;
    assert_fails(GOAT_FORBIDDEN, goat_server_new(net->home.db, &net->config, &net->server, &error));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_net(handles_share_a_connection),        with_net(who_leaves_a_shared_connection_leaves_it_to_others),
        with_net(handles_agree_on_the_server),       with_net(connecting_does_not_wait_for_the_cas),
        with_net(keys_and_logs_are_no_static_files),
#ifdef HAS_CHILDREN
        with_net(a_child_has_a_network_of_its_own),  with_net(all_addresses_are_all_and_have_a_name),
#endif
    };
    cmocka_set_test_filter(getenv("FILTER"));
    return cmocka_run_group_tests_name("net_shared", tests, NULL, NULL);
}
