/* A reader by recursive descent; what it writes is put in order through core/value. */
#include "support/test_value.h"

#include "base/utf8.h"
#include "support/test.h"
#include "value/build.h"
#include "value/sort.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 512 };

typedef struct reader {
    const char *begin, *at;
} reader;

static void read_value(reader *r, gt_buf *out);

static void mistake(const reader *r) { fail_msg("mistake in the notation at \"%.20s\" of \"%s\"", r->at, r->begin); }

static void skip_space(reader *r) {
    while (*r->at == ' ' || *r->at == '\n') {
        r->at++;
    }
}

static bool take(reader *r, const char *word) {
    skip_space(r);
    size_t len = strlen(word);
    if (strncmp(r->at, word, len) != 0) {
        return false;
    }
    r->at += len;
    return true;
}

static void want(reader *r, const char *word) {
    if (!take(r, word)) {
        mistake(r);
    }
}

static gt_bytes read_text(reader *r) {
    skip_space(r);
    char quote = *r->at;
    const char *begin = quote == '\'' || quote == '"' ? ++r->at : r->at;
    if (begin != r->at || quote == '\'' || quote == '"') {
        r->at = strchr(begin, quote);
        if (r->at == NULL) {
            r->at = begin;
            mistake(r);
        }
        gt_bytes text = gt_bytes_of(begin, (size_t)(r->at - begin));
        r->at++;
        return text;
    }
    while (strchr(":,}]) ", *r->at) == NULL) {
        r->at++;
    }
    return gt_bytes_of(begin, (size_t)(r->at - begin));
}

static bool before(const void *a, const void *b) {
    return gt_bytes_compare(*(const gt_bytes *)a, *(const gt_bytes *)b) < 0;
}

/* Items in `items`, each `parts[i]` long, written one behind the other in order. */
static void write_sorted(gt_buf *items, const size_t *ends, size_t count, gt_buf *out) {
    gt_bytes runs[ITEMS_MAX];
    for (size_t i = 0; i < count; i++) {
        size_t begin = i == 0 ? 0 : ends[i - 1];
        runs[i] = gt_bytes_of(items->data + begin, ends[i] - begin);
    }
    gt_sort(runs, count, sizeof runs[0], before);
    for (size_t i = 0; i < count; i++) {
        gt_buf_append(out, runs[i].data, runs[i].len);
    }
}

/* Reads up to `close`. Elements of arrays stay in their order. */
static void read_items(reader *r, const char *close, bool is_map, bool sorted, gt_buf *out) {
    gt_buf items;
    size_t ends[ITEMS_MAX];
    size_t count = 0;
    gt_buf_init(&items, &gt_alloc_system);
    while (!take(r, close)) {
        assert_true(count < ITEMS_MAX);
        if (count > 0) {
            want(r, ",");
        }
        skip_space(r);
        if (is_map && *r->at >= '0' && *r->at <= '9') {
            gt_write_int(&items, strtoll(r->at, (char **)(uintptr_t)&r->at, 10));
            want(r, ":");
        } else if (is_map) {
            gt_write_text(&items, read_text(r));
            want(r, ":");
        }
        read_value(r, &items);
        ends[count++] = items.len;
    }
    if (is_map) {
        gt_write_map_head(out, count);
    } else {
        gt_write_array_head(out, count);
    }
    if (sorted) {
        write_sorted(&items, ends, count, out);
    } else {
        gt_buf_append(out, items.data, items.len);
    }
    gt_buf_free(&items);
}

static void read_number(reader *r, gt_buf *out) {
    char *integer_end, *end;
    long long integer = strtoll(r->at, &integer_end, 10);
    double number = strtod(r->at, &end);
    if (end == r->at) {
        mistake(r);
    }
    if (integer_end == end) {
        gt_write_int(out, integer);
    } else {
        gt_write_double(out, number);
    }
    r->at = end;
}

static void read_bytes(reader *r, gt_buf *out) {
    uint8_t bytes[256];
    gt_bytes text = read_text(r);
    assert_true(text.len / 2 <= sizeof bytes && gt_unhex(bytes, text.len / 2, (const char *)text.data, text.len));
    gt_write_bytes(out, gt_bytes_of(bytes, text.len / 2));
    want(r, ")");
}

static void read_value(reader *r, gt_buf *out) {
    skip_space(r);
    if (take(r, "undefined")) {
        gt_write_undefined(out);
    } else if (take(r, "null")) {
        gt_write_null(out);
    } else if (take(r, "true")) {
        gt_write_bool(out, true);
    } else if (take(r, "false")) {
        gt_write_bool(out, false);
    } else if (take(r, "set[")) {
        gt_write_tag(out, GT_TAG_SET);
        read_items(r, "]", false, true, out);
    } else if (take(r, "date(")) {
        gt_write_date_ms(out, strtoll(r->at, (char **)(uintptr_t)&r->at, 10));
        want(r, ")");
    } else if (take(r, "bytes(")) {
        read_bytes(r, out);
    } else if (take(r, "ref(")) {
        gt_write_ref(out, read_text(r));
        want(r, ")");
    } else if (take(r, "[")) {
        read_items(r, "]", false, false, out);
    } else if (take(r, "{")) {
        read_items(r, "}", true, true, out);
    } else if (*r->at == '\'' || *r->at == '"') {
        gt_write_text(out, read_text(r));
    } else {
        read_number(r, out);
    }
}

