/* What the files of core/db share. */
#ifndef GT_DB_INTERNAL_H
#define GT_DB_INTERNAL_H

#include "base/assert.h"
#include "db/link.h"
#include "merge/merge.h"
#include "value/build.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

typedef struct gt_wake gt_wake;

/* What is known of the connection to the server. */
typedef struct gt_upstream {
    uint64_t number, ended; /* of the transport's connection that tells; and the latest that ended */
    char *url;              /* NULL: none was set */
    bool is_up;             /* says the transport */
    bool online;            /* what changes have told last */
    gt_diag why;            /* the last trouble */
    bool is_new;            /* changes have not told it yet */
} gt_upstream;

/* The file in which a repository's place in the server's log is remembered (core/sync/PROTOCOL.md section 9). */
typedef struct gt_peer_file {
    bool reading, is_read;
    bool known;          /* `last` is what the server gave last, or what the file says */
    bool fresh;          /* and is neither in the file nor on its way there */
    bool waits, writing; /* `next` waits for the log to be on the disk, or is being written */
    uint64_t after_us;   /* the next one begins not before this */
    gt_remembered last, next;
    gt_buf bytes;
} gt_peer_file;

typedef enum gt_database_phase { GT_DB_OPENING, GT_DB_OPEN, GT_DB_FAILED, GT_DB_CLOSED } gt_database_phase;

/* What strangers may make that stays: some at once, and more as time goes by. */
typedef struct gt_allowance {
    uint64_t since_us;
    uint32_t used;
} gt_allowance;

enum {
    GT_CERTIFIED_AT_ONCE_MAX = 1024,
    GT_CERTIFIED_EACH_US = 100 * 1000,
    GT_MADE_AT_ONCE_MAX = 1024, /* repositories, for all links */
    GT_MADE_EACH_US = 1000 * 1000,
    GT_LINK_MADE_AT_ONCE_MAX = 1024, /* … and for one */
    GT_LINK_MADE_EACH_US = 10 * 1000 * 1000,
};

struct gt_database {
    goat_host host;
    const gt_alloc *alloc; /* in host */
    gt_mutex mutex;
    gt_condition condition; /* something has happened */
    char *path;
    uint32_t flags; /* GOAT_OPEN_… */
    gt_io *io;
    gt_hasher *hasher;
    gt_registry *schemas;
    gt_keyring *keyring;
    uint8_t hash_key[GT_SIPHASH_KEY_SIZE];

    gt_database_phase phase;
    int step; /* see open.c */
    bool waiting;
    gt_diag failure;
    bool locked;  /* the folder is ours */
    bool closing; /* by its last handle */
    bool is_new;  /* made by this open; the file `network` is still to be written */
    bool has_root, has_session, writes_root, writes_session;
    bool is_pinned; /* the root's public key was given: it must be of that network */
    uint8_t root_key[GT_PUBLIC_KEY_SIZE];
    gt_id pinned;                    /* the network of that key */
    char text[GT_NETWORK_FILE_SIZE]; /* while opening: the contents of a small file */
    uint8_t seeds[2][GT_SEED_SIZE];  /* while opening: root, session */
    gt_identity root, own;
    gt_id network;
    gt_space *sessions, *schema_items; /* of `system` */
    goat_db *system;                   /* a handle of the database's own, for /sys */

    gt_mount *mounts;
    goat_db *handles;
    goat_job *jobs;       /* those that are not done */
    gt_space *acting;     /* whose capture is being taken in */
    goat_db *learning;    /* who registers a schema just now: he sees at once what it brings */
    gt_wake *ended_wakes; /* their userdata is to be freed, without the lock */
    bool polling;
    uint32_t refs; /* handles that have memory, `system` not counted, and transports that hold all of it */
    uint32_t next_id;

