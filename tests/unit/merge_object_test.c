/* core/merge: objects. Their fields are edited and merged as those of an item, by the types that they have; random
 * histories with objects in objects are in merge_property_test.c. */
#include "support/test.h"

#include "support/merge_fixture.h"
#include "support/test_alloc.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

typedef merge_fixture fixture;

#define FIELDS                                                                                                         \
    "\"word\": {\"type\": \"string\"}, \"text\": {\"type\": \"text\"}, \"list\": {\"type\": \"list\"},"                \
    "\"tags\": {\"type\": \"set\"}, \"map\": {\"type\": \"map\"}, \"votes\": {\"type\": \"counter\"}"

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f != NULL) {
        f->schema = test_schema("{\"ns\": \"n\", \"version\": 1, \"fields\": {\"word\": {\"type\": \"string\"},"
                                "\"o\": {\"type\": \"object\", \"fields\": {" FIELDS
                                ", \"deep\": {\"type\": \"object\", \"fields\": {" FIELDS "}}}}}}");
    }
    return f == NULL;
}

/* Two edits, of each side one, on a base. */
static void two_give(fixture *f, const char *base, const char *ours, const char *theirs, const char *expected) {
    merge_begin(f, base);
    merge_step(f, "", ours);
    merge_step(f, "", theirs);
    merge_gives(f, expected);
}

/* ---- several authors ---- */

static void fields_of_an_object_merge_one_by_one(void **state) {
    fixture *f = *state;
    two_give(f, "{o: {word: 'a', votes: 1}}", "{o: {word: 'b'}}", "{o: {votes: 2}}", "{o: {word: 'b', votes: 3}}");
    two_give(f, "{o: {word: 'a'}}", "{o: {word: 'b'}}", "{o: {word: 'c'}}", "{o: {word: 'c'}}");
    two_give(f, "{o: {word: 'a'}}", "{o: {word: undefined}}", "{o: {votes: 2}}", "{o: {votes: 2}}");
    two_give(f, NULL, "{o: {word: 'a'}}", "{o: {votes: 2}}", "{o: {word: 'a', votes: 2}}");
}

static void each_merges_by_its_own_type(void **state) {
    fixture *f = *state;
    two_give(f, "{o: {text: 'goat'}}", "{o: {text: {0: ['A ']}}}", "{o: {text: {0: [4, 's']}}}",
             "{o: {text: 'A goats'}}");
    two_give(f, "{o: {list: [1, 2]}}", "{o: {list: {0: [[0]]}}}", "{o: {list: {0: [1, -1]}}}", "{o: {list: [0, 1]}}");
    two_give(f, "{o: {tags: set[1]}}", "{o: {tags: set[2]}}", "{o: {tags: {1: set[1]}}}", "{o: {tags: set[2]}}");
    two_give(f, "{o: {map: {a: 1}}}", "{o: {map: {a: undefined}}}", "{o: {map: {b: 2}}}", "{o: {map: {b: 2}}}");
    two_give(f, "{o: {votes: 1}}", "{o: {votes: 2}}", "{o: {votes: 3}}", "{o: {votes: 6}}");
    two_give(f, "{o: {deep: {text: 'goat'}}}", "{o: {deep: {text: {0: ['A ']}}}}", "{o: {deep: {text: {0: [4, 's']}}}}",
             "{o: {deep: {text: 'A goats'}}}");
}

