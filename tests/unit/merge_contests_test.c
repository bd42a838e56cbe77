/* core/merge: what insertions at one place cost with the strategies that leave some of them out, whoever wrote them, how far
 * off `merged` compares them, and what histories are left that chance does not find. What is left is the business of merge_property_test.c. */
#include "support/test.h"

#include "merge/contests.h"
#include "merge/kept.h"
#include "merge/merge.h"
#include "support/test_random.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MAX = 6000, PARENTS_MAX = 500, TEXT_MAX = 80 };

typedef struct fixture {
    test_random random;
    gt_schema *schema; /* with the strategy at hand */
    uint8_t ids[STEPS_MAX][32];
    uint32_t *parents[STEPS_MAX];
    gt_step steps[STEPS_MAX];
    uint32_t count;
    uint64_t work; /* of the last replay */
} fixture;

static const char *const strategies[] = {"latest", "either", "merged"};

static int set_up(void **state) {
    *state = calloc(1, sizeof(fixture));
    return 0;
}

static int tear_down(void **state) {
    free(*state);
    return 0;
}

static void begin(fixture *f, const char *strategy, const char *name) {
    char definition[160];
    snprintf(definition, sizeof definition,
             "{\"ns\": \"n\", \"version\": 1, \"fields\": {\"text\": {\"type\": \"text\", \"merge\": \"%s\"}}}",
             strategy);
    f->schema = test_schema(definition);
    f->count = 0;
    test_random_init(&f->random, name);
}

static void end(fixture *f) {
    for (uint32_t i = 0; i < f->count; i++) {
        test_value_free(f->steps[i].delta);
        free(f->parents[i]);
    }
    gt_schema_free(f->schema);
}

/* A step of a random id with these runs of an edit of the text ("" for none). Gives its number. */
static uint32_t add(fixture *f, const uint32_t *parents, uint32_t parent_count, const char *runs) {
    uint32_t i = f->count++;
    char delta[TEXT_MAX];
    assert_true(i < STEPS_MAX);
    snprintf(delta, sizeof delta, *runs == '\0' ? "{}" : "{text: {0: [%s]}}", runs);
    for (int k = 0; k < 32; k++) f->ids[i][k] = (uint8_t)test_random_below(&f->random, 256);
    f->parents[i] = calloc(parent_count + 1, sizeof(uint32_t));
    if (parent_count > 0) memcpy(f->parents[i], parents, parent_count * sizeof(uint32_t));
    f->steps[i] = (gt_step){.id = f->ids[i],
                            .time = 100 + i,
                            .delta = test_value(delta),
                            .parents = f->parents[i],
                            .parent_count = parent_count};
    return i;
}

/* A head that inserts so many elements between the two of the base, all the same, with an id that begins with `id`. */
static uint32_t add_long(fixture *f, uint8_t id, uint32_t length) {
    size_t size = length + 32;
    char *delta = calloc(size, 1), *xs = calloc(length + 1, 1);
    uint32_t i = add(f, NULL, 0, "");
    memset(xs, 'x', length);
    snprintf(delta, size, "{text: {0: [1, '%s']}}", xs);
    test_value_free(f->steps[i].delta);
    f->steps[i].delta = test_value(delta);
    f->ids[i][0] = id;
    free(delta);
    free(xs);
    return i;
}

/* The text of all of them, over "()". */
static void replay(fixture *f, gt_buf *text) {
    gt_bytes base = test_value("{text: '()'}"), value;
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    f->work = 0;
    assert_int_equal(gt_merge_replay(&gt_alloc_system, f->schema, base, f->steps, f->count, &out, &f->work, NULL),
                     GOAT_OK);
    assert_true(gt_value_as_text(gt_map_find(gt_buf_bytes(&out), gt_bytes_text("text")), &value));
    gt_buf_clear(text);
    gt_buf_append(text, value.data, value.len);
    test_value_free(base);
    gt_buf_free(&out);
}

/* Words at one place, by as many who have not heard of each other. */
static void add_heads(fixture *f, uint32_t count) {
    char runs[TEXT_MAX];
    for (uint32_t i = 0; i < count; i++) {
        snprintf(runs, sizeof runs, "1, 'w%04u '", (unsigned)i);
        add(f, NULL, 0, runs);
    }
}

/* Who hears of all of them, some hundreds at a time; each time with an edit elsewhere. */
static uint32_t hear_of_all(fixture *f, uint32_t count) {
    uint32_t parents[PARENTS_MAX + 1], last = 0;
    for (uint32_t next = 0; next < count;) {
        uint32_t parent_count = 0;
        if (next > 0) parents[parent_count++] = last;
        while (next < count && parent_count < PARENTS_MAX) parents[parent_count++] = next++;
        last = add(f, parents, parent_count, "'x'");
    }
    return last;
}

