/* The shared database and its handles: their lives, the lock, the rounds, and the wake-up. */
#include "db/internal.h"

#include "db/links.h"
#include "db/unsent.h"

enum { CAPTURE_INTERVAL_MS = 333, CHANGES_MAX = 65536, CLOCK_AHEAD_MAX_MS = 5 * 60 * 1000 };

/* ---- life of the database ---- */

static void free_database(gt_database *database) {
    while (database->mounts != NULL) {
        gt_mount *mount = database->mounts;
        database->mounts = mount->next;
        gt_mount_free(mount);
    }
    if (database->io != NULL) {
        gt_io_free(database->io);
    } else if (database->host.storage.close != NULL) {
        database->host.storage.close(database->host.storage.context);
    }
    gt_buf_free(&database->certificate);
    gt_unsent_free_all(database);
    gt_free(database->alloc, database->upstream.url);
    gt_calls_free(database);
    gt_registry_free(database->schemas);
    gt_keyring_free(database->keyring);
    gt_hasher_free(database->hasher);
    gt_identity_wipe(&database->root);
    gt_identity_wipe(&database->own);
    gt_wipe(database->seeds, sizeof(database->seeds));
    gt_condition_destroy(&database->condition);
    gt_mutex_destroy(&database->mutex);
    goat_allocator allocator = database->host.allocator; /* the database itself is freed with it */
    gt_free(&allocator, database->path);
    gt_free(&allocator, database);
}

static uint64_t clock_monotonic_us(void *context) {
    const goat_clock *clock = &((gt_database *)context)->host.clock;
    return clock->monotonic_us(clock->context);
}

static int64_t clock_wall_ms(void *context) {
    const gt_database *database = context;
    return database->host.clock.wall_ms(database->host.clock.context) + database->clock_shift_ms;
}

goat_clock gt_database_clock(gt_database *database) {
    return (goat_clock){sizeof(goat_clock), database, clock_monotonic_us, clock_wall_ms};
}

static goat_status fill_database(gt_database *database, const char *path, size_t path_len, gt_diag *diag) {
    database->path = gt_copy(database->alloc, path, path_len);
    database->schemas = gt_registry_new(database->alloc);
    database->keyring = gt_keyring_new(database->alloc);
    if (database->path == NULL || database->schemas == NULL || database->keyring == NULL) return gt_no_memory(diag);
    goat_status status = gt_crypto_init(diag);
    if (status == GOAT_OK) status = gt_hasher_new(database->alloc, &database->hasher, diag);
    if (status == GOAT_OK) {
        status = gt_builtin_register(database->schemas, database->alloc, database->hasher, diag);
    }
    if (status != GOAT_OK) return status;
    goat_random random = database->host.random;
    if (!random.fill(random.context, database->hash_key, sizeof(database->hash_key))) {
        return gt_fail(diag, GOAT_IO, "the machine gives no randomness");
    }
    database->io = gt_io_new(database->alloc, &database->host.storage);
    return database->io == NULL ? gt_no_memory(diag) : GOAT_OK;
}

goat_status gt_database_new(const char *path, size_t path_len, uint32_t flags, const goat_host *host, gt_database **out,
                            gt_diag *diag) {
    *out = NULL;
    gt_database *database = gt_new(&host->allocator, 1, sizeof(*database));
    if (database == NULL) {
        host->storage.close(host->storage.context);
        return gt_no_memory(diag);
    }
    database->host = *host;
    database->alloc = &database->host.allocator;
    database->flags = flags;
    database->clock_ahead_max_ms = CLOCK_AHEAD_MAX_MS;
    gt_diag_init(&database->failure);
    gt_diag_init(&database->upstream.why);
    gt_diag_init(&database->trouble);
    gt_buf_init(&database->certificate, database->alloc);
    goat_status status = gt_mutex_init(&database->mutex, diag);
    if (status == GOAT_OK) {
        status = gt_condition_init(&database->condition, diag);
        if (status != GOAT_OK) gt_mutex_destroy(&database->mutex);
    }
    if (status != GOAT_OK) {
        host->storage.close(host->storage.context);
        gt_free(&host->allocator, database);
        return status;
    }
    status = fill_database(database, path, path_len, diag);
    if (status == GOAT_OK) status = gt_handle_new(database, NULL, &database->system, diag);
    if (status != GOAT_OK) {
        free_database(database);
        return status;
    }
    *out = database;
    return GOAT_OK;
}

