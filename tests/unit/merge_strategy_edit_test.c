/* What the strategies of texts, lists and rich texts come to, claim by claim. The rules as such are checked in merge_property_test.c. */
#include "support/test.h"

#include "merge/explain.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MAX = 8 };

/* One commit of a history; the first one stands on nothing. */
typedef struct commit {
    const char *parents; /* "1 2" */
    uint8_t id;
    uint32_t time;
    const char *edit;
} commit;

/* The field after all commits. */
static void assert_text(const char *type, const char *strategy, const commit *commits, uint32_t count,
                        const char *expected) {
    char definition[128];
    gt_step steps[STEPS_MAX];
    uint8_t ids[STEPS_MAX][32] = {{0}};
    uint32_t parents[STEPS_MAX][STEPS_MAX];
    gt_diag diag;
    gt_buf out;
    snprintf(definition, sizeof(definition),
             "{\"ns\":\"n\",\"version\":1,\"fields\":{\"t\":{\"type\":\"%s\",\"merge\":\"%s\"}}}", type, strategy);
    gt_schema *schema = test_schema(definition);
    for (uint32_t i = 0; i < count; i++) {
        char delta[128];
        snprintf(delta, sizeof(delta), "{'t': %s}", commits[i].edit);
        ids[i][0] = commits[i].id;
        steps[i] = (gt_step){.id = ids[i],
                             .time = commits[i].time,
                             .delta = test_value(delta),
                             .parents = parents[i],
                             .parent_count = 0};
        for (const char *at = commits[i].parents; *at != 0;) {
            parents[i][steps[i].parent_count++] = (uint32_t)strtoul(at, (char **)(uintptr_t)&at, 10);
        }
    }
    gt_diag_init(&diag);
    gt_buf_init(&out, &gt_alloc_system);
    assert_int_equal(gt_merge_replay(&gt_alloc_system, schema, gt_bytes_of(NULL, 0), steps, count, &out, NULL, &diag),
                     GOAT_OK);
    assert_value(gt_map_find(gt_buf_bytes(&out), gt_bytes_text("t")), expected);
    gt_buf_free(&out);
    for (uint32_t i = 0; i < count; i++) test_value_free(steps[i].delta);
    gt_schema_free(schema);
}

/* A base and what sides made of it, in both orders of arrival. */
static void assert_sides(const char *strategy, const char *base, const commit *sides, uint32_t count,
                         const char *expected) {
    commit commits[STEPS_MAX] = {{"", 1, 1, base}}, turned[STEPS_MAX];
    memcpy(&commits[1], sides, count * sizeof(commit));
    turned[0] = commits[0];
    for (uint32_t i = 0; i < count; i++) turned[1 + i] = sides[count - 1 - i];
    assert_text("text", strategy, commits, count + 1, expected);
    assert_text("text", strategy, turned, count + 1, expected);
}

/* `a` and `b`, first with the lesser id and the earlier time on one side, then on the other. */
static void assert_two(const char *strategy, const char *base, const char *a, const char *b, const char *b_is_greater,
                       const char *a_is_greater) {
    const commit greater_b[] = {{"0", 5, 5, a}, {"0", 6, 6, b}}, greater_a[] = {{"0", 6, 6, a}, {"0", 5, 5, b}};
    assert_sides(strategy, base, greater_b, 2, b_is_greater);
    assert_sides(strategy, base, greater_a, 2, a_is_greater);
}

static void abc_becomes_bcy_on_one_side_and_abx_on_the_other(void **state) {
    (void)state;
    const char *bcy = "{0: [-1, 2, 'Y']}", *abx = "{0: [2, 'X', -1]}";
    assert_two("either", "'ABC'", bcy, abx, "'BX'", "'BY'");
    assert_two("latest", "'ABC'", bcy, abx, "'BX'", "'BY'");
    assert_two("both", "'ABC'", bcy, abx, "'BXY'", "'BXY'");
    assert_two("merged", "'ABC'", bcy, abx, "'BYX'", "'BXY'");
}

