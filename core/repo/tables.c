/* Lookups in the tables of a repository, and the small tables: sessions and schemas. */
#include "repo/tables.h"

#include "base/assert.h"
#include "repo/cuts.h"
#include "repo/replays.h"

void gt_tables_init(gt_repo *repo) {
    gt_rows_init(&repo->commits, repo->alloc, sizeof(gt_commit_row));
    gt_rows_init(&repo->parents, repo->alloc, sizeof(uint32_t));
    gt_rows_init(&repo->items, repo->alloc, sizeof(gt_item_row));
    gt_rows_init(&repo->batches, repo->alloc, sizeof(gt_batch_row));
    gt_rows_init(&repo->sessions, repo->alloc, sizeof(gt_session_row));
    gt_rows_init(&repo->schemas, repo->alloc, sizeof(gt_schema_row));
    gt_rows_init(&repo->receipts, repo->alloc, sizeof(gt_receipt_row));
    gt_index_init(&repo->commit_index, repo->alloc);
    gt_index_init(&repo->item_index, repo->alloc);
    gt_index_init(&repo->batch_index, repo->alloc);
    gt_index_init(&repo->session_index, repo->alloc);
    gt_index_init(&repo->schema_index, repo->alloc);
    gt_index_init(&repo->receipt_index, repo->alloc);
    gt_buf_init(&repo->faults, repo->alloc);
    gt_buf_init(&repo->fits, repo->alloc);
    gt_buf_init(&repo->lacking, repo->alloc);
    gt_buf_init(&repo->gone, repo->alloc);
}

void gt_tables_free(gt_repo *repo) {
    for (uint32_t row = 0; row < repo->items.count; row++) {
        gt_item_forget_state(repo, gt_item_at(repo, row));
    }
    gt_cuts_free(repo);
    gt_replays_free(repo);
    gt_rows_free(&repo->commits);
    gt_rows_free(&repo->parents);
    gt_rows_free(&repo->items);
    gt_rows_free(&repo->batches);
    gt_rows_free(&repo->sessions);
    gt_rows_free(&repo->schemas);
    gt_rows_free(&repo->receipts);
    gt_index_free(&repo->commit_index);
    gt_index_free(&repo->item_index);
    gt_index_free(&repo->batch_index);
    gt_index_free(&repo->session_index);
    gt_index_free(&repo->schema_index);
    gt_index_free(&repo->receipt_index);
    gt_buf_free(&repo->faults);
    gt_buf_free(&repo->fits);
    gt_buf_free(&repo->lacking);
    gt_buf_free(&repo->gone);
    gt_free(repo->alloc, repo->readings);
    gt_free(repo->alloc, repo->unchecked);
    gt_free(repo->alloc, repo->sound);
    repo->readings = NULL;
    repo->reading_capacity = 0;
    repo->unchecked = NULL;
    repo->unchecked_count = 0;
    repo->sound = NULL;
    repo->sound_count = 0;
    repo->unchecked_receipts = 0;
    repo->lacking_is_known = false;
    repo->lost_count = 0;
    repo->states = repo->keys = NULL;
}

/* Ids are hashes already, but their sender chose them: a secret multiplier keeps him from aiming at one
 * slot (Dietzfelbinger et al. 1997, multiply-shift). */
uint64_t gt_id_hash(const gt_repo *repo, const gt_id *id) {
    return (gt_get_u64(id->bytes) ^ gt_get_u64(repo->hash_key)) * (gt_get_u64(repo->hash_key + 8) | 1);
}

uint64_t gt_key_hash(const gt_repo *repo, gt_bytes key) { return gt_siphash(repo->hash_key, key); }

uint32_t gt_find_commit(const gt_repo *repo, const gt_id *id) {
    gt_index_cursor cursor;
    uint32_t row = gt_index_first(&repo->commit_index, gt_id_hash(repo, id), &cursor);
    while (row != GT_INDEX_NONE && gt_id_compare(&gt_commit_at(repo, row)->id, id) != 0) {
        row = gt_index_next(&repo->commit_index, &cursor);
    }
    return row;
}

