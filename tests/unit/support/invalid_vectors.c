/* What is refused, and why. The cases that are refused on decoding are those of the unit tests; here are the
 * ones that only a hash or a signature shows. */
#include "support/commit_vectors.h"

#include "support/format_cases.h"
#include "support/hex_buf.h"
#include "support/test.h"

static void add_case(json_t *cases, const char *name, const char *kind, const char *stage, goat_status status,
                     const char *reason, gt_bytes bytes) {
    json_t *c = new_case(cases, name);
    set_text(c, "kind", kind);
    set_text(c, "found", stage);
    set_text(c, "status", gt_status_name(status));
    set_text(c, "reason", reason);
    set_hex(c, "bytes", bytes);
}

static void add_decoded(json_t *cases, const format_case *given, size_t count) {
    static const char *const kinds[] = {"commit", "header", "frame"};
    for (size_t i = 0; i < count; i++) {
        gt_buf bytes = hex_buf(given[i].hex);
        gt_bytes content = bytes.len > 0 ? gt_buf_bytes(&bytes) : gt_bytes_text("");
        gt_diag diag;
        gt_arena arena;
        gt_commit commit;
        gt_batch batch;
        goat_status status;
        gt_diag_init(&diag);
        gt_arena_init(&arena, &gt_alloc_system);
        switch (given[i].kind) {
        case FORMAT_COMMIT: status = gt_commit_decode(content, &commit, &diag); break;
        case FORMAT_HEADER: status = gt_commit_decode_header(content, &commit, &diag); break;
        default: status = gt_batch_decode(content, &arena, &batch, &diag); break;
        }
        assert_int_equal(status, given[i].status);
        if (status != GOAT_OK) {
            add_case(cases, given[i].name, kinds[given[i].kind], "decoding", status, diag.message, content);
        }
        gt_arena_free(&arena);
        gt_buf_free(&bytes);
    }
}

/* A frame that decodes; then either its hashes or its signature are wrong. */
static void add_hashed(batch_maker *maker, json_t *cases, const char *name, const vector_batch *made) {
    gt_diag diag;
    gt_arena arena;
    gt_batch batch;
    gt_diag_init(&diag);
    gt_arena_init(&arena, &gt_alloc_system);
    assert_int_equal(gt_batch_decode(gt_buf_bytes(&made->frame), &arena, &batch, NULL), GOAT_OK);
    const char *stage = "hashing";
    goat_status status = gt_batch_hash(maker->hasher, &maker->place, &batch, &diag);
    if (status == GOAT_OK) {
        stage = "verifying";
        status = gt_batch_verify(&maker->place, &batch, maker->public_key, &gt_alloc_system, &diag);
    }
    assert_int_not_equal(status, GOAT_OK);
    add_case(cases, name, "frame", stage, status, diag.message, gt_buf_bytes(&made->frame));
    gt_arena_free(&arena);
}

static gt_commit_draft simple_draft(gt_bytes delta, uint32_t ms, const gt_id *parent) {
    gt_commit_draft draft = maker_commit("1", delta, ms);
    draft.parents = parent;
    draft.parent_count = parent != NULL;
    return draft;
}

static void add_leaf(batch_maker *maker, const gt_commit_draft *draft, uint8_t salt_byte, gt_id *id) {
    uint8_t salt[GT_SALT_SIZE];
    memset(salt, salt_byte, sizeof salt);
    assert_int_equal(gt_batch_draft_add(&maker->draft, maker->hasher, &maker->session, salt, draft, id, NULL), GOAT_OK);
}

static void finish(batch_maker *maker, json_t *cases, const char *name) {
    static const gt_chain_place chain = {.seq = 1};
    vector_batch made;
    vector_batch_init(&made);
    maker_finish(maker, &chain, &made.frame);
    add_hashed(maker, cases, name, &made);
    vector_batch_free(&made);
}

