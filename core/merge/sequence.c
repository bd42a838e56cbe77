#include "merge/sequence.h"

#include "base/assert.h"
#include "merge/rich_runs.h"
#include "merge/versions.h"

/* What was inserted at once, as a node of Fugue's tree: its elements hang on each other in a row, nothing else hangs
 * between them, so only the first has left children that are not its own and only the last right ones. */
typedef struct piece {
    struct piece *next; /* its sibling with the next greater id */
    gt_element first;
    uint32_t length;
} piece;

typedef struct family {
    gt_element parent;
    bool left;
    piece *first; /* NULL: the slot is free */
} family;

struct gt_sequence {
    gt_replay *replay;
    gt_spans spans;
    bool is_list;
    gt_marks *marks;  /* of rich text; NULL: it is none */
    family *families; /* open addressing */
    uint32_t family_count, family_places;
    const gt_field_edit **edits; /* by step; NULL: it does not touch the field */
    gt_removal **removals;       /* by step */
    uint32_t *inserted;          /* by step: elements, and slots of those that it moves */
    uint32_t *seen;              /* by step: what its author saw */
};

/* ---- who hangs where ---- */

static family *find_family(family *families, uint32_t places, gt_element parent, bool left) {
    uint64_t mixed = ((uint64_t)parent.step << 32 | parent.index) * UINT64_C(0x9e3779b97f4a7c15) + left;
    for (uint32_t at = (uint32_t)(mixed >> 32);; at++) {
        family *found = &families[at & (places - 1)];
        if (found->first == NULL || (gt_element_is(found->parent, parent) && found->left == left)) return found;
    }
}

static const piece *children(const gt_sequence *sequence, gt_element parent, bool left) {
    return find_family(sequence->families, sequence->family_places, parent, left)->first;
}

static bool grow_families(gt_sequence *sequence) {
    uint32_t places = 2 * sequence->family_places;
    family *families = gt_arena_new(sequence->spans.arena, places, sizeof(*families));
    if (families == NULL) return false;
    for (uint32_t i = 0; i < sequence->family_places; i++) {
        const family *one = &sequence->families[i];
        if (one->first != NULL) *find_family(families, places, one->parent, one->left) = *one;
    }
    sequence->families = families;
    sequence->family_places = places;
    return true;
}

static bool id_is_less(const gt_sequence *sequence, gt_element a, gt_element b) {
    if (a.step == b.step) return a.index < b.index;
    const gt_step *steps = sequence->replay->steps;
    return memcmp(steps[a.step].id, steps[b.step].id, GT_HASH_SIZE) < 0;
}

static const piece *last_of(const piece *sibling) {
    while (sibling != NULL && sibling->next != NULL) sibling = sibling->next;
    return sibling;
}

/* The element that stands before all others of the tree below a piece, and the one behind all others. */
static gt_element leftmost(const gt_sequence *sequence, const piece *at) {
    for (const piece *child; (child = children(sequence, at->first, true)) != NULL;) at = child;
    return at->first;
}

static gt_element rightmost(const gt_sequence *sequence, const piece *at) {
    gt_element last = {at->first.step, at->first.index + at->length - 1};
    for (const piece *child; (child = last_of(children(sequence, last, false))) != NULL;) {
        last = (gt_element){child->first.step, child->first.index + child->length - 1};
    }
    return last;
}

/* The span that begins with an element. */
static gt_span *begin_at(gt_sequence *sequence, gt_element element) {
    gt_span *span = gt_spans_find(&sequence->spans, element);
    uint32_t at = element.index - span->first.index;
    return at == 0 ? span : gt_span_split(&sequence->spans, span, at);
}

/* ---- inserting ---- */

typedef struct place {
    gt_element before; /* what its author sees directly before it */
    gt_element parent;
    bool left;
} place;

/* It hangs on what is before it, unless that has right children already: then on the one that follows. */
static place find_place(const gt_sequence *sequence, uint64_t position) {
    gt_span *span = NULL;
    place found = {.before = GT_ELEMENT_ROOT};
    if (position > 0) {
        uint32_t within;
        span = gt_spans_at(&sequence->spans, position - 1, &within);
        found.before = (gt_element){span->first.step, span->first.index + within};
        if (within + 1 < span->length) {
            found.parent = (gt_element){found.before.step, found.before.index + 1};
            found.left = true;
            return found;
        }
    }
    const gt_span *after = gt_span_next_known(&sequence->spans, span);
    found.left = after != NULL && gt_element_is(after->before, found.before);
    found.parent = found.left ? after->first : found.before;
    return found;
}

