/* What a database says of itself: facts, repositories, digests, and verification. */
#include "db/internal.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- facts ---- */

static void write_name(gt_buf *out, const char *name) { gt_write_text(out, gt_bytes_text(name)); }

static const char *damage_name(gt_damage_kind kind) {
    switch (kind) {
    case GT_DAMAGE_HEADER: return "header";
    case GT_DAMAGE_TORN: return "torn";
    case GT_DAMAGE_CHAIN: return "chain";
    default: return "record";
    }
}

/* The name under which the log has kept a tail that it cut (core/log/FORMAT.md section 1). */
static void write_saved_as(gt_buf *out, gt_bytes repository, uint64_t offset) {
    char name[GT_PATH_MAX + 48];
    int len = snprintf(name, sizeof(name), "repos%.*s.torn-%llu", (int)repository.len, (const char *)repository.data,
                       (unsigned long long)offset);
    gt_write_text(out, gt_bytes_of(name, (size_t)len));
}

static void write_damage(const gt_database *database, gt_buf *out) {
    size_t total = 0, count;
    for (const gt_mount *mount = database->mounts; mount != NULL; mount = mount->next) {
        const gt_damage *damage = gt_log_damage(gt_repo_log(mount->repo), &count);
        for (size_t i = 0; i < count; i++) total += !damage[i].aside;
    }
    gt_write_array_head(out, total);
    for (const gt_mount *mount = database->mounts; mount != NULL; mount = mount->next) {
        const gt_damage *damage = gt_log_damage(gt_repo_log(mount->repo), &count);
        for (size_t i = 0; i < count; i++) {
            if (damage[i].aside) continue;
            bool saved = damage[i].kind == GT_DAMAGE_TORN && (database->flags & GOAT_OPEN_READ_ONLY) == 0;
            gt_write_map_head(out, saved ? 5 : 4); /* keys by length, then bytes */
            write_name(out, "kind");
            write_name(out, damage_name(damage[i].kind));
            write_name(out, "path");
            gt_write_text(out, gt_repo_path(mount->repo));
            write_name(out, "length");
            gt_write_int(out, (int64_t)damage[i].length);
            write_name(out, "offset");
            gt_write_int(out, (int64_t)damage[i].offset);
            if (saved) {
                write_name(out, "saved_as");
                write_saved_as(out, gt_repo_path(mount->repo), damage[i].offset);
            }
        }
    }
}

void gt_db_info(goat_db *db, gt_buf *out) {
    const gt_database *database = db->database;
    size_t repositories = 0, unsaved = 0;
    for (const gt_space *space = db->spaces; space != NULL; space = space->next_of_db) {
        repositories += space->mount != NULL;
        for (size_t i = 0; i < space->works.count; i++) unsaved += gt_work_has_edits(space->works.list[i]);
    }
    gt_write_map_head(out, 9);
    write_name(out, "path");
    gt_write_text(out, gt_bytes_text(database->path));
    write_name(out, "root");
    const uint8_t *root = gt_keyring_find(database->keyring, &database->network);
    if (root == NULL && database->is_pinned) root = database->root_key; /* the certificates are not here yet */
    gt_write_bytes(out, gt_bytes_of(root, root == NULL ? 0 : GT_PUBLIC_KEY_SIZE));
    write_name(out, "damage");
    write_damage(database, out);
    write_name(out, "network");
    gt_write_bytes(out, gt_bytes_of(database->network.bytes, GT_ID_SIZE));
    write_name(out, "session");
    gt_write_bytes(out, gt_bytes_of(database->own.session.bytes, GT_ID_SIZE));
    write_name(out, "unsaved");
    gt_write_int(out, (int64_t)unsaved);
    write_name(out, "authority");
    gt_write_bool(out, database->has_root);
    write_name(out, "read_only");
    gt_write_bool(out, (database->flags & GOAT_OPEN_READ_ONLY) != 0);
    write_name(out, "repositories");
    gt_write_array_head(out, repositories);
    for (const gt_space *space = db->spaces; space != NULL; space = space->next_of_db) {
        if (space->mount != NULL) gt_write_text(out, gt_repo_path(space->mount->repo));
    }
}

/* ---- stored repositories ---- */

