/* core/query, filters: what each operator means, and what is refused. States are in the notation of
 * support/test_value.h, filters are JSON. */
#include "support/test.h"

#include "query/field.h"
#include "query/filter.h"
#include "support/test_alloc.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/json.h"

#include <stdlib.h>
#include <string.h>

static gt_filter *compile(const char *json) {
    gt_filter *filter = NULL;
    gt_diag diag;
    gt_diag_init(&diag);
    if (gt_filter_compile_json(&gt_alloc_system, gt_bytes_text(json), &filter, &diag) != GOAT_OK) {
        fail_msg("%s: %s (%s)", json, diag.message, diag.field);
    }
    return filter;
}

static bool matches_with(const gt_schema *schema, const char *state_notation, const char *json) {
    gt_filter *filter = compile(json);
    gt_bytes state = test_value(state_notation);
    bool matches = false;
    assert_int_equal(gt_filter_match(filter, state, schema, &matches), GOAT_OK);
    test_value_free(state);
    gt_filter_drop(filter);
    return matches;
}

#define yes(state, filter) assert_true(matches_with(NULL, state, filter))
#define no(state, filter) assert_false(matches_with(NULL, state, filter))

/* ---- comparing ---- */

static void a_plain_value_is_an_equality(void **state) {
    (void)state;
    yes("{a: 1}", "{}");
    yes("{}", "{}");
    yes("{a: 1}", "{\"a\": 1}");
    yes("{a: 1}", "{\"a\": 1.0}");
    no("{a: 1}", "{\"a\": 2}");
    no("{a: 1}", "{\"a\": \"1\"}");
    yes("{a: 'x', b: 2}", "{\"a\": \"x\", \"b\": 2}");
    no("{a: 'x', b: 3}", "{\"a\": \"x\", \"b\": 2}");
    yes("{a: {}}", "{\"a\": {}}");
    no("{a: {b: 1}}", "{\"a\": {}}");
    yes("{a: {b: 1, c: 2}}", "{\"a\": {\"c\": 2, \"b\": 1}}");
    yes("{a: true}", "{\"a\": true}");
    no("{a: 1}", "{\"a\": true}");
    yes("{a: ''}", "{\"a\": \"\"}");
}

static void eq_and_ne_are_opposites(void **state) {
    (void)state;
    static const char *const states[] = {
        "{}",         "{a: null}", "{a: 1}",    "{a: 'x'}",     "{a: [1, 2]}",    "{a: set[1]}",       "{a: []}",
        "{a: [[1]]}", "{a: {}}",   "{a: true}", "{a: date(0)}", "{a: bytes(00)}", "{a: ref('/a/b/c')}"};
    static const char *const values[] = {
        "null", "1", "\"x\"", "[1, 2]", "[1]", "[]", "{}", "true", "{\"$date\": \"1970-01-01T00:00:00Z\"}"};
    for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            gt_buf eq, ne, nin;
            gt_buf_init(&eq, &gt_alloc_system);
            gt_buf_init(&ne, &gt_alloc_system);
            gt_buf_init(&nin, &gt_alloc_system);
            test_text(&eq, "{\"a\": {\"$eq\": %s}}", values[j]);
            test_text(&ne, "{\"a\": {\"$ne\": %s}}", values[j]);
            test_text(&nin, "{\"a\": {\"$nin\": [%s, 77]}}", values[j]);
            bool equal = matches_with(NULL, states[i], (const char *)eq.data);
            assert_int_equal(matches_with(NULL, states[i], (const char *)ne.data), !equal);
            assert_int_equal(matches_with(NULL, states[i], (const char *)nin.data), !equal);
            gt_buf_free(&eq);
            gt_buf_free(&ne);
            gt_buf_free(&nin);
        }
    }
}

