/* Items as a handle holds them: reading with unsaved edits and defaults, and editing. */
#include "db/history.h"
#include "db/new_key.h"

static gt_bytes key_of(const goat_item *item) { return gt_bytes_of(item->key, item->key_len); }

static gt_works *works_of(goat_item *item) { return item->tx != NULL ? &item->tx->works : &item->space->works; }

goat_db *gt_item_db(const goat_item *item) { return item->db; }

static void add_path(const goat_item *item, gt_diag *diag) {
    if (diag == NULL || item->space->mount == NULL) return;
    gt_buf path;
    gt_buf_init(&path, item->db->database->alloc);
    gt_item_path(item, &path);
    if (!gt_buf_failed(&path)) gt_diag_path(diag, (const char *)path.data, path.len);
    gt_buf_free(&path);
}

void gt_item_path(const goat_item *item, gt_buf *out) {
    gt_buf_append(out, item->repository, item->repository_len);
    gt_buf_append_byte(out, '/');
    gt_buf_append(out, item->key, item->key_len);
}

/* ---- life ---- */

static goat_status new_item(gt_space *space, goat_tx *tx, gt_bytes key, goat_item **out, gt_diag *diag) {
    const gt_alloc *alloc = space->db->database->alloc;
    gt_bytes repository = gt_repo_path(space->mount->repo);
    *out = NULL;
    goat_item *item = gt_new(alloc, 1, sizeof(*item));
    if (item == NULL) return gt_no_memory(diag);
    item->key = gt_copy(alloc, key.data, key.len);
    if (item->key == NULL) {
        gt_free(alloc, item);
        return gt_no_memory(diag);
    }
    GOAT_ASSERT(repository.len <= sizeof(item->repository));
    memcpy(item->repository, repository.data, repository.len);
    item->repository_len = repository.len;
    item->db = space->db;
    item->space = space;
    item->tx = tx;
    item->key_len = key.len;
    item->item = gt_repo_find(space->mount->repo, key);
    if (tx != NULL) gt_tx_retain(tx);
    gt_db_retain(space->db);
    *out = item;
    return GOAT_OK;
}

static void forget_seen(goat_item *item) {
    gt_view_drop(item->db->database->alloc, &item->seen.view);
    item->has_seen = false;
}

void gt_item_free(goat_item *item) {
    const gt_alloc *alloc = item->db->database->alloc;
    forget_seen(item);
    gt_item_history_free(alloc, item->history);
    if (item->work != NULL) gt_work_release(item->work);
    if (item->tx != NULL && gt_tx_release(item->tx)) gt_handle_drop(item->db); /* the item's own comes later */
    gt_free(alloc, item->key);
    gt_free(alloc, item);
}

/* ---- looking ---- */

static void hold_work(goat_item *item, gt_work *work) {
    if (item->work == work) return;
    if (item->work != NULL) gt_work_release(item->work);
    item->work = work;
    if (work != NULL) work->users++;
}

/* Brings the handle's picture of the item up to date; cheap when nothing has moved. */
static goat_status refresh(goat_item *item, gt_diag *diag) {
    goat_status status = gt_space_check(item->space, diag);
    if (status != GOAT_OK) return status;
    if (item->has_seen && item->stamp == item->space->stamp) return GOAT_OK;
    hold_work(item, gt_works_find(works_of(item), item->db->database, key_of(item)));
    forget_seen(item);
    if (item->item == GT_NONE) item->item = gt_repo_find(item->space->mount->repo, key_of(item));
    if (item->work == NULL) {
        status = item->item == GT_NONE ? gt_fail(diag, GOAT_NOT_FOUND, "there is no such item")
                                       : gt_space_see(item->space, item->item, &item->seen, diag);
        if (status != GOAT_OK) return status;
    } else {
        item->seen = (gt_seen){.view = gt_view_share(item->work->base),
                               .schema = item->work->schema,
                               .flags = item->work->base_deleted ? GT_ITEM_DELETED : 0,
                               .revision = item->work->revision};
    }
    item->has_seen = true;
    item->stamp = item->space->stamp;
    return GOAT_OK;
}

