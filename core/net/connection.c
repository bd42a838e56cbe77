/* Connections: what comes in, what goes out, and who is cut. See connection.h. */
#include "net/connection.h"

#include "base/assert.h"
#include "net/http.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>

/* ---- life ---- */

static void fire(gt_timer *timer, uint64_t now_us) {
    (void)now_us;
    gt_connection_ask(GT_RING_OF(timer, gt_connection, timer));
}

gt_connection *gt_connection_new(gt_loop *loop) {
    enum { OWN_TIMERS = 8 };
    if (!gt_timers_reserve(&loop->timers, (size_t)loop->connection_count + 1 + OWN_TIMERS)) return NULL;
    gt_connection *connection = gt_new(loop->alloc, 1, sizeof(*connection));
    if (connection == NULL) return NULL;
    connection->loop = loop;
    connection->unsent = -1;
    connection->timer.fire = fire;
    gt_buf_init(&connection->in, loop->alloc);
    gt_buf_init(&connection->out, loop->alloc);
    gt_ring_append(&loop->connections, &connection->node);
    uint64_t now = gt_net_now_us(), next = now + loop->times->tick_us;
    if (loop->connection_count++ == 0) loop->ping_us = next;
    if (loop->tick.place == 0 || loop->tick.due_us > next) gt_timers_set(&loop->timers, &loop->tick, next);
    return connection;
}

static void drop_half(gt_connection *connection) {
    connection->loop->half -= connection->in.capacity;
    gt_buf_free(&connection->in);
    gt_ring_node_remove(&connection->reading);
}

static void over(gt_connection *connection, const gt_diag *why) {
    gt_loop *loop = connection->loop;
    if (connection->is_over) return;
    connection->is_over = true;
    if (loop->on_over != NULL) loop->on_over(loop->owner, connection, why);
}

/* The other side may have said why before it left. */
static void note_last_words(gt_connection *connection) {
    gt_diag why;
    gt_diag_init(&why);
    if (connection->carried == NULL || connection->is_over) return;
    if (connection->carrier->has_ended(connection->carried, &why)) over(connection, &why);
}

void gt_connection_lost(gt_connection *connection) {
    gt_loop *loop = connection->loop;
    note_last_words(connection);
    gt_ring_node_remove(&connection->waiting);
    gt_ring_node_remove(&connection->group);
    gt_timers_set(&loop->timers, &connection->timer, UINT64_MAX);
    drop_half(connection);
    gt_buf_free(&connection->out);
    connection->out_at = 0;
    connection->is_over = true;
    gt_answer_free(connection);
    if (connection->carried == NULL) return;
    connection->carrier->count(connection->carried, &loop->metrics.ended, true);
    connection->carrier->free(connection->carried);
    connection->carried = NULL;
}

void gt_connection_free(gt_connection *connection) {
    gt_loop *loop = connection->loop;
    gt_connection_lost(connection);
    gt_mutex_lock(&loop->mutex);
    gt_ring_node_remove(&connection->ready);
    gt_mutex_unlock(&loop->mutex);
    gt_ring_node_remove(&connection->pending);
    gt_ring_node_remove(&connection->node);
    if (loop->current == connection) loop->current = NULL;
    loop->connection_count--;
    gt_free(loop->alloc, connection);
}

void gt_connection_ready(gt_connection *connection) { gt_loop_ready(connection->loop, connection); }

static const char *const fault_words[GT_FAULT_COUNT] = {
    [GT_FAULT_HANDSHAKE] = "the connection was not made in time",
    [GT_FAULT_STALLED] = "the other side does not read what it is sent",
    [GT_FAULT_SILENT] = "the other side does not answer",
    [GT_FAULT_TOO_LARGE] = "the other side sent a message that is too long",
    [GT_FAULT_BUDGET] = "too many messages are half received",
    [GT_FAULT_TEXT] = "the other side sent text",
};

/* Counts it, and tells the owner. */
static void fail(gt_connection *connection, gt_net_fault fault, goat_status status) {
    gt_diag diag;
    gt_diag_init(&diag);
    gt_fail(&diag, status, "%s", fault_words[fault] == NULL ? "the connection is broken" : fault_words[fault]);
    connection->loop->metrics.faults[fault]++;
    over(connection, &diag);
}

/* What lws is told to close with. */
static int closing(gt_connection *connection, enum lws_close_status status, const char *words) {
    lws_close_reason(connection->wsi, status, (unsigned char *)(uintptr_t)words, strlen(words));
    return -1;
}

