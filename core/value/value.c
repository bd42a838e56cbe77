/* Access to checked values. The loops here are what queries spend their time in: gt_value_skip() and
 * gt_map_find() touch each head once and no contents. */
#include "value/value.h"

#include "value/head.h"

const char *gt_kind_name(gt_kind kind) {
    static const char *const names[] = {
        [GT_KIND_NULL] = "null",       [GT_KIND_BOOL] = "a boolean", [GT_KIND_INT] = "an integer",
        [GT_KIND_DOUBLE] = "a number", [GT_KIND_TEXT] = "a text",    [GT_KIND_BYTES] = "bytes",
        [GT_KIND_ARRAY] = "an array",  [GT_KIND_MAP] = "a map",      [GT_KIND_DATE] = "a date",
        [GT_KIND_SET] = "a set",       [GT_KIND_REF] = "a ref",      [GT_KIND_UNDEFINED] = "undefined",
        [GT_KIND_ANY] = "a value",
    };
    return names[kind];
}

gt_kind gt_value_kind(gt_bytes value) {
    uint64_t tag;
    switch (value.data[0] >> 5) {
    case GT_MAJOR_UINT:
    case GT_MAJOR_NEGATIVE: return GT_KIND_INT;
    case GT_MAJOR_BYTES: return GT_KIND_BYTES;
    case GT_MAJOR_TEXT: return GT_KIND_TEXT;
    case GT_MAJOR_ARRAY: return GT_KIND_ARRAY;
    case GT_MAJOR_MAP: return GT_KIND_MAP;
    case GT_MAJOR_TAG:
        gt_head_read(value.data, &tag);
        return tag == GT_TAG_DATE ? GT_KIND_DATE : tag == GT_TAG_SET ? GT_KIND_SET : GT_KIND_REF;
    default: break;
    }
    switch (value.data[0]) {
    case GT_HEAD_FALSE:
    case GT_HEAD_TRUE: return GT_KIND_BOOL;
    case GT_HEAD_NULL: return GT_KIND_NULL;
    case GT_HEAD_UNDEFINED: return GT_KIND_UNDEFINED;
    default: return GT_KIND_DOUBLE;
    }
}

const uint8_t *gt_value_skip(const uint8_t *value, const uint8_t *end) {
    const uint8_t *p = value;
    uint64_t left = 1; /* items still to pass */
    do {
        uint64_t argument;
        uint8_t first = *p;
        left--;
        if (first >> 5 == GT_MAJOR_TEXT && (first & 31) <= 24 && end - p > 1) {
            /* Most items are short texts, some under and some over 23 bytes. Reading the byte behind
             * the head in either case leaves no branch to predict. */
            bool longer = (first & 31) == 24;
            p += 1 + (size_t)longer + (longer ? p[1] : (size_t)(first & 31));
            continue;
        }
        p = gt_head_read(p, &argument);
        switch (first >> 5) {
        case GT_MAJOR_BYTES:
        case GT_MAJOR_TEXT: p += argument; break;
        case GT_MAJOR_ARRAY: left += argument; break;
        case GT_MAJOR_MAP: left += 2 * argument; break;
        case GT_MAJOR_TAG: left++; break;
        default: break; /* integers, and floats, whose bits went with the head */
        }
    } while (left > 0);
    return p;
}

bool gt_value_as_bool(gt_bytes value, bool *result) {
    if (value.data[0] != GT_HEAD_FALSE && value.data[0] != GT_HEAD_TRUE) {
        return false;
    }
    *result = value.data[0] == GT_HEAD_TRUE;
    return true;
}

/* The integer whose head is at `p`. */
static int64_t int_at(const uint8_t *p) {
    uint64_t argument;
    gt_head_read(p, &argument);
    return *p >> 5 == GT_MAJOR_UINT ? (int64_t)argument : -1 - (int64_t)argument;
}

bool gt_value_as_int64(gt_bytes value, int64_t *result) {
    if (value.data[0] >> 5 > GT_MAJOR_NEGATIVE) {
        return false;
    }
    *result = int_at(value.data);
    return true;
}

bool gt_value_as_double(gt_bytes value, double *result) {
    if (value.data[0] >> 5 <= GT_MAJOR_NEGATIVE) {
        *result = (double)int_at(value.data);
        return true;
    }
    if (value.data[0] < GT_HEAD_HALF) {
        return false;
    }
    *result = gt_double_read(value.data);
    return true;
}

static gt_bytes string_at(const uint8_t *p) {
    uint64_t len;
    const uint8_t *content = gt_head_read(p, &len);
    return gt_bytes_of(content, (size_t)len);
}

bool gt_value_as_text(gt_bytes value, gt_bytes *text) {
    if (value.data[0] >> 5 != GT_MAJOR_TEXT) {
        return false;
    }
    *text = string_at(value.data);
    return true;
}

bool gt_value_as_bytes(gt_bytes value, gt_bytes *bytes) {
    if (value.data[0] >> 5 != GT_MAJOR_BYTES) {
        return false;
    }
    *bytes = string_at(value.data);
    return true;
}

