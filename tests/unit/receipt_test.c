/* core/commit: receipts, read, hashed, verified and made. The form's rules stand in support/receipt_cases.c. */
#include "support/test.h"

#include "commit/tree.h"
#include "support/hex_buf.h"
#include "support/naive_tree.h"
#include "support/receipt_cases.h"
#include "support/receipt_maker.h"
#include "support/test_alloc.h"

#include <stdlib.h>

typedef struct fixture {
    batch_maker maker;
    gt_arena arena;
    gt_receipt_draft draft;
    gt_buf out;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    batch_maker_init(&f->maker);
    gt_arena_init(&f->arena, &gt_alloc_system);
    gt_receipt_draft_init(&f->draft, &gt_alloc_system);
    gt_buf_init(&f->out, &gt_alloc_system);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    gt_buf_free(&f->out);
    gt_receipt_draft_free(&f->draft);
    gt_arena_free(&f->arena);
    batch_maker_free(&f->maker);
    free(f);
    return 0;
}

static gt_id batch_id(fixture *f, uint32_t number) {
    gt_id id;
    gt_hash(f->maker.hasher, &number, sizeof number, id.bytes);
    return id;
}

static gt_receipt begin(const fixture *f) {
    gt_receipt receipt = {.session = f->maker.session, .time_ms = 1767225600000, .first = 7};
    memset(receipt.log_id, 0x33, sizeof receipt.log_id);
    return receipt;
}

static void add(fixture *f, uint32_t number, const gt_run *runs, size_t run_count) {
    gt_id id = batch_id(f, number);
    assert_int_equal(gt_receipt_draft_add(&f->draft, f->maker.hasher, &id, runs, run_count, NULL), GOAT_OK);
}

static void finish(fixture *f, gt_receipt *receipt) {
    gt_buf_clear(&f->out);
    assert_int_equal(
        gt_receipt_draft_finish(&f->draft, f->maker.hasher, &f->maker.place, &f->maker.secret, receipt, &f->out, NULL),
        GOAT_OK);
}

static gt_receipt read(fixture *f, gt_bytes bytes) {
    gt_receipt receipt;
    gt_diag diag;
    gt_diag_init(&diag);
    if (gt_receipt_decode(bytes, &f->arena, &receipt, &diag) != GOAT_OK) fail_msg("%s", diag.message);
    gt_receipt_hash(f->maker.hasher, &f->maker.place, &receipt);
    return receipt;
}

static goat_status verify(fixture *f, const gt_receipt *receipt) {
    return gt_receipt_verify(&f->maker.place, receipt, f->maker.public_key, &gt_alloc_system, NULL);
}

/* ---- claims ---- */

static void each_rule_is_kept_on_both_sides(void **state) {
    fixture *f = *state;
    for (size_t i = 0; i < receipt_case_count; i++) {
        const receipt_case *c = &receipt_cases[i];
        gt_buf bytes = hex_buf(c->hex);
        gt_receipt receipt;
        gt_diag diag;
        gt_diag_init(&diag);
        goat_status status = gt_receipt_decode(gt_buf_bytes(&bytes), &f->arena, &receipt, &diag);
        bool said = c->words == NULL || strstr(diag.message, c->words) != NULL;
        if (status != c->status || !said) {
            fail_msg("%s: %s, \"%s\"", c->name, gt_status_name(status), diag.message);
        }
        assert_true(status == GOAT_OK || diag.position <= bytes.len);
        gt_buf_free(&bytes);
    }
}

static void what_is_made_is_read(void **state) {
    fixture *f = *state;
    const gt_run runs[] = {{0, 2}, {3, 1}, {65535, 1}};
    gt_id before = batch_id(f, 99);
    gt_receipt made = begin(f);
    made.previous = &before;
    add(f, 1, NULL, 0);
    add(f, 2, runs, 3);
    add(f, 3, runs, 0);
    finish(f, &made);
    gt_receipt got = read(f, gt_buf_bytes(&f->out));
    assert_memory_equal(&got.session, &f->maker.session, sizeof got.session);
    assert_memory_equal(got.log_id, made.log_id, sizeof got.log_id);
    assert_memory_equal(got.previous, &before, sizeof before);
    assert_int_equal(got.time_ms, made.time_ms);
    assert_int_equal(got.first, 7);
    assert_int_equal(got.size, 3);
    assert_memory_equal(&got.root, &made.root, sizeof got.root);
    assert_memory_equal(&got.id, &made.id, sizeof got.id);
    assert_int_equal(verify(f, &got), GOAT_OK);
    for (uint32_t i = 0; i < 3; i++) {
        gt_id id = batch_id(f, i + 1);
        gt_run run;
        size_t at = 0;
        assert_memory_equal(got.nodes[i].batch, &id, sizeof id);
        assert_int_equal(got.nodes[i].admits_all, i == 0);
        assert_int_equal(got.nodes[i].entries, i == 1 ? 4 : 0);
        for (size_t r = 0; i == 1 && r < 3; r++) {
            assert_true(gt_receipt_run(&got.nodes[i], &at, &run));
            assert_true(run.first == runs[r].first && run.count == runs[r].count);
        }
        assert_false(gt_receipt_run(&got.nodes[i], &at, &run));
    }
}

