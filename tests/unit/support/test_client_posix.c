#define _GNU_SOURCE
#include "support/test_client_posix.h"

#include "support/test.h"
#include "support/test_socket_posix.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_MS = 10000 };

typedef struct carried {
    test_client *client;
    bool greeted, ends;
} carried;

static goat_status begin(void *context, gt_connection *connection, void **out, gt_diag *diag) {
    test_client *client = context;
    carried *self = gt_new(&gt_alloc_system, 1, sizeof *self);
    if (self == NULL) return gt_no_memory(diag);
    self->client = client;
    gt_mutex_lock(&client->mutex);
    client->connection = connection;
    client->opened++;
    gt_buf_clear(&client->out);
    gt_buf_append(&client->out, "greet", 5);
    gt_mutex_unlock(&client->mutex);
    *out = self;
    return GOAT_OK;
}

static goat_status receive(void *argument, gt_bytes packet, gt_hasher *hasher, gt_diag *diag) {
    carried *self = argument;
    (void)hasher;
    (void)diag;
    if (gt_bytes_equal(packet, gt_bytes_text("greet"))) self->greeted = true;
    if (gt_bytes_equal(packet, gt_bytes_text("good-bye"))) self->ends = true;
    gt_mutex_lock(&self->client->mutex);
    gt_buf_clear(&self->client->in);
    gt_buf_append(&self->client->in, packet.data, packet.len);
    self->client->received++;
    gt_condition_wake_all(&self->client->condition);
    gt_mutex_unlock(&self->client->mutex);
    if (self->ends) gt_connection_ready(self->client->connection);
    return GOAT_OK;
}

static bool send(void *argument, gt_buf *packet) {
    carried *self = argument;
    gt_mutex_lock(&self->client->mutex);
    bool some = self->client->out.len > 0;
    gt_buf_append(packet, self->client->out.data, self->client->out.len);
    gt_buf_clear(&self->client->out);
    gt_mutex_unlock(&self->client->mutex);
    return some;
}

static uint64_t wait_us(void *argument) {
    (void)argument;
    return UINT64_MAX;
}

static bool is_greeted(void *argument) { return ((carried *)argument)->greeted; }

static void end(void *argument) {
    carried *self = argument;
    self->ends = true;
}

static bool has_ended(void *argument, gt_diag *why) {
    (void)why;
    return ((carried *)argument)->ends;
}

static void count(void *argument, gt_carried_counts *counts, bool last) {
    (void)argument;
    (void)counts;
    (void)last;
}

static void end_one(void *argument) {
    carried *self = argument;
    gt_mutex_lock(&self->client->mutex);
    self->client->connection = NULL;
    gt_mutex_unlock(&self->client->mutex);
    gt_free(&gt_alloc_system, self);
}

static const gt_carrier carrier = {
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

static void on_state(void *context, bool online, const gt_diag *why) {
    test_client *client = context;
    gt_mutex_lock(&client->mutex);
    if (online) {
        client->online++;
    } else {
        client->offline++;
        client->last_why = *why;
    }
    gt_condition_wake_all(&client->condition);
    gt_mutex_unlock(&client->mutex);
}

void test_client_init(test_client *client) {
    memset(client, 0, sizeof *client);
    assert_int_equal(gt_mutex_init(&client->mutex, NULL), GOAT_OK);
    assert_int_equal(gt_condition_init(&client->condition, NULL), GOAT_OK);
    gt_buf_init(&client->in, &gt_alloc_system);
    gt_buf_init(&client->out, &gt_alloc_system);
    gt_diag_init(&client->why);
    gt_diag_init(&client->last_why);
    gt_diag_init(&client->diag);
    client->times = gt_net_times_default;
    client->times.retry_min_us = 20000;
    client->times.retry_max_us = 100000;
}

void test_client_free(test_client *client) {
    if (client->client != NULL) test_client_stop(client);
    gt_buf_free(&client->in);
    gt_buf_free(&client->out);
    gt_condition_destroy(&client->condition);
    gt_mutex_destroy(&client->mutex);
}

goat_status test_client_start(test_client *client, const char *url, const char *ca_file) {
    snprintf(client->url, sizeof client->url, "%s", url);
    client->config = (gt_client_config){
        .alloc = &gt_alloc_system,
        .times = &client->times,
        .url = gt_bytes_text(client->url),
        .ca_file = ca_file,
        .carrier = &carrier,
        .context = client,
        .state = on_state,
    };
    return gt_client_new(&client->config, &client->client, &client->diag);
}

void test_client_stop(test_client *client) {
    gt_client_free(client->client);
    client->client = NULL;
    assert_null(client->connection);
}

static void wait_for(test_client *client, const uint32_t *what, uint32_t count) {
    uint64_t begin = test_now_ms();
    gt_mutex_lock(&client->mutex);
    while (*what < count && test_now_ms() - begin < WAIT_MS) {
        gt_condition_wait(&client->condition, &client->mutex, 100000);
    }
    if (*what < count) print_error("last: %s\n", client->last_why.message);
    assert_true(*what >= count);
    client->why = client->last_why;
    gt_mutex_unlock(&client->mutex);
}

void test_client_wait_online(test_client *client, uint32_t count) { wait_for(client, &client->online, count); }
void test_client_wait_offline(test_client *client, uint32_t count) { wait_for(client, &client->offline, count); }

void test_client_echo(test_client *client, const void *bytes, size_t len) {
    gt_mutex_lock(&client->mutex);
    uint32_t before = client->received;
    gt_buf_clear(&client->out);
    gt_buf_append(&client->out, bytes, len);
    assert_non_null(client->connection);
    gt_connection *connection = client->connection;
    gt_mutex_unlock(&client->mutex);
    gt_connection_ready(connection);
    wait_for(client, &client->received, before + 1);
    gt_mutex_lock(&client->mutex);
    assert_int_equal(client->in.len, len);
    assert_memory_equal(client->in.data, bytes, len);
    gt_mutex_unlock(&client->mutex);
}

uint32_t test_client_count(test_client *client, const uint32_t *what) {
    gt_mutex_lock(&client->mutex);
    uint32_t count = *what;
    gt_mutex_unlock(&client->mutex);
    return count;
}
