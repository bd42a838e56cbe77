/* Taking in what a peer sent: data, and what is said about ours (PROTOCOL.md section 5).
 *
 * Hashes and signatures were checked on the way here, without the lock (arrival.c). */
#include "sync/internal.h"
#include "value/build.h"

/* ---- one record ---- */

static void refuse(gt_channel *channel, const gt_id *batch, const gt_diag *why) {
    gt_message message = {.kind = GT_MESSAGE_REFUSE, .channel = channel->number};
    _Static_assert((int)GT_DIAG_MESSAGE_MAX <= (int)GT_SYNC_TEXT_MAX, "words of a diagnostic fit");
    message.as.refuse.batch = batch;
    message.as.refuse.status = why->status;
    message.as.refuse.text = gt_bytes_text(why->message);
    gt_message_write(&channel->sync->out, &message);
    channel->sync->counters.batches_refused++;
}

gt_log *gt_sessions_log(const gt_channel *channel) {
    const gt_sync_host *host = &channel->sync->host;
    return host->sessions == NULL ? NULL : host->sessions(host->context);
}

/* It is acknowledged once our logs are safe up to where they now end. */
static void owe_ack(gt_channel *channel, const gt_id *batch) {
    gt_log *sessions = gt_sessions_log(channel);
    gt_taken taken = {.batch = *batch, .at_us = channel->sync->now_us, .end = gt_log_length(gt_channel_log(channel))};
    if (sessions != NULL) taken.sessions_end = gt_log_length(sessions);
    gt_queue_push(&channel->taken, &taken); /* without memory it is not acknowledged now, and sent again some day */
}

/* It was not taken in. When it is, by whatever way, it is acknowledged. */
static void owe_ack_later(gt_channel *channel, const gt_id *batch, uint32_t flags) {
    bool fits = channel->waiting.count < GT_SYNC_WAITING_MAX && channel->sync->waiting < GT_SYNC_WAITING_ALL_MAX;
    if ((flags & GT_DATA_ACK) != 0 && fits) gt_queue_push(&channel->waiting, batch);
    channel->waiting_seen = 0;
}

/* What was logged from `before` on came from this peer: it is not sent back. */
static void note_echo(gt_channel *channel, uint64_t before) {
    gt_log *log = gt_channel_log(channel);
    gt_record record;
    uint64_t end = before;
    if (gt_log_length(log) == before || gt_log_next(log, &end, false, &record) != GOAT_OK) return;
    gt_stretch *last = gt_queue_last(&channel->echo);
    if (last != NULL && last->end == before) {
        last->end = end;
        return;
    }
    gt_stretch stretch = {.start = before, .end = end};
    gt_queue_push(&channel->echo, &stretch); /* without memory it goes back to where it came from, which is no harm */
}

/* Trouble of ours, or the batch's fault? */
static bool is_fault(goat_status status) {
    return status == GOAT_INVALID || status == GOAT_UNTRUSTED || status == GOAT_TOO_LARGE || status == GOAT_CONFLICT ||
           status == GOAT_NEWER_FORMAT;
}

/* What cannot be taken in now, and comes again. */
static void drop(gt_channel *channel, const gt_id *batch, uint32_t flags) {
    channel->dropped = true;
    channel->sync->counters.batches_dropped++;
    if (batch != NULL) owe_ack_later(channel, batch, flags);
}

