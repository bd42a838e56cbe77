/* The tables of a repository, as they lie in memory and in its checkpoint (CHECKPOINT.md).
 *
 * Rows hold numbers only: row numbers of other tables, and offsets into the log. They are fixed-size
 * and written as they lie, on little-endian machines only; the assertions below are the format. */
#ifndef GT_REPO_TABLES_H
#define GT_REPO_TABLES_H

#include "base/index.h"
#include "base/rows.h"
#include "log/checkpoint.h"
#include "log/load.h"
#include "repo/repo.h"

enum {
    GT_COMMIT_HEAD = 1 << 0,     /* no commit known names it as parent */
    GT_COMMIT_FULL = 1 << 1,     /* carries a snapshot of its parents' view */
    GT_COMMIT_PLAIN = 1 << 2,    /* its delta may be used as a state */
    GT_COMMIT_SEALED = 1 << 3,   /* encrypted: carried, not shown */
    GT_COMMIT_HIDDEN = 1 << 4,   /* not in views here: it, or an ancestor, cannot be shown (versions.c) */
    GT_COMMIT_REVERTS = 1 << 5,  /* it names commits that it reverts */
    GT_COMMIT_AWAITED = 1 << 14, /* as MARK */
    GT_COMMIT_MARK = 1 << 15,    /* scratch of a walk, zero between walks */
};

typedef struct gt_commit_row {
    gt_id id;
    gt_time time;
    uint64_t offset; /* of the commit's bytes in the log */
    uint32_t len;
    uint32_t item;
    uint32_t batch;
    uint32_t leaf;
    uint32_t parents; /* one parent: its row. Several: index of the first in the table of parents */
    uint16_t parent_count;
    uint16_t flags;
    uint32_t older;  /* the commit of this item admitted before, GT_NONE */
    uint32_t schema; /* row */
} gt_commit_row;

/* Where an item's state is: the upper two bits of `state`. */
#define GT_STATE_MASK (UINT64_C(3) << 62)
#define GT_STATE_UNKNOWN UINT64_C(0)
#define GT_STATE_IN_LOG (UINT64_C(1) << 62)        /* offset in the log */
#define GT_STATE_IN_CHECKPOINT (UINT64_C(2) << 62) /* offset in the section of states */
#define GT_STATE_IN_MEMORY (UINT64_C(3) << 62)     /* a gt_state *; never in a checkpoint */

enum {
    /* GT_ITEM_INVALID of repo.h, and: */
    GT_ITEM_UNSHOWN = 1 << 8,    /* has commits that cannot be shown here (unknown schema, sealed) */
    GT_ITEM_FORKED = 1 << 9,     /* recent states are kept, see cuts.c */
    GT_ITEM_UNCHECKED = 1 << 10, /* whether the state is valid was not looked at yet */
    GT_ITEM_UNTOUCHED = 1 << 11, /* the state comes from a checkpoint; whether it is sound was not looked at yet */
    GT_ITEM_AFFECTED = 1 << 12,  /* scratch of gt_repo_schemas_changed */
};

/* Where an item's key is: an offset in the log, or with this bit in the checkpoint's section of keys. */
#define GT_KEY_IN_CHECKPOINT (UINT64_C(1) << 63)

typedef struct gt_item_row {
    uint64_t key_offset; /* see GT_KEY_IN_CHECKPOINT */
    uint64_t state;
    uint32_t state_len;
    uint32_t newest; /* commit admitted last */
    uint32_t head;   /* the only head, GT_NONE when there are several */
    uint32_t head_count;
    uint32_t revision;
    uint32_t first;      /* of its commits without parents the first in the order of time: it gives the namespace */
    uint32_t since_base; /* delta bytes since the last base that reading can start from */
    uint16_t key_len;
    uint16_t flags;
} gt_item_row;

enum {
    GT_BATCH_TIP = 1 << 0,     /* the newest of its session, or one of several */
    GT_BATCH_STUB = 1 << 1,    /* only named by a successor; its record is damaged or not here */
    GT_BATCH_PART = 1 << 2,    /* a further record of a batch that has a row already */
    GT_BATCH_DAMAGED = 1 << 3, /* its record turned out damaged */
    GT_BATCH_LOST = 1 << 4,    /* of a first row: some of its leaves lie in damaged records */
    GT_BATCH_AGAIN = 1 << 5,   /* of a part: it brings nothing but what damage took */
};

