/* An arrangement as an edit: which elements stay where they are, and what is said of the others. */
#include "merge/arrangement.h"

#include "value/sort.h"

/* The pieces that are of the base, in the order of the base. */
typedef struct ranked {
    uint64_t first;
    size_t piece;
} ranked;

typedef struct ranks {
    ranked *list;
    size_t count;
    uint8_t *stays; /* by piece */
} ranks;

static bool ranked_is_before(const void *a, const void *b) {
    return ((const ranked *)a)->first < ((const ranked *)b)->first;
}

/* ---- what stays ---- */

/* The best way to a piece among those of lower ranks that stand before it: how much it keeps, and the last of it. */
typedef struct way {
    uint64_t weight;
    size_t last; /* piece + 1 */
} way;

/* Marks the heaviest row of pieces that stand in the same order before and after; a Fenwick tree over the ranks knows the
 * best way to any of the lower ones. What its author did not move weighs more than all that he moved together. */
static bool find_heaviest(const gt_arrangement *a, ranks *r, gt_arena *arena) {
    way *tree = gt_arena_new(arena, r->count + 1, sizeof(*tree)), best = {0};
    size_t *before = gt_arena_new(arena, a->count, sizeof(*before)),
           *rank = gt_arena_new(arena, a->count, sizeof(*rank));
    if (tree == NULL || before == NULL || rank == NULL) return false;
    for (size_t i = 0; i < r->count; i++) rank[r->list[i].piece] = i + 1;
    for (size_t i = 0; i < a->count; i++) {
        const gt_piece *piece = &a->pieces[i];
        if (rank[i] == 0) continue;
        way own = {0};
        for (size_t at = rank[i] - 1; at > 0; at -= at & (0 - at)) {
            if (tree[at].weight > own.weight) own = tree[at];
        }
        before[i] = own.last;
        own.weight += piece->count * (piece->moved ? 1 : a->base_count + 1);
        own.last = i + 1;
        if (own.weight > best.weight) best = own;
        for (size_t at = rank[i]; at <= r->count; at += at & (0 - at)) {
            if (own.weight > tree[at].weight) tree[at] = own;
        }
    }
    for (size_t at = best.last; at != 0; at = before[at - 1]) r->stays[at - 1] = 1;
    return true;
}

static bool rank_pieces(const gt_arrangement *a, ranks *r, gt_arena *arena) {
    bool any_moved = false;
    r->list = gt_arena_new(arena, a->count, sizeof(*r->list));
    r->stays = gt_arena_new(arena, a->count, 1);
    if (r->list == NULL || r->stays == NULL) return false;
    for (size_t i = 0; i < a->count; i++) {
        const gt_piece *piece = &a->pieces[i];
        any_moved |= piece->moved;
        r->stays[i] = piece->first != GT_PIECE_NEW;
        if (r->stays[i]) r->list[r->count++] = (ranked){piece->first, i};
    }
    if (!any_moved) return true;
    memset(r->stays, 0, a->count);
    gt_sort(r->list, r->count, sizeof(*r->list), ranked_is_before);
    return find_heaviest(a, r, arena);
}

/* ---- what is said ---- */

/* Elements of the base from `from` to `to`, none of which stays: those that are moved are kept here, the others removed.
 * `*next` goes along the pieces in the order of the base. */
static void leave(const gt_arrangement *a, const ranks *r, size_t *next, uint64_t from, uint64_t to,
                  gt_run_writer *writer) {
    for (; *next < r->count && r->list[*next].first < to; ++*next) {
        const gt_piece *piece = &a->pieces[r->list[*next].piece];
        if (piece->first < from) continue;
        gt_run_remove(writer, piece->first - from);
        gt_run_keep(writer, piece->count);
        from = piece->first + piece->count;
    }
    gt_run_remove(writer, to - from);
}

static void write(const gt_arrangement *a, const ranks *r, gt_run_writer *writer) {
    uint64_t at = 0; /* in the base */
    size_t next = 0;
    for (size_t i = 0; i < a->count; i++) {
        const gt_piece *piece = &a->pieces[i];
        if (piece->first == GT_PIECE_NEW) {
            gt_run_insert_values(writer, piece->values, piece->count);
        } else if (!r->stays[i]) {
            for (uint64_t n = 0; n < piece->count; n++) gt_run_move(writer, piece->first + n, piece->values);
        } else {
            leave(a, r, &next, at, piece->first, writer);
            if (piece->values.data != NULL) {
                gt_run_set(writer, piece->values);
            } else {
                gt_run_keep(writer, piece->count);
            }
            at = piece->first + piece->count;
        }
    }
    leave(a, r, &next, at, a->base_count, writer);
}

void gt_arrangement_write(gt_arrangement *a, gt_buf *edit) {
    gt_arena arena;
    ranks r = {0};
    gt_run_writer writer;
    gt_arena_init(&arena, a->alloc);
    gt_run_writer_init(&writer, edit->alloc);
    if (a->failed || !rank_pieces(a, &r, &arena)) {
        writer.runs.failed = true;
    } else {
        write(a, &r, &writer);
    }
    gt_run_writer_end(&writer, edit);
    gt_arena_free(&arena);
}
