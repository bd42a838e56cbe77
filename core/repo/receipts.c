/* Receipts: those of this log, written and read, and those of other logs, which are only kept.
 *
 * The receipts of a log form a chain that names its records in their order, so from the last one follows what is still
 * to be named. Whether a receipt is the next of that chain is judged the same way whether it is written, read or
 * received; one of this very log that does not fit comes from an earlier life of it (a backup was put back) and is
 * kept like a stranger's. */
#include "base/arena.h"
#include "repo/tables.h"

enum { RECEIPT_USUAL = 1 << 20 }; /* bytes of leaves after which the next receipt begins */

/* ---- the table ---- */

uint32_t gt_repo_receipt_count(const gt_repo *repo) { return repo->receipts.count; }

uint32_t gt_repo_find_receipt(const gt_repo *repo, const gt_id *id) {
    gt_index_cursor cursor;
    uint32_t row = gt_index_first(&repo->receipt_index, gt_id_hash(repo, id), &cursor);
    while (row != GT_INDEX_NONE && gt_id_compare(&gt_receipt_row_at(repo, row)->id, id) != 0) {
        row = gt_index_next(&repo->receipt_index, &cursor);
    }
    return row;
}

static gt_receipt_row *push(gt_repo *repo, const gt_id *id, const gt_record *record) {
    gt_receipt_row *row = gt_rows_push(&repo->receipts);
    if (row == NULL) return NULL;
    if (!gt_index_insert(&repo->receipt_index, gt_id_hash(repo, id), repo->receipts.count - 1)) {
        gt_rows_pop(&repo->receipts);
        return NULL;
    }
    *row = (gt_receipt_row){.id = *id, .offset = record->offset, .len = (uint32_t)record->payload.len};
    return row;
}

bool gt_receipt_is_sound(gt_repo *repo, uint32_t number) {
    gt_receipt_row *row = gt_receipt_row_at(repo, number);
    bool unchecked = number < repo->unchecked_receipts && row->offset < repo->checkpoint_covers;
    if ((row->flags & GT_RECEIPT_DAMAGED) == 0 && unchecked && !gt_log_holds(repo->log, row->offset, row->len)) {
        row->flags |= GT_RECEIPT_DAMAGED;
        gt_receipt_uncount(repo, number);
        repo->changes++;
        gt_log_note_hole(repo->log, GT_RECORD_START(row->offset), GT_RECORD_LENGTH(row->len));
    }
    return (row->flags & GT_RECEIPT_DAMAGED) == 0;
}

void gt_repo_receipt_at(gt_repo *repo, uint32_t number, gt_id *id, gt_bytes *bytes) {
    const gt_receipt_row *row = gt_receipt_row_at(repo, number);
    *id = row->id;
    *bytes = gt_receipt_is_sound(repo, number) ? gt_log_at(repo->log, row->offset, row->len) : (gt_bytes){0};
}

/* ---- the order of this log ---- */

/* Whether receipts name a record: not what came again after damage, and not what only a successor names. */
static bool is_named(const gt_repo *repo, uint32_t record) {
    const gt_batch_row *row = gt_batch_at(repo, record);
    return row->len > 0 && (row->flags & (GT_BATCH_AGAIN | GT_BATCH_DAMAGED)) == 0;
}

static uint32_t next_named(const gt_repo *repo, uint32_t record) {
    while (record < repo->batches.count && !is_named(repo, record)) record++;
    return record;
}

/* The record that the first receipt begins with: that of its first entry, if it has one. */
static uint32_t find_begin(const gt_repo *repo, const gt_receipt *receipt) {
    const gt_id *batch = receipt->nodes[0].batch;
    if (receipt->first < repo->commits.count) {
        const gt_commit_row *commit = gt_commit_at(repo, (uint32_t)receipt->first);
        uint32_t record = gt_record_of(repo, commit->batch, commit->offset);
        if (record != GT_NONE && gt_id_compare(&gt_batch_at(repo, record)->id, batch) == 0) return record;
    }
    return gt_find_batch(repo, batch);
}

