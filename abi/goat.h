/**
 * libgoat: an embedded, distributed document database that works like Git for an app's live data.
 *
 * An app opens a *database* (a directory), opens *repositories* in it ("/data/tasks"), and reads and
 * edits *items* ("/data/tasks/feed-the-goats") in memory: reads and edits are synchronous and never
 * wait for a disk or a network. Behind that, up to three times a second, edits become signed commits
 * in an append-only log (capture); goat_db_flush() says how safe they are.
 *
 *     goat_db *db = NULL;
 *     goat_repo *repo = NULL;
 *     goat_item *item = NULL;
 *     goat_db_open("data", 4, NULL, &db, NULL, &error);
 *     goat_db_add_schema(db, schema_json, strlen(schema_json), &error);
 *     goat_repo_open(db, "/data/tasks", 11, 0, &repo, NULL, &error);
 *     goat_item_create(db, NULL, "/data/tasks/1", 13, "task", 4, NULL, 0, &item, &error);
 *     goat_item_set_text(item, "title", 5, "Feed the goats", 14, &error);
 *     goat_db_flush(db, GOAT_DURABLE_DISK, NULL, &error);
 *
 * OWNERSHIP. Four words, said of every pointer:
 *     new       the caller owns it and ends it with the function named beside it
 *     borrowed  points into something else; the text says until when it is good
 *     copied    the library takes its own copy before returning
 *     taken     the library owns it if the call returns GOAT_OK, the caller still does otherwise
 *
 * STRINGS AND BYTES go in as pointer and length: UTF-8, no NUL needed, NUL allowed inside. They come
 * out in a goat_buf. VALUES are deterministic CBOR (RFC 8949 section 4.2.1), or JSON in the functions
 * whose name ends in _json. Where both may be meant, the comment says so.
 *
 * ERRORS. Every function that can fail returns a goat_status and takes a goat_error ** last; pass
 * NULL to skip the details. The error is set on every failure and only then. Wrong arguments are
 * GOAT_MISUSE, never a crash. GOAT_NO_MEMORY may come from every function that takes a goat_error **,
 * GOAT_MISUSE from every function with arguments, GOAT_CLOSED from every function that is given a
 * handle whose database was closed; the lists below do not repeat these three.
 *
 * JOBS. What takes long (open, flush, digest, verify, revert) is a job. Pass NULL for the goat_job ** and
 * the call blocks until it is done; pass a pointer and it returns at once with a job to watch. In
 * builds without threads, goat_db_run() advances jobs, and blocking works only where the host's
 * storage completes at once (GOAT_WOULD_BLOCK otherwise).
 *
 * THREADS. Every function is safe from any thread: a database has one lock, held shortly. One handle
 * (item, query, transaction) used by two threads at once is safe too, but which call comes first is
 * up to them. The library calls back only the wake-up function of goat_db_on_wake() and the tables of
 * goat_port.h.
 *
 * HANDLES may be freed in any order and NULL is accepted: a child keeps what it needs alive. After
 * goat_db_close() or goat_db_free() the children answer GOAT_CLOSED.
 */
#ifndef GOAT_H
#define GOAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(_WIN32) || defined(GOAT_STATIC)
#define GOAT_API
#elif defined(__GNUC__)
#define GOAT_API __attribute__((visibility("default")))
#else
#define GOAT_API
#endif

/* ---- Version ------------------------------------------------------------------------------- */

#define GOAT_VERSION "0.1.0"

/** The number of the binary interface, and of the shared library's soname. See abi/STABILITY.md. */
#define GOAT_ABI_VERSION 0

/** The version of the library that runs, such as "0.1.0". Borrowed, good for ever. Cannot fail. */
GOAT_API const char *goat_version(void);

/** GOAT_ABI_VERSION of the library that runs. Cannot fail. */
GOAT_API uint32_t goat_abi_version(void);

/* ---- Limits -------------------------------------------------------------------------------- */

enum {
    GOAT_NAME_MAX = 64,        /**< bytes of a repository's type or name: A-Z a-z 0-9 . _ - and no leading dot */
    GOAT_KEY_MAX = 512,        /**< bytes of an item's key: UTF-8 without '/' and control characters */
    GOAT_FIELD_NAME_MAX = 128, /**< bytes of a field's name: UTF-8 without '.' and control characters, no leading '$' */
    GOAT_FIELDS_MAX = 1024,    /**< fields of a schema, and of an object in it */
    GOAT_OBJECT_DEPTH_MAX = 8, /**< objects inside each other in a schema */
    GOAT_VALUE_DEPTH_MAX = 64, /**< arrays, maps and tags inside each other */
    GOAT_VALUE_MAX = 16777216, /**< bytes of an item's values, 16 MiB */
    GOAT_MESSAGE_MAX = 4096,   /**< bytes of a commit's message */
    GOAT_BATCH_MAX = 65536     /**< commits in one batch */
};

/* ---- Status and errors --------------------------------------------------------------------- */

/** What a call came to. Grouped by what the caller can do about it; numbers are never reused. */
typedef int32_t goat_status;

enum {
    GOAT_OK = 0,

    /* 1 to 19: an answer, not a fault. */
    GOAT_NOT_FOUND = 1, /**< no such item, field, repository, schema, row or commit */
    GOAT_EXISTS = 2,    /**< something of that name is there already */
    GOAT_LOADING = 3,   /**< still being read; ask again after the next event */
    GOAT_NOT_HELD = 4,  /**< this replica does not hold that part of the history */

    /* 20 to 39: the caller's data is refused; nothing was changed. */
    GOAT_INVALID = 20,    /**< a value breaks a rule of its schema, or a document is malformed */
    GOAT_CONFLICT = 21,   /**< something else stands there already */
    GOAT_FORBIDDEN = 22,  /**< an access rule, or read-only mode, says no */
    GOAT_TOO_LARGE = 23,  /**< beyond a named limit */
    GOAT_WRONG_TYPE = 24, /**< the field holds another type than the call asks for */
    GOAT_NO_SCHEMA = 25,  /**< the schema is not known here */

    /* 40 to 49: the caller's program is wrong. */
    GOAT_MISUSE = 40,      /**< an argument that cannot be, such as NULL where none may be */
    GOAT_CLOSED = 41,      /**< the database or repository of this handle is closed */
    GOAT_WOULD_BLOCK = 42, /**< a blocking call where nothing may block; use a job */

    /* 60 to 79: the machine is in trouble; the same call may work later. */
    GOAT_NO_MEMORY = 60,
    GOAT_IO = 61,        /**< the storage failed; the message holds its words */
    GOAT_FULL = 62,      /**< no space left */
    GOAT_BUSY = 63,      /**< another process owns the database; the message names it */
    GOAT_TIMEOUT = 64,   /**< the time given has passed; the work goes on */
    GOAT_OFFLINE = 65,   /**< no server is connected */
    GOAT_CANCELLED = 66, /**< the job was cancelled */

    /* 80 to 99: what was read is not what was written. */
    GOAT_CORRUPT = 80,     /**< a checksum, hash or structure is wrong */
    GOAT_BAD_KEY = 81,     /**< a key file is malformed, or readable by others */
    GOAT_UNTRUSTED = 82,   /**< a signature or certificate does not hold */
    GOAT_NEWER_FORMAT = 83 /**< written by a newer version of the library; nothing was touched */
};

/** The name of a status, such as "GOAT_NOT_FOUND". Borrowed, good for ever. Cannot fail. */
GOAT_API const char *goat_status_name(goat_status status);

/** Why a call failed. Immutable; may be read from any thread. */
typedef struct goat_error goat_error;

/** Ends an error. NULL is accepted. Cannot fail. */
GOAT_API void goat_error_free(goat_error *error);

/** The status that the failed call returned; GOAT_OK for NULL. Cannot fail. */
GOAT_API goat_status goat_error_status(const goat_error *error);

/** One line of English without a full stop. Borrowed from `error`. Cannot fail. */
GOAT_API const char *goat_error_message(const goat_error *error);

enum {                        /* what goat_error_detail() is asked for */
       GOAT_DETAIL_PATH = 1,  /**< the repository or item concerned */
       GOAT_DETAIL_FIELD = 2, /**< the field concerned */
       GOAT_DETAIL_RULE = 3   /**< the schema rule that was broken: "required", "max_length", …; "max_size" of what several
                                   have made larger than a view shows (core/merge/README.md) */
};

/** More about where it went wrong, or "". Borrowed from `error`. Cannot fail. */
GOAT_API const char *goat_error_detail(const goat_error *error, int32_t detail);

/** The byte offset at which the input is wrong, or -1. Cannot fail. */
GOAT_API double goat_error_position(const goat_error *error);

/** Whether the same call may work later without the caller changing anything. Cannot fail. */
GOAT_API bool goat_error_is_retryable(const goat_error *error);

/** Whether stored or received data is damaged or forged. Cannot fail. */
GOAT_API bool goat_error_is_corruption(const goat_error *error);

/* ---- Buffers ------------------------------------------------------------------------------- */

/**
 * Bytes that the library hands out. Set it to zero before its first use ({0}); it may be used again
 * and then keeps its memory; end it with goat_buf_free(). A NUL follows the bytes, `size` is the
 * truth. After a failed call its contents are undefined but it can still be used and freed. Buffers
 * and errors use the memory of the C library, whatever allocator a database was given. One buffer (or
 * any other output) must not be given to two calls at once.
 */
typedef struct goat_buf {
    uint8_t *data;
    size_t size;
    size_t capacity;
} goat_buf;

