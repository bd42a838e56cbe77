/* What a filter is compiled to. Only for filter_compile.c and filter_match.c.
 *
 * Nodes lie in one array, parents before children: the children of node i begin at i + 1, and each ends
 * where `end` says. Operands point into the filter's own copy of the document or into its arena. */
#ifndef GT_QUERY_FILTER_PROGRAM_H
#define GT_QUERY_FILTER_PROGRAM_H

#include "base/arena.h"
#include "query/field.h"
#include "query/filter.h"
#include "schema/pattern.h"

typedef enum gt_filter_operator {
    GT_FILTER_AND, /* of the children; true without any */
    GT_FILTER_OR,  /* of the children; false without any */
    GT_FILTER_EQ,
    GT_FILTER_GT,
    GT_FILTER_GTE,
    GT_FILTER_LT,
    GT_FILTER_LTE,
    GT_FILTER_IN,
    GT_FILTER_EXISTS,
    GT_FILTER_CONTAINS,
    GT_FILTER_STARTS_WITH,
    GT_FILTER_REGEX,
} gt_filter_operator;

typedef struct gt_filter_operand {
    gt_bytes value;
    gt_bytes as_set; /* of an array: the set of its elements, which a set field is compared with; else NULL */
    gt_kind kind;
    bool exact; /* equal values have equal bytes */
} gt_filter_operand;

typedef struct gt_filter_node {
    gt_filter_operator operation;
    bool negated;
    uint32_t end;       /* index behind the last descendant */
    gt_field_path path; /* tests only, as is all below */
    gt_filter_operand operand;
    gt_bytes text; /* CONTAINS with a text, STARTS_WITH: the text itself; else data NULL */
    gt_bytes *in;  /* IN: ascending by gt_value_compare */
    size_t in_count;
    bool in_null;
    gt_pattern *pattern; /* REGEX */
} gt_filter_node;

struct gt_filter {
    const gt_alloc *alloc;
    gt_arena arena;
    gt_filter_node *nodes;
    size_t node_count, node_capacity;
};

#endif