/* NULL when there is no memory. */
static gt_span *insert(gt_sequence *sequence, uint64_t position, gt_element first, uint32_t length) {
    gt_spans *spans = &sequence->spans;
    place at = find_place(sequence, position);
    piece *own = gt_arena_new(spans->arena, 1, sizeof(*own));
    if (own == NULL || (2 * sequence->family_count >= sequence->family_places && !grow_families(sequence))) return NULL;
    family *siblings = find_family(sequence->families, sequence->family_places, at.parent, at.left);
    piece **link = &siblings->first;
    while (*link != NULL && id_is_less(sequence, (*link)->first, first)) link = &(*link)->next;
    gt_span *next;
    if (*link != NULL) {
        next = begin_at(sequence, leftmost(sequence, *link));
    } else if (at.left) {
        next = begin_at(sequence, at.parent);
        if (next == NULL) return NULL;
    } else {
        gt_element behind = siblings->first == NULL ? at.parent : rightmost(sequence, last_of(siblings->first));
        next = gt_element_is(behind, GT_ELEMENT_ROOT) ? gt_span_first(spans, GT_BY_PLACE)
                                                      : gt_span_next(gt_spans_find(spans, behind), GT_BY_PLACE);
    }
    gt_span *span = gt_span_insert(spans, next, first, length, 1);
    if (span == NULL) return NULL;
    span->before = at.before;
    sequence->family_count += siblings->first == NULL;
    siblings->parent = at.parent;
    siblings->left = at.left;
    *own = (piece){.next = *link, .first = first, .length = length};
    *link = own;
    return span;
}

/* ---- removing ---- */

static bool remove_seen(gt_sequence *sequence, uint32_t step, uint64_t position, uint64_t count) {
    gt_spans *spans = &sequence->spans;
    bool counts = !sequence->replay->steps[step].is_void;
    while (count > 0) {
        uint32_t within;
        gt_span *span = gt_spans_at(spans, position, &within);
        if (within > 0) span = gt_span_split(spans, span, within);
        if (span != NULL && span->length > count && gt_span_split(spans, span, (uint32_t)count) == NULL) return false;
        gt_removal *one = span == NULL ? NULL : gt_arena_new(spans->arena, 1, sizeof(*one));
        if (one == NULL) return false;
        *one = (gt_removal){.next = sequence->removals[step], .first = span->first, .count = span->length};
        sequence->removals[step] = one;
        count -= span->length;
        if (span->slot != NULL) { /* it is removed wherever it stands */
            gt_changed *changed = span->slot->of;
            one->first = changed->element;
            changed->gone = changed->gone || counts;
            gt_changed_shift(changed, 1);
            continue;
        }
        span->gone = span->gone || counts;
        gt_span_set_state(span, 2);
    }
    return true;
}

/* ---- versions ---- */

/* Adds `by` to the state of so many elements that were inserted by one step. */
static void shift(gt_sequence *sequence, gt_element first, uint32_t count, int by) {
    gt_span *span = count == 0 ? NULL : gt_spans_find(&sequence->spans, first);
    while (count > 0) {
        sequence->replay->work++;
        count -= span->length;
        if (span->slot == NULL) {
            gt_span_set_state(span, by > 0 ? span->state + 1 : span->state - 1);
        } else if (gt_slot_is_own(span->slot)) {
            gt_changed_shift(span->slot->of, by);
        } else if (by > 0) {
            gt_slot_do_again(sequence->replay, span->slot);
        } else {
            gt_slot_take_back(span->slot);
        }
        if (count > 0) span = gt_span_next(span, GT_BY_ELEMENT);
    }
}

static void shift_removed(gt_sequence *sequence, uint32_t step, int by) {
    for (const gt_removal *one = sequence->removals[step]; one != NULL; one = one->next) {
        shift(sequence, one->first, one->count, by);
    }
}

static void take_back(void *context, uint32_t step) {
    gt_sequence *sequence = context;
    shift_removed(sequence, step, -1);
    shift(sequence, (gt_element){step, 0}, sequence->inserted[step], -1);
}

