#include "merge/rich_parts.h"

#include "base/utf8.h"

#include <string.h>

/* ---- reading ---- */

static bool fill(gt_rich_reader *reader) {
    return reader->piece.count > 0 || gt_rich_next(&reader->rest, &reader->piece);
}

bool gt_rich_reader_next(gt_rich_reader *reader, uint64_t most, gt_rich_piece *piece) {
    if (reader->left == 0 || !fill(reader)) return false;
    if (most > reader->left) most = reader->left;
    *piece = gt_rich_take(&reader->piece, most < reader->piece.count ? most : reader->piece.count);
    reader->left -= piece->count;
    return true;
}

static gt_bytes own_value(const gt_rich_part *part) { return gt_bytes_of(part->own + part->edit_len, part->value_len); }

gt_rich_reader gt_rich_part_read(const gt_rich_part *part) {
    if (part->own == NULL) return part->begin;
    return (gt_rich_reader){.rest = gt_rich_iter(own_value(part)), .left = part->count};
}

gt_bytes gt_rich_part_edit(const gt_rich_part *part) {
    return part->own == NULL || part->edit_len == 0 ? (gt_bytes){0} : gt_bytes_of(part->own, part->edit_len);
}

static gt_run_iter runs_of(const gt_rich_part *part) {
    static const uint8_t none[] = {0xa1, 0x00, 0x80}; /* {0: []} */
    gt_bytes edit = gt_rich_part_edit(part);
    return gt_rich_runs_of(edit.data == NULL ? gt_bytes_of(none, sizeof(none)) : edit, part->base_count);
}

/* ---- what goes into a part ---- */

enum { AROUND = 16 }; /* bytes around what is inserted, and the time that goes with them */

static uint64_t bulk_around(const gt_rich_piece *piece) {
    size_t counted = piece->attributes.len;
    return AROUND + (counted < GT_RICH_PART_ATTRIBUTES ? counted : GT_RICH_PART_ATTRIBUTES);
}

static void add(gt_rich_part *part, const gt_rich_piece *piece) {
    gt_utf8_lengths lengths = {.points = 1};
    if (!piece->is_embed) lengths = gt_utf8_lengths_of(piece->content.data, piece->content.len);
    part->count += piece->count;
    part->units += lengths.points + lengths.pairs;
    part->bulk += bulk_around(piece) + piece->content.len;
    part->weight += AROUND + piece->content.len + piece->attributes.len;
}

/* How much of a piece a part still takes. A heavy embed (an image, maybe) is alone, with a part without anything before it: who types
 * in front of it types there. */
static uint64_t room_for(const gt_rich_parts *parts, const gt_rich_part *part, const gt_rich_piece *piece) {
    uint64_t around = bulk_around(piece), room = GT_RICH_PART_AT_FIRST;
    if (piece->is_embed && piece->content.len > GT_RICH_PART_MAX) {
        bool is_behind_none = parts->count > 0 && parts->list[parts->count - 1].count == 0;
        return part->count == 0 && is_behind_none;
    }
    if (part->bulk >= room) return 0;
    room -= part->bulk;
    uint64_t most = room > around ? room - around : 1;
    return most < piece->count ? most : piece->count;
}

static bool push(gt_rich_parts *parts, const gt_rich_part *part) {
    if (!gt_reserve(parts->alloc, (void **)(void *)&parts->list, parts->count, &parts->capacity,
                    sizeof(*parts->list))) {
        return false;
    }
    parts->list[parts->count++] = *part;
    return true;
}

bool gt_rich_parts_lay(gt_rich_parts *parts, gt_bytes document, bool *is_usual) {
    gt_rich_reader reader = {.rest = gt_rich_iter(document), .left = UINT64_MAX};
    uint64_t weight = 0;
    *is_usual = true;
    do {
        gt_rich_part part = {.begin = reader};
        gt_rich_piece piece = {0};
        uint64_t room;
        while (fill(&reader) && (room = room_for(parts, &part, &reader.piece)) > 0) {
            gt_rich_reader_next(&reader, room, &piece);
            add(&part, &piece);
            if (piece.attributes.data != NULL && gt_rich_attributes_fault(piece.attributes, false) != NULL) {
                *is_usual = false;
            }
        }
        part.base_count = part.begin.left = part.count;
        if (!push(parts, &part)) return false;
        weight += part.weight;
        *is_usual = *is_usual && weight <= GOAT_VALUE_MAX;
    } while (*is_usual && fill(&reader));
    return true;
}

void gt_rich_parts_free(gt_rich_parts *parts) {
    for (size_t i = 0; i < parts->count; i++) gt_free(parts->alloc, parts->list[i].own);
    gt_free(parts->alloc, parts->list);
    *parts = (gt_rich_parts){.alloc = parts->alloc};
}

void gt_rich_part_set(gt_rich_part *part, gt_buf *both, size_t edit_len) {
    gt_rich_piece piece;
    part->own = both->data;
    part->edit_len = edit_len;
    part->value_len = both->len - edit_len;
    part->count = part->units = part->bulk = part->weight = 0;
    for (gt_iter iter = gt_rich_iter(own_value(part)); gt_rich_next(&iter, &piece);) add(part, &piece);
    gt_buf_init(both, both->alloc);
}

/* ---- cutting ---- */

