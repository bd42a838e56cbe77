/* What libsodium does in every build: Ed25519, SipHash, and the handling of secrets. */
#include "crypto/crypto.h"

#include "base/assert.h"

#include <sodium.h>

_Static_assert(GT_SEED_SIZE == crypto_sign_ed25519_SEEDBYTES, "seeds of libsodium have our size");
_Static_assert(GT_PUBLIC_KEY_SIZE == crypto_sign_ed25519_PUBLICKEYBYTES, "public keys of libsodium have our size");
_Static_assert(GT_SIGNATURE_SIZE == crypto_sign_ed25519_BYTES, "signatures of libsodium have our size");
_Static_assert(sizeof(gt_secret_key) == crypto_sign_ed25519_SECRETKEYBYTES, "secret keys of libsodium have our size");
_Static_assert(GT_SIPHASH_KEY_SIZE == crypto_shorthash_KEYBYTES, "SipHash keys of libsodium have our size");

goat_status gt_crypto_init(gt_diag *diag) {
#if defined(__wasm__)
    /* There is one implementation of everything to choose from, and no randomness to start. */
    (void)diag;
#else
    if (sodium_init() < 0) {
        return gt_fail(diag, GOAT_IO, "libsodium does not start: this machine has no source of randomness");
    }
#endif
    return GOAT_OK;
}

void gt_key_pair(const uint8_t seed[GT_SEED_SIZE], uint8_t public_key[GT_PUBLIC_KEY_SIZE], gt_secret_key *secret) {
    int done = crypto_sign_ed25519_seed_keypair(public_key, secret->bytes, seed);
    GOAT_ASSERT(done == 0);
}

void gt_sign(const gt_secret_key *secret, const void *message, size_t len, uint8_t signature[GT_SIGNATURE_SIZE]) {
    int done = crypto_sign_ed25519_detached(signature, NULL, message, len, secret->bytes);
    GOAT_ASSERT(done == 0);
}

bool gt_verify(const uint8_t public_key[GT_PUBLIC_KEY_SIZE], const void *message, size_t len,
               const uint8_t signature[GT_SIGNATURE_SIZE]) {
    return crypto_sign_ed25519_verify_detached(signature, message, len, public_key) == 0;
}

void gt_wipe(void *bytes, size_t len) { sodium_memzero(bytes, len); }

void gt_secret_wipe(gt_secret_key *secret) { sodium_memzero(secret, sizeof *secret); }

bool gt_equal_constant_time(const void *a, const void *b, size_t len) { return sodium_memcmp(a, b, len) == 0; }

uint64_t gt_siphash(const uint8_t key[GT_SIPHASH_KEY_SIZE], gt_bytes bytes) {
    uint8_t hash[crypto_shorthash_BYTES];
    crypto_shorthash(hash, bytes.data, bytes.len, key);
    return gt_get_u64(hash);
}
