/* Making edits. What is the same for all types is decided here: no edit where nothing changes, and
 * `undefined` where the field becomes unset. Objects need to be told of which fields they are. */
#include "merge/rich_runs.h"
#include "merge/type.h"

static goat_status finish(const gt_buf *out, gt_diag *diag) {
    return gt_buf_failed(out) ? gt_no_memory(diag) : GOAT_OK;
}

/* Whether an edit can say that a whole value is in place of what was there. */
static bool has_elements(const gt_field *field) {
    return field->type == GT_TYPE_TEXT || field->type == GT_TYPE_LIST || field->type == GT_TYPE_RICHTEXT;
}

goat_status gt_edit_diff(const gt_field *field, gt_bytes base, gt_bytes value, gt_buf *edit, gt_diag *diag) {
    if (value.data == NULL) {
        if (base.data != NULL) {
            gt_write_undefined(edit);
        }
        return finish(edit, diag);
    }
    goat_status status = gt_schema_check_type(field, value, diag);
    if (status != GOAT_OK) {
        return status;
    }
    base = gt_edit_base(field, base);
    if (base.data == NULL || !gt_value_equal(base, value)) {
        bool was_cut = base.len > GT_FIELD_SIZE_MAX && has_elements(field);
        if (was_cut) base = gt_bytes_of(NULL, 0); /* all of it goes, what is not seen with the rest */
        if (field->fields != NULL) {
            gt_object_diff(field, base, value, edit);
        } else {
            gt_merge_type_of(field)->diff(base, value, edit);
        }
    }
    return finish(edit, diag);
}

/* Of a rich text two edits that may be can come to one that may not. */
static goat_status compose_field(const gt_field *field, gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit,
                                 gt_diag *diag) {
    size_t begin = edit->len;
    gt_merge_type_of(field)->compose(base, first, second, edit);
    if (field->type != GT_TYPE_RICHTEXT || gt_buf_failed(edit)) return GOAT_OK;
    bool fits = gt_rich_edit_fits(gt_bytes_of(edit->data + begin, edit->len - begin));
    return fits ? GOAT_OK : gt_rich_refuse_attributes(field, diag);
}

goat_status gt_edit_compose(const gt_field *field, gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit,
                            gt_diag *diag) {
    goat_status status = GOAT_OK;
    size_t begin = edit->len;
    if (first.data == NULL) {
        gt_buf_append(edit, second.data, second.len);
    } else if (!gt_edit_is_unset(second) && field->fields != NULL) {
        status = gt_object_compose(field, gt_edit_base(field, base), first, second, edit, diag);
    } else if (!gt_edit_is_unset(second)) {
        status = compose_field(field, gt_edit_base(field, base), first, second, edit, diag);
    } else if (base.data != NULL) {
        gt_write_undefined(edit);
    }
    if (status != GOAT_OK) edit->len = begin;
    return status == GOAT_OK ? finish(edit, diag) : status;
}

goat_status gt_edit_apply(const gt_field *field, gt_bytes base, gt_bytes edit, gt_buf *value, gt_diag *diag) {
    size_t begin = value->len;
    if (gt_edit_is_unset(edit)) return GOAT_OK;
    goat_status status = GOAT_OK;
    if (field->fields != NULL) {
        status = gt_object_apply(field, gt_edit_base(field, base), edit, value, diag);
    } else {
        gt_merge_type_of(field)->apply(gt_edit_base(field, base), edit, value);
    }
    if (status == GOAT_OK) gt_trim_field(field, value, begin);
    if (status != GOAT_OK) value->len = begin;
    return status == GOAT_OK ? finish(value, diag) : status;
}

goat_status gt_edit_check(const gt_field *field, gt_bytes edit, gt_diag *diag) {
    return gt_edit_is_unset(edit) ? GOAT_OK : gt_merge_type_of(field)->check_edit(field, edit, true, diag);
}

/* ---- explicit operations ---- */

goat_status gt_edit_want_type(const gt_field *field, gt_type type, const char *operation, gt_diag *diag) {
    if (field->type == type) {
        return GOAT_OK;
    }
    gt_fail(diag, GOAT_WRONG_TYPE, "\"%.*s\" is not a %s", (int)field->path.len, (const char *)field->path.data,
            operation);
    gt_diag_field(diag, (const char *)field->path.data, field->path.len);
    gt_diag_rule(diag, "type");
    return GOAT_WRONG_TYPE;
}

goat_status gt_edit_add(const gt_field *field, gt_bytes element, gt_buf *edit, gt_diag *diag) {
    goat_status status = gt_edit_want_type(field, GT_TYPE_SET, "set: nothing can be added", diag);
    if (status != GOAT_OK) {
        return status;
    }
    gt_write_tag(edit, GT_TAG_SET);
    gt_write_array_head(edit, 1);
    gt_buf_append(edit, element.data, element.len);
    return finish(edit, diag);
}

goat_status gt_edit_remove(const gt_field *field, gt_bytes base, gt_bytes element, gt_buf *edit, gt_diag *diag) {
    goat_status status = gt_edit_want_type(field, GT_TYPE_SET, "set: nothing can be removed", diag);
    if (status != GOAT_OK) {
        return status;
    }
    gt_set_write_remove(gt_edit_base(field, base), element, edit);
    return finish(edit, diag);
}

goat_status gt_edit_put(const gt_field *field, gt_bytes base, gt_bytes key, gt_bytes value, gt_buf *edit,
                        gt_diag *diag) {
    goat_status status = gt_edit_want_type(field, GT_TYPE_MAP, "map: it has no keys", diag);
    if (status != GOAT_OK) {
        return status;
    }
    base = gt_edit_base(field, base);
    bool removes = value.data == NULL;
    if (removes && (base.data == NULL || gt_map_find(base, key).data == NULL)) {
        return GOAT_OK;
    }
    gt_write_map_head(edit, 1);
    gt_write_text(edit, key);
    if (removes) {
        gt_write_undefined(edit);
    } else {
        gt_buf_append(edit, value.data, value.len);
    }
    return finish(edit, diag);
}

goat_status gt_edit_splice(const gt_field *field, gt_bytes base, const gt_splice *splice, gt_buf *edit, gt_diag *diag) {
    goat_status status = gt_edit_want_type(field, GT_TYPE_TEXT, "text: it cannot be spliced", diag);
    if (status == GOAT_OK) status = gt_text_write_splice(gt_edit_base(field, base), splice, edit, diag);
    if (status != GOAT_OK) gt_diag_field(diag, (const char *)field->path.data, field->path.len);
    return status == GOAT_OK ? finish(edit, diag) : status;
}

goat_status gt_edit_delta(const gt_field *field, gt_bytes base, gt_bytes delta, gt_buf *edit, gt_diag *diag) {
    goat_status status = gt_edit_want_type(field, GT_TYPE_RICHTEXT, "richtext: no Delta can be applied to it", diag);
    if (status == GOAT_OK) status = gt_rich_write_delta(gt_edit_base(field, base), delta, edit, diag);
    if (status != GOAT_OK) gt_diag_field(diag, (const char *)field->path.data, field->path.len);
    return status == GOAT_OK ? finish(edit, diag) : status;
}

goat_status gt_edit_increment(const gt_field *field, int64_t by, gt_buf *edit, gt_diag *diag) {
    goat_status status = gt_edit_want_type(field, GT_TYPE_COUNTER, "counter: it cannot be incremented", diag);
    if (status == GOAT_OK && by != 0) {
        gt_write_int(edit, by);
        status = finish(edit, diag);
    }
    return status;
}
