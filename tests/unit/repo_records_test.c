/* core/repo: records and entries by their place in the log, for those who walk them; batches in parts. */
#include "support/test.h"

#include "support/test_pair.h"
#include "support/test_value.h"

#include <stdio.h>
#include <stdlib.h>

typedef test_pair fixture;

/* The frames of the records are those of the log, in order. */
static void records_are_those_of_the_log(test_site *site) {
    uint32_t row = 0;
    uint64_t begin = site->frame_offset;
    site->frame_offset = GT_LOG_HEADER_SIZE;
    for (gt_bytes frame; (frame = test_site_next_frame(site)).data != NULL;) {
        gt_held held = {0};
        while (row < gt_repo_record_count(site->repo)) {
            gt_repo_held(site->repo, row++, &held);
            if (held.frame.data != NULL) break;
        }
        assert_ptr_equal(held.frame.data, frame.data);
        assert_int_equal(held.frame.len, frame.len);
    }
    for (; row < gt_repo_record_count(site->repo); row++) {
        gt_held held;
        gt_repo_held(site->repo, row, &held);
        assert_null(held.frame.data);
    }
    site->frame_offset = begin;
}

static gt_held held_of(test_site *site, uint32_t row) {
    gt_held held;
    gt_repo_held(site->repo, row, &held);
    return held;
}

/* Four leaves that come as 2, 1 and 1. */
static void in_parts(fixture *f, gt_buf parts[3], gt_id ids[4]) {
    for (uint32_t i = 0; i < 4; i++) {
        char key[8];
        snprintf(key, sizeof key, "i%u", (unsigned)i);
        ids[i] = test_writer_leaf(&f->writer, key, i + 1, NULL, 0, "{votes: 1}", NULL);
    }
    gt_bytes frame = test_writer_finish(&f->writer);
    test_writer_elide(&f->writer, frame, "0110", GT_NODE_HAD, &parts[0]);
    test_writer_elide(&f->writer, frame, "0001", GT_NODE_HAD, &parts[1]);
    test_writer_elide(&f->writer, frame, "1000", GT_NODE_HAD, &parts[2]);
}

static void look_at_parts(fixture *f, const gt_id ids[4]) {
    const gt_id *batch = &f->writer.batches[1];
    assert_int_equal(gt_repo_record_count(f->a.repo), 4);
    records_are_those_of_the_log(&f->a);
    assert_int_equal(gt_repo_find_record(f->a.repo, batch), 0);
    for (int i = 0; i < 4; i++) assert_int_equal(gt_repo_find_record(f->a.repo, &ids[i]), 0);
    assert_int_equal(gt_repo_next_record(f->a.repo, 0), 2); /* another batch stands between */
    assert_int_equal(gt_repo_next_record(f->a.repo, 2), 3);
    assert_int_equal(gt_repo_next_record(f->a.repo, 3), GT_NONE);
    assert_int_equal(gt_repo_next_record(f->a.repo, 1), GT_NONE);
    for (uint32_t row = 0; row < 4; row++) {
        gt_held held = held_of(&f->a, row);
        assert_int_equal(held.whole, row < 2);
        assert_int_equal(gt_id_compare(&held.batch, batch) == 0, row != 1);
    }
    gt_id nobody = {{7}};
    assert_int_equal(gt_repo_find_record(f->a.repo, &nobody), GT_NONE);
}

static void a_batch_in_parts_has_a_row_for_each_and_is_whole_at_the_first(void **state) {
    fixture *f = *state;
    gt_buf parts[3];
    gt_id ids[4];
    in_parts(f, parts, ids);
    test_site_admits(&f->a, gt_buf_bytes(&parts[0]), GT_ADMITTED);
    test_site_edit(&f->a, "own", "goat", 1, "{votes: 1}");
    assert_false(held_of(&f->a, 0).whole);
    test_site_admits(&f->a, gt_buf_bytes(&parts[1]), GT_ADMITTED);
    assert_false(held_of(&f->a, 0).whole);
    test_site_admits(&f->a, gt_buf_bytes(&parts[2]), GT_ADMITTED);
    look_at_parts(f, ids);
    test_site_close(&f->a); /* from the log alone, then from a checkpoint */
    test_site_open(&f->a, TEST_SITE_NO_CHECKPOINT);
    look_at_parts(f, ids);
    test_site_checkpoint(&f->a);
    test_site_close(&f->a);
    test_site_open(&f->a, 0);
    assert_int_equal(gt_repo_uncovered(f->a.repo), 0);
    look_at_parts(f, ids);
    assert_int_equal(test_site_audit(&f->a, NULL), 0);
    for (int i = 0; i < 3; i++) gt_buf_free(&parts[i]);
}

