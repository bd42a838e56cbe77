/* Text with the strategies latest, either and merged over random histories, against the rules (support/strategy_model.c) and
 * against itself from other starting points and in other orders. Claim by claim they are in merge_strategy_edit_test.c. */
#include "support/test.h"

#include "support/strategy_model.h"
#include "support/test_schema.h"
#include "value/value.h"

enum { STEPS_MAX = STRATEGY_STEPS_MAX, HISTORIES = 12000 };

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
    gt_buf expected;
    gt_bytes value = gt_map_find(gt_buf_bytes(state), gt_bytes_text("t")), text = {0};
    gt_buf_init(&expected, &gt_alloc_system);
    strategy_text(h, steps, &expected);
    if (strategy_is_present(h, steps) != (value.data != NULL)) fail_msg("present: %d", value.data != NULL);
    if (value.data != NULL) {
        assert_true(gt_value_as_text(value, &text));
        if (!gt_bytes_equal(text, gt_buf_bytes(&expected))) {
            strategy_print(h);
            fail_msg("%s, of steps %llx: expected '%.*s' but was '%.*s'", claim, (unsigned long long)steps,
                     (int)expected.len, (const char *)expected.data, (int)text.len, (const char *)text.data);
        }
    }
    gt_buf_free(&expected);
}

/* Whether every other step is before a head of `version` or behind all of it. */
static bool is_critical(const history *h, uint64_t version, uint64_t head) {
    for (uint32_t i = 0; i < h->count; i++) {
        if ((version & bit(i)) == 0 && (h->past[i] & head) != head) return false;
    }
    return strategy_counting(h, version) == version;
}

typedef struct figures {
    uint32_t bases, alone;
} figures;

/* From every critical version; and each step alone, on the view of its parents, which is plain application. */
static void replay_from_within(history *h, const gt_schema *schema, const gt_buf *whole, figures *seen) {
    gt_buf base, again;
    uint64_t all = bit(h->count) - 1;
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    for (uint32_t s = 0; s < h->count; s++) {
        uint64_t version = h->past[s] | bit(s);
        if (h->past[s] != 0 && strategy_counting(h, version) == version) {
            replay(h, schema, gt_bytes_of(NULL, 0), h->past[s], 0, &base);
            replay(h, schema, gt_buf_bytes(&base), version, h->past[s], &again);
            assert_shows(h, &again, version, "an edit by one side alone");
            seen->alone++;
        }
        if (s + 1 == h->count || !is_critical(h, version, bit(s))) continue;
        replay(h, schema, gt_bytes_of(NULL, 0), version, 0, &base);
        assert_shows(h, &base, version, "a critical version");
        replay(h, schema, gt_buf_bytes(&base), all, version, &again);
        assert_shows(h, &again, all, "from a critical version");
        assert_true(gt_bytes_equal(gt_buf_bytes(whole), gt_buf_bytes(&again)));
        seen->bases++;
    }
    gt_buf_free(&base);
    gt_buf_free(&again);
}

static void check_histories(const char *name, const char *definition, gt_strategy strategy) {
    gt_schema *schema = test_schema(definition);
    history *h = test_malloc(sizeof(*h));
    gt_buf whole, again;
    figures seen = {0};
    test_random_init(&h->random, name);
    gt_buf_init(&whole, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    h->strategy = strategy;
    for (int i = 0; i < HISTORIES; i++) {
        strategy_make(h, 1 + test_random_below(&h->random, i % 20 == 0 ? STEPS_MAX : 12));
        uint64_t all = bit(h->count) - 1;
        for (uint32_t s = 0; s < h->count; s++) {
            assert_int_equal(gt_merge_check_delta(schema, h->steps[s].delta, NULL), GOAT_OK);
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

#define DEFINITION(word) "{\"ns\":\"n\",\"version\":1,\"fields\":{\"t\":{\"type\":\"text\",\"merge\":\"" word "\"}}}"

static void with_either_the_one_of_the_greatest_id_is_left(void **state) {
    (void)state;
    check_histories(__func__, DEFINITION("either"), GT_STRATEGY_EITHER);
}

static void with_latest_the_later_one_is_left(void **state) {
    (void)state;
    check_histories(__func__, DEFINITION("latest"), GT_STRATEGY_LATEST);
}

static void with_merged_what_two_have_in_common_stands_once(void **state) {
    (void)state;
    check_histories(__func__, DEFINITION("merged"), GT_STRATEGY_MERGED);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_either_the_one_of_the_greatest_id_is_left),
        cmocka_unit_test(with_latest_the_later_one_is_left),
        cmocka_unit_test(with_merged_what_two_have_in_common_stands_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
