/* Reverts: the commits that are meant are looked for, the edit of each item is made, and all are captured at once.
 *
 * Looking and making go on over many rounds while others edit; what has changed under an item meanwhile is seen at the end,
 * in one step with the capture, and its edit is made anew. */
#include "db/revert.h"

#include "db/internal.h"

#include <stdlib.h>

/* What a step may cost: so many commits replayed, an item counting as several and a commit on the way back as a part of one.
 * A commit of a long text takes some 5 us. */
enum { COST_A_STEP = 192, COST_OF_ITEM = 12, COMMITS_ON_THE_WAY = 8, FASTER_MAX = 1 << 20 };

typedef enum stage { BEGIN, LOOK, SORT, MAKE, CAPTURE } stage;

typedef struct reverting {
    gt_space *space;
    gt_revert_spec spec;
    gt_revert_search search;
    stage stage;
    uint32_t next;   /* gt_revert_plan */
    uint32_t faster; /* how many times as much as usual a step may cost */
    gt_revert_plan *plans;
    size_t plan_count;
    bool is_capturing; /* what is told is what was done, not what would be */
    gt_diag unsaved;   /* why some edits could not be captured */
} reverting;

static gt_repo *repo_of(const reverting *r) { return r->space->mount->repo; }

static void end_reverting(goat_job *job) {
    reverting *r = job->state;
    const gt_alloc *alloc = job->db->database->alloc;
    for (size_t i = 0; i < r->plan_count; i++) {
        gt_revert_free(&r->plans[i].revert);
        gt_buf_free(&r->plans[i].after);
        gt_buf_free(&r->plans[i].heads);
    }
    gt_free(alloc, r->plans);
    gt_revert_search_free(&r->search);
    gt_revert_spec_free(&r->spec);
    gt_free(alloc, r);
}

/* ---- unsaved edits ---- */

/* They are captured, of the item or of all; what is not valid stays as it is. */
static goat_status capture_edits(reverting *r, gt_diag *diag) {
    if (r->spec.item.len > 0) return gt_capture_item(r->space, gt_buf_bytes(&r->spec.item), diag);
    gt_diag_init(&r->unsaved);
    goat_status status = gt_capture_space(r->space, &r->unsaved);
    if (status == GOAT_INVALID || status == GOAT_TOO_LARGE) return GOAT_OK;
    if (status != GOAT_OK) *diag = r->unsaved;
    return status;
}

/* Those that stayed are in the way of a revert of their own item. */
static goat_status check_unsaved(const reverting *r, const gt_revert_plan *one, gt_diag *diag) {
    gt_work *work = gt_works_find(&r->space->works, r->space->db->database, gt_repo_key(repo_of(r), one->item));
    if (one->revert.names.len == 0 || work == NULL || !gt_work_has_edits(work)) return GOAT_OK;
    goat_status status = gt_work_validate(work, diag);
    if (status != GOAT_OK || r->spec.dry_run || r->unsaved.status == GOAT_OK) return status;
    *diag = r->unsaved;
    return diag->status;
}

static goat_status begin(reverting *r, gt_diag *diag) {
    gt_signer signer = gt_signer_of(r->space->db->database, r->space->mount);
    uint32_t item = GT_NONE;
    goat_status status = GOAT_OK;
    if (!r->spec.dry_run) {
        status = gt_space_check_writable(r->space, diag);
        if (status == GOAT_OK) status = capture_edits(r, diag);
    }
    if (status == GOAT_OK && r->spec.item.len > 0) {
        item = gt_repo_find(repo_of(r), gt_buf_bytes(&r->spec.item));
        if (item == GT_NONE) return gt_fail(diag, GOAT_NOT_FOUND, "no commit holds the item");
    }
    return status == GOAT_OK ? gt_revert_search_begin(&r->search, &signer.session, item, diag) : status;
}

/* ---- by item ---- */

typedef struct sorted_row {
    uint32_t item, row;
} sorted_row;

static int by_item(const void *a, const void *b) {
    const sorted_row *x = a, *y = b;
    if (x->item != y->item) return x->item < y->item ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row;
}

