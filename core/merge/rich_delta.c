/* Deltas of Quill's made into edits: positions counted in UTF-16 units, an embed being one, into elements. Other than a state or a
 * commit a Delta comes from an editor, so what says the same in another form is taken: neighbours that could be one operation,
 * attributes that are null where something is inserted, something kept at the end. */
#include "merge/rich_delta.h"

#include "merge/rich_runs.h"
#include "merge/type.h"

enum { UNITS_MAX = 1 << 30 }; /* of one operation; GT_RUN_COUNT_MAX as elements */

/* The operation that is being read. */
typedef struct reader {
    uint64_t at; /* its number */
    gt_diag *diag;
} reader;

static goat_status refuse(const reader *r, const char *words) {
    return gt_fail_at(r->diag, GOAT_INVALID, r->at, "operation %llu of the Delta %s", (unsigned long long)r->at, words);
}

goat_status gt_delta_refuse_end(uint64_t at, gt_diag *diag) {
    return refuse(&(reader){at, diag}, "goes beyond the document's end");
}

goat_status gt_delta_refuse_inside(uint64_t at, gt_diag *diag) {
    return refuse(&(reader){at, diag}, "ends inside of a code point");
}

/* ---- one operation ---- */

static goat_status read_count(const reader *r, gt_bytes value, uint64_t *count) {
    int64_t number = 0;
    if (!gt_value_as_int64(value, &number)) {
        bool is_map = gt_value_kind(value) == GT_KIND_MAP;
        return refuse(r,
                      is_map ? "changes the inside of an embed, which is not supported" : "has a count that is none");
    }
    if (number <= 0) return refuse(r, "has a count that is not above zero");
    if (number > UNITS_MAX) return refuse(r, "has a count that no document reaches");
    *count = (uint64_t)number;
    return GOAT_OK;
}

static goat_status read_insert(const reader *r, gt_bytes value) {
    const char *fault = gt_value_kind(value) == GT_KIND_TEXT ? NULL : gt_rich_embed_fault(value);
    return fault == NULL ? GOAT_OK : refuse(r, fault);
}

static goat_status read_attributes(const reader *r, gt_bytes value) {
    if (gt_value_kind(value) != GT_KIND_MAP) return refuse(r, "has attributes that are no map");
    return value.len <= GT_RICH_ATTRIBUTES_MAX ? GOAT_OK : refuse(r, "has attributes of more than 4096 bytes");
}

goat_status gt_delta_read(gt_bytes map, uint64_t at, gt_delta_operation *op, gt_diag *diag) {
    const reader own = {at, diag}, *r = &own;
    gt_iter iter = gt_map_iter(map);
    gt_bytes name, value;
    unsigned kinds = 0;
    goat_status status = GOAT_OK;
    *op = (gt_delta_operation){0};
    if (gt_value_kind(map) != GT_KIND_MAP) return refuse(r, "is not a map");
    while (status == GOAT_OK && gt_map_next(&iter, &name, &value)) {
        if (gt_bytes_equal(name, gt_bytes_text("insert"))) {
            op->insert = value;
            status = read_insert(r, value);
        } else if (gt_bytes_equal(name, gt_bytes_text("retain"))) {
            status = read_count(r, value, &op->keep);
        } else if (gt_bytes_equal(name, gt_bytes_text("delete"))) {
            status = read_count(r, value, &op->remove);
        } else if (gt_bytes_equal(name, gt_bytes_text("attributes"))) {
            op->attributes = value;
            status = read_attributes(r, value);
            continue;
        } else {
            return refuse(r, "has something other than \"insert\", \"retain\", \"delete\" and \"attributes\"");
        }
        kinds++;
    }
    if (status == GOAT_OK && kinds != 1) return refuse(r, "is not one of \"insert\", \"retain\" and \"delete\"");
    if (status == GOAT_OK && op->remove > 0 && op->attributes.data != NULL) {
        return refuse(r, "deletes, and has attributes");
    }
    if (op->attributes.data != NULL && gt_value_count(op->attributes) == 0) op->attributes = (gt_bytes){0};
    return status;
}

goat_status gt_delta_operations(gt_bytes delta, gt_iter *operations, gt_diag *diag) {
    if (gt_value_kind(delta) == GT_KIND_MAP && gt_value_count(delta) == 1)
        delta = gt_map_find(delta, gt_bytes_text("ops"));
    if (delta.data == NULL || gt_value_kind(delta) != GT_KIND_ARRAY) {
        return gt_fail(diag, GOAT_INVALID, "a Delta is neither an array of operations nor a map with one as \"ops\"");
    }
    *operations = gt_array_iter(delta);
    return GOAT_OK;
}

