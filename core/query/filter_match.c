/* Running a filter over one state. Each test visits the values at the end of its path until one of them
 * passes; nothing is decoded that no test asks for. */
#include "query/filter.h"

#include "query/filter_program.h"

typedef struct match {
    const gt_filter *filter;
    gt_bytes state;
    const gt_schema *schema;
    bool no_memory; /* a pattern could not be tried; the answer is worth nothing */
} match;

typedef struct test {
    match *match;
    const gt_filter_node *node;
} test;

static bool equals(const gt_filter_operand *operand, gt_bytes value) {
    if (operand->exact) {
        return gt_bytes_equal(operand->value, value);
    }
    return gt_value_compare(operand->value, value) == 0 ||
           (operand->as_set.data != NULL && gt_value_kind(value) == GT_KIND_SET &&
            gt_value_compare(operand->as_set, value) == 0);
}

/* Whether the two are of one class, inside which MongoDB's $gt and the like compare. */
static bool same_class(gt_kind a, gt_kind b) {
    if (a == GT_KIND_INT || a == GT_KIND_ARRAY) {
        gt_kind other = a == GT_KIND_INT ? GT_KIND_DOUBLE : GT_KIND_SET;
        return b == a || b == other;
    }
    if (a == GT_KIND_DOUBLE || a == GT_KIND_SET) {
        gt_kind other = a == GT_KIND_DOUBLE ? GT_KIND_INT : GT_KIND_ARRAY;
        return b == a || b == other;
    }
    return a == b;
}

static bool compares(const gt_filter_node *node, gt_bytes value) {
    if (!same_class(node->operand.kind, gt_value_kind(value))) {
        return false;
    }
    int order = gt_value_compare(value, node->operand.value);
    switch (node->operation) {
    case GT_FILTER_GT: return order > 0;
    case GT_FILTER_GTE: return order >= 0;
    case GT_FILTER_LT: return order < 0;
    default: return order <= 0;
    }
}

static bool is_in(const gt_filter_node *node, gt_bytes value) {
    size_t low = 0, high = node->in_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = gt_value_compare(node->in[middle], value);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static bool contains_text(gt_bytes text, gt_bytes part) {
    if (part.len == 0) {
        return true;
    }
    while (text.len >= part.len) {
        const uint8_t *found = memchr(text.data, part.data[0], text.len - part.len + 1);
        if (found == NULL) {
            return false;
        }
        if (memcmp(found, part.data, part.len) == 0) {
            return true;
        }
        text.len -= (size_t)(found + 1 - text.data);
        text.data = found + 1;
    }
    return false;
}

/* A text contains a text; an array or set contains an element, and what its elements contain. */
static bool contains(const gt_filter_node *node, gt_bytes value, bool is_element) {
    gt_bytes text;
    if (node->text.data != NULL) {
        return gt_value_as_text(value, &text) && contains_text(text, node->text);
    }
    return is_element && equals(&node->operand, value);
}

static bool starts_with(gt_bytes value, gt_bytes part) {
    gt_bytes text;
    return gt_value_as_text(value, &text) && text.len >= part.len &&
           (part.len == 0 || memcmp(text.data, part.data, part.len) == 0);
}

static bool fits_pattern(test *t, gt_bytes value) {
    gt_bytes text;
    if (!gt_value_as_text(value, &text)) {
        return false;
    }
    gt_match found = gt_pattern_find(t->node->pattern, text);
    t->match->no_memory = t->match->no_memory || found == GT_MATCH_NO_MEMORY;
    return found == GT_MATCH_YES;
}

/* A missing value equals null, and so is not below or above it either, and is nothing else. */
static bool fits_missing(const gt_filter_node *node) {
    switch (node->operation) {
    case GT_FILTER_EQ:
    case GT_FILTER_GTE:
    case GT_FILTER_LTE: return node->operand.kind == GT_KIND_NULL;
    case GT_FILTER_IN: return node->in_null;
    default: return false;
    }
}

static bool test_value(void *context, gt_bytes value, bool is_element) {
    test *t = context;
    const gt_filter_node *node = t->node;
    if (value.data == NULL) {
        return fits_missing(node);
    }
    switch (node->operation) {
    case GT_FILTER_EQ: return equals(&node->operand, value);
    case GT_FILTER_IN: return is_in(node, value);
    case GT_FILTER_EXISTS: return true;
    case GT_FILTER_CONTAINS: return contains(node, value, is_element);
    case GT_FILTER_STARTS_WITH: return starts_with(value, node->text);
    case GT_FILTER_REGEX: return fits_pattern(t, value);
    default: return compares(node, value);
    }
}

/* Most paths are one name, and most values no array: those do without a walk. */
static bool match_test(match *m, const gt_filter_node *node) {
    test t = {m, node};
    if (node->path.count > 1) {
        return gt_field_walk(&node->path, m->state, m->schema, test_value, &t);
    }
    gt_bytes value = gt_field_value(m->state, m->schema, node->path.segments[0].name);
    return value.data == NULL ? fits_missing(node) : gt_field_walk_end(value, test_value, &t);
}

static bool match_node(match *m, uint32_t index) {
    const gt_filter_node *node = &m->filter->nodes[index];
    bool result;
    if (node->operation == GT_FILTER_AND || node->operation == GT_FILTER_OR) {
        bool decisive = node->operation == GT_FILTER_OR; /* the answer of a child that settles it */
        result = !decisive;
        for (uint32_t child = index + 1; child < node->end && result != decisive; child = m->filter->nodes[child].end) {
            result = match_node(m, child);
        }
    } else {
        result = match_test(m, node);
    }
    return result != node->negated;
}

goat_status gt_filter_match(const gt_filter *filter, gt_bytes state, const gt_schema *schema, bool *matches) {
    match m = {filter, state, schema, false};
    *matches = match_node(&m, 0);
    return m.no_memory ? GOAT_NO_MEMORY : GOAT_OK;
}
