/* The order of all values, after MongoDB's comparison of BSON types, so that filters and sorts mean
 * here what they mean there. Recursion is bounded by the depth that gt_value_check() allows. */
#include "value/value.h"

#include "value/head.h"

/* The place of a kind in the order. */
static int rank_of(gt_kind kind) {
    static const uint8_t ranks[] = {
        [GT_KIND_UNDEFINED] = 0, [GT_KIND_NULL] = 1, [GT_KIND_INT] = 2,   [GT_KIND_DOUBLE] = 2,
        [GT_KIND_TEXT] = 3,      [GT_KIND_MAP] = 4,  [GT_KIND_ARRAY] = 5, [GT_KIND_SET] = 5,
        [GT_KIND_BYTES] = 6,     [GT_KIND_REF] = 7,  [GT_KIND_BOOL] = 8,  [GT_KIND_DATE] = 9,
    };
    return ranks[kind];
}

static int order_of_ints(int64_t a, int64_t b) { return (a > b) - (a < b); }
static int order_of_doubles(double a, double b) { return (a > b) - (a < b); }

/* Without rounding the integer: beyond 2^53 neighbours would become equal. */
static int order_of_int_and_double(int64_t a, double b) {
    if (b >= 0x1p63) {
        return -1;
    }
    if (b < -0x1p63) {
        return 1;
    }
    int64_t whole = (int64_t)b;
    return a != whole ? order_of_ints(a, whole) : order_of_doubles((double)whole, b);
}

static int compare_numbers(gt_bytes a, gt_bytes b) {
    int64_t a_int = 0, b_int = 0;
    double a_double = 0, b_double = 0;
    bool a_is_int = gt_value_as_int64(a, &a_int);
    bool b_is_int = gt_value_as_int64(b, &b_int);
    if (a_is_int && b_is_int) {
        return order_of_ints(a_int, b_int);
    }
    gt_value_as_double(a, &a_double);
    gt_value_as_double(b, &b_double);
    if (a_is_int) {
        return order_of_int_and_double(a_int, b_double);
    }
    return b_is_int ? -order_of_int_and_double(b_int, a_double) : order_of_doubles(a_double, b_double);
}

static int compare_arrays(gt_bytes a, gt_bytes b) {
    gt_iter a_iter = gt_array_iter(a), b_iter = gt_array_iter(b);
    gt_bytes a_element, b_element;
    int by_count = (a_iter.left > b_iter.left) - (a_iter.left < b_iter.left);
    while (gt_array_next(&a_iter, &a_element) && gt_array_next(&b_iter, &b_element)) {
        int order = gt_value_compare(a_element, b_element);
        if (order != 0) {
            return order;
        }
    }
    return by_count;
}

static int compare_maps(gt_bytes a, gt_bytes b) {
    gt_iter a_iter = gt_map_iter(a), b_iter = gt_map_iter(b);
    gt_bytes a_key, a_value, b_key, b_value;
    int by_count = (a_iter.left > b_iter.left) - (a_iter.left < b_iter.left);
    while (gt_map_next_pair(&a_iter, &a_key, &a_value) && gt_map_next_pair(&b_iter, &b_key, &b_value)) {
        int order = rank_of(gt_value_kind(a_value)) - rank_of(gt_value_kind(b_value));
        if (order == 0) {
            order = gt_value_compare(a_key, b_key);
        }
        if (order == 0) {
            order = gt_value_compare(a_value, b_value);
        }
        if (order != 0) {
            return order;
        }
    }
    return by_count;
}

static int compare_strings(gt_bytes a, gt_bytes b, bool (*as)(gt_bytes, gt_bytes *), bool by_length) {
    gt_bytes a_string = {0}, b_string = {0};
    as(a, &a_string);
    as(b, &b_string);
    if (by_length && a_string.len != b_string.len) {
        return a_string.len < b_string.len ? -1 : 1;
    }
    return gt_bytes_compare(a_string, b_string);
}

int gt_value_compare(gt_bytes a, gt_bytes b) {
    gt_kind kind = gt_value_kind(a);
    int order = rank_of(kind) - rank_of(gt_value_kind(b));
    int64_t a_date = 0, b_date = 0;
    if (order != 0) {
        return order;
    }
    switch (kind) {
    case GT_KIND_INT:
    case GT_KIND_DOUBLE: return compare_numbers(a, b);
    case GT_KIND_TEXT: return compare_strings(a, b, gt_value_as_text, false);
    case GT_KIND_REF: return compare_strings(a, b, gt_value_as_ref, false);
    case GT_KIND_BYTES: return compare_strings(a, b, gt_value_as_bytes, true);
    case GT_KIND_MAP: return compare_maps(a, b);
    case GT_KIND_ARRAY:
    case GT_KIND_SET: return compare_arrays(a, b);
    case GT_KIND_BOOL: return (int)a.data[0] - (int)b.data[0];
    case GT_KIND_DATE:
        gt_value_as_date_ms(a, &a_date);
        gt_value_as_date_ms(b, &b_date);
        return order_of_ints(a_date, b_date);
    default: return 0; /* null and undefined are alone in their places */
    }
}
