/* Texts, lists and rich texts written by several authors under a strategy, and what comes of them by the rules of
 * core/merge/README.md written down literally: a tree of slots, walked anew for every question. */
#ifndef STRATEGY_MODEL_H
#define STRATEGY_MODEL_H

#include "merge/merge.h"
#include "support/test_random.h"

enum { STRATEGY_STEPS_MAX = 40, STRATEGY_ELEMENTS_MAX = 2000 };

/* An element in the place where it was inserted; or (of a list) a place to which it was moved. */
typedef struct strategy_element {
    int parent;
    bool left;
    uint32_t step, index;
    int run; /* the first of those that were inserted at once */
    int of;  /* the element that stands here: itself, or what was moved here */
    char letter;
    int attribute;                     /* of rich text; 0: none */
    uint64_t removed_by, discarded_by; /* steps, as bits; what was moved here is removed where it was inserted */
} strategy_element;

/* A value that was given to an element of a list, or an attribute to a range of a rich text. */
typedef struct strategy_gift {
    uint32_t step;
    int first, last;
    int value;
} strategy_gift;

typedef struct strategy_history {
    test_random random;
    gt_type type;
    gt_strategy strategy;
    uint32_t count;
    gt_step steps[STRATEGY_STEPS_MAX];
    uint8_t ids[STRATEGY_STEPS_MAX][32];
    uint32_t parents[STRATEGY_STEPS_MAX][STRATEGY_STEPS_MAX];
    uint64_t past[STRATEGY_STEPS_MAX]; /* strict ancestors, as bits */
    gt_buf deltas[STRATEGY_STEPS_MAX];
    bool unsets[STRATEGY_STEPS_MAX];
    strategy_element elements[STRATEGY_ELEMENTS_MAX];
    int element_count;
    strategy_gift gifts[STRATEGY_ELEMENTS_MAX];
    int gift_count;
} strategy_history;

static inline uint64_t strategy_bit(uint32_t step) { return UINT64_C(1) << step; }

/* So many random steps, which edit the field "t". */
void strategy_make(strategy_history *h, uint32_t count);
void strategy_free(strategy_history *h);
void strategy_print(const strategy_history *h);

/* Those of some steps that are not void. */
uint64_t strategy_counting(const strategy_history *h, uint64_t steps);

/* Whether the field is there after some steps, and what it holds. */
bool strategy_is_present(const strategy_history *h, uint64_t steps);
void strategy_value(const strategy_history *h, uint64_t steps, gt_buf *out);

/* ---- for those who make histories ---- */

/* What is known of some steps, those of `counting` not being void, and what can be seen of it (as many as are given back),
 * both in order; and whether something that is known is left out of that. */
int strategy_see(const strategy_history *h, uint64_t steps, uint64_t counting, int *known, int *known_count, int *seen);
bool strategy_is_hidden(const strategy_history *h, int at, uint64_t counting);

/* Appends a value of the type. */
void strategy_write(gt_type type, gt_buf *out, const strategy_element *elements, int count);

#endif
