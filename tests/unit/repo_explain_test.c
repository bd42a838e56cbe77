/* core/repo: where the fields of a view come from, claim by claim; and what it costs to say so. */
#include "support/test.h"

#include "repo/repo.h"
#include "support/test_pair.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

typedef test_pair fixture;

/* ---- helpers ---- */

/* Of the present view of an item; `field` may be NULL. */
static goat_status try_explain(test_site *site, const char *key, const char *field, uint32_t limit, gt_buf *out,
                               gt_diag *diag) {
    gt_seen seen;
    gt_buf heads;
    gt_diag_init(diag);
    gt_buf_init(out, &gt_alloc_system);
    gt_buf_init(&heads, &gt_alloc_system);
    uint32_t item = gt_repo_find(site->repo, gt_bytes_text(key));
    assert_int_equal(gt_repo_view(site->repo, item, &seen, NULL), GOAT_OK);
    assert_int_equal(gt_repo_heads(site->repo, item, &heads, NULL), GOAT_OK);
    gt_explain_request request = {.heads = (const gt_id *)(const void *)heads.data,
                                  .head_count = (uint32_t)(heads.len / GT_ID_SIZE),
                                  .view = seen.view.bytes,
                                  .limit = limit,
                                  .is_present = true};
    if (field != NULL) request.field = gt_bytes_text(field);
    goat_status status = gt_repo_explain(site->repo, item, &request, out, diag);
    gt_view_drop(site->alloc, &seen.view);
    gt_buf_free(&heads);
    return status;
}

static gt_bytes explain(test_site *site, const char *key, const char *field, uint32_t limit, gt_buf *out) {
    gt_diag diag;
    if (try_explain(site, key, field, limit, out, &diag) != GOAT_OK) fail_msg("%s", diag.message);
    assert_int_equal(gt_value_check(gt_buf_bytes(out), 0, NULL), GOAT_OK);
    return gt_buf_bytes(out);
}

static gt_bytes member(gt_bytes map, const char *name) { return gt_map_find(map, gt_bytes_text(name)); }

static gt_bytes element(gt_bytes array, size_t index) {
    gt_bytes found = {0};
    gt_iter iter = gt_array_iter(array);
    for (size_t i = 0; i <= index; i++) assert_true(gt_array_next(&iter, &found));
    return found;
}

static gt_bytes only_field(gt_bytes explanation) {
    assert_int_equal(gt_value_count(member(explanation, "fields")), 1);
    return element(member(explanation, "fields"), 0);
}

static bool is_id(gt_bytes value, const gt_id *id) {
    gt_bytes bytes;
    return gt_value_as_bytes(value, &bytes) && bytes.len == GT_ID_SIZE && memcmp(bytes.data, id, GT_ID_SIZE) == 0;
}

/* That the next commit listed is this one, with this effect and these parts; `by` may be NULL. */
static void lists(gt_bytes field, size_t index, const gt_id *id, const char *effect, const char *parts,
                  const gt_id *by) {
    gt_bytes commit = element(member(field, "commits"), index);
    assert_true(is_id(member(commit, "id"), id));
    assert_value(member(commit, "effect"), effect);
    assert_value(member(commit, "parts"), parts);
    assert_int_equal(gt_value_count(member(commit, "by")), by != NULL);
    if (by != NULL) assert_true(is_id(element(member(commit, "by"), 0), by));
}

static bool is_settled(gt_bytes field, size_t index) {
    bool settled = false;
    assert_true(gt_value_as_bool(member(element(member(field, "commits"), index), "settled"), &settled));
    return settled;
}

static void meet(fixture *f) {
    test_site_send_new(&f->a, &f->b);
    test_site_send_new(&f->b, &f->a);
}

#define WRITTEN "[{what: 'written', count: 1, stands: 1}]"
#define LOST "[{what: 'written', count: 1, stands: 0}]"

/* ---- claims ---- */

