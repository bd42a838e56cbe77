/* The grammar of RFC 8259, to say where a text is wrong. jansson reads texts; this reads again what jansson
 * has refused, because its positions lie behind the fault, and because it cannot tell a fault from a lack of
 * memory. Nothing is allocated, and the depth costs a bit each. */
#include "value/json_text.h"

#include "base/utf8.h"

enum { LEVELS_MAX = 2048 }; /* as jansson */

#define CUT_SHORT "the text is cut short"

typedef struct scan {
    gt_bytes text;
    size_t at;
    const char *words; /* what is wrong at `at` */
    gt_json_number_fits *fits;
    uint32_t depth;
    uint8_t objects[LEVELS_MAX / 8]; /* a bit for each level */
} scan;

typedef enum expectation { VALUE, VALUE_OR_END, KEY, KEY_OR_END, COLON, COMMA_OR_END } expectation;

/* The byte here, or -1 at the end. */
static int peek(const scan *s) { return s->at < s->text.len ? s->text.data[s->at] : -1; }

static bool wrong(scan *s, const char *words) {
    s->words = peek(s) < 0 ? CUT_SHORT : words;
    return false;
}

static bool wrong_at(scan *s, size_t at, const char *words) {
    s->at = at;
    s->words = words;
    return false;
}

static bool is_digit(int byte) { return byte >= '0' && byte <= '9'; }

static void skip_space(scan *s) {
    for (int byte = peek(s); byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; byte = peek(s)) {
        s->at++;
    }
}

static bool pass_literal(scan *s, const char *literal) {
    for (; *literal != '\0'; literal++, s->at++) {
        if (peek(s) != *literal) {
            return wrong(s, "a word other than true, false and null");
        }
    }
    return true;
}

static bool pass_digits(scan *s) {
    if (!is_digit(peek(s))) {
        return wrong(s, "a digit is missing");
    }
    while (is_digit(peek(s))) {
        s->at++;
    }
    return true;
}

static bool pass_number(scan *s) {
    size_t begin = s->at;
    bool whole = true;
    s->at += peek(s) == '-';
    if (peek(s) == '0') {
        s->at++;
    } else if (!pass_digits(s)) {
        return false;
    }
    if (peek(s) == '.') {
        whole = false;
        s->at++;
        if (!pass_digits(s)) {
            return false;
        }
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        whole = false;
        s->at++;
        s->at += peek(s) == '+' || peek(s) == '-';
        if (!pass_digits(s)) {
            return false;
        }
    }
    if (s->fits != NULL && !s->fits(gt_bytes_of(s->text.data + begin, s->at - begin))) {
        return wrong_at(s, begin, whole ? "an integer beyond int64" : "a number beyond binary64");
    }
    return true;
}

/* Four hexadecimal digits. */
static bool pass_unit(scan *s, uint32_t *unit) {
    *unit = 0;
    for (int i = 0; i < 4; i++, s->at++) {
        int byte = peek(s), letter = byte | 0x20;
        if (!is_digit(byte) && (byte < 0 || letter < 'a' || letter > 'f')) {
            return wrong(s, "an escape without four hexadecimal digits");
        }
        *unit = *unit << 4 | (uint32_t)(is_digit(byte) ? byte - '0' : letter - 'a' + 10);
    }
    return true;
}

/* Behind "\u". `begin` is where the escape begins. */
static bool pass_character(scan *s, size_t begin) {
    uint32_t unit, low = 0;
    if (!pass_unit(s, &unit)) {
        return false;
    }
    if (unit < 0xd800 || unit > 0xdfff) {
        return true;
    }
    for (const char *next = "\\u"; *next != '\0' && unit < 0xdc00; next++, s->at++) {
        if (peek(s) != *next) {
            return peek(s) < 0 ? wrong(s, NULL) : wrong_at(s, begin, GT_JSON_HALF_PAIR);
        }
    }
    if (unit < 0xdc00 && !pass_unit(s, &low)) {
        return false;
    }
    return (low >= 0xdc00 && low <= 0xdfff) || wrong_at(s, begin, GT_JSON_HALF_PAIR);
}

