/* Reverting, claim by claim. */
#include "support/test.h"

#include "support/test_alloc.h"
#include "support/test_value.h"
#include "support/undo_history.h"

static void a_write_goes_back_to_the_one_before(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    undo_edit_all(h, "{title: 'a'}");
    uint32_t second = undo_edit_all(h, "{title: 'b', done: true}");
    undo_edit_all(h, "{votes: 3}");
    undo_revert_one(h, second);
    undo_assert_all(h, "{title: 'a', votes: 3}");
}

static void what_was_written_over_stays_written_over(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    undo_edit_all(h, "{title: 'a'}");
    uint32_t second = undo_edit_all(h, "{title: 'b'}");
    undo_edit_all(h, "{title: 'c'}");
    uint32_t undo = undo_revert_one(h, second);
    undo_assert_all(h, "{title: 'c'}");
    assert_value(h->steps[undo].delta, "{}");
}

static void what_is_undone_does_not_come_back_with_another(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    undo_edit_all(h, "{votes: 1}");
    uint32_t a = undo_edit_all(h, "{title: 'a'}"), b = undo_edit_all(h, "{title: 'b'}");
    undo_revert_one(h, a);
    undo_assert_all(h, "{title: 'b', votes: 1}");
    undo_revert_one(h, b);
    undo_assert_all(h, "{votes: 1}");
}

static void undoing_twice_undoes_what_the_first_brought_back(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    undo_edit_all(h, "{body: '', list: []}");
    uint32_t one = undo_edit_all(h, "{body: {0: ['one']}, list: {0: [[1]]}, title: 'one'}");
    uint32_t two = undo_edit_all(h, "{body: {0: ['two', -3]}, list: {0: [[2], -1]}, title: 'two'}");
    undo_revert_one(h, two);
    undo_assert_all(h, "{body: 'one', list: [1], title: 'one'}");
    undo_revert_one(h, one);
    undo_assert_all(h, "{body: '', list: []}");
}

static void a_chain_of_undo_and_redo_stays_exact(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    undo_edit_all(h, "{body: 'ac', list: [1, 3], votes: 1, tags: set['x'], map: {k: 1}}");
    uint32_t last = undo_edit_all(
        h, "{body: {0: [1, 'b']}, list: {0: [1, [2]]}, votes: 5, tags: {0: set['y'], 1: set['x']}, map: {k: 2}}");
    for (int i = 0; i < 5; i++) {
        last = undo_revert_one(h, last);
        undo_assert_all(h, "{body: 'ac', list: [1, 3], votes: 1, tags: set['x'], map: {k: 1}}");
        last = undo_revert_one(h, last);
        undo_assert_all(h, "{body: 'abc', list: [1, 2, 3], votes: 6, tags: set['y'], map: {k: 2}}");
    }
}

static void others_type_inside_of_what_is_undone_and_done_again(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    undo_edit_all(h, "{body: ''}");
    uint32_t typed = undo_edit_all(h, "{body: {0: ['abc']}}");
    uint32_t undo = undo_revert_one(h, typed);
    undo_revert_one(h, undo);
    undo_edit_all(h, "{body: {0: [1, 'X']}}");
    undo_assert_all(h, "{body: 'aXbc'}");
    uint32_t again = undo_revert_one(h, typed);
    undo_assert_all(h, "{body: 'X'}");
    undo_revert_one(h, again);
    undo_assert_all(h, "{body: 'aXbc'}");
}

static void a_creation_undone_is_a_deletion(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    uint32_t first = undo_edit_all(h, "{title: 'a', body: 'b'}");
    uint32_t undo = undo_revert_one(h, first);
    assert_value(h->steps[undo].delta, "{0: true}");
    undo_assert_all(h, "{0: true, title: 'a', body: 'b'}");
    undo_revert_one(h, undo);
    undo_assert_all(h, "{title: 'a', body: 'b'}");
}

static void a_creation_undone_leaves_what_others_wrote(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    uint32_t first = undo_edit_all(h, "{title: 'a', body: 'b'}");
    undo_edit_all(h, "{votes: 1}");
    undo_revert_one(h, first);
    undo_assert_all(h, "{votes: 1}");
}

static void a_deletion_is_undone_and_done_again(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    undo_edit_all(h, "{title: 'a'}");
    uint32_t deletion = undo_edit_all(h, "{0: true}");
    uint32_t undo = undo_revert_one(h, deletion);
    undo_assert_all(h, "{title: 'a'}");
    undo_revert_one(h, undo);
    undo_assert_all(h, "{0: true, title: 'a'}");
}

static void an_undone_edit_does_not_clear_a_tombstone(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    undo_edit_all(h, "{title: 'a'}");
    uint32_t second = undo_edit_all(h, "{title: 'b'}");
    undo_edit_all(h, "{0: true}");
    undo_revert_one(h, second);
    undo_assert_all(h, "{0: true, title: 'a'}");
}

static void a_moved_element_goes_back_with_what_others_made_of_it(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    undo_edit_all(h, "{list: [1, 2, 3]}");
    uint32_t moves = undo_edit_all(h, "{list: {0: [{1: 2}]}}");
    undo_assert_all(h, "{list: [3, 1, 2]}");
    undo_edit_all(h, "{list: {0: [{2: 'three'}]}}");
    uint32_t undo = undo_revert_one(h, moves);
    undo_assert_all(h, "{list: [1, 2, 'three']}");
    assert_value(h->steps[undo].delta, "{list: {0: [3, {1: 0}]}}");
    undo_revert_one(h, undo);
    undo_assert_all(h, "{list: ['three', 1, 2]}");
}

