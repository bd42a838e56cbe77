/* core/value: the golden vectors in tests/vectors/value.json, which verify.py reads without the library. */
#include "support/test.h"

#include "support/hex_buf.h"
#include "support/value_random.h"
#include "value/json.h"
#include "value/orderstamp.h"
#include "value/path.h"
#include "value/rich.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int load(void **state) {
    char path[1024];
    json_error_t error;
    (void)snprintf(path, sizeof path, "%s/tests/vectors/value.json", GOAT_TEST_ROOT);
    *state = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (*state == NULL) {
        print_error("%s:%d: %s\n", path, error.line, error.text);
        return 1;
    }
    return 0;
}

static int unload(void **state) {
    json_decref(*state);
    return 0;
}

/* The cases of a part; there are at least `least`. */
static json_t *part(void **state, const char *name, size_t least) {
    json_t *cases = json_object_get(*state, name);
    assert_true(json_array_size(cases) >= least);
    return cases;
}

static const char *word(json_t *one, const char *name) { return json_string_value(json_object_get(one, name)); }

/* Under "text" or "text_hex", in memory of exactly its size; end it with free(). */
static gt_bytes text_of(json_t *one) {
    json_t *text = json_object_get(one, "text");
    gt_buf buf;
    gt_buf_init(&buf, &gt_alloc_system);
    if (text != NULL) {
        gt_buf_append(&buf, json_string_value(text), json_string_length(text));
    } else {
        hex_append(&buf, word(one, "text_hex"));
    }
    uint8_t *copy = malloc(buf.len == 0 ? 1 : buf.len);
    assert_non_null(copy);
    if (buf.len > 0) {
        memcpy(copy, buf.data, buf.len);
    }
    gt_bytes result = gt_bytes_of(copy, buf.len);
    gt_buf_free(&buf);
    return result;
}

static void text_free(gt_bytes text) { free((void *)(uintptr_t)text.data); }

static gt_kind kind_of(json_t *one) {
    static const gt_kind kinds[] = {GT_KIND_DATE, GT_KIND_BYTES, GT_KIND_REF, GT_KIND_SET};
    static const char *const names[] = {"date", "bytes", "ref", "set"};
    const char *name = word(one, "kind");
    for (size_t i = 0; name != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            return kinds[i];
        }
    }
    assert_null(name);
    return GT_KIND_ANY;
}

static void assert_hex(gt_buf *out, const char *hex, const char *what) {
    gt_buf expected = hex_buf(hex);
    if (!gt_bytes_equal(gt_buf_bytes(out), gt_buf_bytes(&expected))) {
        fail_msg("%s: not %s", what, hex);
    }
    gt_buf_free(&expected);
}

static void assert_text(gt_buf *out, const char *text) {
    if (!gt_bytes_equal(gt_buf_bytes(out), gt_bytes_text(text))) {
        fail_msg("%.*s is not %s", (int)out->len, (const char *)out->data, text);
    }
}

static void assert_refused(json_t *one, goat_status status, const gt_diag *diag, const char *what) {
    const char *expected = word(one, "status") == NULL ? "GOAT_INVALID" : word(one, "status");
    json_int_t position = json_integer_value(json_object_get(one, "position"));
    if (strcmp(gt_status_name(status), expected) != 0 || diag->position != (uint64_t)position) {
        fail_msg("%s: %s at %lld: %s", what, gt_status_name(status), (long long)diag->position, diag->message);
    }
}

static void values_are_read_and_written_both_ways(void **state) {
    size_t i;
    json_t *one;
    json_array_foreach(part(state, "values", 120), i, one) {
        const char *hex = word(one, "hex");
        gt_buf value = hex_buf(hex), out;
        gt_buf_init(&out, &gt_alloc_system);
        assert_int_equal(gt_value_check(gt_buf_bytes(&value), 0, NULL), GOAT_OK);
        value_rewrite(gt_buf_bytes(&value), &out);
        assert_hex(&out, hex, "written anew");
        gt_buf_clear(&out);
        assert_int_equal(gt_value_to_json_text(gt_buf_bytes(&value), &out, NULL), GOAT_OK);
        assert_text(&out, word(one, "json"));
        gt_buf_clear(&out);
        assert_int_equal(gt_value_from_json_text(gt_bytes_text(word(one, "json")), &out, NULL), GOAT_OK);
        assert_hex(&out, hex, word(one, "json"));
        gt_buf_free(&out);
        gt_buf_free(&value);
    }
}

