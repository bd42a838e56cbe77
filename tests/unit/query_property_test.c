/* core/query: results that stay current, against an evaluator that makes them anew each time, and the changes
 * replayed on a plain array. */
#include "support/test.h"

#include "query/query.h"
#include "support/query_model.h"
#include "support/test_alloc.h"
#include "support/test_value.h"

#include <string.h>

enum { QUERIES = 7, ROUNDS = 60, TOUCHES = 400 };

typedef struct follower {
    gt_query *query;
    uint32_t rows[QUERY_ROWS_MAX]; /* what the changes have made */
    uint32_t count;
} follower;

typedef struct fixture {
    query_model model;
    test_alloc memory;
    test_random random;
    gt_query_set *set;
    query_ask asks[QUERIES];
    follower followers[QUERIES];
    uint64_t resets, told;
} fixture;

static void build(gt_query *query) {
    while (!gt_query_ready(query)) assert_int_equal(gt_query_build(query, 50, NULL), GOAT_OK);
}

static void read_again(follower *f) {
    f->count = gt_query_count(f->query);
    for (uint32_t i = 0; i < f->count; i++) f->rows[i] = gt_query_row_at(f->query, i);
}

static void take_out(follower *f, uint32_t position, uint32_t row) {
    assert_true(position < f->count);
    assert_int_equal(f->rows[position], row);
    f->count--;
    memmove(f->rows + position, f->rows + position + 1, (f->count - position) * sizeof *f->rows);
}

static void put_in(follower *f, uint32_t position, uint32_t row) {
    assert_true(position <= f->count);
    memmove(f->rows + position + 1, f->rows + position, (f->count - position) * sizeof *f->rows);
    f->rows[position] = row;
    f->count++;
}

static void apply(follower *f, const gt_query_change *change) {
    switch (change->kind) {
    case GT_QUERY_REMOVED: take_out(f, change->old_position, change->row); break;
    case GT_QUERY_INSERTED: put_in(f, change->position, change->row); break;
    case GT_QUERY_MOVED:
        assert_int_not_equal(change->position, change->old_position);
        take_out(f, change->old_position, change->row);
        put_in(f, change->position, change->row);
        break;
    case GT_QUERY_UPDATED:
        assert_int_equal(change->position, change->old_position);
        assert_true(change->position < f->count);
        assert_int_equal(f->rows[change->position], change->row);
        break;
    }
}

/* Drains; whether `touched` was told of, or everything was. */
static bool follow(fixture *x, follower *f, uint32_t touched) {
    const gt_query_change *changes;
    uint32_t count;
    bool reset, told = false, had = gt_query_has_changes(f->query);
    gt_query_drain(f->query, &changes, &count, &reset);
    assert_int_equal(had, reset || count > 0);
    assert_true(!reset || count == 0);
    for (uint32_t i = 0; i < count; i++) {
        told = told || changes[i].row == touched;
        apply(f, &changes[i]);
    }
    if (reset) read_again(f);
    x->resets += reset;
    x->told += count;
    assert_false(gt_query_has_changes(f->query));
    return told || reset;
}

static void check_find(fixture *x, uint32_t index) {
    const query_ask *ask = &x->asks[index];
    follower *f = &x->followers[index];
    uint32_t a = test_random_below(&x->random, QUERY_VALUES), position = 9, count = 9, first = 0, same = 0;
    gt_bytes value = test_value(query_values[a].notation == NULL ? "null" : query_values[a].notation);
    goat_status status = gt_query_find(f->query, value, &position, &count, NULL);
    test_value_free(value);
    if (ask->sort == 0) {
        assert_int_equal(status, GOAT_MISUSE);
        return;
    }
    assert_int_equal(status, GOAT_OK);
    if (!query_model_sorts_by_a(ask)) return;
    while (first < f->count && query_model_compare(&x->model, ask, a, f->rows[first]) > 0) first++;
    while (first + same < f->count && query_model_compare(&x->model, ask, a, f->rows[first + same]) == 0) same++;
    assert_int_equal(position, first);
    assert_int_equal(count, same);
}

