#include "value/rich.h"

#include "base/utf8.h"

static gt_bytes word(const char *text) { return gt_bytes_text(text); }

/* ---- shape ---- */

const char *gt_rich_embed_fault(gt_bytes embed) {
    if (gt_value_kind(embed) != GT_KIND_MAP) return "inserts what is neither text nor an embed";
    return gt_value_count(embed) == 0 ? "inserts an embed that is empty" : NULL;
}

const char *gt_rich_attributes_fault(gt_bytes attributes, bool with_nulls) {
    gt_iter iter = gt_map_iter(attributes);
    gt_bytes name, value;
    size_t count = 0;
    if (gt_value_kind(attributes) != GT_KIND_MAP) return "has attributes that are no map";
    if (iter.left == 0) return "has attributes of which there are none";
    for (; gt_map_next(&iter, &name, &value); count++) {
        if (!with_nulls && gt_value_kind(value) == GT_KIND_NULL) return "has an attribute that is null";
    }
    return count == gt_value_count(attributes) ? NULL : "has an attribute that has no name";
}

static const char *insertion_fault(gt_bytes insertion) {
    bool is_map = gt_value_kind(insertion) == GT_KIND_MAP;
    gt_bytes content = is_map ? gt_map_find(insertion, word("insert")) : (gt_bytes){0};
    if (content.data == NULL) return "has something other than an insertion";
    gt_bytes attributes = gt_map_find(insertion, word("attributes"));
    if (gt_value_count(insertion) != 1u + (attributes.data != NULL)) {
        return "has an insertion with something other than \"insert\" and \"attributes\"";
    }
    if (attributes.data != NULL && gt_value_kind(attributes) != GT_KIND_MAP) return "has attributes that are no map";
    return gt_value_kind(content) == GT_KIND_TEXT ? NULL : gt_rich_embed_fault(content);
}

/* What is wrong with an insertion that is one, as the one form goes. */
static const char *form_fault(const gt_rich_piece *piece, const gt_rich_piece *last) {
    const char *fault = piece->attributes.data == NULL ? NULL : gt_rich_attributes_fault(piece->attributes, false);
    if (fault != NULL) return fault;
    if (piece->count == 0) return "inserts nothing";
    bool is_next = last->count > 0 && !last->is_embed && !piece->is_embed;
    return is_next && gt_bytes_equal(piece->attributes, last->attributes) ? "has two insertions in place of one" : NULL;
}

const char *gt_rich_fault(gt_bytes value, bool strictly, uint64_t *position) {
    gt_rich_piece last = {0}, piece = {0};
    gt_bytes insertion;
    const char *fault = NULL;
    *position = 0;
    if (gt_value_kind(value) != GT_KIND_ARRAY) return "is not an array of insertions";
    for (gt_iter iter = gt_array_iter(value); gt_array_next(&iter, &insertion); ++*position, last = piece) {
        fault = insertion_fault(insertion);
        if (fault != NULL) return fault;
        if (!strictly) continue;
        piece = gt_rich_piece_of(gt_map_find(insertion, word("insert")), gt_map_find(insertion, word("attributes")));
        fault = form_fault(&piece, &last);
        if (fault != NULL) return fault;
    }
    return NULL;
}

/* ---- reading ---- */

gt_rich_piece gt_rich_piece_of(gt_bytes content, gt_bytes attributes) {
    gt_rich_piece piece = {.content = content, .count = 1, .attributes = attributes, .is_embed = true};
    if (gt_value_as_text(content, &piece.content)) {
        piece.is_embed = false;
        piece.count = gt_utf8_count(piece.content.data, piece.content.len);
    }
    return piece;
}

bool gt_rich_next(gt_iter *document, gt_rich_piece *piece) {
    gt_bytes insertion;
    while (gt_array_next(document, &insertion)) {
        *piece = gt_rich_piece_of(gt_map_find(insertion, word("insert")), gt_map_find(insertion, word("attributes")));
        if (piece->count > 0) return true;
    }
    return false;
}

gt_rich_piece gt_rich_take(gt_rich_piece *piece, uint64_t count) {
    gt_rich_piece taken = *piece;
    if (count < piece->count) {
        taken.count = count;
        taken.content.len = gt_utf8_bytes(piece->content, count);
        piece->content = gt_bytes_behind(piece->content, taken.content.len);
    }
    piece->count -= taken.count;
    return taken;
}

uint64_t gt_rich_count(gt_bytes document) {
    uint64_t count = 0;
    gt_rich_piece piece;
    for (gt_iter iter = gt_rich_iter(document); gt_rich_next(&iter, &piece);) count += piece.count;
    return count;
}

void gt_rich_plain(gt_bytes document, gt_buf *out) {
    static const uint8_t object[] = {0xef, 0xbf, 0xbc}; /* U+FFFC OBJECT REPLACEMENT CHARACTER */
    gt_rich_piece piece;
    for (gt_iter iter = gt_rich_iter(document); gt_rich_next(&iter, &piece);) {
        gt_bytes shown = piece.is_embed ? gt_bytes_of(object, sizeof(object)) : piece.content;
        gt_buf_append(out, shown.data, shown.len);
    }
}
