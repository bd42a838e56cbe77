/* core/repo: damage of the log is found, named, and healed by what comes again; under a checkpoint and without. */
#include "support/test.h"

#include "repo/tables.h"
#include "support/test_pair.h"
#include "support/test_random.h"
#include "support/test_value.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct fixture {
    test_pair pair; /* a is the one that is damaged, b a good one */
    uint8_t *log;   /* of a, as it was */
    size_t len;
    uint8_t digest[GT_HASH_SIZE];
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    test_pair_begin(&f->pair, 0);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    test_pair_end(&f->pair);
    free(f->log);
    free(f);
    return 0;
}

/* ---- given ---- */

/* Linear edits, heads side by side, a batch in parts, a transaction, snapshots, receipts: the same on both sites. */
static void fill(fixture *f) {
    gt_buf parts[2];
    gt_signer signer = {f->pair.a.own->session, &f->pair.a.own->secret};
    gt_repo_receipts_begin(f->pair.a.repo);
    for (int i = 0; i < 5; i++) {
        test_site_edit(&f->pair.a, "one", "goat", 1, "{votes: 1, raw: bytes(00112233445566778899)}");
        if (i == 1) assert_int_equal(gt_repo_write_receipt(f->pair.a.repo, &signer, NULL), GOAT_OK);
    }
    for (int i = 0; i < 4; i++) {
        static const char *const keys[] = {"p", "q", "r", "s"};
        test_writer_leaf(&f->pair.writer, keys[i], 1, NULL, 0, "{text: 'in parts'}", NULL);
    }
    gt_bytes frame = test_writer_finish(&f->pair.writer);
    test_writer_elide(&f->pair.writer, frame, "0110", GT_NODE_HAD, &parts[0]);
    test_writer_elide(&f->pair.writer, frame, "1001", GT_NODE_HAD, &parts[1]);
    test_site_admits(&f->pair.a, gt_buf_bytes(&parts[0]), GT_ADMITTED);
    test_site_admits(&f->pair.b, frame, GT_ADMITTED);
    test_site_send_new(&f->pair.a, &f->pair.b);
    test_site_edit(&f->pair.a, "one", "goat", 1, "{tags: set[1]}");
    test_site_edit(&f->pair.b, "one", "goat", 1, "{tags: set[2]}");
    test_site_admits(&f->pair.a, gt_buf_bytes(&parts[1]), GT_ADMITTED);
    test_site_send_new(&f->pair.b, &f->pair.a);
    gt_id q = test_writer_leaf(&f->pair.writer, "x", 9, NULL, 0, "{votes: 1}", NULL);
    test_writer_leaf(&f->pair.writer, "x", 10, &q, 1, "{votes: 1}", NULL);
    gt_batch_draft_group(&f->pair.writer.draft, 0);
    frame = test_writer_finish(&f->pair.writer);
    test_site_admits(&f->pair.a, frame, GT_ADMITTED);
    assert_int_equal(gt_repo_write_receipt(f->pair.a.repo, &signer, NULL), GOAT_OK);
    test_site_edit(&f->pair.a, "last", "goat", 1, "{text: 'last'}");
    test_site_send_new(&f->pair.a, &f->pair.b);
    for (uint32_t i = 0; i < gt_repo_receipt_count(f->pair.a.repo); i++) {
        gt_id id;
        gt_bytes bytes;
        gt_receipt receipt;
        gt_admission outcome;
        gt_repo_receipt_at(f->pair.a.repo, i, &id, &bytes);
        assert_int_equal(gt_receipt_decode(bytes, &f->pair.arena, &receipt, NULL), GOAT_OK);
        gt_receipt_hash(f->pair.network.hasher, &f->pair.network.place, &receipt);
        assert_int_equal(gt_repo_admit_receipt(f->pair.b.repo, &receipt, &outcome, NULL), GOAT_OK);
    }
    uint8_t other[GT_HASH_SIZE];
    test_site_digest(&f->pair.a, f->digest);
    test_site_digest(&f->pair.b, other);
    assert_memory_equal(f->digest, other, sizeof other);
    for (int i = 0; i < 2; i++) gt_buf_free(&parts[i]);
}

