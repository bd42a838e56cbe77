/* Replay: what the steps do to an item is gathered, what it comes to is fields.c's, and whether the item is deleted
 * tombstone.c's. */
#include "merge/merge.h"

#include "merge/replay.h"

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
                             gt_gathered *all) {
    const gt_field *field = gt_schema_field(schema, name);
    if (field == NULL) { /* of another version of the schema, which has it */
        return GOAT_OK;
    }
    goat_status status =
        gt_edit_is_unset(edit) ? GOAT_OK : gt_merge_type_of(field)->check_edit(field, edit, false, replay->diag);
    if (status != GOAT_OK && replay->diag != NULL) {
        replay->diag->position = step;
    }
    all->fields.edits[all->fields.count++] = (gt_field_edit){field, edit, step};
    return status;
}

static goat_status read_step(gt_replay *replay, const gt_schema *schema, bool is_new_item, uint32_t step,
                             gt_gathered *all, uint8_t *act) {
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
    *act = act_of(at, is_new_item, pairs, deletes);
    return GOAT_OK;
}

goat_status gt_replay_gather(gt_replay *replay, const gt_schema *schema, bool is_new_item, uint32_t first,
                             gt_gathered *all) {
    size_t most = 0;
    for (uint32_t step = first; step < replay->step_count; step++) {
        most += replay->steps[step].delta.data == NULL ? 0 : gt_value_count(replay->steps[step].delta);
    }
    gt_field_edits *fields = &all->fields;
    fields->count = 0;
    fields->edits = most > UINT32_MAX ? NULL : gt_arena_new(&replay->arena, most, sizeof *fields->edits);
    all->acts = gt_arena_new(&replay->arena, replay->step_count - first, 1);
    if (fields->edits == NULL || all->acts == NULL) {
        return gt_no_memory(replay->diag);
    }
    for (uint32_t step = first; step < replay->step_count; step++) {
        goat_status status = read_step(replay, schema, is_new_item, step, all, &all->acts[step - first]);
        if (status != GOAT_OK) {
            return status;
        }
    }
    return GOAT_OK;
}

goat_status gt_replay_write(gt_replay *replay, gt_bytes base, const uint8_t *acts, const gt_histories *histories,
                            gt_buf *out) {
    bool base_deleted = false, deleted = false;
    if (base.data != NULL) {
        gt_bytes tombstone = gt_map_find_int(base, 0);
        base_deleted = tombstone.data != NULL && gt_value_as_bool(tombstone, &base_deleted) && base_deleted;
    }
    goat_status status = gt_tombstone_replay(replay, base_deleted, acts, &deleted);
    return status != GOAT_OK ? status : gt_fields_write(replay, base, deleted, histories, NULL, GT_STATE_SIZE_MAX, out);
}

static goat_status replay_steps(gt_replay *replay, const gt_schema *schema, gt_bytes base, gt_buf *out) {
    gt_gathered all;
    gt_histories histories;
    goat_status status = gt_replay_gather(replay, schema, base.data == NULL, 0, &all);
    if (status == GOAT_OK && !gt_fields_sort(replay, schema, &all.fields, &histories)) {
        status = gt_no_memory(replay->diag);
    }
    return status != GOAT_OK ? status : gt_replay_write(replay, base, all.acts, &histories, out);
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