static void bytes_that_are_no_value_are_refused(void **state) {
    size_t i;
    json_t *one;
    json_array_foreach(part(state, "refused", 200), i, one) {
        gt_buf value = hex_buf(word(one, "hex"));
        gt_diag diag;
        gt_diag_init(&diag);
        assert_refused(one, gt_value_check(gt_buf_bytes(&value), 0, &diag), &diag, word(one, "hex"));
        assert_non_null(strstr(diag.message, word(one, "reason")));
        gt_buf_free(&value);
    }
}

static void texts_are_taken(void **state) {
    size_t i;
    json_t *one;
    json_array_foreach(part(state, "texts", 200), i, one) {
        gt_bytes text = text_of(one);
        gt_diag diag;
        gt_buf out;
        gt_buf_init(&out, &gt_alloc_system);
        gt_diag_init(&diag);
        if (gt_value_from_json_text_as(text, kind_of(one), &out, &diag) != GOAT_OK) {
            fail_msg("%.*s: %s at %lld", (int)text.len, (const char *)text.data, diag.message,
                     (long long)diag.position);
        }
        assert_hex(&out, word(one, "hex"), word(one, "text"));
        assert_int_equal(gt_value_check(gt_buf_bytes(&out), 0, NULL), GOAT_OK);
        gt_buf_free(&out);
        text_free(text);
    }
}

static void other_texts_are_refused(void **state) {
    size_t i;
    json_t *one;
    json_array_foreach(part(state, "refused_texts", 300), i, one) {
        gt_bytes text = text_of(one);
        gt_diag diag;
        gt_buf out;
        gt_buf_init(&out, &gt_alloc_system);
        gt_buf_append(&out, "before", 6);
        gt_diag_init(&diag);
        goat_status status = gt_value_from_json_text_as(text, kind_of(one), &out, &diag);
        const char *shown = word(one, "text") != NULL ? word(one, "text") : word(one, "text_hex");
        assert_refused(one, status, &diag, shown);
        assert_true(strlen(diag.message) > 0);
        assert_text(&out, "before");
        gt_buf_free(&out);
        text_free(text);
    }
}

static void plain_forms_are_read_and_written(void **state) {
    size_t i;
    json_t *one;
    json_array_foreach(part(state, "plain", 10), i, one) {
        gt_buf value = hex_buf(word(one, "hex")), out;
        gt_buf_init(&out, &gt_alloc_system);
        assert_int_equal(gt_value_to_json_text_as(gt_buf_bytes(&value), kind_of(one), &out, NULL), GOAT_OK);
        assert_text(&out, word(one, "json"));
        gt_buf_free(&out);
        gt_buf_free(&value);
    }
}

static void values_are_in_order(void **state) {
    enum { MAX = 200 };
    gt_buf values[MAX];
    size_t lines[MAX], count = 0, line, i;
    json_t *equals, *one;
    json_array_foreach(part(state, "ascending", 50), line, equals) {
        json_array_foreach(equals, i, one) {
            assert_true(count < MAX);
            lines[count] = line;
            values[count++] = hex_buf(json_string_value(one));
        }
    }
    for (size_t a = 0; a < count; a++) {
        for (size_t b = 0; b < count; b++) {
            int order = gt_value_compare(gt_buf_bytes(&values[a]), gt_buf_bytes(&values[b]));
            assert_int_equal((order > 0) - (order < 0), (lines[a] > lines[b]) - (lines[a] < lines[b]));
        }
    }
    for (size_t a = 0; a < count; a++) {
        gt_buf_free(&values[a]);
    }
}

