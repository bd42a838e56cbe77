/* Open repositories of a database, and each handle's place in them.
 *
 * A mount is the repository itself, shared; a space is what one handle sees of it. */
#include "db/unsent.h"

/* ---- mounts ---- */

gt_mount *gt_mount_find(const gt_database *database, gt_bytes path) {
    gt_mount *mount = database->mounts;
    while (mount != NULL && !gt_bytes_equal(gt_repo_path(mount->repo), path)) mount = mount->next;
    return mount;
}

static bool has_failed(const gt_mount *mount) {
    return gt_repo_get_phase(mount->repo) == GT_REPO_FAILED ||
           gt_log_get_state(gt_repo_log(mount->repo)) == GT_LOG_FAILED;
}

/* Whether a mount that nobody uses may end: what was added to it is on the disk, so that a flush after it was closed
 * says the truth. */
static bool is_settled(const gt_mount *mount) {
    gt_log *log = gt_repo_log(mount->repo);
    if (mount->checkpoint != NULL || !gt_log_idle(log) || gt_repo_get_phase(mount->repo) == GT_REPO_OPENING)
        return false;
    if (gt_log_get_state(log) != GT_LOG_READY || gt_log_length(log) == mount->length_opened) return true;
    return gt_log_length_durable(log) == gt_log_length(log) || gt_log_sync(log, NULL) != GOAT_OK;
}

static goat_status open_repo(gt_mount *mount, gt_bytes path, gt_diag *diag) {
    gt_database *database = mount->database;
    gt_repo *repo = NULL;
    gt_repo_config config = {
        .alloc = database->alloc,
        .io = database->io,
        .hasher = database->hasher,
        .random = database->host.random,
        .clock = gt_database_clock(database),
        .schemas = database->schemas,
        .hooks = gt_mount_hooks(mount),
        .network = database->network,
        .path = path,
        .create = mount->create,
        .read_only = (database->flags & GOAT_OPEN_READ_ONLY) != 0,
        .use_checkpoint = (database->flags & GOAT_OPEN_NO_CHECKPOINT) == 0,
    };
    goat_status status = gt_repo_open(&config, &repo, diag);
    if (status != GOAT_OK) return status;
    gt_repo_free(mount->repo); /* of an attempt before; `path` may lie in it */
    mount->repo = mount->shared.repo = repo;
    return GOAT_OK;
}

/* Somebody looked whether it is there (it is not), and now somebody wants it made. */
static bool is_to_be_made(const gt_mount *mount) {
    return mount->create && gt_repo_get_phase(mount->repo) == GT_REPO_FAILED &&
           gt_repo_failure(mount->repo)->status == GOAT_NOT_FOUND;
}

goat_status gt_mount_open(gt_database *database, gt_bytes path, bool create, gt_mount **out, gt_diag *diag) {
    gt_mount *mount = *out = gt_mount_find(database, path);
    if (mount != NULL && create && !mount->create) {
        mount->create = true;
        if (is_to_be_made(mount)) return open_repo(mount, path, diag);
    }
    if (mount != NULL && !(mount->users == 0 && has_failed(mount))) return GOAT_OK;
    mount = gt_new(database->alloc, 1, sizeof(*mount));
    if (mount == NULL) return gt_no_memory(diag);
    mount->database = database;
    mount->create = create;
    mount->is_system = path.len >= 5 && memcmp(path.data, "/sys/", 5) == 0;
    mount->is_sessions = gt_bytes_equal(path, gt_bytes_text(GT_SESSIONS_PATH));
    mount->is_schemas = gt_bytes_equal(path, gt_bytes_text(GT_SCHEMAS_PATH));
    gt_buf_init(&mount->peer_file.bytes, database->alloc);
    goat_status status = open_repo(mount, path, diag);
    if (status != GOAT_OK) {
        gt_free(database->alloc, mount);
        return status;
    }
    mount->next = database->mounts;
    database->mounts = mount;
    *out = mount;
    return GOAT_OK;
}

void gt_mount_free(gt_mount *mount) {
    gt_making_free(mount->checkpoint);
    gt_free(mount->database->alloc, mount->unsent);
    gt_repo_free(mount->repo);
    gt_buf_free(&mount->peer_file.bytes);
    gt_free(mount->database->alloc, mount);
}

gt_signer gt_signer_of(gt_database *database, const gt_mount *mount) {
    GOAT_ASSERT(!mount->is_sessions || database->has_root);
    const gt_identity *identity = mount->is_sessions ? &database->root : &database->own;
    return (gt_signer){identity->session, &identity->secret};
}

