#include "support/history_tree.h"

#include "support/test.h"

#include <string.h>

void tree_init(tree *t, const history *h, const gt_field *field) {
    t->h = h;
    t->type = field->type;
    t->strategy = field->merge;
    t->count = t->mark_count = 0;
}

static bool is_of(const tree_element *e, uint64_t steps) { return (steps & history_bit(e->step)) != 0; }

static bool moves(const tree *t, int at) { return t->elements[at].of != at; }

bool tree_is_later(const history *h, uint32_t a, uint32_t b) {
    if (h->steps[a].time != h->steps[b].time) return h->steps[a].time > h->steps[b].time;
    return memcmp(h->ids[a], h->ids[b], sizeof h->ids[a]) > 0;
}

static bool id_is_less(const tree *t, const tree_element *a, const tree_element *b) {
    int order = memcmp(t->h->ids[a->step], t->h->ids[b->step], sizeof t->h->ids[0]);
    return order != 0 ? order < 0 : a->index < b->index;
}

/* Later by (time, id), and in one step by what is written later. */
static bool is_after(const tree *t, const tree_element *a, const tree_element *b) {
    return a->step == b->step ? a->index > b->index : tree_is_later(t->h, a->step, b->step);
}

/* ---- which of its places an element stands in ---- */

/* Neither removed nor of a step that does not count; wherever it stands. */
static bool is_left(const tree *t, int of, uint64_t counting) {
    const tree_element *e = &t->elements[of];
    return is_of(e, counting) && (e->removed_by & counting) == 0;
}

/* The latest of its places that is not discarded and, where `open` says so (NULL: of all), open; what an element was inserted
 * with is no move. TREE_NONE: there is none. */
static int place_of(const tree *t, int of, uint64_t counting, const bool *open) {
    int best = TREE_NONE;
    for (int i = of; i < t->count; i++) {
        const tree_element *e = &t->elements[i];
        if (e->of != of || !is_of(e, counting) || (e->discarded_by & counting) != 0) continue;
        if (open != NULL && !open[i]) continue;
        if (best < 0 || best == of || is_after(t, e, &t->elements[best])) best = i;
    }
    return best;
}

/* Whether something stands there while nothing is left out. */
static bool is_shown(const tree *t, int at, uint64_t counting) {
    int of = t->elements[at].of;
    return is_left(t, of, counting) && place_of(t, of, counting, NULL) == at;
}

/* ---- one of several: latest, either ---- */

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

static bool is_below(const tree *t, int at, int above) {
    while (at != above && at != TREE_ROOT) at = t->elements[at].parent;
    return at == above;
}

/* 2: something stands in what hangs there; 1: something of it was not discarded; 0: neither. */
static int rank_of(const tree *t, int top, uint64_t steps, uint64_t counting) {
    int rank = 0;
    for (int i = top; i < t->count; i++) {
        const tree_element *e = &t->elements[i];
        if (!is_of(e, steps) || !is_below(t, i, top)) continue;
        if (is_shown(t, i, counting)) return 2;
        if ((e->discarded_by & counting) == 0) rank = 1;
    }
    return rank;
}

static bool wins(const tree *t, const tree_element *a, const tree_element *b) {
    return t->strategy == GT_STRATEGY_LATEST ? is_after(t, a, b) : id_is_less(t, b, a);
}

static int winner_of(const tree *t, int parent, bool left, uint64_t steps, uint64_t counting) {
    int winner = TREE_NONE, best = -1;
    for (int at = TREE_NONE; (at = next_child(t, parent, left, steps, at)) != TREE_NONE;) {
        if (moves(t, at)) continue;
        int rank = rank_of(t, at, steps, counting);
        if (rank < best || (rank == best && !wins(t, &t->elements[at], &t->elements[winner]))) continue;
        winner = at;
        best = rank;
    }
    return winner;
}

/* What is known of some steps below one element, or all (TREE_ROOT), in order. Of siblings that were inserted all, or the
 * winner. */
