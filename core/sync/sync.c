/* The connection as a whole: its life, what comes in, what goes out next, and when. */
#include "sync/sync.h"

#include "sync/internal.h"

enum { OUT_MAX = 1024 * 1024 }; /* answers that a peer may leave unread */

/* ---- life ---- */

static uint32_t size_of(uint32_t chosen, uint32_t usual) { return chosen != 0 ? chosen : usual; }

static gt_sync_sizes sizes_of(const gt_sync_sizes *chosen) {
    return (gt_sync_sizes){
        .window = size_of(chosen->window, GT_SYNC_WINDOW),
        .packet = size_of(chosen->packet, GT_SYNC_PACKET_USUAL),
        .data = size_of(chosen->data, GT_SYNC_DATA_USUAL),
        .point_every = size_of(chosen->point_every, GT_SYNC_POINT_EVERY),
        .slice = size_of(chosen->slice, GT_SYNC_SLICE),
    };
}

goat_status gt_sync_new(const gt_sync_host *host, gt_sync_role role, uint64_t now_us, gt_sync **out, gt_diag *diag) {
    *out = NULL;
    gt_sync *sync = gt_new(host->alloc, 1, sizeof(*sync));
    if (sync == NULL) return gt_no_memory(diag);
    sync->host = *host;
    sync->role = role;
    sync->began_us = sync->now_us = now_us;
    sync->deadline_us = UINT64_MAX;
    sync->host.sizes = sizes_of(&host->sizes);
    sync->granted = sync->host.sizes.window;
    sync->next_number = 1;
    sync->has_network = host->network != NULL;
    if (sync->has_network) sync->network = *host->network;
    gt_buf_init(&sync->out, host->alloc);
    gt_buf_init(&sync->hello, host->alloc);
    gt_buf_init(&sync->expected, host->alloc);
    gt_buf_init(&sync->proof, host->alloc);
    gt_diag_init(&sync->failure);
    goat_status status = role == GT_SYNC_CLIENT ? gt_handshake_begin(sync, diag) : GOAT_OK;
    if (status != GOAT_OK) {
        gt_sync_free(sync);
        return status;
    }
    *out = sync;
    if (role == GT_SYNC_CLIENT) gt_sync_due(sync);
    return GOAT_OK;
}

void gt_sync_free(gt_sync *sync) {
    if (sync == NULL) return;
    while (sync->channels != NULL) gt_channel_free(sync->channels);
    gt_buf_free(&sync->out);
    gt_buf_free(&sync->hello);
    gt_buf_free(&sync->expected);
    gt_buf_free(&sync->proof);
    gt_free(sync->host.alloc, sync);
}

void gt_sync_due(gt_sync *sync) {
    if (sync->due) return;
    sync->due = true;
    if (sync->host.ready != NULL) sync->host.ready(sync->host.context);
}

void gt_sync_event_of(gt_sync *sync, gt_sync_event_kind kind, const gt_channel *channel, const gt_diag *diag) {
    if (sync->host.event == NULL) return;
    gt_sync_event event = {.kind = kind, .diag = diag};
    if (channel != NULL) {
        event.path = gt_bytes_of(channel->path, channel->path_len);
        event.equal = !channel->unequal;
    }
    sync->host.event(sync->host.context, &event);
}

gt_channel *gt_sync_find_channel(const gt_sync *sync, uint32_t number) {
    gt_channel *channel = sync->channels;
    while (channel != NULL && (channel->number != number || number == 0)) channel = channel->next;
    return channel;
}

/* ---- ending ---- */

static void drop_channels(gt_sync *sync) {
    while (sync->channels != NULL) gt_channel_free(sync->channels);
    sync->turn = sync->alone = NULL;
}

static void end(gt_sync *sync) {
    if (sync->phase == GT_PHASE_ENDED) return;
    sync->phase = GT_PHASE_ENDED;
    drop_channels(sync);
    gt_sync_event_of(sync, GT_SYNC_ENDED, NULL, &sync->failure);
    gt_sync_due(sync);
}

static void say_bye(gt_sync *sync) {
    if (sync->bye_said) return;
    sync->bye_said = true;
    gt_message message = {.kind = GT_MESSAGE_BYE};
    message.as.close.status = sync->failure.status;
    message.as.close.text = gt_bytes_text(sync->failure.message);
    gt_message_write(&sync->out, &message);
}