static void entries_are_in_the_order_of_admission(void **state) {
    fixture *f = *state;
    gt_buf parts[3];
    gt_id ids[4];
    static const uint32_t order[] = {1, 2, 3, 0};
    in_parts(f, parts, ids);
    for (int i = 0; i < 3; i++) test_site_admits(&f->a, gt_buf_bytes(&parts[i]), GT_ADMITTED);
    assert_int_equal(gt_repo_commit_count(f->a.repo), 4);
    for (uint32_t i = 0; i < 4; i++) {
        gt_id batch;
        uint32_t leaf;
        gt_repo_entry(f->a.repo, i, &batch, &leaf);
        assert_memory_equal(&batch, &f->writer.batches[1], sizeof batch);
        assert_int_equal(leaf, order[i]);
    }
    for (int i = 0; i < 3; i++) gt_buf_free(&parts[i]);
}

/* In steps of one; how many they were. */
static uint32_t freeze(test_site *site, uint32_t commits, uint8_t digest[GT_HASH_SIZE]) {
    gt_frozen frozen = {.commits = commits};
    uint32_t steps = 1;
    while (!gt_repo_freeze_step(site->repo, &frozen, 1)) steps++;
    assert_int_equal(frozen.count, commits);
    gt_lthash_digest(site->hasher, &frozen.set, digest);
    return steps;
}

static void the_fingerprint_of_a_beginning_is_what_it_was_then(void **state) {
    fixture *f = *state;
    enum { COUNT = 20 };
    uint8_t digests[COUNT][GT_HASH_SIZE], digest[GT_HASH_SIZE];
    for (uint32_t i = 0; i < COUNT; i++) {
        while (!gt_repo_fingerprint_step(f->a.repo, 1)) {
        }
        gt_repo_fingerprint(f->a.repo, digests[i]);
        test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    }
    assert_int_equal(freeze(&f->a, COUNT - 1, digest), 1); /* as far as it is counted */
    assert_memory_equal(digest, digests[COUNT - 1], sizeof digest);
    assert_int_equal(freeze(&f->a, COUNT, digest), 2); /* one more has to be counted first */
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_in_range(freeze(&f->a, i, digest), COUNT - i,
                        COUNT - i + 1); /* what came since is taken out one by one */
        assert_memory_equal(digest, digests[i], sizeof digest);
    }
}

static void a_checked_batch_is_admitted_and_what_waited_for_it(void **state) {
    fixture *f = *state;
    gt_arena arena;
    gt_batch batch;
    gt_admission outcome;
    test_frames frames = {0};
    gt_id id;
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 1, NULL, "{votes: 1}", &id));
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 2, &id, "{votes: 1}", NULL));
    static const gt_admission outcomes[] = {GT_ADMITTED, GT_PARKED};
    for (size_t i = 2; i-- > 0;) {
        gt_arena_init(&arena, &gt_alloc_system);
        assert_int_equal(gt_batch_decode(test_frames_at(&frames, i), &arena, &batch, NULL), GOAT_OK);
        assert_int_equal(gt_batch_hash(f->network.hasher, &f->network.place, &batch, NULL), GOAT_OK);
        assert_int_equal(gt_repo_admit_batch(f->a.repo, &batch, &outcome, NULL), GOAT_OK);
        assert_int_equal(outcome, outcomes[i]);
        if (i == 0) assert_int_equal(gt_repo_admit_batch(f->a.repo, &batch, &outcome, NULL), GOAT_OK);
        gt_arena_free(&arena);
    }
    assert_int_equal(outcome, GT_KNOWN);
    assert_int_equal(gt_repo_entry_count(f->a.repo), 2);
    test_site_shows(&f->a, "x", "{votes: 2}");
    test_frames_free(&frames);
}

static void who_watches_the_log_is_told_of_each_record(void **state) {
    fixture *f = *state;
    gt_id id;
    test_frames frames = {0};
    test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    assert_int_equal(f->a.logged, 1);
    test_frames_add(&frames, test_writer_commit(&f->writer, "y", 1, NULL, "{votes: 1}", &id));
    test_frames_add(&frames, test_writer_commit(&f->writer, "y", 2, &id, "{votes: 1}", NULL));
    test_site_admits(&f->a, test_frames_at(&frames, 1), GT_PARKED);
    assert_int_equal(f->a.logged, 1);
    test_site_admits(&f->a, test_frames_at(&frames, 0), GT_ADMITTED); /* and the other one */
    assert_int_equal(f->a.logged, 3);
    test_site_admits(&f->a, test_frames_at(&frames, 0), GT_KNOWN);
    assert_int_equal(f->a.logged, 3);
    test_site_close(&f->a);
    test_site_open(&f->a, TEST_SITE_NO_CHECKPOINT); /* what is read was there */
    assert_int_equal(f->a.logged, 3);
    test_frames_free(&frames);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PAIR_CASE(a_batch_in_parts_has_a_row_for_each_and_is_whole_at_the_first),
        PAIR_CASE(entries_are_in_the_order_of_admission),
        PAIR_CASE(the_fingerprint_of_a_beginning_is_what_it_was_then),
        PAIR_CASE(a_checked_batch_is_admitted_and_what_waited_for_it),
        PAIR_CASE(who_watches_the_log_is_told_of_each_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