/* A record that holds a batch, in the order of the log; `id`, `session` and `size` are the batch's. A batch that is
 * logged in several records (with different leaves, or again after damage) has a row for each: the first one, which
 * the index finds, and parts behind it. A row without a record (`len` 0) was a stub; its records are parts. */
typedef struct gt_batch_row {
    gt_id id;
    uint64_t offset; /* of the frame in the log */
    uint64_t seq;
    uint32_t len;
    uint32_t session;
    uint32_t size;
    uint32_t older; /* batch of this session admitted before, GT_NONE */
    uint32_t prev;  /* the one with the largest seq, GT_NONE */
    uint32_t skip;  /* GT_NONE */
    uint32_t flags;
    uint32_t held;   /* of a first row: leaves known, wherever they lie */
    uint32_t leaves; /* commits whose bytes lie in this record */
    uint32_t next;   /* the next part, GT_NONE */
    uint32_t other;  /* of a first row: the last part, or itself. Of a part: the first row */
    uint32_t zero;
} gt_batch_row;

static inline bool gt_batch_is_lost(const gt_batch_row *row) { return (row->flags & GT_BATCH_LOST) != 0; }

typedef struct gt_session_row {
    gt_id id;
    uint32_t newest; /* batch admitted last, GT_NONE */
    uint32_t tips;   /* how many batches are tips */
} gt_session_row;

typedef struct gt_schema_row {
    uint8_t hash[GT_SCHEMA_HASH_SIZE];
    uint32_t version;
    uint32_t ns_len;
    uint8_t ns[GOAT_NAME_MAX];
    uint32_t
        read_at;  /* the version that its commits are read at, 0: they are not; what the states that are kept are of */
    uint32_t way; /* differs when the upgrades to that version do; never 0, but in checkpoints of older programs */
} gt_schema_row;

enum {
    GT_RECEIPT_DAMAGED = 1 << 0, /* its record turned out damaged */
};

typedef struct gt_receipt_row {
    gt_id id;
    uint64_t offset; /* in the log */
    uint32_t len;
    uint32_t flags;
} gt_receipt_row;

_Static_assert(sizeof(gt_commit_row) == 80, "checkpoint format");
_Static_assert(sizeof(gt_item_row) == 48, "checkpoint format");
_Static_assert(sizeof(gt_batch_row) == 96, "checkpoint format");
_Static_assert(sizeof(gt_session_row) == 40, "checkpoint format");
_Static_assert(sizeof(gt_schema_row) == 88, "checkpoint format");
_Static_assert(sizeof(gt_receipt_row) == 48, "checkpoint format");

typedef struct gt_parked_session gt_parked_session;

/* A frame that waits for a commit or a batch; see parked.c. */
typedef struct gt_parked {
    struct gt_parked *newer, *older;
    struct gt_parked *newer_of_session, *older_of_session;
    struct gt_parked *next, **at;             /* of those in one bucket, or of those that wait no more */
    struct gt_parked *next_alike, **at_alike; /* of those in one bucket by what their frames are */
    uint64_t hash;                            /* of the frame */
    bool verified;                            /* its signature was checked since the repository was opened */
    gt_parked_session *session;               /* NULL: it lies in the log */
    gt_id waits_for;
    uint64_t offset; /* where the log has it, GT_NO_POSITION when it has not */
    gt_origin origin;
    size_t len;
    const uint8_t *frame; /* `own`, or in the log */
    uint8_t own[];
} gt_parked;

typedef struct gt_parked_list {
    gt_parked *oldest, *newest;
} gt_parked_list;

/* A stretch of the log; see missing.c. */
typedef struct gt_stretch_row {
    uint64_t offset, length;
    uint32_t kind; /* GT_STRETCH_… */
    uint32_t zero;
} gt_stretch_row;

