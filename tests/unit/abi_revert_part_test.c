/* Reverts of what is there in part: versions that are not read any more, unsaved edits that are invalid, jobs that end early. */
#include "support/test.h"

#include "abi.h"
#include "base/utf8.h"
#include "support/test_db.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>

static void commit_all(test_db *f) { assert_ok(goat_db_flush(f->db, GOAT_DURABLE_MEMORY, NULL, &error)); }

/* The id of the item's newest commit. */
static void newest_of(goat_item *item, char hex[65]) {
    goat_buf commits = {0};
    gt_bytes commit, id;
    assert_ok(goat_item_commits(item, NULL, 0, 1, &commits, &error));
    gt_iter iter = gt_array_iter(gt_bytes_of(commits.data, commits.size));
    assert_true(gt_array_next(&iter, &commit));
    assert_true(gt_value_as_bytes(gt_map_find(commit, gt_bytes_text("id")), &id));
    gt_hex(hex, id.data, id.len);
    goat_buf_free(&commits);
}

static void session_of(test_db *f, char hex[65]) {
    goat_buf info = {0};
    gt_bytes session;
    assert_ok(goat_db_info(f->db, &info, &error));
    assert_true(gt_value_as_bytes(gt_map_find(gt_bytes_of(info.data, info.size), gt_bytes_text("session")), &session));
    gt_hex(hex, session.data, session.len);
    goat_buf_free(&info);
}

static void revert(test_db *f, const char *spec) {
    assert_ok(goat_repo_revert(f->repo, spec, strlen(spec), NULL, NULL, &error));
}

static void assert_refused(test_db *f, const char *spec, goat_status status, const char *words) {
    goat_error *why = NULL;
    assert_int_equal(goat_repo_revert(f->repo, spec, strlen(spec), NULL, NULL, &why), status);
    if (strstr(goat_error_message(why), words) == NULL) fail_msg("%s", goat_error_message(why));
    goat_error_free(why);
}

static void add_second_version(test_db *f) {
    char definition[2048];
    snprintf(definition, sizeof(definition), "%s", test_db_schema);
    *(strstr(definition, "\"version\": 1") + strlen("\"version\": ")) = '2';
    assert_ok(goat_db_add_schema(f->db, definition, strlen(definition), &error));
}

static void retire_second_version(test_db *f) {
    assert_ok(goat_db_retire_schema(f->db, TEXT("task"), 2, true, &error));
    assert_ok(goat_db_advance(f->db, NULL, &error));
}

static bool is_deleted(goat_item *item) {
    uint32_t flags = 0;
    assert_ok(goat_item_state(item, &flags, &error));
    return (flags & GOAT_ITEM_DELETED) != 0;
}

/* ---- versions ---- */

static void what_is_of_a_retired_version_is_not_in_the_way_of_undo(void **state) {
    test_db *f = *state;
    char hex[65], spec[160];
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    add_second_version(f);
    for (int i = 0; i < 2; i++) {
        test_db_set(item, "body", i == 0 ? "\"one\"" : "\"two\"");
        commit_all(f);
    }
    newest_of(item, hex);
    retire_second_version(f);
    test_db_assert_field(item, "body", NULL);
    revert(f, "{\"undo\": true}");
    assert_true(is_deleted(item));
    assert_refused(f, "{\"undo\": true}", GOAT_NOT_FOUND, "nothing to undo");
    revert(f, "{\"redo\": true}");
    assert_false(is_deleted(item));
    snprintf(spec, sizeof(spec), "{\"commits\": [\"%s\"]}", hex);
    assert_refused(f, spec, GOAT_NO_SCHEMA, "of a version that is not read here");
    goat_item_free(item);
}

static void a_session_is_reverted_without_what_cannot_be_read_and_says_so(void **state) {
    test_db *f = *state;
    goat_buf result = {0};
    char hex[65], spec[160];
    goat_item *a = test_db_create(f, "/data/tasks/a", "a"), *b = test_db_create(f, "/data/tasks/b", "b");
    commit_all(f);
    add_second_version(f);
    test_db_set(b, "body", "\"at version 2\"");
    goat_item_free(test_db_create(f, "/data/tasks/c", "at version 2"));
    commit_all(f);
    retire_second_version(f);
    session_of(f, hex);
    snprintf(spec, sizeof(spec), "{\"session\": \"%s\"}", hex);
    assert_ok(goat_repo_revert(f->repo, spec, strlen(spec), &result, NULL, &error));
    const char *skipped = strstr(test_db_json(&result), "\"skipped\":");
    assert_true(is_deleted(a));
    assert_true(is_deleted(b));
    assert_non_null(skipped);
    assert_null(strstr(skipped, "/data/tasks/a"));
    assert_non_null(strstr(skipped, "/data/tasks/b"));
    assert_non_null(strstr(skipped, "/data/tasks/c"));
    assert_non_null(strstr(skipped, "\"reason\":\"GOAT_NO_SCHEMA\""));
    goat_buf_free(&result);
    goat_item_free(a);
    goat_item_free(b);
}

