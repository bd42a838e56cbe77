/* Reverting: properties over random histories of several authors who edit all types, revert each other, and revert reverts. */
#include "support/test.h"

#include "support/test_value.h"
#include "support/undo_history.h"
#include "value/value.h"

#include <stdlib.h>

enum { HISTORIES = 100, SOAK = 30 }; /* for each strategy */

static int histories_wanted(void) { return getenv("GOAT_SOAK") != NULL ? SOAK * HISTORIES : HISTORIES; }

static gt_bytes field_of(const gt_buf *state, const char *name) {
    return gt_map_find(gt_buf_bytes(state), gt_bytes_text(name));
}

/* With `merged` what two insertions have in common is there once: without the first it is the second's, cut otherwise. */
static void of_what_two_have_in_common_one_stays(void **state) {
    undo_history *h = *state;
    gt_buf before, after;
    undo_begin(h);
    uint64_t base = undo_bit(undo_edit_all(h, "{body: '()', list: ['(', ')']}"));
    uint32_t one = undo_edit(h, base, "{body: {0: [1, 'abX']}, list: {0: [1, ['a', 'b', 'X']]}}");
    undo_edit(h, base, "{body: {0: [1, 'abY']}, list: {0: [1, ['a', 'b', 'Y']]}}");
    gt_buf_init(&before, &gt_alloc_system);
    gt_buf_init(&after, &gt_alloc_system);
    undo_replay(h, undo_first(h->count), 0, &before);
    uint32_t undo = undo_revert_one(h, one);
    undo_assert_all(h, "{body: '(abY)', list: ['(', 'a', 'b', 'Y', ')']}");
    undo_revert_one(h, undo);
    undo_replay(h, undo_first(h->count), 0, &after);
    undo_assert_same(h, &before, &after, "a revert and its revert");
    gt_buf_free(&before);
    gt_buf_free(&after);
}

/* Reverts some of it and takes that back: nothing came between, so everything is as it was. */
static void a_revert_of_a_revert_restores_everything(void **state) {
    int histories = histories_wanted();
    undo_history *h = *state;
    gt_buf before, after;
    uint64_t by[UNDO_AUTHORS_MAX];
    gt_buf_init(&before, &gt_alloc_system);
    gt_buf_init(&after, &gt_alloc_system);
    test_random_init(&h->random, __func__);
    for (int i = 0; i < histories; i++) {
        undo_random_history(h, 4 + test_random_below(&h->random, 20),
                            1 + test_random_below(&h->random, UNDO_AUTHORS_MAX), 30, by);
        uint64_t all = undo_first(h->count);
        undo_replay(h, all, 0, &before);
        uint32_t undo = undo_revert(h, all, undo_random_some(h, all));
        if (undo == UINT32_MAX) continue;
        for (int again = 0; again < 3; again++) {
            uint32_t redo = undo_revert_one(h, undo);
            undo_replay(h, undo_first(h->count), 0, &after);
            undo_assert_same(h, &before, &after, "a revert and its revert");
            undo = undo_revert_one(h, redo);
        }
    }
    gt_buf_free(&before);
    gt_buf_free(&after);
}

/* Others have gone on with other fields: those that the revert changed are as they were, and the rest as they made it. */
static void what_others_did_to_other_fields_stays(void **state) {
    int histories = histories_wanted();
    undo_history *h = *state;
    gt_buf before, after, expected;
    uint64_t by[UNDO_AUTHORS_MAX];
    gt_buf_init(&before, &gt_alloc_system);
    gt_buf_init(&after, &gt_alloc_system);
    gt_buf_init(&expected, &gt_alloc_system);
    test_random_init(&h->random, __func__);
    for (int i = 0; i < histories; i++) {
        undo_random_history(h, 4 + test_random_below(&h->random, 16),
                            1 + test_random_below(&h->random, UNDO_AUTHORS_MAX), 30, by);
        uint64_t all = undo_first(h->count), base = all;
        undo_replay(h, all, 0, &before);
        uint32_t undo = undo_revert(h, all, undo_random_some(h, all));
        if (undo == UINT32_MAX) continue;
        uint32_t fields = test_random_below(&h->random, 512);
        uint64_t one = all | undo_bit(undo), other = test_random_below(&h->random, 2) == 0 ? one : base;
        for (int k = 0; k < 3; k++) other |= undo_bit(undo_random_edit(h, other, fields, false));
        all = undo_first(h->count);
        undo_replay(h, all, 0, &expected);
        undo_revert_one(h, undo);
        undo_replay(h, undo_first(h->count), 0, &after);
        for (int k = 0; k < 9; k++) {
            gt_bytes now = field_of(&after, undo_fields[k]), was = field_of(&before, undo_fields[k]);
            if ((fields >> k & 1) != 0) continue;
            bool same = was.data == NULL || now.data == NULL ? was.data == now.data : gt_bytes_equal(was, now);
            if (!same) undo_assert_same(h, &before, &after, undo_fields[k]);
        }
    }
    gt_buf_free(&before);
    gt_buf_free(&after);
    gt_buf_free(&expected);
}

