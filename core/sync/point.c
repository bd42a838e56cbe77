/* Points (PROTOCOL.md section 6): what lets a connection begin where the last one ended.
 *
 * The server gives them out, the client remembers them. Neither believes them: a point that does not fit the server's
 * log, or was remembered with another log than the client's, only costs a run of compare. */
#include "sync/internal.h"

enum { MARKS_MAX = 1024 };

/* ---- the server's ---- */

static void point_hash(gt_channel *channel, uint64_t length, const uint8_t *chain, uint8_t *point) {
    static const char context[] = "goat.point.1";
    gt_hasher *hasher = channel->sync->host.hasher;
    uint8_t rules[GT_HASH_SIZE], hash[GT_HASH_SIZE];
    gt_hash(hasher, "", 0, rules); /* who may read what is the same for all, so far */
    gt_bytes pieces[] = {
        gt_bytes_of(context, sizeof(context) - 1),
        gt_bytes_of(gt_log_get_identity(gt_channel_log(channel))->log_id, 16),
        gt_bytes_of(rules, sizeof(rules)),
        gt_bytes_of(chain, GT_CHAIN_SIZE),
    };
    gt_hash_pieces(hasher, pieces, 4, hash);
    gt_put_u64(point, length);
    memcpy(point + 8, hash, GT_SYNC_POINT_SIZE - 8);
}

bool gt_point_holds(gt_channel *channel, const uint8_t *point, uint64_t *length) {
    uint8_t chain[GT_CHAIN_SIZE], own[GT_SYNC_POINT_SIZE];
    *length = gt_get_u64(point);
    const gt_log *log = gt_channel_log(channel);
    /* What it stands for may have been lost since, and that be forgotten by a run with somebody who had none of it. */
    if (*length < gt_log_aside_end(log) || !gt_log_chain_at(log, *length, chain)) return false;
    point_hash(channel, *length, chain, own);
    return memcmp(own, point, sizeof(own)) == 0;
}

/* Whether every certificate that vouches for what is in the log is on the disk. */
static bool certificates_are_safe(const gt_channel *channel) {
    const gt_log *log = gt_sessions_log(channel);
    return log == NULL || log == gt_channel_log(channel) || gt_log_length_durable(log) == gt_log_length(log);
}

/* The greatest length that a point may name; 0: none. */
static uint64_t point_length(const gt_channel *channel) {
    if (channel->sync->role != GT_SYNC_SERVER || channel->state != GT_CHANNEL_OPEN) return 0;
    if (channel->run != NULL || channel->unequal || channel->dropped) return 0;
    if (gt_repo_misses_records(channel->shared->repo) || !certificates_are_safe(channel)) return 0;
    uint64_t durable = gt_log_length_durable(gt_channel_log(channel));
    uint64_t length = durable < channel->cursor ? durable : channel->cursor;
    bool again = channel->point_again || (channel->point_is_void && !gt_repo_has_gaps(channel->shared->repo));
    uint64_t least = again ? channel->point_given : channel->point_given + 1;
    return length <= GT_LOG_HEADER_SIZE || length < least || length < channel->point_min ? 0 : length;
}

bool gt_point_is_due(const gt_channel *channel, uint64_t *when_us) {
    uint64_t length = point_length(channel);
    if (length == 0) return false;
    bool at_end = channel->cursor == gt_log_length(gt_channel_log(channel));
    if (!at_end && length - channel->point_given < channel->sync->host.sizes.point_every) return false;
    *when_us = channel->point_us == 0 ? 0 : channel->point_us + GT_SYNC_POINT_PAUSE_US;
    return true;
}

void gt_point_sent_record(gt_channel *channel, uint64_t end) {
    if (end <= gt_log_length_durable(gt_channel_log(channel))) return;
    if (!gt_queue_push(&channel->unsafe, &end))
        channel->unequal = true; /* no points any more: nothing is wrong by it */
}

void gt_point_send(gt_channel *channel, gt_buf *packet) {
    uint64_t when_us, length = point_length(channel);
    uint8_t chain[GT_CHAIN_SIZE], point[GT_SYNC_POINT_SIZE];
    while (channel->unsafe.count > 0 &&
           *(uint64_t *)gt_queue_at(&channel->unsafe, 0) <= gt_log_length_durable(gt_channel_log(channel))) {
        gt_queue_drop(&channel->unsafe, 1);
    }
    if (!gt_point_is_due(channel, &when_us) || when_us > channel->sync->now_us) return;
    if (!gt_log_chain_at(gt_channel_log(channel), length, chain)) return;
    /* What damage has taken may come to light when the log is read again: nobody begins there, but what came is safe. */
    channel->point_is_void = gt_repo_has_gaps(channel->shared->repo);
    memset(point, 0, sizeof(point));
    if (!channel->point_is_void) point_hash(channel, length, chain, point);
    gt_message message = {.kind = GT_MESSAGE_POINT, .channel = channel->number};
    message.as.point.behind = channel->unsafe.count;
    message.as.point.point = gt_bytes_of(point, sizeof(point));
    gt_message_write(packet, &message);
    channel->point_given = length;
    channel->point_again = false;
    channel->point_us = channel->sync->now_us;
}

