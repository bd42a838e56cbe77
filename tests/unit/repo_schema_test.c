/* core/repo: which namespace an item is of, schemas that come later, and versions side by side. */
#include "support/test.h"

#include "support/test_pair.h"

#include <stdlib.h>

typedef test_pair fixture;

static void of_two_concurrent_creates_the_earlier_gives_the_namespace(void **state) {
    fixture *f = *state;
    gt_id goat, sheep;
    test_frames frames = {0};
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 5, NULL, "{text: 'goat', votes: 1}", &goat));
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 7, &goat, "{votes: 1}", &goat));
    test_writer_schema(&f->other, test_sheep_1);
    test_frames_add(&frames, test_writer_commit(&f->other, "x", 3, NULL, "{text: 'sheep', wool: 'white'}", &sheep));
    test_frames_add(&frames, test_writer_commit(&f->other, "x", 8, &sheep, "{wool: 'black'}", &sheep));
    test_site_learn(&f->a, test_sheep_1);
    test_site_learn(&f->b, test_sheep_1);
    for (size_t i = 0; i < 4; i++) {
        test_site_admits(&f->a, test_frames_at(&frames, i), GT_ADMITTED);
        if (i == 1) test_site_shows(&f->a, "x", "{text: 'goat', votes: 2}");
        if (i > 1)
            test_site_shows(&f->a, "x", i == 2 ? "{text: 'sheep', wool: 'white'}" : "{text: 'sheep', wool: 'black'}");
    }
    static const size_t order[] = {2, 0, 3, 1};
    for (size_t i = 0; i < 4; i++) {
        test_site_admits(&f->b, test_frames_at(&frames, order[i]), GT_ADMITTED);
        test_site_shows(&f->b, "x", i < 2 ? "{text: 'sheep', wool: 'white'}" : "{text: 'sheep', wool: 'black'}");
    }
    test_sites_equal(&f->a, &f->b);
    test_site_edit(&f->a, "x", "sheep", 1, "{text: 'joined'}");
    test_site_send_new(&f->a, &f->b);
    test_site_shows(&f->b, "x", "{text: 'joined', wool: 'black'}");
    test_sites_equal(&f->a, &f->b);
    test_site_reopen(&f->a, TEST_SITE_NO_CHECKPOINT);
    test_site_reopen(&f->b, TEST_SITE_NO_CHECKPOINT);
    test_frames_free(&frames);
}

static void both_creates_of_one_schema_are_merged(void **state) {
    fixture *f = *state;
    test_site_edit(&f->a, "x", "goat", 1, "{tags: set[1], map: {a: 1}}");
    test_site_edit(&f->b, "x", "goat", 1, "{tags: set[2], map: {b: 2}}");
    test_site_send_new(&f->a, &f->b);
    test_site_send_new(&f->b, &f->a);
    test_site_shows(&f->a, "x", "{tags: set[1, 2], map: {a: 1, b: 2}}");
    test_sites_equal(&f->a, &f->b);
}

static void an_unknown_schema_is_carried_then_shown(void **state) {
    fixture *f = *state;
    test_site_learn(&f->a, test_sheep_1);
    test_site_edit(&f->a, "s", "sheep", 1, "{wool: 'white'}");
    for (int i = 0; i < 5; i++) test_site_edit(&f->a, "s", "sheep", 1, "{wool: 'black'}");
    test_site_edit(&f->a, "g", "goat", 1, "{votes: 1}");
    test_site_send_new(&f->a, &f->b);
    test_site_shows(&f->b, "s", NULL);
    test_site_shows(&f->b, "g", "{votes: 1}");
    uint32_t before = f->b.before;
    test_site_learn(&f->b, test_sheep_1);
    assert_int_equal(f->b.before, before + 1); /* of that one item, and of no other */
    assert_int_equal(f->b.after, before + 1);
    test_site_shows(&f->b, "s", "{wool: 'black'}");
    test_sites_equal(&f->a, &f->b);
    uint64_t work = gt_repo_work(f->b.repo);
    for (int i = 0; i < 50; i++) test_site_edit(&f->b, "s", "sheep", 1, "{wool: 'grey'}");
    assert_true(gt_repo_work(f->b.repo) - work < 50 * 8); /* it is an item like others now */
}

static void a_newer_version_is_hidden_while_older_commits_are_shown(void **state) {
    fixture *f = *state;
    test_site_learn(&f->a, test_goat_2);
    gt_id first;
    test_site_admits(&f->a,
                     test_writer_commit(&f->writer, "x", 1, NULL, "{text: 'old', raw: bytes(01), size: 3}", &first),
                     GT_ADMITTED);
    test_site_shows(&f->a, "x", "{text: 'old'}"); /* version 2 has no raw, and size is a string */
    test_site_send_new(&f->a, &f->b);
    test_site_edit(&f->a, "x", "goat", 2, "{extra: 'new', text: 'newer', size: 'big'}");
    test_site_send_new(&f->a, &f->b);
    test_site_shows(&f->b, "x", "{text: 'old', raw: bytes(01), size: 3}");
    assert_int_equal(test_site_head_count(&f->b, "x"), 1);
    test_site_edit(&f->b, "x", "goat", 1, "{votes: 5, size: 4}"); /* on what it sees */
    test_site_shows(&f->b, "x", "{text: 'old', raw: bytes(01), size: 4, votes: 5}");
    test_site_send_new(&f->b, &f->a);
    test_site_shows(&f->a, "x", "{text: 'newer', extra: 'new', size: 'big', votes: 5}");
    test_site_learn(&f->b, test_goat_2);
    test_site_shows(&f->b, "x", "{text: 'newer', extra: 'new', size: 'big', votes: 5}");
    test_sites_equal(&f->a, &f->b);
    test_site_reopen(&f->b, TEST_SITE_NO_CHECKPOINT);
}

