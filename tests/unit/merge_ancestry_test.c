/* core/merge/ancestry: exact with clocks and without, few chains, cost in proportion to the steps; and
 * what a replay costs because of it. */
#include "support/test.h"

#include "merge/ancestry.h"
#include "support/history.h"
#include "support/test_alloc.h"
#include "support/test_schema.h"
#include "support/test_value.h"

#include <stdlib.h>
#include <string.h>

/* ---- exactness ---- */

/* Every question about every pair, and about unions of several pasts, against sets of bits. */
static void check_against_bits(const history *h, uint32_t clocks_max, test_random *random) {
    gt_arena arena;
    gt_ancestry ancestry;
    gt_past past, sum;
    uint64_t expected = 0;
    gt_arena_init(&arena, &gt_alloc_system);
    gt_ancestry_init(&ancestry, &arena, h->steps, h->count);
    ancestry.clocks_max = clocks_max;
    gt_past_init(&past, &ancestry);
    gt_past_init(&sum, &ancestry);
    for (uint32_t b = 0; b < h->count; b++) {
        gt_past_clear(&past);
        assert_true(gt_past_add(&past, b));
        if (test_random_below(random, 4) == 0) {
            assert_true(gt_past_add(&sum, b));
            expected |= h->past[b];
        }
        for (uint32_t a = 0; a < h->count; a++) {
            assert_int_equal(gt_past_has(&past, a), h->past[b] >> a & 1);
            assert_int_equal(gt_past_has(&sum, a), expected >> a & 1);
        }
    }
    gt_arena_free(&arena);
}

static void clocks_and_walks_say_what_the_graph_says(void **state) {
    (void)state;
    static history h;
    static history_script script;
    history_fields fields;
    test_random random;
    test_random_init(&random, __func__);
    history_fields_init(&fields, 0);
    history_init(&h, &fields);
    for (int i = 0; i < 3000; i++) {
        history_script_random(&script, &fields, &random, 1 + test_random_below(&random, HISTORY_REPLICAS_MAX),
                              1 + test_random_below(&random, HISTORY_STEPS_MAX));
        script.is_bare = true;
        assert_true(history_make(&h, &script, NULL));
        check_against_bits(&h, GT_ANCESTRY_CLOCKS_MAX, &random);
        check_against_bits(&h, 0, &random);  /* walks, unless nothing ever forks */
        check_against_bits(&h, 20, &random); /* gives up on the way */
    }
    history_free(&h);
    history_fields_free(&fields);
}

static void a_past_of_nothing_holds_nothing_and_builds_nothing(void **state) {
    (void)state;
    test_alloc memory;
    gt_arena arena;
    gt_ancestry ancestry;
    gt_past past;
    gt_step step = {.time = 1};
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    gt_arena_init(&arena, &memory.alloc);
    gt_ancestry_init(&ancestry, &arena, &step, 1);
    gt_past_init(&past, &ancestry);
    assert_false(gt_past_has(&past, 0));
    gt_past_clear(&past);
    assert_int_equal(memory.calls, 0);
    assert_true(gt_past_add(&past, 0));
    assert_false(gt_past_has(&past, 0)); /* a step is not its own ancestor */
    gt_arena_free(&arena);
    test_alloc_assert_empty(&memory);
}

/* ---- large histories ---- */

typedef struct large {
    gt_step *steps;
    uint8_t (*ids)[32];
    uint32_t (*parents)[8]; /* as many as there are authors at most */
    uint32_t count;
    uint32_t heads[8]; /* of each author: what he would write on top of, UINT32_MAX for none */
    uint32_t others[8][8];
    gt_bytes deltas[8];
} large;

static void large_init(large *l, uint32_t most) {
    memset(l, 0, sizeof *l);
    l->steps = calloc(most, sizeof *l->steps);
    l->ids = calloc(most, sizeof *l->ids);
    l->parents = calloc(most, sizeof *l->parents);
    memset(l->heads, 0xff, sizeof l->heads);
}

static void large_free(large *l) {
    for (size_t i = 0; i < 8; i++) {
        test_value_free(l->deltas[i]);
    }
    free(l->steps);
    free(l->ids);
    free(l->parents);
}

static uint32_t large_add(large *l, const uint32_t *parents, uint32_t parent_count, gt_bytes delta) {
    uint32_t index = l->count++;
    for (uint32_t i = 0; i < parent_count; i++) {
        l->parents[index][i] = parents[i];
    }
    memcpy(l->ids[index], &index, sizeof index);
    l->steps[index] = (gt_step){.id = l->ids[index],
                                .time = 1 + index,
                                .delta = delta,
                                .parents = l->parents[index],
                                .parent_count = parent_count};
    return index;
}

/* `authors` write in turns; before writing, one hears of the last step of a few others. Parents may be
 * redundant, which is no harm. */
static void gossip(large *l, test_random *random, uint32_t authors, uint32_t steps, bool named) {
    while (l->count < steps) {
        uint32_t author = test_random_below(random, authors), parents[8], count = 0;
        for (uint32_t other = 0; other < authors; other++) {
            if (l->heads[other] != UINT32_MAX && (other == author || test_random_below(random, 4) == 0)) {
                parents[count++] = l->heads[other];
            }
        }
        l->heads[author] = large_add(l, parents, count, l->deltas[author]);
        l->steps[l->heads[author]].author = named ? author + 1 : 0;
    }
}

