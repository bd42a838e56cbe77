/* The schemas of a database: registered by a host, stored by an authority, compared, retired. */
#include "db/internal.h"

#include "schema/difference.h"

/* Stored like a schema, and retired by a network that wants no calls of the host: so it is declared, and taken back, as
 * every other fact about versions. */
static const char calls_definition[] = "{\"ns\":\"" GT_CALLS_NS "\",\"version\":1,\"fields\":{}}";

bool gt_is_of_calls(gt_bytes ns, int64_t version) {
    return version == 1 && gt_bytes_equal(ns, gt_bytes_text(GT_CALLS_NS));
}

/* ---- storing ---- */

/* Appends a commit to the item of a schema in /sys/schemas. */
static goat_status write_item(gt_database *database, gt_leaf leaf, gt_diag *diag) {
    gt_repo *repo = database->schema_items->mount->repo;
    gt_signer signer = gt_signer_of(database, database->schema_items->mount);
    gt_capture *capture = NULL;
    leaf.schema = gt_registry_find(database->schemas, gt_bytes_text(GT_SCHEMA_NS), 1);
    goat_status status = gt_capture_begin(repo, &capture, diag);
    if (status == GOAT_OK) status = gt_capture_add(capture, &signer, &leaf, NULL, diag);
    if (status == GOAT_OK) return gt_capture_finish(capture, &signer, GT_FROM_SELF, diag);
    gt_capture_drop(capture);
    return status;
}

static goat_status store_schema(gt_database *database, const gt_schema *schema, gt_diag *diag) {
    gt_buf key, delta;
    gt_buf_init(&key, database->alloc);
    gt_buf_init(&delta, database->alloc);
    gt_schema_item_key(schema, &key);
    gt_schema_item_delta(schema, &delta);
    goat_status status = gt_buf_failed(&key) || gt_buf_failed(&delta) ? gt_no_memory(diag) : GOAT_OK;
    if (status == GOAT_OK && gt_repo_find(database->schema_items->mount->repo, gt_buf_bytes(&key)) == GT_NONE) {
        status = write_item(database, (gt_leaf){.key = gt_buf_bytes(&key), .delta = gt_buf_bytes(&delta)}, diag);
    }
    gt_buf_free(&key);
    gt_buf_free(&delta);
    return status;
}

static bool is_authority(const gt_database *database) {
    return database->has_root && (database->flags & GOAT_OPEN_READ_ONLY) == 0;
}

/* ---- registering ---- */

/* Parses a definition that a host may register, and whose upgrade fits the versions beside it. */
static goat_status parse(goat_db *db, gt_bytes json, gt_schema **schema, gt_diag *diag) {
    gt_database *database = db->database;
    gt_buf definition;
    *schema = NULL;
    gt_buf_init(&definition, database->alloc);
    goat_status status = gt_db_check(db, diag);
    if (status == GOAT_OK) status = gt_value_from_json_text(json, &definition, diag);
    if (status == GOAT_OK) {
        status = gt_schema_parse(database->alloc, database->hasher, gt_buf_bytes(&definition), schema, diag);
    }
    gt_buf_free(&definition);
    if (status == GOAT_OK && gt_is_reserved_ns(gt_schema_ns(*schema))) {
        status = gt_fail(diag, GOAT_FORBIDDEN, "namespaces that begin with \"sys\" are the library's own");
    }
    if (status == GOAT_OK) status = gt_registry_check(database->schemas, *schema, diag);
    if (status != GOAT_OK) {
        gt_schema_free(*schema);
        *schema = NULL;
    }
    return status;
}

/* Tells the repositories that the registry has changed; the handle that did it sees at once what that brings. */
static void tell(goat_db *db) {
    db->database->learning = db;
    gt_schemas_changed(db->database);
    db->database->learning = NULL;
}

