/* What is too large to be shown is cut: a merged value may be as large as all that its authors wrote, and a view is never
 * refused for that. What is left is a function of the whole value, so that it does not matter how it was come to: elements
 * in their order, up to and with the one that makes them too many bytes. So its size alone says that it was cut. (Rich text
 * is cut where it is written: value/rich_write.c.) */
#include "merge/type.h"

/* Puts a head that was written behind the contents in place of the one at `begin`. */
static void replace_head(gt_buf *out, size_t begin, size_t contents, size_t end, size_t head_len) {
    uint8_t head[16];
    if (gt_buf_failed(out)) return;
    memcpy(head, out->data + end, head_len);
    memmove(out->data + begin + head_len, out->data + contents, end - contents);
    memcpy(out->data + begin, head, head_len);
    out->len = begin + head_len + (end - contents);
}

static void trim_text(gt_buf *out, size_t begin) {
    gt_bytes text = {0};
    gt_value_as_text(gt_bytes_of(out->data + begin, out->len - begin), &text);
    if (text.len <= GT_FIELD_SIZE_MAX) return;
    size_t kept = (size_t)GT_FIELD_SIZE_MAX + 1;
    while (kept < text.len && (text.data[kept] & 0xc0) == 0x80) kept++;
    size_t contents = (size_t)(text.data - out->data);
    memmove(out->data + begin, out->data + contents, kept);
    out->len = begin + kept;
    gt_write_text_around(out, begin);
}

/* Where the contents end, and how many of the elements or pairs are in them. */
static const uint8_t *find_end(const gt_iter *contents, bool is_map, size_t max, size_t *count) {
    gt_iter iter = *contents;
    gt_bytes key, value;
    *count = 0;
    while ((size_t)(iter.next - contents->next) <= max &&
           (is_map ? gt_map_next_pair(&iter, &key, &value) : gt_array_next(&iter, &value))) {
        ++*count;
    }
    return iter.next;
}

void gt_trim_map(gt_buf *out, size_t begin, size_t max) {
    size_t count;
    if (gt_buf_failed(out) || out->len - begin <= max) return;
    gt_iter contents = gt_map_iter(gt_bytes_of(out->data + begin, out->len - begin));
    const uint8_t *behind = find_end(&contents, true, max, &count);
    if (behind == contents.end) return;
    size_t from = (size_t)(contents.next - out->data), end = (size_t)(behind - out->data);
    out->len = end;
    gt_write_map_head(out, count);
    replace_head(out, begin, from, end, out->len - end);
}

/* A list, or a set. */
static void trim_array(gt_buf *out, size_t begin) {
    size_t count;
    bool is_set = gt_value_kind(gt_bytes_of(out->data + begin, out->len - begin)) == GT_KIND_SET;
    gt_iter contents = gt_array_iter(gt_bytes_of(out->data + begin, out->len - begin));
    const uint8_t *behind = find_end(&contents, false, GT_FIELD_SIZE_MAX, &count);
    if (behind == contents.end) return;
    size_t from = (size_t)(contents.next - out->data), end = (size_t)(behind - out->data);
    out->len = end;
    if (is_set) gt_write_tag(out, GT_TAG_SET);
    gt_write_array_head(out, count);
    replace_head(out, begin, from, end, out->len - end);
}

void gt_trim_field(const gt_field *field, gt_buf *out, size_t begin) {
    if (gt_buf_failed(out) || out->len - begin <= GT_FIELD_SIZE_MAX) return;
    switch (field->type) {
    case GT_TYPE_TEXT: trim_text(out, begin); break;
    case GT_TYPE_LIST:
    case GT_TYPE_SET: trim_array(out, begin); break;
    case GT_TYPE_MAP:
    case GT_TYPE_OBJECT: gt_trim_map(out, begin, GT_FIELD_SIZE_MAX); break;
    default: break; /* rich text is; the others are as their author wrote them */
    }
}
