/* One sync connection as a state machine (PROTOCOL.md): packets in, packets out, time passed in. No I/O, no thread,
 * no clock of its own; the same under libwebsockets, in a pipe, and in the simulator.
 *
 * What takes time (decoding, hashing, signatures) is done on a gt_arrival, without the database's lock; taking
 * the result in is short and done with it. Everything here is called with the lock unless it says otherwise.
 *
 * What must always hold: what a peer sent has passed every check before it is admitted; a point is
 * remembered only when all before it is on our disk; memory is bounded whatever the peer does. */
#ifndef GT_SYNC_SYNC_H
#define GT_SYNC_SYNC_H

#include "base/histogram.h"
#include "repo/repo.h"
#include "sync/message.h"
#include "trust/trust.h"

typedef struct gt_sync gt_sync;
typedef struct gt_channel gt_channel;
typedef struct gt_arrival gt_arrival;

typedef enum gt_sync_role { GT_SYNC_CLIENT = 0, GT_SYNC_SERVER = 1 } gt_sync_role;

/* ---- what sync needs of an open repository; lies in the database's mount ---- */

typedef struct gt_shared {
    gt_repo *repo;
    gt_channel *channels; /* of all connections */
    uint64_t announced;   /* length of the log when the channels were last told */
    uint64_t announced_durable;
    uint32_t certificates_seen; /* see gt_shared_sessions_grew */
} gt_shared;

/* What a client keeps of one repository (PROTOCOL.md 6.3); the database stores it. */
typedef struct gt_remembered {
    gt_id peer; /* network id of the server */
    uint8_t point[GT_SYNC_POINT_SIZE];
    uint64_t ours;
    uint64_t held;
    uint8_t chain[GT_CHAIN_SIZE]; /* at held */
} gt_remembered;

/* ---- what sync asks of the database ---- */

typedef enum gt_sync_event_kind {
    GT_SYNC_GREETED, /* the peer has proved its key; `peer` */
    GT_SYNC_OPENED,  /* a channel is open; `path` */
    GT_SYNC_EVEN, /* `path` holds what the peer held when it was opened: caught up. `equal` false: section 7 gave up */
    GT_SYNC_CLOSED,  /* a channel was closed by the peer, or by trouble; `path`, `diag` */
    GT_SYNC_SAFE,    /* batches of ours in `path` are on the peer's disk */
    GT_SYNC_REFUSED, /* the peer refused a batch of ours; `path`, `id`, `diag` */
    GT_SYNC_LISTED, /* client: the peer's repositories; `paths`, each with a NUL behind it. `diag`: or why there are none;
                        `equal`: that was all */
    GT_SYNC_ENDED, /* BYE was said or heard; `diag`, GOAT_OK for a clean end */
} gt_sync_event_kind;

typedef struct gt_sync_event {
    gt_sync_event_kind kind;
    gt_bytes path, paths;
    const gt_id *id;
    const gt_diag *diag;
    bool equal;
} gt_sync_event;

/* Sizes of pieces. Tests make them small, so that what only large repositories show happens in small ones; 0: as usual. */
typedef struct gt_sync_sizes {
    uint32_t window;      /* bytes of DATA granted to the peer */
    uint32_t packet;      /* messages are put together up to about this */
    uint32_t data;        /* of records in one message, so that channels take turns */
    uint32_t point_every; /* bytes of walk */
    uint32_t slice;       /* records looked at in one step of a comparison */
} gt_sync_sizes;

