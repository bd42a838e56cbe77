/* Edits of rich text as runs (core/commit/FORMAT.md 3.7): those of text, and runs that say something of attributes.
 *
 * An edit is a whole document or a map {0: [run, …]}. n, -n and a text are as in text; [n, attributes] keeps n elements and
 * gives them attributes, of which null removes one; [text, attributes], [embed] and [embed, attributes] are inserted. */
#ifndef GT_MERGE_RICH_RUNS_H
#define GT_MERGE_RICH_RUNS_H

#include "merge/runs.h"
#include "value/rich.h"

/* Bytes of the attributes of one run that keeps elements: each of them is written out at every piece of the document that the
 * run covers, so a few bytes of an edit could become many. */
enum { GT_RICH_ATTRIBUTES_MAX = 4096 };

/* As gt_runs_of(); gt_run_next() reads them, with attributes as the value of a run. */
gt_run_iter gt_rich_runs_of(gt_bytes edit, uint64_t base_count);
bool gt_rich_run_next(gt_run_iter *iter, gt_run *run);

/* The run that an element of the array is; false if it is none. With a run come words for what is wrong about it, which complete
 * "it …", or NULL. */
bool gt_rich_run_read(gt_bytes element, gt_run *run, const char **fault);

/* False where a run of an edit (or of nothing) gives what it keeps more attributes than it may: two edits that each give it as many
 * as they may can come to that together. */
bool gt_rich_edit_fits(gt_bytes edit);

/* Takes the first `count` elements off a run, which has more or as many. */
gt_run gt_rich_run_take(gt_run *run, uint64_t count);

/* The content of an INSERT. */
gt_rich_piece gt_rich_run_piece(const gt_run *run);

/* Writes an edit run by run, in the one form there is: neighbours of a kind with the same attributes become one, insertions go
 * before removals, and nothing is kept at the end but with attributes. */
typedef struct gt_rich_run_writer {
    gt_buf runs, inserted; /* encoded; what is inserted waits for what is kept next */
    gt_buf text;           /* characters of the last insertion */
    gt_buf attributes;     /* of these, or of what is kept */
    gt_buf next;           /* those of the run at hand */
    size_t count, inserted_count;
    uint64_t kept, removed;
} gt_rich_run_writer;

void gt_rich_run_writer_init(gt_rich_run_writer *writer, const gt_alloc *alloc);
void gt_rich_run_keep(gt_rich_run_writer *writer, uint64_t count, gt_bytes attributes); /* data NULL or empty: none */
void gt_rich_run_remove(gt_rich_run_writer *writer, uint64_t count);
void gt_rich_run_insert(gt_rich_run_writer *writer, const gt_rich_piece *piece);
/* Appends the edit, or nothing if it changes nothing, and frees the writer. */
void gt_rich_run_writer_end(gt_rich_run_writer *writer, gt_buf *edit);

#endif
