/* A growable run of bytes. Appending never fails at the call: the buffer remembers that memory ran
 * out, appends nothing more, and whoever finishes the message asks once with gt_buf_failed(). */
#ifndef GT_BASE_BUF_H
#define GT_BASE_BUF_H

#include "base/alloc.h"
#include "base/bytes.h"

typedef struct gt_buf {
    const gt_alloc *alloc;
    uint8_t *data;
    size_t len;
    size_t capacity;
    bool failed;
} gt_buf;

void gt_buf_init(gt_buf *buf, const gt_alloc *alloc);
void gt_buf_free(gt_buf *buf);  /* and ready for use again */
void gt_buf_clear(gt_buf *buf); /* keeps the memory, forgets a failure */
void gt_buf_append(gt_buf *buf, const void *bytes, size_t len);
void gt_buf_append_byte(gt_buf *buf, uint8_t byte);

/* Room for `len` more bytes, to be written by the caller and counted with `buf->len += …`.
 * NULL after a failure. */
uint8_t *gt_buf_reserve(gt_buf *buf, size_t len);

static inline bool gt_buf_failed(const gt_buf *buf) { return buf->failed; }
static inline gt_bytes gt_buf_bytes(const gt_buf *buf) { return gt_bytes_of(buf->data, buf->len); }

#endif