void test_value_write(gt_buf *out, const char *notation) {
    reader r = {notation, notation};
    skip_space(&r);
    if (*r.at == 0) {
        return;
    }
    read_value(&r, out);
    skip_space(&r);
    if (*r.at != 0) {
        mistake(&r);
    }
    assert_false(gt_buf_failed(out));
}

gt_bytes test_value(const char *notation) {
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    if (notation != NULL) {
        test_value_write(&out, notation);
    }
    return gt_buf_bytes(&out);
}

void test_value_free(gt_bytes value) { gt_free(&gt_alloc_system, (void *)(uintptr_t)value.data); }

/* ---- printing ---- */

void test_text(gt_buf *out, const char *format, ...) {
    char piece[512];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(piece, sizeof piece, format, arguments);
    va_end(arguments);
    assert_true(len >= 0 && (size_t)len < sizeof piece);
    gt_buf_append(out, piece, (size_t)len);
    gt_buf_append_byte(out, 0);
    out->len--;
}

static void print(gt_buf *out, const char *text) { gt_buf_append(out, text, strlen(text)); }

static void print_value(gt_bytes value, gt_buf *out);

static void print_items(gt_bytes value, gt_buf *out) {
    gt_iter iter = gt_array_iter(value);
    gt_bytes element;
    for (bool first = true; gt_array_next(&iter, &element); first = false) {
        print(out, first ? "" : ", ");
        print_value(element, out);
    }
}

static void print_quoted(gt_bytes text, gt_buf *out) {
    print(out, "'");
    gt_buf_append(out, text.data, text.len);
    print(out, "'");
}

static void print_value(gt_bytes value, gt_buf *out) {
    char word[64];
    gt_bytes key, element, text = {0};
    int64_t integer = 0;
    double number = 0;
    bool first = true;
    switch (gt_value_kind(value)) {
    case GT_KIND_NULL: print(out, "null"); break;
    case GT_KIND_UNDEFINED: print(out, "undefined"); break;
    case GT_KIND_BOOL: print(out, value.data[0] == 0xf5 ? "true" : "false"); break;
    case GT_KIND_INT:
        gt_value_as_int64(value, &integer);
        snprintf(word, sizeof word, "%lld", (long long)integer);
        print(out, word);
        break;
    case GT_KIND_DOUBLE:
        gt_value_as_double(value, &number);
        snprintf(word, sizeof word, "%.17g", number);
        print(out, word);
        break;
    case GT_KIND_DATE:
        gt_value_as_date_ms(value, &integer);
        snprintf(word, sizeof word, "date(%lld)", (long long)integer);
        print(out, word);
        break;
    case GT_KIND_TEXT:
        gt_value_as_text(value, &text);
        print_quoted(text, out);
        break;
    case GT_KIND_REF:
        gt_value_as_ref(value, &text);
        print(out, "ref(");
        print_quoted(text, out);
        print(out, ")");
        break;
    case GT_KIND_BYTES:
        gt_value_as_bytes(value, &text);
        print(out, "bytes(");
        for (size_t i = 0; i < text.len; i++) {
            snprintf(word, sizeof word, "%02x", text.data[i]);
            print(out, word);
        }
        print(out, ")");
        break;
    case GT_KIND_ARRAY:
    case GT_KIND_SET:
        print(out, gt_value_kind(value) == GT_KIND_SET ? "set[" : "[");
        print_items(value, out);
        print(out, "]");
        break;
    default:
        print(out, "{");
        for (gt_iter iter = gt_map_iter(value); gt_map_next_pair(&iter, &key, &element); first = false) {
            print(out, first ? "" : ", ");
            print_value(key, out);
            print(out, ": ");
            print_value(element, out);
        }
        print(out, "}");
        break;
    }
}

void test_value_print(gt_bytes value, gt_buf *out) {
    gt_buf_init(out, &gt_alloc_system);
    if (value.len == 0) {
        print(out, "nothing");
    } else {
        print_value(value, out);
    }
    gt_buf_append_byte(out, 0);
}

void test_value_assert(gt_bytes actual, const char *notation, const char *file, int line) {
    gt_bytes expected = test_value(notation);
    if (gt_bytes_equal(actual, expected)) {
        test_value_free(expected);
        return;
    }
    gt_buf actual_text, expected_text;
    test_value_print(actual, &actual_text);
    test_value_print(expected, &expected_text);
    print_error("expected %s\n but was %s\n", (const char *)expected_text.data, (const char *)actual_text.data);
    gt_buf_free(&actual_text);
    gt_buf_free(&expected_text);
    test_value_free(expected);
    _fail(file, line);
}
