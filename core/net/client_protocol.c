/* What lws calls back for on a client, and what its words mean. */
#include "net/client.h"
#include "net/request.h"

enum { HEADER_MAX = 128 };

static void say(gt_client *client, goat_status status, const char *words) {
    client->has_why = true;
    gt_fail(&client->why, status, "%s %s", client->url.authority, words);
}

static bool begins_with(const char *text, size_t len, const char *prefix) {
    return len >= strlen(prefix) && memcmp(text, prefix, strlen(prefix)) == 0;
}

/* The attempt has failed; `words` are lws's, which tell little. */
static void note_failure(gt_client *client, struct lws *wsi, const char *words, size_t len) {
    unsigned int answer = lws_http_client_http_response(wsi);
    if (client->has_why) return;
    if (client->url.secure && gt_tls_client_failed(&client->tls, &client->why)) {
        client->has_why = true;
    } else if (answer >= 500) {
        say(client, GOAT_OFFLINE, "answers that it cannot serve now (HTTP 5xx)");
    } else if (answer != 0 && answer != 101) {
        say(client, GOAT_NOT_FOUND, "is no libgoat server at this path: it answers in plain HTTP");
    } else if (begins_with(words, len, "HS:")) {
        say(client, GOAT_NOT_FOUND, "does not speak " GT_SYNC_SUBPROTOCOL ": it is no libgoat server");
    } else if (begins_with(words, len, "connect SSL") || begins_with(words, len, "connect SYSCALL")) {
        say(client, GOAT_OFFLINE, "does not speak TLS here, or not a version that is safe");
    } else if (!begins_with(words, len, "Unable to connect") && !begins_with(words, len, "ipv6 ")) {
        say(client, GOAT_OFFLINE,
            client->url.secure ? "closed the connection before it was made"
                               : "closed the connection before it was made; does it want wss://?");
    }
}

/* A server that does not name the subprotocol does not speak it. */
static int check_answer(gt_client *client, struct lws *wsi) {
    char space[HEADER_MAX];
    int len = lws_hdr_copy(wsi, space, sizeof(space), WSI_TOKEN_PROTOCOL);
    if (len > 0 && gt_request_list_has(gt_bytes_of(space, (size_t)len), GT_SYNC_SUBPROTOCOL)) return 0;
    say(client, GOAT_NOT_FOUND, "does not speak " GT_SYNC_SUBPROTOCOL ": it is no libgoat server");
    return -1;
}

static int open(gt_client *client, gt_connection *connection, struct lws *wsi) {
    client->step = GT_CLIENT_OPEN;
    connection->wsi = wsi;
    gt_timers_set(&client->loop->timers, &client->timer, UINT64_MAX);
    return gt_connection_open(connection, client->config.carrier, client->config.context);
}

static void gone(gt_client *client, gt_connection *connection, struct lws *wsi) {
    lws_set_opaque_user_data(wsi, NULL);
    gt_connection_free(connection);
    if (client->connection == connection) gt_client_connection_gone(client);
}

static int on_client(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    (void)user;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH:
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_RECEIVE:
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY: break;
    default: return 0;
    }
    gt_client *client = gt_loop_of(wsi)->owner;
    gt_connection *connection = lws_get_opaque_user_data(wsi);
    if (connection == NULL) return 0;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        note_failure(client, wsi, in == NULL ? "" : in, in == NULL ? 0 : len);
        return 0;
    case LWS_CALLBACK_CLIENT_FILTER_PRE_ESTABLISH: return check_answer(client, wsi);
    case LWS_CALLBACK_CLIENT_ESTABLISHED: return open(client, connection, wsi);
    case LWS_CALLBACK_CLIENT_RECEIVE: return gt_connection_receive(connection, in, len);
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG: return gt_connection_pong(connection);
    case LWS_CALLBACK_CLIENT_WRITEABLE: return gt_connection_write(connection);
    case LWS_CALLBACK_CLIENT_CLOSED: gt_connection_lost(connection); return 0;
    default: gone(client, connection, wsi); return 0;
    }
}

const struct lws_protocols gt_client_protocols[] = {
    {.name = GT_SYNC_SUBPROTOCOL,
     .callback = on_client,
     .rx_buffer_size = GT_NET_RECEIVE_CLIENT,
     .tx_packet_size = GT_NET_FRAGMENT + LWS_PRE},
    {0},
};
