/* Opening: the checkpoint if there is a good one, then the rest of the log, record by record.
 *
 * What the checkpoint covers is taken as it is (its records are checked on first touch). Every record
 * behind it is decoded, hashed and its signature verified, as if a stranger had sent it. */
#include "base/arena.h"
#include "base/assert.h"
#include "repo/tables.h"

/* Steps of opening, in order. */
enum { LOAD_LOG, LOAD_CHECKPOINT_BEGIN, LOAD_CHECKPOINT_WAIT, LOAD_CHECKPOINT, LOAD_RECORDS, LOAD_DONE };

/* What a step does. */
enum {
    ADOPTION_BYTES = 256 * 1024, /* some 100 microseconds */
    RECORDS_BYTES =
        32 * 1024,  /* records up to so many bytes: some 300 microseconds; a large one is a step of its own */
    RECORDS_MAX = 8 /* each has a signature to be verified, some 40 microseconds */
};

static void fail(gt_repo *repo, const gt_diag *diag) {
    repo->phase = GT_REPO_FAILED;
    repo->failure = *diag;
    gt_diag_path(&repo->failure, repo->path, strlen(repo->path));
}

/* The checkpoint is a cache: whatever is wrong with it, the log is read instead. */
static void without_checkpoint(gt_repo *repo) {
    gt_adoption_free(repo->adoption);
    repo->adoption = NULL;
    gt_load_end(&repo->checkpoint);
    repo->load_offset = GT_LOG_HEADER_SIZE;
    repo->load_step = LOAD_RECORDS;
}

static void checkpoint_loaded(void *owner, gt_load *load) {
    gt_repo *repo = owner;
    repo->load_step = LOAD_CHECKPOINT;
    if (load->diag.status != GOAT_OK) without_checkpoint(repo);
}

static void begin_checkpoint(gt_repo *repo) {
    repo->load_step = LOAD_CHECKPOINT_WAIT;
    if (gt_load_begin(&repo->checkpoint, repo->config.io, repo->alloc, repo->checkpoint_name,
                      GOAT_IO_READ_ONLY | GOAT_IO_PRIVATE, checkpoint_loaded, repo, NULL) != GOAT_OK) {
        without_checkpoint(repo);
    }
}

static bool wait_for_log(gt_repo *repo) {
    switch (gt_log_get_state(repo->log)) {
    case GT_LOG_OPENING: return false;
    case GT_LOG_LOADED:
        repo->load_step = LOAD_CHECKPOINT_BEGIN;
        if (!repo->config.use_checkpoint) without_checkpoint(repo);
        return true;
    default: fail(repo, gt_log_failure(repo->log)); return false;
    }
}

static void adopt_checkpoint(gt_repo *repo) {
    goat_status status = GOAT_OK;
    bool done = false;
    if (repo->adoption == NULL) {
        status = gt_adoption_new(repo, repo->checkpoint.data, repo->checkpoint.len, &repo->adoption, NULL);
    }
    if (status == GOAT_OK) status = gt_adoption_step(repo->adoption, ADOPTION_BYTES, &done, NULL);
    if (status != GOAT_OK) {
        without_checkpoint(repo);
    } else if (done) {
        gt_adoption_free(repo->adoption);
        repo->adoption = NULL;
        repo->load_step = LOAD_RECORDS;
    }
}

static void take_record(gt_repo *repo, const gt_record *record) {
    gt_admission outcome;
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status =
        gt_admit_frame(repo, record->payload, record->offset, false, GT_FROM_PEER, &outcome, NULL, &diag);
    if (status == GOAT_NO_MEMORY) fail(repo, &diag);
    if (status != GOAT_OK) gt_note_fault(repo, record->offset, record->payload.len); /* verify names it */
    while (gt_parked_retry(repo)) {
    } /* what the log has is there when it was read */
}

static void take_receipt(gt_repo *repo, const gt_record *record) {
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_receipt_load(repo, record, &diag);
    if (status == GOAT_NO_MEMORY) fail(repo, &diag);
    if (status != GOAT_OK) gt_note_fault(repo, record->offset, record->payload.len);
}

static void load_record(gt_repo *repo) {
    gt_record record;
    goat_status status = gt_log_next(repo->log, &repo->load_offset, false, &record);
    if (status == GOAT_OK) {
        if (record.type == GT_RECORD_BATCH) {
            take_record(repo, &record);
        } else if (record.type == GT_RECORD_RECEIPT) {
            take_receipt(repo, &record);
        } else if (record.type >= GT_RECORD_MUST_KNOW) {
            gt_diag diag;
            gt_diag_init(&diag);
            gt_fail_at(&diag, GOAT_NEWER_FORMAT, record.offset, "the log was written by a newer version");
            fail(repo, &diag);
        }
        return;
    }
    gt_diag diag;
    gt_diag_init(&diag);
    if (status == GOAT_NOT_FOUND) {
        status = gt_log_ready(repo->log, repo->load_offset, &diag);
        repo->load_step = LOAD_DONE;
    }
    if (status != GOAT_OK) fail(repo, &diag);
}

static void load_records(gt_repo *repo) {
    uint64_t begin = repo->load_offset;
    for (int i = 0; i < RECORDS_MAX && repo->load_step == LOAD_RECORDS && repo->phase == GT_REPO_OPENING; i++) {
        load_record(repo);
        if (repo->load_offset - begin >= RECORDS_BYTES) break;
    }
}

bool gt_load_step(gt_repo *repo) {
    switch (repo->load_step) {
    case LOAD_LOG: return wait_for_log(repo);
    case LOAD_CHECKPOINT_BEGIN: begin_checkpoint(repo); return true;
    case LOAD_CHECKPOINT_WAIT: return false;
    case LOAD_CHECKPOINT: adopt_checkpoint(repo); return true;
    case LOAD_RECORDS: load_records(repo); return true;
    default:
        if (gt_log_get_state(repo->log) == GT_LOG_READY || repo->config.read_only) {
            gt_tidy_faults(repo);
            repo->phase = GT_REPO_OPEN;
        } else if (gt_log_get_state(repo->log) == GT_LOG_FAILED) {
            fail(repo, gt_log_failure(repo->log));
        }
        return false;
    }
}
