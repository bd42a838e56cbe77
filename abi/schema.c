/* Schemas of a database. */
#include "abi.h"

goat_status goat_db_add_schema(goat_db *db, const char *json, size_t json_len, goat_error **error) {
    gt_call call;
    GT_REQUIRE(db);
    GT_REQUIRE(json);
    gt_enter(&call, db, error);
    return gt_leave(&call, gt_db_add_schema(db, gt_bytes_of(json, json_len), call.diag));
}

goat_status goat_db_on_upgrade(goat_db *db, const char *name, size_t name_len, goat_upgrade_fn call, void *userdata,
                               goat_free_fn free_userdata, goat_error **error) {
    gt_call entered;
    goat_status status = GOAT_MISUSE;
    if (db != NULL && name != NULL && name_len > 0 && name_len <= GOAT_FIELD_NAME_MAX) {
        gt_enter(&entered, db, error);
        status = gt_db_check(db, NULL) == GOAT_CLOSED ? gt_db_check(db, entered.diag) : GOAT_OK;
        if (status == GOAT_OK) {
            status = gt_db_on_upgrade(db, gt_bytes_of(name, name_len), call, userdata, free_userdata, entered.diag);
        }
        status = gt_leave(&entered, status);
    } else {
        status = gt_misuse(error, db == NULL ? "db is NULL" : "name is none");
    }
    if (status != GOAT_OK && free_userdata != NULL) free_userdata(userdata);
    return status;
}

goat_status goat_db_schemas(goat_db *db, goat_buf *schemas, goat_error **error) {
    gt_call call;
    GT_REQUIRE(db);
    GT_REQUIRE(schemas);
    gt_enter(&call, db, error);
    gt_buf out = gt_lend(schemas);
    goat_status status = gt_db_check(db, call.diag);
    if (status == GOAT_OK) gt_db_schemas(db, &out);
    return gt_leave(&call, gt_give_back(schemas, &out, status, call.diag));
}

goat_status goat_db_check_schema(goat_db *db, const char *json, size_t json_len, goat_buf *changes,
                                 goat_error **error) {
    gt_call call;
    GT_REQUIRE(db);
    GT_REQUIRE(json);
    GT_REQUIRE(changes);
    gt_enter(&call, db, error);
    gt_buf out = gt_lend(changes);
    goat_status status = gt_db_check_schema(db, gt_bytes_of(json, json_len), &out, call.diag);
    return gt_leave(&call, gt_give_back(changes, &out, status, call.diag));
}

goat_status goat_db_schema_changes(goat_db *db, const char *ns, size_t ns_len, uint32_t from, uint32_t to,
                                   goat_buf *changes, goat_error **error) {
    gt_call call;
    GT_REQUIRE(db);
    GT_REQUIRE(ns);
    GT_REQUIRE(changes);
    gt_enter(&call, db, error);
    gt_buf out = gt_lend(changes);
    goat_status status = gt_db_schema_changes(db, gt_bytes_of(ns, ns_len), from, to, &out, call.diag);
    return gt_leave(&call, gt_give_back(changes, &out, status, call.diag));
}

goat_status goat_db_retire_schema(goat_db *db, const char *ns, size_t ns_len, uint32_t version, bool retired,
                                  goat_error **error) {
    gt_call call;
    GT_REQUIRE(db);
    GT_REQUIRE(ns);
    gt_enter(&call, db, error);
    return gt_leave(&call, gt_db_retire_schema(db, gt_bytes_of(ns, ns_len), version, retired, call.diag));
}
