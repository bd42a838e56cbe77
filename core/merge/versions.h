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

/* False when there is no memory, or as `visit` says. */
bool gt_versions_walk(gt_replay *replay, const gt_visitor *visitor);

#endif
