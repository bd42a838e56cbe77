/* Steps are bound to two versions: the fields of the old one are followed through them, one route for each, until they
 * arrive at fields of the new one. What arrives nowhere is lost, which is no error unless a step named it: the check
 * at registration says so (difference.c). */
#include "schema/upgrade.h"

#include "schema/bound.h"
#include "schema/parsed.h"
#include "value/build.h"

#include <stdio.h>
#include <stdlib.h>

#define NAME(name) (int)(name).len, (const char *)(name).data
#define TYPE(type) (1u << GT_TYPE_##type)

/* What is written as a whole, so that an edit is a value. */
enum { SINGLE = TYPE(STRING) | TYPE(NUMBER) | TYPE(BOOLEAN) | TYPE(DATE) | TYPE(BYTES) | TYPE(REF) };

static bool is_single(gt_type type) { return (SINGLE >> type & 1) != 0; }

typedef struct binding {
    gt_upgrade *upgrade;
    size_t room;
    const gt_upgrade_step *step;
    size_t number;
    gt_diag *diag;
} binding;

static const char *const words[] = {"", "rename", "default", "copy", "move", "convert", "drop", "map", "call"};

static goat_status refuse(const binding *b, gt_bytes field, const char *format, const char *word) {
    char why[128];
    snprintf(why, sizeof why, format, word);
    gt_fail(b->diag, GOAT_INVALID, "upgrade step %zu (%s): \"%.*s\" %s", b->number, words[b->step->kind], NAME(field),
            why);
    gt_diag_field(b->diag, (const char *)field.data, field.len);
    gt_diag_rule(b->diag, "upgrade");
    return GOAT_INVALID;
}

/* ---- routes ---- */

static gt_upgrade_route *find(const binding *b, gt_bytes name, bool with_key) {
    for (size_t i = 0; i < b->upgrade->route_count; i++) {
        gt_upgrade_route *route = &b->upgrade->routes[i];
        if ((route->target_key.data != NULL) == with_key && gt_bytes_equal(route->name, name)) return route;
    }
    return NULL;
}

static bool is_taken(const binding *b, gt_bytes name) {
    return find(b, name, false) != NULL || find(b, name, true) != NULL;
}

static gt_upgrade_route *add(binding *b) {
    return b->upgrade->route_count < b->room ? &b->upgrade->routes[b->upgrade->route_count++] : NULL;
}

static void take_out(binding *b, gt_upgrade_route *route) {
    gt_upgrade_route *end = b->upgrade->routes + b->upgrade->route_count;
    memmove(route, route + 1, (size_t)(end - route - 1) * sizeof *route);
    b->upgrade->route_count--;
}

/* Arrays are small and seldom grow: each time anew. Routes that were copied from each other share none. */
static gt_upgrade_op *add_op(binding *b, gt_upgrade_route *route, gt_upgrade_op op) {
    gt_upgrade_op *ops = gt_arena_new(&b->upgrade->arena, route->op_count + 1, sizeof *ops);
    if (ops == NULL) return NULL;
    if (route->op_count > 0) memcpy(ops, route->ops, route->op_count * sizeof *ops);
    ops[route->op_count] = op;
    route->ops = ops;
    return &ops[route->op_count++];
}

static bool leave_out(binding *b, gt_upgrade_route *route, gt_bytes key) {
    gt_bytes *keys = gt_arena_new(&b->upgrade->arena, route->left_out_count + 1, sizeof *keys);
    if (keys == NULL) return false;
    if (route->left_out_count > 0) memcpy(keys, route->left_out, route->left_out_count * sizeof *keys);
    keys[route->left_out_count++] = key;
    route->left_out = keys;
    return true;
}

/* A value of a definition as one of a type. */
static goat_status take_value(const binding *b, gt_type type, gt_bytes *value) {
    goat_status status = gt_plain_value(b->upgrade->alloc, &b->upgrade->arena, type, value);
    if (status == GOAT_NO_MEMORY) return gt_no_memory(b->diag);
    return status == GOAT_OK
               ? GOAT_OK
               : refuse(b, b->step->from, "is of type %s, and a value of the step is not", gt_type_name(type));
}

/* ---- steps ---- */

static goat_status bind_rename(binding *b, gt_upgrade_route *route) {
    if (is_taken(b, b->step->to)) return refuse(b, b->step->to, "is there already%s", "");
    route->name = b->step->to;
    route->named_by = b->number;
    return GOAT_OK;
}

