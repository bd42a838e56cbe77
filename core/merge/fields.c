/* Each field's type says what becomes of it, and the answers take their places between the fields of the base that nobody
 * touched, which are copied as they lie. The cost is that of the edits and of one walk over the base up to the last field
 * touched. Items and objects are alike in this; what only objects have is that the whole of one is unset. */
#include "merge/fields.h"

/* Brings the edits of several steps into the order of fields: a counting sort, which is stable. */
static bool sort(gt_replay *replay, const gt_schema *schema, gt_field_edits *all) {
    if (replay->step_count < 2 || all->count < 2) {
        return true;
    }
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

bool gt_fields_sort(gt_replay *replay, const gt_schema *schema, gt_field_edits *all, gt_histories *histories) {
    size_t count = 0;
    if (!sort(replay, schema, all)) {
        return false;
    }
    for (uint32_t i = 0; i < all->count; i++) {
        count += i == 0 || all->edits[i].field != all->edits[i - 1].field;
    }
    gt_field_history *of = gt_arena_new(&replay->arena, count, sizeof *of);
    *histories = (gt_histories){of, count};
    if (of == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < all->count; i++) {
        bool is_first = i == 0 || all->edits[i].field != all->edits[i - 1].field;
        if (is_first && i > 0) {
            of++;
        }
        if (is_first) {
            of->field = all->edits[i].field;
            of->edits = &all->edits[i];
        }
        of->count++;
    }
    return true;
}

/* ---- writing ---- */

typedef struct writer {
    gt_replay *replay;
    gt_buf *out;
    gt_iter base;
    gt_bytes key, value;     /* the next field of the base; key.data NULL at the end */
    const uint8_t *copied;   /* where what is to be copied from the base begins */
    size_t count;            /* fields written or to be copied */
    const gt_unsets *unsets; /* NULL: none */
    gt_field_edit *scratch;  /* room for one field's edits among the unsets */
    bool copies;             /* false: nothing of the base is left */
    size_t begin, max;       /* of the fields; and how many bytes of them are shown */
} writer;

static void next_of_base(writer *w) {
    if (!gt_map_next_pair(&w->base, &w->key, &w->value)) {
        w->key = gt_bytes_of(NULL, 0);
    }
}

/* Copies the fields of the base before `end`. */
static void copy_until(writer *w, const uint8_t *end) {
    if (w->copied != NULL && end != w->copied && w->copies) {
        gt_buf_append(w->out, w->copied, (size_t)(end - w->copied));
    }
    w->copied = end;
}

/* Passes the fields before `name`; gives the base's value of `name`, data NULL if it has none. */
static gt_bytes find_in_base(writer *w, gt_bytes name) {
    gt_bytes text;
    for (; w->key.data != NULL; next_of_base(w), w->count += w->copies) {
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

/* ---- in an object that was unset ---- */

static gt_bytes unset_edit(void) {
    static const uint8_t undefined[] = {0xf7};
    return gt_bytes_of(undefined, sizeof undefined);
}

/* Whether edits of the type say places in what edits before them made, or hold such edits: then those which an unset has
 * seen are still to be there, and the unset among them. Of other types nothing is left that an unset has seen, and it is
 * as if it had never been. (For a single value that is more than the unset of the field would say, which is a write as
 * any other: one that it has not seen is not weighed against it.) */
static bool has_places(gt_type type) {
    switch (type) {
    case GT_TYPE_LIST:
    case GT_TYPE_OBJECT:
    case GT_TYPE_TEXT:
    case GT_TYPE_RICHTEXT: return true;
    default: return false;
    }
}

/* The edits of one field with those that unset all of the object, in the order of steps. */
static void join_unsets(writer *w, gt_field_history *history) {
    const gt_unsets *unsets = w->unsets;
    uint32_t count = 0, next = 0;
    for (uint32_t i = 0; i <= history->count; i++) {
        uint32_t until = i < history->count ? history->edits[i].step : UINT32_MAX;
        for (; next < unsets->count && unsets->steps[next] < until; next++) {
            w->scratch[count++] = (gt_field_edit){history->field, unset_edit(), unsets->steps[next]};
        }
        if (i < history->count) {
            w->scratch[count++] = history->edits[i];
        }
    }
    history->edits = w->scratch;
    history->count = count;
}

static void forget_seen(writer *w, gt_field_history *history) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < history->count; i++) {
        if (!gt_past_has(w->unsets->past, history->edits[i].step)) {
            w->scratch[count++] = history->edits[i];
        }
    }
    history->base = gt_bytes_of(NULL, 0);
    history->edits = w->scratch;
    history->count = count;
}

/* ---- fields ---- */

static goat_status write_field(writer *w, const gt_field_history *history) {
    const gt_field_edit *edit = &history->edits[0];
    size_t before = w->out->len;
    goat_status status = GOAT_OK;
    gt_write_text(w->out, history->field->name);
    size_t behind = w->out->len;
    if (history->count > 1 || gt_edit_is_void(w->replay, edit)) {
        status = gt_merge_type_of(history->field)->replay(w->replay, history, w->out);
    } else {
        status = gt_edit_apply(history->field, history->base, edit->edit, w->out, w->replay->diag);
    }
    if (status == GOAT_OK) gt_trim_field(history->field, w->out, behind);
    if (w->out->len == behind) {
        w->out->len = before;
    } else {
        w->count++;
    }
    return status;
}

static goat_status write_fields(writer *w, const gt_histories *histories) {
    goat_status status = GOAT_OK;
    for (size_t i = 0; status == GOAT_OK && i < histories->count; i++) {
        if (w->out->len - w->begin > w->max) return GOAT_OK; /* what else there is would be cut off */
        gt_field_history history = histories->of[i];
        if (history.count == 0) {
            continue;
        }
        history.base = gt_edit_base(history.field, find_in_base(w, history.field->name));
        if (w->unsets != NULL && has_places(history.field->type)) {
            join_unsets(w, &history);
        } else if (!w->copies) {
            forget_seen(w, &history);
        }
        status = history.count == 0 ? GOAT_OK : write_field(w, &history);
    }
    if (w->copied != NULL && w->copies) {
        w->count += w->base.left + (w->key.data != NULL ? 1 : 0);
        copy_until(w, w->base.end);
    }
    return status;
}

static goat_status write_map(writer *w, gt_bytes base, bool deleted, const gt_histories *histories) {
    if (base.data != NULL) {
        w->base = gt_map_iter(base);
        w->copied = w->base.next;
        next_of_base(w);
        if (w->key.data != NULL && w->key.data[0] == 0) { /* the tombstone is written anew */
            w->copied = w->value.data + w->value.len;
            next_of_base(w);
        }
    }
    size_t most = w->base.left + 1 + histories->count + 1;
    gt_counted counted = gt_counted_begin(w->out, true, most);
    w->begin = w->out->len;
    if (deleted) {
        gt_write_int(w->out, 0);
        gt_write_bool(w->out, true);
        w->count++;
    }
    goat_status status = write_fields(w, histories);
    if (status == GOAT_OK && gt_buf_failed(w->out)) {
        status = gt_no_memory(w->replay->diag);
    }
    if (status != GOAT_OK) {
        w->out->len = counted.begin;
        return status;
    }
    gt_counted_end(&counted, w->count);
    gt_trim_map(w->out, counted.begin, w->max);
    return GOAT_OK;
}

goat_status gt_fields_write(gt_replay *replay, gt_bytes base, bool deleted, const gt_histories *histories,
                            const gt_unsets *unsets, size_t max, gt_buf *out) {
    writer w = {
        .replay = replay, .out = out, .unsets = unsets, .copies = unsets == NULL || !unsets->remove, .max = max};
    if (unsets != NULL) {
        size_t most = 0;
        for (size_t i = 0; i < histories->count; i++) {
            most = histories->of[i].count > most ? histories->of[i].count : most;
        }
        w.scratch = gt_new(replay->arena.alloc, most + unsets->count + 1, sizeof *w.scratch);
        if (w.scratch == NULL) {
            return gt_no_memory(replay->diag);
        }
    }
    goat_status status = write_map(&w, base, deleted, histories);
    gt_free(replay->arena.alloc, w.scratch);
    return status;
}
