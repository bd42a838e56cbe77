/* The inside of a log: what its parts (log_open.c, log_append.c, log_scan.c) share. Not for other modules.
 *
 * Offsets are of the file. It lies in memory as the loaded part, [0, loaded_len), and behind it the chunks, each
 * of which continues where the one before ends; a record never crosses from one to the next. */
#ifndef GT_LOG_LOG_FILE_H
#define GT_LOG_LOG_FILE_H

#include "log/load.h"
#include "log/log.h"

enum {
    GT_RECORD_HEAD_SIZE = 20, /* before the payload */
    GT_RECORD_TAIL_SIZE = 20, /* behind it: chain and CRC */
    GT_MARKER_SIZE = 8,
    GT_HEADER_BLOCK_SIZE = 512,
};

_Static_assert(GT_RECORD_HEAD_SIZE + GT_RECORD_TAIL_SIZE == GT_LOG_RECORD_OVERHEAD, "FORMAT.md section 3.1");
_Static_assert(GT_RECORD_START(GT_RECORD_HEAD_SIZE) == 0, "FORMAT.md section 3.1");
_Static_assert(2 * GT_HEADER_BLOCK_SIZE == GT_LOG_HEADER_SIZE, "FORMAT.md section 2.1");

/* Memory of appended records. */
typedef struct gt_log_chunk {
    uint64_t offset; /* of its first byte in the file */
    size_t capacity;
    size_t used;
    uint8_t data[];
} gt_log_chunk;

struct gt_log {
    const gt_alloc *alloc;
    gt_io *io;
    gt_hasher *hasher;
    char *name;
    char *repository;
    size_t repository_len;
    gt_id network;
    goat_random random;
    int64_t now_ms;
    bool create, read_only;

    gt_log_state state;
    gt_diag failure;
    gt_log_identity identity;
    gt_load load;     /* holds the open file */
    uint8_t *scratch; /* a new header, while it is written */
    bool created;     /* a file was made, or somebody else's found, once */

    const uint8_t *loaded;
    uint64_t loaded_len; /* without what was cut */

    gt_log_chunk **chunks;
    size_t chunk_count, chunk_capacity;

    gt_damage *damage; /* by offset */
    size_t damage_count, damage_capacity;
    gt_damage *aside; /* what was set aside, by offset; no two touch each other */
    size_t aside_count, aside_capacity;
    uint64_t aside_end;   /* where the last record ends that set something aside; 0: none is known */
    uint64_t search_cost; /* bytes whose checksum was computed in vain */

    uint8_t chain[GT_CHAIN_SIZE];
    /* durable <= written <= submitted <= length */
    uint64_t length, submitted, written, durable;
    uint64_t sync_covers;             /* the length at submit of the sync that is under way */
    uint64_t synced;                  /* of the last that succeeded */
    bool opening, appending, syncing; /* a request of that kind is under way */
    bool sync_wanted;
};

/* ---- log_open.c ---- */

/* Nothing is taken any more; the first failure stays. */
void gt_log_fail(gt_log *log, const gt_diag *diag);

/* ---- log_header.c ---- */

/* Makes the header of a new log in `header`, GT_LOG_HEADER_SIZE bytes. GOAT_IO without randomness. */
goat_status gt_log_header_make(const gt_log *log, uint8_t *header, gt_diag *diag);

/* Reads the header of the loaded file, checks that it is the log meant, and notes damage of a copy. Statuses as
 * gt_log_failure lists them. */
goat_status gt_log_header_read(gt_log *log, gt_diag *diag);

/* ---- log_scan.c ---- */

/* The longest run of the file in memory that holds `offset`, or NULL: `*start` is its offset, `*end` where it
 * ends. */
const uint8_t *gt_log_run(const gt_log *log, uint64_t offset, uint64_t *start, uint64_t *end);

/* The chain of a record whose head and payload are in place, behind one that ends with `before`. */
void gt_log_make_chain(const gt_log *log, const uint8_t *before, const uint8_t *record, size_t payload_len,
                       uint8_t *chain);

/* ---- log_damage.c ---- */

/* Notes damage, once. GOAT_NO_MEMORY. */
goat_status gt_log_note(gt_log *log, gt_damage_kind kind, uint64_t offset, uint64_t length);

/* Whether what ends there lies in known damage in the middle, so that nobody knows its chain. */
bool gt_log_is_behind_hole(const gt_log *log, uint64_t offset);

/* Takes in a record of that type, which begins at `record`. GOAT_NO_MEMORY. */
goat_status gt_log_read_aside(gt_log *log, uint64_t record, gt_bytes payload);

#endif
