/* Reverts as commits: what they cost, that replicas agree on them, and what undo and redo are about. */
#include "support/test.h"

#include "repo/revert.h"
#include "support/test_random.h"
#include "support/test_repo.h"
#include "support/test_value.h"

#include <stdio.h>
#include <string.h>

enum { SITES = 3 };

typedef struct fixture {
    test_network network;
    test_site sites[SITES];
    test_random random;
} fixture;

static void begin(fixture *f) {
    test_network_init(&f->network);
    for (uint32_t i = 0; i < SITES; i++) {
        test_site_init(&f->sites[i], &f->network, i, i + 1, TEST_SITE_FAST);
        test_site_learn(&f->sites[i], test_goat_1);
        test_site_open(&f->sites[i], 0);
    }
}

static void end(fixture *f) {
    for (uint32_t i = 0; i < SITES; i++) test_site_free(&f->sites[i]);
    test_network_free(&f->network);
}

static uint32_t row_of(const test_site *site, const gt_id *id) {
    for (uint32_t i = 0; i < gt_repo_commit_count(site->repo); i++) {
        gt_commit_key key = gt_repo_commit_key(site->repo, i);
        if (gt_id_compare(&key.id, id) == 0) return i;
    }
    return GT_NONE;
}

/* Reverts commits of an item on all its heads. False: there was nothing to do. */
static bool revert_rows(test_site *site, uint32_t item, const uint32_t *rows, uint32_t count, gt_id *id) {
    gt_buf heads;
    gt_revert made;
    gt_diag diag;
    gt_diag_init(&diag);
    gt_buf_init(&heads, site->alloc);
    gt_revert_init(&made, site->alloc);
    assert_int_equal(gt_repo_heads(site->repo, item, &heads, NULL), GOAT_OK);
    goat_status status = gt_revert_make(site->repo, item, (const gt_id *)(const void *)heads.data,
                                        (uint32_t)(heads.len / GT_ID_SIZE), rows, count, &made, &diag);
    if (status != GOAT_OK) fail_msg("%s", diag.message);
    bool any = made.names.len > 0;
    if (any) {
        gt_signer signer = {site->own->session, &site->own->secret};
        gt_capture *capture;
        gt_leaf leaf = {
            .key = gt_repo_key(site->repo, item),
            .parents = (const gt_id *)(const void *)made.heads.data,
            .parent_count = (uint32_t)(made.heads.len / GT_ID_SIZE),
            .schema = made.schema,
            .delta = gt_buf_bytes(&made.delta),
            .reverts = (const gt_id *)(const void *)made.names.data,
            .revert_count = (uint32_t)(made.names.len / GT_ID_SIZE),
        };
        assert_int_equal(gt_capture_begin(site->repo, &capture, NULL), GOAT_OK);
        assert_int_equal(gt_capture_add(capture, &signer, &leaf, id, NULL), GOAT_OK);
        assert_int_equal(gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL), GOAT_OK);
    }
    gt_revert_free(&made);
    gt_buf_free(&heads);
    return any;
}

static gt_id revert(test_site *site, const char *key, gt_id what) {
    uint32_t row = row_of(site, &what);
    gt_id id;
    assert_true(revert_rows(site, gt_repo_find(site->repo, gt_bytes_text(key)), &row, 1, &id));
    return id;
}

/* In the smallest steps; between two of them somebody edits `edited`. Gives how many there were. */
static int find_undo(test_site *site, uint32_t item, bool redo, const char *edited, gt_buf *rows) {
    gt_undo_search *search;
    bool done = false;
    int steps = 0;
    assert_int_equal(gt_undo_begin(site->repo, &site->own->session, item, redo, &search, NULL), GOAT_OK);
    for (; !done; steps++) {
        assert_int_equal(gt_undo_step(search, 1, &done, NULL), GOAT_OK);
        if (steps == 1 && edited != NULL) test_site_edit(site, edited, "goat", 1, "{votes: 1}");
    }
    gt_buf_append(rows, gt_undo_rows(search)->data, gt_undo_rows(search)->len);
    assert_false(gt_buf_failed(rows));
    gt_undo_free(search);
    return steps;
}

