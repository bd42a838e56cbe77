/* The comparison: two sets of commits are made equal by exchanging plain Bloom filters over all of them, with a fresh
 * salt each round, until they are (GoatDB's way of syncing). Only the filters and fingerprints are counted, over sets
 * of random ids; the commits themselves cost any protocol the same. */
#ifndef GOAT_BENCH_PLAIN_BLOOM_H
#define GOAT_BENCH_PLAIN_BLOOM_H

#include <stdint.h>

typedef struct plain_cost {
    double bytes; /* in both directions, without commits */
    uint32_t trips;
} plain_cost;

/* `shared` commits on both sides, and `apart` more on each that the other lacks. The same every time. */
plain_cost plain_bloom(uint32_t shared, uint32_t apart);

#endif
