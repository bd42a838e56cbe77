/* Every option has a value but --trace, --find-bugs and --help. */
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "sim [--seeds A..B] [--jobs N]      runs seeds (1..200), in so many processes (2)\n"
    "sim --seed N [--trace]             runs one, and says what happens\n"
    "    --peers P --steps S            so many instead of what the seed says\n"
    "    --only-peers 0,2 --only-steps 1-4,9 | none\n"
    "                                   leaves out all others\n"
    "    --twice-every N                each N-th seed runs twice and must do the same (16; 0: none)\n"
    "    --shrink-seconds N             how long to look for a smaller run that fails (60; 0: not)\n"
    "    --failures N                   stops after so many seeds have failed (4)\n"
    "    --bug NAME                     with a bug that sim_bugs has in it; --find-bugs: finds each\n";

static bool read_number(const char *text, const char *end_with, uint64_t *number, const char **end) {
    char *stop;
    errno = 0;
    *number = strtoull(text, &stop, 0);
    *end = stop;
    return errno == 0 && stop != text && strncmp(stop, end_with, strlen(end_with)) == 0;
}

static bool read_seeds(const char *text, sim_options *options) {
    const char *end;
    if (!read_number(text, "", &options->first, &end)) return false;
    options->last = options->first;
    if (*end == 0) return true;
    return strncmp(end, "..", 2) == 0 && read_number(end + 2, "", &options->last, &end) && *end == 0 &&
           options->last >= options->first;
}

static bool read_small(const char *text, uint32_t most, uint32_t *number) {
    uint64_t value;
    const char *end;
    if (!read_number(text, "", &value, &end) || *end != 0 || value > most) return false;
    *number = (uint32_t)value;
    return true;
}

static bool read_value(const char *name, const char *value, sim_options *options) {
    if (strcmp(name, "--seeds") == 0) return read_seeds(value, options);
    if (strcmp(name, "--seed") == 0) {
        options->one = true;
        return read_seeds(value, options) && options->first == options->last;
    }
    if (strcmp(name, "--jobs") == 0) return read_small(value, 64, &options->jobs) && options->jobs > 0;
    if (strcmp(name, "--peers") == 0) return read_small(value, SIM_PEERS_MAX, &options->peers);
    if (strcmp(name, "--steps") == 0) return read_small(value, SIM_STEPS_MAX, &options->steps);
    if (strcmp(name, "--twice-every") == 0) return read_small(value, 1000000, &options->twice_every);
    if (strcmp(name, "--shrink-seconds") == 0) return read_small(value, 1000000, &options->shrink_seconds);
    if (strcmp(name, "--failures") == 0) return read_small(value, 1000000, &options->failures_max);
    const char **text = strcmp(name, "--only-peers") == 0   ? &options->only_peers
                        : strcmp(name, "--only-steps") == 0 ? &options->only_steps
                        : strcmp(name, "--bug") == 0        ? &options->bug
                                                            : NULL;
    if (text != NULL) *text = value;
    return text != NULL;
}

bool sim_options_read(int count, char **words, sim_options *options) {
    *options =
        (sim_options){.first = 1, .last = 200, .jobs = 2, .twice_every = 16, .shrink_seconds = 60, .failures_max = 4};
    for (int i = 1; i < count; i++) {
        if (strcmp(words[i], "--trace") == 0) {
            options->traces = true;
        } else if (strcmp(words[i], "--find-bugs") == 0) {
            options->finds_bugs = true;
        } else if (i + 1 == count || !read_value(words[i], words[i + 1], options)) {
            fprintf(stderr, "sim: %s: not understood\n%s", words[i], usage);
            return false;
        } else {
            i++;
        }
    }
    int at = 0;
    options->given[0] = 0;
    if (options->peers != 0) at = snprintf(options->given, sizeof(options->given), " --peers %u", options->peers);
    if (options->steps != 0) {
        snprintf(options->given + at, sizeof(options->given) - (size_t)at, " --steps %u", options->steps);
    }
    return true;
}

bool sim_options_plan(const sim_options *options, uint64_t seed, sim_plan *plan) {
    uint8_t there[SIM_PEERS_MAX] = {0}, taken[SIM_STEPS_MAX] = {0};
    sim_plan_make(plan, seed, options->peers, options->steps);
    if (options->only_peers != NULL) {
        if (!sim_numbers_read(options->only_peers, there, plan->peers) || there[0] == 0) return false;
        for (uint32_t i = 0; i < plan->peers; i++) {
            if (there[i] == 0) plan->absent |= UINT64_C(1) << i;
        }
    }
    if (options->only_steps == NULL) return true;
    bool none = strcmp(options->only_steps, "none") == 0;
    if (!none && !sim_numbers_read(options->only_steps, taken, plan->step_count)) return false;
    for (uint32_t i = 0; i < plan->step_count; i++) plan->left_out[i] = taken[i] == 0;
    return true;
}
