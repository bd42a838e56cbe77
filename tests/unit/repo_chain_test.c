/* core/repo: the chain of each session's batches, and the snapshots that keep reading cheap. */
#include "support/test.h"

#include "support/test_pair.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

typedef test_pair fixture;

static int set_up(void **state) {
    test_pair_set_up(state);
    fixture *f = *state;
    test_writer_free(&f->other);
    test_writer_init(&f->other, &f->network, 2, test_goat_1); /* the same key at another place */
    return 0;
}

/* ---- chains ---- */

/* A decoded frame of a site's log. */
typedef struct looked_at {
    gt_arena arena;
    gt_batch batch;
} looked_at;

static bool next_batch(fixture *f, test_site *site, looked_at *out) {
    gt_bytes frame = test_site_next_frame(site);
    if (frame.data == NULL) return false;
    gt_arena_init(&out->arena, &gt_alloc_system);
    assert_int_equal(gt_batch_decode(frame, &out->arena, &out->batch, NULL), GOAT_OK);
    assert_int_equal(gt_batch_hash(f->network.hasher, &f->network.place, &out->batch, NULL), GOAT_OK);
    return true;
}

static void three_hundred_batches_have_seq_prev_and_skip(void **state) {
    fixture *f = *state;
    enum { COUNT = 300 };
    static gt_id ids[COUNT + 1];
    looked_at found;
    for (int i = 0; i < COUNT; i++) test_site_edit(&f->a, i % 3 == 0 ? "x" : "y", "goat", 1, "{votes: 1}");
    for (uint64_t seq = 1; seq <= COUNT; seq++) {
        assert_true(next_batch(f, &f->a, &found));
        ids[seq] = found.batch.id;
        assert_int_equal(found.batch.seq, seq);
        assert_int_equal(found.batch.prev.count, seq > 1);
        if (seq > 1) assert_memory_equal(gt_ids_at(found.batch.prev, 0)->bytes, ids[seq - 1].bytes, GT_ID_SIZE);
        uint64_t rung = seq & (seq - 1);
        assert_int_equal(found.batch.skip != NULL, seq % 2 == 0 && rung != 0);
        if (found.batch.skip != NULL) assert_memory_equal(found.batch.skip->bytes, ids[rung].bytes, GT_ID_SIZE);
        gt_arena_free(&found.arena);
    }
    f->a.frame_offset = GT_LOG_HEADER_SIZE;
    test_site_send_new(&f->a, &f->b);
    test_sites_equal(&f->a, &f->b);
    assert_int_equal(test_site_audit(&f->b, NULL), 0);
}

static void a_wrong_place_in_the_chain_is_refused(void **state) {
    fixture *f = *state;
    for (uint32_t i = 0; i < 5; i++) {
        test_site_admits(&f->a, test_writer_commit(&f->writer, "x", 1, NULL, "{votes: 1}", NULL), GT_ADMITTED);
    }
    gt_id four = f->writer.batches[4];
    f->writer.batches[4] = f->writer.batches[2]; /* seq 6 skips to 4 */
    test_site_refuses(&f->a, test_writer_commit(&f->writer, "x", 1, NULL, "{votes: 1}", NULL), GOAT_UNTRUSTED, "skip");
    f->writer.batches[4] = four;
    f->writer.seq = 6; /* seq 7 behind 5 */
    f->writer.batches[6] = f->writer.batches[5];
    test_site_refuses(&f->a, test_writer_commit(&f->writer, "x", 1, NULL, "{votes: 1}", NULL), GOAT_UNTRUSTED, "seq");
    f->writer.seq = 5;
    test_writer stranger;
    test_writer_init(&stranger, &f->network, 3, test_goat_1);
    test_site_admits(&f->a, test_writer_commit(&stranger, "x", 1, NULL, "{votes: 1}", NULL), GT_ADMITTED);
    stranger.batches[1] = f->writer.batches[1];
    test_site_refuses(&f->a, test_writer_commit(&stranger, "x", 1, NULL, "{votes: 1}", NULL), GOAT_UNTRUSTED,
                      "another session");
    test_writer_free(&stranger);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "x", 1, NULL, "{votes: 1}", NULL), GT_ADMITTED);
}

