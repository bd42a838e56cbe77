#include "support/strategy_model.h"

#include "support/test.h"

#include "support/test_schema.h"
#include "support/test_value.h"
#include "value/build.h"
#include "value/value.h"

enum { STEPS_MAX = STRATEGY_STEPS_MAX, ELEMENTS_MAX = STRATEGY_ELEMENTS_MAX, ROOT = -1, NONE = -2 };

typedef strategy_element element;
typedef strategy_history history;

static uint64_t bit(uint32_t step) { return strategy_bit(step); }

static bool is_of(const element *e, uint64_t steps) { return (steps & bit(e->step)) != 0; }

static bool moves(const history *h, int at) { return h->elements[at].of != at; }

static bool id_is_less(const history *h, const element *a, const element *b) {
    int order = memcmp(h->ids[a->step], h->ids[b->step], 32);
    return order != 0 ? order < 0 : a->index < b->index;
}

/* Later by (time, id), and in one step by what is written later. */
static bool is_after(const history *h, const element *a, const element *b) {
    uint64_t x = h->steps[a->step].time, y = h->steps[b->step].time;
    return x != y ? x > y : id_is_less(h, b, a);
}

/* ---- which of its places an element stands in ---- */

/* Neither removed nor of a step that does not count; wherever it stands. */
static bool is_left(const history *h, int of, uint64_t counting) {
    const element *e = &h->elements[of];
    return is_of(e, counting) && (e->removed_by & counting) == 0;
}

/* The latest of its places that is not discarded and, where `open` says so (NULL: of all), open. */
static int place_of(const history *h, int of, uint64_t counting, const bool *open) {
    int best = NONE;
    for (int i = of; i < h->element_count; i++) {
        const element *e = &h->elements[i];
        if (e->of != of || !is_of(e, counting) || (e->discarded_by & counting) != 0) continue;
        if (open != NULL && !open[i]) continue;
        if (best < 0 || best == of || is_after(h, e, &h->elements[best])) best = i;
    }
    return best;
}

/* Whether something stands there while nothing is left out. */
static bool is_shown(const history *h, int at, uint64_t counting) {
    int of = h->elements[at].of;
    return is_left(h, of, counting) && place_of(h, of, counting, NULL) == at;
}

/* ---- one of several ---- */

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

/* 2: something stands in what hangs there; 1: something of it was not discarded; 0: neither. */
static int rank_of(const history *h, int top, uint64_t steps, uint64_t counting) {
    int rank = 0;
    for (int i = 0; i < h->element_count; i++) {
        const element *e = &h->elements[i];
        if (!is_of(e, steps) || !is_below(h, i, top)) continue;
        if (is_shown(h, i, counting)) return 2;
        if ((e->discarded_by & counting) == 0) rank = 1;
    }
    return rank;
}

static bool wins(const history *h, const element *a, const element *b) {
    return h->strategy == GT_STRATEGY_LATEST ? is_after(h, a, b) : id_is_less(h, b, a);
}

static int winner_of(const history *h, int parent, bool left, uint64_t steps, uint64_t counting) {
    int winner = NONE;
    for (int at = NONE; (at = next_child(h, parent, left, steps, at)) != NONE;) {
        if (moves(h, at)) continue;
        int rank = rank_of(h, at, steps, counting), best = winner < 0 ? -1 : rank_of(h, winner, steps, counting);
        if (rank > best || (rank == best && wins(h, &h->elements[at], &h->elements[winner]))) winner = at;
    }
    return winner;
}

/* What is known of some steps below one element, or all (ROOT), in order. Of siblings that were inserted all, or the
 * winner. */
