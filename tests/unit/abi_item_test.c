/* Whole items through the public interface: made, read, replaced, deleted. */
#include "support/test.h"

#include "support/test_db.h"

#include <string.h>

#define with_db(test) cmocka_unit_test_setup_teardown(test, test_db_setup, test_db_teardown)

static uint32_t revision_of(goat_item *item) {
    uint32_t revision = 0;
    assert_ok(goat_item_read(item, NULL, &revision, &error));
    return revision;
}

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
    test_db_flush(f);
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
    assert_int_equal(test_db_flags(item), GOAT_ITEM_UNSAVED);
    assert_ok(goat_item_set_text(item, TEXT("title"), TEXT("one"), &error));
    assert_ok(goat_item_check(item, &error));
    test_db_flush(f);
    assert_int_equal(test_db_flags(item), 0);
    goat_item_free(item);
}

static void a_deleted_item_stays_readable_and_comes_back(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    test_db_flush(f);
    assert_ok(goat_item_delete(item, true, &error));
    assert_int_equal(test_db_flags(item), GOAT_ITEM_DELETED | GOAT_ITEM_UNSAVED);
    test_db_flush(f);
    assert_int_equal(test_db_flags(item), GOAT_ITEM_DELETED);
    test_db_assert_item(item, "{\"done\":false,\"title\":\"one\"}");
    goat_item *other = test_db_item(f->db, "/data/tasks/1");
    assert_int_equal(test_db_flags(other), GOAT_ITEM_DELETED);
    assert_ok(goat_item_delete(other, true, &error)); /* no edit */
    assert_int_equal(test_db_flags(other), GOAT_ITEM_DELETED);
    assert_ok(goat_item_delete(other, false, &error));
    test_db_flush(f);
    assert_int_equal(test_db_flags(item), 0);
    assert_ok(goat_item_delete(other, true, &error));
    test_db_flush(f);
    test_db_set(item, "title", "\"two\"");
    assert_int_equal(test_db_flags(item), GOAT_ITEM_UNSAVED);
    assert_ok(goat_item_delete(item, true, &error)); /* it stays what it was, with another title */
    assert_int_equal(test_db_flags(item), GOAT_ITEM_DELETED | GOAT_ITEM_UNSAVED);
    test_db_flush(f);
    assert_int_equal(test_db_flags(item), GOAT_ITEM_DELETED);
    test_db_assert_item(item, "{\"done\":false,\"title\":\"two\"}");
    goat_item_free(other);
    goat_item_free(item);
}

static void replacing_sets_what_differs_and_unsets_the_rest(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    goat_buf fields = test_db_value("{\"title\": \"two\", \"number\": 3}"), commits = {0};
    test_db_set(item, "size", "7");
    test_db_flush(f);
    assert_ok(goat_item_replace(item, fields.data, fields.size, &error));
    test_db_assert_item(item, "{\"done\":false,\"title\":\"two\",\"number\":3}");
    test_db_flush(f);
    assert_ok(goat_item_replace(item, fields.data, fields.size, &error));
    assert_int_equal(test_db_flags(item), 0); /* the same again is no edit */
    assert_fails(GOAT_INVALID, goat_item_replace(item, (const uint8_t *)"\xa1\x61x\x01", 4, &error));
    test_db_assert_item(item, "{\"done\":false,\"title\":\"two\",\"number\":3}");
    goat_buf_free(&fields);
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
    test_db_flush(f);
    test_db_assert_field(other, "size", "7");
    goat_item_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        with_db(an_item_is_created_with_fields_or_a_random_key),  with_db(a_whole_item_is_read_with_a_revision),
        with_db(required_fields_may_follow_but_must_come),        with_db(a_deleted_item_stays_readable_and_comes_back),
        with_db(replacing_sets_what_differs_and_unsets_the_rest), with_db(what_was_flushed_is_there_after_reopening),
        with_db(two_handles_on_one_item_see_the_same_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
