#include "merge/slots.h"

/* ---- what can be seen ---- */

static bool may_stand(const gt_slot *slot) { return slot->is_seen && slot->span->discards == 0; }

static bool may_show(const gt_slot *slot) { return may_stand(slot) && slot->span->lost == 0 && !slot->span->hidden; }

static void show(gt_slot *slot) {
    uint32_t state = 2; /* hidden: removed, or the element stands elsewhere */
    if (slot == NULL) return;
    const gt_changed *changed = slot->of;
    if (!slot->is_seen || changed->state == 0) state = 0;
    if (state != 0 && changed->state == 1 && (changed->seen == slot || changed->shown == slot)) state = 1;
    if (state == slot->span->state && slot->span->falls_back == (changed->seen != slot)) return;
    slot->span->falls_back = changed->seen != slot;
    gt_span_set_state(slot->span, state);
}

static void show_all(const gt_changed *changed) {
    show(changed->own);
    if (changed->seen != changed->own) show(changed->seen);
    if (changed->shown != changed->own && changed->shown != changed->seen) show(changed->shown);
}

gt_changed *gt_changed_of(gt_arena *arena, gt_span *span) {
    if (span->slot != NULL) return span->slot->of;
    gt_changed *changed = gt_arena_new(arena, 1, sizeof(*changed));
    gt_slot *own = gt_arena_new(arena, 1, sizeof(*own));
    if (changed == NULL || own == NULL) return NULL;
    *own = (gt_slot){.of = changed, .span = span, .is_seen = true};
    *changed = (gt_changed){.element = span->first, .state = span->state, .gone = span->gone};
    changed->own = changed->seen = changed->shown = changed->counting = changed->newest = own;
    span->slot = own;
    return changed;
}

void gt_changed_shift(gt_changed *changed, int by) {
    changed->state = by > 0 ? changed->state + 1 : changed->state - 1;
    show_all(changed);
}

void gt_changed_value(gt_changed *changed, int by) {
    changed->valued = by > 0 ? changed->valued + 1 : changed->valued - 1;
    gt_span_touch(changed->own->span);
}

void gt_changed_set(const gt_replay *replay, gt_changed *changed, uint32_t step, gt_bytes value) {
    if (replay->steps[step].is_void) return;
    if (changed->value.data != NULL && changed->value_step != step &&
        gt_step_is_later(replay, changed->value_step, step)) {
        return;
    }
    changed->value = value;
    changed->value_step = step;
}

/* ---- slots ---- */

static bool is_later(const gt_replay *replay, const gt_slot *a, const gt_slot *b) {
    gt_element x = a->span->first, y = b->span->first;
    if (a == b || gt_slot_is_own(a)) return false;
    if (gt_slot_is_own(b)) return true;
    return x.step == y.step ? x.index > y.index : gt_step_is_later(replay, x.step, y.step);
}

/* Steps of a branch come one after the other and each is later than the one
 * before it, so the way from the slot that was added last is short. */
static void link(const gt_replay *replay, gt_changed *changed, gt_slot *slot) {
    gt_slot *at = changed->newest;
    slot->earlier = at; /* not its own */
    while (at->later != NULL && is_later(replay, slot, at->later)) at = at->later;
    while (is_later(replay, at, slot)) at = at->earlier;
    slot->earlier = at;
    slot->later = at->later;
    if (at->later != NULL) at->later->earlier = slot;
    at->later = slot;
    changed->newest = slot;
}

bool gt_slot_add(const gt_replay *replay, gt_arena *arena, gt_changed *changed, gt_span *span) {
    gt_slot *slot = gt_arena_new(arena, 1, sizeof(*slot));
    if (slot == NULL) return false;
    *slot = (gt_slot){.of = changed, .span = span};
    span->slot = slot;
    link(replay, changed, slot);
    if (!replay->steps[span->first.step].is_void &&
        (changed->counting == NULL || is_later(replay, slot, changed->counting))) {
        changed->counting = slot;
    }
    gt_slot_do_again(replay, slot);
    return true;
}

/* `*latest` is the latest of those that may be. */
static void settle(const gt_replay *replay, gt_slot **latest, gt_slot *slot, bool (*may)(const gt_slot *)) {
    if (*latest == slot) {
        while (*latest != NULL && !may(*latest)) *latest = (*latest)->earlier;
    } else if (may(slot) && (*latest == NULL || is_later(replay, slot, *latest))) {
        *latest = slot;
    }
}

void gt_slot_update(const gt_replay *replay, gt_slot *slot) {
    gt_changed *changed = slot->of;
    gt_slot *seen = changed->seen, *shown = changed->shown;
    settle(replay, &changed->seen, slot, may_stand);
    settle(replay, &changed->shown, slot, may_show);
    show(slot);
    if (changed->seen != seen) show(seen);
    if (changed->seen != seen) show(changed->seen);
    if (changed->shown != shown && shown != seen) show(shown);
    if (changed->shown != shown && changed->shown != changed->seen) show(changed->shown);
}

void gt_slot_take_back(const gt_replay *replay, gt_slot *slot) {
    slot->is_seen = false;
    gt_slot_update(replay, slot);
}

void gt_slot_do_again(const gt_replay *replay, gt_slot *slot) {
    slot->is_seen = true;
    gt_slot_update(replay, slot);
}

/* ---- the end ---- */

static bool counts(const gt_replay *replay, gt_element element) {
    return element.step == GT_OF_BASE || !replay->steps[element.step].is_void;
}

void gt_slot_end(const gt_replay *replay, gt_slot *slot) {
    gt_changed *changed = slot->of;
    changed->state = counts(replay, changed->element) && !changed->gone ? 1 : 2;
    changed->valued = changed->value.data != NULL;
    slot->is_seen = gt_slot_is_own(slot) || counts(replay, slot->span->first);
    slot->span->discards = slot->span->given_up;
    gt_span_touch(slot->span);
    gt_slot_update(replay, slot);
    show_all(changed);
}

void gt_slot_conclude(gt_slot *own) { own->of->counting = own->of->shown; }
