/* Verification of stored repositories: a job that lists them, opens each, and walks its log. */
#include "db/internal.h"

typedef struct verify {
    gt_buf paths; /* each followed by a NUL */
    size_t next;
    gt_space *space; /* the repository at hand, opened by the database's own handle */
    bool audits;
    gt_audit audit;
    uint64_t batches, commits, signatures, bytes;
    gt_buf faults; /* CBOR maps */
    size_t fault_count;
    bool one; /* a single repository was asked for */
} verify;

static void write_name(gt_buf *out, const char *name) { gt_write_text(out, gt_bytes_text(name)); }

static void add_fault(void *context, const gt_fault *fault) {
    goat_job *job = context;
    verify *state = job->state;
    gt_buf *out = &state->faults;
    gt_bytes repository = gt_repo_path(state->space->mount->repo);
    bool has_path = fault->diag.path[0] != '\0';
    gt_write_map_head(out, 3 + (fault->has_batch ? 1u : 0u) + (fault->offset != GT_NO_POSITION ? 1u : 0u));
    write_name(out, "kind");
    write_name(out, fault->kind);
    write_name(out, "path");
    gt_write_text(out, has_path ? gt_bytes_text(fault->diag.path) : repository);
    if (fault->has_batch) {
        write_name(out, "batch");
        gt_write_bytes(out, gt_bytes_of(fault->batch.bytes, GT_ID_SIZE));
    }
    if (fault->offset != GT_NO_POSITION) {
        write_name(out, "offset");
        gt_write_int(out, (int64_t)fault->offset);
    }
    write_name(out, "message");
    write_name(out, fault->diag.message);
    state->fault_count++;
}

static void add_path(void *context, gt_bytes path) {
    verify *state = context;
    gt_buf_append(&state->paths, path.data, path.len);
    gt_buf_append_byte(&state->paths, 0);
}

static void listed(void *owner, const goat_io_result *result) {
    goat_job *job = owner;
    verify *state = job->state;
    job->waiting = false;
    job->left = true;
    if (result->status != GOAT_OK && result->status != GOAT_NOT_FOUND) {
        gt_fail(&job->diag, result->status, "%s", result->message);
    } else if (result->status == GOAT_OK && state != NULL) {
        gt_each_log(result, add_path, state);
    }
}

static void end_verify(goat_job *job) {
    verify *state = job->state;
    if (state->space != NULL) gt_space_drop(state->space);
    gt_buf_free(&state->paths);
    gt_buf_free(&state->faults);
    gt_free(job->db->database->alloc, state);
}

/* Opens the repository at hand, without making it. */
static goat_status open_next(goat_job *job, gt_diag *diag) {
    verify *state = job->state;
    gt_database *database = job->db->database;
    gt_mount *mount;
    const char *path = (const char *)state->paths.data + state->next;
    goat_status status = gt_mount_open(database, gt_bytes_text(path), false, &mount, diag);
    if (status == GOAT_OK) status = gt_space_new(database->system, mount, &state->space, diag);
    state->audits = false;
    return status;
}

static void repository_failed(goat_job *job, const gt_diag *diag) {
    verify *state = job->state;
    gt_fault fault = {.kind = "log", .offset = GT_NO_POSITION, .diag = *diag};
    add_fault(job, &fault);
    gt_space_drop(state->space);
    state->space = NULL;
    state->next += strlen((const char *)state->paths.data + state->next) + 1;
}

/* Below a checkpoint damage is found by those who touch it only. Without it the next opening reads the log alone and
 * knows at once what is missing. */
static void remove_checkpoint(gt_mount *mount) {
    goat_io_request request = {.kind = GOAT_IO_REMOVE, .name = gt_repo_checkpoint_name(mount->repo)};
    if ((mount->database->flags & GOAT_OPEN_READ_ONLY) != 0) return;
    gt_io_submit(mount->database->io, &request, NULL, NULL);
}

