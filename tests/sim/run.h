/* One run of a plan, and what came of it. */
#ifndef SIM_RUN_H
#define SIM_RUN_H

#include "world.h"

enum { SIM_RULE_MAX = 24, SIM_WORDS_MAX = 600 };

typedef struct sim_result {
    bool failed;
    char rule[SIM_RULE_MAX]; /* the invariant; "crash" or "endless" when the process did not come to an end */
    char words[SIM_WORDS_MAX];
    uint64_t trace;
    uint64_t virtual_us;
    sim_counts counts;
} sim_result;

void sim_run(const sim_plan *plan, bool prints, sim_result *result);

/* The same in a process of its own, which may crash, and is ended after `seconds`. */
void sim_run_apart(const sim_plan *plan, uint32_t seconds, sim_result *result);

#endif
