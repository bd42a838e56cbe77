/* Reproducible randomness for properties. The seed comes from the environment (GOAT_SEED) or the clock
 * and is printed at once, so that a failure can be repeated. */
#ifndef TEST_RANDOM_H
#define TEST_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct test_random {
    uint64_t state;
} test_random;

/* Prints the seed with the name of the test. */
void test_random_init(test_random *random, const char *test_name);

uint64_t test_random_u64(test_random *random);
uint32_t test_random_below(test_random *random, uint32_t limit); /* limit > 0 */
void test_random_fill(test_random *random, void *bytes, size_t len);

#endif