/** Frees the bytes and sets the buffer to zero. NULL is accepted. Cannot fail. */
GOAT_API void goat_buf_free(goat_buf *buf);

/** Memory for hosts that have none of their own (WASM). new, end with goat_free(). NULL if there is none. */
GOAT_API void *goat_alloc(size_t size);

/** Ends memory from goat_alloc(). NULL is accepted. Cannot fail. */
GOAT_API void goat_free(void *memory);

/** How many handles, jobs and errors are alive in this process; for leak tests. Cannot fail. */
GOAT_API uint32_t goat_debug_live_handles(void);

/**
 * Turns one JSON text (RFC 8259) into a value. Wrapped forms: {"$date": "2026-01-31T12:00:00Z"},
 * {"$bytes": base64}, {"$set": […]}, {"$ref": "/type/repo/item"}; a map of the app's own that has
 * such a key is escaped by a second "$".
 *
 * @param json   borrowed for the call.
 * @param value  new contents, end with goat_buf_free().
 * @return GOAT_OK, GOAT_INVALID with a position, GOAT_TOO_LARGE.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_value_from_json(const char *json, size_t json_len, goat_buf *value, goat_error **error);

/**
 * Turns one value into compact JSON text; the inverse of goat_value_from_json().
 *
 * @param value  borrowed for the call.
 * @param json   new contents, end with goat_buf_free().
 * @return GOAT_OK, GOAT_INVALID with a position when `value` is not deterministic CBOR, GOAT_TOO_LARGE.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_value_to_json(const uint8_t *value, size_t value_len, goat_buf *json, goat_error **error);

/* ---- Database ------------------------------------------------------------------------------ */

/** A database as one part of a program sees it: its own visible point, changes and unsaved edits.
 *  Opening the same directory twice in a process gives two handles on one shared database. */
typedef struct goat_db goat_db;
typedef struct goat_repo goat_repo;   /**< an open repository */
typedef struct goat_item goat_item;   /**< one document */
typedef struct goat_tx goat_tx;       /**< a transaction */
typedef struct goat_query goat_query; /**< a query that keeps its result */
typedef struct goat_job goat_job;     /**< work that goes on */
typedef struct goat_sync goat_sync;   /**< one connection between two databases */
struct goat_host;                     /* goat_port.h */

enum {
    GOAT_OPEN_CREATE = 1u << 0,       /**< make the database if there is none, with new keys (see root_key) */
    GOAT_OPEN_EXCLUSIVE = 1u << 1,    /**< with CREATE: GOAT_EXISTS if there is one already */
    GOAT_OPEN_READ_ONLY = 1u << 2,    /**< write nothing; edits are GOAT_FORBIDDEN */
    GOAT_OPEN_NO_THREAD = 1u << 3,    /**< no service thread: the host calls goat_db_run() */
    GOAT_OPEN_NO_CHECKPOINT = 1u << 4 /**< read the log alone and verify everything; write no checkpoint */
};

/** How to open a database. Start from GOAT_CONFIG_INIT or goat_config_init(); zero is the default. */
typedef struct goat_config {
    uint32_t struct_size;
    uint32_t flags;               /**< GOAT_OPEN_…; the default is GOAT_OPEN_CREATE */
    uint32_t capture_interval_ms; /**< least time between two captures; 0 means 333 */
    uint32_t changes_max;         /**< changes kept for goat_db_advance() until it says reset; 0 means 65536 */
    const struct goat_host *host; /**< storage, clocks, randomness, allocator; NULL: the machine's. copied */
    const uint8_t *root_key;      /**< copied. The 32 bytes of "root" in goat_db_info(): the database must be of that
                                       network, and a new one is made as a replica of it, with no root key of its
                                       own; it can be used before it has met its server. NULL: any network, and a new
                                       database begins a network of its own */
} goat_config;

#define GOAT_CONFIG_INIT                                                                                               \
    { sizeof(goat_config), GOAT_OPEN_CREATE, 0, 0, NULL, NULL }

/** Fills in the defaults for a caller who knows the structure as `struct_size` bytes. Cannot fail. */
GOAT_API void goat_config_init(goat_config *config, size_t struct_size);

/**
 * Opens a database, or makes one.
 *
 * @param path    copied. The directory.
 * @param config  borrowed for the call. NULL means GOAT_CONFIG_INIT.
 * @param db      new, end with goat_db_free(). Usable at once; until the job is done most calls
 *                answer GOAT_LOADING. NULL unless GOAT_OK.
 * @param job     new, end with goat_job_free(). Pass NULL to block.
 * @return GOAT_OK, GOAT_NOT_FOUND, GOAT_EXISTS, GOAT_BUSY with the owner, GOAT_FORBIDDEN, GOAT_BAD_KEY,
 *         GOAT_NEWER_FORMAT, GOAT_CORRUPT, GOAT_UNTRUSTED (also if it is of another network than that of root_key),
 *         GOAT_IO, GOAT_FULL, GOAT_WOULD_BLOCK, GOAT_INVALID if the path is not UTF-8, GOAT_MISUSE also if this
 *         process has it open with other flags, GOAT_LOADING if root_key is given while this process is opening it
 *         without.
 *
 * Blocks: only with job NULL. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_open(const char *path, size_t path_len, const goat_config *config, goat_db **db,
                                  goat_job **job, goat_error **error);

/**
 * Closes a database handle: captures its unsaved edits, hands them to the system, writes checkpoints,
 * and lets go of the directory when it was the last. Call goat_db_flush() before to know that
 * everything is on the disk. The handle and its children then answer GOAT_CLOSED.
 *
 * @param job  new, end with goat_job_free(). Pass NULL to block.
 * @return GOAT_OK, GOAT_INVALID with path, field and rule when unsaved edits broke their schema, or GOAT_TOO_LARGE when an
 *         item is larger than GOAT_VALUE_MAX, and they are lost (flush before to be told in time), GOAT_IO, GOAT_FULL, GOAT_WOULD_BLOCK. The handle is closed in any case.
 *
 * Blocks: only with job NULL. Calls back: no, and the wake-up function never again. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_close(goat_db *db, goat_job **job, goat_error **error);

/** Ends the handle; closes it first if that was not done, which then goes on behind. NULL is accepted.
 *  Cannot fail. */
GOAT_API void goat_db_free(goat_db *db);

/**
 * Facts about the database as one CBOR map: "path", "network" (bytes), "root" (bytes, public key),
 * "session" (bytes), "authority" (whether this database holds the root key), "read_only",
 * "repositories" (array of paths), "unsaved" (items with uncaptured edits), "damage" (array of
 * {"path", "kind", "offset", "length", "saved_as"}).
 *
 * @param info  new contents, end with goat_buf_free().
 * @return GOAT_OK, GOAT_LOADING.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_info(goat_db *db, goat_buf *info, goat_error **error);

/**
 * Advances everything that is under way in this database: captures that are due, loading, flushes,
 * jobs. Hosts with GOAT_OPEN_NO_THREAD call it when the deadline comes or after they were woken.
 *
 * @param now_ms            monotonic time in milliseconds; negative: ask the clock of the port.
 * @param budget_us         stop after about this many microseconds; 0: one step.
 * @param next_deadline_ms  out. Call again at this time at the latest; -1: when woken. May be NULL.
 * @return GOAT_OK; trouble is reported by the jobs concerned.
 *
 * Blocks: no longer than the budget, one storage operation, and one step of a job: mostly a millisecond, some microseconds for each
 * commit of the longest history in a revert. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_run(goat_db *db, double now_ms, uint32_t budget_us, double *next_deadline_ms,
                                 goat_error **error);

/** Says that something waits: changes for goat_db_advance(), a packet for goat_sync_send(), or with
 *  GOAT_OPEN_NO_THREAD work for goat_db_run(). Called from any thread, also from inside a call, with no lock held; must return at
 *  once and may not call the library. */
typedef void (*goat_wake_fn)(void *userdata);
typedef void (*goat_free_fn)(void *userdata);

/**
 * Sets the function that is called when goat_db_advance() has something new, once until the next
 * advance, when a connection has something to send, once until it is asked, and when goat_db_run() is wanted earlier
 * than it said. It replaces the one before; NULL
 * for none.
 *
 * @param userdata       taken; `free_userdata` (may be NULL) runs exactly once, after a call that is
 *                       under way has returned, also when this call fails.
 * @return GOAT_OK.
 *
 * Blocks: no. Calls back: `wake`, possibly before it returns. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_on_wake(goat_db *db, goat_wake_fn wake, void *userdata, goat_free_fn free_userdata,
                                     goat_error **error);

enum { /* the first element of each change; skip kinds that you do not know, and elements behind those you know */
       GOAT_CHANGE_RESET = 0, /**< [0]: more happened than was kept; read again what you show */
       GOAT_CHANGE_ITEM = 1,  /**< [1, path, origin, revision, [field, …]]; of an object its own name, not what is in it */
       GOAT_CHANGE_ROW = 2,   /**< [2, query id, GOAT_ROW_…, position, old position, path] */
       GOAT_CHANGE_REPO = 3,  /**< [3, path, "open" | "closed" | "failed"] */
       GOAT_CHANGE_JOB = 4,   /**< [4, job id, status]: a job is done */
       GOAT_CHANGE_SYNC =
           5 /**< [5, what, path, message]: "online"; "offline" with why, also when that changes; "even": the repository
                                has what the server had; "refused": the server does not take an edit, and says why */
};
enum {                          /* where a change came from */
       GOAT_ORIGIN_OWN = 0,     /**< an edit through this handle */
       GOAT_ORIGIN_REMOTE = 1,  /**< others', and through other handles */
       GOAT_ORIGIN_REFUSED = 2, /**< the server does not take it */
       GOAT_ORIGIN_REVERTED = 3 /**< goat_repo_revert() here, through any handle */
};
enum { /* what became of a row; positions are those after the changes before this one */
       GOAT_ROW_INSERTED = 0,
       GOAT_ROW_REMOVED = 1,
       GOAT_ROW_MOVED = 2,
       GOAT_ROW_UPDATED = 3
};

