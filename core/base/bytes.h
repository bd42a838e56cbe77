/* A run of bytes that somebody else owns, and the fixed-width little-endian fields of our formats. */
#ifndef GT_BASE_BYTES_H
#define GT_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct gt_bytes {
    const uint8_t *data; /* NULL: absent, which differs from empty where the comment says so */
    size_t len;
} gt_bytes;

static inline gt_bytes gt_bytes_of(const void *data, size_t len) { return (gt_bytes){(const uint8_t *)data, len}; }

/* The bytes of a C string, without its NUL. */
static inline gt_bytes gt_bytes_text(const char *text) { return (gt_bytes){(const uint8_t *)text, strlen(text)}; }

/* Behind the last of them; NULL of absent ones. */
static inline const uint8_t *gt_bytes_end(gt_bytes bytes) {
    return bytes.len == 0 ? bytes.data : bytes.data + bytes.len;
}

/* What stands behind the first `len` of them; absent ones stay so. */
static inline gt_bytes gt_bytes_behind(gt_bytes bytes, size_t len) {
    return bytes.data == NULL ? bytes : (gt_bytes){bytes.data + len, bytes.len - len};
}

static inline bool gt_bytes_equal(gt_bytes a, gt_bytes b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* As memcmp, a proper prefix first. */
static inline int gt_bytes_compare(gt_bytes a, gt_bytes b) {
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len == 0 ? 0 : memcmp(a.data, b.data, len);
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static inline void gt_put_u16(uint8_t *p, uint16_t v) {
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
}
static inline void gt_put_u32(uint8_t *p, uint32_t v) {
    gt_put_u16(p, (uint16_t)v);
    gt_put_u16(p + 2, (uint16_t)(v >> 16));
}
static inline void gt_put_u64(uint8_t *p, uint64_t v) {
    gt_put_u32(p, (uint32_t)v);
    gt_put_u32(p + 4, (uint32_t)(v >> 32));
}
static inline uint16_t gt_get_u16(const uint8_t *p) { return (uint16_t)(p[0] | (uint16_t)(p[1] << 8)); }
static inline uint32_t gt_get_u32(const uint8_t *p) { return gt_get_u16(p) | (uint32_t)gt_get_u16(p + 2) << 16; }
static inline uint64_t gt_get_u64(const uint8_t *p) { return gt_get_u32(p) | (uint64_t)gt_get_u32(p + 4) << 32; }

#endif
