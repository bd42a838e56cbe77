#include "merge/tokens.h"

#include "base/index.h"
#include "merge/myers.h"

bool gt_tokens_init(gt_tokens *tokens, gt_arena *arena, size_t count) {
    *tokens = (gt_tokens){0};
    if (count >= UINT32_MAX / 2) return false;
    tokens->pieces = gt_arena_new(arena, count + 1, sizeof(*tokens->pieces));
    tokens->numbers = gt_arena_new(arena, count + 1, sizeof(*tokens->numbers));
    tokens->marks = gt_arena_new(arena, count + 1, 1);
    return tokens->pieces != NULL && tokens->numbers != NULL && tokens->marks != NULL;
}

static uint64_t hash_of(gt_bytes piece) { /* FNV-1a; a collision only costs time */
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < piece.len; i++) hash = (hash ^ piece.data[i]) * UINT64_C(1099511628211);
    return hash;
}

static bool number(gt_index *index, const gt_tokens *first, gt_tokens *own, uint32_t base) {
    for (uint32_t i = 0; i < own->count; i++) {
        gt_index_cursor cursor;
        uint64_t hash = hash_of(own->pieces[i]);
        uint32_t found = gt_index_first(index, hash, &cursor);
        while (
            found != GT_INDEX_NONE &&
            !gt_bytes_equal(found < first->count ? first->pieces[found] : own->pieces[found - base], own->pieces[i])) {
            found = gt_index_next(index, &cursor);
        }
        own->numbers[i] = found != GT_INDEX_NONE ? found : base + i;
        if (found == GT_INDEX_NONE && !gt_index_insert(index, hash, base + i)) return false;
    }
    return true;
}

bool gt_tokens_compare(gt_tokens *before, gt_tokens *after, const gt_alloc *alloc) {
    gt_index index;
    gt_index_init(&index, alloc);
    bool done = number(&index, before, before, 0) && number(&index, before, after, before->count) &&
                gt_myers(alloc, before->numbers, before->count, after->numbers, after->count, GT_DIFF_EDITS_MAX,
                         before->marks, after->marks);
    gt_index_free(&index);
    return done;
}
