#include "support/strategy_model.h"

#include "support/test.h"

#include "merge/runs.h"
#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

enum { STEPS_MAX = STRATEGY_STEPS_MAX, ELEMENTS_MAX = STRATEGY_ELEMENTS_MAX, ROOT = -1, NONE = -2 };

typedef strategy_element element;
typedef strategy_history history;

static uint64_t bit(uint32_t step) { return strategy_bit(step); }

static bool is_of(const element *e, uint64_t steps) { return (steps & bit(e->step)) != 0; }

/* Neither removed nor of a step that does not count. */
static bool is_left(const element *e, uint64_t counting) {
    return is_of(e, counting) && (e->removed_by & counting) == 0;
}

static bool id_is_less(const history *h, const element *a, const element *b) {
    int order = memcmp(h->ids[a->step], h->ids[b->step], 32);
    return order != 0 ? order < 0 : a->index < b->index;
}

/* The child with the next greater id, among those of some steps. */
static int next_child(const history *h, int parent, bool left, uint64_t steps, int last) {
    int next = NONE;
    for (int i = 0; i < h->element_count; i++) {
        const element *e = &h->elements[i];
        if (e->parent != parent || e->left != left || !is_of(e, steps)) continue;
        if (last >= 0 && !id_is_less(h, &h->elements[last], e)) continue;
        if (next < 0 || id_is_less(h, e, &h->elements[next])) next = i;
    }
    return next;
}

static bool is_below(const history *h, int at, int above) {
    while (at != above && at != ROOT) at = h->elements[at].parent;
    return at == above;
}

/* 2: something of what hangs there is left; 1: something of it was not discarded; 0: neither. */
static int rank_of(const history *h, int top, uint64_t steps, uint64_t counting) {
    int rank = 0;
    for (int i = 0; i < h->element_count; i++) {
        const element *e = &h->elements[i];
        if (!is_of(e, steps) || !is_below(h, i, top)) continue;
        if (is_left(e, counting)) return 2;
        if ((e->discarded_by & counting) == 0) rank = 1;
    }
    return rank;
}

static bool is_later(const history *h, const element *a, const element *b) {
    uint64_t x = h->steps[a->step].time, y = h->steps[b->step].time;
    return h->strategy == GT_STRATEGY_LATEST && x != y ? x > y : id_is_less(h, b, a);
}

static int winner_of(const history *h, int parent, bool left, uint64_t steps, uint64_t counting) {
    int winner = NONE;
    for (int at = NONE; (at = next_child(h, parent, left, steps, at)) != NONE;) {
        int rank = rank_of(h, at, steps, counting), best = winner < 0 ? -1 : rank_of(h, winner, steps, counting);
        if (rank > best || (rank == best && is_later(h, &h->elements[at], &h->elements[winner]))) winner = at;
    }
    return winner;
}

/* What is known of some steps below one element, or all (ROOT), in order. Of siblings all, or the winner. */
static void walk(const history *h, int at, uint64_t steps, uint64_t counting, int *out, int *count) {
    for (int side = 1; side >= 0; side--) {
        bool all = h->strategy == GT_STRATEGY_MERGED;
        int only = all ? NONE : winner_of(h, at, side == 1, steps, counting);
        for (int child = NONE; (child = next_child(h, at, side == 1, steps, child)) != NONE;) {
            if (all || child == only) walk(h, child, steps, counting, out, count);
        }
        if (side == 1 && at >= 0) out[(*count)++] = at;
    }
}

/* ---- merged ---- */

static int length_of(const history *h, int run) {
    int length = 0;
    while (run + length < h->element_count && h->elements[run + length].run == run) length++;
    return length;
}

static bool is_word(const history *h, int at) { return h->elements[at].letter != ' ' && h->elements[at].letter != '-'; }

static bool splits(const history *h, int run, int at) {
    return at > 0 && at < length_of(h, run) && is_word(h, run + at - 1) && is_word(h, run + at);
}

/* Whether so many of run y from `at` on stand in run x from `x_at` on, and may stand once. */
static bool is_common(const history *h, int y, int at, int x, int x_at, int count) {
    bool any_word = false;
    for (int i = 0; i < count; i++) {
        if (h->elements[y + at + i].letter != h->elements[x + x_at + i].letter) return false;
        any_word |= is_word(h, y + at + i);
    }
    return !splits(h, y, at) && !splits(h, y, at + count) && !splits(h, x, x_at) && !splits(h, x, x_at + count) &&
           (any_word || count == length_of(h, y));
}

