/* core/merge: rich texts that several edit. */
#include "support/test.h"

#include "merge/merge.h"
#include "merge/rich_runs.h"
#include "support/merge_fixture.h"
#include "support/test_value.h"
#include "value/build.h"

#include <stdio.h>

static const gt_field *rich_field(merge_fixture *f) { return gt_schema_field(f->schema, gt_bytes_text("rich")); }

/* Two edits at once, the first of the lesser id and earlier; then with the second the earlier one. */
static void both(merge_fixture *f, const char *base, const char *one, const char *two, const char *expected,
                 const char *other_way) {
    for (int turn = 0; turn < 2; turn++) {
        merge_begin(f, base);
        merge_step(f, "", one);
        merge_step(f, "", two);
        f->steps[1].time = turn == 0 ? 101 : 99;
        merge_gives(f, turn == 0 ? expected : other_way);
    }
}

static void always(merge_fixture *f, const char *base, const char *one, const char *two, const char *expected) {
    both(f, base, one, two, expected, expected);
}

static void a_heading_and_a_typed_word_both_survive(void **state) {
    merge_fixture *f = *state;
    always(f, "{rich: [{insert: 'Title\nText\n'}]}", "{rich: {0: [5, [1, {header: 1}]]}}", "{rich: {0: [5, ' of it']}}",
           "{rich: [{insert: 'Title of it'}, {insert: '\n', attributes: {header: 1}}, {insert: 'Text\n'}]}");
    /* The other half of a line that is split at the same time is a line of its own. */
    always(f, "{rich: [{insert: 'One two\n'}]}", "{rich: {0: [7, [1, {header: 1}]]}}", "{rich: {0: [3, '\n', -1]}}",
           "{rich: [{insert: 'One\ntwo'}, {insert: '\n', attributes: {header: 1}}]}");
}

static void what_is_typed_inside_of_a_range_is_in_it(void **state) {
    merge_fixture *f = *state;
    always(f, "{rich: [{insert: 'The fox'}]}", "{rich: {0: [[7, {bold: true}]]}}", "{rich: {0: [4, 'brown ']}}",
           "{rich: [{insert: 'The brown fox', attributes: {bold: true}}]}");
    always(f, "{rich: [{insert: 'The fox'}]}", "{rich: {0: [4, [3, {bold: true}]]}}", "{rich: {0: [5, 'l', -1]}}",
           "{rich: [{insert: 'The '}, {insert: 'flx', attributes: {bold: true}}]}");
    /* Also where its author had the old attributes from what he typed beside. */
    always(f, "{rich: [{insert: 'fox', attributes: {bold: true}}]}", "{rich: {0: [[3, {bold: null}]]}}",
           "{rich: {0: [1, ['l', {bold: true}]]}}", "{rich: [{insert: 'flox'}]}");
    /* Other attributes stay what its author said. */
    always(f, "{rich: [{insert: 'fox'}]}", "{rich: {0: [[3, {bold: true}]]}}", "{rich: {0: [1, ['l', {link: 'x'}]]}}",
           "{rich: [{insert: 'f', attributes: {bold: true}}, {insert: 'l', attributes: {bold: true, link: 'x'}}, "
           "{insert: 'ox', attributes: {bold: true}}]}");
}

static void what_is_typed_at_the_edge_of_a_range_is_not(void **state) {
    merge_fixture *f = *state;
    always(f, "{rich: [{insert: 'a b c'}]}", "{rich: {0: [2, [1, {bold: true}]]}}", "{rich: {0: [2, 'x', 1, 'y']}}",
           "{rich: [{insert: 'a x'}, {insert: 'b', attributes: {bold: true}}, {insert: 'y c'}]}");
}

static void two_ranges_with_something_between_are_two(void **state) {
    merge_fixture *f = *state;
    always(f, "{rich: [{insert: 'a\nb\n'}]}", "{rich: {0: [1, [1, {list: 1}], 1, [1, {list: 1}]]}}",
           "{rich: {0: [2, 'x\n']}}",
           "{rich: [{insert: 'a'}, {insert: '\n', attributes: {list: 1}}, {insert: 'x\nb'}, "
           "{insert: '\n', attributes: {list: 1}}]}");
    /* But two runs that give the same attribute beside each other are one range of it. */
    always(f, "{rich: [{insert: 'ab'}]}", "{rich: {0: [[1, {b: 1, i: 1}], [1, {b: 1}]]}}", "{rich: {0: [1, 'x']}}",
           "{rich: [{insert: 'a', attributes: {b: 1, i: 1}}, {insert: 'xb', attributes: {b: 1}}]}");
    always(f, "{rich: [{insert: 'ab'}]}", "{rich: {0: [[1, {b: 1}], [1, {b: 2}]]}}", "{rich: {0: [1, 'x']}}",
           "{rich: [{insert: 'a', attributes: {b: 1}}, {insert: 'x'}, {insert: 'b', attributes: {b: 2}}]}");
}

