#include "merge/versions.h"

enum { OF_NOW = 1, OF_WANTED = 2, OF_BOTH = 3 };

typedef struct walk {
    gt_versions *versions;
    gt_replay *replay;
    const gt_visitor *visitor;
    /* the order of the steps that are gone through now; these count from the
   * first of them */
    uint32_t first;
    uint32_t *first_child, *next_child; /* edges count from 1 */
    uint32_t *child;                    /* by edge */
    uint32_t *left;                     /* by step: parents that were not gone through */
    uint32_t *ready;
    uint32_t ready_count;
    /* between two versions */
    uint32_t heap_count, uncommon;
} walk;

/* ---- between two versions ---- */

static void push(walk *w, uint32_t step, uint8_t side) {
    gt_versions *v = w->versions;
    uint8_t before = v->sides[step];
    v->sides[step] |= side;
    if (before == 0) {
        uint32_t at = w->heap_count++;
        for (; at > 0 && v->heap[(at - 1) / 2] < step; at = (at - 1) / 2) v->heap[at] = v->heap[(at - 1) / 2];
        v->heap[at] = step;
        w->uncommon += side != OF_BOTH;
    } else if (before != OF_BOTH && v->sides[step] == OF_BOTH) {
        w->uncommon--;
    }
}

static uint32_t pop(walk *w) {
    uint32_t *heap = w->versions->heap;
    uint32_t top = heap[0], last = heap[--w->heap_count], at = 0;
    for (uint32_t next; (next = 2 * at + 1) < w->heap_count; at = next) {
        if (next + 1 < w->heap_count && heap[next + 1] > heap[next]) next++;
        if (heap[next] <= last) break;
        heap[at] = heap[next];
    }
    heap[at] = last;
    return top;
}

static void push_all(walk *w, const uint32_t *steps, uint32_t count, uint8_t side) {
    for (uint32_t i = 0; i < count; i++) push(w, steps[i], side);
}

/* Makes the version looked at that of some steps and all before them. */
static void move_to(walk *w, const uint32_t *steps, uint32_t count) {
    const gt_visitor *visitor = w->visitor;
    gt_versions *v = w->versions;
    uint32_t again_count = 0;
    if (count == v->now_count && (count == 0 || (count == 1 && steps[0] == v->now[0]))) return;
    push_all(w, v->now, v->now_count, OF_NOW);
    push_all(w, steps, count, OF_WANTED);
    while (w->uncommon > 0) {
        uint32_t at = pop(w);
        const gt_step *step = &w->replay->steps[at];
        uint8_t side = v->sides[at];
        v->sides[at] = 0;
        w->replay->work++;
        if (side != OF_BOTH) w->uncommon--;
        if (side == OF_NOW && visitor->touches(visitor->context, at)) visitor->take_back(visitor->context, at);
        if (side == OF_WANTED && visitor->touches(visitor->context, at)) v->again[again_count++] = at;
        push_all(w, step->parents, step->parent_count, side);
    }
    while (w->heap_count > 0) v->sides[v->heap[--w->heap_count]] = 0;
    while (again_count > 0) visitor->do_again(visitor->context, v->again[--again_count]);
}

/* Between two questions there is nothing in what there was room for but the
 * version, so the rest need not be copied. */
static bool make_room(gt_versions *v, uint32_t count, gt_arena *arena) {
    if (count <= v->room) return true;
    size_t room = v->room == 0 || count > 2 * v->room ? count : 2 * v->room;
    uint32_t *now = gt_arena_new(arena, room, sizeof(*now));
    if (now == NULL) return false;
    if (v->now_count > 0) memcpy(now, v->now, v->now_count * sizeof(*now));
    v->now = now;
    v->sides = gt_arena_new(arena, room, 1);
    v->heap = gt_arena_new(arena, room, sizeof(*v->heap));
    v->again = gt_arena_new(arena, room, sizeof(*v->again));
    v->room = room;
    return v->sides != NULL && v->heap != NULL && v->again != NULL;
}

/* ---- the order ---- */

static bool prepare(walk *w) {
    gt_replay *replay = w->replay;
    gt_arena *arena = &replay->arena;
    uint32_t count = replay->step_count - w->first;
    size_t edges = 0;
    for (uint32_t i = 0; i < count; i++) edges += replay->steps[w->first + i].parent_count;
    w->first_child = gt_arena_new(arena, count, sizeof(uint32_t));
    w->next_child = gt_arena_new(arena, edges + 1, sizeof(uint32_t));
    w->child = gt_arena_new(arena, edges + 1, sizeof(uint32_t));
    w->left = gt_arena_new(arena, count, sizeof(uint32_t));
    w->ready = gt_arena_new(arena, count, sizeof(uint32_t));
    if (w->first_child == NULL || w->next_child == NULL || w->child == NULL || w->left == NULL || w->ready == NULL ||
        edges >= UINT32_MAX) {
        return false;
    }
    uint32_t edge = 0;
    for (uint32_t i = count; i-- > 0;) { /* from the last on, so that those of no
                                          parents are ready first to last */
        const gt_step *step = &replay->steps[w->first + i];
        for (uint32_t p = 0; p < step->parent_count; p++) {
            if (step->parents[p] < w->first) continue; /* was gone through before */
            uint32_t parent = step->parents[p] - w->first;
            w->left[i]++;
            w->child[++edge] = i;
            w->next_child[edge] = w->first_child[parent];
            w->first_child[parent] = edge;
        }
        if (w->left[i] == 0) w->ready[w->ready_count++] = i;
    }
    return true;
}

/* A child whose other parents are still to come waits for the last of them. */
static void release(walk *w, uint32_t at) {
    for (uint32_t edge = w->first_child[at]; edge != 0; edge = w->next_child[edge]) {
        uint32_t child = w->child[edge];
        if (--w->left[child] == 0) w->ready[w->ready_count++] = child;
    }
}

bool gt_versions_walk(gt_versions *versions, gt_replay *replay, gt_arena *arena, const gt_visitor *visitor) {
    walk w = {.versions = versions, .replay = replay, .visitor = visitor, .first = versions->done};
    if (versions->done == replay->step_count) return true;
    if (!make_room(versions, replay->step_count, arena) || !prepare(&w)) return false;
    while (w.ready_count > 0) {
        uint32_t at = w.ready[--w.ready_count], step = w.first + at;
        if (visitor->touches(visitor->context, step)) {
            move_to(&w, replay->steps[step].parents, replay->steps[step].parent_count);
            if (!visitor->visit(visitor->context, step)) return false;
            versions->now[0] = step;
            versions->now_count = 1;
        }
        release(&w, at);
    }
    versions->done = replay->step_count;
    return true;
}

bool gt_versions_look_at_all(gt_versions *versions, gt_replay *replay, const gt_visitor *visitor) {
    walk w = {.versions = versions, .replay = replay, .visitor = visitor};
    bool *is_parent = gt_arena_new(&replay->arena, replay->step_count, sizeof(*is_parent));
    uint32_t *heads = gt_arena_new(&replay->arena, replay->step_count, sizeof(*heads)), count = 0;
    if (is_parent == NULL || heads == NULL) return false;
    for (uint32_t i = replay->step_count; i-- > 0;) {
        const gt_step *step = &replay->steps[i];
        for (uint32_t p = 0; p < step->parent_count; p++) is_parent[step->parents[p]] = true;
        if (!is_parent[i]) heads[count++] = i;
    }
    move_to(&w, heads, count);
    if (count > 0) memcpy(versions->now, heads, count * sizeof(*heads));
    versions->now_count = count;
    return true;
}