enum {
    GT_STRETCH_HOLE = 1,
    GT_STRETCH_FAULT = 2,
    GT_STRETCH_ASIDE = 3, /* all up to the end of the last record that sets something aside; there is one at most */
};

_Static_assert(sizeof(gt_stretch_row) == 24, "checkpoint format");

/* How what bears a schema row is read here. */
typedef struct gt_reading {
    const gt_schema *commits; /* the version at which its commits are shown; NULL: they are not */
    const gt_schema *items;   /* the version at which items of its namespace are read; NULL: not known here */
} gt_reading;

/* A state that some heads of an item came to lately; a base for replays. */
typedef struct gt_cut gt_cut;

enum {
    GT_GONE_MAX = 1024, /* batches that peers are believed to have lost, since it was opened */
    GT_PARKED_BYTES_MAX = 16 * 1024 * 1024,
    GT_PARKED_SESSION_BYTES_MAX = GT_PARKED_BYTES_MAX / 4,
    GT_PARKED_RETRY_BYTES = 32 * 1024, /* tried again in one step; about a millisecond */
    GT_FULL_WORK_MAX =
        1 << 18, /* commits gone through to check the snapshots of one frame; about 0.3 s. The rest are no bases */
    GT_BUCKETS = 4096,
};

typedef struct gt_adoption gt_adoption;

struct gt_repo {
    const gt_alloc *alloc;
    gt_repo_config config;
    char *path;            /* "/type/repo" */
    char *log_name;        /* "repos/type/repo.log" */
    char *checkpoint_name; /* "repos/type/repo.checkpoint" */
    gt_place place;

    gt_repo_phase phase;
    gt_diag failure;
    gt_log *log;
    uint64_t load_offset;       /* of the record to read next */
    int load_step;              /* see load.c; 0 to begin with */
    gt_load checkpoint;         /* its memory is that of the tables, until the end */
    gt_adoption *adoption;      /* while they are being taken from it */
    uint64_t covered;           /* length of the log that the last checkpoint stands for */
    uint64_t checkpoint_covers; /* … and the one that the tables came from; 0: none */

    gt_rows commits, parents, items, batches, sessions, schemas, receipts;
    gt_index commit_index, item_index, batch_index, receipt_index;
    gt_index session_index, schema_index; /* not in checkpoints */
    gt_reading *readings;                 /* by schema row */
    size_t reading_capacity;
    uint8_t hash_key[16];
    const uint8_t *states, *keys; /* sections of the checkpoint */
    uint8_t *unchecked;           /* a bit a commit below the checkpoint: it was not looked at yet */
    uint32_t unchecked_count;
    uint8_t *sound; /* a bit a record below the checkpoint: it was found sound */
    uint32_t sound_count;
    uint32_t unchecked_receipts; /* came from the checkpoint */

    gt_parked_list parked_sent, parked_logged; /* by peers, and what lies in the log */
    gt_parked **parked;                        /* GT_BUCKETS lists by what they wait for; NULL: there was none yet */
    gt_parked **parked_alike;                  /* GT_BUCKETS lists by their frames */
    gt_parked *ready_sent, *ready_logged;      /* what they waited for has come; they still count as parked */
    gt_parked_session **parked_sessions;       /* GT_BUCKETS lists */
    size_t parked_bytes;
    uint32_t parked_count;
    gt_cut **cuts; /* GT_BUCKETS lists by item; NULL: there was none yet */
    size_t cut_bytes;
    struct gt_replays *replays; /* kept for the commits to come; NULL: there was none yet */
    uint32_t replay_steps_min;  /* GT_REPLAY_STEPS_MIN but in tests */

    gt_receipt_order order; /* of this log's own receipts */
    bool writes_receipts;

