/* What the files of core/sync share: the connection, its channels, and who does what to them.
 *
 * Direct answers go into `out` at once; everything else (data, acknowledgements, points, wants) is made when the
 * transport asks for a packet, from what the logs say then. So what waits for a slow peer is a few numbers. */
#ifndef GT_SYNC_INTERNAL_H
#define GT_SYNC_INTERNAL_H

#include "base/assert.h"
#include "base/index.h"
#include "commit/receipt.h"
#include "sync/bloom.h"
#include "sync/queue.h"
#include "sync/sent.h"
#include "sync/sync.h"

/* ---- a received packet ---- */

typedef enum gt_verdict {
    GT_VERDICT_NONE,    /* not looked at (its channel is not open) */
    GT_VERDICT_GOOD,    /* hashed, and signed by who says so */
    GT_VERDICT_UNKNOWN, /* its session is not certified here */
    GT_VERDICT_MAY_NOT, /* its session may not write there */
    GT_VERDICT_FORGED,  /* no honest peer sends this */
    GT_VERDICT_TROUBLE, /* no memory */
} gt_verdict;

typedef struct gt_arrived {
    gt_verdict verdict;
    gt_batch *batch; /* one of the two */
    gt_receipt *receipt;
    bool has_key;
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    const gt_diag *diag; /* in the arena; NULL: nothing to say */
} gt_arrived;

typedef struct gt_arrived_message {
    gt_message message;
    gt_place place;      /* of DATA, once resolved */
    gt_arrived *records; /* of DATA */
    gt_arrival *arrival;
    struct gt_arrived_message *next;
} gt_arrived_message;

struct gt_arrival {
    const gt_alloc *alloc;
    gt_arena arena;
    gt_bytes packet;
    gt_arrived_message *first;
    uint32_t message_count;
    int64_t data;         /* bytes of it that there is credit for */
    goat_status status;   /* what the packet as a whole came to */
    const gt_diag *words; /* in the arena: of all that a session may not; NULL: none yet */
    gt_diag diag;
};

/* With the lock: what was of an unknown session when the packet was resolved, and may be known by now. */
void gt_arrived_check_late(gt_sync *sync, const gt_arrived_message *arrived, gt_arrived *record);

/* ---- a channel ---- */

typedef enum gt_channel_state {
    GT_CHANNEL_WANTED,  /* client: to be opened */
    GT_CHANNEL_ASKED,   /* client: OPEN is sent */
    GT_CHANNEL_OPENING, /* server: the repository is still being read */
    GT_CHANNEL_OPEN,
    GT_CHANNEL_PAUSED, /* client: was closed, is tried again */
    GT_CHANNEL_OVER,   /* to be freed; its number is 0 */
} gt_channel_state;

typedef struct gt_stretch { /* of our log: records that came from this peer */
    uint64_t start, end;
} gt_stretch;

typedef struct gt_taken { /* a batch that we are to acknowledge */
    gt_id batch;
    uint64_t at_us; /* when it was admitted */
    uint64_t end;   /* safe when our log is durable up to here */
    uint64_t
        sessions_end; /* … and that of /sys/sessions up to here: without its certificate it could not be read again */
} gt_taken;

typedef struct gt_mark { /* after `count` records of the peer's walk: what follows began at `before` in our log */
    uint64_t count, before;
} gt_mark;

typedef struct gt_comparison gt_comparison; /* compare.c */

struct gt_channel {
    gt_sync *sync;
    gt_channel *next; /* in the connection */
    gt_channel *next_of_shared;
    gt_shared *shared; /* NULL: not held */
    uint32_t number;
    gt_channel_state state;
    size_t path_len;
    char path[GT_LOG_REPOSITORY_MAX + 1];
    uint32_t open_flags; /* server: of the OPEN that waits; client: of the one that was sent */
    uint64_t open_count;
    uint8_t open_point[GT_SYNC_POINT_SIZE];
    bool has_point;
    uint64_t asked_us; /* when an answer began to be waited for; 0: none is */
    uint64_t retry_us; /* WANTED, OPENING, PAUSED: not before this */
    uint64_t pause_us;
    goat_status closed_with;

