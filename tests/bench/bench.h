/* The benchmark: every row is a piece of work, measured for libgoat and (where it makes sense) its peers in
 * the same run. Figures are medians over rounds; a target is printed beside the figure and never asserted,
 * because machines are shared. */
#ifndef GOAT_BENCH_H
#define GOAT_BENCH_H

#include "goat.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum peer { GOAT, SQLITE, LMDB, YJS, AUTOMERGE, LORO, BLOOM, FLOOR, WHO_COUNT } peer;

/* ---- report.c ---- */

typedef struct row {
    const char *work;
    const char *unit;
    double target; /* 0: none */
    bool more_is_better;
} row;

/* Begins a row; figures for it follow. */
void row_begin(const char *work, const char *unit, double target, bool more_is_better);
/* One measurement; the median of all for this row and peer is printed. */
void row_add(peer who, double value);
/* As much as fits on a screen: columns without any figure are left out. */
void report_table(void);
json_t *report_rows(void); /* new */
void report_json(void);

double now_s(void);
void check(goat_status status, goat_error *error, const char *what); /* ends the program on failure */

/* ---- documents.c ---- */

typedef struct documents {
    size_t count;
    char **names;
    char **lines; /* compact JSON */
    size_t *line_lens;
    size_t bytes; /* of all lines */
    bool real;    /* the Debian index; made up otherwise */
    size_t batch; /* documents a batch */
    size_t batch_count;
    goat_buf *edits;   /* a batch each, CBOR, for goat_repo_apply() */
    char **edits_json; /* a batch each, JSON, for goat_repo_apply_json() */
} documents;

documents *documents_load(size_t most);
void documents_free(documents *docs);
extern const char package_schema[];

/* ---- the measured ---- */

typedef struct bench_options {
    const char *folder; /* an empty one */
    int rounds;
    bool quick;
    const char *program;
} bench_options;

void bench_goat(const documents *docs, const bench_options *options);
int bench_goat_memory(const char *folder); /* in a process of its own; prints bytes */
void bench_sqlite(const documents *docs, const bench_options *options);
void bench_lmdb(const documents *docs, const bench_options *options);
void bench_floor(const bench_options *options);

/* names of rows that several fill in */
extern const char import_work[], open_read_work[], point_read_work[], update_work[], filter_work[];
void rows_declare(const documents *docs);

void remove_folder(const char *folder);
void join(char *out, size_t size, const char *folder, const char *name);

#endif
