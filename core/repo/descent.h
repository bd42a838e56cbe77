/* Going back from some heads with every critical version on the way noticed; see descent.c. */
#ifndef GT_REPO_DESCENT_H
#define GT_REPO_DESCENT_H

#include "repo/walk.h"

typedef struct gt_descent_place gt_descent_place;

typedef struct gt_descent {
    gt_walk walk;
    gt_descent_place *places; /* open addressing */
    uint32_t place_count, used;
    uint64_t edges;   /* from commits that were visited to those in the queue */
    uint32_t waiting; /* commits that were visited and have a parent in the queue */
} gt_descent;

/* End it with gt_descent_end. */
void gt_descent_init(gt_descent *descent, gt_repo *repo, const gt_schema *reader);

/* False when there is no memory. */
bool gt_descent_begin(gt_descent *descent, const uint32_t *heads, uint32_t head_count);

/* Visits the latest commit of the queue, which is not empty. False when there is no memory. */
bool gt_descent_step(gt_descent *descent);

/* Whether what is in the queue is a critical version that all heads come to, or it is empty: the empty item. */
bool gt_descent_is_critical(const gt_descent *descent);

/* Takes the marks away; what was visited stays in descent->walk. */
void gt_descent_unmark(gt_descent *descent);
void gt_descent_end(gt_descent *descent); /* unmarked before */

#endif
