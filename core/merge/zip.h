/* Several sorted lists read side by side: the elements of sets, or the pairs of maps. Elements and keys are
 * compared as they are encoded, which is the order in which they lie. Only for the files of this module. */
#ifndef GT_MERGE_ZIP_H
#define GT_MERGE_ZIP_H

#include "base/buf.h"
#include "value/value.h"

enum { GT_ZIP_MAX = 5 };

typedef struct gt_zip {
    unsigned count;
    bool is_map;
    struct {
        gt_iter iter;
        gt_bytes key, value; /* the next one; key.data NULL at the end. The value of an element is its own. */
    } lists[GT_ZIP_MAX];
} gt_zip;

/* What stands at one place, in one list or several. */
typedef struct gt_zip_item {
    unsigned in;  /* the lists that have it, as bits */
    gt_bytes key; /* encoded */
    gt_bytes values[GT_ZIP_MAX];
} gt_zip_item;

/* Begins at the front of sets, or of maps; data NULL is an empty one. */
gt_zip gt_zip_begin(bool is_map, const gt_bytes *lists, unsigned count);

/* False at the end. */
bool gt_zip_next(gt_zip *zip, gt_zip_item *item);

#endif
