/* The append-only log of one repository (FORMAT.md).
 *
 * It turns storage requests and results into records; it knows no commits. It never waits: every
 * operation submits requests and the owner feeds results in with gt_log_complete. The bytes of a
 * record that was read or appended stay at their address until gt_log_close: the loaded file in the
 * storage's memory, appended records in memory of the log's own. So states and keys point into it. */
#ifndef GT_LOG_LOG_H
#define GT_LOG_LOG_H

#include "base/buf.h"
#include "base/status.h"
#include "commit/commit.h"
#include "port/port.h"

enum {
    GT_LOG_HEADER_SIZE = 1024,
    GT_LOG_RECORD_OVERHEAD = 40,
    GT_LOG_PAYLOAD_MAX = 64 * 1024 * 1024,
    GT_CHAIN_SIZE = 16,
};

typedef enum gt_record_type {
    GT_RECORD_BATCH = 1,
    GT_RECORD_SET_ASIDE = 2,
    GT_RECORD_MUST_KNOW = 128, /* types from here on must be understood */
} gt_record_type;

/* Hands requests of many logs and one-off files of one database to its storage and brings the results
 * back to whoever asked. One a database. */
typedef struct gt_io gt_io;

typedef void (*gt_io_done)(void *owner, const goat_io_result *result);

gt_io *gt_io_new(const gt_alloc *alloc, const goat_storage *storage);
/* No request is under way any more. Closes the storage. */
void gt_io_free(gt_io *io);
/* Submits; `done` is called from a later gt_io_deliver, exactly once, also when submit failed. `request->token`
 * is chosen here. GOAT_NO_MEMORY: nothing was submitted and `done` is not called. */
goat_status gt_io_submit(gt_io *io, goat_io_request *request, gt_io_done done, void *owner);
/* Requests under way. */
uint32_t gt_io_pending(const gt_io *io);
/* Fetches results from the storage; called without the database's lock, by one thread at a time. They are
 * kept until gt_io_deliver. Returns how many wait. */
size_t gt_io_poll(gt_io *io, bool wait);
/* Calls the owners of the fetched results; called with the lock. */
size_t gt_io_deliver(gt_io *io);

typedef struct gt_log gt_log;

typedef struct gt_log_identity {
    gt_id network;
    uint8_t log_id[16];
    uint8_t marker[8];
    int64_t created_ms;
} gt_log_identity;

/* A stretch of the file that is not what was written. */
typedef struct gt_damage {
    enum { GT_DAMAGE_HEADER, GT_DAMAGE_MIDDLE, GT_DAMAGE_TORN } kind;
    uint64_t offset, length;
} gt_damage;

typedef struct gt_record {
    gt_record_type type;
    uint64_t offset; /* of the payload in the file */
    gt_bytes payload;
} gt_record;

typedef struct gt_log_config {
    const gt_alloc *alloc;
    gt_io *io;
    gt_hasher *hasher;
    const char *name;       /* "repos/data/tasks.log"; copied */
    gt_bytes repository;    /* "/data/tasks"; copied */
    gt_id network;          /* must be that of an existing log */
    bool create, read_only;
    goat_random random;
    int64_t now_ms;
} gt_log_config;

/* Begins to open: submits the first request. Then gt_log_state tells. */
goat_status gt_log_open(const gt_log_config *config, gt_log **log, gt_diag *diag);

typedef enum gt_log_state {
    GT_LOG_OPENING, /* requests are under way */
    GT_LOG_LOADED,  /* header known, whole file in memory: walk the records, then gt_log_ready */
    GT_LOG_READY,   /* takes records */
    GT_LOG_FAILED,  /* reads go on, nothing is taken any more; gt_log_failure says why */
    GT_LOG_CLOSED,
} gt_log_state;

gt_log_state gt_log_get_state(const gt_log *log);
const gt_diag *gt_log_failure(const gt_log *log);
const gt_log_identity *gt_log_get_identity(const gt_log *log);

/* Walks the records from file offset `*offset` (GT_LOG_HEADER_SIZE for the first; afterwards set to the next).
 * GOAT_OK with a record, GOAT_NOT_FOUND at the end. Damage on the way is noted, see gt_log_damage; with
 * `verify_chain` the chain is computed and a mismatch is damage too. The checks of the walk are CRC and structure. */
goat_status gt_log_next(gt_log *log, uint64_t *offset, bool verify_chain, gt_record *record);

/* The walk is over: `end` is where it ended. Cuts a torn tail (saved first), then the log becomes READY. */
goat_status gt_log_ready(gt_log *log, uint64_t end, gt_diag *diag);

const gt_damage *gt_log_damage(const gt_log *log, size_t *count);

/* Bytes at a file offset that a record was read from or appended at; stable until close. A first touch
 * of a record below a checkpoint is checked with gt_log_check. Out of bounds: data NULL. */
gt_bytes gt_log_at(const gt_log *log, uint64_t offset, size_t len);

/* Whether the record whose payload begins at `offset` is sound. GOAT_OK, GOAT_CORRUPT. */
goat_status gt_log_check(const gt_log *log, uint64_t offset, gt_diag *diag);

/* Length and chain of the file as of the last appended record, and of the last that is durable. */
uint64_t gt_log_length(const gt_log *log);
uint64_t gt_log_length_durable(const gt_log *log);
const uint8_t *gt_log_chain(const gt_log *log);

/* Whether the file at `length` has this chain: one look at the record that ends there. */
bool gt_log_has_chain(const gt_log *log, uint64_t length, const uint8_t *chain);

/* Makes the record and submits it. `*stable` is the payload at its final address (may be NULL). A failure
 * to write shows later: in the state, and in gt_log_sync's outcome. */
goat_status gt_log_append(gt_log *log, gt_record_type type, gt_bytes payload, gt_record *stable, gt_diag *diag);

/* Room for a payload of at most `len` bytes where it will stay, so that a frame is encoded in place; ends
 * with gt_log_commit_append (with its true length) or another reserve. NULL: no memory. */

/* Asks for everything appended so far to be durable; requests that meet share one sync. Ask
 * gt_log_length_durable or gt_log_length_written whether it has happened. */
goat_status gt_log_sync(gt_log *log, gt_diag *diag);
uint64_t gt_log_length_written(const gt_log *log);

/* Ends it: waits for nothing; the owner has seen to it that no request is under way. */
void gt_log_close(gt_log *log);

#endif
