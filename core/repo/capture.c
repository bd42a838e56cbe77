/* Capture: this database's own edits become commits of one signed batch.
 *
 * Leaves are collected and hashed first; nothing of the repository changes before the frame is signed
 * and in the log, so a capture that fails leaves no trace. */
#include "base/assert.h"
#include "repo/tables.h"
#include "value/value.h"

enum {
    SALTS = 64,             /* asked of the machine at a time */
    FRAME_FRONT_MAX = 1024, /* what stands before the nodes: ids of the chain, signature, heads */
    GROUP_MAX = 32,         /* bytes of a group of one run */
};

struct gt_capture {
    gt_repo *repo;
    gt_batch_draft draft;
    gt_time time;
    uint8_t salts[SALTS][GT_SALT_SIZE];
    uint32_t salts_left;
};

/* Above the wall clock, everything received, and what the caller names (Kulkarni and others 2014, hybrid
 * logical clocks). Beyond GT_TIME_MAX there is nothing: gt_capture_add says so. */
static gt_time next_time(const gt_repo *repo) {
    gt_time now = gt_time_of_ms(repo->config.clock.wall_ms(repo->config.clock.context));
    return now > repo->time_seen ? now : repo->time_seen + 1;
}

goat_status gt_capture_begin(gt_repo *repo, gt_capture **capture, gt_diag *diag) {
    *capture = NULL;
    goat_status status = gt_repo_check_open(repo, diag);
    if (status != GOAT_OK) return status;
    if (gt_log_get_state(repo->log) != GT_LOG_READY) {
        const gt_diag *failure = gt_log_failure(repo->log);
        return gt_fail(diag, failure->status, "%s", failure->message);
    }
    gt_capture *made = gt_new(repo->alloc, 1, sizeof(*made));
    if (made == NULL) return gt_no_memory(diag);
    made->repo = repo;
    made->time = next_time(repo);
    gt_batch_draft_init(&made->draft, repo->alloc);
    *capture = made;
    return GOAT_OK;
}

/* A leaf must be later than its parents: those that are leaves of this capture too, and those that another capture
 * has made since this one was begun. */
static gt_time time_of(gt_capture *capture, const gt_leaf *leaf) {
    const gt_repo *repo = capture->repo;
    for (uint32_t i = 0; i < leaf->parent_count; i++) {
        uint32_t parent = gt_find_commit(repo, &leaf->parents[i]);
        gt_time before = parent == GT_NONE ? capture->time : gt_commit_at(repo, parent)->time;
        if (before >= capture->time) capture->time = before + 1;
    }
    return capture->time;
}

/* Whether a commit is the only one of its item's heads that are seen here. */
static bool is_only_head(gt_repo *repo, uint32_t commit) {
    gt_buf heads;
    gt_buf_init(&heads, repo->alloc);
    goat_status status = gt_item_heads(repo, gt_commit_at(repo, commit)->item, &heads, NULL);
    bool only = status == GOAT_OK && heads.len == sizeof(commit) && memcmp(heads.data, &commit, sizeof(commit)) == 0;
    gt_buf_free(&heads);
    return only;
}

/* The snapshot that is due: only on a single head whose state is at hand (FORMAT.md 2.2). */
static gt_view snapshot(gt_repo *repo, const gt_leaf *leaf) {
    gt_view none = {0};
    if (leaf->parent_count != 1) return none;
    uint32_t parent = gt_find_commit(repo, &leaf->parents[0]);
    if (parent == GT_NONE) return none;
    gt_item_row *item = gt_item_at(repo, gt_commit_at(repo, parent)->item);
    gt_bytes state = gt_item_state(repo, item);
    if (state.data == NULL || item->since_base <= state.len || state.len > GOAT_VALUE_MAX) return none;
    if (gt_item_reader(repo, item) != leaf->schema || !is_only_head(repo, parent)) return none;
    return gt_item_share(repo, item);
}

static const uint8_t *next_salt(gt_capture *capture) {
    goat_random random = capture->repo->config.random;
    if (capture->salts_left == 0) {
        if (!random.fill(random.context, capture->salts[0], sizeof(capture->salts))) return NULL;
        capture->salts_left = SALTS;
    }
    return capture->salts[--capture->salts_left];
}

