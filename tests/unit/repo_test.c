/* core/repo: the graph of commits, admission, and views, claim by claim. */
#include "support/test.h"

#include "repo/tables.h"
#include "support/test_pair.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

typedef test_pair fixture;

/* ---- heads ---- */

static void linear_edits_leave_one_head(void **state) {
    fixture *f = *state;
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'one', votes: 1}");
    for (int i = 0; i < 20; i++) test_site_edit(&f->a, "x", "goat", 1, "{votes: 2}");
    assert_int_equal(test_site_head_count(&f->a, "x"), 1);
    test_site_shows(&f->a, "x", "{text: 'one', votes: 41}");
    assert_int_equal(f->a.before, 21);
    assert_int_equal(f->a.after, 21);
    assert_int_equal(f->a.last_origin, GT_FROM_SELF);
    test_site_send_new(&f->a, &f->b);
    assert_int_equal(f->b.last_origin, GT_FROM_PEER);
    test_sites_equal(&f->a, &f->b);
    test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
}

static void concurrent_edits_make_two_heads_and_the_next_edit_joins_them(void **state) {
    fixture *f = *state;
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'one', tags: set[1]}");
    test_site_send_new(&f->a, &f->b);
    test_site_edit(&f->a, "x", "goat", 1, "{tags: set[2]}");
    test_site_edit(&f->b, "x", "goat", 1, "{votes: 7}");
    test_site_send_new(&f->a, &f->b);
    test_site_send_new(&f->b, &f->a);
    assert_int_equal(test_site_head_count(&f->a, "x"), 2);
    test_site_shows(&f->a, "x", "{text: 'one', tags: set[1, 2], votes: 7}");
    test_sites_equal(&f->a, &f->b);
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'two'}");
    assert_int_equal(test_site_head_count(&f->a, "x"), 1);
    test_site_send_new(&f->a, &f->b);
    test_site_shows(&f->b, "x", "{text: 'two', tags: set[1, 2], votes: 7}");
    test_sites_equal(&f->a, &f->b);
    test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
    test_site_reopen(&f->b, TEST_SITE_NO_CHECKPOINT);
}

static void the_view_at_older_heads_is_what_was_seen_there(void **state) {
    fixture *f = *state;
    gt_id first = test_site_edit(&f->a, "x", "goat", 1, "{text: 'one', votes: 1}");
    gt_id second = test_site_edit(&f->a, "x", "goat", 1, "{votes: 2}");
    test_site_edit(&f->a, "x", "goat", 1, "{text: undefined, votes: 4}");
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    assert_int_equal(gt_repo_view_at(f->a.repo, 0, &first, 1, &out, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&out), "{text: 'one', votes: 1}");
    gt_buf_clear(&out);
    assert_int_equal(gt_repo_view_at(f->a.repo, 0, &second, 1, &out, NULL), GOAT_OK);
    assert_value(gt_buf_bytes(&out), "{text: 'one', votes: 3}");
    gt_id nobody = {{0}};
    assert_int_equal(gt_repo_view_at(f->a.repo, 0, &nobody, 1, &out, NULL), GOAT_NOT_FOUND);
    test_site_shows(&f->a, "x", "{votes: 7}");
    gt_buf_free(&out);
}

static void commits_of_an_item_are_listed_latest_first(void **state) {
    fixture *f = *state;
    gt_id ids[10];
    for (int i = 0; i < 10; i++) {
        ids[i] = test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
        test_site_edit(&f->a, "y", "goat", 1, "{votes: 1}");
    }
    gt_buf rows;
    gt_buf_init(&rows, &gt_alloc_system);
    test_site_commits(&f->a, 0, &rows);
    assert_int_equal(rows.len, 10 * sizeof(uint32_t));
    for (int i = 0; i < 10; i++) {
        uint32_t row;
        gt_commit_info info;
        memcpy(&row, rows.data + (size_t)i * sizeof row, sizeof row);
        assert_int_equal(gt_repo_commit_info(f->a.repo, row, &info, NULL), GOAT_OK);
        assert_memory_equal(info.id.bytes, ids[9 - i].bytes, GT_ID_SIZE);
        assert_false(info.is_hidden);
    }
    gt_buf_free(&rows);
}

