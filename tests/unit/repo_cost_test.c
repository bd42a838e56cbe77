/* core/repo: what views cost, counted in commits and edits looked at (gt_repo_work), never in time. */
#include "support/test.h"

#include "support/test_pair.h"
#include "support/test_random.h"
#include "support/test_value.h"

#include <stdio.h>
#include <stdlib.h>

typedef test_pair fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    test_pair_begin(f, TEST_SITE_FAST);
    *state = f;
    return 0;
}

static void look(test_site *site, const char *key) {
    gt_seen seen;
    assert_int_equal(gt_repo_view(site->repo, gt_repo_find(site->repo, gt_bytes_text(key)), &seen, NULL), GOAT_OK);
    gt_view_drop(site->alloc, &seen.view);
}

static void skip_own(test_site *site) {
    while (test_site_next_frame(site).data != NULL) {
    }
}

/* A and B agree, then write k commits each without hearing of each other. */
static uint64_t work_of_merge(fixture *f, const char *key, int k) {
    test_site_edit(&f->a, key, "goat", 1, "{text: 'common', votes: 1}");
    test_site_send_new(&f->a, &f->b);
    skip_own(&f->b);
    for (int i = 0; i < k; i++) {
        test_site_edit(&f->a, key, "goat", 1, "{votes: 1}");
        test_site_edit(&f->b, key, "goat", 1, "{tags: set[1]}");
    }
    test_site_send_new(&f->b, &f->a);
    uint64_t before = gt_repo_work(f->a.repo);
    look(&f->a, key);
    uint64_t work = gt_repo_work(f->a.repo) - before;
    skip_own(&f->a);
    skip_own(&f->b);
    return work;
}

static void a_merge_costs_in_proportion_to_what_came_since_the_common_point(void **state) {
    fixture *f = *state;
    uint64_t last = 0;
    for (int k = 64; k <= 1024; k *= 2) {
        char key[16];
        snprintf(key, sizeof key, "k%d", k & 0xffff);
        uint64_t work = work_of_merge(f, key, k);
        printf("%d commits on each side: %llu\n", k, (unsigned long long)work);
        assert_true(work >= (uint64_t)k && work < (uint64_t)k * 20);
        if (last > 0) assert_true(work < last * 5 / 2);
        last = work;
    }
}

static void an_edit_of_a_long_history_costs_what_the_first_one_did(void **state) {
    fixture *f = *state;
    enum { COMMITS = 10000, STEP = 1000 };
    uint64_t first = 0, first_there = 0;
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'x', votes: 1}");
    test_site_send_new(&f->a, &f->b);
    for (int i = 0; i < COMMITS / STEP; i++) {
        uint64_t work = gt_repo_work(f->a.repo), there = gt_repo_work(f->b.repo);
        for (int k = 0; k < STEP; k++) {
            test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
            test_site_send_new(&f->a, &f->b);
            look(&f->b, "x");
        }
        work = gt_repo_work(f->a.repo) - work;
        there = gt_repo_work(f->b.repo) - there;
        if (i == 0) {
            first = work;
            first_there = there;
        }
        assert_true(work <= first + STEP / 10 && work < STEP * 8);
        assert_true(there <= first_there + STEP / 10 && there < STEP * 8);
    }
    assert_int_equal(gt_repo_entry_count(f->b.repo), COMMITS + 1);
    uint64_t work = gt_repo_work(f->b.repo);
    test_site_close(&f->b);
    test_site_open(&f->b, TEST_SITE_NO_CHECKPOINT);
    look(&f->b, "x");
    assert_true(gt_repo_work(f->b.repo) <= work);
}

/* A frame on its way. */
typedef struct message {
    uint64_t arrives_ms;
    gt_bytes frame;
    test_site *to;
} message;

/* Two authors type into one item, a capture each 333 ms, and hear of each other after a while that now and then is
 * longer than the time between two captures, so that some cross on the way. */
static void two_who_type_at_once_keep_it_cheap(void **state) {
    fixture *f = *state;
    enum { CAPTURES = 4000, QUARTER = CAPTURES / 4, MESSAGES = 16 };
    message messages[MESSAGES] = {{0}};
    test_random random;
    uint64_t work[4] = {0}, most = 0;
    uint32_t crossed = 0;
    test_random_init(&random, __func__);
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'x', tags: set[1]}");
    test_site_send_new(&f->a, &f->b);
    skip_own(&f->b);
    for (uint32_t i = 0; i < CAPTURES; i++) {
        uint64_t now = (uint64_t)i * 333 / 2; /* they take turns */
        test_site *site = i % 2 == 0 ? &f->a : &f->b, *other = i % 2 == 0 ? &f->b : &f->a;
        uint64_t before = gt_repo_work(f->a.repo) + gt_repo_work(f->b.repo);
        for (int m = 0; m < MESSAGES; m++) {
            if (messages[m].frame.data == NULL || messages[m].arrives_ms > now) continue;
            gt_admission outcome;
            assert_int_equal(test_site_admit(messages[m].to, messages[m].frame, &outcome, NULL), GOAT_OK);
            messages[m].frame = gt_bytes_of(NULL, 0);
            skip_own(messages[m].to);
            look(messages[m].to, "x");
        }
        gt_sim_set_wall_ms(&site->clock, 1700000000000 + (int64_t)now);
        char delta[40];
        snprintf(delta, sizeof delta, "{text: 't%u', votes: 1}", (unsigned)i);
        test_site_edit(site, "x", "goat", 1, delta);
        gt_bytes frame = test_site_next_frame(site);
        bool slow = test_random_below(&random, 100) < 30;
        crossed += slow;
        for (int m = 0;; m++) {
            assert_true(m < MESSAGES);
            if (messages[m].frame.data != NULL) continue;
            messages[m] = (message){now + (slow ? 200 : 20) + test_random_below(&random, 100), frame, other};
            break;
        }
        uint64_t cost = gt_repo_work(f->a.repo) + gt_repo_work(f->b.repo) - before;
        work[i / QUARTER] += cost;
        most = cost > most ? cost : most;
    }
    printf("%u of %d late; work by quarter %llu %llu %llu %llu, most for one capture %llu\n", (unsigned)crossed,
           CAPTURES, (unsigned long long)work[0], (unsigned long long)work[1], (unsigned long long)work[2],
           (unsigned long long)work[3], (unsigned long long)most);
    assert_true(work[3] < work[0] * 2);
    assert_true(work[3] < QUARTER * 60);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, test_pair_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_merge_costs_in_proportion_to_what_came_since_the_common_point),
        CASE(an_edit_of_a_long_history_costs_what_the_first_one_did),
        CASE(two_who_type_at_once_keep_it_cheap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
