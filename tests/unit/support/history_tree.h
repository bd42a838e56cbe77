/* What several authors insert at places, as a tree of elements that is walked anew for every question: Fugue's order, the
 * strategies, and for each element of a list the place of its latest move. Only for the rules (history_rules.c). */
#ifndef HISTORY_TREE_H
#define HISTORY_TREE_H

#include "support/history.h"

enum { TREE_ELEMENTS_MAX = 4096, TREE_MARKS_MAX = 8192, TREE_ROOT = -1, TREE_NONE = -2 };

typedef struct tree_element {
    int parent;
    bool left;
    uint32_t step, index;
    int run; /* the first of those that were inserted at once */
    int of;  /* the element whose place this is: itself, but where one was moved to */
    gt_bytes content, attributes;
    bool is_embed;
    uint64_t removed_by, discarded_by; /* steps; what was moved here is removed where it was inserted */
} tree_element;

/* One attribute, or the value of an element of a list, given to what stood from one element to another in what the author of
 * the step saw. */
typedef struct tree_mark {
    uint32_t step;
    gt_bytes name, value;
    int first, last;
} tree_mark;

typedef struct tree {
    const history *h;
    gt_type type;
    gt_strategy strategy;
    tree_element elements[TREE_ELEMENTS_MAX];
    tree_mark marks[TREE_MARKS_MAX];
    int count, mark_count;
} tree;

/* What the author of a step knows, in order, and what he sees of it. */
typedef struct tree_author {
    uint32_t step, index;
    int known[TREE_ELEMENTS_MAX], seen[TREE_ELEMENTS_MAX];
    int known_count, seen_count;
} tree_author;

void tree_init(tree *t, const history *h, const gt_field *field);

/* He discards what is left out of what he sees. */
void tree_look(tree *t, tree_author *author, uint32_t step);

/* Inserts behind something known, or at the beginning (TREE_ROOT); what it is, is in `element`. `run` TREE_NONE: a run of its
 * own. Gives the element. */
int tree_insert(tree *t, tree_author *author, int before, const tree_element *element, int run);

/* What he knows directly before something (TREE_NONE: the end). */
int tree_before(const tree_author *author, int next);

/* What is left after some steps, in order; `places` is told where everything stands, left or not. Gives how many. */
int tree_left(const tree *t, uint64_t which, int *out, int *places);

/* Later by (time, id). */
bool tree_is_later(const history *h, uint32_t a, uint32_t b);

#endif
