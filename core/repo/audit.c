/* Verify: everything that the log says, checked from its bytes alone, without the tables' word for it.
 *
 * It walks the records in order and asks of each: is it sound, does its chain follow, is it a frame,
 * do the hashes give the root, does the signature hold, is the batch at its place in its session's
 * chain, are parents there before their children and earlier, and does a snapshot say what the replay
 * says; and of receipts whether they are signed by a server and say what the log has. */
#include "base/arena.h"
#include "merge/merge.h"
#include "repo/tables.h"

enum { AHEAD_RECORDS = 16 };

static void report(gt_audit *audit, const char *kind, uint64_t offset, const gt_batch *batch, const gt_diag *diag) {
    gt_fault fault = {.kind = kind, .offset = offset, .diag = *diag};
    if (batch != NULL) {
        fault.batch = batch->id;
        fault.has_batch = true;
    }
    audit->fault(audit->context, &fault);
}

static void check_commit(gt_audit *audit, const gt_batch *batch, const gt_node *node, uint64_t offset) {
    gt_repo *repo = audit->repo;
    gt_diag diag;
    gt_diag_init(&diag);
    uint32_t number = gt_find_commit(repo, &node->hash);
    if (number == GT_NONE) {
        gt_fail(&diag, GOAT_CORRUPT, "a commit could not be taken in: a parent is missing or wrong");
        report(audit, "parents", offset, batch, &diag);
        return;
    }
    const gt_commit_row *row = gt_commit_at(repo, number);
    gt_diag_item(&diag, repo->path, node->commit.key);
    for (uint32_t i = 0; i < row->parent_count; i++) {
        const gt_commit_row *parent = gt_commit_at(repo, gt_parent_at(repo, row, i));
        bool follows = parent->time < row->time && parent->item == row->item;
        bool newer = gt_schema_at(repo, parent->schema)->version > gt_schema_at(repo, row->schema)->version &&
                     gt_same_namespace(repo, parent->schema, row->schema);
        if (follows && !newer) continue;
        gt_fail(&diag, GOAT_CORRUPT,
                follows ? "a commit follows one of a newer version of its schema"
                        : "a commit does not follow its parent");
        report(audit, "parents", offset, batch, &diag);
    }
    const gt_schema *writer = gt_commit_schema(repo, &node->commit);
    if (writer != NULL && node->commit.delta.data != NULL &&
        gt_merge_check_delta(writer, node->commit.delta, &diag) != GOAT_OK) {
        gt_diag_item(&diag, repo->path, node->commit.key);
        report(audit, "delta", offset, batch, &diag);
    }
    if (node->commit.full.data == NULL) return;
    repo->full_work = 0;
    goat_status status = gt_full_check(repo, &node->commit, &diag);
    if (status != GOAT_INVALID) return;
    gt_diag_item(&diag, repo->path, node->commit.key);
    report(audit, "full", offset, batch, &diag);
}

static void check_batch(gt_audit *audit, gt_bytes frame, uint64_t offset, gt_arena *arena) {
    gt_repo *repo = audit->repo;
    gt_batch batch;
    gt_diag diag;
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    gt_diag_init(&diag);
    audit->batches++;
    if (gt_batch_decode(frame, arena, &batch, &diag) != GOAT_OK) {
        report(audit, "frame", offset, NULL, &diag);
        return;
    }
    if (gt_batch_hash(repo->config.hasher, &repo->place, &batch, &diag) != GOAT_OK) {
        report(audit, "hash", offset, &batch, &diag);
        return;
    }
    if (repo->config.hooks.find_key(repo->config.hooks.context, &batch, public_key, &diag) != GOAT_OK) {
        report(audit, "certificate", offset, &batch, &diag);
        return;
    }
    audit->signatures++;
    if (gt_batch_verify(&repo->place, &batch, public_key, repo->alloc, &diag) != GOAT_OK) {
        report(audit, "signature", offset, &batch, &diag);
        return;
    }
    gt_id missing;
    if (gt_chain_check(repo, &batch, &missing, &diag) != GOAT_OK) report(audit, "chain", offset, &batch, &diag);
    for (uint32_t i = 0; i < batch.node_count; i++) {
        if (batch.nodes[i].kind != GT_NODE_LEAF) continue;
        audit->commits++;
        check_commit(audit, &batch, &batch.nodes[i], offset);
    }
}

/* What a receipt says is checked against its signature and, where it is this log's own, against the log. One that does
 * not fit is of an earlier life of the log (a backup was put back, and clients brought what came after it) when another
 * takes its place in the chain; when none does, the log is not what was said of it. */
