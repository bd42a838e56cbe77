/* The tables to and from the sections of a checkpoint (CHECKPOINT.md).
 *
 * Writing copies the rows and replaces what is only true in this process (states in memory). Reading
 * uses them where they lie, after every number was held against its bounds: a wrong checkpoint may cost
 * time, it must not lead outside of memory. */
#include "repo/tables.h"

enum {
    SECTION_META = 1,
    SECTION_COMMITS = 2,
    SECTION_PARENTS = 3,
    SECTION_ITEMS = 4,
    SECTION_BATCHES = 5,
    SECTION_SESSIONS = 6,
    SECTION_SCHEMAS = 7,
    SECTION_STATES = 8,
    SECTION_COMMIT_INDEX = 9,
    SECTION_ITEM_INDEX = 10,
    SECTION_BATCH_INDEX = 11,
    SECTION_FINGERPRINT = 12,
    SECTION_PARKED = 13,
    SECTION_KEYS = 14,
    SECTION_RECEIPTS = 15,
    SECTION_RECEIPT_INDEX = 16,
    SECTION_STRETCHES = 17,
    SECTIONS,
};

enum {
    TABLES_VERSION = 2,
    META_SIZE = 64, /* see put_meta */
};

/* ---- writing ---- */

static void copy_rows(const gt_rows *rows, gt_buf *out) {
    for (uint32_t done = 0; done < rows->count; done += GT_ROWS_PAGE) {
        uint32_t count = rows->count - done < GT_ROWS_PAGE ? rows->count - done : GT_ROWS_PAGE;
        gt_buf_append(out, rows->pages[done / GT_ROWS_PAGE], (size_t)count * rows->row_size);
    }
}

/* Items, with what is in memory only moved into the section of states, and their keys, so that looking one up
 * touches nothing that was not checked. */
static void copy_items(const gt_repo *repo, gt_buf *items, gt_buf *states, gt_buf *keys) {
    copy_rows(&repo->items, items);
    for (uint32_t i = 0; !gt_buf_failed(items) && i < repo->items.count; i++) {
        gt_item_row *row = (gt_item_row *)(void *)(items->data + (size_t)i * sizeof(*row));
        gt_bytes key = gt_repo_key(repo, i);
        row->key_offset = GT_KEY_IN_CHECKPOINT | keys->len;
        gt_buf_append(keys, key.data, key.len);
        uint64_t kind = row->state & GT_STATE_MASK;
        row->flags &= (uint16_t) ~(GT_ITEM_FORKED | GT_ITEM_UNTOUCHED);
        if (kind != GT_STATE_UNKNOWN) row->flags |= GT_ITEM_UNTOUCHED;
        if (kind != GT_STATE_IN_MEMORY && kind != GT_STATE_IN_CHECKPOINT) continue;
        gt_bytes state = gt_item_state(repo, gt_item_at(repo, i));
        row->state = GT_STATE_IN_CHECKPOINT | states->len;
        gt_buf_append(states, state.data, state.len);
    }
}

static void add_section(gt_checkpoint *checkpoint, uint32_t kind, uint32_t row_size, const void *data, size_t len) {
    checkpoint->sections[checkpoint->section_count++] = (gt_section){kind, row_size, (uint8_t *)(uintptr_t)data, len};
}

static void add_index(gt_checkpoint *checkpoint, uint32_t kind, const gt_index *index) {
    add_section(checkpoint, kind, sizeof(gt_index_slot), index->slots, index->capacity * sizeof(gt_index_slot));
}

enum {
    META_TIME = 0,
    META_FINGERPRINTED = 8,
    META_VERSION = 12,
    META_ORDER = 16,
    META_RECORDS = 20,
    META_ENTRIES = 24,
    META_LAST = 32
};
enum { ORDER_BEGUN = 1, ORDER_HAS_LAST = 2 };

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

static void get_meta(gt_repo *repo, const uint8_t *meta) {
    uint32_t flags = gt_get_u32(meta + META_ORDER);
    repo->time_seen = gt_get_u64(meta + META_TIME);
    repo->fingerprinted = gt_get_u32(meta + META_FINGERPRINTED);
    repo->order = (gt_receipt_order){
        .begun = (flags & ORDER_BEGUN) != 0,
        .has_last = (flags & ORDER_HAS_LAST) != 0,
        .records = gt_get_u32(meta + META_RECORDS),
        .entries = gt_get_u64(meta + META_ENTRIES),
    };
    memcpy(repo->order.last.bytes, meta + META_LAST, GT_ID_SIZE);
}

