/* The actors themselves: a server, a clone, a writer, and the reader beside it. Each is a process that does its part
 * through the public ABI, says on its output what came of it, and ends when its input does. */
#define _GNU_SOURCE
#include "roles.h"

#include "certificate.h"
#include "sealed.h"
#include "small.h"

#include "value/value.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void replica_open(replica *r, const char *folder, const char *repository, const uint8_t *root_key) {
    goat_error *error = NULL;
    goat_config config = GOAT_CONFIG_INIT;
    config.root_key = root_key;
    check(goat_db_open(folder, strlen(folder), &config, &r->db, NULL, &error), error, "open");
    check(goat_db_add_schema(r->db, sealed_schema, strlen(sealed_schema), &error), error, "schema");
    check(goat_db_add_schema(r->db, small_schema, strlen(small_schema), &error), error, "schema");
    check(goat_db_add_schema(r->db, package_schema, strlen(package_schema), &error), error, "schema");
    check(goat_repo_open(r->db, repository, strlen(repository), 0, &r->repo, NULL, &error), error, "open repository");
}

void replica_close(replica *r) {
    goat_error *error = NULL;
    goat_repo_free(r->repo);
    check(goat_db_close(r->db, NULL, &error), error, "close");
    goat_db_free(r->db);
}

void role_wait_for_end(void) {
    while (getchar() != EOF) {
    }
}

void role_say(const char *line) {
    puts(line);
    fflush(stdout);
}

void role_read_root(const char *text, uint8_t root_key[32]) {
    for (size_t i = 0; i < 32; i++) {
        const char two[3] = {text[2 * i], text[2 * i + 1], '\0'};
        root_key[i] = (uint8_t)strtoul(two, NULL, 16);
    }
}

/* ---- server FOLDER REPOSITORY plain|secure ---- */

static void write_hex(gt_bytes bytes, char *text) {
    for (size_t i = 0; i < bytes.len; i++) snprintf(text + 2 * i, 3, "%02x", bytes.data[i]);
}

static void say_where(goat_server *server) {
    goat_error *error = NULL;
    goat_buf info = {0};
    gt_bytes url, root, network;
    int64_t port;
    char root_text[65], network_text[65];
    check(goat_server_info(server, &info, &error), error, "server");
    gt_bytes map = gt_bytes_of(info.data, info.size);
    if (!gt_value_as_text(gt_map_find(map, gt_bytes_text("url")), &url) ||
        !gt_value_as_int64(gt_map_find(map, gt_bytes_text("port")), &port) ||
        !gt_value_as_bytes(gt_map_find(map, gt_bytes_text("root")), &root) || root.len != 32 ||
        !gt_value_as_bytes(gt_map_find(map, gt_bytes_text("network")), &network) || network.len != 32) {
        lab_fail("a server does not say where it is");
    }
    write_hex(root, root_text);
    write_hex(network, network_text);
    printf("serving %.*s %d %s %s\n", (int)url.len, (const char *)url.data, (int)port, root_text, network_text);
    fflush(stdout);
    goat_buf_free(&info);
}

static int be_server(char **words) {
    replica r;
    goat_error *error = NULL;
    goat_server *server = NULL;
    goat_server_config config = GOAT_SERVER_CONFIG_INIT;
    char certificate[300], key[300];
    lab_raise_files();
    replica_open(&r, words[0], words[1], NULL);
    if (strcmp(words[2], "secure") == 0) {
        certificate_make(words[0], certificate, key);
        config.tls_certificate = certificate;
        config.tls_key = key;
    }
    check(goat_server_new(r.db, &config, &server, &error), error, "serve");
    say_where(server);
    role_wait_for_end();
    goat_server_free(server);
    replica_close(&r);
    return 0;
}

/* ---- clients ---- */

void replica_connect(const replica *r, const char *url) {
    goat_error *error = NULL;
    check(goat_db_connect(r->db, url, strlen(url), NULL, &error), error, "connect");
}

