/* A server's life: what it is made of, and how it ends. */
#define _GNU_SOURCE
#include "net/server.h"

#include "net/context.h"

#include <string.h>
#include <sys/random.h>

/* ---- what HTTP asks for ---- */

static goat_status health(void *context, gt_diag *why) {
    gt_server *server = context;
    if (server->loop->ends) return gt_fail(why, GOAT_CLOSED, "the server ends");
    return server->config.health == NULL ? GOAT_OK : server->config.health(server->config.context, why);
}

static void write_metrics(void *context, gt_buf *out) {
    gt_server *server = context;
    gt_carried_counts counts;
    gt_metric_write(out, "goat_connections", GT_GAUGE, "Connections there are.", server->loop->connection_count);
    gt_metric_write(out, "goat_connections_max", GT_GAUGE, "Connections there may be.", server->connections_max);
    gt_metric_write(out, "goat_connections_pending", GT_GAUGE, "Connections that are not past TLS and HTTP yet.",
                    server->pending_count);
    gt_metric_write(out, "goat_half_received_bytes", GT_GAUGE, "Memory held for messages that are half received.",
                    server->loop->half);
    gt_connections_count(server->loop, &counts);
    gt_metrics_write(out, &server->loop->metrics, &counts);
    if (server->config.metrics != NULL) server->config.metrics(server->config.context, out);
}

/* ---- making one ---- */

static goat_status copy_text(const gt_server *server, const char **text, gt_diag *diag) {
    if (*text == NULL) return GOAT_OK;
    *text = gt_copy(server->alloc, *text, strlen(*text));
    return *text == NULL ? gt_no_memory(diag) : GOAT_OK;
}

static goat_status fill_config(gt_server *server, const gt_server_config *config, gt_diag *diag) {
    server->config = *config;
    server->config.certificate = server->config.key = server->config.static_dir = server->config.origins = NULL;
    server->config.private_dir = NULL; /* was looked at, and is not needed again */
    const char **texts[] = {&server->config.host, &server->config.certificate, &server->config.key,
                            &server->config.static_dir, &server->config.origins};
    const char *given[] = {config->host, config->certificate, config->key, config->static_dir, config->origins};
    goat_status status = GOAT_OK;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        *texts[i] = status == GOAT_OK ? given[i] : NULL;
        if (status == GOAT_OK) status = copy_text(server, texts[i], diag);
    }
    return status;
}

static uint32_t files_max(const gt_server *server) {
    uint32_t part = server->connections_max / GT_NET_FILES_PART;
    return part == 0 ? 1 : part < GT_NET_FILES_MAX ? part : GT_NET_FILES_MAX;
}

static goat_status make_loop(gt_server *server, gt_diag *diag) {
    uint32_t wanted = server->config.connections_max == 0 ? GT_NET_CONNECTIONS : server->config.connections_max;
    server->connections_max = gt_context_make_room(wanted);
    server->http.files_max = files_max(server);
    gt_loop_config config = {
        .alloc = server->alloc,
        .times = server->config.times == NULL ? &gt_net_times_default : server->config.times,
        .connections_max = server->connections_max < 2 ? 2 : server->connections_max,
        .protocols = gt_server_protocols,
        .tls = server->tls,
        .owner = server,
    };
    server->tls_diag = diag;
    goat_status status = gt_loop_new(&config, &server->loop, diag);
    server->tls_diag = NULL;
    if (status != GOAT_OK) return status;
    server->loop->on_tick = gt_server_check;
    status = gt_server_open_door(server, diag);
    return status == GOAT_OK ? gt_loop_start(server->loop, diag) : status;
}

static goat_status fill(gt_server *server, const gt_server_config *config, gt_diag *diag) {
    uint8_t hash_key[GT_SIPHASH_KEY_SIZE];
    if (getrandom(hash_key, sizeof(hash_key), 0) != (ssize_t)sizeof(hash_key)) {
        return gt_fail(diag, GOAT_IO, "the machine gives no randomness");
    }
    gt_addresses_init(&server->addresses, server->alloc, hash_key);
    goat_status status = fill_config(server, config, diag);
    if (status == GOAT_OK && config->certificate != NULL) {
        status = gt_tls_server_new(config->certificate, config->key, &server->tls, diag);
    }
    if (status == GOAT_OK && config->static_dir != NULL) {
        status = gt_files_open(&server->files, config->static_dir, config->private_dir, diag);
    }
    if (status == GOAT_OK) status = gt_listen(config->host, config->port, &server->listener, diag);
    return status == GOAT_OK ? make_loop(server, diag) : status;
}

static void free_server(gt_server *server) {
    gt_loop_free(server->loop);
    gt_listener_close(&server->listener);
    gt_files_close(&server->files);
    gt_addresses_free(&server->addresses);
    SSL_CTX_free(server->tls);
    const char *texts[] = {server->config.host, server->config.certificate, server->config.key,
                           server->config.static_dir, server->config.origins};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) gt_free(server->alloc, (void *)(uintptr_t)texts[i]);
    gt_free(server->alloc, server);
}

goat_status gt_server_new(const gt_server_config *config, gt_server **out, gt_diag *diag) {
    *out = NULL;
    gt_server *server = gt_new(config->alloc, 1, sizeof(*server));
    if (server == NULL) return gt_no_memory(diag);
    server->alloc = config->alloc;
    server->listener.descriptor = server->files.folder = -1;
    server->http = (gt_http){.files = &server->files, .context = server, .health = health, .metrics = write_metrics};
    gt_ring_init(&server->pending);
    goat_status status = fill(server, config, diag);
    if (status == GOAT_OK) {
        *out = server;
    } else {
        free_server(server);
    }
    return status;
}

/* ---- while it serves ---- */

typedef struct asked {
    gt_server *server;
    gt_server_facts *facts;
    SSL_CTX *tls;
} asked;

static void count(void *argument) {
    asked *self = argument;
    const gt_loop *loop = self->server->loop;
    self->facts->connections = loop->connection_count;
    self->facts->accepted = loop->metrics.accepted;
    for (int i = 0; i < GT_REFUSED_COUNT; i++) self->facts->refused += loop->metrics.refused[i];
}

void gt_server_get_facts(gt_server *server, gt_server_facts *facts) {
    asked self = {.server = server, .facts = facts};
    *facts = (gt_server_facts){
        .host = server->config.host,
        .address = server->listener.address,
        .port = server->listener.port,
        .secure = server->config.certificate != NULL,
        .connections_max = server->connections_max,
    };
    gt_loop_call(server->loop, count, &self);
}

static void exchange(void *argument) {
    asked *self = argument;
    SSL_CTX *before = self->server->tls;
    self->server->tls = self->tls;
    self->tls = before;
}

goat_status gt_server_reload(gt_server *server, gt_diag *diag) {
    asked self = {.server = server};
    if (server->config.certificate == NULL) return GOAT_OK;
    goat_status status = gt_tls_server_new(server->config.certificate, server->config.key, &self.tls, diag);
    if (status != GOAT_OK) return status;
    if (!gt_loop_call(server->loop, exchange, &self)) status = gt_fail(diag, GOAT_CLOSED, "the server has ended");
    SSL_CTX_free(self.tls);
    return status;
}

static void end(void *argument) {
    gt_server *server = argument;
    gt_server_close_door(server);
    gt_loop_end(server->loop);
}

void gt_server_end(gt_server *server) { gt_loop_call(server->loop, end, server); }

void gt_server_free(gt_server *server) {
    if (server == NULL) return;
    gt_server_end(server);
    free_server(server);
}
