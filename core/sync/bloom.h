/* The Bloom filter of PROTOCOL.md 7.3. */
#ifndef GT_SYNC_BLOOM_H
#define GT_SYNC_BLOOM_H

#include "sync/message.h"

typedef struct gt_bloom {
    const gt_alloc *alloc;
    uint8_t salt[GT_SYNC_SALT_SIZE];
    uint64_t bits;
    uint32_t hashes;
    uint8_t *bytes; /* bits / 8 */
} gt_bloom;

/* An empty filter sized for `elements`. GOAT_NO_MEMORY, GOAT_IO without randomness. */
goat_status gt_bloom_init(gt_bloom *filter, const gt_alloc *alloc, goat_random random, uint64_t elements,
                          gt_diag *diag);
void gt_bloom_free(gt_bloom *filter);
void gt_bloom_add(gt_bloom *filter, const gt_id *id);
gt_bloom_part gt_bloom_part_of(const gt_bloom *filter);

/* A copy of one that was received, in memory of its own. False when there is none. */
bool gt_bloom_part_copy(const gt_alloc *alloc, const gt_bloom_part *filter, gt_bloom_part *copy);
void gt_bloom_part_free(const gt_alloc *alloc, gt_bloom_part *copy); /* none is left */

/* Whether a filter that was received may hold `id`; false: it surely does not. */
bool gt_bloom_may_hold(const gt_bloom_part *filter, const gt_id *id);

#endif