goat_status gt_item_look(goat_item *item, gt_sight *sight, gt_diag *diag) {
    goat_status status = refresh(item, diag);
    if (status != GOAT_OK) {
        add_path(item, diag);
        return status;
    }
    gt_work *work = item->work;
    *sight = (gt_sight){
        .schema = item->seen.schema, .base = item->seen.view.bytes, .work = work, .revision = item->seen.revision};
    bool deleted = (item->seen.flags & GT_ITEM_DELETED) != 0;
    if (work != NULL && gt_work_has_edits(work)) {
        sight->flags |= GOAT_ITEM_UNSAVED;
        deleted = work->sets_deleted ? work->deleted : deleted && work->edit_count == 0;
    }
    if (deleted) sight->flags |= GOAT_ITEM_DELETED;
    if ((item->seen.flags & GT_ITEM_INVALID) != 0) sight->flags |= GOAT_ITEM_INVALID;
    return GOAT_OK;
}

static goat_status no_field(goat_item *item, gt_bytes name, gt_diag *diag) {
    gt_fail(diag, GOAT_INVALID, "the schema has no such field");
    gt_diag_field(diag, (const char *)name.data, name.len);
    gt_diag_rule(diag, "unknown_field");
    add_path(item, diag);
    return GOAT_INVALID;
}

goat_status gt_item_field_of(goat_item *item, gt_bytes name, const gt_field **field, gt_diag *diag) {
    gt_sight sight;
    goat_status status = gt_item_look(item, &sight, diag);
    if (status != GOAT_OK) return status;
    const gt_field *path[GT_PATH_FIELDS_MAX];
    size_t count = gt_schema_path(sight.schema, name, path);
    *field = count == 0 ? NULL : path[count - 1];
    return count == 0 ? no_field(item, name, diag) : GOAT_OK;
}

goat_status gt_item_field(goat_item *item, gt_bytes name, const gt_field **field, gt_bytes *value, gt_diag *diag) {
    goat_status status = refresh(item, diag);
    if (status != GOAT_OK) {
        add_path(item, diag);
        return status;
    }
    const gt_field *path[GT_PATH_FIELDS_MAX];
    size_t count = gt_schema_path(item->seen.schema, name, path);
    if (count == 0) return no_field(item, name, diag);
    *field = path[count - 1];
    const gt_field_edit *edit = NULL;
    if (item->work != NULL) status = gt_work_find(item->work, path[0], &edit, diag);
    if (status != GOAT_OK) {
        add_path(item, diag);
        return status;
    }
    if (edit != NULL) {
        *value = edit->has_value ? gt_bytes_of(edit->bytes + edit->edit_len, edit->value_len) : (gt_bytes){0};
    } else {
        *value = gt_map_find(item->seen.view.bytes, path[0]->name);
    }
    if (value->data == NULL) *value = path[0]->default_value;
    for (size_t i = 1; i < count && value->data != NULL; i++) { /* defaults are of fields in an object that is there */
        *value = gt_inside_value(*value, &path[i], 1);
        if (value->data == NULL) *value = path[i]->default_value;
    }
    return GOAT_OK;
}

goat_status gt_item_state_with_edits(goat_item *item, gt_buf *state, gt_sight *sight, gt_diag *diag) {
    goat_status status = gt_item_look(item, sight, diag);
    if (status != GOAT_OK) return status;
    if (sight->work != NULL) return gt_work_state(sight->work, state, diag);
    gt_buf_append(state, sight->base.data, sight->base.len);
    return gt_buf_failed(state) ? gt_no_memory(diag) : GOAT_OK;
}

goat_status gt_item_check(goat_item *item, gt_diag *diag) {
    gt_sight sight;
    gt_buf state;
    gt_buf_init(&state, item->db->database->alloc);
    goat_status status = gt_item_state_with_edits(item, &state, &sight, diag);
    if (status == GOAT_OK) {
        status = gt_schema_check_state(sight.schema, gt_buf_bytes(&state), diag);
        if (status != GOAT_OK) add_path(item, diag);
    }
    gt_buf_free(&state);
    return status;
}

/* ---- opening and creating ---- */

static goat_status check_tx(const goat_tx *tx, const gt_space *space, gt_diag *diag) {
    if (tx == NULL) return GOAT_OK;
    if (tx->space != space) return gt_fail(diag, GOAT_MISUSE, "a transaction belongs to one repository");
    if (tx->committed) return gt_fail(diag, GOAT_MISUSE, "the transaction was committed");
    return GOAT_OK;
}

