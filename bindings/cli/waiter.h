/* Waiting for signals and for wake-ups from other threads.
 *
 * The signals are held back while a waiter is open and only asked for between two steps: work is never cut in
 * two. A waiter must be opened before the database, so that the library's own threads hold them back as well. */
#ifndef CLI_WAITER_H
#define CLI_WAITER_H

#include <signal.h>
#include <stdbool.h>

typedef enum waiter_answer {
    WAITER_NOTHING, /* not within the time given */
    WAITER_READY,   /* the file has something, or its end */
    WAITER_WOKEN,   /* waiter_wake() was called */
    WAITER_SIGNAL,  /* `signal` came */
    WAITER_FAILED   /* with errno */
} waiter_answer;

typedef struct waiter {
    int signals, wakes; /* descriptors; -1: none */
    int signal;
    sigset_t before;
} waiter;

/* Holds back SIGINT and SIGTERM, and with `hang_up` SIGHUP. False with errno. */
bool waiter_open(waiter *w, bool hang_up);
void waiter_close(waiter *w);

/* Waits for `timeout_ms` at most; negative: for as long as it takes. A signal goes before a wake-up, and that
 * before `file` (-1: none). */
waiter_answer waiter_wait(waiter *w, int file, int timeout_ms);

/* Makes a wait end. From any thread; may be a goat_wake_fn. `w` is a waiter. */
void waiter_wake(void *w);

#endif
