/* What a host asks of a whole database: facts, rounds, the wake-up, advance, flush, verification. */
#include "abi.h"

#include <math.h>

goat_status goat_db_info(goat_db *db, goat_buf *info, goat_error **error) {
    gt_call call;
    GT_REQUIRE(db);
    GT_REQUIRE(info);
    gt_enter(&call, db, error);
    gt_buf out = gt_lend(info);
    goat_status status = gt_db_check(db, call.diag);
    if (status == GOAT_OK) gt_db_info(db, &out);
    return gt_leave(&call, gt_give_back(info, &out, status, call.diag));
}

/* Rounds until there is nothing to do, or the budget is spent. A closed handle is run as long as its closing takes. */
static goat_status run(goat_db *db, uint64_t now_us, uint32_t budget_us, uint64_t *deadline_us, gt_diag *diag) {
    uint64_t begin = gt_db_now_us(db), passed = 0;
    bool did = false, any = false;
    if (now_us == UINT64_MAX) now_us = begin;
    gt_db_run_begins(db);
    do {
        if (did) {
            gt_db_unlock(db); /* others have their turn, and what is due is called */
            gt_db_lock(db);
        }
        did = gt_db_pump(db, now_us + passed, deadline_us);
        any = any || did;
        passed = gt_db_now_us(db) - begin;
    } while (did && passed < budget_us);
    if (any || gt_db_has_jobs(db)) return GOAT_OK;
    return gt_db_check(db, NULL) == GOAT_CLOSED ? gt_db_check(db, diag) : GOAT_OK;
}

goat_status goat_db_run(goat_db *db, double now_ms, uint32_t budget_us, double *next_deadline_ms, goat_error **error) {
    enum { US_PER_MS = 1000 };
    static const double now_ms_max = 9e15; /* whole numbers below it are exact */
    gt_call call;
    uint64_t deadline_us = UINT64_MAX;
    if (next_deadline_ms != NULL) *next_deadline_ms = 0;
    GT_REQUIRE(db);
    if (isnan(now_ms) || now_ms > now_ms_max) return gt_misuse(error, "now_ms is no time");
    gt_end_orphans();
    gt_enter(&call, db, error);
    uint64_t now_us = now_ms < 0 ? UINT64_MAX : (uint64_t)(now_ms * US_PER_MS);
    goat_status status = run(db, now_us, budget_us, &deadline_us, call.diag);
    if (status == GOAT_OK && next_deadline_ms != NULL) {
        *next_deadline_ms = deadline_us == UINT64_MAX ? -1 : (double)deadline_us / US_PER_MS;
    }
    return gt_leave(&call, status);
}

goat_status goat_db_on_wake(goat_db *db, goat_wake_fn wake, void *userdata, goat_free_fn free_userdata,
                            goat_error **error) {
    gt_call call;
    goat_status status = GOAT_MISUSE;
    if (db != NULL) {
        gt_enter(&call, db, error);
        status = gt_db_check(db, NULL) == GOAT_CLOSED ? gt_db_check(db, call.diag) : GOAT_OK;
        if (status == GOAT_OK) status = gt_db_on_wake(db, wake, userdata, free_userdata, call.diag);
        status = gt_leave(&call, status);
    } else {
        status = gt_misuse(error, "db is NULL");
    }
    if (status != GOAT_OK && free_userdata != NULL) free_userdata(userdata);
    return status;
}

goat_status goat_db_advance(goat_db *db, goat_buf *changes, goat_error **error) {
    gt_call call;
    GT_REQUIRE(db);
    gt_enter(&call, db, error);
    if (changes == NULL) return gt_leave(&call, gt_db_advance(db, NULL, call.diag));
    gt_buf out = gt_lend(changes);
    goat_status status = gt_db_advance(db, &out, call.diag);
    return gt_leave(&call, gt_give_back(changes, &out, status, call.diag));
}

goat_status goat_db_flush(goat_db *db, goat_durability level, goat_job **job, goat_error **error) {
    gt_call call;
    goat_job *made = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(db);
    if (level < GOAT_DURABLE_MEMORY || level > GOAT_DURABLE_SERVER) return gt_misuse(error, "level is none");
    gt_enter(&call, db, error);
    goat_status status = gt_db_flush(db, level, &made, call.diag);
    return gt_leave_with_job(&call, status, made, job, NULL);
}

goat_status goat_db_verify(goat_db *db, const char *path, size_t path_len, goat_buf *report, goat_job **job,
                           goat_error **error) {
    gt_call call;
    goat_job *made = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(db);
    GT_REQUIRE_RUN(path, path_len);
    gt_enter(&call, db, error);
    goat_status status = gt_db_verify(db, gt_bytes_of(path, path_len), &made, call.diag);
    return gt_leave_with_job(&call, status, made, job, report);
}
