#include "support/history_tree.h"

#include "support/test.h"

#include <string.h>

void tree_init(tree *t, const history *h, gt_strategy strategy) {
    t->h = h;
    t->strategy = strategy;
    t->count = t->mark_count = 0;
}

static bool is_of(const tree_element *e, uint64_t steps) { return (steps & history_bit(e->step)) != 0; }

/* Neither removed nor of a step that does not count. */
static bool is_left(const tree_element *e, uint64_t counting) {
    return is_of(e, counting) && (e->removed_by & counting) == 0;
}

bool tree_is_later(const history *h, uint32_t a, uint32_t b) {
    if (h->steps[a].time != h->steps[b].time) return h->steps[a].time > h->steps[b].time;
    return memcmp(h->ids[a], h->ids[b], sizeof h->ids[a]) > 0;
}

static bool id_is_less(const tree *t, const tree_element *a, const tree_element *b) {
    int order = memcmp(t->h->ids[a->step], t->h->ids[b->step], sizeof t->h->ids[0]);
    return order != 0 ? order < 0 : a->index < b->index;
}

/* The child with the next greater id, among those of some steps. */
static int next_child(const tree *t, int parent, bool left, uint64_t steps, int last) {
    int next = TREE_NONE;
    for (int i = parent + 1; i < t->count; i++) { /* a child comes later */
        const tree_element *e = &t->elements[i];
        if (e->parent != parent || e->left != left || !is_of(e, steps)) continue;
        if (last >= 0 && !id_is_less(t, &t->elements[last], e)) continue;
        if (next < 0 || id_is_less(t, e, &t->elements[next])) next = i;
    }
    return next;
}

/* ---- one of several: latest, either ---- */

static bool is_below(const tree *t, int at, int above) {
    while (at != above && at != TREE_ROOT) at = t->elements[at].parent;
    return at == above;
}

/* 2: something of what hangs there is left; 1: something of it was not discarded; 0: neither. */
static int rank_of(const tree *t, int top, uint64_t steps, uint64_t counting) {
    int rank = 0;
    for (int i = top; i < t->count; i++) {
        const tree_element *e = &t->elements[i];
        if (!is_of(e, steps) || !is_below(t, i, top)) continue;
        if (is_left(e, counting)) return 2;
        if ((e->discarded_by & counting) == 0) rank = 1;
    }
    return rank;
}

static bool wins(const tree *t, const tree_element *a, const tree_element *b) {
    if (t->strategy == GT_STRATEGY_LATEST && a->step != b->step) return tree_is_later(t->h, a->step, b->step);
    return id_is_less(t, b, a);
}

static int winner_of(const tree *t, int parent, bool left, uint64_t steps, uint64_t counting) {
    int winner = TREE_NONE, best = -1;
    for (int at = TREE_NONE; (at = next_child(t, parent, left, steps, at)) != TREE_NONE;) {
        int rank = rank_of(t, at, steps, counting);
        if (rank < best || (rank == best && !wins(t, &t->elements[at], &t->elements[winner]))) continue;
        winner = at;
        best = rank;
    }
    return winner;
}

/* What is known of some steps below one element, or all (TREE_ROOT), in order. Of siblings all, or the winner. */
static void walk(const tree *t, int at, uint64_t steps, uint64_t counting, int *out, int *count) {
    bool all = t->strategy == GT_STRATEGY_BOTH || t->strategy == GT_STRATEGY_MERGED;
    for (int side = 1; side >= 0; side--) {
        int only = all ? TREE_NONE : winner_of(t, at, side == 1, steps, counting);
        if (!all && only != TREE_NONE) walk(t, only, steps, counting, out, count);
        for (int child = TREE_NONE; all && (child = next_child(t, at, side == 1, steps, child)) != TREE_NONE;) {
            walk(t, child, steps, counting, out, count);
        }
        if (side == 1 && at >= 0) out[(*count)++] = at;
    }
}

/* ---- merged ---- */

static int length_of(const tree *t, int run) {
    int length = 0;
    while (run + length < t->count && t->elements[run + length].run == run) length++;
    return length;
}

static bool is_word(const tree *t, int at) {
    gt_bytes c = t->elements[at].content;
    return c.data[0] > 0x7f || (c.data[0] != ' ' && c.data[0] != '-' && c.data[0] != '\n');
}

static bool splits(const tree *t, int run, int at) {
    return at > 0 && at < length_of(t, run) && is_word(t, run + at - 1) && is_word(t, run + at);
}

/* Whether so many of run y from `at` on stand in run x from `x_at` on, and may stand once. */
static bool is_common(const tree *t, int y, int at, int x, int x_at, int count) {
    bool any_word = false;
    for (int i = 0; i < count; i++) {
        if (!gt_bytes_equal(t->elements[y + at + i].content, t->elements[x + x_at + i].content)) return false;
        any_word |= is_word(t, y + at + i);
    }
    return !splits(t, y, at) && !splits(t, y, at + count) && !splits(t, x, x_at) && !splits(t, x, x_at + count) &&
           (any_word || count == length_of(t, y));
}

