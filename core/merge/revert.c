#include "merge/revert.h"

#include "merge/kept.h"

/* One replay of the steps, some of them void. It is kept, so that what it was made for, the state, leaves the order of
 * elements behind for those who ask what has changed. */
typedef struct world {
    gt_kept *kept;  /* NULL: it was not made */
    uint32_t count; /* of the steps that it has */
    gt_buf state;   /* after all of them */
} world;

/* VIEW: what is seen. WITHOUT: that without what the new revert names. NOW and THEN: what is undone is void, and every
 * revert, without the new revert and with it. Only those that the rules look at are made; mostly that is two. */
enum { VIEW, WITHOUT, NOW, THEN, WORLDS };

/* How many steps a world gets at once; and of how many steps, and how many bytes, to write what they come to costs what it
 * costs to replay one. */
enum { PIECE = 64, STEPS_WRITTEN = 4, BYTES_WRITTEN = 1024 };

enum { IN_VIEW = 1 << VIEW, IN_WITHOUT = 1 << WITHOUT, IN_NOW = 1 << NOW, IN_THEN = 1 << THEN, IN_ALL = 15 };

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

typedef struct gt_undoing {
    const gt_alloc *alloc;
    gt_reverting what;
    gt_arena arena;
    world worlds[WORLDS];
    unsigned wanted; /* worlds, as bits */
    int next;        /* the one that is being made */
    uint8_t *fields; /* what the steps do to each of the schema's */
    uint8_t all;     /* to any of them, or to the item */
    uint32_t only;   /* the only step that is named, if it is a revert; UINT32_MAX */
    gt_ancestry ancestry;
    gt_past past; /* of that one */
    bool deletes; /* a step deletes the item, or it is deleted in the base */
    /* anything says that the item is there: not where its creation is void and nobody edited it */
    bool is_there[WORLDS];
    uint64_t work;
    gt_diag *diag;
} gt_undoing;

/* ---- worlds ---- */

static bool is_void_in(const gt_reverting *what, int which, uint32_t step) {
    return what->steps[step].is_void || (what->marks[step] & void_marks[which]) != 0;
}

/* What is written of a world goes through all that the steps have left. */
static void spend_on_writing(const gt_undoing *r, int which, uint32_t *budget) {
    size_t cost = r->what.step_count / STEPS_WRITTEN + r->worlds[which].state.len / BYTES_WRITTEN;
    *budget -= cost < *budget ? (uint32_t)cost : *budget;
}

