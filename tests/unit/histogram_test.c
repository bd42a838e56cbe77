/* base/histogram.h: where a time falls. */
#include "base/histogram.h"

#include "support/test.h"

static void a_time_falls_into_the_first_step_that_holds_it(void **state) {
    (void)state;
    for (int i = 0; i < GT_HISTOGRAM_BOUNDS; i++) {
        gt_histogram histogram = {{0}, 0};
        uint32_t bound = gt_histogram_bounds_us[i];
        assert_true(i == 0 || bound > gt_histogram_bounds_us[i - 1]);
        gt_histogram_add(&histogram, bound);
        assert_int_equal(histogram.counts[i], 1);
        gt_histogram_add(&histogram, bound + 1);
        assert_int_equal(histogram.counts[i + 1], 1);
        assert_int_equal(histogram.sum_us, 2 * (uint64_t)bound + 1);
    }
}

static void no_time_is_too_short_or_too_long(void **state) {
    (void)state;
    gt_histogram histogram = {{0}, 0};
    gt_histogram_add(&histogram, 0);
    gt_histogram_add(&histogram, UINT64_C(1) << 60);
    assert_int_equal(histogram.counts[0], 1);
    assert_int_equal(histogram.counts[GT_HISTOGRAM_BOUNDS], 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_falls_into_the_first_step_that_holds_it),
        cmocka_unit_test(no_time_is_too_short_or_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
