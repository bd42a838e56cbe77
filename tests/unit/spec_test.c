/* core/query/spec: what a query may be asked, and what is refused. */
#include "support/test.h"

#include "query/spec.h"
#include "support/test_alloc.h"
#include "support/test_value.h"

#include <string.h>

static void refused_as(const char *json, goat_status expected, const char *field) {
    gt_spec spec;
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_spec_parse(&gt_alloc_system, gt_bytes_text(json), &spec, &diag);
    if (status != expected || diag.message[0] == '\0' || strcmp(diag.field, field) != 0) {
        fail_msg("%.100s: %d, \"%s\" at \"%s\"", json, status, diag.message, diag.field);
    }
    gt_spec_free(&spec);
}

static void refused(const char *json, const char *field) { refused_as(json, GOAT_INVALID, field); }

static void a_wrong_spec_is_refused_with_its_place(void **state) {
    (void)state;
    refused("[]", "");
    refused("{", "");
    refused("5", "");
    refused("{\"limti\": 5}", "limti");
    refused("{\"schema\": 5}", "schema");
    refused("{\"sort\": \"n\"}", "sort");
    refused("{\"sort\": [5]}", "sort");
    refused("{\"sort\": [\"\"]}", "sort");
    refused("{\"sort\": [\"-\"]}", "sort");
    refused("{\"fields\": \"n\"}", "fields");
    refused("{\"fields\": [null]}", "fields");
    refused("{\"offset\": -1}", "offset");
    refused("{\"offset\": 1.5}", "offset");
    refused("{\"limit\": 4294967296}", "limit");
    refused("{\"limit\": \"5\"}", "limit");
    refused("{\"limit\": null}", "limit");
    refused("{\"where\": 5}", "");
    refused("{\"where\": {\"$or\": [{\"n\": {\"$gtt\": 1}}]}}", "$or[0].n.$gtt");
}

static void everything_may_be_left_out(void **state) {
    (void)state;
    static const char *const empty[] = {"", "{}", " {} "};
    for (size_t i = 0; i < 3; i++) {
        gt_spec spec;
        assert_int_equal(gt_spec_parse(&gt_alloc_system, gt_bytes_text(empty[i]), &spec, NULL), GOAT_OK);
        assert_true(spec.ns.data == NULL && spec.filter == NULL && spec.fields == NULL);
        assert_true(spec.sort_count == 0 && spec.offset == 0 && spec.limit == UINT32_MAX);
        gt_spec_free(&spec);
    }
}

static void all_of_it_is_kept(void **state) {
    (void)state;
    gt_spec spec;
    const char *json =
        "{\"schema\": \"t\", \"where\": {\"a\": 1}, \"sort\": [\"a.b\", \"-c\", \"--d\"], \"offset\": 4294967295, "
        "\"limit\": 0, \"fields\": [\"bb\", \"c\", \"a\", \"c\"]}";
    assert_int_equal(gt_spec_parse(&gt_alloc_system, gt_bytes_text(json), &spec, NULL), GOAT_OK);
    assert_true(gt_bytes_equal(spec.ns, gt_bytes_text("t")));
    assert_non_null(spec.filter);
    assert_int_equal(spec.sort_count, 3);
    assert_int_equal(spec.sort[0].path.count, 2);
    assert_true(!spec.sort[0].descending && spec.sort[1].descending && spec.sort[2].descending);
    assert_true(gt_bytes_equal(spec.sort[2].path.segments[0].name, gt_bytes_text("-d")));
    assert_true(spec.offset == UINT32_MAX && spec.limit == 0);
    assert_int_equal(spec.field_count, 3); /* each once, as keys of a map stand */
    assert_true(gt_bytes_equal(spec.fields[0], gt_bytes_text("a")));
    assert_true(gt_bytes_equal(spec.fields[1], gt_bytes_text("c")));
    assert_true(gt_bytes_equal(spec.fields[2], gt_bytes_text("bb")));
    gt_spec_free(&spec);
}

/* ---- sort keys ---- */

static gt_bytes key_of(const gt_spec *spec, const char *value, const char *item) {
    gt_buf notation, key;
    gt_buf_init(&notation, &gt_alloc_system);
    gt_buf_init(&key, &gt_alloc_system);
    test_text(&notation, "{a: %s}", value);
    gt_query_row row = {gt_bytes_text(item), test_value((const char *)notation.data), NULL, 1};
    assert_int_equal(gt_sort_key_write(spec, &row, &key, NULL), GOAT_OK);
    test_value_free(row.state);
    gt_buf_free(&notation);
    return gt_buf_bytes(&key);
}

/* Compares the keys of two rows, and holds their prefixes to the same. */
static int compare(const gt_spec *spec, const char *a, const char *a_item, const char *b, const char *b_item) {
    gt_bytes a_key = key_of(spec, a, a_item), b_key = key_of(spec, b, b_item);
    uint64_t a_prefix = gt_sort_key_prefix(spec, a_key), b_prefix = gt_sort_key_prefix(spec, b_key);
    int order = gt_sort_key_compare(spec, a_key, b_key);
    if (a_prefix != b_prefix) assert_int_equal(a_prefix < b_prefix, order < 0);
    gt_free(&gt_alloc_system, (void *)(uintptr_t)a_key.data);
    gt_free(&gt_alloc_system, (void *)(uintptr_t)b_key.data);
    return (order > 0) - (order < 0);
}

