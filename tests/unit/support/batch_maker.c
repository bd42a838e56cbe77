#include "support/batch_maker.h"

#include "value/build.h"

#include "support/test.h"

#include <stdio.h>

static const uint8_t schema_hash[GT_SCHEMA_HASH_SIZE] = {0x5c, 0x0e, 0x3a, 0x11, 0x22, 0x33, 0x44, 0x55};

void batch_maker_init(batch_maker *maker) {
    gt_secret_key root_secret;
    memset(maker, 0, sizeof *maker);
    assert_int_equal(gt_crypto_init(NULL), GOAT_OK);
    assert_int_equal(gt_hasher_new(&gt_alloc_system, &maker->hasher, NULL), GOAT_OK);
    memset(maker->root_seed, 0x11, sizeof maker->root_seed);
    memset(maker->seed, 0x22, sizeof maker->seed);
    gt_key_pair(maker->root_seed, maker->root_key, &root_secret);
    gt_key_pair(maker->seed, maker->public_key, &maker->secret);
    gt_secret_wipe(&root_secret);
    gt_hash(maker->hasher, maker->root_key, sizeof maker->root_key, maker->place.network.bytes);
    gt_hash(maker->hasher, maker->public_key, sizeof maker->public_key, maker->session.bytes);
    maker->place.repository = gt_bytes_text("/data/goats");
    gt_batch_draft_init(&maker->draft, &gt_alloc_system);
}

void batch_maker_free(batch_maker *maker) {
    gt_batch_draft_free(&maker->draft);
    gt_secret_wipe(&maker->secret);
    gt_hasher_free(maker->hasher);
}

gt_commit_draft maker_commit(const char *key, gt_bytes delta, uint32_t ms) {
    return (gt_commit_draft){
        .key = gt_bytes_text(key),
        .time = (UINT64_C(1767225600000) + ms) << 16, /* 2026-01-01 */
        .ns = gt_bytes_text("goat"),
        .version = 1,
        .schema_hash = schema_hash,
        .delta = delta,
    };
}

gt_id maker_add(batch_maker *maker, const gt_commit_draft *commit) {
    gt_id id;
    for (size_t i = 0; i < sizeof maker->salt && ++maker->salt[i] == 0; i++) {
    }
    assert_int_equal(gt_batch_draft_add(&maker->draft, maker->hasher, &maker->session, maker->salt, commit, &id, NULL),
                     GOAT_OK);
    return id;
}

gt_id maker_add_simple(batch_maker *maker, uint32_t number) {
    char key[32], title[32];
    gt_buf delta;
    (void)snprintf(key, sizeof key, "item-%u", (unsigned)number);
    (void)snprintf(title, sizeof title, "Goat %u", (unsigned)number);
    gt_buf_init(&delta, &gt_alloc_system);
    gt_write_map_head(&delta, 2);
    gt_write_text(&delta, gt_bytes_text("n"));
    gt_write_int(&delta, number);
    gt_write_text(&delta, gt_bytes_text("title"));
    gt_write_text(&delta, gt_bytes_text(title));
    assert_false(gt_buf_failed(&delta));
    gt_commit_draft commit = maker_commit(key, gt_buf_bytes(&delta), number);
    gt_id id = maker_add(maker, &commit);
    gt_buf_free(&delta);
    return id;
}

gt_id maker_finish(batch_maker *maker, const gt_chain_place *chain, gt_buf *frame) {
    gt_id id;
    assert_int_equal(gt_batch_draft_finish(&maker->draft, maker->hasher, &maker->place, &maker->session, chain,
                                           &maker->secret, frame, &id, NULL),
                     GOAT_OK);
    gt_batch_draft_clear(&maker->draft);
    return id;
}

gt_id maker_simple_batch(batch_maker *maker, uint32_t count, gt_buf *frame) {
    const gt_chain_place first = {.seq = 1};
    for (uint32_t i = 0; i < count; i++) {
        maker_add_simple(maker, i);
    }
    return maker_finish(maker, &first, frame);
}
