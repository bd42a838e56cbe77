/* Sets and maps: what each step put under each key, and whether it is there. The operations are sorted by key, and each key
 * is judged by itself, as the replay does it (keyed.c); only removals ask who saw what. */
#include "merge/explainer.h"
#include "merge/keyed.h"
#include "value/sort.h"

typedef struct op {
    gt_bytes key;
    gt_part *part;
    uint32_t step;
    bool removes;
} op;

typedef struct judge {
    gt_explainer *e;
    bool is_map;
    gt_past unset, past; /* what those who unset the field had seen; scratch */
    bool any_unset;
    uint32_t *unsets, unset_count; /* steps */
    op *ops;
    uint32_t op_count;
    uint32_t base_count, base_left;
    /* room for the question of one key */
    uint32_t *adders, *removers, *removed_by;
    op **removals; /* beside `removers`; NULL: it unset the field */
    bool *removed_any;
} judge;

static gt_part *part_of_unset(const judge *j, uint32_t step) {
    return (gt_part *)(uintptr_t)gt_verdict_of(j->e, step)->parts;
}

/* ---- what was done ---- */

static void push(judge *j, uint32_t edit, gt_bytes key, gt_bytes value, bool removes) {
    gt_verdict *verdict = &j->e->out->verdicts[edit];
    gt_part *part = (gt_part *)(uintptr_t)&verdict->parts[verdict->part_count++];
    (void)value;
    *part = (gt_part){.what = removes ? "removed" : j->is_map ? "put" : "added", .key = key, .count = 1};
    if (gt_edit_is_void(&j->e->replay, &j->e->history.edits[edit])) return;
    j->ops[j->op_count++] = (op){key, part, verdict->step, removes};
}

static void push_set(judge *j, uint32_t edit, gt_bytes set, bool removes) {
    gt_bytes element;
    if (set.data == NULL) return;
    for (gt_iter iter = gt_array_iter(set); gt_array_next(&iter, &element);) push(j, edit, element, element, removes);
}

static size_t count_ops(bool is_map, gt_bytes edit) {
    if (gt_edit_is_unset(edit)) return 0;
    if (is_map || gt_value_kind(edit) == GT_KIND_SET) return gt_value_count(edit);
    gt_bytes added = gt_map_find_int(edit, 0), removed = gt_map_find_int(edit, 1);
    return (added.data == NULL ? 0 : gt_value_count(added)) + (removed.data == NULL ? 0 : gt_value_count(removed));
}

static void push_edit(judge *j, uint32_t edit) {
    gt_bytes key, value, bytes = j->e->history.edits[edit].edit;
    if (j->is_map) {
        for (gt_iter iter = gt_map_iter(bytes); gt_map_next_pair(&iter, &key, &value);) {
            push(j, edit, key, value, gt_edit_is_unset(value));
        }
    } else if (gt_value_kind(bytes) == GT_KIND_SET) {
        push_set(j, edit, bytes, false);
    } else {
        push_set(j, edit, gt_map_find_int(bytes, 0), false);
        push_set(j, edit, gt_map_find_int(bytes, 1), true);
    }
}

/* An edit of nothing makes the field be there; so may any other, see `presence`: each has room for that. */
static bool gather(judge *j) {
    const gt_field_history *history = &j->e->history;
    gt_arena *arena = &j->e->replay.arena;
    size_t most = 0;
    for (uint32_t i = 0; i < history->count; i++) most += count_ops(j->is_map, history->edits[i].edit);
    if (most >= UINT32_MAX) return false;
    j->ops = gt_arena_new(arena, most, sizeof(*j->ops));
    j->unsets = gt_arena_new(arena, history->count, sizeof(*j->unsets));
    if (j->ops == NULL || j->unsets == NULL) return false;
    for (uint32_t i = 0; i < history->count; i++) {
        gt_verdict *verdict = &j->e->out->verdicts[i];
        size_t count = count_ops(j->is_map, history->edits[i].edit);
        gt_part *parts = gt_verdict_parts(j->e, verdict, (uint32_t)count + 1);
        if (parts == NULL) return false;
        if (!gt_edit_is_unset(history->edits[i].edit)) {
            push_edit(j, i);
            continue;
        }
        verdict->part_count = 1;
        parts[0] = (gt_part){.what = "unset"};
        if (!gt_edit_is_void(&j->e->replay, &history->edits[i])) j->unsets[j->unset_count++] = verdict->step;
    }
    return true;
}

