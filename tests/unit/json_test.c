/* core/value/json.h: documents by their fields, limits, what edits hold, lack of memory. Which texts are taken and
 * what they become: value_vectors_test.c. */
#include "support/test.h"

#include "support/test_alloc.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/json.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

/* Fields are wanted as their names say. */
static gt_kind kind_by_name(void *context, gt_bytes name) {
    (void)context;
    static const struct {
        const char *name;
        gt_kind kind;
    } kinds[] = {{"due", GT_KIND_DATE},
                 {"raw", GT_KIND_BYTES},
                 {"tags", GT_KIND_SET},
                 {"owner", GT_KIND_REF},
                 {"title", GT_KIND_TEXT}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (gt_bytes_equal(name, gt_bytes_text(kinds[i].name))) {
            return kinds[i].kind;
        }
    }
    return GT_KIND_ANY;
}

static const gt_json_shape shape = {kind_by_name, NULL, NULL};

static gt_buf new_buf(void) {
    gt_buf buf;
    gt_buf_init(&buf, &gt_alloc_system);
    return buf;
}

static void assert_text(gt_buf *out, const char *text) {
    if (!gt_bytes_equal(gt_buf_bytes(out), gt_bytes_text(text))) {
        fail_msg("%.*s is not %s", (int)out->len, (const char *)out->data, text);
    }
    gt_buf_clear(out);
}

/* A document in, as notation, and out again. */
static void assert_fields(const char *text, const char *notation, const char *written) {
    gt_buf value = new_buf(), out = new_buf();
    gt_diag diag;
    gt_diag_init(&diag);
    if (gt_fields_from_json_text(gt_bytes_text(text), &shape, &value, &diag) != GOAT_OK) {
        fail_msg("%s: %s", text, diag.message);
    }
    assert_value(gt_buf_bytes(&value), notation);
    assert_int_equal(gt_fields_to_json_text(gt_buf_bytes(&value), &shape, &out, NULL), GOAT_OK);
    assert_text(&out, written);
    gt_buf_clear(&value);
    assert_int_equal(gt_fields_from_json_text(gt_bytes_text(written), &shape, &value, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&value), notation);
    gt_buf_free(&value);
    gt_buf_free(&out);
}

static void fields_are_plain_where_their_kind_is_known(void **state) {
    (void)state;
    assert_fields("{}", "{}", "{}");
    assert_fields("{\"due\": \"1970-01-01T00:00:01Z\", \"raw\": \"AP8=\", \"tags\": [2, 1], \"owner\": \"/a/b/c\"}",
                  "{due: date(1000), raw: bytes(00ff), tags: set[1, 2], owner: ref('/a/b/c')}",
                  "{\"due\":\"1970-01-01T00:00:01Z\",\"raw\":\"AP8=\",\"tags\":[1,2],\"owner\":\"/a/b/c\"}");
    /* Wrapped forms are taken, too, and written plainly. */
    assert_fields("{\"due\": {\"$date\": \"1970-01-01T00:00:01Z\"}, \"tags\": {\"$set\": [1]}}",
                  "{due: date(1000), tags: set[1]}", "{\"due\":\"1970-01-01T00:00:01Z\",\"tags\":[1]}");
    /* Values of other kinds are what they are; schemas refuse them later. */
    assert_fields(
        "{\"due\": 5, \"raw\": null, \"tags\": \"x\", \"owner\": {\"a\": 1}, \"title\": {\"$ref\": \"/a/b/c\"}}",
        "{due: 5, raw: null, tags: 'x', owner: {a: 1}, title: ref('/a/b/c')}",
        "{\"due\":5,\"raw\":null,\"tags\":\"x\",\"owner\":{\"a\":1},\"title\":{\"$ref\":\"/a/b/c\"}}");
    /* Only a field itself is plain, not what is in it. */
    assert_fields("{\"tags\": [[\"AP8=\"], {\"due\": \"1970\"}]}", "{tags: set[['AP8='], {due: '1970'}]}",
                  "{\"tags\":[[\"AP8=\"],{\"due\":\"1970\"}]}");
}