static uint32_t count_chains(test_random *random, uint32_t authors, bool named) {
    large l;
    gt_arena arena;
    gt_ancestry ancestry;
    gt_past past;
    large_init(&l, 5000);
    gossip(&l, random, authors, 5000, named);
    gt_arena_init(&arena, &gt_alloc_system);
    gt_ancestry_init(&ancestry, &arena, l.steps, l.count);
    gt_past_init(&past, &ancestry);
    assert_true(gt_past_add(&past, l.count - 1));
    assert_false(ancestry.walks);
    uint32_t chains = ancestry.chain_count;
    gt_arena_free(&arena);
    large_free(&l);
    return chains;
}

static void chains_are_as_many_as_authors_where_these_are_known_and_few_otherwise(void **state) {
    (void)state;
    test_random random;
    test_random_init(&random, __func__);
    for (uint32_t authors = 1; authors <= 6; authors++) {
        assert_true(count_chains(&random, authors, true) <= authors);
        assert_true(count_chains(&random, authors, false) <= authors * 8);
    }
}

static gt_schema *schema_of_tags(void) {
    return test_schema("{\"ns\": \"n\", \"version\": 1, \"fields\": {\"tags\": {\"type\": \"set\"}}}");
}

static uint64_t work_of(const gt_schema *schema, const large *l, const char *expected) {
    uint64_t work = 0;
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    assert_int_equal(
        gt_merge_replay(&gt_alloc_system, schema, gt_bytes_of(NULL, 0), l->steps, l->count, &out, &work, NULL),
        GOAT_OK);
    if (expected != NULL) {
        assert_value(gt_buf_bytes(&out), expected);
    }
    gt_buf_free(&out);
    return work;
}

/* Two or six authors who add and remove the same elements all the time, and merge all the time. */
static void work_is_linear_in_the_steps(void **state) {
    (void)state;
    gt_schema *schema = schema_of_tags();
    for (uint32_t authors = 1; authors <= 6; authors += 5) {
        uint64_t before = 0;
        for (uint32_t steps = 1000; steps <= 16000; steps *= 2) {
            test_random random = {7};
            large l;
            large_init(&l, steps);
            for (uint32_t author = 0; author < authors; author++) {
                l.deltas[author] = test_value(author % 2 == 0 ? "{0: true, tags: {0: set[1, 2], 1: set[3]}}"
                                                              : "{tags: {0: set[3], 1: set[1, 2]}}");
            }
            gossip(&l, &random, authors, steps, true);
            uint64_t work = work_of(schema, &l, NULL);
            assert_true(work >= steps && work <= (uint64_t)steps * 100);
            assert_true(before == 0 || work <= before * 22 / 10);
            before = work;
            large_free(&l);
        }
    }
    gt_schema_free(schema);
}

static void thousands_of_heads_need_no_clocks_of_their_own(void **state) {
    (void)state;
    enum { HEADS = 5000 };
    gt_schema *schema = schema_of_tags();
    large l;
    large_init(&l, HEADS + 1);
    l.deltas[0] = test_value("{tags: set[1, 2, 3]}");
    l.deltas[1] = test_value("{tags: {0: set[4], 1: set[1]}}");
    l.deltas[2] = test_value("{tags: undefined}");
    uint32_t first = large_add(&l, NULL, 0, l.deltas[0]);
    for (uint32_t i = 0; i < HEADS; i++) {
        large_add(&l, &first, 1, l.deltas[i == 17 ? 2 : 1]);
    }
    assert_true(work_of(schema, &l, "{tags: set[4]}") < (uint64_t)HEADS * 20);
    large_free(&l);
    gt_schema_free(schema);
}

/* Thousands of heads, and thousands of merges of a few of them each: clocks would take tens of megabytes. */
static void beyond_its_limit_ancestry_is_walked_and_memory_stays_small(void **state) {
    (void)state;
    enum { HEADS = 3000, MERGES = 3000 };
    test_random random;
    test_alloc memory;
    gt_schema *schema = schema_of_tags();
    large l;
    gt_buf out;
    test_random_init(&random, __func__);
    large_init(&l, HEADS + MERGES + 1);
    l.deltas[0] = test_value("{tags: set[1, 2]}");
    l.deltas[1] = test_value("{tags: {1: set[1]}}");
    for (uint32_t i = 0; i < HEADS; i++) {
        large_add(&l, NULL, 0, l.deltas[0]);
    }
    for (uint32_t i = 0; i < MERGES; i++) {
        uint32_t parents[4];
        for (size_t p = 0; p < 4; p++) {
            parents[p] = test_random_below(&random, l.count);
        }
        large_add(&l, parents, 4, l.deltas[1]);
    }
    test_alloc_init(&memory, TEST_ALLOC_NEVER);
    gt_buf_init(&out, &gt_alloc_system);
    assert_int_equal(gt_merge_replay(&memory.alloc, schema, gt_bytes_of(NULL, 0), l.steps, l.count, &out, NULL, NULL),
                     GOAT_OK);
    assert_true(memory.most_bytes < 16 << 20);
    test_alloc_assert_empty(&memory);
    gt_buf_free(&out);
    large_free(&l);
    gt_schema_free(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_and_walks_say_what_the_graph_says),
        cmocka_unit_test(a_past_of_nothing_holds_nothing_and_builds_nothing),
        cmocka_unit_test(chains_are_as_many_as_authors_where_these_are_known_and_few_otherwise),
        cmocka_unit_test(work_is_linear_in_the_steps),
        cmocka_unit_test(thousands_of_heads_need_no_clocks_of_their_own),
        cmocka_unit_test(beyond_its_limit_ancestry_is_walked_and_memory_stays_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
