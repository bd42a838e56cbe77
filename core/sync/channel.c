/* Channels: a repository on a connection, from OPEN to CLOSE (PROTOCOL.md section 4).
 *
 * A client's channel lives until nobody wants the repository; the server's as long as it is open. A channel that
 * ends is only marked, and freed at the next step: whoever is in the middle of it may go on. */
#include "sync/internal.h"

static bool is_client(const gt_channel *channel) { return channel->sync->role == GT_SYNC_CLIENT; }

gt_log *gt_channel_log(const gt_channel *channel) { return gt_repo_log(channel->shared->repo); }

/* ---- life ---- */

static void reset(gt_channel *channel) {
    gt_sync *sync = channel->sync;
    const gt_alloc *alloc = sync->host.alloc;
    gt_queue_init(&channel->echo, alloc, sizeof(gt_stretch));
    gt_sent_init(&channel->sent, alloc);
    gt_queue_init(&channel->refused, alloc, sizeof(gt_id));
    gt_index_init(&channel->refused_index, alloc);
    gt_queue_init(&channel->marks, alloc, sizeof(gt_mark));
    gt_queue_init(&channel->taken, alloc, sizeof(gt_taken));
    gt_queue_init(&channel->waiting, alloc, sizeof(gt_id));
    gt_queue_init(&channel->wanted, alloc, sizeof(gt_id));
    gt_queue_init(&channel->unsafe, alloc, sizeof(uint64_t));
    channel->refused.total = &sync->refused;
    channel->taken.total = &sync->owed;
    channel->waiting.total = &sync->waiting;
    channel->wanted.total = &sync->wanted;
    channel->uncovered = UINT64_MAX;
    channel->wanted_record = GT_NONE;
    channel->unsent = UINT64_MAX;
    channel->walk_us = 0;
    channel->waiting_seen = 0;
    channel->received = channel->coming = channel->came = channel->cursor = channel->end_at = 0;
    channel->their_count = 0;
    channel->point_given = channel->point_us = channel->point_min = channel->ask_us = channel->asked_us = 0;
    channel->run_number = 0;
    channel->run_us = channel->run_pause_us = 0;
    channel->dropped = channel->again = channel->even = channel->unequal = channel->lacks = false;
    channel->trusted = channel->has_point = channel->has_new_point = channel->point_again = false;
    channel->point_is_void = false;
}

/* Those that are over are freed early, or whoever closes and opens again many at once would have too many. */
static void sweep(gt_sync *sync) {
    for (gt_channel *channel = sync->channels, *next; channel != NULL; channel = next) {
        next = channel->next;
        if (channel->state == GT_CHANNEL_OVER) gt_channel_free(channel);
    }
}

gt_channel *gt_channel_new(gt_sync *sync, gt_bytes path, gt_diag *diag) {
    gt_channel *channel = NULL;
    if (sync->channel_count >= GT_SYNC_CHANNELS_MAX) sweep(sync);
    if (sync->channel_count >= GT_SYNC_CHANNELS_MAX) {
        gt_fail(diag, GOAT_TOO_LARGE, "a connection has at most %d channels", GT_SYNC_CHANNELS_MAX);
    } else if (path.len > GT_LOG_REPOSITORY_MAX) {
        gt_fail(diag, GOAT_INVALID, "the path is no repository's");
    } else if ((channel = gt_new(sync->host.alloc, 1, sizeof(*channel))) == NULL) {
        gt_no_memory(diag);
    }
    if (channel == NULL) return NULL;
    channel->sync = sync;
    channel->path_len = path.len;
    memcpy(channel->path, path.data, path.len);
    reset(channel);
    gt_channel **end = &sync->channels;
    while (*end != NULL) end = &(*end)->next;
    *end = channel;
    sync->channel_count++;
    return channel;
}

/* The channel is as new, but for the repository that it holds. */
static void forget(gt_channel *channel) {
    gt_run_free(channel);
    gt_queue_free(&channel->echo);
    gt_sent_free(&channel->sent);
    gt_queue_free(&channel->refused);
    gt_index_free(&channel->refused_index);
    gt_queue_free(&channel->marks);
    gt_queue_free(&channel->taken);
    gt_queue_free(&channel->waiting);
    gt_queue_free(&channel->wanted);
    gt_queue_free(&channel->unsafe);
    reset(channel);
}

static void give_back(gt_channel *channel) {
    if (channel->shared == NULL) return;
    gt_channel **at = &channel->shared->channels;
    while (*at != channel) at = &(*at)->next_of_shared;
    *at = channel->next_of_shared;
    channel->next_of_shared = NULL;
    channel->sync->host.close(channel->sync->host.context, channel->shared);
    channel->shared = NULL;
}