/* The query says what the naive evaluator says, and so do its changes. */
static void check(fixture *x, uint32_t index, uint32_t touched) {
    follower *f = &x->followers[index];
    uint32_t rows[QUERY_ROWS_MAX];
    uint32_t count = query_model_answer(&x->model, x->asks, &x->asks[index], rows);
    bool was_inside = false, told;
    for (uint32_t i = 0; i < f->count; i++) was_inside = was_inside || f->rows[i] == touched;
    assert_int_equal(gt_query_count(f->query), count);
    told = follow(x, f, touched);
    assert_int_equal(f->count, count);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t position = 77;
        assert_int_equal(gt_query_row_at(f->query, i), rows[i]);
        assert_int_equal(f->rows[i], rows[i]);
        assert_true(gt_query_position_of(f->query, rows[i], &position));
        assert_int_equal(position, i);
        assert_true(rows[i] != touched || told);
    }
    assert_true(!was_inside || told);
    check_find(x, index);
}

static void open_query(fixture *x, uint32_t index) {
    gt_buf json;
    gt_query_config config = {.id = index + 1};
    int parent = index > 0 && test_random_below(&x->random, 2) == 0 ? (int)test_random_below(&x->random, index)
                                                                    : QUERY_NO_PARENT;
    query_model_ask(&x->random, parent, &x->asks[index]);
    gt_buf_init(&json, &gt_alloc_system);
    query_model_spec(&x->asks[index], &json);
    config.spec = gt_buf_bytes(&json);
    config.parent = parent == QUERY_NO_PARENT ? NULL : x->followers[parent].query;
    config.changes_max = test_random_below(&x->random, 4) == 0 ? 1 + test_random_below(&x->random, 6) : 0;
    x->followers[index].count = 0;
    assert_int_equal(gt_query_new(x->set, &config, &x->followers[index].query, NULL), GOAT_OK);
    gt_buf_free(&json);
}

/* Rows change while the first results are made. */
static void build_among_touches(fixture *x) {
    for (bool all = false; !all;) {
        all = true;
        for (uint32_t i = QUERIES; i-- > 0;) {
            assert_int_equal(gt_query_build(x->followers[i].query, 1 + test_random_below(&x->random, 20), NULL),
                             GOAT_OK);
            all = all && gt_query_ready(x->followers[i].query);
            if (x->model.count > 0 && test_random_below(&x->random, 2) == 0) {
                uint32_t row = test_random_below(&x->random, x->model.count);
                query_model_change(&x->model, row, &x->random);
                gt_query_set_touch(x->set, row);
            }
        }
    }
    for (uint32_t i = 0; i < QUERIES; i++) {
        follower *f = &x->followers[i];
        const gt_query_change *changes;
        uint32_t count;
        bool reset;
        gt_query_drain(f->query, &changes, &count, &reset); /* since it was first there */
        read_again(f);
    }
}

/* One row changed, or several whose touches come late and in another order. Gives the one that was touched alone,
 * or UINT32_MAX. */
static uint32_t touch_some(fixture *x) {
    query_model *m = &x->model;
    if (m->count < QUERY_ROWS_MAX && (m->count == 0 || test_random_below(&x->random, 12) == 0)) {
        uint32_t row = query_model_add(m, &x->random);
        gt_query_set_touch(x->set, row);
        return row;
    }
    uint32_t rows[4], count = test_random_below(&x->random, 6) == 0 ? 4 : 1;
    for (uint32_t i = 0; i < count; i++) {
        rows[i] = test_random_below(&x->random, m->count);
        query_model_change(m, rows[i], &x->random);
    }
    for (uint32_t i = count; i-- > 0;) gt_query_set_touch(x->set, rows[i]);
    return count == 1 ? rows[0] : UINT32_MAX;
}

