/* Who owns a database, and how it stands there.
 *
 * While `goat serve`, `clone` or `sync` has a database, nobody else can open it; so they leave what `goat status` wants to
 * know in DB/owner.json (facts.h), and take it away when they end. The file is believed only when the process that holds
 * the database's lock has written it since it took the lock: what a killed one left behind says nothing. */
#ifndef CLI_OWNER_H
#define CLI_OWNER_H

#include <stdbool.h>

#include "facts.h"
#include "options.h"

typedef struct owner {
    cli *run; /* NULL: it has not begun */
    const char *db;
    const char *serving;
    remote *remote;
    text last;            /* what the file holds */
    size_t last_times;    /* of it */
    double next, written; /* seconds of progress_now() */
} owner;

/* `delay` seconds from now the file is written first. `db`, `remote` and `serving` (may be NULL) must stay. */
void owner_begin(owner *o, cli *run, const char *db, remote *r, const char *serving, double delay);

/* To be called often: looks once a second, and replaces the file if something has changed, or when it is old. Notes
 * in `remote` that both are even, or what the trouble is. */
void owner_tell(owner *o);

/* How long a wait may be until owner_tell() has something to do. */
int owner_wait_ms(const owner *o);

void owner_end(owner *o);

/* What the owner that goat_db_open() has named with GOAT_BUSY says, as a value, to be freed. False: nothing. */
bool owner_read(const char *db, const goat_error *busy, goat_buf *value);

/* Says that the database is busy, whose it is and what to do. Ends the error. Gives CLI_TROUBLE. */
int owner_say_busy(const cli *run, const char *db, goat_error *busy);

#endif