void gt_channel_free(gt_channel *channel) {
    gt_sync *sync = channel->sync;
    forget(channel);
    give_back(channel);
    gt_channel **at = &sync->channels;
    while (*at != channel) at = &(*at)->next;
    *at = channel->next;
    if (sync->turn == channel) sync->turn = channel->next;
    if (sync->alone == channel) sync->alone = NULL;
    sync->channel_count--;
    gt_free(sync->host.alloc, channel);
}

/* Its repository is open: it is told of what happens there. */
static void hold(gt_channel *channel, gt_shared *shared) {
    channel->shared = shared;
    channel->next_of_shared = shared->channels;
    shared->channels = channel;
}

static void end_channel(gt_channel *channel) {
    channel->number = 0;
    channel->state = GT_CHANNEL_OVER;
    gt_sync_due(channel->sync);
}

/* ---- closing ---- */

/* Tries again after a pause; what the other side does not have is looked for as soon as there is something to bring. */
static void pause_channel(gt_channel *channel, const gt_diag *why) {
    uint64_t pause = channel->pause_us == 0 ? GT_SYNC_REOPEN_MIN_US : 2 * channel->pause_us;
    if (pause > GT_SYNC_REOPEN_MAX_US) pause = GT_SYNC_REOPEN_MAX_US;
    gt_sync_event_of(channel->sync, GT_SYNC_CLOSED, channel, why);
    channel->pause_us = pause;
    channel->closed_with = why->status;
    channel->number = 0;
    channel->state = GT_CHANNEL_PAUSED;
    channel->retry_us = channel->sync->now_us + pause;
    forget(channel);
    if (why->status != GOAT_NOT_FOUND) give_back(channel);
    gt_sync_due(channel->sync);
}

static void send_close(gt_sync *sync, uint32_t number, const gt_diag *why) {
    gt_message message = {.kind = GT_MESSAGE_CLOSE, .channel = number};
    message.as.close.status = why == NULL ? GOAT_OK : why->status;
    message.as.close.text = gt_bytes_text(why == NULL ? "" : why->message);
    gt_message_write(&sync->out, &message);
}

void gt_channel_close(gt_channel *channel, const gt_diag *why) {
    if (channel->number == 0) return;
    send_close(channel->sync, channel->number, why);
    if (is_client(channel)) {
        pause_channel(channel, why);
    } else {
        gt_sync_event_of(channel->sync, GT_SYNC_CLOSED, channel, why);
        end_channel(channel);
    }
}

void gt_channel_take_close(gt_channel *channel, const gt_message *message) {
    gt_bytes text = message->as.close.text;
    gt_diag why;
    gt_diag_init(&why);
    if (!is_client(channel)) {
        end_channel(channel);
        return;
    }
    goat_status status = message->as.close.status == GOAT_OK ? GOAT_CLOSED : message->as.close.status;
    if (status == GOAT_UNTRUSTED) gt_certify_ask(channel, &channel->sync->out); /* it is to be made, by who may write */
    gt_fail(&why, status, "%.*s", (int)text.len, (const char *)text.data);
    gt_diag_path(&why, channel->path, channel->path_len);
    pause_channel(channel, &why);
}

/* ---- opening: the client ---- */

static gt_channel *find_path(const gt_sync *sync, gt_bytes path) {
    gt_channel *channel = sync->channels;
    while (channel != NULL && (channel->state == GT_CHANNEL_OVER ||
                               !gt_bytes_equal(gt_bytes_of(channel->path, channel->path_len), path))) {
        channel = channel->next;
    }
    return channel;
}

goat_status gt_sync_open_channel(gt_sync *sync, gt_bytes path, const gt_channel **out, gt_diag *diag) {
    if (sync->phase == GT_PHASE_ENDED) return gt_fail(diag, GOAT_CLOSED, "the connection has ended");
    gt_channel *channel = find_path(sync, path);
    if (out != NULL) *out = channel;
    if (channel != NULL) return GOAT_OK;
    channel = gt_channel_new(sync, path, diag);
    if (channel == NULL) return diag != NULL && diag->status != GOAT_OK ? diag->status : GOAT_NO_MEMORY;
    channel->state = GT_CHANNEL_WANTED;
    if (out != NULL) *out = channel;
    if (sync->phase == GT_PHASE_GREETED) gt_sync_due(sync);
    return GOAT_OK;
}

