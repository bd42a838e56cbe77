/* UTF-8 (RFC 3629) and hexadecimal text. */
#ifndef GT_BASE_UTF8_H
#define GT_BASE_UTF8_H

#include "base/bytes.h"

/* True for well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF.
 * `*position` (may be NULL) becomes the offset at which the first wrong or unfinished code point
 * begins; it is set only when the answer is false. */
bool gt_utf8_valid(const void *bytes, size_t len, size_t *position);

/* The largest length <= `len` that does not split a code point of well-formed text. Looks at the bytes
 * before `len` only; of text that is not well-formed it cuts off at most three bytes. */
size_t gt_utf8_cut(const void *bytes, size_t len);

/* Number of code points of well-formed text. */
size_t gt_utf8_count(const void *bytes, size_t len);

typedef struct gt_utf8_lengths {
    uint64_t bytes, points, pairs; /* pairs: code points that are two units of UTF-16 */
} gt_utf8_lengths;

/* How long well-formed text is, in each unit. */
gt_utf8_lengths gt_utf8_lengths_of(const void *bytes, size_t len);

/* The bytes that so many code points take at the beginning of well-formed text, which may have fewer. */
size_t gt_utf8_bytes(gt_bytes text, uint64_t count);

/* Takes the first code point off well-formed text, which is not empty. */
uint32_t gt_utf8_take(gt_bytes *text);

/* Lower-case hexadecimal, 2 * len characters and a NUL. */
void gt_hex(char *out, const void *bytes, size_t len);

/* Reads exactly 2 * len hexadecimal digits of either case; false if they are not. */
bool gt_unhex(uint8_t *out, size_t len, const char *text, size_t text_len);

#endif
