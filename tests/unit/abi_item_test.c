/* abi/: items, their fields in every form, transactions, and many edits at once. */
#include "support/test.h"

#include "base/utf8.h"
#include "commit/commit.h"
#include "support/test_db.h"
#include "value/value.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define with_db(test) cmocka_unit_test_setup_teardown(test, test_db_setup, test_db_teardown)

static uint32_t flags_of(goat_item *item) {
    uint32_t flags = 0;
    assert_ok(goat_item_state(item, &flags, &error));
    return flags;
}

static uint32_t revision_of(goat_item *item) {
    uint32_t revision = 0;
    assert_ok(goat_item_read(item, NULL, &revision, &error));
    return revision;
}

static void flush(test_db *f) { assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &error)); }

/* ---- Single fields ----------------------------------------------------------------------------- */

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
        flush(f);
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
        if (i % 3 == 0) flush(f);
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
    flush(f);
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
    flush(f);
    test_db_assert_item(item, "{\"map\":{\"\":2,\"a\":1},\"set\":[1],\"done\":false,\"title\":\"one\",\"counter\":4}");
    assert_ok(goat_item_put(item, TEXT("map"), TEXT("a"), NULL, 0, &error));
    assert_ok(goat_item_increment(item, TEXT("counter"), INT32_MAX, UINT32_MAX, &error)); /* wraps around */
    test_db_assert_field(item, "map", "{\"\":2}");
    test_db_assert_field(item, "counter", "-9223372036854775805");
    goat_item_free(item);
}

/* ---- Whole items ------------------------------------------------------------------------------- */

static void an_item_is_created_with_fields_or_a_random_key(void **state) {
    test_db *f = *state;
    goat_item *item = NULL, *other = NULL;
    goat_buf path = {0}, fields = test_db_value("{\"title\": \"two\", \"size\": 5}");
    assert_ok(
        goat_item_create(f->db, NULL, TEXT("/data/tasks"), TEXT("task"), fields.data, fields.size, &item, &error));
    test_db_assert_item(item, "{\"done\":false,\"size\":5,\"title\":\"two\"}");
    assert_ok(goat_item_path(item, &path, &error));
    assert_int_equal(strlen((char *)path.data), path.size);
    assert_int_equal(strncmp((char *)path.data, "/data/tasks/", 12), 0);
    assert_true(path.size > 12 + 15);
    assert_fails(GOAT_EXISTS,
                 goat_item_create(f->db, NULL, (char *)path.data, path.size, TEXT("task"), NULL, 0, &other, &error));
    assert_fails(GOAT_NO_SCHEMA,
                 goat_item_create(f->db, NULL, TEXT("/data/tasks/2"), TEXT("tusk"), NULL, 0, &other, &error));
    assert_fails(GOAT_CLOSED,
                 goat_item_create(f->db, NULL, TEXT("/data/other/2"), TEXT("task"), NULL, 0, &other, &error));
    assert_fails(GOAT_INVALID,
                 goat_item_create(f->db, NULL, TEXT("/data/tasks/\xc2\x9b"), TEXT("task"), NULL, 0, &other, &error));
    assert_fails(GOAT_INVALID, goat_item_create(f->db, NULL, TEXT("/data/tasks/2"), TEXT("task"),
                                                (const uint8_t *)"\x80", 1, &other, &error));
    goat_buf_free(&fields);
    fields = test_db_value("{\"size\": 101}");
    assert_fails(GOAT_INVALID, goat_item_create(f->db, NULL, TEXT("/data/tasks/2"), TEXT("task"), fields.data,
                                                fields.size, &other, &error));
    assert_null(other);
    assert_fails(GOAT_NOT_FOUND, goat_item_open(f->db, NULL, TEXT("/data/tasks/2"), &other, &error));
    goat_buf_free(&fields);
    goat_buf_free(&path);
    goat_item_free(item);
}

static void a_whole_item_is_read_with_a_revision(void **state) {
    test_db *f = *state;
    goat_buf value = {0};
    uint32_t first = 0, second = 0;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_item_read(item, &value, &first, &error));
    assert_string_equal(test_db_json(&value), "{\"done\":false,\"title\":\"one\"}");
    assert_ok(goat_item_set_bool(item, TEXT("done"), true, &error));
    assert_ok(goat_item_read(item, &value, &second, &error));
    assert_string_equal(test_db_json(&value), "{\"done\":true,\"title\":\"one\"}");
    assert_int_not_equal(first, second);
    assert_int_equal(revision_of(item), second);
    assert_ok(goat_item_set_bool(item, TEXT("done"), true, &error)); /* no edit */
    flush(f);
    second = revision_of(item);
    assert_ok(goat_item_read(item, &value, &first, &error));
    assert_int_equal(first, second);
    assert_string_equal(test_db_json(&value), "{\"done\":true,\"title\":\"one\"}"); /* the stored bytes */
    goat_buf_free(&value);
    goat_item_free(item);
}