/* The leaves that a record holds, as runs; appended to `runs`. */
static goat_status runs_of(const gt_repo *repo, const gt_batch_row *row, gt_buf *runs, uint32_t *entries,
                           gt_diag *diag) {
    gt_arena arena;
    gt_batch batch;
    gt_run run = {0};
    gt_arena_init(&arena, repo->alloc);
    goat_status status = gt_batch_view(gt_log_at(repo->log, row->offset, row->len), &arena, &batch, diag);
    for (uint32_t i = 0; status == GOAT_OK && i < batch.node_count; i++) {
        if (batch.nodes[i].kind != GT_NODE_LEAF) continue;
        ++*entries;
        if (run.count > 0 && run.first + run.count == batch.nodes[i].first) {
            run.count++;
            continue;
        }
        if (run.count > 0) gt_buf_append(runs, &run, sizeof(run));
        run = (gt_run){batch.nodes[i].first, 1};
    }
    if (run.count > 0) gt_buf_append(runs, &run, sizeof(run));
    gt_arena_free(&arena);
    return status == GOAT_OK && gt_buf_failed(runs) ? gt_no_memory(diag) : status;
}

/* Whether a leaf says of a record what the record holds. */
static bool tells_of(const gt_repo *repo, const gt_receipt_node *leaf, const gt_batch_row *row) {
    if (leaf->admits_all || row->leaves == row->size) return leaf->admits_all && row->leaves == row->size;
    gt_buf runs;
    gt_run run;
    uint32_t entries = 0;
    size_t at = 0, next = 0;
    gt_buf_init(&runs, repo->alloc);
    bool same = runs_of(repo, row, &runs, &entries, NULL) == GOAT_OK;
    for (; same && gt_receipt_run(leaf, &at, &run); next += sizeof(run)) {
        same = next < runs.len && memcmp(runs.data + next, &run, sizeof(run)) == 0;
    }
    same = same && next == runs.len;
    gt_buf_free(&runs);
    return same;
}

/* How many entries the records before one hold. */
static uint64_t entries_before(const gt_repo *repo, uint32_t record) {
    uint64_t entries = 0;
    for (uint32_t i = 0; i < record && i < repo->batches.count; i++) entries += gt_batch_at(repo, i)->leaves;
    return entries;
}

/* Damage in the middle of the log, or records of it that could not be taken in where they lie. */
static bool has_holes(const gt_repo *repo) {
    return repo->faults.len > 0 || gt_log_has_holes(repo->log) || gt_log_has_asides(repo->log);
}

/* Goes along the leaves and the records. Where the log has holes, a leaf may name what was lost in one. */
static bool goes_along(const gt_repo *repo, const gt_receipt *receipt, gt_receipt_order *order) {
    bool holes = has_holes(repo);
    for (uint32_t i = 0; i < receipt->node_count; i++) {
        const gt_receipt_node *leaf = &receipt->nodes[i];
        if (leaf->bytes.data == NULL) return false; /* a log's own receipts are whole */
        uint32_t record = next_named(repo, order->records), batch = gt_find_batch(repo, leaf->batch);
        bool named = record < repo->batches.count && gt_id_compare(&gt_batch_at(repo, record)->id, leaf->batch) == 0;
        if (!holes && !(named && tells_of(repo, leaf, gt_batch_at(repo, record)))) return false;
        if (named) order->records = record + 1;
        order->entries += leaf->entries;
        if (leaf->admits_all && batch != GT_NONE) order->entries += gt_batch_at(repo, batch)->size;
    }
    return true;
}