/* ---- unsaved edits ---- */

static void a_draft_elsewhere_is_not_in_the_way(void **state) {
    test_db *f = *state;
    goat_item *item = test_db_create(f, "/data/tasks/a", "first"), *draft = NULL;
    commit_all(f);
    for (int i = 0; i < 3; i++) {
        test_db_set(item, "body", i == 0 ? "\"one\"" : i == 1 ? "\"two\"" : "\"three\"");
        commit_all(f);
    }
    assert_ok(goat_item_create(f->db, NULL, TEXT("/data/tasks/b"), TEXT("task"), NULL, 0, &draft, &error));
    test_db_set(draft, "body", "\"no title yet\"");
    revert(f, "{\"undo\": true, \"dry_run\": true}");
    revert(f, "{\"undo\": true}");
    test_db_assert_field(item, "body", "\"two\"");
    revert(f, "{\"undo\": true, \"item\": \"a\"}");
    test_db_assert_field(item, "body", "\"one\"");
    test_db_assert_field(draft, "body", "\"no title yet\"");
    test_db_set(draft, "title", "\"now\"");
    revert(f, "{\"undo\": true}"); /* it is captured first */
    test_db_assert_field(item, "body", "\"one\"");
    assert_true(is_deleted(draft));
    goat_item_free(item);
    goat_item_free(draft);
}

static void with_an_item_only_its_own_edits_are_captured(void **state) {
    test_db *f = *state;
    uint32_t flags = 0;
    goat_item *a = test_db_create(f, "/data/tasks/a", "a"), *b = test_db_create(f, "/data/tasks/b", "b");
    commit_all(f);
    test_db_set(a, "body", "\"unsaved\"");
    test_db_set(b, "body", "\"unsaved\"");
    revert(f, "{\"undo\": true, \"item\": \"a\"}");
    test_db_assert_field(a, "body", NULL);
    test_db_assert_field(b, "body", "\"unsaved\"");
    assert_ok(goat_item_state(b, &flags, &error));
    assert_true((flags & GOAT_ITEM_UNSAVED) != 0);
    goat_item_free(a);
    goat_item_free(b);
}

static void invalid_edits_of_what_is_to_be_reverted_are_in_the_way(void **state) {
    test_db *f = *state;
    static const char *const specs[] = {"{\"undo\": true}", "{\"undo\": true, \"item\": \"a\"}",
                                        "{\"undo\": true, \"dry_run\": true}"};
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    test_db_set(item, "body", "\"one\"");
    commit_all(f);
    assert_ok(goat_item_unset(item, TEXT("title"), &error));
    for (size_t i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
        goat_error *why = NULL;
        assert_int_equal(goat_repo_revert(f->repo, specs[i], strlen(specs[i]), NULL, NULL, &why), GOAT_INVALID);
        assert_string_equal(goat_error_detail(why, GOAT_DETAIL_PATH), "/data/tasks/a");
        assert_string_equal(goat_error_detail(why, GOAT_DETAIL_FIELD), "title");
        goat_error_free(why);
    }
    test_db_set(item, "title", "\"again\"");
    revert(f, "{\"undo\": true}");
    test_db_assert_field(item, "title", "\"first\"");
    goat_item_free(item);
}

/* ---- the job ---- */

static void a_commit_is_named_whole_and_by_its_beginning(void **state) {
    test_db *f = *state;
    goat_buf result = {0};
    char hex[2][65], spec[320];
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    for (int i = 0; i < 2; i++) {
        test_db_set(item, i == 0 ? "body" : "number", i == 0 ? "\"one\"" : "2");
        commit_all(f);
        newest_of(item, hex[i]);
    }
    snprintf(spec, sizeof(spec), "{\"commits\": [\"%.9s\", \"%s\", \"%s\", \"%.8s\"]}", hex[1], hex[0], hex[1], hex[1]);
    assert_ok(goat_repo_revert(f->repo, spec, strlen(spec), &result, NULL, &error));
    gt_bytes map = gt_bytes_of(result.data, result.size), one, reverts;
    assert_int_equal(gt_value_count(gt_map_find(map, gt_bytes_text("found"))), 4);
    gt_iter iter = gt_array_iter(gt_map_find(map, gt_bytes_text("items")));
    assert_true(gt_array_next(&iter, &one));
    reverts = gt_map_find(one, gt_bytes_text("reverts"));
    assert_int_equal(gt_value_count(reverts), 2);
    assert_false(gt_array_next(&iter, &one));
    test_db_assert_item(item, "{\"done\":false,\"title\":\"first\"}");
    snprintf(spec, sizeof(spec), "{\"commits\": [\"%s\"], \"item\": \"b\"}", hex[0]);
    goat_item_free(test_db_create(f, "/data/tasks/b", "another"));
    assert_refused(f, spec, GOAT_NOT_FOUND, "no such commit");
    goat_buf_free(&result);
    goat_item_free(item);
}

