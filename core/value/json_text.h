/* JSON text as text, for the few questions that jansson leaves open: where in the text something stands or
 * is wrong, and keys with U+0000. Only for the files of this module; nothing here makes values. */
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

/* Whether the text of a number is one that is taken. */
typedef bool gt_json_number_fits(gt_bytes number);

#define GT_JSON_HALF_PAIR "half of a surrogate pair"

/* What is wrong with a text, as words for a message; NULL if it is JSON, as far as 2,048 levels deep.
 * `*position` becomes the offset of the first byte with which no JSON text goes on, or of a number that does
 * not fit (`fits` NULL: all do), or of half a surrogate pair. */
const char *gt_json_fault(gt_bytes text, gt_json_number_fits *fits, size_t *position);

/* Writes the text with the keys changed so that none holds U+0000: "\u0000" becomes "\u0001a" and
 * "\u0001" becomes "\u0001b". (No other way to write these two exists inside a JSON string.) */
void gt_json_escape_keys(gt_bytes text, gt_buf *out);

/* Undoes the change in a decoded key, in place; gives the new length. */
size_t gt_json_unescape_key(char *key, size_t len);

#endif