static void do_again(void *context, uint32_t step) {
    gt_sequence *sequence = context;
    shift(sequence, (gt_element){step, 0}, sequence->inserted[step], 1);
    shift_removed(sequence, step, 1);
}

/* ---- edits ---- */

typedef struct stretch {
    struct stretch *before;
    uint64_t position, count;
} stretch;

/* An element that an edit moves. */
typedef struct moving {
    struct moving *next;
    gt_changed *changed;
    gt_span *to;
} moving;

/* The element at a position, to be moved or given another value. NULL when there is no memory. */
static gt_changed *change_at(gt_sequence *sequence, uint64_t position) {
    gt_spans *spans = &sequence->spans;
    uint32_t within;
    gt_span *span = gt_spans_at(spans, position, &within);
    if (within > 0) span = gt_span_split(spans, span, within);
    if (span != NULL && span->length > 1 && gt_span_split(spans, span, 1) == NULL) return NULL;
    return span == NULL ? NULL : gt_changed_of(spans->arena, span);
}

/* Which elements an edit of a list moves, in its order, found while all stand where its author saw them; those that it
 * gives another value get it. */
static bool find_changed(gt_sequence *sequence, uint32_t step, gt_run_iter iter, moving **first) {
    uint64_t position = 0;
    for (gt_run run; gt_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_KEEP || run.kind == GT_RUN_REMOVE) position += run.count;
        if (run.kind != GT_RUN_MOVE && run.kind != GT_RUN_SET) continue;
        gt_changed *changed = change_at(sequence, run.kind == GT_RUN_SET ? position++ : run.from);
        if (changed == NULL) return false;
        if (run.value.data != NULL) gt_changed_set(sequence->replay, changed, step, run.value);
        if (run.kind == GT_RUN_SET) continue;
        moving *one = gt_arena_new(sequence->spans.arena, 1, sizeof(*one));
        if (one == NULL) return false;
        one->changed = changed;
        *first = one;
        first = &one->next;
    }
    return true;
}

/* Of rich text: what a run that keeps elements says of their attributes. A run that is next to it `goes_on` from there. */
static bool mark(gt_sequence *sequence, uint32_t step, const gt_run *run, uint64_t position, bool *goes_on) {
    if (sequence->replay->steps[step].is_void) return true;
    bool done = gt_marks_add(sequence->marks, &sequence->spans, step, position, run->count, run->value, *goes_on);
    *goes_on = true;
    return done;
}

static bool apply_runs(gt_sequence *sequence, uint32_t step, gt_bytes edit) {
    uint64_t shown = gt_spans_shown(&sequence->spans);
    gt_run_iter iter = sequence->marks != NULL ? gt_rich_runs_of(edit, shown) : gt_runs_of(edit, shown);
    stretch *last = NULL;
    moving *first_moving = NULL, *next_moving;
    uint64_t position = 0;
    bool goes_on = false;
    if (sequence->is_list && !find_changed(sequence, step, iter, &first_moving)) return false;
    next_moving = first_moving;
    for (gt_run run; gt_run_next(&iter, &run); position += run.count) {
        if (run.kind == GT_RUN_INSERT || run.kind == GT_RUN_MOVE) {
            uint32_t index = sequence->inserted[step];
            GOAT_ASSERT(run.count < UINT32_MAX - index);
            gt_span *span = insert(sequence, position, (gt_element){step, index}, (uint32_t)run.count);
            if (span == NULL) return false;
            sequence->inserted[step] += (uint32_t)run.count;
            goes_on = false;
            if (run.kind == GT_RUN_INSERT) continue;
            next_moving->to = span;
            next_moving = next_moving->next;
        } else if (run.kind == GT_RUN_REMOVE) {
            stretch *one = gt_arena_new(sequence->spans.arena, 1, sizeof(*one));
            if (one == NULL) return false;
            *one = (stretch){.before = last, .position = position, .count = run.count};
            last = one;
        } else if (run.kind == GT_RUN_KEEP && sequence->marks != NULL && run.value.data != NULL) {
            if (!mark(sequence, step, &run, position, &goes_on)) return false;
            continue;
        }
        goes_on = false;
    }
    /* Removals come last, from the last to the first, so that no position is moved by another; and only then is what was
     * moved no more where it was. */
    for (; last != NULL; last = last->before) {
        if (!remove_seen(sequence, step, last->position, last->count)) return false;
    }
    for (const moving *one = first_moving; one != NULL; one = one->next) {
        if (!gt_slot_add(sequence->replay, one->changed, one->to)) return false;
    }
    return true;
}