static void the_later_of_two_writes_is_kept_and_named(void **state) {
    fixture *f = *state;
    gt_buf out;
    gt_id first = test_site_edit(&f->a, "x", "goat", 1, "{text: 'one', votes: 1}");
    meet(f);
    gt_id mine = test_site_edit(&f->a, "x", "goat", 1, "{text: 'mine'}");
    gt_sim_advance_ms(&f->b.clock, 5000);
    gt_id theirs = test_site_edit(&f->b, "x", "goat", 1, "{text: 'theirs'}");
    meet(f);
    gt_bytes all = explain(&f->a, "x", "text", UINT32_MAX, &out), field = only_field(all);
    assert_int_equal(gt_value_count(member(all, "at")), 2);
    assert_int_equal(gt_value_count(member(all, "base")), 1);
    assert_true(is_id(element(member(all, "base"), 0), &first));
    assert_value(member(all, "deleted"), "false");
    assert_value(member(field, "rule"), "'the later write'");
    assert_value(member(field, "type"), "'string'");
    assert_value(member(field, "state"), "'set'");
    assert_int_equal(gt_value_count(member(field, "commits")), 2);
    lists(field, 0, &theirs, "'kept'", WRITTEN, NULL);
    lists(field, 1, &mine, "'overridden'", LOST, &theirs);
    assert_false(is_settled(field, 0));
    assert_value(member(member(field, "earlier"), "effect"), "'overridden'");
    gt_buf_free(&out);
    /* Nobody edited it after the base: it comes from below. */
    field = only_field(explain(&f->b, "x", "votes", UINT32_MAX, &out));
    assert_int_equal(gt_value_count(member(field, "commits")), 1);
    lists(field, 0, &first, "'kept'", "[{what: 'incremented', by: 1, count: 1, stands: 1}]", NULL);
    assert_true(is_settled(field, 0));
    assert_null(member(field, "earlier").data);
    gt_buf_free(&out);
}

static void the_last_write_is_found_below_the_base_and_no_further(void **state) {
    fixture *f = *state;
    gt_buf out;
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'one'}");
    gt_id write = test_site_edit(&f->a, "x", "goat", 1, "{text: 'two'}");
    for (int i = 0; i < 100; i++) test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    gt_bytes field = only_field(explain(&f->a, "x", "text", UINT32_MAX, &out));
    assert_int_equal(gt_value_count(member(field, "commits")), 1);
    lists(field, 0, &write, "'kept'", WRITTEN, NULL);
    assert_true(is_settled(field, 0));
    assert_value(member(member(field, "earlier"), "effect"), "'overridden'");
    gt_buf_free(&out);
    field = only_field(explain(&f->a, "x", "votes", 10, &out));
    assert_int_equal(gt_value_count(member(field, "commits")), 10);
    assert_value(member(field, "more"), "90");
    gt_buf_free(&out);
}

static void of_sets_and_maps_each_element_is_told(void **state) {
    fixture *f = *state;
    gt_buf out;
    gt_id first = test_site_edit(&f->a, "x", "goat", 1, "{tags: set[1, 2], map: {a: 1}}");
    meet(f);
    gt_id mine = test_site_edit(&f->a, "x", "goat", 1, "{tags: {0: set[3], 1: set[1]}, map: {a: 2, b: 1}}");
    gt_sim_advance_ms(&f->b.clock, 5000);
    gt_id theirs = test_site_edit(&f->b, "x", "goat", 1, "{tags: set[1], map: {a: 3}}");
    meet(f);
    test_site_shows(&f->a, "x", "{tags: set[1, 2, 3], map: {a: 3, b: 1}}");
    gt_bytes field = only_field(explain(&f->a, "x", "tags", UINT32_MAX, &out));
    lists(field, 0, &theirs, "'kept'", "[{key: 1, what: 'added', count: 1, stands: 1}]", NULL);
    lists(field, 1, &mine, "'part'",
          "[{key: 3, what: 'added', count: 1, stands: 1}, {key: 1, what: 'removed', count: 1, stands: 0}]", &theirs);
    lists(field, 2, &first, "'part'",
          "[{key: 1, what: 'added', count: 1, stands: 0}, {key: 2, what: 'added', count: 1, stands: 1}]", &mine);
    gt_buf_free(&out);
    field = only_field(explain(&f->a, "x", "map", UINT32_MAX, &out));
    lists(field, 0, &theirs, "'kept'", "[{key: 'a', what: 'put', count: 1, stands: 1}]", NULL);
    lists(field, 1, &mine, "'part'",
          "[{key: 'a', what: 'put', count: 1, stands: 0}, {key: 'b', what: 'put', count: 1, stands: 1}]", &theirs);
    gt_buf_free(&out);
}

