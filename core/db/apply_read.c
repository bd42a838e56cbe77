/* What one edit of apply says, as CBOR or as JSON. */
#include "db/apply.h"

static goat_status member_fault(gt_bytes name, gt_diag *diag) {
    gt_fail(diag, GOAT_INVALID, "an edit has a member that is unknown or of the wrong type");
    gt_diag_field(diag, (const char *)name.data, name.len);
    return GOAT_INVALID;
}

static goat_status check_members(const gt_applied *e, gt_diag *diag) {
    bool sets = e->set.data != NULL || e->set_json != NULL, steps = e->steps.data != NULL || e->steps_json != NULL;
    bool unsets = e->unset.data != NULL || e->unset_json != NULL;
    bool replaces = e->replace.data != NULL || e->replace_json != NULL;
    if (e->key.data == NULL) return gt_fail(diag, GOAT_INVALID, "an edit has no \"key\"");
    if (!replaces || !(sets || unsets || steps)) return GOAT_OK;
    return gt_fail(diag, GOAT_INVALID, "an edit has \"replace\" beside \"set\", \"unset\" or \"edit\"");
}

goat_status gt_applied_read(gt_bytes map, gt_applied *e, gt_diag *diag) {
    gt_iter iter = gt_map_iter(map);
    gt_bytes name, value;
    *e = (gt_applied){0};
    if (gt_value_kind(map) != GT_KIND_MAP) return gt_fail(diag, GOAT_INVALID, "an edit must be a map");
    while (gt_map_next(&iter, &name, &value)) {
        bool good = false;
        gt_kind kind = gt_value_kind(value);
        if (gt_bytes_equal(name, gt_bytes_text("key"))) {
            good = gt_value_as_text(value, &e->key);
        } else if (gt_bytes_equal(name, gt_bytes_text("schema"))) {
            good = gt_value_as_text(value, &e->ns);
        } else if (gt_bytes_equal(name, gt_bytes_text("set"))) {
            e->set = value;
            good = kind == GT_KIND_MAP;
        } else if (gt_bytes_equal(name, gt_bytes_text("unset"))) {
            e->unset = value;
            good = kind == GT_KIND_ARRAY;
        } else if (gt_bytes_equal(name, gt_bytes_text("replace"))) {
            e->replace = value;
            good = kind == GT_KIND_MAP;
        } else if (gt_bytes_equal(name, gt_bytes_text("edit"))) {
            e->steps = value;
            good = kind == GT_KIND_MAP;
        } else if (gt_bytes_equal(name, gt_bytes_text("delete"))) {
            e->has_delete = true;
            good = gt_value_as_bool(value, &e->deleted);
        }
        if (!good) return member_fault(name, diag);
    }
    return check_members(e, diag);
}

goat_status gt_applied_read_json(json_t *object, gt_applied *e, gt_diag *diag) {
    const char *name;
    json_t *value;
    *e = (gt_applied){0};
    if (!json_is_object(object)) return gt_fail(diag, GOAT_INVALID, "an edit must be an object");
    size_t name_len;
    json_object_keylen_foreach(object, name, name_len, value) {
        bool good = false;
        if (strlen(name) != name_len) return member_fault(gt_bytes_of(name, name_len), diag);
        if (strcmp(name, "key") == 0) {
            good = json_is_string(value);
            if (good) e->key = gt_bytes_of(json_string_value(value), json_string_length(value));
        } else if (strcmp(name, "schema") == 0) {
            good = json_is_string(value);
            if (good) e->ns = gt_bytes_of(json_string_value(value), json_string_length(value));
        } else if (strcmp(name, "set") == 0) {
            e->set_json = value;
            good = json_is_object(value);
        } else if (strcmp(name, "unset") == 0) {
            e->unset_json = value;
            good = json_is_array(value);
        } else if (strcmp(name, "replace") == 0) {
            e->replace_json = value;
            good = json_is_object(value);
        } else if (strcmp(name, "edit") == 0) {
            e->steps_json = value;
            good = json_is_object(value);
        } else if (strcmp(name, "delete") == 0) {
            e->has_delete = true;
            e->deleted = json_is_true(value);
            good = json_is_boolean(value);
        }
        if (!good) return member_fault(gt_bytes_text(name), diag);
    }
    return check_members(e, diag);
}
