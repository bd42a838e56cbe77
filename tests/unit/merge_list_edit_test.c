/* Lists claim by claim: what one author does is one edit in its one form, and what two do comes together. The property over
 * random histories is in merge_property_test.c. */
#include "support/test.h"

#include "merge/merge.h"
#include "support/edit_laws.h"
#include "support/test_random.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <string.h>

/* ---- one author ---- */

static edit_place list(merge_fixture *f) { return edit_place_of(f->schema, "list"); }

static void a_difference_is_what_its_author_did(void **state) {
    merge_fixture *f = *state;
    edit_made_is(list(f), NULL, "[1]", "[1]");
    edit_made_is(list(f), "[1]", "[1]", NULL);
    edit_made_is(list(f), "[1, 2]", "[]", "{0: [-2]}");
    edit_made_is(list(f), "[]", "[1, 2]", "{0: [[1, 2]]}");
    edit_made_is(list(f), "[1, 2, 3]", "[1, 'a', 'b', 3]", "{0: [1, ['a', 'b'], -1]}");
    edit_made_is(list(f), "[{a: 1}, [2], 3]", "[[2], 3]", "{0: [-1]}");
}

static void what_is_gone_here_and_comes_there_was_moved(void **state) {
    merge_fixture *f = *state;
    edit_made_is(list(f), "[1, 2, 3, 4]", "[2, 3, 4, 1]", "{0: [4, {1: 0}]}");
    edit_made_is(list(f), "[1, 2, 3, 4]", "[4, 1, 2, 3]", "{0: [{1: 3}]}");
    edit_made_is(list(f), "[1, 2, 3, 4]", "[4, 'x', 1, 3]", "{0: [{1: 3}, ['x'], 1, -1]}");
    edit_made_is(list(f), "[1, 1, 2]", "[2, 1, 1]", "{0: [{1: 2}]}");
}

typedef enum verb { INSERT, REMOVE, MOVE, SET } verb;

static goat_status operate(merge_fixture *f, verb what, gt_bytes now, uint64_t a, uint64_t b, gt_bytes value,
                           gt_buf *edit) {
    const gt_field *field = list(f).field;
    switch (what) {
    case INSERT: return gt_edit_list_insert(field, now, a, value, edit, &f->diag);
    case REMOVE: return gt_edit_list_remove(field, now, a, b, edit, &f->diag);
    case MOVE: return gt_edit_list_move(field, now, a, b, edit, &f->diag);
    default: return gt_edit_list_set(field, now, a, value, edit, &f->diag);
    }
}

static void edit_is(merge_fixture *f, const char *base, verb what, uint64_t a, uint64_t b, const char *value,
                    const char *expected) {
    gt_bytes now = test_value(base), given = test_value(value);
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    assert_int_equal(operate(f, what, now, a, b, given, &edit), GOAT_OK);
    assert_value(gt_buf_bytes(&edit), expected);
    gt_buf_free(&edit);
    test_value_free(now);
    test_value_free(given);
}

static void an_operation_is_recorded_as_it_is_made(void **state) {
    merge_fixture *f = *state;
    edit_is(f, NULL, INSERT, 0, 0, "[1]", "[1]");
    edit_is(f, NULL, INSERT, 0, 0, "[]", NULL);
    edit_is(f, NULL, REMOVE, 0, 0, NULL, NULL);
    edit_is(f, "[1, 2]", INSERT, 2, 0, "['a', 'b']", "{0: [2, ['a', 'b']]}");
    edit_is(f, "[1, 2]", INSERT, 1, 0, "[]", NULL);
    edit_is(f, "[1, 2]", REMOVE, 0, 2, NULL, "{0: [-2]}");
    edit_is(f, "[1, 2]", MOVE, 0, 1, NULL, "{0: [2, {1: 0}]}");
    edit_is(f, "[1, 2]", MOVE, 1, 0, NULL, "{0: [{1: 1}]}");
    edit_is(f, "[1, 2]", MOVE, 1, 1, NULL, NULL);
    edit_is(f, "[1, 2]", SET, 1, 0, "'x'", "{0: [1, {2: 'x'}]}");
    edit_is(f, "[1, 2]", SET, 1, 0, "2", NULL);
}