void replica_become_even(const replica *r, const char *repository) {
    enum { PAUSE_US = 200, TRIES = 100000 };
    goat_error *error = NULL;
    goat_status status = GOAT_OFFLINE;
    for (int i = 0; i < TRIES && (status == GOAT_OFFLINE || status == GOAT_NOT_FOUND); i++) {
        if (i > 0) sleep_us(PAUSE_US);
        goat_error_free(error);
        error = NULL;
        status = goat_db_sync(r->db, repository, strlen(repository), NULL, &error);
    }
    check(status, error, "sync");
}

/* clone FOLDER REPOSITORY URL ROOT ITEMS */
static int be_clone(char **words) {
    replica r;
    goat_error *error = NULL;
    goat_query *all = NULL;
    uint8_t root_key[32];
    uint32_t count = 0;
    role_read_root(words[3], root_key);
    uint64_t begin = now_us();
    replica_open(&r, words[0], words[1], root_key);
    replica_connect(&r, words[2]);
    replica_become_even(&r, words[1]);
    check(goat_db_flush(r.db, GOAT_DURABLE_DISK, NULL, &error), error, "flush");
    double seconds = (double)(now_us() - begin) / 1e6;
    check(goat_db_advance(r.db, NULL, &error), error, "advance");
    check(goat_query_open(r.repo, NULL, "{}", 2, &all, NULL, &error), error, "query");
    check(goat_query_count(all, &count, &error), error, "count");
    goat_query_free(all);
    if (count != strtoul(words[4], NULL, 10)) lab_fail("%u items were cloned, not %s", count, words[4]);
    printf("cloned %.6f\n", seconds);
    fflush(stdout);
    role_wait_for_end();
    replica_close(&r);
    return 0;
}

/* ---- writer FOLDER REPOSITORY URL ROOT EDITS SAMPLES ---- */

/* In turns, so that an edit that a busy machine shows late is not overtaken by the next one of its item. */
enum { TICKERS = 64 };

static void make_tickers(const replica *r, const char *repository, goat_item *tickers[TICKERS]) {
    goat_error *error = NULL;
    for (int i = 0; i < TICKERS; i++) {
        char path[128];
        int len = snprintf(path, sizeof(path), "%s/ticker-%d-%d", repository, (int)getpid(), i);
        check(goat_item_create(r->db, NULL, path, (size_t)len, "tick", 4, NULL, 0, &tickers[i], &error), error,
              "create");
        check(goat_item_set_text(tickers[i], "text", 4, "what follows is edited", 22, &error), error, "set");
    }
    check(goat_db_flush(r->db, GOAT_DURABLE_SERVER, NULL, &error), error, "flush"); /* also certifies the session */
}

static int be_writer(char **words) {
    enum { PAUSE_US = 10 * 1000, SPREAD_US = 10 * 1000 };
    replica r;
    goat_error *error = NULL;
    goat_item *tickers[TICKERS];
    uint8_t root_key[32];
    samples safe = {0};
    role_read_root(words[3], root_key);
    replica_open(&r, words[0], words[1], root_key);
    replica_connect(&r, words[2]);
    replica_become_even(&r, words[1]);
    make_tickers(&r, words[1], tickers);
    unsigned long edits = strtoul(words[4], NULL, 10);
    for (unsigned long i = 0; i < edits; i++) {
        sleep_us(PAUSE_US + i * 7919 % SPREAD_US);
        uint64_t begin = now_us();
        check(goat_item_set_number(tickers[i % TICKERS], "at", 2, (double)begin, &error), error, "set");
        check(goat_db_flush(r.db, GOAT_DURABLE_SERVER, NULL, &error), error, "flush");
        samples_add(&safe, (double)(now_us() - begin));
    }
    samples_write(&safe, words[5]);
    role_say("written");
    role_wait_for_end();
    for (int i = 0; i < TICKERS; i++) goat_item_free(tickers[i]);
    samples_free(&safe);
    replica_close(&r);
    return 0;
}

int actor_main(int count, char **arguments) {
    static const struct {
        const char *name;
        int words;
        int (*be)(char **words);
    } roles[] = {
        {"server", 3, be_server}, {"clone", 5, be_clone}, {"reader", 4, role_reader}, {"writer", 6, be_writer}};
    for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++) {
        if (count == roles[i].words + 1 && strcmp(arguments[0], roles[i].name) == 0) return roles[i].be(arguments + 1);
    }
    return 2;
}
