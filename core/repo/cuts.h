/* States that an item with several authors came to lately; see cuts.c. They are a cache: what is not there is computed. */
#ifndef GT_REPO_CUTS_H
#define GT_REPO_CUTS_H

#include "repo/tables.h"

/* Keeps a state that the heads came to; used as a base while the item is FORKED. Failing for lack of memory
 * is harmless. */
void gt_cut_keep(gt_repo *repo, uint32_t item, const uint32_t *heads, uint32_t head_count, gt_bytes state);
/* The state kept for exactly these heads; data NULL: none. */
gt_bytes gt_cut_find(const gt_repo *repo, uint32_t item, const uint32_t *heads, uint32_t head_count);
bool gt_cut_has(const gt_repo *repo, uint32_t item, uint32_t head_count);
void gt_cuts_free(gt_repo *repo);
void gt_cuts_forget(gt_repo *repo, uint32_t item);

#endif
