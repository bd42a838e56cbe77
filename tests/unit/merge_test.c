/* core/merge: what concurrent edits come to, claim by claim. The properties over random
 * histories are in merge_property_test.c, edits and deltas in merge_edit_test.c. */
#include "support/test.h"

#include "merge/kept.h"
#include "support/merge_fixture.h"
#include "support/test_alloc.h"
#include "support/test_value.h"

typedef merge_fixture fixture;

/* ---- single values ---- */

static void the_later_of_two_writes_wins(void **state) {
    fixture *f = *state;
    merge_begin(f, "{text: 'base'}");
    merge_step(f, "", "{text: 'a'}");
    merge_step(f, "", "{text: 'b'}");
    merge_gives(f, "{text: 'b'}");
    merge_begin(f, "{text: 'base'}");
    merge_step(f, "", "{text: 'a'}");
    merge_step(f, "", "{text: 'b'}");
    f->steps[0].time = 200; /* the order of steps is not the order of times */
    merge_gives(f, "{text: 'a'}");
}

static void equal_times_are_decided_by_id(void **state) {
    fixture *f = *state;
    merge_begin(f, "{}");
    merge_step(f, "", "{text: 'a'}");
    merge_step(f, "", "{text: 'b'}");
    f->steps[0].time = f->steps[1].time = 7;
    merge_gives(f, "{text: 'b'}");
    merge_begin(f, "{}");
    merge_step(f, "", "{text: 'a'}");
    merge_step(f, "", "{text: 'b'}");
    f->steps[0].time = f->steps[1].time = 7;
    f->ids[0][31] = 9;
    f->ids[0][0] = f->ids[1][0];
    merge_gives(f, "{text: 'a'}");
}

static void edits_of_different_fields_are_all_kept(void **state) {
    fixture *f = *state;
    merge_begin(f, "{text: 'x', size: 1, done: false}");
    merge_step(f, "", "{text: 'y'}");
    merge_step(f, "", "{size: 2}");
    merge_step(f, "", "{due: date(5)}");
    merge_gives(f, "{text: 'y', size: 2, done: false, due: date(5)}");
}

static void unsetting_is_a_write_like_others(void **state) {
    fixture *f = *state;
    merge_begin(f, "{text: 'x'}");
    merge_step(f, "", "{text: undefined}");
    merge_step(f, "", "{text: 'y'}");
    merge_gives(f, "{text: 'y'}");
    merge_begin(f, "{text: 'x'}");
    merge_step(f, "", "{text: 'y'}");
    merge_step(f, "", "{text: undefined}");
    merge_gives(f, "{}");
}

static void of_two_moves_the_later_one_counts(void **state) {
    fixture *f = *state;
    merge_begin(f, "{place: 'n0000000000000'}");
    merge_step(f, "", "{place: 'o0000000000000'}");
    merge_step(f, "", "{place: 'm0000000000000'}");
    merge_gives(f, "{place: 'm0000000000000'}");
    merge_step(f, "0", "{place: undefined}");
    merge_gives(f, "{}");
}

static void two_whole_lists_are_both_kept(void **state) {
    fixture *f = *state;
    merge_begin(f, "{list: [1]}");
    merge_step(f, "", "{list: [1, 2]}");
    merge_step(f, "", "{list: [3, 1]}");
    merge_gives(f, "{list: [1, 2, 3, 1]}");
}

static void a_write_of_each_type_replaces_the_one_before(void **state) {
    fixture *f = *state;
    merge_begin(f, "{size: 1, done: true, due: date(1), raw: bytes(00), owner: ref('/a/b/c'), list: []}");
    merge_step(f, "", "{size: 0.5, raw: bytes(01)}");
    merge_step(f, "0", "{done: false, due: date(2), owner: ref('/a/b/d'), list: [null]}");
    merge_gives(f, "{size: 0.5, done: false, due: date(2), raw: bytes(01), owner: ref('/a/b/d'), list: [null]}");
}

/* ---- sets ---- */

static void additions_of_both_sides_are_kept(void **state) {
    fixture *f = *state;
    merge_begin(f, "{tags: set['a']}");
    merge_step(f, "", "{tags: set['b']}");
    merge_step(f, "", "{tags: set['c']}");
    merge_gives(f, "{tags: set['a', 'b', 'c']}");
}

