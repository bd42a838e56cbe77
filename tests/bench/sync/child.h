/* Processes of the bench: this program again, in another role, which talks in lines. */
#ifndef GOAT_BENCH_CHILD_H
#define GOAT_BENCH_CHILD_H

#include "lab.h"

#include <stdio.h>
#include <sys/types.h>

enum { CHILD_LINE_MAX = 4096, CHILD_WORDS_MAX = 12 };

typedef struct child {
    const char *role;
    pid_t pid;
    FILE *to, *from;
} child;

/* Runs `lab->program --child ROLE WORDS…`; `words` ends with NULL. It dies with this process. */
void child_start(const lab_plan *lab, child *c, const char *role, const char *const *words);
/* The same for any program; `command` ends with NULL. */
void child_start_program(child *c, const char *role, const char *const *command);
void child_say(const child *c, const char *line);
/* The next line, without its end; false: there is none any more. */
bool child_hear(const child *c, char line[CHILD_LINE_MAX]);
/* Whether there is something to hear, after `wait_us` at most. Not behind a hear that left lines unread. */
bool child_says(const child *c, uint64_t wait_us);
/* As hear; ends the bench when there is none, or it does not begin with `word`. What follows the word. */
const char *child_expect(const child *c, const char *word, char line[CHILD_LINE_MAX]);
/* Closes its input and waits; false: it did not end well. */
bool child_end(child *c);

/* ---- what it uses ---- */

typedef struct child_use {
    double resident;  /* bytes: all of it … */
    double anonymous; /* … and what is its own, without mapped files */
    double processor_s;
} child_use;

child_use child_measure(const child *c);

#endif