/* Some steps more, up to the end, where its state is written. */
static goat_status replay_some(gt_undoing *r, int which, uint32_t *budget) {
    const gt_reverting *what = &r->what;
    world *w = &r->worlds[which];
    gt_step piece[PIECE];
    goat_status status = GOAT_OK;
    if (w->kept == NULL) w->kept = gt_kept_new(r->alloc, what->schema, what->base);
    if (w->kept == NULL) return gt_no_memory(r->diag);
    while (status == GOAT_OK && w->count<what->step_count && * budget> 0) {
        uint32_t count = 0;
        for (; count < PIECE && w->count<what->step_count && * budget> 0; count++, w->count++, --*budget) {
            piece[count] = what->steps[w->count];
            piece[count].is_void = is_void_in(what, which, w->count);
        }
        status = gt_kept_append(w->kept, piece, count, r->diag);
    }
    if (status != GOAT_OK) return status;
    if (w->count < what->step_count) return gt_kept_go_on(w->kept, r->diag);
    status = gt_kept_write(w->kept, &w->state, &r->work, r->diag);
    spend_on_writing(r, which, budget);
    return status;
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

static gt_bytes field_in(const gt_undoing *r, int which, const scope *s, const gt_field *field) {
    gt_bytes around = inside(s, gt_buf_bytes(&r->worlds[which].state));
    return around.data == NULL ? around : gt_edit_base(field, gt_map_find(around, field->name));
}

static bool is_same(gt_bytes a, gt_bytes b) {
    return a.data == NULL || b.data == NULL ? a.data == b.data : gt_bytes_equal(a, b);
}

static bool says_deleted(gt_bytes map) {
    bool deleted = false;
    gt_bytes flag = map.data == NULL ? map : gt_map_find_int(map, 0);
    return flag.data != NULL && gt_value_as_bool(flag, &deleted) && deleted;
}

/* In the worlds that are made if anything deletes it. */
static bool is_deleted_in(const gt_undoing *r, int which) {
    return r->deletes && says_deleted(gt_buf_bytes(&r->worlds[which].state));
}

/* ---- who touched what ---- */

static uint8_t touch_of(gt_undoing *r, uint32_t step) {
    uint8_t marks = r->what.marks[step], touch = TOUCHED;
    bool by_revert = (marks & GT_MARK_REVERT) != 0 && (marks & GT_MARK_NAMED) == 0;
    bool was_undone = (marks & GT_MARK_UNDONE) != 0 && (marks & GT_MARK_AFTER) != 0;
    if (by_revert || was_undone) touch |= BY_OTHERS;
    if (r->only != UINT32_MAX && step != r->only && !gt_past_has(&r->past, step)) touch |= BESIDE;
    return touch;
}

/* What a step says of the item as a whole. */
static void look_at_presence(gt_undoing *r, uint32_t i) {
    const gt_step *step = &r->what.steps[i];
    bool says = step->parent_count == 0 || (step->delta.data != NULL && gt_value_count(step->delta) > 0);
    bool deletes = says_deleted(step->delta);
    r->deletes = r->deletes || deletes;
    for (int w = 0; w < WORLDS && says && !deletes; w++) r->is_there[w] |= !is_void_in(&r->what, w, i);
}

static goat_status look_at_steps(gt_undoing *r) {
    const gt_reverting *what = &r->what;
    const gt_field *first = gt_schema_field_at(what->schema, 0);
    uint32_t named = 0;
    r->deletes = says_deleted(what->base);
    for (int w = 0; w < WORLDS; w++) r->is_there[w] = what->base.data != NULL && !what->is_new;
    r->only = UINT32_MAX;
    for (uint32_t i = 0; i < what->step_count; i++) {
        if ((what->marks[i] & GT_MARK_NAMED) == 0) continue;
        r->only = ++named == 1 && (what->marks[i] & GT_MARK_REVERT) != 0 ? i : UINT32_MAX;
    }
    gt_ancestry_init(&r->ancestry, &r->arena, what->steps, what->step_count);
    gt_past_init(&r->past, &r->ancestry);
    r->fields = gt_arena_new(&r->arena, gt_schema_field_count(what->schema) + 1, 1);
    if (r->fields == NULL || (r->only != UINT32_MAX && !gt_past_add(&r->past, r->only))) return gt_no_memory(r->diag);
    for (uint32_t i = 0; i < what->step_count; i++) {
        uint8_t touch = touch_of(r, i);
        gt_bytes key, edit, name;
        r->all |= touch;
        look_at_presence(r, i);
        if (what->steps[i].delta.data == NULL) continue;
        for (gt_iter iter = gt_map_iter(what->steps[i].delta); gt_map_next_pair(&iter, &key, &edit);) {
            const gt_field *field = gt_value_as_text(key, &name) ? gt_schema_field(what->schema, name) : NULL;
            if (field != NULL) r->fields[field - first] |= touch;
        }
    }
    return GOAT_OK;
}

/* What the steps do to a field in an object. */
static uint8_t touch_inside(gt_undoing *r, const scope *s, const gt_field *field) {
    uint8_t touch = 0;
    for (uint32_t i = 0; i < r->what.step_count; i++) {
        if (edit_of(s, field, r->what.steps[i].delta).data != NULL) touch |= touch_of(r, i);
    }
    return touch;
}

/* ---- what is looked at ---- */

/* The first rule: nobody has touched it since the only step that is named, a revert. */
static bool is_untouched(const gt_undoing *r, uint8_t touch) { return r->only != UINT32_MAX && (touch & BESIDE) == 0; }

/* The worlds that the rules look at for a field, and for those in it. */
static unsigned worlds_of(const gt_undoing *r, const gt_field *field, uint8_t touch) {
    if (is_untouched(r, touch)) return IN_VIEW | IN_WITHOUT;
    if (field->type == GT_TYPE_OBJECT && (r->only != UINT32_MAX || (touch & BY_OTHERS) != 0)) return IN_ALL;
    bool directly = (touch & BY_OTHERS) == 0 || !r->is_there[NOW];
    return directly ? IN_VIEW | IN_THEN : IN_VIEW | IN_NOW | IN_THEN;
}

static void find_worlds(gt_undoing *r) {
    r->wanted = IN_VIEW;
    if (r->deletes) r->wanted |= is_untouched(r, r->all) ? IN_WITHOUT : IN_NOW | IN_THEN;
    for (size_t i = 0; i < gt_schema_field_count(r->what.schema); i++) {
        if ((r->fields[i] & TOUCHED) == 0) continue;
        r->wanted |= worlds_of(r, gt_schema_field_at(r->what.schema, i), r->fields[i]);
    }
}

/* ---- the edit of a field ---- */

/* What becomes of a field in a world. False when there is no memory. */
static bool find_outcome(gt_undoing *r, int which, const scope *s, const gt_field *field, gt_outcome *outcome) {
    const gt_reverting *what = &r->what;
    if (s->outer == NULL) {
        *outcome = gt_kept_outcome(r->worlds[which].kept, field);
        return true;
    }
    gt_keep *keep = gt_arena_new(&r->arena, 1, sizeof(*keep));
    gt_field_edit *edits = gt_arena_new(&r->arena, (size_t)what->step_count + 1, sizeof(*edits));
    if (keep == NULL || edits == NULL) return false;
    keep->arena = &r->arena;
    outcome->replay = gt_kept_replay(r->worlds[which].kept);
    outcome->history = (gt_field_history){.field = field, .edits = edits, .keep = keep};
    gt_bytes base = inside(s, what->base);
    if (base.data != NULL) outcome->history.base = gt_edit_base(field, gt_map_find(base, field->name));
    for (uint32_t i = 0; i < what->step_count; i++) {
        gt_bytes edit = edit_of(s, field, what->steps[i].delta);
        if (edit.data != NULL) edits[outcome->history.count++] = (gt_field_edit){field, edit, i};
    }
    return true;
}

/* From one world to another: through the identity of elements where the type has any. */
static goat_status change(gt_undoing *r, const scope *s, const gt_field *field, int from, int to, gt_buf *edit) {
    gt_bytes before = field_in(r, from, s, field), after = field_in(r, to, s, field);
    bool has_elements = field->type == GT_TYPE_TEXT || field->type == GT_TYPE_LIST || field->type == GT_TYPE_RICHTEXT;
    gt_outcome a, b;
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
    if (!find_outcome(r, from, s, field, &a) || !find_outcome(r, to, s, field, &b)) return gt_no_memory(r->diag);
    if (field->type == GT_TYPE_RICHTEXT) return gt_rich_change(&a, &b, before, after, edit);
    return field->type == GT_TYPE_TEXT ? gt_text_change(&a, &b, edit) : gt_list_change(&a, &b, edit);
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
static goat_status carry(gt_undoing *r, const scope *s, const gt_field *field, gt_bytes made, gt_buf *edit) {
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
static goat_status change_seen(gt_undoing *r, const scope *s, const gt_field *field, gt_buf *edit) {
    gt_bytes seen = field_in(r, VIEW, s, field), now = field_in(r, NOW, s, field), then = field_in(r, THEN, s, field);
    gt_outcome of[3];
    if (is_same(now, then) || is_same(seen, then)) return GOAT_OK;
    if (seen.data != NULL && now.data != NULL && then.data != NULL && field->type == GT_TYPE_TEXT) {
        bool good = find_outcome(r, VIEW, s, field, &of[0]) && find_outcome(r, NOW, s, field, &of[1]) &&
                    find_outcome(r, THEN, s, field, &of[2]);
        return good ? gt_text_carry(&of[0], &of[1], &of[2], edit) : gt_no_memory(r->diag);
    }
    if (is_same(now, seen)) return change(r, s, field, NOW, THEN, edit);
    gt_buf made;
    gt_buf_init(&made, r->alloc);
    goat_status status = change(r, s, field, NOW, THEN, &made);
    if (status == GOAT_OK && gt_buf_failed(&made)) status = gt_no_memory(r->diag);
    if (status == GOAT_OK && made.len > 0) status = carry(r, s, field, gt_buf_bytes(&made), edit);
    gt_buf_free(&made);
    return status;
}

static goat_status write_fields(gt_undoing *r, const scope *s, gt_buf *pairs, size_t *count);

/* An object that is there whatever is undone: field by field. */
static goat_status edit_object(gt_undoing *r, const scope *s, const gt_field *object, gt_buf *edit) {
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
static goat_status edit_field(gt_undoing *r, const scope *s, const gt_field *field, uint8_t touch, gt_buf *edit) {
    unsigned worlds = worlds_of(r, field, touch);
    bool is_object = field->type == GT_TYPE_OBJECT;
    for (int i = 0; i < WORLDS && is_object; i++) {
        if ((worlds & 1u << i) != 0) is_object = field_in(r, i, s, field).data != NULL;
    }
    if (is_object) return edit_object(r, s, field, edit);
    if (is_untouched(r, touch)) return change(r, s, field, VIEW, WITHOUT, edit);
    if (!r->is_there[THEN]) return GOAT_OK; /* it is deleted, and its values stay beside the tombstone */
    bool directly = (touch & BY_OTHERS) == 0 || !r->is_there[NOW];
    return directly ? change(r, s, field, VIEW, THEN, edit) : change_seen(r, s, field, edit);
}

/* ---- the delta ---- */

static bool will_be_deleted(const gt_undoing *r) {
    if (is_untouched(r, r->all)) return is_deleted_in(r, WITHOUT);
    bool then = is_deleted_in(r, THEN) || !r->is_there[THEN];
    if ((r->all & BY_OTHERS) == 0) return then;
    bool now = is_deleted_in(r, NOW) || !r->is_there[NOW];
    return now == then ? is_deleted_in(r, VIEW) : then;
}

static goat_status write_fields(gt_undoing *r, const scope *s, gt_buf *pairs, size_t *count) {
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

static goat_status make_delta(gt_undoing *r, gt_buf *view, gt_buf *delta) {
    gt_buf pairs;
    gt_buf_init(&pairs, r->alloc);
    size_t count = 0;
    bool was = is_deleted_in(r, VIEW), is = will_be_deleted(r);
    scope item = {.fields = r->what.schema};
    goat_status status = write_fields(r, &item, &pairs, &count);
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

/* ---- in pieces ---- */

goat_status gt_undoing_begin(const gt_alloc *alloc, const gt_reverting *what, gt_undoing **out, gt_diag *diag) {
    gt_undoing *r = gt_new(alloc, 1, sizeof(*r));
    *out = r;
    if (r == NULL) return gt_no_memory(diag);
    *r = (gt_undoing){.alloc = alloc, .what = *what, .diag = diag};
    gt_arena_init(&r->arena, alloc);
    for (int i = 0; i < WORLDS; i++) gt_buf_init(&r->worlds[i].state, alloc);
    goat_status status = look_at_steps(r);
    if (status == GOAT_OK) {
        find_worlds(r);
        return GOAT_OK;
    }
    gt_undoing_free(r);
    *out = NULL;
    return status;
}

void gt_undoing_free(gt_undoing *r) {
    if (r == NULL) return;
    for (int i = 0; i < WORLDS; i++) {
        gt_buf_free(&r->worlds[i].state);
        gt_kept_free(r->worlds[i].kept);
    }
    gt_arena_free(&r->arena);
    gt_free(r->alloc, r);
}

goat_status gt_undoing_step(gt_undoing *r, uint32_t *budget, bool *done, gt_diag *diag) {
    goat_status status = GOAT_OK;
    r->diag = diag;
    while (status == GOAT_OK && r->next<WORLDS && * budget> 0) {
        bool is_wanted = (r->wanted & 1u << r->next) != 0;
        if (is_wanted) status = replay_some(r, r->next, budget);
        if (!is_wanted || r->worlds[r->next].count == r->what.step_count) r->next++;
    }
    while (r->next < WORLDS && (r->wanted & 1u << r->next) == 0) r->next++;
    *done = r->next == WORLDS;
    return status;
}

goat_status gt_undoing_write(gt_undoing *r, uint32_t *budget, gt_buf *view, gt_buf *delta, uint64_t *work,
                             gt_diag *diag) {
    size_t view_len = view->len, delta_len = delta->len;
    r->diag = diag;
    goat_status status = make_delta(r, view, delta);
    if (status != GOAT_OK) {
        view->len = view_len;
        delta->len = delta_len;
    }
    spend_on_writing(r, VIEW, budget);
    if (work != NULL) *work += r->work;
    return status;
}

goat_status gt_merge_revert(const gt_alloc *alloc, const gt_reverting *what, gt_buf *view, gt_buf *delta,
                            uint64_t *work, gt_diag *diag) {
    gt_undoing *r;
    uint32_t budget = UINT32_MAX;
    bool done = false;
    goat_status status = gt_undoing_begin(alloc, what, &r, diag);
    for (; status == GOAT_OK && !done; budget = UINT32_MAX) status = gt_undoing_step(r, &budget, &done, diag);
    if (status == GOAT_OK) status = gt_undoing_write(r, &budget, view, delta, work, diag);
    gt_undoing_free(r);
    return status;
}
