/* Insertions that meet at one place, in the order of their ids: a treap (Seidel and Aragon 1996) that says which of those
 * that are in the version looked at comes first by rank and strategy, and who is next to whom. Each operation costs O(log n). */
#ifndef GT_MERGE_RIVALS_H
#define GT_MERGE_RIVALS_H

#include "merge/nodes.h"
#include "merge/overlap.h"

typedef struct gt_rival gt_rival;

struct gt_rival {
    gt_rival *up, *left, *right;
    const gt_rival *best; /* of it and those below it that are there; NULL: none is */
    uint32_t priority;
    gt_node *node;
    struct gt_contest *contest;
    bool is_there; /* in the version looked at */
    uint8_t rank;
    /* contests.c: */
    bool lost;
    bool is_covered; /* lost, and not marked: what it hangs on has lost */
    bool is_due;
    gt_rival *next_due;
    gt_overlaps overlaps; /* with `merged` */
};

typedef struct gt_rivals {
    gt_replay *replay;
    const gt_field *field;
    gt_rival *root;
} gt_rivals;

void gt_rivals_add(gt_rivals *rivals, gt_rival *rival);

/* Whether it is there, or its rank, is another. */
void gt_rivals_update(const gt_rivals *rivals, gt_rival *rival);

/* NULL: none is there. */
const gt_rival *gt_rivals_best(const gt_rivals *rivals);

/* The one that is there with the next greater id, or the next less; NULL: there is none. */
gt_rival *gt_rival_next(const gt_rival *rival);
gt_rival *gt_rival_previous(const gt_rival *rival);

#endif