    /* sync */
    gt_link *links;
    gt_link *ready, *ready_last; /* those whose `ready` is to be called at the next unlock */
    uint32_t links_ending;       /* calls that wait for a `ready` to return */
    bool links_look;             /* what links sync may have become something else */
    bool pump_wanted;            /* something was done that a round has to go on with */
    gt_kick kick;                /* may be NULL */
    uint32_t serving;            /* listeners and servers' links */
    uint32_t certificates_seen;
    gt_sync_sizes sync_sizes;
    size_t filter_bytes;    /* of all links: core/sync bounds them together */
    int64_t clock_shift_ms; /* of commit times */
    gt_allowance certifying, making;
    int64_t clock_ahead_max_ms; /* a server refuses commits that are further ahead of its clock */
    gt_upstream upstream;
    struct gt_unsent *unsent; /* closed before a server had all of it */
    gt_diag trouble; /* the storage's with a log that has ended since; see health.c */
    uint64_t trouble_us;
    gt_buf certificate; /* a frame with our own, once it was asked for */
};

struct gt_mount {
    gt_mount *next;
    gt_database *database;
    gt_repo *repo;
    gt_space *spaces;
    uint32_t users;         /* spaces and links that have it open, and jobs that look at it */
    uint64_t length_opened; /* of the log */
    bool create;            /* it is made if it is not there */
    gt_shared shared;       /* what links see of it */
    struct gt_unsent *unsent; /* its place in the list of these, see unsent.c; NULL: it has none, or is in there */
    bool was_unsent;        /* when it was opened */
    bool was_shared;
    bool makes_receipts;
    uint32_t certificates_seen; /* when batches that nobody vouched for were last looked at */
    uint64_t sync_asked;     /* of a server: the length for which a sync was asked */
    uint64_t serve_after_us; /* after trouble, no receipt is made before this */
    gt_peer_file peer_file;
    bool is_system;               /* in /sys */
    bool is_sessions, is_schemas; /* two that are */
    gt_making *checkpoint;        /* being made, waiting for the disk, or being written; NULL: none */
    bool checkpoint_is_whole;     /* it was made */
    bool writing_checkpoint;      /* and is on its way to the disk */
    bool checkpoint_failed;       /* none is tried any more */
    uint8_t checkpoint_tries;     /* how often one was given up because of changes */
};

/* The wake-up function of a handle; outlives it while a call is under way. */
struct gt_wake {
    struct gt_wake *next; /* in the list of those to be ended */
    goat_wake_fn wake;
    void *userdata;
    goat_free_fn free_userdata;
    uint32_t running; /* calls under way */
    bool replaced;
};

struct goat_db {
    goat_db *next;
    gt_database *database;
    uint32_t refs;
    bool closed;
    gt_space *spaces;
    goat_job *closer; /* memory for the job that closes it, so that closing cannot fail */
    gt_wake *wake;
    bool wake_due;                 /* the function is to be called */
    bool advance_asked, run_asked; /* it was asked for since the last one */
    bool sync_due;                 /* … because a link has something to send */
    uint32_t capture_interval_us, changes_max;
    uint64_t captured_us, capture_due_us; /* UINT64_MAX: nothing to capture */
    gt_buf events;                        /* changes that are no items': encoded, `event_count` of them */
    uint32_t event_count;
    bool reset;
};

/* What happened to an item since the last advance, and, while changes of others wait, what is still seen. */
typedef struct gt_trace {
    uint32_t item;
    uint8_t origin; /* GOAT_ORIGIN_… of the last */
    bool existed;   /* at the last advance */
    gt_view was;    /* at the last advance */
    bool frozen;    /* changes of others wait: `seen` and `heads` are what is visible */
    uint32_t commits; /* while they wait: rows before this one are visible */
    gt_seen seen;
    gt_buf heads; /* ids */
} gt_trace;

/* A row of the queries: an item of the repository, or one that is created and not yet captured. */
typedef struct gt_live_row {
    uint32_t item; /* GT_NONE */
    bool waits;    /* it is among the touched ones */
    gt_work *work; /* while item is GT_NONE; NULL: it went away */
} gt_live_row;

