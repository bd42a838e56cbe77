/* core/schema/pattern: PCRE2 as MongoDB uses it, with limits that hostile patterns meet. */
#include "support/test.h"

#include "schema/pattern.h"
#include "support/test_alloc.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static gt_pattern *compile(const char *text, const char *options) {
    gt_pattern *pattern = NULL;
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status =
        gt_pattern_compile(&gt_alloc_system, gt_bytes_text(text), gt_bytes_text(options), &pattern, &diag);
    if (status != GOAT_OK) {
        fail_msg("%s: %s", text, diag.message);
    }
    return pattern;
}

static gt_match find(const char *text, const char *options, gt_bytes subject) {
    gt_pattern *pattern = compile(text, options);
    gt_match match = gt_pattern_find(pattern, subject);
    assert_int_equal(gt_pattern_find(pattern, subject), match); /* and again with the memory of before */
    gt_pattern_free(pattern);
    return match;
}

static bool matches(const char *text, const char *options, const char *subject) {
    gt_match match = find(text, options, gt_bytes_text(subject));
    assert_true(match == GT_MATCH_YES || match == GT_MATCH_NO);
    return match == GT_MATCH_YES;
}

static void a_pattern_matches_anywhere_unless_it_is_anchored(void **state) {
    (void)state;
    assert_true(matches("oat", "", "goats"));
    assert_false(matches("^oat", "", "goats"));
    assert_true(matches("^go.t", "", "goats"));
    assert_true(matches("", "", ""));
    assert_false(matches(".", "", ""));
    assert_true(matches("(a)(b)(c)", "", "abc"));
}

static void the_options_are_those_of_mongodb(void **state) {
    (void)state;
    assert_false(matches("GOAT", "", "goat"));
    assert_true(matches("GOAT", "i", "goat"));
    assert_true(matches("\xc3\x89T\xc3\x89", "i", "\xc3\xa9t\xc3\xa9")); /* ÉTÉ, été */
    assert_false(matches("^b", "", "a\nb"));
    assert_true(matches("^b", "m", "a\nb"));
    assert_false(matches("a.b", "", "a\nb"));
    assert_true(matches("a.b", "s", "a\nb"));
    assert_true(matches("a b # and so on", "x", "ab"));
    assert_true(matches("A . B", "xis", "a\nb"));
}

static void characters_are_code_points(void **state) {
    (void)state;
    assert_true(matches("^.$", "", "\xf0\x9f\x90\x90")); /* one goat */
    assert_false(matches("^..$", "", "\xf0\x9f\x90\x90"));
    assert_true(matches("\\x{1F410}", "", "a \xf0\x9f\x90\x90"));
    assert_true(matches("\\p{Lu}", "", "\xc3\x89"));
}

static void a_nul_is_a_character_like_others(void **state) {
    (void)state;
    assert_int_equal(find("^a\\x00b$", "", gt_bytes_of("a\0b", 3)), GT_MATCH_YES);
    assert_int_equal(find("b$", "", gt_bytes_of("a\0b", 3)), GT_MATCH_YES);
    assert_int_equal(find("", "", gt_bytes_of(NULL, 0)), GT_MATCH_YES);
}

static void assert_refused(gt_bytes text, const char *options, goat_status expected, uint64_t position) {
    gt_pattern *pattern = (gt_pattern *)&pattern;
    gt_diag diag;
    gt_diag_init(&diag);
    assert_int_equal(gt_pattern_compile(&gt_alloc_system, text, gt_bytes_text(options), &pattern, &diag), expected);
    assert_null(pattern);
    assert_int_equal(diag.status, expected);
    assert_int_equal(diag.position, position);
    assert_true(diag.message[0] != 0);
}

static void what_is_not_a_pattern_is_refused_with_its_position(void **state) {
    (void)state;
    assert_refused(gt_bytes_text("ab(c"), "", GOAT_INVALID, 4);
    assert_refused(gt_bytes_text("a**"), "", GOAT_INVALID, 2);  /* the second star */
    assert_refused(gt_bytes_text("a\\C"), "", GOAT_INVALID, 3); /* would split a code point */
    assert_refused(gt_bytes_text("a"), "iz", GOAT_INVALID, 1);
    assert_refused(gt_bytes_text("ab\xff"), "", GOAT_INVALID, 2);
}

