/* The text of a folder's path, without asking the machine what is there. */
#include "port/port.h"

#include <string.h>

/* Each part is moved down behind those that are kept; ".." stays, because only the machine knows where it leads. */
size_t gt_port_tidy_path(char *path, size_t len) {
    size_t kept = len > 0 && path[0] == '/' ? 1 : 0;
    for (size_t at = kept; at < len;) {
        const char *slash = memchr(path + at, '/', len - at);
        size_t part = slash == NULL ? len - at : (size_t)(slash - path) - at;
        if (part > 0 && !(part == 1 && path[at] == '.')) {
            if (kept > 0 && path[kept - 1] != '/') {
                path[kept++] = '/';
            }
            memmove(path + kept, path + at, part);
            kept += part;
        }
        at += part + 1;
    }
    return kept;
}
