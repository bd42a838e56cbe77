/* Transactions: edits that are seen by nobody else until they are committed as one group. */
#include "db/internal.h"

goat_status gt_tx_begin(gt_space *space, goat_tx **out, gt_diag *diag) {
    *out = NULL;
    goat_status status = gt_space_check(space, diag);
    if (status == GOAT_OK) status = gt_space_check_writable(space, diag);
    if (status != GOAT_OK) return status;
    goat_tx *tx = gt_new(space->db->database->alloc, 1, sizeof(*tx));
    if (tx == NULL) return gt_no_memory(diag);
    tx->db = space->db;
    tx->space = space;
    tx->refs = 1;
    gt_index_init(&tx->works.index, space->db->database->alloc);
    gt_db_retain(space->db);
    *out = tx;
    return GOAT_OK;
}

goat_db *gt_tx_db(const goat_tx *tx) { return tx->db; }

void gt_tx_retain(goat_tx *tx) { tx->refs++; }

/* Ends the caller's use: what was not committed is dropped, though items that hold the transaction live on. */
void gt_tx_rollback(goat_tx *tx) {
    tx->committed = true;
    gt_works_free(&tx->works, tx->space);
}

bool gt_tx_release(goat_tx *tx) {
    GOAT_ASSERT(tx->refs > 0);
    if (--tx->refs > 0) return false;
    gt_works_free(&tx->works, tx->space);
    gt_free(tx->db->database->alloc, tx);
    return true;
}

static goat_status check_all(goat_tx *tx, gt_work **list, size_t *count, gt_diag *diag) {
    *count = 0;
    for (size_t i = 0; i < tx->works.count; i++) {
        gt_work *work = tx->works.list[i];
        if (!gt_work_has_edits(work)) continue;
        goat_status status = gt_work_validate(work, diag);
        if (status != GOAT_OK) return status;
        list[(*count)++] = work;
    }
    return GOAT_OK;
}

goat_status gt_tx_commit(goat_tx *tx, gt_bytes message, gt_buf *ids, gt_diag *diag) {
    goat_status status = gt_space_check(tx->space, diag);
    if (status == GOAT_OK && tx->committed) status = gt_fail(diag, GOAT_MISUSE, "the transaction was committed");
    if (status == GOAT_OK && tx->works.count > GOAT_BATCH_MAX) {
        status = gt_fail(diag, GOAT_TOO_LARGE, "a transaction of more than %d items", GOAT_BATCH_MAX);
    }
    if (status != GOAT_OK) return status;
    const gt_alloc *alloc = tx->db->database->alloc;
    gt_work **list = gt_new(alloc, tx->works.count + 1, sizeof(*list));
    if (list == NULL) return gt_no_memory(diag);
    size_t count;
    status = check_all(tx, list, &count, diag);
    if (status == GOAT_OK && count > 0) {
        status = gt_capture_works(tx->space, &tx->works, list, count, true, message, ids, diag);
    }
    gt_free(alloc, (void *)list);
    if (status == GOAT_OK) gt_tx_rollback(tx); /* what is left has no edits */
    return status;
}
