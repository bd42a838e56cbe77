/* jansson's tree → value. Keys are sorted before a map is written, so that everything goes straight to
 * the output; only a set whose elements come unsorted is written twice. */
#include "value/json.h"

#include "base/utf8.h"
#include "value/base64.h"
#include "value/build.h"
#include "value/date.h"
#include "value/head.h"
#include "value/json_text.h"
#include "value/path.h"

#include <stdio.h>

typedef struct reader {
    gt_buf *out;
    size_t begin;
    gt_diag *diag;
    gt_pair *pairs; /* of all maps that are being written; value.data is a json_t */
    size_t pair_count, pair_capacity;
    size_t step_count; /* where we are; left as it is at a failure */
    size_t named;      /* the first of them, as far as they are names of fields; 0: nothing has failed */
    gt_json_step steps[GOAT_VALUE_DEPTH_MAX + 1];
} reader;

static goat_status write_json(reader *r, json_t *json, gt_kind want, uint32_t depth);

static gt_bytes text_of(const json_t *json) { return gt_bytes_of(json_string_value(json), json_string_length(json)); }

static goat_status refuse(reader *r, const char *words) {
    return gt_fail(r->diag, GOAT_INVALID, "not a value: %s", words);
}

static goat_status check_depth(reader *r, uint32_t depth, uint32_t inside) {
    if (depth + inside <= GOAT_VALUE_DEPTH_MAX) {
        return GOAT_OK;
    }
    return gt_fail(r->diag, GOAT_TOO_LARGE, "more than %d arrays, maps and tags inside each other",
                   (int)GOAT_VALUE_DEPTH_MAX);
}

/* What the depth limit lets in always fits: every step is into an array or a map. */
static void step_into(reader *r, gt_bytes key, size_t index) { r->steps[r->step_count++] = (gt_json_step){key, index}; }
static void step_out(reader *r) { r->step_count--; }

static goat_status write_date(reader *r, gt_bytes text) {
    int64_t date_ms;
    const char *fault = gt_date_fault(text, &date_ms);
    if (fault != NULL) {
        return refuse(r, fault);
    }
    gt_write_date_ms(r->out, date_ms);
    return GOAT_OK;
}

static goat_status write_ref(reader *r, gt_bytes text) {
    const char *fault = gt_item_path_fault(text, NULL);
    if (fault != NULL) {
        return refuse(r, fault);
    }
    gt_write_ref(r->out, text);
    return GOAT_OK;
}

static goat_status write_bytes(reader *r, gt_bytes text) {
    uint8_t *p = gt_buf_reserve(r->out, GT_HEAD_MAX + text.len);
    size_t len;
    if (p == NULL) {
        return gt_no_memory(r->diag);
    }
    /* Decoded behind the longest head that may be needed, then moved to its own. */
    if (!gt_base64_read(p + GT_HEAD_MAX, &len, text)) {
        return refuse(r, "bytes are not base64 (RFC 4648, with padding)");
    }
    size_t head_len = gt_head_write(p, GT_MAJOR_BYTES, len);
    memmove(p + head_len, p + GT_HEAD_MAX, len);
    r->out->len += head_len + len;
    return GOAT_OK;
}

static goat_status write_string(reader *r, gt_bytes text, gt_kind want, uint32_t depth) {
    goat_status status = want == GT_KIND_DATE || want == GT_KIND_REF ? check_depth(r, depth, 1) : GOAT_OK;
    if (status != GOAT_OK) {
        return status;
    }
    switch (want) {
    case GT_KIND_DATE: return write_date(r, text);
    case GT_KIND_BYTES: return write_bytes(r, text);
    case GT_KIND_REF: return write_ref(r, text);
    default: gt_write_text(r->out, text); return GOAT_OK;
    }
}

static goat_status write_elements(reader *r, json_t *array, uint32_t depth) {
    goat_status status = GOAT_OK;
    size_t count = json_array_size(array);
    for (size_t i = 0; i < count && status == GOAT_OK; i++) {
        step_into(r, gt_bytes_of(NULL, 0), i);
        status = write_json(r, json_array_get(array, i), GT_KIND_ANY, depth);
        if (status == GOAT_OK) {
            step_out(r);
        }
    }
    return status;
}

