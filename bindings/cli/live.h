/* A query that is watched while edits go in: `goat query --live`. */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "ingest.h"

/* What is opened before the database. `path`: of the edits, NULL or "-": standard input. */
typedef struct live_edits {
    ingest in;
    uint32_t rate; /* edits a second; 0: as fast as they come */
    goat_db *writer;
    goat_repo *repo;
} live_edits;

/* Applies the edits one by one, through a handle of their own on the same database, and prints what each
 * changes among the rows of `query`. With `--count` the number is printed when it changes. The exit code. */
int live_run(live_edits *live, goat_query *query);

#endif
