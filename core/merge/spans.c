#include "merge/spans.h"

#include "base/assert.h"

void gt_spans_init(gt_spans *spans, gt_arena *arena) { *spans = (gt_spans){.arena = arena, .random = 0x9e3779b9}; }

/* Which numbers come out makes no difference to any result. */
static uint32_t next_random(gt_spans *spans) { /* xorshift, Marsaglia 2003 */
    uint32_t x = spans->random;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return spans->random = x;
}

/* ---- the trees ---- */

static uint64_t shown_below(const gt_span *span) { return span == NULL ? 0 : span->shown; }

/* What there may be among spans. */
enum {
    ANY_KNOWN = 1,    /* one that has a state that is not 0 and is not lost */
    ANY_CHANGED = 2,  /* one whose state was set */
    ANY_LEFT_OUT = 4, /* one that is left out and was not discarded */
};

static uint8_t any_below(const gt_span *span) { return span == NULL ? 0 : span->any; }

static bool known_below(const gt_span *span) { return (any_below(span) & ANY_KNOWN) != 0; }

static bool is_known(const gt_span *span) { return span->state != 0 && span->lost == 0; }

static bool is_left_out(const gt_span *span) {
    return (span->lost > 0 || span->hidden) && span->state != 0 && span->discards == 0;
}

static uint8_t any_of(const gt_span *span) {
    return (uint8_t)((is_known(span) ? ANY_KNOWN : 0) | (span->is_changed ? ANY_CHANGED : 0) |
                     (is_left_out(span) ? ANY_LEFT_OUT : 0));
}

static void sum_up(gt_span *span) {
    const gt_span_links *links = &span->links[GT_BY_PLACE];
    span->shown = gt_span_shown(span) + shown_below(links->left) + shown_below(links->right);
    span->any = any_of(span) | any_below(links->left) | any_below(links->right);
}

static void sum_up_to_root(gt_span *span) {
    for (; span != NULL; span = span->links[GT_BY_PLACE].up) sum_up(span);
}

/* Puts `span` where its parent is, which goes below it. */
static void rotate(gt_spans *spans, gt_span *span, int order) {
    gt_span_links *links = &span->links[order];
    gt_span *parent = links->up, *above = parent->links[order].up;
    gt_span_links *parents = &parent->links[order];
    if (parents->left == span) {
        parents->left = links->right;
        if (links->right != NULL) links->right->links[order].up = parent;
        links->right = parent;
    } else {
        parents->right = links->left;
        if (links->left != NULL) links->left->links[order].up = parent;
        links->left = parent;
    }
    parents->up = span;
    links->up = above;
    if (above == NULL) {
        spans->root[order] = span;
    } else if (above->links[order].left == parent) {
        above->links[order].left = span;
    } else {
        above->links[order].right = span;
    }
    if (order == GT_BY_PLACE) sum_up(parent);
}

static void settle(gt_spans *spans, gt_span *span, int order) {
    while (span->links[order].up != NULL && span->links[order].up->priority < span->priority) {
        rotate(spans, span, order);
    }
    if (order == GT_BY_PLACE) sum_up_to_root(span);
}

/* `next` NULL: behind the last one. */
static void link_before(gt_spans *spans, gt_span *span, gt_span *next, int order) {
    gt_span *at = next != NULL ? next->links[order].left : spans->root[order];
    while (at != NULL && at->links[order].right != NULL) at = at->links[order].right;
    if (at != NULL) {
        at->links[order].right = span;
        span->links[order].up = at;
    } else if (next != NULL) {
        next->links[order].left = span;
        span->links[order].up = next;
    } else {
        spans->root[order] = span;
    }
    settle(spans, span, order);
}

/* ---- looking ---- */

gt_span *gt_span_first(const gt_spans *spans, int order) {
    gt_span *span = spans->root[order];
    while (span != NULL && span->links[order].left != NULL) span = span->links[order].left;
    return span;
}

gt_span *gt_span_next(const gt_span *span, int order) {
    gt_span *next = span->links[order].right;
    if (next != NULL) {
        while (next->links[order].left != NULL) next = next->links[order].left;
        return next;
    }
    for (next = span->links[order].up; next != NULL && next->links[order].right == span; next = next->links[order].up) {
        span = next;
    }
    return next;
}

static gt_span *side(const gt_span *span, bool backward) {
    const gt_span_links *links = &span->links[GT_BY_PLACE];
    return backward ? links->right : links->left;
}

/* The first one known of a tree, or the last. */
static gt_span *first_known(gt_span *span, bool backward) {
    while (span != NULL) {
        if (known_below(side(span, backward))) {
            span = side(span, backward);
        } else if (is_known(span)) {
            return span;
        } else {
            span = known_below(side(span, !backward)) ? side(span, !backward) : NULL;
        }
    }
    return NULL;
}

static gt_span *next_known(const gt_spans *spans, const gt_span *span, bool backward) {
    if (span == NULL) return first_known(spans->root[GT_BY_PLACE], backward);
    gt_span *found = first_known(side(span, !backward), backward);
    for (gt_span *up = span->links[GT_BY_PLACE].up; found == NULL && up != NULL; up = up->links[GT_BY_PLACE].up) {
        if (side(up, backward) == span) found = is_known(up) ? up : first_known(side(up, !backward), backward);
        span = up;
    }
    return found;
}