goat_status gt_repo_checkpoint(gt_repo *repo, gt_buf *file, uint64_t *covered, gt_diag *diag) {
    if (repo->phase != GT_REPO_OPEN) return gt_fail(diag, GOAT_NOT_FOUND, "the repository is not open");
    enum { COMMITS, PARENTS, ITEMS, BATCHES, SESSIONS, SCHEMAS, STATES, PARKED, KEYS, RECEIPTS, STRETCHES, PARTS };
    const gt_rows *tables[] = {&repo->commits, &repo->parents, NULL, &repo->batches, &repo->sessions, &repo->schemas};
    gt_buf parts[PARTS];
    for (int i = 0; i < PARTS; i++) gt_buf_init(&parts[i], repo->alloc);
    for (int i = 0; i <= SCHEMAS; i++) {
        if (tables[i] != NULL) copy_rows(tables[i], &parts[i]);
    }
    copy_items(repo, &parts[ITEMS], &parts[STATES], &parts[KEYS]);
    gt_parked_save(repo, &parts[PARKED]);
    copy_rows(&repo->receipts, &parts[RECEIPTS]);
    gt_stretches_save(repo, &parts[STRETCHES]);
    bool failed = false;
    for (int i = 0; i < PARTS; i++) failed = failed || gt_buf_failed(&parts[i]);
    if (!failed) {
        uint8_t meta[META_SIZE] = {0};
        put_meta(repo, meta);
        gt_checkpoint made = {.covered = gt_log_length(repo->log)};
        memcpy(made.log_id, gt_log_get_identity(repo->log)->log_id, sizeof(made.log_id));
        memcpy(made.chain, gt_log_chain(repo->log), sizeof(made.chain));
        memcpy(made.hash_key, repo->hash_key, sizeof(made.hash_key));
        add_section(&made, SECTION_META, META_SIZE, meta, sizeof(meta));
        for (uint32_t i = 0; i <= SCHEMAS; i++) {
            uint32_t row_size = tables[i] != NULL ? tables[i]->row_size : sizeof(gt_item_row);
            add_section(&made, SECTION_COMMITS + i, row_size, parts[i].data, parts[i].len);
        }
        add_section(&made, SECTION_STATES, 1, parts[STATES].data, parts[STATES].len);
        add_index(&made, SECTION_COMMIT_INDEX, &repo->commit_index);
        add_index(&made, SECTION_ITEM_INDEX, &repo->item_index);
        add_index(&made, SECTION_BATCH_INDEX, &repo->batch_index);
        add_section(&made, SECTION_FINGERPRINT, GT_LTHASH_SIZE, repo->fingerprint.lanes, GT_LTHASH_SIZE);
        add_section(&made, SECTION_PARKED, 1, parts[PARKED].data, parts[PARKED].len);
        add_section(&made, SECTION_KEYS, 1, parts[KEYS].data, parts[KEYS].len);
        add_section(&made, SECTION_RECEIPTS, sizeof(gt_receipt_row), parts[RECEIPTS].data, parts[RECEIPTS].len);
        add_index(&made, SECTION_RECEIPT_INDEX, &repo->receipt_index);
        add_section(&made, SECTION_STRETCHES, sizeof(gt_stretch_row), parts[STRETCHES].data, parts[STRETCHES].len);
        gt_checkpoint_write(&made, file);
        *covered = made.covered;
        failed = gt_buf_failed(file);
    }
    for (int i = 0; i < PARTS; i++) gt_buf_free(&parts[i]);
    return failed ? gt_no_memory(diag) : GOAT_OK;
}

/* ---- reading ---- */

typedef struct bounds {
    const gt_checkpoint *file;
    const gt_section *sections[SECTIONS];
    uint32_t counts[SECTIONS];
} bounds;

static bool inside(uint64_t offset, uint64_t len, uint64_t end) { return offset <= end && len <= end - offset; }

static bool is_row(uint32_t row, uint32_t count) { return row < count || row == GT_NONE; }

/* A replay relies on parents that are of the same item and earlier. */
static bool is_parent(const gt_commit_row *rows, uint32_t parent, uint32_t child) {
    return parent < child && rows[parent].item == rows[child].item && rows[parent].time < rows[child].time;
}

