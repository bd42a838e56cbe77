/* JSON text → jansson's tree, and the places where jansson's answer is not ours: keys with U+0000, which
 * it refuses; its words for what went wrong, of which some positions lie behind the fault; and running
 * out of memory, which it sometimes calls a syntax error. */
#include "value/json.h"

#include "value/json_text.h"

/* jansson stops at 2,048 levels, which is stack enough; ours, 64, is counted when values are written. */
enum { PARSE_FLAGS = JSON_DECODE_ANY | JSON_ALLOW_NUL };

static json_t *load(gt_bytes text, json_error_t *error) {
    return json_loadb(text.len == 0 ? "" : (const char *)text.data, text.len, PARSE_FLAGS, error);
}

/* A string whose memory could not be had is an invalid token to jansson, and so is a key. A string that
 * is really wrong is called by other words, so a quote behind us gives it away. */
static bool ran_out_of_memory(gt_bytes text, const json_error_t *error) {
    size_t position = (size_t)error->position;
    if (error->text[0] == '\0' || json_error_code(error) == json_error_out_of_memory) {
        return true;
    }
    bool about_token = strncmp(error->text, "invalid token", 13) == 0 || strncmp(error->text, "string or '}'", 13) == 0;
    return about_token && position > 0 && position <= text.len && text.data[position - 1] == '"';
}

/* The offset of the number that ends at `end`. */
static size_t number_start(gt_bytes text, size_t end) {
    size_t at = end < text.len ? end : text.len;
    while (at > 0 && text.data[at - 1] != 0 && strchr("0123456789+-.eE", text.data[at - 1]) != NULL) {
        at--;
    }
    return at;
}

static goat_status refuse(gt_bytes text, const json_error_t *error, gt_diag *diag) {
    size_t position = error->position < 0 ? 0 : (size_t)error->position;
    if (ran_out_of_memory(text, error)) {
        return gt_no_memory(diag);
    }
    switch (json_error_code(error)) {
    case json_error_stack_overflow:
        gt_json_within(text, GOAT_VALUE_DEPTH_MAX, SIZE_MAX, &position);
        return gt_fail_at(diag, GOAT_TOO_LARGE, position, "more than %d arrays and objects inside each other",
                          (int)GOAT_VALUE_DEPTH_MAX);
    case json_error_numeric_overflow:
        return gt_fail_at(diag, GOAT_INVALID, number_start(text, position),
                          "a number that fits neither int64 nor binary64");
    default: break;
    }
    if (strncmp(error->text, "invalid Unicode '", 17) == 0) {
        return gt_fail_at(diag, GOAT_INVALID, gt_json_find_surrogate(text, position), "half of a surrogate pair");
    }
    return gt_fail_at(diag, GOAT_INVALID, position, "not JSON: %s", error->text);
}

/* Gives each key with an escape of ours its real name. Pairs keep their order. */
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
    done = done && json_object_clear(json) == 0 && json_object_update(json, renamed) == 0;
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
        if (error.position > 0) {
            error.position = (int)gt_json_unescaped_position(text, (size_t)error.position);
        }
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
    if (parsed == NULL && json_error_code(&error) == json_error_null_byte_in_key) {
        return parse_with_null_keys(text, alloc, json, diag);
    }
    if (parsed == NULL) {
        return refuse(text, &error, diag);
    }
    *json = parsed;
    return GOAT_OK;
}
