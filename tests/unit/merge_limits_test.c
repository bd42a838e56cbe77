/* core/merge: values that are too large are cut, alike whatever way they were come to, and are whole again once there is less
 * of them (README.md, "What is too large"). */
#include "support/test.h"

#include "merge/merge.h"
#include "support/test_random.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/rich.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS = 3, PART = 12 << 20, ELEMENT = 64 << 10 };

typedef struct fixture {
    gt_schema *schema;
    gt_buf deltas[STEPS];
    uint8_t ids[STEPS + 1][32];
    uint32_t parents[STEPS + 1];
    gt_step steps[STEPS + 1];
    char *letters;
} fixture;

static const char *const fields[] = {"list", "map", "set", "text"};

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    f->schema =
        test_schema("{\"ns\": \"n\", \"version\": 1, \"fields\": {\"text\": {\"type\": \"text\"},"
                    "\"list\": {\"type\": \"list\"}, \"set\": {\"type\": \"set\"}, \"map\": {\"type\": \"map\"},"
                    "\"zero\": {\"type\": \"string\"}, \"rich\": {\"type\": \"richtext\"},"
                    "\"object\": {\"type\": \"object\", \"fields\": {\"text\": {\"type\": \"text\"}}}}}");
    f->letters = malloc(PART);
    for (uint32_t i = 0; i <= STEPS; i++) {
        f->ids[i][0] = (uint8_t)(i + 1);
        f->parents[i] = i;
        f->steps[i] = (gt_step){.id = f->ids[i], .time = 100 + i};
        if (i < STEPS) gt_buf_init(&f->deltas[i], &gt_alloc_system);
    }
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    for (int i = 0; i < STEPS; i++) gt_buf_free(&f->deltas[i]);
    gt_schema_free(f->schema);
    free(f->letters);
    free(f);
    return 0;
}

/* The last of three writes characters of two bytes, so that one of them goes across the limit. */
static gt_bytes letters(fixture *f, int step) {
    for (size_t i = 0; i < PART; i += 2) memcpy(f->letters + i, step == 2 ? "\xc3\xa4" : step == 1 ? "bb" : "aa", 2);
    return gt_bytes_of((const uint8_t *)f->letters, PART);
}

/* Numbered, so that each is in its place in a set and a map, and those of a step lie between those of others. */
static gt_bytes element(fixture *f, int step, int number) {
    char name[16];
    memset(f->letters, 'a', ELEMENT);
    snprintf(name, sizeof name, "%06d", number * STEPS + step);
    memcpy(f->letters, name, 6);
    return gt_bytes_of((const uint8_t *)f->letters, ELEMENT);
}

static void write_part(fixture *f, const char *field, int step, gt_buf *out) {
    if (strcmp(field, "text") == 0) {
        gt_write_text(out, letters(f, step));
        return;
    }
    bool is_map = strcmp(field, "map") == 0;
    if (is_map) {
        gt_write_map_head(out, PART / ELEMENT);
    } else {
        if (strcmp(field, "set") == 0) gt_write_tag(out, GT_TAG_SET);
        gt_write_array_head(out, PART / ELEMENT);
    }
    for (int i = 0; i < PART / ELEMENT; i++) {
        gt_bytes text = element(f, step, i);
        if (is_map) gt_write_text(out, gt_bytes_of(text.data, 6));
        gt_write_text(out, text);
    }
}

/* Three authors who did not know of each other, each of whom wrote 12 MiB into each of the fields. */
static void write_all(fixture *f, const char *const *names, size_t count) {
    for (int step = 0; step < STEPS; step++) {
        gt_buf *delta = &f->deltas[step];
        delta->len = 0;
        gt_write_map_head(delta, count);
        for (size_t i = 0; i < count; i++) {
            gt_write_text(delta, gt_bytes_text(names[i]));
            write_part(f, names[i], step, delta);
        }
        assert_false(gt_buf_failed(delta));
        f->steps[step].delta = gt_buf_bytes(delta);
    }
}

static void replay(const fixture *f, gt_bytes base, uint32_t first, uint32_t count, gt_buf *out) {
    out->len = 0;
    assert_int_equal(gt_merge_replay(&gt_alloc_system, f->schema, base, f->steps + first, count, out, NULL, NULL),
                     GOAT_OK);
}

