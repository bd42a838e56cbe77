/* Conversions of single values from one type to another. Each gives the same bytes on every machine, or nothing. */
#include "schema/upgrade.h"
#include "value/base64.h"
#include "value/build.h"
#include "value/date.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

enum { NUMBER_TEXT_MAX = 400 }; /* the longest number that somebody writes out; 1.8e308 has 309 digits */

typedef void converter(gt_bytes value, gt_buf *out);

static void text_to_buf(gt_buf *out, const char *text) { gt_write_text(out, gt_bytes_text(text)); }

/* ---- to text ---- */

static void number_to_string(gt_bytes value, gt_buf *out) {
    gt_buf text;
    gt_buf_init(&text, out->alloc);
    if (gt_value_to_json_text(value, &text, NULL) != GOAT_OK) out->failed = true;
    gt_write_text(out, gt_buf_bytes(&text));
    out->failed |= gt_buf_failed(&text);
    gt_buf_free(&text);
}

static void boolean_to_string(gt_bytes value, gt_buf *out) {
    bool is_true = false;
    if (gt_value_as_bool(value, &is_true)) text_to_buf(out, is_true ? "true" : "false");
}

static void date_to_string(gt_bytes value, gt_buf *out) {
    char text[GT_DATE_TEXT_MAX];
    int64_t date_ms;
    if (gt_value_as_date_ms(value, &date_ms)) gt_write_text(out, gt_bytes_of(text, gt_date_write(text, date_ms)));
}

static void bytes_to_string(gt_bytes value, gt_buf *out) {
    gt_bytes bytes;
    if (!gt_value_as_bytes(value, &bytes)) return;
    size_t begin = out->len, len = gt_base64_len(bytes.len);
    uint8_t *text = gt_buf_reserve(out, len + 1);
    if (text == NULL) return;
    gt_base64_write(text, bytes);
    out->len += len;
    gt_write_text_around(out, begin);
}

static void ref_to_string(gt_bytes value, gt_buf *out) {
    gt_bytes path;
    if (gt_value_as_ref(value, &path)) gt_write_text(out, path);
}

/* ---- from text ---- */

static size_t digits(gt_bytes text, size_t at) {
    while (at < text.len && text.data[at] >= '0' && text.data[at] <= '9') at++;
    return at;
}

/* Whether a text is a number as JSON writes it, and nothing else. */
static bool is_number(gt_bytes text) {
    size_t at = text.len > 0 && text.data[0] == '-' ? 1 : 0, begin = at;
    if (text.len > NUMBER_TEXT_MAX) return false;
    at = digits(text, at);
    if (at == begin || (text.data[begin] == '0' && at > begin + 1)) return false;
    if (at < text.len && text.data[at] == '.') {
        begin = at + 1;
        at = digits(text, begin);
        if (at == begin) return false;
    }
    if (at < text.len && (text.data[at] == 'e' || text.data[at] == 'E')) {
        begin = at + 1;
        if (begin < text.len && (text.data[begin] == '+' || text.data[begin] == '-')) begin++;
        at = digits(text, begin);
        if (at == begin) return false;
    }
    return at == text.len;
}

static void string_to_number(gt_bytes value, gt_buf *out) {
    gt_bytes text;
    size_t begin = out->len;
    if (!gt_value_as_text(value, &text) || !is_number(text)) return;
    goat_status status = gt_value_from_json_text(text, out, NULL);
    if (status == GOAT_NO_MEMORY) out->failed = true;
    if (status != GOAT_OK) out->len = begin; /* 1e999 */
}

static void string_to_boolean(gt_bytes value, gt_buf *out) {
    gt_bytes text;
    if (!gt_value_as_text(value, &text)) return;
    bool is_true = gt_bytes_equal(text, gt_bytes_text("true"));
    if (is_true || gt_bytes_equal(text, gt_bytes_text("false"))) gt_write_bool(out, is_true);
}

static void string_to_date(gt_bytes value, gt_buf *out) {
    gt_bytes text;
    int64_t date_ms;
    if (gt_value_as_text(value, &text) && gt_date_fault(text, &date_ms) == NULL) gt_write_date_ms(out, date_ms);
}

