/* Text with several authors, against Fugue written down literally: a tree of elements, walked anew for every question. */
#include "support/test.h"

#include "base/utf8.h"
#include "merge/merge.h"
#include "merge/runs.h"
#include "merge/text_diff.h"
#include "support/test_random.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

enum { STEPS_MAX = 40, ELEMENTS_MAX = 4000, HISTORIES = 6000 };

/* ---- the model ---- */

typedef struct element {
    int parent; /* -1: the root */
    bool left;
    uint32_t step, index;
    char letter;
    uint64_t removed_by; /* steps, as bits */
} element;

typedef struct history {
    test_random random;
    uint32_t count;
    gt_step steps[STEPS_MAX];
    uint8_t ids[STEPS_MAX][32];
    uint32_t parents[STEPS_MAX][STEPS_MAX];
    uint64_t past[STEPS_MAX]; /* strict ancestors, as bits */
    gt_buf deltas[STEPS_MAX];
    bool unsets[STEPS_MAX];
    element elements[ELEMENTS_MAX];
    int element_count;
} history;

static bool id_is_less(const history *h, const element *a, const element *b) {
    int order = memcmp(h->ids[a->step], h->ids[b->step], 32);
    return order != 0 ? order < 0 : a->index < b->index;
}

/* The elements below one, or all (-1), of those steps, in order. */
static void walk(const history *h, int at, uint64_t steps, int *out, int *count) {
    for (int side = 1; side >= 0; side--) {
        int last = -1;
        for (;;) { /* the child with the next greater id */
            int next = -1;
            for (int i = 0; i < h->element_count; i++) {
                const element *e = &h->elements[i];
                if (e->parent != at || e->left != (side == 1) || (steps >> e->step & 1) == 0) continue;
                if (last >= 0 && !id_is_less(h, &h->elements[last], e)) continue;
                if (next < 0 || id_is_less(h, e, &h->elements[next])) next = i;
            }
            if (next < 0) break;
            walk(h, next, steps, out, count);
            last = next;
        }
        if (side == 1 && at >= 0) out[(*count)++] = at;
    }
}

static bool is_seen(const history *h, int at, uint64_t steps) { return (h->elements[at].removed_by & steps) == 0; }

static int seen_by(const history *h, uint64_t steps, int *out) {
    static int all[ELEMENTS_MAX];
    int count = 0, seen = 0;
    walk(h, -1, steps, all, &count);
    for (int i = 0; i < count; i++) {
        if (is_seen(h, all[i], steps)) out[seen++] = all[i];
    }
    return seen;
}

static bool has_right_child(const history *h, int at, uint64_t steps) {
    for (int i = 0; i < h->element_count; i++) {
        const element *e = &h->elements[i];
        if (e->parent == at && !e->left && (steps >> e->step & 1) != 0) return true;
    }
    return false;
}

/* Inserts one element behind `before` (-1: at the beginning), of those known to `steps`. */
static int insert(history *h, int before, uint64_t steps, uint32_t step, uint32_t index, char letter) {
    static int all[ELEMENTS_MAX];
    element e = {.parent = before, .step = step, .index = index, .letter = letter};
    if (has_right_child(h, before, steps)) {
        int count = 0, at = 0;
        walk(h, -1, steps, all, &count);
        while (before >= 0 && all[at] != before) at++;
        e.parent = all[before < 0 ? 0 : at + 1];
        e.left = true;
    }
    h->elements[h->element_count] = e;
    return h->element_count++;
}

/* ---- making histories ---- */

static void write_delta(gt_buf *out, const gt_buf *edit) {
    gt_buf_init(out, &gt_alloc_system);
    gt_write_map_head(out, 1);
    gt_write_text(out, gt_bytes_text("t"));
    gt_buf_append(out, edit->data, edit->len);
}

