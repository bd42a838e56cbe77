/* The rules of request.h. All input is a stranger's. */
#include "net/request.h"

#include <arpa/inet.h>

static bool is_plain(uint8_t c) { return c >= ' ' && c != 0x7f && c != '\\'; }

bool gt_request_path_valid(gt_bytes path) {
    if (path.len == 0 || path.len > GT_REQUEST_PATH_MAX || path.data[0] != '/') return false;
    for (size_t i = 0; i < path.len; i++) {
        uint8_t c = path.data[i];
        if (!is_plain(c)) return false;
        if (c == '/' && i + 1 < path.len && (path.data[i + 1] == '/' || path.data[i + 1] == '.')) return false;
    }
    return true;
}

void gt_request_encode_path(gt_buf *out, gt_bytes path) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < path.len; i++) {
        uint8_t c = path.data[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (plain || (c != 0 && memchr("-._~/!$()*", c, 10) != NULL)) {
            gt_buf_append_byte(out, c);
        } else {
            gt_buf_append_byte(out, '%');
            gt_buf_append_byte(out, (uint8_t)digits[c >> 4]);
            gt_buf_append_byte(out, (uint8_t)digits[c & 15]);
        }
    }
}

/* ---- lists in headers ---- */

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c; }

static bool same_text(gt_bytes a, gt_bytes b) {
    if (a.len != b.len) return false;
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.data[i]) != lower(b.data[i])) return false;
    }
    return true;
}

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t'; }

/* The next element of a list, without the blanks around it; false at the end. */
static bool next_element(gt_bytes *list, uint8_t separator, gt_bytes *element) {
    if (list->data == NULL) return false;
    const uint8_t *end = list->data + list->len, *p = list->data, *stop;
    for (stop = p; stop < end && *stop != separator; stop++) {
    }
    *element = gt_bytes_of(p, (size_t)(stop - p));
    *list = stop == end ? (gt_bytes){0} : gt_bytes_of(stop + 1, (size_t)(end - stop - 1));
    while (element->len > 0 && is_blank(element->data[0])) {
        element->data++;
        element->len--;
    }
    while (element->len > 0 && is_blank(element->data[element->len - 1])) element->len--;
    return true;
}

bool gt_request_list_has(gt_bytes list, const char *name) {
    gt_bytes element;
    while (next_element(&list, ',', &element)) {
        if (same_text(element, gt_bytes_text(name))) return true;
    }
    return false;
}

bool gt_request_tag_matches(gt_bytes list, gt_bytes tag) {
    gt_bytes element;
    while (next_element(&list, ',', &element)) {
        if (element.len == 1 && element.data[0] == '*') return true;
        if (element.len > 2 && element.data[0] == 'W' && element.data[1] == '/') {
            element.data += 2; /* a weak tag will do for reading */
            element.len -= 2;
        }
        if (gt_bytes_equal(element, tag)) return true;
    }
    return false;
}

/* ---- origins ---- */

static bool cut_prefix(gt_bytes *text, const char *prefix) {
    size_t len = strlen(prefix);
    if (text->len < len || !same_text(gt_bytes_of(text->data, len), gt_bytes_text(prefix))) return false;
    text->data += len;
    text->len -= len;
    return true;
}

static void cut_suffix(gt_bytes *text, const char *suffix) {
    size_t len = strlen(suffix);
    if (text->len > len && memcmp(text->data + text->len - len, suffix, len) == 0) text->len -= len;
}

/* The host of "host:port" or "[address]:port", in lower case; false when it does not fit. */
static bool take_host(gt_bytes authority, char name[GT_REQUEST_HOST_MAX + 1], bool *is_address) {
    size_t len = 0, begin = 0;
    *is_address = authority.len > 0 && authority.data[0] == '[';
    if (*is_address) begin = 1;
    for (size_t i = begin; i < authority.len && authority.data[i] != (*is_address ? ']' : ':'); i++) {
        if (len == GT_REQUEST_HOST_MAX || !is_plain(authority.data[i])) return false;
        name[len++] = (char)lower(authority.data[i]);
    }
    name[len] = 0;
    return len > 0;
}

/* A browser takes what ends with a number for an IPv4 address, and looks it up nowhere. */
static bool is_ipv4(const char *name) {
    struct in_addr address;
    return inet_pton(AF_INET, name, &address) == 1;
}

bool gt_request_origin_allowed(gt_bytes origin, gt_bytes host, const char *allowed,
                               bool (*is_own_name)(void *context, const char *name), void *context) {
    char name[GT_REQUEST_HOST_MAX + 1];
    bool is_address;
    gt_bytes list = gt_bytes_text(allowed == NULL ? "" : allowed), element;
    bool any = false;
    if (origin.data == NULL) return true;
    while (next_element(&list, ' ', &element)) {
        if (element.len == 0) continue;
        any = true;
        if ((element.len == 1 && element.data[0] == '*') || same_text(element, origin)) return true;
    }
    if (any) return false;
    if (cut_prefix(&origin, "https://")) {
        cut_suffix(&origin, ":443");
        cut_suffix(&host, ":443");
    } else if (cut_prefix(&origin, "http://")) {
        cut_suffix(&origin, ":80");
        cut_suffix(&host, ":80");
    } else {
        return false;
    }
    if (host.len == 0 || !same_text(origin, host) || !take_host(origin, name, &is_address)) return false;
    return is_address || is_ipv4(name) || strcmp(name, "localhost") == 0 || is_own_name(context, name);
}

/* ---- content types ---- */

const char *gt_request_content_type(gt_bytes path) {
    static const struct {
        const char *end, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".wasm", "application/wasm"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".webp", "image/webp"},
        {".avif", "image/avif"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".woff", "font/woff"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/plain; charset=utf-8"},
        {".xml", "application/xml"},
        {".pdf", "application/pdf"},
        {".mp4", "video/mp4"},
        {".webm", "video/webm"},
        {".mp3", "audio/mpeg"},
    };
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        size_t len = strlen(types[i].end);
        if (path.len > len && same_text(gt_bytes_of(path.data + path.len - len, len), gt_bytes_text(types[i].end))) {
            return types[i].type;
        }
    }
    return "application/octet-stream";
}
