/* Items in the order of their keys, sorted in pieces of any size. */
#include "support/test.h"
#include "support/test_random.h"
#include "support/test_repo.h"

#include <stdio.h>

static void every_size_of_piece_gives_the_same_order(void **state) {
    (void)state;
    test_network network;
    test_site site;
    test_random random;
    test_random_init(&random, __func__);
    test_network_init(&network);
    test_site_init(&site, &network, 0, 1, 0);
    test_site_learn(&site, test_goat_1);
    test_site_open(&site, 0);
    for (uint32_t items = 0; items < 70; items++) {
        for (uint32_t piece = 1; piece < 200; piece = 3 * piece + 1) {
            gt_key_order *order;
            uint32_t count, steps = 0;
            assert_int_equal(gt_key_order_new(site.repo, &order, NULL), GOAT_OK);
            while (!gt_key_order_step(order, piece)) steps++;
            const uint32_t *rows = gt_key_order_rows(order, &count);
            assert_int_equal(count, items);
            if (items > piece) assert_true(steps > 0); /* it did stop on the way */
            for (uint32_t i = 1; i < count; i++) {
                assert_true(gt_bytes_compare(gt_repo_key(site.repo, rows[i - 1]), gt_repo_key(site.repo, rows[i])) < 0);
            }
            gt_key_order_free(order);
        }
        char key[32];
        snprintf(key, sizeof key, "%x", (unsigned)test_random_u64(&random));
        test_site_edit(&site, key, "goat", 1, "{size: 1}");
    }
    test_site_free(&site);
    test_network_free(&network);
}

/* Counted, not timed: as many comparisons as a merge sort needs, in pieces of what was asked for. */
static void a_step_does_no_more_than_its_piece(void **state) {
    (void)state;
    enum { ITEMS = 1000, PIECE = 64 };
    test_network network;
    test_site site;
    gt_key_order *order;
    test_network_init(&network);
    test_site_init(&site, &network, 0, 1, TEST_SITE_FAST);
    test_site_learn(&site, test_goat_1);
    test_site_open(&site, 0);
    for (int i = 0; i < ITEMS; i++) {
        char key[32];
        snprintf(key, sizeof key, "%d", i * 7919 % ITEMS);
        test_site_edit(&site, key, "goat", 1, "{size: 1}");
    }
    assert_int_equal(gt_key_order_new(site.repo, &order, NULL), GOAT_OK);
    uint32_t steps = 1;
    while (!gt_key_order_step(order, PIECE)) steps++;
    assert_in_range(steps, (ITEMS + 10 * ITEMS) / PIECE, (ITEMS + 10 * ITEMS) / PIECE + 2);
    gt_key_order_free(order);
    test_site_free(&site);
    test_network_free(&network);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_of_piece_gives_the_same_order),
        cmocka_unit_test(a_step_does_no_more_than_its_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
