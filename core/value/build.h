/* Writing values: each call appends one item, or the head of one, in the only form that FORMAT.md
 * allows. The order of pairs and elements, and the counts, are up to the caller, or to gt_write_map()
 * and gt_write_set(). Memory: as gt_buf, asked for once at the end with gt_buf_failed(). */
#ifndef GT_VALUE_BUILD_H
#define GT_VALUE_BUILD_H

#include "base/buf.h"

void gt_write_null(gt_buf *out);
void gt_write_undefined(gt_buf *out); /* edits only */
void gt_write_bool(gt_buf *out, bool value);
void gt_write_int(gt_buf *out, int64_t value);

/* A whole number within ±2^53 becomes an integer. False, and nothing written, for NaN and infinities. */
bool gt_write_double(gt_buf *out, double value);

/* False, and nothing written, outside of GT_DATE_MIN_MS … GT_DATE_MAX_MS. */
bool gt_write_date_ms(gt_buf *out, int64_t date_ms);

void gt_write_text(gt_buf *out, gt_bytes text); /* well-formed UTF-8 */
/* Makes the bytes that were appended from `begin` on, well-formed UTF-8, one text. */
void gt_write_text_around(gt_buf *out, size_t begin);
void gt_write_bytes(gt_buf *out, gt_bytes bytes);
void gt_write_ref(gt_buf *out, gt_bytes path); /* without fault: gt_item_path_fault() */

void gt_write_array_head(gt_buf *out, size_t count);
void gt_write_map_head(gt_buf *out, size_t count); /* pairs follow, sorted by gt_key_compare() */
void gt_write_tag(gt_buf *out, uint64_t tag);

typedef struct gt_pair {
    gt_bytes key;   /* the text, not encoded */
    gt_bytes value; /* encoded */
} gt_pair;

/* A map of pairs in any order; sorts `pairs`. False, and nothing written, if a key occurs twice. */
bool gt_write_map(gt_buf *out, gt_pair *pairs, size_t count);

/* A set of encoded values in any order; sorts `elements` and leaves out what is there already.
 * They may lie in `out` itself only if it has room for all of them and GT_WRITE_SET_SLACK already. */
enum { GT_WRITE_SET_SLACK = 18 }; /* two heads at their longest */
void gt_write_set(gt_buf *out, gt_bytes *elements, size_t count);

/* The order of the keys of a map: the shorter first, then by bytes. */
int gt_key_compare(gt_bytes a, gt_bytes b);

/* Sorts by key; in place, and in O(n log n) whatever the input. */
void gt_pairs_sort(gt_pair *pairs, size_t count);

#endif