/* ---- what it costs ---- */

/* So much for each step: what is found by halving is counted, and `merged` compares each with some dozens, of some elements each. */
static uint64_t most(const fixture *f, const char *strategy) {
    return (uint64_t)f->count * (strcmp(strategy, "merged") == 0 ? 200 + 8 * GT_CONTEST_COMPARED_MAX : 200);
}

static void thousands_at_one_place_do_not_cost_their_square(void **state) {
    fixture *f = *state;
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    for (int i = 0; i < 3; i++) {
        begin(f, strategies[i], __func__);
        add_heads(f, 5000);
        replay(f, &text);
        assert_true(f->work < most(f, strategies[i]));
        assert_int_equal(text.len, strcmp(strategies[i], "merged") == 0 ? 5000 * 6 + 2 : 6 + 2);
        end(f);
    }
    gt_buf_free(&text);
}

static void what_was_left_out_once_is_not_looked_at_again(void **state) {
    fixture *f = *state;
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    for (int i = 0; i < 3; i++) {
        for (int in_a_line = 0; in_a_line < 2; in_a_line++) { /* or all beside each other */
            begin(f, strategies[i], __func__);
            add_heads(f, 2500);
            uint32_t all = hear_of_all(f, 2500), last = all;
            for (int k = 0; k < 2500; k++) last = add(f, in_a_line ? &last : &all, 1, "'y'");
            replay(f, &text);
            assert_true(f->work < most(f, strategies[i]));
            end(f);
        }
    }
    gt_buf_free(&text);
}

/* Each contest lies in what won the one before it, so whatever is done there is done in all of them. */
static void two_who_always_write_at_one_place_cost_what_is_new(void **state) {
    enum { ROUNDS = 2500 };
    fixture *f = *state;
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    for (int i = 0; i < 3; i++) {
        begin(f, strategies[i], __func__);
        uint32_t heads[2] = {add(f, NULL, 0, "1, 'a'"), add(f, NULL, 0, "1, 'b'")};
        for (int round = 1; round < ROUNDS; round++) {
            uint32_t a = add(f, heads, 2, "1, 'a'"), b = add(f, heads, 2, "1, 'b'");
            heads[0] = a;
            heads[1] = b;
        }
        replay(f, &text);
        assert_true(f->work < 40 * f->count);
        assert_int_equal(text.len, strcmp(strategies[i], "merged") == 0 ? 2 * ROUNDS + 2 : ROUNDS + 2);
        end(f);
    }
    gt_buf_free(&text);
}

/* Each but the last of a chain has somebody beside it who wins, so all that hangs on it has lost as many times as it is deep. */
static void a_chain_of_losers_is_marked_once(void **state) {
    enum { DEPTH = 2500 };
    fixture *f = *state;
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    for (int i = 0; i < 2; i++) { /* latest, either */
        begin(f, strategies[i], __func__);
        uint32_t last = add(f, NULL, 0, "1, 'a'");
        for (int k = 1; k < DEPTH; k++) {
            last = add(f, &last, 1, "1, 'a'");
            f->ids[last][0] = 1;
        }
        for (uint32_t on = 0; on + 1 < DEPTH; on++) f->ids[add(f, &on, 1, "1, 'b'")][0] = 2;
        replay(f, &text);
        assert_true(f->work < most(f, strategies[i]));
        assert_int_equal(text.len, 2 + 2);
        end(f);
    }
    gt_buf_free(&text);
}

/* As it goes on while both type: each step is asked about when it comes. */
static void a_kept_one_costs_what_is_new(void **state) {
    enum { ROUNDS = 600 };
    fixture *f = *state;
    gt_bytes base = test_value("{text: '()'}");
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    for (int i = 0; i < 3; i++) {
        begin(f, strategies[i], __func__);
        gt_kept *kept = gt_kept_new(&gt_alloc_system, f->schema, base);
        uint32_t heads[2] = {add(f, NULL, 0, "1, 'a'"), add(f, NULL, 0, "1, 'b'")};
        for (int round = 1; round < ROUNDS; round++) {
            uint32_t a = add(f, heads, 2, "1, 'a'"), b = add(f, heads, 2, "1, 'b'");
            heads[0] = a;
            heads[1] = b;
        }
        for (uint32_t step = 0; step < f->count; step++) {
            uint64_t work = 0;
            assert_int_equal(gt_kept_append(kept, &f->steps[step], 1, NULL), GOAT_OK);
            gt_buf_clear(&out);
            assert_int_equal(gt_kept_write(kept, &out, &work, NULL), GOAT_OK);
            assert_true(work < 200);
        }
        gt_kept_free(kept);
        end(f);
    }
    gt_buf_free(&out);
    test_value_free(base);
}