static void a_document_is_never_a_wrapped_form(void **state) {
    (void)state;
    assert_fields("{\"$date\": 1}", "{'$date': 1}", "{\"$date\":1}");
    assert_fields("{\"$$set\": [1]}", "{'$$set': [1]}", "{\"$$set\":[1]}");
    assert_fields("{\"x\": {\"$$set\": [1]}}", "{x: {'$set': [1]}}", "{\"x\":{\"$$set\":[1]}}");
}

static void a_fault_names_its_field(void **state) {
    (void)state;
    static const struct {
        const char *text, *field;
        uint64_t position;
    } cases[] = {
        {"{\"title\": 1, \"due\": \"soon\"}", "due", 20},
        {"{\"tags\": [1, {\"$date\": \"no\"}]}", "tags", 23},
        {"{ \"x\" : { \"y\" : { \"$bytes\" : 1 } } }", "x", 29},
        {"[1]", "", 0},
        {" null", "", 1},
        {"{\"title\": 1, \"due\"}", "", 18},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gt_buf out = new_buf();
        gt_diag diag;
        gt_diag_init(&diag);
        assert_int_equal(gt_fields_from_json_text(gt_bytes_text(cases[i].text), &shape, &out, &diag), GOAT_INVALID);
        assert_string_equal(diag.field, cases[i].field);
        assert_int_equal(diag.position, cases[i].position);
        assert_int_equal(out.len, 0);
        gt_buf_free(&out);
    }
}

static void a_tree_is_read_without_positions(void **state) {
    (void)state;
    json_t *tree = json_pack("{s:[i,b], s:s}", "a", 1, 1, "due", "1970-01-01T00:00:00Z");
    gt_buf out = new_buf();
    gt_diag diag;
    assert_int_equal(gt_value_from_json(tree, &out, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&out), "{a: [1, true], due: '1970-01-01T00:00:00Z'}");
    gt_buf_clear(&out);
    assert_int_equal(gt_fields_from_json(tree, &shape, &out, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&out), "{a: [1, true], due: date(0)}");
    gt_buf_clear(&out);
    assert_int_equal(gt_value_from_json_as(json_object_get(tree, "a"), GT_KIND_SET, &out, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&out), "set[1, true]");
    gt_buf_clear(&out);
    gt_diag_init(&diag);
    assert_int_equal(gt_value_from_json_as(json_object_get(tree, "due"), GT_KIND_REF, &out, &diag), GOAT_INVALID);
    assert_true(diag.position == GT_NO_POSITION);
    json_decref(tree);
    gt_buf_free(&out);
}

static void members_are_written_without_braces(void **state) {
    (void)state;
    gt_buf out = new_buf();
    gt_bytes map = test_value("{due: date(0), x: date(0)}"), empty = test_value("{}");
    assert_int_equal(gt_members_to_json_text(map, &shape, &out, NULL), GOAT_OK);
    assert_text(&out, "\"x\":{\"$date\":\"1970-01-01T00:00:00Z\"},\"due\":\"1970-01-01T00:00:00Z\"");
    assert_int_equal(gt_members_to_json_text(empty, &shape, &out, NULL), GOAT_OK);
    assert_int_equal(out.len, 0);
    test_value_free(map);
    test_value_free(empty);
    gt_buf_free(&out);
}

static void what_only_edits_hold_has_no_json(void **state) {
    (void)state;
    static const char *const edits[] = {"undefined", "{a: undefined}", "{0: true}", "{a: {0: set[1]}}",
                                        "[1, {b: undefined}]"};
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        gt_buf out = new_buf();
        gt_bytes edit = test_value(edits[i]);
        gt_buf_append(&out, "before", 6);
        assert_int_equal(gt_value_to_json_text(edit, &out, NULL), GOAT_INVALID);
        assert_text(&out, "before");
        test_value_free(edit);
        gt_buf_free(&out);
    }
}