static void the_comparisons_hold_on_both_sides_of_their_edge(void **state) {
    (void)state;
    static const struct {
        const char *name;
        bool below, equal, above;
    } operators[] = {
        {"$gt", false, false, true}, {"$gte", false, true, true}, {"$lt", true, false, false},
        {"$lte", true, true, false}, {"$eq", false, true, false}, {"$ne", true, false, true},
    };
    static const char *const values[][4] = {
        /* the operand, and states below, at, and above it */
        {"5", "{a: 4}", "{a: 5}", "{a: 6}"},
        {"5", "{a: 4.5}", "{a: 5}", "{a: 5.5}"},
        {"-0.5", "{a: -1}", "{a: -0.5}", "{a: 0}"},
        {"9007199254740993", "{a: 9007199254740992}", "{a: 9007199254740993}", "{a: 9007199254740994}"},
        {"9223372036854775807", "{a: 9223372036854775806}", "{a: 9223372036854775807}", "{a: 1e19}"},
        {"\"m\"", "{a: 'lzz'}", "{a: 'm'}", "{a: 'ma'}"},
        {"\"Z\"", "{a: 'A'}", "{a: 'Z'}", "{a: 'a'}"},
        {"true", "{a: false}", "{a: true}", "{a: [true, false]}"},
        {"{\"$date\": \"2020-01-01T00:00:00Z\"}", "{a: date(1577836799999)}", "{a: date(1577836800000)}",
         "{a: date(1577836800001)}"},
        {"{\"$bytes\": \"AAA=\"}", "{a: bytes(ff)}", "{a: bytes(0000)}", "{a: bytes(0001)}"},
        {"{\"$ref\": \"/a/b/c\"}", "{a: ref('/a/b/b')}", "{a: ref('/a/b/c')}", "{a: ref('/a/b/d')}"},
        {"[1, 2]", "{a: [1]}", "{a: [1, 2]}", "{a: [1, 3]}"},
        {"{\"b\": 1}", "{a: {b: 0}}", "{a: {b: 1}}", "{a: {b: 2}}"},
    };
    for (size_t i = 0; i < sizeof operators / sizeof operators[0]; i++) {
        for (size_t j = 0; j < sizeof values / sizeof values[0]; j++) {
            gt_buf json;
            gt_buf_init(&json, &gt_alloc_system);
            test_text(&json, "{\"a\": {\"%s\": %s}}", operators[i].name, values[j][0]);
            const char *text = (const char *)json.data;
            assert_int_equal(matches_with(NULL, values[j][1], text), operators[i].below);
            assert_int_equal(matches_with(NULL, values[j][2], text), operators[i].equal);
            if (strcmp(values[j][0], "true") != 0) {
                assert_int_equal(matches_with(NULL, values[j][3], text), operators[i].above);
            }
            gt_buf_free(&json);
        }
    }
}

static void comparisons_stay_within_a_class_of_values(void **state) {
    (void)state;
    /* One value of each class, in MongoDB's order; nothing of another class is above or below. */
    static const char *const states[] = {"{a: null}",   "{a: 5}",         "{a: 'x'}",
                                         "{a: {b: 1}}", "{a: bytes(01)}", "{a: ref('/a/b/c')}",
                                         "{a: true}",   "{a: date(1)}"};
    static const char *const operands[] = {"null",
                                           "5.5",
                                           "\"y\"",
                                           "{\"b\": 2}",
                                           "{\"$bytes\": \"Ag==\"}",
                                           "{\"$ref\": \"/a/b/d\"}",
                                           "true",
                                           "{\"$date\": \"2020-01-01T00:00:00Z\"}"};
    for (size_t i = 0; i < 8; i++) {
        for (size_t j = 0; j < 8; j++) {
            gt_buf above, below;
            gt_buf_init(&above, &gt_alloc_system);
            gt_buf_init(&below, &gt_alloc_system);
            test_text(&above, "{\"a\": {\"$gte\": %s}}", operands[j]);
            test_text(&below, "{\"a\": {\"$lte\": %s}}", operands[j]);
            bool same = i == j, equal = i == 0 || i == 6;
            assert_int_equal(matches_with(NULL, states[i], (const char *)below.data), same);
            assert_int_equal(matches_with(NULL, states[i], (const char *)above.data), same && equal);
            gt_buf_free(&above);
            gt_buf_free(&below);
        }
    }
    no("{a: []}", "{\"a\": {\"$lt\": 5}}");
    yes("{a: []}", "{\"a\": {\"$lt\": [5]}}");
    no("{a: {}}", "{\"a\": {\"$lt\": [5]}}");
}

