/* A replay that is kept, to which further steps come: what they cost is not what all of them would.
 *
 * A merge does not depend on the order of concurrent steps, and Eg-walker may be given an event at the end of any order in
 * which parents come first; so steps that arrive one after the other are appended as they arrive. It always holds that the
 * state is, byte for byte, that of gt_merge_replay on the same base and steps. */
#ifndef GT_MERGE_KEPT_H
#define GT_MERGE_KEPT_H

#include "merge/type.h"

typedef struct gt_kept gt_kept;

/* Without steps. `base` is as for gt_merge_replay, and copied; the schema must outlive it. NULL when there is no memory. */
gt_kept *gt_kept_new(const gt_alloc *alloc, const gt_schema *schema, gt_bytes base);
void gt_kept_free(gt_kept *kept); /* NULL is accepted */

/* Appends steps, which are copied. Their parents are numbers of steps in it, these counted on from those that it has. GOAT_OK,
 * GOAT_INVALID and GOAT_NO_MEMORY as gt_merge_replay; it is then good for nothing but to be freed. */
goat_status gt_kept_append(gt_kept *kept, const gt_step *steps, uint32_t count, gt_diag *diag);

/* Replays what was appended, as far as that is kept: so that many steps need not be replayed at once when the state is asked
 * for. As gt_kept_append. */
goat_status gt_kept_go_on(gt_kept *kept, gt_diag *diag);

/* Appends the state after all steps. As gt_merge_replay; after a failure it is to be freed. `work` (may be NULL) is raised by
 * the steps and edits looked at since it was raised last. */
goat_status gt_kept_write(gt_kept *kept, gt_buf *out, uint64_t *work, gt_diag *diag);

/* The replay, and what becomes of a field of the item in it, once all steps were written: good until further ones are
 * appended. */
gt_replay *gt_kept_replay(gt_kept *kept);
gt_outcome gt_kept_outcome(gt_kept *kept, const gt_field *field);

/* Bytes of memory. */
size_t gt_kept_size(const gt_kept *kept);

#endif
