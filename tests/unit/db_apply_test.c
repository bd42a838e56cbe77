/* core/db: many edits at once, and transactions. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_repo.h"
#include "support/test_value.h"

#include <stdio.h>
#include <stdlib.h>

static void applies(test_handles *f, const char *edits, uint32_t created, uint32_t changed, uint32_t unchanged) {
    gt_apply_result result = {0};
    goat_status status = test_handle_apply(&f->a, edits, 0, &result);
    if (status != GOAT_OK) fail_msg("%s", f->a.diag.message);
    assert_int_equal(result.created, created);
    assert_int_equal(result.changed, changed);
    assert_int_equal(result.unchanged, unchanged);
}

static uint64_t length_of(test_handles *f) { return gt_log_length(gt_repo_log(f->a.space->mount->repo)); }

/* Refused, and nothing is there of it, not even of the edits before the wrong one. */
static void refuses(test_handles *f, const char *edits, uint32_t flags, goat_status expected) {
    gt_apply_result result = {7, 7, 7};
    uint64_t length = length_of(f);
    uint32_t items = gt_repo_item_count(f->a.space->mount->repo);
    assert_int_equal(test_handle_apply(&f->a, edits, flags, &result), expected);
    assert_int_equal(length_of(f), length);
    assert_int_equal(gt_repo_item_count(f->a.space->mount->repo), items);
    assert_int_equal(result.created, 7);
}

/* ---- apply ---- */

static void it_sets_unsets_replaces_and_deletes(void **state) {
    test_handles *f = *state;
    applies(f, "[{key: 'x', schema: 'goat', set: {text: 'a', votes: 1, tags: set[1]}}, {key: 'y', schema: 'goat'}]", 2,
            0, 0);
    test_handle_shows(&f->a, "x", "{text: 'a', votes: 1, tags: set[1]}");
    test_handle_shows(&f->a, "y", "{}");
    applies(f, "[{key: 'x', set: {votes: 5, tags: set[1, 2]}, unset: ['text']}]", 0, 1, 0);
    test_handle_shows(&f->a, "x", "{votes: 5, tags: set[1, 2]}");
    applies(f, "[{key: 'x', replace: {text: 'new', votes: 6}}]", 0, 1, 0);
    test_handle_shows(&f->a, "x", "{text: 'new', votes: 6}");
    applies(f,
            "[{key: 'x', replace: {text: 'new', votes: 6}}, {key: 'x', set: {votes: 6}}, {key: 'y', unset: ['size']}]",
            0, 0, 3);
    applies(f, "[{key: 'x', delete: true}, {key: 'x', delete: true}]", 0, 1, 1);
    test_handle_shows(&f->a, "x", "{text: 'new', votes: 6, 0: true}");
    applies(f, "[{key: 'x', delete: false}]", 0, 1, 0);
    test_handle_shows(&f->a, "x", "{text: 'new', votes: 6}");
    applies(f, "[{key: 'x', delete: true, set: {votes: 7}}]", 0, 1, 0);
    applies(f, "[{key: 'x', schema: 'goat', set: {text: 'back'}}]", 0, 1, 0); /* creating what was deleted */
    test_handle_shows(&f->a, "x", "{text: 'back', votes: 7}");
    assert_int_equal(test_handle_verify(&f->a), 0);
}