goat_status gt_db_add_schema(goat_db *db, gt_bytes json, gt_diag *diag) {
    gt_database *database = db->database;
    gt_schema *schema = NULL;
    goat_status status = parse(db, json, &schema, diag);
    if (status != GOAT_OK) return status;
    gt_buf ns; /* adding may free the schema, when it is known */
    uint32_t version = gt_schema_version(schema);
    gt_buf_init(&ns, database->alloc);
    gt_buf_append(&ns, gt_schema_ns(schema).data, gt_schema_ns(schema).len);
    status = gt_registry_add(database->schemas, schema, diag);
    if (status != GOAT_OK) gt_schema_free(schema);
    if (status == GOAT_OK) {
        gt_registry_use(database->schemas, gt_buf_bytes(&ns), version);
        tell(db);
    }
    if (status == GOAT_OK && gt_buf_failed(&ns)) status = gt_no_memory(diag);
    if (status == GOAT_OK && is_authority(database)) {
        status = store_schema(database, gt_registry_find(database->schemas, gt_buf_bytes(&ns), version), diag);
    }
    gt_buf_free(&ns);
    return status;
}

/* A definition; of a retired version with a member that says so. */
static void write_definition(const gt_schema *schema, bool retired, gt_buf *out) {
    gt_bytes definition = gt_schema_definition(schema), key, value;
    if (!retired) {
        gt_buf_append(out, definition.data, definition.len);
        return;
    }
    bool written = false;
    gt_write_map_head(out, gt_value_count(definition) + 1);
    for (gt_iter iter = gt_map_iter(definition); gt_map_next(&iter, &key, &value);) {
        if (!written && gt_key_compare(key, gt_bytes_text("retired")) > 0) {
            written = true;
            gt_write_text(out, gt_bytes_text("retired"));
            gt_write_bool(out, true);
        }
        gt_write_text(out, key); /* "version" is always there, and comes behind it */
        gt_buf_append(out, value.data, value.len);
    }
}

void gt_db_schemas(goat_db *db, gt_buf *out) {
    const gt_registry *schemas = db->database->schemas;
    size_t count = 0;
    for (size_t i = 0; i < gt_registry_count(schemas); i++) count += !gt_is_builtin(gt_registry_at(schemas, i));
    gt_write_array_head(out, count);
    for (size_t i = 0; i < gt_registry_count(schemas); i++) {
        const gt_schema *schema = gt_registry_at(schemas, i);
        if (!gt_is_builtin(schema)) write_definition(schema, gt_registry_is_retired(schemas, schema), out);
    }
}

/* ---- comparing ---- */

/* Writes the changes that some upgrades bring, one after the other, as one array. */
static goat_status describe(const gt_upgrade *const *upgrades, size_t count, gt_buf *out, gt_diag *diag) {
    gt_buf changes;
    size_t change_count = 0;
    gt_buf_init(&changes, out->alloc);
    for (size_t i = 0; i < count; i++) gt_upgrade_describe(upgrades[i], &changes, &change_count);
    gt_write_array_head(out, change_count);
    gt_buf_append(out, changes.data, changes.len);
    bool failed = gt_buf_failed(&changes) || gt_buf_failed(out);
    gt_buf_free(&changes);
    return failed ? gt_no_memory(diag) : GOAT_OK;
}

/* The newest version before one; NULL: there is none. */
static const gt_schema *find_before(const gt_registry *schemas, gt_bytes ns, uint32_t version, bool not_retired) {
    const gt_schema *before = NULL;
    for (size_t i = 0; i < gt_registry_count(schemas); i++) {
        const gt_schema *schema = gt_registry_at(schemas, i);
        if (!gt_bytes_equal(gt_schema_ns(schema), ns) || gt_schema_version(schema) >= version) continue;
        if (!not_retired || !gt_registry_is_retired(schemas, schema)) before = schema;
    }
    return before;
}

