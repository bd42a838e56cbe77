/* Flushing and closing: jobs that wait for the disk, or for the server's. */
#include "db/internal.h"

#include "db/links.h"
#include "db/unsent.h"

/* ---- flush ---- */

typedef struct target {
    gt_mount *mount; /* held by a user of ours */
    uint64_t length;
} target;

typedef struct flush {
    goat_durability level;
    goat_status invalid; /* what the capture could not take */
    gt_diag diag;
    size_t count;
    target targets[];
} flush;

static void end_flush(goat_job *job) {
    flush *state = job->state;
    for (size_t i = 0; i < state->count; i++) state->targets[i].mount->users--;
    gt_free(job->db->database->alloc, state);
}

static bool has_server(const gt_database *database) {
    const gt_link *link = database->links;
    while (link != NULL && !gt_link_is_online(link)) link = link->next;
    return link != NULL;
}

/* Whether a server has on its disk what was there when the flush began. What no handle has open goes to none, but for the
 * rest of what was committed before it was closed. */
static bool is_at_server(const target *one) {
    gt_database *database = one->mount->database;
    if (!gt_mount_has_handle(one->mount) && !gt_unsent_has(database, gt_repo_path(one->mount->repo))) return true;
    for (const gt_link *link = database->links; link != NULL; link = link->next) {
        if (!gt_link_is_online(link)) continue;
        if (gt_sync_safe_length(link->sync, &one->mount->shared) >= one->length) return true;
    }
    return false;
}

/* Whether it never will, as far as is known. */
static bool is_stuck(const target *one, gt_diag *why) {
    const gt_database *database = one->mount->database;
    gt_bytes path = gt_repo_path(one->mount->repo);
    bool is_wanted = gt_mount_has_handle(one->mount);
    for (const gt_link *link = database->links; link != NULL; link = link->next) {
        const gt_want *want = gt_link_is_online(link) ? gt_link_find_want(link, path) : NULL;
        if (want != NULL && gt_want_is_stuck(link, want, why)) return true;
        is_wanted = is_wanted || want != NULL;
    }
    if (is_wanted || !has_server(database)) return false;
    gt_unsent_fail(path, why);
    return true;
}

/* Whether a log is as safe as it is to be; asks for a sync once it is its turn. */
static bool is_safe(const target *one, goat_durability level) {
    gt_log *log = gt_repo_log(one->mount->repo);
    if (level == GOAT_DURABLE_MEMORY) return true;
    if (level == GOAT_DURABLE_SYSTEM) return gt_log_length_written(log) >= one->length;
    if (gt_log_length_durable(log) >= one->length) {
        return level != GOAT_DURABLE_SERVER || is_at_server(one);
    }
    gt_log_sync(log, NULL); /* a failure shows in the state; requests that meet share one sync */
    return false;
}

static gt_step_result flushing(goat_job *job) {
    flush *state = job->state;
    bool safe = true;
    for (size_t i = 0; i < state->count; i++) {
        gt_log *log = gt_repo_log(state->targets[i].mount->repo);
        if (is_safe(&state->targets[i], state->level)) continue;
        if (gt_log_get_state(log) == GT_LOG_FAILED) {
            gt_job_fail(job, gt_log_failure(log)->status, gt_log_failure(log));
            return GT_STEP_DONE;
        }
        gt_diag why;
        if (state->level == GOAT_DURABLE_SERVER && is_stuck(&state->targets[i], &why)) {
            gt_job_fail(job, why.status, &why);
            return GT_STEP_DONE;
        }
        safe = false;
    }
    if (!safe && state->level == GOAT_DURABLE_SERVER && !has_server(job->db->database)) {
        gt_fail(&job->diag, GOAT_OFFLINE, "the server went away before it had everything");
        gt_job_end(job, GOAT_OFFLINE);
        return GT_STEP_DONE;
    }
    if (!safe) return GT_STEP_WAIT;
    if (state->invalid != GOAT_OK) gt_job_fail(job, state->invalid, &state->diag);
    return GT_STEP_DONE;
}

static const gt_job_kind flush_kind = {flushing, end_flush, true};