static void to_unset_an_object_is_to_remove_what_its_author_saw(void **state) {
    fixture *f = *state;
    two_give(f, "{o: {word: 'a', votes: 1}}", "{o: undefined}", "{word: 'x'}", "{word: 'x'}");
    two_give(f, "{o: {word: 'a', votes: 1}}", "{o: {votes: 2}}", "{o: undefined}", "{o: {votes: 2}}");
    two_give(f, "{o: {word: 'a', votes: 1}}", "{o: {word: 'b'}}", "{o: undefined}", "{o: {word: 'b'}}");
    two_give(f, "{o: {text: 'goat'}}", "{o: {text: {0: [2, 'XY']}}}", "{o: undefined}", "{o: {text: 'XY'}}");
    two_give(f, "{o: {deep: {text: 'goat', word: 'a'}}}", "{o: {deep: {text: {0: [2, 'XY']}}}}", "{o: undefined}",
             "{o: {deep: {text: 'XY'}}}");
    two_give(f, "{o: {word: 'a'}}", "{o: {}}", "{o: undefined}", "{o: {}}"); /* somebody says that it is there */
    merge_begin(f, "{o: {word: 'a', tags: set[1]}}");
    merge_step(f, "", "{o: undefined}");
    merge_step(f, "0", "{o: {tags: set[2]}}");
    merge_step(f, "", "{o: {votes: 1}}");
    merge_gives(f, "{o: {tags: set[2], votes: 1}}");
}

/* Their author counts what the unset left, so it has to be among the steps whatever becomes of it. */
static void positions_after_an_unset_are_those_of_what_is_then_there(void **state) {
    fixture *f = *state;
    merge_begin(f, "{o: {text: 'goat'}}");
    merge_step(f, "", "{o: undefined}");
    merge_step(f, "0", "{o: {text: 'ab'}}");
    merge_step(f, "1", "{o: {text: {0: [1, 'X']}}}");
    merge_step(f, "", "{o: {text: {0: [4, '!']}}}");
    merge_gives(f, "{o: {text: 'aXb!'}}");
    merge_begin(f, "{o: {text: 'goat', word: 'a'}}");
    merge_step(f, "", "{o: undefined}");
    f->steps[0].is_void = true;
    merge_step(f, "0", "{o: {text: 'ab'}}");
    merge_step(f, "1", "{o: {text: {0: [1, 'X']}}}");
    merge_step(f, "", "{word: 'y'}");
    merge_gives(f, "{o: {text: 'aXbgoat', word: 'a'}, word: 'y'}");
}

static void an_object_without_fields_is_there(void **state) {
    fixture *f = *state;
    merge_begin(f, NULL);
    merge_step(f, "", "{o: {}}");
    merge_gives(f, "{o: {}}");
    two_give(f, "{}", "{o: {}}", "{o: {deep: {}}}", "{o: {deep: {}}}");
    two_give(f, "{o: {word: 'a'}}", "{o: {word: undefined}}", "{word: 'x'}", "{o: {}, word: 'x'}");
}

static void what_another_version_put_there_stays(void **state) {
    fixture *f = *state;
    two_give(f, "{o: {other: 1, word: 'a', zz: 3}}", "{o: {word: 'b'}}", "{o: {votes: 1, other: 2}}",
             "{o: {other: 1, word: 'b', zz: 3, votes: 1}}");
    merge_begin(f, "{o: {other: 1}}");
    merge_step(f, "", "{o: {word: 'b', another: 1}}");
    merge_gives(f, "{o: {other: 1, word: 'b'}}");
    two_give(f, "{o: {other: 1}}", "{o: undefined}", "{o: {word: 'a'}}", "{o: {word: 'a'}}");
    two_give(f, "{o: 7}", "{o: {word: 'a'}}", "{o: {votes: 1}}", "{o: {word: 'a', votes: 1}}");
    two_give(f, "{o: {votes: 'x'}}", "{o: {votes: 1}}", "{o: {votes: 2}}", "{o: {votes: 3}}");
}

/* ---- one author ---- */

static const gt_field *object_of(const fixture *f) { return gt_schema_field(f->schema, gt_bytes_text("o")); }

