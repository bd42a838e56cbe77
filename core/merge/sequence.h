/* The order of elements that several authors inserted and removed: what text, lists and rich text have in common.
 *
 * The method is Eg-walker (Gentle and Kleppmann 2024, "Collaborative Text Editing with Eg-walker"): the steps are gone
 * through in an order in which parents come first; before each, the version looked at is made that of its parents by
 * taking back and doing again, so that its positions mean what its author meant by them. Where insertions meet at one
 * place their order is that of Fugue (Weidner and Kleppmann 2023, "The Art of the Fugue"): a tree in which each insertion
 * hangs on its neighbour on one side, so that runs never interleave; siblings stand in the order of their commit ids.
 *
 * The result is a function of the steps alone: not of the order in which they came, and not of where the base lies. */
#ifndef GT_MERGE_SEQUENCE_H
#define GT_MERGE_SEQUENCE_H

#include "merge/contests.h"
#include "merge/marks.h"
#include "merge/runs.h"
#include "merge/slots.h"
#include "merge/spans.h"
#include "merge/type.h"

typedef struct gt_sequence gt_sequence;

/* Replays the edits of a history on its base. `undefined` removes all that its author saw. `contents`
 * may be NULL but for the strategy `merged`. NULL when there is no memory. It lives in the replay's arena; or where the
 * history says that it is kept, and then only what has come since is replayed: but where some insertions are left out
 * (contests.h) and a step is void, because the end of a replay then takes their versions for the result. */
gt_sequence *gt_sequence_replay(gt_replay *replay, const gt_field_history *history, gt_contents *contents);

/* Whether a field has a sequence that goes on from what is kept whatever steps are void. */
bool gt_sequence_goes_on(const gt_field *field);

/* What is left, in order: so many elements from `first` on. False at the end. `*span` is NULL to begin with; of an element
 * that was moved or given another value it has a slot. */
bool gt_sequence_next(const gt_sequence *sequence, gt_span **span, gt_element *first, uint32_t *count);

/* All spans, in order, whether anything is left of them or not: the one behind `span` (NULL: the first), NULL at the end.
 * Two replays of the same history that differ in which steps are void have the same elements in the same order. */
gt_span *gt_sequence_span(const gt_sequence *sequence, const gt_span *span);

/* Cuts the spans of two such replays where those of the other one are cut: what is left out (contests.h) and attributes cut them, and
 * depend on what is void. False when there is no memory. */
bool gt_sequence_align(gt_sequence *one, gt_sequence *two);

/* Whether the elements of a span are left here; `*first` is the first of them, also if they are not. */
bool gt_sequence_is_left(const gt_sequence *sequence, const gt_span *span, gt_element *first);

/* Of rich text: the attributes that were given to it. */
gt_marks *gt_sequence_marks(const gt_sequence *sequence);

/* A stretch of elements that a step removed, all inserted by one step. */
typedef struct gt_removal {
    struct gt_removal *next;
    gt_element first;
    uint32_t count;
    bool discards; /* what its author did not see, because it was left out (contests.h) */
} gt_removal;

/* For those who explain: where everything stands, what is not left included; what a step removed (void or not), NULL behind
 * the last; and how many elements it inserted, slots of those that it moved included. */
const gt_spans *gt_sequence_spans(const gt_sequence *sequence);
const gt_removal *gt_sequence_removed(const gt_sequence *sequence, uint32_t step);
uint32_t gt_sequence_inserted(const gt_sequence *sequence, uint32_t step);

/* NULL: insertions are all kept. */
const gt_contests *gt_sequence_contests(const gt_sequence *sequence);

/* How many elements the author of a step saw that touches the field. */
uint64_t gt_sequence_seen_by(const gt_sequence *sequence, uint32_t step);

#endif