static void refused(merge_fixture *f, const char *base, verb what, uint64_t a, uint64_t b, const char *value,
                    uint64_t position, const char *message) {
    gt_bytes now = test_value(base), given = test_value(value);
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    gt_diag_init(&f->diag);
    assert_int_equal(operate(f, what, now, a, b, given, &edit), GOAT_INVALID);
    assert_int_equal(f->diag.position, position);
    assert_string_equal(f->diag.message, message);
    assert_string_equal(f->diag.field, "list");
    assert_int_equal(edit.len, 0);
    gt_buf_free(&edit);
    test_value_free(now);
    test_value_free(given);
}

static void a_place_outside_of_the_list_is_refused(void **state) {
    merge_fixture *f = *state;
    refused(f, "[1, 2]", INSERT, 3, 0, "[1]", 3, "there is no position 3 in a list of 2 elements");
    refused(f, NULL, INSERT, 1, 0, "[1]", 1, "there is no position 1 in a list of 0 elements");
    refused(f, "[1, 2]", REMOVE, 3, 0, NULL, 3, "there is no position 3 in a list of 2 elements");
    refused(f, "[1, 2]", REMOVE, 1, 2, NULL, 1, "at 1 of 2 elements no 2 can be removed");
    refused(f, "[1, 2]", REMOVE, 1, UINT64_MAX, NULL, 1, "at 1 of 2 elements no 18446744073709551615 can be removed");
    refused(f, "[1, 2]", MOVE, 2, 0, NULL, 2, "there is no position 2 in a list of 2 elements");
    refused(f, "[1, 2]", MOVE, 0, 2, NULL, 2, "there is no position 2 in a list of 2 elements");
    refused(f, "[1, 2]", SET, 2, 0, "1", 2, "there is no position 2 in a list of 2 elements");
    refused(f, NULL, SET, 0, 0, "1", 0, "there is no position 0 in a list of 0 elements");
}

static void an_element_is_less_deep_than_a_value(void **state) {
    merge_fixture *f = *state;
    gt_bytes now = test_value("[1]");
    for (int depth = GOAT_VALUE_DEPTH_MAX - 1; depth <= GOAT_VALUE_DEPTH_MAX; depth++) {
        goat_status expected = depth == GOAT_VALUE_DEPTH_MAX ? GOAT_TOO_LARGE : GOAT_OK;
        gt_buf value, edit, delta;
        gt_buf_init(&value, &gt_alloc_system);
        gt_buf_init(&edit, &gt_alloc_system);
        gt_buf_init(&delta, &gt_alloc_system);
        for (int i = 0; i < depth; i++) gt_write_array_head(&value, i + 1 < depth);
        assert_int_equal(gt_value_check(gt_buf_bytes(&value), 0, NULL), GOAT_OK);
        assert_int_equal(gt_edit_list_set(list(f).field, now, 0, gt_buf_bytes(&value), &edit, &f->diag), expected);
        test_value_write(&delta, "{list: {0: [{2: 7}]}}");
        delta.len--; /* the 7 */
        gt_buf_append(&delta, value.data, value.len);
        expected = depth == GOAT_VALUE_DEPTH_MAX ? GOAT_INVALID : GOAT_OK;
        assert_int_equal(gt_merge_check_delta(f->schema, gt_buf_bytes(&delta), &f->diag), expected);
        gt_buf_free(&value);
        gt_buf_free(&edit);
        gt_buf_free(&delta);
    }
    test_value_free(now);
}

static void composed(merge_fixture *f, const char *from, const char *first, const char *second, const char *expected) {
    gt_bytes base = test_value(from), one = test_value(first), two = test_value(second);
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    assert_int_equal(gt_edit_compose(list(f).field, base, one, two, &edit, &f->diag), GOAT_OK);
    assert_value(gt_buf_bytes(&edit), expected);
    gt_buf_free(&edit);
    test_value_free(base);
    test_value_free(one);
    test_value_free(two);
}

