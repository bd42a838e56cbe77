/* Fields of unusual content and size, and edits of text that nobody honest writes; and of two heads over one base that each
 * type makes a three-way merge. Lists of 100,000 elements are in merge_list_large_test.c. */
#include "support/test.h"

#include "base/utf8.h"
#include "merge/merge.h"
#include "support/merge_fixture.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int set_up(void **state) {
    int failed = merge_fixture_set_up(state);
    merge_fixture *f = *state;
    if (failed != 0) return failed;
    gt_schema_free(f->schema);
    f->schema = test_schema(
        "{\"ns\":\"n\",\"version\":1,\"fields\":{\"word\":{\"type\":\"string\"},\"size\":{\"type\":\"number\"},"
        "\"done\":{\"type\":\"boolean\"},\"due\":{\"type\":\"date\"},\"raw\":{\"type\":\"bytes\"},"
        "\"owner\":{\"type\":\"ref\"},\"place\":{\"type\":\"orderstamp\"},\"tags\":{\"type\":\"set\"},"
        "\"map\":{\"type\":\"map\"},\"votes\":{\"type\":\"counter\"},\"list\":{\"type\":\"list\"},"
        "\"text\":{\"type\":\"text\"},\"rich\":{\"type\":\"richtext\"},\"o\":{\"type\":\"object\",\"fields\":{"
        "\"word\":{\"type\":\"string\"},\"text\":{\"type\":\"text\"},\"votes\":{\"type\":\"counter\"}}}}}");
    return 0;
}

static const gt_field *field_of(const merge_fixture *f, const char *name) {
    return gt_schema_field(f->schema, gt_bytes_text(name));
}

/* ---- two heads over one base ---- */

/* What is on one side alone is what that side made; of both it is the merge, whichever comes first. */
static void two_heads_over_one_base_are_a_three_way_merge(void **state) {
    merge_fixture *f = *state;
    static const char *const cases[][4] = {
        /* base, left, right, both */
        {"{word: 'a'}", "{word: 'b'}", "{}", "{word: 'b'}"},
        {"{word: 'a'}", "{word: 'b'}", "{word: 'c'}", "{word: 'c'}"},
        {"{size: 1, done: true}", "{size: 2}", "{done: false}", "{done: false, size: 2}"},
        {"{due: date(1), raw: bytes(00)}", "{due: date(2)}", "{raw: bytes(01)}", "{due: date(2), raw: bytes(01)}"},
        {"{owner: ref('/a/b/c')}", "{owner: ref('/a/b/d')}", "{place: 'e0000000000000'}",
         "{owner: ref('/a/b/d'), place: 'e0000000000000'}"},
        {"{tags: set[1, 2]}", "{tags: {0: set[3], 1: set[1]}}", "{tags: set[4]}", "{tags: set[2, 3, 4]}"},
        {"{map: {a: 1, b: 2}}", "{map: {a: 5}}", "{map: {b: undefined, c: 3}}", "{map: {a: 5, c: 3}}"},
        {"{votes: 5}", "{votes: 2}", "{votes: -1}", "{votes: 6}"},
        {"{list: [1, 2, 3]}", "{list: {0: [{1: 2}]}}", "{list: {0: [2, {2: 9}]}}", "{list: [9, 1, 2]}"},
        {"{list: [1, 2, 3]}", "{list: {0: [-1]}}", "{list: {0: [3, [4]]}}", "{list: [2, 3, 4]}"},
        {"{text: 'the goat'}", "{text: {0: [4, 'old ']}}", "{text: {0: [8, ' eats']}}", "{text: 'the old goat eats'}"},
        {"{text: 'the goat'}", "{text: {0: [-4]}}", "{text: {0: [8, '!']}}", "{text: 'goat!'}"},
        {"{rich: [{insert: 'goat\n'}]}", "{rich: {0: [[4, {b: true}]]}}", "{rich: {0: [4, 's']}}",
         "{rich: [{insert: 'goat', attributes: {b: true}}, {insert: 's\n'}]}"},
        {"{o: {text: 'ab', votes: 1}}", "{o: {text: {0: [2, 'c']}}}", "{o: {votes: 2, word: 'w'}}",
         "{o: {text: 'abc', word: 'w', votes: 3}}"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int swapped = 0; swapped < 2; swapped++) {
            merge_begin(f, cases[i][0]);
            merge_step(f, "", cases[i][1]);
            merge_step(f, "", cases[i][2]);
            gt_step first = f->steps[0];
            if (swapped == 1) f->steps[0] = f->steps[1];
            if (swapped == 1) f->steps[1] = first;
            merge_gives(f, cases[i][3]);
        }
    }
}

/* ---- unusual texts ---- */