static goat_status write_array(reader *r, json_t *array, uint32_t depth) {
    goat_status status = check_depth(r, depth, 1);
    if (status != GOAT_OK) {
        return status;
    }
    gt_write_array_head(r->out, json_array_size(array));
    return write_elements(r, array, depth + 1);
}

/* Sorts the `count` elements that were written from `first` on, under a head from `begin` on. The set
 * is made behind them, then moved over them. */
static goat_status sort_set(reader *r, size_t begin, size_t first, size_t count) {
    gt_buf *out = r->out;
    size_t end = out->len;
    if (gt_buf_reserve(out, end - begin + GT_WRITE_SET_SLACK) == NULL) { /* the elements stay where they are */
        return gt_no_memory(r->diag);
    }
    gt_bytes *elements = gt_new(out->alloc, count, sizeof *elements);
    if (elements == NULL) {
        return gt_no_memory(r->diag);
    }
    gt_iter iter = {out->data + first, out->data + end, count};
    for (size_t i = 0; gt_array_next(&iter, &elements[i]); i++) {
    }
    gt_write_set(out, elements, count);
    gt_free(out->alloc, elements);
    if (gt_buf_failed(out)) {
        return gt_no_memory(r->diag);
    }
    memmove(out->data + begin, out->data + end, out->len - end);
    out->len -= end - begin;
    return GOAT_OK;
}

static goat_status write_set(reader *r, json_t *array, uint32_t depth) {
    gt_buf *out = r->out;
    size_t begin = out->len, count = json_array_size(array);
    goat_status status = check_depth(r, depth, 2);
    if (status != GOAT_OK) {
        return status;
    }
    gt_write_tag(out, GT_TAG_SET);
    gt_write_array_head(out, count);
    size_t first = out->len;
    status = write_elements(r, array, depth + 2);
    if (status != GOAT_OK || gt_buf_failed(out)) {
        return status;
    }
    gt_iter iter = {out->data + first, out->data + out->len, count};
    gt_bytes last, element;
    bool sorted = true;
    for (bool any = gt_array_next(&iter, &last); any && sorted && gt_array_next(&iter, &element); last = element) {
        sorted = gt_bytes_compare(last, element) < 0;
    }
    return sorted ? GOAT_OK : sort_set(r, begin, first, count);
}

static goat_status write_wrapped(reader *r, gt_kind kind, gt_bytes key, json_t *json, uint32_t depth) {
    goat_status status;
    step_into(r, key, 0);
    if (kind == GT_KIND_SET) {
        status = json_is_array(json) ? write_set(r, json, depth) : refuse(r, "$set is not followed by an array");
    } else if (json_is_string(json)) {
        status = write_string(r, text_of(json), kind, depth);
    } else {
        status = refuse(r, "$date, $bytes or $ref is not followed by a text");
    }
    if (status == GOAT_OK) {
        step_out(r);
    }
    return status;
}

/* What stands in a pair's value while maps are written. */
static json_t *json_of(const gt_pair *pair) {
    json_t *json;
    memcpy(&json, &pair->value.data, sizeof(void *));
    return json;
}

/* Puts the pairs of an object behind those that are there, sorted. */
static goat_status push_pairs(reader *r, json_t *object) {
    size_t count = json_object_size(object);
    size_t base = r->pair_count;
    if (r->pairs == NULL || count > r->pair_capacity - base) {
        size_t capacity = (base + count) * 2 > 32 ? (base + count) * 2 : 32;
        gt_pair *grown = gt_resize(r->out->alloc, r->pairs, capacity, sizeof *grown);
        if (grown == NULL) {
            return gt_no_memory(r->diag);
        }
        r->pairs = grown;
        r->pair_capacity = capacity;
    }
    for (void *iter = json_object_iter(object); iter != NULL; iter = json_object_iter_next(object, iter)) {
        gt_pair *pair = &r->pairs[r->pair_count++];
        pair->key = gt_bytes_of(json_object_iter_key(iter), json_object_iter_key_len(iter));
        pair->value = gt_bytes_of(json_object_iter_value(iter), 0);
    }
    if (count > 0) { /* an empty object may come before there is any memory for pairs */
        gt_pairs_sort(r->pairs + base, count);
    }
    return GOAT_OK;
}