typedef struct gt_sync_host {
    void *context;
    const gt_alloc *alloc;
    gt_hasher *hasher; /* used with the lock */
    goat_random random;
    const gt_id *network;        /* NULL: a client that takes the server's (first use) */
    const uint8_t *root_key;     /* servers: the root's public key */
    const gt_identity *identity; /* whose key is proved */
    gt_keyring *keyring;
    bool read_only;
    gt_sync_sizes sizes;
    size_t *filter_bytes; /* of all connections of the database: bounded together. NULL: this one is on its own */
    int64_t (*wall_ms)(void *context); /* the machine's clock, without a shift */

    /* A server's answer to OPEN, and what gt_sync_open_channel needs: the repository, open. GOAT_LOADING: asked again
     * at the next send. Released by close, once for each GOAT_OK. */
    goat_status (*open)(void *context, gt_bytes path, bool create, gt_shared **shared, gt_diag *diag);
    void (*close)(void *context, gt_shared *shared);
    /* Where certificates are logged, whether or not the peer syncs that. NULL (also the function): nowhere. */
    gt_log *(*sessions)(void *context);
    /* Server: all repositories in order, each with a NUL behind it. GOAT_LOADING as above. */
    goat_status (*list)(void *context, gt_buf *paths, gt_diag *diag);
    /* Server: certifies a session as an anonymous one, if it is not. GOAT_BUSY: asked again a second later. */
    goat_status (*certify)(void *context, const uint8_t public_key[GT_PUBLIC_KEY_SIZE], gt_diag *diag);
    /* The frame for HELLO that certifies our own key; data NULL: it is the root's. Good until the lock is given up. */
    gt_bytes (*certificate)(void *context);
    /* Client: what was remembered of a repository for this peer; false: nothing that may be used (no file, other
     * log, chain does not fit). And what is to be remembered: the database writes it down once the log is durable up to
     * `held`. */
    bool (*recall)(void *context, gt_shared *shared, const gt_id *peer, gt_remembered *remembered);
    void (*remember)(void *context, gt_shared *shared, const gt_remembered *remembered);
    /* Client: commits are to be timed this much later (3.4). */
    void (*shift_clock)(void *context, int64_t shift_ms);
    /* Something can be sent; the transport is to ask. May be called often; must not call back. */
    void (*ready)(void *context);
    void (*event)(void *context, const gt_sync_event *event); /* must not call back */
} gt_sync_host;

/* ---- life ---- */

/* `host` is copied. A client has its HELLO ready to be sent. */
goat_status gt_sync_new(const gt_sync_host *host, gt_sync_role role, uint64_t now_us, gt_sync **sync, gt_diag *diag);
void gt_sync_free(gt_sync *sync); /* closes its channels. NULL is accepted */

/* Asks for a clean end: what is ready is sent, BYE last. */
void gt_sync_end(gt_sync *sync);
/* Whether nothing more is sent or taken: BYE went out, or came, or the peer broke a rule. */
bool gt_sync_has_ended(const gt_sync *sync);

/* ---- packets in ---- */

/* What a peer may send now. More is not even read: signatures are what costs, and each is of something read. */
typedef struct gt_arrival_limits {
    size_t packet;
    int64_t data; /* bytes that there is credit for */
} gt_arrival_limits;
gt_arrival_limits gt_sync_limits(const gt_sync *sync); /* NULL: nothing */

/* The three steps without, with, and without the lock; then gt_sync_receive with it. `packet` stays until the arrival is
 * freed. A packet that cannot be read is an arrival too: receive ends the connection for it. */
goat_status gt_arrival_new(const gt_alloc *alloc, gt_bytes packet, const gt_arrival_limits *limits,
                           gt_arrival **arrival, gt_diag *diag);
void gt_sync_resolve(gt_sync *sync, gt_arrival *arrival); /* which repository and key each batch is for */
void gt_arrival_check(gt_arrival *arrival, gt_hasher *hasher);
/* GOAT_OK; or why the connection has ended (BYE is ready to be sent, if the peer can still use it). */
goat_status gt_sync_receive(gt_sync *sync, gt_arrival *arrival, uint64_t now_us, gt_diag *diag);
void gt_arrival_free(gt_arrival *arrival); /* NULL is accepted */

/* ---- packets out ---- */

/* Appends the next packet, about GT_SYNC_PACKET_USUAL at most; false: nothing to say now. Does a bounded piece of work. */
bool gt_sync_send(gt_sync *sync, uint64_t now_us, gt_buf *packet);
/* Whether send may have something: work goes on, or a timer is due. */
bool gt_sync_is_ready(const gt_sync *sync, uint64_t now_us);
/* When to call send at the latest although nothing came; UINT64_MAX: only when `ready` was called. Until the next call of
 * send the host is taken at its word: what can wait until then does not make it `ready`. */
