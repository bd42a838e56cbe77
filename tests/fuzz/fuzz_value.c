/* The gate of values. What it takes has one encoding: written anew from what the readers say it is the same bytes,
 * and so it is by way of JSON. Of the bytes behind a first value the next are compared with it. */
#include "base/assert.h"
#include "value/build.h"
#include "value/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rewrite(gt_bytes value, gt_buf *out);

static void rewrite_pairs(gt_bytes value, gt_buf *out) {
    gt_iter iter = gt_map_iter(value);
    gt_bytes key, inner, text;
    int64_t integer = 0;
    gt_write_map_head(out, gt_value_count(value));
    while (gt_map_next_pair(&iter, &key, &inner)) {
        rewrite(key, out);
        rewrite(inner, out);
        if (gt_value_as_text(key, &text)) {
            GOAT_ASSERT(gt_map_find(value, text).data == inner.data);
        } else {
            GOAT_ASSERT(gt_value_as_int64(key, &integer));
            GOAT_ASSERT(gt_map_find_int(value, (uint64_t)integer).data == inner.data);
        }
    }
}

static void rewrite_elements(gt_bytes value, gt_buf *out) {
    gt_iter iter = gt_array_iter(value);
    gt_bytes element;
    if (gt_value_kind(value) == GT_KIND_SET) {
        gt_write_tag(out, GT_TAG_SET);
    }
    gt_write_array_head(out, gt_value_count(value));
    while (gt_array_next(&iter, &element)) {
        rewrite(element, out);
    }
}

static void rewrite(gt_bytes value, gt_buf *out) {
    int64_t integer = 0;
    double number = 0;
    gt_bytes string = {0};
    bool truth = false, good = true;
    switch (gt_value_kind(value)) {
    case GT_KIND_NULL: gt_write_null(out); break;
    case GT_KIND_UNDEFINED: gt_write_undefined(out); break;
    case GT_KIND_BOOL:
        good = gt_value_as_bool(value, &truth);
        gt_write_bool(out, truth);
        break;
    case GT_KIND_INT:
        good = gt_value_as_int64(value, &integer);
        gt_write_int(out, integer);
        break;
    case GT_KIND_DOUBLE: good = gt_value_as_double(value, &number) && gt_write_double(out, number); break;
    case GT_KIND_DATE: good = gt_value_as_date_ms(value, &integer) && gt_write_date_ms(out, integer); break;
    case GT_KIND_TEXT:
        good = gt_value_as_text(value, &string);
        gt_write_text(out, string);
        break;
    case GT_KIND_BYTES:
        good = gt_value_as_bytes(value, &string);
        gt_write_bytes(out, string);
        break;
    case GT_KIND_REF:
        good = gt_value_as_ref(value, &string);
        gt_write_ref(out, string);
        break;
    case GT_KIND_ARRAY:
    case GT_KIND_SET: rewrite_elements(value, out); break;
    default: rewrite_pairs(value, out); break;
    }
    GOAT_ASSERT(good);
}

static void try_one_encoding(gt_bytes value) {
    gt_buf again;
    gt_buf_init(&again, &gt_alloc_system);
    rewrite(value, &again);
    GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(&again), value));
    GOAT_ASSERT(gt_value_skip(value.data, value.data + value.len) == value.data + value.len);
    GOAT_ASSERT(gt_value_compare(value, value) == 0);
    gt_buf_free(&again);
}

static void try_json(gt_bytes value) {
    gt_buf text, again;
    gt_buf_init(&text, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    GOAT_ASSERT(gt_value_to_json_text(value, &text, NULL) == GOAT_OK);
    GOAT_ASSERT(gt_value_from_json_text(gt_buf_bytes(&text), &again, NULL) == GOAT_OK);
    GOAT_ASSERT(gt_bytes_equal(gt_buf_bytes(&again), value));
    gt_buf_free(&again);
    gt_buf_free(&text);
}

static void try_order(gt_bytes a, gt_bytes b) {
    int forward = gt_value_compare(a, b), backward = gt_value_compare(b, a);
    GOAT_ASSERT((forward > 0) == (backward < 0));
    GOAT_ASSERT((forward < 0) == (backward > 0));
    GOAT_ASSERT(forward == 0 || !gt_value_equal(a, b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (uint32_t flags = 0; flags <= GT_VALUE_EDIT; flags += GT_VALUE_EDIT) {
        gt_bytes bytes = gt_bytes_of(data, size), first, second;
        gt_diag diag;
        gt_diag_init(&diag);
        goat_status whole = gt_value_check(bytes, flags, &diag);
        GOAT_ASSERT(whole == GOAT_OK || diag.position <= size);
        goat_status status = gt_value_check_first(bytes, flags, &first.len, NULL);
        GOAT_ASSERT(whole != GOAT_OK || (status == GOAT_OK && first.len == size));
        if (status != GOAT_OK) {
            continue;
        }
        first.data = data;
        try_one_encoding(first);
        if (flags == 0) {
            try_json(first);
        }
        second = gt_bytes_of(data + first.len, size - first.len);
        if (gt_value_check_first(second, flags, &second.len, NULL) == GOAT_OK) {
            try_order(first, second);
        }
    }
    return 0;
}