/* Calls `each` with "/type/repo" for every log in a listing. */
void gt_each_log(const goat_io_result *result, void (*each)(void *, gt_bytes), void *context) {
    const char *at = (const char *)result->data, *end = at + result->data_len;
    for (; at < end; at += strlen(at) + 1) {
        size_t len = strlen(at);
        const char *name = strncmp(at, "repos/", 6) == 0 ? at + 5 : at;
        size_t name_len = len - (size_t)(name - at);
        gt_path path;
        if (name_len < 4 || strcmp(name + name_len - 4, ".log") != 0) continue;
        gt_bytes text = gt_bytes_of(name, name_len - 4);
        if (gt_path_parse_repo(text, &path, NULL) == GOAT_OK) each(context, text);
    }
}

typedef struct listing {
    gt_buf paths; /* CBOR texts */
    size_t count;
} listing;

static void add_to_listing(void *context, gt_bytes path) {
    listing *list = context;
    gt_write_text(&list->paths, path);
    list->count++;
}

static void listed(void *owner, const goat_io_result *result) {
    goat_job *job = owner;
    job->waiting = false;
    job->left = true;
    if (result->status != GOAT_OK && result->status != GOAT_NOT_FOUND) {
        gt_fail(&job->diag, result->status, "%s", result->message);
        return;
    }
    listing list = {.count = 0};
    gt_buf_init(&list.paths, job->db->database->alloc);
    if (result->status == GOAT_OK) gt_each_log(result, add_to_listing, &list);
    gt_write_array_head(&job->result, list.count);
    gt_buf_append(&job->result, list.paths.data, list.paths.len);
    if (gt_buf_failed(&list.paths) || gt_buf_failed(&job->result)) gt_no_memory(&job->diag);
    gt_buf_free(&list.paths);
}

static gt_step_result listing_step(goat_job *job) {
    if (job->waiting) return GT_STEP_WAIT;
    if (job->left) {
        gt_job_end(job, job->diag.status);
        return GT_STEP_DONE;
    }
    goat_io_request request = {.kind = GOAT_IO_LIST, .name = "repos"};
    job->waiting = gt_io_submit(job->db->database->io, &request, listed, job) == GOAT_OK;
    if (!job->waiting) {
        gt_job_end(job, gt_no_memory(&job->diag));
        return GT_STEP_DONE;
    }
    return GT_STEP_MORE;
}

static const gt_job_kind listing_kind = {listing_step, NULL, true};

goat_status gt_db_repos(goat_db *db, goat_job **job, gt_diag *diag) {
    goat_status status = gt_db_check(db, diag);
    return status != GOAT_OK ? status : gt_job_new(db, &listing_kind, NULL, job, diag);
}

/* ---- digest ---- */

enum { DIGEST_ENTRIES = 256, DIGEST_ITEMS = 256, DIGEST_ORDER = 4096 };

typedef struct digest {
    gt_space *space;
    gt_key_order *order; /* NULL: not begun */
    uint32_t next;
    uint64_t entries; /* commits at the beginning: when more have come, it is begun anew */
    gt_sha256 *views;
    gt_buf newest; /* a state at the newest version, where the host reads at another */
} digest;

static void end_digest(goat_job *job) {
    digest *state = job->state;
    gt_key_order_free(state->order);
    gt_sha256_free(state->views);
    gt_buf_free(&state->newest);
    gt_free(job->db->database->alloc, state);
}

/* Digests are taken at the newest version that is not retired, wherever the host reads; but nothing that a function of the
 * host's said enters them. */
static goat_status see_newest(digest *state, uint32_t item, gt_seen *seen, gt_diag *diag) {
    gt_repo *repo = state->space->mount->repo;
    const gt_schema *reader = gt_repo_schema(repo, item);
    const gt_registry *schemas = state->space->db->database->schemas;
    const gt_schema *newest = reader == NULL ? NULL : gt_registry_digested(schemas, gt_schema_ns(reader));
    if (newest == NULL || newest == reader) return gt_repo_view(repo, item, seen, diag);
    gt_buf_clear(&state->newest);
    goat_status status = gt_repo_view_version(repo, item, newest, &state->newest, diag);
    *seen = (gt_seen){.schema = newest, .view.bytes = gt_buf_bytes(&state->newest)};
    return status;
}

