/* One repository: its log, the commit graph of every item, and the views that follow from it.
 *
 * It knows what is committed and nothing of who looks: visible points, unsaved edits and queries are
 * core/db's. It never waits; opening and writing a checkpoint advance with gt_repo_step. What must
 * always hold: a view is a function of the commits and schemas known, whatever order brought them;
 * a row of the tables stands for something that is in the log. */
#ifndef GT_REPO_REPO_H
#define GT_REPO_REPO_H

#include "commit/batch.h"
#include "commit/receipt.h"
#include "log/log.h"
#include "schema/schema.h"

typedef struct gt_repo gt_repo;

#define GT_NONE UINT32_MAX /* no row */

/* ---- states: immutable runs of bytes that readers share ---- */

typedef struct gt_state {
    uint32_t refs;
    uint32_t len;
    uint8_t bytes[];
} gt_state;

/* A state somewhere: in the log or a mapped checkpoint (owner NULL, good until the repository is
 * closed), or in memory of its own. */
typedef struct gt_view {
    gt_bytes bytes; /* data NULL: nothing to see (unknown schema, no commit) */
    gt_state *owner;
} gt_view;

gt_view gt_view_share(gt_view view);
void gt_view_drop(const gt_alloc *alloc, gt_view *view);

/* ---- what the repository asks of those above ---- */

typedef enum gt_origin {
    GT_FROM_SELF = 0,   /* a capture of this database */
    GT_FROM_PEER = 1,   /* admitted from a connection, or read from the log */
    GT_FROM_REVERT = 3, /* the same, of commits that undo others */
} gt_origin;

typedef struct gt_repo_hooks {
    void *context;
    /* The public key with which `batch` must be signed, or GOAT_UNTRUSTED. */
    goat_status (*find_key)(void *context, const gt_batch *batch, uint8_t public_key[32], gt_diag *diag);
    /* Whether find_key still knows a session whose batches were taken in before: where its certificate is lost, what a
     * checkpoint says of them is not believed. Must cost next to nothing. May be NULL: it does. */
    bool (*knows_session)(void *context, const gt_id *session);
    /* The public key of a session that may sign receipts, or GOAT_UNTRUSTED. Only for gt_audit_step. */
    goat_status (*find_server_key)(void *context, const gt_id *session, uint8_t public_key[32], gt_diag *diag);
    /* Whether a receipt that is read from the log is one of a server's, and others may hear of it. May be NULL: it is. */
    bool (*knows_server)(void *context, const gt_id *session);
    /* How late a commit of this batch of somebody else's may be; GT_TIME_MAX: there is no limit. May be NULL. Whatever it
     * says, a batch may go on from the latest commit that is known here. */
    gt_time (*latest_time)(void *context, const gt_batch *batch);
    /* An item is about to change: what is seen now may be kept with gt_repo_view. May be NULL. */
    void (*before_change)(void *context, gt_repo *repo, uint32_t item);
    /* It has changed (also: was created). May be NULL. */
    void (*after_change)(void *context, gt_repo *repo, uint32_t item, gt_origin origin);
    /* A record was appended to the log, and the tables say what it says. May be NULL. Must not change the repository. */
    void (*logged)(void *context, gt_repo *repo);
    /* Damage was come upon: gt_repo_missing names more than before. May be NULL. Must not change the repository. */
    void (*missed)(void *context, gt_repo *repo);
    /* gt_repo_step has something to do, though the repository is open. May be NULL. Must not change the repository. */
    void (*work_left)(void *context, gt_repo *repo);
} gt_repo_hooks;

typedef struct gt_repo_config {
    const gt_alloc *alloc;
    gt_io *io;
    gt_hasher *hasher;
    goat_random random;
    goat_clock clock;
    const gt_registry *schemas; /* grows while the repository is open; see gt_repo_schemas_changed */
    gt_repo_hooks hooks;
    gt_id network;
    gt_bytes path; /* "/type/repo"; copied */
    bool create, read_only;
    bool use_checkpoint; /* false: read the log, verify everything */
} gt_repo_config;

/* ---- life ---- */

goat_status gt_repo_open(const gt_repo_config *config, gt_repo **repo, gt_diag *diag);

typedef enum gt_repo_phase { GT_REPO_OPENING, GT_REPO_OPEN, GT_REPO_FAILED } gt_repo_phase;

