#include "merge/explain.h"

#include "merge/explainer.h"

const char *gt_effect_name(gt_effect effect) {
    switch (effect) {
    case GT_EFFECT_NONE: return "none";
    case GT_EFFECT_KEPT: return "kept";
    case GT_EFFECT_PART: return "part";
    case GT_EFFECT_OVERRIDDEN: return "overridden";
    case GT_EFFECT_VOID: return "void";
    case GT_EFFECT_UNKNOWN: break;
    }
    return "unknown";
}

const char *gt_merge_rule(const gt_field *field) {
    bool is_either = field->merge == GT_STRATEGY_EITHER;
    switch (field->type) {
    case GT_TYPE_SET: return "what anybody added is there; a removal takes out what its author saw";
    case GT_TYPE_MAP:
        return is_either ? "by key, of concurrent puts the one of the greatest commit id; a removal takes out what its "
                           "author saw"
                         : "by key, the later put; a removal takes out what its author saw";
    case GT_TYPE_COUNTER: return "the sum of all increments";
    case GT_TYPE_LIST:
        return "all insertions, in order of commit id where they meet; what anybody removed is gone; of an element the "
               "later move and the later value";
    case GT_TYPE_TEXT:
        if (is_either)
            return "of insertions at one place those of the greatest commit id; what anybody removed is gone";
        if (field->merge == GT_STRATEGY_MERGED) {
            return "all insertions, in order of commit id where they meet, what they have in common once; what anybody "
                   "removed is gone";
        }
        if (field->merge == GT_STRATEGY_LATEST) {
            return "of insertions at one place the later ones; what anybody removed is gone";
        }
        return "all insertions, in order of commit id where they meet; what anybody removed is gone";
    case GT_TYPE_RICHTEXT:
        return "all insertions, in order of commit id where they meet; what anybody removed is gone; of each attribute "
               "over each range the later";
    case GT_TYPE_OBJECT: return "field by field, each by its own rule; unset, what its author saw is gone";
    default:
        if (gt_merge_type_of(field) != &gt_merge_single) return "by its type";
        return is_either ? "of concurrent writes the one of the greatest commit id" : "the later write";
    }
}

bool gt_merge_settles(const gt_field *field) { return gt_merge_type_of(field) == &gt_merge_single; }

/* ---- what the types share ---- */

gt_part *gt_verdict_parts(gt_explainer *e, gt_verdict *verdict, uint32_t count) {
    gt_part *parts = gt_arena_new(&e->replay.arena, count, sizeof(*parts));
    verdict->parts = parts;
    return parts;
}

void gt_verdict_by(gt_verdict *verdict, uint32_t by) {
    if (by == verdict->step) return; /* what it did itself, later */
    for (uint8_t i = 0; i < verdict->by_count; i++) {
        if (verdict->by[i] == by) return;
    }
    if (verdict->by_count == GT_EXPLAIN_BY_MAX) {
        verdict->by_more = true;
    } else {
        verdict->by[verdict->by_count++] = by;
    }
}

bool gt_explainer_may(gt_explainer *e) {
    bool may = e->probes + e->replay.ancestry.work < GT_EXPLAIN_WORK_MAX;
    if (!may) e->out->is_limited = true;
    return may;
}

/* Looks for the additions that nobody removed yet among those before a remover; gives whether there is any. */
static bool take(gt_explainer *e, gt_past *past, gt_removals *r, uint32_t remover, uint32_t *waiting,
                 uint32_t *waiting_count) {
    uint32_t left = 0;
    bool any = false;
    for (uint32_t i = 0; i < *waiting_count; i++) {
        bool seen = gt_past_has(past, r->adders[waiting[i]]);
        if (seen) {
            r->removed_by[waiting[i]] = r->removers[remover];
            any = true;
        } else {
            waiting[left++] = waiting[i];
        }
    }
    e->probes += *waiting_count;
    *waiting_count = left;
    return any;
}

