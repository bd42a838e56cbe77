/* The container is checked whole before a byte of it is used: it is mapped, and what a damaged row would do is
 * not foreseeable. The checksum runs at memory speed, so that costs less than reading the file. */
#include "log/checkpoint.h"

#include "base/assert.h"
#include "base/crc32c.h"
#include "log/load.h"

#include <string.h>

enum {
    FORMAT_VERSION = 1,
    AT_VERSION = 8,
    AT_SECTION_COUNT = 12,
    AT_LOG_ID = 16,
    AT_COVERED = 32,
    AT_CHAIN = 40,
    AT_HASH_KEY = 56,
    AT_LENGTH = 72,
    AT_SECTIONS = 80,
    SECTION_SIZE = 24,
    SECTION_ALIGNMENT = 64,
    CRC_SIZE = 4,
};

static const uint8_t magic[8] = {'G', 'O', 'A', 'T', 'C', 'K', 'P', 'T'};

static size_t header_size(uint32_t section_count) {
    return AT_SECTIONS + (size_t)section_count * SECTION_SIZE + CRC_SIZE;
}

static uint64_t align(uint64_t offset) {
    return (offset + (SECTION_ALIGNMENT - 1)) / SECTION_ALIGNMENT * SECTION_ALIGNMENT;
}

/* ---- Reading ------------------------------------------------------------------------------- */

static goat_status check_header(const uint8_t *file, size_t len, gt_diag *diag) {
    if (len < header_size(0) + CRC_SIZE || memcmp(file, magic, sizeof magic) != 0) {
        return gt_fail_at(diag, GOAT_CORRUPT, 0, "the file is no checkpoint");
    }
    uint32_t version = gt_get_u32(file + AT_VERSION);
    if (version > FORMAT_VERSION) {
        return gt_fail_at(diag, GOAT_NEWER_FORMAT, AT_VERSION,
                          "the checkpoint has format version %u, this library reads %d", version, FORMAT_VERSION);
    }
    uint32_t count = gt_get_u32(file + AT_SECTION_COUNT);
    if (version == 0 || count > GT_CHECKPOINT_SECTIONS_MAX || header_size(count) + CRC_SIZE > len) {
        return gt_fail_at(diag, GOAT_CORRUPT, AT_VERSION, "the header of the checkpoint makes no sense");
    }
    size_t checked = header_size(count) - CRC_SIZE;
    if (gt_get_u32(file + checked) != gt_crc32c(0, file, checked)) {
        return gt_fail_at(diag, GOAT_CORRUPT, 0, "the header of the checkpoint is damaged");
    }
    if (gt_get_u64(file + AT_LENGTH) != len) {
        return gt_fail_at(diag, GOAT_CORRUPT, AT_LENGTH, "the checkpoint is not as long as it was written");
    }
    return GOAT_OK;
}

static goat_status read_sections(uint8_t *file, size_t len, gt_checkpoint *out, gt_diag *diag) {
    uint64_t end = header_size(out->section_count); /* of what is taken */
    uint64_t last = len - CRC_SIZE;
    for (uint32_t i = 0; i < out->section_count; i++) {
        const uint8_t *entry = file + AT_SECTIONS + (size_t)i * SECTION_SIZE;
        uint64_t offset = gt_get_u64(entry + 8), size = gt_get_u64(entry + 16);
        gt_section *section = &out->sections[i];
        section->kind = gt_get_u32(entry);
        section->row_size = gt_get_u32(entry + 4);
        if (section->row_size == 0 || offset < end || offset > last || size > last - offset ||
            offset % SECTION_ALIGNMENT != 0) {
            return gt_fail_at(diag, GOAT_CORRUPT, AT_SECTIONS + (uint64_t)i * SECTION_SIZE,
                              "a section of the checkpoint lies outside of it, or in another one");
        }
        section->data = file + offset;
        section->len = size;
        end = offset + size;
    }
    return GOAT_OK;
}

