/* Deltas of Quill's made into edits: positions counted in UTF-16 units, an embed being one, into elements. Other than a state or a
 * commit a Delta comes from an editor, so what says the same in another form is taken: neighbours that could be one operation,
 * attributes that are null where something is inserted, something kept at the end. */
#include "merge/rich_runs.h"
#include "merge/type.h"

enum { UNITS_MAX = 1 << 30 }; /* of one operation; GT_RUN_COUNT_MAX as elements */

typedef struct reader {
    gt_iter base;
    gt_rich_piece piece; /* of the base, the next one */
    gt_rich_run_writer writer;
    gt_buf attributes;
    uint64_t at; /* number of the operation */
    gt_diag *diag;
} reader;

typedef struct operation {
    gt_bytes insert, attributes; /* data NULL: none */
    uint64_t keep, remove;
} operation;

static goat_status refuse(reader *r, const char *words) {
    return gt_fail_at(r->diag, GOAT_INVALID, r->at, "operation %llu of the Delta %s", (unsigned long long)r->at, words);
}

/* ---- one operation ---- */

static goat_status read_count(reader *r, gt_bytes value, uint64_t *count) {
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

static goat_status read_insert(reader *r, gt_bytes value) {
    const char *fault = gt_value_kind(value) == GT_KIND_TEXT ? NULL : gt_rich_embed_fault(value);
    return fault == NULL ? GOAT_OK : refuse(r, fault);
}

static goat_status read_attributes(reader *r, gt_bytes value) {
    if (gt_value_kind(value) != GT_KIND_MAP) return refuse(r, "has attributes that are no map");
    return value.len <= GT_RICH_ATTRIBUTES_MAX ? GOAT_OK : refuse(r, "has attributes of more than 4096 bytes");
}

static goat_status read_operation(reader *r, gt_bytes map, operation *op) {
    gt_iter iter = gt_map_iter(map);
    gt_bytes name, value;
    unsigned kinds = 0;
    goat_status status = GOAT_OK;
    *op = (operation){0};
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

/* ---- going along the document ---- */

/* Elements in the first `*units` UTF-16 units of a piece, which are taken off it. False where that is inside of one. */
static bool take_units(gt_rich_piece *piece, uint64_t *units, gt_rich_piece *taken) {
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

/* Goes over so many units; gives their elements, and whether attributes would change something about them. */
static goat_status go(reader *r, uint64_t units, gt_bytes attributes, uint64_t *elements, bool *changes) {
    *elements = 0;
    *changes = false;
    while (units > 0) {
        gt_rich_piece taken;
        if (r->piece.count == 0 && !gt_rich_next(&r->base, &r->piece))
            return refuse(r, "goes beyond the document's end");
        if (!take_units(&r->piece, &units, &taken)) return refuse(r, "ends inside of a code point");
        *elements += taken.count;
        if (attributes.data == NULL || *changes) continue;
        r->attributes.len = 0;
        gt_rich_attributes_compose(taken.attributes, attributes, false, &r->attributes);
        *changes = !gt_bytes_equal(gt_buf_bytes(&r->attributes), taken.attributes);
    }
    return GOAT_OK;
}

static goat_status take_operation(reader *r, const operation *op) {
    uint64_t elements;
    bool changes;
    if (op->insert.data != NULL) {
        gt_rich_piece piece = gt_rich_piece_of(op->insert, op->attributes);
        gt_rich_run_insert(&r->writer, &piece);
        return GOAT_OK;
    }
    goat_status status = go(r, op->keep + op->remove, op->attributes, &elements, &changes);
    if (status != GOAT_OK) return status;
    if (op->remove > 0) {
        gt_rich_run_remove(&r->writer, elements);
    } else {
        gt_rich_run_keep(&r->writer, elements, changes ? op->attributes : (gt_bytes){0});
    }
    return GOAT_OK;
}

static goat_status take_all(reader *r, gt_bytes delta) {
    goat_status status = GOAT_OK;
    gt_bytes map;
    for (gt_iter iter = gt_array_iter(delta); status == GOAT_OK && gt_array_next(&iter, &map); r->at++) {
        operation op;
        status = read_operation(r, map, &op);
        if (status == GOAT_OK) status = take_operation(r, &op);
        if (status != GOAT_OK) break;
    }
    return status;
}

goat_status gt_rich_write_delta(gt_bytes base, gt_bytes delta, gt_buf *edit, gt_diag *diag) {
    reader r = {.base = gt_rich_iter(base), .diag = diag};
    if (gt_value_kind(delta) == GT_KIND_MAP && gt_value_count(delta) == 1)
        delta = gt_map_find(delta, gt_bytes_text("ops"));
    if (delta.data == NULL || gt_value_kind(delta) != GT_KIND_ARRAY) {
        return gt_fail(diag, GOAT_INVALID, "a Delta is neither an array of operations nor a map with one as \"ops\"");
    }
    gt_buf runs;
    gt_buf_init(&runs, edit->alloc);
    gt_buf_init(&r.attributes, edit->alloc);
    gt_rich_run_writer_init(&r.writer, edit->alloc);
    goat_status status = take_all(&r, delta);
    if (gt_buf_failed(&r.attributes)) runs.failed = true;
    gt_rich_run_writer_end(&r.writer, &runs);
    if (status == GOAT_OK && gt_buf_failed(&runs)) status = gt_no_memory(diag);
    if (status == GOAT_OK && runs.len > 0) {
        if (base.data == NULL) { /* a field that is not there begins with a whole document */
            gt_merge_rich.apply(base, gt_buf_bytes(&runs), edit);
        } else {
            gt_buf_append(edit, runs.data, runs.len);
        }
    }
    gt_buf_free(&r.attributes);
    gt_buf_free(&runs);
    return status;
}
