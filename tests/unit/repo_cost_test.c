/* core/repo: what views cost, counted in commits and edits looked at (gt_repo_work), never in time. */
#include "support/test.h"

#include "repo/replays.h"
#include "support/test_pair.h"
#include "support/test_random.h"
#include "support/test_value.h"
#include "value/value.h"

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

/* Two authors write all the time, and each hears of the other's commits only after one more of his own: no set of commits is
 * ever an ancestor of all that come later, so the last common point stays where they began. */
static void those_who_never_pause_pay_for_what_is_new(void **state) {
    fixture *f = *state;
    enum { ROUNDS = 1000, TENTH = ROUNDS / 10 };
    gt_id own[2], before[2], root;
    uint64_t most[10] = {0};
    test_writer *writers[] = {&f->writer, &f->other};
    gt_bytes first = test_writer_commit(&f->writer, "x", 1, NULL, "{list: [0], votes: 1}", &root);
    test_site_admits(&f->a, first, GT_ADMITTED);
    test_site_admits(&f->b, first, GT_ADMITTED);
    for (int w = 0; w < 2; w++) own[w] = before[w] = root;
    for (uint32_t i = 0; i < ROUNDS; i++) {
        gt_id next[2];
        for (int w = 0; w < 2; w++) {
            gt_id parents[] = {own[w], before[!w]};
            uint32_t count =
                i < 2 ? 1 : 2; /* as long as both are the first commit, or it is an ancestor of the other */
            next[w] = test_writer_leaf(writers[w], "x", 2 + i, parents, count,
                                       w == 0 ? "{list: {0: [['a']]}}" : "{list: {0: [['b', 'b'], -1]}}", NULL);
            gt_bytes frame = test_writer_finish(writers[w]);
            uint64_t work = gt_repo_work(f->a.repo);
            test_site_admits(&f->a, frame, GT_ADMITTED);
            look(&f->a, "x");
            work = gt_repo_work(f->a.repo) - work;
            if (work > most[i / TENTH]) most[i / TENTH] = work;
            test_site_admits(&f->b, frame, GT_ADMITTED);
        }
        for (int w = 0; w < 2; w++) {
            before[w] = own[w];
            own[w] = next[w];
        }
    }
    printf("work for one commit: %llu at most in the first tenth, %llu in the last\n", (unsigned long long)most[0],
           (unsigned long long)most[9]);
    assert_true(most[9] < 50);
    assert_int_equal(test_site_head_count(&f->a, "x"), 2);
    test_sites_equal(&f->a, &f->b); /* who never looked until now */
}

/* Items that two authors edit beside each other; `size` characters are in each. */
static void edit_beside(fixture *f, uint32_t number, size_t size) {
    char key[16];
    gt_id first;
    char *delta = test_malloc(size + 40);
    snprintf(key, sizeof key, "k%u", (unsigned)number);
    memset(delta, 'x', size + 40);
    memcpy(delta, "{text: '", 8);
    memcpy(delta + 8 + size, "', votes: 1}", 13);
    test_site_admits(&f->a, test_writer_commit(&f->writer, key, 1, NULL, delta, &first), GT_ADMITTED);
    test_site_admits(&f->a, test_writer_commit(&f->writer, key, 2, &first, "{votes: 1}", NULL), GT_ADMITTED);
    test_site_admits(&f->a, test_writer_commit(&f->other, key, 3, &first, "{votes: 1}", NULL), GT_ADMITTED);
    look(&f->a, key);
    test_free(delta);
}

static void what_is_kept_of_items_is_bounded(void **state) {
    fixture *f = *state;
    enum { LARGE = 3 << 20 };
    size_t bytes, before;
    for (uint32_t i = 0; i < GT_REPLAYS_MAX; i++) edit_beside(f, i, 10);
    assert_int_equal(gt_replays_count(f->a.repo, &before), GT_REPLAYS_MAX);
    edit_beside(f, GT_REPLAYS_MAX, 10);
    assert_int_equal(gt_replays_count(f->a.repo, &bytes), GT_REPLAYS_MAX);
    assert_int_equal(bytes, before);
    uint32_t fit = GT_REPLAYS_BYTES_MAX / LARGE;
    for (uint32_t i = 1; i <= fit + 2; i++) {
        edit_beside(f, GT_REPLAYS_MAX + i, LARGE);
        uint32_t count = gt_replays_count(f->a.repo, &bytes);
        assert_true(bytes <= GT_REPLAYS_BYTES_MAX && bytes > (i < fit ? i : fit - 1) * (size_t)LARGE);
        assert_true(i <= fit ? count == GT_REPLAYS_MAX : count == fit); /* those that were used last */
    }
}

