#include "merge/slots.h"

/* ---- what can be seen ---- */

static void show(gt_slot *slot) {
    const gt_changed *changed = slot->of;
    uint32_t state = 2; /* hidden: removed, or the element stands elsewhere */
    if (!slot->is_seen || changed->state == 0) state = 0;
    if (state != 0 && changed->state == 1 && changed->seen == slot) state = 1;
    gt_span_set_state(slot->span, state);
}

gt_changed *gt_changed_of(gt_arena *arena, gt_span *span) {
    if (span->slot != NULL) return span->slot->of;
    gt_changed *changed = gt_arena_new(arena, 1, sizeof(*changed));
    gt_slot *own = gt_arena_new(arena, 1, sizeof(*own));
    if (changed == NULL || own == NULL) return NULL;
    *own = (gt_slot){.of = changed, .span = span, .is_seen = true};
    *changed = (gt_changed){.element = span->first, .state = span->state, .gone = span->gone};
    changed->seen = changed->counting = changed->newest = own;
    span->slot = own;
    return changed;
}

void gt_changed_shift(gt_changed *changed, int by) {
    changed->state = by > 0 ? changed->state + 1 : changed->state - 1;
    show(changed->seen);
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

/* Steps of a branch come one after the other and each is later than the one before it, so the way from the slot that was
 * added last is short. */
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

bool gt_slot_add(gt_replay *replay, gt_changed *changed, gt_span *span) {
    gt_slot *slot = gt_arena_new(&replay->arena, 1, sizeof(*slot));
    if (slot == NULL) return false;
    *slot = (gt_slot){.of = changed, .span = span};
    span->slot = slot;
    link(replay, changed, slot);
    if (!replay->steps[span->first.step].is_void && is_later(replay, slot, changed->counting)) changed->counting = slot;
    gt_slot_do_again(replay, slot);
    return true;
}

void gt_slot_take_back(gt_slot *slot) {
    gt_changed *changed = slot->of;
    slot->is_seen = false;
    if (changed->seen == slot) {
        do changed->seen = changed->seen->earlier;
        while (!changed->seen->is_seen);
        show(changed->seen);
    }
    show(slot);
}

void gt_slot_do_again(const gt_replay *replay, gt_slot *slot) {
    gt_changed *changed = slot->of;
    gt_slot *before = changed->seen;
    slot->is_seen = true;
    if (is_later(replay, slot, before)) {
        changed->seen = slot;
        show(before);
    }
    show(slot);
}
