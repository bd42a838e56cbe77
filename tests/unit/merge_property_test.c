/* core/merge over random histories of up to six authors: against the rules written down literally
 * (support/merge_rules.c), and against itself from other starting points and in other orders. */
#include "support/test.h"

#include "support/merge_model.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

enum { HISTORIES = 40000 };

typedef struct fixture {
    gt_schema *schemas[2]; /* the second: with the strategy `either` */
    gt_schema *schema;     /* one of them */
    model model;
    model_replay replay;
    test_random random;
    uint64_t work;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    *state = f;
    if (f != NULL) {
        f->schemas[0] = f->schema = model_schema(false);
        f->schemas[1] = model_schema(true);
    }
    return f == NULL;
}

static int tear_down(void **state) {
    fixture *f = *state;
    gt_schema_free(f->schemas[0]);
    gt_schema_free(f->schemas[1]);
    free(f);
    return 0;
}

/* ---- helpers ---- */

static uint64_t first_steps(uint32_t count) { return count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1; }

/* Replays the steps of `which` that are not in `base` on `state`; `out` is emptied before. */
static void replay(fixture *f, gt_bytes state, uint64_t which, uint64_t base, const uint32_t *order, gt_buf *out) {
    gt_diag diag;
    gt_buf_clear(out);
    gt_diag_init(&diag);
    model_replay_of(&f->model, which, base, order, &f->replay);
    f->work = 0;
    goat_status status =
        gt_merge_replay(&gt_alloc_system, f->schema, state, f->replay.steps, f->replay.count, out, &f->work, &diag);
    if (status != GOAT_OK) {
        fail_msg("%s", diag.message);
    }
}

/* Shows the history when the two states differ. */
static void assert_same(fixture *f, const gt_buf *expected, const gt_buf *actual, const char *claim) {
    if (gt_bytes_equal(gt_buf_bytes(expected), gt_buf_bytes(actual))) {
        return;
    }
    gt_buf text;
    model_print(&f->model);
    test_value_print(gt_buf_bytes(expected), &text);
    print_error("expected %s\n", (const char *)text.data);
    gt_buf_free(&text);
    test_value_print(gt_buf_bytes(actual), &text);
    print_error(" but was %s\n", (const char *)text.data);
    gt_buf_free(&text);
    fail_msg("%s", claim);
}

static const gt_bytes empty_item = {NULL, 0};

static void use_strategy(fixture *f, bool either) {
    f->model.either = either;
    f->schema = f->schemas[either];
}

static void random_history(fixture *f, uint32_t steps_max) {
    use_strategy(f, test_random_below(&f->random, 2) == 0);
    uint32_t authors = 1 + test_random_below(&f->random, MODEL_AUTHORS_MAX);
    model_make(&f->model, &f->random, authors, 1 + test_random_below(&f->random, steps_max));
}

/* ---- properties ---- */

static void a_merge_is_what_the_rules_say(void **state) {
    fixture *f = *state;
    gt_buf expected, actual;
    gt_buf_init(&expected, &gt_alloc_system);
    gt_buf_init(&actual, &gt_alloc_system);
    test_random_init(&f->random, __func__);
    for (int i = 0; i < HISTORIES; i++) {
        random_history(f, i % 50 == 0 ? MODEL_STEPS_MAX : 20);
        uint64_t all = first_steps(f->model.count);
        gt_buf_clear(&expected);
        model_state(&f->model, all, &expected);
        replay(f, empty_item, all, 0, NULL, &actual);
        assert_same(f, &expected, &actual, "the replay of all steps");
        assert_int_equal(gt_value_check(gt_buf_bytes(&actual), GT_VALUE_EDIT, NULL), GOAT_OK);
        model_free(&f->model);
    }
    gt_buf_free(&expected);
    gt_buf_free(&actual);
}

