/* core/commit: the Merkle tree, against a naive one. */
#include "support/test.h"

#include "commit/tree.h"

#include "support/naive_tree.h"
#include "support/test_random.h"

#include <stdlib.h>
#include <string.h>

static int make_hasher(void **state) { return gt_hasher_new(&gt_alloc_system, (gt_hasher **)state, NULL); }

static int free_hasher(void **state) {
    gt_hasher_free(*state);
    return 0;
}

static gt_id *numbered_ids(gt_hasher *hasher, uint32_t n) {
    gt_id *ids = calloc(n, sizeof *ids);
    assert_non_null(ids);
    for (uint32_t i = 0; i < n; i++) {
        gt_hash(hasher, &i, sizeof i, ids[i].bytes);
    }
    return ids;
}

static void the_tree_is_that_of_rfc_6962(void **state) {
    gt_hasher *hasher = *state;
    gt_id *ids = numbered_ids(hasher, 300);
    for (uint32_t n = 1; n <= 300; n++) {
        gt_tree tree;
        gt_tree_init(&tree, hasher, n);
        for (uint32_t i = 0; i < n; i++) {
            gt_tree_add(&tree, 1, &ids[i]);
        }
        gt_id expected = naive_tree(hasher, ids, n);
        assert_memory_equal(gt_tree_root(&tree), &expected, sizeof expected);
    }
    free(ids);
}

/* Marks the nodes of the tree over the n leaves from `first`, and which are left children of what. */
static void mark_nodes(uint8_t (*nodes)[140], uint8_t (*right_of)[140], uint32_t first, uint32_t n) {
    uint32_t k = 1;
    nodes[first][n] = 1;
    if (n == 1) {
        return;
    }
    while (2 * k < n) {
        k *= 2;
    }
    right_of[first][k] = (uint8_t)(n - k);
    mark_nodes(nodes, right_of, first, k);
    mark_nodes(nodes, right_of, first + k, n - k);
}

static void nodes_and_siblings_follow_from_numbers_alone(void **state) {
    (void)state;
    for (uint32_t size = 1; size <= 130; size++) {
        static uint8_t nodes[140][140], right_of[140][140];
        memset(nodes, 0, sizeof nodes);
        memset(right_of, 0, sizeof right_of);
        mark_nodes(nodes, right_of, 0, size);
        for (uint32_t first = 0; first <= size + 1; first++) {
            for (uint32_t count = 0; count <= size + 1; count++) {
                assert_int_equal(gt_tree_has(size, first, count), nodes[first][count]);
                for (uint32_t right = 1; nodes[first][count] && first + count + right <= size; right++) {
                    bool siblings = gt_tree_siblings(size, first, count, right);
                    assert_int_equal(siblings, right_of[first][count] == right);
                }
            }
        }
    }
    assert_true(gt_tree_has(GOAT_BATCH_MAX, 0, GOAT_BATCH_MAX));
    assert_true(gt_tree_has(GOAT_BATCH_MAX, GOAT_BATCH_MAX - 1, 1));
    assert_false(gt_tree_has(GOAT_BATCH_MAX + 1, 0, GOAT_BATCH_MAX + 1));
    assert_false(gt_tree_has(4, UINT32_MAX, 2));
    assert_false(gt_tree_has(4, 2, UINT32_MAX));
}

/* Adds the nodes that a random walk down the tree stops at. */
static void add_some(test_random *random, gt_tree *tree, const gt_id *ids, uint32_t first, uint32_t n) {
    uint32_t k = 1;
    if (n == 1 || test_random_below(random, 3) == 0) {
        gt_id hash = naive_tree(tree->hasher, ids + first, n);
        gt_tree_add(tree, n, &hash);
        return;
    }
    while (2 * k < n) {
        k *= 2;
    }
    add_some(random, tree, ids, first, k);
    add_some(random, tree, ids, first + k, n - k);
}

static void whole_subtrees_may_stand_for_their_leaves(void **state) {
    gt_hasher *hasher = *state;
    gt_id *ids = numbered_ids(hasher, 300);
    test_random random;
    test_random_init(&random, __func__);
    for (unsigned round = 0; round < 2000; round++) {
        uint32_t n = 1 + test_random_below(&random, 300);
        gt_tree tree;
        gt_tree_init(&tree, hasher, n);
        add_some(&random, &tree, ids, 0, n);
        gt_id expected = naive_tree(hasher, ids, n);
        assert_memory_equal(gt_tree_root(&tree), &expected, sizeof expected);
    }
    free(ids);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tree_is_that_of_rfc_6962),
        cmocka_unit_test(nodes_and_siblings_follow_from_numbers_alone),
        cmocka_unit_test(whole_subtrees_may_stand_for_their_leaves),
    };
    return cmocka_run_group_tests_name("tree", tests, make_hasher, free_hasher);
}