/* One of the parts that another becomes. */
typedef struct piece_of_part {
    gt_rich_part part;
    gt_rich_run_writer edit;
    gt_rich_writer writer;
    gt_buf value;
} piece_of_part;

static void begin_one(piece_of_part *one, const gt_alloc *alloc) {
    *one = (piece_of_part){0};
    gt_buf_init(&one->value, alloc);
    gt_rich_run_writer_init(&one->edit, alloc);
    gt_rich_writer_init(&one->writer, &one->value);
}

static bool end_one(piece_of_part *one, gt_rich_parts *made) {
    gt_buf both;
    gt_buf_init(&both, made->alloc);
    gt_rich_run_writer_end(&one->edit, &both);
    gt_rich_writer_end(&one->writer);
    size_t edit_len = both.len;
    gt_buf_append(&both, one->value.data, one->value.len);
    bool good = !gt_buf_failed(&both) && !gt_buf_failed(&one->value);
    gt_buf_free(&one->value);
    if (good) {
        gt_rich_part_set(&one->part, &both, edit_len);
        good = push(made, &one->part);
        if (!good) gt_free(made->alloc, one->part.own);
    }
    gt_buf_free(&both);
    return good;
}

/* Goes on with a run, in the edit and in the value; false where the part takes no more. */
static bool take_some(piece_of_part *one, const gt_rich_parts *made, gt_run *run, gt_rich_reader *reader) {
    gt_rich_piece piece = {0};
    if (run->kind == GT_RUN_REMOVE) {
        gt_rich_run_remove(&one->edit, run->count);
        one->part.base_count += run->count;
        run->count = 0;
        return true;
    }
    uint64_t room = fill(reader) ? room_for(made, &one->part, &reader->piece) : 0;
    if (room == 0 || !gt_rich_reader_next(reader, room < run->count ? room : run->count, &piece)) return false;
    add(&one->part, &piece);
    gt_rich_put(&one->writer, &piece);
    gt_run part = gt_rich_run_take(run, piece.count);
    if (part.kind == GT_RUN_KEEP) {
        gt_rich_run_keep(&one->edit, part.count, part.value);
        one->part.base_count += part.count;
    } else {
        gt_rich_piece inserted = gt_rich_run_piece(&part);
        gt_rich_run_insert(&one->edit, &inserted);
    }
    return true;
}

static bool cut_into(const gt_rich_part *part, gt_rich_parts *made) {
    gt_rich_reader reader = gt_rich_part_read(part);
    gt_run_iter runs = runs_of(part);
    gt_run run;
    bool good = true;
    for (bool more = gt_run_next(&runs, &run); good && more;) {
        piece_of_part one;
        begin_one(&one, made->alloc);
        while (more && take_some(&one, made, &run, &reader)) {
            if (run.count == 0) more = gt_run_next(&runs, &run);
        }
        good = end_one(&one, made);
    }
    return good;
}

bool gt_rich_parts_cut(gt_rich_parts *parts, size_t number) {
    gt_rich_part *part = &parts->list[number];
    gt_rich_parts made = {.alloc = parts->alloc};
    if (part->bulk <= GT_RICH_PART_MAX || part->count <= 1) return true;
    bool good = cut_into(part, &made);
    while (good && parts->capacity - parts->count < made.count) {
        size_t capacity = parts->capacity + made.count;
        gt_rich_part *list = gt_resize(parts->alloc, parts->list, capacity, sizeof(*list));
        good = list != NULL;
        if (good) parts->list = list;
        if (good) parts->capacity = capacity;
    }
    if (good) {
        part = &parts->list[number];
        gt_free(parts->alloc, part->own);
        memmove(part + made.count, part + 1, (parts->count - number - 1) * sizeof(*part));
        memcpy(part, made.list, made.count * sizeof(*part));
        parts->count += made.count - 1;
        made.count = 0; /* they have moved */
    }
    gt_rich_parts_free(&made);
    return good;
}

/* ---- put together ---- */

void gt_rich_parts_value(const gt_rich_parts *parts, gt_buf *value) {
    gt_rich_writer writer;
    gt_rich_piece piece;
    gt_rich_writer_init(&writer, value);
    for (size_t i = 0; i < parts->count; i++) {
        gt_rich_reader reader = gt_rich_part_read(&parts->list[i]);
        while (gt_rich_reader_next(&reader, UINT64_MAX, &piece)) gt_rich_put(&writer, &piece);
    }
    gt_rich_writer_end(&writer);
}

void gt_rich_parts_edit(const gt_rich_parts *parts, gt_buf *edit) {
    gt_rich_run_writer writer;
    gt_rich_run_writer_init(&writer, edit->alloc);
    for (size_t i = 0; i < parts->count; i++) {
        gt_run_iter iter = runs_of(&parts->list[i]);
        for (gt_run run; gt_run_next(&iter, &run);) {
            gt_rich_piece piece = gt_rich_run_piece(&run);
            if (run.kind == GT_RUN_KEEP) gt_rich_run_keep(&writer, run.count, run.value);
            if (run.kind == GT_RUN_INSERT) gt_rich_run_insert(&writer, &piece);
            if (run.kind == GT_RUN_REMOVE) gt_rich_run_remove(&writer, run.count);
        }
    }
    gt_rich_run_writer_end(&writer, edit);
}
