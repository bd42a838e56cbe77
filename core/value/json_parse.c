/* JSON text → jansson's tree, and the places where jansson's answer is not ours: keys with U+0000, which it
 * refuses; bytes 0 behind numbers and words, which it takes; and its words and positions for what is wrong. */
#include "value/json.h"

#include "value/json_text.h"

/* jansson stops at 2,048 levels, which is stack enough; ours, 64, is counted when values are written. */
enum { PARSE_FLAGS = JSON_DECODE_ANY | JSON_ALLOW_NUL };

static json_t *load(gt_bytes text, json_error_t *error) {
    memset(error, 0, sizeof *error); /* jansson leaves the code as it is when it has nothing to say */
    return json_loadb(text.len == 0 ? "" : (const char *)text.data, text.len, PARSE_FLAGS, error);
}

/* By jansson's own reading, so that both agree on where binary64 ends. */
static bool number_fits(gt_bytes number) {
    json_error_t error;
    json_t *json = load(number, &error);
    bool too_large = json == NULL && json_error_code(&error) == json_error_numeric_overflow;
    json_decref(json);
    return !too_large;
}

/* Why `text` was refused. If there is nothing wrong with it, jansson had no memory: it has a code for that,
 * but also calls it a wrong token, or nothing at all. */
static goat_status refuse(gt_bytes text, const json_error_t *error, gt_diag *diag) {
    enum json_error_code code = json_error_code(error);
    size_t position = 0;
    const char *fault = gt_json_fault(text, code == json_error_numeric_overflow ? number_fits : NULL, &position);
    if (fault != NULL) {
        return gt_fail_at(diag, GOAT_INVALID, position, "in JSON: %s", fault);
    }
    if (code == json_error_stack_overflow) {
        gt_json_within(text, GOAT_VALUE_DEPTH_MAX, SIZE_MAX, &position);
        return gt_fail_at(diag, GOAT_TOO_LARGE, position, "more than %d arrays and objects inside each other",
                          (int)GOAT_VALUE_DEPTH_MAX);
    }
    return gt_no_memory(diag);
}

/* Puts the pairs of `renamed` into `object`. Not json_object_update(), for which a key ends at U+0000. */
static bool put_pairs(json_t *object, json_t *renamed) {
    bool done = true;
    for (void *iter = json_object_iter(renamed); iter != NULL && done; iter = json_object_iter_next(renamed, iter)) {
        json_t *value = json_incref(json_object_iter_value(iter));
        size_t len = json_object_iter_key_len(iter);
        done = json_object_setn_new_nocheck(object, json_object_iter_key(iter), len, value) == 0;
    }
    return done;
}

/* Gives each key with an escape of ours its real name. */
static bool restore_keys(json_t *json, const gt_alloc *alloc) {
    bool done = true;
    if (json_is_array(json)) {
        for (size_t i = 0; i < json_array_size(json) && done; i++) {
            done = restore_keys(json_array_get(json, i), alloc);
        }
        return done;
    }
    if (!json_is_object(json)) {
        return true;
    }
    json_t *renamed = json_object();
    done = renamed != NULL;
    for (void *iter = json_object_iter(json); iter != NULL && done; iter = json_object_iter_next(json, iter)) {
        json_t *value = json_object_iter_value(iter);
        size_t len = json_object_iter_key_len(iter);
        char *key = gt_copy(alloc, json_object_iter_key(iter), len);
        done = key != NULL && restore_keys(value, alloc);
        if (done) {
            done = json_object_setn_new_nocheck(renamed, key, gt_json_unescape_key(key, len), json_incref(value)) == 0;
        }
        gt_free(alloc, key);
    }
    done = done && json_object_clear(json) == 0 && put_pairs(json, renamed);
    json_decref(renamed);
    return done;
}

static goat_status parse_with_null_keys(gt_bytes text, const gt_alloc *alloc, json_t **json, gt_diag *diag) {
    gt_buf changed;
    json_error_t error;
    goat_status status = GOAT_OK;

    gt_buf_init(&changed, alloc);
    gt_json_escape_keys(text, &changed);
    json_t *parsed = gt_buf_failed(&changed) ? NULL : load(gt_buf_bytes(&changed), &error);
    if (gt_buf_failed(&changed) || (parsed != NULL && !restore_keys(parsed, alloc))) {
        status = gt_no_memory(diag);
    } else if (parsed == NULL) {
        status = refuse(text, &error, diag);
    }
    gt_buf_free(&changed);
    if (status != GOAT_OK) {
        json_decref(parsed);
        return status;
    }
    *json = parsed;
    return GOAT_OK;
}

goat_status gt_json_parse(gt_bytes text, const gt_alloc *alloc, json_t **json, gt_diag *diag) {
    json_error_t error;
    size_t position = 0;

    if (text.len > GT_JSON_TEXT_MAX) {
        return gt_fail_at(diag, GOAT_TOO_LARGE, GT_JSON_TEXT_MAX, "a JSON text of more than %zu bytes",
                          GT_JSON_TEXT_MAX);
    }
    /* Each value takes a byte, so these are too many for one; the tree of them would take 50 times that. */
    if (text.len > GOAT_VALUE_MAX && !gt_json_within(text, SIZE_MAX, GOAT_VALUE_MAX, &position)) {
        return gt_fail_at(diag, GOAT_TOO_LARGE, position, "a value of more than 16 MiB");
    }
    json_t *parsed = load(text, &error);
    if (parsed == NULL) {
        bool null_key = json_error_code(&error) == json_error_null_byte_in_key;
        goat_status status = null_key ? parse_with_null_keys(text, alloc, &parsed, diag) : refuse(text, &error, diag);
        if (status != GOAT_OK) {
            return status;
        }
    }
    /* A byte 0 behind a number or a word is lost between jansson's buffers (2.14), but it is not JSON. */
    if (text.len > 0 && memchr(text.data, 0, text.len) != NULL) {
        json_decref(parsed);
        return refuse(text, &error, diag);
    }
    *json = parsed;
    return GOAT_OK;
}
