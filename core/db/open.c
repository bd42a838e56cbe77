/* Opening a database: the folder is taken, the keys are read or made, and the two system repositories
 * are opened, which say who may sign and what documents look like.
 *
 * A new database gets its file `network` last of all, when everything else is on the disk; until then
 * the next open goes on with what is there. So a crash in the middle leaves nothing half made. */
#include "db/internal.h"

#include <string.h>

enum { /* steps, in order */
       OPEN_LOCK,
       OPEN_NETWORK,
       OPEN_ROOT,
       OPEN_SESSION,
       OPEN_KEYS,
       OPEN_ROOT_WRITTEN,
       OPEN_SESSION_WRITTEN,
       OPEN_SESSIONS,
       OPEN_CERTIFY,
       OPEN_SCHEMAS,
       OPEN_LEARN,
       OPEN_SYNC,
       OPEN_MARK,
       OPEN_READY,
};

static const char network_name[] = "network";
static const char root_name[] = "root.key";
static const char session_name[] = "session.key";

static bool fail(gt_database *database, goat_status status, const char *message) {
    gt_diag diag;
    gt_diag_init(&diag);
    gt_fail(&diag, status, "%s", message);
    gt_database_fail(database, &diag);
    return true;
}

static bool fail_with(gt_database *database, const gt_diag *diag) {
    gt_database_fail(database, diag);
    return true;
}

static void request_done(void *owner, const goat_io_result *result);

static void submit(gt_database *database, goat_io_kind kind, uint32_t flags, const char *name, const void *data,
                   size_t len) {
    goat_io_request request = {
        .kind = kind, .flags = flags, .name = name, .data = data, .data_len = len, .length = 4096};
    database->waiting = true;
    if (gt_io_submit(database->io, &request, request_done, database) != GOAT_OK) {
        database->waiting = false;
        fail(database, GOAT_NO_MEMORY, "out of memory");
    }
}

static bool is_read_only(const gt_database *database) { return (database->flags & GOAT_OPEN_READ_ONLY) != 0; }

static bool creates(const gt_database *database) {
    return (database->flags & GOAT_OPEN_CREATE) != 0 && !is_read_only(database);
}

/* ---- results ---- */

static bool read_key(gt_database *database, const goat_io_result *result, uint8_t seed[GT_SEED_SIZE], bool *has,
                     const char *name) {
    gt_diag diag;
    gt_diag_init(&diag);
    if (result->status == GOAT_NOT_FOUND) return false;
    if (result->status != GOAT_OK) {
        bool is_named = strstr(result->message, name) != NULL;
        gt_fail(&diag, result->status, "%s%s%s", is_named ? "" : name, is_named ? "" : ": ", result->message);
    } else {
        *has = gt_key_file_read(gt_bytes_of(result->data, result->data_len), seed, &diag) == GOAT_OK;
        gt_wipe(result->data, result->data_len);
        if (*has) return true;
        gt_fail(&diag, GOAT_BAD_KEY, "%s: the key file is malformed", name);
    }
    fail_with(database, &diag);
    return false;
}

goat_status gt_check_network(const gt_id *network, const gt_id *wanted, gt_diag *diag) {
    if (gt_id_compare(network, wanted) == 0) return GOAT_OK;
    return gt_fail(diag, GOAT_UNTRUSTED, "the database is of another network: its root key is not the one given");
}

static void network_read(gt_database *database, const goat_io_result *result) {
    gt_diag diag;
    gt_diag_init(&diag);
    if (result->status == GOAT_OK) {
        if ((database->flags & GOAT_OPEN_EXCLUSIVE) != 0 && creates(database)) {
            fail(database, GOAT_EXISTS, "there is a database already");
        } else if (gt_network_file_read(gt_bytes_of(result->data, result->data_len), &database->network, &diag) !=
                   GOAT_OK) {
            fail_with(database, &diag);
        } else if (database->is_pinned && gt_check_network(&database->network, &database->pinned, &diag) != GOAT_OK) {
            fail_with(database, &diag);
        }
        return;
    }
    if (result->status != GOAT_NOT_FOUND) {
        gt_fail(&diag, result->status, "%s", result->message);
        fail_with(database, &diag);
    } else if (!creates(database)) {
        fail(database, GOAT_NOT_FOUND, "there is no database");
    } else {
        database->is_new = true;
    }
}