goat_status gt_sync_fail(gt_sync *sync, goat_status status, const gt_diag *diag) {
    if (sync->phase == GT_PHASE_ENDED) return status;
    if (diag != NULL) sync->failure = *diag;
    if (sync->failure.status == GOAT_OK) gt_fail(&sync->failure, status, "%s", gt_status_name(status));
    say_bye(sync);
    end(sync);
    return status;
}

void gt_sync_end(gt_sync *sync) {
    if (sync->phase == GT_PHASE_ENDED) return;
    sync->ends = true;
    gt_sync_due(sync);
}

bool gt_sync_has_ended(const gt_sync *sync) { return sync->phase == GT_PHASE_ENDED && sync->out.len == 0; }

static void take_bye(gt_sync *sync, const gt_message *message) {
    gt_bytes text = message->as.close.text;
    if (message->as.close.status != GOAT_OK) {
        gt_fail(&sync->failure, message->as.close.status, "%.*s", (int)text.len, (const char *)text.data);
    }
    sync->bye_said = true; /* nobody listens any more */
    gt_buf_clear(&sync->out);
    end(sync);
}

/* ---- packets in ---- */

/* Certifying is the root's; whoever does not hold it says so on channel 0. */
static goat_status take_certify(gt_sync *sync, gt_diag *diag) {
    gt_diag why;
    gt_id none = {{0}};
    gt_diag_init(&why);
    if (sync->role != GT_SYNC_SERVER) return gt_fail(diag, GOAT_INVALID, "only a client asks to be certified");
    goat_status status = sync->host.certify(sync->host.context, sync->peer.public_key, &why);
    sync->certify_us = status == GOAT_BUSY ? sync->now_us + GT_SYNC_CERTIFY_AGAIN_US : 0;
    if (status == GOAT_BUSY) return GOAT_OK; /* it is tried again, see certify_later */
    if (status == GOAT_OK || status == GOAT_NO_MEMORY) return status;
    gt_message message = {.kind = GT_MESSAGE_REFUSE};
    message.as.refuse.batch = &none;
    message.as.refuse.status = status;
    message.as.refuse.text = gt_bytes_text(why.message);
    gt_message_write(&sync->out, &message);
    return GOAT_OK;
}

/* Of what was not asked for on a channel: the list, or to be certified. */
static void take_refusal(gt_sync *sync, const gt_message *message) {
    gt_bytes text = message->as.refuse.text;
    gt_diag why;
    gt_diag_init(&why);
    gt_fail(&why, message->as.refuse.status, "%.*s", (int)text.len, (const char *)text.data);
    if (gt_id_compare(message->as.refuse.batch, &gt_list_id) == 0) {
        gt_list_take_refusal(sync, &why);
    } else {
        gt_sync_event_of(sync, GT_SYNC_REFUSED, NULL, &why);
    }
}

/* Whoever had to wait is certified now, or waits on; without memory too. */
static void certify_later(gt_sync *sync) {
    if (sync->certify_us == 0 || sync->now_us < sync->certify_us) return;
    if (take_certify(sync, NULL) != GOAT_OK) sync->certify_us = sync->now_us + GT_SYNC_CERTIFY_AGAIN_US;
}

/* What needs an open channel; a message for one that was just closed here is no fault. */
static goat_status take_on_channel(gt_sync *sync, gt_arrived_message *arrived, gt_diag *diag) {
    const gt_message *message = &arrived->message;
    gt_channel *channel = gt_sync_find_channel(sync, message->channel);
    bool open = channel != NULL && channel->state == GT_CHANNEL_OPEN;
    switch (message->kind) {
    case GT_MESSAGE_DATA: return gt_data_take(sync, open ? channel : NULL, arrived, diag);
    case GT_MESSAGE_OPENED: return channel == NULL ? GOAT_OK : gt_channel_take_opened(channel, message, diag);
    case GT_MESSAGE_CLOSE:
        if (channel != NULL) gt_channel_take_close(channel, message);
        return GOAT_OK;
    default: break;
    }
    if (!open) return GOAT_OK;
    switch (message->kind) {
    case GT_MESSAGE_ACK: gt_ack_take(channel, message); return GOAT_OK;
    case GT_MESSAGE_POINT: gt_point_take(channel, message); return GOAT_OK;
    case GT_MESSAGE_COMPARE: return gt_run_take(channel, message, diag);
    case GT_MESSAGE_WANT: gt_want_take(channel, message); return GOAT_OK;
    case GT_MESSAGE_LOST: gt_lost_take(channel, message); return GOAT_OK;
    case GT_MESSAGE_REFUSE: gt_refuse_take(channel, message); return GOAT_OK;
    default: /* AGAIN */ channel->again = sync->role == GT_SYNC_CLIENT; return GOAT_OK;
    }
}

