/* Reverts, undo and redo through the public interface. */
#include "support/test.h"

#include "base/utf8.h"
#include "support/test_db.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>

/* The id of the item's commit number `back` from the newest. */
static void commit_of(goat_item *item, uint32_t back, char hex[65]) {
    goat_buf commits = {0};
    gt_bytes commit, id;
    assert_ok(goat_item_commits(item, NULL, 0, back + 1, &commits, &error));
    gt_iter iter = gt_array_iter(gt_bytes_of(commits.data, commits.size));
    for (uint32_t i = 0; i <= back; i++) assert_true(gt_array_next(&iter, &commit));
    assert_true(gt_value_as_bytes(gt_map_find(commit, gt_bytes_text("id")), &id));
    gt_hex(hex, id.data, id.len);
    goat_buf_free(&commits);
}

static void commit_all(test_db *f) { assert_ok(goat_db_flush(f->db, GOAT_DURABLE_MEMORY, NULL, &error)); }

static void revert(test_db *f, const char *spec) {
    assert_ok(goat_repo_revert(f->repo, spec, strlen(spec), NULL, NULL, &error));
}

static void revert_commit(test_db *f, goat_item *item, uint32_t back) {
    char hex[65], spec[128];
    commit_of(item, back, hex);
    snprintf(spec, sizeof(spec), "{\"commits\": [\"%.*s\"]}", back % 2 == 0 ? 64 : 11, hex);
    revert(f, spec);
}

static void set(test_db *f, goat_item *item, const char *json) {
    test_db_set(item, "body", json);
    commit_all(f);
}

static void a_commit_is_reverted_and_that_reverted(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    set(f, item, "\"one\"");
    set(f, item, "\"two\"");
    revert_commit(f, item, 0);
    test_db_assert_field(item, "body", "\"one\"");
    revert_commit(f, item, 0);
    test_db_assert_field(item, "body", "\"two\"");
    revert_commit(f, item, 1);
    goat_item_free(item);
}

static void undo_and_redo_go_back_and_forth(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    set(f, item, "\"one\"");
    set(f, item, "\"two\"");
    revert(f, "{\"undo\": true, \"item\": \"a\"}");
    test_db_assert_field(item, "body", "\"one\"");
    revert(f, "{\"undo\": true}");
    test_db_assert_field(item, "body", NULL);
    revert(f, "{\"redo\": true}");
    test_db_assert_field(item, "body", "\"one\"");
    revert(f, "{\"redo\": true, \"item\": \"a\"}");
    test_db_assert_field(item, "body", "\"two\"");
    assert_fails(GOAT_NOT_FOUND, goat_repo_revert(f->repo, TEXT("{\"redo\": true}"), NULL, NULL, &error));
    revert(f, "{\"undo\": true}");
    set(f, item, "\"three\"");
    assert_fails(GOAT_NOT_FOUND, goat_repo_revert(f->repo, TEXT("{\"redo\": true}"), NULL, NULL, &error));
    revert(f, "{\"undo\": true}");
    test_db_assert_field(item, "body", "\"one\"");
    goat_item_free(item);
}

static void unsaved_edits_are_captured_and_undone(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    test_db_set(item, "body", "\"unsaved\"");
    revert(f, "{\"undo\": true}");
    test_db_assert_field(item, "body", NULL);
    goat_item_free(item);
}

static void a_transaction_is_undone_whole_and_in_one_item(void **state) {
    test_db *f = *state;
    goat_item *a = test_db_create(f, "/data/tasks/a", "a"), *b = test_db_create(f, "/data/tasks/b", "b");
    goat_item *in_a, *in_b;
    goat_tx *tx;
    commit_all(f);
    assert_ok(goat_tx_begin(f->repo, &tx, &error));
    assert_ok(goat_item_open(f->db, tx, TEXT("/data/tasks/a"), &in_a, &error));
    assert_ok(goat_item_open(f->db, tx, TEXT("/data/tasks/b"), &in_b, &error));
    test_db_set(in_a, "body", "\"x\"");
    test_db_set(in_b, "body", "\"y\"");
    assert_ok(goat_tx_commit(tx, NULL, 0, NULL, &error));
    revert(f, "{\"undo\": true}");
    test_db_assert_field(a, "body", NULL);
    test_db_assert_field(b, "body", NULL);
    revert(f, "{\"redo\": true}");
    test_db_assert_field(a, "body", "\"x\"");
    test_db_assert_field(b, "body", "\"y\"");
    revert(f, "{\"undo\": true, \"item\": \"b\"}");
    test_db_assert_field(a, "body", "\"x\"");
    test_db_assert_field(b, "body", NULL);
    goat_item_free(in_a);
    goat_item_free(in_b);
    goat_tx_free(tx);
    goat_item_free(a);
    goat_item_free(b);
}

