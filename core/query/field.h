/* Dotted paths ("maintainer.name", "tags.0") and the values that they lead to in a state.
 *
 * As in MongoDB a path goes through arrays: through every map in them, or by a number to one element.
 * A set is as an array here. Nothing is allocated while walking; recursion is bounded by the number of
 * names in a path. */
#ifndef GT_QUERY_FIELD_H
#define GT_QUERY_FIELD_H

#include "base/arena.h"
#include "schema/schema.h"
#include "value/value.h"

enum { GT_FIELD_SEGMENTS_MAX = 32 }; /* names of one path */

typedef struct gt_field_segment {
    gt_bytes name;
    bool is_index; /* only digits: may mean an element */
    uint64_t index;
} gt_field_segment;

typedef struct gt_field_path {
    gt_field_segment *segments;
    size_t count;
} gt_field_path;

/* Takes a path apart. `text` is used by `path`, as is memory of `arena`. GOAT_OK; GOAT_TOO_LARGE. */
goat_status gt_field_path_parse(gt_arena *arena, gt_bytes text, gt_field_path *path, gt_diag *diag);

/* Is called with each value at the end of a path; true ends the walk. `value.data` is NULL where the
 * path breaks off. `is_element`: of an array or set that stands at the end of the path; that is
 * itself given before its elements. */
typedef bool (*gt_field_visit)(void *context, gt_bytes value, bool is_element);

/* Whether some `visit` gave true. The first name is looked for in `state`, then among the defaults of
 * `schema` (may be NULL); so is every further one in an object that is there. An array on the way that holds no map leads nowhere: no call. */
bool gt_field_walk(const gt_field_path *path, gt_bytes state, const gt_schema *schema, gt_field_visit visit,
                   void *context);

/* The end of a walk that has come to `value`: visits it and, of an array or set, its elements. */
bool gt_field_walk_end(gt_bytes value, gt_field_visit visit, void *context);

/* The value of a field of a state, or its default; data NULL: it has neither. */
gt_bytes gt_field_value(gt_bytes state, const gt_schema *schema, gt_bytes name);

#endif
