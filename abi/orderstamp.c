/* Order stamps. A database is asked for nothing but its randomness. */
#include "abi.h"

#include "value/orderstamp.h"

goat_status goat_orderstamp_between(goat_db *db, const char *before, size_t before_len, const char *after,
                                    size_t after_len, uint32_t count, goat_buf *stamps, goat_error **error) {
    gt_call call;
    GT_REQUIRE(db);
    GT_REQUIRE_RUN(before, before_len);
    GT_REQUIRE_RUN(after, after_len);
    GT_REQUIRE(stamps);
    gt_enter(&call, db, error);
    gt_buf out = gt_lend(stamps);
    goat_status status = gt_db_check(db, call.diag);
    if (status == GOAT_OK) {
        goat_random random = gt_db_random(db);
        status = gt_orderstamp_between(gt_bytes_of(before, before_len), gt_bytes_of(after, after_len), count, &random,
                                       &out, call.diag);
    }
    return gt_leave(&call, gt_give_back(stamps, &out, status, call.diag));
}
