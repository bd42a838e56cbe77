/* Rich text with several authors, against the rules written down literally: elements in a tree as Fugue has it, walked anew for
 * every question, and each attribute as all that was ever said of it. Claim by claim they are in merge_rich_edit_test.c. */
#include "support/test.h"

#include "merge/merge.h"
#include "merge/rich_runs.h"
#include "support/test_random.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"

enum { STEPS_MAX = 32, ELEMENTS_MAX = 4000, MARKS_MAX = 20000, NAMES = 3, HISTORIES = 20000, EMBED = 0 };

static const char *const names[NAMES] = {"b", "h", "link"}; /* in the order of keys */

/* ---- the model ---- */

typedef struct element {
    int parent; /* -1: the root */
    bool left;
    uint32_t step, index;
    uint32_t character; /* EMBED for one, whose content is `embed` */
    int embed;
    int attributes[NAMES]; /* 0: none */
    uint64_t removed_by;   /* steps, as bits */
} element;

/* One attribute, given to what stood from one element to another in what the author of the step saw. */
typedef struct mark {
    uint32_t step;
    int name, value; /* 0: removed */
    int first, last;
} mark;

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
    mark marks[MARKS_MAX];
    int element_count, mark_count;
} history;

static uint64_t bit(uint32_t step) { return UINT64_C(1) << step; }

static uint32_t below(history *h, uint32_t limit) { return test_random_below(&h->random, limit); }

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

