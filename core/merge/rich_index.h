/* A rich text that is being edited: in parts, so that a Delta costs what it goes along and changes and not what the document does.
 *
 * Value and edit are made when somebody asks for them, and are what gt_edit_delta, gt_edit_compose and gt_edit_apply come to, one
 * Delta after the other. */
#ifndef GT_MERGE_RICH_INDEX_H
#define GT_MERGE_RICH_INDEX_H

#include "merge/merge.h"

typedef struct gt_rich_index gt_rich_index;

/* As gt_text_index_new(), for a field of type richtext. GOAT_OK, with NULL in `*index` for a document that is not in the form in
 * which documents are written, or is so large that limits have to be asked at each edit; GOAT_NO_MEMORY. */
goat_status gt_rich_index_new(const gt_alloc *alloc, const gt_field *field, gt_bytes base, gt_bytes edit,
                              gt_bytes value, gt_rich_index **index, gt_diag *diag);
void gt_rich_index_free(gt_rich_index *index); /* NULL is accepted */

/* GOAT_OK; GOAT_INVALID as gt_edit_delta, GOAT_TOO_LARGE as gt_edit_compose; GOAT_NO_MEMORY. `*made`: false when it fails, which changes nothing, and where it is for
 * others to decide: the document would be longer or shorter than its field allows, or too large. */
goat_status gt_rich_index_delta(gt_rich_index *index, gt_bytes delta, bool *made, gt_diag *diag);

uint64_t gt_rich_index_count(const gt_rich_index *index); /* elements */

/* Whether all Deltas together are an edit, which gt_rich_index_edit() then writes. Needs no memory. */
bool gt_rich_index_is_edit(const gt_rich_index *index);
void gt_rich_index_edit(const gt_rich_index *index, gt_buf *edit);   /* appends it, or nothing */
void gt_rich_index_value(const gt_rich_index *index, gt_buf *value); /* appends the document */

#endif