void gt_sync_close_channel(gt_sync *sync, gt_bytes path) {
    gt_channel *channel = find_path(sync, path);
    if (channel == NULL) return;
    if (channel->number != 0) send_close(sync, channel->number, NULL);
    end_channel(channel);
}

static uint32_t free_number(gt_sync *sync) {
    do {
        sync->next_number = sync->next_number >= GT_SYNC_CHANNELS_MAX ? 1 : sync->next_number + 1;
    } while (gt_sync_find_channel(sync, sync->next_number) != NULL);
    return sync->next_number;
}

static void ask(gt_channel *channel) {
    gt_sync *sync = channel->sync;
    const gt_repo *repo = channel->shared->repo;
    bool gaps = gt_repo_has_gaps(repo);
    channel->number = free_number(sync);
    channel->open_count = gt_repo_entry_count(repo);
    channel->open_flags = (channel->open_count > 0 ? GT_OPEN_CREATE : 0u) | (gaps ? GT_OPEN_COMPARE : 0u);
    channel->has_point =
        !gaps && sync->host.recall(sync->host.context, channel->shared, &sync->network, &channel->remembered);
    gt_message message = {.kind = GT_MESSAGE_OPEN, .channel = channel->number};
    message.as.open.path = gt_bytes_of(channel->path, channel->path_len);
    message.as.open.flags = channel->open_flags;
    message.as.open.count = channel->open_count;
    if (channel->has_point) message.as.open.point = gt_bytes_of(channel->remembered.point, GT_SYNC_POINT_SIZE);
    if (gt_repo_has_session(repo, &sync->host.identity->session)) gt_certify_ask(channel, &sync->out);
    gt_message_write(&sync->out, &message);
    channel->state = GT_CHANNEL_ASKED;
    channel->asked_us = sync->now_us;
}

static void open_wanted(gt_channel *channel) {
    gt_sync *sync = channel->sync;
    gt_diag why;
    gt_shared *shared = channel->shared;
    gt_diag_init(&why);
    goat_status status = GOAT_OK;
    if (shared == NULL) {
        status =
            sync->host.open(sync->host.context, gt_bytes_of(channel->path, channel->path_len), true, &shared, &why);
        if (status == GOAT_OK) hold(channel, shared);
    }
    if (status == GOAT_OK) {
        ask(channel);
    } else if (status == GOAT_LOADING) {
        channel->retry_us = sync->now_us + GT_LOADING_US;
    } else {
        pause_channel(channel, &why);
    }
}

/* Only here is it sure that it will not be closed at once for the same trouble. */
void gt_channel_is_even(gt_channel *channel) {
    channel->even = true;
    channel->pause_us = 0;
}

/* Whoever holds fewer entries than the server said has missed some of an earlier connection: a point covers what was
 * sent, and somebody may have kept it from coming. Whoever has damage asks whether all of it has come back. */
void gt_channel_caught_up(gt_channel *channel) {
    gt_channel_is_even(channel);
    const gt_repo *repo = channel->shared->repo;
    if (gt_repo_entry_count(repo) < channel->their_count || gt_repo_has_gaps(repo)) {
        channel->again = true;
        gt_sync_due(channel->sync);
    }
    gt_sync_event_of(channel->sync, GT_SYNC_EVEN, channel, NULL);
}

goat_status gt_channel_take_opened(gt_channel *channel, const gt_message *message, gt_diag *diag) {
    uint32_t how = message->as.opened.how;
    if (channel->state != GT_CHANNEL_ASKED) return gt_fail(diag, GOAT_INVALID, "an OPENED that was not asked for");
    if (how == GT_HOW_RESUME && !channel->has_point) return gt_fail(diag, GOAT_INVALID, "resumes from no point");
    channel->asked_us = 0;
    channel->state = GT_CHANNEL_OPEN;
    channel->coming = message->as.opened.bytes;
    channel->their_count = message->as.opened.count;
    channel->cursor = how == GT_HOW_RESUME ? channel->remembered.ours : GT_LOG_HEADER_SIZE;
    channel->trusted = how != GT_HOW_COMPARE;
    channel->lacks = true; /* looked at once: there may be nothing */
    gt_sync_event_of(channel->sync, GT_SYNC_OPENED, channel, NULL);
    if (how == GT_HOW_COMPARE) {
        channel->cursor = gt_log_length(gt_channel_log(channel));
        if (gt_run_begin(channel, 1)) gt_run_ask(channel);
    } else if (channel->coming == 0) {
        gt_channel_caught_up(channel);
    }
    return GOAT_OK;
}

