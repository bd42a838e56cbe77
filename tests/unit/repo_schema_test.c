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

int main(void) {
    const struct CMUnitTest tests[] = {
        PAIR_CASE(of_two_concurrent_creates_the_earlier_gives_the_namespace),
        PAIR_CASE(both_creates_of_one_schema_are_merged),
        PAIR_CASE(an_unknown_schema_is_carried_then_shown),
        PAIR_CASE(a_newer_version_is_hidden_while_older_commits_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
