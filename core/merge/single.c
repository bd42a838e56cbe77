/* Fields of one value: string, number, boolean, date, bytes, ref, orderstamp. The later write wins, or either of those that
 * have not seen each other; unsetting is a write too. */
#include "merge/type.h"

static goat_status check_edit(const gt_field *field, gt_bytes edit, bool fully, gt_diag *diag) {
    if (gt_schema_check_type(field, edit, NULL) != GOAT_OK) {
        return gt_edit_refuse(field, "is not a value of its type", diag);
    }
    if (fully && !gt_edit_is_plain(edit)) {
        return gt_edit_refuse(field, "holds what a value cannot", diag);
    }
    return GOAT_OK;
}

static void diff(gt_bytes base, gt_bytes value, gt_buf *edit) {
    (void)base;
    gt_buf_append(edit, value.data, value.len);
}

static void compose(gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit) {
    (void)first;
    if (base.data == NULL || !gt_value_equal(base, second)) {
        gt_buf_append(edit, second.data, second.len);
    }
}

static void apply(gt_bytes base, gt_bytes edit, gt_buf *value) {
    (void)base;
    gt_buf_append(value, edit.data, edit.len);
}

/* The latest; or, of those that no other has seen, the one with the greatest id. NULL: nothing was written. False when there
 * is no memory. */
static bool choose(gt_replay *replay, const gt_field_history *history, const gt_field_edit **chosen) {
    bool is_either = history->field->merge == GT_STRATEGY_EITHER;
    gt_past seen;
    gt_past_init(&seen, &replay->ancestry);
    for (uint32_t i = 0; is_either && i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        if (!gt_edit_is_void(replay, edit) && !gt_past_add(&seen, edit->step)) return false;
    }
    *chosen = NULL;
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        if (gt_edit_is_void(replay, edit) || (is_either && gt_past_has(&seen, edit->step))) continue;
        if (*chosen == NULL || gt_step_wins(replay, history->field, edit->step, (*chosen)->step)) *chosen = edit;
    }
    return true;
}

static goat_status replay_edits(gt_replay *replay, const gt_field_history *history, gt_buf *value) {
    const gt_field_edit *chosen;
    if (!choose(replay, history, &chosen)) return gt_no_memory(replay->diag);
    gt_bytes winner = chosen == NULL ? history->base : chosen->edit;
    if (winner.data != NULL && !gt_edit_is_unset(winner)) {
        gt_buf_append(value, winner.data, winner.len);
    }
    return GOAT_OK;
}

const gt_merge_type gt_merge_single = {check_edit, diff, compose, apply, replay_edits};