static void a_pattern_of_the_greatest_length_is_taken_and_one_more_is_not(void **state) {
    (void)state;
    char *text = malloc(GT_PATTERN_MAX + 1);
    memset(text, 'a', GT_PATTERN_MAX + 1);
    gt_pattern *pattern = NULL;
    gt_bytes none = {NULL, 0};
    assert_int_equal(gt_pattern_compile(&gt_alloc_system, gt_bytes_of(text, GT_PATTERN_MAX), none, &pattern, NULL),
                     GOAT_OK);
    assert_int_equal(gt_pattern_find(pattern, gt_bytes_of(text, GT_PATTERN_MAX)), GT_MATCH_YES);
    gt_pattern_free(pattern);
    assert_refused(gt_bytes_of(text, GT_PATTERN_MAX + 1), "", GOAT_TOO_LARGE, GT_PATTERN_MAX);
    free(text);
}

static void parentheses_nest_to_a_limit(void **state) {
    (void)state;
    char text[2 * GT_PATTERN_NEST_MAX + 8];
    for (int depth = GT_PATTERN_NEST_MAX; depth <= GT_PATTERN_NEST_MAX + 1; depth++) {
        memset(text, '(', (size_t)depth);
        memset(text + depth, ')', (size_t)depth);
        gt_pattern *pattern = NULL;
        goat_status status = gt_pattern_compile(&gt_alloc_system, gt_bytes_of(text, 2 * (size_t)depth),
                                                gt_bytes_of(NULL, 0), &pattern, NULL);
        assert_int_equal(status, depth == GT_PATTERN_NEST_MAX ? GOAT_OK : GOAT_INVALID);
        gt_pattern_free(pattern);
    }
}

/* ---- hostile ones ---- */

static gt_bytes repeated(char letter, size_t len, char last) {
    char *text = malloc(len + 1);
    memset(text, letter, len);
    text[len] = last;
    return gt_bytes_of(text, len + 1);
}

static void assert_gives_up(const char *text, gt_bytes subject) {
    clock_t begin = clock();
    assert_int_equal(find(text, "", subject), GT_MATCH_LIMIT);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC / 2; /* it was done twice */
    assert_true(seconds < 5);
    free((void *)(uintptr_t)subject.data);
}

static void exponential_backtracking_ends_at_the_limit(void **state) {
    (void)state;
    assert_gives_up("^(a+)+$", repeated('a', 40, 'b'));
    assert_gives_up("(a+)+$", repeated('a', 40, 'b'));
    assert_gives_up("(x+x+)+[yw]", repeated('x', 3000, 'z'));
    assert_gives_up("^(a|aa)+$", repeated('a', 100, 'b'));
    assert_gives_up("^(.|\\s)*!", repeated(' ', 5000, 'b'));
}

static void recursion_ends_at_the_limit(void **state) {
    (void)state;
    assert_gives_up("^(a?(?1)?)*b?$", repeated('a', 1000, 'c'));
    assert_gives_up("^((?:a|b)(?1)|c)$", repeated('a', 3000000, 'd'));
}

static void memory_for_backtracking_ends_at_the_limit(void **state) {
    (void)state;
    assert_gives_up("^(?:(a)|(b))*$", repeated('a', 1000000, 'c'));
}

static void a_pattern_that_may_match_anywhere_takes_subjects_up_to_a_limit(void **state) {
    (void)state;
    gt_bytes subject = repeated('a', GT_PATTERN_SUBJECT_MAX, 'b');
    assert_int_equal(find("a{3}", "", gt_bytes_of(subject.data, GT_PATTERN_SUBJECT_MAX)), GT_MATCH_YES);
    assert_int_equal(find("a{3}", "", subject), GT_MATCH_LIMIT);
    assert_int_equal(find("^a+b", "", subject), GT_MATCH_YES); /* anchored: any length */
    free((void *)(uintptr_t)subject.data);
}