static goat_status take(gt_sync *sync, gt_arrived_message *arrived, gt_diag *diag) {
    const gt_message *message = &arrived->message;
    if (sync->phase != GT_PHASE_GREETED && message->kind > GT_MESSAGE_PROOF && message->kind != GT_MESSAGE_BYE) {
        return gt_fail(diag, GOAT_UNTRUSTED, "a message before the handshake is over");
    }
    switch (message->kind) {
    case GT_MESSAGE_HELLO: return gt_handshake_hello(sync, message, diag);
    case GT_MESSAGE_PROOF: return gt_handshake_proof(sync, message, diag);
    case GT_MESSAGE_BYE: take_bye(sync, message); return GOAT_OK;
    case GT_MESSAGE_OPEN: return gt_channel_take_open(sync, message, diag);
    case GT_MESSAGE_CREDIT:
        if (message->as.credit.bytes > GT_SYNC_WINDOW_MAX || sync->credit > GT_SYNC_WINDOW_MAX) {
            return gt_fail(diag, GOAT_INVALID, "more credit than can be");
        }
        sync->credit += (int64_t)message->as.credit.bytes;
        return GOAT_OK;
    case GT_MESSAGE_LIST:
        if (sync->role != GT_SYNC_SERVER) return gt_fail(diag, GOAT_INVALID, "only a client asks for a list");
        sync->lists = sync->list_followed = true;
        return GOAT_OK;
    case GT_MESSAGE_REPOS: return gt_list_take(sync, message, diag);
    case GT_MESSAGE_CERTIFY: return take_certify(sync, diag);
    case GT_MESSAGE_REFUSE:
        if (message->channel != 0) return take_on_channel(sync, arrived, diag);
        take_refusal(sync, message);
        return GOAT_OK;
    default: return take_on_channel(sync, arrived, diag);
    }
}

goat_status gt_sync_receive(gt_sync *sync, gt_arrival *arrival, uint64_t now_us, gt_diag *diag) {
    sync->now_us = now_us;
    if (sync->phase == GT_PHASE_ENDED) {
        if (diag != NULL) *diag = sync->failure;
        return sync->failure.status != GOAT_OK ? sync->failure.status : GOAT_CLOSED;
    }
    gt_diag why;
    gt_diag_init(&why);
    goat_status status = arrival->status;
    if (status != GOAT_OK) why = arrival->diag;
    sync->counters.packets_in++;
    sync->counters.bytes_in += arrival->packet.len;
    for (gt_arrived_message *arrived = arrival->first; status == GOAT_OK && arrived != NULL; arrived = arrived->next) {
        if (sync->phase == GT_PHASE_ENDED) break;
        sync->counters.messages_in++;
        status = take(sync, arrived, &why);
        if (status == GOAT_OK && sync->out.len > OUT_MAX) {
            status = gt_fail(&why, GOAT_TOO_LARGE, "the peer does not read its answers");
        }
    }
    if (status == GOAT_OK) {
        if (sync->phase == GT_PHASE_GREETED) gt_sync_due(sync);
        return GOAT_OK;
    }
    if (diag != NULL) *diag = why;
    return gt_sync_fail(sync, status, &why);
}

/* ---- packets out ---- */

static bool packet_is_full(const gt_sync *sync, const gt_buf *packet, size_t begin) {
    return packet->len - begin >= sync->host.sizes.packet;
}

bool gt_sync_has_room(gt_channel *channel, gt_source source, const gt_buf *packet, size_t len) {
    gt_sync *sync = channel->sync;
    size_t used = packet->len - sync->packet_begin;
    if (used == 0 || used + len <= GT_SYNC_PACKET_LARGE_TIMES * (size_t)sync->host.sizes.packet) return true;
    sync->alone = channel;
    sync->alone_source = source;
    return false;
}

/* What found no room in the last packet, first and with nothing behind it: together with more it might be larger than a
 * packet may be. True if there was something. */
static bool send_alone(gt_sync *sync, gt_buf *packet, size_t begin) {
    gt_channel *channel = sync->alone;
    if (channel == NULL || sync->credit <= 0) return false;
    sync->alone = NULL;
    if (channel->state != GT_CHANNEL_OPEN) return false;
    switch (sync->alone_source) {
    case GT_SOURCE_WANTED: gt_wanted_send(channel, packet); break;
    case GT_SOURCE_RUN: gt_run_step(channel, packet); break;
    default: gt_walk_send(channel, packet); break;
    }
    return packet->len > begin;
}

