/* One name for a folder, also for one that is not there yet: the part of the path that exists is resolved by the
 * system, the rest follows as it is written. */
#define _GNU_SOURCE
#include "port/port.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* The longest beginning of `path` that exists, resolved; returns its length. 0 and "." when there is none. */
static size_t resolve(char *path, size_t len, char resolved[PATH_MAX]) {
    for (size_t end = len; end > 0;) {
        char after = path[end];
        path[end] = 0;
        char *found = realpath(path, resolved);
        path[end] = after;
        if (found != NULL) {
            return end;
        }
        if (errno != ENOENT && errno != ENOTDIR) {
            break; /* opening it will say what is wrong */
        }
        while (end > 0 && path[end - 1] != '/') {
            end--;
        }
        while (end > 1 && path[end - 1] == '/') {
            end--;
        }
    }
    if (path[0] == '/' || realpath(".", resolved) == NULL) {
        resolved[0] = 0;
    }
    return 0;
}

goat_status gt_port_canonical_path(const gt_alloc *alloc, const char *path, size_t path_len, char **canonical,
                                   gt_diag *diag) {
    char resolved[PATH_MAX];
    *canonical = NULL;
    if (path_len == 0 || memchr(path, 0, path_len) != NULL) {
        return gt_fail(diag, GOAT_MISUSE, "a folder's path is not empty and has no NUL in it");
    }
    char *copy = gt_copy(alloc, path, path_len);
    if (copy == NULL) {
        return gt_no_memory(diag);
    }
    size_t end = resolve(copy, path_len, resolved), rest = path_len - end, len = strlen(resolved);
    char *made = gt_resize(alloc, NULL, len + 1 + rest + 1, 1);
    if (made != NULL) {
        memcpy(made, resolved, len);
        made[len++] = '/';
        memcpy(made + len, copy + end, rest);
        made[gt_port_tidy_path(made, len + rest)] = 0;
    }
    gt_free(alloc, copy);
    *canonical = made;
    return made == NULL ? gt_no_memory(diag) : GOAT_OK;
}