static goat_status check_receipt(gt_audit *audit, gt_bytes bytes, uint64_t offset, gt_arena *arena, gt_diag *diag) {
    gt_repo *repo = audit->repo;
    const gt_repo_hooks *hooks = &repo->config.hooks;
    gt_receipt receipt;
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    goat_status status = gt_receipt_decode(bytes, arena, &receipt, diag);
    if (status != GOAT_OK) return status;
    gt_receipt_hash(repo->config.hasher, &repo->place, &receipt);
    if (hooks->find_server_key != NULL) {
        audit->signatures++;
        status = hooks->find_server_key(hooks->context, &receipt.session, public_key, diag);
        if (status == GOAT_OK) status = gt_receipt_verify(&repo->place, &receipt, public_key, repo->alloc, diag);
    }
    if (status != GOAT_OK) return status;
    status = gt_receipt_follows(repo, &receipt, &audit->order, diag);
    if (status == GOAT_OK) audit->doubtful = 0;
    if (status == GOAT_INVALID && audit->doubtful == 0) audit->doubtful = offset;
    return status == GOAT_NOT_FOUND || status == GOAT_INVALID ? GOAT_OK : status;
}

static void audit_receipt(gt_audit *audit, gt_bytes bytes, uint64_t offset) {
    gt_arena arena;
    gt_diag diag;
    gt_arena_init(&arena, audit->repo->alloc);
    gt_diag_init(&diag);
    audit->receipts++;
    if (check_receipt(audit, bytes, offset, &arena, &diag) != GOAT_OK) report(audit, "receipt", offset, NULL, &diag);
    gt_arena_free(&arena);
}

static void report_doubt(gt_audit *audit) {
    gt_diag diag;
    if (audit->doubtful == 0) return;
    gt_diag_init(&diag);
    gt_fail(&diag, GOAT_INVALID, "a receipt does not say what the log has");
    report(audit, "receipt", audit->doubtful, NULL, &diag);
}

/* What the log has found, now and when it was opened. */
static void report_damage(gt_audit *audit) {
    size_t count;
    const gt_damage *damage = gt_log_damage(audit->repo->log, &count);
    for (size_t i = 0; i < count; i++) {
        gt_diag diag;
        if (damage[i].aside) continue;
        audit->has_holes = audit->has_holes || damage[i].kind == GT_DAMAGE_MIDDLE;
        gt_diag_init(&diag);
        const char *what = damage[i].kind == GT_DAMAGE_HEADER  ? "a copy of the header is damaged"
                           : damage[i].kind == GT_DAMAGE_TORN  ? "the end of the log is torn"
                           : damage[i].kind == GT_DAMAGE_CHAIN ? "a record does not follow from those before it"
                                                               : "bytes are no record";
        gt_fail_at(&diag, GOAT_CORRUPT, damage[i].offset, "%s, %llu bytes", what, (unsigned long long)damage[i].length);
        report(audit, "record", damage[i].offset, NULL, &diag);
    }
}

/* What was set aside stands behind it, and is known only when the log was walked once; below a checkpoint it was not. */
static bool walk_ahead(gt_audit *audit, goat_status *status) {
    gt_repo *repo = audit->repo;
    gt_record record;
    if (audit->ahead == 0) audit->ahead = GT_LOG_HEADER_SIZE;
    for (int i = 0; i < AHEAD_RECORDS && audit->ahead < repo->checkpoint_covers; i++) {
        *status = gt_log_next(repo->log, &audit->ahead, false, &record);
        if (*status == GOAT_NOT_FOUND) audit->ahead = repo->checkpoint_covers;
        if (*status != GOAT_OK) break;
    }
    if (*status == GOAT_NOT_FOUND) *status = GOAT_OK;
    return audit->ahead < repo->checkpoint_covers;
}

goat_status gt_audit_step(gt_audit *audit, gt_diag *diag) {
    gt_repo *repo = audit->repo;
    gt_record record;
    goat_status ahead = GOAT_OK;
    if (walk_ahead(audit, &ahead)) return ahead == GOAT_OK ? GOAT_OK : gt_fail(diag, ahead, "the log cannot be read");
    goat_status status = gt_log_next(repo->log, &audit->offset, true, &record);
    if (status == GOAT_NOT_FOUND) {
        report_doubt(audit);
        report_damage(audit);
        gt_note_holes(repo);
        audit->done = true;
        return GOAT_OK;
    }
    if (status != GOAT_OK) return gt_fail(diag, status, "the log cannot be read");
    if (gt_log_is_aside(repo->log, GT_RECORD_START(record.offset), GT_RECORD_LENGTH(record.payload.len))) {
        return GOAT_OK;
    }
    audit->bytes += record.payload.len;
    if (record.type == GT_RECORD_RECEIPT) audit_receipt(audit, record.payload, record.offset);
    if (record.type != GT_RECORD_BATCH) return GOAT_OK;
    gt_arena arena;
    gt_arena_init(&arena, repo->alloc);
    check_batch(audit, record.payload, record.offset, &arena);
    gt_arena_free(&arena);
    return GOAT_OK;
}