/* A walk each in turn, until the packet is full or nobody has more. */
static void send_walks(gt_sync *sync, gt_buf *packet, size_t begin) {
    bool any = true;
    while (any && !packet_is_full(sync, packet, begin) && sync->credit > 0) {
        any = false;
        gt_channel *first = sync->turn != NULL ? sync->turn : sync->channels, *channel = first;
        if (first == NULL) return;
        do {
            gt_channel *next = channel->next != NULL ? channel->next : sync->channels;
            if (channel->state == GT_CHANNEL_OPEN && gt_walk_send(channel, packet)) any = true;
            channel = sync->turn = next;
        } while (channel != first && !packet_is_full(sync, packet, begin) && sync->credit > 0);
    }
}

static void send_credit(gt_sync *sync, gt_buf *packet) {
    if (sync->unreturned < sync->host.sizes.window / 4) return;
    if (sync->owed > GT_SYNC_OWED_MAX) return; /* acknowledgements pile up: more only when they have gone out */
    gt_message message = {.kind = GT_MESSAGE_CREDIT};
    message.as.credit.bytes = (uint64_t)sync->unreturned;
    gt_message_write(packet, &message);
    sync->granted += sync->unreturned;
    sync->unreturned = 0;
}

static void send_out(gt_sync *sync, gt_buf *packet) {
    if (gt_buf_failed(&sync->out)) {
        packet->failed = true;
        return;
    }
    gt_buf_append(packet, sync->out.data, sync->out.len);
    gt_buf_free(&sync->out);
}

static void send_all(gt_sync *sync, gt_buf *packet, size_t begin) {
    if (send_alone(sync, packet, begin)) return;
    certify_later(sync);
    gt_channels_step(sync);
    gt_list_step(sync);
    send_out(sync, packet);
    for (gt_channel *channel = sync->channels; channel != NULL; channel = channel->next) {
        if (channel->state != GT_CHANNEL_OPEN) continue;
        gt_acks_send(channel, packet);
        gt_wants_send(channel, packet);
        if (packet_is_full(sync, packet, begin)) continue;
        if (sync->credit > 0) gt_wanted_send(channel, packet);
        gt_run_step(channel, packet);
    }
    send_walks(sync, packet, begin);
    for (gt_channel *channel = sync->channels; channel != NULL; channel = channel->next) {
        if (channel->state == GT_CHANNEL_OPEN) gt_point_send(channel, packet);
    }
    send_credit(sync, packet);
    send_out(sync, packet); /* what came up on the way */
}

static bool has_work(const gt_sync *sync) {
    if (sync->phase != GT_PHASE_GREETED) return false;
    if (sync->asks_list) return true;
    for (const gt_channel *channel = sync->channels; channel != NULL; channel = channel->next) {
        if (gt_channel_has_step(channel)) return true;
        if (channel->state != GT_CHANNEL_OPEN) continue;
        if (gt_run_has_work(channel) || gt_acks_are_due(channel)) return true;
        if (sync->credit > 0 && (gt_walk_has_more(channel) || channel->wanted.count > 0)) return true;
    }
    return false;
}

static bool check_timers(gt_sync *sync) {
    gt_diag why;
    gt_diag_init(&why);
    bool greeted = sync->phase == GT_PHASE_GREETED;
    if (!greeted && sync->now_us - sync->began_us >= GT_SYNC_HANDSHAKE_US) {
        gt_sync_fail(sync, gt_fail(&why, GOAT_TIMEOUT, "the peer did not finish the handshake in time"), &why);
        return false;
    }
    for (const gt_channel *channel = sync->channels; greeted && channel != NULL; channel = channel->next) {
        if (channel->asked_us == 0 || sync->now_us - channel->asked_us < GT_SYNC_ANSWER_US) continue;
        gt_sync_fail(sync, gt_fail(&why, GOAT_TIMEOUT, "the peer does not answer"), &why);
        return false;
    }
    return true;
}