/* One key that writes from two places makes two tips; its next batch there names both. */
static void two_tips_are_joined_by_the_next_batch(void **state) {
    fixture *f = *state;
    test_site twin;
    test_site_init(&twin, &f->network, 0, 9, 0);
    test_site_learn(&twin, test_goat_1);
    test_site_open(&twin, 0);
    for (int i = 0; i < 3; i++) test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    test_site_send_new(&f->a, &twin);
    for (int i = 0; i < 5; i++) test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    for (int i = 0; i < 4; i++) test_site_edit(&twin, "y", "goat", 1, "{votes: 1}");
    twin.frame_offset = GT_LOG_HEADER_SIZE;
    test_site_send_new(&twin, &f->a);
    looked_at found = {.batch = {.seq = 0}};
    while (next_batch(f, &f->a, &found)) gt_arena_free(&found.arena);
    test_site_edit(&f->a, "z", "goat", 1, "{votes: 1}");
    assert_true(next_batch(f, &f->a, &found));
    assert_int_equal(found.batch.prev.count, 2);
    assert_int_equal(found.batch.seq, 9);
    gt_arena_free(&found.arena);
    for (int i = 0; i < 20; i++) test_site_edit(&f->a, "z", "goat", 1, "{votes: 1}");
    f->a.frame_offset = GT_LOG_HEADER_SIZE;
    test_site_send_new(&f->a, &f->b);
    test_site_send_new(&f->b, &twin);
    test_sites_equal(&f->a, &f->b);
    test_sites_equal(&f->a, &twin);
    assert_int_equal(gt_repo_parked_count(f->b.repo), 0);
    assert_int_equal(test_site_audit(&f->b, NULL), 0);
    test_site_free(&twin);
}

/* Spoils the payload of record `number`, counted from 0. */
static void spoil_record(test_site *site, int number) {
    gt_record record;
    uint64_t offset = GT_LOG_HEADER_SIZE;
    test_site_sync(site);
    for (int i = 0; i <= number; i++) {
        assert_int_equal(gt_log_next(gt_repo_log(site->repo), &offset, false, &record), GOAT_OK);
    }
    gt_sim_flip_bit(site->disk, TEST_REPO_LOG, (record.offset + record.payload.len / 2) * 8);
}

/* For each place of the gap: the session goes on, whoever has what was lost accepts it, and the lost record heals the
 * gap when it comes back. */
static void a_damaged_record_leaves_a_gap_over_which_the_chain_goes_on(void **state) {
    fixture *f = *state;
    for (int gap = 0; gap < 18; gap++) {
        test_site one, whole;
        test_site_init(&one, &f->network, 0, (uint64_t)gap, 0);
        test_site_init(&whole, &f->network, 1, 50, 0);
        test_site_learn(&one, test_goat_1);
        test_site_learn(&whole, test_goat_1);
        test_site_open(&one, 0);
        test_site_open(&whole, 0);
        char key[16];
        for (int i = 0; i < 18; i++) {
            snprintf(key, sizeof key, "k%d", i);
            test_site_edit(&one, key, "goat", 1, "{votes: 1}");
        }
        test_site_send_new(&one, &whole);
        spoil_record(&one, gap);
        test_site_close(&one);
        test_site_open(&one, 0);
        assert_int_equal(gt_repo_entry_count(one.repo), 17);
        assert_int_equal(gt_repo_faults(one.repo), 0);
        assert_true(test_site_audit(&one, NULL) >= 1);
        one.frame_offset = gt_log_length(gt_repo_log(one.repo)); /* a damaged end was cut */
        for (int i = 0; i < 40; i++) test_site_edit(&one, i % 2 == 0 ? "new" : "newer", "goat", 1, "{votes: 1}");
        test_site_send_new(&one, &whole);
        assert_int_equal(gt_repo_parked_count(whole.repo), 0);
        assert_int_equal(gt_repo_entry_count(whole.repo), 58);
        assert_int_equal(test_site_audit(&whole, NULL), 0);
        whole.frame_offset = GT_LOG_HEADER_SIZE;
        test_site_send_new(&whole, &one);
        assert_int_equal(gt_repo_entry_count(one.repo), 58);
        test_sites_equal(&one, &whole);
        test_site_close(&one);
        test_site_open(&one, TEST_SITE_NO_CHECKPOINT);
        test_sites_equal(&one, &whole);
        test_site_free(&one);
        test_site_free(&whole);
    }
}

