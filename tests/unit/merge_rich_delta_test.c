/* core/merge: Deltas of rich texts: what edit each is, and which are refused. */
#include "support/test.h"

#include "merge/merge.h"
#include "merge/rich_runs.h"
#include "support/edit_laws.h"
#include "support/test_alloc.h"
#include "support/test_value.h"

#include <stdio.h>

#define GOAT "\xf0\x9f\x90\x90" /* one code point, two units of UTF-16 */

static edit_place rich(merge_fixture *f) { return edit_place_of(f->schema, "rich"); }

static void delta_is(merge_fixture *f, const char *base, const char *delta, const char *edit, const char *expected) {
    gt_bytes now = test_value(base), given = test_value(delta), then = test_value(expected);
    gt_buf made;
    gt_buf_init(&made, &gt_alloc_system);
    if (gt_edit_delta(rich(f).field, now, given, &made, &f->diag) != GOAT_OK) fail_msg("%s", f->diag.message);
    assert_value(gt_buf_bytes(&made), edit);
    if (made.len > 0) edit_leads(rich(f), now, gt_buf_bytes(&made), then);
    gt_buf_free(&made);
    test_value_free(now);
    test_value_free(given);
    test_value_free(then);
}

static void a_delta_is_recorded_as_it_is_made(void **state) {
    merge_fixture *f = *state;
    delta_is(f, "[{insert: 'abc'}]", "[{retain: 1}, {insert: 'x'}]", "{0: [1, 'x']}", "[{insert: 'axbc'}]");
    delta_is(f, "[{insert: 'abc'}]", "[{retain: 1}, {delete: 1}, {insert: 'x'}]", "{0: [1, 'x', -1]}",
             "[{insert: 'axc'}]");
    delta_is(f, "[{insert: 'abc'}]", "[{retain: 1}, {retain: 1, attributes: {b: true}}]", "{0: [1, [1, {b: true}]]}",
             "[{insert: 'a'}, {insert: 'b', attributes: {b: true}}, {insert: 'c'}]");
    delta_is(f, "[{insert: 'a'}, {insert: 'b', attributes: {b: true}}]", "{ops: [{retain: 2, attributes: {b: null}}]}",
             "{0: [[2, {b: null}]]}", "[{insert: 'ab'}]");
    delta_is(f, "[{insert: 'ab'}]",
             "[{retain: 1}, {insert: {image: 'u'}, attributes: {alt: 'x'}}, {insert: {hr: true}}]",
             "{0: [1, [{image: 'u'}, {alt: 'x'}], [{hr: true}]]}",
             "[{insert: 'a'}, {insert: {image: 'u'}, attributes: {alt: 'x'}}, {insert: {hr: true}}, {insert: 'b'}]");
    delta_is(f, "[{insert: {image: 'u'}}, {insert: 'b'}]", "[{delete: 1}]", "{0: [-1]}", "[{insert: 'b'}]");
    delta_is(f, NULL, "[{insert: 'a'}, {insert: 'b'}]", "[{insert: 'ab'}]", "[{insert: 'ab'}]");
    delta_is(f, "[]", "[{insert: 'a'}]", "{0: ['a']}", "[{insert: 'a'}]");
}

static void positions_of_a_delta_are_units_of_utf16(void **state) {
    merge_fixture *f = *state;
    delta_is(f, "[{insert: 'a" GOAT "b'}]", "[{retain: 3}, {delete: 1}]", "{0: [2, -1]}", "[{insert: 'a" GOAT "'}]");
    delta_is(f, "[{insert: 'a" GOAT "'}, {insert: {i: 1}}, {insert: '" GOAT "'}]",
             "[{retain: 1}, {retain: 3, attributes: {b: 1}}, {delete: 2}]", "{0: [1, [2, {b: 1}], -1]}",
             "[{insert: 'a'}, {insert: '" GOAT "', attributes: {b: 1}}, {insert: {i: 1}, attributes: {b: 1}}]");
}