static void each_attribute_is_the_later_one_where_both_gave_it(void **state) {
    merge_fixture *f = *state;
    both(f, "{rich: [{insert: 'abc'}]}", "{rich: {0: [[2, {color: 'red'}]]}}",
         "{rich: {0: [1, [2, {color: 'blue', b: 1}]]}}",
         "{rich: [{insert: 'a', attributes: {color: 'red'}}, {insert: 'bc', attributes: {b: 1, color: 'blue'}}]}",
         "{rich: [{insert: 'a', attributes: {color: 'red'}}, {insert: 'b', attributes: {b: 1, color: 'red'}}, "
         "{insert: 'c', attributes: {b: 1, color: 'blue'}}]}");
    both(f, "{rich: [{insert: 'a', attributes: {b: 1}}]}", "{rich: {0: [[1, {b: 2}]]}}",
         "{rich: {0: [[1, {b: null}]]}}", "{rich: [{insert: 'a'}]}", "{rich: [{insert: 'a', attributes: {b: 2}}]}");
}

static void who_saw_a_range_says_himself_what_he_types_into_it(void **state) {
    merge_fixture *f = *state;
    merge_begin(f, "{rich: [{insert: 'ab'}]}");
    merge_step(f, "", "{rich: {0: [[2, {b: 1}]]}}");
    merge_step(f, "0", "{rich: {0: [1, 'plain']}}");
    merge_step(f, "", "{rich: {0: [2, '!']}}");
    merge_gives(f, "{rich: [{insert: 'a', attributes: {b: 1}}, {insert: 'plain'}, {insert: 'b', attributes: {b: 1}}, "
                   "{insert: '!'}]}");
}

static void attributes_of_a_void_step_were_never_given(void **state) {
    merge_fixture *f = *state;
    merge_begin(f, "{rich: [{insert: 'ab'}]}");
    merge_step(f, "", "{rich: {0: [[2, {b: 1}], 'v']}}");
    merge_step(f, "0", "{rich: {0: [3, '!', ['?', {b: 1}]]}}");
    f->steps[0].is_void = true;
    merge_gives(f, "{rich: [{insert: 'ab!'}, {insert: '?', attributes: {b: 1}}]}");
}

static void embeds_of_both_are_kept_whole(void **state) {
    merge_fixture *f = *state;
    always(f, "{rich: [{insert: 'ab'}]}", "{rich: {0: [1, [{image: 1}, {w: 2}]]}}", "{rich: {0: [1, [{image: 2}]]}}",
           "{rich: [{insert: 'a'}, {insert: {image: 1}, attributes: {w: 2}}, {insert: {image: 2}}, {insert: 'b'}]}");
    always(f, "{rich: [{insert: {image: 1}}]}", "{rich: {0: [[1, {w: 2}]]}}", "{rich: {0: [-1]}}", "{rich: []}");
}

/* A thousand heads that each give the whole text an attribute cost what they are, not their square. */
static void many_ranges_over_each_other_are_cheap(void **state) {
    merge_fixture *f = *state;
    enum { HEADS = 4000 };
    gt_step *steps = test_malloc(HEADS * sizeof *steps);
    uint8_t(*ids)[32] = test_malloc(HEADS * sizeof *ids);
    gt_bytes delta = test_value("{rich: {0: [1, [2, {b: 1}], 1, 'x']}}"),
             base = test_value("{rich: [{insert: 'abcdefgh'}]}");
    uint64_t work = 0;
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    for (uint32_t i = 0; i < HEADS; i++) {
        memset(ids[i], 0, 32);
        gt_put_u32(ids[i], i);
        steps[i] = (gt_step){.id = ids[i], .time = 5, .delta = delta};
    }
    assert_int_equal(gt_merge_replay(&gt_alloc_system, f->schema, base, steps, HEADS, &out, &work, &f->diag), GOAT_OK);
    gt_bytes value = gt_map_find(gt_buf_bytes(&out), gt_bytes_text("rich"));
    assert_int_equal(gt_rich_count(value), 8 + HEADS);
    assert_true(work < 40 * HEADS);
    gt_buf_free(&out);
    test_value_free(delta);
    test_value_free(base);
    test_free(steps);
    test_free(ids);
}

