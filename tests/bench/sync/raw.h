/* The bench's own clients: many cheap WebSockets on one epoll loop, which speak core/sync/PROTOCOL.md as far as a load
 * needs it. They prove their keys and open repositories, take in what comes without verifying it, and send what was
 * made beforehand. One thread. */
#ifndef GOAT_BENCH_RAW_H
#define GOAT_BENCH_RAW_H

#include "lab.h"

#include "sync/message.h"
#include "trust/trust.h"

enum { RAW_PATHS_MAX = 4 };

typedef struct raw raw;
typedef struct raw_pool raw_pool;

typedef enum raw_phase { RAW_TLS, RAW_UPGRADE, RAW_HELLO, RAW_OPENING, RAW_OPEN } raw_phase;

struct raw {
    raw_pool *pool;
    int socket;
    void *tls; /* SSL; NULL: plain */
    raw_phase phase;
    bool wants_out; /* as epoll was told */
    uint32_t opened;
    gt_identity identity;
    gt_buf in;     /* bytes of the stream, from a head on */
    gt_buf packet; /* fragments of a message that is not whole yet */
    gt_buf out;    /* not taken by the kernel yet */
    gt_buf hello;
    uint64_t number, acknowledged; /* the caller's */
};

struct raw_pool {
    /* set by the caller */
    uint16_t port;
    bool secure;
    const raw_pool *beside; /* shares the loop of this one, which is run; NULL */
    uint64_t window;        /* that each client grants; it never grants more */
    const char *paths[RAW_PATHS_MAX];
    uint32_t path_count; /* channel i + 1 is paths[i] */
    void *context;
    void (*batch)(void *context, raw *client, uint32_t channel, gt_bytes frame);               /* NULL: not looked at */
    void (*acknowledged)(void *context, raw *client, uint32_t channel, const gt_ids *batches); /* NULL */

    /* kept here */
    int epoll;
    void *tls; /* SSL_CTX */
    gt_hasher *hasher;
    gt_arena arena;
    raw **clients;
    size_t count, capacity;
    size_t ready; /* clients whose repositories are open */
    uint64_t bytes_in, packets_in, batches_in;
};

void raw_pool_init(raw_pool *pool);
void raw_pool_free(raw_pool *pool);

/* A new key pair. */
gt_identity raw_identity(gt_hasher *hasher);
/* Begins to connect, as `identity`; NULL: as a new one. */
raw *raw_add(raw_pool *pool, const gt_identity *identity);
/* Waits for what comes, at most `wait_us` (0: only what is there), and takes it in. */
void raw_run(raw_pool *pool, uint64_t wait_us);
/* Connects `count` more, at most `at_once` under way, until all have opened their repositories. */
void raw_connect(raw_pool *pool, size_t count, size_t at_once);

/* Sends messages as one packet. */
void raw_send(raw *client, gt_bytes packet);
/* A batch as DATA that is to be acknowledged. */
void raw_send_batch(raw *client, uint32_t channel, gt_bytes frame);

#endif
