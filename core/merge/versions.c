#include "merge/versions.h"

#define NO_STEP UINT32_MAX

enum { OF_NOW = 1, OF_WANTED = 2, OF_BOTH = 3 };

typedef struct walk {
    gt_replay *replay;
    const gt_visitor *visitor;
    uint32_t now; /* the version looked at is this step and all before it; NO_STEP: the base */
    /* the order */
    uint32_t *first_child, *next_child; /* edges count from 1 */
    uint32_t *child;                    /* by edge */
    uint32_t *left;                     /* by step: parents that were not gone through */
    uint32_t *ready;
    uint32_t ready_count;
    /* between two versions */
    uint8_t *sides;  /* by step */
    uint32_t *heap;  /* steps, the last on top */
    uint32_t *again; /* steps to be done again, the last first */
    uint32_t heap_count, uncommon;
} walk;

/* ---- between two versions ---- */

static void push(walk *w, uint32_t step, uint8_t side) {
    uint8_t before = w->sides[step];
    w->sides[step] |= side;
    if (before == 0) {
        uint32_t at = w->heap_count++;
        for (; at > 0 && w->heap[(at - 1) / 2] < step; at = (at - 1) / 2) w->heap[at] = w->heap[(at - 1) / 2];
        w->heap[at] = step;
        w->uncommon += side != OF_BOTH;
    } else if (before != OF_BOTH && w->sides[step] == OF_BOTH) {
        w->uncommon--;
    }
}

static uint32_t pop(walk *w) {
    uint32_t top = w->heap[0], last = w->heap[--w->heap_count], at = 0;
    for (uint32_t next; (next = 2 * at + 1) < w->heap_count; at = next) {
        if (next + 1 < w->heap_count && w->heap[next + 1] > w->heap[next]) next++;
        if (w->heap[next] <= last) break;
        w->heap[at] = w->heap[next];
    }
    w->heap[at] = last;
    return top;
}

static void push_parents(walk *w, uint32_t step, uint8_t side) {
    const gt_step *of = &w->replay->steps[step];
    for (uint32_t i = 0; i < of->parent_count; i++) push(w, of->parents[i], side);
}

/* Makes the version looked at that of the parents of `step`. */
static void move_to_parents(walk *w, uint32_t step) {
    const gt_step *to = &w->replay->steps[step];
    const gt_visitor *visitor = w->visitor;
    uint32_t again_count = 0;
    if (w->now == NO_STEP ? to->parent_count == 0 : to->parent_count == 1 && to->parents[0] == w->now) return;
    if (w->now != NO_STEP) push(w, w->now, OF_NOW);
    push_parents(w, step, OF_WANTED);
    while (w->uncommon > 0) {
        uint32_t at = pop(w);
        uint8_t side = w->sides[at];
        w->sides[at] = 0;
        w->replay->work++;
        if (side != OF_BOTH) w->uncommon--;
        if (side == OF_NOW && visitor->touches(visitor->context, at)) visitor->take_back(visitor->context, at);
        if (side == OF_WANTED && visitor->touches(visitor->context, at)) w->again[again_count++] = at;
        push_parents(w, at, side);
    }
    while (w->heap_count > 0) w->sides[w->heap[--w->heap_count]] = 0;
    while (again_count > 0) visitor->do_again(visitor->context, w->again[--again_count]);
}

/* ---- the order ---- */

static bool prepare(walk *w) {
    gt_replay *replay = w->replay;
    gt_arena *arena = &replay->arena;
    uint32_t count = replay->step_count;
    size_t edges = 0;
    for (uint32_t i = 0; i < count; i++) edges += replay->steps[i].parent_count;
    w->first_child = gt_arena_new(arena, count, sizeof(uint32_t));
    w->next_child = gt_arena_new(arena, edges + 1, sizeof(uint32_t));
    w->child = gt_arena_new(arena, edges + 1, sizeof(uint32_t));
    w->left = gt_arena_new(arena, count, sizeof(uint32_t));
    w->ready = gt_arena_new(arena, count, sizeof(uint32_t));
    w->sides = gt_arena_new(arena, count, 1);
    w->heap = gt_arena_new(arena, count, sizeof(uint32_t));
    w->again = gt_arena_new(arena, count, sizeof(uint32_t));
    if (w->first_child == NULL || w->next_child == NULL || w->child == NULL || w->left == NULL || w->ready == NULL ||
        w->sides == NULL || w->heap == NULL || w->again == NULL || edges >= UINT32_MAX) {
        return false;
    }
    uint32_t edge = 0;
    for (uint32_t i = count; i-- > 0;) { /* from the last on, so that those of no parents are ready first to last */
        const gt_step *step = &replay->steps[i];
        w->left[i] = step->parent_count;
        if (step->parent_count == 0) w->ready[w->ready_count++] = i;
        for (uint32_t p = 0; p < step->parent_count; p++) {
            w->child[++edge] = i;
            w->next_child[edge] = w->first_child[step->parents[p]];
            w->first_child[step->parents[p]] = edge;
        }
    }
    return true;
}

/* A child whose other parents are still to come waits for the last of them. */
static void release(walk *w, uint32_t step) {
    for (uint32_t edge = w->first_child[step]; edge != 0; edge = w->next_child[edge]) {
        uint32_t child = w->child[edge];
        if (--w->left[child] == 0) w->ready[w->ready_count++] = child;
    }
}

bool gt_versions_walk(gt_replay *replay, const gt_visitor *visitor) {
    walk w = {.replay = replay, .visitor = visitor, .now = NO_STEP};
    if (!prepare(&w)) return false;
    while (w.ready_count > 0) {
        uint32_t step = w.ready[--w.ready_count];
        if (visitor->touches(visitor->context, step)) {
            move_to_parents(&w, step);
            if (!visitor->visit(visitor->context, step)) return false;
            w.now = step;
        }
        release(&w, step);
    }
    return true;
}
