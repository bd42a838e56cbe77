/* JSON at the edge: text (RFC 8259) in and out through here, never inside.
 *
 * What JSON has no word for is wrapped: {"$date": …} {"$bytes": …} {"$set": […]} {"$ref": …}; FORMAT.md
 * says how, and how an app's own map of that shape is told apart. Where the kind that is wanted is
 * known (a schema's field), the plain form does without: text for dates, bytes and refs, an array for
 * sets. Reading always takes both.
 *
 * Writers append to `out`, which is as before when they fail. jansson takes its memory from malloc(),
 * not from the allocator of `out`. */
#ifndef GT_VALUE_JSON_H
#define GT_VALUE_JSON_H

#include "base/buf.h"
#include "value/value.h"

#include <jansson.h>

/* Bytes of the longest text that is read: what the largest value may come to (16 MiB of dates, which
 * take 2 bytes as values and 33 as JSON). */
#define GT_JSON_TEXT_MAX ((size_t)17 * GOAT_VALUE_MAX)

/* The kind that each field of a document is wanted as; GT_KIND_ANY where nothing is known. `inside`: whether a field
 * holds fields itself, and their shape; NULL: none does. */
typedef struct gt_json_shape {
    gt_kind (*field_kind)(void *context, gt_bytes name);
    void *context;
    bool (*inside)(void *context, gt_bytes name, struct gt_json_shape *inner);
} gt_json_shape;

/* Parses one text. Of duplicate keys the last wins. `*json` is new, end it with json_decref(); its keys
 * may hold U+0000, so use the functions of jansson that know a key's length.
 * GOAT_INVALID or GOAT_TOO_LARGE, both with a position. */
goat_status gt_json_parse(gt_bytes text, const gt_alloc *alloc, json_t **json, gt_diag *diag);

/* Text → value. GOAT_INVALID or GOAT_TOO_LARGE, both with a position.
 * `_as` wants one kind; `fields` reads an object as a map of fields, which is never a wrapped form
 * itself, and names the field in the diagnostic, with those that it is in: "address.since". */
goat_status gt_value_from_json_text(gt_bytes text, gt_buf *out, gt_diag *diag);
goat_status gt_value_from_json_text_as(gt_bytes text, gt_kind kind, gt_buf *out, gt_diag *diag);
goat_status gt_fields_from_json_text(gt_bytes text, const gt_json_shape *shape, gt_buf *out, gt_diag *diag);

/* The same for what gt_json_parse() has read (or jansson has made; its texts are UTF-8). No position. */
goat_status gt_value_from_json(json_t *json, gt_buf *out, gt_diag *diag);
goat_status gt_value_from_json_as(json_t *json, gt_kind kind, gt_buf *out, gt_diag *diag);
goat_status gt_fields_from_json(json_t *json, const gt_json_shape *shape, gt_buf *out, gt_diag *diag);

/* A checked value → compact text, keys in the order of the value. GOAT_INVALID for what only edits
 * hold. A value of the kind wanted is written in plain form; reading the text with the same kind or
 * shape gives the same bytes. */
goat_status gt_value_to_json_text(gt_bytes value, gt_buf *out, gt_diag *diag);
goat_status gt_value_to_json_text_as(gt_bytes value, gt_kind kind, gt_buf *out, gt_diag *diag);
goat_status gt_fields_to_json_text(gt_bytes map, const gt_json_shape *shape, gt_buf *out, gt_diag *diag);

/* The members of an object as written by gt_fields_to_json_text(), without braces: for a caller who
 * puts others before them. Nothing for an empty map. */
goat_status gt_members_to_json_text(gt_bytes map, const gt_json_shape *shape, gt_buf *out, gt_diag *diag);

/* One JSON string, quotes and escapes included. `text` is well-formed UTF-8. */
void gt_json_write_string(gt_buf *out, gt_bytes text);

/* The wrapped form that a key such as "$date" begins, or that of "$$date" when the '$' in front of it
 * are ignored; GT_KIND_ANY for any other key. Only for the files of this module. */
gt_kind gt_json_wrapper(gt_bytes key, bool *escaped);

#endif
