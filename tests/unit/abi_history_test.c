/* Where an item comes from, through the public interface: its commits, and explanations. */
#include "support/test.h"

#include "base/utf8.h"
#include "commit/commit.h"
#include "support/test_db.h"
#include "value/value.h"

#include <string.h>

#define with_db(test) cmocka_unit_test_setup_teardown(test, test_db_setup, test_db_teardown)

/* The id of the last commit of a page. */
static void last_id(const goat_buf *commits, uint8_t id[GT_ID_SIZE]) {
    gt_bytes commit, found = {0};
    gt_iter iter = gt_array_iter(gt_bytes_of(commits->data, commits->size));
    while (gt_array_next(&iter, &commit))
        assert_true(gt_value_as_bytes(gt_map_find(commit, gt_bytes_text("id")), &found));
    assert_int_equal(found.len, GT_ID_SIZE);
    memcpy(id, found.data, GT_ID_SIZE);
}

static void an_item_tells_its_history(void **state) {
    test_db *f = *state;
    goat_buf commits = {0};
    goat_item *item = test_db_create(f, "/data/tasks/1", "one");
    test_db_flush(f);
    gt_sim_advance_ms(&f->clock, 1000);
    test_db_set(item, "size", "7");
    test_db_flush(f);
    gt_sim_advance_ms(&f->clock, 1000);
    assert_ok(goat_item_delete(item, true, &error));
    test_db_flush(f);
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
    test_db_flush(f);
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
    test_db_flush(f);
    assert_ok(goat_item_commits(item, NULL, 0, 1, &commits, &error));
    gt_bytes commit, id = {0}, first;
    gt_iter iter = gt_array_iter(gt_bytes_of(commits.data, commits.size));
    assert_true(gt_array_next(&iter, &commit));
    id = gt_map_find(commit, gt_bytes_text("id"));
    assert_true(gt_value_as_bytes(id, &first));
    gt_sim_advance_ms(&f->clock, 1000);
    test_db_set(item, "title", "\"two\"");
    test_db_flush(f);
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

int main(void) {
    const struct CMUnitTest tests[] = {
        with_db(an_item_tells_its_history),
        with_db(a_commit_is_found_by_the_beginning_of_its_id),
        with_db(a_field_tells_where_it_comes_from),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
