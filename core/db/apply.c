/* Apply: many edits as one signed batch, at once.
 *
 * Each edit is resolved on what the handle sees (or on an earlier edit of the same item in this call),
 * turned into a delta, validated, and added as a leaf. Nothing is changed before all of them were. */
#include "db/apply.h"
#include "db/new_key.h"
#include "schema/schema_json.h"

/* An item of this call, so that a later edit of it follows. */
typedef struct entry {
    gt_bytes key;
    gt_id id; /* of its last leaf */
    gt_bytes state;
    const gt_schema *schema;
} entry;

typedef struct apply {
    gt_space *space;
    gt_database *database;
    uint32_t flags;
    gt_signer signer;
    gt_capture *capture;
    gt_arena arena;
    gt_rows entries;
    gt_index index;
    gt_buf fields, steps, delta, state, heads; /* used again for each edit */
    uint32_t steps_left;
    gt_apply_result result;
} apply;

/* What an edit is made on. */
typedef struct base {
    const gt_schema *schema;
    gt_view view; /* held; data NULL: the item is new */
    bool exists, deleted;
    entry *before; /* of this call */
    const gt_id *parents;
    uint32_t parent_count;
} base;

static void begin(apply *a, gt_space *space, size_t count, uint32_t flags) {
    const gt_alloc *alloc = space->db->database->alloc;
    *a = (apply){.space = space, .database = space->db->database, .flags = flags};
    a->signer = gt_signer_of(a->database, space->mount);
    a->steps_left = GOAT_BATCH_MAX - (uint32_t)count; /* edits count as well */
    gt_arena_init(&a->arena, alloc);
    gt_rows_init(&a->entries, alloc, sizeof(entry));
    gt_index_init(&a->index, alloc);
    gt_buf_init(&a->fields, alloc);
    gt_buf_init(&a->steps, alloc);
    gt_buf_init(&a->delta, alloc);
    gt_buf_init(&a->state, alloc);
    gt_buf_init(&a->heads, alloc);
}

static void end(apply *a) {
    gt_capture_drop(a->capture);
    gt_arena_free(&a->arena);
    gt_rows_free(&a->entries);
    gt_index_free(&a->index);
    gt_buf_free(&a->fields);
    gt_buf_free(&a->steps);
    gt_buf_free(&a->delta);
    gt_buf_free(&a->state);
    gt_buf_free(&a->heads);
}

static void add_path(const apply *a, gt_bytes key, gt_diag *diag) {
    if (diag == NULL) return;
    gt_buf path;
    gt_bytes repository = gt_repo_path(a->space->mount->repo);
    gt_buf_init(&path, a->database->alloc);
    gt_buf_append(&path, repository.data, repository.len);
    gt_buf_append_byte(&path, '/');
    gt_buf_append(&path, key.data, key.len);
    if (!gt_buf_failed(&path)) gt_diag_path(diag, (const char *)path.data, path.len);
    gt_buf_free(&path);
}

/* ---- what an edit is made on ---- */

static entry *find_entry(const apply *a, gt_bytes key, uint64_t hash) {
    gt_index_cursor cursor;
    uint32_t row = gt_index_first(&a->index, hash, &cursor);
    while (row != GT_INDEX_NONE) {
        entry *found = gt_rows_at(&a->entries, row);
        if (gt_bytes_equal(found->key, key)) return found;
        row = gt_index_next(&a->index, &cursor);
    }
    return NULL;
}

static goat_status no_schema(gt_bytes ns, gt_diag *diag) {
    return gt_fail(diag, GOAT_NO_SCHEMA, "the schema \"%.*s\" is not known here",
                   (int)(ns.len > GOAT_NAME_MAX ? GOAT_NAME_MAX : ns.len), (const char *)ns.data);
}

