/* Who is let in. At most so many connections, so many of one address, and so many that have not shown what they want:
 * beyond that newcomers wait in the kernel's queue, so that a flood costs those who are there nothing. */
#define _GNU_SOURCE
#include "net/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

enum { REOPEN_US = 1000 * 1000 };

static void set_shut(gt_server *server, bool shut) {
    if (server->door == NULL || server->is_shut == shut) return;
    server->is_shut = shut;
    lws_rx_flow_control(server->door, !shut);
}

static void reopen(gt_timer *timer, uint64_t now_us) {
    (void)now_us;
    set_shut(GT_RING_OF(timer, gt_server, reopen), false);
}

goat_status gt_server_open_door(gt_server *server, gt_diag *diag) {
    lws_adopt_desc_t door = {.vh = server->loop->vhost, .type = LWS_ADOPT_RAW_FILE_DESC, .vh_prot_name = "(door)"};
    door.fd.filefd = server->listener.descriptor;
    server->reopen.fire = reopen;
    server->door = lws_adopt_descriptor_vhost_via_info(&door);
    if (server->door == NULL) return gt_fail(diag, GOAT_IO, "the network cannot be set up: out of memory or files");
    server->listener.descriptor = -1; /* lws closes it */
    return GOAT_OK;
}

void gt_server_close_door(gt_server *server) {
    if (server->door != NULL) lws_set_timeout(server->door, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    server->door = NULL;
}

/* ---- one who comes ---- */

static void refuse(gt_server *server, int descriptor, gt_refusal why) {
    server->loop->metrics.refused[why]++;
    close(descriptor);
}

static void adopt(gt_server *server, int descriptor, const uint8_t *address) {
    gt_loop *loop = server->loop;
    lws_adopt_desc_t guest = {.vh = loop->vhost, .type = LWS_ADOPT_SOCKET | LWS_ADOPT_HTTP};
    int on = 1;
    gt_connection *connection = gt_connection_new(loop);
    if (connection == NULL) {
        gt_addresses_leave(&server->addresses, address);
        refuse(server, descriptor, GT_REFUSED_MEMORY);
        return;
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    memcpy(connection->address, address, sizeof(connection->address));
    connection->accepted_us = gt_net_now_us();
    gt_ring_append(&server->pending, &connection->pending);
    server->pending_count++;
    loop->metrics.accepted++;
    guest.fd.sockfd = descriptor;
    guest.opaque = connection;
    if (server->tls != NULL) guest.type |= LWS_ADOPT_ALLOW_SSL;
    loop->current = connection;
    struct lws *wsi = lws_adopt_descriptor_vhost_via_info(&guest);
    if (wsi != NULL) {
        if (loop->current == connection) connection->wsi = wsi;
    } else if (loop->current == connection) { /* lws has not called back for its end */
        gt_server_gone(server, connection);
        gt_connection_free(connection);
    }
    loop->current = NULL;
}

static void let_in(gt_server *server, int descriptor, const struct sockaddr_storage *peer) {
    uint8_t address[GT_NET_ADDRESS_SIZE];
    uint32_t per_address = server->config.per_address_max == 0 ? UINT32_MAX : server->config.per_address_max;
    if (server->loop->connection_count >= server->connections_max) {
        refuse(server, descriptor, GT_REFUSED_FULL);
        return;
    }
    gt_address_of(peer, address);
    switch (gt_addresses_enter(&server->addresses, address, per_address)) {
    case GOAT_OK: adopt(server, descriptor, address); break;
    case GOAT_TOO_LARGE: refuse(server, descriptor, GT_REFUSED_ADDRESS); break;
    default: refuse(server, descriptor, GT_REFUSED_MEMORY); break;
    }
}

int gt_server_accept(gt_server *server) {
    int door = lws_get_socket_fd(server->door);
    for (int i = 0; i < GT_NET_ACCEPT_MAX; i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        memset(&peer, 0, sizeof(peer));
        if (server->pending_count >= GT_NET_PENDING_MAX) {
            set_shut(server, true);
            break;
        }
        int descriptor = accept4(door, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor >= 0) {
            let_in(server, descriptor, &peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            /* The socket stays readable: looking at it again at once would do nothing else for ever. */
            server->loop->metrics.refused[GT_REFUSED_DESCRIPTORS]++;
            set_shut(server, true);
            gt_timers_set(&server->loop->timers, &server->reopen, gt_net_now_us() + REOPEN_US);
            break;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            break;
        }
    }
    return 0;
}

/* ---- those who are in ---- */

void gt_server_admitted(gt_server *server, gt_connection *connection) {
    if (!gt_ring_node_is_in(&connection->pending)) return;
    gt_ring_node_remove(&connection->pending);
    server->pending_count--;
    if (server->reopen.place == 0 && server->pending_count < GT_NET_PENDING_MAX) set_shut(server, false);
}

void gt_server_gone(gt_server *server, gt_connection *connection) {
    gt_server_admitted(server, connection);
    gt_addresses_leave(&server->addresses, connection->address);
}

/* Who has not shown in time what he wants. While there is no room for others he has less time. */
bool gt_server_check(void *owner, uint64_t now_us) {
    gt_server *server = owner;
    const gt_net_times *times = server->loop->times;
    bool full = server->pending_count >= GT_NET_PENDING_MAX;
    gt_ring_node *node;
    while ((node = gt_ring_first(&server->pending)) != NULL) {
        gt_connection *first = GT_RING_OF(node, gt_connection, pending);
        uint64_t time = full ? times->handshake_full_us : times->handshake_us;
        if (now_us < first->accepted_us + time) break;
        gt_server_admitted(server, first);
        gt_connection_cut(first, GT_FAULT_HANDSHAKE);
    }
    return node != NULL;
}
