/* Opening: the checkpoint if there is a good one, then the rest of the log, record by record.
 *
 * What the checkpoint covers is taken as it is (its records are checked on first touch). Every record
 * behind it is decoded, hashed and its signature verified, as if a stranger had sent it. */
#include "base/arena.h"
#include "base/assert.h"
#include "repo/tables.h"

/* Steps of opening, in order. */
enum { LOAD_LOG, LOAD_CHECKPOINT_OPEN, LOAD_CHECKPOINT_BYTES, LOAD_CHECKPOINT, LOAD_RECORDS, LOAD_DONE };

static void fail(gt_repo *repo, const gt_diag *diag) {
    repo->phase = GT_REPO_FAILED;
    repo->failure = *diag;
    gt_diag_path(&repo->failure, repo->path, strlen(repo->path));
}

/* The checkpoint is a cache: whatever is wrong with it, the log is read instead. */
static void without_checkpoint(gt_repo *repo) {
    repo->load_offset = GT_LOG_HEADER_SIZE;
    repo->checkpoint_step = LOAD_RECORDS;
}

static void checkpoint_loaded(void *owner, const goat_io_result *result) {
    gt_repo *repo = owner;
    repo->waiting = false;
    if (result->status != GOAT_OK || result->length != repo->checkpoint_len) {
        without_checkpoint(repo);
        return;
    }
    repo->checkpoint_file = result->data;
    repo->checkpoint_step = LOAD_CHECKPOINT;
}

static void checkpoint_opened(void *owner, const goat_io_result *result) {
    gt_repo *repo = owner;
    repo->waiting = false;
    if (result->status != GOAT_OK) {
        without_checkpoint(repo);
        return;
    }
    repo->checkpoint_handle = result->file;
    repo->checkpoint_opened = true;
    repo->checkpoint_len = (size_t)result->length;
    repo->checkpoint_step = LOAD_CHECKPOINT_BYTES;
}

static void submit(gt_repo *repo, goat_io_request *request, gt_io_done done) {
    repo->waiting = true;
    if (gt_io_submit(repo->config.io, request, done, repo) == GOAT_OK) return;
    repo->waiting = false;
    without_checkpoint(repo);
}

static bool wait_for_log(gt_repo *repo) {
    switch (gt_log_get_state(repo->log)) {
    case GT_LOG_OPENING:
        return false;
    case GT_LOG_LOADED:
        repo->checkpoint_step = LOAD_CHECKPOINT_OPEN;
        if (!repo->config.use_checkpoint) without_checkpoint(repo);
        return true;
    default:
        fail(repo, gt_log_failure(repo->log));
        return false;
    }
}

static void adopt_checkpoint(gt_repo *repo) {
    gt_checkpoint checkpoint;
    bool good = gt_checkpoint_read(repo->checkpoint_file, repo->checkpoint_len, &checkpoint, NULL) == GOAT_OK &&
                memcmp(checkpoint.log_id, gt_log_get_identity(repo->log)->log_id, sizeof(checkpoint.log_id)) == 0 &&
                gt_log_has_chain(repo->log, checkpoint.covered, checkpoint.chain);
    if (good && gt_checkpoint_adopt(repo, &checkpoint, NULL) == GOAT_OK) {
        repo->load_offset = repo->covered = checkpoint.covered;
        repo->checkpoint_step = LOAD_RECORDS;
        return;
    }
    without_checkpoint(repo);
}

static void take_record(gt_repo *repo, const gt_record *record) {
    gt_admission outcome;
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status =
        gt_admit_frame(repo, record->payload, record->offset, GT_FROM_PEER, &outcome, NULL, &diag);
    if (status == GOAT_NO_MEMORY) fail(repo, &diag);
    if (status != GOAT_OK) repo->faults++; /* what it says is named by verify */
}

static bool load_record(gt_repo *repo) {
    gt_record record;
    goat_status status = gt_log_next(repo->log, &repo->load_offset, false, &record);
    if (status == GOAT_OK) {
        if (record.type == GT_RECORD_BATCH) {
            take_record(repo, &record);
        } else if (record.type >= GT_RECORD_MUST_KNOW) {
            gt_diag diag;
            gt_diag_init(&diag);
            gt_fail_at(&diag, GOAT_NEWER_FORMAT, record.offset, "the log was written by a newer version");
            fail(repo, &diag);
        }
        return true;
    }
    gt_diag diag;
    gt_diag_init(&diag);
    if (status == GOAT_NOT_FOUND) {
        gt_admit_retry(repo);
        status = gt_log_ready(repo->log, repo->load_offset, &diag);
        repo->checkpoint_step = LOAD_DONE;
    }
    if (status != GOAT_OK) fail(repo, &diag);
    return true;
}

bool gt_load_step(gt_repo *repo) {
    if (repo->waiting) return false;
    goat_io_request request = {.flags = GOAT_IO_PRIVATE};
    switch (repo->checkpoint_step) {
    case LOAD_LOG:
        return wait_for_log(repo);
    case LOAD_CHECKPOINT_OPEN:
        request.kind = GOAT_IO_OPEN;
        request.flags = GOAT_IO_READ_ONLY;
        request.name = repo->checkpoint_name;
        submit(repo, &request, checkpoint_opened);
        return !repo->waiting;
    case LOAD_CHECKPOINT_BYTES:
        request.kind = GOAT_IO_LOAD;
        request.file = repo->checkpoint_handle;
        request.length = repo->checkpoint_len;
        submit(repo, &request, checkpoint_loaded);
        return !repo->waiting;
    case LOAD_CHECKPOINT:
        adopt_checkpoint(repo);
        return true;
    case LOAD_RECORDS:
        return load_record(repo);
    default:
        if (gt_log_get_state(repo->log) == GT_LOG_READY || repo->config.read_only) {
            repo->phase = GT_REPO_OPEN;
        } else if (gt_log_get_state(repo->log) == GT_LOG_FAILED) {
            fail(repo, gt_log_failure(repo->log));
        }
        return false;
    }
}
