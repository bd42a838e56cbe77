/* The heads of CBOR items (RFC 8949 section 3) and the three widths of its floats. Only for the files
 * of this module. */
#ifndef GT_VALUE_HEAD_H
#define GT_VALUE_HEAD_H

#include "base/bytes.h"

/* The upper three bits of a head. */
enum {
    GT_MAJOR_UINT = 0,
    GT_MAJOR_NEGATIVE = 1,
    GT_MAJOR_BYTES = 2,
    GT_MAJOR_TEXT = 3,
    GT_MAJOR_ARRAY = 4,
    GT_MAJOR_MAP = 5,
    GT_MAJOR_TAG = 6,
    GT_MAJOR_SIMPLE = 7,
};

/* Whole heads that stand for themselves. */
enum {
    GT_HEAD_FALSE = 0xf4,
    GT_HEAD_TRUE = 0xf5,
    GT_HEAD_NULL = 0xf6,
    GT_HEAD_UNDEFINED = 0xf7,
    GT_HEAD_HALF = 0xf9,
    GT_HEAD_SINGLE = 0xfa,
    GT_HEAD_DOUBLE = 0xfb,
};

enum {
    GT_HEAD_MAX = 9, /* bytes of the longest head, and of the longest number */
};

/* The `width` (1, 2, 4, 8) bytes at `p`, most significant first. */
static inline uint64_t gt_head_bytes(const uint8_t *p, size_t width) {
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++) {
        value = value << 8 | p[i];
    }
    return value;
}

/* Reads a head that is known to be good: `*argument` is what it carries (for a float: its bits).
 * Gives the byte behind it. */
static inline const uint8_t *gt_head_read(const uint8_t *p, uint64_t *argument) {
    uint8_t low = *p & 31;
    if (low < 24) {
        *argument = low;
        return p + 1;
    }
    if (low == 24) {
        *argument = p[1];
        return p + 2;
    }
    size_t width = (size_t)1 << (low - 24);
    *argument = gt_head_bytes(p + 1, width);
    return p + 1 + width;
}

/* Writes the shortest head, at most GT_HEAD_MAX bytes; gives its length. */
size_t gt_head_write(uint8_t *p, unsigned major, uint64_t argument);

/* True for a number that is stored as an integer: whole, and within ±2^53. */
bool gt_double_is_integer(double value);

/* Writes a finite number as the shortest float that keeps it, 3, 5 or 9 bytes; gives the length. */
size_t gt_double_write(uint8_t *p, double value);

/* The value of the float whose head is at `p` (GT_HEAD_HALF, _SINGLE or _DOUBLE). */
double gt_double_read(const uint8_t *p);

/* Milliseconds since 1970 if `seconds` is exactly what stands for a date with a fraction (the double
 * nearest to milliseconds / 1000, and not whole seconds) within the years 1 to 9999. */
bool gt_date_of_seconds(double seconds, int64_t *date_ms);

#endif
