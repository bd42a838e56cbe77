/* What the files of the network share with those that end a handle. */
#ifndef GOAT_ABI_NETWORK_H
#define GOAT_ABI_NETWORK_H

#include "abi.h"

/* The handle is about to be closed: its server, and its connection to one, end. With `wait` until that is done, a few
 * seconds at most; else it goes on behind, and this is called once more with it. Without any lock. */
void gt_network_leave(goat_db *db, bool wait);
void gt_servers_leave(goat_db *db, bool wait); /* its servers' part */

#endif