/* The edit from one value to another is the expected one, and leads there. */
static void edit_is(fixture *f, const char *from, const char *to, const char *expected) {
    gt_bytes base = test_value(from), value = test_value(to);
    gt_buf edit, applied;
    gt_buf_init(&edit, &gt_alloc_system);
    gt_buf_init(&applied, &gt_alloc_system);
    assert_int_equal(gt_edit_diff(object_of(f), base, value, &edit, &f->diag), GOAT_OK);
    assert_value(gt_buf_bytes(&edit), expected);
    if (edit.len > 0) {
        assert_int_equal(gt_edit_apply(object_of(f), base, gt_buf_bytes(&edit), &applied, &f->diag), GOAT_OK);
        assert_value(gt_buf_bytes(&applied), to);
    }
    gt_buf_free(&edit);
    gt_buf_free(&applied);
    test_value_free(base);
    test_value_free(value);
}

static void a_whole_value_is_compared_field_by_field(void **state) {
    fixture *f = *state;
    edit_is(f, NULL, "{}", "{}");
    edit_is(f, "{}", "{}", NULL);
    edit_is(f, "{word: 'a'}", NULL, "undefined");
    edit_is(f, "{word: 'a', votes: 3}", "{word: 'b', votes: 5}", "{word: 'b', votes: 2}");
    edit_is(f, "{word: 'a', tags: set[1]}", "{tags: set[1, 2]}", "{word: undefined, tags: set[2]}");
    edit_is(f, "{text: 'A goat.'}", "{text: 'A red goat.'}", "{text: {0: [2, 'red ']}}");
    edit_is(f, "{list: [1, 2, 3]}", "{list: [1, 3]}", "{list: {0: [1, -1]}}");
    edit_is(f, "{deep: {map: {a: 1}}}", "{deep: {map: {a: 2}}}", "{deep: {map: {a: 2}}}");
    edit_is(f, "{deep: {word: 'a'}}", "{deep: {}}", "{deep: {word: undefined}}");
    edit_is(f, "{deep: {word: 'a'}}", "{}", "{deep: undefined}");
}

static void composed(fixture *f, const char *base, const char *first, const char *second, const char *expected) {
    gt_bytes b = test_value(base), one = test_value(first), two = test_value(second);
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    assert_int_equal(gt_edit_compose(object_of(f), b, one, two, &edit, &f->diag), GOAT_OK);
    assert_value(gt_buf_bytes(&edit), expected);
    gt_buf_free(&edit);
    test_value_free(b);
    test_value_free(one);
    test_value_free(two);
}

static void two_edits_become_one(void **state) {
    fixture *f = *state;
    composed(f, "{word: 'a'}", "{word: 'b'}", "{votes: 1}", "{word: 'b', votes: 1}");
    composed(f, "{word: 'a'}", "{word: 'b'}", "{word: 'a'}", NULL); /* as if nothing had been */
    composed(f, "{votes: 1}", "{votes: 2}", "{votes: 3}", "{votes: 5}");
    composed(f, "{text: 'ab'}", "{text: {0: [1, 'x']}}", "{text: {0: [2, 'y']}}", "{text: {0: [1, 'xy']}}");
    composed(f, "{deep: {votes: 1}}", "{deep: {votes: 2}}", "{deep: {votes: -2}}", NULL);
    composed(f, NULL, "{word: 'b'}", "{word: undefined}", "{}"); /* it is there now */
    composed(f, "{word: 'a'}", "{word: 'b'}", "undefined", "undefined");
    composed(f, NULL, "{word: 'b'}", "undefined", NULL);
    composed(f, "{word: 'a', tags: set[1]}", "undefined", "{tags: set[2]}",
             "{word: undefined, tags: {0: set[2], 1: set[1]}}");
    composed(f, "{word: 'a'}", "undefined", "{word: 'a'}", NULL);
    composed(f, "{deep: {word: 'a', votes: 1}}", "undefined", "{deep: {votes: 4}}",
             "{deep: {word: undefined, votes: 3}}");
    composed(f, "{deep: {word: 'a'}}", "undefined", "{}", "{deep: undefined}");
    composed(f, "{other: 1}", "{word: 'b'}", "{votes: 1}", "{word: 'b', votes: 1}");
}