static void add_repo_event(gt_mount *mount, const char *what) {
    gt_buf event;
    gt_buf_init(&event, mount->database->alloc);
    gt_write_array_head(&event, 3);
    gt_write_int(&event, GOAT_CHANGE_REPO);
    gt_write_text(&event, gt_repo_path(mount->repo));
    gt_write_text(&event, gt_bytes_text(what));
    for (gt_space *space = mount->spaces; space != NULL; space = space->next_of_mount) {
        gt_add_event(space->db, &event);
    }
    gt_buf_free(&event);
}

static bool step_mount(gt_mount *mount) {
    if (gt_repo_get_phase(mount->repo) == GT_REPO_OPEN) return gt_repo_step(mount->repo);
    if (gt_repo_get_phase(mount->repo) != GT_REPO_OPENING) return false;
    bool did = gt_repo_step(mount->repo);
    if (gt_repo_get_phase(mount->repo) == GT_REPO_OPENING) return did;
    if (is_to_be_made(mount) && open_repo(mount, gt_repo_path(mount->repo), NULL) == GOAT_OK) return true;
    bool failed = gt_repo_get_phase(mount->repo) == GT_REPO_FAILED;
    mount->length_opened = gt_log_length(gt_repo_log(mount->repo));
    if (!failed && (mount->is_sessions || mount->is_schemas)) gt_learn_all(mount);
    if (!failed && !mount->database->has_root) gt_peer_file_read(mount); /* it will want to meet its server */
    for (gt_space *space = mount->spaces; space != NULL; space = space->next_of_mount) gt_traces_clear(space);
    /* An empty one was just made, or is told once more, which is no harm. */
    bool is_new = !failed && !mount->is_system && mount->length_opened == GT_LOG_HEADER_SIZE;
    if (is_new) gt_links_repo_made(mount->database, gt_repo_path(mount->repo));
    add_repo_event(mount, failed ? "failed" : "open");
    gt_condition_wake_all(&mount->database->condition);
    return true;
}

/* More of the log is on the disk, or in it, than links were last told. */
static void tell_links(gt_mount *mount) {
    if (mount->shared.channels == NULL && !mount->is_sessions) return;
    const gt_log *log = gt_repo_log(mount->repo);
    uint64_t length = gt_log_length(log), durable = gt_log_length_durable(log);
    if (length == mount->shared.announced && durable == mount->shared.announced_durable) return;
    mount->shared.announced = length;
    mount->shared.announced_durable = durable;
    gt_shared_changed(&mount->shared);
    if (mount->is_sessions) gt_links_sessions_safe(mount->database);
}

/* Whether nobody needs it any more. */
static bool may_end(gt_mount *mount, uint64_t now_us, uint64_t *deadline_us) {
    bool unused = mount->users == 0;
    if (gt_peer_file_step(mount, now_us, unused, deadline_us) || !unused) return false;
    if (mount->was_shared && gt_checkpoint_at_close(mount))
        return false; /* a handle that closes it sees to that itself */
    return is_settled(mount);
}

/* Without certificates or schemas that it has, a database would read otherwise than its peers: it does not go on. */
static void check_system(const gt_mount *mount) {
    gt_database *database = mount->database;
    if (!mount->is_sessions && !mount->is_schemas) return;
    if (database->phase != GT_DB_OPEN || database->closing || gt_repo_get_phase(mount->repo) != GT_REPO_FAILED) return;
    gt_database_fail(database, gt_repo_failure(mount->repo));
}

/* A log may hold batches of somebody whose certificate was lost. When it is there again they are taken in. */
static void look_for_vouched(gt_mount *mount) {
    uint32_t count = gt_keyring_count(mount->database->keyring);
    if (mount->certificates_seen == count || gt_repo_get_phase(mount->repo) != GT_REPO_OPEN) return;
    mount->certificates_seen = count;
    if (!mount->is_sessions && gt_repo_has_gaps(mount->repo)) gt_repo_regain(mount->repo, NULL);
}

bool gt_mounts_step(gt_database *database, uint64_t now_us, uint64_t *deadline_us) {
    bool did = false;
    for (gt_mount **at = &database->mounts; *at != NULL;) {
        gt_mount *mount = *at;
        did = step_mount(mount) || did;
        check_system(mount);
        look_for_vouched(mount);
        did = gt_serve_step(mount, now_us, deadline_us) || did;
        tell_links(mount);
        if (may_end(mount, now_us, deadline_us)) {
            *at = mount->next;
            gt_health_note(mount);
            gt_mount_free(mount);
            did = true;
            continue;
        }
        did = gt_checkpoint_step(mount) || did;
        at = &mount->next;
    }
    return did;
}

