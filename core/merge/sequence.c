#include "merge/sequence.h"

#include "base/assert.h"
#include "merge/gaps.h"
#include "merge/nodes.h"
#include "merge/rich_runs.h"
#include "merge/versions.h"

/* An element that a step gave another value. */
typedef struct valuation {
    struct valuation *next;
    gt_changed *changed;
} valuation;

/* What a step does. */
typedef struct doing {
    gt_bytes edit; /* data NULL: it does not touch the field */
    gt_removal *removals;
    valuation *valuations; /* only with contests */
    uint32_t inserted;     /* elements, and slots of those that it moves */
    uint32_t seen;         /* elements that its author saw */
} doing;

struct gt_sequence {
    gt_replay *replay;
    gt_spans spans;
    bool is_list;
    gt_marks *marks; /* of rich text; NULL: it is none */
    gt_nodes nodes;
    gt_contests *contests; /* NULL: insertions are all kept */
    doing *of;             /* by step */
    size_t room;
    uint32_t edit_count; /* of the history, that were taken in */
    gt_versions versions;
};

/* The span that begins with an element, which is in this one. */
static gt_span *begin_in(gt_sequence *sequence, gt_span *span, gt_element element) {
    uint32_t at = element.index - span->first.index;
    return at == 0 ? span : gt_span_split(&sequence->spans, span, at);
}

/* ---- inserting ---- */

/* NULL when there is no memory. */
static gt_span *insert(gt_sequence *sequence, gt_gap at, gt_element first, uint32_t length, bool moves) {
    gt_spans *spans = &sequence->spans;
    gt_nodes *nodes = &sequence->nodes;
    gt_node *own = gt_arena_new(spans->arena, 1, sizeof(*own));
    if (own == NULL || !gt_nodes_reserve(nodes)) return NULL;
    gt_family *siblings = gt_nodes_family(nodes, at.parent, at.left);
    gt_node **link = gt_nodes_link(nodes, siblings, first);
    gt_span *parent = gt_element_is(at.parent, GT_ELEMENT_ROOT) ? NULL : gt_spans_find(spans, at.parent), *next;
    if (*link != NULL) {
        gt_element behind = gt_node_leftmost(nodes, *link);
        next = begin_in(sequence, gt_spans_find(spans, behind), behind);
        if (next == NULL) return NULL;
    } else if (at.left) {
        next = begin_in(sequence, parent, at.parent);
        if (next == NULL) return NULL;
    } else {
        const gt_node *last = gt_family_last(siblings);
        const gt_span *before = last == NULL ? parent : gt_spans_find(spans, gt_node_rightmost(nodes, last));
        next = before == NULL ? gt_span_first(spans, GT_BY_PLACE) : gt_span_next(before, GT_BY_PLACE);
    }
    gt_span *span = gt_span_insert(spans, next, first, length, 1);
    if (span == NULL) return NULL;
    span->before = at.before;
    span->node = own;
    nodes->count += siblings->first == NULL;
    siblings->parent = at.parent;
    siblings->left = at.left;
    *own = (gt_node){.first = first, .length = length, .moves = moves};
    own->parent = parent == NULL ? NULL : parent->node;
    if (!gt_nodes_hang(nodes, siblings, link, own)) return NULL;
    return sequence->contests == NULL || gt_contests_add(sequence->contests, siblings, own) ? span : NULL;
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
        *one = (gt_removal){.next = sequence->of[step].removals, .first = span->first, .count = span->length};
        sequence->of[step].removals = one;
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

/* An element with slots loses one of them: it may stand in another. */
static void discard_span(gt_sequence *sequence, gt_span *span, int by) {
    span->discards = by > 0 ? span->discards + 1 : span->discards - 1;
    if (span->slot != NULL) {
        gt_span_touch(span);
        gt_slot_update(sequence->replay, span->slot);
    } else {
        gt_span_set_state(span, by > 0 ? span->state + 1 : span->state - 1);
    }
}

/* What was left out of its author's view he did not keep: whoever goes on from
 * a view removes what is not in it. What a step that this one comes after has
 * discarded is discarded already. */
static bool discard(gt_sequence *sequence, uint32_t step) {
    gt_spans *spans = &sequence->spans;
    bool counts = !sequence->replay->steps[step].is_void;
    for (gt_span *span; (span = gt_spans_first_left_out(spans)) != NULL;) {
        gt_removal *one = gt_arena_new(spans->arena, 1, sizeof(*one));
        if (one == NULL) return false;
        *one = (gt_removal){sequence->of[step].removals, span->first, span->length, true};
        sequence->of[step].removals = one;
        span->given_up = span->given_up || counts;
        discard_span(sequence, span, 1);
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
            gt_slot_take_back(sequence->replay, span->slot);
        }
        if (count > 0) span = gt_span_next(span, GT_BY_ELEMENT);
    }
}