struct gt_space {
    gt_space *next_of_db, *next_of_mount;
    goat_db *db;
    gt_mount *mount; /* NULL: closed */
    bool closing;    /* a job is about to close it */
    gt_works works;
    gt_trace **traces;
    size_t trace_count, trace_capacity;
    gt_index trace_index;           /* item row → trace */
    uint32_t stamp;                 /* moves whenever what is seen may have changed */
    uint32_t edits;                 /* numbers the revisions of unsaved edits */
    gt_query_set *queries;          /* NULL: none was opened yet */
    gt_rows live_rows, row_of_item; /* only with queries */
    gt_rows touched_rows;           /* which queries have to look at before they answer */
    bool is_covered;                /* every item has a row */
    gt_buf scratch;                 /* the state of the row looked at last */
    goat_query *live;               /* open queries */
};

typedef struct gt_additions gt_additions;
typedef struct gt_splices gt_splices;

typedef struct gt_field_edit {
    const gt_field *field;
    uint8_t *bytes; /* edit, then value; NULL: they are to be made of `splices` */
    size_t edit_len, value_len;
    bool has_value;          /* false: unset */
    gt_additions *additions; /* to be taken in before edit or value are looked at; NULL: none */
    gt_splices *splices;     /* in one of its texts; NULL: none */
} gt_field_edit;

struct gt_work {
    gt_space *space;
    goat_tx *tx;
    uint8_t *key;
    size_t key_len;
    uint32_t item; /* GT_NONE: it is created by this work */
    const gt_schema *schema;
    gt_view base; /* what the author saw; the empty map for a creation */
    gt_buf heads; /* ids, of the base */
    gt_field_edit *edits;
    size_t edit_count, edit_capacity;
    bool base_deleted;
    bool creates;
    bool sets_deleted; /* `deleted` is part of the edit */
    bool deleted;
    uint32_t revision;
    uint32_t live_row; /* GT_NONE */
    uint32_t users;    /* items that look at it */
    bool ended;        /* captured or dropped: only users keep its memory */
};

struct goat_tx {
    goat_db *db;
    gt_space *space;
    gt_works works;
    uint32_t refs;
    bool committed;
};

struct goat_item {
    goat_db *db;
    char repository[3 + 2 * GOAT_NAME_MAX]; /* "/type/repo": readable after the repository was closed */
    size_t repository_len;
    gt_space *space;
    goat_tx *tx;
    uint8_t *key;
    size_t key_len;
    uint32_t item; /* GT_NONE while it is not in the repository */
    gt_work *work; /* NULL: none */
    gt_seen seen;  /* as of `stamp` */
    uint32_t stamp;
    bool has_seen;
    struct gt_item_history *history; /* NULL: nobody has asked for it */
};

struct goat_query {
    goat_query *next;
    goat_db *db;
    gt_space *space;
    gt_query *query;
    uint32_t id, refs; /* the caller's, and that of the job of the first result */
    bool was_ready;
};

/* A job does one small step a call. */
typedef enum gt_step_result { GT_STEP_MORE, GT_STEP_WAIT, GT_STEP_DONE } gt_step_result;

typedef struct gt_job_kind {
    gt_step_result (*step)(goat_job *job);
    void (*end)(goat_job *job); /* frees `state`; may be NULL */
    bool can_stop;              /* false: half of it done is worse than all of it, so cancelling does nothing */
} gt_job_kind;

struct goat_job {
    goat_job *next;
    const gt_job_kind *kind;
    void *state;
    goat_db *db;       /* NULL once nobody holds it and it is done */
    uint32_t id, refs; /* the caller's, and the database's while it is not done */
    bool done, cancelled, waiting;
    bool left; /* its first stage is behind it */
    goat_status status;
    gt_diag diag;
    gt_buf result;
    double progress_done, progress_total;
};

/* An absent map as the empty one: readers of values want a value. */
static inline gt_bytes gt_map_or_empty(gt_bytes map) {
    static const uint8_t empty[] = {0xa0};
    return map.data == NULL ? gt_bytes_of(empty, sizeof(empty)) : map;
}

static inline gt_bytes gt_array_or_empty(gt_bytes array) {
    static const uint8_t empty[] = {0x80};
    return array.data == NULL ? gt_bytes_of(empty, sizeof(empty)) : array;
}