uint32_t gt_find_batch(const gt_repo *repo, const gt_id *id) {
    gt_index_cursor cursor;
    uint32_t row = gt_index_first(&repo->batch_index, gt_id_hash(repo, id), &cursor);
    while (row != GT_INDEX_NONE && gt_id_compare(&gt_batch_at(repo, row)->id, id) != 0) {
        row = gt_index_next(&repo->batch_index, &cursor);
    }
    return row;
}

gt_bytes gt_repo_key(const gt_repo *repo, uint32_t item) {
    const gt_item_row *row = gt_item_at(repo, item);
    if ((row->key_offset & GT_KEY_IN_CHECKPOINT) == 0) return gt_log_at(repo->log, row->key_offset, row->key_len);
    return gt_bytes_of(repo->keys + (row->key_offset & ~GT_KEY_IN_CHECKPOINT), row->key_len);
}

uint32_t gt_repo_find(const gt_repo *repo, gt_bytes key) {
    gt_index_cursor cursor;
    uint32_t row = gt_index_first(&repo->item_index, gt_key_hash(repo, key), &cursor);
    while (row != GT_INDEX_NONE && !gt_bytes_equal(gt_repo_key(repo, row), key)) {
        row = gt_index_next(&repo->item_index, &cursor);
    }
    return row;
}

uint32_t gt_repo_item_count(const gt_repo *repo) { return repo->items.count; }

uint32_t gt_find_session(const gt_repo *repo, const gt_id *id) {
    gt_index_cursor cursor;
    uint32_t row = gt_index_first(&repo->session_index, gt_id_hash(repo, id), &cursor);
    while (row != GT_INDEX_NONE && gt_id_compare(&gt_session_at(repo, row)->id, id) != 0) {
        row = gt_index_next(&repo->session_index, &cursor);
    }
    return row;
}

uint32_t gt_add_session(gt_repo *repo, const gt_id *id) {
    uint32_t row = gt_find_session(repo, id);
    if (row != GT_NONE) return row;
    gt_session_row *session = gt_rows_push(&repo->sessions);
    if (session == NULL) return GT_NONE;
    if (!gt_index_insert(&repo->session_index, gt_id_hash(repo, id), repo->sessions.count - 1)) {
        gt_rows_pop(&repo->sessions);
        return GT_NONE;
    }
    session->id = *id;
    session->newest = GT_NONE;
    return repo->sessions.count - 1;
}

static const gt_schema *written_with(const gt_repo *repo, const gt_schema_row *row) {
    const gt_schema *own = gt_registry_find(repo->config.schemas, gt_bytes_of(row->ns, row->ns_len), row->version);
    bool same = own != NULL && memcmp(gt_schema_hash(own), row->hash, GT_SCHEMA_HASH_SIZE) == 0;
    return same ? own : NULL;
}

/* See gt_reader_of. `*way` is what gt_schema_row has. */
static gt_reading find_reading(const gt_repo *repo, const gt_schema_row *row, uint32_t *way) {
    const gt_registry *schemas = repo->config.schemas;
    const gt_schema *own = written_with(repo, row);
    gt_reading reading = {.items = gt_registry_reading(schemas, gt_bytes_of(row->ns, row->ns_len))};
    *way = 1;
    bool shown = own != NULL && reading.items != NULL && !gt_registry_is_retired(schemas, own) &&
                 gt_registry_way(schemas, own, reading.items, way);
    if (shown) reading.commits = reading.items;
    return reading;
}

static bool reserve_readings(gt_repo *repo) {
    return gt_reserve(repo->alloc, (void **)(void *)&repo->readings, repo->schemas.count, &repo->reading_capacity,
                      sizeof(*repo->readings));
}

