/* Capture: unsaved edits become a batch (design section 1, "capture").
 *
 * What breaks its schema is left unsaved and named; everything else goes. At the first edit after a
 * quiet spell a capture is due at once, then at most one an interval, so a burst of typing becomes
 * three batches a second and a single edit is never late. */
#include "db/internal.h"

/* Nobody would take in a commit with an edit that may not be, nor what comes after it. Edits are made so that they may; that is
 * checked once more where two of them, put together, could come to more. */
static goat_status check_edits(const gt_work *work, gt_diag *diag) {
    goat_status status = GOAT_OK;
    for (size_t i = 0; status == GOAT_OK && i < work->edit_count; i++) {
        const gt_field_edit *edit = &work->edits[i];
        if (edit->field->type != GT_TYPE_RICHTEXT && edit->field->fields == NULL) continue;
        status = gt_edit_check(edit->field, gt_bytes_of(edit->bytes, edit->edit_len), diag);
    }
    return status;
}

goat_status gt_work_validate(gt_work *work, gt_diag *diag) {
    gt_buf state;
    gt_buf_init(&state, work->space->db->database->alloc);
    goat_status status = gt_work_state(work, &state, diag);
    if (status == GOAT_OK && state.len > GOAT_VALUE_MAX) {
        status = gt_fail(diag, GOAT_TOO_LARGE, "the item is larger than %d bytes", GOAT_VALUE_MAX);
    }
    if (status == GOAT_OK) status = gt_schema_check_state(work->schema, gt_buf_bytes(&state), diag);
    if (status == GOAT_OK) status = check_edits(work, diag); /* which the state has settled */
    gt_buf_free(&state);
    if (status != GOAT_OK) {
        gt_bytes repository = gt_repo_path(work->space->mount->repo);
        gt_buf path;
        gt_buf_init(&path, work->space->db->database->alloc);
        gt_buf_append(&path, repository.data, repository.len);
        gt_buf_append_byte(&path, '/');
        gt_buf_append(&path, work->key, work->key_len);
        if (!gt_buf_failed(&path)) gt_diag_path(diag, (const char *)path.data, path.len);
        gt_buf_free(&path);
    }
    return status;
}

static goat_status add_leaf(gt_capture *capture, const gt_signer *signer, gt_work *work, gt_bytes message, gt_buf *ids,
                            gt_diag *diag) {
    gt_buf delta;
    gt_id id;
    gt_buf_init(&delta, work->space->db->database->alloc);
    goat_status status = gt_work_delta(work, &delta, diag);
    gt_leaf leaf = {
        .key = gt_bytes_of(work->key, work->key_len),
        .parents = (const gt_id *)(const void *)work->heads.data,
        .parent_count = (uint32_t)(work->heads.len / GT_ID_SIZE),
        .schema = work->schema,
        .delta = gt_buf_bytes(&delta),
        .message = message,
    };
    if (status == GOAT_OK) status = gt_capture_add(capture, signer, &leaf, &id, diag);
    if (status == GOAT_OK && ids != NULL) gt_buf_append(ids, id.bytes, GT_ID_SIZE);
    gt_buf_free(&delta);
    return status;
}

/* The works are in the log: they end, and rows of queries move over to the items. */
static void end_works(gt_space *space, gt_works *works, gt_work **list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        gt_work *work = list[i];
        uint32_t item = gt_repo_find(space->mount->repo, gt_bytes_of(work->key, work->key_len));
        gt_works_remove(works, work);
        gt_live_work_captured(space, item);
    }
}