/* ---- jobs.c ---- */
/* `job` is zeroed memory, which becomes the job's. */
void gt_job_begin(goat_db *db, const gt_job_kind *kind, void *state, goat_job *job);
goat_status gt_job_new(goat_db *db, const gt_job_kind *kind, void *state, goat_job **job, gt_diag *diag);
bool gt_jobs_step(gt_database *database);
void gt_job_end(goat_job *job, goat_status status);
goat_status gt_job_fail(goat_job *job, goat_status status, const gt_diag *diag);

/* ---- database.c ---- */
uint32_t gt_next_id(gt_database *database);
void gt_wake_handle(goat_db *db);
void gt_wake_for_sync(goat_db *db); /* a link without a function of its own has something to send */
void gt_wake_retire(goat_db *db);   /* the wake-up function is called no more */
void gt_wake_all(gt_database *database);
void gt_add_event(goat_db *db, const gt_buf *event);
goat_status gt_database_check(const gt_database *database, gt_diag *diag);
uint64_t gt_database_now_us(const gt_database *database);
goat_clock gt_database_clock(gt_database *database); /* commits are timed with it */
void gt_database_fail(gt_database *database, const gt_diag *diag);
goat_status gt_handle_new(gt_database *database, const goat_config *config, goat_db **db, gt_diag *diag);
/* Drops a reference with the lock held, by somebody who holds another handle of the database or a later one. */
void gt_handle_drop(goat_db *db);

/* ---- open.c ---- */
bool gt_open_step(gt_database *database);
/* GOAT_UNTRUSTED in these words, when the network is not that of the key that was given. */
goat_status gt_check_network(const gt_id *network, const gt_id *wanted, gt_diag *diag);

/* ---- hooks.c ---- */
gt_repo_hooks gt_mount_hooks(gt_mount *mount);
void gt_schemas_changed(gt_database *database);

/* Nobody calls it any more: its userdata is freed at the next unlock. */
void gt_wake_end(gt_database *database, gt_wake *wake);
/* Ends the host's functions for upgrades; without the lock. */
void gt_calls_free(gt_database *database);
/* Whether a definition is the one that says with "retired" that calls are off in this network. */
bool gt_is_of_calls(gt_bytes ns, int64_t version);
/* What opening a system repository taught is in no hook when it came from a checkpoint. */
void gt_learn_all(gt_mount *mount);
/* The commit of a system item that is in force; `info.commit.delta` has no data where there is none. */
goat_status gt_find_in_force(gt_mount *mount, uint32_t item, gt_commit_info *info, gt_diag *diag);

/* ---- mounts.c ---- */
gt_mount *gt_mount_find(const gt_database *database, gt_bytes path);
goat_status gt_mount_open(gt_database *database, gt_bytes path, bool create, gt_mount **mount, gt_diag *diag);
/* `*deadline_us` becomes earlier where there is something to be done then. */
bool gt_mounts_step(gt_database *database, uint64_t now_us, uint64_t *deadline_us);
void gt_mount_free(gt_mount *mount);
bool gt_mount_has_handle(const gt_mount *mount); /* other than the database's own */
/* Commits of our own in it of which no server has said that it has them; counts up to a limit. */
uint64_t gt_mount_count_unsent(const gt_mount *mount);
goat_status gt_space_new(goat_db *db, gt_mount *mount, gt_space **space, gt_diag *diag);
void gt_space_end(gt_space *space);
void gt_space_free(gt_space *space);
/* Ends a space that nobody else looks at, and forgets it. */
void gt_space_drop(gt_space *space);
/* Whether edits may be made in it at all: GOAT_OK; GOAT_FORBIDDEN; what the log has failed with. */
goat_status gt_space_check_writable(const gt_space *space, gt_diag *diag);
gt_signer gt_signer_of(gt_database *database, const gt_mount *mount);

