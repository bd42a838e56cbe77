/* A receipt: what a server says of batches that it has logged, in which order and when (FORMAT.md section 9).
 *
 * It is an RFC 6962 tree with a leaf for each batch, and one signature. Reading is in steps, as with batches: decode
 * (structure, limits), hash (root, id), verify (signature). Whether the signer may sign receipts is core/trust's
 * business. */
#ifndef GT_COMMIT_RECEIPT_H
#define GT_COMMIT_RECEIPT_H

#include "commit/batch.h"

enum {
    GT_RECEIPT_MAX = 16 * 1024 * 1024, /* bytes */
    GT_RECEIPT_LEAVES_MAX = 4096,
    GT_LOG_ID_SIZE = 16,
};

/* A leaf, or a subtree that is left out. */
typedef struct gt_receipt_node {
    uint32_t first, count; /* leaves; count is 1 of a leaf */
    gt_id hash;            /* of the leaf or the subtree; of a leaf set by gt_receipt_hash */
    gt_bytes bytes;        /* the leaf; data NULL: a subtree that is left out */
    const gt_id *batch;
    bool admits_all;   /* every leaf of the batch was admitted */
    gt_bytes admitted; /* otherwise the array of runs, see gt_receipt_run */
    uint32_t entries;  /* how many leaves these name; 0 where admits_all is set */
    gt_bytes refused;  /* the array of those that were refused */
} gt_receipt_node;

typedef struct gt_receipt {
    gt_bytes bytes;                 /* the record */
    gt_id session;                  /* who signed */
    uint8_t log_id[GT_LOG_ID_SIZE]; /* of the log that it is about */
    const gt_id *previous;          /* the receipt before it in that log; NULL: it is the first */
    uint64_t time_ms;               /* the server's clock, milliseconds since 1970 */
    uint64_t first;                 /* number of the first entry, in the order of that log */
    uint32_t size;                  /* leaves */
    const uint8_t *signature;
    gt_receipt_node *nodes; /* in the arena */
    uint32_t node_count;
    gt_id root, id; /* set by gt_receipt_hash */
} gt_receipt;

/* Decodes `bytes`; the arrays of `receipt` lie in `arena` and its pointers lead into `bytes`. GOAT_OK, GOAT_INVALID,
 * GOAT_TOO_LARGE, GOAT_NEWER_FORMAT, GOAT_NO_MEMORY. */
goat_status gt_receipt_decode(gt_bytes bytes, gt_arena *arena, gt_receipt *receipt, gt_diag *diag);

/* Computes the hashes. */
void gt_receipt_hash(gt_hasher *hasher, const gt_place *place, gt_receipt *receipt);

/* Appends the signed bytes; the receipt has been hashed. */
void gt_receipt_signed_bytes(const gt_place *place, const gt_receipt *receipt, gt_buf *out);

/* GOAT_OK, GOAT_UNTRUSTED, GOAT_NO_MEMORY. The receipt has been hashed. */
goat_status gt_receipt_verify(const gt_place *place, const gt_receipt *receipt, const uint8_t *public_key,
                              const gt_alloc *alloc, gt_diag *diag);

/* The runs of a leaf's `admitted` one after the other, from `*at` = 0 on; false behind the last. */
bool gt_receipt_run(const gt_receipt_node *leaf, size_t *at, gt_run *run);

/* ---- writing ---- */

typedef struct gt_receipt_draft {
    const gt_alloc *alloc;
    gt_buf leaves;
    gt_buf hashes; /* ids */
    uint32_t count;
} gt_receipt_draft;

void gt_receipt_draft_init(gt_receipt_draft *draft, const gt_alloc *alloc);
void gt_receipt_draft_free(gt_receipt_draft *draft);

/* Adds a leaf: all of a batch (runs NULL), or the leaves that the runs name (ascending, not touching each other).
 * GOAT_TOO_LARGE when the receipt is full; then, and after GOAT_NO_MEMORY, the draft is as it was. */
goat_status gt_receipt_draft_add(gt_receipt_draft *draft, gt_hasher *hasher, const gt_id *batch, const gt_run *runs,
                                 size_t run_count, gt_diag *diag);

/* Signs and appends the record. `receipt` says session, log_id, previous, time_ms and first; its root, size and id are
 * set. The draft has a leaf. GOAT_OK; GOAT_NO_MEMORY with nothing appended. */
goat_status gt_receipt_draft_finish(gt_receipt_draft *draft, gt_hasher *hasher, const gt_place *place,
                                    const gt_secret_key *key, gt_receipt *receipt, gt_buf *out, gt_diag *diag);

#endif
