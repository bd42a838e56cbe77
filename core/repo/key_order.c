/* Items in the order of their keys, sorted in small pieces: a merge sort from the bottom up that can stop after any
 * element (Knuth, TAOCP volume 3, 5.2.4). A repository that grows meanwhile does not disturb it: the items that there
 * were when it began are put in order. */
#include "repo/repo.h"

#include "repo/tables.h"

struct gt_key_order {
    gt_repo *repo;
    uint32_t count;
    uint32_t *from, *to; /* item rows: runs of `width` in order, and what becomes of two of them */
    uint32_t filled;     /* rows that are in `from` */
    uint64_t width;
    uint64_t begin;     /* of the two runs at hand */
    uint64_t a, b, out; /* what is next in each, and where it goes */
};

goat_status gt_key_order_new(gt_repo *repo, gt_key_order **out, gt_diag *diag) {
    *out = NULL;
    gt_key_order *order = gt_new(repo->alloc, 1, sizeof(*order));
    if (order == NULL) return gt_no_memory(diag);
    order->repo = repo;
    order->count = repo->items.count;
    order->width = 1;
    order->from = gt_new(repo->alloc, (size_t)order->count + 1, sizeof(uint32_t));
    order->to = gt_new(repo->alloc, (size_t)order->count + 1, sizeof(uint32_t));
    if (order->from == NULL || order->to == NULL) {
        gt_key_order_free(order);
        return gt_no_memory(diag);
    }
    *out = order;
    return GOAT_OK;
}

void gt_key_order_free(gt_key_order *order) {
    if (order == NULL) return;
    const gt_alloc *alloc = order->repo->alloc;
    gt_free(alloc, order->from);
    gt_free(alloc, order->to);
    gt_free(alloc, order);
}

static uint64_t least(uint64_t a, uint64_t b) { return a < b ? a : b; }

static void begin_pair(gt_key_order *order, uint64_t begin) {
    order->begin = order->a = order->out = begin;
    order->b = least(begin + order->width, order->count);
}

/* One element goes to where it belongs; then the next pair of runs, or the next width. */
static void place_one(gt_key_order *order) {
    uint64_t middle = least(order->begin + order->width, order->count);
    uint64_t end = least(order->begin + 2 * order->width, order->count);
    bool from_a = order->b == end;
    if (!from_a && order->a < middle) {
        gt_bytes x = gt_repo_key(order->repo, order->from[order->a]),
                 y = gt_repo_key(order->repo, order->from[order->b]);
        from_a = gt_bytes_compare(x, y) <= 0;
    }
    order->to[order->out++] = order->from[from_a ? order->a++ : order->b++];
    if (order->out < end) return;
    if (end < order->count) {
        begin_pair(order, end);
        return;
    }
    uint32_t *done = order->to;
    order->to = order->from;
    order->from = done;
    order->width *= 2;
    begin_pair(order, 0);
}

bool gt_key_order_step(gt_key_order *order, uint32_t elements) {
    for (; elements > 0 && order->filled < order->count; elements--, order->filled++)
        order->from[order->filled] = order->filled;
    if (order->filled < order->count) return false;
    if (order->width == 1 && order->out == 0) begin_pair(order, 0);
    for (; elements > 0 && order->width < order->count; elements--) place_one(order);
    return order->width >= order->count;
}

const uint32_t *gt_key_order_rows(const gt_key_order *order, uint32_t *count) {
    *count = order->count;
    return order->from;
}
