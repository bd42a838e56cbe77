/* Lists with several authors, against the rules written down literally: slots in a tree as Fugue has it, walked anew for
 * every question, and for each element the slot of its latest move. Claim by claim they are in merge_list_edit_test.c. */
#include "support/test.h"

#include "merge/merge.h"
#include "merge/runs.h"
#include "support/test_random.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

enum { STEPS_MAX = 32, SLOTS_MAX = 4000, SETS_MAX = 4000, HISTORIES = 20000, NOT_AN_ELEMENT = -1 };

/* ---- the model ---- */

typedef struct slot {
    int parent; /* -1: the root */
    bool left;
    uint32_t step, index;
    int of; /* its element: the slot that it was inserted with; may be this one */
    int value;
    uint64_t removed_by; /* steps, as bits; of the own slot */
} slot;

typedef struct set {
    uint32_t step;
    int of, value;
} set;

typedef struct history {
    test_random random;
    uint32_t count;
    gt_step steps[STEPS_MAX];
    uint8_t ids[STEPS_MAX][32];
    uint32_t parents[STEPS_MAX][STEPS_MAX];
    uint64_t past[STEPS_MAX]; /* strict ancestors, as bits */
    gt_buf deltas[STEPS_MAX];
    bool unsets[STEPS_MAX];
    slot slots[SLOTS_MAX];
    set sets[SETS_MAX];
    int slot_count, set_count;
} history;

static uint64_t bit(uint32_t step) { return UINT64_C(1) << step; }

static bool id_is_less(const history *h, const slot *a, const slot *b) {
    int order = memcmp(h->ids[a->step], h->ids[b->step], 32);
    return order != 0 ? order < 0 : a->index < b->index;
}

/* The slots below one, or all (-1), of those steps, in order. */
static void walk(const history *h, int at, uint64_t steps, int *out, int *count) {
    for (int side = 1; side >= 0; side--) {
        int last = -1;
        for (;;) { /* the child with the next greater id */
            int next = -1;
            for (int i = 0; i < h->slot_count; i++) {
                const slot *s = &h->slots[i];
                if (s->parent != at || s->left != (side == 1) || (steps >> s->step & 1) == 0) continue;
                if (last >= 0 && !id_is_less(h, &h->slots[last], s)) continue;
                if (next < 0 || id_is_less(h, s, &h->slots[next])) next = i;
            }
            if (next < 0) break;
            walk(h, next, steps, out, count);
            last = next;
        }
        if (side == 1 && at >= 0) out[(*count)++] = at;
    }
}

/* Later by (time, id), and in one step by what is written later; what an element was inserted with is no move. */
static bool is_later(const history *h, uint32_t a, uint32_t b) {
    if (h->steps[a].time != h->steps[b].time) return h->steps[a].time > h->steps[b].time;
    return memcmp(h->ids[a], h->ids[b], 32) > 0;
}

static int place_of(const history *h, int of, uint64_t steps) {
    int best = of;
    for (int i = 0; i < h->slot_count; i++) {
        const slot *s = &h->slots[i], *b = &h->slots[best];
        if (s->of != of || i == of || (steps >> s->step & 1) == 0) continue;
        bool later = s->step == b->step ? s->index > b->index : is_later(h, s->step, b->step);
        if (best == of || later) best = i;
    }
    return best;
}

static int seen_by(const history *h, uint64_t steps, int *out) {
    static int all[SLOTS_MAX];
    int count = 0, seen = 0;
    walk(h, -1, steps, all, &count);
    for (int i = 0; i < count; i++) {
        int of = h->slots[all[i]].of;
        if ((h->slots[of].removed_by & steps) == 0 && place_of(h, of, steps) == all[i]) out[seen++] = all[i];
    }
    return seen;
}

static bool has_right_child(const history *h, int at, uint64_t steps) {
    for (int i = 0; i < h->slot_count; i++) {
        const slot *s = &h->slots[i];
        if (s->parent == at && !s->left && (steps >> s->step & 1) != 0) return true;
    }
    return false;
}

/* Inserts a slot behind `before` (-1: at the beginning), of those known to `steps`. */
static int insert(history *h, int before, uint64_t steps, slot s) {
    static int all[SLOTS_MAX];
    s.parent = before;
    if (has_right_child(h, before, steps)) {
        int count = 0, at = 0;
        walk(h, -1, steps, all, &count);
        while (before >= 0 && all[at] != before) at++;
        s.parent = all[before < 0 ? 0 : at + 1];
        s.left = true;
    }
    if (s.of == NOT_AN_ELEMENT) s.of = h->slot_count;
    h->slots[h->slot_count] = s;
    return h->slot_count++;
}

/* ---- making histories ---- */

