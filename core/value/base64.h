/* Base64 of RFC 4648 section 4: with padding, no line breaks, one text for each run of bytes. */
#ifndef GT_VALUE_BASE64_H
#define GT_VALUE_BASE64_H

#include "base/bytes.h"

/* Characters for `len` bytes; `len` is at most GOAT_VALUE_MAX. */
static inline size_t gt_base64_len(size_t len) { return (len + 2) / 3 * 4; }

/* Writes gt_base64_len(bytes.len) characters, no NUL. */
void gt_base64_write(uint8_t *out, gt_bytes bytes);

/* Writes at most text.len / 4 * 3 bytes and gives their number in `*len`. False if `text` is not
 * base64, or not the one form: unused bits that are not zero are refused. */
bool gt_base64_read(uint8_t *out, size_t *len, gt_bytes text);

#endif
