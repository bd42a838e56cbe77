/* The keys under which new items are made. */
#ifndef GT_DB_NEW_KEY_H
#define GT_DB_NEW_KEY_H

#include "base/bytes.h"
#include "base/status.h"

/* Fewer than the format has room for: the control characters U+0080 to U+009F, by which a key could steer the terminal that
 * lists it, are GOAT_INVALID here. Items that have them, of whoever made them, are read, edited and synced. */
goat_status gt_new_key_check(gt_bytes key, gt_diag *diag);

#endif