static goat_status find_base(apply *a, const gt_applied *e, uint64_t hash, base *b, gt_diag *diag) {
    *b = (base){.before = find_entry(a, e->key, hash)};
    gt_repo *repo = a->space->mount->repo;
    if (b->before != NULL) {
        b->exists = true;
        b->schema = b->before->schema;
        b->view.bytes = b->before->state;
        b->parents = &b->before->id;
        b->parent_count = 1;
    } else {
        goat_status status = gt_capture_item(a->space, e->key, diag); /* an unsaved edit comes first */
        if (status != GOAT_OK) return status;
        uint32_t item = gt_repo_find(repo, e->key);
        gt_seen seen;
        status = item == GT_NONE ? GOAT_NOT_FOUND : gt_space_see(a->space, item, &seen, diag);
        if (status == GOAT_OK) {
            gt_buf_clear(&a->heads);
            status = gt_space_heads(a->space, item, &a->heads, diag);
            if (status == GOAT_OK) status = gt_repo_keep_latest(repo, item, &a->heads, &seen, diag);
            b->exists = true;
            b->view = seen.view;
            b->schema = seen.schema;
            b->parents = (const gt_id *)(const void *)a->heads.data;
            b->parent_count = (uint32_t)(a->heads.len / GT_ID_SIZE);
        }
        if (status != GOAT_OK && status != GOAT_NOT_FOUND) return status;
    }
    b->deleted = b->exists && gt_map_find_int(b->view.bytes, 0).data != NULL;
    if (b->exists && (a->flags & GOAT_APPLY_CREATE_ONLY) != 0) {
        return gt_fail(diag, GOAT_EXISTS, "there is an item of that name already");
    }
    if (b->exists && e->ns.data != NULL && !gt_bytes_equal(e->ns, gt_schema_ns(b->schema))) {
        return gt_fail(diag, GOAT_INVALID, "the item is of another schema");
    }
    if (!b->exists && e->ns.data == NULL) return gt_fail(diag, GOAT_NOT_FOUND, "there is no such item");
    if (!b->exists) b->schema = gt_registry_reading(a->database->schemas, e->ns);
    return b->schema != NULL ? GOAT_OK : no_schema(e->ns, diag);
}

/* ---- the delta ---- */

/* The fields given, as a map; converts JSON by the schema. */
static goat_status fields_of(apply *a, const base *b, gt_bytes given, json_t *json, gt_bytes *fields, gt_diag *diag) {
    *fields = given;
    if (json == NULL) return GOAT_OK;
    gt_buf_clear(&a->fields);
    goat_status status = gt_schema_from_json(b->schema, json, &a->fields, diag);
    *fields = gt_buf_bytes(&a->fields);
    return status;
}

static goat_status steps_of(apply *a, const gt_applied *e, gt_bytes *steps, gt_diag *diag) {
    *steps = e->steps;
    if (e->steps_json == NULL) return GOAT_OK;
    gt_buf_clear(&a->steps);
    goat_status status = gt_applied_steps_of(e->steps_json, &a->steps, diag);
    *steps = gt_buf_bytes(&a->steps);
    return status;
}

/* The delta of "set", "unset" and "edit". */
static goat_status edit_delta(apply *a, const gt_applied *e, const base *b, gt_bytes fields, uint32_t *edits,
                              gt_diag *diag) {
    gt_work work = {.space = a->space, .schema = b->schema, .base.bytes = gt_map_or_empty(b->view.bytes)};
    gt_bytes steps;
    goat_status status = steps_of(a, e, &steps, diag);
    if (status == GOAT_OK) status = gt_applied_make(&work, e, fields, steps, &a->steps_left, diag);
    if (status == GOAT_OK) status = gt_work_delta(&work, &a->delta, diag);
    *edits = (uint32_t)work.edit_count;
    gt_work_forget(&work);
    if (status == GOAT_WRONG_TYPE) { /* the rule "type", as for whole documents */
        status = GOAT_INVALID;
        if (diag != NULL) diag->status = GOAT_INVALID;
    }
    return status;
}

/* Puts the deletion flag in front of the delta's pairs. */
static goat_status add_deletion(apply *a, bool deleted, gt_diag *diag) {
    gt_buf with;
    gt_buf_init(&with, a->database->alloc);
    gt_bytes delta = gt_buf_bytes(&a->delta), key, value;
    gt_write_map_head(&with, gt_value_count(delta) + 1);
    gt_write_int(&with, 0);
    gt_write_bool(&with, deleted);
    gt_iter iter = gt_map_iter(delta);
    while (gt_map_next_pair(&iter, &key, &value)) {
        gt_buf_append(&with, key.data, key.len);
        gt_buf_append(&with, value.data, value.len);
    }
    if (gt_buf_failed(&with)) {
        gt_buf_free(&with);
        return gt_no_memory(diag);
    }
    gt_buf_free(&a->delta);
    a->delta = with;
    return GOAT_OK;
}

