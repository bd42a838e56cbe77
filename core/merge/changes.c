#include "merge/changes.h"

#include "base/assert.h"

#include <string.h>

bool gt_changes_init(gt_changes *changes, const gt_alloc *alloc, uint64_t base_count) {
    enum { AT_FIRST = 16 };
    *changes = (gt_changes){.alloc = alloc, .count = 1, .capacity = AT_FIRST};
    changes->list = gt_new(alloc, AT_FIRST, sizeof(*changes->list));
    if (changes->list == NULL) return false;
    changes->list[0].kept = base_count;
    return true;
}

void gt_changes_free(gt_changes *changes) {
    gt_free(changes->alloc, changes->list);
    changes->list = NULL;
}

/* A splice adds two at most: one where it removes the middle of what is kept, one where it inserts there. */
bool gt_changes_reserve(gt_changes *changes) {
    if (changes->count + 2 <= changes->capacity) return true;
    gt_change *list = gt_resize(changes->alloc, changes->list, 2 * changes->capacity, sizeof(*list));
    if (list == NULL) return false;
    changes->list = list;
    changes->capacity *= 2;
    return true;
}

static uint64_t len_of(const gt_change *change) { return change->kept + change->inserted; }

/* Goes to the first change that ends at or behind `position`, or, with `behind`, to the first that ends behind it. */
static gt_change *go_to(gt_changes *changes, uint64_t position, bool behind) {
    size_t at = changes->near;
    uint64_t begin = changes->near_begin;
    while (at > 0 && begin >= position) begin -= len_of(&changes->list[--at]);
    while (at + 1 < changes->count && begin + len_of(&changes->list[at]) + !behind <= position) {
        begin += len_of(&changes->list[at++]);
    }
    changes->near = at;
    changes->near_begin = begin;
    return &changes->list[at];
}

/* Puts a change before the one that was gone to, which keeps that much less. */
static void cut(gt_changes *changes, gt_change change) {
    gt_change *at = &changes->list[changes->near];
    GOAT_ASSERT(changes->count < changes->capacity && change.kept <= at->kept);
    at->kept -= change.kept;
    memmove(at + 1, at, (changes->count - changes->near) * sizeof(*at));
    changes->count++;
    *at = change;
}

static void drop(gt_changes *changes, size_t at) {
    gt_change *list = changes->list;
    memmove(&list[at], &list[at + 1], (changes->count - at - 1) * sizeof(*list));
    changes->count--;
}

/* The change at hand and the one before it have nothing between them any more: they are one. */
static void join_before(gt_changes *changes) {
    gt_change *at = &changes->list[changes->near], *before = at - 1;
    before->inserted += at->inserted;
    before->removed += at->removed;
    changes->near--;
    changes->near_begin -= len_of(before) - at->inserted;
    drop(changes, changes->near + 1);
}

/* The change at hand does nothing any more: what it keeps is before the next. */
static void join_next(gt_changes *changes) {
    gt_change *at = &changes->list[changes->near];
    at[1].kept += at->kept;
    drop(changes, changes->near);
}

/* Removes what of `count` elements from `position` on lies in one change; gives how many. */
static uint64_t remove_some(gt_changes *changes, uint64_t position, uint64_t count) {
    gt_change *at = go_to(changes, position, true);
    uint64_t within = position - changes->near_begin, left;
    if (within >= at->kept) { /* some that were inserted */
        left = len_of(at) - within;
        if (left > count) left = count;
        at->inserted -= left;
        if (at->inserted == 0 && at->removed == 0) join_next(changes);
        return left;
    }
    left = at->kept - within;
    if (left > count) left = count;
    bool is_last = changes->near + 1 == changes->count;
    if (within == 0 && changes->near > 0) { /* directly behind the change before */
        at->kept -= left;
        at[-1].removed += left;
        if (at->kept == 0 && !is_last) join_before(changes);
    } else if (within + left == at->kept && !is_last) { /* directly before what this one changes */
        at->kept -= left;
        at->removed += left;
    } else {
        cut(changes, (gt_change){.kept = within, .removed = left});
        at[1].kept -= left;
    }
    return left;
}

void gt_changes_splice(gt_changes *changes, uint64_t position, uint64_t removed, uint64_t inserted) {
    while (removed > 0) removed -= remove_some(changes, position, removed);
    if (inserted == 0) return;
    gt_change *at = go_to(changes, position, false);
    uint64_t within = position - changes->near_begin;
    if (within >= at->kept && changes->near + 1 < changes->count) {
        at->inserted += inserted;
    } else {
        cut(changes, (gt_change){.kept = within, .inserted = inserted});
    }
}
