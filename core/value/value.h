/* Reading values. A value is one run of bytes: deterministic CBOR as FORMAT.md says, read in place.
 *
 * gt_value_check() decides once whether bytes are a value. Everything else here is for bytes that have
 * passed it: it checks nothing, allocates nothing, cannot fail, and never looks outside the bytes it
 * was given. A value inside another (an element, a field) has passed with it. */
#ifndef GT_VALUE_VALUE_H
#define GT_VALUE_VALUE_H

#include "base/bytes.h"
#include "base/status.h"

typedef enum gt_kind {
    GT_KIND_NULL,
    GT_KIND_BOOL,
    GT_KIND_INT,    /* int64 */
    GT_KIND_DOUBLE, /* finite; never a whole number within ±2^53, that is an int */
    GT_KIND_TEXT,
    GT_KIND_BYTES,
    GT_KIND_ARRAY,
    GT_KIND_MAP,
    GT_KIND_DATE,
    GT_KIND_SET,
    GT_KIND_REF,
    GT_KIND_UNDEFINED, /* in edits only */
    GT_KIND_ANY        /* of no value: stands for "not known" in questions */
} gt_kind;

/* CBOR tags. */
enum {
    GT_TAG_DATE = 1,
    GT_TAG_SET = 258,
    GT_TAG_REF = 39080,
    GT_TAG_BLOB = 39081, /* reserved for a content hash; refused so far, as are 39082 to 39087 */
};

#define GT_DATE_MIN_MS (-62135596800000) /* 0001-01-01T00:00:00Z */
#define GT_DATE_MAX_MS 253402300799999   /* 9999-12-31T23:59:59.999Z */

enum {
    /* Take what commits need and no value has: `undefined`, and integers (not negative) as map keys.
     * The depth may then be GT_EDIT_DEPTH_MAX, and the caller sets a limit to the size. */
    GT_VALUE_EDIT = 1u << 0,
};
enum { GT_EDIT_DEPTH_MAX = GOAT_VALUE_DEPTH_MAX + 8 }; /* the layers of a commit around a value */

/* Bytes of one field of a merged view, and of all of one, after which the rest is left out (core/merge/README.md, "What is too
 * large"). What one author makes is within GOAT_VALUE_MAX. */
enum { GT_FIELD_SIZE_MAX = 2 * GOAT_VALUE_MAX, GT_STATE_SIZE_MAX = 2 * GT_FIELD_SIZE_MAX };

/* Whether `bytes` are exactly one value. GOAT_INVALID or GOAT_TOO_LARGE, with the position. */
goat_status gt_value_check(gt_bytes bytes, uint32_t flags, gt_diag *diag);

/* The same for the value that `bytes` begin with; `*len` becomes its length. */
goat_status gt_value_check_first(gt_bytes bytes, uint32_t flags, size_t *len, gt_diag *diag);

/* Whether no more than so many arrays, maps and tags are inside each other in a value. */
bool gt_value_is_within(gt_bytes value, uint32_t depth);

/* The words for a kind in a message, such as "a date". Good for ever. */
const char *gt_kind_name(gt_kind kind);

gt_kind gt_value_kind(gt_bytes value);

/* The end of the value that begins at `value`, inside bytes that end at `end`. */
const uint8_t *gt_value_skip(const uint8_t *value, const uint8_t *end);

/* Each is false, with nothing written, for a value of another kind. */
bool gt_value_as_bool(gt_bytes value, bool *result);
bool gt_value_as_int64(gt_bytes value, int64_t *result);
bool gt_value_as_double(gt_bytes value, double *result); /* also an int, rounded to the nearest */
bool gt_value_as_text(gt_bytes value, gt_bytes *text);
bool gt_value_as_ref(gt_bytes value, gt_bytes *path);
bool gt_value_as_bytes(gt_bytes value, gt_bytes *bytes);
bool gt_value_as_date_ms(gt_bytes value, int64_t *date_ms);

/* The elements of an array or set, or the pairs of a map; 0 for everything else. */
size_t gt_value_count(gt_bytes value);

typedef struct gt_iter {
    const uint8_t *next, *end;
    size_t left;
} gt_iter;

/* For arrays and sets; anything else has no elements. */
gt_iter gt_array_iter(gt_bytes value);
static inline bool gt_array_next(gt_iter *iter, gt_bytes *element) {
    if (iter->left == 0) {
        return false;
    }
    iter->left--;
    element->data = iter->next;
    iter->next = gt_value_skip(iter->next, iter->end);
    element->len = (size_t)(iter->next - element->data);
    return true;
}

/* For maps; anything else has no pairs. `key` is the text itself. Integer keys, which stand before
 * all text in an edit, are passed over. */
gt_iter gt_map_iter(gt_bytes value);
bool gt_map_next(gt_iter *iter, gt_bytes *key, gt_bytes *value);

/* As gt_map_next, but every pair, and `key` as the value that it is. */
bool gt_map_next_pair(gt_iter *iter, gt_bytes *key, gt_bytes *value);

/* The value under a key of a map. Absent, or no map: data is NULL. */
gt_bytes gt_map_find(gt_bytes map, gt_bytes key);
gt_bytes gt_map_find_int(gt_bytes map, uint64_t key);

/* The order of all values, which queries sort by: below zero, zero, above zero.
 *
 *     null < numbers < text < map < array and set < bytes < ref < bool < date
 *
 * Numbers by value, exactly; text and refs by bytes, which is by code point; arrays and sets element
 * by element; bytes by length, then by byte; maps pair by pair: kind, then key, then value; a proper
 * prefix first; false before true. `undefined` stands before null.
 * Zero does not mean the same bytes: an int and a double beyond 2^53 may be the same number, an array
 * and a set may have the same elements. */
int gt_value_compare(gt_bytes a, gt_bytes b);

/* Whether two values are the same: whether their bytes are. */
static inline bool gt_value_equal(gt_bytes a, gt_bytes b) { return gt_bytes_equal(a, b); }

#endif
