/* core/merge: making edits, putting two into one, applying them, and what may stand in a delta. */
#include "support/test.h"

#include "merge/merge.h"
#include "support/edit_laws.h"
#include "support/test_alloc.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct fixture {
    gt_schema *schema;
    gt_diag diag;
} fixture;

static const char *const definition =
    "{\"ns\": \"n\", \"version\": 1, \"fields\": {"
    "\"text\": {\"type\": \"string\"}, \"size\": {\"type\": \"number\"}, \"list\": {\"type\": \"list\"},"
    "\"tags\": {\"type\": \"set\"}, \"map\": {\"type\": \"map\"}, \"votes\": {\"type\": \"counter\"},"
    "\"done\": {\"type\": \"boolean\"}, \"due\": {\"type\": \"date\"}, \"raw\": {\"type\": \"bytes\"},"
    "\"owner\": {\"type\": \"ref\"}}}";

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f != NULL) {
        f->schema = test_schema(definition);
    }
    return f == NULL;
}

static int tear_down(void **state) {
    fixture *f = *state;
    gt_schema_free(f->schema);
    free(f);
    return 0;
}

/* ---- edits ---- */

static const gt_field *field_of(const fixture *f, const char *name) {
    return gt_schema_field(f->schema, gt_bytes_text(name));
}

static void an_edit_leads_from_one_value_to_the_other(void **state) {
    fixture *f = *state;
    edit_made_is(edit_place_of(f->schema, "text"), NULL, "'a'", "'a'");
    edit_made_is(edit_place_of(f->schema, "text"), "'a'", "'b'", "'b'");
    edit_made_is(edit_place_of(f->schema, "text"), "'a'", NULL, "undefined");
    edit_made_is(edit_place_of(f->schema, "tags"), NULL, "set[]", "set[]");
    edit_made_is(edit_place_of(f->schema, "tags"), "set[1, 2]", "set[2, 3]", "{0: set[3], 1: set[1]}");
    edit_made_is(edit_place_of(f->schema, "tags"), "set[1, 2]", "set[2]", "{1: set[1]}");
    edit_made_is(edit_place_of(f->schema, "tags"), "set[1]", NULL, "undefined");
    edit_made_is(edit_place_of(f->schema, "map"), "{a: 1, b: 2}", "{a: 1, b: 3, c: 4}", "{b: 3, c: 4}");
    edit_made_is(edit_place_of(f->schema, "map"), "{a: 1}", "{}", "{a: undefined}");
    edit_made_is(edit_place_of(f->schema, "votes"), "5", "3", "-2");
    edit_made_is(edit_place_of(f->schema, "votes"), NULL, "0", "0");
    edit_made_is(edit_place_of(f->schema, "votes"), "-9223372036854775808", "9223372036854775807", "-1");
}

static void writing_what_is_there_is_no_edit(void **state) {
    fixture *f = *state;
    edit_made_is(edit_place_of(f->schema, "text"), "'a'", "'a'", NULL);
    edit_made_is(edit_place_of(f->schema, "tags"), "set[1]", "set[1]", NULL);
    edit_made_is(edit_place_of(f->schema, "map"), "{a: 1}", "{a: 1}", NULL);
    edit_made_is(edit_place_of(f->schema, "votes"), "3", "3", NULL);
    edit_made_is(edit_place_of(f->schema, "list"), NULL, NULL, NULL);
}

static void an_edit_to_a_value_of_another_type_is_refused(void **state) {
    fixture *f = *state;
    gt_bytes value = test_value("[1]");
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    assert_int_equal(gt_edit_diff(field_of(f, "tags"), gt_bytes_of(NULL, 0), value, &edit, &f->diag), GOAT_WRONG_TYPE);
    assert_string_equal(f->diag.field, "tags");
    assert_int_equal(edit.len, 0);
    gt_buf_free(&edit);
    test_value_free(value);
}

/* Two edits on a base become the expected one; NULL for none. */
static void composed(fixture *f, const char *name, const char *from, const char *first, const char *second,
                     const char *expected) {
    gt_bytes base = test_value(from), one = test_value(first), two = test_value(second);
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    assert_int_equal(gt_edit_compose(field_of(f, name), base, one, two, &edit, &f->diag), GOAT_OK);
    assert_value(gt_buf_bytes(&edit), expected);
    gt_buf_free(&edit);
    test_value_free(base);
    test_value_free(one);
    test_value_free(two);
}

