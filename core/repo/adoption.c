/* A checkpoint taken in, little by little: its tables are used where they lie in the file, after every number was
 * held against its bounds. A wrong checkpoint may cost time, it must not lead outside of memory.
 *
 * All of it goes through the processor once: rows are checked where the checksum has just been, while they are near. That
 * is before it is known to be right, which does no harm: what is looked at lies in the file whatever it says, and
 * nothing is used before both have come to their end. */
#include "repo/checkpoint_rows.h"
#include "repo/versions.h"

enum { BYTES_AN_ITEM = 64 }; /* an item that is looked at anew counts as so many of a step's bytes */

/* In order. */
typedef enum stage { STAGE_CHECK, STAGE_TABLES, STAGE_ITEMS, STAGE_DONE } stage;

struct gt_adoption {
    gt_repo *repo;
    gt_checkpoint file;
    gt_checkpoint_check checksum;
    const gt_section *sections[SECTIONS];
    uint32_t counts[SECTIONS];
    stage stage;
    uint32_t check, row;   /* what is checked next */
    bool is_sound;         /* the checksum was right */
    uint32_t used;         /* slots of the index at hand */
    uint32_t first_rows;   /* batches that the index finds: parts are found from their first row */
    uint32_t lost_batches; /* with leaves that are lost */
};

/* ---- rows ---- */

static const void *table(const gt_adoption *a, uint32_t kind) { return a->sections[kind]->data; }

static bool inside(uint64_t offset, uint64_t len, uint64_t end) { return offset <= end && len <= end - offset; }

static bool is_row(uint32_t row, uint32_t count) { return row < count || row == GT_NONE; }

/* A replay relies on parents that are of the same item and earlier. */
static bool is_parent(const gt_commit_row *rows, uint32_t parent, uint32_t child) {
    return parent < child && rows[parent].item == rows[child].item && rows[parent].time < rows[child].time;
}

/* Parents of a commit that has several. */
static bool check_parents(const gt_adoption *a, uint32_t i) {
    const gt_commit_row *rows = table(a, SECTION_COMMITS), *row = &rows[i];
    const uint32_t *parents = table(a, SECTION_PARENTS);
    bool good =
        row->parent_count <= GT_PARENTS_MAX && inside(row->parents, row->parent_count, a->counts[SECTION_PARENTS]);
    for (uint32_t j = 0; good && j < row->parent_count; j++) good = is_parent(rows, parents[row->parents + j], i);
    return good;
}

/* From `first` to before `end`. Nearly all there is to check of a large repository, so it does not turn off at each
 * comparison: half the time. */
static bool check_commits(gt_adoption *a, uint32_t first, uint32_t end) {
    const gt_commit_row *rows = table(a, SECTION_COMMITS);
    const uint16_t flags =
        GT_COMMIT_HEAD | GT_COMMIT_FULL | GT_COMMIT_PLAIN | GT_COMMIT_SEALED | GT_COMMIT_HIDDEN | GT_COMMIT_REVERTS;
    const uint64_t covered = a->file.covered;
    const uint32_t items = a->counts[SECTION_ITEMS], batches = a->counts[SECTION_BATCHES],
                   schemas = a->counts[SECTION_SCHEMAS];
    bool good = true;
    for (uint32_t i = first; good && i < end; i++) {
        const gt_commit_row *row = &rows[i];
        bool outside = (row->offset > covered) | (row->len > covered - row->offset) | (row->item >= items) |
                       (row->batch >= batches) | (row->schema >= schemas) | ((row->flags & ~flags) != 0);
        good = !outside && (row->older == GT_NONE || (row->older < i && rows[row->older].item == row->item));
        if (good && row->parent_count == 1) good = is_parent(rows, row->parents, i);
        if (good && row->parent_count > 1) good = check_parents(a, i);
    }
    return good;
}

static bool check_state(const gt_adoption *a, const gt_item_row *row) {
    uint64_t kind = row->state & GT_STATE_MASK, place = row->state & ~GT_STATE_MASK;
    if (kind == GT_STATE_UNKNOWN) return true;
    if ((row->flags & GT_ITEM_UNTOUCHED) == 0 || row->state_len == 0) return false;
    if (kind == GT_STATE_IN_LOG) return inside(place, row->state_len, a->file.covered);
    return kind == GT_STATE_IN_CHECKPOINT && inside(place, row->state_len, a->sections[SECTION_STATES]->len);
}