static size_t units_of(gt_bytes text, goat_unit unit) {
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool begins = (text.data[i] & 0xc0) != 0x80, is_pair = text.data[i] >= 0xf0;
        count += unit == GOAT_UNIT_BYTE ? 1 : unit == GOAT_UNIT_UTF16 ? begins + is_pair : begins;
    }
    return count;
}

/* At every place a splice puts its text in, or is refused because that lies inside of a code point. */
static void a_splice_goes_between_code_points_of_any_script(void **state) {
    merge_fixture *f = *state;
    static const char *const texts[] = {
        "e\xcc\x81\xcc\xa3x",                 /* combining marks */
        "a\xf0\x9f\x90\x90\xf0\x9f\x90\x91z", /* surrogate pairs */
        "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",   /* right to left */
        "a \xd8\xb9\xd8\xb1 \xe2\x80\x8f-\xe2\x80\x8e \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80"};
    gt_buf base, edit, value, expected;
    gt_buf *all[] = {&base, &edit, &value, &expected};
    for (size_t i = 0; i < 4; i++) gt_buf_init(all[i], &gt_alloc_system);
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        gt_bytes text = gt_bytes_text(texts[t]), mark = gt_bytes_text("\xcc\x88");
        gt_buf_clear(&base);
        gt_write_text(&base, text);
        for (int unit = GOAT_UNIT_BYTE; unit <= GOAT_UNIT_UTF16; unit++) {
            size_t made = 0, units = units_of(text, (goat_unit)unit), points = units_of(text, GOAT_UNIT_CODE_POINT);
            for (size_t position = 0; position <= units; position++) {
                gt_splice splice = {(goat_unit)unit, position, 0, mark};
                gt_buf_clear(&edit);
                gt_diag_init(&f->diag);
                if (gt_edit_splice(field_of(f, "text"), gt_buf_bytes(&base), &splice, &edit, &f->diag) != GOAT_OK) {
                    assert_int_equal(f->diag.status, GOAT_INVALID);
                    assert_int_equal(f->diag.position, position);
                    continue;
                }
                size_t at = gt_utf8_bytes(text, made++); /* the next place there is */
                gt_buf with;
                gt_buf_init(&with, &gt_alloc_system);
                gt_buf_append(&with, text.data, at);
                gt_buf_append(&with, mark.data, mark.len);
                gt_buf_append(&with, text.data + at, text.len - at);
                gt_buf_clear(&expected);
                gt_write_text(&expected, gt_buf_bytes(&with));
                gt_buf_free(&with);
                gt_buf_clear(&value);
                assert_int_equal(
                    gt_edit_apply(field_of(f, "text"), gt_buf_bytes(&base), gt_buf_bytes(&edit), &value, NULL),
                    GOAT_OK);
                assert_true(gt_bytes_equal(gt_buf_bytes(&value), gt_buf_bytes(&expected)));
            }
            assert_int_equal(made, points + 1);
        }
    }
    for (size_t i = 0; i < 4; i++) gt_buf_free(all[i]);
}

static void marks_and_pairs_of_both_sides_stay_whole(void **state) {
    merge_fixture *f = *state;
    merge_begin(f, "{text: 'e\xcc\x81 \xf0\x9f\x90\x90 \xd7\xa9\xd7\x9c'}");
    merge_step(f, "", "{text: {0: [2, '\xcc\xa3', 1, '\xf0\x9f\x90\x91']}}");
    merge_step(f, "", "{text: {0: [4, -1, 1, '\xd7\x95']}}");
    merge_gives(f, "{text: 'e\xcc\x81\xcc\xa3 \xf0\x9f\x90\x91\xf0\x9f\x90\x90\xd7\xa9\xd7\x95\xd7\x9c'}");
    merge_begin(f, "{text: '\xf0\x9f\x90\x90'}"); /* two that begin with the same bytes */
    gt_buf edit;
    gt_bytes before = test_value("'\xf0\x9f\x90\x90'"), after = test_value("'\xf0\x9f\x90\x91'");
    gt_buf_init(&edit, &gt_alloc_system);
    assert_int_equal(gt_edit_diff(field_of(f, "text"), before, after, &edit, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&edit), "{0: ['\xf0\x9f\x90\x91', -1]}");
    gt_buf_free(&edit);
    test_value_free(before);
    test_value_free(after);
}

/* ---- large ones ---- */

enum { MEBIBYTE = 1 << 20, KEYS = 10000 };

static gt_bytes delta_with(merge_fixture *f, const char *name, gt_bytes base, gt_bytes value) {
    gt_buf delta;
    gt_buf_init(&delta, &gt_alloc_system);
    gt_write_map_head(&delta, 1);
    gt_write_text(&delta, gt_bytes_text(name));
    assert_int_equal(gt_edit_diff(field_of(f, name), base, value, &delta, &f->diag), GOAT_OK);
    return gt_buf_bytes(&delta);
}