/**
 * Lets remote changes become visible and describes what changed since the last advance, own edits
 * included, as one CBOR array of changes (GOAT_CHANGE_…). Between two advances every read is stable
 * but for the caller's own edits. Unsaved edits of an item that others have changed are captured first; while
 * they break the item's schema the item stays as their author saw it.
 *
 * @param changes  new contents, end with goat_buf_free(). An empty array when nothing happened.
 *                 NULL to skip the description.
 * @return GOAT_OK, also while the database is still opening.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_advance(goat_db *db, goat_buf *changes, goat_error **error);

/** What positions in a text are counted in. A position may not lie inside of a code point. */
typedef int32_t goat_unit;
enum {
    GOAT_UNIT_BYTE = 0,       /**< bytes of UTF-8, as in C */
    GOAT_UNIT_CODE_POINT = 1, /**< code points, as in Python */
    GOAT_UNIT_UTF16 = 2       /**< 16-bit units of UTF-16, as in JavaScript */
};

/** How safe edits are to be, in rising order. */
typedef int32_t goat_durability;
enum {
    GOAT_DURABLE_MEMORY = 0, /**< captured: signed, in this process */
    GOAT_DURABLE_SYSTEM = 1, /**< written to the operating system: survives a crash of the process */
    GOAT_DURABLE_DISK = 2,   /**< on the disk: survives a loss of power */
    GOAT_DURABLE_SERVER = 3  /**< and a server has it, on its disk; where the root key is, the same as DISK */
};

/**
 * Captures this handle's unsaved edits and brings everything committed so far to a level of
 * durability. Flushes that run together share one write to the disk.
 *
 * @param job  new, end with goat_job_free(). Pass NULL to block.
 * @return GOAT_OK, GOAT_LOADING, GOAT_INVALID with path, field and rule when an item breaks its schema, GOAT_TOO_LARGE with
 *         its path when it is larger than GOAT_VALUE_MAX (it stays unsaved, everything else was flushed), GOAT_IO, GOAT_FULL, GOAT_WOULD_BLOCK; with level SERVER also
 *         GOAT_OFFLINE if no server is connected or it goes away, GOAT_FORBIDDEN if it refuses an edit, GOAT_CLOSED with
 *         the path of a repository that was closed before a server had all of it, and is not being sent: open it again.
 *         After GOAT_IO or GOAT_FULL the repository is read-only until it is opened again.
 *
 * Blocks: only with job NULL. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_flush(goat_db *db, goat_durability level, goat_job **job, goat_error **error);

/**
 * Checks everything that is stored: checksums, hashes, trees, signatures, chains, certificates.
 *
 * @param path  copied. A repository, or NULL for all.
 * @param job   new, end with goat_job_free(). Pass NULL to block. Its result, and `report`, is one
 *              CBOR map: "batches", "commits", "signatures", "bytes" (counts), "faults" (array of
 *              {"path", "kind", "message", "offset"?, "batch"?, "commit"?}).
 * @param report  new contents when blocking, may be NULL. Faults are in the report, not in the status.
 * @return GOAT_OK, GOAT_NOT_FOUND, GOAT_LOADING, GOAT_IO, GOAT_WOULD_BLOCK.
 *
 * Blocks: only with job NULL. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_verify(goat_db *db, const char *path, size_t path_len, goat_buf *report, goat_job **job,
                                    goat_error **error);

/* ---- Jobs ---------------------------------------------------------------------------------- */

/**
 * Waits until a job is done.
 *
 * @param timeout_ms  0: only look; UINT32_MAX: for ever.
 * @return what the job came to; GOAT_TIMEOUT if it is not done yet (it goes on); GOAT_WOULD_BLOCK.
 *
 * Blocks: up to the time given. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_job_wait(goat_job *job, uint32_t timeout_ms, goat_error **error);

/** How far a job is: `done` of `total` units (bytes or items; total 0: not known). Either may be
 *  NULL. Cannot fail. */
GOAT_API void goat_job_progress(const goat_job *job, double *done, double *total);

/**
 * The result of a job that has one (digest, verify, list, revert), as the blocking form would give it.
 *
 * @param result  new contents, end with goat_buf_free(). Empty if the job has none.
 * @return GOAT_OK, GOAT_LOADING if it is not done, or what the job failed with (`result` has what a revert had
 *         done until then).
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_job_result(goat_job *job, goat_buf *result, goat_error **error);

/** Asks a job to stop; it ends with GOAT_CANCELLED unless it was done. A flush is not undone. Cannot fail. */
GOAT_API void goat_job_cancel(goat_job *job);

/** The number that names this job in the changes of goat_db_advance(). 0 for NULL. Cannot fail. */
GOAT_API uint32_t goat_job_id(const goat_job *job);

/** Ends the handle; the job itself goes on. NULL is accepted. Cannot fail. */
GOAT_API void goat_job_free(goat_job *job);

/* ---- Schemas ------------------------------------------------------------------------------- */

/**
 * Registers a schema: {"ns": "task", "version": 1, "fields": {"title": {"type": "string",
 * "required": true}, …}}. Immutable per version. A database that holds the root key stores it in
 * /sys/schemas; elsewhere it is known to this process until an authority stores it. The same
 * definition again is no change. From here on this process reads and writes items of the namespace
 * at the newest version that it registered; what newer versions write is carried and not shown. A
 * process that registers none reads at the newest version that is known and not retired. "upgrade"
 * says how what the version before wrote is read. goat-schema(5) has the whole language.
 *
 * @param json  copied.
 * @return GOAT_OK, GOAT_INVALID with field and rule, GOAT_CONFLICT if other bytes stand under that
 *         namespace and version, GOAT_FORBIDDEN for a namespace that begins with "sys", or for an upgrade
 *         with calls where these are off, GOAT_TOO_LARGE, GOAT_LOADING, GOAT_IO, GOAT_FULL.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_add_schema(goat_db *db, const char *json, size_t json_len, goat_error **error);

/** Makes of one value what the next version of a schema has in its place. `value` is borrowed for the call; `out` is empty, to
 *  be filled by goat_value_from_json(), or with memory of goat_alloc(); the library frees it. Anything but GOAT_OK, or a value
 *  of another type than the step says: there is none ("else"). The same value must give the same, always and in every
 *  process that has the function. It is called with the database's lock held, from whatever thread reads, the library's own
 *  with them, and may not call a function that takes a database, an item or anything made from these. */
typedef goat_status (*goat_upgrade_fn)(void *userdata, const uint8_t *value, size_t value_len, goat_buf *out);

/**
 * Gives a name to a function for the steps {"call": field, "with": name} of upgrades, for this process. It takes the place of
 * the one before it under that name; NULL: there is none any more. Where a version names one that is not there, that version
 * and those behind it are as if they were not known: nothing is read at them, a process that registered them reads at the one
 * before, and what was written at them is carried and synced untouched; they come and go with the function. Results never
 * enter a digest. A network declares calls off by goat_db_retire_schema(db, "sys.calls", 1, true): they are then as functions
 * that are not there, and a schema that has any is refused (GOAT_FORBIDDEN).
 *
 * @param name      copied. 1 to GOAT_FIELD_NAME_MAX bytes.
 * @param userdata  taken; `free_userdata` (may be NULL) runs exactly once, after the last call, also when this call fails.
 * @return GOAT_OK, GOAT_CLOSED, GOAT_NO_MEMORY.
 *
 * Blocks: no. Calls back: `call`, possibly before it returns. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_on_upgrade(goat_db *db, const char *name, size_t name_len, goat_upgrade_fn call,
                                        void *userdata, goat_free_fn free_userdata, goat_error **error);

/**
 * The schemas known, as one CBOR array of definitions, ordered by namespace and version; one that is
 * retired has a member "retired": true besides.
 *
 * @param schemas  new contents, end with goat_buf_free().
 * @return GOAT_OK, GOAT_LOADING.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_schemas(goat_db *db, goat_buf *schemas, goat_error **error);

/**
 * What would change if a definition were registered: every way in which it could lose or reject what
 * the version before it wrote. As one CBOR array of maps: "version", "field", "what" ("added",
 * "renamed", "dropped", …), "message", one line, and where data is at stake "risk": "loses" (it is not
 * seen any more, or not told apart) or "rejects" (it breaks a rule). Nothing is registered.
 *
 * @param json     borrowed for the call.
 * @param changes  new contents, end with goat_buf_free().
 * @return what goat_db_add_schema() would return.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_check_schema(goat_db *db, const char *json, size_t json_len, goat_buf *changes,
                                          goat_error **error);

/**
 * The same between two versions that are known, with those between them.
 *
 * @param ns       borrowed for the call.
 * @param changes  new contents, end with goat_buf_free().
 * @return GOAT_OK, GOAT_NO_SCHEMA if a version is not known, GOAT_INVALID if `from` is newer than `to` or
 *         an upgrade between them does not fit, GOAT_LOADING.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_schema_changes(goat_db *db, const char *ns, size_t ns_len, uint32_t from, uint32_t to,
                                            goat_buf *changes, goat_error **error);

/**
 * Retires a version of a schema, or takes it back (`retired` false): readers go back to the version
 * before, and do not see what was written at this one, nor what follows that. It is a commit in
 * /sys/schemas; definitions and items stay as they are.
 *
 * @param ns  copied.
 * @return GOAT_OK, also if it was so already, GOAT_NO_SCHEMA if the version is not known, GOAT_NOT_FOUND if
 *         it is known to this process alone, GOAT_INVALID if no version is left before it, GOAT_FORBIDDEN
 *         without the root key, GOAT_LOADING, GOAT_IO, GOAT_FULL.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_retire_schema(goat_db *db, const char *ns, size_t ns_len, uint32_t version, bool retired,
                                           goat_error **error);

/* ---- Repositories -------------------------------------------------------------------------- */

