/* The database: what one directory is to a process, and what each handle on it sees.
 *
 * A gt_database is shared by all handles on its directory; a goat_db is one handle with its own visible
 * point, changes and unsaved edits. Everything declared here is called with the database's lock held
 * (gt_db_lock) unless it says otherwise; nothing here blocks but gt_db_wait.
 *
 * What must always hold: between two advances of a handle its reads change by its own edits only; an
 * edit is either unsaved in a handle, or in the log and in every view that follows. */
#ifndef GT_DB_DB_H
#define GT_DB_DB_H

#include "base/index.h"
#include "base/rows.h"
#include "merge/merge.h"
#include "port/port.h"
#include "query/query.h"
#include "repo/repo.h"
#include "trust/trust.h"

typedef struct gt_database gt_database;
typedef struct gt_mount gt_mount; /* an open repository of the database */
typedef struct gt_space gt_space; /* a repository as one handle sees it */
typedef struct gt_work gt_work;   /* an item with unsaved edits */

/* Unsaved edits of items, by key. */
typedef struct gt_works {
    gt_work **list; /* in order of first edit */
    size_t count, capacity;
    gt_index index;
} gt_works;

/* ---- database ---- */

/* Begins to open; `job` is done when it is. `host` is complete (gt_port_default_host) and copied; its storage is
 * taken. Not called with a lock. */
goat_status gt_database_new(const char *path, size_t path_len, uint32_t flags, const goat_host *host,
                            gt_database **database, gt_diag *diag);
/* Before the first round: the database must be of the network with this root key, and a new one becomes a replica of it,
 * without a root key. */
void gt_database_set_root(gt_database *database, const uint8_t root_key[GT_PUBLIC_KEY_SIZE]);
/* Adds a handle; the database ends with the last one, see gt_db_release. */
goat_status gt_db_new(gt_database *database, const goat_config *config, goat_db **db, gt_diag *diag);
/* Ends a database that never had a handle. */
void gt_database_drop(gt_database *database);
/* A new handle beside one that is held: without the lock, and without calling anybody. GOAT_NOT_FOUND when the
 * database is not open, nor opening; GOAT_UNTRUSTED when it is of another network than `config` says, GOAT_LOADING when
 * that is not known yet. */
goat_status gt_db_join(const goat_db *beside, const goat_config *config, goat_db **db, gt_diag *diag);

gt_database *gt_db_database(const goat_db *db);
const char *gt_database_path(const gt_database *database);
/* Whether jobs or requests to the storage are under way: somebody has to go on pumping. */
bool gt_database_is_busy(const gt_database *database);
/* Whether something was left since this was last asked that a round goes on with (a capture became due, a log has
 * grown that a server has to sync, …); for whoever pumps without being asked. */
bool gt_database_take_pump_wanted(gt_database *database);

void gt_db_lock(const goat_db *db);
/* Unlocking also calls the wake-up functions that are due, without the lock. */
void gt_db_unlock(goat_db *db);

/* Children (items, queries, jobs, …) hold the handle's memory. Dropping the last reference of the last handle ends
 * the database; called without the lock. */
void gt_db_retain(goat_db *db);
void gt_db_hold(goat_db *db); /* the same, without the lock, and without calling anybody */
void gt_db_release(goat_db *db);

/* For what belongs to the database, whichever handle asked for it: the database's own handle, which is closed when the
 * last of the others is. Good until it is released; both without the lock, and without calling anybody. */
goat_db *gt_db_hold_database(goat_db *db);
void gt_db_release_database(goat_db *held);

/* GOAT_OK, GOAT_CLOSED, GOAT_LOADING, or what opening failed with. */
goat_status gt_db_check(const goat_db *db, gt_diag *diag);

bool gt_db_is_read_only(const goat_db *db);

/* The host's randomness, for what is made outside of any repository. */
goat_random gt_db_random(const goat_db *db);

/* Whether a job of this handle is under way. */
bool gt_db_has_jobs(const goat_db *db);

/* One round of everything that is under way; gives the lock up around the storage's work. True when something
 * was done. `*deadline_us` (may be NULL): when to call again at the latest, UINT64_MAX when nothing is due. */
bool gt_db_pump(goat_db *db, uint64_t now_us, uint64_t *deadline_us);
uint64_t gt_db_now_us(const goat_db *db);
/* Waits up to `timeout_us` until something has happened; gives the lock up meanwhile. */
void gt_db_wait(goat_db *db, uint64_t timeout_us);

