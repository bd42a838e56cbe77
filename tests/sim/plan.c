/* Each seed draws which kinds of trouble it has and how much of each, so that some runs are all edits, some all
 * crashes, and most have a few kinds that meet often: what always comes together hides what comes alone. */
#include "plan.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct kind_info {
    const char *name;
    uint32_t weight;  /* usual share */
    uint32_t once_in; /* the kind is there once in so many runs */
} kind_info;

static const kind_info kinds[SIM_STEP_KINDS] = {
    [SIM_EDIT] = {"edit", 100, 1},
    [SIM_BURST] = {"burst", 20, 2},
    [SIM_TRANSACTION] = {"transaction", 15, 2},
    [SIM_APPLY] = {"apply", 15, 2},
    [SIM_REVERT] = {"revert", 10, 2},
    [SIM_FLUSH] = {"flush", 30, 1},
    [SIM_ADVANCE] = {"advance", 25, 1},
    [SIM_OPEN_REPO] = {"open-repo", 10, 2},
    [SIM_CLOSE_REPO] = {"close-repo", 6, 3},
    [SIM_HANDLE] = {"handle", 6, 3},
    [SIM_SCHEMA] = {"schema", 3, 3},
    [SIM_LOOK] = {"look", 10, 2},
    [SIM_REOPEN] = {"reopen", 10, 3},
    [SIM_KILL] = {"kill", 12, 2},
    [SIM_POWER] = {"power", 15, 2},
    [SIM_WIPE] = {"wipe", 3, 4},
    [SIM_BACKUP] = {"backup", 8, 3},
    [SIM_RESTORE] = {"restore", 5, 3},
    [SIM_FULL] = {"full", 6, 4},
    [SIM_FAIL] = {"fail", 6, 4},
    [SIM_FLIP] = {"flip", 6, 4},
    [SIM_CLOCK] = {"clock", 6, 3},
    [SIM_CUT] = {"cut", 20, 2},
    [SIM_PARTITION] = {"partition", 12, 2},
    [SIM_SLOW] = {"slow", 8, 3},
    [SIM_TAMPER] = {"tamper", 10, 4},
    [SIM_REPLAY] = {"replay", 6, 5},
    [SIM_GARBAGE] = {"garbage", 6, 5},
    [SIM_FORGE] = {"forge", 10, 4},
    [SIM_QUIET] = {"quiet", 3, 2},
};

const char *sim_step_name(sim_step_kind kind) { return kinds[kind].name; }

/* ---- randomness ---- */

uint64_t sim_seed(uint64_t seed, uint64_t part, uint64_t number) {
    gt_sim_random random;
    gt_sim_random_init(&random, seed ^ part * UINT64_C(0xd6e8feb86659fd93));
    random.state ^= gt_sim_random_u64(&random) + number * UINT64_C(0xa0761d6478bd642f);
    return gt_sim_random_u64(&random);
}

bool sim_once_in(gt_sim_random *random, uint32_t times) { return gt_sim_random_below(random, times) == 0; }

uint64_t sim_between(gt_sim_random *random, uint64_t low, uint64_t high) {
    return low + gt_sim_random_below(random, high - low + 1);
}

/* ---- making ---- */

enum { PART_SHAPE = 1, PART_PROFILE, PART_WEIGHTS, PART_STEPS };

static uint32_t draw_peers(gt_sim_random *random) {
    switch (gt_sim_random_below(random, 32)) {
    case 0: return (uint32_t)sim_between(random, 16, SIM_PEERS_MAX);
    case 1:
    case 2:
    case 3:
    case 4: return (uint32_t)sim_between(random, 6, 15);
    default: return (uint32_t)sim_between(random, 2, 5);
    }
}

static uint32_t draw_steps(gt_sim_random *random) {
    return (uint32_t)(sim_once_in(random, 8) ? sim_between(random, 100, 250) : sim_between(random, 10, 80));
}

static void draw_profile(sim_profile *profile, uint64_t seed) {
    static const uint32_t latencies[] = {200, 2000, 20000, 200000, 2000000};
    static const uint32_t disks[] = {50, 500, 5000, 50000};
    static const uint32_t skews[] = {0, 500, 5000, 120000, 86400000};
    gt_sim_random random;
    gt_sim_random_init(&random, sim_seed(seed, PART_PROFILE, 0));
    profile->latency_us_max = latencies[gt_sim_random_below(&random, 5)];
    profile->disk_us_max = disks[gt_sim_random_below(&random, 4)];
    profile->polls_max = (uint32_t)gt_sim_random_below(&random, 5);
    profile->keys = (uint32_t)sim_between(&random, 1, 12);
    profile->repos = (uint32_t)sim_between(&random, 1, 3);
    profile->skew_ms_max = skews[gt_sim_random_below(&random, 5)];
    profile->damage_unsynced = sim_once_in(&random, 2);
    profile->small_pieces = sim_once_in(&random, 2);
}

