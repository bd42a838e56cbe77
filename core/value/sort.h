/* Sorting in place without allocating: qsort() of glibc takes memory behind the allocator's back, and
 * elsewhere it may be quadratic, which a hostile map would use. Insertion sort for the handful of keys
 * that most maps have, heapsort beyond. All of it is inlined, so that each use is compiled for its own
 * size and order: on maps of a dozen keys that makes it three times as fast as calls would be. */
#ifndef GT_VALUE_SORT_H
#define GT_VALUE_SORT_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#if defined(__GNUC__)
#define GT_SORT_INLINE static inline __attribute__((always_inline))
#else
#define GT_SORT_INLINE static inline
#endif

enum {
    GT_SORT_SIZE_MAX = 32,     /* bytes of one item */
    GT_SORT_INSERTION_MAX = 24 /* items; about where heapsort begins to win */
};

/* Whether a has to stand before b. */
typedef bool gt_sort_before(const void *a, const void *b);

GT_SORT_INLINE void gt_sort_insertion(char *items, size_t count, size_t size, gt_sort_before *before) {
    char moving[GT_SORT_SIZE_MAX];
    for (size_t i = 1; i < count; i++) {
        char *place = items + i * size;
        if (!before(place, place - size)) {
            continue;
        }
        memcpy(moving, place, size);
        do {
            memcpy(place, place - size, size);
            place -= size;
        } while (place > items && before(moving, place - size));
        memcpy(place, moving, size);
    }
}

GT_SORT_INLINE void gt_sort_swap(char *a, char *b, size_t size) {
    char moving[GT_SORT_SIZE_MAX];
    memcpy(moving, a, size);
    memcpy(a, b, size);
    memcpy(b, moving, size);
}

/* Lets item `at` sink until no child is behind it; the heap has `count` items. */
GT_SORT_INLINE void gt_sort_sink(char *items, size_t at, size_t count, size_t size, gt_sort_before *before) {
    for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && before(items + child * size, items + (child + 1) * size)) {
            child++;
        }
        if (!before(items + at * size, items + child * size)) {
            return;
        }
        gt_sort_swap(items + at * size, items + child * size, size);
        at = child;
    }
}

GT_SORT_INLINE void gt_sort(void *all, size_t count, size_t size, gt_sort_before *before) {
    char *items = all;
    if (count <= GT_SORT_INSERTION_MAX) {
        gt_sort_insertion(items, count, size, before);
        return;
    }
    for (size_t at = count / 2; at-- > 0;) {
        gt_sort_sink(items, at, count, size, before);
    }
    for (size_t end = count - 1; end > 0; end--) {
        gt_sort_swap(items, items + end * size, size);
        gt_sort_sink(items, 0, end, size, before);
    }
}

#endif