static void two_edits_become_one(void **state) {
    merge_fixture *f = *state;
    composed(f, "[1, 2, 3]", "{0: [3, {1: 0}]}", "{0: [2, {2: 'x'}]}", "{0: [3, {1: 0, 2: 'x'}]}");
    composed(f, "[1, 2, 3]", "{0: [3, {1: 0}]}", "{0: [2, -1]}", "{0: [-1]}");
    composed(f, "[1, 2, 3]", "{0: [3, {1: 0}]}", "{0: [{1: 2}]}", NULL);
    composed(f, "[1, 2, 3]", "{0: [1, {2: 'x'}]}", "{0: [1, {2: 2}]}", NULL);
    composed(f, "[1, 2, 3]", "{0: [1, ['a', 'b']]}", "{0: [2, -1]}", "{0: [1, ['a']]}");
    composed(f, "[1, 2, 3]", "{0: [1, ['a', 'b']]}", "{0: [1, {2: 'c'}]}", "{0: [1, ['c', 'b']]}");
    composed(f, "[1, 2]", "{0: [2, {1: 0}]}", "{0: [['a']]}", "{0: [['a'], 2, {1: 0}]}"); /* 1 was moved, not 2 */
    composed(f, "[1, 2]", "[3]", "{0: [1, [4]]}", "[3, 4]");
    composed(f, "[1, 2]", "undefined", "{0: [[4]]}", "[4]");
    composed(f, "[1, 2]", "{0: [-1]}", "[1, 2]", NULL);
    composed(f, NULL, "[1, 2]", "{0: [{1: 1}]}", "[2, 1]");
}

/* ---- hostile edits ---- */

static void an_edit_that_is_none_is_refused_with_the_reason(void **state) {
    merge_fixture *f = *state;
    merge_refuses(f, "list", "7", -1, "is neither a list nor a map of runs");
    merge_refuses(f, "list", "{0: 7}", -1, "is neither a list nor a map of runs");
    merge_refuses(f, "list", "{1: [1]}", -1, "is neither a list nor a map of runs");
    merge_refuses(f, "list", "{0: [1], 1: [1]}", -1, "is neither a list nor a map of runs");
    merge_refuses(f, "list", "{a: [1]}", -1, "is neither a list nor a map of runs");
    merge_refuses(f, "list", "{0: []}", -1, "has no runs");
    merge_refuses(f, "list", "{0: ['a']}", 0, "has a run that is none");
    merge_refuses(f, "list", "{0: [undefined]}", 0, "has a run that is none");
    merge_refuses(f, "list", "{0: [{}]}", 0, "has a run that is none");
    merge_refuses(f, "list", "{0: [{a: 1}]}", 0, "has a run that is none");
    merge_refuses(f, "list", "{0: [{1: 0, 3: 1}]}", 0, "has a run that is none");
    merge_refuses(f, "list", "{0: [0]}", 0, "has a run of no elements, or of too many");
    merge_refuses(f, "list", "{0: [[]]}", 0, "has a run of no elements, or of too many");
    merge_refuses(f, "list", "{0: [-1073741825]}", 0, "has a run of no elements, or of too many");
    merge_refuses(f, "list", "{0: [-9223372036854775808]}", 0, "has a run of no elements, or of too many");
    merge_refuses(f, "list", "{0: [{1: -1}]}", 0, "moves an element from where there is no place");
    merge_refuses(f, "list", "{0: [{1: 1073741824}]}", 0, "moves an element from where there is no place");
    merge_refuses(f, "list", "{0: [{1: 'a'}]}", 0, "moves an element from where there is no place");
    merge_refuses(f, "list", "{0: [{2: undefined}]}", 0, "holds what a value cannot");
    merge_refuses(f, "list", "{0: [{1: 0, 2: [undefined]}]}", 0, "holds what a value cannot");
    merge_refuses(f, "list", "{0: [[undefined]]}", 0, "holds what a value cannot");
    merge_refuses(f, "list", "{0: [[{0: 1}]]}", 0, "holds what a value cannot");
    merge_refuses(f, "list", "{0: [1, 1, -1]}", 1, "has two runs in place of one");
    merge_refuses(f, "list", "{0: [[1], [2]]}", 1, "has two runs in place of one");
    merge_refuses(f, "list", "{0: [-1, -1]}", 1, "has two runs in place of one");
    merge_refuses(f, "list", "{0: [-1, [1]]}", 1, "inserts behind what it removes there");
    merge_refuses(f, "list", "{0: [-1, {1: 1}]}", 1, "inserts behind what it removes there");
    merge_refuses(f, "list", "{0: [[1], 1]}", 1, "keeps something at the end");
}