/* The deltas are taken. */
static void merge_two(merge_fixture *f, gt_bytes base, gt_bytes left, gt_bytes right, gt_buf *out, uint64_t *work) {
    gt_step steps[2] = {{.id = (const uint8_t *)"0123456789abcdef0123456789abcdef", .time = 1, .delta = left},
                        {.id = (const uint8_t *)"1123456789abcdef0123456789abcdef", .time = 2, .delta = right}};
    gt_buf_init(out, &gt_alloc_system);
    *work = 0;
    assert_int_equal(gt_merge_replay(&gt_alloc_system, f->schema, base, steps, 2, out, work, &f->diag), GOAT_OK);
    test_value_free(left);
    test_value_free(right);
}

/* One line, of a megabyte: what each side set as a whole is found by comparing, and is small. */
static void a_mebibyte_in_one_line_is_compared_and_merged(void **state) {
    merge_fixture *f = *state;
    gt_buf texts[4], states[2], out;
    uint8_t *line = test_malloc(MEBIBYTE + 2);
    uint64_t work;
    for (int i = 0; i < MEBIBYTE; i++) line[i] = (uint8_t)(i % 7 == 6 ? ' ' : 'a' + i * 31 % 23);
    for (int i = 0; i < 4; i++) gt_buf_init(&texts[i], &gt_alloc_system);
    gt_write_text(&texts[0], gt_bytes_of(line, MEBIBYTE));
    line[10] = 'X';
    gt_write_text(&texts[1], gt_bytes_of(line, MEBIBYTE));
    line[MEBIBYTE] = 'Y';
    gt_write_text(&texts[3], gt_bytes_of(line, MEBIBYTE + 1));
    line[10] = (uint8_t)('a' + 10 * 31 % 23);
    gt_write_text(&texts[2], gt_bytes_of(line, MEBIBYTE + 1));
    for (int i = 0; i < 2; i++) {
        gt_buf_init(&states[i], &gt_alloc_system);
        gt_write_map_head(&states[i], 1);
        gt_write_text(&states[i], gt_bytes_text("text"));
        gt_buf_append(&states[i], texts[3 * i].data, texts[3 * i].len);
    }
    gt_bytes base = gt_buf_bytes(&texts[0]);
    gt_bytes left = delta_with(f, "text", base, gt_buf_bytes(&texts[1]));
    gt_bytes right = delta_with(f, "text", base, gt_buf_bytes(&texts[2]));
    assert_true(left.len < 64 && right.len < 64);
    merge_two(f, gt_buf_bytes(&states[0]), left, right, &out, &work);
    assert_true(gt_bytes_equal(gt_buf_bytes(&out), gt_buf_bytes(&states[1])));
    gt_buf_free(&out);
    for (int i = 0; i < 4; i++) gt_buf_free(&texts[i]);
    for (int i = 0; i < 2; i++) gt_buf_free(&states[i]);
    test_free(line);
}

/* A map in which number `i` is i, or `other` of the keys that leave the remainder `part` of three. */
static void write_keys(gt_buf *out, int part, int64_t other) {
    static char names[KEYS][8];
    static gt_pair pairs[KEYS];
    gt_buf values;
    size_t begins[KEYS + 1] = {0};
    gt_buf_init(&values, &gt_alloc_system);
    for (int i = 0; i < KEYS; i++) {
        snprintf(names[i], sizeof names[i], "k%d", i);
        gt_write_int(&values, i % 3 == part ? other : i);
        begins[i + 1] = values.len;
    }
    for (int i = 0; i < KEYS; i++) {
        pairs[i] = (gt_pair){gt_bytes_text(names[i]), gt_bytes_of(values.data + begins[i], begins[i + 1] - begins[i])};
    }
    assert_true(gt_write_map(out, pairs, KEYS));
    gt_buf_free(&values);
}

