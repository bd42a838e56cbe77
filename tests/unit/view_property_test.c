/* A view is a function of the commits known: random histories of several authors, delivered to fresh replicas in
 * random orders and pieces, must show the same bytes wherever the same is known, at all times, and what the rules of
 * merging give when they are written down literally (history.h). */
#include "support/test.h"

#include "repo/tables.h"
#include "support/history.h"
#include "support/test_repo.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

enum { HISTORIES = 1500, SOAK = 10, REPLICAS = 10, ITEMS = 3, COMMITS_MAX = 40, PIECES_MAX = 256 };

static history_fields fields;
static const char *const keys[ITEMS] = {"x", "y", "z"};

/* What was written, apart from the repositories: the commits of each item. */
typedef struct story {
    test_network *network;
    test_random *random;
    test_site authors[TEST_AUTHORS];
    uint32_t author_count, commit_count;
    history items[ITEMS];
    history_focus focus;
    test_frames frames;
} story;

static bool chance(test_random *random, uint32_t percent) { return test_random_below(random, 100) < percent; }
static uint64_t bit(uint32_t step) { return UINT64_C(1) << step; }

static uint32_t index_of(const story *s, uint32_t item, const gt_id *id) {
    const history *h = &s->items[item];
    uint32_t i = 0;
    while (i < h->count && memcmp(h->ids[i], id->bytes, GT_ID_SIZE) != 0) i++;
    assert_true(i < h->count);
    return i;
}

/* ---- writing ---- */

typedef struct heads {
    gt_id ids[COMMITS_MAX];
    uint32_t count;
} heads;

static void look(test_site *site, uint32_t item, heads *out) {
    gt_buf ids;
    gt_buf_init(&ids, &gt_alloc_system);
    out->count = 0;
    uint32_t row = gt_repo_find(site->repo, gt_bytes_text(keys[item]));
    if (row == GT_NONE) return;
    gt_seen seen;
    assert_int_equal(gt_repo_view(site->repo, row, &seen, NULL), GOAT_OK);
    gt_view_drop(site->alloc, &seen.view);
    assert_int_equal(gt_repo_heads(site->repo, row, &ids, NULL), GOAT_OK);
    out->count = (uint32_t)(ids.len / GT_ID_SIZE);
    memcpy(out->ids, ids.data, ids.len);
    gt_buf_free(&ids);
}

/* Some of the heads, mostly all: an author who has not seen the others leaves them standing. */
static void drop_some(test_random *random, heads *some) {
    while (some->count > 1 && chance(random, 25)) {
        uint32_t at = test_random_below(random, some->count);
        memmove(&some->ids[at], &some->ids[at + 1], (--some->count - at) * sizeof *some->ids);
    }
}

/* Makes the next commit of an item whose author sees these heads, but for its id. */
static void write_commit(story *s, uint32_t item, const heads *parents) {
    history *h = &s->items[item];
    history_event event = {.deletes = chance(s->random, 10) ? (uint8_t)(1 + test_random_below(s->random, 2)) : 0};
    uint64_t known = 0;
    uint32_t step = h->count;
    for (uint32_t i = 0; i < parents->count; i++) {
        uint32_t parent = index_of(s, item, &parents->ids[i]);
        known |= h->past[parent] | bit(parent);
    }
    gt_step *made = history_add(h, known);
    assert_true(history_look(h, step, NULL));
    history_ops_random(&event, &s->focus, s->random);
    history_write_delta(h, &event, history_view(h, step), &h->deltas[step]);
    made->delta = gt_buf_bytes(&h->deltas[step]);
    s->commit_count++;
}

static void write_batch(story *s, test_site *site) {
    gt_capture *capture = NULL;
    gt_signer signer = {site->own->session, &site->own->secret};
    heads seen[ITEMS];
    uint32_t size = 1 + (chance(s->random, 40) ? test_random_below(s->random, 5) : 0);
    uint32_t first[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++) {
        look(site, i, &seen[i]);
        first[i] = s->items[i].count;
    }
    gt_sim_advance_ms(&site->clock, test_random_below(s->random, 3)); /* many times are equal */
    assert_int_equal(gt_capture_begin(site->repo, &capture, NULL), GOAT_OK);
    uint32_t group = chance(s->random, 20) ? test_random_below(s->random, size) : UINT32_MAX;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t item = test_random_below(s->random, chance(s->random, 60) ? 1 : ITEMS);
        heads parents = seen[item];
        gt_id id;
        drop_some(s->random, &parents);
        write_commit(s, item, &parents);
        uint32_t step = s->items[item].count - 1;
        gt_leaf leaf = {.key = gt_bytes_text(keys[item]),
                        .parents = parents.ids,
                        .parent_count = parents.count,
                        .schema = test_site_schema(site, "model", 1),
                        .delta = s->items[item].steps[step].delta};
        assert_int_equal(gt_capture_add(capture, &signer, &leaf, &id, NULL), GOAT_OK);
        memcpy(s->items[item].ids[step], id.bytes, GT_ID_SIZE);
        seen[item].ids[0] = id;
        seen[item].count = 1;
    }
    if (group != UINT32_MAX) gt_capture_group(capture, group);
    assert_int_equal(gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL), GOAT_OK);
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint32_t k = first[i]; k < s->items[i].count; k++) {
            gt_id id;
            memcpy(id.bytes, s->items[i].ids[k], GT_ID_SIZE);
            s->items[i].steps[k].time = gt_commit_at(site->repo, gt_find_commit(site->repo, &id))->time;
        }
    }
    test_frames_add(&s->frames, test_site_next_frame(site));
}

