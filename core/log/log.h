/* The append-only log of one repository (FORMAT.md).
 *
 * It turns storage requests and results into records; it knows no commits. It never waits: what it does
 * begins with a request (io.h) and goes on in gt_io_deliver, after which the owner looks at the state and
 * the lengths. The bytes of a record that was read or appended stay at their address until gt_log_close: the
 * loaded file in the storage's memory, appended records in memory of the log's own. So states and keys
 * point into it. */
#ifndef GT_LOG_LOG_H
#define GT_LOG_LOG_H

#include "base/buf.h"
#include "base/status.h"
#include "commit/commit.h"
#include "log/io.h"

enum {
    GT_LOG_HEADER_SIZE = 1024,
    GT_LOG_RECORD_OVERHEAD = 40,
    GT_LOG_PAYLOAD_MAX = 64 * 1024 * 1024,
    GT_LOG_REPOSITORY_MAX = 130, /* bytes of "/type/repo" */
    GT_CHAIN_SIZE = 16,
};

/* Where the record begins whose payload is at `offset`, and how long it is with a payload of `len`. */
#define GT_RECORD_START(offset) ((offset)-20)
#define GT_RECORD_LENGTH(len) ((uint64_t)(len) + GT_LOG_RECORD_OVERHEAD)

typedef enum gt_record_type {
    GT_RECORD_BATCH = 1,
    GT_RECORD_SET_ASIDE = 2,
    GT_RECORD_MUST_KNOW = 128, /* types from here on must be understood */
    GT_RECORD_RECEIPT = 128,
} gt_record_type;

typedef struct gt_log gt_log;

typedef struct gt_log_identity {
    gt_id network;
    uint8_t log_id[16];
    uint8_t marker[8];
    int64_t created_ms;
} gt_log_identity;

typedef enum gt_damage_kind {
    GT_DAMAGE_HEADER, /* one copy of the header */
    GT_DAMAGE_MIDDLE, /* bytes that are no record, with records behind them */
    GT_DAMAGE_TORN,   /* the end of the file as it was found; cut by gt_log_ready unless read-only */
    GT_DAMAGE_CHAIN,  /* a sound record that does not follow from what is before it; only with verify_chain */
} gt_damage_kind;

/* A stretch of the file that is not what was written. */
typedef struct gt_damage {
    gt_damage_kind kind;
    uint64_t offset, length;
    bool aside; /* it was set aside: nobody needs to hear of it any more */
} gt_damage;

typedef struct gt_record {
    gt_record_type type; /* any byte, not only those named above */
    uint64_t offset;     /* of the payload in the file */
    gt_bytes payload;
} gt_record;

typedef struct gt_log_config {
    const gt_alloc *alloc;
    gt_io *io;
    gt_hasher *hasher;
    const char *name;       /* "repos/data/tasks.log"; copied */
    gt_bytes repository;    /* "/data/tasks"; copied */
    gt_id network;          /* must be that of an existing log */
    bool create, read_only; /* create does nothing when read_only */
    goat_random random;     /* needed with create */
    int64_t now_ms;
} gt_log_config;

/* Begins to open: submits the first request. Then gt_log_get_state tells. GOAT_NO_MEMORY. */
goat_status gt_log_open(const gt_log_config *config, gt_log **out, gt_diag *diag);

typedef enum gt_log_state {
    GT_LOG_OPENING, /* requests are under way */
    GT_LOG_LOADED,  /* header known, whole file in memory: walk the records, then gt_log_ready */
    GT_LOG_READY,   /* takes records */
    GT_LOG_FAILED,  /* reads go on, nothing is taken any more; gt_log_failure says why */
} gt_log_state;

/* FAILED before it was LOADED has nothing to read. Its failure is GOAT_NOT_FOUND (no file, and not to be
 * created), GOAT_CORRUPT (too short, no sound header, another repository's), GOAT_UNTRUSTED (of another network),
 * GOAT_NEWER_FORMAT, GOAT_TOO_LARGE (for this machine), GOAT_NO_MEMORY, or what the storage said. FAILED after that
 * keeps all that was read and appended; the failure is what the storage said. */
gt_log_state gt_log_get_state(const gt_log *log);
const gt_diag *gt_log_failure(const gt_log *log);
const gt_log_identity *gt_log_get_identity(const gt_log *log);

/* Walks the records from file offset `*offset`, where a record begins (GT_LOG_HEADER_SIZE for the first;
 * afterwards set to the next). GOAT_OK with a record, of whatever type: the caller refuses a log with a type from
 * GT_RECORD_MUST_KNOW on that it does not know. GOAT_NOT_FOUND at the end. GOAT_NO_MEMORY when damage could not be
 * noted; `*offset` is as before.
 *
 * The checks of the walk are CRC and structure. Damage on the way is noted once, see gt_log_damage, and passed
 * over. With `verify_chain` the chain is computed as well and a record that does not fit is noted. May be used in
 * every state that has the file; appended records follow. */
