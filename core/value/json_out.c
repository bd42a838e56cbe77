/* Value → JSON text, straight from the bytes of the value. Not through jansson: it would need a tree of
 * its own first, and writes 0.1 as 0.10000000000000001 (README.md has the measurement). */
#include "value/json.h"

#include "value/base64.h"
#include "value/date.h"
#include "value/number.h"

#include <string.h>

/* False: something that only edits hold. */
static bool write_value(gt_buf *out, gt_bytes value, gt_kind want);

static void write_literal(gt_buf *out, const char *text) { gt_buf_append(out, text, strlen(text)); }

gt_kind gt_json_wrapper(gt_bytes key, bool *escaped) {
    static const struct {
        const char *name;
        gt_kind kind;
    } wrappers[] = {{"date", GT_KIND_DATE}, {"bytes", GT_KIND_BYTES}, {"set", GT_KIND_SET}, {"ref", GT_KIND_REF}};
    size_t marks = 0;
    while (marks < key.len && key.data[marks] == '$') {
        marks++;
    }
    if (marks == 0) {
        return GT_KIND_ANY;
    }
    gt_bytes name = gt_bytes_behind(key, marks);
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++) {
        if (gt_bytes_equal(name, gt_bytes_text(wrappers[i].name))) {
            *escaped = marks > 1;
            return wrappers[i].kind;
        }
    }
    return GT_KIND_ANY;
}

/* Writes one character that JSON cannot hold as it is. */
static uint8_t *put_escape(uint8_t *p, uint8_t byte) {
    static const char digits[] = "0123456789abcdef";
    static const char plain[] = "\"\\\b\f\n\r\t", names[] = "\"\\bfnrt";
    const char *found = byte == 0 ? NULL : strchr(plain, byte);
    *p++ = '\\';
    if (found != NULL) {
        *p++ = (uint8_t)names[found - plain];
        return p;
    }
    p[0] = 'u';
    p[1] = p[2] = '0';
    p[3] = (uint8_t)digits[byte >> 4];
    p[4] = (uint8_t)digits[byte & 15];
    return p + 5;
}

/* Whether none of eight bytes needs an escape, found without a branch for each: in `x - ones`, a byte
 * that was zero borrows into its top bit. A byte behind a found one may be found wrongly; then the slow
 * way is taken for nothing. */
static bool eight_are_plain(const uint8_t *p) {
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
    uint64_t eight;
    memcpy(&eight, p, sizeof eight);
    uint64_t quotes = eight ^ ones * '"', backslashes = eight ^ ones * '\\';
    uint64_t control = (eight - ones * 0x20) & ~eight;
    return ((control | ((quotes - ones) & ~quotes) | ((backslashes - ones) & ~backslashes)) & tops) == 0;
}

void gt_json_write_string(gt_buf *out, gt_bytes text) {
    enum { PIECE = 1024, WORST = 6 }; /* room is asked for in pieces: few strings need six times theirs */
    gt_buf_append_byte(out, '"');
    for (size_t at = 0; at < text.len;) {
        size_t end = text.len - at > PIECE ? at + PIECE : text.len;
        uint8_t *begin = gt_buf_reserve(out, (end - at) * WORST);
        uint8_t *p = begin;
        if (p == NULL) {
            return;
        }
        while (at < end) {
            uint8_t byte = text.data[at];
            if (end - at >= 8 && eight_are_plain(text.data + at)) {
                memcpy(p, text.data + at, 8);
                p += 8;
                at += 8;
                continue;
            }
            at++;
            if (byte < 0x20 || byte == '"' || byte == '\\') {
                p = put_escape(p, byte);
            } else {
                *p++ = byte;
            }
        }
        out->len += (size_t)(p - begin);
    }
    gt_buf_append_byte(out, '"');
}

static void write_date_text(gt_buf *out, gt_bytes value) {
    char text[GT_DATE_TEXT_MAX];
    int64_t date_ms = 0;
    gt_value_as_date_ms(value, &date_ms);
    gt_json_write_string(out, gt_bytes_of(text, gt_date_write(text, date_ms)));
}

static void write_bytes_text(gt_buf *out, gt_bytes value) {
    gt_bytes bytes = {0};
    gt_value_as_bytes(value, &bytes);
    gt_buf_append_byte(out, '"');
    size_t len = gt_base64_len(bytes.len);
    uint8_t *p = gt_buf_reserve(out, len);
    if (p != NULL) {
        gt_base64_write(p, bytes);
        out->len += len;
    }
    gt_buf_append_byte(out, '"');
}

static void write_ref_text(gt_buf *out, gt_bytes value) {
    gt_bytes path = {0};
    gt_value_as_ref(value, &path);
    gt_json_write_string(out, path);
}

static bool write_elements(gt_buf *out, gt_bytes value) {
    gt_iter iter = gt_array_iter(value);
    gt_bytes element;
    bool good = true;
    gt_buf_append_byte(out, '[');
    for (bool first = true; gt_array_next(&iter, &element) && good; first = false) {
        if (!first) {
            gt_buf_append_byte(out, ',');
        }
        good = write_value(out, element, GT_KIND_ANY);
    }
    gt_buf_append_byte(out, ']');
    return good;
}

