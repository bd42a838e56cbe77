/* The commits of an item in the order of (time, id), the latest first, a few at a time.
 *
 * They are linked in the order in which they came, which is another one on each replica. In the order of time they are met
 * on the way back from the heads: a child is later than its parents, so the latest of those that were reached is always
 * the next. What was reached is kept from one call to the next, so a whole history costs in proportion to its commits
 * however many calls it takes. No row is marked meanwhile: of a commit that was reached from several sides all places
 * in the queue come up together, after the last of its children. What comes in
 * between is met where its place is among what is left; nothing is given twice. */
#include "repo/history.h"

#include "repo/tables.h"

static bool is_before(const gt_repo *repo, uint32_t a, uint32_t b) {
    return gt_commit_order(gt_commit_at(repo, a), gt_commit_at(repo, b)) < 0;
}

static bool push_parents(const gt_repo *repo, gt_history *history, uint32_t row, uint32_t end) {
    const gt_commit_row *commit = gt_commit_at(repo, row);
    for (uint32_t i = 0; i < commit->parent_count; i++) {
        uint32_t parent = gt_parent_at(repo, commit, i);
        if (parent < end && !gt_row_queue_push(repo, &history->queue, parent)) return false;
    }
    return true;
}

/* The latest of what is left is taken out, in all its places, and its parents are reached. */
static bool take(gt_repo *repo, gt_history *history) {
    gt_row_queue *queue = &history->queue;
    uint32_t row = queue->rows[0];
    if (!push_parents(repo, history, row, GT_NONE)) return false; /* the queue leads to the same as before */
    while (queue->count > 0 && queue->rows[0] == row) gt_row_queue_pop(repo, queue);
    repo->work++;
    return true;
}

/* From the heads of what is meant. A commit that has children among what came later only is one. */
static bool begin(gt_repo *repo, gt_history *history, const gt_history_part *part) {
    const gt_item_row *item = gt_item_at(repo, part->item);
    uint32_t left = item->head_count;
    history->queue.count = 0;
    history->item = part->item;
    history->last = GT_NONE;
    history->end = part->end;
    for (uint32_t c = item->newest; c != GT_NONE && (c >= part->end || left > 0); c = gt_commit_at(repo, c)->older) {
        bool is_head = (gt_commit_at(repo, c)->flags & GT_COMMIT_HEAD) != 0;
        left -= is_head;
        repo->work++;
        if (c >= part->end ? !push_parents(repo, history, c, part->end)
                           : is_head && !gt_row_queue_push(repo, &history->queue, c)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < part->head_count; i++) {
        uint32_t row = gt_find_commit(repo, &part->heads[i]);
        if (row != GT_NONE && row >= part->end && !gt_row_queue_push(repo, &history->queue, row)) return false;
    }
    return true;
}

/* Those that have come since, and have their place among what is left. */
static bool count_in(gt_repo *repo, gt_history *history, uint32_t end) {
    uint32_t row = end > history->end ? gt_item_at(repo, history->item)->newest : GT_NONE;
    for (; row != GT_NONE && row >= history->end; row = gt_commit_at(repo, row)->older) {
        bool is_left = row < end && (history->last == GT_NONE || is_before(repo, row, history->last));
        repo->work++;
        if (is_left && !gt_row_queue_push(repo, &history->queue, row)) return false;
    }
    if (end > history->end) history->end = end;
    return true;
}

goat_status gt_history_seek(gt_repo *repo, gt_history *history, const gt_history_part *part, uint32_t before,
                            gt_diag *diag) {
    bool goes_on = history->is_begun && history->item == part->item && before != GT_NONE && history->last == before;
    history->is_begun = goes_on ? count_in(repo, history, part->end) : begin(repo, history, part);
    while (history->is_begun && !goes_on && before != GT_NONE && history->queue.count > 0 &&
           !is_before(repo, history->queue.rows[0], before)) {
        history->is_begun = take(repo, history);
    }
    if (before != GT_NONE) history->last = before;
    return history->is_begun ? GOAT_OK : gt_no_memory(diag);
}

goat_status gt_history_next(gt_repo *repo, gt_history *history, uint32_t *row, gt_diag *diag) {
    *row = GT_NONE;
    if (history->queue.count == 0) return GOAT_OK;
    uint32_t latest = history->queue.rows[0];
    if (!take(repo, history)) return gt_no_memory(diag);
    *row = history->last = latest;
    return GOAT_OK;
}

goat_status gt_history_find(const gt_repo *repo, uint32_t item, const gt_id *id, uint32_t digits, uint32_t *row,
                            gt_diag *diag) {
    *row = digits < 2 * GT_ID_SIZE ? GT_NONE : gt_find_commit(repo, id);
    if (*row != GT_NONE && gt_commit_at(repo, *row)->item != item) *row = GT_NONE;
    uint32_t at = digits < 2 * GT_ID_SIZE ? gt_item_at(repo, item)->newest : GT_NONE;
    for (; at != GT_NONE; at = gt_commit_at(repo, at)->older) {
        if (!gt_id_begins(&gt_commit_at(repo, at)->id, id, digits)) continue;
        if (*row != GT_NONE) return gt_fail(diag, GOAT_INVALID, "several commits have ids that begin so");
        *row = at;
    }
    return *row == GT_NONE ? gt_fail(diag, GOAT_NOT_FOUND, "no such commit of this item") : GOAT_OK;
}

void gt_history_free(const gt_alloc *alloc, gt_history *history) {
    gt_row_queue_free(alloc, &history->queue);
    *history = (gt_history){0};
}
