/* core/repo: an item's commits in the order of time, in pages, and by the beginnings of their ids. What they cost is counted
 * in rows looked at (gt_repo_work). */
#include "support/test.h"

#include "repo/history.h"
#include "repo/tables.h"
#include "support/test_pair.h"
#include "support/test_random.h"

#include <stdlib.h>

enum { BRANCHES = 6, BATCH = 250 };

typedef struct fixture {
    test_pair pair;
    test_random random;
    gt_id tips[BRANCHES]; /* the last commit of each branch; two may have the same */
    uint32_t times[BRANCHES];
    bool has_tips;
    bool is_apart; /* the last branch hears of no other */
} fixture;

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    test_pair_begin(&f->pair, TEST_SITE_FAST);
    test_random_init(&f->random, "repo_history_test");
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    test_pair_end(&f->pair);
    free(f);
    return 0;
}

/* So many more commits on one branch, now and then on another one's too: what comes together lies side by side in time with
 * what other branches have. */
static void grow(fixture *f, uint32_t branch, uint32_t count) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t other = test_random_below(&f->random, 20) == 0 ? test_random_below(&f->random, BRANCHES) : branch;
        if (f->is_apart && branch == BRANCHES - 1) other = branch;
        bool two = f->has_tips && memcmp(&f->tips[other], &f->tips[branch], sizeof(gt_id)) != 0;
        gt_id parents[2] = {f->tips[branch], f->tips[other]};
        uint32_t time = f->times[other] > f->times[branch] ? f->times[other] : f->times[branch];
        if (!two) time = f->times[branch];
        time += 1 + test_random_below(&f->random, 3);
        gt_id id = test_writer_leaf(&f->pair.writer, "x", time, parents, f->has_tips ? 1 + two : 0, "{votes: 1}", NULL);
        for (uint32_t k = 0; k < BRANCHES; k++) {
            if (f->has_tips && k != branch) continue;
            f->tips[k] = id;
            f->times[k] = time;
        }
        f->has_tips = true;
    }
    test_site_admits(&f->pair.a, test_writer_finish(&f->pair.writer), GT_ADMITTED);
}

static void grow_to(fixture *f, uint32_t count) {
    grow(f, 0, 1);
    for (uint32_t i = 0; gt_repo_commit_count(f->pair.a.repo) < count; i++) {
        uint32_t left = count - gt_repo_commit_count(f->pair.a.repo);
        grow(f, i % BRANCHES, left < BATCH ? left : BATCH);
    }
}

static gt_history_part all(const fixture *f) {
    return (gt_history_part){.item = 0, .end = gt_repo_commit_count(f->pair.a.repo)};
}

/* Up to `size` rows that come before the last of `rows`, onto them; how many there were. */
static uint32_t take_page(fixture *f, gt_history *history, const gt_history_part *part, uint32_t size, gt_buf *rows) {
    uint32_t before = GT_NONE, count = 0;
    if (rows->len > 0) memcpy(&before, rows->data + rows->len - sizeof before, sizeof before);
    assert_int_equal(gt_history_seek(f->pair.a.repo, history, part, before, NULL), GOAT_OK);
    for (; count < size; count++) {
        uint32_t row;
        assert_int_equal(gt_history_next(f->pair.a.repo, history, &row, NULL), GOAT_OK);
        if (row == GT_NONE) break;
        gt_buf_append(rows, &row, sizeof row);
    }
    return count;
}

static uint32_t row_at(const gt_buf *rows, size_t index) {
    uint32_t row;
    memcpy(&row, rows->data + index * sizeof row, sizeof row);
    return row;
}

/* Each later than the one behind it; so none is there twice. */
static void assert_ordered(const fixture *f, const gt_buf *rows) {
    for (size_t i = 1; i < rows->len / sizeof(uint32_t); i++) {
        const gt_commit_row *later = gt_commit_at(f->pair.a.repo, row_at(rows, i - 1));
        assert_true(gt_commit_order(later, gt_commit_at(f->pair.a.repo, row_at(rows, i))) > 0);
    }
}

static void pages_of_any_size_make_the_whole_history_in_order(void **state) {
    fixture *f = *state;
    enum { COMMITS = 2000 };
    gt_buf rows;
    grow_to(f, COMMITS);
    gt_history_part part = all(f);
    for (uint32_t size = 1; size <= COMMITS + 1; size = size * 7 + 1) {
        for (int afresh = 0; afresh < (size < 50 ? 1 : 2); afresh++) {
            gt_history history = {0};
            gt_buf_init(&rows, &gt_alloc_system);
            while (take_page(f, &history, &part, size, &rows) == size) {
                if (afresh) gt_history_free(f->pair.a.alloc, &history);
            }
            assert_int_equal(rows.len, COMMITS * sizeof(uint32_t));
            assert_ordered(f, &rows);
            gt_history_free(f->pair.a.alloc, &history);
            gt_buf_free(&rows);
        }
    }
}

