/* core/repo: what somebody hostile may write, and what others make of it. */
#include "support/test.h"

#include "repo/tables.h"
#include "support/test_pair.h"
#include "support/test_random.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/rich.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef test_pair fixture;

static const char page_1[] = "{\"ns\": \"page\", \"version\": 1, \"fields\": {\"text\": {\"type\": \"string\"},"
                             "\"body\": {\"type\": \"richtext\"}}}";

static uint32_t flags_of(test_site *site, const char *key) {
    gt_seen seen;
    assert_int_equal(gt_repo_view(site->repo, gt_repo_find(site->repo, gt_bytes_text(key)), &seen, NULL), GOAT_OK);
    gt_view_drop(site->alloc, &seen.view);
    return seen.flags;
}

/* A document of many pieces, and one short edit that gives all of them an attribute: more than is shown. It is there all the
 * same, and marked; both have the same view of it, whatever they start from, and an edit that takes some away heals it. */
static void what_is_too_large_is_cut_and_marked_and_heals(void **state) {
    enum { PIECES = 9000 };
    fixture *f = *state;
    char text[4200];
    gt_buf document;
    gt_rich_writer writer;
    gt_bytes attributes[2] = {test_value("{b: 0}"), test_value("{b: 1}")};
    gt_buf_init(&document, &gt_alloc_system);
    gt_write_map_head(&document, 1);
    gt_write_text(&document, gt_bytes_text("body"));
    gt_rich_writer_init(&writer, &document);
    for (int i = 0; i < PIECES; i++) {
        gt_rich_piece piece = {gt_bytes_text("a"), 1, attributes[i % 2], false};
        gt_rich_put(&writer, &piece);
    }
    gt_rich_writer_end(&writer);
    for (int i = 0; i < 2; i++) test_value_free(attributes[i]);
    test_site_learn(&f->a, page_1);
    test_site_learn(&f->b, page_1);
    test_site_edit_on(&f->a, "x", test_site_schema(&f->a, "page", 1), NULL, 0, gt_buf_bytes(&document));
    test_site_send_new(&f->a, &f->b);
    snprintf(text, sizeof text, "{body: {0: [[%d, {c: '%04000d'}]]}}", (int)PIECES, 0);
    test_site_edit(&f->a, "x", "page", 1, text);
    test_site_edit(&f->b, "x", "page", 1, "{text: 'y', body: {0: [1, 'b']}}");
    test_site_send_new(&f->a, &f->b);
    test_site_send_new(&f->b, &f->a);
    assert_int_equal(flags_of(&f->a, "x"), GT_ITEM_INVALID);
    assert_int_equal(flags_of(&f->b, "x"), GT_ITEM_INVALID);
    test_sites_equal(&f->a, &f->b);
    test_site_edit(&f->b, "x", "page", 1, "{text: 'z'}"); /* on what is cut: A applies it, B is opened anew */
    test_site_send_new(&f->b, &f->a);
    test_site_reopen(&f->b, TEST_SITE_NO_CHECKPOINT);
    test_sites_equal(&f->a, &f->b);
    test_site_checkpoint(&f->a);
    test_site_reopen(&f->a, 0);
    snprintf(text, sizeof text, "{body: {0: [-%d]}}", (int)PIECES - 1);
    test_site_edit(&f->a, "x", "page", 1, text);
    test_site_send_new(&f->a, &f->b);
    assert_int_equal(flags_of(&f->a, "x"), 0);
    test_sites_equal(&f->a, &f->b);
    test_site_reopen(&f->b, TEST_SITE_NO_CHECKPOINT);
    assert_int_equal(flags_of(&f->b, "x"), 0);
    gt_buf_free(&document);
}

/* Nobody could say at admission whether it is true. */
static void a_snapshot_of_what_is_in_the_same_batch_is_refused(void **state) {
    fixture *f = *state;
    gt_buf part;
    gt_buf_init(&part, &gt_alloc_system);
    gt_id first = test_writer_leaf(&f->writer, "x", 1, NULL, 0, "{text: 'true'}", NULL);
    test_writer_leaf(&f->writer, "x", 2, &first, 1, "{size: 1}", "{text: 'false'}");
    gt_bytes frame = test_writer_finish(&f->writer);
    test_site_refuses(&f->a, frame, GOAT_INVALID, "in the same batch");
    assert_int_equal(gt_repo_entry_count(f->a.repo), 0);
    test_writer_elide(&f->writer, frame, "10", GT_NODE_HAD, &part);
    test_site_admits(&f->b, gt_buf_bytes(&part), GT_ADMITTED);
    test_site_refuses(&f->b, frame, GOAT_INVALID, "in the same batch");
    test_site_shows(&f->b, "x", "{text: 'true'}");
    gt_buf_free(&part);
}

