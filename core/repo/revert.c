#include "repo/revert.h"

#include "merge/revert.h"
#include "repo/latest.h"
#include "repo/walk.h"

#include <stdlib.h>

typedef struct gt_revert_making {
    uint32_t item;
    gt_walk walk; /* only while it begins */
    gt_arena arena;
    gt_step *steps;
    gt_undoes *undoes;
    uint8_t *wanted, *marks;
    gt_undoing *undoing;
    bool is_replayed;
} gt_revert_making;

void gt_revert_init(gt_revert *revert, const gt_alloc *alloc) {
    *revert = (gt_revert){0};
    gt_buf_init(&revert->heads, alloc);
    gt_buf_init(&revert->names, alloc);
    gt_buf_init(&revert->view, alloc);
    gt_buf_init(&revert->delta, alloc);
}

static void end_making(gt_revert *revert) {
    gt_revert_making *m = revert->making;
    revert->making = NULL;
    if (m == NULL) return;
    const gt_alloc *alloc = m->arena.alloc;
    gt_undoing_free(m->undoing);
    gt_arena_free(&m->arena);
    gt_free(alloc, m);
}

void gt_revert_free(gt_revert *revert) {
    end_making(revert);
    gt_buf_free(&revert->heads);
    gt_buf_free(&revert->names);
    gt_buf_free(&revert->view);
    gt_buf_free(&revert->delta);
}

/* ---- on which heads ---- */

static goat_status find_heads(gt_repo *repo, uint32_t item, const gt_id *heads, uint32_t count, gt_buf *rows,
                              gt_diag *diag) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = gt_find_commit(repo, &heads[i]);
        if (row == GT_NONE || gt_commit_at(repo, row)->item != item) {
            return gt_fail(diag, GOAT_NOT_FOUND, "no such commit of this item");
        }
        gt_buf_append(rows, &row, sizeof(row));
    }
    return gt_buf_failed(rows) ? gt_no_memory(diag) : GOAT_OK;
}

static int order_ids(const void *a, const void *b) { return memcmp(a, b, GT_ID_SIZE); }

static void sort_ids(gt_buf *ids) {
    if (ids->len > 0) qsort(ids->data, ids->len / GT_ID_SIZE, GT_ID_SIZE, order_ids);
}

/* ---- what is known of the steps ---- */

static goat_status find_undone(gt_revert_making *m, uint32_t step, gt_diag *diag) {
    uint32_t number = m->walk.commits[m->walk.count - 1 - step];
    gt_commit commit;
    if ((gt_commit_at(m->walk.repo, number)->flags & GT_COMMIT_REVERTS) == 0) return GOAT_OK;
    goat_status status = gt_commit_read(m->walk.repo, number, &commit, diag);
    if (status != GOAT_OK) return status;
    uint32_t *steps = gt_arena_new(&m->arena, commit.reverts.count + 1u, sizeof(*steps));
    if (steps == NULL) return gt_no_memory(diag);
    m->undoes[step].steps = steps;
    for (uint32_t i = 0; i < commit.reverts.count; i++) {
        uint32_t other = gt_find_commit(m->walk.repo, gt_ids_at(commit.reverts, i));
        uint32_t at = other == GT_NONE ? GT_NONE : gt_walk_find(&m->walk, other);
        if (at != GT_NONE && at < step) steps[m->undoes[step].count++] = at;
    }
    return GOAT_OK;
}

static goat_status look(gt_revert_making *m, const uint32_t *rows, uint32_t row_count, gt_revert *revert,
                        gt_diag *diag) {
    goat_status status = gt_walk_steps(&m->walk, &m->arena, &m->steps, diag);
    if (status != GOAT_OK) return status;
    m->undoes = gt_arena_new(&m->arena, m->walk.count + 1u, sizeof(*m->undoes));
    m->wanted = gt_arena_new(&m->arena, m->walk.count + 1u, 1);
    m->marks = gt_arena_new(&m->arena, m->walk.count + 1u, 1);
    if (m->undoes == NULL || m->wanted == NULL || m->marks == NULL) return gt_no_memory(diag);
    for (uint32_t i = 0; i < row_count; i++) {
        uint32_t step = gt_walk_find(&m->walk, rows[i]);
        if (step != GT_NONE) m->wanted[step] = 1;
        if (step != GT_NONE) continue;
        revert->unseen++;
        if (!gt_is_shown(gt_commit_at(m->walk.repo, rows[i]))) revert->hidden++;
    }
    for (uint32_t i = 0; i < m->walk.count && status == GOAT_OK; i++) status = find_undone(m, i, diag);
    return status;
}

static goat_status write_names(const gt_revert_making *m, gt_revert *revert, gt_diag *diag) {
    for (uint32_t i = 0; i < m->walk.count; i++) {
        if ((m->marks[i] & GT_MARK_NAMED) != 0) gt_buf_append(&revert->names, m->steps[i].id, GT_ID_SIZE);
    }
    sort_ids(&revert->names);
    return gt_buf_failed(&revert->names) ? gt_no_memory(diag) : GOAT_OK;
}

