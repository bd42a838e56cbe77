/* Going through the steps of a replay so that each can be looked at in the version that its author saw.
 *
 * Parents come first, and a branch is followed as far as it goes before another is begun, so that little has to be taken
 * back and done again (Gentle and Kleppmann 2024, section 3.7). What is between two versions is found by walking down
 * from both until only common steps are left. */
#ifndef GT_MERGE_VERSIONS_H
#define GT_MERGE_VERSIONS_H

#include "merge/type.h"

typedef struct gt_visitor {
    void *context;
    bool (*touches)(void *context, uint32_t step); /* the others keep their places and are never handed out */
    void (*take_back)(void *context, uint32_t step);
    void (*do_again)(void *context, uint32_t step);
    bool (*visit)(void *context, uint32_t step); /* in the version of its parents; false ends the walk */
} gt_visitor;

/* How far a walk has come. Zero to begin with. */
typedef struct gt_versions {
    uint32_t done;      /* steps that were gone through */
    uint32_t now_count; /* the version looked at is these steps and all before them */
    /* room for so many steps */
    size_t room;
    uint32_t *now;
    /* for what is between two versions */
    uint8_t *sides;  /* by step, zero between two questions */
    uint32_t *heap;  /* steps, the last on top */
    uint32_t *again; /* steps to be done again, the last first */
} gt_versions;

/* Goes through the steps that have come since. What it keeps lives in `arena`. False when there is no memory, or as `visit`
 * says. */
bool gt_versions_walk(gt_versions *versions, gt_replay *replay, gt_arena *arena, const gt_visitor *visitor);

/* Once all were gone through: makes the version looked at that of all of them. False when there is no memory. */
bool gt_versions_look_at_all(gt_versions *versions, gt_replay *replay, const gt_visitor *visitor);

#endif