/* The kinds that JSON has no word for, wrapped unless they are what is wanted. */
static bool write_wrapped(gt_buf *out, gt_bytes value, gt_kind kind, gt_kind want) {
    bool plain = kind == want, good = true;
    switch (kind) {
    case GT_KIND_DATE:
        write_literal(out, plain ? "" : "{\"$date\":");
        write_date_text(out, value);
        break;
    case GT_KIND_BYTES:
        write_literal(out, plain ? "" : "{\"$bytes\":");
        write_bytes_text(out, value);
        break;
    case GT_KIND_REF:
        write_literal(out, plain ? "" : "{\"$ref\":");
        write_ref_text(out, value);
        break;
    default:
        write_literal(out, plain ? "" : "{\"$set\":");
        good = write_elements(out, value);
        break;
    }
    write_literal(out, plain ? "" : "}");
    return good;
}

static bool write_members(gt_buf *out, gt_bytes map, const gt_json_shape *shape);

static bool write_map(gt_buf *out, gt_bytes map, const gt_json_shape *shape) {
    gt_buf_append_byte(out, '{');
    bool good = write_members(out, map, shape);
    gt_buf_append_byte(out, '}');
    return good;
}

static bool write_field(gt_buf *out, gt_bytes name, gt_bytes value, const gt_json_shape *shape) {
    gt_json_shape inner;
    if (gt_value_kind(value) == GT_KIND_MAP && shape->inside != NULL && shape->inside(shape->context, name, &inner)) {
        return write_map(out, value, &inner);
    }
    return write_value(out, value, shape->field_kind(shape->context, name));
}

static bool write_members(gt_buf *out, gt_bytes map, const gt_json_shape *shape) {
    gt_iter iter = gt_map_iter(map);
    gt_bytes key, text, value;
    bool escaped = false;
    /* A map of one key that looks like a wrapped form gets another '$'; fields are never wrapped. */
    bool alone = iter.left == 1 && shape == NULL;
    for (bool first = true; gt_map_next_pair(&iter, &key, &value); first = false) {
        if (!gt_value_as_text(key, &text)) {
            return false;
        }
        write_literal(out, first ? "" : ",");
        if (alone && gt_json_wrapper(text, &escaped) != GT_KIND_ANY) {
            write_literal(out, "\"$");
            gt_buf_append(out, text.data, text.len); /* dollars and letters */
            gt_buf_append_byte(out, '"');
        } else {
            gt_json_write_string(out, text);
        }
        gt_buf_append_byte(out, ':');
        if (shape != NULL ? !write_field(out, text, value, shape) : !write_value(out, value, GT_KIND_ANY)) {
            return false;
        }
    }
    return true;
}

static void write_int(gt_buf *out, gt_bytes value) {
    int64_t number = 0;
    gt_value_as_int64(value, &number);
    uint8_t *p = gt_buf_reserve(out, GT_NUMBER_TEXT_MAX);
    if (p != NULL) {
        out->len += gt_int_write((char *)p, number);
    }
}

static void write_double(gt_buf *out, gt_bytes value) {
    double number = 0;
    gt_value_as_double(value, &number);
    uint8_t *p = gt_buf_reserve(out, GT_NUMBER_TEXT_MAX);
    if (p != NULL) {
        out->len += gt_double_write_text((char *)p, number);
    }
}

static bool write_value(gt_buf *out, gt_bytes value, gt_kind want) {
    gt_kind kind = gt_value_kind(value);
    gt_bytes text = {0};
    bool truth = false;
    switch (kind) {
    case GT_KIND_NULL: write_literal(out, "null"); return true;
    case GT_KIND_BOOL:
        gt_value_as_bool(value, &truth);
        write_literal(out, truth ? "true" : "false");
        return true;
    case GT_KIND_INT: write_int(out, value); return true;
    case GT_KIND_DOUBLE: write_double(out, value); return true;
    case GT_KIND_TEXT:
        gt_value_as_text(value, &text);
        gt_json_write_string(out, text);
        return true;
    case GT_KIND_ARRAY: return write_elements(out, value);
    case GT_KIND_MAP: return write_map(out, value, NULL);
    case GT_KIND_DATE:
    case GT_KIND_BYTES:
    case GT_KIND_REF:
    case GT_KIND_SET: return write_wrapped(out, value, kind, want);
    default: return false;
    }
}

static goat_status finish(gt_buf *out, size_t begin, bool good, gt_diag *diag) {
    goat_status status = GOAT_OK;
    if (gt_buf_failed(out)) {
        status = gt_no_memory(diag);
    } else if (!good) {
        status = gt_fail(diag, GOAT_INVALID, "JSON has no form for what only edits hold");
    }
    if (status != GOAT_OK) {
        out->len = begin;
    }
    return status;
}

goat_status gt_value_to_json_text(gt_bytes value, gt_buf *out, gt_diag *diag) {
    return gt_value_to_json_text_as(value, GT_KIND_ANY, out, diag);
}

goat_status gt_value_to_json_text_as(gt_bytes value, gt_kind kind, gt_buf *out, gt_diag *diag) {
    size_t begin = out->len;
    bool good = write_value(out, value, kind);
    return finish(out, begin, good, diag);
}

goat_status gt_members_to_json_text(gt_bytes map, const gt_json_shape *shape, gt_buf *out, gt_diag *diag) {
    size_t begin = out->len;
    bool good = write_members(out, map, shape);
    return finish(out, begin, good, diag);
}

goat_status gt_fields_to_json_text(gt_bytes map, const gt_json_shape *shape, gt_buf *out, gt_diag *diag) {
    size_t begin = out->len;
    bool good = write_map(out, map, shape);
    return finish(out, begin, good, diag);
}