/* Of another session: its batches go on to be taken in behind a gap that only we have. */
static void a_gap_in_a_peers_chain_does_not_stop_it(void **state) {
    fixture *f = *state;
    for (int gap = 0; gap < 14; gap++) {
        test_site site;
        test_writer writer;
        test_site_init(&site, &f->network, 0, 5, 0);
        test_site_learn(&site, test_goat_1);
        test_site_open(&site, 0);
        test_writer_init(&writer, &f->network, 2, test_goat_1);
        for (uint32_t i = 0; i < 15; i++) {
            test_site_admits(&site, test_writer_commit(&writer, "x", i + 1, NULL, "{votes: 1}", NULL), GT_ADMITTED);
        }
        spoil_record(&site, gap);
        test_site_close(&site);
        test_site_open(&site, 0);
        for (uint32_t i = 0; i < 40; i++) {
            test_site_admits(&site, test_writer_commit(&writer, "y", i + 1, NULL, "{votes: 1}", NULL), GT_ADMITTED);
        }
        test_site_shows(&site, "y", "{votes: 40}");
        test_writer_free(&writer);
        test_site_free(&site);
    }
}

static void what_stands_on_a_lost_commit_waits_for_it(void **state) {
    fixture *f = *state;
    for (int i = 0; i < 6; i++) test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    test_site_edit(&f->a, "y", "goat", 1, "{votes: 1}");
    test_site_send_new(&f->a, &f->b);
    spoil_record(&f->a, 2);
    test_site_close(&f->a);
    test_site_open(&f->a, 0);
    test_site_shows(&f->a, "x", "{votes: 2}");
    test_site_shows(&f->a, "y", "{votes: 1}");
    assert_int_equal(gt_repo_parked_count(f->a.repo), 3);
    f->b.frame_offset = GT_LOG_HEADER_SIZE;
    test_site_send_new(&f->b, &f->a); /* the rest of them is in the log twice now, which is no harm */
    test_site_shows(&f->a, "x", "{votes: 6}");
    assert_int_equal(gt_repo_parked_count(f->a.repo), 0);
    test_sites_equal(&f->a, &f->b);
    test_site_close(&f->a);
    test_site_open(&f->a, TEST_SITE_NO_CHECKPOINT);
    test_sites_equal(&f->a, &f->b);
}

/* ---- snapshots ---- */

static void edit_text(test_site *site, uint32_t number, int field) {
    char notation[600];
    size_t len =
        (size_t)snprintf(notation, sizeof notation, "{%s: '%u ", field == 0 ? "text" : "list", (unsigned)number);
    if (field == 1) len = (size_t)snprintf(notation, sizeof notation, "{list: ['%u ", (unsigned)number);
    for (int i = 0; i < 300; i++) notation[len++] = (char)('a' + i % 26);
    snprintf(notation + len, sizeof notation - len, field == 1 ? "']}" : "'}");
    test_site_edit(site, "x", "goat", 1, notation);
}