void gt_database_set_root(gt_database *database, const uint8_t root_key[GT_PUBLIC_KEY_SIZE]) {
    database->is_pinned = true;
    memcpy(database->root_key, root_key, GT_PUBLIC_KEY_SIZE);
    gt_hash(database->hasher, root_key, GT_PUBLIC_KEY_SIZE, database->pinned.bytes);
}

gt_database *gt_db_database(const goat_db *db) { return db->database; }

const char *gt_database_path(const gt_database *database) { return database->path; }

bool gt_database_is_busy(const gt_database *database) {
    return database->jobs != NULL || gt_io_pending(database->io) > 0;
}

bool gt_database_take_pump_wanted(gt_database *database) {
    bool wanted = database->pump_wanted;
    database->pump_wanted = false;
    return wanted;
}

bool gt_db_is_read_only(const goat_db *db) { return (db->database->flags & GOAT_OPEN_READ_ONLY) != 0; }

bool gt_db_has_jobs(const goat_db *db) {
    const goat_job *job = db->database->jobs;
    while (job != NULL && job->db != db) job = job->next;
    return job != NULL;
}

uint32_t gt_next_id(gt_database *database) { return ++database->next_id; }

uint64_t gt_database_now_us(const gt_database *database) {
    return database->host.clock.monotonic_us(database->host.clock.context);
}

uint64_t gt_db_now_us(const goat_db *db) { return gt_database_now_us(db->database); }

void gt_database_fail(gt_database *database, const gt_diag *diag) {
    if (database->phase == GT_DB_FAILED) return;
    database->phase = GT_DB_FAILED;
    database->failure = *diag;
    gt_wipe(database->seeds, sizeof(database->seeds));
    gt_wipe(database->text, sizeof(database->text));
}

/* ---- handles ---- */

static bool free_one_wake(gt_database *database);

goat_status gt_handle_new(gt_database *database, const goat_config *config, goat_db **out, gt_diag *diag) {
    goat_db *db = gt_new(database->alloc, 1, sizeof(*db));
    gt_wake *wake = gt_new(database->alloc, 1, sizeof(*wake));
    goat_job *closer = gt_new(database->alloc, 1, sizeof(*closer));
    if (db == NULL || wake == NULL || closer == NULL) {
        gt_free(database->alloc, db);
        gt_free(database->alloc, closer);
        gt_free(database->alloc, wake);
        return gt_no_memory(diag);
    }
    uint32_t interval_ms =
        config == NULL || config->capture_interval_ms == 0 ? CAPTURE_INTERVAL_MS : config->capture_interval_ms;
    db->database = database;
    db->wake = wake;
    db->closer = closer;
    db->refs = 1;
    db->changes_max = config == NULL || config->changes_max == 0 ? CHANGES_MAX : config->changes_max;
    db->capture_interval_us = interval_ms > UINT32_MAX / 1000 ? UINT32_MAX : interval_ms * 1000;
    db->capture_due_us = UINT64_MAX;
    gt_buf_init(&db->events, database->alloc);
    *out = db;
    return GOAT_OK;
}

goat_status gt_db_new(gt_database *database, const goat_config *config, goat_db **db, gt_diag *diag) {
    goat_status status = gt_handle_new(database, config, db, diag);
    if (status != GOAT_OK) return status;
    (*db)->next = database->handles;
    database->handles = *db;
    database->refs++;
    return GOAT_OK;
}

/* Open or opening, so that another handle may join it. */
static bool is_joinable(const gt_database *database) {
    return !database->closing && (database->phase == GT_DB_OPENING || database->phase == GT_DB_OPEN);
}

/* Whether the database is of the network that `config` asks for. */
static goat_status check_root(gt_database *database, const goat_config *config, gt_diag *diag) {
    gt_id wanted;
    if (config == NULL || config->root_key == NULL) return GOAT_OK;
    gt_hash(database->hasher, config->root_key, GT_PUBLIC_KEY_SIZE, wanted.bytes);
    if (database->phase == GT_DB_OPEN) return gt_check_network(&database->network, &wanted, diag);
    if (database->is_pinned) return gt_check_network(&database->pinned, &wanted, diag);
    return gt_fail(diag, GOAT_LOADING, "the database is still opening: its network is not known yet");
}

