/* The heads that an edit names where there are more than a commit may name. */
#ifndef GT_REPO_LATEST_H
#define GT_REPO_LATEST_H

#include "repo/repo.h"

/* `rows` are numbers of commits; the latest GT_PARENTS_MAX of them are kept, in no order. */
void gt_keep_latest(const gt_repo *repo, gt_buf *rows);

#endif