/* ---- admission ---- */

static void a_parent_of_another_item_is_refused(void **state) {
    fixture *f = *state;
    gt_id id;
    test_site_admits(&f->a, test_writer_commit(&f->writer, "x", 1, NULL, "{votes: 1}", &id), GT_ADMITTED);
    test_site_refuses(&f->a, test_writer_commit(&f->writer, "y", 2, &id, "{votes: 1}", NULL), GOAT_INVALID,
                      "parent is of another item");
    test_site_shows(&f->a, "x", "{votes: 1}");
}

static void a_commit_not_later_than_its_parent_is_refused(void **state) {
    fixture *f = *state;
    gt_id id;
    test_site_admits(&f->a, test_writer_commit(&f->writer, "x", 5, NULL, "{votes: 1}", &id), GT_ADMITTED);
    test_site_refuses(&f->a, test_writer_commit(&f->writer, "x", 5, &id, "{votes: 1}", NULL), GOAT_INVALID,
                      "not later than its parent");
    f->writer.seq--; /* it was never there */
    test_site_admits(&f->a, test_writer_commit(&f->writer, "x", 6, &id, "{votes: 1}", &id), GT_ADMITTED);
    test_writer_leaf(&f->writer, "x", 9, &id, 1, "{votes: 1}", NULL);
    id = test_writer_leaf(&f->writer, "x", 8, &id, 1, "{votes: 1}", NULL);
    test_writer_leaf(&f->writer, "x", 8, &id, 1, "{votes: 1}", NULL);
    test_site_refuses(&f->a, test_writer_finish(&f->writer), GOAT_INVALID, "not later than its parent");
}

/* Writers' times count from here (see test_writer_leaf). */
static gt_time writers_time(uint32_t ms) { return gt_time_of_ms(INT64_C(1700000000000) + ms); }

static void a_commit_ahead_of_the_limit_is_refused(void **state) {
    fixture *f = *state;
    gt_id id;
    f->a.latest = writers_time(1000);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "x", 1000, NULL, "{votes: 1}", &id), GT_ADMITTED);
    test_writer_leaf(&f->writer, "y", 1, NULL, 0, "{votes: 1}", NULL);
    test_writer_leaf(&f->writer, "x", 1001, &id, 1, "{votes: 1}", NULL);
    test_site_refuses(&f->a, test_writer_finish(&f->writer), GOAT_INVALID, "too far ahead");
    f->writer.seq--;
    gt_id nobody = {{7}};
    test_site_refuses(&f->a, test_writer_commit(&f->writer, "x", 1001, &nobody, "{votes: 1}", NULL), GOAT_INVALID,
                      "too far ahead"); /* also while it would wait for its parent */
    f->writer.seq--;
    f->a.latest = writers_time(1001);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "x", 1001, &id, "{votes: 1}", &id), GT_ADMITTED);
}

/* The limit is for what comes; what was taken in is in the log, and edits go on from it. */
static void who_goes_on_from_what_is_known_is_not_ahead(void **state) {
    fixture *f = *state;
    for (uint32_t i = 0; i < 3; i++) test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    gt_sim_set_wall_ms(&f->b.clock, 1);
    test_site_send_new(&f->a, &f->b); /* a's clock is ahead, and nobody limits it */
    f->a.latest = 1;
    for (uint32_t i = 0; i < 100; i++) test_site_edit(&f->b, "y", "goat", 1, "{votes: 1}");
    f->b.frame_offset = GT_LOG_HEADER_SIZE;
    test_site_send_new(&f->b, &f->a);
    test_sites_equal(&f->a, &f->b);
    test_site_close(&f->a);
    test_site_open(&f->a, TEST_SITE_NO_CHECKPOINT);
    test_sites_equal(&f->a, &f->b);
}