goat_status gt_receipt_follows(const gt_repo *repo, const gt_receipt *receipt, gt_receipt_order *order, gt_diag *diag) {
    gt_receipt_order next = *order;
    bool holes = has_holes(repo);
    bool own = memcmp(receipt->log_id, gt_log_get_identity(repo->log)->log_id, GT_LOG_ID_SIZE) == 0;
    bool behind_last = order->has_last
                           ? receipt->previous != NULL && gt_id_compare(receipt->previous, &order->last) == 0
                           : receipt->previous == NULL;
    if (!own || (!behind_last && (!holes || receipt->first < order->entries))) {
        return gt_fail(diag, GOAT_NOT_FOUND, "a receipt of another log");
    }
    if (!order->begun) {
        next.records = find_begin(repo, receipt);
        if (next.records == GT_NONE) next.records = holes ? 0 : repo->batches.count;
        next.entries = entries_before(repo, next.records);
    }
    if (holes) next.entries = receipt->first;
    if (receipt->first != next.entries || !goes_along(repo, receipt, &next)) {
        return gt_fail(diag, GOAT_INVALID, "a receipt does not say what the log has");
    }
    next.begun = next.has_last = true;
    next.last = receipt->id;
    *order = next;
    return GOAT_OK;
}

/* ---- taking them in ---- */

static bool add(gt_repo *repo, const gt_receipt *receipt, const gt_record *record) {
    if (push(repo, &receipt->id, record) == NULL) return false;
    gt_receipt_follows(repo, receipt, &repo->order, NULL);
    return true;
}

/* The same receipt once more: a first record of it turned out damaged, and is set aside where that can be. */
static void replace(gt_repo *repo, uint32_t number, const gt_record *record) {
    gt_receipt_row *row = gt_receipt_row_at(repo, number);
    if (repo->phase == GT_REPO_OPEN) {
        gt_log_set_aside(repo->log, GT_RECORD_START(row->offset), GT_RECORD_LENGTH(row->len), NULL);
    }
    row->offset = record->offset;
    row->len = (uint32_t)record->payload.len;
    row->flags = 0;
    gt_receipt_recount(repo, number);
}

goat_status gt_receipt_load(gt_repo *repo, const gt_record *record, gt_diag *diag) {
    gt_arena arena;
    gt_receipt receipt;
    gt_arena_init(&arena, repo->alloc);
    goat_status status = gt_receipt_decode(record->payload, &arena, &receipt, diag);
    if (status == GOAT_OK) {
        const gt_repo_hooks *hooks = &repo->config.hooks;
        if (hooks->knows_server != NULL && !hooks->knows_server(hooks->context, &receipt.session)) {
            status = gt_fail(diag, GOAT_UNTRUSTED, "the session that signed the receipt is not a server's");
        }
    }
    if (status == GOAT_OK) {
        gt_receipt_hash(repo->config.hasher, &repo->place, &receipt);
        uint32_t known = gt_repo_find_receipt(repo, &receipt.id);
        if (known != GT_NONE) {
            if (!gt_receipt_is_sound(repo, known)) replace(repo, known, record);
        } else if (!add(repo, &receipt, record)) {
            status = gt_no_memory(diag);
        }
    }
    gt_arena_free(&arena);
    return status;
}

goat_status gt_repo_admit_receipt(gt_repo *repo, const gt_receipt *receipt, gt_admission *outcome, gt_diag *diag) {
    gt_record record;
    goat_status status = gt_repo_check_open(repo, diag);
    if (status != GOAT_OK) return status;
    uint32_t known = gt_repo_find_receipt(repo, &receipt->id);
    *outcome = known != GT_NONE && gt_receipt_is_sound(repo, known) ? GT_KNOWN : GT_ADMITTED;
    if (*outcome == GT_KNOWN) return GOAT_OK;
    status = gt_log_append(repo->log, GT_RECORD_RECEIPT, receipt->bytes, &record, diag);
    if (status != GOAT_OK) return status;
    if (known != GT_NONE) {
        replace(repo, known, &record);
    } else if (!add(repo, receipt, &record)) {
        status = gt_no_memory(diag);
        gt_repo_fail(repo, status, "a receipt that is logged could not be taken in");
        return status;
    }
    gt_repo_logged(repo);
    return GOAT_OK;
}

/* ---- writing them ---- */

void gt_repo_receipts_begin(gt_repo *repo) {
    if (!repo->order.begun) {
        repo->order = (gt_receipt_order){.begun = true, .records = repo->batches.count, .entries = repo->commits.count};
    }
    repo->writes_receipts = true;
}

