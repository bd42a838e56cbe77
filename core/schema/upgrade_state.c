/* States and values carried through a bound upgrade. */
#include "schema/bound.h"
#include "schema/parsed.h"
#include "value/build.h"

/* ---- operations ---- */

static void run_map(const gt_upgrade_op *op, gt_bytes value, gt_buf *out) {
    gt_bytes found = op->otherwise.data != NULL ? op->otherwise : value;
    for (size_t i = 0; i < op->pair_count; i++) {
        if (gt_value_equal(op->pairs[2 * i], value)) {
            found = op->pairs[2 * i + 1];
            break;
        }
    }
    gt_buf_append(out, found.data, found.len);
}

/* What a host says is looked at as what anybody says: a value of the type, or none. */
static void run_call(const gt_upgrade_op *op, gt_bytes value, gt_buf *out) {
    size_t begin = out->len;
    bool good = op->call != NULL && op->call->run(op->call->context, value, out) && !gt_buf_failed(out);
    gt_bytes made = gt_bytes_of(out->data + begin, out->len - begin);
    good = good && made.len > 0 && gt_value_check(made, 0, NULL) == GOAT_OK &&
           (gt_type_kinds(op->to) >> gt_value_kind(made) & 1) != 0;
    if (!good && !gt_buf_failed(out)) out->len = begin;
}

/* `value` is there. */
static void run(const gt_upgrade_op *op, gt_bytes value, gt_buf *out) {
    size_t begin = out->len;
    switch (op->kind) {
    case GT_OP_CONVERT:
        gt_convert(op->from, op->to, value, out);
        if (out->len == begin && op->otherwise.data != NULL) gt_buf_append(out, op->otherwise.data, op->otherwise.len);
        break;
    case GT_OP_MAP: run_map(op, value, out); break;
    case GT_OP_CALL:
        run_call(op, value, out);
        if (out->len == begin && op->otherwise.data != NULL) gt_buf_append(out, op->otherwise.data, op->otherwise.len);
        break;
    case GT_OP_TYPE:
        if ((gt_type_kinds(op->to) >> gt_value_kind(value) & 1) != 0) gt_buf_append(out, value.data, value.len);
        break;
    case GT_OP_FILL: gt_buf_append(out, value.data, value.len); break;
    }
}

void gt_upgrade_value(const gt_upgrade_route *route, gt_bytes value, gt_buf *out) {
    gt_buf turns[2];
    gt_buf_init(&turns[0], out->alloc);
    gt_buf_init(&turns[1], out->alloc);
    bool failed = false;
    for (size_t i = 0; i < route->op_count && !failed; i++) {
        const gt_upgrade_op *op = &route->ops[i];
        gt_buf *to = &turns[i & 1]; /* `value` may lie in the other one */
        gt_buf_clear(to);
        if (value.data != NULL) {
            run(op, value, to);
        } else if (op->kind == GT_OP_FILL) {
            gt_buf_append(to, op->value.data, op->value.len);
        }
        failed = gt_buf_failed(to);
        value = to->len == 0 ? gt_bytes_of(NULL, 0) : gt_buf_bytes(to);
    }
    if (value.data != NULL) gt_buf_append(out, value.data, value.len);
    out->failed |= failed;
    gt_buf_free(&turns[0]);
    gt_buf_free(&turns[1]);
}

static bool is_left_out(const gt_upgrade_route *route, gt_bytes key) {
    for (size_t i = 0; i < route->left_out_count; i++) {
        if (gt_bytes_equal(route->left_out[i], key)) return true;
    }
    return false;
}

void gt_upgrade_map(const gt_upgrade_route *route, gt_bytes map, gt_buf *out) {
    gt_buf pairs;
    gt_bytes key, value;
    size_t count = 0;
    if (route->op_count == 0 && route->left_out_count == 0) {
        gt_buf_append(out, map.data, map.len);
        return;
    }
    gt_buf_init(&pairs, out->alloc);
    for (gt_iter iter = gt_map_iter(map); gt_map_next(&iter, &key, &value);) {
        if (is_left_out(route, key)) continue;
        count++;
        gt_write_text(&pairs, key);
        if (gt_value_kind(value) == GT_KIND_UNDEFINED) {
            gt_write_undefined(&pairs);
        } else {
            gt_upgrade_value(route, value, &pairs);
        }
    }
    gt_write_map_head(out, count);
    gt_buf_append(out, pairs.data, pairs.len);
    out->failed |= gt_buf_failed(&pairs);
    gt_buf_free(&pairs);
}

/* Of what is in an object, what both versions have with the same type; under `undefined` too, as edits have it. `route` is
 * that of the outermost one, whose keys may be left out; NULL inside. */
