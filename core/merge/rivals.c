#include "merge/rivals.h"

static const gt_rival *best_below(const gt_rival *rival) { return rival == NULL ? NULL : rival->best; }

static const gt_rival *better(const gt_rivals *rivals, const gt_rival *a, const gt_rival *b) {
    if (a == NULL || b == NULL) return a == NULL ? b : a;
    if (a->rank != b->rank) return a->rank > b->rank ? a : b;
    return gt_step_wins(rivals->replay, rivals->field, a->node->first.step, b->node->first.step) ? a : b;
}

static void sum_up(const gt_rivals *rivals, gt_rival *rival) {
    const gt_rival *best = better(rivals, best_below(rival->left), best_below(rival->right));
    rival->best = better(rivals, best, rival->is_there ? rival : NULL);
    rivals->replay->work++;
}

/* Puts `rival` where its parent is, which goes below it. */
static void rotate(gt_rivals *rivals, gt_rival *rival) {
    gt_rival *parent = rival->up, *above = parent->up;
    if (parent->left == rival) {
        parent->left = rival->right;
        if (rival->right != NULL) rival->right->up = parent;
        rival->right = parent;
    } else {
        parent->right = rival->left;
        if (rival->left != NULL) rival->left->up = parent;
        rival->left = parent;
    }
    parent->up = rival;
    rival->up = above;
    if (above == NULL) {
        rivals->root = rival;
    } else if (above->left == parent) {
        above->left = rival;
    } else {
        above->right = rival;
    }
    sum_up(rivals, parent);
}

static bool is_less(const gt_rivals *rivals, const gt_rival *a, const gt_rival *b) {
    const gt_step *steps = rivals->replay->steps;
    return memcmp(steps[a->node->first.step].id, steps[b->node->first.step].id, GT_HASH_SIZE) < 0;
}

void gt_rivals_add(gt_rivals *rivals, gt_rival *rival) {
    gt_rival **link = &rivals->root;
    while (*link != NULL) {
        rival->up = *link;
        link = is_less(rivals, rival, *link) ? &(*link)->left : &(*link)->right;
    }
    *link = rival;
    while (rival->up != NULL && rival->up->priority < rival->priority) rotate(rivals, rival);
    gt_rivals_update(rivals, rival);
}

void gt_rivals_update(const gt_rivals *rivals, gt_rival *rival) {
    for (; rival != NULL; rival = rival->up) sum_up(rivals, rival);
}

const gt_rival *gt_rivals_best(const gt_rivals *rivals) { return best_below(rivals->root); }

static gt_rival *side(const gt_rival *rival, bool backward) { return backward ? rival->right : rival->left; }

/* The first of a tree that is there, or the last. */
static gt_rival *first_there(gt_rival *rival, bool backward) {
    while (best_below(rival) != NULL) {
        if (best_below(side(rival, backward)) != NULL) {
            rival = side(rival, backward);
        } else if (rival->is_there) {
            return rival;
        } else {
            rival = side(rival, !backward);
        }
    }
    return NULL;
}

static gt_rival *next_there(const gt_rival *rival, bool backward) {
    gt_rival *found = first_there(side(rival, !backward), backward);
    for (gt_rival *up = rival->up; found == NULL && up != NULL; up = up->up) {
        if (side(up, backward) == rival) found = up->is_there ? up : first_there(side(up, !backward), backward);
        rival = up;
    }
    return found;
}

gt_rival *gt_rival_next(const gt_rival *rival) { return next_there(rival, false); }

gt_rival *gt_rival_previous(const gt_rival *rival) { return next_there(rival, true); }