static void draw_weights(uint32_t weights[SIM_STEP_KINDS], uint64_t seed) {
    gt_sim_random random;
    gt_sim_random_init(&random, sim_seed(seed, PART_WEIGHTS, 0));
    for (int kind = 0; kind < SIM_STEP_KINDS; kind++) {
        bool there = sim_once_in(&random, kinds[kind].once_in);
        uint64_t share = sim_between(&random, 1, 4); /* of what is usual, in halves */
        weights[kind] = there ? (uint32_t)(kinds[kind].weight * share) : 0;
    }
}

static uint64_t draw_pause(gt_sim_random *random) {
    switch (gt_sim_random_below(random, 8)) {
    case 0: return 0;
    case 1:
    case 2: return sim_between(random, 1, 2000);
    case 3:
    case 4:
    case 5: return sim_between(random, 2000, 400000);
    case 6: return sim_between(random, 400000, 3000000);
    default: return sim_between(random, 1000000, 20000000);
    }
}

static void draw_step(sim_step *step, const uint32_t weights[SIM_STEP_KINDS], uint32_t total, uint32_t peers,
                      uint64_t seed) {
    gt_sim_random random;
    gt_sim_random_init(&random, seed);
    uint64_t at = gt_sim_random_below(&random, total);
    int kind = 0;
    while (at >= weights[kind]) at -= weights[kind++];
    step->kind = (sim_step_kind)kind;
    step->peer = (uint32_t)gt_sim_random_below(&random, peers);
    step->pause_us = draw_pause(&random);
    step->seed = gt_sim_random_u64(&random);
}

void sim_plan_make(sim_plan *plan, uint64_t seed, uint32_t peers, uint32_t steps) {
    gt_sim_random random;
    uint32_t weights[SIM_STEP_KINDS], total = 0;
    *plan = (sim_plan){.seed = seed};
    gt_sim_random_init(&random, sim_seed(seed, PART_SHAPE, 0));
    plan->peers = draw_peers(&random);
    plan->step_count = draw_steps(&random);
    if (peers != 0) plan->peers = peers;
    if (steps != 0) plan->step_count = steps;
    draw_profile(&plan->profile, seed);
    draw_weights(weights, seed);
    for (int kind = 0; kind < SIM_STEP_KINDS; kind++) total += weights[kind];
    plan->steps = sim_new(plan->step_count, sizeof(sim_step));
    plan->left_out = sim_new(plan->step_count, 1);
    for (uint32_t i = 0; i < plan->step_count; i++) {
        draw_step(&plan->steps[i], weights, total, plan->peers, sim_seed(seed, PART_STEPS, i));
    }
}

void sim_plan_free(sim_plan *plan) {
    sim_free(plan->steps);
    sim_free(plan->left_out);
    *plan = (sim_plan){0};
}

bool sim_plan_has(const sim_plan *plan, uint32_t step) {
    return plan->left_out[step] == 0 && (plan->absent >> plan->steps[step].peer & 1) == 0;
}

uint32_t sim_plan_steps_left(const sim_plan *plan) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->step_count; i++) count += sim_plan_has(plan, i);
    return count;
}

uint32_t sim_plan_peers_left(const sim_plan *plan) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->peers; i++) count += (plan->absent >> i & 1) == 0;
    return count;
}

/* ---- lists of numbers ---- */

void sim_numbers_print(const uint8_t *taken, uint32_t limit, char *out, size_t size) {
    size_t at = 0;
    out[0] = 0;
    for (uint32_t i = 0; i < limit && at + 24 < size; i++) {
        if (taken[i] == 0) continue;
        uint32_t last = i;
        while (last + 1 < limit && taken[last + 1] != 0) last++;
        at += (size_t)snprintf(out + at, size - at, last > i ? "%s%u-%u" : "%s%u", at == 0 ? "" : ",", i, last);
        i = last;
    }
}

bool sim_numbers_read(const char *text, uint8_t *taken, uint32_t limit) {
    while (*text != 0) {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (end == text) return false;
        if (*end == '-') {
            text = end + 1;
            last = strtoul(text, &end, 10);
            if (end == text) return false;
        }
        if (last < first || last >= limit || (*end != 0 && *end != ',')) return false;
        for (unsigned long i = first; i <= last; i++) taken[i] = 1;
        text = *end == ',' ? end + 1 : end;
    }
    return true;
}
