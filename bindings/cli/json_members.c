/* The members of an object, and the text of a string. */
#include "json.h"

#include <stdint.h>
#include <string.h>

#include "json_scan.h"

/* ---- Members --------------------------------------------------------------------------------- */

/* Whether a string, in quotes and perhaps with escapes, is `name`. */
static bool is_name(json_slice string, const char *name) {
    size_t len = strlen(name);
    if (memchr(string.data, '\\', string.len) == NULL) {
        return string.len == len + 2 && memcmp(string.data + 1, name, len) == 0;
    }
    char text[6 * 128]; /* a field's name, each of its bytes as an escape */
    return string.len <= sizeof text && json_string_text(string, text) == len && memcmp(text, name, len) == 0;
}

static bool scan_member(json_scan *s, const char *const *names, size_t count, json_slice *members, json_slice *other) {
    json_slice name, value;
    if (!json_take_name(s, &name) || !json_take_value(s, &value)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_name(name, names[i])) {
            if (other != NULL && members[i].data != NULL) {
                return json_wrong(s, "the member was there before");
            }
            members[i] = value;
            return true;
        }
    }
    if (other != NULL) {
        *other = name;
    }
    return true;
}

bool json_members(json_slice text, const char *const *names, size_t count, json_slice *members, json_slice *other,
                  json_fault *fault) {
    json_scan s = json_scan_of(text, fault);
    for (size_t i = 0; i < count; i++) {
        members[i] = (json_slice){NULL, 0};
    }
    if (other != NULL) {
        *other = (json_slice){NULL, 0};
    }
    json_skip_space(&s);
    if (s.at >= s.end || *s.at != '{') {
        return json_wrong(&s, "not an object");
    }
    s.at++;
    json_skip_space(&s);
    if (s.at < s.end && *s.at == '}') {
        s.at++;
        return json_at_end(&s);
    }
    for (;;) {
        if (!scan_member(&s, names, count, members, other)) {
            return false;
        }
        json_skip_space(&s);
        if (s.at >= s.end) {
            return json_wrong(&s, "the object does not end");
        }
        if (*s.at == '}') {
            s.at++;
            return json_at_end(&s);
        }
        if (*s.at != ',') {
            return json_wrong(&s, "a comma is missing");
        }
        s.at++;
    }
}

bool json_is_integer(json_slice value) {
    size_t i = value.len > 0 && value.data[0] == '-';
    for (; i < value.len; i++) {
        if (value.data[i] < '0' || value.data[i] > '9') {
            return false;
        }
    }
    return value.len > 0;
}

json_slice json_of(const char *text) { return (json_slice){text, strlen(text)}; }

/* ---- The text of a string -------------------------------------------------------------------- */

static uint32_t four_digits(const char *at) {
    uint32_t unit = 0;
    for (int i = 0; i < 4; i++) {
        unit = unit << 4 | (uint32_t)json_hex(at[i]);
    }
    return unit;
}

static char *put_utf8(char *out, uint32_t c) {
    if (c < 0x80) {
        *out++ = (char)c;
        return out;
    }
    if (c >= 0x10000) {
        *out++ = (char)(0xf0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3f));
    } else if (c >= 0x800) {
        *out++ = (char)(0xe0 | c >> 12);
    }
    uint32_t middle = c >= 0x800 ? 0x80 | (c >> 6 & 0x3f) : 0xc0 | c >> 6;
    *out++ = (char)middle;
    *out++ = (char)(0x80 | (c & 0x3f));
    return out;
}

/* Stands behind \u; gives what lies behind the escape, or behind the pair of them. */
static const char *take_unit(const char *at, const char *end, uint32_t *c) {
    *c = four_digits(at);
    at += 4;
    if (*c >= 0xd800 && *c < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
        uint32_t low = four_digits(at + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            *c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
            return at + 6;
        }
    }
    if (*c >= 0xd800 && *c < 0xe000) {
        *c = '?';
    }
    return at;
}

size_t json_string_text(json_slice string, char *text) {
    static const char letters[] = "bfnrt", bytes[] = "\b\f\n\r\t";
    const char *at = string.data + 1, *end = string.data + string.len - 1;
    char *out = text;
    while (at < end) {
        if (*at != '\\') {
            *out++ = *at++;
            continue;
        }
        char kind = at[1];
        at += 2;
        const char *letter = memchr(letters, kind, sizeof letters - 1);
        if (kind == 'u') {
            uint32_t c;
            at = take_unit(at, end, &c);
            out = put_utf8(out, c);
        } else {
            *out++ = (char)(letter != NULL ? bytes[letter - letters] : kind);
        }
    }
    return (size_t)(out - text);
}
