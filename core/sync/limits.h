/* The numbers in brackets of PROTOCOL.md. */
#ifndef GT_SYNC_LIMITS_H
#define GT_SYNC_LIMITS_H

#include "commit/batch.h"

enum {
    GT_SYNC_VERSION = 1,
    GT_SYNC_PACKET_MAX = GT_FRAME_MAX + 1024,
    GT_SYNC_PACKET_MAX_BEFORE_PROOF = 64 * 1024,
    GT_SYNC_PACKET_USUAL = 64 * 1024, /* messages are put together up to about this */
    GT_SYNC_PACKET_LARGE_TIMES = 16,  /* what would make one so many times as large goes alone */
    GT_SYNC_DATA_USUAL = 32 * 1024,   /* of records in one message, so that channels take turns */
    GT_SYNC_MESSAGES_MAX = 32 * 1024, /* in one packet */
    GT_SYNC_TEXT_MAX = 512,
    GT_SYNC_CHANNELS_MAX = 1024,
    GT_SYNC_RECORDS_MAX = 4096,     /* in one DATA */
    GT_SYNC_REPOS_MAX = 1024,       /* in one REPOS */
    GT_SYNC_WANT_MAX = 256,         /* ids in one WANT */
    GT_SYNC_ACK_MAX = 1024,         /* ids in one ACK */
    GT_SYNC_WANTED_MAX = 16 * 1024, /* ids that a peer waits for by WANT, on all channels */
    GT_SYNC_OWED_MAX = 64 * 1024,   /* acknowledgements owed on all channels: beyond, the peer gets no more credit */
    GT_SYNC_WAITING_MAX = 1024,     /* batches to be acknowledged once they could be taken in, on one channel */
    GT_SYNC_WAITING_ALL_MAX = 16 * 1024, /* … on all channels */
    GT_SYNC_REFUSED_MAX = 1024,          /* batches of ours that a peer is known to refuse, on one channel */
    GT_SYNC_REFUSED_ALL_MAX = 16 * 1024, /* … on all channels */
    GT_SYNC_WINDOW_MIN = 64 * 1024,
    GT_SYNC_WINDOW_MAX = 256 * 1024 * 1024,
    GT_SYNC_WINDOW = 4 * 1024 * 1024, /* what we grant */
    GT_SYNC_POINT_SIZE = 24,
    GT_SYNC_POINT_EVERY = 1024 * 1024, /* bytes of walk */
    GT_SYNC_ROUNDS_MAX = 16,           /* of one run */
    GT_SYNC_SLICE = 4096,              /* records looked at in one step of a run */
    GT_SYNC_FILTER_MAX = 8 * 1024 * 1024,
    GT_SYNC_FILTER_SMALL = 64 * 1024,                   /* up to here a filter is made precise */
    GT_SYNC_FILTERS_MAX = 2 * GT_SYNC_FILTER_MAX,       /* of the peer's, kept at a time for all channels */
    GT_SYNC_FILTERS_ALL_MAX = 16 * GT_SYNC_FILTERS_MAX, /* … and ours and theirs, of all connections of a database */
    GT_SYNC_FILTER_BITS_MIN = 10,                       /* an element */
    GT_SYNC_HASHES_MAX = 32,
    GT_SYNC_NONCE_SIZE = 32,
    GT_SYNC_SALT_SIZE = 16,

    GT_SYNC_HANDSHAKE_US = 10 * 1000 * 1000,
    GT_SYNC_ANSWER_US = 120 * 1000 * 1000,
    GT_SYNC_WANT_AGAIN_US = 5 * 1000 * 1000,
    GT_SYNC_CERTIFY_AGAIN_US = 1000 * 1000,
    GT_SYNC_POINT_PAUSE_US = 100 * 1000,
    GT_SYNC_REOPEN_MIN_US = 1000 * 1000,
    GT_SYNC_REOPEN_MAX_US = 60 * 1000 * 1000,
    GT_SYNC_CLOCK_SHIFT_MIN_MS = 1000,
};

/* Nobody's clock is further off than a machine without one, which begins in 1970. */
#define GT_SYNC_CLOCK_SHIFT_MAX_MS (INT64_C(100) * 365 * 24 * 60 * 60 * 1000)

#define GT_SYNC_SUBPROTOCOL "goat.sync.1"

#endif
