/* Editing one field, or the whole item. A value that comes as CBOR is checked before it is let in; one that is
 * made here is made on the stack when it is short. */
#include "abi.h"

#include "schema/schema_json.h"
#include "value/build.h"
#include "value/path.h"
#include "value/value.h"

enum {
    SHORT_MAX = 256, /* bytes of a value on the stack: longer than nearly all texts that are typed */
    HEADS_MAX = 18,  /* a tag and a head at their longest */
};

static goat_status edit(goat_item *item, gt_bytes name, gt_edit edit, goat_error **error) {
    gt_call call;
    gt_enter(&call, gt_item_db(item), error);
    return gt_leave(&call, gt_item_edit(item, name, &edit, call.diag));
}

/* A value that the caller wrote. */
static goat_status edit_with(goat_item *item, gt_bytes name, gt_edit edit, goat_error **error) {
    gt_call call;
    gt_enter(&call, gt_item_db(item), error);
    goat_status status = edit.value.data == NULL ? GOAT_OK : gt_value_check(edit.value, 0, call.diag);
    if (status == GOAT_OK) {
        status = gt_item_edit(item, name, &edit, call.diag);
    } else {
        gt_diag_field(call.diag, (const char *)name.data, name.len);
    }
    return gt_leave(&call, status);
}

goat_status goat_item_set(goat_item *item, const char *field, size_t field_len, const uint8_t *value, size_t value_len,
                          goat_error **error) {
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(value);
    gt_edit set = {.operation = GT_SET, .value = gt_bytes_of(value, value_len)};
    return edit_with(item, gt_bytes_of(field, field_len), set, error);
}

goat_status goat_item_unset(goat_item *item, const char *field, size_t field_len, goat_error **error) {
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    return edit(item, gt_bytes_of(field, field_len), (gt_edit){.operation = GT_UNSET}, error);
}

goat_status goat_item_add(goat_item *item, const char *field, size_t field_len, const uint8_t *element,
                          size_t element_len, goat_error **error) {
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(element);
    gt_edit add = {.operation = GT_ADD, .value = gt_bytes_of(element, element_len)};
    return edit_with(item, gt_bytes_of(field, field_len), add, error);
}

goat_status goat_item_remove(goat_item *item, const char *field, size_t field_len, const uint8_t *element,
                             size_t element_len, goat_error **error) {
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(element);
    gt_edit removal = {.operation = GT_REMOVE, .value = gt_bytes_of(element, element_len)};
    return edit_with(item, gt_bytes_of(field, field_len), removal, error);
}

goat_status goat_item_put(goat_item *item, const char *field, size_t field_len, const char *key, size_t key_len,
                          const uint8_t *value, size_t value_len, goat_error **error) {
    gt_diag diag;
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE_RUN(key, key_len);
    GT_REQUIRE_RUN(value, value_len);
    gt_edit put = {.operation = GT_PUT, .key = gt_given(key, key_len), .value = gt_bytes_of(value, value_len)};
    gt_diag_init(&diag);
    goat_status status = gt_check_utf8(put.key, "the key", &diag);
    if (status != GOAT_OK) {
        gt_diag_field(&diag, field, field_len);
        return gt_error_set(error, status, &diag);
    }
    return edit_with(item, gt_bytes_of(field, field_len), put, error);
}

static int64_t whole(int32_t high, uint32_t low) { return (int64_t)high * ((int64_t)1 << 32) + (int64_t)low; }

goat_status goat_item_increment(goat_item *item, const char *field, size_t field_len, int32_t high, uint32_t low,
                                goat_error **error) {
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    gt_edit increment = {.operation = GT_INCREMENT, .by = whole(high, low)};
    return edit(item, gt_bytes_of(field, field_len), increment, error);
}

goat_status goat_item_splice(goat_item *item, const char *field, size_t field_len, goat_unit unit, uint32_t position,
                             uint32_t count, const char *text, size_t text_len, goat_error **error) {
    gt_diag diag;
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE_RUN(text, text_len);
    gt_splice splice = {.unit = unit, .position = position, .count = count, .text = gt_given(text, text_len)};
    gt_diag_init(&diag);
    goat_status status = gt_check_utf8(splice.text, "the text", &diag);
    if (status == GOAT_OK && (unsigned)unit > GOAT_UNIT_UTF16) {
        status = gt_fail(&diag, GOAT_MISUSE, "%d is no unit of a text", (int)unit);
    }
    if (status != GOAT_OK) {
        gt_diag_field(&diag, field, field_len);
        return gt_error_set(error, status, &diag);
    }
    return edit(item, gt_bytes_of(field, field_len), (gt_edit){.operation = GT_SPLICE, .splice = splice}, error);
}

/* ---- lists ---- */

goat_status goat_item_list_insert(goat_item *item, const char *field, size_t field_len, uint32_t position,
                                  const uint8_t *values, size_t values_len, goat_error **error) {
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(values);
    gt_edit insertion = {.operation = GT_LIST_INSERT, .position = position, .value = gt_bytes_of(values, values_len)};
    return edit_with(item, gt_bytes_of(field, field_len), insertion, error);
}

