/* What an edit is made on where an item has more heads than a commit may name: the latest of them, and what these show. */
#include "repo/latest.h"

#include "repo/tables.h"
#include "value/value.h"

#include <stdlib.h>
#include <string.h>

void gt_keep_latest(const gt_repo *repo, gt_buf *rows) {
    uint32_t *list = (uint32_t *)(void *)rows->data;
    size_t count = rows->len / sizeof(*list);
    for (size_t i = 0; i < GT_PARENTS_MAX && count > GT_PARENTS_MAX; i++) {
        size_t latest = i;
        for (size_t k = i + 1; k < count; k++) {
            if (gt_commit_order(gt_commit_at(repo, list[k]), gt_commit_at(repo, list[latest])) > 0) latest = k;
        }
        uint32_t row = list[i];
        list[i] = list[latest];
        list[latest] = row;
    }
    if (count > GT_PARENTS_MAX) rows->len = GT_PARENTS_MAX * sizeof(*list);
}

static int order_ids(const void *a, const void *b) { return memcmp(a, b, GT_ID_SIZE); }

static goat_status keep_ids(gt_repo *repo, gt_buf *ids, gt_diag *diag) {
    gt_buf rows;
    gt_buf_init(&rows, repo->alloc);
    for (size_t at = 0; at < ids->len; at += GT_ID_SIZE) {
        uint32_t row = gt_find_commit(repo, (const gt_id *)(const void *)(ids->data + at));
        if (row != GT_NONE) gt_buf_append(&rows, &row, sizeof(row));
    }
    goat_status status = gt_buf_failed(&rows) ? gt_no_memory(diag) : GOAT_OK;
    if (status == GOAT_OK) gt_keep_latest(repo, &rows);
    if (status == GOAT_OK) gt_buf_clear(ids);
    for (size_t at = 0; status == GOAT_OK && at < rows.len; at += sizeof(uint32_t)) {
        uint32_t row;
        memcpy(&row, rows.data + at, sizeof(row));
        gt_buf_append(ids, gt_commit_at(repo, row)->id.bytes, GT_ID_SIZE); /* there is room: they become fewer */
    }
    if (status == GOAT_OK) qsort(ids->data, ids->len / GT_ID_SIZE, GT_ID_SIZE, order_ids);
    gt_buf_free(&rows);
    return status;
}

/* A view of its own. */
static goat_status show(gt_repo *repo, gt_bytes state, gt_seen *seen, gt_diag *diag) {
    gt_state *own = gt_new(repo->alloc, 1, sizeof(*own) + state.len);
    if (own == NULL) return gt_no_memory(diag);
    own->refs = 1;
    own->len = (uint32_t)state.len;
    memcpy(own->bytes, state.data, state.len);
    gt_view_drop(repo->alloc, &seen->view);
    seen->flags &= ~(uint32_t)GT_ITEM_DELETED;
    if (gt_map_find_int(state, 0).data != NULL) seen->flags |= GT_ITEM_DELETED;
    seen->view = (gt_view){.bytes = gt_bytes_of(own->bytes, own->len), .owner = own};
    return GOAT_OK;
}

goat_status gt_repo_keep_latest(gt_repo *repo, uint32_t item, gt_buf *heads, gt_seen *seen, gt_diag *diag) {
    gt_buf state;
    if (heads->len / GT_ID_SIZE <= GT_PARENTS_MAX) return GOAT_OK;
    gt_buf_init(&state, repo->alloc);
    goat_status status = keep_ids(repo, heads, diag);
    if (status == GOAT_OK) {
        status = gt_repo_view_at(repo, item, (const gt_id *)(const void *)heads->data,
                                 (uint32_t)(heads->len / GT_ID_SIZE), &state, diag);
    }
    if (status == GOAT_OK) status = show(repo, gt_buf_bytes(&state), seen, diag);
    gt_buf_free(&state);
    return status;
}