/* Whoever writes chooses the hash of the definition, so it is mixed with what he does not know. */
static uint64_t schema_hash(const gt_repo *repo, const uint8_t hash[GT_SCHEMA_HASH_SIZE], uint32_t version) {
    uint64_t mixed = (gt_get_u64(hash) ^ gt_get_u64(repo->hash_key)) + version;
    return mixed * (gt_get_u64(repo->hash_key + 8) | 1);
}

static void resolve(gt_repo *repo, uint32_t number) {
    gt_schema_row *row = gt_schema_at(repo, number);
    gt_reading reading = find_reading(repo, row, &row->way);
    repo->readings[number] = reading;
    row->read_at = reading.commits == NULL ? 0 : gt_schema_version(reading.commits);
}

uint32_t gt_add_schema(gt_repo *repo, const gt_commit *commit) {
    gt_index_cursor cursor;
    uint64_t hash = schema_hash(repo, commit->schema_hash.data, commit->version);
    uint32_t number = gt_index_first(&repo->schema_index, hash, &cursor);
    for (; number != GT_INDEX_NONE; number = gt_index_next(&repo->schema_index, &cursor)) {
        const gt_schema_row *row = gt_schema_at(repo, number);
        if (row->version == commit->version && memcmp(row->hash, commit->schema_hash.data, GT_SCHEMA_HASH_SIZE) == 0 &&
            gt_bytes_equal(gt_bytes_of(row->ns, row->ns_len), commit->ns)) {
            return number;
        }
    }
    gt_schema_row *row = reserve_readings(repo) ? gt_rows_push(&repo->schemas) : NULL;
    if (row == NULL) return GT_NONE;
    number = repo->schemas.count - 1;
    if (!gt_index_insert(&repo->schema_index, hash, number)) {
        gt_rows_pop(&repo->schemas);
        return GT_NONE;
    }
    GOAT_ASSERT(commit->ns.len <= sizeof(row->ns));
    memcpy(row->hash, commit->schema_hash.data, GT_SCHEMA_HASH_SIZE);
    row->version = commit->version;
    row->ns_len = (uint32_t)commit->ns.len;
    memcpy(row->ns, commit->ns.data, commit->ns.len);
    resolve(repo, number);
    return number;
}

bool gt_index_small_tables(gt_repo *repo) {
    bool good = true;
    for (uint32_t i = 0; good && i < repo->sessions.count; i++) {
        good = gt_index_insert(&repo->session_index, gt_id_hash(repo, &gt_session_at(repo, i)->id), i);
    }
    for (uint32_t i = 0; good && i < repo->schemas.count; i++) {
        const gt_schema_row *row = gt_schema_at(repo, i);
        good = gt_index_insert(&repo->schema_index, schema_hash(repo, row->hash, row->version), i);
    }
    return good;
}

bool gt_schema_changes(const gt_repo *repo, uint32_t number) {
    const gt_schema_row *row = gt_schema_at(repo, number);
    uint32_t way;
    const gt_schema *reader = find_reading(repo, row, &way).commits;
    return (reader == NULL ? 0 : gt_schema_version(reader)) != row->read_at || way != row->way;
}

void gt_schemas_resolve(gt_repo *repo) {
    repo->changes++;
    for (uint32_t i = 0; i < repo->schemas.count; i++) resolve(repo, i);
}

const gt_schema *gt_commit_schema(const gt_repo *repo, const gt_commit *commit) {
    const gt_schema *schema = gt_registry_find(repo->config.schemas, commit->ns, commit->version);
    bool same = schema != NULL && memcmp(gt_schema_hash(schema), commit->schema_hash.data, GT_SCHEMA_HASH_SIZE) == 0;
    return same ? schema : NULL;
}

const gt_schema *gt_writer_of(const gt_repo *repo, uint32_t schema) {
    return written_with(repo, gt_schema_at(repo, schema));
}

