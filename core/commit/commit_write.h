/* Writing a commit where there is room for it already. Only for the files of this module. */
#ifndef GT_COMMIT_COMMIT_WRITE_H
#define GT_COMMIT_COMMIT_WRITE_H

#include "commit/commit.h"

/* The lengths of the two maps that `draft` makes. */
void gt_commit_lens(const gt_commit_draft *draft, size_t *header, size_t *payload);

/* Writes them one behind the other: exactly as many bytes. */
void gt_commit_put(uint8_t *p, const gt_commit_draft *draft);

#endif