static void latest_goes_by_time_and_either_does_not(void **state) {
    (void)state;
    const commit sides[] = {{"0", 6, 5, "{0: [1, 'early']}"}, {"0", 5, 6, "{0: [1, 'late']}"}};
    assert_sides("latest", "'A'", sides, 2, "'Alate'");
    assert_sides("either", "'A'", sides, 2, "'Aearly'");
}

static void insertions_at_different_places_are_all_kept(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        static const char *const words[] = {"latest", "either", "both", "merged"};
        assert_two(words[i], "'ABC'", "{0: [1, 'x']}", "{0: [2, 'x']}", "'AxBxC'", "'AxBxC'");
        assert_two(words[i], "'ABC'", "{0: [1, -1]}", "{0: [2, 'x']}", "'AxC'", "'AxC'");
    }
}

static void one_of_three_sides_is_left(void **state) {
    (void)state;
    const commit sides[] = {
        {"0", 6, 9, "{0: [1, 'x', -1]}"}, {"0", 8, 7, "{0: [1, 'y', -1]}"}, {"0", 7, 8, "{0: [2, 'z']}"}};
    assert_sides("either", "'AB'", sides, 3, "'Ay'");
    assert_sides("latest", "'AB'", sides, 3, "'Ax'");
    assert_sides("merged", "'AB'", sides, 3, "'Axzy'");
}

/* What one side wrote piece by piece is left or not as a whole, whatever the ids of the pieces. */
static void what_was_typed_in_several_commits_stays_together(void **state) {
    (void)state;
    commit commits[] = {{"", 1, 1, "'> <'"},
                        {"0", 5, 2, "{0: [2, 'go']}"},
                        {"0", 6, 3, "{0: [2, 'hen']}"},
                        {"1", 9, 8, "{0: [4, 'at']}"}};
    assert_text("text", "either", commits, 4, "'> hen<'");
    assert_text("text", "latest", commits, 4, "'> hen<'");
    commits[1].id = 7;
    commits[1].time = 7;
    commits[3].id = 2;
    assert_text("text", "either", commits, 4, "'> goat<'");
    assert_text("text", "latest", commits, 4, "'> goat<'");
}

static void a_side_that_takes_its_insertion_back_has_no_say(void **state) {
    (void)state;
    const commit commits[] = {{"", 1, 1, "'AB'"},
                              {"0", 5, 2, "{0: [1, 'kept']}"},
                              {"0", 6, 3, "{0: [1, 'oops']}"},
                              {"2", 7, 4, "{0: [1, -4]}"}};
    assert_text("text", "either", commits, 4, "'AkeptB'");
    assert_text("text", "latest", commits, 4, "'AkeptB'");
}

static void removing_the_one_that_was_left_does_not_bring_the_other_back(void **state) {
    (void)state;
    const commit commits[] = {{"", 1, 1, "'AB'"},
                              {"0", 5, 2, "{0: [1, 'loses']}"},
                              {"0", 6, 3, "{0: [1, 'wins']}"},
                              {"1 2", 7, 4, "{0: [1, -4]}"},
                              {"1 2", 4, 4, "{0: [5, '!']}"}};
    assert_text("text", "either", commits, 4, "'AB'");
    assert_text("text", "latest", commits, 4, "'AB'");
    assert_text("text", "either", commits, 5, "'A!B'");
}

static void what_is_written_on_a_merged_view_is_where_it_was_written(void **state) {
    (void)state;
    commit commits[] = {{"", 1, 1, "'AB'"},
                        {"0", 5, 2, "{0: [1, 'loses']}"},
                        {"0", 6, 3, "{0: [1, 'wins']}"},
                        {"1 2", 2, 4, "{0: [1, 'it ']}"},
                        {"3", 3, 5, "{0: [8, '!']}"}};
    assert_text("text", "either", commits, 4, "'Ait winsB'");
    assert_text("text", "either", commits, 5, "'Ait wins!B'");
    commits[4].parents = "1 2"; /* two who had seen both */
    commits[4].edit = "{0: [5, '!']}";
    assert_text("text", "either", commits, 5, "'Ait wins!B'");
}

