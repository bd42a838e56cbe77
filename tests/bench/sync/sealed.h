/* Batches that are made and signed beforehand, by authors who are not there: what a load is made of. Each author edits
 * a number of items of its own, so that every commit has one parent and every batch names the one before. */
#ifndef GOAT_BENCH_SEALED_H
#define GOAT_BENCH_SEALED_H

#include "lab.h"

#include "trust/trust.h"

enum { SEALED_ITEMS = 20 };

/* A field "at" (number): microseconds of the monotonic clock at which an edit is made; "text". */
extern const char sealed_schema[];

typedef struct sealed_author {
    gt_identity identity;
    uint32_t number;
    uint64_t seq;
    gt_id *batches; /* by seq */
    size_t capacity;
    gt_id heads[SEALED_ITEMS]; /* of its items */
} sealed_author;

typedef struct sealer {
    gt_hasher *hasher;
    gt_place place;
    uint8_t schema_hash[GT_SCHEMA_HASH_SIZE];
    gt_batch_draft draft;
    int64_t wall_minus_mono_us; /* what the clocks differ by, for the time of commits */
} sealer;

/* The repository's path is good as long as the sealer. */
void sealer_init(sealer *s, const gt_id *network, const char *repository);
void sealer_free(sealer *s);

void sealed_author_init(sealer *s, sealed_author *author, uint32_t number);
void sealed_author_free(sealed_author *author);

/* The author's first batch: all its items, created. Appends the frame. */
void sealed_create(sealer *s, sealed_author *author, uint64_t at_us, gt_buf *frame);
/* One edit of one item, as if it were made at `at_us`. Appends the frame. */
void sealed_edit(sealer *s, sealed_author *author, uint32_t item, uint64_t at_us, gt_buf *frame);

/* The session and number of a batch, out of its frame. */
void sealed_read(gt_bytes frame, const uint8_t **session, uint64_t *seq);

#endif
