/* Comparing two sets until both are the union (PROTOCOL.md section 7).
 *
 * A run looks at what was there when it began: `records`, `commits` and `receipts` are row counts of that moment, and
 * what the peer's answers brought since then is known by name. So it ends, whatever flows through the walk
 * meanwhile. All of it is done in small pieces, between packets. */
#include "sync/compare.h"

#include "value/build.h"

/* ---- life ---- */

static gt_diag no_memory_words(void) {
    gt_diag why;
    gt_diag_init(&why);
    gt_no_memory(&why);
    return why;
}

static void close_without_memory(gt_channel *channel) {
    gt_diag why = no_memory_words();
    gt_channel_close(channel, &why);
}

bool gt_run_begin(gt_channel *channel, uint32_t number) {
    const gt_sync_host *host = &channel->sync->host;
    const gt_repo *repo = channel->shared->repo;
    gt_run_free(channel);
    gt_comparison *run = gt_new(host->alloc, 1, sizeof(*run));
    if (run == NULL || !host->random.fill(host->random.context, run->key, sizeof(run->key))) {
        gt_free(host->alloc, run);
        close_without_memory(channel);
        return false;
    }
    run->records = gt_repo_record_count(repo);
    run->frozen.commits = gt_repo_commit_count(repo);
    run->frozen.receipts = gt_repo_receipt_count(repo);
    run->scanned_commits = run->frozen.commits;
    run->scanned_receipts = run->frozen.receipts;
    run->stage = GT_STAGE_WAIT;
    gt_buf_init(&run->answered, host->alloc);
    gt_index_init(&run->answered_index, host->alloc);
    channel->run = run;
    channel->run_number = number;
    channel->dropped = false;
    channel->point_min = gt_log_length(gt_channel_log(channel));
    channel->sync->counters.runs++;
    return true;
}

void gt_run_ask(gt_channel *channel) {
    channel->run->stage = GT_STAGE_FREEZE;
    channel->run->step = GT_STEP_ASK;
    gt_sync_due(channel->sync);
}

/* Filters of all channels are bounded together: for each peer the ones that came from him and the ones that are made for
 * him, and all of them for the database, so that many peers cost no more. */
static goat_status keep_filter(gt_sync *sync, size_t *kept, size_t size, gt_diag *why) {
    size_t *all = sync->host.filter_bytes;
    if (*kept + size > GT_SYNC_FILTERS_MAX) {
        return gt_fail(why, GOAT_BUSY, "too many repositories are compared at once");
    }
    if (all != NULL && *all + size > GT_SYNC_FILTERS_ALL_MAX) {
        return gt_fail(why, GOAT_BUSY, "too many repositories are compared at once by all peers");
    }
    *kept += size;
    if (all != NULL) *all += size;
    return GOAT_OK;
}

static void give_filter_back(gt_sync *sync, size_t *kept, size_t size) {
    *kept -= size;
    if (sync->host.filter_bytes != NULL) *sync->host.filter_bytes -= size;
}

static void drop_own_filter(gt_channel *channel) {
    gt_comparison *run = channel->run;
    if (!run->building) return;
    give_filter_back(channel->sync, &channel->sync->own_filter_bytes, run->own_size);
    gt_bloom_free(&run->filter);
    run->building = false;
}

static void drop_their_filter(gt_channel *channel) {
    gt_comparison *run = channel->run;
    give_filter_back(channel->sync, &channel->sync->filter_bytes, run->their_filter.bytes.len);
    gt_bloom_part_free(channel->sync->host.alloc, &run->their_filter);
}

void gt_run_free(gt_channel *channel) {
    gt_comparison *run = channel->run;
    if (run == NULL) return;
    drop_their_filter(channel);
    gt_buf_free(&run->answered);
    gt_index_free(&run->answered_index);
    drop_own_filter(channel);
    gt_free(channel->sync->host.alloc, run);
    channel->run = NULL;
    channel->asked_us = 0;
}

/* ---- our COMPARE ---- */