goat_status gt_db_check_schema(goat_db *db, gt_bytes json, gt_buf *changes, gt_diag *diag) {
    gt_database *database = db->database;
    gt_schema *schema = NULL;
    goat_status status = parse(db, json, &schema, diag);
    if (status != GOAT_OK) return status;
    gt_bytes ns = gt_schema_ns(schema);
    const gt_schema *same = gt_registry_find(database->schemas, ns, gt_schema_version(schema));
    const gt_schema *before = find_before(database->schemas, ns, gt_schema_version(schema), false);
    gt_upgrade *upgrade = NULL;
    if (same != NULL && !gt_bytes_equal(gt_schema_definition(same), gt_schema_definition(schema))) {
        status = gt_fail(diag, GOAT_CONFLICT, "another definition stands under %.*s version %u", (int)ns.len,
                         (const char *)ns.data, (unsigned)gt_schema_version(schema));
    }
    if (status == GOAT_OK && before != NULL) status = gt_upgrade_new(database->alloc, before, schema, &upgrade, diag);
    if (status == GOAT_OK) {
        status = describe((const gt_upgrade *const *)&upgrade, upgrade != NULL, changes, diag);
    }
    gt_upgrade_free(upgrade);
    gt_schema_free(schema);
    return status;
}

static goat_status find_schema(const gt_database *database, gt_bytes ns, uint32_t version, const gt_schema **schema,
                               gt_diag *diag) {
    *schema = gt_registry_find(database->schemas, ns, version);
    bool known = *schema != NULL && !gt_is_builtin(*schema);
    return known ? GOAT_OK
                 : gt_fail(diag, GOAT_NO_SCHEMA, "%.*s version %u is not known here", (int)ns.len,
                           (const char *)ns.data, (unsigned)version);
}

goat_status gt_db_schema_changes(goat_db *db, gt_bytes ns, uint32_t from, uint32_t to, gt_buf *changes, gt_diag *diag) {
    gt_database *database = db->database;
    const gt_schema *at, *end;
    goat_status status = gt_db_check(db, diag);
    if (status == GOAT_OK) status = find_schema(database, ns, from, &at, diag);
    if (status == GOAT_OK) status = find_schema(database, ns, to, &end, diag);
    if (status == GOAT_OK && from > to) {
        status = gt_fail(diag, GOAT_INVALID, "version %u is newer than version %u: there is no way back",
                         (unsigned)from, (unsigned)to);
    }
    if (status != GOAT_OK) return status;
    const gt_upgrade **upgrades = gt_new(database->alloc, gt_registry_count(database->schemas), sizeof(*upgrades));
    size_t count = 0;
    if (upgrades == NULL) return gt_no_memory(diag);
    while (status == GOAT_OK && at != end) {
        const gt_upgrade *next = gt_registry_upgrade(database->schemas, at);
        if (next == NULL) {
            status = gt_fail(diag, GOAT_INVALID, "the upgrade behind version %u does not fit it",
                             (unsigned)gt_schema_version(at));
        } else {
            upgrades[count++] = next;
            at = gt_upgrade_to(next);
        }
    }
    if (status == GOAT_OK) status = describe(upgrades, count, changes, diag);
    gt_free(database->alloc, (void *)upgrades);
    return status;
}

/* ---- calls of the host ---- */

typedef struct host_call {
    gt_wake ended; /* first, so that it ends as one of these does */
    goat_upgrade_fn call;
} host_call;

static bool run_call(void *context, gt_bytes value, gt_buf *out) {
    const host_call *host = context;
    goat_buf made = {0};
    bool good = host->call(host->ended.userdata, value.data, value.len, &made) == GOAT_OK;
    if (good) gt_buf_append(out, made.data, made.size);
    gt_free(&gt_alloc_system, made.data);
    return good;
}

goat_status gt_db_on_upgrade(goat_db *db, gt_bytes name, goat_upgrade_fn call, void *userdata,
                             goat_free_fn free_userdata, gt_diag *diag) {
    gt_database *database = db->database;
    host_call *made = gt_new(database->alloc, 1, sizeof(*made));
    void *old = NULL;
    if (made == NULL) return gt_no_memory(diag);
    goat_status status =
        gt_registry_set_call(database->schemas, name, call == NULL ? NULL : run_call, made, &old, diag);
    if (status != GOAT_OK) {
        gt_free(database->alloc, made);
        return status;
    }
    made->call = call;
    made->ended.userdata = userdata;
    made->ended.free_userdata = free_userdata;
    if (old != NULL) gt_wake_end(database, &((host_call *)old)->ended);
    tell(db);
    return GOAT_OK;
}

