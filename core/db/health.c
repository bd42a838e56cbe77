/* How a database is, for whoever watches a server; and the job that waits until nobody is connected any more. */
#include "db/internal.h"

#include "db/links.h"

/* A log that could not be written is read-only until its repository is opened again, and who brings entries of it comes
 * back within GT_SYNC_REOPEN_MAX_US: so trouble counts for twice as long after it was seen last. */
enum { TROUBLE_US = 2 * GT_SYNC_REOPEN_MAX_US };

static bool is_open(const gt_mount *mount) { return gt_repo_get_phase(mount->repo) == GT_REPO_OPEN; }

/* What the storage said when it would not take or give something; NULL: nothing. */
static const gt_diag *trouble_of(const gt_mount *mount) {
    const gt_log *log = gt_repo_log(mount->repo);
    if (is_open(mount)) return gt_log_get_state(log) == GT_LOG_FAILED ? gt_log_failure(log) : NULL;
    if (gt_repo_get_phase(mount->repo) != GT_REPO_FAILED) return NULL;
    const gt_diag *failure = gt_repo_failure(mount->repo);
    return failure->status == GOAT_IO || failure->status == GOAT_FULL ? failure : NULL;
}

/* Whether something was written to it since it was opened, and all of it is on the disk. */
static bool was_written(const gt_mount *mount) {
    const gt_log *log = gt_repo_log(mount->repo);
    return is_open(mount) && gt_log_get_state(log) == GT_LOG_READY && gt_log_length(log) > mount->length_opened &&
           gt_log_length_durable(log) == gt_log_length(log);
}

static bool is_troubled(const gt_database *database, gt_bytes path) {
    return gt_diag_is_set(&database->trouble) && gt_bytes_equal(gt_bytes_text(database->trouble.path), path);
}

void gt_health_note(const gt_mount *mount) {
    gt_database *database = mount->database;
    gt_bytes path = gt_repo_path(mount->repo);
    const gt_diag *trouble = trouble_of(mount);
    if (trouble != NULL) {
        database->trouble = *trouble;
        database->trouble_us = gt_database_now_us(database);
        gt_diag_path(&database->trouble, (const char *)path.data, path.len);
    } else if (was_written(mount) && is_troubled(database, path)) {
        gt_diag_init(&database->trouble);
    }
}

goat_status gt_db_health(const goat_db *db, gt_diag *why) {
    const gt_database *database = db->database;
    goat_status status = gt_db_check(db, why);
    if (status != GOAT_OK) return status;
    bool cured = gt_database_now_us(database) - database->trouble_us >= TROUBLE_US;
    const gt_diag *trouble = NULL;
    gt_bytes path = {0};
    for (const gt_mount *mount = database->mounts; mount != NULL && trouble == NULL; mount = mount->next) {
        trouble = trouble_of(mount);
        path = gt_repo_path(mount->repo);
        cured = cured || (was_written(mount) && is_troubled(database, path));
    }
    if (trouble == NULL && (cured || !gt_diag_is_set(&database->trouble))) return GOAT_OK;
    if (why == NULL) return trouble == NULL ? database->trouble.status : trouble->status;
    *why = trouble == NULL ? database->trouble : *trouble;
    if (trouble != NULL) gt_diag_path(why, (const char *)path.data, path.len);
    return why->status;
}

void gt_db_count(const goat_db *db, gt_db_counts *counts) {
    *counts = (gt_db_counts){0};
    for (const gt_mount *mount = db->database->mounts; mount != NULL; mount = mount->next) {
        if (!is_open(mount)) continue;
        const gt_log *log = gt_repo_log(mount->repo);
        counts->repositories++;
        counts->commits += gt_repo_commit_count(mount->repo);
        counts->parked += gt_repo_parked_count(mount->repo);
        counts->log_bytes += gt_log_length(log);
        counts->unsynced_bytes += gt_log_length(log) - gt_log_length_durable(log);
    }
}

/* ---- parting ---- */

static gt_step_result parting_step(goat_job *job) {
    const gt_link *link = job->db->database->links;
    while (link != NULL && !(gt_link_is_client(link) && link->sync != NULL)) link = link->next;
    return link == NULL ? GT_STEP_DONE : GT_STEP_WAIT;
}

static gt_step_result parted_step(goat_job *job) {
    (void)job;
    return GT_STEP_DONE;
}

static const gt_job_kind parting_kind = {parting_step, NULL, true};
static const gt_job_kind parted_kind = {parted_step, NULL, true};

goat_status gt_db_part(goat_db *db, bool wait, goat_job **job, gt_diag *diag) {
    goat_status status = gt_db_check(db, diag);
    return status == GOAT_OK ? gt_job_new(db, wait ? &parting_kind : &parted_kind, NULL, job, diag) : status;
}