    gt_time time_seen; /* the greatest of all commits known */
    gt_lthash fingerprint;
    uint32_t fingerprinted;                    /* commits counted in, from row 0 on */
    gt_lthash receipts_set;                    /* not in checkpoints; nor are these: */
    uint32_t receipts_counted, receipts_sound; /* rows gone through, and how many of them are in the set */
    gt_buf fits;      /* a bit a commit: its delta was found to fit its schema; see gt_commit_fits */
    uint32_t changes; /* of rows or holes that a checkpoint names, where the log did not grow with them */
    uint64_t work, checks;
    uint64_t full_work;    /* to check the snapshots of the frame at hand */
    gt_buf faults;         /* gt_stretch_row: records of the log that could not be taken */
    gt_buf lacking;        /* uint32_t: rows of batches that are stubs or have lost leaves, and of some that are not */
    gt_buf gone;           /* gt_id: batches that a peer has lost for good */
    bool lacking_is_known; /* `lacking` names them all */
    uint32_t lost_count;   /* batches with lost leaves */
    size_t holes_seen;     /* damage that the log knew when the records were last looked at for it */
};

static inline gt_commit_row *gt_commit_at(const gt_repo *repo, uint32_t row) { return gt_rows_at(&repo->commits, row); }
static inline gt_item_row *gt_item_at(const gt_repo *repo, uint32_t row) { return gt_rows_at(&repo->items, row); }
static inline gt_batch_row *gt_batch_at(const gt_repo *repo, uint32_t row) { return gt_rows_at(&repo->batches, row); }
static inline gt_session_row *gt_session_at(const gt_repo *repo, uint32_t row) {
    return gt_rows_at(&repo->sessions, row);
}
static inline gt_receipt_row *gt_receipt_row_at(const gt_repo *repo, uint32_t row) {
    return gt_rows_at(&repo->receipts, row);
}
static inline gt_schema_row *gt_schema_at(const gt_repo *repo, uint32_t row) { return gt_rows_at(&repo->schemas, row); }

/* The schema row that gives the item its namespace. */
static inline uint32_t gt_item_schema(const gt_repo *repo, const gt_item_row *item) {
    return gt_commit_at(repo, item->first)->schema;
}

static inline uint32_t gt_parent_at(const gt_repo *repo, const gt_commit_row *commit, uint32_t index) {
    return commit->parent_count == 1 ? commit->parents
                                     : *(uint32_t *)gt_rows_at(&repo->parents, commit->parents + index);
}

/* (time, id): the order in which everything that needs one is done. */
static inline int gt_commit_order(const gt_commit_row *a, const gt_commit_row *b) {
    return a->time != b->time ? (a->time < b->time ? -1 : 1) : gt_id_compare(&a->id, &b->id);
}

/* ---- tables.c ---- */

void gt_tables_init(gt_repo *repo);
void gt_tables_free(gt_repo *repo);
uint32_t gt_find_commit(const gt_repo *repo, const gt_id *id); /* GT_NONE */
uint32_t gt_find_batch(const gt_repo *repo, const gt_id *id);  /* GT_NONE */
uint32_t gt_find_session(const gt_repo *repo, const gt_id *id);
uint32_t gt_add_session(gt_repo *repo, const gt_id *id);        /* finds or adds; GT_NONE: no memory */
uint32_t gt_add_schema(gt_repo *repo, const gt_commit *commit); /* finds or adds; GT_NONE: no memory */
uint64_t gt_id_hash(const gt_repo *repo, const gt_id *id);
uint64_t gt_key_hash(const gt_repo *repo, gt_bytes key);
/* How commits of a schema row are read: at the version at which the host reads the namespace, when the row's own is
 * registered with the same bytes, not newer, not retired, and can be carried there. NULL: they are carried, not shown. */
static inline const gt_schema *gt_reader_of(const gt_repo *repo, uint32_t schema) {
    return repo->readings[schema].commits;
}
static inline bool gt_is_shown(const gt_commit_row *commit) { return (commit->flags & GT_COMMIT_HIDDEN) == 0; }
/* How an item is read, NULL: its namespace is not known here. */
static inline const gt_schema *gt_item_reader(const gt_repo *repo, const gt_item_row *item) {
    return repo->readings[gt_item_schema(repo, item)].items;
}
/* The schema that the commits of a row were written with; NULL when it is not registered with the same bytes. */
const gt_schema *gt_writer_of(const gt_repo *repo, uint32_t schema);
static inline bool gt_same_namespace(const gt_repo *repo, uint32_t a, uint32_t b) {
    const gt_schema_row *x = gt_schema_at(repo, a), *y = gt_schema_at(repo, b);
    return a == b || gt_bytes_equal(gt_bytes_of(x->ns, x->ns_len), gt_bytes_of(y->ns, y->ns_len));
}
/* Whether commits of a row would now be read at another version than before, in another way, or not at all. */
bool gt_schema_changes(const gt_repo *repo, uint32_t schema);
/* Looks all schema rows up again. */
void gt_schemas_resolve(gt_repo *repo);
/* Fills the indexes of sessions and schemas from their tables; false without memory. */
bool gt_index_small_tables(gt_repo *repo);