static goat_status sort(reverting *r, gt_diag *diag) {
    const gt_alloc *alloc = r->space->db->database->alloc;
    size_t found = r->search.rows.len / sizeof(uint32_t), count = 0, items = 0;
    uint32_t *rows = (uint32_t *)(void *)r->search.rows.data;
    sorted_row *all = gt_new(alloc, found + 1, sizeof(*all));
    if (all == NULL) return gt_no_memory(diag);
    for (size_t i = 0; i < found; i++) all[i] = (sorted_row){gt_repo_commit_key(repo_of(r), rows[i]).item, rows[i]};
    qsort(all, found, sizeof(*all), by_item);
    for (size_t i = 0; i < found; i++) { /* each once */
        if (count == 0 || by_item(&all[count - 1], &all[i]) != 0) all[count++] = all[i];
    }
    for (size_t i = 0; i < count; i++) {
        rows[i] = all[i].row;
        items += i == 0 || all[i].item != all[i - 1].item;
    }
    r->plans = gt_new(alloc, items + 1, sizeof(*r->plans));
    for (size_t i = 0; r->plans != NULL && i < count; i++) {
        if (i == 0 || all[i].item != all[i - 1].item) {
            gt_revert_plan *made = &r->plans[r->plan_count++];
            *made = (gt_revert_plan){.item = all[i].item, .first = (uint32_t)i};
            gt_revert_init(&made->revert, alloc);
            gt_buf_init(&made->after, alloc);
            gt_buf_init(&made->heads, alloc);
        }
        r->plans[r->plan_count - 1].count++;
    }
    gt_free(alloc, all);
    r->next = 0;
    return r->plans == NULL ? gt_no_memory(diag) : GOAT_OK;
}

/* ---- the edits ---- */

/* What was seen was within its schema, and what comes of it is not: its author is told, as with any edit. */
static goat_status check_outcome(const reverting *r, gt_revert_plan *one, gt_diag *diag) {
    gt_repo *repo = repo_of(r);
    goat_status status = gt_revert_outcome(repo, &one->revert, &one->after, diag);
    gt_bytes after = gt_buf_bytes(&one->after), view = gt_buf_bytes(&one->revert.view);
    if (status == GOAT_OK && after.len > GOAT_VALUE_MAX) {
        status = gt_fail(diag, GOAT_TOO_LARGE, "the item is larger than %d bytes", GOAT_VALUE_MAX);
    }
    bool counts = status == GOAT_OK && gt_map_find_int(after, 0).data == NULL;
    if (counts && gt_schema_check_state(one->revert.schema, view, NULL) == GOAT_OK) {
        status = gt_schema_check_state(one->revert.schema, after, diag);
    }
    if (status == GOAT_OK) return GOAT_OK;
    gt_diag_item(diag, (const char *)gt_repo_path(repo).data, gt_repo_key(repo, one->item));
    return status;
}

/* Where others have edited before it was done: so that it comes to an end wherever somebody edits all the time. */
static void go_faster(reverting *r) {
    if (r->faster < FASTER_MAX) r->faster *= 2;
}

static void spend(uint32_t *budget, uint64_t cost) { *budget -= cost < *budget ? (uint32_t)cost : *budget; }

static goat_status begin_plan(reverting *r, gt_revert_plan *one, const gt_buf *heads, uint32_t *budget, gt_diag *diag) {
    uint64_t before = gt_repo_work(repo_of(r));
    gt_revert_free(&one->revert);
    gt_revert_init(&one->revert, heads->alloc);
    gt_buf_clear(&one->after);
    gt_buf_clear(&one->heads);
    gt_buf_append(&one->heads, heads->data, heads->len);
    if (gt_buf_failed(&one->heads)) return gt_no_memory(diag);
    goat_status status = gt_revert_begin(
        repo_of(r), one->item, (const gt_id *)(const void *)heads->data, (uint32_t)(heads->len / GT_ID_SIZE),
        (const uint32_t *)(const void *)r->search.rows.data + one->first, one->count, &one->revert, diag);
    bool is_range = r->spec.kind == GT_REVERT_RANGE;
    one->skipped = one->revert.hidden > 0 ? GOAT_NO_SCHEMA : GOAT_OK;
    if (status == GOAT_OK && one->revert.hidden > 0 && !is_range) {
        status = gt_fail(diag, GOAT_NO_SCHEMA, "a commit is of a version that is not read here, or on one that is");
    } else if (status == GOAT_OK && one->revert.unseen > 0 && !is_range) {
        status = gt_fail(diag, GOAT_NOT_FOUND, "a commit is not visible before the next advance");
    }
    one->is_begun = status == GOAT_OK;
    spend(budget, COST_OF_ITEM + (gt_repo_work(repo_of(r)) - before) / COMMITS_ON_THE_WAY);
    return status;
}

/* Makes a plan as far as the budget goes, or makes it anew where others have edited the item since. */
static goat_status make(reverting *r, gt_revert_plan *one, uint32_t *budget, gt_diag *diag) {
    gt_buf heads;
    bool done = false;
    if (one->count == 0) return GOAT_OK;
    gt_buf_init(&heads, r->space->db->database->alloc);
    goat_status status = gt_space_heads(r->space, one->item, &heads, diag);
    bool is_right = one->is_begun && gt_bytes_equal(gt_buf_bytes(&heads), gt_buf_bytes(&one->heads));
    if (status == GOAT_OK && !is_right) {
        if (one->is_begun && !one->is_made) go_faster(r);
        one->is_begun = one->is_made = false;
        if (*budget > 0) status = begin_plan(r, one, &heads, budget, diag);
    }
    if (status == GOAT_OK && !one->is_made && *budget > 0) {
        status = gt_revert_step(repo_of(r), &one->revert, budget, &done, diag);
        if (status == GOAT_OK && done && one->revert.names.len > 0) status = check_outcome(r, one, diag);
        one->is_made = status == GOAT_OK && done;
    }
    gt_buf_free(&heads);
    return status;
}

