/* core/commit: batches and drafts. Cases of single frames are in support/frame_cases.c; elision has a
 * file of its own. */
#include "support/test.h"

#include "commit/batch.h"

#include "support/batch_maker.h"
#include "support/format_cases.h"
#include "support/format_pieces.h"
#include "support/hex_buf.h"
#include "support/naive_tree.h"
#include "support/test_alloc.h"

#include <stdlib.h>
#include <string.h>

static int set_up(void **state) {
    batch_maker *maker = malloc(sizeof *maker);
    assert_non_null(maker);
    batch_maker_init(maker);
    *state = maker;
    return 0;
}

static int tear_down(void **state) {
    batch_maker_free(*state);
    free(*state);
    return 0;
}

static gt_buf new_buf(void) {
    gt_buf buf;
    gt_buf_init(&buf, &gt_alloc_system);
    return buf;
}

static gt_arena new_arena(void) {
    gt_arena arena;
    gt_arena_init(&arena, &gt_alloc_system);
    return arena;
}

/* ---- rules ---- */

static void every_rule_holds_on_both_sides(void **state) {
    (void)state;
    gt_arena arena = new_arena();
    for (size_t i = 0; i < frame_case_count; i++) {
        const format_case *c = &frame_cases[i];
        gt_buf frame = hex_buf(c->hex);
        gt_batch batch;
        gt_diag diag;
        gt_diag_init(&diag);
        goat_status status = gt_batch_decode(gt_buf_bytes(&frame), &arena, &batch, &diag);
        if (status != c->status || (c->words != NULL && strstr(diag.message, c->words) == NULL)) {
            fail_msg("%s: %s, %s", c->name, gt_status_name(status), diag.message);
        }
        if (status == GOAT_OK) {
            assert_int_equal(gt_batch_view(gt_buf_bytes(&frame), &arena, &batch, NULL), GOAT_OK);
        } else {
            assert_true(diag.position <= frame.len);
        }
        gt_arena_reset(&arena);
        gt_buf_free(&frame);
    }
    gt_arena_free(&arena);
}

static void prev_has_sixteen_ids_at_most(void **state) {
    (void)state;
    gt_arena arena = new_arena();
    for (uint8_t count = 16; count <= 17; count++) {
        gt_batch batch;
        gt_buf frame = hex_buf("8b01" ID("55") "02");
        gt_buf_append_byte(&frame, (uint8_t)(0x80 | count));
        for (uint8_t i = 0; i < count; i++) {
            hex_append(&frame, "5820" X31("11"));
            gt_buf_append_byte(&frame, i);
        }
        hex_append(&frame, "f6 80 00 01 f6 5840" X32("77") X32("77") "81" LEAF("aa"));
        assert_int_equal(gt_batch_decode(gt_buf_bytes(&frame), &arena, &batch, NULL),
                         count <= 16 ? GOAT_OK : GOAT_TOO_LARGE);
        gt_buf_free(&frame);
    }
    gt_arena_free(&arena);
}

static void a_frame_has_64_mib_at_most(void **state) {
    (void)state;
    gt_arena arena = new_arena();
    gt_batch batch;
    uint8_t *bytes = calloc(1, GT_FRAME_MAX + 1);
    assert_non_null(bytes);
    bytes[0] = 0x80;
    assert_int_equal(gt_batch_decode(gt_bytes_of(bytes, GT_FRAME_MAX), &arena, &batch, NULL), GOAT_INVALID);
    assert_int_equal(gt_batch_decode(gt_bytes_of(bytes, GT_FRAME_MAX + 1), &arena, &batch, NULL), GOAT_TOO_LARGE);
    free(bytes);
    gt_arena_free(&arena);
}