/**
 * Opens a repository, making an empty one if there is none. Items can be reached only while their
 * repository is open; until the job is done they answer GOAT_LOADING.
 *
 * @param path  copied. "/type/repo".
 * @param flags 0; others are reserved.
 * @param repo  new, end with goat_repo_free(). NULL unless GOAT_OK.
 * @param job   new, end with goat_job_free(). Pass NULL to block.
 * @return GOAT_OK, GOAT_INVALID if the path is not one, GOAT_NOT_FOUND (read-only), GOAT_FORBIDDEN,
 *         GOAT_NEWER_FORMAT, GOAT_CORRUPT, GOAT_IO, GOAT_FULL, GOAT_LOADING, GOAT_WOULD_BLOCK.
 *
 * Blocks: only with job NULL. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_repo_open(goat_db *db, const char *path, size_t path_len, uint32_t flags, goat_repo **repo,
                                    goat_job **job, goat_error **error);

/**
 * Closes a repository for this database handle: captures its edits, writes its checkpoint, and gives
 * back its memory when no other handle has it open. Handles on it then answer GOAT_CLOSED.
 *
 * @param job  new, end with goat_job_free(). Pass NULL to block.
 * @return GOAT_OK, GOAT_INVALID and GOAT_TOO_LARGE as for goat_db_close(), GOAT_IO, GOAT_FULL, GOAT_WOULD_BLOCK. It is closed in any
 *         case.
 *
 * Blocks: only with job NULL. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_repo_close(goat_repo *repo, goat_job **job, goat_error **error);

/** Ends the handle. The repository stays open until goat_repo_close() or goat_db_close(). NULL is
 *  accepted. Cannot fail. */
GOAT_API void goat_repo_free(goat_repo *repo);

/**
 * The repositories that are stored, open or not, as one CBOR array of paths in order.
 *
 * @param paths  new contents when blocking, may be NULL.
 * @param job    new, end with goat_job_free(); the array is its result. Pass NULL to block.
 * @return GOAT_OK, GOAT_LOADING, GOAT_IO, GOAT_WOULD_BLOCK.
 *
 * Blocks: only with job NULL. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_repos(goat_db *db, goat_buf *paths, goat_job **job, goat_error **error);

/**
 * Makes many edits as one signed batch, at once and without waiting for a capture.
 *
 * @param edits   borrowed for the call; at most GOAT_VALUE_MAX bytes. A CBOR array of maps:
 *                  "key"      text, the item's key (required)
 *                  "schema"   text, namespace: create the item if it is not there, or bring it back if it is
 *                             deleted
 *                  "set"      map: field → value
 *                  "unset"    array of field names
 *                  "edit"     map: field, or the path of one in an object → step, or an array of steps, which are made
 *                             one after the other, after "set" and "unset"
 *                  "replace"  map: field → value; fields not named are unset (instead of set, unset, edit)
 *                  "delete"   true, or false to undelete
 *                An edit that changes nothing makes no commit. One of a deleted item brings it back, unless "delete" is true.
 *                A step is a map of one member, named like the function goat_item_… that does the same, and with its arguments:
 *                  "add": value, "remove": value         of a set
 *                  "put": [key, value] or [key]          of a map; without a value the key goes
 *                  "increment": integer                  of a counter
 *                  "splice": [position, count, text]     of a text, in code points; or [..., unit]: "byte", "code_point",
 *                                                        "utf16"
 *                  "list_insert": [position, [value, ...]], "list_remove": [position, count],
 *                  "list_move": [from, to], "list_set": [position, value]
 *                  "apply_delta": [operation, ...]       of a rich text
 *                Together no more than GOAT_BATCH_MAX edits and steps. Steps on a list cost what it is long, each; all others
 *                what they say.
 *                Unsaved edits of these items are captured first.
 * @param flags   GOAT_APPLY_…
 * @param result  new contents, end with goat_buf_free(). NULL to skip. A CBOR map: "created",
 *                "changed", "unchanged" (counts).
 * @return GOAT_OK, GOAT_LOADING, GOAT_NOT_FOUND with the path, GOAT_EXISTS, GOAT_NO_SCHEMA, GOAT_INVALID with
 *         path, field and rule (of a step with its number in the message, from 1 on), GOAT_FORBIDDEN, GOAT_TOO_LARGE, GOAT_IO,
 *         GOAT_FULL, GOAT_CORRUPT. On failure nothing of `edits` is done.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_repo_apply(goat_repo *repo, const uint8_t *edits, size_t edits_len, uint32_t flags,
                                     goat_buf *result, goat_error **error);

/** As goat_repo_apply(), with the array as JSON; values are read as their schema says, those in steps as JSON without one. */
GOAT_API goat_status goat_repo_apply_json(goat_repo *repo, const char *edits, size_t edits_len, uint32_t flags,
                                          goat_buf *result, goat_error **error);

enum {
    GOAT_APPLY_TRANSACTION = 1u << 0, /**< one group: peers admit or refuse it whole */
    GOAT_APPLY_CREATE_ONLY = 1u << 1  /**< an item that is there already is GOAT_EXISTS */
};

/**
 * A fingerprint of what the repository holds, to compare replicas: a CBOR map with "entries" (count),
 * "fingerprint" (32 bytes over the set of entries), "views" (32 bytes over all views in key order).
 *
 * @param digest  new contents when blocking, may be NULL.
 * @param job     new, end with goat_job_free(); the map is its result. Pass NULL to block.
 * @return GOAT_OK, GOAT_LOADING, GOAT_WOULD_BLOCK.
 *
 * Blocks: only with job NULL. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_repo_digest(goat_repo *repo, goat_buf *digest, goat_job **job, goat_error **error);

/**
 * Undoes commits, in as many items of the repository as they are of, while edits go on: what others did in the
 * meantime stays. A revert is made of ordinary commits, one for each item, which name what they undo; together they
 * are one transaction (of more than GOAT_BATCH_MAX items, several). It is undone by reverting it, and what nobody has
 * touched since is then exactly what it was. Commits that are undone already are left out.
 *
 * Unsaved edits of this handle are captured first: with "item" those of the item, otherwise all. Invalid ones stay unsaved,
 * and are in the way only where their item is to be reverted (GOAT_INVALID). A dry run captures nothing, so it is about what
 * was captured before, and an undo that is tried may be about an earlier commit than the one that is made.
 *
 * The session is the database's, not the handle's: undo through one handle undoes what was edited through another, once
 * it is visible. A time is that of the author's clock.
 *
 * @param spec    copied. JSON, an object with one of
 *                  "commits": [id, …]             ids in hexadecimal; their first 8 digits or more will do
 *                  "session": id, "since": time, "until": time
 *                                                 all commits of a session, of a range of time, or of both; the ends are
 *                                                 included. A time is RFC 3339, or a commit's time as a number, as text
 *                  "undo": true                   the latest commit of this database's own session that is not undone, and
 *                                                 the rest of its transaction; reverts of own commits do not count, nor
 *                                                 does what is of a version that is not read here
 *                  "redo": true                   the latest undo that is not undone, if nothing of the session's own came
 *                                                 after it
 *                and any of
 *                  "item": key                    only in this item
 *                  "message": text                kept with the commits
 *                  "dry_run": true                nothing is changed
 *                  "lacks_some": true             "commits" that are not in this repository are no error
 * @param result  new contents when blocking, may be NULL. A CBOR map: "found" (ids of "commits"), "items": an array of
 *                maps with "path", "commit" (id; not with "dry_run"), "reverts" (ids that it undoes), "fields" (of the
 *                item, by name, an object as a whole: {"before": value, "after": value}, each left out where the field is
 *                unset), "deleted"? (whether the item is afterwards, where that changes). Where others have written over
 *                what is undone nothing changes: with a session or a time such an item is left out, else it is there,
 *                without fields. "skipped"?, with a session or a time: an array of maps with "path" and
 *                "reason" ("GOAT_NO_SCHEMA", "GOAT_CORRUPT"), items of which all, or some commits, are left out because
 *                they cannot be read here. What is not visible before the next advance is left out without a word.
 * @param job     new, end with goat_job_free(). Pass NULL to block.
 * @return GOAT_OK; GOAT_INVALID with what is wrong in the spec, or with path, field and rule when an item would break its
 *         schema; GOAT_NOT_FOUND: there is no such commit (or it is not visible before the next advance), nothing to undo
 *         or to redo; GOAT_NO_SCHEMA: a commit that is named is of a version that is not read here, or on one that is;
 *         GOAT_NOT_HELD: this replica does not hold the history that it takes; GOAT_CANCELLED, GOAT_FORBIDDEN, GOAT_LOADING,
 *         GOAT_TOO_LARGE, GOAT_CORRUPT, GOAT_WOULD_BLOCK, GOAT_IO, GOAT_FULL. Nothing is reverted when it fails,
 *         but where it takes several transactions, those before the one that failed: `result`, or that of the job, has their
 *         "items" then, and is empty after all other failures.
 *
 * Blocks: only with job NULL. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_repo_revert(goat_repo *repo, const char *spec, size_t spec_len, goat_buf *result,
                                      goat_job **job, goat_error **error);

/* ---- Transactions -------------------------------------------------------------------------- */

