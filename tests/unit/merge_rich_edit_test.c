/* Rich text claim by claim: what one author does is one edit in its one form, and what two do comes together. The property over
 * random histories is in merge_property_test.c. */
#include "support/test.h"

#include "merge/merge.h"
#include "merge/rich_runs.h"
#include "support/merge_fixture.h"
#include "support/test_alloc.h"
#include "support/test_random.h"
#include "support/test_value.h"
#include "value/build.h"

#include <stdio.h>

#define GOAT "\xf0\x9f\x90\x90" /* one code point, two units of UTF-16 */
#define OBJECT "\xef\xbf\xbc"   /* U+FFFC */

static const gt_field *rich_field(merge_fixture *f) { return gt_schema_field(f->schema, gt_bytes_text("rich")); }

static goat_status check(merge_fixture *f, gt_bytes edit) {
    gt_buf delta;
    gt_buf_init(&delta, &gt_alloc_system);
    gt_write_map_head(&delta, 1);
    gt_write_text(&delta, gt_bytes_text("rich"));
    gt_buf_append(&delta, edit.data, edit.len);
    gt_diag_init(&f->diag);
    goat_status status = gt_merge_check_delta(f->schema, gt_buf_bytes(&delta), &f->diag);
    gt_buf_free(&delta);
    return status;
}

static void assert_canonical(merge_fixture *f, gt_bytes edit) {
    if (check(f, edit) != GOAT_OK) fail_msg("%s", f->diag.message);
}

/* ---- one author ---- */

static void delta_is(merge_fixture *f, const char *base, const char *delta, const char *edit, const char *expected) {
    gt_bytes now = test_value(base), given = test_value(delta);
    gt_buf made, value;
    gt_buf_init(&made, &gt_alloc_system);
    gt_buf_init(&value, &gt_alloc_system);
    if (gt_edit_delta(rich_field(f), now, given, &made, &f->diag) != GOAT_OK) fail_msg("%s", f->diag.message);
    assert_value(gt_buf_bytes(&made), edit);
    if (made.len > 0) {
        assert_canonical(f, gt_buf_bytes(&made));
        assert_int_equal(gt_edit_apply(rich_field(f), now, gt_buf_bytes(&made), &value, &f->diag), GOAT_OK);
        assert_value(gt_buf_bytes(&value), expected);
    }
    gt_buf_free(&made);
    gt_buf_free(&value);
    test_value_free(now);
    test_value_free(given);
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
    assert_int_equal(gt_edit_delta(rich_field(f), now, given, &edit, &f->diag), GOAT_INVALID);
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
        assert_int_equal(gt_edit_delta(rich_field(f), now, given, &edit, &f->diag), more ? GOAT_INVALID : GOAT_OK);
        if (!more) assert_canonical(f, gt_buf_bytes(&edit));
        gt_buf_free(&edit);
        test_value_free(now);
        test_value_free(given);
    }
}

static void edit_refused(merge_fixture *f, const char *edit, const char *message) {
    gt_bytes given = test_value(edit);
    assert_int_equal(check(f, given), GOAT_INVALID);
    assert_string_equal(f->diag.message, message);
    assert_string_equal(f->diag.field, "rich");
    assert_string_equal(f->diag.rule, "type");
    test_value_free(given);
}