static void what_an_editor_may_say_otherwise_is_taken(void **state) {
    merge_fixture *f = *state;
    delta_is(f, "[{insert: 'a'}]", "[{insert: ''}, {insert: 'x', attributes: {b: null}}, {retain: 1}]", "{0: ['x']}",
             "[{insert: 'xa'}]");
    delta_is(f, "[{insert: 'ab'}]", "[{retain: 1, attributes: {}}, {delete: 1}]", "{0: [1, -1]}", "[{insert: 'a'}]");
    delta_is(f, "[{insert: 'ab'}]", "[{insert: 'x', attributes: {b: 1}}, {insert: 'y', attributes: {b: 1}}]",
             "{0: [['xy', {b: 1}]]}", "[{insert: 'xy', attributes: {b: 1}}, {insert: 'ab'}]");
}

static void what_changes_nothing_is_no_edit(void **state) {
    merge_fixture *f = *state;
    delta_is(f, "[{insert: 'ab'}]", "[]", NULL, NULL);
    delta_is(f, NULL, "[]", NULL, NULL);
    delta_is(f, "[{insert: 'ab'}]", "[{retain: 2}]", NULL, NULL);
    delta_is(f, "[{insert: 'ab'}]", "[{retain: 2, attributes: {b: null}}]", NULL, NULL);
    delta_is(f, "[{insert: 'ab', attributes: {b: 1}}]", "[{retain: 1, attributes: {b: 1}}]", NULL, NULL);
    delta_is(f, "[{insert: 'a'}, {insert: 'b', attributes: {b: 1}}]", "[{retain: 2, attributes: {b: 1}}]",
             "{0: [[2, {b: 1}]]}", "[{insert: 'ab', attributes: {b: 1}}]");
}

static void delta_refused(merge_fixture *f, const char *base, const char *delta, uint64_t position,
                          const char *message) {
    gt_bytes now = test_value(base), given = test_value(delta);
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    gt_diag_init(&f->diag);
    assert_int_equal(gt_edit_delta(rich(f).field, now, given, &edit, &f->diag), GOAT_INVALID);
    assert_string_equal(f->diag.message, message);
    assert_int_equal(f->diag.position, position);
    assert_string_equal(f->diag.field, "rich");
    assert_int_equal(edit.len, 0);
    gt_buf_free(&edit);
    test_value_free(now);
    test_value_free(given);
}

static void a_hostile_delta_is_refused_with_the_place(void **state) {
    merge_fixture *f = *state;
    const char *base = "[{insert: 'a" GOAT "'}]";
    const char *none = "a Delta is neither an array of operations nor a map with one as \"ops\"";
    delta_refused(f, base, "1", GT_NO_POSITION, none);
    delta_refused(f, base, "{ops: [], more: 1}", GT_NO_POSITION, none);
    delta_refused(f, base, "{ops: 1}", GT_NO_POSITION, none);
    delta_refused(f, base, "[{retain: 1}, 7]", 1, "operation 1 of the Delta is not a map");
    delta_refused(f, base, "[{}]", 0, "operation 0 of the Delta is not one of \"insert\", \"retain\" and \"delete\"");
    delta_refused(f, base, "[{insert: 'a', retain: 1}]", 0,
                  "operation 0 of the Delta is not one of \"insert\", \"retain\" and \"delete\"");
    delta_refused(
        f, base, "[{keep: 1}]", 0,
        "operation 0 of the Delta has something other than \"insert\", \"retain\", \"delete\" and \"attributes\"");
    delta_refused(f, base, "[{retain: 0}]", 0, "operation 0 of the Delta has a count that is not above zero");
    delta_refused(f, base, "[{delete: -1}]", 0, "operation 0 of the Delta has a count that is not above zero");
    delta_refused(f, base, "[{delete: 1.5}]", 0, "operation 0 of the Delta has a count that is none");
    delta_refused(f, base, "[{retain: 1073741825}]", 0,
                  "operation 0 of the Delta has a count that no document reaches");
    delta_refused(f, base, "[{retain: {image: 1}}]", 0,
                  "operation 0 of the Delta changes the inside of an embed, which is not supported");
    delta_refused(f, base, "[{retain: 1}, {retain: 1073741824}]", 1,
                  "operation 1 of the Delta goes beyond the document's end");
    delta_refused(f, base, "[{retain: 1}, {delete: 3}]", 1, "operation 1 of the Delta goes beyond the document's end");
    delta_refused(f, NULL, "[{retain: 1}]", 0, "operation 0 of the Delta goes beyond the document's end");
    delta_refused(f, base, "[{retain: 2}, {insert: 'x'}]", 0, "operation 0 of the Delta ends inside of a code point");
    delta_refused(f, base, "[{retain: 1}, {delete: 1}]", 1, "operation 1 of the Delta ends inside of a code point");
    delta_refused(f, base, "[{insert: 7}]", 0, "operation 0 of the Delta inserts what is neither text nor an embed");
    delta_refused(f, base, "[{insert: {}}]", 0, "operation 0 of the Delta inserts an embed that is empty");
    delta_refused(f, base, "[{insert: 'a', attributes: [1]}]", 0,
                  "operation 0 of the Delta has attributes that are no map");
    delta_refused(f, base, "[{retain: 1, attributes: null}]", 0,
                  "operation 0 of the Delta has attributes that are no map");
    delta_refused(f, base, "[{delete: 1, attributes: {b: 1}}]", 0,
                  "operation 0 of the Delta deletes, and has attributes");
}

