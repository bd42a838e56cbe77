/* Healing: a batch whose record turned out damaged comes again, is logged anew, and the rows point to the new record.
 *
 * The rows themselves were right all the time (they come from a checkpoint), so nothing of the graph changes. A commit's
 * bytes are the same wherever they lie, since its id is their hash; what points into them moves along with them. */
#include "base/arena.h"
#include "repo/tables.h"

/* A batch may be in the log in many parts, so each is looked at once, and no leaf's is looked for unless some is lost. */
bool gt_batch_has_lost(gt_repo *repo, uint32_t batch) {
    for (uint32_t record = batch; record != GT_NONE && record < repo->sound_count;
         record = gt_batch_at(repo, record)->next) {
        (void)gt_record_is_sound(repo, record);
    }
    return gt_batch_is_lost(gt_batch_at(repo, batch));
}

bool gt_commit_is_lost(gt_repo *repo, uint32_t number) {
    const gt_commit_row *row = gt_commit_at(repo, number);
    if (number >= repo->unchecked_count) return false;
    uint32_t record = gt_record_of(repo, row->batch, row->offset);
    return record != GT_NONE && !gt_record_is_sound(repo, record);
}

/* An offset into the bytes of a commit, after these have moved. */
static bool move(uint64_t *offset, const gt_commit_row *from, uint64_t to) {
    if (*offset < from->offset || *offset - from->offset >= from->len) return false;
    *offset = to + (*offset - from->offset);
    return true;
}

/* Key and state where they lie in the commit. */
static void move_item(gt_repo *repo, gt_item_row *item, const gt_commit_row *from, uint64_t to, uint32_t len) {
    if ((item->key_offset & GT_KEY_IN_CHECKPOINT) == 0) move(&item->key_offset, from, to);
    uint64_t place = item->state & ~GT_STATE_MASK;
    if ((item->state & GT_STATE_MASK) != GT_STATE_IN_LOG || !move(&place, from, to)) return;
    item->state = GT_STATE_IN_LOG | place;
    if (from->len != len) gt_item_forget_state(repo, item); /* the row was wrong too */
}

/* The hooks are told, because what could not be read may have become readable. */
static void move_commit(gt_repo *repo, uint32_t number, uint64_t to, uint32_t len) {
    const gt_repo_hooks *hooks = &repo->config.hooks;
    gt_commit_row *row = gt_commit_at(repo, number);
    gt_item_row *item = gt_item_at(repo, row->item);
    uint32_t from = gt_record_of(repo, row->batch, row->offset);
    if (hooks->before_change != NULL) hooks->before_change(hooks->context, repo, row->item);
    if (from != GT_NONE && gt_batch_at(repo, from)->leaves > 0) gt_batch_at(repo, from)->leaves--;
    move_item(repo, item, row, to, len);
    row->offset = to;
    row->len = len;
    repo->unchecked[number / 8] &= (uint8_t) ~(1 << number % 8);
    item->revision++;
    if (hooks->after_change != NULL) hooks->after_change(hooks->context, repo, row->item, GT_FROM_PEER);
}

/* What damage has taken is here again: the stretch is set aside. When the log is only being read, or takes nothing,
 * that is done another time. */
static void set_aside(gt_repo *repo, const gt_batch_row *row) {
    if (repo->phase != GT_REPO_OPEN || repo->config.read_only) return;
    if (gt_log_holds(repo->log, row->offset, row->len)) return;
    gt_log_set_aside(repo->log, GT_RECORD_START(row->offset), GT_RECORD_LENGTH(row->len), NULL);
}

static void finish(gt_repo *repo, uint32_t batch) {
    bool lost = false;
    for (uint32_t record = batch; record != GT_NONE; record = gt_batch_at(repo, record)->next) {
        const gt_batch_row *row = gt_batch_at(repo, record);
        if ((row->flags & GT_BATCH_DAMAGED) == 0) continue;
        lost = lost || row->leaves > 0;
        if (row->leaves == 0) set_aside(repo, row);
    }
    gt_batch_row *first = gt_batch_at(repo, batch);
    if (lost || (first->flags & GT_BATCH_LOST) == 0) return;
    first->flags &= ~(uint32_t)GT_BATCH_LOST;
    repo->lost_count--;
}

goat_status gt_heal_leaves(gt_repo *repo, const gt_batch *batch, const gt_record *record, const uint8_t *take,
                           uint8_t taken, gt_diag *diag) {
    gt_arena arena;
    gt_batch logged;
    gt_arena_init(&arena, repo->alloc);
    uint32_t number = gt_find_batch(repo, &batch->id);
    goat_status status = gt_batch_view(record->payload, &arena, &logged, diag);
    uint32_t in = status == GOAT_OK ? gt_record_of(repo, number, record->offset) : GT_NONE;
    if (status == GOAT_OK && in == GT_NONE) {
        bool added = gt_part_add(repo, number, record, GT_BATCH_AGAIN);
        status = added ? GOAT_OK : gt_no_memory(diag);
        in = repo->batches.count - 1;
    }
    uint32_t from = 0; /* both lists of nodes are ordered by leaf */
    for (uint32_t i = 0; status == GOAT_OK && i < logged.node_count; i++) {
        const gt_node *node = &logged.nodes[i];
        if (node->kind != GT_NODE_LEAF || take[node->first] != taken) continue;
        while (batch->nodes[from].first != node->first) from++;
        uint32_t commit = gt_find_commit(repo, &batch->nodes[from].hash);
        move_commit(repo, commit, record->offset + (uint64_t)(node->bytes.data - record->payload.data),
                    (uint32_t)node->bytes.len);
        gt_batch_at(repo, in)->leaves++;
    }
    if (status == GOAT_OK) finish(repo, number);
    gt_arena_free(&arena);
    return status;
}
