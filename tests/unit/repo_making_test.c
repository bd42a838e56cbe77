/* core/repo: checkpoints are made, and taken in, in pieces of any size. */
#include "support/test.h"

#include "repo/tables.h"
#include "support/test_repo.h"

#include <stdio.h>
#include <stdlib.h>

enum { ITEMS = 40, FRAME = 2048 }; /* header and padding of a file are less */

typedef struct fixture {
    test_network network;
    test_site a, b;
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    test_network_init(&f->network);
    test_site_init(&f->a, &f->network, 0, 1, 0);
    test_site_init(&f->b, &f->network, 1, 2, 0);
    test_site *sites[] = {&f->a, &f->b};
    for (int i = 0; i < 2; i++) {
        test_site_learn(sites[i], test_goat_1);
        test_site_open(sites[i], 0);
    }
    for (int i = 0; i < ITEMS; i++) {
        char key[32];
        snprintf(key, sizeof key, "item %d", i);
        test_site_edit(&f->a, key, "goat", 1, "{text: 'a goat', tags: set[1]}");
    }
    test_site_send_new(&f->a, &f->b);
    for (int i = 0; i < ITEMS; i += 2) { /* with two heads, so that their states are in memory */
        char key[32];
        snprintf(key, sizeof key, "item %d", i);
        test_site_edit(&f->a, key, "goat", 1, "{tags: set[2]}");
        test_site_edit(&f->b, key, "goat", 1, "{tags: set[3]}");
    }
    test_site_send_new(&f->b, &f->a);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    test_site_free(&f->a);
    test_site_free(&f->b);
    test_network_free(&f->network);
    free(f);
    return 0;
}

static gt_making *begin(const test_site *site) {
    gt_making *making;
    assert_int_equal(gt_making_new(site->repo, &making, NULL), GOAT_OK);
    return making;
}

/* Makes it to the end; how many steps it took. */
static uint32_t finish(gt_making *making, size_t piece) {
    uint32_t steps = 0;
    for (bool done = false; !done; steps++) assert_int_equal(gt_making_step(making, piece, &done, NULL), GOAT_OK);
    return steps;
}

static void any_size_of_piece_makes_the_same_file(void **state) {
    fixture *f = *state;
    uint64_t covered;
    uint8_t digest[GT_HASH_SIZE];
    for (int looked_at = 0; looked_at < 2; looked_at++) {
        if (looked_at == 1) test_site_digest(&f->a, digest);
        gt_making *whole = begin(&f->a);
        assert_int_equal(finish(whole, SIZE_MAX), 1);
        gt_bytes expected = gt_making_file(whole, &covered);
        assert_int_equal(covered, gt_log_length(gt_repo_log(f->a.repo)));
        for (size_t piece = 1; piece < 100000; piece = piece * 7 + 3) {
            gt_making *making = begin(&f->a);
            uint32_t steps = finish(making, piece);
            gt_bytes file = gt_making_file(making, &covered);
            assert_true(steps >= (file.len - FRAME) / piece); /* none did more than its piece */
            assert_int_equal(file.len, expected.len);
            assert_memory_equal(file.data, expected.data, file.len);
            gt_making_free(making);
        }
        gt_making_free(whole);
    }
}

/* Expects that a file which was begun is given up, whatever step it is at, when `change` comes. */
static void overtaken(fixture *f, void (*change)(fixture *f, int number)) {
    for (int steps = 0; steps < 12; steps += 5) {
        gt_making *making = begin(&f->a);
        bool done = false;
        for (int i = 0; i < steps; i++) assert_int_equal(gt_making_step(making, 2000, &done, NULL), GOAT_OK);
        assert_false(done);
        change(f, steps);
        assert_int_equal(gt_making_step(making, 2000, &done, NULL), GOAT_CONFLICT);
        assert_false(done);
        gt_making_free(making);
    }
}

