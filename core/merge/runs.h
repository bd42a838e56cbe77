/* Edits of text and lists as runs of elements: how they are read and written (core/commit/FORMAT.md 3.3). Those of rich text
 * are read here too; rich_runs.h says what they have besides.
 *
 * Elements are the code points of a text and the values of a list. An edit is a whole value, which takes the place of all
 * that its author saw, or a map {0: [run, …]} of runs from the beginning on: n > 0 keeps n elements, -n removes n, a text or
 * an array is inserted. In a list {1: from} puts here what stood at index `from` before the edit, {2: value} keeps one
 * element and gives it another value, and {1: from, 2: value} does both; where a moved element stood it is kept, as if it
 * stayed. Where something is inserted and something removed at one place the insertion stands first. */
#ifndef GT_MERGE_RUNS_H
#define GT_MERGE_RUNS_H

#include "base/buf.h"
#include "value/value.h"

enum { GT_RUN_COUNT_MAX = 1 << 30 };

typedef enum gt_run_kind { GT_RUN_KEEP, GT_RUN_INSERT, GT_RUN_REMOVE, GT_RUN_MOVE, GT_RUN_SET } gt_run_kind;

typedef struct gt_run {
    gt_run_kind kind;
    bool is_embed;     /* INSERT, of rich text: `inserted` is the value of an embed */
    uint64_t count;    /* 1 of MOVE and SET */
    gt_bytes inserted; /* the characters of a text, or the elements of an array one behind the other */
    uint64_t from;     /* MOVE */
    gt_bytes value; /* SET, and MOVE: data NULL where it has none; KEEP and INSERT, of rich text: attributes, or NULL */
} gt_run;

typedef struct gt_run_iter {
    gt_iter iter;
    gt_bytes whole;  /* an edit that is a value; data NULL: none, or over */
    uint64_t before; /* elements of the base */
    uint64_t left;   /* those that nothing was said of yet */
    bool removes;    /* an edit that is a value removes these */
    bool is_rich;    /* of rich text */
} gt_run_iter;

/* The runs on a base of so many elements: they say of each what becomes of it, so the last may be one that keeps; what
 * goes beyond the end is left out. */
gt_run_iter gt_runs_of(gt_bytes edit, uint64_t base_count);
bool gt_run_next(gt_run_iter *iter, gt_run *run);

/* Writes an edit run by run, in the one form there is: neighbours of a kind become one, insertions and moves go before
 * removals, and nothing is kept at the end. */
typedef struct gt_run_writer {
    gt_buf runs;     /* encoded */
    gt_buf inserted; /* what waits to be written */
    uint64_t values; /* elements of a list in it; 0: it is text */
    uint64_t kept, removed;
    size_t count;
} gt_run_writer;

void gt_run_writer_init(gt_run_writer *writer, const gt_alloc *alloc);
void gt_run_keep(gt_run_writer *writer, uint64_t count);
void gt_run_remove(gt_run_writer *writer, uint64_t count);
void gt_run_insert(gt_run_writer *writer, gt_bytes text);
void gt_run_insert_values(gt_run_writer *writer, gt_bytes values, uint64_t count); /* one behind the other */
void gt_run_move(gt_run_writer *writer, uint64_t from, gt_bytes value);            /* data NULL: it keeps its own */
void gt_run_set(gt_run_writer *writer, gt_bytes value);
/* Appends the edit, or nothing if it changes nothing, and frees the writer. */
void gt_run_writer_end(gt_run_writer *writer, gt_buf *edit);

#endif
