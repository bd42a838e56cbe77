/* Status codes and diagnostics.
 *
 * The codes are those of the public header: a lower layer returns the code that the caller will see,
 * and nobody translates on the way up. A gt_diag carries the words; it lies on the caller's stack,
 * is filled in by the function that finds the trouble, and is passed up unchanged. */
#ifndef GT_BASE_STATUS_H
#define GT_BASE_STATUS_H

#include "goat.h"

enum {
    GT_DIAG_MESSAGE_MAX = 256, /* one line; longer texts are cut, never overrun */
    GT_DIAG_PATH_MAX = 768,    /* "/type/repo/item" at its longest, GT_PATH_MAX */
    GT_DIAG_NAME_MAX = 128,    /* a field or a rule */
};

#define GT_NO_POSITION UINT64_MAX

typedef struct gt_diag {
    goat_status status;
    uint64_t position; /* byte offset in the input or file, GT_NO_POSITION if there is none */
    char message[GT_DIAG_MESSAGE_MAX];
    char path[GT_DIAG_PATH_MAX];  /* repository or item concerned, or empty */
    char field[GT_DIAG_NAME_MAX]; /* field concerned, or empty */
    char rule[GT_DIAG_NAME_MAX];  /* schema rule that was broken, or empty */
} gt_diag;

#if defined(__GNUC__)
#define GT_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define GT_PRINTF(text, first)
#endif

/* The name of a status, such as "GOAT_NOT_FOUND"; "GOAT_UNKNOWN" for a number that is none. */
const char *gt_status_name(goat_status status);

/* Makes an empty diagnostic. */
void gt_diag_init(gt_diag *diag);

/* Records a failure and returns `status`, so that a caller can write `return gt_fail(…)`.
 * `diag` may be NULL. A diagnostic that is already set is overwritten, path, field and rule included:
 * use gt_diag_is_set() first where a lower layer may have spoken. Texts end up on terminals and in log
 * files, so control characters and what is not UTF-8 become '?'. */
goat_status gt_fail(gt_diag *diag, goat_status status, const char *format, ...) GT_PRINTF(3, 4);

/* As gt_fail, with the byte offset at which the input is wrong. */
goat_status gt_fail_at(gt_diag *diag, goat_status status, uint64_t position, const char *format, ...) GT_PRINTF(4, 5);

/* Adds where it happened; each is cut at a code point boundary when too long. `diag` may be NULL. */
void gt_diag_path(gt_diag *diag, const char *path, size_t len);
void gt_diag_field(gt_diag *diag, const char *field, size_t len);
void gt_diag_rule(gt_diag *diag, const char *rule);

/* False for NULL. */
bool gt_diag_is_set(const gt_diag *diag);

/* Out of memory, the one failure that everybody reports in the same words. */
goat_status gt_no_memory(gt_diag *diag);

#endif