static void what_both_inserted_stands_once_when_merged(void **state) {
    (void)state;
    assert_two("merged", "'> <'", "{0: [2, 'goat']}", "{0: [2, 'goat']}", "'> goat<'", "'> goat<'");
    assert_two("merged", "'> <'", "{0: [2, 'a goat']}", "{0: [2, 'a hen']}", "'> a goathen<'", "'> a hengoat<'");
    assert_two("merged", "'> <'", "{0: [2, 'one, two']}", "{0: [2, 'two, three']}", "'> one, two, three<'",
               "'> two, threeone, <'");
    assert_two("merged", "'> <'", "{0: [2, 'help']}", "{0: [2, 'hello']}", "'> helphello<'", "'> hellohelp<'");
    assert_two("merged", "'> <'", "{0: [2, 'dog ']}", "{0: [2, 'cat ']}", "'> dog cat <'", "'> cat dog <'");
    assert_two("both", "'> <'", "{0: [2, 'goat']}", "{0: [2, 'goat']}", "'> goatgoat<'", "'> goatgoat<'");
}

static void of_two_whole_texts_one_is_left(void **state) {
    (void)state;
    assert_two("either", "'old'", "'new'", "'other'", "'other'", "'new'");
    assert_two("latest", "'old'", "'new'", "'other'", "'other'", "'new'");
    assert_two("both", "'old'", "'new'", "'other'", "'newother'", "'othernew'");
    const commit first[] = {{"", 5, 1, "'mine'"}, {"", 6, 2, "'yours'"}}; /* of an item that both made */
    assert_text("text", "either", first, 2, "'yours'");
}

/* Of three sides the first and the second write at one place, and the third elsewhere. */
static void assert_named(const char *type, const char *strategy, const char *base, const char *const sides[3],
                         int overridden, int by) {
    char definition[128];
    gt_step steps[4];
    uint8_t ids[4][32] = {{0}};
    static const uint32_t none = 0;
    gt_explanation told;
    snprintf(definition, sizeof(definition),
             "{\"ns\":\"n\",\"version\":1,\"fields\":{\"t\":{\"type\":\"%s\",\"merge\":\"%s\"}}}", type, strategy);
    gt_schema *schema = test_schema(definition);
    const gt_field *field = gt_schema_field_at(schema, 0);
    for (uint32_t i = 0; i < 4; i++) {
        char delta[128];
        snprintf(delta, sizeof(delta), "{'t': %s}", i == 0 ? base : sides[i - 1]);
        ids[i][0] = (uint8_t)(i + 1);
        steps[i] = (gt_step){.id = ids[i], .time = i + 1, .delta = test_value(delta), .parents = &none};
        steps[i].parent_count = i > 0;
    }
    assert_int_equal(gt_merge_explain(&gt_alloc_system, &field, 1, gt_bytes_of(NULL, 0), steps, 4, &told, NULL),
                     GOAT_OK);
    for (int i = 1; i < 4; i++) {
        const gt_verdict *verdict = &told.verdicts[i];
        assert_int_equal(verdict->effect, i == overridden ? GT_EFFECT_OVERRIDDEN : GT_EFFECT_KEPT);
        assert_int_equal(verdict->by_count, i == overridden);
        if (i == overridden) assert_int_equal(verdict->by[0], by);
    }
    gt_explanation_free(&told);
    for (uint32_t i = 0; i < 4; i++) test_value_free(steps[i].delta);
    gt_schema_free(schema);
}

