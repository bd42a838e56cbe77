/* A stranger at the other end of a real socket: bytes, HTTP and WebSocket frames written out by hand, so that a test can
 * also send what no honest client does. Everything waits ten seconds at most. */
#ifndef TEST_SOCKET_POSIX_H
#define TEST_SOCKET_POSIX_H

#include "base/buf.h"

#include <openssl/ssl.h>

typedef struct test_socket {
    int descriptor;
    SSL *ssl; /* NULL: plain */
} test_socket;

enum { WS_CONTINUATION = 0, WS_TEXT = 1, WS_BINARY = 2, WS_CLOSE = 8, WS_PING = 9, WS_PONG = 10, WS_GONE = -1 };

/* To 127.0.0.1. The test fails if nobody listens there. */
test_socket socket_open(uint16_t port);
/* The same with TLS, the server's certificate not looked at; ssl is NULL if the handshake failed. */
test_socket socket_open_tls(uint16_t port, int version_max);
void socket_close(test_socket *socket);
bool socket_send(test_socket *socket, const void *bytes, size_t len); /* false: the other side is gone */
size_t socket_receive(test_socket *socket, void *bytes, size_t size); /* 0: closed, or nothing came in time */
void socket_wait_closed(test_socket *socket);                         /* fails if it is not closed in time */

/* Sends a request, and gives the whole answer; `text` is NUL-terminated. For one request on a connection. */
void http_exchange(uint16_t port, const char *request, char *text, size_t size);
/* "GET path" with a Host header. */
void http_get(uint16_t port, const char *path, char *text, size_t size);
int http_status(const char *text);
const char *http_body(const char *text);

/* Upgrades; `headers` (may be NULL) are lines that end with \r\n. The status of the answer: 101 if it went well. */
int ws_upgrade(test_socket *socket, const char *protocol, const char *headers);
int ws_upgrade_at(test_socket *socket, const char *host, const char *protocol, const char *headers); /* "Host: host" */
test_socket ws_open(uint16_t port);                                                                  /* and upgraded */
void ws_send(test_socket *socket, int opcode, bool is_last, const void *bytes, size_t len);
bool ws_try_send(test_socket *socket, int opcode, bool is_last, const void *bytes, size_t len);
/* The next frame: its opcode, WS_GONE. */
int ws_receive(test_socket *socket, gt_buf *payload, bool *is_last);
/* The next whole message; pings are answered. */
int ws_message(test_socket *socket, gt_buf *message);
/* The next message is binary and this. */
void ws_expect(test_socket *socket, const void *bytes, size_t len);
/* The server closes; gives the status of its close frame, 0: none came. */
int ws_wait_closed(test_socket *socket);

/* Milliseconds, monotonic. */
uint64_t test_now_ms(void);
void test_sleep_ms(unsigned ms);

#endif
