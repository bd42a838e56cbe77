/* The plan of a run: what machines there are, and a list of steps, all of it from one seed.
 *
 * Each step has a seed of its own and a pause before it, and what follows from it (how long a machine stays down, when
 * a partition heals) is part of it. So steps and peers can be left out and the others do what they did before:
 * that is what makes a failing run small. */
#ifndef SIM_PLAN_H
#define SIM_PLAN_H

#include "port/sim/sim.h"

enum { SIM_PEERS_MAX = 50, SIM_STEPS_MAX = 2000 };

typedef enum sim_step_kind {
    /* what an app does */
    SIM_EDIT,
    SIM_BURST,
    SIM_TRANSACTION,
    SIM_APPLY,
    SIM_REVERT,
    SIM_FLUSH,
    SIM_ADVANCE,
    SIM_OPEN_REPO,
    SIM_CLOSE_REPO,
    SIM_HANDLE,
    SIM_SCHEMA,
    SIM_LOOK,
    /* what becomes of its machine */
    SIM_REOPEN,
    SIM_KILL,
    SIM_POWER,
    SIM_WIPE,
    SIM_BACKUP,
    SIM_RESTORE,
    SIM_FULL,
    SIM_FAIL,
    SIM_FLIP,
    SIM_CLOCK,
    /* what becomes of its connection */
    SIM_CUT,
    SIM_PARTITION,
    SIM_SLOW,
    /* what an enemy does */
    SIM_TAMPER,
    SIM_REPLAY,
    SIM_GARBAGE,
    SIM_FORGE,
    /* everything heals, everybody runs until nothing is under way, and the invariants are checked */
    SIM_QUIET,
    SIM_STEP_KINDS
} sim_step_kind;

typedef struct sim_step {
    sim_step_kind kind;
    uint32_t peer;
    uint64_t pause_us; /* after the step before */
    uint64_t seed;
} sim_step;

/* What is so for the whole run. */
typedef struct sim_profile {
    uint32_t latency_us_max; /* of a connection, one way; drawn for each */
    uint32_t disk_us_max;    /* between two looks at what a disk has done */
    uint32_t polls_max;      /* looks until it has done it */
    uint32_t keys;           /* how many keys everybody shares */
    uint32_t repos;          /* how many repositories there are besides those of the system */
    uint32_t skew_ms_max;    /* wall clocks differ by up to so much */
    bool damage_unsynced;    /* a loss of power spoils sectors */
    bool small_pieces;       /* sync sends little at a time, as if there were much */
} sim_profile;

typedef struct sim_plan {
    uint64_t seed;
    uint32_t peers;
    sim_profile profile;
    sim_step *steps;
    uint32_t step_count;
    uint64_t absent;   /* peers that are left out: a bit each; the server is never */
    uint8_t *left_out; /* steps: one byte each */
} sim_plan;

/* `peers` and `steps`: 0, or how many instead of what the seed says. */
void sim_plan_make(sim_plan *plan, uint64_t seed, uint32_t peers, uint32_t steps);
void sim_plan_free(sim_plan *plan);

/* Whether a step is taken: it and its peer are not left out. */
bool sim_plan_has(const sim_plan *plan, uint32_t step);
uint32_t sim_plan_steps_left(const sim_plan *plan);
uint32_t sim_plan_peers_left(const sim_plan *plan);

/* Numbers as text such as "0-3,7", and back. False when the text is none, or names a number from `limit` on. */
void sim_numbers_print(const uint8_t *taken, uint32_t limit, char *out, size_t size);
bool sim_numbers_read(const char *text, uint8_t *taken, uint32_t limit);

const char *sim_step_name(sim_step_kind kind);

/* A seed for a part of what has a seed. */
uint64_t sim_seed(uint64_t seed, uint64_t part, uint64_t number);
/* True once in `times`. */
bool sim_once_in(gt_sim_random *random, uint32_t times);
/* From `low` to `high`, either included. */
uint64_t sim_between(gt_sim_random *random, uint64_t low, uint64_t high);

#endif
