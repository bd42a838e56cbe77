/* A checkpoint in the making: the tables as the sections of a file, little by little.
 *
 * Tables are written from where they lie, items as copies: what is only true in this process (states in memory) is
 * replaced. All of it must be of one moment. What changes rows either makes the log longer or counts in `changes`;
 * where that has happened since the beginning, the file is given up. States and fingerprints may come and go
 * meanwhile: an item's row is taken together with its state, and the fingerprint at the beginning. */
#include "base/assert.h"
#include "repo/checkpoint_rows.h"

enum { ITEM_BYTES = 256 }; /* an item counts as so many of a step's bytes: its key lies anywhere in the log */

struct gt_making {
    gt_repo *repo;
    uint64_t length; /* of the log, at the beginning */
    uint32_t changes;
    uint8_t meta[META_SIZE];
    gt_lthash fingerprint;
    gt_buf items, states, keys, parked, stretches;
    uint32_t item; /* the next */
    bool writes;   /* items are done: sections are being written */
    bool is_whole;
    gt_checkpoint checkpoint;
    gt_checkpoint_writer writer;
    const gt_rows *tables[GT_CHECKPOINT_SECTIONS_MAX]; /* by number of the section; NULL: it lies at its `data` */
    gt_buf file;
};

static void put_meta(const gt_repo *repo, uint8_t meta[META_SIZE]) {
    const gt_receipt_order *order = &repo->order;
    gt_put_u64(meta + META_TIME, repo->time_seen);
    gt_put_u32(meta + META_FINGERPRINTED, repo->fingerprinted);
    gt_put_u32(meta + META_VERSION, TABLES_VERSION);
    if (!order->has_last) return; /* what was begun and has no receipt yet begins anew */
    gt_put_u32(meta + META_ORDER, ORDER_BEGUN | ORDER_HAS_LAST);
    gt_put_u32(meta + META_RECORDS, order->records);
    gt_put_u64(meta + META_ENTRIES, order->entries);
    memcpy(meta + META_LAST, order->last.bytes, GT_ID_SIZE);
}

goat_status gt_making_new(gt_repo *repo, gt_making **out, gt_diag *diag) {
    *out = NULL;
    if (repo->phase != GT_REPO_OPEN) return gt_fail(diag, GOAT_NOT_FOUND, "the repository is not open");
    gt_making *making = gt_new(repo->alloc, 1, sizeof(*making));
    if (making == NULL) return gt_no_memory(diag);
    gt_buf *bufs[] = {&making->items,  &making->states,    &making->keys,
                      &making->parked, &making->stretches, &making->file};
    for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++) gt_buf_init(bufs[i], repo->alloc);
    making->repo = repo;
    making->length = gt_log_length(repo->log);
    making->changes = repo->changes;
    put_meta(repo, making->meta);
    making->fingerprint = repo->fingerprint;
    gt_parked_save(repo, &making->parked);
    gt_stretches_save(repo, &making->stretches);
    gt_buf_reserve(&making->items, repo->items.count * sizeof(gt_item_row));
    *out = making;
    return GOAT_OK;
}

void gt_making_free(gt_making *making) {
    if (making == NULL) return;
    gt_buf_free(&making->items);
    gt_buf_free(&making->states);
    gt_buf_free(&making->keys);
    gt_buf_free(&making->parked);
    gt_buf_free(&making->stretches);
    gt_buf_free(&making->file);
    gt_free(making->repo->alloc, making);
}

/* Items, with what is in memory only moved into the section of states, and their keys, so that looking one up touches
 * nothing that was not checked. */
static void copy_item(gt_making *making, uint32_t number) {
    const gt_repo *repo = making->repo;
    gt_item_row row = *gt_item_at(repo, number);
    gt_bytes key = gt_repo_key(repo, number);
    row.key_offset = GT_KEY_IN_CHECKPOINT | making->keys.len;
    gt_buf_append(&making->keys, key.data, key.len);
    uint64_t kind = row.state & GT_STATE_MASK;
    row.flags &= (uint16_t) ~(GT_ITEM_FORKED | GT_ITEM_UNTOUCHED);
    if (kind != GT_STATE_UNKNOWN) row.flags |= GT_ITEM_UNTOUCHED;
    if (kind == GT_STATE_IN_MEMORY || kind == GT_STATE_IN_CHECKPOINT) {
        gt_bytes state = gt_item_state(repo, gt_item_at(repo, number));
        row.state = GT_STATE_IN_CHECKPOINT | making->states.len;
        gt_buf_append(&making->states, state.data, state.len);
    }
    gt_buf_append(&making->items, &row, sizeof(row));
}

/* ---- sections ---- */

static void add_section(gt_making *making, uint32_t kind, uint32_t row_size, const void *data, size_t len) {
    gt_checkpoint *checkpoint = &making->checkpoint;
    checkpoint->sections[checkpoint->section_count++] = (gt_section){kind, row_size, (uint8_t *)(uintptr_t)data, len};
}

