/* Single values: the write that stands, and those that it took the place of. In an object that somebody unset, what he had
 * seen is as if it had never been written. */
#include "merge/explainer.h"

/* With `either`, a write that another has seen is out of the question, and so one that does not stand may still have kept an
 * older one from winning, which has a greater id. */
static bool superseded_any(gt_explainer *e, gt_past *past, uint32_t loser, uint32_t winner) {
    const gt_field_history *history = &e->history;
    gt_past_clear(past);
    if (!gt_past_add(past, loser)) return false;
    for (uint32_t i = 0; i < history->count && gt_explainer_may(e); i++) {
        uint32_t step = history->edits[i].step;
        if (step >= loser) break;
        e->probes++;
        if (!gt_edit_is_void(&e->replay, &history->edits[i]) && gt_past_has(past, step) &&
            gt_step_wins(&e->replay, history->field, step, winner)) {
            return true;
        }
    }
    return false;
}

/* The write that stands, if any; marks those that no other has seen. */
static bool find_winner(gt_explainer *e, uint8_t *unseen, uint32_t *winner) {
    const gt_field_history *history = &e->history;
    bool is_either = history->field->merge == GT_STRATEGY_EITHER;
    gt_past seen;
    gt_past_init(&seen, &e->replay.ancestry);
    *winner = NOBODY;
    for (uint32_t i = 0; is_either && i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        if (!gt_edit_is_void(&e->replay, edit) && !gt_past_add(&seen, edit->step)) return false;
    }
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        if (gt_edit_is_void(&e->replay, edit) || (is_either && gt_past_has(&seen, edit->step))) continue;
        unseen[i] = is_either;
        if (*winner == NOBODY || gt_step_wins(&e->replay, history->field, edit->step, *winner)) *winner = edit->step;
    }
    return true;
}

bool gt_explain_single(gt_explainer *e) {
    const gt_field_history *history = &e->history;
    uint32_t winner;
    uint8_t *unseen = gt_arena_new(&e->replay.arena, history->count, 1);
    gt_past past;
    gt_past_init(&past, &e->replay.ancestry);
    if (unseen == NULL || !find_winner(e, unseen, &winner)) return false;
    for (uint32_t i = 0; i < history->count; i++) {
        gt_verdict *verdict = &e->out->verdicts[i];
        gt_part *parts = gt_verdict_parts(e, verdict, 2);
        if (parts == NULL) return false;
        parts[verdict->part_count++] = (gt_part){
            .what = gt_edit_is_unset(history->edits[i].edit) ? "unset" : "written",
            .count = 1,
            .stands = verdict->step == winner,
        };
        if (winner == NOBODY || verdict->step == winner) continue;
        gt_verdict_by(verdict, winner);
        if (unseen[i] && superseded_any(e, &past, verdict->step, winner)) {
            parts[verdict->part_count++] = (gt_part){.what = "superseded", .count = 1, .stands = 1};
        }
    }
    e->out->base = history->base.data == NULL ? GT_EFFECT_NONE
                   : winner == NOBODY         ? GT_EFFECT_KEPT
                                              : GT_EFFECT_OVERRIDDEN;
    return true;
}

/* ---- single values in objects that were unset ---- */

/* What an unset of the object has seen is as if it had never been; of what it has not seen it says nothing. */
typedef struct inside {
    gt_field_history all;
    gt_verdict *verdicts;
    gt_field_edit *live; /* edits that count as those of any field */
    uint32_t *live_at, live_count;
    uint32_t *gone, *gone_at, *unsets, *unsets_at;
    gt_removals removals;
} inside;

static bool begin_inside(gt_explainer *e, inside *in) {
    gt_arena *arena = &e->replay.arena;
    uint32_t count = e->history.count;
    gt_past seen;
    *in = (inside){.all = e->history, .verdicts = e->out->verdicts};
    uint32_t *numbers = gt_arena_new(arena, 6 * ((size_t)count + 1), sizeof(*numbers));
    in->live = gt_arena_new(arena, (size_t)count + 1, sizeof(*in->live));
    in->removals.removed_any = gt_arena_new(arena, (size_t)count + 1, sizeof(*in->removals.removed_any));
    if (numbers == NULL || in->live == NULL || in->removals.removed_any == NULL) return false;
    uint32_t **const lists[] = {&in->live_at, &in->gone,      &in->gone_at,
                                &in->unsets,  &in->unsets_at, &in->removals.removed_by};
    for (size_t i = 0; i < 6; i++) *lists[i] = numbers + i * ((size_t)count + 1);
    gt_past_init(&seen, &e->replay.ancestry);
    for (uint32_t i = 0; i < count; i++) {
        bool counts = e->above[i] && !gt_edit_is_void(&e->replay, &in->all.edits[i]);
        if (counts && !gt_past_add(&seen, in->all.edits[i].step)) return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        const gt_field_edit *edit = &in->all.edits[i];
        bool is_void = gt_edit_is_void(&e->replay, edit);
        if (!is_void && e->above[i]) {
            in->unsets_at[in->removals.remover_count] = i;
            in->unsets[in->removals.remover_count++] = edit->step;
        } else if (!is_void && gt_past_has(&seen, edit->step)) {
            in->gone_at[in->removals.adder_count] = i;
            in->gone[in->removals.adder_count++] = edit->step;
        } else {
            in->live_at[in->live_count] = i;
            in->live[in->live_count++] = *edit;
        }
    }
    in->removals.adders = in->gone;
    in->removals.removers = in->unsets;
    return true;
}

/* The others are explained as if these were all there are. */
static bool explain_live(gt_explainer *e, const inside *in) {
    gt_verdict *verdicts = gt_arena_new(&e->replay.arena, (size_t)in->live_count + 1, sizeof(*verdicts));
    if (verdicts == NULL) return false;
    for (uint32_t i = 0; i < in->live_count; i++) verdicts[i].step = in->live[i].step;
    e->history.edits = in->live;
    e->history.count = in->live_count;
    if (in->removals.remover_count > 0) e->history.base = gt_bytes_of(NULL, 0);
    e->out->verdicts = verdicts;
    bool good = gt_explain_single(e);
    for (uint32_t i = 0; i < in->live_count; i++) in->verdicts[in->live_at[i]] = verdicts[i];
    e->out->verdicts = in->verdicts;
    e->history = in->all;
    return good;
}

bool gt_explain_single_inside(gt_explainer *e) {
    inside in;
    gt_past past;
    gt_past_init(&past, &e->replay.ancestry);
    if (!begin_inside(e, &in) || !explain_live(e, &in) || !gt_explainer_match(e, &past, &in.removals)) return false;
    for (uint32_t i = 0; i < in.removals.adder_count; i++) {
        if (gt_verdict_part(e, in.gone_at[i], "written") == NULL) return false;
        uint32_t by = in.removals.removed_by[i];
        if (by != NOBODY) gt_verdict_by(&in.verdicts[in.gone_at[i]], by);
    }
    for (uint32_t i = 0; i < in.removals.remover_count; i++) {
        gt_part *part = gt_verdict_part(e, in.unsets_at[i], "unset");
        if (part == NULL) return false;
        part->stands = part->count = in.all.base.data != NULL || in.removals.removed_any[i];
    }
    if (in.removals.remover_count > 0 && in.all.base.data != NULL) e->out->base = GT_EFFECT_OVERRIDDEN;
    return true;
}
