/* What a revert is asked for: JSON, as goat.h says. */
#ifndef GT_DB_REVERT_H
#define GT_DB_REVERT_H

#include "commit/batch.h"
#include "db/db.h"

typedef enum gt_revert_kind { GT_REVERT_COMMITS, GT_REVERT_RANGE, GT_REVERT_UNDO, GT_REVERT_REDO } gt_revert_kind;

/* The beginning of an id, as many digits as were given, and what was found. */
typedef struct gt_wanted_id {
    gt_id id;
    uint32_t digits; /* hexadecimal ones; an odd one is the upper half of a byte */
    uint32_t row;    /* of a commit: GT_NONE: not found yet */
} gt_wanted_id;

enum { GT_PREFIX_DIGITS_MIN = 8 };

typedef struct gt_revert_spec {
    const gt_alloc *alloc;
    gt_revert_kind kind;
    gt_wanted_id *commits;
    size_t commit_count;
    bool lacks_some; /* commits that are not in this repository are no error */
    bool has_session;
    gt_wanted_id session; /* `id` becomes the whole one when it is found */
    gt_time since, until; /* both included */
    gt_buf item, message; /* data NULL: none */
    bool dry_run;
} gt_revert_spec;

/* GOAT_INVALID with what is wrong. */
goat_status gt_revert_spec_read(gt_bytes json, const gt_alloc *alloc, gt_revert_spec *spec, gt_diag *diag);
void gt_revert_spec_free(gt_revert_spec *spec);

bool gt_wanted_is(const gt_wanted_id *wanted, const gt_id *id);

#endif
