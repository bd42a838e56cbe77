#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

static void make_room(text *t, size_t len) {
    if (len <= t->capacity - t->len) {
        return;
    }
    size_t capacity = t->capacity + t->capacity / 2 + len + 256;
    char *larger = capacity > len ? realloc(t->data, capacity) : NULL;
    if (larger == NULL) {
        fputs("goat: out of memory\n", stderr);
        exit(CLI_TROUBLE);
    }
    t->data = larger;
    t->capacity = capacity;
}

void text_add(text *t, const char *bytes, size_t len) {
    make_room(t, len);
    if (len > 0) {
        memcpy(t->data + t->len, bytes, len);
        t->len += len;
    }
}

void text_add_c(text *t, const char *string) { text_add(t, string, strlen(string)); }

void text_add_json(text *t, const char *bytes, size_t len) {
    text_add(t, "\"", 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        char escape[8];
        if (c < 0x20) {
            text_add(t, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
        } else {
            text_add(t, "\\", c == '"' || c == '\\');
            text_add(t, bytes + i, 1);
        }
    }
    text_add(t, "\"", 1);
}

void text_free(text *t) {
    free(t->data);
    *t = (text){0};
}