static void what_is_deleted_with_an_edit_stays_deleted(void **state) {
    test_handles *f = *state;
    applies(f, "[{key: 'x', schema: 'goat', set: {text: 'a', votes: 1}}]", 1, 0, 0);
    for (int again = 0; again < 2; again++) {
        applies(f, "[{key: 'x', delete: true, edit: {votes: {increment: 1}}}]", 0, 1, 0);
        test_handle_shows(&f->a, "x", again == 0 ? "{text: 'a', votes: 2, 0: true}" : "{text: 'a', votes: 3, 0: true}");
    }
    applies(f, "[{key: 'x', delete: true, set: {text: 'b'}}]", 0, 1, 0);
    test_handle_shows(&f->a, "x", "{text: 'b', votes: 3, 0: true}");
    applies(f, "[{key: 'x', delete: true, replace: {text: 'c'}}]", 0, 1, 0);
    test_handle_shows(&f->a, "x", "{text: 'c', 0: true}");
    applies(f, "[{key: 'x', delete: true, replace: {text: 'c'}}]", 0, 0, 1);
    applies(f, "[{key: 'x', edit: {votes: {increment: 1}}}]", 0, 1, 0); /* an edit brings it back */
    test_handle_shows(&f->a, "x", "{text: 'c', votes: 1}");
    assert_int_equal(test_handle_verify(&f->a), 0);
}

static void later_edits_of_one_key_follow_the_earlier_ones(void **state) {
    test_handles *f = *state;
    applies(f,
            "[{key: 'x', schema: 'goat', set: {votes: 1}}, {key: 'x', set: {votes: 5}}, {key: 'x', set: {text: 'a'}},"
            " {key: 'x', unset: ['text']}, {key: 'x', delete: true}, {key: 'x', set: {size: 1}}, {key: 'x', set: "
            "{size: 1}}]",
            1, 5, 1);
    test_handle_shows(&f->a, "x", "{votes: 5, size: 1}");
    assert_int_equal(test_handle_entries(&f->a), 6);
    assert_int_equal(test_handle_verify(&f->a), 0);
}

static void nothing_is_changed_when_one_edit_is_wrong(void **state) {
    test_handles *f = *state;
    applies(f, "[{key: 'x', schema: 'goat', set: {text: 'a'}}]", 1, 0, 0);
    static const struct {
        const char *edit;
        goat_status status;
    } wrong[] = {
        {"{key: 'x', set: {nobody: 1}}", GOAT_INVALID},
        {"{key: 'x', unset: ['nobody']}", GOAT_INVALID},
        {"{key: 'x', replace: {nobody: 1}}", GOAT_INVALID},
        {"{key: 'x', set: {text: 1}}", GOAT_INVALID},
        {"{key: 'x', set: {text: 'b'}, unset: ['text']}", GOAT_INVALID},
        {"{key: 'x', set: {text: 'b'}, replace: {text: 'c'}}", GOAT_INVALID},
        {"{key: 'x', schema: 'sheep', set: {}}", GOAT_INVALID},
        {"{key: 'z', set: {text: 'b'}}", GOAT_NOT_FOUND},
        {"{key: 'z', schema: 'unheard of'}", GOAT_NO_SCHEMA},
        {"{key: '', schema: 'goat'}", GOAT_INVALID},
        {"{key: 'a//b', schema: 'goat'}", GOAT_INVALID},
        {"{key: 'x', more: 1}", GOAT_INVALID},
        {"{schema: 'goat'}", GOAT_INVALID},
        {"7", GOAT_INVALID},
    };
    assert_int_equal(test_handle_schema(&f->a, test_sheep_1), GOAT_OK);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char edits[300];
        snprintf(edits, sizeof edits, "[{key: 'n', schema: 'goat', set: {votes: 1}}, {key: 'x', set: {votes: 9}}, %s]",
                 wrong[i].edit);
        refuses(f, edits, 0, wrong[i].status);
    }
    test_handle_shows(&f->a, "x", "{text: 'a'}");
    refuses(f, "[{key: 'n', schema: 'goat'}, {key: 'x', schema: 'goat'}]", GOAT_APPLY_CREATE_ONLY, GOAT_EXISTS);
    refuses(f, "[{key: 'n', schema: 'goat'}, {key: 'n', schema: 'goat'}]", GOAT_APPLY_CREATE_ONLY, GOAT_EXISTS);
    refuses(f, "{key: 'x'}", 0, GOAT_INVALID);
    applies(f, "[]", 0, 0, 0);
}

