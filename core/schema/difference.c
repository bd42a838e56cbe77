/* The check at registration: two versions are held side by side, route by route and rule by rule. */
#include "schema/difference.h"

#include "schema/bound.h"
#include "schema/parsed.h"
#include "value/build.h"

#include <stdarg.h>
#include <stdio.h>

#define NAME(name) (int)(name).len, (const char *)(name).data

typedef struct report {
    const gt_upgrade *upgrade;
    gt_buf *out;
    size_t count;
} report;

static const char loses[] = "loses", rejects[] = "rejects";

static void add_text(gt_buf *out, const char *name, const char *text) {
    gt_write_text(out, gt_bytes_text(name));
    gt_write_text(out, gt_bytes_text(text));
}

/* `risk` may be NULL. */
static void note(report *r, gt_bytes field, const char *what, const char *risk, const char *format, ...)
    GT_PRINTF(5, 6);
static void note(report *r, gt_bytes field, const char *what, const char *risk, const char *format, ...) {
    char message[3 * (GOAT_FIELD_NAME_MAX + 1) * GT_PATH_FIELDS_MAX + 160]; /* at most three paths */
    va_list rest;
    va_start(rest, format);
    vsnprintf(message, sizeof message, format, rest);
    va_end(rest);
    gt_write_map_head(r->out, risk == NULL ? 4 : 5); /* in the order of keys */
    if (risk != NULL) add_text(r->out, "risk", risk);
    add_text(r->out, "what", what);
    gt_write_text(r->out, gt_bytes_text("field"));
    gt_write_text(r->out, field);
    add_text(r->out, "message", message);
    gt_write_text(r->out, gt_bytes_text("version"));
    gt_write_int(r->out, gt_schema_version(r->upgrade->to));
    r->count++;
}

/* The fields as the definition has them; of an object those in it, under the last name of its path. */
static gt_bytes fields_of(const gt_schema *schema) {
    if (schema->outer == NULL) return gt_map_find(schema->definition, gt_bytes_text("fields"));
    gt_bytes name = schema->path;
    for (size_t i = name.len; i-- > 0 && name.data[i] != '.';)
        name = gt_bytes_behind(schema->path, i);
    return gt_map_find(gt_map_find(fields_of(schema->outer), name), gt_bytes_text("fields"));
}

static gt_bytes rules_of(const gt_schema *schema, gt_bytes name) { return gt_map_find(fields_of(schema), name); }

static gt_bytes rule_of(const gt_schema *schema, gt_bytes name, const char *rule) {
    return gt_map_find(rules_of(schema, name), gt_bytes_text(rule));
}

/* ---- what is left behind ---- */

static bool arrives(const gt_upgrade *upgrade, const gt_field *field) {
    for (size_t i = 0; i < upgrade->route_count; i++) {
        if (upgrade->routes[i].source == field && upgrade->routes[i].source_key.data == NULL) return true;
    }
    return false;
}

/* `same`: the field of that name in the new version; NULL: there is none. */
static void describe_loss(report *r, const gt_field *old, const gt_field *same) {
    if (same != NULL && same->type != old->type) {
        note(r, old->path, "dropped", loses,
             "\"%.*s\" was of type %s and is now %s: what was written there is not seen", NAME(old->path),
             gt_type_name(old->type), gt_type_name(same->type));
    } else {
        note(r, old->path, "dropped", loses, "\"%.*s\" is left behind: what was written there is not seen",
             NAME(old->path));
    }
}

static void describe_lost(report *r) {
    const gt_schema *from = r->upgrade->from;
    for (size_t i = 0; i < from->field_count; i++) {
        const gt_field *old = &from->fields[i];
        if (!arrives(r->upgrade, old)) describe_loss(r, old, gt_schema_field(r->upgrade->to, old->name));
    }
}

/* ---- what steps do ---- */

/* Whether each value of a type can be converted. */
static bool is_total(gt_type from, gt_type to) {
    return to == GT_TYPE_TEXT || (from != GT_TYPE_STRING && to == GT_TYPE_STRING) || from == GT_TYPE_BOOLEAN ||
           from == GT_TYPE_DATE;
}

static void describe_convert(report *r, const gt_upgrade_route *route, const gt_upgrade_op *op) {
    gt_bytes name = route->target->name;
    if (is_total(op->from, op->to)) {
        note(r, name, "converted", NULL, "\"%.*s\" was of type %s and is now %s", NAME(name), gt_type_name(op->from),
             gt_type_name(op->to));
    } else {
        note(r, name, "converted", loses, "\"%.*s\" was of type %s and is now %s: a value that cannot be one %s",
             NAME(name), gt_type_name(op->from), gt_type_name(op->to),
             op->otherwise.data != NULL ? "is another" : "is not seen");
    }
    if (op->to == GT_TYPE_TEXT) {
        note(r, name, "merge", NULL, "\"%.*s\": of two values that are written at once both are kept", NAME(name));
    }
}

