/* Making the listening socket. It is ours, not lws's: so a port that is taken has its own error, and what is accepted is
 * counted before lws sees it (accept.c). */
#define _GNU_SOURCE
#include "net/listen.h"

#include "net/limits.h"
#include "net/words.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

void gt_listener_close(gt_listener *listener) {
    if (listener->descriptor >= 0) close(listener->descriptor);
    listener->descriptor = -1;
}

static goat_status fail(const char *host, uint16_t port, int error, gt_diag *diag) {
    char words[GT_WORDS_MAX];
    bool six = strchr(host, ':') != NULL;
    const char *open = six ? "[" : "", *close = six ? "]" : "";
    switch (error) {
    case EADDRINUSE: return gt_fail(diag, GOAT_BUSY, "%s%s%s:%u is taken by another program", open, host, close, port);
    case EACCES:
    case EPERM: return gt_fail(diag, GOAT_FORBIDDEN, "this user may not listen on %s%s%s:%u", open, host, close, port);
    case EADDRNOTAVAIL: return gt_fail(diag, GOAT_NOT_FOUND, "%s is no address of this machine", host);
    default:
        return gt_fail(diag, GOAT_IO, "cannot listen on %s%s%s:%u: %s", open, host, close, port,
                       gt_net_words(error, words));
    }
}

/* 0, or an error number. */
static int try_address(const struct addrinfo *address, gt_listener *listener) {
    int on = 1, off = 0;
    struct sockaddr_storage real;
    socklen_t len = sizeof(real);
    char port[8];
    int made = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) return errno;
    setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)); /* connections of before may still be ending */
    if (address->ai_family == AF_INET6) setsockopt(made, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(made, address->ai_addr, address->ai_addrlen) != 0 || listen(made, GT_NET_BACKLOG) != 0 ||
        getsockname(made, (struct sockaddr *)&real, &len) != 0) {
        int error = errno;
        close(made);
        return error;
    }
    if (getnameinfo((struct sockaddr *)&real, len, listener->address, sizeof(listener->address), port, sizeof(port),
                    NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        close(made);
        return EIO;
    }
    struct sockaddr_in six_or_four; /* the port lies at the same place in both */
    memcpy(&six_or_four, &real, sizeof(six_or_four));
    listener->port = ntohs(six_or_four.sin_port);
    listener->descriptor = made;
    return 0;
}

goat_status gt_listen(const char *host, uint16_t port, gt_listener *listener, gt_diag *diag) {
    static const int named[] = {AF_INET, AF_INET6}, everywhere[] = {AF_INET6, AF_INET};
    const int *families = host[0] == 0 ? everywhere : named;
    struct addrinfo hints, *found = NULL;
    char service[8];
    int error = EADDRNOTAVAIL;
    memset(&hints, 0, sizeof(hints));
    *listener = (gt_listener){.descriptor = -1};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    snprintf(service, sizeof(service), "%u", port);
    int result = getaddrinfo(host[0] == 0 ? NULL : host, service, &hints, &found);
    if (result != 0) return gt_fail(diag, GOAT_NOT_FOUND, "%s is no address: %s", host, gai_strerror(result));
    for (size_t i = 0; i < 2 && listener->descriptor < 0; i++) {
        for (const struct addrinfo *one = found; one != NULL && listener->descriptor < 0; one = one->ai_next) {
            if (one->ai_family != families[i]) continue;
            int own = try_address(one, listener);
            if (own == 0 || error == EADDRNOTAVAIL || error == EAFNOSUPPORT) error = own;
        }
        /* With the IPv6 one taken, the IPv4 one would be less than all. */
        if (host[0] == 0 && error != EADDRNOTAVAIL && error != EAFNOSUPPORT) break;
    }
    freeaddrinfo(found);
    return listener->descriptor >= 0 ? GOAT_OK : fail(host[0] == 0 ? "*" : host, port, error, diag);
}
