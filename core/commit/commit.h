/* One commit: an immutable step of one item's history (FORMAT.md sections 2 to 4).
 *
 * Decoding checks everything that can be checked without knowing other commits and gives views into
 * the caller's bytes; nothing is copied. What the delta means is core/merge's business. */
#ifndef GT_COMMIT_COMMIT_H
#define GT_COMMIT_COMMIT_H

#include "base/buf.h"
#include "base/status.h"
#include "crypto/crypto.h"

enum {
    GT_ID_SIZE = 32,
    GT_SALT_SIZE = 16,
    GT_SCHEMA_HASH_SIZE = 8,
    GT_PARENTS_MAX = 1024,
    GT_REVERTS_MAX = 65536,
    GT_MESSAGE_MAX = 4096,
};

typedef struct gt_id {
    uint8_t bytes[GT_ID_SIZE];
} gt_id;

/* Whether an id begins like another: so many hexadecimal digits, an odd one the upper half of a byte. */
static inline bool gt_id_begins(const gt_id *id, const gt_id *beginning, uint32_t digits) {
    uint32_t whole = digits / 2;
    if (memcmp(id->bytes, beginning->bytes, whole) != 0) return false;
    return digits % 2 == 0 || id->bytes[whole] >> 4 == beginning->bytes[whole] >> 4;
}
static inline int gt_id_compare(const gt_id *a, const gt_id *b) { return memcmp(a->bytes, b->bytes, GT_ID_SIZE); }

/* Hybrid logical time: 48 bits of milliseconds, 16 of counter. */
typedef uint64_t gt_time;
#define GT_TIME_MS(time) ((int64_t)((time) >> 16))
#define GT_TIME_MAX ((gt_time)INT64_MAX) /* in the year 6429; so one can always be added */

/* The first time of a millisecond since 1970, within what a time may be. */
static inline gt_time gt_time_of_ms(int64_t ms) {
    if (ms >= GT_TIME_MS(GT_TIME_MAX)) return GT_TIME_MAX;
    return ms <= 0 ? 1 : (gt_time)ms << 16;
}

/* A run of ids as it lies in CBOR: each 32 bytes behind a head of 2. */
typedef struct gt_ids {
    const uint8_t *data; /* the first head */
    uint32_t count;
} gt_ids;

static inline const gt_id *gt_ids_at(gt_ids ids, uint32_t index) {
    return (const gt_id *)(const void *)(ids.data + (size_t)index * (GT_ID_SIZE + 2) + 2);
}

typedef struct gt_commit {
    gt_bytes header;  /* the two maps that the commit consists of */
    gt_bytes payload; /* data NULL: pruned */
    gt_bytes key;
    gt_ids parents;
    gt_time time;
    gt_bytes ns;
    uint32_t version;
    gt_bytes schema_hash; /* 8 bytes */
    gt_bytes delta;       /* data NULL when sealed */
    bool delta_is_state;  /* only plain values under text keys: may be used as the state of a first commit */
    gt_bytes full;        /* data NULL: none */
    gt_ids reverts;
    gt_bytes message; /* data NULL: none */
    gt_bytes sealed;  /* the array of payload key 3; data NULL: none */
} gt_commit;

/* Decodes and checks `bytes`, a header and a payload one behind the other; positions in `diag` count from
 * their beginning. GOAT_OK, GOAT_INVALID, GOAT_TOO_LARGE. */
goat_status gt_commit_decode(gt_bytes bytes, gt_commit *commit, gt_diag *diag);

/* As decode, of a header alone (a pruned leaf). */
goat_status gt_commit_decode_header(gt_bytes header, gt_commit *commit, gt_diag *diag);

/* The same result, faster, for bytes that were decoded before; a header alone is taken too. Order, UTF-8
 * and values are not checked, bounds are, also those of what lies inside the values. False, and `commit`
 * all zero, if the bytes cannot have been decoded before. */
bool gt_commit_view(gt_bytes bytes, gt_commit *commit);

/* What a commit is made from. Parents and reverts are plain arrays, ascending. */
typedef struct gt_commit_draft {
    gt_bytes key;
    const gt_id *parents;
    uint32_t parent_count;
    gt_time time;
    gt_bytes ns;
    uint32_t version;
    const uint8_t *schema_hash; /* 8 bytes */
    gt_bytes delta;
    gt_bytes full; /* data NULL: none */
    const gt_id *reverts;
    uint32_t revert_count;
    gt_bytes message; /* data NULL: none */
    gt_bytes sealed;  /* the array of payload key 3, in place of delta, full and message; data NULL: none */
} gt_commit_draft;

/* Appends the encoding. The rules of FORMAT.md section 2 are the caller's to keep. */
void gt_commit_encode(gt_buf *out, const gt_commit_draft *draft);

/* The two hashes of FORMAT.md 2.3. */
void gt_commit_inner(gt_hasher *hasher, const uint8_t *salt, gt_bytes payload, gt_id *inner);
void gt_commit_id(gt_hasher *hasher, const gt_id *session, const gt_id *inner, gt_bytes header, gt_id *id);

#endif
