/* The stream of one client: bytes of a socket, through TLS or not, as WebSocket frames. */
#define _GNU_SOURCE
#include "raw_stream.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

enum { READ_SIZE = 256 * 1024, FRAME_FIN = 0x80, FRAME_MASKED = 0x80 };

static const char upgrade[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Key: bGliZ29hdCdzIGJlbmNoLg==\r\nSec-WebSocket-Version: 13\r\n"
                              "Sec-WebSocket-Protocol: " GT_SYNC_SUBPROTOCOL "\r\n\r\n";

/* ---- out ---- */

static void watch(raw *client, bool out) {
    struct epoll_event event = {.events = EPOLLIN | (out ? EPOLLOUT : 0u), .data.ptr = client};
    client->wants_out = out;
    if (epoll_ctl(client->pool->epoll, EPOLL_CTL_MOD, client->socket, &event) != 0)
        lab_fail("epoll: %s", strerror(errno));
}

/* Bytes written, 0 when none are taken now. */
static size_t write_some(raw *client, const uint8_t *bytes, size_t len) {
    if (client->tls == NULL) {
        ssize_t done = send(client->socket, bytes, len, MSG_NOSIGNAL);
        if (done < 0 && errno != EAGAIN && errno != EINTR) lab_fail("a client cannot send: %s", strerror(errno));
        return done < 0 ? 0 : (size_t)done;
    }
    int done = SSL_write(client->tls, bytes, len > INT32_MAX ? INT32_MAX : (int)len);
    if (done > 0) return (size_t)done;
    int error = SSL_get_error(client->tls, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) lab_fail("a client cannot send through TLS");
    return 0;
}

void raw_flush(raw *client) {
    size_t done = 0, some = 1;
    while (done < client->out.len && some > 0) {
        some = write_some(client, client->out.data + done, client->out.len - done);
        done += some;
    }
    client->out.len -= done;
    if (client->out.len > 0) memmove(client->out.data, client->out.data + done, client->out.len);
    if (client->out.len == 0) gt_buf_free(&client->out);
    bool more = client->out.len > 0;
    if (more != client->wants_out) watch(client, more);
}

static void write_bytes(raw *client, const void *bytes, size_t len) {
    size_t done = client->out.len > 0 ? 0 : write_some(client, bytes, len);
    if (done == len) return;
    gt_buf_append(&client->out, (const uint8_t *)bytes + done, len - done);
    if (gt_buf_failed(&client->out)) lab_fail("no memory for a client");
    if (!client->wants_out) watch(client, true);
}

/* Masked with zeros, which leaves the bytes as they are. */
void raw_write_frame(raw *client, raw_opcode opcode, gt_bytes payload) {
    uint8_t head[14] = {(uint8_t)(FRAME_FIN | opcode)};
    size_t len = 2;
    if (payload.len < 126) {
        head[1] = (uint8_t)payload.len;
    } else if (payload.len <= UINT16_MAX) {
        head[1] = 126;
        head[2] = (uint8_t)(payload.len >> 8);
        head[3] = (uint8_t)payload.len;
        len = 4;
    } else {
        head[1] = 127;
        for (int i = 0; i < 8; i++) head[2 + i] = (uint8_t)((uint64_t)payload.len >> (56 - 8 * i));
        len = 10;
    }
    head[1] |= FRAME_MASKED;
    len += 4;
    gt_buf whole;
    gt_buf_init(&whole, &gt_alloc_system);
    gt_buf_append(&whole, head, len);
    gt_buf_append(&whole, payload.data, payload.len);
    write_bytes(client, whole.data, whole.len);
    gt_buf_free(&whole);
}

void raw_ask_upgrade(raw *client) {
    client->phase = RAW_UPGRADE;
    write_bytes(client, upgrade, sizeof(upgrade) - 1);
}

/* ---- in ---- */

/* The length of the WebSocket frame at the head of the bytes, its payload in `*payload`; 0: it is not all there. */
static size_t frame_at(gt_bytes bytes, gt_bytes *payload) {
    if (bytes.len < 2) return 0;
    uint64_t len = bytes.data[1] & 0x7f;
    size_t head = len == 127 ? 10 : len == 126 ? 4 : 2;
    if (bytes.len < head) return 0;
    if (head > 2) len = 0;
    for (size_t i = 2; i < head; i++) len = len << 8 | bytes.data[i];
    if (bytes.len - head < len) return 0;
    *payload = gt_bytes_of(bytes.data + head, (size_t)len);
    return head + (size_t)len;
}

static void take_frame(raw *client, uint8_t first, gt_bytes payload) {
    switch (first & 0x0f) {
    case RAW_OP_PING: raw_write_frame(client, RAW_OP_PONG, payload); return;
    case RAW_OP_PONG: return;
    case RAW_OP_CLOSE: lab_fail("the server has closed a connection");
    case RAW_OP_CONTINUE:
    case RAW_OP_BINARY: break;
    default: lab_fail("a frame of kind %d", first & 0x0f);
    }
    if ((first & FRAME_FIN) != 0 && client->packet.len == 0) {
        raw_take_packet(client, payload);
        return;
    }
    gt_buf_append(&client->packet, payload.data, payload.len);
    if ((first & FRAME_FIN) == 0) return;
    raw_take_packet(client, gt_buf_bytes(&client->packet));
    gt_buf_free(&client->packet);
}

/* Takes the answer to the upgrade; its length, 0: it is not all there. */
static size_t take_upgrade(raw *client, gt_bytes bytes) {
    const uint8_t *end = memmem(bytes.data, bytes.len, "\r\n\r\n", 4);
    if (end == NULL) return 0;
    if (bytes.len < 12 || memcmp(bytes.data + 9, "101", 3) != 0)
        lab_fail("no upgrade: %.*s", 40, (const char *)bytes.data);
    raw_upgraded(client);
    return (size_t)(end - bytes.data) + 4;
}

/* Takes what is whole of `bytes`; how much. */
static size_t take_stream(raw *client, gt_bytes bytes) {
    size_t done = 0, some = 1;
    while (some > 0 && done < bytes.len) {
        gt_bytes rest = gt_bytes_of(bytes.data + done, bytes.len - done), payload;
        if (client->phase == RAW_UPGRADE) {
            some = take_upgrade(client, rest);
        } else {
            some = frame_at(rest, &payload);
            if (some > 0) take_frame(client, rest.data[0], payload);
        }
        done += some;
    }
    return done;
}

/* 0: nothing is there now. */
static size_t read_some(raw *client, uint8_t *bytes, size_t size) {
    if (client->tls == NULL) {
        ssize_t len = recv(client->socket, bytes, size, 0);
        if (len == 0) lab_fail("the server has cut a connection in phase %d", client->phase);
        if (len < 0 && errno != EAGAIN && errno != EINTR) lab_fail("a client cannot receive: %s", strerror(errno));
        return len < 0 ? 0 : (size_t)len;
    }
    int len = SSL_read(client->tls, bytes, (int)size);
    if (len > 0) return (size_t)len;
    int error = SSL_get_error(client->tls, len);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) lab_fail("a client cannot receive through TLS");
    return 0;
}

void raw_receive(raw *client) {
    static uint8_t bytes[READ_SIZE];
    size_t len;
    while ((len = read_some(client, bytes, sizeof(bytes))) > 0) {
        client->pool->bytes_in += len;
        gt_bytes all = gt_bytes_of(bytes, len);
        if (client->in.len > 0) {
            gt_buf_append(&client->in, bytes, len);
            all = gt_buf_bytes(&client->in);
        }
        size_t done = take_stream(client, all), left = all.len - done;
        if (client->in.len > 0) {
            memmove(client->in.data, client->in.data + done, left);
            client->in.len = left;
        } else {
            gt_buf_append(&client->in, all.data + done, left);
        }
        if (gt_buf_failed(&client->in)) lab_fail("no memory for a client");
        if (left == 0) gt_buf_free(&client->in);
        if (client->tls == NULL && len < sizeof(bytes)) return;
    }
}
