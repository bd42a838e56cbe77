/* Attributes put together, and documents written in their one form. */
#include "value/build.h"
#include "value/rich.h"

/* ---- attributes ---- */

/* Two maps side by side, in the order of their keys. */
typedef struct pairs {
    gt_iter iters[2];
    gt_bytes keys[2], values[2]; /* the next ones; data NULL at the end */
} pairs;

static void advance(pairs *p, int side) {
    if (!gt_map_next(&p->iters[side], &p->keys[side], &p->values[side])) p->keys[side] = (gt_bytes){0};
}

static pairs begin(gt_bytes first, gt_bytes second) {
    pairs p = {0};
    if (first.len > 0) p.iters[0] = gt_map_iter(first);
    if (second.len > 0) p.iters[1] = gt_map_iter(second);
    advance(&p, 0);
    advance(&p, 1);
    return p;
}

/* Of one key, its value in both; data NULL: none. False at the end. */
static bool next(pairs *p, gt_bytes *key, gt_bytes values[2]) {
    if (p->keys[0].data == NULL && p->keys[1].data == NULL) return false;
    int order = p->keys[0].data == NULL ? 1 : p->keys[1].data == NULL ? -1 : gt_key_compare(p->keys[0], p->keys[1]);
    *key = p->keys[order > 0];
    values[0] = order <= 0 ? p->values[0] : (gt_bytes){0};
    values[1] = order >= 0 ? p->values[1] : (gt_bytes){0};
    if (order <= 0) advance(p, 0);
    if (order >= 0) advance(p, 1);
    return true;
}

/* Puts the head of a map before its pairs, which were appended from `from` on; nothing for none. */
static void finish_map(gt_buf *out, size_t from, size_t count) {
    size_t len = out->len - from;
    if (count == 0 || gt_buf_failed(out)) return;
    gt_write_map_head(out, count);
    if (gt_buf_failed(out)) return;
    uint8_t head[9];
    size_t head_len = out->len - from - len;
    memcpy(head, out->data + from + len, head_len);
    memmove(out->data + from + head_len, out->data + from, len);
    memcpy(out->data + from, head, head_len);
}

static bool is_null(gt_bytes value) { return gt_value_kind(value) == GT_KIND_NULL; }

void gt_rich_attributes_compose(gt_bytes first, gt_bytes second, bool keeps_nulls, gt_buf *out) {
    pairs p = begin(first, second);
    size_t from = out->len, count = 0;
    gt_bytes key, values[2];
    while (next(&p, &key, values)) {
        gt_bytes value = values[1].data != NULL ? values[1] : values[0];
        if (!keeps_nulls && is_null(value)) continue;
        gt_write_text(out, key);
        gt_buf_append(out, value.data, value.len);
        count++;
    }
    finish_map(out, from, count);
}

void gt_rich_attributes_diff(gt_bytes before, gt_bytes after, gt_buf *out) {
    pairs p = begin(before, after);
    size_t from = out->len, count = 0;
    gt_bytes key, values[2];
    while (next(&p, &key, values)) {
        for (int side = 0; side < 2; side++) {
            if (values[side].data != NULL && is_null(values[side])) values[side] = (gt_bytes){0};
        }
        if (gt_bytes_equal(values[0], values[1])) continue;
        gt_write_text(out, key);
        if (values[1].data == NULL) {
            gt_write_null(out);
        } else {
            gt_buf_append(out, values[1].data, values[1].len);
        }
        count++;
    }
    finish_map(out, from, count);
}

/* ---- documents ---- */

void gt_rich_writer_init(gt_rich_writer *writer, gt_buf *out) {
    *writer = (gt_rich_writer){.out = out, .begin = out->len};
    gt_buf_init(&writer->attributes, out->alloc);
    gt_buf_init(&writer->next, out->alloc);
}

/* What is left to be written of the last insertion. */
static void end_insertion(gt_rich_writer *writer) {
    if (writer->text_begin > 0) gt_write_text_around(writer->out, writer->text_begin);
    writer->text_begin = 0;
    if (writer->attributes.len == 0) return;
    gt_write_text(writer->out, gt_bytes_text("attributes"));
    gt_buf_append(writer->out, writer->attributes.data, writer->attributes.len);
}

static bool is_too_long(gt_rich_writer *writer) {
    writer->ended = writer->out->len - writer->begin > GT_FIELD_SIZE_MAX;
    return writer->ended;
}

/* How much of a piece is written: up to the character with which the document is too long. */
static size_t length_within(const gt_rich_writer *writer, const gt_rich_piece *piece) {
    size_t len = piece->content.len, written = writer->out->len - writer->begin;
    if (piece->is_embed || written + len <= GT_FIELD_SIZE_MAX) return len;
    size_t at = written > GT_FIELD_SIZE_MAX ? 1 : GT_FIELD_SIZE_MAX - written + 1;
    while (at < len && (piece->content.data[at] & 0xc0) == 0x80) at++;
    return at;
}

void gt_rich_put(gt_rich_writer *writer, const gt_rich_piece *piece) {
    writer->next.len = 0;
    if (writer->ended) return;
    gt_rich_attributes_compose((gt_bytes){0}, piece->attributes, false, &writer->next);
    bool goes_on = writer->text_begin > 0 && !piece->is_embed &&
                   gt_bytes_equal(gt_buf_bytes(&writer->next), gt_buf_bytes(&writer->attributes));
    if (piece->count == 0) return;
    if (!goes_on) {
        end_insertion(writer);
        if (is_too_long(writer)) {
            writer->attributes.len = 0; /* they are written */
            return;
        }
        gt_buf last = writer->attributes;
        writer->attributes = writer->next;
        writer->next = last;
        gt_write_map_head(writer->out, 1u + (writer->attributes.len > 0));
        gt_write_text(writer->out, gt_bytes_text("insert"));
        if (!piece->is_embed) writer->text_begin = writer->out->len;
        writer->count++;
    }
    gt_buf_append(writer->out, piece->content.data, length_within(writer, piece));
    is_too_long(writer);
}

void gt_rich_writer_end(gt_rich_writer *writer) {
    gt_buf *out = writer->out;
    end_insertion(writer);
    size_t len = out->len - writer->begin;
    gt_write_array_head(out, writer->count);
    if (gt_buf_failed(&writer->attributes) || gt_buf_failed(&writer->next)) out->failed = true;
    if (!gt_buf_failed(out)) { /* the head goes to the front */
        uint8_t head[9];
        uint8_t *begin = out->data + writer->begin;
        size_t head_len = out->len - writer->begin - len;
        memcpy(head, begin + len, head_len);
        memmove(begin + head_len, begin, len);
        memcpy(begin, head, head_len);
    }
    gt_buf_free(&writer->attributes);
    gt_buf_free(&writer->next);
}