/* Two leaves with the given salts, times and parents of the second. */
static goat_status hash_two(batch_maker *maker, const uint8_t *salts, const uint32_t *times, bool first_is_parent,
                            bool second_is_parent, gt_diag *diag) {
    static const gt_chain_place first_of_chain = {.seq = 1};
    uint8_t empty = 0xa0, salt[GT_SALT_SIZE];
    gt_arena arena = new_arena();
    gt_buf frame = new_buf();
    gt_id ids[2], id;
    gt_batch batch;
    for (unsigned i = 0; i < 2; i++) {
        unsigned leaf = second_is_parent ? 1 - i : i;
        gt_commit_draft commit = maker_commit("a", gt_bytes_of(&empty, 1), times[leaf]);
        if (i == 1 && (first_is_parent || second_is_parent)) {
            commit.parents = &ids[1 - leaf];
            commit.parent_count = 1;
        }
        memset(salt, salts[leaf], sizeof salt);
        assert_int_equal(gt_batch_draft_add(&maker->draft, maker->hasher, &maker->session, salt, &commit, &ids[leaf],
                                            NULL),
                         GOAT_OK);
    }
    assert_int_equal(gt_batch_draft_finish(&maker->draft, maker->hasher, &maker->place, &maker->session,
                                           &first_of_chain, &maker->secret, &frame, &id, NULL),
                     GOAT_OK);
    gt_batch_draft_clear(&maker->draft);
    assert_int_equal(gt_batch_decode(gt_buf_bytes(&frame), &arena, &batch, NULL), GOAT_OK);
    if (second_is_parent) { /* the draft wrote them in the other order; only their order is wrong now */
        gt_node node = batch.nodes[0];
        batch.nodes[0] = batch.nodes[1];
        batch.nodes[1] = node;
        batch.nodes[0].first = 0;
        batch.nodes[1].first = 1;
    }
    goat_status status = gt_batch_hash(maker->hasher, &maker->place, &batch, diag);
    gt_buf_free(&frame);
    gt_arena_free(&arena);
    return status;
}

static void a_commit_is_in_a_batch_once_and_after_its_parents(void **state) {
    batch_maker *maker = *state;
    const uint8_t same[] = {7, 7}, different[] = {7, 8};
    const uint32_t together[] = {1, 1}, rising[] = {1, 2}, falling[] = {2, 1};
    gt_diag diag;
    assert_int_equal(hash_two(maker, different, together, false, false, NULL), GOAT_OK);
    assert_int_equal(hash_two(maker, same, rising, false, false, NULL), GOAT_OK);
    assert_int_equal(hash_two(maker, same, together, false, false, &diag), GOAT_INVALID);
    assert_non_null(strstr(diag.message, "one commit"));
    assert_int_equal(hash_two(maker, different, rising, true, false, NULL), GOAT_OK);
    assert_int_equal(hash_two(maker, different, together, true, false, &diag), GOAT_INVALID);
    assert_non_null(strstr(diag.message, "not later"));
    assert_int_equal(hash_two(maker, different, falling, false, true, &diag), GOAT_INVALID);
    assert_non_null(strstr(diag.message, "before its parent"));
}

/* ---- round trips ---- */

static void a_batch_comes_back_as_it_was_made(void **state) {
    batch_maker *maker = *state;
    static const uint32_t sizes[] = {1, 2, 3, 7, 100};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint32_t size = sizes[s];
        gt_arena arena = new_arena();
        gt_buf frame = new_buf(), message = new_buf();
        gt_id ids[100], batch_id, prev[2] = {{{1}}, {{2}}}, skip = {{3}};
        const gt_chain_place chain = {.seq = 6, .prev = prev, .prev_count = 2, .skip = &skip};
        gt_batch batch;
        for (uint32_t i = 0; i < size; i++) {
            ids[i] = maker_add_simple(maker, i);
        }
        gt_batch_draft_group(&maker->draft, size / 2);
        batch_id = maker_finish(maker, &chain, &frame);

        assert_int_equal(gt_batch_decode(gt_buf_bytes(&frame), &arena, &batch, NULL), GOAT_OK);
        assert_int_equal(gt_batch_hash(maker->hasher, &maker->place, &batch, NULL), GOAT_OK);
        assert_int_equal(batch.size, size);
        assert_int_equal(batch.node_count, size);
        assert_int_equal(batch.seq, 6);
        assert_int_equal(batch.prev.count, 2);
        assert_memory_equal(gt_ids_at(batch.prev, 1), &prev[1], sizeof *prev);
        assert_memory_equal(batch.skip, &skip, sizeof skip);
        assert_null(batch.given_root);
        assert_memory_equal(&batch.session, &maker->session, sizeof batch.session);
        for (uint32_t i = 0; i < size; i++) {
            bool grouped = size - size / 2 >= 2 && i >= size / 2;
            assert_int_equal(batch.nodes[i].kind, GT_NODE_LEAF);
            assert_int_equal(batch.nodes[i].first, i);
            assert_memory_equal(&batch.nodes[i].hash, &ids[i], sizeof *ids);
            assert_int_equal(gt_batch_group_of(&batch, i), grouped ? 0 : UINT32_MAX);
        }
        assert_int_equal(gt_batch_group_of(&batch, size), UINT32_MAX);
        gt_id root = naive_tree(maker->hasher, ids, size), hash;
        assert_memory_equal(&batch.root, &root, sizeof root);
        assert_memory_equal(&batch.id, &batch_id, sizeof batch_id);
        gt_batch_signed_bytes(&maker->place, &batch, &message);
        gt_hash(maker->hasher, message.data, message.len, hash.bytes);
        assert_memory_equal(&hash, &batch_id, sizeof hash);
        assert_int_equal(gt_batch_verify(&maker->place, &batch, maker->public_key, &gt_alloc_system, NULL), GOAT_OK);

        gt_batch view;
        assert_int_equal(gt_batch_view(gt_buf_bytes(&frame), &arena, &view, NULL), GOAT_OK);
        assert_int_equal(gt_batch_hash(maker->hasher, &maker->place, &view, NULL), GOAT_OK);
        assert_memory_equal(&view.id, &batch_id, sizeof batch_id);
        gt_buf_free(&message);
        gt_buf_free(&frame);
        gt_arena_free(&arena);
    }
}

