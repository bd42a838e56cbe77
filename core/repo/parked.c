/* Frames that cannot be taken in yet. Each waits for one commit or batch that it misses; when that comes, it is
 * tried again and may wait for the next one.
 *
 * So a frame is looked at once for each thing that it misses, however many others wait, and a few at a time; its signature
 * once since the repository was opened. Those of peers are bounded in bytes, all of them and those of each session, and
 * the oldest go first (peers send them again). They are in memory, and in checkpoints, never in the log. What came from the log waits there, because what it misses was damaged; it costs
 * next to nothing and is never dropped. */
#include "repo/tables.h"

/* Those of one session. */
struct gt_parked_session {
    gt_parked_session *next; /* in the bucket */
    gt_id id;
    size_t bytes;
    gt_parked *oldest, *newest;
};

static bool is_in_log(const gt_parked *parked) { return parked->session == NULL; }

static gt_parked **bucket_of(const gt_repo *repo, const gt_id *id) {
    return &repo->parked[gt_id_hash(repo, id) >> 32 & (GT_BUCKETS - 1)];
}

static gt_parked **bucket_alike(const gt_repo *repo, uint64_t hash) {
    return &repo->parked_alike[hash & (GT_BUCKETS - 1)];
}

static uint64_t hash_of(const gt_repo *repo, gt_bytes frame) { return gt_siphash(repo->hash_key, frame); }

/* ---- lists by what they wait for ---- */

static void wait_in(gt_parked **list, gt_parked *parked) {
    parked->next = *list;
    parked->at = list;
    if (parked->next != NULL) parked->next->at = &parked->next;
    *list = parked;
}

static void wait_no_more(gt_parked *parked) {
    *parked->at = parked->next;
    if (parked->next != NULL) parked->next->at = parked->at;
}

static void join_alike(gt_repo *repo, gt_parked *parked) {
    gt_parked **list = bucket_alike(repo, parked->hash);
    parked->next_alike = *list;
    parked->at_alike = list;
    if (parked->next_alike != NULL) parked->next_alike->at_alike = &parked->next_alike;
    *list = parked;
}

static void leave_alike(gt_parked *parked) {
    *parked->at_alike = parked->next_alike;
    if (parked->next_alike != NULL) parked->next_alike->at_alike = parked->at_alike;
}

/* ---- sessions ---- */

static gt_parked_session **session_slot(const gt_repo *repo, const gt_id *id) {
    gt_parked_session **at = &repo->parked_sessions[gt_id_hash(repo, id) >> 32 & (GT_BUCKETS - 1)];
    while (*at != NULL && gt_id_compare(&(*at)->id, id) != 0) at = &(*at)->next;
    return at;
}

static gt_parked_session *add_session(gt_repo *repo, const gt_id *id) {
    gt_parked_session **slot = session_slot(repo, id);
    if (*slot == NULL) {
        *slot = gt_new(repo->alloc, 1, sizeof(**slot));
        if (*slot != NULL) (*slot)->id = *id;
    }
    return *slot;
}

static void drop_empty_session(gt_repo *repo, const gt_id *id) {
    gt_parked_session **slot = session_slot(repo, id), *session = *slot;
    if (session->oldest != NULL) return;
    *slot = session->next;
    gt_free(repo->alloc, session);
}

/* ---- the orders of age ---- */

static gt_parked_list *list_of(gt_repo *repo, const gt_parked *parked) {
    return is_in_log(parked) ? &repo->parked_logged : &repo->parked_sent;
}

static void link_parked(gt_repo *repo, gt_parked *parked) {
    gt_parked_session *session = parked->session;
    gt_parked_list *list = list_of(repo, parked);
    wait_in(bucket_of(repo, &parked->waits_for), parked);
    join_alike(repo, parked);
    parked->older = list->newest;
    *(parked->older != NULL ? &parked->older->newer : &list->oldest) = parked;
    list->newest = parked;
    repo->parked_count++;
    if (session == NULL) return;
    parked->older_of_session = session->newest;
    *(session->newest != NULL ? &session->newest->newer_of_session : &session->oldest) = parked;
    session->newest = parked;
    session->bytes += parked->len;
    repo->parked_bytes += parked->len;
}

/* Takes one out of its lists and of the orders. */
static void unlink_parked(gt_repo *repo, gt_parked *parked) {
    gt_parked_session *session = parked->session;
    gt_parked_list *list = list_of(repo, parked);
    wait_no_more(parked);
    leave_alike(parked);
    *(parked->older != NULL ? &parked->older->newer : &list->oldest) = parked->newer;
    *(parked->newer != NULL ? &parked->newer->older : &list->newest) = parked->older;
    repo->parked_count--;
    if (session == NULL) return;
    gt_parked *older = parked->older_of_session, *newer = parked->newer_of_session;
    *(older != NULL ? &older->newer_of_session : &session->oldest) = newer;
    *(newer != NULL ? &newer->older_of_session : &session->newest) = older;
    session->bytes -= parked->len;
    repo->parked_bytes -= parked->len;
    drop_empty_session(repo, &session->id);
}