static bool check_item(gt_adoption *a, uint32_t i) {
    const gt_item_row *row = (const gt_item_row *)table(a, SECTION_ITEMS) + i;
    const gt_commit_row *commits = table(a, SECTION_COMMITS);
    const uint16_t flags = GT_ITEM_INVALID | GT_ITEM_UNSHOWN | GT_ITEM_UNCHECKED | GT_ITEM_UNTOUCHED;
    bool good = (row->key_offset & GT_KEY_IN_CHECKPOINT) != 0 && row->key_len <= GOAT_KEY_MAX &&
                inside(row->key_offset & ~GT_KEY_IN_CHECKPOINT, row->key_len, a->sections[SECTION_KEYS]->len) &&
                row->newest < a->counts[SECTION_COMMITS] && commits[row->newest].item == i &&
                is_row(row->head, a->counts[SECTION_COMMITS]) && row->first < a->counts[SECTION_COMMITS] &&
                (row->flags & ~flags) == 0 && check_state(a, row);
    if (good && row->head != GT_NONE) good = row->head_count == 1 && commits[row->head].item == i;
    return good;
}

/* Parts follow each other in the table, so no way through them goes round. */
static bool check_parts(const gt_batch_row *rows, uint32_t i, uint32_t count) {
    const gt_batch_row *row = &rows[i];
    if (row->next != GT_NONE && (row->next <= i || row->next >= count)) return false;
    if (row->next != GT_NONE && (rows[row->next].flags & GT_BATCH_PART) == 0) return false;
    if ((row->flags & GT_BATCH_PART) == 0) return row->other >= i && row->other < count;
    return row->other < i && (rows[row->other].flags & GT_BATCH_PART) == 0;
}

static bool check_batch(gt_adoption *a, uint32_t i) {
    const gt_batch_row *rows = table(a, SECTION_BATCHES), *row = &rows[i];
    const uint32_t flags =
        GT_BATCH_TIP | GT_BATCH_STUB | GT_BATCH_PART | GT_BATCH_DAMAGED | GT_BATCH_LOST | GT_BATCH_AGAIN;
    uint32_t count = a->counts[SECTION_BATCHES];
    if ((row->flags & ~flags) != 0) return false;
    bool good = row->session < a->counts[SECTION_SESSIONS] && is_row(row->older, i) && is_row(row->prev, count) &&
                is_row(row->skip, count) && check_parts(rows, i, count);
    good = good && (row->len == 0 || inside(row->offset, row->len, a->file.covered));
    good = good && (row->prev == GT_NONE || rows[row->prev].seq < row->seq); /* so that no way goes round */
    good = good && (row->skip == GT_NONE || rows[row->skip].seq < row->seq);
    a->first_rows += (row->flags & GT_BATCH_PART) == 0;
    a->lost_batches += gt_batch_is_lost(row);
    return good;
}

static bool check_receipt(gt_adoption *a, uint32_t i) {
    const gt_receipt_row *row = (const gt_receipt_row *)table(a, SECTION_RECEIPTS) + i;
    return inside(row->offset, row->len, a->file.covered);
}

static bool check_session(gt_adoption *a, uint32_t i) {
    const gt_session_row *row = (const gt_session_row *)table(a, SECTION_SESSIONS) + i;
    const gt_repo_hooks *hooks = &a->repo->config.hooks;
    if (!is_row(row->newest, a->counts[SECTION_BATCHES])) return false;
    return hooks->knows_session == NULL || hooks->knows_session(hooks->context, &row->id);
}

static bool check_schema(gt_adoption *a, uint32_t i) {
    const gt_schema_row *row = (const gt_schema_row *)table(a, SECTION_SCHEMAS) + i;
    return row->ns_len <= sizeof(row->ns);
}

/* ---- indexes ---- */

static uint32_t indexed_table(uint32_t kind) {
    switch (kind) {
    case SECTION_COMMIT_INDEX: return SECTION_COMMITS;
    case SECTION_ITEM_INDEX: return SECTION_ITEMS;
    case SECTION_BATCH_INDEX: return SECTION_BATCHES;
    default: return SECTION_RECEIPTS;
    }
}

static bool is_index(uint32_t kind) {
    return kind == SECTION_COMMIT_INDEX || kind == SECTION_ITEM_INDEX || kind == SECTION_BATCH_INDEX ||
           kind == SECTION_RECEIPT_INDEX;
}

/* How many rows an index finds. */
static uint32_t indexed_rows(const gt_adoption *a, uint32_t kind) {
    return kind == SECTION_BATCH_INDEX ? a->first_rows : a->counts[indexed_table(kind)];
}

/* Without a way out of the loop, as there are a few for each row. */
static bool check_slots(gt_adoption *a, uint32_t kind, uint32_t first, uint32_t end) {
    const gt_index_slot *slots = table(a, kind);
    uint32_t most = a->counts[indexed_table(kind)], used = 0, wrong = 0;
    for (uint32_t i = first; i < end; i++) {
        used += slots[i].row != 0;
        wrong += slots[i].row > most;
    }
    a->used += used;
    return wrong == 0;
}