static void a_field_that_is_not_set_tells_who_unset_it(void **state) {
    fixture *f = *state;
    gt_buf out;
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'one'}");
    gt_id unset = test_site_edit(&f->a, "x", "goat", 1, "{text: undefined}");
    gt_bytes field = only_field(explain(&f->a, "x", "text", UINT32_MAX, &out));
    assert_value(member(field, "state"), "'unset'");
    lists(field, 0, &unset, "'kept'", "[{what: 'unset', count: 1, stands: 1}]", NULL);
    gt_buf_free(&out);
    field = only_field(explain(&f->a, "x", "raw", UINT32_MAX, &out));
    assert_int_equal(gt_value_count(member(field, "commits")), 0);
    gt_buf_free(&out);
}

static void who_brought_an_item_back_stays_named(void **state) {
    fixture *f = *state;
    gt_buf out;
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'one'}");
    test_site_edit(&f->a, "x", "goat", 1, "{0: true}");
    gt_id back = test_site_edit(&f->a, "x", "goat", 1, "{size: 2}");
    for (int i = 0; i < 3; i++) { /* and nobody else, whatever comes after it */
        gt_bytes commit = element(member(explain(&f->a, "x", NULL, UINT32_MAX, &out), "deletions"), 0);
        assert_value(member(commit, "effect"), "'overridden'");
        assert_int_equal(gt_value_count(member(commit, "by")), 1);
        assert_true(is_id(element(member(commit, "by"), 0), &back));
        gt_buf_free(&out);
        test_site_edit(&f->a, "x", "goat", 1, i == 0 ? "{size: 3}" : "{votes: 1}");
    }
}

static void a_deletion_that_somebody_edited_beside_is_overridden(void **state) {
    fixture *f = *state;
    gt_buf out;
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'one'}");
    meet(f);
    gt_id deletion = test_site_edit(&f->a, "x", "goat", 1, "{0: true}");
    gt_bytes all = explain(&f->a, "x", NULL, UINT32_MAX, &out);
    assert_value(member(all, "deleted"), "true");
    gt_bytes commit = element(member(all, "deletions"), 0);
    assert_true(is_id(member(commit, "id"), &deletion));
    assert_value(member(commit, "effect"), "'kept'");
    gt_buf_free(&out);
    gt_id edit = test_site_edit(&f->b, "x", "goat", 1, "{votes: 1}");
    meet(f);
    all = explain(&f->a, "x", NULL, UINT32_MAX, &out);
    assert_value(member(all, "deleted"), "false");
    commit = element(member(all, "deletions"), 0);
    assert_value(member(commit, "effect"), "'overridden'");
    assert_true(is_id(element(member(commit, "by"), 0), &edit));
    gt_buf_free(&out);
}

static void what_a_version_wrote_that_is_not_known_is_not_read_here(void **state) {
    fixture *f = *state;
    gt_buf out;
    test_site_learn(&f->b, test_goat_2);
    gt_id first = test_site_edit(&f->a, "x", "goat", 1, "{text: 'one', size: 1}");
    meet(f);
    gt_id theirs = test_site_edit(&f->b, "x", "goat", 2, "{text: 'two', size: 'two'}");
    meet(f);
    gt_bytes field = only_field(explain(&f->a, "x", "text", UINT32_MAX, &out));
    lists(field, 0, &theirs, "'unread'", "[]", NULL);
    lists(field, 1, &first, "'kept'", WRITTEN, NULL);
    gt_buf_free(&out);
    field = only_field(explain(&f->b, "x", "size", UINT32_MAX, &out));
    lists(field, 0, &theirs, "'kept'", WRITTEN, NULL);
    gt_buf_free(&out);
    test_site_learn(&f->a, test_goat_2);
    gt_id both = test_site_edit(&f->a, "x", "goat", 2, "{size: undefined}"); /* so that what is below is looked at */
    field = only_field(explain(&f->a, "x", "text", UINT32_MAX, &out));
    lists(field, 0, &theirs, "'kept'", WRITTEN, NULL);
    gt_buf_free(&out);
    (void)both;
}

