/* Receipts put together by hand, right or wrong, and signed with the maker's key. */
#ifndef RECEIPT_MAKER_H
#define RECEIPT_MAKER_H

#include "commit/receipt.h"
#include "support/batch_maker.h"

enum { TEST_RECEIPT_NODES_MAX = 64 };

typedef struct receipt_maker {
    const batch_maker *by;
    gt_receipt receipt; /* log_id, previous, time_ms and first are what is written */
    gt_buf nodes;
    size_t begins[TEST_RECEIPT_NODES_MAX]; /* of each node in `nodes` */
    uint32_t count;
    gt_id leaves[TEST_RECEIPT_NODES_MAX]; /* hashes of all leaves, left out or not */
    uint32_t leaf_count;
} receipt_maker;

void receipt_maker_init(receipt_maker *maker, const batch_maker *by);
void receipt_maker_free(receipt_maker *maker);

/* Adds a leaf; `admitted` and `refused` are CBOR in hexadecimal ("f5", "80"). */
void receipt_maker_leaf(receipt_maker *maker, const gt_id *batch, const char *admitted, const char *refused);
/* The last `count` leaves become a subtree that is left out. */
void receipt_maker_leave_out(receipt_maker *maker, uint32_t count);
/* Appends the record. */
void receipt_maker_finish(receipt_maker *maker, gt_buf *out);

#endif
