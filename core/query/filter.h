/* Filters: a document of MongoDB's query language, compiled once and run on encoded values.
 *
 * A compiled filter knows no schema and no repository; it allocates nothing while it matches. What each
 * operator means, and where this differs from MongoDB, is said in README.md. */
#ifndef GT_QUERY_FILTER_H
#define GT_QUERY_FILTER_H

#include "base/buf.h"
#include "base/status.h"
#include "schema/schema.h"

enum {
    GT_FILTER_SIZE_MAX = 1 << 20, /* bytes of the document as a value: room for long $in lists */
    GT_FILTER_NODES_MAX = 4096,   /* conditions and connectives together */
    GT_FILTER_DEPTH_MAX = 32,     /* connectives inside each other; matching recurses as deep */
    GT_FILTER_IN_MAX = 65536,     /* values of one $in or $nin */
    GT_FILTER_PATTERNS_MAX = 64,  /* $regex in one filter: each is a compiled program of its own */
};

typedef struct gt_filter gt_filter;

/* Compiles `document`, a value (deterministic CBOR, checked by gt_value_check). Everything is copied.
 * GOAT_OK; GOAT_INVALID with the operator that is wrong in the message and its path in `field`, such as
 * "$or[1].size.$gtt"; GOAT_TOO_LARGE beyond a limit above. */
goat_status gt_filter_compile(const gt_alloc *alloc, gt_bytes document, gt_filter **filter, gt_diag *diag);

/* The same from JSON text, with values in wrapped form ({"$date": …}). Faults of the text itself come
 * with a position. */
goat_status gt_filter_compile_json(const gt_alloc *alloc, gt_bytes text, gt_filter **filter, gt_diag *diag);

/* NULL is accepted. */
void gt_filter_drop(gt_filter *filter);

/* Whether a state (a map field → value; the integer key 0 is not looked at) matches. A field that is
 * not there counts with its default where `schema` (may be NULL) has one. GOAT_OK; GOAT_NO_MEMORY only
 * from a $regex, whose engine may need some for a hostile pattern: the answer is not known then.
 * Uses working memory of the filter's patterns: one caller at a time. */
goat_status gt_filter_match(const gt_filter *filter, gt_bytes state, const gt_schema *schema, bool *matches);

#endif
