/* The command line. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include "plan.h"

typedef struct sim_options {
    uint64_t first, last; /* seeds */
    uint32_t jobs;
    uint32_t peers, steps; /* 0: what the seed says */
    const char *only_peers, *only_steps;
    const char *bug;      /* that is put in, see bugs.h */
    uint32_t twice_every; /* each so-many-th seed runs twice, and the two must be the same; 0: none */
    uint32_t shrink_seconds;
    uint32_t failures_max; /* after so many no more seeds are run */
    bool traces;
    bool one; /* a single seed, in this process */
    bool finds_bugs;
    char given[64]; /* what a repeated run needs besides its seed */
} sim_options;

/* Prints what is wrong and returns false. */
bool sim_options_read(int count, char **words, sim_options *options);
/* The plan of a seed. False: what is asked for does not fit it. */
bool sim_options_plan(const sim_options *options, uint64_t seed, sim_plan *plan);

#endif