static void missing_equals_null_and_nothing_else(void **state) {
    (void)state;
    yes("{}", "{\"a\": null}");
    yes("{a: null}", "{\"a\": null}");
    yes("{a: [1, null]}", "{\"a\": null}");
    no("{a: []}", "{\"a\": null}");
    no("{a: 0}", "{\"a\": null}");
    no("{}", "{\"a\": {\"$ne\": null}}");
    yes("{}", "{\"a\": {\"$gte\": null}}");
    yes("{}", "{\"a\": {\"$lte\": null}}");
    no("{}", "{\"a\": {\"$gt\": null}}");
    no("{}", "{\"a\": {\"$lt\": null}}");
    yes("{}", "{\"a\": {\"$in\": [1, null]}}");
    no("{}", "{\"a\": {\"$in\": [1]}}");
    yes("{}", "{\"a\": {\"$nin\": [1]}}");
    no("{}", "{\"a\": {\"$nin\": [1, null]}}");
    no("{}", "{\"a\": {\"$lt\": 5}}");
    yes("{}", "{\"a\": {\"$ne\": 5}}");
    no("{}", "{\"a\": {\"$contains\": \"\"}}");
    no("{}", "{\"a\": {\"$startsWith\": \"\"}}");
    no("{}", "{\"a\": {\"$regex\": \"\"}}");
}

static void exists_asks_for_the_field_and_null_is_one(void **state) {
    (void)state;
    yes("{a: null}", "{\"a\": {\"$exists\": true}}");
    yes("{a: []}", "{\"a\": {\"$exists\": 1}}");
    no("{a: null}", "{\"a\": {\"$exists\": false}}");
    yes("{}", "{\"a\": {\"$exists\": false}}");
    yes("{}", "{\"a\": {\"$exists\": 0}}");
    no("{}", "{\"a\": {\"$exists\": 0.5}}");
    yes("{a: {b: 1}}", "{\"a.b\": {\"$exists\": true}}");
    yes("{a: {b: 1}}", "{\"a.c\": {\"$exists\": false}}");
    yes("{a: [{b: 1}, {}]}", "{\"a.b\": {\"$exists\": true}}");
    no("{a: [{b: 1}, {}]}", "{\"a.b\": {\"$exists\": false}}");
    yes("{a: [1, 2]}", "{\"a.b\": {\"$exists\": false}}");
}

static void in_takes_any_of_its_values(void **state) {
    (void)state;
    yes("{a: 2}", "{\"a\": {\"$in\": [3, 2, 1]}}");
    no("{a: 4}", "{\"a\": {\"$in\": [3, 2, 1]}}");
    no("{a: 4}", "{\"a\": {\"$in\": []}}");
    no("{}", "{\"a\": {\"$in\": []}}");
    yes("{a: 4}", "{\"a\": {\"$nin\": []}}");
    yes("{a: 'x'}", "{\"a\": {\"$in\": [null, 1, \"x\", true, [1], {}]}}");
    yes("{a: true}", "{\"a\": {\"$in\": [null, 1, \"x\", true, [1], {}]}}");
    yes("{a: [1]}", "{\"a\": {\"$in\": [[1]]}}");
    yes("{a: [[1]]}", "{\"a\": {\"$in\": [[1]]}}");
    yes("{a: [9, 1]}", "{\"a\": {\"$in\": [1]}}");
    no("{a: [9, 1]}", "{\"a\": {\"$nin\": [1]}}");
    yes("{a: {}}", "{\"a\": {\"$in\": [{}]}}");
    yes("{a: 1}", "{\"a\": {\"$in\": {\"$set\": [1, 2]}}}");
    yes("{a: 9007199254740993}", "{\"a\": {\"$in\": [9007199254740993]}}");
    no("{a: 9007199254740992}", "{\"a\": {\"$in\": [9007199254740993]}}");
}

/* ---- arrays, sets, paths ---- */

static void arrays_match_whole_and_by_element(void **state) {
    (void)state;
    yes("{a: ['x', 'y']}", "{\"a\": \"y\"}");
    yes("{a: ['x', 'y']}", "{\"a\": [\"x\", \"y\"]}");
    no("{a: ['x', 'y']}", "{\"a\": [\"y\", \"x\"]}");
    no("{a: ['x', 'y']}", "{\"a\": [\"x\"]}");
    yes("{a: [1, 9]}", "{\"a\": {\"$gt\": 5, \"$lt\": 2}}"); /* each by some element */
    no("{a: [[7]]}", "{\"a\": 7}");                          /* one level, as in MongoDB */
    yes("{a: [[7]]}", "{\"a\": [7]}");
    no("{a: [1, 2]}", "{\"a\": {\"$ne\": 2}}");
    no("{a: [1, 2]}", "{\"a\": {\"$not\": {\"$gt\": 1}}}");
    yes("{a: [1, 2]}", "{\"a\": {\"$not\": {\"$gt\": 2}}}");
    yes("{a: ['goat', 'cow']}", "{\"a\": {\"$regex\": \"^c\"}}");
}