static void a_whole_history_costs_its_commits_however_small_the_pages(void **state) {
    fixture *f = *state;
    enum { COMMITS = 50000 };
    grow_to(f, COMMITS);
    gt_history_part part = all(f);
    for (uint32_t size = 10; size <= COMMITS; size *= 10) {
        gt_history history = {0};
        gt_buf rows;
        gt_buf_init(&rows, &gt_alloc_system);
        uint64_t begin = gt_repo_work(f->pair.a.repo), most = 0;
        for (uint32_t got = size; got == size;) {
            uint64_t before = gt_repo_work(f->pair.a.repo);
            got = take_page(f, &history, &part, size, &rows);
            uint64_t work = gt_repo_work(f->pair.a.repo) - before;
            if (rows.len > size * sizeof(uint32_t) && work > most) most = work;
        }
        assert_int_equal(rows.len, COMMITS * sizeof(uint32_t));
        assert_true(most <= size); /* of any page but the first, which looks for the heads */
        assert_true(gt_repo_work(f->pair.a.repo) - begin <= 2 * COMMITS);
        gt_history_free(f->pair.a.alloc, &history);
        gt_buf_free(&rows);
    }
}

static void what_comes_meanwhile_costs_what_it_is_and_has_its_place(void **state) {
    fixture *f = *state;
    enum { COMMITS = 6000, SIZE = 40 };
    gt_history history = {0};
    gt_buf rows;
    gt_buf_init(&rows, &gt_alloc_system);
    grow_to(f, COMMITS / 2);
    uint32_t known = gt_repo_commit_count(f->pair.a.repo);
    uint64_t begin = gt_repo_work(f->pair.a.repo), admitting = 0;
    f->times[BRANCHES - 1] = 10; /* somebody was away for long, and writes on the first commit */
    f->tips[BRANCHES - 1] = gt_commit_at(f->pair.a.repo, 0)->id;
    f->is_apart = true;
    for (uint32_t got = SIZE; got == SIZE;) {
        gt_history_part part = all(f);
        got = take_page(f, &history, &part, SIZE, &rows);
        uint64_t before = gt_repo_work(f->pair.a.repo);
        if (gt_repo_commit_count(f->pair.a.repo) < COMMITS) {
            grow(f, test_random_below(&f->random, 2) == 0 ? BRANCHES - 1 : 0, SIZE / 2);
        }
        admitting += gt_repo_work(f->pair.a.repo) - before;
    }
    assert_ordered(f, &rows);
    bool *met = calloc(COMMITS * 2, sizeof *met);
    for (size_t i = 0; i < rows.len / sizeof(uint32_t); i++) met[row_at(&rows, i)] = true;
    uint32_t late = 0;
    for (uint32_t row = 0; row < gt_repo_commit_count(f->pair.a.repo); row++) {
        assert_true(row >= known || met[row]); /* what was there when it began */
        late += row >= known && met[row];
    }
    assert_true(late > 20); /* most of the others came too late, or are later than where it began */
    assert_true(gt_repo_work(f->pair.a.repo) - begin - admitting <= 3 * COMMITS);
    free(met);
    gt_history_free(f->pair.a.alloc, &history);
    gt_buf_free(&rows);
}

/* What a commit comes from, by the definition. */
static void mark_ancestry(gt_repo *repo, uint32_t row, bool *seen) {
    seen[row] = true;
    for (uint32_t at = row + 1; at-- > 0;) {
        for (uint32_t i = 0; seen[at] && i < gt_commit_at(repo, at)->parent_count; i++) {
            seen[gt_parent_at(repo, gt_commit_at(repo, at), i)] = true;
        }
    }
}

static void of_what_came_after_a_point_only_what_is_named_is_met(void **state) {
    fixture *f = *state;
    enum { COMMITS = 600 };
    gt_repo *repo = f->pair.a.repo;
    grow_to(f, COMMITS);
    for (int round = 0; round < 40; round++) {
        gt_history history = {0};
        gt_buf rows;
        gt_buf_init(&rows, &gt_alloc_system);
        bool seen[COMMITS] = {0};
        uint32_t end = test_random_below(&f->random, COMMITS), own = test_random_below(&f->random, COMMITS);
        gt_history_part part = {.item = 0, .end = end, .heads = &gt_commit_at(repo, own)->id, .head_count = 1};
        for (uint32_t row = 0; row < end; row++) seen[row] = true;
        mark_ancestry(repo, own, seen);
        while (take_page(f, &history, &part, 17, &rows) == 17) {
        }
        assert_ordered(f, &rows);
        for (size_t i = 0; i < rows.len / sizeof(uint32_t); i++) {
            assert_true(seen[row_at(&rows, i)]);
            seen[row_at(&rows, i)] = false;
        }
        for (uint32_t row = 0; row < COMMITS; row++) assert_false(seen[row]);
        gt_history_free(f->pair.a.alloc, &history);
        gt_buf_free(&rows);
    }
}

