/* Replay: what the steps do is gathered field by field, each field's type says what becomes of it, and the
 * answers take their places between the fields of the base that nobody touched, which are copied as they
 * lie. The cost is that of the steps and of one walk over the base up to the last field touched. */
#include "merge/merge.h"

#include "merge/replay.h"

/* All edits of all steps, field by field in the order of states, and in each in the order of the steps. */
typedef struct gathered {
    gt_field_edit *edits;
    uint32_t count;
    uint8_t *acts; /* for the tombstone */
} gathered;

/* ---- reading the steps ---- */

static goat_status refuse(gt_replay *replay, uint32_t step, const char *words) {
    return gt_fail_at(replay->diag, GOAT_INVALID, step, "%s", words);
}

/* What a step says about the item as a whole. A first commit says that it is there, even if it says
 * nothing else. */
static uint8_t act_of(const gt_step *step, bool is_new_item, size_t pairs, bool deletes) {
    if (step->is_void) {
        return 0;
    }
    if (deletes) {
        return GT_STEP_DELETES;
    }
    return pairs > 0 || (is_new_item && step->parent_count == 0) ? GT_STEP_EDITS : 0;
}

static goat_status read_edit(gt_replay *replay, const gt_schema *schema, uint32_t step, gt_bytes name, gt_bytes edit,
                             gathered *all) {
    const gt_field *field = gt_schema_field(schema, name);
    if (field == NULL) { /* of another version of the schema, which has it */
        return GOAT_OK;
    }
    goat_status status =
        gt_edit_is_unset(edit) ? GOAT_OK : gt_merge_type_of(field)->check_edit(field, edit, false, replay->diag);
    if (status != GOAT_OK && replay->diag != NULL) {
        replay->diag->position = step;
    }
    all->edits[all->count++] = (gt_field_edit){field, edit, step};
    return status;
}

static goat_status read_step(gt_replay *replay, const gt_schema *schema, bool is_new_item, uint32_t step,
                             gathered *all) {
    const gt_step *at = &replay->steps[step];
    gt_iter iter = {NULL, NULL, 0};
    if (at->delta.data != NULL) {
        if (gt_value_kind(at->delta) != GT_KIND_MAP) {
            return refuse(replay, step, "a delta is not a map");
        }
        iter = gt_map_iter(at->delta);
    }
    size_t pairs = iter.left;
    gt_bytes key, edit, name;
    bool deletes = false;
    replay->work += 1 + pairs;
    while (gt_map_next_pair(&iter, &key, &edit)) {
        goat_status status = GOAT_OK;
        if (gt_value_as_text(key, &name)) {
            status = read_edit(replay, schema, step, name, edit, all);
        } else if (key.data[0] != 0 || !gt_value_as_bool(edit, &deletes)) {
            status = refuse(replay, step, "a delta has an integer key that is not 0: true or 0: false");
        }
        if (status != GOAT_OK) {
            return status;
        }
    }
    all->acts[step] = act_of(at, is_new_item, pairs, deletes);
    return GOAT_OK;
}

/* Brings the edits of several steps into the order of fields: a counting sort, which is stable. */
static bool sort_by_field(gt_replay *replay, const gt_schema *schema, gathered *all) {
    size_t field_count = gt_schema_field_count(schema);
    const gt_field *first = gt_schema_field_at(schema, 0);
    uint32_t *places = gt_arena_new(&replay->arena, field_count + 1, sizeof *places);
    gt_field_edit *sorted = gt_arena_new(&replay->arena, all->count, sizeof *sorted);
    if (places == NULL || sorted == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < all->count; i++) {
        places[all->edits[i].field - first + 1]++;
    }
    for (size_t i = 1; i < field_count; i++) {
        places[i] += places[i - 1];
    }
    for (uint32_t i = 0; i < all->count; i++) {
        sorted[places[all->edits[i].field - first]++] = all->edits[i];
    }
    all->edits = sorted;
    return true;
}

static goat_status gather(gt_replay *replay, const gt_schema *schema, bool is_new_item, gathered *all) {
    size_t most = 0;
    for (uint32_t step = 0; step < replay->step_count; step++) {
        most += replay->steps[step].delta.data == NULL ? 0 : gt_value_count(replay->steps[step].delta);
    }
    all->count = 0;
    all->edits = most > UINT32_MAX ? NULL : gt_arena_new(&replay->arena, most, sizeof *all->edits);
    all->acts = gt_arena_new(&replay->arena, replay->step_count, 1);
    if (all->edits == NULL || all->acts == NULL) {
        return gt_no_memory(replay->diag);
    }
    for (uint32_t step = 0; step < replay->step_count; step++) {
        goat_status status = read_step(replay, schema, is_new_item, step, all);
        if (status != GOAT_OK) {
            return status;
        }
    }
    if (replay->step_count > 1 && all->count > 1 && !sort_by_field(replay, schema, all)) {
        return gt_no_memory(replay->diag);
    }
    return GOAT_OK;
}

/* ---- writing the state ---- */

typedef struct writer {
    gt_replay *replay;
    gt_buf *out;
    gt_iter base;
    gt_bytes key, value;   /* the next field of the base; key.data NULL at the end */
    const uint8_t *copied; /* where what is to be copied from the base begins */
    size_t count;          /* fields written or to be copied */
} writer;

