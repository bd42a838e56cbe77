#include "merge/list_diff.h"

#include "merge/arrangement.h"
#include "merge/tokens.h"

static bool cut(gt_arena *arena, gt_bytes list, gt_tokens *out) {
    gt_iter iter = gt_array_iter(list);
    if (!gt_tokens_init(out, arena, iter.left)) return false;
    while (gt_array_next(&iter, &out->pieces[out->count])) out->count++;
    return true;
}

/* Elements that are gone from their places, by number, the first of each on top: a list in an array. */
typedef struct gone {
    uint32_t *first, *next; /* index + 1 */
} gone;

static bool find_gone(gt_arena *arena, const gt_tokens *before, gone *g) {
    g->first = gt_arena_new(arena, (size_t)before->count + 1, sizeof(*g->first));
    g->next = gt_arena_new(arena, (size_t)before->count + 1, sizeof(*g->next));
    if (g->first == NULL || g->next == NULL) return false;
    for (uint32_t i = before->count; i-- > 0;) {
        if (!before->marks[i]) continue;
        g->next[i] = g->first[before->numbers[i]];
        g->first[before->numbers[i]] = i + 1;
    }
    return true;
}

static gt_piece piece_of(const gt_tokens *before, const gt_tokens *after, gone *g, uint32_t at) {
    uint32_t number = after->numbers[at], from = number < before->count ? g->first[number] : 0;
    if (from == 0) return (gt_piece){.first = GT_PIECE_NEW, .count = 1, .values = after->pieces[at]};
    g->first[number] = g->next[from - 1];
    return (gt_piece){.first = from - 1, .count = 1, .moved = true};
}

static void arrange(gt_arrangement *a, const gt_tokens *before, const gt_tokens *after, gone *g) {
    uint32_t i = 0;
    for (uint32_t j = 0; j < after->count; j++) {
        gt_piece piece;
        if (after->marks[j]) {
            piece = piece_of(before, after, g, j);
        } else {
            while (before->marks[i]) i++;
            piece = (gt_piece){.first = i++, .count = 1};
        }
        gt_arrangement_add(a, &piece);
    }
}

void gt_list_diff(gt_bytes before, gt_bytes after, gt_buf *edit) {
    gt_arena arena;
    gt_arrangement a;
    gt_tokens old, new;
    gone g;
    gt_arena_init(&arena, edit->alloc);
    gt_arrangement_init(&a, gt_value_count(before), edit->alloc);
    a.failed = !cut(&arena, before, &old) || !cut(&arena, after, &new) || !gt_tokens_compare(&old, &new, edit->alloc) ||
               !find_gone(&arena, &old, &g);
    if (!a.failed) arrange(&a, &old, &new, &g);
    gt_arrangement_write(&a, edit);
    gt_arrangement_free(&a);
    gt_arena_free(&arena);
}
