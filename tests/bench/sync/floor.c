/* What the machine itself costs, beside the figures that cannot be lower: two hops through a socket, a sync of the
 * disk, the hashes and signatures of a clone. */
#define _GNU_SOURCE
#include "lab.h"

#include "crypto/crypto.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    TRIPS = 2000,
    QUICK_TRIPS = 100,
    MESSAGE = 400,
    SYNCS = 100,
    QUICK_SYNCS = 10,
    BATCH_BYTES = 50 * 1024,
    BATCHES = 200
};

/* ---- two hops: from a client through a server to another is as far as there and back ---- */

static void echo_all(int from) {
    char bytes[MESSAGE];
    ssize_t len;
    while ((len = recv(from, bytes, sizeof(bytes), 0)) > 0) (void)!send(from, bytes, (size_t)len, MSG_NOSIGNAL);
}

static void *echo(void *listening) {
    int accepted = accept(*(int *)listening, NULL, NULL), yes = 1;
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    echo_all(accepted);
    close(accepted);
    return NULL;
}

static void measure_trips(int trips, samples *us) {
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
        client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    pthread_t thread;
    char bytes[MESSAGE] = {0};
    if (bind(listening, (struct sockaddr *)&address, size) != 0 || listen(listening, 1) != 0 ||
        getsockname(listening, (struct sockaddr *)&address, &size) != 0 ||
        pthread_create(&thread, NULL, echo, &listening) != 0 ||
        connect(client, (struct sockaddr *)&address, size) != 0) {
        lab_fail("loopback: %s", strerror(errno));
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    for (int i = 0; i < trips; i++) {
        uint64_t begin = now_us();
        if (send(client, bytes, sizeof(bytes), MSG_NOSIGNAL) != MESSAGE ||
            recv(client, bytes, sizeof(bytes), MSG_WAITALL) != MESSAGE) {
            lab_fail("loopback: %s", strerror(errno));
        }
        samples_add(us, (double)(now_us() - begin));
    }
    close(client);
    pthread_join(thread, NULL);
    close(listening);
}

/* ---- the disk ---- */

static void measure_syncs(const lab_plan *lab, int syncs, samples *us) {
    char path[256], bytes[MESSAGE] = {0};
    join(path, sizeof(path), lab->folder, "floor");
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    for (int i = 0; i < syncs; i++) {
        uint64_t begin = now_us();
        if (write(file, bytes, sizeof(bytes)) != MESSAGE || fdatasync(file) != 0)
            lab_fail("%s: %s", path, strerror(errno));
        samples_add(us, (double)(now_us() - begin));
    }
    close(file);
    remove(path);
}

/* ---- hashes and signatures, on one core: seconds for so many batches and bytes ---- */

static double checking_s(double batches, double bytes) {
    static uint8_t batch[BATCH_BYTES];
    uint8_t seed[GT_SEED_SIZE] = {1}, public_key[GT_PUBLIC_KEY_SIZE], signature[GT_SIGNATURE_SIZE], hash[GT_HASH_SIZE];
    gt_secret_key secret;
    gt_hasher *hasher = NULL;
    if (gt_crypto_init(NULL) != GOAT_OK || gt_hasher_new(&gt_alloc_system, &hasher, NULL) != GOAT_OK)
        lab_fail("no hasher");
    gt_key_pair(seed, public_key, &secret);
    gt_sign(&secret, batch, 300, signature);
    uint64_t begin = now_us();
    for (int i = 0; i < BATCHES; i++) {
        if (!gt_verify(public_key, batch, 300, signature)) lab_fail("a signature does not hold");
    }
    double verify_s = (double)(now_us() - begin) / 1e6 / BATCHES;
    begin = now_us();
    for (int i = 0; i < BATCHES; i++) gt_hash(hasher, batch, sizeof(batch), hash);
    double byte_s = (double)(now_us() - begin) / 1e6 / BATCHES / sizeof(batch);
    gt_hasher_free(hasher);
    return verify_s * batches + byte_s * bytes;
}

void lab_floor(const lab_plan *lab, const documents *docs) {
    samples trips = {0}, syncs = {0};
    measure_trips(lab->quick ? QUICK_TRIPS : TRIPS, &trips);
    measure_syncs(lab, lab->quick ? QUICK_SYNCS : SYNCS, &syncs);
    row_begin(row_visible_median, "", 0, false);
    row_add(FLOOR, samples_at(&trips, 50) / 1e3);
    row_begin(row_visible_99, "", 0, false);
    row_add(FLOOR, samples_at(&trips, 99) / 1e3);
    row_begin(row_safe_median, "", 0, false);
    row_add(FLOOR, (samples_at(&trips, 50) + samples_at(&syncs, 50)) / 1e3);
    row_begin(row_flood_safe_99, "", 0, false);
    row_add(FLOOR, samples_at(&syncs, 99) / 1e3);
    row_begin(row_clone_documents, "", 0, false);
    row_add(FLOOR, checking_s((double)docs->batch_count, (double)docs->bytes));
    samples_free(&trips);
    samples_free(&syncs);
}