/* The log and checkpoint of a as they are now; a is closed. */
static void keep(fixture *f) {
    test_site_checkpoint(&f->pair.a);
    test_site_close(&f->pair.a);
    gt_bytes file = gt_sim_file(f->pair.a.disk, TEST_REPO_LOG);
    f->log = gt_copy(&gt_alloc_system, file.data, file.len);
    f->len = file.len;
}

static void put_log(fixture *f) {
    assert_true(gt_sim_put_file(f->pair.a.disk, TEST_REPO_LOG, gt_bytes_of(f->log, f->len)));
}

static gt_bytes copy_checkpoint(fixture *f) {
    gt_bytes file = gt_sim_file(f->pair.a.disk, TEST_REPO_CHECKPOINT);
    return gt_bytes_of(gt_copy(&gt_alloc_system, file.data, file.len), file.len);
}

/* ---- when ---- */

static uint32_t missing(test_site *site, gt_id *ids, uint32_t max) {
    uint64_t cursor = 0;
    uint32_t count = 0, got;
    do { /* a few at a time */
        got = gt_repo_missing(site->repo, &cursor, ids + count, max - count < 2 ? max - count : 2);
        count += got;
    } while (got > 0);
    return count;
}

/* The good site sends what holds the ids that are missed. */
static void send_missing(fixture *f) {
    gt_id ids[64];
    uint32_t count = missing(&f->pair.a, ids, 64);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t record = gt_repo_find_record(f->pair.b.repo, &ids[i]);
        for (; record != GT_NONE; record = gt_repo_next_record(f->pair.b.repo, record)) {
            gt_held held;
            gt_admission outcome;
            gt_repo_held(f->pair.b.repo, record, &held);
            assert_non_null(held.frame.data);
            assert_int_equal(test_site_admit(&f->pair.a, held.frame, &outcome, NULL), GOAT_OK);
        }
    }
}

/* … or all that the damaged one does not hold, as a comparison finds it. */
static void send_all(fixture *f) {
    for (uint32_t record = 0; record < gt_repo_record_count(f->pair.b.repo); record++) {
        gt_held held;
        gt_admission outcome;
        gt_id batch;
        gt_repo_held(f->pair.b.repo, record, &held);
        uint32_t theirs = gt_repo_find_record(f->pair.a.repo, &held.batch);
        if (theirs != GT_NONE && gt_repo_is_whole(f->pair.a.repo, theirs, &batch)) continue;
        assert_int_equal(test_site_admit(&f->pair.a, held.frame, &outcome, NULL), GOAT_OK);
    }
    for (uint32_t i = 0; i < gt_repo_receipt_count(f->pair.b.repo); i++) {
        gt_id id;
        gt_bytes bytes;
        gt_receipt receipt;
        gt_admission outcome;
        gt_repo_receipt_at(f->pair.b.repo, i, &id, &bytes);
        assert_int_equal(gt_receipt_decode(bytes, &f->pair.arena, &receipt, NULL), GOAT_OK);
        gt_receipt_hash(f->pair.network.hasher, &f->pair.network.place, &receipt);
        assert_int_equal(gt_repo_admit_receipt(f->pair.a.repo, &receipt, &outcome, NULL), GOAT_OK);
    }
}

/* ---- then ---- */

static void is_healed(fixture *f) {
    uint8_t digest[GT_HASH_SIZE];
    gt_id ids[64];
    assert_int_equal(missing(&f->pair.a, ids, 64), 0);
    assert_int_equal(gt_repo_parked_count(f->pair.a.repo), 0);
    assert_false(gt_repo_has_gaps(f->pair.a.repo));
    assert_int_equal(gt_repo_faults(f->pair.a.repo), 0);
    test_site_digest(&f->pair.a, digest);
    assert_memory_equal(digest, f->digest, sizeof digest);
    for (uint32_t i = 0; i < gt_repo_commit_count(f->pair.a.repo); i++) {
        gt_commit_info info;
        assert_int_equal(gt_repo_commit_info(f->pair.a.repo, i, &info, NULL), GOAT_OK);
    }
    for (uint32_t record = 0; record < gt_repo_record_count(f->pair.b.repo); record++) { /* all can be sent on */
        gt_held held;
        gt_id batch;
        gt_repo_held(f->pair.b.repo, record, &held);
        uint32_t theirs = gt_repo_find_record(f->pair.a.repo, &held.batch);
        assert_true(theirs != GT_NONE && gt_repo_is_whole(f->pair.a.repo, theirs, &batch));
    }
    gt_buf kinds;
    gt_buf_init(&kinds, &gt_alloc_system);
    if (test_site_audit(&f->pair.a, &kinds) != 0) fail_msg("verify finds %s", (const char *)kinds.data);
    gt_buf_free(&kinds);
}

