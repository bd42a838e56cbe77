/* One line on the terminal that says how far a long run is. Where standard error is no terminal it does
 * nothing at all. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct progress {
    bool is_on, is_shown;
    const char *unit;   /* what is counted, "documents" */
    double begun, next; /* seconds of progress_now() */
} progress;

/* Seconds of a clock that never goes back. */
double progress_now(void);

void progress_begin(progress *p, const char *unit, bool quiet);

/* `done` of `total` bytes (total 0: not known) made `count` of the unit. Draws ten times a second at most. */
void progress_show(progress *p, uint64_t count, uint64_t done, uint64_t total);

/* Takes the line away, so that other text can be written; the next progress_show() brings it back. */
void progress_hide(progress *p);

/* A number with commas between the thousands; `text` has room for PROGRESS_NUMBER_SIZE. Gives `text`. */
enum { PROGRESS_NUMBER_SIZE = 32 };
const char *progress_number(uint64_t number, char *text);

#endif
