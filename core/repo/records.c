/* The records of the log that hold batches, and what is asked of them by their place.
 *
 * A batch is one row, unless it is in the log in parts; then each record has a row, all of them linked from the first.
 * Rows are in the order of the log: what completes a stub is a part as well. */
#include "repo/tables.h"

static bool lies_in(const gt_batch_row *row, uint64_t offset) {
    return row->len > 0 && offset >= row->offset && offset - row->offset < row->len;
}

uint32_t gt_record_of(const gt_repo *repo, uint32_t batch, uint64_t offset) {
    uint32_t last = gt_batch_at(repo, batch)->other; /* what was added last is asked for most */
    if (lies_in(gt_batch_at(repo, last), offset)) return last;
    uint32_t row = batch;
    while (row != GT_NONE && !lies_in(gt_batch_at(repo, row), offset)) row = gt_batch_at(repo, row)->next;
    return row;
}

bool gt_part_add(gt_repo *repo, uint32_t batch, const gt_record *record, uint32_t flags) {
    gt_batch_row *row = gt_rows_push(&repo->batches);
    if (row == NULL) return false;
    uint32_t number = repo->batches.count - 1;
    gt_batch_row *first = gt_batch_at(repo, batch);
    *row = (gt_batch_row){
        .id = first->id,
        .offset = record->offset,
        .seq = first->seq,
        .len = (uint32_t)record->payload.len,
        .session = first->session,
        .size = first->size,
        .older = GT_NONE,
        .prev = GT_NONE,
        .skip = GT_NONE,
        .flags = GT_BATCH_PART | flags,
        .next = GT_NONE,
        .other = batch,
    };
    gt_batch_at(repo, first->other)->next = number;
    first->other = number;
    return true;
}

void gt_record_lost(gt_repo *repo, uint32_t record) {
    gt_batch_row *row = gt_batch_at(repo, record);
    uint32_t batch = (row->flags & GT_BATCH_PART) != 0 ? row->other : record;
    gt_batch_row *first = gt_batch_at(repo, batch);
    if ((row->flags & GT_BATCH_DAMAGED) == 0 && row->len > 0 && !gt_log_holds(repo->log, row->offset, row->len)) {
        gt_log_note_hole(repo->log, GT_RECORD_START(row->offset), GT_RECORD_LENGTH(row->len));
    }
    row->flags |= GT_BATCH_DAMAGED;
    repo->changes++;
    if (row->leaves == 0 || (first->flags & GT_BATCH_LOST) != 0) return;
    first->flags |= GT_BATCH_LOST;
    repo->lost_count++;
    gt_note_lacking(repo, batch);
    if (repo->config.hooks.missed != NULL) repo->config.hooks.missed(repo->config.hooks.context, repo);
}

bool gt_record_is_sound(gt_repo *repo, uint32_t record) {
    const gt_batch_row *row = gt_batch_at(repo, record);
    if (row->len == 0 || (row->flags & GT_BATCH_DAMAGED) != 0) return false;
    if (record >= repo->sound_count || (repo->sound[record / 8] & 1 << record % 8) != 0) return true;
    if (gt_log_holds(repo->log, row->offset, row->len)) {
        repo->sound[record / 8] |= (uint8_t)(1 << record % 8);
        return true;
    }
    gt_record_lost(repo, record);
    return false;
}

bool gt_repo_has_session(const gt_repo *repo, const gt_id *session) {
    return gt_find_session(repo, session) != GT_NONE;
}

uint32_t gt_repo_record_count(const gt_repo *repo) { return repo->batches.count; }

static bool has_frame(const gt_batch_row *row) { return row->len > 0 && (row->flags & GT_BATCH_DAMAGED) == 0; }

/* The first row from `row` on that has a frame, or the last one. */
static uint32_t with_frame(const gt_repo *repo, uint32_t row) {
    while (!has_frame(gt_batch_at(repo, row)) && gt_batch_at(repo, row)->next != GT_NONE) {
        row = gt_batch_at(repo, row)->next;
    }
    return row;
}

bool gt_repo_is_whole(const gt_repo *repo, uint32_t record, gt_id *batch) {
    const gt_batch_row *row = gt_batch_at(repo, record);
    uint32_t number = (row->flags & GT_BATCH_PART) != 0 ? row->other : record;
    const gt_batch_row *first = gt_batch_at(repo, number);
    *batch = row->id;
    return first->held == first->size && (first->flags & (GT_BATCH_LOST | GT_BATCH_STUB)) == 0 && has_frame(row) &&
           with_frame(repo, number) == record;
}

void gt_repo_held(gt_repo *repo, uint32_t record, gt_held *held) {
    const gt_batch_row *row = gt_batch_at(repo, record);
    *held = (gt_held){.batch = row->id};
    if (!gt_record_is_sound(repo, record)) return;
    held->frame = gt_log_at(repo->log, row->offset, row->len);
    held->whole = gt_repo_is_whole(repo, record, &held->batch);
}

uint32_t gt_repo_find_record(const gt_repo *repo, const gt_id *id) {
    uint32_t batch = gt_find_batch(repo, id);
    if (batch == GT_NONE) {
        uint32_t commit = gt_find_commit(repo, id);
        if (commit == GT_NONE) return GT_NONE;
        batch = gt_commit_at(repo, commit)->batch;
    }
    return with_frame(repo, batch);
}

uint32_t gt_repo_next_record(const gt_repo *repo, uint32_t record) { return gt_batch_at(repo, record)->next; }

uint32_t gt_repo_commit_count(const gt_repo *repo) { return repo->commits.count; }

void gt_repo_entry(const gt_repo *repo, uint32_t commit, gt_id *batch, uint32_t *leaf) {
    const gt_commit_row *row = gt_commit_at(repo, commit);
    *batch = gt_batch_at(repo, row->batch)->id;
    *leaf = row->leaf;
}