/* … and stays so, however it is opened: with the checkpoint that knows nothing of it, from the log, with a new one. */
static void stays_healed(fixture *f) {
    is_healed(f);
    for (int i = 0; i < 3; i++) {
        test_site_close(&f->pair.a);
        test_site_open(&f->pair.a, i == 1 ? TEST_SITE_NO_CHECKPOINT : 0);
        is_healed(f);
        if (i == 1) test_site_checkpoint(&f->pair.a);
    }
}

/* ---- claims ---- */

static void under_a_checkpoint_whatever_byte_is_damaged(void **state) {
    fixture *f = *state;
    fill(f);
    keep(f);
    gt_bytes checkpoint = copy_checkpoint(f);
    size_t lost = 0;
    for (size_t at = GT_LOG_HEADER_SIZE; at < f->len; at += 7) {
        f->log[at] ^= 0x10;
        put_log(f);
        f->log[at] ^= 0x10;
        assert_true(gt_sim_put_file(f->pair.a.disk, TEST_REPO_CHECKPOINT, checkpoint));
        test_site_open(&f->pair.a, 0);
        bool covered = gt_repo_uncovered(f->pair.a.repo) == 0; /* not when the last chain is damaged */
        gt_id ids[64];
        if (covered) assert_int_equal(missing(&f->pair.a, ids, 64), 0); /* nobody has come upon it */
        assert_true(test_site_audit(&f->pair.a, NULL) > 0);
        if (covered) assert_true(gt_repo_has_gaps(f->pair.a.repo));
        lost += missing(&f->pair.a, ids, 64) > 0;
        send_missing(f);
        send_all(f);
        assert_int_equal(gt_repo_set_damage_aside(f->pair.a.repo, NULL), GOAT_OK);
        if (!covered) { /* its end was torn, which this opening tells */
            test_site_close(&f->pair.a);
            test_site_open(&f->pair.a, 0);
        }
        stays_healed(f);
        test_site_close(&f->pair.a);
    }
    assert_true(lost > 100);
    free((void *)(uintptr_t)checkpoint.data);
}

static void without_a_checkpoint_whatever_byte_is_damaged(void **state) {
    fixture *f = *state;
    fill(f);
    keep(f);
    for (size_t at = GT_LOG_HEADER_SIZE; at < f->len; at += 7) {
        f->log[at] ^= 0x10;
        put_log(f);
        f->log[at] ^= 0x10;
        test_site_open(&f->pair.a, TEST_SITE_NO_CHECKPOINT);
        bool torn = gt_log_length(gt_repo_log(f->pair.a.repo)) < f->len;
        assert_int_equal(gt_repo_has_gaps(f->pair.a.repo), !torn);
        send_missing(f);
        send_all(f);
        if (!torn) assert_true(gt_repo_has_gaps(f->pair.a.repo)); /* nobody knows what it was */
        gt_repo_set_damage_aside(f->pair.a.repo, NULL);
        assert_false(gt_repo_has_gaps(f->pair.a.repo));
        if (torn) { /* what was cut is told once more by this opening */
            test_site_close(&f->pair.a);
            test_site_open(&f->pair.a, TEST_SITE_NO_CHECKPOINT);
        }
        stays_healed(f);
        test_site_close(&f->pair.a);
    }
}

static size_t place_of(const fixture *f, const char *words) {
    size_t at = 0;
    while (memcmp(f->log + at, words, strlen(words)) != 0) at++;
    return at;
}