static void ordinary_patterns_on_long_texts_stay_below_the_limits(void **state) {
    (void)state;
    gt_bytes subject = repeated('a', 200000, '!');
    assert_int_equal(find("[a-z]+!", "", subject), GT_MATCH_YES);
    assert_int_equal(find("^[a-z]*!$", "", subject), GT_MATCH_YES);
    assert_int_equal(find("(cat|dog|goat)s?", "", subject), GT_MATCH_NO);
    assert_int_equal(find("\\bgoat\\b", "i", subject), GT_MATCH_NO);
    free((void *)(uintptr_t)subject.data);
}

static void a_limit_in_the_pattern_cannot_raise_ours(void **state) {
    (void)state;
    assert_gives_up("(*LIMIT_MATCH=4000000000)(*LIMIT_DEPTH=4000000000)^(a+)+$", repeated('a', 40, 'b'));
}

static void each_allocation_may_fail(void **state) {
    (void)state;
    gt_bytes subject = repeated('a', 8000, 'a');
    for (uint64_t allowed = 0;; allowed++) {
        test_alloc memory;
        test_alloc_init(&memory, allowed);
        gt_pattern *pattern = NULL;
        goat_status status =
            gt_pattern_compile(&memory.alloc, gt_bytes_text("^(?:(a)|b)*$"), gt_bytes_of(NULL, 0), &pattern, NULL);
        gt_match match = status == GOAT_OK ? gt_pattern_find(pattern, subject) : GT_MATCH_NO_MEMORY;
        bool failed = memory.failed;
        gt_pattern_free(pattern);
        test_alloc_assert_empty(&memory);
        if (!failed) {
            assert_int_equal(match, GT_MATCH_YES);
            break;
        }
        assert_true(status == GOAT_NO_MEMORY || match == GT_MATCH_NO_MEMORY);
    }
    free((void *)(uintptr_t)subject.data);
}

static void working_memory_of_a_hard_match_is_given_back(void **state) {
    (void)state;
    gt_bytes subject = repeated('a', 8000, 'a');
    test_alloc memory;
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    gt_pattern *pattern = NULL;
    gt_bytes none = {NULL, 0};
    assert_int_equal(gt_pattern_compile(&memory.alloc, gt_bytes_text("^(?:(a)|b)*$"), none, &pattern, NULL), GOAT_OK);
    size_t before = memory.live_bytes;
    assert_int_equal(gt_pattern_find(pattern, subject), GT_MATCH_YES);
    assert_true(memory.most_bytes > 1000000);
    assert_int_equal(memory.live_bytes, before);
    gt_pattern_free(pattern);
    test_alloc_assert_empty(&memory);
    free((void *)(uintptr_t)subject.data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_matches_anywhere_unless_it_is_anchored),
        cmocka_unit_test(the_options_are_those_of_mongodb),
        cmocka_unit_test(characters_are_code_points),
        cmocka_unit_test(a_nul_is_a_character_like_others),
        cmocka_unit_test(what_is_not_a_pattern_is_refused_with_its_position),
        cmocka_unit_test(a_pattern_of_the_greatest_length_is_taken_and_one_more_is_not),
        cmocka_unit_test(parentheses_nest_to_a_limit),
        cmocka_unit_test(exponential_backtracking_ends_at_the_limit),
        cmocka_unit_test(recursion_ends_at_the_limit),
        cmocka_unit_test(memory_for_backtracking_ends_at_the_limit),
        cmocka_unit_test(a_pattern_that_may_match_anywhere_takes_subjects_up_to_a_limit),
        cmocka_unit_test(ordinary_patterns_on_long_texts_stay_below_the_limits),
        cmocka_unit_test(a_limit_in_the_pattern_cannot_raise_ours),
        cmocka_unit_test(each_allocation_may_fail),
        cmocka_unit_test(working_memory_of_a_hard_match_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
