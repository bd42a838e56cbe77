/* A document of the query language to a program: documents, connectives, conditions. The document is a
 * checked value, but what it says may be anything: every count and depth has a limit, and every fault
 * names its place. */
#include "query/filter.h"

#include "query/filter_compiler.h"
#include "value/json.h"

typedef gt_filter_compiler compiler;
typedef gt_filter_place place;

static bool named(gt_bytes name, const char *text) { return gt_bytes_equal(name, gt_bytes_text(text)); }

/* A new node; its index goes to `*index`, because the array moves as it grows. */
static goat_status add_node(compiler *c, const place *at, gt_filter_operator operation, uint32_t *index) {
    gt_filter *filter = c->filter;
    if (filter->node_count == GT_FILTER_NODES_MAX) {
        return gt_filter_too_many(c, at, GT_FILTER_NODES_MAX, "conditions");
    }
    if (!gt_reserve(filter->alloc, (void **)(void *)&filter->nodes, filter->node_count, &filter->node_capacity,
                    sizeof(gt_filter_node))) {
        return gt_no_memory(c->diag);
    }
    *index = (uint32_t)filter->node_count++;
    filter->nodes[*index] = (gt_filter_node){.operation = operation, .end = *index + 1};
    return GOAT_OK;
}

/* All nodes from `index` on are its descendants. */
static void end_node(compiler *c, uint32_t index) { c->filter->nodes[index].end = (uint32_t)c->filter->node_count; }

static goat_status check_depth(compiler *c, const place *at, int depth) {
    return depth <= GT_FILTER_DEPTH_MAX
               ? GOAT_OK
               : gt_filter_too_many(c, at, GT_FILTER_DEPTH_MAX, "conditions inside each other");
}

/* ---- conditions of one field ---- */

static goat_status compile_operators(compiler *c, const place *at, const gt_field_path *path, gt_bytes map, int depth);

/* One operator other than $not. */
static goat_status compile_test(compiler *c, const place *at, const gt_field_path *path, const gt_filter_word *word,
                                gt_bytes value, gt_bytes options) {
    uint32_t index = 0;
    goat_status status = add_node(c, at, word->operation, &index);
    if (status != GOAT_OK) {
        return status;
    }
    gt_filter_node *node = &c->filter->nodes[index];
    node->path = *path;
    node->negated = word->negated;
    return gt_filter_fill(c, at, word, value, options, node);
}

static goat_status compile_not(compiler *c, const place *at, const gt_field_path *path, gt_bytes value, int depth) {
    uint32_t index = 0;
    if (!gt_filter_has_operator(value)) {
        return gt_filter_fault(c, at, "operators must stand here");
    }
    goat_status status = check_depth(c, at, depth);
    if (status == GOAT_OK) {
        status = add_node(c, at, GT_FILTER_AND, &index);
    }
    if (status == GOAT_OK) {
        c->filter->nodes[index].negated = true;
        status = compile_operators(c, at, path, value, depth);
        end_node(c, index);
    }
    return status;
}

/* {"$gt": 5, "$lt": 9}: all of them, as neighbours in the group of the caller. */
static goat_status compile_operators(compiler *c, const place *at, const gt_field_path *path, gt_bytes map, int depth) {
    gt_bytes options = gt_map_find(map, gt_bytes_text("$options"));
    gt_bytes name, value;
    goat_status status = GOAT_OK;
    for (gt_iter iter = gt_map_iter(map); status == GOAT_OK && gt_map_next(&iter, &name, &value);) {
        place here = {at, name, 0};
        const gt_filter_word *word = gt_filter_word_find(name);
        if (named(name, "$options")) {
            if (gt_map_find(map, gt_bytes_text("$regex")).data == NULL) {
                return gt_filter_fault(c, &here, "$options stands beside $regex only");
            }
        } else if (word == NULL) {
            return gt_filter_unknown_operator(c, &here);
        } else if (word->rule == GT_OPERAND_CONDITION) {
            status = compile_not(c, &here, path, value, depth + 1);
        } else {
            status = compile_test(c, &here, path, word, value, options);
        }
    }
    return status;
}

static goat_status compile_condition(compiler *c, const place *at, const gt_field_path *path, gt_bytes value,
                                     int depth) {
    if (gt_filter_has_operator(value)) {
        return compile_operators(c, at, path, value, depth);
    }
    return compile_test(c, at, path, gt_filter_word_find(gt_bytes_text("$eq")), value, gt_bytes_of(NULL, 0));
}

/* ---- documents ---- */

static goat_status compile_document(compiler *c, const place *at, gt_bytes document, int depth);

/* $and, $or, $nor. */
static goat_status compile_list(compiler *c, const place *at, gt_filter_operator operation, bool negated, gt_bytes list,
                                int depth) {
    uint32_t index = 0;
    gt_bytes element;
    if (gt_value_kind(list) != GT_KIND_ARRAY || gt_value_count(list) == 0) {
        return gt_filter_fault(c, at, "a list of filters must stand here, and at least one");
    }
    goat_status status = add_node(c, at, operation, &index);
    place here = {at, {NULL, 0}, 0};
    for (gt_iter iter = gt_array_iter(list); status == GOAT_OK && gt_array_next(&iter, &element); here.index++) {
        status = compile_document(c, &here, element, depth + 1);
    }
    if (status == GOAT_OK) {
        c->filter->nodes[index].negated = negated;
        end_node(c, index);
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
    if (gt_filter_is_operator(at->name)) {
        return gt_filter_unknown_operator(c, at);
    }
    goat_status status = gt_field_path_parse(&c->filter->arena, at->name, &path, c->diag);
    return status == GOAT_OK ? compile_condition(c, at, &path, value, depth) : gt_filter_at_place(c, at, status);
}

/* A whole filter: all of its pairs. */
static goat_status compile_document(compiler *c, const place *at, gt_bytes document, int depth) {
    uint32_t index = 0;
    gt_bytes name, value;
    if (gt_value_kind(document) != GT_KIND_MAP) {
        return gt_filter_fault(c, at, "a filter is a map");
    }
    goat_status status = check_depth(c, at, depth);
    if (status == GOAT_OK) {
        status = add_node(c, at, GT_FILTER_AND, &index);
    }
    for (gt_iter iter = gt_map_iter(document); status == GOAT_OK && gt_map_next(&iter, &name, &value);) {
        place here = {at, name, 0};
        status = compile_pair(c, &here, value, depth);
    }
    if (status == GOAT_OK) {
        end_node(c, index);
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
        gt_filter_drop(c.filter);
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

void gt_filter_drop(gt_filter *filter) {
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
