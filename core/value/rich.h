/* Rich text as values: a document as Quill's Delta has it, an array of insertions
 * {"insert": text or embed, "attributes": map}. FORMAT.md section 11.
 *
 * Its elements are the code points of its texts and its embeds, one each. There are two ways of being one: by shape, which is
 * all that reading asks for, and in the one form that is written, in which no neighbours could be one insertion. */
#ifndef GT_VALUE_RICH_H
#define GT_VALUE_RICH_H

#include "base/buf.h"
#include "value/value.h"

/* Neighbours with the same attributes: characters, or one embed. */
typedef struct gt_rich_piece {
    gt_bytes content;    /* the characters; of an embed its value, a map */
    uint64_t count;      /* elements */
    gt_bytes attributes; /* a map; data NULL: none */
    bool is_embed;
} gt_rich_piece;

/* NULL for a value that is a document by its shape (with `strictly`: that is in the one form), or words that complete
 * "it …" and, in `*position`, the number of the insertion that is at fault. */
const char *gt_rich_fault(gt_bytes value, bool strictly, uint64_t *position);

/* The same of one embed, and of attributes. `with_nulls`: null may stand for a value. */
const char *gt_rich_embed_fault(gt_bytes embed);
const char *gt_rich_attributes_fault(gt_bytes attributes, bool with_nulls);

/* Goes through a document (data NULL: an empty one). Empty texts are passed over. */
static inline gt_iter gt_rich_iter(gt_bytes document) {
    return document.data == NULL ? (gt_iter){NULL, NULL, 0} : gt_array_iter(document);
}
bool gt_rich_next(gt_iter *document, gt_rich_piece *piece);

/* A piece that is an insertion's content. */
gt_rich_piece gt_rich_piece_of(gt_bytes content, gt_bytes attributes);

/* The first `count` elements of a piece, which has more or as many; they are taken off it. */
gt_rich_piece gt_rich_take(gt_rich_piece *piece, uint64_t count);

uint64_t gt_rich_count(gt_bytes document);

/* Appends its characters, not as a value; U+FFFC for each embed, as Unicode means it. */
void gt_rich_plain(gt_bytes document, gt_buf *out);

/* ---- attributes ---- */

/* Appends the map that comes of `first` and then `second` (empty: none): what the second has replaces what the first has.
 * null removes, and stays in the map only with `keeps_nulls`. Nothing is appended where nothing is left. */
void gt_rich_attributes_compose(gt_bytes first, gt_bytes second, bool keeps_nulls, gt_buf *out);

/* Appends what makes `after` of `before`, or nothing. */
void gt_rich_attributes_diff(gt_bytes before, gt_bytes after, gt_buf *out);

/* ---- writing a document in its one form ---- */

/* Beyond GT_FIELD_SIZE_MAX bytes the rest is left out: an attribute that is given to a range is written out at each piece of it, so
 * that a few edits could make a document that no memory holds. The last element written is the first with which the document is
 * longer than this, however its characters were dealt out to pieces. */
typedef struct gt_rich_writer {
    gt_buf *out;
    size_t begin;      /* of the document */
    size_t text_begin; /* of the characters that are being written; 0: none are */
    size_t count;      /* insertions begun */
    bool ended;        /* it is longer than it may be: what else comes is left out */
    gt_buf attributes; /* of the last insertion; empty: none */
    gt_buf next;       /* those of the piece at hand */
} gt_rich_writer;

void gt_rich_writer_init(gt_rich_writer *writer, gt_buf *out);
void gt_rich_put(gt_rich_writer *writer, const gt_rich_piece *piece);
/* Appends the document and frees the writer. */
void gt_rich_writer_end(gt_rich_writer *writer);

#endif
