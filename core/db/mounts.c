/* Open repositories of a database, and each handle's place in them.
 *
 * A mount is the repository itself, shared; a space is what one handle sees of it. The hooks of the
 * repository come together here: who may sign, and who must be told of a change. */
#include "db/internal.h"

enum {
    CHECKPOINT_MIN = 64 * 1024,           /* bytes of log worth a checkpoint when a database closes */
    CHECKPOINT_RUNNING = 16 * 1024 * 1024 /* … and while it runs */
};

/* ---- hooks ---- */

static goat_status find_key(void *context, const gt_batch *batch, uint8_t public_key[32], gt_diag *diag) {
    gt_mount *mount = context;
    gt_database *database = mount->database;
    if (mount->is_sessions) {
        return gt_trust_root_key(database->keyring, database->hasher, &database->network, batch, public_key, diag);
    }
    const uint8_t *known = gt_keyring_find(database->keyring, &batch->session);
    if (known == NULL) { /* only our own, made before we were certified; in /sys only the authority's */
        bool own = gt_id_compare(&batch->session, &database->own.session) == 0;
        if (!own || (mount->is_system && !database->has_root)) {
            return gt_fail(diag, GOAT_UNTRUSTED, "the session that signed the batch is not certified");
        }
        known = database->own.public_key;
    } else {
        goat_status status =
            gt_trust_may(database->keyring, GT_MAY_WRITE, gt_repo_path(mount->repo), &batch->session, diag);
        if (status != GOAT_OK) return status;
    }
    memcpy(public_key, known, GT_PUBLIC_KEY_SIZE);
    return GOAT_OK;
}

/* Who may sign receipts. */
static goat_status find_server_key(void *context, const gt_id *session, uint8_t public_key[32], gt_diag *diag) {
    gt_mount *mount = context;
    const gt_keyring *keyring = mount->database->keyring;
    gt_role role = gt_keyring_role(keyring, session);
    if (role != GT_ROLE_ROOT && role != GT_ROLE_SERVER) {
        return gt_fail(diag, GOAT_UNTRUSTED, "the session that signed the receipt is not a server's");
    }
    memcpy(public_key, gt_keyring_find(keyring, session), GT_PUBLIC_KEY_SIZE);
    return GOAT_OK;
}

static void before_change(void *context, gt_repo *repo, uint32_t item) {
    gt_mount *mount = context;
    (void)repo;
    for (gt_space *space = mount->spaces; space != NULL; space = space->next_of_mount) gt_trace_before(space, item);
}

/* The commit of a system item that is in force: of a certificate the latest, of a schema the first
 * (core/commit/FORMAT.md section 8). They stand alone: nothing is merged. */
static goat_status find_in_force(gt_mount *mount, uint32_t item, gt_bytes *delta, gt_diag *diag) {
    gt_buf rows;
    gt_commit_info info = {0};
    gt_buf_init(&rows, mount->database->alloc);
    goat_status status = gt_repo_item_commits(mount->repo, item, &rows, diag);
    if (status == GOAT_OK && rows.len > 0) {
        uint32_t row;
        size_t at = mount->is_sessions ? 0 : rows.len - sizeof(row); /* the latest is first */
        memcpy(&row, rows.data + at, sizeof(row));
        status = gt_repo_commit_info(mount->repo, row, &info, diag);
    }
    gt_buf_free(&rows);
    *delta = info.commit.delta;
    return status;
}

/* Registers a stored definition. It stands under its own name, and is not one of the library's. */
static goat_status learn_schema(gt_mount *mount, uint32_t item, gt_bytes definition, gt_diag *diag) {
    gt_database *database = mount->database;
    gt_schema *schema = NULL;
    gt_buf key;
    goat_status status = gt_schema_parse(database->alloc, database->hasher, definition, &schema, diag);
    if (status != GOAT_OK) return status;
    gt_buf_init(&key, database->alloc);
    gt_schema_item_key(schema, &key);
    if (gt_buf_failed(&key)) {
        status = gt_no_memory(diag);
    } else if (!gt_bytes_equal(gt_buf_bytes(&key), gt_repo_key(mount->repo, item)) ||
               gt_is_reserved_ns(gt_schema_ns(schema))) {
        status = gt_fail(diag, GOAT_UNTRUSTED, "the definition stands under another name than its own");
    }
    gt_buf_free(&key);
    if (status == GOAT_OK) status = gt_registry_add(database->schemas, schema, diag);
    if (status != GOAT_OK) {
        gt_schema_free(schema);
    } else {
        gt_schemas_changed(database);
    }
    return status;
}

