/* Operators and what they are given: one value, a list, a truth, a text, a pattern. And the faults of a
 * filter, which say where they are. */
#include "query/filter_compiler.h"

#include "value/build.h"
#include "value/sort.h"

#include <stdio.h>

static const gt_filter_word words[] = {
    {"$eq", GT_FILTER_EQ, false, GT_OPERAND_ANY},
    {"$ne", GT_FILTER_EQ, true, GT_OPERAND_ANY},
    {"$gt", GT_FILTER_GT, false, GT_OPERAND_ANY},
    {"$gte", GT_FILTER_GTE, false, GT_OPERAND_ANY},
    {"$lt", GT_FILTER_LT, false, GT_OPERAND_ANY},
    {"$lte", GT_FILTER_LTE, false, GT_OPERAND_ANY},
    {"$in", GT_FILTER_IN, false, GT_OPERAND_LIST},
    {"$nin", GT_FILTER_IN, true, GT_OPERAND_LIST},
    {"$exists", GT_FILTER_EXISTS, false, GT_OPERAND_TRUTH},
    {"$contains", GT_FILTER_CONTAINS, false, GT_OPERAND_ANY},
    {"$startsWith", GT_FILTER_STARTS_WITH, false, GT_OPERAND_TEXT},
    {"$regex", GT_FILTER_REGEX, false, GT_OPERAND_TEXT},
    {"$not", GT_FILTER_AND, true, GT_OPERAND_CONDITION},
};

const gt_filter_word *gt_filter_word_find(gt_bytes name) {
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (gt_bytes_equal(name, gt_bytes_text(words[i].name))) {
            return &words[i];
        }
    }
    return NULL;
}

bool gt_filter_has_operator(gt_bytes map) {
    gt_bytes key, value;
    for (gt_iter iter = gt_map_iter(map); gt_map_next(&iter, &key, &value);) {
        if (gt_filter_is_operator(key)) {
            return true;
        }
    }
    return false;
}

/* ---- faults ---- */

static void append_place(gt_buf *out, const gt_filter_place *at) {
    if (at->above != NULL) {
        append_place(out, at->above);
    }
    if (at->name.data == NULL) {
        char digits[16];
        int len = snprintf(digits, sizeof digits, "[%u]", (unsigned)at->index);
        gt_buf_append(out, digits, (size_t)len);
        return;
    }
    if (at->above != NULL) {
        gt_buf_append_byte(out, '.');
    }
    gt_buf_append(out, at->name.data, at->name.len);
}

goat_status gt_filter_at_place(gt_filter_compiler *c, const gt_filter_place *at, goat_status status) {
    gt_buf text;
    if (c->diag == NULL || at == NULL || status == GOAT_OK || status == GOAT_NO_MEMORY) {
        return status;
    }
    gt_buf_init(&text, c->filter->alloc);
    append_place(&text, at);
    if (!gt_buf_failed(&text)) { /* without memory for it the fault goes without its place */
        gt_diag_field(c->diag, (const char *)text.data, text.len);
    }
    gt_buf_free(&text);
    return status;
}

goat_status gt_filter_fault(gt_filter_compiler *c, const gt_filter_place *at, const char *message) {
    return gt_filter_at_place(c, at, gt_fail(c->diag, GOAT_INVALID, "%s", message));
}

/* "$gtt" and the like, in a message of its own because the name is the news. */
goat_status gt_filter_unknown_operator(gt_filter_compiler *c, const gt_filter_place *at) {
    size_t len = at->name.len > GOAT_FIELD_NAME_MAX ? GOAT_FIELD_NAME_MAX : at->name.len;
    goat_status status = gt_fail(c->diag, GOAT_INVALID, "%.*s is not an operator that can stand here", (int)len,
                                 (const char *)at->name.data);
    return gt_filter_at_place(c, at, status);
}

goat_status gt_filter_too_many(gt_filter_compiler *c, const gt_filter_place *at, int limit, const char *what) {
    return gt_filter_at_place(c, at, gt_fail(c->diag, GOAT_TOO_LARGE, "a filter has at most %d %s", limit, what));
}

/* ---- operands ---- */

/* Whether equal values of this one have the same bytes. Beyond 2^53 an int may equal a double; arrays
 * and maps may hold such numbers, and an array may equal a set. */
static bool is_exact(gt_bytes value) {
    int64_t number;
    switch (gt_value_kind(value)) {
    case GT_KIND_INT:
        gt_value_as_int64(value, &number);
        return number > -(INT64_C(1) << 53) && number < INT64_C(1) << 53;
    case GT_KIND_DOUBLE:
    case GT_KIND_ARRAY:
    case GT_KIND_MAP:
    case GT_KIND_SET: return false;
    default: return true;
    }
}