static void a_set_is_an_array_without_order(void **state) {
    (void)state;
    yes("{a: set['x', 'yy']}", "{\"a\": \"yy\"}");
    yes("{a: set['x', 'yy']}", "{\"a\": [\"yy\", \"x\"]}");
    yes("{a: set['x', 'yy']}", "{\"a\": {\"$set\": [\"yy\", \"x\"]}}");
    no("{a: set['x', 'yy']}", "{\"a\": [\"yy\"]}");
    yes("{a: set['x', 'yy']}", "{\"a\": {\"$in\": [[\"yy\", \"x\"]]}}");
    yes("{a: set[]}", "{\"a\": []}");
    yes("{a: set[3, 8]}", "{\"a\": {\"$gt\": 7}}");
    no("{a: set[3, 8]}", "{\"a\": {\"$gt\": 8}}");
    yes("{a: set[3, 8]}", "{\"a\": {\"$gt\": [3]}}");
    yes("{a: set['x', 'yy']}", "{\"a\": {\"$contains\": \"yy\"}}");
    no("{a: set['x', 'yy']}", "{\"a\": {\"$ne\": \"x\"}}");
}

static void paths_lead_through_maps_and_arrays(void **state) {
    (void)state;
    yes("{a: {b: {c: 1}}}", "{\"a.b.c\": 1}");
    no("{a: {b: {c: 1}}}", "{\"a.b.d\": 1}");
    yes("{a: {b: 1}}", "{\"a.b.c\": null}");
    yes("{a: [{b: 1}, {b: 2}]}", "{\"a.b\": 2}");
    yes("{a: set[{b: 1}, {b: 2}]}", "{\"a.b\": 2}");
    yes("{a: [{b: [1, 2]}]}", "{\"a.b\": 2}");
    yes("{a: [{b: 1}, {c: 2}]}", "{\"a.b\": null}"); /* one of them has none */
    no("{a: [{b: 1}, {b: 2}]}", "{\"a.b\": null}");
    no("{a: [[{b: 1}]]}", "{\"a.b\": 1}"); /* not through an array in an array */
    no("{a: [1, 2]}", "{\"a.b\": null}");  /* leads nowhere, as in MongoDB */
    yes("{a: [1, 2]}", "{\"a.b\": {\"$ne\": 1}}");
    yes("{a: [7, 8]}", "{\"a.1\": 8}");
    no("{a: [7, 8]}", "{\"a.0\": 8}");
    yes("{a: [{b: 7}, {b: 8}]}", "{\"a.1.b\": 8}");
    no("{a: [{b: 7}, {b: 8}]}", "{\"a.0.b\": 8}");
    yes("{a: [[7]]}", "{\"a.0.0\": 7}");
    yes("{a: [{\"0\": 7}]}", "{\"a.0\": 7}"); /* a number may be a name too */
    yes("{a: {\"0\": 7}}", "{\"a.0\": 7}");
    yes("{\"0\": 7}", "{\"0\": 7}");
    no("{a: [7, 8]}", "{\"a.01\": 8}");
    no("{a: [7, 8]}", "{\"a.18446744073709551617\": 8}");
    yes("{a: {\"\": 1}}", "{\"a.\": 1}");
    yes("{0: true, a: 1}", "{\"a\": 1}"); /* the integer key of a state is no field */
    no("{0: true}", "{\"0\": true}");
}

/* ---- texts ---- */

static void a_rich_text_is_an_array_of_insertions(void **state) {
    (void)state;
    const char *body =
        "{body: [{insert: 'Goats'}, {insert: '\n', attributes: {header: 1}}, {insert: {image: 'goat.png'}}]}";
    yes(body, "{\"body.insert\": {\"$contains\": \"oat\"}}");
    no(body, "{\"body.insert\": {\"$contains\": \"png\"}}");
    yes(body, "{\"body.attributes.header\": 1}");
    no(body, "{\"body.attributes.header\": 2}");
    yes(body, "{\"body.insert.image\": \"goat.png\"}");
}