/* One author hears what another has, as far as its log goes. */
static void hear(story *s, test_site *to, test_site *from) {
    gt_record record;
    uint64_t offset = GT_LOG_HEADER_SIZE;
    gt_admission outcome;
    uint32_t left = chance(s->random, 50) ? UINT32_MAX : test_random_below(s->random, 6);
    while (left-- > 0 && gt_log_next(gt_repo_log(from->repo), &offset, false, &record) == GOAT_OK) {
        gt_arena arena;
        gt_batch batch;
        gt_arena_init(&arena, &gt_alloc_system);
        assert_int_equal(gt_batch_view(record.payload, &arena, &batch, NULL), GOAT_OK);
        bool own = gt_id_compare(&batch.session, &from->own->session) == 0; /* others speak for themselves */
        gt_arena_free(&arena);
        if (own) assert_int_equal(test_site_admit(to, record.payload, &outcome, NULL), GOAT_OK);
    }
    while (test_site_next_frame(to).data != NULL) {
    }
}

static void new_site(story *s, test_site *site, uint32_t author) {
    test_site_init(site, s->network, author, test_random_u64(s->random), TEST_SITE_FAST);
    test_site_learn(site, (const char *)fields.json.data);
    test_site_open(site, 0);
}

static void make_history(story *s, uint32_t commits) {
    s->author_count = 1 + test_random_below(s->random, TEST_AUTHORS);
    for (uint32_t i = 0; i < s->author_count; i++) new_site(s, &s->authors[i], i);
    while (s->commit_count < commits) {
        test_site *one = &s->authors[test_random_below(s->random, s->author_count)];
        test_site *other = &s->authors[test_random_below(s->random, s->author_count)];
        uint32_t event = test_random_below(s->random, 100);
        if (event < 50) {
            write_batch(s, one);
        } else if (one != other) {
            hear(s, one, other);
            if (event < 75) hear(s, other, one); /* criss-cross */
        }
    }
}

static void free_history(story *s) {
    for (uint32_t i = 0; i < ITEMS; i++) history_free(&s->items[i]);
    for (uint32_t i = 0; i < s->author_count; i++) test_site_free(&s->authors[i]);
    test_frames_free(&s->frames);
}

/* ---- comparing ---- */

static uint64_t known_commits(const story *s, test_site *site, uint32_t item, uint32_t row) {
    gt_buf rows;
    uint64_t known = 0;
    gt_buf_init(&rows, &gt_alloc_system);
    test_site_commits(site, row, &rows);
    for (size_t at = 0; at < rows.len; at += sizeof(uint32_t)) {
        uint32_t commit;
        memcpy(&commit, rows.data + at, sizeof commit);
        known |= bit(index_of(s, item, &gt_commit_at(site->repo, commit)->id));
    }
    gt_buf_free(&rows);
    return known;
}

/* The steps of an item by (time, id). */
static void sort_steps(const history *h, uint32_t *order) {
    for (uint32_t i = 0; i < h->count; i++) {
        uint32_t to = 0;
        for (uint32_t k = 0; k < h->count; k++) {
            uint64_t a = h->steps[k].time, b = h->steps[i].time;
            to += a != b ? a < b : memcmp(h->ids[k], h->ids[i], GT_ID_SIZE) < 0;
        }
        order[to] = i;
    }
}

/* The base by the definition: the most of the first commits, in order, such that every other one known descends from those of
 * them that no other of them has seen; all of them only if there is one head. */
