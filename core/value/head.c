/* Heads and floats, shared by reader, checker and writer so that they cannot disagree. */
#include "value/head.h"

#include "value/value.h"

#include <float.h>

_Static_assert(sizeof(double) == 8 && DBL_MANT_DIG == 53, "double is binary64");
_Static_assert(sizeof(float) == 4 && FLT_MANT_DIG == 24, "float is binary32");

static void put_bytes(uint8_t *p, size_t width, uint64_t value) {
    for (size_t i = width; i-- > 0; value >>= 8) {
        p[i] = (uint8_t)value;
    }
}

size_t gt_head_write(uint8_t *p, unsigned major, uint64_t argument) {
    uint8_t top = (uint8_t)(major << 5);
    if (argument < 24) {
        p[0] = (uint8_t)(top | argument);
        return 1;
    }
    if (argument <= UINT8_MAX) {
        p[0] = (uint8_t)(top | 24);
        p[1] = (uint8_t)argument;
        return 2;
    }
    unsigned power = argument <= UINT16_MAX ? 1 : argument <= UINT32_MAX ? 2 : 3;
    p[0] = (uint8_t)(top | (24 + power));
    put_bytes(p + 1, (size_t)1 << power, argument);
    return 1 + ((size_t)1 << power);
}

bool gt_double_is_integer(double value) {
    return value >= -0x1p53 && value <= 0x1p53 && (double)(int64_t)value == value;
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Whether binary16 keeps `value`; its bits if so. */
static bool half_of(double value, uint16_t *half) {
    uint64_t bits = bits_of(value);
    uint16_t sign = (uint16_t)(bits >> 48 & 0x8000);
    int exponent = (int)(bits >> 52 & 0x7ff) - 1023;
    uint64_t fraction = bits & 0xfffffffffffff;

    if (exponent >= -14 && exponent <= 15 && (fraction & 0x3ffffffffff) == 0) {
        *half = (uint16_t)(sign | (unsigned)(exponent + 15) << 10 | (unsigned)(fraction >> 42));
        return true;
    }
    double steps = (sign != 0 ? -value : value) * 0x1p24; /* the smallest subnormal is 2^-24 */
    if (steps < 1024 && (double)(uint16_t)steps == steps) {
        *half = (uint16_t)(sign | (uint16_t)steps);
        return true;
    }
    return false;
}

static bool single_of(double value, uint32_t *single) {
    if (value > (double)FLT_MAX || value < -(double)FLT_MAX || (double)(float)value != value) {
        return false;
    }
    float narrow = (float)value;
    memcpy(single, &narrow, sizeof *single);
    return true;
}

size_t gt_double_write(uint8_t *p, double value) {
    uint16_t half;
    uint32_t single;
    if (half_of(value, &half)) {
        p[0] = GT_HEAD_HALF;
        put_bytes(p + 1, 2, half);
        return 3;
    }
    if (single_of(value, &single)) {
        p[0] = GT_HEAD_SINGLE;
        put_bytes(p + 1, 4, single);
        return 5;
    }
    p[0] = GT_HEAD_DOUBLE;
    put_bytes(p + 1, 8, bits_of(value));
    return 9;
}

static double double_of_half(unsigned half) {
    uint64_t sign = (uint64_t)(half & 0x8000) << 48;
    unsigned exponent = half >> 10 & 31;
    uint64_t fraction = half & 0x3ff;
    if (exponent == 0) {
        double magnitude = (double)fraction * 0x1p-24;
        return sign != 0 ? -magnitude : magnitude;
    }
    if (exponent == 31) { /* infinity or NaN, for the checker to refuse */
        return double_of(sign | 0x7ff0000000000000 | fraction << 42);
    }
    return double_of(sign | (uint64_t)(exponent + 1023 - 15) << 52 | fraction << 42);
}

double gt_double_read(const uint8_t *p) {
    if (*p == GT_HEAD_HALF) {
        return double_of_half((unsigned)gt_head_bytes(p + 1, 2));
    }
    if (*p == GT_HEAD_SINGLE) {
        uint32_t bits = (uint32_t)gt_head_bytes(p + 1, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    return double_of(gt_head_bytes(p + 1, 8));
}

bool gt_date_of_seconds(double seconds, int64_t *date_ms) {
    const int64_t first = GT_DATE_MIN_MS / 1000, behind = GT_DATE_MAX_MS / 1000 + 1;
    if (!(seconds >= (double)first && seconds < (double)behind)) {
        return false;
    }
    /* The product is off by far less than a half, so that rounding finds the one candidate. */
    int64_t date = (int64_t)(seconds * 1000 + (seconds < 0 ? -0.5 : 0.5));
    if (date % 1000 == 0 || (double)date / 1000 != seconds) {
        return false;
    }
    *date_ms = date;
    return true;
}