/* Each row once, and a free slot to stop at. */
static bool end_index(gt_adoption *a, uint32_t kind) {
    uint32_t capacity = a->counts[kind], used = a->used, indexed = indexed_rows(a, kind);
    a->used = 0;
    return (capacity & (capacity - 1)) == 0 && (indexed == 0 || capacity > indexed) && used == indexed;
}

/* ---- all of them ---- */

/* What is checked, in the order of the file; batches are counted before their index. */
static const struct {
    uint32_t kind;
    bool (*row)(gt_adoption *a, uint32_t row); /* NULL: commits, or the section is an index */
} checks[] = {
    {SECTION_COMMITS, NULL},           {SECTION_ITEMS, check_item},     {SECTION_BATCHES, check_batch},
    {SECTION_SESSIONS, check_session}, {SECTION_SCHEMAS, check_schema}, {SECTION_COMMIT_INDEX, NULL},
    {SECTION_ITEM_INDEX, NULL},        {SECTION_BATCH_INDEX, NULL},     {SECTION_RECEIPTS, check_receipt},
    {SECTION_RECEIPT_INDEX, NULL},
};

enum { CHECKS = sizeof(checks) / sizeof(checks[0]) };

static bool find_sections(gt_adoption *a) {
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
        a->sections[kind] = gt_checkpoint_section(&a->file, kind, row_sizes[kind]);
        if (a->sections[kind] == NULL) return false;
        uint64_t rows = a->sections[kind]->len / row_sizes[kind];
        if (rows >= GT_NONE) return false;
        a->counts[kind] = (uint32_t)rows;
    }
    return a->counts[SECTION_META] == 1 && a->counts[SECTION_FINGERPRINT] == 1 &&
           gt_get_u32(a->sections[SECTION_META]->data + META_VERSION) == TABLES_VERSION;
}

static bool check_range(gt_adoption *a, uint32_t end) {
    uint32_t kind = checks[a->check].kind, i = a->row;
    if (kind == SECTION_COMMITS) return check_commits(a, i, end);
    if (checks[a->check].row == NULL) return check_slots(a, kind, i, end);
    while (i < end && checks[a->check].row(a, i)) i++;
    return i == end;
}

/* Up to `rows` rows more, of those that the checksum was taken of: in a file whose sections lie in another order the rest is
 * done when it has come to its end. */
static bool check_rows(gt_adoption *a, size_t rows) {
    bool good = true, more = true;
    while (good && more && rows > 0 && a->check < CHECKS) {
        uint32_t kind = checks[a->check].kind, count = a->counts[kind];
        const gt_section *section = a->sections[kind];
        uint64_t come = gt_checkpoint_checked(&a->checksum, section) / section->row_size;
        uint32_t end = come < count ? (uint32_t)come : count;
        if (end - a->row > rows) end = a->row + (uint32_t)rows;
        good = check_range(a, end);
        rows -= end - a->row;
        a->row = end;
        more = end == count;
        if (!good || !more) continue;
        if (is_index(kind)) good = end_index(a, kind);
        a->check++;
        a->row = 0;
    }
    return good;
}

/* ---- taking it in ---- */

static void get_meta(gt_repo *repo, const uint8_t *meta) {
    uint32_t flags = gt_get_u32(meta + META_ORDER);
    gt_time time = gt_get_u64(meta + META_TIME);
    repo->time_seen = time > GT_TIME_MAX ? GT_TIME_MAX : time;
    repo->fingerprinted = gt_get_u32(meta + META_FINGERPRINTED);
    repo->order = (gt_receipt_order){
        .begun = (flags & ORDER_BEGUN) != 0,
        .has_last = (flags & ORDER_HAS_LAST) != 0,
        .records = gt_get_u32(meta + META_RECORDS),
        .entries = gt_get_u64(meta + META_ENTRIES),
    };
    memcpy(repo->order.last.bytes, meta + META_LAST, GT_ID_SIZE);
}

static bool adopt_tables(gt_repo *repo, const gt_adoption *a) {
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
        if (a->counts[kind] > 0 && !gt_rows_adopt(tables[i].rows, a->sections[kind]->data, a->counts[kind])) {
            return false;
        }
    }
    const struct {
        gt_index *index;
        uint32_t kind;
    } indexes[] = {
        {&repo->commit_index, SECTION_COMMIT_INDEX},
        {&repo->item_index, SECTION_ITEM_INDEX},
        {&repo->batch_index, SECTION_BATCH_INDEX},
        {&repo->receipt_index, SECTION_RECEIPT_INDEX},
    };
    for (uint32_t i = 0; i < sizeof(indexes) / sizeof(indexes[0]); i++) {
        uint32_t kind = indexes[i].kind;
        if (a->counts[kind] == 0) continue;
        gt_index_adopt(indexes[i].index, (gt_index_slot *)(void *)a->sections[kind]->data, a->counts[kind],
                       indexed_rows(a, kind));
    }
    return true;
}

