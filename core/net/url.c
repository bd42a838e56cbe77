/* Taking a URL apart. Whatever is accepted can be written into a request as it is: printable ASCII without blanks. */
#include "net/url.h"

#include <arpa/inet.h>
#include <stdio.h>

enum { PORT_PLAIN = 80, PORT_SECURE = 443, PORT_MAX = 65535 };

static goat_status wrong(gt_diag *diag, gt_bytes text, const uint8_t *at, const char *words) {
    return gt_fail_at(diag, GOAT_INVALID, (uint64_t)(at - text.data), "%s", words);
}

static uint8_t lower(uint8_t c) { return c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c; }

static bool begins_with(gt_bytes text, const char *prefix) {
    size_t len = strlen(prefix);
    for (size_t i = 0; i < len; i++) {
        if (i >= text.len || lower(text.data[i]) != (uint8_t)prefix[i]) return false;
    }
    return true;
}

static bool is_host_byte(uint8_t c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

/* A name or an IPv4 address. */
static goat_status take_name(gt_bytes text, const uint8_t **at, gt_url *url, gt_diag *diag) {
    const uint8_t *end = text.data + text.len, *p = *at;
    size_t len = 0;
    for (; p < end && *p != ':' && *p != '/' && *p != '?'; p++) {
        if (!is_host_byte(lower(*p))) return wrong(diag, text, p, "this cannot stand in the name of a host");
        if (len == GT_URL_HOST_MAX) return gt_fail(diag, GOAT_TOO_LARGE, "the name of the host is too long");
        url->host[len++] = (char)lower(*p);
    }
    if (len == 0 || url->host[0] == '.' || url->host[0] == '-') return wrong(diag, text, *at, "there is no host");
    struct in_addr address;
    url->is_address = inet_pton(AF_INET, url->host, &address) == 1;
    *at = p;
    return GOAT_OK;
}

/* An IPv6 address in brackets. */
static goat_status take_address(gt_bytes text, const uint8_t **at, gt_url *url, gt_diag *diag) {
    const uint8_t *end = text.data + text.len, *p = *at + 1;
    size_t len = 0;
    for (; p < end && *p != ']'; p++) {
        if (len == INET6_ADDRSTRLEN - 1) return wrong(diag, text, *at, "this is no IPv6 address");
        url->host[len++] = (char)lower(*p);
    }
    struct in6_addr address;
    if (p == end || memchr(url->host, 0, len) != NULL || inet_pton(AF_INET6, url->host, &address) != 1) {
        return wrong(diag, text, *at, "this is no IPv6 address");
    }
    url->is_address = true;
    *at = p + 1;
    return GOAT_OK;
}

static goat_status take_port(gt_bytes text, const uint8_t **at, gt_url *url, gt_diag *diag) {
    const uint8_t *end = text.data + text.len, *p = *at;
    uint32_t port = url->secure ? PORT_SECURE : PORT_PLAIN;
    if (p < end && *p == ':') {
        port = 0;
        for (p++; p < end && *p >= '0' && *p <= '9' && port <= PORT_MAX; p++) port = port * 10 + (uint32_t)(*p - '0');
        if (port == 0 || port > PORT_MAX) return wrong(diag, text, *at + 1, "this is no port");
    }
    if (p < end && *p != '/' && *p != '?') return wrong(diag, text, p, "after the host comes a port or a path");
    url->port = (uint16_t)port;
    *at = p;
    return GOAT_OK;
}

static goat_status take_path(gt_bytes text, const uint8_t *at, gt_url *url, gt_diag *diag) {
    const uint8_t *end = text.data + text.len;
    size_t len = 0;
    if (at == end || *at != '/') url->path[len++] = '/';
    for (const uint8_t *p = at; p < end; p++) {
        if (*p == '#') return wrong(diag, text, p, "a part behind '#' means nothing to a server");
        if (*p <= ' ' || *p >= 0x7f) return wrong(diag, text, p, "this has to be written as %XX");
        if (len == GT_URL_PATH_MAX) return gt_fail(diag, GOAT_TOO_LARGE, "the path is too long");
        url->path[len++] = (char)*p;
    }
    return GOAT_OK;
}

static void write_authority(gt_url *url) {
    bool brackets = strchr(url->host, ':') != NULL;
    const char *open = brackets ? "[" : "", *close = brackets ? "]" : "";
    if (url->port == (url->secure ? PORT_SECURE : PORT_PLAIN)) {
        snprintf(url->authority, sizeof(url->authority), "%s%s%s", open, url->host, close);
    } else {
        snprintf(url->authority, sizeof(url->authority), "%s%s%s:%u", open, url->host, close, url->port);
    }
}

goat_status gt_url_parse(gt_bytes text, gt_url *url, gt_diag *diag) {
    memset(url, 0, sizeof(*url));
    if (text.len > GT_URL_MAX) return gt_fail(diag, GOAT_TOO_LARGE, "the URL is too long");
    url->secure = begins_with(text, "wss://");
    if (!url->secure && !begins_with(text, "ws://")) {
        return gt_fail_at(diag, GOAT_INVALID, 0, "the URL of a server begins with ws:// or wss://");
    }
    const uint8_t *at = text.data + (url->secure ? 6 : 5);
    const uint8_t *end = text.data + text.len;
    for (const uint8_t *p = at; p < end && *p != '/' && *p != '?'; p++) {
        if (*p == '@') return wrong(diag, text, at, "a URL does not carry a name and a password here");
    }
    goat_status status = at < end && *at == '[' ? take_address(text, &at, url, diag) : take_name(text, &at, url, diag);
    if (status == GOAT_OK) status = take_port(text, &at, url, diag);
    if (status == GOAT_OK) status = take_path(text, at, url, diag);
    if (status == GOAT_OK) write_authority(url);
    return status;
}