static void send_compare(gt_channel *channel, uint32_t step, const gt_bloom *filter, gt_buf *packet) {
    gt_message message = {.kind = GT_MESSAGE_COMPARE, .channel = channel->number};
    uint8_t digest[GT_HASH_SIZE];
    gt_run_summarize(channel, &message.as.compare.count, digest);
    if (step == GT_STEP_CLOSE) channel->run->rounds++; /* those that the peer ends are counted in judge() */
    message.as.compare.run = channel->run_number;
    message.as.compare.step = step;
    message.as.compare.digest = digest;
    if (filter != NULL) {
        message.as.compare.filter = gt_bloom_part_of(filter);
        channel->sync->counters.filter_bytes_out += message.as.compare.filter.bytes.len;
    }
    gt_message_write(packet, &message);
    channel->sync->counters.messages_out++;
}

/* What keeps two sides apart may be on its way from a third: it is tried again, ever less often. */
static void try_again_later(gt_channel *channel, bool equal) {
    uint64_t pause = channel->run_pause_us == 0 ? GT_SYNC_REOPEN_MIN_US : 2 * channel->run_pause_us;
    if (pause > GT_SYNC_REOPEN_MAX_US) pause = GT_SYNC_REOPEN_MAX_US;
    bool again = !equal && channel->sync->role == GT_SYNC_CLIENT;
    channel->run_pause_us = again ? pause : 0;
    channel->run_us = again ? channel->sync->now_us + pause : 0;
}

/* The run is over. Whether it ended equal decides what may be remembered. */
static void finish(gt_channel *channel, bool equal) {
    gt_repo *repo = channel->shared->repo;
    gt_run_free(channel);
    channel->unequal = !equal;
    channel->point_again = true; /* the last one was given before, and says nothing of what the run has shown */
    /* What was passed over before it began was no part of our set: if the peer had it, it has come. */
    if (equal && channel->unsent < channel->point_min) channel->unsent = UINT64_MAX;
    if (equal) channel->point_min = gt_log_length(gt_channel_log(channel)); /* what came in it is to be on our disk */
    try_again_later(channel, equal);
    gt_channel_is_even(channel);
    channel->lacks = true;
    if (gt_repo_has_gaps(repo)) gt_repo_regain(repo, NULL);
    channel->heals = equal && gt_repo_has_gaps(repo);
    if (channel->heals && !gt_repo_misses_any(repo)) {
        gt_repo_set_damage_aside(repo, NULL);
        channel->heals = false;
    }
    gt_sync_event_of(channel->sync, GT_SYNC_EVEN, channel, NULL);
    gt_point_settle(channel);
    gt_sync_due(channel->sync);
}

static void wait_for_peer(gt_channel *channel) {
    channel->run->stage = GT_STAGE_WAIT;
    channel->asked_us = channel->sync->now_us;
}

/* Whether another of the largest would fit: if not, it waits for those that are being made on other channels. */
static bool has_room(const gt_sync *sync) { return sync->own_filter_bytes <= GT_SYNC_FILTERS_MAX - GT_SYNC_FILTER_MAX; }

static goat_status begin_filter(gt_channel *channel, gt_diag *why) {
    gt_comparison *run = channel->run;
    gt_sync *sync = channel->sync;
    const gt_sync_host *host = &sync->host;
    uint64_t elements = (uint64_t)run->records + run->frozen.receipts + run->answered.len / GT_ID_SIZE;
    goat_status status = gt_bloom_init(&run->filter, host->alloc, host->random, elements, why);
    size_t size = status == GOAT_OK ? (size_t)(run->filter.bits / 8) : 0;
    if (status == GOAT_OK) status = keep_filter(sync, &sync->own_filter_bytes, size, why);
    if (status != GOAT_OK) {
        gt_bloom_free(&run->filter);
        return status;
    }
    run->own_size = size;
    run->building = true;
    run->next_record = run->next_receipt = 0;
    return GOAT_OK;
}

