/* Items: opening, creating, and what concerns the whole of one. Single fields are item_get.c and item_set.c. */
#include "abi.h"

#include "schema/schema_json.h"
#include "value/value.h"

goat_status goat_item_open(goat_db *db, goat_tx *tx, const char *path, size_t path_len, goat_item **item,
                           goat_error **error) {
    gt_call call;
    if (item != NULL) *item = NULL;
    GT_REQUIRE(db);
    GT_REQUIRE(path);
    GT_REQUIRE(item);
    if (tx != NULL && gt_tx_db(tx) != db) return gt_misuse(error, "tx belongs to another database handle");
    gt_enter(&call, db, error);
    goat_status status = gt_item_open(db, tx, gt_bytes_of(path, path_len), item, call.diag);
    if (status == GOAT_OK) gt_live_more();
    return gt_leave(&call, status);
}

goat_status goat_item_create(goat_db *db, goat_tx *tx, const char *path, size_t path_len, const char *ns, size_t ns_len,
                             const uint8_t *fields, size_t fields_len, goat_item **item, goat_error **error) {
    gt_call call;
    if (item != NULL) *item = NULL;
    GT_REQUIRE(db);
    GT_REQUIRE(path);
    GT_REQUIRE(ns);
    GT_REQUIRE_RUN(fields, fields_len);
    GT_REQUIRE(item);
    if (tx != NULL && gt_tx_db(tx) != db) return gt_misuse(error, "tx belongs to another database handle");
    gt_enter(&call, db, error);
    goat_status status = gt_check_utf8(gt_bytes_of(ns, ns_len), "the namespace", call.diag);
    if (status == GOAT_OK) {
        status = gt_item_create(db, tx, gt_bytes_of(path, path_len), gt_bytes_of(ns, ns_len),
                                gt_bytes_of(fields, fields_len), item, call.diag);
    }
    if (status == GOAT_OK) gt_live_more();
    return gt_leave(&call, status);
}

void goat_item_free(goat_item *item) {
    if (item == NULL) return;
    goat_db *db = gt_item_db(item);
    gt_db_lock(db);
    gt_item_free(item);
    gt_db_unlock(db);
    gt_db_release(db);
    gt_live_less();
}

goat_status goat_item_path(goat_item *item, goat_buf *path, goat_error **error) {
    gt_call call;
    GT_REQUIRE(item);
    GT_REQUIRE(path);
    goat_db *db = gt_item_db(item);
    gt_enter(&call, db, error);
    gt_buf out = gt_lend(path);
    goat_status status = gt_db_check(db, call.diag);
    if (status == GOAT_OK) gt_item_path(item, &out);
    return gt_leave(&call, gt_give_back(path, &out, status, call.diag));
}

goat_status goat_item_state(goat_item *item, uint32_t *flags, goat_error **error) {
    gt_call call;
    gt_sight sight;
    if (flags != NULL) *flags = 0;
    GT_REQUIRE(item);
    GT_REQUIRE(flags);
    gt_enter(&call, gt_item_db(item), error);
    goat_status status = gt_item_look(item, &sight, call.diag);
    if (status == GOAT_OK) *flags = sight.flags;
    if (status == GOAT_NOT_FOUND) { /* an answer here, not a failure */
        *flags = GOAT_ITEM_WITHDRAWN;
        status = GOAT_OK;
    }
    return gt_leave(&call, status);
}

goat_status goat_item_check(goat_item *item, goat_error **error) {
    gt_call call;
    GT_REQUIRE(item);
    gt_enter(&call, gt_item_db(item), error);
    return gt_leave(&call, gt_item_check(item, call.diag));
}

/* ---- the whole item ---- */

/* The fields as a reader sees them. `own` is memory for them where they are not the stored bytes themselves. */
static goat_status read_fields(goat_item *item, gt_sight *sight, gt_buf *own, gt_bytes *fields, gt_diag *diag) {
    gt_buf state;
    gt_buf_init(&state, &gt_alloc_system);
    goat_status status = gt_item_look(item, sight, diag);
    *fields = sight->base;
    if (status == GOAT_OK && sight->work != NULL) {
        status = gt_item_state_with_edits(item, &state, sight, diag);
        *fields = gt_buf_bytes(&state);
    }
    if (status == GOAT_OK && (sight->work != NULL || !gt_schema_is_whole(sight->schema, *fields))) {
        gt_schema_read(sight->schema, *fields, own);
        if (gt_buf_failed(own)) status = gt_no_memory(diag);
        *fields = gt_buf_bytes(own);
    }
    gt_buf_free(&state);
    return status;
}

