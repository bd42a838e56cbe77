/* Fields of items through the public interface: each type, wrong types, defaults and rules. */
#include "support/test.h"

#include "support/test_db.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define with_db(test) cmocka_unit_test_setup_teardown(test, test_db_setup, test_db_teardown)

static void each_type_is_read_as_it_was_set(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "Fe\xc3\xa4\0d");
    goat_buf buf = {0};
    bool flag = false;
    double number = 0;
    assert_ok(goat_item_set_text(item, TEXT("title"), TEXT("Fe\0d"), &error));
    assert_ok(goat_item_set_bool(item, TEXT("done"), true, &error));
    assert_ok(goat_item_set_number(item, TEXT("number"), -1.5, &error));
    assert_ok(goat_item_set_number(item, TEXT("date"), 1767225600123, &error));
    assert_ok(goat_item_set_bytes(item, TEXT("bytes"), (const uint8_t *)"\0\xff", 2, &error));
    assert_ok(goat_item_set_text(item, TEXT("ref"), TEXT("/data/tasks/2"), &error));
    assert_ok(goat_item_set(item, TEXT("list"), (const uint8_t *)"\x82\x01\xf6", 3, &error));
    for (int round = 0; round < 2; round++) { /* before and after the capture */
        test_db_assert_field(item, "list", "[1,null]");
        assert_ok(goat_item_get_text(item, TEXT("title"), &buf, &error));
        assert_int_equal(buf.size, 4);
        assert_memory_equal(buf.data, "Fe\0d", 5);
        assert_ok(goat_item_get_bool(item, TEXT("done"), &flag, &error));
        assert_true(flag);
        assert_ok(goat_item_get_number(item, TEXT("number"), &number, &error));
        assert_true(number == -1.5);
        assert_ok(goat_item_get_number(item, TEXT("date"), &number, &error));
        assert_true(number == 1767225600123);
        test_db_assert_field(item, "date", "\"2026-01-01T00:00:00.123Z\"");
        assert_ok(goat_item_get_bytes(item, TEXT("bytes"), &buf, &error));
        assert_int_equal(buf.size, 2);
        assert_memory_equal(buf.data, "\0\xff", 3);
        assert_ok(goat_item_get_text(item, TEXT("ref"), &buf, &error));
        assert_string_equal(buf.data, "/data/tasks/2");
        assert_ok(goat_item_get(item, TEXT("ref"), &buf, &error));
        assert_string_equal(test_db_json(&buf), "{\"$ref\":\"/data/tasks/2\"}");
        test_db_flush(f);
    }
    goat_buf_free(&buf);
    goat_item_free(item);
}

static void integers_cross_as_two_halves(void **state) {
    test_db *f = *state;
    static const struct {
        int64_t value;
        int32_t high;
        uint32_t low;
    } cases[] = {{0, 0, 0},
                 {1, 0, 1},
                 {-1, -1, UINT32_MAX},
                 {UINT32_MAX, 0, UINT32_MAX},
                 {INT64_C(1) << 32, 1, 0},
                 {-(INT64_C(1) << 32), -1, 0},
                 {(INT64_C(1) << 53) + 1, 1 << 21, 1},
                 {INT64_MAX, INT32_MAX, UINT32_MAX},
                 {INT64_MIN, INT32_MIN, 0},
                 {INT64_MIN + 1, INT32_MIN, 1}};
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    goat_buf buf = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static const char *fields[] = {"number", "counter"};
        for (int j = 0; j < 2; j++) {
            int32_t high = 0;
            uint32_t low = 0;
            char text[32];
            size_t len = strlen(fields[j]);
            assert_ok(goat_item_set_int(item, fields[j], len, cases[i].high, cases[i].low, &error));
            assert_ok(goat_item_get_int(item, fields[j], len, &high, &low, &error));
            assert_int_equal(high, cases[i].high);
            assert_int_equal(low, cases[i].low);
            snprintf(text, sizeof text, "%lld", (long long)cases[i].value);
            test_db_assert_field(item, fields[j], text);
        }
        if (i % 3 == 0) test_db_flush(f);
    }
    goat_buf_free(&buf);
    goat_item_free(item);
}