static goat_status bind_copy(binding *b, gt_upgrade_route *route) {
    if (is_taken(b, b->step->to)) return refuse(b, b->step->to, "is there already%s", "");
    gt_upgrade_route *copy = add(b);
    *copy = *route;
    copy->name = b->step->to;
    copy->named_by = b->number;
    return GOAT_OK;
}

static goat_status bind_default(binding *b, gt_upgrade_route *route) {
    const gt_field *field = gt_schema_field(b->upgrade->to, b->step->from);
    gt_bytes value = b->step->value;
    if (route == NULL && (field == NULL || is_taken(b, b->step->from))) {
        return refuse(b, b->step->from, "is no field of the new version%s", "");
    }
    goat_status status = take_value(b, route != NULL ? route->type : field->type, &value);
    if (status == GOAT_OK && route == NULL) {
        status = gt_schema_check_value(field, value, b->diag);
        if (status == GOAT_INVALID || status == GOAT_WRONG_TYPE) {
            status = refuse(b, b->step->from, "may not have the value of the step%s", "");
        }
    }
    if (status != GOAT_OK) return status;
    if (route == NULL) {
        *add(b) =
            (gt_upgrade_route){.constant = value, .name = field->name, .type = field->type, .named_by = b->number};
        return GOAT_OK;
    }
    if (!is_single(route->type))
        return refuse(b, route->name, "is of type %s, which cannot be filled in", gt_type_name(route->type));
    route->named_by = b->number;
    return add_op(b, route, (gt_upgrade_op){.kind = GT_OP_FILL, .value = value}) != NULL ? GOAT_OK
                                                                                         : gt_no_memory(b->diag);
}

static goat_status bind_move_in(binding *b, gt_upgrade_route *route) {
    const gt_field *field = gt_schema_field(b->upgrade->to, b->step->to);
    bool in_object = field != NULL && field->type == GT_TYPE_OBJECT;
    if (find(b, b->step->to, false) != NULL) {
        return refuse(b, b->step->to, "is there already: a field can only be moved into one that is new%s", "");
    }
    if (!in_object && !is_single(route->type)) {
        return refuse(b, route->name, "is of type %s, which no value in a map is", gt_type_name(route->type));
    }
    for (size_t i = 0; i < b->upgrade->route_count; i++) {
        const gt_upgrade_route *other = &b->upgrade->routes[i];
        bool same = gt_bytes_equal(other->name, b->step->to) && other->target_key.data != NULL &&
                    gt_bytes_equal(other->target_key, b->step->to_key);
        if (same) return refuse(b, b->step->to, "has that key already%s", "");
    }
    route->name = b->step->to;
    route->target_key = b->step->to_key;
    route->named_by = b->number;
    /* A key that one sets and another removes stays, a field is what the later one says. */
    if (!in_object) b->upgrade->inexact = true;
    return GOAT_OK;
}

/* The type that what is moved out of a map or an object has: of a map that of the field to which it is moved. */
static goat_status type_under_key(const binding *b, const gt_upgrade_route *route, gt_type *type) {
    const gt_field *field = gt_schema_field(b->upgrade->to, b->step->to);
    if (route->type == GT_TYPE_OBJECT) {
        const gt_field *inner = gt_schema_field(gt_upgrade_origin(route)->fields, b->step->from_key);
        if (inner == NULL) return refuse(b, route->name, "has no such field%s", "");
        *type = inner->type;
        return GOAT_OK;
    }
    if (field == NULL || !is_single(field->type)) {
        return refuse(b, b->step->to, "is no field of the new version that holds a single value%s", "");
    }
    *type = field->type;
    return GOAT_OK;
}