/* A few random runs on what is seen; the model does the same. */
static void random_runs(history *h, uint32_t step, gt_buf *edit) {
    static int seen[ELEMENTS_MAX];
    gt_run_writer writer;
    uint64_t steps = h->past[step] | UINT64_C(1) << step;
    int count = seen_by(h, h->past[step], seen), at = 0, before = -1;
    uint32_t index = 0;
    gt_run_writer_init(&writer, &gt_alloc_system);
    do {
        int keep = (int)test_random_below(&h->random, (uint32_t)(count - at) + 1);
        if (keep == 0 && at > 0) break; /* what is inserted behind a removal is inserted before it */
        if (keep > 0) before = seen[at + keep - 1];
        gt_run_keep(&writer, (uint64_t)keep);
        at += keep;
        uint32_t letters = test_random_below(&h->random, 4);
        for (uint32_t i = 0; i < letters; i++) {
            char letter = (char)('a' + (step % 26));
            before = insert(h, before, steps, step, index++, letter);
            gt_run_insert(&writer, gt_bytes_of(&letter, 1));
        }
        int removed = (int)test_random_below(&h->random, (uint32_t)(count - at) + 1);
        if (removed > 3) removed = 3;
        for (int i = 0; i < removed; i++) {
            before = seen[at + i];
            h->elements[seen[at + i]].removed_by |= UINT64_C(1) << step;
        }
        gt_run_remove(&writer, (uint64_t)removed);
        at += removed;
    } while (test_random_below(&h->random, 2) == 0);
    gt_run_writer_end(&writer, edit);
    if (edit->len == 0) { /* nothing came of it: the text as it is, in place of all that is seen */
        gt_write_text(edit, gt_bytes_text(""));
        for (int i = 0; i < count; i++) h->elements[seen[i]].removed_by |= UINT64_C(1) << step;
    }
}

static void random_edit(history *h, uint32_t step) {
    static int seen[ELEMENTS_MAX];
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    uint32_t dice = test_random_below(&h->random, 20);
    h->unsets[step] = dice == 0;
    if (dice <= 1) {
        int count = seen_by(h, h->past[step], seen);
        uint64_t steps = h->past[step] | UINT64_C(1) << step;
        for (int i = 0; i < count; i++) h->elements[seen[i]].removed_by |= UINT64_C(1) << step;
        if (dice == 0) {
            gt_write_undefined(&edit);
        } else {
            char letters[3] = {'X', 'Y', 'Z'};
            for (int i = 0, before = -1; i < 3; i++) before = insert(h, before, steps, step, (uint32_t)i, letters[i]);
            gt_write_text(&edit, gt_bytes_of(letters, 3));
        }
    } else {
        random_runs(h, step, &edit);
    }
    write_delta(&h->deltas[step], &edit);
    gt_buf_free(&edit);
}

/* The heads of some of the steps before this one. */
static void random_parents(history *h, uint32_t step) {
    uint64_t known = 0, heads;
    uint32_t branches = 1 + test_random_below(&h->random, 3), count = 0;
    for (uint32_t i = 0; step > 0 && i < branches; i++) {
        uint32_t back = 1 + test_random_below(&h->random, step < 8 ? step : 8);
        known |= h->past[step - back] | UINT64_C(1) << (step - back);
    }
    heads = known;
    for (uint32_t i = 0; i < step; i++) {
        if (known >> i & 1) heads &= ~h->past[i];
    }
    for (uint32_t i = 0; i < step; i++) {
        if (heads >> i & 1) h->parents[step][count++] = i;
    }
    h->past[step] = known;
    h->steps[step].parents = h->parents[step];
    h->steps[step].parent_count = count;
}

static void make_history(history *h, uint32_t count) {
    h->count = count;
    h->element_count = 0;
    for (uint32_t step = 0; step < count; step++) {
        h->steps[step] = (gt_step){.id = h->ids[step], .time = 1 + step};
        for (int i = 0; i < 32; i++) h->ids[step][i] = (uint8_t)test_random_below(&h->random, 256);
        random_parents(h, step);
        random_edit(h, step);
        h->steps[step].delta = gt_buf_bytes(&h->deltas[step]);
        h->steps[step].is_void = test_random_below(&h->random, 12) == 0;
    }
}

static void free_history(history *h) {
    for (uint32_t i = 0; i < h->count; i++) gt_buf_free(&h->deltas[i]);
}

