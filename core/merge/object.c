/* Objects: fields in a field. An edit is a map of edits, and what concurrent ones come to is said field by field, by the
 * types of the fields. What is unset with the whole of an object is what its author saw of it.
 *
 * Fields that the schema does not have are of another version: in a base they stay, in edits they are passed over. */
#include "merge/fields.h"
#include "merge/zip.h"

static const gt_bytes none = {NULL, 0};

/* NULL for another version's field. */
static const gt_field *field_of(const gt_field *object, gt_bytes key) {
    gt_bytes name;
    return gt_value_as_text(key, &name) ? gt_schema_field(object->fields, name) : NULL;
}

/* ---- shape ---- */

static goat_status check_edit(const gt_field *object, gt_bytes edit, bool fully, gt_diag *diag) {
    if (gt_value_kind(edit) != GT_KIND_MAP) {
        return gt_edit_refuse(object, "is not a map", diag);
    }
    gt_bytes key, inner, name;
    goat_status status = GOAT_OK;
    for (gt_iter iter = gt_map_iter(edit); status == GOAT_OK && gt_map_next_pair(&iter, &key, &inner);) {
        if (!gt_value_as_text(key, &name)) {
            return gt_edit_refuse(object, "has a key that is not a text", diag);
        }
        const gt_field *field = gt_schema_field(object->fields, name);
        if (field == NULL && fully) {
            return gt_schema_refuse_unknown(object->fields, name, diag);
        }
        if (field != NULL && !gt_edit_is_unset(inner)) {
            status = gt_merge_type_of(field)->check_edit(field, inner, fully, diag);
        }
    }
    return status;
}

/* ---- one author ---- */

/* Whatever can fail here, but for memory, was checked; and that `out` remembers. */

void gt_object_diff(const gt_field *object, gt_bytes base, gt_bytes value, gt_buf *edit) {
    uint32_t count = 0;
    size_t begin = edit->len;
    gt_merge_diff(object->fields, base, value, edit, &count, NULL);
    if (count == 0 && base.data != NULL) {
        edit->len = begin; /* they differ in another version's fields */
    }
}

enum { BASE, FIRST, SECOND };

static gt_bytes part_of(const gt_zip_item *item, int list) { return item->in >> list & 1 ? item->values[list] : none; }

/* Appends the key and what `first` and `second`, one of which is there, do to the field; nothing where that is nothing. */
/* Counts what it appends: the name and the edit of one field, or nothing. */
static goat_status compose_field(const gt_field *field, const gt_zip_item *item, gt_bytes first, size_t *count,
                                 gt_buf *edit, gt_diag *diag) {
    goat_status status = GOAT_OK;
    size_t begin = edit->len;
    gt_bytes second = part_of(item, SECOND);
    gt_buf_append(edit, item->key.data, item->key.len);
    size_t behind = edit->len;
    if (second.data == NULL) {
        gt_buf_append(edit, first.data, first.len);
    } else {
        status = gt_edit_compose(field, part_of(item, BASE), first, second, edit, diag);
    }
    if (edit->len == behind) {
        edit->len = begin;
    }
    *count += edit->len > begin;
    return status;
}

goat_status gt_object_compose(const gt_field *object, gt_bytes base, gt_bytes first, gt_bytes second, gt_buf *edit,
                              gt_diag *diag) {
    goat_status status = GOAT_OK;
    static const uint8_t undefined[] = {0xf7};
    bool was_unset = gt_edit_is_unset(first);
    gt_bytes lists[] = {base, was_unset ? none : first, second};
    gt_zip zip = gt_zip_begin(true, lists, 3);
    gt_zip_item item;
    size_t begin = edit->len, count = 0, most = 0;
    for (int i = 0; i < 3; i++) {
        most += lists[i].data == NULL ? 0 : gt_value_count(lists[i]);
    }
    gt_counted counted = gt_counted_begin(edit, true, most);
    while (status == GOAT_OK && gt_zip_next(&zip, &item)) {
        const gt_field *field = field_of(object, item.key);
        gt_bytes before = part_of(&item, FIRST);
        if (was_unset && part_of(&item, BASE).data != NULL) {
            before = gt_bytes_of(undefined, sizeof undefined);
        }
        if (field != NULL && (before.data != NULL || part_of(&item, SECOND).data != NULL)) {
            status = compose_field(field, &item, before, &count, edit, diag);
        }
    }
    if (count == 0 && base.data != NULL) {
        edit->len = begin; /* there is an object already: no edit */
    } else {
        gt_counted_end(&counted, count);
    }
    return status;
}