/* The unsaved edit goes first, in a batch of its own that is made meanwhile; its child must be later all the same. */
static void an_unsaved_edit_is_saved_before_it_and_its_commit_is_earlier(void **state) {
    test_handles *f = *state;
    applies(f, "[{key: 'x', schema: 'goat', set: {text: 'a'}}, {key: 'y', schema: 'goat', set: {text: 'a'}}]", 2, 0, 0);
    test_handle_settle(&f->a);
    assert_int_equal(test_handle_set(&f->a, "y", "votes", "1"), GOAT_OK);
    applies(f, "[{key: 'x', set: {votes: 2}}, {key: 'y', set: {votes: 5}}, {key: 'y', set: {size: 1}}]", 0, 3, 0);
    test_handle_shows(&f->a, "y", "{text: 'a', votes: 5, size: 1}");
    assert_int_equal(test_handle_entries(&f->a), 6);
    assert_int_equal(test_handle_verify(&f->a), 0);
    gt_repo *repo = f->a.space->mount->repo;
    for (uint32_t c = 0; c < 6; c++) {
        gt_commit_info info;
        assert_int_equal(gt_repo_commit_info(repo, c, &info, NULL), GOAT_OK);
        for (uint32_t p = 0; p < c; p++) {
            gt_commit_info parent;
            assert_int_equal(gt_repo_commit_info(repo, p, &parent, NULL), GOAT_OK);
            for (uint32_t i = 0; i < info.commit.parents.count; i++) {
                if (gt_id_compare(gt_ids_at(info.commit.parents, i), &parent.id) != 0) continue;
                assert_true(parent.commit.time < info.commit.time);
            }
        }
    }
}

static void another_handle_sees_it_when_it_advances_and_once(void **state) {
    test_handles *f = *state;
    test_handle_join(&f->b, &f->a);
    test_handle_advance(&f->b);
    applies(f,
            "[{key: 'x', schema: 'goat', set: {text: 'a'}}, {key: 'x', set: {text: 'b'}}, {key: 'x', set: {votes: 1}}]",
            1, 2, 0);
    test_handle_shows(&f->b, "x", NULL);
    test_handle_advances(&f->b, "[[1, '" TEST_REPO "/x', 1, ['text', 'votes']]]");
    test_handle_advances(&f->a, "[[1, '" TEST_REPO "/x', 0, ['text', 'votes']]]");
    test_handle_shows(&f->b, "x", "{text: 'b', votes: 1}");
}

/* ---- transactions ---- */

typedef struct transaction {
    test_handles *f;
    goat_tx *tx;
} transaction;

static transaction begin(test_handles *f) {
    transaction t = {f, NULL};
    assert_int_equal(gt_tx_begin(f->a.space, &t.tx, NULL), GOAT_OK);
    return t;
}

static void end(transaction *t) {
    goat_db *db = gt_tx_db(t->tx);
    gt_tx_rollback(t->tx);
    if (gt_tx_release(t->tx)) {
        gt_db_unlock(db);
        gt_db_release(db);
        gt_db_lock(db);
    }
}

static goat_item *item_in(transaction *t, const char *key) {
    goat_item *item = NULL;
    assert_int_equal(test_handle_item(&t->f->a, t->tx, key, &item), GOAT_OK);
    return item;
}

static goat_status commit(transaction *t) {
    return gt_tx_commit(t->tx, gt_bytes_text("a message"), NULL, &t->f->a.diag);
}