static void an_edit_that_is_none_is_refused_with_the_reason(void **state) {
    merge_fixture *f = *state;
    edit_refused(f, "1", "the edit of \"rich\" is neither a rich text nor a map of runs");
    edit_refused(f, "{0: 1}", "the edit of \"rich\" is neither a rich text nor a map of runs");
    edit_refused(f, "{0: ['a'], 1: 2}", "the edit of \"rich\" is neither a rich text nor a map of runs");
    edit_refused(f, "{0: []}", "the edit of \"rich\" has no runs");
    edit_refused(f, "{0: [1]}", "the edit of \"rich\" keeps something at the end: number 0 of its array");
    edit_refused(f, "{0: ['a', 1]}", "the edit of \"rich\" keeps something at the end: number 1 of its array");
    edit_refused(f, "{0: [1, 2, 'a']}", "the edit of \"rich\" has two runs in place of one: number 1 of its array");
    edit_refused(f, "{0: ['a', 'b']}", "the edit of \"rich\" has two runs in place of one: number 1 of its array");
    edit_refused(f, "{0: [['a', {b: 1}], ['b', {b: 1}]]}",
                 "the edit of \"rich\" has two runs in place of one: number 1 of its array");
    edit_refused(f, "{0: [[1, {b: 1}], [1, {b: 1}]]}",
                 "the edit of \"rich\" has two runs in place of one: number 1 of its array");
    edit_refused(f, "{0: [-1, -1]}", "the edit of \"rich\" has two runs in place of one: number 1 of its array");
    edit_refused(f, "{0: [-1, 'a']}",
                 "the edit of \"rich\" inserts behind what it removes there: number 1 of its array");
    edit_refused(f, "{0: [0]}", "the edit of \"rich\" has a run of no elements, or of too many: number 0 of its array");
    edit_refused(f, "{0: ['']}",
                 "the edit of \"rich\" has a run of no elements, or of too many: number 0 of its array");
    edit_refused(f, "{0: [1073741825, 'a']}",
                 "the edit of \"rich\" has a run of no elements, or of too many: number 0 of its array");
    edit_refused(f, "{0: [[1073741825, {b: 1}]]}",
                 "the edit of \"rich\" has a run of no elements, or of too many: number 0 of its array");
    edit_refused(f, "{0: [1, {b: 1}]}", "the edit of \"rich\" has a run that is none: number 1 of its array");
    edit_refused(f, "{0: [['a']]}", "the edit of \"rich\" has a run that is none: number 0 of its array");
    edit_refused(f, "{0: [[1]]}", "the edit of \"rich\" has a run that is none: number 0 of its array");
    edit_refused(f, "{0: [[]]}", "the edit of \"rich\" has a run that is none: number 0 of its array");
    edit_refused(f, "{0: [[-1, {b: 1}]]}", "the edit of \"rich\" has a run that is none: number 0 of its array");
    edit_refused(f, "{0: [['a', {b: 1}, 1]]}", "the edit of \"rich\" has a run that is none: number 0 of its array");
    edit_refused(f, "{0: [[{}]]}", "the edit of \"rich\" has a run that is none: number 0 of its array");
    edit_refused(f, "{0: [['a', 1]]}", "the edit of \"rich\" has attributes that are no map: number 0 of its array");
    edit_refused(f, "{0: [['a', {}]]}",
                 "the edit of \"rich\" has attributes of which there are none: number 0 of its array");
    edit_refused(f, "{0: [[1, {}]]}",
                 "the edit of \"rich\" has attributes of which there are none: number 0 of its array");
    edit_refused(f, "{0: [['a', {b: null}]]}",
                 "the edit of \"rich\" has an attribute that is null: number 0 of its array");
    edit_refused(f, "[{insert: 'a'}, {insert: 'b'}]",
                 "the edit of \"rich\" has two insertions in place of one: number 1 of its array");
    edit_refused(f, "[{insert: 'a'}, {insert: ''}]", "the edit of \"rich\" inserts nothing: number 1 of its array");
    edit_refused(f, "[{insert: 'a', attributes: {}}]",
                 "the edit of \"rich\" has attributes of which there are none: number 0 of its array");
    edit_refused(f, "[{insert: 'a', attributes: {b: null}}]",
                 "the edit of \"rich\" has an attribute that is null: number 0 of its array");
    edit_refused(f, "[{insert: 'a', more: 1}]",
                 "the edit of \"rich\" has an insertion with something other than \"insert\" and \"attributes\": "
                 "number 0 of its array");
    edit_refused(f, "[{retain: 1}]",
                 "the edit of \"rich\" has something other than an insertion: number 0 of its array");
    edit_refused(f, "['a']", "the edit of \"rich\" has something other than an insertion: number 0 of its array");
    edit_refused(f, "[{insert: 1}]",
                 "the edit of \"rich\" inserts what is neither text nor an embed: number 0 of its array");
}

