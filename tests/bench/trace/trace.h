/* The trace runner: what real people typed, typed again into real databases. */
#ifndef GOAT_BENCH_TRACE_H
#define GOAT_BENCH_TRACE_H

#include "../bench.h"

#include "merge/merge.h"

#include <stdint.h>

/* ---- trace_file.c ---- */

/* At a code point of the text as its author saw it: so many are removed, and a text put there. */
typedef struct trace_patch {
    uint32_t position, removed;
    const char *text;
    size_t text_len;
} trace_patch;

/* A transaction: patches one after the other. Those of a concurrent trace have parents, earlier transactions. */
typedef struct trace_txn {
    const trace_patch *patches;
    const uint32_t *parents;
    uint32_t patch_count, parent_count, agent;
} trace_txn;

typedef struct trace {
    char name[64];
    bool is_concurrent;
    uint32_t agents, txn_count, patch_count;
    trace_txn *txns;
    trace_patch *patches;
    uint32_t *parents;
    char *texts;
    char *start, *end; /* what it begins and ends with */
    size_t start_len, end_len;
} trace;

trace *trace_load(const char *path); /* a gzipped JSON file; ends the program if it is none */
void trace_free(trace *t);
/* Leaves the first edits of a trace of one author, and what they come to. */
void trace_shorten(trace *t);

/* ---- typing.c ---- */

trace *trace_of_typing(uint32_t minutes); /* two authors at once */

/* ---- figures.c ---- */

/* What a measurement found. It runs in a process of its own, so that its memory is its own. */
typedef struct trace_report trace_report;

void figure(trace_report *report, const char *work, const char *unit, double target, double value);
void remark(trace_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Something is not as it must be: the program goes on, and fails at its end. */
void mark_wrong(trace_report *report);
bool is_wrong(void); /* of any report so far */

/* From here on the peak of this process's memory is counted. */
void figure_memory_begin(trace_report *report);
void figure_memory(trace_report *report, const char *work);

typedef void (*trace_measure)(const trace *t, const char *folder, trace_report *report);

/* Runs it with an empty folder, prints its remarks, and takes its figures into the rows of `who`. */
void measure_apart(trace_measure measure, const trace *t, peer who, bool quiet, const char *folder);

/* From elsewhere: an array of [work, unit, target, value], and of remarks. */
void take_report(const trace *t, peer who, bool quiet, const json_t *report);

/* ---- writing.c ---- */

extern const char trace_schema[], trace_repository[], trace_path[];

typedef struct trace_db {
    goat_db *db;
    goat_repo *repo;
} trace_db;

trace_db trace_open(const char *folder, uint32_t flags, const uint8_t *root_key);
void trace_close(trace_db *o);
goat_item *trace_item(const trace_db *o);
/* Whether its text is what the trace ends with; where it is not, the report says so and is wrong. */
bool trace_compare(const trace *t, const trace_db *o, const char *who, trace_report *report);
double trace_log_mb(const char *folder);
/* What opening costs, with the checkpoint that closing has left and without. */
void trace_measure_open(const trace *t, const char *folder, const char *of, double target_ms, trace_report *report);
/* The delta of a transaction. `before` is the text that its author saw, a value; data NULL: there is none yet. It is
 * looked into only where there are several patches. */
void trace_delta(const gt_schema *schema, const trace_txn *txn, gt_bytes before, gt_buf *delta);

/* ---- what is measured ---- */

void measure_captured(const trace *t, const char *folder, trace_report *report);
void measure_commits(const trace *t, const char *folder, trace_report *report);
void measure_keys(const trace *t, const char *folder, trace_report *report);
extern const trace made_up; /* has no edits: texts for a single key */
void measure_made_up(const trace *t, const char *folder, trace_report *report);
void measure_concurrent(const trace *t, const char *folder, trace_report *report);
void measure_deliveries(const trace *t, const char *folder, trace_report *report);
extern int trace_deliveries; /* so many */
/* ---- peers.c ---- */
void bench_trace_peers(char *const *paths, trace *const *traces, int count, bool quiet);

_Noreturn void trace_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