/* Nobody writes these; whoever reads them makes the same of them, alone and in a merge. */
static void what_contradicts_itself_has_one_meaning(void **state) {
    merge_fixture *f = *state;
    static const char *const cases[][2] = {
        {"{list: {0: [{1: 2}, 1, {1: 2}]}}", "{list: [1, 3, 2, 4]}"},              /* moved twice: the last place */
        {"{list: {0: [{1: 2}, 2, -1]}}", "{list: [1, 2, 4]}"},                     /* moved and removed: removed */
        {"{list: {0: [{1: 2, 2: 'a'}, 2, {2: 'b'}]}}", "{list: ['b', 1, 2, 4]}"},  /* the last value */
        {"{list: {0: [2, {2: 'a'}, {1: 2, 2: 'b'}]}}", "{list: [1, 2, 'b', 4]}"},  /* the last value */
        {"{list: {0: [9, [5], {1: 9}, -7, {2: 6}]}}", "{list: [1, 2, 3, 4, 5]}"}}; /* beyond the end */
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        merge_begin(f, "{list: [1, 2, 3, 4]}");
        merge_step(f, "", cases[i][0]);
        merge_gives(f, cases[i][1]);
        merge_begin(f, "{list: [1, 2, 3, 4]}");
        merge_step(f, "", cases[i][0]);
        merge_step(f, "0", "{list: {0: [['end'], -1]}}"); /* so that it is replayed */
        f->steps[1].is_void = true;
        merge_gives(f, cases[i][1]);
    }
}

/* ---- random editing ---- */

enum { MODEL_MAX = 64 };

typedef struct plain {
    int values[MODEL_MAX];
    int count;
} plain;

static void plain_write(const plain *p, gt_buf *out) {
    gt_buf_clear(out);
    gt_write_array_head(out, (size_t)p->count);
    for (int i = 0; i < p->count; i++) gt_write_int(out, p->values[i]);
}

static void plain_insert(plain *p, int at, int value) {
    memmove(p->values + at + 1, p->values + at, sizeof(int) * (size_t)(p->count - at));
    p->values[at] = value;
    p->count++;
}

static int plain_remove(plain *p, int at) {
    int value = p->values[at];
    memmove(p->values + at, p->values + at + 1, sizeof(int) * (size_t)(p->count - at - 1));
    p->count--;
    return value;
}

static void random_plain(test_random *random, plain *p) {
    p->count = (int)test_random_below(random, MODEL_MAX / 4);
    for (int i = 0; i < p->count; i++) p->values[i] = (int)test_random_below(random, 20);
}