/* What a commit says; checks it on its first touch below a checkpoint. GOAT_CORRUPT. */
/* Whether a commit below a checkpoint is as it was written, by the checksum of its record and its item's key. False:
 * not known, gt_commit_read tells. */
bool gt_commit_is_sound(gt_repo *repo, uint32_t number);
goat_status gt_commit_read(gt_repo *repo, uint32_t number, gt_commit *commit, gt_diag *diag);

/* ---- graph.c ---- */

enum {
    GT_LEAF_FOLLOWED = 1 << 0, /* it is in a line: the next one is on it alone, and its state is not made */
    GT_LEAF_FITS = 1 << 1,     /* its delta fits its schema; not set: not known */
    GT_LEAF_FULL = 1 << 2,     /* its snapshot is what its parents come to */
    GT_LEAF_NO_FULL = 1 << 3,  /* it is no base, because it is not, or nobody can say; neither: not known */
};

/* Adds a leaf whose parents are all known; keeps heads and the item's state up to date; calls the hooks. Its bytes lie
 * in the log at `offset`; `what` is of GT_LEAF_…. GOAT_NO_MEMORY, GOAT_CORRUPT: nothing was changed. */
goat_status gt_graph_add(gt_repo *repo, uint32_t batch, uint32_t leaf, const gt_id *id, const gt_commit *commit,
                         uint64_t offset, uint32_t len, unsigned what, gt_origin origin, gt_diag *diag);
/* Before the first of such a line, and after its last: then the state is made, if it was known before and follows. */
typedef struct gt_line {
    bool was_known, was_forked;
} gt_line;
gt_line gt_line_begin(const gt_repo *repo, gt_bytes key);
void gt_line_end(gt_repo *repo, gt_bytes key, gt_line line);

/* ---- chain.c ---- */

/* Where the session's next batch goes. `prev` has room for GT_PREV_MAX. */
goat_status gt_chain_next(gt_repo *repo, const gt_id *session, gt_id *prev, gt_id *skip, gt_chain_place *place,
                          gt_diag *diag);
/* Whether a batch is at its place in its session's chain: GOAT_OK; GOAT_NOT_FOUND when a predecessor, `*missing`, is
 * not known; GOAT_UNTRUSTED when it contradicts one. */
goat_status gt_chain_check(const gt_repo *repo, const gt_batch *batch, gt_id *missing, gt_diag *diag);
/* Adds (or completes) the row of a batch that lies in `record`; predecessors that are not known become stubs. GT_NONE: no
 * memory. */
uint32_t gt_chain_add(gt_repo *repo, const gt_batch *batch, const gt_record *record);

/* ---- records.c ---- */

/* Adds the row of a further record of a batch. False without memory. */
bool gt_part_add(gt_repo *repo, uint32_t batch, const gt_record *record, uint32_t flags);
/* The row of the record of a batch (its first row) whose frame holds the byte at `offset`; GT_NONE. */
uint32_t gt_record_of(const gt_repo *repo, uint32_t batch, uint64_t offset);
/* Whether a record is there and sound; looks at it once, if it lies below the checkpoint, and marks it if it is
 * damaged. */
bool gt_record_is_sound(gt_repo *repo, uint32_t record);
/* A record turned out damaged: its batch has lost what leaves lie in it. */
void gt_record_lost(gt_repo *repo, uint32_t record);

/* ---- heal.c ---- */

