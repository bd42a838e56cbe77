/**
 * libgoat, the second tier: for people who supply storage, a clock, randomness or memory. It may
 * change more often than goat.h. An app that is content with the machine's own does not need it.
 *
 * The engine never blocks: it hands requests to the storage (submit) and fetches what they came to
 * (poll). A storage that can finish at once may do so in submit and report it at the next poll.
 */
#ifndef GOAT_PORT_H
#define GOAT_PORT_H

#include "goat.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Memory. One function, as realloc: size 0 frees, NULL `pointer` allocates. NULL: no memory.
 *  Called with the database's lock held or not, from any thread; must not call the library. */
typedef struct goat_allocator {
    void *context;
    void *(*resize)(void *context, void *pointer, size_t size);
} goat_allocator;

/** Clocks. Neither may block or fail. */
typedef struct goat_clock {
    uint32_t struct_size;
    void *context;
    uint64_t (*monotonic_us)(void *context); /**< microseconds, never goes back; for timers and budgets */
    int64_t (*wall_ms)(void *context);       /**< milliseconds since 1970; may jump; for commit times */
} goat_clock;

/** Randomness fit for keys. May not block after start-up. False: there is none, and the call fails. */
typedef struct goat_random {
    uint32_t struct_size;
    void *context;
    bool (*fill)(void *context, uint8_t *bytes, size_t len);
} goat_random;

/** What is asked of the storage. Names are relative paths of the database's folder, such as
 *  "repos/data/tasks.log"; folders are made as needed. No part of a name is empty, "." or "..", or
 *  begins with '~' (the storage's own temporary files), and the name "lock" is the storage's too. */
typedef int32_t goat_io_kind;
enum {
    /** Takes the folder for this process. Fails with GOAT_BUSY, GOAT_NOT_FOUND (flag CREATE missing), GOAT_FORBIDDEN. */
    GOAT_IO_LOCK = 1,
    /** All files in the folder `name` and below it ("" for the database's own), in `result.data`: full
     *  names as other requests take them, each followed by one NUL, in the order of memcmp. No such folder:
     *  none. */
    GOAT_IO_LIST = 2,
    /** Reads a whole small file into `result.data`. GOAT_NOT_FOUND if there is none; GOAT_BAD_KEY with
     *  flag SECRET if others may read it; GOAT_TOO_LARGE beyond `length` (0: no limit). */
    GOAT_IO_READ = 3,
    /** Makes `name` hold exactly `data`: written aside, synced, renamed, folder synced. With flag
     *  CREATE it must not exist (GOAT_EXISTS); with flag SECRET only the owner may read it. */
    GOAT_IO_REPLACE = 4,
    /** The file is gone, also after a loss of power. GOAT_NOT_FOUND if there was none. */
    GOAT_IO_REMOVE = 5,
    /** Opens a file for loading and appending: `result.file` (never 0) and `result.length`. GOAT_NOT_FOUND
     *  if there is none; flag CREATE makes an empty one then; flag READ_ONLY refuses to change it. */
    GOAT_IO_OPEN = 6,
    /** Gives `length` bytes of `file` from `offset` as `result.data`, good until GOAT_IO_CLOSE and never
     *  changed below the length that it had (a mapping, or memory). May be short: `result.length`; 0 only
     *  at or beyond the end. Flag PRIVATE: the engine may write to the memory, which does not reach the file. */
    GOAT_IO_LOAD = 7,
    /** Adds `data` at the end of `file`, all of it or (after a failure) any prefix. In order of submission.
     *  `result.length` is the length of the file after it. After a failure every later one fails as well,
     *  until the file is opened again. */
    GOAT_IO_APPEND = 8,
    /** Everything that was appended before this was submitted is on the disk. After a failure nobody knows
     *  what is: every later SYNC, APPEND and TRUNCATE fails until the file is opened again. */
    GOAT_IO_SYNC = 9,
    /** Cuts `file` to `offset` bytes, and syncs. Never below what was given out by LOAD and is in use. */
    GOAT_IO_TRUNCATE = 10,
    /** Ends `file` and all memory that LOAD gave for it; what was appended is not synced by this. */
    GOAT_IO_CLOSE = 11,
    /** Lets go of the folder and of what is still open; no further request follows. */
    GOAT_IO_UNLOCK = 12
};

enum {
    GOAT_IO_CREATE = 1u << 0,
    GOAT_IO_SECRET = 1u << 1,
    GOAT_IO_PRIVATE = 1u << 2,
    GOAT_IO_READ_ONLY = 1u << 3
};

typedef struct goat_io_request {
    goat_io_kind kind;
    uint32_t flags;
    uint32_t token;      /**< given back with the result; chosen by the engine, unique while pending */
    uint32_t file;       /**< from GOAT_IO_OPEN */
    const char *name;    /**< NUL-terminated; good during submit only */
    const uint8_t *data; /**< good until the result was polled */
    size_t data_len;
    uint64_t offset;
    uint64_t length;
} goat_io_request;

typedef struct goat_io_result {
    uint32_t token;
    goat_status status;
    uint32_t file;
    uint64_t length;
    uint8_t *data; /**< of READ and LIST: until the next poll. Of LOAD: until CLOSE. NULL if data_len is 0 */
    size_t data_len;
    char message[192]; /**< the machine's words when status is not GOAT_OK */
} goat_io_result;

/**
 * Storage of one database.
 *
 * `submit` is called with the database's lock held, so never twice at once, and must not wait for the
 * disk longer than a buffered write does. If it does not return GOAT_OK the request was not taken and
 * has no result; otherwise it has exactly one. Requests for one file, or for one name, take effect in the
 * order in which they were submitted; results may come in any order.
 *
 * `poll` is called without the lock, by one thread at a time, possibly while another submits; it gives
 * up to `results_max` (at least 1) results and may do the slow work itself, one request at a time. With
 * `wait` it may block until there is a result, and while nothing is under way until something is submitted
 * (return 0 where nothing may block).
 *
 * After `close` nothing is called any more, what is under way is dropped, and all memory that was given
 * out ends. It is called exactly once, also when goat_db_open() fails, unless that is GOAT_MISUSE.
 */
typedef struct goat_storage {
    uint32_t struct_size;
    void *context;
    goat_status (*submit)(void *context, const goat_io_request *request);
    size_t (*poll)(void *context, goat_io_result *results, size_t results_max, bool wait);
    void (*close)(void *context);
} goat_storage;

/** Everything a database needs of its host. A member that is all zero means: the machine's own. */
typedef struct goat_host {
    uint32_t struct_size;
    goat_allocator allocator;
    goat_clock clock;
    goat_random random;
    goat_storage storage;
} goat_host;

#ifdef __cplusplus
}
#endif
#endif