bool gt_repo_wants_receipt(gt_repo *repo) {
    if (!repo->writes_receipts) return false;
    repo->order.records = next_named(repo, repo->order.records); /* what is not named is passed over once */
    return repo->order.records < repo->batches.count;
}

static goat_status add_leaf(gt_repo *repo, gt_receipt_draft *draft, uint32_t record, uint64_t *entries, gt_diag *diag) {
    const gt_batch_row *row = gt_batch_at(repo, record);
    uint32_t count = row->size;
    gt_buf runs;
    gt_buf_init(&runs, repo->alloc);
    goat_status status = GOAT_OK;
    bool all = row->leaves == row->size;
    if (!all) {
        count = 0;
        status = runs_of(repo, row, &runs, &count, diag);
    }
    static const gt_run none;
    const gt_run *list = all ? NULL : runs.len == 0 ? &none : (const gt_run *)(const void *)runs.data;
    if (status == GOAT_OK) {
        status = gt_receipt_draft_add(draft, repo->config.hasher, &row->id, list, runs.len / sizeof(gt_run), diag);
    }
    if (status == GOAT_OK) *entries += count;
    gt_buf_free(&runs);
    return status;
}

/* Leaves for the records from `order` on, until the receipt is long enough. */
static goat_status fill(gt_repo *repo, gt_receipt_draft *draft, gt_receipt_order *order, gt_diag *diag) {
    goat_status status = GOAT_OK;
    uint32_t record = next_named(repo, order->records);
    while (status == GOAT_OK && record < repo->batches.count && draft->count < GT_RECEIPT_LEAVES_MAX &&
           draft->leaves.len < RECEIPT_USUAL) {
        status = add_leaf(repo, draft, record, &order->entries, diag);
        if (status == GOAT_OK) order->records = record + 1;
        record = next_named(repo, order->records);
    }
    return status == GOAT_TOO_LARGE && draft->count > 0 ? GOAT_OK : status;
}

static goat_status append(gt_repo *repo, const gt_signer *signer, gt_receipt_draft *draft, gt_receipt_order *order,
                          gt_diag *diag) {
    int64_t wall = repo->config.clock.wall_ms(repo->config.clock.context);
    gt_receipt receipt = {
        .session = signer->session,
        .previous = order->has_last ? &repo->order.last : NULL,
        .time_ms = wall > 0 ? (uint64_t)wall : 0,
        .first = repo->order.entries,
    };
    memcpy(receipt.log_id, gt_log_get_identity(repo->log)->log_id, GT_LOG_ID_SIZE);
    gt_buf bytes;
    gt_record record;
    gt_buf_init(&bytes, repo->alloc);
    goat_status status =
        gt_receipt_draft_finish(draft, repo->config.hasher, &repo->place, signer->key, &receipt, &bytes, diag);
    if (status == GOAT_OK) {
        status = gt_log_append(repo->log, GT_RECORD_RECEIPT, gt_buf_bytes(&bytes), &record, diag);
    }
    gt_buf_free(&bytes);
    if (status != GOAT_OK) return status;
    if (push(repo, &receipt.id, &record) == NULL) {
        status = gt_no_memory(diag);
        gt_repo_fail(repo, status, "a receipt that is logged could not be taken in");
        return status;
    }
    order->has_last = true;
    order->last = receipt.id;
    repo->order = *order;
    gt_repo_logged(repo);
    return GOAT_OK;
}

goat_status gt_repo_write_receipt(gt_repo *repo, const gt_signer *signer, gt_diag *diag) {
    goat_status status = gt_repo_check_open(repo, diag);
    if (status != GOAT_OK || !gt_repo_wants_receipt(repo)) return status;
    gt_receipt_order order = repo->order;
    gt_receipt_draft draft;
    gt_receipt_draft_init(&draft, repo->alloc);
    status = fill(repo, &draft, &order, diag);
    if (status == GOAT_OK) status = append(repo, signer, &draft, &order, diag);
    gt_receipt_draft_free(&draft);
    return status;
}