/* Commits that come in one batch, each on the one before: nobody sees the states between them. */
static gt_bytes capture_line(test_site *site, const char *key, uint32_t count) {
    gt_capture *capture = NULL;
    gt_signer signer = {site->own->session, &site->own->secret};
    gt_buf heads;
    gt_id head;
    gt_bytes delta = test_value("{votes: 1}");
    gt_buf_init(&heads, &gt_alloc_system);
    assert_int_equal(gt_repo_heads(site->repo, gt_repo_find(site->repo, gt_bytes_text(key)), &heads, NULL), GOAT_OK);
    memcpy(head.bytes, heads.data, GT_ID_SIZE);
    assert_int_equal(gt_capture_begin(site->repo, &capture, NULL), GOAT_OK);
    for (uint32_t i = 0; i < count; i++) {
        gt_leaf leaf = {.key = gt_bytes_text(key),
                        .parents = &head,
                        .parent_count = 1,
                        .schema = test_site_schema(site, "goat", 1),
                        .delta = delta};
        gt_id id;
        assert_int_equal(gt_capture_add(capture, &signer, &leaf, &id, NULL), GOAT_OK);
        head = id;
    }
    assert_int_equal(gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL), GOAT_OK);
    test_value_free(delta);
    gt_buf_free(&heads);
    return test_site_next_frame(site);
}

static void a_line_of_commits_in_one_batch_makes_one_state(void **state) {
    enum { COMMITS = 500, BYTES = 20000 };
    static char large[BYTES + 40];
    (void)state;
    test_pair *f = calloc(1, sizeof *f);
    assert_non_null(f);
    test_pair_begin(f, 0);
    memset(large, 'x', sizeof large - 1);
    memcpy(large, "{text: '", 8);
    memcpy(large + BYTES, "', votes: 1}", 13);
    test_site_edit(&f->a, "x", "goat", 1, large);
    test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}"); /* the state is in memory from here on */
    test_site_send_new(&f->a, &f->b);
    look(&f->b, "x");
    uint64_t own = f->a.memory.bytes, theirs = f->b.memory.bytes;
    gt_bytes frame = capture_line(&f->a, "x", COMMITS);
    test_site_admits(&f->b, frame, GT_ADMITTED);
    look(&f->a, "x");
    look(&f->b, "x");
    assert_true(f->a.memory.bytes - own < (COMMITS / 4) * BYTES);
    assert_true(f->b.memory.bytes - theirs < (COMMITS / 4) * BYTES);
    test_sites_equal(&f->a, &f->b);
    gt_seen seen;
    int64_t votes = 0;
    assert_int_equal(gt_repo_view(f->b.repo, gt_repo_find(f->b.repo, gt_bytes_text("x")), &seen, NULL), GOAT_OK);
    assert_true(gt_value_as_int64(gt_map_find(seen.view.bytes, gt_bytes_text("votes")), &votes));
    assert_int_equal(votes, COMMITS + 2);
    gt_view_drop(f->b.alloc, &seen.view);
    void *pair = f;
    test_pair_tear_down(&pair);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, test_pair_tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_merge_costs_in_proportion_to_what_came_since_the_common_point),
        CASE(an_edit_of_a_long_history_costs_what_the_first_one_did),
        CASE(two_who_type_at_once_keep_it_cheap),
        CASE(those_who_never_pause_pay_for_what_is_new),
        CASE(what_is_kept_of_items_is_bounded),
        cmocka_unit_test(a_line_of_commits_in_one_batch_makes_one_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
