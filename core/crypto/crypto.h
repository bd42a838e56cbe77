/* Hashes, signatures and the set fingerprint, behind one header.
 *
 * SHA-256 is OpenSSL's natively and libsodium's in WASM, which the build chooses; a hash has one answer.
 * Ed25519 is libsodium's in every build, because verifiers differ in which odd signatures they accept and
 * peers that differ would fork: libsodium refuses keys and R of small order and S that is not reduced.
 *
 * There is no randomness here: seeds and salts come from the host through port. Nothing here is global
 * state either; whoever hashes holds a gt_hasher. */
#ifndef GT_CRYPTO_H
#define GT_CRYPTO_H

#include "base/alloc.h"
#include "base/bytes.h"
#include "base/status.h"

enum {
    GT_HASH_SIZE = 32, /* SHA-256 */
    GT_SEED_SIZE = 32, /* what an Ed25519 key pair is made from */
    GT_PUBLIC_KEY_SIZE = 32,
    GT_SIGNATURE_SIZE = 64,
    GT_SIPHASH_KEY_SIZE = 16,
    GT_LTHASH_SIZE = 2048,
};

/* Prepares libsodium. Safe to call often and from any thread. GOAT_IO if the machine has no randomness,
 * without which libsodium does not start. */
goat_status gt_crypto_init(gt_diag *diag);

/* ---- SHA-256 ------------------------------------------------------------------------------- */

/* What hashing needs ready: looked up once per database, because that costs more than a hash. Serves
 * one thread at a time. */
typedef struct gt_hasher gt_hasher;

goat_status gt_hasher_new(const gt_alloc *alloc, gt_hasher **hasher, gt_diag *diag);
void gt_hasher_free(gt_hasher *hasher); /* NULL is accepted */

/* The hash of the pieces, one behind the other. Allocates nothing and cannot fail. */
void gt_hash_pieces(gt_hasher *hasher, const gt_bytes *pieces, size_t piece_count, uint8_t hash[GT_HASH_SIZE]);
void gt_hash(gt_hasher *hasher, const void *bytes, size_t len, uint8_t hash[GT_HASH_SIZE]);

/* A hash over bytes that come little by little. It is apart from its hasher, which may be used for
 * other things meanwhile and must outlive it. */
typedef struct gt_sha256 gt_sha256;

goat_status gt_sha256_new(gt_hasher *hasher, gt_sha256 **stream, gt_diag *diag);
void gt_sha256_free(gt_sha256 *stream); /* NULL is accepted */
void gt_sha256_add(gt_sha256 *stream, const void *bytes, size_t len);
void gt_sha256_end(gt_sha256 *stream, uint8_t hash[GT_HASH_SIZE]); /* and ready for the next message */

/* ---- Ed25519 ------------------------------------------------------------------------------- */

/* The seed followed by the public key, as libsodium wants it. End it with gt_secret_wipe(). */
typedef struct gt_secret_key {
    uint8_t bytes[64];
} gt_secret_key;

void gt_key_pair(const uint8_t seed[GT_SEED_SIZE], uint8_t public_key[GT_PUBLIC_KEY_SIZE], gt_secret_key *secret);
void gt_sign(const gt_secret_key *secret, const void *message, size_t len, uint8_t signature[GT_SIGNATURE_SIZE]);
bool gt_verify(const uint8_t public_key[GT_PUBLIC_KEY_SIZE], const void *message, size_t len,
               const uint8_t signature[GT_SIGNATURE_SIZE]);

/* Overwrites memory that held a secret, in a way that the compiler does not leave out. */
void gt_wipe(void *bytes, size_t len);
void gt_secret_wipe(gt_secret_key *secret);

/* Whether two runs of bytes are equal, in a time that does not tell where they differ. */
bool gt_equal_constant_time(const void *a, const void *b, size_t len);

/* ---- SipHash-2-4 --------------------------------------------------------------------------- */

/* For hash tables whose keys strangers choose. */
uint64_t gt_siphash(const uint8_t key[GT_SIPHASH_KEY_SIZE], gt_bytes bytes);

/* ---- LtHash -------------------------------------------------------------------------------- */

/* The fingerprint of a set: 1,024 lanes of 16 bits, each the sum modulo 2^16 of a lane of every element
 * (Bellare and Micciancio 1997; Lewi and others 2019). It does not depend on the order in which elements
 * came, and elements can be taken out again. An XOR or a plain sum of hashes could be forged with
 * linear algebra; this cannot be at this size.
 *
 * It is a fingerprint of a multiset: the caller adds each element once. */
typedef struct gt_lthash {
    uint8_t lanes[GT_LTHASH_SIZE]; /* little-endian; all zero is the empty set; stored as it is */
} gt_lthash;

void gt_lthash_init(gt_lthash *state);
void gt_lthash_add(gt_hasher *hasher, gt_lthash *state, gt_bytes element);
void gt_lthash_remove(gt_hasher *hasher, gt_lthash *state, gt_bytes element);

/* Adds all elements of `other`, or takes them out. */
void gt_lthash_add_all(gt_lthash *state, const gt_lthash *other);
void gt_lthash_remove_all(gt_lthash *state, const gt_lthash *other);

/* SHA-256 of the state: what is compared and sent. */
void gt_lthash_digest(gt_hasher *hasher, const gt_lthash *state, uint8_t digest[GT_HASH_SIZE]);

#endif
