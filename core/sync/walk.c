/* Sending: the walk along our log, and single records that were asked for (PROTOCOL.md 4.2, 5.1).
 *
 * The walk is all there is to cloning, catching up and live push: whoever is slow is only further behind. */
#include "sync/internal.h"
#include "value/build.h"

enum { MEMORY_US = 100 * 1000 };

/* ---- DATA ---- */

bool gt_data_fits(gt_channel *channel, gt_source source, const gt_buf *packet, const gt_buf *body, size_t len) {
    if (body->len > 0) return body->len + len <= 2 * (size_t)channel->sync->host.sizes.data;
    return gt_sync_has_room(channel, source, packet, len);
}

void gt_data_send(gt_channel *channel, gt_buf *packet, uint32_t flags, const gt_buf *body, uint32_t count) {
    size_t begin = packet->len;
    if (gt_buf_failed(body)) packet->failed = true;
    gt_message_data_head(packet, channel->number, flags, count);
    gt_buf_append(packet, body->data, body->len);
    channel->sync->credit -= (int64_t)(packet->len - begin);
    channel->sync->counters.messages_out++;
}

void gt_count_out(gt_sync *sync, gt_bytes frame) {
    sync->counters.batches_out++;
    sync->counters.entries_out += gt_batch_peek_size(frame);
}

void gt_certify_ask(gt_channel *channel, gt_buf *packet) {
    gt_sync *sync = channel->sync;
    const gt_sync_host *host = &sync->host;
    if (sync->role != GT_SYNC_CLIENT || sync->certify_asked) return;
    if (gt_keyring_find(host->keyring, &host->identity->session) != NULL) return;
    gt_message message = {.kind = GT_MESSAGE_CERTIFY};
    gt_message_write(packet, &message);
    sync->certify_asked = true;
}

/* ---- what is to be acknowledged ---- */

bool gt_sent_by_walk(gt_channel *channel, const gt_id *batch, uint64_t start) {
    return gt_sent_add(&channel->sent, batch, start, channel->run_number);
}

/* What it sends is of the set that it compares, so its own end shows that the peer has it. */
bool gt_sent_by_run(gt_channel *channel, const gt_id *batch) {
    return gt_sent_add(&channel->sent, batch, GT_LOG_HEADER_SIZE, channel->run_number - 1);
}

/* The id of the batch in a record of our log: by its first leaf, which the tables know; a record without a leaf is
 * hashed. GOAT_NOT_FOUND: it is not known, because it waits for what damage took. GOAT_NO_MEMORY. */
static goat_status batch_of(gt_channel *channel, gt_bytes frame, gt_id *id) {
    const gt_sync_host *host = &channel->sync->host;
    gt_repo *repo = channel->shared->repo;
    gt_arena arena;
    gt_batch batch;
    gt_arena_init(&arena, host->alloc);
    goat_status status = gt_batch_view(frame, &arena, &batch, NULL);
    const gt_node *leaf = NULL;
    for (uint32_t i = 0; status == GOAT_OK && leaf == NULL && i < batch.node_count; i++) {
        if (batch.nodes[i].kind == GT_NODE_LEAF) leaf = &batch.nodes[i];
    }
    if (status == GOAT_OK && leaf != NULL) {
        gt_id inner, commit;
        gt_held held;
        gt_commit_inner(host->hasher, leaf->salt, leaf->commit.payload, &inner);
        gt_commit_id(host->hasher, &batch.session, &inner, leaf->commit.header, &commit);
        uint32_t record = gt_repo_find_record(repo, &commit);
        if (record == GT_NONE) status = GOAT_NOT_FOUND;
        if (record != GT_NONE) {
            gt_repo_held(repo, record, &held);
            *id = held.batch;
        }
    } else if (status == GOAT_OK) {
        gt_place place = {.network = channel->sync->network, .repository = gt_repo_path(repo)};
        status = gt_batch_hash(host->hasher, &place, &batch, NULL);
        if (status == GOAT_OK) *id = batch.id;
    }
    gt_arena_free(&arena);
    return status == GOAT_OK || status == GOAT_NO_MEMORY ? status : GOAT_NOT_FOUND;
}

/* ---- the walk ---- */

void gt_walk_skip_echo(gt_channel *channel) {
    while (channel->echo.count > 0) {
        gt_stretch *first = gt_queue_at(&channel->echo, 0);
        if (first->start > channel->cursor) return;
        if (first->end > channel->cursor) channel->cursor = first->end;
        gt_queue_drop(&channel->echo, 1);
    }
}

uint64_t gt_walk_sent(const gt_channel *channel) {
    return channel->cursor < channel->unsent ? channel->cursor : channel->unsent;
}

bool gt_walk_has_more(const gt_channel *channel) {
    if (channel->sync->now_us < channel->walk_us) return false;
    return channel->cursor < gt_log_length(gt_channel_log(channel)) || channel->end_at != 0;
}

