/* What an edit of apply does to the fields of an item: sets some, unsets some, and makes steps.
 *
 * A step is one operation on one field, {NAME: ARGUMENTS}, named like the function goat_item_NAME of goat.h that does the
 * same. Steps of a field are made one after the other, each on what the one before came to, and are one edit together. */
#include "db/apply.h"

#include <stdio.h>

static goat_status unknown_field(gt_bytes name, gt_diag *diag) {
    gt_fail(diag, GOAT_INVALID, "the schema has no such field");
    gt_diag_field(diag, (const char *)name.data, name.len);
    gt_diag_rule(diag, "unknown_field");
    return GOAT_INVALID;
}

/* ---- set and unset: these are names, not paths ---- */

static goat_status set_field(gt_work *work, gt_bytes name, gt_bytes value, gt_diag *diag) {
    const gt_field *field = gt_schema_field(work->schema, name);
    gt_edit edit = {.operation = GT_SET, .value = value};
    if (field == NULL) return unknown_field(name, diag);
    goat_status status = gt_schema_check_value(field, value, diag);
    return status == GOAT_OK ? gt_work_take(work, field, &edit, diag) : status;
}

static goat_status unset_field(gt_work *work, gt_bytes name, gt_bytes fields, gt_diag *diag) {
    const gt_field *field = gt_schema_field(work->schema, name);
    gt_edit edit = {.operation = GT_UNSET};
    if (field == NULL) return unknown_field(name, diag);
    if (gt_map_find(fields, name).data != NULL) {
        gt_fail(diag, GOAT_INVALID, "a field is both set and unset");
        gt_diag_field(diag, (const char *)name.data, name.len);
        return GOAT_INVALID;
    }
    return gt_work_take(work, field, &edit, diag);
}

static goat_status unset_fields(gt_work *work, const gt_applied *edit, gt_bytes fields, gt_diag *diag) {
    goat_status status = GOAT_OK;
    gt_bytes element, name;
    gt_iter iter = gt_array_iter(gt_array_or_empty(edit->unset));
    while (status == GOAT_OK && gt_array_next(&iter, &element)) {
        if (!gt_value_as_text(element, &name)) return gt_fail(diag, GOAT_INVALID, "\"unset\" must hold field names");
        status = unset_field(work, name, fields, diag);
    }
    for (size_t i = 0; status == GOAT_OK && i < json_array_size(edit->unset_json); i++) {
        json_t *text = json_array_get(edit->unset_json, i);
        if (!json_is_string(text)) return gt_fail(diag, GOAT_INVALID, "\"unset\" must hold field names");
        name = gt_bytes_of(json_string_value(text), json_string_length(text));
        status = unset_field(work, name, fields, diag);
    }
    return status;
}

/* ---- steps ---- */

enum { ARGUMENTS_MAX = 4 };

static bool read_number(gt_bytes value, uint64_t *number) {
    int64_t read;
    if (!gt_value_as_int64(value, &read) || read < 0) return false;
    *number = (uint64_t)read;
    return true;
}

static bool read_unit(gt_bytes value, goat_unit *unit) {
    static const char *const names[] = {
        [GOAT_UNIT_BYTE] = "byte", [GOAT_UNIT_CODE_POINT] = "code_point", [GOAT_UNIT_UTF16] = "utf16"};
    gt_bytes text;
    for (size_t i = 0; gt_value_as_text(value, &text) && i < sizeof(names) / sizeof(names[0]); i++) {
        *unit = (goat_unit)i;
        if (gt_bytes_equal(text, gt_bytes_text(names[i]))) return true;
    }
    return false;
}

static bool read_add(gt_bytes said, gt_edit *edit) {
    edit->value = said;
    return true;
}

static bool read_increment(gt_bytes said, gt_edit *edit) { return gt_value_as_int64(said, &edit->by); }