static goat_status write_fields(reader *r, json_t *json, const gt_json_shape *shape, uint32_t depth);

static goat_status write_field(reader *r, const gt_pair *pair, const gt_json_shape *shape, uint32_t depth) {
    gt_json_shape inner;
    json_t *json = json_of(pair);
    size_t level = r->step_count;
    bool holds_fields =
        json_is_object(json) && shape->inside != NULL && shape->inside(shape->context, pair->key, &inner);
    goat_status status = holds_fields ? write_fields(r, json, &inner, depth)
                                      : write_json(r, json, shape->field_kind(shape->context, pair->key), depth);
    if (status != GOAT_OK && r->named == 0) {
        r->named = level;
    }
    return status;
}

/* Writes the pairs from `base` on as a map. `skip`: bytes of a key that are an escape. `shape` is NULL where they are not
 * fields. */
static goat_status write_pairs(reader *r, size_t base, size_t skip, const gt_json_shape *shape, uint32_t depth) {
    goat_status status = GOAT_OK;
    gt_write_map_head(r->out, r->pair_count - base);
    for (size_t i = base; i < r->pair_count && status == GOAT_OK; i++) {
        gt_pair pair = r->pairs[i]; /* the array may move */
        gt_write_text(r->out, gt_bytes_behind(pair.key, skip));
        step_into(r, pair.key, 0);
        status =
            shape != NULL ? write_field(r, &pair, shape, depth) : write_json(r, json_of(&pair), GT_KIND_ANY, depth);
        if (status == GOAT_OK) {
            step_out(r);
        }
    }
    return status;
}

static goat_status write_fields(reader *r, json_t *json, const gt_json_shape *shape, uint32_t depth) {
    size_t base = r->pair_count;
    goat_status status = check_depth(r, depth, 1);
    if (status == GOAT_OK) {
        status = push_pairs(r, json);
    }
    if (status == GOAT_OK) {
        status = write_pairs(r, base, 0, shape, depth + 1);
        r->pair_count = base;
    }
    return status;
}

static goat_status write_object(reader *r, json_t *object, uint32_t depth) {
    size_t base = r->pair_count, skip = 0;
    goat_status status = push_pairs(r, object);
    if (status == GOAT_OK && r->pair_count == base + 1) {
        gt_pair *pair = &r->pairs[base];
        bool escaped = false;
        gt_kind kind = gt_json_wrapper(pair->key, &escaped);
        if (kind != GT_KIND_ANY && !escaped) {
            r->pair_count = base;
            return write_wrapped(r, kind, pair->key, json_of(pair), depth);
        }
        skip = escaped ? 1 : 0;
    }
    if (status == GOAT_OK) {
        status = check_depth(r, depth, 1);
    }
    if (status == GOAT_OK) {
        status = write_pairs(r, base, skip, NULL, depth + 1);
        r->pair_count = base;
    }
    return status;
}

/* Writes one value that is inside `depth` arrays, maps and tags. */
static goat_status write_json(reader *r, json_t *json, gt_kind want, uint32_t depth) {
    goat_status status = GOAT_OK;
    switch (json_typeof(json)) {
    case JSON_NULL: gt_write_null(r->out); break;
    case JSON_FALSE:
    case JSON_TRUE: gt_write_bool(r->out, json_is_true(json)); break;
    case JSON_INTEGER: gt_write_int(r->out, json_integer_value(json)); break;
    case JSON_REAL:
        if (!gt_write_double(r->out, json_real_value(json))) {
            return refuse(r, "a number is NaN or infinite");
        }
        break;
    case JSON_STRING: status = write_string(r, text_of(json), want, depth); break;
    case JSON_ARRAY: status = want == GT_KIND_SET ? write_set(r, json, depth) : write_array(r, json, depth); break;
    case JSON_OBJECT: status = write_object(r, json, depth); break;
    }
    if (status == GOAT_OK && r->out->len - r->begin > GOAT_VALUE_MAX) {
        return gt_fail(r->diag, GOAT_TOO_LARGE, "a value of more than 16 MiB");
    }
    return status;
}