/* Whether some leaves of a batch (its first row) are lost. Looks at its records if need be. */
bool gt_batch_has_lost(gt_repo *repo, uint32_t batch);
/* Whether those of a known commit are. */
bool gt_commit_is_lost(gt_repo *repo, uint32_t commit);
/* Points the rows of the leaves whose `take` is `taken` to `record`, where they came again. GOAT_NO_MEMORY: some may
 * point there. */
goat_status gt_heal_leaves(gt_repo *repo, const gt_batch *batch, const gt_record *record, const uint8_t *take,
                           uint8_t taken, gt_diag *diag);

/* ---- missing.c ---- */

/* A batch is a stub, or has lost leaves. */
void gt_note_lacking(gt_repo *repo, uint32_t batch);
/* A peer has said that it is lost for good. */
bool gt_is_gone(const gt_repo *repo, const gt_id *batch);
/* The record whose payload of `len` bytes lies at `offset` could not be taken in. */
void gt_note_fault(gt_repo *repo, uint64_t offset, uint64_t len);
void gt_tidy_faults(gt_repo *repo); /* those that are set aside are forgotten */
/* Damage that the log has found since: records that lie in it are lost. */
void gt_note_holes(gt_repo *repo);
void gt_stretches_save(const gt_repo *repo, gt_buf *out);
/* As gt_parked_restore. */
bool gt_stretches_restore(gt_repo *repo, const gt_section *section, uint64_t covered);

/* ---- admit.c ---- */

/* Admits a hashed and verified batch. `where`: its record when the log has it already. */
goat_status gt_admit_batch(gt_repo *repo, gt_batch *batch, const gt_record *where, gt_origin origin,
                           gt_admission *outcome, gt_diag *diag);

/* Decodes, hashes and (unless it was `verified` before) verifies a frame, then admits it. `offset`: where the log has it,
 * or GT_NO_POSITION. `id` may be NULL. */
goat_status gt_admit_frame(gt_repo *repo, gt_bytes frame, uint64_t offset, bool verified, gt_origin origin,
                           gt_admission *outcome, gt_id *id, gt_diag *diag);
/* Adds the rows of leaves that lie in `record`: those whose `take` is `taken`, all with take NULL. `found` (NULL: nothing
 * is) is what is known of each leaf already, of GT_LEAF_…. */
goat_status gt_admit_leaves(gt_repo *repo, const gt_batch *batch, const gt_record *record, const uint8_t *take,
                            uint8_t taken, const uint8_t *found, gt_origin origin, gt_diag *diag);

/* ---- fingerprint.c ---- */

/* A receipt turned out damaged; it came again. */
void gt_receipt_uncount(gt_repo *repo, uint32_t receipt);
void gt_receipt_recount(gt_repo *repo, uint32_t receipt);

/* ---- receipts.c ---- */

/* Whether the record of a receipt is sound; a record below the checkpoint is looked at whenever this is asked. */
bool gt_receipt_is_sound(gt_repo *repo, uint32_t receipt);

/* Takes in a receipt that the log has. GOAT_OK; GOAT_NO_MEMORY, GOAT_INVALID and others: it was not taken. */
goat_status gt_receipt_load(gt_repo *repo, const gt_record *record, gt_diag *diag);
/* Whether a receipt is the next one of this log's own, and moves `order` on. GOAT_NOT_FOUND: it is another log's, or of
 * an earlier life of this one. GOAT_INVALID: it should be, but does not say what the log has. */
goat_status gt_receipt_follows(const gt_repo *repo, const gt_receipt *receipt, gt_receipt_order *order, gt_diag *diag);

/* ---- parked.c ---- */

/* Keeps a frame, whose signature was checked, until a commit or batch `waits_for` has come; the oldest are dropped when
 * there are too many (peers send them again). One that lies in the log, at `offset`, is not copied. GOAT_BUSY: it is too
 * large to be kept. */
goat_status gt_park(gt_repo *repo, gt_bytes frame, const gt_id *session, const gt_id *waits_for, uint64_t offset,
                    gt_origin origin, gt_diag *diag);