static void who_is_left_out_is_told_by_whom(void **state) {
    (void)state;
    const char *text[] = {"{0: [1, 'x']}", "{0: [1, 'y']}", "{0: ['z']}"};
    const char *list[] = {"{0: [1, ['x']]}", "{0: [1, ['y']]}", "{0: [['z']]}"};
    const char *both[] = {"{0: [2, ' goat ']}", "{0: [2, ' goat ']}", "{0: ['z']}"};
    assert_named("text", "latest", "'AB'", text, 1, 2);
    assert_named("text", "either", "'AB'", text, 1, 2);
    assert_named("richtext", "either", "[{'insert': 'AB'}]", text, 1, 2);
    assert_named("list", "latest", "['A', 'B']", list, 1, 2);
    assert_named("text", "merged", "'AB'", both, 2, 1);
    assert_named("richtext", "merged", "[{'insert': 'AB'}]", both, 2, 1);
}

/* ---- lists ---- */

/* `a` and `b` on a base, with the lesser id and the earlier time first on one side, then on the other. */
static void assert_two_of(const char *type, const char *strategy, const char *base, const char *a, const char *b,
                          const char *b_is_greater, const char *a_is_greater) {
    const commit greater_b[] = {{"", 1, 1, base}, {"0", 5, 5, a}, {"0", 6, 6, b}};
    const commit greater_a[] = {{"", 1, 1, base}, {"0", 6, 6, a}, {"0", 5, 5, b}};
    assert_text(type, strategy, greater_b, 3, b_is_greater);
    assert_text(type, strategy, greater_a, 3, a_is_greater);
}

static void a_list_of_abc_becomes_what_the_text_does(void **state) {
    (void)state;
    const char *abc = "['A', 'B', 'C']", *bcy = "{0: [-1, 2, ['Y']]}", *abx = "{0: [2, ['X'], -1]}";
    assert_two_of("list", "either", abc, bcy, abx, "['B', 'X']", "['B', 'Y']");
    assert_two_of("list", "latest", abc, bcy, abx, "['B', 'X']", "['B', 'Y']");
    assert_two_of("list", "both", abc, bcy, abx, "['B', 'X', 'Y']", "['B', 'X', 'Y']");
    assert_two_of("list", "merged", abc, bcy, abx, "['B', 'Y', 'X']", "['B', 'X', 'Y']");
}

static void elements_are_the_same_if_their_bytes_are(void **state) {
    (void)state;
    const char *a = "{0: [1, [1, {'a': 2}, 'x']]}", *b = "{0: [1, ['1', {'a': 2}, 'x', 3]]}";
    assert_two_of("list", "merged", "[0]", a, b, "[0, 1, {'a': 2}, 'x', '1', {'a': 2}, 'x', 3]",
                  "[0, '1', {'a': 2}, 'x', 3, 1, {'a': 2}, 'x']");
    assert_two_of("list", "merged", "[0]", "{0: [1, [1, 2, 3]]}", "{0: [1, [1, 2, 4]]}", "[0, 1, 2, 3, 4]",
                  "[0, 1, 2, 4, 3]");
    assert_two_of("list", "merged", "[0]", "{0: [1, [1, 2, 3]]}", "{0: [1, [2, 3, 4]]}", "[0, 1, 2, 3, 4]",
                  "[0, 2, 3, 4, 1]");
}

static void what_is_moved_to_one_place_is_all_there(void **state) {
    (void)state;
    static const char *const words[] = {"latest", "either", "both", "merged"};
    for (int i = 0; i < 4; i++) {
        assert_two_of("list", words[i], "['a', 'b', 'c']", "{0: [3, {1: 0}]}", "{0: [3, {1: 1}]}", "['c', 'a', 'b']",
                      "['c', 'b', 'a']");
        assert_two_of("list", words[i], "['a', 'b']", "{0: [2, {1: 0}]}", "{0: [2, ['x']]}", "['b', 'a', 'x']",
                      "['b', 'x', 'a']");
    }
}

