#define _GNU_SOURCE
#include "sealed.h"

#include "schema/schema.h"
#include "value/build.h"
#include "value/json.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

const char sealed_schema[] = "{\"ns\":\"tick\",\"version\":1,\"fields\":{\"at\":{\"type\":\"number\"},"
                             "\"text\":{\"type\":\"string\"}}}";

static void find_schema_hash(sealer *s) {
    gt_buf definition;
    gt_schema *schema = NULL;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_init(&definition, &gt_alloc_system);
    if (gt_value_from_json_text(gt_bytes_text(sealed_schema), &definition, &diag) != GOAT_OK ||
        gt_schema_parse(&gt_alloc_system, s->hasher, gt_buf_bytes(&definition), &schema, &diag) != GOAT_OK) {
        lab_fail("%s", diag.message);
    }
    memcpy(s->schema_hash, gt_schema_hash(schema), sizeof(s->schema_hash));
    gt_schema_free(schema);
    gt_buf_free(&definition);
}

void sealer_init(sealer *s, const gt_id *network, const char *repository) {
    gt_diag diag;
    struct timespec wall;
    memset(s, 0, sizeof(*s));
    if (gt_crypto_init(&diag) != GOAT_OK || gt_hasher_new(&gt_alloc_system, &s->hasher, &diag) != GOAT_OK) {
        lab_fail("%s", diag.message);
    }
    s->place = (gt_place){.network = *network, .repository = gt_bytes_text(repository)};
    gt_batch_draft_init(&s->draft, &gt_alloc_system);
    find_schema_hash(s);
    clock_gettime(CLOCK_REALTIME, &wall);
    s->wall_minus_mono_us = (int64_t)wall.tv_sec * 1000000 + wall.tv_nsec / 1000 - (int64_t)now_us();
}

void sealer_free(sealer *s) {
    gt_batch_draft_free(&s->draft);
    gt_hasher_free(s->hasher);
}

void sealed_author_init(sealer *s, sealed_author *author, uint32_t number) {
    uint8_t seed[GT_SEED_SIZE];
    memset(author, 0, sizeof(*author));
    if (getrandom(seed, sizeof(seed), 0) < 0) lab_fail("no randomness");
    gt_identity_from_seed(s->hasher, seed, &author->identity);
    author->number = number;
}

void sealed_author_free(sealed_author *author) {
    free(author->batches);
    gt_identity_wipe(&author->identity);
}

/* Adds a commit of an item to the draft; it becomes the item's head. */
static void add_leaf(sealer *s, sealed_author *author, uint32_t item, uint64_t at_us) {
    char key[32];
    uint8_t salt[GT_SALT_SIZE];
    gt_buf delta;
    gt_id id;
    snprintf(key, sizeof(key), "%u-%u", author->number, item);
    if (getrandom(salt, sizeof(salt), 0) < 0) lab_fail("no randomness");
    gt_buf_init(&delta, &gt_alloc_system);
    gt_write_map_head(&delta, author->seq == 0 ? 2 : 1);
    gt_write_text(&delta, gt_bytes_text("at"));
    gt_write_int(&delta, (int64_t)at_us);
    if (author->seq == 0) {
        gt_write_text(&delta, gt_bytes_text("text"));
        gt_write_text(&delta, gt_bytes_text("the quick brown goat jumps over the lazy dog"));
    }
    gt_commit_draft commit = {
        .key = gt_bytes_text(key),
        .parents = &author->heads[item],
        .parent_count = author->seq == 0 ? 0 : 1,
        .time = (gt_time)(((int64_t)at_us + s->wall_minus_mono_us) / 1000) << 16,
        .ns = gt_bytes_text("tick"),
        .version = 1,
        .schema_hash = s->schema_hash,
        .delta = gt_buf_bytes(&delta),
    };
    if (gt_batch_draft_add(&s->draft, s->hasher, &author->identity.session, salt, &commit, &id, NULL) != GOAT_OK) {
        lab_fail("a commit cannot be made");
    }
    author->heads[item] = id;
    gt_buf_free(&delta);
}

static void finish(sealer *s, sealed_author *author, gt_buf *frame) {
    uint64_t seq = ++author->seq, rung = (seq & 1) != 0 ? 0 : seq & (seq - 1);
    if (seq >= author->capacity) {
        author->capacity = seq * 2 + 16;
        author->batches = realloc(author->batches, author->capacity * sizeof(gt_id));
        if (author->batches == NULL) lab_fail("no memory for batches");
    }
    gt_chain_place chain = {
        .seq = seq,
        .prev = &author->batches[seq - 1],
        .prev_count = seq == 1 ? 0 : 1,
        .skip = rung == 0 ? NULL : &author->batches[rung],
    };
    if (gt_batch_draft_finish(&s->draft, s->hasher, &s->place, &author->identity.session, &chain,
                              &author->identity.secret, frame, &author->batches[seq], NULL) != GOAT_OK) {
        lab_fail("a batch cannot be made");
    }
    gt_batch_draft_clear(&s->draft);
}

void sealed_create(sealer *s, sealed_author *author, uint64_t at_us, gt_buf *frame) {
    for (uint32_t item = 0; item < SEALED_ITEMS; item++) add_leaf(s, author, item, at_us);
    finish(s, author, frame);
}

void sealed_edit(sealer *s, sealed_author *author, uint32_t item, uint64_t at_us, gt_buf *frame) {
    add_leaf(s, author, item, at_us);
    finish(s, author, frame);
}

void sealed_read(gt_bytes frame, const uint8_t **session, uint64_t *seq) {
    /* [1, session id, seq, …]: FORMAT.md 7.1 */
    const uint8_t *p = frame.data;
    if (frame.len < 48 || p[0] != 0x8b || p[1] != 1 || p[2] != 0x58 || p[3] != GT_ID_SIZE)
        lab_fail("no frame of version 1");
    *session = p + 4;
    p += 4 + GT_ID_SIZE;
    uint8_t head = *p++;
    size_t len = head < 24 ? 0 : (size_t)1 << (head - 24);
    *seq = head;
    if (len > 0) *seq = 0;
    for (size_t i = 0; i < len; i++) *seq = *seq << 8 | p[i];
}
