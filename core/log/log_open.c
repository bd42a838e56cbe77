/* From a name to a log that takes records, and the end of one. Each step begins with one request and goes on
 * in its result:
 *
 *     load ── there is none ── make it (REPLACE, CREATE) ── load
 *       └─ header read: LOADED ── walked by the owner, gt_log_ready ── READY
 *                                        └─ torn tail: save it (REPLACE) ── cut (TRUNCATE) ── READY
 *
 * A tail is cut only after its copy is on the disk, and whatever fails leaves the file as it was. */
#include "log/log_file.h"

#include "base/assert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Places at the storage besides that of the load: an append and a sync, or one step of opening. */
enum { REQUESTS_MAX = 2 };

static void load_file(gt_log *log);

gt_log_state gt_log_get_state(const gt_log *log) { return log->state; }
const gt_diag *gt_log_failure(const gt_log *log) { return &log->failure; }
const gt_log_identity *gt_log_get_identity(const gt_log *log) { return &log->identity; }

bool gt_log_idle(const gt_log *log) { return !log->opening && !log->appending && !log->syncing && !log->load.busy; }

void gt_log_fail(gt_log *log, const gt_diag *diag) {
    GOAT_ASSERT(diag->status != GOAT_OK);
    if (log->state == GT_LOG_FAILED) {
        return;
    }
    log->state = GT_LOG_FAILED;
    log->failure = *diag;
    log->sync_wanted = false;
    gt_diag_path(&log->failure, log->repository, log->repository_len);
}

/* ---- Making a file ------------------------------------------------------------------------- */

static void file_made(void *owner, const goat_io_result *result) {
    gt_log *log = owner;
    log->opening = false;
    gt_free(log->alloc, log->scratch);
    log->scratch = NULL;
    log->created = true;
    if (result->status == GOAT_OK || result->status == GOAT_EXISTS) {
        load_file(log);
        return;
    }
    gt_diag diag;
    gt_io_fail(&diag, result);
    gt_log_fail(log, &diag);
}

static void make_file(gt_log *log) {
    gt_diag diag;
    log->scratch = gt_new(log->alloc, GT_LOG_HEADER_SIZE, 1);
    goat_status status = log->scratch == NULL ? gt_no_memory(&diag) : gt_log_header_make(log, log->scratch, &diag);
    if (status != GOAT_OK) {
        gt_log_fail(log, &diag);
        return;
    }
    goat_io_request request = {.kind = GOAT_IO_REPLACE,
                               .flags = GOAT_IO_CREATE,
                               .name = log->name,
                               .data = log->scratch,
                               .data_len = GT_LOG_HEADER_SIZE};
    log->opening = true;
    gt_io_submit_reserved(log->io, &request, file_made, log);
}

/* ---- Loading it ---------------------------------------------------------------------------- */

static void file_loaded(void *owner, gt_load *load) {
    gt_log *log = owner;
    bool make = log->create && !log->read_only && !log->created;
    if (load->diag.status == GOAT_NOT_FOUND && make) {
        gt_load_end(load);
        make_file(log);
        return;
    }
    gt_diag diag = load->diag;
    if (diag.status == GOAT_OK) {
        log->loaded = load->data;
        log->loaded_len = load->len;
        gt_log_header_read(log, &diag);
    }
    if (diag.status != GOAT_OK) {
        log->loaded_len = 0; /* there is nothing to walk */
        gt_log_fail(log, &diag);
        return;
    }
    log->length = log->submitted = log->written = log->loaded_len;
    log->durable = GT_LOG_HEADER_SIZE; /* it was made by rename */
    log->state = GT_LOG_LOADED;
}

static void load_file(gt_log *log) {
    gt_diag diag;
    uint32_t flags = log->read_only ? GOAT_IO_READ_ONLY : 0;
    if (gt_load_begin(&log->load, log->io, log->alloc, log->name, flags, file_loaded, log, &diag) != GOAT_OK) {
        gt_log_fail(log, &diag);
    }
}

/* ---- The torn tail ------------------------------------------------------------------------- */

static void become_ready(gt_log *log) {
    if (log->length > GT_LOG_HEADER_SIZE) {
        gt_bytes chain = gt_log_at(log, log->length - GT_RECORD_TAIL_SIZE, GT_CHAIN_SIZE);
        GOAT_ASSERT(chain.data != NULL);
        memcpy(log->chain, chain.data, GT_CHAIN_SIZE);
    }
    log->state = GT_LOG_READY;
}

static void tail_cut(void *owner, const goat_io_result *result) {
    gt_log *log = owner;
    log->opening = false;
    if (result->status != GOAT_OK) {
        gt_diag diag;
        gt_io_fail(&diag, result);
        gt_log_fail(log, &diag);
        return;
    }
    log->durable = log->synced = log->length; /* cutting syncs */
    become_ready(log);
}