/* Two who write at once and cross on the way: the base moves on, though no commit is alone. */
static void the_base_may_have_several_commits(void **state) {
    fixture *f = *state;
    gt_buf out;
    gt_id last[2];
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'one'}");
    meet(f);
    for (int i = 0; i < 20; i++) {
        last[0] = test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
        last[1] = test_site_edit(&f->b, "x", "goat", 1, "{votes: 1}");
        meet(f);
    }
    test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    test_site_edit(&f->b, "x", "goat", 1, "{votes: 1}");
    meet(f);
    gt_bytes base = member(explain(&f->a, "x", "votes", UINT32_MAX, &out), "base");
    assert_int_equal(gt_value_count(base), 2);
    bool ascending = memcmp(&last[0], &last[1], GT_ID_SIZE) < 0;
    assert_true(is_id(element(base, 0), &last[ascending ? 0 : 1]));
    assert_true(is_id(element(base, 1), &last[ascending ? 1 : 0]));
    gt_buf_free(&out);
}

static void looking_back_ends_at_its_limit(void **state) {
    fixture *f = *state;
    gt_buf out;
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'one'}");
    for (uint32_t i = 0; i < GT_EXPLAIN_BELOW_MAX - 1; i++) test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    gt_bytes field = only_field(explain(&f->a, "x", "text", UINT32_MAX, &out));
    assert_int_equal(gt_value_count(member(field, "commits")), 1);
    assert_null(member(field, "earlier").data);
    gt_buf_free(&out);
    test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    field = only_field(explain(&f->a, "x", "text", UINT32_MAX, &out));
    assert_int_equal(gt_value_count(member(field, "commits")), 0);
    assert_value(member(member(field, "earlier"), "effect"), "'kept'");
    gt_buf_free(&out);
}

/* Somebody is away for long while somebody else writes: of so many commits nothing is said. */
static void what_came_since_the_base_has_a_limit(void **state) {
    fixture *f = *state;
    gt_buf out;
    gt_diag diag;
    test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    meet(f);
    test_site_edit(&f->b, "x", "goat", 1, "{text: 'one'}");
    for (uint32_t i = 0; i < GT_EXPLAIN_ABOVE_MAX - 1; i++) test_site_edit(&f->a, "x", "goat", 1, "{votes: 1}");
    test_site_send_new(&f->b, &f->a);
    gt_bytes all = explain(&f->a, "x", NULL, 10, &out);
    assert_int_equal(gt_value_count(member(all, "base")), 1);
    assert_int_equal(gt_value_count(member(all, "at")), 2);
    gt_buf_free(&out);
    test_site_edit(&f->b, "x", "goat", 1, "{text: 'two'}");
    test_site_send_new(&f->b, &f->a);
    assert_int_equal(try_explain(&f->a, "x", "text", 10, &out, &diag), GOAT_TOO_LARGE);
    assert_string_equal(diag.message, "more than 16384 commits came since the authors last had the same");
    assert_int_equal(out.len, 0);
    gt_buf_free(&out);
}

/* Of an item with a base long ago, each commit is looked at a few times; none is replayed for another's sake. */
static void the_cost_is_linear(void **state) {
    fixture *f = *state;
    uint64_t work[2];
    gt_buf out;
    for (int round = 0; round < 2; round++) {
        const char *key = round == 0 ? "x" : "y";
        uint32_t count = round == 0 ? 200 : 2000;
        test_site_edit(&f->a, key, "goat", 1, "{tags: set[1], votes: 1}");
        meet(f);
        test_site_edit(&f->b, key, "goat", 1, "{tags: {1: set[1]}}");
        for (uint32_t i = 0; i < count; i++) {
            test_site_edit(&f->a, key, "goat", 1, "{tags: {1: set[1]}, votes: undefined}");
            test_site_edit(&f->a, key, "goat", 1, "{tags: set[1], votes: 1}");
        }
        meet(f);
        test_site_shows(&f->a, key, "{tags: set[1], votes: 1}");
        uint64_t before = gt_repo_work(f->a.repo);
        gt_bytes all = explain(&f->a, key, NULL, 10, &out);
        assert_null(member(element(member(all, "fields"), 0), "limited").data);
        work[round] = gt_repo_work(f->a.repo) - before;
        gt_buf_free(&out);
    }
    assert_in_range(work[1], 1, 15 * work[0]);
}

