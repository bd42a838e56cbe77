/* Lists of 100,000 elements: what they cost follows from the edits, not from edits times elements. */
#include "support/test.h"

#include "merge/merge.h"
#include "support/merge_fixture.h"
#include "support/test_random.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

enum { LARGE = 100000, EDITS = 500 };

static const gt_field *list_field(merge_fixture *f) { return gt_schema_field(f->schema, gt_bytes_text("list")); }

/* A delta of one operation on a list of LARGE elements. */
static gt_bytes delta_of(merge_fixture *f, gt_bytes list, bool inserts, uint64_t a, uint64_t b) {
    gt_buf delta;
    gt_buf_init(&delta, &gt_alloc_system);
    gt_write_map_head(&delta, 1);
    gt_write_text(&delta, gt_bytes_text("list"));
    if (inserts) {
        gt_bytes one = test_value("[1]");
        assert_int_equal(gt_edit_list_insert(list_field(f), list, a, one, &delta, &f->diag), GOAT_OK);
        test_value_free(one);
    } else {
        assert_int_equal(gt_edit_list_move(list_field(f), list, a, b, &delta, &f->diag), GOAT_OK);
    }
    return gt_buf_bytes(&delta);
}

static uint64_t sum_of(gt_bytes list) {
    uint64_t sum = 0;
    int64_t number;
    gt_bytes element;
    for (gt_iter iter = gt_array_iter(list); gt_array_next(&iter, &element);) {
        assert_true(gt_value_as_int64(element, &number));
        sum += (uint64_t)number;
    }
    return sum;
}

/* Two authors make many moves and other edits, each a step of its own. */
static void a_large_list_is_merged(void **state) {
    merge_fixture *f = *state;
    static gt_step steps[2 * EDITS];
    static uint8_t ids[2 * EDITS][32];
    static uint32_t parents[2 * EDITS];
    test_random random;
    gt_buf base, out;
    uint64_t sum = 0, work = 0, inserted = 0;
    test_random_init(&random, __func__);
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&out, &gt_alloc_system);
    gt_write_map_head(&base, 1);
    gt_write_text(&base, gt_bytes_text("list"));
    gt_write_array_head(&base, LARGE);
    for (int i = 0; i < LARGE; i++) gt_write_int(&base, 2);
    gt_bytes list = gt_map_find(gt_buf_bytes(&base), gt_bytes_text("list"));
    for (uint32_t i = 0; i < 2 * EDITS; i++) {
        uint64_t a = test_random_below(&random, LARGE), b = (a + 1 + test_random_below(&random, LARGE - 1)) % LARGE;
        bool inserts = i % 10 == 0; /* lists grow, so every place is there */
        inserted += inserts;
        test_random_fill(&random, ids[i], 32);
        parents[i] = i < 2 ? 0 : i - 2;
        steps[i] = (gt_step){.id = ids[i], .time = 1 + i, .parents = &parents[i], .parent_count = i >= 2};
        steps[i].delta = delta_of(f, list, inserts, a, b);
    }
    assert_int_equal(
        gt_merge_replay(&gt_alloc_system, f->schema, gt_buf_bytes(&base), steps, 2 * EDITS, &out, &work, &f->diag),
        GOAT_OK);
    list = gt_map_find(gt_buf_bytes(&out), gt_bytes_text("list"));
    assert_int_equal(gt_value_count(list), LARGE + inserted);
    sum = sum_of(list);
    assert_int_equal(sum, 2 * (uint64_t)LARGE + inserted); /* nothing is lost, nothing there twice */
    assert_true(work < UINT64_C(100) * 2 * EDITS);
    for (uint32_t i = 0; i < 2 * EDITS; i++) test_value_free(steps[i].delta);
    gt_buf_free(&base);
    gt_buf_free(&out);
}

