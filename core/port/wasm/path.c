/* The page's folders have no links: two names are the same folder when they are the same text. */
#include "port/port.h"

#include <string.h>

goat_status gt_port_canonical_path(const gt_alloc *alloc, const char *path, size_t path_len, char **canonical,
                                   gt_diag *diag) {
    *canonical = NULL;
    if (path_len == 0 || memchr(path, 0, path_len) != NULL) {
        return gt_fail(diag, GOAT_MISUSE, "a folder's path is not empty and has no NUL in it");
    }
    char *copy = gt_copy(alloc, path, path_len);
    if (copy == NULL) {
        return gt_no_memory(diag);
    }
    copy[gt_port_tidy_path(copy, path_len)] = 0;
    *canonical = copy;
    return GOAT_OK;
}
