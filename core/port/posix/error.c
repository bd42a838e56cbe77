/* The system's errors as our statuses: what the caller can do about them decides the group. */
#define _GNU_SOURCE
#include "port/posix/storage.h"

#include <errno.h>
#include <string.h>

const char *gt_posix_words(int error, char words[GT_POSIX_WORDS_MAX]) {
    return strerror_r(error, words, GT_POSIX_WORDS_MAX); /* GNU's: the words may lie elsewhere */
}

static goat_status status_of(int error) {
    switch (error) {
    case ENOENT: return GOAT_NOT_FOUND;
    case EEXIST: return GOAT_EXISTS;
    case ENOMEM: return GOAT_NO_MEMORY;
    case ENOSPC:
    case EDQUOT: return GOAT_FULL;
    case EROFS:
    case EACCES:
    case EPERM: return GOAT_FORBIDDEN;
    default: return GOAT_IO;
    }
}

goat_status gt_posix_fail(goat_io_result *result, int error, const char *what, const char *name) {
    char words[GT_POSIX_WORDS_MAX];
    return gt_port_result_fail(result, status_of(error), "cannot %s %s: %s", what, name, gt_posix_words(error, words));
}
