/* Text, rich text and lists: which of the elements that each step inserted are left, which it removed, and in lists which of
 * its moves and values count. The sequence is replayed once and looked through, what is not left of it included. */
#include "merge/explainer.h"
#include "merge/list_source.h"
#include "merge/points.h"
#include "merge/rich_runs.h"

typedef struct counts {
    uint32_t inserted, left, removed, moved, moves_left, replaced, values_left;
} counts;

typedef struct survey {
    gt_explainer *e;
    const gt_sequence *sequence;
    counts *of; /* by step */
    uint64_t base_left;
} survey;

/* ---- what is left ---- */

static void count_left(survey *s) {
    gt_span *span = NULL;
    gt_element first;
    uint32_t count;
    while (gt_sequence_next(s->sequence, &span, &first, &count)) {
        if (first.step == GT_OF_BASE) {
            s->base_left += count;
        } else {
            s->of[first.step].left += count;
        }
    }
}

/* Whether something was removed counts where it was there: what a void step inserted was not. */
static void count_removed(survey *s, uint32_t step) {
    const gt_step *steps = s->e->replay.steps;
    const gt_spans *spans = gt_sequence_spans(s->sequence);
    bool is_void = steps[step].is_void;
    for (const gt_removal *one = gt_sequence_removed(s->sequence, step); one != NULL; one = one->next) {
        uint32_t from = one->first.step;
        if (one->discards) continue; /* it was not there to be removed */
        if (from == GT_OF_BASE || !steps[from].is_void) s->of[step].removed += one->count;
        if (is_void) continue;
        if (from != GT_OF_BASE) gt_verdict_by(gt_verdict_of(s->e, from), step);
        uint32_t left = one->count;
        for (gt_span *span = gt_spans_find(spans, one->first); span != NULL && left > 0;
             left -= span->length < left ? span->length : left, span = gt_span_next(span, GT_BY_ELEMENT)) {
            if (span->slot != NULL) span->slot->of->gone_by = step + 1;
        }
    }
}

/* Moves, and values that were given: only a list has those. */
static void count_changes(survey *s) {
    const gt_replay *replay = &s->e->replay;
    for (gt_span *span = gt_span_first(gt_sequence_spans(s->sequence), GT_BY_PLACE); span != NULL;
         span = gt_span_next(span, GT_BY_PLACE)) {
        if (span->slot == NULL) continue;
        const gt_changed *changed = span->slot->of;
        bool there =
            !changed->gone && (changed->element.step == GT_OF_BASE || !replay->steps[changed->element.step].is_void);
        if (gt_slot_is_own(span->slot)) {
            if (there && changed->value.data != NULL) s->of[changed->value_step].values_left++;
            continue;
        }
        uint32_t step = span->first.step;
        s->of[step].moved++;
        if (there && changed->counting == span->slot) {
            s->of[step].moves_left += !replay->steps[step].is_void;
        } else if (changed->gone) {
            if (changed->gone_by > 0) gt_verdict_by(gt_verdict_of(s->e, step), changed->gone_by - 1);
        } else if (!gt_slot_is_own(changed->counting)) {
            gt_verdict_by(gt_verdict_of(s->e, step), changed->counting->span->first.step);
        }
    }
}

static uint32_t count_values(const survey *s, const gt_field_edit *edit) {
    uint32_t values = 0;
    gt_run run;
    gt_run_iter iter = gt_runs_of(edit->edit, gt_sequence_seen_by(s->sequence, edit->step));
    while (gt_run_next(&iter, &run)) {
        values += run.kind == GT_RUN_SET || (run.kind == GT_RUN_MOVE && run.value.data != NULL);
    }
    return values;
}

/* Elements of a rich text that an edit gives attributes. */
static uint32_t count_formatted(const survey *s, const gt_field_edit *edit) {
    uint64_t formatted = 0;
    gt_run run;
    gt_run_iter iter = gt_rich_runs_of(edit->edit, gt_sequence_seen_by(s->sequence, edit->step));
    while (gt_rich_run_next(&iter, &run)) {
        if (run.kind == GT_RUN_KEEP && run.value.data != NULL) formatted += run.count;
    }
    return (uint32_t)(formatted < UINT32_MAX ? formatted : UINT32_MAX);
}

/* ---- parts ---- */

static void add_part(gt_verdict *verdict, const char *what, uint32_t count, uint32_t stands, bool is_void) {
    gt_part *parts = (gt_part *)(uintptr_t)verdict->parts;
    if (count == 0) return;
    parts[verdict->part_count++] = (gt_part){.what = what, .count = count, .stands = is_void ? 0 : stands};
}

