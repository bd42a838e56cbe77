/* Queries. */
#include "abi.h"

#include "value/value.h"

goat_status goat_query_open(goat_repo *repo, goat_query *source, const char *spec, size_t spec_len, goat_query **query,
                            goat_job **job, goat_error **error) {
    gt_call call;
    goat_query *made = NULL;
    goat_job *building = NULL;
    if (query != NULL) *query = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(repo);
    GT_REQUIRE(spec);
    GT_REQUIRE(query);
    if (source != NULL && gt_live_db(source) != repo->db) {
        return gt_misuse(error, "source belongs to another database handle");
    }
    gt_enter(&call, repo->db, error);
    goat_status status = gt_live_open(repo->space, source, gt_bytes_of(spec, spec_len), &made, &building, call.diag);
    if (status == GOAT_OK) gt_live_more();
    status = gt_leave_with_job(&call, status, building, job, NULL);
    if (status == GOAT_OK) {
        *query = made;
    } else {
        goat_query_free(made);
    }
    return status;
}

void goat_query_free(goat_query *query) {
    if (query == NULL) return;
    goat_db *db = gt_live_db(query);
    gt_db_lock(db);
    gt_live_free(query);
    gt_db_unlock(db);
    gt_db_release(db);
    gt_live_less();
}

uint32_t goat_query_id(const goat_query *query) { return query == NULL ? 0 : gt_live_id(query); }

goat_status goat_query_count(goat_query *query, uint32_t *count, goat_error **error) {
    gt_call call;
    if (count != NULL) *count = 0;
    GT_REQUIRE(query);
    GT_REQUIRE(count);
    gt_enter(&call, gt_live_db(query), error);
    goat_status status = gt_live_check(query, call.diag);
    if (status == GOAT_OK) *count = gt_live_count(query);
    return gt_leave(&call, status);
}

static goat_status get_rows(goat_query *query, uint32_t position, uint32_t limit, bool json, goat_buf *rows,
                            goat_error **error) {
    gt_call call;
    gt_enter(&call, gt_live_db(query), error);
    gt_buf out = gt_lend(rows);
    goat_status status = gt_live_check(query, call.diag);
    if (status == GOAT_OK) status = gt_live_rows(query, position, limit, json, &out, call.diag);
    return gt_leave(&call, gt_give_back(rows, &out, status, call.diag));
}

goat_status goat_query_rows(goat_query *query, uint32_t position, uint32_t limit, goat_buf *rows, goat_error **error) {
    GT_REQUIRE(query);
    GT_REQUIRE(rows);
    return get_rows(query, position, limit, false, rows, error);
}

goat_status goat_query_rows_json(goat_query *query, uint32_t position, uint32_t limit, goat_buf *rows,
                                 goat_error **error) {
    GT_REQUIRE(query);
    GT_REQUIRE(rows);
    return get_rows(query, position, limit, true, rows, error);
}

goat_status goat_query_find(goat_query *query, const uint8_t *value, size_t value_len, uint32_t *position,
                            uint32_t *count, goat_error **error) {
    gt_call call;
    uint32_t first = 0, equal = 0;
    if (position != NULL) *position = 0;
    if (count != NULL) *count = 0;
    GT_REQUIRE(query);
    GT_REQUIRE(value);
    GT_REQUIRE(position);
    gt_enter(&call, gt_live_db(query), error);
    gt_bytes wanted = gt_bytes_of(value, value_len);
    goat_status status = gt_value_check(wanted, 0, call.diag);
    if (status == GOAT_OK) status = gt_live_check(query, call.diag);
    if (status == GOAT_OK) status = gt_live_find(query, wanted, &first, &equal, call.diag);
    if (status == GOAT_OK) {
        *position = first;
        if (count != NULL) *count = equal;
    }
    return gt_leave(&call, status);
}
