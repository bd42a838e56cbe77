/* The job that waits until both sides have what each had when it began.
 *
 * What the server has is asked for by opening the channels anew: then it says how much it is about to send, and when
 * that is over. What was not open yet when the job began is opened later than that anyway. */
#include "db/internal.h"

#include "db/links.h"

typedef struct target {
    char path[GT_LOG_REPOSITORY_MAX + 1];
    size_t path_len;
    uint64_t length; /* of our log when the job began, or when it was opened after that; UINT64_MAX: not open yet */
    bool asked;      /* its channel was opened after that */
} target;

typedef struct meeting {
    const gt_link *link; /* whose targets these are; only compared */
    uint32_t moves;      /* of the link, when it was last looked at */
    goat_status invalid; /* what the capture could not take */
    gt_diag diag;
    size_t path_len; /* 0: all */
    char path[GT_LOG_REPOSITORY_MAX + 1];
    size_t count;
    target targets[];
} meeting;

/* The connection that is asked: the first that has not ended. */
static gt_link *find_link(const gt_database *database) {
    gt_link *link = database->links;
    while (link != NULL && (!gt_link_is_client(link) || link->sync == NULL || link->ended)) link = link->next;
    return link;
}

static bool is_meant(const meeting *state, const gt_want *want) {
    return state->path_len == 0 ||
           gt_bytes_equal(gt_bytes_of(want->path, want->path_len), gt_bytes_of(state->path, state->path_len));
}

static target *find_target(meeting *state, const gt_want *want) {
    for (size_t i = 0; i < state->count; i++) {
        target *one = &state->targets[i];
        if (one->path_len == want->path_len && memcmp(one->path, want->path, want->path_len) == 0) return one;
    }
    return NULL;
}

static void add_target(meeting *state, const gt_link *link, const gt_want *want) {
    target *one = &state->targets[state->count++];
    gt_channel_info info;
    bool has_channel = gt_want_info(link, want, &info) && info.shared != NULL;
    *one = (target){.path_len = want->path_len, .length = UINT64_MAX, .asked = !has_channel};
    memcpy(one->path, want->path, want->path_len);
    if (has_channel) one->length = gt_log_length(gt_repo_log(info.shared->repo));
}

/* ---- steps ---- */

static gt_step_result fail(goat_job *job, goat_status status, const char *words, const gt_want *want) {
    gt_fail(&job->diag, status, "%s", words);
    if (want != NULL) gt_diag_path(&job->diag, want->path, want->path_len);
    gt_job_end(job, status);
    return GT_STEP_DONE;
}

static void count_progress(goat_job *job, const gt_channel_info *info) {
    job->progress_total += (double)info->coming_bytes;
    job->progress_done += (double)(info->came_bytes < info->coming_bytes ? info->came_bytes : info->coming_bytes);
}

/* GT_STEP_DONE: this one is as it is to be. */
static gt_step_result look_at(goat_job *job, gt_link *link, gt_want *want) {
    meeting *state = job->state;
    gt_channel_info info;
    target *one = state->link == link ? find_target(state, want) : NULL;
    if (!gt_want_info(link, want, &info)) return GT_STEP_WAIT;
    count_progress(job, &info);
    if (info.open && info.even && info.parted) { /* what keeps the two apart may still come from a third */
        return fail(job, GOAT_CONFLICT, "the two sides do not become equal", want);
    }
    if (one != NULL && one->length == UINT64_MAX && info.shared != NULL) {
        one->length = gt_log_length(gt_repo_log(info.shared->repo));
    }
    if (!gt_want_is_even(link, want, one == NULL ? UINT64_MAX : one->length)) {
        gt_diag why;
        if (!gt_want_is_stuck(link, want, &why)) return GT_STEP_WAIT;
        gt_job_fail(job, why.status, &why);
        return GT_STEP_DONE;
    }
    if (!info.open && state->path_len > 0) return fail(job, GOAT_NOT_FOUND, "neither side has the repository", want);
    if (one == NULL || one->asked) return GT_STEP_DONE;
    one->asked = true;
    gt_want_renew(link, want);
    return GT_STEP_WAIT;
}

static gt_step_result meeting_step(goat_job *job) {
    meeting *state = job->state;
    gt_link *link = find_link(job->db->database);
    if (link == NULL) return fail(job, GOAT_OFFLINE, "the connection to the server has ended", NULL);
    if (state->link == link && state->moves == link->moves) return GT_STEP_WAIT;
    state->moves = link->moves;
    bool done = !link->lists && link->listing == NULL && link->greeted;
    job->progress_done = job->progress_total = 0;
    for (gt_want *want = link->wants, *next; want != NULL; want = next) {
        next = want->next;
        if (!is_meant(state, want)) continue;
        done = look_at(job, link, want) == GT_STEP_DONE && done;
        if (job->done) return GT_STEP_DONE;
    }
    if (!done) return GT_STEP_WAIT;
    if (state->invalid != GOAT_OK) {
        gt_job_fail(job, state->invalid, &state->diag);
    } else if (state->path_len == 0 && gt_diag_is_set(&link->unlisted)) {
        gt_job_fail(job, link->unlisted.status, &link->unlisted);
    }
    return GT_STEP_DONE;
}

static void end_meeting(goat_job *job) { gt_free(job->db->database->alloc, job->state); }

static const gt_job_kind meeting_kind = {meeting_step, end_meeting, true};

/* ---- the job ---- */

static goat_status check_path(const gt_link *link, gt_bytes path, gt_diag *diag) {
    gt_path parsed;
    if (path.data == NULL) return GOAT_OK;
    goat_status status = gt_path_parse_repo(path, &parsed, diag);
    if (status == GOAT_OK && gt_link_find_want(link, path) == NULL) {
        status = gt_fail(diag, GOAT_NOT_FOUND, "the repository is not synced: nobody has it open");
    }
    if (status != GOAT_OK) gt_diag_path(diag, (const char *)path.data, path.len);
    return status;
}

/* A list that was not to be had may be by now. */
static void list_again(gt_link *link) {
    if (!gt_diag_is_set(&link->unlisted) || !link->config.all) return;
    gt_diag_init(&link->unlisted);
    link->lists = true;
    gt_sync_ask_list(link->sync);
}

goat_status gt_db_sync(goat_db *db, gt_bytes path, goat_job **job, gt_diag *diag) {
    const gt_alloc *alloc = db->database->alloc;
    goat_status status = gt_db_check(db, diag);
    if (status != GOAT_OK) return status;
    gt_link *link = find_link(db->database);
    if (link == NULL) return gt_fail(diag, GOAT_OFFLINE, "no server is connected");
    status = check_path(link, path, diag);
    if (status != GOAT_OK) return status;
    size_t count = 0;
    for (const gt_want *want = link->wants; want != NULL; want = want->next) count++;
    meeting *state = gt_new(alloc, 1, sizeof(*state) + count * sizeof(target));
    if (state == NULL) return gt_no_memory(diag);
    gt_diag_init(&state->diag);
    state->link = link;
    state->moves = link->moves - 1; /* it is looked at at once */
    state->path_len = path.len;
    if (path.len > 0) memcpy(state->path, path.data, path.len);
    state->invalid = gt_capture_handle(db, &state->diag);
    if (path.len == 0) list_again(link);
    for (const gt_want *want = link->wants; want != NULL; want = want->next) {
        if (is_meant(state, want)) add_target(state, link, want);
    }
    status = gt_job_new(db, &meeting_kind, state, job, diag);
    if (status != GOAT_OK) gt_free(alloc, state);
    return status;
}
