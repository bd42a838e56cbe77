#include "repo/revert.h"

#include "merge/revert.h"
#include "repo/latest.h"
#include "repo/walk.h"

#include <stdlib.h>

void gt_revert_init(gt_revert *revert, const gt_alloc *alloc) {
    *revert = (gt_revert){0};
    gt_buf_init(&revert->heads, alloc);
    gt_buf_init(&revert->names, alloc);
    gt_buf_init(&revert->view, alloc);
    gt_buf_init(&revert->delta, alloc);
}

void gt_revert_free(gt_revert *revert) {
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

typedef struct made {
    gt_repo *repo;
    gt_walk walk;
    gt_arena arena;
    gt_step *steps;
    gt_undoes *undoes;
    uint8_t *wanted, *marks;
} made;

static goat_status find_undone(made *m, uint32_t step, gt_diag *diag) {
    uint32_t number = m->walk.commits[m->walk.count - 1 - step];
    gt_commit commit;
    if ((gt_commit_at(m->repo, number)->flags & GT_COMMIT_REVERTS) == 0) return GOAT_OK;
    goat_status status = gt_commit_read(m->repo, number, &commit, diag);
    if (status != GOAT_OK) return status;
    uint32_t *steps = gt_arena_new(&m->arena, commit.reverts.count + 1u, sizeof(*steps));
    if (steps == NULL) return gt_no_memory(diag);
    m->undoes[step].steps = steps;
    for (uint32_t i = 0; i < commit.reverts.count; i++) {
        uint32_t other = gt_find_commit(m->repo, gt_ids_at(commit.reverts, i));
        uint32_t at = other == GT_NONE ? GT_NONE : gt_walk_find(&m->walk, other);
        if (at != GT_NONE && at < step) steps[m->undoes[step].count++] = at;
    }
    return GOAT_OK;
}

static goat_status look(made *m, const uint32_t *rows, uint32_t row_count, gt_revert *revert, gt_diag *diag) {
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
        if (!gt_is_shown(gt_commit_at(m->repo, rows[i]))) revert->hidden++;
    }
    for (uint32_t i = 0; i < m->walk.count && status == GOAT_OK; i++) status = find_undone(m, i, diag);
    return status;
}

static goat_status write_names(const made *m, gt_revert *revert, gt_diag *diag) {
    for (uint32_t i = 0; i < m->walk.count; i++) {
        if ((m->marks[i] & GT_MARK_NAMED) != 0) gt_buf_append(&revert->names, m->steps[i].id, GT_ID_SIZE);
    }
    sort_ids(&revert->names);
    return gt_buf_failed(&revert->names) ? gt_no_memory(diag) : GOAT_OK;
}

static goat_status make(made *m, uint32_t item, const gt_buf *heads, const uint32_t *rows, uint32_t row_count,
                        gt_revert *revert, gt_diag *diag) {
    gt_repo *repo = m->repo;
    goat_status status =
        gt_walk_below(&m->walk, repo, item, revert->schema, (const uint32_t *)(const void *)heads->data,
                      (uint32_t)(heads->len / sizeof(uint32_t)), rows, row_count, diag);
    if (status == GOAT_OK) status = look(m, rows, row_count, revert, diag);
    if (status != GOAT_OK) return status;
    uint32_t named = gt_merge_mark(m->steps, m->undoes, m->walk.count, m->wanted, m->marks);
    if (named > GT_REVERTS_MAX) {
        return gt_fail(diag, GOAT_TOO_LARGE, "a revert of more than %d commits of one item", GT_REVERTS_MAX);
    }
    gt_reverting what = {revert->schema, m->walk.base, m->steps, m->marks, m->walk.count, m->walk.has_root};
    status = write_names(m, revert, diag);
    if (status == GOAT_OK && named > 0) {
        status = gt_merge_revert(repo->alloc, &what, &revert->view, &revert->delta, &repo->work, diag);
    }
    return status;
}

goat_status gt_revert_make(gt_repo *repo, uint32_t item, const gt_id *heads, uint32_t head_count, const uint32_t *rows,
                           uint32_t row_count, gt_revert *revert, gt_diag *diag) {
    made m = {.repo = repo};
    gt_buf head_rows;
    revert->schema = gt_repo_schema(repo, item);
    if (revert->schema == NULL) return gt_fail(diag, GOAT_NO_SCHEMA, "the item's schema is not known here");
    gt_buf_init(&head_rows, repo->alloc);
    goat_status status = find_heads(repo, item, heads, head_count, &head_rows, diag);
    if (status == GOAT_OK) {
        gt_keep_latest(repo, &head_rows);
        for (size_t at = 0; at < head_rows.len; at += sizeof(uint32_t)) {
            uint32_t row;
            memcpy(&row, head_rows.data + at, sizeof(row));
            gt_buf_append(&revert->heads, gt_commit_at(repo, row)->id.bytes, GT_ID_SIZE);
        }
        sort_ids(&revert->heads);
        gt_arena_init(&m.arena, repo->alloc);
        status = gt_buf_failed(&revert->heads) ? gt_no_memory(diag)
                                               : make(&m, item, &head_rows, rows, row_count, revert, diag);
        if (m.walk.repo != NULL) gt_walk_free(&m.walk);
        gt_arena_free(&m.arena);
    }
    gt_buf_free(&head_rows);
    if (status != GOAT_OK) gt_diag_item(diag, repo->path, gt_repo_key(repo, item));
    return status;
}

goat_status gt_revert_outcome(gt_repo *repo, const gt_revert *revert, gt_buf *state, gt_diag *diag) {
    static const uint8_t id[GT_ID_SIZE] = {0};
    gt_step step = {.id = id, .time = 1, .delta = gt_buf_bytes(&revert->delta)};
    return gt_merge_replay(repo->alloc, revert->schema, gt_buf_bytes(&revert->view), &step, 1, state, NULL, diag);
}
