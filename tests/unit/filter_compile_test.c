/* core/query, filters: what is refused and where, limits, and memory. What filters mean is in filter_test.c. */
#include "support/test.h"

#include "query/field.h"
#include "query/filter.h"
#include "support/test_alloc.h"
#include "support/test_value.h"

#include <stdlib.h>
#include <string.h>

/* Whether a filter as JSON matches a state in notation. */
static bool matches(const char *state_notation, const char *json) {
    gt_filter *filter = NULL;
    bool result = false;
    assert_int_equal(gt_filter_compile_json(&gt_alloc_system, gt_bytes_text(json), &filter, NULL), GOAT_OK);
    gt_bytes state = test_value(state_notation);
    assert_int_equal(gt_filter_match(filter, state, NULL, &result), GOAT_OK);
    test_value_free(state);
    gt_filter_drop(filter);
    return result;
}

/* ---- what is refused ---- */

static void refused_as(const char *json, goat_status expected, const char *field) {
    gt_filter *filter = NULL;
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_filter_compile_json(&gt_alloc_system, gt_bytes_text(json), &filter, &diag);
    if (status != expected || filter != NULL || (field != NULL && strcmp(diag.field, field) != 0)) {
        fail_msg("%.200s: %d, \"%s\" at \"%s\"", json, status, diag.message, diag.field);
    }
    assert_true(strlen(diag.message) > 0);
    /* A place within the filter, or an offset into its text: never an offset into a part of it. */
    assert_true(field == NULL || diag.position == GT_NO_POSITION);
    assert_int_equal(gt_filter_compile_json(&gt_alloc_system, gt_bytes_text(json), &filter, NULL), expected);
}

static void refused(const char *json, const char *field) { refused_as(json, GOAT_INVALID, field); }

static void faults_name_the_operator_and_its_place(void **state) {
    (void)state;
    refused("{\"a\": {\"$gtt\": 1}}", "a.$gtt");
    refused("{\"$or\": [{}, {\"size\": {\"$gtt\": 1}}]}", "$or[1].size.$gtt");
    refused("{\"$and\": [{\"$nor\": [{\"a.b\": {\"$not\": {\"$in\": 5}}}]}]}", "$and[0].$nor[0].a.b.$not.$in");
    refused("{\"$where\": \"x\"}", "$where");
    refused("{\"a\": {\"$gt\": 1, \"b\": 2}}", "a.b");
    refused("{\"a\": {\"$and\": []}}", "a.$and");
    refused("{\"a\": {\"$EQ\": 1}}", "a.$EQ");
    refused("{\"\": {\"$\": 1}}", ".$");
}

static void wrong_operands_are_refused(void **state) {
    (void)state;
    refused("[]", NULL);
    refused("5", NULL);
    refused("{\"$and\": {}}", "$and");
    refused("{\"$and\": []}", "$and");
    refused("{\"$or\": []}", "$or");
    refused("{\"$nor\": []}", "$nor");
    refused("{\"$nor\": 1}", "$nor");
    refused("{\"$or\": [{}, 1]}", "$or[1]");
    refused("{\"a\": {\"$in\": 1}}", "a.$in");
    refused("{\"a\": {\"$nin\": {\"x\": 1}}}", "a.$nin");
    refused("{\"a\": {\"$in\": [{\"$gt\": 1}]}}", "a.$in");
    refused("{\"a\": {\"$exists\": \"yes\"}}", "a.$exists");
    refused("{\"a\": {\"$exists\": null}}", "a.$exists");
    refused("{\"a\": {\"$startsWith\": 1}}", "a.$startsWith");
    refused("{\"a\": {\"$regex\": 1}}", "a.$regex");
    refused("{\"a\": {\"$regex\": \"(\"}}", "a.$regex");
    refused("{\"a\": {\"$regex\": \"a\", \"$options\": \"g\"}}", "a.$regex");
    refused("{\"a\": {\"$regex\": \"a\", \"$options\": 1}}", "a.$regex");
    refused("{\"a\": {\"$options\": \"i\"}}", "a.$options");
    refused("{\"a\": {\"$not\": 5}}", "a.$not");
    refused("{\"a\": {\"$not\": {}}}", "a.$not");
    refused("{\"a\": {\"$not\": {\"b\": 1}}}", "a.$not");
    refused("{\"a\": {\"$not\": \"a\"}}", "a.$not");
    refused("{\"a\": ", NULL);
    refused("{\"a\": {\"$date\": \"yesterday\"}}", NULL);
}

