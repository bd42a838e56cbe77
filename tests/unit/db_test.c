/* core/db: handles and what they see, unsaved edits and how they are captured, claim by claim. */
#include "support/test.h"

#include "db/internal.h"
#include "support/test_handle.h"
#include "support/test_repo.h"
#include "support/test_value.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- capture ---- */

static void the_first_edit_is_captured_at_once_then_three_times_a_second(void **state) {
    test_handles *f = *state;
    assert_int_equal(test_handle_create(&f->a, "x", "{votes: 0}"), GOAT_OK);
    assert_int_equal(test_handle_entries(&f->a), 0);
    test_handle_settle(&f->a); /* at the end of the turn */
    assert_int_equal(test_handle_entries(&f->a), 1);
    for (int ms = 0; ms < 3330; ms++) { /* typing */
        char value[24];
        snprintf(value, sizeof value, "'%d'", ms);
        assert_int_equal(test_handle_set(&f->a, "x", "text", value), GOAT_OK);
        test_handle_pass(&f->a, 1);
    }
    assert_int_equal(test_handle_entries(&f->a), 11);
    test_handle_pass(&f->a, 400);
    assert_int_equal(test_handle_unsaved(&f->a), 0);
    uint32_t entries = test_handle_entries(&f->a);
    assert_true(entries >= 11 && entries <= 12);
    assert_int_equal(test_handle_set(&f->a, "x", "text", "'after a rest'"), GOAT_OK);
    test_handle_settle(&f->a);
    assert_int_equal(test_handle_entries(&f->a), entries + 1);
}

static void edits_of_one_turn_are_one_commit_an_item_in_one_batch(void **state) {
    test_handles *f = *state;
    for (int i = 0; i < 5; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(test_handle_create(&f->a, key, "{votes: 1}"), GOAT_OK);
        for (int k = 0; k < 4; k++)
            assert_int_equal(test_handle_set(&f->a, key, "text", k == 0 ? "'a'" : "'b'"), GOAT_OK);
    }
    uint64_t length = gt_log_length(gt_repo_log(f->a.space->mount->repo));
    test_handle_settle(&f->a);
    assert_int_equal(test_handle_entries(&f->a), 5);
    assert_true(gt_log_length(gt_repo_log(f->a.space->mount->repo)) - length < 1500);
    test_handle_shows(&f->a, "k4", "{votes: 1, text: 'b'}");
}

static void an_edit_that_is_taken_back_is_none(void **state) {
    test_handles *f = *state;
    assert_int_equal(test_handle_create(&f->a, "x", "{text: 'a'}"), GOAT_OK);
    test_handle_settle(&f->a);
    assert_int_equal(test_handle_set(&f->a, "x", "text", "'b'"), GOAT_OK);
    assert_int_equal(test_handle_unsaved(&f->a), 1);
    assert_int_equal(test_handle_set(&f->a, "x", "text", "'a'"), GOAT_OK);
    assert_int_equal(test_handle_unsaved(&f->a), 0);
    test_handle_pass(&f->a, 400);
    assert_int_equal(test_handle_entries(&f->a), 1);
}

/* What is wrong stays unsaved and is named; everything else goes. */
static void an_invalid_item_stays_unsaved_and_flush_names_it(void **state) {
    test_handles *f = *state;
    assert_int_equal(test_handle_schema(&f->a, "{\"ns\": \"strict\", \"version\": 1, \"fields\": {"
                                               "\"name\": {\"type\": \"string\", \"required\": true}}}"),
                     GOAT_OK);
    goat_item *item = NULL;
    assert_int_equal(gt_item_create(f->a.db, NULL, gt_bytes_text(TEST_REPO "/wrong"), gt_bytes_text("strict"),
                                    gt_bytes_of(NULL, 0), &item, NULL),
                     GOAT_OK);
    assert_int_equal(test_handle_create(&f->a, "right", "{votes: 1}"), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_DISK), GOAT_INVALID);
    assert_string_equal(f->a.diag.path, TEST_REPO "/wrong");
    assert_string_equal(f->a.diag.field, "name");
    assert_int_equal(test_handle_entries(&f->a), 1);
    assert_int_equal(test_handle_unsaved(&f->a), 1);
    assert_int_equal(test_item_set(&f->a, item, "name", "'a name'"), GOAT_OK);
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_DISK), GOAT_OK);
    assert_int_equal(test_handle_entries(&f->a), 2);
    test_handle_drop(item);
}

