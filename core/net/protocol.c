/* What lws calls back for on a server: HTTP, the upgrade, WebSocket messages, and the ends of connections. */
#define _GNU_SOURCE
#include "net/request.h"
#include "net/server.h"

#include <strings.h>
#include <unistd.h>

enum { HEADER_MAX = 512 };

static gt_server *server_of(struct lws *wsi) { return gt_loop_of(wsi)->owner; }

/* ---- the upgrade ---- */

/* What the server was told to listen on, what its machine is called, and what its certificate is for. */
static bool is_own_name(void *context, const char *name) {
    gt_server *server = context;
    char own[GT_REQUEST_HOST_MAX + 1];
    if (strcasecmp(name, server->config.host) == 0) return true;
    if (gethostname(own, sizeof(own)) == 0 && memchr(own, 0, sizeof(own)) != NULL && strcasecmp(name, own) == 0)
        return true;
    return server->tls != NULL && gt_tls_server_is_for(server->tls, name);
}

static bool may_come_from(gt_server *server, struct lws *wsi) {
    char origin_space[HEADER_MAX], host_space[HEADER_MAX];
    gt_bytes origin = gt_http_header(wsi, WSI_TOKEN_ORIGIN, origin_space, sizeof(origin_space));
    gt_bytes host = gt_http_header(wsi, WSI_TOKEN_HOST, host_space, sizeof(host_space));
    if (origin.data == NULL && lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0)
        return false; /* too long to be looked at */
    return gt_request_origin_allowed(origin, host, server->config.origins, is_own_name, server);
}

static int confirm_upgrade(gt_server *server, gt_connection *connection, struct lws *wsi, const char *what) {
    char space[HEADER_MAX];
    /* After an upgrade that it does not know lws has answered already, and forgotten what `what` points to. */
    if (lws_hdr_total_length(wsi, WSI_TOKEN_UPGRADE) <= 0) return -1;
    if (strcasecmp(what, "websocket") != 0) return -1;
    if (server->loop->ends) return gt_http_refuse(connection, HTTP_STATUS_SERVICE_UNAVAILABLE, "the server ends");
    if (!may_come_from(server, wsi)) {
        server->loop->metrics.faults[GT_FAULT_ORIGIN]++;
        return gt_http_refuse(connection, HTTP_STATUS_FORBIDDEN, "pages of this origin may not connect");
    }
    gt_bytes version = gt_http_header(wsi, WSI_TOKEN_VERSION, space, sizeof(space));
    if (!gt_bytes_equal(version, gt_bytes_text("13"))) {
        return gt_http_refuse(connection, HTTP_STATUS_BAD_REQUEST, "version 13 of WebSocket is spoken here");
    }
    gt_bytes protocols = gt_http_header(wsi, WSI_TOKEN_PROTOCOL, space, sizeof(space));
    if (protocols.data == NULL || !gt_request_list_has(protocols, GT_SYNC_SUBPROTOCOL)) {
        return gt_http_refuse(connection, HTTP_STATUS_BAD_REQUEST,
                              "the subprotocol " GT_SYNC_SUBPROTOCOL " is spoken here");
    }
    return 0;
}

/* ---- HTTP: what everybody begins with ---- */

static int fill_tls(gt_server *server, void *tls) {
    return gt_tls_server_apply(&server->tls, tls, server->tls_diag) == GOAT_OK ? 0 : 1;
}

static int on_http(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    (void)len;
    gt_connection *connection;
    switch (reason) {
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS: return fill_tls(server_of(wsi), user);
    case LWS_CALLBACK_HTTP:
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_WSI_DESTROY: connection = lws_get_opaque_user_data(wsi); break;
    case LWS_CALLBACK_HTTP_BODY:
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
    case LWS_CALLBACK_ESTABLISHED: /* somebody upgraded to the protocol of this name, which none can be asked for */
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
    case LWS_CALLBACK_RAW_ADOPT: /* CONNECT */
    case LWS_CALLBACK_RAW_RX: return -1;
    default: return 0;
    }
    if (connection == NULL) return 0;
    connection->wsi = wsi;
    switch (reason) {
    case LWS_CALLBACK_HTTP:
        gt_server_admitted(server_of(wsi), connection);
        return gt_http_request(connection, &server_of(wsi)->http);
    case LWS_CALLBACK_HTTP_WRITEABLE: return gt_http_write(connection);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return confirm_upgrade(server_of(wsi), connection, wsi, in);
    case LWS_CALLBACK_CLOSED_HTTP: gt_connection_lost(connection); return 0;
    default: /* the very end */
        lws_set_opaque_user_data(wsi, NULL);
        gt_server_gone(server_of(wsi), connection);
        gt_connection_free(connection);
        return 0;
    }
}

/* ---- WebSocket ---- */

static int on_sync(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    (void)user;
    gt_server *server;
    gt_connection *connection;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
    case LWS_CALLBACK_RECEIVE:
    case LWS_CALLBACK_RECEIVE_PONG:
    case LWS_CALLBACK_SERVER_WRITEABLE:
    case LWS_CALLBACK_CLOSED: connection = lws_get_opaque_user_data(wsi); break;
    default: return 0;
    }
    if (connection == NULL) return -1;
    switch (reason) {
    case LWS_CALLBACK_ESTABLISHED:
        server = server_of(wsi);
        connection->wsi = wsi;
        gt_server_admitted(server, connection);
        return gt_connection_open(connection, server->config.carrier, server->config.context);
    case LWS_CALLBACK_RECEIVE: return gt_connection_receive(connection, in, len);
    case LWS_CALLBACK_RECEIVE_PONG: return gt_connection_pong(connection);
    case LWS_CALLBACK_SERVER_WRITEABLE: return gt_connection_write(connection);
    default: gt_connection_lost(connection); return 0;
    }
}

/* ---- the listening socket ---- */

static int on_door(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t len) {
    (void)user;
    (void)in;
    (void)len;
    gt_server *server;
    if (reason != LWS_CALLBACK_RAW_RX_FILE) return 0;
    server = server_of(wsi);
    return server->door == NULL ? 0 : gt_server_accept(server);
}

/* Names in parentheses cannot be asked for as a subprotocol. */
const struct lws_protocols gt_server_protocols[] = {
    {.name = "(http)",
     .callback = on_http,
     .rx_buffer_size = GT_NET_RECEIVE_SERVER,
     .tx_packet_size = GT_NET_FRAGMENT + LWS_PRE},
    {.name = GT_SYNC_SUBPROTOCOL,
     .callback = on_sync,
     .rx_buffer_size = GT_NET_RECEIVE_SERVER,
     .tx_packet_size = GT_NET_FRAGMENT + LWS_PRE},
    {.name = "(door)", .callback = on_door},
    {0},
};
