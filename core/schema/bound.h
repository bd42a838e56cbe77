/* An upgrade as it lies in memory. Only for the files of this module. */
#ifndef GT_SCHEMA_BOUND_H
#define GT_SCHEMA_BOUND_H

#include "base/arena.h"
#include "schema/upgrade.h"

struct gt_upgrade {
    const gt_alloc *alloc;
    gt_arena arena; /* holds everything below */
    const gt_schema *from, *to;
    gt_upgrade_route *routes;
    size_t route_count;
    bool inexact;
};

#endif