/* ---- checkpoints.c ---- */
/* Begins one where it is worth its cost. True while one is on its way, which goes on in gt_checkpoint_step. */
bool gt_checkpoint_at_close(gt_mount *mount);
/* Goes on with one, or begins one while the mount is in use; true if something was done. */
bool gt_checkpoint_step(gt_mount *mount);
/* Whether one is being made, so that rounds have to go on. */
bool gt_checkpoints_in_the_making(const gt_database *database);

/* ---- peer_file.c ---- */
void gt_peer_file_read(gt_mount *mount); /* begins to, unless it was read */
bool gt_peer_recall(const gt_mount *mount, const gt_id *peer, gt_remembered *remembered);
void gt_peer_remember(gt_mount *mount, const gt_remembered *remembered);
/* Brings the file up to date, with `last` without a pause. True while the mount must stay for it. */
bool gt_peer_file_step(gt_mount *mount, uint64_t now_us, bool last, uint64_t *deadline_us);

/* ---- serving.c ---- */
void gt_serve_begin(gt_database *database);
void gt_serve_end(gt_database *database);
/* Receipts, and syncs that nobody else asks for. */
bool gt_serve_step(gt_mount *mount, uint64_t now_us, uint64_t *deadline_us);

/* ---- health.c ---- */

/* A mount ends: trouble with its log is remembered for a while. */
void gt_health_note(const gt_mount *mount);

/* ---- allowance.c ---- */

/* Takes one of those that there may be: `most` at once, then one more every `each_us`. False: not now. */
bool gt_allowance_take(gt_allowance *allowance, uint32_t most, uint64_t each_us, uint64_t now_us);

/* ---- certify.c ---- */
goat_status gt_add_certificate(gt_database *database, gt_capture *capture, const gt_signer *root, const gt_id *session,
                               const uint8_t public_key[GT_PUBLIC_KEY_SIZE], const char *role, gt_diag *diag);

/* ---- link.c, wants.c ---- */
/* A repository was made here: clients that sync all of them are told. */
void gt_links_repo_made(gt_database *database, gt_bytes path);
/* A handle opened a repository, or closed one. */
void gt_links_space_opened(gt_database *database, gt_bytes path);
void gt_links_space_closed(gt_database *database);
bool gt_links_step(gt_database *database, uint64_t now_us, uint64_t *deadline_us);
/* Calls `ready` of those links that it is due for, without the lock; true if there were any. */
bool gt_links_tell(gt_database *database);
/* More certificates are on the disk. */
void gt_links_sessions_safe(gt_database *database);
/* Ends the links of a handle. */
void gt_links_end(goat_db *db, bool all); /* those of the handle, or all of the database */
/* Somebody has to go on pumping. */
void gt_want_pump(gt_database *database);

/* ---- upstream.c ---- */
bool gt_is_online(const gt_database *database);
/* Tells whoever has to know when that has changed. */
void gt_upstream_look(gt_database *database);
void gt_upstream_trouble(gt_database *database, const gt_diag *why);
void gt_add_sync_event(gt_database *database, const char *what, gt_bytes path, const char *words);

/* ---- traces.c ---- */
gt_trace *gt_trace_find(const gt_space *space, uint32_t item);
void gt_trace_before(gt_space *space, uint32_t item);
void gt_trace_after(gt_space *space, uint32_t item, gt_origin origin);
void gt_traces_clear(gt_space *space);
/* What the handle sees of an item; the view is shared. GOAT_NOT_FOUND: not visible yet. */
goat_status gt_space_see(gt_space *space, uint32_t item, gt_seen *seen, gt_diag *diag);
goat_status gt_space_heads(gt_space *space, uint32_t item, gt_buf *ids, gt_diag *diag);

/* ---- works.c ---- */
gt_work *gt_works_find(const gt_works *works, const gt_database *database, gt_bytes key);
goat_status gt_works_add(gt_works *works, gt_space *space, goat_tx *tx, gt_bytes key, uint32_t item, gt_work **work,
                         gt_diag *diag);