static void walk(const tree *t, int at, bool all, uint64_t steps, uint64_t counting, int *out, int *count) {
    for (int side = 1; side >= 0; side--) {
        int only = all ? TREE_NONE : winner_of(t, at, side == 1, steps, counting);
        for (int child = TREE_NONE; (child = next_child(t, at, side == 1, steps, child)) != TREE_NONE;) {
            if (all || child == only || moves(t, child)) walk(t, child, all, steps, counting, out, count);
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
    const tree_element *e = &t->elements[at];
    return !e->is_embed && strchr(" -\n", e->content.data[0]) == NULL;
}

static bool splits(const tree *t, int run, int at) {
    return t->type != GT_TYPE_LIST && at > 0 && at < length_of(t, run) && is_word(t, run + at - 1) &&
           is_word(t, run + at);
}

static bool is_same(const tree_element *a, const tree_element *b) {
    return a->is_embed == b->is_embed && gt_bytes_equal(a->content, b->content);
}

/* Whether so many of run y from `at` on stand in run x from `x_at` on, and may stand once. */
static bool is_common(const tree *t, int y, int at, int x, int x_at, int count) {
    bool any_word = t->type == GT_TYPE_LIST;
    for (int i = 0; i < count; i++) {
        if (!is_same(&t->elements[y + at + i], &t->elements[x + x_at + i])) return false;
        any_word = any_word || is_word(t, y + at + i);
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

static bool has_value_of_its_own(const tree *t, int of, uint64_t counting) {
    for (int i = 0; t->type == GT_TYPE_LIST && i < t->mark_count; i++) {
        if (t->marks[i].first == of && (counting & history_bit(t->marks[i].step)) != 0) return true;
    }
    return false;
}

static bool is_hidden(const tree *t, int at, uint64_t counting) {
    const tree_element *e = &t->elements[at], *first = &t->elements[e->run];
    if (t->strategy != GT_STRATEGY_MERGED || moves(t, at) || has_value_of_its_own(t, at, counting)) return false;
    for (int i = 0; i < t->count; i++) {
        const tree_element *other = &t->elements[i];
        if (other->run != i || moves(t, i) || other->parent != first->parent || other->left != first->left) continue;
        if (i == e->run || !id_is_less(t, other, first)) continue;
        int twin = twin_of(t, e->run, at - e->run, i);
        if (twin == TREE_NONE || has_value_of_its_own(t, twin, counting)) continue;
        if (is_shown(t, twin, counting)) return true;
    }
    return false;
}

/* ---- what is seen ---- */

/* What is known of some steps, those of `counting` not being void, and how much can be seen of it; both in order. */
static int see(const tree *t, uint64_t steps, uint64_t counting, int *known, int *known_count, int *seen) {
    static bool open[TREE_ELEMENTS_MAX];
    bool all = t->strategy == GT_STRATEGY_BOTH || t->strategy == GT_STRATEGY_MERGED;
    int count = 0;
    *known_count = 0;
    walk(t, TREE_ROOT, all, steps, counting, known, known_count);
    memset(open, 0, (size_t)t->count * sizeof *open);
    for (int i = 0; i < *known_count; i++) open[known[i]] = !is_hidden(t, known[i], counting);
    for (int i = 0; i < *known_count; i++) {
        int of = t->elements[known[i]].of;
        if (is_left(t, of, counting) && place_of(t, of, counting, open) == known[i]) seen[count++] = known[i];
    }
    return count;
}

int tree_left(const tree *t, uint64_t which, int *out, int *places) {
    static int known[TREE_ELEMENTS_MAX];
    int count = 0;
    uint64_t counting = history_counting(t->h, which);
    walk(t, TREE_ROOT, true, which, counting, known, &count);
    for (int i = 0; i < count; i++) places[known[i]] = i;
    return see(t, which, counting, known, &count, out);
}

/* ---- writing ---- */

/* What is left out of what he sees, and what those before him discarded. */
static void discard(tree *t, const tree_author *author) {
    static bool known[TREE_ELEMENTS_MAX], discarded[TREE_ELEMENTS_MAX];
    uint64_t past = t->h->past[author->step];
    memset(known, 0, (size_t)t->count * sizeof *known);
    for (int i = 0; i < author->known_count; i++) known[author->known[i]] = true;
    for (int i = 0; i < t->count; i++) {
        const tree_element *e = &t->elements[i];
        bool was_discarded = (e->discarded_by & past) != 0;
        discarded[i] = is_of(e, past) && (was_discarded || !known[i] || is_hidden(t, i, past));
    }
    for (int i = 0; i < t->count; i++) {
        if (discarded[i]) t->elements[i].discarded_by |= history_bit(author->step);
    }
}

void tree_look(tree *t, tree_author *author, uint32_t step) {
    uint64_t past = t->h->past[step];
    author->step = step;
    author->index = 0;
    author->seen_count = see(t, past, past, author->known, &author->known_count, author->seen);
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