/**
 * Begins a transaction in one repository. Items opened or created with it (see goat_item_open)
 * collect their edits in it; nobody else sees them before goat_tx_commit().
 *
 * @param tx  new, end with goat_tx_free(). NULL unless GOAT_OK.
 * @return GOAT_OK, GOAT_LOADING, GOAT_FORBIDDEN.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_tx_begin(goat_repo *repo, goat_tx **tx, goat_error **error);

/**
 * Commits the edits as one group of one batch, admitted or refused whole by every peer. Its items
 * stay readable; their further edits are GOAT_MISUSE.
 *
 * @param message  copied. UTF-8, kept with each commit for whoever reads the history; NULL for none.
 * @param result   new contents, end with goat_buf_free(). NULL to skip. A CBOR map: "commits" (array of ids).
 * @return GOAT_OK, GOAT_INVALID with path, field and rule (the transaction goes on), GOAT_TOO_LARGE, GOAT_IO,
 *         GOAT_FULL.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_tx_commit(goat_tx *tx, const char *message, size_t message_len, goat_buf *result,
                                    goat_error **error);

/** Ends a transaction; its edits are dropped if it was not committed. NULL is accepted. Cannot fail. */
GOAT_API void goat_tx_free(goat_tx *tx);

/* ---- Items --------------------------------------------------------------------------------- */

/**
 * Opens one item as of the last advance.
 *
 * @param tx    borrowed; edits go into this transaction. NULL: into this handle's next capture.
 * @param path  copied. "/type/repo/item".
 * @param item  new, end with goat_item_free(). NULL unless GOAT_OK.
 * @return GOAT_OK, GOAT_NOT_FOUND if there is no such item (a deleted one is there, see
 *         goat_item_state), GOAT_LOADING, GOAT_CLOSED if its repository is not open, GOAT_NO_SCHEMA if its schema
 *         is not known here, GOAT_INVALID if the path is not one, GOAT_CORRUPT if the log is damaged
 *         there, GOAT_MISUSE if the transaction belongs to another repository.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_item_open(goat_db *db, goat_tx *tx, const char *path, size_t path_len, goat_item **item,
                                    goat_error **error);

/**
 * Creates an item. Each value is checked against the rules of its field at once; the whole item (required
 * fields) when it is captured or flushed, so that these may follow. A deleted item still exists: open it and
 * undelete it.
 *
 * @param tx      as for goat_item_open().
 * @param path    copied. "/type/repo/item", or "/type/repo" for a new random key.
 * @param ns      copied. The schema's namespace; the newest version that is registered is used.
 * @param fields  borrowed for the call. A CBOR map: field → value; NULL for none.
 * @param item    new, end with goat_item_free(). NULL unless GOAT_OK.
 * @return GOAT_OK, GOAT_EXISTS, GOAT_NO_SCHEMA, GOAT_INVALID, GOAT_WRONG_TYPE, GOAT_LOADING, GOAT_CLOSED,
 *         GOAT_FORBIDDEN, GOAT_TOO_LARGE, GOAT_MISUSE as for goat_item_open().
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_item_create(goat_db *db, goat_tx *tx, const char *path, size_t path_len, const char *ns,
                                      size_t ns_len, const uint8_t *fields, size_t fields_len, goat_item **item,
                                      goat_error **error);

/** Ends the handle; its edits are kept and captured. NULL is accepted. Cannot fail. */
GOAT_API void goat_item_free(goat_item *item);

/** The item's path. `path`: new contents, end with goat_buf_free(). */
GOAT_API goat_status goat_item_path(goat_item *item, goat_buf *path, goat_error **error);

enum {
    GOAT_ITEM_DELETED = 1u << 0,  /**< deleted; values can be read, an edit or undelete brings it back */
    GOAT_ITEM_INVALID = 1u << 1,  /**< a merge broke a rule of the schema; see goat_item_check */
    GOAT_ITEM_UNSAVED = 1u << 2,  /**< has edits that are not captured yet */
    GOAT_ITEM_WITHDRAWN = 1u << 3 /**< no longer readable since the last advance */
};

/** GOAT_ITEM_… of an item in `flags`. @return GOAT_OK. */
GOAT_API goat_status goat_item_state(goat_item *item, uint32_t *flags, goat_error **error);

/**
 * Checks an item against its schema, unsaved edits included.
 *
 * @return GOAT_OK, GOAT_INVALID with field and rule.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_item_check(goat_item *item, goat_error **error);

/**
 * The whole item as one CBOR map of fields, defaults filled in, without what is unset.
 *
 * @param value     new contents, end with goat_buf_free(). May be NULL to ask for the revision only.
 * @param revision  out, may be NULL. Another number whenever the bytes may be others; compare for
 *                  equality only.
 * @return GOAT_OK, GOAT_NOT_FOUND if it was withdrawn.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_item_read(goat_item *item, goat_buf *value, uint32_t *revision, goat_error **error);

/** As goat_item_read(), as a JSON object in the plain form of its schema (dates as RFC 3339 text,
 *  bytes as base64, sets as arrays, refs as text). */
GOAT_API goat_status goat_item_read_json(goat_item *item, goat_buf *json, uint32_t *revision, goat_error **error);

/*
 * FIELDS ARE NAMED in what follows by their name or, in an object, by their path: "address.city" is the field "city" of
 * the object "address", and has all operations of its own type. In a schema that has objects no name has a dot, so a
 * path means one thing. An edit of a field in an object that is not there makes the object. A whole object is read and
 * set as a map; set, it is compared with what is there, and the fields that differ are edited.
 */

/*
 * Reading one field: GOAT_OK, GOAT_NOT_FOUND if it is unset and has no default, GOAT_WRONG_TYPE,
 * GOAT_INVALID if the schema has no such field. `field` is borrowed for the call. Unsaved edits are
 * seen. Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */

/** One field as CBOR. `value`: new contents, end with goat_buf_free(). */
GOAT_API goat_status goat_item_get(goat_item *item, const char *field, size_t field_len, goat_buf *value,
                                   goat_error **error);
/** One field as JSON in plain form. `json`: new contents, end with goat_buf_free(). */
GOAT_API goat_status goat_item_get_json(goat_item *item, const char *field, size_t field_len, goat_buf *json,
                                        goat_error **error);
GOAT_API goat_status goat_item_get_bool(goat_item *item, const char *field, size_t field_len, bool *value,
                                        goat_error **error);
/** A number, a counter, or a date in milliseconds since 1970, as a double. */
GOAT_API goat_status goat_item_get_number(goat_item *item, const char *field, size_t field_len, double *value,
                                          goat_error **error);
/** An integer (number or counter) as two halves: value = high * 2^32 + low. GOAT_WRONG_TYPE for a fraction. */
GOAT_API goat_status goat_item_get_int(goat_item *item, const char *field, size_t field_len, int32_t *high,
                                       uint32_t *low, goat_error **error);
/** The UTF-8 text of a string, text, orderstamp or ref; of a richtext its characters without attributes, with U+FFFC for each embed.
 * `text`: new contents, end with goat_buf_free(). */
GOAT_API goat_status goat_item_get_text(goat_item *item, const char *field, size_t field_len, goat_buf *text,
                                        goat_error **error);
/** The contents of a bytes field. `bytes`: new contents, end with goat_buf_free(). */
GOAT_API goat_status goat_item_get_bytes(goat_item *item, const char *field, size_t field_len, goat_buf *bytes,
                                         goat_error **error);

/*
 * Editing one field: GOAT_OK, GOAT_INVALID with field and rule, GOAT_WRONG_TYPE, GOAT_TOO_LARGE, GOAT_FORBIDDEN,
 * GOAT_NOT_FOUND if the item was withdrawn. In memory at once; a later capture makes the commit.
 * Writing the value that is already there is no edit. `field` and values are copied.
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */

/** Sets one field to a CBOR value. */
GOAT_API goat_status goat_item_set(goat_item *item, const char *field, size_t field_len, const uint8_t *value,
                                   size_t value_len, goat_error **error);
/** Sets one field to a JSON value, read as the schema says. */
GOAT_API goat_status goat_item_set_json(goat_item *item, const char *field, size_t field_len, const char *json,
                                        size_t json_len, goat_error **error);
GOAT_API goat_status goat_item_set_bool(goat_item *item, const char *field, size_t field_len, bool value,
                                        goat_error **error);
/** Sets a number, a counter, or a date in milliseconds since 1970. */
GOAT_API goat_status goat_item_set_number(goat_item *item, const char *field, size_t field_len, double value,
                                          goat_error **error);
/** Sets an integer given as two halves: high * 2^32 + low. */
GOAT_API goat_status goat_item_set_int(goat_item *item, const char *field, size_t field_len, int32_t high, uint32_t low,
                                       goat_error **error);
/** Sets a string, text, orderstamp or ref. What a text field was and what it becomes are compared, and the difference
 * is the edit. */
GOAT_API goat_status goat_item_set_text(goat_item *item, const char *field, size_t field_len, const char *text,
                                        size_t text_len, goat_error **error);
