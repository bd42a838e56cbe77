/* What the files of abi/ share: checking arguments, the one way into the engine and out of it, errors, buffers.
 *
 * Every function of goat.h has the same shape: look at the arguments (GOAT_MISUSE), gt_enter(), one call of
 * core/db, gt_leave(). Between enter and leave the database's lock is held; nothing else of this layer is.
 *
 * REFERENCES. Whoever the host holds, holds his handle's memory (goat_db): gt_db_retain() when it is handed
 * out, gt_db_release() (without the lock) when it is freed.
 *
 *     goat_item, goat_query   core/db retains when it makes one; its _free here releases after leaving
 *     goat_tx                 core/db retains; the last gt_tx_release(), of the host or of an item, says so
 *     goat_job, goat_repo     retained here, in gt_leave_with_job() and goat_repo_open(); released in their _free
 *     goat_db                 the reference that gt_db_new() gives; released by goat_db_free()
 *
 * What must always hold: an output is NULL or zero unless the call returns GOAT_OK; an error is set on every
 * failure and only then; no call of the host's is made with a lock held. */
#ifndef GOAT_ABI_H
#define GOAT_ABI_H

#include "db/db.h"

/* ---- arguments ---- */

/* GOAT_MISUSE, in these words. */
goat_status gt_misuse(goat_error **error, const char *format, ...) GT_PRINTF(2, 3);

/* Ends the calling function with GOAT_MISUSE. A run of bytes may be NULL when it is empty and nothing speaks
 * against an empty one: that is how several languages hand one over. */
#define GT_REQUIRE(argument)                                                                                           \
    do {                                                                                                               \
        if ((argument) == NULL) return gt_misuse(error, "%s is NULL", #argument);                                      \
    } while (0)
#define GT_REQUIRE_RUN(bytes, len)                                                                                     \
    do {                                                                                                               \
        if ((bytes) == NULL && (len) != 0) return gt_misuse(error, "%s is NULL and its length is not 0", #bytes);      \
    } while (0)

/* A view of bytes that are given and may be empty: `data` is never NULL, which inside means "none". */
gt_bytes gt_given(const void *bytes, size_t len);

/* GOAT_OK, or GOAT_INVALID with the position. */
goat_status gt_check_utf8(gt_bytes text, const char *what, gt_diag *diag);

/* Structures that begin with a uint32_t struct_size, of which a caller may know less than is known here, or more. */

/* Fills in as many bytes of the defaults as he has, and zeros. Nothing for NULL or a size that is none. */
void gt_struct_init(void *to, size_t size, const void *defaults, size_t known);
/* Copies as many bytes as he has, the rest is zero. False when he has more than is known here and has set them, or when
 * the size is none. */
bool gt_struct_copy(void *to, size_t known, const void *from);

/* ---- errors ---- */

/* Sets `*error` (may be NULL) to what `diag` says of `status`, which is not GOAT_OK. Returns `status`, or
 * GOAT_NO_MEMORY when there is none for the error. */
goat_status gt_error_set(goat_error **error, goat_status status, const gt_diag *diag);

/* Nothing for GOAT_OK. */
static inline goat_status gt_result(goat_error **error, goat_status status, const gt_diag *diag) {
    return status == GOAT_OK ? GOAT_OK : gt_error_set(error, status, diag);
}

/* ---- one call ---- */

typedef struct gt_call {
    goat_db *db;
    goat_error **error;
    gt_diag *diag; /* for the engine; NULL when nobody wants to know, which makes failing cheap */
    gt_diag words;
} gt_call;

/* Takes the lock. */
static inline void gt_enter(gt_call *call, goat_db *db, goat_error **error) {
    call->db = db;
    call->error = error;
    call->diag = NULL;
    if (error != NULL) {
        call->diag = &call->words;
        gt_diag_init(call->diag);
    }
    gt_db_lock(db);
}

/* Gives the lock up, tells whoever is to be told, sets the error. */
goat_status gt_leave(gt_call *call, goat_status status);

/* The same for a call that has begun a job when `status` is GOAT_OK: hands it out, or with `job` NULL blocks until
 * it is done and gives its result into `result` (may be NULL). */
goat_status gt_leave_with_job(gt_call *call, goat_status status, goat_job *made, goat_job **job, goat_buf *result);

/* Pumps and waits, with the lock held but for the waiting, until `is_done(subject)`. GOAT_OK, GOAT_TIMEOUT,
 * GOAT_WOULD_BLOCK. */
goat_status gt_wait_until(goat_db *db, bool (*is_done)(const void *subject), const void *subject, uint64_t timeout_us);
bool gt_job_is_done(const void *job);

/* ---- outputs ---- */

/* Replaces what is in `out`, in its own memory if it is large enough. */
goat_status gt_put(goat_buf *out, gt_bytes bytes, gt_diag *diag);

/* Lends the memory of `out` to the engine, which appends from its beginning; both use the C library's. Then
 * gt_give_back() in any case, which returns `status`, or GOAT_NO_MEMORY. */
gt_buf gt_lend(goat_buf *out);
goat_status gt_give_back(goat_buf *out, gt_buf *lent, goat_status status, gt_diag *diag);

/* A buffer for a short value on the caller's stack. It does not grow beyond `capacity` and is not freed. */
static inline gt_buf gt_on_stack(uint8_t *bytes, size_t capacity) {
    return (gt_buf){.alloc = &gt_alloc_system, .data = bytes, .capacity = capacity};
}

/* ---- handles that are alive ---- */

void gt_live_more(void);
void gt_live_less(void);

/* ---- the process: databases that are open, and the service thread ---- */

/* A handle on a database, from goat_db_open() to goat_db_free(), or later while it still closes. */
typedef struct gt_opened {
    struct gt_opened *next;
    goat_db *db;
    char *path;     /* canonical; NULL when the host gave its own storage: never joined */
    uint32_t flags; /* GOAT_OPEN_… */
    uint32_t number;
    bool orphan; /* freed by the host while it closes, where nothing may block */
} gt_opened;

/* The lock of the list; taken before a database's, never after. */
void gt_process_lock(void);
void gt_process_unlock(void);

/* With the lock: the list, and adding to it (takes `opened`), which starts the service thread if it is the first
 * that wants one. */
gt_opened *gt_process_first(void);
goat_status gt_process_add(gt_opened *opened, gt_diag *diag);

/* Without the lock. False in a forked child: the handle is its parent's. */
bool gt_process_has(const goat_db *db);

/* Without the lock. Takes `db` off the list; joins the service thread if it was the last. */
void gt_process_remove(const goat_db *db);

/* Leaves `db` on the list as an orphan, to be ended by gt_end_orphans(). */
void gt_process_orphan(const goat_db *db);
void gt_end_orphans(void);

/* Something is to be done for a database with a service thread. */
void gt_service_wake(void);

struct goat_repo {
    goat_db *db;
    gt_space *space;
};

#endif