static int seen_by(const history *h, uint64_t steps, int *out) {
    int count = 0, seen = 0;
    walk(h, -1, steps, out, &count);
    for (int i = 0; i < count; i++) {
        if ((h->elements[out[i]].removed_by & steps) == 0) out[seen++] = out[i];
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

/* Inserts an element behind `before` (-1: at the beginning), of those known to `steps`. */
static int insert(history *h, int before, uint64_t steps, element e) {
    static int all[ELEMENTS_MAX];
    e.parent = before;
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

static bool is_later(const history *h, uint32_t a, uint32_t b) {
    if (h->steps[a].time != h->steps[b].time) return h->steps[a].time > h->steps[b].time;
    return memcmp(h->ids[a], h->ids[b], 32) > 0;
}

/* ---- elements as bytes ---- */

static void write_attributes(gt_buf *out, const int *attributes, bool with_nulls, const bool *said) {
    size_t count = 0;
    for (int n = 0; n < NAMES; n++) count += with_nulls ? said[n] : attributes[n] != 0;
    if (count == 0) return;
    gt_write_map_head(out, count);
    for (int n = 0; n < NAMES; n++) {
        if (with_nulls ? !said[n] : attributes[n] == 0) continue;
        gt_write_text(out, gt_bytes_text(names[n]));
        if (attributes[n] == 0) {
            gt_write_null(out);
        } else {
            gt_write_int(out, attributes[n]);
        }
    }
}

static void write_character(gt_buf *out, uint32_t c) {
    if (c < 0x80) {
        gt_buf_append_byte(out, (uint8_t)c);
        return;
    }
    uint8_t bytes[4] = {(uint8_t)(0xf0 | c >> 18), (uint8_t)(0x80 | (c >> 12 & 63)), (uint8_t)(0x80 | (c >> 6 & 63)),
                        (uint8_t)(0x80 | (c & 63))};
    gt_buf_append(out, bytes, 4);
}

static void write_embed(gt_buf *out, int embed) {
    gt_write_map_head(out, 1);
    gt_write_text(out, gt_bytes_text("image"));
    gt_write_int(out, embed);
}

static bool are_one_insertion(const element *a, const element *b) {
    return a->character != EMBED && b->character != EMBED &&
           memcmp(a->attributes, b->attributes, sizeof a->attributes) == 0;
}

static void write_document(gt_buf *out, const element *elements, int count) {
    gt_buf text;
    int insertions = 0;
    for (int i = 0; i < count; i++) insertions += i == 0 || !are_one_insertion(&elements[i - 1], &elements[i]);
    gt_buf_init(&text, &gt_alloc_system);
    gt_write_array_head(out, (size_t)insertions);
    for (int i = 0; i < count;) {
        const element *e = &elements[i];
        bool plain = e->attributes[0] == 0 && e->attributes[1] == 0 && e->attributes[2] == 0;
        gt_write_map_head(out, plain ? 1 : 2);
        gt_write_text(out, gt_bytes_text("insert"));
        if (e->character == EMBED) {
            write_embed(out, elements[i++].embed);
        } else {
            text.len = 0;
            do {
                write_character(&text, elements[i++].character);
            } while (i < count && are_one_insertion(e, &elements[i]));
            gt_write_text(out, gt_buf_bytes(&text));
        }
        if (plain) continue;
        gt_write_text(out, gt_bytes_text("attributes"));
        write_attributes(out, e->attributes, false, NULL);
    }
    gt_buf_free(&text);
}

/* ---- making histories ---- */

static element random_element(history *h, uint32_t step, uint32_t index, const element *last) {
    element e = {.step = step, .index = index, .character = 'a' + below(h, 26), .embed = (int)below(h, 3)};
    if (below(h, 12) == 0) e.character = '\n';
    if (below(h, 12) == 0) e.character = 0x1f600 + below(h, 4);
    if (below(h, 8) == 0) e.character = EMBED;
    for (int n = 0; n < NAMES; n++) e.attributes[n] = below(h, 3) == 0 ? 1 + (int)below(h, 2) : 0;
    if (last != NULL && below(h, 3) != 0) memcpy(e.attributes, last->attributes, sizeof e.attributes);
    return e;
}

static void put(gt_rich_run_writer *writer, const element *e) {
    gt_buf content, attributes;
    gt_buf_init(&content, &gt_alloc_system);
    gt_buf_init(&attributes, &gt_alloc_system);
    if (e->character == EMBED) {
        write_embed(&content, e->embed);
    } else {
        write_character(&content, e->character);
    }
    write_attributes(&attributes, e->attributes, false, NULL);
    gt_rich_piece piece = {gt_buf_bytes(&content), 1, gt_buf_bytes(&attributes), e->character == EMBED};
    gt_rich_run_insert(writer, &piece);
    gt_buf_free(&content);
    gt_buf_free(&attributes);
}

/* What an edit says of the attributes of one element after the other. */
typedef struct giving {
    int values[NAMES];
    bool said[NAMES];
    int marks[NAMES]; /* the mark that may go on; -1: none */
} giving;

static void give(history *h, uint32_t step, int at, giving *g) {
    for (int n = 0; n < NAMES; n++) {
        mark *last = g->marks[n] < 0 ? NULL : &h->marks[g->marks[n]];
        if (!g->said[n]) {
            g->marks[n] = -1;
        } else if (last != NULL && last->value == g->values[n]) {
            last->last = at;
        } else {
            g->marks[n] = h->mark_count;
            h->marks[h->mark_count++] = (mark){step, n, g->values[n], at, at};
        }
    }
}

static void stop(giving *g) {
    for (int n = 0; n < NAMES; n++) g->marks[n] = -1;
}

static void random_giving(history *h, giving *g) {
    for (int n = 0; n < NAMES; n++) {
        if (below(h, 2) == 0) continue;
        g->said[n] = below(h, 3) == 0;
        g->values[n] = g->said[n] ? (int)below(h, 3) : 0;
    }
}

static void keep(history *h, uint32_t step, int at, giving *g, gt_rich_run_writer *writer) {
    gt_buf attributes;
    gt_buf_init(&attributes, &gt_alloc_system);
    give(h, step, at, g);
    write_attributes(&attributes, g->values, true, g->said);
    gt_rich_run_keep(writer, 1, gt_buf_bytes(&attributes));
    gt_buf_free(&attributes);
}

static void write_whole(history *h, uint32_t step, int count, gt_buf *edit) {
    element all[4];
    for (int i = 0, before = -1; i < count; i++) {
        all[i] = random_element(h, step, (uint32_t)i, i == 0 ? NULL : &all[i - 1]);
        before = insert(h, before, h->past[step] | bit(step), all[i]);
    }
    write_document(edit, all, count);
}

static void remove_all(history *h, uint32_t step, const int *seen, int count) {
    for (int i = 0; i < count; i++) h->elements[seen[i]].removed_by |= bit(step);
}

static void random_runs(history *h, uint32_t step, gt_buf *edit) {
    static int seen[ELEMENTS_MAX];
    gt_rich_run_writer writer;
    giving g = {.marks = {-1, -1, -1}};
    uint64_t known = h->past[step] | bit(step);
    int count = seen_by(h, h->past[step], seen), before = -1;
    uint32_t busy = below(h, 4), index = 0;
    bool removed_last = false;
    gt_rich_run_writer_init(&writer, &gt_alloc_system);
    for (int at = 0; at <= count; at++) {
        element e = {0};
        for (bool is_first = true; !removed_last && (count == 0 || below(h, 10) < busy); is_first = false) {
            e = random_element(h, step, index++, is_first ? NULL : &e);
            before = insert(h, before, known, e);
            put(&writer, &e);
            stop(&g);
            if (count == 0 && index > 4) break;
        }
        if (at == count) break;
        before = seen[at];
        removed_last = below(h, 8) == 0;
        if (removed_last) {
            gt_rich_run_remove(&writer, 1);
            h->elements[seen[at]].removed_by |= bit(step);
            stop(&g);
        } else {
            if (below(h, 4) == 0) random_giving(h, &g);
            keep(h, step, seen[at], &g, &writer);
        }
    }
    gt_rich_run_writer_end(&writer, edit);
    if (edit->len > 0) return;
    gt_write_array_head(edit, 0); /* nothing came of it: an empty document in place of all that is seen */
    remove_all(h, step, seen, count);
}

static void random_edit(history *h, uint32_t step) {
    static int seen[ELEMENTS_MAX];
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    uint32_t dice = below(h, 20);
    h->unsets[step] = dice == 0;
    if (dice > 1) {
        random_runs(h, step, &edit);
    } else {
        remove_all(h, step, seen, seen_by(h, h->past[step], seen));
        if (dice == 0) {
            gt_write_undefined(&edit);
        } else {
            write_whole(h, step, 3, &edit);
        }
    }
    gt_buf_init(&h->deltas[step], &gt_alloc_system);
    gt_write_map_head(&h->deltas[step], 1);
    gt_write_text(&h->deltas[step], gt_bytes_text("r"));
    gt_buf_append(&h->deltas[step], edit.data, edit.len);
    gt_buf_free(&edit);
}

/* The heads of some of the steps before this one. */
static void random_parents(history *h, uint32_t step) {
    uint64_t known = 0, heads;
    uint32_t branches = 1 + below(h, 3), count = 0;
    for (uint32_t i = 0; step > 0 && i < branches; i++) {
        uint32_t back = 1 + below(h, step < 8 ? step : 8);
        known |= h->past[step - back] | bit(step - back);
    }
    heads = known;
    for (uint32_t i = 0; i < step; i++) {
        if (known >> i & 1) heads &= ~h->past[i];
    }
    h->steps[step].time = 1 + below(h, 3); /* many are equal */
    for (uint32_t i = 0; i < step; i++) {
        if ((heads >> i & 1) == 0) continue;
        h->parents[step][count++] = i;
        if (h->steps[i].time >= h->steps[step].time) h->steps[step].time += h->steps[i].time;
    }
    h->past[step] = known;
    h->steps[step].parents = h->parents[step];
    h->steps[step].parent_count = count;
}

static void make_history(history *h, uint32_t count) {
    h->count = count;
    h->element_count = h->mark_count = 0;
    for (uint32_t step = 0; step < count; step++) {
        h->steps[step] = (gt_step){.id = h->ids[step]};
        test_random_fill(&h->random, h->ids[step], 32);
        random_parents(h, step);
        random_edit(h, step);
        h->steps[step].delta = gt_buf_bytes(&h->deltas[step]);
        h->steps[step].is_void = below(h, 12) == 0;
    }
}

static void free_history(history *h) {
    for (uint32_t i = 0; i < h->count; i++) gt_buf_free(&h->deltas[i]);
}

/* ---- what comes of them ---- */

static uint64_t counting_of(const history *h, uint64_t steps) {
    for (uint32_t i = 0; i < h->count; i++) {
        if (h->steps[i].is_void) steps &= ~bit(i);
    }
    return steps;
}

static bool is_present(const history *h, uint64_t counting) {
    for (uint32_t i = 0; i < h->count; i++) {
        if ((counting >> i & 1) == 0 || h->unsets[i]) continue;
        bool unset = false;
        for (uint32_t u = 0; u < h->count; u++) {
            if ((counting >> u & 1) && h->unsets[u] && (h->past[u] >> i & 1)) unset = true;
        }
        if (!unset) return true;
    }
    return false;
}

/* `places`: where each element stands. */
static int attribute_of(const history *h, int at, int attribute, uint64_t counting, const int *places) {
    const element *e = &h->elements[at];
    const mark *best = NULL;
    for (int i = 0; i < h->mark_count; i++) {
        const mark *m = &h->marks[i];
        bool covers = places[m->first] <= places[at] && places[at] <= places[m->last];
        bool was_seen = m->step == e->step || (h->past[e->step] >> m->step & 1) != 0;
        if (m->name != attribute || (counting >> m->step & 1) == 0 || !covers || was_seen) continue;
        if (best == NULL || is_later(h, m->step, best->step)) best = m;
    }
    return best == NULL ? e->attributes[attribute] : best->value;
}

static void expect_document(const history *h, uint64_t steps, gt_buf *out) {
    static int all[ELEMENTS_MAX], places[ELEMENTS_MAX];
    static element left[ELEMENTS_MAX];
    int count = 0, left_count = 0;
    uint64_t counting = counting_of(h, steps);
    walk(h, -1, steps, all, &count);
    for (int i = 0; i < count; i++) places[all[i]] = i;
    for (int i = 0; i < count; i++) {
        element e = h->elements[all[i]];
        if ((counting >> e.step & 1) == 0 || (e.removed_by & counting) != 0) continue;
        for (int n = 0; n < NAMES; n++) e.attributes[n] = attribute_of(h, all[i], n, counting, places);
        left[left_count++] = e;
    }
    write_document(out, left, left_count);
}

/* Replays the steps of `which` on a base that holds those of `before`, in some order with parents first. */
static void replay(history *h, const gt_schema *schema, gt_bytes base, uint64_t which, uint64_t before, gt_buf *out) {
    gt_step steps[STEPS_MAX];
    uint32_t parents[STEPS_MAX][STEPS_MAX], place[STEPS_MAX], count = 0;
    uint64_t left = which & ~before, done = before;
    gt_diag diag;
    gt_diag_init(&diag);
    while (left != 0) {
        uint32_t step = below(h, h->count);
        if ((left >> step & 1) == 0 || (h->past[step] & ~done) != 0) continue;
        steps[count] = h->steps[step];
        steps[count].parents = parents[count];
        steps[count].parent_count = 0;
        for (uint32_t i = 0; i < h->steps[step].parent_count; i++) {
            uint32_t parent = h->parents[step][i];
            if ((before >> parent & 1) == 0) parents[count][steps[count].parent_count++] = place[parent];
        }
        place[step] = count++;
        done |= bit(step);
        left &= ~bit(step);
    }
    gt_buf_clear(out);
    if (gt_merge_replay(&gt_alloc_system, schema, base, steps, count, out, NULL, &diag) != GOAT_OK) {
        fail_msg("%s", diag.message);
    }
}

static void print_history(const history *h) {
    for (uint32_t i = 0; i < h->count; i++) {
        gt_buf text;
        test_value_print(h->steps[i].delta, &text);
        print_message("%u (time %llu, id %02x%s) after", (unsigned)i, (unsigned long long)h->steps[i].time,
                      h->ids[i][0], h->steps[i].is_void ? ", void" : "");
        for (uint32_t p = 0; p < h->steps[i].parent_count; p++) print_message(" %u", (unsigned)h->parents[i][p]);
        print_message(": %s\n", (const char *)text.data);
        gt_buf_free(&text);
    }
}

static void assert_shows(history *h, const gt_buf *state, uint64_t steps) {
    gt_buf expected, as_text;
    gt_bytes value = gt_map_find(gt_buf_bytes(state), gt_bytes_text("r"));
    gt_buf_init(&expected, &gt_alloc_system);
    expect_document(h, steps, &expected);
    if (is_present(h, counting_of(h, steps)) != (value.data != NULL)) fail_msg("present: %d", value.data != NULL);
    if (value.data != NULL && !gt_value_equal(value, gt_buf_bytes(&expected))) {
        print_history(h);
        test_value_print(gt_buf_bytes(&expected), &as_text);
        print_message("expected %s\n", (const char *)as_text.data);
        gt_buf_free(&as_text);
        test_value_print(value, &as_text);
        fail_msg("but was  %s", (const char *)as_text.data);
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

static void rich_texts_come_out_as_the_rules_say(void **state) {
    (void)state;
    gt_schema *schema = test_schema("{\"ns\":\"n\",\"version\":1,\"fields\":{\"r\":{\"type\":\"richtext\"}}}");
    history *h = test_malloc(sizeof(*h));
    gt_buf whole, base, again;
    uint32_t bases = 0, alone = 0;
    test_random_init(&h->random, __func__);
    gt_buf_init(&whole, &gt_alloc_system);
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    for (int i = 0; i < HISTORIES; i++) {
        make_history(h, 1 + below(h, i % 20 == 0 ? STEPS_MAX : 12));
        uint64_t all = (UINT64_C(1) << h->count) - 1;
        for (uint32_t s = 0; s < h->count; s++) {
            gt_diag diag;
            gt_diag_init(&diag);
            if (gt_merge_check_delta(schema, h->steps[s].delta, &diag) != GOAT_OK) fail_msg("%s", diag.message);
        }
        replay(h, schema, gt_bytes_of(NULL, 0), all, 0, &whole);
        assert_shows(h, &whole, all);
        replay(h, schema, gt_bytes_of(NULL, 0), all, 0, &again);
        assert_true(gt_bytes_equal(gt_buf_bytes(&whole), gt_buf_bytes(&again)));
        for (uint32_t s = 0; s < h->count; s++) {
            uint64_t version = h->past[s] | bit(s);
            if (h->past[s] != 0 && counting_of(h, version) == version) { /* one step is applied, not merged */
                replay(h, schema, gt_bytes_of(NULL, 0), h->past[s], 0, &base);
                replay(h, schema, gt_buf_bytes(&base), version, h->past[s], &again);
                assert_shows(h, &again, version);
                alone++;
            }
            if (s + 1 == h->count || !is_critical(h, version, bit(s))) continue;
            replay(h, schema, gt_bytes_of(NULL, 0), version, 0, &base);
            assert_shows(h, &base, version);
            replay(h, schema, gt_buf_bytes(&base), all, version, &again);
            assert_true(gt_bytes_equal(gt_buf_bytes(&whole), gt_buf_bytes(&again)));
            bases++;
        }
        free_history(h);
    }
    assert_true(bases > HISTORIES / 4);
    assert_true(alone > HISTORIES);
    gt_buf_free(&whole);
    gt_buf_free(&base);
    gt_buf_free(&again);
    test_free(h);
    gt_schema_free(schema);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rich_texts_come_out_as_the_rules_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