static void a_dry_run_tells_and_changes_nothing(void **state) {
    test_db *f = *state;
    goat_buf result = {0};
    char hex[65], spec[160];
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    set(f, item, "\"one\"");
    set(f, item, "\"two\"");
    commit_of(item, 0, hex);
    snprintf(spec, sizeof(spec), "{\"commits\": [\"%s\"], \"dry_run\": true}", hex);
    assert_ok(goat_repo_revert(f->repo, spec, strlen(spec), &result, NULL, &error));
    const char *json = test_db_json(&result);
    assert_non_null(strstr(json, "\"path\":\"/data/tasks/a\""));
    assert_non_null(strstr(json, "\"fields\":{\"body\":{\"after\":\"one\",\"before\":\"two\"}}"));
    assert_null(strstr(json, "\"commit\""));
    goat_buf_free(&result);
    test_db_assert_field(item, "body", "\"two\"");
    goat_item_free(item);
}

static void a_session_is_reverted_across_items(void **state) {
    test_db *f = *state;
    goat_buf info = {0}, result = {0};
    char hex[65], spec[160];
    gt_bytes session;
    goat_item *a = test_db_create(f, "/data/tasks/a", "a"), *b = test_db_create(f, "/data/tasks/b", "b");
    commit_all(f);
    assert_ok(goat_db_info(f->db, &info, &error));
    assert_true(gt_value_as_bytes(gt_map_find(gt_bytes_of(info.data, info.size), gt_bytes_text("session")), &session));
    gt_hex(hex, session.data, session.len);
    snprintf(spec, sizeof(spec), "{\"session\": \"%s\"}", hex);
    assert_ok(goat_repo_revert(f->repo, spec, strlen(spec), &result, NULL, &error));
    uint32_t flags = 0;
    assert_ok(goat_item_state(a, &flags, &error));
    assert_true((flags & GOAT_ITEM_DELETED) != 0);
    assert_ok(goat_item_state(b, &flags, &error));
    assert_true((flags & GOAT_ITEM_DELETED) != 0);
    assert_non_null(strstr(test_db_json(&result), "\"deleted\":true"));
    goat_buf_free(&result);
    goat_buf_free(&info);
    goat_item_free(a);
    goat_item_free(b);
}

static void a_range_of_time_is_reverted(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    set(f, item, "\"one\"");
    gt_sim_advance_ms(&f->clock, 60000);
    set(f, item, "\"two\"");
    goat_buf commits = {0};
    assert_ok(goat_item_commits(item, NULL, 0, 1, &commits, &error));
    const char *json = test_db_json(&commits), *at = strstr(json, "\"$date\":\"");
    assert_non_null(at);
    char spec[128], time[32] = {0};
    const char *begin = at + 9, *end = strchr(begin, '"');
    memcpy(time, begin, (size_t)(end - begin));
    snprintf(spec, sizeof(spec), "{\"since\": \"%s\", \"until\": \"%s\"}", time, time);
    revert(f, spec);
    test_db_assert_field(item, "body", "\"one\"");
    goat_buf_free(&commits);
    goat_item_free(item);
}

static void what_breaks_the_schema_is_refused(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    set(f, item, "\"one\"");
    uint32_t flags;
    char hex[65], spec[128];
    commit_of(item, 1, hex);
    snprintf(spec, sizeof(spec), "{\"commits\": [\"%s\"]}", hex);
    goat_error *why = NULL; /* its title is required, and the creation alone has one */
    assert_int_equal(goat_repo_revert(f->repo, spec, strlen(spec), NULL, NULL, &why), GOAT_INVALID);
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_PATH), "/data/tasks/a");
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_FIELD), "title");
    assert_string_equal(goat_error_detail(why, GOAT_DETAIL_RULE), "required");
    goat_error_free(why);
    assert_ok(goat_item_state(item, &flags, &error));
    assert_true((flags & GOAT_ITEM_DELETED) == 0);
    goat_item_free(item);
}

