/* SHA-256 by OpenSSL's libcrypto 3, which uses the processor's instructions.
 *
 * Fetching the algorithm by name takes longer than hashing a commit, so it is done once per database.
 * A context that has been initialised once is initialised again without allocating, so hashing cannot
 * fail; that OpenSSL does not say otherwise is asserted. */
#include "crypto/crypto.h"

#include "base/assert.h"

#include <openssl/evp.h>

struct gt_hasher {
    const gt_alloc *alloc;
    EVP_MD *algorithm;
    EVP_MD_CTX *context; /* for whole messages */
};

struct gt_sha256 {
    const gt_alloc *alloc;
    EVP_MD_CTX *context;
};

static EVP_MD_CTX *new_context(const EVP_MD *algorithm) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context != NULL && EVP_DigestInit_ex2(context, algorithm, NULL) != 1) {
        EVP_MD_CTX_free(context);
        return NULL;
    }
    return context;
}

static void add(EVP_MD_CTX *context, const void *bytes, size_t len) {
    if (len != 0) {
        int done = EVP_DigestUpdate(context, bytes, len);
        GOAT_ASSERT(done == 1);
    }
}

static void begin(EVP_MD_CTX *context) {
    int done = EVP_DigestInit_ex2(context, NULL, NULL);
    GOAT_ASSERT(done == 1);
}

static void end(EVP_MD_CTX *context, uint8_t hash[GT_HASH_SIZE]) {
    int done = EVP_DigestFinal_ex(context, hash, NULL);
    GOAT_ASSERT(done == 1);
}

goat_status gt_hasher_new(const gt_alloc *alloc, gt_hasher **hasher, gt_diag *diag) {
    *hasher = NULL;
    gt_hasher *made = gt_new(alloc, 1, sizeof *made);
    if (made == NULL) {
        return gt_no_memory(diag);
    }
    made->alloc = alloc;
    made->algorithm = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (made->algorithm == NULL) {
        gt_hasher_free(made);
        return gt_fail(diag, GOAT_IO, "this machine's OpenSSL offers no SHA-256");
    }
    made->context = new_context(made->algorithm);
    if (made->context == NULL) {
        gt_hasher_free(made);
        return gt_no_memory(diag);
    }
    *hasher = made;
    return GOAT_OK;
}

void gt_hasher_free(gt_hasher *hasher) {
    if (hasher != NULL) {
        EVP_MD_CTX_free(hasher->context);
        EVP_MD_free(hasher->algorithm);
        gt_free(hasher->alloc, hasher);
    }
}

void gt_hash_pieces(gt_hasher *hasher, const gt_bytes *pieces, size_t piece_count, uint8_t hash[GT_HASH_SIZE]) {
    begin(hasher->context);
    for (size_t i = 0; i < piece_count; i++) {
        add(hasher->context, pieces[i].data, pieces[i].len);
    }
    end(hasher->context, hash);
}

void gt_hash(gt_hasher *hasher, const void *bytes, size_t len, uint8_t hash[GT_HASH_SIZE]) {
    begin(hasher->context);
    add(hasher->context, bytes, len);
    end(hasher->context, hash);
}

goat_status gt_sha256_new(gt_hasher *hasher, gt_sha256 **stream, gt_diag *diag) {
    *stream = NULL;
    gt_sha256 *made = gt_new(hasher->alloc, 1, sizeof *made);
    EVP_MD_CTX *context = new_context(hasher->algorithm);
    if (made == NULL || context == NULL) {
        EVP_MD_CTX_free(context);
        gt_free(hasher->alloc, made);
        return gt_no_memory(diag);
    }
    *made = (gt_sha256){hasher->alloc, context};
    *stream = made;
    return GOAT_OK;
}

void gt_sha256_free(gt_sha256 *stream) {
    if (stream != NULL) {
        EVP_MD_CTX_free(stream->context);
        gt_free(stream->alloc, stream);
    }
}

void gt_sha256_add(gt_sha256 *stream, const void *bytes, size_t len) { add(stream->context, bytes, len); }

void gt_sha256_end(gt_sha256 *stream, uint8_t hash[GT_HASH_SIZE]) {
    end(stream->context, hash);
    begin(stream->context);
}
