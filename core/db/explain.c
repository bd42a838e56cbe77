/* Where the fields of an item come from, as a handle sees it: the view that its unsaved edits stand on, or an earlier one. */
#include "db/history.h"

#include <stdlib.h>

static int order_ids(const void *a, const void *b) { return memcmp(a, b, GT_ID_SIZE); }

/* The heads that were asked for, ascending and each once, and the view at them. */
static goat_status look_back(gt_repo *repo, uint32_t item, gt_bytes at, gt_buf *heads, gt_buf *view, gt_diag *diag) {
    gt_buf_append(heads, at.data, at.len);
    if (gt_buf_failed(heads)) return gt_no_memory(diag);
    size_t count = heads->len / GT_ID_SIZE, kept = 1;
    qsort(heads->data, count, GT_ID_SIZE, order_ids);
    for (size_t i = 1; i < count; i++) {
        uint8_t *id = heads->data + i * GT_ID_SIZE;
        if (order_ids(id, heads->data + (kept - 1) * GT_ID_SIZE) == 0) continue;
        memmove(heads->data + kept++ * GT_ID_SIZE, id, GT_ID_SIZE);
    }
    heads->len = kept * GT_ID_SIZE;
    return gt_repo_view_at(repo, item, (const gt_id *)(const void *)heads->data, (uint32_t)kept, view, diag);
}

goat_status gt_item_heads_seen(goat_item *item, gt_buf *heads, gt_diag *diag) {
    const gt_work *work = item->work;
    if (work == NULL) return gt_space_heads(item->space, item->item, heads, diag);
    gt_buf_append(heads, work->heads.data, work->heads.len);
    return gt_buf_failed(heads) ? gt_no_memory(diag) : GOAT_OK;
}

static goat_status explain(goat_item *item, gt_explain_request *request, gt_bytes at, gt_buf *out, gt_diag *diag) {
    gt_repo *repo = item->space->mount->repo;
    gt_buf heads, view;
    gt_buf_init(&heads, item->db->database->alloc);
    gt_buf_init(&view, item->db->database->alloc);
    goat_status status =
        at.data == NULL ? gt_item_heads_seen(item, &heads, diag) : look_back(repo, item->item, at, &heads, &view, diag);
    if (status == GOAT_OK && heads.len == 0) status = gt_fail(diag, GOAT_NOT_FOUND, "the item has no commit yet");
    if (status == GOAT_OK) {
        request->heads = (const gt_id *)(const void *)heads.data;
        request->head_count = (uint32_t)(heads.len / GT_ID_SIZE);
        request->is_present = at.data == NULL;
        request->view = at.data == NULL ? item->seen.view.bytes : gt_buf_bytes(&view);
        status = gt_repo_explain(repo, item->item, request, out, diag);
    }
    gt_buf_free(&heads);
    gt_buf_free(&view);
    return status;
}

goat_status gt_item_explain(goat_item *item, gt_bytes field, gt_bytes at, uint32_t limit, gt_buf *out, gt_diag *diag) {
    gt_sight sight;
    gt_explain_request request = {.field = field, .limit = limit};
    goat_status status = gt_item_look(item, &sight, diag);
    if (status != GOAT_OK) return status;
    if (item->item == GT_NONE) {
        item->item = gt_repo_find(item->space->mount->repo, gt_bytes_of(item->key, item->key_len));
    }
    status = item->item == GT_NONE ? gt_fail(diag, GOAT_NOT_FOUND, "the item has no commit yet")
                                   : explain(item, &request, at, out, diag);
    if (status != GOAT_OK && diag != NULL) {
        gt_buf path;
        gt_buf_init(&path, item->db->database->alloc);
        gt_item_path(item, &path);
        if (!gt_buf_failed(&path)) gt_diag_path(diag, (const char *)path.data, path.len);
        gt_buf_free(&path);
    }
    return status;
}