/* What is hashed for an item: [key, namespace, state], or [key, null, null] when it cannot be shown. */
static goat_status hash_item(digest *state, uint32_t item, gt_diag *diag) {
    gt_repo *repo = state->space->mount->repo;
    const gt_alloc *alloc = state->space->db->database->alloc;
    gt_seen seen;
    gt_buf head;
    goat_status status = see_newest(state, item, &seen, diag);
    bool shown = status == GOAT_OK;
    if (!shown && status != GOAT_NO_SCHEMA) return status;
    gt_buf_init(&head, alloc);
    gt_write_array_head(&head, 3);
    gt_write_text(&head, gt_repo_key(repo, item));
    if (shown) {
        gt_write_text(&head, gt_schema_ns(seen.schema));
    } else {
        gt_write_null(&head);
        gt_write_null(&head);
    }
    gt_sha256_add(state->views, head.data, head.len);
    if (shown) gt_sha256_add(state->views, seen.view.bytes.data, seen.view.bytes.len);
    status = gt_buf_failed(&head) ? gt_no_memory(diag) : GOAT_OK;
    gt_view_drop(alloc, &seen.view);
    gt_buf_free(&head);
    return status;
}

static void finish_digest(goat_job *job) {
    digest *state = job->state;
    gt_repo *repo = state->space->mount->repo;
    uint8_t views[GT_HASH_SIZE], fingerprint[GT_HASH_SIZE];
    gt_sha256_end(state->views, views);
    gt_repo_fingerprint(repo, fingerprint);
    gt_write_map_head(&job->result, 3);
    write_name(&job->result, "views");
    gt_write_bytes(&job->result, gt_bytes_of(views, sizeof(views)));
    write_name(&job->result, "entries");
    gt_write_int(&job->result, (int64_t)gt_repo_entry_count(repo));
    write_name(&job->result, "fingerprint");
    gt_write_bytes(&job->result, gt_bytes_of(fingerprint, sizeof(fingerprint)));
}

static gt_step_result digest_step(goat_job *job) {
    digest *state = job->state;
    gt_diag diag;
    gt_diag_init(&diag);
    goat_status status = gt_space_check(state->space, &diag);
    gt_repo *repo = status == GOAT_OK ? state->space->mount->repo : NULL;
    if (status == GOAT_OK && !gt_repo_fingerprint_step(repo, DIGEST_ENTRIES)) return GT_STEP_MORE;
    if (status == GOAT_OK && state->order != NULL && state->entries != gt_repo_entry_count(repo)) {
        gt_key_order_free(state->order);
        state->order = NULL;
    }
    if (status == GOAT_OK && state->order == NULL) {
        uint8_t ignored[GT_HASH_SIZE];
        gt_sha256_end(state->views, ignored);
        state->next = 0;
        state->entries = gt_repo_entry_count(repo);
        status = gt_key_order_new(repo, &state->order, &diag);
    }
    if (status == GOAT_OK && !gt_key_order_step(state->order, DIGEST_ORDER)) return GT_STEP_MORE;
    uint32_t count = 0;
    const uint32_t *items = status == GOAT_OK ? gt_key_order_rows(state->order, &count) : NULL;
    for (int i = 0; status == GOAT_OK && i < DIGEST_ITEMS && state->next < count; i++) {
        status = hash_item(state, items[state->next++], &diag);
    }
    job->progress_done = (double)state->next;
    job->progress_total = (double)count;
    if (status != GOAT_OK) {
        gt_job_fail(job, status, &diag);
        return GT_STEP_DONE;
    }
    if (state->next < count) return GT_STEP_MORE;
    finish_digest(job);
    return GT_STEP_DONE;
}

static const gt_job_kind digest_kind = {digest_step, end_digest, true};

goat_status gt_space_digest(gt_space *space, goat_job **job, gt_diag *diag) {
    goat_status status = gt_space_check(space, diag);
    if (status != GOAT_OK) return status;
    const gt_alloc *alloc = space->db->database->alloc;
    digest *state = gt_new(alloc, 1, sizeof(*state));
    if (state == NULL) return gt_no_memory(diag);
    state->space = space;
    gt_buf_init(&state->newest, alloc);
    status = gt_sha256_new(space->db->database->hasher, &state->views, diag);
    if (status == GOAT_OK) status = gt_job_new(space->db, &digest_kind, state, job, diag);
    if (status != GOAT_OK) {
        gt_sha256_free(state->views);
        gt_free(alloc, state);
    }
    return status;
}