/* Whatever is read anew goes through at most about twice the state's bytes. */
static void a_snapshot_is_written_when_due_and_bounds_what_is_read(void **state) {
    fixture *f = *state;
    looked_at found;
    size_t since = 0, most_over = 0, fulls = 0, total = 0;
    gt_id last = {{0}};
    for (uint32_t i = 0; i < 400; i++) edit_text(&f->a, i, (int)(i % 2));
    while (next_batch(f, &f->a, &found)) {
        const gt_commit *commit = &found.batch.nodes[0].commit;
        since = commit->full.data != NULL ? commit->full.len : since;
        since += commit->delta.len;
        fulls += commit->full.data != NULL;
        total += commit->delta.len + commit->full.len;
        most_over = since > most_over ? since : most_over;
        last = found.batch.nodes[0].hash;
        gt_arena_free(&found.arena);
    }
    assert_true(fulls > 50 && fulls < 250);
    assert_true(most_over < 3 * 640); /* a state of 640 bytes, and twice that with the delta that made it due */
    assert_true(total < 400 * 640 * 2);
    f->a.frame_offset = GT_LOG_HEADER_SIZE;
    test_site_send_new(&f->a, &f->b);
    uint64_t work = gt_repo_work(f->b.repo);
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    assert_int_equal(gt_repo_view_at(f->b.repo, 0, &last, 1, &out, NULL), GOAT_OK);
    assert_true(gt_repo_work(f->b.repo) - work < 30); /* a few commits, not 400 */
    gt_buf_free(&out);
    test_sites_equal(&f->a, &f->b);
    assert_int_equal(test_site_audit(&f->b, NULL), 0);
}

static void a_wrong_snapshot_is_refused_from_a_peer(void **state) {
    fixture *f = *state;
    gt_id id, next;
    test_site_admits(&f->a, test_writer_commit(&f->writer, "x", 1, NULL, "{text: 'a', votes: 1}", &id), GT_ADMITTED);
    test_writer_leaf(&f->writer, "x", 2, &id, 1, "{votes: 1}", "{text: 'forged', votes: 1}");
    test_site_refuses(&f->a, test_writer_finish(&f->writer), GOAT_INVALID, "snapshot");
    f->writer.seq--;
    next = test_writer_leaf(&f->writer, "x", 2, &id, 1, "{votes: 1}", "{text: 'a', votes: 1}");
    test_site_admits(&f->a, test_writer_finish(&f->writer), GT_ADMITTED);
    test_site_shows(&f->a, "x", "{text: 'a', votes: 2}");
    test_writer_leaf(&f->writer, "x", 3, &id, 1, "{votes: 5}", "{text: 'forged', votes: 1}"); /* beside it */
    test_site_refuses(&f->a, test_writer_finish(&f->writer), GOAT_INVALID, "snapshot");
    f->writer.seq--;
    gt_id both[2] = {next};
    both[1] = test_writer_leaf(&f->writer, "x", 3, &id, 1, "{votes: 5}", NULL);
    test_site_admits(&f->a, test_writer_finish(&f->writer), GT_ADMITTED);
    test_writer_leaf(&f->writer, "x", 4, both, 2, "{votes: 1}", "{text: 'a', votes: 8}");
    test_site_refuses(&f->a, test_writer_finish(&f->writer), GOAT_INVALID, "snapshot");
    f->writer.seq--;
    test_writer_leaf(&f->writer, "x", 4, both, 2, "{votes: 1}", "{text: 'a', votes: 7}");
    test_site_admits(&f->a, test_writer_finish(&f->writer), GT_ADMITTED);
    test_site_shows(&f->a, "x", "{text: 'a', votes: 8}");
    assert_int_equal(test_site_audit(&f->a, NULL), 0);
}

