/* The machine's clocks and randomness, and the host that is made of what the machine has. */
#define _GNU_SOURCE
#include "port/posix/storage.h"

#include <errno.h>
#include <sys/random.h>
#include <time.h>

static uint64_t monotonic_us(void *context) {
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int64_t wall_ms(void *context) {
    (void)context;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool fill_random(void *context, uint8_t *bytes, size_t len) {
    (void)context;
    while (len != 0) {
        ssize_t got = getrandom(bytes, len, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        bytes += got;
        len -= (size_t)got;
    }
    return true;
}

goat_status gt_port_default_host(const char *path, size_t path_len, uint32_t flags, goat_host *host, gt_diag *diag) {
    if (flags != 0) {
        return gt_fail(diag, GOAT_MISUSE, "no flags are known here");
    }
    gt_alloc alloc = host->allocator.resize != NULL ? host->allocator : gt_alloc_system;
    if (host->storage.submit == NULL) {
        goat_status status = gt_posix_storage_new(&alloc, path, path_len, &host->storage, diag);
        if (status != GOAT_OK) {
            return status;
        }
    }
    host->struct_size = sizeof *host;
    host->allocator = alloc;
    if (host->clock.monotonic_us == NULL) {
        host->clock = (goat_clock){sizeof host->clock, NULL, monotonic_us, wall_ms};
    }
    if (host->random.fill == NULL) {
        host->random = (goat_random){sizeof host->random, NULL, fill_random};
    }
    return GOAT_OK;
}
