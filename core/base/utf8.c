/* Most text is ASCII, so that is looked at eight bytes at a time; the rest follows table 3-7 of the
 * Unicode standard, which gives the ranges of the second byte that exclude overlong forms, surrogates
 * and what lies above U+10FFFF. */
#include "base/utf8.h"

static bool is_continuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

static size_t skip_ascii(const uint8_t *bytes, size_t at, size_t len) {
    while (len - at >= sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, bytes + at, sizeof eight);
        if ((eight & UINT64_C(0x8080808080808080)) != 0) {
            break;
        }
        at += sizeof eight;
    }
    while (at < len && bytes[at] < 0x80) {
        at++;
    }
    return at;
}

/* Bytes of the code point at `bytes`, whose first byte is not ASCII; 0 if it is none. */
static size_t sequence_len(const uint8_t *bytes, size_t left) {
    uint8_t first = bytes[0];
    uint8_t second = left > 1 ? bytes[1] : 0;
    if (!is_continuation(second)) {
        return 0;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return 2;
    }
    if (left > 2 && is_continuation(bytes[2])) {
        if (first == 0xe0) {
            return second >= 0xa0 ? 3 : 0;
        }
        if (first == 0xed) {
            return second <= 0x9f ? 3 : 0;
        }
        if (first >= 0xe1 && first <= 0xef) {
            return 3;
        }
        if (left > 3 && is_continuation(bytes[3])) {
            if (first == 0xf0) {
                return second >= 0x90 ? 4 : 0;
            }
            if (first == 0xf4) {
                return second <= 0x8f ? 4 : 0;
            }
            return first >= 0xf1 && first <= 0xf3 ? 4 : 0;
        }
    }
    return 0;
}

bool gt_utf8_valid(const void *bytes, size_t len, size_t *position) {
    const uint8_t *text = bytes;
    for (size_t at = skip_ascii(text, 0, len); at < len;) {
        size_t sequence = sequence_len(text + at, len - at);
        if (sequence == 0) {
            if (position != NULL) {
                *position = at;
            }
            return false;
        }
        at += sequence;
        if (at < len && text[at] < 0x80) {
            at = skip_ascii(text, at, len);
        }
    }
    return true;
}

size_t gt_utf8_cut(const void *bytes, size_t len) {
    const uint8_t *text = bytes;
    for (size_t back = 1; back <= 3 && back <= len; back++) {
        uint8_t byte = text[len - back];
        if (is_continuation(byte)) {
            continue;
        }
        size_t wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
        return wanted > back ? len - back : len;
    }
    return len;
}

#define EACH_BYTE UINT64_C(0x0101010101010101)

static uint64_t word_at(const uint8_t *text) {
    uint64_t word;
    memcpy(&word, text, sizeof(word));
    return word;
}

/* How many of eight bytes begin a code point: all but those of the form 10xxxxxx. */
static size_t starts_in(const uint8_t *eight) {
    uint64_t word = word_at(eight);
    uint64_t continuations = (word >> 7) & ~(word >> 6) & EACH_BYTE;
    return 8 - (size_t)((continuations * EACH_BYTE) >> 56);
}

size_t gt_utf8_count(const void *bytes, size_t len) {
    const uint8_t *text = bytes;
    size_t count = 0, at = 0;
    for (; len - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
        count += starts_in(text + at);
    }
    for (; at < len; at++) {
        count += !is_continuation(text[at]);
    }
    return count;
}

/* Of eight counts in a word, up to 255 each. */
static uint64_t sum(uint64_t counts) {
    const uint64_t every_other = UINT64_C(0x00ff00ff00ff00ff);
    uint64_t pairs = (counts & every_other) + (counts >> 8 & every_other);
    return pairs * UINT64_C(0x0001000100010001) >> 48;
}

static bool is_ascii(const uint8_t *text, size_t len) {
    enum { STRIDE = 64 }; /* bytes after which it is worth a look */
    uint64_t bits = 0;
    for (; len >= STRIDE && (bits & 0x80 * EACH_BYTE) == 0; text += STRIDE, len -= STRIDE) {
        for (size_t at = 0; at < STRIDE; at += sizeof(bits)) bits |= word_at(text + at);
    }
    if ((bits & 0x80 * EACH_BYTE) != 0) return false;
    for (; len > 0; len--, text++) bits |= *text;
    return (bits & 0x80) == 0;
}

/* Eight bytes at a time: a code point begins where the first bits are not 10, and is of four bytes where they are 1111. */
gt_utf8_lengths gt_utf8_lengths_of(const void *bytes, size_t len) {
    const uint8_t *text = bytes;
    gt_utf8_lengths found = {.bytes = len, .points = len};
    if (is_ascii(text, len)) return found; /* as most is */
    found.points = 0;
    while (len >= sizeof(uint64_t)) {
        uint64_t starts = 0, fours = 0;
        size_t words = len / sizeof(uint64_t) < 255 ? len / sizeof(uint64_t) : 255;
        for (size_t i = 0; i < words; i++) {
            uint64_t word = word_at(text + i * sizeof(word));
            starts += (word >> 6 | ~word >> 7) & EACH_BYTE;
            fours += ((word >> 4 & 0x0f * EACH_BYTE) + EACH_BYTE) >> 4 & EACH_BYTE; /* 15 overflows four bits */
        }
        found.points += sum(starts);
        found.pairs += sum(fours);
        text += words * sizeof(uint64_t);
        len -= words * sizeof(uint64_t);
    }
    for (; len > 0; len--, text++) {
        found.points += !is_continuation(*text);
        found.pairs += *text >= 0xf0;
    }
    return found;
}

size_t gt_utf8_bytes(gt_bytes text, uint64_t count) {
    size_t at = 0;
    for (size_t starts; text.len - at >= sizeof(uint64_t) && (starts = starts_in(text.data + at)) <= count;) {
        count -= starts;
        at += sizeof(uint64_t);
    }
    while (at < text.len && (is_continuation(text.data[at]) || count-- > 0)) {
        at++;
    }
    return at;
}

uint32_t gt_utf8_take(gt_bytes *text) {
    const uint8_t *at = text->data;
    uint32_t len = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    uint32_t point = len == 1 ? at[0] : at[0] & (0x7fu >> len);
    for (uint32_t i = 1; i < len; i++) point = point << 6 | (at[i] & 0x3f);
    *text = gt_bytes_of(at + len, text->len - len);
    return point;
}

void gt_hex(char *out, const void *bytes, size_t len) {
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[from[i] >> 4];
        out[2 * i + 1] = digits[from[i] & 15];
    }
    out[2 * len] = 0;
}

static int digit_value(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    if (digit >= 'a' && digit <= 'f') {
        return digit - 'a' + 10;
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

bool gt_unhex(uint8_t *out, size_t len, const char *text, size_t text_len) {
    if (text_len / 2 != len || text_len % 2 != 0) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        int high = digit_value(text[2 * i]);
        int low = digit_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
