/* A document of the query language to a program. The document is a checked value, but what it says may
 * be anything: every count and depth has a limit, and every fault names its place. */
#include "query/filter.h"

#include "query/filter_program.h"
#include "value/build.h"
#include "value/json.h"
#include "value/sort.h"

/* Where the compiler is, as a chain on the stack; only a fault writes it out. */
typedef struct place {
    const struct place *above;
    gt_bytes name; /* data NULL: an element, `index` */
    uint32_t index;
} place;

typedef struct compiler {
    gt_filter *filter;
    gt_diag *diag;
    uint32_t patterns;
} compiler;

typedef enum operand_rule { ANY_VALUE, ARRAY, TRUTH, TEXT, CONDITION } operand_rule;

static const struct operator_name {
    const char *name;
    gt_filter_operator operator;
    bool negated;
    operand_rule rule;
} operators[] = {
    {"$eq", GT_FILTER_EQ, false, ANY_VALUE},
    {"$ne", GT_FILTER_EQ, true, ANY_VALUE},
    {"$gt", GT_FILTER_GT, false, ANY_VALUE},
    {"$gte", GT_FILTER_GTE, false, ANY_VALUE},
    {"$lt", GT_FILTER_LT, false, ANY_VALUE},
    {"$lte", GT_FILTER_LTE, false, ANY_VALUE},
    {"$in", GT_FILTER_IN, false, ARRAY},
    {"$nin", GT_FILTER_IN, true, ARRAY},
    {"$exists", GT_FILTER_EXISTS, false, TRUTH},
    {"$contains", GT_FILTER_CONTAINS, false, ANY_VALUE},
    {"$startsWith", GT_FILTER_STARTS_WITH, false, TEXT},
    {"$regex", GT_FILTER_REGEX, false, TEXT},
    {"$not", GT_FILTER_AND, true, CONDITION},
};

/* ---- faults ---- */

static void append_place(gt_buf *out, const place *at) {
    if (at->above != NULL) {
        append_place(out, at->above);
    }
    if (at->name.data == NULL) {
        char digits[16];
        int len = snprintf(digits, sizeof digits, "[%u]", (unsigned)at->index);
        gt_buf_append(out, digits, (size_t)len);
        return;
    }
    if (out->len > 0) {
        gt_buf_append_byte(out, '.');
    }
    gt_buf_append(out, at->name.data, at->name.len);
}

