/* Counters: the sum of all increments that nobody has unset, modulo 2^64. What is in the base counts as
 * one increment that everybody has seen. */
#include "merge/type.h"

static int64_t number(gt_bytes value) {
    int64_t result = 0;
    if (value.data != NULL) {
        gt_value_as_int64(value, &result);
    }
    return result;
}

/* Modulo 2^64: unsigned, because signed overflow is undefined. */
static int64_t add(int64_t a, int64_t b) {
    uint64_t sum = (uint64_t)a + (uint64_t)b;
    int64_t result;
    memcpy(&result, &sum, sizeof result);
    return result;
}

static int64_t subtract(int64_t a, int64_t b) {
    uint64_t difference = (uint64_t)a - (uint64_t)b;
    int64_t result;
    memcpy(&result, &difference, sizeof result);
    return result;
}

static goat_status check_edit(const gt_field *field, gt_bytes edit, bool fully, gt_diag *diag) {
    (void)fully;
    return gt_value_kind(edit) == GT_KIND_INT ? GOAT_OK : gt_edit_refuse(field, "is not an integer", diag);
}

static void diff(gt_bytes base, gt_bytes value, gt_buf *edit) {
    gt_write_int(edit, subtract(number(value), number(base)));
}

static void compose(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    int64_t sum = gt_edit_is_unset(first) ? subtract(number(second), number(base)) : add(number(first), number(second));
    if (sum != 0 || base.data == NULL) {
        gt_write_int(edit, sum);
    }
}

static void apply(gt_bytes base, gt_bytes edit, gt_buf *value) { gt_write_int(value, add(number(base), number(edit))); }

static goat_status replay_edits(gt_replay *replay, const gt_field_history *history, gt_buf *value) {
    gt_past unset_past;
    bool any_unset, is_there;
    int64_t sum;
    if (!gt_field_unset_past(replay, history, &unset_past, &any_unset)) {
        return gt_no_memory(replay->diag);
    }
    is_there = history->base.data != NULL && !any_unset;
    sum = is_there ? number(history->base) : 0;
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        if (!gt_edit_is_void(replay, edit) && !gt_edit_is_unset(edit->edit) && !gt_past_has(&unset_past, edit->step)) {
            is_there = true;
            sum = add(sum, number(edit->edit));
        }
    }
    if (is_there) {
        gt_write_int(value, sum);
    }
    return GOAT_OK;
}

const gt_merge_type gt_merge_counter = {check_edit, diff, compose, apply, replay_edits};