bool gt_explainer_match(gt_explainer *e, gt_past *past, gt_removals *r) {
    uint32_t next = 0, waiting_count = 0;
    for (uint32_t i = 0; i < r->adder_count; i++) r->removed_by[i] = NOBODY;
    uint32_t *waiting = r->adder_count == 0 ? NULL : gt_arena_new(&e->replay.arena, r->adder_count, sizeof(*waiting));
    if (r->adder_count == 0) return true;
    if (waiting == NULL) return false;
    for (uint32_t i = 0; i < r->remover_count; i++) {
        while (next < r->adder_count && r->adders[next] < r->removers[i]) waiting[waiting_count++] = next++;
        if (next == 0) continue;
        r->removed_any[i] = true; /* where the limit is reached: it is believed */
        if (!gt_explainer_may(e)) continue;
        gt_past_clear(past);
        if (!gt_past_add(past, r->removers[i])) return false;
        bool any = take(e, past, r, i, waiting, &waiting_count);
        for (uint32_t back = next; !any && back-- > 0;) { /* those that somebody removed as well */
            any = r->removed_by[back] != NOBODY && gt_past_has(past, r->adders[back]);
            e->probes++;
        }
        r->removed_any[i] = any;
    }
    return true;
}

static void conclude(gt_explainer *e) {
    for (uint32_t i = 0; i < e->out->count; i++) {
        gt_verdict *verdict = &e->out->verdicts[i];
        uint64_t count = 0, stands = 0;
        for (uint32_t k = 0; k < verdict->part_count; k++) {
            count += verdict->parts[k].count;
            stands += verdict->parts[k].stands;
        }
        if (e->replay.steps[verdict->step].is_void) {
            verdict->effect = GT_EFFECT_VOID;
        } else if (verdict->effect != GT_EFFECT_UNKNOWN) {
            verdict->effect = count == 0        ? GT_EFFECT_NONE
                              : stands == count ? GT_EFFECT_KEPT
                              : stands == 0     ? GT_EFFECT_OVERRIDDEN
                                                : GT_EFFECT_PART;
        }
        if (verdict->effect == GT_EFFECT_KEPT || verdict->effect == GT_EFFECT_VOID) verdict->by_count = 0;
    }
}

/* ---- gathering ---- */

static bool begin(gt_explainer *e, const gt_alloc *alloc, const gt_step *steps, uint32_t step_count,
                  gt_explanation *out, gt_diag *diag) {
    *out = (gt_explanation){0};
    *e = (gt_explainer){.replay = {.steps = steps, .step_count = step_count, .diag = diag}, .out = out};
    gt_arena_init(&out->arena, alloc);
    gt_arena_init(&e->replay.arena, alloc);
    gt_ancestry_init(&e->replay.ancestry, &e->replay.arena, steps, step_count);
    out->verdicts = gt_arena_new(&e->replay.arena, step_count, sizeof(*out->verdicts));
    e->verdict_of = gt_arena_new(&e->replay.arena, step_count, sizeof(*e->verdict_of));
    return out->verdicts != NULL && e->verdict_of != NULL;
}

static goat_status finish(gt_explainer *e, goat_status status) {
    e->out->arena = e->replay.arena;
    e->out->work = e->probes + e->replay.work + e->replay.ancestry.work;
    return status;
}

static void add_verdict(gt_explainer *e, uint32_t step) {
    e->out->verdicts[e->out->count++] = (gt_verdict){.step = step};
    e->verdict_of[step] = e->out->count;
}

/* The edit of a field that is in objects: who unsets one of these unsets it, which `*above` says. Data NULL: none. */
static goat_status find_edit(const gt_field *const *path, size_t path_len, gt_bytes delta, gt_bytes *edit, bool *above,
                             gt_diag *diag) {
    goat_status status = GOAT_OK;
    *edit = delta;
    *above = false;
    for (size_t i = 0; i < path_len && status == GOAT_OK && edit->data != NULL && !*above; i++) {
        *edit = gt_map_find(*edit, path[i]->name);
        if (edit->data == NULL) break;
        *above = i + 1 < path_len && gt_edit_is_unset(*edit);
        if (!gt_edit_is_unset(*edit)) status = gt_merge_type_of(path[i])->check_edit(path[i], *edit, false, diag);
    }
    return status;
}

