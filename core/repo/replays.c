/* Replays that are kept for items whose authors do not pause.
 *
 * While authors type at once and hear of each other late, no state lies far enough up for the next replay to be short. So a
 * long replay of an item is kept (core/merge/kept.h), and when further commits come only these are replayed. All commits of a
 * kept replay descend from its base, which was critical; so does a commit that has its parents among them. Where one that came
 * has not, the replay is made anew from a base that is good for it (walk.c), and where some commits are seen otherwise than
 * before nothing is kept. It is a cache: losing it costs time. */
#include "repo/replays.h"

#include "merge/kept.h"
#include "repo/walk.h"

struct gt_item_replay {
    uint32_t item;
    const gt_schema *reader;
    gt_kept *kept;
    uint32_t *commits; /* by step; the first is the earliest */
    uint32_t count;
    size_t capacity;
    gt_index steps; /* by commit */
    size_t size;
    uint64_t used; /* when, in turns */
};

typedef struct gt_replays {
    gt_item_replay *of[GT_REPLAYS_MAX];
    uint32_t count;
    uint64_t turn;
    size_t size;
} gt_replays;

/* ---- one ---- */

static uint64_t hash_of(uint32_t commit) { return (uint64_t)commit * UINT64_C(0x9e3779b97f4a7c15); }

uint32_t gt_item_replay_find(const gt_item_replay *kept, uint32_t commit) {
    gt_index_cursor cursor;
    for (uint32_t step = gt_index_first(&kept->steps, hash_of(commit), &cursor); step != GT_INDEX_NONE;
         step = gt_index_next(&kept->steps, &cursor)) {
        if (kept->commits[step] == commit) return step;
    }
    return GT_NONE;
}

uint32_t gt_item_replay_count(const gt_item_replay *kept) { return kept->count; }

uint32_t gt_item_replay_first(const gt_item_replay *kept) { return kept->commits[0]; }

static void free_one(const gt_alloc *alloc, gt_item_replay *one) {
    if (one == NULL) return;
    gt_kept_free(one->kept);
    gt_index_free(&one->steps);
    gt_free(alloc, one->commits);
    gt_free(alloc, one);
}

/* NULL when there is no memory. */
static gt_item_replay *new_one(gt_repo *repo, uint32_t item, const gt_walk *walk) {
    gt_item_replay *one = gt_new(repo->alloc, 1, sizeof(*one));
    if (one == NULL) return NULL;
    *one = (gt_item_replay){.item = item, .reader = walk->reader};
    gt_index_init(&one->steps, repo->alloc);
    one->kept = gt_kept_new(repo->alloc, walk->reader, walk->base);
    if (one->kept != NULL) return one;
    free_one(repo->alloc, one);
    return NULL;
}

/* Takes the commits of a walk in and appends the state. After a failure it is good for nothing. */
static goat_status go_on(gt_repo *repo, gt_item_replay *one, const gt_walk *walk, const gt_step *steps, gt_buf *state,
                         gt_diag *diag) {
    for (uint32_t i = walk->count; i-- > 0;) { /* latest first */
        uint32_t commit = walk->commits[i];
        if (!gt_reserve(repo->alloc, (void **)(void *)&one->commits, one->count, &one->capacity,
                        sizeof(*one->commits)) ||
            !gt_index_insert(&one->steps, hash_of(commit), one->count)) {
            return gt_no_memory(diag);
        }
        one->commits[one->count++] = commit;
    }
    goat_status status = gt_kept_append(one->kept, steps, walk->count, diag);
    if (status == GOAT_OK) status = gt_kept_write(one->kept, state, &repo->work, diag);
    return status;
}

static size_t size_of(const gt_item_replay *one) {
    return sizeof(*one) + gt_kept_size(one->kept) + one->capacity * sizeof(*one->commits) +
           one->steps.capacity * sizeof(*one->steps.slots);
}

/* ---- all ---- */

static gt_item_replay *find(const gt_repo *repo, uint32_t item) {
    const gt_replays *all = repo->replays;
    for (uint32_t i = 0; all != NULL && i < all->count; i++) {
        if (all->of[i]->item == item) return all->of[i];
    }
    return NULL;
}

