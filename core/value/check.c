/* The gate: decides whether bytes are a value. Everything that reads values relies on what is checked
 * here and checks nothing again, so each rule of FORMAT.md is a line in this file. */
#include "value/value.h"

#include "base/utf8.h"
#include "value/head.h"
#include "value/path.h"

#define CUT_SHORT "the value is cut short"

typedef struct check {
    const uint8_t *begin, *end;
    uint32_t flags;
    uint32_t depth_max;
    goat_status status;
    gt_diag *diag;
} check;

static const uint8_t *check_item(check *c, const uint8_t *p, uint32_t depth);

static const uint8_t *refuse(check *c, const uint8_t *at, const char *words) {
    c->status = gt_fail_at(c->diag, GOAT_INVALID, (uint64_t)(at - c->begin), "not a value: %s", words);
    return NULL;
}

/* Whether `inside` more arrays, maps and tags may be opened at `depth`. */
static bool check_depth(check *c, const uint8_t *at, uint32_t depth, uint32_t inside) {
    if (depth + inside <= c->depth_max) {
        return true;
    }
    c->status = gt_fail_at(c->diag, GOAT_TOO_LARGE, (uint64_t)(at - c->begin),
                           "more than %u arrays, maps and tags inside each other", (unsigned)c->depth_max);
    return false;
}

/* Reads the head at `p`. Gives the byte behind it, or NULL when refused. */
static const uint8_t *check_head(check *c, const uint8_t *p, uint64_t *argument) {
    if (p == c->end) {
        return refuse(c, p, CUT_SHORT);
    }
    unsigned low = *p & 31;
    if (low < 24) {
        *argument = low;
        return p + 1;
    }
    if (low > 27) {
        return refuse(c, p, low == 31 ? "its length is indefinite" : "a head that CBOR does not define");
    }
    size_t width = (size_t)1 << (low - 24);
    if ((size_t)(c->end - p) <= width) {
        return refuse(c, p, CUT_SHORT);
    }
    *argument = gt_head_bytes(p + 1, width);
    bool shortest = width == 1 ? *argument >= 24 : *argument >> (4 * width) != 0;
    if (!shortest && *p >> 5 != GT_MAJOR_SIMPLE) {
        return refuse(c, p, "a head is not in its shortest form");
    }
    return p + 1 + width;
}

/* The string of `len` bytes whose head is at `head` and whose contents begin at `p`. */
static const uint8_t *check_string(check *c, const uint8_t *head, const uint8_t *p, uint64_t len) {
    size_t wrong = 0;
    if (len > (size_t)(c->end - p)) {
        return refuse(c, head, CUT_SHORT);
    }
    if (*head >> 5 == GT_MAJOR_TEXT && !gt_utf8_valid(p, (size_t)len, &wrong)) {
        return refuse(c, p + wrong, "a text is not UTF-8");
    }
    return p + len;
}

static const uint8_t *check_array(check *c, const uint8_t *p, uint64_t count, uint32_t depth) {
    while (count-- > 0 && p != NULL) {
        p = check_item(c, p, depth);
    }
    return p;
}

static int order_of_runs(const uint8_t *a, const uint8_t *a_end, const uint8_t *b, const uint8_t *b_end) {
    return gt_bytes_compare(gt_bytes_of(a, (size_t)(a_end - a)), gt_bytes_of(b, (size_t)(b_end - b)));
}

static const uint8_t *check_set(check *c, const uint8_t *p, uint32_t depth) {
    const uint8_t *last = NULL;
    uint64_t count;
    if (p != c->end && *p >> 5 != GT_MAJOR_ARRAY) {
        return refuse(c, p, "a set is not an array");
    }
    if ((p = check_head(c, p, &count)) == NULL) {
        return NULL;
    }
    while (count-- > 0) {
        const uint8_t *element = p;
        if ((p = check_item(c, p, depth)) == NULL) {
            return NULL;
        }
        int order = last == NULL ? -1 : order_of_runs(last, element, element, p);
        if (order >= 0) {
            return refuse(c, element, order == 0 ? "a set has an element twice" : "a set is not sorted");
        }
        last = element;
    }
    return p;
}

static const uint8_t *check_key(check *c, const uint8_t *p) {
    uint64_t argument;
    const uint8_t *content = check_head(c, p, &argument);
    if (content == NULL) {
        return NULL;
    }
    if (*p >> 5 == GT_MAJOR_TEXT) {
        return check_string(c, p, content, argument);
    }
    if ((c->flags & GT_VALUE_EDIT) != 0 && *p >> 5 == GT_MAJOR_UINT && argument <= INT64_MAX) {
        return content;
    }
    return refuse(c, p, "a map's key is not a text");
}

static const uint8_t *check_map(check *c, const uint8_t *p, uint64_t count, uint32_t depth) {
    const uint8_t *last = NULL, *last_end = NULL;
    while (count-- > 0) {
        const uint8_t *key = p;
        if ((p = check_key(c, p)) == NULL) {
            return NULL;
        }
        int order = last == NULL ? -1 : order_of_runs(last, last_end, key, p);
        if (order >= 0) {
            return refuse(c, key, order == 0 ? "a map has a key twice" : "a map is not sorted by its keys");
        }
        last = key;
        last_end = p;
        if ((p = check_item(c, p, depth)) == NULL) {
            return NULL;
        }
    }
    return p;
}

/* A float is good if writing its number gives the same bytes. */
static const uint8_t *check_float(check *c, const uint8_t *p, const uint8_t *behind) {
    uint8_t shortest[GT_HEAD_MAX];
    double value = gt_double_read(p);
    if (!(value - value == 0)) {
        return refuse(c, p, "a number is NaN or infinite");
    }
    if (gt_double_is_integer(value)) {
        return refuse(c, p, "a whole number is written as a float");
    }
    if (gt_double_write(shortest, value) != (size_t)(behind - p)) {
        return refuse(c, p, "a float is not in its shortest form");
    }
    return behind;
}