static void set_up(fixture *x, uint32_t rows) {
    test_alloc_init(&x->memory, TEST_ALLOC_NEVER);
    query_model_init(&x->model);
    gt_query_source source = query_model_source(&x->model);
    while (x->model.count < rows) query_model_add(&x->model, &x->random);
    x->set = gt_query_set_new(&x->memory.alloc, &source);
    assert_non_null(x->set);
    for (uint32_t i = 0; i < QUERIES; i++) open_query(x, i);
}

/* Queries go in any order; the others stay right. */
static void tear_down(fixture *x) {
    uint32_t left = QUERIES;
    while (left > 0) {
        uint32_t i = test_random_below(&x->random, QUERIES);
        if (x->followers[i].query == NULL) continue;
        gt_query_free(x->followers[i].query);
        x->followers[i].query = NULL;
        left--;
        uint32_t touched = touch_some(x);
        for (uint32_t k = 0; k < QUERIES; k++) {
            if (x->followers[k].query != NULL) check(x, k, touched);
        }
    }
    assert_null(gt_query_set_next(x->set, NULL));
    gt_query_set_free(x->set);
    query_model_free(&x->model);
    test_alloc_assert_empty(&x->memory);
}

static void check_all(fixture *x, uint32_t touched) {
    for (uint32_t i = 0; i < QUERIES; i++) check(x, i, touched);
}

static void live_results_equal_those_made_anew(void **state) {
    (void)state;
    static fixture x;
    test_random_init(&x.random, "query");
    for (uint32_t round = 0; round < ROUNDS; round++) {
        set_up(&x, test_random_below(&x.random, 70));
        build_among_touches(&x);
        check_all(&x, UINT32_MAX);
        for (uint32_t i = 0; i < TOUCHES; i++) {
            uint32_t touched = touch_some(&x);
            if (test_random_below(&x.random, 3) == 0) check_all(&x, touched);
            else
                for (uint32_t k = 0; k < QUERIES; k++) follow(&x, &x.followers[k], touched);
            if (test_random_below(&x.random, 300) == 0) {
                gt_query_set_restart(x.set);
                for (uint32_t k = 0; k < QUERIES; k++) build(x.followers[k].query);
            }
        }
        check_all(&x, UINT32_MAX);
        tear_down(&x);
    }
    assert_true(x.told > 1000 && x.resets > 10);
}

/* Changes are let lie for a while, and then replayed at once. */
static void changes_may_be_drained_late(void **state) {
    (void)state;
    static fixture x;
    test_random_init(&x.random, "query late");
    for (uint32_t round = 0; round < ROUNDS / 2; round++) {
        set_up(&x, test_random_below(&x.random, 100));
        build_among_touches(&x);
        for (uint32_t i = 0; i < 30; i++) {
            for (uint32_t k = 0; k < 10; k++) touch_some(&x);
            check_all(&x, UINT32_MAX);
        }
        tear_down(&x);
    }
}

/* Memory runs out at some touch and is there again later. */
static void a_query_that_ran_out_of_memory_is_right_again(void **state) {
    (void)state;
    static fixture x;
    uint32_t lost = 0;
    test_random_init(&x.random, "query memory");
    for (uint32_t round = 0; round < ROUNDS; round++) {
        set_up(&x, 20 + test_random_below(&x.random, 60));
        build_among_touches(&x);
        for (uint32_t i = 0; i < 60; i++) {
            x.memory.left = test_random_below(&x.random, 8);
            touch_some(&x);
            x.memory.left = TEST_ALLOC_NEVER;
            for (uint32_t k = 0; k < QUERIES; k++) {
                lost += !gt_query_ready(x.followers[k].query);
                build(x.followers[k].query);
            }
            check_all(&x, UINT32_MAX);
        }
        tear_down(&x);
    }
    assert_true(lost > 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(live_results_equal_those_made_anew),
        cmocka_unit_test(changes_may_be_drained_late),
        cmocka_unit_test(a_query_that_ran_out_of_memory_is_right_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