static void edit(fixture *f, int number) {
    (void)number;
    test_site_edit(&f->a, "item 1", "goat", 1, "{votes: 1}");
}

static void learn(fixture *f, int number) {
    char schema[200]; /* one that newer items are written with: others are read at it */
    snprintf(schema, sizeof schema,
             "{\"ns\": \"goat\", \"version\": %d, \"fields\": {\"text\": {\"type\": \"string\"}}}", 3 + number);
    test_site_learn(&f->a, schema);
}

static void what_changes_meanwhile_overtakes_it(void **state) {
    fixture *f = *state;
    overtaken(f, edit);
    overtaken(f, learn);
}

static void what_was_made_whole_stays_good(void **state) {
    fixture *f = *state;
    gt_making *making = begin(&f->a);
    finish(making, 1000);
    uint64_t before = gt_log_length(gt_repo_log(f->a.repo)), covered;
    edit(f, 0);
    bool done = false;
    assert_int_equal(gt_making_step(making, 1000, &done, NULL), GOAT_OK);
    assert_true(done);
    assert_true(gt_making_file(making, &covered).len > 0);
    assert_int_equal(covered, before);
    gt_making_free(making);
}

/* Reading computes states, and keeps them, in the middle of it. */
static void it_may_be_read_meanwhile(void **state) {
    fixture *f = *state;
    uint8_t before[GT_HASH_SIZE], after[GT_HASH_SIZE];
    uint64_t covered;
    test_site_sync(&f->a);
    gt_making *making = begin(&f->a);
    bool done = false;
    for (int i = 0; i < 20; i++) assert_int_equal(gt_making_step(making, 256, &done, NULL), GOAT_OK);
    assert_false(done);
    test_site_digest(&f->a, before);
    finish(making, 256);
    gt_bytes file = gt_making_file(making, &covered);
    test_site_store_checkpoint(&f->a, file, covered);
    gt_making_free(making);
    test_site_close(&f->a);
    test_site_open(&f->a, 0);
    assert_int_equal(gt_repo_uncovered(f->a.repo), 0);
    test_site_digest(&f->a, after);
    assert_memory_equal(before, after, sizeof before);
}

/* Counted, not timed. */
static void opening_takes_it_in_piece_by_piece(void **state) {
    fixture *f = *state;
    enum { BYTES = 3 << 20 };
    char *text = malloc(BYTES + 16);
    memset(text, 'x', BYTES + 16);
    memcpy(text, "{text: '", 8);
    memcpy(text + BYTES, "'}", 3);
    test_site_edit(&f->a, "large", "goat", 1, text);
    test_site_edit(&f->a, "large", "goat", 1, "{votes: 1}"); /* its state is in the checkpoint */
    free(text);
    uint8_t digest[GT_HASH_SIZE];
    test_site_digest(&f->a, digest);
    test_site_checkpoint(&f->a);
    test_site_close(&f->a);
    test_site_open(&f->a, 0);
    assert_int_equal(gt_repo_uncovered(f->a.repo), 0);
    assert_true(f->a.steps >= BYTES / (1 << 20) * 4);
}

static void each_allocation_of_it_may_fail(void **state) {
    fixture *f = *state;
    for (uint64_t k = 0;; k++) {
        gt_making *making = NULL;
        bool done = false;
        f->a.memory.failed = false;
        f->a.memory.left = k;
        goat_status status = gt_making_new(f->a.repo, &making, NULL);
        while (status == GOAT_OK && !done) status = gt_making_step(making, 500, &done, NULL);
        gt_making_free(making);
        f->a.memory.left = TEST_ALLOC_NEVER;
        if (!f->a.memory.failed) break;
        assert_int_equal(status, GOAT_NO_MEMORY);
    }
    f->a.memory.failed = false;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(any_size_of_piece_makes_the_same_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_changes_meanwhile_overtakes_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_made_whole_stays_good, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_may_be_read_meanwhile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opening_takes_it_in_piece_by_piece, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_allocation_of_it_may_fail, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
