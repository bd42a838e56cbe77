/* Memory that crosses the border: it is the C library's, whatever allocator a database was given, because the
 * caller may end it when the database is long gone. The count of living handles, here too, is process-wide. */
#include "abi.h"

#include <stdatomic.h>

enum { FIRST_CAPACITY = 64 };

void goat_buf_free(goat_buf *buf) {
    if (buf == NULL) return;
    gt_free(&gt_alloc_system, buf->data);
    *buf = (goat_buf){0};
}

void *goat_alloc(size_t size) { return gt_alloc_system.resize(NULL, NULL, size == 0 ? 1 : size); }

void goat_free(void *memory) { gt_free(&gt_alloc_system, memory); }

/* ---- filling a buffer ---- */

static bool make_room(goat_buf *out, size_t size) {
    size_t capacity = out->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : out->capacity;
    while (capacity < size) capacity = capacity > SIZE_MAX / 2 ? size : capacity * 2;
    uint8_t *data = gt_resize(&gt_alloc_system, out->data, capacity, 1);
    if (data == NULL) return false;
    out->data = data;
    out->capacity = capacity;
    return true;
}

goat_status gt_put(goat_buf *out, gt_bytes bytes, gt_diag *diag) {
    if (bytes.len >= out->capacity && (bytes.len == SIZE_MAX || !make_room(out, bytes.len + 1))) {
        return gt_no_memory(diag);
    }
    if (bytes.len > 0) memcpy(out->data, bytes.data, bytes.len);
    out->data[bytes.len] = 0;
    out->size = bytes.len;
    return GOAT_OK;
}

gt_buf gt_lend(goat_buf *out) {
    return (gt_buf){.alloc = &gt_alloc_system, .data = out->data, .capacity = out->capacity};
}

goat_status gt_give_back(goat_buf *out, gt_buf *lent, goat_status status, gt_diag *diag) {
    if (status == GOAT_OK) {
        gt_buf_append_byte(lent, 0);
        if (gt_buf_failed(lent)) status = gt_no_memory(diag);
    }
    *out = (goat_buf){.data = lent->data, .size = status == GOAT_OK ? lent->len - 1 : 0, .capacity = lent->capacity};
    return status;
}

/* ---- handles that are alive ---- */

static atomic_uint_least32_t live;

void gt_live_more(void) { atomic_fetch_add_explicit(&live, 1, memory_order_relaxed); }

void gt_live_less(void) { atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed); }

uint32_t goat_debug_live_handles(void) { return (uint32_t)atomic_load_explicit(&live, memory_order_relaxed); }