static void at_the_end_of_time_an_edit_says_so(void **state) {
    fixture *f = *state;
    gt_capture *capture = NULL;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_sim_set_wall_ms(&f->a.clock, INT64_MAX);
    test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}"); /* the last time that there is */
    gt_bytes delta = test_value("{votes: 1}");
    gt_signer signer = {f->a.own->session, &f->a.own->secret};
    gt_leaf leaf = {.key = gt_bytes_text("y"), .schema = test_site_schema(&f->a, "goat", 1), .delta = delta};
    assert_int_equal(gt_capture_begin(f->a.repo, &capture, NULL), GOAT_OK);
    assert_int_equal(gt_capture_add(capture, &signer, &leaf, NULL, &diag), GOAT_TOO_LARGE);
    assert_non_null(strstr(diag.message, "no time is left"));
    gt_capture_drop(capture);
    test_value_free(delta);
    test_site_send_new(&f->a, &f->b);
    test_sites_equal(&f->a, &f->b);
}

static void a_commit_that_stands_in_two_places_is_refused(void **state) {
    fixture *f = *state;
    gt_id first, second;
    test_site_admits(&f->a, test_writer_commit(&f->writer, "x", 1, NULL, "{votes: 1}", &first), GT_ADMITTED);
    f->writer.salt--; /* the same salt and bytes in another batch; the salt has the seq in it, so that is undone too */
    f->writer.seq--;
    second = test_writer_leaf(&f->writer, "x", 1, NULL, 0, "{votes: 1}", NULL);
    f->writer.seq++;
    assert_memory_equal(first.bytes, second.bytes, GT_ID_SIZE);
    test_site_refuses(&f->a, test_writer_finish(&f->writer), GOAT_INVALID, "two places");
}

static void an_unknown_session_is_refused_and_so_is_a_wrong_signature(void **state) {
    fixture *f = *state;
    gt_bytes frame = test_writer_commit(&f->writer, "x", 1, NULL, "{votes: 1}", NULL);
    uint8_t wrong[4096];
    memcpy(wrong, frame.data, frame.len);
    wrong[4] ^= 1; /* in the session id */
    test_site_refuses(&f->a, gt_bytes_of(wrong, frame.len), GOAT_UNTRUSTED, "nobody knows");
    memcpy(wrong, frame.data, frame.len);
    wrong[frame.len - 3] ^= 1;
    gt_admission outcome;
    assert_int_not_equal(test_site_admit(&f->a, gt_bytes_of(wrong, frame.len), &outcome, NULL), GOAT_OK);
    assert_int_equal(gt_repo_item_count(f->a.repo), 0);
    test_site_admits(&f->a, frame, GT_ADMITTED);
    test_site_admits(&f->a, frame, GT_KNOWN);
}

static void a_frame_waits_for_its_predecessor_and_for_parents(void **state) {
    fixture *f = *state;
    test_frames frames = {0};
    gt_id id;
    for (uint32_t i = 0; i < 40; i++) {
        test_frames_add(&frames, test_writer_commit(&f->writer, "x", i + 1, i == 0 ? NULL : &id, "{votes: 1}", &id));
    }
    gt_bytes theirs = test_writer_commit(&f->other, "x", 100, &id, "{votes: 100}", NULL);
    test_site_admits(&f->a, theirs, GT_PARKED);
    test_site_admits(&f->a, theirs, GT_PARKED); /* once is enough */
    assert_int_equal(gt_repo_parked_count(f->a.repo), 1);
    for (size_t i = frames.count; i-- > 1;) test_site_admits(&f->a, test_frames_at(&frames, i), GT_PARKED);
    assert_int_equal(gt_repo_parked_count(f->a.repo), 40);
    assert_int_equal(gt_repo_entry_count(f->a.repo), 0);
    test_site_admits(&f->a, test_frames_at(&frames, 0), GT_ADMITTED);
    assert_int_equal(gt_repo_parked_count(f->a.repo), 0);
    assert_int_equal(gt_repo_entry_count(f->a.repo), 41);
    test_site_shows(&f->a, "x", "{votes: 140}");
    test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
    test_frames_free(&frames);
}

