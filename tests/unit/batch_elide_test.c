/* core/commit: smaller frames of the same batch. */
#include "support/test.h"

#include "commit/batch.h"
#include "commit/tree.h"

#include "support/batch_maker.h"
#include "support/test_alloc.h"
#include "support/test_random.h"

#include <stdlib.h>
#include <string.h>

/* A batch and everything that was decoded from its frame. */
typedef struct held {
    gt_buf frame;
    gt_arena arena;
    gt_batch batch;
} held;

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

static void init_held(held *h) {
    gt_buf_init(&h->frame, &gt_alloc_system);
    gt_arena_init(&h->arena, &gt_alloc_system);
}

static void free_held(held *h) {
    gt_buf_free(&h->frame);
    gt_arena_free(&h->arena);
}

static void decode_and_hash(batch_maker *maker, held *h) {
    gt_diag diag;
    gt_diag_init(&diag);
    if (gt_batch_decode(gt_buf_bytes(&h->frame), &h->arena, &h->batch, &diag) != GOAT_OK ||
        gt_batch_hash(maker->hasher, &maker->place, &h->batch, &diag) != GOAT_OK) {
        fail_msg("%s", diag.message);
    }
}

static void make(batch_maker *maker, uint32_t size, held *h) {
    init_held(h);
    maker_simple_batch(maker, size, &h->frame);
    decode_and_hash(maker, h);
}

static void elide(batch_maker *maker, const held *from, const uint8_t *reasons, held *to) {
    init_held(to);
    assert_int_equal(gt_batch_elide(maker->hasher, &from->batch, reasons, &to->frame, NULL), GOAT_OK);
    decode_and_hash(maker, to);
}

/* Every leaf of `smaller` is as `reasons` want it, and the batch is the same one. */
static void assert_elided(batch_maker *maker, const held *whole, const held *smaller, const uint8_t *reasons) {
    const gt_batch *batch = &smaller->batch;
    assert_memory_equal(&batch->root, &whole->batch.root, sizeof batch->root);
    assert_memory_equal(&batch->id, &whole->batch.id, sizeof batch->id);
    assert_int_equal(gt_batch_verify(&maker->place, batch, maker->public_key, &gt_alloc_system, NULL), GOAT_OK);
    for (uint32_t i = 0; i < batch->node_count; i++) {
        const gt_node *node = &batch->nodes[i];
        for (uint32_t leaf = node->first; leaf < node->first + node->count; leaf++) {
            assert_int_equal(node->kind, reasons[leaf]);
        }
        const gt_node *original = &whole->batch.nodes[node->first];
        if (node->kind == GT_NODE_LEAF || node->kind == GT_NODE_PRUNED) {
            assert_memory_equal(&node->hash, &original->hash, sizeof node->hash);
            assert_true(gt_bytes_equal(node->commit.key, original->commit.key));
            assert_true(node->commit.time == original->commit.time);
        }
        if (node->kind == GT_NODE_LEAF) {
            assert_true(gt_bytes_equal(node->bytes, original->bytes));
        }
    }
}

/* How many nodes the subtree of n leaves from `first` takes, by going down the tree. */
static uint32_t naive_node_count(const uint8_t *reasons, uint32_t first, uint32_t n) {
    uint32_t k = 1, same = 1;
    while (same < n && reasons[first + same] == reasons[first]) {
        same++;
    }
    bool joins = reasons[first] != GT_NODE_LEAF && reasons[first] != GT_NODE_PRUNED;
    if (n == 1 || (joins && same == n)) {
        return 1;
    }
    while (2 * k < n) {
        k *= 2;
    }
    return naive_node_count(reasons, first, k) + naive_node_count(reasons, first + k, n - k);
}