static void the_order_of_concurrent_steps_does_not_matter(void **state) {
    fixture *f = *state;
    gt_buf expected, actual;
    uint32_t order[MODEL_STEPS_MAX];
    gt_buf_init(&expected, &gt_alloc_system);
    gt_buf_init(&actual, &gt_alloc_system);
    test_random_init(&f->random, __func__);
    for (int i = 0; i < HISTORIES / 4; i++) {
        random_history(f, 30);
        uint64_t all = first_steps(f->model.count);
        replay(f, empty_item, all, 0, NULL, &expected);
        for (int again = 0; again < 4; again++) {
            model_shuffle(&f->model, &f->random, order);
            replay(f, empty_item, all, 0, order, &actual);
            assert_same(f, &expected, &actual, "the same steps in another order");
        }
        model_free(&f->model);
    }
    gt_buf_free(&expected);
    gt_buf_free(&actual);
}

/* A critical version is a set of steps that every other one has seen; in the order of the steps, these are
 * the first ones. One with a void step in it is no base: who came after it counted what it inserted. */
static bool is_critical(const model *m, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        if (m->steps[i].is_void) {
            return false;
        }
    }
    for (uint32_t i = count; i < m->count; i++) {
        if ((first_steps(count) & ~m->steps[i].ancestors) != 0) {
            return false;
        }
    }
    return true;
}

static void every_critical_version_gives_the_same_bytes(void **state) {
    fixture *f = *state;
    gt_buf expected, base, actual;
    int critical = 0;
    gt_buf_init(&expected, &gt_alloc_system);
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&actual, &gt_alloc_system);
    test_random_init(&f->random, __func__);
    for (int i = 0; i < HISTORIES / 2; i++) {
        random_history(f, 30);
        uint64_t all = first_steps(f->model.count);
        replay(f, empty_item, all, 0, NULL, &expected);
        for (uint32_t count = 1; count <= f->model.count; count++) {
            if (is_critical(&f->model, count)) {
                replay(f, empty_item, first_steps(count), 0, NULL, &base);
                replay(f, gt_buf_bytes(&base), all, first_steps(count), NULL, &actual);
                assert_same(f, &expected, &actual, "replayed from a critical version");
                critical += count < f->model.count ? 1 : 0;
            }
        }
        model_free(&f->model);
    }
    assert_true(critical > HISTORIES / 2); /* or this shows nothing */
    gt_buf_free(&expected);
    gt_buf_free(&base);
    gt_buf_free(&actual);
}

static void a_line_of_steps_is_one_edit_after_the_other(void **state) {
    fixture *f = *state;
    gt_buf one_by_one, next, actual;
    gt_buf_init(&one_by_one, &gt_alloc_system);
    gt_buf_init(&next, &gt_alloc_system);
    gt_buf_init(&actual, &gt_alloc_system);
    test_random_init(&f->random, __func__);
    for (int i = 0; i < HISTORIES / 4; i++) {
        model_make(&f->model, &f->random, 1, 1 + test_random_below(&f->random, 20));
        gt_buf_clear(&one_by_one);
        for (uint32_t step = 0; step < f->model.count; step++) {
            f->model.steps[step].is_void = false;
            gt_bytes before = step == 0 ? empty_item : gt_buf_bytes(&one_by_one);
            replay(f, before, first_steps(step + 1), first_steps(step), NULL, &next);
            gt_buf swapped = one_by_one;
            one_by_one = next;
            next = swapped;
        }
        replay(f, empty_item, first_steps(f->model.count), 0, NULL, &actual);
        assert_same(f, &one_by_one, &actual, "a line of steps");
        model_free(&f->model);
    }
    gt_buf_free(&one_by_one);
    gt_buf_free(&next);
    gt_buf_free(&actual);
}

static bool has(gt_bytes set, gt_bytes element) {
    gt_bytes other;
    for (gt_iter iter = gt_array_iter(set); set.data != NULL && gt_array_next(&iter, &other);) {
        if (gt_value_equal(other, element)) {
            return true;
        }
    }
    return false;
}