static void what_is_touched_first_is_named_and_healed(void **state) {
    fixture *f = *state;
    gt_id last = test_site_edit(&f->pair.a, "x", "goat", 1, "{text: 'abcdefghij'}");
    test_site_send_new(&f->pair.a, &f->pair.b);
    test_site_digest(&f->pair.a, f->digest);
    keep(f);
    f->log[place_of(f, "abcdefghij")] ^= 1;
    put_log(f);
    test_site_open(&f->pair.a, 0);
    gt_id ids[8], batch;
    gt_seen seen;
    gt_held held;
    assert_int_equal(missing(&f->pair.a, ids, 8), 0);
    assert_true(gt_repo_is_whole(f->pair.a.repo, 0, &batch));
    assert_int_equal(gt_repo_view(f->pair.a.repo, 0, &seen, NULL), GOAT_CORRUPT);
    assert_int_equal(missing(&f->pair.a, ids, 8), 1);
    assert_memory_equal(&ids[0], &batch, sizeof batch);
    assert_true(gt_repo_has_gaps(f->pair.a.repo));
    assert_false(gt_repo_is_whole(f->pair.a.repo, 0, &batch));
    gt_repo_held(f->pair.a.repo, gt_repo_find_record(f->pair.a.repo, &last), &held);
    assert_null(held.frame.data);
    assert_int_equal(gt_repo_set_damage_aside(f->pair.a.repo, NULL), GOAT_OK);
    assert_true(gt_repo_has_gaps(f->pair.a.repo)); /* it has not come back */
    uint32_t before = f->pair.a.before, after = f->pair.a.after, revision = seen.revision;
    send_missing(f);
    assert_int_equal(f->pair.a.before, before + 1);
    assert_int_equal(f->pair.a.after, after + 1);
    assert_int_equal(f->pair.a.last_origin, GT_FROM_PEER);
    assert_int_equal(gt_repo_view(f->pair.a.repo, 0, &seen, NULL), GOAT_OK);
    assert_true(seen.revision > revision);
    gt_view_drop(f->pair.a.alloc, &seen.view);
    test_site_shows(&f->pair.a, "x", "{text: 'abcdefghij'}");
    gt_repo_held(f->pair.a.repo, gt_repo_find_record(f->pair.a.repo, &last), &held);
    assert_non_null(held.frame.data);
    assert_true(held.whole);
    stays_healed(f);
}

/* A frame that is asked for is looked at before it is sent. */
static void a_damaged_frame_is_not_sent(void **state) {
    fixture *f = *state;
    gt_id ids[8];
    gt_held held;
    test_site_edit(&f->pair.a, "x", "goat", 1, "{text: 'abcdefghij'}");
    keep(f);
    f->log[place_of(f, "abcdefghij")] ^= 1;
    put_log(f);
    test_site_open(&f->pair.a, 0);
    gt_repo_held(f->pair.a.repo, 0, &held);
    assert_null(held.frame.data);
    assert_false(held.whole);
    assert_int_equal(missing(&f->pair.a, ids, 8), 1);
}

static void what_is_lost_stays_named_over_a_checkpoint(void **state) {
    fixture *f = *state;
    gt_id ids[8];
    gt_seen seen;
    test_site_edit(&f->pair.a, "x", "goat", 1, "{text: 'abcdefghij'}");
    test_site_send_new(&f->pair.a, &f->pair.b);
    test_site_digest(&f->pair.a, f->digest);
    keep(f);
    f->log[place_of(f, "abcdefghij")] ^= 1;
    put_log(f);
    test_site_open(&f->pair.a, 0);
    assert_int_equal(gt_repo_view(f->pair.a.repo, 0, &seen, NULL), GOAT_CORRUPT);
    test_site_checkpoint(&f->pair.a);
    test_site_close(&f->pair.a);
    test_site_open(&f->pair.a, 0);
    assert_true(gt_repo_has_gaps(f->pair.a.repo));
    assert_int_equal(missing(&f->pair.a, ids, 8), 1);
    send_missing(f);
    stays_healed(f);
}

/* Gaps that were found by reading the log, and nothing names what was there. */
static void gaps_stay_known_over_a_checkpoint(void **state) {
    fixture *f = *state;
    test_site_edit(&f->pair.a, "x", "goat", 1, "{text: 'abcdefghij'}");
    gt_bytes frame = test_writer_commit(&f->pair.writer, "y", 1, NULL, "{text: 'other'}", NULL);
    test_site_admits(&f->pair.a, frame, GT_ADMITTED);
    test_site_admits(&f->pair.b, frame, GT_ADMITTED);
    test_site_send_new(&f->pair.a, &f->pair.b);
    test_site_digest(&f->pair.a, f->digest);
    keep(f);
    f->log[place_of(f, "abcdefghij")] ^= 1;
    put_log(f);
    test_site_open(&f->pair.a, TEST_SITE_NO_CHECKPOINT);
    assert_true(gt_repo_has_gaps(f->pair.a.repo));
    assert_int_equal(gt_repo_item_count(f->pair.a.repo), 1);
    test_site_checkpoint(&f->pair.a);
    test_site_close(&f->pair.a);
    test_site_open(&f->pair.a, 0);
    assert_int_equal(gt_repo_uncovered(f->pair.a.repo), 0);
    assert_true(gt_repo_has_gaps(f->pair.a.repo));
    send_all(f);
    assert_int_equal(gt_repo_set_damage_aside(f->pair.a.repo, NULL), GOAT_OK);
    stays_healed(f);
}