static void required_fields_may_follow_but_must_come(void **state) {
    test_db *f = *state;
    goat_item *item = NULL;
    goat_error *why = NULL;
    assert_ok(goat_item_create(f->db, NULL, TEXT("/data/tasks/1"), TEXT("task"), NULL, 0, &item, &error));
    assert_int_equal(goat_item_check(item, &why), GOAT_INVALID);
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_RULE), "required");
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_FIELD), "title");
    goat_error_free(why);
    why = NULL;
    assert_int_equal(goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &why), GOAT_INVALID);
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_PATH), "/data/tasks/1");
    goat_error_free(why);
    assert_int_equal(flags_of(item), GOAT_ITEM_UNSAVED);
    assert_ok(goat_item_set_text(item, TEXT("title"), TEXT("one"), &error));
    assert_ok(goat_item_check(item, &error));
    flush(f);
    assert_int_equal(flags_of(item), 0);
    goat_item_free(item);
}

static void a_deleted_item_stays_readable_and_comes_back(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    flush(f);
    assert_ok(goat_item_delete(item, true, &error));
    assert_int_equal(flags_of(item), GOAT_ITEM_DELETED | GOAT_ITEM_UNSAVED);
    flush(f);
    assert_int_equal(flags_of(item), GOAT_ITEM_DELETED);
    test_db_assert_item(item, "{\"done\":false,\"title\":\"one\"}");
    goat_item *other = test_db_item(f->db, "/data/tasks/1");
    assert_int_equal(flags_of(other), GOAT_ITEM_DELETED);
    assert_ok(goat_item_delete(other, true, &error)); /* no edit */
    assert_int_equal(flags_of(other), GOAT_ITEM_DELETED);
    assert_ok(goat_item_delete(other, false, &error));
    flush(f);
    assert_int_equal(flags_of(item), 0);
    goat_item_free(other);
    goat_item_free(item);
}

static void replacing_sets_what_differs_and_unsets_the_rest(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    goat_buf fields = test_db_value("{\"title\": \"two\", \"number\": 3}"), commits = {0};
    test_db_set(item, "size", "7");
    flush(f);
    assert_ok(goat_item_replace(item, fields.data, fields.size, &error));
    test_db_assert_item(item, "{\"done\":false,\"title\":\"two\",\"number\":3}");
    flush(f);
    assert_ok(goat_item_replace(item, fields.data, fields.size, &error));
    assert_int_equal(flags_of(item), 0); /* the same again is no edit */
    assert_fails(GOAT_INVALID, goat_item_replace(item, (const uint8_t *)"\xa1\x61x\x01", 4, &error));
    test_db_assert_item(item, "{\"done\":false,\"title\":\"two\",\"number\":3}");
    goat_buf_free(&fields);
    goat_buf_free(&commits);
    goat_item_free(item);
}

/* The id of the last commit of a page. */
static void last_id(const goat_buf *commits, uint8_t id[GT_ID_SIZE]) {
    gt_bytes commit, found = {0};
    gt_iter iter = gt_array_iter(gt_bytes_of(commits->data, commits->size));
    while (gt_array_next(&iter, &commit)) assert_true(gt_value_as_bytes(gt_map_find(commit, gt_bytes_text("id")), &found));
    assert_int_equal(found.len, GT_ID_SIZE);
    memcpy(id, found.data, GT_ID_SIZE);
}

