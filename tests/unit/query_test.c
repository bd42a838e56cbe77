/* core/query, live queries: what a query shows, what it tells, and what it refuses, by example. The same
 * against a naive evaluator is in query_property_test.c. */
#include "support/test.h"

#include "query/query.h"
#include "support/query_rows.h"
#include "support/test_value.h"
#include "value/value.h"

#include <string.h>

/* ---- order and windows ---- */

static void without_a_spec_all_rows_stand_by_key(void **state) {
    query_rows *f = *state;
    query_rows_put_all(f, "c1 a2 b3");
    query_rows_put(f, 'a', NULL);
    gt_query *query = query_rows_open(f, ""), *same = query_rows_open(f, "{}");
    query_rows_shows(f, query, "bc");
    query_rows_shows(f, same, "bc");
    query_rows_tells(f, query, "");
    query_rows_put(f, 'a', "{n: 5}");
    query_rows_shows(f, query, "abc");
    query_rows_tells(f, query, "+a0");
    gt_query_free(query);
    gt_query_free(same);
}

static void sorting_by_fields_and_directions(void **state) {
    query_rows *f = *state;
    query_rows_put(f, 'a', "{n: 2, s: 'x', m: {k: 3}}");
    query_rows_put(f, 'b', "{n: 1, s: 'y', m: {k: 1}}");
    query_rows_put(f, 'c', "{n: 2, s: 'y'}");
    query_rows_put(f, 'd', "{s: 'x', d: 9, l: [5, 2]}");
    query_rows_put(f, 'e', "{n: 2.5, s: 'X', d: 1, l: []}");
    static const char *const cases[][2] = {
        {"{\"sort\": [\"n\"]}", "dbace"},          {"{\"sort\": [\"-n\"]}", "eacbd"},
        {"{\"sort\": [\"n\", \"-s\"]}", "dbcae"},  {"{\"sort\": [\"-s\", \"n\"]}", "bcdae"},
        {"{\"sort\": [\"s\"]}", "eadbc"},          {"{\"sort\": [\"d\"]}", "eabcd"},
        {"{\"sort\": [\"-d\"]}", "dabce"},         {"{\"sort\": [\"m.k\"]}", "cdeba"},
        {"{\"sort\": [\"l\"]}", "eabcd"},          {"{\"sort\": [\"-l\"]}", "dabce"},
        {"{\"sort\": [\"l.0\", \"n\"]}", "baced"}, {"{\"sort\": []}", "abcde"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gt_query *query = query_rows_open(f, cases[i][0]);
        query_rows_shows(f, query, cases[i][1]);
        gt_query_free(query);
    }
}

static void a_window_is_cut_at_both_ends(void **state) {
    query_rows *f = *state;
    query_rows_put_all(f, "a1 b2 c3 d4 e5");
    static const char *const cases[][2] = {
        {"{\"offset\": 0, \"limit\": 2}", "ab"},
        {"{\"offset\": 1, \"limit\": 2}", "bc"},
        {"{\"offset\": 4, \"limit\": 2}", "e"},
        {"{\"offset\": 5}", ""},
        {"{\"offset\": 6, \"limit\": 1}", ""},
        {"{\"limit\": 0}", ""},
        {"{\"limit\": 5}", "abcde"},
        {"{\"limit\": 6}", "abcde"},
        {"{\"offset\": 4294967295, \"limit\": 4294967295}", ""},
        {"{\"offset\": 1, \"limit\": 4294967294}", "bcde"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gt_query *query = query_rows_open(f, cases[i][0]);
        uint32_t position;
        query_rows_shows(f, query, cases[i][1]);
        for (uint32_t row = 0; row < f->count; row++) {
            const char *found = strchr(cases[i][1], f->keys[row]);
            assert_int_equal(gt_query_position_of(query, row, &position), found != NULL);
            if (found != NULL) assert_int_equal(position, found - cases[i][1]);
        }
        gt_query_free(query);
    }
}

static void a_window_tells_what_slides_in_and_out(void **state) {
    query_rows *f = *state;
    query_rows_put_all(f, "a1 b2 c3 d4 e5 g7");
    gt_query *query = query_rows_open(f, "{\"sort\": [\"n\"], \"offset\": 1, \"limit\": 3}");
    query_rows_shows(f, query, "bcd");
    query_rows_put(f, 'f', "{n: 0}"); /* before the window */
    query_rows_shows(f, query, "abc");
    query_rows_tells(f, query, "-d2 +a0");
    query_rows_put(f, 'f', NULL);
    query_rows_shows(f, query, "bcd");
    query_rows_tells(f, query, "-a0 +d2");
    query_rows_put(f, 'c', NULL); /* inside */
    query_rows_tells(f, query, "-c1 +e2");
    query_rows_put(f, 'c', "{n: 3}");
    query_rows_tells(f, query, "-e2 +c1");
    query_rows_put(f, 'd', "{n: 2.5}");
    query_rows_tells(f, query, "d2>1");
    query_rows_put(f, 'd', "{n: 2.5, s: 'x'}");
    query_rows_tells(f, query, "d1!");
    query_rows_put(f, 'g', "{n: 8}"); /* behind it, and staying there */
    query_rows_put(f, 'e', "{n: 9}");
    query_rows_tells(f, query, "");
    query_rows_put(f, 'g', "{n: 2.1}"); /* from behind into it */
    query_rows_tells(f, query, "-c2 +g1");
    query_rows_put(f, 'g', "{n: 8}");
    query_rows_tells(f, query, "-g1 +c2");
    query_rows_put(f, 'a', "{n: 9}"); /* from before it to behind it */
    query_rows_tells(f, query, "-b0 +g2");
    query_rows_shows(f, query, "dcg");
    gt_query_free(query);
}

/* ---- lookups ---- */

static void found_at(gt_query *query, const char *notation, uint32_t position, uint32_t count) {
    uint32_t at = 99, many = 99;
    gt_bytes value = test_value(notation);
    assert_int_equal(gt_query_find(query, value, &at, &many, NULL), GOAT_OK);
    assert_int_equal(at, position);
    assert_int_equal(many, count);
    assert_int_equal(gt_query_find(query, value, &at, NULL, NULL), GOAT_OK); /* the count may be left out */
    assert_int_equal(at, position);
    test_value_free(value);
}

static void find_gives_the_first_place_and_how_many(void **state) {
    query_rows *f = *state;
    query_rows_put_all(f, "a1 b3 c3 d3 e5");
    query_rows_put(f, 'f', "{}");
    query_rows_put(f, 'g', "{n: 'x'}");
    gt_query *up = query_rows_open(f, "{\"sort\": [\"n\"]}"), *down = query_rows_open(f, "{\"sort\": [\"-n\"]}");
    gt_query *window = query_rows_open(f, "{\"sort\": [\"n\"], \"offset\": 3, \"limit\": 2}");
    query_rows_shows(f, up, "fabcdeg");
    found_at(up, "null", 0, 1);
    found_at(up, "0", 1, 0);
    found_at(up, "3", 2, 3);
    found_at(up, "3.5", 5, 0);
    found_at(up, "'x'", 6, 1);
    found_at(up, "true", 7, 0);
    found_at(up, "[9, 3]", 2, 3);
    query_rows_shows(f, down, "gebcdaf");
    found_at(down, "true", 0, 0);
    found_at(down, "3", 2, 3);
    found_at(down, "null", 6, 1);
    found_at(down, "[]", 7, 0);
    query_rows_shows(f, window, "cd");
    found_at(window, "3", 0, 2);
    found_at(window, "1", 0, 0);
    found_at(window, "5", 2, 0);
    gt_query_free(up);
    gt_query_free(down);
    gt_query_free(window);
}

static void only_a_sorted_query_is_looked_up_in(void **state) {
    query_rows *f = *state;
    gt_query *query = query_rows_open(f, "{}");
    uint32_t position;
    gt_bytes value = test_value("1");
    assert_int_equal(gt_query_find(query, value, &position, NULL, NULL), GOAT_MISUSE);
    test_value_free(value);
    gt_query_free(query);
}

/* ---- projection ---- */

static void projects(query_rows *f, const char *spec, const char *state_notation, const char *expected) {
    gt_query *query = query_rows_open_on(f, NULL, spec);
    gt_bytes row_state = test_value(state_notation);
    gt_query_row row = {gt_bytes_text("k"), row_state, f->schema, 1};
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    gt_query_project(query, &row, &out);
    assert_int_equal(gt_value_check(gt_buf_bytes(&out), 0, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&out), expected);
    gt_buf_free(&out);
    test_value_free(row_state);
    gt_query_free(query);
}

static void a_projection_has_defaults_and_leaves_out_what_is_missing(void **state) {
    query_rows *f = *state;
    projects(f, "{}", "{n: 1}", "{n: 1, d: 7}");
    projects(f, "{}", "{0: true, n: 1, d: 8}", "{n: 1, d: 8}");
    projects(f, "{\"fields\": []}", "{n: 1}", "{}");
    projects(f, "{\"fields\": [\"n\"]}", "{n: 1, s: 'x'}", "{n: 1}");
    projects(f, "{\"fields\": [\"s\", \"n\", \"d\", \"n\"]}", "{n: 1}", "{n: 1, d: 7}");
    projects(f, "{\"fields\": [\"zz\", \"\", \"m\", \"s\"]}", "{m: {x: 1}, s: 'y'}", "{s: 'y', m: {x: 1}}");
    projects(f, "{\"fields\": [\"m.x\"]}", "{m: {x: 1}}", "{}"); /* names of fields, not paths */
}

/* ---- chains ---- */

static void a_query_looks_through_the_window_of_another(void **state) {
    query_rows *f = *state;
    query_rows_put_all(f, "a1 b2 c3 d4 e5");
    gt_query *parent = query_rows_open_on(f, NULL, "{\"sort\": [\"n\"], \"limit\": 3}");
    gt_query *child = query_rows_open_on(f, parent, "{\"sort\": [\"-n\"], \"where\": {\"n\": {\"$gte\": 2}}}");
    gt_query *grandchild = query_rows_open_on(f, child, "{\"limit\": 1}");
    query_rows_build(grandchild); /* builds what it needs */
    assert_true(gt_query_ready(parent) && gt_query_ready(child));
    query_rows_shows(f, child, "cb");
    query_rows_shows(f, grandchild, "b");
    query_rows_put(f, 'a', NULL); /* d slides into the parent's window */
    query_rows_shows(f, child, "dcb");
    query_rows_tells(f, child, "+d0");
    query_rows_tells(f, grandchild, "");
    query_rows_put(f, 'e', "{n: 0}");
    query_rows_shows(f, parent, "ebc");
    query_rows_tells(f, child, "-d0");
    query_rows_put(f, 'b', NULL);
    query_rows_shows(f, child, "dc");
    query_rows_shows(f, grandchild, "c");
    gt_query_free(parent);
    gt_query_free(child);
    query_rows_put(f, 'e', NULL);
    query_rows_shows(f, grandchild, "c");
    gt_query_free(grandchild);
}

static void a_freed_source_goes_on_without_a_number(void **state) {
    query_rows *f = *state;
    gt_query *parent = query_rows_open_on(f, NULL, "{}"), *child = query_rows_open_on(f, parent, "{}");
    assert_int_equal(gt_query_id(parent), 5);
    gt_query_free(parent);
    gt_query *first = gt_query_set_next(f->set, NULL), *second = gt_query_set_next(f->set, first);
    assert_ptr_equal(first, parent);
    assert_int_equal(gt_query_id(first), 0);
    assert_ptr_equal(second, child);
    assert_int_equal(gt_query_id(second), 5);
    assert_null(gt_query_set_next(f->set, second));
    gt_query_free(child);
    assert_null(gt_query_set_next(f->set, NULL));
    gt_query_free(NULL);
}

static void a_chain_has_a_longest_length(void **state) {
    query_rows *f = *state;
    gt_query *chain[GT_QUERY_CHAIN_MAX], *last = NULL;
    query_rows_put_all(f, "a1 b2");
    for (uint32_t i = 0; i < GT_QUERY_CHAIN_MAX; i++)
        chain[i] = query_rows_open_on(f, i == 0 ? NULL : chain[i - 1], "{}");
    gt_query_config config = {.parent = chain[GT_QUERY_CHAIN_MAX - 1]};
    assert_int_equal(gt_query_new(f->set, &config, &last, NULL), GOAT_TOO_LARGE);
    assert_null(last);
    query_rows_build(chain[GT_QUERY_CHAIN_MAX - 1]);
    query_rows_put(f, 'c', "{}");
    query_rows_shows(f, chain[GT_QUERY_CHAIN_MAX - 1], "abc");
    for (uint32_t i = 0; i < GT_QUERY_CHAIN_MAX; i++) gt_query_free(chain[i]);
}

/* ---- building, changes, starting again ---- */

static void building_goes_by_portions_and_rows_may_be_touched_between(void **state) {
    query_rows *f = *state;
    query_rows_put_all(f, "a1 b2 c3 d4 e5");
    gt_query *query = query_rows_open_on(f, NULL, "{}");
    assert_false(gt_query_ready(query));
    assert_false(gt_query_has_changes(query));
    query_rows_tells(f, query, "");
    f->looked = 0;
    assert_int_equal(gt_query_build(query, 2, NULL), GOAT_OK);
    assert_int_equal(f->looked, 2);
    assert_false(gt_query_ready(query));
    query_rows_put(f, 'a', NULL); /* the scan has been here */
    query_rows_put(f, 'e', NULL); /* it will come */
    query_rows_put(f, 'f', "{}");
    assert_int_equal(gt_query_build(query, 100, NULL), GOAT_OK);
    query_rows_shows(f, query, "bcdf");
    query_rows_tells(f, query, "");
    f->looked = 0;
    assert_int_equal(gt_query_build(query, 100, NULL), GOAT_OK);
    assert_int_equal(f->looked, 0);
    gt_query_free(query);
}

static void a_touch_looks_at_one_row(void **state) {
    query_rows *f = *state;
    query_rows_put_all(f, "a1 b2 c3 d4 e5");
    gt_query *query = query_rows_open(f, "{\"sort\": [\"n\"], \"limit\": 2}");
    f->looked = 0;
    query_rows_put(f, 'e', "{n: 0}");
    assert_int_equal(f->looked, 1);
    gt_query_free(query);
}

static void changes_are_kept_up_to_a_bound_and_then_it_is_a_reset(void **state) {
    query_rows *f = *state;
    query_rows_put_all(f, "a1 b2");
    gt_query_config config = {.spec = gt_bytes_text("{}"), .changes_max = 3};
    gt_query *query;
    assert_int_equal(gt_query_new(f->set, &config, &query, NULL), GOAT_OK);
    query_rows_build(query);
    query_rows_put_all(f, "a2 a3 a4");
    query_rows_tells(f, query, "a0! a0! a0!");
    query_rows_put_all(f, "a2 a3 a4 a5");
    assert_true(gt_query_has_changes(query));
    query_rows_tells(f, query, "reset");
    assert_false(gt_query_has_changes(query));
    query_rows_put_all(f, "b5");
    query_rows_tells(f, query, "b1!");
    gt_query_free(query);
}

static void the_default_bound_of_changes_holds_on_both_sides(void **state) {
    query_rows *f = *state;
    gt_query *query = query_rows_open(f, "{}");
    const gt_query_change *changes;
    uint32_t count;
    bool reset;
    query_rows_put(f, 'a', "{}");
    for (uint32_t i = 1; i < GT_QUERY_CHANGES_DEFAULT; i++) gt_query_set_touch(f->set, 0);
    gt_query_drain(query, &changes, &count, &reset);
    assert_true(count == GT_QUERY_CHANGES_DEFAULT && !reset);
    for (uint32_t i = 0; i <= GT_QUERY_CHANGES_DEFAULT; i++) gt_query_set_touch(f->set, 0);
    gt_query_drain(query, &changes, &count, &reset);
    assert_true(count == 0 && reset);
    gt_query_free(query);
}

static void a_restart_says_reset_once_the_result_is_there_again(void **state) {
    query_rows *f = *state;
    query_rows_put_all(f, "a1 b2");
    gt_query *parent = query_rows_open(f, "{}"), *child = query_rows_open_on(f, parent, "{}");
    query_rows_build(child);
    query_rows_put_all(f, "a2");
    gt_query_set_restart(f->set);
    assert_false(gt_query_ready(parent) || gt_query_ready(child));
    query_rows_tells(f, child, "");
    query_rows_build(child);
    query_rows_shows(f, child, "ab");
    query_rows_tells(f, parent, "reset");
    query_rows_tells(f, child, "reset");
    query_rows_tells(f, child, "");
    gt_query_free(parent);
    gt_query_free(child);
}

static void the_schema_of_a_spec_is_that_of_its_rows(void **state) {
    query_rows *f = *state;
    query_rows_put_all(f, "a1 b2");
    gt_query *same = query_rows_open(f, "{\"schema\": \"t\"}"), *other = query_rows_open(f, "{\"schema\": \"tt\"}");
    query_rows_shows(f, same, "ab");
    query_rows_shows(f, other, "");
    gt_query_free(same);
    gt_query_free(other);
}

/* ---- memory ---- */

/* What uses every part that allocates. GOAT_NO_MEMORY from anything: that. */
static goat_status work(query_rows *f) {
    static const char spec[] =
        "{\"where\": {\"n\": {\"$in\": [1, 2, 3, [4]]}}, \"sort\": [\"-n\", \"m.k\"], \"limit\": "
        "3, \"fields\": [\"s\", \"n\"], \"schema\": \"t\"}";
    gt_query_source source = query_rows_source(f);
    gt_query_set *set = gt_query_set_new(&f->memory.alloc, &source), *kept = f->set;
    gt_query *parent = NULL, *child = NULL;
    if (set == NULL) return GOAT_NO_MEMORY;
    f->set = set;
    gt_query_config config = {.spec = gt_bytes_text(spec)};
    goat_status status = gt_query_new(set, &config, &parent, NULL);
    config = (gt_query_config){.spec = gt_bytes_text("{\"sort\": [\"s\"]}"), .parent = parent};
    if (status == GOAT_OK) status = gt_query_new(set, &config, &child, NULL);
    if (status == GOAT_OK) status = gt_query_build(child, 1000, NULL);
    if (status == GOAT_OK) {
        query_rows_put_all(f, "a3 b1 a9 d2 d9 a1 b2");
        if (!gt_query_ready(parent) || !gt_query_ready(child)) status = GOAT_NO_MEMORY;
    }
    gt_query_free(parent);
    gt_query_free(child);
    gt_query_set_free(set);
    f->set = kept;
    return status;
}

static void each_allocation_may_fail(void **state) {
    query_rows *f = *state;
    query_rows_put_all(f, "a1 b2 c3 d1 e2");
    size_t blocks = f->memory.live_blocks;
    for (uint64_t k = 0;; k++) {
        f->memory.left = k;
        f->memory.failed = false;
        goat_status status = work(f);
        assert_int_equal(f->memory.live_blocks, blocks);
        if (!f->memory.failed) {
            assert_int_equal(status, GOAT_OK);
            assert_true(k > 20);
            break;
        }
        /* The list of changes may be the only thing that found no memory: then it was a reset. */
        assert_true(status == GOAT_NO_MEMORY || status == GOAT_OK);
    }
    f->memory.left = TEST_ALLOC_NEVER;
}

#define live_test(name) cmocka_unit_test_setup_teardown(name, query_rows_set_up, query_rows_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        live_test(without_a_spec_all_rows_stand_by_key),
        live_test(sorting_by_fields_and_directions),
        live_test(a_window_is_cut_at_both_ends),
        live_test(a_window_tells_what_slides_in_and_out),
        live_test(find_gives_the_first_place_and_how_many),
        live_test(only_a_sorted_query_is_looked_up_in),
        live_test(a_projection_has_defaults_and_leaves_out_what_is_missing),
        live_test(a_query_looks_through_the_window_of_another),
        live_test(a_freed_source_goes_on_without_a_number),
        live_test(a_chain_has_a_longest_length),
        live_test(building_goes_by_portions_and_rows_may_be_touched_between),
        live_test(a_touch_looks_at_one_row),
        live_test(changes_are_kept_up_to_a_bound_and_then_it_is_a_reset),
        live_test(the_default_bound_of_changes_holds_on_both_sides),
        live_test(a_restart_says_reset_once_the_result_is_there_again),
        live_test(the_schema_of_a_spec_is_that_of_its_rows),
        live_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
