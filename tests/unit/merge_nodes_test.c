/* core/merge: where a node of Fugue's tree begins and ends, with all that hangs on it: as going down from it says, at any depth
 * for less. */
#include "support/test.h"

#include "merge/nodes.h"
#include "support/test_random.h"

#include <stdlib.h>

enum { NODES_MAX = 20000, LENGTH_MAX = 3 };

typedef struct fixture {
    test_random random;
    uint8_t ids[NODES_MAX][GT_HASH_SIZE];
    gt_step steps[NODES_MAX];
    gt_node *all[NODES_MAX];
    uint32_t count;
    gt_replay replay;
    gt_nodes nodes;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    gt_arena_init(&f->replay.arena, &gt_alloc_system);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    gt_arena_free(&f->replay.arena);
    free(f);
    return 0;
}

static void begin(fixture *f) {
    gt_arena_reset(&f->replay.arena);
    f->count = 0;
    f->replay.steps = f->steps;
    f->replay.step_count = NODES_MAX;
    f->replay.work = 0;
    assert_true(gt_nodes_init(&f->nodes, &f->replay, &f->replay.arena));
}

/* A node of so many elements by a step of its own, whose id begins with `order`. */
static gt_node *hang(fixture *f, gt_node *parent, uint32_t index, bool left, uint32_t length, uint32_t order) {
    uint32_t step = f->count++;
    gt_element at = parent == NULL ? GT_ELEMENT_ROOT : (gt_element){parent->first.step, parent->first.index + index};
    for (int i = 0; i < 4; i++) f->ids[step][i] = (uint8_t)(order >> (24 - 8 * i));
    gt_put_u32(f->ids[step] + 4, step);
    f->steps[step] = (gt_step){.id = f->ids[step]};
    gt_node *node = f->all[step] = gt_arena_new(&f->replay.arena, 1, sizeof *node);
    assert_non_null(node);
    *node = (gt_node){.first = {step, 0}, .length = length, .parent = parent};
    assert_true(gt_nodes_reserve(&f->nodes));
    gt_family *family = gt_nodes_family(&f->nodes, at, left);
    gt_node **link = gt_nodes_link(&f->nodes, family, node->first);
    f->nodes.count += family->first == NULL;
    family->parent = at;
    family->left = left;
    assert_true(gt_nodes_hang(&f->nodes, family, link, node));
    return node;
}

/* ---- by going down ---- */

static gt_element first_by_going_down(const fixture *f, const gt_node *at) {
    for (const gt_node *child; (child = gt_nodes_family(&f->nodes, at->first, true)->first) != NULL;) at = child;
    return at->first;
}

static gt_element last_by_going_down(const fixture *f, const gt_node *at) {
    for (;;) {
        gt_element last = {at->first.step, at->first.index + at->length - 1};
        const gt_node *child = gt_family_last(gt_nodes_family(&f->nodes, last, false));
        if (child == NULL) return last;
        at = child;
    }
}

static void assert_ends(const fixture *f, const gt_node *node) {
    assert_true(gt_element_is(gt_node_leftmost(&f->nodes, node), first_by_going_down(f, node)));
    assert_true(gt_element_is(gt_node_rightmost(&f->nodes, node), last_by_going_down(f, node)));
}

/* ---- the tests ---- */

static void both_ends_are_those_of_going_down(void **state) {
    fixture *f = *state;
    test_random_init(&f->random, __func__);
    for (int round = 0; round < 300; round++) {
        begin(f);
        uint32_t count = 2 + test_random_below(&f->random, 200), near = 1 + test_random_below(&f->random, 20);
        while (f->count < count) { /* on one of those that came lately, so that it becomes deep */
            uint32_t back = 1 + test_random_below(&f->random, near);
            gt_node *parent = back > f->count ? NULL : f->all[f->count - back];
            uint32_t index = parent == NULL ? 0 : test_random_below(&f->random, parent->length);
            bool left = parent != NULL && test_random_below(&f->random, 2) == 0;
            hang(f, parent, index, left, 1 + test_random_below(&f->random, LENGTH_MAX),
                 test_random_below(&f->random, 8));
            for (uint32_t i = 0; i < 4; i++) assert_ends(f, f->all[test_random_below(&f->random, f->count)]);
        }
        for (uint32_t i = 0; i < f->count; i++) assert_ends(f, f->all[i]);
    }
}

/* Each hangs on the one before it; then one comes before each child, from the top, so that what begins where is another
 * every time. */
static void a_deep_chain_costs_no_square(void **state) {
    enum { DEPTH = NODES_MAX / 2 };
    fixture *f = *state;
    for (int left = 0; left < 2; left++) {
        begin(f);
        gt_node *last = hang(f, NULL, 0, false, 1, 5);
        while (f->count < DEPTH) last = hang(f, last, 0, left == 1, 1, 5);
        for (uint32_t i = 0; i + 1 < DEPTH; i++) {
            gt_element first = gt_node_leftmost(&f->nodes, f->all[i + 1]);
            gt_element end = gt_node_rightmost(&f->nodes, f->all[i + 1]);
            assert_int_equal(first.step, left == 1 ? DEPTH - 1 : i + 1);
            assert_int_equal(end.step, left == 1 ? i + 1 : DEPTH - 1);
            gt_node *beside = hang(f, f->all[i], 0, left == 1, 1, left == 1 ? 1 : 9);
            first = gt_node_leftmost(&f->nodes, f->all[0]);
            end = gt_node_rightmost(&f->nodes, f->all[0]);
            gt_node *outermost = i == 0 ? beside : f->all[DEPTH];
            assert_int_equal(left == 1 ? first.step : end.step, outermost->first.step);
        }
        assert_true(f->replay.work < 200 * NODES_MAX);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_ends_are_those_of_going_down, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_deep_chain_costs_no_square, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