/* ---- opening: the server ---- */

goat_status gt_channel_take_open(gt_sync *sync, const gt_message *message, gt_diag *diag) {
    gt_diag why;
    if (sync->role != GT_SYNC_SERVER) return gt_fail(diag, GOAT_INVALID, "only a client opens a channel");
    if (gt_sync_find_channel(sync, message->channel) != NULL) {
        return gt_fail(diag, GOAT_INVALID, "the channel %u is open already", (unsigned)message->channel);
    }
    gt_bytes path = message->as.open.path;
    gt_channel *channel = find_path(sync, path);
    if (channel != NULL) {
        return gt_fail(diag, GOAT_INVALID, "the repository of channel %u is open already on channel %u",
                       (unsigned)message->channel, (unsigned)channel->number);
    }
    gt_diag_init(&why);
    if (gt_trust_may(sync->host.keyring, GT_MAY_READ, path, &sync->peer.session, &why) == GOAT_OK) {
        channel = gt_channel_new(sync, path, &why);
    }
    if (channel == NULL) {
        if (why.status == GOAT_NO_MEMORY) return gt_no_memory(diag);
        send_close(sync, message->channel, &why);
        return GOAT_OK;
    }
    channel->number = message->channel;
    channel->state = GT_CHANNEL_OPENING;
    channel->open_flags = message->as.open.flags;
    channel->open_count = message->as.open.count;
    channel->has_point = message->as.open.point.data != NULL;
    if (channel->has_point) memcpy(channel->open_point, message->as.open.point.data, GT_SYNC_POINT_SIZE);
    return GOAT_OK;
}

static void answer_open(gt_channel *channel) {
    gt_sync *sync = channel->sync;
    const gt_repo *repo = channel->shared->repo;
    uint64_t length = gt_log_length(gt_channel_log(channel)), at = length;
    gt_message message = {.kind = GT_MESSAGE_OPENED, .channel = channel->number};
    /* The point is about our log, which may hold what we could not take in. */
    bool compares = (channel->open_flags & GT_OPEN_COMPARE) != 0 || gt_repo_has_gaps(repo);
    if (!compares && channel->has_point && gt_point_holds(channel, channel->open_point, &at)) {
        message.as.opened.how = GT_HOW_RESUME;
    } else if (channel->open_count == 0 || (gt_repo_entry_count(repo) == 0 && !compares)) {
        message.as.opened.how = GT_HOW_ALL;
        at = GT_LOG_HEADER_SIZE;
    } else {
        message.as.opened.how = GT_HOW_COMPARE;
        at = length;
    }
    channel->state = GT_CHANNEL_OPEN;
    channel->cursor = at;
    channel->end_at = at < length ? length : 0;
    channel->point_given = message.as.opened.how == GT_HOW_RESUME ? at : 0;
    channel->lacks = true;
    message.as.opened.bytes = length - at;
    message.as.opened.count = gt_repo_entry_count(repo);
    gt_message_write(&sync->out, &message);
    if (message.as.opened.how == GT_HOW_COMPARE && gt_run_begin(channel, 1)) channel->point_min = length;
    gt_sync_event_of(sync, GT_SYNC_OPENED, channel, NULL);
}

static void open_asked(gt_channel *channel) {
    gt_sync *sync = channel->sync;
    gt_diag why, may_not;
    gt_shared *shared = NULL;
    gt_diag_init(&why);
    gt_diag_init(&may_not);
    gt_bytes path = gt_bytes_of(channel->path, channel->path_len);
    bool create = (channel->open_flags & GT_OPEN_CREATE) != 0;
    bool may = create && gt_trust_may(sync->host.keyring, GT_MAY_WRITE, path, &sync->peer.session, &may_not) == GOAT_OK;
    goat_status status = sync->host.open(sync->host.context, path, may, &shared, &why);
    if (status == GOAT_NOT_FOUND && create && !may) why = may_not; /* what is there may be read all the same */
    if (status == GOAT_OK) {
        hold(channel, shared);
        answer_open(channel);
    } else if (status == GOAT_LOADING) {
        channel->retry_us = sync->now_us + GT_LOADING_US;
    } else {
        gt_channel_close(channel, &why);
    }
}

/* ---- steps ---- */

/* A pause because the server does not have it ends when we have more to bring than when we asked: a server that makes no
 * repositories is not asked all the time. */
