/* Base64. The secrets that pass here are the caller's documents, so nothing is constant-time. */
#include "value/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void gt_base64_write(uint8_t *out, gt_bytes bytes) {
    size_t i = 0;
    for (; i + 3 <= bytes.len; i += 3, out += 4) {
        uint32_t group = (uint32_t)bytes.data[i] << 16 | (uint32_t)bytes.data[i + 1] << 8 | bytes.data[i + 2];
        out[0] = (uint8_t)letters[group >> 18];
        out[1] = (uint8_t)letters[group >> 12 & 63];
        out[2] = (uint8_t)letters[group >> 6 & 63];
        out[3] = (uint8_t)letters[group & 63];
    }
    if (i < bytes.len) {
        bool two = i + 1 < bytes.len;
        uint32_t group = (uint32_t)bytes.data[i] << 16 | (two ? (uint32_t)bytes.data[i + 1] << 8 : 0);
        out[0] = (uint8_t)letters[group >> 18];
        out[1] = (uint8_t)letters[group >> 12 & 63];
        out[2] = two ? (uint8_t)letters[group >> 6 & 63] : '=';
        out[3] = '=';
    }
}

/* The six bits of a letter, or -1. */
static int bits_of(uint8_t letter) {
    if (letter >= 'A' && letter <= 'Z') {
        return letter - 'A';
    }
    if (letter >= 'a' && letter <= 'z') {
        return letter - 'a' + 26;
    }
    if (letter >= '0' && letter <= '9') {
        return letter - '0' + 52;
    }
    return letter == '+' ? 62 : letter == '/' ? 63 : -1;
}

bool gt_base64_read(uint8_t *out, size_t *len, gt_bytes text) {
    uint8_t *p = out;
    if (text.len % 4 != 0) {
        return false;
    }
    size_t padding = 0;
    if (text.len > 0 && text.data[text.len - 1] == '=') {
        padding = text.data[text.len - 2] == '=' ? 2 : 1;
    }
    size_t count = text.len - padding; /* letters */
    uint32_t group = 0;
    for (size_t i = 0; i < count; i++) {
        int bits = bits_of(text.data[i]);
        if (bits < 0) {
            return false;
        }
        group = group << 6 | (uint32_t)bits;
        if (i % 4 != 0) { /* the first letter of four completes no byte; the others one each */
            *p++ = (uint8_t)(group >> (6 - 2 * (i % 4)));
        }
    }
    *len = (size_t)(p - out);
    uint32_t unused = padding == 2 ? group & 15 : padding == 1 ? group & 3 : 0;
    return unused == 0;
}