void gt_calls_free(gt_database *database) {
    host_call *host;
    while (database->schemas != NULL && (host = gt_registry_end_call(database->schemas)) != NULL) {
        if (host->ended.free_userdata != NULL) host->ended.free_userdata(host->ended.userdata);
        gt_free(database->alloc, host);
    }
}

/* ---- retiring ---- */

static goat_status write_retired(gt_database *database, const gt_schema *schema, bool retired, gt_diag *diag) {
    gt_repo *repo = database->schema_items->mount->repo;
    gt_buf key, heads, delta;
    gt_buf_init(&key, database->alloc);
    gt_buf_init(&heads, database->alloc);
    gt_buf_init(&delta, database->alloc);
    gt_schema_item_key(schema, &key);
    gt_write_map_head(&delta, 1);
    gt_write_text(&delta, gt_bytes_text("retired"));
    gt_write_bool(&delta, retired);
    goat_status status = gt_buf_failed(&key) || gt_buf_failed(&delta) ? gt_no_memory(diag) : GOAT_OK;
    uint32_t item = status == GOAT_OK ? gt_repo_find(repo, gt_buf_bytes(&key)) : GT_NONE;
    if (status == GOAT_OK && item == GT_NONE) {
        status = gt_fail(diag, GOAT_NOT_FOUND, "the version was never stored in /sys/schemas");
    }
    if (status == GOAT_OK) status = gt_repo_heads(repo, item, &heads, diag);
    if (status == GOAT_OK) {
        gt_leaf leaf = {.key = gt_buf_bytes(&key),
                        .parents = (const gt_id *)(const void *)heads.data,
                        .parent_count = (uint32_t)(heads.len / GT_ID_SIZE),
                        .delta = gt_buf_bytes(&delta)};
        status = write_item(database, leaf, diag);
    }
    gt_buf_free(&key);
    gt_buf_free(&heads);
    gt_buf_free(&delta);
    return status;
}

/* The definition is stored with the first word about it. */
static goat_status retire_calls(goat_db *db, bool retired, gt_diag *diag) {
    gt_database *database = db->database;
    gt_schema *schema = NULL;
    gt_buf definition;
    if (!is_authority(database)) {
        return gt_fail(diag, GOAT_FORBIDDEN, "only a database that holds the root key says whether there are calls");
    }
    if (!gt_registry_forbid_calls(database->schemas, retired)) return GOAT_OK; /* it is so already */
    gt_buf_init(&definition, database->alloc);
    goat_status status = gt_value_from_json_text(gt_bytes_text(calls_definition), &definition, diag);
    if (status == GOAT_OK) {
        status = gt_schema_parse(database->alloc, database->hasher, gt_buf_bytes(&definition), &schema, diag);
    }
    gt_buf_free(&definition);
    if (status == GOAT_OK) status = store_schema(database, schema, diag);
    if (status == GOAT_OK) status = write_retired(database, schema, retired, diag);
    gt_schema_free(schema);
    if (status != GOAT_OK) gt_registry_forbid_calls(database->schemas, !retired);
    tell(db);
    return status;
}

goat_status gt_db_retire_schema(goat_db *db, gt_bytes ns, uint32_t version, bool retired, gt_diag *diag) {
    gt_database *database = db->database;
    const gt_schema *schema;
    goat_status status = gt_db_check(db, diag);
    if (status == GOAT_OK && gt_is_of_calls(ns, version)) return retire_calls(db, retired, diag);
    if (status == GOAT_OK) status = find_schema(database, ns, version, &schema, diag);
    if (status == GOAT_OK && !is_authority(database)) {
        status = gt_fail(diag, GOAT_FORBIDDEN, "only a database that holds the root key retires versions");
    }
    if (status != GOAT_OK || gt_registry_is_retired(database->schemas, schema) == retired) return status;
    if (retired && find_before(database->schemas, ns, version, true) == NULL) {
        return gt_fail(diag, GOAT_INVALID, "there is no version before it that readers could go back to");
    }
    database->learning = db;
    status = write_retired(database, schema, retired, diag);
    database->learning = NULL;
    return status;
}