static void carry_fields(const gt_upgrade_route *route, const gt_schema *from, const gt_schema *to, gt_bytes map,
                         gt_buf *out) {
    gt_buf pairs;
    gt_bytes name, value;
    size_t count = 0;
    gt_buf_init(&pairs, out->alloc);
    for (gt_iter iter = gt_map_iter(map); gt_map_next(&iter, &name, &value);) {
        const gt_field *old = gt_schema_field(from, name), *new = gt_schema_field(to, name);
        if (old == NULL || new == NULL || old->type != new->type) continue;
        if (route != NULL && is_left_out(route, name)) continue;
        count++;
        gt_write_text(&pairs, name);
        if (old->fields != NULL && gt_value_kind(value) == GT_KIND_MAP) {
            carry_fields(NULL, old->fields, new->fields, value, &pairs);
        } else {
            gt_buf_append(&pairs, value.data, value.len);
        }
    }
    gt_write_map_head(out, count);
    gt_buf_append(out, pairs.data, pairs.len);
    out->failed |= gt_buf_failed(&pairs);
    gt_buf_free(&pairs);
}

void gt_upgrade_object(const gt_upgrade_route *route, gt_bytes map, gt_buf *out) {
    carry_fields(route, gt_upgrade_origin(route)->fields, gt_upgrade_place(route)->fields, map, out);
}

/* ---- states ---- */

/* The value that a route carries; data NULL: there is none, or one that the field cannot have. */
static gt_bytes value_of(const gt_upgrade_route *route, gt_bytes state) {
    const gt_field *origin = gt_upgrade_origin(route);
    gt_bytes value = gt_map_find(state, route->source->name);
    if (value.data != NULL && !gt_field_holds(route->source, value)) value = gt_bytes_of(NULL, 0);
    if (value.data != NULL && route->source_key.data != NULL) {
        value = gt_map_find(value, route->source_key);
        if (value.data != NULL && origin != NULL && !gt_field_holds(origin, value)) value = gt_bytes_of(NULL, 0);
    }
    return value;
}

/* What a route makes of a state. */
static void carry(const gt_upgrade_route *route, gt_bytes state, gt_buf *out) {
    if (route->source == NULL) {
        gt_buf_append(out, route->constant.data, route->constant.len);
        return;
    }
    const gt_field *origin = gt_upgrade_origin(route);
    gt_bytes value = value_of(route, state);
    if (origin != NULL && origin->type == GT_TYPE_MAP) {
        if (value.data != NULL) gt_upgrade_map(route, value, out);
    } else if (origin != NULL && origin->type == GT_TYPE_OBJECT) {
        if (value.data != NULL) gt_upgrade_object(route, value, out);
    } else {
        gt_upgrade_value(route, value, out);
    }
}

/* The keys that routes from `route` on give to one map; the map is there even when it is empty. */
static void carry_keys(const gt_upgrade_route *route, size_t count, gt_bytes state, gt_buf *out) {
    gt_buf pairs;
    size_t there = 0;
    gt_buf_init(&pairs, out->alloc);
    for (size_t i = 0; i < count; i++) {
        size_t before = pairs.len;
        gt_write_text(&pairs, route[i].target_key);
        size_t behind = pairs.len;
        carry(&route[i], state, &pairs);
        if (pairs.len == behind) {
            pairs.len = before;
        } else {
            there++;
        }
    }
    gt_write_map_head(out, there);
    gt_buf_append(out, pairs.data, pairs.len);
    out->failed |= gt_buf_failed(&pairs);
    gt_buf_free(&pairs);
}

void gt_upgrade_state(const gt_upgrade *upgrade, gt_bytes state, gt_buf *out) {
    gt_buf pairs;
    size_t count = 0;
    gt_bytes tombstone = gt_map_find_int(state, 0);
    gt_buf_init(&pairs, out->alloc);
    if (tombstone.data != NULL) {
        count++;
        gt_write_int(&pairs, 0);
        gt_buf_append(&pairs, tombstone.data, tombstone.len);
    }
    for (size_t i = 0, some; i < upgrade->route_count; i += some) {
        const gt_upgrade_route *route = &upgrade->routes[i];
        for (some = 1; i + some < upgrade->route_count && route[some].target == route->target; some++) {
        }
        size_t before = pairs.len;
        gt_write_text(&pairs, route->target->name);
        size_t behind = pairs.len;
        if (route->target_key.data != NULL) {
            carry_keys(route, some, state, &pairs);
        } else {
            carry(route, state, &pairs);
        }
        if (pairs.len == behind) {
            pairs.len = before;
        } else {
            count++;
        }
    }
    gt_write_map_head(out, count);
    gt_buf_append(out, pairs.data, pairs.len);
    out->failed |= gt_buf_failed(&pairs);
    gt_buf_free(&pairs);
}
