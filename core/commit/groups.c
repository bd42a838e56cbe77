/* Reading the groups. Numbering every leaf takes two bytes for each and makes the rule that groups share
 * no leaf one look per leaf, whatever order their runs come in. */
#include "commit/groups.h"

#include "base/assert.h"

/* One more than the number of a group fits, because a group has two leaves or more. */
_Static_assert(GOAT_BATCH_MAX / 2 < UINT16_MAX, "leaf_groups has 16 bits");

typedef struct group_reader {
    gt_reader *reader;
    gt_batch *batch;
    uint16_t mark;       /* of the group that is read */
    uint64_t first, end; /* of its first run, and of its last */
    uint32_t leaf_count; /* in it so far */
} group_reader;

static bool read_run(group_reader *g) {
    const uint8_t *at = g->reader->next;
    uint64_t first, count;
    if (!gt_read_of(g->reader, GT_CBOR_UINT, &first, "a group does not consist of numbers") ||
        !gt_read_of(g->reader, GT_CBOR_UINT, &count, "a group does not consist of numbers")) {
        return false;
    }
    if (count == 0 || first >= g->batch->size || count > g->batch->size - first) {
        return gt_refuse(g->reader, at, "a group names leaves that are not there");
    }
    if (g->leaf_count > 0 && first <= g->end) {
        return gt_refuse(g->reader, at, "the runs of a group are not ascending or touch each other");
    }
    for (uint64_t leaf = first; leaf < first + count; leaf++) {
        if (g->batch->leaf_groups[leaf] != 0) {
            return gt_refuse(g->reader, at, "two groups share a leaf");
        }
        g->batch->leaf_groups[leaf] = g->mark;
    }
    g->first = g->leaf_count == 0 ? first : g->first;
    g->end = first + count;
    g->leaf_count += (uint32_t)count;
    return true;
}

static bool read_group(group_reader *g) {
    const uint8_t *at = g->reader->next;
    uint64_t numbers, before = g->first;
    if (!gt_read_of(g->reader, GT_CBOR_ARRAY, &numbers, "a group is not an array")) {
        return false;
    }
    if (numbers % 2 != 0) {
        return gt_refuse(g->reader, at, "a group is not pairs of numbers");
    }
    g->leaf_count = 0;
    for (uint64_t i = 0; i < numbers; i += 2) {
        if (!read_run(g)) {
            return false;
        }
    }
    if (g->leaf_count < 2) {
        return gt_refuse(g->reader, at, "a group of fewer than two leaves");
    }
    if (g->mark > 1 && g->first < before) {
        return gt_refuse(g->reader, at, "groups are not ordered by their first leaf");
    }
    return true;
}

bool gt_groups_number(gt_reader *reader, gt_arena *arena, gt_batch *batch) {
    gt_reader inner = *reader;
    uint64_t count;
    inner.next = batch->groups.data;
    inner.end = gt_bytes_end(batch->groups);
    group_reader g = {.reader = &inner, .batch = batch};
    bool good = gt_read_of(&inner, GT_CBOR_ARRAY, &count, "groups are not an array");
    if (good && count > batch->size / 2) {
        good = gt_refuse(&inner, batch->groups.data, "more groups than leaves for them");
    }
    if (good && count > 0) {
        batch->leaf_groups = gt_arena_new(arena, batch->size, sizeof *batch->leaf_groups);
        if (batch->leaf_groups == NULL) {
            reader->status = gt_no_memory(reader->diag);
            return false;
        }
    }
    for (uint64_t i = 0; good && i < count; i++) {
        g.mark = (uint16_t)(i + 1);
        good = read_group(&g);
    }
    reader->status = inner.status;
    return good;
}

/* The groups have been read once, so reading does not fail. */
bool gt_groups_torn(const gt_batch *batch, const uint8_t *kinds) {
    gt_reader reader = {.begin = batch->groups.data,
                        .next = batch->groups.data,
                        .end = gt_bytes_end(batch->groups),
                        .what = "a batch"};
    uint64_t groups, numbers, first, count;
    bool good = gt_read_of(&reader, GT_CBOR_ARRAY, &groups, "");
    for (uint64_t group = 0; good && group < groups; group++) {
        bool there = false, unasked = false;
        good = gt_read_of(&reader, GT_CBOR_ARRAY, &numbers, "");
        for (uint64_t i = 0; good && i < numbers; i += 2) {
            good = gt_read_of(&reader, GT_CBOR_UINT, &first, "") && gt_read_of(&reader, GT_CBOR_UINT, &count, "");
            for (uint64_t leaf = first; good && leaf < first + count; leaf++) {
                there = there || kinds[leaf] == GT_NODE_LEAF;
                unasked = unasked || kinds[leaf] == GT_NODE_UNASKED;
            }
        }
        if (there && unasked) {
            return true;
        }
    }
    GOAT_ASSERT(good);
    return false;
}

uint32_t gt_batch_group_of(const gt_batch *batch, uint32_t leaf) {
    if (batch->leaf_groups == NULL || leaf >= batch->size || batch->leaf_groups[leaf] == 0) {
        return UINT32_MAX;
    }
    return batch->leaf_groups[leaf] - 1u;
}
