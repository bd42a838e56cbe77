/* Jobs: work that goes on over many rounds and ends with a status, a result, and a change.
 *
 * A job belongs to a handle. The database holds it while it is not done, the caller as long as he
 * likes; it is freed when neither does. */
#include "db/internal.h"

goat_status gt_job_new(goat_db *db, const gt_job_kind *kind, void *state, goat_job **out, gt_diag *diag) {
    goat_job *job = gt_new(db->database->alloc, 1, sizeof(*job));
    if (job == NULL) return gt_no_memory(diag);
    gt_job_begin(db, kind, state, job);
    *out = job;
    return GOAT_OK;
}

void gt_job_begin(goat_db *db, const gt_job_kind *kind, void *state, goat_job *job) {
    gt_database *database = db->database;
    job->kind = kind;
    job->state = state;
    job->db = db;
    job->id = gt_next_id(database);
    job->refs = 2;
    gt_diag_init(&job->diag);
    gt_buf_init(&job->result, database->alloc);
    goat_job **end = &database->jobs; /* in order of age: what was asked first goes first */
    while (*end != NULL) end = &(*end)->next;
    *end = job;
    gt_db_retain(db);
}

/* Takes what the job still holds; its handle is given back by whoever releases it. */
static void drop_reference(goat_job *job) {
    GOAT_ASSERT(job->refs > 0);
    if (--job->refs > 0) return;
    gt_buf_free(&job->result);
    gt_free(job->db->database->alloc, job);
}

void gt_job_end(goat_job *job, goat_status status) {
    if (job->done) return;
    gt_database *database = job->db->database;
    job->done = true;
    job->status = status;
    if (status != GOAT_OK && job->diag.status == GOAT_OK) gt_fail(&job->diag, status, "%s", gt_status_name(status));
    if (job->kind->end != NULL) job->kind->end(job);
    job->state = NULL;
    goat_job **at = &database->jobs;
    while (*at != job) at = &(*at)->next;
    *at = job->next;
    job->next = NULL;
    gt_buf event;
    gt_buf_init(&event, database->alloc);
    gt_write_array_head(&event, 3);
    gt_write_int(&event, GOAT_CHANGE_JOB);
    gt_write_int(&event, job->id);
    gt_write_int(&event, status);
    gt_add_event(job->db, &event);
    gt_buf_free(&event);
    gt_condition_wake_all(&database->condition);
}

goat_status gt_job_fail(goat_job *job, goat_status status, const gt_diag *diag) {
    job->diag = *diag;
    gt_job_end(job, status);
    return status;
}

bool gt_jobs_step(gt_database *database) {
    bool did = false;
    goat_job *next;
    for (goat_job *job = database->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->cancelled && !job->waiting && job->kind->can_stop) { /* a request under way knows the job */
            gt_fail(&job->diag, GOAT_CANCELLED, "the job was cancelled");
            gt_job_end(job, GOAT_CANCELLED);
        }
        gt_step_result result = job->done ? GT_STEP_DONE : job->kind->step(job);
        if (result == GT_STEP_DONE && !job->done) gt_job_end(job, GOAT_OK);
        did = did || result != GT_STEP_WAIT;
        if (result == GT_STEP_DONE) { /* the database lets go of it, and with it of its handle */
            goat_db *db = job->db;
            drop_reference(job);
            gt_handle_drop(db);
        }
    }
    return did;
}

void gt_job_info_of(const goat_job *job, gt_job_info *info) {
    *info = (gt_job_info){
        .done = job->done,
        .status = job->status,
        .diag = &job->diag,
        .result = gt_buf_bytes(&job->result),
        .progress_done = job->progress_done,
        .progress_total = job->progress_total,
    };
}

goat_db *gt_job_db(const goat_job *job) { return job->db; }

uint32_t gt_job_id(const goat_job *job) { return job->id; }

void gt_job_cancel(goat_job *job) { job->cancelled = true; }

void gt_job_release(goat_job *job) { drop_reference(job); }
