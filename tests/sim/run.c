/* A crash of the engine is a failure like any other: it is seen from outside. */
#include "run.h"

#include "memo.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

void sim_run(const sim_plan *plan, bool prints, sim_result *result) {
    sim_world world;
    *result = (sim_result){0};
    sim_memo_clear();
    sim_world_make(&world, plan, prints);
    sim_world_run(&world);
    result->virtual_us = world.now_us;
    result->trace = world.trace;
    sim_world_free(&world); /* ends connections, which are counted, and may find what leaks */
    result->failed = world.failed;
    result->counts = world.counts;
    if (world.failed) {
        snprintf(result->rule, sizeof(result->rule), "%s", world.rule);
        snprintf(result->words, sizeof(result->words), "%s", world.words);
    }
}

static void end_of_child(int status, sim_result *result) {
    *result = (sim_result){.failed = true};
    bool is_late = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    snprintf(result->rule, sizeof(result->rule), "%s", is_late ? "endless" : "crash");
    if (WIFSIGNALED(status)) {
        snprintf(result->words, sizeof(result->words), "the process ended by signal %d", WTERMSIG(status));
    } else {
        snprintf(result->words, sizeof(result->words), "the process ended with %d", WEXITSTATUS(status));
    }
}

void sim_run_apart(const sim_plan *plan, uint32_t seconds, sim_result *result) {
    int ends[2], status = 0;
    fflush(NULL);
    if (pipe(ends) != 0) {
        sim_run(plan, false, result);
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        alarm(seconds);
        if (freopen("/dev/null", "w", stderr) == NULL) _exit(3); /* what it says was said before */
        sim_run(plan, false, result);
        ssize_t written = write(ends[1], result, sizeof(*result));
        _exit(written == (ssize_t)sizeof(*result) ? 0 : 3);
    }
    close(ends[1]);
    ssize_t got = child < 0 ? -1 : read(ends[0], result, sizeof(*result));
    close(ends[0]);
    if (child > 0) waitpid(child, &status, 0);
    if (got != (ssize_t)sizeof(*result)) end_of_child(status, result);
}