/* Runs of leaves with one reason each, so that whole subtrees go. */
static void random_reasons(test_random *random, uint8_t *reasons, uint32_t size) {
    uint32_t run_max = 1u << test_random_below(random, 6);
    for (uint32_t leaf = 0; leaf < size;) {
        uint8_t reason = (uint8_t)test_random_below(random, GT_NODE_LEAF + 1);
        for (uint32_t run = 1 + test_random_below(random, run_max); run > 0 && leaf < size; run--) {
            reasons[leaf++] = reason;
        }
    }
}

static void any_part_can_be_left_out(void **state) {
    batch_maker *maker = *state;
    test_random random;
    test_random_init(&random, __func__);
    for (unsigned round = 0; round < 400; round++) {
        uint8_t reasons[140];
        uint32_t size = 1 + test_random_below(&random, sizeof reasons);
        held whole, smaller;
        make(maker, size, &whole);
        random_reasons(&random, reasons, size);
        elide(maker, &whole, reasons, &smaller);
        assert_elided(maker, &whole, &smaller, reasons);
        assert_int_equal(smaller.batch.node_count, naive_node_count(reasons, 0, size));

        /* Eliding again for the same reasons changes nothing: there is one encoding. */
        gt_buf again;
        gt_buf_init(&again, &gt_alloc_system);
        assert_int_equal(gt_batch_elide(maker->hasher, &smaller.batch, reasons, &again, NULL), GOAT_OK);
        assert_true(gt_bytes_equal(gt_buf_bytes(&again), gt_buf_bytes(&smaller.frame)));
        gt_buf_free(&again);
        free_held(&smaller);
        free_held(&whole);
    }
}

static void eliding_twice_is_eliding_once(void **state) {
    batch_maker *maker = *state;
    test_random random;
    test_random_init(&random, __func__);
    for (unsigned round = 0; round < 400; round++) {
        uint8_t first[100], second[100], both[100];
        uint32_t size = 1 + test_random_below(&random, sizeof first);
        held whole, once, twice, direct;
        make(maker, size, &whole);
        random_reasons(&random, first, size);
        random_reasons(&random, second, size);
        for (uint32_t i = 0; i < size; i++) {
            bool stronger = second[i] == GT_NODE_HIDDEN || second[i] == GT_NODE_REFUSED;
            bool held_then = first[i] == GT_NODE_LEAF;
            both[i] = held_then || (first[i] == GT_NODE_PRUNED && stronger) ? second[i] : first[i];
        }
        elide(maker, &whole, first, &once);
        elide(maker, &once, second, &twice);
        elide(maker, &whole, both, &direct);
        assert_true(gt_bytes_equal(gt_buf_bytes(&twice.frame), gt_buf_bytes(&direct.frame)));
        free_held(&direct);
        free_held(&twice);
        free_held(&once);
        free_held(&whole);
    }
}

static void keeping_all_gives_the_same_frame(void **state) {
    batch_maker *maker = *state;
    uint8_t reasons[5];
    held whole, same;
    memset(reasons, GT_NODE_LEAF, sizeof reasons);
    make(maker, sizeof reasons, &whole);
    elide(maker, &whole, reasons, &same);
    assert_true(gt_bytes_equal(gt_buf_bytes(&same.frame), gt_buf_bytes(&whole.frame)));
    free_held(&same);
    free_held(&whole);
}

static void leaving_all_out_is_one_node(void **state) {
    batch_maker *maker = *state;
    uint8_t reasons[77];
    held whole, none;
    memset(reasons, GT_NODE_HAD, sizeof reasons);
    make(maker, sizeof reasons, &whole);
    elide(maker, &whole, reasons, &none);
    assert_int_equal(none.batch.node_count, 1);
    assert_memory_equal(&none.batch.nodes[0].hash, &whole.batch.root, sizeof whole.batch.root);
    free_held(&none);
    free_held(&whole);
}