/* The one who moved it saw the insertion that is left out; who made the other did not. */
static void what_was_moved_into_what_is_left_out_stays_where_it_was(void **state) {
    (void)state;
    const commit commits[] = {{"", 1, 1, "['a', 'b']"},
                              {"0", 5, 2, "{0: [2, ['x', 'y']]}"},
                              {"1", 7, 3, "{0: [3, {1: 0}]}"}, /* b x a y */
                              {"0", 6, 4, "{0: [2, ['z']]}"},
                              {"2 3", 8, 5, "{0: [1, ['!']]}"}};
    assert_text("list", "either", commits, 4, "['a', 'b', 'z']");
    assert_text("list", "latest", commits, 4, "['a', 'b', 'z']");
    assert_text("list", "merged", commits, 4, "['b', 'x', 'a', 'y', 'z']");
    assert_text("list", "either", commits, 5, "['a', '!', 'b', 'z']");
}

static void what_was_moved_out_of_what_is_left_out_is_there(void **state) {
    (void)state;
    const commit commits[] = {{"", 1, 1, "['a', 'b']"},
                              {"0", 5, 2, "{0: [2, ['x', 'y']]}"},
                              {"1", 7, 3, "{0: [{1: 2}]}"}, /* x a b y */
                              {"0", 6, 4, "{0: [2, ['z']]}"},
                              {"2 3", 8, 5, "{0: [-1]}"}};
    assert_text("list", "either", commits, 4, "['x', 'a', 'b', 'z']");
    assert_text("list", "latest", commits, 4, "['x', 'a', 'b', 'z']");
    assert_text("list", "either", commits, 5, "['a', 'b', 'z']");
}

/* And nothing that others do later puts it back. */
static void removing_the_insertion_that_was_left_moves_nothing(void **state) {
    (void)state;
    const commit commits[] = {{"", 1, 1, "['a', 'b']"},
                              {"0", 5, 2, "{0: [2, ['x', 'y']]}"},
                              {"1", 7, 3, "{0: [3, {1: 0}]}"},
                              {"0", 6, 4, "{0: [2, ['z']]}"},
                              {"2 3", 8, 5, "{0: [2, -1]}"}};
    assert_text("list", "either", commits, 5, "['a', 'b']");
    assert_text("list", "latest", commits, 5, "['a', 'b']");
}

static void what_got_a_value_of_its_own_stands_beside_its_twin(void **state) {
    (void)state;
    const commit commits[] = {{"", 1, 1, "['a']"},
                              {"0", 5, 2, "{0: [1, ['x', 'y']]}"},
                              {"0", 6, 3, "{0: [1, ['x', 'y']]}"},
                              {"2", 7, 4, "{0: [1, {2: 'z'}]}"}};
    assert_text("list", "merged", commits, 3, "['a', 'x', 'y']");
    assert_text("list", "merged", commits, 4, "['a', 'x', 'y', 'z']");
}

/* ---- rich text ---- */

static void a_rich_text_of_abc_becomes_what_the_text_does(void **state) {
    (void)state;
    const char *abc = "[{'insert': 'ABC'}]", *bcy = "{0: [-1, 2, 'Y']}", *abx = "{0: [2, ['X', {'b': 1}], -1]}";
    const char *b_and_x = "[{'insert': 'B'}, {'insert': 'X', 'attributes': {'b': 1}}]";
    const char *bxy = "[{'insert': 'B'}, {'insert': 'X', 'attributes': {'b': 1}}, {'insert': 'Y'}]";
    const char *byx = "[{'insert': 'BY'}, {'insert': 'X', 'attributes': {'b': 1}}]";
    assert_two_of("richtext", "either", abc, bcy, abx, b_and_x, "[{'insert': 'BY'}]");
    assert_two_of("richtext", "latest", abc, bcy, abx, b_and_x, "[{'insert': 'BY'}]");
    assert_two_of("richtext", "both", abc, bcy, abx, bxy, bxy);
    assert_two_of("richtext", "merged", abc, bcy, abx, byx, bxy);
}

