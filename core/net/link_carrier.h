/* The carrier of a database's links: what a connection of a server or a client carries. */
#ifndef GT_NET_LINK_CARRIER_H
#define GT_NET_LINK_CARRIER_H

#include "db/link.h"
#include "net/carrier.h"

typedef struct gt_link_origin { /* what gt_link_carrier wants as its context */
    goat_db *db;
    gt_sync_role role;
    bool all, stored; /* a client's, as in gt_link_config */
} gt_link_origin;

extern const gt_carrier gt_link_carrier;

#endif