static void two_edits_become_one(void **state) {
    fixture *f = *state;
    composed(f, "text", "'a'", "'b'", "'c'", "'c'");
    composed(f, "text", "'a'", "'b'", "undefined", "undefined");
    composed(f, "text", "'a'", "undefined", "'c'", "'c'");
    composed(f, "text", NULL, NULL, "'c'", "'c'");
    composed(f, "votes", "5", "1", "2", "3");
    composed(f, "votes", "5", "undefined", "2", "-3");
    composed(f, "tags", "set['a', 'b']", "set['c']", "{0: set['d'], 1: set['a']}", "{0: set['c', 'd'], 1: set['a']}");
    composed(f, "tags", "set['a', 'b']", "undefined", "set['b', 'c']", "{0: set['b', 'c'], 1: set['a']}");
    composed(f, "tags", "set['a']", "{1: set['a']}", "set['a']", "set['a']");
    composed(f, "tags", "set['a']", "set['a']", "{1: set['a']}", "{1: set['a']}");
    composed(f, "map", "{a: 1}", "{a: 2, b: 3}", "{b: undefined, c: 4}", "{a: 2, c: 4}");
    composed(f, "map", "{a: 1, b: 2}", "undefined", "{b: 3}", "{a: undefined, b: 3}");
    composed(f, "map", "{a: 1}", "{a: undefined}", "{a: 1}", "{a: 1}");
}

static void two_edits_that_undo_each_other_are_none(void **state) {
    fixture *f = *state;
    composed(f, "text", "'a'", "'b'", "'a'", NULL);
    composed(f, "text", NULL, "'b'", "undefined", NULL);
    composed(f, "votes", "5", "1", "-1", NULL);
    composed(f, "votes", NULL, "1", "-1", "0"); /* it was unset */
    composed(f, "tags", "set['a']", "set['b']", "{1: set['b']}", NULL);
    composed(f, "tags", NULL, "set['b']", "{1: set['b']}", "set[]");
    composed(f, "tags", NULL, "set['b']", "undefined", NULL);
    composed(f, "map", "{}", "{a: 1}", "{a: undefined}", NULL);
    composed(f, "map", NULL, "{a: 1}", "{a: undefined}", "{}");
}

/* The edit that was appended to `edit` is the expected one; empties it. */
static void made(gt_buf *edit, goat_status status, const char *expected) {
    assert_int_equal(status, GOAT_OK);
    assert_value(gt_buf_bytes(edit), expected);
    gt_buf_clear(edit);
}

static void explicit_operations_are_edits_even_where_nothing_changes(void **state) {
    fixture *f = *state;
    gt_bytes set = test_value("set[1, 2]"), map = test_value("{a: 1}"), one = test_value("1"), nine = test_value("9");
    gt_bytes none = {NULL, 0};
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    const gt_field *tags = field_of(f, "tags"), *pairs = field_of(f, "map"), *votes = field_of(f, "votes");
    made(&edit, gt_edit_add(tags, one, &edit, NULL), "set[1]");
    made(&edit, gt_edit_remove(tags, set, one, &edit, NULL), "{1: set[1]}");
    made(&edit, gt_edit_remove(tags, set, nine, &edit, NULL), NULL); /* it is not there */
    made(&edit, gt_edit_remove(tags, none, one, &edit, NULL), NULL);
    made(&edit, gt_edit_put(pairs, map, gt_bytes_text("a"), one, &edit, NULL), "{a: 1}");
    made(&edit, gt_edit_put(pairs, map, gt_bytes_text("a"), none, &edit, NULL), "{a: undefined}");
    made(&edit, gt_edit_put(pairs, map, gt_bytes_text("b"), none, &edit, NULL), NULL);
    made(&edit, gt_edit_put(pairs, none, gt_bytes_text("b"), none, &edit, NULL), NULL);
    made(&edit, gt_edit_increment(votes, -7, &edit, NULL), "-7");
    made(&edit, gt_edit_increment(votes, 0, &edit, NULL), NULL);
    gt_buf_free(&edit);
    test_value_free(set);
    test_value_free(map);
    test_value_free(one);
    test_value_free(nine);
}