goat_status gt_item_open(goat_db *db, goat_tx *tx, gt_bytes path, goat_item **out, gt_diag *diag) {
    gt_space *space;
    gt_bytes key;
    *out = NULL;
    goat_status status = gt_space_find(db, path, &space, &key, diag);
    if (status == GOAT_OK && key.data == NULL) {
        status = gt_fail(diag, GOAT_INVALID, "the path of an item has three parts");
        gt_diag_path(diag, (const char *)path.data, path.len);
    }
    if (status == GOAT_OK) status = check_tx(tx, space, diag);
    /* a transaction begins on what was saved: its first touch of an item seals the pending edits */
    if (status == GOAT_OK && tx != NULL) status = gt_capture_item(space, key, diag);
    if (status == GOAT_OK) status = new_item(space, tx, key, out, diag);
    if (status != GOAT_OK) return status;
    gt_sight sight;
    status = gt_item_look(*out, &sight, diag);
    if (status == GOAT_OK) return GOAT_OK;
    goat_item *item = *out;
    *out = NULL;
    gt_item_free(item);
    gt_handle_drop(db);
    return status;
}

static goat_status random_key(gt_database *database, char key[25], gt_diag *diag) {
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz"; /* base 32, Crockford's */
    uint8_t bytes[24];
    goat_random random = database->host.random;
    if (!random.fill(random.context, bytes, sizeof(bytes))) {
        return gt_fail(diag, GOAT_IO, "the machine gives no randomness");
    }
    for (int i = 0; i < 24; i++) key[i] = digits[bytes[i] % 32];
    key[24] = '\0';
    return GOAT_OK;
}

/* True when the handle sees an item under the key already (a deleted one counts). */
static bool exists(gt_space *space, goat_tx *tx, gt_bytes key) {
    const gt_database *database = space->db->database;
    gt_seen seen;
    if (tx != NULL && gt_works_find(&tx->works, database, key) != NULL) return true;
    if (gt_works_find(&space->works, database, key) != NULL) return true;
    uint32_t item = gt_repo_find(space->mount->repo, key);
    if (item == GT_NONE) return false;
    goat_status status = gt_space_see(space, item, &seen, NULL);
    if (status == GOAT_OK) gt_view_drop(database->alloc, &seen.view);
    return status != GOAT_NOT_FOUND;
}

static goat_status set_fields(goat_item *item, gt_bytes fields, gt_diag *diag);

goat_status gt_item_create(goat_db *db, goat_tx *tx, gt_bytes path, gt_bytes ns, gt_bytes fields, goat_item **out,
                           gt_diag *diag) {
    gt_space *space;
    gt_bytes key;
    char made[25];
    *out = NULL;
    goat_status status = gt_space_find(db, path, &space, &key, diag);
    if (status == GOAT_OK) status = check_tx(tx, space, diag);
    if (status == GOAT_OK) status = gt_space_check_writable(space, diag);
    const gt_schema *schema = status == GOAT_OK ? gt_registry_reading(db->database->schemas, ns) : NULL;
    if (status == GOAT_OK && schema == NULL) {
        status = gt_fail(diag, GOAT_NO_SCHEMA, "the schema is not known here");
    }
    if (status == GOAT_OK && fields.data != NULL) {
        status = gt_value_check(fields, 0, diag);
        if (status == GOAT_OK && gt_value_kind(fields) != GT_KIND_MAP) {
            status = gt_fail(diag, GOAT_INVALID, "the fields must be a map");
        }
    }
    if (status == GOAT_OK && key.data == NULL) {
        status = random_key(db->database, made, diag);
        key = gt_bytes_of(made, 24);
    }
    if (status == GOAT_OK && exists(space, tx, key)) {
        status = gt_fail(diag, GOAT_EXISTS, "there is an item of that name already");
        gt_diag_path(diag, (const char *)path.data, path.len);
    }
    if (status == GOAT_OK) status = gt_new_key_check(key, diag);
    if (status != GOAT_OK) return status;
    gt_works *works = tx != NULL ? &tx->works : &space->works;
    gt_work *work = NULL;
    status = gt_works_add(works, space, tx, key, GT_NONE, &work, diag);
    if (status != GOAT_OK) return status;
    work->schema = schema;
    gt_edited(work);
    status = new_item(space, tx, key, out, diag);
    if (status == GOAT_OK && fields.data != NULL) status = set_fields(*out, fields, diag);
    if (status == GOAT_OK) return GOAT_OK;
    if (*out != NULL) {
        goat_item *item = *out;
        *out = NULL;
        gt_item_free(item);
        gt_handle_drop(db);
    }
    gt_live_work_dropped(space, work);
    gt_works_remove(works, work);
    return status;
}

