/* JSON text as text, for the few questions that jansson leaves open: where in the text something
 * stands, and keys with U+0000. Only for the files of this module; nothing here parses. */
#ifndef GT_VALUE_JSON_TEXT_H
#define GT_VALUE_JSON_TEXT_H

#include "base/buf.h"

/* A step into a value: under a key, or to the element `index` where key.data is NULL. */
typedef struct gt_json_step {
    gt_bytes key;
    size_t index;
} gt_json_step;

/* The offset of the value that `steps` lead to, in a text that jansson has taken. */
size_t gt_json_locate(gt_bytes text, const gt_json_step *steps, size_t count);

/* Counts the arrays and objects inside each other, and the values, in any text, valid or not. False if
 * there are more than allowed; `*position` is that of the first too many. */
bool gt_json_within(gt_bytes text, size_t depth_max, size_t values_max, size_t *position);

/* The offset of the first escape that is half of a surrogate pair, or `otherwise`. */
size_t gt_json_find_surrogate(gt_bytes text, size_t otherwise);

/* Writes the text with the keys changed so that none holds U+0000: "\u0000" becomes "\u0001a" and
 * "\u0001" becomes "\u0001b". (No other way to write these two exists inside a JSON string.) */
void gt_json_escape_keys(gt_bytes text, gt_buf *out);

/* The offset in `text` of what stands at `position` in what gt_json_escape_keys() wrote. */
size_t gt_json_unescaped_position(gt_bytes text, size_t position);

/* Undoes the change in a decoded key, in place; gives the new length. */
size_t gt_json_unescape_key(char *key, size_t len);

#endif
