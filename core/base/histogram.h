/* How long things took, in a few steps between 50 µs and 10 s. Plain numbers, so that two add up by adding each. */
#ifndef GT_BASE_HISTOGRAM_H
#define GT_BASE_HISTOGRAM_H

#include <stdint.h>

enum { GT_HISTOGRAM_BOUNDS = 16 };

typedef struct gt_histogram {
    uint64_t counts[GT_HISTOGRAM_BOUNDS + 1]; /* up to each bound, and beyond the last */
    uint64_t sum_us;
} gt_histogram;

extern const uint32_t gt_histogram_bounds_us[GT_HISTOGRAM_BOUNDS]; /* ascending; each belongs to its step */

void gt_histogram_add(gt_histogram *histogram, uint64_t us);

#endif