static goat_status audit_step(goat_job *job, gt_diag *diag) {
    verify *state = job->state;
    gt_repo *repo = state->space->mount->repo;
    if (gt_repo_get_phase(repo) == GT_REPO_FAILED) {
        gt_diag failure = *gt_repo_failure(repo);
        if (state->one && failure.status == GOAT_NOT_FOUND) {
            *diag = failure;
            return failure.status;
        }
        repository_failed(job, &failure);
        return GOAT_OK;
    }
    if (!state->audits) {
        state->audit = (gt_audit){.repo = repo, .offset = GT_LOG_HEADER_SIZE, .context = job, .fault = add_fault};
        state->audits = true;
    }
    goat_status status = gt_audit_step(&state->audit, diag);
    job->progress_done = (double)(state->bytes + state->audit.bytes);
    if (status != GOAT_OK || !state->audit.done) return status;
    if (state->audit.has_holes) remove_checkpoint(state->space->mount);
    state->batches += state->audit.batches;
    state->commits += state->audit.commits;
    state->signatures += state->audit.signatures;
    state->bytes += state->audit.bytes;
    gt_space_drop(state->space);
    state->space = NULL;
    state->next += strlen((const char *)state->paths.data + state->next) + 1;
    return GOAT_OK;
}

static void write_count(gt_buf *out, const char *name, uint64_t count) {
    write_name(out, name);
    gt_write_int(out, (int64_t)count);
}

static void finish(goat_job *job) {
    verify *state = job->state;
    gt_buf *out = &job->result;
    gt_write_map_head(out, 5);
    write_count(out, "bytes", state->bytes);
    write_name(out, "faults");
    gt_write_array_head(out, state->fault_count);
    gt_buf_append(out, state->faults.data, state->faults.len);
    write_count(out, "batches", state->batches);
    write_count(out, "commits", state->commits);
    write_count(out, "signatures", state->signatures);
    if (gt_buf_failed(out) || gt_buf_failed(&state->faults)) {
        gt_job_end(job, gt_no_memory(&job->diag));
    } else {
        gt_job_end(job, GOAT_OK);
    }
}

static gt_step_result verify_step(goat_job *job) {
    verify *state = job->state;
    if (job->waiting) return GT_STEP_WAIT;
    if (job->db->closed) { /* the system's handle, whose spaces are used here, may be on its way out */
        gt_fail(&job->diag, GOAT_CLOSED, "the database was closed meanwhile");
        gt_job_end(job, GOAT_CLOSED);
        return GT_STEP_DONE;
    }
    if (!job->left) {
        goat_io_request request = {.kind = GOAT_IO_LIST, .name = "repos"};
        job->waiting = gt_io_submit(job->db->database->io, &request, listed, job) == GOAT_OK;
        if (!job->waiting) gt_job_end(job, gt_no_memory(&job->diag));
        return job->waiting ? GT_STEP_MORE : GT_STEP_DONE;
    }
    gt_diag diag = job->diag;
    goat_status status = diag.status;
    if (status == GOAT_OK && gt_buf_failed(&state->paths)) status = gt_no_memory(&diag);
    if (status == GOAT_OK && state->space == NULL && state->next >= state->paths.len) {
        finish(job);
        return GT_STEP_DONE;
    }
    if (status == GOAT_OK && state->space == NULL) {
        status = open_next(job, &diag);
    } else if (status == GOAT_OK && gt_repo_get_phase(state->space->mount->repo) == GT_REPO_OPENING) {
        return GT_STEP_WAIT;
    } else if (status == GOAT_OK) {
        status = audit_step(job, &diag);
    }
    if (status == GOAT_OK) return GT_STEP_MORE;
    gt_job_fail(job, status, &diag);
    return GT_STEP_DONE;
}

static const gt_job_kind verify_kind = {verify_step, end_verify, true};

goat_status gt_db_verify(goat_db *db, gt_bytes path, goat_job **job, gt_diag *diag) {
    gt_path parsed;
    goat_status status = gt_db_check(db, diag);
    if (status == GOAT_OK && path.data != NULL) status = gt_path_parse_repo(path, &parsed, diag);
    if (status != GOAT_OK) return status;
    const gt_alloc *alloc = db->database->alloc;
    verify *state = gt_new(alloc, 1, sizeof(*state));
    if (state == NULL) return gt_no_memory(diag);
    gt_buf_init(&state->paths, alloc);
    gt_buf_init(&state->faults, alloc);
    state->one = path.data != NULL;
    if (state->one) add_path(state, path);
    status = gt_buf_failed(&state->paths) ? gt_no_memory(diag) : gt_job_new(db, &verify_kind, state, job, diag);
    if (status != GOAT_OK) {
        gt_buf_free(&state->paths);
        gt_free(alloc, state);
        return status;
    }
    (*job)->left = state->one; /* nothing to list */
    return GOAT_OK;
}