/* Adds one record to `body`. GOAT_NOT_FOUND: it is none to be sent. GOAT_NO_MEMORY: it is to be tried again. */
static goat_status add_record(gt_channel *channel, const gt_record *record, uint64_t start, uint64_t end,
                              gt_buf *body) {
    gt_sync *sync = channel->sync;
    bool is_client = sync->role == GT_SYNC_CLIENT;
    if (record->type == GT_RECORD_RECEIPT) {
        gt_message_write_receipt(body, record->payload);
        sync->counters.receipts_out++;
    } else if (record->type == GT_RECORD_BATCH) {
        gt_id id;
        goat_status status = is_client ? batch_of(channel, record->payload, &id) : GOAT_OK;
        if (status == GOAT_NOT_FOUND) { /* no part of what we have; a run brings it when it is */
            channel->skipped = true;
            if (start < channel->unsent) channel->unsent = start;
        }
        if (status == GOAT_OK && is_client && !gt_sent_by_walk(channel, &id, start)) status = GOAT_NO_MEMORY;
        if (status != GOAT_OK) return status;
        gt_write_bytes(body, record->payload);
        gt_count_out(sync, record->payload);
    } else {
        return GOAT_NOT_FOUND;
    }
    if (!is_client) gt_point_sent_record(channel, end);
    return GOAT_OK;
}

bool gt_walk_send(gt_channel *channel, gt_buf *packet) {
    gt_sync *sync = channel->sync;
    gt_log *log = gt_channel_log(channel);
    gt_buf body;
    uint32_t count = 0;
    if (sync->now_us < channel->walk_us) return false;
    gt_buf_init(&body, sync->host.alloc);
    while (count < GT_SYNC_RECORDS_MAX && body.len < sync->host.sizes.data) {
        gt_record record;
        gt_walk_skip_echo(channel);
        uint64_t start = channel->cursor, next = start;
        if (start >= gt_log_length(log)) break;
        goat_status status = gt_log_next(log, &next, false, &record);
        if (status == GOAT_OK) {
            if (!gt_data_fits(channel, GT_SOURCE_WALK, packet, &body, record.payload.len)) break;
            status = add_record(channel, &record, start, next, &body);
            count += status == GOAT_OK;
        } else if (status != GOAT_NO_MEMORY) {
            next = gt_log_length(log); /* damage to the end */
        }
        if (status == GOAT_NO_MEMORY) { /* the same again a little later */
            channel->walk_us = sync->now_us + MEMORY_US;
            break;
        }
        channel->cursor = next;
    }
    bool ends = channel->end_at != 0 && channel->cursor >= channel->end_at;
    bool sends = count > 0 || ends;
    if (count > 0) gt_certify_ask(channel, packet);
    if (sends) {
        uint32_t flags = (sync->role == GT_SYNC_CLIENT ? GT_DATA_ACK : 0u) | (ends ? GT_DATA_END : 0u);
        gt_data_send(channel, packet, flags, &body, count);
    }
    if (ends) channel->end_at = 0;
    gt_buf_free(&body);
    return sends;
}

/* ---- what the peer wants ---- */

static void say_lost(gt_channel *channel, gt_buf *packet, const gt_buf *lost, uint32_t count) {
    if (count == 0 || gt_buf_failed(lost)) return; /* without memory it is asked for again */
    gt_message message = {.kind = GT_MESSAGE_LOST, .channel = channel->number};
    message.as.lost.ids = (gt_ids){lost->data, count};
    gt_message_write(packet, &message);
    channel->sync->counters.messages_out++;
}

/* Adds the records of a batch from `*record` on; false when there is no more room. */
static bool add_wanted(gt_channel *channel, const gt_buf *packet, gt_buf *body, uint32_t *record, uint32_t *count) {
    gt_repo *repo = channel->shared->repo;
    for (; *record != GT_NONE; *record = gt_repo_next_record(repo, *record)) {
        gt_held held;
        gt_repo_held(repo, *record, &held);
        if (held.frame.data == NULL) continue;
        if (*count == GT_SYNC_RECORDS_MAX || !gt_data_fits(channel, GT_SOURCE_WANTED, packet, body, held.frame.len)) {
            return false;
        }
        gt_write_bytes(body, held.frame);
        gt_count_out(channel->sync, held.frame);
        ++*count;
    }
    return true;
}

/* What the peer does not take it cannot have: it goes on without. */
static bool is_refused(const gt_channel *channel, uint32_t record) {
    gt_id batch;
    if (channel->refused.count == 0 || record == GT_NONE) return false;
    gt_repo_is_whole(channel->shared->repo, record, &batch);
    return gt_channel_is_refused(channel, &batch);
}

/* What is known by name and has no bytes is lost to us; what is not even known may be elsewhere. */
void gt_wanted_send(gt_channel *channel, gt_buf *packet) {
    gt_sync *sync = channel->sync;
    gt_buf body, lost;
    uint32_t count = 0, lost_count = 0;
    size_t done = 0;
    gt_buf_init(&body, sync->host.alloc);
    gt_buf_init(&lost, sync->host.alloc);
    for (; done < channel->wanted.count && body.len < sync->host.sizes.data && lost_count < GT_SYNC_WANT_MAX; done++) {
        const gt_id *id = gt_queue_at(&channel->wanted, done);
        uint32_t record = channel->wanted_record, before = count;
        bool again = record != GT_NONE;
        if (!again) record = gt_repo_find_record(channel->shared->repo, id);
        bool known = record != GT_NONE, refused = is_refused(channel, record);
        bool all = refused || add_wanted(channel, packet, &body, &record, &count);
        channel->wanted_record = all ? GT_NONE : record;
        if (!all) break;
        if (known && !again && count == before) {
            gt_write_bytes(&lost, gt_bytes_of(id->bytes, GT_ID_SIZE));
            lost_count++;
        }
    }
    gt_queue_drop(&channel->wanted, done);
    say_lost(channel, packet, &lost, lost_count);
    gt_buf_free(&lost);
    if (count > 0) {
        gt_certify_ask(channel, packet);
        gt_data_send(channel, packet, GT_DATA_WANTED, &body, count);
    }
    gt_buf_free(&body);
}
