/* The reader of checkpoints: any bytes as a file. What it accepts lies inside the file and does not overlap, and is
 * the same after it was written anew.
 *
 * With an odd first byte both checksums and the length are put right, because they are hard to guess. */
#include "base/assert.h"
#include "base/crc32c.h"
#include "log/checkpoint.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mend(uint8_t *file, size_t len) {
    if (len < 88) {
        return;
    }
    memcpy(file, "GOATCKPT\1\0\0", 12);
    uint32_t count = gt_get_u32(file + 12) % 40;
    size_t header = 84 + 24 * (size_t)count;
    gt_put_u32(file + 12, count);
    gt_put_u64(file + 72, len);
    if (header + 4 <= len) {
        gt_put_u32(file + header - 4, gt_crc32c(0, file, header - 4));
        gt_put_u32(file + len - 4, gt_crc32c(0, file + header, len - 4 - header));
    }
}

static void assert_same(const gt_checkpoint *a, const gt_checkpoint *b) {
    GOAT_ASSERT(a->section_count == b->section_count && a->covered == b->covered);
    GOAT_ASSERT(memcmp(a->log_id, b->log_id, 16) == 0 && memcmp(a->chain, b->chain, 16) == 0);
    for (uint32_t i = 0; i < a->section_count; i++) {
        const gt_section *x = &a->sections[i], *y = &b->sections[i];
        GOAT_ASSERT(x->kind == y->kind && x->row_size == y->row_size && x->len == y->len);
        GOAT_ASSERT(x->len == 0 || memcmp(x->data, y->data, (size_t)x->len) == 0);
    }
}

static void check(const uint8_t *file, size_t len, const gt_checkpoint *checkpoint) {
    const uint8_t *end = file;
    for (uint32_t i = 0; i < checkpoint->section_count; i++) {
        const gt_section *section = &checkpoint->sections[i];
        GOAT_ASSERT(section->data >= end && section->len <= len);
        GOAT_ASSERT((size_t)(section->data - file) + (size_t)section->len <= len);
        end = section->data + section->len;
        const gt_section *found = gt_checkpoint_section(checkpoint, section->kind, section->row_size);
        GOAT_ASSERT(found == NULL || found->len % found->row_size == 0);
    }
    gt_buf again;
    gt_checkpoint second;
    gt_buf_init(&again, &gt_alloc_system);
    gt_checkpoint_write(checkpoint, &again);
    GOAT_ASSERT(!gt_buf_failed(&again));
    GOAT_ASSERT(gt_checkpoint_read(again.data, again.len, &second, NULL) == GOAT_OK);
    assert_same(checkpoint, &second);
    gt_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    size_t len = size - 1;
    uint8_t *file = gt_new(&gt_alloc_system, len, 1);
    GOAT_ASSERT(file != NULL);
    memcpy(file, data + 1, len);
    if (data[0] % 2 == 1) {
        mend(file, len);
    }
    gt_checkpoint checkpoint;
    goat_status status = gt_checkpoint_read(file, len, &checkpoint, NULL);
    GOAT_ASSERT(status == GOAT_OK || status == GOAT_CORRUPT || status == GOAT_NEWER_FORMAT);
    if (status == GOAT_OK) {
        check(file, len, &checkpoint);
    }
    gt_free(&gt_alloc_system, file);
    return 0;
}
