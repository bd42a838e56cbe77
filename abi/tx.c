/* Transactions. The host's handle and each item opened with it hold one; ending the host's drops the edits. */
#include "abi.h"

#include "value/build.h"

goat_status goat_tx_begin(goat_repo *repo, goat_tx **tx, goat_error **error) {
    gt_call call;
    if (tx != NULL) *tx = NULL;
    GT_REQUIRE(repo);
    GT_REQUIRE(tx);
    gt_enter(&call, repo->db, error);
    goat_status status = gt_tx_begin(repo->space, tx, call.diag);
    if (status == GOAT_OK) gt_live_more();
    return gt_leave(&call, status);
}

/* {"commits": [id, …]} */
static goat_status give_ids(goat_buf *result, const gt_buf *ids, gt_diag *diag) {
    gt_buf out = gt_lend(result);
    gt_write_map_head(&out, 1);
    gt_write_text(&out, gt_bytes_text("commits"));
    gt_write_array_head(&out, ids->len / GT_ID_SIZE);
    for (size_t at = 0; at < ids->len; at += GT_ID_SIZE) gt_write_bytes(&out, gt_bytes_of(ids->data + at, GT_ID_SIZE));
    return gt_give_back(result, &out, GOAT_OK, diag);
}

goat_status goat_tx_commit(goat_tx *tx, const char *message, size_t message_len, goat_buf *result, goat_error **error) {
    gt_call call;
    gt_buf ids;
    GT_REQUIRE(tx);
    GT_REQUIRE_RUN(message, message_len);
    gt_enter(&call, gt_tx_db(tx), error);
    gt_buf_init(&ids, &gt_alloc_system);
    goat_status status = GOAT_OK;
    if (message_len > GOAT_MESSAGE_MAX) {
        status = gt_fail(call.diag, GOAT_TOO_LARGE, "the message is longer than %d bytes", GOAT_MESSAGE_MAX);
    } else if (message != NULL) {
        status = gt_check_utf8(gt_bytes_of(message, message_len), "the message", call.diag);
    }
    if (status == GOAT_OK) status = gt_tx_commit(tx, gt_bytes_of(message, message_len), &ids, call.diag);
    if (status == GOAT_OK && result != NULL) {
        status = gt_buf_failed(&ids) ? gt_no_memory(call.diag) : give_ids(result, &ids, call.diag);
    }
    gt_buf_free(&ids);
    return gt_leave(&call, status);
}

void goat_tx_free(goat_tx *tx) {
    if (tx == NULL) return;
    goat_db *db = gt_tx_db(tx);
    gt_db_lock(db);
    gt_tx_rollback(tx);
    bool last = gt_tx_release(tx);
    gt_db_unlock(db);
    if (last) gt_db_release(db);
    gt_live_less();
}