static void changes_say_that_it_is_a_revert(void **state) {
    test_db *f = *state;
    goat_buf changes = {0};
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    test_db_set(item, "body", "\"one\"");
    commit_all(f);
    assert_ok(goat_db_advance(f->db, &changes, &error));
    assert_non_null(strstr(test_db_json(&changes), "[1,\"/data/tasks/a\",0,"));
    revert(f, "{\"undo\": true}");
    assert_ok(goat_db_advance(f->db, &changes, &error));
    assert_non_null(strstr(test_db_json(&changes), "[1,\"/data/tasks/a\",3,"));
    goat_buf_free(&changes);
    goat_item_free(item);
}

/* A revert of many items that has made the edits of some. */
static goat_job *begin_large(test_db *f) {
    char path[32], hex[65], spec[160];
    goat_job *job = NULL;
    for (int i = 0; i < 100; i++) {
        snprintf(path, sizeof(path), "/data/tasks/%03d", i);
        goat_item_free(test_db_create(f, path, "title"));
    }
    commit_all(f);
    session_of(f, hex);
    snprintf(spec, sizeof(spec), "{\"session\": \"%s\"}", hex);
    assert_ok(goat_repo_revert(f->repo, spec, strlen(spec), NULL, &job, &error));
    gt_db_lock(f->db);
    for (int i = 0; i < 5; i++) gt_db_pump(f->db, gt_db_now_us(f->db), NULL);
    gt_db_unlock(f->db);
    double done, total;
    goat_job_progress(job, &done, &total);
    assert_true(done > 0 && done < total);
    return job;
}

static void a_cancelled_revert_has_changed_nothing(void **state) {
    test_db *f = *state;
    goat_job *job = begin_large(f);
    goat_buf result = {0};
    goat_job_cancel(job);
    assert_fails(GOAT_CANCELLED, goat_job_wait(job, 1000, &error));
    assert_fails(GOAT_CANCELLED, goat_job_result(job, &result, &error));
    assert_int_equal(result.size, 0);
    goat_job_free(job);
    goat_item *item = test_db_item(f->db, "/data/tasks/000");
    assert_false(is_deleted(item));
    goat_item_free(item);
}

static void a_revert_ends_when_its_database_is_closed(void **state) {
    test_db *f = *state;
    goat_job *job = begin_large(f);
    assert_ok(goat_db_close(f->db, NULL, &error));
    assert_fails(GOAT_CLOSED, goat_job_wait(job, 0, &error));
    goat_job_free(job);
}

static void a_database_that_is_read_only_tells_what_a_revert_would_do(void **state) {
    test_db *f = *state;
    goat_buf result = {0};
    char hex[65], spec[160];
    goat_item *item = test_db_create(f, "/data/tasks/a", "first");
    commit_all(f);
    test_db_set(item, "body", "\"one\"");
    assert_ok(goat_db_flush(f->db, GOAT_DURABLE_DISK, NULL, &error));
    newest_of(item, hex);
    goat_item_free(item);
    goat_repo_free(f->repo);
    goat_db_free(f->db);
    goat_host host = test_db_host(f);
    goat_config config = GOAT_CONFIG_INIT;
    config.host = &host;
    config.flags = GOAT_OPEN_READ_ONLY | GOAT_OPEN_NO_THREAD;
    assert_ok(goat_db_open(TEXT("simulated"), &config, &f->db, NULL, &error));
    assert_ok(goat_repo_open(f->db, TEXT("/data/tasks"), 0, &f->repo, NULL, &error));
    snprintf(spec, sizeof(spec), "{\"commits\": [\"%s\"]}", hex);
    assert_fails(GOAT_FORBIDDEN, goat_repo_revert(f->repo, spec, strlen(spec), NULL, NULL, &error));
    snprintf(spec, sizeof(spec), "{\"commits\": [\"%s\"], \"dry_run\": true}", hex);
    assert_ok(goat_repo_revert(f->repo, spec, strlen(spec), &result, NULL, &error));
    assert_non_null(strstr(test_db_json(&result), "{\"body\":{\"before\":\"one\"}}"));
    goat_buf_free(&result);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, test_db_setup, test_db_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_of_a_retired_version_is_not_in_the_way_of_undo),
        TEST(a_session_is_reverted_without_what_cannot_be_read_and_says_so),
        TEST(a_draft_elsewhere_is_not_in_the_way),
        TEST(with_an_item_only_its_own_edits_are_captured),
        TEST(invalid_edits_of_what_is_to_be_reverted_are_in_the_way),
        TEST(a_commit_is_named_whole_and_by_its_beginning),
        TEST(changes_say_that_it_is_a_revert),
        TEST(a_cancelled_revert_has_changed_nothing),
        TEST(a_revert_ends_when_its_database_is_closed),
        TEST(a_database_that_is_read_only_tells_what_a_revert_would_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