/* It came while nobody could read it, so it is in the log: no view uses it, and verify names it. */
static void a_wrong_snapshot_that_was_carried_is_not_used(void **state) {
    fixture *f = *state;
    gt_id id;
    test_site stranger;
    test_site_init(&stranger, &f->network, 4, 8, 0);
    test_site_open(&stranger, 0);
    test_site_admits(&stranger, test_writer_commit(&f->writer, "x", 1, NULL, "{text: 'a', votes: 1}", &id),
                     GT_ADMITTED);
    id = test_writer_leaf(&f->writer, "x", 2, &id, 1, "{votes: 1}", "{text: 'forged', votes: 1}");
    test_site_admits(&stranger, test_writer_finish(&f->writer), GT_ADMITTED);
    test_site_admits(&stranger, test_writer_commit(&f->writer, "x", 3, &id, "{votes: 1}", &id), GT_ADMITTED);
    test_site_learn(&stranger, test_goat_1);
    test_site_shows(&stranger, "x", "{text: 'a', votes: 3}");
    for (int round = 0; round < 3; round++) {
        gt_buf kinds, out;
        gt_buf_init(&kinds, &gt_alloc_system);
        gt_buf_init(&out, &gt_alloc_system);
        assert_int_equal(test_site_audit(&stranger, &kinds), 1);
        assert_string_equal((const char *)kinds.data, "full ");
        assert_int_equal(gt_repo_view_at(stranger.repo, 0, &id, 1, &out, NULL), GOAT_OK);
        assert_value(gt_buf_bytes(&out), "{text: 'a', votes: 3}");
        if (round == 1) test_site_checkpoint(&stranger);
        test_site_close(&stranger);
        test_site_open(&stranger, 0);
        test_site_shows(&stranger, "x", "{text: 'a', votes: 3}");
        gt_buf_free(&kinds);
        gt_buf_free(&out);
    }
    test_site_free(&stranger);
}

/* The way to a rung leads over what is not known here, and nor is the rung: that is no fault of the batch. */
static void a_long_gap_in_a_peers_chain_is_waited_for(void **state) {
    fixture *f = *state;
    enum { KEPT = 15, ALL = 40 };
    test_frames frames = {0};
    test_writer writer;
    test_writer_init(&writer, &f->network, 2, test_goat_1);
    for (uint32_t i = 0; i < ALL; i++) {
        test_frames_add(&frames, test_writer_commit(&writer, "x", i + 1, NULL, "{votes: 1}", NULL));
    }
    for (int gap = 0; gap < KEPT * KEPT; gap++) {
        int first = gap / KEPT, last = gap % KEPT;
        if (last < first) continue;
        test_site site;
        gt_admission outcome;
        test_site_init(&site, &f->network, 0, 5, 0);
        test_site_learn(&site, test_goat_1);
        test_site_open(&site, 0);
        for (size_t i = 0; i < KEPT; i++) test_site_admits(&site, test_frames_at(&frames, i), GT_ADMITTED);
        for (int i = first; i <= last; i++) spoil_record(&site, i);
        test_site_close(&site);
        test_site_open(&site, 0);
        for (size_t i = KEPT; i < ALL; i++) {
            assert_int_equal(test_site_admit(&site, test_frames_at(&frames, i), &outcome, NULL), GOAT_OK);
        }
        for (int i = first; i <= last; i++) {
            assert_int_equal(test_site_admit(&site, test_frames_at(&frames, (size_t)i), &outcome, NULL), GOAT_OK);
        }
        assert_int_equal(gt_repo_parked_count(site.repo), 0);
        test_site_shows(&site, "x", "{votes: 40}");
        test_site_free(&site);
    }
    test_frames_free(&frames);
    test_writer_free(&writer);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, test_pair_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(three_hundred_batches_have_seq_prev_and_skip),
        CASE(a_wrong_place_in_the_chain_is_refused),
        CASE(two_tips_are_joined_by_the_next_batch),
        CASE(a_damaged_record_leaves_a_gap_over_which_the_chain_goes_on),
        CASE(a_gap_in_a_peers_chain_does_not_stop_it),
        CASE(a_long_gap_in_a_peers_chain_is_waited_for),
        CASE(what_stands_on_a_lost_commit_waits_for_it),
        CASE(a_snapshot_is_written_when_due_and_bounds_what_is_read),
        CASE(a_wrong_snapshot_is_refused_from_a_peer),
        CASE(a_wrong_snapshot_that_was_carried_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
