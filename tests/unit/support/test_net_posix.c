#define _GNU_SOURCE
#include "support/test_net_posix.h"

#include "support/test.h"
#include "support/test_socket_posix.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 10000, STEP_MS = 2 };

/* ---- parties ---- */

void test_party_open(test_party *party, const test_net *net, const char *name, const uint8_t *root) {
    goat_config config = GOAT_CONFIG_INIT;
    config.root_key = root;
    config.capture_interval_ms = 1;
    party->changes = NULL;
    test_folder_path(net->folder, name, party->path);
    assert_ok(goat_db_open(party->path, strlen(party->path), &config, &party->db, NULL, &error));
    assert_ok(goat_db_add_schema(party->db, test_db_schema, strlen(test_db_schema), &error));
    assert_ok(goat_repo_open(party->db, TEXT("/data/tasks"), 0, &party->repo, NULL, &error));
}

void test_party_close(test_party *party) {
    goat_repo_free(party->repo);
    goat_db_free(party->db);
    free(party->changes);
    *party = (test_party){0};
}

void test_party_join(test_party *party, const char *url, const char *ca_file) {
    goat_net_config config = GOAT_NET_CONFIG_INIT;
    config.ca_file = ca_file;
    assert_ok(goat_db_connect(party->db, url, strlen(url), &config, &error));
}

void test_party_create(test_party *party, const char *key, const char *title) {
    char path[64], json[128];
    goat_item *item = NULL;
    snprintf(path, sizeof path, "/data/tasks/%s", key);
    snprintf(json, sizeof json, "{\"title\": \"%s\"}", title);
    goat_buf fields = test_db_value(json);
    assert_ok(
        goat_item_create(party->db, NULL, path, strlen(path), TEXT("task"), fields.data, fields.size, &item, &error));
    goat_buf_free(&fields);
    goat_item_free(item);
    assert_ok(goat_db_flush(party->db, GOAT_DURABLE_MEMORY, NULL, &error));
}

static void advance(test_party *party) {
    goat_buf changes = {0};
    assert_ok(goat_db_advance(party->db, &changes, &error));
    const char *more = test_db_json(&changes);
    size_t had = party->changes == NULL ? 0 : strlen(party->changes);
    party->changes = realloc(party->changes, had + strlen(more) + 1);
    assert_non_null(party->changes);
    memcpy(party->changes + had, more, strlen(more) + 1);
    goat_buf_free(&changes);
}

static bool reads(test_party *party, const char *key, const char *title) {
    char path[64];
    goat_item *item = NULL;
    goat_buf text = {0};
    snprintf(path, sizeof path, "/data/tasks/%s", key);
    goat_status status = goat_item_open(party->db, NULL, path, strlen(path), &item, NULL);
    if (status == GOAT_OK) status = goat_item_get_text(item, TEXT("title"), &text, NULL);
    bool same = status == GOAT_OK && (title == NULL || strcmp((const char *)text.data, title) == 0);
    goat_buf_free(&text);
    goat_item_free(item);
    return same;
}

bool test_party_has(test_party *party, const char *key) {
    advance(party);
    return reads(party, key, NULL);
}

void test_party_wait(test_party *party, const char *key, const char *title) {
    uint64_t end = test_now_ms() + WAIT_MS;
    for (advance(party); !reads(party, key, title); advance(party)) {
        if (test_now_ms() > end) fail_msg("%s has no %s in time; %s", party->path, key, party->changes);
        test_sleep_ms(STEP_MS);
    }
}

void test_party_wait_change(test_party *party, const char *words) {
    uint64_t end = test_now_ms() + WAIT_MS;
    for (advance(party); strstr(party->changes, words) == NULL; advance(party)) {
        if (test_now_ms() > end) fail_msg("%s does not say %s in time, but %s", party->path, words, party->changes);
        test_sleep_ms(STEP_MS);
    }
    free(party->changes);
    party->changes = NULL;
}

/* ---- the server ---- */

/* Points into `info`. */
static gt_bytes find(test_net *net, const char *name, goat_buf *info) {
    assert_ok(goat_server_info(net->server, info, &error));
    gt_bytes found = gt_map_find(gt_bytes_of(info->data, info->size), gt_bytes_text(name));
    assert_non_null(found.data);
    return found;
}

uint64_t test_net_fact(test_net *net, const char *name) {
    goat_buf info = {0};
    int64_t number = 0;
    assert_true(gt_value_as_int64(find(net, name, &info), &number));
    goat_buf_free(&info);
    return (uint64_t)number;
}

void test_net_serve(test_net *net) {
    goat_buf info = {0};
    gt_bytes root, url;
    net->config.port = net->port;
    assert_ok(goat_server_new(net->home.db, &net->config, &net->server, &error));
    net->port = (uint16_t)test_net_fact(net, "port");
    assert_true(gt_value_as_bytes(find(net, "root", &info), &root));
    assert_int_equal(root.len, sizeof net->root);
    memcpy(net->root, root.data, sizeof net->root);
    assert_true(gt_value_as_text(find(net, "url", &info), &url));
    snprintf(net->url, sizeof net->url, "%.*s", (int)url.len, (const char *)url.data);
    goat_buf_free(&info);
}

void test_net_stop(test_net *net) {
    goat_server_free(net->server);
    net->server = NULL;
}

int test_net_setup(void **state) {
    test_net *net = calloc(1, sizeof *net);
    void *folder = NULL;
    assert_int_equal(goat_debug_live_handles(), 0);
    if (net == NULL || test_folder_setup(&folder) != 0) return -1;
    net->folder = folder;
    net->config = (goat_server_config)GOAT_SERVER_CONFIG_INIT;
    test_party_open(&net->home, net, "home", NULL);
    *state = net;
    return 0;
}

int test_net_teardown(void **state) {
    test_net *net = *state;
    void *folder = net->folder;
    test_net_stop(net);
    test_party_close(&net->home);
    free(net);
    assert_int_equal(goat_debug_live_handles(), 0);
    return test_folder_teardown(&folder);
}
