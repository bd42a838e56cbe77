/* Text, lists and rich text with the strategies latest, either and merged over random histories, against the rules (support/strategy_model.c) and
 * against itself from other starting points and in other orders. Claim by claim they are in merge_strategy_edit_test.c. */
#include "support/test.h"

#include "support/strategy_model.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>

enum { STEPS_MAX = STRATEGY_STEPS_MAX, HISTORIES = 1500 };

typedef strategy_history history;

static uint64_t bit(uint32_t step) { return strategy_bit(step); }

/* Replays the steps of `which` on a base that holds those of `before`, in some order with parents first. */
static void replay(history *h, const gt_schema *schema, gt_bytes base, uint64_t which, uint64_t before, gt_buf *out) {
    gt_step steps[STEPS_MAX];
    uint32_t parents[STEPS_MAX][STEPS_MAX], place[STEPS_MAX], count = 0;
    uint64_t left = which & ~before, done = before;
    gt_diag diag;
    gt_diag_init(&diag);
    while (left != 0) {
        uint32_t step = test_random_below(&h->random, h->count);
        if ((left & bit(step)) == 0 || (h->past[step] & ~done) != 0) continue;
        steps[count] = h->steps[step];
        steps[count].parents = parents[count];
        steps[count].parent_count = 0;
        for (uint32_t i = 0; i < h->steps[step].parent_count; i++) {
            uint32_t parent = h->parents[step][i];
            if ((before & bit(parent)) == 0) parents[count][steps[count].parent_count++] = place[parent];
        }
        place[step] = count++;
        done |= bit(step);
        left &= ~bit(step);
    }
    gt_buf_clear(out);
    if (gt_merge_replay(&gt_alloc_system, schema, base, steps, count, out, NULL, &diag) != GOAT_OK) {
        fail_msg("%s", diag.message);
    }
}

static void assert_shows(history *h, const gt_buf *state, uint64_t steps, const char *claim) {
    gt_buf expected, printed;
    gt_bytes value = gt_map_find(gt_buf_bytes(state), gt_bytes_text("t"));
    gt_buf_init(&expected, &gt_alloc_system);
    strategy_value(h, steps, &expected);
    if (strategy_is_present(h, steps) != (value.data != NULL)) fail_msg("present: %d", value.data != NULL);
    if (value.data != NULL && !gt_bytes_equal(value, gt_buf_bytes(&expected))) {
        strategy_print(h);
        test_value_print(gt_buf_bytes(&expected), &printed);
        print_message("expected %s\n", (const char *)printed.data);
        gt_buf_free(&printed);
        test_value_print(value, &printed);
        fail_msg("%s, of steps %llx: was %s", claim, (unsigned long long)steps, (const char *)printed.data);
    }
    gt_buf_free(&expected);
}

/* Whether every other step comes after all of `version`, and none of it is void. */
static bool is_critical(const history *h, uint64_t version) {
    for (uint32_t i = 0; i < h->count; i++) {
        if ((version & bit(i)) == 0 && (h->past[i] & version) != version) return false;
    }
    return version != 0 && strategy_counting(h, version) == version;
}

typedef struct figures {
    uint32_t bases, alone;
} figures;

/* From every critical version, of one head or several; and each step alone, on the view of its parents, which is plain
 * application. */
static void replay_from_within(history *h, const gt_schema *schema, const gt_buf *whole, figures *seen) {
    gt_buf base, again;
    uint64_t all = bit(h->count) - 1;
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    for (uint32_t s = 0; s < h->count; s++) {
        uint64_t version = h->past[s] | bit(s);
        if (h->past[s] == 0) continue;
        replay(h, schema, gt_bytes_of(NULL, 0), h->past[s], 0, &base);
        if (strategy_counting(h, version) == version) {
            replay(h, schema, gt_buf_bytes(&base), version, h->past[s], &again);
            assert_shows(h, &again, version, "an edit by one side alone");
            seen->alone++;
        }
        if (!is_critical(h, h->past[s])) continue;
        assert_shows(h, &base, h->past[s], "a critical version");
        replay(h, schema, gt_buf_bytes(&base), all, h->past[s], &again);
        assert_shows(h, &again, all, "from a critical version");
        assert_true(gt_bytes_equal(gt_buf_bytes(whole), gt_buf_bytes(&again)));
        seen->bases++;
    }
    gt_buf_free(&base);
    gt_buf_free(&again);
}

static void check_histories(gt_type type, const char *type_name, gt_strategy strategy, const char *word) {
    char definition[128];
    snprintf(definition, sizeof(definition),
             "{\"ns\":\"n\",\"version\":1,\"fields\":{\"t\":{\"type\":\"%s\",\"merge\":\"%s\"}}}", type_name, word);
    gt_schema *schema = test_schema(definition);
    history *h = test_malloc(sizeof(*h));
    gt_buf whole, again;
    figures seen = {0};
    test_random_init(&h->random, definition);
    gt_buf_init(&whole, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    h->type = type;
    h->strategy = strategy;
    for (int i = 0; i < HISTORIES; i++) {
        strategy_make(h, 1 + test_random_below(&h->random, i % 20 == 0 ? STEPS_MAX : 12));
        uint64_t all = bit(h->count) - 1;
        for (uint32_t s = 0; s < h->count; s++) {
            gt_diag diag;
            gt_diag_init(&diag);
            if (gt_merge_check_delta(schema, h->steps[s].delta, &diag) != GOAT_OK) fail_msg("%s", diag.message);
        }
        replay(h, schema, gt_bytes_of(NULL, 0), all, 0, &whole);
        assert_shows(h, &whole, all, "all");
        replay(h, schema, gt_bytes_of(NULL, 0), all, 0, &again);
        assert_true(gt_bytes_equal(gt_buf_bytes(&whole), gt_buf_bytes(&again)));
        replay_from_within(h, schema, &whole, &seen);
        strategy_free(h);
    }
    assert_true(seen.bases > HISTORIES / 4);
    assert_true(seen.alone > HISTORIES);
    gt_buf_free(&whole);
    gt_buf_free(&again);
    test_free(h);
    gt_schema_free(schema);
}

static void check_types(gt_strategy strategy, const char *word) {
    check_histories(GT_TYPE_TEXT, "text", strategy, word);
    check_histories(GT_TYPE_LIST, "list", strategy, word);
    check_histories(GT_TYPE_RICHTEXT, "richtext", strategy, word);
}

static void with_either_the_one_of_the_greatest_id_is_left(void **state) {
    (void)state;
    check_types(GT_STRATEGY_EITHER, "either");
}

static void with_latest_the_later_one_is_left(void **state) {
    (void)state;
    check_types(GT_STRATEGY_LATEST, "latest");
}

static void with_merged_what_two_have_in_common_stands_once(void **state) {
    (void)state;
    check_types(GT_STRATEGY_MERGED, "merged");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_either_the_one_of_the_greatest_id_is_left),
        cmocka_unit_test(with_latest_the_later_one_is_left),
        cmocka_unit_test(with_merged_what_two_have_in_common_stands_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
