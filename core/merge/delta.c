/* Whole deltas: what may stand in one, and the one between a state and the fields that are wanted. */
#include "merge/type.h"

static goat_status check_pair(const gt_schema *schema, gt_bytes key, gt_bytes edit, gt_diag *diag) {
    gt_bytes name;
    if (!gt_value_as_text(key, &name)) {
        bool deleted;
        if (key.data[0] != 0) {
            return gt_fail(diag, GOAT_INVALID, "a delta has an integer key other than 0");
        }
        return gt_value_as_bool(edit, &deleted)
                   ? GOAT_OK
                   : gt_fail(diag, GOAT_INVALID, "a delta has something other than true or false under its key 0");
    }
    const gt_field *field = gt_schema_field(schema, name);
    if (field == NULL) {
        return gt_schema_refuse_unknown(schema, name, diag);
    }
    return gt_edit_check(field, edit, diag);
}

goat_status gt_merge_check_delta(const gt_schema *schema, gt_bytes delta, gt_diag *diag) {
    if (gt_value_kind(delta) != GT_KIND_MAP) {
        return gt_fail(diag, GOAT_INVALID, "a delta is not a map");
    }
    gt_iter iter = gt_map_iter(delta);
    gt_bytes key, edit;
    goat_status status = GOAT_OK;
    while (status == GOAT_OK && gt_map_next_pair(&iter, &key, &edit)) {
        status = check_pair(schema, key, edit, diag);
    }
    return status;
}

/* ---- what fits ---- */

/* Integers would come first. */
static bool is_map_of_names(gt_bytes edit) {
    gt_bytes key, first;
    if (gt_value_kind(edit) != GT_KIND_MAP) return false;
    gt_iter iter = gt_map_iter(edit);
    return !gt_map_next_pair(&iter, &key, &first) || gt_value_kind(key) == GT_KIND_TEXT;
}

/* Appends the pair, or as much of it as fits. False where that is nothing. */
static bool fit_pair(const gt_schema *schema, gt_bytes key, gt_bytes edit, gt_buf *out) {
    gt_bytes name;
    const gt_field *field = gt_value_as_text(key, &name) ? gt_schema_field(schema, name) : NULL;
    bool has_fields = field != NULL && field->fields != NULL && is_map_of_names(edit);
    if (!has_fields && check_pair(schema, key, edit, NULL) != GOAT_OK) return false;
    gt_buf_append(out, key.data, key.len);
    if (has_fields) {
        gt_merge_fit_delta(field->fields, edit, out);
    } else {
        gt_buf_append(out, edit.data, edit.len);
    }
    return true;
}

void gt_merge_fit_delta(const gt_schema *schema, gt_bytes delta, gt_buf *out) {
    gt_counted counted = gt_counted_begin(out, true, gt_value_count(delta));
    gt_bytes key, edit;
    size_t count = 0;
    for (gt_iter iter = gt_map_iter(delta); gt_map_next_pair(&iter, &key, &edit);) {
        count += fit_pair(schema, key, edit, out);
    }
    gt_counted_end(&counted, count);
}

/* ---- the difference of two states ---- */

typedef struct side {
    gt_iter iter;
    gt_bytes key, value; /* the next field; key.data NULL at the end */
} side;

static void advance(side *s) {
    if (!gt_map_next(&s->iter, &s->key, &s->value)) {
        s->key = gt_bytes_of(NULL, 0);
    }
}

static side begin(gt_bytes map) {
    side s = {{NULL, NULL, 0}, {NULL, 0}, {NULL, 0}};
    if (map.data != NULL) {
        s.iter = gt_map_iter(map);
        advance(&s);
    }
    return s;
}

/* Appends the name and the edit of one field; nothing where there is no edit. */
static goat_status write_edit(const gt_field *field, gt_bytes base, gt_bytes wanted, gt_buf *delta, uint32_t *count,
                              gt_diag *diag) {
    size_t before = delta->len;
    gt_write_text(delta, field->name);
    size_t behind = delta->len;
    goat_status status = gt_edit_diff(field, base, wanted, delta, diag);
    if (delta->len == behind) {
        delta->len = before;
    } else {
        ++*count;
    }
    return status;
}

goat_status gt_merge_diff(const gt_schema *schema, gt_bytes base, gt_bytes wanted, gt_buf *delta, uint32_t *count,
                          gt_diag *diag) {
    side old = begin(base), new = begin(wanted);
    gt_counted counted = gt_counted_begin(delta, true, old.iter.left + new.iter.left + 2);
    goat_status status = GOAT_OK;
    *count = 0;
    while (status == GOAT_OK && (old.key.data != NULL || new.key.data != NULL)) {
        int order = old.key.data == NULL ? 1 : new.key.data == NULL ? -1 : gt_key_compare(old.key, new.key);
        gt_bytes name = order <= 0 ? old.key : new.key;
        const gt_field *field = gt_schema_field(schema, name);
        if (field != NULL) {
            status = write_edit(field, order <= 0 ? old.value : gt_bytes_of(NULL, 0),
                                order >= 0 ? new.value : gt_bytes_of(NULL, 0), delta, count, diag);
        } else if (order >= 0) {
            status = gt_schema_refuse_unknown(schema, name, diag);
        } /* else a field of another version of the schema: not ours to unset */
        if (order <= 0) {
            advance(&old);
        }
        if (order >= 0) {
            advance(&new);
        }
    }
    if (status == GOAT_OK && gt_buf_failed(delta)) {
        status = gt_no_memory(diag);
    }
    if (status != GOAT_OK) {
        delta->len = counted.begin;
        return status;
    }
    gt_counted_end(&counted, *count);
    return GOAT_OK;
}
