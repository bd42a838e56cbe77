/* A view is a function of the commits known: random histories of several authors, delivered to fresh replicas in
 * random orders and pieces, must show the same bytes wherever the same is known, at all times, and the bytes that
 * the rules of merging give when they are written down literally (merge_model.h). */
#include "support/test.h"

#include "repo/tables.h"
#include "support/merge_encode.h"
#include "support/merge_model.h"
#include "support/test_repo.h"
#include "support/test_value.h"
#include "value/value.h"

#include <stdio.h>
#include <stdlib.h>

enum { HISTORIES = 2000, SOAK = 10, REPLICAS = 10, ITEMS = 3, COMMITS_MAX = 40, PIECES_MAX = 256 };

static const char *const keys[ITEMS] = {"x", "y", "z"};

/* What was written, apart from the repositories: the commits of each item as the model wants them. */
typedef struct history {
    test_network *network;
    test_random *random;
    test_site authors[TEST_AUTHORS];
    uint32_t author_count, commit_count;
    model items[ITEMS];
    gt_id ids[ITEMS][MODEL_STEPS_MAX];
    test_frames frames;
} history;

static bool chance(test_random *random, uint32_t percent) { return test_random_below(random, 100) < percent; }
static uint64_t bit(uint32_t step) { return UINT64_C(1) << step; }

