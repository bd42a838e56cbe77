#include "pretty.h"

#include <stdbool.h>

#include "output.h"

static void new_line(size_t depth) {
    out_text("\n");
    for (size_t i = 0; i < depth; i++) {
        out_text("  ");
    }
}

/* The end of the string that begins at `i`. */
static size_t behind_string(json_slice json, size_t i) {
    for (i++; i < json.len && json.data[i] != '"'; i++) {
        i += json.data[i] == '\\';
    }
    return i < json.len ? i + 1 : json.len;
}

void pretty_print(json_slice compact) {
    size_t depth = 0;
    for (size_t i = 0; i < compact.len;) {
        char c = compact.data[i];
        bool opens = c == '{' || c == '[', closes = c == '}' || c == ']';
        bool is_empty = opens && i + 1 < compact.len && (compact.data[i + 1] == '}' || compact.data[i + 1] == ']');
        if (c == '"') {
            size_t end = behind_string(compact, i);
            out_bytes(compact.data + i, end - i);
            i = end;
            continue;
        }
        if (closes) {
            depth--;
            new_line(depth);
        }
        out_bytes(compact.data + i, is_empty ? 2 : 1);
        if (opens && !is_empty) {
            depth++;
        }
        if ((opens && !is_empty) || c == ',') {
            new_line(depth);
        } else if (c == ':') {
            out_text(" ");
        }
        i += is_empty ? 2 : 1;
    }
}
