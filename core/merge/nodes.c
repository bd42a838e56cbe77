#include "merge/nodes.h"

bool gt_nodes_init(gt_nodes *nodes, gt_replay *replay, gt_arena *arena) {
    enum { FAMILIES = 16 };
    *nodes = (gt_nodes){.replay = replay, .arena = arena, .places = FAMILIES};
    nodes->families = gt_arena_new(arena, FAMILIES, sizeof(*nodes->families));
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
    gt_nodes more = *nodes;
    more.places *= 2;
    more.families = gt_arena_new(nodes->arena, more.places, sizeof(*more.families));
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
    nodes->replay->work++;
    if (a.step == b.step) return a.index < b.index;
    const gt_step *steps = nodes->replay->steps;
    return memcmp(steps[a.step].id, steps[b.step].id, GT_HASH_SIZE) < 0;
}

/* ---- siblings ---- */

/* Thousands may write at one place at once. Then they lie on shelves, each so many of them in their order, beside the list
 * that goes through them all: who comes next to whom is found by halving, shelves and then what lies on one. A full shelf
 * becomes two. */
enum { SHELVES_FROM = 16, SHELF_ROOM = 256 };

typedef struct shelf {
    uint32_t count;
    gt_node *nodes[SHELF_ROOM];
} shelf;

struct gt_shelves {
    shelf **list;
    uint32_t count, room;
};

/* How many of a shelf are less than an element; of shelves, how many begin with one that is. */
static uint32_t count_less(const gt_nodes *nodes, const gt_shelves *all, const shelf *one, gt_element first) {
    uint32_t low = 0, high = one != NULL ? one->count : all->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const gt_node *node = one != NULL ? one->nodes[middle] : all->list[middle]->nodes[0];
        if (id_is_less(nodes, node->first, first)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool add_shelf(const gt_nodes *nodes, gt_shelves *all, uint32_t at) {
    gt_arena *arena = nodes->arena;
    if (all->count == all->room) {
        uint32_t room = all->room == 0 ? 4 : 2 * all->room;
        shelf **list = gt_arena_new(arena, room, sizeof(*list));
        if (list == NULL) return false;
        if (all->count > 0) memcpy(list, all->list, all->count * sizeof(*list));
        all->list = list;
        all->room = room;
    }
    shelf *one = gt_arena_new(arena, 1, sizeof(*one));
    if (one == NULL) return false;
    memmove(all->list + at + 1, all->list + at, (all->count - at) * sizeof(*all->list));
    all->list[at] = one;
    all->count++;
    return true;
}

static bool put_on_shelf(const gt_nodes *nodes, gt_shelves *all, gt_node *node) {
    uint32_t at = count_less(nodes, all, NULL, node->first);
    if (at > 0) at--;
    if (all->count == 0 && !add_shelf(nodes, all, 0)) return false;
    shelf *one = all->list[at];
    if (one->count == SHELF_ROOM) {
        if (!add_shelf(nodes, all, at + 1)) return false;
        shelf *more = all->list[at + 1];
        more->count = one->count = SHELF_ROOM / 2;
        memcpy(more->nodes, one->nodes + SHELF_ROOM / 2, sizeof(one->nodes) / 2);
        if (id_is_less(nodes, more->nodes[0]->first, node->first)) one = more;
    }
    uint32_t place = count_less(nodes, NULL, one, node->first);
    memmove(one->nodes + place + 1, one->nodes + place, (one->count - place) * sizeof(*one->nodes));
    one->nodes[place] = node;
    one->count++;
    return true;
}

gt_node **gt_nodes_link(const gt_nodes *nodes, gt_family *family, gt_element first) {
    gt_node **link = &family->first;
    if (family->shelves != NULL) {
        uint32_t at = count_less(nodes, family->shelves, NULL, first);
        if (at == 0) return link;
        const shelf *one = family->shelves->list[at - 1];
        return &one->nodes[count_less(nodes, NULL, one, first) - 1]->next;
    }
    while (*link != NULL && id_is_less(nodes, (*link)->first, first)) link = &(*link)->next;
    return link;
}

bool gt_nodes_hang(const gt_nodes *nodes, gt_family *family, gt_node **link, gt_node *node) {
    node->next = *link;
    *link = node;
    family->count++;
    if (family->shelves != NULL) return put_on_shelf(nodes, family->shelves, node);
    if (family->count < SHELVES_FROM) return true;
    gt_shelves *all = gt_arena_new(nodes->arena, 1, sizeof(*all));
    for (gt_node *one = family->first; all != NULL && one != NULL; one = one->next) {
        if (!put_on_shelf(nodes, all, one)) return false;
    }
    family->shelves = all;
    return all != NULL;
}

const gt_node *gt_family_last(const gt_family *family) {
    if (family->shelves != NULL) {
        const shelf *one = family->shelves->list[family->shelves->count - 1];
        return one->nodes[one->count - 1];
    }
    const gt_node *last = family->first;
    while (last != NULL && last->next != NULL) last = last->next;
    return last;
}

/* ---- trees ---- */

gt_element gt_node_leftmost(const gt_nodes *nodes, const gt_node *at) {
    for (const gt_node *child; (child = gt_nodes_family(nodes, at->first, true)->first) != NULL;) at = child;
    return at->first;
}

gt_element gt_node_rightmost(const gt_nodes *nodes, const gt_node *at) {
    gt_element last = {at->first.step, at->first.index + at->length - 1};
    for (const gt_node *child; (child = gt_family_last(gt_nodes_family(nodes, last, false))) != NULL;) {
        last = (gt_element){child->first.step, child->first.index + child->length - 1};
    }
    return last;
}