static void a_whole_double_is_an_integer_a_fraction_is_not(void **state) {
    test_db *f = *state;
    int32_t high = 0;
    uint32_t low = 0;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_item_set_number(item, TEXT("number"), 0x1p60, &error));
    assert_ok(goat_item_get_int(item, TEXT("number"), &high, &low, &error));
    assert_int_equal(high, 1 << 28);
    assert_int_equal(low, 0);
    assert_ok(goat_item_set_number(item, TEXT("number"), 0x1p63, &error));
    assert_fails(GOAT_WRONG_TYPE, goat_item_get_int(item, TEXT("number"), &high, &low, &error));
    assert_ok(goat_item_set_number(item, TEXT("number"), -0x1p63, &error));
    assert_ok(goat_item_get_int(item, TEXT("number"), &high, &low, &error));
    assert_int_equal(high, INT32_MIN);
    assert_ok(goat_item_set_number(item, TEXT("number"), 2.5, &error));
    assert_fails(GOAT_WRONG_TYPE, goat_item_get_int(item, TEXT("number"), &high, &low, &error));
    assert_int_equal(high, 0);
    goat_item_free(item);
}

static void an_unset_field_reads_as_its_default_or_not_at_all(void **state) {
    test_db *f = *state;
    bool flag = true;
    double number = 1;
    goat_error *why = NULL;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_item_get_bool(item, TEXT("done"), &flag, &error));
    assert_false(flag);
    assert_int_equal(goat_item_get_number(item, TEXT("number"), &number, &why), GOAT_NOT_FOUND);
    assert_true(number == 0);
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_PATH), "/data/tasks/1");
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_FIELD), "number");
    goat_error_free(why);
    assert_ok(goat_item_set_number(item, TEXT("number"), 3, &error));
    test_db_assert_field(item, "number", "3");
    assert_ok(goat_item_unset(item, TEXT("number"), &error));
    test_db_assert_field(item, "number", NULL);
    test_db_flush(f);
    test_db_assert_field(item, "number", NULL);
    test_db_assert_item(item, "{\"done\":false,\"title\":\"one\"}");
    goat_item_free(item);
}

static void a_field_of_another_type_is_refused(void **state) {
    test_db *f = *state;
    goat_buf buf = {0};
    bool flag;
    double number;
    int32_t high;
    uint32_t low;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
#define wrong(call) assert_fails(GOAT_WRONG_TYPE, call)
    wrong(goat_item_get_bool(item, TEXT("title"), &flag, &error));
    wrong(goat_item_get_number(item, TEXT("title"), &number, &error));
    wrong(goat_item_get_int(item, TEXT("title"), &high, &low, &error));
    wrong(goat_item_get_text(item, TEXT("done"), &buf, &error));
    wrong(goat_item_get_bytes(item, TEXT("title"), &buf, &error));
    wrong(goat_item_set_bool(item, TEXT("title"), true, &error));
    wrong(goat_item_set_number(item, TEXT("title"), 1, &error));
    wrong(goat_item_set_int(item, TEXT("date"), 0, 1, &error));
    wrong(goat_item_set_text(item, TEXT("number"), TEXT("1"), &error));
    wrong(goat_item_set_bytes(item, TEXT("title"), (const uint8_t *)"a", 1, &error));
    wrong(goat_item_set(item, TEXT("title"), (const uint8_t *)"\x01", 1, &error));
    wrong(goat_item_set_json(item, TEXT("title"), TEXT("1"), &error));
    wrong(goat_item_add(item, TEXT("title"), (const uint8_t *)"\x01", 1, &error));
    wrong(goat_item_remove(item, TEXT("title"), (const uint8_t *)"\x01", 1, &error));
    wrong(goat_item_put(item, TEXT("title"), TEXT("k"), (const uint8_t *)"\x01", 1, &error));
    wrong(goat_item_increment(item, TEXT("title"), 0, 1, &error));
#undef wrong
    test_db_assert_item(item, "{\"done\":false,\"title\":\"one\"}");
    goat_item_free(item);
}

