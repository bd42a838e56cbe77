/* What a repository misses: what parked frames wait for, and batches that are only named. */
#include "repo/tables.h"

/* Places of a cursor: first rows of batches, from 0 on; then frames of the buckets, from BUCKETS on. */
#define BUCKETS (UINT64_C(1) << 32)

static uint32_t name_batches(const gt_repo *repo, uint64_t *cursor, gt_id *ids, uint32_t max) {
    uint32_t count = 0;
    for (; count < max && *cursor < repo->batches.count; ++*cursor) {
        const gt_batch_row *row = gt_batch_at(repo, (uint32_t)*cursor);
        if ((row->flags & (GT_BATCH_STUB | GT_BATCH_LOST)) != 0) ids[count++] = row->id;
    }
    if (*cursor >= repo->batches.count) *cursor = BUCKETS;
    return count;
}

static bool was_named(const gt_parked *first, const gt_parked *parked) {
    while (first != parked && gt_id_compare(&first->waits_for, &parked->waits_for) != 0) first = first->next;
    return first != parked;
}

/* The ids of whole buckets, each once; of a bucket that is too full for `max` the rest is named another time. */
static uint32_t name_parked(const gt_repo *repo, uint64_t *cursor, gt_id *ids, uint32_t max) {
    uint32_t count = 0, bucket = (uint32_t)(*cursor - BUCKETS);
    for (; repo->parked_count > 0 && count < max && bucket < GT_BUCKETS; bucket++) {
        const gt_parked *first = repo->parked[bucket];
        for (const gt_parked *parked = first; parked != NULL && count < max; parked = parked->next) {
            if (!was_named(first, parked)) ids[count++] = parked->waits_for;
        }
    }
    *cursor = BUCKETS + bucket;
    return count;
}

uint32_t gt_repo_missing(gt_repo *repo, uint64_t *cursor, gt_id *ids, uint32_t max) {
    uint32_t count = 0;
    if (*cursor < BUCKETS) count = name_batches(repo, cursor, ids, max);
    if (count < max && *cursor >= BUCKETS) count += name_parked(repo, cursor, ids + count, max - count);
    return count;
}

bool gt_repo_has_gaps(const gt_repo *repo) { return repo->faults > 0 || gt_log_has_holes(repo->log); }

goat_status gt_repo_set_damage_aside(gt_repo *repo, gt_diag *diag) { return gt_repo_check_open(repo, diag); }
