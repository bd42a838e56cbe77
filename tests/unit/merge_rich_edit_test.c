/* core/merge: edits of rich texts by one author: which are none, differences, two that become one. */
#include "support/test.h"

#include "merge/merge.h"
#include "merge/rich_runs.h"
#include "support/edit_laws.h"
#include "support/test_random.h"
#include "support/test_value.h"
#include "value/build.h"

#define GOAT "\xf0\x9f\x90\x90" /* one code point, two units of UTF-16 */

#define OBJECT "\xef\xbf\xbc" /* U+FFFC */

static edit_place rich(merge_fixture *f) { return edit_place_of(f->schema, "rich"); }

static void edit_refused(merge_fixture *f, const char *edit, const char *message) {
    gt_bytes given = test_value(edit);
    assert_int_equal(edit_check(rich(f), given, &f->diag), GOAT_INVALID);
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

static void a_difference_is_that_of_the_text_then_of_attributes(void **state) {
    merge_fixture *f = *state;
    edit_made_is(rich(f), NULL, "[{insert: 'a'}]", "[{insert: 'a'}]");
    edit_made_is(rich(f), "[{insert: 'a'}]", "[{insert: 'a'}]", NULL);
    edit_made_is(rich(f), "[{insert: 'a'}]", "[]", "{0: [-1]}");
    edit_made_is(rich(f), "[{insert: 'one two'}]", "[{insert: 'one '}, {insert: 'two', attributes: {b: 1}}]",
                 "{0: [4, [3, {b: 1}]]}");
    edit_made_is(rich(f), "[{insert: 'one', attributes: {b: 1, i: 1}}]", "[{insert: 'one', attributes: {b: 2}}]",
                 "{0: [[3, {b: 2, i: null}]]}");
    edit_made_is(rich(f), "[{insert: 'one two'}]", "[{insert: 'one new two', attributes: {b: 1}}]",
                 "{0: [[4, {b: 1}], ['new ', {b: 1}], [3, {b: 1}]]}");
    edit_made_is(rich(f), "[{insert: {image: 1}}, {insert: 'a'}]", "[{insert: {image: 2}}, {insert: 'a'}]",
                 "{0: [[{image: 2}], -1]}");
    edit_made_is(rich(f), "[{insert: {image: 1}}]", "[{insert: '" OBJECT "'}]", "{0: ['" OBJECT "', -1]}");
    edit_made_is(rich(f), "[{insert: {image: 1}}]", "[{insert: {image: 1}, attributes: {w: 3}}]", "{0: [[1, {w: 3}]]}");
}

/* A value that an app sets need not be in its one form; what is kept is. */
static void a_set_document_is_brought_into_its_form(void **state) {
    merge_fixture *f = *state;
    gt_bytes value = test_value("[{insert: ''}, {insert: 'a', attributes: {}}, {insert: 'b', attributes: {b: null}}]");
    gt_bytes base = test_value("[{insert: 'ab'}]");
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    assert_int_equal(gt_edit_diff(rich(f).field, gt_bytes_of(NULL, 0), value, &edit, &f->diag), GOAT_OK);
    assert_value(gt_buf_bytes(&edit), "[{insert: 'ab'}]");
    edit.len = 0;
    assert_int_equal(gt_edit_diff(rich(f).field, base, value, &edit, &f->diag), GOAT_OK);
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

static void two_edits_become_one(void **state) {
    merge_fixture *f = *state;
    static const edit_model documents = {.make = random_document};
    assert_true(edit_laws_hold(rich(f), &documents, 20000, __func__) > 10000);
}

static void without_memory_nothing_is_made(void **state) {
    merge_fixture *f = *state;
    edit_laws_hold_without_memory(f, "rich", "[{insert: 'one two'}, {insert: {image: 1}, attributes: {w: 1}}]",
                                  "[{insert: 'two', attributes: {b: 1}}, {insert: {image: 2}}]",
                                  "{0: [1, [2, {b: 1}], ['x', {i: 2}]]}", "{0: [[3, {b: 2}], ['y', {b: 3}], -2]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_that_is_none_is_refused_with_the_reason),
        cmocka_unit_test(a_difference_is_that_of_the_text_then_of_attributes),
        cmocka_unit_test(a_set_document_is_brought_into_its_form),
        cmocka_unit_test(two_edits_become_one),
        cmocka_unit_test(without_memory_nothing_is_made),
    };
    return cmocka_run_group_tests(tests, merge_fixture_set_up, merge_fixture_tear_down);
}
