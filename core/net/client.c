/* A client: one connection to a URL, made anew whenever it is gone.
 *
 *     pause → look up the host → try its addresses, one after the other → open → (gone) → pause
 *
 * Pauses grow twofold from a quarter of a second to half a minute, each of random length below that, so that clients of
 * a server that comes back do not come back all at once. Where trying again cannot help (another network, a
 * certificate that does not hold) the pause is minutes. */
#define _GNU_SOURCE
#include "net/client.h"

#include <stdio.h>
#include <sys/random.h>

static void begin(gt_client *client);
static void try_next(gt_client *client);

/* ---- pauses ---- */

static uint64_t random_below(uint64_t bound) {
    uint64_t value = 0;
    if (getrandom(&value, sizeof(value), GRND_NONBLOCK) != (ssize_t)sizeof(value)) value = gt_net_now_us();
    return bound == 0 ? 0 : value % bound;
}

static bool is_hopeless(goat_status status) {
    return status == GOAT_UNTRUSTED || status == GOAT_NEWER_FORMAT || status == GOAT_CORRUPT ||
           status == GOAT_FORBIDDEN;
}

static uint64_t pause_us(gt_client *client) {
    const gt_net_times *times = client->loop->times;
    uint64_t most = times->retry_min_us;
    if (is_hopeless(client->why.status)) return times->retry_untrusted_us / 2 + random_below(times->retry_untrusted_us);
    for (uint32_t i = 0; i < client->failures && most < times->retry_max_us; i++) most *= 2;
    client->failures++;
    return random_below(most < times->retry_max_us ? most : times->retry_max_us);
}

/* The attempt, with all addresses, is over. */
static void attempt_over(gt_client *client) {
    bool was_healthy =
        client->greeted_us != 0 && gt_net_now_us() - client->greeted_us >= client->loop->times->healthy_us;
    if (was_healthy) client->failures = 0;
    client->greeted_us = 0;
    client->step = GT_CLIENT_PAUSED;
    if (client->loop->ends) return;
    client->config.state(client->config.context, false, &client->why);
    if (client->config.once) return;
    gt_timers_set(&client->loop->timers, &client->timer, gt_net_now_us() + pause_us(client));
}

static void fire(gt_timer *timer, uint64_t now_us) {
    (void)now_us;
    gt_client *client = GT_RING_OF(timer, gt_client, timer);
    if (client->step == GT_CLIENT_PAUSED) {
        begin(client);
    } else if (client->step == GT_CLIENT_BETWEEN) {
        try_next(client);
    } else if (client->connection != NULL) { /* the attempt takes too long */
        gt_fail(&client->why, GOAT_OFFLINE, "%s does not answer", client->url.authority);
        client->has_why = true;
        gt_connection_cut(client->connection, GT_FAULT_HANDSHAKE);
    }
}

/* ---- an attempt ---- */

static void found_out(void *context, const gt_lookup_result *result) {
    gt_client *client = context;
    gt_lookup_drop(client->lookup);
    client->lookup = NULL;
    client->why = result->why;
    attempt_over(client);
}

/* All addresses were tried. lws does not tell what the system said: so it is asked once more. */
static void all_failed(gt_client *client) {
    const char *address = client->found.addresses[client->found.count - 1];
    client->step = GT_CLIENT_LOOKS_UP;
    if (client->has_why || gt_lookup_start(client->loop, &client->url, address, found_out, client, &client->lookup,
                                           &client->why) != GOAT_OK) {
        attempt_over(client);
    }
}

/* The connection, or the attempt to make it, is gone. */
void gt_client_connection_gone(gt_client *client) {
    client->connection = NULL;
    gt_timers_set(&client->loop->timers, &client->timer, UINT64_MAX);
    if (client->loop->ends || client->step == GT_CLIENT_OPEN) {
        if (!client->has_why) gt_fail(&client->why, GOAT_OFFLINE, "the connection to %s broke", client->url.authority);
        attempt_over(client);
    } else { /* lws is still at the one that is gone: the next follows when it is done with it */
        client->step = GT_CLIENT_BETWEEN;
        gt_timers_set(&client->loop->timers, &client->timer, gt_net_now_us());
    }
}

static void try_address(gt_client *client, const char *address) {
    gt_loop *loop = client->loop;
    gt_connection *connection = gt_connection_new(loop);
    if (connection == NULL) {
        gt_no_memory(&client->why);
        attempt_over(client);
        return;
    }
    struct lws_client_connect_info info;
    memset(&info, 0, sizeof(info));
    info.context = loop->context;
    info.vhost = loop->vhost;
    info.address = address;
    info.port = client->url.port;
    info.path = client->url.path;
    info.host = client->url.authority;
    info.protocol = GT_SYNC_SUBPROTOCOL;
    info.alpn = "http/1.1";
    info.ietf_version_or_minus_one = -1;
    info.retry_and_idle_policy = &gt_context_no_idle_policy;
    info.ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT;
    if (client->url.secure)
        info.ssl_connection |= LCCSCF_USE_SSL | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK; /* tls.c's */
    info.opaque_user_data = connection;
    connection->is_client = true;
    client->connection = connection;
    client->step = GT_CLIENT_CONNECTS;
    if (client->url.secure) gt_tls_client_clear(&client->tls);
    gt_timers_set(&loop->timers, &client->timer, gt_net_now_us() + loop->times->connect_us);
    struct lws *wsi = lws_client_connect_via_info(&info);
    if (wsi != NULL) {
        if (client->connection == connection) connection->wsi = wsi;
    } else if (client->connection == connection) { /* lws has not called back for its end */
        gt_connection_free(connection);
        gt_client_connection_gone(client);
    }
}