static bool check_commits(const bounds *b) {
    const gt_commit_row *rows = (const void *)b->sections[SECTION_COMMITS]->data;
    const uint32_t *parents = (const void *)b->sections[SECTION_PARENTS]->data;
    const uint16_t flags = GT_COMMIT_HEAD | GT_COMMIT_FULL | GT_COMMIT_PLAIN | GT_COMMIT_SEALED;
    for (uint32_t i = 0; i < b->counts[SECTION_COMMITS]; i++) {
        const gt_commit_row *row = &rows[i];
        bool good = inside(row->offset, row->len, b->file->covered) && row->item < b->counts[SECTION_ITEMS] &&
                    row->batch < b->counts[SECTION_BATCHES] && row->schema < b->counts[SECTION_SCHEMAS] &&
                    is_row(row->older, i) && (row->older == GT_NONE || rows[row->older].item == row->item) &&
                    (row->flags & ~flags) == 0 && row->parent_count <= GT_PARENTS_MAX;
        if (good && row->parent_count == 1) good = is_parent(rows, row->parents, i);
        if (good && row->parent_count > 1) {
            good = inside(row->parents, row->parent_count, b->counts[SECTION_PARENTS]);
            for (uint32_t j = 0; good && j < row->parent_count; j++) {
                good = is_parent(rows, parents[row->parents + j], i);
            }
        }
        if (!good) return false;
    }
    return true;
}

static bool check_state(const bounds *b, const gt_item_row *row) {
    uint64_t kind = row->state & GT_STATE_MASK, place = row->state & ~GT_STATE_MASK;
    if (kind == GT_STATE_UNKNOWN) return true;
    if ((row->flags & GT_ITEM_UNTOUCHED) == 0 || row->state_len == 0) return false;
    if (kind == GT_STATE_IN_LOG) return inside(place, row->state_len, b->file->covered);
    return kind == GT_STATE_IN_CHECKPOINT && inside(place, row->state_len, b->sections[SECTION_STATES]->len);
}

static bool check_items(const bounds *b) {
    const gt_item_row *rows = (const void *)b->sections[SECTION_ITEMS]->data;
    const gt_commit_row *commits = (const void *)b->sections[SECTION_COMMITS]->data;
    const uint16_t flags = GT_ITEM_INVALID | GT_ITEM_UNSHOWN | GT_ITEM_UNCHECKED | GT_ITEM_UNTOUCHED;
    for (uint32_t i = 0; i < b->counts[SECTION_ITEMS]; i++) {
        const gt_item_row *row = &rows[i];
        bool good = (row->key_offset & GT_KEY_IN_CHECKPOINT) != 0 && row->key_len <= GOAT_KEY_MAX &&
                    inside(row->key_offset & ~GT_KEY_IN_CHECKPOINT, row->key_len, b->sections[SECTION_KEYS]->len) &&
                    row->newest < b->counts[SECTION_COMMITS] && commits[row->newest].item == i &&
                    is_row(row->head, b->counts[SECTION_COMMITS]) && row->first < b->counts[SECTION_COMMITS] &&
                    (row->flags & ~flags) == 0 && check_state(b, row);
        if (good && row->head != GT_NONE) good = row->head_count == 1 && commits[row->head].item == i;
        if (!good) return false;
    }
    return true;
}

/* Parts follow each other in the table, so no way through them goes round. */
static bool check_parts(const gt_batch_row *rows, uint32_t i, uint32_t count) {
    const gt_batch_row *row = &rows[i];
    if (row->next != GT_NONE && (row->next <= i || row->next >= count)) return false;
    if (row->next != GT_NONE && (rows[row->next].flags & GT_BATCH_PART) == 0) return false;
    if ((row->flags & GT_BATCH_PART) == 0) return row->other >= i && row->other < count;
    return row->other < i && (rows[row->other].flags & GT_BATCH_PART) == 0;
}

static bool check_batches(const bounds *b) {
    const gt_batch_row *rows = (const void *)b->sections[SECTION_BATCHES]->data;
    const uint32_t flags =
        GT_BATCH_TIP | GT_BATCH_STUB | GT_BATCH_PART | GT_BATCH_DAMAGED | GT_BATCH_LOST | GT_BATCH_AGAIN;
    uint32_t count = b->counts[SECTION_BATCHES];
    for (uint32_t i = 0; i < count; i++) {
        const gt_batch_row *row = &rows[i];
        if ((row->flags & ~flags) != 0) return false;
        bool good = row->session < b->counts[SECTION_SESSIONS] && is_row(row->older, i) && is_row(row->prev, count) &&
                    is_row(row->skip, count) && check_parts(rows, i, count);
        good = good && (row->len == 0 || inside(row->offset, row->len, b->file->covered));
        good = good && (row->prev == GT_NONE || rows[row->prev].seq < row->seq); /* so that no way goes round */
        good = good && (row->skip == GT_NONE || rows[row->skip].seq < row->seq);
        if (!good) return false;
    }
    return true;
}