/* Delta and resulting state; `*edits` is 0 when the edit changes nothing. */
static goat_status resolve(apply *a, const gt_applied *e, const base *b, uint32_t *edits, gt_diag *diag) {
    bool replaces = e->replace.data != NULL || e->replace_json != NULL;
    bool unsets = e->unset.data != NULL || e->unset_json != NULL;
    bool steps = e->steps.data != NULL || e->steps_json != NULL;
    bool whole = replaces || (!b->exists && !unsets && !steps); /* a new item is just what is set */
    gt_bytes fields, old = b->exists ? b->view.bytes : (gt_bytes){0};
    gt_buf_clear(&a->delta);
    gt_buf_clear(&a->state);
    goat_status status =
        fields_of(a, b, replaces ? e->replace : e->set, replaces ? e->replace_json : e->set_json, &fields, diag);
    fields = gt_map_or_empty(fields);
    if (status == GOAT_OK && whole) status = gt_schema_check_state(b->schema, fields, diag);
    if (status == GOAT_OK) {
        status = whole ? gt_merge_diff(b->schema, old, fields, &a->delta, edits, diag)
                       : edit_delta(a, e, b, fields, edits, diag);
    }
    if (status == GOAT_OK && gt_buf_failed(&a->delta)) status = gt_no_memory(diag);
    if (status != GOAT_OK) return status;
    bool revives = b->deleted && !e->has_delete && e->ns.data != NULL; /* a create of what was deleted */
    bool deletes = e->has_delete && e->deleted;
    bool still = deletes && *edits > 0; /* an edit that does not say so would clear a tombstone */
    if ((e->has_delete && e->deleted != b->deleted) || still || revives) {
        (*edits)++;
        status = add_deletion(a, deletes, diag);
    }
    if (status != GOAT_OK || (*edits == 0 && b->exists)) return status;
    if (whole && !deletes) { /* the fields are what comes out */
        gt_buf_append(&a->state, fields.data, fields.len);
        return gt_buf_failed(&a->state) ? gt_no_memory(diag) : GOAT_OK;
    }
    static const uint8_t no_id[GT_ID_SIZE] = {0};
    gt_step step = {.id = no_id, .time = 1, .delta = gt_buf_bytes(&a->delta)};
    status = gt_merge_replay(a->database->alloc, b->schema, old, &step, 1, &a->state, NULL, diag);
    if (status == GOAT_OK && a->state.len > GOAT_VALUE_MAX) {
        status = gt_fail(diag, GOAT_TOO_LARGE, "the item is larger than %d bytes", GOAT_VALUE_MAX);
    }
    if (status == GOAT_OK && !whole) status = gt_schema_check_state(b->schema, gt_buf_bytes(&a->state), diag);
    return status;
}

/* ---- leaves ---- */

static goat_status remember(apply *a, const gt_applied *e, const base *b, uint64_t hash, const gt_id *id,
                            gt_diag *diag) {
    entry *kept = b->before;
    if (kept == NULL) {
        kept = gt_rows_push(&a->entries);
        if (kept == NULL || !gt_index_insert(&a->index, hash, a->entries.count - 1)) return gt_no_memory(diag);
        kept->key = e->key;
        kept->schema = b->schema;
    }
    uint8_t *state = gt_arena_copy(&a->arena, a->state.data, a->state.len);
    if (state == NULL) return gt_no_memory(diag);
    kept->state = gt_bytes_of(state, a->state.len);
    kept->id = *id;
    return GOAT_OK;
}