/* Each of the steps is by somebody who has not seen the first, so all of them are compared anew: they are as long as that only
 * the first time. */
static void what_two_have_in_common_is_found_once(void **state) {
    enum { HEADS = GT_CONTEST_COMPARED_MAX + 1, STEPS = 10, LENGTH = 2000 };
    fixture *f = *state;
    gt_bytes base = test_value("{text: '()'}");
    uint32_t heads[HEADS];
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    begin(f, "merged", __func__);
    for (uint32_t i = 0; i < HEADS; i++) heads[i] = add_long(f, (uint8_t)(100 + i), LENGTH);
    uint32_t others = add(f, heads + 1, HEADS - 1, "");
    for (int i = 0; i < STEPS; i++) add(f, &others, 1, "'z'");
    gt_kept *kept = gt_kept_new(&gt_alloc_system, f->schema, base);
    for (uint32_t step = 0; step < f->count; step++) {
        uint64_t work = 0;
        assert_int_equal(gt_kept_append(kept, &f->steps[step], 1, NULL), GOAT_OK);
        gt_buf_clear(&out);
        assert_int_equal(gt_kept_write(kept, &out, &work, NULL), GOAT_OK);
        if (step >= HEADS) assert_true(work < 3 * HEADS * HEADS);
    }
    assert_true(out.len > LENGTH && out.len < LENGTH + 50);
    gt_kept_free(kept);
    end(f);
    gt_buf_free(&out);
    test_value_free(base);
}

/* Each has seen the last and another one, so the last is compared with more than are remembered. */
static void what_is_forgotten_is_found_again(void **state) {
    enum { OTHERS = GT_OVERLAPS_MAX + 8, LENGTH = GT_OVERLAP_KNOWN_MIN };
    fixture *f = *state;
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    begin(f, "merged", __func__);
    for (uint32_t i = 0; i < OTHERS; i++) add_long(f, 100, LENGTH);
    uint32_t last = add_long(f, 200, LENGTH);
    for (uint32_t i = 0; i < 2 * OTHERS; i++) {
        char runs[TEXT_MAX];
        uint32_t seen[2] = {i % OTHERS, last};
        snprintf(runs, sizeof runs, "%d, 'w%04u '", LENGTH + 2, (unsigned)i);
        add(f, seen, 2, runs);
    }
    replay(f, &text);
    size_t left = strspn((const char *)text.data + 1, "x"); /* what is too far off stands again */
    assert_true(left >= LENGTH && left % LENGTH == 0);
    assert_int_equal(text.len, left + 2 + 2 * OTHERS * 6); /* and each wrote behind the parenthesis */
    assert_int_equal(text.data[1 + left], ')');
    end(f);
    gt_buf_free(&text);
}

/* ---- how far off ---- */

static bool holds_twice(const gt_buf *text, const char *word) {
    size_t len = strlen(word), found = 0;
    for (size_t at = 0; at + len <= text->len; at++) found += memcmp(text->data + at, word, len) == 0;
    assert_true(found > 0);
    return found == 2;
}

/* What has the first and the last id says the same; between them, so many that say something else. */
static bool stands_twice(fixture *f, uint32_t between, bool void_between) {
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    begin(f, "merged", __func__);
    add_heads(f, between);
    for (uint32_t i = 0; i < between; i++) {
        f->ids[i][0] = 100;
        f->steps[i].is_void = void_between;
    }
    f->ids[add(f, NULL, 0, "1, 'same '")][0] = 99;
    f->ids[add(f, NULL, 0, "1, 'same '")][0] = 101;
    replay(f, &text);
    bool twice = holds_twice(&text, "same");
    end(f);
    gt_buf_free(&text);
    return twice;
}

static void what_is_too_far_off_is_not_compared(void **state) {
    fixture *f = *state;
    assert_false(stands_twice(f, 0, false));
    assert_false(stands_twice(f, GT_CONTEST_COMPARED_MAX - 1, false));
    assert_true(stands_twice(f, GT_CONTEST_COMPARED_MAX, false));
    assert_false(stands_twice(f, GT_CONTEST_COMPARED_MAX - 1, true)); /* void or not, they are in the version */
    assert_true(stands_twice(f, GT_CONTEST_COMPARED_MAX, true));
}