static void an_operation_of_another_type_is_refused(void **state) {
    fixture *f = *state;
    gt_bytes one = test_value("1"), none = {NULL, 0};
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    const gt_field *text = field_of(f, "text");
    assert_int_equal(gt_edit_add(text, one, &edit, &f->diag), GOAT_WRONG_TYPE);
    assert_string_equal(f->diag.message, "\"text\" is not a set: nothing can be added");
    assert_string_equal(f->diag.field, "text");
    assert_int_equal(gt_edit_remove(text, none, one, &edit, &f->diag), GOAT_WRONG_TYPE);
    assert_int_equal(gt_edit_put(text, none, gt_bytes_text("k"), one, &edit, &f->diag), GOAT_WRONG_TYPE);
    assert_int_equal(gt_edit_increment(text, 1, &edit, &f->diag), GOAT_WRONG_TYPE);
    assert_int_equal(edit.len, 0);
    gt_buf_free(&edit);
    test_value_free(one);
}

static void an_edit_without_memory_is_reported(void **state) {
    fixture *f = *state;
    gt_bytes base = test_value("set[1]"), value = test_value("set[2]"), one = test_value("1");
    for (int call = 0; call < 4; call++) {
        test_alloc memory;
        gt_buf edit;
        goat_status status = GOAT_OK;
        test_alloc_init(&memory, 0);
        gt_buf_init(&edit, &memory.alloc);
        switch (call) {
        case 0: status = gt_edit_diff(field_of(f, "tags"), base, value, &edit, &f->diag); break;
        case 1: status = gt_edit_compose(field_of(f, "tags"), base, value, base, &edit, &f->diag); break;
        case 2: status = gt_edit_apply(field_of(f, "tags"), base, value, &edit, &f->diag); break;
        default: status = gt_edit_remove(field_of(f, "tags"), base, one, &edit, &f->diag); break;
        }
        assert_int_equal(status, GOAT_NO_MEMORY);
        gt_buf_free(&edit);
        test_alloc_assert_empty(&memory);
    }
    test_value_free(base);
    test_value_free(value);
    test_value_free(one);
}

/* ---- deltas ---- */

static void delta_is(fixture *f, const char *base, const char *wanted, const char *expected) {
    gt_bytes old = test_value(base), new = test_value(wanted);
    gt_buf delta;
    uint32_t count = 99;
    gt_buf_init(&delta, &gt_alloc_system);
    assert_int_equal(gt_merge_diff(f->schema, old, new, &delta, &count, &f->diag), GOAT_OK);
    assert_value(gt_buf_bytes(&delta), expected);
    gt_bytes made = gt_buf_bytes(&delta);
    assert_int_equal(count, gt_value_count(made));
    assert_int_equal(gt_merge_check_delta(f->schema, made, NULL), GOAT_OK);
    gt_buf_free(&delta);
    test_value_free(old);
    test_value_free(new);
}

static void a_difference_holds_what_differs_and_no_more(void **state) {
    fixture *f = *state;
    delta_is(f, "{text: 'a', size: 1}", "{text: 'a', size: 1}", "{}");
    delta_is(f, "{text: 'a', size: 1}", "{text: 'b', done: true}", "{text: 'b', size: undefined, done: true}");
    delta_is(f, NULL, "{text: 'a', tags: set[1], map: {a: 1}, votes: 3, list: [1]}",
             "{text: 'a', tags: set[1], map: {a: 1}, votes: 3, list: [1]}");
    delta_is(f, "{0: true, votes: 5}", "{votes: 3}", "{votes: -2}");
    delta_is(f, "{tags: set[1, 2, 3]}", "{tags: set[2, 3, 4]}", "{tags: {0: set[4], 1: set[1]}}");
    delta_is(f, "{tags: set[1]}", "{tags: set[1, 2]}", "{tags: set[2]}");
    delta_is(f, "{tags: set[1]}", "{tags: set[]}", "{tags: {1: set[1]}}");
    delta_is(f, "{tags: set[]}", "{}", "{tags: undefined}");
    delta_is(f, "{}", "{tags: set[], votes: 0, map: {}}", "{tags: set[], votes: 0, map: {}}");
    delta_is(f, "{map: {a: 1, b: 2, d: 4}}", "{map: {b: 3, c: 4, d: 4}}", "{map: {a: undefined, b: 3, c: 4}}");
    delta_is(f, "{other: 1, text: 'a'}", "{text: 'a'}", "{}"); /* another version's */
}

static gt_schema *schema_of_300_numbers(void) {
    gt_buf json;
    gt_buf_init(&json, &gt_alloc_system);
    test_text(&json, "{\"ns\": \"n\", \"version\": 1, \"fields\": {");
    for (int i = 0; i < 300; i++) {
        test_text(&json, "%s\"f%03d\": {\"type\": \"number\"}", i == 0 ? "" : ",", i);
    }
    test_text(&json, "}}");
    gt_schema *schema = test_schema((const char *)json.data);
    gt_buf_free(&json);
    return schema;
}

