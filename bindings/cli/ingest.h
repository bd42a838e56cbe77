/* The loop of `import`, `apply` and `query --live --apply`: lines in, signed batches of edits out.
 *
 * A command says how one line becomes the JSON of one edit (goat_repo_apply_json); everything else is here.
 * When the library refuses a batch, it is halved until the line at fault is alone: all lines before it are
 * stored, and it can be named. */
#ifndef CLI_INGEST_H
#define CLI_INGEST_H

#include "json.h"
#include "options.h"
#include "progress.h"
#include "reader.h"
#include "text.h"

enum { INGEST_WHY_SIZE = 1024 };

typedef struct ingest ingest;

/* Adds the edit for `line`, which holds more than white space, to `in->edits`. False: the line is wrong,
 * and `why` (INGEST_WHY_SIZE bytes) says how. */
typedef bool (*ingest_make)(ingest *in, json_slice line, char *why);

struct ingest {
    /* said by the command */
    cli *run;
    goat_db *db; /* that is flushed */
    goat_repo *repo;
    ingest_make make;
    void *context;
    const char *name; /* of the input, for messages */
    uint32_t batch_max;
    uint32_t flags; /* GOAT_APPLY_… */
    bool keep_going, flush_each, acknowledge, quiet;

    /* kept by the loop */
    reader reader;
    progress progress;
    text edits;
    size_t raw; /* set by `make`: where in `edits` it copied the line as a whole, if it did */
    struct ingest_place *places;
    uint32_t count;     /* lines in the batch */
    uint64_t done_line; /* the last one that was applied */
    uint64_t created, changed, unchanged, refused;
    int code; /* CLI_DONE until something has gone wrong */
};

/* The common options of those commands into `in`: batch, flush, ack, keep-going, quiet. */
int ingest_options(ingest *in);

/* Opens the input `path` (NULL or "-": standard input). Before the database is opened. */
int ingest_open(ingest *in, const char *path);

/* Reads to the end. The exit code, also CLI_SIGNAL + n. */
int ingest_all(ingest *in);

/* One line at a time, for those who look at the result in between. */
int ingest_line(ingest *in, const char *line, size_t len);
int ingest_apply(ingest *in);

/* What follows from an answer of the reader that is no line. `*ends`: nothing more is to be read. */
int ingest_other(ingest *in, reader_answer answer, bool *ends);

/* Prints what came of it. */
void ingest_summary(const ingest *in, int code);
void ingest_close(ingest *in);

#endif
