/* How a database is, for whoever watches a server; and the job that waits until nobody is connected any more. */
#include "db/internal.h"

#include "db/links.h"

static bool is_open(const gt_mount *mount) { return gt_repo_get_phase(mount->repo) == GT_REPO_OPEN; }

goat_status gt_db_health(const goat_db *db, gt_diag *why) {
    goat_status status = gt_db_check(db, why);
    if (status != GOAT_OK) return status;
    for (const gt_mount *mount = db->database->mounts; mount != NULL; mount = mount->next) {
        gt_log *log = gt_repo_log(mount->repo);
        if (!is_open(mount) || gt_log_get_state(log) != GT_LOG_FAILED) continue;
        gt_bytes path = gt_repo_path(mount->repo);
        if (why != NULL) *why = *gt_log_failure(log);
        gt_diag_path(why, (const char *)path.data, path.len);
        return gt_log_failure(log)->status;
    }
    return GOAT_OK;
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

static const gt_job_kind parting_kind = {parting_step, NULL, true};

goat_status gt_db_part(goat_db *db, goat_job **job, gt_diag *diag) {
    goat_status status = gt_db_check(db, diag);
    return status == GOAT_OK ? gt_job_new(db, &parting_kind, NULL, job, diag) : status;
}
