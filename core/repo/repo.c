/* The life of a repository, and what little is asked of the whole. */
#include "repo/repo.h"

#include "base/assert.h"
#include "repo/replays.h"

void gt_diag_item(gt_diag *diag, const char *repository, gt_bytes key) {
    if (diag == NULL) return;
    char path[GT_DIAG_PATH_MAX];
    size_t len = strlen(repository);
    GOAT_ASSERT(len + 1 + key.len <= sizeof(path));
    memcpy(path, repository, len);
    path[len] = '/';
    memcpy(path + len + 1, key.data, key.len);
    gt_diag_path(diag, path, len + 1 + key.len);
}

void gt_repo_fail(gt_repo *repo, goat_status status, const char *message) {
    repo->phase = GT_REPO_FAILED;
    gt_diag_init(&repo->failure);
    gt_fail(&repo->failure, status, "%s", message);
    gt_diag_path(&repo->failure, repo->path, strlen(repo->path));
}

/* "repos" + "/type/repo" + extension */
static char *file_name(gt_repo *repo, const char *extension) {
    size_t path_len = strlen(repo->path), extension_len = strlen(extension);
    char *name = gt_new(repo->alloc, 5 + path_len + extension_len + 1, 1);
    if (name == NULL) return NULL;
    memcpy(name, "repos", 5);
    memcpy(name + 5, repo->path, path_len);
    memcpy(name + 5 + path_len, extension, extension_len);
    return name;
}

static goat_status prepare(gt_repo *repo, gt_diag *diag) {
    const gt_repo_config *config = &repo->config;
    repo->path = gt_copy(repo->alloc, config->path.data, config->path.len);
    if (repo->path == NULL) return gt_no_memory(diag);
    repo->log_name = file_name(repo, ".log");
    repo->checkpoint_name = file_name(repo, ".checkpoint");
    if (repo->log_name == NULL || repo->checkpoint_name == NULL) return gt_no_memory(diag);
    repo->config.path = gt_bytes_of(repo->path, config->path.len);
    repo->place = (gt_place){.network = config->network, .repository = repo->config.path};
    if (!config->random.fill(config->random.context, repo->hash_key, sizeof(repo->hash_key))) {
        return gt_fail(diag, GOAT_IO, "the machine gives no randomness");
    }
    gt_log_config log = {
        .alloc = repo->alloc,
        .io = config->io,
        .hasher = config->hasher,
        .name = repo->log_name,
        .repository = repo->config.path,
        .network = config->network,
        .create = config->create,
        .read_only = config->read_only,
        .random = config->random,
        .now_ms = config->clock.wall_ms(config->clock.context),
    };
    return gt_log_open(&log, &repo->log, diag);
}

goat_status gt_repo_open(const gt_repo_config *config, gt_repo **out, gt_diag *diag) {
    *out = NULL;
    gt_repo *repo = gt_new(config->alloc, 1, sizeof(*repo));
    if (repo == NULL) return gt_no_memory(diag);
    repo->alloc = config->alloc;
    repo->config = *config;
    repo->replay_steps_min = GT_REPLAY_STEPS_MIN;
    gt_diag_init(&repo->failure);
    gt_tables_init(repo);
    goat_status status = prepare(repo, diag);
    if (status != GOAT_OK) {
        gt_repo_free(repo);
        return status;
    }
    *out = repo;
    return GOAT_OK;
}

gt_repo_phase gt_repo_get_phase(const gt_repo *repo) { return repo->phase; }

const gt_diag *gt_repo_failure(const gt_repo *repo) { return &repo->failure; }

void gt_repo_progress(const gt_repo *repo, uint64_t *done, uint64_t *total) {
    *total = gt_log_get_state(repo->log) == GT_LOG_OPENING ? 0 : gt_log_length(repo->log);
    *done = repo->phase == GT_REPO_OPENING ? repo->load_offset : *total;
}

bool gt_repo_step(gt_repo *repo) {
    if (repo->phase == GT_REPO_OPEN) return gt_parked_retry(repo);
    return repo->phase == GT_REPO_OPENING && gt_load_step(repo) && repo->phase == GT_REPO_OPENING;
}

void gt_repo_free(gt_repo *repo) {
    if (repo == NULL) return;
    gt_adoption_free(repo->adoption);
    gt_parked_free(repo);
    gt_tables_free(repo);
    gt_load_end(&repo->checkpoint);
    if (repo->log != NULL) gt_log_close(repo->log);
    gt_free(repo->alloc, repo->path);
    gt_free(repo->alloc, repo->log_name);
    gt_free(repo->alloc, repo->checkpoint_name);
    gt_free(repo->alloc, repo);
}

gt_bytes gt_repo_path(const gt_repo *repo) { return repo->config.path; }

gt_log *gt_repo_log(const gt_repo *repo) { return repo->log; }

uint64_t gt_repo_work(const gt_repo *repo) { return repo->work; }

uint64_t gt_repo_checks(const gt_repo *repo) { return repo->checks; }

bool gt_repo_has_commits(const gt_repo *repo, uint32_t item) { return gt_item_at(repo, item)->newest != GT_NONE; }

uint32_t gt_repo_newest(const gt_repo *repo, uint32_t item) { return gt_item_at(repo, item)->newest; }

const gt_schema *gt_repo_schema(const gt_repo *repo, uint32_t item) {
    return gt_item_reader(repo, gt_item_at(repo, item));
}

/* ---- commits of an item ---- */

uint32_t gt_repo_first(const gt_repo *repo, uint32_t item) { return gt_item_at(repo, item)->first; }

gt_commit_key gt_repo_commit_key(const gt_repo *repo, uint32_t commit) {
    const gt_commit_row *row = gt_commit_at(repo, commit);
    uint32_t session = gt_batch_at(repo, row->batch)->session;
    return (gt_commit_key){row->id, gt_session_at(repo, session)->id, row->time, row->item};
}

uint32_t gt_repo_find_commit(const gt_repo *repo, const gt_id *id) { return gt_find_commit(repo, id); }

goat_status gt_repo_commit_info(gt_repo *repo, uint32_t commit, gt_commit_info *info, gt_diag *diag) {
    const gt_commit_row *row = gt_commit_at(repo, commit);
    const gt_batch_row *batch = gt_batch_at(repo, row->batch);
    *info = (gt_commit_info){
        .id = row->id,
        .batch = batch->id,
        .session = gt_session_at(repo, batch->session)->id,
        .leaf = row->leaf,
        .commit.time = row->time,
        .is_hidden = !gt_is_shown(row),
    };
    gt_commit content;
    goat_status status = gt_commit_read(repo, commit, &content, diag);
    if (status == GOAT_OK) info->commit = content;
    return status;
}

/* ---- checkpoint ---- */

const char *gt_repo_checkpoint_name(const gt_repo *repo) { return repo->checkpoint_name; }

uint64_t gt_repo_uncovered(const gt_repo *repo) { return gt_log_length(repo->log) - repo->covered; }

void gt_repo_checkpoint_written(gt_repo *repo, uint64_t covered) { repo->covered = covered; }
