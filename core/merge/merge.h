/* Edits of each field type, and what concurrent ones come to (design sections 3 and 6).
 *
 * An edit is what one author did to one field relative to a value that he saw (core/commit/FORMAT.md
 * section 3). This module makes edits (capture), applies them, and replays the commits after a
 * critical version. It knows states, deltas and their order; it knows no log and no graph. A field
 * type is one file and one gt_merge_type. */
#ifndef GT_MERGE_MERGE_H
#define GT_MERGE_MERGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "schema/schema.h"
#include "schema/upgrade.h"

/* One commit after the base, in a topological order in which ties are broken by time, then id. */
typedef struct gt_step {
    const uint8_t *id;       /* 32 bytes */
    uint64_t time;           /* hybrid logical; greater than that of every ancestor */
    gt_bytes delta;          /* data NULL: an edit that cannot be read here (sealed) and changes nothing */
    const uint32_t *parents; /* indexes of earlier steps; parents at or below the base are left out */
    uint32_t parent_count;
    bool is_void;    /* keeps its place, changes nothing */
    uint32_t author; /* a number for its session, 0: not known. A hint: it changes the cost, never the result. */
} gt_step;

/* Replays `steps` on `base` and appends the state to `out`. `base` is the state at a critical version; data
 * NULL is the empty item, before any commit, and then a step without parents is a first commit. (An empty
 * map is an item without fields.) With one step, or a chain of them, this is plain application; with several
 * heads it is the merge. The result does not depend on the order of concurrent steps. `work` (may be NULL) is
 * raised by the steps and field edits looked at. GOAT_OK; GOAT_INVALID, with the number of the step as
 * position, when an edit cannot be one of its field's type (hostile; the caller leaves such a commit out);
 * GOAT_NO_MEMORY. What is too large is cut, and then no base for another replay (gt_state_is_whole in schema.h). Nothing is appended after a
 * failure. */
goat_status gt_merge_replay(const gt_alloc *alloc, const gt_schema *schema, gt_bytes base, const gt_step *steps,
                            uint32_t step_count, gt_buf *out, uint64_t *work, gt_diag *diag);

/* Whether a delta may stand in a commit of this schema: edits of the right shape, with values of the right
 * type; unknown fields refused. Limits such as `max_length` are checked on the state that results. */
goat_status gt_merge_check_delta(const gt_schema *schema, gt_bytes delta, gt_diag *diag);

/* Appends the delta as it is at the next version (schema/upgrade.h): the edit itself where a step is about structure, its
 * values where it is about values. `delta` has passed gt_merge_check_delta at the old version. What was an edit stays
 * one, though none of its fields may be left: it undoes a deletion. GOAT_OK, GOAT_NO_MEMORY. */
goat_status gt_merge_upgrade_delta(const gt_alloc *alloc, const gt_upgrade *upgrade, gt_bytes delta, gt_buf *out,
                                   gt_diag *diag);

/* Appends what of the delta fits its schema: edits that gt_merge_check_delta refuses are left out, in objects too, never for
 * lack of memory. */
void gt_merge_fit_delta(const gt_schema *schema, gt_bytes delta, gt_buf *out);

/* The same of the edit of one field. */
goat_status gt_edit_check(const gt_field *field, gt_bytes edit, gt_diag *diag);

/* ---- making edits; every one appends to `edit`, and appends nothing where there is no edit ---- */

/* The edit that turns `base` (data NULL: unset) into `value` (data NULL: unset). */
goat_status gt_edit_diff(const gt_field *field, gt_bytes base, gt_bytes value, gt_buf *edit, gt_diag *diag);

/* `edit` = `first` (data NULL: none yet), then `second`, both known to be edits of this field; `base` is what
 * `first` was made on. GOAT_TOO_LARGE where together they give characters of a rich text more attributes than an edit may. */
goat_status gt_edit_compose(const gt_field *field, gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit,
                            gt_diag *diag);

/* Appends the value after the edit; appends nothing when the field is unset by it. What is too large is
 * cut. */
goat_status gt_edit_apply(const gt_field *field, gt_bytes base, gt_bytes edit, gt_buf *value, gt_diag *diag);

/* Explicit operations: GOAT_WRONG_TYPE where the type has no such operation. */
goat_status gt_edit_add(const gt_field *field, gt_bytes element, gt_buf *edit, gt_diag *diag);
goat_status gt_edit_remove(const gt_field *field, gt_bytes base, gt_bytes element, gt_buf *edit, gt_diag *diag);
goat_status gt_edit_put(const gt_field *field, gt_bytes base, gt_bytes key, gt_bytes value, gt_buf *edit,
                        gt_diag *diag);
goat_status gt_edit_increment(const gt_field *field, int64_t by, gt_buf *edit, gt_diag *diag);

/* Takes `count` units out of a text at `position` and puts `text` there. GOAT_INVALID where these lie outside of the text or
 * inside of a code point, with the position as it was given. */
typedef struct gt_splice {
    goat_unit unit;
    uint64_t position, count;
    gt_bytes text;
} gt_splice;

goat_status gt_edit_splice(const gt_field *field, gt_bytes base, const gt_splice *splice, gt_buf *edit, gt_diag *diag);

/* Applies a Delta of Quill's, an array of operations or a map with it under "ops", to a rich text. GOAT_INVALID where it is none or
 * goes beyond the document or into a code point, with the number of the operation as position. */
goat_status gt_edit_delta(const gt_field *field, gt_bytes base, gt_bytes delta, gt_buf *edit, gt_diag *diag);

/* Of a list: puts the elements of an array before the one at `position`; takes `count` out from there on; puts the one at
 * `from` where it is then number `to`, as the same element; gives one another value. GOAT_INVALID where there is no such
 * place, with the position as it was given. */
goat_status gt_edit_list_insert(const gt_field *field, gt_bytes base, uint64_t position, gt_bytes values, gt_buf *edit,
                                gt_diag *diag);
goat_status gt_edit_list_remove(const gt_field *field, gt_bytes base, uint64_t position, uint64_t count, gt_buf *edit,
                                gt_diag *diag);
goat_status gt_edit_list_move(const gt_field *field, gt_bytes base, uint64_t from, uint64_t to, gt_buf *edit,
                              gt_diag *diag);
goat_status gt_edit_list_set(const gt_field *field, gt_bytes base, uint64_t position, gt_bytes value, gt_buf *edit,
                             gt_diag *diag);

/* The delta that turns state `base` into the fields `wanted` (a map; fields not named are unset).
 * Appends an empty map where nothing differs; `*count` is the number of edits. */
goat_status gt_merge_diff(const gt_schema *schema, gt_bytes base, gt_bytes wanted, gt_buf *delta, uint32_t *count,
                          gt_diag *diag);

#endif