static void diff_is(merge_fixture *f, const char *from, const char *to, const char *expected) {
    gt_bytes base = test_value(from), value = test_value(to);
    gt_buf edit, made;
    gt_buf_init(&edit, &gt_alloc_system);
    gt_buf_init(&made, &gt_alloc_system);
    assert_int_equal(gt_edit_diff(rich_field(f), base, value, &edit, &f->diag), GOAT_OK);
    assert_value(gt_buf_bytes(&edit), expected);
    if (edit.len > 0) {
        assert_canonical(f, gt_buf_bytes(&edit));
        assert_int_equal(gt_edit_apply(rich_field(f), base, gt_buf_bytes(&edit), &made, &f->diag), GOAT_OK);
        assert_value(gt_buf_bytes(&made), to);
    }
    gt_buf_free(&edit);
    gt_buf_free(&made);
    test_value_free(base);
    test_value_free(value);
}

static void a_difference_is_that_of_the_text_then_of_attributes(void **state) {
    merge_fixture *f = *state;
    diff_is(f, NULL, "[{insert: 'a'}]", "[{insert: 'a'}]");
    diff_is(f, "[{insert: 'a'}]", "[{insert: 'a'}]", NULL);
    diff_is(f, "[{insert: 'a'}]", "[]", "{0: [-1]}");
    diff_is(f, "[{insert: 'one two'}]", "[{insert: 'one '}, {insert: 'two', attributes: {b: 1}}]",
            "{0: [4, [3, {b: 1}]]}");
    diff_is(f, "[{insert: 'one', attributes: {b: 1, i: 1}}]", "[{insert: 'one', attributes: {b: 2}}]",
            "{0: [[3, {b: 2, i: null}]]}");
    diff_is(f, "[{insert: 'one two'}]", "[{insert: 'one new two', attributes: {b: 1}}]",
            "{0: [[4, {b: 1}], ['new ', {b: 1}], [3, {b: 1}]]}");
    diff_is(f, "[{insert: {image: 1}}, {insert: 'a'}]", "[{insert: {image: 2}}, {insert: 'a'}]",
            "{0: [[{image: 2}], -1]}");
    diff_is(f, "[{insert: {image: 1}}]", "[{insert: '" OBJECT "'}]", "{0: ['" OBJECT "', -1]}");
    diff_is(f, "[{insert: {image: 1}}]", "[{insert: {image: 1}, attributes: {w: 3}}]", "{0: [[1, {w: 3}]]}");
}

/* A value that an app sets need not be in its one form; what is kept is. */
static void a_set_document_is_brought_into_its_form(void **state) {
    merge_fixture *f = *state;
    gt_bytes value = test_value("[{insert: ''}, {insert: 'a', attributes: {}}, {insert: 'b', attributes: {b: null}}]");
    gt_bytes base = test_value("[{insert: 'ab'}]");
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    assert_int_equal(gt_edit_diff(rich_field(f), gt_bytes_of(NULL, 0), value, &edit, &f->diag), GOAT_OK);
    assert_value(gt_buf_bytes(&edit), "[{insert: 'ab'}]");
    edit.len = 0;
    assert_int_equal(gt_edit_diff(rich_field(f), base, value, &edit, &f->diag), GOAT_OK);
    assert_int_equal(edit.len, 0);
    gt_buf_free(&edit);
    test_value_free(value);
    test_value_free(base);
}

/* ---- random documents ---- */

