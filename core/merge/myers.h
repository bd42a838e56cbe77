/* The shortest edit between two sequences of numbers (Myers 1986), in linear space. */
#ifndef GT_MERGE_MYERS_H
#define GT_MERGE_MYERS_H

#include "base/alloc.h"

/* Marks what of `a` is removed and what of `b` is inserted; both are zeroed by the caller. Where more than `edits_max` would
 * be needed, all that is not common at the ends of a stretch is marked. False when there is no memory. */
bool gt_myers(const gt_alloc *alloc, const uint32_t *a, uint32_t a_count, const uint32_t *b, uint32_t b_count,
              uint32_t edits_max, uint8_t *removed, uint8_t *inserted);

#endif
