#include "merge/revert.h"

#include "merge/type.h"

enum { CHANGES = 1 << 6, HAS_SEEN = 1 << 7 }; /* while marks are made */

/* Goes from the latest to the earliest: whoever names a step is later, and done with. */
static uint32_t mark_undone(const gt_undoes *undoes, uint32_t step_count, const uint8_t *wanted, uint8_t *marks) {
    uint32_t named = 0;
    for (uint32_t i = step_count; i-- > 0;) {
        if (wanted[i] && (marks[i] & GT_MARK_AFTER) == 0) {
            marks[i] |= GT_MARK_NAMED | GT_MARK_AFTER;
            named++;
        }
        uint8_t undone = 0;
        if ((marks[i] & GT_MARK_UNDONE) == 0) undone |= GT_MARK_UNDONE;
        if ((marks[i] & GT_MARK_AFTER) == 0) undone |= GT_MARK_AFTER;
        for (uint32_t k = 0; k < undoes[i].count; k++) marks[undoes[i].steps[k]] |= undone;
    }
    return named;
}

uint32_t gt_merge_mark(const gt_step *steps, const gt_undoes *undoes, uint32_t step_count, const uint8_t *wanted,
                       uint8_t *marks) {
    memset(marks, 0, step_count);
    uint32_t named = mark_undone(undoes, step_count, wanted, marks);
    for (uint32_t i = 0; i < step_count; i++) {
        bool was = (marks[i] & GT_MARK_UNDONE) != 0, is = (marks[i] & GT_MARK_AFTER) != 0;
        if (was != is || (marks[i] & GT_MARK_NAMED) != 0) marks[i] |= CHANGES;
        for (uint32_t k = 0; k < steps[i].parent_count; k++) {
            if ((marks[steps[i].parents[k]] & (CHANGES | HAS_SEEN)) != 0) marks[i] |= HAS_SEEN;
        }
        if (undoes[i].count == 0) continue;
        if ((marks[i] & (CHANGES | HAS_SEEN)) != 0) {
            marks[i] |= GT_MARK_REVERT;
        } else if (!was) {
            for (uint32_t k = 0; k < undoes[i].count; k++) marks[undoes[i].steps[k]] |= GT_MARK_SETTLED;
        }
    }
    for (uint32_t i = 0; i < step_count; i++) {
        if ((marks[i] & GT_MARK_SETTLED) != 0) marks[i] &= (uint8_t) ~(GT_MARK_UNDONE | GT_MARK_AFTER);
        marks[i] &= (uint8_t) ~(CHANGES | HAS_SEEN);
    }
    return named;
}

/* One replay of the steps, some of them void. */
typedef struct world {
    gt_replay replay;
    gt_step *steps;
    gt_buf state;
    bool is_made;
} world;

/* VIEW: what is seen. WITHOUT: that without what the new revert names. NOW and THEN: what is undone is void, and every
 * revert, without the new revert and with it. */
enum { VIEW, WITHOUT, NOW, THEN, WORLDS };

static const uint8_t void_marks[WORLDS] = {
    [WITHOUT] = GT_MARK_NAMED,
    [NOW] = GT_MARK_REVERT | GT_MARK_UNDONE,
    [THEN] = GT_MARK_REVERT | GT_MARK_AFTER,
};

/* What the steps do to a field. */
enum {
    TOUCHED = 1 << 0,
    BY_OTHERS = 1 << 1, /* by a revert that stays, or by what one undid */
    BESIDE = 1 << 2,    /* by a step that the only one that is named has not seen, itself not counted */
};

typedef struct reverting {
    const gt_alloc *alloc;
    const gt_reverting *what;
    gt_arena arena;
    world worlds[WORLDS];
    uint8_t *fields; /* what the steps do to each of the schema's */
    uint8_t all;     /* to any of them, or to the item */
    uint32_t only;   /* the only step that is named, if it is a revert; UINT32_MAX */
    gt_past past;    /* of that one */
    uint64_t work;
    gt_diag *diag;
} reverting;

/* ---- worlds ---- */