/* Where nobody has reverted yet, what is left is what there would be if those steps had been void. */
static void a_first_revert_leaves_what_void_steps_leave(void **state) {
    int histories = histories_wanted();
    undo_history *h = *state;
    gt_buf expected, after;
    uint64_t by[UNDO_AUTHORS_MAX];
    gt_buf_init(&expected, &gt_alloc_system);
    gt_buf_init(&after, &gt_alloc_system);
    test_random_init(&h->random, __func__);
    for (int i = 0; i < histories; i++) {
        uint32_t authors = 1 + test_random_below(&h->random, UNDO_AUTHORS_MAX);
        undo_random_history(h, 4 + test_random_below(&h->random, 20), authors, 0, by);
        uint64_t all = undo_first(h->count), wanted = by[test_random_below(&h->random, authors)];
        if (test_random_below(&h->random, 2) == 0) wanted = undo_random_some(h, all);
        wanted &= ~undo_bit(0); /* the creation is another matter */
        if (undo_revert(h, all, wanted) == UINT32_MAX) continue;
        undo_replay(h, all, wanted, &expected);
        undo_replay(h, undo_first(h->count), 0, &after);
        undo_assert_same(h, &expected, &after, "reverted, and void");
    }
    gt_buf_free(&expected);
    gt_buf_free(&after);
}

/* One author: undo goes back step by step, redo forth again, and what was there each time is what had been there. */
static void undo_and_redo_walk_along_the_history(void **state) {
    int histories = histories_wanted();
    undo_history *h = *state;
    gt_buf views[16], after;
    uint32_t undone[16];
    gt_buf_init(&after, &gt_alloc_system);
    for (int k = 0; k < 16; k++) gt_buf_init(&views[k], &gt_alloc_system);
    test_random_init(&h->random, __func__);
    for (int i = 0; i < histories / 4; i++) {
        uint32_t count = 1 + test_random_below(&h->random, 8), back = 0;
        undo_begin(h);
        undo_edit_all(h, "{body: 'abc', list: [1, 2, 3], title: 'x'}");
        undo_replay(h, 1, 0, &views[0]);
        for (uint32_t k = 1; k <= count; k++) {
            undo_random_edit(h, undo_first(h->count), 0x7f, true);
            undo_replay(h, undo_first(h->count), 0, &views[k]);
        }
        while (h->count < UNDO_STEPS_MAX - 1) {
            bool undoes = back == 0 || (back < count && test_random_below(&h->random, 2) == 0);
            if (undoes) {
                undone[back] = undo_revert_one(h, count - back);
                back++;
            } else {
                undo_revert_one(h, undone[--back]);
            }
            undo_replay(h, undo_first(h->count), 0, &after);
            undo_assert_same(h, &views[count - back], &after, "a step of undo or redo");
        }
    }
    gt_buf_free(&after);
    for (int k = 0; k < 16; k++) gt_buf_free(&views[k]);
}

