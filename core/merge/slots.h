/* Elements of a list that were moved or given another value: where each stands, and as what.
 *
 * A move gives its element a further slot: a place in the sequence, named (step, index) as if it were inserted, that stands
 * for the element. Of an element's slots the one of the latest move by (time, id) counts; the one that it was inserted with
 * is the first of all. What is latest is asked twice: among the moves of the version looked at, for positions, and among
 * those of steps that are not void, for the result. With a strategy slots are left out and discarded (contests.h): none of
 * these is where its element stands, which then is in the latest of the others, or nowhere. */
#ifndef GT_MERGE_SLOTS_H
#define GT_MERGE_SLOTS_H

#include "merge/spans.h"
#include "merge/type.h"

typedef struct gt_changed gt_changed;

typedef struct gt_slot {
    struct gt_slot *earlier, *later; /* of the same element; the first is its own */
    gt_changed *of;
    gt_span *span; /* of this slot alone; it points back here */
    bool is_seen;  /* its move is in the version looked at; of an own one always */
} gt_slot;

struct gt_changed {
    gt_element element;
    uint32_t state;    /* as gt_span.state: in the version looked at */
    bool gone;         /* removed by a step that counts */
    gt_slot *own;      /* the first */
    gt_slot *seen;     /* the latest in the version looked at that is not discarded; NULL: none */
    gt_slot *shown;    /* the same, and not left out */
    gt_slot *counting; /* the latest of a step that counts; with a strategy, of those that are not left out, or NULL */
    gt_slot *newest;   /* was added last */
    gt_bytes value;    /* the latest that counts; data NULL: the one that it was inserted with */
    uint32_t value_step;
    uint32_t valued;  /* in the version looked at: how often it was given a value */
    bool stands;      /* for gt_list_change: it is in the list when all is done, */
    uint64_t index;   /* … and this is its place */
    uint32_t gone_by; /* for explain_sequence.c: one of the steps that removed it, plus one */
};

/* What is known of the element whose slot `span` is, of length 1. NULL when there is no memory. */
gt_changed *gt_changed_of(gt_arena *arena, gt_span *span);

/* It is removed by one more step, or one less, in the version looked at; or its insertion comes or goes. */
void gt_changed_shift(gt_changed *changed, int by);

/* Another step in the version looked at gives it a value, or one less. */
void gt_changed_value(gt_changed *changed, int by);

/* Gives it a value. */
void gt_changed_set(const gt_replay *replay, gt_changed *changed, uint32_t step, gt_bytes value);

/* Makes `span`, of length 1 and just inserted, a slot of it that is seen. False when there is no memory. */
bool gt_slot_add(const gt_replay *replay, gt_arena *arena, gt_changed *changed, gt_span *span);

/* The move that made it goes out of the version looked at, or comes in. */
void gt_slot_take_back(const gt_replay *replay, gt_slot *slot);
void gt_slot_do_again(const gt_replay *replay, gt_slot *slot);

/* It was left out, or discarded, or is no more. */
void gt_slot_update(const gt_replay *replay, gt_slot *slot);

/* With a strategy, when all steps have been gone through: everything is there or not for good. Then what is left out is
 * found, and then where its element stands, which is asked of its own slot. */
void gt_slot_end(const gt_replay *replay, gt_slot *slot);
void gt_slot_conclude(gt_slot *own);

/* The one that its element was inserted with. */
static inline bool gt_slot_is_own(const gt_slot *slot) { return slot->earlier == NULL; }

/* Whether the element stands here when all is done. */
static inline bool gt_slot_is_left(const gt_slot *slot) { return slot->of->counting == slot && !slot->of->gone; }

#endif