/* A certificate or a schema came: what was carried unseen may be seen now. One that is no good is passed over;
 * without memory to take one in the database does not go on, since it would read otherwise than its peers. */
static void learn(gt_mount *mount, uint32_t item) {
    gt_database *database = mount->database;
    gt_diag diag;
    gt_bytes state = {0};
    gt_diag_init(&diag);
    goat_status status = find_in_force(mount, item, &state, &diag);
    if (status == GOAT_OK && state.data != NULL && mount->is_sessions) {
        status = gt_keyring_learn(database->keyring, database->hasher, gt_repo_key(mount->repo, item), state, &diag);
    } else if (status == GOAT_OK && state.data != NULL) {
        gt_bytes definition = gt_schema_item_definition(state);
        if (definition.data != NULL) status = learn_schema(mount, item, definition, &diag);
    }
    if (status == GOAT_NO_MEMORY) gt_database_fail(database, &diag);
}

static void after_change(void *context, gt_repo *repo, uint32_t item, gt_origin origin) {
    gt_mount *mount = context;
    for (gt_space *space = mount->spaces; space != NULL; space = space->next_of_mount) {
        gt_trace_after(space, item, origin);
    }
    if (mount->is_sessions || mount->is_schemas) learn(mount, item);
    (void)repo;
}

void gt_schemas_changed(gt_database *database) {
    for (gt_mount *mount = database->mounts; mount != NULL; mount = mount->next) {
        if (gt_repo_get_phase(mount->repo) != GT_REPO_FAILED) gt_repo_schemas_changed(mount->repo);
    }
}

/* ---- mounts ---- */

static gt_mount *find_mount(const gt_database *database, gt_bytes path) {
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
    if (mount->writing_checkpoint || !gt_log_idle(log) || gt_repo_get_phase(mount->repo) == GT_REPO_OPENING)
        return false;
    if (gt_log_get_state(log) != GT_LOG_READY || gt_log_length(log) == mount->length_opened) return true;
    return gt_log_length_durable(log) == gt_log_length(log) || gt_log_sync(log, NULL) != GOAT_OK;
}

