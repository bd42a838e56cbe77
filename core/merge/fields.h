/* The fields of an item, or of an object in it: what several steps do to each, and the map that comes of it. Only for the
 * files of this module. */
#ifndef GT_MERGE_FIELDS_H
#define GT_MERGE_FIELDS_H

#include "merge/type.h"

/* Edits of several steps, in their order. */
typedef struct gt_field_edits {
    gt_field_edit *edits;
    uint32_t count;
} gt_field_edits;

/* The same field by field, in the order of states; of each in the order of the steps. Their bases are found when they are
 * written. A field without edits may be among them. */
typedef struct gt_histories {
    gt_field_history *of;
    size_t count;
} gt_histories;

/* The steps that unset an object. Of what is in it they removed all that they had seen; those that are void removed
 * nothing, and are there because later positions were said as if they had. */
typedef struct gt_unsets {
    const uint32_t *steps; /* ascending */
    uint32_t count;
    bool remove;   /* one of them is not void: nothing of the base is left */
    gt_past *past; /* all that such ones had seen */
} gt_unsets;

/* False when there is no memory. */
bool gt_fields_sort(gt_replay *replay, const gt_schema *schema, gt_field_edits *all, gt_histories *histories);

/* Appends the map of the fields, `deleted` first where it is true. What nobody touched is copied from `base` (data NULL:
 * none) as it lies, or left out where `unsets` remove it (NULL: there are none). Beyond `max` bytes it is cut. GOAT_OK, GOAT_NO_MEMORY; nothing is appended after
 * a failure. */
goat_status gt_fields_write(gt_replay *replay, gt_bytes base, bool deleted, const gt_histories *histories,
                            const gt_unsets *unsets, size_t max, gt_buf *out);

#endif
