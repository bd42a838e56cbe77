/* A server as its files see it. Its members are the loop's thread's, but for what never changes. */
#ifndef GT_NET_SERVER_H
#define GT_NET_SERVER_H

#include "net/addresses.h"
#include "net/http.h"
#include "net/listen.h"
#include "net/net.h"
#include "net/tls.h"

struct gt_server {
    const gt_alloc *alloc;
    gt_server_config config; /* strings are ours */
    gt_loop *loop;
    gt_listener listener;
    gt_files files;
    gt_http http;
    SSL_CTX *tls;      /* with the certificate; NULL */
    gt_diag *tls_diag; /* while lws makes one of its own: what went wrong */
    gt_addresses addresses;
    struct lws *door; /* lws's handle of the listening socket; NULL: closed */
    gt_ring pending;  /* connections that are not past TLS and HTTP, oldest first */
    uint32_t pending_count;
    uint32_t connections_max;
    bool is_shut;    /* for a while nobody is accepted */
    gt_timer reopen; /* when there were no file descriptors */
};

extern const struct lws_protocols gt_server_protocols[];

/* accept.c */
goat_status gt_server_open_door(gt_server *server, gt_diag *diag);
void gt_server_close_door(gt_server *server);
int gt_server_accept(gt_server *server);                               /* somebody knocks */
void gt_server_admitted(gt_server *server, gt_connection *connection); /* past TLS and HTTP */
void gt_server_gone(gt_server *server, gt_connection *connection);
bool gt_server_check(void *owner, uint64_t now_us);

#endif