static void a_removal_removes_what_its_author_saw(void **state) {
    fixture *f = *state;
    merge_begin(f, "{tags: set['a', 'b']}");
    merge_step(f, "", "{tags: {1: set['a']}}");
    merge_step(f, "", "{tags: set['c']}");
    merge_gives(f, "{tags: set['b', 'c']}");
}

static void an_element_added_on_one_side_and_removed_on_the_other_stays(void **state) {
    fixture *f = *state;
    merge_begin(f, "{tags: set['a']}");
    merge_step(f, "", "{tags: {1: set['a']}}");
    merge_step(f, "", "{tags: set['a']}");
    merge_gives(f, "{tags: set['a']}");
    merge_begin(f, "{tags: set['a']}");
    merge_step(f, "", "{tags: set['a']}"); /* the removal comes later by time, and has not seen it */
    merge_step(f, "", "{tags: {1: set['a']}}");
    merge_gives(f, "{tags: set['a']}");
    merge_begin(f, "{tags: set['a']}");
    merge_step(f, "", "{tags: set['a']}");
    merge_step(f, "0", "{tags: {1: set['a']}}"); /* this one has */
    merge_gives(f, "{tags: set[]}");
}

static void a_removal_reaches_through_merges(void **state) {
    fixture *f = *state;
    merge_begin(f, NULL);
    merge_step(f, "", "{tags: set['x']}");
    merge_step(f, "", "{tags: set['x', 'y']}");
    merge_step(f, "0 1", "{tags: {1: set['x']}}");
    merge_step(f, "1", "{tags: set['x']}"); /* beside the removal */
    merge_step(f, "2", "{text: 'z'}");
    merge_gives(f, "{tags: set['x', 'y'], text: 'z'}");
    merge_begin(f, NULL);
    merge_step(f, "", "{tags: set['x']}");
    merge_step(f, "", "{tags: set['x', 'y']}");
    merge_step(f, "0 1", "{tags: {1: set['x']}}");
    merge_gives(f, "{tags: set['y']}");
}

static void criss_cross_removals_do_not_lose_what_each_side_added(void **state) {
    fixture *f = *state;
    merge_begin(f, "{tags: set[]}");
    merge_step(f, "", "{tags: set['a']}");                    /* 0 */
    merge_step(f, "", "{tags: set['b']}");                    /* 1 */
    merge_step(f, "0 1", "{tags: {1: set['a']}}");            /* 2 */
    merge_step(f, "0 1", "{tags: {1: set['b']}}");            /* 3 */
    merge_step(f, "2 3", "{tags: set['c']}");                 /* 4 */
    merge_step(f, "3", "{tags: {0: set['b'], 1: set['a']}}"); /* 5 */
    merge_gives(f, "{tags: set['b', 'c']}");
}

static void an_empty_set_stays_and_an_unset_one_goes(void **state) {
    fixture *f = *state;
    merge_begin(f, NULL);
    merge_step(f, "", "{tags: set[]}");
    merge_step(f, "", "{text: 'a'}");
    merge_gives(f, "{tags: set[], text: 'a'}");
    merge_begin(f, "{tags: set['a']}");
    merge_step(f, "", "{tags: {1: set['a']}}");
    merge_gives(f, "{tags: set[]}");
    merge_begin(f, "{tags: set['a']}");
    merge_step(f, "", "{tags: undefined}");
    merge_step(f, "", "{text: 'b'}");
    merge_gives(f, "{text: 'b'}");
}

static void an_unset_removes_what_it_saw_and_nothing_else(void **state) {
    fixture *f = *state;
    merge_begin(f, "{tags: set['a']}");
    merge_step(f, "", "{tags: undefined}");
    merge_step(f, "", "{tags: set['b']}");
    merge_gives(f, "{tags: set['b']}");
    merge_begin(f, "{tags: set['a', 'b']}");
    merge_step(f, "", "{tags: undefined}");
    merge_step(f, "", "{tags: {1: set['a']}}"); /* an edit that the unset has not seen: the field is there */
    merge_gives(f, "{tags: set[]}");
    merge_begin(f, "{tags: set['a']}");
    merge_step(f, "", "{tags: set['b']}");
    merge_step(f, "0", "{tags: undefined}");
    merge_step(f, "1", "{tags: set['c']}");
    merge_gives(f, "{tags: set['c']}");
}

/* ---- maps ---- */