static void a_transaction_waits_as_a_whole_and_so_does_what_follows_it(void **state) {
    fixture *f = *state;
    gt_id late, y, z;
    gt_bytes first = test_writer_commit(&f->other, "x", 1, NULL, "{votes: 1}", &late);
    test_writer_leaf(&f->writer, "free", 5, NULL, 0, "{votes: 5}", NULL);
    y = test_writer_leaf(&f->writer, "y", 6, NULL, 0, "{votes: 6}", NULL);
    test_writer_leaf(&f->writer, "x", 7, &late, 1, "{votes: 7}", NULL); /* its parent is not there */
    gt_batch_draft_group(&f->writer.draft, 1);
    z = test_writer_leaf(&f->writer, "y", 8, &y, 1, "{votes: 8}", NULL); /* follows the transaction */
    test_writer_leaf(&f->writer, "w", 9, NULL, 0, "{votes: 9}", NULL);
    gt_batch_draft_group(&f->writer.draft, 3); /* … and drags its own with it */
    (void)z;
    gt_bytes frame = test_writer_finish(&f->writer);
    test_site_admits(&f->a, frame, GT_PARKED);
    assert_int_equal(gt_repo_entry_count(f->a.repo), 1);
    test_site_shows(&f->a, "free", "{votes: 5}");
    assert_int_equal(gt_repo_find(f->a.repo, gt_bytes_text("y")), GT_NONE);
    assert_int_equal(gt_repo_find(f->a.repo, gt_bytes_text("w")), GT_NONE);
    test_site_admits(&f->a, first, GT_ADMITTED);
    assert_int_equal(gt_repo_entry_count(f->a.repo), 6);
    test_site_shows(&f->a, "y", "{votes: 14}");
    test_site_shows(&f->a, "x", "{votes: 8}");
    test_site_admits(&f->a, frame, GT_KNOWN);
    assert_int_equal(test_site_audit(&f->a, NULL), 0);
    test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
}

/* Each transaction holds a leaf that another's waiting makes wait, the last ones first. */
static void a_batch_of_transactions_that_drag_each_other_is_decided_in_one_go(void **state) {
    fixture *f = *state;
    enum { GROUPS = 20000 };
    gt_id nobody = {{1}}, *parents = calloc(GROUPS + 1, sizeof *parents);
    char key[16];
    for (uint32_t i = 0; i < GROUPS; i++) { /* leaf i: first of group i; its child stands in group i - 1 */
        snprintf(key, sizeof key, "k%u", (unsigned)i);
        parents[i] = test_writer_leaf(&f->writer, key, 1, NULL, 0, "{}", NULL);
    }
    for (uint32_t i = 1; i < GROUPS; i++) {
        snprintf(key, sizeof key, "k%u", (unsigned)i);
        test_writer_leaf(&f->writer, key, 2, &parents[i], 1, "{}", NULL);
    }
    test_writer_leaf(&f->writer, "last", 2, &nobody, 1, "{}", NULL);
    free(parents);
    /* Groups of two runs are written by nobody here, so the frame's groups are put in by hand. */
    gt_buf groups;
    gt_buf_init(&groups, &gt_alloc_system);
    gt_write_array_head(&groups, GROUPS);
    for (uint32_t i = 0; i < GROUPS; i++) {
        gt_write_array_head(&groups, 4);
        gt_write_int(&groups, i);
        gt_write_int(&groups, 1);
        gt_write_int(&groups, GROUPS + i);
        gt_write_int(&groups, 1);
    }
    gt_bytes plain = test_writer_finish(&f->writer);
    /* [1, session, seq, prev, skip, groups, …]: the groups stand behind 1 + 1 + 34 + 1 + 1 + 1 bytes. */
    gt_buf frame;
    gt_buf_init(&frame, &gt_alloc_system);
    gt_buf_append(&frame, plain.data, 39);
    assert_int_equal(plain.data[39], 0x80);
    gt_buf_append(&frame, groups.data, groups.len);
    gt_buf_append(&frame, plain.data + 40, plain.len - 40);
    gt_arena arena;
    gt_batch batch;
    gt_arena_init(&arena, &gt_alloc_system);
    assert_int_equal(gt_batch_decode(gt_buf_bytes(&frame), &arena, &batch, NULL), GOAT_OK);
    assert_int_equal(gt_batch_hash(f->network.hasher, &f->network.place, &batch, NULL), GOAT_OK);
    gt_buf signed_bytes;
    gt_buf_init(&signed_bytes, &gt_alloc_system);
    gt_batch_signed_bytes(&f->network.place, &batch, &signed_bytes);
    uint8_t signature[GT_SIGNATURE_SIZE];
    gt_sign(&f->writer.own->secret, signed_bytes.data, signed_bytes.len, signature);
    memcpy(frame.data + (batch.signature - frame.data), signature, sizeof signature);
    test_site_admits(&f->a, gt_buf_bytes(&frame), GT_PARKED); /* by rounds this would take minutes */
    assert_int_equal(gt_repo_entry_count(f->a.repo), 0);
    gt_buf_free(&signed_bytes);
    gt_arena_free(&arena);
    gt_buf_free(&frame);
    gt_buf_free(&groups);
}

