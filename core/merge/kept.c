/* What steps say is gathered field by field as they come. Fields whose type keeps something (type.h) go on from there; those of
 * the other types are computed anew from all their edits, as in a replay that is not kept. */
#include "merge/kept.h"

#include "merge/replay.h"
#include "merge/sequence.h"

/* What a field has besides its history. */
typedef struct kept_field {
    gt_field_edit *edits;
    size_t capacity;
    gt_keep keep;
} kept_field;

struct gt_kept {
    const gt_schema *schema;
    gt_bytes base;
    gt_arena arena;   /* what lives as long as this does */
    gt_replay replay; /* its arena is emptied after each answer */
    gt_step *steps;
    size_t step_capacity;
    uint8_t *acts;
    size_t act_capacity;
    gt_histories histories; /* one of each field, in the order of the schema, which is that of states */
    kept_field *fields;
};

gt_kept *gt_kept_new(const gt_alloc *alloc, const gt_schema *schema, gt_bytes base) {
    gt_kept *kept = gt_new(alloc, 1, sizeof(*kept));
    size_t count = gt_schema_field_count(schema);
    if (kept == NULL) return NULL;
    kept->schema = schema;
    gt_arena_init(&kept->arena, alloc);
    gt_arena_init(&kept->replay.arena, alloc);
    kept->histories.of = gt_arena_new(&kept->arena, count, sizeof(*kept->histories.of));
    kept->fields = gt_arena_new(&kept->arena, count, sizeof(*kept->fields));
    uint8_t *copy = base.data == NULL ? NULL : gt_arena_copy(&kept->arena, base.data, base.len);
    kept->base = gt_bytes_of(copy, base.len);
    if (kept->histories.of == NULL || kept->fields == NULL || (base.data != NULL && copy == NULL)) {
        gt_kept_free(kept);
        return NULL;
    }
    kept->histories.count = count;
    for (size_t i = 0; i < count; i++) {
        kept->fields[i].keep.arena = &kept->arena;
        kept->histories.of[i].field = gt_schema_field_at(schema, i);
        kept->histories.of[i].keep = &kept->fields[i].keep;
    }
    return kept;
}

void gt_kept_free(gt_kept *kept) {
    if (kept == NULL) return;
    const gt_alloc *alloc = kept->arena.alloc;
    for (size_t i = 0; i < kept->histories.count; i++) gt_free(alloc, kept->fields[i].edits);
    gt_free(alloc, kept->steps);
    gt_free(alloc, kept->acts);
    gt_arena_free(&kept->replay.arena);
    gt_arena_free(&kept->arena);
    gt_free(alloc, kept);
}

size_t gt_kept_size(const gt_kept *kept) {
    size_t size = sizeof(*kept) + kept->arena.size + kept->replay.arena.size;
    for (size_t i = 0; i < kept->histories.count; i++) size += kept->fields[i].capacity * sizeof(gt_field_edit);
    return size + kept->step_capacity * sizeof(gt_step) + kept->act_capacity;
}

/* ---- steps ---- */

/* False when there is no memory. */
static bool copy_step(gt_kept *kept, const gt_step *step) {
    gt_arena *arena = &kept->arena;
    const gt_alloc *alloc = arena->alloc;
    uint32_t count = kept->replay.step_count;
    if (count == UINT32_MAX - 1 ||
        !gt_reserve(alloc, (void **)(void *)&kept->steps, count, &kept->step_capacity, sizeof(*kept->steps)) ||
        !gt_reserve(alloc, (void **)(void *)&kept->acts, count, &kept->act_capacity, sizeof(*kept->acts))) {
        return false;
    }
    gt_step *copy = &kept->steps[count];
    uint32_t *parents = gt_arena_new(arena, step->parent_count, sizeof(*parents));
    *copy = *step;
    copy->id = gt_arena_copy(arena, step->id, GT_HASH_SIZE);
    copy->parents = parents;
    if (copy->id == NULL || parents == NULL) return false;
    if (step->parent_count > 0) memcpy(parents, step->parents, step->parent_count * sizeof(*parents));
    if (step->delta.data != NULL) {
        copy->delta.data = gt_arena_copy(arena, step->delta.data, step->delta.len);
        if (copy->delta.data == NULL) return false;
    }
    kept->replay.steps = kept->steps;
    kept->replay.step_count++;
    return true;
}

