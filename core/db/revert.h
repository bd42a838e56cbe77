/* What a revert is asked for (JSON, as goat.h says), and which commits that is. */
#ifndef GT_DB_REVERT_H
#define GT_DB_REVERT_H

#include "commit/batch.h"
#include "db/db.h"
#include "repo/revert.h"

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

/* Which commits that is. */
typedef struct gt_revert_search {
    gt_repo *repo;
    gt_revert_spec *spec; /* what was found of its ids is noted there */
    uint32_t item;        /* GT_NONE: any */
    size_t next_id;       /* of the spec's commits */
    uint32_t next;        /* row */
    uint32_t spent;       /* comparisons of this step */
    gt_buf prefixes;
    gt_undo_search *undo;
    gt_buf rows; /* uint32_t, once it is done */
} gt_revert_search;

void gt_revert_search_init(gt_revert_search *search, gt_repo *repo, gt_revert_spec *spec);
void gt_revert_search_free(gt_revert_search *search);
goat_status gt_revert_search_begin(gt_revert_search *search, const gt_id *session, uint32_t item, gt_diag *diag);
/* GOAT_NOT_FOUND: there is no such commit, or nothing to undo; GOAT_INVALID: several ids begin so. */
goat_status gt_revert_search_step(gt_revert_search *search, bool *done, gt_diag *diag);

/* False: it is none, from GT_PREFIX_DIGITS_MIN digits to a whole id. */
bool gt_wanted_read(gt_bytes digits, gt_wanted_id *wanted);
bool gt_wanted_is(const gt_wanted_id *wanted, const gt_id *id);

/* What becomes of one item. The commits that are meant are `count` of those found, sorted by item, from `first` on. */
typedef struct gt_revert_plan {
    uint32_t item, first, count; /* count 0: nothing is to be done any more */
    gt_buf heads;                /* all that there were when it was begun */
    gt_revert revert;
    gt_buf after; /* what it leads to */
    bool is_begun;
    bool is_made;        /* and done with */
    bool is_done;        /* the commit was made */
    goat_status skipped; /* why all of it, or some of its commits, are left out; GOAT_OK */
    gt_id id;            /* of that commit */
} gt_revert_plan;

/* What is told of it: what would be done, or once `is_done` what was. */
typedef struct gt_revert_result {
    gt_repo *repo;
    const gt_revert_spec *spec;
    const gt_revert_plan *plans;
    size_t plan_count;
    bool is_done;
} gt_revert_result;

/* Appends it. GOAT_NO_MEMORY. */
goat_status gt_revert_write_result(const gt_revert_result *result, gt_buf *out, gt_diag *diag);

#endif