static void a_field_that_the_schema_does_not_have_is_invalid(void **state) {
    test_db *f = *state;
    goat_buf buf = {0};
    goat_error *why = NULL;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_int_equal(goat_item_get(item, TEXT("colour"), &buf, &why), GOAT_INVALID);
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_FIELD), "colour");
    goat_error_free(why);
    assert_fails(GOAT_INVALID, goat_item_get_json(item, TEXT("\xff"), &buf, &error));
    assert_fails(GOAT_INVALID, goat_item_set_number(item, TEXT("colour"), 1, &error));
    assert_fails(GOAT_INVALID, goat_item_set_text(item, TEXT(""), TEXT("a"), &error));
    assert_fails(GOAT_INVALID, goat_item_unset(item, TEXT("colour"), &error));
    goat_item_free(item);
}

static void a_value_that_breaks_a_rule_is_refused_at_once(void **state) {
    test_db *f = *state;
    goat_error *why = NULL;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_int_equal(goat_item_set_text(item, TEXT("title"), TEXT("a\xff"), &why), GOAT_INVALID);
    assert_true(goat_error_position(why) == 1);
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_FIELD), "title");
    goat_error_free(why);
    why = NULL;
    assert_int_equal(goat_item_set(item, TEXT("number"), (const uint8_t *)"\x18\x05", 2, &why), GOAT_INVALID);
    assert_true(goat_error_position(why) == 0);
    goat_error_free(why);
    assert_fails(GOAT_INVALID, goat_item_set_number(item, TEXT("size"), 101, &error));
    assert_fails(GOAT_INVALID, goat_item_set_number(item, TEXT("number"), (double)NAN, &error));
    assert_fails(GOAT_INVALID, goat_item_set_number(item, TEXT("number"), (double)INFINITY, &error));
    assert_fails(GOAT_INVALID, goat_item_set_number(item, TEXT("date"), 0.5, &error));
    assert_fails(GOAT_INVALID, goat_item_set_number(item, TEXT("date"), 1e300, &error));
    assert_fails(GOAT_INVALID, goat_item_set_number(item, TEXT("date"), (double)NAN, &error));
    assert_fails(GOAT_INVALID, goat_item_set_text(item, TEXT("ref"), TEXT("no path"), &error));
    assert_fails(GOAT_INVALID, goat_item_set_json(item, TEXT("number"), TEXT("1,"), &error));
    assert_fails(GOAT_INVALID, goat_item_set_json(item, TEXT("date"), TEXT("\"yesterday\""), &error));
    assert_fails(GOAT_INVALID, goat_item_put(item, TEXT("map"), TEXT("\xff"), (const uint8_t *)"\x01", 1, &error));
    assert_fails(GOAT_INVALID, goat_item_put(item, TEXT("map"), TEXT("k"), (const uint8_t *)"\x01\x01", 2, &error));
    assert_fails(GOAT_INVALID, goat_item_add(item, TEXT("set"), (const uint8_t *)"", 0, &error));
    assert_fails(GOAT_INVALID, goat_item_replace(item, (const uint8_t *)"\x80", 1, &error));
    test_db_assert_item(item, "{\"done\":false,\"title\":\"one\"}");
    goat_item_free(item);
}

static void an_empty_text_needs_no_pointer(void **state) {
    test_db *f = *state;
    goat_buf buf = {0};
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_item_set_text(item, TEXT("title"), NULL, 0, &error));
    assert_ok(goat_item_set_bytes(item, TEXT("bytes"), NULL, 0, &error));
    assert_ok(goat_item_get_text(item, TEXT("title"), &buf, &error));
    assert_int_equal(buf.size, 0);
    assert_string_equal(buf.data, "");
    assert_ok(goat_item_get_bytes(item, TEXT("bytes"), &buf, &error));
    assert_int_equal(buf.size, 0);
    goat_buf_free(&buf);
    goat_item_free(item);
}

static void a_long_text_is_as_good_as_a_short_one(void **state) {
    test_db *f = *state;
    static char text[70000];
    goat_buf buf = {0};
    memset(text, 'x', sizeof text);
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    for (size_t len = 230; len < 260; len++) { /* around the size that lies on the stack */
        assert_ok(goat_item_set_text(item, TEXT("title"), text, len, &error));
        assert_ok(goat_item_get_text(item, TEXT("title"), &buf, &error));
        assert_int_equal(buf.size, len);
    }
    assert_ok(goat_item_set_bytes(item, TEXT("bytes"), (const uint8_t *)text, sizeof text, &error));
    assert_ok(goat_item_get_bytes(item, TEXT("bytes"), &buf, &error));
    assert_int_equal(buf.size, sizeof text);
    assert_memory_equal(buf.data, text, sizeof text);
    assert_fails(GOAT_INVALID, goat_item_set_text(item, TEXT("title"), text, 1001, &error)); /* max_length */
    goat_buf_free(&buf);
    goat_item_free(item);
}