static void a_transaction_is_seen_by_nobody_before_it_is_committed(void **state) {
    test_handles *f = *state;
    applies(f, "[{key: 'x', schema: 'goat', set: {text: 'a'}}, {key: 'y', schema: 'goat', set: {text: 'a'}}]", 2, 0, 0);
    transaction t = begin(f);
    goat_item *x = item_in(&t, "x"), *y = item_in(&t, "y");
    assert_int_equal(test_item_set(&f->a, x, "text", "'b'"), GOAT_OK);
    assert_int_equal(test_item_set(&f->a, y, "text", "'b'"), GOAT_OK);
    test_item_shows(x, "{text: 'b'}");
    test_handle_shows(&f->a, "x", "{text: 'a'}");
    test_handle_pass(&f->a, 700);
    assert_int_equal(test_handle_entries(&f->a), 2);
    assert_int_equal(commit(&t), GOAT_OK);
    test_handle_shows(&f->a, "x", "{text: 'b'}");
    test_handle_shows(&f->a, "y", "{text: 'b'}");
    assert_int_equal(test_item_set(&f->a, x, "text", "'c'"), GOAT_MISUSE);
    assert_int_equal(commit(&t), GOAT_MISUSE);
    gt_commit_info info;
    assert_int_equal(gt_repo_commit_info(f->a.space->mount->repo, 3, &info, NULL), GOAT_OK);
    assert_int_equal(info.leaf, 1);
    assert_true(gt_bytes_equal(info.commit.message, gt_bytes_text("a message")));
    /* the frame says that the two leaves are one group */
    gt_record record;
    uint64_t offset = GT_LOG_HEADER_SIZE;
    gt_arena arena;
    gt_batch batch;
    for (int i = 0; i < 2; i++)
        assert_int_equal(gt_log_next(gt_repo_log(f->a.space->mount->repo), &offset, false, &record), GOAT_OK);
    gt_arena_init(&arena, &gt_alloc_system);
    assert_int_equal(gt_batch_decode(record.payload, &arena, &batch, NULL), GOAT_OK);
    assert_int_equal(batch.size, 2);
    assert_int_equal(gt_batch_group_of(&batch, 0), 0);
    assert_int_equal(gt_batch_group_of(&batch, 1), 0);
    gt_arena_free(&arena);
    end(&t);
    test_handle_drop(x);
    test_handle_drop(y);
}

static void what_is_rolled_back_was_never_there(void **state) {
    test_handles *f = *state;
    applies(f, "[{key: 'x', schema: 'goat', set: {text: 'a'}}]", 1, 0, 0);
    transaction t = begin(f);
    goat_item *x = item_in(&t, "x"), *made = NULL;
    assert_int_equal(test_item_set(&f->a, x, "text", "'b'"), GOAT_OK);
    assert_int_equal(gt_item_create(f->a.db, t.tx, gt_bytes_text(TEST_REPO "/new"), gt_bytes_text("goat"),
                                    gt_bytes_of(NULL, 0), &made, NULL),
                     GOAT_OK);
    end(&t);
    test_handle_shows(&f->a, "x", "{text: 'a'}");
    test_handle_shows(&f->a, "new", NULL);
    assert_int_equal(test_handle_entries(&f->a), 1);
    gt_sight sight;
    assert_int_not_equal(gt_item_look(made, &sight, NULL), GOAT_OK);
    test_handle_drop(x); /* items outlive their transaction */
    test_handle_drop(made);
}

static void its_first_touch_of_an_item_saves_the_pending_edits(void **state) {
    test_handles *f = *state;
    applies(f, "[{key: 'x', schema: 'goat', set: {text: 'a'}}]", 1, 0, 0);
    test_handle_settle(&f->a);
    assert_int_equal(test_handle_set(&f->a, "x", "votes", "1"), GOAT_OK);
    transaction t = begin(f);
    goat_item *x = item_in(&t, "x");
    assert_int_equal(test_handle_entries(&f->a), 2);
    test_item_shows(x, "{text: 'a', votes: 1}");
    assert_int_equal(test_item_set(&f->a, x, "size", "3"), GOAT_OK);
    assert_int_equal(test_handle_set(&f->a, "x", "votes", "9"), GOAT_OK); /* beside it */
    test_item_shows(x, "{text: 'a', votes: 1, size: 3}");
    assert_int_equal(commit(&t), GOAT_OK);
    test_handle_flush(&f->a, GOAT_DURABLE_MEMORY);
    test_handle_shows(&f->a, "x", "{text: 'a', votes: 9, size: 3}");
    end(&t);
    test_handle_drop(x);
    assert_int_equal(test_handle_verify(&f->a), 0);
}