static void wrong_specs_are_refused(void **state) {
    test_db *f = *state;
    static const char *const wrong[] = {"",
                                        "[]",
                                        "{}",
                                        "{\"commits\": []}",
                                        "{\"commits\": [\"123\"]}",
                                        "{\"commits\": [\"xyzxyzxyz\"]}",
                                        "{\"commits\": \"12345678\"}",
                                        "{\"undo\": true, \"redo\": true}",
                                        "{\"undo\": 1}",
                                        "{\"since\": \"yesterday\"}",
                                        "{\"since\": 3}",
                                        "{\"since\": \"9999999999999999999\"}",
                                        "{\"session\": \"12\"}",
                                        "{\"undo\": true, \"what\": 1}",
                                        "{\"undo\": true, \"item\": \"\"}"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_fails(GOAT_INVALID, goat_repo_revert(f->repo, wrong[i], strlen(wrong[i]), NULL, NULL, &error));
    }
    goat_error *why = NULL;
    goat_status status = goat_repo_revert(f->repo, TEXT("{\"since\": \"yesterday\"}"), NULL, NULL, &why);
    assert_int_equal(status, GOAT_INVALID);
    assert_non_null(strstr(goat_error_message(why), "\"since\": not a date"));
    goat_error_free(why);
    assert_fails(GOAT_NOT_FOUND,
                 goat_repo_revert(f->repo, TEXT("{\"commits\": [\"0123456789\"]}"), NULL, NULL, &error));
    assert_fails(GOAT_NOT_FOUND, goat_repo_revert(f->repo, TEXT("{\"undo\": true}"), NULL, NULL, &error));
    assert_fails(GOAT_NOT_FOUND,
                 goat_repo_revert(f->repo, TEXT("{\"undo\": true, \"item\": \"nobody\"}"), NULL, NULL, &error));
    assert_ok(
        goat_repo_revert(f->repo, TEXT("{\"commits\": [\"0123456789\"], \"lacks_some\": true}"), NULL, NULL, &error));
    assert_fails(GOAT_MISUSE, goat_repo_revert(NULL, TEXT("{}"), NULL, NULL, &error));
    assert_fails(GOAT_MISUSE, goat_repo_revert(f->repo, NULL, 0, NULL, NULL, &error));
}

static void reverts_are_known_after_opening_again(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    set(f, item, "\"one\"");
    set(f, item, "\"two\"");
    revert(f, "{\"undo\": true}");
    goat_item_free(item);
    test_db_reopen(f);
    item = test_db_item(f->db, "/data/tasks/a");
    test_db_assert_field(item, "body", "\"one\"");
    revert(f, "{\"undo\": true}");
    test_db_assert_field(item, "body", NULL);
    revert(f, "{\"redo\": true}");
    revert(f, "{\"redo\": true}");
    test_db_assert_field(item, "body", "\"two\"");
    goat_item_free(item);
}

/* Others edit while the job goes on: what they did stays, in items that it has looked at already too. */
static void edits_go_on_while_a_session_is_reverted(void **state) {
    enum { ITEMS = 200 };
    test_db *f = *state;
    goat_item *items[ITEMS];
    goat_job *job = NULL;
    for (int i = 0; i < ITEMS; i++) {
        char path[32];
        snprintf(path, sizeof(path), "/data/tasks/%03d", i);
        items[i] = test_db_create(f, path, "title");
    }
    commit_all(f);
    gt_sim_advance_ms(&f->clock, 60000);
    for (int i = 0; i < ITEMS; i++) test_db_set(items[i], "body", "\"x\"");
    commit_all(f);
    goat_buf commits = {0};
    assert_ok(goat_item_commits(items[0], NULL, 0, 1, &commits, &error));
    const char *at = strstr(test_db_json(&commits), "\"$date\":\"") + 9;
    int len = (int)(strchr(at, '"') - at);
    char spec[128];
    snprintf(spec, sizeof(spec), "{\"since\": \"%.*s\", \"until\": \"%.*s\"}", len, at, len, at);
    gt_sim_advance_ms(&f->clock, 1000);
    goat_buf_free(&commits);
    assert_ok(goat_repo_revert(f->repo, spec, strlen(spec), NULL, &job, &error));
    for (int round = 0; round < ITEMS; round++) {
        assert_ok(goat_db_run(f->db, -1, 1, NULL, &error));
        test_db_set(items[round], "number", "7");
        if (round % 3 == 0) commit_all(f);
    }
    assert_ok(goat_job_wait(job, 0, &error));
    goat_job_free(job);
    for (int i = 0; i < ITEMS; i++) {
        test_db_assert_field(items[i], "body", NULL);
        test_db_assert_field(items[i], "number", "7");
        goat_item_free(items[i]);
    }
    revert(f, "{\"undo\": true}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_db_setup, test_db_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_commit_is_reverted_and_that_reverted),
        TEST(undo_and_redo_go_back_and_forth),
        TEST(unsaved_edits_are_captured_and_undone),
        TEST(a_transaction_is_undone_whole_and_in_one_item),
        TEST(a_dry_run_tells_and_changes_nothing),
        TEST(a_session_is_reverted_across_items),
        TEST(a_range_of_time_is_reverted),
        TEST(what_breaks_the_schema_is_refused),
        TEST(wrong_specs_are_refused),
        TEST(edits_go_on_while_a_session_is_reverted),
        TEST(reverts_are_known_after_opening_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
