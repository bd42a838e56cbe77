/* Which steps of a replay a field's value comes from, and by which rule.
 *
 * A step *stands* with what it did if the type's rule picks that for the value: a written value that is the latest, an
 * element that was inserted and is there, one that was removed and is not. A step contributed if anything that it did
 * stands. Where no two did the same, that is exactly so if the value would be another without it; of two that removed the
 * same element, or added it to a set, both contributed. Without all those that did not contribute the value is the same
 * (tests/unit/merge_explain_test.c).
 *
 * Each field is gone through once, with the rules of its type (README.md); nothing is replayed for single steps, except
 * where a type has no explanation of its own, and then for a few (GT_EXPLAIN_REPLAYS_MAX). */
#ifndef GT_MERGE_EXPLAIN_H
#define GT_MERGE_EXPLAIN_H

#include "merge/merge.h"

enum {
    GT_EXPLAIN_BY_MAX = 4,         /* of the steps that took the place of one, so many are named */
    GT_EXPLAIN_REPLAYS_MAX = 256,  /* steps that are judged by a replay without them, the last ones */
    GT_EXPLAIN_WORK_MAX = 1 << 26, /* questions of who saw whom; about a second */
};

typedef enum gt_effect {
    GT_EFFECT_NONE,       /* it did nothing that was not so before: removed what was not there */
    GT_EFFECT_KEPT,       /* all that it did stands */
    GT_EFFECT_PART,       /* some of it */
    GT_EFFECT_OVERRIDDEN, /* none of it */
    GT_EFFECT_VOID,       /* the step is void */
    GT_EFFECT_UNKNOWN,    /* not looked into: a limit was reached */
} gt_effect;

const char *gt_effect_name(gt_effect effect);

/* One thing that a step did to the field. */
typedef struct gt_part {
    /* "written" "unset" "added" "removed" "put" "incremented" "inserted" "moved" "replaced" "formatted"; "made": so that the field is
     * there; "superseded": kept an older write from standing; "edited"; "deleted" "undeleted" */
    const char *what;
    gt_bytes key;    /* the element of a set or the key of a map, encoded; data NULL: none */
    int64_t by;      /* "incremented" */
    uint32_t count;  /* of elements */
    uint32_t stands; /* so many of them */
} gt_part;

/* A step that edits the field. */
typedef struct gt_verdict {
    uint32_t step;
    gt_effect effect;
    const gt_part *parts;
    uint32_t part_count;
    uint32_t by[GT_EXPLAIN_BY_MAX]; /* steps that took the place of what does not stand */
    uint8_t by_count;
    bool by_more; /* there are others */
} gt_verdict;

typedef struct gt_explanation {
    gt_arena arena;
    gt_verdict *verdicts; /* in the order of the steps */
    uint32_t count;
    gt_effect base; /* what becomes of the base's value; NONE: it has none */
    bool is_limited;
    uint64_t work;
} gt_explanation;

/* The rule by which a field merges, in words. */
const char *gt_merge_rule(const gt_field *field);

/* Whether nothing that came before an edit matters any more: what was written last is the value. */
bool gt_merge_settles(const gt_field *field);

/* Explains one field of what gt_merge_replay() makes of the same: the last of `path`, those before it being the objects in
 * which it is (gt_schema_path()), of which the first is the item's. End it with gt_explanation_free, also after a failure.
 * GOAT_OK, GOAT_NO_MEMORY, GOAT_INVALID as gt_merge_replay. */
goat_status gt_merge_explain(const gt_alloc *alloc, const gt_field *const *path, size_t path_len, gt_bytes base,
                             const gt_step *steps, uint32_t step_count, gt_explanation *out, gt_diag *diag);
void gt_explanation_free(gt_explanation *explanation);

/* The same of the item's deletion: a verdict for each step that deletes it or brings it back. */
goat_status gt_merge_explain_deletion(const gt_alloc *alloc, gt_bytes base, const gt_step *steps, uint32_t step_count,
                                      gt_explanation *out, gt_diag *diag);

#endif
