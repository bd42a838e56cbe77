/* Delta debugging (Zeller and Hildebrandt 2002): leave out large parts first, then ever smaller ones, until no single
 * step and no single peer can go. Steps have seeds of their own, so what stays does what it did. */
#include "shrink.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { RUN_SECONDS_MAX = 30 };

typedef struct sim_search {
    sim_plan *plan;
    const char *rule;
    sim_fails_fn fails;
    void *context;
    time_t until;
    uint32_t runs;
} sim_search;

static bool fails_apart(const sim_plan *plan, const char *rule, void *context) {
    sim_result result;
    (void)context;
    sim_run_apart(plan, RUN_SECONDS_MAX, &result);
    return result.failed && strcmp(result.rule, rule) == 0;
}

static bool is_over(const sim_search *search) { return time(NULL) >= search->until; }

static bool still_fails(sim_search *search) {
    search->runs++;
    return search->fails(search->plan, search->rule, search->context);
}

/* Those steps that are taken, in order; how many. */
static uint32_t taken_steps(const sim_plan *plan, uint32_t *steps) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (sim_plan_has(plan, i)) steps[count++] = i;
    }
    return count;
}

/* Tries to leave out each run of `size` steps; true when any could go. */
static bool drop_steps(sim_search *search, uint32_t *steps, uint32_t size) {
    sim_plan *plan = search->plan;
    uint32_t count = taken_steps(plan, steps);
    bool any = false;
    for (uint32_t end = count; end > 0 && !is_over(search);) { /* the last first: the failure has not come yet then */
        uint32_t begin = end > size ? end - size : 0;
        for (uint32_t i = begin; i < end; i++) plan->left_out[steps[i]] = 1;
        if (still_fails(search)) {
            any = true;
        } else {
            for (uint32_t i = begin; i < end; i++) plan->left_out[steps[i]] = 0;
        }
        end = begin;
    }
    return any;
}

static bool drop_peers(sim_search *search, uint32_t size) {
    sim_plan *plan = search->plan;
    bool any = false;
    for (uint32_t begin = 1; begin < plan->peers && !is_over(search); begin += size) {
        uint64_t before = plan->absent;
        for (uint32_t i = begin; i < begin + size && i < plan->peers; i++) plan->absent |= UINT64_C(1) << i;
        if (plan->absent == before) continue;
        if (still_fails(search)) {
            any = true;
        } else {
            plan->absent = before;
        }
    }
    return any;
}

uint32_t sim_shrink(sim_plan *plan, const char *rule, uint32_t seconds, sim_fails_fn fails, void *context) {
    sim_search search = {.plan = plan, .rule = rule, .fails = fails == NULL ? fails_apart : fails, .context = context};
    search.until = time(NULL) + (time_t)seconds;
    uint32_t *steps = sim_new(plan->step_count, sizeof(*steps));
    for (bool any = true; any && !is_over(&search);) {
        any = false;
        for (uint32_t size = (plan->peers + 1) / 2; size > 0; size /= 2) any = drop_peers(&search, size) || any;
        for (uint32_t size = (plan->step_count + 1) / 2; size > 0; size /= 2) {
            any = drop_steps(&search, steps, size) || any;
        }
    }
    sim_free(steps);
    return search.runs;
}

void sim_command(const sim_plan *plan, const char *given, char *out, size_t size) {
    char steps[4096], peers[256];
    uint8_t taken[SIM_STEPS_MAX] = {0}, there[SIM_PEERS_MAX] = {0};
    for (uint32_t i = 0; i < plan->step_count; i++) taken[i] = sim_plan_has(plan, i);
    for (uint32_t i = 0; i < plan->peers; i++) there[i] = (plan->absent >> i & 1) == 0;
    sim_numbers_print(taken, plan->step_count, steps, sizeof(steps));
    sim_numbers_print(there, plan->peers, peers, sizeof(peers));
    snprintf(out, size, "sim --seed %llu%s --only-peers %s --only-steps %s", (unsigned long long)plan->seed, given,
             peers, steps[0] == 0 ? "none" : steps);
}
