#define _GNU_SOURCE
#include "support/test_echo_posix.h"

#include "support/test.h"
#include "support/test_socket_posix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct packet {
    struct packet *next;
    size_t len;
    uint8_t bytes[];
} packet;

typedef struct echo {
    test_echo *all;
    gt_connection *connection;
    packet *first, **last;
    bool greeted, ends;
    gt_diag why;
} echo;

static void add(echo *self, const void *bytes, size_t len) {
    packet *made = malloc(sizeof *made + len);
    assert_non_null(made);
    made->next = NULL;
    made->len = len;
    if (bytes != NULL) {
        memcpy(made->bytes, bytes, len);
    } else {
        memset(made->bytes, 'x', len);
    }
    *self->last = made;
    self->last = &made->next;
    gt_connection_ready(self->connection);
}

static goat_status begin(void *context, gt_connection *connection, void **carried, gt_diag *diag) {
    test_echo *all = context;
    gt_mutex_lock(&all->mutex);
    goat_status status = all->refuse;
    if (status == GOAT_OK) {
        all->live++;
        all->begun++;
    }
    gt_mutex_unlock(&all->mutex);
    if (status != GOAT_OK) return gt_fail(diag, status, "not now");
    echo *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->all = all;
    self->connection = connection;
    self->last = &self->first;
    gt_diag_init(&self->why);
    *carried = self;
    return GOAT_OK;
}

static goat_status receive(void *carried, gt_bytes bytes, gt_hasher *hasher, gt_diag *diag) {
    echo *self = carried;
    unsigned long flood = 0;
    char text[32] = "";
    (void)hasher;
    if (bytes.len < sizeof text) memcpy(text, bytes.data, bytes.len);
    if (strcmp(text, "greet") == 0) self->greeted = true;
    if (strcmp(text, "fail") == 0) {
        self->ends = true;
        add(self, "sorry", 5);
        gt_mutex_lock(&self->all->mutex);
        self->all->failures++;
        gt_mutex_unlock(&self->all->mutex);
        gt_fail(&self->why, GOAT_UNTRUSTED, "broken on request");
        return gt_fail(diag, GOAT_UNTRUSTED, "broken on request");
    }
    if (strcmp(text, "bye") == 0) self->ends = true;
    if (sscanf(text, "flood %lu", &flood) == 1) {
        add(self, NULL, flood);
    } else {
        add(self, bytes.data, bytes.len);
    }
    return GOAT_OK;
}

static bool send(void *carried, gt_buf *out) {
    echo *self = carried;
    packet *first = self->first;
    if (first == NULL) return false;
    self->first = first->next;
    if (self->first == NULL) self->last = &self->first;
    gt_buf_append(out, first->bytes, first->len);
    free(first);
    return true;
}

static uint64_t wait_us(void *carried) {
    return ((echo *)carried)->first != NULL ? 0 : UINT64_MAX;
}

static bool is_greeted(void *carried) { return ((echo *)carried)->greeted; }

static void end(void *carried) {
    echo *self = carried;
    self->ends = true;
    add(self, "good-bye", 8);
}

static bool has_ended(void *carried, gt_diag *why) {
    echo *self = carried;
    *why = self->why;
    return self->ends && self->first == NULL;
}

static void count(void *carried, gt_carried_counts *counts, bool last) {
    if (!last && is_greeted(carried)) counts->greeted++;
    counts->sync.packets_in++;
}

static void end_one(void *carried) {
    echo *self = carried;
    while (self->first != NULL) {
        packet *next = self->first->next;
        free(self->first);
        self->first = next;
    }
    gt_mutex_lock(&self->all->mutex);
    self->all->live--;
    gt_mutex_unlock(&self->all->mutex);
    free(self);
}

const gt_carrier test_echo_carrier = {
    .begin = begin,
    .receive = receive,
    .send = send,
    .wait_us = wait_us,
    .is_greeted = is_greeted,
    .end = end,
    .has_ended = has_ended,
    .count = count,
    .free = end_one,
};

int test_echo_live(test_echo *all) {
    gt_mutex_lock(&all->mutex);
    int live = all->live;
    gt_mutex_unlock(&all->mutex);
    return live;
}

/* ---- a server ---- */

static goat_status health(void *context, gt_diag *why) {
    test_echo *all = context;
    gt_mutex_lock(&all->mutex);
    bool unhealthy = all->unhealthy;
    gt_mutex_unlock(&all->mutex);
    if (!unhealthy) return GOAT_OK;
    gt_fail(why, GOAT_IO, "the disk is gone");
    gt_diag_path(why, "/data/goats", strlen("/data/goats"));
    return why->status;
}

int test_server_setup(void **state) {
    test_server *server = calloc(1, sizeof *server);
    void *folder = NULL;
    if (server == NULL || test_folder_setup(&folder) != 0) return -1;
    server->folder = folder;
    assert_int_equal(gt_mutex_init(&server->echo.mutex, NULL), GOAT_OK);
    gt_diag_init(&server->diag);
    server->times = gt_net_times_default;
    server->config = (gt_server_config){
        .alloc = &gt_alloc_system,
        .times = &server->times,
        .host = "127.0.0.1",
        .connections_max = 256,
        .carrier = &test_echo_carrier,
        .context = &server->echo,
        .health = health,
    };
    *state = server;
    return 0;
}

int test_server_teardown(void **state) {
    test_server *server = *state;
    void *folder = server->folder;
    if (server->server != NULL) test_server_stop(server);
    gt_mutex_destroy(&server->echo.mutex);
    free(server);
    return test_folder_teardown(&folder);
}

void test_server_start(test_server *server) {
    gt_server_facts facts;
    goat_status status = gt_server_new(&server->config, &server->server, &server->diag);
    if (status != GOAT_OK) print_error("%s\n", server->diag.message);
    assert_int_equal(status, GOAT_OK);
    gt_server_get_facts(server->server, &facts);
    assert_string_equal(facts.address, "127.0.0.1");
    assert_int_not_equal(facts.port, 0);
    server->port = facts.port;
}

void test_server_stop(test_server *server) {
    gt_server_free(server->server);
    server->server = NULL;
    assert_int_equal(test_echo_live(&server->echo), 0);
}

void test_server_wait_connections(test_server *server, uint32_t count) {
    gt_server_facts facts;
    for (int i = 0; i < 1000; i++) {
        gt_server_get_facts(server->server, &facts);
        if (facts.connections == count) return;
        test_sleep_ms(10);
    }
    assert_int_equal(facts.connections, count);
}