static goat_status admit_batch(gt_channel *channel, gt_arrived *arrived, uint32_t flags, gt_diag *why) {
    gt_sync *sync = channel->sync;
    gt_repo *repo = channel->shared->repo;
    gt_batch *batch = arrived->batch;
    gt_admission outcome = GT_KNOWN;
    uint64_t before = gt_log_length(gt_channel_log(channel));
    goat_status status = gt_repo_admit_batch(repo, batch, &outcome, why);
    if (status == GOAT_BUSY) { /* it is no fault, and comes again in a run, then ever less often */
        drop(channel, &batch->id, flags);
        if (channel->run == NULL) gt_sync_again(channel);
        return GOAT_OK;
    }
    if (status != GOAT_OK) return status;
    sync->counters.batches_in++;
    if ((flags & GT_DATA_ANSWER) != 0) gt_run_answered(channel, &batch->id, outcome == GT_KNOWN);
    if (outcome == GT_ADMITTED) {
        note_echo(channel, before);
        for (uint32_t i = 0; i < batch->node_count; i++)
            sync->counters.entries_in += batch->nodes[i].kind == GT_NODE_LEAF;
    }
    sync->counters.batches_known += outcome == GT_KNOWN;
    if (outcome == GT_PARKED) {
        sync->counters.batches_parked++;
        channel->lacks = true;
        channel->ask_pause_us = 0;
        if (channel->ask_us > sync->now_us + GT_SYNC_WANT_AGAIN_US) {
            channel->ask_us = sync->now_us + GT_SYNC_WANT_AGAIN_US;
        }
        owe_ack_later(channel, &batch->id, flags);
    } else if ((flags & GT_DATA_ACK) != 0) {
        owe_ack(channel, &batch->id);
    }
    return GOAT_OK;
}

/* What is wrong with a batch's commits is no reason to refuse all that its session will ever write: its header is kept, and
 * goes to everyone, so that the chain goes on. Without room for it the chain waits until the batch comes again. */
static void keep_header(gt_channel *channel, const gt_batch *batch) {
    gt_admission outcome;
    uint64_t before = gt_log_length(gt_channel_log(channel));
    if (channel->sync->role != GT_SYNC_SERVER) return;
    bool kept = gt_repo_admit_header(channel->shared->repo, batch, &outcome, NULL) == GOAT_OK;
    if (kept && outcome == GT_ADMITTED) note_echo(channel, before);
}

static goat_status admit_receipt(gt_channel *channel, gt_arrived *arrived, uint32_t flags, gt_diag *why) {
    gt_admission outcome = GT_KNOWN;
    uint64_t before = gt_log_length(gt_channel_log(channel));
    goat_status status = gt_repo_admit_receipt(channel->shared->repo, arrived->receipt, &outcome, why);
    if (status != GOAT_OK) return status;
    channel->sync->counters.receipts_in++;
    channel->point_again = true; /* nothing else tells the peer that it came */
    if ((flags & GT_DATA_ANSWER) != 0) gt_run_answered(channel, &arrived->receipt->id, outcome == GT_KNOWN);
    if (outcome == GT_ADMITTED) note_echo(channel, before);
    return GOAT_OK;
}

/* Whether a commit was made after its author's certificate ended. A server judges by the times of commits, which it limits,
 * so that whoever fills it again brings old ones too. */
static bool is_of_later(const gt_sync *sync, const gt_batch *batch) {
    int64_t end_ms = gt_keyring_expires_ms(sync->host.keyring, &batch->session);
    if (sync->role != GT_SYNC_SERVER || end_ms == INT64_MAX) return false;
    for (uint32_t i = 0; i < batch->node_count; i++) {
        const gt_node *node = &batch->nodes[i];
        if (node->kind == GT_NODE_LEAF && GT_TIME_MS(node->commit.time) > end_ms) return true;
    }
    return false;
}

/* Whether the author may write here. A peer's own key is known before its certificate is, and the root's first batch
 * brings its own. */
static gt_verdict judge_author(gt_channel *channel, const gt_arrived *arrived, gt_diag *why) {
    const gt_keyring *keyring = channel->sync->host.keyring;
    const gt_id *session = &arrived->batch->session;
    if (gt_id_compare(session, &channel->sync->network) == 0) return GT_VERDICT_GOOD;
    if (gt_keyring_find(keyring, session) == NULL) return GT_VERDICT_UNKNOWN;
    if (is_of_later(channel->sync, arrived->batch)) {
        gt_fail(why, GOAT_FORBIDDEN, "the certificate of the session that made the batch has ended");
        return GT_VERDICT_MAY_NOT;
    }
    gt_bytes path = gt_repo_path(channel->shared->repo);
    return gt_trust_may(keyring, GT_MAY_WRITE, path, session, why) == GOAT_OK ? GT_VERDICT_GOOD : GT_VERDICT_MAY_NOT;
}