static void a_wrong_hash_does_not_fit_the_root(void **state) {
    batch_maker *maker = *state;
    uint8_t reasons[8] = {GT_NODE_LEAF, GT_NODE_PRUNED, GT_NODE_HAD, GT_NODE_HAD,
                          GT_NODE_HIDDEN, GT_NODE_HIDDEN, GT_NODE_HIDDEN, GT_NODE_HIDDEN};
    held whole, smaller;
    make(maker, sizeof reasons, &whole);
    elide(maker, &whole, reasons, &smaller);
    for (uint32_t i = 0; i < smaller.batch.node_count; i++) {
        gt_node *node = &smaller.batch.nodes[i];
        const uint8_t *at = node->kind == GT_NODE_LEAF     ? node->salt
                            : node->kind == GT_NODE_PRUNED ? node->inner->bytes
                                                           : node->hash.bytes;
        uint8_t *byte = (uint8_t *)(uintptr_t)at;
        *byte ^= 1;
        assert_int_equal(gt_batch_hash(maker->hasher, &maker->place, &smaller.batch, NULL), GOAT_CORRUPT);
        *byte ^= 1;
    }
    assert_int_equal(gt_batch_hash(maker->hasher, &maker->place, &smaller.batch, NULL), GOAT_OK);
    free_held(&smaller);
    free_held(&whole);
}

/* Sets `*equal_ids` if the frame is taken and is the batch of that id. */
static bool is_taken(batch_maker *maker, gt_bytes frame, gt_arena *arena, const gt_id *id, bool *equal_ids) {
    gt_batch batch;
    gt_arena_reset(arena);
    bool taken = gt_batch_decode(frame, arena, &batch, NULL) == GOAT_OK &&
                 gt_batch_hash(maker->hasher, &maker->place, &batch, NULL) == GOAT_OK;
    *equal_ids = taken && gt_id_compare(&batch.id, id) == 0;
    return taken;
}

/* What may differ in a frame of one batch: the reason of an elided node, which is the sender's claim, and
 * the signature, which verification finds. */
static void no_bit_of_an_elided_frame_can_be_changed(void **state) {
    batch_maker *maker = *state;
    uint8_t reasons[8] = {GT_NODE_LEAF, GT_NODE_PRUNED, GT_NODE_HAD, GT_NODE_HAD,
                          GT_NODE_HIDDEN, GT_NODE_HIDDEN, GT_NODE_UNASKED, GT_NODE_REFUSED};
    held whole, smaller;
    gt_arena arena;
    make(maker, sizeof reasons, &whole);
    elide(maker, &whole, reasons, &smaller);
    gt_arena_init(&arena, &gt_alloc_system);
    gt_buf *frame = &smaller.frame;
    size_t signature_at = (size_t)(smaller.batch.signature - frame->data);
    for (size_t byte = 0; byte < frame->len; byte++) {
        bool in_signature = byte >= signature_at && byte < signature_at + GT_SIGNATURE_SIZE;
        for (unsigned flip = 1; flip < 256 && !in_signature; flip++) {
            bool same;
            frame->data[byte] ^= (uint8_t)flip;
            if (is_taken(maker, gt_buf_bytes(frame), &arena, &smaller.batch.id, &same) && same) {
                bool is_reason = frame->data[byte - 1] == 0x83 && frame->data[byte] <= GT_NODE_REFUSED;
                assert_true(is_reason);
            }
            frame->data[byte] ^= (uint8_t)flip;
        }
    }
    gt_arena_free(&arena);
    free_held(&smaller);
    free_held(&whole);
}