static void add_table(gt_making *making, uint32_t kind, const gt_rows *rows) {
    making->tables[making->checkpoint.section_count] = rows;
    add_section(making, kind, rows->row_size, NULL, (size_t)rows->count * rows->row_size);
}

static void add_index(gt_making *making, uint32_t kind, const gt_index *index) {
    add_section(making, kind, sizeof(gt_index_slot), index->slots, index->capacity * sizeof(gt_index_slot));
}

static void add_buf(gt_making *making, uint32_t kind, uint32_t row_size, const gt_buf *buf) {
    add_section(making, kind, row_size, buf->data, buf->len);
}

static const uint8_t *piece(void *context, uint32_t number, uint64_t offset, uint64_t *len) {
    const gt_making *making = context;
    const gt_section *section = &making->checkpoint.sections[number];
    const gt_rows *rows = making->tables[number];
    *len = section->len - offset;
    if (rows == NULL) return section->data + offset;
    uint64_t page = (uint64_t)GT_ROWS_PAGE * rows->row_size, in_page = offset % page;
    if (*len > page - in_page) *len = page - in_page;
    return rows->pages[offset / page] + in_page;
}

static void begin_file(gt_making *making) {
    gt_repo *repo = making->repo;
    gt_checkpoint *checkpoint = &making->checkpoint;
    checkpoint->covered = making->length;
    memcpy(checkpoint->log_id, gt_log_get_identity(repo->log)->log_id, sizeof(checkpoint->log_id));
    memcpy(checkpoint->chain, gt_log_chain(repo->log), sizeof(checkpoint->chain));
    memcpy(checkpoint->hash_key, repo->hash_key, sizeof(checkpoint->hash_key));
    add_section(making, SECTION_META, META_SIZE, making->meta, META_SIZE);
    add_table(making, SECTION_COMMITS, &repo->commits);
    add_table(making, SECTION_PARENTS, &repo->parents);
    add_buf(making, SECTION_ITEMS, sizeof(gt_item_row), &making->items);
    add_table(making, SECTION_BATCHES, &repo->batches);
    add_table(making, SECTION_SESSIONS, &repo->sessions);
    add_table(making, SECTION_SCHEMAS, &repo->schemas);
    add_buf(making, SECTION_STATES, 1, &making->states);
    add_index(making, SECTION_COMMIT_INDEX, &repo->commit_index);
    add_index(making, SECTION_ITEM_INDEX, &repo->item_index);
    add_index(making, SECTION_BATCH_INDEX, &repo->batch_index);
    add_section(making, SECTION_FINGERPRINT, GT_LTHASH_SIZE, making->fingerprint.lanes, GT_LTHASH_SIZE);
    add_buf(making, SECTION_PARKED, 1, &making->parked);
    add_buf(making, SECTION_KEYS, 1, &making->keys);
    add_table(making, SECTION_RECEIPTS, &repo->receipts);
    add_index(making, SECTION_RECEIPT_INDEX, &repo->receipt_index);
    add_buf(making, SECTION_STRETCHES, sizeof(gt_stretch_row), &making->stretches);
    gt_checkpoint_write_begin(&making->writer, checkpoint, piece, making, &making->file);
    making->writes = true;
}

/* ---- steps ---- */

static bool is_stale(const gt_making *making) {
    const gt_repo *repo = making->repo;
    return repo->phase != GT_REPO_OPEN || gt_log_length(repo->log) != making->length ||
           repo->changes != making->changes;
}

goat_status gt_making_step(gt_making *making, size_t bytes, bool *done, gt_diag *diag) {
    *done = making->is_whole;
    if (*done) return GOAT_OK;
    if (is_stale(making)) return gt_fail(diag, GOAT_CONFLICT, "the repository has changed meanwhile");
    uint32_t count = making->repo->items.count;
    size_t left = bytes;
    for (; left > 0 && making->item < count; left -= left < ITEM_BYTES ? left : ITEM_BYTES) {
        copy_item(making, making->item++);
    }
    bool failed = gt_buf_failed(&making->items) || gt_buf_failed(&making->states) || gt_buf_failed(&making->keys) ||
                  gt_buf_failed(&making->parked) || gt_buf_failed(&making->stretches);
    if (failed) return gt_no_memory(diag);
    if (making->item < count || left == 0) return GOAT_OK;
    if (!making->writes) begin_file(making);
    *done = making->is_whole = gt_checkpoint_write_step(&making->writer, left);
    return gt_buf_failed(&making->file) ? gt_no_memory(diag) : GOAT_OK;
}

gt_bytes gt_making_file(const gt_making *making, uint64_t *covered) {
    GOAT_ASSERT(making->is_whole);
    *covered = making->length;
    return gt_buf_bytes(&making->file);
}
