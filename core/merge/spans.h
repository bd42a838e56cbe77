/* Runs of elements of one sequence, in the order in which they stand and in the order of their identities: two treaps
 * (Seidel and Aragon 1996) over the same nodes, one of which sums up what can be seen.
 *
 * Everything lives in an arena. Each operation costs O(log n), n being the number of spans. */
#ifndef GT_MERGE_SPANS_H
#define GT_MERGE_SPANS_H

#include "base/arena.h"

/* An element for good: the step that inserted it and its index among what that step inserted. Those of the base have
 * GT_OF_BASE; one before the first of these is the root, which is no element. */
typedef struct gt_element {
    uint32_t step, index;
} gt_element;

#define GT_OF_BASE UINT32_MAX
#define GT_ELEMENT_ROOT ((gt_element){GT_OF_BASE, UINT32_MAX})

static inline bool gt_element_is(gt_element a, gt_element b) { return a.step == b.step && a.index == b.index; }

enum { GT_BY_PLACE = 0, GT_BY_ELEMENT = 1 };

typedef struct gt_span gt_span;

typedef struct gt_span_links {
    gt_span *up, *left, *right;
} gt_span_links;

struct gt_span {
    gt_span_links links[2];
    uint32_t priority;
    uint32_t length;
    gt_element first;
    gt_element before;    /* what its author saw directly before it when he inserted it (its left origin) */
    uint32_t state;       /* in the version looked at: 0 not there yet, 1 there, n + 1 removed by n steps */
    bool gone;            /* removed by a step that counts */
    bool given_up;        /* discarded by one */
    bool hidden;          /* contests.h: in the version looked at it keeps its place and is not seen */
    bool falls_back;      /* it is there only because its element is left out where it should stand (slots.h) */
    bool is_changed;      /* it was touched since it was taken by gt_spans_take_changed */
    uint8_t any;          /* what there is of this and those below it by place, see spans.c */
    uint8_t level;        /* contests.h: what it showed when it was looked at last, */
    bool is_valued;       /* … and whether it had been given a value */
    uint32_t lost;        /* contests.h: so many on which it hangs have lost, and it is as if not there */
    uint32_t discards;    /* steps in the version looked at that removed it without having seen it */
    struct gt_node *node; /* nodes.h: that it is of; NULL: the base */
    uint64_t shown;       /* elements that can be seen, of this and those below it by place */
    struct gt_slot *slot; /* slots.h: of an element that was moved or given another value, alone in its span */
};

typedef struct gt_spans {
    gt_arena *arena;
    gt_span *root[2];
    uint32_t random;
} gt_spans;

void gt_spans_init(gt_spans *spans, gt_arena *arena);

/* A new span before `next` (NULL: behind the last one). NULL when there is no memory. */
gt_span *gt_span_insert(gt_spans *spans, gt_span *next, gt_element first, uint32_t length, uint32_t state);

/* Cuts it before its element number `at` (0 < at < length) and gives the second part. NULL when there is no memory. */
gt_span *gt_span_split(gt_spans *spans, gt_span *span, uint32_t at);

void gt_span_set_state(gt_span *span, uint32_t state);

/* What else is said of it in the version looked at is another. */
void gt_span_touch(gt_span *span);

/* In either order; NULL at the end. */
gt_span *gt_span_first(const gt_spans *spans, int order);
gt_span *gt_span_next(const gt_span *span, int order);

void gt_span_set_left_out(gt_span *span, uint32_t lost, bool hidden);

/* A span that was touched, or came, since this was asked the last time; NULL: there is none. Each once. */
gt_span *gt_spans_take_changed(const gt_spans *spans);

/* The first span by place that is left out of the version looked at and was not discarded in it; NULL: there is none. */
gt_span *gt_spans_first_left_out(const gt_spans *spans);

/* The span behind `span` (NULL: from the first on) by place that is known, or the one before it (NULL: from the last on);
 * NULL: there is none. */
gt_span *gt_span_next_known(const gt_spans *spans, const gt_span *span);
gt_span *gt_span_previous_known(const gt_spans *spans, const gt_span *span);

/* Elements that can be seen. */
uint64_t gt_spans_shown(const gt_spans *spans);

/* Elements before `span` that can be seen, and those of its own. */
uint64_t gt_spans_shown_before(const gt_span *span);

static inline uint64_t gt_span_shown(const gt_span *span) {
    return span->state == 1 && span->lost == 0 && !span->hidden ? span->length : 0;
}

/* The span of the element that is number `position` of those that can be seen; `*within`: which of it. */
gt_span *gt_spans_at(const gt_spans *spans, uint64_t position, uint32_t *within);

/* The span that holds an element. Never NULL for one that was inserted. */
gt_span *gt_spans_find(const gt_spans *spans, gt_element element);

#endif
