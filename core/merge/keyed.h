/* What sets and maps share: things under keys that are added and removed, where a removal removes only
 * what its author saw (an observed-remove set). An element is a key without a value. */
#ifndef GT_MERGE_KEYED_H
#define GT_MERGE_KEYED_H

#include "merge/type.h"

/* One addition or removal in one step. */
typedef struct gt_keyed_op {
    gt_bytes key;   /* encoded */
    gt_bytes value; /* of a map's key; data NULL: none */
    uint32_t step;
    bool removes;
} gt_keyed_op;

typedef struct gt_keyed_ops {
    gt_keyed_op *ops;
    uint32_t count;
} gt_keyed_ops;

/* What a type says about its edits. */
typedef struct gt_keyed_kind {
    bool is_map;
    size_t (*count)(gt_bytes edit);                                /* at most so many operations */
    void (*push)(gt_keyed_ops *ops, gt_bytes edit, uint32_t step); /* there is room for them */
} gt_keyed_kind;

/* gt_merge_type.replay for both. */
goat_status gt_keyed_replay(gt_replay *replay, const gt_field_history *history, const gt_keyed_kind *kind,
                            gt_buf *value);

#endif