static void a_map_of_ten_thousand_keys_is_merged_key_by_key(void **state) {
    merge_fixture *f = *state;
    gt_buf base, maps[2], out;
    uint64_t work;
    gt_buf_init(&base, &gt_alloc_system);
    gt_write_map_head(&base, 1);
    gt_write_text(&base, gt_bytes_text("map"));
    write_keys(&base, -1, 0);
    gt_bytes before = gt_map_find(gt_buf_bytes(&base), gt_bytes_text("map")), deltas[2];
    for (int side = 0; side < 2; side++) {
        gt_buf_init(&maps[side], &gt_alloc_system);
        write_keys(&maps[side], side, -1 - side);
        deltas[side] = delta_with(f, "map", before, gt_buf_bytes(&maps[side]));
        gt_bytes edit = gt_map_find(deltas[side], gt_bytes_text("map"));
        assert_int_equal(gt_value_count(edit), (KEYS + 2 - side) / 3);
    }
    merge_two(f, gt_buf_bytes(&base), deltas[0], deltas[1], &out, &work);
    gt_bytes merged = gt_map_find(gt_buf_bytes(&out), gt_bytes_text("map")), key, value;
    assert_int_equal(gt_value_count(merged), KEYS);
    for (gt_iter iter = gt_map_iter(merged); gt_map_next(&iter, &key, &value);) {
        int64_t number;
        char name[8];
        snprintf(name, sizeof name, "%.*s", (int)key.len, (const char *)key.data);
        int64_t index = strtol(name + 1, NULL, 10);
        assert_true(gt_value_as_int64(value, &number));
        assert_int_equal(number, index % 3 == 2 ? index : -1 - index % 3);
    }
    gt_buf_free(&out);
    gt_buf_free(&base);
    for (int side = 0; side < 2; side++) gt_buf_free(&maps[side]);
}

/* ---- hostile edits of text ---- */

static void an_edit_of_text_that_is_none_is_refused_with_the_place(void **state) {
    merge_fixture *f = *state;
    merge_refuses(f, "text", "7", -1, "is neither a text nor a map of runs");
    merge_refuses(f, "text", "{0: 'a'}", -1, "is neither a text nor a map of runs");
    merge_refuses(f, "text", "{0: ['a'], 1: [1]}", -1, "is neither a text nor a map of runs");
    merge_refuses(f, "text", "{a: ['a']}", -1, "is neither a text nor a map of runs");
    merge_refuses(f, "text", "{0: []}", -1, "has no runs");
    merge_refuses(f, "text", "{0: [1, ['a']]}", 1, "has a run that is none");
    merge_refuses(f, "text", "{0: [1, 'a', null]}", 2, "has a run that is none");
    merge_refuses(f, "text", "{0: [0, 'a']}", 0, "has a run of no code points, or of too many");
    merge_refuses(f, "text", "{0: [1, '']}", 1, "has a run of no code points, or of too many");
    merge_refuses(f, "text", "{0: [1073741825, 'a']}", 0, "has a run of no code points, or of too many");
    merge_refuses(f, "text", "{0: ['a', -9223372036854775808]}", 1, "has a run of no code points, or of too many");
    merge_refuses(f, "text", "{0: ['a', 'b']}", 1, "has two runs in place of one");
    merge_refuses(f, "text", "{0: [1, 1, 'a']}", 1, "has two runs in place of one");
    merge_refuses(f, "text", "{0: [-1, -1]}", 1, "has two runs in place of one");
    merge_refuses(f, "text", "{0: [-1, 'a']}", 1, "inserts behind what it removes there");
    merge_refuses(f, "text", "{0: ['a', 1]}", 1, "keeps something at the end");
}

/* They fit their type, and only who sees the text knows that they go beyond it: that counts for nothing. */
static void runs_beyond_the_end_do_nothing_there(void **state) {
    merge_fixture *f = *state;
    static const char *const cases[][3] = {
        {"{text: 'ab'}", "{text: {0: [1073741824, 'c', -1073741824]}}", "{text: 'abc'}"},
        {"{text: 'ab'}", "{text: {0: [1, -1073741824, 1073741824, 'c']}}", "{text: 'ac'}"},
        {"{list: [1, 2]}", "{list: {0: [1, -1073741824, 1073741824, [3]]}}", "{list: [1, 3]}"},
        {"{rich: [{insert: 'ab'}]}", "{rich: {0: [1, [1073741824, {b: 1}], 'c', -1073741824]}}",
         "{rich: [{insert: 'a'}, {insert: 'b', attributes: {b: 1}}, {insert: 'c'}]}"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (int both = 0; both < 2; both++) { /* applied, and replayed */
            merge_begin(f, cases[i][0]);
            merge_step(f, "", cases[i][1]);
            assert_int_equal(gt_merge_check_delta(f->schema, f->steps[0].delta, NULL), GOAT_OK);
            if (both == 1) f->steps[merge_step(f, "", cases[i][1])].is_void = true;
            merge_gives(f, cases[i][2]);
        }
    }
}

#define with_schema(test) cmocka_unit_test_setup_teardown(test, set_up, merge_fixture_tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_schema(two_heads_over_one_base_are_a_three_way_merge),
        with_schema(a_splice_goes_between_code_points_of_any_script),
        with_schema(marks_and_pairs_of_both_sides_stay_whole),
        with_schema(a_mebibyte_in_one_line_is_compared_and_merged),
        with_schema(a_map_of_ten_thousand_keys_is_merged_key_by_key),
        with_schema(an_edit_of_text_that_is_none_is_refused_with_the_place),
        with_schema(runs_beyond_the_end_do_nothing_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
