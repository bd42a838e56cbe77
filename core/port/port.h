/* What the engine needs of the machine beyond goat_port.h: locks, a thread, and the machine's own storage,
 * clock, randomness and memory for a host that brings none.
 *
 * Only this header is included by others; posix/ or wasm/ is linked in at the edge. In WASM there is one
 * thread: locks cost nothing, waiting and starting a thread answer that they are not available. */
#ifndef GT_PORT_H
#define GT_PORT_H

#include "base/alloc.h"
#include "base/status.h"
#include "goat_port.h"

#include <stdatomic.h>

#if defined(__wasm__)
#define GT_PORT_HAS_THREADS 0
typedef struct gt_mutex {
    char unused;
} gt_mutex;
#define GT_MUTEX_INIT                                                                                                  \
    { 0 }
typedef struct gt_condition {
    char unused;
} gt_condition;
typedef struct gt_thread {
    char unused;
} gt_thread;
#else
#define GT_PORT_HAS_THREADS 1
#include <pthread.h>
typedef struct gt_mutex {
    pthread_mutex_t mutex;
} gt_mutex;
#define GT_MUTEX_INIT                                                                                                  \
    { PTHREAD_MUTEX_INITIALIZER } /* for a static one, which is never destroyed */
typedef struct gt_condition {
    pthread_cond_t condition;
} gt_condition;
typedef struct gt_thread {
    pthread_t thread;
    void (*run)(void *argument);
    void *argument;
} gt_thread;
#endif

/* ---- Locks and conditions ------------------------------------------------------------------ */

goat_status gt_mutex_init(gt_mutex *mutex, gt_diag *diag);
void gt_mutex_destroy(gt_mutex *mutex);
void gt_mutex_lock(gt_mutex *mutex); /* not recursive */
void gt_mutex_unlock(gt_mutex *mutex);

goat_status gt_condition_init(gt_condition *condition, gt_diag *diag);
void gt_condition_destroy(gt_condition *condition);
void gt_condition_wake_one(gt_condition *condition);
void gt_condition_wake_all(gt_condition *condition);

enum { GT_WAIT_US_MAX = 2000000000 };

/* Unlocks `mutex`, waits to be woken, and locks it again. It may return without reason, so the caller
 * asks again for what it waits for. False after `timeout_us` (at most GT_WAIT_US_MAX is waited at a time),
 * and at once where there are no threads. */
bool gt_condition_wait(gt_condition *condition, gt_mutex *mutex, uint64_t timeout_us);

/* ---- Threads ------------------------------------------------------------------------------- */

/* Runs `run(argument)` on a new thread, on which no signal of the process is handled. GOAT_WOULD_BLOCK
 * where there are no threads, GOAT_NO_MEMORY or GOAT_IO when the machine gives none. A thread that was
 * started must be joined, and `thread` stays where it is until then. */
goat_status gt_thread_start(gt_thread *thread, void (*run)(void *argument), void *argument, gt_diag *diag);
void gt_thread_join(gt_thread *thread);

/* The number of this process: another one in a child that was forked. */
uint32_t gt_port_process_id(void);

/* For state that a process has once. In a forked child it is the parent's, and its lock may have been held by a thread
 * that is not there: true, once, when it has to be begun anew. `owner` is 0 before the first call. */
static inline bool gt_port_was_inherited(atomic_uint_least32_t *owner) {
    uint_least32_t own = gt_port_process_id(), before = 0;
    if (atomic_compare_exchange_strong(owner, &before, own) || before == own) return false;
    atomic_store(owner, own);
    return true;
}

/* ---- The machine's own --------------------------------------------------------------------- */

/* Fills in each part of `host` whose function is NULL with the machine's own: the allocator, the clock,
 * randomness, and a storage for the folder `path` (copied), which is ended by its close(). Nothing is
 * touched before GOAT_IO_LOCK. `flags` is 0. */
goat_status gt_port_default_host(const char *path, size_t path_len, uint32_t flags, goat_host *host, gt_diag *diag);

/* One name for a folder however `path` writes it, for finding out whether two are the same: links resolved where
 * the machine has them, no empty part and no ".". What does not exist (yet) is taken as it is written. The result
 * is new, end it with gt_free(). GOAT_NO_MEMORY; GOAT_MISUSE for a path that is empty or has a NUL in it. */
goat_status gt_port_canonical_path(const gt_alloc *alloc, const char *path, size_t path_len, char **canonical,
                                   gt_diag *diag);

/* ---- For those who implement a storage ------------------------------------------------------- */

enum {
    GT_PORT_NAME_MAX = 512,     /* bytes; twice what "repos/type/repo.checkpoint" needs at its longest */
    GT_PORT_NAME_DEPTH_MAX = 8, /* parts */
};

/* Whether a storage may take `name` for a file. Names are made from what peers send, so this is the
 * last fence before the file system: nothing absolute, nothing that leads out of the folder, nothing
 * that the storage keeps for itself. */
bool gt_port_name_valid(const char *name);

/* The same for the name of a folder to list; "" is the database's own. */
bool gt_port_folder_valid(const char *name);

/* Whether a request is well formed: its kind known, its name or file given. */
bool gt_port_request_valid(const goat_io_request *request);

/* Takes empty parts and "." out of a path, in place. Returns its length, without a '/' at the end. */
size_t gt_port_tidy_path(char *path, size_t len);

/* Fills in the status and the words of a failed result; longer texts are cut. Returns `status`. */
goat_status gt_port_result_fail(goat_io_result *result, goat_status status, const char *format, ...) GT_PRINTF(3, 4);

#endif
