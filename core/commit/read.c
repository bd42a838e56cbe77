/* The cursor of read.h, and the heads that it reads. */
#include "commit/read.h"

bool gt_refuse(gt_reader *reader, const uint8_t *at, const char *words) {
    reader->status = gt_fail_at(reader->diag, GOAT_INVALID, (uint64_t)(at - reader->begin), "not %s: %s",
                                reader->what, words);
    return false;
}

bool gt_refuse_large(gt_reader *reader, const uint8_t *at, const char *words) {
    reader->status = gt_fail_at(reader->diag, GOAT_TOO_LARGE, (uint64_t)(at - reader->begin), "not %s: %s",
                                reader->what, words);
    return false;
}

bool gt_read_long_head(gt_reader *reader, unsigned *major, uint64_t *argument) {
    const uint8_t *p = reader->next;
    if (p == reader->end) {
        return gt_refuse(reader, p, "it is cut short");
    }
    unsigned low = *p & 31; /* 24 or more, see gt_read_head */
    *major = *p >> 5;
    if (low > 27) {
        return gt_refuse(reader, p, "a length is indefinite, or a head is none of CBOR's");
    }
    size_t width = (size_t)1 << (low - 24);
    if ((size_t)(reader->end - p) <= width) {
        return gt_refuse(reader, p, "it is cut short");
    }
    uint64_t value = 0;
    for (size_t i = 1; i <= width; i++) {
        value = value << 8 | p[i];
    }
    bool shortest = width == 1 ? value >= 24 : value >> (4 * width) != 0;
    if (!shortest && *major != GT_CBOR_SIMPLE) {
        return gt_refuse(reader, p, "a head is not in its shortest form");
    }
    *argument = value;
    reader->next = p + 1 + width;
    return true;
}

bool gt_read_of(gt_reader *reader, unsigned major, uint64_t *argument, const char *words) {
    const uint8_t *at = reader->next;
    unsigned found;
    if (!gt_read_head(reader, &found, argument)) {
        return false;
    }
    if (found != major) {
        return gt_refuse(reader, at, words);
    }
    bool counts = major == GT_CBOR_ARRAY || major == GT_CBOR_MAP;
    if (counts && *argument > gt_reader_left(reader)) {
        return gt_refuse(reader, at, "it is cut short");
    }
    return true;
}

bool gt_read_string(gt_reader *reader, unsigned major, gt_bytes *string, const char *words) {
    const uint8_t *at = reader->next;
    uint64_t len;
    if (!gt_read_of(reader, major, &len, words)) {
        return false;
    }
    if (len > gt_reader_left(reader)) {
        return gt_refuse(reader, at, "it is cut short");
    }
    *string = gt_bytes_of(reader->next, (size_t)len);
    reader->next += len;
    return true;
}

bool gt_read_bytes(gt_reader *reader, size_t len, const uint8_t **bytes, const char *words) {
    const uint8_t *at = reader->next;
    gt_bytes string;
    if (!gt_read_string(reader, GT_CBOR_BYTES, &string, words)) {
        return false;
    }
    *bytes = string.data;
    return string.len == len || gt_refuse(reader, at, words);
}

bool gt_read_ids(gt_reader *reader, uint32_t min, uint32_t max, gt_ids *ids, const char *words) {
    const uint8_t *at = reader->next;
    uint64_t count;
    if (!gt_read_of(reader, GT_CBOR_ARRAY, &count, words)) {
        return false;
    }
    if (count > max) {
        return gt_refuse_large(reader, at, words);
    }
    if (count < min) {
        return gt_refuse(reader, at, words);
    }
    *ids = (gt_ids){reader->next, (uint32_t)count};
    const uint8_t *last = NULL;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *id;
        at = reader->next;
        if (!gt_read_bytes(reader, GT_ID_SIZE, &id, words)) {
            return false;
        }
        if (!reader->viewing && last != NULL && memcmp(last, id, GT_ID_SIZE) >= 0) {
            return gt_refuse(reader, at, "ids are not ascending");
        }
        last = id;
    }
    return true;
}

size_t gt_head_len(uint64_t argument) {
    return argument < 24 ? 1 : argument <= UINT8_MAX ? 2 : argument <= UINT16_MAX ? 3 : argument <= UINT32_MAX ? 5 : 9;
}

size_t gt_put_head(uint8_t *p, unsigned major, uint64_t argument) {
    size_t len = gt_head_len(argument);
    uint8_t low = len == 1 ? (uint8_t)argument : len == 2 ? 24 : len == 3 ? 25 : len == 5 ? 26 : 27;
    p[0] = (uint8_t)(major << 5 | low);
    for (size_t i = len - 1; i > 0; i--) {
        p[i] = (uint8_t)argument;
        argument >>= 8;
    }
    return len;
}