static gt_bytes field_of(const gt_buf *state, const char *name) {
    return gt_map_find(gt_buf_bytes(state), gt_bytes_text(name));
}

static void assert_too_large(const fixture *f, const gt_buf *state, const char *field) {
    gt_diag diag;
    gt_diag_init(&diag);
    assert_false(gt_state_is_whole(gt_buf_bytes(state)));
    assert_int_equal(gt_value_check(gt_buf_bytes(state), GT_VALUE_EDIT, NULL), GOAT_OK);
    assert_int_equal(gt_schema_check_state(f->schema, gt_buf_bytes(state), &diag), GOAT_INVALID);
    assert_string_equal(diag.rule, "max_size");
    assert_string_equal(diag.field, field);
}

/* Of all that three wrote, in its order, as much as makes it larger than the limit. */
static void a_field_is_cut_behind_what_makes_it_too_large(void **state) {
    fixture *f = *state;
    gt_buf out, whole;
    gt_buf_init(&out, &gt_alloc_system);
    gt_buf_init(&whole, &gt_alloc_system);
    for (size_t i = 0; i < 4; i++) {
        write_all(f, &fields[i], 1);
        replay(f, gt_bytes_of(NULL, 0), 0, STEPS, &out);
        gt_bytes value = field_of(&out, fields[i]), text;
        bool is_text = gt_value_as_text(value, &text), is_map = gt_value_kind(value) == GT_KIND_MAP;
        assert_too_large(f, &out, fields[i]);
        if (is_text) {
            assert_int_equal(text.len, GT_FIELD_SIZE_MAX + 2);
            assert_memory_equal(text.data + text.len - 2, "\xc3\xa4", 2);
            continue;
        }
        size_t each = ELEMENT + 5 + (is_map ? 7 : 0), count = GT_FIELD_SIZE_MAX / each + 1;
        assert_int_equal(gt_value_count(value), count);
        assert_true(value.len > count * each && value.len < count * each + 10);
        for (uint32_t step = 0; step < STEPS; step++) f->steps[step].is_void = step > 0;
        replay(f, gt_bytes_of(NULL, 0), 0, STEPS, &whole);
        assert_int_equal(gt_value_count(field_of(&whole, fields[i])), PART / ELEMENT);
        for (uint32_t step = 0; step < STEPS; step++) f->steps[step].is_void = false;
    }
    gt_buf_free(&out);
    gt_buf_free(&whole);
}

/* The third goes on from what the others made: by plain application on that state, or in a replay of all. */
static void what_is_cut_is_alike_from_any_base(void **state) {
    fixture *f = *state;
    gt_buf base, applied, replayed, changed;
    gt_buf *all[] = {&base, &applied, &replayed, &changed};
    for (size_t i = 0; i < 4; i++) gt_buf_init(all[i], &gt_alloc_system);
    uint32_t both[2] = {0, 1};
    for (size_t i = 0; i < 4; i++) {
        bool has_runs = i == 0 || i == 3; /* the third inserts at the beginning, and replaces nothing */
        write_all(f, &fields[i], 1);
        if (has_runs) {
            changed.len = 0;
            gt_write_map_head(&changed, 1);
            gt_write_text(&changed, gt_bytes_text(fields[i]));
            gt_write_map_head(&changed, 1);
            gt_write_int(&changed, 0);
            gt_write_array_head(&changed, 1);
            write_part(f, fields[i], 2, &changed);
            f->steps[2].delta = gt_buf_bytes(&changed);
        }
        f->steps[2].parents = both;
        f->steps[2].parent_count = 2;
        replay(f, gt_bytes_of(NULL, 0), 0, STEPS, &replayed);
        replay(f, gt_bytes_of(NULL, 0), 0, 2, &base);
        assert_true(gt_state_is_whole(gt_buf_bytes(&base)));
        f->steps[2].parent_count = 0; /* it stands on the base */
        replay(f, gt_buf_bytes(&base), 2, 1, &applied);
        assert_too_large(f, &replayed, fields[i]);
        assert_true(gt_bytes_equal(gt_buf_bytes(&applied), gt_buf_bytes(&replayed)));
    }
    for (size_t i = 0; i < 4; i++) gt_buf_free(all[i]);
}

