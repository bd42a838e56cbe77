#define _GNU_SOURCE
#include "raw.h"

#include "raw_stream.h"
#include "value/build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256 };

/* ---- messages ---- */

void raw_send(raw *client, gt_bytes packet) { raw_write_frame(client, RAW_OP_BINARY, packet); }

void raw_send_batch(raw *client, uint32_t channel, gt_bytes frame) {
    gt_buf packet;
    gt_buf_init(&packet, &gt_alloc_system);
    gt_message_data_head(&packet, channel, GT_DATA_ACK, 1);
    gt_write_bytes(&packet, frame);
    raw_send(client, gt_buf_bytes(&packet));
    gt_buf_free(&packet);
}

void raw_upgraded(raw *client) {
    uint8_t nonce[GT_SYNC_NONCE_SIZE];
    if (getrandom(nonce, sizeof(nonce), 0) < 0) lab_fail("no randomness");
    gt_message message = {.kind = GT_MESSAGE_HELLO};
    message.as.hello = (gt_hello){
        .version = GT_SYNC_VERSION,
        .public_key = client->identity.public_key,
        .nonce = nonce,
        .wall_ms = (uint64_t)time(NULL) * 1000,
        .window = client->pool->window,
    };
    gt_message_write(&client->hello, &message);
    raw_send(client, gt_buf_bytes(&client->hello));
    client->phase = RAW_HELLO;
}

static void answer_hello(raw *client, const gt_message *message) {
    raw_pool *pool = client->pool;
    uint8_t signature[GT_SIGNATURE_SIZE];
    gt_buf bytes;
    if (message->as.hello.network == NULL) lab_fail("the server does not name its network");
    gt_buf_init(&bytes, &gt_alloc_system);
    gt_hello_signed_bytes(pool->hasher, message->as.hello.network, 0, gt_buf_bytes(&client->hello), message->bytes,
                          &bytes);
    gt_sign(&client->identity.secret, bytes.data, bytes.len, signature);
    gt_buf_clear(&bytes);
    gt_message proof = {.kind = GT_MESSAGE_PROOF, .as.proof.signature = signature};
    gt_message_write(&bytes, &proof);
    for (uint32_t i = 0; i < pool->path_count; i++) {
        gt_message open = {.kind = GT_MESSAGE_OPEN, .channel = i + 1, .as.open.path = gt_bytes_text(pool->paths[i])};
        gt_message_write(&bytes, &open);
    }
    raw_send(client, gt_buf_bytes(&bytes));
    gt_buf_free(&bytes);
    gt_buf_free(&client->hello);
    client->phase = RAW_OPENING;
}

static void take_message(raw *client, const gt_message *message) {
    raw_pool *pool = client->pool;
    switch (message->kind) {
    case GT_MESSAGE_HELLO: answer_hello(client, message); return;
    case GT_MESSAGE_OPENED:
        if (++client->opened < pool->path_count) return;
        client->phase = RAW_OPEN;
        pool->ready++;
        return;
    case GT_MESSAGE_DATA:
        for (uint32_t i = 0; i < message->as.data.count; i++) {
            if (message->as.data.records[i].is_receipt) continue;
            pool->batches_in++;
            if (pool->batch != NULL) {
                pool->batch(pool->context, client, message->channel, message->as.data.records[i].bytes);
            }
        }
        return;
    case GT_MESSAGE_ACK:
        if (pool->acknowledged != NULL) {
            pool->acknowledged(pool->context, client, message->channel, &message->as.ack.ids);
        }
        return;
    case GT_MESSAGE_REFUSE:
        lab_fail("the server refuses a batch: %.*s", (int)message->as.refuse.text.len,
                 (const char *)message->as.refuse.text.data);
    case GT_MESSAGE_CLOSE:
    case GT_MESSAGE_BYE:
        lab_fail("the server ends it: %s %.*s", goat_status_name(message->as.close.status),
                 (int)message->as.close.text.len, (const char *)message->as.close.text.data);
    default: return;
    }
}

void raw_take_packet(raw *client, gt_bytes packet) {
    raw_pool *pool = client->pool;
    pool->packets_in++;
    while (packet.len > 0) {
        gt_message message;
        gt_diag diag;
        gt_diag_init(&diag);
        goat_status status = gt_message_read(&packet, &pool->arena, &message, &diag);
        if (status == GOAT_NOT_FOUND) continue;
        if (status != GOAT_OK) lab_fail("a client cannot read: %s", diag.message);
        take_message(client, &message);
    }
    gt_arena_reset(&pool->arena);
}

/* ---- clients ---- */