/* Gives each field what was said of it. False when there is no memory. */
static bool deal_out(gt_kept *kept, const gt_field_edits *all) {
    const gt_field *first = gt_schema_field_at(kept->schema, 0);
    for (uint32_t i = 0; i < all->count; i++) {
        size_t number = (size_t)(all->edits[i].field - first);
        gt_field_history *history = &kept->histories.of[number];
        kept_field *field = &kept->fields[number];
        if (!gt_reserve(kept->arena.alloc, (void **)(void *)&field->edits, history->count, &field->capacity,
                        sizeof(*field->edits))) {
            return false;
        }
        field->edits[history->count++] = all->edits[i];
        history->edits = field->edits;
    }
    return true;
}

goat_status gt_kept_append(gt_kept *kept, const gt_step *steps, uint32_t count, gt_diag *diag) {
    gt_replay *replay = &kept->replay;
    uint32_t first = replay->step_count;
    gt_gathered all;
    replay->diag = diag;
    for (uint32_t i = 0; i < count; i++) {
        if (!copy_step(kept, &steps[i])) return gt_no_memory(diag);
    }
    goat_status status = gt_replay_gather(replay, kept->schema, kept->base.data == NULL, first, &all);
    if (status != GOAT_OK) return status;
    if (count > 0) memcpy(&kept->acts[first], all.acts, count);
    bool done = deal_out(kept, &all.fields);
    gt_arena_reset(&replay->arena);
    return done ? GOAT_OK : gt_no_memory(diag);
}

goat_status gt_kept_go_on(gt_kept *kept, gt_diag *diag) {
    gt_replay *replay = &kept->replay;
    bool good = true;
    replay->diag = diag;
    gt_ancestry_init(&replay->ancestry, &replay->arena, replay->steps, replay->step_count);
    for (size_t i = 0; i < kept->histories.count && good; i++) {
        const gt_field *field = kept->histories.of[i].field;
        if (kept->histories.of[i].count == 0 || !gt_sequence_goes_on(field)) continue;
        gt_outcome outcome = gt_kept_outcome(kept, field);
        good = gt_sequence_replay(replay, &outcome.history, NULL) != NULL;
    }
    gt_arena_reset(&replay->arena);
    return good ? GOAT_OK : gt_no_memory(diag);
}

goat_status gt_kept_write(gt_kept *kept, gt_buf *out, uint64_t *work, gt_diag *diag) {
    gt_replay *replay = &kept->replay;
    replay->diag = diag;
    gt_ancestry_init(&replay->ancestry, &replay->arena, replay->steps, replay->step_count);
    goat_status status = gt_replay_write(replay, kept->base, kept->acts, &kept->histories, out);
    if (work != NULL) *work += replay->work + replay->ancestry.work;
    replay->work = 0;
    gt_arena_reset(&replay->arena);
    gt_ancestry_init(&replay->ancestry, &replay->arena, replay->steps, replay->step_count);
    return status;
}

gt_replay *gt_kept_replay(gt_kept *kept) { return &kept->replay; }

gt_outcome gt_kept_outcome(gt_kept *kept, const gt_field *field) {
    gt_field_history history = kept->histories.of[field - gt_schema_field_at(kept->schema, 0)];
    gt_bytes base = kept->base.data == NULL ? kept->base : gt_map_find(kept->base, field->name);
    history.base = gt_edit_base(field, base);
    if (!gt_sequence_goes_on(field)) history.keep = NULL; /* of two outcomes one may be kept and the other not */
    return (gt_outcome){&kept->replay, history};
}
