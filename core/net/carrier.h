/* What an open WebSocket carries: a gt_link, or a stranger's question (gt_probe). All calls are made on the thread of
 * the loop.
 *
 * A carrier says that it has something to send by gt_connection_ready(), from any thread; it is then asked to send
 * until it says false, or that there is nothing more for a while. */
#ifndef GT_NET_CARRIER_H
#define GT_NET_CARRIER_H

#include "sync/sync.h"

typedef struct gt_connection gt_connection;

/* From any thread: what is carried may have something to send. */
void gt_connection_ready(gt_connection *connection);

typedef struct gt_carried_counts { /* sums over what is carried now, and was */
    gt_sync_counters sync;
    uint64_t greeted;        /* peers that have proved their keys, now */
    uint64_t channels;       /* open ones, now */
    uint64_t behind_bytes;   /* of logs that peers lack, now */
    uint64_t unacknowledged; /* batches on their way, now */
} gt_carried_counts;

typedef struct gt_carrier {
    /* The WebSocket is open. GOAT_OK, or why it is to be closed again. */
    goat_status (*begin)(void *context, gt_connection *connection, void **carried, gt_diag *diag);
    /* One whole packet. GOAT_OK; or why it has ended, and what is left to say can be sent. */
    goat_status (*receive)(void *carried, gt_bytes packet, gt_hasher *hasher, gt_diag *diag);
    /* Appends the next packet; false: nothing to say now. */
    bool (*send)(void *carried, gt_buf *packet);
    /* In how many microseconds to ask send at the latest; 0: there is more now; UINT64_MAX: when it is ready. */
    uint64_t (*wait_us)(void *carried);
    /* Whether the peer has proved its key. */
    bool (*is_greeted)(void *carried);
    /* Says good-bye behind what is ready to be sent. */
    void (*end)(void *carried);
    /* Whether nothing more is sent or taken, and why (GOAT_OK: a clean end). */
    bool (*has_ended)(void *carried, gt_diag *why);
    /* Adds what it counts; `last`: it is about to be freed, so nothing counts as being there now. */
    void (*count)(void *carried, gt_carried_counts *counts, bool last);
    void (*free)(void *carried);
} gt_carrier;

#endif
