/* Walks over JSON text by its quotes and brackets. All of it is safe on any bytes; the answers mean
 * something where the text is valid up to the place in question. */
#include "value/json_text.h"

enum { ESCAPE_LEN = 6 }; /* "\u0000" */

static bool is_space(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

static size_t skip_space(gt_bytes text, size_t at) {
    while (at < text.len && is_space(text.data[at])) {
        at++;
    }
    return at;
}

/* The offset behind the string whose quote is at `at`, or the end of the text. */
static size_t skip_string(gt_bytes text, size_t at) {
    for (at++; at < text.len; at++) {
        if (text.data[at] == '\\') {
            at++;
        } else if (text.data[at] == '"') {
            return at + 1;
        }
    }
    return text.len;
}

/* The offset behind the value at `at`. */
static size_t skip_value(gt_bytes text, size_t at) {
    size_t depth = 0;
    while (at < text.len) {
        uint8_t byte = text.data[at];
        if (byte == '"') {
            at = skip_string(text, at);
        } else {
            if (depth == 0 && (byte == ',' || byte == ']' || byte == '}')) {
                return at;
            }
            depth += byte == '[' || byte == '{';
            depth -= depth > 0 && (byte == ']' || byte == '}');
            at++;
        }
        if (depth == 0 && (byte == '"' || byte == ']' || byte == '}')) {
            return at;
        }
    }
    return at;
}

/* Four hexadecimal digits at `at`, or -1. */
static int32_t hex4(gt_bytes text, size_t at) {
    int32_t unit = 0;
    if (text.len < 4 || at > text.len - 4) {
        return -1;
    }
    for (size_t i = at; i < at + 4; i++) {
        uint8_t byte = text.data[i];
        int digit = byte >= '0' && byte <= '9'   ? byte - '0'
                    : byte >= 'a' && byte <= 'f' ? byte - 'a' + 10
                    : byte >= 'A' && byte <= 'F' ? byte - 'A' + 10
                                                 : -1;
        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

/* The UTF-16 unit that the escape at `at` stands for; -1 if there is none of the form "\uXXXX". */
static int32_t escaped_unit(gt_bytes text, size_t at) {
    bool is_escape =
        text.len >= ESCAPE_LEN && at <= text.len - ESCAPE_LEN && text.data[at] == '\\' && text.data[at + 1] == 'u';
    return is_escape ? hex4(text, at + 2) : -1;
}

static size_t put_utf8(uint8_t out[4], uint32_t point) {
    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (uint8_t)(0xc0 | point >> 6);
        out[1] = (uint8_t)(0x80 | (point & 63));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (uint8_t)(0xe0 | point >> 12);
        out[1] = (uint8_t)(0x80 | (point >> 6 & 63));
        out[2] = (uint8_t)(0x80 | (point & 63));
        return 3;
    }
    out[0] = (uint8_t)(0xf0 | point >> 18);
    out[1] = (uint8_t)(0x80 | (point >> 12 & 63));
    out[2] = (uint8_t)(0x80 | (point >> 6 & 63));
    out[3] = (uint8_t)(0x80 | (point & 63));
    return 4;
}

/* Decodes the character at `*at` inside a string, moves behind it, and gives its bytes. */
static size_t next_character(gt_bytes text, size_t *at, uint8_t out[4]) {
    static const char names[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    int32_t unit = escaped_unit(text, *at);
    if (unit >= 0) {
        uint32_t point = (uint32_t)unit;
        *at += ESCAPE_LEN;
        int32_t low = point >= 0xd800 && point <= 0xdbff ? escaped_unit(text, *at) : -1;
        if (low >= 0xdc00) {
            point = 0x10000 + ((point - 0xd800) << 10) + ((uint32_t)low & 0x3ff);
            *at += ESCAPE_LEN;
        }
        return put_utf8(out, point);
    }
    out[0] = text.data[(*at)++];
    if (out[0] == '\\' && *at < text.len) {
        out[0] = text.data[(*at)++];
        const char *name = strchr(names, out[0]);
        if (name != NULL && out[0] != 0) {
            out[0] = (uint8_t)meanings[name - names];
        }
    }
    return 1;
}

/* Whether the string at `at` stands for `key`. */
static bool string_is(gt_bytes text, size_t at, gt_bytes key) {
    size_t end = skip_string(text, at) - 1;
    size_t matched = 0;
    for (at++; at < end;) {
        uint8_t bytes[4];
        size_t len = next_character(text, &at, bytes);
        if (len > key.len - matched || memcmp(key.data + matched, bytes, len) != 0) {
            return false;
        }
        matched += len;
    }
    return matched == key.len;
}

/* The value of the last pair with that key in the object at `at`. */
static size_t locate_key(gt_bytes text, size_t at, gt_bytes key) {
    size_t found = at;
    at = skip_space(text, at + 1);
    while (at < text.len && text.data[at] == '"') {
        bool matches = string_is(text, at, key);
        at = skip_space(text, skip_string(text, at));
        at = skip_space(text, at + 1); /* the colon */
        if (matches) {
            found = at;
        }
        at = skip_space(text, skip_value(text, at));
        if (at < text.len && text.data[at] == ',') {
            at = skip_space(text, at + 1);
        }
    }
    return found;
}

static size_t locate_index(gt_bytes text, size_t at, size_t index) {
    at = skip_space(text, at + 1);
    for (; index > 0 && at < text.len; index--) {
        at = skip_space(text, skip_value(text, at));
        at = skip_space(text, at + 1); /* the comma */
    }
    return at;
}

size_t gt_json_locate(gt_bytes text, const gt_json_step *steps, size_t count) {
    size_t at = skip_space(text, 0);
    for (size_t i = 0; i < count; i++) {
        at = steps[i].key.data != NULL ? locate_key(text, at, steps[i].key) : locate_index(text, at, steps[i].index);
    }
    return at;
}

bool gt_json_within(gt_bytes text, size_t depth_max, size_t values_max, size_t *position) {
    size_t depth = 0, values = 1;
    for (size_t at = 0; at < text.len;) {
        uint8_t byte = text.data[at];
        *position = at;
        if (byte == '"') {
            at = skip_string(text, at);
            continue;
        }
        if (byte == '[' || byte == '{') {
            depth++;
        } else if ((byte == ']' || byte == '}') && depth > 0) {
            depth--;
        } else if (byte == ',') {
            values++;
        }
        if (depth > depth_max || values > values_max) {
            return false;
        }
        at++;
    }
    return true;
}

/* Moves `*at` to the next escape of U+0000 or U+0001 in a key, `*string_end` being behind the string that
 * `*at` is in. False at the end. */
static bool next_key_escape(gt_bytes text, size_t *at, size_t *string_end) {
    for (;;) {
        if (*at >= *string_end) { /* between strings: find the next key */
            while (*at < text.len && text.data[*at] != '"') {
                ++*at;
            }
            if (*at >= text.len) {
                return false;
            }
            size_t end = skip_string(text, *at);
            size_t behind = skip_space(text, end);
            bool is_key = behind < text.len && text.data[behind] == ':';
            *at = is_key ? *at + 1 : end;
            *string_end = end;
            continue;
        }
        int32_t unit = escaped_unit(text, *at);
        if (unit == 0 || unit == 1) {
            return true;
        }
        *at += text.data[*at] == '\\' ? 2 : 1;
    }
}

void gt_json_escape_keys(gt_bytes text, gt_buf *out) {
    size_t at = 0, string_end = 0, copied = 0;
    while (next_key_escape(text, &at, &string_end)) {
        bool null = escaped_unit(text, at) == 0;
        gt_buf_append(out, text.data + copied, at - copied);
        gt_buf_append(out, null ? "\\u0001a" : "\\u0001b", ESCAPE_LEN + 1);
        at += ESCAPE_LEN;
        copied = at;
    }
    gt_buf_append(out, text.data + copied, text.len - copied);
}

size_t gt_json_unescape_key(char *key, size_t len) {
    size_t to = 0;
    for (size_t from = 0; from < len; from++) {
        if (key[from] == 1 && from + 1 < len) {
            from++;
            key[to++] = key[from] == 'a' ? '\0' : '\1';
        } else {
            key[to++] = key[from];
        }
    }
    return to;
}