static void leaves_that_were_left_out_come_later(void **state) {
    fixture *f = *state;
    gt_id ids[4];
    for (uint32_t i = 0; i < 4; i++) {
        char key[8];
        snprintf(key, sizeof key, "i%u", (unsigned)i);
        ids[i] = test_writer_leaf(&f->writer, key, i + 1, NULL, 0, "{votes: 1}", NULL);
    }
    gt_bytes frame = test_writer_finish(&f->writer);
    gt_buf some, others, none;
    test_writer_elide(&f->writer, frame, "0110", GT_NODE_HAD, &some);
    test_writer_elide(&f->writer, frame, "1001", GT_NODE_HIDDEN, &others);
    test_writer_elide(&f->writer, frame, "0000", GT_NODE_HIDDEN, &none);
    test_site_admits(&f->a, gt_buf_bytes(&some), GT_ADMITTED);
    assert_int_equal(gt_repo_entry_count(f->a.repo), 2);
    test_site_admits(&f->a, gt_buf_bytes(&some), GT_KNOWN);
    test_site_admits(&f->a, gt_buf_bytes(&none), GT_KNOWN);
    test_site_admits(&f->a, gt_buf_bytes(&others), GT_ADMITTED);
    assert_int_equal(gt_repo_entry_count(f->a.repo), 4);
    test_site_admits(&f->a, frame, GT_KNOWN);
    test_site_admits(&f->b, frame, GT_ADMITTED);
    test_sites_equal(&f->a, &f->b);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "i3", 9, &ids[3], "{votes: 1}", NULL), GT_ADMITTED);
    test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
    assert_int_equal(test_site_audit(&f->a, NULL), 0);
    gt_buf_free(&some);
    gt_buf_free(&others);
    gt_buf_free(&none);
}

/* Nothing of it may be read here, but the next batch of the session follows it. */
static void a_batch_without_leaves_keeps_the_chain_whole(void **state) {
    fixture *f = *state;
    gt_buf none;
    test_writer_elide(&f->writer, test_writer_commit(&f->writer, "x", 1, NULL, "{votes: 1}", NULL), "0", GT_NODE_HIDDEN,
                      &none);
    test_site_admits(&f->a, gt_buf_bytes(&none), GT_ADMITTED);
    test_site_admits(&f->a, gt_buf_bytes(&none), GT_KNOWN);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "y", 2, NULL, "{votes: 1}", NULL), GT_ADMITTED);
    test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "y2", 3, NULL, "{votes: 1}", NULL), GT_ADMITTED);
    gt_buf_free(&none);
}

