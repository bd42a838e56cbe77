/* Sort keys: the values by which a row is ordered, one after the other, then its item key as a text. Two rows are
 * compared value by value; a number made from the first value settles most of it. */
#include "query/spec.h"

#include "value/build.h"

static const uint8_t null_value[] = {0xf6}, undefined_value[] = {0xf7};

typedef struct extreme {
    gt_bytes value;
    bool descending;
} extreme;

static void consider(extreme *best, gt_bytes value) {
    int order = best->value.data == NULL ? 0 : gt_value_compare(value, best->value);
    if (best->value.data == NULL || (best->descending ? order > 0 : order < 0)) best->value = value;
}

/* An array stands for its elements; an empty one sorts before everything, as in MongoDB. */
static bool look(void *context, gt_bytes value, bool is_element) {
    extreme *found = context;
    (void)is_element;
    if (value.data == NULL) {
        consider(found, gt_bytes_of(null_value, 1));
    } else if (!is_element && (gt_value_kind(value) == GT_KIND_ARRAY || gt_value_kind(value) == GT_KIND_SET)) {
        if (gt_value_count(value) == 0) consider(found, gt_bytes_of(undefined_value, 1));
    } else {
        consider(found, value);
    }
    return false;
}

gt_bytes gt_sort_value(gt_bytes value, bool descending) {
    extreme found = {{0}, descending};
    look(&found, value, false);
    gt_iter iter = gt_array_iter(value);
    gt_bytes element;
    while (gt_array_next(&iter, &element)) consider(&found, element);
    return found.value;
}

goat_status gt_sort_key_write(const gt_spec *spec, const gt_query_row *row, gt_buf *key, gt_diag *diag) {
    for (size_t i = 0; i < spec->sort_count; i++) {
        extreme found = {{0}, spec->sort[i].descending};
        gt_field_walk(&spec->sort[i].path, row->state, row->schema, look, &found);
        if (found.value.data == NULL) found.value = gt_bytes_of(null_value, 1);
        gt_buf_append(key, found.value.data, found.value.len);
    }
    gt_write_text(key, row->key);
    return gt_buf_failed(key) ? gt_no_memory(diag) : GOAT_OK;
}

/* Compares the values that two keys begin with, and goes on behind them. Most are texts. */
static int compare_first(gt_bytes *a, gt_bytes *b) {
    gt_bytes text_a, text_b;
    const uint8_t *end_a = a->data + a->len, *end_b = b->data + b->len, *next_a, *next_b;
    int order;
    if (gt_value_as_text(*a, &text_a) && gt_value_as_text(*b, &text_b)) {
        order = gt_bytes_compare(text_a, text_b);
        next_a = text_a.data + text_a.len;
        next_b = text_b.data + text_b.len;
    } else {
        next_a = gt_value_skip(a->data, end_a);
        next_b = gt_value_skip(b->data, end_b);
        order = gt_value_compare(gt_bytes_of(a->data, (size_t)(next_a - a->data)),
                                 gt_bytes_of(b->data, (size_t)(next_b - b->data)));
    }
    *a = gt_bytes_of(next_a, (size_t)(end_a - next_a));
    *b = gt_bytes_of(next_b, (size_t)(end_b - next_b));
    return order;
}

int gt_sort_key_compare(const gt_spec *spec, gt_bytes a, gt_bytes b) {
    for (size_t i = 0; i < spec->sort_count; i++) {
        int order = compare_first(&a, &b);
        if (order != 0) return spec->sort[i].descending ? -order : order;
    }
    return compare_first(&a, &b); /* the item keys */
}

/* ---- prefixes ---- */

/* The place of a kind in the order of values (value/value.h). */
static uint64_t rank_of(gt_kind kind) {
    static const uint8_t ranks[] = {
        [GT_KIND_UNDEFINED] = 0, [GT_KIND_NULL] = 1, [GT_KIND_INT] = 2,   [GT_KIND_DOUBLE] = 2,
        [GT_KIND_TEXT] = 3,      [GT_KIND_MAP] = 4,  [GT_KIND_ARRAY] = 5, [GT_KIND_SET] = 5,
        [GT_KIND_BYTES] = 6,     [GT_KIND_REF] = 7,  [GT_KIND_BOOL] = 8,  [GT_KIND_DATE] = 9,
    };
    return ranks[kind];
}

/* Unsigned, in the order of doubles: the bits of negative ones are turned round. */
static uint64_t bits_of_double(double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

/* The first `max` bytes, the first one highest; shorter texts are filled up with zeros. */
static uint64_t bits_of_text(gt_bytes text, size_t max) {
    uint64_t bits = 0;
    for (size_t i = 0; i < max; i++) bits = bits << 8 | (i < text.len ? text.data[i] : 0);
    return bits;
}

uint64_t gt_sort_key_prefix(const gt_spec *spec, gt_bytes key) {
    gt_kind kind = gt_value_kind(key);
    gt_bytes text = {0};
    double number = 0;
    uint64_t bits = 0;
    if (spec->sort_count == 0) {
        gt_value_as_text(key, &text);
        return bits_of_text(text, 8);
    }
    if (gt_value_as_double(key, &number)) { /* rounding keeps the order, but for making some equal */
        bits = bits_of_double(number) >> 8;
    } else if (gt_value_as_text(key, &text)) {
        bits = bits_of_text(text, 7);
    }
    uint64_t prefix = rank_of(kind) << 56 | bits;
    return spec->sort[0].descending ? ~prefix : prefix;
}
