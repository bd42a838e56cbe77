/* Repositories: opening and closing, listing, applying many edits, digests. A handle names what its database
 * handle sees of the repository; several may name the same. */
#include "abi.h"

#include "value/build.h"

static goat_repo *new_repo(goat_db *db, gt_space *space, gt_diag *diag) {
    goat_repo *repo = gt_new(&gt_alloc_system, 1, sizeof(*repo));
    if (repo == NULL) {
        gt_no_memory(diag);
        return NULL;
    }
    *repo = (goat_repo){db, space};
    gt_db_retain(db);
    gt_live_more();
    return repo;
}

goat_status goat_repo_open(goat_db *db, const char *path, size_t path_len, uint32_t flags, goat_repo **repo,
                           goat_job **job, goat_error **error) {
    gt_call call;
    gt_space *space = NULL;
    goat_job *opening = NULL;
    if (repo != NULL) *repo = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(db);
    GT_REQUIRE(path);
    GT_REQUIRE(repo);
    if (flags != 0) return gt_misuse(error, "flags has unknown bits");
    gt_enter(&call, db, error);
    goat_status status = gt_space_open(db, gt_bytes_of(path, path_len), &space, &opening, call.diag);
    if (status != GOAT_OK) return gt_leave(&call, status);
    goat_repo *made = new_repo(db, space, call.diag);
    if (made == NULL) { /* it goes on opening, and is there at the next attempt */
        gt_job_release(opening);
        return gt_leave(&call, GOAT_NO_MEMORY);
    }
    status = gt_leave_with_job(&call, GOAT_OK, opening, job, NULL);
    if (status == GOAT_OK) {
        *repo = made;
    } else {
        goat_repo_free(made);
    }
    return status;
}

goat_status goat_repo_close(goat_repo *repo, goat_job **job, goat_error **error) {
    gt_call call;
    goat_job *made = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(repo);
    gt_enter(&call, repo->db, error);
    goat_status status = gt_space_close(repo->space, &made, call.diag);
    return gt_leave_with_job(&call, status, made, job, NULL);
}

void goat_repo_free(goat_repo *repo) {
    if (repo == NULL) return;
    goat_db *db = repo->db;
    gt_free(&gt_alloc_system, repo);
    gt_db_release(db);
    gt_live_less();
}

goat_status goat_db_repos(goat_db *db, goat_buf *paths, goat_job **job, goat_error **error) {
    gt_call call;
    goat_job *made = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(db);
    gt_enter(&call, db, error);
    goat_status status = gt_db_repos(db, &made, call.diag);
    return gt_leave_with_job(&call, status, made, job, paths);
}

goat_status goat_repo_digest(goat_repo *repo, goat_buf *digest, goat_job **job, goat_error **error) {
    gt_call call;
    goat_job *made = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(repo);
    gt_enter(&call, repo->db, error);
    goat_status status = gt_space_digest(repo->space, &made, call.diag);
    return gt_leave_with_job(&call, status, made, job, digest);
}

goat_status goat_repo_revert(goat_repo *repo, const char *spec, size_t spec_len, goat_buf *result, goat_job **job,
                             goat_error **error) {
    gt_call call;
    goat_job *made = NULL;
    if (job != NULL) *job = NULL;
    GT_REQUIRE(repo);
    GT_REQUIRE(spec);
    gt_enter(&call, repo->db, error);
    goat_status status = gt_space_revert(repo->space, gt_bytes_of(spec, spec_len), &made, call.diag);
    return gt_leave_with_job(&call, status, made, job, result);
}

/* ---- applying ---- */

static void write_count(gt_buf *out, const char *name, uint32_t count) {
    gt_write_text(out, gt_bytes_text(name));
    gt_write_int(out, count);
}

typedef goat_status (*apply_fn)(gt_space *space, gt_bytes edits, uint32_t flags, gt_apply_result *result,
                                gt_diag *diag);

static goat_status apply(apply_fn fn, goat_repo *repo, gt_bytes edits, uint32_t flags, goat_buf *result,
                         goat_error **error) {
    enum { RESULT_SIZE_MAX = 64 };
    gt_call call;
    gt_apply_result counts;
    uint8_t bytes[RESULT_SIZE_MAX];
    gt_buf out = gt_on_stack(bytes, sizeof(bytes));
    if ((flags & ~(uint32_t)(GOAT_APPLY_TRANSACTION | GOAT_APPLY_CREATE_ONLY)) != 0) {
        return gt_misuse(error, "flags has unknown bits");
    }
    gt_enter(&call, repo->db, error);
    goat_status status = fn(repo->space, edits, flags, &counts, call.diag);
    if (status == GOAT_OK && result != NULL) {
        gt_write_map_head(&out, 3); /* keys by length, then bytes */
        write_count(&out, "changed", counts.changed);
        write_count(&out, "created", counts.created);
        write_count(&out, "unchanged", counts.unchanged);
        status = gt_put(result, gt_buf_bytes(&out), call.diag);
    }
    return gt_leave(&call, status);
}

goat_status goat_repo_apply(goat_repo *repo, const uint8_t *edits, size_t edits_len, uint32_t flags, goat_buf *result,
                            goat_error **error) {
    GT_REQUIRE(repo);
    GT_REQUIRE(edits);
    return apply(gt_space_apply, repo, gt_bytes_of(edits, edits_len), flags, result, error);
}

goat_status goat_repo_apply_json(goat_repo *repo, const char *edits, size_t edits_len, uint32_t flags, goat_buf *result,
                                 goat_error **error) {
    GT_REQUIRE(repo);
    GT_REQUIRE(edits);
    return apply(gt_space_apply_json, repo, gt_bytes_of(edits, edits_len), flags, result, error);
}
