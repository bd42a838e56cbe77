/* Splices of a text, or Deltas of a rich text, that nobody has looked at yet, on top of a field's edit. */
#ifndef GT_DB_SPLICES_H
#define GT_DB_SPLICES_H

#include "db/internal.h"

/* Whether the operation on `before`, which is settled (NULL: there is none yet), can be taken in later. `base`: the field's in what
 * the author saw. */
bool gt_splices_may_wait(const gt_field *field, gt_bytes base, const gt_field_edit *before, const gt_edit *edit);
/* Whether some wait already that are in the same text. */
bool gt_splices_go_on(const gt_field_edit *before, const gt_edit *edit);
/* Nothing has changed where it is not made: when it fails, and where a rule has to be asked that the text may break. */
goat_status gt_splices_push(gt_field_edit *to, gt_bytes base, const gt_edit *edit, const gt_alloc *alloc, bool *made,
                            gt_diag *diag);
/* Whether the field's edit is one, with them; and whether they come to nothing, so that in an object only what is around the text is
 * an edit. */
bool gt_splices_are_edit(const gt_field_edit *edit);
bool gt_splices_are_nothing(const gt_field_edit *edit);
/* Makes edit and value. */
goat_status gt_splices_settle(gt_field_edit *edit, gt_bytes base, const gt_alloc *alloc, gt_diag *diag);
void gt_splices_free(const gt_alloc *alloc, gt_splices *splices); /* NULL is accepted */

#endif