goat_status goat_item_list_remove(goat_item *item, const char *field, size_t field_len, uint32_t position,
                                  uint32_t count, goat_error **error) {
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    gt_edit removal = {.operation = GT_LIST_REMOVE, .position = position, .count = count};
    return edit(item, gt_bytes_of(field, field_len), removal, error);
}

goat_status goat_item_list_move(goat_item *item, const char *field, size_t field_len, uint32_t from, uint32_t to,
                                goat_error **error) {
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    gt_edit move = {.operation = GT_LIST_MOVE, .position = from, .count = to};
    return edit(item, gt_bytes_of(field, field_len), move, error);
}

goat_status goat_item_list_set(goat_item *item, const char *field, size_t field_len, uint32_t position,
                               const uint8_t *value, size_t value_len, goat_error **error) {
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(value);
    gt_edit set = {.operation = GT_LIST_SET, .position = position, .value = gt_bytes_of(value, value_len)};
    return edit_with(item, gt_bytes_of(field, field_len), set, error);
}

/* ---- rich text ---- */

goat_status goat_item_apply_delta(goat_item *item, const char *field, size_t field_len, const char *delta,
                                  size_t delta_len, goat_error **error) {
    gt_call call;
    gt_buf value;
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(delta);
    gt_enter(&call, gt_item_db(item), error);
    gt_buf_init(&value, &gt_alloc_system);
    gt_bytes name = gt_bytes_of(field, field_len);
    goat_status status = gt_value_from_json_text(gt_bytes_of(delta, delta_len), &value, call.diag);
    if (status == GOAT_OK) {
        gt_edit edit = {.operation = GT_DELTA, .value = gt_buf_bytes(&value)};
        status = gt_item_edit(item, name, &edit, call.diag);
    } else {
        gt_diag_field(call.diag, field, field_len);
    }
    gt_buf_free(&value);
    return gt_leave(&call, status);
}

/* ---- values that are made here ---- */

static goat_status set_made(goat_item *item, gt_bytes name, const gt_buf *value, goat_error **error) {
    return edit(item, name, (gt_edit){.operation = GT_SET, .value = gt_buf_bytes(value)}, error);
}

goat_status goat_item_set_bool(goat_item *item, const char *field, size_t field_len, bool value, goat_error **error) {
    uint8_t bytes[HEADS_MAX];
    gt_buf made = gt_on_stack(bytes, sizeof(bytes));
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    gt_write_bool(&made, value);
    return set_made(item, gt_bytes_of(field, field_len), &made, error);
}

goat_status goat_item_set_int(goat_item *item, const char *field, size_t field_len, int32_t high, uint32_t low,
                              goat_error **error) {
    uint8_t bytes[HEADS_MAX];
    gt_buf made = gt_on_stack(bytes, sizeof(bytes));
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    gt_write_int(&made, whole(high, low));
    return set_made(item, gt_bytes_of(field, field_len), &made, error);
}

static goat_status number_for(const gt_field *field, double number, gt_buf *made, gt_diag *diag) {
    bool good;
    if (field->type == GT_TYPE_DATE) {
        bool in_range = number >= (double)GT_DATE_MIN_MS && number <= (double)GT_DATE_MAX_MS;
        good = in_range && (double)(int64_t)number == number && gt_write_date_ms(made, (int64_t)number);
        if (!good) gt_fail(diag, GOAT_INVALID, "a date is a whole number of milliseconds in the years 1 to 9999");
    } else {
        good = gt_write_double(made, number);
        if (!good) gt_fail(diag, GOAT_INVALID, "the number is not finite");
    }
    if (!good) gt_diag_field(diag, (const char *)field->path.data, field->path.len);
    return good ? GOAT_OK : GOAT_INVALID;
}

goat_status goat_item_set_number(goat_item *item, const char *field, size_t field_len, double value,
                                 goat_error **error) {
    gt_call call;
    const gt_field *found;
    uint8_t bytes[HEADS_MAX];
    gt_bytes name = gt_bytes_of(field, field_len);
    gt_buf made = gt_on_stack(bytes, sizeof(bytes));
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    gt_enter(&call, gt_item_db(item), error);
    goat_status status = gt_item_field_of(item, name, &found, call.diag);
    if (status == GOAT_OK) status = number_for(found, value, &made, call.diag);
    gt_edit set = {.operation = GT_SET, .value = gt_buf_bytes(&made)};
    if (status == GOAT_OK) status = gt_item_edit(item, name, &set, call.diag);
    return gt_leave(&call, status);
}