goat_status gt_object_apply(const gt_field *object, gt_bytes base, gt_bytes edit, gt_buf *value, gt_diag *diag) {
    goat_status status = GOAT_OK;
    gt_bytes lists[] = {base, edit};
    gt_zip zip = gt_zip_begin(true, lists, 2);
    gt_zip_item item;
    size_t count = 0, most = gt_value_count(edit) + (base.data == NULL ? 0 : gt_value_count(base));
    gt_counted counted = gt_counted_begin(value, true, most);
    size_t contents = value->len;
    while (value->len - contents <= GT_FIELD_SIZE_MAX && gt_zip_next(&zip, &item)) {
        gt_bytes old = part_of(&item, BASE), inner = part_of(&item, FIRST);
        const gt_field *field = inner.data == NULL ? NULL : field_of(object, item.key);
        size_t begin = value->len;
        gt_buf_append(value, item.key.data, item.key.len);
        size_t behind = value->len;
        if (field != NULL) {
            status = gt_edit_apply(field, old, inner, value, diag);
            if (status != GOAT_OK) return status; /* the caller takes back what was written */
        } else {
            gt_buf_append(value, old.data, old.len);
        }
        if (value->len == behind) {
            value->len = begin;
        } else {
            count++;
        }
    }
    gt_counted_end(&counted, count);
    return GOAT_OK;
}

/* ---- several ---- */

/* Takes the edits of the object apart. */
static bool gather(gt_replay *replay, const gt_field_history *history, gt_histories *histories) {
    gt_field_edits all = {0};
    size_t most = 0;
    for (uint32_t i = 0; i < history->count; i++) {
        gt_bytes edit = history->edits[i].edit;
        most += gt_edit_is_unset(edit) ? 0 : gt_value_count(edit);
    }
    all.edits = most > UINT32_MAX ? NULL : gt_arena_new(&replay->arena, most, sizeof *all.edits);
    if (all.edits == NULL) {
        return false;
    }
    replay->work += most;
    for (uint32_t i = 0; i < history->count; i++) {
        const gt_field_edit *edit = &history->edits[i];
        gt_iter iter = gt_edit_is_unset(edit->edit) ? (gt_iter){NULL, NULL, 0} : gt_map_iter(edit->edit);
        gt_bytes key, inner;
        while (gt_map_next_pair(&iter, &key, &inner)) {
            const gt_field *field = field_of(history->field, key);
            if (field != NULL) {
                all.edits[all.count++] = (gt_field_edit){field, inner, edit->step};
            }
        }
    }
    return gt_fields_sort(replay, history->field->fields, &all, histories);
}

static goat_status write_object(gt_replay *replay, const gt_field_history *history, gt_buf *value) {
    gt_past past;
    gt_unsets unsets = {.past = &past};
    gt_histories histories;
    uint32_t *steps = gt_new(replay->arena.alloc, history->count, sizeof *steps);
    if (steps == NULL || !gather(replay, history, &histories) ||
        !gt_field_unset_past(replay, history, &past, &unsets.remove)) {
        gt_free(replay->arena.alloc, steps);
        return gt_no_memory(replay->diag);
    }
    for (uint32_t i = 0; i < history->count; i++) {
        if (gt_edit_is_unset(history->edits[i].edit)) {
            steps[unsets.count++] = history->edits[i].step;
        }
    }
    unsets.steps = steps;
    goat_status status = gt_fields_write(replay, history->base, false, &histories, unsets.count > 0 ? &unsets : NULL,
                                         GT_FIELD_SIZE_MAX, value);
    gt_free(replay->arena.alloc, steps);
    return status;
}

static goat_status replay_edits(gt_replay *replay, const gt_field_history *history, gt_buf *value) {
    bool is_there;
    if (!gt_field_is_there(replay, history, &is_there)) {
        return gt_no_memory(replay->diag);
    }
    return is_there ? write_object(replay, history, value) : GOAT_OK;
}

const gt_merge_type gt_merge_object = {check_edit, NULL, NULL, NULL, replay_edits};