static void advance(raw *client, uint32_t events) {
    if (client->phase == RAW_TLS) {
        int done = SSL_connect(client->tls);
        if (done == 1) {
            raw_ask_upgrade(client);
        } else {
            int error = SSL_get_error(client->tls, done);
            if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) {
                lab_fail("TLS: %s", ERR_error_string(ERR_get_error(), NULL));
            }
        }
        return;
    }
    if ((events & EPOLLOUT) != 0) raw_flush(client);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) raw_receive(client);
}

gt_identity raw_identity(gt_hasher *hasher) {
    uint8_t seed[GT_SEED_SIZE];
    gt_identity identity;
    if (getrandom(seed, sizeof(seed), 0) < 0) lab_fail("no randomness");
    gt_identity_from_seed(hasher, seed, &identity);
    return identity;
}

raw *raw_add(raw_pool *pool, const gt_identity *identity) {
    raw *client = calloc(1, sizeof(*client));
    if (client == NULL) lab_fail("no memory for a client");
    client->pool = pool;
    client->identity = identity != NULL ? *identity : raw_identity(pool->hasher);
    gt_buf_init(&client->in, &gt_alloc_system);
    gt_buf_init(&client->packet, &gt_alloc_system);
    gt_buf_init(&client->out, &gt_alloc_system);
    gt_buf_init(&client->hello, &gt_alloc_system);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(pool->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    /* Loopback connects at once, or waits for a place in the server's queue. */
    if (client->socket < 0 || connect(client->socket, (struct sockaddr *)&address, sizeof(address)) != 0) {
        lab_fail("connect: %s", strerror(errno));
    }
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    int flags = fcntl(client->socket, F_GETFL);
    fcntl(client->socket, F_SETFL, flags | O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
    if (epoll_ctl(pool->epoll, EPOLL_CTL_ADD, client->socket, &event) != 0) lab_fail("epoll: %s", strerror(errno));
    if (pool->secure) {
        client->tls = SSL_new(pool->tls);
        SSL_set_fd(client->tls, client->socket);
        SSL_set_mode(client->tls,
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        advance(client, 0);
    } else {
        raw_ask_upgrade(client);
    }
    if (pool->count == pool->capacity) {
        pool->capacity = pool->capacity * 2 + 16;
        pool->clients = realloc(pool->clients, pool->capacity * sizeof(*pool->clients));
        if (pool->clients == NULL) lab_fail("no memory for clients");
    }
    pool->clients[pool->count++] = client;
    return client;
}

void raw_run(raw_pool *pool, uint64_t wait_us) {
    struct epoll_event events[EVENTS];
    struct timespec wait = {(time_t)(wait_us / 1000000), (long)(wait_us % 1000000) * 1000};
    int count = epoll_pwait2(pool->epoll, events, EVENTS, &wait, NULL);
    if (count < 0 && errno != EINTR) lab_fail("epoll: %s", strerror(errno));
    for (int i = 0; i < count; i++) advance(events[i].data.ptr, events[i].events);
}

void raw_connect(raw_pool *pool, size_t count, size_t at_once) {
    size_t wanted = pool->count + count;
    uint64_t deadline = now_us() + 120 * UINT64_C(1000000);
    while (pool->ready < wanted) {
        while (pool->count < wanted && pool->count - pool->ready < at_once) raw_add(pool, NULL);
        raw_run(pool, 100000);
        if (now_us() > deadline) lab_fail("%zu of %zu clients have connected in two minutes", pool->ready, wanted);
    }
}

void raw_pool_init(raw_pool *pool) {
    gt_diag diag;
    if (gt_crypto_init(&diag) != GOAT_OK || gt_hasher_new(&gt_alloc_system, &pool->hasher, &diag) != GOAT_OK) {
        lab_fail("%s", diag.message);
    }
    gt_arena_init(&pool->arena, &gt_alloc_system);
    pool->epoll = pool->beside != NULL ? pool->beside->epoll : epoll_create1(EPOLL_CLOEXEC);
    if (pool->epoll < 0) lab_fail("epoll: %s", strerror(errno));
    if (!pool->secure) return;
    pool->tls = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_verify(pool->tls, SSL_VERIFY_NONE, NULL); /* the load is what is of interest, not who serves it */
}

void raw_pool_free(raw_pool *pool) {
    for (size_t i = 0; i < pool->count; i++) {
        raw *client = pool->clients[i];
        SSL_free(client->tls);
        close(client->socket);
        gt_buf_free(&client->in);
        gt_buf_free(&client->packet);
        gt_buf_free(&client->out);
        gt_buf_free(&client->hello);
        free(client);
    }
    free(pool->clients);
    if (pool->beside == NULL) close(pool->epoll);
    SSL_CTX_free(pool->tls);
    gt_arena_free(&pool->arena);
    gt_hasher_free(pool->hasher);
}
