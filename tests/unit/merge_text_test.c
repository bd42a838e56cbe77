/* Edits of texts by one author: what the difference between two texts is, and that making, composing and applying edits agree.
 * Random histories of several authors are in merge_property_test.c. */
#include "support/test.h"

#include "base/utf8.h"
#include "merge/merge.h"
#include "merge/text_diff.h"
#include "support/edit_laws.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

static void random_text(test_random *random, gt_buf *text, uint32_t most) {
    static const char *const pieces[] = {"a",  "b",        "the ", "goat", " ", "\n", "é", "€", "\xf0\x9f\x90\x90",
                                         ", ", "e\xcc\x81"};
    for (uint32_t n = test_random_below(random, most + 1); n > 0; n--) {
        gt_bytes piece = gt_bytes_text(pieces[test_random_below(random, 11)]);
        gt_buf_append(text, piece.data, piece.len);
    }
}

static void make(test_random *random, gt_buf *value) {
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    random_text(random, &text, 30);
    gt_write_text(value, gt_buf_bytes(&text));
    gt_buf_free(&text);
}

/* Another text that has much in common with it. */
static void vary(test_random *random, gt_bytes from, gt_buf *value) {
    gt_buf text;
    gt_bytes old = {0};
    gt_value_as_text(from, &old);
    gt_buf_init(&text, &gt_alloc_system);
    size_t cut = gt_utf8_bytes(old, test_random_below(random, (uint32_t)gt_utf8_count(old.data, old.len) + 1));
    gt_bytes rest = gt_bytes_of(old.data + cut, old.len - cut);
    size_t gone = gt_utf8_bytes(rest, test_random_below(random, 4));
    gt_buf_append(&text, old.data, cut);
    random_text(random, &text, 3);
    gt_buf_append(&text, rest.data + gone, rest.len - gone);
    gt_write_text(value, gt_buf_bytes(&text));
    gt_buf_free(&text);
}

static void edits_of_one_author_agree(void **state) {
    (void)state;
    static const edit_model texts = {.make = make, .vary = vary};
    gt_schema *schema = test_schema("{\"ns\":\"n\",\"version\":1,\"fields\":{\"t\":{\"type\":\"text\"}}}");
    assert_true(edit_laws_hold(edit_place_of(schema, "t"), &texts, 20000, __func__) > 10000);
    gt_schema_free(schema);
}

/* An edit of a text that is not there may be runs, though no writer makes it so. */
static void runs_after_an_unset_become_a_whole_text(void **state) {
    (void)state;
    gt_schema *schema = test_schema("{\"ns\":\"n\",\"version\":1,\"fields\":{\"t\":{\"type\":\"text\"}}}");
    const gt_field *field = gt_schema_field(schema, gt_bytes_text("t"));
    gt_bytes base = test_value("'goat'"), unset = test_value("undefined"), runs = test_value("{0: ['kid']}");
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    assert_int_equal(gt_edit_compose(field, base, unset, runs, &edit, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&edit), "'kid'");
    gt_buf_free(&edit);
    test_value_free(base);
    test_value_free(unset);
    test_value_free(runs);
    gt_schema_free(schema);
}

static void expect_diff(const char *before, const char *after, const char *notation) {
    gt_buf edit, text;
    gt_buf_init(&edit, &gt_alloc_system);
    gt_text_diff(gt_bytes_text(before), gt_bytes_text(after), &edit);
    test_value_print(gt_buf_bytes(&edit), &text);
    assert_string_equal((const char *)text.data, notation);
    gt_buf_free(&edit);
    gt_buf_free(&text);
}

static void a_diff_says_what_a_person_did(void **state) {
    (void)state;
    expect_diff("the goat eats", "the old goat eats", "{0: [4, 'old ']}");
    expect_diff("one two three", "one three", "{0: [4, -4]}");
    expect_diff("the colour", "the color", "{0: [8, -1]}");
    expect_diff("a cat sat", "a dog sat", "{0: [2, 'dog', -3]}");
    expect_diff("one\ntwo\nthree\n", "one\nthree\n", "{0: [4, -4]}");
    expect_diff("a\nb\n", "a\nnew\nb\n", "{0: [2, 'new\n']}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_of_one_author_agree),
        cmocka_unit_test(runs_after_an_unset_become_a_whole_text),
        cmocka_unit_test(a_diff_says_what_a_person_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