static void write_delta(gt_buf *out, const gt_buf *edit) {
    gt_buf_init(out, &gt_alloc_system);
    gt_write_map_head(out, 1);
    gt_write_text(out, gt_bytes_text("l"));
    gt_buf_append(out, edit->data, edit->len);
}

static gt_bytes small_int(uint8_t room[9], int value) {
    gt_buf out;
    gt_buf_init(&out, &gt_alloc_system);
    gt_write_int(&out, value);
    size_t len = out.len;
    memcpy(room, out.data, len);
    gt_buf_free(&out);
    return gt_bytes_of(room, len);
}

static void give_value(history *h, uint32_t step, int of, int value) {
    h->sets[h->set_count++] = (set){step, of, value};
}

typedef struct author {
    uint32_t step, index;
    uint64_t steps; /* what he knows, this step with it */
    int before;     /* the slot behind which he writes */
    gt_run_writer writer;
} author;

static void insert_one(history *h, author *a) {
    uint8_t room[9];
    int value = (int)(1000 * a->step + a->index);
    a->before = insert(h, a->before, a->steps,
                       (slot){.step = a->step, .index = a->index++, .of = NOT_AN_ELEMENT, .value = value});
    gt_run_insert_values(&a->writer, small_int(room, value), 1);
}

static void move_one(history *h, author *a, const int *seen, uint32_t from, bool with_value) {
    uint8_t room[9];
    int of = h->slots[seen[from]].of, value = (int)(100000 + 1000 * a->step + a->index);
    if (with_value) give_value(h, a->step, of, value);
    a->before = insert(h, a->before, a->steps, (slot){.step = a->step, .index = a->index++, .of = of});
    gt_run_move(&a->writer, from, with_value ? small_int(room, value) : gt_bytes_of(NULL, 0));
}

/* Runs over all that is seen. Sometimes what nobody writes: an element moved twice, or moved and removed, or moved from
 * where there is none. */
static void random_runs(history *h, uint32_t step, gt_buf *edit) {
    static int seen[SLOTS_MAX];
    uint8_t room[9];
    author a = {.step = step, .steps = h->past[step] | bit(step), .before = -1};
    int count = seen_by(h, h->past[step], seen);
    uint32_t busy = 1 + test_random_below(&h->random, 8);
    uint64_t moved = 0, said = 0; /* removed, or given another value */
    bool removed_last = false, wild = test_random_below(&h->random, 10) == 0;
    gt_run_writer_init(&a.writer, &gt_alloc_system);
    for (int at = 0; at <= count; at++) {
        while (!removed_last && test_random_below(&h->random, 8) < busy / 2) {
            uint32_t from = count == 0 ? 0 : test_random_below(&h->random, (uint32_t)count);
            bool may_move = count > 0 && from < 64 && (wild || ((moved | said) >> from & 1) == 0);
            if (may_move && test_random_below(&h->random, 2) == 0) {
                move_one(h, &a, seen, from, test_random_below(&h->random, 4) == 0);
                moved |= bit(from);
            } else if (wild && test_random_below(&h->random, 4) == 0) {
                gt_run_move(&a.writer, (uint64_t)count + from, gt_bytes_of(NULL, 0));
            } else {
                insert_one(h, &a);
            }
        }
        if (at == count) break;
        bool is_moved = at < 64 && (moved >> at & 1) != 0;
        int of = h->slots[seen[at]].of;
        a.before = seen[at];
        removed_last = (wild || !is_moved) && test_random_below(&h->random, 8) == 0;
        if (removed_last) {
            gt_run_remove(&a.writer, 1);
            h->slots[of].removed_by |= bit(step);
            if (at < 64) said |= bit((uint32_t)at);
        } else if ((wild || !is_moved) && test_random_below(&h->random, 12) == 0) {
            int value = (int)(200000 + 1000 * step) + at;
            give_value(h, step, of, value);
            if (at < 64) said |= bit((uint32_t)at);
            gt_run_set(&a.writer, small_int(room, value));
        } else {
            gt_run_keep(&a.writer, 1);
        }
    }
    gt_run_writer_end(&a.writer, edit);
    if (edit->len > 0) return;
    gt_write_array_head(edit, 0); /* nothing came of it: an empty list in place of all that is seen */
    for (int i = 0; i < count; i++) h->slots[h->slots[seen[i]].of].removed_by |= bit(step);
}