static void an_item_tells_its_history(void **state) {
    test_db *f = *state;
    goat_buf commits = {0};
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    flush(f);
    gt_sim_advance_ms(&f->clock, 1000);
    test_db_set(item, "size", "7");
    flush(f);
    gt_sim_advance_ms(&f->clock, 1000);
    assert_ok(goat_item_delete(item, true, &error));
    flush(f);
    assert_ok(goat_item_commits(item, NULL, 0, UINT32_MAX, &commits, &error));
    const char *json = test_db_json(&commits);
    const char *deleted = strstr(json, "\"kind\":\"delete\""), *edited = strstr(json, "\"kind\":\"edit\"");
    const char *created = strstr(json, "\"kind\":\"create\"");
    assert_true(deleted != NULL && edited > deleted && created > edited);
    assert_non_null(strstr(json, "\"fields\":[\"size\"]"));
    assert_non_null(strstr(json, "\"schema\":[\"task\",1]"));
    uint8_t last[GT_ID_SIZE];
    const char *const kinds[] = {"\"kind\":\"delete\"", "\"kind\":\"edit\"", "\"kind\":\"create\""};
    for (int page = 0; page < 3; page++) {
        assert_ok(goat_item_commits(item, page == 0 ? NULL : last, sizeof last, 1, &commits, &error));
        last_id(&commits, last);
        json = test_db_json(&commits);
        for (int kind = 0; kind < 3; kind++) assert_int_equal(strstr(json, kinds[kind]) != NULL, kind == page);
        assert_int_equal(strstr(json, "\"head\":true") != NULL, page == 0);
        assert_null(strstr(json, "hidden"));
    }
    assert_ok(goat_item_commits(item, last, sizeof last, UINT32_MAX, &commits, &error));
    assert_string_equal(test_db_json(&commits), "[]");
    assert_fails(GOAT_MISUSE, goat_item_commits(item, last, sizeof last - 1, 1, &commits, &error));
    last[0] ^= 1;
    assert_fails(GOAT_NOT_FOUND, goat_item_commits(item, last, sizeof last, 1, &commits, &error));
    goat_buf_free(&commits);
    goat_item_free(item);
}

static void a_commit_is_found_by_the_beginning_of_its_id(void **state) {
    test_db *f = *state;
    goat_buf commits = {0}, id = {0};
    uint8_t first[GT_ID_SIZE];
    char digits[2 * GT_ID_SIZE + 2];
    goat_item *item = test_db_create(f, "/data/tasks/1", "one"), *other = test_db_create(f, "/data/tasks/2", "two");
    assert_fails(GOAT_NOT_FOUND, goat_item_find_commit(item, TEXT("00000000"), &id, &error)); /* it has none yet */
    flush(f);
    assert_ok(goat_item_commits(item, NULL, 0, 1, &commits, &error));
    last_id(&commits, first);
    gt_hex(digits, first, GT_ID_SIZE);
    digits[64] = digits[65] = '0';
    for (size_t len = 0; len <= 65; len++) {
        if (len < 8 || len > 64) {
            assert_fails(GOAT_INVALID, goat_item_find_commit(item, digits, len, &id, &error));
            continue;
        }
        assert_ok(goat_item_find_commit(item, digits, len, &id, &error));
        assert_int_equal(id.size, GT_ID_SIZE);
        assert_memory_equal(id.data, first, GT_ID_SIZE);
        assert_fails(GOAT_NOT_FOUND, goat_item_find_commit(other, digits, len, &id, &error));
        char kept = digits[len - 1];
        digits[len - 1] = kept == '0' ? '1' : '0';
        assert_fails(GOAT_NOT_FOUND, goat_item_find_commit(item, digits, len, &id, &error));
        digits[len - 1] = kept;
    }
    assert_fails(GOAT_INVALID, goat_item_find_commit(item, TEXT("0123456x"), &id, &error));
    goat_buf_free(&commits);
    goat_buf_free(&id);
    goat_item_free(item);
    goat_item_free(other);
}