static void long_strings_are_escaped(void **state) {
    (void)state;
    enum { LEN = 5000 };
    gt_buf text = new_buf(), json = new_buf(), value = new_buf();
    for (size_t at = 0; at < 40; at++) { /* every place in the eight bytes that are looked at together */
        gt_buf_clear(&text);
        gt_buf_clear(&json);
        gt_buf_clear(&value);
        for (size_t i = 0; i < LEN; i++) {
            gt_buf_append_byte(&text,
                               i % 40 != at ? (uint8_t)('a' + i % 26) : (uint8_t) "\"\\\n\x01\x1f\x00\x7f"[i / 40 % 7]);
        }
        gt_write_text(&value, gt_buf_bytes(&text));
        assert_int_equal(gt_value_to_json_text(gt_buf_bytes(&value), &json, NULL), GOAT_OK);
        gt_buf_clear(&text);
        gt_json_write_string(&text, gt_bytes_of(value.data + 3, LEN));
        assert_true(gt_bytes_equal(gt_buf_bytes(&text), gt_buf_bytes(&json)));
        gt_buf_clear(&text);
        assert_int_equal(gt_value_from_json_text(gt_buf_bytes(&json), &text, NULL), GOAT_OK);
        assert_true(gt_bytes_equal(gt_buf_bytes(&text), gt_buf_bytes(&value)));
    }
    gt_buf_free(&text);
    gt_buf_free(&json);
    gt_buf_free(&value);
}

/* ---- limits ---- */

static goat_status read_status(gt_bytes text, uint64_t *position) {
    gt_buf out = new_buf();
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_value_from_json_text(text, &out, &diag);
    *position = diag.position;
    gt_buf_free(&out);
    return status;
}

static void a_value_of_more_than_16_mib_is_refused(void **state) {
    (void)state;
    enum { STRING_MAX = GOAT_VALUE_MAX - 5 };
    uint64_t position;
    char *text = malloc(GOAT_VALUE_MAX + 16);
    assert_non_null(text);
    memset(text, 'x', GOAT_VALUE_MAX + 16);
    text[0] = '"';
    text[1 + STRING_MAX] = '"';
    assert_int_equal(read_status(gt_bytes_of(text, STRING_MAX + 2), &position), GOAT_OK);
    text[1 + STRING_MAX] = 'x';
    text[2 + STRING_MAX] = '"';
    assert_int_equal(read_status(gt_bytes_of(text, STRING_MAX + 3), &position), GOAT_TOO_LARGE);
    assert_int_equal(position, 0);
    free(text);
}

static void more_values_than_fit_are_refused_before_they_are_parsed(void **state) {
    (void)state;
    size_t len = 2 * (size_t)GOAT_VALUE_MAX + 4;
    uint64_t position;
    char *text = malloc(len);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++) {
        text[i] = i == 0 ? '[' : i == len - 1 ? ']' : i % 2 == 1 ? '1' : ',';
    }
    assert_int_equal(read_status(gt_bytes_of(text, len), &position), GOAT_TOO_LARGE);
    assert_int_equal(position, 2 * (size_t)GOAT_VALUE_MAX);
    free(text);
}

static void the_length_of_a_text_is_limited(void **state) {
    (void)state;
    uint64_t position;
    char *text = malloc(GT_JSON_TEXT_MAX + 1);
    assert_non_null(text);
    memset(text, ' ', GT_JSON_TEXT_MAX + 1);
    text[0] = '1';
    assert_int_equal(read_status(gt_bytes_of(text, GT_JSON_TEXT_MAX), &position), GOAT_OK);
    assert_int_equal(read_status(gt_bytes_of(text, GT_JSON_TEXT_MAX + 1), &position), GOAT_TOO_LARGE);
    assert_int_equal(position, GT_JSON_TEXT_MAX);
    free(text);
}