static goat_status bind_move_out(binding *b, gt_upgrade_route *route) {
    bool of_object = route->type == GT_TYPE_OBJECT;
    gt_type type = route->type;
    if (is_taken(b, b->step->to)) return refuse(b, b->step->to, "is there already%s", "");
    if (route->type != GT_TYPE_MAP && !of_object) {
        return refuse(b, route->name, "is of type %s, and only maps and objects have keys", gt_type_name(route->type));
    }
    if (route->source_key.data != NULL) return refuse(b, route->name, "was moved itself%s", "");
    for (size_t i = 0; i < route->left_out_count; i++) {
        if (gt_bytes_equal(route->left_out[i], b->step->from_key)) {
            return refuse(b, route->name, "has nothing under that key any more%s", "");
        }
    }
    goat_status status = type_under_key(b, route, &type);
    if (status != GOAT_OK) return status;
    gt_upgrade_route *moved = add(b);
    *moved = *route;
    moved->source_key = b->step->from_key;
    moved->left_out = NULL;
    moved->left_out_count = 0;
    moved->name = b->step->to;
    moved->type = type;
    moved->named_by = b->number;
    /* As in bind_move_in; and what is unset with a whole object is what its author saw of it. */
    if (!of_object || is_single(type)) b->upgrade->inexact = true;
    bool good = of_object || add_op(b, moved, (gt_upgrade_op){.kind = GT_OP_TYPE, .to = type}) != NULL;
    return good && leave_out(b, route, b->step->from_key) ? GOAT_OK : gt_no_memory(b->diag);
}

static goat_status bind_convert(binding *b, gt_upgrade_route *route) {
    gt_type type = b->step->type;
    gt_upgrade_op op = {.kind = GT_OP_CONVERT, .from = route->type, .to = type, .otherwise = b->step->otherwise};
    if (!gt_can_convert(route->type, type)) {
        char both[64];
        snprintf(both, sizeof both, "%s, which cannot become %s", gt_type_name(route->type), gt_type_name(type));
        return refuse(b, route->name, "is of type %s", both);
    }
    goat_status status = op.otherwise.data == NULL ? GOAT_OK : take_value(b, type, &op.otherwise);
    if (status != GOAT_OK) return status;
    if (type == GT_TYPE_TEXT) b->upgrade->inexact = true; /* of two texts that meet both are kept */
    route->type = type;
    route->named_by = b->number;
    return add_op(b, route, op) != NULL ? GOAT_OK : gt_no_memory(b->diag);
}

static goat_status bind_map(binding *b, gt_upgrade_route *route) {
    bool in_map = route->type == GT_TYPE_MAP;
    gt_upgrade_op op = {.kind = GT_OP_MAP, .otherwise = b->step->otherwise};
    if (!in_map && !is_single(route->type)) {
        return refuse(b, route->name, "is of type %s, whose values cannot be mapped", gt_type_name(route->type));
    }
    op.pairs = gt_arena_new(&b->upgrade->arena, 2 * gt_value_count(b->step->values), sizeof *op.pairs);
    if (op.pairs == NULL) return gt_no_memory(b->diag);
    goat_status status = GOAT_OK;
    gt_iter iter = gt_array_iter(b->step->values);
    gt_bytes pair;
    while (status == GOAT_OK && gt_array_next(&iter, &pair)) {
        gt_iter both = gt_array_iter(pair);
        gt_bytes *at = &op.pairs[2 * op.pair_count++];
        for (size_t i = 0; status == GOAT_OK && gt_array_next(&both, &at[i]); i++) {
            if (!in_map) status = take_value(b, route->type, &at[i]);
        }
    }
    if (status == GOAT_OK && op.otherwise.data != NULL && !in_map) status = take_value(b, route->type, &op.otherwise);
    if (status != GOAT_OK) return status;
    route->named_by = b->number;
    return add_op(b, route, op) != NULL ? GOAT_OK : gt_no_memory(b->diag);
}

/* A function of the host's makes another value of each. Values of no type that is written as a whole are edits. */
static goat_status bind_call(binding *b, gt_upgrade_route *route) {
    gt_type type = b->step->type != 0 ? b->step->type : route->type;
    gt_upgrade_op op = {.kind = GT_OP_CALL, .from = route->type, .to = type, .otherwise = b->step->otherwise};
    if (!is_single(route->type) || !is_single(type)) {
        return refuse(b, route->name, "is of type %s, or to become one, of which a call knows no values",
                      gt_type_name(is_single(route->type) ? type : route->type));
    }
    goat_status status = op.otherwise.data == NULL ? GOAT_OK : take_value(b, type, &op.otherwise);
    if (status != GOAT_OK) return status;
    op.name = b->step->call;
    route->type = type;
    route->named_by = b->number;
    b->upgrade->inexact = true; /* nothing that a host says is built on for good */
    return add_op(b, route, op) != NULL ? GOAT_OK : gt_no_memory(b->diag);
}

