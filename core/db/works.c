/* Works: the unsaved edits of one item, field by field.
 *
 * A work knows what its author saw when he began (state and heads), so its edits stay meaningful until
 * they are captured. An item of which nothing is edited needs none. */
#include "db/apply.h"
#include "db/splices.h"

#include <stdlib.h>

static uint64_t hash_of(const gt_database *database, gt_bytes key) { return gt_siphash(database->hash_key, key); }

static gt_bytes key_of(const gt_work *work) { return gt_bytes_of(work->key, work->key_len); }

gt_work *gt_works_find(const gt_works *works, const gt_database *database, gt_bytes key) {
    gt_index_cursor cursor;
    if (works->count == 0) return NULL;
    uint32_t at = gt_index_first(&works->index, hash_of(database, key), &cursor);
    while (at != GT_INDEX_NONE && !gt_bytes_equal(key_of(works->list[at]), key)) {
        at = gt_index_next(&works->index, &cursor);
    }
    return at == GT_INDEX_NONE ? NULL : works->list[at];
}

static void free_edit(const gt_alloc *alloc, gt_field_edit *edit) {
    gt_additions_free(alloc, edit->additions);
    gt_splices_free(alloc, edit->splices);
    gt_free(alloc, edit->bytes);
}

void gt_work_forget(gt_work *work) {
    const gt_alloc *alloc = work->space->db->database->alloc;
    for (size_t i = 0; i < work->edit_count; i++) free_edit(alloc, &work->edits[i]);
    gt_free(alloc, work->edits);
    work->edits = NULL;
    work->edit_count = work->edit_capacity = 0;
}

static void free_work(gt_work *work) {
    const gt_alloc *alloc = work->space->db->database->alloc;
    gt_work_forget(work);
    gt_view_drop(alloc, &work->base);
    gt_buf_free(&work->heads);
    gt_free(alloc, work->key);
    gt_free(alloc, work);
}

void gt_work_release(gt_work *work) {
    GOAT_ASSERT(work->users > 0);
    if (--work->users == 0 && work->ended) free_work(work);
}

/* What the author sees of the item: the base of his edits. */
static goat_status fill_base(gt_work *work, gt_diag *diag) {
    gt_seen seen;
    goat_status status = gt_space_see(work->space, work->item, &seen, diag);
    if (status != GOAT_OK) return status;
    status = gt_space_heads(work->space, work->item, &work->heads, diag);
    if (status == GOAT_OK) {
        status = gt_repo_keep_latest(work->space->mount->repo, work->item, &work->heads, &seen, diag);
    }
    work->base = seen.view;
    work->base_deleted = (seen.flags & GT_ITEM_DELETED) != 0;
    work->schema = seen.schema;
    return status;
}

goat_status gt_works_add(gt_works *works, gt_space *space, goat_tx *tx, gt_bytes key, uint32_t item, gt_work **out,
                         gt_diag *diag) {
    const gt_database *database = space->db->database;
    const gt_alloc *alloc = database->alloc;
    *out = NULL;
    gt_work *work = gt_new(alloc, 1, sizeof(*work));
    if (work == NULL) return gt_no_memory(diag);
    work->space = space;
    work->tx = tx;
    work->item = item;
    work->creates = item == GT_NONE;
    work->live_row = GT_NONE;
    gt_buf_init(&work->heads, alloc);
    work->key = gt_copy(alloc, key.data, key.len);
    work->key_len = key.len;
    work->base.bytes = gt_map_or_empty((gt_bytes){0}); /* a new item begins as the empty one */
    goat_status status = work->key == NULL ? gt_no_memory(diag) : GOAT_OK;
    if (status == GOAT_OK && item != GT_NONE) status = fill_base(work, diag);
    if (status == GOAT_OK &&
        (!gt_reserve(alloc, (void **)(void *)&works->list, works->count, &works->capacity, sizeof(*works->list)) ||
         !gt_index_insert(&works->index, hash_of(database, key), (uint32_t)works->count))) {
        status = gt_no_memory(diag);
    }
    if (status != GOAT_OK) {
        free_work(work);
        return status;
    }
    works->list[works->count++] = work;
    *out = work;
    return GOAT_OK;
}

