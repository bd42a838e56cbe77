/* Transactions and many edits at once through the public interface. */
#include "support/test.h"

#include "support/test_db.h"

#include <string.h>

#define with_db(test) cmocka_unit_test_setup_teardown(test, test_db_setup, test_db_teardown)

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
    assert_int_equal(test_db_flags(made), GOAT_ITEM_WITHDRAWN);
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
    assert_int_equal(test_db_flags(a), 0);
    apply(f,
          "[{\"key\": \"a\", \"set\": {\"title\": \"A\"}}, {\"key\": \"b\", \"delete\": true},"
          " {\"key\": \"a\", \"unset\": [\"date\"]}]",
          "{\"changed\":2,\"created\":0,\"unchanged\":1}");
    test_db_assert_field(a, "date", NULL);
    assert_int_equal(test_db_flags(b), GOAT_ITEM_DELETED);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        with_db(a_transaction_is_seen_when_it_is_committed),
        with_db(a_transaction_that_is_not_committed_leaves_nothing),
        with_db(a_transaction_belongs_to_one_repository),
        with_db(many_edits_are_applied_at_once),
        with_db(one_bad_edit_spoils_them_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
