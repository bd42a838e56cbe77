/* The queue of a walk is a critical version if everything that was visited descends from all of it. A commit that has any
 * of the queue among its parents must have all of it; whoever has none of it descends from one who has. So it is enough to
 * count: the edges from visited commits into the queue are as many as the commits that have any, times the queue. A commit
 * stops having any when the earliest of its parents, which is visited last, leaves the queue. */
#include "repo/descent.h"

struct gt_descent_place {
    uint32_t commit;   /* row, plus one; 0 is free */
    uint32_t children; /* visited ones */
    uint32_t last_for; /* visited ones of whose parents it is the earliest */
};

static gt_descent_place *find(gt_descent_place *places, uint32_t count, uint32_t commit) {
    uint32_t at = (uint32_t)((commit * UINT64_C(0x9e3779b97f4a7c15)) >> 32);
    while (places[at & (count - 1)].commit != 0 && places[at & (count - 1)].commit != commit + 1) at++;
    return &places[at & (count - 1)];
}

/* The place of a commit, which it gets if it has none. NULL when there is no memory. */
static gt_descent_place *place_of(gt_descent *descent, uint32_t commit) {
    enum { PLACES = 64 };
    if (2 * descent->used >= descent->place_count) {
        uint32_t count = descent->place_count == 0 ? PLACES : 2 * descent->place_count;
        gt_descent_place *places = gt_new(descent->walk.repo->alloc, count, sizeof(*places));
        if (places == NULL) return NULL;
        for (uint32_t i = 0; i < descent->place_count; i++) {
            const gt_descent_place *old = &descent->places[i];
            if (old->commit != 0) *find(places, count, old->commit - 1) = *old;
        }
        gt_free(descent->walk.repo->alloc, descent->places);
        descent->places = places;
        descent->place_count = count;
    }
    gt_descent_place *place = find(descent->places, descent->place_count, commit);
    descent->used += place->commit == 0;
    place->commit = commit + 1;
    return place;
}

void gt_descent_init(gt_descent *descent, gt_repo *repo, const gt_schema *reader) {
    *descent = (gt_descent){0};
    gt_walk_init(&descent->walk, repo, reader);
}

bool gt_descent_begin(gt_descent *descent, const uint32_t *heads, uint32_t head_count) {
    for (uint32_t i = 0; i < head_count; i++) {
        if (!gt_walk_push(&descent->walk, heads[i])) return false;
    }
    return true;
}

bool gt_descent_step(gt_descent *descent) {
    gt_repo *repo = descent->walk.repo;
    uint32_t visited = descent->walk.queue.rows[0], earliest = GT_NONE;
    gt_descent_place *place = place_of(descent, visited);
    if (place == NULL) return false;
    descent->edges -= place->children;
    descent->waiting -= place->last_for;
    if (!gt_walk_visit(&descent->walk)) return false;
    const gt_commit_row *row = gt_commit_at(repo, visited);
    for (uint32_t i = 0; i < row->parent_count; i++) {
        uint32_t parent = gt_parent_at(repo, row, i);
        if ((place = place_of(descent, parent)) == NULL) return false;
        place->children++;
        if (earliest == GT_NONE || gt_commit_order(gt_commit_at(repo, parent), gt_commit_at(repo, earliest)) < 0) {
            earliest = parent;
        }
    }
    descent->edges += row->parent_count;
    descent->waiting += earliest != GT_NONE;
    if (earliest != GT_NONE) find(descent->places, descent->place_count, earliest)->last_for++;
    return true;
}

bool gt_descent_is_critical(const gt_descent *descent) {
    uint32_t queued = descent->walk.queue.count;
    if (queued == 0) return true;
    if (descent->walk.has_root) return false;
    if (descent->walk.count == 0) return queued == 1;
    return descent->edges == (uint64_t)descent->waiting * queued;
}

void gt_descent_unmark(gt_descent *descent) {
    gt_walk_unmark(&descent->walk);
    descent->walk.queue.count = 0;
}

void gt_descent_end(gt_descent *descent) {
    gt_free(descent->walk.repo->alloc, descent->places);
    gt_walk_free(&descent->walk);
}
