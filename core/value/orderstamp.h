/* Order stamps: texts that say where something stands in a list. They sort by their bytes, between any two there is room
 * for more, and two that are made at one place by peers that know nothing of each other differ: each ends in 64 random
 * bits. FORMAT.md section 10 has the form of a stamp, README.md what was learned from others and how long stamps become.
 *
 * Nothing here keeps a state. Randomness comes from the host, through the caller. */
#ifndef GT_VALUE_ORDERSTAMP_H
#define GT_VALUE_ORDERSTAMP_H

#include "base/buf.h"
#include "base/status.h"
#include "goat_port.h"

enum {
    GT_ORDERSTAMP_MAX = 255,                  /* bytes of one stamp */
    GT_ORDERSTAMP_COUNT_MAX = GOAT_BATCH_MAX, /* stamps that are made at once */
};

/* What is wrong with a text that should be a stamp, as words for a message that go on after "it"; NULL if nothing.
 * `*position` (may be NULL) becomes the offset of the first wrong byte. */
const char *gt_orderstamp_fault(gt_bytes stamp, size_t *position);

/* Appends an array of `count` stamps in order, all of them after `before` and before `after`. `before` without bytes
 * stands for the beginning of every list, `after` without bytes for the end. Where there is room on both sides they are
 * spread evenly.
 *
 * GOAT_OK; GOAT_INVALID, with a position where one of the two is no stamp, and without where `before` does not come
 * before `after`; GOAT_TOO_LARGE where `count` or what would become of the stamps is beyond the limits; GOAT_IO without
 * randomness. `out` is as before when it fails. */
goat_status gt_orderstamp_between(gt_bytes before, gt_bytes after, uint32_t count, const goat_random *random,
                                  gt_buf *out, gt_diag *diag);

/* One stamp before `first`, the first of a list; without bytes: the list is empty. */
static inline goat_status gt_orderstamp_start(gt_bytes first, const goat_random *random, gt_buf *out, gt_diag *diag) {
    return gt_orderstamp_between(gt_bytes_of(NULL, 0), first, 1, random, out, diag);
}

/* One stamp after `last`, the last of a list; without bytes: the list is empty. */
static inline goat_status gt_orderstamp_end(gt_bytes last, const goat_random *random, gt_buf *out, gt_diag *diag) {
    return gt_orderstamp_between(last, gt_bytes_of(NULL, 0), 1, random, out, diag);
}

#endif
