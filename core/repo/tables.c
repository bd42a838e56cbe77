/* Lookups in the tables of a repository, and the small tables: sessions and schemas. */
#include "repo/tables.h"

#include "base/assert.h"

void gt_tables_init(gt_repo *repo) {
    gt_rows_init(&repo->commits, repo->alloc, sizeof(gt_commit_row));
    gt_rows_init(&repo->parents, repo->alloc, sizeof(uint32_t));
    gt_rows_init(&repo->items, repo->alloc, sizeof(gt_item_row));
    gt_rows_init(&repo->batches, repo->alloc, sizeof(gt_batch_row));
    gt_rows_init(&repo->sessions, repo->alloc, sizeof(gt_session_row));
    gt_rows_init(&repo->schemas, repo->alloc, sizeof(gt_schema_row));
    gt_index_init(&repo->commit_index, repo->alloc);
    gt_index_init(&repo->item_index, repo->alloc);
    gt_index_init(&repo->batch_index, repo->alloc);
}

void gt_tables_free(gt_repo *repo) {
    for (uint32_t row = 0; row < repo->items.count; row++) {
        gt_item_forget_state(repo, gt_item_at(repo, row));
    }
    gt_cuts_free(repo);
    gt_rows_free(&repo->commits);
    gt_rows_free(&repo->parents);
    gt_rows_free(&repo->items);
    gt_rows_free(&repo->batches);
    gt_rows_free(&repo->sessions);
    gt_rows_free(&repo->schemas);
    gt_index_free(&repo->commit_index);
    gt_index_free(&repo->item_index);
    gt_index_free(&repo->batch_index);
    gt_free(repo->alloc, (void *)repo->readers);
    gt_free(repo->alloc, repo->unchecked);
    repo->readers = NULL;
    repo->reader_capacity = 0;
    repo->unchecked = NULL;
    repo->unchecked_count = 0;
    repo->states = NULL;
    repo->states_len = 0;
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
    return gt_log_at(repo->log, row->key_offset, row->key_len);
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

/* A repository has few sessions next to its batches, and the newest ones are asked for. */
uint32_t gt_find_session(const gt_repo *repo, const gt_id *id) {
    for (uint32_t row = repo->sessions.count; row-- > 0;) {
        if (gt_id_compare(&gt_session_at(repo, row)->id, id) == 0) return row;
    }
    return GT_NONE;
}

uint32_t gt_add_session(gt_repo *repo, const gt_id *id) {
    uint32_t row = gt_find_session(repo, id);
    if (row != GT_NONE) return row;
    gt_session_row *session = gt_rows_push(&repo->sessions);
    if (session == NULL) return GT_NONE;
    session->id = *id;
    session->newest = GT_NONE;
    return repo->sessions.count - 1;
}

/* The reading schema of a row of the table; see gt_reader_of. */
static const gt_schema *find_reader(const gt_repo *repo, const gt_schema_row *row) {
    gt_bytes ns = gt_bytes_of(row->ns, row->ns_len);
    const gt_schema *own = gt_registry_find(repo->config.schemas, ns, row->version);
    if (own == NULL || memcmp(gt_schema_hash(own), row->hash, GT_SCHEMA_HASH_SIZE) != 0) return NULL;
    return gt_registry_newest(repo->config.schemas, ns);
}

static bool reserve_readers(gt_repo *repo) {
    return gt_reserve(repo->alloc, (void **)(void *)&repo->readers, repo->schemas.count, &repo->reader_capacity,
                      sizeof(*repo->readers));
}

uint32_t gt_add_schema(gt_repo *repo, const gt_commit *commit) {
    for (uint32_t i = repo->schemas.count; i-- > 0;) {
        const gt_schema_row *row = gt_schema_at(repo, i);
        if (row->version == commit->version && memcmp(row->hash, commit->schema_hash.data, GT_SCHEMA_HASH_SIZE) == 0 &&
            gt_bytes_equal(gt_bytes_of(row->ns, row->ns_len), commit->ns)) {
            return i;
        }
    }
    if (!reserve_readers(repo)) return GT_NONE;
    gt_schema_row *row = gt_rows_push(&repo->schemas);
    if (row == NULL) return GT_NONE;
    GOAT_ASSERT(commit->ns.len <= sizeof(row->ns));
    memcpy(row->hash, commit->schema_hash.data, GT_SCHEMA_HASH_SIZE);
    row->version = commit->version;
    row->ns_len = (uint32_t)commit->ns.len;
    memcpy(row->ns, commit->ns.data, commit->ns.len);
    repo->readers[repo->schemas.count - 1] = find_reader(repo, row);
    return repo->schemas.count - 1;
}

bool gt_schemas_resolve(gt_repo *repo) {
    bool changed = false;
    for (uint32_t i = 0; i < repo->schemas.count; i++) {
        const gt_schema *reader = find_reader(repo, gt_schema_at(repo, i));
        changed = changed || reader != repo->readers[i];
        repo->readers[i] = reader;
    }
    return changed;
}

const gt_schema *gt_reader_of(const gt_repo *repo, uint32_t schema) { return repo->readers[schema]; }

const gt_schema *gt_writer_of(const gt_repo *repo, uint32_t schema) {
    const gt_schema_row *row = gt_schema_at(repo, schema);
    return gt_registry_find(repo->config.schemas, gt_bytes_of(row->ns, row->ns_len), row->version);
}

/* Below a checkpoint nothing was read yet: the first touch of a record checks it. */
static goat_status check_record(gt_repo *repo, uint32_t batch, gt_diag *diag) {
    if (batch >= repo->unchecked_count || (repo->unchecked[batch / 8] & 1 << batch % 8) == 0) return GOAT_OK;
    goat_status status = gt_log_check(repo->log, gt_batch_at(repo, batch)->offset, diag);
    if (status == GOAT_OK) repo->unchecked[batch / 8] &= (uint8_t)~(1 << batch % 8);
    return status;
}

goat_status gt_commit_bytes(gt_repo *repo, uint32_t commit, gt_bytes *bytes, gt_diag *diag) {
    const gt_commit_row *row = gt_commit_at(repo, commit);
    goat_status status = check_record(repo, row->batch, diag);
    if (status != GOAT_OK) {
        gt_diag_path(diag, repo->path, strlen(repo->path));
        return status;
    }
    *bytes = gt_log_at(repo->log, row->offset, row->len);
    if (bytes->data == NULL) return gt_fail_at(diag, GOAT_CORRUPT, row->offset, "a commit lies outside of the log");
    return GOAT_OK;
}