static bool op_before(const void *a, const void *b) {
    const op *x = a, *y = b;
    int order = gt_bytes_compare(x->key, y->key);
    return order != 0 ? order < 0 : x->step != y->step ? x->step < y->step : x->removes < y->removes;
}

/* ---- one key ---- */

/* Those who took the key out or unset the field, in the order of the steps. */
static uint32_t list_removers(judge *j, op *ops, uint32_t count) {
    uint32_t all = 0, next = 0;
    for (uint32_t i = 0; i <= count; i++) {
        uint32_t step = i == count ? NOBODY : ops[i].step;
        if (i < count && !ops[i].removes) continue;
        for (; next < j->unset_count && j->unsets[next] < step; next++) {
            j->removals[all] = NULL;
            j->removers[all++] = j->unsets[next];
        }
        if (i == count) break;
        j->removals[all] = &ops[i];
        j->removers[all++] = step;
    }
    return all;
}

/* Who removed which of the additions that are gone; with `winner`, only of those that would stand before it. */
static bool match(judge *j, const op *ops, uint32_t count, const op *winner, bool *gone, gt_removals *r) {
    *r = (gt_removals){j->adders, j->removers, 0, r->remover_count, j->removed_by, j->removed_any};
    memset(j->removed_any, 0, r->remover_count * sizeof(*j->removed_any));
    for (uint32_t i = 0; i < count; i++) {
        if (ops[i].removes || !gone[i]) continue;
        if (winner != NULL && !gt_step_is_later(&j->e->replay, ops[i].step, winner->step)) continue;
        j->adders[r->adder_count++] = ops[i].step;
    }
    return gt_explainer_match(j->e, &j->past, r);
}

static void name_removers(judge *j, const gt_removals *r) {
    for (uint32_t i = 0; i < r->adder_count; i++) {
        if (r->removed_by[i] != NOBODY) gt_verdict_by(gt_verdict_of(j->e, r->adders[i]), r->removed_by[i]);
    }
}

/* What a removal did: something if it saw any addition; it stands if nothing is there, or if something else would be. */
static void judge_removals(judge *j, const gt_removals *r, const op *winner, bool in_base, bool counts) {
    for (uint32_t i = 0; i < r->remover_count; i++) {
        bool any = r->removed_any[i] || in_base;
        gt_part *part = j->removals[i] != NULL ? j->removals[i]->part : part_of_unset(j, r->removers[i]);
        if (counts && j->removals[i] != NULL) part->count = any;
        if (counts && j->removals[i] == NULL) part->count += any;
        if (winner == NULL || !counts) part->stands += any;
        if (winner != NULL && counts && any) gt_verdict_by(gt_verdict_of(j->e, r->removers[i]), winner->step);
    }
}

