/* The way back from some heads to where a replay can start.
 *
 * Commits are visited from the latest to the earliest (a child is later than its parents, so this is a
 * topological order). Where all ways back meet, there is a critical version: everything visited
 * descends from it. The walk ends at the first one whose state is at hand: a kept cut, or a commit
 * that carries the snapshot of its parents' view and was found to tell the truth; or at the empty item. Commits of a kept
 * replay are not visited: if all ways back lead to such, what was visited goes on from it. */
#include "repo/walk.h"

#include "repo/cuts.h"
#include "repo/versions.h"

bool gt_walk_push(gt_walk *walk, uint32_t number) {
    gt_commit_row *row = gt_commit_at(walk->repo, number);
    if ((row->flags & GT_COMMIT_MARK) != 0) return true;
    if (!gt_row_queue_push(walk->repo, &walk->queue, number)) return false;
    row->flags |= GT_COMMIT_MARK;
    return true;
}

static bool in_queue(const gt_walk *walk, uint32_t number) {
    for (uint32_t i = 0; i < walk->queue.count; i++) {
        if (walk->queue.rows[i] == number) return true;
    }
    return false;
}

/* Whether everything visited descends from all of the queue: whoever has a parent there has them all. */
static bool queue_is_critical(const gt_walk *walk) {
    for (uint32_t i = 0; i < walk->count && walk->queue.count > 1; i++) {
        const gt_commit_row *row = gt_commit_at(walk->repo, walk->commits[i]);
        uint32_t outside = 0;
        for (uint32_t j = 0; j < row->parent_count; j++) outside += in_queue(walk, gt_parent_at(walk->repo, row, j));
        if (outside != 0 && outside != walk->queue.count) return false;
    }
    return true;
}

/* ---- what the base must lie below ---- */

static bool await(gt_walk *walk, uint32_t number) {
    gt_commit_row *row = gt_commit_at(walk->repo, number);
    if ((row->flags & GT_COMMIT_AWAITED) != 0) return true;
    gt_buf_append(&walk->awaited, &number, sizeof(number));
    if (gt_buf_failed(&walk->awaited)) return false;
    row->flags |= GT_COMMIT_AWAITED;
    walk->awaited_count++;
    return true;
}

/* Those that come before it have not been visited yet; others are none that it could have seen. */
static goat_status await_reverted(gt_walk *walk, uint32_t number, gt_diag *diag) {
    gt_repo *repo = walk->repo;
    const gt_commit_row *row = gt_commit_at(repo, number);
    gt_commit commit;
    goat_status status = gt_commit_read(repo, number, &commit, diag);
    for (uint32_t i = 0; status == GOAT_OK && i < commit.reverts.count; i++) {
        uint32_t other = gt_find_commit(repo, gt_ids_at(commit.reverts, i));
        if (other == GT_NONE || gt_commit_at(repo, other)->item != row->item) continue;
        if (gt_commit_order(gt_commit_at(repo, other), row) < 0 && !await(walk, other)) status = gt_no_memory(diag);
    }
    return status;
}

static goat_status note_visited(gt_walk *walk, uint32_t number, gt_diag *diag) {
    gt_commit_row *row = gt_commit_at(walk->repo, number);
    if ((row->flags & GT_COMMIT_AWAITED) != 0) {
        row->flags &= (uint16_t)~GT_COMMIT_AWAITED; /* it is visited once */
        walk->awaited_count--;
    }
    bool follows = walk->follows_reverts && (row->flags & GT_COMMIT_REVERTS) != 0;
    return follows ? await_reverted(walk, number, diag) : GOAT_OK;
}

bool gt_walk_visit(gt_walk *walk) {
    uint32_t number = gt_row_queue_pop(walk->repo, &walk->queue);
    if (!gt_reserve(walk->repo->alloc, (void **)(void *)&walk->commits, walk->count, &walk->capacity,
                    sizeof(*walk->commits))) {
        gt_commit_at(walk->repo, number)->flags &= (uint16_t)~GT_COMMIT_MARK;
        return false;
    }
    walk->commits[walk->count++] = number;
    const gt_commit_row *row = gt_commit_at(walk->repo, number);
    if (row->parent_count == 0) walk->has_root = true;
    for (uint32_t i = 0; i < row->parent_count; i++) {
        if (!gt_walk_push(walk, gt_parent_at(walk->repo, row, i))) return false;
    }
    return true;
}