/* The base may lie in what the repository keeps for a while only. */
static goat_status begin_undoing(gt_revert_making *m, const gt_revert *revert, gt_diag *diag) {
    gt_reverting what = {revert->schema, {0}, m->steps, m->marks, m->walk.count, m->walk.has_root};
    if (m->walk.base.data != NULL) {
        what.base = gt_bytes_of(gt_arena_copy(&m->arena, m->walk.base.data, m->walk.base.len), m->walk.base.len);
        if (what.base.data == NULL) return gt_no_memory(diag);
    }
    return gt_undoing_begin(m->arena.alloc, &what, &m->undoing, diag);
}

static goat_status begin(gt_revert_making *m, gt_repo *repo, const gt_buf *heads, const uint32_t *rows,
                         uint32_t row_count, gt_revert *revert, gt_diag *diag) {
    goat_status status =
        gt_walk_below(&m->walk, repo, m->item, revert->schema, (const uint32_t *)(const void *)heads->data,
                      (uint32_t)(heads->len / sizeof(uint32_t)), rows, row_count, diag);
    if (status == GOAT_OK) status = look(m, rows, row_count, revert, diag);
    if (status != GOAT_OK) return status;
    uint32_t named = gt_merge_mark(m->steps, m->undoes, m->walk.count, m->wanted, m->marks);
    if (named > GT_REVERTS_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "a revert of more than %d commits of one item", GT_REVERTS_MAX);
    }
    status = write_names(m, revert, diag);
    return status == GOAT_OK && named > 0 ? begin_undoing(m, revert, diag) : status;
}

/* Makes room for the making, and finds what it is made on. */
static goat_status prepare(gt_repo *repo, uint32_t item, const gt_id *heads, uint32_t head_count, gt_revert *revert,
                           gt_buf *head_rows, gt_diag *diag) {
    gt_revert_making *m = gt_new(repo->alloc, 1, sizeof(*m));
    if (m == NULL) return gt_no_memory(diag);
    *m = (gt_revert_making){.item = item};
    gt_arena_init(&m->arena, repo->alloc);
    revert->making = m;
    goat_status status = find_heads(repo, item, heads, head_count, head_rows, diag);
    if (status != GOAT_OK) return status;
    gt_keep_latest(repo, head_rows);
    for (size_t at = 0; at < head_rows->len; at += sizeof(uint32_t)) {
        uint32_t row;
        memcpy(&row, head_rows->data + at, sizeof(row));
        gt_buf_append(&revert->heads, gt_commit_at(repo, row)->id.bytes, GT_ID_SIZE);
    }
    sort_ids(&revert->heads);
    return gt_buf_failed(&revert->heads) ? gt_no_memory(diag) : GOAT_OK;
}

static goat_status end_with(gt_repo *repo, uint32_t item, gt_revert *revert, goat_status status, gt_diag *diag) {
    if (status == GOAT_OK) return GOAT_OK;
    end_making(revert);
    gt_diag_item(diag, repo->path, gt_repo_key(repo, item));
    return status;
}

goat_status gt_revert_begin(gt_repo *repo, uint32_t item, const gt_id *heads, uint32_t head_count, const uint32_t *rows,
                            uint32_t row_count, gt_revert *revert, gt_diag *diag) {
    gt_buf head_rows;
    revert->schema = gt_repo_schema(repo, item);
    if (revert->schema == NULL) return gt_fail(diag, GOAT_NO_SCHEMA, "the item's schema is not known here");
    gt_buf_init(&head_rows, repo->alloc);
    goat_status status = prepare(repo, item, heads, head_count, revert, &head_rows, diag);
    if (status == GOAT_OK) {
        status = begin(revert->making, repo, &head_rows, rows, row_count, revert, diag);
        gt_walk_free(&revert->making->walk);
    }
    gt_buf_free(&head_rows);
    return end_with(repo, item, revert, status, diag);
}

goat_status gt_revert_step(gt_repo *repo, gt_revert *revert, uint32_t *budget, bool *done, gt_diag *diag) {
    gt_revert_making *m = revert->making;
    goat_status status = GOAT_OK;
    *done = m == NULL || m->undoing == NULL; /* it names nothing */
    if (!*done && !m->is_replayed) status = gt_undoing_step(m->undoing, budget, &m->is_replayed, diag);
    if (!*done && status == GOAT_OK && m->is_replayed && *budget > 0) {
        status = gt_undoing_write(m->undoing, budget, &revert->view, &revert->delta, &repo->work, diag);
        *done = true;
    }
    if (status != GOAT_OK) return end_with(repo, m->item, revert, status, diag);
    if (*done) end_making(revert);
    return GOAT_OK;
}

goat_status gt_revert_make(gt_repo *repo, uint32_t item, const gt_id *heads, uint32_t head_count, const uint32_t *rows,
                           uint32_t row_count, gt_revert *revert, gt_diag *diag) {
    goat_status status = gt_revert_begin(repo, item, heads, head_count, rows, row_count, revert, diag);
    for (bool done = false; status == GOAT_OK && !done;) {
        uint32_t budget = UINT32_MAX;
        status = gt_revert_step(repo, revert, &budget, &done, diag);
    }
    return status;
}

goat_status gt_revert_outcome(gt_repo *repo, const gt_revert *revert, gt_buf *state, gt_diag *diag) {
    static const uint8_t id[GT_ID_SIZE] = {0};
    gt_step step = {.id = id, .time = 1, .delta = gt_buf_bytes(&revert->delta)};
    return gt_merge_replay(repo->alloc, revert->schema, gt_buf_bytes(&revert->view), &step, 1, state, NULL, diag);
}