/* ---- editing ---- */

/* The work that edits go to, made at the first one. */
static goat_status begin_edit(goat_item *item, gt_work **work, gt_diag *diag) {
    goat_status status = refresh(item, diag);
    if (status == GOAT_OK && item->tx != NULL) status = check_tx(item->tx, item->space, diag);
    if (status == GOAT_OK) status = gt_space_check_writable(item->space, diag);
    if (status == GOAT_OK && item->work == NULL) {
        gt_work *made;
        status = gt_works_add(works_of(item), item->space, item->tx, key_of(item), item->item, &made, diag);
        if (status == GOAT_OK) {
            hold_work(item, made);
            item->space->stamp++;
            item->has_seen = false;
        }
    }
    if (status != GOAT_OK) {
        add_path(item, diag);
        return status;
    }
    *work = item->work;
    return GOAT_OK;
}

/* `path` is of `count` fields, 0 where there is none of that name. */
static goat_status edit_at(goat_item *item, gt_work *work, gt_bytes name, const gt_field *const *path, size_t count,
                           gt_edit edit, gt_diag *diag) {
    if (count == 0) return no_field(item, name, diag);
    goat_status status = GOAT_OK;
    edit.inside = path + 1;
    edit.inside_count = count - 1;
    if (edit.operation == GT_SET) status = gt_schema_check_value(path[count - 1], edit.value, diag);
    if (status == GOAT_OK) status = gt_work_edit(work, path[0], &edit, diag);
    if (status != GOAT_OK) {
        if (diag != NULL && diag->field[0] == 0) gt_diag_field(diag, (const char *)name.data, name.len);
        add_path(item, diag);
    }
    return status;
}

goat_status gt_item_edit(goat_item *item, gt_bytes name, const gt_edit *edit, gt_diag *diag) {
    const gt_field *path[GT_PATH_FIELDS_MAX];
    gt_work *work;
    goat_status status = begin_edit(item, &work, diag);
    if (status != GOAT_OK) return status;
    size_t count = gt_schema_path(work->schema, name, path);
    return edit_at(item, work, name, path, count, *edit, diag);
}

/* The fields of a new item: these are names, not paths. */
static goat_status set_fields(goat_item *item, gt_bytes fields, gt_diag *diag) {
    gt_work *work;
    gt_bytes name, value;
    goat_status status = begin_edit(item, &work, diag);
    gt_iter iter = gt_map_iter(fields);
    while (status == GOAT_OK && gt_map_next(&iter, &name, &value)) {
        const gt_field *field = gt_schema_field(work->schema, name);
        gt_edit set = {.operation = GT_SET, .value = value};
        status = edit_at(item, work, name, &field, field != NULL, set, diag);
    }
    return status;
}

goat_status gt_item_replace(goat_item *item, gt_bytes fields, gt_diag *diag) {
    gt_work *work;
    goat_status status = begin_edit(item, &work, diag);
    if (status != GOAT_OK) return status;
    gt_iter iter = gt_map_iter(fields);
    gt_bytes name, value;
    while (status == GOAT_OK && gt_map_next(&iter, &name, &value)) { /* all are looked at before any is set */
        const gt_field *field = gt_schema_field(work->schema, name);
        status = field == NULL ? no_field(item, name, diag) : gt_schema_check_value(field, value, diag);
    }
    if (status != GOAT_OK) {
        add_path(item, diag);
        return status;
    }
    for (size_t i = 0; status == GOAT_OK && i < gt_schema_field_count(work->schema); i++) {
        const gt_field *field = gt_schema_field_at(work->schema, i);
        value = gt_map_find(fields, field->name);
        gt_edit edit = {.operation = value.data == NULL ? GT_UNSET : GT_SET, .value = value};
        status = gt_work_edit(work, field, &edit, diag);
    }
    return status;
}

goat_status gt_item_delete(goat_item *item, bool deleted, gt_diag *diag) {
    gt_work *work;
    goat_status status = begin_edit(item, &work, diag);
    if (status != GOAT_OK) return status;
    work->sets_deleted = true;
    work->deleted = deleted;
    gt_edited(work);
    return GOAT_OK;
}
