/* Edits as gt_space_apply() is given them, and what they come to on one item. */
#ifndef GT_DB_APPLY_H
#define GT_DB_APPLY_H

#include "db/internal.h"

/* One edit as it was given, in either form; what is not there has no data, or is NULL. */
typedef struct gt_applied {
    gt_bytes key, ns;
    gt_bytes set, unset, replace, steps;
    json_t *set_json, *unset_json, *replace_json, *steps_json;
    bool has_delete, deleted;
} gt_applied;

/* ---- works.c ---- */

/* One operation more in a work of which nobody is told. */
goat_status gt_work_take(gt_work *work, const gt_field *field, const gt_edit *edit, gt_diag *diag);
void gt_work_forget(gt_work *work); /* its edits */

/* ---- apply_read.c: GOAT_INVALID, with the member as field ---- */
goat_status gt_applied_read(gt_bytes map, gt_applied *edit, gt_diag *diag);
goat_status gt_applied_read_json(json_t *object, gt_applied *edit, gt_diag *diag);

/* ---- apply_steps.c ---- */

/* The steps of "edit" as a map; of JSON without the schema: what they hold may be any value. Says which step is none. */
goat_status gt_applied_steps_of(json_t *json, gt_buf *steps, gt_diag *diag);
/* The edits that lead from `work`'s base to where these fields are set, those unset (one of the two forms), and the steps
 * made one after the other; into the work. `*left`: how many steps there may be; GOAT_TOO_LARGE: there are more. */
goat_status gt_applied_make(gt_work *work, const gt_applied *edit, gt_bytes fields, gt_bytes steps, uint32_t *left,
                            gt_diag *diag);

#endif