/* The elements of an array, `least` to `most` of them; 0: it is none, or has another number. */
static size_t read_array(gt_bytes said, size_t least, size_t most, gt_bytes arguments[ARGUMENTS_MAX]) {
    size_t count = gt_value_kind(said) == GT_KIND_ARRAY ? gt_value_count(said) : 0;
    if (count < least || count > most) return 0;
    gt_iter iter = gt_array_iter(said);
    for (size_t i = 0; i < count; i++) gt_array_next(&iter, &arguments[i]);
    return count;
}

static bool read_splice(gt_bytes said, gt_edit *edit) {
    gt_bytes a[ARGUMENTS_MAX];
    size_t count = read_array(said, 3, 4, a);
    edit->splice.unit = GOAT_UNIT_CODE_POINT;
    return count > 0 && read_number(a[0], &edit->splice.position) && read_number(a[1], &edit->splice.count) &&
           gt_value_as_text(a[2], &edit->splice.text) && (count == 3 || read_unit(a[3], &edit->splice.unit));
}

static bool read_put(gt_bytes said, gt_edit *edit) {
    gt_bytes a[ARGUMENTS_MAX];
    size_t count = read_array(said, 1, 2, a);
    if (count == 2) edit->value = a[1];
    return count > 0 && gt_value_as_text(a[0], &edit->key);
}

static bool read_place_and_value(gt_bytes said, gt_edit *edit) {
    gt_bytes a[ARGUMENTS_MAX];
    if (read_array(said, 2, 2, a) == 0 || !read_number(a[0], &edit->position)) return false;
    edit->value = a[1];
    return true;
}

static bool read_place_and_values(gt_bytes said, gt_edit *edit) {
    return read_place_and_value(said, edit) && gt_value_kind(edit->value) == GT_KIND_ARRAY;
}

static bool read_places(gt_bytes said, gt_edit *edit) {
    gt_bytes a[ARGUMENTS_MAX];
    return read_array(said, 2, 2, a) > 0 && read_number(a[0], &edit->position) && read_number(a[1], &edit->count);
}

static const struct form {
    const char *name;
    gt_operation operation;
    bool (*read)(gt_bytes said, gt_edit *edit);
    const char *arguments;
} forms[] = {
    {"add", GT_ADD, read_add, "a value"},
    {"apply_delta", GT_DELTA, read_add, "an array of operations"},
    {"increment", GT_INCREMENT, read_increment, "an integer of 64 bits"},
    {"list_insert", GT_LIST_INSERT, read_place_and_values, "[position, [value, ...]]"},
    {"list_move", GT_LIST_MOVE, read_places, "[from, to]"},
    {"list_remove", GT_LIST_REMOVE, read_places, "[position, count]"},
    {"list_set", GT_LIST_SET, read_place_and_value, "[position, value]"},
    {"put", GT_PUT, read_put, "[key, value] or [key]"},
    {"remove", GT_REMOVE, read_add, "a value"},
    {"splice", GT_SPLICE, read_splice, "[position, count, text] or [position, count, text, unit]"},
};

static goat_status read_step(gt_bytes step, gt_edit *edit, gt_diag *diag) {
    gt_bytes name, said;
    gt_iter iter = gt_map_iter(gt_map_or_empty(step));
    if (gt_value_kind(step) != GT_KIND_MAP || gt_value_count(step) != 1 || !gt_map_next(&iter, &name, &said)) {
        return gt_fail(diag, GOAT_INVALID, "not a map of one member, which names what is to be done");
    }
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (!gt_bytes_equal(name, gt_bytes_text(forms[i].name))) continue;
        *edit = (gt_edit){.operation = forms[i].operation};
        if (forms[i].read(said, edit)) return GOAT_OK;
        return gt_fail(diag, GOAT_INVALID, "\"%s\" takes %s", forms[i].name, forms[i].arguments);
    }
    return gt_fail(diag, GOAT_INVALID, "there is no step of that name");
}