static void every_leaf_knows_its_group(void **state) {
    (void)state;
    gt_arena arena = new_arena();
    gt_batch batch;
    gt_buf frame = hex_buf(GROUPS("82 8400010201 8401010301"));
    assert_int_equal(gt_batch_decode(gt_buf_bytes(&frame), &arena, &batch, NULL), GOAT_OK);
    for (uint32_t leaf = 0; leaf < 4; leaf++) {
        assert_int_equal(gt_batch_group_of(&batch, leaf), leaf % 2);
    }
    gt_buf_free(&frame);
    gt_arena_free(&arena);
}

static void a_signature_binds_place_session_and_every_part(void **state) {
    batch_maker *maker = *state;
    gt_arena arena = new_arena();
    gt_buf frame = new_buf();
    gt_batch batch;
    maker_simple_batch(maker, 3, &frame);
    assert_int_equal(gt_batch_decode(gt_buf_bytes(&frame), &arena, &batch, NULL), GOAT_OK);
    assert_int_equal(gt_batch_hash(maker->hasher, &maker->place, &batch, NULL), GOAT_OK);
    gt_place other_repository = maker->place, other_network = maker->place;
    other_repository.repository = gt_bytes_text("/data/sheep");
    other_network.network.bytes[31] ^= 1;
    const gt_alloc *alloc = &gt_alloc_system;
    assert_int_equal(gt_batch_verify(&maker->place, &batch, maker->public_key, alloc, NULL), GOAT_OK);
    assert_int_equal(gt_batch_verify(&other_repository, &batch, maker->public_key, alloc, NULL), GOAT_UNTRUSTED);
    assert_int_equal(gt_batch_verify(&other_network, &batch, maker->public_key, alloc, NULL), GOAT_UNTRUSTED);
    assert_int_equal(gt_batch_verify(&maker->place, &batch, maker->root_key, alloc, NULL), GOAT_UNTRUSTED);
    gt_buf_free(&frame);
    gt_arena_free(&arena);
}

/* Decodes, hashes and verifies. */
static bool accepts(batch_maker *maker, gt_bytes frame, gt_arena *arena, gt_batch *batch) {
    gt_arena_reset(arena);
    return gt_batch_decode(frame, arena, batch, NULL) == GOAT_OK &&
           gt_batch_hash(maker->hasher, &maker->place, batch, NULL) == GOAT_OK &&
           gt_batch_verify(&maker->place, batch, maker->public_key, &gt_alloc_system, NULL) == GOAT_OK;
}