static void a_group_is_not_torn_for_who_asks(void **state) {
    batch_maker *maker = *state;
    static const gt_chain_place chain = {.seq = 1};
    gt_buf out;
    held whole;
    init_held(&whole);
    gt_buf_init(&out, &gt_alloc_system);
    for (uint32_t i = 0; i < 4; i++) {
        maker_add_simple(maker, i);
    }
    gt_batch_draft_group(&maker->draft, 1);
    maker_finish(maker, &chain, &whole.frame);
    decode_and_hash(maker, &whole);
    static const struct {
        uint8_t reasons[4];
        goat_status status;
    } cases[] = {
        {{GT_NODE_UNASKED, GT_NODE_LEAF, GT_NODE_LEAF, GT_NODE_LEAF}, GOAT_OK},
        {{GT_NODE_LEAF, GT_NODE_UNASKED, GT_NODE_UNASKED, GT_NODE_UNASKED}, GOAT_OK},
        {{GT_NODE_LEAF, GT_NODE_UNASKED, GT_NODE_UNASKED, GT_NODE_LEAF}, GOAT_INVALID},
        {{GT_NODE_LEAF, GT_NODE_HIDDEN, GT_NODE_HAD, GT_NODE_LEAF}, GOAT_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t before = out.len;
        assert_int_equal(gt_batch_elide(maker->hasher, &whole.batch, cases[i].reasons, &out, NULL), cases[i].status);
        assert_int_equal(out.len > before, cases[i].status == GOAT_OK);
    }
    gt_buf_free(&out);
    free_held(&whole);
}

static void every_allocation_may_fail(void **state) {
    batch_maker *maker = *state;
    uint8_t reasons[60];
    held whole;
    memset(reasons, GT_NODE_LEAF, sizeof reasons);
    for (size_t i = 0; i < sizeof reasons; i += 3) {
        reasons[i] = GT_NODE_HAD;
    }
    make(maker, sizeof reasons, &whole);
    for (uint64_t k = 0;; k++) {
        test_alloc memory;
        gt_buf out;
        test_alloc_init(&memory, k);
        gt_buf_init(&out, &memory.alloc);
        goat_status status = gt_batch_elide(maker->hasher, &whole.batch, reasons, &out, NULL);
        assert_int_equal(out.len > 0, status == GOAT_OK);
        gt_buf_free(&out);
        test_alloc_assert_empty(&memory);
        if (!memory.failed) {
            assert_int_equal(status, GOAT_OK);
            assert_true(k > 2);
            break;
        }
        assert_int_equal(status, GOAT_NO_MEMORY);
    }
    free_held(&whole);
}

static void the_largest_batch_elides_every_second_leaf(void **state) {
    batch_maker *maker = *state;
    uint8_t *reasons = malloc(GOAT_BATCH_MAX);
    held whole, smaller;
    assert_non_null(reasons);
    for (uint32_t i = 0; i < GOAT_BATCH_MAX; i++) {
        reasons[i] = i % 2 == 0 ? GT_NODE_HAD : GT_NODE_LEAF;
    }
    make(maker, GOAT_BATCH_MAX, &whole);
    elide(maker, &whole, reasons, &smaller);
    assert_elided(maker, &whole, &smaller, reasons);
    assert_int_equal(smaller.batch.node_count, GOAT_BATCH_MAX);
    free_held(&smaller);
    /* All but the outermost leaves: every level has a subtree on both sides. */
    memset(reasons, GT_NODE_HAD, GOAT_BATCH_MAX);
    reasons[0] = reasons[GOAT_BATCH_MAX - 1] = GT_NODE_LEAF;
    elide(maker, &whole, reasons, &smaller);
    assert_int_equal(smaller.batch.node_count, 2 + 2 * 15);
    free_held(&smaller);
    free_held(&whole);
    free(reasons);
}

#define WITH_MAKER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_MAKER(any_part_can_be_left_out),
        WITH_MAKER(eliding_twice_is_eliding_once),
        WITH_MAKER(keeping_all_gives_the_same_frame),
        WITH_MAKER(leaving_all_out_is_one_node),
        WITH_MAKER(a_wrong_hash_does_not_fit_the_root),
        WITH_MAKER(no_bit_of_an_elided_frame_can_be_changed),
        WITH_MAKER(a_group_is_not_torn_for_who_asks),
        WITH_MAKER(every_allocation_may_fail),
        WITH_MAKER(the_largest_batch_elides_every_second_leaf),
    };
    return cmocka_run_group_tests_name("batch_elide", tests, NULL, NULL);
}