/* Which element of run x stands for number `at` of run y; NONE. */
static int twin_of(const history *h, int y, int at, int x) {
    int ny = length_of(h, y), nx = length_of(h, x), most = ny < nx ? ny : nx, begin = most;
    while (begin > 0 && !is_common(h, y, 0, x, 0, begin)) begin--;
    int end = most - begin;
    while (end > 0 && !is_common(h, y, ny - end, x, nx - end, end)) end--;
    if (begin > 0 || end > 0) return at < begin ? x + at : at >= ny - end ? x + nx - (ny - at) : NONE;
    int chain = most;
    while (chain > 0 && !is_common(h, y, 0, x, nx - chain, chain)) chain--;
    if (chain > 0) return at < chain ? x + nx - chain + at : NONE;
    chain = most;
    while (chain > 0 && !is_common(h, y, ny - chain, x, 0, chain)) chain--;
    return at >= ny - chain ? x + at - (ny - chain) : NONE;
}

static bool is_hidden(const history *h, int at, uint64_t counting) {
    const element *e = &h->elements[at], *first = &h->elements[e->run];
    if (h->strategy != GT_STRATEGY_MERGED) return false;
    for (int i = 0; i < h->element_count; i++) {
        const element *other = &h->elements[i];
        if (other->run != i || other->parent != first->parent || other->left != first->left) continue;
        if (i == e->run || !id_is_less(h, other, first)) continue;
        int twin = twin_of(h, e->run, at - e->run, i);
        if (twin != NONE && is_left(&h->elements[twin], counting)) return true;
    }
    return false;
}

/* ---- making histories ---- */

/* What the author of a step knows, in order; and what he sees of it. */
typedef struct author {
    uint32_t step, index;
    int known[ELEMENTS_MAX], seen[ELEMENTS_MAX];
    int known_count, seen_count;
} author;

static void look(const history *h, author *a, uint32_t step) {
    a->step = step;
    a->index = 0;
    a->known_count = a->seen_count = 0;
    walk(h, ROOT, h->past[step], h->past[step], a->known, &a->known_count);
    for (int i = 0; i < a->known_count; i++) {
        bool seen = is_left(&h->elements[a->known[i]], h->past[step]) && !is_hidden(h, a->known[i], h->past[step]);
        if (seen) a->seen[a->seen_count++] = a->known[i];
    }
}

/* What is left out of what he sees he discards, unless somebody before him did. */
static void discard(history *h, const author *a) {
    uint64_t past = h->past[a->step];
    static int list[ELEMENTS_MAX];
    int count = 0;
    for (int i = 0; i < h->element_count; i++) {
        bool known = false;
        for (int k = 0; k < a->known_count; k++) known |= a->known[k] == i;
        if ((h->elements[i].discarded_by & past) != 0 || !is_of(&h->elements[i], past)) continue;
        if (!known || is_hidden(h, i, past)) list[count++] = i;
    }
    for (int i = 0; i < count; i++) {
        h->elements[list[i]].removed_by |= bit(a->step);
        h->elements[list[i]].discarded_by |= bit(a->step);
    }
}

static void remove_one(history *h, const author *a, int at) { h->elements[at].removed_by |= bit(a->step); }

/* Inserts directly before `next` (NONE: at the end), a run or one more element of it. */
static void insert(history *h, author *a, int next, char letter, int run) {
    int at = 0, made = h->element_count++;
    while (at < a->known_count && a->known[at] != next) at++;
    int before = at == 0 ? ROOT : a->known[at - 1];
    element e = {.parent = before, .step = a->step, .index = a->index++, .letter = letter};
    e.run = run == NONE ? made : run;
    for (int i = 0; i < a->known_count; i++) {
        const element *other = &h->elements[a->known[i]];
        if (other->parent != before || other->left) continue;
        e.parent = a->known[at]; /* something hangs there, so something follows */
        e.left = true;
    }
    memmove(&a->known[at + 1], &a->known[at], (size_t)(a->known_count - at) * sizeof(int));
    a->known[at] = made;
    a->known_count++;
    h->elements[made] = e;
}

static void insert_run(history *h, author *a, int next, gt_bytes letters) {
    int run = NONE;
    for (size_t i = 0; i < letters.len; i++) {
        insert(h, a, next, (char)letters.data[i], run);
        if (run == NONE) run = h->element_count - 1;
    }
}

static gt_bytes random_letters(history *h, char room[8]) {
    uint32_t count = test_random_below(&h->random, 5);
    for (uint32_t i = 0; i < count; i++) room[i] = "aabb -"[test_random_below(&h->random, 6)];
    return gt_bytes_of(room, count);
}

