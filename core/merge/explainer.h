/* What the files that explain share: one explanation in the making. Only for explain*.c. */
#ifndef GT_MERGE_EXPLAINER_H
#define GT_MERGE_EXPLAINER_H

#include "merge/explain.h"
#include "merge/type.h"

#define NOBODY UINT32_MAX /* no step */

typedef struct gt_explainer {
    gt_replay replay; /* its arena is that of the explanation until the end */
    gt_field_history history;
    gt_explanation *out;  /* verdicts[i] is of history.edits[i] */
    uint32_t *verdict_of; /* by step, plus one; 0: it does not touch the field */
    uint64_t probes;
    bool *above; /* by edit: it unsets an object in which the field is */
    bool any_above;
} gt_explainer;

static inline gt_verdict *gt_verdict_of(const gt_explainer *e, uint32_t step) {
    return &e->out->verdicts[e->verdict_of[step] - 1];
}

/* Room for so many parts of a verdict. NULL when there is no memory. */
gt_part *gt_verdict_parts(gt_explainer *e, gt_verdict *verdict, uint32_t count);

/* The only part of the verdict on an edit: "unset", or `what`. NULL when there is no memory. */
gt_part *gt_verdict_part(gt_explainer *e, uint32_t edit, const char *what);

/* `by` took the place of something that the step did. */
void gt_verdict_by(gt_verdict *verdict, uint32_t by);

/* Whether there is work left to do; false once the limit is reached. */
bool gt_explainer_may(gt_explainer *e);

/* Who removed what: `removers` and `adders` are steps in order of (time, id). For each remover `removed_any[i]` tells
 * whether it saw an addition; for each adder `removed_by[i]` the first remover that saw it, or UINT32_MAX. */
typedef struct gt_removals {
    const uint32_t *adders, *removers;
    uint32_t adder_count, remover_count;
    uint32_t *removed_by;
    bool *removed_any;
} gt_removals;

/* Fills removed_by and removed_any, both zero and as long as their lists. False when there is no memory. */
bool gt_explainer_match(gt_explainer *e, gt_past *past, gt_removals *removals);

/* Whether the field is there at all: adds to what unsets did that they took it away, and to edits that nothing else is left
 * of that they make it be there; `unset` is what gt_field_unset_past() says. Every edit has its parts, and an edit that is no
 * unset room for one more. False when there is no memory. */
bool gt_explain_presence(gt_explainer *e, gt_past *unset, bool any_unset);

bool gt_explain_single(gt_explainer *e);
bool gt_explain_single_inside(gt_explainer *e); /* in objects that are unset */
bool gt_explain_counter(gt_explainer *e);
bool gt_explain_keyed(gt_explainer *e);    /* sets and maps */
bool gt_explain_sequence(gt_explainer *e); /* text and lists */
bool gt_explain_rich(gt_explainer *e);
bool gt_explain_strategy(gt_explainer *e);   /* text, lists and rich text where something is left out */
bool gt_explain_by_replays(gt_explainer *e); /* any type */

#endif