static void contains_looks_into_texts_arrays_and_sets(void **state) {
    (void)state;
    yes("{a: 'a goat'}", "{\"a\": {\"$contains\": \"goat\"}}");
    yes("{a: 'goat'}", "{\"a\": {\"$contains\": \"goat\"}}");
    no("{a: 'goa'}", "{\"a\": {\"$contains\": \"goat\"}}");
    no("{a: 'Goat'}", "{\"a\": {\"$contains\": \"goat\"}}");
    yes("{a: 'gogoat'}", "{\"a\": {\"$contains\": \"goat\"}}");
    yes("{a: ''}", "{\"a\": {\"$contains\": \"\"}}");
    yes("{a: ['x', 'a goat']}", "{\"a\": {\"$contains\": \"goat\"}}");
    yes("{a: [1, 2]}", "{\"a\": {\"$contains\": 2}}");
    no("{a: 2}", "{\"a\": {\"$contains\": 2}}");
    no("{a: [3]}", "{\"a\": {\"$contains\": 2}}");
    yes("{a: [[2]]}", "{\"a\": {\"$contains\": [2]}}");
    no("{a: [2]}", "{\"a\": {\"$contains\": [2]}}");
    yes("{a: [null]}", "{\"a\": {\"$contains\": null}}");
    no("{a: null}", "{\"a\": {\"$contains\": null}}");
    no("{}", "{\"a\": {\"$contains\": null}}");
    no("{a: bytes(61)}", "{\"a\": {\"$contains\": \"a\"}}");
    yes("{a: 'x'}", "{\"a\": {\"$not\": {\"$contains\": \"y\"}}}");
}

static void starts_with_compares_the_beginning(void **state) {
    (void)state;
    yes("{a: 'goats'}", "{\"a\": {\"$startsWith\": \"goat\"}}");
    yes("{a: 'goat'}", "{\"a\": {\"$startsWith\": \"goat\"}}");
    no("{a: 'goa'}", "{\"a\": {\"$startsWith\": \"goat\"}}");
    no("{a: 'a goat'}", "{\"a\": {\"$startsWith\": \"goat\"}}");
    yes("{a: ''}", "{\"a\": {\"$startsWith\": \"\"}}");
    yes("{a: ['cow', 'goats']}", "{\"a\": {\"$startsWith\": \"goat\"}}");
    no("{a: 5}", "{\"a\": {\"$startsWith\": \"\"}}");
}

static void regex_and_its_options(void **state) {
    (void)state;
    yes("{a: 'the goat'}", "{\"a\": {\"$regex\": \"g.at\"}}");
    no("{a: 'the goat'}", "{\"a\": {\"$regex\": \"^g.at\"}}");
    no("{a: 'GOAT'}", "{\"a\": {\"$regex\": \"goat\"}}");
    yes("{a: 'GOAT'}", "{\"a\": {\"$regex\": \"goat\", \"$options\": \"i\"}}");
    yes("{a: 'GOAT'}", "{\"a\": {\"$options\": \"i\", \"$regex\": \"goat\"}}");
    yes("{a: 'a\nb'}", "{\"a\": {\"$regex\": \"^B$\", \"$options\": \"im\"}}");
    yes("{a: 'a'}", "{\"a\": {\"$regex\": \"\", \"$options\": \"\"}}");
    no("{a: 5}", "{\"a\": {\"$regex\": \"5\"}}");
    yes("{a: 'x5'}", "{\"a\": {\"$regex\": \"5\", \"$ne\": \"5\"}}");
    yes("{a: 'x'}", "{\"a\": {\"$not\": {\"$regex\": \"5\"}}}");
}

/* ---- connectives ---- */