static void write_zeros(gt_buf *out, size_t count) {
    for (size_t i = 0; i < count; i++) gt_buf_append_byte(out, '0');
}

static void a_long_unknown_name_does_not_harm(void **state) {
    (void)state;
    gt_buf json;
    gt_buf_init(&json, &gt_alloc_system);
    test_text(&json, "{\"");
    write_zeros(&json, 3000);
    test_text(&json, "\": {\"$");
    write_zeros(&json, 5000);
    test_text(&json, "\": 1}}");
    refused((const char *)json.data, NULL);
    gt_buf_free(&json);
}

/* ---- limits ---- */

/* `text` `count` times, with commas between. */
static void repeat(gt_buf *out, const char *text, size_t count) {
    for (size_t i = 0; i < count; i++) test_text(out, "%s%s", i == 0 ? "" : ",", text);
}

/* `before`, `count` times `text`, `after`: is it taken? */
static void list_is(const char *before, const char *text, size_t count, const char *after, goat_status expected) {
    gt_buf json;
    gt_filter *filter = NULL;
    gt_buf_init(&json, &gt_alloc_system);
    test_text(&json, "%s", before);
    repeat(&json, text, count);
    test_text(&json, "%s", after);
    assert_int_equal(gt_filter_compile_json(&gt_alloc_system, gt_buf_bytes(&json), &filter, NULL), expected);
    assert_int_equal(filter != NULL, expected == GOAT_OK);
    gt_filter_drop(filter);
    gt_buf_free(&json);
}

static void limits_of_counts_hold_on_both_sides(void **state) {
    (void)state;
    list_is("{\"a\": {\"$in\": [", "1", GT_FILTER_IN_MAX, "]}}", GOAT_OK);
    list_is("{\"a\": {\"$in\": [", "1", GT_FILTER_IN_MAX + 1, "]}}", GOAT_TOO_LARGE);
    /* The document, the list, and two nodes for each of its members. */
    list_is("{\"$or\": [", "{\"a\": 1}", GT_FILTER_NODES_MAX / 2 - 1, "]}", GOAT_OK);
    list_is("{\"$or\": [", "{\"a\": 1}", GT_FILTER_NODES_MAX / 2, "]}", GOAT_TOO_LARGE);
    list_is("{\"$or\": [", "{\"a\": {\"$regex\": \"x\"}}", GT_FILTER_PATTERNS_MAX, "]}", GOAT_OK);
    list_is("{\"$or\": [", "{\"a\": {\"$regex\": \"x\"}}", GT_FILTER_PATTERNS_MAX + 1, "]}", GOAT_TOO_LARGE);
}

static void the_limit_of_size_holds_on_both_sides(void **state) {
    (void)state;
    enum { HEAD = 8 }; /* {"a": a text with a length of 4 bytes} */
    for (size_t over = 0; over < 2; over++) {
        size_t len = GT_FILTER_SIZE_MAX - HEAD + over;
        gt_buf json;
        gt_filter *filter = NULL;
        gt_buf_init(&json, &gt_alloc_system);
        test_text(&json, "{\"a\": \"");
        write_zeros(&json, len);
        test_text(&json, "\"}");
        assert_int_equal(gt_filter_compile_json(&gt_alloc_system, gt_buf_bytes(&json), &filter, NULL),
                         over == 0 ? GOAT_OK : GOAT_TOO_LARGE);
        gt_filter_drop(filter);
        gt_buf_free(&json);
    }
}

/* `open` `count` times, `inner`, `close` as often. */
static char *nest(const char *open, size_t count, const char *inner, const char *close) {
    gt_buf json;
    gt_buf_init(&json, &gt_alloc_system);
    for (size_t i = 0; i < count; i++) test_text(&json, "%s", open);
    test_text(&json, "%s", inner);
    for (size_t i = 0; i < count; i++) test_text(&json, "%s", close);
    char *text = malloc(json.len + 1);
    assert_non_null(text);
    memcpy(text, json.data, json.len + 1);
    gt_buf_free(&json);
    return text;
}