/* One operation on both; appends its edit. */
static void random_operation(merge_fixture *f, test_random *random, plain *p, gt_bytes now, gt_buf *edit) {
    uint32_t count = (uint32_t)p->count, a = test_random_below(random, count + 1), b,
             dice = test_random_below(random, 4);
    int value = (int)test_random_below(random, 20);
    gt_buf given;
    gt_buf_init(&given, &gt_alloc_system);
    if (dice == INSERT || a == count) {
        b = test_random_below(random, 3);
        gt_write_array_head(&given, b);
        for (uint32_t i = 0; i < b && p->count < MODEL_MAX; i++) {
            plain_insert(p, (int)(a + i), value + (int)i);
            gt_write_int(&given, value + (int)i);
        }
        dice = INSERT;
    } else if (dice == REMOVE) {
        b = test_random_below(random, count - a < 3 ? count - a + 1 : 3);
        for (uint32_t i = 0; i < b; i++) plain_remove(p, (int)a);
    } else if (dice == MOVE) {
        b = test_random_below(random, count);
        plain_insert(p, (int)b, plain_remove(p, (int)a));
    } else {
        b = 0;
        p->values[a] = value;
        gt_write_int(&given, value);
    }
    assert_int_equal(operate(f, (verb)dice, now, a, b, gt_buf_bytes(&given), edit), GOAT_OK);
    gt_buf_free(&given);
}

/* Applying what was put together gives what an array gives that is edited in place. */
static void edits_of_one_author_agree(void **state) {
    merge_fixture *f = *state;
    test_random random;
    gt_buf base, now, edit, single, both;
    gt_buf *all[] = {&base, &now, &edit, &single, &both};
    test_random_init(&random, __func__);
    for (size_t i = 0; i < 5; i++) gt_buf_init(all[i], &gt_alloc_system);
    for (int round = 0; round < 5000; round++) {
        plain p, other;
        random_plain(&random, &p);
        random_plain(&random, &other);
        plain_write(&p, &base);
        plain_write(&p, &now);
        gt_buf_clear(&edit);
        for (uint32_t n = 1 + test_random_below(&random, 8); n > 0 && p.count < MODEL_MAX - 3; n--) {
            gt_buf_clear(&single);
            random_operation(f, &random, &p, gt_buf_bytes(&now), &single);
            plain_write(&p, &now);
            if (single.len == 0) continue;
            assert_int_equal(edit_check(list(f), gt_buf_bytes(&single), &f->diag), GOAT_OK);
            gt_bytes before = edit.len == 0 ? (gt_bytes){0} : gt_buf_bytes(&edit);
            edit_composed(list(f), gt_buf_bytes(&base), before, gt_buf_bytes(&single), gt_buf_bytes(&now), &both);
            gt_buf_clear(&edit);
            gt_buf_append(&edit, both.data, both.len);
        }
        plain_write(&other, &now);
        edit_made(list(f), gt_buf_bytes(&base), gt_buf_bytes(&now), &edit);
    }
    for (size_t i = 0; i < 5; i++) gt_buf_free(all[i]);
}

/* ---- memory ---- */

static void without_memory_nothing_is_made(void **state) {
    edit_laws_hold_without_memory(*state, "list", "[1, 2, 3, 4, 5]", "[5, 4, 'x', 2, 1]", "{0: [3, {1: 0}, [7, 8]]}",
                                  "{0: [{1: 4, 2: 'a'}, 2, {2: 'b'}, -1]}");
}

/* ---- two authors ---- */

/* Two edits at once, the first of the lesser id and earlier. */
static void both(merge_fixture *f, const char *base, const char *one, const char *two, const char *expected) {
    merge_begin(f, base);
    merge_step(f, "", one);
    merge_step(f, "", two);
    merge_gives(f, expected);
}

static void what_both_insert_is_kept_side_by_side(void **state) {
    merge_fixture *f = *state;
    both(f, "{list: [1, 2]}", "{list: {0: [1, ['a', 'b']]}}", "{list: {0: [1, ['c', 'd']]}}",
         "{list: [1, 'a', 'b', 'c', 'd', 2]}");
    both(f, "{list: ['A', 'B', 'C']}", "{list: {0: [-1, 2, ['Y']]}}", "{list: {0: [2, ['X'], -1]}}",
         "{list: ['B', 'X', 'Y']}");
}

