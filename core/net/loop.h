/* One thread with one lws context: everything that belongs to a server or to a client happens on it.
 *
 * What must always hold: only this thread touches lws and connections. Others queue (tasks, ready connections) and
 * wake it. */
#ifndef GT_NET_LOOP_H
#define GT_NET_LOOP_H

#include "net/limits.h"
#include "net/metrics.h"
#include "net/ring.h"
#include "net/timers.h"
#include "port/port.h"

#include <libwebsockets.h>
#include <pthread.h>

typedef struct gt_loop gt_loop;

/* Something to be done on the loop's thread; the memory is the caller's until it was run. */
typedef struct gt_task {
    struct gt_task *next;
    void (*run)(void *argument);
    void *argument;
    bool is_queued; /* the loop's */
} gt_task;

typedef struct gt_loop_config {
    const gt_alloc *alloc;
    const gt_net_times *times;
    uint32_t connections_max;              /* room for so many; 1: a client's */
    const struct lws_protocols *protocols; /* good as long as the loop */
    SSL_CTX *tls; /* what a client connects with, and a server takes its certificate from; NULL: without TLS */
    void *owner;
} gt_loop_config;

struct gt_loop {
    gt_loop_config config;
    const gt_alloc *alloc;
    const gt_net_times *times;
    void *owner;
    gt_hasher *hasher; /* of this thread */

    gt_mutex mutex;         /* of the members up to the blank line */
    gt_condition condition; /* a task was run */
    struct lws_context *context;
    gt_task *first_task, *last_task;
    gt_ring ready; /* connections that may have something to send */
    bool woken, ended;
    pthread_t self;

    gt_thread thread;
    bool is_started;
    struct lws_vhost *vhost;
    lws_sorted_usec_list_t wake; /* the one timer of lws's that is used: it bounds the wait */
    gt_timers timers;
    gt_timer tick, end; /* what is overdue is looked for; the loop is to end at the latest */
    bool ends, is_overdue;
    bool (*on_tick)(void *owner, uint64_t now_us);              /* whether to look again at the next tick. NULL */
    void (*on_greeted)(void *owner, gt_connection *connection); /* the peer has proved its key. NULL */
    /* What is carried has ended, or the connection was cut; `why` is GOAT_OK for a clean end. NULL */
    void (*on_over)(void *owner, gt_connection *connection, const gt_diag *why);

    gt_ring connections;                /* all, in order of opening */
    gt_ring waiting;                    /* those whose output waits for the socket, longest first */
    gt_ring reading;                    /* those that are in the middle of a message, and had some of it just now */
    gt_ring groups[GT_NET_PING_GROUPS]; /* open WebSockets */
    int descriptors_max; /* lws has no place for one that is not below it */
    uint32_t connection_count, next_group, turn;
    uint64_t ping_us;       /* when the group whose turn it is is pinged */
    gt_connection *current; /* is being read on; NULL once it is gone */
    size_t half;            /* bytes held for half-received messages */
    uint32_t open_files;    /* that answers to requests hold */
    gt_buf scratch;         /* for the packet that goes out next */
    gt_metrics metrics;
};

/* Makes it; the thread begins with gt_loop_start(). */
goat_status gt_loop_new(const gt_loop_config *config, gt_loop **loop, gt_diag *diag);
goat_status gt_loop_start(gt_loop *loop, gt_diag *diag);
/* Waits until its thread has ended, which gt_loop_end() makes it, and frees it. NULL is accepted. */
void gt_loop_free(gt_loop *loop);

bool gt_loop_has_ended(gt_loop *loop); /* any thread */

/* Runs `run(argument)` on the loop's thread and waits for it. False, and it is not run: the loop has ended. */
bool gt_loop_call(gt_loop *loop, void (*run)(void *argument), void *argument);
/* The same without waiting. A task that is queued already is run once. */
bool gt_loop_post(gt_loop *loop, gt_task *task);
/* From any thread: `connection` may have something to send. */
void gt_loop_ready(gt_loop *loop, gt_connection *connection);

/* ---- on the loop's thread ---- */

/* Says good-bye to everybody; the thread ends when all are gone, or the time for it is over. */
void gt_loop_end(gt_loop *loop);

uint64_t gt_net_now_us(void); /* monotonic; any thread */
gt_loop *gt_loop_of(struct lws *wsi);

#endif