/* Whether all elements of `a` that `b` has too (or all, without `b`) are in one of `c` and `d`. */
static bool covered(gt_bytes a, const gt_bytes *b, gt_bytes c, gt_bytes d) {
    gt_bytes element;
    for (gt_iter iter = gt_array_iter(a); gt_array_next(&iter, &element);) {
        if ((b == NULL || has(*b, element)) && !has(c, element) && !has(d, element)) {
            return false;
        }
    }
    return true;
}

/* Two sides over one base, each a line. What both kept is there, and what is there one of them had. */
static void of_two_sides_nothing_kept_is_lost_and_nothing_appears(void **state) {
    fixture *f = *state;
    gt_buf views[3];
    test_random_init(&f->random, __func__);
    for (size_t v = 0; v < 3; v++) {
        gt_buf_init(&views[v], &gt_alloc_system);
    }
    gt_bytes tags = gt_bytes_text("tags"), empty = test_value("set[]");
    for (int i = 0; i < HISTORIES / 4; i++) {
        uint32_t left = 1 + test_random_below(&f->random, 5), right = 1 + test_random_below(&f->random, 5);
        model_make(&f->model, &f->random, 1, 1 + left + right);
        /* The line is cut: the right side stands on step 0. */
        f->model.steps[1 + left].parents[0] = 0;
        uint64_t left_steps = first_steps(1 + left), right_steps = (first_steps(1 + left + right) & ~left_steps) | 1;
        for (uint32_t step = 1 + left; step < f->model.count; step++) {
            f->model.steps[step].ancestors &= right_steps;
        }
        replay(f, empty_item, left_steps, 0, NULL, &views[0]);
        replay(f, empty_item, right_steps, 0, NULL, &views[1]);
        replay(f, empty_item, left_steps | right_steps, 0, NULL, &views[2]);
        gt_bytes sets[3];
        for (size_t v = 0; v < 3; v++) {
            sets[v] = gt_map_find(gt_buf_bytes(&views[v]), tags);
            sets[v] = sets[v].data == NULL ? empty : sets[v];
        }
        assert_true(covered(sets[0], &sets[1], sets[2], empty));
        assert_true(covered(sets[2], NULL, sets[0], sets[1]));
        model_free(&f->model);
    }
    for (size_t v = 0; v < 3; v++) {
        gt_buf_free(&views[v]);
    }
    test_value_free(empty);
}

/* ---- edits ---- */

/* apply(apply(base, first), second) and apply(base, compose(first, second)), for every field. */
static void check_composition(fixture *f, const gt_field *field, gt_bytes base, gt_bytes first, gt_bytes second) {
    gt_buf one, two, both, at_once;
    gt_buf_init(&one, &gt_alloc_system);
    gt_buf_init(&two, &gt_alloc_system);
    gt_buf_init(&both, &gt_alloc_system);
    gt_buf_init(&at_once, &gt_alloc_system);
    assert_int_equal(gt_edit_apply(field, base, first, &one, NULL), GOAT_OK);
    gt_bytes middle = one.len == 0 ? empty_item : gt_buf_bytes(&one);
    assert_int_equal(gt_edit_apply(field, middle, second, &two, NULL), GOAT_OK);
    assert_int_equal(gt_edit_compose(field, base, first, second, &both, NULL), GOAT_OK);
    if (both.len == 0) {
        gt_buf_append(&at_once, base.data, base.len);
    } else {
        assert_int_equal(gt_edit_apply(field, base, gt_buf_bytes(&both), &at_once, NULL), GOAT_OK);
    }
    assert_same(f, &two, &at_once, "two edits put into one");
    gt_buf_free(&one);
    gt_buf_free(&two);
    gt_buf_free(&both);
    gt_buf_free(&at_once);
}