static void moved_here_and_edited_there_is_moved_and_edited(void **state) {
    merge_fixture *f = *state;
    both(f, "{list: [1, 2, 3]}", "{list: {0: [3, {1: 0}]}}", "{list: {0: [{2: 'new'}]}}", "{list: [2, 3, 'new']}");
    both(f, "{list: [1, 2, 3]}", "{list: {0: [{2: 'new'}]}}", "{list: {0: [3, {1: 0}]}}", "{list: [2, 3, 'new']}");
    both(f, "{list: [1, 2, 3]}", "{list: {0: [3, {1: 0, 2: 'a'}]}}", "{list: {0: [{2: 'b'}]}}", "{list: [2, 3, 'b']}");
}

static void moved_on_both_sides_it_is_in_one_place(void **state) {
    merge_fixture *f = *state;
    both(f, "{list: [1, 2, 3]}", "{list: {0: [3, {1: 0}]}}", "{list: {0: [2, {1: 0}]}}", "{list: [2, 1, 3]}");
    both(f, "{list: [1, 2, 3]}", "{list: {0: [2, {1: 0}]}}", "{list: {0: [3, {1: 0}]}}", "{list: [2, 3, 1]}");
}

static void removed_here_and_moved_there_it_is_removed(void **state) {
    merge_fixture *f = *state;
    both(f, "{list: [1, 2, 3]}", "{list: {0: [-1]}}", "{list: {0: [3, {1: 0, 2: 'x'}]}}", "{list: [2, 3]}");
    both(f, "{list: [1, 2, 3]}", "{list: {0: [3, {1: 0}]}}", "{list: {0: [-1]}}", "{list: [2, 3]}");
    both(f, "{list: [1, 2, 3]}", "{list: {0: [3, {1: 0}]}}", "{list: [9]}", "{list: [9]}");
    both(f, "{list: [1, 2, 3]}", "{list: undefined}", "{list: {0: [3, {1: 0}]}}", "{list: []}");
}

static void what_goes_beside_a_moved_element_goes_with_where_it_was(void **state) {
    merge_fixture *f = *state;
    both(f, "{list: [1, 2, 3]}", "{list: {0: [1, ['beside 1']]}}", "{list: {0: [3, {1: 0}]}}",
         "{list: ['beside 1', 2, 3, 1]}");
}

static void a_move_of_a_void_step_has_not_happened(void **state) {
    merge_fixture *f = *state;
    merge_begin(f, "{list: [1, 2, 3]}");
    merge_step(f, "", "{list: {0: [3, {1: 0}]}}");
    merge_step(f, "0", "{list: {0: [{2: 'two'}]}}"); /* sees [2, 3, 1] */
    merge_step(f, "", "{list: {0: [2, {1: 0, 2: 'one'}]}}");
    f->steps[0].is_void = true;
    merge_gives(f, "{list: ['two', 'one', 3]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_difference_is_what_its_author_did),
        cmocka_unit_test(what_is_gone_here_and_comes_there_was_moved),
        cmocka_unit_test(an_operation_is_recorded_as_it_is_made),
        cmocka_unit_test(a_place_outside_of_the_list_is_refused),
        cmocka_unit_test(an_element_is_less_deep_than_a_value),
        cmocka_unit_test(two_edits_become_one),
        cmocka_unit_test(an_edit_that_is_none_is_refused_with_the_reason),
        cmocka_unit_test(what_contradicts_itself_has_one_meaning),
        cmocka_unit_test(edits_of_one_author_agree),
        cmocka_unit_test(without_memory_nothing_is_made),
        cmocka_unit_test(what_both_insert_is_kept_side_by_side),
        cmocka_unit_test(moved_here_and_edited_there_is_moved_and_edited),
        cmocka_unit_test(moved_on_both_sides_it_is_in_one_place),
        cmocka_unit_test(removed_here_and_moved_there_it_is_removed),
        cmocka_unit_test(what_goes_beside_a_moved_element_goes_with_where_it_was),
        cmocka_unit_test(a_move_of_a_void_step_has_not_happened),
    };
    return cmocka_run_group_tests(tests, merge_fixture_set_up, merge_fixture_tear_down);
}