goat_status gt_capture_add(gt_capture *capture, const gt_signer *signer, const gt_leaf *leaf, gt_id *id,
                           gt_diag *diag) {
    gt_repo *repo = capture->repo;
    gt_time time = time_of(capture, leaf);
    if (time > GT_TIME_MAX) {
        gt_fail(diag, GOAT_TOO_LARGE, "no time is left that is later than that of the commits there are");
        gt_diag_item(diag, repo->path, leaf->key);
        return GOAT_TOO_LARGE;
    }
    const uint8_t *salt = next_salt(capture);
    if (salt == NULL) return gt_fail(diag, GOAT_IO, "the machine gives no randomness");
    gt_view full = leaf->full.data == NULL ? snapshot(repo, leaf) : (gt_view){.bytes = leaf->full};
    gt_commit_draft draft = {
        .key = leaf->key,
        .parents = leaf->parents,
        .parent_count = leaf->parent_count,
        .time = time,
        .ns = gt_schema_ns(leaf->schema),
        .version = gt_schema_version(leaf->schema),
        .schema_hash = gt_schema_hash(leaf->schema),
        .delta = leaf->delta,
        .full = full.bytes,
        .reverts = leaf->reverts,
        .revert_count = leaf->revert_count,
        .message = leaf->message,
    };
    goat_status status =
        gt_batch_draft_add(&capture->draft, repo->config.hasher, &signer->session, salt, &draft, id, diag);
    gt_view_drop(repo->alloc, &full);
    if (status != GOAT_OK) gt_diag_item(diag, repo->path, leaf->key);
    return status;
}

void gt_capture_group(gt_capture *capture, uint32_t first) { gt_batch_draft_group(&capture->draft, first); }

uint32_t gt_capture_count(const gt_capture *capture) { return capture->draft.count; }

void gt_capture_drop(gt_capture *capture) {
    if (capture == NULL) return;
    gt_batch_draft_free(&capture->draft);
    gt_free(capture->repo->alloc, capture);
}

/* The batch as admission wants it: the frame's structure with the ids that the draft knows. */
static goat_status admit_own(gt_capture *capture, const gt_record *record, const gt_id *id, gt_origin origin,
                             gt_diag *diag) {
    gt_repo *repo = capture->repo;
    gt_arena arena;
    gt_batch batch;
    gt_arena_init(&arena, repo->alloc);
    goat_status status = gt_batch_view(record->payload, &arena, &batch, diag);
    if (status == GOAT_OK) {
        batch.id = *id;
        for (uint32_t i = 0; i < batch.node_count; i++) batch.nodes[i].hash = capture->draft.ids[i];
        status = gt_admit_leaves(repo, &batch, record, NULL, 0, NULL, origin, diag);
    }
    gt_arena_free(&arena);
    return status;
}

goat_status gt_capture_finish(gt_capture *capture, const gt_signer *signer, gt_origin origin, gt_diag *diag) {
    gt_repo *repo = capture->repo;
    goat_status status = GOAT_OK;
    if (capture->draft.count > 0) {
        gt_id prev[GT_PREV_MAX], skip, id;
        gt_chain_place place;
        gt_buf frame; /* written where it will stay */
        gt_record record;
        size_t room = capture->draft.nodes.len + FRAME_FRONT_MAX + capture->draft.group_count * GROUP_MAX;
        status = gt_chain_next(repo, &signer->session, prev, &skip, &place, diag);
        if (status == GOAT_OK) status = gt_log_reserve(repo->log, room, &frame, diag);
        if (status == GOAT_OK) {
            status = gt_batch_draft_finish(&capture->draft, repo->config.hasher, &repo->place, &signer->session, &place,
                                           signer->key, &frame, &id, diag);
        }
        if (status == GOAT_OK) {
            status = gt_log_commit_append(repo->log, GT_RECORD_BATCH, &frame, &record, diag);
        }
        if (status == GOAT_OK) {
            status = admit_own(capture, &record, &id, origin, diag);
            if (status != GOAT_OK) gt_repo_fail(repo, status, "edits that are logged could not be taken in");
            if (status == GOAT_OK) gt_repo_logged(repo);
        }
    }
    gt_capture_drop(capture);
    return status;
}