static void next_of_base(writer *w) {
    if (!gt_map_next_pair(&w->base, &w->key, &w->value)) {
        w->key = gt_bytes_of(NULL, 0);
    }
}

/* Copies the fields of the base before `end`. */
static void copy_until(writer *w, const uint8_t *end) {
    if (w->copied != NULL && end != w->copied) {
        gt_buf_append(w->out, w->copied, (size_t)(end - w->copied));
    }
    w->copied = end;
}

/* Passes the fields before `name`; gives the base's value of `name`, data NULL if it has none. */
static gt_bytes find_in_base(writer *w, gt_bytes name) {
    gt_bytes text;
    for (; w->key.data != NULL; next_of_base(w), w->count++) {
        int order = gt_value_as_text(w->key, &text) ? gt_key_compare(text, name) : -1;
        if (order > 0) {
            break;
        }
        if (order == 0) {
            gt_bytes value = w->value;
            copy_until(w, w->key.data);
            w->copied = value.data + value.len;
            next_of_base(w);
            return value;
        }
    }
    if (w->key.data != NULL) {
        copy_until(w, w->key.data);
    } else if (w->copied != NULL) {
        copy_until(w, w->base.next);
    }
    return gt_bytes_of(NULL, 0);
}

static goat_status write_field(writer *w, const gt_field_history *history) {
    const gt_merge_type *type = gt_merge_type_of(history->field);
    const gt_field_edit *edit = &history->edits[0];
    size_t before = w->out->len;
    goat_status status = GOAT_OK;
    gt_write_text(w->out, history->field->name);
    size_t behind = w->out->len;
    if (history->count > 1 || gt_edit_is_void(w->replay, edit)) {
        status = type->replay(w->replay, history, w->out);
    } else if (!gt_edit_is_unset(edit->edit)) {
        type->apply(history->base, edit->edit, w->out);
    }
    if (status == GOAT_OK) status = gt_edit_check_size(history->field, w->out->len - behind, w->replay->diag);
    if (w->out->len == behind) {
        w->out->len = before;
    } else {
        w->count++;
    }
    return status;
}

static goat_status write_fields(writer *w, const gathered *all) {
    goat_status status = GOAT_OK;
    for (uint32_t i = 0; status == GOAT_OK && i < all->count;) {
        gt_field_history history = {.field = all->edits[i].field, .edits = &all->edits[i]};
        while (i < all->count && all->edits[i].field == history.field) {
            history.count++;
            i++;
        }
        history.base = gt_edit_base(history.field, find_in_base(w, history.field->name));
        status = write_field(w, &history);
    }
    if (w->copied != NULL) {
        w->count += w->base.left + (w->key.data != NULL ? 1 : 0);
        copy_until(w, w->base.end);
    }
    return status;
}

static goat_status write_state(gt_replay *replay, gt_bytes base, bool deleted, const gathered *all, gt_buf *out) {
    writer w = {.replay = replay, .out = out};
    if (base.data != NULL) {
        w.base = gt_map_iter(base);
        w.copied = w.base.next;
        next_of_base(&w);
        if (w.key.data != NULL && w.key.data[0] == 0) { /* the tombstone is written anew */
            w.copied = w.value.data + w.value.len;
            next_of_base(&w);
        }
    }
    size_t most = w.base.left + 1 + all->count + 1;
    gt_counted counted = gt_counted_begin(out, true, most);
    if (deleted) {
        gt_write_int(out, 0);
        gt_write_bool(out, true);
        w.count++;
    }
    goat_status status = write_fields(&w, all);
    if (status == GOAT_OK && gt_buf_failed(out)) {
        status = gt_no_memory(replay->diag);
    }
    if (status != GOAT_OK) {
        out->len = counted.begin;
        return status;
    }
    gt_counted_end(&counted, w.count);
    return GOAT_OK;
}

static goat_status replay_steps(gt_replay *replay, const gt_schema *schema, gt_bytes base, gt_buf *out) {
    gathered all;
    bool base_deleted = false, deleted = false;
    goat_status status = gather(replay, schema, base.data == NULL, &all);
    if (status != GOAT_OK) {
        return status;
    }
    if (base.data != NULL) {
        gt_bytes tombstone = gt_map_find_int(base, 0);
        base_deleted = tombstone.data != NULL && gt_value_as_bool(tombstone, &base_deleted) && base_deleted;
    }
    status = gt_tombstone_replay(replay, base_deleted, all.acts, &deleted);
    return status != GOAT_OK ? status : write_state(replay, base, deleted, &all, out);
}

goat_status gt_merge_replay(const gt_alloc *alloc, const gt_schema *schema, gt_bytes base, const gt_step *steps,
                            uint32_t step_count, gt_buf *out, uint64_t *work, gt_diag *diag) {
    gt_replay replay = {.steps = steps, .step_count = step_count, .diag = diag};
    gt_arena_init(&replay.arena, alloc);
    gt_ancestry_init(&replay.ancestry, &replay.arena, steps, step_count);
    goat_status status = replay_steps(&replay, schema, base, out);
    if (work != NULL) {
        *work += replay.work + replay.ancestry.work;
    }
    gt_arena_free(&replay.arena);
    return status;
}
