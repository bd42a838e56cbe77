/* Queries that keep their result: filter, order, window, and what changed (issue: "a query is live").
 *
 * A query looks at an abstract table of rows, numbered 0 to n - 1, whose numbers and item keys never
 * change and whose states may. It learns of a change by gt_query_set_touch(), AFTER the change, and
 * never needs the old state: it owns a copy of what it ordered the row by (the sort key: the sort
 * fields and the item key). So rows may be touched in any order and late.
 * Cost of a touch: one match and O(log n).
 *
 * Not here: what a row is, who may see it, when others' changes become visible. core/db says that by
 * what its source answers and when it touches. Nothing here locks. */
#ifndef GT_QUERY_QUERY_H
#define GT_QUERY_QUERY_H

#include "base/buf.h"
#include "base/status.h"
#include "schema/schema.h"

enum {
    GT_QUERY_SPEC_MAX = 2 << 20,     /* bytes of a spec's JSON text */
    GT_QUERY_SORT_MAX = 16,          /* sort fields */
    GT_QUERY_FIELDS_MAX = 1024,      /* fields of a projection, GOAT_FIELDS_MAX */
    GT_QUERY_CHANGES_DEFAULT = 4096, /* changes kept until they are drained; beyond: reset */
    GT_QUERY_CHAIN_MAX = 32,         /* queries one on the other; a touch recurses as deep */
};

/* ---- the table of rows ---- */

typedef struct gt_query_row {
    gt_bytes key;            /* of the item; the same for ever */
    gt_bytes state;          /* map field → value, may hold the integer key 0 */
    const gt_schema *schema; /* of the state; for its namespace and defaults */
    uint32_t revision;
} gt_query_row;

typedef struct gt_query_source {
    void *context;
    uint32_t (*row_count)(void *context); /* never falls */
    /* GOAT_NOT_FOUND: not a row at present (deleted, schema unknown, …); GOAT_NO_MEMORY. The views are good until the next call
     * and must not be kept. */
    goat_status (*row)(void *context, uint32_t row, gt_query_row *out);
} gt_query_source;

/* ---- all queries over one table ---- */

typedef struct gt_query_set gt_query_set;
typedef struct gt_query gt_query;

/* `source` is copied, its context stays good until gt_query_set_free. NULL: no memory. */
gt_query_set *gt_query_set_new(const gt_alloc *alloc, const gt_query_source *source);

/* Every query of the set must have been freed. NULL is accepted. */
void gt_query_set_free(gt_query_set *set);

/* Row `row` is not what it was: made, changed, deleted, come back. Brings every query up to date. A
 * query that runs out of memory over it forgets its result, says reset and is not ready until it has
 * been built again; the others are not affected. */
void gt_query_set_touch(gt_query_set *set, uint32_t row);

/* Anything may have changed (a schema came, a bulk load ended): every query says reset and is built
 * anew. */
void gt_query_set_restart(gt_query_set *set);

/* The queries one after the other, a source before those that look through it; NULL begins, NULL ends.
 * Queries that were freed but are still somebody's source are among them. */
gt_query *gt_query_set_next(const gt_query_set *set, const gt_query *query);

/* ---- one query ---- */

typedef struct gt_query_config {
    gt_bytes spec;        /* JSON: {"schema", "where", "sort", "offset", "limit", "fields"}, see goat.h; copied */
    gt_query *parent;     /* look only among its rows (its offset and limit counted); NULL: all. It is kept alive */
    uint32_t id;          /* the caller's; gt_query_id gives it back */
    uint32_t changes_max; /* 0: GT_QUERY_CHANGES_DEFAULT */
} gt_query_config;

/* A query without result yet: gt_query_build() makes it. GOAT_OK, GOAT_INVALID with what is wrong in
 * the spec (a fault of the filter: `field` names the operator with its path), GOAT_TOO_LARGE. */
goat_status gt_query_new(gt_query_set *set, const gt_query_config *config, gt_query **query, gt_diag *diag);

/* Ends the caller's use of it; a query that has it as parent goes on. NULL is accepted. */
void gt_query_free(gt_query *query);

uint32_t gt_query_id(const gt_query *query); /* 0 once it was freed and is only somebody's source */

/* Goes on with the first result for about `rows` rows' worth of work (a row looked at; sorting counts in
 * proportion), the parent's before its own. Rows may be touched between two calls. Nothing to do: GOAT_OK.
 * GOAT_NO_MEMORY: begun anew at the next call. Ask gt_query_ready() whether it is done. */
goat_status gt_query_build(gt_query *query, uint32_t rows, gt_diag *diag);

/* Whether there is a result. Everything below but drain and project needs it (asserted). */
bool gt_query_ready(const gt_query *query);

/* Positions count from 0 within offset and limit. */
uint32_t gt_query_count(const gt_query *query);
uint32_t gt_query_row_at(const gt_query *query, uint32_t position); /* position < count, asserted */

/* Where a row stands; false if it is not among the rows. O(log n). */
bool gt_query_position_of(const gt_query *query, uint32_t row, uint32_t *position);

/* Looks up by the first sort field, in O(log n): the first position whose field is not before `value` in
 * the order of the query, and how many rows from there have exactly this value. `value` is a checked
 * value and is taken as a field that holds it would be: an array stands for its smallest (descending:
 * largest) element, null also for fields that are missing. GOAT_OK, GOAT_MISUSE if the query has no sort
 * field, GOAT_NO_MEMORY. */
goat_status gt_query_find(gt_query *query, gt_bytes value, uint32_t *position, uint32_t *count, gt_diag *diag);

/* Appends {field: value, …} of a row: the fields of the spec (all without "fields"), defaults filled
 * in, what the row does not have left out, keys in deterministic order. */
void gt_query_project(const gt_query *query, const gt_query_row *row, gt_buf *out);

/* ---- what changed ---- */

/* The numbers of GOAT_ROW_… */
typedef enum gt_query_change_kind {
    GT_QUERY_INSERTED = 0,
    GT_QUERY_REMOVED = 1,
    GT_QUERY_MOVED = 2,   /* its content may have changed as well */
    GT_QUERY_UPDATED = 3, /* its state was touched, it stays where it was */
} gt_query_change_kind;

/* Each change applies to the list as the changes before it have left it: REMOVED takes `old_position`
 * out; INSERTED puts the row in at `position`; MOVED takes it out at `old_position` and then puts it in
 * at `position`. Where one has no meaning it equals the other. */
typedef struct gt_query_change {
    gt_query_change_kind kind;
    uint32_t position, old_position, row;
} gt_query_change;

/* The changes since the result was first there or last drained; good until the query is next touched,
 * drained or freed. `*reset`: there were more than were kept, or the result was built anew; read it
 * again (`*count` is 0 then). A query that is not ready has no changes to tell. */
void gt_query_drain(gt_query *query, const gt_query_change **changes, uint32_t *count, bool *reset);

/* Whether gt_query_drain() would tell anything. */
bool gt_query_has_changes(const gt_query *query);

#endif
