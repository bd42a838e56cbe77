/* One operation on one field. On a field in an object it is made on that field, and then said as an edit of the object:
 * a map of the one field that it touches. */
#include "db/internal.h"

/* The operation on `field`, which is `now`. */
static goat_status make_on(const gt_field *field, gt_bytes now, const gt_edit *edit, gt_buf *out, gt_diag *diag) {
    switch (edit->operation) {
    case GT_SET: return gt_edit_diff(field, now, edit->value, out, diag);
    case GT_UNSET: return gt_edit_diff(field, now, (gt_bytes){0}, out, diag);
    case GT_ADD: return gt_edit_add(field, edit->value, out, diag);
    case GT_REMOVE: return gt_edit_remove(field, now, edit->value, out, diag);
    case GT_PUT: return gt_edit_put(field, now, edit->key, edit->value, out, diag);
    case GT_SPLICE: return gt_edit_splice(field, now, &edit->splice, out, diag);
    case GT_LIST_INSERT: return gt_edit_list_insert(field, now, edit->position, edit->value, out, diag);
    case GT_LIST_REMOVE: return gt_edit_list_remove(field, now, edit->position, edit->count, out, diag);
    case GT_LIST_MOVE: return gt_edit_list_move(field, now, edit->position, edit->count, out, diag);
    case GT_LIST_SET: return gt_edit_list_set(field, now, edit->position, edit->value, out, diag);
    case GT_DELTA: return gt_edit_delta(field, now, edit->value, out, diag);
    default: return gt_edit_increment(field, edit->by, out, diag);
    }
}

gt_bytes gt_inside_value(gt_bytes value, const gt_field *const *inside, size_t count) {
    for (size_t i = 0; i < count && value.data != NULL; i++) {
        bool is_object = gt_value_kind(value) == GT_KIND_MAP;
        value = is_object ? gt_map_find(value, inside[i]->name) : (gt_bytes){0};
    }
    return value;
}

bool gt_inside_is_all(gt_bytes edit, const gt_field *const *inside, size_t count) {
    for (size_t i = 0; i < count && edit.data != NULL; i++) {
        gt_bytes inner = gt_map_find(edit, inside[i]->name);
        if (gt_value_count(edit) > (inner.data != NULL)) return false;
        edit = inner;
    }
    return true;
}

void gt_inside_write(gt_bytes edit, const gt_field *const *inside, size_t count, gt_bytes inner, gt_buf *out) {
    if (count == 0) {
        gt_buf_append(out, inner.data, inner.len);
        return;
    }
    gt_bytes name = inside[0]->name, key, value;
    gt_buf own; /* what the first field of the path has in place of what it had */
    gt_buf_init(&own, out->alloc);
    gt_inside_write(gt_inside_value(edit, inside, 1), inside + 1, count - 1, inner, &own);
    size_t others = edit.data == NULL ? 0 : gt_value_count(edit) - (gt_map_find(edit, name).data != NULL);
    bool waits = own.len > 0;
    if (others > 0 || waits) gt_write_map_head(out, others + waits);
    for (gt_iter iter = gt_map_iter(gt_map_or_empty(edit)); gt_map_next(&iter, &key, &value);) {
        int order = gt_key_compare(key, name);
        if (order > 0 && waits) {
            gt_write_text(out, name);
            gt_buf_append(out, own.data, own.len);
            waits = false;
        }
        if (order == 0) continue;
        gt_write_text(out, key);
        gt_buf_append(out, value.data, value.len);
    }
    if (waits) {
        gt_write_text(out, name);
        gt_buf_append(out, own.data, own.len);
    }
    if (gt_buf_failed(&own)) out->failed = true;
    gt_buf_free(&own);
}

goat_status gt_operation_make(const gt_field *field, gt_bytes now, const gt_edit *edit, gt_buf *out, gt_diag *diag) {
    size_t count = edit->inside_count;
    if (count == 0) return make_on(field, now, edit, out, diag);
    gt_buf single;
    gt_buf_init(&single, out->alloc);
    gt_bytes value = gt_inside_value(now, edit->inside, count);
    goat_status status = make_on(edit->inside[count - 1], value, edit, &single, diag);
    if (status == GOAT_OK && single.len > 0) {
        for (size_t i = 0; i < count; i++) {
            gt_write_map_head(out, 1);
            gt_write_text(out, edit->inside[i]->name);
        }
        gt_buf_append(out, single.data, single.len);
        if (gt_buf_failed(out)) status = gt_no_memory(diag);
    }
    gt_buf_free(&single);
    return status;
}

goat_status gt_operation_check(const gt_field *field, gt_bytes value, const gt_edit *edit, gt_diag *diag) {
    size_t count = edit->inside_count;
    if (count > 0) field = edit->inside[count - 1];
    value = gt_inside_value(value, edit->inside, count);
    return value.data == NULL ? GOAT_OK : gt_schema_check_value(field, value, diag);
}