static goat_status make_world(reverting *r, int which) {
    const gt_reverting *what = r->what;
    world *w = &r->worlds[which];
    if (w->is_made) return GOAT_OK;
    w->steps = gt_arena_new(&r->arena, (size_t)what->step_count + 1, sizeof(*w->steps));
    if (w->steps == NULL) return gt_no_memory(r->diag);
    for (uint32_t i = 0; i < what->step_count; i++) {
        w->steps[i] = what->steps[i];
        if ((what->marks[i] & void_marks[which]) != 0) w->steps[i].is_void = true;
    }
    w->replay = (gt_replay){.steps = w->steps, .step_count = what->step_count, .diag = r->diag};
    gt_arena_init(&w->replay.arena, r->alloc);
    gt_ancestry_init(&w->replay.ancestry, &w->replay.arena, w->steps, what->step_count);
    w->is_made = true;
    return gt_merge_replay(r->alloc, what->schema, what->base, w->steps, what->step_count, &w->state, &r->work,
                           r->diag);
}

/* What fields are looked at: those of the item, or of an object in it. */
typedef struct scope {
    const struct scope *outer; /* NULL: the item's */
    const gt_field *object;
    const gt_schema *fields;
} scope;

/* What a state has in a scope; data NULL: there is no such object. */
static gt_bytes inside(const scope *s, gt_bytes state) {
    if (s->outer == NULL || state.data == NULL) return state;
    gt_bytes around = inside(s->outer, state);
    return around.data == NULL ? around : gt_edit_base(s->object, gt_map_find(around, s->object->name));
}

/* What a delta says of a scope: a map, or that the object is unset; data NULL: nothing. */
static gt_bytes said_of(const scope *s, gt_bytes delta) {
    if (s->outer == NULL || delta.data == NULL) return delta;
    gt_bytes around = said_of(s->outer, delta);
    return around.data == NULL || gt_edit_is_unset(around) ? around : gt_map_find(around, s->object->name);
}

/* The edit of a field; who unsets an object unsets what is in it. */
static gt_bytes edit_of(const scope *s, const gt_field *field, gt_bytes delta) {
    gt_bytes around = said_of(s, delta);
    return around.data == NULL || gt_edit_is_unset(around) ? around : gt_map_find(around, field->name);
}

static gt_bytes field_in(const reverting *r, int which, const scope *s, const gt_field *field) {
    gt_bytes around = inside(s, gt_buf_bytes(&r->worlds[which].state));
    return around.data == NULL ? around : gt_edit_base(field, gt_map_find(around, field->name));
}

static bool is_same(gt_bytes a, gt_bytes b) {
    return a.data == NULL || b.data == NULL ? a.data == b.data : gt_bytes_equal(a, b);
}

static bool is_deleted_in(const reverting *r, int which) {
    bool deleted = false;
    gt_bytes flag = gt_map_find_int(gt_buf_bytes(&r->worlds[which].state), 0);
    return flag.data != NULL && gt_value_as_bool(flag, &deleted) && deleted;
}

/* Whether anything says that the item is there: not where its creation is void and nobody has edited it. */
static bool is_there_in(const reverting *r, int which) {
    if (r->what->base.data != NULL && !r->what->is_new) return true;
    for (uint32_t i = 0; i < r->what->step_count; i++) {
        const gt_step *step = &r->worlds[which].steps[i];
        bool deletes = false;
        if (step->is_void) continue;
        gt_bytes flag = step->delta.data == NULL ? (gt_bytes){0} : gt_map_find_int(step->delta, 0);
        if (flag.data != NULL && gt_value_as_bool(flag, &deletes) && deletes) continue;
        if (step->parent_count == 0 || (step->delta.data != NULL && gt_value_count(step->delta) > 0)) return true;
    }
    return false;
}

/* ---- who touched what ---- */

static uint8_t touch_of(reverting *r, uint32_t step) {
    uint8_t marks = r->what->marks[step], touch = TOUCHED;
    bool by_revert = (marks & GT_MARK_REVERT) != 0 && (marks & GT_MARK_NAMED) == 0;
    bool was_undone = (marks & GT_MARK_UNDONE) != 0 && (marks & GT_MARK_AFTER) != 0;
    if (by_revert || was_undone) touch |= BY_OTHERS;
    if (r->only != UINT32_MAX && step != r->only && !gt_past_has(&r->past, step)) touch |= BESIDE;
    return touch;
}

