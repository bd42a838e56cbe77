/* Opening, closing and freeing a database handle; two handles on one directory share one database.
 *
 * Which databases are open is the process's list (service.c). A directory that is on it, by canonical path, is
 * joined; a database with a storage of the host's never is. A handle that failed to open ends as any other
 * does: it is closed first, so nothing of it is under way when its memory goes. */
#include "abi.h"

#include "network.h"

#include "db/link.h"

static const uint32_t flags_known =
    GOAT_OPEN_CREATE | GOAT_OPEN_EXCLUSIVE | GOAT_OPEN_READ_ONLY | GOAT_OPEN_NO_THREAD | GOAT_OPEN_NO_CHECKPOINT;
static const uint32_t flags_of_opening = GOAT_OPEN_CREATE | GOAT_OPEN_EXCLUSIVE; /* the others last */

/* ---- configuration ---- */

void goat_config_init(goat_config *config, size_t struct_size) {
    const goat_config defaults = GOAT_CONFIG_INIT;
    gt_struct_init(config, struct_size, &defaults, sizeof(defaults));
}

static bool host_is_whole(const goat_host *host) {
    const goat_clock *clock = &host->clock;
    const goat_random *random = &host->random;
    const goat_storage *storage = &host->storage;
    bool has_clock = clock->monotonic_us != NULL || clock->wall_ms != NULL;
    bool has_storage = storage->submit != NULL || storage->poll != NULL || storage->close != NULL;
    if (has_clock && (clock->struct_size < sizeof(*clock) || clock->monotonic_us == NULL || clock->wall_ms == NULL)) {
        return false;
    }
    if (random->fill != NULL && random->struct_size < sizeof(*random)) return false;
    return !has_storage || (storage->struct_size >= sizeof(*storage) && storage->submit != NULL &&
                            storage->poll != NULL && storage->close != NULL);
}

static goat_status read_config(const goat_config *given, goat_config *config, goat_host *host, goat_error **error) {
    *config = (goat_config)GOAT_CONFIG_INIT;
    *host = (goat_host){0};
    if (given != NULL && !gt_struct_copy(config, sizeof(*config), given)) {
        return gt_misuse(error, "config->struct_size is wrong, or a member is set that this version does not know");
    }
    if ((config->flags & ~flags_known) != 0) return gt_misuse(error, "config->flags has unknown bits");
    if (config->host != NULL && (!gt_struct_copy(host, sizeof(*host), config->host) || !host_is_whole(host))) {
        return gt_misuse(error, "config->host has a wrong struct_size, or is given in part");
    }
    if (!GT_PORT_HAS_THREADS) config->flags |= GOAT_OPEN_NO_THREAD;
    return GOAT_OK;
}

/* ---- opening ---- */

static goat_status make_database(const char *path, size_t path_len, const goat_config *config, goat_host *host,
                                 goat_db **db, gt_diag *diag) {
    gt_database *database = NULL;
    goat_storage given = host->storage;
    goat_status status = gt_port_default_host(path, path_len, 0, host, diag);
    if (status != GOAT_OK) {
        if (given.close != NULL) given.close(given.context);
        return status;
    }
    status = gt_database_new(path, path_len, config->flags, host, &database, diag);
    if (status != GOAT_OK) return status;
    if (config->root_key != NULL) gt_database_set_root(database, config->root_key);
    status = gt_db_new(database, config, db, diag);
    if (status == GOAT_OK) gt_db_set_kick(*db, gt_service_wake);
    if (status != GOAT_OK) gt_database_drop(database);
    return status;
}

/* GOAT_NOT_FOUND: nobody has it open. After another failure `*db` may be set all the same: the caller ends it. */
static goat_status join(const char *canonical, const goat_config *config, goat_db **db, gt_diag *diag) {
    goat_status status = GOAT_NOT_FOUND;
    gt_opened *opened = gt_process_first();
    for (; opened != NULL && status == GOAT_NOT_FOUND; opened = opened->next) {
        if (opened->path == NULL || strcmp(opened->path, canonical) != 0) continue;
        status = gt_db_join(opened->db, config, db, diag);
        if (status != GOAT_OK) continue; /* closed: looks on; of another network: that is the answer */
        if (((opened->flags ^ config->flags) & ~flags_of_opening) != 0) {
            status = gt_fail(diag, GOAT_MISUSE, "this process has the database open with other flags");
        } else if ((config->flags & GOAT_OPEN_CREATE) != 0 && (config->flags & GOAT_OPEN_EXCLUSIVE) != 0) {
            status = gt_fail(diag, GOAT_EXISTS, "there is a database already");
        }
    }
    return status;
}