goat_status gt_checkpoint_open(uint8_t *file, size_t len, gt_checkpoint *out, gt_checkpoint_check *check,
                               gt_diag *diag) {
    GOAT_ASSERT((uintptr_t)file % GT_LOAD_ALIGNMENT == 0);
    *out = (gt_checkpoint){.section_count = 0};
    *check = (gt_checkpoint_check){.file = file};
    goat_status status = check_header(file, len, diag);
    if (status != GOAT_OK) {
        return status;
    }
    out->section_count = gt_get_u32(file + AT_SECTION_COUNT);
    status = read_sections(file, len, out, diag);
    if (status != GOAT_OK) {
        *out = (gt_checkpoint){.section_count = 0};
        return status;
    }
    memcpy(out->log_id, file + AT_LOG_ID, sizeof out->log_id);
    out->covered = gt_get_u64(file + AT_COVERED);
    memcpy(out->chain, file + AT_CHAIN, GT_CHAIN_SIZE);
    memcpy(out->hash_key, file + AT_HASH_KEY, sizeof out->hash_key);
    check->begin = check->at = header_size(out->section_count);
    check->end = len - CRC_SIZE;
    return GOAT_OK;
}

goat_status gt_checkpoint_check_step(gt_checkpoint_check *check, size_t bytes, bool *done, gt_diag *diag) {
    size_t left = check->end - check->at;
    size_t len = bytes < left ? bytes : left;
    check->crc = gt_crc32c(check->crc, check->file + check->at, len);
    check->at += len;
    *done = check->at == check->end;
    if (*done && gt_get_u32(check->file + check->end) != check->crc) {
        return gt_fail_at(diag, GOAT_CORRUPT, check->begin, "the checkpoint is damaged");
    }
    return GOAT_OK;
}

uint64_t gt_checkpoint_checked(const gt_checkpoint_check *check, const gt_section *section) {
    size_t begin = (size_t)(section->data - check->file);
    if (check->at <= begin) {
        return 0;
    }
    return check->at - begin < section->len ? check->at - begin : section->len;
}

goat_status gt_checkpoint_read(uint8_t *file, size_t len, gt_checkpoint *out, gt_diag *diag) {
    gt_checkpoint_check check;
    bool done;
    goat_status status = gt_checkpoint_open(file, len, out, &check, diag);
    if (status == GOAT_OK) {
        status = gt_checkpoint_check_step(&check, SIZE_MAX, &done, diag);
    }
    if (status != GOAT_OK) {
        *out = (gt_checkpoint){.section_count = 0};
    }
    return status;
}

const gt_section *gt_checkpoint_section(const gt_checkpoint *checkpoint, uint32_t kind, uint32_t row_size) {
    for (uint32_t i = 0; i < checkpoint->section_count; i++) {
        const gt_section *section = &checkpoint->sections[i];
        if (section->kind == kind && section->row_size == row_size && section->len % row_size == 0) {
            return section;
        }
    }
    return NULL;
}

/* ---- Writing ------------------------------------------------------------------------------- */

static void append_zeros(gt_buf *out, uint64_t count) {
    static const uint8_t zeros[SECTION_ALIGNMENT];
    GOAT_ASSERT(count < SECTION_ALIGNMENT);
    gt_buf_append(out, zeros, (size_t)count);
}

static void append_crc(gt_buf *out, uint32_t crc) {
    uint8_t bytes[CRC_SIZE];
    gt_put_u32(bytes, crc);
    gt_buf_append(out, bytes, sizeof bytes);
}

