/* Asks who serves at a URL, on a thread of its own, so that a signal need not wait for the answer. */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include "options.h"
#include "remote.h"
#include "waiter.h"

enum { PROBE_KEY_SIZE = 32 };

typedef struct probe_answer {
    goat_status status; /* of goat_probe() */
    goat_error *error;  /* to be freed */
    uint8_t root[PROBE_KEY_SIZE];
} probe_answer;

/* CLI_DONE: there is an answer, after `ms` milliseconds at the latest. Otherwise the code of the signal that came, or
 * of trouble, which was said; there is no answer then. */
int probe_ask(const cli *run, waiter *w, const remote *r, uint32_t ms, probe_answer *answer);

/* A question was left behind: its thread is still in the library, so the process must end without exit(). */
bool probe_is_left(void);

#endif
