#include "support/test_schema.h"

#include "support/test.h"
#include "value/json.h"

goat_status test_schema_parse(const gt_alloc *alloc, const char *json, gt_schema **schema, gt_diag *diag) {
    gt_buf definition;
    gt_hasher *hasher = NULL;
    gt_buf_init(&definition, &gt_alloc_system);
    gt_diag_init(diag);
    assert_int_equal(gt_hasher_new(&gt_alloc_system, &hasher, NULL), GOAT_OK);
    assert_int_equal(gt_value_from_json_text(gt_bytes_text(json), &definition, diag), GOAT_OK);
    goat_status status = gt_schema_parse(alloc, hasher, gt_buf_bytes(&definition), schema, diag);
    gt_buf_free(&definition);
    gt_hasher_free(hasher);
    return status;
}

gt_schema *test_schema(const char *json) {
    gt_schema *schema = NULL;
    gt_diag diag;
    if (test_schema_parse(&gt_alloc_system, json, &schema, &diag) != GOAT_OK) {
        fail_msg("%s", diag.message);
    }
    return schema;
}