/* Which element of run x stands for number `at` of run y; TREE_NONE. */
static int twin_of(const tree *t, int y, int at, int x) {
    int ny = length_of(t, y), nx = length_of(t, x), most = ny < nx ? ny : nx, begin = most;
    while (begin > 0 && !is_common(t, y, 0, x, 0, begin)) begin--;
    int end = most - begin;
    while (end > 0 && !is_common(t, y, ny - end, x, nx - end, end)) end--;
    if (begin > 0 || end > 0) return at < begin ? x + at : at >= ny - end ? x + nx - (ny - at) : TREE_NONE;
    int chain = most;
    while (chain > 0 && !is_common(t, y, 0, x, nx - chain, chain)) chain--;
    if (chain > 0) return at < chain ? x + nx - chain + at : TREE_NONE;
    chain = most;
    while (chain > 0 && !is_common(t, y, ny - chain, x, 0, chain)) chain--;
    return at >= ny - chain ? x + at - (ny - chain) : TREE_NONE;
}

static bool is_hidden(const tree *t, int at, uint64_t counting) {
    const tree_element *e = &t->elements[at], *first = &t->elements[e->run];
    if (t->strategy != GT_STRATEGY_MERGED) return false;
    for (int i = 0; i < t->count; i++) {
        const tree_element *other = &t->elements[i];
        if (other->run != i || other->parent != first->parent || other->left != first->left) continue;
        if (i == e->run || !id_is_less(t, other, first)) continue;
        int twin = twin_of(t, e->run, at - e->run, i);
        if (twin != TREE_NONE && is_left(&t->elements[twin], counting)) return true;
    }
    return false;
}

/* ---- moves ---- */

/* Later by (time, id), and in one step by what is written later; what an element was inserted with is no move. */
static int place_of(const tree *t, int of, uint64_t steps) {
    int best = of;
    for (int i = of + 1; i < t->count; i++) {
        const tree_element *e = &t->elements[i], *b = &t->elements[best];
        if (e->of != of || !is_of(e, steps)) continue;
        bool later = e->step == b->step ? e->index > b->index : tree_is_later(t->h, e->step, b->step);
        if (best == of || later) best = i;
    }
    return best;
}

/* Leaves of what is known what stands there: by its own element, at the latest place, and not left out. */
static int only_left(const tree *t, const int *known, int count, uint64_t counting, int *out) {
    int left = 0;
    for (int i = 0; i < count; i++) {
        int of = t->elements[known[i]].of;
        if (!is_left(&t->elements[of], counting) || is_hidden(t, known[i], counting)) continue;
        if (place_of(t, of, counting) == known[i]) out[left++] = known[i];
    }
    return left;
}

int tree_left(const tree *t, uint64_t which, int *out, int *places) {
    static int known[TREE_ELEMENTS_MAX];
    int count = 0;
    uint64_t counting = history_counting(t->h, which);
    walk(t, TREE_ROOT, which, counting, known, &count);
    for (int i = 0; places != NULL && i < count; i++) places[known[i]] = i;
    return only_left(t, known, count, counting, out);
}

/* ---- writing ---- */

/* What is left out of what he sees, and what those before him discarded. */
static void discard(tree *t, const tree_author *author) {
    static bool known[TREE_ELEMENTS_MAX], hidden[TREE_ELEMENTS_MAX];
    uint64_t past = t->h->past[author->step], own = history_bit(author->step);
    memset(known, 0, (size_t)t->count * sizeof *known);
    for (int i = 0; i < author->known_count; i++) known[author->known[i]] = true;
    for (int i = 0; i < t->count; i++) hidden[i] = is_of(&t->elements[i], past) && (!known[i] || is_hidden(t, i, past));
    for (int i = 0; i < t->count; i++) {
        tree_element *e = &t->elements[i];
        if (!hidden[i] && (e->discarded_by & past) == 0) continue;
        e->removed_by |= own;
        e->discarded_by |= own;
    }
}

void tree_look(tree *t, tree_author *author, uint32_t step) {
    uint64_t past = t->h->past[step];
    author->step = step;
    author->index = 0;
    author->known_count = 0;
    walk(t, TREE_ROOT, past, past, author->known, &author->known_count);
    author->seen_count = only_left(t, author->known, author->known_count, past, author->seen);
    if (t->strategy != GT_STRATEGY_BOTH) discard(t, author);
}

int tree_before(const tree_author *author, int next) {
    int at = 0;
    while (at < author->known_count && author->known[at] != next) at++;
    return at == 0 ? TREE_ROOT : author->known[at - 1];
}

int tree_insert(tree *t, tree_author *author, int before, const tree_element *element, int run) {
    int at = 0, made = t->count;
    assert_true(made < TREE_ELEMENTS_MAX);
    while (before != TREE_ROOT && author->known[at] != before) at++;
    if (before != TREE_ROOT) at++;
    tree_element *e = &t->elements[made];
    *e = *element;
    e->parent = before;
    e->left = false;
    e->step = author->step;
    e->index = author->index++;
    e->run = run == TREE_NONE ? made : run;
    e->removed_by = e->discarded_by = 0;
    if (e->of == TREE_NONE) e->of = made;
    for (int i = 0; i < author->known_count; i++) {
        const tree_element *other = &t->elements[author->known[i]];
        if (other->parent != before || other->left) continue;
        e->parent = author->known[at]; /* something hangs there, so something follows */
        e->left = true;
    }
    memmove(&author->known[at + 1], &author->known[at], (size_t)(author->known_count - at) * sizeof *author->known);
    author->known[at] = made;
    author->known_count++;
    t->count++;
    return made;
}