/** Sets a bytes field. */
GOAT_API goat_status goat_item_set_bytes(goat_item *item, const char *field, size_t field_len, const uint8_t *bytes,
                                         size_t bytes_len, goat_error **error);
/** Unsets one field; it reads as its default, or as not found. */
GOAT_API goat_status goat_item_unset(goat_item *item, const char *field, size_t field_len, goat_error **error);
/** Adds one element (CBOR) to a set. An edit even if it is there: it outlives a concurrent removal. */
GOAT_API goat_status goat_item_add(goat_item *item, const char *field, size_t field_len, const uint8_t *element,
                                   size_t element_len, goat_error **error);
/** Removes one element (CBOR) from a set; one that is not there is no edit. */
GOAT_API goat_status goat_item_remove(goat_item *item, const char *field, size_t field_len, const uint8_t *element,
                                      size_t element_len, goat_error **error);
/** Sets one key of a map to a CBOR value; NULL removes the key. */
GOAT_API goat_status goat_item_put(goat_item *item, const char *field, size_t field_len, const char *key,
                                   size_t key_len, const uint8_t *value, size_t value_len, goat_error **error);
/** Adds high * 2^32 + low to a counter, modulo 2^64. */
GOAT_API goat_status goat_item_increment(goat_item *item, const char *field, size_t field_len, int32_t high,
                                         uint32_t low, goat_error **error);
/**
 * Changes a text field at one place: takes `count` units out from `position` on and puts `text` there. Recorded as it is
 * made, so what others write elsewhere in the text at the same time stays where they wrote it. Costs about a microsecond, however
 * long the text, until somebody reads the field; the first one after a capture costs a look at the whole text (0.1 ms for 1 MB), and
 * so does each where the field has a pattern or an enumeration.
 *
 * @param unit      what position and count are counted in; see goat_unit.
 * @param text      UTF-8; NULL with 0 for none.
 * @return also GOAT_INVALID, with the position, where there is no such place, or it lies inside of a code point.
 *         GOAT_TOO_LARGE where the text would be larger than GOAT_VALUE_MAX.
 */
GOAT_API goat_status goat_item_splice(goat_item *item, const char *field, size_t field_len, goat_unit unit,
                                      uint32_t position, uint32_t count, const char *text, size_t text_len,
                                      goat_error **error);
/**
 * Puts the elements of an array into a list field, before the one at `position`; at the end, where that is their number.
 * Elements of a list keep what they are while others insert, remove and move at the same time; see goat_item_list_move().
 * Setting a whole list (goat_item_set()) records how it differs from what it was, moves included. An operation on a list costs what
 * the list is long.
 *
 * @param values    CBOR, an array.
 * @return also GOAT_INVALID, with the position, where there is no such place.
 */
GOAT_API goat_status goat_item_list_insert(goat_item *item, const char *field, size_t field_len, uint32_t position,
                                           const uint8_t *values, size_t values_len, goat_error **error);
/** Takes `count` elements out of a list field from `position` on, wherever others move them meanwhile.
 * GOAT_INVALID, with the position, where there are no such elements. */
GOAT_API goat_status goat_item_list_remove(goat_item *item, const char *field, size_t field_len, uint32_t position,
                                           uint32_t count, goat_error **error);
/**
 * Moves the element at `from` of a list field, so that it is then number `to`. It stays the same element: what others
 * do to it meanwhile still finds it, and of two moves at once the later one stands.
 *
 * @return also GOAT_INVALID, with the position, where there is no such element or place.
 */
GOAT_API goat_status goat_item_list_move(goat_item *item, const char *field, size_t field_len, uint32_t from,
                                         uint32_t to, goat_error **error);
/** Gives the element at `position` of a list field another value (CBOR); of two at once the later one stands.
 * GOAT_INVALID, with the position, where there is no such element. */
GOAT_API goat_status goat_item_list_set(goat_item *item, const char *field, size_t field_len, uint32_t position,
                                        const uint8_t *value, size_t value_len, goat_error **error);
/**
 * Applies a Delta, as the editor Quill makes them, to a richtext field. Recorded as it is made: what others write at the same time
 * stays where they wrote it, and each attribute of each character is the one that was given last. What a richtext holds is read
 * with goat_item_get_json(), or goat_item_get_text() without attributes: a Delta of insertions,
 * [{"insert": "Goat"}, {"insert": "\n", "attributes": {"header": 1}}]. A key costs some microseconds until somebody reads the field; the
 * first after a capture goes through the document, and where the field has a pattern each one does.
 *
 * @param delta     JSON: an array of operations, or an object with one as "ops". An operation is {"insert": text or embed},
 *                  {"retain": count} or {"delete": count}; insert and retain may have "attributes", of which null removes one.
 *                  Counts are in UTF-16 units, an embed (an object such as {"image": "..."}) being one.
 * @return also GOAT_INVALID, with the number of the operation as position, if it is none, if it goes beyond the document's end,
 *         if it ends inside of a surrogate pair, or if its attributes are more than 4096 bytes; GOAT_TOO_LARGE if, with what is not
 *         captured yet, it would give characters attributes of more than these.
 */
GOAT_API goat_status goat_item_apply_delta(goat_item *item, const char *field, size_t field_len, const char *delta,
                                           size_t delta_len, goat_error **error);
/** Makes the item equal to a CBOR map of fields: sets what differs, unsets what is not named. */
GOAT_API goat_status goat_item_replace(goat_item *item, const uint8_t *fields, size_t fields_len, goat_error **error);
/** Deletes the item, or (with false) brings it back with its values. A deleted item stays readable,
 *  marked GOAT_ITEM_DELETED; deleting a deleted one is no edit. */
GOAT_API goat_status goat_item_delete(goat_item *item, bool deleted, goat_error **error);

/**
 * The commits of an item in pages, newest first (by time, then id; so each comes before its parents), as one CBOR array
 * of maps: "id" (bytes), "batch" (bytes), "time" (date), "logical" (integer, the counter within the millisecond),
 * "session" (bytes), "kind" ("create", "edit", "delete", "undelete", "revert", "damaged"), "schema" ([ns, version]),
 * "fields" (array of names; of an object its own, not what is in it), "parents" (array of bytes), "head" (boolean: the
 * item, as the handle sees it, is what this commit and the other heads come to), "hidden"? (true: it is in no view
 * here, because it, or one that it comes from, is of a version of the schema that is not read here), "message"?,
 * "reverts"? (array of bytes).
 * A commit whose bytes turn out damaged is of kind "damaged" and has no "schema", "fields", "parents", "message" and
 * "reverts"; those before it are told like all others, and goat_db_verify() says more.
 *
 * What waits for the next advance is left out, as it is elsewhere. The next page begins behind the last commit of this one,
 * whatever has come meanwhile: what has its place further on is met there, and nothing is told twice. On the same handle
 * that costs what the page costs; from any other commit on, in addition a walk over all that are newer, which reads none.
 *
 * @param before      borrowed. An id of 32 bytes: those before this commit of the item. NULL: from the newest on.
 * @param limit       how many at most; UINT32_MAX for all.
 * @param commits     new contents, end with goat_buf_free(). Empty behind the first commit.
 * @return GOAT_OK, GOAT_NOT_FOUND if the item has no such commit, GOAT_CORRUPT if the item itself cannot be read.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_item_commits(goat_item *item, const uint8_t *before, size_t before_len, uint32_t limit,
                                       goat_buf *commits, goat_error **error);

/**
 * The commit of an item whose id begins so. Compares the ids of all its commits, those too that wait for the next advance,
 * and reads none.
 *
 * @param digits  borrowed. 8 to 64 hexadecimal digits.
 * @param id      new contents (32 bytes), end with goat_buf_free().
 * @return GOAT_OK, GOAT_NOT_FOUND if there is no such commit, GOAT_INVALID if there are several, or if these are no such
 *         digits.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_item_find_commit(goat_item *item, const char *digits, size_t digits_len, goat_buf *id,
                                           goat_error **error);

/**
 * Where the fields of an item come from: which commits contributed to each, from which base, by which rule. Of what the
 * handle sees, without its unsaved edits; or of an earlier view.
 *
 * A view follows from a base, the latest commits that everything else is before or after, and from the commits after it. All
 * of these that edit the field are listed, and, so far as they say where the base's value comes from, those before it: back
 * to the last write of a single value, and of other types through the history, 8,192 commits at most.
 *
 * One CBOR map: "at" (array of bytes: the heads of the view), "base" (array of bytes: the base's commits; none: the
 * empty item), "fields" (array of maps, below), "schema" ([ns, version], as it is read), "deleted" (boolean),
 * "deletions" (array of commits that deleted the item or brought it back).
 * A field: "more"? (integer: edits that were not listed because of the limit), "name", "rule" (text: how edits of it
 * combine), "type", "state" ("set", "default": it has its default value, or "unset"), "commits" (array: newest first),
 * "earlier"? ({"effect", "commits" (array of bytes)}: what the field was at these commits came from before, which was not
 * looked into; none: what upgrades of the schema give to older items; and what became of that), "limited"? (true: it was too
 * much to find out all).
 * A commit: "by" (array of bytes: commits that took the place of what it did, the first few), "id" (bytes), "time"
 * (date), "parts" (array of maps: what it did), "effect", "others"? (true: "by" does not name all), "schema"
 * ([ns, version], of the commit), "logical" (integer), "message"?, "session" (bytes), "settled" (boolean: it is in the
 * base).
 * The effect: "kept" (all that it did is part of the value), "part" (some of it), "overridden" (none of it; it did not
 * contribute), "none" (it did what was so already), "void" (its author was revoked), "unread" (of a version or form that is
 * not read here), "unknown" (see "limited").
 * A part: "by"? (integer: of an increment), "key"? (the element of a set, the key of a map, if it is not long), "what"
 * ("written", "unset", "added", "removed", "put", "incremented", "inserted", "moved", "replaced", "formatted",
 * "made": so that the field is there, "superseded": kept an older one from standing, "edited"; "deleted", "undeleted"),
 * "count" (of elements), "stands" (so many of them are part of the value).
 * Of one commit the first 16 parts are told one by one, others put together.
 *
 * @param field        borrowed. Its name, or the path of one in an object ("address.city"). NULL: all fields of the item that
 *                     are set, were edited or have a default.
 * @param at           borrowed. Ids of commits of this item, 32 bytes each: the view that has these as its heads.
 *                     NULL: the one that the handle sees.
 * @param limit        how many commits to a field at most; UINT32_MAX for all.
 * @param explanation  new contents, end with goat_buf_free().
 * @return GOAT_OK, GOAT_NOT_FOUND if the item has no such commit, or none yet, GOAT_INVALID if the schema has no such
 *         field, GOAT_NO_SCHEMA, GOAT_CORRUPT, GOAT_TOO_LARGE if more than 16,384 commits came since the base.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_item_explain(goat_item *item, const char *field, size_t field_len, const uint8_t *at,
                                       size_t at_len, uint32_t limit, goat_buf *explanation, goat_error **error);

/* ---- Order stamps -------------------------------------------------------------------------- */

