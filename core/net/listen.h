/* A socket that listens. */
#ifndef GT_NET_LISTEN_H
#define GT_NET_LISTEN_H

#include "base/status.h"

enum { GT_LISTEN_HOST_MAX = 256, GT_LISTEN_ADDRESS_MAX = 64 };

typedef struct gt_listener {
    int descriptor;                      /* -1: none */
    uint16_t port;                       /* the real one */
    char address[GT_LISTEN_ADDRESS_MAX]; /* numeric, without brackets */
} gt_listener;

/* Listens on the first address of `host` (a name or an address; "" for all of the machine's) that can be had; of several
 * an IPv4 one; for all of the machine's an IPv6 one that takes IPv4 as well, where there is IPv6. Port 0: any. GOAT_OK; GOAT_BUSY: somebody else listens there; GOAT_FORBIDDEN; GOAT_NOT_FOUND: no such
 * host, or not on this machine; GOAT_IO. */
goat_status gt_listen(const char *host, uint16_t port, gt_listener *listener, gt_diag *diag);
void gt_listener_close(gt_listener *listener);

#endif