/* Through a commit of another namespace, which changes nothing, nobody gets past what he does not see. */
static void what_follows_a_newer_version_by_a_detour_is_hidden_with_it(void **state) {
    fixture *f = *state;
    gt_id id;
    test_frames frames = {0};
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 1, NULL, "{text: 'one', size: 3}", &id));
    test_writer_schema(&f->writer, test_goat_2);
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 2, &id, "{text: 'two', extra: 'new'}", &id));
    test_writer_schema(&f->writer, test_sheep_1);
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 3, &id, "{wool: 'white'}", &id));
    test_writer_schema(&f->writer, test_goat_1);
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 4, &id, "{votes: 1}", &id));
    test_site_learn(&f->a, test_sheep_1);
    test_site_learn(&f->b, test_sheep_1);
    test_site_learn(&f->b, test_goat_2);
    for (size_t i = 0; i < 4; i++) {
        test_site_admits(&f->a, test_frames_at(&frames, i), GT_ADMITTED);
        test_site_admits(&f->b, test_frames_at(&frames, i), GT_ADMITTED);
    }
    test_site_shows(&f->a, "x", "{text: 'one', size: 3}");
    test_site_shows(&f->b, "x", "{text: 'two', extra: 'new', votes: 1}");
    test_site_edit(&f->a, "x", "goat", 1, "{size: 4}");
    test_site_shows(&f->a, "x", "{text: 'one', size: 4}");
    test_site_learn(&f->a, test_goat_2);
    test_site_shows(&f->a, "x", "{text: 'two', extra: 'new', votes: 1}");
    test_frames_free(&frames);
}

static void a_first_commit_of_another_namespace_brings_nothing_back(void **state) {
    fixture *f = *state;
    gt_id id;
    test_frames frames = {0};
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 1, NULL, "{text: 'goat'}", &id));
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 2, &id, "{0: true}", &id));
    test_writer_schema(&f->other, test_sheep_1);
    test_frames_add(&frames, test_writer_commit(&f->other, "x", 3, NULL, "{wool: 'white'}", &id));
    test_site_learn(&f->a, test_sheep_1);
    for (size_t i = 0; i < 3; i++) {
        test_site_admits(&f->a, test_frames_at(&frames, i), GT_ADMITTED);
        if (i > 0) test_site_shows(&f->a, "x", "{0: true, text: 'goat'}");
    }
    test_frames_free(&frames);
}

static const char wool_1[] = "{\"ns\": \"sheep\", \"version\": 1, \"fields\": {\"a\": {\"type\": \"number\"}}}";
static const char wool_2[] = "{\"ns\": \"sheep\", \"version\": 2, \"fields\": {\"a\": {\"type\": \"number\"}},"
                             " \"upgrade\": [{\"map\": \"a\", \"values\": [[1, 2]]}]}";
static const char wool_3[] = "{\"ns\": \"sheep\", \"version\": 3, \"fields\": {\"c\": {\"type\": \"number\"}},"
                             " \"upgrade\": [{\"rename\": \"a\", \"to\": \"c\"}]}";

/* A snapshot says what somebody read who knew other steps: it is no base, and no reason to refuse the commit. */
static void a_version_that_comes_in_between_changes_what_follows_from_older_ones(void **state) {
    fixture *f = *state;
    gt_id id;
    test_frames frames = {0};
    test_writer_schema(&f->writer, wool_1);
    test_frames_add(&frames, test_writer_commit(&f->writer, "x", 1, NULL, "{a: 1}", &id));
    test_writer_schema(&f->writer, wool_3);
    test_writer_leaf(&f->writer, "x", 2, &id, 1, "{}", "{c: 1}");
    test_frames_add(&frames, test_writer_finish(&f->writer));
    test_site_learn(&f->a, wool_1);
    test_site_learn(&f->a, wool_3);
    for (size_t i = 0; i < 2; i++) test_site_admits(&f->a, test_frames_at(&frames, i), GT_ADMITTED);
    test_site_shows(&f->a, "x", "{c: 1}");
    test_site_learn(&f->a, wool_2);
    test_site_shows(&f->a, "x", "{c: 2}");
    test_site_learn(&f->b, wool_1);
    test_site_learn(&f->b, wool_2);
    test_site_learn(&f->b, wool_3);
    for (size_t i = 0; i < 2; i++) test_site_admits(&f->b, test_frames_at(&frames, i), GT_ADMITTED);
    test_site_shows(&f->b, "x", "{c: 2}");
    test_sites_equal(&f->a, &f->b);
    test_site_reopen(&f->a, 0);
    test_site_reopen(&f->b, TEST_SITE_NO_CHECKPOINT);
    test_sites_equal(&f->a, &f->b);
    test_frames_free(&frames);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        PAIR_CASE(of_two_concurrent_creates_the_earlier_gives_the_namespace),
        PAIR_CASE(both_creates_of_one_schema_are_merged),
        PAIR_CASE(an_unknown_schema_is_carried_then_shown),
        PAIR_CASE(a_newer_version_is_hidden_while_older_commits_are_shown),
        PAIR_CASE(what_follows_a_newer_version_by_a_detour_is_hidden_with_it),
        PAIR_CASE(a_first_commit_of_another_namespace_brings_nothing_back),
        PAIR_CASE(a_version_that_comes_in_between_changes_what_follows_from_older_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
