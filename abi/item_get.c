/* Reading one field. This is the path that is taken most: a lock, two lookups, a copy, and no allocation. */
#include "abi.h"

#include "schema/schema_json.h"
#include "value/rich.h"
#include "value/value.h"

static void add_place(goat_item *item, gt_bytes name, gt_diag *diag) {
    if (diag == NULL) return;
    gt_buf path;
    gt_buf_init(&path, &gt_alloc_system);
    gt_item_path(item, &path);
    gt_diag_field(diag, (const char *)name.data, name.len);
    if (!gt_buf_failed(&path)) gt_diag_path(diag, (const char *)path.data, path.len);
    gt_buf_free(&path);
}

/* With the lock. GOAT_OK with a value that is there. */
static goat_status find(goat_item *item, gt_bytes name, const gt_field **field, gt_bytes *value, gt_diag *diag) {
    goat_status status = gt_item_field(item, name, field, value, diag);
    if (status == GOAT_OK && value->data == NULL) {
        status = gt_fail(diag, GOAT_NOT_FOUND, "the field is not set");
        add_place(item, name, diag);
    }
    return status;
}

static goat_status wrong_type(goat_item *item, gt_bytes name, gt_bytes value, const char *wanted, gt_diag *diag) {
    gt_fail(diag, GOAT_WRONG_TYPE, "the field holds %s, not %s", gt_kind_name(gt_value_kind(value)), wanted);
    add_place(item, name, diag);
    return GOAT_WRONG_TYPE;
}

goat_status goat_item_get(goat_item *item, const char *field, size_t field_len, goat_buf *value, goat_error **error) {
    gt_call call;
    const gt_field *found;
    gt_bytes bytes;
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(value);
    gt_enter(&call, gt_item_db(item), error);
    goat_status status = find(item, gt_bytes_of(field, field_len), &found, &bytes, call.diag);
    if (status == GOAT_OK && gt_field_is_whole(found, bytes)) {
        status = gt_put(value, bytes, call.diag);
    } else if (status == GOAT_OK) {
        gt_buf out = gt_lend(value);
        gt_field_read(found, bytes, &out);
        status = gt_give_back(value, &out, gt_buf_failed(&out) ? gt_no_memory(call.diag) : GOAT_OK, call.diag);
    }
    return gt_leave(&call, status);
}

goat_status goat_item_get_json(goat_item *item, const char *field, size_t field_len, goat_buf *json,
                               goat_error **error) {
    gt_call call;
    const gt_field *found;
    gt_bytes bytes;
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(json);
    gt_enter(&call, gt_item_db(item), error);
    gt_buf out = gt_lend(json);
    goat_status status = find(item, gt_bytes_of(field, field_len), &found, &bytes, call.diag);
    gt_buf whole; /* an object with its defaults */
    gt_buf_init(&whole, &gt_alloc_system);
    if (status == GOAT_OK && !gt_field_is_whole(found, bytes)) {
        gt_field_read(found, bytes, &whole);
        bytes = gt_buf_bytes(&whole);
        if (gt_buf_failed(&whole)) status = gt_no_memory(call.diag);
    }
    if (status == GOAT_OK) status = gt_field_to_json_text(found, bytes, &out, call.diag);
    gt_buf_free(&whole);
    return gt_leave(&call, gt_give_back(json, &out, status, call.diag));
}

goat_status goat_item_get_bool(goat_item *item, const char *field, size_t field_len, bool *value, goat_error **error) {
    gt_call call;
    const gt_field *found;
    gt_bytes bytes, name = gt_bytes_of(field, field_len);
    if (value != NULL) *value = false;
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(value);
    gt_enter(&call, gt_item_db(item), error);
    goat_status status = find(item, name, &found, &bytes, call.diag);
    if (status == GOAT_OK && !gt_value_as_bool(bytes, value)) {
        status = wrong_type(item, name, bytes, "a boolean", call.diag);
    }
    return gt_leave(&call, status);
}