/* A handle that is on the list. */
static goat_status make_handle(const char *path, size_t path_len, const goat_config *config, goat_host *host,
                               goat_db **db, gt_diag *diag) {
    bool own_host = config->host != NULL;
    gt_opened *opened = gt_new(&gt_alloc_system, 1, sizeof(*opened));
    goat_status status = opened == NULL ? gt_no_memory(diag) : GOAT_OK;
    if (status == GOAT_OK && !own_host) {
        status = gt_port_canonical_path(&gt_alloc_system, path, path_len, &opened->path, diag);
    }
    if (status != GOAT_OK) {
        if (host->storage.close != NULL) host->storage.close(host->storage.context);
        gt_free(&gt_alloc_system, opened);
        return status;
    }
    opened->flags = config->flags;
    gt_process_lock();
    status = own_host ? GOAT_NOT_FOUND : join(opened->path, config, db, diag);
    if (status == GOAT_NOT_FOUND) status = make_database(path, path_len, config, host, db, diag);
    if (status == GOAT_OK) {
        opened->db = *db;
        status = gt_process_add(opened, diag);
    }
    gt_process_unlock();
    if (status == GOAT_OK) return GOAT_OK;
    if (*db != NULL) gt_db_release(*db); /* nothing was begun */
    *db = NULL;
    gt_free(&gt_alloc_system, opened->path);
    gt_free(&gt_alloc_system, opened);
    return status;
}

static bool has_no_jobs(const void *db) { return !gt_db_has_jobs(db); }

/* Closes the handle, waits until all of it is done, and takes it off the list. */
static void end_handle(goat_db *db) {
    goat_job *job = NULL;
    if (!gt_process_has(db)) return;
    gt_network_leave(db, true);
    gt_db_lock(db);
    if (gt_db_close(db, &job, NULL) == GOAT_OK) gt_job_release(job);
    goat_status status = gt_wait_until(db, has_no_jobs, db, UINT64_MAX);
    gt_db_unlock(db);
    if (status != GOAT_OK) { /* nothing may block: it goes on behind */
        gt_process_orphan(db);
        return;
    }
    gt_process_remove(db);
    gt_db_release(db);
}

static bool is_opened(const void *db) { return gt_db_check(db, NULL) != GOAT_LOADING; }

static goat_status wait_for_opening(goat_db *db, goat_error **error) {
    gt_call call;
    gt_enter(&call, db, error);
    goat_status status = gt_wait_until(db, is_opened, db, UINT64_MAX);
    if (status == GOAT_OK) {
        status = gt_db_check(db, call.diag);
    } else {
        gt_fail(call.diag, status, "the storage does not complete at once, and nothing may block here: use a job");
    }
    return gt_leave(&call, status);
}

static goat_status hand_out_opening(goat_db *db, goat_job **job, goat_error **error) {
    goat_job *made = NULL;
    gt_call call;
    gt_enter(&call, db, error);
    goat_status status = gt_db_open_job(db, &made, call.diag);
    return gt_leave_with_job(&call, status, made, job, NULL);
}

goat_status goat_db_open(const char *path, size_t path_len, const goat_config *config, goat_db **db, goat_job **job,
                         goat_error **error) {
    goat_config own_config;
    goat_host host;
    gt_diag diag;
    goat_db *made = NULL;
    if (db != NULL) *db = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(path);
    GT_REQUIRE(db);
    if (path_len == 0 || memchr(path, 0, path_len) != NULL)
        return gt_misuse(error, "path is empty, or has a NUL in it");
    goat_status status = read_config(config, &own_config, &host, error);
    if (status != GOAT_OK) return status;
    gt_end_orphans();
    gt_diag_init(&diag);
    status = gt_check_utf8(gt_bytes_of(path, path_len), "path", &diag);
    if (status == GOAT_OK) status = make_handle(path, path_len, &own_config, &host, &made, &diag);
    if (status != GOAT_OK) return gt_error_set(error, status, &diag);
    status = job == NULL ? wait_for_opening(made, error) : hand_out_opening(made, job, error);
    if (status != GOAT_OK) {
        end_handle(made);
        return status;
    }
    gt_live_more();
    *db = made;
    return GOAT_OK;
}

/* ---- closing ---- */

goat_status goat_db_close(goat_db *db, goat_job **job, goat_error **error) {
    gt_call call;
    goat_job *made = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(db);
    if (gt_process_has(db)) gt_network_leave(db, job == NULL);
    gt_enter(&call, db, error);
    goat_status status = gt_db_close(db, &made, call.diag);
    return gt_leave_with_job(&call, status, made, job, NULL);
}

void goat_db_free(goat_db *db) {
    if (db == NULL) return;
    end_handle(db);
    gt_live_less();
}
