/* Paths: "/type/repo" names a repository, "/type/repo/item" an item. Only the text is judged here,
 * not whether anything of that name exists. */
#ifndef GT_VALUE_PATH_H
#define GT_VALUE_PATH_H

#include "base/bytes.h"
#include "base/status.h"

enum { GT_PATH_MAX = 1 + GOAT_NAME_MAX + 1 + GOAT_NAME_MAX + 1 + GOAT_KEY_MAX };
_Static_assert((int)GT_PATH_MAX < (int)GT_DIAG_PATH_MAX, "a diagnostic holds every path");

typedef struct gt_path {
    gt_bytes type, name; /* of the repository */
    gt_bytes key;        /* of the item; data is NULL in a repository's path */
} gt_path;

/* What is wrong with a repository's type or name, or with an item's key, as words for a message;
 * NULL if nothing. `*position` (may be NULL) becomes the offset of the first wrong byte. */
const char *gt_name_fault(gt_bytes name, size_t *position);
const char *gt_key_fault(gt_bytes key, size_t *position);

/* What is wrong with the path of an item; as above. */
const char *gt_item_path_fault(gt_bytes text, size_t *position);

/* Takes a path apart; the parts point into `text`. GOAT_INVALID with a position, `path` is unset then.
 * The first takes both kinds, the others one. */
goat_status gt_path_parse(gt_bytes text, gt_path *path, gt_diag *diag);
goat_status gt_path_parse_repo(gt_bytes text, gt_path *path, gt_diag *diag);
goat_status gt_path_parse_item(gt_bytes text, gt_path *path, gt_diag *diag);

#endif
