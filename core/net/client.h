/* A client as its files see it; all of it is the loop's thread's, but for what never changes. */
#ifndef GT_NET_CLIENT_H
#define GT_NET_CLIENT_H

#include "net/connection.h"
#include "net/context.h"
#include "net/lookup.h"
#include "net/net.h"
#include "net/tls.h"

typedef enum gt_client_step {
    GT_CLIENT_PAUSED,
    GT_CLIENT_LOOKS_UP,
    GT_CLIENT_CONNECTS,
    GT_CLIENT_BETWEEN, /* one address has failed, the next is to be tried */
    GT_CLIENT_OPEN,
} gt_client_step;

struct gt_client {
    const gt_alloc *alloc;
    gt_client_config config;
    char *text; /* the URL */
    gt_url url;
    gt_tls_client tls;
    gt_loop *loop;
    gt_task start, retry, end;
    gt_client_step step;
    gt_timer timer; /* the end of the pause, or of the attempt at one address; its step is over */
    gt_lookup *lookup;
    gt_lookup_result found;
    uint32_t next; /* address to be tried */
    gt_connection *connection;
    uint32_t failures;   /* since it was last healthy */
    uint64_t greeted_us; /* 0: not now */
    gt_diag why;         /* the last attempt came to nothing, or the connection ended */
    bool has_why;        /* and trying another address does not help */
};

extern const struct lws_protocols gt_client_protocols[];

void gt_client_connection_gone(gt_client *client);

#endif