/* Goes on until the end, whatever fails on the way; the allocation after the next `allowed` ones does. */
static uint32_t walk_with_a_failure(fixture *f, const gt_history_part *part, uint64_t allowed, gt_buf *rows) {
    gt_history history = {0};
    uint32_t row = GT_NONE, failures = 0;
    f->pair.a.memory.left = allowed;
    f->pair.a.memory.once = true;
    for (bool ended = false; !ended;) {
        goat_status status = gt_history_seek(f->pair.a.repo, &history, part, row, NULL);
        while (status == GOAT_OK && !ended) {
            uint32_t next;
            status = gt_history_next(f->pair.a.repo, &history, &next, NULL);
            ended = status == GOAT_OK && next == GT_NONE;
            if (status != GOAT_OK || ended) break;
            gt_buf_append(rows, &next, sizeof next);
            row = next;
        }
        if (status != GOAT_OK) assert_int_equal(status, GOAT_NO_MEMORY);
        failures += status != GOAT_OK;
    }
    f->pair.a.memory.left = TEST_ALLOC_NEVER;
    gt_history_free(f->pair.a.alloc, &history);
    return failures;
}

static void without_memory_nothing_is_left_out(void **state) {
    (void)state;
    fixture f = {0};
    enum { COMMITS = 300 };
    test_pair_begin(&f.pair, 0);
    test_random_init(&f.random, "without memory");
    grow_to(&f, COMMITS);
    gt_history_part part = all(&f);
    for (uint64_t allowed = 0;; allowed++) {
        gt_buf rows;
        gt_buf_init(&rows, &gt_alloc_system);
        uint32_t failures = walk_with_a_failure(&f, &part, allowed, &rows);
        assert_int_equal(rows.len, COMMITS * sizeof(uint32_t));
        assert_ordered(&f, &rows);
        gt_buf_free(&rows);
        if (failures == 0) {
            assert_true(allowed > 0);
            break;
        }
        assert_int_equal(failures, 1);
    }
    test_pair_end(&f.pair);
}

static void a_commit_is_found_by_what_only_its_id_begins_with(void **state) {
    fixture *f = *state;
    gt_repo *repo = f->pair.a.repo;
    uint32_t row, several = 0;
    grow_to(f, 40); /* more than there are digits: some ids begin alike */
    gt_id elsewhere = test_site_edit(&f->pair.a, "y", "goat", 1, "{votes: 1}");
    for (uint32_t wanted = 0; wanted < 40; wanted++) {
        const gt_id *id = &gt_commit_at(repo, wanted)->id;
        for (uint32_t digits = 0; digits <= 2 * GT_ID_SIZE; digits++) {
            uint32_t alike = 0;
            for (uint32_t at = 0; at < 40; at++) alike += gt_id_begins(&gt_commit_at(repo, at)->id, id, digits);
            goat_status status = gt_history_find(repo, 0, id, digits, &row, NULL);
            assert_int_equal(status, alike == 1 ? GOAT_OK : GOAT_INVALID);
            if (alike == 1) assert_int_equal(row, wanted);
            several += digits == 1 && alike > 1;
        }
        gt_id other = *id;
        other.bytes[4] ^= 1; /* the tenth digit */
        assert_int_equal(gt_history_find(repo, 0, &other, 9, &row, NULL), GOAT_OK);
        assert_int_equal(gt_history_find(repo, 0, &other, 10, &row, NULL), GOAT_NOT_FOUND);
        assert_int_equal(gt_history_find(repo, 0, &other, 2 * GT_ID_SIZE, &row, NULL), GOAT_NOT_FOUND);
    }
    assert_true(several > 0);
    assert_int_equal(gt_history_find(repo, 0, &elsewhere, 2 * GT_ID_SIZE, &row, NULL), GOAT_NOT_FOUND);
    assert_int_equal(gt_history_find(repo, 1, &elsewhere, 2 * GT_ID_SIZE, &row, NULL), GOAT_OK);
}

int main(void) {
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(pages_of_any_size_make_the_whole_history_in_order),
        CASE(a_whole_history_costs_its_commits_however_small_the_pages),
        CASE(what_comes_meanwhile_costs_what_it_is_and_has_its_place),
        CASE(of_what_came_after_a_point_only_what_is_named_is_met),
        cmocka_unit_test(without_memory_nothing_is_left_out),
        CASE(a_commit_is_found_by_what_only_its_id_begins_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