static void unsaved_edits_of_more_than_a_frame_holds_become_several_batches(void **state) {
    test_handles *f = *state;
    enum { SIZE = 9 << 20 };
    char *text = malloc(SIZE + 16);
    memset(text, 'x', SIZE + 16);
    memcpy(text, "{text: '", 8);
    memcpy(text + SIZE, "'}", 3);
    for (int i = 0; i < 9; i++) {
        char key[16];
        snprintf(key, sizeof key, "k%d", i);
        assert_int_equal(test_handle_create(&f->a, key, text), GOAT_OK);
    }
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_SYSTEM), GOAT_OK);
    assert_int_equal(test_handle_entries(&f->a), 9);
    assert_int_equal(test_handle_unsaved(&f->a), 0);
    free(text);
}

static void many_works_are_captured_in_linear_time(void **state) {
    test_handles *f = *state;
    char key[16];
    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "k%u", (unsigned)i);
        assert_int_equal(test_handle_create(&f->a, key, "{votes: 1}"), GOAT_OK);
    }
    assert_int_equal(test_handle_flush(&f->a, GOAT_DURABLE_MEMORY), GOAT_OK);
    assert_int_equal(test_handle_entries(&f->a), 20000);
    for (uint32_t i = 0; i < 20000; i += 7) {
        snprintf(key, sizeof key, "k%u", (unsigned)i);
        test_handle_shows(&f->a, key, "{votes: 1}");
    }
}

/* ---- visible points ---- */

static void a_handle_sees_others_edits_only_when_it_advances(void **state) {
    test_handles *f = *state;
    assert_int_equal(test_handle_create(&f->a, "x", "{text: 'one', votes: 1}"), GOAT_OK);
    test_handle_settle(&f->a);
    test_handle_join(&f->b, &f->a);
    test_handle_advance(&f->a);
    test_handle_advance(&f->b);
    goat_item *seen = NULL;
    assert_int_equal(test_handle_item(&f->b, NULL, "x", &seen), GOAT_OK);
    assert_int_equal(test_handle_set(&f->a, "x", "text", "'two'"), GOAT_OK);
    assert_int_equal(test_handle_create(&f->a, "y", "{votes: 9}"), GOAT_OK);
    test_handle_pass(&f->a, 400);
    test_handle_shows(&f->a, "x", "{text: 'two', votes: 1}");
    test_handle_shows(&f->b, "x", "{text: 'one', votes: 1}");
    test_item_shows(seen, "{text: 'one', votes: 1}");
    test_handle_shows(&f->b, "y", NULL);
    test_handle_advances(&f->a, "[[1, '" TEST_REPO "/x', 0, ['text']], [1, '" TEST_REPO "/y', 0, ['votes']]]");
    test_handle_advances(&f->b, "[[1, '" TEST_REPO "/x', 1, ['text']], [1, '" TEST_REPO "/y', 1, ['votes']]]");
    test_handle_shows(&f->b, "x", "{text: 'two', votes: 1}");
    test_item_shows(seen, "{text: 'two', votes: 1}");
    test_handle_shows(&f->b, "y", "{votes: 9}");
    test_handle_advances(&f->b, "[]");
    test_handle_drop(seen);
}

