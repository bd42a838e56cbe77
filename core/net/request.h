/* What may be asked for over HTTP, and by whom: the rules about paths, origins and tags, without any I/O. The
 * path that comes here is decoded already. */
#ifndef GT_NET_REQUEST_H
#define GT_NET_REQUEST_H

#include "base/buf.h"
#include "base/bytes.h"

enum { GT_REQUEST_PATH_MAX = 1024, GT_REQUEST_HOST_MAX = 255 };

/* Whether a path may name a static file: it begins with '/', no part is empty (but the last, of a folder) or begins
 * with a dot, and there is nothing in it that a file system or a header could take for something else. */
bool gt_request_path_valid(gt_bytes path);

/* Appends a path as it stands in a header. */
void gt_request_encode_path(gt_buf *out, gt_bytes path);

/* Whether a page of this origin may open a connection. `origin` with data NULL: not a browser. `allowed` is what the
 * server was told, origins with blanks between them, "*" for all; empty: only pages of the host itself, under a name that
 * is its own for certain. Any other name a stranger can have point here, and then his pages are "of the host itself" (DNS
 * rebinding); addresses and localhost he cannot. `is_own_name` is asked about the others, in lower case. */
bool gt_request_origin_allowed(gt_bytes origin, gt_bytes host, const char *allowed,
                               bool (*is_own_name)(void *context, const char *name), void *context);

/* Whether the list of a header If-None-Match names a tag; both with their quotes. */
bool gt_request_tag_matches(gt_bytes list, gt_bytes tag);

/* Whether one of the tokens in a header's list is `name`, whatever the case: "a, b". */
bool gt_request_list_has(gt_bytes list, const char *name);

/* The content type by the end of a file's name. Good for ever. */
const char *gt_request_content_type(gt_bytes path);

#endif