/* The set of an array's elements. */
static goat_status set_of(gt_filter_compiler *c, gt_bytes array, gt_bytes *set) {
    gt_arena *arena = &c->filter->arena;
    size_t count = gt_value_count(array), filled = 0;
    gt_bytes *elements = gt_arena_new(arena, count, sizeof(gt_bytes));
    gt_bytes element;
    gt_buf out;
    if (elements == NULL) {
        return gt_no_memory(c->diag);
    }
    for (gt_iter iter = gt_array_iter(array); gt_array_next(&iter, &element);) {
        elements[filled++] = element;
    }
    gt_buf_init(&out, c->filter->alloc);
    gt_write_set(&out, elements, filled);
    *set = gt_bytes_of(gt_arena_copy(arena, out.data, out.len), out.len);
    bool failed = gt_buf_failed(&out) || set->data == NULL;
    gt_buf_free(&out);
    return failed ? gt_no_memory(c->diag) : GOAT_OK;
}

static goat_status make_operand(gt_filter_compiler *c, gt_bytes value, gt_filter_operand *operand) {
    *operand = (gt_filter_operand){.value = value, .kind = gt_value_kind(value), .exact = is_exact(value)};
    return operand->kind == GT_KIND_ARRAY ? set_of(c, value, &operand->as_set) : GOAT_OK;
}

static bool is_before(const void *a, const void *b) {
    return gt_value_compare(*(const gt_bytes *)a, *(const gt_bytes *)b) < 0;
}

/* The values of $in, and of each array among them its set, in order. */
static goat_status make_list(gt_filter_compiler *c, const gt_filter_place *at, gt_bytes array, gt_filter_node *node) {
    size_t count = gt_value_count(array);
    gt_bytes value;
    if (count > GT_FILTER_IN_MAX) {
        return gt_filter_too_many(c, at, GT_FILTER_IN_MAX, "values in one list");
    }
    node->in = gt_arena_new(&c->filter->arena, count * 2, sizeof(gt_bytes));
    if (node->in == NULL) {
        return gt_no_memory(c->diag);
    }
    for (gt_iter iter = gt_array_iter(array); gt_array_next(&iter, &value);) {
        gt_kind kind = gt_value_kind(value);
        if (gt_filter_has_operator(value)) {
            return gt_filter_fault(c, at, "an operator cannot stand in a list of values");
        }
        node->in[node->in_count++] = value;
        node->in_null = node->in_null || kind == GT_KIND_NULL;
        if (kind == GT_KIND_ARRAY) {
            goat_status status = set_of(c, value, &node->in[node->in_count++]);
            if (status != GOAT_OK) {
                return status;
            }
        }
    }
    if (node->in_count > 0) {
        gt_sort(node->in, node->in_count, sizeof(gt_bytes), is_before);
    }
    return GOAT_OK;
}

static goat_status make_pattern(gt_filter_compiler *c, const gt_filter_place *at, gt_bytes text, gt_bytes options,
                                gt_filter_node *node) {
    gt_bytes letters = {(const uint8_t *)"", 0};
    if (options.data != NULL && !gt_value_as_text(options, &letters)) {
        return gt_filter_fault(c, at, "$options is a text of the letters i, m, s and x");
    }
    if (c->patterns == GT_FILTER_PATTERNS_MAX) {
        return gt_filter_too_many(c, at, GT_FILTER_PATTERNS_MAX, "patterns");
    }
    c->patterns++;
    goat_status status = gt_pattern_compile(c->filter->alloc, text, letters, &node->pattern, c->diag);
    if (status != GOAT_OK && c->diag != NULL) {
        c->diag->position = GT_NO_POSITION; /* it counts in the pattern, not in the caller's text */
    }
    return gt_filter_at_place(c, at, status);
}

/* Whether `value` says yes or no: a boolean, or as MongoDB takes it a number. */
static bool as_truth(gt_bytes value, bool *truth) {
    double number;
    if (gt_value_as_double(value, &number)) {
        *truth = number < 0 || number > 0;
        return true;
    }
    return gt_value_as_bool(value, truth);
}

goat_status gt_filter_fill(gt_filter_compiler *c, const gt_filter_place *at, const gt_filter_word *word, gt_bytes value,
                           gt_bytes options, gt_filter_node *node) {
    bool truth = false;
    gt_kind kind = gt_value_kind(value);
    switch (word->rule) {
    case GT_OPERAND_LIST:
        if (kind != GT_KIND_ARRAY && kind != GT_KIND_SET) {
            return gt_filter_fault(c, at, "a list of values must stand here");
        }
        return make_list(c, at, value, node);
    case GT_OPERAND_TRUTH:
        if (!as_truth(value, &truth)) {
            return gt_filter_fault(c, at, "true or false must stand here");
        }
        node->negated = !truth;
        return GOAT_OK;
    case GT_OPERAND_TEXT:
        if (!gt_value_as_text(value, &node->text)) {
            return gt_filter_fault(c, at, "a text must stand here");
        }
        return word->operation == GT_FILTER_REGEX ? make_pattern(c, at, node->text, options, node) : GOAT_OK;
    default: gt_value_as_text(value, &node->text); return make_operand(c, value, &node->operand);
    }
}