static void request_done(void *owner, const goat_io_result *result) {
    gt_database *database = owner;
    database->waiting = false;
    switch (database->step) {
    case OPEN_NETWORK: network_read(database, result); break;
    case OPEN_ROOT: read_key(database, result, database->seeds[0], &database->has_root, root_name); break;
    case OPEN_SESSION: read_key(database, result, database->seeds[1], &database->has_session, session_name); break;
    default:
        if (result->status != GOAT_OK) fail(database, result->status, result->message);
        if (database->step == OPEN_LOCK) database->locked = result->status == GOAT_OK;
        break;
    }
    database->step++;
}

/* ---- keys ---- */

static bool write_key(gt_database *database, const uint8_t seed[GT_SEED_SIZE], const char *name) {
    gt_key_file_write(seed, database->text);
    submit(database, GOAT_IO_REPLACE, GOAT_IO_SECRET | GOAT_IO_CREATE, name, database->text, GT_KEY_FILE_SIZE);
    return true;
}

/* A new database makes both keys, a new replica its session's only; one without a session key (a restored backup) gets
 * a new one. A folder with nothing but a root key becomes an empty database of that key's network. */
static bool make_keys(gt_database *database) {
    goat_random random = database->host.random;
    bool need_root = database->is_new && !database->has_root && !database->is_pinned;
    bool need_session = !database->has_session;
    if ((need_root && !random.fill(random.context, database->seeds[0], GT_SEED_SIZE)) ||
        (need_session && !random.fill(random.context, database->seeds[1], GT_SEED_SIZE))) {
        return fail(database, GOAT_IO, "the machine gives no randomness");
    }
    database->writes_root = need_root;
    database->writes_session = need_session && !is_read_only(database);
    database->has_root = database->has_root || need_root;
    if (database->has_root) gt_identity_from_seed(database->hasher, database->seeds[0], &database->root);
    gt_identity_from_seed(database->hasher, database->seeds[1], &database->own);
    if (database->is_new) {
        gt_diag diag;
        database->network = database->has_root ? database->root.session : database->pinned;
        if (database->is_pinned && gt_check_network(&database->network, &database->pinned, &diag) != GOAT_OK) {
            return fail_with(database, &diag);
        }
    } else if (database->has_root && gt_id_compare(&database->network, &database->root.session) != 0) {
        return fail(database, GOAT_BAD_KEY, "root.key is not the key of this network");
    }
    database->step++;
    return true;
}

/* ---- system repositories ---- */

static bool open_system(gt_database *database, const char *path, gt_space **space) {
    gt_diag diag;
    gt_diag_init(&diag);
    if (*space == NULL) {
        gt_mount *mount = NULL;
        goat_status status = gt_mount_open(database, gt_bytes_text(path), creates(database), &mount, &diag);
        if (status == GOAT_OK) status = gt_space_new(database->system, mount, space, &diag);
        return status == GOAT_OK ? true : fail_with(database, &diag);
    }
    gt_repo *repo = (*space)->mount->repo;
    if (gt_repo_get_phase(repo) == GT_REPO_FAILED) return fail_with(database, gt_repo_failure(repo));
    if (gt_repo_get_phase(repo) == GT_REPO_OPENING) return false;
    database->step++;
    return true;
}

static bool is_certified(const gt_database *database, const gt_identity *identity) {
    return gt_keyring_find(database->keyring, &identity->session) != NULL;
}

static goat_status add_certificate(gt_database *database, gt_capture *capture, const gt_identity *identity,
                                   const char *role, gt_diag *diag) {
    const gt_signer root = {database->root.session, &database->root.secret};
    return gt_add_certificate(database, capture, &root, &identity->session, identity->public_key, role, diag);
}

