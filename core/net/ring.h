/* A doubly linked ring through members of structures: adding, removing and looking at the first cost O(1). */
#ifndef GT_NET_RING_H
#define GT_NET_RING_H

#include <stdbool.h>
#include <stddef.h>

typedef struct gt_ring_node {
    struct gt_ring_node *next, *previous; /* NULL: in no list */
} gt_ring_node;

typedef gt_ring_node gt_ring; /* the head, itself in the ring */

/* The structure whose member `node` is. */
#define GT_RING_OF(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void gt_ring_init(gt_ring *list) { list->next = list->previous = list; }
static inline gt_ring_node *gt_ring_first(const gt_ring *list) { return list->next == list ? NULL : list->next; }
static inline gt_ring_node *gt_ring_after(const gt_ring *list, const gt_ring_node *node) {
    return node->next == list ? NULL : node->next;
}
static inline bool gt_ring_node_is_in(const gt_ring_node *node) { return node->next != NULL; }

static inline void gt_ring_node_remove(gt_ring_node *node) {
    if (node->next == NULL) return;
    node->next->previous = node->previous;
    node->previous->next = node->next;
    node->next = node->previous = NULL;
}

static inline void gt_ring_append(gt_ring *list, gt_ring_node *node) {
    node->previous = list->previous;
    node->next = list;
    list->previous->next = node;
    list->previous = node;
}

/* Moves everything from one list to another, empty one. */
static inline void gt_ring_move(gt_ring *from, gt_ring *to) {
    gt_ring_init(to);
    if (from->next == from) return;
    *to = *from;
    to->next->previous = to->previous->next = to;
    gt_ring_init(from);
}

#endif