static bool pass_escape(scan *s) {
    size_t begin = s->at++;
    int byte = peek(s);
    if (byte <= 0 || strchr("\"\\/bfnrtu", byte) == NULL) {
        return wrong(s, "an escape that JSON does not have");
    }
    s->at++;
    return byte != 'u' || pass_character(s, begin);
}

static bool pass_string(scan *s) {
    for (s->at++; peek(s) != '"';) {
        int byte = peek(s);
        if (byte == '\\') {
            if (!pass_escape(s)) {
                return false;
            }
        } else if (byte < 0x20) {
            return wrong(s, "a control character in a string");
        } else {
            s->at++;
        }
    }
    s->at++;
    return true;
}

static bool in_object(const scan *s) {
    return s->depth > 0 && (s->objects[(s->depth - 1) / 8] >> ((s->depth - 1) % 8) & 1) != 0;
}

static bool open_level(scan *s, bool object) {
    uint32_t level = s->depth++;
    if (level == LEVELS_MAX) {
        return false; /* without words: this is not for us to judge */
    }
    uint8_t bit = (uint8_t)(1u << level % 8);
    s->objects[level / 8] = (uint8_t)(object ? s->objects[level / 8] | bit : s->objects[level / 8] & ~bit);
    s->at++;
    return true;
}

static void close_level(scan *s) {
    s->depth--;
    s->at++;
}

static bool pass_value(scan *s, expectation *next) {
    int byte = peek(s);
    bool may_end = *next == VALUE_OR_END;
    *next = COMMA_OR_END;
    switch (byte) {
    case '"': return pass_string(s);
    case 't': return pass_literal(s, "true");
    case 'f': return pass_literal(s, "false");
    case 'n': return pass_literal(s, "null");
    case '[': *next = VALUE_OR_END; return open_level(s, false);
    case '{': *next = KEY_OR_END; return open_level(s, true);
    default: break;
    }
    if (byte == '-' || is_digit(byte)) {
        return pass_number(s);
    }
    if (byte == ']' && may_end) {
        close_level(s);
        return true;
    }
    return wrong(s, "a value is expected here");
}

static bool pass_key(scan *s, expectation *next) {
    int byte = peek(s);
    bool may_end = *next == KEY_OR_END;
    *next = byte == '"' ? COLON : COMMA_OR_END;
    if (byte == '"') {
        return pass_string(s);
    }
    if (byte == '}' && may_end) {
        close_level(s);
        return true;
    }
    return wrong(s, "a name in quotes is expected here");
}

static bool pass_comma_or_end(scan *s, expectation *next) {
    int byte = peek(s);
    if (s->depth == 0) {
        return wrong(s, "more follows behind the value");
    }
    if (byte == ',') {
        *next = in_object(s) ? KEY : VALUE;
        s->at++;
        return true;
    }
    if (byte == (in_object(s) ? '}' : ']')) {
        close_level(s);
        return true;
    }
    return wrong(s, in_object(s) ? "a comma or '}' is expected here" : "a comma or ']' is expected here");
}

static bool pass_token(scan *s, expectation *next) {
    switch (*next) {
    case VALUE:
    case VALUE_OR_END: return pass_value(s, next);
    case KEY:
    case KEY_OR_END: return pass_key(s, next);
    case COLON:
        if (peek(s) != ':') {
            return wrong(s, "a colon is expected here");
        }
        s->at++;
        *next = VALUE;
        return true;
    default: return pass_comma_or_end(s, next);
    }
}

const char *gt_json_fault(gt_bytes text, gt_json_number_fits *fits, size_t *position) {
    size_t utf8_len = text.len;
    bool is_utf8 = gt_utf8_valid(text.data, text.len, &utf8_len);
    scan s = {.text = gt_bytes_of(text.data, is_utf8 ? text.len : utf8_len), .fits = fits};
    expectation next = VALUE;

    for (;;) {
        skip_space(&s);
        if (peek(&s) < 0 && next == COMMA_OR_END && s.depth == 0) {
            break;
        }
        if (!pass_token(&s, &next)) {
            break;
        }
    }
    if (!is_utf8 && s.at == utf8_len) {
        s.words = "a byte that is not UTF-8";
    }
    *position = s.at;
    return s.words;
}