static bool judge_key(judge *j, op *ops, uint32_t count, bool in_base, bool *gone) {
    const op *winner = NULL;
    gt_removals r = {.remover_count = list_removers(j, ops, count)};
    bool any_removed = r.remover_count > j->unset_count;
    if (r.remover_count > 0) {
        gt_past_clear(&j->past);
        for (uint32_t i = 0; i < count && any_removed; i++) {
            if (ops[i].removes && !gt_past_add(&j->past, ops[i].step)) return false;
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        gone[i] = false;
        if (ops[i].removes) continue;
        gone[i] = (any_removed && gt_past_has(&j->past, ops[i].step)) || gt_past_has(&j->unset, ops[i].step);
        if (!gone[i] && (winner == NULL || gt_step_is_later(&j->e->replay, ops[i].step, winner->step)))
            winner = &ops[i];
    }
    for (uint32_t i = 0; i < count; i++) {
        if (ops[i].removes || gone[i]) continue;
        ops[i].part->stands = !j->is_map || &ops[i] == winner;
        if (!ops[i].part->stands) gt_verdict_by(gt_verdict_of(j->e, ops[i].step), winner->step);
    }
    if (in_base) j->base_left += r.remover_count == 0 && (winner == NULL || !j->is_map);
    if (r.remover_count == 0) return true;
    if (!match(j, ops, count, NULL, gone, &r)) return false;
    name_removers(j, &r);
    judge_removals(j, &r, winner, in_base, true);
    if (winner == NULL || !j->is_map) return true;
    if (!match(j, ops, count, winner, gone, &r)) return false;
    if (r.adder_count > 0) judge_removals(j, &r, winner, false, false);
    return true;
}

static bool judge_keys(judge *j) {
    gt_explainer *e = j->e;
    gt_bytes base = e->history.base, key = {0}, value;
    gt_iter iter = {0};
    bool more = base.data != NULL;
    uint32_t most = j->op_count + j->unset_count;
    bool *gone = gt_arena_new(&e->replay.arena, j->op_count, 1);
    j->adders = gt_arena_new(&e->replay.arena, most, sizeof(*j->adders));
    j->removers = gt_arena_new(&e->replay.arena, most, sizeof(*j->removers));
    j->removed_by = gt_arena_new(&e->replay.arena, most, sizeof(*j->removed_by));
    j->removals = gt_arena_new(&e->replay.arena, most, sizeof(op *));
    j->removed_any = gt_arena_new(&e->replay.arena, most, 1);
    if (gone == NULL || j->adders == NULL || j->removers == NULL || j->removed_by == NULL || j->removals == NULL ||
        j->removed_any == NULL) {
        return false;
    }
    gt_sort(j->ops, j->op_count, sizeof(op), op_before);
    if (more) iter = j->is_map ? gt_map_iter(base) : gt_array_iter(base);
    if (more) more = j->is_map ? gt_map_next_pair(&iter, &key, &value) : gt_array_next(&iter, &key);
    for (uint32_t i = 0; i < j->op_count || more;) {
        int order = i == j->op_count ? -1 : !more ? 1 : gt_bytes_compare(key, j->ops[i].key);
        uint32_t first = i;
        while (order >= 0 && i < j->op_count && gt_bytes_equal(j->ops[i].key, j->ops[first].key)) i++;
        if (order <= 0) j->base_count++;
        if (i > first) {
            if (!judge_key(j, j->ops + first, i - first, order == 0, gone + first)) return false;
        } else {
            j->base_left += !j->any_unset;
            for (uint32_t u = 0; u < j->unset_count; u++) {
                part_of_unset(j, j->unsets[u])->count++;
                part_of_unset(j, j->unsets[u])->stands++;
            }
            e->probes += j->unset_count;
        }
        if (order <= 0) more = j->is_map ? gt_map_next_pair(&iter, &key, &value) : gt_array_next(&iter, &key);
    }
    return true;
}

bool gt_explain_keyed(gt_explainer *e) {
    judge j = {.e = e, .is_map = e->history.field->type == GT_TYPE_MAP};
    gt_past_init(&j.past, &e->replay.ancestry);
    if (!gt_field_unset_past(&e->replay, &e->history, &j.unset, &j.any_unset)) return false;
    if (!gather(&j) || !judge_keys(&j) || !gt_explain_presence(e, &j.unset, j.any_unset)) return false;
    bool base = e->history.base.data != NULL;
    e->out->base = !base                         ? GT_EFFECT_NONE
                   : j.base_count == 0           ? (j.any_unset ? GT_EFFECT_OVERRIDDEN : GT_EFFECT_KEPT)
                   : j.base_left == j.base_count ? GT_EFFECT_KEPT
                   : j.base_left == 0            ? GT_EFFECT_OVERRIDDEN
                                                 : GT_EFFECT_PART;
    return true;
}