static void random_edit(history *h, uint32_t step) {
    static int seen[SLOTS_MAX];
    gt_buf edit;
    gt_buf_init(&edit, &gt_alloc_system);
    uint32_t dice = test_random_below(&h->random, 20);
    h->unsets[step] = dice == 0;
    if (dice > 1) {
        random_runs(h, step, &edit);
    } else {
        int count = seen_by(h, h->past[step], seen);
        for (int i = 0; i < count; i++) h->slots[h->slots[seen[i]].of].removed_by |= bit(step);
        if (dice == 0) {
            gt_write_undefined(&edit);
        } else {
            gt_write_array_head(&edit, 3);
            for (int i = 0, before = -1; i < 3; i++) {
                slot s = {.step = step, .index = (uint32_t)i, .of = NOT_AN_ELEMENT, .value = (int)(1000 * step) + i};
                before = insert(h, before, h->past[step] | bit(step), s);
                gt_write_int(&edit, s.value);
            }
        }
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
        known |= h->past[step - back] | bit(step - back);
    }
    heads = known;
    for (uint32_t i = 0; i < step; i++) {
        if (known >> i & 1) heads &= ~h->past[i];
    }
    h->steps[step].time = 1 + test_random_below(&h->random, 3); /* many are equal */
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
    h->slot_count = h->set_count = 0;
    for (uint32_t step = 0; step < count; step++) {
        h->steps[step] = (gt_step){.id = h->ids[step]};
        test_random_fill(&h->random, h->ids[step], 32);
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

static int value_of(const history *h, int of, uint64_t counting) {
    const set *best = NULL;
    for (int i = 0; i < h->set_count; i++) {
        const set *s = &h->sets[i];
        if (s->of != of || (counting >> s->step & 1) == 0) continue;
        if (best == NULL || s->step == best->step || is_later(h, s->step, best->step)) best = s;
    }
    return best == NULL ? h->slots[of].value : best->value;
}

static void expect_list(const history *h, uint64_t steps, gt_buf *out) {
    static int all[SLOTS_MAX];
    int count = 0, left = 0;
    uint64_t counting = 0;
    for (uint32_t i = 0; i < h->count; i++) {
        if ((steps >> i & 1) && !h->steps[i].is_void) counting |= bit(i);
    }
    walk(h, -1, steps, all, &count);
    for (int i = 0; i < count; i++) {
        const slot *own = &h->slots[h->slots[all[i]].of];
        bool is_left = (counting >> own->step & 1) && (own->removed_by & counting) == 0 &&
                       place_of(h, h->slots[all[i]].of, counting) == all[i];
        if (is_left) all[left++] = all[i];
    }
    gt_write_array_head(out, (size_t)left);
    for (int i = 0; i < left; i++) gt_write_int(out, value_of(h, h->slots[all[i]].of, counting));
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
    gt_bytes value = gt_map_find(gt_buf_bytes(state), gt_bytes_text("l"));
    gt_buf_init(&expected, &gt_alloc_system);
    expect_list(h, steps, &expected);
    if (is_present(h, steps) != (value.data != NULL)) fail_msg("present: %d", value.data != NULL);
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

static bool has_void(const history *h, uint64_t steps) {
    for (uint32_t i = 0; i < h->count; i++) {
        if ((steps >> i & 1) != 0 && h->steps[i].is_void) return true;
    }
    return false;
}

static void lists_come_out_as_the_rules_say(void **state) {
    (void)state;
    gt_schema *schema = test_schema("{\"ns\":\"n\",\"version\":1,\"fields\":{\"l\":{\"type\":\"list\"}}}");
    history *h = test_malloc(sizeof(*h));
    gt_buf whole, base, again;
    uint32_t bases = 0, alone = 0;
    test_random_init(&h->random, __func__);
    gt_buf_init(&whole, &gt_alloc_system);
    gt_buf_init(&base, &gt_alloc_system);
    gt_buf_init(&again, &gt_alloc_system);
    for (int i = 0; i < HISTORIES; i++) {
        make_history(h, 1 + test_random_below(&h->random, i % 20 == 0 ? STEPS_MAX : 12));
        uint64_t all = (UINT64_C(1) << h->count) - 1;
        for (uint32_t s = 0; s < h->count; s++) {
            assert_int_equal(gt_merge_check_delta(schema, h->steps[s].delta, NULL), GOAT_OK);
        }
        replay(h, schema, gt_bytes_of(NULL, 0), all, 0, &whole);
        assert_shows(h, &whole, all);
        replay(h, schema, gt_bytes_of(NULL, 0), all, 0, &again);
        assert_true(gt_bytes_equal(gt_buf_bytes(&whole), gt_buf_bytes(&again)));
        for (uint32_t s = 0; s < h->count; s++) {
            uint64_t version = h->past[s] | bit(s);
            if (h->past[s] != 0 && !has_void(h, version)) { /* one step is applied, not merged */
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
        cmocka_unit_test(lists_come_out_as_the_rules_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