/* A commit or batch has come: what waited for it is tried by the next gt_parked_retry. */
bool gt_parked_waits_for(const gt_repo *repo, const gt_id *id);
void gt_parked_arrived(gt_repo *repo, const gt_id *id);
/* Tries up to GT_PARKED_RETRY_BYTES of them, but one at least; true if there are more. While the repository is read, only
 * what lies in the log. */
bool gt_parked_retry(gt_repo *repo);
void gt_parked_free(gt_repo *repo);
void gt_parked_save(const gt_repo *repo, gt_buf *out);
/* False when something is out of bounds, or memory is. */
bool gt_parked_restore(gt_repo *repo, const gt_section *section, uint64_t covered);

/* ---- view.c ---- */

/* Sets the item's state to `bytes` in memory of its own (GOAT_NO_MEMORY) or to unknown. */
goat_status gt_item_set_state(gt_repo *repo, gt_item_row *item, gt_bytes state);
void gt_item_forget_state(gt_repo *repo, gt_item_row *item);
/* The state if it is known; data NULL otherwise. One from a checkpoint is not looked at. */
gt_bytes gt_item_state(const gt_repo *repo, const gt_item_row *item);
/* Before a state is used: whether one from a checkpoint is sound. GOAT_OK, also where none is known (a wrong one is
 * forgotten); GOAT_CORRUPT when it lies in the log and the log is damaged there. */
goat_status gt_item_touch(gt_repo *repo, gt_item_row *item, gt_diag *diag);
/* The known state, shared; or nothing, also when it is damaged. */
gt_view gt_item_share(gt_repo *repo, gt_item_row *item);
/* All heads, shown or not, as uint32_t rows. */
void gt_item_head_rows(const gt_repo *repo, const gt_item_row *item, gt_buf *rows);
/* Computes the view at some heads (rows), as `reader` has it: a version of the item's namespace. */
goat_status gt_view_compute(gt_repo *repo, uint32_t item, const gt_schema *reader, const uint32_t *heads,
                            uint32_t head_count, gt_buf *state, gt_diag *diag);
/* The heads that can be shown, as uint32_t rows. */
goat_status gt_item_heads(gt_repo *repo, uint32_t item, gt_buf *rows, gt_diag *diag);
/* Whether the snapshot in a commit, whose parents are known, is what their replay comes to: GOAT_OK; GOAT_INVALID when
 * it is not; GOAT_NO_SCHEMA where nobody can say, or it is too much work; GOAT_CORRUPT, GOAT_NO_MEMORY. */
goat_status gt_full_check(gt_repo *repo, const gt_commit *commit, gt_diag *diag);
/* The schema that a commit was written with, when it is registered with the same bytes; NULL otherwise. */
const gt_schema *gt_commit_schema(const gt_repo *repo, const gt_commit *commit);

/* ---- repo.c ---- */

/* A record was appended and taken in. */
static inline void gt_repo_logged(gt_repo *repo) {
    if (repo->config.hooks.logged != NULL) repo->config.hooks.logged(repo->config.hooks.context, repo);
}
/* Whether it takes anything: GOAT_OK, GOAT_LOADING, GOAT_FORBIDDEN. */
goat_status gt_repo_check_open(const gt_repo *repo, gt_diag *diag);
/* The repository answers with this failure until it is opened again. */
void gt_repo_fail(gt_repo *repo, goat_status status, const char *message);

/* ---- load.c, adoption.c ---- */

bool gt_load_step(gt_repo *repo);

/* Begins to take the tables from a loaded checkpoint. GOAT_OK; GOAT_CORRUPT, GOAT_NEWER_FORMAT, GOAT_NO_MEMORY: this one
 * is no good, and there is nothing to be freed. */
goat_status gt_adoption_new(gt_repo *repo, uint8_t *file, size_t len, gt_adoption **adoption, gt_diag *diag);
/* Goes on by about `bytes` of the file. GOAT_OK (`*done`: the tables are those of the checkpoint); GOAT_CORRUPT: they are
 * empty. */
goat_status gt_adoption_step(gt_adoption *adoption, size_t bytes, bool *done, gt_diag *diag);
void gt_adoption_free(gt_adoption *adoption); /* NULL is accepted */

#endif