/* ---- what comes of them ---- */

static bool is_present(const history *h, uint64_t steps) {
    for (uint32_t i = 0; i < h->count; i++) {
        if ((steps >> i & 1) == 0 || h->unsets[i] || h->steps[i].is_void) continue;
        bool unset = false;
        for (uint32_t u = 0; u < h->count; u++) {
            if ((steps >> u & 1) && h->unsets[u] && !h->steps[u].is_void && (h->past[u] >> i & 1)) unset = true;
        }
        if (!unset) return true;
    }
    return false;
}

static void expect_text(const history *h, uint64_t steps, gt_buf *out) {
    static int all[ELEMENTS_MAX];
    int count = 0;
    uint64_t counting = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        if ((steps >> i & 1) && !h->steps[i].is_void) counting |= UINT64_C(1) << i;
    }
    walk(h, -1, steps, all, &count);
    for (int i = 0; i < count; i++) {
        const element *e = &h->elements[all[i]];
        if ((counting >> e->step & 1) && (e->removed_by & counting) == 0) gt_buf_append(out, &e->letter, 1);
    }
}

/* Replays the steps of `which` on a base that holds those of `before`, in some order with parents first. */
static void replay(history *h, const gt_schema *schema, gt_bytes base, uint64_t which, uint64_t before, gt_buf *out) {
    gt_step steps[STEPS_MAX];
    uint32_t parents[STEPS_MAX][STEPS_MAX], place[STEPS_MAX], count = 0;
    uint64_t left = which & ~before, done = before;
    gt_diag diag;
    gt_diag_init(&diag);
    while (left != 0) {
        uint32_t step = test_random_below(&h->random, h->count);
        if ((left >> step & 1) == 0 || (h->past[step] & ~done) != 0) continue;
        steps[count] = h->steps[step];
        steps[count].parents = parents[count];
        steps[count].parent_count = 0;
        for (uint32_t i = 0; i < h->steps[step].parent_count; i++) {
            uint32_t parent = h->parents[step][i];
            if ((before >> parent & 1) == 0) parents[count][steps[count].parent_count++] = place[parent];
        }
        place[step] = count++;
        done |= UINT64_C(1) << step;
        left &= ~(UINT64_C(1) << step);
    }
    gt_buf_clear(out);
    if (gt_merge_replay(&gt_alloc_system, schema, base, steps, count, out, NULL, &diag) != GOAT_OK) {
        fail_msg("%s", diag.message);
    }
}

static void assert_shows(history *h, const gt_buf *state, uint64_t steps) {
    gt_buf expected;
    gt_bytes value = gt_map_find(gt_buf_bytes(state), gt_bytes_text("t")), text = {0};
    gt_buf_init(&expected, &gt_alloc_system);
    expect_text(h, steps, &expected);
    if (is_present(h, steps) != (value.data != NULL)) fail_msg("present: %d", value.data != NULL);
    if (value.data != NULL) {
        assert_true(gt_value_as_text(value, &text));
        if (!gt_bytes_equal(text, gt_buf_bytes(&expected))) {
            fail_msg("expected %.*s but was %.*s", (int)expected.len, (const char *)expected.data, (int)text.len,
                     (const char *)text.data);
        }
    }
    gt_buf_free(&expected);
}

/* Whether every other step is before a head of `version` or behind all of it. */
static bool is_critical(const history *h, uint64_t version, uint64_t heads) {
    for (uint32_t i = 0; i < h->count; i++) {
        if ((version >> i & 1) == 0 && (h->past[i] & heads) != heads) return false;
        if ((version >> i & 1) != 0 && h->steps[i].is_void) return false;
    }
    return true;
}