static goat_status gather(gt_explainer *e, const gt_field *const *path, size_t path_len, gt_bytes base) {
    gt_replay *replay = &e->replay;
    gt_field_edit *edits = gt_arena_new(&replay->arena, replay->step_count, sizeof(*edits));
    const gt_field *field = path[path_len - 1];
    e->above = gt_arena_new(&replay->arena, replay->step_count, sizeof(*e->above));
    if (edits == NULL || e->above == NULL) return gt_no_memory(replay->diag);
    for (size_t i = 0; i < path_len && base.data != NULL; i++) {
        base = gt_edit_base(path[i], gt_map_find(base, path[i]->name));
    }
    e->history = (gt_field_history){.field = field, .base = base, .edits = edits};
    for (uint32_t step = 0; step < replay->step_count; step++) {
        gt_bytes delta = replay->steps[step].delta, edit;
        bool above;
        if (delta.data == NULL || gt_value_kind(delta) != GT_KIND_MAP) continue;
        replay->work++;
        goat_status status = find_edit(path, path_len, delta, &edit, &above, replay->diag);
        if (status != GOAT_OK) return status;
        if (edit.data == NULL) continue;
        e->above[e->history.count] = above;
        e->any_above = e->any_above || above;
        edits[e->history.count++] = (gt_field_edit){field, edit, step};
        add_verdict(e, step);
    }
    return GOAT_OK;
}

static bool explain(gt_explainer *e) {
    const gt_merge_type *type = gt_merge_type_of(e->history.field);
    if (type == &gt_merge_single && e->any_above) return gt_explain_single_inside(e);
    if (type == &gt_merge_single) return gt_explain_single(e);
    if (type == &gt_merge_counter) return gt_explain_counter(e);
    gt_strategy strategy = e->history.field->merge;
    if (type == &gt_merge_set || (type == &gt_merge_map && strategy == GT_STRATEGY_LATEST)) return gt_explain_keyed(e);
    bool is_sequence = type == &gt_merge_list || type == &gt_merge_text || type == &gt_merge_rich;
    if (is_sequence && strategy != GT_STRATEGY_BOTH) return gt_explain_strategy(e);
    if (type == &gt_merge_list || type == &gt_merge_text) return gt_explain_sequence(e);
    return type == &gt_merge_rich ? gt_explain_rich(e) : gt_explain_by_replays(e);
}

goat_status gt_merge_explain(const gt_alloc *alloc, const gt_field *const *path, size_t path_len, gt_bytes base,
                             const gt_step *steps, uint32_t step_count, gt_explanation *out, gt_diag *diag) {
    gt_explainer e;
    if (!begin(&e, alloc, steps, step_count, out, diag)) return finish(&e, gt_no_memory(diag));
    goat_status status = gather(&e, path, path_len, base);
    if (status == GOAT_OK && !explain(&e)) status = gt_no_memory(diag);
    if (status == GOAT_OK) conclude(&e);
    return finish(&e, status);
}

void gt_explanation_free(gt_explanation *explanation) { gt_arena_free(&explanation->arena); }

/* ---- single values and counters ---- */

gt_part *gt_verdict_part(gt_explainer *e, uint32_t edit, const char *what) {
    gt_verdict *verdict = &e->out->verdicts[edit];
    gt_part *part = gt_verdict_parts(e, verdict, 1);
    if (part == NULL) return NULL;
    verdict->part_count = 1;
    *part = (gt_part){.what = gt_edit_is_unset(e->history.edits[edit].edit) ? "unset" : what, .count = 1};
    return part;
}

bool gt_explain_counter(gt_explainer *e) {
    const gt_field_history *history = &e->history;
    gt_arena *arena = &e->replay.arena;
    gt_past unset, past;
    bool any_unset;
    uint32_t *gone = gt_arena_new(arena, history->count, sizeof(*gone));
    uint32_t *unsets = gt_arena_new(arena, history->count, sizeof(*unsets));
    gt_removals r = {.adders = gone, .removers = unsets};
    r.removed_by = gt_arena_new(arena, history->count, sizeof(*r.removed_by));
    r.removed_any = gt_arena_new(arena, history->count, sizeof(*r.removed_any));
    if (gone == NULL || unsets == NULL || r.removed_by == NULL || r.removed_any == NULL) return false;
    if (!gt_field_unset_past(&e->replay, history, &unset, &any_unset)) return false;
    gt_past_init(&past, &e->replay.ancestry);
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        gt_part *part = gt_verdict_part(e, i, "incremented");
        if (part == NULL) return false;
        if (!gt_edit_is_unset(edit->edit)) gt_value_as_int64(edit->edit, &part->by);
        if (gt_edit_is_void(&e->replay, edit)) continue;
        if (gt_edit_is_unset(edit->edit)) {
            unsets[r.remover_count++] = edit->step;
        } else if (gt_past_has(&unset, edit->step)) {
            gone[r.adder_count++] = edit->step;
        } else {
            part->stands = 1;
        }
    }
    if (!gt_explainer_match(e, &past, &r)) return false;
    for (uint32_t i = 0; i < r.adder_count; i++) {
        if (r.removed_by[i] != NOBODY) gt_verdict_by(gt_verdict_of(e, gone[i]), r.removed_by[i]);
    }
    for (uint32_t i = 0; i < r.remover_count; i++) {
        gt_part *part = (gt_part *)(uintptr_t)gt_verdict_of(e, unsets[i])->parts;
        part->stands = part->count = history->base.data != NULL || r.removed_any[i];
    }
    e->out->base = history->base.data == NULL ? GT_EFFECT_NONE : any_unset ? GT_EFFECT_OVERRIDDEN : GT_EFFECT_KEPT;
    return true;
}

