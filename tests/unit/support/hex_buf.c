#include "support/hex_buf.h"

#include "support/test.h"

static int digit(char c) {
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void hex_append(gt_buf *out, const char *hex) {
    int high = -1;
    for (; *hex != '\0'; hex++) {
        if (*hex == ' ') {
            continue;
        }
        int low = digit(*hex);
        assert_true(low >= 0);
        if (high < 0) {
            high = low;
        } else {
            gt_buf_append_byte(out, (uint8_t)(high << 4 | low));
            high = -1;
        }
    }
    assert_int_equal(high, -1);
}

gt_buf hex_buf(const char *hex) {
    gt_buf buf;
    gt_buf_init(&buf, &gt_alloc_system);
    hex_append(&buf, hex);
    assert_false(gt_buf_failed(&buf));
    return buf;
}