    /* our walk */
    uint64_t cursor;
    uint64_t walk_us; /* it rests until then: memory had run out */
    uint64_t unsent;  /* start of the first record that it passed over; UINT64_MAX: none */
    uint64_t end_at;  /* server: the length at which `end` is said; 0: was said, or never is */
    gt_queue echo;    /* gt_stretch, ascending */
    gt_sent_list sent;
    gt_queue refused; /* gt_id: batches of ours that the peer does not take */
    gt_index refused_index;

    /* the peer's */
    uint64_t received;      /* records of its walk */
    gt_queue marks;         /* gt_mark */
    uint64_t uncovered;     /* where in our log what no point covers begins; UINT64_MAX: nowhere */
    gt_queue taken;         /* gt_taken */
    gt_queue waiting;       /* gt_id: batches that are to be acknowledged once they could be taken in */
    uint64_t waiting_seen;  /* length of our log when they were last looked at */
    gt_queue wanted;        /* gt_id: what the peer wants */
    uint32_t wanted_record; /* of the first of these: where to go on; GT_NONE: from its first */
    bool dropped;           /* batches were, for want of a certificate or too large to wait */
    bool again;             /* a new run is to begin */
    bool even, unequal;
    bool lacks;      /* something that batches wait for is to be asked for */
    uint64_t ask_us; /* not before this */
    uint64_t ask_pause_us, ask_cursor;
    bool heals;   /* a run has ended, and damage is not set aside */
    bool skipped; /* client: records of our log that wait for what damage took were not sent */
    uint64_t coming, came;
    uint64_t their_count; /* client: entries that the server held at OPENED */

    /* points */
    gt_queue unsafe;                           /* server: ends of records that were sent before they were durable */
    uint64_t point_given, point_us, point_min; /* length, when, none below */
    bool point_again;                          /* … even of that length: more has come since */
    bool point_is_void;                        /* the last one was, since our log had gaps */
    bool trusted;                              /* client: `ours` is meaningful */
    gt_remembered remembered;                  /* client */
    bool new_point_is_later;                   /* … and was given after the last run */
    bool has_new_point;                        /* client: it came, and is not remembered yet */
    uint64_t new_point_covers;                 /* records of the peer's walk */
    uint64_t new_point_ours;                   /* no more of ours was safe when it came */
    uint8_t new_point[GT_SYNC_POINT_SIZE];

    gt_comparison *run; /* NULL: none is under way */
    uint32_t run_number;
    uint64_t run_us, run_pause_us; /* client: when one that ended unequal is followed by another; 0: not */
};

/* Where DATA comes from. */
typedef enum gt_source { GT_SOURCE_WANTED, GT_SOURCE_RUN, GT_SOURCE_WALK } gt_source;

typedef enum gt_phase {
    GT_PHASE_HELLO, /* waits for the peer's HELLO */
    GT_PHASE_PROOF, /* waits for its PROOF */
    GT_PHASE_GREETED,
    GT_PHASE_ENDED,
} gt_phase;

struct gt_sync {
    gt_sync_host host;
    gt_sync_role role;
    gt_phase phase;
    gt_buf out; /* answers that wait for the next packet */
    uint8_t nonce[GT_SYNC_NONCE_SIZE];
    uint64_t began_us, hello_us; /* hello_us 0: ours was not sent yet */
    gt_buf hello;                /* ours, until the proofs are made */
    gt_buf expected;             /* what the peer's PROOF must sign */
    gt_buf proof;                /* client: ours, sent when the server's was checked */
    gt_id network;
    bool has_network;

    int64_t credit;     /* bytes of DATA that we may send */
    int64_t granted;    /* bytes of DATA that the peer may send */
    int64_t unreturned; /* taken in, to be granted again */