/* ---- spaces ---- */

bool gt_mount_has_handle(const gt_mount *mount) {
    const gt_space *space = mount->spaces;
    while (space != NULL && space->db == mount->database->system) space = space->next_of_mount;
    return space != NULL;
}

goat_status gt_space_new(goat_db *db, gt_mount *mount, gt_space **out, gt_diag *diag) {
    const gt_alloc *alloc = db->database->alloc;
    goat_status status = db == db->database->system ? GOAT_OK : gt_unsent_prepare(mount, diag);
    if (status != GOAT_OK) return status;
    gt_space *space = gt_new(alloc, 1, sizeof(*space));
    if (space == NULL) return gt_no_memory(diag);
    space->db = db;
    space->mount = mount;
    gt_index_init(&space->works.index, alloc);
    gt_index_init(&space->trace_index, alloc);
    gt_rows_init(&space->live_rows, alloc, sizeof(gt_live_row));
    gt_rows_init(&space->row_of_item, alloc, sizeof(uint32_t));
    gt_rows_init(&space->touched_rows, alloc, sizeof(uint32_t));
    space->next_of_db = db->spaces;
    db->spaces = space;
    space->next_of_mount = mount->spaces;
    mount->spaces = space;
    mount->users++;
    *out = space;
    if (db != db->database->system) gt_links_space_opened(db->database, gt_repo_path(mount->repo));
    return GOAT_OK;
}

void gt_space_end(gt_space *space) {
    gt_mount *mount = space->mount;
    if (mount == NULL) return;
    gt_live_end(space);
    gt_works_free(&space->works, space);
    gt_traces_clear(space);
    gt_space **at = &mount->spaces;
    while (*at != space) at = &(*at)->next_of_mount;
    *at = space->next_of_mount;
    if (space->db != space->db->database->system && !gt_mount_has_handle(mount)) gt_unsent_note(mount);
    mount->users--;
    space->mount = NULL;
    space->stamp++;
    gt_links_space_closed(space->db->database);
}

void gt_space_free(gt_space *space) {
    const gt_alloc *alloc = space->db->database->alloc;
    gt_space_end(space);
    gt_index_free(&space->works.index);
    gt_index_free(&space->trace_index);
    gt_free(alloc, (void *)space->traces);
    gt_rows_free(&space->live_rows);
    gt_rows_free(&space->row_of_item);
    gt_rows_free(&space->touched_rows);
    gt_free(alloc, space);
}

void gt_space_drop(gt_space *space) {
    gt_space **at = &space->db->spaces;
    while (*at != space) at = &(*at)->next_of_db;
    *at = space->next_of_db;
    gt_space_free(space);
}

goat_db *gt_space_db(const gt_space *space) { return space->db; }

goat_status gt_space_check(const gt_space *space, gt_diag *diag) {
    goat_status status = gt_db_check(space->db, diag);
    if (status != GOAT_OK) return status;
    if (space->mount == NULL || space->closing) return gt_fail(diag, GOAT_CLOSED, "the repository is closed");
    switch (gt_repo_get_phase(space->mount->repo)) {
    case GT_REPO_OPEN: return GOAT_OK;
    case GT_REPO_OPENING: status = gt_fail(diag, GOAT_LOADING, "the repository is still being read"); break;
    default:
        if (diag != NULL) *diag = *gt_repo_failure(space->mount->repo);
        return gt_repo_failure(space->mount->repo)->status;
    }
    gt_bytes path = gt_repo_path(space->mount->repo);
    gt_diag_path(diag, (const char *)path.data, path.len);
    return status;
}

/* The space of a repository that the handle has open and is not about to close; NULL: none. */
static gt_space *find_open(const goat_db *db, gt_bytes path) {
    gt_space *space = db->spaces;
    while (space != NULL &&
           (space->mount == NULL || space->closing || !gt_bytes_equal(gt_repo_path(space->mount->repo), path))) {
        space = space->next_of_db;
    }
    return space;
}

goat_status gt_space_check_writable(const gt_space *space, gt_diag *diag) {
    if ((space->db->database->flags & GOAT_OPEN_READ_ONLY) != 0) {
        return gt_fail(diag, GOAT_FORBIDDEN, "the database is open for reading only");
    }
    if (space->mount->is_system) {
        return gt_fail(diag, GOAT_FORBIDDEN, "system items are not edited by hand");
    }
    gt_log *log = gt_repo_log(space->mount->repo);
    if (gt_log_get_state(log) != GT_LOG_FAILED) return GOAT_OK;
    if (diag != NULL) *diag = *gt_log_failure(log);
    return gt_log_failure(log)->status;
}

