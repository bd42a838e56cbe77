/* What two insertions at one place have in common, for the strategy `merged`. */
#ifndef GT_MERGE_OVERLAP_H
#define GT_MERGE_OVERLAP_H

#include "merge/nodes.h"

/* The end of one that is the beginning of the other is looked for up to this length. */
enum { GT_OVERLAP_MAX = 1024 };

/* How elements are compared, while a sequence is replayed. */
typedef struct gt_contents {
    void *context;
    struct gt_sequence *sequence; /* set by the replay */
    bool (*same)(void *context, gt_element a, gt_element b);
    bool (*is_of_word)(void *context, gt_element element); /* NULL: each stands for itself */
    bool failed;                                           /* no memory: what the others say is not to be used */
} gt_contents;

typedef struct gt_common {
    uint32_t at, earlier_at, count; /* in the node and in the earlier one */
} gt_common;

/* Up to two parts; a count of 0 is none. */
typedef struct gt_overlap {
    gt_common parts[2];
} gt_overlap;

/* The longest beginning that both have and the longest end of what is left; if there is neither, the longest beginning of
 * `node` that is an end of `earlier`, or the longest end that is a beginning of it. Words are taken whole, and something
 * without a word is not taken, unless it is all of `node`. `*work` is raised by one for each
 * 16 elements that are looked at: so many cost about what a step does. */
gt_overlap gt_overlap_of(const gt_contents *contents, const gt_node *node, const gt_node *earlier, uint64_t *work);

/* What shorter ones have in common is found anew each time. */
enum { GT_OVERLAP_KNOWN_MIN = 64 };

/* So many are known of one insertion; before one more they are all forgotten. In one version it is compared with 64 at most. */
enum { GT_OVERLAPS_MAX = 512 };

/* What an insertion has in common with earlier ones: it does not depend on the version, and to find it once costs as much as
 * they are long. */
typedef struct gt_overlaps {
    struct gt_known_overlap *list; /* by the number of the earlier node */
    uint32_t count, room;
} gt_overlaps;

/* As gt_overlap_of for the insertion whose `overlaps` these are. False when there is no memory. */
bool gt_overlaps_find(gt_overlaps *overlaps, gt_arena *arena, const gt_contents *contents, const gt_node *node,
                      const gt_node *earlier, uint64_t *work, gt_overlap *found);

#endif