static void put_random(test_random *random, gt_rich_writer *to) {
    static const char *const texts[] = {"a", "b\n", " c d ", GOAT, "\xc3\xa9 ", "word"};
    static const char *const all[] = {NULL, NULL, "{b: 1}", "{b: 2}", "{b: 1, link: 'x'}", "{h: 1}"};
    gt_buf content;
    gt_bytes attributes = test_value(all[test_random_below(random, 6)]);
    gt_buf_init(&content, &gt_alloc_system);
    if (test_random_below(random, 5) == 0) {
        test_value_write(&content, test_random_below(random, 2) == 0 ? "{image: 1}" : "{image: 2}");
    } else {
        gt_write_text(&content, gt_bytes_text(texts[test_random_below(random, 6)]));
    }
    gt_rich_piece piece = gt_rich_piece_of(gt_buf_bytes(&content), attributes);
    gt_rich_put(to, &piece);
    gt_buf_free(&content);
    test_value_free(attributes);
}

static void random_document(test_random *random, gt_buf *out) {
    gt_rich_writer writer;
    gt_rich_writer_init(&writer, out);
    for (uint32_t i = test_random_below(random, 12); i > 0; i--) put_random(random, &writer);
    gt_rich_writer_end(&writer);
}

static void make_diff(merge_fixture *f, gt_bytes from, gt_bytes to, gt_buf *edit) {
    gt_buf made;
    gt_buf_init(&made, &gt_alloc_system);
    edit->len = 0;
    assert_int_equal(gt_edit_diff(rich_field(f), from, to, edit, &f->diag), GOAT_OK);
    assert_true((edit->len == 0) == gt_value_equal(from, to));
    if (edit->len > 0) {
        assert_canonical(f, gt_buf_bytes(edit));
        assert_int_equal(gt_edit_apply(rich_field(f), from, gt_buf_bytes(edit), &made, &f->diag), GOAT_OK);
        assert_true(gt_value_equal(gt_buf_bytes(&made), to));
    }
    gt_buf_free(&made);
}

static void two_edits_become_one(void **state) {
    merge_fixture *f = *state;
    test_random random;
    gt_buf documents[3], edits[2], both, made;
    uint32_t composed = 0;
    test_random_init(&random, __func__);
    for (int i = 0; i < 3; i++) gt_buf_init(&documents[i], &gt_alloc_system);
    for (int i = 0; i < 2; i++) gt_buf_init(&edits[i], &gt_alloc_system);
    gt_buf_init(&both, &gt_alloc_system);
    gt_buf_init(&made, &gt_alloc_system);
    for (int round = 0; round < 20000; round++) {
        for (int i = 0; i < 3; i++) {
            documents[i].len = 0;
            random_document(&random, &documents[i]);
        }
        for (int i = 0; i < 2; i++)
            make_diff(f, gt_buf_bytes(&documents[i]), gt_buf_bytes(&documents[i + 1]), &edits[i]);
        if (edits[0].len == 0 || edits[1].len == 0) continue;
        both.len = made.len = 0;
        assert_int_equal(gt_edit_compose(rich_field(f), gt_buf_bytes(&documents[0]), gt_buf_bytes(&edits[0]),
                                         gt_buf_bytes(&edits[1]), &both, &f->diag),
                         GOAT_OK);
        gt_bytes edit = gt_buf_bytes(&both), base = gt_buf_bytes(&documents[0]);
        if (edit.len == 0) {
            assert_true(gt_value_equal(base, gt_buf_bytes(&documents[2])));
            continue;
        }
        composed++;
        assert_canonical(f, edit);
        assert_int_equal(gt_edit_apply(rich_field(f), base, edit, &made, &f->diag), GOAT_OK);
        assert_true(gt_value_equal(gt_buf_bytes(&made), gt_buf_bytes(&documents[2])));
    }
    assert_true(composed > 10000);
    for (int i = 0; i < 3; i++) gt_buf_free(&documents[i]);
    for (int i = 0; i < 2; i++) gt_buf_free(&edits[i]);
    gt_buf_free(&both);
    gt_buf_free(&made);
}

