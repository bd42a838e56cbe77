/* Whether a field is there at all, and thanks to whom. */
#include "merge/explainer.h"

typedef struct presence {
    gt_explainer *e;
    gt_past *unset;
    bool base_counts;   /* it is there, and nobody unset it */
    uint32_t supporter; /* an edit that makes the field be there; NOBODY */
} presence;

static bool supports(const presence *p, uint32_t edit) {
    const gt_field_edit *at = &p->e->history.edits[edit];
    return !gt_edit_is_void(&p->e->replay, at) && !gt_edit_is_unset(at->edit) && !gt_past_has(p->unset, at->step);
}

/* What those who unset the field did, besides what they removed from it. */
static bool judge_unsets(presence *p) {
    gt_explainer *e = p->e;
    const gt_field_history *history = &e->history;
    uint32_t *gone = gt_arena_new(&e->replay.arena, history->count, sizeof(*gone));
    uint32_t *unsets = gt_arena_new(&e->replay.arena, history->count, sizeof(*unsets));
    gt_removals r = {.adders = gone, .removers = unsets};
    r.removed_by = gt_arena_new(&e->replay.arena, history->count, sizeof(*r.removed_by));
    r.removed_any = gt_arena_new(&e->replay.arena, history->count, 1);
    if (gone == NULL || unsets == NULL || r.removed_by == NULL || r.removed_any == NULL) return false;
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        if (gt_edit_is_void(&e->replay, edit)) continue;
        if (gt_edit_is_unset(edit->edit)) {
            unsets[r.remover_count++] = edit->step;
        } else if (gt_past_has(p->unset, edit->step)) {
            gone[r.adder_count++] = edit->step;
        }
    }
    gt_past past;
    gt_past_init(&past, &e->replay.ancestry);
    if (!gt_explainer_match(e, &past, &r)) return false;
    for (uint32_t i = 0; i < r.adder_count; i++) {
        if (r.removed_by[i] != NOBODY) gt_verdict_by(gt_verdict_of(e, gone[i]), r.removed_by[i]);
    }
    for (uint32_t i = 0; i < r.remover_count; i++) {
        gt_verdict *verdict = gt_verdict_of(e, unsets[i]);
        gt_part *part = (gt_part *)(uintptr_t)verdict->parts;
        if (history->base.data == NULL && !r.removed_any[i]) continue;
        part->count++;
        part->stands += p->supporter == NOBODY;
        if (p->supporter != NOBODY) gt_verdict_by(verdict, p->supporter);
    }
    return true;
}

static void add_made(gt_verdict *verdict, uint32_t count, uint32_t stands) {
    gt_part *parts = (gt_part *)(uintptr_t)verdict->parts;
    parts[verdict->part_count++] = (gt_part){.what = "made", .count = count, .stands = stands};
}

static uint64_t stands(const gt_verdict *verdict) {
    uint64_t sum = 0;
    for (uint32_t k = 0; k < verdict->part_count; k++) sum += verdict->parts[k].stands;
    return sum;
}

bool gt_explain_presence(gt_explainer *e, gt_past *unset, bool any_unset) {
    const gt_field_history *history = &e->history;
    presence p = {e, unset, history->base.data != NULL && !any_unset, NOBODY};
    bool any_stands = p.base_counts;
    for (uint32_t i = 0; i < history->count; i++) {
        if (!supports(&p, i)) continue;
        p.supporter = history->edits[i].step;
        any_stands = any_stands || stands(&e->out->verdicts[i]) > 0;
    }
    if (any_unset && !judge_unsets(&p)) return false;
    for (uint32_t i = 0; i < history->count; i++) {
        gt_verdict *verdict = &e->out->verdicts[i];
        if (gt_edit_is_unset(history->edits[i].edit)) continue;
        if (verdict->part_count == 0) {
            add_made(verdict, !p.base_counts, !p.base_counts && supports(&p, i));
        } else if (!any_stands && supports(&p, i)) {
            add_made(verdict, 1, 1);
        }
    }
    return true;
}
