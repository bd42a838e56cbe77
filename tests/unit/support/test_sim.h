/* A simulated disk with a storage that owns it. Everything it allocates is counted. */
#ifndef TEST_SIM_H
#define TEST_SIM_H

#include "port/sim/sim.h"

#include "support/test_alloc.h"

typedef struct test_sim {
    test_alloc memory;
    gt_sim_disk *disk;
    goat_storage storage; /* locked */
} test_sim;

void test_sim_init(test_sim *f, uint64_t seed);
void test_sim_free(test_sim *f); /* and asserts that nothing is left */

/* A new storage, locked, in place of one that was closed. */
void test_sim_open(test_sim *f);

/* Pulls the plug and starts again. */
void test_sim_crash(test_sim *f);

#endif