static void limits_of_depth_hold_on_both_sides(void **state) {
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        char *lists = nest("{\"$or\": [", GT_FILTER_DEPTH_MAX - 1 + over, "{\"a\": 1}", "]}");
        char *inner = nest("{\"$not\": ", GT_FILTER_DEPTH_MAX - 1 + over, "{\"$gt\": 1}", "}");
        char *nots = nest("{\"a\": ", 1, inner, "}");
        char *names = nest("a.", GT_FIELD_SEGMENTS_MAX - 1 + over, "a", "");
        char *quoted = nest("{\"", 1, names, "\": 1}");
        if (over == 0) {
            assert_true(matches("{a: 1}", lists));
            assert_int_equal(matches("{a: 2}", nots), GT_FILTER_DEPTH_MAX % 2 == 1);
            assert_false(matches("{a: 1}", quoted));
        } else {
            /* The value is too deep for values as well when lists are. */
            refused_as(lists, GOAT_TOO_LARGE, NULL);
            refused_as(nots, GOAT_TOO_LARGE, NULL);
            refused_as(quoted, GOAT_TOO_LARGE, names);
        }
        free(lists);
        free(inner);
        free(nots);
        free(names);
        free(quoted);
    }
}

static void paths_at_their_limit_lead_to_their_value(void **state) {
    (void)state;
    char *value = nest("{a: ", GT_FIELD_SEGMENTS_MAX, "5", "}");
    char *names = nest("a.", GT_FIELD_SEGMENTS_MAX - 1, "a", "");
    char *filter = nest("{\"", 1, names, "\": 5}");
    assert_true(matches(value, filter));
    free(value);
    free(names);
    free(filter);
}

/* ---- memory ---- */

static void each_allocation_may_fail(void **state) {
    (void)state;
    const char *json =
        "{\"a\": {\"$in\": [3, [2, 1], null]}, \"b\": [1, 2], \"$or\": [{\"c.d\": {\"$regex\": \"x+\"}}, "
        "{\"e\": {\"$not\": {\"$contains\": \"t\"}}}]}";
    gt_bytes row = test_value("{a: [2, 1], b: set[1, 2], c: [{d: 'axx'}]}");
    test_alloc memory;
    for (uint64_t k = 0;; k++) {
        gt_filter *filter = NULL;
        gt_diag diag;
        bool result = false;
        gt_diag_init(&diag);
        test_alloc_init(&memory, k);
        goat_status status = gt_filter_compile_json(&memory.alloc, gt_bytes_text(json), &filter, &diag);
        if (status == GOAT_OK) {
            status = gt_filter_match(filter, row, NULL, &result);
            assert_true(status != GOAT_OK || result);
        }
        gt_filter_drop(filter);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            assert_int_equal(status, GOAT_OK);
            assert_true(k > 5);
            break;
        }
        assert_int_equal(status, GOAT_NO_MEMORY);
    }
    /* A fault is told without memory for its place. */
    for (uint64_t k = 0;; k++) {
        gt_filter *filter = NULL;
        gt_diag diag;
        gt_diag_init(&diag);
        test_alloc_init(&memory, k);
        goat_status status =
            gt_filter_compile_json(&memory.alloc, gt_bytes_text("{\"a\": {\"$x\": 1}}"), &filter, &diag);
        test_alloc_assert_empty(&memory);
        assert_true(status == GOAT_NO_MEMORY || status == GOAT_INVALID);
        if (!memory.failed) {
            break;
        }
    }
    test_value_free(row);
}

static void matching_allocates_nothing(void **state) {
    (void)state;
    test_alloc memory;
    gt_filter *filter = NULL;
    bool result = false;
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    assert_int_equal(gt_filter_compile_json(&memory.alloc,
                                            gt_bytes_text("{\"a\": {\"$in\": [1, [2]]}, \"b.c\": {\"$gte\": 5}, "
                                                          "\"$or\": [{\"d\": {\"$contains\": \"x\"}}, {\"e\": null}]}"),
                                            &filter, NULL),
                     GOAT_OK);
    uint64_t calls = memory.calls;
    gt_bytes row = test_value("{a: [1], b: [{c: 5}], d: 'x'}");
    assert_int_equal(gt_filter_match(filter, row, NULL, &result), GOAT_OK);
    assert_true(result);
    assert_int_equal(memory.calls, calls);
    test_value_free(row);
    gt_filter_drop(filter);
    test_alloc_assert_empty(&memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_name_the_operator_and_its_place),
        cmocka_unit_test(wrong_operands_are_refused),
        cmocka_unit_test(a_long_unknown_name_does_not_harm),
        cmocka_unit_test(limits_of_counts_hold_on_both_sides),
        cmocka_unit_test(the_limit_of_size_holds_on_both_sides),
        cmocka_unit_test(limits_of_depth_hold_on_both_sides),
        cmocka_unit_test(paths_at_their_limit_lead_to_their_value),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(matching_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
