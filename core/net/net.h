/* What abi/ needs of this module: a server, a client, and a question to a stranger. */
#ifndef GT_NET_NET_H
#define GT_NET_NET_H

#include "net/carrier.h"
#include "net/limits.h"

/* ---- server ---- */

typedef struct gt_server gt_server;

typedef struct gt_server_config {
    const gt_alloc *alloc;
    const gt_net_times *times; /* NULL: as they are */
    const char *host;          /* see gt_listen */
    uint16_t port;             /* 0: any */
    const char *certificate;   /* PEM files; both NULL: without TLS */
    const char *key;
    const char *static_dir;   /* NULL */
    const char *private_dir;  /* the database's, out of which no static file may come. NULL */
    const char *origins;      /* of pages that may connect, with blanks between them; NULL or empty: the server's own */
    uint32_t connections_max; /* 0: GT_NET_CONNECTIONS */
    uint32_t per_address_max; /* 0: no limit of its own */
    const gt_carrier *carrier;
    void *context; /* of the carrier's begin, and of what follows */
    goat_status (*health)(void *context, gt_diag *why);
    void (*metrics)(void *context, gt_buf *out); /* appends what the database knows. NULL */
} gt_server_config;

/* Strings are copied. It serves when this returns. GOAT_OK, and what gt_listen, gt_tls_server_new, gt_files_open say. */
goat_status gt_server_new(const gt_server_config *config, gt_server **server, gt_diag *diag);

typedef struct gt_server_facts {
    const char *host;    /* as configured */
    const char *address; /* numeric, of the listening socket */
    uint16_t port;
    bool secure;
    uint32_t connections, connections_max;
    uint64_t accepted, refused;
} gt_server_facts;

void gt_server_get_facts(gt_server *server, gt_server_facts *facts);

/* Reads the certificate and the key again. On failure nothing is changed. */
goat_status gt_server_reload(gt_server *server, gt_diag *diag);

/* Begins to end: nobody is accepted any more, everybody is told good-bye. Returns at once. */
void gt_server_end(gt_server *server);
/* Ends it, waits until that is done, at most a few seconds, and frees it. NULL is accepted. */
void gt_server_free(gt_server *server);

/* ---- client ---- */

typedef struct gt_client gt_client;

typedef struct gt_client_config {
    const gt_alloc *alloc;
    const gt_net_times *times; /* NULL: as they are */
    gt_bytes url;
    const char *ca_file; /* NULL: the system's CAs */
    const gt_carrier *carrier;
    void *context; /* of the carrier's begin, and of what follows */
    /* On the loop's thread: the peer has proved its key; or the connection is gone, or did not come about, and why. */
    void (*state)(void *context, bool online, const gt_diag *why);
    bool once; /* no second attempt */
} gt_client_config;

/* Keeps one connection to a server from here on, in the background. GOAT_OK; GOAT_INVALID, GOAT_TOO_LARGE for the URL; what
 * gt_tls_client_new says. Nothing is waited for: the system's CAs are read, which takes a while, on the loop's thread. */
goat_status gt_client_new(const gt_client_config *config, gt_client **client, gt_diag *diag);
/* The URL as it was given; good as long as the client. */
const char *gt_client_url(const gt_client *client);
/* Tries now, without waiting for the end of the pause. Returns at once. */
void gt_client_retry(gt_client *client);
/* As for servers; it may still tell its state until it has ended. */
void gt_client_end(gt_client *client);
bool gt_client_has_ended(gt_client *client); /* gt_client_free does not wait any more */
void gt_client_free(gt_client *client);

/* ---- a question to a stranger ---- */

typedef struct gt_probe_config {
    const gt_alloc *alloc;
    gt_bytes url;
    const char *ca_file; /* NULL: the system's CAs */
    uint64_t timeout_us;
} gt_probe_config;

/* Connects without a database, proves a throw-away key, and tells who answers. GOAT_OK; GOAT_TIMEOUT; else why not. Blocks. */
goat_status gt_probe(const gt_probe_config *config, gt_sync_peer *peer, gt_diag *diag);

#endif
