/* An author with fixed keys who makes commits and batches whose bytes never change, for tests and for the
 * golden vectors. Salts count up. */
#ifndef BATCH_MAKER_H
#define BATCH_MAKER_H

#include "commit/batch.h"

typedef struct batch_maker {
    gt_hasher *hasher;
    uint8_t root_seed[GT_SEED_SIZE], root_key[GT_PUBLIC_KEY_SIZE]; /* of the network */
    uint8_t seed[GT_SEED_SIZE], public_key[GT_PUBLIC_KEY_SIZE];    /* of the session */
    gt_secret_key secret;
    gt_id session;
    gt_place place;
    uint8_t salt[GT_SALT_SIZE]; /* of the last commit */
    gt_batch_draft draft;
} batch_maker;

void batch_maker_init(batch_maker *maker);
void batch_maker_free(batch_maker *maker);

/* The maker's schema, and time `ms` after a fixed moment; the rest is the caller's. */
gt_commit_draft maker_commit(const char *key, gt_bytes delta, uint32_t ms);

/* Adds a leaf with the next salt; gives its id. */
gt_id maker_add(batch_maker *maker, const gt_commit_draft *commit);

/* Adds the first commit of item "item-<number>": {"n": number, "title": "Goat <number>"}. */
gt_id maker_add_simple(batch_maker *maker, uint32_t number);

/* Signs the leaves added so far as one batch, and begins anew; appends to `frame`. */
gt_id maker_finish(batch_maker *maker, const gt_chain_place *chain, gt_buf *frame);

/* `count` simple leaves as the first batch of the session. */
gt_id maker_simple_batch(batch_maker *maker, uint32_t count, gt_buf *frame);

#endif
