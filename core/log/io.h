/* Requests to the storage of one database, and the way back of their results to whoever asked: many logs
 * and one-off files share it. One a database.
 *
 * Two sides, as goat_port.h has them: submitting and delivering happen under the database's lock, polling
 * without it by one thread at a time, possibly meanwhile. What must always hold: each accepted request is
 * answered exactly once, in gt_io_deliver and nowhere else, so no owner is called from inside its own call. */
#ifndef GT_LOG_IO_H
#define GT_LOG_IO_H

#include "base/alloc.h"
#include "base/status.h"
#include "port/port.h"

typedef struct gt_io gt_io;

/* `result->data` is good as goat_port.h says; of READ and LIST only during this call. May submit; must not
 * poll or deliver. */
typedef void (*gt_io_done)(void *owner, const goat_io_result *result);

/* `storage` is copied, and closed by gt_io_free. NULL when there is no memory; the storage is then not closed. */
gt_io *gt_io_new(const gt_alloc *alloc, const goat_storage *storage);

/* No request is under way any more. Closes the storage. NULL is accepted. */
void gt_io_free(gt_io *io);

/* Submits; `done` (may be NULL) is called from a later gt_io_deliver, exactly once, also when the storage refused
 * the request. `request->token` is chosen here. GOAT_NO_MEMORY: nothing was submitted and `done` is not called.
 * A refusal is not seen by a thread that waits in gt_io_poll already: deliver before waiting for its outcome. */
goat_status gt_io_submit(gt_io *io, goat_io_request *request, gt_io_done done, void *owner);

/* Sets `count` places aside, so that as many requests at a time can be submitted with gt_io_submit_reserved,
 * which cannot run out of memory. False when there is none. */
bool gt_io_reserve(gt_io *io, uint32_t count);
void gt_io_release(gt_io *io, uint32_t count); /* none of them in use */
void gt_io_submit_reserved(gt_io *io, goat_io_request *request, gt_io_done done, void *owner);

/* Closes a file from OPEN; nobody awaits the result. Without memory it stays open until the folder is let go. */
void gt_io_close_file(gt_io *io, uint32_t file);

/* Passes the failure of a result on, in the storage's words. Returns its status, which is not GOAT_OK. */
goat_status gt_io_fail(gt_diag *diag, const goat_io_result *result);

/* Requests under way: submitted and not delivered. */
uint32_t gt_io_pending(const gt_io *io);

/* Fetches results from the storage; called without the database's lock, by one thread at a time. They are
 * kept until gt_io_deliver; as long as any are, nothing more is fetched. Returns how many wait. With `wait`
 * it may block until there is one. */
size_t gt_io_poll(gt_io *io, bool wait);

/* Calls the owners of the fetched results; called with the lock. Returns how many there were. */
size_t gt_io_deliver(gt_io *io);

#endif