static void every_bit_counts(void **state) {
    fixture *f = *state;
    gt_receipt made = begin(f);
    const gt_run run = {1, 1};
    add(f, 1, NULL, 0);
    add(f, 2, &run, 1);
    finish(f, &made);
    for (size_t bit = 0; bit < f->out.len * 8; bit++) {
        gt_receipt receipt;
        f->out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (gt_receipt_decode(gt_buf_bytes(&f->out), &f->arena, &receipt, NULL) == GOAT_OK) {
            gt_receipt_hash(f->maker.hasher, &f->maker.place, &receipt);
            bool same_session = gt_id_compare(&receipt.session, &f->maker.session) == 0;
            if (same_session) assert_int_equal(verify(f, &receipt), GOAT_UNTRUSTED);
        }
        f->out.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        gt_arena_reset(&f->arena);
    }
}

static void it_is_good_for_one_network_and_repository(void **state) {
    fixture *f = *state;
    gt_receipt made = begin(f);
    add(f, 1, NULL, 0);
    finish(f, &made);
    gt_receipt got = read(f, gt_buf_bytes(&f->out));
    gt_place place = f->maker.place;
    place.repository = gt_bytes_text("/data/sheep");
    assert_int_equal(gt_receipt_verify(&place, &got, f->maker.public_key, &gt_alloc_system, NULL), GOAT_UNTRUSTED);
    place = f->maker.place;
    place.network.bytes[0] ^= 1;
    assert_int_equal(gt_receipt_verify(&place, &got, f->maker.public_key, &gt_alloc_system, NULL), GOAT_UNTRUSTED);
    assert_int_equal(gt_receipt_verify(&f->maker.place, &got, f->maker.root_key, &gt_alloc_system, NULL),
                     GOAT_UNTRUSTED);
}

/* Any node of the tree may stand for what is below it: the receipt stays the same. */
static void with_leaves_left_out_it_is_the_same_receipt(void **state) {
    fixture *f = *state;
    size_t nodes = 0;
    for (uint32_t size = 1; size <= 33; size++) {
        gt_receipt whole = begin(f);
        gt_receipt_draft_free(&f->draft);
        for (uint32_t i = 0; i < size; i++) add(f, i, NULL, 0);
        finish(f, &whole);
        for (uint32_t first = 0; first < size; first++) {
            for (uint32_t count = 1; count <= size - first; count++) {
                if (!gt_tree_has(size, first, count)) continue;
                receipt_maker made;
                gt_buf smaller;
                gt_buf_init(&smaller, &gt_alloc_system);
                receipt_maker_init(&made, &f->maker);
                made.receipt.first = 7;
                for (uint32_t i = 0; i < size; i++) {
                    gt_id id = batch_id(f, i);
                    receipt_maker_leaf(&made, &id, "f5", "80");
                    if (i + 1 == first + count) receipt_maker_leave_out(&made, count);
                }
                receipt_maker_finish(&made, &smaller);
                gt_receipt got = read(f, gt_buf_bytes(&smaller));
                assert_memory_equal(&got.id, &whole.id, sizeof got.id);
                assert_int_equal(got.size, size);
                assert_int_equal(got.node_count, size - count + 1);
                assert_int_equal(verify(f, &got), GOAT_OK);
                receipt_maker_free(&made);
                gt_buf_free(&smaller);
                nodes++;
            }
        }
        gt_arena_reset(&f->arena);
    }
    assert_int_equal(nodes, 33 * 33); /* a tree of n leaves has 2n - 1 nodes */
}

static void it_holds_4096_leaves(void **state) {
    fixture *f = *state;
    gt_id *hashes = calloc(GT_RECEIPT_LEAVES_MAX, sizeof *hashes);
    gt_receipt made = begin(f);
    for (uint32_t i = 0; i < GT_RECEIPT_LEAVES_MAX; i++) add(f, i, NULL, 0);
    gt_id one_more = batch_id(f, 5000);
    assert_int_equal(gt_receipt_draft_add(&f->draft, f->maker.hasher, &one_more, NULL, 0, NULL), GOAT_TOO_LARGE);
    finish(f, &made);
    gt_receipt got = read(f, gt_buf_bytes(&f->out));
    assert_int_equal(got.node_count, GT_RECEIPT_LEAVES_MAX);
    assert_int_equal(verify(f, &got), GOAT_OK);
    gt_buf more; /* the same with one more leaf */
    size_t front = (size_t)(got.nodes[0].bytes.data - f->out.data);
    gt_buf_init(&more, &gt_alloc_system);
    gt_buf_append(&more, f->out.data, f->out.len);
    gt_buf_append(&more, got.nodes[0].bytes.data, got.nodes[0].bytes.len);
    assert_int_equal(more.data[front - 1], 0x00); /* of 99 10 00 */
    more.data[front - 1] = 0x01;
    gt_receipt large;
    assert_int_equal(gt_receipt_decode(gt_buf_bytes(&more), &f->arena, &large, NULL), GOAT_TOO_LARGE);
    gt_buf_free(&more);
    for (uint32_t i = 0; i < got.node_count; i++) hashes[i] = got.nodes[i].hash;
    gt_id root = naive_tree(f->maker.hasher, hashes, got.node_count);
    assert_memory_equal(&root, &got.root, sizeof root);
    free(hashes);
}