/* Batches of 3 MiB from all authors in turn: a session may have 4 MiB waiting, all together 16. */
static void what_waits_is_bounded_and_the_oldest_goes_first(void **state) {
    fixture *f = *state;
    enum { BIG = 3 << 20, ROUNDS = 3 };
    test_writer writers[TEST_AUTHORS];
    test_frames frames = {0};
    char *text = malloc(BIG + 16);
    memset(text, 'x', BIG + 16);
    memcpy(text, "{text: '", 8);
    memcpy(text + BIG, "'}", 3);
    for (uint32_t i = 0; i < TEST_AUTHORS; i++) {
        test_writer_init(&writers[i], &f->network, i, test_goat_1);
        test_writer_commit(&writers[i], "lost", 1, NULL, "{}", NULL);
    }
    for (uint32_t i = 0; i < ROUNDS * TEST_AUTHORS; i++) {
        test_frames_add(&frames, test_writer_commit(&writers[i % TEST_AUTHORS], "a", i + 2, NULL, text, NULL));
    }
    for (size_t i = 0; i < frames.count; i++) {
        test_site_admits(&f->a, test_frames_at(&frames, i), GT_PARKED);
        assert_int_equal(gt_repo_parked_count(f->a.repo), i < 5 ? i + 1 : 5); /* the sixth drops the first */
    }
    assert_true(f->a.memory.live_bytes < 40u << 20);
    test_frames_free(&frames);
    for (uint32_t i = 0; i < TEST_AUTHORS; i++) test_writer_free(&writers[i]);
    free(text);
}

static void one_session_does_not_push_out_what_others_wait_for(void **state) {
    fixture *f = *state;
    enum { BIG = 1 << 20, COUNT = 20 };
    gt_id parent;
    char *text = malloc(BIG + 16);
    memset(text, 'x', BIG + 16);
    memcpy(text, "{text: '", 8);
    memcpy(text + BIG, "'}", 3);
    test_frames frames = {0};
    test_frames_add(&frames, test_writer_commit(&f->other, "mine", 1, NULL, "{votes: 1}", &parent));
    test_site_admits(&f->a, test_writer_commit(&f->other, "mine", 2, &parent, "{votes: 1}", NULL), GT_PARKED);
    test_writer_commit(&f->writer, "lost", 1, NULL, "{}", NULL);
    for (uint32_t i = 0; i < COUNT; i++) {
        test_site_admits(&f->a, test_writer_commit(&f->writer, "a", i + 2, NULL, text, NULL), GT_PARKED);
    }
    assert_int_equal(gt_repo_parked_count(f->a.repo), 1 + 3); /* with what stands around it, three are below 4 MiB */
    test_site_checkpoint(&f->a);
    test_site_close(&f->a);
    test_site_open(&f->a, 0);
    assert_int_equal(gt_repo_parked_count(f->a.repo), 1 + 3);
    test_site_admits(&f->a, test_writer_commit(&f->writer, "a", 50, NULL, text, NULL), GT_PARKED);
    assert_int_equal(gt_repo_parked_count(f->a.repo), 1 + 3); /* the bound came along */
    test_site_admits(&f->a, test_frames_at(&frames, 0), GT_ADMITTED);
    test_site_shows(&f->a, "mine", "{votes: 2}");
    test_frames_free(&frames);
    free(text);
}

/* Batches that all follow one which is not there. */
static void park_many(fixture *f, uint32_t count, gt_bytes *first, test_frames *frames) {
    test_frames_add(frames, test_writer_commit(&f->writer, "x", 1, NULL, "{votes: 1}", NULL));
    *first = test_frames_at(frames, 0);
    for (uint32_t i = 0; i < count; i++) {
        f->writer.seq = 1;
        test_frames_add(frames, test_writer_commit(&f->writer, "y", i + 2, NULL, "{votes: 1}", NULL));
        test_site_admits(&f->a, test_frames_at(frames, frames->count - 1), GT_PARKED);
    }
}