void gt_works_remove(gt_works *works, gt_work *work) {
    const gt_database *database = work->space->db->database;
    gt_index_cursor cursor;
    uint32_t at = gt_index_first(&works->index, hash_of(database, key_of(work)), &cursor);
    while (works->list[at] != work) at = gt_index_next(&works->index, &cursor);
    gt_index_remove(&works->index, hash_of(database, key_of(work)), at);
    gt_work *last = works->list[--works->count];
    if (last != work) { /* the last one takes its place */
        gt_index_remove(&works->index, hash_of(database, key_of(last)), (uint32_t)works->count);
        bool inserted = gt_index_insert(&works->index, hash_of(database, key_of(last)), at);
        GOAT_ASSERT(inserted); /* two entries were just removed, so there is room */
        works->list[at] = last;
    }
    work->ended = true;
    work->space->stamp++;
    if (work->users == 0) free_work(work);
}

void gt_works_free(gt_works *works, gt_space *space) {
    const gt_alloc *alloc = space->db->database->alloc;
    while (works->count > 0) {
        gt_work *work = works->list[works->count - 1];
        gt_live_work_dropped(space, work);
        gt_works_remove(works, work);
    }
    gt_free(alloc, (void *)works->list);
    gt_index_free(&works->index);
    *works = (gt_works){0};
    gt_index_init(&works->index, alloc);
}

bool gt_work_has_edits(const gt_work *work) {
    return work->creates || work->edit_count > 0 || (work->sets_deleted && work->deleted != work->base_deleted);
}

static gt_field_edit *find(const gt_work *work, const gt_field *field) {
    for (size_t i = 0; i < work->edit_count; i++) {
        if (work->edits[i].field == field) return &work->edits[i];
    }
    return NULL;
}

static gt_bytes edit_of(const gt_field_edit *edit) {
    return edit == NULL ? (gt_bytes){0} : gt_bytes_of(edit->bytes, edit->edit_len);
}

static gt_bytes value_of(const gt_field_edit *edit) {
    return edit->has_value ? gt_bytes_of(edit->bytes + edit->edit_len, edit->value_len) : (gt_bytes){0};
}

/* What the operation comes to on `base`, `before` being what was edited already. Appends nothing when there is no
 * edit left. */
static goat_status make_edit(const gt_field *field, gt_bytes base, const gt_field_edit *before, const gt_edit *edit,
                             gt_buf *out, gt_diag *diag) {
    if (edit->inside_count == 0 && (edit->operation == GT_SET || edit->operation == GT_UNSET)) {
        return gt_edit_diff(field, base, edit->operation == GT_SET ? edit->value : (gt_bytes){0}, out, diag);
    }
    gt_buf single;
    gt_buf_init(&single, out->alloc);
    goat_status status = gt_operation_make(field, before == NULL ? base : value_of(before), edit, &single, diag);
    if (status == GOAT_OK && single.len == 0) { /* the operation is none: what was edited stays */
        gt_buf_append(out, edit_of(before).data, edit_of(before).len);
    } else if (status == GOAT_OK && before == NULL) {
        gt_buf_append(out, single.data, single.len);
    } else if (status == GOAT_OK) {
        status = gt_edit_compose(field, base, edit_of(before), gt_buf_bytes(&single), out, diag);
    }
    if (status == GOAT_OK && (gt_buf_failed(&single) || gt_buf_failed(out))) status = gt_no_memory(diag);
    gt_buf_free(&single);
    return status;
}

static void remove_edit(gt_work *work, const gt_field *field) {
    for (size_t i = 0; i < work->edit_count; i++) {
        if (work->edits[i].field != field) continue;
        free_edit(work->space->db->database->alloc, &work->edits[i]);
        work->edits[i] = work->edits[--work->edit_count];
        return;
    }
}

