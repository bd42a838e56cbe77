/* LtHash: an element becomes 2,048 bytes of ChaCha20 under its SHA-256 as key (each key is used for one
 * element only, so the nonce is zero), and those are added lane by lane. */
#include "crypto/crypto.h"

#include "base/assert.h"

#include <sodium.h>
#include <string.h>

static const uint64_t upper_bits = UINT64_C(0x8000800080008000); /* of each lane of a word */

_Static_assert(GT_HASH_SIZE == crypto_stream_chacha20_KEYBYTES, "a hash is a ChaCha20 key");
_Static_assert(GT_LTHASH_SIZE % sizeof(uint64_t) == 0, "lanes are summed four at a time");

static void expand(gt_hasher *hasher, gt_bytes element, gt_lthash *expansion) {
    static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = {0};
    uint8_t key[GT_HASH_SIZE];
    gt_hash(hasher, element.data, element.len, key);
    int done = crypto_stream_chacha20(expansion->lanes, sizeof expansion->lanes, nonce, key);
    GOAT_ASSERT(done == 0);
}

void gt_lthash_init(gt_lthash *state) { memset(state, 0, sizeof *state); }

void gt_lthash_add(gt_hasher *hasher, gt_lthash *state, gt_bytes element) {
    gt_lthash expansion;
    expand(hasher, element, &expansion);
    gt_lthash_add_all(state, &expansion);
}

void gt_lthash_remove(gt_hasher *hasher, gt_lthash *state, gt_bytes element) {
    gt_lthash expansion;
    expand(hasher, element, &expansion);
    gt_lthash_remove_all(state, &expansion);
}

/* Four lanes are summed in one 64-bit word: without their upper bits nothing is carried from lane to lane,
 * and the upper bit of a sum modulo 2^16 is the XOR of both upper bits and what was carried into it. */
void gt_lthash_add_all(gt_lthash *state, const gt_lthash *other) {
    for (size_t i = 0; i < GT_LTHASH_SIZE; i += sizeof(uint64_t)) {
        uint64_t a = gt_get_u64(state->lanes + i);
        uint64_t b = gt_get_u64(other->lanes + i);
        gt_put_u64(state->lanes + i, ((a & ~upper_bits) + (b & ~upper_bits)) ^ ((a ^ b) & upper_bits));
    }
}

/* The same for differences: an upper bit is lent to each lane, so that nothing is borrowed from the next. */
void gt_lthash_remove_all(gt_lthash *state, const gt_lthash *other) {
    for (size_t i = 0; i < GT_LTHASH_SIZE; i += sizeof(uint64_t)) {
        uint64_t a = gt_get_u64(state->lanes + i);
        uint64_t b = gt_get_u64(other->lanes + i);
        gt_put_u64(state->lanes + i, ((a | upper_bits) - (b & ~upper_bits)) ^ ((a ^ ~b) & upper_bits));
    }
}

void gt_lthash_digest(gt_hasher *hasher, const gt_lthash *state, uint8_t digest[GT_HASH_SIZE]) {
    gt_hash(hasher, state->lanes, sizeof state->lanes, digest);
}