/* False: there is nothing to undo, or to redo. */
static bool undo(test_site *site, const char *key, bool redo) {
    gt_buf rows;
    gt_id id;
    gt_buf_init(&rows, site->alloc);
    uint32_t item = gt_repo_find(site->repo, gt_bytes_text(key));
    find_undo(site, item, redo, NULL, &rows);
    bool any = rows.len > 0;
    if (any) assert_true(revert_rows(site, item, (const uint32_t *)(const void *)rows.data, 1, &id));
    gt_buf_free(&rows);
    return any;
}

static gt_id edit(test_site *site, const char *key, const char *delta) {
    return test_site_edit(site, key, "goat", 1, delta);
}

static void send_all(fixture *f) {
    for (int again = 0; again < 2; again++) {
        for (uint32_t i = 0; i < SITES; i++) {
            f->sites[i].frame_offset = GT_LOG_HEADER_SIZE;
            for (gt_bytes frame; (frame = test_site_next_frame(&f->sites[i])).data != NULL;) {
                for (uint32_t k = 0; k < SITES; k++) {
                    gt_admission outcome;
                    if (k != i) assert_int_equal(test_site_admit(&f->sites[k], frame, &outcome, NULL), GOAT_OK);
                }
            }
        }
    }
}

/* ---- claims ---- */

static void what_is_edited_while_undo_looks_counts(void **state) {
    fixture f;
    test_site *site = &f.sites[0];
    gt_buf rows;
    uint32_t row;
    (void)state;
    begin(&f);
    for (int i = 0; i < 50; i++) edit(site, i % 2 == 0 ? "x" : "y", "{votes: 1}");
    gt_buf_init(&rows, site->alloc);
    assert_true(find_undo(site, GT_NONE, false, NULL, &rows) < 20); /* what lies far back is not looked at */
    memcpy(&row, rows.data, sizeof(row));
    assert_int_equal(row, 49);
    gt_buf_clear(&rows);
    find_undo(site, GT_NONE, false, "z", &rows);
    assert_int_equal(rows.len, sizeof(row));
    memcpy(&row, rows.data, sizeof(row));
    assert_int_equal(row, 50);
    gt_buf_free(&rows);
    end(&f);
}

/* Its pieces are made while the item goes on, and what it stands on with it. */
static void a_revert_is_of_what_was_seen_when_it_began(void **state) {
    fixture f;
    (void)state;
    test_network_init(&f.network);
    test_site *site = &f.sites[0];
    test_site_init(site, &f.network, 0, 1, 0);
    test_site_learn(site, test_goat_1);
    test_site_open(site, 0);
    gt_id wanted = {{0}};
    for (int i = 0; i < 40; i++) {
        gt_id id =
            edit(site, "a", i % 2 == 0 ? "{list: {0: [[1, 2]]}, text: 'a'}" : "{list: {0: [1, [3], -1]}, votes: 1}");
        if (i == 20) wanted = id;
    }
    uint32_t row = row_of(site, &wanted), item = gt_repo_find(site->repo, gt_bytes_text("a")), budget;
    gt_revert whole, made;
    gt_buf heads;
    bool done = false;
    int steps = 0;
    gt_buf_init(&heads, &gt_alloc_system);
    gt_revert_init(&whole, site->alloc);
    gt_revert_init(&made, site->alloc);
    assert_int_equal(gt_repo_heads(site->repo, item, &heads, NULL), GOAT_OK);
    const gt_id *head = (const gt_id *)(const void *)heads.data;
    assert_int_equal(gt_revert_make(site->repo, item, head, 1, &row, 1, &whole, NULL), GOAT_OK);
    assert_int_equal(gt_revert_begin(site->repo, item, head, 1, &row, 1, &made, NULL), GOAT_OK);
    for (; !done; steps++) {
        budget = 1;
        assert_int_equal(gt_revert_step(site->repo, &made, &budget, &done, NULL), GOAT_OK);
        edit(site, "a", "{list: {0: [1, -1]}, text: 'b'}");
        edit(site, "b", "{votes: 1}");
    }
    assert_true(steps >= 40); /* two replays of the 20 commits that came since */
    assert_true(gt_bytes_equal(gt_buf_bytes(&made.names), gt_buf_bytes(&whole.names)));
    assert_true(gt_bytes_equal(gt_buf_bytes(&made.view), gt_buf_bytes(&whole.view)));
    assert_true(gt_bytes_equal(gt_buf_bytes(&made.delta), gt_buf_bytes(&whole.delta)));
    gt_revert_free(&whole);
    gt_revert_free(&made);
    gt_buf_free(&heads);
    test_site_free(site);
    test_network_free(&f.network);
}