static uint64_t base_members(const history *h, uint64_t known) {
    uint64_t members = 0, best = 0, below = 0;
    uint32_t order[HISTORY_STEPS_MAX];
    sort_steps(h, order);
    for (uint32_t i = 0; i <= h->count; i++) {
        bool good = true;
        uint32_t after = 0;
        for (uint32_t k = i; k < h->count; k++) {
            if ((known & bit(order[k])) == 0) continue;
            after++;
            good = good && (members & ~h->past[order[k]]) == 0;
        }
        if (good && (after > 0 || (members & (members - 1)) == 0)) best = members;
        if (i == h->count || (known & bit(order[i])) == 0) continue;
        below |= h->past[order[i]];
        members = (members | bit(order[i])) & ~below;
    }
    return best;
}

static void explain(test_site *site, uint32_t row, gt_buf *out) {
    gt_seen seen;
    gt_buf ids;
    gt_buf_init(&ids, &gt_alloc_system);
    assert_int_equal(gt_repo_view(site->repo, row, &seen, NULL), GOAT_OK);
    assert_int_equal(gt_repo_heads(site->repo, row, &ids, NULL), GOAT_OK);
    gt_explain_request request = {.heads = (const gt_id *)(const void *)ids.data,
                                  .head_count = (uint32_t)(ids.len / GT_ID_SIZE),
                                  .view = seen.view.bytes,
                                  .limit = UINT32_MAX,
                                  .is_present = true};
    assert_int_equal(gt_repo_explain(site->repo, row, &request, out, NULL), GOAT_OK);
    gt_view_drop(site->alloc, &seen.view);
    gt_buf_free(&ids);
}

/* Where the fields come from is a function of the commits known, too: not of what happens to be kept, or of the way by
 * which they came. Whoever knows all compares with `first`, which is empty to begin with. */
static void compare_explanations(const story *s, test_site *site, gt_buf *first) {
    gt_buf found;
    gt_buf_init(&found, &gt_alloc_system);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t row = gt_repo_find(site->repo, gt_bytes_text(keys[i]));
        if (row == GT_NONE) continue;
        gt_buf_clear(&found);
        explain(site, row, &found);
        uint64_t base = 0;
        gt_bytes ids = gt_map_find(gt_buf_bytes(&found), gt_bytes_text("base")), id, bytes;
        for (gt_iter iter = gt_array_iter(ids); gt_array_next(&iter, &id);) {
            gt_id copy;
            assert_true(gt_value_as_bytes(id, &bytes));
            memcpy(copy.bytes, bytes.data, GT_ID_SIZE);
            base |= bit(index_of(s, i, &copy));
        }
        uint64_t expected = base_members(&s->items[i], known_commits(s, site, i, row));
        if (base != expected) history_print(&s->items[i]);
        assert_int_equal(base, expected);
        if (first == NULL) continue;
        if (first[i].len == 0) gt_buf_append(&first[i], found.data, found.len);
        assert_true(gt_bytes_equal(gt_buf_bytes(&first[i]), gt_buf_bytes(&found)));
    }
    gt_buf_free(&found);
}

static void compare(const story *s, test_site *site) {
    gt_buf detail;
    gt_buf_init(&detail, &gt_alloc_system);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t row = gt_repo_find(site->repo, gt_bytes_text(keys[i]));
        if (row == GT_NONE) continue;
        gt_seen seen;
        uint64_t known = known_commits(s, site, i, row);
        assert_int_equal(gt_repo_view(site->repo, row, &seen, NULL), GOAT_OK);
        const char *fault = history_state_fault(&s->items[i], known, seen.view.bytes, &detail);
        if (fault != NULL) {
            history_print(&s->items[i]);
            fail_msg("item %s, commits known %llx: %s: %s", keys[i], (unsigned long long)known, fault,
                     detail.len == 0 ? "" : (const char *)detail.data);
        }
        gt_view_drop(site->alloc, &seen.view);
    }
    gt_buf_free(&detail);
}

/* ---- delivery ---- */

/* A frame as it is, or as two with their leaves dealt out between them. */
static void add_pieces(story *s, gt_bytes frame, test_frames *pieces) {
    gt_arena arena;
    gt_batch batch;
    uint8_t reasons[2][COMMITS_MAX];
    if (!chance(s->random, 35)) {
        test_frames_add(pieces, frame);
        return;
    }
    gt_arena_init(&arena, &gt_alloc_system);
    assert_int_equal(gt_batch_decode(frame, &arena, &batch, NULL), GOAT_OK);
    assert_int_equal(gt_batch_hash(s->network->hasher, &s->network->place, &batch, NULL), GOAT_OK);
    bool here = false, both = false;
    for (uint32_t i = 0; i < batch.size; i++) {
        uint32_t group = gt_batch_group_of(&batch, i);
        bool goes_on = i > 0 && group != UINT32_MAX && group == gt_batch_group_of(&batch, i - 1);
        here = goes_on ? here : chance(s->random, 50); /* a transaction stays whole */
        both = goes_on ? both : chance(s->random, 20);
        reasons[0][i] = here || both ? GT_NODE_LEAF : GT_NODE_HAD;
        reasons[1][i] = !here || both ? GT_NODE_LEAF : GT_NODE_HAD;
    }
    for (int i = 0; i < 2; i++) {
        gt_buf piece;
        gt_buf_init(&piece, &gt_alloc_system);
        assert_int_equal(gt_batch_elide(s->network->hasher, &batch, reasons[i], &piece, NULL), GOAT_OK);
        test_frames_add(pieces, gt_buf_bytes(&piece));
        gt_buf_free(&piece);
    }
    gt_arena_free(&arena);
}