/* Writes a text, ref or byte string of `run`, on the stack (`bytes`) or into memory of its own (`*heap`). */
static goat_status write_run(gt_kind kind, gt_bytes run, uint8_t bytes[SHORT_MAX], gt_buf *made, bool *heap,
                             gt_diag *diag) {
    *heap = run.len > SHORT_MAX - HEADS_MAX;
    if (*heap) {
        gt_buf_init(made, &gt_alloc_system);
    } else {
        *made = gt_on_stack(bytes, SHORT_MAX);
    }
    if (kind == GT_KIND_TEXT) {
        gt_write_text(made, run);
    } else if (kind == GT_KIND_REF) {
        gt_write_ref(made, run);
    } else {
        gt_write_bytes(made, run);
    }
    return gt_buf_failed(made) ? gt_no_memory(diag) : GOAT_OK;
}

/* Whether `text` may stand where it is to; with what is wrong otherwise. */
static goat_status check_run(gt_kind kind, gt_bytes text, gt_diag *diag) {
    size_t position;
    if (text.len > GOAT_VALUE_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "the value is longer than %d bytes", GOAT_VALUE_MAX);
    }
    if (kind == GT_KIND_BYTES) return GOAT_OK;
    if (kind == GT_KIND_TEXT) return gt_check_utf8(text, "the text", diag);
    const char *fault = gt_item_path_fault(text, &position);
    return fault == NULL ? GOAT_OK : gt_fail_at(diag, GOAT_INVALID, position, "not a ref: %s", fault);
}

static goat_status set_run(goat_item *item, gt_bytes name, bool is_text, gt_bytes run, goat_error **error) {
    gt_call call;
    const gt_field *found;
    uint8_t bytes[SHORT_MAX];
    gt_buf made;
    bool heap = false;
    gt_enter(&call, gt_item_db(item), error);
    goat_status status = gt_item_field_of(item, name, &found, call.diag);
    if (status == GOAT_OK) {
        gt_kind kind = !is_text ? GT_KIND_BYTES : found->type == GT_TYPE_REF ? GT_KIND_REF : GT_KIND_TEXT;
        status = check_run(kind, run, call.diag);
        if (status != GOAT_OK) gt_diag_field(call.diag, (const char *)name.data, name.len);
        if (status == GOAT_OK) status = write_run(kind, run, bytes, &made, &heap, call.diag);
    }
    if (status == GOAT_OK) {
        gt_edit set = {.operation = GT_SET, .value = gt_buf_bytes(&made)};
        status = gt_item_edit(item, name, &set, call.diag);
    }
    if (heap) gt_buf_free(&made);
    return gt_leave(&call, status);
}

goat_status goat_item_set_text(goat_item *item, const char *field, size_t field_len, const char *text, size_t text_len,
                               goat_error **error) {
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE_RUN(text, text_len);
    return set_run(item, gt_bytes_of(field, field_len), true, gt_given(text, text_len), error);
}

goat_status goat_item_set_bytes(goat_item *item, const char *field, size_t field_len, const uint8_t *bytes,
                                size_t bytes_len, goat_error **error) {
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE_RUN(bytes, bytes_len);
    return set_run(item, gt_bytes_of(field, field_len), false, gt_given(bytes, bytes_len), error);
}

goat_status goat_item_set_json(goat_item *item, const char *field, size_t field_len, const char *json, size_t json_len,
                               goat_error **error) {
    gt_call call;
    const gt_field *found;
    gt_buf made;
    gt_bytes name = gt_bytes_of(field, field_len);
    GT_REQUIRE(item);
    GT_REQUIRE(field);
    GT_REQUIRE(json);
    gt_enter(&call, gt_item_db(item), error);
    gt_buf_init(&made, &gt_alloc_system);
    goat_status status = gt_item_field_of(item, name, &found, call.diag);
    if (status == GOAT_OK) status = gt_field_from_json_text(found, gt_bytes_of(json, json_len), &made, call.diag);
    gt_edit set = {.operation = GT_SET, .value = gt_buf_bytes(&made)};
    if (status == GOAT_OK) status = gt_item_edit(item, name, &set, call.diag);
    gt_buf_free(&made);
    return gt_leave(&call, status);
}

/* ---- the whole item ---- */

goat_status goat_item_replace(goat_item *item, const uint8_t *fields, size_t fields_len, goat_error **error) {
    gt_call call;
    GT_REQUIRE(item);
    GT_REQUIRE(fields);
    gt_bytes map = gt_bytes_of(fields, fields_len);
    gt_enter(&call, gt_item_db(item), error);
    goat_status status = gt_value_check(map, 0, call.diag);
    if (status == GOAT_OK && gt_value_kind(map) != GT_KIND_MAP) {
        status = gt_fail(call.diag, GOAT_INVALID, "the fields must be a map");
    }
    if (status == GOAT_OK) status = gt_item_replace(item, map, call.diag);
    return gt_leave(&call, status);
}

goat_status goat_item_delete(goat_item *item, bool deleted, goat_error **error) {
    gt_call call;
    GT_REQUIRE(item);
    gt_enter(&call, gt_item_db(item), error);
    return gt_leave(&call, gt_item_delete(item, deleted, call.diag));
}
