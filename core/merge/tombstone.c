/* Deletion: the item is deleted if some deletion has seen every edit there is. An edit beside it or after
 * it clears it; so does any edit after a base that is deleted.
 *
 * Only the edits that no other edit has seen need be looked for, and only in deletions that come after
 * all of them in the order of the steps. */
#include "merge/replay.h"

/* Fills `latest` with the edits that no other edit has seen; gives their number. A step stands behind its
 * parents, so one walk downwards is enough. */
static uint32_t find_latest(const gt_replay *replay, const uint8_t *acts, uint8_t *seen, uint32_t *latest) {
    uint32_t count = 0;
    for (uint32_t step = replay->step_count; step-- > 0;) {
        const gt_step *at = &replay->steps[step];
        bool is_edit = (acts[step] & GT_STEP_EDITS) != 0;
        if (is_edit && !seen[step]) {
            latest[count++] = step;
        }
        if (is_edit || seen[step]) {
            for (uint32_t i = 0; i < at->parent_count; i++) {
                seen[at->parents[i]] = 1;
            }
        }
    }
    return count;
}

/* Whether the deletion in `step` has seen all of `edits`. `*failed`: there was no memory. */
static bool has_seen_all(gt_past *past, uint32_t step, const uint32_t *edits, uint32_t count, bool *failed) {
    gt_past_clear(past);
    if (!gt_past_add(past, step)) {
        *failed = true;
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (!gt_past_has(past, edits[i])) {
            return false;
        }
    }
    return true;
}

goat_status gt_tombstone_replay(gt_replay *replay, bool base_deleted, const uint8_t *acts, bool *deleted) {
    uint32_t last_edit = UINT32_MAX, last_deletion = UINT32_MAX;
    for (uint32_t step = 0; step < replay->step_count; step++) {
        last_edit = (acts[step] & GT_STEP_EDITS) != 0 ? step : last_edit;
        last_deletion = (acts[step] & GT_STEP_DELETES) != 0 ? step : last_deletion;
    }
    if (last_edit == UINT32_MAX) {
        *deleted = base_deleted || last_deletion != UINT32_MAX;
        return GOAT_OK;
    }
    *deleted = false;
    if (last_deletion == UINT32_MAX || last_deletion < last_edit) {
        return GOAT_OK;
    }
    uint8_t *seen = gt_arena_new(&replay->arena, replay->step_count, 1);
    uint32_t *latest = gt_arena_new(&replay->arena, replay->step_count, sizeof *latest);
    if (seen == NULL || latest == NULL) {
        return gt_no_memory(replay->diag);
    }
    uint32_t count = find_latest(replay, acts, seen, latest);
    bool failed = false;
    gt_past past;
    gt_past_init(&past, &replay->ancestry);
    for (uint32_t step = last_deletion; step > last_edit && !*deleted && !failed; step--) {
        if ((acts[step] & GT_STEP_DELETES) != 0) {
            *deleted = has_seen_all(&past, step, latest, count, &failed);
        }
    }
    return failed ? gt_no_memory(replay->diag) : GOAT_OK;
}