static goat_status look_at_steps(reverting *r) {
    const gt_reverting *what = r->what;
    const gt_field *first = gt_schema_field_at(what->schema, 0);
    uint32_t named = 0;
    r->only = UINT32_MAX;
    for (uint32_t i = 0; i < what->step_count; i++) {
        if ((what->marks[i] & GT_MARK_NAMED) == 0) continue;
        r->only = ++named == 1 && (what->marks[i] & GT_MARK_REVERT) != 0 ? i : UINT32_MAX;
    }
    gt_past_init(&r->past, &r->worlds[VIEW].replay.ancestry);
    r->fields = gt_arena_new(&r->arena, gt_schema_field_count(what->schema) + 1, 1);
    if (r->fields == NULL || (r->only != UINT32_MAX && !gt_past_add(&r->past, r->only))) return gt_no_memory(r->diag);
    for (uint32_t i = 0; i < what->step_count; i++) {
        uint8_t touch = touch_of(r, i);
        gt_bytes key, edit, name;
        r->all |= touch;
        if (what->steps[i].delta.data == NULL) continue;
        for (gt_iter iter = gt_map_iter(what->steps[i].delta); gt_map_next_pair(&iter, &key, &edit);) {
            const gt_field *field = gt_value_as_text(key, &name) ? gt_schema_field(what->schema, name) : NULL;
            if (field != NULL) r->fields[field - first] |= touch;
        }
    }
    return GOAT_OK;
}

/* What the steps do to a field in an object. */
static uint8_t touch_inside(reverting *r, const scope *s, const gt_field *field) {
    uint8_t touch = 0;
    for (uint32_t i = 0; i < r->what->step_count; i++) {
        if (edit_of(s, field, r->what->steps[i].delta).data != NULL) touch |= touch_of(r, i);
    }
    return touch;
}

/* ---- the edit of a field ---- */

/* All edits of a field. False when there is no memory. */
static bool gather(reverting *r, const scope *s, const gt_field *field, gt_field_history *history) {
    const gt_reverting *what = r->what;
    gt_field_edit *edits = gt_arena_new(&r->arena, (size_t)what->step_count + 1, sizeof(*edits));
    *history = (gt_field_history){.field = field, .edits = edits};
    if (edits == NULL) return false;
    gt_bytes base = inside(s, what->base);
    if (base.data != NULL) history->base = gt_edit_base(field, gt_map_find(base, field->name));
    for (uint32_t i = 0; i < what->step_count; i++) {
        gt_bytes edit = edit_of(s, field, what->steps[i].delta);
        if (edit.data != NULL) edits[history->count++] = (gt_field_edit){field, edit, i};
    }
    return true;
}

/* From one world to another: through the identity of elements where the type has any. */
static goat_status change(reverting *r, const scope *s, const gt_field *field, int from, int to, gt_buf *edit) {
    gt_bytes before = field_in(r, from, s, field), after = field_in(r, to, s, field);
    bool has_elements = field->type == GT_TYPE_TEXT || field->type == GT_TYPE_LIST || field->type == GT_TYPE_RICHTEXT;
    gt_field_history history;
    bool by_identity = field->type == GT_TYPE_TEXT || field->type == GT_TYPE_LIST;
    bool is_cut =
        before.len > GT_FIELD_SIZE_MAX || after.len > GT_FIELD_SIZE_MAX; /* they may differ where it is not seen */
    if (!is_cut && is_same(before, after)) return GOAT_OK;
    if (is_cut && !by_identity && before.data != NULL && after.data != NULL) {
        gt_fail(r->diag, GOAT_TOO_LARGE, "\"%.*s\" is or was larger than %d bytes", (int)field->path.len,
                (const char *)field->path.data, GT_FIELD_SIZE_MAX);
        gt_diag_field(r->diag, (const char *)field->path.data, field->path.len);
        return GOAT_TOO_LARGE;
    }
    if (before.data == NULL || after.data == NULL || !has_elements) {
        return gt_edit_diff(field, before, after, edit, r->diag);
    }
    if (!gather(r, s, field, &history)) return gt_no_memory(r->diag);
    gt_replay *a = &r->worlds[from].replay, *b = &r->worlds[to].replay;
    if (field->type == GT_TYPE_RICHTEXT) return gt_rich_change(a, b, &history, before, after, edit);
    return field->type == GT_TYPE_TEXT ? gt_text_change(a, b, &history, edit) : gt_list_change(a, b, &history, edit);
}

