/* What tests say about decoded commits. */
#ifndef COMMIT_CHECK_H
#define COMMIT_CHECK_H

#include "commit/commit.h"

void assert_same_bytes(gt_bytes a, gt_bytes b);

/* What decodes is the one encoding of what it says, and a view of it says the same. */
void assert_canonical(gt_bytes bytes, const gt_commit *commit);

/* A copy in memory of exactly its size, so that an address sanitizer sees a read behind its end; end it with
 * free(). */
gt_bytes exact_bytes(gt_bytes bytes);

#endif