/* GOAT_OK, also for what was refused or dropped; a status ends the channel, or with GOAT_UNTRUSTED the connection. */
static goat_status take_record(gt_channel *channel, gt_arrived *arrived, uint32_t flags, gt_diag *why) {
    gt_verdict verdict = arrived->verdict;
    gt_diag fault;
    gt_diag_init(&fault);
    if (verdict == GT_VERDICT_GOOD && arrived->batch != NULL) verdict = judge_author(channel, arrived, &fault);
    switch (verdict) {
    case GT_VERDICT_GOOD: break;
    case GT_VERDICT_NONE: /* its channel was opened meanwhile by somebody else's doing: as if it had not come */
    case GT_VERDICT_UNKNOWN:
        drop(channel, verdict == GT_VERDICT_UNKNOWN && arrived->batch != NULL ? &arrived->batch->id : NULL, flags);
        return GOAT_OK;
    case GT_VERDICT_MAY_NOT:
        if (arrived->batch != NULL)
            refuse(channel, &arrived->batch->id, arrived->diag != NULL ? arrived->diag : &fault);
        return GOAT_OK;
    case GT_VERDICT_TROUBLE: return gt_no_memory(why);
    default:
        if (arrived->diag != NULL) *why = *arrived->diag;
        why->status = GOAT_UNTRUSTED;
        return GOAT_UNTRUSTED;
    }
    goat_status status = arrived->batch != NULL ? admit_batch(channel, arrived, flags, &fault)
                                                : admit_receipt(channel, arrived, flags, &fault);
    if (status == GOAT_OK) return GOAT_OK;
    if (is_fault(status)) {
        if (arrived->batch != NULL && status == GOAT_INVALID) keep_header(channel, arrived->batch);
        if (arrived->batch != NULL) refuse(channel, &arrived->batch->id, &fault);
        return GOAT_OK;
    }
    *why = fault;
    return status;
}

/* ---- DATA ---- */

/* That there is credit was looked at before the records were read (arrival.c). */
static void charge(gt_sync *sync, const gt_message *message) {
    sync->granted -= (int64_t)message->bytes.len;
    sync->unreturned += (int64_t)message->bytes.len;
}

/* The last that damage took has come: a run shows whether it is all. */
static void note_healed(gt_channel *channel) {
    gt_repo *repo = channel->shared->repo;
    if (!channel->heals || channel->run != NULL || gt_repo_misses_any(repo)) return;
    channel->heals = false;
    if (!gt_repo_has_gaps(repo)) return;
    gt_sync_again(channel);
}

static void note_end(gt_channel *channel, uint32_t flags) {
    if ((flags & GT_DATA_END) == 0 || channel->sync->role != GT_SYNC_CLIENT || channel->even) return;
    if (channel->run != NULL) return; /* even when that is over */
    gt_channel_caught_up(channel);
}

goat_status gt_data_take(gt_sync *sync, gt_channel *channel, gt_arrived_message *arrived, gt_diag *diag) {
    const gt_message *message = &arrived->message;
    gt_diag why;
    gt_diag_init(&why);
    goat_status status = GOAT_OK;
    charge(sync, message);
    if (channel == NULL) return GOAT_OK;
    uint32_t flags = message->as.data.flags;
    if (channel->asked_us != 0) channel->asked_us = sync->now_us; /* the answer is on its way */
    uint64_t before = gt_log_length(gt_channel_log(channel));
    for (uint32_t i = 0; status == GOAT_OK && i < message->as.data.count; i++) {
        gt_arrived_check_late(sync, arrived, &arrived->records[i]);
        status = take_record(channel, &arrived->records[i], flags, &why);
        channel->came += message->as.data.records[i].bytes.len + GT_LOG_RECORD_OVERHEAD;
    }
    if (status == GOAT_UNTRUSTED) {
        *diag = why;
        return status;
    }
    if (status != GOAT_OK) {
        gt_channel_close(channel, &why);
        return GOAT_OK;
    }
    if ((flags & (GT_DATA_ANSWER | GT_DATA_WANTED)) == 0) gt_point_received(channel, message->as.data.count, before);
    note_end(channel, flags);
    note_healed(channel);
    return GOAT_OK;
}