gt_repo_phase gt_repo_get_phase(const gt_repo *repo);
const gt_diag *gt_repo_failure(const gt_repo *repo);
void gt_repo_progress(const gt_repo *repo, uint64_t *done, uint64_t *total); /* bytes of the log */

/* Does a little of what is to do: loading, then taking in what waited and has its parents now. True while there is more
 * that needs no result of the storage. About a millisecond a call at most. */
bool gt_repo_step(gt_repo *repo);

/* Ends it. No request of it is under way (see gt_io_pending), no view is held. NULL is accepted. */
void gt_repo_free(gt_repo *repo);

gt_bytes gt_repo_path(const gt_repo *repo);
void gt_diag_item(gt_diag *diag, const char *repository, gt_bytes key); /* adds the item's path */
gt_log *gt_repo_log(const gt_repo *repo);

/* The registry has changed: items whose commits are now read otherwise, or were not shown and are, are looked at again;
 * hooks are called for those. */
void gt_repo_schemas_changed(gt_repo *repo);

/* ---- items ---- */

/* Rows 0 … count - 1, stable while open; the order is that of their first commit's admission. */
uint32_t gt_repo_item_count(const gt_repo *repo);
uint32_t gt_repo_find(const gt_repo *repo, gt_bytes key); /* GT_NONE */
gt_bytes gt_repo_key(const gt_repo *repo, uint32_t item); /* good until closed */

/* Whether an item has a commit yet: false only inside the hook before its first one. */
bool gt_repo_has_commits(const gt_repo *repo, uint32_t item);
uint32_t gt_repo_newest(const gt_repo *repo, uint32_t item);         /* row of the commit admitted last */
const gt_schema *gt_repo_schema(const gt_repo *repo, uint32_t item); /* how it is read; NULL: not known here */

enum {
    GT_ITEM_DELETED = 1 << 0,
    GT_ITEM_INVALID = 1 << 1,   /* the merged view breaks a rule */
    GT_ITEM_NO_SCHEMA = 1 << 2, /* carried, not shown */
};

typedef struct gt_seen {
    gt_view view;
    const gt_schema *schema;
    uint32_t flags;
    uint32_t revision;
} gt_seen;

/* The item's present view; ended with gt_view_drop(&seen->view). Computes it if need be.
 * GOAT_OK; GOAT_NO_SCHEMA; GOAT_CORRUPT when the log is damaged there; GOAT_NO_MEMORY. */
goat_status gt_repo_view(gt_repo *repo, uint32_t item, gt_seen *seen, gt_diag *diag);

/* A commit has no more parents than GT_PARENTS_MAX: of more heads (ids, in order) the latest are kept (FORMAT.md 2.1), and
 * `seen` becomes what these show, which is what an edit that names them is made on. */
goat_status gt_repo_keep_latest(gt_repo *repo, uint32_t item, gt_buf *heads, gt_seen *seen, gt_diag *diag);

/* The present view as another version of the item's namespace has it: exactly the commits up to it, but those of versions
 * that are retired. Appended; statuses as above. */
goat_status gt_repo_view_version(gt_repo *repo, uint32_t item, const gt_schema *version, gt_buf *state, gt_diag *diag);

/* The heads that the view is made of, ascending by id; appended to `ids` as plain ids. */
goat_status gt_repo_heads(gt_repo *repo, uint32_t item, gt_buf *ids, gt_diag *diag);

/* The view at some of an item's commits (ids, ascending; an antichain): what an author saw. */
goat_status gt_repo_view_at(gt_repo *repo, uint32_t item, const gt_id *heads, uint32_t head_count, gt_buf *state,
                            gt_diag *diag);

enum {
    GT_EXPLAIN_BELOW_MAX = 8192,  /* commits of the item looked at below the base; about 20 ms */
    GT_EXPLAIN_ABOVE_MAX = 16384, /* … and above it; of more nothing is said, since their replay would take too long */
    GT_EXPLAIN_PARTS_MAX = 16,    /* things that one commit did to a field, named one by one */
    GT_EXPLAIN_KEY_MAX = 256,     /* bytes of an element or key that is named */
    GT_EXPLAIN_UNREAD_MAX = 64,   /* commits of versions that cannot be read here */
};

/* Where fields come from; see explain.c. */
typedef struct gt_explain_request {
    const gt_id *heads; /* of the view in question, ascending */
    uint32_t head_count;
    gt_bytes view;   /* the view itself */
    gt_bytes field;  /* data NULL: all that are set or were edited */
    uint32_t limit;  /* commits to a field */
    bool is_present; /* commits that are not shown belong to it, too */
} gt_explain_request;