static void an_old_commit_is_undone_below_snapshots(void **state) {
    fixture f;
    test_site *site = &f.sites[0];
    char delta[64];
    (void)state;
    begin(&f);
    edit(site, "a", "{text: 'first', votes: 1}");
    gt_id old = edit(site, "a", "{text: 'old', list: [1]}");
    for (int i = 0; i < 300; i++) {
        snprintf(delta, sizeof(delta), "{size: %d, votes: 1}", i);
        edit(site, "a", delta);
    }
    gt_id undone = revert(site, "a", old);
    test_site_shows(site, "a", "{text: 'first', size: 299, votes: 301}");
    test_site_checkpoint(site);
    test_site_close(site);
    test_site_open(site, 0);
    revert(site, "a", undone);
    test_site_shows(site, "a", "{text: 'old', list: [1], size: 299, votes: 301}");
    assert_int_equal(test_site_audit(site, NULL), 0);
    end(&f);
}

static void an_undo_shortly_after_an_edit_costs_what_came_since(void **state) {
    fixture f;
    test_site *site = &f.sites[0];
    char delta[64];
    (void)state;
    begin(&f);
    for (int i = 0; i < 3000; i++) {
        snprintf(delta, sizeof(delta), "{size: %d, votes: 1, text: 'a text of some length'}", i);
        edit(site, "a", delta);
    }
    uint64_t most = 0;
    for (int i = 0; i < 50; i++) {
        uint64_t before = gt_repo_work(site->repo);
        assert_true(undo(site, "a", i % 3 == 2));
        uint64_t work = gt_repo_work(site->repo) - before;
        if (work > most) most = work;
    }
    printf("work %llu at most\n", (unsigned long long)most);
    assert_true(most < 2000);
    end(&f);
}

static void undo_and_redo_are_about_own_edits_alone(void **state) {
    fixture f;
    test_site *a = &f.sites[0], *b = &f.sites[1];
    (void)state;
    begin(&f);
    edit(a, "a", "{text: 'one'}");
    gt_id two = edit(a, "a", "{text: 'two'}");
    send_all(&f);
    edit(b, "a", "{size: 5}");
    send_all(&f);
    assert_false(undo(a, "a", true));
    assert_true(undo(a, "a", false));
    test_site_shows(a, "a", "{text: 'one', size: 5}");
    send_all(&f);
    assert_true(undo(b, "a", false));
    assert_false(undo(b, "a", false));
    send_all(&f);
    test_site_shows(a, "a", "{text: 'one'}");
    assert_true(undo(a, "a", true));
    test_site_shows(a, "a", "{text: 'two'}");
    send_all(&f);
    revert(b, "a", two); /* of another's commit: an edit, to be undone */
    test_site_shows(b, "a", "{text: 'one'}");
    assert_true(undo(b, "a", false));
    test_site_shows(b, "a", "{text: 'two'}");
    end(&f);
}

/* A commit as nobody makes it: it says that it undoes what its author may never have seen. `names` are sorted. */
static gt_id edit_naming(test_site *site, const char *key, const char *edit, gt_id parent, gt_id *names,
                         uint32_t count) {
    gt_signer signer = {site->own->session, &site->own->secret};
    gt_capture *capture;
    gt_id id;
    gt_bytes delta = test_value(edit);
    gt_leaf leaf = {.key = gt_bytes_text(key), .parents = &parent, .parent_count = 1, .delta = delta};
    for (uint32_t i = 1; i < count; i++) {
        for (uint32_t k = i; k > 0 && gt_id_compare(&names[k - 1], &names[k]) > 0; k--) {
            gt_id other = names[k];
            names[k] = names[k - 1];
            names[k - 1] = other;
        }
    }
    leaf.schema = test_site_schema(site, "goat", 1);
    leaf.reverts = names;
    leaf.revert_count = count;
    assert_int_equal(gt_capture_begin(site->repo, &capture, NULL), GOAT_OK);
    assert_int_equal(gt_capture_add(capture, &signer, &leaf, &id, NULL), GOAT_OK);
    assert_int_equal(gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL), GOAT_OK);
    test_value_free(delta);
    return id;
}