goat_status gt_capture_works(gt_space *space, gt_works *works, gt_work **list, size_t count, bool group,
                             gt_bytes message, gt_buf *ids, gt_diag *diag) {
    gt_database *database = space->db->database;
    gt_signer signer = gt_signer_of(database, space->mount);
    gt_capture *capture = NULL;
    goat_status status = gt_capture_begin(space->mount->repo, &capture, diag);
    for (size_t i = 0; i < count && status == GOAT_OK; i++) {
        status = add_leaf(capture, &signer, list[i], message, ids, diag);
    }
    if (status == GOAT_OK && group) gt_capture_group(capture, 0);
    if (status == GOAT_OK) {
        database->acting = space;
        status = gt_capture_finish(capture, &signer, GT_FROM_SELF, diag);
        database->acting = NULL;
    } else {
        gt_capture_drop(capture);
    }
    if (status == GOAT_OK) end_works(space, works, list, count);
    return status;
}

/* Those of a space's works that have edits and are valid; the first that is not is described. Works in which nothing
 * is edited any more end: they would hold on to what was seen when they began. */
static goat_status choose(gt_space *space, gt_work **list, size_t *count, gt_diag *diag) {
    goat_status status = GOAT_OK;
    *count = 0;
    for (size_t i = space->works.count; i-- > 0;) { /* backwards: a removed one is replaced by the last */
        if (!gt_work_has_edits(space->works.list[i])) gt_works_remove(&space->works, space->works.list[i]);
    }
    for (size_t i = 0; i < space->works.count; i++) {
        gt_work *work = space->works.list[i];
        goat_status valid = gt_work_validate(work, status == GOAT_OK ? diag : NULL);
        if (valid == GOAT_OK) {
            list[(*count)++] = work;
        } else if (status == GOAT_OK) {
            status = valid;
        }
    }
    return status;
}

/* As few batches as hold them. */
static goat_status capture_all(gt_space *space, gt_work **list, size_t count, gt_diag *diag) {
    goat_status status = GOAT_OK;
    size_t most = GOAT_BATCH_MAX;
    for (size_t done = 0; status == GOAT_OK && done < count;) {
        size_t some = count - done < most ? count - done : most;
        status = gt_capture_works(space, &space->works, list + done, some, false, (gt_bytes){0}, NULL, diag);
        if (status == GOAT_TOO_LARGE && some > 1) { /* of a frame's bytes */
            most = some / 2;
            status = GOAT_OK;
            if (diag != NULL) gt_diag_init(diag);
        } else {
            done += some;
        }
    }
    return status;
}

goat_status gt_capture_space(gt_space *space, gt_diag *diag) {
    if (space->works.count == 0 || space->mount == NULL) return GOAT_OK;
    const gt_alloc *alloc = space->db->database->alloc;
    gt_work **list = gt_new(alloc, space->works.count, sizeof(*list));
    if (list == NULL) return gt_no_memory(diag);
    size_t count;
    goat_status invalid = choose(space, list, &count, diag);
    goat_status status = capture_all(space, list, count, invalid == GOAT_OK ? diag : NULL);
    gt_free(alloc, (void *)list);
    return status != GOAT_OK ? status : invalid;
}

goat_status gt_capture_item(gt_space *space, gt_bytes key, gt_diag *diag) {
    gt_work *work = gt_works_find(&space->works, space->db->database, key);
    if (work == NULL) return GOAT_OK;
    if (!gt_work_has_edits(work)) {
        gt_works_remove(&space->works, work);
        return GOAT_OK;
    }
    goat_status status = gt_work_validate(work, diag);
    if (status != GOAT_OK) return status;
    return gt_capture_works(space, &space->works, &work, 1, false, (gt_bytes){0}, NULL, diag);
}

goat_status gt_capture_handle(goat_db *db, gt_diag *diag) {
    goat_status status = GOAT_OK;
    db->capture_due_us = UINT64_MAX;
    db->captured_us = gt_database_now_us(db->database);
    for (gt_space *space = db->spaces; space != NULL; space = space->next_of_db) {
        goat_status one = gt_capture_space(space, status == GOAT_OK ? diag : NULL);
        if (status == GOAT_OK) status = one;
    }
    return status;
}

/* What cannot be captured now is tried again with the next edit or flush, which says why. */
void gt_capture_when_due(goat_db *db, uint64_t now_us) {
    gt_capture_handle(db, NULL);
    db->captured_us = now_us;
}
