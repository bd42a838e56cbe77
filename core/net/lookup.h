/* Looking up a host's addresses, or finding out why one cannot be reached, on a thread of its own: both may take many
 * seconds, and nothing can stop them. */
#ifndef GT_NET_LOOKUP_H
#define GT_NET_LOOKUP_H

#include "net/loop.h"
#include "net/url.h"

enum { GT_LOOKUP_ADDRESS_MAX = 80 };

typedef struct gt_lookup gt_lookup;

typedef struct gt_lookup_result {
    gt_diag why; /* GOAT_OK, or why there is nothing */
    uint32_t count;
    char addresses[GT_NET_ADDRESSES_MAX][GT_LOOKUP_ADDRESS_MAX]; /* numeric, in the order to be tried */
} gt_lookup_result;

/* `done` is called on the loop's thread, unless it was dropped before. With `address` it is tried to connect there, and
 * `why` says what comes of it. */
goat_status gt_lookup_start(gt_loop *loop, const gt_url *url, const char *address,
                            void (*done)(void *context, const gt_lookup_result *result), void *context,
                            gt_lookup **lookup, gt_diag *diag);
/* On the loop's thread. The thread may go on for a while, and then forgets it. NULL is accepted. */
void gt_lookup_drop(gt_lookup *lookup);

#endif
