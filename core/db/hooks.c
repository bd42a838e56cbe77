/* What a repository asks of its database, and tells it: who may sign, who must hear of a change, and what the system
 * repositories teach. */
#include "db/internal.h"

#include "db/links.h"
#include "repo/history.h"

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

/* The root's own batches vouch for themselves. */
static bool knows_session(void *context, const gt_id *session) {
    const gt_batch batch = {.session = *session};
    uint8_t public_key[GT_PUBLIC_KEY_SIZE];
    const gt_mount *mount = context;
    return mount->is_sessions || find_key(context, &batch, public_key, NULL) == GOAT_OK;
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

/* When certificates are lost with their log, those of receipts in other logs may be as well: nobody could be told that
 * such a one is good. Our own are, and /sys/sessions knows only when it has been read. */
static bool knows_server(void *context, const gt_id *session) {
    gt_mount *mount = context;
    gt_role role = gt_keyring_role(mount->database->keyring, session);
    return mount->is_sessions || role == GT_ROLE_ROOT || role == GT_ROLE_SERVER ||
           gt_id_compare(session, &mount->database->own.session) == 0;
}

/* Only servers limit clocks (PROTOCOL.md 5.2.1), and none limits those of its like: theirs is the clock. */
static gt_time latest_time(void *context, const gt_batch *batch) {
    gt_database *database = ((gt_mount *)context)->database;
    gt_role role = gt_keyring_role(database->keyring, &batch->session);
    if (!gt_is_server(database) || role == GT_ROLE_ROOT || role == GT_ROLE_SERVER) return GT_TIME_MAX;
    goat_clock clock = gt_database_clock(database);
    return gt_time_of_ms(clock.wall_ms(clock.context) + database->clock_ahead_max_ms + 1) - 1;
}

static void before_change(void *context, gt_repo *repo, uint32_t item) {
    gt_mount *mount = context;
    (void)repo;
    for (gt_space *space = mount->spaces; space != NULL; space = space->next_of_mount) gt_trace_before(space, item);
}

/* The commit of a system item that is in force: of a certificate the latest, of a schema the first
 * (core/commit/FORMAT.md section 8). They stand alone: nothing is merged. */
goat_status gt_find_in_force(gt_mount *mount, uint32_t item, gt_commit_info *info, gt_diag *diag) {
    gt_repo *repo = mount->repo;
    gt_history history = {0};
    gt_history_part all = {.item = item, .end = gt_repo_commit_count(repo)};
    uint32_t row = GT_NONE;
    goat_status status = GOAT_OK;
    *info = (gt_commit_info){0};
    if (!mount->is_sessions) {
        row = gt_repo_first(repo, item);
    } else {
        status = gt_history_seek(repo, &history, &all, GT_NONE, diag);
        if (status == GOAT_OK) status = gt_history_next(repo, &history, &row, diag);
        gt_history_free(mount->database->alloc, &history);
    }
    return status == GOAT_OK && row != GT_NONE ? gt_repo_commit_info(repo, row, info, diag) : status;
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
    bool is_of_calls = gt_is_of_calls(gt_schema_ns(schema), gt_schema_version(schema)) &&
                       gt_bytes_equal(gt_buf_bytes(&key), gt_repo_key(mount->repo, item));
    if (is_of_calls || gt_buf_failed(&key)) {
        status = gt_buf_failed(&key) ? gt_no_memory(diag) : GOAT_OK;
        gt_buf_free(&key);
        gt_schema_free(schema); /* there is nothing in it but "retired" */
        return status;
    }
    if (!gt_bytes_equal(gt_buf_bytes(&key), gt_repo_key(mount->repo, item)) ||
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

/* Whether a version is retired is what the item's commits come to, so that it can be taken back by any of them. */
static goat_status learn_retired(gt_mount *mount, uint32_t item, gt_bytes definition, gt_diag *diag) {
    gt_database *database = mount->database;
    gt_seen seen;
    gt_bytes ns;
    int64_t version;
    bool retired = false;
    goat_status status = gt_repo_view(mount->repo, item, &seen, diag);
    if (status != GOAT_OK) return status;
    gt_bytes said = gt_map_find(seen.view.bytes, gt_bytes_text("retired"));
    if (said.data != NULL) gt_value_as_bool(said, &retired);
    gt_view_drop(database->alloc, &seen.view);
    if (!gt_value_as_text(gt_map_find(definition, gt_bytes_text("ns")), &ns) ||
        !gt_value_as_int64(gt_map_find(definition, gt_bytes_text("version")), &version)) {
        return GOAT_OK;
    }
    bool changes = gt_is_of_calls(ns, version) ? gt_registry_forbid_calls(database->schemas, retired)
                                               : gt_registry_retire(database->schemas, ns, (uint32_t)version, retired);
    if (changes) gt_schemas_changed(database);
    return GOAT_OK;
}

/* A certificate or a schema came: what was carried unseen may be seen now. One that is no good is passed over;
 * without memory to take one in the database does not go on, since it would read otherwise than its peers. */
static void learn(gt_mount *mount, uint32_t item) {
    gt_database *database = mount->database;
    gt_diag diag;
    gt_commit_info info;
    gt_diag_init(&diag);
    goat_status status = gt_find_in_force(mount, item, &info, &diag);
    gt_bytes state = info.commit.delta;
    if (status == GOAT_OK && state.data != NULL && mount->is_sessions) {
        status = gt_keyring_learn(database->keyring, database->hasher, gt_repo_key(mount->repo, item), state, &diag);
    } else if (status == GOAT_OK && state.data != NULL) {
        gt_bytes definition = gt_schema_item_definition(state);
        if (definition.data != NULL) status = learn_schema(mount, item, definition, &diag);
        if (definition.data != NULL && status == GOAT_OK) status = learn_retired(mount, item, definition, &diag);
    }
    if (status == GOAT_NO_MEMORY) gt_database_fail(database, &diag);
    if (mount->is_sessions && database->links != NULL) gt_want_pump(database); /* links look at the certificates */
}

static void after_change(void *context, gt_repo *repo, uint32_t item, gt_origin origin) {
    gt_mount *mount = context;
    for (gt_space *space = mount->spaces; space != NULL; space = space->next_of_mount) {
        gt_trace_after(space, item, origin);
    }
    if (mount->is_sessions || mount->is_schemas) learn(mount, item);
    (void)repo;
}

/* Whoever syncs it has something to send, and a server has a receipt to write. */
static void logged(void *context, gt_repo *repo) {
    gt_mount *mount = context;
    gt_database *database = mount->database;
    (void)repo;
    if (database->links == NULL && database->serving == 0) return;
    gt_shared_changed(&mount->shared);
    gt_want_pump(database);
}

/* Peers are asked for what damage has taken. */
static void missed(void *context, gt_repo *repo) {
    gt_mount *mount = context;
    (void)repo;
    if (mount->database->links == NULL) return;
    gt_shared_missed(&mount->shared);
    gt_want_pump(mount->database);
}

static void work_left(void *context, gt_repo *repo) {
    (void)repo;
    gt_want_pump(((gt_mount *)context)->database);
}

gt_repo_hooks gt_mount_hooks(gt_mount *mount) {
    return (gt_repo_hooks){
        .context = mount,
        .find_key = find_key,
        .knows_session = knows_session,
        .find_server_key = find_server_key,
        .knows_server = knows_server,
        .latest_time = latest_time,
        .before_change = before_change,
        .after_change = after_change,
        .logged = logged,
        .missed = missed,
        .work_left = work_left,
    };
}

void gt_schemas_changed(gt_database *database) {
    for (gt_mount *mount = database->mounts; mount != NULL; mount = mount->next) {
        if (gt_repo_get_phase(mount->repo) != GT_REPO_FAILED) gt_repo_schemas_changed(mount->repo);
    }
}

void gt_learn_all(gt_mount *mount) {
    for (uint32_t item = 0; item < gt_repo_item_count(mount->repo); item++) learn(mount, item);
}
