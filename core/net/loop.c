/* The loop: its thread, the lws context, what others ask of it, and its timers.
 *
 * lws waits in poll() and calls back what is due. All that is ours is done between two waits: tasks, timers,
 * connections that became ready, and reading on where a message is half received. */
#define _GNU_SOURCE
#include "net/loop.h"

#include "net/connection.h"
#include "net/context.h"

uint64_t gt_net_now_us(void) { return (uint64_t)lws_now_usecs(); }

gt_loop *gt_loop_of(struct lws *wsi) { return lws_context_user(lws_get_context(wsi)); }

/* ---- what others ask ---- */

static bool is_own_thread(const gt_loop *loop) { return pthread_equal(pthread_self(), loop->self) != 0; }

/* With the mutex. The loop's own thread looks again before it waits, so it need not be woken. */
static void wake(gt_loop *loop) {
    if (loop->woken || loop->context == NULL || is_own_thread(loop)) return;
    loop->woken = true;
    lws_cancel_service(loop->context);
}

void gt_loop_ready(gt_loop *loop, gt_connection *connection) {
    gt_mutex_lock(&loop->mutex);
    if (!gt_ring_node_is_in(&connection->ready)) {
        gt_ring_append(&loop->ready, &connection->ready);
        wake(loop);
    }
    gt_mutex_unlock(&loop->mutex);
}

static bool queue(gt_loop *loop, gt_task *task) {
    if (loop->ended) return false;
    if (task->is_queued) return true;
    task->is_queued = true;
    task->next = NULL;
    if (loop->last_task == NULL) {
        loop->first_task = task;
    } else {
        loop->last_task->next = task;
    }
    loop->last_task = task;
    wake(loop);
    return true;
}

bool gt_loop_post(gt_loop *loop, gt_task *task) {
    gt_mutex_lock(&loop->mutex);
    bool queued = queue(loop, task);
    gt_mutex_unlock(&loop->mutex);
    return queued;
}

typedef struct call {
    gt_task task;
    gt_loop *loop;
    void (*run)(void *argument);
    void *argument;
    bool done;
} call;

static void run_call(void *argument) {
    call *self = argument;
    self->run(self->argument);
    gt_mutex_lock(&self->loop->mutex);
    self->done = true;
    gt_condition_wake_all(&self->loop->condition);
    gt_mutex_unlock(&self->loop->mutex);
}

bool gt_loop_call(gt_loop *loop, void (*run)(void *argument), void *argument) {
    call self = {.loop = loop, .run = run, .argument = argument};
    self.task = (gt_task){.run = run_call, .argument = &self};
    gt_mutex_lock(&loop->mutex);
    if (queue(loop, &self.task)) {
        while (!self.done) gt_condition_wait(&loop->condition, &loop->mutex, GT_WAIT_US_MAX);
    }
    gt_mutex_unlock(&loop->mutex);
    return self.done;
}

bool gt_loop_has_ended(gt_loop *loop) {
    gt_mutex_lock(&loop->mutex);
    bool ended = loop->ended;
    gt_mutex_unlock(&loop->mutex);
    return ended;
}

static void run_tasks(gt_loop *loop) {
    gt_mutex_lock(&loop->mutex);
    loop->woken = false;
    gt_task *task = loop->first_task;
    loop->first_task = loop->last_task = NULL;
    while (task != NULL) {
        gt_task *next = task->next; /* the task may be gone once it was run */
        task->is_queued = false;
        gt_mutex_unlock(&loop->mutex);
        task->run(task->argument);
        gt_mutex_lock(&loop->mutex);
        task = next;
    }
    gt_mutex_unlock(&loop->mutex);
}

static gt_connection *take_one(gt_loop *loop) {
    gt_mutex_lock(&loop->mutex);
    gt_ring_node *first = gt_ring_first(&loop->ready);
    if (first != NULL) gt_ring_node_remove(first);
    gt_mutex_unlock(&loop->mutex);
    return first == NULL ? NULL : GT_RING_OF(first, gt_connection, ready);
}

/* Each of them is asked once it can be written to. At most as many as there are, lest others starve. */
static void take_ready(gt_loop *loop) {
    for (uint32_t left = loop->connection_count; left > 0; left--) {
        gt_connection *connection = take_one(loop);
        if (connection == NULL) break;
        gt_connection_ask(connection);
    }
}

/* ---- time ---- */

/* While all is calm the next thing to do is a ping: the waking for a tick would cost a look at every socket. */
static void tick(gt_timer *timer, uint64_t now_us) {
    gt_loop *loop = GT_RING_OF(timer, gt_loop, tick);
    gt_connections_check(loop, now_us);
    bool calm = gt_ring_first(&loop->waiting) == NULL;
    if (loop->on_tick != NULL && loop->on_tick(loop->owner, now_us)) calm = false;
    uint64_t next = calm ? loop->ping_us : now_us + loop->times->tick_us;
    gt_timers_set(&loop->timers, &loop->tick, loop->connection_count > 0 ? next : UINT64_MAX);
}

static void overdue(gt_timer *timer, uint64_t now_us) {
    (void)now_us;
    GT_RING_OF(timer, gt_loop, end)->is_overdue = true; /* whoever is still there goes with the context */
}

