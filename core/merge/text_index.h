/* A text that is being edited: in blocks, each of which knows how long it is in every unit, so that a splice costs what its
 * place and its length cost and not what the text does.
 *
 * Value and edit are made when somebody asks for them, and are what gt_edit_splice, gt_edit_compose and gt_edit_apply come to,
 * one splice after the other. A splice that fails changes nothing. */
#ifndef GT_MERGE_TEXT_INDEX_H
#define GT_MERGE_TEXT_INDEX_H

#include "merge/merge.h"

typedef struct gt_text_index gt_text_index;

/* `base` is the value that edits are relative to (data NULL: unset), `edit` what was edited already (data NULL: nothing) and
 * `value` what that comes to; `base` and `value` must outlive the index. Only for a field of type text.
 * GOAT_OK, GOAT_NO_MEMORY. */
goat_status gt_text_index_new(const gt_alloc *alloc, const gt_field *field, gt_bytes base, gt_bytes edit,
                              gt_bytes value, gt_text_index **index, gt_diag *diag);
void gt_text_index_free(gt_text_index *index); /* NULL is accepted */

/* GOAT_OK; GOAT_INVALID as gt_edit_splice; GOAT_NO_MEMORY. `*made`: false when it fails, and where the text would be longer or
 * shorter than its field allows, for whoever knows more to decide: back to a text that is too long already is no edit. */
goat_status gt_text_index_splice(gt_text_index *index, const gt_splice *splice, bool *made, gt_diag *diag);

/* Code points of the text. */
uint64_t gt_text_index_count(const gt_text_index *index);

/* Whether all splices together are an edit. */
bool gt_text_index_is_edit(const gt_text_index *index);
/* Appends it, or nothing. */
void gt_text_index_edit(const gt_text_index *index, gt_buf *edit);
/* Appends the text, as a value. */
void gt_text_index_value(const gt_text_index *index, gt_buf *value);

#endif