static void add_wrong_orders(batch_maker *maker, json_t *cases) {
    gt_buf empty = hex_buf("a0");
    gt_id id;
    gt_commit_draft parent = simple_draft(gt_buf_bytes(&empty), 1, NULL);
    add_leaf(maker, &parent, 0xa1, NULL);
    add_leaf(maker, &parent, 0xa1, NULL);
    finish(maker, cases, "one commit twice");

    add_leaf(maker, &parent, 0xa1, &id);
    gt_batch_draft_clear(&maker->draft);
    gt_commit_draft child = simple_draft(gt_buf_bytes(&empty), 2, &id);
    add_leaf(maker, &child, 0xa2, NULL);
    add_leaf(maker, &parent, 0xa1, NULL);
    finish(maker, cases, "a commit before its parent");

    child = simple_draft(gt_buf_bytes(&empty), 1, &id);
    add_leaf(maker, &parent, 0xa1, NULL);
    add_leaf(maker, &child, 0xa2, NULL);
    finish(maker, cases, "a commit as old as its parent");
    gt_buf_free(&empty);
}

/* Flips a bit of what `at` points to in the frame, adds that, and flips it back. */
static void add_flipped(batch_maker *maker, json_t *cases, const char *name, const vector_batch *made, const uint8_t *at) {
    uint8_t *byte = made->frame.data + (at - made->frame.data);
    *byte ^= 1;
    add_hashed(maker, cases, name, made);
    *byte ^= 1;
}

/* S of a signature plus the order of the group: the same point, and the one form of malleability that an
 * equation alone would let pass. */
static void add_order(uint8_t *s) {
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                      0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
    unsigned carry = 0;
    for (size_t i = 0; i < sizeof order; i++) {
        carry += (unsigned)s[i] + order[i];
        s[i] = (uint8_t)carry;
        carry >>= 8;
    }
}

static void add_forgeries(batch_maker *maker, json_t *cases) {
    static const gt_chain_place chain = {.seq = 1};
    static const uint8_t reasons[4] = {GT_NODE_LEAF, GT_NODE_PRUNED, GT_NODE_HAD, GT_NODE_HAD};
    vector_batch whole, smaller;
    for (uint32_t i = 0; i < 4; i++) {
        maker_add_simple(maker, i);
    }
    vector_batch_finish(maker, &chain, &whole);
    vector_batch_init(&smaller);
    assert_int_equal(gt_batch_elide(maker->hasher, &whole.batch, reasons, &smaller.frame, NULL), GOAT_OK);
    vector_batch_read(maker, &smaller);
    const gt_batch *batch = &smaller.batch;
    add_flipped(maker, cases, "a root that is not the tree's", &smaller, batch->given_root->bytes);
    add_flipped(maker, cases, "a salt that is not the leaf's", &smaller, batch->nodes[0].salt);
    add_flipped(maker, cases, "a pruned leaf with another payload", &smaller, batch->nodes[1].inner->bytes);
    add_flipped(maker, cases, "a subtree with another hash", &smaller, smaller.frame.data + smaller.frame.len - 1);
    add_flipped(maker, cases, "another R", &smaller, batch->signature);
    add_flipped(maker, cases, "another S", &smaller, batch->signature + 32);
    add_flipped(maker, cases, "another session", &whole, whole.frame.data + 4);
    add_flipped(maker, cases, "a leaf changed and no root given", &whole, whole.batch.nodes[3].salt);
    uint8_t *s = smaller.frame.data + (batch->signature - smaller.frame.data) + 32;
    add_order(s);
    add_hashed(maker, cases, "S that is not reduced", &smaller);
    vector_batch_free(&smaller);
    vector_batch_free(&whole);

    for (uint32_t i = 0; i < 2; i++) {
        maker_add_simple(maker, i);
    }
    gt_place place = maker->place;
    maker->place.repository = gt_bytes_text("/data/sheep");
    vector_batch_finish(maker, &chain, &whole);
    maker->place = place;
    add_hashed(maker, cases, "signed for another repository", &whole);
    vector_batch_free(&whole);
}

json_t *make_invalid_vectors(batch_maker *maker) {
    json_t *cases;
    json_t *file = new_file(maker, "What is refused: when it is found, with which status, and why in words.", &cases);
    add_decoded(cases, commit_cases, commit_case_count);
    add_decoded(cases, frame_cases, frame_case_count);
    add_wrong_orders(maker, cases);
    add_forgeries(maker, cases);
    return file;
}