goat_status gt_mount_open(gt_database *database, gt_bytes path, bool create, gt_mount **out, gt_diag *diag) {
    *out = find_mount(database, path);
    if (*out != NULL && !((*out)->users == 0 && has_failed(*out))) return GOAT_OK;
    gt_mount *mount = gt_new(database->alloc, 1, sizeof(*mount));
    if (mount == NULL) return gt_no_memory(diag);
    mount->database = database;
    mount->is_system = path.len >= 5 && memcmp(path.data, "/sys/", 5) == 0;
    mount->is_sessions = gt_bytes_equal(path, gt_bytes_text(GT_SESSIONS_PATH));
    mount->is_schemas = gt_bytes_equal(path, gt_bytes_text(GT_SCHEMAS_PATH));
    gt_buf_init(&mount->checkpoint, database->alloc);
    gt_repo_config config = {
        .alloc = database->alloc,
        .io = database->io,
        .hasher = database->hasher,
        .random = database->host.random,
        .clock = database->host.clock,
        .schemas = database->schemas,
        .hooks = {.context = mount,
                  .find_key = find_key,
                  .find_server_key = find_server_key,
                  .before_change = before_change,
                  .after_change = after_change},
        .network = database->network,
        .path = path,
        .create = create,
        .read_only = (database->flags & GOAT_OPEN_READ_ONLY) != 0,
        .use_checkpoint = (database->flags & GOAT_OPEN_NO_CHECKPOINT) == 0,
    };
    goat_status status = gt_repo_open(&config, &mount->repo, diag);
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
    gt_repo_free(mount->repo);
    gt_buf_free(&mount->checkpoint);
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

/* What opening the system repositories taught is not in any hook when it came from a checkpoint. */
static void learn_all(gt_mount *mount) {
    for (uint32_t item = 0; item < gt_repo_item_count(mount->repo); item++) learn(mount, item);
}

static bool step_mount(gt_mount *mount) {
    if (gt_repo_get_phase(mount->repo) != GT_REPO_OPENING) return false;
    bool did = gt_repo_step(mount->repo);
    if (gt_repo_get_phase(mount->repo) == GT_REPO_OPENING) return did;
    bool failed = gt_repo_get_phase(mount->repo) == GT_REPO_FAILED;
    mount->length_opened = gt_log_length(gt_repo_log(mount->repo));
    if (!failed && (mount->is_sessions || mount->is_schemas)) learn_all(mount);
    for (gt_space *space = mount->spaces; space != NULL; space = space->next_of_mount) gt_traces_clear(space);
    add_repo_event(mount, failed ? "failed" : "open");
    gt_condition_wake_all(&mount->database->condition);
    return true;
}

bool gt_mounts_step(gt_database *database) {
    bool did = false;
    for (gt_mount **at = &database->mounts; *at != NULL;) {
        gt_mount *mount = *at;
        did = step_mount(mount) || did;
        if (mount->users == 0 && is_settled(mount)) {
            *at = mount->next;
            gt_mount_free(mount);
            did = true;
            continue;
        }
        gt_checkpoint_begin(mount, CHECKPOINT_RUNNING);
        at = &mount->next;
    }
    return did;
}

/* ---- checkpoints ---- */

static void checkpoint_written(void *owner, const goat_io_result *result) {
    gt_mount *mount = owner;
    mount->writing_checkpoint = false;
    if (result->status == GOAT_OK) {
        gt_repo_checkpoint_written(mount->repo, mount->checkpoint_covers);
    } else {
        mount->checkpoint_failed = true; /* it is not tried again and again: the log says it all */
    }
    gt_buf_free(&mount->checkpoint);
    gt_condition_wake_all(&mount->database->condition);
}

/* A checkpoint is worth its cost when a good part of the log is not covered by one; it may only name what is on
 * the disk. True while one is being written or waits for the disk. */
bool gt_checkpoint_begin(gt_mount *mount, uint64_t uncovered_min) {
    gt_database *database = mount->database;
    if (mount->writing_checkpoint) return true;
    if (gt_repo_get_phase(mount->repo) != GT_REPO_OPEN || mount->checkpoint_failed ||
        (database->flags & (GOAT_OPEN_READ_ONLY | GOAT_OPEN_NO_CHECKPOINT)) != 0) {
        return false;
    }
    gt_log *log = gt_repo_log(mount->repo);
    uint64_t uncovered = gt_repo_uncovered(mount->repo);
    if (uncovered < uncovered_min || uncovered < gt_log_length(log) / 4 || gt_log_get_state(log) != GT_LOG_READY) {
        return false;
    }
    if (gt_log_length_durable(log) < gt_log_length(log)) return gt_log_sync(log, NULL) == GOAT_OK;
    goat_io_request request = {.kind = GOAT_IO_REPLACE, .name = gt_repo_checkpoint_name(mount->repo)};
    if (gt_repo_checkpoint(mount->repo, &mount->checkpoint, &mount->checkpoint_covers, NULL) == GOAT_OK) {
        request.data = mount->checkpoint.data;
        request.data_len = mount->checkpoint.len;
        mount->writing_checkpoint = gt_io_submit(database->io, &request, checkpoint_written, mount) == GOAT_OK;
    }
    if (!mount->writing_checkpoint) {
        gt_buf_free(&mount->checkpoint);
        mount->checkpoint_failed = true; /* a cache: the log says it all */
    }
    return mount->writing_checkpoint;
}

bool gt_checkpoint_at_close(gt_mount *mount) { return gt_checkpoint_begin(mount, CHECKPOINT_MIN); }

/* ---- spaces ---- */

goat_status gt_space_new(goat_db *db, gt_mount *mount, gt_space **out, gt_diag *diag) {
    const gt_alloc *alloc = db->database->alloc;
    gt_space *space = gt_new(alloc, 1, sizeof(*space));
    if (space == NULL) return gt_no_memory(diag);
    space->db = db;
    space->mount = mount;
    gt_index_init(&space->works.index, alloc);
    gt_index_init(&space->trace_index, alloc);
    gt_rows_init(&space->live_rows, alloc, sizeof(gt_live_row));
    gt_rows_init(&space->row_of_item, alloc, sizeof(uint32_t));
    space->next_of_db = db->spaces;
    db->spaces = space;
    space->next_of_mount = mount->spaces;
    mount->spaces = space;
    mount->users++;
    *out = space;
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
    mount->users--;
    space->mount = NULL;
    space->stamp++;
}

void gt_space_free(gt_space *space) {
    const gt_alloc *alloc = space->db->database->alloc;
    gt_space_end(space);
    gt_index_free(&space->works.index);
    gt_index_free(&space->trace_index);
    gt_free(alloc, (void *)space->traces);
    gt_rows_free(&space->live_rows);
    gt_rows_free(&space->row_of_item);
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