/**
 * Makes order stamps: short texts (0-9, a-z) that say where items stand in a list. Keep one in a field of type "orderstamp"
 * of each, and sort by that field: stamps sort by their bytes, and items with the same one by their keys. To insert or to
 * move an item is to set its stamp to one between those of its new neighbours, and nothing else; two peers that do so at one
 * place get different ones.
 *
 *     goat_orderstamp_between(db, last, last_len, NULL, 0, 1, &stamps, &error);          to append to a list
 *     goat_item_set(item, "place", 5, stamps.data + 1, stamps.size - 1, &error);         of the array its one element
 *
 * @param before  borrowed for the call. The stamp that the new ones come after; NULL with 0: the beginning of the list.
 * @param after   borrowed for the call. The stamp that they come before; NULL with 0: the end of the list.
 * @param count   how many, at most 65536; where there is room on both sides they are spread evenly.
 * @param stamps  new contents, end with goat_buf_free(). A CBOR array of texts in order.
 * @return GOAT_OK; GOAT_INVALID with a position if one of the two is no stamp, and if `before` does not sort before
 *         `after`; GOAT_TOO_LARGE also if no stamp of at most 255 bytes is left between these two: then give all items of
 *         the list new ones; GOAT_IO if the host gives no randomness; GOAT_LOADING.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_orderstamp_between(goat_db *db, const char *before, size_t before_len, const char *after,
                                             size_t after_len, uint32_t count, goat_buf *stamps, goat_error **error);

/* ---- Queries ------------------------------------------------------------------------------- */

/**
 * Opens a query, which keeps its result current: it sees this handle's edits at once and others'
 * changes at each advance. Deleted items never match.
 *
 * @param repo    borrowed. The repository to look in.
 * @param source  borrowed. Look only among the rows of this query (of the same repository); NULL: all items.
 * @param spec    copied. JSON: {"schema": ns, "where": filter, "sort": ["name", "-size"], "offset": n,
 *                "limit": n, "fields": ["name", "size"]}; each may be left out. A filter is a document
 *                of MongoDB's query language: $eq $ne $gt $gte $lt $lte $in $nin $and $or $not $nor
 *                $exists $contains $startsWith $regex, dotted paths. Rows that compare equal are
 *                ordered by item key.
 * @param query   new, end with goat_query_free(). NULL unless GOAT_OK.
 * @param job     new, end with goat_job_free(): the first result. Pass NULL to block.
 * @return GOAT_OK, GOAT_INVALID with what is wrong in the spec, GOAT_LOADING, GOAT_WOULD_BLOCK.
 *
 * Blocks: only with job NULL. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_query_open(goat_repo *repo, goat_query *source, const char *spec, size_t spec_len,
                                     goat_query **query, goat_job **job, goat_error **error);

/** Ends a query. Queries that have it as their source go on. NULL is accepted. Cannot fail. */
GOAT_API void goat_query_free(goat_query *query);

/** The number that names this query in the changes of goat_db_advance(). 0 for NULL. Cannot fail. */
GOAT_API uint32_t goat_query_id(const goat_query *query);

/** The number of rows, after offset and limit. @return GOAT_OK, GOAT_LOADING. */
GOAT_API goat_status goat_query_count(goat_query *query, uint32_t *count, goat_error **error);

/**
 * A window of rows as one CBOR array of [key, revision, {field: value, …}], with the fields that the
 * spec asks for (all without "fields"), defaults filled in.
 *
 * @param position  of the first row.
 * @param limit     how many at most; UINT32_MAX for all.
 * @param rows      new contents, end with goat_buf_free().
 * @return GOAT_OK, GOAT_LOADING, GOAT_TOO_LARGE if they are more than 1 GiB, GOAT_CORRUPT.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_query_rows(goat_query *query, uint32_t position, uint32_t limit, goat_buf *rows,
                                     goat_error **error);

/** As goat_query_rows(), as newline-delimited JSON objects {"key": …, field: value, …} in plain form;
 *  a field that is itself called "key" wins. */
GOAT_API goat_status goat_query_rows_json(goat_query *query, uint32_t position, uint32_t limit, goat_buf *rows,
                                          goat_error **error);

/**
 * Looks up by the first sort field, in O(log n).
 *
 * @param value     borrowed for the call. CBOR.
 * @param position  out. The first row whose field is not before `value` in the order of the query.
 * @param count     out. How many rows from there have exactly this value. May be NULL.
 * @return GOAT_OK, also with count 0; GOAT_LOADING; GOAT_MISUSE if the query is not sorted by a field.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_query_find(goat_query *query, const uint8_t *value, size_t value_len, uint32_t *position,
                                     uint32_t *count, goat_error **error);

/* ---- Sync ---------------------------------------------------------------------------------- */

/*
 * Databases of one network become equal through a server: a database that holds the root key, or is certified by it. A
 * replica is made with goat_config.root_key, edited at any time, and brings its edits when it meets its server. What
 * comes from others is verified, and seen at the next goat_db_advance().
 *
 * A goat_sync is one connection without a transport: packets out of one end go into the other, whole, in order, over a
 * pipe, a socket or a data channel of the host's. core/sync/PROTOCOL.md says what is in them.
 */

enum { /* what one end of a connection is */
       GOAT_SYNC_SERVER =
           1u << 0,             /**< the end that is asked; without it, the end that syncs what its handles have open */
       GOAT_SYNC_ALL = 1u << 1, /**< client: also every repository that the server has when they meet */
       GOAT_SYNC_STORED = 1u << 2 /**< client: also every repository that is stored here */
};

/**
 * Begins a connection. A client syncs the repositories that any handle of its database has open, now or later; one that
 * is closed goes on until the server has what was written to it.
 *
 * @param db     borrowed; goat_db_close() ends its connections.
 * @param flags  GOAT_SYNC_…
 * @param sync   new, end with goat_sync_free(). NULL unless GOAT_OK.
 * @return GOAT_OK, GOAT_LOADING, GOAT_FORBIDDEN for a client whose database is open for reading only, and for a server
 *         that is not certified as one.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_sync_new(goat_db *db, uint32_t flags, goat_sync **sync, goat_error **error);

/** Cuts the connection and ends the handle: nothing is lost, the next one goes on from there. NULL is accepted.
 *  Cannot fail. */
GOAT_API void goat_sync_free(goat_sync *sync);

/**
 * Takes one packet of the other end. Hashing and signatures are done without the database's lock.
 *
 * @param packet  borrowed for the call. An empty one is none.
 * @return GOAT_OK, or why the connection has ended: GOAT_UNTRUSTED (another network, or what no honest peer sends),
 *         GOAT_INVALID, GOAT_TOO_LARGE, GOAT_NEWER_FORMAT, GOAT_TIMEOUT, what the other end said, GOAT_CLOSED for a
 *         clean end. What is left to say can still be sent.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_sync_receive(goat_sync *sync, const uint8_t *packet, size_t packet_len, goat_error **error);

/**
 * The next packet for the other end. Call it after goat_sync_new(), after goat_sync_receive(), when the wake-up function
 * of goat_db_on_wake() was called, and at the deadline; again as long as it gives one.
 *
 * @param packet            new contents, end with goat_buf_free(). Empty: nothing to say now.
 * @param next_deadline_ms  out, as for goat_db_run(). May be NULL.
 * @return GOAT_OK, or why the connection has ended, as for goat_sync_receive(), when nothing is left to say.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_sync_send(goat_sync *sync, goat_buf *packet, double *next_deadline_ms, goat_error **error);

/**
 * Captures this handle's unsaved edits and waits until this database and its server both have what each had when this
 * began, and the server has it on its disk.
 *
 * @param path  copied. A repository, or NULL for everything that is synced.
 * @param job   new, end with goat_job_free(); its progress counts the bytes that come. Pass NULL to block, which needs
 *              somebody else to carry the packets.
 * @return GOAT_OK, GOAT_LOADING, GOAT_OFFLINE if no server is connected or it goes away, GOAT_NOT_FOUND if the
 *         repository is not synced or neither side has it, GOAT_INVALID as for goat_db_flush(), GOAT_FORBIDDEN if the
 *         server refuses an edit, GOAT_CONFLICT if the two sides do not become equal, what the server closed a
 *         repository for, GOAT_WOULD_BLOCK.
 *
 * Blocks: only with job NULL. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_sync(goat_db *db, const char *path, size_t path_len, goat_job **job, goat_error **error);

/**
 * What is known of the server and of who is connected, as one CBOR map:
 *   "server"        its URL, "" if none was set
 *   "online"        whether it is connected
 *   "error"         the last trouble with it since it was connected, "" if there was none
 *   "clock_ms"      how far commits are timed after the machine's clock, to agree with the server's
 *   "peers"         array of {"session" (bytes), "role" ("server" or "client"), "repositories" (open with it), "in", "out"
 *                   (bytes), "batches_in", "batches_out"}
 *   "repositories"  of those that are synced with a server and are open here: array of {"path", "open" (with it), "even"
 *                   (what it had was here), "noted" (and the next connection begins there), "entries" (commits held),
 *                   "unsent" (commits of our own that may not yet be on its disk; at most 65536 records are looked at),
 *                   "to_send" (bytes of log that it may not have), "coming" (bytes that it announced), "came" (bytes)}
 *
 * @param status  new contents, end with goat_buf_free().
 * @return GOAT_OK, GOAT_LOADING.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_status(goat_db *db, goat_buf *status, goat_error **error);
/* ---- Network ------------------------------------------------------------------------------- */