static bool is_ready(const gt_revert_plan *one) { return one->is_made || one->count == 0; }

/* What of a range is not visible yet is not meant; what cannot be read is left out, and the result says so. Where nothing
 * changes there is no revert, or each run would write one more; of named commits it is the record that they are undone. */
static goat_status make_of_range(reverting *r, gt_revert_plan *one, uint32_t *budget, gt_diag *diag) {
    gt_seen seen;
    gt_diag why;
    gt_diag_init(&why);
    goat_status status = one->is_begun || one->count == 0 ? GOAT_OK : gt_space_see(r->space, one->item, &seen, &why);
    bool is_seen = status != GOAT_NOT_FOUND;
    if (status == GOAT_OK) {
        if (!one->is_begun && one->count > 0) gt_view_drop(r->space->db->database->alloc, &seen.view);
        status = make(r, one, budget, &why);
    }
    if (status == GOAT_OK && one->is_made && gt_value_count(gt_map_or_empty(gt_buf_bytes(&one->revert.delta))) == 0) {
        gt_buf_clear(&one->revert.names);
    }
    if (!is_seen || status == GOAT_NO_SCHEMA || status == GOAT_CORRUPT) {
        const gt_alloc *alloc = r->space->db->database->alloc;
        one->count = 0;
        one->skipped = is_seen ? status : GOAT_OK;
        gt_revert_free(&one->revert);
        gt_revert_init(&one->revert, alloc);
        return GOAT_OK;
    }
    if (status != GOAT_OK) *diag = why;
    return status;
}

static goat_status make_one(reverting *r, gt_revert_plan *one, uint32_t *budget, gt_diag *diag) {
    return r->spec.kind == GT_REVERT_RANGE ? make_of_range(r, one, budget, diag) : make(r, one, budget, diag);
}

static goat_status make_some(reverting *r, bool *done, gt_diag *diag) {
    uint32_t budget = COST_A_STEP * r->faster;
    goat_status status = GOAT_OK;
    while (budget > 0 && r->next < r->plan_count && status == GOAT_OK) {
        gt_revert_plan *one = &r->plans[r->next];
        status = make_one(r, one, &budget, diag);
        spend(&budget, 1);
        r->next += is_ready(one);
    }
    *done = r->next == r->plan_count;
    return status;
}

/* ---- the capture ---- */

static goat_status capture_some(reverting *r, size_t from, size_t to, gt_diag *diag) {
    gt_database *database = r->space->db->database;
    gt_signer signer = gt_signer_of(database, r->space->mount);
    gt_capture *capture = NULL;
    goat_status status = gt_capture_begin(repo_of(r), &capture, diag);
    for (size_t i = from; i < to && status == GOAT_OK; i++) {
        gt_revert_plan *one = &r->plans[i];
        if (one->revert.names.len == 0) continue;
        gt_leaf leaf = {
            .key = gt_repo_key(repo_of(r), one->item),
            .parents = (const gt_id *)(const void *)one->revert.heads.data,
            .parent_count = (uint32_t)(one->revert.heads.len / GT_ID_SIZE),
            .schema = one->revert.schema,
            .delta = gt_buf_bytes(&one->revert.delta),
            .reverts = (const gt_id *)(const void *)one->revert.names.data,
            .revert_count = (uint32_t)(one->revert.names.len / GT_ID_SIZE),
            .message = r->spec.message.len > 0 ? gt_buf_bytes(&r->spec.message) : (gt_bytes){0},
        };
        status = gt_capture_add(capture, &signer, &leaf, &one->id, diag);
    }
    if (status != GOAT_OK) {
        gt_capture_drop(capture);
        return status;
    }
    gt_capture_group(capture, 0);
    database->acting = r->space;
    status = gt_capture_finish(capture, &signer, GT_FROM_REVERT, diag);
    database->acting = NULL;
    for (size_t i = from; i < to && status == GOAT_OK; i++) r->plans[i].is_done = r->plans[i].revert.names.len > 0;
    return status;
}

/* ---- all of it ---- */

static goat_status tell(const reverting *r, gt_buf *result, gt_diag *diag) {
    gt_revert_result all = {repo_of(r), &r->spec, r->plans, r->plan_count, r->is_capturing};
    return gt_revert_write_result(&all, result, diag);
}

