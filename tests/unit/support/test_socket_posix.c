#define _GNU_SOURCE
#include "support/test_socket_posix.h"

#include "support/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 10000 };

uint64_t test_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void test_sleep_ms(unsigned ms) { nanosleep(&(struct timespec){ms / 1000, (long)(ms % 1000) * 1000000}, NULL); }

/* ---- bytes ---- */

test_socket socket_open(uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval wait = {.tv_sec = WAIT_MS / 1000};
    int on = 1, made = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(made >= 0);
    setsockopt(made, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(made, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    assert_int_equal(connect(made, (struct sockaddr *)&address, sizeof address), 0);
    return (test_socket){.descriptor = made};
}

test_socket socket_open_tls(uint16_t port, int version_max) {
    test_socket opened = socket_open(port);
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_max_proto_version(tls, version_max);
    SSL_CTX_set_min_proto_version(tls, TLS1_VERSION);
    SSL_CTX_set_cipher_list(tls, "ALL:@SECLEVEL=0");
    opened.ssl = SSL_new(tls);
    SSL_CTX_free(tls);
    SSL_set_fd(opened.ssl, opened.descriptor);
    SSL_set_tlsext_host_name(opened.ssl, "localhost");
    if (SSL_connect(opened.ssl) != 1) {
        SSL_free(opened.ssl);
        opened.ssl = NULL;
    }
    return opened;
}

void socket_close(test_socket *socket) {
    SSL_free(socket->ssl);
    close(socket->descriptor);
    *socket = (test_socket){.descriptor = -1};
}

bool socket_send(test_socket *socket, const void *bytes, size_t len) {
    const char *at = bytes;
    while (len > 0) {
        ssize_t sent = socket->ssl != NULL ? SSL_write(socket->ssl, at, (int)len)
                                           : send(socket->descriptor, at, len, MSG_NOSIGNAL);
        if (sent <= 0) return false;
        at += sent;
        len -= (size_t)sent;
    }
    return true;
}

size_t socket_receive(test_socket *socket, void *bytes, size_t size) {
    ssize_t got =
        socket->ssl != NULL ? SSL_read(socket->ssl, bytes, (int)size) : recv(socket->descriptor, bytes, size, 0);
    return got <= 0 ? 0 : (size_t)got;
}

void socket_wait_closed(test_socket *socket) {
    char bytes[4096];
    uint64_t begin = test_now_ms();
    while (socket_receive(socket, bytes, sizeof bytes) > 0) {
    }
    assert_true(test_now_ms() - begin < WAIT_MS - 500);
}

/* ---- HTTP ---- */

int http_status(const char *text) { return strncmp(text, "HTTP/1.", 7) == 0 ? (int)strtol(text + 9, NULL, 10) : 0; }

const char *http_body(const char *text) {
    const char *end = strstr(text, "\r\n\r\n");
    return end == NULL ? "" : end + 4;
}

static size_t body_len(const char *text) {
    const char *at = strcasestr(text, "\r\ncontent-length:");
    return at == NULL ? SIZE_MAX : strtoul(at + 17, NULL, 10);
}

void http_exchange(uint16_t port, const char *request, char *text, size_t size) {
    test_socket socket = socket_open(port);
    bool is_head = strncmp(request, "HEAD ", 5) == 0;
    size_t len = 0, got;
    socket_send(&socket, request, strlen(request));
    text[0] = 0;
    while (len + 1 < size && (got = socket_receive(&socket, text + len, size - len - 1)) > 0) {
        len += got;
        text[len] = 0;
        const char *body = strstr(text, "\r\n\r\n");
        if (body != NULL && (is_head || http_status(text) == 304)) break;
        if (body != NULL && len - (size_t)(body + 4 - text) >= body_len(text)) break;
    }
    socket_close(&socket);
}

void http_get(uint16_t port, const char *path, char *text, size_t size) {
    char request[4096];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    http_exchange(port, request, text, size);
}

/* ---- WebSocket ---- */

int ws_upgrade(test_socket *socket, const char *protocol, const char *headers) {
    return ws_upgrade_at(socket, "localhost", protocol, headers);
}

int ws_upgrade_at(test_socket *socket, const char *host, const char *protocol, const char *headers) {
    char request[4096], answer[4096];
    size_t len = 0;
    char offer[256] = "";
    if (protocol != NULL) snprintf(offer, sizeof offer, "Sec-WebSocket-Protocol: %s\r\n", protocol);
    snprintf(request, sizeof request,
             "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s\r\n",
             host, offer, headers == NULL ? "" : headers);
    if (!socket_send(socket, request, strlen(request))) return 0;
    /* Byte by byte: what follows the head belongs to the first frame. */
    while (len + 1 < sizeof answer && socket_receive(socket, answer + len, 1) == 1) {
        answer[++len] = 0;
        if (len >= 4 && memcmp(answer + len - 4, "\r\n\r\n", 4) == 0) break;
    }
    answer[len] = 0;
    return http_status(answer);
}

test_socket ws_open(uint16_t port) {
    test_socket socket = socket_open(port);
    assert_int_equal(ws_upgrade(&socket, "goat.sync.1", NULL), 101);
    return socket;
}

bool ws_try_send(test_socket *socket, int opcode, bool is_last, const void *bytes, size_t len) {
    static const uint8_t mask[4] = {0x12, 0x34, 0x56, 0x78};
    uint8_t head[14] = {(uint8_t)((is_last ? 0x80 : 0) | opcode)};
    size_t at = 2;
    if (len < 126) {
        head[1] = (uint8_t)(0x80 | len);
    } else if (len < 65536) {
        head[1] = 0x80 | 126;
        head[at++] = (uint8_t)(len >> 8);
        head[at++] = (uint8_t)len;
    } else {
        head[1] = 0x80 | 127;
        for (int i = 7; i >= 0; i--) head[at++] = (uint8_t)(len >> (8 * i));
    }
    memcpy(head + at, mask, 4);
    uint8_t *frame = malloc(at + 4 + len);
    assert_non_null(frame);
    memcpy(frame, head, at + 4);
    for (size_t i = 0; i < len; i++) frame[at + 4 + i] = ((const uint8_t *)bytes)[i] ^ mask[i & 3];
    bool sent = socket_send(socket, frame, at + 4 + len);
    free(frame);
    return sent;
}

void ws_send(test_socket *socket, int opcode, bool is_last, const void *bytes, size_t len) {
    assert_true(ws_try_send(socket, opcode, is_last, bytes, len));
}

static bool receive_all(test_socket *socket, void *bytes, size_t len) {
    for (size_t at = 0; at < len;) {
        size_t got = socket_receive(socket, (char *)bytes + at, len - at);
        if (got == 0) return false;
        at += got;
    }
    return true;
}

int ws_receive(test_socket *socket, gt_buf *payload, bool *is_last) {
    uint8_t head[10];
    if (!receive_all(socket, head, 2)) return WS_GONE;
    assert_int_equal(head[1] & 0x80, 0); /* a server does not mask */
    uint64_t len = head[1] & 0x7f;
    size_t more = len == 126 ? 2 : len == 127 ? 8 : 0;
    if (more > 0) {
        if (!receive_all(socket, head + 2, more)) return WS_GONE;
        len = 0;
        for (size_t i = 0; i < more; i++) len = len << 8 | head[2 + i];
    }
    uint8_t *at = gt_buf_reserve(payload, len);
    assert_non_null(at);
    if (!receive_all(socket, at, len)) return WS_GONE;
    payload->len += len;
    if (is_last != NULL) *is_last = (head[0] & 0x80) != 0;
    return head[0] & 0x0f;
}

int ws_message(test_socket *socket, gt_buf *message) {
    int kind = WS_GONE;
    for (;;) {
        bool is_last = false;
        size_t before = message->len;
        int opcode = ws_receive(socket, message, &is_last);
        if (opcode == WS_PING) {
            ws_try_send(socket, WS_PONG, true, message->data + before, message->len - before);
            message->len = before;
            continue;
        }
        if (opcode != WS_CONTINUATION) kind = opcode;
        if (opcode == WS_GONE || is_last) return kind;
    }
}

void ws_expect(test_socket *socket, const void *bytes, size_t len) {
    gt_buf message;
    gt_buf_init(&message, &gt_alloc_system);
    assert_int_equal(ws_message(socket, &message), WS_BINARY);
    assert_int_equal(message.len, len);
    if (len > 0) assert_memory_equal(message.data, bytes, len);
    gt_buf_free(&message);
}

int ws_wait_closed(test_socket *socket) {
    int status = 0, kind;
    gt_buf message;
    uint64_t begin = test_now_ms();
    gt_buf_init(&message, &gt_alloc_system);
    do {
        gt_buf_clear(&message);
        kind = ws_message(socket, &message);
        if (kind == WS_CLOSE && message.len >= 2) status = message.data[0] << 8 | message.data[1];
    } while (kind != WS_GONE && kind != WS_CLOSE);
    gt_buf_free(&message);
    assert_true(test_now_ms() - begin < WAIT_MS - 500);
    return status;
}