    gt_channel *channels; /* in order of opening */
    gt_channel *turn;     /* whose walk goes next */
    gt_channel *alone;    /* who has something that needs a packet of its own; NULL */
    gt_source alone_source;
    size_t packet_begin;                   /* in the buffer of the packet that is being made */
    size_t filter_bytes;                   /* of the peer's filters that are kept */
    size_t own_filter_bytes;               /* of ours that are being made */
    size_t wanted, waiting, owed, refused; /* items of these queues, on all channels */
    uint32_t next_number, channel_count;
    bool asks_list, lists;
    bool list_followed; /* LIST was said: the client hears of what is made later */
    uint64_t list_us;   /* the server's list is not looked at before this */
    bool certify_asked;
    uint64_t certify_us; /* server: too many asked to be certified, the peer's turn may come then; 0: it does not ask */
    bool due;            /* send may have something */
    bool ends;           /* BYE is to be said */
    bool bye_said;
    uint64_t now_us;      /* of the call under way */
    uint64_t deadline_us; /* which the host was told since it last called send; UINT64_MAX: none */
    gt_diag failure;
    gt_sync_counters counters;
    gt_sync_peer peer;
};

/* ---- sync.c ---- */

/* Whether a body of `len` bytes has room in the packet that is being made. If not, whoever has it is asked first for the
 * next one, which is then his alone. */
bool gt_sync_has_room(gt_channel *channel, gt_source source, const gt_buf *packet, size_t len);

/* Ends the connection: BYE with these words, unless one was said. Returns `status`. */
goat_status gt_sync_fail(gt_sync *sync, goat_status status, const gt_diag *diag);
void gt_sync_due(gt_sync *sync);
void gt_sync_event_of(gt_sync *sync, gt_sync_event_kind kind, const gt_channel *channel, const gt_diag *diag);
/* A new run on this channel; the server asks the client for one. */
void gt_sync_again(gt_channel *channel);
gt_channel *gt_sync_find_channel(const gt_sync *sync, uint32_t number);

/* ---- handshake.c ---- */

goat_status gt_handshake_begin(gt_sync *sync, gt_diag *diag); /* client: HELLO */
goat_status gt_handshake_hello(gt_sync *sync, const gt_message *message, gt_diag *diag);
goat_status gt_handshake_proof(gt_sync *sync, const gt_message *message, gt_diag *diag);

/* ---- channel.c ---- */

gt_channel *gt_channel_new(gt_sync *sync, gt_bytes path, gt_diag *diag);
void gt_channel_free(gt_channel *channel); /* also takes it out of its lists */
void gt_channels_step(gt_sync *sync);      /* opens what is to be opened, frees what is over */
bool gt_channel_has_step(const gt_channel *channel);
void gt_channel_caught_up(gt_channel *channel); /* client: what was announced has come */
void gt_channel_is_even(gt_channel *channel);   /* … and is all */
goat_status gt_channel_take_open(gt_sync *sync, const gt_message *message, gt_diag *diag);
goat_status gt_channel_take_opened(gt_channel *channel, const gt_message *message, gt_diag *diag);
void gt_channel_take_close(gt_channel *channel, const gt_message *message);
/* Trouble of ours with it: tells the peer, and pauses or forgets it. */
void gt_channel_close(gt_channel *channel, const gt_diag *diag);
uint64_t gt_channel_deadline(const gt_channel *channel);

/* ---- list.c ---- */

enum { GT_LOADING_US = 5000 }; /* until what is being read is asked for again */

extern const gt_id gt_list_id; /* what REFUSE names that answers LIST */
void gt_list_step(gt_sync *sync);
goat_status gt_list_take(gt_sync *sync, const gt_message *message, gt_diag *diag);
/* The peer has no list for us. */
void gt_list_take_refusal(gt_sync *sync, const gt_diag *why);