/* Somebody who sees the beginning takes part of it out, or unsets the field: what was not seen comes up, or goes with it. */
static void an_edit_that_leaves_less_makes_it_whole_again(void **state) {
    fixture *f = *state;
    gt_buf out, edit;
    uint32_t heads[STEPS] = {0, 1, 2};
    gt_bytes text;
    gt_buf_init(&out, &gt_alloc_system);
    gt_buf_init(&edit, &gt_alloc_system);
    write_all(f, &fields[3], 1);
    f->steps[3].parents = heads;
    f->steps[3].parent_count = STEPS;
    f->steps[3].delta = test_value("{text: {0: [-12582912]}}");
    replay(f, gt_bytes_of(NULL, 0), 0, STEPS + 1, &out);
    assert_true(gt_state_is_whole(gt_buf_bytes(&out)));
    assert_int_equal(gt_schema_check_state(f->schema, gt_buf_bytes(&out), NULL), GOAT_OK);
    assert_true(gt_value_as_text(field_of(&out, "text"), &text));
    assert_int_equal(text.len, 2 * PART);
    assert_memory_equal(text.data, "bb", 2);
    assert_memory_equal(text.data + text.len - 2, "\xc3\xa4", 2);
    test_value_free(f->steps[3].delta);
    f->steps[3].delta = test_value("{text: undefined}");
    replay(f, gt_bytes_of(NULL, 0), 0, STEPS + 1, &out);
    assert_value(gt_buf_bytes(&out), "{}");
    test_value_free(f->steps[3].delta);

    /* who sets all of it means all of it, not what he saw */
    const gt_field *field = gt_schema_field(f->schema, gt_bytes_text("text"));
    gt_bytes value = test_value("'new'");
    replay(f, gt_bytes_of(NULL, 0), 0, STEPS, &out);
    assert_int_equal(gt_edit_diff(field, field_of(&out, "text"), value, &edit, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&edit), "'new'");
    test_value_free(value);
    gt_buf_free(&out);
    gt_buf_free(&edit);
}

static void what_makes_an_item_too_large_is_its_last_field(void **state) {
    fixture *f = *state;
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    write_all(f, fields, 2);
    gt_bytes base = test_value("{object: {text: 'a'}, zero: 'b'}");
    replay(f, base, 0, STEPS, &out);
    assert_int_equal(gt_value_count(gt_buf_bytes(&out)), 2);
    assert_too_large(f, &out, "");
    gt_bytes list = field_of(&out, "list"), map = field_of(&out, "map");
    assert_true(list.len > GT_FIELD_SIZE_MAX && map.len > GT_FIELD_SIZE_MAX && out.len < GT_STATE_SIZE_MAX + ELEMENT);
    test_value_free(base);
    gt_buf_free(&out);
}

/* Both sides of the limit. */
static void a_field_may_have_so_many_bytes_and_no_more(void **state) {
    fixture *f = *state;
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    char *text = malloc(GT_FIELD_SIZE_MAX);
    memset(text, 'a', GT_FIELD_SIZE_MAX);
    for (int more = 0; more < 2; more++) {
        out.len = 0;
        gt_write_map_head(&out, 1);
        gt_write_text(&out, gt_bytes_text("text"));
        gt_write_text(&out, gt_bytes_of((uint8_t *)text, (size_t)GT_FIELD_SIZE_MAX - 5 + (size_t)more));
        assert_int_equal(field_of(&out, "text").len, GT_FIELD_SIZE_MAX + more);
        assert_int_equal(gt_state_is_whole(gt_buf_bytes(&out)), more == 0);
        if (more == 0) assert_int_equal(gt_schema_check_state(f->schema, gt_buf_bytes(&out), NULL), GOAT_OK);
        if (more == 1) assert_too_large(f, &out, "text");
    }
    free(text);
    gt_buf_free(&out);
}

/* ---- as many as a batch holds ---- */

static int order_of_ids(const void *a, const void *b) { return memcmp(a, b, 32); }