/* They may come in any order: how many are there is asked of the version, not of what was gone through. */
static void whoever_comes_between_later_puts_them_too_far_apart(void **state) {
    fixture *f = *state;
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    for (int before = 0; before < 2; before++) {
        begin(f, "merged", __func__);
        if (before == 1) add_heads(f, GT_CONTEST_COMPARED_MAX);
        uint32_t pair[2] = {add(f, NULL, 0, "1, 'same '"), add(f, NULL, 0, "1, 'same '")};
        if (before == 0) add_heads(f, GT_CONTEST_COMPARED_MAX);
        for (uint32_t i = 0; i < f->count; i++) f->ids[i][0] = i == pair[0] ? 99 : i == pair[1] ? 101 : 100;
        replay(f, &text);
        assert_true(holds_twice(&text, "same"));
        add(f, pair, 2, "'z'"); /* whoever knows only these two saw one, and discarded the other */
        replay(f, &text);
        assert_false(holds_twice(&text, "same"));
        end(f);
    }
    gt_buf_free(&text);
}

/* ---- what chance does not find ---- */

/* A step that edits a list, at its time. */
static uint32_t add_to_list(fixture *f, const uint32_t *parent, const char *runs, uint64_t time) {
    char delta[TEXT_MAX];
    uint32_t i = add(f, parent, parent != NULL, "");
    snprintf(delta, sizeof delta, "{list: {0: [%s]}}", runs);
    test_value_free(f->steps[i].delta);
    f->steps[i].delta = test_value(delta);
    f->steps[i].time = time;
    return i;
}

/* One inserts 'e' at the end and 'l' in front, and moves 'e' behind 'l'. There 'k' wins over 'l', so 'e' falls back to the end.
 * But it does not speak for that place: what is written behind 'n', which is removed, shows something where 'e' should not. */
static void what_falls_back_does_not_speak_for_its_place(void **state) {
    fixture *f = *state;
    gt_bytes base = test_value("{list: ['(', ')']}");
    const char *const views[] = {"{list: ['k', '(', ')', 'e']}", "{list: ['k', '(', ')', 'x']}"};
    begin(f, "latest", __func__);
    gt_schema_free(f->schema);
    f->schema = test_schema(
        "{\"ns\": \"n\", \"version\": 1, \"fields\": {\"list\": {\"type\": \"list\", \"merge\": \"latest\"}}}");
    uint32_t n = add_to_list(f, NULL, "2, ['n']", 100), e = add_to_list(f, NULL, "2, ['e']", 200);
    uint32_t l = add_to_list(f, &e, "['l']", 300);
    add_to_list(f, &l, "1, {1: 3}", 400);
    add_to_list(f, NULL, "['k']", 500);
    add_to_list(f, &n, "2, -1", 600);
    gt_kept *kept = gt_kept_new(&gt_alloc_system, f->schema, base);
    for (uint32_t i = 0, first = 0; i < 2; i++) {
        gt_buf out;
        gt_buf_init(&out, &gt_alloc_system);
        if (i == 1) add_to_list(f, &n, "3, ['x']", 700); /* by somebody who still saw 'n' */
        assert_int_equal(gt_kept_append(kept, &f->steps[first], f->count - first, NULL), GOAT_OK);
        first = f->count;
        assert_int_equal(gt_kept_write(kept, &out, NULL, NULL), GOAT_OK);
        gt_bytes view = test_value(views[i]);
        assert_true(gt_bytes_equal(gt_buf_bytes(&out), view));
        test_value_free(view);
        gt_buf_free(&out);
    }
    gt_kept_free(kept);
    test_value_free(base);
    end(f);
}

/* A void step discarded 'a'; it is followed by one that edits nothing, and that one by one that counts: so it is for good. */
static void a_discard_is_followed_through_steps_that_do_not_edit(void **state) {
    fixture *f = *state;
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    begin(f, "latest", __func__);
    uint32_t heads[2] = {add(f, NULL, 0, "1, 'a'"), add(f, NULL, 0, "1, 'b'")};
    uint32_t discards = add(f, heads, 2, "'x'"), silent = add(f, &discards, 1, "");
    add(f, &silent, 1, "'y'");
    f->steps[heads[1]].is_void = f->steps[discards].is_void = true;
    replay(f, &text);
    assert_int_equal(text.len, 3);
    assert_memory_equal(text.data, "y()", 3);
    end(f);
    gt_buf_free(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(thousands_at_one_place_do_not_cost_their_square, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_left_out_once_is_not_looked_at_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_who_always_write_at_one_place_cost_what_is_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_chain_of_losers_is_marked_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kept_one_costs_what_is_new, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_two_have_in_common_is_found_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_forgotten_is_found_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_too_far_off_is_not_compared, set_up, tear_down),
        cmocka_unit_test_setup_teardown(whoever_comes_between_later_puts_them_too_far_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_falls_back_does_not_speak_for_its_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_discard_is_followed_through_steps_that_do_not_edit, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
