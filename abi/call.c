/* The way out of the engine: unlocking, telling whoever waits, and for jobs handing out or blocking. */
#include "abi.h"

/* While a blocking call waits it looks again by itself: a host's storage may complete without a word. */
enum { WAIT_US_MIN = 1000, WAIT_US_MAX = 50000 };

/* Gives the lock up. The service thread goes on with what this call leaves undone. */
static void unlock(goat_db *db, bool leaves_work) {
    bool wanted = gt_database_take_pump_wanted(gt_db_database(db)) || leaves_work;
    gt_db_unlock(db);
    if (wanted) gt_service_wake();
}

goat_status gt_leave(gt_call *call, goat_status status) {
    unlock(call->db, false);
    return gt_result(call->error, status, call->diag);
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

goat_status gt_wait_until(goat_db *db, bool (*is_done)(const void *subject), const void *subject, uint64_t timeout_us) {
    uint64_t begin = gt_db_now_us(db), waited = 0, pause = WAIT_US_MIN, deadline;
    for (;;) {
        if (is_done(subject)) return GOAT_OK;
        uint64_t now = gt_db_now_us(db);
        uint64_t passed = now - begin > waited ? now - begin : waited; /* a host's clock may stand still */
        if (passed >= timeout_us) return GOAT_TIMEOUT;
        if (gt_db_pump(db, now, &deadline)) {
            pause = WAIT_US_MIN;
            gt_db_unlock(db); /* others have their turn, and what is due is called */
            gt_db_lock(db);
        } else if (!GT_PORT_HAS_THREADS) {
            return is_done(subject) ? GOAT_OK : GOAT_WOULD_BLOCK;
        } else if (!is_done(subject)) {
            uint64_t some = least(pause, timeout_us - passed);
            if (deadline > now) some = least(some, deadline - now);
            gt_db_wait(db, some);
            waited += some;
            pause = least(2 * pause, WAIT_US_MAX);
        }
    }
}

bool gt_job_is_done(const void *job) {
    gt_job_info info;
    gt_job_info_of(job, &info);
    return info.done;
}

/* What a job that was waited for came to. */
static goat_status outcome(gt_call *call, const goat_job *job, goat_buf *result) {
    gt_job_info info;
    gt_job_info_of(job, &info);
    if (info.status != GOAT_OK) {
        if (call->diag != NULL) *call->diag = *info.diag;
        if (result != NULL && info.result.len > 0) gt_put(result, info.result, NULL); /* done before it failed */
        return info.status;
    }
    return result == NULL ? GOAT_OK : gt_put(result, info.result, call->diag);
}

goat_status gt_leave_with_job(gt_call *call, goat_status status, goat_job *made, goat_job **job, goat_buf *result) {
    goat_db *db = call->db;
    if (status != GOAT_OK) return gt_leave(call, status);
    gt_db_retain(db);
    if (job != NULL) {
        *job = made;
        gt_live_more();
        gt_db_want_run(db);
        unlock(db, true);
        return GOAT_OK;
    }
    status = gt_wait_until(db, gt_job_is_done, made, UINT64_MAX);
    if (status == GOAT_OK) {
        status = outcome(call, made, result);
    } else {
        gt_fail(call->diag, status, "the storage does not complete at once, and nothing may block here: use a job");
    }
    gt_job_release(made);
    unlock(db, gt_database_is_busy(gt_db_database(db)));
    gt_db_release(db);
    return gt_result(call->error, status, call->diag);
}
