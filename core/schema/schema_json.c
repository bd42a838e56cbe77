/* Tells core/value which kind each field is wanted as; the conversion itself is there. */
#include "schema/schema_json.h"

#include "schema/parsed.h"

#include <stdio.h>

/* The kinds whose plain form says less than the value. */
static gt_kind plain_kind(gt_type type) {
    switch (type) {
    case GT_TYPE_DATE: return GT_KIND_DATE;
    case GT_TYPE_BYTES: return GT_KIND_BYTES;
    case GT_TYPE_REF: return GT_KIND_REF;
    case GT_TYPE_SET: return GT_KIND_SET;
    default: return GT_KIND_ANY;
    }
}

/* `context` points to a pointer to the schema: that one can be to something constant. */
static gt_kind field_kind(void *context, gt_bytes name) {
    const gt_schema *const *schema = context;
    const gt_field *field = gt_schema_field(*schema, name);
    return field == NULL ? GT_KIND_ANY : plain_kind(field->type);
}

static bool inside(void *context, gt_bytes name, gt_json_shape *inner) {
    const gt_schema *const *schema = context;
    const gt_field *field = gt_schema_field(*schema, name);
    if (field == NULL || field->fields == NULL) {
        return false;
    }
    *inner = (gt_json_shape){field_kind, (void *)(uintptr_t)&field->fields, inside}; /* nobody writes there */
    return true;
}

/* A lower layer knows the value, perhaps the field in an object, and not where it belongs. */
static goat_status name_field(goat_status status, const gt_field *field, gt_diag *diag) {
    char path[2 * GT_DIAG_NAME_MAX];
    if (status == GOAT_OK || status == GOAT_NO_MEMORY || diag == NULL) {
        return status;
    }
    snprintf(path, sizeof path, "%.*s%s%s", (int)field->path.len, (const char *)field->path.data,
             diag->field[0] == 0 ? "" : ".", diag->field);
    gt_diag_field(diag, path, strlen(path));
    return status;
}

goat_status gt_schema_from_json_text(const gt_schema *schema, gt_bytes text, gt_buf *out, gt_diag *diag) {
    gt_json_shape shape = {field_kind, &schema, inside};
    return gt_fields_from_json_text(text, &shape, out, diag);
}

goat_status gt_schema_from_json(const gt_schema *schema, json_t *json, gt_buf *out, gt_diag *diag) {
    gt_json_shape shape = {field_kind, &schema, inside};
    return gt_fields_from_json(json, &shape, out, diag);
}

/* A JSON object that is read as the fields of an object; anything else is judged as a value. */
static bool begins_object(gt_bytes text) {
    size_t at = 0;
    while (at < text.len && (text.data[at] == ' ' || (text.data[at] >= '\t' && text.data[at] <= '\r'))) {
        at++;
    }
    return at < text.len && text.data[at] == '{';
}

goat_status gt_field_from_json_text(const gt_field *field, gt_bytes text, gt_buf *out, gt_diag *diag) {
    goat_status status = field->fields != NULL && begins_object(text)
                             ? gt_schema_from_json_text(field->fields, text, out, diag)
                             : gt_value_from_json_text_as(text, plain_kind(field->type), out, diag);
    return name_field(status, field, diag);
}

goat_status gt_field_from_json(const gt_field *field, json_t *json, gt_buf *out, gt_diag *diag) {
    goat_status status = field->fields != NULL && json_is_object(json)
                             ? gt_schema_from_json(field->fields, json, out, diag)
                             : gt_value_from_json_as(json, plain_kind(field->type), out, diag);
    return name_field(status, field, diag);
}

goat_status gt_schema_to_json_text(const gt_schema *schema, gt_bytes fields, gt_buf *out, gt_diag *diag) {
    gt_json_shape shape = {field_kind, &schema, inside};
    return gt_fields_to_json_text(fields, &shape, out, diag);
}

goat_status gt_schema_members_to_json_text(const gt_schema *schema, gt_bytes fields, gt_buf *out, gt_diag *diag) {
    gt_json_shape shape = {field_kind, &schema, inside};
    return gt_members_to_json_text(fields, &shape, out, diag);
}

goat_status gt_field_to_json_text(const gt_field *field, gt_bytes value, gt_buf *out, gt_diag *diag) {
    if (field->fields != NULL && gt_value_kind(value) == GT_KIND_MAP) {
        return gt_schema_to_json_text(field->fields, value, out, diag);
    }
    return gt_value_to_json_text_as(value, plain_kind(field->type), out, diag);
}