static void it_is_at_most_16_mib(void **state) {
    fixture *f = *state;
    enum { RUNS = 32768 };
    gt_run *runs = calloc(RUNS, sizeof *runs);
    for (uint32_t i = 0; i < RUNS; i++) runs[i] = (gt_run){2 * i, 1};
    gt_receipt made = begin(f);
    goat_status status = GOAT_OK;
    for (uint32_t i = 0; status == GOAT_OK; i++) {
        gt_id id = batch_id(f, i);
        status = gt_receipt_draft_add(&f->draft, f->maker.hasher, &id, runs, RUNS, NULL);
        assert_true(i < 1000);
    }
    assert_int_equal(status, GOAT_TOO_LARGE);
    finish(f, &made); /* what was there before is good */
    assert_true(f->out.len <= GT_RECEIPT_MAX && f->out.len > GT_RECEIPT_MAX / 2);
    gt_receipt got = read(f, gt_buf_bytes(&f->out));
    assert_int_equal(got.nodes[0].entries, RUNS);
    assert_int_equal(verify(f, &got), GOAT_OK);
    uint8_t *large = calloc(GT_RECEIPT_MAX + 1, 1);
    assert_int_equal(gt_receipt_decode(gt_bytes_of(large, GT_RECEIPT_MAX + 1), &f->arena, &got, NULL), GOAT_TOO_LARGE);
    assert_int_equal(gt_receipt_decode(gt_bytes_of(large, GT_RECEIPT_MAX), &f->arena, &got, NULL), GOAT_INVALID);
    free(large);
    free(runs);
}

static void without_memory_a_draft_is_as_it_was(void **state) {
    fixture *f = *state;
    const gt_run run = {1, 1};
    bool failed = true;
    for (uint64_t k = 0; failed; k++) {
        test_alloc memory;
        gt_receipt_draft draft;
        gt_buf out;
        gt_receipt made = begin(f), got;
        test_alloc_init(&memory, k);
        memory.once = true;
        gt_receipt_draft_init(&draft, &memory.alloc);
        gt_buf_init(&out, &memory.alloc);
        for (uint32_t i = 0; i < 40; i++) { /* what failed is tried again */
            gt_id id = batch_id(f, i);
            goat_status status = gt_receipt_draft_add(&draft, f->maker.hasher, &id, i % 2 == 0 ? NULL : &run, 1, NULL);
            if (status != GOAT_OK) {
                assert_int_equal(status, GOAT_NO_MEMORY);
                assert_int_equal(gt_receipt_draft_add(&draft, f->maker.hasher, &id, i % 2 == 0 ? NULL : &run, 1, NULL),
                                 GOAT_OK);
            }
        }
        goat_status status =
            gt_receipt_draft_finish(&draft, f->maker.hasher, &f->maker.place, &f->maker.secret, &made, &out, NULL);
        if (status != GOAT_OK) {
            assert_int_equal(status, GOAT_NO_MEMORY);
            assert_int_equal(out.len, 0);
            gt_buf_clear(&out);
            assert_int_equal(
                gt_receipt_draft_finish(&draft, f->maker.hasher, &f->maker.place, &f->maker.secret, &made, &out, NULL),
                GOAT_OK);
        }
        failed = memory.failed;
        got = read(f, gt_buf_bytes(&out));
        assert_int_equal(got.size, 40);
        assert_int_equal(verify(f, &got), GOAT_OK);
        gt_arena_reset(&f->arena);
        gt_buf_free(&out);
        gt_receipt_draft_free(&draft);
        test_alloc_assert_empty(&memory);
    }
}

static void without_memory_nothing_is_read(void **state) {
    fixture *f = *state;
    gt_receipt made = begin(f), got;
    for (uint32_t i = 0; i < 100; i++) add(f, i, NULL, 0);
    finish(f, &made);
    test_alloc memory;
    gt_arena arena;
    test_alloc_init(&memory, 0);
    gt_arena_init(&arena, &memory.alloc);
    assert_int_equal(gt_receipt_decode(gt_buf_bytes(&f->out), &arena, &got, NULL), GOAT_NO_MEMORY);
    gt_arena_free(&arena);
    test_alloc_assert_empty(&memory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(each_rule_is_kept_on_both_sides),
        TEST(what_is_made_is_read),
        TEST(every_bit_counts),
        TEST(it_is_good_for_one_network_and_repository),
        TEST(with_leaves_left_out_it_is_the_same_receipt),
        TEST(it_holds_4096_leaves),
        TEST(it_is_at_most_16_mib),
        TEST(without_memory_a_draft_is_as_it_was),
        TEST(without_memory_nothing_is_read),
    };
    return cmocka_run_group_tests_name("receipt", tests, NULL, NULL);
}