static void what_stands_once_has_the_attributes_of_the_one_that_is_left(void **state) {
    (void)state;
    assert_two_of("richtext", "merged", "[{'insert': '> <'}]", "{0: [2, 'goat']}", "{0: [2, ['goat', {'b': 1}]]}",
                  "[{'insert': '> goat<'}]",
                  "[{'insert': '> '}, {'insert': 'goat', 'attributes': {'b': 1}}, {'insert': '<'}]");
}

static void an_embed_that_both_inserted_stands_once_when_merged(void **state) {
    (void)state;
    const char *base = "[{'insert': '> <'}]", *goat = "{0: [2, [{'image': 'goat'}]]}",
               *hen = "{0: [2, [{'image': 'hen'}]]}";
    assert_two_of("richtext", "merged", base, goat, goat,
                  "[{'insert': '> '}, {'insert': {'image': 'goat'}}, {'insert': '<'}]",
                  "[{'insert': '> '}, {'insert': {'image': 'goat'}}, {'insert': '<'}]");
    assert_two_of("richtext", "merged", base, goat, hen,
                  "[{'insert': '> '}, {'insert': {'image': 'goat'}}, {'insert': {'image': 'hen'}}, {'insert': '<'}]",
                  "[{'insert': '> '}, {'insert': {'image': 'hen'}}, {'insert': {'image': 'goat'}}, {'insert': '<'}]");
}

/* Attributes are given to what stays, whoever wins the place beside it. */
static void attributes_merge_by_their_own_rule_whatever_the_strategy(void **state) {
    (void)state;
    const char *base = "[{'insert': 'AB'}]", *bold = "{0: [[1, {'b': 1}], 'x']}",
               *other = "{0: [1, 'y', [1, {'i': 1}]]}";
    const char *with_y =
        "[{'insert': 'A', 'attributes': {'b': 1}}, {'insert': 'y'}, {'insert': 'B', 'attributes': {'i': 1}}]";
    const char *with_x =
        "[{'insert': 'A', 'attributes': {'b': 1}}, {'insert': 'x'}, {'insert': 'B', 'attributes': {'i': 1}}]";
    assert_two_of("richtext", "either", base, bold, other, with_y, with_x);
    assert_two_of("richtext", "latest", base, bold, other, with_y, with_x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abc_becomes_bcy_on_one_side_and_abx_on_the_other),
        cmocka_unit_test(latest_goes_by_time_and_either_does_not),
        cmocka_unit_test(insertions_at_different_places_are_all_kept),
        cmocka_unit_test(one_of_three_sides_is_left),
        cmocka_unit_test(what_was_typed_in_several_commits_stays_together),
        cmocka_unit_test(a_side_that_takes_its_insertion_back_has_no_say),
        cmocka_unit_test(removing_the_one_that_was_left_does_not_bring_the_other_back),
        cmocka_unit_test(what_is_written_on_a_merged_view_is_where_it_was_written),
        cmocka_unit_test(what_both_inserted_stands_once_when_merged),
        cmocka_unit_test(of_two_whole_texts_one_is_left),
        cmocka_unit_test(who_is_left_out_is_told_by_whom),
        cmocka_unit_test(a_list_of_abc_becomes_what_the_text_does),
        cmocka_unit_test(elements_are_the_same_if_their_bytes_are),
        cmocka_unit_test(what_is_moved_to_one_place_is_all_there),
        cmocka_unit_test(what_was_moved_into_what_is_left_out_stays_where_it_was),
        cmocka_unit_test(what_was_moved_out_of_what_is_left_out_is_there),
        cmocka_unit_test(removing_the_insertion_that_was_left_moves_nothing),
        cmocka_unit_test(what_got_a_value_of_its_own_stands_beside_its_twin),
        cmocka_unit_test(a_rich_text_of_abc_becomes_what_the_text_does),
        cmocka_unit_test(what_stands_once_has_the_attributes_of_the_one_that_is_left),
        cmocka_unit_test(an_embed_that_both_inserted_stands_once_when_merged),
        cmocka_unit_test(attributes_merge_by_their_own_rule_whatever_the_strategy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