static void a_revert_of_nothing_changes_nothing(void **state) {
    int histories = histories_wanted();
    undo_history *h = *state;
    uint64_t by[UNDO_AUTHORS_MAX];
    gt_buf view, delta;
    gt_buf_init(&view, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    test_random_init(&h->random, __func__);
    for (int i = 0; i < histories / 4; i++) {
        undo_some s;
        uint8_t asked[UNDO_STEPS_MAX] = {0}, marks[UNDO_STEPS_MAX];
        undo_random_history(h, 4 + test_random_below(&h->random, 20), UNDO_AUTHORS_MAX, 30, by);
        undo_choose(h, undo_first(h->count), 0, 0, &s);
        assert_int_equal(gt_merge_mark(s.steps, s.undoes, s.count, asked, marks), 0);
        gt_reverting what = {h->schema, {0}, s.steps, marks, s.count, true};
        gt_buf_clear(&view);
        gt_buf_clear(&delta);
        assert_int_equal(gt_merge_revert(&gt_alloc_system, &what, &view, &delta, NULL, NULL), GOAT_OK);
        bool is_deleted = gt_map_find_int(gt_buf_bytes(&view), 0).data != NULL;
        if (!is_deleted || delta.len > 1) assert_value(gt_buf_bytes(&delta), "{}");
    }
    gt_buf_free(&view);
    gt_buf_free(&delta);
}

/* From every base that may be one the delta is the same. */
static void the_base_makes_no_difference(void **state) {
    int histories = histories_wanted();
    undo_history *h = *state;
    uint64_t by[UNDO_AUTHORS_MAX];
    gt_buf view, delta, base;
    gt_buf_init(&view, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    gt_buf_init(&base, &gt_alloc_system);
    test_random_init(&h->random, __func__);
    int bases = 0;
    for (int i = 0; i < histories; i++) {
        undo_random_history(h, 4 + test_random_below(&h->random, 20), 1 + test_random_below(&h->random, 2), 20, by);
        uint64_t all = undo_first(h->count), wanted = undo_bit(h->count - 1 - test_random_below(&h->random, 3));
        uint32_t undo = undo_revert(h, all, wanted);
        if (undo == UINT32_MAX) continue;
        for (uint32_t count = 1; count < undo; count++) {
            uint64_t below = undo_first(count);
            bool good = (wanted & below) == 0;
            for (uint32_t k = count; k < undo && good; k++) {
                good = (h->past[k] & below) == below;
                for (uint32_t n = 0; n < h->undoes[k].count; n++) good = good && h->undone[k][n] >= count;
            }
            if (!good) continue;
            undo_some s;
            uint8_t asked[UNDO_STEPS_MAX] = {0}, marks[UNDO_STEPS_MAX];
            undo_replay(h, below, 0, &base);
            undo_choose(h, all, below, 0, &s);
            for (uint32_t k = count; k < undo; k++) asked[s.number[k]] = (wanted & undo_bit(k)) != 0;
            gt_merge_mark(s.steps, s.undoes, s.count, asked, marks);
            gt_reverting what = {h->schema, gt_buf_bytes(&base), s.steps, marks, s.count, false};
            gt_buf_clear(&view);
            gt_buf_clear(&delta);
            assert_int_equal(gt_merge_revert(&gt_alloc_system, &what, &view, &delta, NULL, NULL), GOAT_OK);
            undo_assert_same(h, &h->deltas[undo], &delta, "from another base");
            bases++;
        }
    }
    assert_true(bases > histories / 8);
    gt_buf_free(&view);
    gt_buf_free(&delta);
    gt_buf_free(&base);
}

static const char *strategy;

static int set_up(void **state) { return undo_set_up_with(state, strategy); }

int main(void) {
    static const char *const strategies[] = {"both", "latest", "either", "merged"};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_revert_of_nothing_changes_nothing),
        cmocka_unit_test(a_first_revert_leaves_what_void_steps_leave),
        cmocka_unit_test(undo_and_redo_walk_along_the_history),
        cmocka_unit_test(of_what_two_have_in_common_one_stays),
        cmocka_unit_test(a_revert_of_a_revert_restores_everything),
        cmocka_unit_test(what_others_did_to_other_fields_stays),
        cmocka_unit_test(the_base_makes_no_difference),
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof strategies / sizeof strategies[0]; i++) {
        strategy = strategies[i];
        print_message("%s:\n", strategy);
        failed += cmocka_run_group_tests(tests, set_up, undo_tear_down);
    }
    return failed;
}
