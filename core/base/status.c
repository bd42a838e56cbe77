/* Words for failures. Nothing here allocates: a diagnostic must be possible when memory has run out. */
#include "base/status.h"

#include "base/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *gt_status_name(goat_status status) {
    switch (status) {
    case GOAT_OK: return "GOAT_OK";
    case GOAT_NOT_FOUND: return "GOAT_NOT_FOUND";
    case GOAT_EXISTS: return "GOAT_EXISTS";
    case GOAT_LOADING: return "GOAT_LOADING";
    case GOAT_NOT_HELD: return "GOAT_NOT_HELD";
    case GOAT_INVALID: return "GOAT_INVALID";
    case GOAT_CONFLICT: return "GOAT_CONFLICT";
    case GOAT_FORBIDDEN: return "GOAT_FORBIDDEN";
    case GOAT_TOO_LARGE: return "GOAT_TOO_LARGE";
    case GOAT_WRONG_TYPE: return "GOAT_WRONG_TYPE";
    case GOAT_NO_SCHEMA: return "GOAT_NO_SCHEMA";
    case GOAT_MISUSE: return "GOAT_MISUSE";
    case GOAT_CLOSED: return "GOAT_CLOSED";
    case GOAT_WOULD_BLOCK: return "GOAT_WOULD_BLOCK";
    case GOAT_NO_MEMORY: return "GOAT_NO_MEMORY";
    case GOAT_IO: return "GOAT_IO";
    case GOAT_FULL: return "GOAT_FULL";
    case GOAT_BUSY: return "GOAT_BUSY";
    case GOAT_TIMEOUT: return "GOAT_TIMEOUT";
    case GOAT_OFFLINE: return "GOAT_OFFLINE";
    case GOAT_CANCELLED: return "GOAT_CANCELLED";
    case GOAT_CORRUPT: return "GOAT_CORRUPT";
    case GOAT_BAD_KEY: return "GOAT_BAD_KEY";
    case GOAT_UNTRUSTED: return "GOAT_UNTRUSTED";
    case GOAT_NEWER_FORMAT: return "GOAT_NEWER_FORMAT";
    default: return "GOAT_UNKNOWN";
    }
}

/* Names come from files and from peers: an escape sequence must not reach the terminal that shows the
 * message, and a line break must not forge a second line in a log file. */
static void make_printable(char *text) {
    size_t len = strlen(text);
    for (size_t from = 0; from < len;) {
        size_t wrong = 0;
        if (gt_utf8_valid(text + from, len - from, &wrong)) {
            break;
        }
        text[from + wrong] = '?';
        from += wrong + 1;
    }
    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)text[i];
        if (byte < 0x20 || byte == 0x7f) {
            text[i] = '?';
        } else if (byte == 0xc2 && (uint8_t)text[i + 1] < 0xa0) { /* U+0080 to U+009F: controls too */
            text[i] = '?';
            text[i + 1] = '?';
        }
    }
}

static void set_text(char *to, size_t capacity, const char *text, size_t len) {
    size_t kept = len < capacity ? len : gt_utf8_cut(text, capacity - 1);
    for (size_t i = 0; i < kept; i++) {
        to[i] = text[i];
        if (to[i] == 0) {
            to[i] = '?';
        }
    }
    to[kept] = 0;
    make_printable(to);
}

void gt_diag_init(gt_diag *diag) {
    diag->status = GOAT_OK;
    diag->position = GT_NO_POSITION;
    diag->message[0] = 0;
    diag->path[0] = 0;
    diag->field[0] = 0;
    diag->rule[0] = 0;
}

static void set(gt_diag *diag, goat_status status, uint64_t position, const char *format, va_list arguments)
    GT_PRINTF(4, 0);

static void set(gt_diag *diag, goat_status status, uint64_t position, const char *format, va_list arguments) {
    gt_diag_init(diag);
    diag->status = status;
    diag->position = position;
    int len = vsnprintf(diag->message, sizeof diag->message, format, arguments);
    if (len < 0) {
        diag->message[0] = 0;
    } else if ((size_t)len >= sizeof diag->message) {
        diag->message[gt_utf8_cut(diag->message, sizeof diag->message - 1)] = 0;
    }
    make_printable(diag->message);
}

goat_status gt_fail(gt_diag *diag, goat_status status, const char *format, ...) {
    if (diag != NULL) {
        va_list arguments;
        va_start(arguments, format);
        set(diag, status, GT_NO_POSITION, format, arguments);
        va_end(arguments);
    }
    return status;
}

goat_status gt_fail_at(gt_diag *diag, goat_status status, uint64_t position, const char *format, ...) {
    if (diag != NULL) {
        va_list arguments;
        va_start(arguments, format);
        set(diag, status, position, format, arguments);
        va_end(arguments);
    }
    return status;
}

void gt_diag_path(gt_diag *diag, const char *path, size_t len) {
    if (diag != NULL) {
        set_text(diag->path, sizeof diag->path, path, len);
    }
}

void gt_diag_field(gt_diag *diag, const char *field, size_t len) {
    if (diag != NULL) {
        set_text(diag->field, sizeof diag->field, field, len);
    }
}

void gt_diag_rule(gt_diag *diag, const char *rule) {
    if (diag != NULL) {
        set_text(diag->rule, sizeof diag->rule, rule, strlen(rule));
    }
}

bool gt_diag_is_set(const gt_diag *diag) { return diag != NULL && diag->status != GOAT_OK; }

goat_status gt_no_memory(gt_diag *diag) { return gt_fail(diag, GOAT_NO_MEMORY, "out of memory"); }
