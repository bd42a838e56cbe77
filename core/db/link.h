/* A link: one sync connection of a database. It gives core/sync what it needs of the database, and whoever carries
 * the packets (net/, a pipe in one process, a test) three calls.
 *
 * Lock: "locked" calls are made with gt_db_lock() held; the others take it themselves and must not be called with it.
 * One thread at a time drives a link (receive, send, deadline). */
#ifndef GT_DB_LINK_H
#define GT_DB_LINK_H

#include "db/db.h"
#include "sync/sync.h"

typedef struct gt_link gt_link;

typedef struct gt_link_config {
    gt_sync_role role;
    bool all;    /* client: sync every repository that the server has */
    bool stored; /* client: sync every repository that is stored here */
    /* Called when gt_link_send may have something, without the lock, from any thread, also from inside gt_link_… calls.
     * Must return at once and may not call back. */
    void (*ready)(void *context);
    void *context;
} gt_link_config;

/* Begins a link. A client opens /sys/sessions, /sys/schemas, and every repository that a handle has open, now or later.
 * Locked. `db` is held until gt_link_free. */
goat_status gt_link_new(goat_db *db, const gt_link_config *config, gt_link **link, gt_diag *diag);
void gt_link_free(gt_link *link); /* not locked. NULL is accepted */

/* Client: also syncs this repository, which no handle needs to have open. Locked. */
goat_status gt_link_add(gt_link *link, gt_bytes path, gt_diag *diag);

/* Takes one packet; `hasher` is the caller's own. GOAT_OK; or why the link has ended (what is left to say can be sent). */
goat_status gt_link_receive(gt_link *link, gt_bytes packet, gt_hasher *hasher, gt_diag *diag);
/* Appends the next packet; false: nothing to say now. */
bool gt_link_send(gt_link *link, gt_buf *packet);
/* When to call send at the latest, in gt_db_now_us() time; 0: `ready` was called since the last one; UINT64_MAX: when it
 * is. Not locked. */
uint64_t gt_link_deadline(gt_link *link);
/* Says good-bye behind what is ready to be sent. Not locked. */
void gt_link_end(gt_link *link);
bool gt_link_has_ended(gt_link *link); /* not locked */
/* GOAT_OK while it goes on, or there is something left to say; then why it has ended, GOAT_CLOSED for a clean end. Not
 * locked. */
goat_status gt_link_outcome(gt_link *link, gt_diag *diag);

/* Whether all that it syncs is even: what was there when it began has come and gone, and ours is on the server's disk.
 * Locked. */
bool gt_link_is_even(const gt_link *link);
/* The state machine inside, for counters and channels. Locked. */
const gt_sync *gt_link_sync(const gt_link *link);

/* ---- a database as a server or with one ---- */

/* The database makes receipts (while any server link or listener is there). Locked. */
void gt_db_serve_begin(goat_db *db);
void gt_db_serve_end(goat_db *db);

/* Whether it can be a server at all: its own session is certified as one. Locked. GOAT_OK, GOAT_FORBIDDEN. */
goat_status gt_db_may_serve(const goat_db *db, gt_diag *diag);

/* Both sides have what each had when it began, of `path` or (data NULL) of everything that is synced. GOAT_OK,
 * GOAT_OFFLINE when there is no connection, GOAT_NOT_FOUND for a repository that is not synced. Locked. */
goat_status gt_db_sync(goat_db *db, gt_bytes path, goat_job **job, gt_diag *diag);

/* Where a transport tells what it knows of the connection to the server, for gt_db_status and changes; trouble while
 * offline is told again only when its words are others. Connections to servers are numbered from 1 up: what a former one
 * still has to say, or one that was ended, is not heard. Locked. */
void gt_db_begin_upstream(goat_db *db, uint64_t number, gt_bytes url);
void gt_db_set_upstream(goat_db *db, uint64_t number, gt_bytes url, bool online, const gt_diag *why);
void gt_db_end_upstream(goat_db *db, uint64_t number);

/* "peers", "repositories", … as goat.h says of goat_db_status. Locked. */
void gt_db_status(goat_db *db, gt_buf *out);

/* A job that is done when no client's link is left, or (`wait` false) at once. Locked. GOAT_OK, GOAT_LOADING, GOAT_CLOSED, … */
goat_status gt_db_part(goat_db *db, bool wait, goat_job **job, gt_diag *diag);

/* GOAT_OK; or what keeps it from taking anything: it is still opening, or the storage has refused to write a log, or to
 * give it, not long ago. Locked. */
goat_status gt_db_health(const goat_db *db, gt_diag *why);

typedef struct gt_db_counts { /* over open repositories */
    uint32_t repositories;
    uint64_t commits, log_bytes, unsynced_bytes, parked;
} gt_db_counts;
void gt_db_count(const goat_db *db, gt_db_counts *counts); /* locked */

/* The service thread is to go on with what a transport left undone: set by abi/, called without the lock. */
typedef void (*gt_kick)(void);
void gt_db_set_kick(goat_db *db, gt_kick kick); /* locked */

/* For links that begin from now on; see gt_sync_sizes. Locked. */
void gt_db_set_sync_sizes(goat_db *db, const gt_sync_sizes *sizes);

#endif
