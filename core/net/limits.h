/* The numbers of this module. Those that are times may be shortened by a test; nobody else changes them. */
#ifndef GT_NET_LIMITS_H
#define GT_NET_LIMITS_H

#include "sync/limits.h"

#include <stddef.h>
#include <stdint.h>

enum {
    GT_NET_CONNECTIONS = 20000,       /* on one server, unless its configuration says another number */
    GT_NET_CONNECTIONS_MAX = 1000000, /* what a configuration may say */
    GT_NET_PENDING_MAX = 1024,        /* accepted, and not past TLS and HTTP yet */
    GT_NET_PENDING_ADDRESS_MAX = 256, /* of them, from one address */
    GT_NET_PENDING_ADDRESS_MIN = 4,   /* also on a small server, where it is */
    GT_NET_PENDING_PART = 4,          /* every fourth place */
    GT_NET_FILES_MAX = 256,           /* static files that are being sent: each is a file descriptor more */
    GT_NET_FILES_PART = 2,            /* and at most for every second place of the server */
    GT_NET_ACCEPT_MAX = 64,           /* accepted in one go: others have their turn */
    GT_NET_BACKLOG = 4096,            /* asked of the kernel, which may give less */
    GT_NET_ADDRESS_SIZE = 16,         /* what the limit per address counts by: IPv4 mapped, IPv6 by its /64 */
    GT_NET_RECEIVE_SERVER = 4096,     /* bytes lws hands over at a time, and keeps for each connection */
    GT_NET_RECEIVE_CLIENT = 64 * 1024,
    GT_NET_READ_ON_MAX = 64 * 1024,      /* of a half-received message before others have their turn */
    GT_NET_FRAGMENT = 128 * 1024,        /* a larger packet goes out as several WebSocket frames */
    GT_NET_WRITES_MAX = 4,               /* packets sent for one connection before others have their turn */
    GT_NET_HALF_MAX = 256 * 1024 * 1024, /* half-received messages of all connections of a loop */
    GT_NET_HALF_MIN = 16 * 1024,         /* first allocation for one */
    GT_NET_HEADERS_MAX = 8192,           /* bytes of an HTTP request's head */
    GT_NET_PING_GROUPS = 9,              /* one is pinged at a time, lest there are bursts … */
    GT_NET_PING_TICKS = 3,               /* … every third tick: everybody every 27 seconds */
    GT_NET_ADDRESSES_MAX = 8,            /* of one name that are tried */
};

typedef struct gt_net_times {
    uint64_t tick_us;                    /* how often what is overdue is looked for; more seldom when all is calm */
    uint64_t handshake_us;               /* TLS and HTTP up to the upgrade, or the first request */
    uint64_t stall_us;                   /* output that does not move */
    uint64_t end_us;                     /* a clean end may take so long */
    uint64_t connect_us;                 /* client: one attempt at one address, up to the upgrade */
    uint64_t retry_min_us, retry_max_us; /* client: bounds of the growing pause between attempts */
    uint64_t retry_untrusted_us;         /* client: the pause when trying again cannot help */
    uint64_t healthy_us;                 /* client: a connection that lasted so long begins the pauses anew */
} gt_net_times;

extern const gt_net_times gt_net_times_default;

#endif