/* ---- the client's ---- */

/* `records` more of the peer's walk came; what they brought begins at `before` in our log. */
void gt_point_received(gt_channel *channel, uint64_t records, uint64_t before) {
    channel->received += records;
    if (channel->sync->role != GT_SYNC_CLIENT || records == 0) return;
    gt_mark mark = {.count = channel->received, .before = before};
    if (channel->marks.count >= MARKS_MAX || !gt_queue_push(&channel->marks, &mark)) {
        gt_mark *last = gt_queue_last(&channel->marks);
        if (last != NULL) {
            last->count = channel->received; /* coarser: covered only when all of it is */
        } else {
            channel->unequal = true; /* no memory even for one: no point is remembered */
        }
    }
    if (channel->uncovered == UINT64_MAX) channel->uncovered = before;
}

uint64_t gt_channel_ours(const gt_channel *channel) {
    uint64_t sent = gt_walk_sent(channel), ours = sent < channel->uncovered ? sent : channel->uncovered;
    return gt_sent_first(&channel->sent, ours);
}

static void cover(gt_channel *channel, uint64_t count) {
    while (channel->marks.count > 0 && ((gt_mark *)gt_queue_at(&channel->marks, 0))->count <= count) {
        gt_queue_drop(&channel->marks, 1);
    }
    channel->uncovered = channel->marks.count == 0 ? UINT64_MAX : ((gt_mark *)gt_queue_at(&channel->marks, 0))->before;
}

static bool is_refused(const void *channel, const gt_id *batch) { return gt_channel_is_refused(channel, batch); }

/* A run has ended equal and a point was given after it: what was sent before the run or by it is on the peer's disk, whether
 * it was acknowledged or dropped and came from somebody else. */
static void forget_sent(gt_channel *channel) {
    bool forgot = gt_sent_forget(&channel->sent, channel->run_number, is_refused, channel);
    if (forgot) gt_sync_event_of(channel->sync, GT_SYNC_SAFE, channel, NULL);
}

static bool is_void(const uint8_t *point) {
    static const uint8_t zeros[GT_SYNC_POINT_SIZE];
    return memcmp(point, zeros, sizeof(zeros)) == 0;
}

void gt_point_settle(gt_channel *channel) {
    gt_sync *sync = channel->sync;
    gt_log *log = gt_channel_log(channel);
    if (!channel->has_new_point || channel->run != NULL || channel->unequal) return;
    cover(channel, channel->new_point_covers);
    channel->has_new_point = false;
    channel->trusted = channel->trusted || channel->even;
    if (channel->new_point_is_later) forget_sent(channel);
    if (is_void(channel->new_point)) return; /* one that was remembered before may still hold */
    if (!channel->trusted || channel->dropped || gt_repo_parked_count(channel->shared->repo) > 0) return;
    if (gt_repo_has_gaps(channel->shared->repo)) return;
    gt_walk_skip_echo(channel);
    memcpy(channel->remembered.point, channel->new_point, GT_SYNC_POINT_SIZE);
    channel->remembered.peer = sync->network;
    uint64_t ours = gt_channel_ours(channel);
    channel->remembered.ours = ours < channel->new_point_ours ? ours : channel->new_point_ours;
    channel->remembered.held = gt_log_length(log);
    memcpy(channel->remembered.chain, gt_log_chain(log), GT_CHAIN_SIZE);
    sync->host.remember(sync->host.context, channel->shared, &channel->remembered);
}

/* One that comes before our side has seen that a run is over waits for that. */
void gt_point_take(gt_channel *channel, const gt_message *message) {
    if (channel->sync->role != GT_SYNC_CLIENT || message->as.point.behind > channel->received) return;
    memcpy(channel->new_point, message->as.point.point.data, GT_SYNC_POINT_SIZE);
    channel->new_point_covers = channel->received - message->as.point.behind;
    channel->new_point_ours = UINT64_MAX;
    channel->has_new_point = true;
    channel->new_point_is_later = channel->run == NULL || gt_run_was_answered(channel);
    gt_point_settle(channel);
}