goat_status gt_db_join(const goat_db *beside, const goat_config *config, goat_db **db, gt_diag *diag) {
    gt_database *database = beside->database;
    *db = NULL;
    gt_mutex_lock(&database->mutex);
    goat_status status = is_joinable(database) ? check_root(database, config, diag)
                                               : gt_fail(diag, GOAT_NOT_FOUND, "the database is closed");
    if (status == GOAT_OK) status = gt_db_new(database, config, db, diag);
    gt_mutex_unlock(&database->mutex);
    return status;
}

static void free_handle(goat_db *db) {
    const gt_alloc *alloc = db->database->alloc;
    while (db->spaces != NULL) {
        gt_space *space = db->spaces;
        db->spaces = space->next_of_db;
        gt_space_free(space);
    }
    gt_buf_free(&db->events);
    gt_free(alloc, db->closer);
    gt_wake_end(db->database, db->wake);
    gt_free(alloc, db);
}

void gt_db_retain(goat_db *db) { db->refs++; }

void gt_db_hold(goat_db *db) {
    gt_mutex_lock(&db->database->mutex);
    gt_db_retain(db);
    gt_mutex_unlock(&db->database->mutex);
}

goat_db *gt_db_hold_database(goat_db *db) {
    gt_database *database = db->database;
    gt_mutex_lock(&database->mutex);
    database->refs++;
    gt_mutex_unlock(&database->mutex);
    return database->system;
}

void gt_db_release_database(goat_db *held) {
    gt_database *database = held->database;
    gt_mutex_lock(&database->mutex);
    bool last = --database->refs == 0;
    gt_mutex_unlock(&database->mutex);
    if (last) gt_database_drop(database);
}

void gt_handle_drop(goat_db *db) {
    gt_database *database = db->database;
    GOAT_ASSERT(db->refs > 0);
    if (--db->refs > 0 || db == database->system) return;
    goat_db **at = &database->handles;
    while (*at != db) at = &(*at)->next;
    *at = db->next;
    free_handle(db);
    database->refs--;
}

void gt_db_release(goat_db *db) {
    gt_database *database = db->database;
    gt_mutex_lock(&database->mutex);
    database->refs++; /* ours: the lock is given up below, and another handle may be the last meanwhile */
    gt_handle_drop(db);
    while (free_one_wake(database)) {
    }
    bool last = --database->refs == 0;
    gt_mutex_unlock(&database->mutex);
    if (last) gt_database_drop(database);
}

void gt_database_drop(gt_database *database) {
    gt_mutex_lock(&database->mutex);
    free_handle(database->system);
    while (free_one_wake(database)) {
    }
    gt_mutex_unlock(&database->mutex);
    free_database(database);
}

void gt_db_lock(const goat_db *db) { gt_mutex_lock(&db->database->mutex); }

goat_status gt_database_check(const gt_database *database, gt_diag *diag) {
    switch (database->phase) {
    case GT_DB_OPEN: return GOAT_OK;
    case GT_DB_OPENING: return gt_fail(diag, GOAT_LOADING, "the database is still opening");
    case GT_DB_FAILED:
        if (diag != NULL) *diag = database->failure;
        return database->failure.status;
    default: return gt_fail(diag, GOAT_CLOSED, "the database is closed");
    }
}

goat_status gt_db_check(const goat_db *db, gt_diag *diag) {
    if (db->closed) return gt_fail(diag, GOAT_CLOSED, "the database is closed");
    return gt_database_check(db->database, diag);
}

goat_random gt_db_random(const goat_db *db) { return db->database->host.random; }

/* ---- wake-up ---- */

/* The two reasons are told apart, because the host answers one with goat_db_advance() and the other with
 * goat_db_run(), and need not do both. */
void gt_wake_handle(goat_db *db) {
    db->wake_due = db->wake_due || !db->advance_asked;
    db->advance_asked = true;
}

void gt_db_want_run(goat_db *db) {
    if ((db->database->flags & GOAT_OPEN_NO_THREAD) == 0) return;
    db->wake_due = db->wake_due || !db->run_asked;
    db->run_asked = true;
}

void gt_wake_for_sync(goat_db *db) { db->wake_due = db->sync_due = true; }

void gt_db_run_begins(goat_db *db) { db->run_asked = false; }

void gt_wake_all(gt_database *database) {
    for (goat_db *db = database->handles; db != NULL; db = db->next) gt_wake_handle(db);
}

void gt_add_event(goat_db *db, const gt_buf *event) {
    if (db->closed || gt_buf_failed(event)) return;
    bool fits = db->event_count < db->changes_max;
    if (fits) gt_buf_append(&db->events, event->data, event->len);
    if (fits && !gt_buf_failed(&db->events)) {
        db->event_count++;
    } else {
        db->reset = true;
    }
    gt_wake_handle(db);
}