/** A server that gives out a database over WebSocket. */
typedef struct goat_server goat_server;

/** How to connect. Start from GOAT_NET_CONFIG_INIT or goat_net_config_init(); zero is the default. */
typedef struct goat_net_config {
    uint32_t struct_size;
    uint32_t flags;      /**< GOAT_SYNC_ALL, GOAT_SYNC_STORED: besides what the handles have open */
    const char *ca_file; /**< PEM file with the CAs that are trusted; NULL: the system's, or $SSL_CERT_FILE. copied */
} goat_net_config;

#define GOAT_NET_CONFIG_INIT                                                                                           \
    { sizeof(goat_net_config), 0, NULL }

/** Fills in the defaults for a caller who knows the structure as `struct_size` bytes. Cannot fail. */
GOAT_API void goat_net_config_init(goat_net_config *config, size_t struct_size);

/**
 * Keeps a connection to a server from here on, in the background, for as long as the handle is open: it is made anew when it
 * breaks, after pauses that grow. What it is at, and the last trouble, are in goat_db_status() and in changes. A second
 * URL, or another CA file, replaces the first; the same again makes it try at once.
 *
 * A database has one connection. Handles of it in this process that ask for the same URL and CA file share it, with the
 * flags of all of them, and it ends when the last of them is closed or disconnected.
 *
 * @param url     copied. "ws://host[:port][/path]", or "wss://…", which checks the server's certificate.
 * @param config  borrowed for the call. NULL means GOAT_NET_CONFIG_INIT.
 * @return GOAT_OK, also when the server cannot be reached; GOAT_INVALID with a position and GOAT_TOO_LARGE for the URL;
 *         GOAT_NOT_FOUND, GOAT_FORBIDDEN, GOAT_INVALID for the CA file; GOAT_CONFLICT if another handle keeps the database
 *         connected to another URL, or with another CA file; GOAT_LOADING; GOAT_FORBIDDEN if the database is read only;
 *         GOAT_IO; GOAT_MISUSE in builds without a network.
 *
 * Blocks: no. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_connect(goat_db *db, const char *url, size_t url_len, const goat_net_config *config,
                                     goat_error **error);

/**
 * Takes back what this handle asked of goat_db_connect(). If no other handle asks for it the connection ends, with a
 * good-bye. What was not sent is sent the next time; whoever wants to wait for it calls goat_db_sync() before.
 *
 * @param job  new, end with goat_job_free(). Pass NULL to block: a few seconds at most.
 * @return GOAT_OK, also when there is none; GOAT_LOADING; GOAT_MISUSE in builds without a network.
 *
 * Blocks: only with job NULL. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_db_disconnect(goat_db *db, goat_job **job, goat_error **error);

/** How to serve. Start from GOAT_SERVER_CONFIG_INIT or goat_server_config_init(). All texts end with a NUL and are copied. */
typedef struct goat_server_config {
    uint32_t struct_size;
    uint32_t flags;              /**< 0; others are reserved */
    const char *host;            /**< where to listen: a name or address, "" for all of the machine's, IPv6 and IPv4;
                                      NULL: "127.0.0.1" */
    uint32_t port;               /**< 0: any that is free, see goat_server_info() */
    uint32_t connections_max;    /**< 0: 20000, or what the process's limit of open files allows */
    uint32_t per_address_max;    /**< connections of one address, of one IPv6 /64; 0: no limit */
    const char *tls_certificate; /**< PEM files with the chain and its key; NULL: without TLS */
    const char *tls_key;
    const char *static_dir; /**< folder whose files are served over HTTP, but for names that begin with a dot or end
                                      with .key, and what lies in the database's folder; NULL: none */
    const char *origins;    /**< web origins whose pages may connect, with blanks between them, "*" for all;
                                      NULL: pages that this server itself serves, at an address, localhost,
                                      `host`, the machine's name or a name of the certificate */
} goat_server_config;

#define GOAT_SERVER_CONFIG_INIT                                                                                        \
    { sizeof(goat_server_config), 0, NULL, 0, 0, 0, NULL, NULL, NULL, NULL }

/** Fills in the defaults for a caller who knows the structure as `struct_size` bytes. Cannot fail. */
GOAT_API void goat_server_config_init(goat_server_config *config, size_t struct_size);

/**
 * Begins to serve a database that holds its network's root key, or is certified as a server: sync over WebSocket, and
 * over HTTP on the same port /healthz, /metrics (Prometheus) and static files. It serves until goat_server_free(), or
 * until the handle is closed. /healthz is 200, or 503 with the reason in one line: the disk refused to write not long ago, or
 * the server ends. There is no port before the database is open.
 *
 * @param config  borrowed for the call. NULL means GOAT_SERVER_CONFIG_INIT.
 * @param server  new, end with goat_server_free(). NULL unless GOAT_OK.
 * @return GOAT_OK; GOAT_BUSY with the address: it is taken; GOAT_FORBIDDEN: it may not be used, the database is no
 *         server's, or static_dir is the database's folder or lies in it; GOAT_NOT_FOUND: no such address, file or
 *         folder; GOAT_BAD_KEY: the key is not the certificate's, or others can read its file (its group may);
 *         GOAT_INVALID: a file is no certificate; GOAT_LOADING; GOAT_IO; GOAT_MISUSE also in builds without a network.
 *
 * Blocks: only to look up the host's name. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_server_new(goat_db *db, const goat_server_config *config, goat_server **server,
                                     goat_error **error);

/**
 * Facts about a server as one CBOR map: "url" (text, such as "ws://127.0.0.1:8080"; with the
 * machine's name where it listens on all addresses), "host", "port", "secure",
 * "root" (bytes, the public key that clients pin), "network" (bytes), "connections", "connections_max",
 * "accepted", "refused" (counts).
 *
 * @param info  new contents, end with goat_buf_free().
 * @return GOAT_OK, GOAT_CLOSED when it has ended with its handle.
 *
 * Blocks: until the server's thread is done with the packet that it is at, milliseconds. Calls back: no. Threads: any.
 * Since 0.1.
 */
GOAT_API goat_status goat_server_info(goat_server *server, goat_buf *info, goat_error **error);

/**
 * Reads the certificate and the key again, for connections made from here on.
 *
 * @return GOAT_OK, also without TLS; as goat_server_new() about the files, and then the old ones stay in use; GOAT_CLOSED
 *         when it has ended with its handle.
 *
 * Blocks: to read the files, and as goat_server_info(). Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_server_reload(goat_server *server, goat_error **error);

/**
 * Ends a server: nobody is accepted any more, everybody is told good-bye, and what was taken in is brought to the disk.
 * NULL is accepted. Cannot fail.
 *
 * Blocks: until that is done, a few seconds at most for peers that do not read. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API void goat_server_free(goat_server *server);

/**
 * Asks who serves at a URL, without a database: connects, and has the server prove its key. At the first meeting
 * the caller decides whether the root key is the right one, and pins it.
 *
 * @param url         copied. As for goat_db_connect().
 * @param config      borrowed for the call; `flags` means nothing here. NULL means GOAT_NET_CONFIG_INIT.
 * @param timeout_ms  how long to wait at most.
 * @param info        new contents, end with goat_buf_free(). A CBOR map: "network" (bytes), "root" (bytes, public key),
 *                    "session" (bytes), "clock_ms" (how far the server's clock is ahead).
 * @return GOAT_OK; GOAT_OFFLINE: nobody answers; GOAT_NOT_FOUND: it is no libgoat server; GOAT_UNTRUSTED: the
 *         certificate or the proof does not hold; GOAT_NEWER_FORMAT: another version of the protocol; GOAT_TIMEOUT; what
 *         goat_db_connect() says of URL and CA file.
 *
 * Blocks: up to the time given. Calls back: no. Threads: any. Since 0.1.
 */
GOAT_API goat_status goat_probe(const char *url, size_t url_len, const goat_net_config *config, uint32_t timeout_ms,
                                goat_buf *info, goat_error **error);

#ifdef __cplusplus
}
#endif
#endif