goat_status gt_log_next(gt_log *log, uint64_t *offset, bool verify_chain, gt_record *record);

/* The walk is over: `end` is the `*offset` with which it ended. Cuts a torn tail (saved first; the state is
 * OPENING meanwhile), then the log becomes READY. If that fails it becomes FAILED, with all that was walked
 * still there to read. */
goat_status gt_log_ready(gt_log *log, uint64_t end, gt_diag *diag);

/* What is known of damage, in order of offset. Good until the next gt_log_next. */
const gt_damage *gt_log_damage(const gt_log *log, size_t *count);

/* Notes damage in the middle that somebody came upon without a walk. GOAT_NO_MEMORY. */
goat_status gt_log_note_hole(gt_log *log, uint64_t offset, uint64_t length);

/* Whether a stretch of the file was set aside, as far as the log was walked. */
bool gt_log_is_aside(const gt_log *log, uint64_t offset, uint64_t length);

/* Appends a record that sets a stretch aside, unless it was; damage that lies in it is no longer reported. As
 * gt_log_append. */
goat_status gt_log_set_aside(gt_log *log, uint64_t offset, uint64_t length, gt_diag *diag);

/* Where the last record ends that sets something aside, as far as is known; 0: there is none. Whoever held all of the log
 * at a length before that may hold what was lost. */
uint64_t gt_log_aside_end(const gt_log *log);

/* Such a record ends there, as a checkpoint says that covers it. */
void gt_log_note_aside_end(gt_log *log, uint64_t end);

/* Bytes at a file offset that a record was read from or appended at; stable until close. A first touch
 * of a record below a checkpoint is checked with gt_log_check. Out of bounds: data NULL. */
gt_bytes gt_log_at(const gt_log *log, uint64_t offset, size_t len);

/* Whether the record whose payload begins at `offset` is sound. GOAT_OK, GOAT_CORRUPT. */
goat_status gt_log_check(const gt_log *log, uint64_t offset, gt_diag *diag);

/* Whether a sound record has its payload of `len` bytes at `offset`. */
bool gt_log_holds(const gt_log *log, uint64_t offset, size_t len);

/* Whether damage in the middle is known, set aside or not: records are not where they were. */
bool gt_log_has_holes(const gt_log *log);
/* Whether anything was set aside, damage or records that could not be taken in. */
bool gt_log_has_asides(const gt_log *log);

/* Length and chain of the file as of the last appended record; the length as of the last that the system has
 * taken, and of the last that is known to be on the disk. What an opened file holds counts as written, not as
 * durable: nobody knows that of it before the first sync. */
uint64_t gt_log_length(const gt_log *log);
uint64_t gt_log_length_written(const gt_log *log);
uint64_t gt_log_length_durable(const gt_log *log);
const uint8_t *gt_log_chain(const gt_log *log);

/* Whether the file at `length` has this chain: one look at the record that ends there. */
bool gt_log_has_chain(const gt_log *log, uint64_t length, const uint8_t *chain);

/* The chain at `length`, where a record ends, or the header does: then a record begins there, or it is the end. False
 * where none ends, or nobody knows the chain. `length` may be anything. Not before the log is READY. */
bool gt_log_chain_at(const gt_log *log, uint64_t length, uint8_t chain[GT_CHAIN_SIZE]);

/* Makes the record and submits it. `*stable` is the payload at its final address (may be NULL). A failure
 * to write shows later, in the state. GOAT_FORBIDDEN when read-only, GOAT_TOO_LARGE, GOAT_NO_MEMORY (nothing was
 * appended); of a FAILED log its failure. The log is READY or FAILED. */
goat_status gt_log_append(gt_log *log, gt_record_type type, gt_bytes payload, gt_record *stable, gt_diag *diag);

/* The same without a copy: `room` becomes an empty buffer for at most `len` bytes that lie where the payload
 * will stay. It does not grow (it fails instead, gt_buf_failed) and need not be freed. Fill it in, then give it to
 * gt_log_commit_append, which appends what is in it. Another reserve or append takes the room back; so does
 * doing nothing. */
goat_status gt_log_reserve(gt_log *log, size_t len, gt_buf *room, gt_diag *diag);

/* As gt_log_append. GOAT_TOO_LARGE if the room did not suffice. */
goat_status gt_log_commit_append(gt_log *log, gt_record_type type, const gt_buf *room, gt_record *stable,
                                 gt_diag *diag);

/* Asks for everything appended so far to be durable; requests that meet share one sync. Ask
 * gt_log_length_durable whether it has happened. Of a FAILED log its failure; GOAT_FORBIDDEN when read-only. */
goat_status gt_log_sync(gt_log *log, gt_diag *diag);

/* Whether no request of this log is under way and none will follow by itself. */
bool gt_log_idle(const gt_log *log);

/* Ends it: waits for nothing; the owner has seen to it that it is idle. A last request closes the file; its result
 * is nobody's. NULL is accepted. */
void gt_log_close(gt_log *log);

#endif