static void own_edits_are_seen_at_once_also_on_what_others_have_changed(void **state) {
    test_handles *f = *state;
    assert_int_equal(test_handle_create(&f->a, "x", "{text: 'one', votes: 1}"), GOAT_OK);
    test_handle_settle(&f->a);
    test_handle_join(&f->b, &f->a);
    assert_int_equal(test_handle_set(&f->a, "x", "text", "'two'"), GOAT_OK);
    test_handle_pass(&f->a, 400);
    assert_int_equal(test_handle_set(&f->b, "x", "votes", "5"), GOAT_OK);
    test_handle_shows(&f->b, "x", "{text: 'one', votes: 5}");
    test_handle_pass(&f->a, 400); /* captured, on what b saw */
    assert_int_equal(test_handle_unsaved(&f->b), 0);
    test_handle_shows(&f->b, "x", "{text: 'one', votes: 5}");
    assert_int_equal(test_handle_set(&f->b, "x", "size", "7"), GOAT_OK);
    test_handle_pass(&f->a, 400);
    test_handle_shows(&f->b, "x", "{text: 'one', votes: 5, size: 7}");
    test_handle_shows(&f->a, "x", "{text: 'two', votes: 1}");
    test_handle_advance(&f->a);
    test_handle_shows(&f->a, "x", "{text: 'two', votes: 5, size: 7}");
    test_handle_advance(&f->b);
    test_handle_shows(&f->b, "x", "{text: 'two', votes: 5, size: 7}");
}

static void unsaved_edits_are_merged_by_the_advance(void **state) {
    test_handles *f = *state;
    assert_int_equal(test_handle_create(&f->a, "x", "{tags: set[1]}"), GOAT_OK);
    test_handle_settle(&f->a);
    test_handle_join(&f->b, &f->a);
    assert_int_equal(test_handle_set(&f->b, "x", "votes", "3"), GOAT_OK); /* not yet captured */
    assert_int_equal(test_handle_apply(&f->a, "[{key: 'x', set: {tags: set[1, 2], text: 'theirs'}}]", 0, NULL),
                     GOAT_OK);
    test_handle_shows(&f->b, "x", "{tags: set[1], votes: 3}");
    assert_int_equal(test_handle_unsaved(&f->b), 1);
    test_handle_advance(&f->b);
    assert_int_equal(test_handle_unsaved(&f->b), 0);
    test_handle_shows(&f->b, "x", "{tags: set[1, 2], text: 'theirs', votes: 3}");
    test_handle_advance(&f->a);
    test_handle_shows(&f->a, "x", "{tags: set[1, 2], text: 'theirs', votes: 3}");
}

/* An edit that came to nothing must not keep the item at what it was. */
static void an_edit_that_was_none_does_not_hide_what_others_do(void **state) {
    test_handles *f = *state;
    assert_int_equal(test_handle_create(&f->a, "x", "{text: 'one'}"), GOAT_OK);
    test_handle_settle(&f->a);
    test_handle_join(&f->b, &f->a);
    goat_item *item = NULL;
    assert_int_equal(test_handle_item(&f->b, NULL, "x", &item), GOAT_OK);
    assert_int_equal(test_item_set(&f->b, item, "text", "'one'"), GOAT_OK);     /* what it is already */
    assert_int_equal(test_item_set(&f->b, item, "text", "7"), GOAT_WRONG_TYPE); /* what cannot be */
    test_handle_pass(&f->b, 400);
    assert_int_equal(test_handle_set(&f->a, "x", "text", "'two'"), GOAT_OK);
    test_handle_pass(&f->a, 400);
    assert_int_equal(test_item_set(&f->b, item, "text", "'one'"), GOAT_OK);
    test_handle_advance(&f->b);
    test_item_shows(item, "{text: 'two'}");
    test_handle_shows(&f->b, "x", "{text: 'two'}");
    assert_int_equal(test_handle_set(&f->a, "x", "text", "'three'"), GOAT_OK);
    test_handle_pass(&f->a, 400);
    test_handle_advance(&f->b);
    test_item_shows(item, "{text: 'three'}");
    test_handle_drop(item);
}