static void without_memory_nothing_is_made(void **state) {
    merge_fixture *f = *state;
    gt_bytes base = test_value("[{insert: 'one two'}, {insert: {image: 1}, attributes: {w: 1}}]");
    gt_bytes other = test_value("[{insert: 'two', attributes: {b: 1}}, {insert: {image: 2}}]");
    gt_bytes one = test_value("{0: [1, [2, {b: 1}], ['x', {i: 2}]]}"),
             two = test_value("{0: [[3, {b: 2}], ['y', {b: 3}], -2]}");
    gt_bytes delta = test_value("[{retain: 2, attributes: {b: 1}}, {insert: 'z', attributes: {i: 1}}]");
    const gt_field *field = rich_field(f);
    for (int call = 0; call < 5; call++) {
        bool failed = true;
        for (uint64_t k = 0; failed; k++) {
            test_alloc memory;
            gt_buf out;
            goat_status status;
            test_alloc_init(&memory, k);
            gt_buf_init(&out, &memory.alloc);
            merge_begin(f, "{rich: [{insert: 'abcdef'}]}");
            merge_step(f, "", "{rich: {0: [1, [2, {b: 1}], ['x', {i: 2}]]}}");
            merge_step(f, "", "{rich: {0: [[3, {b: 2}], ['y', {b: 3}], -2]}}");
            switch (call) {
            case 0: status = gt_edit_diff(field, base, other, &out, &f->diag); break;
            case 1: status = gt_edit_compose(field, base, one, two, &out, &f->diag); break;
            case 2: status = gt_edit_apply(field, base, two, &out, &f->diag); break;
            case 3: status = gt_edit_delta(field, base, delta, &out, &f->diag); break;
            default:
                status = gt_merge_replay(&memory.alloc, f->schema, f->base, f->steps, 2, &out, NULL, &f->diag);
                break;
            }
            failed = memory.failed;
            assert_int_equal(status, failed ? GOAT_NO_MEMORY : GOAT_OK);
            gt_buf_free(&out);
            test_alloc_assert_empty(&memory);
        }
    }
    merge_begin(f, NULL);
    test_value_free(base);
    test_value_free(other);
    test_value_free(one);
    test_value_free(two);
    test_value_free(delta);
}

/* ---- two authors ---- */

/* Two edits at once, the first of the lesser id and earlier; then with the second the earlier one. */
static void both(merge_fixture *f, const char *base, const char *one, const char *two, const char *expected,
                 const char *other_way) {
    for (int turn = 0; turn < 2; turn++) {
        merge_begin(f, base);
        merge_step(f, "", one);
        merge_step(f, "", two);
        f->steps[1].time = turn == 0 ? 101 : 99;
        merge_gives(f, turn == 0 ? expected : other_way);
    }
}

static void always(merge_fixture *f, const char *base, const char *one, const char *two, const char *expected) {
    both(f, base, one, two, expected, expected);
}

static void a_heading_and_a_typed_word_both_survive(void **state) {
    merge_fixture *f = *state;
    always(f, "{rich: [{insert: 'Title\nText\n'}]}", "{rich: {0: [5, [1, {header: 1}]]}}", "{rich: {0: [5, ' of it']}}",
           "{rich: [{insert: 'Title of it'}, {insert: '\n', attributes: {header: 1}}, {insert: 'Text\n'}]}");
    /* The other half of a line that is split at the same time is a line of its own. */
    always(f, "{rich: [{insert: 'One two\n'}]}", "{rich: {0: [7, [1, {header: 1}]]}}", "{rich: {0: [3, '\n', -1]}}",
           "{rich: [{insert: 'One\ntwo'}, {insert: '\n', attributes: {header: 1}}]}");
}