/* All write at one place without having seen each other, and come in any order. */
static void thousands_at_one_place_stand_in_the_order_of_ids(void **state) {
    enum { COUNT = 5000 };
    const fixture *f = *state;
    test_random random;
    uint8_t(*ids)[32] = calloc(COUNT, sizeof *ids);
    gt_step *steps = calloc(COUNT, sizeof *steps);
    gt_bytes base = test_value("{text: '()'}"), text;
    gt_buf out;
    uint64_t work = 0;
    char edit[64];
    test_random_init(&random, __func__);
    gt_buf_init(&out, &gt_alloc_system);
    for (uint32_t i = 0; i < COUNT; i++) {
        snprintf((char *)ids[i], 32, "%08x", (unsigned)test_random_below(&random, UINT32_MAX));
        snprintf(edit, sizeof edit, "{text: {0: [1, '%s']}}", (const char *)ids[i]);
        steps[i] = (gt_step){.id = ids[i], .time = 100 + i, .delta = test_value(edit)};
    }
    assert_int_equal(gt_merge_replay(&gt_alloc_system, f->schema, base, steps, COUNT, &out, &work, NULL), GOAT_OK);
    assert_true(work < 40 * COUNT);
    assert_true(gt_value_as_text(field_of(&out, "text"), &text));
    assert_int_equal(text.len, 8 * COUNT + 2);
    qsort(ids, COUNT, sizeof *ids, order_of_ids);
    for (uint32_t i = 0; i < COUNT; i++) assert_memory_equal(text.data + 1 + 8 * i, ids[i], 8);
    for (uint32_t i = 0; i < COUNT; i++) test_value_free(steps[i].delta);
    test_value_free(base);
    gt_buf_free(&out);
    free(steps);
    free(ids);
}

/* An attribute of another name for each two characters, while somebody else writes. */
static void as_many_names_as_ranges_cost_no_more_than_one(void **state) {
    enum { COUNT = 20000 };
    fixture *f = *state;
    gt_buf base, edit, out;
    uint64_t work = 0;
    char name[16];
    gt_buf *all[] = {&base, &edit, &out};
    for (size_t i = 0; i < 3; i++) gt_buf_init(all[i], &gt_alloc_system);
    gt_write_map_head(&base, 1);
    gt_write_text(&base, gt_bytes_text("rich"));
    gt_write_array_head(&base, 1);
    gt_write_map_head(&base, 1);
    gt_write_text(&base, gt_bytes_text("insert"));
    gt_write_text(&base, gt_bytes_of(letters(f, 0).data, 2 * COUNT + 1));
    gt_write_map_head(&edit, 1);
    gt_write_text(&edit, gt_bytes_text("rich"));
    gt_write_map_head(&edit, 1);
    gt_write_int(&edit, 0);
    gt_write_array_head(&edit, COUNT);
    for (int i = 0; i < COUNT; i++) {
        snprintf(name, sizeof name, "k%06d", COUNT - i);
        gt_write_array_head(&edit, 2);
        gt_write_int(&edit, 2);
        gt_write_map_head(&edit, 1);
        gt_write_text(&edit, gt_bytes_text(name));
        gt_write_int(&edit, i);
    }
    f->steps[0].delta = gt_buf_bytes(&edit);
    f->steps[1].delta = test_value("{rich: {0: [40001, 'x']}}");
    assert_int_equal(gt_merge_replay(&gt_alloc_system, f->schema, gt_buf_bytes(&base), f->steps, 2, &out, &work, NULL),
                     GOAT_OK);
    assert_true(work < 20 * COUNT);
    gt_rich_piece piece;
    gt_iter iter = gt_rich_iter(field_of(&out, "rich"));
    for (int i = 0; i < COUNT; i++) {
        int64_t number = -1;
        snprintf(name, sizeof name, "k%06d", COUNT - i);
        assert_true(gt_rich_next(&iter, &piece));
        assert_int_equal(piece.count, 2);
        assert_int_equal(gt_value_count(piece.attributes), 1);
        assert_true(gt_value_as_int64(gt_map_find(piece.attributes, gt_bytes_text(name)), &number));
        assert_int_equal(number, i);
    }
    test_value_free(f->steps[1].delta);
    for (size_t i = 0; i < 3; i++) gt_buf_free(all[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_field_is_cut_behind_what_makes_it_too_large, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_cut_is_alike_from_any_base, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_edit_that_leaves_less_makes_it_whole_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_makes_an_item_too_large_is_its_last_field, set_up, tear_down),
        cmocka_unit_test_setup_teardown(thousands_at_one_place_stand_in_the_order_of_ids, set_up, tear_down),
        cmocka_unit_test_setup_teardown(as_many_names_as_ranges_cost_no_more_than_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_field_may_have_so_many_bytes_and_no_more, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