/* A file that was begun before it is known would name neither the hole nor the row's flag for certain. */
static void damage_that_is_found_meanwhile_overtakes_a_checkpoint(void **state) {
    fixture *f = *state;
    fill(f);
    uint64_t receipt = gt_receipt_row_at(f->pair.a.repo, 0)->offset;
    keep(f);
    f->log[receipt + 40] ^= 1;
    f->log[place_of(f, "last")] ^= 1;
    put_log(f);
    test_site_open(&f->pair.a, 0);
    assert_int_equal(gt_repo_uncovered(f->pair.a.repo), 0);
    for (int found = 0; found < 2; found++) {
        gt_making *making;
        bool done = false;
        gt_id id;
        gt_bytes bytes;
        gt_seen seen;
        assert_int_equal(gt_making_new(f->pair.a.repo, &making, NULL), GOAT_OK);
        assert_int_equal(gt_making_step(making, 300, &done, NULL), GOAT_OK);
        if (found == 0) {
            gt_repo_receipt_at(f->pair.a.repo, 0, &id, &bytes);
            assert_null(bytes.data);
        } else {
            uint32_t last = gt_repo_find(f->pair.a.repo, gt_bytes_text("last"));
            assert_int_equal(gt_repo_view(f->pair.a.repo, last, &seen, NULL), GOAT_CORRUPT);
        }
        assert_false(done);
        assert_int_equal(gt_making_step(making, 300, &done, NULL), GOAT_CONFLICT);
        gt_making_free(making);
    }
    test_site_checkpoint(&f->pair.a);
    test_site_close(&f->pair.a);
    test_site_open(&f->pair.a, 0);
    size_t holes;
    gt_log_damage(gt_repo_log(f->pair.a.repo), &holes);
    assert_int_equal(holes, 2);
}

/* The batch is whole again only when the last of its lost leaves has come. */
static void lost_leaves_come_one_by_one(void **state) {
    fixture *f = *state;
    static const char *const kept[] = {"100", "001", "010"};
    gt_buf parts[3];
    gt_id ids[8], batch;
    for (int i = 0; i < 3; i++) {
        static const char *const keys[] = {"p", "q", "r"};
        test_writer_leaf(&f->pair.writer, keys[i], 1, NULL, 0, "{text: 'abcdefghij'}", NULL);
    }
    gt_bytes frame = test_writer_finish(&f->pair.writer);
    test_site_admits(&f->pair.a, frame, GT_ADMITTED);
    test_site_admits(&f->pair.b, frame, GT_ADMITTED);
    test_site_digest(&f->pair.a, f->digest);
    for (int i = 0; i < 3; i++) test_writer_elide(&f->pair.writer, frame, kept[i], GT_NODE_HAD, &parts[i]);
    keep(f);
    f->log[place_of(f, "abcdefghij")] ^= 1;
    put_log(f);
    test_site_open(&f->pair.a, 0);
    for (int i = 0; i < 3; i++) {
        test_site_admits(&f->pair.a, gt_buf_bytes(&parts[i]), GT_ADMITTED);
        test_site_admits(&f->pair.a, gt_buf_bytes(&parts[i]), GT_KNOWN);
        assert_int_equal(
            gt_repo_is_whole(f->pair.a.repo, gt_repo_find_record(f->pair.a.repo, &f->pair.writer.batches[1]), &batch),
            i == 2);
        assert_int_equal(missing(&f->pair.a, ids, 8), i < 2);
        assert_int_equal(gt_repo_has_gaps(f->pair.a.repo), i < 2);
    }
    stays_healed(f);
    for (int i = 0; i < 3; i++) gt_buf_free(&parts[i]);
}