static void collections_are_edited_in_place(void **state) {
    test_db *f = *state;
    const uint8_t *one = (const uint8_t *)"\x01", *two = (const uint8_t *)"\x02";
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_item_add(item, TEXT("set"), two, 1, &error));
    assert_ok(goat_item_add(item, TEXT("set"), one, 1, &error));
    test_db_assert_field(item, "set", "[1,2]");
    assert_ok(goat_item_remove(item, TEXT("set"), two, 1, &error));
    assert_ok(goat_item_put(item, TEXT("map"), TEXT("a"), one, 1, &error));
    assert_ok(goat_item_put(item, TEXT("map"), NULL, 0, two, 1, &error)); /* an empty key */
    assert_ok(goat_item_increment(item, TEXT("counter"), 0, 5, &error));
    assert_ok(goat_item_increment(item, TEXT("counter"), -1, UINT32_MAX, &error)); /* less one */
    test_db_flush(f);
    test_db_assert_item(item, "{\"map\":{\"\":2,\"a\":1},\"set\":[1],\"done\":false,\"title\":\"one\",\"counter\":4}");
    assert_ok(goat_item_put(item, TEXT("map"), TEXT("a"), NULL, 0, &error));
    assert_ok(goat_item_increment(item, TEXT("counter"), INT32_MAX, UINT32_MAX, &error)); /* wraps around */
    test_db_assert_field(item, "map", "{\"\":2}");
    test_db_assert_field(item, "counter", "-9223372036854775805");
    goat_item_free(item);
}

/* A field is inside of its item, which is a value. */
static void a_field_is_less_deep_than_a_value(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    uint8_t nested[GOAT_VALUE_DEPTH_MAX];
    memset(nested, 0x81, sizeof nested);
    nested[sizeof nested - 1] = 0x80;
    const uint8_t *inner = nested + 1; /* one less */
    size_t len = sizeof nested;
    assert_fails(GOAT_TOO_LARGE, goat_item_set(item, TEXT("list"), nested, len, &error));
    assert_ok(goat_item_set(item, TEXT("list"), inner, len - 1, &error));
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_MEMORY, NULL, &error));
    assert_fails(GOAT_TOO_LARGE, goat_item_list_insert(item, TEXT("list"), 0, nested, len, &error));
    assert_ok(goat_item_list_insert(item, TEXT("list"), 0, inner, len - 1, &error));
    assert_fails(GOAT_TOO_LARGE, goat_item_list_set(item, TEXT("list"), 0, inner, len - 1, &error));
    assert_ok(goat_item_list_set(item, TEXT("list"), 0, inner + 1, len - 2, &error));
    assert_fails(GOAT_TOO_LARGE, goat_item_put(item, TEXT("map"), TEXT("k"), inner, len - 1, &error));
    assert_ok(goat_item_put(item, TEXT("map"), TEXT("k"), inner + 1, len - 2, &error));
    assert_fails(GOAT_TOO_LARGE, goat_item_add(item, TEXT("set"), inner + 1, len - 2, &error));
    assert_ok(goat_item_add(item, TEXT("set"), inner + 2, len - 3, &error));
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_MEMORY, NULL, &error));
    goat_item_free(item);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_db(each_type_is_read_as_it_was_set),
        with_db(integers_cross_as_two_halves),
        with_db(a_whole_double_is_an_integer_a_fraction_is_not),
        with_db(an_unset_field_reads_as_its_default_or_not_at_all),
        with_db(a_field_of_another_type_is_refused),
        with_db(a_field_that_the_schema_does_not_have_is_invalid),
        with_db(a_value_that_breaks_a_rule_is_refused_at_once),
        with_db(an_empty_text_needs_no_pointer),
        with_db(a_long_text_is_as_good_as_a_short_one),
        with_db(collections_are_edited_in_place),
        with_db(a_field_is_less_deep_than_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