bool gt_value_as_ref(gt_bytes value, gt_bytes *path) {
    uint64_t tag;
    if (gt_value_kind(value) != GT_KIND_REF) {
        return false;
    }
    *path = string_at(gt_head_read(value.data, &tag));
    return true;
}

bool gt_value_as_date_ms(gt_bytes value, int64_t *date_ms) {
    uint64_t tag;
    if (gt_value_kind(value) != GT_KIND_DATE) {
        return false;
    }
    const uint8_t *p = gt_head_read(value.data, &tag);
    if (*p >> 5 <= GT_MAJOR_NEGATIVE) {
        *date_ms = int_at(p) * 1000;
        return true;
    }
    return gt_date_of_seconds(gt_double_read(p), date_ms);
}

size_t gt_value_count(gt_bytes value) {
    uint64_t count = 0;
    switch (gt_value_kind(value)) {
    case GT_KIND_SET: return gt_array_iter(value).left;
    case GT_KIND_ARRAY:
    case GT_KIND_MAP: gt_head_read(value.data, &count); return (size_t)count;
    default: return 0;
    }
}

gt_iter gt_array_iter(gt_bytes value) {
    const uint8_t *p = value.data;
    uint64_t count = 0;
    if (*p >> 5 == GT_MAJOR_TAG && gt_value_kind(value) == GT_KIND_SET) {
        p = gt_head_read(p, &count);
    }
    if (*p >> 5 != GT_MAJOR_ARRAY) {
        return (gt_iter){p, p, 0};
    }
    p = gt_head_read(p, &count);
    return (gt_iter){p, value.data + value.len, (size_t)count};
}

gt_iter gt_map_iter(gt_bytes value) {
    uint64_t count;
    if (value.data[0] >> 5 != GT_MAJOR_MAP) {
        return (gt_iter){value.data, value.data, 0};
    }
    const uint8_t *p = gt_head_read(value.data, &count);
    return (gt_iter){p, value.data + value.len, (size_t)count};
}

bool gt_map_next_pair(gt_iter *iter, gt_bytes *key, gt_bytes *value) {
    uint64_t argument;
    if (iter->left == 0) {
        return false;
    }
    iter->left--;
    const uint8_t *p = iter->next;
    const uint8_t *behind = gt_head_read(p, &argument);
    if (*p >> 5 == GT_MAJOR_TEXT) {
        behind += argument;
    }
    iter->next = gt_value_skip(behind, iter->end);
    *key = gt_bytes_of(p, (size_t)(behind - p));
    *value = gt_bytes_of(behind, (size_t)(iter->next - behind));
    return true;
}

bool gt_map_next(gt_iter *iter, gt_bytes *key, gt_bytes *value) {
    gt_bytes key_value;
    while (gt_map_next_pair(iter, &key_value, value)) {
        if (gt_value_as_text(key_value, key)) {
            return true;
        }
    }
    return false;
}

gt_bytes gt_map_find(gt_bytes map, gt_bytes key) {
    gt_iter iter = gt_map_iter(map);
    const uint8_t *p = iter.next;
    for (; iter.left > 0; iter.left--) {
        uint64_t len;
        const uint8_t *content = gt_head_read(p, &len);
        if (*p >> 5 != GT_MAJOR_TEXT) { /* an integer key */
            p = gt_value_skip(content, iter.end);
            continue;
        }
        const uint8_t *value = content + len;
        if (len >= key.len) { /* keys are in order of length, then of bytes */
            int order = len > key.len ? 1 : len == 0 ? 0 : memcmp(content, key.data, key.len);
            if (order == 0) {
                return gt_bytes_of(value, (size_t)(gt_value_skip(value, iter.end) - value));
            }
            if (order > 0) {
                break;
            }
        }
        p = gt_value_skip(value, iter.end);
    }
    return gt_bytes_of(NULL, 0);
}

gt_bytes gt_map_find_int(gt_bytes map, uint64_t key) {
    gt_iter iter = gt_map_iter(map);
    gt_bytes found_key, value;
    while (gt_map_next_pair(&iter, &found_key, &value)) {
        uint64_t found;
        gt_head_read(found_key.data, &found);
        if (found_key.data[0] >> 5 != GT_MAJOR_UINT || found > key) {
            break;
        }
        if (found == key) {
            return value;
        }
    }
    return gt_bytes_of(NULL, 0);
}

/* It recurses as deep as the value is, which gt_value_check() has bounded. */
bool gt_value_is_within(gt_bytes value, uint32_t depth) {
    gt_kind kind = gt_value_kind(value);
    gt_iter iter = {NULL, NULL, 0};
    gt_bytes key, element;
    uint32_t own = kind == GT_KIND_SET ? 2 : 1;
    switch (kind) {
    case GT_KIND_DATE:
    case GT_KIND_REF: break;
    case GT_KIND_SET:
    case GT_KIND_ARRAY: iter = gt_array_iter(value); break;
    case GT_KIND_MAP: iter = gt_map_iter(value); break;
    default: return true;
    }
    bool within = own <= depth;
    while (within && (kind == GT_KIND_MAP ? gt_map_next(&iter, &key, &element) : gt_array_next(&iter, &element))) {
        within = gt_value_is_within(element, depth - own);
    }
    return within;
}
