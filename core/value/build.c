/* The writer. What it writes passes gt_value_check() as far as it can see: heads, numbers, dates,
 * sorted maps and sets. */
#include "value/build.h"

#include "value/head.h"
#include "value/sort.h"
#include "value/value.h"

static void write_head(gt_buf *out, unsigned major, uint64_t argument) {
    uint8_t *p = gt_buf_reserve(out, GT_HEAD_MAX);
    if (p != NULL) {
        out->len += gt_head_write(p, major, argument);
    }
}

static void write_string(gt_buf *out, unsigned major, gt_bytes string) {
    uint8_t *p = string.len > SIZE_MAX - GT_HEAD_MAX ? NULL : gt_buf_reserve(out, GT_HEAD_MAX + string.len);
    if (p != NULL) {
        size_t head_len = gt_head_write(p, major, string.len);
        if (string.len > 0) {
            memcpy(p + head_len, string.data, string.len);
        }
        out->len += head_len + string.len;
    }
}

void gt_write_null(gt_buf *out) { gt_buf_append_byte(out, GT_HEAD_NULL); }
void gt_write_undefined(gt_buf *out) { gt_buf_append_byte(out, GT_HEAD_UNDEFINED); }
void gt_write_bool(gt_buf *out, bool value) { gt_buf_append_byte(out, value ? GT_HEAD_TRUE : GT_HEAD_FALSE); }

void gt_write_int(gt_buf *out, int64_t value) {
    if (value >= 0) {
        write_head(out, GT_MAJOR_UINT, (uint64_t)value);
    } else {
        write_head(out, GT_MAJOR_NEGATIVE, (uint64_t)(-1 - value));
    }
}

static void write_float(gt_buf *out, double value) {
    uint8_t *p = gt_buf_reserve(out, GT_HEAD_MAX);
    if (p != NULL) {
        out->len += gt_double_write(p, value);
    }
}

bool gt_write_double(gt_buf *out, double value) {
    if (!(value - value == 0)) {
        return false;
    }
    if (gt_double_is_integer(value)) {
        gt_write_int(out, (int64_t)value);
    } else {
        write_float(out, value);
    }
    return true;
}

bool gt_write_date_ms(gt_buf *out, int64_t date_ms) {
    if (date_ms < GT_DATE_MIN_MS || date_ms > GT_DATE_MAX_MS) {
        return false;
    }
    gt_write_tag(out, GT_TAG_DATE);
    if (date_ms % 1000 == 0) {
        gt_write_int(out, date_ms / 1000);
    } else {
        write_float(out, (double)date_ms / 1000);
    }
    return true;
}

void gt_write_text(gt_buf *out, gt_bytes text) { write_string(out, GT_MAJOR_TEXT, text); }

/* The head is written behind the bytes, to see what it takes, and then moved before them. */
void gt_write_text_around(gt_buf *out, size_t begin) {
    uint8_t head[16];
    size_t end = out->len;
    write_head(out, GT_MAJOR_TEXT, end - begin);
    if (gt_buf_failed(out)) return;
    size_t len = out->len - end;
    memcpy(head, out->data + end, len);
    memmove(out->data + begin + len, out->data + begin, end - begin);
    memcpy(out->data + begin, head, len);
}

void gt_write_bytes(gt_buf *out, gt_bytes bytes) { write_string(out, GT_MAJOR_BYTES, bytes); }

void gt_write_ref(gt_buf *out, gt_bytes path) {
    gt_write_tag(out, GT_TAG_REF);
    gt_write_text(out, path);
}

void gt_write_array_head(gt_buf *out, size_t count) { write_head(out, GT_MAJOR_ARRAY, count); }
void gt_write_map_head(gt_buf *out, size_t count) { write_head(out, GT_MAJOR_MAP, count); }
void gt_write_tag(gt_buf *out, uint64_t tag) { write_head(out, GT_MAJOR_TAG, tag); }

int gt_key_compare(gt_bytes a, gt_bytes b) {
    if (a.len != b.len) {
        return a.len < b.len ? -1 : 1;
    }
    return a.len == 0 ? 0 : memcmp(a.data, b.data, a.len);
}

static bool pair_before(const void *a, const void *b) {
    return gt_key_compare(((const gt_pair *)a)->key, ((const gt_pair *)b)->key) < 0;
}

static bool element_before(const void *a, const void *b) {
    return gt_bytes_compare(*(const gt_bytes *)a, *(const gt_bytes *)b) < 0;
}

_Static_assert(sizeof(gt_pair) <= GT_SORT_SIZE_MAX, "pairs can be sorted");

void gt_pairs_sort(gt_pair *pairs, size_t count) { gt_sort(pairs, count, sizeof *pairs, pair_before); }

bool gt_write_map(gt_buf *out, gt_pair *pairs, size_t count) {
    gt_pairs_sort(pairs, count);
    for (size_t i = 1; i < count; i++) {
        if (gt_bytes_equal(pairs[i - 1].key, pairs[i].key)) {
            return false;
        }
    }
    gt_write_map_head(out, count);
    for (size_t i = 0; i < count; i++) {
        gt_write_text(out, pairs[i].key);
        gt_buf_append(out, pairs[i].value.data, pairs[i].value.len);
    }
    return true;
}

void gt_write_set(gt_buf *out, gt_bytes *elements, size_t count) {
    size_t distinct = count > 0 ? 1 : 0;
    gt_sort(elements, count, sizeof *elements, element_before);
    for (size_t i = 1; i < count; i++) {
        if (!gt_bytes_equal(elements[i], elements[distinct - 1])) {
            elements[distinct++] = elements[i];
        }
    }
    gt_write_tag(out, GT_TAG_SET);
    gt_write_array_head(out, distinct);
    for (size_t i = 0; i < distinct; i++) {
        gt_buf_append(out, elements[i].data, elements[i].len);
    }
}