goat_status goat_item_get_number(goat_item *item, const char *field, size_t field_len, double *value,
                                 goat_error **error) {
    gt_call call;
    const gt_field *found;
    gt_bytes bytes, name = gt_bytes_of(field, field_len);
    int64_t date_ms;
    if (value != NULL) *value = 0;
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(value);
    gt_enter(&call, gt_item_db(item), error);
    goat_status status = find(item, name, &found, &bytes, call.diag);
    if (status == GOAT_OK && !gt_value_as_double(bytes, value)) {
        if (gt_value_as_date_ms(bytes, &date_ms)) {
            *value = (double)date_ms;
        } else {
            status = wrong_type(item, name, bytes, "a number", call.diag);
        }
    }
    return gt_leave(&call, status);
}

/* An integer beyond ±2^53 may be stored as a double that is whole. */
static bool as_int64(gt_bytes value, int64_t *result) {
    static const double limit = 9223372036854775808.0; /* 2^63 */
    double number;
    if (gt_value_as_int64(value, result)) return true;
    if (!gt_value_as_double(value, &number) || number < -limit || number >= limit) return false;
    *result = (int64_t)number;
    return (double)*result == number;
}

goat_status goat_item_get_int(goat_item *item, const char *field, size_t field_len, int32_t *high, uint32_t *low,
                              goat_error **error) {
    gt_call call;
    const gt_field *found;
    gt_bytes bytes, name = gt_bytes_of(field, field_len);
    int64_t number = 0;
    if (high != NULL) *high = 0;
    if (low != NULL) *low = 0;
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(high);
    GT_REQUIRE(low);
    gt_enter(&call, gt_item_db(item), error);
    goat_status status = find(item, name, &found, &bytes, call.diag);
    if (status == GOAT_OK && !as_int64(bytes, &number)) {
        status = wrong_type(item, name, bytes, "an integer of 64 bits", call.diag);
    }
    if (status == GOAT_OK) {
        *low = (uint32_t)((uint64_t)number & UINT32_MAX);
        *high = (int32_t)((number - (int64_t)*low) / ((int64_t)1 << 32)); /* exact: the low half is gone */
    }
    return gt_leave(&call, status);
}

static goat_status put_plain(goat_buf *text, gt_bytes document, gt_diag *diag) {
    gt_buf out = gt_lend(text);
    gt_rich_plain(document, &out);
    return gt_give_back(text, &out, GOAT_OK, diag);
}

goat_status goat_item_get_text(goat_item *item, const char *field, size_t field_len, goat_buf *text,
                               goat_error **error) {
    gt_call call;
    const gt_field *found;
    gt_bytes bytes, run, name = gt_bytes_of(field, field_len);
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(text);
    gt_enter(&call, gt_item_db(item), error);
    goat_status status = find(item, name, &found, &bytes, call.diag);
    if (status == GOAT_OK) {
        bool good = gt_value_as_text(bytes, &run) || gt_value_as_ref(bytes, &run);
        if (found->type == GT_TYPE_RICHTEXT && !good) return gt_leave(&call, put_plain(text, bytes, call.diag));
        status = good ? gt_put(text, run, call.diag) : wrong_type(item, name, bytes, "text", call.diag);
    }
    return gt_leave(&call, status);
}

goat_status goat_item_get_bytes(goat_item *item, const char *field, size_t field_len, goat_buf *bytes,
                                goat_error **error) {
    gt_call call;
    const gt_field *found;
    gt_bytes value, run, name = gt_bytes_of(field, field_len);
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(bytes);
    gt_enter(&call, gt_item_db(item), error);
    goat_status status = find(item, name, &found, &value, call.diag);
    if (status == GOAT_OK) {
        bool good = gt_value_as_bytes(value, &run);
        status = good ? gt_put(bytes, run, call.diag) : wrong_type(item, name, value, "bytes", call.diag);
    }
    return gt_leave(&call, status);
}