static void a_field_tells_where_it_comes_from(void **state) {
    test_db *f = *state;
    goat_buf told = {0}, commits = {0};
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_fails(GOAT_NOT_FOUND, goat_item_explain(item, NULL, 0, NULL, 0, UINT32_MAX, &told, &error));
    flush(f);
    assert_ok(goat_item_commits(item, NULL, 0, 1, &commits, &error));
    gt_bytes commit, id = {0}, first;
    gt_iter iter = gt_array_iter(gt_bytes_of(commits.data, commits.size));
    assert_true(gt_array_next(&iter, &commit));
    id = gt_map_find(commit, gt_bytes_text("id"));
    assert_true(gt_value_as_bytes(id, &first));
    gt_sim_advance_ms(&f->clock, 1000);
    test_db_set(item, "title", "\"two\"");
    flush(f);
    test_db_set(item, "title", "\"unsaved\""); /* no commit yet, and not told of */
    assert_ok(goat_item_explain(item, TEXT("title"), NULL, 0, UINT32_MAX, &told, &error));
    const char *json = test_db_json(&told);
    assert_non_null(strstr(json, "\"rule\":\"the later write\",\"type\":\"string\",\"state\":\"set\""));
    const char *written = "\"parts\":[{\"what\":\"written\",\"count\":1,\"stands\":1}],\"effect\":\"kept\"";
    assert_non_null(strstr(json, written));
    assert_null(strstr(strstr(json, written) + 1, "\"parts\"")); /* what it was before does not matter */
    assert_non_null(strstr(json, "\"schema\":[\"task\",1]"));
    assert_non_null(strstr(json, "\"deleted\":false,\"deletions\":[]"));
    assert_ok(goat_item_explain(item, NULL, 0, NULL, 0, 0, &told, &error));
    json = test_db_json(&told);
    assert_non_null(strstr(json, "{\"more\":1,\"name\":\"title\""));
    assert_non_null(
        strstr(json, "\"name\":\"done\",\"rule\":\"the later write\",\"type\":\"boolean\",\"state\":\"default\""));
    assert_null(strstr(json, "\"size\"")); /* nothing is to be told of it */
    assert_ok(goat_item_explain(item, TEXT("title"), first.data, 32, UINT32_MAX, &told, &error));
    assert_null(strstr(test_db_json(&told), "\"earlier\"")); /* from the empty item on */
    assert_fails(GOAT_INVALID, goat_item_explain(item, TEXT("wings"), NULL, 0, 1, &told, &error));
    assert_fails(GOAT_MISUSE, goat_item_explain(item, NULL, 0, first.data, 31, 1, &told, &error));
    assert_fails(GOAT_MISUSE, goat_item_explain(item, NULL, 0, NULL, 0, 1, NULL, &error));
    assert_fails(GOAT_MISUSE, goat_item_explain(NULL, NULL, 0, NULL, 0, 1, &told, &error));
    static const uint8_t nobody[32];
    assert_fails(GOAT_NOT_FOUND, goat_item_explain(item, NULL, 0, nobody, 32, 1, &told, &error));
    goat_buf_free(&told);
    goat_buf_free(&commits);
    goat_item_free(item);
}

static void what_was_flushed_is_there_after_reopening(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/k\xc3\xa9y", "one");
    test_db_set(item, "map", "{\"a\": [1, 2, {\"$date\": \"2026-01-01T00:00:00Z\"}]}");
    goat_item_free(item);
    test_db_reopen(f); /* closing captures and hands over */
    item = test_db_item(f->db, "/data/tasks/k\xc3\xa9y");
    test_db_assert_item(
        item, "{\"map\":{\"a\":[1,2,{\"$date\":\"2026-01-01T00:00:00Z\"}]},\"done\":false,\"title\":\"one\"}");
    goat_item_free(item);
}

static void two_handles_on_one_item_see_the_same_edits(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one"), *other = test_db_item(f->db, "/data/tasks/1");
    test_db_set(item, "size", "7");
    test_db_assert_field(other, "size", "7");
    goat_item_free(item); /* its edits are kept */
    flush(f);
    test_db_assert_field(other, "size", "7");
    goat_item_free(other);
}

/* ---- Transactions ------------------------------------------------------------------------------ */

static void a_transaction_is_seen_when_it_is_committed(void **state) {
    test_db *f = *state;
    goat_tx *tx = NULL;
    goat_item *inside = NULL, *made = NULL, *none = NULL;
    goat_buf result = {0};
    goat_item *outside = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_tx_begin(f->repo, &tx, &error));
    assert_ok(goat_item_open(f->db, tx, TEXT("/data/tasks/1"), &inside, &error));
    assert_ok(goat_item_create(f->db, tx, TEXT("/data/tasks/2"), TEXT("task"), NULL, 0, &made, &error));
    assert_ok(goat_item_set_text(inside, TEXT("title"), TEXT("uno"), &error));
    assert_fails(GOAT_INVALID, goat_tx_commit(tx, NULL, 0, &result, &error)); /* the second has no title */
    assert_ok(goat_item_set_text(made, TEXT("title"), TEXT("two"), &error));
    test_db_assert_field(inside, "title", "\"uno\"");
    test_db_assert_field(outside, "title", "\"one\"");
    assert_fails(GOAT_NOT_FOUND, goat_item_open(f->db, NULL, TEXT("/data/tasks/2"), &none, &error));
    assert_ok(goat_tx_commit(tx, TEXT("both"), &result, &error));
    const char *json = test_db_json(&result);
    assert_int_equal(strncmp(json, "{\"commits\":[{\"$bytes\":", 22), 0);
    test_db_assert_field(outside, "title", "\"uno\"");
    none = test_db_item(f->db, "/data/tasks/2");
    assert_ok(goat_item_commits(none, NULL, 0, 1, &result, &error));
    assert_non_null(strstr(test_db_json(&result), "\"message\":\"both\""));
    test_db_assert_field(made, "title", "\"two\""); /* stays readable */
    assert_fails(GOAT_MISUSE, goat_item_set_text(made, TEXT("title"), TEXT("x"), &error));
    assert_fails(GOAT_MISUSE, goat_tx_commit(tx, NULL, 0, NULL, &error));
    goat_tx_free(tx);
    goat_item_free(inside);
    goat_item_free(outside);
    goat_item_free(made);
    goat_item_free(none);
    goat_buf_free(&result);
}

