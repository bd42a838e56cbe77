/* What items keep for those who page through their history. */
#ifndef GT_DB_HISTORY_H
#define GT_DB_HISTORY_H

#include "db/internal.h"

typedef struct gt_item_history gt_item_history;

void gt_item_history_free(const gt_alloc *alloc, gt_item_history *history); /* NULL is accepted */

/* explain.c: the heads of what an item shows without its unsaved edits, once it was looked at: ids, ascending. */
goat_status gt_item_heads_seen(goat_item *item, gt_buf *heads, gt_diag *diag);

/* traces.c: commits in rows before this one are seen; of later ones only those that its heads come from. */
uint32_t gt_space_commits(const gt_space *space, uint32_t item);

#endif