/* Appends a map of one field, or of none. */
static void write_one(gt_buf *out, const gt_field *field, gt_bytes value) {
    gt_write_map_head(out, value.data == NULL || value.len == 0 ? 0 : 1);
    if (value.data == NULL || value.len == 0) return;
    gt_write_text(out, field->name);
    gt_buf_append(out, value.data, value.len);
}

/* `made` is an edit of what the field is in NOW; `edit` becomes what it is to what is seen, as if two authors had edited
 * NOW at once: one to what is seen, the other by `made`. */
static goat_status carry(reverting *r, const scope *s, const gt_field *field, gt_bytes made, gt_buf *edit) {
    static const uint8_t ids[2][GT_HASH_SIZE] = {{1}, {2}};
    gt_bytes now = field_in(r, NOW, s, field), seen = field_in(r, VIEW, s, field);
    gt_buf base, other, deltas[2], merged;
    gt_buf *all[] = {&base, &other, &deltas[0], &deltas[1], &merged};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) gt_buf_init(all[i], r->alloc);
    write_one(&base, field, now);
    goat_status status = gt_edit_diff(field, now, seen, &other, r->diag);
    write_one(&deltas[0], field, gt_buf_bytes(&other));
    write_one(&deltas[1], field, made);
    gt_step steps[2] = {{.id = ids[0], .time = 1, .delta = gt_buf_bytes(&deltas[0])},
                        {.id = ids[1], .time = 2, .delta = gt_buf_bytes(&deltas[1])}};
    if (gt_buf_failed(&base) || gt_buf_failed(&deltas[0]) || gt_buf_failed(&deltas[1])) status = gt_no_memory(r->diag);
    if (status == GOAT_OK) {
        status = gt_merge_replay(r->alloc, s->fields, gt_buf_bytes(&base), steps, 2, &merged, &r->work, r->diag);
    }
    if (status == GOAT_OK) {
        gt_bytes wanted = gt_edit_base(field, gt_map_find(gt_buf_bytes(&merged), field->name));
        status = gt_edit_diff(field, seen, wanted, edit, r->diag);
    }
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) gt_buf_free(all[i]);
    return status;
}

/* What leads from NOW to THEN, done to what is seen. */
static goat_status change_seen(reverting *r, const scope *s, const gt_field *field, gt_buf *edit) {
    gt_bytes seen = field_in(r, VIEW, s, field), now = field_in(r, NOW, s, field), then = field_in(r, THEN, s, field);
    gt_field_history history;
    if (is_same(now, then) || is_same(seen, then)) return GOAT_OK;
    if (seen.data != NULL && now.data != NULL && then.data != NULL && field->type == GT_TYPE_TEXT) {
        if (!gather(r, s, field, &history)) return gt_no_memory(r->diag);
        return gt_text_carry(&r->worlds[VIEW].replay, &r->worlds[NOW].replay, &r->worlds[THEN].replay, &history, edit);
    }
    if (is_same(now, seen)) return change(r, s, field, NOW, THEN, edit);
    gt_buf made;
    gt_buf_init(&made, r->alloc);
    goat_status status = change(r, s, field, NOW, THEN, &made);
    if (status == GOAT_OK && made.len > 0) status = carry(r, s, field, gt_buf_bytes(&made), edit);
    gt_buf_free(&made);
    return status;
}

static goat_status write_fields(reverting *r, const scope *s, gt_buf *pairs, size_t *count);

/* An object that is there whatever is undone: field by field. */
static goat_status edit_object(reverting *r, const scope *s, const gt_field *object, gt_buf *edit) {
    scope inner = {s, object, object->fields};
    gt_buf pairs;
    size_t count = 0;
    gt_buf_init(&pairs, r->alloc);
    goat_status status = write_fields(r, &inner, &pairs, &count);
    if (status == GOAT_OK && gt_buf_failed(&pairs)) status = gt_no_memory(r->diag);
    if (status == GOAT_OK && count > 0) {
        gt_write_map_head(edit, count);
        gt_buf_append(edit, pairs.data, pairs.len);
    }
    gt_buf_free(&pairs);
    return status;
}