static void try_next(gt_client *client) {
    if (client->next < client->found.count && !client->has_why) {
        try_address(client, client->found.addresses[client->next++]);
    } else {
        all_failed(client);
    }
}

static void looked_up(void *context, const gt_lookup_result *result) {
    gt_client *client = context;
    client->found = *result;
    client->next = 0;
    gt_lookup_drop(client->lookup);
    client->lookup = NULL;
    if (result->count > 0) {
        try_next(client);
    } else {
        client->why = result->why;
        attempt_over(client);
    }
}

static void begin(gt_client *client) {
    if (client->loop->ends) return;
    gt_diag_init(&client->why);
    client->has_why = false;
    client->step = GT_CLIENT_LOOKS_UP;
    if (client->url.secure && gt_tls_client_load(&client->tls, &client->why) != GOAT_OK) {
        attempt_over(client);
        return;
    }
    if (gt_lookup_start(client->loop, &client->url, NULL, looked_up, client, &client->lookup, &client->why) !=
        GOAT_OK) {
        attempt_over(client);
    }
}

/* ---- what happens to the connection ---- */

static void on_greeted(void *owner, gt_connection *connection) {
    gt_client *client = owner;
    (void)connection;
    client->greeted_us = gt_net_now_us();
    client->config.state(client->config.context, true, NULL);
}

static void on_over(void *owner, gt_connection *connection, const gt_diag *why) {
    gt_client *client = owner;
    (void)connection;
    if (client->has_why) return;
    client->has_why = true;
    client->why = *why;
    if (why->status == GOAT_OK) gt_fail(&client->why, GOAT_OFFLINE, "%s ended the connection", client->url.authority);
}

/* ---- life ---- */

static void start(void *argument) { begin(argument); }

static void retry(void *argument) {
    gt_client *client = argument;
    client->failures = 0;
    if (client->step != GT_CLIENT_PAUSED || client->loop->ends) return;
    gt_timers_set(&client->loop->timers, &client->timer, UINT64_MAX);
    begin(client);
}

static void end(void *argument) {
    gt_client *client = argument;
    gt_timers_set(&client->loop->timers, &client->timer, UINT64_MAX);
    gt_lookup_drop(client->lookup);
    client->lookup = NULL;
    gt_loop_end(client->loop);
}

static goat_status fill(gt_client *client, const gt_client_config *config, gt_diag *diag) {
    client->text = gt_copy(client->alloc, config->url.data, config->url.len);
    if (client->text == NULL) return gt_no_memory(diag);
    goat_status status = gt_url_parse(config->url, &client->url, diag);
    if (status == GOAT_OK && client->url.secure) {
        client->tls.host = client->url.host;
        client->tls.is_address = client->url.is_address;
        status = gt_tls_client_new(&client->tls, config->ca_file, diag);
    }
    if (status != GOAT_OK) return status;
    gt_loop_config loop = {
        .alloc = client->alloc,
        .times = config->times == NULL ? &gt_net_times_default : config->times,
        .connections_max = 1,
        .protocols = gt_client_protocols,
        .tls = client->tls.tls,
        .owner = client,
    };
    status = gt_loop_new(&loop, &client->loop, diag);
    if (status != GOAT_OK) return status;
    client->loop->on_greeted = on_greeted;
    client->loop->on_over = on_over;
    client->timer.fire = fire;
    client->start = (gt_task){.run = start, .argument = client};
    client->retry = (gt_task){.run = retry, .argument = client};
    client->end = (gt_task){.run = end, .argument = client};
    gt_loop_post(client->loop, &client->start);
    return gt_loop_start(client->loop, diag);
}

static void free_client(gt_client *client) {
    gt_loop_free(client->loop);
    gt_tls_client_free(&client->tls);
    gt_free(client->alloc, client->text);
    gt_free(client->alloc, client);
}

goat_status gt_client_new(const gt_client_config *config, gt_client **out, gt_diag *diag) {
    *out = NULL;
    gt_client *client = gt_new(config->alloc, 1, sizeof(*client));
    if (client == NULL) return gt_no_memory(diag);
    client->alloc = config->alloc;
    client->config = *config;
    goat_status status = fill(client, config, diag);
    if (status == GOAT_OK) {
        *out = client;
    } else {
        free_client(client);
    }
    return status;
}

const char *gt_client_url(const gt_client *client) { return client->text; }

void gt_client_retry(gt_client *client) { gt_loop_post(client->loop, &client->retry); }

void gt_client_end(gt_client *client) { gt_loop_post(client->loop, &client->end); }

bool gt_client_has_ended(gt_client *client) { return gt_loop_has_ended(client->loop); }

void gt_client_free(gt_client *client) {
    if (client == NULL) return;
    gt_client_end(client);
    free_client(client);
}