static void values_of_wrong_types_are_refused_with_their_path(void **state) {
    fixture *f = *state;
    gt_bytes value = test_value("{deep: {votes: 'x'}}");
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    assert_int_equal(gt_edit_diff(object_of(f), gt_bytes_of(NULL, 0), value, &edit, &f->diag), GOAT_WRONG_TYPE);
    assert_string_equal(f->diag.field, "o.deep.votes");
    test_value_free(value);
    value = test_value("{deep: {other: 'x'}}");
    assert_int_equal(gt_edit_diff(object_of(f), gt_bytes_of(NULL, 0), value, &edit, &f->diag), GOAT_INVALID);
    assert_string_equal(f->diag.message, "n version 1 has no field \"o.deep.other\"");
    assert_int_equal(edit.len, 0);
    gt_buf_free(&edit);
    test_value_free(value);
}

/* ---- deltas of others ---- */

static void refused(fixture *f, const char *notation, const char *field, const char *message) {
    gt_bytes delta = test_value(notation);
    gt_diag_init(&f->diag);
    assert_int_equal(gt_merge_check_delta(f->schema, delta, &f->diag), GOAT_INVALID);
    assert_string_equal(f->diag.message, message);
    assert_string_equal(f->diag.field, field);
    test_value_free(delta);
}

static void what_is_wrong_in_a_delta_is_said_with_its_path(void **state) {
    fixture *f = *state;
    refused(f, "{o: 7}", "o", "the edit of \"o\" is not a map");
    refused(f, "{o: {0: 1}}", "o", "the edit of \"o\" has a key that is not a text");
    refused(f, "{o: {word: 7}}", "o.word", "the edit of \"o.word\" is not a value of its type");
    refused(f, "{o: {other: 7}}", "o.other", "n version 1 has no field \"o.other\"");
    refused(f, "{o: {other: undefined}}", "o.other", "n version 1 has no field \"o.other\"");
    refused(f, "{o: {text: {0: []}}}", "o.text", "the edit of \"o.text\" has no runs");
    refused(f, "{o: {deep: {text: {0: [1]}}}}", "o.deep.text",
            "the edit of \"o.deep.text\" keeps something at the end: number 0 of its array");
    refused(f, "{o: {deep: {deep: {}}}}", "o.deep.deep", "n version 1 has no field \"o.deep.deep\"");
    refused(f, "{o: {deep: [1]}}", "o.deep", "the edit of \"o.deep\" is not a map");
    refused(f, "{o: {deep: {map: {a: {b: undefined}}}}}", "o.deep.map",
            "the edit of \"o.deep.map\" holds what a value cannot");
}

