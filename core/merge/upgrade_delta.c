/* Edits of an older version as the next one has them. A route carries the edits of its own field and looks at nothing
 * else: no state is needed, and a delta takes the time of the fields that the two versions have. */
#include "merge/type.h"

/* By place among the fields of the old version: what the delta says of it; data NULL: nothing. */
typedef struct carrying {
    const gt_schema *from;
    gt_bytes *edits;
} carrying;

static gt_bytes edit_of(const carrying *c, const gt_upgrade_route *route) {
    if (route->source == NULL) return gt_bytes_of(NULL, 0);
    return c->edits[route->source - gt_schema_field_at(c->from, 0)];
}

/* A single value was written, or is none any more. */
static void carry_value(const gt_upgrade_route *route, gt_bytes value, gt_buf *out) {
    size_t begin = out->len;
    gt_upgrade_value(route, value, out);
    if (out->len == begin) gt_write_undefined(out);
}

/* Appends the edit at the new version, or nothing where nothing is said of this field. */
static void carry_edit(const carrying *c, const gt_upgrade_route *route, gt_buf *out) {
    const gt_field *origin = gt_upgrade_origin(route);
    gt_bytes edit = edit_of(c, route), none = gt_bytes_of(NULL, 0);
    if (edit.data != NULL && route->source_key.data != NULL && !gt_edit_is_unset(edit)) {
        edit = gt_map_find(edit, route->source_key);
    }
    if (edit.data == NULL) return;
    bool unsets = gt_edit_is_unset(edit), is_map = origin != NULL && origin->type == GT_TYPE_MAP;
    if (is_map && !unsets) {
        gt_upgrade_map(route, edit, out);
    } else if (origin != NULL && origin->type == GT_TYPE_OBJECT && !unsets) {
        gt_upgrade_object(route, edit, out);
    } else if (route->op_count > 0 && !is_map) {
        carry_value(route, unsets ? none : edit, out);
    } else {
        gt_buf_append(out, edit.data, edit.len);
    }
}

/* The keys that routes from `route` on give to one map. */
static void carry_keys(const carrying *c, const gt_upgrade_route *route, size_t count, gt_buf *out) {
    gt_counted counted = gt_counted_begin(out, true, count);
    size_t there = 0;
    for (size_t i = 0; i < count; i++) {
        size_t before = out->len;
        gt_write_text(out, route[i].target_key);
        size_t behind = out->len;
        carry_edit(c, &route[i], out);
        if (out->len == behind) {
            out->len = before;
        } else {
            there++;
        }
    }
    if (there == 0) {
        out->len = counted.begin;
    } else {
        gt_counted_end(&counted, there);
    }
}

static size_t carry_fields(const carrying *c, const gt_upgrade *upgrade, gt_buf *out) {
    size_t route_count, count = 0;
    const gt_upgrade_route *routes = gt_upgrade_routes(upgrade, &route_count);
    for (size_t i = 0, some; i < route_count; i += some) {
        const gt_upgrade_route *route = &routes[i];
        for (some = 1; i + some < route_count && route[some].target == route->target; some++) {
        }
        size_t before = out->len;
        gt_write_text(out, route->target->name);
        size_t behind = out->len;
        if (route->target_key.data != NULL) {
            carry_keys(c, route, some, out);
        } else {
            carry_edit(c, route, out);
        }
        if (out->len == behind) {
            out->len = before;
        } else {
            count++;
        }
    }
    return count;
}

goat_status gt_merge_upgrade_delta(const gt_alloc *alloc, const gt_upgrade *upgrade, gt_bytes delta, gt_buf *out,
                                   gt_diag *diag) {
    carrying c = {.from = gt_upgrade_from(upgrade)};
    size_t route_count, field_count = gt_schema_field_count(c.from), begin = out->len, said = 0;
    gt_bytes tombstone = gt_map_find_int(delta, 0), name, edit;
    gt_upgrade_routes(upgrade, &route_count);
    c.edits = gt_new(alloc, field_count + 1, sizeof *c.edits);
    if (c.edits == NULL) return gt_no_memory(diag);
    for (gt_iter iter = gt_map_iter(delta); gt_map_next(&iter, &name, &edit); said++) {
        const gt_field *field = gt_schema_field(c.from, name);
        if (field != NULL) c.edits[field - gt_schema_field_at(c.from, 0)] = edit;
    }
    gt_counted counted = gt_counted_begin(out, true, route_count + 1);
    size_t before = out->len;
    if (tombstone.data != NULL) {
        gt_write_int(out, 0);
        gt_buf_append(out, tombstone.data, tombstone.len);
    }
    size_t count = (tombstone.data != NULL) + carry_fields(&c, upgrade, out);
    if (count == 0 && said > 0) {
        out->len = before;
        gt_write_int(out, 0);
        gt_write_bool(out, false);
        count = 1;
    }
    gt_counted_end(&counted, count);
    gt_free(alloc, c.edits);
    if (!gt_buf_failed(out)) return GOAT_OK;
    out->len = begin;
    return gt_no_memory(diag);
}
