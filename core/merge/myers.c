#include "merge/myers.h"

#include "base/bytes.h"

/* A pair of stretches, a[a0 … a1) and b[b0 … b1), that is still to be compared. */
typedef struct box {
    int64_t a0, a1, b0, b1;
} box;

typedef struct myers {
    const uint32_t *a, *b;
    uint8_t *removed, *inserted;
    int64_t edits_max;
    int64_t *down, *up; /* how far each diagonal is reached from the top left, and from the bottom right */
    int64_t middle;     /* index of diagonal 0 in both */
} myers;

static void mark_all(myers *m, box at) {
    for (int64_t i = at.a0; i < at.a1; i++) m->removed[i] = 1;
    for (int64_t i = at.b0; i < at.b1; i++) m->inserted[i] = 1;
}

/* Takes what is common at both ends off. */
static void trim(const myers *m, box *at) {
    while (at->a0 < at->a1 && at->b0 < at->b1 && m->a[at->a0] == m->b[at->b0]) at->a0++, at->b0++;
    while (at->a0 < at->a1 && at->b0 < at->b1 && m->a[at->a1 - 1] == m->b[at->b1 - 1]) at->a1--, at->b1--;
}

/* One more edit on each diagonal from the top left; true when that meets what was reached from the other end, at (*x, *y). */
static bool go_down(myers *m, box at, int64_t edits, int64_t delta, bool odd, int64_t *x, int64_t *y) {
    int64_t *v = m->down + m->middle, n = at.a1 - at.a0, l = at.b1 - at.b0;
    for (int64_t k = -edits; k <= edits; k += 2) {
        int64_t i = k == -edits || (k != edits && v[k - 1] < v[k + 1]) ? v[k + 1] : v[k - 1] + 1, j = i - k;
        if (i > n || j > l || j < 0) {
            v[k] = i > n ? n + 1 : i;
            continue;
        }
        while (i < n && j < l && m->a[at.a0 + i] == m->b[at.b0 + j]) i++, j++;
        v[k] = i;
        int64_t back = delta - k; /* the same diagonal, seen from the other end */
        if (odd && back >= -(edits - 1) && back <= edits - 1 && i >= n - m->up[m->middle + back]) {
            *x = i;
            *y = j;
            return true;
        }
    }
    return false;
}

static bool go_up(myers *m, box at, int64_t edits, int64_t delta, bool odd, int64_t *x, int64_t *y) {
    int64_t *v = m->up + m->middle, n = at.a1 - at.a0, l = at.b1 - at.b0;
    for (int64_t k = -edits; k <= edits; k += 2) {
        int64_t i = k == -edits || (k != edits && v[k - 1] < v[k + 1]) ? v[k + 1] : v[k - 1] + 1, j = i - k;
        if (i > n || j > l || j < 0) {
            v[k] = i > n ? n + 1 : i;
            continue;
        }
        while (i < n && j < l && m->a[at.a1 - 1 - i] == m->b[at.b1 - 1 - j]) i++, j++;
        v[k] = i;
        int64_t back = delta - k;
        if (!odd && back >= -edits && back <= edits && n - i <= m->down[m->middle + back]) {
            *x = n - i;
            *y = l - j;
            return true;
        }
    }
    return false;
}

/* A point on a shortest way through the box; false: it takes too many edits. */
static bool find_middle(myers *m, box at, int64_t *x, int64_t *y) {
    int64_t n = at.a1 - at.a0, l = at.b1 - at.b0, delta = n - l, most = (n + l + 1) / 2;
    bool odd = (delta & 1) != 0;
    m->down[m->middle + 1] = m->up[m->middle + 1] = 0;
    for (int64_t edits = 0; edits <= most && edits <= m->edits_max; edits++) {
        if (go_down(m, at, edits, delta, odd, x, y) || go_up(m, at, edits, delta, odd, x, y)) return true;
    }
    return false;
}

/* The boxes that remain are kept on the stack of the caller: the smaller half first, so that there are few. */
static void compare(myers *m, box at) {
    box left[64];
    int count = 0;
    for (;;) {
        int64_t x = 0, y = 0;
        trim(m, &at);
        bool one_sided = at.a0 == at.a1 || at.b0 == at.b1;
        if (one_sided || count == 64 || !find_middle(m, at, &x, &y) || (x == 0 && y == 0) ||
            (x == at.a1 - at.a0 && y == at.b1 - at.b0)) {
            mark_all(m, at);
            if (count == 0) return;
            at = left[--count];
            continue;
        }
        box first = {at.a0, at.a0 + x, at.b0, at.b0 + y}, second = {at.a0 + x, at.a1, at.b0 + y, at.b1};
        bool first_is_less = x + y < (at.a1 - at.a0) + (at.b1 - at.b0) - x - y;
        left[count++] = first_is_less ? second : first;
        at = first_is_less ? first : second;
    }
}

bool gt_myers(const gt_alloc *alloc, const uint32_t *a, uint32_t a_count, const uint32_t *b, uint32_t b_count,
              uint32_t edits_max, uint8_t *removed, uint8_t *inserted) {
    size_t all = ((size_t)a_count + b_count + 1) / 2, reach = (all < edits_max ? all : edits_max) + 2;
    int64_t *rows = gt_new(alloc, 2 * (2 * reach + 1), sizeof(*rows));
    if (rows == NULL) return false;
    myers m = {.a = a, .b = b, .removed = removed, .inserted = inserted, .edits_max = edits_max};
    m.down = rows;
    m.up = rows + 2 * reach + 1;
    m.middle = (int64_t)reach;
    compare(&m, (box){0, a_count, 0, b_count});
    gt_free(alloc, rows);
    return true;
}