static bool check_receipts(const bounds *b) {
    const gt_receipt_row *rows = (const void *)b->sections[SECTION_RECEIPTS]->data;
    for (uint32_t i = 0; i < b->counts[SECTION_RECEIPTS]; i++) {
        if (!inside(rows[i].offset, rows[i].len, b->file->covered)) return false;
    }
    return gt_get_u32(b->sections[SECTION_META]->data + META_RECORDS) <= b->counts[SECTION_BATCHES];
}

static bool check_small_tables(const bounds *b) {
    const gt_session_row *sessions = (const void *)b->sections[SECTION_SESSIONS]->data;
    for (uint32_t i = 0; i < b->counts[SECTION_SESSIONS]; i++) {
        if (!is_row(sessions[i].newest, b->counts[SECTION_BATCHES])) return false;
    }
    const gt_schema_row *schemas = (const void *)b->sections[SECTION_SCHEMAS]->data;
    for (uint32_t i = 0; i < b->counts[SECTION_SCHEMAS]; i++) {
        if (schemas[i].ns_len > sizeof(schemas[i].ns)) return false;
    }
    return true;
}

/* An index of `indexed` of the `rows` rows: each once, and a free slot to stop at. */
static bool check_index(const bounds *b, uint32_t kind, uint32_t rows, uint32_t indexed) {
    const gt_index_slot *slots = (const void *)b->sections[kind]->data;
    uint32_t capacity = b->counts[kind], used = 0;
    if ((capacity & (capacity - 1)) != 0 || (indexed > 0 && capacity <= indexed)) return false;
    for (uint32_t i = 0; i < capacity; i++) {
        if (slots[i].row > rows) return false;
        used += slots[i].row != 0;
    }
    return used == indexed;
}

/* Batches that the index finds: parts are found from their first row. */
static uint32_t first_rows(const bounds *b) {
    const gt_batch_row *rows = (const void *)b->sections[SECTION_BATCHES]->data;
    uint32_t count = 0;
    for (uint32_t i = 0; i < b->counts[SECTION_BATCHES]; i++) count += (rows[i].flags & GT_BATCH_PART) == 0;
    return count;
}

static bool find_sections(bounds *b) {
    static const uint32_t row_sizes[SECTIONS] = {
        [SECTION_META] = META_SIZE,
        [SECTION_COMMITS] = sizeof(gt_commit_row),
        [SECTION_PARENTS] = sizeof(uint32_t),
        [SECTION_ITEMS] = sizeof(gt_item_row),
        [SECTION_BATCHES] = sizeof(gt_batch_row),
        [SECTION_SESSIONS] = sizeof(gt_session_row),
        [SECTION_SCHEMAS] = sizeof(gt_schema_row),
        [SECTION_STATES] = 1,
        [SECTION_COMMIT_INDEX] = sizeof(gt_index_slot),
        [SECTION_ITEM_INDEX] = sizeof(gt_index_slot),
        [SECTION_BATCH_INDEX] = sizeof(gt_index_slot),
        [SECTION_FINGERPRINT] = GT_LTHASH_SIZE,
        [SECTION_PARKED] = 1,
        [SECTION_KEYS] = 1,
        [SECTION_RECEIPTS] = sizeof(gt_receipt_row),
        [SECTION_RECEIPT_INDEX] = sizeof(gt_index_slot),
        [SECTION_STRETCHES] = sizeof(gt_stretch_row),
    };
    for (uint32_t kind = SECTION_META; kind < SECTIONS; kind++) {
        b->sections[kind] = gt_checkpoint_section(b->file, kind, row_sizes[kind]);
        if (b->sections[kind] == NULL) return false;
        uint64_t rows = b->sections[kind]->len / row_sizes[kind];
        if (rows >= GT_NONE) return false;
        b->counts[kind] = (uint32_t)rows;
    }
    return b->counts[SECTION_META] == 1 && b->counts[SECTION_FINGERPRINT] == 1 &&
           gt_get_u32(b->sections[SECTION_META]->data + META_VERSION) == TABLES_VERSION;
}

