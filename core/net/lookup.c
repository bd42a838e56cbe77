/* Names are looked up on a thread that belongs to nobody, because getaddrinfo() cannot be interrupted and nobody shall
 * wait for it when the database is closed. What it shares with the loop is counted by references. */
#define _GNU_SOURCE
#include "net/lookup.h"

#include "net/words.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TRY_MS = 3000 };

struct gt_lookup {
    gt_mutex mutex; /* of what follows up to the blank line */
    uint32_t refs;  /* the owner's, the thread's, the task's */
    gt_loop *loop;  /* NULL: dropped */

    gt_task task;
    void (*done)(void *context, const gt_lookup_result *result);
    void *context;
    char host[GT_URL_HOST_MAX + 1];
    char address[GT_LOOKUP_ADDRESS_MAX]; /* to be tried; empty: the host is to be looked up */
    uint16_t port;
    gt_lookup_result result;
};

static void release(gt_lookup *lookup) {
    gt_mutex_lock(&lookup->mutex);
    bool last = --lookup->refs == 0;
    gt_mutex_unlock(&lookup->mutex);
    if (!last) return;
    gt_mutex_destroy(&lookup->mutex);
    gt_free(&gt_alloc_system, lookup); /* it may outlive every other allocator */
}

/* ---- on the thread ---- */

static struct addrinfo *find(const char *host, uint16_t port, int flags, int *error) {
    struct addrinfo hints, *found = NULL;
    char service[8];
    memset(&hints, 0, sizeof(hints));
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    snprintf(service, sizeof(service), "%u", port);
    *error = getaddrinfo(host, service, &hints, &found);
    return *error == 0 ? found : NULL;
}

static void look_up(gt_lookup *lookup) {
    gt_lookup_result *result = &lookup->result;
    int error, code;
    struct addrinfo *found = find(lookup->host, lookup->port, AI_ADDRCONFIG, &error);
    if (error == EAI_NONAME || error == EAI_ADDRFAMILY) found = find(lookup->host, lookup->port, 0, &error);
    for (const struct addrinfo *one = found; one != NULL && result->count < GT_NET_ADDRESSES_MAX; one = one->ai_next) {
        code = getnameinfo(one->ai_addr, one->ai_addrlen, result->addresses[result->count], GT_LOOKUP_ADDRESS_MAX, NULL,
                           0, NI_NUMERICHOST);
        if (code == 0) result->count++;
    }
    if (found != NULL) freeaddrinfo(found);
    if (result->count > 0) return;
    if (error == EAI_NONAME || error == EAI_NODATA) {
        gt_fail(&result->why, GOAT_OFFLINE, "there is no host of the name %s", lookup->host);
    } else {
        gt_fail(&result->why, GOAT_OFFLINE, "the name %s cannot be looked up: %s", lookup->host,
                error == 0 ? "no address" : gai_strerror(error));
    }
}

static int try_to_connect(const struct addrinfo *address) {
    int error = 0;
    socklen_t len = sizeof(error);
    int made = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (made < 0) return errno;
    if (connect(made, address->ai_addr, address->ai_addrlen) != 0) {
        error = errno;
        if (error == EINPROGRESS) {
            struct pollfd wait = {.fd = made, .events = POLLOUT};
            error = poll(&wait, 1, TRY_MS) == 1 ? 0 : ETIMEDOUT;
            if (error == 0) getsockopt(made, SOL_SOCKET, SO_ERROR, &error, &len);
        }
    }
    close(made);
    return error;
}

static void find_out(gt_lookup *lookup) {
    int error;
    char words[GT_WORDS_MAX];
    bool six = strchr(lookup->address, ':') != NULL;
    struct addrinfo *found = find(lookup->address, lookup->port, AI_NUMERICHOST, &error);
    error = found == NULL ? EADDRNOTAVAIL : try_to_connect(found);
    if (found != NULL) freeaddrinfo(found);
    gt_fail(&lookup->result.why, GOAT_OFFLINE, "%s%s%s:%u cannot be reached: %s", six ? "[" : "", lookup->address,
            six ? "]" : "", lookup->port, error == 0 ? "the connection broke" : gt_net_words(error, words));
}

static void *run(void *argument) {
    gt_lookup *lookup = argument;
    if (lookup->address[0] == 0) {
        look_up(lookup);
    } else {
        find_out(lookup);
    }
    gt_mutex_lock(&lookup->mutex);
    if (lookup->loop != NULL) {
        lookup->refs++;
        if (!gt_loop_post(lookup->loop, &lookup->task)) lookup->refs--;
    }
    gt_mutex_unlock(&lookup->mutex);
    release(lookup);
    return NULL;
}

/* ---- on the loop's ---- */

static void tell(void *argument) {
    gt_lookup *lookup = argument;
    gt_mutex_lock(&lookup->mutex);
    bool wanted = lookup->loop != NULL;
    gt_mutex_unlock(&lookup->mutex);
    if (wanted) lookup->done(lookup->context, &lookup->result);
    release(lookup);
}

/* A thread on which no signal of the process is handled, and that nobody joins. */
static int start_thread(gt_lookup *lookup) {
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    int error = pthread_attr_init(&attributes);
    if (error != 0) return error;
    sigfillset(&all);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    error = pthread_create(&thread, &attributes, run, lookup);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return error;
}

goat_status gt_lookup_start(gt_loop *loop, const gt_url *url, const char *address,
                            void (*done)(void *context, const gt_lookup_result *result), void *context, gt_lookup **out,
                            gt_diag *diag) {
    *out = NULL;
    gt_lookup *lookup = gt_new(&gt_alloc_system, 1, sizeof(*lookup));
    if (lookup == NULL) return gt_no_memory(diag);
    goat_status status = gt_mutex_init(&lookup->mutex, diag);
    if (status != GOAT_OK) {
        gt_free(&gt_alloc_system, lookup);
        return status;
    }
    lookup->refs = 2;
    lookup->loop = loop;
    lookup->done = done;
    lookup->context = context;
    lookup->port = url->port;
    lookup->task = (gt_task){.run = tell, .argument = lookup};
    gt_diag_init(&lookup->result.why);
    memcpy(lookup->host, url->host, sizeof(lookup->host));
    if (address != NULL) snprintf(lookup->address, sizeof(lookup->address), "%s", address);
    int error = start_thread(lookup);
    if (error != 0) {
        char words[GT_WORDS_MAX];
        lookup->refs = 1;
        release(lookup);
        return gt_fail(diag, error == EAGAIN ? GOAT_NO_MEMORY : GOAT_IO, "cannot start a thread: %s",
                       gt_net_words(error, words));
    }
    *out = lookup;
    return GOAT_OK;
}

void gt_lookup_drop(gt_lookup *lookup) {
    if (lookup == NULL) return;
    gt_mutex_lock(&lookup->mutex);
    lookup->loop = NULL;
    gt_mutex_unlock(&lookup->mutex);
    release(lookup);
}
