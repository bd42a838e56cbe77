/* The part of libsodium that asks something of its host, for the WASM build. There, each primitive has one
 * implementation, so nothing is to be picked at start-up; and randomness comes through goat_port.h alone, so
 * whatever would reach libsodium's own generator stops instead of inventing a key. */
#include <sodium.h>

#include <stdlib.h>

int sodium_init(void) { return 0; }

int sodium_set_misuse_handler(void (*handler)(void)) {
    (void)handler;
    return -1;
}

_Noreturn void sodium_misuse(void) { abort(); }

void randombytes_buf(void *const bytes, const size_t len) {
    (void)bytes;
    (void)len;
    abort();
}

uint32_t randombytes_random(void) { abort(); }