/* Appends the explanation (goat_item_explain in abi/goat.h). GOAT_OK; GOAT_NOT_FOUND: no such commit; GOAT_INVALID: no such
 * field; GOAT_NO_SCHEMA, GOAT_CORRUPT, GOAT_NO_MEMORY. */
goat_status gt_repo_explain(gt_repo *repo, uint32_t item, const gt_explain_request *request, gt_buf *out,
                            gt_diag *diag);

/* Row of the first of an item's commits in the order of (time, id). All of them: history.h. */
uint32_t gt_repo_first(const gt_repo *repo, uint32_t item);

typedef struct gt_commit_info {
    gt_id id, batch, session;
    uint32_t leaf;
    gt_commit commit;
    bool is_hidden; /* in no view here, as it or one that it comes from cannot be read */
} gt_commit_info;

/* GOAT_CORRUPT: it is damaged, and all is given that is known without its bytes: of `commit` the time only. */
goat_status gt_repo_commit_info(gt_repo *repo, uint32_t commit, gt_commit_info *info, gt_diag *diag);

/* What is known of a commit without a look at its bytes. */
typedef struct gt_commit_key {
    gt_id id, session;
    gt_time time;
    uint32_t item;
} gt_commit_key;

gt_commit_key gt_repo_commit_key(const gt_repo *repo, uint32_t commit);
uint32_t gt_repo_find_commit(const gt_repo *repo, const gt_id *id); /* its row; GT_NONE */

/* ---- capture: own edits become a batch ---- */

typedef struct gt_capture gt_capture;

typedef struct gt_signer {
    gt_id session;
    const gt_secret_key *key;
} gt_signer;

typedef struct gt_leaf {
    gt_bytes key;
    const gt_id *parents; /* what the author saw, ascending */
    uint32_t parent_count;
    const gt_schema *schema;
    gt_bytes delta;
    gt_bytes full;        /* usually absent: the capture adds one when it is due */
    const gt_id *reverts; /* ascending; NULL: it is no revert */
    uint32_t revert_count;
    gt_bytes message; /* data NULL: none */
} gt_leaf;

goat_status gt_capture_begin(gt_repo *repo, gt_capture **capture, gt_diag *diag);
/* Adds a commit; `*id` (may be NULL) can be a parent of a later leaf of the same capture. */
goat_status gt_capture_add(gt_capture *capture, const gt_signer *signer, const gt_leaf *leaf, gt_id *id, gt_diag *diag);
/* The leaves from `first` (a count of leaves before) to the last are one transaction. */
void gt_capture_group(gt_capture *capture, uint32_t first);
uint32_t gt_capture_count(const gt_capture *capture);
/* Signs, logs and admits; hooks are called. Nothing is changed when it fails. An empty capture is GOAT_OK and
 * makes nothing. Ends the capture in any case. */
goat_status gt_capture_finish(gt_capture *capture, const gt_signer *signer, gt_origin origin, gt_diag *diag);
void gt_capture_drop(gt_capture *capture);

/* ---- admission of frames of others ---- */

typedef enum gt_admission { GT_ADMITTED, GT_KNOWN, GT_PARKED } gt_admission;

/* Checks a frame fully, logs it, admits what has its parents and parks the rest. GOAT_INVALID, GOAT_UNTRUSTED,
 * GOAT_TOO_LARGE: refused, nothing changed. GOAT_BUSY: it lacks parents, and is too large to be kept till they come. */
goat_status gt_repo_admit(gt_repo *repo, gt_bytes frame, gt_admission *outcome, gt_id *batch, gt_diag *diag);

/* Admits a batch that was decoded, hashed (gt_batch_hash) and verified elsewhere; then what waited for it. Statuses as
 * above. */
goat_status gt_repo_admit_batch(gt_repo *repo, gt_batch *batch, gt_admission *outcome, gt_diag *diag);

/* Of a batch, checked as above, whose commits are refused: takes in its header, with all leaves left out as refused, so that
 * the session's chain goes on. GT_KNOWN: it, or more of it, is there. Statuses as above. */
goat_status gt_repo_admit_header(gt_repo *repo, const gt_batch *batch, gt_admission *outcome, gt_diag *diag);