/* Deltas and snapshots of a peer are looked at when they come, and then believed. */
static void what_a_peer_sends_is_looked_at_once(void **state) {
    enum { COMMITS = 100, VIEWS = 50 };
    fixture *f = *state;
    char delta[32], full[32];
    gt_id last, first;
    test_site_admits(&f->a, test_writer_commit(&f->writer, "x", 1, NULL, "{size: 0}", &first), GT_ADMITTED);
    last = first;
    for (uint32_t i = 1; i <= COMMITS; i++) {
        snprintf(delta, sizeof delta, "{size: %u}", (unsigned)i);
        snprintf(full, sizeof full, "{size: %u}", (unsigned)i - 1);
        last = test_writer_leaf(&f->writer, "x", 1 + i, &last, 1, delta, full);
        test_site_admits(&f->a, test_writer_finish(&f->writer), GT_ADMITTED);
    }
    assert_int_equal(gt_repo_checks(f->a.repo), 1 + 2 * COMMITS);
    for (uint32_t i = 0; i < VIEWS; i++) { /* each goes through more of them: the fork is at the first */
        snprintf(delta, sizeof delta, "{votes: %u}", (unsigned)i + 1);
        test_site_admits(&f->a, test_writer_commit(&f->other, "x", 500 + i, &first, delta, NULL), GT_ADMITTED);
        flags_of(&f->a, "x");
    }
    assert_int_equal(gt_repo_checks(f->a.repo), 1 + 2 * COMMITS + VIEWS);
}

/* True snapshots of many old versions, each of which takes a replay of what came before it. */
static void snapshots_of_one_frame_cost_no_more_than_so_much(void **state) {
    enum { COMMITS = 3000, SNAPSHOTS = 300 };
    fixture *f = *state;
    char delta[32], full[32];
    static gt_id ids[COMMITS];
    for (uint32_t i = 0; i < COMMITS; i++) {
        snprintf(delta, sizeof delta, "{size: %u}", (unsigned)i);
        ids[i] = test_writer_leaf(&f->writer, "x", 1 + i, i == 0 ? NULL : &ids[i - 1], i > 0, delta, NULL);
    }
    test_site_admits(&f->a, test_writer_finish(&f->writer), GT_ADMITTED);
    for (uint32_t i = 0; i < SNAPSHOTS; i++) {
        uint32_t at = COMMITS - 1 - i;
        snprintf(full, sizeof full, "{size: %u}", (unsigned)at);
        test_writer_leaf(&f->other, "x", 2 * COMMITS + i, &ids[at], 1, "{votes: 1}", full);
    }
    uint64_t before = gt_repo_work(f->a.repo);
    test_site_admits(&f->a, test_writer_finish(&f->other), GT_ADMITTED);
    assert_true(gt_repo_work(f->a.repo) - before < GT_FULL_WORK_MAX + 10 * COMMITS);
    test_site_shows(&f->a, "x", "{size: 2999, votes: 300}");
    test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
}

/* FORMAT.md 2.5: a late one changes nothing, an earlier one everything, whoever hears of which first. */
static void the_first_commit_by_its_time_says_what_an_item_is(void **state) {
    fixture *f = *state;
    gt_id goat, edit;
    test_frames frames = {0};
    test_site_learn(&f->a, test_sheep_1);
    test_site_learn(&f->b, test_sheep_1);
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 10, NULL, "{text: 'goat', size: 1}", &goat));
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 20, &goat, "{size: 2}", &edit));
    test_writer_schema(&f->other, test_sheep_1);
    test_frames_add(&frames, test_writer_commit(&f->other, "x", 30, NULL, "{text: 'late'}", &edit));
    for (size_t i = 0; i < 3; i++) test_site_admits(&f->a, test_frames_at(&frames, i), GT_ADMITTED);
    test_site_shows(&f->a, "x", "{text: 'goat', size: 2}");
    test_frames_add(&frames, test_writer_commit(&f->other, "x", 1, NULL, "{text: 'sheep'}", &edit));
    test_site_admits(&f->a, test_frames_at(&frames, 3), GT_ADMITTED);
    test_site_shows(&f->a, "x", "{text: 'late'}"); /* of two edits of a sheep, the later */
    test_site_admits(&f->b, test_frames_at(&frames, 2), GT_ADMITTED);
    test_site_admits(&f->b, test_frames_at(&frames, 3), GT_ADMITTED);
    for (size_t i = 0; i < 2; i++) test_site_admits(&f->b, test_frames_at(&frames, i), GT_ADMITTED);
    test_sites_equal(&f->a, &f->b);
    test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
    assert_int_equal(gt_repo_entry_count(f->a.repo), 4); /* nothing is lost */
    test_frames_free(&frames);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PAIR_CASE(what_is_too_large_is_cut_and_marked_and_heals),
        PAIR_CASE(the_first_commit_by_its_time_says_what_an_item_is),
        PAIR_CASE(a_snapshot_of_what_is_in_the_same_batch_is_refused),
        PAIR_CASE(what_a_peer_sends_is_looked_at_once),
        PAIR_CASE(snapshots_of_one_frame_cost_no_more_than_so_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