gt_span *gt_span_next_known(const gt_spans *spans, const gt_span *span) { return next_known(spans, span, false); }

gt_span *gt_span_previous_known(const gt_spans *spans, const gt_span *span) { return next_known(spans, span, true); }

uint64_t gt_spans_shown(const gt_spans *spans) { return shown_below(spans->root[GT_BY_PLACE]); }

uint64_t gt_spans_shown_before(const gt_span *span) {
    uint64_t count = shown_below(span->links[GT_BY_PLACE].left);
    for (const gt_span *up = span->links[GT_BY_PLACE].up; up != NULL; up = up->links[GT_BY_PLACE].up) {
        if (up->links[GT_BY_PLACE].right == span) count += gt_span_shown(up) + shown_below(up->links[GT_BY_PLACE].left);
        span = up;
    }
    return count;
}

gt_span *gt_spans_at(const gt_spans *spans, uint64_t position, uint32_t *within) {
    gt_span *span = spans->root[GT_BY_PLACE];
    GOAT_ASSERT(position < gt_spans_shown(spans));
    for (;;) {
        const gt_span_links *links = &span->links[GT_BY_PLACE];
        uint64_t left = shown_below(links->left), own = gt_span_shown(span);
        if (position < left) {
            span = links->left;
        } else if (position < left + own) {
            *within = (uint32_t)(position - left);
            return span;
        } else {
            position -= left + own;
            span = links->right;
        }
    }
}

static bool is_before(gt_element a, gt_element b) { return a.step != b.step ? a.step < b.step : a.index < b.index; }

gt_span *gt_spans_find(const gt_spans *spans, gt_element element) {
    gt_span *span = spans->root[GT_BY_ELEMENT], *found = NULL;
    while (span != NULL) {
        bool before = is_before(element, span->first);
        if (!before) found = span;
        span = before ? span->links[GT_BY_ELEMENT].left : span->links[GT_BY_ELEMENT].right;
    }
    GOAT_ASSERT(found != NULL && found->first.step == element.step &&
                element.index - found->first.index < found->length);
    return found;
}

/* ---- changing ---- */

static gt_span *after_element(const gt_spans *spans, gt_element element) {
    gt_span *span = spans->root[GT_BY_ELEMENT], *found = NULL;
    while (span != NULL) {
        bool before = is_before(element, span->first);
        if (before) found = span;
        span = before ? span->links[GT_BY_ELEMENT].left : span->links[GT_BY_ELEMENT].right;
    }
    return found;
}

gt_span *gt_span_insert(gt_spans *spans, gt_span *next, gt_element first, uint32_t length, uint32_t state) {
    gt_span *span = gt_arena_new(spans->arena, 1, sizeof(*span));
    if (span == NULL) return NULL;
    span->priority = next_random(spans);
    span->first = first;
    span->length = length;
    span->state = state;
    span->is_changed = true;
    link_before(spans, span, next, GT_BY_PLACE);
    link_before(spans, span, after_element(spans, first), GT_BY_ELEMENT);
    return span;
}

gt_span *gt_span_split(gt_spans *spans, gt_span *span, uint32_t at) {
    GOAT_ASSERT(at > 0 && at < span->length);
    gt_element first = {span->first.step, span->first.index + at};
    gt_span *next = gt_span_next(span, GT_BY_PLACE);
    gt_span *second = gt_span_insert(spans, next, first, span->length - at, span->state);
    if (second == NULL) return NULL;
    second->before = (gt_element){first.step, first.index - 1};
    second->gone = span->gone;
    second->given_up = span->given_up;
    second->discards = span->discards;
    second->node = span->node;
    if (span->lost > 0 || span->hidden) gt_span_set_left_out(second, span->lost, span->hidden);
    span->length = at;
    sum_up_to_root(span);
    return second;
}

void gt_span_touch(gt_span *span) {
    span->is_changed = true;
    sum_up_to_root(span);
}

void gt_span_set_state(gt_span *span, uint32_t state) {
    span->state = state;
    gt_span_touch(span);
}

void gt_span_set_left_out(gt_span *span, uint32_t lost, bool hidden) {
    span->lost = lost;
    span->hidden = hidden;
    sum_up_to_root(span);
}

/* The first by place of which something is so. */
static gt_span *first_with(const gt_spans *spans, uint8_t what) {
    gt_span *span = spans->root[GT_BY_PLACE];
    if ((any_below(span) & what) == 0) return NULL;
    for (;;) {
        const gt_span_links *links = &span->links[GT_BY_PLACE];
        if ((any_below(links->left) & what) != 0) {
            span = links->left;
        } else if ((any_of(span) & what) != 0) {
            return span;
        } else {
            span = links->right;
        }
    }
}

gt_span *gt_spans_take_changed(const gt_spans *spans) {
    gt_span *span = first_with(spans, ANY_CHANGED);
    if (span == NULL) return NULL;
    span->is_changed = false;
    sum_up_to_root(span);
    return span;
}

gt_span *gt_spans_first_left_out(const gt_spans *spans) { return first_with(spans, ANY_LEFT_OUT); }