/* A server does not say again of what came back that it has admitted it. */
static void what_came_again_is_not_receipted_again(void **state) {
    fixture *f = *state;
    gt_signer signer = {f->pair.a.own->session, &f->pair.a.own->secret};
    gt_repo_receipts_begin(f->pair.a.repo);
    test_site_edit(&f->pair.a, "x", "goat", 1, "{text: 'abcdefghij'}");
    assert_int_equal(gt_repo_write_receipt(f->pair.a.repo, &signer, NULL), GOAT_OK);
    test_site_send_new(&f->pair.a, &f->pair.b);
    test_site_digest(&f->pair.a, f->digest);
    keep(f);
    f->log[place_of(f, "abcdefghij")] ^= 1;
    put_log(f);
    test_site_open(&f->pair.a, 0);
    gt_repo_receipts_begin(f->pair.a.repo);
    assert_int_equal(test_site_audit(&f->pair.a, NULL), 1);
    send_missing(f);
    assert_false(gt_repo_wants_receipt(f->pair.a.repo));
    test_site_edit(&f->pair.a, "x", "goat", 1, "{votes: 1}");
    assert_int_equal(gt_repo_write_receipt(f->pair.a.repo, &signer, NULL), GOAT_OK);
    test_site_send_new(&f->pair.a, &f->pair.b);
    test_site_digest(&f->pair.a, f->digest);
    stays_healed(f);
    assert_int_equal(gt_repo_receipt_count(f->pair.a.repo), 2);
}

/* What was read from the log and misses its parents stays there: it is not copied and never dropped. */
static void frames_of_the_log_wait_without_bound(void **state) {
    fixture *f = *state;
    enum { BIG = 1 << 20, COUNT = 24 };
    char *text = malloc(BIG + 16);
    memset(text, 'x', BIG + 16);
    memcpy(text, "{text: '", 8);
    memcpy(text + BIG, "'}", 3);
    gt_id id;
    gt_bytes first = test_writer_commit(&f->pair.writer, "x", 1, NULL, "{text: 'abcdefghij'}", &id);
    test_site_admits(&f->pair.b, first, GT_ADMITTED);
    test_site_admits(&f->pair.a, first, GT_ADMITTED);
    for (uint32_t i = 0; i < COUNT; i++) {
        test_site_admits(&f->pair.a, test_writer_commit(&f->pair.writer, "x", i + 2, &id, text, &id), GT_ADMITTED);
    }
    test_site_digest(&f->pair.a, f->digest);
    keep(f);
    f->log[place_of(f, "abcdefghij")] ^= 1;
    put_log(f);
    size_t before = f->pair.a.memory.live_bytes;
    test_site_open(&f->pair.a, TEST_SITE_NO_CHECKPOINT);
    assert_int_equal(gt_repo_parked_count(f->pair.a.repo), COUNT);
    assert_true(f->pair.a.memory.live_bytes <
                before + f->len + (4u << 20)); /* the simulated mapping, and little else */
    test_site_checkpoint(&f->pair.a);
    assert_true(gt_sim_file(f->pair.a.disk, TEST_REPO_CHECKPOINT).len < 1u << 20);
    test_site_close(&f->pair.a);
    test_site_open(&f->pair.a, 0);
    assert_int_equal(gt_repo_parked_count(f->pair.a.repo), COUNT);
    send_missing(f);
    assert_int_equal(gt_repo_parked_count(f->pair.a.repo), 0);
    assert_int_equal(gt_repo_entry_count(f->pair.a.repo), COUNT + 1);
    assert_int_equal(gt_repo_set_damage_aside(f->pair.a.repo, NULL), GOAT_OK);
    uint8_t digest[GT_HASH_SIZE];
    test_site_digest(&f->pair.a, digest);
    assert_memory_equal(digest, f->digest, sizeof digest);
    free(text);
}