static void a_transaction_that_is_not_committed_leaves_nothing(void **state) {
    test_db *f = *state;
    goat_tx *tx = NULL;
    goat_item *inside = NULL, *made = NULL;
    goat_item *outside = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_tx_begin(f->repo, &tx, &error));
    assert_ok(goat_item_open(f->db, tx, TEXT("/data/tasks/1"), &inside, &error));
    assert_ok(goat_item_create(f->db, tx, TEXT("/data/tasks/2"), TEXT("task"), NULL, 0, &made, &error));
    test_db_set(inside, "title", "\"uno\"");
    goat_tx_free(tx);
    test_db_assert_field(inside, "title", "\"one\"");
    assert_fails(GOAT_MISUSE, goat_item_set_bool(inside, TEXT("done"), true, &error));
    assert_int_equal(flags_of(made), GOAT_ITEM_WITHDRAWN);
    assert_fails(GOAT_NOT_FOUND, goat_item_set_bool(made, TEXT("done"), true, &error));
    assert_fails(GOAT_NOT_FOUND, goat_item_read(made, NULL, NULL, &error));
    test_db_assert_field(outside, "title", "\"one\"");
    goat_item_free(made);
    goat_item_free(inside);
    goat_item_free(outside);
}

static void a_transaction_belongs_to_one_repository(void **state) {
    test_db *f = *state;
    goat_repo *other = NULL;
    goat_tx *tx = NULL;
    goat_item *item = NULL;
    assert_ok(goat_repo_open(f->db, TEXT("/data/other"), 0, &other, NULL, &error));
    assert_ok(goat_tx_begin(other, &tx, &error));
    assert_fails(GOAT_MISUSE, goat_item_create(f->db, tx, TEXT("/data/tasks/1"), TEXT("task"), NULL, 0, &item, &error));
    assert_fails(GOAT_INVALID, goat_tx_commit(tx, TEXT("\xff"), NULL, &error));
    static char message[GOAT_MESSAGE_MAX + 1];
    memset(message, 'm', sizeof message);
    assert_fails(GOAT_TOO_LARGE, goat_tx_commit(tx, message, sizeof message, NULL, &error));
    assert_ok(goat_tx_commit(tx, message, sizeof message - 1, NULL, &error)); /* of nothing */
    goat_tx_free(tx);
    goat_repo_free(other);
}

/* ---- Many edits at once ------------------------------------------------------------------------ */

static void apply(test_db *f, const char *edits, const char *counts) {
    goat_buf result = {0};
    assert_ok(goat_repo_apply_json(f->repo, edits, strlen(edits), 0, &result, &error));
    assert_string_equal(test_db_json(&result), counts);
    goat_buf_free(&result);
}