static void what_is_typed_inside_of_a_range_is_in_it(void **state) {
    merge_fixture *f = *state;
    always(f, "{rich: [{insert: 'The fox'}]}", "{rich: {0: [[7, {bold: true}]]}}", "{rich: {0: [4, 'brown ']}}",
           "{rich: [{insert: 'The brown fox', attributes: {bold: true}}]}");
    always(f, "{rich: [{insert: 'The fox'}]}", "{rich: {0: [4, [3, {bold: true}]]}}", "{rich: {0: [5, 'l', -1]}}",
           "{rich: [{insert: 'The '}, {insert: 'flx', attributes: {bold: true}}]}");
    /* Also where its author had the old attributes from what he typed beside. */
    always(f, "{rich: [{insert: 'fox', attributes: {bold: true}}]}", "{rich: {0: [[3, {bold: null}]]}}",
           "{rich: {0: [1, ['l', {bold: true}]]}}", "{rich: [{insert: 'flox'}]}");
    /* Other attributes stay what its author said. */
    always(f, "{rich: [{insert: 'fox'}]}", "{rich: {0: [[3, {bold: true}]]}}", "{rich: {0: [1, ['l', {link: 'x'}]]}}",
           "{rich: [{insert: 'f', attributes: {bold: true}}, {insert: 'l', attributes: {bold: true, link: 'x'}}, "
           "{insert: 'ox', attributes: {bold: true}}]}");
}

static void what_is_typed_at_the_edge_of_a_range_is_not(void **state) {
    merge_fixture *f = *state;
    always(f, "{rich: [{insert: 'a b c'}]}", "{rich: {0: [2, [1, {bold: true}]]}}", "{rich: {0: [2, 'x', 1, 'y']}}",
           "{rich: [{insert: 'a x'}, {insert: 'b', attributes: {bold: true}}, {insert: 'y c'}]}");
}

static void two_ranges_with_something_between_are_two(void **state) {
    merge_fixture *f = *state;
    always(f, "{rich: [{insert: 'a\nb\n'}]}", "{rich: {0: [1, [1, {list: 1}], 1, [1, {list: 1}]]}}",
           "{rich: {0: [2, 'x\n']}}",
           "{rich: [{insert: 'a'}, {insert: '\n', attributes: {list: 1}}, {insert: 'x\nb'}, "
           "{insert: '\n', attributes: {list: 1}}]}");
    /* But two runs that give the same attribute beside each other are one range of it. */
    always(f, "{rich: [{insert: 'ab'}]}", "{rich: {0: [[1, {b: 1, i: 1}], [1, {b: 1}]]}}", "{rich: {0: [1, 'x']}}",
           "{rich: [{insert: 'a', attributes: {b: 1, i: 1}}, {insert: 'xb', attributes: {b: 1}}]}");
    always(f, "{rich: [{insert: 'ab'}]}", "{rich: {0: [[1, {b: 1}], [1, {b: 2}]]}}", "{rich: {0: [1, 'x']}}",
           "{rich: [{insert: 'a', attributes: {b: 1}}, {insert: 'x'}, {insert: 'b', attributes: {b: 2}}]}");
}

static void each_attribute_is_the_later_one_where_both_gave_it(void **state) {
    merge_fixture *f = *state;
    both(f, "{rich: [{insert: 'abc'}]}", "{rich: {0: [[2, {color: 'red'}]]}}",
         "{rich: {0: [1, [2, {color: 'blue', b: 1}]]}}",
         "{rich: [{insert: 'a', attributes: {color: 'red'}}, {insert: 'bc', attributes: {b: 1, color: 'blue'}}]}",
         "{rich: [{insert: 'a', attributes: {color: 'red'}}, {insert: 'b', attributes: {b: 1, color: 'red'}}, "
         "{insert: 'c', attributes: {b: 1, color: 'blue'}}]}");
    both(f, "{rich: [{insert: 'a', attributes: {b: 1}}]}", "{rich: {0: [[1, {b: 2}]]}}",
         "{rich: {0: [[1, {b: null}]]}}", "{rich: [{insert: 'a'}]}", "{rich: [{insert: 'a', attributes: {b: 2}}]}");
}