goat_status goat_item_read(goat_item *item, goat_buf *value, uint32_t *revision, goat_error **error) {
    gt_call call;
    gt_sight sight = {0};
    gt_bytes fields;
    if (revision != NULL) *revision = 0;
    GT_REQUIRE(item);
    gt_enter(&call, gt_item_db(item), error);
    goat_status status;
    if (value == NULL) {
        status = gt_item_look(item, &sight, call.diag);
    } else {
        gt_buf own = gt_lend(value);
        status = read_fields(item, &sight, &own, &fields, call.diag);
        bool is_own = own.data != NULL && fields.data == own.data;
        status = gt_give_back(value, &own, status, call.diag);
        if (status == GOAT_OK && !is_own) status = gt_put(value, fields, call.diag);
    }
    if (status == GOAT_OK && revision != NULL) *revision = sight.revision;
    return gt_leave(&call, status);
}

goat_status goat_item_read_json(goat_item *item, goat_buf *json, uint32_t *revision, goat_error **error) {
    gt_call call;
    gt_sight sight = {0};
    gt_bytes fields;
    gt_buf own;
    if (revision != NULL) *revision = 0;
    GT_REQUIRE(item);
    GT_REQUIRE(json);
    gt_enter(&call, gt_item_db(item), error);
    gt_buf_init(&own, &gt_alloc_system);
    gt_buf out = gt_lend(json);
    goat_status status = read_fields(item, &sight, &own, &fields, call.diag);
    if (status == GOAT_OK) status = gt_schema_to_json_text(sight.schema, fields, &out, call.diag);
    gt_buf_free(&own);
    status = gt_give_back(json, &out, status, call.diag);
    if (status == GOAT_OK && revision != NULL) *revision = sight.revision;
    return gt_leave(&call, status);
}

goat_status goat_item_commits(goat_item *item, const uint8_t *before, size_t before_len, uint32_t limit,
                              goat_buf *commits, goat_error **error) {
    gt_call call;
    GT_REQUIRE(item);
    GT_REQUIRE(commits);
    if (before != NULL && before_len != GT_ID_SIZE) return gt_misuse(error, "before is not an id of 32 bytes");
    gt_enter(&call, gt_item_db(item), error);
    gt_buf out = gt_lend(commits);
    goat_status status = gt_item_commits(item, gt_bytes_of(before, before_len), limit, &out, call.diag);
    return gt_leave(&call, gt_give_back(commits, &out, status, call.diag));
}

goat_status goat_item_find_commit(goat_item *item, const char *digits, size_t digits_len, goat_buf *id,
                                  goat_error **error) {
    gt_call call;
    GT_REQUIRE(item);
    GT_REQUIRE(digits);
    GT_REQUIRE(id);
    gt_enter(&call, gt_item_db(item), error);
    gt_buf out = gt_lend(id);
    goat_status status = gt_item_find_commit(item, gt_bytes_of(digits, digits_len), &out, call.diag);
    return gt_leave(&call, gt_give_back(id, &out, status, call.diag));
}

goat_status goat_item_explain(goat_item *item, const char *field, size_t field_len, const uint8_t *at, size_t at_len,
                              uint32_t limit, goat_buf *explanation, goat_error **error) {
    gt_call call;
    GT_REQUIRE(item);
    GT_REQUIRE(explanation);
    if (at != NULL && (at_len == 0 || at_len % GT_ID_SIZE != 0)) {
        return gt_misuse(error, "at is not one or more ids of 32 bytes");
    }
    gt_enter(&call, gt_item_db(item), error);
    gt_buf out = gt_lend(explanation);
    goat_status status =
        gt_item_explain(item, gt_bytes_of(field, field_len), gt_bytes_of(at, at_len), limit, &out, call.diag);
    return gt_leave(&call, gt_give_back(explanation, &out, status, call.diag));
}