/* A short edit of a document of many pieces could make one that no memory holds. */
static void a_document_that_grows_without_bounds_is_cut(void **state) {
    merge_fixture *f = *state;
    enum { PIECES = 2 * GT_FIELD_SIZE_MAX / 4000 };
    char text[GT_RICH_ATTRIBUTES_MAX + 64];
    gt_buf base, out, item, first;
    gt_rich_writer writer;
    uint64_t position;
    gt_bytes attributes[2] = {test_value("{b: 1}"), test_value("{b: 2}")};
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&out, &gt_alloc_system);
    gt_buf_init(&item, &gt_alloc_system);
    gt_buf_init(&first, &gt_alloc_system);
    gt_rich_writer_init(&writer, &base);
    for (int i = 0; i < PIECES; i++) {
        gt_rich_piece piece = {gt_bytes_text("a"), 1, attributes[i % 2], false};
        gt_rich_put(&writer, &piece);
    }
    gt_rich_writer_end(&writer);
    for (int len = 100; len <= 4000; len += 3900) {
        bool whole = len == 100;
        snprintf(text, sizeof text, "{0: [[%d, {c: '%0*d'}]]}", (int)PIECES, len, 0);
        gt_bytes edit = test_value(text);
        out.len = 0;
        assert_int_equal(gt_edit_apply(rich_field(f), gt_buf_bytes(&base), edit, &out, &f->diag), GOAT_OK);
        assert_int_equal(out.len <= GT_FIELD_SIZE_MAX, whole);
        assert_true(out.len < GT_FIELD_SIZE_MAX + GT_RICH_ATTRIBUTES_MAX + 64);
        assert_null(gt_rich_fault(gt_buf_bytes(&out), true, &position));
        first.len = 0;
        gt_buf_append(&first, out.data, out.len);
        item.len = 0;
        gt_write_map_head(&item, 1);
        gt_write_text(&item, gt_bytes_text("rich"));
        gt_buf_append(&item, base.data, base.len);
        snprintf(text, sizeof text, "{rich: {0: [[%d, {c: '%0*d'}]]}}", (int)PIECES, len, 0);
        merge_begin(f, NULL);
        merge_step(f, "", text);
        merge_step(f, "", "{rich: {0: [1, 'x']}}");
        for (uint32_t count = 1; count <= 2; count++) {
            out.len = 0;
            assert_int_equal(gt_merge_replay(&gt_alloc_system, f->schema, gt_buf_bytes(&item), f->steps, count, &out,
                                             NULL, &f->diag),
                             GOAT_OK);
            assert_int_equal(gt_state_is_whole(gt_buf_bytes(&out)), whole);
            gt_bytes now = gt_map_find(gt_buf_bytes(&out), gt_bytes_text("rich"));
            assert_null(gt_rich_fault(now, true, &position));
            if (count == 1) assert_true(gt_bytes_equal(now, gt_buf_bytes(&first)));
            if (!whole) assert_true(now.len > GT_FIELD_SIZE_MAX);
        }
        test_value_free(edit);
    }
    gt_buf_free(&base);
    gt_buf_free(&out);
    gt_buf_free(&item);
    gt_buf_free(&first);
    for (int i = 0; i < 2; i++) test_value_free(attributes[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heading_and_a_typed_word_both_survive),
        cmocka_unit_test(what_is_typed_inside_of_a_range_is_in_it),
        cmocka_unit_test(what_is_typed_at_the_edge_of_a_range_is_not),
        cmocka_unit_test(two_ranges_with_something_between_are_two),
        cmocka_unit_test(each_attribute_is_the_later_one_where_both_gave_it),
        cmocka_unit_test(who_saw_a_range_says_himself_what_he_types_into_it),
        cmocka_unit_test(attributes_of_a_void_step_were_never_given),
        cmocka_unit_test(embeds_of_both_are_kept_whole),
        cmocka_unit_test(many_ranges_over_each_other_are_cheap),
        cmocka_unit_test(a_document_that_grows_without_bounds_is_cut),
    };
    return cmocka_run_group_tests(tests, merge_fixture_set_up, merge_fixture_tear_down);
}
