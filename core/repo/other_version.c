/* The view of an item at another version than the one at which it is read here: for digests, which every replica takes at
 * the same one. Nothing of it is kept. */
#include "repo/versions.h"

typedef struct seen_commits {
    const uint32_t *rows; /* oldest first, which is the order of their numbers */
    uint32_t count;
    uint8_t *shown; /* 1: it is; 2: and something that is shown follows it */
} seen_commits;

static uint32_t place_of(const seen_commits *seen, uint32_t row) {
    uint32_t low = 0, high = seen->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (seen->rows[middle] < row) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void look(const gt_repo *repo, seen_commits *seen, const gt_schema *reader) {
    for (uint32_t i = 0; i < seen->count; i++) {
        const gt_commit_row *row = gt_commit_at(repo, seen->rows[i]);
        bool shown = gt_can_read(repo, row, reader);
        for (uint32_t j = 0; shown && j < row->parent_count; j++) {
            shown = seen->shown[place_of(seen, gt_parent_at(repo, row, j))] != 0;
        }
        seen->shown[i] = shown;
        for (uint32_t j = 0; shown && j < row->parent_count; j++) {
            uint8_t *parent = &seen->shown[place_of(seen, gt_parent_at(repo, row, j))];
            if (*parent != 0) *parent = 2;
        }
    }
}

/* Turns a list that is newest first round. */
static void turn(uint32_t *rows, uint32_t count) {
    for (uint32_t i = 0; i < count / 2; i++) {
        uint32_t row = rows[i];
        rows[i] = rows[count - 1 - i];
        rows[count - 1 - i] = row;
    }
}

goat_status gt_repo_view_version(gt_repo *repo, uint32_t item, const gt_schema *version, gt_buf *state, gt_diag *diag) {
    gt_buf rows, heads;
    gt_buf_init(&rows, repo->alloc);
    gt_buf_init(&heads, repo->alloc);
    for (uint32_t c = gt_item_at(repo, item)->newest; c != GT_NONE; c = gt_commit_at(repo, c)->older) {
        gt_buf_append(&rows, &c, sizeof(c));
    }
    uint32_t *list = (uint32_t *)(void *)rows.data;
    seen_commits seen = {.rows = list, .count = (uint32_t)(rows.len / sizeof(uint32_t))};
    seen.shown = gt_buf_failed(&rows) ? NULL : gt_new(repo->alloc, seen.count + 1u, 1);
    goat_status status = seen.shown == NULL ? gt_no_memory(diag) : GOAT_OK;
    if (status == GOAT_OK) {
        turn(list, seen.count);
        look(repo, &seen, version);
        for (uint32_t i = 0; i < seen.count; i++) {
            if (seen.shown[i] == 1) gt_buf_append(&heads, &list[i], sizeof(list[i]));
        }
        if (gt_buf_failed(&heads)) status = gt_no_memory(diag);
    }
    if (status == GOAT_OK) {
        status = gt_view_compute(repo, item, version, (const uint32_t *)(const void *)heads.data,
                                 (uint32_t)(heads.len / sizeof(uint32_t)), state, diag);
    }
    gt_free(repo->alloc, seen.shown);
    gt_buf_free(&rows);
    gt_buf_free(&heads);
    return status;
}