static void walk(const history *h, int at, bool all, uint64_t steps, uint64_t counting, int *out, int *count) {
    for (int side = 1; side >= 0; side--) {
        int only = all ? NONE : winner_of(h, at, side == 1, steps, counting);
        for (int child = NONE; (child = next_child(h, at, side == 1, steps, child)) != NONE;) {
            if (all || child == only || moves(h, child)) walk(h, child, all, steps, counting, out, count);
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

static bool is_word(const history *h, int at) { return strchr(" -@", h->elements[at].letter) == NULL; }

static bool splits(const history *h, int run, int at) {
    return h->type != GT_TYPE_LIST && at > 0 && at < length_of(h, run) && is_word(h, run + at - 1) &&
           is_word(h, run + at);
}

/* Whether so many of run y from `at` on stand in run x from `x_at` on, and may stand once. */
static bool is_common(const history *h, int y, int at, int x, int x_at, int count) {
    bool any_word = h->type == GT_TYPE_LIST;
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

static bool has_value_of_its_own(const history *h, int of, uint64_t counting) {
    bool has = false;
    for (int i = 0; h->type == GT_TYPE_LIST && i < h->gift_count; i++) {
        has |= h->gifts[i].first == of && (counting & bit(h->gifts[i].step)) != 0;
    }
    return has;
}

bool strategy_is_hidden(const history *h, int at, uint64_t counting) {
    const element *e = &h->elements[at], *first = &h->elements[e->run];
    if (h->strategy != GT_STRATEGY_MERGED || moves(h, at) || has_value_of_its_own(h, at, counting)) return false;
    for (int i = 0; i < h->element_count; i++) {
        const element *other = &h->elements[i];
        if (other->run != i || moves(h, i) || other->parent != first->parent || other->left != first->left) continue;
        if (i == e->run || !id_is_less(h, other, first)) continue;
        int twin = twin_of(h, e->run, at - e->run, i);
        if (twin == NONE || has_value_of_its_own(h, twin, counting)) continue;
        if (is_shown(h, twin, counting)) return true;
    }
    return false;
}

/* ---- what is seen ---- */

int strategy_see(const history *h, uint64_t steps, uint64_t counting, int *known, int *known_count, int *seen) {
    static bool open[ELEMENTS_MAX];
    int count = 0;
    *known_count = 0;
    walk(h, ROOT, h->strategy == GT_STRATEGY_MERGED, steps, counting, known, known_count);
    memset(open, 0, sizeof(open));
    for (int i = 0; i < *known_count; i++) open[known[i]] = !strategy_is_hidden(h, known[i], counting);
    for (int i = 0; i < *known_count; i++) {
        int of = h->elements[known[i]].of;
        bool shown = is_left(h, of, counting) && place_of(h, of, counting, open) == known[i];
        if (shown) seen[count++] = known[i];
    }
    return count;
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

/* The value or the attribute that an element has in the end; `places`: where everything stands, lost or not. */
static int given(const history *h, int of, uint64_t counting, const int *places, int own) {
    const strategy_gift *best = NULL;
    const element *e = &h->elements[of];
    for (int i = 0; i < h->gift_count; i++) {
        const strategy_gift *gift = &h->gifts[i];
        bool is_about = gift->first == of;
        if (h->type == GT_TYPE_RICHTEXT) {
            bool seen = gift->step == e->step || (h->past[e->step] & bit(gift->step)) != 0;
            is_about = !seen && places[gift->first] <= places[of] && places[of] <= places[gift->last];
        }
        if (!is_about || (counting & bit(gift->step)) == 0) continue;
        element a = {.step = gift->step, .index = (uint32_t)i}, b = {0};
        if (best != NULL) b = (element){.step = best->step, .index = (uint32_t)(best - h->gifts)};
        if (best == NULL || is_after(h, &a, &b)) best = gift;
    }
    return best == NULL ? own : best->value;
}

void strategy_value(const strategy_history *h, uint64_t steps, gt_buf *out) {
    static int all[ELEMENTS_MAX], seen[ELEMENTS_MAX], places[ELEMENTS_MAX];
    static element left[ELEMENTS_MAX];
    int count = 0;
    uint64_t counting = strategy_counting(h, steps);
    walk(h, ROOT, true, steps, counting, all, &count);
    for (int i = 0; i < count; i++) places[all[i]] = i;
    int seen_count = strategy_see(h, steps, counting, all, &count, seen);
    for (int i = 0; i < seen_count; i++) {
        int of = h->elements[seen[i]].of;
        left[i] = h->elements[of];
        if (h->type == GT_TYPE_LIST) left[i].letter = (char)given(h, of, counting, places, left[i].letter);
        if (h->type == GT_TYPE_RICHTEXT) left[i].attribute = given(h, of, counting, places, left[i].attribute);
    }
    strategy_write(h->type, out, left, seen_count);
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