/* The last `count` of these fields, all with that value. */
static gt_bytes state_of_numbers(int count, int value) {
    gt_buf notation;
    gt_buf_init(&notation, &gt_alloc_system);
    test_text(&notation, "{");
    for (int i = 0; i < count; i++) {
        test_text(&notation, "%sf%03d: %d", i == 0 ? "" : ", ", 299 - i, value);
    }
    test_text(&notation, "}");
    gt_bytes state = test_value((const char *)notation.data);
    gt_buf_free(&notation);
    return state;
}

/* A state, and the delta that leads to it, whose count of fields takes one, two or three bytes. */
static void counts_of_fields_may_need_longer_heads(void **state) {
    (void)state;
    static const int counts[] = {0, 1, 22, 23, 24, 25, 254, 255, 256, 257};
    gt_schema *schema = schema_of_300_numbers();
    gt_buf delta, after;
    gt_buf_init(&delta, &gt_alloc_system);
    gt_buf_init(&after, &gt_alloc_system);
    for (size_t i = 0; i < 100; i++) {
        gt_bytes from = state_of_numbers(counts[i / 10], 0), to = state_of_numbers(counts[i % 10], 1);
        uint32_t count = 0;
        gt_buf_clear(&delta);
        gt_buf_clear(&after);
        assert_int_equal(gt_merge_diff(schema, from, to, &delta, &count, NULL), GOAT_OK);
        assert_int_equal(gt_value_check(gt_buf_bytes(&delta), GT_VALUE_EDIT, NULL), GOAT_OK);
        gt_step step = {.id = (const uint8_t *)"", .time = 1, .delta = gt_buf_bytes(&delta)};
        assert_int_equal(gt_merge_replay(&gt_alloc_system, schema, from, &step, 1, &after, NULL, NULL), GOAT_OK);
        assert_true(gt_bytes_equal(gt_buf_bytes(&after), to));
        test_value_free(from);
        test_value_free(to);
    }
    gt_buf_free(&delta);
    gt_buf_free(&after);
    gt_schema_free(schema);
}

static void what_is_wanted_has_to_be_of_the_schema(void **state) {
    fixture *f = *state;
    gt_bytes unknown = test_value("{other: 1}"), wrong = test_value("{text: 'a', votes: 'b'}");
    gt_buf delta;
    uint32_t count;
    gt_buf_init(&delta, &gt_alloc_system);
    assert_int_equal(gt_merge_diff(f->schema, gt_bytes_of(NULL, 0), unknown, &delta, &count, &f->diag), GOAT_INVALID);
    assert_string_equal(f->diag.field, "other");
    assert_string_equal(f->diag.rule, "unknown_field");
    assert_int_equal(gt_merge_diff(f->schema, gt_bytes_of(NULL, 0), wrong, &delta, &count, &f->diag), GOAT_WRONG_TYPE);
    assert_string_equal(f->diag.field, "votes");
    assert_int_equal(delta.len, 0);
    gt_buf_free(&delta);
    test_value_free(unknown);
    test_value_free(wrong);
}

static void delta_refused(fixture *f, const char *delta, const char *field, const char *message) {
    gt_bytes bytes = test_value(delta);
    gt_diag_init(&f->diag);
    assert_int_equal(gt_value_check(bytes, GT_VALUE_EDIT, NULL), GOAT_OK); /* the decoder has let it through */
    assert_int_equal(gt_merge_check_delta(f->schema, bytes, &f->diag), GOAT_INVALID);
    assert_string_equal(f->diag.message, message);
    assert_string_equal(f->diag.field, field);
    test_value_free(bytes);
}