static void tail_saved(void *owner, const goat_io_result *result) {
    gt_log *log = owner;
    log->opening = false;
    if (result->status != GOAT_OK) {
        gt_diag diag;
        gt_io_fail(&diag, result);
        gt_log_fail(log, &diag);
        return;
    }
    log->opening = true;
    goat_io_request request = {.kind = GOAT_IO_TRUNCATE, .file = log->load.file, .offset = log->length};
    gt_io_submit_reserved(log->io, &request, tail_cut, log);
}

/* "repos/data/tasks.log" gives "repos/data/tasks.torn-<offset>". */
static char *torn_name(const gt_log *log, uint64_t offset) {
    static const char suffix[] = ".log";
    size_t len = strlen(log->name), suffix_len = sizeof suffix - 1;
    if (len > suffix_len && strcmp(log->name + len - suffix_len, suffix) == 0) {
        len -= suffix_len;
    }
    char end[sizeof ".torn-" + 20]; /* 20 digits have 2^64 */
    int end_len = snprintf(end, sizeof end, ".torn-%" PRIu64, offset);
    GOAT_ASSERT(end_len > 0 && (size_t)end_len < sizeof end);
    char *name = gt_new(log->alloc, len + (size_t)end_len + 1, 1);
    if (name != NULL) {
        memcpy(name, log->name, len);
        memcpy(name + len, end, (size_t)end_len);
    }
    return name;
}

goat_status gt_log_ready(gt_log *log, uint64_t end, gt_diag *diag) {
    GOAT_ASSERT(log->state == GT_LOG_LOADED);
    GOAT_ASSERT(end >= GT_LOG_HEADER_SIZE && end <= log->loaded_len);
    uint64_t torn_len = log->loaded_len - end;
    char *name = NULL;
    if (torn_len != 0 && !log->read_only) {
        name = torn_name(log, end);
        if (name == NULL) {
            return gt_no_memory(diag);
        }
    }
    log->loaded_len = log->length = log->submitted = log->written = end;
    if (name == NULL) {
        become_ready(log);
        return GOAT_OK;
    }
    log->state = GT_LOG_OPENING;
    log->opening = true;
    goat_io_request request = {
        .kind = GOAT_IO_REPLACE, .name = name, .data = log->loaded + end, .data_len = (size_t)torn_len};
    gt_io_submit_reserved(log->io, &request, tail_saved, log);
    gt_free(log->alloc, name);
    return GOAT_OK;
}

/* ---- Beginning and end --------------------------------------------------------------------- */

goat_status gt_log_open(const gt_log_config *config, gt_log **out, gt_diag *diag) {
    GOAT_ASSERT(config->repository.len <= GT_LOG_REPOSITORY_MAX);
    *out = NULL;
    gt_log *log = gt_new(config->alloc, 1, sizeof *log);
    if (log == NULL) {
        return gt_no_memory(diag);
    }
    log->alloc = config->alloc;
    log->hasher = config->hasher;
    log->name = gt_copy(config->alloc, config->name, strlen(config->name));
    log->repository = gt_copy(config->alloc, config->repository.data, config->repository.len);
    log->repository_len = config->repository.len;
    log->network = config->network;
    log->random = config->random;
    log->now_ms = config->now_ms;
    log->create = config->create;
    log->read_only = config->read_only;
    gt_diag_init(&log->failure);
    if (log->name == NULL || log->repository == NULL || !gt_io_reserve(config->io, REQUESTS_MAX)) {
        gt_log_close(log);
        return gt_no_memory(diag);
    }
    log->io = config->io;
    load_file(log);
    if (log->state == GT_LOG_FAILED) {
        gt_log_close(log);
        return gt_no_memory(diag);
    }
    *out = log;
    return GOAT_OK;
}

void gt_log_close(gt_log *log) {
    if (log == NULL) {
        return;
    }
    GOAT_ASSERT(gt_log_idle(log));
    gt_load_end(&log->load);
    if (log->io != NULL) {
        gt_io_release(log->io, REQUESTS_MAX);
    }
    for (size_t i = 0; i < log->chunk_count; i++) {
        gt_free(log->alloc, log->chunks[i]);
    }
    gt_free(log->alloc, log->chunks);
    gt_free(log->alloc, log->damage);
    gt_free(log->alloc, log->aside);
    gt_free(log->alloc, log->scratch);
    gt_free(log->alloc, log->name);
    gt_free(log->alloc, log->repository);
    gt_free(log->alloc, log);
}