/* The host is to be told that goat_db_run() is wanted (GOAT_OPEN_NO_THREAD), once until it comes. */
void gt_db_want_run(goat_db *db);
void gt_db_run_begins(goat_db *db);

/* Sets the wake-up function, which is called at once if something waits. `userdata` is taken only if it succeeds. */
goat_status gt_db_on_wake(goat_db *db, goat_wake_fn wake, void *userdata, goat_free_fn free_userdata, gt_diag *diag);

void gt_db_info(goat_db *db, gt_buf *out);
goat_status gt_db_close(goat_db *db, goat_job **job, gt_diag *diag); /* GOAT_OK, GOAT_CLOSED */
goat_status gt_db_flush(goat_db *db, goat_durability level, goat_job **job, gt_diag *diag);
goat_status gt_db_verify(goat_db *db, gt_bytes path, goat_job **job, gt_diag *diag);
goat_status gt_db_repos(goat_db *db, goat_job **job, gt_diag *diag);
goat_status gt_db_advance(goat_db *db, gt_buf *changes, gt_diag *diag);
goat_status gt_db_add_schema(goat_db *db, gt_bytes json, gt_diag *diag);
void gt_db_schemas(goat_db *db, gt_buf *out);
goat_status gt_db_on_upgrade(goat_db *db, gt_bytes name, goat_upgrade_fn call, void *userdata,
                             goat_free_fn free_userdata, gt_diag *diag);
goat_status gt_db_check_schema(goat_db *db, gt_bytes json, gt_buf *changes, gt_diag *diag);
goat_status gt_db_schema_changes(goat_db *db, gt_bytes ns, uint32_t from, uint32_t to, gt_buf *changes, gt_diag *diag);
goat_status gt_db_retire_schema(goat_db *db, gt_bytes ns, uint32_t version, bool retired, gt_diag *diag);

/* ---- jobs ---- */

typedef struct gt_job_info {
    bool done;
    goat_status status;
    const gt_diag *diag;
    gt_bytes result;
    double progress_done, progress_total;
} gt_job_info;

/* The job of opening this handle's database; a new reference. */
goat_status gt_db_open_job(goat_db *db, goat_job **job, gt_diag *diag);
void gt_job_info_of(const goat_job *job, gt_job_info *info);
goat_db *gt_job_db(const goat_job *job);
uint32_t gt_job_id(const goat_job *job);
void gt_job_cancel(goat_job *job);
void gt_job_release(goat_job *job); /* the caller's reference; the job goes on */

/* ---- repositories ---- */

goat_status gt_space_open(goat_db *db, gt_bytes path, gt_space **space, goat_job **job, gt_diag *diag);
goat_status gt_space_close(gt_space *space, goat_job **job, gt_diag *diag);
goat_db *gt_space_db(const gt_space *space);
goat_status gt_space_check(const gt_space *space, gt_diag *diag); /* OK, LOADING, CLOSED, or what it failed with */
goat_status gt_space_find(goat_db *db, gt_bytes path, gt_space **space, gt_bytes *key, gt_diag *diag);
goat_status gt_space_digest(gt_space *space, goat_job **job, gt_diag *diag);
/* `spec` is JSON, as goat_repo_revert() has it. */
goat_status gt_space_revert(gt_space *space, gt_bytes spec, goat_job **job, gt_diag *diag);

typedef struct gt_apply_result {
    uint32_t created, changed, unchanged;
} gt_apply_result;

/* Both check their input. */
goat_status gt_space_apply(gt_space *space, gt_bytes edits, uint32_t flags, gt_apply_result *result, gt_diag *diag);
goat_status gt_space_apply_json(gt_space *space, gt_bytes edits, uint32_t flags, gt_apply_result *result,
                                gt_diag *diag);

/* ---- transactions ---- */

goat_status gt_tx_begin(gt_space *space, goat_tx **tx, gt_diag *diag);
goat_status gt_tx_commit(goat_tx *tx, gt_bytes message, gt_buf *ids, gt_diag *diag);
goat_db *gt_tx_db(const goat_tx *tx);
void gt_tx_retain(goat_tx *tx);
/* Ends the caller's use: edits that were not committed are dropped. gt_tx_release and the drop of the handle follow. */
void gt_tx_rollback(goat_tx *tx);
/* One reference less (items hold one each). True when it was the last: then the handle's reference, taken by
 * gt_tx_begin, is to be dropped by the caller. */
bool gt_tx_release(goat_tx *tx);

/* ---- items ---- */