static void keys_are_merged_one_by_one(void **state) {
    fixture *f = *state;
    merge_begin(f, "{map: {a: 1, b: 2, c: 3}}");
    merge_step(f, "", "{map: {a: 10, d: 4}}");
    merge_step(f, "", "{map: {b: undefined, e: 5}}");
    merge_gives(f, "{map: {a: 10, c: 3, d: 4, e: 5}}");
}

static void of_two_puts_the_later_stands(void **state) {
    fixture *f = *state;
    merge_begin(f, "{map: {a: 1}}");
    merge_step(f, "", "{map: {a: 2}}");
    merge_step(f, "", "{map: {a: 3}}");
    merge_gives(f, "{map: {a: 3}}");
}

static void a_put_beats_a_concurrent_removal(void **state) {
    fixture *f = *state;
    merge_begin(f, "{map: {a: 1}}");
    merge_step(f, "", "{map: {a: 2}}");
    merge_step(f, "", "{map: {a: undefined}}");
    merge_gives(f, "{map: {a: 2}}");
    merge_begin(f, "{map: {a: 1}}");
    merge_step(f, "", "{map: {a: 2}}");
    merge_step(f, "0", "{map: {a: undefined}}");
    merge_step(f, "", "{map: {a: 3}}");
    f->steps[2].time = 50;
    merge_gives(f, "{map: {a: 3}}");
}

static void an_earlier_put_stands_where_the_later_one_was_removed(void **state) {
    fixture *f = *state;
    merge_begin(f, "{}");
    merge_step(f, "", "{map: {a: 'early'}}");
    merge_step(f, "", "{map: {a: 'late'}}");
    merge_step(f, "1", "{map: {a: undefined}}");
    merge_gives(f, "{map: {a: 'early'}}");
}

static void an_empty_map_stays(void **state) {
    fixture *f = *state;
    merge_begin(f, "{map: {a: 1}}");
    merge_step(f, "", "{map: {a: undefined}}");
    merge_step(f, "", "{text: 'x'}");
    merge_gives(f, "{map: {}, text: 'x'}");
}

/* ---- counters ---- */

static void increments_are_added_up(void **state) {
    fixture *f = *state;
    merge_begin(f, "{votes: 10}");
    merge_step(f, "", "{votes: 5}");
    merge_step(f, "", "{votes: -20}");
    merge_step(f, "0 1", "{votes: 1}");
    merge_gives(f, "{votes: -4}");
}

static void a_counter_counts_modulo_2_to_the_64(void **state) {
    fixture *f = *state;
    merge_begin(f, "{votes: 9223372036854775807}");
    merge_step(f, "", "{votes: 1}");
    merge_gives(f, "{votes: -9223372036854775808}");
    merge_begin(f, "{votes: 9223372036854775807}");
    merge_step(f, "", "{votes: 9223372036854775807}");
    merge_step(f, "", "{votes: 2}");
    merge_gives(f, "{votes: 0}");
}

static void an_unset_takes_away_the_increments_that_it_saw(void **state) {
    fixture *f = *state;
    merge_begin(f, "{votes: 10}");
    merge_step(f, "", "{votes: 5}");
    merge_step(f, "0", "{votes: undefined}");
    merge_step(f, "", "{votes: 3}");
    merge_gives(f, "{votes: 3}");
    merge_begin(f, "{votes: 10}");
    merge_step(f, "", "{votes: undefined}");
    merge_step(f, "", "{text: 'a'}");
    merge_gives(f, "{text: 'a'}");
}

/* ---- the item ---- */

static void a_deleted_item_keeps_its_values(void **state) {
    fixture *f = *state;
    merge_begin(f, "{text: 'a', size: 1}");
    merge_step(f, "", "{0: true}");
    merge_gives(f, "{0: true, text: 'a', size: 1}");
    merge_begin(f, "{text: 'a', size: 1}");
    merge_step(f, "", "{0: true, text: 'b'}"); /* last words */
    merge_gives(f, "{0: true, text: 'b', size: 1}");
}

static void an_edit_clears_a_deletion_that_it_stands_beside_or_after(void **state) {
    fixture *f = *state;
    merge_begin(f, "{size: 1}");
    merge_step(f, "", "{text: 'a'}");
    merge_step(f, "", "{0: true}");
    merge_gives(f, "{text: 'a', size: 1}");
    merge_begin(f, "{size: 1}");
    merge_step(f, "", "{0: true}");
    merge_step(f, "0", "{text: 'a'}");
    merge_gives(f, "{text: 'a', size: 1}");
    merge_begin(f, "{size: 1}");
    merge_step(f, "", "{text: 'a'}");
    merge_step(f, "0", "{0: true}"); /* has seen it */
    merge_gives(f, "{0: true, text: 'a', size: 1}");
    merge_begin(f, "{0: true, size: 1}");
    merge_step(f, "", "{size: 1}");
    merge_gives(f, "{size: 1}");
}