static void attributes_of_an_operation_have_a_limit(void **state) {
    merge_fixture *f = *state;
    char delta[GT_RICH_ATTRIBUTES_MAX + 100];
    for (int more = 0; more < 2; more++) { /* a map of one pair: 1 byte, "b" 2, the head of the text 3 */
        int len = GT_RICH_ATTRIBUTES_MAX - 6 + more;
        snprintf(delta, sizeof delta, "[{retain: 1, attributes: {b: '%0*d'}}]", len, 0);
        gt_bytes now = test_value("[{insert: 'a'}]"), given = test_value(delta);
        gt_buf edit;
        gt_buf_init(&edit, &gt_alloc_system);
        assert_int_equal(gt_edit_delta(rich(f).field, now, given, &edit, &f->diag), more ? GOAT_INVALID : GOAT_OK);
        if (!more) assert_int_equal(edit_check(rich(f), gt_buf_bytes(&edit), &f->diag), GOAT_OK);
        gt_buf_free(&edit);
        test_value_free(now);
        test_value_free(given);
    }
}

static void without_memory_a_delta_is_no_edit(void **state) {
    merge_fixture *f = *state;
    gt_bytes base = test_value("[{insert: 'one two'}, {insert: {image: 1}, attributes: {w: 1}}]");
    gt_bytes delta = test_value("[{retain: 2, attributes: {b: 1}}, {insert: 'z', attributes: {i: 1}}]");
    bool failed = true;
    for (uint64_t allowed = 0; failed; allowed++) {
        test_alloc memory;
        gt_buf out;
        test_alloc_init(&memory, allowed);
        gt_buf_init(&out, &memory.alloc);
        goat_status status = gt_edit_delta(rich(f).field, base, delta, &out, &f->diag);
        failed = memory.failed;
        assert_int_equal(status, failed ? GOAT_NO_MEMORY : GOAT_OK);
        gt_buf_free(&out);
        test_alloc_assert_empty(&memory);
    }
    test_value_free(base);
    test_value_free(delta);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delta_is_recorded_as_it_is_made),
        cmocka_unit_test(positions_of_a_delta_are_units_of_utf16),
        cmocka_unit_test(what_an_editor_may_say_otherwise_is_taken),
        cmocka_unit_test(what_changes_nothing_is_no_edit),
        cmocka_unit_test(a_hostile_delta_is_refused_with_the_place),
        cmocka_unit_test(attributes_of_an_operation_have_a_limit),
        cmocka_unit_test(without_memory_a_delta_is_no_edit),
    };
    return cmocka_run_group_tests(tests, merge_fixture_set_up, merge_fixture_tear_down);
}