static void run_timers(gt_loop *loop) {
    uint64_t now_us = gt_net_now_us();
    gt_timer *timer;
    while ((timer = gt_timers_take(&loop->timers, now_us)) != NULL) timer->fire(timer, now_us);
}

/* lws fires it on its way to poll() when it has become due since it was set; then it must not wait after all. */
static void fire_wake(lws_sorted_usec_list_t *wake) {
    gt_loop *loop = GT_RING_OF(wake, gt_loop, wake);
    lws_sul_schedule(loop->context, 0, wake, fire_wake, 1);
}

/* lws waits until its earliest timer: this one. It cuts the time down to whole milliseconds, so one is added. */
static void bound_wait(gt_loop *loop) {
    enum { ROUND_UP = 999 };
    uint64_t next = gt_timers_next_us(&loop->timers), now = gt_net_now_us();
    lws_usec_t wait = next > now ? (lws_usec_t)(next - now + ROUND_UP) : 1;
    if (next == UINT64_MAX) wait = LWS_SET_TIMER_USEC_CANCEL;
    lws_sul_schedule(loop->context, 0, &loop->wake, fire_wake, wait);
}

/* ---- the thread ---- */

/* Whatever was queued is still run; then nobody is woken any more, and what is open is closed, with its callbacks. */
static void end_service(gt_loop *loop) {
    gt_mutex_lock(&loop->mutex);
    loop->ended = true;
    gt_mutex_unlock(&loop->mutex);
    run_tasks(loop);
    gt_mutex_lock(&loop->mutex);
    struct lws_context *context = loop->context;
    loop->context = NULL;
    gt_mutex_unlock(&loop->mutex);
    gt_context_destroy(context);
}

static void serve(void *argument) {
    gt_loop *loop = argument;
    gt_mutex_lock(&loop->mutex);
    loop->self = pthread_self();
    gt_mutex_unlock(&loop->mutex);
    for (;;) {
        run_tasks(loop);
        run_timers(loop);
        take_ready(loop);
        if (loop->ends && (loop->connection_count == 0 || loop->is_overdue)) break;
        bound_wait(loop);
        if (lws_service(loop->context, 0) < 0) break;
        gt_connections_read_on(loop);
    }
    end_service(loop);
}

void gt_loop_end(gt_loop *loop) {
    if (loop->ends) return;
    loop->ends = true;
    gt_timers_set(&loop->timers, &loop->end, gt_net_now_us() + loop->times->end_us);
    gt_connections_end(loop);
}

/* ---- life ---- */

static goat_status fill(gt_loop *loop, gt_diag *diag) {
    loop->tick.fire = tick;
    loop->end.fire = overdue;
    gt_ring_init(&loop->ready);
    gt_ring_init(&loop->connections);
    gt_ring_init(&loop->waiting);
    gt_ring_init(&loop->reading);
    for (int i = 0; i < GT_NET_PING_GROUPS; i++) gt_ring_init(&loop->groups[i]);
    gt_timers_init(&loop->timers, loop->alloc);
    gt_buf_init(&loop->scratch, loop->alloc);
    enum { OWN_TIMERS = 4 }; /* tick, end, and those of the owner */
    if (!gt_timers_reserve(&loop->timers, OWN_TIMERS)) return gt_no_memory(diag);
    goat_status status = gt_hasher_new(loop->alloc, &loop->hasher, diag);
    if (status == GOAT_OK) status = gt_context_new(loop, &loop->context, &loop->vhost, diag);
    return status;
}

static void free_memory(gt_loop *loop) {
    gt_condition_destroy(&loop->condition);
    gt_mutex_destroy(&loop->mutex);
    gt_hasher_free(loop->hasher);
    gt_timers_free(&loop->timers);
    gt_buf_free(&loop->scratch);
    gt_free(loop->alloc, loop);
}

goat_status gt_loop_new(const gt_loop_config *config, gt_loop **out, gt_diag *diag) {
    gt_loop *loop = gt_new(config->alloc, 1, sizeof(*loop));
    *out = NULL;
    if (loop == NULL) return gt_no_memory(diag);
    loop->config = *config;
    loop->alloc = config->alloc;
    loop->times = config->times;
    loop->owner = config->owner;
    goat_status status = gt_mutex_init(&loop->mutex, diag);
    if (status == GOAT_OK) {
        status = gt_condition_init(&loop->condition, diag);
        if (status != GOAT_OK) gt_mutex_destroy(&loop->mutex);
    }
    if (status != GOAT_OK) {
        gt_free(config->alloc, loop);
        return status;
    }
    status = fill(loop, diag);
    if (status == GOAT_OK) {
        *out = loop;
    } else {
        free_memory(loop);
    }
    return status;
}

goat_status gt_loop_start(gt_loop *loop, gt_diag *diag) {
    goat_status status = gt_thread_start(&loop->thread, serve, loop, diag);
    loop->is_started = status == GOAT_OK;
    return status;
}

void gt_loop_free(gt_loop *loop) {
    if (loop == NULL) return;
    if (loop->is_started) {
        gt_thread_join(&loop->thread);
    } else {
        gt_context_destroy(loop->context);
    }
    free_memory(loop);
}