goat_status gt_db_flush(goat_db *db, goat_durability level, goat_job **job, gt_diag *diag) {
    goat_status status = gt_db_check(db, diag);
    if (status != GOAT_OK) return status;
    gt_database *database = db->database;
    if (level == GOAT_DURABLE_SERVER && database->has_root) level = GOAT_DURABLE_DISK; /* it is the server */
    if (level == GOAT_DURABLE_SERVER && !has_server(database)) {
        return gt_fail(diag, GOAT_OFFLINE, "no server is connected");
    }
    size_t count = 0;
    for (gt_mount *mount = database->mounts; mount != NULL; mount = mount->next) count++;
    flush *state = gt_new(db->database->alloc, 1, sizeof(*state) + (count + 1) * sizeof(target));
    if (state == NULL) return gt_no_memory(diag);
    state->level = level;
    gt_diag_init(&state->diag);
    state->invalid = gt_capture_handle(db, &state->diag);
    for (gt_mount *mount = database->mounts; mount != NULL; mount = mount->next) { /* whoever committed to it */
        gt_repo_phase phase = gt_repo_get_phase(mount->repo);
        if (phase == GT_REPO_FAILED && mount->users > 0 && state->invalid == GOAT_OK) {
            state->diag = *gt_repo_failure(mount->repo); /* it stopped, with what it had not written */
            state->invalid = state->diag.status;
        }
        if (phase != GT_REPO_OPEN || (database->flags & GOAT_OPEN_READ_ONLY) != 0) continue;
        mount->users++;
        state->targets[state->count++] = (target){mount, gt_log_length(gt_repo_log(mount->repo))};
    }
    if (level == GOAT_DURABLE_SERVER && state->invalid == GOAT_OK && !gt_unsent_check(database, &state->diag)) {
        state->invalid = state->diag.status;
    }
    status = gt_job_new(db, &flush_kind, state, job, diag);
    if (status == GOAT_OK) return GOAT_OK;
    for (size_t i = 0; i < state->count; i++) state->targets[i].mount->users--;
    gt_free(db->database->alloc, state);
    return status;
}

/* ---- close ---- */

static void unlocked(void *owner, const goat_io_result *result) {
    goat_job *job = owner;
    (void)result;
    job->waiting = false;
    job->db->database->locked = false;
}

static bool is_last(const goat_db *db) {
    for (const goat_db *other = db->database->handles; other != NULL; other = other->next) {
        if (!other->closed) return false;
    }
    return true;
}

/* True while a log is still being written, or a checkpoint. */
static bool mounts_busy(gt_database *database, bool last) {
    bool busy = false;
    for (gt_mount *mount = database->mounts; mount != NULL; mount = mount->next) {
        if (gt_repo_get_phase(mount->repo) == GT_REPO_OPENING) {
            busy = true;
            continue;
        }
        gt_log *log = gt_repo_log(mount->repo);
        if (gt_log_get_state(log) == GT_LOG_READY && gt_log_length_written(log) < gt_log_length(log)) busy = true;
        if (last && gt_checkpoint_at_close(mount)) busy = true;
    }
    return busy;
}

static void note_failure(goat_job *job) {
    for (gt_mount *mount = job->db->database->mounts; mount != NULL; mount = mount->next) {
        gt_log *log = gt_repo_log(mount->repo);
        if (gt_repo_get_phase(mount->repo) != GT_REPO_OPEN || gt_log_get_state(log) != GT_LOG_FAILED) continue;
        if (!gt_diag_is_set(&job->diag)) job->diag = *gt_log_failure(log);
    }
}

static void end_spaces(goat_db *db) {
    for (gt_space *space = db->spaces; space != NULL; space = space->next_of_db) gt_space_end(space);
}

static gt_step_result closing(goat_job *job) {
    goat_db *db = job->db;
    gt_database *database = db->database;
    bool last = is_last(db);
    if (job->waiting || database->waiting) return GT_STEP_WAIT;
    if (!job->left) {
        if (mounts_busy(database, last)) return GT_STEP_WAIT;
        note_failure(job);
        end_spaces(db);
        job->left = true;
        return GT_STEP_MORE; /* repositories that nobody uses go in the next round, which must not be waited for */
    }
    if (!last) {
        gt_job_end(job, job->diag.status);
        return GT_STEP_DONE;
    }
    if (!database->closing) {
        database->closing = true;
        if (database->phase == GT_DB_OPENING) { /* it goes no further */
            gt_diag closed;
            gt_fail(&closed, GOAT_CLOSED, "the database was closed meanwhile");
            gt_database_fail(database, &closed);
        }
        end_spaces(database->system);
        return GT_STEP_MORE;
    }
    if (database->mounts != NULL || gt_io_pending(database->io) > 0) return GT_STEP_WAIT;
    if (database->locked) {
        goat_io_request request = {.kind = GOAT_IO_UNLOCK};
        job->waiting = gt_io_submit(database->io, &request, unlocked, job) == GOAT_OK;
        if (job->waiting) return GT_STEP_MORE;
        database->locked = false;
    }
    database->phase = GT_DB_CLOSED;
    gt_job_end(job, job->diag.status);
    return GT_STEP_DONE;
}

static const gt_job_kind close_kind = {closing, NULL, false};

goat_status gt_db_close(goat_db *db, goat_job **job, gt_diag *diag) {
    if (db->closed) return gt_fail(diag, GOAT_CLOSED, "the database is closed");
    *job = db->closer;
    db->closer = NULL;
    gt_job_begin(db, &close_kind, NULL, *job);
    if (db->database->phase == GT_DB_OPEN) { /* what cannot be captured is lost now: the job says so */
        gt_diag lost;
        gt_diag_init(&lost);
        if (gt_capture_handle(db, &lost) != GOAT_OK) (*job)->diag = lost;
    }
    db->closed = true;
    db->capture_due_us = UINT64_MAX;
    gt_links_end(db, is_last(db));
    gt_wake_retire(db);
    return GOAT_OK;
}
