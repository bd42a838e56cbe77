/* A rich text in parts, one behind the other: each a few hundred elements, with what was edited of the base there.
 *
 * A part is about so many elements of the base, which stood next to each other, and has the edit of these and the value that they come
 * to, as if it were a document of its own; so what is done to it is done as to any document, and costs what the part weighs. Put
 * together, edits are the edit of the document and values its value. What nobody has touched lies in the document that was
 * there before. */
#ifndef GT_MERGE_RICH_PARTS_H
#define GT_MERGE_RICH_PARTS_H

#include "base/alloc.h"
#include "merge/rich_runs.h"

/* A part begins with little more bulk than the first of these, and is cut when it has more than the second. Larger ones would cost
 * more to go through, smaller ones more to go along. Its bulk is about what its value has bytes; but of the attributes of a piece only
 * so many count as the third, for pieces do not become smaller by being cut into many that have the same. */
enum { GT_RICH_PART_AT_FIRST = 512, GT_RICH_PART_MAX = 2048, GT_RICH_PART_ATTRIBUTES = 256 };

/* Goes through a part; the piece at hand may go on behind its end. */
typedef struct gt_rich_reader {
    gt_iter rest;
    gt_rich_piece piece;
    uint64_t left; /* elements */
} gt_rich_reader;

typedef struct gt_rich_part {
    uint64_t base_count;   /* elements of the base */
    uint64_t count, units; /* of the value: elements, and UTF-16 units */
    uint64_t bulk;
    uint64_t weight;      /* its bytes, or some more */
    gt_rich_reader begin; /* of the value, where `own` is NULL: it is as it was in the base */
    uint8_t *own;         /* the edit, which may be none, then the value */
    size_t edit_len, value_len;
} gt_rich_part;

typedef struct gt_rich_parts {
    const gt_alloc *alloc;
    gt_rich_part *list; /* one at least */
    size_t count, capacity;
} gt_rich_parts;

/* Lays a document (data NULL: an empty one) out, which must outlive the parts. False when there is no memory. `*is_usual`: its attributes
 * are in the form in which they are written, or what is done to a part may come to something else; and all parts together weigh no
 * more than a value may. Where that is false the rest is not laid out. */
bool gt_rich_parts_lay(gt_rich_parts *parts, gt_bytes document, bool *is_usual);
void gt_rich_parts_free(gt_rich_parts *parts);

gt_rich_reader gt_rich_part_read(const gt_rich_part *part);
/* Takes up to `most` elements with the same attributes; false at the end. */
bool gt_rich_reader_next(gt_rich_reader *reader, uint64_t most, gt_rich_piece *piece);

gt_bytes gt_rich_part_edit(const gt_rich_part *part); /* data NULL: none */

/* Gives a part an edit and a value, which follow each other in `both` and are taken over. */
void gt_rich_part_set(gt_rich_part *part, gt_buf *both, size_t edit_len);

/* Cuts a part, which has its own value, where it is too heavy. False when there is no memory: it is as it was. */
bool gt_rich_parts_cut(gt_rich_parts *parts, size_t number);

/* Appends the document; and the edit that leads to it from the base, or nothing. */
void gt_rich_parts_value(const gt_rich_parts *parts, gt_buf *value);
void gt_rich_parts_edit(const gt_rich_parts *parts, gt_buf *edit);

#endif