static void a_delta_of_the_wrong_shape_is_refused_by_field(void **state) {
    fixture *f = *state;
    delta_refused(f, "[1]", "", "a delta is not a map");
    delta_refused(f, "{1: true}", "", "a delta has an integer key other than 0");
    delta_refused(f, "{0: 1}", "", "a delta has something other than true or false under its key 0");
    delta_refused(f, "{other: 1}", "other", "n version 1 has no field \"other\"");
    delta_refused(f, "{text: 1}", "text", "the edit of \"text\" is not a value of its type");
    delta_refused(f, "{list: [1, undefined]}", "list", "the edit of \"list\" holds what a value cannot");
    delta_refused(f, "{list: [[{0: 1}]]}", "list", "the edit of \"list\" holds what a value cannot");
    delta_refused(f, "{votes: 1.5}", "votes", "the edit of \"votes\" is not an integer");
    delta_refused(f, "{tags: [1]}", "tags", "the edit of \"tags\" is neither a set nor a map of sets");
    delta_refused(f, "{tags: {}}", "tags", "the edit of \"tags\" is neither a set nor a map of sets");
    delta_refused(f, "{tags: {2: set[1]}}", "tags", "the edit of \"tags\" has keys other than 0 and 1");
    delta_refused(f, "{tags: {a: set[1]}}", "tags", "the edit of \"tags\" has keys other than 0 and 1");
    delta_refused(f, "{tags: {0: [1]}}", "tags", "the edit of \"tags\" adds or removes what is not a set");
    delta_refused(f, "{tags: {1: set[]}}", "tags", "the edit of \"tags\" adds or removes an empty set");
    delta_refused(f, "{tags: {0: set[1, 2], 1: set[2, 3]}}", "tags",
                  "the edit of \"tags\" adds and removes the same element");
    delta_refused(f, "{tags: set[undefined]}", "tags", "the edit of \"tags\" holds what a value cannot");
    delta_refused(f, "{tags: {1: set[[undefined]]}}", "tags", "the edit of \"tags\" holds what a value cannot");
    delta_refused(f, "{map: [1]}", "map", "the edit of \"map\" is not a map");
    delta_refused(f, "{map: {0: 1}}", "map", "the edit of \"map\" has a key that is not a text");
    delta_refused(f, "{map: {a: [undefined]}}", "map", "the edit of \"map\" holds what a value cannot");
}

static void an_edit_is_no_deeper_than_a_value(void **state) {
    fixture *f = *state;
    for (int depth = GOAT_VALUE_DEPTH_MAX; depth <= GOAT_VALUE_DEPTH_MAX + 1; depth++) {
        char open[GOAT_VALUE_DEPTH_MAX + 2] = "", close[GOAT_VALUE_DEPTH_MAX + 2] = "", text[256];
        memset(open, '[', (size_t)depth);
        memset(close, ']', (size_t)depth);
        snprintf(text, sizeof text, "{list: %s%s}", open, close);
        gt_bytes delta = test_value(text);
        goat_status expected = depth == GOAT_VALUE_DEPTH_MAX ? GOAT_OK : GOAT_INVALID;
        assert_int_equal(gt_merge_check_delta(f->schema, delta, NULL), expected);
        test_value_free(delta);
    }
}

static void every_edit_of_the_format_is_taken(void **state) {
    fixture *f = *state;
    static const char *const good[] = {"{}",
                                       "{0: true}",
                                       "{0: false, text: 'a'}",
                                       "{text: undefined, tags: undefined, map: undefined, votes: undefined}",
                                       "{tags: set[]}",
                                       "{tags: {0: set[1]}}",
                                       "{tags: {1: set[1]}}",
                                       "{tags: {0: set[1], 1: set[[2], {a: 1}]}}",
                                       "{map: {}}",
                                       "{map: {a: undefined, b: {c: [1]}}}",
                                       "{votes: -5, list: [], due: date(1), owner: ref('/a/b/c')}"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        gt_bytes delta = test_value(good[i]);
        assert_int_equal(gt_merge_check_delta(f->schema, delta, &f->diag), GOAT_OK);
        test_value_free(delta);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_leads_from_one_value_to_the_other),
        cmocka_unit_test(writing_what_is_there_is_no_edit),
        cmocka_unit_test(an_edit_to_a_value_of_another_type_is_refused),
        cmocka_unit_test(two_edits_become_one),
        cmocka_unit_test(two_edits_that_undo_each_other_are_none),
        cmocka_unit_test(explicit_operations_are_edits_even_where_nothing_changes),
        cmocka_unit_test(an_operation_of_another_type_is_refused),
        cmocka_unit_test(an_edit_without_memory_is_reported),
        cmocka_unit_test(a_difference_holds_what_differs_and_no_more),
        cmocka_unit_test(counts_of_fields_may_need_longer_heads),
        cmocka_unit_test(what_is_wanted_has_to_be_of_the_schema),
        cmocka_unit_test(a_delta_of_the_wrong_shape_is_refused_by_field),
        cmocka_unit_test(an_edit_is_no_deeper_than_a_value),
        cmocka_unit_test(every_edit_of_the_format_is_taken),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