static void shift_discards(gt_sequence *sequence, const gt_removal *one, int by) {
    gt_span *span = gt_spans_find(&sequence->spans, one->first);
    for (uint32_t count = one->count; count > 0; span = gt_span_next(span, GT_BY_ELEMENT)) {
        count -= span->length;
        discard_span(sequence, span, by);
    }
}

static void shift_removed(gt_sequence *sequence, uint32_t step, int by) {
    for (const gt_removal *one = sequence->of[step].removals; one != NULL; one = one->next) {
        if (one->discards) {
            shift_discards(sequence, one, by);
        } else {
            shift(sequence, one->first, one->count, by);
        }
    }
    for (const valuation *one = sequence->of[step].valuations; one != NULL; one = one->next) {
        gt_changed_value(one->changed, by);
    }
}

static void take_back(void *context, uint32_t step) {
    gt_sequence *sequence = context;
    shift_removed(sequence, step, -1);
    shift(sequence, (gt_element){step, 0}, sequence->of[step].inserted, -1);
}

static void do_again(void *context, uint32_t step) {
    gt_sequence *sequence = context;
    shift(sequence, (gt_element){step, 0}, sequence->of[step].inserted, 1);
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

/* The element at a position, to be moved or given another value. NULL when
 * there is no memory. */
static gt_changed *change_at(gt_sequence *sequence, uint64_t position) {
    gt_spans *spans = &sequence->spans;
    uint32_t within;
    gt_span *span = gt_spans_at(spans, position, &within);
    if (within > 0) span = gt_span_split(spans, span, within);
    if (span != NULL && span->length > 1 && gt_span_split(spans, span, 1) == NULL) return NULL;
    return span == NULL ? NULL : gt_changed_of(spans->arena, span);
}

static bool set_value(gt_sequence *sequence, uint32_t step, gt_changed *changed, gt_bytes value) {
    gt_changed_set(sequence->replay, changed, step, value);
    if (sequence->contests == NULL) return true;
    valuation *one = gt_arena_new(sequence->spans.arena, 1, sizeof(*one));
    if (one == NULL) return false;
    *one = (valuation){sequence->of[step].valuations, changed};
    sequence->of[step].valuations = one;
    gt_changed_value(changed, 1);
    return true;
}

/* Which elements an edit of a list moves, in its order, found while all stand
 * where its author saw them; those that it gives another value get it. */
static bool find_changed(gt_sequence *sequence, uint32_t step, gt_run_iter iter, moving **first) {
    uint64_t position = 0;
    for (gt_run run; gt_run_next(&iter, &run);) {
        if (run.kind == GT_RUN_KEEP || run.kind == GT_RUN_REMOVE) position += run.count;
        if (run.kind != GT_RUN_MOVE && run.kind != GT_RUN_SET) continue;
        gt_changed *changed = change_at(sequence, run.kind == GT_RUN_SET ? position++ : run.from);
        if (changed == NULL) return false;
        if (run.value.data != NULL && !set_value(sequence, step, changed, run.value)) return false;
        if (run.kind == GT_RUN_SET) continue;
        moving *one = gt_arena_new(sequence->spans.arena, 1, sizeof(*one));
        if (one == NULL) return false;
        one->changed = changed;
        *first = one;
        first = &one->next;
    }
    return true;
}

/* Of rich text: what a run that keeps elements says of their attributes. A run
 * that is next to it `goes_on` from there. */
static bool mark(gt_sequence *sequence, uint32_t step, const gt_run *run, uint64_t position, bool *goes_on) {
    if (sequence->replay->steps[step].is_void) return true;
    bool done = gt_marks_add(sequence->marks, &sequence->spans, step, position, run->count, run->value, *goes_on);
    *goes_on = true;
    return done;
}

/* Where an insertion goes: with contests, behind what it takes the place of and
 * all that was removed there. */
static gt_gap gap_of(const gt_sequence *sequence, gt_run_iter iter, uint64_t position) {
    gt_run run = {.kind = GT_RUN_INSERT};
    if (sequence->contests == NULL) return gt_gap_behind(&sequence->spans, position);
    while (run.kind == GT_RUN_INSERT || run.kind == GT_RUN_MOVE) {
        if (!gt_run_next(&iter, &run)) return gt_gap_before(&sequence->spans, position);
    }
    return gt_gap_before(&sequence->spans, position + (run.kind == GT_RUN_REMOVE ? run.count : 0));
}

static bool apply_runs(gt_sequence *sequence, uint32_t step, gt_bytes edit) {
    uint64_t shown = gt_spans_shown(&sequence->spans);
    gt_run_iter iter = sequence->marks != NULL ? gt_rich_runs_of(edit, shown) : gt_runs_of(edit, shown);
    stretch *last = NULL;
    moving *first_moving = NULL, *next_moving;
    uint64_t position = 0, behind = 0; /* inserted since the last run that inserts nothing, and
                          stands behind the next one */
    bool goes_on = false;
    if (sequence->is_list && !find_changed(sequence, step, iter, &first_moving)) return false;
    next_moving = first_moving;
    for (gt_run run; gt_run_next(&iter, &run); position += run.count) {
        if (run.kind == GT_RUN_INSERT || run.kind == GT_RUN_MOVE) {
            uint32_t index = sequence->of[step].inserted;
            GOAT_ASSERT(run.count < UINT32_MAX - index);
            gt_gap at = gap_of(sequence, iter, position);
            gt_span *span =
                insert(sequence, at, (gt_element){step, index}, (uint32_t)run.count, run.kind == GT_RUN_MOVE);
            if (span == NULL) return false;
            sequence->of[step].inserted += (uint32_t)run.count;
            goes_on = false;
            if (sequence->contests != NULL) behind += run.count;
            if (run.kind == GT_RUN_INSERT) continue;
            next_moving->to = span;
            next_moving = next_moving->next;
            continue;
        }
        if (run.kind == GT_RUN_REMOVE) {
            stretch *one = gt_arena_new(sequence->spans.arena, 1, sizeof(*one));
            if (one == NULL) return false;
            *one = (stretch){.before = last, .position = position - behind, .count = run.count};
            last = one;
        } else if (run.kind == GT_RUN_KEEP && sequence->marks != NULL && run.value.data != NULL) {
            if (!mark(sequence, step, &run, position, &goes_on)) return false;
            behind = 0;
            continue;
        }
        goes_on = false;
        behind = 0;
    }
    /* Removals come last, from the last to the first, so that no position is
   * moved by another; and only then is what was moved no more where it was. */
    for (; last != NULL; last = last->before) {
        if (!remove_seen(sequence, step, last->position, last->count)) return false;
    }
    for (const moving *one = first_moving; one != NULL; one = one->next) {
        if (!gt_slot_add(sequence->replay, sequence->spans.arena, one->changed, one->to)) return false;
    }
    return true;
}

static bool visit(void *context, uint32_t step) {
    gt_sequence *sequence = context;
    gt_bytes edit = sequence->of[step].edit;
    sequence->replay->work++;
    if (sequence->contests != NULL && !(gt_contests_judge(sequence->contests) && discard(sequence, step))) return false;
    sequence->of[step].seen = (uint32_t)gt_spans_shown(&sequence->spans);
    if (gt_edit_is_unset(edit)) return remove_seen(sequence, step, 0, gt_spans_shown(&sequence->spans));
    return apply_runs(sequence, step, edit);
}

static bool touches(void *context, uint32_t step) { return ((gt_sequence *)context)->of[step].edit.data != NULL; }

static bool has_contests(const gt_field *field) { return field->merge != 0 && field->merge != GT_STRATEGY_BOTH; }

/* What a void step has discarded is so for good if a step that counts came
 * after it. */
static bool end_discards(gt_sequence *sequence) {
    const gt_replay *replay = sequence->replay;
    bool *is_followed = gt_arena_new(sequence->spans.arena, replay->step_count, sizeof(*is_followed));
    if (is_followed == NULL) return false;
    for (uint32_t i = replay->step_count; i-- > 0;) {
        const gt_step *step = &replay->steps[i];
        bool follows = is_followed[i] || (sequence->of[i].edit.data != NULL && !step->is_void);
        for (uint32_t p = 0; p < step->parent_count; p++) is_followed[step->parents[p]] |= follows;
        for (const gt_removal *one = sequence->of[i].removals; is_followed[i] && one != NULL; one = one->next) {
            gt_span *span = gt_spans_find(&sequence->spans, one->first);
            for (uint32_t count = one->discards ? one->count : 0; count > 0; span = gt_span_next(span, GT_BY_ELEMENT)) {
                count -= span->length;
                span->given_up = true;
            }
        }
    }
    return true;
}

/* Where elements of a list stand in the end. */
static void conclude_slots(gt_sequence *sequence) {
    gt_span *span = sequence->is_list ? gt_span_first(&sequence->spans, GT_BY_PLACE) : NULL;
    for (; span != NULL; span = gt_span_next(span, GT_BY_PLACE)) {
        if (span->slot != NULL && gt_slot_is_own(span->slot)) gt_slot_conclude(span->slot);
    }
}

/* For the result, void steps do not count: everything is there or not for good. */
static bool end_contests(gt_sequence *sequence) {
    const gt_step *steps = sequence->replay->steps;
    const gt_spans *spans = &sequence->spans;
    if (!end_discards(sequence)) return false;
    for (gt_span *span = gt_span_first(spans, GT_BY_PLACE); span != NULL; span = gt_span_next(span, GT_BY_PLACE)) {
        if (span->slot != NULL) {
            gt_slot_end(sequence->replay, span->slot);
            continue;
        }
        bool counts = span->first.step == GT_OF_BASE || !steps[span->first.step].is_void;
        span->discards = span->given_up;
        gt_span_set_state(span, counts && !span->gone && !span->given_up ? 1 : 2);
    }
    if (!gt_contests_judge(sequence->contests)) return false;
    conclude_slots(sequence);
    return true;
}

/* For the result of a replay that is kept, where all steps count: they are all looked at, and taken back again as far as the
 * next ones have not seen them. */
static bool look_at_all(gt_sequence *sequence, const gt_visitor *visitor) {
    if (!gt_versions_look_at_all(&sequence->versions, sequence->replay, visitor)) return false;
    if (!gt_contests_judge(sequence->contests)) return false;
    conclude_slots(sequence);
    return true;
}

static gt_sequence *new_sequence(gt_replay *replay, gt_arena *arena, const gt_field_history *history) {
    const gt_field *field = history->field;
    uint64_t base_count = gt_history_base_count(history);
    gt_sequence *sequence = gt_arena_new(arena, 1, sizeof(*sequence));
    if (sequence == NULL || base_count >= UINT32_MAX || !gt_nodes_init(&sequence->nodes, replay, arena)) return NULL;
    sequence->replay = replay;
    sequence->is_list = field->type == GT_TYPE_LIST;
    gt_spans_init(&sequence->spans, arena);
    if (field->type == GT_TYPE_RICHTEXT) {
        sequence->marks = gt_marks_new(replay, &sequence->spans);
        if (sequence->marks == NULL) return NULL;
    }
    if (has_contests(field)) {
        sequence->contests = gt_contests_new(field, &sequence->nodes, &sequence->spans);
        if (sequence->contests == NULL) return NULL;
    }
    if (base_count > 0) {
        gt_span *base = gt_span_insert(&sequence->spans, NULL, (gt_element){GT_OF_BASE, 0}, (uint32_t)base_count, 1);
        if (base == NULL) return NULL;
        base->before = GT_ELEMENT_ROOT;
    }
    return sequence;
}

/* Takes in the edits that have come since. False when there is no memory. */
static bool take_edits(gt_sequence *sequence, const gt_field_history *history) {
    uint32_t count = sequence->replay->step_count;
    if (count > sequence->room) {
        size_t room = count > 2 * sequence->room ? count : 2 * sequence->room;
        doing *more = gt_arena_new(sequence->spans.arena, room, sizeof(*more));
        if (more == NULL) return false;
        if (sequence->room > 0) memcpy(more, sequence->of, sequence->room * sizeof(*more));
        sequence->of = more;
        sequence->room = room;
    }
    for (; sequence->edit_count < history->count; sequence->edit_count++) {
        const gt_field_edit *edit = &history->edits[sequence->edit_count];
        sequence->of[edit->step].edit = edit->edit;
    }
    return true;
}

bool gt_sequence_goes_on(const gt_field *field) {
    bool has_elements = field->type == GT_TYPE_TEXT || field->type == GT_TYPE_LIST || field->type == GT_TYPE_RICHTEXT;
    return has_elements && !has_contests(field);
}

/* With a strategy the result of void steps is no version that could be gone on
 * from. */
static bool can_be_kept(const gt_replay *replay, const gt_field_history *history) {
    bool can = history->keep != NULL;
    for (uint32_t i = 0; can && has_contests(history->field) && i < replay->step_count; i++) {
        can = !replay->steps[i].is_void;
    }
    return can;
}

gt_sequence *gt_sequence_replay(gt_replay *replay, const gt_field_history *history, gt_contents *contents) {
    gt_keep *keep = can_be_kept(replay, history) ? history->keep : NULL;
    gt_arena *arena = keep == NULL ? &replay->arena : keep->arena;
    gt_sequence *sequence = keep == NULL ? NULL : keep->sequence;
    if (sequence == NULL) sequence = new_sequence(replay, arena, history);
    if (sequence == NULL || !take_edits(sequence, history)) return NULL;
    if (contents != NULL) contents->sequence = sequence;
    if (keep != NULL) keep->sequence = sequence;
    gt_visitor visitor = {sequence, touches, take_back, do_again, visit};
    if (sequence->contests != NULL) gt_contests_compare(sequence->contests, contents);
    if (!gt_versions_walk(&sequence->versions, replay, arena, &visitor)) return NULL;
    if (sequence->contests != NULL && !(keep == NULL ? end_contests(sequence) : look_at_all(sequence, &visitor))) {
        return NULL;
    }
    return contents != NULL && contents->failed ? NULL : sequence;
}

gt_span *gt_sequence_span(const gt_sequence *sequence, const gt_span *span) {
    return span == NULL ? gt_span_first(&sequence->spans, GT_BY_PLACE) : gt_span_next(span, GT_BY_PLACE);
}

bool gt_sequence_align(gt_sequence *one, gt_sequence *two) {
    gt_span *a = gt_sequence_span(one, NULL), *b = gt_sequence_span(two, NULL);
    for (; a != NULL && b != NULL; a = gt_sequence_span(one, a), b = gt_sequence_span(two, b)) {
        if (a->length > b->length && gt_span_split(&one->spans, a, b->length) == NULL) return false;
        if (b->length > a->length && gt_span_split(&two->spans, b, a->length) == NULL) return false;
    }
    return true;
}

/* Of steps that count, and no step that counts removed them. */
bool gt_sequence_is_left(const gt_sequence *sequence, const gt_span *span, gt_element *first) {
    *first = span->slot == NULL ? span->first : span->slot->of->element;
    if (span->lost > 0 || span->hidden) return false;
    if (span->slot != NULL ? !gt_slot_is_left(span->slot) : span->gone || span->given_up) return false;
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
uint64_t gt_sequence_seen_by(const gt_sequence *sequence, uint32_t step) { return sequence->of[step].seen; }
const gt_contests *gt_sequence_contests(const gt_sequence *sequence) { return sequence->contests; }
const gt_spans *gt_sequence_spans(const gt_sequence *sequence) { return &sequence->spans; }
const gt_removal *gt_sequence_removed(const gt_sequence *sequence, uint32_t step) {
    return sequence->of[step].removals;
}

uint32_t gt_sequence_inserted(const gt_sequence *sequence, uint32_t step) { return sequence->of[step].inserted; }
