#include "merge/rich_index.h"

#include "merge/rich_delta.h"
#include "merge/rich_parts.h"
#include "merge/type.h"

struct gt_rich_index {
    const gt_alloc *alloc;
    const gt_field *field;
    gt_bytes base;  /* a document; data NULL: unset */
    bool has_value; /* false: the field is unset, and the document that is none is empty */
    bool is_whole;  /* the edit is the value, and parts have none */
    gt_rich_parts parts;
    uint64_t count, weight; /* of all parts */
    size_t edited;          /* parts that have an edit */
};

/* What a Delta makes of a part. */
typedef struct change {
    size_t part;
    gt_rich_part now;
} change;

/* Where a Delta is in the document. */
typedef struct place {
    size_t part;
    bool is_in; /* false: before all that is in it */
    gt_rich_reader reader;
    gt_rich_piece piece; /* what is next of the part, maybe nothing */
} place;

typedef struct walk {
    gt_rich_index *index;
    place at;
    gt_rich_run_writer writer; /* what is done to the part, while the place is in it */
    change *changes;
    size_t count, capacity;
    uint64_t number; /* of the operation */
    gt_buf scratch;
    gt_diag *diag;
} walk;

/* ---- one part ---- */

static void write_part(const gt_rich_part *part, gt_buf *document) {
    gt_rich_reader reader = gt_rich_part_read(part);
    gt_rich_writer writer;
    gt_rich_piece piece;
    gt_rich_writer_init(&writer, document);
    while (gt_rich_reader_next(&reader, UINT64_MAX, &piece)) gt_rich_put(&writer, &piece);
    gt_rich_writer_end(&writer);
}

/* Notes what the runs in `single` make of a part. */
static goat_status change_part(walk *w, const gt_rich_part *part, gt_bytes single) {
    gt_buf both, document;
    gt_buf_init(&both, w->index->alloc);
    gt_buf_init(&document, w->index->alloc);
    gt_bytes edit = gt_rich_part_edit(part);
    change *made = NULL;
    if (!w->index->is_whole && edit.data != NULL) gt_rich_compose_runs(edit, single, part->base_count, &both);
    if (!w->index->is_whole && edit.data == NULL) gt_buf_append(&both, single.data, single.len);
    size_t edit_len = both.len;
    bool fits = gt_buf_failed(&both) || gt_rich_edit_fits(gt_buf_bytes(&both));
    write_part(part, &document);
    if (!gt_buf_failed(&document)) gt_merge_rich.apply(gt_buf_bytes(&document), single, &both);
    if (fits && !gt_buf_failed(&document) && !gt_buf_failed(&both) &&
        gt_reserve(w->index->alloc, (void **)(void *)&w->changes, w->count, &w->capacity, sizeof(*w->changes))) {
        made = &w->changes[w->count++];
        *made = (change){.part = w->at.part, .now = {.base_count = part->base_count}};
        gt_rich_part_set(&made->now, &both, edit_len);
        if (w->index->is_whole) made->now.base_count = made->now.count; /* nobody asks what it was */
    }
    gt_buf_free(&document);
    gt_buf_free(&both);
    if (!fits) return gt_rich_refuse_attributes(w->index->field, w->diag);
    return made != NULL ? GOAT_OK : gt_no_memory(w->diag);
}

/* ---- going along ---- */

static const gt_rich_part *part_at(const walk *w, const place *at) { return &w->index->parts.list[at->part]; }

static bool is_last(const walk *w, const place *at) { return at->part + 1 == w->index->parts.count; }

static void enter(walk *w, place *at) {
    if (at->is_in) return;
    at->is_in = true;
    at->reader = gt_rich_part_read(part_at(w, at));
    at->piece = (gt_rich_piece){0};
    if (at == &w->at) gt_rich_run_writer_init(&w->writer, w->index->alloc);
}

/* Ends what is done to the part, which is `kept` but when something has failed. */
static goat_status leave(walk *w, bool kept) {
    gt_buf single;
    if (!w->at.is_in) return GOAT_OK;
    gt_buf_init(&single, w->index->alloc);
    gt_rich_run_writer_end(&w->writer, &single);
    goat_status status = gt_buf_failed(&single) ? gt_no_memory(w->diag) : GOAT_OK;
    if (status == GOAT_OK && kept && single.len > 0) status = change_part(w, part_at(w, &w->at), gt_buf_bytes(&single));
    gt_buf_free(&single);
    w->at.is_in = false;
    return status;
}

static bool is_piece_left(place *at) {
    return at->piece.count > 0 || gt_rich_reader_next(&at->reader, UINT64_MAX, &at->piece);
}

/* Whether it is enough to know how long the part at hand is. The end of a part is the beginning of the next. */
static bool is_passed_over(const walk *w, const place *at, uint64_t units) {
    const gt_rich_part *part = part_at(w, at);
    return !at->is_in && !is_last(w, at) && units >= part->units;
}