uint64_t gt_sync_deadline(gt_sync *sync);

/* ---- channels (client) ---- */

/* Wants a repository in sync. Before the greeting they are kept and opened with it. The same path again is no change.
 * `*channel` (may be NULL) is for gt_sync_channel_info: good until the channel is closed by gt_sync_close_channel. */
goat_status gt_sync_open_channel(gt_sync *sync, gt_bytes path, const gt_channel **channel, gt_diag *diag);
void gt_sync_close_channel(gt_sync *sync, gt_bytes path);
/* Asks for the server's repositories; GT_SYNC_LISTED answers, and again for each that is made from then on. */
void gt_sync_ask_list(gt_sync *sync);

/* ---- what happens in the database ---- */

/* The log of a repository has grown, or more of it is durable: those whose channels have something to do by it become
 * ready. Cheap when there are none. */
void gt_shared_changed(gt_shared *shared);
/* The repository has come upon damage: what it took is asked for. */
void gt_shared_missed(gt_shared *shared);
/* Server: a repository was made. A client that has asked for the list is told. */
void gt_sync_repo_made(gt_sync *sync, gt_bytes path);
/* More of /sys/sessions is on the disk: acknowledgements may have waited for it. */
void gt_sync_sessions_safe(gt_sync *sync);
/* /sys/sessions has a new certificate: channels that dropped batches for want of one try again. */
void gt_sync_sessions_grew(gt_sync *sync);

/* How far our own entries of a repository are on the disk of the server of this connection: offset in our log; 0: not known.
 * For GOAT_DURABLE_SERVER. */
uint64_t gt_sync_safe_length(const gt_sync *sync, const gt_shared *shared);

/* ---- what it is at ---- */

typedef struct gt_sync_counters { /* of uint64_t throughout, so that they are added up by adding each */
    uint64_t packets_in, packets_out, bytes_in, bytes_out;
    uint64_t messages_in, messages_out;
    uint64_t batches_in, batches_out, entries_in, entries_out, receipts_in, receipts_out;
    uint64_t batches_known, batches_parked, batches_refused, batches_dropped;
    uint64_t runs, rounds, filter_bytes_in, filter_bytes_out;
    gt_histogram acknowledging; /* from the admission of a batch to its ACK: our log is flushed */
} gt_sync_counters;

typedef struct gt_sync_peer {
    bool greeted;
    gt_id session;
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    gt_id network;
    uint8_t root_key[GT_PUBLIC_KEY_SIZE];
    int64_t clock_ms; /* how far the peer's clock is ahead of ours */
} gt_sync_peer;

typedef struct gt_channel_info {
    gt_bytes path;
    const gt_shared *shared; /* NULL: not open yet */
    bool open, even, unequal;
    bool parted;             /* it is unequal, and two runs more have not changed that, or none will be made */
    uint64_t behind_bytes;   /* of our log, still to be sent */
    uint64_t unacknowledged; /* batches */
    uint64_t coming_bytes, came_bytes; /* what the peer announced, and what has come of it */
} gt_channel_info;

const gt_sync_counters *gt_sync_get_counters(const gt_sync *sync);
const gt_sync_peer *gt_sync_get_peer(const gt_sync *sync);
const gt_diag *gt_sync_get_failure(const gt_sync *sync); /* why it has ended */
/* The channel behind `channel`, NULL for the first; NULL behind the last. Good until anything else is called. */
const gt_channel *gt_sync_next_channel(const gt_sync *sync, const gt_channel *channel);
/* The channel of a repository that is held on this connection; NULL. */
const gt_channel *gt_sync_channel_of(const gt_sync *sync, const gt_shared *shared);
/* False, without a look at the channel, when the connection has ended: it has none any more. */
bool gt_sync_channel_info(const gt_sync *sync, const gt_channel *channel, gt_channel_info *info);

#endif
