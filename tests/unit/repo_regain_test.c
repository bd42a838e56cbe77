/* core/repo: records of the log whose session nobody vouches for when it is opened, since certificates are lost. */
#include "support/test.h"

#include "support/test_pair.h"
#include "support/test_value.h"

static void reopen(test_site *site, uint32_t strangers) {
    test_site_sync(site);
    test_site_close(site);
    site->strangers = strangers;
    test_site_open(site, TEST_SITE_NO_CHECKPOINT);
}

static uint64_t entries(const test_site *site) { return gt_repo_entry_count(site->repo); }

static uint64_t length(const test_site *site) { return gt_log_length(gt_repo_log(site->repo)); }

/* Its certificate may come, and then it is there. */
static void a_batch_of_a_session_that_is_not_known_stays_named(void **state) {
    test_pair *pair = *state;
    test_site_admits(&pair->a, test_writer_commit(&pair->writer, "x", 1, NULL, "{votes: 1}", NULL), GT_ADMITTED);
    reopen(&pair->a, 1u << 2);
    assert_int_equal(entries(&pair->a), 0);
    uint64_t before = length(&pair->a);
    assert_int_equal(gt_repo_set_damage_aside(pair->a.repo, NULL), GOAT_OK);
    assert_int_equal(gt_repo_regain(pair->a.repo, NULL), GOAT_OK);
    assert_int_equal(length(&pair->a), before);
    assert_int_equal(gt_repo_faults(pair->a.repo), 1);
    assert_true(gt_repo_has_gaps(pair->a.repo));
    test_site_checkpoint(&pair->a);
    test_site_close(&pair->a);
    test_site_open(&pair->a, 0);
    assert_int_equal(gt_repo_uncovered(pair->a.repo), 0);
    assert_int_equal(gt_repo_faults(pair->a.repo), 1);
    pair->a.strangers = 0;
    assert_int_equal(gt_repo_regain(pair->a.repo, NULL), GOAT_OK);
    assert_int_equal(entries(&pair->a), 1);
}

/* A checkpoint that was written before does not say otherwise. */
static void what_nobody_vouches_for_is_not_in_a_checkpoint_either(void **state) {
    test_pair *pair = *state;
    uint8_t with[32], without[32];
    test_site_admits(&pair->a, test_writer_commit(&pair->writer, "x", 1, NULL, "{votes: 1}", NULL), GT_ADMITTED);
    test_site_admits(&pair->a, test_writer_commit(&pair->other, "y", 2, NULL, "{votes: 2}", NULL), GT_ADMITTED);
    test_site_checkpoint(&pair->a);
    reopen(&pair->a, 1u << 2);
    assert_int_equal(entries(&pair->a), 1);
    test_site_digest(&pair->a, without);
    test_site_close(&pair->a);
    test_site_open(&pair->a, 0);
    assert_int_equal(entries(&pair->a), 1);
    test_site_digest(&pair->a, with);
    assert_memory_equal(with, without, sizeof with);
    test_site_close(&pair->a);
    pair->a.strangers = 0;
    test_site_open(&pair->a, 0);
    assert_int_equal(entries(&pair->a), 2);
}

/* Who has read the log up to its end has not seen it. */
static void when_its_session_is_known_it_is_logged_anew(void **state) {
    test_pair *pair = *state;
    gt_id x;
    test_site_admits(&pair->a, test_writer_commit(&pair->writer, "x", 1, NULL, "{votes: 1}", &x), GT_ADMITTED);
    test_site_admits(&pair->a, test_writer_commit(&pair->other, "x", 2, &x, "{votes: 1}", NULL), GT_ADMITTED);
    reopen(&pair->a, 1u << 2);
    assert_int_equal(entries(&pair->a), 0); /* the other one waits for its parent */
    uint64_t before = length(&pair->a);
    pair->a.strangers = 0;
    assert_int_equal(gt_repo_regain(pair->a.repo, NULL), GOAT_OK);
    assert_int_equal(entries(&pair->a), 2);
    assert_int_equal(gt_repo_faults(pair->a.repo), 0);
    pair->a.frame_offset = before;
    assert_non_null(test_site_next_frame(&pair->a).data);
    uint64_t after = length(&pair->a);
    assert_int_equal(gt_repo_regain(pair->a.repo, NULL), GOAT_OK); /* once is enough */
    assert_int_equal(length(&pair->a), after);
    test_site_shows(&pair->a, "x", "{votes: 2}");
    for (int i = 0; i < 2; i++) {
        assert_false(gt_repo_has_gaps(pair->a.repo));
        assert_int_equal(test_site_audit(&pair->a, NULL), 0);
        reopen(&pair->a, 0);
        assert_int_equal(entries(&pair->a), 2);
    }
}

/* … and nor has he what waited for it, which lies before that. */
static void what_waited_in_the_log_is_logged_anew_too(void **state) {
    test_pair *pair = *state;
    gt_id x;
    test_frames frames = {0};
    test_frames_add(&frames, test_writer_commit(&pair->writer, "x", 1, NULL, "{votes: 1}", &x));
    test_frames_add(&frames, test_writer_commit(&pair->other, "x", 2, &x, "{votes: 1}", NULL));
    for (size_t i = 0; i < 2; i++) test_site_admits(&pair->a, test_frames_at(&frames, i), GT_ADMITTED);
    reopen(&pair->a, 1u << 2);
    assert_int_equal(gt_repo_parked_count(pair->a.repo), 1);
    pair->a.strangers = 0;
    pair->a.frame_offset = length(&pair->a);
    test_site_admits(&pair->a, test_frames_at(&frames, 0), GT_ADMITTED);
    assert_int_equal(entries(&pair->a), 2);
    for (size_t i = 0; i < 2; i++) {
        gt_bytes frame = test_site_next_frame(&pair->a);
        assert_true(gt_bytes_equal(frame, test_frames_at(&frames, i)));
    }
    assert_null(test_site_next_frame(&pair->a).data);
    reopen(&pair->a, 0);
    assert_int_equal(entries(&pair->a), 2);
    test_site_shows(&pair->a, "x", "{votes: 2}");
    test_frames_free(&frames);
}

/* It would be sent to everybody in vain, and none could become equal with us. */
static void a_receipt_of_a_server_that_is_not_known_does_not_count(void **state) {
    test_pair *pair = *state;
    gt_signer signer = {pair->a.own->session, &pair->a.own->secret};
    gt_repo_receipts_begin(pair->a.repo);
    test_site_admits(&pair->a, test_writer_commit(&pair->writer, "x", 1, NULL, "{votes: 1}", NULL), GT_ADMITTED);
    assert_int_equal(gt_repo_write_receipt(pair->a.repo, &signer, NULL), GOAT_OK);
    reopen(&pair->a, 1);
    assert_int_equal(gt_repo_receipt_count(pair->a.repo), 0);
    assert_true(gt_repo_has_gaps(pair->a.repo));
    assert_int_equal(gt_repo_set_damage_aside(pair->a.repo, NULL), GOAT_OK);
    assert_false(gt_repo_has_gaps(pair->a.repo));
    reopen(&pair->a, 0);
    assert_int_equal(gt_repo_receipt_count(pair->a.repo), 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PAIR_CASE(a_batch_of_a_session_that_is_not_known_stays_named),
        PAIR_CASE(what_nobody_vouches_for_is_not_in_a_checkpoint_either),
        PAIR_CASE(when_its_session_is_known_it_is_logged_anew),
        PAIR_CASE(what_waited_in_the_log_is_logged_anew_too),
        PAIR_CASE(a_receipt_of_a_server_that_is_not_known_does_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
