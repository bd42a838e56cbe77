/* Two sequences of pieces of bytes, compared: the lines or words of two texts, the elements of two lists. */
#ifndef GT_MERGE_TOKENS_H
#define GT_MERGE_TOKENS_H

#include "base/arena.h"
#include "base/bytes.h"

/* More edits than these are not looked for: what is not the same at both ends has then changed as a whole. */
enum { GT_DIFF_EDITS_MAX = 1024 };

typedef struct gt_tokens {
    gt_bytes *pieces;
    uint32_t *numbers; /* the same of equal pieces, in both sequences */
    uint8_t *marks;    /* not common */
    uint32_t count;
} gt_tokens;

/* Room for `count` pieces; none is there yet. False when there is no memory. */
bool gt_tokens_init(gt_tokens *tokens, gt_arena *arena, size_t count);

/* Numbers and marks both. The number of a piece of `before` is the index of the first one like it; those that only `after`
 * has count on behind them. False when there is no memory. */
bool gt_tokens_compare(gt_tokens *before, gt_tokens *after, const gt_alloc *alloc);

#endif