void gt_connection_cut(gt_connection *connection, gt_net_fault fault) {
    goat_status status = fault == GT_FAULT_TOO_LARGE || fault == GT_FAULT_BUDGET ? GOAT_TOO_LARGE : GOAT_OFFLINE;
    if (!connection->is_over) fail(connection, fault, status);
    gt_connection_lost(connection);
    if (connection->wsi != NULL) lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

/* ---- opening ---- */

static void set_timer(gt_connection *connection, uint64_t wait) {
    uint64_t now = wait == UINT64_MAX ? 0 : gt_net_now_us();
    uint64_t due = wait > UINT64_MAX - 1 - now ? UINT64_MAX : now + wait;
    gt_timers_set(&connection->loop->timers, &connection->timer, due);
}

int gt_connection_open(gt_connection *connection, const gt_carrier *carrier, void *context) {
    gt_loop *loop = connection->loop;
    gt_diag diag;
    gt_diag_init(&diag);
    connection->carrier = carrier;
    if (carrier->begin(context, connection, &connection->carried, &diag) != GOAT_OK) {
        connection->carried = NULL;
        loop->metrics.faults[GT_FAULT_OTHER]++;
        over(connection, &diag);
        return closing(connection, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "not ready");
    }
    connection->is_heard = true;
    gt_ring_append(&loop->groups[loop->next_group++ % GT_NET_PING_GROUPS], &connection->group);
    gt_connection_ask(connection);
    return 0;
}

/* ---- in ---- */

static void take(gt_connection *connection, gt_bytes packet) {
    gt_loop *loop = connection->loop;
    const gt_carrier *carrier = connection->carrier;
    gt_diag diag;
    gt_diag_init(&diag);
    uint64_t begin = gt_net_now_us();
    goat_status status = carrier->receive(connection->carried, packet, loop->hasher, &diag);
    gt_histogram_add(&loop->metrics.taking, gt_net_now_us() - begin);
    if (!connection->is_greeted && carrier->is_greeted(connection->carried)) {
        connection->is_greeted = true;
        if (loop->on_greeted != NULL) loop->on_greeted(loop->owner, connection);
    }
    if (status != GOAT_OK) {
        bool untrusted = status == GOAT_UNTRUSTED || status == GOAT_CORRUPT;
        loop->metrics.faults[untrusted ? GT_FAULT_UNTRUSTED : GT_FAULT_PROTOCOL]++;
        over(connection, &diag);
        gt_connection_ask(connection); /* there may be a last word */
    } else {
        set_timer(connection, carrier->wait_us(connection->carried));
    }
}

static gt_connection *largest_half(const gt_loop *loop) {
    gt_connection *largest = NULL;
    for (gt_ring_node *node = gt_ring_first(&loop->connections); node != NULL;
         node = gt_ring_after(&loop->connections, node)) {
        gt_connection *one = GT_RING_OF(node, gt_connection, node);
        if (largest == NULL || one->in.capacity > largest->in.capacity) largest = one;
    }
    return largest;
}

/* Adds to the half-received message; 0, or the connection is to be closed. */
static int add_half(gt_connection *connection, const void *bytes, size_t len) {
    gt_loop *loop = connection->loop;
    gt_buf *in = &connection->in;
    size_t before = in->capacity;
    if (before == 0) gt_buf_reserve(in, GT_NET_HALF_MIN);
    gt_buf_append(in, bytes, len);
    loop->half += in->capacity - before;
    if (gt_buf_failed(in)) {
        fail(connection, GT_FAULT_OTHER, GOAT_NO_MEMORY);
        return closing(connection, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
    }
    while (loop->half > GT_NET_HALF_MAX) {
        gt_connection *largest = largest_half(loop);
        if (largest == connection) {
            fail(connection, GT_FAULT_BUDGET, GOAT_TOO_LARGE);
            return closing(connection, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "too much is half received");
        }
        gt_connection_cut(largest, GT_FAULT_BUDGET);
    }
    return 0;
}

int gt_connection_receive(gt_connection *connection, const void *bytes, size_t len) {
    bool is_last = lws_is_final_fragment(connection->wsi) != 0;
    size_t max = connection->is_greeted ? GT_SYNC_PACKET_MAX : GT_SYNC_PACKET_MAX_BEFORE_PROOF;
    connection->is_heard = connection->got_some = true;
    if (connection->carried == NULL) return -1;
    if (connection->is_over) return 0;
    if (!lws_frame_is_binary(connection->wsi)) {
        fail(connection, GT_FAULT_TEXT, GOAT_INVALID);
        return closing(connection, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "binary messages only");
    }
    size_t coming = lws_remaining_packet_payload(connection->wsi);
    if (len > max || connection->in.len > max - len || coming > max - len - connection->in.len) {
        fail(connection, GT_FAULT_TOO_LARGE, GOAT_TOO_LARGE);
        return closing(connection, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "the message is too long");
    }
    if (is_last && connection->in.len == 0) {
        take(connection, gt_bytes_of(bytes, len));
        return 0;
    }
    if (add_half(connection, bytes, len) != 0) return -1;
    if (is_last) {
        take(connection, gt_buf_bytes(&connection->in));
        drop_half(connection);
    } else if (!gt_ring_node_is_in(&connection->reading)) {
        gt_ring_append(&connection->loop->reading, &connection->reading);
    }
    return 0;
}

/* lws waits for all sockets between two pieces of a message, which with thousands of them costs more than the piece. So
 * who is in the middle of one is read on at once. */
static void read_on(gt_connection *connection) {
    gt_loop *loop = connection->loop;
    int descriptor = lws_get_socket_fd(connection->wsi);
    loop->current = connection;
    for (size_t read = 0; read < GT_NET_READ_ON_MAX; read += GT_NET_RECEIVE_SERVER) {
        struct lws_pollfd socket = {.fd = descriptor, .events = LWS_POLLIN, .revents = LWS_POLLIN};
        connection->got_some = false;
        if (lws_service_fd(loop->context, &socket) != 0 || loop->current == NULL || !connection->got_some) break;
    }
    loop->current = NULL;
}

void gt_connections_read_on(gt_loop *loop) {
    gt_ring now;
    gt_ring_node *node;
    gt_ring_move(&loop->reading, &now);
    while ((node = gt_ring_first(&now)) != NULL) {
        gt_ring_node_remove(node);
        read_on(GT_RING_OF(node, gt_connection, reading));
    }
}

/* ---- out ---- */

static void ask_socket(gt_connection *connection) {
    if (gt_ring_node_is_in(&connection->waiting)) return;
    if (connection->carried == NULL && connection->answer == NULL) return;
    connection->asked_us = gt_net_now_us();
    gt_ring_append(&connection->loop->waiting, &connection->waiting);
    lws_callback_on_writable(connection->wsi);
}

void gt_connection_ask(gt_connection *connection) {
    connection->wants_more = true;
    ask_socket(connection);
}

void gt_connection_moved(gt_connection *connection) { gt_ring_node_remove(&connection->waiting); }

static int write_ping(gt_connection *connection) {
    static const char payload[] = "goat"; /* lws passes on no pong without one */
    uint8_t frame[LWS_PRE + sizeof(payload)];
    connection->wants_ping = false;
    connection->loop->metrics.pings++;
    memcpy(frame + LWS_PRE, payload, sizeof(payload) - 1);
    if (connection->wants_more) ask_socket(connection); /* one write at a time; the rest follows */
    return lws_write(connection->wsi, frame + LWS_PRE, sizeof(payload) - 1, LWS_WRITE_PING) < 0 ? -1 : 0;
}

static int write_fragment(gt_connection *connection) {
    gt_buf *out = &connection->out;
    size_t left = out->len - connection->out_at, len = left < GT_NET_FRAGMENT ? left : GT_NET_FRAGMENT;
    unsigned int how = connection->out_at == LWS_PRE ? LWS_WRITE_BINARY : LWS_WRITE_CONTINUATION;
    if (len < left) how |= LWS_WRITE_NO_FIN;
    uint8_t *at = out->data + connection->out_at; /* the frame's head goes over what was sent before */
    if (lws_write(connection->wsi, at, len, (enum lws_write_protocol)how) < 0) return -1;
    connection->out_at += len;
    if (len == left) {
        gt_buf_free(out);
        connection->out_at = 0;
    }
    return 0;
}

/* 1: sent something; 0: there is nothing; -1: broken. */
static int write_packet(gt_connection *connection) {
    static const uint8_t head[LWS_PRE] = {0};
    gt_buf *scratch = &connection->loop->scratch;
    gt_buf_clear(scratch);
    gt_buf_append(scratch, head, sizeof(head));
    if (!connection->carrier->send(connection->carried, scratch)) return 0;
    if (gt_buf_failed(scratch)) {
        fail(connection, GT_FAULT_OTHER, GOAT_NO_MEMORY);
        return -1;
    }
    size_t len = scratch->len - LWS_PRE;
    if (len > GT_NET_FRAGMENT) {
        connection->out = *scratch;
        connection->out_at = LWS_PRE;
        gt_buf_init(scratch, connection->loop->alloc);
        return write_fragment(connection) == 0 ? 1 : -1;
    }
    return lws_write(connection->wsi, scratch->data + LWS_PRE, len, LWS_WRITE_BINARY) < 0 ? -1 : 1;
}

/* Nothing is left to be sent for so long. */
static int rest(gt_connection *connection, uint64_t wait_us) {
    gt_diag why;
    gt_diag_init(&why);
    if (connection->carrier->has_ended(connection->carried, &why)) {
        over(connection, &why);
        return closing(connection, LWS_CLOSE_STATUS_NORMAL, "");
    }
    set_timer(connection, wait_us);
    return 0;
}

static int write_more(gt_connection *connection) {
    if (connection->out_at == 0) return write_packet(connection);
    return write_fragment(connection) == 0 ? 1 : -1;
}

int gt_connection_write(gt_connection *connection) {
    gt_connection_moved(connection);
    if (connection->carried == NULL) return -1;
    if (connection->wants_ping) return write_ping(connection);
    connection->wants_more = false;
    for (int i = 0; i < GT_NET_WRITES_MAX; i++) {
        if (i > 0 && lws_send_pipe_choked(connection->wsi)) break;
        int sent = write_more(connection);
        if (sent < 0) return -1;
        if (connection->out_at != 0) continue;
        uint64_t wait_us = connection->carrier->wait_us(connection->carried);
        if (sent == 0 || wait_us > 0) return rest(connection, wait_us);
    }
    gt_connection_ask(connection);
    return 0;
}

/* ---- what is overdue ---- */

int gt_connection_pong(gt_connection *connection) {
    connection->is_heard = true;
    return 0;
}

static int unsent_bytes(const gt_connection *connection) {
    int unsent = 0;
    if (ioctl(lws_get_socket_fd(connection->wsi), SIOCOUTQ, &unsent) != 0) return 0;
    return unsent;
}

/* A ping may lie behind megabytes in the kernel's queue to a slow peer: as long as that queue moves, he is alive. */
static void ping_or_cut(gt_connection *connection) {
    if (connection->is_pinged && !connection->is_heard) {
        if (connection->wants_ping) return; /* it was not even written: stalled output is looked at elsewhere */
        int unsent = unsent_bytes(connection);
        if (unsent == 0 || unsent == connection->unsent) {
            gt_connection_cut(connection, GT_FAULT_SILENT);
        } else {
            connection->unsent = unsent;
        }
        return;
    }
    connection->unsent = -1;
    connection->is_pinged = connection->wants_ping = true;
    connection->is_heard = false;
    if (gt_ring_node_is_in(&connection->waiting) || lws_partial_buffered(connection->wsi) != 0) {
        ask_socket(connection);
    } else if (write_ping(connection) != 0) { /* at once: to ask whether it can be written looks at all sockets */
        lws_set_timeout(connection->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}

static void ping_next_group(gt_loop *loop) {
    gt_ring *group = &loop->groups[loop->turn++ % GT_NET_PING_GROUPS];
    for (gt_ring_node *node = gt_ring_first(group), *next; node != NULL; node = next) {
        next = gt_ring_after(group, node);
        ping_or_cut(GT_RING_OF(node, gt_connection, group));
    }
}

void gt_connections_check(gt_loop *loop, uint64_t now_us) {
    gt_ring_node *node;
    while ((node = gt_ring_first(&loop->waiting)) != NULL) {
        gt_connection *first = GT_RING_OF(node, gt_connection, waiting);
        if (now_us < first->asked_us + loop->times->stall_us) break;
        gt_connection_cut(first, GT_FAULT_STALLED);
    }
    if (now_us < loop->ping_us) return;
    loop->ping_us = now_us + GT_NET_PING_TICKS * loop->times->tick_us;
    ping_next_group(loop);
}

/* ---- all of them ---- */

void gt_connections_end(gt_loop *loop) {
    for (gt_ring_node *node = gt_ring_first(&loop->connections), *next; node != NULL; node = next) {
        next = gt_ring_after(&loop->connections, node);
        gt_connection *one = GT_RING_OF(node, gt_connection, node);
        if (one->carried != NULL) {
            one->carrier->end(one->carried);
            gt_connection_ask(one);
        } else if (one->wsi != NULL) {
            one->is_over = true;
            lws_set_timeout(one->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
        }
    }
}

void gt_connections_count(const gt_loop *loop, gt_carried_counts *counts) {
    *counts = loop->metrics.ended;
    for (gt_ring_node *node = gt_ring_first(&loop->connections); node != NULL;
         node = gt_ring_after(&loop->connections, node)) {
        gt_connection *one = GT_RING_OF(node, gt_connection, node);
        if (one->carried != NULL) one->carrier->count(one->carried, counts, false);
    }
}