/* Nobody calls it any more: its userdata is freed at the next unlock. */
void gt_wake_end(gt_database *database, gt_wake *wake) {
    wake->replaced = true;
    if (wake->running > 0) return;
    wake->next = database->ended_wakes;
    database->ended_wakes = wake;
}

goat_status gt_db_on_wake(goat_db *db, goat_wake_fn wake, void *userdata, goat_free_fn free_userdata, gt_diag *diag) {
    gt_wake *made = gt_new(db->database->alloc, 1, sizeof(*made));
    if (made == NULL) return gt_no_memory(diag);
    made->wake = wake;
    made->userdata = userdata;
    made->free_userdata = free_userdata;
    gt_wake_end(db->database, db->wake);
    db->wake = made;
    db->wake_due = db->advance_asked || db->run_asked; /* whoever was told before, this one was not */
    for (gt_link *link = db->database->links; link != NULL; link = link->next) {
        if (link->db == db && link->told && link->config.ready == NULL) gt_wake_for_sync(db);
    }
    return GOAT_OK;
}

void gt_wake_retire(goat_db *db) {
    db->wake->wake = NULL;
    db->wake_due = false;
}

static bool call_one_wake(gt_database *database) {
    goat_db *db = database->handles;
    while (db != NULL && !db->wake_due) db = db->next;
    if (db == NULL) return false;
    gt_wake *wake = db->wake;
    db->wake_due = db->sync_due = false;
    if (wake->wake == NULL) return true;
    wake->running++;
    gt_mutex_unlock(&database->mutex);
    wake->wake(wake->userdata);
    gt_mutex_lock(&database->mutex);
    wake->running--;
    if (wake->replaced) gt_wake_end(database, wake);
    return true;
}

static bool free_one_wake(gt_database *database) {
    gt_wake *wake = database->ended_wakes;
    if (wake == NULL) return false;
    database->ended_wakes = wake->next;
    goat_free_fn free_userdata = wake->free_userdata;
    void *userdata = wake->userdata;
    gt_free(database->alloc, wake);
    if (free_userdata != NULL) {
        gt_mutex_unlock(&database->mutex);
        free_userdata(userdata);
        gt_mutex_lock(&database->mutex);
    }
    return true;
}

void gt_db_unlock(goat_db *db) {
    gt_database *database = db->database;
    while (call_one_wake(database) || free_one_wake(database) || gt_links_tell(database)) {
    }
    gt_mutex_unlock(&database->mutex);
}

/* ---- rounds ---- */

/* The storage's own work, without the lock: this is where a disk is waited for, by one thread at a time. */
static bool poll_storage(gt_database *database) {
    if (database->polling || gt_io_pending(database->io) == 0) return false;
    database->polling = true;
    gt_mutex_unlock(&database->mutex);
    size_t results = gt_io_poll(database->io, false);
    gt_mutex_lock(&database->mutex);
    database->polling = false;
    bool did = gt_io_deliver(database->io) > 0;
    if (did || results > 0) gt_condition_wake_all(&database->condition);
    return did;
}

bool gt_db_pump(goat_db *db, uint64_t now_us, uint64_t *deadline_us) {
    gt_database *database = db->database;
    bool did = false;
    if (!database->polling) did = gt_io_deliver(database->io) > 0;
    uint64_t deadline = UINT64_MAX;
    database->pump_wanted = false;
    if (database->phase == GT_DB_OPENING) did = gt_open_step(database) || did;
    did = gt_links_step(database, now_us, &deadline) || did;
    did = gt_mounts_step(database, now_us, &deadline) || did;
    for (goat_db *handle = database->handles; handle != NULL; handle = handle->next) {
        if (handle->capture_due_us <= now_us) {
            gt_capture_when_due(handle, now_us);
            did = true;
        }
        if (handle->capture_due_us < deadline) deadline = handle->capture_due_us;
    }
    did = gt_jobs_step(database) || did;
    did = did || gt_checkpoints_in_the_making(database); /* one that a job has begun */
    did = gt_links_tell(database) || did;                /* before a disk is waited for */
    did = poll_storage(database) || did;
    if (deadline_us != NULL) *deadline_us = did ? now_us : deadline;
    return did;
}

void gt_db_wait(goat_db *db, uint64_t timeout_us) {
    gt_condition_wait(&db->database->condition, &db->database->mutex, timeout_us);
}
