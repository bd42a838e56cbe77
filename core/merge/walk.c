/* A merge of at most five lists: the smallest next key is looked for in all of them. */
#include "merge/walk.h"

static void advance(gt_walk *walk, unsigned i) {
    gt_iter *iter = &walk->lists[i].iter;
    bool more;
    if (walk->is_map) {
        more = gt_map_next_pair(iter, &walk->lists[i].key, &walk->lists[i].value);
    } else {
        more = gt_array_next(iter, &walk->lists[i].key);
        walk->lists[i].value = walk->lists[i].key;
    }
    if (!more) {
        walk->lists[i].key = gt_bytes_of(NULL, 0);
    }
}

gt_walk gt_walk_begin(bool is_map, const gt_bytes *lists, unsigned count) {
    gt_walk walk;
    walk.count = count;
    walk.is_map = is_map;
    for (unsigned i = 0; i < count; i++) {
        walk.lists[i].iter = (gt_iter){NULL, NULL, 0};
        if (lists[i].data != NULL) {
            walk.lists[i].iter = is_map ? gt_map_iter(lists[i]) : gt_array_iter(lists[i]);
        }
        advance(&walk, i);
    }
    return walk;
}

bool gt_walk_next(gt_walk *walk, gt_walk_item *item) {
    gt_bytes least = {NULL, 0};
    unsigned in = 0;
    for (unsigned i = 0; i < walk->count; i++) {
        gt_bytes key = walk->lists[i].key;
        if (key.data == NULL) {
            continue;
        }
        int order = least.data == NULL ? -1 : gt_bytes_compare(key, least);
        if (order < 0) {
            least = key;
            in = 0;
        }
        in |= order <= 0 ? 1u << i : 0;
    }
    if (in == 0) {
        return false;
    }
    item->in = in;
    item->key = least;
    for (unsigned i = 0; i < walk->count; i++) {
        if ((in >> i & 1) != 0) {
            item->values[i] = walk->lists[i].value;
            advance(walk, i);
        }
    }
    return true;
}