uint32_t gt_replays_count(const gt_repo *repo, size_t *bytes) {
    *bytes = repo->replays == NULL ? 0 : repo->replays->size;
    return repo->replays == NULL ? 0 : repo->replays->count;
}

static void drop(gt_repo *repo, uint32_t at) {
    gt_replays *all = repo->replays;
    all->size -= all->of[at]->size;
    free_one(repo->alloc, all->of[at]);
    all->of[at] = all->of[--all->count];
}

void gt_replays_forget(gt_repo *repo, uint32_t item) {
    const gt_replays *all = repo->replays;
    for (uint32_t i = 0; all != NULL && i < all->count; i++) {
        if (all->of[i]->item != item) continue;
        drop(repo, i);
        return;
    }
}

void gt_replays_free(gt_repo *repo) {
    while (repo->replays != NULL && repo->replays->count > 0) drop(repo, 0);
    gt_free(repo->alloc, repo->replays);
    repo->replays = NULL;
}

static void drop_oldest(gt_repo *repo) {
    const gt_replays *all = repo->replays;
    uint32_t oldest = 0;
    for (uint32_t i = 1; i < all->count; i++) {
        if (all->of[i]->used < all->of[oldest]->used) oldest = i;
    }
    drop(repo, oldest);
}

static void count_size(gt_repo *repo, gt_item_replay *one) {
    gt_replays *all = repo->replays;
    all->size -= one->size;
    one->size = size_of(one);
    all->size += one->size;
    one->used = ++all->turn;
    while (all->size > GT_REPLAYS_BYTES_MAX) drop_oldest(repo);
}

static void keep(gt_repo *repo, gt_item_replay *one) {
    gt_replays_forget(repo, one->item);
    if (repo->replays == NULL) repo->replays = gt_new(repo->alloc, 1, sizeof(*repo->replays));
    if (repo->replays == NULL) {
        free_one(repo->alloc, one);
        return;
    }
    if (repo->replays->count == GT_REPLAYS_MAX) drop_oldest(repo);
    repo->replays->of[repo->replays->count++] = one;
    count_size(repo, one);
}

/* ---- views ---- */

static goat_status replay(gt_repo *repo, uint32_t item, gt_item_replay *kept, const gt_walk *walk, gt_buf *state,
                          gt_diag *diag) {
    gt_arena arena;
    gt_step *steps = NULL;
    gt_arena_init(&arena, repo->alloc);
    goat_status status = gt_walk_steps(walk, &arena, &steps, diag);
    bool goes_on = walk->meets_kept, is_long = walk->forks && walk->count >= repo->replay_steps_min;
    gt_item_replay *one = goes_on ? kept : NULL;
    if (status == GOAT_OK && is_long && !goes_on) one = new_one(repo, item, walk);
    if (status == GOAT_OK && one == NULL) {
        status = gt_merge_replay(repo->alloc, walk->reader, walk->base, steps, walk->count, state, &repo->work, diag);
    } else if (status == GOAT_OK) {
        status = go_on(repo, one, walk, steps, state, diag);
        if (status == GOAT_OK && goes_on) count_size(repo, one);
        if (status == GOAT_OK && !goes_on) keep(repo, one);
        if (status != GOAT_OK && goes_on) gt_replays_forget(repo, item);
        if (status != GOAT_OK && !goes_on) free_one(repo->alloc, one);
    }
    gt_arena_free(&arena);
    return status;
}

goat_status gt_view_present(gt_repo *repo, uint32_t item, const uint32_t *heads, uint32_t head_count, gt_buf *state,
                            gt_diag *diag) {
    const gt_schema *reader = gt_item_reader(repo, gt_item_at(repo, item));
    gt_item_replay *kept = find(repo, item);
    if (reader == NULL || head_count == 0) return gt_view_compute(repo, item, reader, heads, head_count, state, diag);
    if (kept != NULL && kept->reader != reader) kept = NULL;
    gt_walk walk;
    goat_status status = gt_walk_to_kept(&walk, repo, item, reader, heads, head_count, kept, diag);
    if (status == GOAT_OK) status = replay(repo, item, kept, &walk, state, diag);
    gt_walk_free(&walk);
    return status;
}