static void undeleting_is_an_edit(void **state) {
    fixture *f = *state;
    merge_begin(f, "{0: true, size: 1}");
    merge_step(f, "", "{0: false}");
    merge_gives(f, "{size: 1}");
    merge_begin(f, "{size: 1}");
    merge_step(f, "", "{0: true}");
    merge_step(f, "", "{0: false}");
    merge_gives(f, "{size: 1}");
}

static void two_deletions_delete(void **state) {
    fixture *f = *state;
    merge_begin(f, "{size: 1}");
    merge_step(f, "", "{0: true, text: 'x'}");
    merge_step(f, "", "{0: true}");
    merge_gives(f, "{0: true, text: 'x', size: 1}");
}

static void one_deletion_that_saw_all_edits_is_enough(void **state) {
    fixture *f = *state;
    merge_begin(f, "{}");
    merge_step(f, "", "{text: 'a'}");  /* 0 */
    merge_step(f, "", "{text: 'b'}");  /* 1 */
    merge_step(f, "1", "{0: true}");   /* 2: has not seen 0 */
    merge_step(f, "0 1", "{0: true}"); /* 3: has seen all */
    merge_step(f, "2", "{0: true}");   /* 4: has not */
    merge_gives(f, "{0: true, text: 'b'}");
    merge_begin(f, "{}");
    merge_step(f, "", "{text: 'a'}");
    merge_step(f, "", "{text: 'b'}");
    merge_step(f, "1", "{0: true}");
    merge_step(f, "0", "{0: true}");
    merge_gives(f, "{text: 'b'}");
}

static void an_empty_edit_is_none_unless_it_creates(void **state) {
    fixture *f = *state;
    merge_begin(f, "{0: true, text: 'a'}");
    merge_step(f, "", "{}");
    merge_gives(f, "{0: true, text: 'a'}");
    merge_begin(f, NULL); /* two create the same key, one deletes it again */
    merge_step(f, "", "{}");
    merge_step(f, "", "{text: 'a'}");
    merge_step(f, "1", "{0: true}");
    merge_gives(f, "{text: 'a'}");
    merge_begin(f, "{}"); /* here both stand on a state without fields */
    merge_step(f, "", "{}");
    merge_step(f, "", "{text: 'a'}");
    merge_step(f, "1", "{0: true}");
    merge_gives(f, "{0: true, text: 'a'}");
}

static void two_who_create_the_same_key_are_merged(void **state) {
    fixture *f = *state;
    merge_begin(f, NULL);
    merge_step(f, "", "{text: 'a', tags: set[1], size: 1}");
    merge_step(f, "", "{text: 'b', tags: set[2], done: true}");
    merge_gives(f, "{text: 'b', tags: set[1, 2], size: 1, done: true}");
}

static void no_steps_leave_the_base(void **state) {
    fixture *f = *state;
    merge_begin(f, "{0: true, text: 'a'}");
    merge_gives(f, "{0: true, text: 'a'}");
    merge_begin(f, NULL);
    merge_gives(f, "{}");
}

/* ---- void, sealed and foreign steps ---- */

static void a_void_step_changes_nothing_and_keeps_its_place(void **state) {
    fixture *f = *state;
    merge_begin(f, "{text: 'a', tags: set['x'], votes: 1, map: {k: 1}}");
    merge_step(f, "", "{text: 'b', tags: {0: set['y'], 1: set['x']}, votes: 5, map: {k: 2}}");
    f->steps[0].is_void = true;
    merge_gives(f, "{text: 'a', tags: set['x'], votes: 1, map: {k: 1}}");
    merge_begin(f, "{tags: set['x']}");
    merge_step(f, "", "{tags: set['y']}");
    merge_step(f, "0", "{text: 'b'}");
    merge_step(f, "1", "{tags: {1: set['y']}}"); /* sees 0 through a void step */
    f->steps[1].is_void = true;
    merge_gives(f, "{tags: set['x']}");
    merge_begin(f, "{text: 'a'}");
    merge_step(f, "", "{0: true}");
    merge_step(f, "0", "{0: false}");
    f->steps[1].is_void = true;
    merge_gives(f, "{0: true, text: 'a'}");
    merge_begin(f, "{tags: set['x']}");
    merge_step(f, "", "{tags: undefined}");
    merge_step(f, "", "{votes: 1}");
    f->steps[0].is_void = true;
    merge_gives(f, "{tags: set['x'], votes: 1}");
}

