/* Two sites of one network that know the schema "goat" and have the repository open, two writers who have none, and an
 * arena: what most tests of core/repo begin with. */
#ifndef TEST_PAIR_H
#define TEST_PAIR_H

#include "support/test_repo.h"

typedef struct test_pair {
    test_network network;
    test_site a, b;            /* of authors 0 (the server) and 1 */
    test_writer writer, other; /* of authors 2 and 3 */
    gt_arena arena;
} test_pair;

/* `flags` are those of test_site_init. */
void test_pair_begin(test_pair *pair, int flags);
void test_pair_end(test_pair *pair);

/* For cmocka: *state is a test_pair. */
int test_pair_set_up(void **state);
int test_pair_tear_down(void **state);

#define PAIR_CASE(name) cmocka_unit_test_setup_teardown(name, test_pair_set_up, test_pair_tear_down)

/* Both show the same and hold the same. */
void test_sites_equal(test_site *a, test_site *b);
/* It does once more, after it was opened again: with a checkpoint where there is one, or from the log alone. */
void test_site_reopen(test_site *site, int flags);

#endif