static void what_waited_is_taken_in_a_few_at_a_time(void **state) {
    fixture *f = *state;
    enum { COUNT = 500 };
    test_frames frames = {0};
    gt_bytes first;
    park_many(f, COUNT, &first, &frames);
    uint32_t most = GT_PARKED_RETRY_BYTES / 200; /* none is as small as that */
    for (size_t i = 1; i < 20; i++) test_site_admits(&f->a, test_frames_at(&frames, i), GT_PARKED);
    assert_int_equal(gt_repo_parked_count(f->a.repo), COUNT); /* what came again is no more */
    gt_admission outcome;
    gt_id id;
    assert_int_equal(gt_repo_admit(f->a.repo, first, &outcome, &id, NULL), GOAT_OK);
    uint32_t left = gt_repo_parked_count(f->a.repo);
    assert_in_range(left, COUNT - most, COUNT - 1);
    assert_int_equal(gt_repo_entry_count(f->a.repo), 1 + COUNT - left);
    test_site_checkpoint(&f->a);
    test_site_close(&f->a);
    test_site_open(&f->a, 0);
    assert_int_equal(gt_repo_parked_count(f->a.repo), left); /* they come along */
    for (bool more = true; more;) {
        more = gt_repo_step(f->a.repo);
        uint32_t now = gt_repo_parked_count(f->a.repo);
        assert_in_range(now, left > most ? left - most : 0, left - 1);
        assert_int_equal(more, now > 0);
        left = now;
    }
    assert_int_equal(gt_repo_entry_count(f->a.repo), 1 + COUNT);
    assert_int_equal(test_site_audit(&f->a, NULL), 0);
    test_frames_free(&frames);
}

/* A checkpoint may be anybody's. */
static void what_waits_is_verified_once_unless_it_comes_from_a_checkpoint(void **state) {
    fixture *f = *state;
    for (int from_checkpoint = 0; from_checkpoint < 2; from_checkpoint++) {
        gt_id parent;
        test_frames frames = {0};
        const char *key = from_checkpoint == 0 ? "x" : "y";
        uint64_t entries = gt_repo_entry_count(f->a.repo);
        test_frames_add(&frames, test_writer_commit(&f->other, key, 1, NULL, "{votes: 1}", &parent));
        test_site_admits(&f->a, test_writer_commit(&f->writer, key, 2, &parent, "{votes: 1}", NULL), GT_PARKED);
        if (from_checkpoint == 1) {
            test_site_checkpoint(&f->a);
            test_site_close(&f->a);
            test_site_open(&f->a, 0);
            assert_int_equal(gt_repo_parked_count(f->a.repo), 1);
        }
        gt_arena arena;
        gt_batch batch;
        gt_admission outcome;
        gt_arena_init(&arena, &gt_alloc_system);
        assert_int_equal(gt_batch_decode(test_frames_at(&frames, 0), &arena, &batch, NULL), GOAT_OK);
        assert_int_equal(gt_batch_hash(f->network.hasher, &f->network.place, &batch, NULL), GOAT_OK);
        f->a.wrong_keys = true; /* whatever is verified now is refused */
        assert_int_equal(gt_repo_admit_batch(f->a.repo, &batch, &outcome, NULL), GOAT_OK);
        f->a.wrong_keys = false;
        assert_int_equal(gt_repo_entry_count(f->a.repo) - entries, from_checkpoint == 0 ? 2 : 1);
        assert_int_equal(gt_repo_parked_count(f->a.repo), 0);
        gt_arena_free(&arena);
        test_frames_free(&frames);
    }
}

static void what_is_too_large_to_wait_is_no_fault(void **state) {
    fixture *f = *state;
    gt_id id = {{7}};
    enum { BIG = 9 << 20 };
    char *text = malloc(BIG + 16);
    memset(text, 'x', BIG + 16);
    memcpy(text, "{text: '", 8);
    memcpy(text + BIG, "'}", 3);
    f->writer.batches[1] = id; /* which is not there */
    f->writer.seq = 1;
    test_writer_leaf(&f->writer, "x", 2, NULL, 0, text, NULL);
    test_writer_leaf(&f->writer, "y", 2, NULL, 0, text, NULL);
    test_site_refuses(&f->a, test_writer_finish(&f->writer), GOAT_BUSY, "too large to be kept");
    free(text);
}

/* ---- content that a peer should not have signed ---- */