static bool may_bring(const gt_channel *channel) {
    return channel->closed_with == GOAT_NOT_FOUND && channel->shared != NULL &&
           gt_repo_entry_count(channel->shared->repo) > channel->open_count;
}

static bool is_run_due(const gt_channel *channel) {
    if (channel->run != NULL) return false;
    if (channel->skipped && channel->shared != NULL && gt_repo_parked_count(channel->shared->repo) == 0) return true;
    return channel->again || (channel->run_us != 0 && channel->sync->now_us >= channel->run_us);
}

static bool is_due(const gt_channel *channel) {
    uint64_t now_us = channel->sync->now_us;
    switch (channel->state) {
    case GT_CHANNEL_WANTED:
    case GT_CHANNEL_OPENING: return now_us >= channel->retry_us;
    case GT_CHANNEL_PAUSED: return now_us >= channel->retry_us || may_bring(channel);
    case GT_CHANNEL_OVER: return true;
    default: return is_run_due(channel);
    }
}

bool gt_channel_has_step(const gt_channel *channel) { return is_due(channel); }

static void step(gt_channel *channel) {
    switch (channel->state) {
    case GT_CHANNEL_WANTED: open_wanted(channel); break;
    case GT_CHANNEL_OPENING: open_asked(channel); break;
    case GT_CHANNEL_PAUSED:
        channel->state = GT_CHANNEL_WANTED;
        open_wanted(channel);
        break;
    case GT_CHANNEL_OVER: gt_channel_free(channel); break;
    default: /* a new run */
        channel->again = channel->skipped = false;
        channel->run_us = 0;
        if (channel->state == GT_CHANNEL_OPEN && gt_run_begin(channel, channel->run_number + 1)) gt_run_ask(channel);
        break;
    }
}

/* All that is opened at once may be more than a packet with PROOF may have: the rest goes into the next. */
static bool waits_for_room(const gt_channel *channel) {
    bool opens = channel->state == GT_CHANNEL_WANTED || channel->state == GT_CHANNEL_PAUSED;
    return opens && channel->sync->out.len > channel->sync->host.sizes.packet / 2;
}

void gt_channels_step(gt_sync *sync) {
    for (gt_channel *channel = sync->channels, *next; channel != NULL; channel = next) {
        next = channel->next;
        if (is_due(channel) && !waits_for_room(channel)) step(channel);
    }
}

uint64_t gt_channel_deadline(const gt_channel *channel) {
    uint64_t when = UINT64_MAX, own;
    switch (channel->state) {
    case GT_CHANNEL_WANTED:
    case GT_CHANNEL_OPENING:
    case GT_CHANNEL_PAUSED: return channel->retry_us;
    case GT_CHANNEL_OVER: return 0;
    default: break;
    }
    if (channel->asked_us != 0) when = channel->asked_us + GT_SYNC_ANSWER_US;
    if (channel->state != GT_CHANNEL_OPEN) return when;
    if (gt_point_is_due(channel, &own) && own < when) when = own;
    if (channel->lacks && channel->ask_us < when) when = channel->ask_us;
    if (channel->walk_us > channel->sync->now_us && channel->walk_us < when) when = channel->walk_us;
    if (channel->run == NULL && channel->run_us != 0 && channel->run_us < when) when = channel->run_us;
    return when;
}

/* ---- what others look at ---- */

const gt_channel *gt_sync_next_channel(const gt_sync *sync, const gt_channel *channel) {
    return channel == NULL ? sync->channels : channel->next;
}

const gt_channel *gt_sync_channel_of(const gt_sync *sync, const gt_shared *shared) {
    const gt_channel *channel = shared->channels;
    while (channel != NULL && channel->sync != sync) channel = channel->next_of_shared;
    return channel;
}

bool gt_sync_channel_info(const gt_sync *sync, const gt_channel *channel, gt_channel_info *info) {
    if (sync->phase == GT_PHASE_ENDED) return false;
    bool open = channel->state == GT_CHANNEL_OPEN;
    *info = (gt_channel_info){
        .path = gt_bytes_of(channel->path, channel->path_len),
        .shared = channel->shared,
        .open = open,
        .even = channel->even,
        .unequal = channel->unequal,
        .parted = channel->unequal && channel->run == NULL &&
                  (channel->run_us == 0 || channel->run_pause_us > 2 * GT_SYNC_REOPEN_MIN_US),
        .behind_bytes = open ? gt_log_length(gt_channel_log(channel)) - channel->cursor : 0,
        .unacknowledged = channel->sent.count,
        .coming_bytes = channel->coming,
        .came_bytes = channel->came,
    };
    return true;
}
