#include "db/new_key.h"

goat_status gt_new_key_check(gt_bytes key, gt_diag *diag) {
    for (size_t i = 1; i < key.len; i++) { /* a key is well-formed UTF-8, so these two bytes are that character */
        if (key.data[i - 1] == 0xc2 && key.data[i] < 0xa0) {
            return gt_fail(diag, GOAT_INVALID, "an item's key holds no control characters");
        }
    }
    return GOAT_OK;
}