static void random_runs(history *h, author *a, gt_buf *edit) {
    char room[8];
    gt_run_writer writer;
    gt_run_writer_init(&writer, &gt_alloc_system);
    uint32_t busy = 1 + test_random_below(&h->random, 4);
    bool keeps = test_random_below(&h->random, 2) == 0;
    for (int at = 0; at <= a->seen_count; keeps = true) {
        uint64_t keep = keeps && at < a->seen_count ? 1 : 0;
        while (keep > 0 && at + (int)keep < a->seen_count && test_random_below(&h->random, 4) >= busy - 1) keep++;
        gt_run_keep(&writer, keep);
        at += (int)keep;
        int removed = at < a->seen_count ? (int)test_random_below(&h->random, 3) : 0;
        if (at + removed > a->seen_count) removed = a->seen_count - at;
        gt_bytes letters = random_letters(h, room);
        insert_run(h, a, at + removed < a->seen_count ? a->seen[at + removed] : NONE, letters);
        gt_run_insert(&writer, letters);
        for (int i = 0; i < removed; i++) remove_one(h, a, a->seen[at + i]);
        gt_run_remove(&writer, (uint64_t)removed);
        at += removed;
        if (at >= a->seen_count || test_random_below(&h->random, 3) == 0) break;
    }
    gt_run_writer_end(&writer, edit);
}

static void random_edit(history *h, uint32_t step) {
    static author a;
    gt_buf edit, *out = &h->deltas[step];
    uint32_t dice = test_random_below(&h->random, 20);
    look(h, &a, step);
    discard(h, &a);
    gt_buf_init(&edit, &gt_alloc_system);
    h->unsets[step] = dice == 0;
    if (dice == 0) {
        for (int i = 0; i < a.seen_count; i++) remove_one(h, &a, a.seen[i]);
        gt_write_undefined(&edit);
    } else if (dice > 1) {
        random_runs(h, &a, &edit);
    }
    if (edit.len == 0) { /* a whole text, in place of all that is seen */
        char room[8];
        gt_bytes letters = random_letters(h, room);
        insert_run(h, &a, NONE, letters);
        for (int i = 0; i < a.seen_count; i++) remove_one(h, &a, a.seen[i]);
        gt_write_text(&edit, letters);
    }
    gt_buf_init(out, &gt_alloc_system);
    gt_write_map_head(out, 1);
    gt_write_text(out, gt_bytes_text("t"));
    gt_buf_append(out, edit.data, edit.len);
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
        if (known & bit(i)) heads &= ~h->past[i];
    }
    h->steps[step].time = 1 + test_random_below(&h->random, 3); /* many are equal */
    for (uint32_t i = 0; i < step; i++) {
        if ((heads & bit(i)) == 0) continue;
        h->parents[step][count++] = i;
        if (h->steps[i].time >= h->steps[step].time) h->steps[step].time += h->steps[i].time;
    }
    h->past[step] = known;
    h->steps[step].parents = h->parents[step];
    h->steps[step].parent_count = count;
}

void strategy_make(strategy_history *h, uint32_t count) {
    h->count = count;
    h->element_count = 0;
    for (uint32_t step = 0; step < count; step++) {
        h->steps[step] = (gt_step){.id = h->ids[step]};
        test_random_fill(&h->random, h->ids[step], 32);
        random_parents(h, step);
        random_edit(h, step);
        h->steps[step].delta = gt_buf_bytes(&h->deltas[step]);
        h->steps[step].is_void = test_random_below(&h->random, 14) == 0;
    }
}

void strategy_free(strategy_history *h) {
    for (uint32_t i = 0; i < h->count; i++) gt_buf_free(&h->deltas[i]);
}

/* ---- what comes of them ---- */

uint64_t strategy_counting(const strategy_history *h, uint64_t steps) {
    for (uint32_t i = 0; i < h->count; i++) {
        if (h->steps[i].is_void) steps &= ~bit(i);
    }
    return steps;
}

bool strategy_is_present(const strategy_history *h, uint64_t steps) {
    uint64_t counting = strategy_counting(h, steps);
    for (uint32_t i = 0; i < h->count; i++) {
        if ((counting & bit(i)) == 0 || h->unsets[i]) continue;
        bool unset = false;
        for (uint32_t u = 0; u < h->count; u++) {
            unset |= (counting & bit(u)) != 0 && h->unsets[u] && (h->past[u] & bit(i)) != 0;
        }
        if (!unset) return true;
    }
    return false;
}

void strategy_text(const strategy_history *h, uint64_t steps, gt_buf *out) {
    static int all[ELEMENTS_MAX];
    int count = 0;
    uint64_t counting = strategy_counting(h, steps);
    walk(h, ROOT, steps, counting, all, &count);
    for (int i = 0; i < count; i++) {
        const element *e = &h->elements[all[i]];
        if (is_left(e, counting) && !is_hidden(h, all[i], counting)) gt_buf_append(out, &e->letter, 1);
    }
}

void strategy_print(const strategy_history *h) {
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