static void what_fits_is_kept_field_by_field(void **state) {
    fixture *f = *state;
    static const char *const cases[][2] = {
        {"{o: {word: 7, votes: 1, other: 2, deep: {word: 'a', tags: 7}}}", "{o: {votes: 1, deep: {word: 'a'}}}"},
        {"{o: undefined}", "{o: undefined}"},
        {"{o: {votes: undefined, word: 7}}", "{o: {votes: undefined}}"},
        {"{o: {votes: 'x', deep: 7}}", "{o: {}}"},
        {"{o: {0: 1}}", "{}"},
        {"{0: true, o: 7}", "{0: true}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gt_bytes delta = test_value(cases[i][0]);
        gt_buf out;
        gt_buf_init(&out, &gt_alloc_system);
        gt_merge_fit_delta(f->schema, delta, &out);
        assert_value(gt_buf_bytes(&out), cases[i][1]);
        gt_buf_free(&out);
        test_value_free(delta);
    }
}

/* The one is what the other comes to at the next version. */
static void carried(const gt_upgrade *upgrade, const char *old, const char *new) {
    gt_bytes edit = test_value(old);
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    assert_int_equal(gt_merge_upgrade_delta(&gt_alloc_system, upgrade, edit, &out, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&out), new);
    gt_buf_clear(&out);
    if (strstr(old, "undefined") == NULL) { /* it is a state as well */
        gt_upgrade_state(upgrade, edit, &out);
        assert_value(gt_buf_bytes(&out), new);
    }
    gt_buf_free(&out);
    test_value_free(edit);
}

static void of_an_object_the_next_version_takes_what_it_has(void **state) {
    fixture *f = *state;
    gt_schema *next =
        test_schema("{\"ns\": \"n\", \"version\": 2, \"fields\": {\"o\": {\"type\": \"object\", \"fields\": {"
                    "\"word\": {\"type\": \"number\"}, \"votes\": {\"type\": \"counter\"},"
                    "\"deep\": {\"type\": \"object\", \"fields\": {\"tags\": {\"type\": \"set\"}}}}}}}");
    gt_upgrade *upgrade = NULL;
    assert_int_equal(gt_upgrade_new(&gt_alloc_system, f->schema, next, &upgrade, NULL), GOAT_OK);
    assert_true(gt_upgrade_is_exact(upgrade));
    carried(upgrade, "{o: {word: 'a', votes: 1, tags: set[1], deep: {word: 'a', tags: set[2]}}}",
            "{o: {votes: 1, deep: {tags: set[2]}}}");
    carried(upgrade, "{o: {word: 'a'}}", "{o: {}}");
    carried(upgrade, "{o: undefined}", "{o: undefined}");
    carried(upgrade, "{o: {votes: undefined, deep: undefined, word: undefined}}",
            "{o: {deep: undefined, votes: undefined}}");
    gt_upgrade_free(upgrade);
    gt_schema_free(next);
    next = test_schema("{\"ns\": \"n\", \"version\": 2, \"fields\": {\"o\": {\"type\": \"object\", \"fields\": {"
                       "\"word\": {\"type\": \"string\", \"merge\": \"either\"}}}}}");
    assert_int_equal(gt_upgrade_new(&gt_alloc_system, f->schema, next, &upgrade, NULL), GOAT_OK);
    assert_false(gt_upgrade_is_exact(upgrade)); /* of two concurrent words another one may count */
    gt_upgrade_free(upgrade);
    gt_schema_free(next);
}

/* In a replay the caller hears which step it was, and leaves it out. */
static void a_replay_refuses_what_is_no_edit(void **state) {
    fixture *f = *state;
    static const char *const wrong[] = {"{o: 7}", "{o: {votes: 'x'}}", "{o: {deep: {text: 7}}}", "{o: {1: 2}}",
                                        "{o: {deep: {tags: {}}}}"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gt_buf out;
        gt_buf_init(&out, &gt_alloc_system);
        merge_begin(f, "{}");
        merge_step(f, "", "{o: {word: 'a'}}");
        merge_step(f, "", wrong[i]);
        gt_diag_init(&f->diag);
        assert_int_equal(
            gt_merge_replay(&gt_alloc_system, f->schema, f->base, f->steps, f->step_count, &out, NULL, &f->diag),
            GOAT_INVALID);
        assert_int_equal(f->diag.position, 1);
        assert_int_equal(out.len, 0);
        gt_buf_free(&out);
    }
    merge_begin(f, NULL);
}

static void a_merge_of_objects_that_fails_at_any_allocation_leaves_nothing(void **state) {
    fixture *f = *state;
    merge_begin(f, "{o: {text: 'goat', word: 'a', deep: {tags: set[1]}}}");
    merge_step(f, "", "{o: undefined}");
    merge_step(f, "", "{o: {text: {0: [2, 'x']}, tags: set[1], deep: {list: [1], tags: set[2]}}}");
    merge_step(f, "0 1", "{o: {deep: {list: {0: [1, [2]]}}, votes: 2}}");
    merge_step(f, "0 1", "{o: {deep: undefined, word: 'b'}}");
    for (uint64_t allowed = 0;; allowed++) {
        test_alloc memory;
        gt_buf out;
        test_alloc_init(&memory, allowed);
        gt_buf_init(&out, &memory.alloc);
        goat_status status =
            gt_merge_replay(&memory.alloc, f->schema, f->base, f->steps, f->step_count, &out, NULL, NULL);
        if (status == GOAT_OK) {
            assert_value(gt_buf_bytes(&out), "{o: {tags: set[1], text: 'x', word: 'b', deep: {list: [2]}, votes: 2}}");
        }
        gt_buf_free(&out);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) break;
        assert_int_equal(status, GOAT_NO_MEMORY);
    }
    merge_begin(f, NULL);
}