static void depth_is_limited_in_documents(void **state) {
    (void)state;
    for (int layers = 60; layers <= 2060; layers += layers < 70 ? 1 : 199) { /* 2,048 is jansson's own limit */
        gt_buf text = new_buf(), out = new_buf();
        gt_diag diag;
        gt_diag_init(&diag);
        gt_buf_append(&text, "{\"a\":", 5);
        for (int i = 1; i < layers; i++) {
            gt_buf_append_byte(&text, '[');
        }
        for (int i = 1; i < layers; i++) {
            gt_buf_append_byte(&text, ']');
        }
        gt_buf_append(&text, layers == 1 ? "1}" : "}", 1);
        goat_status status = gt_fields_from_json_text(gt_buf_bytes(&text), &shape, &out, &diag);
        assert_int_equal(status, layers <= GOAT_VALUE_DEPTH_MAX ? GOAT_OK : GOAT_TOO_LARGE);
        if (status != GOAT_OK) {
            assert_int_equal(diag.position, 5 + GOAT_VALUE_DEPTH_MAX - 1);
        }
        gt_buf_free(&text);
        gt_buf_free(&out);
    }
}

/* What was closed again does not count. */
static void depth_is_counted_where_jansson_gives_up(void **state) {
    (void)state;
    gt_buf text = new_buf();
    uint64_t position;
    gt_buf_append(&text, "[[],{\"[\":[]},", 13);
    for (int i = 0; i < 2100; i++) {
        gt_buf_append_byte(&text, '[');
    }
    assert_int_equal(read_status(gt_buf_bytes(&text), &position), GOAT_TOO_LARGE);
    assert_int_equal(position, 13 + GOAT_VALUE_DEPTH_MAX - 1);
    text.data[8] = 'x'; /* a fault before it comes first */
    assert_int_equal(read_status(gt_buf_bytes(&text), &position), GOAT_INVALID);
    assert_int_equal(position, 8);
    gt_buf_free(&text);
}

static void the_locale_does_not_matter(void **state) {
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8", "C.UTF-8", "C"};
    for (size_t i = 0; i < sizeof locales / sizeof locales[0]; i++) {
        if (setlocale(LC_ALL, locales[i]) == NULL) {
            continue;
        }
        gt_buf out = new_buf(), text = new_buf();
        assert_int_equal(gt_value_from_json_text(gt_bytes_text("[1.5,0.1,1e300]"), &out, NULL), GOAT_OK);
        assert_value(gt_buf_bytes(&out), "[1.5, 0.1, 1e300]");
        assert_int_equal(gt_value_to_json_text(gt_buf_bytes(&out), &text, NULL), GOAT_OK);
        assert_text(&text, "[1.5,0.1,1e+300]");
        gt_buf_free(&out);
        gt_buf_free(&text);
    }
    setlocale(LC_ALL, "C");
}

/* ---- lack of memory ---- */

static const char difficult[] =
    "{\"z\":[3,{\"$set\":[\"b\",\"a\",{\"$set\":[2,1]}]},\"a longer text than most of them\"],"
    "\"key\\u0000with\":{\"$bytes\":\"AAEC\"},\"due\":\"1970-01-01T00:00:00Z\",\"n\":[1.5,2e10]}";

static void each_allocation_of_ours_fails_in_turn(void **state) {
    (void)state;
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        gt_buf out, text;
        test_alloc_init(&memory, k);
        gt_buf_init(&out, &memory.alloc);
        gt_buf_init(&text, &memory.alloc);
        goat_status status = gt_fields_from_json_text(gt_bytes_text(difficult), &shape, &out, NULL);
        assert_true(status == GOAT_OK || out.len == 0);
        if (status == GOAT_OK) {
            status = gt_fields_to_json_text(gt_buf_bytes(&out), &shape, &text, NULL);
            assert_true(status == GOAT_OK || text.len == 0);
        }
        gt_buf_free(&out);
        gt_buf_free(&text);
        test_alloc_assert_empty(&memory);
        assert_int_equal(status, memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
        if (!memory.failed) {
            assert_true(k > 3);
            break;
        }
    }
}