static void texts_come_out_as_fugue_says(void **state) {
    (void)state;
    gt_schema *schema = test_schema("{\"ns\":\"n\",\"version\":1,\"fields\":{\"t\":{\"type\":\"text\"}}}");
    history *h = test_malloc(sizeof(*h));
    gt_buf whole, base, again;
    uint32_t bases = 0;
    test_random_init(&h->random, __func__);
    gt_buf_init(&whole, &gt_alloc_system);
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    for (int i = 0; i < HISTORIES; i++) {
        make_history(h, 1 + test_random_below(&h->random, i % 10 == 0 ? STEPS_MAX : 12));
        uint64_t all = (UINT64_C(1) << h->count) - 1;
        replay(h, schema, gt_bytes_of(NULL, 0), all, 0, &whole);
        assert_shows(h, &whole, all);
        replay(h, schema, gt_bytes_of(NULL, 0), all, 0, &again);
        assert_true(gt_bytes_equal(gt_buf_bytes(&whole), gt_buf_bytes(&again)));
        for (uint32_t s = 0; s + 1 < h->count; s++) {
            uint64_t version = h->past[s] | UINT64_C(1) << s;
            if (!is_critical(h, version, UINT64_C(1) << s)) continue;
            replay(h, schema, gt_bytes_of(NULL, 0), version, 0, &base);
            assert_shows(h, &base, version);
            replay(h, schema, gt_buf_bytes(&base), all, version, &again);
            assert_true(gt_bytes_equal(gt_buf_bytes(&whole), gt_buf_bytes(&again)));
            bases++;
        }
        free_history(h);
    }
    assert_true(bases > HISTORIES / 4);
    gt_buf_free(&whole);
    gt_buf_free(&base);
    gt_buf_free(&again);
    test_free(h);
    gt_schema_free(schema);
}

/* ---- one author ---- */

static void random_text(test_random *random, gt_buf *out, uint32_t most) {
    static const char *const pieces[] = {"a",  "b",        "the ", "goat", " ", "\n", "é", "€", "\xf0\x9f\x90\x90",
                                         ", ", "e\xcc\x81"};
    gt_buf text;
    gt_buf_init(&text, &gt_alloc_system);
    for (uint32_t n = test_random_below(random, most + 1); n > 0; n--) {
        gt_bytes piece = gt_bytes_text(pieces[test_random_below(random, 11)]);
        gt_buf_append(&text, piece.data, piece.len);
    }
    gt_buf_clear(out);
    gt_write_text(out, gt_buf_bytes(&text));
    gt_buf_free(&text);
}

/* Another text that has much in common with it. */
static void vary(test_random *random, const gt_buf *from, gt_buf *out) {
    gt_buf before, after, text;
    gt_bytes old = {0};
    gt_value_as_text(gt_buf_bytes(from), &old);
    gt_buf_init(&before, &gt_alloc_system);
    gt_buf_init(&after, &gt_alloc_system);
    gt_buf_init(&text, &gt_alloc_system);
    size_t cut = gt_utf8_bytes(old, test_random_below(random, (uint32_t)gt_utf8_count(old.data, old.len) + 1));
    gt_bytes rest = gt_bytes_of(old.data + cut, old.len - cut);
    size_t gone = gt_utf8_bytes(rest, test_random_below(random, 4));
    gt_buf_append(&text, old.data, cut);
    random_text(random, &before, 3);
    gt_bytes middle = {0};
    gt_value_as_text(gt_buf_bytes(&before), &middle);
    gt_buf_append(&text, middle.data, middle.len);
    gt_buf_append(&text, rest.data + gone, rest.len - gone);
    gt_buf_clear(out);
    gt_write_text(out, gt_buf_bytes(&text));
    gt_buf_free(&before);
    gt_buf_free(&after);
    gt_buf_free(&text);
}

