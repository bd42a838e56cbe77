/* The Bloom filter (Bloom 1970) with double hashing (Kirsch and Mitzenmacher 2006); the salt is new for each filter, so
 * what one hides the next shows. */
#include "sync/bloom.h"

#include "crypto/crypto.h"

/* ⌈log2(8n)⌉ */
static uint64_t log2_of_8n(uint64_t n) {
    uint64_t log = 3;
    while (log < 63 && n > UINT64_C(1) << (log - 3)) log++;
    return log;
}

/* Bits an element (PROTOCOL.md 7.3). */
static uint64_t bits_per_element(uint64_t n) {
    uint64_t precise = (144 * log2_of_8n(n) + 99) / 100, fits = UINT64_C(8) * GT_SYNC_FILTER_SMALL / n;
    uint64_t bits = precise < fits ? precise : fits;
    return bits < GT_SYNC_FILTER_BITS_MIN ? GT_SYNC_FILTER_BITS_MIN : bits;
}

goat_status gt_bloom_init(gt_bloom *filter, const gt_alloc *alloc, goat_random random, uint64_t elements,
                          gt_diag *diag) {
    const uint64_t bits_max = UINT64_C(8) * GT_SYNC_FILTER_MAX;
    *filter = (gt_bloom){.alloc = alloc};
    if (elements == 0) elements = 1;
    uint64_t each = bits_per_element(elements);
    uint64_t bits = elements > bits_max / each ? bits_max : (each * elements + 63) / 64 * 64;
    filter->bits = bits > bits_max ? bits_max : bits;
    filter->hashes = (uint32_t)((69 * each + 99) / 100);
    if (filter->hashes > GT_SYNC_HASHES_MAX) filter->hashes = GT_SYNC_HASHES_MAX;
    if (!random.fill(random.context, filter->salt, sizeof(filter->salt))) {
        return gt_fail(diag, GOAT_IO, "the machine gives no randomness");
    }
    filter->bytes = gt_new(alloc, (size_t)(filter->bits / 8), 1);
    return filter->bytes == NULL ? gt_no_memory(diag) : GOAT_OK;
}

void gt_bloom_free(gt_bloom *filter) {
    gt_free(filter->alloc, filter->bytes);
    filter->bytes = NULL;
}

typedef struct hashes {
    uint64_t first, step;
} hashes;

static hashes hash_of(const uint8_t *salt, const gt_id *id) {
    uint8_t other[GT_SYNC_SALT_SIZE];
    gt_bytes bytes = gt_bytes_of(id->bytes, GT_ID_SIZE);
    memcpy(other, salt, sizeof(other));
    other[sizeof(other) - 1] ^= 1;
    return (hashes){gt_siphash(salt, bytes), gt_siphash(other, bytes) | 1};
}

void gt_bloom_add(gt_bloom *filter, const gt_id *id) {
    hashes h = hash_of(filter->salt, id);
    for (uint32_t i = 0; i < filter->hashes; i++, h.first += h.step) {
        uint64_t bit = h.first % filter->bits;
        filter->bytes[bit / 8] |= (uint8_t)(1u << bit % 8);
    }
}

gt_bloom_part gt_bloom_part_of(const gt_bloom *filter) {
    return (gt_bloom_part){
        .salt = filter->salt,
        .bits = filter->bits,
        .hashes = filter->hashes,
        .bytes = gt_bytes_of(filter->bytes, (size_t)(filter->bits / 8)),
    };
}

bool gt_bloom_part_copy(const gt_alloc *alloc, const gt_bloom_part *filter, gt_bloom_part *copy) {
    uint8_t *bytes = gt_new(alloc, GT_SYNC_SALT_SIZE + filter->bytes.len, 1); /* the bits lie behind the salt */
    *copy = (gt_bloom_part){0};
    if (bytes == NULL) return false;
    memcpy(bytes, filter->salt, GT_SYNC_SALT_SIZE);
    memcpy(bytes + GT_SYNC_SALT_SIZE, filter->bytes.data, filter->bytes.len);
    *copy = *filter;
    copy->salt = bytes;
    copy->bytes.data = bytes + GT_SYNC_SALT_SIZE;
    return true;
}

void gt_bloom_part_free(const gt_alloc *alloc, gt_bloom_part *copy) {
    gt_free(alloc, (void *)(uintptr_t)copy->salt);
    *copy = (gt_bloom_part){0};
}

bool gt_bloom_may_hold(const gt_bloom_part *filter, const gt_id *id) {
    hashes h = hash_of(filter->salt, id);
    for (uint32_t i = 0; i < filter->hashes; i++, h.first += h.step) {
        uint64_t bit = h.first % filter->bits;
        if ((filter->bytes.data[bit / 8] & 1u << bit % 8) == 0) return false;
    }
    return true;
}
