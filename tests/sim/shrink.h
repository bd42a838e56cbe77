/* Makes a failing run small: leaves out peers and steps as long as it fails by the same rule. */
#ifndef SIM_SHRINK_H
#define SIM_SHRINK_H

#include "run.h"

/* Changes what `plan` leaves out. Takes about `seconds` at most. How a run came out is asked of `fails`, which may
 * be NULL: sim_run_apart. Returns how many runs it took. */
typedef bool (*sim_fails_fn)(const sim_plan *plan, const char *rule, void *context);
uint32_t sim_shrink(sim_plan *plan, const char *rule, uint32_t seconds, sim_fails_fn fails, void *context);

/* The options that repeat the run; `given`: those that the plan was made with, such as " --peers 3". */
void sim_command(const sim_plan *plan, const char *given, char *out, size_t size);

#endif
