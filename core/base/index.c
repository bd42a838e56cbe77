/* A slot's place is `tag & (capacity - 1)`, so that growing and removing need neither rows nor hashes.
 * Removal shifts the run behind it back: there are no graves, and a lookup ends at the first free slot.
 *
 * Slots may come from a checkpoint that was damaged after its check. Every loop is therefore bounded by
 * the capacity, not by a count that the file claims; wrong slots cost wrong candidates, which the
 * caller's comparison refuses, never an endless loop. */
#include "base/index.h"

#include "base/assert.h"

static const uint32_t capacity_min = 16;
static const uint32_t capacity_max = UINT32_C(1) << 31;

/* A checkpoint holds slots as they lie in memory, as little-endian numbers. */
_Static_assert(sizeof(gt_index_slot) == 8, "slots are two 32-bit numbers without padding");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "checkpoints are mapped on little-endian machines");

static uint32_t tag_of(uint64_t hash) { return (uint32_t)(hash >> 32); }

void gt_index_init(gt_index *index, const gt_alloc *alloc) { *index = (gt_index){.alloc = alloc}; }

void gt_index_free(gt_index *index) {
    if (!index->adopted) {
        gt_free(index->alloc, index->slots);
    }
    gt_index_init(index, index->alloc);
}

void gt_index_adopt(gt_index *index, gt_index_slot *slots, uint32_t capacity, uint32_t count) {
    GOAT_ASSERT(index->slots == NULL);
    GOAT_ASSERT((capacity & (capacity - 1)) == 0);
    GOAT_ASSERT(capacity == 0 ? count == 0 : count < capacity);
    if (capacity == 0) {
        return;
    }
    index->slots = slots;
    index->capacity = capacity;
    index->count = count;
    index->adopted = true;
}

uint32_t gt_index_next(const gt_index *index, gt_index_cursor *cursor) {
    uint32_t mask = index->capacity - 1;
    while (cursor->left != 0) {
        gt_index_slot slot = index->slots[cursor->slot];
        if (slot.row == 0) {
            cursor->left = 0;
            break;
        }
        cursor->slot = (cursor->slot + 1) & mask;
        cursor->left--;
        if (slot.tag == cursor->tag) {
            return slot.row - 1;
        }
    }
    return GT_INDEX_NONE;
}

uint32_t gt_index_first(const gt_index *index, uint64_t hash, gt_index_cursor *cursor) {
    cursor->tag = tag_of(hash);
    cursor->slot = cursor->tag & (index->capacity - 1);
    cursor->left = index->capacity;
    return gt_index_next(index, cursor);
}

/* False when no slot is free. */
static bool place(gt_index_slot *slots, uint32_t capacity, gt_index_slot entry) {
    uint32_t mask = capacity - 1;
    uint32_t at = entry.tag & mask;
    for (uint32_t left = capacity; left != 0; left--) {
        if (slots[at].row == 0) {
            slots[at] = entry;
            return true;
        }
        at = (at + 1) & mask;
    }
    return false;
}

static uint32_t used_slots(const gt_index *index) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < index->capacity; i++) {
        used += index->slots[i].row != 0;
    }
    return used;
}

static bool exceeds_load(uint32_t count, uint32_t capacity) { return (uint64_t)count * 4 > (uint64_t)capacity * 3; }

/* Moves to memory of its own with room for one more at three quarters' load. */
static bool grow(gt_index *index) {
    uint32_t used = used_slots(index);
    uint32_t capacity = index->capacity < capacity_min ? capacity_min : index->capacity;
    while (exceeds_load(used + 1, capacity)) {
        if (capacity == capacity_max) {
            return false;
        }
        capacity *= 2;
    }
    gt_index_slot *slots = gt_new(index->alloc, capacity, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < index->capacity; i++) {
        if (index->slots[i].row != 0) {
            bool placed = place(slots, capacity, index->slots[i]);
            GOAT_ASSERT(placed);
        }
    }
    if (!index->adopted) {
        gt_free(index->alloc, index->slots);
    }
    index->slots = slots;
    index->capacity = capacity;
    index->count = used;
    index->adopted = false;
    return true;
}

bool gt_index_insert(gt_index *index, uint64_t hash, uint32_t row) {
    GOAT_ASSERT(row != GT_INDEX_NONE);
    gt_index_slot entry = {row + 1, tag_of(hash)};
    bool fits = !exceeds_load(index->count + 1, index->capacity);
    if (!fits || !place(index->slots, index->capacity, entry)) {
        if (!grow(index)) {
            return false;
        }
        bool placed = place(index->slots, index->capacity, entry);
        GOAT_ASSERT(placed);
    }
    index->count++;
    return true;
}

static uint32_t find(const gt_index *index, gt_index_slot entry) {
    uint32_t mask = index->capacity - 1;
    uint32_t at = entry.tag & mask;
    for (uint32_t left = index->capacity; left != 0 && index->slots[at].row != 0; left--) {
        if (index->slots[at].row == entry.row && index->slots[at].tag == entry.tag) {
            return at;
        }
        at = (at + 1) & mask;
    }
    return GT_INDEX_NONE;
}

void gt_index_remove(gt_index *index, uint64_t hash, uint32_t row) {
    gt_index_slot entry = {row + 1, tag_of(hash)};
    uint32_t hole = find(index, entry);
    GOAT_ASSERT(hole != GT_INDEX_NONE);

    uint32_t mask = index->capacity - 1;
    index->slots[hole] = (gt_index_slot){0, 0};
    for (uint32_t at = (hole + 1) & mask; index->slots[at].row != 0; at = (at + 1) & mask) {
        gt_index_slot slot = index->slots[at];
        uint32_t distance = (at - slot.tag) & mask; /* from where it would like to lie */
        if (distance >= ((at - hole) & mask)) {
            index->slots[hole] = slot;
            index->slots[at] = (gt_index_slot){0, 0};
            hole = at;
        }
    }
    index->count -= index->count != 0; /* a damaged checkpoint may claim fewer than there are */
}