/* ---- acknowledging ---- */

/* Batches that were to be acknowledged, could not be taken in, and have been meanwhile. */
static void look_at_waiting(gt_channel *channel) {
    uint64_t length = gt_log_length(gt_channel_log(channel));
    if (channel->waiting.count == 0 || channel->waiting_seen == length) return;
    channel->waiting_seen = length;
    for (size_t i = 0; i < channel->waiting.count;) {
        gt_id id = *(gt_id *)gt_queue_at(&channel->waiting, i);
        gt_held held = {0};
        uint32_t record = gt_repo_find_record(channel->shared->repo, &id);
        if (record != GT_NONE) gt_repo_held(channel->shared->repo, record, &held);
        if (!held.whole) { /* what waits is in no log: a crash would take it */
            i++;
            continue;
        }
        owe_ack(channel, &id);
        gt_queue_remove(&channel->waiting, i);
    }
}

static size_t count_safe(const gt_channel *channel) {
    uint64_t durable = gt_log_length_durable(gt_channel_log(channel)), sessions_durable = 0;
    size_t count = 0;
    if (channel->taken.count > 0) {
        gt_log *sessions = gt_sessions_log(channel);
        sessions_durable = sessions == NULL ? 0 : gt_log_length_durable(sessions);
    }
    for (; count < channel->taken.count; count++) {
        const gt_taken *taken = gt_queue_at(&channel->taken, count);
        if (taken->end > durable || taken->sessions_end > sessions_durable) break;
    }
    return count;
}

bool gt_acks_are_due(const gt_channel *channel) { return count_safe(channel) > 0; }

void gt_acks_send(gt_channel *channel, gt_buf *packet) {
    gt_sync_counters *counters = &channel->sync->counters;
    look_at_waiting(channel);
    size_t safe = count_safe(channel);
    if (safe > 0) channel->point_again = true;
    while (safe > 0) {
        uint32_t some = safe > GT_SYNC_ACK_MAX ? GT_SYNC_ACK_MAX : (uint32_t)safe;
        gt_message_ack_head(packet, channel->number, GOAT_DURABLE_DISK, some);
        for (uint32_t i = 0; i < some; i++) {
            const gt_taken *taken = gt_queue_at(&channel->taken, i);
            if (taken->end > channel->point_min) channel->point_min = taken->end; /* the peer counts on this batch */
            gt_write_bytes(packet, gt_bytes_of(taken->batch.bytes, GT_ID_SIZE));
            gt_histogram_add(&counters->acknowledging, channel->sync->now_us - taken->at_us);
        }
        gt_queue_drop(&channel->taken, some);
        safe -= some;
        counters->messages_out++;
    }
}

void gt_ack_take(gt_channel *channel, const gt_message *message) {
    gt_ids ids = message->as.ack.ids;
    if (message->as.ack.level < GOAT_DURABLE_DISK) return;
    if (channel->has_new_point) { /* it waits to be remembered, and may be of a place before what is safe from now on */
        channel->new_point_ours = gt_sent_first(&channel->sent, channel->new_point_ours);
    }
    for (uint32_t i = 0; i < ids.count; i++) gt_sent_acknowledge(&channel->sent, gt_ids_at(ids, i));
    gt_sync_event_of(channel->sync, GT_SYNC_SAFE, channel, NULL);
}

bool gt_channel_is_refused(const gt_channel *channel, const gt_id *batch) {
    gt_index_cursor cursor;
    uint32_t at = gt_index_first(&channel->refused_index, gt_get_u64(batch->bytes), &cursor);
    while (at != GT_INDEX_NONE && gt_id_compare(gt_queue_at(&channel->refused, at), batch) != 0) {
        at = gt_index_next(&channel->refused_index, &cursor);
    }
    return at != GT_INDEX_NONE;
}

