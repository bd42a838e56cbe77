/* Growth by doubling, so that n appends cost O(n). After a failure the bytes before it are still
 * there, but nobody should use them: a message with a hole is not a message. */
#include "base/buf.h"

enum { FIRST_CAPACITY = 64 };

void gt_buf_init(gt_buf *buf, const gt_alloc *alloc) { *buf = (gt_buf){.alloc = alloc}; }

void gt_buf_free(gt_buf *buf) {
    gt_free(buf->alloc, buf->data);
    gt_buf_init(buf, buf->alloc);
}

void gt_buf_clear(gt_buf *buf) {
    buf->len = 0;
    buf->failed = false;
}

static bool grow(gt_buf *buf, size_t len) {
    if (len > SIZE_MAX - buf->len) {
        return false;
    }
    size_t needed = buf->len + len;
    size_t capacity = buf->capacity < FIRST_CAPACITY ? FIRST_CAPACITY : buf->capacity;
    while (capacity < needed) {
        capacity = capacity > SIZE_MAX / 2 ? needed : capacity * 2;
    }
    uint8_t *data = gt_resize(buf->alloc, buf->data, capacity, 1);
    if (data == NULL) {
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

uint8_t *gt_buf_reserve(gt_buf *buf, size_t len) {
    if (buf->failed) {
        return NULL;
    }
    /* The first reservation allocates even for 0 bytes: NULL is kept for failure. */
    if ((buf->capacity == 0 || len > buf->capacity - buf->len) && !grow(buf, len)) {
        buf->failed = true;
        return NULL;
    }
    return buf->data + buf->len;
}

void gt_buf_append(gt_buf *buf, const void *bytes, size_t len) {
    if (len == 0) {
        return;
    }
    uint8_t *end = gt_buf_reserve(buf, len);
    if (end != NULL) {
        memcpy(end, bytes, len);
        buf->len += len;
    }
}

void gt_buf_append_byte(gt_buf *buf, uint8_t byte) {
    uint8_t *end = gt_buf_reserve(buf, 1);
    if (end != NULL) {
        *end = byte;
        buf->len++;
    }
}