static void a_sealed_step_changes_nothing(void **state) {
    fixture *f = *state;
    merge_begin(f, "{text: 'a'}");
    merge_step(f, "", NULL);
    merge_step(f, "0", "{size: 1}");
    merge_gives(f, "{text: 'a', size: 1}");
}

static void fields_of_another_version_are_passed_over(void **state) {
    fixture *f = *state;
    merge_begin(f, "{text: 'a'}");
    merge_step(f, "", "{text: 'b', other: 7}");
    merge_gives(f, "{text: 'b'}");
    merge_begin(f, "{text: 'a', other: 7}");
    merge_step(f, "", "{text: 'b'}");
    merge_gives(f, "{text: 'b', other: 7}");
}

/* ---- failures ---- */

static void a_replay_refuses_what_cannot_be_an_edit_and_says_which_step(void **state) {
    fixture *f = *state;
    static const char *const wrong[] = {"{text: 1}",    "{tags: [1]}", "{tags: {0: 7}}", "{tags: {5: set[1]}}",
                                        "{votes: 'a'}", "{map: [1]}",  "{map: {0: 1}}",  "{0: 7}",
                                        "{3: true}",    "[]"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        merge_begin(f, "{size: 1}");
        merge_step(f, "", "{size: 2}");
        merge_step(f, "0", wrong[i]);
        gt_buf out;
        gt_buf_init(&out, &gt_alloc_system);
        gt_diag_init(&f->diag);
        assert_int_equal(gt_merge_replay(&gt_alloc_system, f->schema, f->base, f->steps, 2, &out, NULL, &f->diag),
                         GOAT_INVALID);
        assert_int_equal(f->diag.position, 1);
        assert_int_equal(out.len, 0);
        gt_buf_free(&out);
    }
    merge_begin(f, NULL);
}

static void each_allocation_of_a_replay_may_fail(void **state) {
    fixture *f = *state;
    merge_begin(f, "{tags: set['a', 'b'], map: {k: 1}, votes: 1, text: 'x', size: 5}");
    merge_step(f, "", "{tags: {0: set['c'], 1: set['a']}, map: {k: undefined, l: 2}, votes: 1, text: 'y'}");
    merge_step(f, "", "{tags: {0: set['a'], 1: set['b']}, map: {k: 3}, votes: undefined, text: undefined}");
    merge_step(f, "0 1", "{0: true, tags: {1: set['c']}}");
    merge_step(f, "1", "{tags: set['zz'], due: date(1)}");
    for (uint64_t allowed = 0;; allowed++) {
        test_alloc memory;
        gt_buf out;
        test_alloc_init(&memory, allowed);
        gt_buf_init(&out, &memory.alloc);
        goat_status status =
            gt_merge_replay(&memory.alloc, f->schema, f->base, f->steps, f->step_count, &out, NULL, &f->diag);
        bool failed = memory.failed;
        if (!failed) {
            assert_int_equal(status, GOAT_OK);
            assert_value(gt_buf_bytes(&out),
                         "{due: date(1), map: {k: 3, l: 2}, size: 5, tags: set['a', 'zz'], votes: 1}");
        } else {
            assert_int_equal(status, GOAT_NO_MEMORY);
            assert_int_equal(out.len, 0);
        }
        gt_buf_free(&out);
        test_alloc_assert_empty(&memory);
        if (!failed) {
            break;
        }
    }
    merge_begin(f, NULL);
}

/* Steps come to a replay that is kept, which is asked after each. */
static goat_status keep(merge_fixture *f, const gt_alloc *alloc, gt_buf *out) {
    goat_status status = GOAT_OK;
    gt_kept *kept = gt_kept_new(alloc, f->schema, f->base);
    if (kept == NULL) return GOAT_NO_MEMORY;
    for (uint32_t i = 0; status == GOAT_OK && i < f->step_count; i++) {
        gt_buf_clear(out);
        status = gt_kept_append(kept, &f->steps[i], 1, &f->diag);
        if (status == GOAT_OK) status = gt_kept_write(kept, out, NULL, &f->diag);
    }
    assert_true(gt_kept_size(kept) > 0);
    gt_kept_free(kept);
    return status;
}

