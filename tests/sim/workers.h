/* Many seeds in several processes. */
#ifndef SIM_WORKERS_H
#define SIM_WORKERS_H

#include "options.h"
#include "run.h"

enum { SIM_FAILURES_MAX = 64, SIM_WORKERS_MAX = 64, SIM_SECONDS_MAX = 120 /* for one seed */ };

typedef struct sim_failure {
    uint64_t seed;
    sim_result result;
} sim_failure;

typedef struct sim_totals {
    uint64_t seeds;
    sim_counts counts;
    uint64_t virtual_us;
    uint32_t failure_count;
    sim_failure failures[SIM_FAILURES_MAX];
} sim_totals;

/* False: the machine gives no processes. */
bool sim_workers_run(const sim_options *options, sim_totals *totals);

/* One seed, twice if it is its turn; "repeat" is the rule that the two are the same. */
void sim_seed_run(const sim_options *options, uint64_t seed, bool prints, sim_result *result);

#endif