static void drop(gt_repo *repo, gt_parked *parked) {
    unlink_parked(repo, parked);
    gt_free(repo->alloc, parked);
}

/* One frame may be larger than a session's share, but then it is alone. */
static void keep_within_bounds(gt_repo *repo, gt_parked_session *session) {
    while (session->bytes > GT_PARKED_SESSION_BYTES_MAX && session->oldest != session->newest) {
        drop(repo, session->oldest);
    }
    while (repo->parked_bytes > GT_PARKED_BYTES_MAX) drop(repo, repo->parked_sent.oldest);
}

/* ---- parking ---- */

static bool is_parked(const gt_repo *repo, gt_bytes frame, uint64_t hash) {
    const gt_parked *parked = *bucket_alike(repo, hash);
    while (parked != NULL &&
           (parked->hash != hash || !gt_bytes_equal(gt_bytes_of(parked->frame, parked->len), frame))) {
        parked = parked->next_alike;
    }
    return parked != NULL;
}

static bool make_buckets(gt_repo *repo) {
    if (repo->parked == NULL) repo->parked = gt_new(repo->alloc, GT_BUCKETS, sizeof(gt_parked *));
    if (repo->parked_alike == NULL) repo->parked_alike = gt_new(repo->alloc, GT_BUCKETS, sizeof(gt_parked *));
    if (repo->parked_sessions == NULL) {
        repo->parked_sessions = gt_new(repo->alloc, GT_BUCKETS, sizeof(gt_parked_session *));
    }
    return repo->parked != NULL && repo->parked_alike != NULL && repo->parked_sessions != NULL;
}

static gt_parked *make(gt_repo *repo, gt_bytes frame, const gt_id *session, uint64_t offset) {
    bool in_log = offset != GT_NO_POSITION;
    gt_parked *parked = gt_new(repo->alloc, 1, sizeof(*parked) + (in_log ? 0 : frame.len));
    if (parked == NULL) return NULL;
    parked->offset = offset;
    parked->len = frame.len;
    parked->frame = in_log ? frame.data : parked->own;
    if (in_log) return parked;
    memcpy(parked->own, frame.data, frame.len);
    parked->session = add_session(repo, session);
    if (parked->session != NULL) return parked;
    gt_free(repo->alloc, parked);
    return NULL;
}

static goat_status park(gt_repo *repo, gt_bytes frame, const gt_id *session, const gt_id *waits_for, uint64_t offset,
                        bool verified, gt_origin origin, gt_diag *diag) {
    if (offset == GT_NO_POSITION && frame.len > GT_PARKED_BYTES_MAX) {
        return gt_fail(diag, GOAT_BUSY, "a batch that must wait is too large to be kept");
    }
    if (!make_buckets(repo)) return gt_no_memory(diag);
    uint64_t hash = hash_of(repo, frame);
    if (is_parked(repo, frame, hash)) return GOAT_OK;
    gt_parked *parked = make(repo, frame, session, offset);
    if (parked == NULL) return gt_no_memory(diag);
    parked->hash = hash;
    parked->verified = verified;
    parked->waits_for = *waits_for;
    parked->origin = origin;
    link_parked(repo, parked);
    if (!is_in_log(parked)) keep_within_bounds(repo, parked->session);
    return GOAT_OK;
}

goat_status gt_park(gt_repo *repo, gt_bytes frame, const gt_id *session, const gt_id *waits_for, uint64_t offset,
                    gt_origin origin, gt_diag *diag) {
    return park(repo, frame, session, waits_for, offset, true, origin, diag);
}

bool gt_parked_waits_for(const gt_repo *repo, const gt_id *id) {
    const gt_parked *parked = repo->parked == NULL ? NULL : *bucket_of(repo, id);
    while (parked != NULL && gt_id_compare(&parked->waits_for, id) != 0) parked = parked->next;
    return parked != NULL;
}

void gt_parked_arrived(gt_repo *repo, const gt_id *id) {
    if (repo->parked_count == 0) return;
    gt_parked *next;
    for (gt_parked *parked = *bucket_of(repo, id); parked != NULL; parked = next) {
        next = parked->next;
        if (gt_id_compare(&parked->waits_for, id) != 0) continue;
        wait_no_more(parked);
        wait_in(is_in_log(parked) ? &repo->ready_logged : &repo->ready_sent, parked);
    }
}

static gt_parked *first_ready(const gt_repo *repo) {
    if (repo->ready_logged != NULL) return repo->ready_logged;
    return repo->phase == GT_REPO_OPEN && !repo->config.read_only ? repo->ready_sent : NULL;
}

/* What waited in the log is there now, at a place that whoever reads the log may have passed: so it is logged once more,
 * for them. The rows stay with the first, and the second is nothing new when the log is read. */