static void sort_keys_are_in_the_order_of_values(void **state) {
    (void)state;
    static const char *const values[] = {
        "[]",
        "null",
        "-9223372036854775807",
        "-9007199254740994",
        "-9007199254740993",
        "-9007199254740992",
        "-256",
        "-255",
        "-2.5",
        "-2",
        "-1e-300",
        "0",
        "1e-300",
        "0.5",
        "1",
        "255",
        "256",
        "9007199254740992",
        "9007199254740993",
        "9007199254740994",
        "9223372036854775806",
        "9223372036854775807",
        "1e300",
        "''",
        "'A'",
        "'a'",
        "'abcdefg'",
        "'abcdefgA'",
        "'abcdefgh'",
        "'abcdefghi'",
        "'b'",
        "'\xc3\xa9'",
        "'\xf0\x9f\x90\x90'",
        "{}",
        "{a: 1}",
        "[[]]",
        "[[1]]",
        "bytes(ff)",
        "bytes(0000)",
        "ref('/a/b/c')",
        "ref('/a/b/d')",
        "false",
        "true",
        "date(-62135596800000)",
        "date(-1)",
        "date(0)",
        "date(1)",
        "date(253402300799999)",
    };
    enum { COUNT = sizeof values / sizeof values[0] };
    gt_spec up, down, by_key;
    assert_int_equal(gt_spec_parse(&gt_alloc_system, gt_bytes_text("{\"sort\": [\"a\"]}"), &up, NULL), GOAT_OK);
    assert_int_equal(gt_spec_parse(&gt_alloc_system, gt_bytes_text("{\"sort\": [\"-a\"]}"), &down, NULL), GOAT_OK);
    assert_int_equal(gt_spec_parse(&gt_alloc_system, gt_bytes_text("{}"), &by_key, NULL), GOAT_OK);
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < COUNT; j++) {
            int order = (i > j) - (i < j);
            if (compare(&up, values[i], "k", values[j], "k") != order) fail_msg("%s %s", values[i], values[j]);
            if (compare(&down, values[i], "k", values[j], "k") != -order) fail_msg("-%s %s", values[i], values[j]);
        }
        assert_int_equal(compare(&up, values[i], "k", values[i], "l"), -1); /* the item key is never turned round */
        assert_int_equal(compare(&down, values[i], "k", values[i], "l"), -1);
    }
    assert_int_equal(compare(&by_key, "1", "a", "1", "aa"), -1);
    assert_int_equal(compare(&by_key, "1", "abcdefghi", "1", "abcdefgh"), 1);
    assert_int_equal(compare(&by_key, "1", "b", "1", "aaaaaaaaaaaa"), 1);
    gt_spec_free(&up);
    gt_spec_free(&down);
    gt_spec_free(&by_key);
}

/* ---- limits ---- */

static void text_is(const gt_buf *json, goat_status expected) {
    gt_spec spec;
    assert_int_equal(gt_spec_parse(&gt_alloc_system, gt_buf_bytes(json), &spec, NULL), expected);
    gt_spec_free(&spec);
}

/* {"name": ["x0", "x1", …]} with `count` elements. */
static void list_is(const char *name, uint32_t count, goat_status expected) {
    gt_buf json;
    gt_buf_init(&json, &gt_alloc_system);
    test_text(&json, "{\"%s\": [", name);
    for (uint32_t i = 0; i < count; i++) test_text(&json, "%s\"x%u\"", i == 0 ? "" : ",", (unsigned)i);
    test_text(&json, "]}");
    text_is(&json, expected);
    gt_buf_free(&json);
}

static void limits_of_a_spec_hold_on_both_sides(void **state) {
    (void)state;
    list_is("sort", GT_QUERY_SORT_MAX, GOAT_OK);
    list_is("sort", GT_QUERY_SORT_MAX + 1, GOAT_TOO_LARGE);
    list_is("fields", GT_QUERY_FIELDS_MAX, GOAT_OK);
    list_is("fields", GT_QUERY_FIELDS_MAX + 1, GOAT_TOO_LARGE);
    for (size_t over = 0; over < 2; over++) {
        gt_buf json;
        gt_buf_init(&json, &gt_alloc_system);
        test_text(&json, "{}");
        while (json.len < GT_QUERY_SPEC_MAX + over) gt_buf_append_byte(&json, ' ');
        text_is(&json, over == 0 ? GOAT_OK : GOAT_TOO_LARGE);
        gt_buf_free(&json);
    }
}

static void paths_to_sort_by_have_a_limit(void **state) {
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        gt_buf json;
        gt_buf_init(&json, &gt_alloc_system);
        test_text(&json, "{\"sort\": [\"");
        for (size_t i = 1; i < GT_FIELD_SEGMENTS_MAX + over; i++) test_text(&json, "a.");
        test_text(&json, "a\"]}");
        text_is(&json, over == 0 ? GOAT_OK : GOAT_TOO_LARGE);
        gt_buf_free(&json);
    }
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    test_alloc memory;
    for (uint64_t k = 0;; k++) {
        gt_spec spec;
        test_alloc_init(&memory, k);
        goat_status status = gt_spec_parse(&memory.alloc,
                                           gt_bytes_text("{\"schema\": \"t\", \"where\": {\"a\": {\"$in\": [1, [2]]}}, "
                                                         "\"sort\": [\"a\", \"-b.c\"], \"fields\": [\"x\"]}"),
                                           &spec, NULL);
        gt_spec_free(&spec);
        test_alloc_assert_empty(&memory);
        assert_int_equal(status, memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
        if (!memory.failed) break;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_may_be_left_out),
        cmocka_unit_test(all_of_it_is_kept),
        cmocka_unit_test(a_wrong_spec_is_refused_with_its_place),
        cmocka_unit_test(sort_keys_are_in_the_order_of_values),
        cmocka_unit_test(limits_of_a_spec_hold_on_both_sides),
        cmocka_unit_test(paths_to_sort_by_have_a_limit),
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