/* Whether two values become one. */
static bool is_ambiguous(const gt_upgrade_op *op) {
    if (op->otherwise.data != NULL) return true;
    for (size_t i = 0; i < op->pair_count; i++) {
        bool is_source = false;
        for (size_t j = 0; j < op->pair_count; j++) {
            if (i != j && gt_value_equal(op->pairs[2 * i + 1], op->pairs[2 * j + 1])) return true;
            is_source = is_source || gt_value_equal(op->pairs[2 * i + 1], op->pairs[2 * j]);
        }
        if (!is_source) return true; /* what was that value before stays it */
    }
    return false;
}

static void describe_ops(report *r, const gt_upgrade_route *route) {
    gt_bytes name = route->target->name;
    for (size_t i = 0; i < route->op_count; i++) {
        const gt_upgrade_op *op = &route->ops[i];
        switch (op->kind) {
        case GT_OP_CONVERT: describe_convert(r, route, op); break;
        case GT_OP_MAP:
            note(r, name, "mapped", is_ambiguous(op) ? loses : NULL, "\"%.*s\": values are others now%s", NAME(name),
                 is_ambiguous(op) ? ", and some that differed may not any more" : "");
            break;
        case GT_OP_CALL:
            note(r, name, "called", loses, "\"%.*s\": values are what \"%.*s\" of each program makes of them",
                 NAME(name), NAME(op->name));
            break;
        case GT_OP_FILL: note(r, name, "filled", NULL, "\"%.*s\" has a value where it had none", NAME(name)); break;
        case GT_OP_TYPE:
            note(r, name, "moved", loses, "\"%.*s\": what is not of type %s under \"%.*s\" of \"%.*s\" is not seen",
                 NAME(name), gt_type_name(op->to), NAME(route->source_key), NAME(route->source->name));
            break;
        }
    }
}

static void describe_place(report *r, const gt_upgrade_route *route) {
    gt_bytes name = route->target->name;
    if (route->source == NULL) {
        note(r, name, "added", NULL, "\"%.*s\" is new, and older items have a value there", NAME(name));
    } else if (route->target_key.data != NULL) {
        note(r, route->source->name, "moved", NULL, "\"%.*s\" is under \"%.*s\" of \"%.*s\"", NAME(route->source->name),
             NAME(route->target_key), NAME(name));
    } else if (route->source_key.data == NULL && !gt_bytes_equal(route->source->name, name)) {
        bool kept = gt_schema_field(r->upgrade->to, route->source->name) != NULL;
        note(r, route->source->name, kept ? "copied" : "renamed", NULL, "\"%.*s\" is %s \"%.*s\"",
             NAME(route->source->name), kept ? "also" : "called", NAME(name));
    }
}

/* ---- rules ---- */

static bool has_op(const gt_upgrade_route *route, gt_upgrade_op_kind kind) {
    bool has = false;
    for (size_t i = 0; i < route->op_count; i++) has = has || route->ops[i].kind == kind;
    return has;
}

/* A field of both versions, and how it is carried; route NULL: as it is, in an object. */
typedef struct both {
    const gt_schema *from, *to; /* that they are of */
    const gt_field *old, *new;
    const gt_upgrade_route *route;
} both;

/* Whether all that the old rules let through has a value of the new list. */
static bool enum_holds_all(const both *b, const gt_alloc *alloc) {
    static const gt_upgrade_route as_it_is = {0};
    if (b->old->enum_values.data == NULL || (b->route != NULL && has_op(b->route, GT_OP_CALL))) return false;
    bool all = true;
    gt_bytes value, allowed;
    for (gt_iter iter = gt_array_iter(b->old->enum_values); all && gt_array_next(&iter, &value);) {
        gt_buf carried;
        gt_buf_init(&carried, alloc);
        gt_upgrade_value(b->route == NULL ? &as_it_is : b->route, value, &carried);
        bool found = carried.len == 0;
        for (gt_iter in = gt_array_iter(b->new->enum_values); !found && gt_array_next(&in, &allowed);) {
            found = gt_value_equal(allowed, gt_buf_bytes(&carried));
        }
        all = found;
        gt_buf_free(&carried);
    }
    return all;
}

static void reject(report *r, gt_bytes name, const char *rule) {
    note(r, name, "rules", rejects, "\"%.*s\": its rule \"%s\" is narrower: what is there may break it", NAME(name),
         rule);
}

/* A route that changes values, or another type, tells nothing of limits: each that there is may be broken. */
static void compare_limits(report *r, const both *b) {
    const gt_field *old = b->old, *new = b->new;
    const gt_upgrade_route *route = b->route;
    gt_bytes name = new->path;
    bool as_it_is = route == NULL || route->op_count == 0 || (route->op_count == 1 && has_op(route, GT_OP_FILL));
    if (new->enum_values.data != NULL && !enum_holds_all(b, r->upgrade->alloc)) reject(r, name, "enum");
    if (new->min.data != NULL && !(as_it_is && old->min.data != NULL && gt_value_compare(old->min, new->min) >= 0)) {
        reject(r, name, "min");
    }
    if (new->max.data != NULL && !(as_it_is && old->max.data != NULL && gt_value_compare(old->max, new->max) <= 0)) {
        reject(r, name, "max");
    }
    if (new->min_length > (as_it_is ? old->min_length : 0)) reject(r, name, "min_length");
    if (new->max_length < (as_it_is ? old->max_length : UINT64_MAX)) reject(r, name, "max_length");
    if (new->pattern != NULL &&
        !(as_it_is && gt_bytes_equal(rule_of(b->from, old->name, "pattern"), rule_of(b->to, new->name, "pattern")))) {
        reject(r, name, "pattern");
    }
}