static bool make_parts(survey *s) {
    enum { PARTS_MAX = 5 }; /* "made" included */
    const gt_field_history *history = &s->e->history;
    bool is_list = history->field->type == GT_TYPE_LIST, is_rich = history->field->type == GT_TYPE_RICHTEXT;
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        gt_verdict *verdict = &s->e->out->verdicts[i];
        counts *of = &s->of[edit->step];
        bool is_void = gt_edit_is_void(&s->e->replay, edit);
        gt_part *parts = gt_verdict_parts(s->e, verdict, PARTS_MAX);
        if (parts == NULL) return false;
        if (gt_edit_is_unset(edit->edit)) {
            parts[verdict->part_count++] = (gt_part){.what = "unset", .count = of->removed, .stands = of->removed};
            continue;
        }
        if (is_list) of->replaced = count_values(s, edit);
        if (of->values_left > of->replaced) of->values_left = of->replaced;
        of->inserted = gt_sequence_inserted(s->sequence, edit->step) - of->moved;
        add_part(verdict, "inserted", of->inserted, of->left, is_void);
        add_part(verdict, "removed", of->removed, of->removed, is_void);
        if (is_rich) add_part(verdict, "formatted", count_formatted(s, edit), 0, is_void); /* see gt_explain_rich */
        add_part(verdict, "moved", of->moved, of->moves_left, is_void);
        add_part(verdict, "replaced", of->replaced, of->values_left, is_void);
    }
    return true;
}

static const gt_sequence *replay_sequence(gt_explainer *e) {
    const gt_field_history *history = &e->history;
    if (history->field->type != GT_TYPE_LIST) return gt_text_sequence(&e->replay, history);
    const gt_list_source *list = gt_list_open(&e->replay, history);
    return list == NULL ? NULL : gt_list_sequence(list);
}

bool gt_explain_sequence(gt_explainer *e) {
    const gt_field_history *history = &e->history;
    uint64_t count = gt_history_base_count(history);
    survey s = {.e = e, .sequence = replay_sequence(e)};
    s.of = gt_arena_new(&e->replay.arena, e->replay.step_count, sizeof(*s.of));
    gt_past unset;
    bool any_unset, is_there;
    if (s.sequence == NULL || s.of == NULL) return false;
    if (!gt_field_unset_past(&e->replay, history, &unset, &any_unset)) return false;
    if (!gt_field_is_there(&e->replay, history, &is_there)) return false;
    if (is_there) count_left(&s);
    for (uint32_t i = 0; i < history->count; i++) count_removed(&s, history->edits[i].step);
    if (is_there && history->field->type == GT_TYPE_LIST) count_changes(&s);
    if (!make_parts(&s) || !gt_explain_presence(e, &unset, any_unset)) return false;
    e->out->base = history->base.data == NULL ? GT_EFFECT_NONE
                   : count == 0               ? (any_unset ? GT_EFFECT_OVERRIDDEN : GT_EFFECT_KEPT)
                   : s.base_left == count     ? GT_EFFECT_KEPT
                   : s.base_left == 0         ? GT_EFFECT_OVERRIDDEN
                                              : GT_EFFECT_PART;
    return true;
}

/* ---- with a strategy ---- */

static void name_winner(void *context, uint32_t loser, uint32_t winner) {
    gt_explainer *e = context;
    if (loser == GT_OF_BASE || winner == GT_OF_BASE || e->verdict_of[loser] == 0) return;
    if (e->replay.steps[winner].is_void) return; /* nothing of either is there */
    gt_verdict_by(gt_verdict_of(e, loser), winner);
}

/* Whether an edit as a whole matters is judged by a replay without it: what it removed or moved may have decided who wins.
 * What it inserted is counted, and who had it left out, or removed it, is named. */
bool gt_explain_strategy(gt_explainer *e) {
    const gt_field_history *history = &e->history;
    gt_past unset;
    bool any_unset, is_there;
    if (!gt_explain_by_replays(e)) return false;
    survey s = {.e = e, .sequence = replay_sequence(e)};
    s.of = gt_arena_new(&e->replay.arena, e->replay.step_count, sizeof(*s.of));
    if (s.sequence == NULL || s.of == NULL) return false;
    if (!gt_field_unset_past(&e->replay, history, &unset, &any_unset)) return false;
    if (!gt_field_is_there(&e->replay, history, &is_there)) return false;
    if (is_there) count_left(&s);
    gt_contests_losses(gt_sequence_contests(s.sequence), name_winner, e);
    for (uint32_t i = 0; i < history->count; i++) count_removed(&s, history->edits[i].step);
    for (uint32_t i = 0; i < history->count; i++) {
        gt_verdict *verdict = &e->out->verdicts[i];
        uint32_t step = history->edits[i].step, inserted = gt_sequence_inserted(s.sequence, step);
        bool is_void = gt_edit_is_void(&e->replay, &history->edits[i]);
        if (gt_edit_is_unset(history->edits[i].edit) || inserted == 0) continue;
        gt_part edited = verdict->parts[0], *parts = gt_verdict_parts(e, verdict, 2);
        if (parts == NULL) return false;
        if (s.of[step].left > 0 && !is_void) edited.stands = edited.count;
        parts[0] = edited;
        if (history->field->type != GT_TYPE_LIST) add_part(verdict, "inserted", inserted, s.of[step].left, is_void);
    }
    return true;
}