static void who_saw_a_range_says_himself_what_he_types_into_it(void **state) {
    merge_fixture *f = *state;
    merge_begin(f, "{rich: [{insert: 'ab'}]}");
    merge_step(f, "", "{rich: {0: [[2, {b: 1}]]}}");
    merge_step(f, "0", "{rich: {0: [1, 'plain']}}");
    merge_step(f, "", "{rich: {0: [2, '!']}}");
    merge_gives(f, "{rich: [{insert: 'a', attributes: {b: 1}}, {insert: 'plain'}, {insert: 'b', attributes: {b: 1}}, "
                   "{insert: '!'}]}");
}

static void attributes_of_a_void_step_were_never_given(void **state) {
    merge_fixture *f = *state;
    merge_begin(f, "{rich: [{insert: 'ab'}]}");
    merge_step(f, "", "{rich: {0: [[2, {b: 1}], 'v']}}");
    merge_step(f, "0", "{rich: {0: [3, '!', ['?', {b: 1}]]}}");
    f->steps[0].is_void = true;
    merge_gives(f, "{rich: [{insert: 'ab!'}, {insert: '?', attributes: {b: 1}}]}");
}

static void embeds_of_both_are_kept_whole(void **state) {
    merge_fixture *f = *state;
    always(f, "{rich: [{insert: 'ab'}]}", "{rich: {0: [1, [{image: 1}, {w: 2}]]}}", "{rich: {0: [1, [{image: 2}]]}}",
           "{rich: [{insert: 'a'}, {insert: {image: 1}, attributes: {w: 2}}, {insert: {image: 2}}, {insert: 'b'}]}");
    always(f, "{rich: [{insert: {image: 1}}]}", "{rich: {0: [[1, {w: 2}]]}}", "{rich: {0: [-1]}}", "{rich: []}");
}

/* A thousand heads that each give the whole text an attribute cost what they are, not their square. */
static void many_ranges_over_each_other_are_cheap(void **state) {
    merge_fixture *f = *state;
    enum { HEADS = 4000 };
    gt_step *steps = test_malloc(HEADS * sizeof *steps);
    uint8_t(*ids)[32] = test_malloc(HEADS * sizeof *ids);
    gt_bytes delta = test_value("{rich: {0: [1, [2, {b: 1}], 1, 'x']}}"),
             base = test_value("{rich: [{insert: 'abcdefgh'}]}");
    uint64_t work = 0;
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    for (uint32_t i = 0; i < HEADS; i++) {
        memset(ids[i], 0, 32);
        gt_put_u32(ids[i], i);
        steps[i] = (gt_step){.id = ids[i], .time = 5, .delta = delta};
    }
    assert_int_equal(gt_merge_replay(&gt_alloc_system, f->schema, base, steps, HEADS, &out, &work, &f->diag), GOAT_OK);
    gt_bytes value = gt_map_find(gt_buf_bytes(&out), gt_bytes_text("rich"));
    assert_int_equal(gt_rich_count(value), 8 + HEADS);
    assert_true(work < 40 * HEADS);
    gt_buf_free(&out);
    test_value_free(delta);
    test_value_free(base);
    test_free(steps);
    test_free(ids);
}