/* Somebody names an edit that was made at the same time, which he has not seen. That is as if he had seen it: who asks
 * for it to be undone is told that it is; who reverts the revert has it back; and all agree. */
static void a_revert_may_name_what_was_made_at_the_same_time(void **state) {
    fixture f;
    test_site *a = &f.sites[0], *hostile = &f.sites[1];
    (void)state;
    begin(&f);
    gt_id first = edit(a, "a", "{text: 'first'}");
    send_all(&f);
    gt_id own = edit(a, "a", "{size: 7}");
    gt_sim_set_wall_ms(&hostile->clock, 1900000000000);
    gt_id id = edit_naming(hostile, "a", "{votes: 1}", first, &own, 1);
    send_all(&f);
    uint32_t row = row_of(a, &own);
    test_site_shows(a, "a", "{text: 'first', size: 7, votes: 1}");
    assert_false(revert_rows(a, gt_repo_find(a->repo, gt_bytes_text("a")), &row, 1, &id));
    revert(a, "a", id);
    send_all(&f);
    for (int i = 0; i < SITES; i++) test_site_shows(&f.sites[i], "a", "{text: 'first', size: 7}");
    revert(a, "a", own);
    test_site_shows(a, "a", "{text: 'first'}");
    end(&f);
}

/* Each names all that came before it: there are as many ways back as there are sets of them. */
static void undo_asks_each_commit_once(void **state) {
    enum { COMMITS = 64 };
    fixture f;
    gt_id ids[COMMITS], names[COMMITS];
    (void)state;
    begin(&f);
    ids[0] = edit(&f.sites[0], "a", "{size: 0}");
    for (uint32_t i = 1; i < COMMITS; i++) {
        memcpy(names, ids, sizeof ids);
        ids[i] = edit_naming(&f.sites[0], "a", "{votes: 1}", ids[i - 1], names, i);
    }
    undo(&f.sites[0], "a", false);
    undo(&f.sites[0], "a", true);
    end(&f);
}

/* What is of another item, or not there, is not named. */
static void reverts_that_name_what_they_have_not_seen_do_no_harm(void **state) {
    fixture f;
    test_site *site = &f.sites[0];
    (void)state;
    begin(&f);
    gt_id other = edit(site, "b", "{text: 'other'}"), first = edit(site, "a", "{text: 'first'}"), id;
    gt_id second = edit(site, "a", "{text: 'second'}"), names[2] = {other, {{7}}};
    if (gt_id_compare(&names[0], &names[1]) > 0) {
        names[0] = names[1];
        names[1] = other;
    }
    gt_signer signer = {site->own->session, &site->own->secret};
    gt_capture *capture;
    gt_bytes delta = test_value("{size: 1}");
    gt_leaf leaf = {.key = gt_bytes_text("a"), .parents = &second, .parent_count = 1, .delta = delta};
    leaf.schema = test_site_schema(site, "goat", 1);
    leaf.reverts = names;
    leaf.revert_count = 2;
    assert_int_equal(gt_capture_begin(site->repo, &capture, NULL), GOAT_OK);
    assert_int_equal(gt_capture_add(capture, &signer, &leaf, &id, NULL), GOAT_OK);
    assert_int_equal(gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL), GOAT_OK);
    test_value_free(delta);
    revert(site, "a", second);
    test_site_shows(site, "a", "{text: 'first', size: 1}");
    revert(site, "a", id);
    test_site_shows(site, "a", "{text: 'first'}");
    test_site_shows(site, "b", "{text: 'other'}");
    (void)first;
    end(&f);
}

