/* What the files that compile a filter share. A fault names its place, which is kept as a chain on the
 * stack while the document is gone through and written out only when it is wanted. */
#ifndef GT_QUERY_FILTER_COMPILER_H
#define GT_QUERY_FILTER_COMPILER_H

#include "query/filter_program.h"

typedef struct gt_filter_place {
    const struct gt_filter_place *above;
    gt_bytes name; /* data NULL: an element, `index` */
    uint32_t index;
} gt_filter_place;

typedef struct gt_filter_compiler {
    gt_filter *filter;
    gt_diag *diag;
    uint32_t patterns;
} gt_filter_compiler;

typedef enum gt_operand_rule {
    GT_OPERAND_ANY,
    GT_OPERAND_LIST,
    GT_OPERAND_TRUTH,
    GT_OPERAND_TEXT,
    GT_OPERAND_CONDITION, /* $not: compiled where conditions are */
} gt_operand_rule;

typedef struct gt_filter_word {
    const char *name;
    gt_filter_operator operation;
    bool negated;
    gt_operand_rule rule;
} gt_filter_word;

/* The operator of a condition that has this name; NULL: none. */
const gt_filter_word *gt_filter_word_find(gt_bytes name);

static inline bool gt_filter_is_operator(gt_bytes name) { return name.len > 0 && name.data[0] == '$'; }

/* Whether some key of a map is an operator's. */
bool gt_filter_has_operator(gt_bytes map);

/* Records a fault and its place; gives GOAT_INVALID, GOAT_INVALID, GOAT_TOO_LARGE. `at_place` adds the place
 * to a fault that has been recorded, and gives back its status. */
goat_status gt_filter_fault(gt_filter_compiler *c, const gt_filter_place *at, const char *words);
goat_status gt_filter_unknown_operator(gt_filter_compiler *c, const gt_filter_place *at);
goat_status gt_filter_too_many(gt_filter_compiler *c, const gt_filter_place *at, int limit, const char *what);
goat_status gt_filter_at_place(gt_filter_compiler *c, const gt_filter_place *at, goat_status status);

/* What an operator is given, into its node; `options` is what stands under $options, data NULL: nothing. */
goat_status gt_filter_fill(gt_filter_compiler *c, const gt_filter_place *at, const gt_filter_word *word, gt_bytes value,
                           gt_bytes options, gt_filter_node *node);

#endif