goat_status gt_space_find(goat_db *db, gt_bytes text, gt_space **out, gt_bytes *key, gt_diag *diag) {
    gt_path path;
    *out = NULL;
    goat_status status = gt_db_check(db, diag);
    if (status == GOAT_OK) status = gt_path_parse(text, &path, diag);
    if (status != GOAT_OK) {
        if (status == GOAT_INVALID) gt_diag_path(diag, (const char *)text.data, text.len);
        return status;
    }
    gt_bytes repository = gt_bytes_of(text.data, 2 + path.type.len + path.name.len);
    *key = path.key;
    *out = find_open(db, repository);
    if (*out != NULL) return gt_space_check(*out, diag);
    status = gt_fail(diag, GOAT_CLOSED, "the repository is not open");
    gt_diag_path(diag, (const char *)repository.data, repository.len);
    return status;
}

/* ---- opening and closing as jobs ---- */

static gt_step_result opening(goat_job *job) {
    gt_space *space = job->state;
    if (space->mount == NULL) {
        gt_fail(&job->diag, GOAT_CLOSED, "the repository was closed meanwhile");
        gt_job_end(job, GOAT_CLOSED);
        return GT_STEP_DONE;
    }
    gt_repo *repo = space->mount->repo;
    uint64_t done, total;
    gt_repo_progress(repo, &done, &total);
    job->progress_done = (double)done;
    job->progress_total = (double)total;
    if (gt_repo_get_phase(repo) == GT_REPO_OPENING) return GT_STEP_WAIT;
    if (gt_repo_get_phase(repo) == GT_REPO_FAILED) {
        gt_job_fail(job, gt_repo_failure(repo)->status, gt_repo_failure(repo));
        gt_space_end(space);
    }
    return GT_STEP_DONE;
}

static const gt_job_kind open_kind = {opening, NULL, true};

goat_status gt_space_open(goat_db *db, gt_bytes text, gt_space **out, goat_job **job, gt_diag *diag) {
    gt_path path;
    gt_mount *mount = NULL;
    *out = NULL;
    goat_status status = gt_db_check(db, diag);
    if (status == GOAT_OK) status = gt_path_parse_repo(text, &path, diag);
    if (status != GOAT_OK) {
        if (status == GOAT_INVALID) gt_diag_path(diag, (const char *)text.data, text.len);
        return status;
    }
    gt_space *space = find_open(db, text);
    bool opens = space == NULL;
    if (opens) {
        bool create = (db->database->flags & GOAT_OPEN_READ_ONLY) == 0;
        status = gt_mount_open(db->database, text, create, &mount, diag);
        if (status == GOAT_OK) status = gt_space_new(db, mount, &space, diag);
    }
    if (status == GOAT_OK) {
        status = gt_job_new(db, &open_kind, space, job, diag);
        if (status != GOAT_OK && opens) gt_space_end(space);
    }
    if (status == GOAT_OK) *out = space;
    return status;
}

static gt_step_result closing(goat_job *job) {
    gt_space *space = job->state;
    gt_mount *mount = space->mount;
    if (mount == NULL) return GT_STEP_DONE;
    if (mount->users == 1 && gt_checkpoint_at_close(mount)) return GT_STEP_WAIT;
    gt_log *log = gt_repo_log(mount->repo);
    if (gt_log_get_state(log) == GT_LOG_READY && gt_log_length_written(log) < gt_log_length(log)) return GT_STEP_WAIT;
    if (gt_log_get_state(log) == GT_LOG_FAILED && gt_repo_get_phase(mount->repo) == GT_REPO_OPEN) {
        job->diag = *gt_log_failure(log);
    }
    add_repo_event(mount, "closed");
    gt_space_end(space);
    gt_job_end(job, job->diag.status); /* what the capture or the log had to say */
    return GT_STEP_DONE;
}

static const gt_job_kind close_kind = {closing, NULL, false};

goat_status gt_space_close(gt_space *space, goat_job **job, gt_diag *diag) {
    gt_diag lost;
    gt_diag_init(&lost);
    goat_status status = gt_space_check(space, diag);
    if (status == GOAT_CLOSED) return status;
    bool complete = status != GOAT_OK || gt_capture_space(space, &lost) == GOAT_OK;
    if (diag != NULL) gt_diag_init(diag);
    status = gt_job_new(space->db, &close_kind, space, job, diag);
    space->closing = status == GOAT_OK;
    if (status == GOAT_OK && !complete) (*job)->diag = lost; /* what could not be captured is lost now */
    return status;
}