static void paths_are_taken_apart(void **state) {
    size_t i;
    json_t *one;
    json_array_foreach(part(state, "paths", 8), i, one) {
        gt_bytes text = text_of(one);
        gt_path path;
        assert_int_equal(gt_path_parse(text, &path, NULL), GOAT_OK);
        json_t *parts = json_object_get(one, "parts");
        gt_bytes found[] = {path.type, path.name, path.key};
        assert_int_equal(json_array_size(parts), path.key.data == NULL ? 2 : 3);
        for (size_t p = 0; p < json_array_size(parts); p++) {
            json_t *expected = json_array_get(parts, p);
            assert_true(
                gt_bytes_equal(found[p], gt_bytes_of(json_string_value(expected), json_string_length(expected))));
        }
        text_free(text);
    }
    json_array_foreach(part(state, "refused_paths", 25), i, one) {
        gt_bytes text = text_of(one);
        gt_path path;
        gt_diag diag;
        gt_diag_init(&diag);
        assert_refused(one, gt_path_parse(text, &path, &diag), &diag, word(one, "reason"));
        text_free(text);
    }
}

static void stamps_are_taken_and_in_order(void **state) {
    size_t i;
    json_t *one;
    gt_bytes last = gt_bytes_of(NULL, 0);
    json_array_foreach(part(state, "stamps", 30), i, one) {
        gt_bytes text = gt_bytes_text(word(one, "text"));
        assert_null(gt_orderstamp_fault(text, NULL));
        assert_true(gt_bytes_compare(last, text) < 0);
        last = text;
    }
    json_array_foreach(part(state, "refused_stamps", 15), i, one) {
        gt_bytes text = text_of(one);
        size_t position = 999;
        const char *fault = gt_orderstamp_fault(text, &position);
        assert_non_null(fault);
        assert_non_null(strstr(fault, word(one, "reason")));
        assert_int_equal(position, json_integer_value(json_object_get(one, "position")));
        text_free(text);
    }
}

static void rich_texts_are_in_their_one_form(void **state) {
    size_t i;
    uint64_t position;
    json_t *one;
    json_array_foreach(part(state, "richtexts", 9), i, one) {
        gt_buf document = hex_buf(word(one, "hex")), made, plain;
        gt_bytes text = gt_bytes_text(word(one, "plain"));
        gt_rich_writer writer;
        gt_rich_piece piece;
        assert_null(gt_rich_fault(gt_buf_bytes(&document), true, &position));
        assert_int_equal(gt_rich_count(gt_buf_bytes(&document)), json_integer_value(json_object_get(one, "elements")));
        gt_buf_init(&plain, &gt_alloc_system);
        gt_rich_plain(gt_buf_bytes(&document), &plain);
        assert_true(gt_bytes_equal(gt_buf_bytes(&plain), text));
        gt_buf_init(&made, &gt_alloc_system);
        gt_rich_writer_init(&writer, &made);
        for (gt_iter iter = gt_rich_iter(gt_buf_bytes(&document)); gt_rich_next(&iter, &piece);) {
            while (piece.count > 0) { /* element by element, it is put together again */
                gt_rich_piece element = gt_rich_take(&piece, 1);
                gt_rich_put(&writer, &element);
            }
        }
        gt_rich_writer_end(&writer);
        assert_true(gt_bytes_equal(gt_buf_bytes(&made), gt_buf_bytes(&document)));
        gt_buf_free(&made);
        gt_buf_free(&plain);
        gt_buf_free(&document);
    }
    json_array_foreach(part(state, "refused_richtexts", 15), i, one) {
        gt_buf document = hex_buf(word(one, "hex"));
        const char *fault = gt_rich_fault(gt_buf_bytes(&document), true, &position);
        assert_non_null(fault);
        assert_non_null(strstr(fault, word(one, "reason")));
        assert_int_equal(position, json_integer_value(json_object_get(one, "position")));
        gt_buf_free(&document);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_read_and_written_both_ways),
        cmocka_unit_test(bytes_that_are_no_value_are_refused),
        cmocka_unit_test(texts_are_taken),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(plain_forms_are_read_and_written),
        cmocka_unit_test(values_are_in_order),
        cmocka_unit_test(paths_are_taken_apart),
        cmocka_unit_test(stamps_are_taken_and_in_order),
        cmocka_unit_test(rich_texts_are_in_their_one_form),
    };
    return cmocka_run_group_tests_name("value_vectors", tests, load, unload);
}