/* See README.md, "Reverting". */
static goat_status edit_field(reverting *r, const scope *s, const gt_field *field, uint8_t touch, gt_buf *edit) {
    bool is_everywhere = field->type == GT_TYPE_OBJECT;
    for (int i = 0; i < WORLDS && is_everywhere; i++) is_everywhere = field_in(r, i, s, field).data != NULL;
    if (is_everywhere) return edit_object(r, s, field, edit);
    if (r->only != UINT32_MAX && (touch & BESIDE) == 0) return change(r, s, field, VIEW, WITHOUT, edit);
    if (!is_there_in(r, THEN)) return GOAT_OK; /* it is deleted, and its values stay beside the tombstone */
    bool directly = (touch & BY_OTHERS) == 0 || !is_there_in(r, NOW);
    return directly ? change(r, s, field, VIEW, THEN, edit) : change_seen(r, s, field, edit);
}

/* ---- the delta ---- */

static bool will_be_deleted(const reverting *r) {
    bool then = is_deleted_in(r, THEN) || !is_there_in(r, THEN);
    if (r->only != UINT32_MAX && (r->all & BESIDE) == 0) return is_deleted_in(r, WITHOUT);
    if ((r->all & BY_OTHERS) == 0) return then;
    bool now = is_deleted_in(r, NOW) || !is_there_in(r, NOW);
    return now == then ? is_deleted_in(r, VIEW) : then;
}

static goat_status write_fields(reverting *r, const scope *s, gt_buf *pairs, size_t *count) {
    for (size_t i = 0; i < gt_schema_field_count(s->fields); i++) {
        const gt_field *field = gt_schema_field_at(s->fields, i);
        uint8_t touch = s->outer == NULL ? r->fields[i] : touch_inside(r, s, field);
        if ((touch & TOUCHED) == 0) continue;
        size_t before = pairs->len;
        gt_write_text(pairs, field->name);
        size_t behind = pairs->len;
        goat_status status = edit_field(r, s, field, touch, pairs);
        if (status != GOAT_OK) return status;
        *count += pairs->len > behind;
        if (pairs->len == behind) pairs->len = before;
    }
    return GOAT_OK;
}

static goat_status make_delta(reverting *r, gt_buf *view, gt_buf *delta) {
    goat_status status = GOAT_OK;
    for (int i = 0; i < WORLDS && status == GOAT_OK; i++) status = make_world(r, i);
    if (status == GOAT_OK) status = look_at_steps(r);
    if (status != GOAT_OK) return status;
    gt_buf pairs;
    gt_buf_init(&pairs, r->alloc);
    size_t count = 0;
    bool was = is_deleted_in(r, VIEW), is = will_be_deleted(r);
    scope item = {.fields = r->what->schema};
    status = write_fields(r, &item, &pairs, &count);
    bool says = was != is || (is && count > 0); /* an edit that does not say so would clear a tombstone */
    gt_write_map_head(delta, count + says);
    if (says) {
        gt_write_int(delta, 0);
        gt_write_bool(delta, is);
    }
    gt_buf_append(delta, pairs.data, pairs.len);
    gt_buf_append(view, r->worlds[VIEW].state.data, r->worlds[VIEW].state.len);
    if (status == GOAT_OK && (gt_buf_failed(&pairs) || gt_buf_failed(delta) || gt_buf_failed(view))) {
        status = gt_no_memory(r->diag);
    }
    gt_buf_free(&pairs);
    return status;
}

goat_status gt_merge_revert(const gt_alloc *alloc, const gt_reverting *what, gt_buf *view, gt_buf *delta,
                            uint64_t *work, gt_diag *diag) {
    reverting r = {.alloc = alloc, .what = what, .diag = diag};
    size_t view_len = view->len, delta_len = delta->len;
    gt_arena_init(&r.arena, alloc);
    for (int i = 0; i < WORLDS; i++) gt_buf_init(&r.worlds[i].state, alloc);
    goat_status status = make_delta(&r, view, delta);
    if (status != GOAT_OK) {
        view->len = view_len;
        delta->len = delta_len;
    }
    for (int i = 0; i < WORLDS; i++) {
        gt_buf_free(&r.worlds[i].state);
        if (r.worlds[i].is_made) gt_arena_free(&r.worlds[i].replay.arena);
        r.work += r.worlds[i].replay.work;
    }
    gt_arena_free(&r.arena);
    if (work != NULL) *work += r.work;
    return status;
}
