/* Building the clocks, and unions of them. A parent that is the last of its chain hands its clock on
 * unchanged, so a clock is made only where histories fork or meet. */
#include "merge/ancestry.h"

#include "base/assert.h"

#define NO_CHAIN UINT32_MAX

enum { MARK_ADDED = 1, MARK_SEEN = 2 };

typedef struct builder {
    gt_ancestry *ancestry;
    uint32_t *tips; /* the last step of each chain */
    uint32_t *seen; /* the clock of the step at hand, its parents included */
    uint64_t clock_numbers;
} builder;

void gt_ancestry_init(gt_ancestry *ancestry, gt_arena *arena, const gt_step *steps, uint32_t step_count) {
    *ancestry =
        (gt_ancestry){.arena = arena, .steps = steps, .step_count = step_count, .clocks_max = GT_ANCESTRY_CLOCKS_MAX};
}

static void raise(uint32_t *number, uint32_t to) {
    if (*number < to) {
        *number = to;
    }
}

/* Adds what `node` has seen, without itself. */
static void add_clock(uint32_t *seen, const gt_ancestry_node *node) {
    for (uint32_t chain = 0; chain < node->clock_len; chain++) {
        raise(&seen[chain], node->clock[chain]);
    }
    raise(&seen[node->chain], node->position - 1);
}

/* The chain that ends in an ancestor of the step at hand. If there are several, the one of the same author,
 * else the one that ended longest ago: others will want to go on from the newer ones. */
static uint32_t find_chain(const builder *b, uint32_t chains, uint32_t author) {
    const gt_ancestry *ancestry = b->ancestry;
    uint32_t found = NO_CHAIN;
    for (uint32_t chain = 0; chain < chains; chain++) {
        uint32_t tip = b->tips[chain];
        if (b->seen[chain] != ancestry->nodes[tip].position) {
            continue;
        }
        if (author != 0 && ancestry->steps[tip].author == author) {
            return chain;
        }
        if (found == NO_CHAIN || tip < b->tips[found]) {
            found = chain;
        }
    }
    return found;
}

/* Puts the step on a chain, with a clock of its own. False when there is no memory. */
static bool place_with_clock(builder *b, uint32_t step) {
    gt_ancestry *ancestry = b->ancestry;
    const gt_step *at = &ancestry->steps[step];
    uint32_t chains = 0; /* that the step can have seen anything of */
    for (uint32_t i = 0; i < at->parent_count; i++) {
        const gt_ancestry_node *parent = &ancestry->nodes[at->parents[i]];
        raise(&chains, parent->clock_len);
        raise(&chains, parent->chain + 1);
    }
    memset(b->seen, 0, chains * sizeof *b->seen);
    for (uint32_t i = 0; i < at->parent_count; i++) {
        const gt_ancestry_node *parent = &ancestry->nodes[at->parents[i]];
        add_clock(b->seen, parent);
        raise(&b->seen[parent->chain], parent->position);
        ancestry->work += parent->clock_len;
    }
    ancestry->work += chains;

    gt_ancestry_node *node = &ancestry->nodes[step];
    uint32_t chain = find_chain(b, chains, at->author);
    node->chain = chain == NO_CHAIN ? ancestry->chain_count++ : chain;
    node->position = chain == NO_CHAIN ? 1 : b->seen[chain] + 1;
    b->tips[node->chain] = step;
    if (chains > 0) {
        uint32_t *clock = gt_arena_new(ancestry->arena, chains, sizeof *clock);
        if (clock == NULL) {
            return false;
        }
        memcpy(clock, b->seen, chains * sizeof *clock);
        node->clock = clock;
        node->clock_len = chains;
        b->clock_numbers += chains;
    }
    return true;
}

static bool place(builder *b, uint32_t step) {
    gt_ancestry *ancestry = b->ancestry;
    const gt_step *at = &ancestry->steps[step];
    for (uint32_t i = 0; i < at->parent_count; i++) {
        GOAT_ASSERT(at->parents[i] < step);
    }
    ancestry->work += 1 + at->parent_count;
    if (at->parent_count == 1) {
        const gt_ancestry_node *parent = &ancestry->nodes[at->parents[0]];
        if (b->tips[parent->chain] == at->parents[0]) {
            ancestry->nodes[step] = *parent;
            ancestry->nodes[step].position++;
            b->tips[parent->chain] = step;
            return true;
        }
    } else if (at->parent_count == 0) { /* has seen nothing and needs no clock */
        uint32_t chain = ancestry->chain_count++;
        ancestry->nodes[step] = (gt_ancestry_node){.chain = chain, .position = 1};
        b->tips[chain] = step;
        return true;
    }
    return place_with_clock(b, step);
}