/* Whether attributes change anything about what they are given to, looked at whole. */
static goat_status look(walk *w, uint64_t units, gt_bytes attributes, bool *changes) {
    place at = w->at;
    gt_rich_piece taken;
    *changes = false;
    while (units > 0 && !*changes) {
        enter(w, &at);
        if (!is_piece_left(&at)) {
            if (is_last(w, &at)) return gt_delta_refuse_end(w->number, w->diag);
            at.part++;
            at.is_in = false;
            continue;
        }
        if (!gt_delta_take(&at.piece, &units, &taken)) return gt_delta_refuse_inside(w->number, w->diag);
        *changes = gt_delta_changes(&taken, attributes, &w->scratch);
    }
    return gt_buf_failed(&w->scratch) ? gt_no_memory(w->diag) : GOAT_OK;
}

/* Goes over so many units, which are removed or kept with attributes (data NULL: as they are). */
static goat_status go(walk *w, uint64_t units, bool removes, gt_bytes attributes) {
    gt_rich_piece taken;
    goat_status status;
    while (units > 0) {
        if (!removes && attributes.data == NULL && is_passed_over(w, &w->at, units)) {
            units -= part_at(w, &w->at)->units;
            w->at.part++;
            continue;
        }
        enter(w, &w->at);
        if (!is_piece_left(&w->at)) {
            if (is_last(w, &w->at)) return gt_delta_refuse_end(w->number, w->diag);
            if ((status = leave(w, true)) != GOAT_OK) return status;
            w->at.part++;
            continue;
        }
        if (!gt_delta_take(&w->at.piece, &units, &taken)) return gt_delta_refuse_inside(w->number, w->diag);
        if (removes) {
            gt_rich_run_remove(&w->writer, taken.count);
        } else {
            gt_rich_run_keep(&w->writer, taken.count, attributes);
        }
    }
    return GOAT_OK;
}

static goat_status take_operation(walk *w, const gt_delta_operation *op) {
    bool changes = false;
    goat_status status = GOAT_OK;
    if (op->insert.data != NULL) {
        gt_rich_piece piece = gt_rich_piece_of(op->insert, op->attributes);
        enter(w, &w->at);
        gt_rich_run_insert(&w->writer, &piece);
        return GOAT_OK;
    }
    if (op->attributes.data != NULL) status = look(w, op->keep, op->attributes, &changes);
    if (status != GOAT_OK) return status;
    return go(w, op->keep + op->remove, op->remove > 0, changes ? op->attributes : (gt_bytes){0});
}

static goat_status take_all(walk *w, gt_bytes delta) {
    gt_iter operations;
    gt_bytes map;
    goat_status status = gt_delta_operations(delta, &operations, w->diag);
    for (; status == GOAT_OK && gt_array_next(&operations, &map); w->number++) {
        gt_delta_operation op;
        status = gt_delta_read(map, w->number, &op, w->diag);
        if (status == GOAT_OK) status = take_operation(w, &op);
    }
    if (status == GOAT_OK) return leave(w, true);
    leave(w, false); /* what failed first is said */
    return status;
}

/* ---- Deltas ---- */

/* True where no limit has to be asked. */
static bool may_be(const gt_rich_index *index, uint64_t count, uint64_t weight) {
    return count >= index->field->min_length && count <= index->field->max_length && weight <= GOAT_VALUE_MAX;
}

static void count_part(gt_rich_index *index, const gt_rich_part *part, bool adds) {
    uint64_t one = adds ? 1 : UINT64_MAX; /* modulo 2^64 */
    index->count += one * part->count;
    index->weight += one * part->weight;
    index->edited += (size_t)one * (gt_rich_part_edit(part).data != NULL);
}

/* Takes the changes in if what they come to may be; backwards, for parts that are cut move those behind them. */
static bool take_in(walk *w) {
    gt_rich_index *index = w->index;
    uint64_t count = index->count, weight = index->weight;
    for (size_t i = 0; i < w->count; i++) {
        const gt_rich_part *was = &index->parts.list[w->changes[i].part], *now = &w->changes[i].now;
        count += now->count - was->count;
        weight += now->weight - was->weight;
    }
    if (!may_be(index, count, weight)) return false;
    index->has_value = index->has_value || w->count > 0;
    while (w->count > 0) {
        const change *one = &w->changes[--w->count];
        gt_rich_part *part = &index->parts.list[one->part];
        count_part(index, part, false);
        gt_free(index->alloc, part->own);
        *part = one->now;
        size_t parts = index->parts.count;
        count_part(index, part, true);
        if (one->now.bulk <= GT_RICH_PART_MAX) continue;
        count_part(index, part, false);
        gt_rich_parts_cut(&index->parts, one->part); /* without memory it stays as heavy as it is */
        for (size_t i = 0; i <= index->parts.count - parts; i++) {
            count_part(index, &index->parts.list[one->part + i], true);
        }
    }
    return true;
}