/* Somebody else's commit, of another item, names an edit: it is not undone by that, and undo finds it. */
static void a_revert_of_another_item_hides_nothing_from_undo(void **state) {
    fixture f;
    test_site *site = &f.sites[0], *hostile = &f.sites[1];
    (void)state;
    begin(&f);
    gt_id own = edit(site, "b", "{text: 'own'}"), id;
    send_all(&f);
    gt_signer signer = {hostile->own->session, &hostile->own->secret};
    gt_capture *capture;
    gt_id first = edit(hostile, "a", "{text: 'first'}");
    gt_bytes delta = test_value("{size: 1}");
    gt_leaf leaf = {.key = gt_bytes_text("a"), .parents = &first, .parent_count = 1, .delta = delta};
    leaf.schema = test_site_schema(hostile, "goat", 1);
    leaf.reverts = &own;
    leaf.revert_count = 1;
    assert_int_equal(gt_capture_begin(hostile->repo, &capture, NULL), GOAT_OK);
    assert_int_equal(gt_capture_add(capture, &signer, &leaf, &id, NULL), GOAT_OK);
    assert_int_equal(gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL), GOAT_OK);
    test_value_free(delta);
    send_all(&f);
    gt_buf rows;
    gt_buf_init(&rows, site->alloc);
    assert_int_equal(gt_undo_find(site->repo, &site->own->session, GT_NONE, false, &rows, NULL), GOAT_OK);
    uint32_t expected = row_of(site, &own);
    assert_int_equal(rows.len, sizeof expected);
    assert_memory_equal(rows.data, &expected, sizeof expected);
    gt_buf_free(&rows);
    end(&f);
}

static void lack_of_memory_is_said_and_changes_nothing(void **state) {
    fixture f;
    (void)state;
    test_network_init(&f.network);
    test_site *site = &f.sites[0];
    test_site_init(site, &f.network, 0, 1, 0);
    test_site_learn(site, test_goat_1);
    test_site_open(site, 0);
    edit(site, "a", "{list: [1, 2], text: 'a', tags: set['p']}");
    gt_id second = edit(site, "a", "{list: {0: [[3]]}, text: 'b', tags: {1: set['p']}}");
    gt_id undone = revert(site, "a", second);
    edit(site, "a", "{list: {0: [1, [4]]}, votes: 1}");
    uint32_t row = row_of(site, &undone), item = gt_repo_find(site->repo, gt_bytes_text("a"));
    gt_buf heads, rows;
    gt_buf_init(&heads, &gt_alloc_system);
    assert_int_equal(gt_repo_heads(site->repo, item, &heads, NULL), GOAT_OK);
    bool failed = true;
    for (uint64_t k = 0; failed; k++) {
        gt_revert made;
        gt_revert_init(&made, site->alloc);
        gt_buf_init(&rows, site->alloc);
        site->memory.left = k;
        site->memory.failed = false;
        goat_status status =
            gt_revert_make(site->repo, item, (const gt_id *)(const void *)heads.data, 1, &row, 1, &made, NULL);
        if (status == GOAT_OK) status = gt_undo_find(site->repo, &site->own->session, item, k % 2 == 0, &rows, NULL);
        failed = site->memory.failed;
        site->memory.left = TEST_ALLOC_NEVER;
        assert_int_equal(status, failed ? GOAT_NO_MEMORY : GOAT_OK);
        gt_revert_free(&made);
        gt_buf_free(&rows);
    }
    gt_buf_free(&heads);
    test_site_shows(site, "a", "{list: [1, 4, 2], text: 'a', tags: set['p'], votes: 1}");
    revert(site, "a", undone);
    test_site_shows(site, "a", "{list: [3, 1, 4, 2], text: 'b', tags: set[], votes: 1}");
    test_site_free(site);
    test_network_free(&f.network);
}

/* ---- at random ---- */

static void random_edit(fixture *f, test_site *site) {
    static const char *const deltas[] = {"{text: 'x'}",
                                         "{text: 'y'}",
                                         "{votes: 3}",
                                         "{size: 4}",
                                         "{list: {0: [[7]]}}",
                                         "{list: {0: [-1]}}",
                                         "{list: {0: [1, [8, 9], -1]}}",
                                         "{tags: set['p']}",
                                         "{tags: {1: set['p']}}",
                                         "{map: {k: 1}}",
                                         "{map: {k: undefined}}",
                                         "{0: true}",
                                         "{0: false}",
                                         "{text: undefined}"};
    edit(site, test_random_below(&f->random, 2) == 0 ? "a" : "b",
         deltas[test_random_below(&f->random, sizeof(deltas) / sizeof(deltas[0]))]);
}