static const uint8_t *check_date(check *c, const uint8_t *p) {
    uint64_t argument;
    int64_t date_ms;
    const uint8_t *behind = check_head(c, p, &argument);
    if (behind == NULL) {
        return NULL;
    }
    switch (*p >> 5) {
    case GT_MAJOR_UINT:
        return argument <= GT_DATE_MAX_MS / 1000 ? behind : refuse(c, p, "a date is beyond the year 9999");
    case GT_MAJOR_NEGATIVE:
        return argument <= -(GT_DATE_MIN_MS / 1000) - 1 ? behind : refuse(c, p, "a date is before the year 1");
    default: break;
    }
    if (*p < GT_HEAD_HALF) {
        return refuse(c, p, "a date is not a number");
    }
    if (check_float(c, p, behind) == NULL) {
        return NULL;
    }
    if (!gt_date_of_seconds(gt_double_read(p), &date_ms)) {
        return refuse(c, p, "a date is not a number of milliseconds in the years 1 to 9999");
    }
    return behind;
}

static const uint8_t *check_ref(check *c, const uint8_t *p) {
    uint64_t len;
    size_t wrong = 0;
    if (p != c->end && *p >> 5 != GT_MAJOR_TEXT) {
        return refuse(c, p, "a ref is not a text");
    }
    const uint8_t *content = check_head(c, p, &len);
    const uint8_t *behind = content == NULL ? NULL : check_string(c, p, content, len);
    if (behind == NULL) {
        return NULL;
    }
    const char *fault = gt_item_path_fault(gt_bytes_of(content, (size_t)len), &wrong);
    return fault == NULL ? behind : refuse(c, content + wrong, fault);
}

static const uint8_t *check_simple(check *c, const uint8_t *p, const uint8_t *behind) {
    switch (*p) {
    case GT_HEAD_FALSE:
    case GT_HEAD_TRUE:
    case GT_HEAD_NULL: return behind;
    case GT_HEAD_UNDEFINED: return (c->flags & GT_VALUE_EDIT) != 0 ? behind : refuse(c, p, "undefined is no value");
    case GT_HEAD_HALF:
    case GT_HEAD_SINGLE:
    case GT_HEAD_DOUBLE: return check_float(c, p, behind);
    default: return refuse(c, p, "a simple value other than false, true and null");
    }
}

/* One item at `p` inside `depth` others. Gives the byte behind it, or NULL when refused. */
static const uint8_t *check_item(check *c, const uint8_t *p, uint32_t depth) {
    uint64_t argument;
    const uint8_t *behind = check_head(c, p, &argument);
    if (behind == NULL) {
        return NULL;
    }
    switch (*p >> 5) {
    case GT_MAJOR_UINT:
    case GT_MAJOR_NEGATIVE: return argument <= INT64_MAX ? behind : refuse(c, p, "an integer is beyond int64");
    case GT_MAJOR_BYTES:
    case GT_MAJOR_TEXT: return check_string(c, p, behind, argument);
    case GT_MAJOR_ARRAY: return check_depth(c, p, depth, 1) ? check_array(c, behind, argument, depth + 1) : NULL;
    case GT_MAJOR_MAP: return check_depth(c, p, depth, 1) ? check_map(c, behind, argument, depth + 1) : NULL;
    case GT_MAJOR_SIMPLE: return check_simple(c, p, behind);
    default: break;
    }
    switch (argument) {
    case GT_TAG_DATE: return check_depth(c, p, depth, 1) ? check_date(c, behind) : NULL;
    case GT_TAG_REF: return check_depth(c, p, depth, 1) ? check_ref(c, behind) : NULL;
    case GT_TAG_SET: return check_depth(c, p, depth, 2) ? check_set(c, behind, depth + 2) : NULL;
    default: return refuse(c, p, "a tag other than 1, 258 and 39080");
    }
}

/* Checks the value at the beginning; gives the byte behind it, or NULL when refused. */
static const uint8_t *check_first(check *c, gt_bytes bytes, uint32_t flags, gt_diag *diag) {
    bool edit = (flags & GT_VALUE_EDIT) != 0;
    *c = (check){
        .begin = bytes.data,
        .end = gt_bytes_end(bytes),
        .flags = flags,
        .depth_max = edit ? (uint32_t)GT_EDIT_DEPTH_MAX : (uint32_t)GOAT_VALUE_DEPTH_MAX,
        .diag = diag,
    };
    const uint8_t *behind = bytes.len == 0 ? refuse(c, bytes.data, CUT_SHORT) : check_item(c, bytes.data, 0);
    if (behind != NULL && !edit && behind - bytes.data > GOAT_VALUE_MAX) {
        c->status = gt_fail_at(diag, GOAT_TOO_LARGE, GOAT_VALUE_MAX, "a value of more than 16 MiB");
    }
    return c->status == GOAT_OK ? behind : NULL;
}

goat_status gt_value_check(gt_bytes bytes, uint32_t flags, gt_diag *diag) {
    check c;
    const uint8_t *behind = check_first(&c, bytes, flags, diag);
    if (behind != NULL && behind != c.end) {
        refuse(&c, behind, "more bytes follow it");
    }
    return c.status;
}

goat_status gt_value_check_first(gt_bytes bytes, uint32_t flags, size_t *len, gt_diag *diag) {
    check c;
    const uint8_t *behind = check_first(&c, bytes, flags, diag);
    if (behind != NULL) {
        *len = (size_t)(behind - bytes.data);
    }
    return c.status;
}
