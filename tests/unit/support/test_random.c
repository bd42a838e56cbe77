/* splitmix64 (Steele, Lea, Flood 2014): one word of state, good enough to choose test cases. */
#include "support/test_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void test_random_init(test_random *random, const char *test_name) {
    const char *given = getenv("GOAT_SEED");
    random->state = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    printf("%s: GOAT_SEED=%llu\n", test_name, (unsigned long long)random->state);
}

uint64_t test_random_u64(test_random *random) {
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

uint32_t test_random_below(test_random *random, uint32_t limit) { return (uint32_t)(test_random_u64(random) % limit); }

void test_random_fill(test_random *random, void *bytes, size_t len) {
    uint8_t *to = bytes;
    for (size_t i = 0; i < len; i++) {
        to[i] = (uint8_t)test_random_u64(random);
    }
}