/* ---- types that have nothing to say for themselves ---- */

static goat_status replay_again(gt_explainer *e, const gt_step *steps, gt_buf *value) {
    gt_replay replay = {.steps = steps, .step_count = e->replay.step_count};
    gt_arena_init(&replay.arena, e->out->arena.alloc);
    gt_ancestry_init(&replay.ancestry, &replay.arena, steps, replay.step_count);
    gt_buf_clear(value);
    goat_status status = gt_merge_type_of(e->history.field)->replay(&replay, &e->history, value);
    e->probes += replay.work + replay.ancestry.work;
    gt_arena_free(&replay.arena);
    return status == GOAT_OK && gt_buf_failed(value) ? GOAT_NO_MEMORY : status;
}

/* Of an edit what only a replay without it can judge; NULL: nothing. False when there is no memory. */
typedef bool wanted_part(gt_explainer *e, uint32_t edit, gt_part **part);

/* Judges the last ones of such edits by what becomes of the field without them. */
static bool judge_by_replays(gt_explainer *e, wanted_part *wants) {
    const gt_field_history *history = &e->history;
    gt_step *steps = gt_arena_new(&e->replay.arena, e->replay.step_count, sizeof(*steps));
    gt_buf with, without;
    gt_buf_init(&with, e->out->arena.alloc);
    gt_buf_init(&without, e->out->arena.alloc);
    if (steps == NULL) return false;
    memcpy(steps, e->replay.steps, e->replay.step_count * sizeof(*steps));
    bool good = true;
    uint32_t done = 0;
    for (uint32_t i = history->count; good && i-- > 0;) {
        gt_part *part = NULL;
        good = wants(e, i, &part);
        if (!good || part == NULL || gt_edit_is_void(&e->replay, &history->edits[i])) continue;
        if (done == GT_EXPLAIN_REPLAYS_MAX || !gt_explainer_may(e)) {
            e->out->verdicts[i].effect = GT_EFFECT_UNKNOWN;
            e->out->is_limited = true;
            continue;
        }
        gt_step *step = &steps[history->edits[i].step];
        if (done++ == 0) good = replay_again(e, steps, &with) == GOAT_OK;
        step->is_void = true;
        good = good && replay_again(e, steps, &without) == GOAT_OK;
        step->is_void = false;
        if (good && !gt_bytes_equal(gt_buf_bytes(&with), gt_buf_bytes(&without))) part->stands = part->count;
    }
    gt_buf_free(&with);
    gt_buf_free(&without);
    return good;
}

static bool whole_edit(gt_explainer *e, uint32_t edit, gt_part **part) {
    *part = gt_verdict_part(e, edit, "edited");
    return *part != NULL;
}

bool gt_explain_by_replays(gt_explainer *e) {
    const gt_field_history *history = &e->history;
    e->out->base = history->base.data == NULL ? GT_EFFECT_NONE
                   : history->count == 0      ? GT_EFFECT_KEPT
                                              : GT_EFFECT_UNKNOWN;
    return judge_by_replays(e, whole_edit);
}

/* What an edit gave attributes, if it did; where anything else of it stands the difference may come from that, and it is
 * believed. */
