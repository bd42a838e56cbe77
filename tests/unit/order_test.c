/* core/query/order: the weight-balanced tree against a sorted array. */
#include "support/test.h"

#include "query/order.h"
#include "support/test_random.h"

#include <stdlib.h>
#include <string.h>

enum { ENTRIES_MAX = 3000 };

typedef struct model {
    gt_order order;
    gt_entry *sorted[ENTRIES_MAX]; /* by row */
    uint32_t count;
    uint64_t compared;
} model;

static int compare(const void *context, const gt_entry *a, const gt_entry *b) {
    ((model *)(uintptr_t)context)->compared++;
    return (a->row > b->row) - (a->row < b->row);
}

static model *new_model(void) {
    model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->order = (gt_order){NULL, compare, m};
    return m;
}

static void free_model(model *m) {
    for (uint32_t i = 0; i < m->count; i++) free(m->sorted[i]);
    free(m);
}

/* Where `row` is, or would be. */
static uint32_t place_of(const model *m, uint32_t row) {
    uint32_t at = 0;
    while (at < m->count && m->sorted[at]->row < row) at++;
    return at;
}

static void insert(model *m, uint32_t row) {
    uint32_t at = place_of(m, row);
    if (m->count == ENTRIES_MAX || (at < m->count && m->sorted[at]->row == row)) return;
    gt_entry *entry = calloc(1, sizeof *entry);
    assert_non_null(entry);
    entry->row = row;
    memmove(&m->sorted[at + 1], &m->sorted[at], (m->count - at) * sizeof(gt_entry *));
    m->sorted[at] = entry;
    m->count++;
    gt_order_insert(&m->order, entry);
}

static void take_out(model *m, uint32_t at) {
    gt_entry *entry = m->sorted[at];
    gt_order_remove(&m->order, entry);
    m->count--;
    memmove(&m->sorted[at], &m->sorted[at + 1], (m->count - at) * sizeof(gt_entry *));
    free(entry);
}

/* The weight of a subtree that keeps the bound everywhere; its height goes to `*height`. */
static uint32_t check_subtree(const gt_entry *entry, uint32_t *height) {
    uint32_t left_height = 0, right_height = 0;
    *height = 0;
    if (entry == NULL) return 0;
    uint32_t left = check_subtree(entry->left, &left_height), right = check_subtree(entry->right, &right_height);
    assert_true(left + 1 <= 3 * (right + 1) && right + 1 <= 3 * (left + 1));
    assert_int_equal(entry->weight, left + right + 1);
    *height = 1 + (left_height > right_height ? left_height : right_height);
    return left + right + 1;
}

static void check(const model *m) {
    uint32_t height, limit = 1;
    assert_int_equal(check_subtree(m->order.root, &height), m->count);
    assert_int_equal(gt_order_count(&m->order), m->count);
    for (uint32_t n = m->count + 1; n > 1; n /= 2) limit++;
    assert_true(2 * height <= 5 * limit); /* 2.5 log2(n + 1) */
    for (uint32_t i = 0; i < m->count; i++) {
        assert_ptr_equal(gt_order_at(&m->order, i), m->sorted[i]);
        assert_int_equal(gt_order_position(&m->order, m->sorted[i]), i);
    }
}

static bool is_below(const void *context, const gt_entry *entry) { return entry->row < *(const uint32_t *)context; }

static void check_bound(const model *m, uint32_t row) {
    assert_int_equal(gt_order_lower_bound(&m->order, is_below, &row), place_of(m, row));
}

static void an_empty_order_has_no_entries(void **state) {
    (void)state;
    model *m = new_model();
    check(m);
    check_bound(m, 0);
    insert(m, 5);
    check(m);
    take_out(m, 0);
    check(m);
    assert_null(m->order.root);
    free_model(m);
}

static void entries_in_order_and_against_it_keep_the_balance(void **state) {
    (void)state;
    model *m = new_model();
    for (uint32_t row = 0; row < 1000; row++) insert(m, 5000 + row);
    check(m);
    for (uint32_t row = 1000; row-- > 0;) insert(m, row);
    check(m);
    for (uint32_t row = 0; row < 500; row++) insert(m, 4000 - row * 2);
    check(m);
    while (m->count > 700) take_out(m, 0);
    check(m);
    while (m->count > 300) take_out(m, m->count - 1);
    check(m);
    while (m->count > 1) take_out(m, m->count / 2);
    check(m);
    free_model(m);
}

static void random_insertions_and_removals_agree_with_a_sorted_array(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, "order");
    for (uint32_t round = 0; round < 40; round++) {
        model *m = new_model();
        uint32_t range = 1 + test_random_below(&random, 800), bias = 1 + test_random_below(&random, 9);
        for (uint32_t step = 0; step < 2000; step++) {
            bool grow = m->count == 0 || test_random_below(&random, 10) < bias;
            if (grow) {
                insert(m, test_random_below(&random, range));
            } else {
                take_out(m, test_random_below(&random, m->count));
            }
            if (step % 97 == 0) check(m);
            if (step % 13 == 0) check_bound(m, test_random_below(&random, range + 2));
            if (step % 400 == 399) bias = 10 - bias; /* grow, shrink, grow */
        }
        check(m);
        free_model(m);
    }
}

static void asking_costs_the_logarithm(void **state) {
    (void)state;
    model *m = new_model();
    test_random random = {1};
    while (m->count < ENTRIES_MAX) insert(m, test_random_below(&random, 1000000));
    m->compared = 0;
    for (uint32_t i = 0; i < m->count; i++) gt_order_position(&m->order, m->sorted[i]);
    assert_true(m->compared < (uint64_t)m->count * 15);
    free_model(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_order_has_no_entries),
        cmocka_unit_test(entries_in_order_and_against_it_keep_the_balance),
        cmocka_unit_test(random_insertions_and_removals_agree_with_a_sorted_array),
        cmocka_unit_test(asking_costs_the_logarithm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