static void no_bit_of_a_frame_can_be_changed(void **state) {
    batch_maker *maker = *state;
    gt_arena arena = new_arena();
    gt_batch batch;
    gt_buf frame = new_buf();
    for (uint32_t i = 0; i < 3; i++) {
        maker_add_simple(maker, i);
    }
    gt_batch_draft_group(&maker->draft, 0);
    gt_id prev = {{5}};
    const gt_chain_place chain = {.seq = 2, .prev = &prev, .prev_count = 1};
    gt_id id = maker_finish(maker, &chain, &frame);
    size_t signature_at = 0;
    assert_true(accepts(maker, gt_buf_bytes(&frame), &arena, &batch));
    signature_at = (size_t)(batch.signature - frame.data);
    for (size_t bit = 0; bit < 8 * frame.len; bit++) {
        frame.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        gt_arena_reset(&arena);
        if (gt_batch_decode(gt_buf_bytes(&frame), &arena, &batch, NULL) == GOAT_OK &&
            gt_batch_hash(maker->hasher, &maker->place, &batch, NULL) == GOAT_OK) {
            bool in_signature = bit / 8 >= signature_at && bit / 8 < signature_at + GT_SIGNATURE_SIZE;
            assert_int_equal(gt_id_compare(&batch.id, &id) == 0, in_signature);
        }
        /* One signature in eight, and all that are not signed over, are tried: they are what costs time. */
        if (bit % 8 == 3 || (bit / 8 >= signature_at && bit / 8 < signature_at + GT_SIGNATURE_SIZE)) {
            assert_false(accepts(maker, gt_buf_bytes(&frame), &arena, &batch));
        }
        frame.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    gt_buf_free(&frame);
    gt_arena_free(&arena);
}

static void no_part_of_a_frame_is_a_frame(void **state) {
    batch_maker *maker = *state;
    gt_arena arena = new_arena();
    gt_batch batch;
    gt_buf frame = new_buf();
    maker_simple_batch(maker, 2, &frame);
    for (size_t len = 0; len < frame.len; len++) {
        uint8_t *part = malloc(len + (len == 0));
        assert_non_null(part);
        memcpy(part, frame.data, len);
        assert_int_not_equal(gt_batch_decode(gt_bytes_of(part, len), &arena, &batch, NULL), GOAT_OK);
        assert_int_not_equal(gt_batch_view(gt_bytes_of(part, len), &arena, &batch, NULL), GOAT_OK);
        free(part);
        gt_arena_reset(&arena);
    }
    gt_buf_free(&frame);
    gt_arena_free(&arena);
}

/* ---- limits and memory ---- */

static void a_draft_takes_65536_leaves(void **state) {
    batch_maker *maker = *state;
    gt_arena arena = new_arena();
    gt_buf frame = new_buf();
    gt_batch batch;
    uint8_t empty = 0xa0;
    const gt_chain_place chain = {.seq = 1};
    gt_commit_draft commit = maker_commit("a", gt_bytes_of(&empty, 1), 0);
    for (uint32_t i = 0; i < GOAT_BATCH_MAX; i++) {
        maker_add(maker, &commit);
        if (i % 2 == 1) {
            gt_batch_draft_group(&maker->draft, i - 1);
        }
    }
    assert_int_equal(gt_batch_draft_add(&maker->draft, maker->hasher, &maker->session, maker->salt, &commit, NULL, NULL),
                     GOAT_TOO_LARGE);
    maker_finish(maker, &chain, &frame);
    assert_true(accepts(maker, gt_buf_bytes(&frame), &arena, &batch));
    assert_int_equal(batch.size, GOAT_BATCH_MAX);
    assert_int_equal(gt_batch_group_of(&batch, GOAT_BATCH_MAX - 1), GOAT_BATCH_MAX / 2 - 1);
    gt_buf_free(&frame);
    gt_arena_free(&arena);
}

static void a_draft_refuses_what_no_reader_takes(void **state) {
    batch_maker *maker = *state;
    static char text[GT_MESSAGE_MAX + 1];
    uint8_t empty = 0xa0;
    gt_id *ids = calloc(GT_REVERTS_MAX + 1, sizeof *ids), parent = {{1}};
    uint8_t *large = calloc(1, GOAT_VALUE_MAX + 1);
    const gt_commit_draft good = maker_commit("a", gt_bytes_of(&empty, 1), 0);
    gt_commit_draft bad[7];
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bad[i] = good;
    }
    bad[0].delta = gt_bytes_of(large, GOAT_VALUE_MAX + 1);
    bad[1].full = gt_bytes_of(large, GOAT_VALUE_MAX + 1);
    bad[2].parents = ids;
    bad[2].parent_count = GT_PARENTS_MAX + 1;
    bad[3].parents = &parent;
    bad[3].parent_count = 1;
    bad[3].reverts = ids;
    bad[3].revert_count = GT_REVERTS_MAX + 1;
    bad[4].key = gt_bytes_of(text, GOAT_KEY_MAX + 1);
    bad[5].ns = gt_bytes_of(text, GOAT_NAME_MAX + 1);
    bad[6].message = gt_bytes_of(text, GT_MESSAGE_MAX + 1);
    memset(text, 'a', sizeof text);
    maker_add(maker, &good);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        size_t len = maker->draft.nodes.len;
        assert_int_equal(gt_batch_draft_add(&maker->draft, maker->hasher, &maker->session, maker->salt, &bad[i], NULL,
                                            NULL),
                         GOAT_TOO_LARGE);
        assert_int_equal(maker->draft.nodes.len, len);
        assert_int_equal(maker->draft.count, 1);
    }
    free(large);
    free(ids);
}