/* Each unset is told to every field that has places in it: that must not be kept for all of them at once. */
static void many_unsets_of_many_fields_take_memory_for_one_field(void **state) {
    (void)state;
    enum { TEXTS = 400, STEPS = 2000 };
    gt_buf json, delta;
    gt_buf_init(&json, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    test_text(&json, "{\"ns\": \"n\", \"version\": 1, \"fields\": {\"o\": {\"type\": \"object\", \"fields\": {");
    test_text(&delta, "{o: {");
    for (int i = 0; i < TEXTS; i++) {
        test_text(&json, "%s\"deep%d\": {\"type\": \"object\", \"fields\": {\"a\": {\"type\": \"string\"}}}",
                  i == 0 ? "" : ",", i);
        test_text(&delta, "%sdeep%d: {}", i == 0 ? "" : ", ", i);
    }
    test_text(&json, "}}}}");
    test_text(&delta, "}}");
    gt_schema *schema = test_schema((const char *)json.data);
    gt_step *steps = calloc(STEPS, sizeof *steps);
    uint8_t(*ids)[32] = calloc(STEPS, sizeof *ids);
    uint32_t *parents = calloc(STEPS, sizeof *parents);
    gt_bytes all = test_value((const char *)delta.data), unset = test_value("{o: undefined}");
    for (uint32_t i = 0; i < STEPS; i++) { /* one head on the base, and a line of unsets beside it */
        memcpy(ids[i], &i, sizeof i);
        parents[i] = i - 1;
        steps[i] = (gt_step){
            .id = ids[i], .time = 1 + i, .delta = i == 0 ? all : unset, .parents = &parents[i], .parent_count = i > 1};
    }
    test_alloc memory;
    gt_buf out;
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    gt_buf_init(&out, &memory.alloc);
    assert_int_equal(gt_merge_replay(&memory.alloc, schema, gt_bytes_of(NULL, 0), steps, STEPS, &out, NULL, NULL),
                     GOAT_OK);
    assert_int_equal(gt_value_count(gt_map_find(gt_buf_bytes(&out), gt_bytes_text("o"))), TEXTS);
    print_message("%zu bytes at most\n", memory.most_bytes);
    assert_true(memory.most_bytes < (size_t)4 * 1024 * 1024); /* all at once would be 25 MB */
    gt_buf_free(&out);
    test_alloc_assert_empty(&memory);
    test_value_free(all);
    test_value_free(unset);
    gt_schema_free(schema);
    free(steps);
    free(ids);
    free(parents);
    gt_buf_free(&json);
    gt_buf_free(&delta);
}

#define with_schema(test) cmocka_unit_test_setup_teardown(test, set_up, merge_fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_schema(fields_of_an_object_merge_one_by_one),
        with_schema(each_merges_by_its_own_type),
        with_schema(to_unset_an_object_is_to_remove_what_its_author_saw),
        with_schema(positions_after_an_unset_are_those_of_what_is_then_there),
        with_schema(an_object_without_fields_is_there),
        with_schema(what_another_version_put_there_stays),
        with_schema(a_whole_value_is_compared_field_by_field),
        with_schema(two_edits_become_one),
        with_schema(values_of_wrong_types_are_refused_with_their_path),
        with_schema(what_is_wrong_in_a_delta_is_said_with_its_path),
        with_schema(what_fits_is_kept_field_by_field),
        with_schema(of_an_object_the_next_version_takes_what_it_has),
        with_schema(a_replay_refuses_what_is_no_edit),
        with_schema(a_merge_of_objects_that_fails_at_any_allocation_leaves_nothing),
        cmocka_unit_test(many_unsets_of_many_fields_take_memory_for_one_field),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
