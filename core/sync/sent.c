/* Rows of the index are item numbers that go on when items leave in front; compacting numbers them anew. */
#include "sync/sent.h"

#include "base/assert.h"
#include "log/log.h"

enum { COMPACT_MIN = 64 };

#define ROW_MAX (UINT32_MAX / 2) /* a fresh numbering is due long before this */

/* Ids are hashes already. Whoever makes batches whose ids collide here slows down acknowledgements of these, no more. */
static uint64_t hash_of(const gt_id *batch) { return gt_get_u64(batch->bytes); }

static gt_sent *item(const gt_sent_list *list, size_t at) { return gt_queue_at(&list->items, at); }

void gt_sent_init(gt_sent_list *list, const gt_alloc *alloc) {
    *list = (gt_sent_list){0};
    gt_queue_init(&list->items, alloc, sizeof(gt_sent));
    gt_index_init(&list->index, alloc);
}

void gt_sent_free(gt_sent_list *list) {
    const gt_alloc *alloc = list->items.alloc;
    gt_queue_free(&list->items);
    gt_index_free(&list->index);
    gt_sent_init(list, alloc);
}

bool gt_sent_add(gt_sent_list *list, const gt_id *batch, uint64_t start, uint32_t run) {
    gt_sent sent = {.batch = *batch, .start = start, .run = run};
    uint32_t row = list->first + (uint32_t)list->items.count;
    if (row > ROW_MAX || !gt_index_insert(&list->index, hash_of(batch), row)) return false;
    if (!gt_queue_push(&list->items, &sent)) {
        gt_index_remove(&list->index, hash_of(batch), row);
        return false;
    }
    list->count++;
    list->again += start == GT_LOG_HEADER_SIZE;
    return true;
}

/* ---- leaving ---- */

static void leave(gt_sent_list *list, size_t at) {
    gt_sent *sent = item(list, at);
    gt_index_remove(&list->index, hash_of(&sent->batch), list->first + (uint32_t)at);
    sent->gone = true;
    list->count--;
    list->again -= sent->start == GT_LOG_HEADER_SIZE;
}

/* Moves what is left together and numbers it from 0: in place, since no row grows. */
static void compact(gt_sent_list *list) {
    size_t kept = 0;
    for (size_t at = 0; at < list->items.count; at++) {
        const gt_sent sent = *item(list, at);
        if (sent.gone) continue;
        gt_index_remove(&list->index, hash_of(&sent.batch), list->first + (uint32_t)at);
        bool placed =
            gt_index_insert(&list->index, hash_of(&sent.batch), (uint32_t)kept); /* where one was just taken out */
        GOAT_ASSERT(placed);
        *item(list, kept++) = sent;
    }
    list->first = 0;
    gt_queue_cut(&list->items, kept);
}

static void tidy(gt_sent_list *list) {
    size_t front = 0;
    if (list->count == 0) {
        gt_sent_free(list);
        return;
    }
    while (item(list, front)->gone) front++;
    gt_queue_drop(&list->items, front);
    list->first += (uint32_t)front;
    bool sparse = list->items.count >= COMPACT_MIN && list->count < list->items.count / 2;
    if (sparse || list->first > ROW_MAX / 2) compact(list);
}

void gt_sent_acknowledge(gt_sent_list *list, const gt_id *batch) {
    gt_index_cursor cursor;
    uint32_t row = list->count == 0 ? GT_INDEX_NONE : gt_index_first(&list->index, hash_of(batch), &cursor);
    bool any = false;
    while (row != GT_INDEX_NONE) {
        size_t at = row - list->first;
        if (gt_id_compare(&item(list, at)->batch, batch) != 0) {
            row = gt_index_next(&list->index, &cursor);
            continue;
        }
        leave(list, at);
        any = true;
        row = gt_index_first(&list->index, hash_of(batch), &cursor); /* removing has moved the slots */
    }
    if (any) tidy(list);
}

bool gt_sent_forget(gt_sent_list *list, uint32_t run, bool (*stays)(const void *context, const gt_id *batch),
                    const void *context) {
    size_t before = list->count;
    for (size_t at = 0; at < list->items.count; at++) {
        const gt_sent *sent = item(list, at);
        if (!sent->gone && sent->run < run && (stays == NULL || !stays(context, &sent->batch))) leave(list, at);
    }
    if (list->count < before) tidy(list);
    return list->count < before;
}

uint64_t gt_sent_first(const gt_sent_list *list, uint64_t end) {
    if (list->count == 0) return end;
    uint64_t first = list->again > 0 ? GT_LOG_HEADER_SIZE : item(list, 0)->start;
    return first < end ? first : end;
}