void gt_walk_unmark(gt_walk *walk) {
    for (uint32_t i = 0; i < walk->count; i++) {
        gt_commit_at(walk->repo, walk->commits[i])->flags &= (uint16_t)~GT_COMMIT_MARK;
    }
    for (uint32_t i = 0; i < walk->queue.count; i++) {
        gt_commit_at(walk->repo, walk->queue.rows[i])->flags &= (uint16_t)~GT_COMMIT_MARK;
    }
    for (size_t at = 0; at < walk->awaited.len; at += sizeof(uint32_t)) {
        uint32_t number;
        memcpy(&number, walk->awaited.data + at, sizeof(number));
        gt_commit_at(walk->repo, number)->flags &= (uint16_t)~GT_COMMIT_AWAITED;
    }
}

/* A snapshot serves whoever reads at its version, and at a later one where upgrades are exact. */
static bool is_base(const gt_walk *walk, const gt_commit_row *row) {
    return (row->flags & GT_COMMIT_FULL) != 0 && gt_is_exact(walk->repo, row->schema, walk->reader);
}

static goat_status take_snapshot(gt_walk *walk, uint32_t number, gt_diag *diag) {
    gt_repo *repo = walk->repo;
    gt_commit commit;
    const gt_schema *writer = gt_writer_of(repo, gt_commit_at(repo, number)->schema);
    goat_status status = gt_commit_read(repo, number, &commit, diag);
    if (status != GOAT_OK) return status;
    walk->base = commit.full;
    if (writer == walk->reader) return GOAT_OK;
    status = gt_carry_state(repo, writer, walk->reader, commit.full, &walk->upgraded, diag);
    walk->base = gt_buf_bytes(&walk->upgraded);
    return status;
}

goat_status gt_walk_take_empty(gt_walk *walk, uint32_t item, gt_diag *diag) {
    gt_repo *repo = walk->repo;
    const gt_schema *oldest = walk->reader;
    const uint8_t empty = 0xa0;
    for (uint32_t i = 0; i < walk->count; i++) {
        const gt_commit_row *row = gt_commit_at(repo, walk->commits[i]);
        if (row->parent_count > 0 ||
            !gt_same_namespace(repo, row->schema, gt_item_schema(repo, gt_item_at(repo, item)))) {
            continue;
        }
        const gt_schema *writer = gt_writer_of(repo, row->schema);
        if (writer != NULL && gt_schema_version(writer) < gt_schema_version(oldest)) oldest = writer;
    }
    if (oldest == walk->reader) return GOAT_OK;
    goat_status status = gt_carry_state(repo, oldest, walk->reader, gt_bytes_of(&empty, 1), &walk->upgraded, diag);
    if (status == GOAT_OK && walk->upgraded.len > 1) walk->base = gt_buf_bytes(&walk->upgraded);
    return status;
}

/* Whether there is no more to be visited on the way back from the latest of the queue, because its replay is kept. */
static bool meets_kept(gt_walk *walk) {
    gt_repo *repo = walk->repo;
    if (walk->kept == NULL) return false;
    if (gt_item_replay_find(walk->kept, walk->queue.rows[0]) != GT_NONE) {
        gt_commit_at(repo, gt_row_queue_pop(repo, &walk->queue))->flags &=
            (uint16_t)~GT_COMMIT_MARK; /* its children were all visited */
        walk->meets_kept = true;
        return true;
    }
    const gt_commit_row *first = gt_commit_at(repo, gt_item_replay_first(walk->kept));
    walk->leaves_kept = walk->meets_kept && gt_commit_order(gt_commit_at(repo, walk->queue.rows[0]), first) < 0;
    return false;
}

