/* Jobs as the host holds them. They answer after their database was closed: what a close came to is asked then. */
#include "abi.h"

static goat_status failure_of(const gt_job_info *info, gt_diag *diag) {
    if (info->status != GOAT_OK && diag != NULL) *diag = *info->diag;
    return info->status;
}

goat_status goat_job_wait(goat_job *job, uint32_t timeout_ms, goat_error **error) {
    GT_REQUIRE(job);
    goat_db *db = gt_job_db(job);
    gt_call call;
    gt_job_info info;
    gt_enter(&call, db, error);
    uint64_t timeout_us = timeout_ms == UINT32_MAX ? UINT64_MAX : (uint64_t)timeout_ms * 1000;
    goat_status status = gt_wait_until(db, gt_job_is_done, job, timeout_us);
    if (status == GOAT_OK) {
        gt_job_info_of(job, &info);
        status = failure_of(&info, call.diag);
    } else if (status == GOAT_TIMEOUT) {
        gt_fail(call.diag, status, "the job is not done yet");
    } else {
        gt_fail(call.diag, status, "the storage does not complete at once, and nothing may block here");
    }
    bool busy = gt_database_is_busy(gt_db_database(db));
    status = gt_leave(&call, status);
    if (busy) gt_service_wake();
    return status;
}

void goat_job_progress(const goat_job *job, double *done, double *total) {
    gt_job_info info = {0};
    if (job != NULL) {
        goat_db *db = gt_job_db(job);
        gt_db_lock(db);
        gt_job_info_of(job, &info);
        gt_db_unlock(db);
    }
    if (done != NULL) *done = info.progress_done;
    if (total != NULL) *total = info.progress_total;
}

goat_status goat_job_result(goat_job *job, goat_buf *result, goat_error **error) {
    GT_REQUIRE(job);
    GT_REQUIRE(result);
    gt_call call;
    gt_job_info info;
    gt_enter(&call, gt_job_db(job), error);
    gt_job_info_of(job, &info);
    goat_status status =
        info.done ? failure_of(&info, call.diag) : gt_fail(call.diag, GOAT_LOADING, "the job is not done yet");
    if (status == GOAT_OK) {
        status = gt_put(result, info.result, call.diag);
    } else if (info.done && info.result.len > 0) {
        gt_put(result, info.result, NULL); /* what was done before it failed */
    }
    return gt_leave(&call, status);
}

void goat_job_cancel(goat_job *job) {
    if (job == NULL) return;
    goat_db *db = gt_job_db(job);
    gt_db_lock(db);
    gt_job_cancel(job);
    gt_db_want_run(db);
    gt_db_unlock(db);
    gt_service_wake();
}

uint32_t goat_job_id(const goat_job *job) { return job == NULL ? 0 : gt_job_id(job); }

void goat_job_free(goat_job *job) {
    if (job == NULL) return;
    goat_db *db = gt_job_db(job);
    gt_db_lock(db);
    gt_job_release(job);
    gt_db_unlock(db);
    gt_db_release(db);
    gt_live_less();
}