/* Edit after edit, each put together with those before it and applied, as an app makes them between two captures. */
static void a_large_list_is_edited_many_times(void **state) {
    merge_fixture *f = *state;
    const gt_field *field = list_field(f);
    test_random random;
    gt_buf base, now, edit, single, both;
    gt_buf *all[] = {&base, &now, &edit, &single, &both};
    test_random_init(&random, __func__);
    for (size_t i = 0; i < 5; i++) gt_buf_init(all[i], &gt_alloc_system);
    gt_write_array_head(&base, LARGE);
    for (int i = 0; i < LARGE; i++) gt_write_int(&base, i);
    gt_buf_append(&now, base.data, base.len);
    for (int i = 0; i < EDITS; i++) {
        uint64_t a = test_random_below(&random, LARGE), b = (a + 1 + test_random_below(&random, LARGE - 1)) % LARGE;
        gt_bytes before = edit.len == 0 ? (gt_bytes){0} : gt_buf_bytes(&edit);
        gt_buf_clear(&single);
        gt_buf_clear(&both);
        assert_int_equal(gt_edit_list_move(field, gt_buf_bytes(&now), a, b, &single, &f->diag), GOAT_OK);
        assert_int_equal(gt_edit_compose(field, gt_buf_bytes(&base), before, gt_buf_bytes(&single), &both, &f->diag),
                         GOAT_OK);
        gt_buf_clear(&edit);
        gt_buf_append(&edit, both.data, both.len);
        gt_buf_clear(&now);
        assert_int_equal(gt_edit_apply(field, gt_buf_bytes(&base), gt_buf_bytes(&edit), &now, &f->diag), GOAT_OK);
    }
    assert_int_equal(gt_value_count(gt_buf_bytes(&now)), LARGE);
    assert_int_equal(sum_of(gt_buf_bytes(&now)), (uint64_t)LARGE * (LARGE - 1) / 2);
    for (size_t i = 0; i < 5; i++) gt_buf_free(all[i]);
}

/* One author turns it over, then edits it element by element. */
static void a_large_list_is_turned_over(void **state) {
    merge_fixture *f = *state;
    const gt_field *field = list_field(f);
    gt_buf base, turned, edit, single, both, made;
    gt_buf *all[] = {&base, &turned, &edit, &single, &both, &made};
    gt_bytes value = test_value("'x'");
    for (size_t i = 0; i < 6; i++) gt_buf_init(all[i], &gt_alloc_system);
    gt_write_array_head(&base, LARGE);
    gt_write_array_head(&turned, LARGE);
    for (int i = 0; i < LARGE; i++) {
        gt_write_int(&base, i);
        gt_write_int(&turned, LARGE - 1 - i);
    }
    gt_bytes from = gt_buf_bytes(&base);
    assert_int_equal(gt_edit_diff(field, from, gt_buf_bytes(&turned), &edit, &f->diag), GOAT_OK);
    assert_int_equal(gt_edit_apply(field, from, gt_buf_bytes(&edit), &made, &f->diag), GOAT_OK);
    assert_true(gt_value_equal(gt_buf_bytes(&made), gt_buf_bytes(&turned)));
    for (uint64_t i = 0; i < 10; i++) {
        gt_buf_clear(&single);
        gt_buf_clear(&both);
        assert_int_equal(gt_edit_list_set(field, gt_buf_bytes(&turned), 7 * i, value, &single, &f->diag), GOAT_OK);
        assert_int_equal(gt_edit_compose(field, from, gt_buf_bytes(&edit), gt_buf_bytes(&single), &both, &f->diag),
                         GOAT_OK);
        gt_buf_clear(&edit);
        gt_buf_append(&edit, both.data, both.len);
    }
    gt_buf_clear(&made);
    assert_int_equal(gt_edit_apply(field, from, gt_buf_bytes(&edit), &made, &f->diag), GOAT_OK);
    assert_int_equal(gt_value_count(gt_buf_bytes(&made)), LARGE);
    for (size_t i = 0; i < 6; i++) gt_buf_free(all[i]);
    test_value_free(value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_large_list_is_merged),
        cmocka_unit_test(a_large_list_is_edited_many_times),
        cmocka_unit_test(a_large_list_is_turned_over),
    };
    return cmocka_run_group_tests(tests, merge_fixture_set_up, merge_fixture_tear_down);
}
