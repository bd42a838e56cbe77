/* One accepted or made connection, from its first byte to its last: joining fragments, sending packets, and being cut
 * when it misbehaves. What its packets mean is the carrier's (carrier.h).
 *
 * What must always hold: an idle connection holds no buffer; what is half received is bounded for each and for all; at
 * most one packet is on its way, the rest waits in the carrier. */
#ifndef GT_NET_CONNECTION_H
#define GT_NET_CONNECTION_H

#include "net/loop.h"

typedef struct gt_answer gt_answer; /* http.h: what an HTTP request is being answered with */

struct gt_connection {
    gt_loop *loop;
    struct lws *wsi;
    const gt_carrier *carrier;
    void *carried; /* NULL: no WebSocket, or not any more */
    gt_ring_node node, waiting, reading, group, ready;
    gt_ring_node pending;           /* server.c: not past TLS and HTTP yet */
    gt_timer timer;                 /* the carrier's */
    uint64_t accepted_us, asked_us; /* the latter while it is in the list of those that wait */
    gt_buf in;                      /* half of a message */
    gt_buf out;                     /* a packet that goes out in fragments, with room for a frame's head before it */
    size_t out_at;                  /* how far it went; 0: nothing is on its way */
    int unsent;                     /* bytes in the kernel when a ping was overdue; -1: not looked at */
    bool is_client, is_greeted;
    bool is_pinged, is_heard, wants_ping;
    bool wants_more;   /* there may be something else to write than a ping */
    bool got_some;     /* of a half-received message, since this was last cleared */
    bool is_over;      /* what it carries has ended: what comes is not looked at */
    uint32_t address;  /* accept.c: a row */
    gt_answer *answer; /* NULL */
};

/* NULL: no memory. */
gt_connection *gt_connection_new(gt_loop *loop);
/* lws has forgotten it. */
void gt_connection_free(gt_connection *connection);

/* ---- what lws calls back for; not 0: it is to be closed ---- */

int gt_connection_open(gt_connection *connection, const gt_carrier *carrier, void *context);
int gt_connection_receive(gt_connection *connection, const void *bytes, size_t len);
int gt_connection_pong(gt_connection *connection);
int gt_connection_write(gt_connection *connection);
void gt_connection_lost(gt_connection *connection); /* the WebSocket is closed */

/* ---- */

/* It is to be written to as soon as that is possible. */
void gt_connection_ask(gt_connection *connection);
/* It was written to, or nothing is to be written after all. */
void gt_connection_moved(gt_connection *connection);
/* Closed at once; not from inside one of its own callbacks. */
void gt_connection_cut(gt_connection *connection, gt_net_fault fault);

/* All of a loop: what is overdue; half-received messages; good-bye. */
void gt_connections_check(gt_loop *loop, uint64_t now_us);
void gt_connections_read_on(gt_loop *loop);
void gt_connections_end(gt_loop *loop);
/* The sums over those that are there and those that were. */
void gt_connections_count(const gt_loop *loop, gt_carried_counts *counts);

#endif