/* Adds a piece of what we hold to our filter, then sends it. */
static void build_step(gt_channel *channel, gt_buf *packet) {
    gt_comparison *run = channel->run;
    gt_repo *repo = channel->shared->repo;
    gt_diag why;
    gt_diag_init(&why);
    if (!run->building && begin_filter(channel, &why) != GOAT_OK) {
        gt_channel_close(channel, &why);
        return;
    }
    uint32_t records = gt_repo_record_count(repo), receipts = gt_repo_receipt_count(repo);
    uint32_t slice = channel->sync->host.sizes.slice;
    for (uint32_t i = 0; i < slice && run->next_record < records; i++, run->next_record++) {
        gt_id batch;
        if (!gt_repo_is_whole(repo, run->next_record, &batch)) continue;
        if (run->next_record < run->records || gt_run_is_answered(run, &batch)) gt_bloom_add(&run->filter, &batch);
    }
    for (uint32_t i = 0; i < slice && run->next_record == records && run->next_receipt < receipts; i++) {
        gt_id id;
        gt_bytes bytes;
        gt_repo_receipt_at(repo, run->next_receipt, &id, &bytes);
        bool counts = bytes.data != NULL && (run->next_receipt < run->frozen.receipts || gt_run_is_answered(run, &id));
        if (counts) gt_bloom_add(&run->filter, &id);
        run->next_receipt++;
    }
    if (run->next_record < records || run->next_receipt < receipts) return;
    send_compare(channel, run->step, &run->filter, packet);
    drop_own_filter(channel);
    wait_for_peer(channel);
}

/* ---- the peer's COMPARE ---- */

/* GOAT_BUSY: all filters together are more than is kept for one peer. */
static goat_status keep_message(gt_channel *channel, const gt_message *message, gt_diag *why) {
    gt_comparison *run = channel->run;
    gt_sync *sync = channel->sync;
    const gt_bloom_part *filter = &message->as.compare.filter;
    run->has_message = true;
    run->their_step = message->as.compare.step;
    run->their_count = message->as.compare.count;
    memcpy(run->their_digest, message->as.compare.digest, GT_HASH_SIZE);
    drop_their_filter(channel);
    if (filter->bytes.data == NULL) return GOAT_OK;
    goat_status status = keep_filter(sync, &sync->filter_bytes, filter->bytes.len, why);
    if (status != GOAT_OK) return status;
    if (gt_bloom_part_copy(sync->host.alloc, filter, &run->their_filter)) return GOAT_OK;
    give_filter_back(sync, &sync->filter_bytes, filter->bytes.len);
    return gt_no_memory(why);
}

goat_status gt_run_take(gt_channel *channel, const gt_message *message, gt_diag *diag) {
    gt_sync *sync = channel->sync;
    uint32_t number = message->as.compare.run, step = message->as.compare.step;
    bool newer = number > channel->run_number && step == GT_STEP_ASK;
    if (sync->role == GT_SYNC_SERVER && newer && !gt_run_begin(channel, number)) return GOAT_OK;
    if (channel->run == NULL || number != channel->run_number) return GOAT_OK; /* of a run that is over */
    if (channel->run->stage != GT_STAGE_WAIT) return gt_fail(diag, GOAT_INVALID, "a COMPARE out of turn");
    if ((message->as.compare.filter.bytes.data != NULL) != (step <= GT_STEP_ANSWER)) {
        return gt_fail(diag, GOAT_INVALID, "a COMPARE of step %u with the wrong filter", (unsigned)step);
    }
    sync->counters.filter_bytes_in += message->as.compare.filter.bytes.len;
    gt_diag why;
    gt_diag_init(&why);
    if (keep_message(channel, message, &why) != GOAT_OK) {
        gt_channel_close(channel, &why);
        return GOAT_OK;
    }
    channel->run->was_answered = true;
    channel->asked_us = 0;
    channel->run->stage = GT_STAGE_FREEZE;
    return GOAT_OK;
}

static void say_over(gt_channel *channel, bool equal, gt_buf *packet) {
    send_compare(channel, GT_STEP_OVER, NULL, packet);
    finish(channel, equal);
}

/* What the peer's message comes to, and what is to be done next. */
static void judge(gt_channel *channel, gt_buf *packet) {
    gt_comparison *run = channel->run;
    uint64_t count;
    uint8_t digest[GT_HASH_SIZE];
    gt_run_summarize(channel, &count, digest);
    bool equal = count == run->their_count && memcmp(digest, run->their_digest, GT_HASH_SIZE) == 0;
    run->has_message = false;
    if (run->their_step == GT_STEP_OVER) {
        finish(channel, equal);
    } else if (equal) {
        say_over(channel, true, packet);
    } else if (run->their_step == GT_STEP_CLOSE) {
        channel->sync->counters.rounds++;
        if (++run->rounds >= GT_SYNC_ROUNDS_MAX || channel->dropped) {
            say_over(channel, false, packet);
        } else {
            run->stage = GT_STAGE_BUILD;
            run->step = GT_STEP_ASK;
        }
    } else {
        run->step = run->their_step + 1;
        run->stage = GT_STAGE_ANSWER;
        run->next_record = run->next_receipt = 0;
    }
}

