/* core/db: an item with more heads than a commit may name. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>

enum { HEADS = GT_PARENTS_MAX + 20 };

static const char schema[] = "{\"ns\": \"goat\", \"version\": 9, \"fields\": {\"body\": {\"type\": \"text\"}, "
                             "\"name\": {\"type\": \"string\"}}}";

/* So many commits on one, each with an edit of its own, as if everybody had written at once. */
static void write_at_once(test_handles *f, const char *key) {
    gt_mount *mount = f->a.space->mount;
    gt_signer signer = gt_signer_of(mount->database, mount);
    uint32_t item = gt_repo_find(mount->repo, gt_bytes_text(key));
    gt_capture *capture = NULL;
    gt_buf base;
    gt_buf_init(&base, &gt_alloc_system);
    assert_int_equal(gt_repo_heads(mount->repo, item, &base, NULL), GOAT_OK);
    assert_int_equal(base.len, GT_ID_SIZE);
    assert_int_equal(gt_capture_begin(mount->repo, &capture, NULL), GOAT_OK);
    for (int i = 0; i < HEADS; i++) {
        char text[40];
        gt_id id;
        snprintf(text, sizeof text, "{name: 'n%d'}", i);
        gt_bytes delta = test_value(text);
        gt_leaf leaf = {.key = gt_bytes_text(key),
                        .parents = (const gt_id *)(const void *)base.data,
                        .parent_count = 1,
                        .schema = gt_registry_find(mount->database->schemas, gt_bytes_text("goat"), 9),
                        .delta = delta};
        assert_int_equal(gt_capture_add(capture, &signer, &leaf, &id, NULL), GOAT_OK);
        test_value_free(delta);
    }
    mount->database->acting = f->a.space;
    assert_int_equal(gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL), GOAT_OK);
    mount->database->acting = NULL;
    gt_buf_free(&base);
    test_handle_settle(&f->a);
    test_handle_advance(&f->a);
}

static uint32_t count_heads(test_handles *f, const char *key) {
    gt_repo *repo = f->a.space->mount->repo;
    gt_buf heads;
    gt_buf_init(&heads, &gt_alloc_system);
    assert_int_equal(gt_repo_heads(repo, gt_repo_find(repo, gt_bytes_text(key)), &heads, NULL), GOAT_OK);
    uint32_t count = (uint32_t)(heads.len / GT_ID_SIZE);
    gt_buf_free(&heads);
    return count;
}

static int set_up(void **state) {
    test_handles_set_up(state);
    test_handles *f = *state;
    assert_int_equal(test_handle_schema(&f->a, schema), GOAT_OK);
    assert_int_equal(test_handle_create(&f->a, "x", "{body: 'a text at its base'}"), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    write_at_once(f, "x");
    assert_int_equal(count_heads(f, "x"), HEADS);
    return 0;
}

static void splice(goat_item *item, uint64_t position, uint64_t count, const char *text) {
    gt_edit edit = {.operation = GT_SPLICE, .splice = {GOAT_UNIT_CODE_POINT, position, count, gt_bytes_text(text)}};
    assert_int_equal(gt_item_edit(item, gt_bytes_text("body"), &edit, NULL), GOAT_OK);
}

static void an_edit_is_made_on_the_latest(void **state) {
    test_handles *f = *state;
    goat_item *item;
    assert_int_equal(test_handle_item(&f->a, NULL, "x", &item), GOAT_OK);
    splice(item, 14, 4, "END");
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    test_handle_drop(item);
    assert_int_equal(count_heads(f, "x"), 1 + HEADS - GT_PARENTS_MAX); /* those that were too old stay */
    goat_item *after;
    const gt_field *field;
    gt_bytes value, text;
    assert_int_equal(test_handle_item(&f->a, NULL, "x", &after), GOAT_OK);
    assert_int_equal(gt_item_field(after, gt_bytes_text("body"), &field, &value, NULL), GOAT_OK);
    assert_true(gt_value_as_text(value, &text));
    assert_int_equal(text.len, 17);
    assert_memory_equal(text.data, "a text at its END", 17);
    test_handle_drop(after);
}

static void so_is_what_is_applied(void **state) {
    test_handles *f = *state;
    gt_apply_result result = {0};
    assert_int_equal(test_handle_apply(&f->a, "[{key: 'x', set: {body: 'a text at its END'}}]", 0, &result), GOAT_OK);
    assert_int_equal(count_heads(f, "x"), 1 + HEADS - GT_PARENTS_MAX);
    assert_int_equal(test_handle_verify(&f->a), 0);
}

/* It is begun once, though it is made on other heads than there are. */
static void so_is_a_revert(void **state) {
    test_handles *f = *state;
    goat_job *job = NULL;
    gt_job_info info;
    uint32_t rounds = 0;
    assert_int_equal(gt_space_revert(f->a.space, gt_bytes_text("{\"undo\": true}"), &job, NULL), GOAT_OK);
    for (gt_job_info_of(job, &info); !info.done; gt_job_info_of(job, &info), rounds++) {
        gt_db_pump(f->a.db, gt_db_now_us(f->a.db), NULL);
    }
    assert_int_equal(test_handle_wait(&f->a, job, NULL), GOAT_OK);
    assert_in_range(rounds, 2 * HEADS / 200, 10 + 4 * HEADS / 100);
    assert_int_equal(count_heads(f, "x"), 1 + HEADS - GT_PARENTS_MAX);
    assert_int_equal(test_handle_verify(&f->a), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_edit_is_made_on_the_latest, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(so_is_what_is_applied, set_up, test_handles_tear_down),
        cmocka_unit_test_setup_teardown(so_is_a_revert, set_up, test_handles_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
