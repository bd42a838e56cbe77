/* What a version of a schema changes, and every way in which it could lose or reject what the version before wrote. */
#ifndef GT_SCHEMA_DIFFERENCE_H
#define GT_SCHEMA_DIFFERENCE_H

#include "schema/upgrade.h"

/* Appends a map for each change: "version" (the new one's), "field", "what" (a word such as "renamed"), "message" (one
 * line) and, where data is at stake, "risk": "loses" (what was written is not seen any more, or not told apart) or
 * "rejects" (what is there breaks a rule of the new version). In the order of the fields. `*count` is raised by them. */
void gt_upgrade_describe(const gt_upgrade *upgrade, gt_buf *out, size_t *count);

#endif