/* Says at which step of which field it went wrong. */
static goat_status at_step(goat_status status, gt_bytes name, size_t number, gt_diag *diag) {
    if (status == GOAT_OK || status == GOAT_NO_MEMORY || diag == NULL) return status;
    char words[sizeof(diag->message)];
    snprintf(words, sizeof(words), "step %zu: ", number);
    size_t len = strlen(words);
    memcpy(words + len, diag->message, sizeof(words) - len);
    words[sizeof(words) - 1] = '\0';
    memcpy(diag->message, words, sizeof(words));
    gt_diag_field(diag, (const char *)name.data, name.len);
    return status;
}

/* Which step is no value, of those that together are none. */
static goat_status find_wrong(json_t *steps, gt_buf *value, gt_diag *diag) {
    for (void *iter = json_object_iter(steps); iter != NULL; iter = json_object_iter_next(steps, iter)) {
        json_t *said = json_object_iter_value(iter);
        bool is_array = json_is_array(said);
        gt_bytes name = gt_bytes_of(json_object_iter_key(iter), json_object_iter_key_len(iter));
        for (size_t i = 0; i < (is_array ? json_array_size(said) : 1); i++) {
            goat_status status = gt_value_from_json(is_array ? json_array_get(said, i) : said, value, diag);
            if (status != GOAT_OK) return at_step(status, name, i + 1, diag);
        }
    }
    return GOAT_OK;
}

goat_status gt_applied_steps_of(json_t *json, gt_buf *steps, gt_diag *diag) {
    goat_status status = gt_value_from_json(json, steps, diag);
    if (status == GOAT_OK && gt_value_kind(gt_buf_bytes(steps)) == GT_KIND_MAP) return GOAT_OK;
    if (status == GOAT_OK) status = gt_fail(diag, GOAT_INVALID, "not a map from fields to steps");
    if (status == GOAT_NO_MEMORY) return status;
    gt_diag_field(diag, "edit", strlen("edit"));
    goat_status found = find_wrong(json, steps, diag);
    return found == GOAT_OK ? status : found;
}

static goat_status make_step(gt_work *work, const gt_field *const *path, size_t count, gt_bytes step, uint32_t *left,
                             gt_diag *diag) {
    gt_edit edit;
    if ((*left)-- == 0) {
        *left = 0;
        return gt_fail(diag, GOAT_TOO_LARGE, "more than %d edits and steps", GOAT_BATCH_MAX);
    }
    goat_status status = read_step(step, &edit, diag);
    edit.inside = path + 1;
    edit.inside_count = count - 1;
    return status == GOAT_OK ? gt_work_take(work, path[0], &edit, diag) : status;
}

/* One step, or several in an array. */
static goat_status make_steps(gt_work *work, gt_bytes name, gt_bytes said, uint32_t *left, gt_diag *diag) {
    const gt_field *path[GT_PATH_FIELDS_MAX];
    size_t count = gt_schema_path(work->schema, name, path), number = 0;
    gt_bytes step;
    goat_status status = GOAT_OK;
    if (count == 0) return unknown_field(name, diag);
    if (gt_value_kind(said) != GT_KIND_ARRAY) {
        return at_step(make_step(work, path, count, said, left, diag), name, 1, diag);
    }
    gt_iter iter = gt_array_iter(said);
    while (status == GOAT_OK && gt_array_next(&iter, &step)) {
        status = at_step(make_step(work, path, count, step, left, diag), name, ++number, diag);
    }
    return status;
}

goat_status gt_applied_make(gt_work *work, const gt_applied *edit, gt_bytes fields, gt_bytes steps, uint32_t *left,
                            gt_diag *diag) {
    goat_status status = GOAT_OK;
    gt_bytes name, value;
    gt_iter iter = gt_map_iter(fields);
    while (status == GOAT_OK && gt_map_next(&iter, &name, &value)) status = set_field(work, name, value, diag);
    if (status == GOAT_OK) status = unset_fields(work, edit, fields, diag);
    iter = gt_map_iter(gt_map_or_empty(steps));
    while (status == GOAT_OK && gt_map_next(&iter, &name, &value)) status = make_steps(work, name, value, left, diag);
    return status;
}