static void each_allocation_of_a_kept_replay_may_fail(void **state) {
    fixture *f = *state;
    merge_begin(f, "{rich: [{insert: 'abcdef'}], list: [1, 2, 3], tags: set['a']}");
    merge_step(f, "", "{rich: {0: [1, [2, {b: 1}], ['x', {i: 2}]]}, list: {0: [{1: 2}, 2]}}");
    merge_step(f, "", "{rich: {0: [[3, {b: 2}], ['y', {b: 3}], -2]}, list: {0: [{1: 1}, [7]]}, tags: undefined}");
    merge_step(f, "0", "{tags: {0: set['b']}, list: {0: [1, {2: 9}]}}");
    merge_step(f, "1 2", "{rich: {0: ['!']}, list: {0: [-1]}}");
    gt_buf expected;
    gt_buf_init(&expected, &gt_alloc_system);
    assert_int_equal(
        gt_merge_replay(&gt_alloc_system, f->schema, f->base, f->steps, f->step_count, &expected, NULL, &f->diag),
        GOAT_OK);
    for (uint64_t allowed = 0;; allowed++) {
        test_alloc memory;
        gt_buf out;
        test_alloc_init(&memory, allowed);
        gt_buf_init(&out, &memory.alloc);
        goat_status status = keep(f, &memory.alloc, &out);
        if (!memory.failed) assert_true(gt_bytes_equal(gt_buf_bytes(&out), gt_buf_bytes(&expected)));
        assert_int_equal(status, memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
        gt_buf_free(&out);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) break;
    }
    gt_buf_free(&expected);
    merge_begin(f, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_later_of_two_writes_wins),
        cmocka_unit_test(equal_times_are_decided_by_id),
        cmocka_unit_test(edits_of_different_fields_are_all_kept),
        cmocka_unit_test(unsetting_is_a_write_like_others),
        cmocka_unit_test(of_two_moves_the_later_one_counts),
        cmocka_unit_test(two_whole_lists_are_both_kept),
        cmocka_unit_test(a_write_of_each_type_replaces_the_one_before),
        cmocka_unit_test(additions_of_both_sides_are_kept),
        cmocka_unit_test(a_removal_removes_what_its_author_saw),
        cmocka_unit_test(an_element_added_on_one_side_and_removed_on_the_other_stays),
        cmocka_unit_test(a_removal_reaches_through_merges),
        cmocka_unit_test(criss_cross_removals_do_not_lose_what_each_side_added),
        cmocka_unit_test(an_empty_set_stays_and_an_unset_one_goes),
        cmocka_unit_test(an_unset_removes_what_it_saw_and_nothing_else),
        cmocka_unit_test(keys_are_merged_one_by_one),
        cmocka_unit_test(of_two_puts_the_later_stands),
        cmocka_unit_test(a_put_beats_a_concurrent_removal),
        cmocka_unit_test(an_earlier_put_stands_where_the_later_one_was_removed),
        cmocka_unit_test(an_empty_map_stays),
        cmocka_unit_test(increments_are_added_up),
        cmocka_unit_test(a_counter_counts_modulo_2_to_the_64),
        cmocka_unit_test(an_unset_takes_away_the_increments_that_it_saw),
        cmocka_unit_test(a_deleted_item_keeps_its_values),
        cmocka_unit_test(an_edit_clears_a_deletion_that_it_stands_beside_or_after),
        cmocka_unit_test(undeleting_is_an_edit),
        cmocka_unit_test(two_deletions_delete),
        cmocka_unit_test(one_deletion_that_saw_all_edits_is_enough),
        cmocka_unit_test(an_empty_edit_is_none_unless_it_creates),
        cmocka_unit_test(two_who_create_the_same_key_are_merged),
        cmocka_unit_test(no_steps_leave_the_base),
        cmocka_unit_test(a_void_step_changes_nothing_and_keeps_its_place),
        cmocka_unit_test(a_sealed_step_changes_nothing),
        cmocka_unit_test(fields_of_another_version_are_passed_over),
        cmocka_unit_test(a_replay_refuses_what_cannot_be_an_edit_and_says_which_step),
        cmocka_unit_test(each_allocation_of_a_replay_may_fail),
        cmocka_unit_test(each_allocation_of_a_kept_replay_may_fail),
    };
    return cmocka_run_group_tests(tests, merge_fixture_set_up, merge_fixture_tear_down);
}