/* How many batches wait for parents or predecessors, or to be tried again by gt_repo_step. */
uint32_t gt_repo_parked_count(const gt_repo *repo);

/* ---- records and entries, in the order of the log ---- */

/* Rows 0 … count - 1 stand for the records that hold batches, in the order of the log, and for batches that are only
 * named. */
uint32_t gt_repo_record_count(const gt_repo *repo);

typedef struct gt_held {
    gt_id batch;
    gt_bytes frame; /* in the log; data NULL: there is none (a stub, or damaged) */
    bool whole;     /* every leaf of the batch is held, and this is the first of its frames */
} gt_held;

void gt_repo_held(gt_repo *repo, uint32_t record, gt_held *held);

/* `whole` alone, and whose record it is, without a look at its bytes: damage that nobody came upon is not seen. */
bool gt_repo_is_whole(const gt_repo *repo, uint32_t record, gt_id *batch);

/* The first record of a batch, or of the batch that has a commit; GT_NONE. Then further records of the same batch
 * (other leaves), GT_NONE behind the last. */
uint32_t gt_repo_find_record(const gt_repo *repo, const gt_id *id);
uint32_t gt_repo_next_record(const gt_repo *repo, uint32_t record);

/* Rows 0 … count - 1 of commits, in the order of admission; each is an entry. */
uint32_t gt_repo_commit_count(const gt_repo *repo);
void gt_repo_entry(const gt_repo *repo, uint32_t commit, gt_id *batch, uint32_t *leaf);

/* Whether it has a batch of that session. */
bool gt_repo_has_session(const gt_repo *repo, const gt_id *session);

/* ---- what is missed ---- */

/* Ids of commits or batches that are missed: what parked frames wait for, batches that are only named, batches that
 * damage has taken something of. Up to `max` from `*cursor` on (0 to begin with); none at the end. */
uint32_t gt_repo_missing(gt_repo *repo, uint64_t *cursor, gt_id *ids, uint32_t max);

/* Whether what our own log had is among it; what somebody else's frames wait for may never have been. */
bool gt_repo_misses_any(gt_repo *repo);

/* A peer says that a batch is lost to it for good, and what it says is taken for granted: the batches that follow it are
 * taken in over the gap, as they are where the damage is. It stays missed, and comes in like any other if somebody has it
 * after all. False: it is not missed, or was said before. */
bool gt_repo_note_gone(gt_repo *repo, const gt_id *batch);

/* Whether the log has damage that is not healed, or records that could not be taken in. */
bool gt_repo_has_gaps(const gt_repo *repo);
/* Whether some of what it counts as held is not in its log. */
bool gt_repo_misses_records(const gt_repo *repo);

/* Batches of the log that could not be taken in because nobody vouched for their session are looked at once more: those
 * of sessions that are known by now are logged anew, so that they reach everybody like any other. What gt_log_append
 * says. */
goat_status gt_repo_regain(gt_repo *repo, gt_diag *diag);

/* All that damage took has come back: the damage is set aside (core/log/FORMAT.md 3.2), and nobody names it any more. A
 * batch whose session is not known stays named: its certificate may come. What gt_log_append says. */
goat_status gt_repo_set_damage_aside(gt_repo *repo, gt_diag *diag);

/* ---- receipts ---- */

/* Rows 0 … count - 1, in the order of the log. `bytes` lie in the log; data NULL: damaged. */
uint32_t gt_repo_receipt_count(const gt_repo *repo);
void gt_repo_receipt_at(gt_repo *repo, uint32_t row, gt_id *id, gt_bytes *bytes);
uint32_t gt_repo_find_receipt(const gt_repo *repo, const gt_id *id); /* GT_NONE */

/* Takes a receipt that was hashed and verified. GT_KNOWN if it is there already. What gt_log_append says. */
goat_status gt_repo_admit_receipt(gt_repo *repo, const gt_receipt *receipt, gt_admission *outcome, gt_diag *diag);

/* How far a log's own receipts have come; see receipts.c. */
typedef struct gt_receipt_order {
    bool begun, has_last;
    gt_id last;       /* the last of them */
    uint32_t records; /* rows before this one are named, or older than the first receipt */
    uint64_t entries; /* number of the next entry */
} gt_receipt_order;

