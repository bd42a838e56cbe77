/* Connections without a transport: packets in, packets out. And what a database knows of its server.
 *
 * A link is driven by one thread at a time, so a handle has a lock of its own, which is taken before the database's. */
#include "abi.h"

#include "db/link.h"

struct goat_sync {
    gt_mutex mutex;
    gt_link *link; /* holds the database's handle */
    goat_db *db;
    gt_hasher *hasher;
};

static goat_status new_sync(goat_sync **out, gt_diag *diag) {
    goat_sync *sync = gt_new(&gt_alloc_system, 1, sizeof(*sync));
    if (sync == NULL) return gt_no_memory(diag);
    goat_status status = gt_mutex_init(&sync->mutex, diag);
    if (status == GOAT_OK) {
        status = gt_hasher_new(&gt_alloc_system, &sync->hasher, diag);
        if (status != GOAT_OK) gt_mutex_destroy(&sync->mutex);
    }
    if (status != GOAT_OK) {
        gt_free(&gt_alloc_system, sync);
        return status;
    }
    *out = sync;
    return GOAT_OK;
}

static void end_sync(goat_sync *sync) {
    gt_link_free(sync->link);
    gt_hasher_free(sync->hasher);
    gt_mutex_destroy(&sync->mutex);
    gt_free(&gt_alloc_system, sync);
}

goat_status goat_sync_new(goat_db *db, uint32_t flags, goat_sync **sync, goat_error **error) {
    gt_call call;
    goat_sync *made = NULL;
    if (sync != NULL) *sync = NULL;
    GT_REQUIRE(db);
    GT_REQUIRE(sync);
    if ((flags & ~(uint32_t)(GOAT_SYNC_SERVER | GOAT_SYNC_ALL | GOAT_SYNC_STORED)) != 0) {
        return gt_misuse(error, "flags has unknown bits");
    }
    if ((flags & GOAT_SYNC_SERVER) != 0 && flags != GOAT_SYNC_SERVER) {
        return gt_misuse(error, "a server does not choose what is synced");
    }
    const gt_link_config config = {
        .role = (flags & GOAT_SYNC_SERVER) != 0 ? GT_SYNC_SERVER : GT_SYNC_CLIENT,
        .all = (flags & GOAT_SYNC_ALL) != 0,
        .stored = (flags & GOAT_SYNC_STORED) != 0,
    };
    gt_enter(&call, db, error);
    goat_status status = new_sync(&made, call.diag);
    if (status == GOAT_OK) {
        made->db = db;
        status = gt_link_new(db, &config, &made->link, call.diag);
    }
    if (status == GOAT_OK) {
        gt_live_more();
        *sync = made;
    }
    status = gt_leave(&call, status);
    if (status != GOAT_OK && made != NULL) end_sync(made);
    return status;
}

void goat_sync_free(goat_sync *sync) {
    if (sync == NULL) return;
    end_sync(sync);
    gt_live_less();
}

goat_status goat_sync_receive(goat_sync *sync, const uint8_t *packet, size_t packet_len, goat_error **error) {
    gt_diag diag;
    GT_REQUIRE(sync);
    GT_REQUIRE_RUN(packet, packet_len);
    if (packet_len == 0) return GOAT_OK;
    gt_diag_init(&diag);
    gt_mutex_lock(&sync->mutex);
    goat_status status = gt_link_receive(sync->link, gt_bytes_of(packet, packet_len), sync->hasher, &diag);
    gt_mutex_unlock(&sync->mutex);
    return gt_result(error, status, &diag);
}

static double in_ms(uint64_t deadline_us) {
    enum { US_PER_MS = 1000 };
    return deadline_us == UINT64_MAX ? -1 : (double)deadline_us / US_PER_MS;
}

goat_status goat_sync_send(goat_sync *sync, goat_buf *packet, double *next_deadline_ms, goat_error **error) {
    gt_diag diag;
    if (next_deadline_ms != NULL) *next_deadline_ms = -1;
    GT_REQUIRE(sync);
    GT_REQUIRE(packet);
    gt_diag_init(&diag);
    gt_buf out = gt_lend(packet);
    gt_mutex_lock(&sync->mutex);
    bool said = gt_link_send(sync->link, &out);
    goat_status status = said ? GOAT_OK : gt_link_outcome(sync->link, &diag);
    if (next_deadline_ms != NULL && status == GOAT_OK) *next_deadline_ms = in_ms(gt_link_deadline(sync->link));
    status = gt_give_back(packet, &out, status, &diag);
    if (said && status != GOAT_OK) gt_link_end(sync->link); /* the other end would miss it */
    gt_mutex_unlock(&sync->mutex);
    return gt_result(error, status, &diag);
}

/* ---- the database and its server ---- */

goat_status goat_db_sync(goat_db *db, const char *path, size_t path_len, goat_job **job, goat_error **error) {
    gt_call call;
    goat_job *made = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(db);
    GT_REQUIRE_RUN(path, path_len);
    gt_enter(&call, db, error);
    goat_status status = gt_db_sync(db, gt_bytes_of(path, path_len), &made, call.diag);
    return gt_leave_with_job(&call, status, made, job, NULL);
}

goat_status goat_db_status(goat_db *db, goat_buf *status, goat_error **error) {
    gt_call call;
    GT_REQUIRE(db);
    GT_REQUIRE(status);
    gt_enter(&call, db, error);
    gt_buf out = gt_lend(status);
    goat_status came_to = gt_db_check(db, call.diag);
    if (came_to == GOAT_OK) gt_db_status(db, &out);
    return gt_leave(&call, gt_give_back(status, &out, came_to, call.diag));
}
