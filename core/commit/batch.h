/* A batch: the commits of one capture, one Merkle tree, one signature (FORMAT.md sections 5 to 7).
 *
 * Reading is in steps, so that each caller pays for what it needs: decode (structure, limits),
 * hash (commit ids, root, batch id), verify (signature). Writing is a builder. Elision makes a
 * smaller frame of the same batch. */
#ifndef GT_COMMIT_BATCH_H
#define GT_COMMIT_BATCH_H

#include "base/arena.h"
#include "commit/commit.h"

enum {
    GT_FRAME_MAX = 64 * 1024 * 1024,
    GT_PREV_MAX = 16,
    GT_ENTRY_SIZE = GT_ID_SIZE + 4, /* batch id, leaf index */
};

/* What the frame leaves out. */
typedef struct gt_place {
    gt_id network;
    gt_bytes repository; /* "/type/repo" */
} gt_place;

/* Why a leaf is not there, as numbers of the format; LEAF is not one of them: it is there. */
typedef enum gt_node_kind {
    GT_NODE_HAD = 0,
    GT_NODE_HIDDEN = 1,
    GT_NODE_PRUNED = 2,
    GT_NODE_UNASKED = 3,
    GT_NODE_REFUSED = 4,
    GT_NODE_LEAF = 5,
} gt_node_kind;

typedef struct gt_node {
    gt_node_kind kind;
    uint32_t first;   /* index of its first leaf */
    uint32_t count;   /* number of leaves; 1 for LEAF and PRUNED */
    gt_id hash;       /* of the subtree; the commit id of a leaf. Set by gt_batch_hash for LEAF and PRUNED */
    const uint8_t *salt; /* LEAF */
    gt_bytes bytes;      /* LEAF: header and payload */
    const gt_id *inner;  /* PRUNED */
    gt_commit commit;    /* LEAF; for PRUNED only what the header says */
} gt_node;

typedef struct gt_batch {
    gt_bytes frame;
    gt_id session;
    uint64_t seq;
    gt_ids prev;
    const gt_id *skip; /* NULL: none */
    gt_bytes groups;   /* the CBOR array */
    uint64_t flags;
    uint32_t size;
    const gt_id *given_root; /* NULL: nothing is elided */
    const uint8_t *signature;
    gt_node *nodes; /* in the arena */
    uint32_t node_count;
    uint16_t *leaf_groups; /* in the arena: 1 + the group of each leaf, or 0; NULL without groups */
    uint32_t *lookup;      /* in the arena, for gt_batch_hash: leaves by id; NULL in a view */
    uint32_t lookup_bits;  /* it has 2 to that power slots */
    gt_id root; /* set by gt_batch_hash */
    gt_id id;   /* set by gt_batch_hash */
} gt_batch;

/* Decodes `frame` into `batch`, whose arrays lie in `arena` and whose pointers lead into `frame`.
 * GOAT_OK, GOAT_INVALID, GOAT_TOO_LARGE, GOAT_NEWER_FORMAT, GOAT_NO_MEMORY. */
goat_status gt_batch_decode(gt_bytes frame, gt_arena *arena, gt_batch *batch, gt_diag *diag);

/* As decode, for a frame that was decoded before and whose bytes are protected by a checksum: skips
 * the checks that only hostile bytes need (order, UTF-8, values), still memory-safe. */
goat_status gt_batch_view(gt_bytes frame, gt_arena *arena, gt_batch *batch, gt_diag *diag);

/* How many leaves the head of a frame names, there or left out; 0: it is no frame. Nothing else is looked at. */
uint32_t gt_batch_peek_size(gt_bytes frame);

/* Computes the hashes. GOAT_CORRUPT if the root is not the one given; GOAT_INVALID if two leaves are one
 * commit or a commit stands before its parent (not looked for after gt_batch_view). */
goat_status gt_batch_hash(gt_hasher *hasher, const gt_place *place, gt_batch *batch, gt_diag *diag);

/* Appends the signed bytes; the batch has been hashed. */
void gt_batch_signed_bytes(const gt_place *place, const gt_batch *batch, gt_buf *out);

/* GOAT_OK, or GOAT_UNTRUSTED; GOAT_NO_MEMORY. The batch has been hashed. */
goat_status gt_batch_verify(const gt_place *place, const gt_batch *batch, const uint8_t *public_key,
                            const gt_alloc *alloc, gt_diag *diag);

/* The group (number) of a leaf, or UINT32_MAX. */
uint32_t gt_batch_group_of(const gt_batch *batch, uint32_t leaf);

/* ---- writing ---- */

typedef struct gt_run {
    uint32_t first, count;
} gt_run;

/* A group is a run of leaves here: captures write them next to each other. After GOAT_NO_MEMORY or
 * GOAT_TOO_LARGE a draft is as it was before the call. */
typedef struct gt_batch_draft {
    const gt_alloc *alloc;
    gt_buf nodes;   /* the leaves' encodings */
    gt_id *ids;     /* commit ids, growing */
    size_t id_capacity;
    uint32_t count;
    gt_run *groups;
    size_t group_count, group_capacity;
    bool failed; /* no memory for a group: gt_batch_draft_finish says so */
} gt_batch_draft;

void gt_batch_draft_init(gt_batch_draft *draft, const gt_alloc *alloc);
void gt_batch_draft_free(gt_batch_draft *draft);
void gt_batch_draft_clear(gt_batch_draft *draft);

/* Adds a leaf; its id is written to `*id` (may be NULL). GOAT_TOO_LARGE beyond the limits. */
goat_status gt_batch_draft_add(gt_batch_draft *draft, gt_hasher *hasher, const gt_id *session, const uint8_t *salt,
                               const gt_commit_draft *commit, gt_id *id, gt_diag *diag);

/* Makes the leaves from `first` to the last one a group; fewer than two leaves are no group. */
void gt_batch_draft_group(gt_batch_draft *draft, uint32_t first);

typedef struct gt_chain_place {
    uint64_t seq;
    const gt_id *prev; /* ascending */
    uint32_t prev_count;
    const gt_id *skip; /* NULL: none */
} gt_chain_place;

/* Signs and appends the frame to `frame`; the batch id goes to `*id`. The draft has a leaf. GOAT_OK,
 * GOAT_NO_MEMORY with nothing appended. */
goat_status gt_batch_draft_finish(gt_batch_draft *draft, gt_hasher *hasher, const gt_place *place,
                                  const gt_id *session, const gt_chain_place *chain, const gt_secret_key *key,
                                  gt_buf *frame, gt_id *id, gt_diag *diag);

/* ---- elision ---- */

/* Appends the frame of `batch` (hashed) in which every leaf whose `reasons[leaf]` is not GT_NODE_LEAF is
 * elided for that reason, or pruned. `reasons` has one gt_node_kind for each leaf of the batch. Leaves that
 * `batch` itself does not hold keep their reason, but a pruned one may become hidden or refused.
 * GOAT_OK; GOAT_INVALID if a leaf of a group is unasked for and another of it is there; GOAT_TOO_LARGE;
 * GOAT_NO_MEMORY. Nothing is appended then. */
goat_status gt_batch_elide(gt_hasher *hasher, const gt_batch *batch, const uint8_t *reasons, gt_buf *frame,
                           gt_diag *diag);

#endif