goat_status gt_item_open(goat_db *db, goat_tx *tx, gt_bytes path, goat_item **item, gt_diag *diag);
goat_status gt_item_create(goat_db *db, goat_tx *tx, gt_bytes path, gt_bytes ns, gt_bytes fields, goat_item **item,
                           gt_diag *diag);
goat_db *gt_item_db(const goat_item *item);
void gt_item_free(goat_item *item); /* all but the handle's reference, which the caller drops without the lock */

/* What a handle sees of an item, good until the lock is given up. */
typedef struct gt_sight {
    const gt_schema *schema;
    gt_bytes base;  /* the state without unsaved edits */
    gt_work *work;  /* NULL: none */
    uint32_t flags; /* GOAT_ITEM_… */
    uint32_t revision;
} gt_sight;

goat_status gt_item_look(goat_item *item, gt_sight *sight, gt_diag *diag);
void gt_item_path(const goat_item *item, gt_buf *out);
/* A field's value with unsaved edits and default; data NULL: unset. GOAT_INVALID: no such field. `name` may be a path into
 * an object. What is in an object is as it is stored: gt_field_read() fills in the rest. */
goat_status gt_item_field(goat_item *item, gt_bytes name, const gt_field **field, gt_bytes *value, gt_diag *diag);
/* The whole state with unsaved edits; defaults are not filled in. */
goat_status gt_item_state_with_edits(goat_item *item, gt_buf *state, gt_sight *sight, gt_diag *diag);
goat_status gt_item_check(goat_item *item, gt_diag *diag);

typedef enum gt_operation {
    GT_SET,
    GT_UNSET,
    GT_ADD,
    GT_REMOVE,
    GT_PUT,
    GT_INCREMENT,
    GT_SPLICE,
    GT_LIST_INSERT,
    GT_LIST_REMOVE,
    GT_LIST_MOVE,
    GT_LIST_SET,
    GT_DELTA
} gt_operation;

typedef struct gt_edit {
    gt_operation operation;
    gt_bytes value; /* SET, ADD, REMOVE, PUT (data NULL: remove the key), LIST_INSERT (an array), LIST_SET, DELTA */
    gt_bytes key;   /* PUT */
    int64_t by;     /* INCREMENT */
    gt_splice splice;
    uint64_t position; /* LIST_… */
    uint64_t count;    /* LIST_REMOVE; LIST_MOVE: where it is then */
    const gt_field *const
        *inside;         /* filled in by gt_item_edit(): the fields that lead from an object's to the one meant */
    size_t inside_count; /* 0: the field itself */
} gt_edit;

/* `field` may be a path into an object: "address.city". */
goat_status gt_item_edit(goat_item *item, gt_bytes field, const gt_edit *edit, gt_diag *diag);
/* The field (`name` may be a path), for callers that convert a value before they set it. GOAT_INVALID: no such field. */
goat_status gt_item_field_of(goat_item *item, gt_bytes name, const gt_field **field, gt_diag *diag);
goat_status gt_item_replace(goat_item *item, gt_bytes fields, gt_diag *diag);
goat_status gt_item_delete(goat_item *item, bool deleted, gt_diag *diag);
/* `before`: an id, or data NULL. */
goat_status gt_item_commits(goat_item *item, gt_bytes before, uint32_t limit, gt_buf *out, gt_diag *diag);
goat_status gt_item_find_commit(goat_item *item, gt_bytes digits, gt_buf *id, gt_diag *diag);
/* As goat_item_explain: `field` of data NULL for all, `at` of data NULL for what is seen. */
goat_status gt_item_explain(goat_item *item, gt_bytes field, gt_bytes at, uint32_t limit, gt_buf *out, gt_diag *diag);

/* ---- queries ---- */

goat_status gt_live_open(gt_space *space, goat_query *parent, gt_bytes spec, goat_query **query, goat_job **job,
                         gt_diag *diag);
goat_db *gt_live_db(const goat_query *query);
uint32_t gt_live_id(const goat_query *query);
void gt_live_free(goat_query *query);
goat_status gt_live_check(goat_query *query, gt_diag *diag); /* brings it up to date; OK, LOADING, CLOSED */
uint32_t gt_live_count(goat_query *query);
goat_status gt_live_rows(goat_query *query, uint32_t position, uint32_t limit, bool json, gt_buf *out, gt_diag *diag);
goat_status gt_live_find(goat_query *query, gt_bytes value, uint32_t *position, uint32_t *count, gt_diag *diag);

#endif