static void forget_tables(gt_repo *repo) {
    gt_parked_free(repo);
    gt_tables_free(repo);
    gt_tables_init(repo);
    gt_lthash_init(&repo->fingerprint);
    repo->fingerprinted = 0;
    repo->time_seen = 0;
    repo->order = (gt_receipt_order){0};
}

static bool take_tables(gt_adoption *a) {
    gt_repo *repo = a->repo;
    const uint8_t *meta = table(a, SECTION_META);
    uint32_t commits = a->counts[SECTION_COMMITS];
    memcpy(repo->hash_key, a->file.hash_key, sizeof(repo->hash_key));
    repo->states = table(a, SECTION_STATES);
    repo->keys = table(a, SECTION_KEYS);
    get_meta(repo, meta);
    memcpy(repo->fingerprint.lanes, table(a, SECTION_FINGERPRINT), GT_LTHASH_SIZE);
    repo->unchecked = gt_new(repo->alloc, commits / 8 + 1, 1);
    repo->sound = gt_new(repo->alloc, a->counts[SECTION_BATCHES] / 8 + 1, 1);
    repo->reading_capacity = a->counts[SECTION_SCHEMAS] + 1u;
    repo->readings = gt_new(repo->alloc, repo->reading_capacity, sizeof(*repo->readings));
    bool good = repo->unchecked != NULL && repo->sound != NULL && repo->readings != NULL && adopt_tables(repo, a) &&
                gt_index_small_tables(repo) && repo->fingerprinted <= repo->commits.count &&
                repo->order.records <= repo->batches.count &&
                gt_parked_restore(repo, a->sections[SECTION_PARKED], a->file.covered) &&
                gt_stretches_restore(repo, a->sections[SECTION_STRETCHES], a->file.covered);
    if (!good) {
        forget_tables(repo);
        return false;
    }
    memset(repo->unchecked, 0xff, commits / 8 + 1);
    repo->unchecked_count = commits;
    repo->sound_count = a->counts[SECTION_BATCHES];
    repo->unchecked_receipts = a->counts[SECTION_RECEIPTS];
    repo->lost_count = a->lost_batches;
    return true;
}

/* ---- steps ---- */

static goat_status out_of_bounds(gt_diag *diag) {
    return gt_fail(diag, GOAT_CORRUPT, "the checkpoint holds a number out of bounds");
}

goat_status gt_adoption_new(gt_repo *repo, uint8_t *file, size_t len, gt_adoption **out, gt_diag *diag) {
    gt_adoption *a = *out = gt_new(repo->alloc, 1, sizeof(*a));
    if (a == NULL) return gt_no_memory(diag);
    a->repo = repo;
    goat_status status = gt_checkpoint_open(file, len, &a->file, &a->checksum, diag);
    bool is_ours = status == GOAT_OK &&
                   memcmp(a->file.log_id, gt_log_get_identity(repo->log)->log_id, sizeof(a->file.log_id)) == 0 &&
                   gt_log_has_chain(repo->log, a->file.covered, a->file.chain);
    if (status == GOAT_OK && !is_ours) status = gt_fail(diag, GOAT_CORRUPT, "the checkpoint is of another log");
    if (status == GOAT_OK && !find_sections(a)) status = out_of_bounds(diag);
    if (status != GOAT_OK) {
        gt_adoption_free(a);
        *out = NULL;
    }
    return status;
}

void gt_adoption_free(gt_adoption *adoption) {
    if (adoption != NULL) gt_free(adoption->repo->alloc, adoption);
}

goat_status gt_adoption_step(gt_adoption *a, size_t bytes, bool *done, gt_diag *diag) {
    goat_status status = GOAT_OK;
    bool over = true;
    switch (a->stage) {
    case STAGE_CHECK:
        if (!a->is_sound) status = gt_checkpoint_check_step(&a->checksum, bytes, &a->is_sound, diag);
        if (status == GOAT_OK && !check_rows(a, bytes / sizeof(gt_index_slot) + 1)) status = out_of_bounds(diag);
        over = a->is_sound && a->check == CHECKS;
        break;
    case STAGE_TABLES:
        if (!take_tables(a)) status = gt_fail(diag, GOAT_CORRUPT, "the checkpoint cannot be used");
        if (status == GOAT_OK) a->row = gt_schemas_restored_begin(a->repo);
        break;
    case STAGE_ITEMS: over = gt_schemas_restored_step(a->repo, &a->row, bytes / BYTES_AN_ITEM + 1); break;
    default: break;
    }
    if (status == GOAT_OK && over) a->stage++;
    *done = a->stage == STAGE_DONE;
    if (*done) a->repo->load_offset = a->repo->covered = a->repo->checkpoint_covers = a->file.covered;
    return status;
}