static bool is_sound(bounds *b) {
    return find_sections(b) && check_commits(b) && check_items(b) && check_batches(b) && check_receipts(b) &&
           check_small_tables(b) &&
           check_index(b, SECTION_COMMIT_INDEX, b->counts[SECTION_COMMITS], b->counts[SECTION_COMMITS]) &&
           check_index(b, SECTION_ITEM_INDEX, b->counts[SECTION_ITEMS], b->counts[SECTION_ITEMS]) &&
           check_index(b, SECTION_BATCH_INDEX, b->counts[SECTION_BATCHES], first_rows(b)) &&
           check_index(b, SECTION_RECEIPT_INDEX, b->counts[SECTION_RECEIPTS], b->counts[SECTION_RECEIPTS]);
}

static bool adopt_tables(gt_repo *repo, const bounds *b) {
    const struct {
        gt_rows *rows;
        uint32_t kind;
    } tables[] = {
        {&repo->commits, SECTION_COMMITS},   {&repo->parents, SECTION_PARENTS},   {&repo->items, SECTION_ITEMS},
        {&repo->batches, SECTION_BATCHES},   {&repo->sessions, SECTION_SESSIONS}, {&repo->schemas, SECTION_SCHEMAS},
        {&repo->receipts, SECTION_RECEIPTS},
    };
    for (uint32_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        uint32_t kind = tables[i].kind;
        if (b->counts[kind] > 0 && !gt_rows_adopt(tables[i].rows, b->sections[kind]->data, b->counts[kind])) {
            return false;
        }
    }
    const struct {
        gt_index *index;
        uint32_t kind, rows;
    } indexes[] = {
        {&repo->commit_index, SECTION_COMMIT_INDEX, repo->commits.count},
        {&repo->item_index, SECTION_ITEM_INDEX, repo->items.count},
        {&repo->batch_index, SECTION_BATCH_INDEX, first_rows(b)},
        {&repo->receipt_index, SECTION_RECEIPT_INDEX, repo->receipts.count},
    };
    for (uint32_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        uint32_t kind = indexes[i].kind;
        if (b->counts[kind] == 0) continue;
        gt_index_adopt(indexes[i].index, (gt_index_slot *)(void *)b->sections[kind]->data, b->counts[kind],
                       indexes[i].rows);
    }
    return true;
}

goat_status gt_checkpoint_adopt(gt_repo *repo, const gt_checkpoint *checkpoint, gt_diag *diag) {
    bounds b = {.file = checkpoint};
    if (!is_sound(&b)) return gt_fail(diag, GOAT_CORRUPT, "the checkpoint holds a number out of bounds");
    uint32_t commits = b.counts[SECTION_COMMITS];
    memcpy(repo->hash_key, checkpoint->hash_key, sizeof(repo->hash_key));
    repo->states = b.sections[SECTION_STATES]->data;
    repo->keys = b.sections[SECTION_KEYS]->data;
    get_meta(repo, b.sections[SECTION_META]->data);
    memcpy(repo->fingerprint.lanes, b.sections[SECTION_FINGERPRINT]->data, GT_LTHASH_SIZE);
    repo->unchecked = gt_new(repo->alloc, commits / 8 + 1, 1);
    repo->sound = gt_new(repo->alloc, b.counts[SECTION_BATCHES] / 8 + 1, 1);
    repo->reader_capacity = b.counts[SECTION_SCHEMAS] + 1u;
    repo->readers = gt_new(repo->alloc, repo->reader_capacity, sizeof(*repo->readers));
    bool good = repo->unchecked != NULL && repo->sound != NULL && repo->readers != NULL && adopt_tables(repo, &b) &&
                gt_index_small_tables(repo) && repo->fingerprinted <= repo->commits.count &&
                gt_parked_restore(repo, b.sections[SECTION_PARKED], checkpoint->covered) &&
                gt_stretches_restore(repo, b.sections[SECTION_STRETCHES], checkpoint->covered);
    if (!good) {
        gt_parked_free(repo);
        gt_tables_free(repo);
        gt_tables_init(repo);
        gt_lthash_init(&repo->fingerprint);
        repo->fingerprinted = 0;
        repo->time_seen = 0;
        repo->order = (gt_receipt_order){0};
        return gt_fail(diag, GOAT_CORRUPT, "the checkpoint cannot be used");
    }
    memset(repo->unchecked, 0xff, commits / 8 + 1);
    repo->unchecked_count = commits;
    repo->sound_count = b.counts[SECTION_BATCHES];
    repo->unchecked_receipts = b.counts[SECTION_RECEIPTS];
    for (uint32_t i = 0; i < repo->batches.count; i++) repo->lost_count += gt_batch_is_lost(gt_batch_at(repo, i));
    gt_repo_schemas_restored(repo);
    return GOAT_OK;
}