/* `was`: items of the old version have it. */
static void compare_both(report *r, const both *b, bool was) {
    const gt_field *old = b->old, *new = b->new;
    gt_bytes name = new->path;
    if (new->required &&new->default_value.data == NULL && !was) {
        note(r, name, "rules", rejects, "\"%.*s\" is required, and older items may have none", NAME(name));
    }
    compare_limits(r, b);
    if (!gt_bytes_equal(old->default_value, new->default_value)) {
        note(r, name, "rules", NULL, "\"%.*s\" has another default", NAME(name));
    }
    if (old->type == new->type && old->merge != new->merge) {
        note(r, name, "merge", NULL, "\"%.*s\": of concurrent edits another one counts", NAME(name));
    }
}

static void compare_rules(report *r, const gt_upgrade_route *route) {
    both b = {r->upgrade->from, r->upgrade->to, gt_upgrade_origin(route), gt_upgrade_place(route), route};
    gt_bytes name = route->target->name;
    const gt_field *new = b.new;
    bool filled = has_op(route, GT_OP_FILL), from_key = route->source_key.data != NULL;
    if (b.old == NULL) { /* a key of a map, which has no rules */
        bool limits = new->enum_values.data != NULL || new->min.data != NULL || new->max.data != NULL ||
                      new->min_length > 0 || new->max_length != UINT64_MAX || new->pattern != NULL;
        if (new->required &&new->default_value.data == NULL && !filled) {
            note(r, name, "rules", rejects, "\"%.*s\" is required, and older items may have none", NAME(name));
        }
        if (limits) note(r, name, "rules", rejects, "\"%.*s\" has rules that a key of a map has not", NAME(name));
        return;
    }
    if (from_key) b.from = route->source->fields;
    if (route->target_key.data != NULL) b.to = route->target->fields;
    bool may_lack = has_op(route, GT_OP_CONVERT) || has_op(route, GT_OP_CALL);
    compare_both(r, &b, filled || (!from_key && b.old->required && !may_lack));
}

static void describe_new(report *r, const gt_field *field) {
    gt_bytes name = field->path;
    if (field->required && field->default_value.data == NULL) {
        note(r, name, "added", rejects, "\"%.*s\" is new and required, and older items have none", NAME(name));
    } else {
        note(r, name, "added", NULL, "\"%.*s\" is new", NAME(name));
    }
}

/* ---- objects ---- */

static bool is_left_out(const gt_upgrade_route *route, gt_bytes name) {
    for (size_t i = 0; route != NULL && i < route->left_out_count; i++) {
        if (gt_bytes_equal(route->left_out[i], name)) return true;
    }
    return false;
}

/* Of what is in an object: it is carried as it is where both have it with the same type. `route`: of the outermost one. */
static void describe_inside(report *r, const gt_schema *from, const gt_schema *to, const gt_upgrade_route *route) {
    for (size_t i = 0; i < from->field_count; i++) {
        const gt_field *old = &from->fields[i], *new = gt_schema_field(to, old->name);
        if (is_left_out(route, old->name)) continue;
        if (new == NULL || new->type != old->type) describe_loss(r, old, new);
    }
    for (size_t i = 0; i < to->field_count; i++) {
        const gt_field *new = &to->fields[i], *old = gt_schema_field(from, new->name);
        if (old == NULL || old->type != new->type || is_left_out(route, old->name)) {
            describe_new(r, new);
            continue;
        }
        compare_both(r, &(both){from, to, old, new, NULL}, old->required);
        if (new->type == GT_TYPE_OBJECT) describe_inside(r, old->fields, new->fields, NULL);
    }
}

static void describe_object(report *r, const gt_upgrade_route *route) {
    const gt_field *origin = gt_upgrade_origin(route), *place = gt_upgrade_place(route);
    bool are_objects = origin != NULL && place != NULL && origin->type == GT_TYPE_OBJECT && place->type == origin->type;
    if (are_objects) describe_inside(r, origin->fields, place->fields, route);
}

void gt_upgrade_describe(const gt_upgrade *upgrade, gt_buf *out, size_t *count) {
    report r = {.upgrade = upgrade, .out = out};
    describe_lost(&r);
    size_t route = 0;
    for (size_t i = 0; i < upgrade->to->field_count; i++) {
        const gt_field *field = &upgrade->to->fields[i];
        size_t first = route;
        for (; route < upgrade->route_count && upgrade->routes[route].target == field; route++) {
            const gt_upgrade_route *at = &upgrade->routes[route];
            describe_place(&r, at);
            describe_ops(&r, at);
            if (at->source != NULL && gt_upgrade_place(at) != NULL) compare_rules(&r, at);
            describe_object(&r, at);
        }
        if (route == first) describe_new(&r, field);
    }
    *count += r.count;
}
