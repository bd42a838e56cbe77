#include "merge/overlap.h"

typedef struct pair {
    const gt_contents *contents;
    const gt_node *node, *earlier;
    uint64_t *looked_at;
} pair;

static gt_element element_of(const gt_node *node, uint32_t at) {
    return (gt_element){node->first.step, node->first.index + at};
}

static bool same(const pair *p, const gt_node *a, uint32_t at, const gt_node *b, uint32_t b_at) {
    ++*p->looked_at;
    return p->contents->same(p->contents->context, element_of(a, at), element_of(b, b_at));
}

static bool is_of_word(const pair *p, const gt_node *node, uint32_t at) {
    ++*p->looked_at;
    return p->contents->is_of_word(p->contents->context, element_of(node, at));
}

/* Whether a word goes on over the place before element `at`. */
static bool splits_word(const pair *p, const gt_node *node, uint32_t at) {
    return at > 0 && at < node->length && is_of_word(p, node, at - 1) && is_of_word(p, node, at);
}

static bool has_whole_words(const pair *p, gt_common part) {
    return p->contents->is_of_word == NULL ||
           (!splits_word(p, p->node, part.at) && !splits_word(p, p->node, part.at + part.count) &&
            !splits_word(p, p->earlier, part.earlier_at) && !splits_word(p, p->earlier, part.earlier_at + part.count));
}

/* The longest with whole words was found; where that has no word, no shorter one has. */
static gt_common if_words(const pair *p, gt_common part) {
    bool is_good = p->contents->is_of_word == NULL || part.count == p->node->length;
    for (uint32_t i = 0; !is_good && i < part.count; i++) is_good = is_of_word(p, p->node, part.at + i);
    return is_good ? part : (gt_common){0};
}

static gt_common beginning(const pair *p) {
    gt_common part = {0};
    uint32_t most = p->node->length < p->earlier->length ? p->node->length : p->earlier->length;
    while (part.count < most && same(p, p->node, part.count, p->earlier, part.count)) part.count++;
    while (part.count > 0 && !has_whole_words(p, part)) part.count--;
    return if_words(p, part);
}

static gt_common end(const pair *p, uint32_t used) {
    uint32_t length = p->node->length, earlier = p->earlier->length, count = 0;
    uint32_t most = (length < earlier ? length : earlier) - used;
    while (count < most && same(p, p->node, length - count - 1, p->earlier, earlier - count - 1)) count++;
    while (count > 0 && !has_whole_words(p, (gt_common){length - count, earlier - count, count})) count--;
    return if_words(p, (gt_common){length - count, earlier - count, count});
}

/* The longest beginning of `a` that is an end of `b` and splits no word (Knuth, Morris and Pratt 1977). */
static gt_common chain(const pair *p, const gt_node *a, const gt_node *b) {
    uint16_t border[GT_OVERLAP_MAX + 1]; /* of a beginning: the longest shorter one that it ends with */
    uint32_t most = a->length < b->length ? a->length : b->length, matched = 0;
    if (most > GT_OVERLAP_MAX) most = GT_OVERLAP_MAX;
    border[0] = border[1] = 0;
    for (uint32_t i = 1, k = 0; i < most; i++) {
        while (k > 0 && !same(p, a, i, a, k)) k = border[k];
        if (same(p, a, i, a, k)) k++;
        border[i + 1] = (uint16_t)k;
    }
    for (uint32_t i = b->length - most; i < b->length; i++) {
        while (matched > 0 && !same(p, b, i, a, matched)) matched = border[matched];
        if (same(p, b, i, a, matched)) matched++;
    }
    for (; matched > 0; matched = border[matched]) {
        gt_common part = {0, b->length - matched, matched};
        if (a == p->earlier) part = (gt_common){b->length - matched, 0, matched};
        if (has_whole_words(p, part)) return if_words(p, part);
    }
    return (gt_common){0};
}

static gt_overlap find(const pair *p) {
    gt_overlap found = {{beginning(p)}};
    found.parts[1] = end(p, found.parts[0].count);
    if (found.parts[0].count > 0 || found.parts[1].count > 0) return found;
    found.parts[0] = chain(p, p->node, p->earlier);
    if (found.parts[0].count == 0) found.parts[0] = chain(p, p->earlier, p->node);
    return found;
}

gt_overlap gt_overlap_of(const gt_contents *contents, const gt_node *node, const gt_node *earlier, uint64_t *work) {
    uint64_t looked_at = 0;
    gt_overlap found = find(&(pair){contents, node, earlier, &looked_at});
    *work += looked_at / 16;
    return found;
}

/* ---- what is known ---- */

struct gt_known_overlap {
    uint32_t earlier; /* its number */
    gt_overlap overlap;
};

/* Where it is, or belongs. */
static uint32_t place_of(const gt_overlaps *overlaps, uint32_t earlier) {
    uint32_t low = 0, high = overlaps->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (overlaps->list[middle].earlier < earlier) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool make_room(gt_overlaps *overlaps, gt_arena *arena) {
    if (overlaps->count == GT_OVERLAPS_MAX) overlaps->count = 0;
    if (overlaps->count < overlaps->room) return true;
    uint32_t room = overlaps->room == 0 ? 4 : 2 * overlaps->room;
    struct gt_known_overlap *more = gt_arena_new(arena, room, sizeof(*more));
    if (more == NULL) return false;
    if (overlaps->count > 0) memcpy(more, overlaps->list, overlaps->count * sizeof(*more));
    overlaps->list = more;
    overlaps->room = room;
    return true;
}

bool gt_overlaps_find(gt_overlaps *overlaps, gt_arena *arena, const gt_contents *contents, const gt_node *node,
                      const gt_node *earlier, uint64_t *work, gt_overlap *found) {
    uint32_t at = place_of(overlaps, earlier->number);
    if (at < overlaps->count && overlaps->list[at].earlier == earlier->number) {
        *found = overlaps->list[at].overlap;
        return true;
    }
    *found = gt_overlap_of(contents, node, earlier, work);
    if (node->length < GT_OVERLAP_KNOWN_MIN || earlier->length < GT_OVERLAP_KNOWN_MIN) return true;
    if (!make_room(overlaps, arena)) return false;
    at = place_of(overlaps, earlier->number);
    struct gt_known_overlap *known = &overlaps->list[at];
    memmove(known + 1, known, (overlaps->count - at) * sizeof(*known));
    *known = (struct gt_known_overlap){earlier->number, *found};
    overlaps->count++;
    return true;
}