static void many_edits_are_applied_at_once(void **state) {
    test_db *f = *state;
    apply(f,
          "[{\"key\": \"a\", \"schema\": \"task\", \"set\": {\"title\": \"A\", \"date\": \"2026-01-01T00:00:00Z\"}},"
          " {\"key\": \"b\", \"schema\": \"task\", \"set\": {\"title\": \"B\"}}]",
          "{\"changed\":0,\"created\":2,\"unchanged\":0}");
    goat_item *a = test_db_item(f->db, "/data/tasks/a"), *b = test_db_item(f->db, "/data/tasks/b");
    test_db_assert_field(a, "date", "\"2026-01-01T00:00:00Z\"");
    assert_int_equal(flags_of(a), 0);
    apply(f,
          "[{\"key\": \"a\", \"set\": {\"title\": \"A\"}}, {\"key\": \"b\", \"delete\": true},"
          " {\"key\": \"a\", \"unset\": [\"date\"]}]",
          "{\"changed\":2,\"created\":0,\"unchanged\":1}");
    test_db_assert_field(a, "date", NULL);
    assert_int_equal(flags_of(b), GOAT_ITEM_DELETED);
    goat_buf edits = test_db_value("[{\"key\": \"a\", \"replace\": {\"title\": \"AA\"}}]"), result = {0};
    assert_ok(goat_repo_apply(f->repo, edits.data, edits.size, GOAT_APPLY_TRANSACTION, NULL, &error));
    test_db_assert_field(a, "title", "\"AA\"");
    goat_buf_free(&edits);
    goat_buf_free(&result);
    goat_item_free(a);
    goat_item_free(b);
}

static void one_bad_edit_spoils_them_all(void **state) {
    test_db *f = *state;
    goat_error *why = NULL;
    goat_item *item = NULL;
    const char edits[] = "[{\"key\": \"a\", \"schema\": \"task\", \"set\": {\"title\": \"A\"}},"
                         " {\"key\": \"b\", \"schema\": \"task\", \"set\": {\"title\": 5}}]";
    assert_int_equal(goat_repo_apply_json(f->repo, TEXT(edits), 0, NULL, &why), GOAT_INVALID);
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_RULE), "type");
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_PATH), "/data/tasks/b");
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_FIELD), "title");
    goat_error_free(why);
    assert_fails(GOAT_NOT_FOUND, goat_item_open(f->db, NULL, TEXT("/data/tasks/a"), &item, &error));
    assert_fails(GOAT_NOT_FOUND, goat_repo_apply_json(f->repo, TEXT("[{\"key\": \"a\"}]"), 0, NULL, &error));
    assert_fails(GOAT_INVALID, goat_repo_apply_json(f->repo, TEXT("{}"), 0, NULL, &error));
    assert_fails(GOAT_INVALID, goat_repo_apply(f->repo, (const uint8_t *)"\xa0", 1, 0, NULL, &error));
    assert_fails(GOAT_INVALID, goat_repo_apply(f->repo, (const uint8_t *)"\x9f\xff", 2, 0, NULL, &error));
    const char once[] = "[{\"key\": \"c\", \"schema\": \"task\", \"set\": {\"title\": \"C\"}}]";
    assert_ok(goat_repo_apply_json(f->repo, TEXT(once), GOAT_APPLY_CREATE_ONLY, NULL, &error));
    assert_fails(GOAT_EXISTS, goat_repo_apply_json(f->repo, TEXT(once), GOAT_APPLY_CREATE_ONLY, NULL, &error));
}

static void assert_reads(goat_item *item, const char *expected) {
    goat_buf buf = {0};
    assert_ok(goat_item_get_text(item, TEXT("body"), &buf, &error));
    assert_int_equal(buf.size, strlen(expected));
    assert_memory_equal(buf.data, expected, buf.size);
    goat_buf_free(&buf);
}

