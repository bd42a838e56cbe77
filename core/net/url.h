/* Where a server is: "ws://host[:port][/path]" or "wss://…". Pure: no name is looked up here. */
#ifndef GT_NET_URL_H
#define GT_NET_URL_H

#include "base/bytes.h"
#include "base/status.h"

enum {
    GT_URL_MAX = 1280,
    GT_URL_HOST_MAX = 104, /* libwebsockets writes the Host header into 128 bytes and cuts what is longer */
    GT_URL_PATH_MAX = 1024,
};

typedef struct gt_url {
    bool secure;
    bool is_address; /* the host is an IP address, not a name */
    uint16_t port;
    char host[GT_URL_HOST_MAX + 1]; /* in lower case, without brackets */
    char authority[GT_URL_HOST_MAX +
                   10];             /* for the Host header: with brackets, and the port if it is not the usual one */
    char path[GT_URL_PATH_MAX + 1]; /* begins with '/'; with the query */
} gt_url;

/* GOAT_OK, GOAT_INVALID with a position, GOAT_TOO_LARGE. */
goat_status gt_url_parse(gt_bytes text, gt_url *url, gt_diag *diag);

#endif