static void a_draft_stays_below_64_mib(void **state) {
    batch_maker *maker = *state;
    gt_buf frame = new_buf(), delta = hex_buf("a16161 5a 00ffff00");
    gt_id id;
    const gt_chain_place chain = {.seq = 1};
    assert_non_null(gt_buf_reserve(&delta, 0xffff00));
    memset(delta.data + delta.len, 0, 0xffff00);
    delta.len += 0xffff00;
    gt_commit_draft commit = maker_commit("a", gt_buf_bytes(&delta), 0);
    uint8_t salt[GT_SALT_SIZE] = {0};
    goat_status status = GOAT_OK;
    uint32_t count = 0;
    while (status == GOAT_OK) {
        salt[0]++;
        status = gt_batch_draft_add(&maker->draft, maker->hasher, &maker->session, salt, &commit, NULL, NULL);
        count += status == GOAT_OK;
    }
    assert_int_equal(status, GOAT_TOO_LARGE);
    assert_int_equal(count, 3);
    assert_int_equal(gt_batch_draft_finish(&maker->draft, maker->hasher, &maker->place, &maker->session, &chain,
                                           &maker->secret, &frame, &id, NULL),
                     GOAT_OK);
    assert_true(frame.len <= GT_FRAME_MAX);
    gt_batch_draft_free(&maker->draft);
    gt_buf_free(&frame);
    gt_buf_free(&delta);
}

static goat_status make_and_read(batch_maker *maker, const gt_alloc *alloc) {
    static const gt_chain_place chain = {.seq = 1};
    gt_batch_draft draft;
    gt_arena arena;
    gt_buf frame;
    gt_batch batch;
    gt_id id;
    uint8_t empty = 0xa0, salt[GT_SALT_SIZE] = {0};
    gt_commit_draft commit = maker_commit("a", gt_bytes_of(&empty, 1), 0);
    goat_status status = GOAT_OK;
    gt_batch_draft_init(&draft, alloc);
    gt_arena_init(&arena, alloc);
    gt_buf_init(&frame, alloc);
    for (uint8_t i = 0; i < 40 && status == GOAT_OK; i++) {
        salt[0] = i;
        size_t len = draft.nodes.len;
        status = gt_batch_draft_add(&draft, maker->hasher, &maker->session, salt, &commit, NULL, NULL);
        assert_true(status == GOAT_OK || (draft.nodes.len == len && draft.count == i));
    }
    if (status == GOAT_OK) {
        gt_batch_draft_group(&draft, 3);
        status = gt_batch_draft_finish(&draft, maker->hasher, &maker->place, &maker->session, &chain, &maker->secret,
                                       &frame, &id, NULL);
        assert_true(status == GOAT_OK || frame.len == 0);
    }
    if (status == GOAT_OK) {
        status = gt_batch_decode(gt_buf_bytes(&frame), &arena, &batch, NULL);
    }
    if (status == GOAT_OK) {
        status = gt_batch_hash(maker->hasher, &maker->place, &batch, NULL);
    }
    if (status == GOAT_OK) {
        status = gt_batch_verify(&maker->place, &batch, maker->public_key, alloc, NULL);
    }
    gt_buf_free(&frame);
    gt_arena_free(&arena);
    gt_batch_draft_free(&draft);
    return status;
}

static void every_allocation_may_fail(void **state) {
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        test_alloc_init(&memory, k);
        goat_status status = make_and_read(*state, &memory.alloc);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            assert_int_equal(status, GOAT_OK);
            assert_true(k > 5);
            break;
        }
        assert_int_equal(status, GOAT_NO_MEMORY);
    }
}

#define WITH_MAKER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rule_holds_on_both_sides),
        cmocka_unit_test(prev_has_sixteen_ids_at_most),
        cmocka_unit_test(a_frame_has_64_mib_at_most),
        WITH_MAKER(a_commit_is_in_a_batch_once_and_after_its_parents),
        WITH_MAKER(a_batch_comes_back_as_it_was_made),
        cmocka_unit_test(every_leaf_knows_its_group),
        WITH_MAKER(a_signature_binds_place_session_and_every_part),
        WITH_MAKER(no_bit_of_a_frame_can_be_changed),
        WITH_MAKER(no_part_of_a_frame_is_a_frame),
        WITH_MAKER(a_draft_takes_65536_leaves),
        WITH_MAKER(a_draft_refuses_what_no_reader_takes),
        WITH_MAKER(a_draft_stays_below_64_mib),
        WITH_MAKER(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("batch", tests, NULL, NULL);
}
