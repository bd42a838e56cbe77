/* Plain HTTP on the server's port: /healthz, /metrics, static files; everything else is 404 or 405. */
#ifndef GT_NET_HTTP_H
#define GT_NET_HTTP_H

#include "net/connection.h"
#include "net/files.h"

typedef struct gt_http {
    const gt_files *files;
    uint32_t files_max; /* that may be open because somebody reads one slowly: the database needs descriptors, too */
    void *context;
    /* GOAT_OK, or why the server is not healthy. */
    goat_status (*health)(void *context, gt_diag *why);
    /* Appends all metrics. */
    void (*metrics)(void *context, gt_buf *out);
} gt_http;

/* Answers the request that lws has read. Not 0: the connection is to be closed. */
int gt_http_request(gt_connection *connection, const gt_http *http);
/* Sends more of an answer. */
int gt_http_write(gt_connection *connection);
/* A whole answer to a request that is not served as such, such as an upgrade that is refused; then the connection is to
 * be closed, as what it returns says. */
int gt_http_refuse(gt_connection *connection, unsigned int status, const char *words);

/* What an answer still holds; nothing is done where there is none. */
void gt_answer_free(gt_connection *connection);

/* A header of the request, in `space`; data NULL when it is not there, or does not fit. */
gt_bytes gt_http_header(struct lws *wsi, enum lws_token_indexes token, char *space, size_t size);

#endif
