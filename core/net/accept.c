/* Who is let in. At most so many connections, so many of one address, and so many that have not shown what they want.
 *
 * Newcomers never wait for those: where there are too many of one address its oldest one is cut, where there are too many
 * in all the oldest one of the address that has most. So whoever shows at once what he wants gets in through a flood, and
 * silence costs who keeps it his place. */
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
    if (server->listener.descriptor >= server->loop->descriptors_max) {
        return gt_fail(diag, GOAT_FULL, "the process has too many files open");
    }
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

static void adopt(gt_server *server, int descriptor, uint32_t address) {
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
    connection->address = address;
    connection->accepted_us = gt_net_now_us();
    gt_ring_append(&server->pending, &connection->pending);
    server->pending_count++;
    server->addresses.rows[address].pending++;
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

/* ---- room for one who comes ---- */

static uint32_t pending_of(const gt_server *server, const gt_connection *connection) {
    return server->addresses.rows[connection->address].pending;
}

static void cut_pending(gt_server *server, gt_connection *connection) {
    gt_server_admitted(server, connection);
    gt_connection_cut(connection, GT_FAULT_HANDSHAKE);
}

/* The oldest one that is pending, of this address. */
static gt_connection *oldest_of(const gt_server *server, uint32_t address) {
    for (gt_ring_node *node = gt_ring_first(&server->pending); node != NULL;
         node = gt_ring_after(&server->pending, node)) {
        gt_connection *one = GT_RING_OF(node, gt_connection, pending);
        if (one->address == address) return one;
    }
    return NULL;
}

/* The oldest one that is pending, of the address that has most of them. */
static gt_connection *oldest_of_most(const gt_server *server) {
    gt_connection *found = NULL;
    for (gt_ring_node *node = gt_ring_first(&server->pending); node != NULL;
         node = gt_ring_after(&server->pending, node)) {
        gt_connection *one = GT_RING_OF(node, gt_connection, pending);
        if (found == NULL || pending_of(server, one) > pending_of(server, found)) found = one;
    }
    return found;
}

static uint32_t address_max(const gt_server *server) {
    uint32_t part = server->connections_max / GT_NET_PENDING_PART;
    if (part < GT_NET_PENDING_ADDRESS_MIN) return GT_NET_PENDING_ADDRESS_MIN;
    return part < GT_NET_PENDING_ADDRESS_MAX ? part : GT_NET_PENDING_ADDRESS_MAX;
}

/* For one more that is pending. False: there is no place, and nobody is there who took more than this address has. */
static bool make_room(gt_server *server, uint32_t address) {
    uint32_t own = server->addresses.rows[address].pending;
    bool full = server->loop->connection_count >= server->connections_max;
    gt_connection *victim = NULL;
    if (own >= address_max(server)) {
        victim = oldest_of(server, address);
    } else if (full || server->pending_count >= GT_NET_PENDING_MAX) {
        victim = oldest_of_most(server);
        if (full && (victim == NULL || pending_of(server, victim) <= own + 1)) return false;
    }
    if (victim != NULL) cut_pending(server, victim);
    return true;
}

static void let_in(gt_server *server, int descriptor, const struct sockaddr_storage *peer) {
    uint8_t address[GT_NET_ADDRESS_SIZE];
    uint32_t per_address = server->config.per_address_max == 0 ? UINT32_MAX : server->config.per_address_max, row;
    if (descriptor >= server->loop->descriptors_max) {
        refuse(server, descriptor, GT_REFUSED_DESCRIPTORS);
        return;
    }
    gt_address_of(peer, address);
    switch (gt_addresses_enter(&server->addresses, address, per_address, &row)) {
    case GOAT_OK: break;
    case GOAT_TOO_LARGE: refuse(server, descriptor, GT_REFUSED_ADDRESS); return;
    default: refuse(server, descriptor, GT_REFUSED_MEMORY); return;
    }
    if (make_room(server, row)) {
        adopt(server, descriptor, row);
    } else {
        gt_addresses_leave(&server->addresses, row);
        refuse(server, descriptor, GT_REFUSED_FULL);
    }
}

int gt_server_accept(gt_server *server) {
    int door = lws_get_socket_fd(server->door);
    for (int i = 0; i < GT_NET_ACCEPT_MAX; i++) {
        struct sockaddr_storage peer;
        socklen_t len = sizeof(peer);
        memset(&peer, 0, sizeof(peer));
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
    server->addresses.rows[connection->address].pending--;
}

void gt_server_gone(gt_server *server, gt_connection *connection) {
    gt_server_admitted(server, connection);
    gt_addresses_leave(&server->addresses, connection->address);
}

/* Who has not shown in time what he wants. */
bool gt_server_check(void *owner, uint64_t now_us) {
    gt_server *server = owner;
    gt_ring_node *node;
    while ((node = gt_ring_first(&server->pending)) != NULL) {
        gt_connection *first = GT_RING_OF(node, gt_connection, pending);
        if (now_us < first->accepted_us + server->loop->times->handshake_us) break;
        cut_pending(server, first);
    }
    return node != NULL;
}