void gt_works_remove(gt_works *works, gt_work *work);
void gt_works_free(gt_works *works, gt_space *space);
void gt_work_release(gt_work *work); /* one user less */
bool gt_work_has_edits(const gt_work *work);
/* The field's edit, with all that was added; GOAT_NO_MEMORY. NULL: there is none. */
goat_status gt_work_find(gt_work *work, const gt_field *field, const gt_field_edit **edit, gt_diag *diag);
goat_status gt_work_edit(gt_work *work, const gt_field *field, const gt_edit *edit, gt_diag *diag);
goat_status gt_work_state(gt_work *work, gt_buf *state, gt_diag *diag);
goat_status gt_work_delta(gt_work *work, gt_buf *delta, gt_diag *diag);
/* Whether the item, as the work would leave it, keeps to its schema. */
goat_status gt_work_validate(gt_work *work, gt_diag *diag);
void gt_edited(gt_work *work); /* something was edited: revision, queries, capture */

/* ---- operation.c ---- */
/* What the operation alone says of `field`, which is `now`; appends nothing where that is nothing. */
goat_status gt_operation_make(const gt_field *field, gt_bytes now, const gt_edit *edit, gt_buf *out, gt_diag *diag);
/* Whether what it has touched in `value`, the field's, is valid. */
goat_status gt_operation_check(const gt_field *field, gt_bytes value, const gt_edit *edit, gt_diag *diag);
/* What stands in an object, or in an edit of one, along a path; data NULL: nothing. */
gt_bytes gt_inside_value(gt_bytes value, const gt_field *const *inside, size_t count);
/* Whether an edit of an object (data NULL: none) is about nothing but what a path leads to. */
bool gt_inside_is_all(gt_bytes edit, const gt_field *const *inside, size_t count);
/* Appends an edit of an object (data NULL: none) in which that of the field at the end of a path is `inner` (data NULL: none). Nothing
 * is appended where nothing is left. */
void gt_inside_write(gt_bytes edit, const gt_field *const *inside, size_t count, gt_bytes inner, gt_buf *out);

/* ---- additions.c ---- */
/* Whether the operation adds to what was edited before, and can be taken in at any time. */
bool gt_additions_may_wait(const gt_field_edit *before, const gt_edit *edit);
goat_status gt_additions_push(gt_field_edit *to, const gt_edit *edit, const gt_alloc *alloc, gt_diag *diag);
/* All of them as one edit, in `all`, which is empty. */
goat_status gt_additions_compose(const gt_field_edit *edit, gt_buf *all, gt_diag *diag);
void gt_additions_free(const gt_alloc *alloc, gt_additions *additions); /* NULL is accepted */

/* ---- capture.c ---- */
/* Captures all unsaved edits of a handle that are valid; `diag` and the status say what was not (GOAT_INVALID). */
goat_status gt_capture_handle(goat_db *db, gt_diag *diag);
goat_status gt_capture_space(gt_space *space, gt_diag *diag);
/* Captures one item's unsaved edits, if there are any. */
goat_status gt_capture_item(gt_space *space, gt_bytes key, gt_diag *diag);
goat_status gt_capture_works(gt_space *space, gt_works *works, gt_work **list, size_t count, bool group,
                             gt_bytes message, gt_buf *ids, gt_diag *diag);
void gt_capture_when_due(goat_db *db, uint64_t now_us);

/* ---- live.c ---- */
void gt_live_restart(gt_space *space); /* anything may have changed */
void gt_live_touch_item(gt_space *space, uint32_t item);
void gt_live_own_commit(gt_space *space, uint32_t item);
void gt_live_touch_work(gt_space *space, gt_work *work);
void gt_live_work_captured(gt_space *space, uint32_t item);
void gt_live_work_dropped(gt_space *space, gt_work *work);
void gt_live_end(gt_space *space);
uint32_t gt_live_changes(gt_space *space, gt_buf *out, bool *reset); /* appends changes, returns how many */

/* ---- reports.c ---- */
void gt_each_log(const goat_io_result *result, void (*each)(void *, gt_bytes), void *context);

/* ---- advance.c ---- */
void gt_write_path(gt_buf *out, gt_bytes repository, gt_bytes key);

#endif