/* As much as fits of the names that lead to where it failed. */
static void name_field(const reader *r) {
    char path[GT_DIAG_NAME_MAX];
    size_t len = 0;
    for (size_t i = 0; i < r->named && len < sizeof path; i++) {
        gt_bytes name = r->steps[i].key;
        len += (size_t)snprintf(path + len, sizeof path - len, "%s%.*s", i == 0 ? "" : ".", (int)name.len,
                                (const char *)name.data);
    }
    gt_diag_field(r->diag, path, len < sizeof path ? len : sizeof path - 1);
}

static goat_status write_document(reader *r, json_t *json, const gt_json_shape *shape) {
    if (!json_is_object(json)) {
        return gt_fail(r->diag, GOAT_INVALID, "a document is a JSON object");
    }
    goat_status status = write_fields(r, json, shape, 0);
    if (status != GOAT_OK && r->named > 0) {
        name_field(r);
    }
    return status;
}

/* Reads a tree as fields where `shape` is given, else as a value of kind `want`. `text`, if there is
 * one, is what the tree was parsed from. */
static goat_status read_tree(json_t *json, gt_bytes text, gt_kind want, const gt_json_shape *shape, gt_buf *out,
                             gt_diag *diag) {
    reader r;
    r.out = out;
    r.begin = out->len;
    r.diag = diag;
    r.pairs = NULL;
    r.pair_count = r.pair_capacity = r.step_count = r.named = 0;

    goat_status status = shape != NULL ? write_document(&r, json, shape) : write_json(&r, json, want, 0);
    if (status == GOAT_OK && gt_buf_failed(out)) {
        status = gt_no_memory(diag);
    }
    if (status != GOAT_OK) {
        out->len = r.begin;
        if (text.data != NULL && diag != NULL && status != GOAT_NO_MEMORY) {
            diag->position = gt_json_locate(text, r.steps, r.step_count);
        }
    }
    gt_free(out->alloc, r.pairs);
    return status;
}

static goat_status read_text(gt_bytes text, gt_kind want, const gt_json_shape *shape, gt_buf *out, gt_diag *diag) {
    json_t *json = NULL;
    goat_status status = gt_json_parse(text, out->alloc, &json, diag);
    if (status == GOAT_OK) {
        status = read_tree(json, text, want, shape, out, diag);
        json_decref(json);
    }
    return status;
}

static const gt_bytes no_text = {NULL, 0};

goat_status gt_value_from_json_text(gt_bytes text, gt_buf *out, gt_diag *diag) {
    return read_text(text, GT_KIND_ANY, NULL, out, diag);
}

goat_status gt_value_from_json_text_as(gt_bytes text, gt_kind kind, gt_buf *out, gt_diag *diag) {
    return read_text(text, kind, NULL, out, diag);
}

goat_status gt_fields_from_json_text(gt_bytes text, const gt_json_shape *shape, gt_buf *out, gt_diag *diag) {
    return read_text(text, GT_KIND_ANY, shape, out, diag);
}

goat_status gt_value_from_json(json_t *json, gt_buf *out, gt_diag *diag) {
    return read_tree(json, no_text, GT_KIND_ANY, NULL, out, diag);
}

goat_status gt_value_from_json_as(json_t *json, gt_kind kind, gt_buf *out, gt_diag *diag) {
    return read_tree(json, no_text, kind, NULL, out, diag);
}

goat_status gt_fields_from_json(json_t *json, const gt_json_shape *shape, gt_buf *out, gt_diag *diag) {
    return read_tree(json, no_text, GT_KIND_ANY, shape, out, diag);
}