static bool visit(void *context, uint32_t step) {
    gt_sequence *sequence = context;
    gt_bytes edit = sequence->edits[step]->edit;
    sequence->replay->work++;
    sequence->seen[step] = (uint32_t)gt_spans_shown(&sequence->spans);
    if (gt_edit_is_unset(edit)) return remove_seen(sequence, step, 0, gt_spans_shown(&sequence->spans));
    return apply_runs(sequence, step, edit);
}

static bool touches(void *context, uint32_t step) { return ((gt_sequence *)context)->edits[step] != NULL; }

gt_sequence *gt_sequence_replay(gt_replay *replay, const gt_field_history *history, uint64_t base_count) {
    enum { FAMILIES = 16 };
    gt_arena *arena = &replay->arena;
    gt_sequence *sequence = gt_arena_new(arena, 1, sizeof(*sequence));
    if (sequence == NULL || base_count >= UINT32_MAX) return NULL;
    sequence->replay = replay;
    sequence->is_list = history->field->type == GT_TYPE_LIST;
    gt_spans_init(&sequence->spans, arena);
    sequence->family_places = FAMILIES;
    sequence->families = gt_arena_new(arena, FAMILIES, sizeof(*sequence->families));
    sequence->edits = gt_arena_new(arena, replay->step_count, sizeof(*sequence->edits));
    sequence->removals = gt_arena_new(arena, replay->step_count, sizeof(*sequence->removals));
    sequence->inserted = gt_arena_new(arena, replay->step_count, sizeof(*sequence->inserted));
    sequence->seen = gt_arena_new(arena, replay->step_count, sizeof(*sequence->seen));
    if (history->field->type == GT_TYPE_RICHTEXT) {
        sequence->marks = gt_marks_new(replay, &sequence->spans);
        if (sequence->marks == NULL) return NULL;
    }
    if (sequence->families == NULL || sequence->edits == NULL || sequence->removals == NULL ||
        sequence->inserted == NULL || sequence->seen == NULL) {
        return NULL;
    }
    for (uint32_t i = 0; i < history->count; i++) sequence->edits[history->edits[i].step] = &history->edits[i];
    if (base_count > 0) {
        gt_span *base = gt_span_insert(&sequence->spans, NULL, (gt_element){GT_OF_BASE, 0}, (uint32_t)base_count, 1);
        if (base == NULL) return NULL;
        base->before = GT_ELEMENT_ROOT;
    }
    gt_visitor visitor = {sequence, touches, take_back, do_again, visit};
    return gt_versions_walk(replay, &visitor) ? sequence : NULL;
}

gt_span *gt_sequence_span(const gt_sequence *sequence, const gt_span *span) {
    return span == NULL ? gt_span_first(&sequence->spans, GT_BY_PLACE) : gt_span_next(span, GT_BY_PLACE);
}

/* Of steps that count, and no step that counts removed them. */
bool gt_sequence_is_left(const gt_sequence *sequence, const gt_span *span, gt_element *first) {
    *first = span->slot == NULL ? span->first : span->slot->of->element;
    if (span->slot != NULL ? !gt_slot_is_left(span->slot) : span->gone) return false;
    return first->step == GT_OF_BASE || !sequence->replay->steps[first->step].is_void;
}

bool gt_sequence_next(const gt_sequence *sequence, gt_span **span, gt_element *first, uint32_t *count) {
    do {
        *span = gt_sequence_span(sequence, *span);
        if (*span == NULL) return false;
    } while (!gt_sequence_is_left(sequence, *span, first));
    *count = (*span)->length;
    return true;
}

gt_marks *gt_sequence_marks(const gt_sequence *sequence) { return sequence->marks; }

uint64_t gt_sequence_seen_by(const gt_sequence *sequence, uint32_t step) { return sequence->seen[step]; }

const gt_spans *gt_sequence_spans(const gt_sequence *sequence) { return &sequence->spans; }

const gt_removal *gt_sequence_removed(const gt_sequence *sequence, uint32_t step) { return sequence->removals[step]; }

uint32_t gt_sequence_inserted(const gt_sequence *sequence, uint32_t step) { return sequence->inserted[step]; }
