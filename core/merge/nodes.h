/* Fugue's tree of what was inserted (Weidner and Kleppmann 2023): who hangs where, beside whom.
 *
 * What was inserted at once is one node: its elements hang on each other in a row, nothing else hangs between them, so only
 * the first has left children that are not its own and only the last right ones. Siblings are by authors who had not seen
 * each other's: an author who sees one hangs on it. */
#ifndef GT_MERGE_NODES_H
#define GT_MERGE_NODES_H

#include "merge/spans.h"
#include "merge/type.h"

/* A treap (Seidel and Aragon 1996) of the nodes of one path. */
typedef struct gt_path_links {
    struct gt_node *up, *before, *behind;
} gt_path_links;

/* From a node to its first left child, from that one to its own: they all begin where the last of them does. And from a node to
 * its last right child, and on: they all end where the last of them does. */
enum { GT_PATH_LEFT = 0, GT_PATH_RIGHT = 1 };

typedef struct gt_node {
    struct gt_node *next;   /* its sibling with the next greater id */
    struct gt_node *parent; /* that it hangs on; NULL: the base, or nothing */
    gt_path_links paths[2];
    uint32_t priority;
    uint32_t number; /* in the order in which they came: it hangs on one of a lesser number */
    gt_element first;
    uint32_t length;
    bool moves; /* it is the slot of an element that stood elsewhere (slots.h) */
    /* contests.h: */
    struct gt_rival *rival;   /* NULL: it is in no contest */
    uint32_t standing, shown; /* how many of its spans and of the nodes that hang on it have, and show, something */
} gt_node;

/* Many siblings in their order, to be searched; see nodes.c. */
typedef struct gt_shelves gt_shelves;

/* What hangs on one element (or the root) on one side. */
typedef struct gt_family {
    gt_element parent;
    bool left;
    uint32_t count;
    gt_node *first;             /* NULL: the slot is free */
    gt_shelves *shelves;        /* NULL: they are few */
    struct gt_contest *contest; /* NULL: there is none */
} gt_family;

typedef struct gt_nodes {
    gt_replay *replay;
    gt_arena *arena;
    gt_family *families; /* open addressing */
    uint32_t count, places;
    uint32_t random, node_count;
} gt_nodes;

/* False when there is no memory. */
bool gt_nodes_init(gt_nodes *nodes, gt_replay *replay, gt_arena *arena);

/* Makes room for one more family. False when there is no memory. */
bool gt_nodes_reserve(gt_nodes *nodes);

/* One without a node if nothing hangs there; it is good until there is room for another. */
gt_family *gt_nodes_family(const gt_nodes *nodes, gt_element parent, bool left);

/* Where a node that begins with `first` stands among its siblings; and puts it there. False when there is no memory. */
gt_node **gt_nodes_link(const gt_nodes *nodes, gt_family *family, gt_element first);
bool gt_nodes_hang(gt_nodes *nodes, gt_family *family, gt_node **link, gt_node *node);

/* The one with the greatest id; NULL: there is none. */
const gt_node *gt_family_last(const gt_family *family);

/* The element that stands before all others of the tree below a node, and the one behind all others. Somebody may write a
 * hundred thousand insertions that hang each on the one before, and then as many beside the first: O(log n). */
gt_element gt_node_leftmost(const gt_nodes *nodes, const gt_node *at);
gt_element gt_node_rightmost(const gt_nodes *nodes, const gt_node *at);

#endif
