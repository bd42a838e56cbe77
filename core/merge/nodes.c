#include "merge/nodes.h"

bool gt_nodes_init(gt_nodes *nodes, gt_replay *replay) {
    enum { FAMILIES = 16 };
    *nodes = (gt_nodes){.replay = replay, .places = FAMILIES};
    nodes->families = gt_arena_new(&replay->arena, FAMILIES, sizeof(*nodes->families));
    return nodes->families != NULL;
}

gt_family *gt_nodes_family(const gt_nodes *nodes, gt_element parent, bool left) {
    uint64_t mixed = ((uint64_t)parent.step << 32 | parent.index) * UINT64_C(0x9e3779b97f4a7c15) + left;
    for (uint32_t at = (uint32_t)(mixed >> 32);; at++) {
        gt_family *found = &nodes->families[at & (nodes->places - 1)];
        if (found->first == NULL || (gt_element_is(found->parent, parent) && found->left == left)) return found;
    }
}

static bool grow(gt_nodes *nodes) {
    gt_nodes more = {.replay = nodes->replay, .count = nodes->count, .places = 2 * nodes->places};
    more.families = gt_arena_new(&nodes->replay->arena, more.places, sizeof(*more.families));
    if (more.families == NULL) return false;
    for (uint32_t i = 0; i < nodes->places; i++) {
        const gt_family *one = &nodes->families[i];
        if (one->first != NULL) *gt_nodes_family(&more, one->parent, one->left) = *one;
    }
    *nodes = more;
    return true;
}

bool gt_nodes_reserve(gt_nodes *nodes) { return 2 * nodes->count < nodes->places || grow(nodes); }

static bool id_is_less(const gt_nodes *nodes, gt_element a, gt_element b) {
    if (a.step == b.step) return a.index < b.index;
    const gt_step *steps = nodes->replay->steps;
    return memcmp(steps[a.step].id, steps[b.step].id, GT_HASH_SIZE) < 0;
}

gt_node **gt_nodes_link(const gt_nodes *nodes, gt_family *family, gt_element first) {
    gt_node **link = &family->first;
    while (*link != NULL && id_is_less(nodes, (*link)->first, first)) link = &(*link)->next;
    return link;
}

const gt_node *gt_node_last(const gt_node *sibling) {
    while (sibling != NULL && sibling->next != NULL) sibling = sibling->next;
    return sibling;
}

static const gt_node *children(const gt_nodes *nodes, gt_element parent, bool left) {
    return gt_nodes_family(nodes, parent, left)->first;
}

gt_element gt_node_leftmost(const gt_nodes *nodes, const gt_node *at) {
    for (const gt_node *child; (child = children(nodes, at->first, true)) != NULL;) at = child;
    return at->first;
}

gt_element gt_node_rightmost(const gt_nodes *nodes, const gt_node *at) {
    gt_element last = {at->first.step, at->first.index + at->length - 1};
    for (const gt_node *child; (child = gt_node_last(children(nodes, last, false))) != NULL;) {
        last = (gt_element){child->first.step, child->first.index + child->length - 1};
    }
    return last;
}
