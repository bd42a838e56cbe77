/* Prints what changes in a database, a line for each item: `goat sync --watch`. */
#ifndef CLI_WATCH_H
#define CLI_WATCH_H

#include "follow.h"

typedef struct watch watch;

/* Opens every repository, so that its changes are told. Becomes the follow's `changed`. */
int watch_begin(watch **w, follow *f);
void watch_end(watch *w); /* NULL is accepted */

/* Prints until a signal comes. */
int watch_run(watch *w);

#endif