static goat_status run(gt_walk *walk, uint32_t item, gt_diag *diag) {
    gt_repo *repo = walk->repo;
    bool own = gt_item_reader(repo, gt_item_at(repo, item)) == walk->reader; /* cuts are as the item is read */
    while (walk->queue.count > 0 && !walk->leaves_kept) {
        walk->forks = walk->forks || walk->queue.count > 1;
        bool may_end = !walk->has_root && walk->awaited_count == 0 && !walk->meets_kept;
        if (own && may_end && gt_cut_has(repo, item, walk->queue.count)) {
            gt_bytes cut = gt_cut_find(repo, item, walk->queue.rows, walk->queue.count);
            if (cut.data != NULL && queue_is_critical(walk)) {
                walk->base = cut;
                return GOAT_OK;
            }
        }
        if (meets_kept(walk)) continue;
        uint32_t top = walk->queue.rows[0];
        bool meets = walk->queue.count == 1 && !walk->has_root && !walk->meets_kept;
        if (!gt_walk_visit(walk)) return gt_no_memory(diag);
        goat_status noted = note_visited(walk, top, diag);
        if (noted != GOAT_OK) return noted;
        if (meets && walk->awaited_count == 0 && is_base(walk, gt_commit_at(repo, top)))
            return take_snapshot(walk, top, diag);
    }
    walk->leaves_kept = walk->leaves_kept || (walk->meets_kept && walk->has_root);
    return walk->meets_kept ? GOAT_OK : gt_walk_take_empty(walk, item, diag);
}

static goat_status walk_from(gt_walk *walk, uint32_t item, const uint32_t *heads, uint32_t head_count, gt_diag *diag) {
    goat_status status = GOAT_OK;
    for (uint32_t i = 0; i < head_count && status == GOAT_OK; i++) {
        if (!gt_walk_push(walk, heads[i])) status = gt_no_memory(diag);
    }
    if (status == GOAT_OK) status = run(walk, item, diag);
    gt_walk_unmark(walk);
    walk->repo->work += walk->count;
    return status;
}

void gt_walk_init(gt_walk *walk, gt_repo *repo, const gt_schema *reader) {
    *walk = (gt_walk){.repo = repo, .reader = reader};
    gt_buf_init(&walk->upgraded, repo->alloc);
    gt_buf_init(&walk->awaited, repo->alloc);
}

goat_status gt_walk_back(gt_walk *walk, gt_repo *repo, uint32_t item, const gt_schema *reader, const uint32_t *heads,
                         uint32_t head_count, gt_diag *diag) {
    gt_walk_init(walk, repo, reader);
    return walk_from(walk, item, heads, head_count, diag);
}

goat_status gt_walk_to_kept(gt_walk *walk, gt_repo *repo, uint32_t item, const gt_schema *reader, const uint32_t *heads,
                            uint32_t head_count, const gt_item_replay *kept, gt_diag *diag) {
    gt_walk_init(walk, repo, reader);
    walk->kept = kept;
    goat_status status = walk_from(walk, item, heads, head_count, diag);
    if (status != GOAT_OK || !walk->leaves_kept) return status;
    gt_walk_free(walk);
    return gt_walk_back(walk, repo, item, reader, heads, head_count, diag);
}

goat_status gt_walk_below(gt_walk *walk, gt_repo *repo, uint32_t item, const gt_schema *reader, const uint32_t *heads,
                          uint32_t head_count, const uint32_t *rows, uint32_t row_count, gt_diag *diag) {
    gt_walk_init(walk, repo, reader);
    walk->follows_reverts = true;
    goat_status status = GOAT_OK;
    for (uint32_t i = 0; i < row_count && status == GOAT_OK; i++) {
        if (!await(walk, rows[i])) status = gt_no_memory(diag);
    }
    if (status == GOAT_OK) return walk_from(walk, item, heads, head_count, diag);
    gt_walk_unmark(walk);
    return status;
}

void gt_walk_free(gt_walk *walk) {
    gt_buf_free(&walk->upgraded);
    gt_buf_free(&walk->awaited);
    gt_row_queue_free(walk->repo->alloc, &walk->queue);
    gt_free(walk->repo->alloc, walk->commits);
}