/* Records that could not be taken in are gaps as well, and are set aside like damage. */
static void records_that_could_not_be_taken_in_are_set_aside(void **state) {
    fixture *f = *state;
    test_site_edit(&f->pair.a, "x", "goat", 1, "{votes: 1}");
    gt_bytes wrong = gt_bytes_of("wrong", 5);
    assert_int_equal(gt_log_append(gt_repo_log(f->pair.a.repo), GT_RECORD_BATCH, wrong, NULL, NULL), GOAT_OK);
    for (int i = 0; i < 2; i++) {
        if (i == 1) test_site_checkpoint(&f->pair.a);
        test_site_close(&f->pair.a);
        test_site_open(&f->pair.a, i == 0 ? TEST_SITE_NO_CHECKPOINT : 0);
        assert_int_equal(gt_repo_faults(f->pair.a.repo), 1);
        assert_true(gt_repo_has_gaps(f->pair.a.repo));
        assert_int_equal(test_site_audit(&f->pair.a, NULL), 1);
    }
    assert_int_equal(gt_repo_set_damage_aside(f->pair.a.repo, NULL), GOAT_OK);
    uint64_t length = gt_log_length(gt_repo_log(f->pair.a.repo));
    assert_int_equal(gt_repo_set_damage_aside(f->pair.a.repo, NULL), GOAT_OK);
    assert_int_equal(gt_log_length(gt_repo_log(f->pair.a.repo)), length); /* once is enough */
    for (int i = 0; i < 4; i++) {
        assert_int_equal(gt_repo_faults(f->pair.a.repo), 0);
        assert_false(gt_repo_has_gaps(f->pair.a.repo));
        assert_int_equal(test_site_audit(&f->pair.a, NULL), 0);
        if (i == 1) test_site_checkpoint(&f->pair.a);
        test_site_close(&f->pair.a);
        test_site_open(&f->pair.a, i == 0 ? 0 : i == 1 ? TEST_SITE_NO_CHECKPOINT : i == 2 ? 0 : TEST_SITE_READ_ONLY);
    }
}

static void without_memory_nothing_is_half_healed(void **state) {
    fixture *f = *state;
    fill(f);
    keep(f);
    gt_bytes checkpoint = copy_checkpoint(f);
    f->log[place_of(f, "in parts")] ^= 1;
    bool failed = true;
    for (uint64_t k = 0; failed; k++) {
        put_log(f);
        assert_true(gt_sim_put_file(f->pair.a.disk, TEST_REPO_CHECKPOINT, checkpoint));
        test_site_open(&f->pair.a, 0);
        gt_id ids[64];
        uint64_t cursor = 0;
        gt_held held;
        gt_admission outcome;
        gt_repo_held(f->pair.b.repo, gt_repo_find_record(f->pair.b.repo, &f->pair.writer.batches[1]), &held);
        f->pair.a.memory.left = k;
        f->pair.a.memory.failed = false;
        gt_repo_missing(f->pair.a.repo, &cursor, ids, 64);
        goat_status status = test_site_admit(&f->pair.a, held.frame, &outcome, NULL);
        failed = f->pair.a.memory.failed;
        f->pair.a.memory.left = TEST_ALLOC_NEVER;
        assert_true(status == GOAT_OK || (failed && status == GOAT_NO_MEMORY));
        if (gt_repo_get_phase(f->pair.a.repo) == GT_REPO_FAILED) {
            test_site_close(&f->pair.a);
            test_site_open(&f->pair.a, k % 2 == 0 ? 0 : TEST_SITE_NO_CHECKPOINT);
        }
        test_site_audit(&f->pair.a, NULL);
        send_missing(f);
        send_all(f);
        assert_int_equal(gt_repo_set_damage_aside(f->pair.a.repo, NULL), GOAT_OK);
        stays_healed(f);
        test_site_close(&f->pair.a);
    }
    free((void *)(uintptr_t)checkpoint.data);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(under_a_checkpoint_whatever_byte_is_damaged),
        CASE(without_a_checkpoint_whatever_byte_is_damaged),
        CASE(what_is_touched_first_is_named_and_healed),
        CASE(a_damaged_frame_is_not_sent),
        CASE(what_is_lost_stays_named_over_a_checkpoint),
        CASE(gaps_stay_known_over_a_checkpoint),
        CASE(damage_that_is_found_meanwhile_overtakes_a_checkpoint),
        CASE(lost_leaves_come_one_by_one),
        CASE(what_came_again_is_not_receipted_again),
        CASE(frames_of_the_log_wait_without_bound),
        CASE(records_that_could_not_be_taken_in_are_set_aside),
        CASE(without_memory_nothing_is_half_healed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