static void an_edit_made_of_two_does_what_both_do(void **state) {
    fixture *f = *state;
    test_random_init(&f->random, __func__);
    f->model.count = 0;
    for (int i = 0; i < HISTORIES; i++) {
        gt_bytes deltas[3];
        gt_buf state_before;
        for (size_t d = 0; d < 3; d++) {
            model_delta delta;
            deltas[d] = model_random_delta(&f->random, &delta);
            model_delta_free(&delta);
        }
        gt_step made = {.id = (const uint8_t *)"0123456789abcdef0123456789abcdef", .time = 1, .delta = deltas[0]};
        gt_buf_init(&state_before, &gt_alloc_system);
        assert_int_equal(gt_merge_replay(&gt_alloc_system, f->schema, empty_item, &made, 1, &state_before, NULL, NULL),
                         GOAT_OK);
        for (size_t k = 0; k < gt_schema_field_count(f->schema); k++) {
            const gt_field *field = gt_schema_field_at(f->schema, k);
            gt_bytes first = gt_map_find(deltas[1], field->name), second = gt_map_find(deltas[2], field->name);
            if (first.data != NULL && second.data != NULL) {
                check_composition(f, field, gt_map_find(gt_buf_bytes(&state_before), field->name), first, second);
            }
        }
        gt_buf_free(&state_before);
        for (size_t d = 0; d < 3; d++) {
            test_value_free(deltas[d]);
        }
    }
}

static void a_difference_leads_from_any_state_to_any_other(void **state) {
    fixture *f = *state;
    gt_buf states[2], wanted, delta, after;
    gt_buf_init(&states[0], &gt_alloc_system);
    gt_buf_init(&states[1], &gt_alloc_system);
    gt_buf_init(&wanted, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    gt_buf_init(&after, &gt_alloc_system);
    test_random_init(&f->random, __func__);
    for (int i = 0; i < HISTORIES / 4; i++) {
        uint32_t count = 0;
        for (size_t s = 0; s < 2; s++) {
            random_history(f, 8);
            replay(f, empty_item, first_steps(f->model.count), 0, NULL, &states[s]);
            model_free(&f->model);
        }
        gt_buf_clear(&wanted);
        gt_buf_clear(&delta);
        gt_buf_clear(&after);
        gt_schema_read(f->schema, gt_buf_bytes(&states[1]), &wanted); /* without the tombstone */
        assert_int_equal(
            gt_merge_diff(f->schema, gt_buf_bytes(&states[0]), gt_buf_bytes(&wanted), &delta, &count, NULL), GOAT_OK);
        assert_int_equal(count, gt_value_count(gt_buf_bytes(&delta)));
        assert_int_equal(gt_merge_check_delta(f->schema, gt_buf_bytes(&delta), NULL), GOAT_OK);
        gt_step step = {
            .id = (const uint8_t *)"0123456789abcdef0123456789abcdef", .time = 1, .delta = gt_buf_bytes(&delta)};
        assert_int_equal(
            gt_merge_replay(&gt_alloc_system, f->schema, gt_buf_bytes(&states[0]), &step, 1, &after, NULL, NULL),
            GOAT_OK);
        gt_buf_clear(&delta);
        gt_schema_read(f->schema, gt_buf_bytes(&after), &delta);
        assert_same(f, &wanted, &delta, "a state after the difference");
    }
    gt_buf_free(&states[0]);
    gt_buf_free(&states[1]);
    gt_buf_free(&wanted);
    gt_buf_free(&delta);
    gt_buf_free(&after);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_merge_is_what_the_rules_say),
        cmocka_unit_test(the_order_of_concurrent_steps_does_not_matter),
        cmocka_unit_test(every_critical_version_gives_the_same_bytes),
        cmocka_unit_test(a_line_of_steps_is_one_edit_after_the_other),
        cmocka_unit_test(of_two_sides_nothing_kept_is_lost_and_nothing_appears),
        cmocka_unit_test(an_edit_made_of_two_does_what_both_do),
        cmocka_unit_test(a_difference_leads_from_any_state_to_any_other),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