static uint32_t index_of(const history *h, uint32_t item, const gt_id *id) {
    uint32_t i = 0;
    while (i < h->items[item].count && gt_id_compare(&h->ids[item][i], id) != 0) i++;
    assert_true(i < h->items[item].count);
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

static void note(history *h, uint32_t item, const gt_id *id, const heads *parents, const model_delta *delta) {
    model *m = &h->items[item];
    uint32_t index = m->count;
    assert_true(index < MODEL_STEPS_MAX);
    model_step *step = &m->steps[index];
    memset(step, 0, sizeof *step);
    h->ids[item][index] = *id;
    memcpy(step->id, id->bytes, sizeof step->id);
    for (uint32_t i = 0; i < parents->count; i++) {
        uint32_t parent = index_of(h, item, &parents->ids[i]);
        step->parents[step->parent_count++] = parent;
        step->ancestors |= m->steps[parent].ancestors | bit(parent);
    }
    step->delta = *delta;
    m->count++;
    h->commit_count++;
}

static void write_batch(history *h, test_site *site) {
    gt_capture *capture = NULL;
    gt_signer signer = {site->own->session, &site->own->secret};
    heads seen[ITEMS];
    uint32_t size = 1 + (chance(h->random, 40) ? test_random_below(h->random, 5) : 0);
    uint32_t first[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++) {
        look(site, i, &seen[i]);
        first[i] = h->items[i].count;
    }
    gt_sim_advance_ms(&site->clock, test_random_below(h->random, 3)); /* many times are equal */
    assert_int_equal(gt_capture_begin(site->repo, &capture, NULL), GOAT_OK);
    uint32_t group = chance(h->random, 20) ? test_random_below(h->random, size) : UINT32_MAX;
    for (uint32_t i = 0; i < size; i++) {
        uint32_t item = test_random_below(h->random, chance(h->random, 60) ? 1 : ITEMS);
        heads parents = seen[item];
        model_delta delta;
        gt_id id;
        gt_bytes bytes = model_random_delta(h->random, &delta);
        drop_some(h->random, &parents);
        gt_leaf leaf = {.key = gt_bytes_text(keys[item]),
                        .parents = parents.ids,
                        .parent_count = parents.count,
                        .schema = test_site_schema(site, "model", 1),
                        .delta = bytes};
        assert_int_equal(gt_capture_add(capture, &signer, &leaf, &id, NULL), GOAT_OK);
        note(h, item, &id, &parents, &delta);
        test_value_free(bytes);
        seen[item].ids[0] = id;
        seen[item].count = 1;
    }
    if (group != UINT32_MAX) gt_capture_group(capture, group);
    assert_int_equal(gt_capture_finish(capture, &signer, GT_FROM_SELF, NULL), GOAT_OK);
    for (uint32_t i = 0; i < ITEMS; i++) {
        for (uint32_t k = first[i]; k < h->items[i].count; k++) {
            h->items[i].steps[k].time = gt_commit_at(site->repo, gt_find_commit(site->repo, &h->ids[i][k]))->time;
        }
    }
    test_frames_add(&h->frames, test_site_next_frame(site));
}

/* One author hears what another has, as far as its log goes. */
static void hear(history *h, test_site *to, test_site *from) {
    gt_record record;
    uint64_t offset = GT_LOG_HEADER_SIZE;
    gt_admission outcome;
    uint32_t left = chance(h->random, 50) ? UINT32_MAX : test_random_below(h->random, 6);
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

/* Puts the steps of an item into the order that the model wants. */
static void sort_model(history *h, uint32_t item) {
    model *m = &h->items[item];
    static model sorted;
    gt_id ids[MODEL_STEPS_MAX];
    uint32_t to[MODEL_STEPS_MAX];
    for (uint32_t i = 0; i < m->count; i++) {
        to[i] = 0;
        for (uint32_t k = 0; k < m->count; k++) to[i] += model_compare_steps(&m->steps[k], &m->steps[i]) < 0;
    }
    for (uint32_t i = 0; i < m->count; i++) {
        model_step *step = &sorted.steps[to[i]];
        *step = m->steps[i];
        step->ancestors = 0;
        ids[to[i]] = h->ids[item][i];
        for (uint32_t k = 0; k < m->count; k++) step->ancestors |= m->steps[i].ancestors & bit(k) ? bit(to[k]) : 0;
        for (uint32_t p = 0; p < step->parent_count; p++) step->parents[p] = to[step->parents[p]];
    }
    sorted.count = m->count;
    *m = sorted;
    memcpy(h->ids[item], ids, sizeof ids);
}

static void new_site(history *h, test_site *site, uint32_t author) {
    test_site_init(site, h->network, author, test_random_u64(h->random), TEST_SITE_FAST);
    test_site_learn(site, model_schema_json(false));
    test_site_open(site, 0);
}

static void make_history(history *h, uint32_t commits) {
    h->author_count = 1 + test_random_below(h->random, TEST_AUTHORS);
    for (uint32_t i = 0; i < h->author_count; i++) new_site(h, &h->authors[i], i);
    while (h->commit_count < commits) {
        test_site *one = &h->authors[test_random_below(h->random, h->author_count)];
        test_site *other = &h->authors[test_random_below(h->random, h->author_count)];
        uint32_t event = test_random_below(h->random, 100);
        if (event < 50) {
            write_batch(h, one);
        } else if (one != other) {
            hear(h, one, other);
            if (event < 75) hear(h, other, one); /* criss-cross */
        }
    }
    for (uint32_t i = 0; i < ITEMS; i++) sort_model(h, i);
}

static void free_history(history *h) {
    for (uint32_t i = 0; i < ITEMS; i++) model_free(&h->items[i]);
    for (uint32_t i = 0; i < h->author_count; i++) test_site_free(&h->authors[i]);
    test_frames_free(&h->frames);
}

/* ---- comparing ---- */

static uint64_t known_commits(const history *h, test_site *site, uint32_t item, uint32_t row) {
    gt_buf rows;
    uint64_t known = 0;
    gt_buf_init(&rows, &gt_alloc_system);
    assert_int_equal(gt_repo_item_commits(site->repo, row, &rows, NULL), GOAT_OK);
    for (size_t at = 0; at < rows.len; at += sizeof(uint32_t)) {
        uint32_t commit;
        memcpy(&commit, rows.data + at, sizeof commit);
        known |= bit(index_of(h, item, &gt_commit_at(site->repo, commit)->id));
    }
    gt_buf_free(&rows);
    return known;
}

static void fail_with(const history *h, uint32_t item, uint64_t known, gt_bytes shown, gt_bytes expected) {
    gt_buf a, b;
    model_print(&h->items[item]);
    test_value_print(shown, &a);
    test_value_print(expected, &b);
    fail_msg("item %s, commits known %llx: %s instead of %s", keys[item], (unsigned long long)known,
             (const char *)a.data, (const char *)b.data);
}

/* The base by the definition: the most of the first commits, in order, such that every other one known descends from those of
 * them that no other of them has seen; all of them only if there is one head. */
static uint64_t base_members(const model *m, uint64_t known) {
    uint64_t members = 0, best = 0, below = 0;
    for (uint32_t i = 0; i <= m->count; i++) {
        bool good = true;
        uint32_t after = 0;
        for (uint32_t k = i; k < m->count; k++) {
            if ((known >> k & 1) == 0) continue;
            after++;
            good = good && (members & ~m->steps[k].ancestors) == 0;
        }
        if (good && (after > 0 || (members & (members - 1)) == 0)) best = members;
        if (i == m->count || (known >> i & 1) == 0) continue;
        below |= m->steps[i].ancestors;
        members = (members | bit(i)) & ~below;
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
static void compare_explanations(const history *h, test_site *site, gt_buf *first) {
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
            base |= bit(index_of(h, i, &copy));
        }
        uint64_t expected = base_members(&h->items[i], known_commits(h, site, i, row));
        if (base != expected) model_print(&h->items[i]);
        assert_int_equal(base, expected);
        if (first == NULL) continue;
        if (first[i].len == 0) gt_buf_append(&first[i], found.data, found.len);
        assert_true(gt_bytes_equal(gt_buf_bytes(&first[i]), gt_buf_bytes(&found)));
    }
    gt_buf_free(&found);
}

static void compare(const history *h, test_site *site) {
    gt_buf expected;
    gt_buf_init(&expected, &gt_alloc_system);
    for (uint32_t i = 0; i < ITEMS; i++) {
        uint32_t row = gt_repo_find(site->repo, gt_bytes_text(keys[i]));
        if (row == GT_NONE) continue;
        gt_seen seen;
        uint64_t known = known_commits(h, site, i, row);
        gt_buf_clear(&expected);
        model_state(&h->items[i], known, &expected);
        assert_int_equal(gt_repo_view(site->repo, row, &seen, NULL), GOAT_OK);
        if (!gt_bytes_equal(seen.view.bytes, gt_buf_bytes(&expected))) {
            fail_with(h, i, known, seen.view.bytes, gt_buf_bytes(&expected));
        }
        gt_view_drop(site->alloc, &seen.view);
    }
    gt_buf_free(&expected);
}

/* ---- delivery ---- */

/* A frame as it is, or as two with their leaves dealt out between them. */
static void add_pieces(history *h, gt_bytes frame, test_frames *pieces) {
    gt_arena arena;
    gt_batch batch;
    uint8_t reasons[2][COMMITS_MAX];
    if (!chance(h->random, 35)) {
        test_frames_add(pieces, frame);
        return;
    }
    gt_arena_init(&arena, &gt_alloc_system);
    assert_int_equal(gt_batch_decode(frame, &arena, &batch, NULL), GOAT_OK);
    assert_int_equal(gt_batch_hash(h->network->hasher, &h->network->place, &batch, NULL), GOAT_OK);
    bool here = false, both = false;
    for (uint32_t i = 0; i < batch.size; i++) {
        uint32_t group = gt_batch_group_of(&batch, i);
        bool goes_on = i > 0 && group != UINT32_MAX && group == gt_batch_group_of(&batch, i - 1);
        here = goes_on ? here : chance(h->random, 50); /* a transaction stays whole */
        both = goes_on ? both : chance(h->random, 20);
        reasons[0][i] = here || both ? GT_NODE_LEAF : GT_NODE_HAD;
        reasons[1][i] = !here || both ? GT_NODE_LEAF : GT_NODE_HAD;
    }
    for (int i = 0; i < 2; i++) {
        gt_buf piece;
        gt_buf_init(&piece, &gt_alloc_system);
        assert_int_equal(gt_batch_elide(h->network->hasher, &batch, reasons[i], &piece, NULL), GOAT_OK);
        test_frames_add(pieces, gt_buf_bytes(&piece));
        gt_buf_free(&piece);
    }
    gt_arena_free(&arena);
}

static void deliver(history *h, test_site *site, bool eagerly) {
    test_frames pieces = {0};
    uint32_t order[PIECES_MAX], count = 0;
    gt_admission outcome;
    for (size_t i = 0; i < h->frames.count; i++) add_pieces(h, test_frames_at(&h->frames, i), &pieces);
    for (uint32_t i = 0; i < pieces.count; i++) order[count++] = i;
    for (uint32_t i = 0; i < pieces.count && count < PIECES_MAX; i++) {
        if (chance(h->random, 15)) order[count++] = i; /* twice */
    }
    uint32_t reach = chance(h->random, 50) ? count : 3; /* anything goes, or only neighbours change places */
    for (uint32_t i = 0; i + 1 < count; i++) {
        uint32_t to = i + test_random_below(h->random, count - i < reach ? count - i : reach), moved = order[to];
        order[to] = order[i];
        order[i] = moved;
    }
    for (uint32_t i = 0; i < count; i++) {
        gt_diag diag;
        gt_diag_init(&diag);
        if (test_site_admit(site, test_frames_at(&pieces, order[i]), &outcome, &diag) != GOAT_OK) {
            fail_msg("a frame is refused: %s", diag.message);
        }
        if (eagerly && chance(h->random, 30)) compare(h, site);
    }
    assert_int_equal(gt_repo_parked_count(site->repo), 0);
    assert_int_equal(gt_repo_entry_count(site->repo), h->commit_count);
    test_frames_free(&pieces);
}

static void reopen(history *h, test_site *site) {
    if (chance(h->random, 50)) test_site_checkpoint(site);
    test_site_close(site);
    test_site_open(site, chance(h->random, 30) ? TEST_SITE_NO_CHECKPOINT : 0);
    assert_int_equal(gt_repo_faults(site->repo), 0);
}

static void try_history(test_network *network, test_random *random) {
    static history h;
    uint8_t first[GT_HASH_SIZE], digest[GT_HASH_SIZE];
    memset(&h, 0, sizeof h);
    h.network = network;
    h.random = random;
    make_history(&h, 1 + test_random_below(random, chance(random, 10) ? COMMITS_MAX - 8 : 12));
    gt_buf explained[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++) gt_buf_init(&explained[i], &gt_alloc_system);
    for (uint32_t i = 0; i < h.author_count; i++) {
        compare(&h, &h.authors[i]);
        compare_explanations(&h, &h.authors[i], NULL);
    }
    for (uint32_t i = 0; i < REPLICAS; i++) {
        test_site site;
        new_site(&h, &site, 0);
        deliver(&h, &site, i % 2 == 0);
        if (chance(random, 15)) {
            reopen(&h, &site);
            if (chance(random, 50)) compare(&h, &site);
        }
        test_site_digest(&site, i == 0 ? first : digest);
        if (i > 0) assert_memory_equal(first, digest, sizeof first);
        if (i % 4 == 1) compare(&h, &site);
        if (i < 3) compare_explanations(&h, &site, explained);
        if (i == 1) assert_int_equal(test_site_audit(&site, NULL), 0);
        test_site_free(&site);
    }
    for (uint32_t i = 0; i < ITEMS; i++) gt_buf_free(&explained[i]);
    free_history(&h);
}

static void the_same_commits_give_the_same_views_everywhere(void **state) {
    (void)state;
    test_network network;
    test_random random;
    test_network_init(&network);
    test_random_init(&random, __func__);
    uint32_t histories = getenv("GOAT_SOAK") != NULL ? HISTORIES * SOAK : HISTORIES;
    for (uint32_t i = 0; i < histories; i++) try_history(&network, &random);
    test_network_free(&network);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_commits_give_the_same_views_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