/* Somebody types beside an "a" that is like those around it: what is undone is that one, not the last. */
static void what_is_undone_in_an_object_goes_by_its_fields(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    undo_edit_all(h, "{card: {name: 'x', note: 'aa'}}");
    uint32_t types = undo_edit_all(h, "{card: {name: 'y', note: {0: ['a']}}}");
    uint64_t known = undo_first(h->count);
    uint32_t undo = undo_revert(h, known, undo_bit(types));
    assert_value(h->steps[undo].delta, "{card: {name: 'x', note: {0: [-1]}}}");
    undo_edit(h, known, "{card: {note: {0: [1, '-']}}}");
    undo_assert_all(h, "{card: {name: 'x', note: '-aa'}}");
    undo_edit_all(h, "{card: {name: 'z'}}");
    uint32_t redo = undo_revert_one(h, undo); /* of the name somebody else knew better */
    assert_value(h->steps[redo].delta, "{card: {note: {0: ['a']}}}");
    undo_assert_all(h, "{card: {name: 'z', note: 'a-aa'}}");
}

static void two_who_undo_at_once_are_both_taken_back(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    undo_edit_all(h, "{body: 'abc'}");
    uint32_t removed = undo_edit_all(h, "{body: {0: [-3]}}");
    uint64_t known = undo_first(h->count);
    uint32_t one = undo_revert(h, known, undo_bit(removed)), other = undo_revert(h, known, undo_bit(removed));
    undo_assert_all(h, "{body: 'abcabc'}");
    undo_revert(h, undo_first(h->count), undo_bit(one) | undo_bit(other));
    undo_assert_all(h, "{body: ''}");
}

static void what_is_undone_already_is_not_named_again(void **state) {
    undo_history *h = *state;
    undo_begin(h);
    uint32_t first = undo_edit_all(h, "{title: 'a'}"), second = undo_edit_all(h, "{votes: 1}");
    undo_revert_one(h, second);
    assert_int_equal(undo_revert_one(h, second), UINT32_MAX);
    uint32_t both = undo_revert(h, undo_first(h->count), undo_bit(first) | undo_bit(second));
    assert_int_equal(h->undoes[both].count, 1);
    assert_int_equal(h->undone[both][0], first);
}

static void every_lack_of_memory_is_said(void **state) {
    undo_history *h = *state;
    undo_some s;
    uint8_t asked[UNDO_STEPS_MAX] = {0}, marks[UNDO_STEPS_MAX];
    undo_begin(h);
    undo_edit_all(h, "{body: 'abc', list: [1, 2, 3], rich: [{insert: 'abc'}]}");
    uint32_t first = undo_edit_all(
        h, "{body: {0: [1, 'x', -1]}, list: {0: [{1: 2}, [4]]}, rich: {0: ['r']}, votes: 1, map: {k: 1}}");
    uint64_t known = undo_first(h->count);
    uint32_t undo = undo_revert_one(h, first);
    undo_edit(h, known, "{body: {0: [2, 'y']}, list: {0: [-1]}, rich: {0: [1, 's']}, map: {k: 2}, tags: set[1]}");
    undo_revert_one(h, undo);
    undo_edit_all(h, "{body: {0: [1, 'z']}, list: {0: [[5]]}, rich: {0: [1, 't']}, votes: 2}");
    undo_choose(h, undo_first(h->count), 0, 0, &s);
    asked[first] = 1;
    assert_int_equal(gt_merge_mark(s.steps, s.undoes, s.count, asked, marks), 1);
    gt_reverting what = {h->schema, {0}, s.steps, marks, s.count, true};
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        gt_buf view, delta;
        test_alloc_init(&memory, k);
        gt_buf_init(&view, &memory.alloc);
        gt_buf_init(&delta, &memory.alloc);
        goat_status status = gt_merge_revert(&memory.alloc, &what, &view, &delta, NULL, NULL);
        gt_buf_free(&view);
        gt_buf_free(&delta);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            assert_int_equal(status, GOAT_OK);
            assert_true(k > 20);
            break;
        }
        assert_int_equal(status, GOAT_NO_MEMORY);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_write_goes_back_to_the_one_before),
        cmocka_unit_test(what_was_written_over_stays_written_over),
        cmocka_unit_test(what_is_undone_does_not_come_back_with_another),
        cmocka_unit_test(undoing_twice_undoes_what_the_first_brought_back),
        cmocka_unit_test(a_chain_of_undo_and_redo_stays_exact),
        cmocka_unit_test(others_type_inside_of_what_is_undone_and_done_again),
        cmocka_unit_test(a_creation_undone_is_a_deletion),
        cmocka_unit_test(a_creation_undone_leaves_what_others_wrote),
        cmocka_unit_test(a_deletion_is_undone_and_done_again),
        cmocka_unit_test(an_undone_edit_does_not_clear_a_tombstone),
        cmocka_unit_test(a_moved_element_goes_back_with_what_others_made_of_it),
        cmocka_unit_test(what_is_undone_in_an_object_goes_by_its_fields),
        cmocka_unit_test(two_who_undo_at_once_are_both_taken_back),
        cmocka_unit_test(what_is_undone_already_is_not_named_again),
        cmocka_unit_test(every_lack_of_memory_is_said),
    };
    return cmocka_run_group_tests(tests, undo_set_up, undo_tear_down);
}