static void note_refused(gt_channel *channel, const gt_id *batch) {
    uint32_t number = (uint32_t)channel->refused.count;
    bool fits = number < GT_SYNC_REFUSED_MAX && channel->sync->refused < GT_SYNC_REFUSED_ALL_MAX;
    if (!fits || !gt_queue_push(&channel->refused, batch)) return;
    if (!gt_index_insert(&channel->refused_index, gt_get_u64(batch->bytes), number)) {
        gt_queue_cut(&channel->refused, number);
    }
}

/* The peer does not take a batch of ours: it is not sent again here, and set aside in a comparison. */
void gt_refuse_take(gt_channel *channel, const gt_message *message) {
    const gt_id *batch = message->as.refuse.batch;
    gt_bytes text = message->as.refuse.text;
    gt_diag why;
    gt_diag_init(&why);
    bool held = gt_repo_find_record(channel->shared->repo, batch) != GT_NONE; /* or it was never sent */
    if (!held || gt_channel_is_refused(channel, batch)) return;
    gt_fail(&why, message->as.refuse.status, "%.*s", (int)text.len, (const char *)text.data);
    /* What is not kept here counts in a run, which ends unequal by it: leaving a batch out costs its hashes. */
    note_refused(channel, batch);
    gt_sync_event event = {.kind = GT_SYNC_REFUSED, .id = batch, .diag = &why};
    event.path = gt_bytes_of(channel->path, channel->path_len);
    if (channel->sync->host.event != NULL) channel->sync->host.event(channel->sync->host.context, &event);
}

/* ---- asking for what is missing ---- */

void gt_wants_send(gt_channel *channel, gt_buf *packet) {
    if (!channel->lacks || channel->sync->now_us < channel->ask_us) return;
    gt_id ids[GT_SYNC_WANT_MAX];
    bool all = channel->ask_cursor == 0;
    uint32_t count = gt_repo_missing(channel->shared->repo, &channel->ask_cursor, ids, GT_SYNC_WANT_MAX);
    if (count < GT_SYNC_WANT_MAX) channel->ask_cursor = 0; /* that was the last of it: from the first again */
    channel->lacks = count > 0 || !all;
    if (!channel->lacks) return;
    uint64_t pause = channel->ask_pause_us == 0 ? GT_SYNC_WANT_AGAIN_US : 2 * channel->ask_pause_us;
    channel->ask_pause_us = pause > GT_SYNC_REOPEN_MAX_US ? GT_SYNC_REOPEN_MAX_US : pause;
    channel->ask_us = channel->sync->now_us + (all ? channel->ask_pause_us : GT_SYNC_WANT_AGAIN_US);
    if (count == 0) return;
    gt_message_want_head(packet, channel->number, count);
    for (uint32_t i = 0; i < count; i++) gt_write_bytes(packet, gt_bytes_of(ids[i].bytes, GT_ID_SIZE));
    channel->sync->counters.messages_out++;
}

void gt_want_take(gt_channel *channel, const gt_message *message) {
    gt_ids ids = message->as.want.ids;
    for (uint32_t i = 0; i < ids.count && channel->sync->wanted < GT_SYNC_WANTED_MAX; i++) {
        gt_queue_push(&channel->wanted, gt_ids_at(ids, i));
    }
}

/* Nobody is asked to prove a loss: what a peer keeps back it could keep back in silence, and it stays missed here. */
void gt_lost_take(gt_channel *channel, const gt_message *message) {
    gt_ids ids = message->as.lost.ids;
    bool news = false;
    for (uint32_t i = 0; i < ids.count; i++) {
        news = gt_repo_note_gone(channel->shared->repo, gt_ids_at(ids, i)) || news;
    }
    if (!news) return;
    channel->lacks = true; /* what follows may wait for more */
    channel->ask_us = channel->sync->now_us;
}