static goat_status misplaced(const gt_commit_row *row, gt_diag *diag) {
    return gt_fail_at(diag, GOAT_CORRUPT, row->offset, "a commit in the log is damaged");
}

/* Whether a commit lies in a record of its batch, and that record is sound. */
static bool is_in_sound_record(gt_repo *repo, const gt_commit_row *row) {
    uint32_t record = gt_record_of(repo, row->batch, row->offset);
    return record != GT_NONE && record < repo->sound_count && gt_record_is_sound(repo, record);
}

/* Whether the bytes begin as those of a commit of an item: a map, at 0 the key. */
static bool begins_with_key(gt_bytes bytes, gt_bytes key) {
    size_t head = key.len < 24 ? 1 : key.len < 256 ? 2 : 3; /* of a text, in its shortest form */
    return bytes.len > 2 + head + key.len && bytes.data[0] >> 5 == 5 && bytes.data[1] == 0 && bytes.data[2] >> 5 == 3 &&
           memcmp(bytes.data + 2 + head, key.data, key.len) == 0 && (head > 1 || bytes.data[2] == (0x60 | key.len));
}

bool gt_commit_is_sound(gt_repo *repo, uint32_t number) {
    const gt_commit_row *row = gt_commit_at(repo, number);
    if (number >= repo->unchecked_count || (repo->unchecked[number / 8] & 1 << number % 8) == 0) return true;
    gt_bytes bytes = gt_log_at(repo->log, row->offset, row->len);
    if (bytes.data == NULL || !is_in_sound_record(repo, row)) return false;
    return begins_with_key(bytes, gt_repo_key(repo, row->item));
}

/* Below a checkpoint nothing was read yet. The checksum of the record shows damage of the log, and is taken once a
 * batch; a commit that lies elsewhere (its batch was logged in parts), or in a damaged record, is hashed by itself. */
static goat_status check_commit(gt_repo *repo, uint32_t number, const gt_commit *commit, gt_diag *diag) {
    const gt_commit_row *row = gt_commit_at(repo, number);
    if (number >= repo->unchecked_count || (repo->unchecked[number / 8] & 1 << number % 8) == 0) return GOAT_OK;
    gt_id inner, id;
    gt_bytes salt =
        row->offset < GT_SALT_SIZE ? (gt_bytes){0} : gt_log_at(repo->log, row->offset - GT_SALT_SIZE, GT_SALT_SIZE);
    if (salt.data == NULL || commit->payload.data == NULL) return misplaced(row, diag);
    const gt_session_row *session = gt_session_at(repo, gt_batch_at(repo, row->batch)->session);
    gt_commit_inner(repo->config.hasher, salt.data, commit->payload, &inner);
    gt_commit_id(repo->config.hasher, &session->id, &inner, commit->header, &id);
    if (gt_id_compare(&id, &row->id) != 0 || !gt_bytes_equal(commit->key, gt_repo_key(repo, row->item))) {
        return misplaced(row, diag);
    }
    repo->unchecked[number / 8] &= (uint8_t) ~(1 << number % 8);
    return GOAT_OK;
}

goat_status gt_commit_read(gt_repo *repo, uint32_t number, gt_commit *commit, gt_diag *diag) {
    const gt_commit_row *row = gt_commit_at(repo, number);
    gt_bytes bytes = gt_log_at(repo->log, row->offset, row->len);
    goat_status status = bytes.data != NULL && gt_commit_view(bytes, commit) ? check_commit(repo, number, commit, diag)
                                                                             : misplaced(row, diag);
    if (status == GOAT_OK) return GOAT_OK;
    uint32_t record = gt_record_of(repo, row->batch, row->offset);
    if (record != GT_NONE) gt_record_lost(repo, record); /* peers are asked for it */
    gt_diag_item(diag, repo->path, gt_repo_key(repo, row->item));
    return status;
}
