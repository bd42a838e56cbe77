/* Documents as plain JSON: what each field holds is known from its schema, so dates are RFC 3339 text, bytes
 * base64, sets arrays and refs text. The wrapped forms of core/value are read as well, never written here.
 *
 * Only the form is judged: the result still has to pass gt_schema_check_state() or _check_value(). */
#ifndef GT_SCHEMA_SCHEMA_JSON_H
#define GT_SCHEMA_SCHEMA_JSON_H

#include "schema/schema.h"
#include "value/json.h"

/* A JSON object → a map of fields, appended to `out`, which is as before after a failure. Fields that the
 * schema does not have are read as without one. GOAT_INVALID or GOAT_TOO_LARGE, with the field, and with
 * the position where the JSON is text; GOAT_NO_MEMORY. */
goat_status gt_schema_from_json_text(const gt_schema *schema, gt_bytes text, gt_buf *out, gt_diag *diag);
goat_status gt_schema_from_json(const gt_schema *schema, json_t *json, gt_buf *out, gt_diag *diag);

/* The same for the value of one field. */
goat_status gt_field_from_json_text(const gt_field *field, gt_bytes text, gt_buf *out, gt_diag *diag);
goat_status gt_field_from_json(const gt_field *field, json_t *json, gt_buf *out, gt_diag *diag);

/* A map of fields → a JSON object; its members without braces; the value of one field. `fields` has no
 * integer key: it comes from gt_schema_read(). GOAT_OK, GOAT_NO_MEMORY; GOAT_INVALID for an edit. */
goat_status gt_schema_to_json_text(const gt_schema *schema, gt_bytes fields, gt_buf *out, gt_diag *diag);
goat_status gt_schema_members_to_json_text(const gt_schema *schema, gt_bytes fields, gt_buf *out, gt_diag *diag);
goat_status gt_field_to_json_text(const gt_field *field, gt_bytes value, gt_buf *out, gt_diag *diag);

#endif
