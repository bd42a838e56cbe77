/* Which steps of one replay come before which.
 *
 * Steps are dealt out to chains, in which each is an ancestor of the next. What a step has seen of a chain
 * is then a beginning of it, so one number for each chain says all: the step's clock. A step joins a
 * chain whose last step it descends from and begins a new one otherwise; orders that grow upwards, as
 * histories do, need few (Felsner 1997, On-line chain partitions of orders): as many as there are authors
 * at work where these are told apart (gt_step.author), a few times that where they are not. Steps that
 * follow each other on a chain share one clock.
 *
 * Nothing is built until somebody asks, and most merges never do. Where the clocks would take more than
 * GT_ANCESTRY_CLOCKS_MAX numbers (thousands of heads that keep merging with each other), they are given
 * up and each question walks the graph: slower, as exact. */
#ifndef GT_MERGE_ANCESTRY_H
#define GT_MERGE_ANCESTRY_H

#include "base/arena.h"
#include "merge/merge.h"

enum { GT_ANCESTRY_CLOCKS_MAX = 1 << 20 }; /* 4 MiB */

typedef struct gt_ancestry_node {
    uint32_t chain;
    uint32_t position;     /* on its chain, from 1 */
    uint32_t clock_len;    /* chains that the clock knows; it has seen nothing of the others */
    const uint32_t *clock; /* for each chain how many of its steps came before; not its own chain */
} gt_ancestry_node;

typedef struct gt_ancestry {
    gt_arena *arena;
    const gt_step *steps;
    uint32_t step_count;
    uint32_t clocks_max;     /* GT_ANCESTRY_CLOCKS_MAX but in tests */
    gt_ancestry_node *nodes; /* NULL: not built, or given up */
    uint32_t chain_count;
    bool is_built, walks; /* walks: without clocks */
    uint64_t work;        /* steps and clock numbers looked at, for tests of cost */
} gt_ancestry;

/* Costs nothing. The steps and the arena must outlive it. */
void gt_ancestry_init(gt_ancestry *ancestry, gt_arena *arena, const gt_step *steps, uint32_t step_count);

/* A set of steps closed under ancestry: all strict ancestors of the steps that were added. */
typedef struct gt_past {
    gt_ancestry *ancestry; /* may be set without anything else: an empty past */
    bool is_empty;
    uint32_t *seen; /* for each chain how many of its steps are in it */
    uint8_t *marks; /* without clocks: for each step */
    uint32_t top;   /* without clocks: the walk begins here; 0 when there is nothing to walk */
} gt_past;

void gt_past_init(gt_past *past, gt_ancestry *ancestry);

/* Adds all strict ancestors of `step`. False when there is no memory. */
bool gt_past_add(gt_past *past, uint32_t step);

bool gt_past_has(gt_past *past, uint32_t step);

/* Makes it empty again and keeps its memory. */
void gt_past_clear(gt_past *past);

#endif