static gt_field_edit *find_or_add(gt_work *work, const gt_field *field) {
    gt_field_edit *slot = find(work, field);
    if (slot != NULL) return slot;
    if (!gt_reserve(work->space->db->database->alloc, (void **)(void *)&work->edits, work->edit_count,
                    &work->edit_capacity, sizeof(*work->edits))) {
        return NULL;
    }
    slot = &work->edits[work->edit_count++];
    *slot = (gt_field_edit){.field = field};
    return slot;
}

static goat_status put_edit(gt_work *work, const gt_field *field, gt_buf *both, size_t edit_len, bool has_value,
                            gt_diag *diag) {
    const gt_alloc *alloc = work->space->db->database->alloc;
    gt_field_edit *slot = find_or_add(work, field);
    if (slot == NULL) return gt_no_memory(diag);
    free_edit(alloc, slot);
    slot->bytes = both->data; /* the buffer's memory is taken over */
    slot->edit_len = edit_len;
    slot->value_len = both->len - edit_len;
    slot->has_value = has_value;
    slot->additions = NULL;
    slot->splices = NULL;
    gt_buf_init(both, alloc);
    return GOAT_OK;
}

/* Makes what is in `both`, an edit, the field's edit, with the value that it comes to. `check`: the operation by which it
 * came to that, if the value is still to be judged; else NULL. */
static goat_status take_edit(gt_work *work, const gt_field *field, const gt_edit *check, gt_buf *both, gt_diag *diag) {
    gt_bytes base = gt_map_find(work->base.bytes, field->name);
    size_t edit_len = both->len;
    uint8_t *copy = gt_copy(both->alloc, both->data, edit_len); /* applying appends to the same buffer */
    goat_status status =
        copy == NULL ? gt_no_memory(diag) : gt_edit_apply(field, base, gt_bytes_of(copy, edit_len), both, diag);
    gt_free(both->alloc, copy);
    bool has_value = both->len > edit_len;
    if (status == GOAT_OK && gt_buf_failed(both)) status = gt_no_memory(diag);
    if (status == GOAT_OK && has_value && check != NULL) {
        gt_bytes value = gt_bytes_of(both->data + edit_len, both->len - edit_len);
        status = gt_operation_check(field, value, check, diag);
    }
    return status == GOAT_OK ? put_edit(work, field, both, edit_len, has_value, diag) : status;
}

/* Takes in what has waited. */
static goat_status settle(gt_work *work, gt_field_edit *edit, gt_diag *diag) {
    if (edit == NULL || (edit->bytes != NULL && edit->additions == NULL)) return GOAT_OK;
    gt_bytes base = gt_map_find(work->base.bytes, edit->field->name);
    if (edit->bytes == NULL) return gt_splices_settle(edit, base, work->space->db->database->alloc, diag);
    gt_buf all, both;
    gt_buf_init(&all, work->space->db->database->alloc);
    gt_buf_init(&both, all.alloc);
    goat_status status = gt_additions_compose(edit, &all, diag);
    bool any = all.len > 0; /* none where memory ran out at the first */
    if (status == GOAT_OK && any) {
        status = gt_edit_compose(edit->field, base, edit_of(edit), gt_buf_bytes(&all), &both, diag);
    }
    if (status == GOAT_OK && any) status = take_edit(work, edit->field, NULL, &both, diag);
    gt_buf_free(&both);
    gt_buf_free(&all);
    return status;
}

static goat_status settle_all(gt_work *work, gt_diag *diag) {
    goat_status status = GOAT_OK;
    for (size_t i = 0; status == GOAT_OK && i < work->edit_count; i++) status = settle(work, &work->edits[i], diag);
    return status;
}

goat_status gt_work_find(gt_work *work, const gt_field *field, const gt_field_edit **edit, gt_diag *diag) {
    gt_field_edit *found = find(work, field);
    *edit = found;
    return settle(work, found, diag);
}