static void and_or_nor_not(void **state) {
    (void)state;
    yes("{a: 1, b: 2}", "{\"$and\": [{\"a\": 1}, {\"b\": 2}]}");
    no("{a: 1, b: 3}", "{\"$and\": [{\"a\": 1}, {\"b\": 2}]}");
    yes("{a: 1, b: 3}", "{\"$or\": [{\"a\": 1}, {\"b\": 2}]}");
    yes("{a: 0, b: 2}", "{\"$or\": [{\"a\": 1}, {\"b\": 2}]}");
    no("{a: 0, b: 3}", "{\"$or\": [{\"a\": 1}, {\"b\": 2}]}");
    yes("{a: 0, b: 3}", "{\"$nor\": [{\"a\": 1}, {\"b\": 2}]}");
    no("{a: 1, b: 3}", "{\"$nor\": [{\"a\": 1}, {\"b\": 2}]}");
    yes("{a: 1}", "{\"$or\": [{}]}");
    no("{a: 1}", "{\"$nor\": [{}]}");
    yes("{a: 5}", "{\"a\": {\"$not\": {\"$gt\": 7}}}");
    yes("{a: 'x'}", "{\"a\": {\"$not\": {\"$gt\": 7}}}"); /* also what cannot be compared */
    yes("{}", "{\"a\": {\"$not\": {\"$gt\": 7}}}");
    no("{a: 5}", "{\"a\": {\"$not\": {\"$gt\": 3, \"$lt\": 7}}}");
    yes("{a: 9}", "{\"a\": {\"$not\": {\"$gt\": 3, \"$lt\": 7}}}");
    yes("{a: 5}", "{\"a\": {\"$not\": {\"$not\": {\"$gt\": 3}}}}");
    yes("{a: 5, b: 1}", "{\"a\": {\"$gt\": 3, \"$not\": {\"$gt\": 7}}, \"$or\": [{\"b\": 1}, {\"b\": 2}], "
                        "\"$nor\": [{\"b\": 2}]}");
    no("{a: 5, b: 2}", "{\"$and\": [{\"$or\": [{\"b\": 1}, {\"$and\": [{\"b\": 2}, {\"a\": 6}]}]}, {\"a\": 5}]}");
    yes("{a: 6, b: 2}", "{\"$and\": [{\"$or\": [{\"b\": 1}, {\"$and\": [{\"b\": 2}, {\"a\": 6}]}]}, {\"b\": 2}]}");
}

static void defaults_of_the_schema_are_values(void **state) {
    (void)state;
    gt_schema *schema =
        test_schema("{\"ns\": \"t\", \"version\": 1, \"fields\": {\"a\": {\"type\": \"number\", "
                    "\"default\": 7}, \"m\": {\"type\": \"map\", \"default\": {\"x\": 1}}, "
                    "\"l\": {\"type\": \"set\", \"default\": {\"$set\": [1, 2]}}, \"n\": {\"type\": \"number\"}}}");
    assert_true(matches_with(schema, "{}", "{\"a\": 7}"));
    assert_true(matches_with(schema, "{}", "{\"a\": {\"$exists\": true}}"));
    assert_false(matches_with(schema, "{}", "{\"a\": null}"));
    assert_false(matches_with(schema, "{a: 8}", "{\"a\": 7}"));
    assert_true(matches_with(schema, "{}", "{\"m.x\": 1}"));
    assert_false(matches_with(schema, "{m: {y: 1}}", "{\"m.x\": 1}"));
    assert_true(matches_with(schema, "{}", "{\"l\": 2}"));
    assert_true(matches_with(schema, "{}", "{\"n\": null}"));
    assert_true(matches_with(schema, "{}", "{\"unknown\": null}"));
    gt_schema_free(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_value_is_an_equality),
        cmocka_unit_test(eq_and_ne_are_opposites),
        cmocka_unit_test(the_comparisons_hold_on_both_sides_of_their_edge),
        cmocka_unit_test(comparisons_stay_within_a_class_of_values),
        cmocka_unit_test(missing_equals_null_and_nothing_else),
        cmocka_unit_test(exists_asks_for_the_field_and_null_is_one),
        cmocka_unit_test(in_takes_any_of_its_values),
        cmocka_unit_test(arrays_match_whole_and_by_element),
        cmocka_unit_test(a_set_is_an_array_without_order),
        cmocka_unit_test(paths_lead_through_maps_and_arrays),
        cmocka_unit_test(a_rich_text_is_an_array_of_insertions),
        cmocka_unit_test(contains_looks_into_texts_arrays_and_sets),
        cmocka_unit_test(starts_with_compares_the_beginning),
        cmocka_unit_test(regex_and_its_options),
        cmocka_unit_test(and_or_nor_not),
        cmocka_unit_test(defaults_of_the_schema_are_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