static goat_status take(apply *a, const gt_applied *e, gt_diag *diag) {
    size_t position;
    const char *fault = gt_key_fault(e->key, &position);
    if (fault != NULL) return gt_fail(diag, GOAT_INVALID, "%s", fault);
    uint64_t hash = gt_siphash(a->database->hash_key, e->key);
    base b;
    uint32_t edits = 0;
    goat_status status = find_base(a, e, hash, &b, diag);
    if (status == GOAT_OK && !b.exists) status = gt_new_key_check(e->key, diag);
    if (status == GOAT_OK) status = resolve(a, e, &b, &edits, diag);
    if (status == GOAT_OK && b.exists && edits == 0) {
        a->result.unchanged++;
    } else if (status == GOAT_OK) {
        gt_id id;
        gt_leaf leaf = {
            .key = e->key,
            .parents = b.parents,
            .parent_count = b.parent_count,
            .schema = b.schema,
            .delta = gt_buf_bytes(&a->delta),
        };
        if (a->capture == NULL) status = gt_capture_begin(a->space->mount->repo, &a->capture, diag);
        if (status == GOAT_OK) status = gt_capture_add(a->capture, &a->signer, &leaf, &id, diag);
        if (status == GOAT_OK) status = remember(a, e, &b, hash, &id, diag);
        if (b.exists) {
            a->result.changed++;
        } else {
            a->result.created++;
        }
    }
    if (b.before == NULL) gt_view_drop(a->database->alloc, &b.view);
    if (status != GOAT_OK) add_path(a, e->key, diag);
    return status;
}

static goat_status finish(apply *a, gt_apply_result *result, gt_diag *diag) {
    goat_status status = GOAT_OK;
    if (a->capture != NULL) {
        if ((a->flags & GOAT_APPLY_TRANSACTION) != 0) gt_capture_group(a->capture, 0);
        a->database->acting = a->space;
        status = gt_capture_finish(a->capture, &a->signer, GT_FROM_SELF, diag);
        a->database->acting = NULL;
        a->capture = NULL;
    }
    if (status == GOAT_OK && result != NULL) *result = a->result;
    return status;
}

static goat_status check(gt_space *space, size_t count, gt_diag *diag) {
    goat_status status = gt_space_check(space, diag);
    if (status == GOAT_OK) status = gt_space_check_writable(space, diag);
    if (status == GOAT_OK && count > GOAT_BATCH_MAX) {
        status = gt_fail(diag, GOAT_TOO_LARGE, "more than %d edits", GOAT_BATCH_MAX);
    }
    return status;
}

/* ---- CBOR ---- */

goat_status gt_space_apply(gt_space *space, gt_bytes edits, uint32_t flags, gt_apply_result *result, gt_diag *diag) {
    goat_status status = gt_value_check(edits, 0, diag);
    if (status == GOAT_OK && gt_value_kind(edits) != GT_KIND_ARRAY) {
        status = gt_fail(diag, GOAT_INVALID, "the edits must be an array");
    }
    if (status == GOAT_OK) status = check(space, gt_value_count(edits), diag);
    if (status != GOAT_OK) return status;
    apply a;
    begin(&a, space, gt_value_count(edits), flags);
    gt_iter iter = gt_array_iter(edits);
    gt_bytes element;
    while (status == GOAT_OK && gt_array_next(&iter, &element)) {
        gt_applied e;
        status = gt_applied_read(element, &e, diag);
        if (status == GOAT_OK) status = take(&a, &e, diag);
    }
    if (status == GOAT_OK) status = finish(&a, result, diag);
    end(&a);
    return status;
}

/* ---- JSON ---- */

goat_status gt_space_apply_json(gt_space *space, gt_bytes edits, uint32_t flags, gt_apply_result *result,
                                gt_diag *diag) {
    json_t *json = NULL;
    goat_status status = gt_json_parse(edits, space->db->database->alloc, &json, diag);
    if (status == GOAT_OK && !json_is_array(json)) {
        status = gt_fail(diag, GOAT_INVALID, "the edits must be an array");
    }
    if (status == GOAT_OK) status = check(space, json_array_size(json), diag);
    if (status == GOAT_OK) {
        apply a;
        begin(&a, space, json_array_size(json), flags);
        for (size_t i = 0; status == GOAT_OK && i < json_array_size(json); i++) {
            gt_applied e;
            status = gt_applied_read_json(json_array_get(json, i), &e, diag);
            if (status == GOAT_OK) status = take(&a, &e, diag);
        }
        if (status == GOAT_OK) status = finish(&a, result, diag);
        end(&a);
    }
    json_decref(json);
    return status;
}