/* … and the next one is answered as ever: nothing is left behind. */
static void a_lack_of_memory_is_said(void **state) {
    fixture *f = *state;
    gt_buf expected, heads, out;
    gt_seen seen;
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'one', tags: set[1], map: {a: 1}, list: [1], votes: 1}");
    meet(f);
    test_site_edit(&f->a, "x", "goat", 1, "{text: 'two', tags: {1: set[1]}, map: {a: 2}, votes: undefined}");
    test_site_edit(&f->b, "x", "goat", 1, "{0: true}");
    test_site_edit(&f->b, "x", "goat", 1, "{tags: set[1], list: {0: [1, [2]]}}");
    meet(f);
    explain(&f->a, "x", NULL, UINT32_MAX, &expected);
    uint32_t item = gt_repo_find(f->a.repo, gt_bytes_text("x"));
    gt_buf_init(&heads, &gt_alloc_system);
    gt_buf_init(&out, &gt_alloc_system);
    assert_int_equal(gt_repo_view(f->a.repo, item, &seen, NULL), GOAT_OK);
    assert_int_equal(gt_repo_heads(f->a.repo, item, &heads, NULL), GOAT_OK);
    gt_explain_request request = {.heads = (const gt_id *)(const void *)heads.data,
                                  .head_count = (uint32_t)(heads.len / GT_ID_SIZE),
                                  .view = seen.view.bytes,
                                  .limit = UINT32_MAX,
                                  .is_present = true};
    goat_status status = GOAT_NO_MEMORY;
    for (uint64_t before = 0; status != GOAT_OK; before++) {
        f->a.memory.left = before;
        f->a.memory.failed = false;
        gt_buf_clear(&out);
        status = gt_repo_explain(f->a.repo, item, &request, &out, NULL);
        assert_int_equal(status, f->a.memory.failed ? GOAT_NO_MEMORY : GOAT_OK);
        if (status != GOAT_OK) assert_int_equal(out.len, 0);
    }
    f->a.memory.left = TEST_ALLOC_NEVER;
    assert_true(gt_bytes_equal(gt_buf_bytes(&expected), gt_buf_bytes(&out)));
    gt_view_drop(f->a.alloc, &seen.view);
    gt_buf_free(&expected);
    gt_buf_free(&heads);
    gt_buf_free(&out);
}

static int set_up_with_memory(void **state) {
    fixture *f = calloc(1, sizeof *f);
    test_pair_begin(f, 0);
    *state = f;
    return 0;
}

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    test_pair_begin(f, TEST_SITE_FAST);
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    test_pair_end(*state);
    free(*state);
    return 0;
}

#define with_pair(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        with_pair(the_later_of_two_writes_is_kept_and_named),
        with_pair(the_last_write_is_found_below_the_base_and_no_further),
        with_pair(of_sets_and_maps_each_element_is_told),
        with_pair(a_field_that_is_not_set_tells_who_unset_it),
        with_pair(who_brought_an_item_back_stays_named),
        with_pair(a_deletion_that_somebody_edited_beside_is_overridden),
        with_pair(what_a_version_wrote_that_is_not_known_is_not_read_here),
        with_pair(the_base_may_have_several_commits),
        with_pair(looking_back_ends_at_its_limit),
        with_pair(what_came_since_the_base_has_a_limit),
        with_pair(the_cost_is_linear),
        cmocka_unit_test_setup_teardown(a_lack_of_memory_is_said, set_up_with_memory, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