/* What jansson asks for goes past our allocator; its functions have no context. */
static test_alloc jansson_memory;
static void *jansson_malloc(size_t size) {
    return jansson_memory.alloc.resize(jansson_memory.alloc.context, NULL, size == 0 ? 1 : size);
}
static void jansson_free(void *pointer) {
    if (pointer != NULL) {
        jansson_memory.alloc.resize(jansson_memory.alloc.context, pointer, 0);
    }
}

static void each_allocation_of_jansson_fails_in_turn(void **state) {
    (void)state;
    static const char *const texts[] = {difficult,
                                        "\"a\"",
                                        "1",
                                        "1.5",
                                        "[]",
                                        "{\"a\":{\"a\":1}}",
                                        "{\"\\u0000\":{\"\\u0001\":1}}",
                                        "[1,2,3,4,5,6,7,8,9,10]",
                                        "[\"x\",{\"y\":\"\\u00fc\"}]"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (uint64_t k = 0;; k++) {
            gt_buf out = new_buf();
            gt_diag diag;
            gt_diag_init(&diag);
            test_alloc_init(&jansson_memory, k);
            json_set_alloc_funcs(jansson_malloc, jansson_free);
            goat_status status = gt_fields_from_json_text(gt_bytes_text(texts[i]), &shape, &out, &diag);
            bool is_object = texts[i][0] == '{', failed = jansson_memory.failed;
            json_set_alloc_funcs(malloc, free);
            test_alloc_assert_empty(&jansson_memory);
            assert_int_equal(status, failed ? GOAT_NO_MEMORY : is_object ? GOAT_OK : GOAT_INVALID);
            gt_buf_free(&out);
            if (!failed) {
                assert_true(k > 0);
                break;
            }
        }
    }
}

/* A wrong text is called wrong, or there was no memory to find out; never taken. */
static void wrong_texts_are_never_taken_for_lack_of_memory(void **state) {
    (void)state;
    static const char *const texts[] = {"{\"a\":\"b\"", "[1e999]", "[\"\\ud800\"]", "{\"\\u0000\":1,}",
                                        "[\"a\" \"b\"]"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (uint64_t k = 0;; k++) {
            gt_buf out = new_buf();
            test_alloc_init(&jansson_memory, k);
            json_set_alloc_funcs(jansson_malloc, jansson_free);
            goat_status status = gt_value_from_json_text(gt_bytes_text(texts[i]), &out, NULL);
            bool failed = jansson_memory.failed;
            json_set_alloc_funcs(malloc, free);
            test_alloc_assert_empty(&jansson_memory);
            assert_true(status == GOAT_INVALID || (failed && status == GOAT_NO_MEMORY));
            gt_buf_free(&out);
            if (!failed) {
                break;
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_plain_where_their_kind_is_known),
        cmocka_unit_test(a_document_is_never_a_wrapped_form),
        cmocka_unit_test(a_fault_names_its_field),
        cmocka_unit_test(a_tree_is_read_without_positions),
        cmocka_unit_test(members_are_written_without_braces),
        cmocka_unit_test(what_only_edits_hold_has_no_json),
        cmocka_unit_test(long_strings_are_escaped),
        cmocka_unit_test(a_value_of_more_than_16_mib_is_refused),
        cmocka_unit_test(more_values_than_fit_are_refused_before_they_are_parsed),
        cmocka_unit_test(the_length_of_a_text_is_limited),
        cmocka_unit_test(depth_is_limited_in_documents),
        cmocka_unit_test(depth_is_counted_where_jansson_gives_up),
        cmocka_unit_test(the_locale_does_not_matter),
        cmocka_unit_test(each_allocation_of_ours_fails_in_turn),
        cmocka_unit_test(each_allocation_of_jansson_fails_in_turn),
        cmocka_unit_test(wrong_texts_are_never_taken_for_lack_of_memory),
    };
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
