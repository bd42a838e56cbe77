/* Sizes are multiplied with a check here and nowhere else; what the host's function gives is passed on
 * as it is. Nothing here asks for 0 bytes, because to the host that means "free". */
#include "base/alloc.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 8 }; /* elements: small enough for the many arrays that stay tiny */

static void *system_resize(void *context, void *pointer, size_t size) {
    (void)context;
    if (size == 0) {
        free(pointer);
        return NULL;
    }
    return realloc(pointer, size);
}

const gt_alloc gt_alloc_system = {NULL, system_resize};

static bool product_fits(size_t count, size_t size) { return size == 0 || count <= SIZE_MAX / size; }

void *gt_new(const gt_alloc *alloc, size_t count, size_t size) {
    if (!product_fits(count, size)) {
        return NULL;
    }
    size_t bytes = count * size;
    /* An empty array is a pointer too, so that NULL always means that there was no memory. */
    void *pointer = alloc->resize(alloc->context, NULL, bytes == 0 ? 1 : bytes);
    if (pointer != NULL) {
        memset(pointer, 0, bytes);
    }
    return pointer;
}

void *gt_resize(const gt_alloc *alloc, void *pointer, size_t count, size_t size) {
    GOAT_ASSERT(count != 0 && size != 0);
    if (!product_fits(count, size)) {
        return NULL;
    }
    return alloc->resize(alloc->context, pointer, count * size);
}

void gt_free(const gt_alloc *alloc, void *pointer) {
    if (pointer != NULL) {
        alloc->resize(alloc->context, pointer, 0);
    }
}

void *gt_copy(const gt_alloc *alloc, const void *bytes, size_t len) {
    if (len == SIZE_MAX) {
        return NULL;
    }
    char *copy = alloc->resize(alloc->context, NULL, len + 1);
    if (copy == NULL) {
        return NULL;
    }
    if (len != 0) {
        memcpy(copy, bytes, len);
    }
    copy[len] = 0;
    return copy;
}

bool gt_reserve(const gt_alloc *alloc, void **array, size_t count, size_t *capacity, size_t size) {
    if (count < *capacity) {
        return true;
    }
    if (*capacity > SIZE_MAX / 2) {
        return false;
    }
    size_t wanted = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
    /* The caller's array is a pointer of another type; reading it as bytes keeps the compiler from
     * assuming that the two cannot be the same object. */
    void *before;
    memcpy(&before, array, sizeof before);
    void *after = gt_resize(alloc, before, wanted, size);
    if (after == NULL) {
        return false;
    }
    memcpy(array, &after, sizeof after);
    *capacity = wanted;
    return true;
}
