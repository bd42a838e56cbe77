/* A link as something that a connection carries. Hashes and signatures are checked inside of gt_link_receive, on the
 * loop's thread, without the database's lock. */
#include "net/link_carrier.h"

#include "net/metrics.h"

typedef struct carried {
    goat_db *db;
    gt_link *link;
    gt_connection *connection;
} carried;

static void ready(void *context) { gt_connection_ready(((carried *)context)->connection); }

static goat_status begin(void *context, gt_connection *connection, void **out, gt_diag *diag) {
    const gt_link_origin *origin = context;
    carried *self = gt_new(&gt_alloc_system, 1, sizeof(*self));
    if (self == NULL) return gt_no_memory(diag);
    *self = (carried){.db = origin->db, .connection = connection};
    gt_link_config config = {
        .role = origin->role, .all = origin->all, .stored = origin->stored, .ready = ready, .context = self};
    gt_db_lock(origin->db);
    goat_status status = gt_link_new(origin->db, &config, &self->link, diag);
    gt_db_unlock(origin->db);
    if (status == GOAT_OK) {
        *out = self;
    } else {
        gt_free(&gt_alloc_system, self);
    }
    return status;
}

static goat_status receive(void *argument, gt_bytes packet, gt_hasher *hasher, gt_diag *diag) {
    return gt_link_receive(((carried *)argument)->link, packet, hasher, diag);
}

static bool send(void *argument, gt_buf *packet) { return gt_link_send(((carried *)argument)->link, packet); }

static uint64_t wait_us(void *argument) {
    carried *self = argument;
    uint64_t deadline = gt_link_deadline(self->link);
    if (deadline == UINT64_MAX) return UINT64_MAX;
    gt_db_lock(self->db);
    uint64_t now = gt_db_now_us(self->db);
    gt_db_unlock(self->db);
    return deadline > now ? deadline - now : 0;
}

static bool is_greeted(void *argument) {
    carried *self = argument;
    gt_db_lock(self->db);
    const gt_sync *sync = gt_link_sync(self->link);
    bool greeted = sync != NULL && gt_sync_get_peer(sync)->greeted;
    gt_db_unlock(self->db);
    return greeted;
}

static void end(void *argument) { gt_link_end(((carried *)argument)->link); }

static bool has_ended(void *argument, gt_diag *why) {
    carried *self = argument;
    if (!gt_link_has_ended(self->link)) return false;
    gt_db_lock(self->db);
    const gt_sync *sync = gt_link_sync(self->link);
    if (sync != NULL) {
        *why = *gt_sync_get_failure(sync);
    } else {
        gt_fail(why, GOAT_CLOSED, "the database is closed");
    }
    gt_db_unlock(self->db);
    return true;
}

static void count(void *argument, gt_carried_counts *counts, bool last) {
    carried *self = argument;
    gt_channel_info info;
    gt_db_lock(self->db);
    const gt_sync *sync = gt_link_sync(self->link);
    if (sync != NULL) {
        gt_counters_add(&counts->sync, gt_sync_get_counters(sync));
        if (!last && gt_sync_get_peer(sync)->greeted) counts->greeted++;
        const gt_channel *channel = last ? NULL : gt_sync_next_channel(sync, NULL);
        for (; channel != NULL && gt_sync_channel_info(sync, channel, &info);
             channel = gt_sync_next_channel(sync, channel)) {
            counts->channels += info.open;
            counts->behind_bytes += info.behind_bytes;
            counts->unacknowledged += info.unacknowledged;
        }
    }
    gt_db_unlock(self->db);
}

static void end_one(void *argument) {
    carried *self = argument;
    gt_link_free(self->link);
    gt_free(&gt_alloc_system, self);
}

const gt_carrier gt_link_carrier = {
    .begin = begin,
    .receive = receive,
    .send = send,
    .wait_us = wait_us,
    .is_greeted = is_greeted,
    .end = end,
    .has_ended = has_ended,
    .count = count,
    .free = end_one,
};