/* diff, compose and apply agree with each other, and what diff writes is an edit in its one form. */
static void edits_of_one_author_agree(void **state) {
    (void)state;
    test_random random;
    gt_buf texts[3], edits[2], both, value, delta;
    gt_diag diag;
    gt_schema *schema = test_schema("{\"ns\":\"n\",\"version\":1,\"fields\":{\"t\":{\"type\":\"text\"}}}");
    const gt_field *field = gt_schema_field(schema, gt_bytes_text("t"));
    test_random_init(&random, __func__);
    gt_diag_init(&diag);
    for (int i = 0; i < 3; i++) gt_buf_init(&texts[i], &gt_alloc_system);
    for (int i = 0; i < 2; i++) gt_buf_init(&edits[i], &gt_alloc_system);
    gt_buf_init(&both, &gt_alloc_system);
    gt_buf_init(&value, &gt_alloc_system);
    gt_buf_init(&delta, &gt_alloc_system);
    for (int round = 0; round < 20000; round++) {
        random_text(&random, &texts[0], 30);
        for (int i = 0; i < 2; i++) {
            if (test_random_below(&random, 8) == 0) {
                random_text(&random, &texts[i + 1], 30);
            } else {
                vary(&random, &texts[i], &texts[i + 1]);
            }
            gt_bytes before = gt_buf_bytes(&texts[i]), after = gt_buf_bytes(&texts[i + 1]);
            gt_buf_clear(&edits[i]);
            assert_int_equal(gt_edit_diff(field, before, after, &edits[i], &diag), GOAT_OK);
            assert_int_equal(edits[i].len == 0, gt_bytes_equal(before, after));
            if (edits[i].len == 0) continue;
            gt_buf_clear(&value);
            assert_int_equal(gt_edit_apply(field, before, gt_buf_bytes(&edits[i]), &value, &diag), GOAT_OK);
            assert_true(gt_bytes_equal(gt_buf_bytes(&value), after));
            gt_buf_clear(&delta);
            gt_write_map_head(&delta, 1);
            gt_write_text(&delta, gt_bytes_text("t"));
            gt_buf_append(&delta, edits[i].data, edits[i].len);
            assert_int_equal(gt_merge_check_delta(schema, gt_buf_bytes(&delta), &diag), GOAT_OK);
        }
        if (edits[0].len == 0 || edits[1].len == 0) continue;
        gt_buf_clear(&both);
        gt_buf_clear(&value);
        gt_bytes first = gt_buf_bytes(&edits[0]), second = gt_buf_bytes(&edits[1]), base = gt_buf_bytes(&texts[0]);
        assert_int_equal(gt_edit_compose(field, base, first, second, &both, &diag), GOAT_OK);
        if (both.len == 0) {
            assert_true(gt_bytes_equal(gt_buf_bytes(&texts[0]), gt_buf_bytes(&texts[2])));
            continue;
        }
        assert_int_equal(gt_edit_apply(field, base, gt_buf_bytes(&both), &value, &diag), GOAT_OK);
        assert_true(gt_bytes_equal(gt_buf_bytes(&value), gt_buf_bytes(&texts[2])));
    }
    for (int i = 0; i < 3; i++) gt_buf_free(&texts[i]);
    for (int i = 0; i < 2; i++) gt_buf_free(&edits[i]);
    gt_buf_free(&both);
    gt_buf_free(&value);
    gt_buf_free(&delta);
    gt_schema_free(schema);
}

static void expect_diff(const char *before, const char *after, const char *notation) {
    gt_buf edit, text;
    gt_buf_init(&edit, &gt_alloc_system);
    gt_text_diff(gt_bytes_text(before), gt_bytes_text(after), &edit);
    test_value_print(gt_buf_bytes(&edit), &text);
    assert_string_equal((const char *)text.data, notation);
    gt_buf_free(&edit);
    gt_buf_free(&text);
}

static void a_diff_says_what_a_person_did(void **state) {
    (void)state;
    expect_diff("the goat eats", "the old goat eats", "{0: [4, 'old ']}");
    expect_diff("one two three", "one three", "{0: [4, -4]}");
    expect_diff("the colour", "the color", "{0: [8, -1]}");
    expect_diff("a cat sat", "a dog sat", "{0: [2, 'dog', -3]}");
    expect_diff("one\ntwo\nthree\n", "one\nthree\n", "{0: [4, -4]}");
    expect_diff("a\nb\n", "a\nnew\nb\n", "{0: [2, 'new\n']}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_come_out_as_fugue_says),
        cmocka_unit_test(edits_of_one_author_agree),
        cmocka_unit_test(a_diff_says_what_a_person_did),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
