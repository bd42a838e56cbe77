#include "json.h"

#include <stdint.h>
#include <string.h>

#include "json_scan.h"

bool json_wrong(json_scan *s, const char *text) {
    s->fault->position = (size_t)(s->at - s->begin);
    s->fault->text = text;
    return false;
}

void json_skip_space(json_scan *s) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n' || *s->at == '\r')) {
        s->at++;
    }
}

static bool is_digit(const json_scan *s) { return s->at < s->end && *s->at >= '0' && *s->at <= '9'; }

static bool scan_digits(json_scan *s) {
    if (!is_digit(s)) {
        return json_wrong(s, "a digit is missing");
    }
    while (is_digit(s)) {
        s->at++;
    }
    return true;
}

static bool scan_number(json_scan *s) {
    s->at += *s->at == '-';
    if (s->at < s->end && *s->at == '0') {
        s->at++;
        if (is_digit(s)) {
            return json_wrong(s, "a number cannot begin with 0");
        }
    } else if (!scan_digits(s)) {
        return false;
    }
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        if (!scan_digits(s)) {
            return false;
        }
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-')) {
            s->at++;
        }
        return scan_digits(s);
    }
    return true;
}

int json_hex(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Stands on the backslash. */
static bool scan_escape(json_scan *s) {
    static const char escapes[] = "\"\\/bfnrtu";
    s->at++;
    if (s->at >= s->end || memchr(escapes, *s->at, sizeof escapes - 1) == NULL) {
        return json_wrong(s, "not an escape");
    }
    if (*s->at++ != 'u') {
        return true;
    }
    for (int i = 0; i < 4; i++, s->at++) {
        if (s->at >= s->end || json_hex(*s->at) < 0) {
            return json_wrong(s, "\\u needs four hexadecimal digits");
        }
    }
    return true;
}

static bool scan_string(json_scan *s) {
    if (s->at >= s->end || *s->at != '"') {
        return json_wrong(s, "a string in quotes is missing");
    }
    s->at++;
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at;
        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < 0x20) {
            return json_wrong(s, "a control character in a string must be escaped");
        }
        if (c == '\\') {
            if (!scan_escape(s)) {
                return false;
            }
        } else {
            s->at++;
        }
    }
    return json_wrong(s, "the string does not end");
}

static bool scan_word(json_scan *s, const char *word) {
    size_t len = strlen(word);
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0) {
        return json_wrong(s, "not a value");
    }
    s->at += len;
    return true;
}

static bool scan_scalar(json_scan *s) {
    switch (*s->at) {
    case '"': return scan_string(s);
    case 't': return scan_word(s, "true");
    case 'f': return scan_word(s, "false");
    case 'n': return scan_word(s, "null");
    default: break;
    }
    if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9')) {
        return scan_number(s);
    }
    return json_wrong(s, "not a value");
}

bool json_take_name(json_scan *s, json_slice *name) {
    json_skip_space(s);
    const char *begin = s->at;
    if (!scan_string(s)) {
        return false;
    }
    if (name != NULL) {
        *name = (json_slice){begin, (size_t)(s->at - begin)};
    }
    json_skip_space(s);
    if (s->at >= s->end || *s->at != ':') {
        return json_wrong(s, "a colon is missing");
    }
    s->at++;
    return true;
}

/* The brackets that are open, a bit each: 1 for an object. */
typedef struct brackets {
    uint8_t objects[JSON_DEPTH_MAX / 8];
    size_t depth;
} brackets;

static bool is_in_object(const brackets *open) {
    return (open->objects[(open->depth - 1) / 8] >> ((open->depth - 1) % 8) & 1) != 0;
}

/* Stands on the bracket. `*is_empty`: the closing one follows, and is left standing. */
static bool open_bracket(json_scan *s, brackets *open, bool *is_empty) {
    if (open->depth == JSON_DEPTH_MAX) {
        return json_wrong(s, "nested too deeply");
    }
    bool is_object = *s->at++ == '{';
    uint8_t bit = (uint8_t)(1u << (open->depth % 8));
    uint8_t *byte = &open->objects[open->depth / 8];
    *byte = (uint8_t)(is_object ? *byte | bit : *byte & ~bit);
    open->depth++;
    json_skip_space(s);
    *is_empty = s->at < s->end && *s->at == (is_object ? '}' : ']');
    return *is_empty || !is_object || json_take_name(s, NULL);
}

/* Stands behind a value and goes to the next, or behind the last bracket: `depth` is 0 then. */
static bool go_on(json_scan *s, brackets *open) {
    while (open->depth > 0) {
        bool in_object = is_in_object(open);
        json_skip_space(s);
        if (s->at >= s->end) {
            return json_wrong(s, in_object ? "the object does not end" : "the array does not end");
        }
        if (*s->at == ',') {
            s->at++;
            return !in_object || json_take_name(s, NULL);
        }
        if (*s->at != (in_object ? '}' : ']')) {
            return json_wrong(s, "a comma is missing");
        }
        s->at++;
        open->depth--;
    }
    return true;
}

/* Goes behind one value, which may stand behind white space. */
static bool scan_value(json_scan *s) {
    brackets open = {.depth = 0};
    do {
        bool is_empty = true;
        json_skip_space(s);
        if (s->at >= s->end) {
            return json_wrong(s, "a value is missing");
        }
        bool is_good = *s->at == '{' || *s->at == '[' ? open_bracket(s, &open, &is_empty) : scan_scalar(s);
        if (!is_good || (is_empty && !go_on(s, &open))) {
            return false;
        }
    } while (open.depth > 0);
    return true;
}

json_scan json_scan_of(json_slice text, json_fault *fault) {
    return (json_scan){.at = text.data, .end = text.data + text.len, .begin = text.data, .fault = fault};
}

bool json_at_end(json_scan *s) {
    json_skip_space(s);
    return s->at == s->end || json_wrong(s, "more follows behind the value");
}

bool json_take_value(json_scan *s, json_slice *value) {
    json_skip_space(s);
    const char *begin = s->at;
    if (!scan_value(s)) {
        return false;
    }
    *value = (json_slice){begin, (size_t)(s->at - begin)};
    return true;
}

bool json_is_value(json_slice text, json_slice *value, json_fault *fault) {
    json_scan s = json_scan_of(text, fault);
    json_slice found;
    if (!json_take_value(&s, &found) || !json_at_end(&s)) {
        return false;
    }
    if (value != NULL) {
        *value = found;
    }
    return true;
}