goat_status gt_rich_index_delta(gt_rich_index *index, gt_bytes delta, bool *made, gt_diag *diag) {
    walk w = {.index = index, .diag = diag};
    gt_buf_init(&w.scratch, index->alloc);
    goat_status status = take_all(&w, delta);
    *made = status == GOAT_OK && take_in(&w);
    while (w.count > 0) gt_free(index->alloc, w.changes[--w.count].now.own);
    gt_free(index->alloc, w.changes);
    gt_buf_free(&w.scratch);
    return status;
}

/* ---- what it comes to ---- */

uint64_t gt_rich_index_count(const gt_rich_index *index) { return index->count; }

void gt_rich_index_value(const gt_rich_index *index, gt_buf *value) {
    if (index->has_value) gt_rich_parts_value(&index->parts, value);
}

/* Whether the base goes on with the piece. */
static bool is_next(gt_rich_reader *base, gt_rich_piece piece) {
    gt_rich_piece other;
    while (piece.count > 0) {
        if (!gt_rich_reader_next(base, piece.count, &other)) return false;
        gt_rich_piece same = gt_rich_take(&piece, other.count);
        if (same.is_embed != other.is_embed || !gt_bytes_equal(same.content, other.content) ||
            !gt_bytes_equal(same.attributes, other.attributes)) {
            return false;
        }
    }
    return true;
}

/* A document that takes the place of another may be the same. It is gone along with it and not written, for whoever asks has edited
 * already, and nothing may fail. */
static bool is_base(const gt_rich_index *index) {
    gt_rich_reader base = {.rest = gt_rich_iter(index->base), .left = UINT64_MAX};
    gt_rich_piece piece;
    uint64_t at;
    if (index->base.data == NULL || gt_rich_count(index->base) != index->count) return false;
    for (size_t i = 0; i < index->parts.count; i++) {
        gt_rich_reader reader = gt_rich_part_read(&index->parts.list[i]);
        while (gt_rich_reader_next(&reader, UINT64_MAX, &piece)) {
            if (!is_next(&base, piece)) return false;
        }
    }
    return gt_rich_fault(index->base, true, &at) == NULL; /* in another form it is written anew */
}

bool gt_rich_index_is_edit(const gt_rich_index *index) {
    if (!index->is_whole) return index->edited > 0;
    return index->has_value ? !is_base(index) : index->base.data != NULL;
}

void gt_rich_index_edit(const gt_rich_index *index, gt_buf *edit) {
    if (!gt_rich_index_is_edit(index)) return;
    if (!index->is_whole) {
        gt_rich_parts_edit(&index->parts, edit);
    } else if (index->has_value) {
        gt_rich_parts_value(&index->parts, edit);
    } else {
        gt_write_undefined(edit);
    }
}

/* ---- life ---- */

/* All that was edited already is one part at first. */
static bool begin_with(gt_rich_index *index, gt_bytes edit, gt_bytes value) {
    gt_rich_part part = {.base_count = gt_rich_count(index->base)};
    gt_buf both;
    gt_buf_init(&both, index->alloc);
    gt_buf_append(&both, edit.data, edit.len);
    gt_buf_append(&both, value.data, value.len);
    index->parts.list = gt_buf_failed(&both) ? NULL : gt_new(index->alloc, 1, sizeof(part));
    bool good = index->parts.list != NULL;
    if (good) {
        index->parts.count = index->parts.capacity = 1;
        gt_rich_part_set(&part, &both, edit.len);
        index->parts.list[0] = part;
        good = gt_rich_parts_cut(&index->parts, 0);
    }
    gt_buf_free(&both);
    return good;
}

goat_status gt_rich_index_new(const gt_alloc *alloc, const gt_field *field, gt_bytes base, gt_bytes edit,
                              gt_bytes value, gt_rich_index **out, gt_diag *diag) {
    gt_rich_index *index = gt_new(alloc, 1, sizeof(*index));
    bool is_usual = true;
    *out = NULL;
    if (index == NULL) return gt_no_memory(diag);
    index->alloc = index->parts.alloc = alloc;
    index->field = field;
    index->base = gt_edit_base(field, base);
    value = value.data == base.data ? index->base : gt_edit_base(field, value); /* which looks at all of it */
    index->has_value = value.data != NULL;
    index->is_whole = index->base.data == NULL || (edit.data != NULL && gt_value_kind(edit) != GT_KIND_MAP);
    bool good = edit.data == NULL || index->is_whole ? gt_rich_parts_lay(&index->parts, value, &is_usual)
                                                     : begin_with(index, edit, value);
    for (size_t i = 0; good && i < index->parts.count; i++) count_part(index, &index->parts.list[i], true);
    if (good && is_usual && index->weight <= GOAT_VALUE_MAX) {
        *out = index;
        return GOAT_OK;
    }
    gt_rich_index_free(index);
    return good ? GOAT_OK : gt_no_memory(diag);
}

void gt_rich_index_free(gt_rich_index *index) {
    if (index == NULL) return;
    gt_rich_parts_free(&index->parts);
    gt_free(index->alloc, index);
}