static bool formatting(gt_explainer *e, uint32_t edit, gt_part **part) {
    gt_verdict *verdict = &e->out->verdicts[edit];
    gt_part *parts = (gt_part *)(uintptr_t)verdict->parts;
    for (uint32_t i = 0; i < verdict->part_count; i++) {
        if (strcmp(parts[i].what, "formatted") == 0) *part = &parts[i];
    }
    return true;
}

/* Text is as text is; attributes are judged by replays. */
bool gt_explain_rich(gt_explainer *e) { return gt_explain_sequence(e) && judge_by_replays(e, formatting); }

/* ---- deletion ---- */

static bool is_edit(gt_bytes base, const gt_step *step, bool deletes) {
    if (step->is_void || deletes) return false;
    return (step->delta.data != NULL && gt_value_count(step->delta) > 0) ||
           (base.data == NULL && step->parent_count == 0);
}

/* A deletion stands if it has seen every edit; else the earliest that it has not seen brought the item back, and later ones
 * found it there. */
static bool judge_deletion(gt_explainer *e, gt_past *past, gt_verdict *verdict, const uint8_t *edits, gt_part *part) {
    gt_past_clear(past);
    if (!gt_past_add(past, verdict->step)) return false;
    uint32_t in_the_way = NOBODY;
    for (uint32_t step = 0; in_the_way == NOBODY && step < e->replay.step_count; step++) {
        if (edits[step] && !gt_past_has(past, step)) in_the_way = step;
    }
    e->probes += e->replay.step_count;
    part->stands = in_the_way == NOBODY;
    if (in_the_way != NOBODY) gt_verdict_by(verdict, in_the_way);
    return true;
}

goat_status gt_merge_explain_deletion(const gt_alloc *alloc, gt_bytes base, const gt_step *steps, uint32_t step_count,
                                      gt_explanation *out, gt_diag *diag) {
    gt_explainer e;
    if (!begin(&e, alloc, steps, step_count, out, diag)) return finish(&e, gt_no_memory(diag));
    uint8_t *edits = gt_arena_new(&e.replay.arena, step_count, 1);
    if (edits == NULL) return finish(&e, gt_no_memory(diag));
    bool any_edit = false, is_deleted = base.data != NULL && gt_map_find_int(base, 0).data != NULL;
    out->base = is_deleted ? GT_EFFECT_KEPT : GT_EFFECT_NONE;
    for (uint32_t i = 0; i < step_count; i++) {
        bool deletes = false;
        bool is_map = steps[i].delta.data != NULL && gt_value_kind(steps[i].delta) == GT_KIND_MAP;
        gt_bytes flag = is_map ? gt_map_find_int(steps[i].delta, 0) : gt_bytes_of(NULL, 0);
        if (flag.data != NULL) gt_value_as_bool(flag, &deletes);
        edits[i] = is_edit(base, &steps[i], deletes);
        any_edit |= edits[i] != 0;
        if (flag.data == NULL) continue;
        add_verdict(&e, i);
        gt_verdict *verdict = &out->verdicts[out->count - 1];
        gt_part *part = gt_verdict_parts(&e, verdict, 1);
        if (part == NULL) return finish(&e, gt_no_memory(diag));
        verdict->part_count = 1;
        *part = (gt_part){.what = deletes ? "deleted" : "undeleted", .count = 1};
    }
    if (any_edit && is_deleted) out->base = GT_EFFECT_OVERRIDDEN;
    is_deleted = is_deleted && !any_edit;
    gt_past past;
    gt_past_init(&past, &e.replay.ancestry);
    for (uint32_t i = out->count; i-- > 0;) { /* whether it is deleted is known once the last one is judged */
        gt_verdict *verdict = &out->verdicts[i];
        gt_part *part = (gt_part *)(uintptr_t)verdict->parts;
        if (steps[verdict->step].is_void) continue;
        if (!gt_explainer_may(&e)) {
            verdict->effect = GT_EFFECT_UNKNOWN;
        } else if (!edits[verdict->step]) {
            if (!judge_deletion(&e, &past, verdict, edits, part)) return finish(&e, gt_no_memory(diag));
            is_deleted = is_deleted || part->stands > 0;
        }
    }
    for (uint32_t i = 0; i < out->count; i++) {
        gt_verdict *verdict = &out->verdicts[i];
        if (edits[verdict->step]) ((gt_part *)(uintptr_t)verdict->parts)->stands = !is_deleted;
    }
    conclude(&e);
    return finish(&e, GOAT_OK);
}