/* A short edit of a document of many pieces could make one that no memory holds. */
static void a_document_that_grows_without_bounds_is_cut(void **state) {
    merge_fixture *f = *state;
    enum { PIECES = 2 * GT_FIELD_SIZE_MAX / 4000 };
    char text[GT_RICH_ATTRIBUTES_MAX + 64];
    gt_buf base, out, item, first;
    gt_rich_writer writer;
    uint64_t position;
    gt_bytes attributes[2] = {test_value("{b: 1}"), test_value("{b: 2}")};
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&out, &gt_alloc_system);
    gt_buf_init(&item, &gt_alloc_system);
    gt_buf_init(&first, &gt_alloc_system);
    gt_rich_writer_init(&writer, &base);
    for (int i = 0; i < PIECES; i++) {
        gt_rich_piece piece = {gt_bytes_text("a"), 1, attributes[i % 2], false};
        gt_rich_put(&writer, &piece);
    }
    gt_rich_writer_end(&writer);
    for (int len = 100; len <= 4000; len += 3900) {
        bool whole = len == 100;
        snprintf(text, sizeof text, "{0: [[%d, {c: '%0*d'}]]}", (int)PIECES, len, 0);
        gt_bytes edit = test_value(text);
        out.len = 0;
        assert_int_equal(gt_edit_apply(rich_field(f), gt_buf_bytes(&base), edit, &out, &f->diag), GOAT_OK);
        assert_int_equal(out.len <= GT_FIELD_SIZE_MAX, whole);
        assert_true(out.len < GT_FIELD_SIZE_MAX + GT_RICH_ATTRIBUTES_MAX + 64);
        assert_null(gt_rich_fault(gt_buf_bytes(&out), true, &position));
        first.len = 0;
        gt_buf_append(&first, out.data, out.len);
        item.len = 0;
        gt_write_map_head(&item, 1);
        gt_write_text(&item, gt_bytes_text("rich"));
        gt_buf_append(&item, base.data, base.len);
        snprintf(text, sizeof text, "{rich: {0: [[%d, {c: '%0*d'}]]}}", (int)PIECES, len, 0);
        merge_begin(f, NULL);
        merge_step(f, "", text);
        merge_step(f, "", "{rich: {0: [1, 'x']}}");
        for (uint32_t count = 1; count <= 2; count++) {
            out.len = 0;
            assert_int_equal(gt_merge_replay(&gt_alloc_system, f->schema, gt_buf_bytes(&item), f->steps, count, &out,
                                             NULL, &f->diag),
                             GOAT_OK);
            assert_int_equal(gt_state_is_whole(gt_buf_bytes(&out)), whole);
            gt_bytes now = gt_map_find(gt_buf_bytes(&out), gt_bytes_text("rich"));
            assert_null(gt_rich_fault(now, true, &position));
            if (count == 1) assert_true(gt_bytes_equal(now, gt_buf_bytes(&first)));
            if (!whole) assert_true(now.len > GT_FIELD_SIZE_MAX);
        }
        test_value_free(edit);
    }
    gt_buf_free(&base);
    gt_buf_free(&out);
    gt_buf_free(&item);
    gt_buf_free(&first);
    for (int i = 0; i < 2; i++) test_value_free(attributes[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delta_is_recorded_as_it_is_made),
        cmocka_unit_test(positions_of_a_delta_are_units_of_utf16),
        cmocka_unit_test(what_an_editor_may_say_otherwise_is_taken),
        cmocka_unit_test(what_changes_nothing_is_no_edit),
        cmocka_unit_test(a_hostile_delta_is_refused_with_the_place),
        cmocka_unit_test(attributes_of_an_operation_have_a_limit),
        cmocka_unit_test(an_edit_that_is_none_is_refused_with_the_reason),
        cmocka_unit_test(a_difference_is_that_of_the_text_then_of_attributes),
        cmocka_unit_test(a_set_document_is_brought_into_its_form),
        cmocka_unit_test(two_edits_become_one),
        cmocka_unit_test(without_memory_nothing_is_made),
        cmocka_unit_test(a_heading_and_a_typed_word_both_survive),
        cmocka_unit_test(what_is_typed_inside_of_a_range_is_in_it),
        cmocka_unit_test(what_is_typed_at_the_edge_of_a_range_is_not),
        cmocka_unit_test(two_ranges_with_something_between_are_two),
        cmocka_unit_test(each_attribute_is_the_later_one_where_both_gave_it),
        cmocka_unit_test(who_saw_a_range_says_himself_what_he_types_into_it),
        cmocka_unit_test(attributes_of_a_void_step_were_never_given),
        cmocka_unit_test(embeds_of_both_are_kept_whole),
        cmocka_unit_test(many_ranges_over_each_other_are_cheap),
        cmocka_unit_test(a_document_that_grows_without_bounds_is_cut),
    };
    return cmocka_run_group_tests(tests, merge_fixture_set_up, merge_fixture_tear_down);
}