static void a_key_that_both_create_before_they_advance_is_one_item(void **state) {
    test_handles *f = *state;
    test_handle_join(&f->b, &f->a);
    assert_int_equal(test_handle_create(&f->a, "x", "{tags: set[1]}"), GOAT_OK);
    test_handle_pass(&f->a, 400);
    assert_int_equal(test_handle_create(&f->b, "x", "{tags: set[2]}"), GOAT_OK);
    test_handle_pass(&f->a, 400);
    test_handle_shows(&f->a, "x", "{tags: set[1]}");
    test_handle_shows(&f->b, "x", "{tags: set[2]}");
    test_handle_advance(&f->a);
    test_handle_advance(&f->b);
    test_handle_shows(&f->a, "x", "{tags: set[1, 2]}");
    test_handle_shows(&f->b, "x", "{tags: set[1, 2]}");
    assert_int_equal(test_handle_create(&f->b, "x", "{}"), GOAT_EXISTS);
}

static void more_changes_than_are_kept_become_a_reset(void **state) {
    test_handles *f = *state;
    test_handle_join(&f->b, &f->a);
    test_handle_advance(&f->b);
    f->b.db->changes_max = 5;
    gt_apply_result result;
    assert_int_equal(test_handle_create(&f->a, "old", "{votes: 1}"), GOAT_OK);
    test_handle_settle(&f->a);
    test_handle_advance(&f->b);
    for (int i = 0; i < 12; i++) {
        char edit[80];
        snprintf(edit, sizeof edit, "[{key: 'k%d', schema: 'goat', set: {votes: %d}}]", i, i);
        assert_int_equal(test_handle_apply(&f->a, edit, 0, &result), GOAT_OK);
    }
    assert_int_equal(test_handle_apply(&f->a, "[{key: 'old', set: {votes: 8}}]", 0, &result), GOAT_OK);
    test_handle_shows(&f->b, "k3", NULL);
    test_handle_shows(&f->b, "k11", NULL);
    test_handle_shows(&f->b, "old", "{votes: 1}"); /* still as it was, beyond the limit too */
    test_handle_advances(&f->b, "[[0]]");
    test_handle_shows(&f->b, "k11", "{votes: 11}");
    test_handle_shows(&f->b, "old", "{votes: 8}");
    test_handle_advances(&f->b, "[]");
}

static void deleting_and_undeleting_are_seen_and_told(void **state) {
    test_handles *f = *state;
    assert_int_equal(test_handle_create(&f->a, "x", "{votes: 1}"), GOAT_OK);
    test_handle_settle(&f->a);
    test_handle_join(&f->b, &f->a);
    test_handle_advance(&f->b);
    goat_item *item = NULL;
    gt_sight sight;
    assert_int_equal(test_handle_item(&f->a, NULL, "x", &item), GOAT_OK);
    assert_int_equal(gt_item_delete(item, true, NULL), GOAT_OK);
    assert_int_equal(gt_item_look(item, &sight, NULL), GOAT_OK);
    assert_int_equal(sight.flags, GOAT_ITEM_DELETED | GOAT_ITEM_UNSAVED);
    test_handle_pass(&f->a, 400);
    test_handle_shows(&f->a, "x", "{votes: 1, 0: true}");
    test_handle_shows(&f->b, "x", "{votes: 1}");
    test_handle_advances(&f->b, "[[1, '" TEST_REPO "/x', 1, []]]");
    test_handle_shows(&f->b, "x", "{votes: 1, 0: true}");
    uint32_t entries = test_handle_entries(&f->a);
    assert_int_equal(gt_item_delete(item, true, NULL), GOAT_OK); /* no edit */
    test_handle_pass(&f->a, 400);
    assert_int_equal(test_handle_entries(&f->a), entries);
    assert_int_equal(gt_item_delete(item, false, NULL), GOAT_OK);
    test_handle_pass(&f->a, 400);
    test_handle_shows(&f->a, "x", "{votes: 1}");
    assert_int_equal(gt_item_delete(item, true, NULL), GOAT_OK);
    test_handle_pass(&f->a, 400);
    assert_int_equal(test_item_set(&f->a, item, "votes", "5"), GOAT_OK); /* an edit brings it back */
    test_handle_pass(&f->a, 400);
    test_handle_shows(&f->a, "x", "{votes: 5}");
    test_handle_drop(item);
}

