/* The program: seeds, figures, and for a seed that fails the shortest run that does. */
#include "bugs.h"
#include "options.h"
#include "shrink.h"
#include "workers.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of all processes that have ended: on a machine that others use as well it says more than the clock. */
static double seconds_of_work(void) {
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void report_failure(const sim_options *options, uint64_t seed, const sim_result *result) {
    printf("FAILED seed %llu: %s: %s\n    sim --seed %llu%s\n", (unsigned long long)seed, result->rule, result->words,
           (unsigned long long)seed, options->given);
    fflush(stdout);
}

static void report_shrunk(const sim_options *options, uint64_t seed, const sim_result *result) {
    char command[8192];
    sim_plan plan;
    if (options->shrink_seconds == 0 || !sim_options_plan(options, seed, &plan)) return;
    uint32_t peers = sim_plan_peers_left(&plan), steps = sim_plan_steps_left(&plan);
    uint32_t runs = sim_shrink(&plan, result->rule, options->shrink_seconds, NULL, NULL);
    sim_command(&plan, options->given, command, sizeof(command));
    printf("smaller: %u peers of %u, %u steps of %u (%u runs)\n    %s\n", sim_plan_peers_left(&plan), peers,
           sim_plan_steps_left(&plan), steps, runs, command);
    sim_plan_free(&plan);
}

static int run_one(const sim_options *options) {
    sim_result result;
    double began = seconds_now();
    sim_seed_run(options, options->first, options->traces, &result);
    double took = seconds_now() - began;
    printf("seed %llu: %llu packets, %llu messages, %llu commits, %llu crashes, %.1f s of theirs in %.3f s, trace "
           "%016llx\n",
           (unsigned long long)options->first, (unsigned long long)result.counts.packets,
           (unsigned long long)result.counts.messages, (unsigned long long)result.counts.commits,
           (unsigned long long)result.counts.crashes, (double)result.virtual_us / 1e6, took,
           (unsigned long long)result.trace);
    if (!result.failed) return 0;
    report_failure(options, options->first, &result);
    if (!options->traces) report_shrunk(options, options->first, &result);
    return 1;
}

static void report_totals(const sim_options *options, const sim_totals *totals, double took, double work) {
    double messages = (double)totals->counts.messages, share = work / options->jobs; /* of each process */
    printf("%llu seeds, %u failed, in %.1f s (%.1f s of work): %.1f seeds/s, %.0f messages a minute\n",
           (unsigned long long)totals->seeds, totals->failure_count, took, work, (double)totals->seeds / took,
           messages / took * 60);
    printf("with a core for each of %u processes: %.1f seeds/s, %.0f messages a minute\n", options->jobs,
           (double)totals->seeds / share, messages / share * 60);
    printf("%.0f messages in %llu packets, %llu commits, %llu crashes, %llu connections, %llu rounds of compare, "
           "%llu packets refused, %llu edits against a rule, %llu checks, %.1f hours of theirs\n",
           messages, (unsigned long long)totals->counts.packets, (unsigned long long)totals->counts.commits,
           (unsigned long long)totals->counts.crashes, (unsigned long long)totals->counts.connections,
           (unsigned long long)totals->counts.rounds, (unsigned long long)totals->counts.refused_packets,
           (unsigned long long)totals->counts.invalid, (unsigned long long)totals->counts.quiets,
           (double)totals->virtual_us / 3.6e9);
}

static int run_many(const sim_options *options) {
    sim_totals totals;
    double began = seconds_now();
    if (!sim_workers_run(options, &totals)) {
        fputs("sim: no process could be started\n", stderr);
        return 2;
    }
    report_totals(options, &totals, seconds_now() - began, seconds_of_work());
    for (uint32_t i = 0; i < totals.failure_count; i++) {
        report_failure(options, totals.failures[i].seed, &totals.failures[i].result);
    }
    if (totals.failure_count > 0) report_shrunk(options, totals.failures[0].seed, &totals.failures[0].result);
    return totals.failure_count > 0;
}

/* Whether the seed is clean when there is no bug, so that it is the bug that was found. */
static bool is_clean(const sim_options *options, uint64_t seed) {
    sim_plan plan;
    sim_result result = {0};
    sim_bug_put_in(NULL);
    if (sim_options_plan(options, seed, &plan)) sim_run_apart(&plan, SIM_SECONDS_MAX, &result);
    sim_plan_free(&plan);
    return !result.failed;
}

static bool find_bug(const sim_options *options, const sim_bug *bug) {
    sim_options own = *options;
    sim_totals totals;
    own.failures_max = 1;
    own.twice_every = 0;
    own.last = bug->seeds_max;
    for (own.first = 1; own.first <= own.last;) {
        if (!sim_bug_put_in(bug->name) || !sim_workers_run(&own, &totals) || totals.failure_count == 0) break;
        const sim_failure *failure = &totals.failures[0];
        if (is_clean(&own, failure->seed)) {
            printf("%s: %s: found at seed %llu, %s: %s\n", bug->name, bug->what, (unsigned long long)failure->seed,
                   failure->result.rule, failure->result.words);
            return true;
        }
        own.first = failure->seed + 1;
    }
    printf("%s: %s: NOT FOUND\n", bug->name, bug->what);
    return false;
}

static int find_bugs(const sim_options *options) {
    bool found = true;
    for (uint32_t i = 0; i < sim_bug_count; i++) {
        found = find_bug(options, &sim_bugs[i]) && found;
        fflush(stdout);
    }
    return found ? 0 : 1;
}

int main(int count, char **words) {
    sim_options options;
    if (!sim_options_read(count, words, &options)) return 2;
    if (options.finds_bugs) return find_bugs(&options);
    if (!sim_bug_put_in(options.bug)) {
        fprintf(stderr, "sim: there is no bug \"%s\" in this program\n", options.bug);
        return 2;
    }
    return options.one ? run_one(&options) : run_many(&options);
}