/* ---- walk.c: what we send ---- */

gt_log *gt_channel_log(const gt_channel *channel);
/* Appends DATA of our walk; true if there was some. */
bool gt_walk_send(gt_channel *channel, gt_buf *packet);
bool gt_walk_has_more(const gt_channel *channel);
uint64_t gt_walk_sent(const gt_channel *channel); /* all before it was sent, or came from the peer */
void gt_walk_skip_echo(gt_channel *channel);      /* passes over what came from this peer */
/* Whether another record fits into a body: a large one goes alone, in a packet of its own. */
bool gt_data_fits(gt_channel *channel, gt_source source, const gt_buf *packet, const gt_buf *body, size_t len);
/* Writes DATA of the records in `body`, and counts it. */
void gt_data_send(gt_channel *channel, gt_buf *packet, uint32_t flags, const gt_buf *body, uint32_t count);
void gt_wanted_send(gt_channel *channel, gt_buf *packet);
/* Counts a batch that is sent. */
void gt_count_out(gt_sync *sync, gt_bytes frame);
/* Before anything is sent that our own session has signed: CERTIFY, if it was not certified. */
void gt_certify_ask(gt_channel *channel, gt_buf *packet);
/* A batch of ours in `record` was sent with ack. */
bool gt_sent_by_walk(gt_channel *channel, const gt_id *batch, uint64_t start);
bool gt_sent_by_run(gt_channel *channel, const gt_id *batch); /* the one under way */

/* ---- take.c: what we get ---- */

goat_status gt_data_take(gt_sync *sync, gt_channel *channel, gt_arrived_message *arrived, gt_diag *diag);
void gt_ack_take(gt_channel *channel, const gt_message *message);
void gt_refuse_take(gt_channel *channel, const gt_message *message);
void gt_want_take(gt_channel *channel, const gt_message *message);
void gt_lost_take(gt_channel *channel, const gt_message *message);
void gt_acks_send(gt_channel *channel, gt_buf *packet);
void gt_wants_send(gt_channel *channel, gt_buf *packet);
gt_log *gt_sessions_log(const gt_channel *channel); /* where certificates are logged; NULL: nowhere */
bool gt_acks_are_due(const gt_channel *channel);

/* ---- point.c ---- */

bool gt_point_holds(gt_channel *channel, const uint8_t *point, uint64_t *length);
void gt_point_send(gt_channel *channel, gt_buf *packet);
bool gt_point_is_due(const gt_channel *channel, uint64_t *when_us);
void gt_point_sent_record(gt_channel *channel, uint64_t end);
void gt_point_take(gt_channel *channel, const gt_message *message);
void gt_point_settle(gt_channel *channel); /* the last one that came is remembered, if it may be by now */
void gt_point_received(gt_channel *channel, uint64_t records, uint64_t before);
/* The length of our log before which the peer has everything on its disk, as far as we know. */
uint64_t gt_channel_ours(const gt_channel *channel);

bool gt_channel_is_refused(const gt_channel *channel, const gt_id *batch); /* the peer does not take it */

/* ---- compare.c ---- */

/* Freezes our set for run `number`. Without memory the channel closes. */
bool gt_run_begin(gt_channel *channel, uint32_t number);
void gt_run_ask(gt_channel *channel); /* the client's first step */
void gt_run_free(gt_channel *channel);
goat_status gt_run_take(gt_channel *channel, const gt_message *message, gt_diag *diag);
/* A batch or receipt came as an answer; `known`: it was here already. */
void gt_run_answered(gt_channel *channel, const gt_id *id, bool known);
/* A bounded piece of work; appends what comes of it. */
void gt_run_step(gt_channel *channel, gt_buf *packet);
bool gt_run_has_work(const gt_channel *channel);
/* Whether the peer has said something in it: what it sends from then on, it sends after it has frozen its set. */
bool gt_run_was_answered(const gt_channel *channel);

#endif