static void random_revert(fixture *f, test_site *site) {
    uint32_t count = gt_repo_commit_count(site->repo), rows[3], kept = 0, wanted = 1 + test_random_below(&f->random, 3);
    uint32_t item = gt_repo_commit_key(site->repo, test_random_below(&f->random, count)).item;
    gt_id id;
    for (uint32_t i = 0; i < wanted; i++) {
        uint32_t row = test_random_below(&f->random, count);
        if (gt_repo_commit_key(site->repo, row).item == item) rows[kept++] = row;
    }
    revert_rows(site, item, rows, kept, &id);
}

/* In whatever order they come, reverts are commits like any other; and undone, each is as if it had not been. */
static void replicas_agree_whoever_reverts_what(void **state) {
    enum { HISTORIES = 60 };
    (void)state;
    fixture f;
    test_random_init(&f.random, __func__);
    for (int i = 0; i < HISTORIES; i++) {
        uint8_t digests[SITES][GT_HASH_SIZE];
        begin(&f);
        edit(&f.sites[0], "a", "{list: [1, 2, 3], text: 'a'}");
        edit(&f.sites[0], "b", "{list: [4], votes: 1}");
        send_all(&f);
        for (int k = 0; k < 25; k++) {
            test_site *site = &f.sites[test_random_below(&f.random, SITES)];
            uint32_t event = test_random_below(&f.random, 10);
            if (event < 5) random_edit(&f, site);
            if (event >= 5 && event < 8) random_revert(&f, site);
            if (event == 8) test_site_send_new(site, &f.sites[test_random_below(&f.random, SITES)]);
            if (event == 9) send_all(&f);
        }
        send_all(&f);
        for (uint32_t k = 0; k < SITES; k++) test_site_digest(&f.sites[k], digests[k]);
        for (uint32_t k = 1; k < SITES; k++) assert_memory_equal(digests[0], digests[k], GT_HASH_SIZE);
        gt_buf before, after;
        gt_seen seen;
        gt_id undone, id;
        uint32_t row = test_random_below(&f.random, gt_repo_commit_count(f.sites[0].repo));
        uint32_t item = gt_repo_commit_key(f.sites[0].repo, row).item;
        gt_buf_init(&before, &gt_alloc_system);
        gt_buf_init(&after, &gt_alloc_system);
        assert_int_equal(gt_repo_view(f.sites[0].repo, item, &seen, NULL), GOAT_OK);
        gt_buf_append(&before, seen.view.bytes.data, seen.view.bytes.len);
        gt_view_drop(f.sites[0].alloc, &seen.view);
        if (revert_rows(&f.sites[0], item, &row, 1, &undone)) {
            row = row_of(&f.sites[0], &undone);
            assert_true(revert_rows(&f.sites[0], item, &row, 1, &id));
        }
        assert_int_equal(gt_repo_view(f.sites[0].repo, item, &seen, NULL), GOAT_OK);
        gt_buf_append(&after, seen.view.bytes.data, seen.view.bytes.len);
        gt_view_drop(f.sites[0].alloc, &seen.view);
        assert_true(gt_bytes_equal(gt_buf_bytes(&before), gt_buf_bytes(&after)));
        gt_buf_free(&before);
        gt_buf_free(&after);
        assert_int_equal(test_site_audit(&f.sites[0], NULL), 0);
        end(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_edited_while_undo_looks_counts),
        cmocka_unit_test(a_revert_is_of_what_was_seen_when_it_began),
        cmocka_unit_test(an_old_commit_is_undone_below_snapshots),
        cmocka_unit_test(an_undo_shortly_after_an_edit_costs_what_came_since),
        cmocka_unit_test(undo_and_redo_are_about_own_edits_alone),
        cmocka_unit_test(a_revert_may_name_what_was_made_at_the_same_time),
        cmocka_unit_test(undo_asks_each_commit_once),
        cmocka_unit_test(reverts_that_name_what_they_have_not_seen_do_no_harm),
        cmocka_unit_test(a_revert_of_another_item_hides_nothing_from_undo),
        cmocka_unit_test(lack_of_memory_is_said_and_changes_nothing),
        cmocka_unit_test(replicas_agree_whoever_reverts_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