/* Any operation but one that may wait. What was edited before is settled. */
static goat_status edit_at_once(gt_work *work, const gt_field *field, const gt_edit *edit, gt_diag *diag) {
    gt_bytes base = gt_map_find(work->base.bytes, field->name);
    gt_buf both;
    gt_buf_init(&both, work->space->db->database->alloc);
    goat_status status = make_edit(field, base, find(work, field), edit, &both, diag);
    if (status == GOAT_OK && both.len == 0) {
        remove_edit(work, field);
    } else if (status == GOAT_OK) {
        bool was_checked = edit->operation == GT_SET; /* by the caller */
        status = take_edit(work, field, was_checked ? NULL : edit, &both, diag);
    }
    gt_buf_free(&both);
    return status;
}

/* A state is a value, so what is in its fields is less deep by one: or nobody could read the commit. */
static goat_status check_depth(const gt_field *field, const gt_edit *edit, gt_diag *diag) {
    static const uint8_t around[] = {[GT_ADD] = 2, [GT_PUT] = 1, [GT_LIST_SET] = 1, [GT_DELTA] = 0};
    uint32_t depth_max = GOAT_VALUE_DEPTH_MAX - 1u - around[edit->operation] - (uint32_t)edit->inside_count;
    if (edit->value.data == NULL || gt_value_is_within(edit->value, depth_max)) return GOAT_OK;
    gt_fail(diag, GOAT_TOO_LARGE, "more than %u arrays, maps and tags inside each other in an item",
            (unsigned)GOAT_VALUE_DEPTH_MAX);
    gt_diag_field(diag, (const char *)field->name.data, field->name.len);
    return GOAT_TOO_LARGE;
}

/* A text in an object that is what it was again is edited anew from there on, as one that never was: where the object had been unset,
 * its edit was the whole text until then. Without memory it stays that, which comes to the same value. */
static void end_splices(gt_work *work, gt_field_edit *slot) {
    if (settle(work, slot, NULL) != GOAT_OK) return;
    gt_splices_free(work->space->db->database->alloc, slot->splices);
    slot->splices = NULL;
}

/* What splices come to may be nothing; the edit is then none. `base`: not asked for where they go on. */
static goat_status push_splice(gt_work *work, const gt_field *field, gt_bytes base, const gt_edit *edit, bool *made,
                               gt_diag *diag) {
    size_t count = work->edit_count;
    gt_field_edit *slot = find_or_add(work, field);
    if (slot == NULL) return gt_no_memory(diag);
    bool is_new = work->edit_count > count;
    goat_status status = gt_splices_push(slot, base, edit, work->space->db->database->alloc, made, diag);
    if (*made ? !gt_splices_are_edit(slot) : is_new) {
        remove_edit(work, field);
    } else if (*made && gt_splices_are_nothing(slot)) {
        end_splices(work, slot);
    }
    return status;
}

/* To find a field in a state costs going over what is in the others, and in itself. */
static goat_status make(gt_work *work, const gt_field *field, const gt_edit *edit, gt_diag *diag) {
    gt_field_edit *before = find(work, field);
    bool goes_on = gt_splices_go_on(before, edit), made = false;
    if (gt_additions_may_wait(before, edit)) {
        return gt_additions_push(before, edit, work->space->db->database->alloc, diag);
    }
    goat_status status = goes_on ? GOAT_OK : settle(work, before, diag);
    if (status != GOAT_OK) return status;
    gt_bytes base = goes_on ? (gt_bytes){0} : gt_map_find(work->base.bytes, field->name);
    if (goes_on || gt_splices_may_wait(field, base, before, edit)) {
        status = push_splice(work, field, base, edit, &made, diag);
        if (status == GOAT_OK && !made) status = settle(work, find(work, field), diag);
    }
    return status == GOAT_OK && !made ? edit_at_once(work, field, edit, diag) : status;
}

goat_status gt_work_take(gt_work *work, const gt_field *field, const gt_edit *edit, gt_diag *diag) {
    goat_status status = check_depth(field, edit, diag);
    return status == GOAT_OK ? make(work, field, edit, diag) : status;
}