static void an_invalid_transaction_stays_open(void **state) {
    test_handles *f = *state;
    assert_int_equal(test_handle_schema(&f->a, "{\"ns\": \"strict\", \"version\": 1, \"fields\": {"
                                               "\"name\": {\"type\": \"string\", \"required\": true}}}"),
                     GOAT_OK);
    applies(f, "[{key: 'x', schema: 'goat', set: {text: 'a'}}]", 1, 0, 0);
    transaction t = begin(f);
    goat_item *x = item_in(&t, "x"), *made = NULL;
    assert_int_equal(test_item_set(&f->a, x, "text", "'b'"), GOAT_OK);
    assert_int_equal(gt_item_create(f->a.db, t.tx, gt_bytes_text(TEST_REPO "/new"), gt_bytes_text("strict"),
                                    gt_bytes_of(NULL, 0), &made, NULL),
                     GOAT_OK);
    assert_int_equal(commit(&t), GOAT_INVALID);
    assert_string_equal(f->a.diag.path, TEST_REPO "/new");
    test_handle_shows(&f->a, "x", "{text: 'a'}");
    assert_int_equal(test_item_set(&f->a, made, "name", "'n'"), GOAT_OK);
    assert_int_equal(commit(&t), GOAT_OK);
    test_handle_shows(&f->a, "x", "{text: 'b'}");
    test_handle_shows(&f->a, "new", "{name: 'n'}");
    end(&t);
    test_handle_drop(x);
    test_handle_drop(made);
}

static void an_empty_transaction_writes_nothing(void **state) {
    test_handles *f = *state;
    transaction t = begin(f);
    uint64_t length = length_of(f);
    assert_int_equal(commit(&t), GOAT_OK);
    assert_int_equal(length_of(f), length);
    end(&t);
}

static void it_outlives_its_repository(void **state) {
    test_handles *f = *state;
    applies(f, "[{key: 'x', schema: 'goat', set: {text: 'a'}}]", 1, 0, 0);
    transaction t = begin(f);
    goat_item *x = item_in(&t, "x");
    assert_int_equal(test_item_set(&f->a, x, "text", "'b'"), GOAT_OK);
    goat_job *job = NULL;
    assert_int_equal(gt_space_close(f->a.space, &job, NULL), GOAT_OK);
    assert_int_equal(test_handle_wait(&f->a, job, NULL), GOAT_OK);
    assert_int_equal(test_item_set(&f->a, x, "text", "'c'"), GOAT_CLOSED);
    assert_int_equal(commit(&t), GOAT_CLOSED);
    assert_int_equal(test_handle_open_repo(&f->a), GOAT_OK);
    assert_int_equal(commit(&t), GOAT_CLOSED); /* it is of the one that was closed */
    end(&t);
    test_handle_drop(x);
    test_handle_shows(&f->a, "x", "{text: 'a'}");
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, test_handles_set_up, test_handles_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(it_sets_unsets_replaces_and_deletes),
        CASE(what_is_deleted_with_an_edit_stays_deleted),
        CASE(later_edits_of_one_key_follow_the_earlier_ones),
        CASE(nothing_is_changed_when_one_edit_is_wrong),
        CASE(an_unsaved_edit_is_saved_before_it_and_its_commit_is_earlier),
        CASE(another_handle_sees_it_when_it_advances_and_once),
        CASE(a_transaction_is_seen_by_nobody_before_it_is_committed),
        CASE(what_is_rolled_back_was_never_there),
        CASE(its_first_touch_of_an_item_saves_the_pending_edits),
        CASE(an_invalid_transaction_stays_open),
        CASE(an_empty_transaction_writes_nothing),
        CASE(it_outlives_its_repository),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
