#include "plain.h"

#include "output.h"
#include "shown.h"
#include "text.h"

enum { MAJOR_BYTES = 2, MAJOR_TAG = 6, WIDTH_MIN = 60, SHARED_SHOWN = 12, CUT_WIDTH = 3 };

/* False: it is no value that has a form in JSON. */
static bool add_plain(text *out, cbor value, void (*add)(text *, const char *, size_t)) {
    goat_buf json = {0};
    bool good = goat_value_to_json(value.data, value.len, &json, NULL) == GOAT_OK;
    const char *at = (const char *)json.data;
    size_t len = json.size, colon = 0;
    int major = value.len > 0 ? value.data[0] >> 5 : 0;
    if (good && (major == MAJOR_BYTES || major == MAJOR_TAG)) { /* {"$bytes":"…"}: the field says that it is bytes */
        while (colon < len && at[colon] != ':') colon++;
        if (colon + 2 < len) {
            at += colon + 1;
            len -= colon + 2;
        }
    }
    if (good) add(out, at, len);
    goat_buf_free(&json);
    return good;
}

void plain_print(cbor value) {
    text json = {0};
    if (add_plain(&json, value, text_add)) {
        out_bytes(json.data, json.len);
    } else {
        cbor_print(value);
    }
    text_free(&json);
}

static bool continues(char c) { return ((unsigned char)c & 0xc0) == 0x80; }

/* From `from` on as many code points as there is room for. */
static void print_part(const text *of, size_t from, size_t room) {
    size_t shown = 0, end = from, cut = from;
    for (; end < of->len; end++) {
        if (continues(of->data[end])) continue;
        if (shown + CUT_WIDTH == room) cut = end;
        if (shown++ == room) break;
    }
    out_text(from > 0 ? "..." : "");
    out_bytes(of->data + from, (end < of->len ? cut : end) - from);
    out_text(end < of->len ? "..." : "");
}

void plain_print_change(cbor before, cbor after, size_t column) {
    static const char arrow[] = " -> ";
    text sides[2] = {{0}, {0}};
    cbor values[2] = {before, after};
    for (int i = 0; i < 2; i++) {
        if (cbor_is_empty(values[i])) {
            text_add_c(&sides[i], "(unset)");
        } else if (!add_plain(&sides[i], values[i], text_add_shown)) {
            text_add_c(&sides[i], "(?)");
        }
    }
    size_t width = (size_t)out_width(), used = column + sizeof arrow - 1, from = 0;
    if (width < WIDTH_MIN || sides[0].len + sides[1].len + used <= width || width < used + WIDTH_MIN / 2) {
        out_bytes(sides[0].data, sides[0].len);
        out_text(arrow);
        out_bytes(sides[1].data, sides[1].len);
    } else {
        size_t room = (width - used) / 2;
        if (sides[0].len > room || sides[1].len > room) {
            while (from < sides[0].len && from < sides[1].len && sides[0].data[from] == sides[1].data[from]) from++;
            from = from > room / 2 ? from - SHARED_SHOWN : 0;
            while (from > 0 && continues(sides[0].data[from])) from--;
        }
        room -= from > 0 ? CUT_WIDTH : 0;
        print_part(&sides[0], from, room);
        out_text(arrow);
        print_part(&sides[1], from, room);
    }
    text_free(&sides[0]);
    text_free(&sides[1]);
}