static void log_again(gt_repo *repo, const gt_parked *parked) {
    if (!is_in_log(parked) || repo->phase != GT_REPO_OPEN || repo->config.read_only) return;
    gt_bytes frame = gt_bytes_of(parked->frame, parked->len);
    if (gt_log_append(repo->log, GT_RECORD_BATCH, frame, NULL, NULL) == GOAT_OK) gt_repo_logged(repo);
}

/* What is refused now is dropped: it was not in any view, and peers are told nothing of what waits. */
bool gt_parked_retry(gt_repo *repo) {
    size_t tried = 0;
    for (gt_parked *parked; tried < GT_PARKED_RETRY_BYTES && (parked = first_ready(repo)) != NULL;) {
        gt_admission outcome;
        unlink_parked(repo, parked);
        goat_status status = gt_admit_frame(repo, gt_bytes_of(parked->frame, parked->len), parked->offset,
                                            parked->verified, parked->origin, &outcome, NULL, NULL);
        if (status != GOAT_OK && parked->offset != GT_NO_POSITION) gt_note_fault(repo, parked->offset, parked->len);
        if (status == GOAT_OK && outcome == GT_ADMITTED) log_again(repo, parked);
        tried += parked->len;
        repo->changes++; /* one from the log may have become rows where it lies */
        gt_free(repo->alloc, parked);
    }
    if (first_ready(repo) == NULL) return false;
    const gt_repo_hooks *hooks = &repo->config.hooks;
    if (hooks->work_left != NULL) hooks->work_left(hooks->context, repo);
    return true;
}

/* ---- in a checkpoint ---- */

enum { HEAD_SIZE = 8 + 8 + 2 * GT_ID_SIZE }; /* offset, length, what it waits for, session */

static void save(const gt_parked_list *list, gt_buf *out) {
    static const uint8_t zeros[8] = {0};
    for (const gt_parked *parked = list->oldest; parked != NULL; parked = parked->newer) {
        uint8_t head[HEAD_SIZE] = {0};
        gt_put_u64(head, parked->offset);
        gt_put_u64(head + 8, parked->len);
        memcpy(head + 16, parked->waits_for.bytes, GT_ID_SIZE);
        if (!is_in_log(parked)) memcpy(head + 16 + GT_ID_SIZE, parked->session->id.bytes, GT_ID_SIZE);
        gt_buf_append(out, head, sizeof(head));
        if (is_in_log(parked)) continue;
        gt_buf_append(out, parked->frame, parked->len);
        gt_buf_append(out, zeros, (8 - parked->len % 8) % 8);
    }
}

void gt_parked_save(const gt_repo *repo, gt_buf *out) {
    save(&repo->parked_logged, out);
    save(&repo->parked_sent, out);
}

/* It had come, and what waited for it was not tried yet. */
static bool has_come(const gt_repo *repo, const gt_id *id) {
    uint32_t batch = gt_find_batch(repo, id);
    bool is_there = batch != GT_NONE && (gt_batch_at(repo, batch)->flags & GT_BATCH_STUB) == 0;
    return is_there || gt_find_commit(repo, id) != GT_NONE;
}

bool gt_parked_restore(gt_repo *repo, const gt_section *section, uint64_t covered) {
    for (uint64_t at = 0; at < section->len;) {
        const uint8_t *head = section->data + at;
        if (section->len - at < HEAD_SIZE) return false;
        uint64_t offset = gt_get_u64(head), len = gt_get_u64(head + 8), left = section->len - at - HEAD_SIZE;
        bool in_log = offset != GT_NO_POSITION;
        gt_id waits_for, session;
        memcpy(waits_for.bytes, head + 16, GT_ID_SIZE);
        memcpy(session.bytes, head + 16 + GT_ID_SIZE, GT_ID_SIZE);
        if (in_log ? offset > covered || len > covered - offset : len > left) return false;
        gt_bytes frame =
            in_log ? gt_log_at(repo->log, offset, (size_t)len) : gt_bytes_of(head + HEAD_SIZE, (size_t)len);
        if (frame.data == NULL ||
            park(repo, frame, &session, &waits_for, offset, false, GT_FROM_PEER, NULL) != GOAT_OK) {
            return false;
        }
        if (has_come(repo, &waits_for)) gt_parked_arrived(repo, &waits_for);
        at += HEAD_SIZE + (in_log ? 0 : (len + 7) / 8 * 8);
    }
    return true;
}

uint32_t gt_repo_parked_count(const gt_repo *repo) { return repo->parked_count; }

void gt_parked_free(gt_repo *repo) {
    while (repo->parked_sent.oldest != NULL) drop(repo, repo->parked_sent.oldest);
    while (repo->parked_logged.oldest != NULL) drop(repo, repo->parked_logged.oldest);
    gt_free(repo->alloc, (void *)repo->parked);
    gt_free(repo->alloc, (void *)repo->parked_alike);
    gt_free(repo->alloc, (void *)repo->parked_sessions);
    repo->parked = repo->parked_alike = NULL;
    repo->parked_sessions = NULL;
}