/* The header, and room for the whole file at once. */
static void append_header(const gt_checkpoint *checkpoint, gt_buf *out) {
    uint8_t header[AT_SECTIONS + GT_CHECKPOINT_SECTIONS_MAX * SECTION_SIZE];
    uint64_t end = header_size(checkpoint->section_count);
    for (uint32_t i = 0; i < checkpoint->section_count; i++) {
        const gt_section *section = &checkpoint->sections[i];
        uint8_t *entry = header + AT_SECTIONS + (size_t)i * SECTION_SIZE;
        GOAT_ASSERT(section->row_size != 0);
        gt_put_u32(entry, section->kind);
        gt_put_u32(entry + 4, section->row_size);
        gt_put_u64(entry + 8, align(end));
        gt_put_u64(entry + 16, section->len);
        end = align(end) + section->len;
    }
    memcpy(header, magic, sizeof magic);
    gt_put_u32(header + AT_VERSION, FORMAT_VERSION);
    gt_put_u32(header + AT_SECTION_COUNT, checkpoint->section_count);
    memcpy(header + AT_LOG_ID, checkpoint->log_id, sizeof checkpoint->log_id);
    gt_put_u64(header + AT_COVERED, checkpoint->covered);
    memcpy(header + AT_CHAIN, checkpoint->chain, GT_CHAIN_SIZE);
    memcpy(header + AT_HASH_KEY, checkpoint->hash_key, sizeof checkpoint->hash_key);
    gt_put_u64(header + AT_LENGTH, end + CRC_SIZE);
    gt_buf_reserve(out, (size_t)end + CRC_SIZE);
    gt_buf_append(out, header, header_size(checkpoint->section_count) - CRC_SIZE);
}

void gt_checkpoint_write_begin(gt_checkpoint_writer *writer, const gt_checkpoint *checkpoint, gt_section_piece piece,
                               void *context, gt_buf *out) {
    GOAT_ASSERT(checkpoint->section_count <= GT_CHECKPOINT_SECTIONS_MAX);
    *writer = (gt_checkpoint_writer){
        .checkpoint = checkpoint, .out = out, .piece = piece, .context = context, .start = out->len};
    append_header(checkpoint, out);
    if (!gt_buf_failed(out)) {
        append_crc(out, gt_crc32c(0, out->data + writer->start, out->len - writer->start));
    }
    writer->checked = out->len;
}

/* Appends what stands at the place at hand, up to `bytes_max`; then the next section is at hand when this one is over.
 * Returns how much it was. */
static uint64_t append_piece(gt_checkpoint_writer *writer, uint64_t bytes_max) {
    const gt_section *section = &writer->checkpoint->sections[writer->section];
    if (writer->offset == 0) { /* of an empty section too: the header says where it would be */
        uint64_t place = writer->out->len - writer->start;
        append_zeros(writer->out, align(place) - place);
    }
    uint64_t len = section->len - writer->offset;
    if (len > 0) {
        const uint8_t *bytes = writer->piece == NULL
                                   ? section->data + writer->offset
                                   : writer->piece(writer->context, writer->section, writer->offset, &len);
        GOAT_ASSERT(len > 0 && len <= section->len - writer->offset);
        len = len < bytes_max ? len : bytes_max;
        gt_buf_append(writer->out, bytes, (size_t)len);
        writer->offset += len;
    }
    if (writer->offset == section->len) {
        writer->section++;
        writer->offset = 0;
    }
    return len;
}

bool gt_checkpoint_write_step(gt_checkpoint_writer *writer, size_t bytes) {
    gt_buf *out = writer->out;
    uint64_t left = bytes;
    while (left > 0 && writer->section < writer->checkpoint->section_count && !gt_buf_failed(out)) {
        left -= append_piece(writer, left);
    }
    if (gt_buf_failed(out)) {
        return true;
    }
    writer->crc = gt_crc32c(writer->crc, out->data + writer->checked, out->len - writer->checked);
    writer->checked = out->len;
    if (writer->section < writer->checkpoint->section_count) {
        return false;
    }
    append_crc(out, writer->crc);
    return true;
}

void gt_checkpoint_write(const gt_checkpoint *checkpoint, gt_buf *out) {
    gt_checkpoint_writer writer;
    gt_checkpoint_write_begin(&writer, checkpoint, NULL, NULL, out);
    while (!gt_checkpoint_write_step(&writer, SIZE_MAX)) {
    }
}
