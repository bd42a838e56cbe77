/* Edits by position through the public interface: texts, lists, rich texts. */
#include "support/test.h"

#include "support/test_db.h"

#include <string.h>

#define with_db(test) cmocka_unit_test_setup_teardown(test, test_db_setup, test_db_teardown)

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

int main(void) {
    const struct CMUnitTest tests[] = {
        with_db(a_text_is_spliced_in_the_unit_of_the_language),
        with_db(a_list_is_edited_by_position),
        with_db(a_rich_text_is_edited_by_deltas),
        with_db(a_delta_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
