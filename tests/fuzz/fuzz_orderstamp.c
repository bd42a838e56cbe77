/* Order stamps: two texts with a line feed between them, the first byte says how many go between. What is made is in its
 * place, and good enough for making more. */
#include "base/assert.h"
#include "port/sim/sim.h"
#include "value/orderstamp.h"
#include "value/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_place(gt_bytes stamp) { return stamp.len == 0 || gt_orderstamp_fault(stamp, NULL) == NULL; }

static void check_made(gt_bytes before, gt_bytes after, gt_bytes array, uint32_t count) {
    gt_bytes element, text, last = before;
    GOAT_ASSERT(gt_value_check(array, 0, NULL) == GOAT_OK);
    GOAT_ASSERT(gt_value_count(array) == count);
    for (gt_iter iter = gt_array_iter(array); gt_array_next(&iter, &element); last = text) {
        GOAT_ASSERT(gt_value_as_text(element, &text));
        GOAT_ASSERT(gt_orderstamp_fault(text, NULL) == NULL);
        GOAT_ASSERT(gt_bytes_compare(last, text) < 0);
    }
    GOAT_ASSERT(count == 0 || after.len == 0 || gt_bytes_compare(last, after) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) return 0;
    const uint8_t *feed = memchr(data + 1, '\n', size - 1);
    size_t len = feed == NULL ? size - 1 : (size_t)(feed - data - 1);
    gt_bytes before = gt_bytes_of(data + 1, len), after = gt_bytes_of(data + 1 + len, 0);
    if (feed != NULL) after = gt_bytes_of(feed + 1, size - len - 2);
    gt_sim_random random;
    gt_sim_random_init(&random, size);
    goat_random source = gt_sim_random_source(&random);
    gt_buf out;
    gt_diag diag;
    gt_buf_init(&out, &gt_alloc_system);
    gt_diag_init(&diag);
    uint32_t count = data[0];
    goat_status status = gt_orderstamp_between(before, after, count, &source, &out, &diag);
    bool good = is_place(before) && is_place(after) &&
                (before.len == 0 || after.len == 0 || gt_bytes_compare(before, after) < 0);
    GOAT_ASSERT(good == (status != GOAT_INVALID));
    GOAT_ASSERT(diag.position == GT_NO_POSITION || diag.position <= size);
    if (status == GOAT_OK) check_made(before, after, gt_buf_bytes(&out), count);
    gt_buf_free(&out);
    return 0;
}
