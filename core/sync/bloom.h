/* The Bloom filter of PROTOCOL.md 7.3. */
#ifndef GT_SYNC_FILTER_H
#define GT_SYNC_FILTER_H

#include "sync/message.h"

typedef struct gt_filter {
    const gt_alloc *alloc;
    uint8_t salt[GT_SYNC_SALT_SIZE];
    uint64_t bits;
    uint32_t hashes;
    uint8_t *bytes; /* bits / 8 */
} gt_filter;

/* An empty filter sized for `elements`. GOAT_NO_MEMORY, GOAT_IO without randomness. */
goat_status gt_filter_init(gt_filter *filter, const gt_alloc *alloc, goat_random random, uint64_t elements,
                           gt_diag *diag);
void gt_filter_free(gt_filter *filter);
void gt_filter_add(gt_filter *filter, const gt_id *id);
gt_filter_part gt_filter_part_of(const gt_filter *filter);

/* Whether a filter that was received may hold `id`; false: it surely does not. */
bool gt_filter_may_hold(const gt_filter_part *filter, const gt_id *id);

#endif