/* The root certifies itself and this database's own session, where that was not done before. */
static bool certify(gt_database *database) {
    gt_diag diag;
    gt_diag_init(&diag);
    bool missing = database->has_root && !is_read_only(database) &&
                   !(is_certified(database, &database->root) && is_certified(database, &database->own));
    if (missing) {
        gt_capture *capture = NULL;
        gt_signer root = {database->root.session, &database->root.secret};
        goat_status status = gt_capture_begin(database->sessions->mount->repo, &capture, &diag);
        if (status == GOAT_OK && !is_certified(database, &database->root)) {
            status = add_certificate(database, capture, &database->root, "root", &diag);
        }
        if (status == GOAT_OK && !is_certified(database, &database->own)) {
            status = add_certificate(database, capture, &database->own, "server", &diag);
        }
        if (status == GOAT_OK) {
            status = gt_capture_finish(capture, &root, GT_FROM_SELF, &diag);
        } else {
            gt_capture_drop(capture);
        }
        if (status != GOAT_OK) return fail_with(database, &diag);
        gt_log_sync(gt_repo_log(database->sessions->mount->repo), NULL);
    }
    database->step++;
    return true;
}

/* Everything of a new database is on the disk before it is called one. */
static bool synced(gt_database *database) {
    gt_space *const spaces[] = {database->sessions, database->schema_items};
    bool done = true;
    for (int i = 0; i < 2; i++) {
        gt_log *log = gt_repo_log(spaces[i]->mount->repo);
        if (gt_log_get_state(log) == GT_LOG_FAILED) return fail_with(database, gt_log_failure(log));
        done = done && gt_log_length_durable(log) == gt_log_length(log);
    }
    if (done) database->step++;
    return done;
}

static void ready(gt_database *database) {
    database->phase = GT_DB_OPEN;
    gt_wipe(database->seeds, sizeof(database->seeds));
    gt_wipe(database->text, sizeof(database->text));
    gt_wake_all(database);
    gt_condition_wake_all(&database->condition);
}

bool gt_open_step(gt_database *database) {
    if (database->waiting) return false;
    switch (database->step) {
    case OPEN_LOCK:
        submit(database, GOAT_IO_LOCK,
               (creates(database) ? GOAT_IO_CREATE : 0) | (is_read_only(database) ? GOAT_IO_READ_ONLY : 0), NULL, NULL,
               0);
        return true;
    case OPEN_NETWORK: submit(database, GOAT_IO_READ, 0, network_name, NULL, 0); return true;
    case OPEN_ROOT: submit(database, GOAT_IO_READ, GOAT_IO_SECRET, root_name, NULL, 0); return true;
    case OPEN_SESSION: submit(database, GOAT_IO_READ, GOAT_IO_SECRET, session_name, NULL, 0); return true;
    case OPEN_KEYS: return make_keys(database);
    case OPEN_ROOT_WRITTEN:
        if (database->writes_root) return write_key(database, database->seeds[0], root_name);
        database->step++;
        return true;
    case OPEN_SESSION_WRITTEN:
        if (database->writes_session) return write_key(database, database->seeds[1], session_name);
        database->step++;
        return true;
    case OPEN_SESSIONS: return open_system(database, GT_SESSIONS_PATH, &database->sessions);
    case OPEN_CERTIFY: return certify(database);
    case OPEN_SCHEMAS: return open_system(database, GT_SCHEMAS_PATH, &database->schema_items);
    case OPEN_LEARN:
        if (database->is_new) {
            gt_log_sync(gt_repo_log(database->sessions->mount->repo), NULL);
            gt_log_sync(gt_repo_log(database->schema_items->mount->repo), NULL);
        }
        database->step = database->is_new ? OPEN_SYNC : OPEN_READY;
        return true;
    case OPEN_SYNC: return synced(database);
    case OPEN_MARK:
        gt_network_file_write(&database->network, database->text);
        submit(database, GOAT_IO_REPLACE, 0, network_name, database->text, GT_NETWORK_FILE_SIZE);
        return true;
    default: ready(database); return true;
    }
}

/* ---- the job ---- */

static gt_step_result opening(goat_job *job) {
    const gt_database *database = job->db->database;
    if (database->phase == GT_DB_OPENING && !job->db->closed) return GT_STEP_WAIT;
    if (database->phase == GT_DB_FAILED) gt_job_fail(job, database->failure.status, &database->failure);
    if (!job->done && job->db->closed) {
        gt_fail(&job->diag, GOAT_CLOSED, "the database was closed meanwhile");
        gt_job_end(job, GOAT_CLOSED);
    }
    return GT_STEP_DONE;
}

static const gt_job_kind open_kind = {opening, NULL, true};

goat_status gt_db_open_job(goat_db *db, goat_job **job, gt_diag *diag) {
    return gt_job_new(db, &open_kind, NULL, job, diag);
}
