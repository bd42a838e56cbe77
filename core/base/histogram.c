/* Few steps: a search from the front is as good as any. */
#include "base/histogram.h"

#include <stddef.h>

const uint32_t gt_histogram_bounds_us[GT_HISTOGRAM_BOUNDS] = {
    50, 100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 500000, 1000000, 2500000, 10000000};

void gt_histogram_add(gt_histogram *histogram, uint64_t us) {
    size_t i = 0;
    while (i < GT_HISTOGRAM_BOUNDS && us > gt_histogram_bounds_us[i]) i++;
    histogram->counts[i]++;
    histogram->sum_us += us;
}
