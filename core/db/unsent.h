/* Repositories that were closed before a server had all that was committed to them; see unsent.c. */
#ifndef GT_DB_UNSENT_H
#define GT_DB_UNSENT_H

#include "db/internal.h"

/* Before a handle opens it: takes it out of the list, and makes its place for later. */
goat_status gt_unsent_prepare(gt_mount *mount, gt_diag *diag);
void gt_unsent_note(gt_mount *mount); /* the last handle has closed it */
void gt_unsent_forget(gt_database *database, gt_bytes path);
bool gt_unsent_has(gt_database *database, gt_bytes path);
bool gt_unsent_check(gt_database *database, gt_diag *diag); /* false, and which: nothing sends one of them */
void gt_unsent_fail(gt_bytes path, gt_diag *diag);
void gt_unsent_free_all(gt_database *database);

#endif