/* "é" has two bytes, "🐐" four bytes and two units of UTF-16. */
static void a_text_is_spliced_in_the_unit_of_the_language(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_item_splice(item, TEXT("body"), GOAT_UNIT_BYTE, 0, 0, TEXT("a\xc3\xa9\xf0\x9f\x90\x90z"), &error));
    assert_ok(goat_item_splice(item, TEXT("body"), GOAT_UNIT_BYTE, 3, 0, TEXT("-"), &error));
    assert_reads(item, "a\xc3\xa9-\xf0\x9f\x90\x90z");
    assert_ok(goat_item_splice(item, TEXT("body"), GOAT_UNIT_CODE_POINT, 3, 1, TEXT("b"), &error));
    assert_reads(item, "a\xc3\xa9-bz");
    assert_ok(goat_item_splice(item, TEXT("body"), GOAT_UNIT_CODE_POINT, 0, 0, TEXT("\xf0\x9f\x90\x90"), &error));
    assert_ok(goat_item_splice(item, TEXT("body"), GOAT_UNIT_UTF16, 2, 2, NULL, 0, &error));
    assert_reads(item, "\xf0\x9f\x90\x90-bz");
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_MEMORY, NULL, &error));
    assert_reads(item, "\xf0\x9f\x90\x90-bz");
    assert_fails(GOAT_INVALID, goat_item_splice(item, TEXT("body"), GOAT_UNIT_UTF16, 1, 0, TEXT("x"), &error));
    assert_fails(GOAT_INVALID, goat_item_splice(item, TEXT("body"), GOAT_UNIT_BYTE, 2, 0, TEXT("x"), &error));
    assert_fails(GOAT_INVALID, goat_item_splice(item, TEXT("body"), GOAT_UNIT_BYTE, 0, 3, TEXT("x"), &error));
    assert_fails(GOAT_INVALID, goat_item_splice(item, TEXT("body"), GOAT_UNIT_CODE_POINT, 5, 0, TEXT("x"), &error));
    assert_fails(GOAT_INVALID, goat_item_splice(item, TEXT("body"), GOAT_UNIT_CODE_POINT, 0, 5, TEXT("x"), &error));
    assert_fails(GOAT_MISUSE, goat_item_splice(item, TEXT("body"), 3, 0, 0, TEXT("x"), &error));
    assert_fails(GOAT_WRONG_TYPE, goat_item_splice(item, TEXT("title"), GOAT_UNIT_BYTE, 0, 0, TEXT("x"), &error));
    assert_fails(GOAT_INVALID, goat_item_splice(item, TEXT("body"), GOAT_UNIT_BYTE, 0, 0, TEXT("\xff"), &error));
    assert_reads(item, "\xf0\x9f\x90\x90-bz");
    goat_item_free(item);
}

static void a_list_is_edited_by_position(void **state) {
    test_db *f = *state;
    const uint8_t *ab = (const uint8_t *)"\x82\x61\x61\x61\x62", *x = (const uint8_t *)"\x61\x78";
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_item_list_insert(item, TEXT("list"), 0, ab, 5, &error));
    assert_ok(goat_item_list_insert(item, TEXT("list"), 1, ab, 5, &error));
    test_db_assert_field(item, "list", "[\"a\",\"a\",\"b\",\"b\"]");
    assert_ok(goat_item_list_set(item, TEXT("list"), 0, x, 2, &error));
    assert_ok(goat_item_list_move(item, TEXT("list"), 0, 3, &error));
    test_db_assert_field(item, "list", "[\"a\",\"b\",\"b\",\"x\"]");
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_MEMORY, NULL, &error));
    assert_ok(goat_item_list_move(item, TEXT("list"), 3, 0, &error));
    assert_ok(goat_item_list_remove(item, TEXT("list"), 1, 2, &error));
    assert_ok(goat_item_list_insert(item, TEXT("list"), 2, (const uint8_t *)"\x80", 1, &error));
    test_db_assert_field(item, "list", "[\"x\",\"b\"]");
    test_db_reopen(f);
    goat_item_free(item);
    item = test_db_item(f->db, "/data/tasks/1");
    test_db_assert_field(item, "list", "[\"x\",\"b\"]");
    assert_fails(GOAT_INVALID, goat_item_list_insert(item, TEXT("list"), 3, ab, 5, &error));
    assert_fails(GOAT_INVALID, goat_item_list_insert(item, TEXT("list"), 0, (const uint8_t *)"\x61", 1, &error));
    assert_fails(GOAT_WRONG_TYPE, goat_item_list_insert(item, TEXT("list"), 0, x, 2, &error));
    assert_fails(GOAT_INVALID, goat_item_list_remove(item, TEXT("list"), 1, 2, &error));
    assert_fails(GOAT_INVALID, goat_item_list_move(item, TEXT("list"), 0, 2, &error));
    assert_fails(GOAT_INVALID, goat_item_list_set(item, TEXT("list"), 2, x, 2, &error));
    assert_fails(GOAT_WRONG_TYPE, goat_item_list_move(item, TEXT("set"), 0, 0, &error));
    test_db_assert_field(item, "list", "[\"x\",\"b\"]");
    goat_item_free(item);
}