static goat_status bind_step(binding *b) {
    gt_upgrade_route *route = find(b, b->step->from, false);
    if (route == NULL && b->step->kind != GT_UPGRADE_DEFAULT) {
        return refuse(b, b->step->from, "is no field at that step%s", "");
    }
    if (route != NULL && route->source == NULL) {
        return refuse(b, b->step->from, "is new in this version%s", "");
    }
    switch (b->step->kind) {
    case GT_UPGRADE_RENAME: return bind_rename(b, route);
    case GT_UPGRADE_COPY: return bind_copy(b, route);
    case GT_UPGRADE_DEFAULT: return bind_default(b, route);
    case GT_UPGRADE_MOVE: return b->step->to_key.data != NULL ? bind_move_in(b, route) : bind_move_out(b, route);
    case GT_UPGRADE_CONVERT: return bind_convert(b, route);
    case GT_UPGRADE_MAP: return bind_map(b, route);
    case GT_UPGRADE_CALL: return bind_call(b, route);
    case GT_UPGRADE_DROP: take_out(b, route); break;
    }
    return GOAT_OK;
}

/* ---- arriving ---- */

static bool fields_merge_alike(const gt_schema *from, const gt_schema *to) {
    for (size_t i = 0; i < from->field_count; i++) {
        const gt_field *old = &from->fields[i], *new = gt_schema_field(to, old->name);
        if (new == NULL || new->type != old->type) continue;
        if (new->merge != old->merge) return false;
        if (old->fields != NULL && !fields_merge_alike(old->fields, new->fields)) return false;
    }
    return true;
}

/* Whether concurrent edits come to the same on both sides, but for what steps themselves change. */
static bool merges_alike(const gt_upgrade_route *route) {
    const gt_field *origin = gt_upgrade_origin(route), *place = gt_upgrade_place(route);
    bool fills = false;
    for (size_t i = 0; i < route->op_count; i++) fills = fills || route->ops[i].kind == GT_OP_FILL;
    if (origin == NULL) return true;
    if (route->op_count > 0 && origin->merge != GT_STRATEGY_LATEST && (fills || origin->merge != GT_STRATEGY_EITHER)) {
        return false;
    }
    return place == NULL || origin->merge == place->merge;
}

static bool has_arrived(const gt_upgrade_route *route) {
    const gt_field *place = route->target == NULL ? NULL : gt_upgrade_place(route);
    if (route->target_key.data == NULL || place != NULL) return place != NULL && place->type == route->type;
    return route->target != NULL && route->target->type == GT_TYPE_MAP && is_single(route->type);
}

/* Where a route leads to; one that leads nowhere is taken out, or refused if a step named it. */
static goat_status arrive(binding *b, gt_upgrade_route *route, bool *arrived) {
    route->target = gt_schema_field(b->upgrade->to, route->name);
    *arrived = has_arrived(route);
    if (*arrived && !merges_alike(route)) b->upgrade->inexact = true;
    const gt_field *origin = gt_upgrade_origin(route), *place = *arrived ? gt_upgrade_place(route) : NULL;
    bool is_object = place != NULL && origin != NULL && place->type == GT_TYPE_OBJECT;
    if (is_object && !fields_merge_alike(origin->fields, place->fields)) b->upgrade->inexact = true;
    if (*arrived || route->named_by == 0) return GOAT_OK;
    b->number = route->named_by;
    b->step = &b->upgrade->to->steps[route->named_by - 1];
    return refuse(b, route->name,
                  route->target_key.data != NULL ? "is no object or map of the new version that holds a %s there"
                                                 : "is no field of type %s of the new version",
                  gt_type_name(route->type));
}

static int by_target(const void *a, const void *b) {
    const gt_upgrade_route *x = a, *y = b;
    if (x->target != y->target) return x->target < y->target ? -1 : 1;
    return gt_key_compare(x->target_key, y->target_key); /* several only with keys, which differ */
}

static goat_status arrive_all(binding *b) {
    for (size_t i = 0; i < b->upgrade->route_count;) {
        bool arrived;
        goat_status status = arrive(b, &b->upgrade->routes[i], &arrived);
        if (status != GOAT_OK) return status;
        if (arrived) {
            i++;
        } else {
            take_out(b, &b->upgrade->routes[i]);
        }
    }
    if (b->upgrade->route_count > 1) {
        qsort(b->upgrade->routes, b->upgrade->route_count, sizeof *b->upgrade->routes, by_target);
    }
    return GOAT_OK;
}

