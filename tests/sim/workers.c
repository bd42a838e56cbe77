/* Workers take seeds from a counter that all share. One that dies has failed at the seed it was at; another takes its
 * place. */
#include "workers.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct slot {
    pid_t child;
    uint64_t seed; /* at which it is */
    bool is_at_it;
    uint64_t seeds, virtual_us;
    sim_counts counts;
} slot;

typedef struct shared {
    atomic_uint_fast64_t next;
    atomic_uint failures;
    sim_failure failed[SIM_FAILURES_MAX];
    slot slots[SIM_WORKERS_MAX];
} shared;

static void add_counts(sim_counts *sum, const sim_counts *more) {
    uint64_t *to = (uint64_t *)sum;
    const uint64_t *from = (const uint64_t *)more;
    for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++) to[i] += from[i];
}

static void note_failure(shared *all, uint64_t seed, const sim_result *result) {
    uint32_t at = atomic_fetch_add(&all->failures, 1);
    if (at < SIM_FAILURES_MAX) all->failed[at] = (sim_failure){seed, *result};
}

void sim_seed_run(const sim_options *options, uint64_t seed, bool prints, sim_result *result) {
    sim_plan plan;
    if (!sim_options_plan(options, seed, &plan)) {
        *result = (sim_result){.failed = true, .rule = "options", .words = "the run has no such peers or steps"};
        sim_plan_free(&plan);
        return;
    }
    sim_run(&plan, prints, result);
    if (!result->failed && options->twice_every != 0 && seed % options->twice_every == 0) {
        sim_result again;
        sim_run(&plan, prints, &again);
        if (again.trace != result->trace) {
            result->failed = true;
            snprintf(result->rule, sizeof(result->rule), "repeat");
            snprintf(result->words, sizeof(result->words), "the same seed did something else: %016llx, then %016llx",
                     (unsigned long long)result->trace, (unsigned long long)again.trace);
        }
    }
    sim_plan_free(&plan);
}

static void work(const sim_options *options, shared *all, slot *own) {
    while (atomic_load(&all->failures) < options->failures_max) {
        sim_result result;
        uint64_t seed = atomic_fetch_add(&all->next, 1);
        if (seed > options->last) break;
        own->seed = seed;
        own->is_at_it = true;
        alarm(SIM_SECONDS_MAX);
        sim_seed_run(options, seed, false, &result);
        alarm(0);
        own->is_at_it = false;
        own->seeds++;
        own->virtual_us += result.virtual_us;
        add_counts(&own->counts, &result.counts);
        if (result.failed) note_failure(all, seed, &result);
    }
}

static bool start(const sim_options *options, shared *all, slot *own) {
    fflush(NULL);
    own->is_at_it = false;
    own->child = fork();
    if (own->child != 0) return own->child > 0;
    work(options, all, own);
    _exit(0);
}

/* True when another is to take its place. */
static bool has_ended(shared *all, const slot *own, int status) {
    sim_result result = {.failed = true};
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return false;
    bool is_late = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    snprintf(result.rule, sizeof(result.rule), "%s", is_late ? "endless" : "crash");
    snprintf(result.words, sizeof(result.words), "the process ended by %s %d",
             WIFSIGNALED(status) ? "signal" : "status", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    note_failure(all, own->seed, &result);
    return own->is_at_it;
}

static void wait_for_all(const sim_options *options, shared *all) {
    int status;
    for (pid_t child = wait(&status); child > 0; child = wait(&status)) {
        uint32_t at = 0;
        while (at < options->jobs && all->slots[at].child != child) at++;
        if (at < options->jobs && has_ended(all, &all->slots[at], status)) {
            start(options, all, &all->slots[at]);
        }
    }
}

bool sim_workers_run(const sim_options *options, sim_totals *totals) {
    *totals = (sim_totals){0};
    shared *all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return false;
    atomic_store(&all->next, options->first);
    bool started = true;
    for (uint32_t i = 0; i < options->jobs; i++) started = start(options, all, &all->slots[i]) && started;
    wait_for_all(options, all);
    for (uint32_t i = 0; i < options->jobs; i++) {
        totals->seeds += all->slots[i].seeds;
        totals->virtual_us += all->slots[i].virtual_us;
        add_counts(&totals->counts, &all->slots[i].counts);
    }
    uint32_t failures = atomic_load(&all->failures);
    totals->failure_count = failures < SIM_FAILURES_MAX ? failures : SIM_FAILURES_MAX;
    memcpy(totals->failures, all->failed, sizeof(totals->failures));
    munmap(all, sizeof(*all));
    return started;
}