static void string_to_bytes(gt_bytes value, gt_buf *out) {
    gt_bytes text;
    size_t len = 0;
    if (!gt_value_as_text(value, &text)) return;
    gt_buf bytes;
    gt_buf_init(&bytes, out->alloc);
    uint8_t *decoded = gt_buf_reserve(&bytes, text.len + 1); /* at least as much as comes out */
    if (decoded != NULL && gt_base64_read(decoded, &len, text)) gt_write_bytes(out, gt_bytes_of(decoded, len));
    out->failed |= gt_buf_failed(&bytes);
    gt_buf_free(&bytes);
}

static void string_to_ref(gt_bytes value, gt_buf *out) {
    gt_bytes text;
    if (gt_value_as_text(value, &text) && gt_item_path_fault(text, NULL) == NULL) gt_write_ref(out, text);
}

/* What was written as a whole is from now on edited in its middle. */
static void string_to_text(gt_bytes value, gt_buf *out) { gt_buf_append(out, value.data, value.len); }

/* ---- numbers ---- */

static void boolean_to_number(gt_bytes value, gt_buf *out) {
    bool is_true = false;
    if (gt_value_as_bool(value, &is_true)) gt_write_int(out, is_true);
}

static void number_to_boolean(gt_bytes value, gt_buf *out) {
    int64_t number;
    if (gt_value_as_int64(value, &number) && (number == 0 || number == 1)) gt_write_bool(out, number == 1);
}

static void date_to_number(gt_bytes value, gt_buf *out) {
    int64_t date_ms;
    if (gt_value_as_date_ms(value, &date_ms)) gt_write_int(out, date_ms);
}

static void number_to_date(gt_bytes value, gt_buf *out) {
    int64_t date_ms;
    if (gt_value_as_int64(value, &date_ms)) gt_write_date_ms(out, date_ms); /* writes nothing outside of its limits */
}

static const struct {
    gt_type from, to;
    converter *convert;
} conversions[] = {
    {GT_TYPE_NUMBER, GT_TYPE_STRING, number_to_string},   {GT_TYPE_BOOLEAN, GT_TYPE_STRING, boolean_to_string},
    {GT_TYPE_DATE, GT_TYPE_STRING, date_to_string},       {GT_TYPE_BYTES, GT_TYPE_STRING, bytes_to_string},
    {GT_TYPE_REF, GT_TYPE_STRING, ref_to_string},         {GT_TYPE_STRING, GT_TYPE_NUMBER, string_to_number},
    {GT_TYPE_STRING, GT_TYPE_BOOLEAN, string_to_boolean}, {GT_TYPE_STRING, GT_TYPE_DATE, string_to_date},
    {GT_TYPE_STRING, GT_TYPE_BYTES, string_to_bytes},     {GT_TYPE_STRING, GT_TYPE_REF, string_to_ref},
    {GT_TYPE_STRING, GT_TYPE_TEXT, string_to_text},       {GT_TYPE_BOOLEAN, GT_TYPE_NUMBER, boolean_to_number},
    {GT_TYPE_NUMBER, GT_TYPE_BOOLEAN, number_to_boolean}, {GT_TYPE_DATE, GT_TYPE_NUMBER, date_to_number},
    {GT_TYPE_NUMBER, GT_TYPE_DATE, number_to_date},
};

enum { CONVERSION_COUNT = sizeof conversions / sizeof conversions[0] };

static converter *find(gt_type from, gt_type to) {
    for (size_t i = 0; i < CONVERSION_COUNT; i++) {
        if (conversions[i].from == from && conversions[i].to == to) return conversions[i].convert;
    }
    return NULL;
}

bool gt_can_convert(gt_type from, gt_type to) { return find(from, to) != NULL; }

void gt_convert(gt_type from, gt_type to, gt_bytes value, gt_buf *out) {
    converter *convert = find(from, to);
    if (convert != NULL) convert(value, out);
}