/* ---- going along the document ---- */

bool gt_delta_take(gt_rich_piece *piece, uint64_t *units, gt_rich_piece *taken) {
    uint64_t count = 0, used = 0;
    if (piece->is_embed) {
        count = used = 1;
    }
    for (size_t at = 0; !piece->is_embed && at < piece->content.len && used < *units;) {
        uint8_t byte = piece->content.data[at];
        at += byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        used += byte < 0xf0 ? 1 : 2;
        count++;
    }
    if (used > *units) return false;
    *units -= used;
    *taken = gt_rich_take(piece, count);
    return true;
}

bool gt_delta_changes(const gt_rich_piece *piece, gt_bytes attributes, gt_buf *scratch) {
    scratch->len = 0;
    gt_rich_attributes_compose(piece->attributes, attributes, false, scratch);
    return !gt_bytes_equal(gt_buf_bytes(scratch), piece->attributes);
}

typedef struct walk {
    gt_iter base;
    gt_rich_piece piece; /* of the base, the next one */
    gt_rich_run_writer writer;
    gt_buf attributes;
    uint64_t number; /* of the operation */
    gt_diag *diag;
} walk;

/* Goes over so many units; gives their elements, and whether attributes would change something about them. */
static goat_status go(walk *w, uint64_t units, gt_bytes attributes, uint64_t *elements, bool *changes) {
    *elements = 0;
    *changes = false;
    while (units > 0) {
        gt_rich_piece taken;
        if (w->piece.count == 0 && !gt_rich_next(&w->base, &w->piece)) return gt_delta_refuse_end(w->number, w->diag);
        if (!gt_delta_take(&w->piece, &units, &taken)) return gt_delta_refuse_inside(w->number, w->diag);
        *elements += taken.count;
        if (attributes.data != NULL && !*changes) *changes = gt_delta_changes(&taken, attributes, &w->attributes);
    }
    return GOAT_OK;
}

static goat_status take_operation(walk *w, const gt_delta_operation *op) {
    uint64_t elements;
    bool changes;
    if (op->insert.data != NULL) {
        gt_rich_piece piece = gt_rich_piece_of(op->insert, op->attributes);
        gt_rich_run_insert(&w->writer, &piece);
        return GOAT_OK;
    }
    goat_status status = go(w, op->keep + op->remove, op->attributes, &elements, &changes);
    if (status != GOAT_OK) return status;
    if (op->remove > 0) {
        gt_rich_run_remove(&w->writer, elements);
    } else {
        gt_rich_run_keep(&w->writer, elements, changes ? op->attributes : (gt_bytes){0});
    }
    return GOAT_OK;
}

static goat_status take_all(walk *w, gt_iter operations) {
    goat_status status = GOAT_OK;
    gt_bytes map;
    for (; status == GOAT_OK && gt_array_next(&operations, &map); w->number++) {
        gt_delta_operation op;
        status = gt_delta_read(map, w->number, &op, w->diag);
        if (status == GOAT_OK) status = take_operation(w, &op);
    }
    return status;
}

goat_status gt_rich_write_delta(gt_bytes base, gt_bytes delta, gt_buf *edit, gt_diag *diag) {
    walk w = {.base = gt_rich_iter(base), .diag = diag};
    gt_iter operations;
    gt_buf runs;
    goat_status status = gt_delta_operations(delta, &operations, diag);
    if (status != GOAT_OK) return status;
    gt_buf_init(&runs, edit->alloc);
    gt_buf_init(&w.attributes, edit->alloc);
    gt_rich_run_writer_init(&w.writer, edit->alloc);
    status = take_all(&w, operations);
    if (gt_buf_failed(&w.attributes)) runs.failed = true;
    gt_rich_run_writer_end(&w.writer, &runs);
    if (status == GOAT_OK && gt_buf_failed(&runs)) status = gt_no_memory(diag);
    if (status == GOAT_OK && runs.len > 0) {
        if (base.data == NULL) { /* a field that is not there begins with a whole document */
            gt_merge_rich.apply(base, gt_buf_bytes(&runs), edit);
        } else {
            gt_buf_append(edit, runs.data, runs.len);
        }
    }
    gt_buf_free(&w.attributes);
    gt_buf_free(&runs);
    return status;
}
