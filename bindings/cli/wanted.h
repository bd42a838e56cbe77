/* The repositories that a clone was told to bring, by name.
 *
 * A client syncs what it has, so each that is not there yet is made, empty, before it connects. Those that the server
 * turns out not to have are taken away again: what was misspelled leaves nothing behind. */
#ifndef CLI_WANTED_H
#define CLI_WANTED_H

#include "follow.h"

typedef struct wanted {
    char **paths; /* the operands */
    int count;
    bool all;      /* that the server has: none was named, or this replica wants all already */
    int64_t *made; /* for each: the bytes of its log when this run made it, -1 where it was there */
} wanted;

/* Makes what is missing. The database is open and not yet connected. */
int wanted_begin(wanted *w, follow *f, char **paths, int count);

/* CLI_DONE when the server has them all; else says which it lacks. What came from there tells, also when the
 * connection has ended since. */
int wanted_check(const wanted *w, follow *f);

/* From now on they are what this replica wants of its server. */
void wanted_remember(const wanted *w, remote *r);

/* Takes away those that this run has made and that are still empty. The database is open, and disconnected. */
void wanted_take_back(const wanted *w, const follow *f);

void wanted_end(wanted *w);

#endif