bool gt_sync_send(gt_sync *sync, uint64_t now_us, gt_buf *packet) {
    size_t begin = packet->len;
    sync->now_us = now_us;
    sync->deadline_us = UINT64_MAX;
    sync->due = false;
    sync->packet_begin = begin;
    if (sync->phase != GT_PHASE_ENDED && check_timers(sync) && sync->phase == GT_PHASE_GREETED && !sync->ends) {
        send_all(sync, packet, begin);
    }
    if (sync->ends && sync->phase != GT_PHASE_ENDED) {
        say_bye(sync);
        end(sync);
    }
    if (packet->len - begin <= GT_SYNC_PACKET_LARGE_TIMES * (size_t)sync->host.sizes.packet) send_out(sync, packet);
    if (gt_buf_failed(packet)) { /* what was to be said is lost: the connection cannot go on */
        gt_diag why;
        gt_diag_init(&why);
        gt_no_memory(&why);
        sync->bye_said = true;
        gt_sync_fail(sync, GOAT_NO_MEMORY, &why);
        gt_buf_free(&sync->out);
        return false;
    }
    bool said = packet->len > begin;
    if (said && sync->hello_us == 0) sync->hello_us = now_us;
    if (said) {
        sync->counters.packets_out++;
        sync->counters.bytes_out += packet->len - begin;
    }
    if (has_work(sync) || sync->out.len > 0) gt_sync_due(sync);
    return said;
}

static uint64_t earliest(const gt_sync *sync) {
    if (sync->phase == GT_PHASE_ENDED) return UINT64_MAX;
    if (sync->phase != GT_PHASE_GREETED) return sync->began_us + GT_SYNC_HANDSHAKE_US;
    uint64_t deadline = sync->lists ? sync->list_us : UINT64_MAX;
    if (sync->certify_us != 0 && sync->certify_us < deadline) deadline = sync->certify_us;
    for (const gt_channel *channel = sync->channels; channel != NULL; channel = channel->next) {
        uint64_t own = gt_channel_deadline(channel);
        if (own < deadline) deadline = own;
    }
    return deadline;
}

bool gt_sync_is_ready(const gt_sync *sync, uint64_t now_us) {
    return sync->due || sync->out.len > 0 || earliest(sync) <= now_us;
}

uint64_t gt_sync_deadline(gt_sync *sync) { return sync->deadline_us = earliest(sync); }

/* ---- what others look at ---- */

/* Each edit and each flush comes here for everybody who has the repository open. To ask those who have nothing to say
 * would cost more than to tell the others. */
static bool has_news(const gt_sync *sync, const gt_channel *channel) {
    if (sync->phase != GT_PHASE_GREETED || has_work(sync)) return true;
    return channel->waiting.count > 0 || earliest(sync) < sync->deadline_us;
}

void gt_shared_changed(gt_shared *shared) {
    for (gt_channel *channel = shared->channels; channel != NULL; channel = channel->next_of_shared) {
        if (!channel->sync->due && has_news(channel->sync, channel)) gt_sync_due(channel->sync);
    }
}

void gt_shared_missed(gt_shared *shared) {
    for (gt_channel *channel = shared->channels; channel != NULL; channel = channel->next_of_shared) {
        channel->lacks = true;
        gt_sync_due(channel->sync);
    }
}

void gt_sync_again(gt_channel *channel) {
    gt_message message = {.kind = GT_MESSAGE_AGAIN, .channel = channel->number};
    if (channel->sync->role == GT_SYNC_CLIENT) {
        channel->again = true;
    } else {
        gt_message_write(&channel->sync->out, &message);
    }
    gt_sync_due(channel->sync);
}

void gt_sync_sessions_safe(gt_sync *sync) {
    gt_sync_due(sync); /* acknowledgements and points may have waited for it */
}

void gt_sync_sessions_grew(gt_sync *sync) {
    for (gt_channel *channel = sync->channels; channel != NULL; channel = channel->next) {
        if (!channel->dropped || channel->state != GT_CHANNEL_OPEN) continue;
        channel->dropped = false;
        gt_sync_again(channel);
    }
}

uint64_t gt_sync_safe_length(const gt_sync *sync, const gt_shared *shared) {
    for (const gt_channel *channel = shared->channels; channel != NULL; channel = channel->next_of_shared) {
        if (channel->sync != sync || channel->state != GT_CHANNEL_OPEN || !channel->trusted) continue;
        return gt_sent_first(&channel->sent, gt_walk_sent(channel));
    }
    return 0;
}

const gt_sync_counters *gt_sync_get_counters(const gt_sync *sync) { return &sync->counters; }
const gt_sync_peer *gt_sync_get_peer(const gt_sync *sync) { return &sync->peer; }
const gt_diag *gt_sync_get_failure(const gt_sync *sync) { return &sync->failure; }
