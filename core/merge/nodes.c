#include "merge/nodes.h"

bool gt_nodes_init(gt_nodes *nodes, gt_replay *replay, gt_arena *arena) {
    enum { FAMILIES = 16 };
    *nodes = (gt_nodes){.replay = replay, .arena = arena, .places = FAMILIES, .random = 0x9e3779b9};
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

/* ---- paths ---- */

static const gt_node *last_of_path(const gt_nodes *nodes, const gt_node *node, int side) {
    for (; node->paths[side].up != NULL; node = node->paths[side].up) nodes->replay->work++;
    for (; node->paths[side].behind != NULL; node = node->paths[side].behind) nodes->replay->work++;
    return node;
}

/* What stands behind a node becomes a path of its own. Gives the root of what is left. */
static gt_node *cut_behind(gt_node *node, int side) {
    gt_node *kept = node, *rest = node->paths[side].behind, *child = node, *up = node->paths[side].up;
    node->paths[side].behind = NULL;
    while (up != NULL) {
        gt_node *at = up;
        gt_path_links *links = &at->paths[side];
        up = links->up;
        if (links->before == child) {
            links->before = rest;
            if (rest != NULL) rest->paths[side].up = at;
            rest = at;
        } else {
            links->behind = kept;
            kept->paths[side].up = at;
            kept = at;
        }
        child = at;
    }
    kept->paths[side].up = NULL;
    if (rest != NULL) rest->paths[side].up = NULL;
    return kept;
}

/* Puts a node that is in no path behind all of one, whose root is given. */
static void append(gt_node *root, gt_node *node, int side) {
    gt_node *last = root, *before = NULL;
    while (last->paths[side].behind != NULL) last = last->paths[side].behind;
    for (; last != NULL && last->priority < node->priority; last = last->paths[side].up) before = last;
    node->paths[side] = (gt_path_links){.up = last, .before = before};
    if (before != NULL) before->paths[side].up = node;
    if (last != NULL) last->paths[side].behind = node;
}

static gt_element last_element(const gt_node *node) {
    return (gt_element){node->first.step, node->first.index + node->length - 1};
}

/* A new node may be the one with which its parent begins, or ends, from now on. */
static void take_into_path(gt_nodes *nodes, const gt_family *family, gt_node *node) {
    gt_node *parent = node->parent;
    nodes->random = nodes->random * 1664525 + 1013904223; /* any numbers do: no result depends on them */
    node->priority = nodes->random;
    node->number = nodes->node_count++;
    if (parent == NULL) return;
    bool begins = family->left && family->first == node && gt_element_is(family->parent, parent->first);
    bool ends = !family->left && node->next == NULL && gt_element_is(family->parent, last_element(parent));
    if (!begins && !ends) return;
    int side = begins ? GT_PATH_LEFT : GT_PATH_RIGHT;
    append(cut_behind(parent, side), node, side);
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

bool gt_nodes_hang(gt_nodes *nodes, gt_family *family, gt_node **link, gt_node *node) {
    node->next = *link;
    *link = node;
    family->count++;
    take_into_path(nodes, family, node);
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
    return last_of_path(nodes, at, GT_PATH_LEFT)->first;
}

gt_element gt_node_rightmost(const gt_nodes *nodes, const gt_node *at) {
    return last_element(last_of_path(nodes, at, GT_PATH_RIGHT));
}