/* Once something is captured the result is told: there has to be room for it before. */
static goat_status reserve_result(const reverting *r, gt_buf *result, gt_diag *diag) {
    goat_status status = tell(r, result, diag);
    gt_buf_clear(result);
    return status;
}

/* Whether all are as they are to be now. Where others have edited too much since, they are made anew, in larger steps. */
static goat_status make_ready(reverting *r, bool *ready, gt_diag *diag) {
    uint32_t budget = COST_A_STEP * r->faster;
    goat_status status = capture_edits(r, diag);
    *ready = true;
    for (size_t i = 0; i < r->plan_count && status == GOAT_OK; i++) {
        status = make_one(r, &r->plans[i], &budget, diag);
        *ready = *ready && is_ready(&r->plans[i]);
        if (status == GOAT_OK && *ready) status = check_unsaved(r, &r->plans[i], diag);
    }
    if (*ready) return status;
    go_faster(r);
    r->next = 0;
    return status;
}

/* As one transaction, or as few as hold them. */
static goat_status capture_all(reverting *r, gt_buf *result, gt_diag *diag) {
    goat_status status = reserve_result(r, result, diag);
    if (status != GOAT_OK) return status;
    r->is_capturing = true;
    size_t most = GOAT_BATCH_MAX;
    for (size_t done = 0; status == GOAT_OK && done < r->plan_count;) {
        size_t some = r->plan_count - done < most ? r->plan_count - done : most;
        status = capture_some(r, done, done + some, diag);
        if (status == GOAT_TOO_LARGE && some > 1) { /* of a frame's bytes */
            most = some / 2;
            status = GOAT_OK;
            gt_diag_init(diag);
        } else {
            done += some;
        }
    }
    return status;
}

/* ---- the job ---- */

/* Of several transactions. */
static bool has_done_some(const reverting *r) {
    bool any = false;
    for (size_t i = 0; i < r->plan_count; i++) any = any || r->plans[i].is_done;
    return any;
}

static goat_status step(reverting *r, goat_job *job, bool *done, gt_diag *diag) {
    bool stage_done = true, ready = true;
    goat_status status = gt_space_check(r->space, diag);
    if (status != GOAT_OK) return status;
    switch (r->stage) {
    case BEGIN: status = begin(r, diag); break;
    case LOOK: status = gt_revert_search_step(&r->search, &stage_done, diag); break;
    case SORT: status = sort(r, diag); break;
    case MAKE:
        status = make_some(r, &stage_done, diag);
        job->progress_done = (double)r->next;
        job->progress_total = (double)r->plan_count;
        break;
    case CAPTURE:
        if (!r->spec.dry_run) status = make_ready(r, &ready, diag);
        if (status == GOAT_OK && !ready) {
            r->stage = MAKE;
            return GOAT_OK;
        }
        if (status == GOAT_OK && !r->spec.dry_run) status = capture_all(r, &job->result, diag);
        for (size_t i = 0; r->spec.dry_run && status == GOAT_OK && i < r->plan_count; i++) {
            status = check_unsaved(r, &r->plans[i], diag);
        }
        if (status == GOAT_OK || has_done_some(r)) {
            goat_status wrote = tell(r, &job->result, status == GOAT_OK ? diag : NULL);
            if (status == GOAT_OK) status = wrote;
        }
        *done = true;
        break;
    }
    if (stage_done) r->stage++;
    return status;
}

static gt_step_result revert_step(goat_job *job) {
    gt_diag diag;
    bool done = false;
    gt_diag_init(&diag);
    goat_status status = step(job->state, job, &done, &diag);
    if (status != GOAT_OK) {
        if (gt_buf_failed(&job->result)) gt_buf_clear(&job->result);
        gt_job_fail(job, status, &diag);
        return GT_STEP_DONE;
    }
    return done ? GT_STEP_DONE : GT_STEP_MORE;
}

static const gt_job_kind revert_kind = {revert_step, end_reverting, true};

goat_status gt_space_revert(gt_space *space, gt_bytes spec, goat_job **job, gt_diag *diag) {
    goat_status status = gt_space_check(space, diag);
    if (status != GOAT_OK) return status;
    const gt_alloc *alloc = space->db->database->alloc;
    reverting *r = gt_new(alloc, 1, sizeof(*r));
    if (r == NULL) return gt_no_memory(diag);
    status = gt_revert_spec_read(spec, alloc, &r->spec, diag);
    if (status == GOAT_OK) {
        r->space = space;
        r->faster = 1;
        gt_revert_search_init(&r->search, space->mount->repo, &r->spec);
        status = gt_job_new(space->db, &revert_kind, r, job, diag);
        if (status != GOAT_OK) gt_revert_spec_free(&r->spec);
    }
    if (status != GOAT_OK) gt_free(alloc, r);
    return status;
}