static void a_rich_text_is_edited_by_deltas(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    assert_ok(goat_item_apply_delta(item, TEXT("rich"), TEXT("[{\"insert\": \"Goats \\ud83d\\udc10\\n\"}]"), &error));
    assert_ok(goat_item_apply_delta(item, TEXT("rich"),
                                    TEXT("{\"ops\": [{\"retain\": 8}, {\"retain\": 1, \"attributes\": {\"header\": 1}},"
                                         "{\"insert\": {\"image\": \"goat.png\"}, \"attributes\": {\"alt\": null}}]}"),
                                    &error));
    const char *expected =
        "[{\"insert\":\"Goats \xf0\x9f\x90\x90\"},{\"insert\":\"\\n\",\"attributes\":{\"header\":1}},"
        "{\"insert\":{\"image\":\"goat.png\"}}]";
    test_db_assert_field(item, "rich", expected);
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_MEMORY, NULL, &error));
    test_db_reopen(f);
    goat_item_free(item);
    item = test_db_item(f->db, "/data/tasks/1");
    test_db_assert_field(item, "rich", expected);
    goat_buf plain = {0};
    assert_ok(goat_item_get_text(item, TEXT("rich"), &plain, &error));
    assert_string_equal((const char *)plain.data, "Goats \xf0\x9f\x90\x90\n\xef\xbf\xbc");
    assert_int_equal(plain.size, 14);
    goat_buf_free(&plain);
    assert_ok(goat_item_apply_delta(item, TEXT("rich"), TEXT("[{\"retain\": 6}, {\"delete\": 4}]"), &error));
    test_db_set(item, "rich", "[{\"insert\": \"Goats \"}, {\"insert\": \"!\", \"attributes\": {\"b\": true}}]");
    test_db_assert_field(item, "rich", "[{\"insert\":\"Goats \"},{\"insert\":\"!\",\"attributes\":{\"b\":true}}]");
    goat_item_free(item);
}

static void a_delta_that_does_not_fit_is_refused(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    test_db_set(item, "rich", "[{\"insert\":\"a\\ud83d\\udc10\"}]");
    assert_fails(GOAT_INVALID, goat_item_apply_delta(item, TEXT("rich"), TEXT("[{\"retain\": 2}]"), &error));
    assert_fails(GOAT_INVALID, goat_item_apply_delta(item, TEXT("rich"), TEXT("[{\"delete\": 4}]"), &error));
    assert_fails(GOAT_INVALID, goat_item_apply_delta(item, TEXT("rich"), TEXT("[{\"insert\": 1}]"), &error));
    assert_fails(GOAT_INVALID, goat_item_apply_delta(item, TEXT("rich"), TEXT("[{\"insert\": "), &error));
    assert_fails(GOAT_INVALID, goat_item_apply_delta(item, TEXT("rich"), TEXT("[{\"insert\": \"\\ud83d\"}]"), &error));
    assert_fails(GOAT_WRONG_TYPE, goat_item_apply_delta(item, TEXT("title"), TEXT("[{\"insert\": \"a\"}]"), &error));
    assert_fails(GOAT_INVALID, goat_item_apply_delta(item, TEXT("none"), TEXT("[{\"insert\": \"a\"}]"), &error));
    assert_fails(GOAT_WRONG_TYPE, goat_item_set_json(item, TEXT("rich"), TEXT("[{\"retain\": 1}]"), &error));
    assert_fails(GOAT_WRONG_TYPE, goat_item_set_json(item, TEXT("rich"), TEXT("\"text\""), &error));
    test_db_assert_field(item, "rich", "[{\"insert\":\"a\xf0\x9f\x90\x90\"}]");
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
        with_db(a_text_is_spliced_in_the_unit_of_the_language),
        with_db(a_list_is_edited_by_position),
        with_db(a_rich_text_is_edited_by_deltas),
        with_db(a_delta_that_does_not_fit_is_refused),
        with_db(a_field_is_less_deep_than_a_value),
        with_db(an_item_is_created_with_fields_or_a_random_key),
        with_db(a_whole_item_is_read_with_a_revision),
        with_db(required_fields_may_follow_but_must_come),
        with_db(a_deleted_item_stays_readable_and_comes_back),
        with_db(replacing_sets_what_differs_and_unsets_the_rest),
        with_db(an_item_tells_its_history),
        with_db(a_commit_is_found_by_the_beginning_of_its_id),
        with_db(a_field_tells_where_it_comes_from),
        with_db(what_was_flushed_is_there_after_reopening),
        with_db(two_handles_on_one_item_see_the_same_edits),
        with_db(a_transaction_is_seen_when_it_is_committed),
        with_db(a_transaction_that_is_not_committed_leaves_nothing),
        with_db(a_transaction_belongs_to_one_repository),
        with_db(many_edits_are_applied_at_once),
        with_db(one_bad_edit_spoils_them_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