static void deliver(story *s, test_site *site, bool eagerly) {
    test_frames pieces = {0};
    uint32_t order[PIECES_MAX], count = 0;
    gt_admission outcome;
    for (size_t i = 0; i < s->frames.count; i++) add_pieces(s, test_frames_at(&s->frames, i), &pieces);
    for (uint32_t i = 0; i < pieces.count; i++) order[count++] = i;
    for (uint32_t i = 0; i < pieces.count && count < PIECES_MAX; i++) {
        if (chance(s->random, 15)) order[count++] = i; /* twice */
    }
    uint32_t reach = chance(s->random, 50) ? count : 3; /* anything goes, or only neighbours change places */
    for (uint32_t i = 0; i + 1 < count; i++) {
        uint32_t to = i + test_random_below(s->random, count - i < reach ? count - i : reach), moved = order[to];
        order[to] = order[i];
        order[i] = moved;
    }
    for (uint32_t i = 0; i < count; i++) {
        gt_diag diag;
        gt_diag_init(&diag);
        if (test_site_admit(site, test_frames_at(&pieces, order[i]), &outcome, &diag) != GOAT_OK) {
            fail_msg("a frame is refused: %s", diag.message);
        }
        if (eagerly && chance(s->random, 30)) compare(s, site);
    }
    assert_int_equal(gt_repo_parked_count(site->repo), 0);
    assert_int_equal(gt_repo_entry_count(site->repo), s->commit_count);
    test_frames_free(&pieces);
}

static void reopen(story *s, test_site *site) {
    if (chance(s->random, 50)) test_site_checkpoint(site);
    test_site_close(site);
    test_site_open(site, chance(s->random, 30) ? TEST_SITE_NO_CHECKPOINT : 0);
    assert_int_equal(gt_repo_faults(site->repo), 0);
}

static void try_history(test_network *network, test_random *random) {
    static story s;
    uint8_t first[GT_HASH_SIZE], digest[GT_HASH_SIZE];
    memset(&s, 0, sizeof s);
    for (uint32_t i = 0; i < ITEMS; i++) history_init(&s.items[i], &fields);
    s.focus = history_focus_random(&fields, random);
    s.network = network;
    s.random = random;
    make_history(&s, 1 + test_random_below(random, chance(random, 10) ? COMMITS_MAX - 8 : 12));
    gt_buf explained[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++) gt_buf_init(&explained[i], &gt_alloc_system);
    for (uint32_t i = 0; i < s.author_count; i++) {
        compare(&s, &s.authors[i]);
        compare_explanations(&s, &s.authors[i], NULL);
    }
    for (uint32_t i = 0; i < REPLICAS; i++) {
        test_site site;
        new_site(&s, &site, 0);
        deliver(&s, &site, i % 2 == 0);
        if (chance(random, 15)) {
            reopen(&s, &site);
            if (chance(random, 50)) compare(&s, &site);
        }
        test_site_digest(&site, i == 0 ? first : digest);
        if (i > 0) assert_memory_equal(first, digest, sizeof first);
        if (i % 4 == 1) compare(&s, &site);
        if (i < 3) compare_explanations(&s, &site, explained);
        if (i == 1) assert_int_equal(test_site_audit(&site, NULL), 0);
        test_site_free(&site);
    }
    for (uint32_t i = 0; i < ITEMS; i++) gt_buf_free(&explained[i]);
    free_history(&s);
}

static void the_same_commits_give_the_same_views_everywhere(void **state) {
    (void)state;
    test_network network;
    test_random random;
    test_network_init(&network);
    test_random_init(&random, __func__);
    history_fields_init(&fields, 1);
    uint32_t histories = getenv("GOAT_SOAK") != NULL ? HISTORIES * SOAK : HISTORIES;
    for (uint32_t i = 0; i < histories; i++) try_history(&network, &random);
    test_network_free(&network);
    history_fields_free(&fields);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_commits_give_the_same_views_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