static void an_edit_that_does_not_fit_its_field_is_refused_from_a_peer(void **state) {
    fixture *f = *state;
    static const char *const wrong[] = {"{text: 7}", "{votes: 'a'}", "{tags: 'a'}", "{nobody: 1}", "{map: set[1]}"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        test_site_refuses(&f->a, test_writer_commit(&f->writer, "x", 1, NULL, wrong[i], NULL), GOAT_INVALID, "");
        f->writer.seq--;
    }
    test_writer_leaf(&f->writer, "good", 1, NULL, 0, "{text: 'good'}", NULL); /* all or nothing */
    test_writer_leaf(&f->writer, "bad", 1, NULL, 0, "{text: 1}", NULL);
    test_site_refuses(&f->a, test_writer_finish(&f->writer), GOAT_INVALID, "");
}

/* It was carried while nobody knew the schema; with it, exactly the wrong edit is left out. */
static void a_wrong_edit_that_was_carried_is_left_out_of_views(void **state) {
    fixture *f = *state;
    gt_id id;
    test_site_free(&f->b);
    test_site_init(&f->b, &f->network, 1, 7, 0);
    test_site_open(&f->b, 0);
    gt_bytes first = test_writer_commit(&f->writer, "x", 1, NULL, "{text: 7, votes: 3, nobody: 1}", &id);
    test_site_admits(&f->b, first, GT_ADMITTED);
    test_site_admits(&f->b, test_writer_commit(&f->writer, "x", 2, &id, "{tags: 'z', size: 5, text: 'a'}", &id),
                     GT_ADMITTED);
    test_site_admits(&f->b, test_writer_commit(&f->writer, "y", 2, NULL, "{text: 7, votes: 3}", &id), GT_ADMITTED);
    test_site_shows(&f->b, "x", NULL);
    test_site_learn(&f->b, test_goat_1);
    test_site_shows(&f->b, "x", "{text: 'a', votes: 3, size: 5}");
    test_site_shows(&f->b, "y", "{votes: 3}");
    gt_buf kinds;
    gt_buf_init(&kinds, &gt_alloc_system);
    assert_int_equal(test_site_audit(&f->b, &kinds), 3);
    assert_string_equal((const char *)kinds.data, "delta delta delta ");
    gt_buf_free(&kinds);
    test_site_reopen(&f->b, TEST_SITE_NO_CHECKPOINT);
    test_site_shows(&f->b, "x", "{text: 'a', votes: 3, size: 5}");
    test_site_shows(&f->b, "y", "{votes: 3}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PAIR_CASE(linear_edits_leave_one_head),
        PAIR_CASE(concurrent_edits_make_two_heads_and_the_next_edit_joins_them),
        PAIR_CASE(the_view_at_older_heads_is_what_was_seen_there),
        PAIR_CASE(commits_of_an_item_are_listed_latest_first),
        PAIR_CASE(a_parent_of_another_item_is_refused),
        PAIR_CASE(a_commit_not_later_than_its_parent_is_refused),
        PAIR_CASE(a_commit_ahead_of_the_limit_is_refused),
        PAIR_CASE(who_goes_on_from_what_is_known_is_not_ahead),
        PAIR_CASE(at_the_end_of_time_an_edit_says_so),
        PAIR_CASE(a_commit_that_stands_in_two_places_is_refused),
        PAIR_CASE(an_unknown_session_is_refused_and_so_is_a_wrong_signature),
        PAIR_CASE(a_frame_waits_for_its_predecessor_and_for_parents),
        PAIR_CASE(a_transaction_waits_as_a_whole_and_so_does_what_follows_it),
        PAIR_CASE(a_batch_of_transactions_that_drag_each_other_is_decided_in_one_go),
        PAIR_CASE(leaves_that_were_left_out_come_later),
        PAIR_CASE(a_batch_without_leaves_keeps_the_chain_whole),
        PAIR_CASE(what_waits_is_bounded_and_the_oldest_goes_first),
        PAIR_CASE(one_session_does_not_push_out_what_others_wait_for),
        PAIR_CASE(what_waited_is_taken_in_a_few_at_a_time),
        PAIR_CASE(what_waits_is_verified_once_unless_it_comes_from_a_checkpoint),
        PAIR_CASE(what_is_too_large_to_wait_is_no_fault),
        PAIR_CASE(an_edit_that_does_not_fit_its_field_is_refused_from_a_peer),
        PAIR_CASE(a_wrong_edit_that_was_carried_is_left_out_of_views),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
