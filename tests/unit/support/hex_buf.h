/* Bytes written as hexadecimal text, for tests that spell out CBOR. Blanks are passed over. */
#ifndef HEX_BUF_H
#define HEX_BUF_H

#include "base/buf.h"

/* Appends the bytes; fails the test if `hex` is none. */
void hex_append(gt_buf *out, const char *hex);

/* New, of the system's allocator. */
gt_buf hex_buf(const char *hex);

#endif
