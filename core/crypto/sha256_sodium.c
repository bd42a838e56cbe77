/* SHA-256 by libsodium, for WASM, where OpenSSL would be most of the binary. */
#include "crypto/crypto.h"

#include <sodium.h>

struct gt_hasher {
    const gt_alloc *alloc;
};

struct gt_sha256 {
    const gt_alloc *alloc;
    crypto_hash_sha256_state state;
};

_Static_assert(GT_HASH_SIZE == crypto_hash_sha256_BYTES, "the hash of libsodium has our size");

goat_status gt_hasher_new(const gt_alloc *alloc, gt_hasher **hasher, gt_diag *diag) {
    *hasher = gt_new(alloc, 1, sizeof **hasher);
    if (*hasher == NULL) {
        return gt_no_memory(diag);
    }
    (*hasher)->alloc = alloc;
    return GOAT_OK;
}

void gt_hasher_free(gt_hasher *hasher) {
    if (hasher != NULL) {
        gt_free(hasher->alloc, hasher);
    }
}

static void add(crypto_hash_sha256_state *state, const void *bytes, size_t len) {
    if (len != 0) {
        crypto_hash_sha256_update(state, bytes, len);
    }
}

void gt_hash_pieces(gt_hasher *hasher, const gt_bytes *pieces, size_t piece_count, uint8_t hash[GT_HASH_SIZE]) {
    (void)hasher;
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (size_t i = 0; i < piece_count; i++) {
        add(&state, pieces[i].data, pieces[i].len);
    }
    crypto_hash_sha256_final(&state, hash);
}

void gt_hash(gt_hasher *hasher, const void *bytes, size_t len, uint8_t hash[GT_HASH_SIZE]) {
    gt_bytes piece = gt_bytes_of(bytes, len);
    gt_hash_pieces(hasher, &piece, 1, hash);
}

goat_status gt_sha256_new(gt_hasher *hasher, gt_sha256 **stream, gt_diag *diag) {
    *stream = gt_new(hasher->alloc, 1, sizeof **stream);
    if (*stream == NULL) {
        return gt_no_memory(diag);
    }
    (*stream)->alloc = hasher->alloc;
    crypto_hash_sha256_init(&(*stream)->state);
    return GOAT_OK;
}

void gt_sha256_free(gt_sha256 *stream) {
    if (stream != NULL) {
        gt_free(stream->alloc, stream);
    }
}

void gt_sha256_add(gt_sha256 *stream, const void *bytes, size_t len) { add(&stream->state, bytes, len); }

void gt_sha256_end(gt_sha256 *stream, uint8_t hash[GT_HASH_SIZE]) {
    crypto_hash_sha256_final(&stream->state, hash);
    crypto_hash_sha256_init(&stream->state);
}