goat_status gt_work_edit(gt_work *work, const gt_field *field, const gt_edit *edit, gt_diag *diag) {
    goat_status status = gt_work_take(work, field, edit, diag);
    if (status != GOAT_OK) return status;
    if (find(work, field) != NULL && work->sets_deleted) work->deleted = false; /* an edit after a deletion undoes it */
    gt_edited(work);
    return GOAT_OK;
}

void gt_edited(gt_work *work) {
    goat_db *db = work->space->db;
    work->revision = ++work->space->edits | UINT32_C(1) << 31;
    work->space->stamp++;
    if (work->tx != NULL) return; /* nobody else sees it, and it is captured when it is committed */
    gt_live_touch_work(work->space, work);
    if (db->capture_due_us != UINT64_MAX) return;
    uint64_t now = gt_database_now_us(db->database);
    uint64_t earliest = db->captured_us + db->capture_interval_us;
    db->capture_due_us = db->captured_us == 0 || earliest < now ? now : earliest;
    gt_db_want_run(db);
    gt_condition_wake_all(&db->database->condition);
    db->database->pump_wanted = true;
}

/* ---- state and delta ---- */

static int by_name(const void *a, const void *b) {
    const gt_field_edit *x = a, *y = b;
    return gt_key_compare(x->field->name, y->field->name);
}

/* A map of the edits (values NULL) or of the fields with edits, in the order of keys. */
goat_status gt_work_delta(gt_work *work, gt_buf *delta, gt_diag *diag) {
    goat_status status = settle_all(work, diag);
    if (status != GOAT_OK) return status;
    bool still = work->deleted && work->edit_count > 0; /* an edit that does not say so would clear a tombstone */
    bool deletion = work->sets_deleted && (work->deleted != work->base_deleted || still);
    if (work->edit_count > 1) qsort(work->edits, work->edit_count, sizeof(*work->edits), by_name);
    gt_write_map_head(delta, work->edit_count + deletion);
    if (deletion) {
        gt_write_int(delta, 0);
        gt_write_bool(delta, work->deleted);
    }
    for (size_t i = 0; i < work->edit_count; i++) {
        gt_write_text(delta, work->edits[i].field->name);
        gt_buf_append(delta, work->edits[i].bytes, work->edits[i].edit_len);
    }
    return gt_buf_failed(delta) ? gt_no_memory(diag) : GOAT_OK;
}

goat_status gt_work_state(gt_work *work, gt_buf *state, gt_diag *diag) {
    goat_status status = settle_all(work, diag);
    if (status != GOAT_OK) return status;
    const gt_alloc *alloc = work->space->db->database->alloc;
    gt_pair *pairs = gt_new(alloc, gt_value_count(work->base.bytes) + work->edit_count + 1, sizeof(*pairs));
    if (pairs == NULL) return gt_no_memory(diag);
    size_t count = 0;
    gt_bytes name, value;
    gt_iter iter = gt_map_iter(work->base.bytes);
    while (gt_map_next(&iter, &name, &value)) {
        const gt_field *field = gt_schema_field(work->schema, name);
        if (field == NULL || find(work, field) == NULL) pairs[count++] = (gt_pair){name, value};
    }
    for (size_t i = 0; i < work->edit_count; i++) {
        const gt_field_edit *edit = &work->edits[i];
        if (edit->has_value) pairs[count++] = (gt_pair){edit->field->name, value_of(edit)};
    }
    bool deleted = work->sets_deleted ? work->deleted : work->base_deleted && work->edit_count == 0;
    gt_pairs_sort(pairs, count);
    gt_write_map_head(state, count + deleted);
    if (deleted) {
        gt_write_int(state, 0);
        gt_write_bool(state, true);
    }
    for (size_t i = 0; i < count; i++) {
        gt_write_text(state, pairs[i].key);
        gt_buf_append(state, pairs[i].value.data, pairs[i].value.len);
    }
    gt_free(alloc, pairs);
    return gt_buf_failed(state) ? gt_no_memory(diag) : GOAT_OK;
}