/* Whether the peer lacks a record that we have; its bytes are looked at only then. */
static bool lacks(const gt_channel *channel, uint32_t record, gt_held *held) {
    const gt_comparison *run = channel->run;
    gt_repo *repo = channel->shared->repo;
    gt_id batch;
    bool whole = gt_repo_is_whole(repo, record, &batch) ||
                 gt_repo_is_whole(repo, gt_repo_find_record(repo, &batch), &batch); /* this is a further part of it */
    if (gt_bloom_may_hold(&run->their_filter, &batch)) return false; /* all of it, whatever part we have */
    if (gt_channel_is_refused(channel, &batch)) return false;
    if (!whole && gt_run_is_answered(run, &batch)) return false; /* a part does not go back and forth */
    gt_repo_held(repo, record, held);
    return held->frame.data != NULL;
}

/* Sends a piece of what the peer's filter surely lacks. */
static void answer_step(gt_channel *channel, gt_buf *packet) {
    gt_comparison *run = channel->run;
    gt_sync *sync = channel->sync;
    gt_repo *repo = channel->shared->repo;
    bool is_client = sync->role == GT_SYNC_CLIENT;
    gt_buf body;
    uint32_t count = 0, slice = sync->host.sizes.slice;
    gt_buf_init(&body, sync->host.alloc);
    for (uint32_t i = 0; i < slice && run->next_record < run->records && body.len < sync->host.sizes.data; i++) {
        gt_held held;
        if (!lacks(channel, run->next_record, &held)) {
            run->next_record++;
            continue;
        }
        if (!gt_data_fits(channel, GT_SOURCE_RUN, packet, &body, held.frame.len)) break;
        run->next_record++;
        if (is_client && !gt_sent_by_run(channel, &held.batch)) continue;
        gt_write_bytes(&body, held.frame);
        gt_count_out(sync, held.frame);
        count++;
    }
    for (uint32_t i = 0; i < slice && run->next_record == run->records && run->next_receipt < run->frozen.receipts &&
                         body.len < sync->host.sizes.data && count < GT_SYNC_RECORDS_MAX;
         i++) {
        gt_id id;
        gt_bytes bytes;
        gt_repo_receipt_at(repo, run->next_receipt++, &id, &bytes);
        if (bytes.data == NULL || gt_bloom_may_hold(&run->their_filter, &id)) continue;
        gt_message_write_receipt(&body, bytes);
        sync->counters.receipts_out++;
        count++;
    }
    if (count > 0) {
        gt_certify_ask(channel, packet);
        gt_data_send(channel, packet, GT_DATA_ANSWER | (is_client ? GT_DATA_ACK : 0u), &body, count);
    }
    gt_buf_free(&body);
    if (run->next_record < run->records || run->next_receipt < run->frozen.receipts) return;
    drop_their_filter(channel);
    if (run->step == GT_STEP_ANSWER) {
        run->stage = GT_STAGE_BUILD;
    } else {
        send_compare(channel, run->step, NULL, packet);
        wait_for_peer(channel);
    }
}

/* ---- steps ---- */

bool gt_run_has_work(const gt_channel *channel) {
    const gt_comparison *run = channel->run;
    if (run == NULL || run->stage == GT_STAGE_WAIT) return false;
    if (run->stage == GT_STAGE_BUILD && !run->building && !has_room(channel->sync)) return false;
    return run->stage != GT_STAGE_ANSWER || channel->sync->credit > 0;
}

bool gt_run_was_answered(const gt_channel *channel) { return channel->run != NULL && channel->run->was_answered; }

void gt_run_step(gt_channel *channel, gt_buf *packet) {
    if (!gt_run_has_work(channel)) return;
    gt_comparison *run = channel->run;
    switch (run->stage) {
    case GT_STAGE_FREEZE:
        if (gt_run_freeze(channel) && gt_run_leave_out(channel) && gt_run_scan(channel, GT_FINGERPRINT_SLICE)) {
            run->stage = run->has_message ? GT_STAGE_JUDGE : GT_STAGE_BUILD;
        }
        break;
    case GT_STAGE_JUDGE: judge(channel, packet); break;
    case GT_STAGE_ANSWER: answer_step(channel, packet); break;
    default: build_step(channel, packet); break;
    }
}
