#include "output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { OUT_SIZE = 1 << 16, LINE_MAX_BYTES = 2048 };

/* One process, one standard output. */
static char collected[OUT_SIZE];
static size_t collected_len;
static int out_error; /* errno of the first failed write; 0 while all is well */

/* ---- Standard output ------------------------------------------------------------------------- */

static void write_all(const char *bytes, size_t len) {
    while (len > 0 && out_error == 0) {
        ssize_t done = write(STDOUT_FILENO, bytes, len);
        if (done >= 0) {
            bytes += done;
            len -= (size_t)done;
        } else if (errno != EINTR) {
            out_error = errno;
        }
    }
}

bool out_flush(void) {
    write_all(collected, collected_len);
    collected_len = 0;
    return out_error == 0;
}

bool out_failed(void) { return out_error != 0; }

int out_width(void) {
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

static void collect(const void *bytes, size_t len) {
    if (len > sizeof collected - collected_len) {
        out_flush();
    }
    if (len > sizeof collected) {
        write_all(bytes, len);
        return;
    }
    if (len > 0) {
        memcpy(collected + collected_len, bytes, len);
        collected_len += len;
    }
}

/* What could steer a terminal is shown as JSON escapes it, \u001b. Line ends and tabs are left. */
static void collect_shown(const char *bytes, size_t len) {
    static bool holds_c2; /* what begins a control character of two bytes, U+0080 to U+009F, may end one piece */
    size_t begin = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        bool is_second = holds_c2 && c >= 0x80 && c < 0xa0;
        if (holds_c2 && !is_second) collect("\xc2", 1);
        holds_c2 = c == 0xc2;
        if (is_second || holds_c2 || c == 0x7f || (c < 0x20 && c != '\n' && c != '\t')) {
            char escape[8];
            collect(bytes + begin, i - begin);
            if (!holds_c2) collect(escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", c));
            begin = i + 1;
        }
    }
    collect(bytes + begin, len - begin);
}

void out_bytes(const void *bytes, size_t len) {
    static int is_terminal = -1;
    if (is_terminal < 0) is_terminal = isatty(STDOUT_FILENO);
    if (is_terminal == 1) {
        collect_shown(bytes, len);
    } else {
        collect(bytes, len);
    }
}

void out_text(const char *text) { out_bytes(text, strlen(text)); }

void out_print(const char *format, ...) {
    char text[LINE_MAX_BYTES];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (len > 0) {
        out_bytes(text, (size_t)len < sizeof text ? (size_t)len : sizeof text - 1);
    }
}

void out_json_string(const char *text, size_t len) {
    static const char digits[] = "0123456789abcdef";
    out_bytes("\"", 1);
    size_t begin = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        char escape[6] = {'\\', (char)c, '0', '0', digits[c >> 4], digits[c & 15]};
        if (c < 0x20) {
            escape[1] = 'u';
        }
        out_bytes(text + begin, i - begin);
        out_bytes(escape, c < 0x20 ? 6 : 2);
        begin = i + 1;
    }
    out_bytes(text + begin, len - begin);
    out_bytes("\"", 1);
}

void out_json_text(const char *text) { out_json_string(text, strlen(text)); }

void out_hex(const uint8_t *bytes, size_t len) {
    for (size_t i = 0; i < len; i++) {
        out_print("%02x", bytes[i]);
    }
}

int out_finish(const cli *run, int code) {
    if (out_flush()) {
        return code;
    }
    if (out_error != EPIPE) {
        cli_error(run, "cannot write the output: %s", strerrordesc_np(out_error));
    }
    return code == CLI_DONE || code == CLI_NO ? CLI_TROUBLE : code;
}

/* ---- Standard error -------------------------------------------------------------------------- */

/* The bytes of the UTF-8 sequence at `text`, or 0 when there is none (overlong forms and surrogates are left
 * to pass: it is about terminals, not about truth). */
static size_t sequence_length(const char *text) {
    unsigned char first = (unsigned char)text[0];
    size_t len = first < 0x80 ? 1 : first >= 0xf5 || first < 0xc2 ? 0 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    for (size_t i = 1; i < len; i++) {
        if (((unsigned char)text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return len;
}

/* Paths and names come from anywhere: what could steer a terminal or is no text becomes '?'. */
static void make_printable(char *line) {
    for (size_t i = 0; line[i] != '\0';) {
        unsigned char c = (unsigned char)line[i];
        size_t len =
            c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char)line[i + 1] < 0xa0) ? 0 : sequence_length(line + i);
        if (len == 0) {
            line[i] = '?';
        }
        i += len == 0 ? 1 : len;
    }
}

static void say(const cli *run, const char *kind, const char *format, va_list arguments) {
    char line[LINE_MAX_BYTES];
    int head = run->command != NULL ? snprintf(line, sizeof line, "goat %s: %s", run->command->name, kind)
                                    : snprintf(line, sizeof line, "goat: %s", kind);
    vsnprintf(line + head, sizeof line - 1 - (size_t)head, format, arguments);
    make_printable(line);
    size_t len = strlen(line);
    line[len++] = '\n';
    for (size_t done = 0; done < len;) {
        ssize_t now = write(STDERR_FILENO, line + done, len - done);
        if (now < 0 && errno != EINTR) {
            return; /* there is nobody left to tell */
        }
        done += now > 0 ? (size_t)now : 0;
    }
}

void cli_error(const cli *run, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(run, "", format, arguments);
    va_end(arguments);
}

void cli_note(const cli *run, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    say(run, "note: ", format, arguments);
    va_end(arguments);
}

int cli_code(goat_status status) {
    if (status == GOAT_OK) {
        return CLI_DONE;
    }
    return status < 40 ? CLI_NO : CLI_TROUBLE; /* goat.h: below 40 it is an answer, or the data was refused */
}

void cli_describe(const goat_error *error, const char *subject, char *text, size_t size) {
    const char *path = goat_error_detail(error, GOAT_DETAIL_PATH);
    const char *field = goat_error_detail(error, GOAT_DETAIL_FIELD);
    const char *rule = goat_error_detail(error, GOAT_DETAIL_RULE);
    const char *message = goat_error_message(error);
    if (*path == '\0' && subject != NULL) {
        path = subject;
    }
    char quoted[256];
    snprintf(quoted, sizeof quoted, "\"%s\"", field);
    bool says_path = *path == '\0' || strncmp(message, path, strlen(path)) == 0;
    bool says_field = *field == '\0' || strstr(message, quoted) != NULL;
    const char *comma = !says_field && *rule != '\0' ? ", " : "";
    bool is_rule = *rule != '\0', is_more = is_rule || !says_field;
    snprintf(text, size, "%s%s%s%s%s%s%s%s%s%s", says_path ? "" : path, says_path ? "" : ": ", message,
             is_more ? " (" : "", says_field ? "" : "field ", says_field ? "" : quoted, comma, is_rule ? "rule " : "",
             rule, is_more ? ")" : "");
}

int cli_fail(const cli *run, const char *subject, goat_error *error) {
    char text[LINE_MAX_BYTES];
    cli_describe(error, subject, text, sizeof text);
    cli_error(run, "%s", text);
    int code = error != NULL ? cli_code(goat_error_status(error)) : CLI_TROUBLE;
    goat_error_free(error);
    return code;
}
