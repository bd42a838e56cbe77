#include "shown.h"

#include <stdbool.h>
#include <stdio.h>

#include "output.h"
#include "text.h"

void text_add_shown(struct text *t, const char *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i], next = i + 1 < len ? (unsigned char)bytes[i + 1] : 0;
        bool is_pair = c == 0xc2 && next >= 0x80 && next < 0xa0; /* U+0080 to U+009F */
        if (c < 0x20 || c == 0x7f || is_pair) {
            char escape[8];
            text_add(t, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", is_pair ? next : c));
            i += is_pair;
        } else {
            text_add(t, bytes + i, 1);
        }
    }
}

void out_shown(const void *bytes, size_t len) {
    text shown = {0};
    text_add_shown(&shown, bytes, len);
    out_bytes(shown.data, shown.len);
    text_free(&shown);
}