/* False when there is no memory. */
static bool build(gt_ancestry *ancestry) {
    if (ancestry->is_built) {
        return true;
    }
    builder b = {.ancestry = ancestry};
    gt_ancestry_node *nodes = gt_arena_new(ancestry->arena, ancestry->step_count, sizeof *nodes);
    b.tips = gt_arena_new(ancestry->arena, ancestry->step_count, sizeof *b.tips);
    b.seen = gt_arena_new(ancestry->arena, ancestry->step_count, sizeof *b.seen);
    if (nodes == NULL || b.tips == NULL || b.seen == NULL) {
        return false;
    }
    ancestry->nodes = nodes;
    ancestry->chain_count = 0;
    for (uint32_t step = 0; step < ancestry->step_count && b.clock_numbers <= ancestry->clocks_max; step++) {
        if (!place(&b, step)) {
            ancestry->nodes = NULL;
            return false;
        }
    }
    if (b.clock_numbers > ancestry->clocks_max) {
        ancestry->nodes = NULL;
        ancestry->walks = true;
    }
    ancestry->is_built = true;
    return true;
}

/* ---- pasts ---- */

void gt_past_init(gt_past *past, gt_ancestry *ancestry) { *past = (gt_past){.ancestry = ancestry, .is_empty = true}; }

static bool add_by_walking(gt_past *past, uint32_t step) {
    gt_ancestry *ancestry = past->ancestry;
    if (past->marks == NULL) {
        past->marks = gt_arena_new(ancestry->arena, ancestry->step_count, 1);
        if (past->marks == NULL) {
            return false;
        }
    }
    past->marks[step] |= MARK_ADDED;
    raise(&past->top, step);
    past->is_empty = false;
    return true;
}

bool gt_past_add(gt_past *past, uint32_t step) {
    gt_ancestry *ancestry = past->ancestry;
    GOAT_ASSERT(step < ancestry->step_count);
    if (!build(ancestry)) {
        return false;
    }
    if (ancestry->walks) {
        return add_by_walking(past, step);
    }
    if (past->seen == NULL) {
        past->seen = gt_arena_new(ancestry->arena, ancestry->chain_count, sizeof *past->seen);
        if (past->seen == NULL) {
            return false;
        }
    }
    add_clock(past->seen, &ancestry->nodes[step]);
    ancestry->work += 1 + ancestry->nodes[step].clock_len;
    past->is_empty = false;
    return true;
}

/* Marks the ancestors of all that was added since the last walk. A step stands behind its parents, so one
 * walk downwards finds them all. */
static void walk(gt_past *past) {
    gt_ancestry *ancestry = past->ancestry;
    for (uint32_t step = past->top; step > 0; step--) {
        const gt_step *at = &ancestry->steps[step];
        ancestry->work++;
        if (past->marks[step] != 0) {
            for (uint32_t i = 0; i < at->parent_count; i++) {
                GOAT_ASSERT(at->parents[i] < step);
                past->marks[at->parents[i]] |= MARK_SEEN;
            }
        }
    }
    past->top = 0;
}

bool gt_past_has(gt_past *past, uint32_t step) {
    gt_ancestry *ancestry = past->ancestry;
    GOAT_ASSERT(step < ancestry->step_count);
    if (past->is_empty) {
        return false;
    }
    if (ancestry->walks) {
        walk(past);
        return (past->marks[step] & MARK_SEEN) != 0;
    }
    const gt_ancestry_node *node = &ancestry->nodes[step];
    return past->seen[node->chain] >= node->position;
}

void gt_past_clear(gt_past *past) {
    if (past->is_empty) {
        return;
    }
    if (past->ancestry->walks) {
        memset(past->marks, 0, past->ancestry->step_count);
        past->top = 0;
    } else {
        memset(past->seen, 0, past->ancestry->chain_count * sizeof *past->seen);
    }
    past->is_empty = true;
}