/* Server: receipts are written for what is logged from here on, and for what came after the last one of this log. */
void gt_repo_receipts_begin(gt_repo *repo);
/* Whether something was logged that no receipt of this log names yet. */
bool gt_repo_wants_receipt(gt_repo *repo);
/* Writes one over up to GT_RECEIPT_LEAVES_MAX of them; call again while it wants. What gt_log_append says. */
goat_status gt_repo_write_receipt(gt_repo *repo, const gt_signer *signer, gt_diag *diag);

/* ---- fingerprint, digest, checkpoint ---- */

uint64_t gt_repo_entry_count(const gt_repo *repo);
/* Brings the fingerprint further by up to `entries`; true when it is up to date. */
bool gt_repo_fingerprint_step(gt_repo *repo, uint32_t entries);
void gt_repo_fingerprint(const gt_repo *repo, uint8_t digest[32]);
/* The set of the first entries and the first sound receipts, a receipt as the entry of leaf UINT32_MAX. Set `commits` and
 * `receipts`, the rest zero, then step until it is true. */
typedef struct gt_frozen {
    uint32_t commits, receipts;
    gt_lthash set;
    uint64_t count; /* of what is in it */
    /* private: */
    bool begun;
    uint32_t commits_in, receipts_in;
} gt_frozen;

/* Goes through so many elements, or twice as many. Those that were counted once are not hashed again: its cost is what came
 * after the moment in question. */
bool gt_repo_freeze_step(gt_repo *repo, gt_frozen *frozen, uint32_t elements);

/* Item rows in key order, found little by little: step until it is true. The repository outlives it. */
typedef struct gt_key_order gt_key_order;
goat_status gt_key_order_new(gt_repo *repo, gt_key_order **order, gt_diag *diag);
bool gt_key_order_step(gt_key_order *order, uint32_t elements);                /* about so many comparisons at most */
const uint32_t *gt_key_order_rows(const gt_key_order *order, uint32_t *count); /* good until it is freed */
void gt_key_order_free(gt_key_order *order);                                   /* NULL is accepted */

/* The checkpoint file for the present state, made little by little. GOAT_NOT_FOUND: the repository is not open. */
typedef struct gt_making gt_making;
goat_status gt_making_new(gt_repo *repo, gt_making **making, gt_diag *diag);
/* Goes on by about `bytes`. GOAT_OK (`*done`: the file is whole); GOAT_CONFLICT: the repository has changed since the
 * beginning, and there will be no file; GOAT_NO_MEMORY. */
goat_status gt_making_step(gt_making *making, size_t bytes, bool *done, gt_diag *diag);
/* The file, to be stored as gt_repo_checkpoint_name once the log is durable up to `*covered`. */
gt_bytes gt_making_file(const gt_making *making, uint64_t *covered);
void gt_making_free(gt_making *making); /* NULL is accepted */
const char *gt_repo_checkpoint_name(const gt_repo *repo);
/* Bytes of log that the last checkpoint (read or written) does not cover. */
uint64_t gt_repo_uncovered(const gt_repo *repo);
void gt_repo_checkpoint_written(gt_repo *repo, uint64_t covered);

/* Records of the log that could not be taken in when it was read; gt_audit_step names them. */
uint64_t gt_repo_faults(const gt_repo *repo);

/* Commits looked at and field edits replayed since open; for tests of cost. */
uint64_t gt_repo_work(const gt_repo *repo);
/* Deltas and snapshots that were compared with their schema, or with what they should come to. */
uint64_t gt_repo_checks(const gt_repo *repo);

/* ---- verify: from the log's bytes alone ---- */

typedef struct gt_fault {
    /* "record", "frame", "hash", "signature", "chain", "parents", "certificate", "delta", "full", "receipt" */
    const char *kind;
    uint64_t offset; /* in the log; GT_NO_POSITION */
    gt_id batch;
    bool has_batch;
    gt_diag diag;
} gt_fault;

typedef struct gt_audit {
    gt_repo *repo;
    uint64_t offset;
    uint64_t batches, commits, receipts, signatures, bytes;
    void *context;
    void (*fault)(void *context, const gt_fault *fault);
    bool done;
    bool has_holes; /* once done: there is damage in the middle, not set aside */
    /* private: */
    gt_receipt_order order;
    uint64_t ahead;
    uint64_t doubtful; /* offset of a receipt that did not fit; 0: none */
} gt_audit;

/* Set repo, offset GT_LOG_HEADER_SIZE, fault; then step until done. One record a call. */
goat_status gt_audit_step(gt_audit *audit, gt_diag *diag);

#endif