/* Adds the place to a fault that was just recorded. */
static goat_status at_place(compiler *c, const place *at, goat_status status) {
    gt_buf text;
    if (c->diag == NULL || at == NULL || status == GOAT_NO_MEMORY) {
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

static goat_status fault(compiler *c, const place *at, const char *words) {
    return at_place(c, at, gt_fail(c->diag, GOAT_INVALID, "%s", words));
}

/* "$gtt" and the like, in a message of its own because the name is the news. */
static goat_status unknown_operator(compiler *c, const place *at) {
    goat_status status = gt_fail(c->diag, GOAT_INVALID, "%.*s is not an operator that can stand here",
                                 (int)(at->name.len > GOAT_FIELD_NAME_MAX ? GOAT_FIELD_NAME_MAX : at->name.len),
                                 (const char *)at->name.data);
    return at_place(c, at, status);
}

static goat_status too_many(compiler *c, const place *at, int limit, const char *what) {
    return at_place(c, at, gt_fail(c->diag, GOAT_TOO_LARGE, "a filter has at most %d %s", limit, what));
}

/* ---- pieces ---- */

static bool named(gt_bytes name, const char *text) { return gt_bytes_equal(name, gt_bytes_text(text)); }
static bool is_operator(gt_bytes name) { return name.len > 0 && name.data[0] == '$'; }

/* Whether some key of a map begins with '$'. */
static bool has_operator(gt_bytes map) {
    gt_bytes key, value;
    for (gt_iter iter = gt_map_iter(map); gt_map_next(&iter, &key, &value);) {
        if (is_operator(key)) {
            return true;
        }
    }
    return false;
}

/* A new node; its index goes to `*index`, because the array moves as it grows. */
static goat_status add_node(compiler *c, const place *at, gt_filter_operator operator, uint32_t *index) {
    gt_filter *filter = c->filter;
    if (filter->node_count == GT_FILTER_NODES_MAX) {
        return too_many(c, at, GT_FILTER_NODES_MAX, "conditions");
    }
    if (!gt_reserve(filter->alloc, (void **)&filter->nodes, filter->node_count, &filter->node_capacity,
                    sizeof(gt_filter_node))) {
        return gt_no_memory(c->diag);
    }
    *index = (uint32_t)filter->node_count++;
    filter->nodes[*index] = (gt_filter_node){.operator = operator, .end = *index + 1};
    return GOAT_OK;
}

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
static goat_status set_of(compiler *c, gt_bytes array, gt_bytes *set) {
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

static goat_status make_operand(compiler *c, gt_bytes value, gt_filter_operand *operand) {
    *operand = (gt_filter_operand){.value = value, .kind = gt_value_kind(value), .exact = is_exact(value)};
    return operand->kind == GT_KIND_ARRAY ? set_of(c, value, &operand->as_set) : GOAT_OK;
}

static bool is_before(const void *a, const void *b) {
    return gt_value_compare(*(const gt_bytes *)a, *(const gt_bytes *)b) < 0;
}

/* The values of $in, and of each array among them its set, in order. */
static goat_status make_list(compiler *c, const place *at, gt_bytes array, gt_filter_node *node) {
    size_t count = gt_value_count(array);
    gt_bytes value;
    if (count > GT_FILTER_IN_MAX) {
        return too_many(c, at, GT_FILTER_IN_MAX, "values in one list");
    }
    node->in = gt_arena_new(&c->filter->arena, count * 2, sizeof(gt_bytes));
    if (node->in == NULL) {
        return gt_no_memory(c->diag);
    }
    for (gt_iter iter = gt_array_iter(array); gt_array_next(&iter, &value);) {
        gt_kind kind = gt_value_kind(value);
        if (has_operator(value)) {
            return fault(c, at, "an operator cannot stand in a list of values");
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
    gt_sort(node->in, node->in_count, sizeof(gt_bytes), is_before);
    return GOAT_OK;
}

static goat_status make_pattern(compiler *c, const place *at, gt_bytes text, gt_bytes options, gt_filter_node *node) {
    gt_bytes letters = {(const uint8_t *)"", 0};
    if (options.data != NULL && !gt_value_as_text(options, &letters)) {
        return fault(c, at, "$options is a text of the letters i, m, s and x");
    }
    if (c->patterns == GT_FILTER_PATTERNS_MAX) {
        return too_many(c, at, GT_FILTER_PATTERNS_MAX, "patterns");
    }
    goat_status status = gt_pattern_compile(c->filter->alloc, text, letters, &node->pattern, c->diag);
    c->patterns += status == GOAT_OK;
    return at_place(c, at, status);
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

/* ---- conditions of one field ---- */

static goat_status compile_condition(compiler *c, const place *at, const gt_field_path *path, gt_bytes value,
                                     int depth);

static const struct operator_name *find_operator(gt_bytes name) {
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        if (named(name, operators[i].name)) {
            return &operators[i];
        }
    }
    return NULL;
}

/* What the operator is given, into a node that has been cleared. */
static goat_status fill_test(compiler *c, const place *at, const struct operator_name *found, gt_bytes value,
                             gt_bytes options, gt_filter_node *node) {
    bool truth = false;
    gt_kind kind = gt_value_kind(value);
    switch (found->rule) {
    case ARRAY:
        if (kind != GT_KIND_ARRAY && kind != GT_KIND_SET) {
            return fault(c, at, "a list of values must stand here");
        }
        return make_list(c, at, value, node);
    case TRUTH:
        if (!as_truth(value, &truth)) {
            return fault(c, at, "true or false must stand here");
        }
        node->negated = !truth;
        return GOAT_OK;
    case TEXT:
        if (!gt_value_as_text(value, &node->text)) {
            return fault(c, at, "a text must stand here");
        }
        return found->operator == GT_FILTER_REGEX ? make_pattern(c, at, node->text, options, node) : GOAT_OK;
    default:
        gt_value_as_text(value, &node->text);
        return make_operand(c, value, &node->operand);
    }
}

/* One operator of `operators` other than $not. */
static goat_status compile_test(compiler *c, const place *at, const gt_field_path *path,
                                const struct operator_name *found, gt_bytes value, gt_bytes options) {
    uint32_t index = 0;
    goat_status status = add_node(c, at, found->operator, &index);
    if (status != GOAT_OK) {
        return status;
    }
    gt_filter_node *node = &c->filter->nodes[index];
    node->path = *path;
    node->negated = found->negated;
    return fill_test(c, at, found, value, options, node);
}

static goat_status compile_not(compiler *c, const place *at, const gt_field_path *path, gt_bytes value, int depth) {
    uint32_t index = 0;
    goat_status status = add_node(c, at, GT_FILTER_AND, &index);
    if (status == GOAT_OK) {
        c->filter->nodes[index].negated = true;
        status = compile_condition(c, at, path, value, depth + 1);
    }
    if (status == GOAT_OK) {
        c->filter->nodes[index].end = (uint32_t)c->filter->node_count;
    }
    return status;
}

/* {"$gt": 5, "$lt": 9}: all of them, as neighbours in the group of the caller. */
static goat_status compile_operators(compiler *c, const place *at, const gt_field_path *path, gt_bytes map, int depth) {
    gt_bytes options = gt_map_find(map, gt_bytes_text("$options"));
    gt_bytes name, value;
    for (gt_iter iter = gt_map_iter(map); gt_map_next(&iter, &name, &value);) {
        place here = {at, name, 0};
        goat_status status;
        if (named(name, "$options")) {
            if (gt_map_find(map, gt_bytes_text("$regex")).data == NULL) {
                return fault(c, &here, "$options stands beside $regex only");
            }
            continue;
        }
        const struct operator_name *found = find_operator(name);
        if (found == NULL) {
            return unknown_operator(c, &here);
        }
        if (found->rule == CONDITION) {
            status = compile_not(c, &here, path, value, depth);
        } else {
            status = compile_test(c, &here, path, found, value, options);
        }
        if (status != GOAT_OK) {
            return status;
        }
    }
    return GOAT_OK;
}

static goat_status compile_condition(compiler *c, const place *at, const gt_field_path *path, gt_bytes value,
                                     int depth) {
    if (depth > GT_FILTER_DEPTH_MAX) {
        return too_many(c, at, GT_FILTER_DEPTH_MAX, "conditions inside each other");
    }
    if (has_operator(value)) {
        return compile_operators(c, at, path, value, depth);
    }
    return compile_test(c, at, path, &operators[0], value, gt_bytes_of(NULL, 0));
}

/* ---- documents ---- */

static goat_status compile_document(compiler *c, const place *at, gt_bytes document, int depth);

/* $and, $or, $nor. */
static goat_status compile_list(compiler *c, const place *at, gt_filter_operator operator, bool negated,
                                gt_bytes list, int depth) {
    uint32_t index = 0;
    gt_bytes element;
    if (gt_value_kind(list) != GT_KIND_ARRAY) {
        return fault(c, at, "a list of filters must stand here");
    }
    goat_status status = add_node(c, at, operator, &index);
    place here = {at, {NULL, 0}, 0};
    for (gt_iter iter = gt_array_iter(list); status == GOAT_OK && gt_array_next(&iter, &element); here.index++) {
        status = compile_document(c, &here, element, depth + 1);
    }
    if (status == GOAT_OK) {
        c->filter->nodes[index].negated = negated;
        c->filter->nodes[index].end = (uint32_t)c->filter->node_count;
    }
    return status;
}

static goat_status compile_pair(compiler *c, const place *at, gt_bytes value, int depth) {
    gt_field_path path;
    if (named(at->name, "$and")) {
        return compile_list(c, at, GT_FILTER_AND, false, value, depth);
    }
    if (named(at->name, "$or")) {
        return compile_list(c, at, GT_FILTER_OR, false, value, depth);
    }
    if (named(at->name, "$nor")) {
        return compile_list(c, at, GT_FILTER_OR, true, value, depth);
    }
    if (is_operator(at->name)) {
        return unknown_operator(c, at);
    }
    goat_status status = gt_field_path_parse(&c->filter->arena, at->name, &path, c->diag);
    return status == GOAT_OK ? compile_condition(c, at, &path, value, depth) : at_place(c, at, status);
}

/* A whole filter: all of its pairs. */
static goat_status compile_document(compiler *c, const place *at, gt_bytes document, int depth) {
    uint32_t index = 0;
    gt_bytes name, value;
    if (gt_value_kind(document) != GT_KIND_MAP) {
        return fault(c, at, "a filter is a map");
    }
    if (depth > GT_FILTER_DEPTH_MAX) {
        return too_many(c, at, GT_FILTER_DEPTH_MAX, "conditions inside each other");
    }
    goat_status status = add_node(c, at, GT_FILTER_AND, &index);
    for (gt_iter iter = gt_map_iter(document); status == GOAT_OK && gt_map_next(&iter, &name, &value);) {
        place here = {at, name, 0};
        status = compile_pair(c, &here, value, depth);
    }
    if (status == GOAT_OK) {
        c->filter->nodes[index].end = (uint32_t)c->filter->node_count;
    }
    return status;
}

goat_status gt_filter_compile(const gt_alloc *alloc, gt_bytes document, gt_filter **filter, gt_diag *diag) {
    compiler c = {.diag = diag};
    *filter = NULL;
    if (document.len > GT_FILTER_SIZE_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "a filter has at most %d bytes", GT_FILTER_SIZE_MAX);
    }
    c.filter = gt_new(alloc, 1, sizeof(gt_filter));
    if (c.filter == NULL) {
        return gt_no_memory(diag);
    }
    c.filter->alloc = alloc;
    gt_arena_init(&c.filter->arena, alloc);
    gt_bytes copy = {gt_arena_copy(&c.filter->arena, document.data, document.len), document.len};
    goat_status status = copy.data == NULL ? gt_no_memory(diag) : compile_document(&c, NULL, copy, 1);
    if (status != GOAT_OK) {
        gt_filter_free(c.filter);
        return status;
    }
    *filter = c.filter;
    return GOAT_OK;
}

goat_status gt_filter_compile_json(const gt_alloc *alloc, gt_bytes text, gt_filter **filter, gt_diag *diag) {
    gt_buf document;
    gt_buf_init(&document, alloc);
    *filter = NULL;
    goat_status status = gt_value_from_json_text(text, &document, diag);
    if (status == GOAT_OK) {
        status = gt_filter_compile(alloc, gt_buf_bytes(&document), filter, diag);
    }
    gt_buf_free(&document);
    return status;
}

void gt_filter_free(gt_filter *filter) {
    if (filter == NULL) {
        return;
    }
    const gt_alloc *alloc = filter->alloc;
    for (size_t i = 0; i < filter->node_count; i++) {
        gt_pattern_free(filter->nodes[i].pattern);
    }
    gt_free(alloc, filter->nodes);
    gt_arena_free(&filter->arena);
    gt_free(alloc, filter);
}