/* ---- schemas ---- */

static void what_a_new_schema_brings_is_seen_at_once_by_who_registers_it(void **state) {
    test_handles *f = *state;
    assert_int_equal(test_handle_create(&f->a, "x", "{text: 'a', size: 3, votes: 1}"), GOAT_OK);
    test_handle_settle(&f->a);
    test_handle_join(&f->b, &f->a);
    test_handle_advance(&f->a);
    test_handle_advance(&f->b);
    assert_int_equal(test_handle_schema(&f->a, test_goat_2), GOAT_OK);
    test_handle_shows(&f->a, "x", "{text: 'a', votes: 1}"); /* size is of another type there */
    test_handle_shows(&f->b, "x", "{text: 'a', size: 3, votes: 1}");
    test_handle_advances(&f->b, "[[1, '" TEST_REPO "/x', 1, ['size']]]");
    test_handle_shows(&f->b, "x", "{text: 'a', votes: 1}");
    assert_int_equal(test_handle_set(&f->b, "x", "extra", "'new'"), GOAT_OK);
    test_handle_pass(&f->b, 400);
    test_handle_advance(&f->a);
    test_handle_shows(&f->a, "x", "{text: 'a', votes: 1, extra: 'new'}");
}

/* A newer version each time, registered after so many rounds of opening. */
static void a_schema_that_comes_while_a_repository_opens_is_known_in_it(void **state) {
    test_handles *f = *state;
    assert_int_equal(test_handle_apply(&f->a, "[{key: 'x', schema: 'goat', set: {votes: 1}}]", 0, NULL), GOAT_OK);
    for (int i = 0; i < 60; i++)
        assert_int_equal(
            test_handle_apply(&f->a, "[{key: 'x', set: {text: 'a'}}, {key: 'x', set: {text: 'b'}}]", 0, NULL), GOAT_OK);
    for (int rounds = 0; rounds < 50; rounds++) {
        char json[200];
        snprintf(json, sizeof json,
                 "{\"ns\": \"goat\", \"version\": %d, \"fields\": {\"votes\": {\"type\": \"counter\"}}}", rounds + 10);
        assert_int_equal(test_handle_end(&f->a), GOAT_OK);
        assert_int_equal(test_handle_try_open(&f->a, &f->machine, GOAT_OPEN_NO_THREAD), GOAT_OK);
        goat_job *job = NULL;
        assert_int_equal(gt_space_open(f->a.db, gt_bytes_text(TEST_REPO), &f->a.space, &job, NULL), GOAT_OK);
        for (int i = 0; i < rounds; i++) gt_db_pump(f->a.db, gt_db_now_us(f->a.db), NULL);
        assert_int_equal(test_handle_schema(&f->a, json), GOAT_OK);
        assert_int_equal(test_handle_wait(&f->a, job, NULL), GOAT_OK);
        test_handle_shows(&f->a, "x", "{votes: 1}");
    }
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, test_handles_set_up, test_handles_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_first_edit_is_captured_at_once_then_three_times_a_second),
        CASE(edits_of_one_turn_are_one_commit_an_item_in_one_batch),
        CASE(an_edit_that_is_taken_back_is_none),
        CASE(an_invalid_item_stays_unsaved_and_flush_names_it),
        CASE(unsaved_edits_of_more_than_a_frame_holds_become_several_batches),
        CASE(many_works_are_captured_in_linear_time),
        CASE(a_handle_sees_others_edits_only_when_it_advances),
        CASE(own_edits_are_seen_at_once_also_on_what_others_have_changed),
        CASE(unsaved_edits_are_merged_by_the_advance),
        CASE(an_edit_that_was_none_does_not_hide_what_others_do),
        CASE(a_key_that_both_create_before_they_advance_is_one_item),
        CASE(more_changes_than_are_kept_become_a_reset),
        CASE(deleting_and_undeleting_are_seen_and_told),
        CASE(what_a_new_schema_brings_is_seen_at_once_by_who_registers_it),
        CASE(a_schema_that_comes_while_a_repository_opens_is_known_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
