/* Tells core/value which kind each field is wanted as; the conversion itself is there. */
#include "schema/schema_json.h"

#include "schema/parsed.h"

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

/* A lower layer knows the value and not where it belongs. */
static goat_status name_field(goat_status status, const gt_field *field, gt_diag *diag) {
    if (status != GOAT_OK && status != GOAT_NO_MEMORY) {
        gt_diag_field(diag, (const char *)field->name.data, field->name.len);
    }
    return status;
}

goat_status gt_schema_from_json_text(const gt_schema *schema, gt_bytes text, gt_buf *out, gt_diag *diag) {
    gt_json_shape shape = {field_kind, &schema};
    return gt_fields_from_json_text(text, &shape, out, diag);
}

goat_status gt_schema_from_json(const gt_schema *schema, json_t *json, gt_buf *out, gt_diag *diag) {
    gt_json_shape shape = {field_kind, &schema};
    return gt_fields_from_json(json, &shape, out, diag);
}

goat_status gt_field_from_json_text(const gt_field *field, gt_bytes text, gt_buf *out, gt_diag *diag) {
    return name_field(gt_value_from_json_text_as(text, plain_kind(field->type), out, diag), field, diag);
}

goat_status gt_field_from_json(const gt_field *field, json_t *json, gt_buf *out, gt_diag *diag) {
    return name_field(gt_value_from_json_as(json, plain_kind(field->type), out, diag), field, diag);
}

goat_status gt_schema_to_json_text(const gt_schema *schema, gt_bytes fields, gt_buf *out, gt_diag *diag) {
    gt_json_shape shape = {field_kind, &schema};
    return gt_fields_to_json_text(fields, &shape, out, diag);
}

goat_status gt_schema_members_to_json_text(const gt_schema *schema, gt_bytes fields, gt_buf *out, gt_diag *diag) {
    gt_json_shape shape = {field_kind, &schema};
    return gt_members_to_json_text(fields, &shape, out, diag);
}

goat_status gt_field_to_json_text(const gt_field *field, gt_bytes value, gt_buf *out, gt_diag *diag) {
    return gt_value_to_json_text_as(value, plain_kind(field->type), out, diag);
}
