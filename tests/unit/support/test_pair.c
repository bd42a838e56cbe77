#include "support/test_pair.h"

#include "support/test.h"

#include <stdlib.h>

void test_pair_begin(test_pair *pair, int flags) {
    test_site *sites[] = {&pair->a, &pair->b};
    test_network_init(&pair->network);
    for (uint32_t i = 0; i < 2; i++) {
        test_site_init(sites[i], &pair->network, i, i + 1, flags);
        test_site_learn(sites[i], test_goat_1);
        test_site_open(sites[i], 0);
    }
    test_writer_init(&pair->writer, &pair->network, 2, test_goat_1);
    test_writer_init(&pair->other, &pair->network, 3, test_goat_1);
    gt_arena_init(&pair->arena, &gt_alloc_system);
}

void test_pair_end(test_pair *pair) {
    gt_arena_free(&pair->arena);
    test_writer_free(&pair->writer);
    test_writer_free(&pair->other);
    test_site_free(&pair->a);
    test_site_free(&pair->b);
    test_network_free(&pair->network);
}

int test_pair_set_up(void **state) {
    test_pair *pair = calloc(1, sizeof *pair);
    assert_non_null(pair);
    test_pair_begin(pair, 0);
    *state = pair;
    return 0;
}

int test_pair_tear_down(void **state) {
    test_pair_end(*state);
    free(*state);
    return 0;
}

void test_sites_equal(test_site *a, test_site *b) {
    uint8_t x[GT_HASH_SIZE], y[GT_HASH_SIZE];
    test_site_digest(a, x);
    test_site_digest(b, y);
    assert_memory_equal(x, y, sizeof x);
}

void test_site_reopen(test_site *site, int flags) {
    uint8_t x[GT_HASH_SIZE], y[GT_HASH_SIZE];
    test_site_digest(site, x);
    test_site_close(site);
    test_site_open(site, flags);
    assert_int_equal(gt_repo_faults(site->repo), 0);
    test_site_digest(site, y);
    assert_memory_equal(x, y, sizeof x);
}
