/* Values and JSON without any database. */
#include "abi.h"

#include "value/json.h"

goat_status goat_value_from_json(const char *json, size_t json_len, goat_buf *value, goat_error **error) {
    GT_REQUIRE(json);
    GT_REQUIRE(value);
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf out = gt_lend(value);
    goat_status status = gt_value_from_json_text(gt_bytes_of(json, json_len), &out, &diag);
    return gt_result(error, gt_give_back(value, &out, status, &diag), &diag);
}

goat_status goat_value_to_json(const uint8_t *value, size_t value_len, goat_buf *json, goat_error **error) {
    GT_REQUIRE(value);
    GT_REQUIRE(json);
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf out = gt_lend(json);
    goat_status status = gt_value_check(gt_bytes_of(value, value_len), 0, &diag);
    if (status == GOAT_OK) status = gt_value_to_json_text(gt_bytes_of(value, value_len), &out, &diag);
    return gt_result(error, gt_give_back(json, &out, status, &diag), &diag);
}