static goat_status bind(binding *b) {
    gt_upgrade *upgrade = b->upgrade;
    b->room = upgrade->from->field_count + upgrade->to->step_count;
    upgrade->routes = gt_arena_new(&upgrade->arena, b->room + 1, sizeof *upgrade->routes);
    if (upgrade->routes == NULL) return gt_no_memory(b->diag);
    for (size_t i = 0; i < upgrade->from->field_count; i++) {
        const gt_field *field = &upgrade->from->fields[i];
        *add(b) = (gt_upgrade_route){.source = field, .name = field->name, .type = field->type};
    }
    goat_status status = GOAT_OK;
    for (size_t i = 0; status == GOAT_OK && i < upgrade->to->step_count; i++) {
        b->step = &upgrade->to->steps[i];
        b->number = i + 1;
        status = bind_step(b);
    }
    return status == GOAT_OK ? arrive_all(b) : status;
}

goat_status gt_upgrade_new(const gt_alloc *alloc, const gt_schema *from, const gt_schema *to, gt_upgrade **upgrade,
                           gt_diag *diag) {
    gt_upgrade *made = gt_new(alloc, 1, sizeof *made);
    *upgrade = NULL;
    if (made == NULL) return gt_no_memory(diag);
    made->alloc = alloc;
    made->from = from;
    made->to = to;
    gt_arena_init(&made->arena, alloc);
    binding b = {.upgrade = made, .diag = diag};
    goat_status status = bind(&b);
    if (status != GOAT_OK) {
        gt_upgrade_free(made);
        return status;
    }
    *upgrade = made;
    return GOAT_OK;
}

void gt_upgrade_free(gt_upgrade *upgrade) {
    if (upgrade == NULL) return;
    gt_arena_free(&upgrade->arena);
    gt_free(upgrade->alloc, upgrade);
}

/* ---- calls ---- */

static const gt_host_call *find_call(const gt_host_call *first, gt_bytes name) {
    while (first != NULL && (first->run == NULL || !gt_bytes_equal(gt_bytes_of(first->name, first->name_len), name))) {
        first = first->next;
    }
    return first;
}

bool gt_upgrade_link(gt_upgrade *upgrade, const gt_host_call *first) {
    bool whole = true;
    for (size_t i = 0; upgrade != NULL && i < upgrade->route_count; i++) {
        for (size_t k = 0; k < upgrade->routes[i].op_count; k++) {
            gt_upgrade_op *op = &upgrade->routes[i].ops[k];
            if (op->kind != GT_OP_CALL) continue;
            op->call = find_call(first, op->name);
            whole = whole && op->call != NULL;
        }
    }
    return whole;
}

bool gt_schema_calls_are_there(const gt_schema *schema, const gt_host_call *first, gt_bytes *missing) {
    for (size_t i = 0; i < schema->step_count; i++) {
        if (schema->steps[i].kind != GT_UPGRADE_CALL || find_call(first, schema->steps[i].call) != NULL) continue;
        *missing = schema->steps[i].call;
        return false;
    }
    return true;
}

bool gt_schema_has_calls(const gt_schema *schema) {
    gt_bytes first;
    return !gt_schema_calls_are_there(schema, NULL, &first);
}

static const gt_field *field_at(const gt_field *field, gt_bytes key) {
    if (field == NULL || key.data == NULL) return field;
    return field->fields == NULL ? NULL : gt_schema_field(field->fields, key);
}

const gt_field *gt_upgrade_origin(const gt_upgrade_route *route) { return field_at(route->source, route->source_key); }
const gt_field *gt_upgrade_place(const gt_upgrade_route *route) { return field_at(route->target, route->target_key); }

const gt_schema *gt_upgrade_from(const gt_upgrade *upgrade) { return upgrade->from; }
const gt_schema *gt_upgrade_to(const gt_upgrade *upgrade) { return upgrade->to; }
bool gt_upgrade_is_exact(const gt_upgrade *upgrade) { return !upgrade->inexact; }

const gt_upgrade_route *gt_upgrade_routes(const gt_upgrade *upgrade, size_t *count) {
    *count = upgrade->route_count;
    return upgrade->routes;
}
